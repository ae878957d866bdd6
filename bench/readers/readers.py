"""What each reader costs: CPU time per megabyte, beside the Python reader in the same run.

    python bench/readers/readers.py FOLDER [FOLDER …] [--most MB]

scans the files under the folders one by one, kind by kind, in one process: reading, matching and
judging, as `portaudit scan` does, without what relates files. `--most` bounds each kind. Files are
taken in the order of a digest of their paths, so that a bound takes a mixed sample.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portaudit.catalogue.load import Catalogue, load
from portaudit.discover import walk
from portaudit.files import Disk
from portaudit.scan import scan_file
from portaudit.types import FileKind, SourceFile


@dataclass
class Cost:
    """What the files of a kind cost: bytes, seconds of CPU; `live` is the part with a trigger."""

    files: int = 0
    size: int = 0
    live_files: int = 0
    live_size: int = 0
    seconds: float = 0.0
    findings: int = 0
    kernels: int = 0
    slowest: float = 0.0

    def add(self, size: int, seconds: float, *, live: bool) -> None:
        """Count one file."""
        self.files += 1
        self.size += size
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)
        if live:
            self.live_files += 1
            self.live_size += size


def files(folder: Path) -> Iterator[tuple[Path, str, FileKind]]:
    """The files that an audit of a folder reads, in an order that has nothing to do with them."""
    tree = walk(Disk(folder), [folder])
    order = sorted(tree.kinds, key=lambda path: hashlib.sha256(path.encode()).digest())
    for path in order:
        yield folder / path, path, tree.kinds[path]


def measure(catalogue: Catalogue, folders: Sequence[Path], most: float) -> dict[FileKind, Cost]:
    """Scan the files of some folders."""
    costs: dict[FileKind, Cost] = defaultdict(Cost)
    for folder in folders:
        for place, path, kind in files(folder.resolve()):
            cost = costs[kind]
            if cost.size > most * 1e6:
                continue
            content = place.read_bytes()
            live = bool(catalogue.items.trigger(kind).search(content))
            source = SourceFile(path, kind, content)
            start = time.process_time()
            result = scan_file(source, catalogue, "torchneuron")
            cost.add(len(content), time.process_time() - start, live=live)
            cost.findings += len(result.findings)
            cost.kernels += len(result.inventory)
    return costs


def table(costs: dict[FileKind, Cost]) -> Iterator[str]:
    """A row per kind, the dearest first; the ratio is to the Python reader's time per megabyte."""
    python = costs.get("python", Cost())
    per_mb = python.seconds / (python.size / 1e6) if python.size else 0.0
    total = sum(cost.seconds for cost in costs.values())
    yield (
        "| kind | files | MB | of these with a trigger | s/MB | to Python's "
        "| s/MB with a trigger | share of all time | slowest file, s | findings | kernels |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for kind, cost in sorted(costs.items(), key=lambda item: -item[1].seconds):
        size, live = cost.size / 1e6, cost.live_size / 1e6
        each = cost.seconds / size if size else 0.0
        ratio = f"{each / per_mb:.2f}" if per_mb else "-"
        of_live = f"{cost.seconds / live:.2f}" if live else "-"
        with_trigger = f"{cost.live_files} ({live:.2f} MB)"
        yield (
            f"| {kind} | {cost.files} | {size:.2f} | {with_trigger} | {each:.2f} "
            f"| {ratio} | {of_live} | {100 * cost.seconds / total:.1f} % | {cost.slowest:.2f} "
            f"| {cost.findings} | {cost.kernels} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--most", type=float, default=20.0, help="megabytes of each kind")
    arguments = parser.parse_args()
    catalogue = load()
    scan_file(SourceFile("warm.py", "python", b"import torch\n"), catalogue, "torchneuron")
    for line in table(measure(catalogue, arguments.folders, arguments.most)):
        print(line)


if __name__ == "__main__":
    main()
