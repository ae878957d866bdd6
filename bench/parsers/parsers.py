"""Whether results are the same, whichever parser reads the files.

    python bench/parsers/parsers.py FOLDER [FOLDER …]

scans every Python file and notebook under the folders by itself, once as `portaudit scan` does and
once by libcst alone, and compares the complete results: findings, guards, facts, fingerprints.
Prints the files whose results differ, and of how many files and bytes libcst read the whole.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from unittest.mock import patch

from portaudit.catalogue.load import load
from portaudit.discover import walk
from portaudit.files import Disk
from portaudit.read.python import quick
from portaudit.read.python.model import Model, build
from portaudit.read.python.parse import Parsed, UnreadableError, parse
from portaudit.scan import scan_file
from portaudit.types import SourceFile


def read(path: str, content: bytes) -> tuple[Parsed, Model]:
    """A file taken apart anew."""
    parsed = parse(path, content)
    return parsed, build(parsed.module)


def main() -> int:
    """Compare; 1 if a result differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    catalogue = load()
    files = size = whole_files = whole_size = wrong = 0
    for folder in parser.parse_args().folders:
        root = folder.resolve()
        tree = walk(Disk(root), [root])
        for path in tree.selected:
            kind = tree.kinds[path]
            if kind not in {"python", "notebook"}:
                continue
            content = (root / path).read_bytes()
            files, size = files + 1, size + len(content)
            try:
                is_whole = kind == "python" and parse(path, content).tree is None
            except UnreadableError:
                continue
            whole_files += is_whole
            whole_size += is_whole * len(content)
            if is_whole:
                continue
            ours = scan_file(SourceFile(path, kind, content), catalogue, "torchneuron")
            with (
                patch.object(quick, "read", lambda _: None),
                patch("portaudit.scan._recent.parsed", read),  # knows the other tree already
            ):
                other = scan_file(SourceFile(path, kind, content), catalogue, "torchneuron")
            if ours != other:
                wrong += 1
                print(f"differs: {folder / path}")
    print(f"{files} files, {size / 1e6:.1f} MB; {wrong} differ")
    print(f"libcst alone reads {whole_files} files, {whole_size / 1e6:.2f} MB")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
