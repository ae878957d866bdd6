"""Hold the findings of whole files against everything that readers found in them.

    python bench/accuracy/whole.py FOLDER [--show]

The files of `whole/files.csv` were read from beginning to end; every line that is not in
`whole/labels.csv` was judged clean. So this measures what a draw of lines cannot: how many of the
findings in a file a reader would have written down.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from corpus import Distribution, fetch, read_distributions
from measure import Findings, Label, agreement, findings, print_differences, read_labels, share

HERE = Path(__file__).parent / "whole"
NEEDS_CONTEXT = frozenset({"dtype", "dynamic-shape", "host-sync", "op-fallback"})
"""Categories that depend on whether the code around runs on the device."""


def scan(each: Distribution, folder: Path, paths: list[str]) -> Findings:
    """The findings in some files of a distribution, scanned from its root."""
    report = folder / "reports" / f"{each.folder}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "portaudit", "scan", *paths, "--format", "json"]
    command += ["--output", str(report.resolve())]
    root = folder / "src" / each.folder
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(  # noqa: S603 - our own command
        command,
        check=True,
        cwd=root,
        env=here,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    loaded: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    return findings(loaded, each.folder)


def print_figures(labels: list[Label], found: Findings) -> None:
    """Recall by kind, and how many findings readers agree with."""
    groups = {
        "all": labels,
        "readers were sure": [a for a in labels if a.sure],
        "blocker and major": [a for a in labels if a.severity in {"blocker", "major"}],
        "named in the code": [a for a in labels if a.category not in NEEDS_CONTEXT],
        "  of these, sure": [a for a in labels if a.category not in NEEDS_CONTEXT and a.sure],
        "needs context": [a for a in labels if a.category in NEEDS_CONTEXT],
        "  of these, sure ": [a for a in labels if a.category in NEEDS_CONTEXT and a.sure],
    }
    for title, some in groups.items():
        hit = sum(bool(found.get((a.path, a.line))) for a in some)
        print(f"  recall, {title:<20} {share(hit, len(some))}")
    known = {(label.path, label.line) for label in labels}
    graver = [at for at, those in found.items() if any(one.severity != "info" for one in those)]
    for title, places in (("all", list(found)), ("above info", graver)):
        agreed = sum(at in known for at in places)
        print(f"  findings that readers share, {title:<11} {share(agreed, len(places))}")
    for name in ("guard", "severity", "category"):
        print(f"  {name + ' agrees':<28} {agreement(labels, found, name)}")


def main() -> None:
    """Fetch, scan, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where sources and reports are kept")
    parser.add_argument("--show", action="store_true", help="list the differences")
    arguments = parser.parse_args()
    (arguments.folder / "src").mkdir(parents=True, exist_ok=True)
    with (HERE / "files.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_folder: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        owner, _, path = row["path"].partition("/")
        by_folder[owner].append(path)
    found: Findings = {}
    for each in read_distributions(HERE / "distributions.csv"):
        fetch(each, arguments.folder)
        found.update(scan(each, arguments.folder, by_folder[each.folder]))
    read = {row["path"] for row in rows}
    found = {at: those for at, those in found.items() if at[0] in read}
    labels = read_labels(HERE / "labels.csv")
    lines = sum(int(row["lines"]) for row in rows)
    print(f"{len(rows)} files, {lines} lines, {len(by_folder)} distributions, {len(labels)} issues")
    print_figures(labels, found)
    if arguments.show:
        print()
        print_differences(labels, defaultdict(list, found))


if __name__ == "__main__":
    main()
