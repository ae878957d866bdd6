"""Scan the pinned repositories and hold what is found outside Python against the labels.

    python bench/accuracy/other/figures.py FOLDER [--jobs N] [--half tune] [--show tune] [--reuse]

fetches what FOLDER lacks and prints, for each half, what `../measure.py` prints for Python, and
recall and false alarms by kind of file. Of the other half no line is ever shown.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from projects import SOURCES, export_all

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import measure

HERE = Path(__file__).parent


def scan(
    folder: Path, name: str, labels: Sequence[measure.Label], *, jobs: int, reuse: bool
) -> dict[str, object]:
    """The JSON report of the labelled files of a repository; with `reuse`, that of last time.

    A file is judged the same alone and in its tree, so the others need not be read for it.
    """
    report = folder / "reports" / f"{name}.json"
    if not (reuse and report.is_file()):
        report.parent.mkdir(exist_ok=True)
        root = folder / "src" / name
        files = sorted({str(folder / "src" / label.path) for label in labels})
        command = [sys.executable, "-m", "portaudit", "scan", *files, "--root", str(root)]
        command += ["--format", "json", "--output", str(report), "--jobs", str(jobs)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    loaded: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    return loaded


def print_kinds(
    labels: Sequence[measure.Label],
    found: measure.Findings,
    strata: dict[tuple[str, int], str],
) -> None:
    """Recall and false alarms by kind of file."""
    kinds = {key: stratum.partition(" ")[0] for key, stratum in strata.items()}
    for kind in sorted(set(kinds.values())):
        own = [label for label in labels if kinds[label.path, label.line] == kind]
        issues = [label for label in own if label.issue]
        clean = [label for label in own if not label.issue]
        noisy = sum(bool(found.get((label.path, label.line))) for label in clean)
        alarms = measure.share(noisy, len(clean))
        print(f"    {kind:<12} recall {measure.recall(issues, found)}   false alarms {alarms}")


def main() -> None:
    """Fetch, scan, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the repositories and reports are kept")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", choices=["tune"], help="list the differences of this half")
    parser.add_argument("--half", choices=["tune", "both"], default="both", help="what to scan")
    parser.add_argument(
        "--first", action="store_true", help="hold against the first labels, before any was settled"
    )
    parser.add_argument("--reuse", action="store_true", help="take the reports of the last run")
    arguments = parser.parse_args()
    export_all(arguments.folder)
    with (HERE / "sample.csv").open(newline="", encoding="utf-8") as file:
        strata = {(row["path"], int(row["line"])): row["drawn_for"] for row in csv.DictReader(file)}
    first = measure.read_labels(HERE / "labels.csv")
    again = [] if arguments.first else measure.read_labels(HERE / "settled.csv")
    settled = {(label.path, label.line): label for label in again}
    labels = [settled.get((label.path, label.line), label) for label in first]
    found: measure.Findings = defaultdict(list)
    halves: dict[str, list[measure.Label]] = defaultdict(list)
    for each in SOURCES:
        if arguments.half in {"both", each.half}:
            own = [label for label in labels if label.path.startswith(f"{each.folder}/")]
            report = scan(
                arguments.folder, each.folder, own, jobs=arguments.jobs, reuse=arguments.reuse
            )
            found.update(measure.findings(report, each.folder))
            halves[each.half] += own
    for half, some in sorted(halves.items()):
        measure.print_half(half, some, found, strata)
        print_kinds(some, found, strata)
    measure.print_second(first, measure.read_labels(HERE / "second.csv"))
    if arguments.show:
        print()
        measure.print_differences(halves[arguments.show], found)


if __name__ == "__main__":
    main()
