"""What projects write by hand: a regex over the lines of the files that a commit changes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CUDA = re.compile(r"torch\.cuda\b|\.cuda\(|[\"']cuda(?::\d+)?[\"']|[\"']nccl[\"']")


def main() -> int:
    """Print the lines that name CUDA; 1 if there are any."""
    failed = 0
    for name in sys.argv[1:]:
        lines = Path(name).read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if CUDA.search(line.partition("#")[0]):
                print(f"{name}:{number}: {line.strip()}")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
