"""Scan the pinned distributions and hold the findings against the labels.

    python bench/accuracy/measure.py FOLDER [--jobs N] [--show tune] [--first] [--reuse]

fetches what FOLDER lacks, scans each distribution as a user would, and prints recall, false alarms
and agreement, for each half. A label is found if a finding starts on its line. `--show` lists the
lines where tool and label differ, of the half that may be looked at only: nobody tunes on the other
one, so it is never listed.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus import DISTRIBUTIONS, Distribution, fetch_all

HERE = Path(__file__).parent
SEVERITIES = ("blocker", "major", "minor", "info")
NEEDS_CONTEXT = ("compile", "dtype", "dynamic-shape", "host-sync")
"""Categories whose findings depend on where the code stands; each is reported of its own."""


@dataclass(frozen=True)
class Label:
    """What a reader says of a line."""

    path: str
    line: int
    verdict: str
    category: str
    severity: str
    guard: str
    note: str

    @property
    def issue(self) -> bool:
        """Whether the line ties the code to CUDA."""
        return self.verdict == "issue"

    @property
    def sure(self) -> bool:
        """Whether the reader thought that any careful reader would say the same."""
        return not self.note.startswith("unsure")


@dataclass(frozen=True)
class Found:
    """What portaudit says of a line."""

    rule: str
    category: str
    severity: str
    guard: str


Findings = dict[tuple[str, int], list[Found]]


def read_labels(path: Path) -> list[Label]:
    """The labels in a file."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Label(
                row["path"],
                int(row["line"]),
                row["label"],
                row["category"],
                row["severity"],
                row["guarded"],
                row["note"],
            )
            for row in csv.DictReader(file)
        ]


def read_settled() -> list[Label]:
    """Labels of lines that conventions touch which were open at first; see the guide."""
    return read_labels(HERE / "settled.csv")


def scan(each: Distribution, folder: Path, *, jobs: int, reuse: bool) -> dict[str, object]:
    """The JSON report of a distribution; with `reuse`, the one of last time."""
    report = folder / "reports" / f"{each.folder}.json"
    if not (reuse and report.is_file()):
        report.parent.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "portaudit", "scan", str(folder / "src" / each.folder)]
        command += ["--format", "json", "--output", str(report), "--jobs", str(jobs)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    loaded: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    return loaded


def findings(report: dict[str, object], folder: str) -> Findings:
    """The findings of a report by path and line."""
    by_line: Findings = defaultdict(list)
    listed = report["findings"]
    assert isinstance(listed, list)
    for item in listed:
        found = Found(item["rule"], item["category"], item["severity"], item["guard"])
        by_line[f"{folder}/{item['path']}", item["line"]].append(found)
    return by_line


def share(part: int, whole: int) -> str:
    """A share in words that shows its base."""
    return f"{100 * part / whole:5.1f} % ({part} of {whole})" if whole else "     - (0)"


def agreement(labels: Iterable[Label], found: Findings, name: str) -> str:
    """On how many issues that were found label and finding have the same value of a field."""
    pairs = [(label, found.get((label.path, label.line), [])) for label in labels]
    hit = [(getattr(label, name), those) for label, those in pairs if those]
    agreed = sum(any(getattr(one, name) == value for one in those) for value, those in hit)
    return share(agreed, len(hit))


def recall(labels: Sequence[Label], found: Findings) -> str:
    """How many issues have a finding on their line."""
    return share(sum(bool(found.get((label.path, label.line))) for label in labels), len(labels))


def print_half(
    title: str, labels: Sequence[Label], found: Findings, strata: dict[tuple[str, int], str]
) -> None:
    """The figures of one half."""
    issues = [label for label in labels if label.issue]
    clean = [label for label in labels if not label.issue]
    alike = [label for label in clean if strata[label.path, label.line] != "background"]
    grave = [label for label in issues if label.severity in {"blocker", "major"}]
    unguarded = [label for label in issues if label.guard in {"none", "hard-fail"}]
    print(f"\n{title}: {len(labels)} lines, {len(issues)} issues, {len(alike)} look-alikes")
    print(f"  recall, all                  {recall(issues, found)}")
    print(f"  recall, readers were sure    {recall([a for a in issues if a.sure], found)}")
    print(f"  recall, blocker and major    {recall(grave, found)}")
    for severity in SEVERITIES:
        some = [label for label in issues if label.severity == severity]
        print(f"  recall, {severity:<20} {recall(some, found)}")
    print(f"  recall, not guarded          {recall(unguarded, found)}")
    for category in sorted({label.category for label in issues}):
        some = [label for label in issues if label.category == category]
        mark = "*" if category in NEEDS_CONTEXT else " "
        print(f"  {mark} {category:<26} {recall(some, found)}")
    noisy = [label for label in alike if found.get((label.path, label.line))]
    loud = [
        label
        for label in noisy
        if any(one.severity != "info" for one in found[label.path, label.line])
    ]
    print(f"  false alarms on look-alikes  {share(len(noisy), len(alike))}")
    print(f"    of these above info        {share(len(loud), len(alike))}")
    sure = [label for label in alike if label.sure]
    print(f"    where readers were sure    {share(sum(a in noisy for a in sure), len(sure))}")
    for name in ("guard", "severity", "category"):
        print(f"  {name + ' agrees':<28} {agreement(issues, found, name)}")


def print_second(first: Sequence[Label], second: Sequence[Label]) -> None:
    """How far two readers agree who did not see each other's labels."""
    by_line = {(label.path, label.line): label for label in first}
    pairs = [(by_line[label.path, label.line], label) for label in second]
    same = sum(a.verdict == b.verdict for a, b in pairs)
    chance = sum(
        (sum(a.verdict == word for a, _ in pairs) / len(pairs))
        * (sum(b.verdict == word for _, b in pairs) / len(pairs))
        for word in ("issue", "clean")
    )
    both = [(a, b) for a, b in pairs if a.issue and b.issue]
    print(f"\ntwo readers, {len(pairs)} lines")
    kappa = (same / len(pairs) - chance) / (1 - chance)
    print(f"  verdict agrees               {share(same, len(pairs))}, kappa {kappa:.2f}")
    for name in ("category", "severity", "guard"):
        agreed = sum(getattr(a, name) == getattr(b, name) for a, b in both)
        print(f"  {name + ' agrees':<28} {share(agreed, len(both))}")


def print_differences(labels: Sequence[Label], found: Findings) -> None:
    """The lines where finding and label differ."""
    for label in labels:
        those = found.get((label.path, label.line), [])
        said = ", ".join(f"{one.rule} {one.severity} {one.guard}" for one in those)
        where = f"{label.path}:{label.line}"
        if label.issue and not those:
            print(
                f"MISSED   {where} {label.category} {label.severity} {label.guard} - {label.note}"
            )
        elif those and not label.issue:
            print(f"NOISY    {where} {said} - {label.note}")
        elif label.issue and all(one.guard != label.guard for one in those):
            print(f"GUARD    {where} {label.guard}, not {said} - {label.note}")
        elif label.issue and all(one.severity != label.severity for one in those):
            print(f"SEVERITY {where} {label.severity}, not {said} - {label.note}")


def main() -> None:
    """Fetch, scan, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="where the distributions and the reports are kept"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", choices=["tune"], help="list the differences of this half")
    parser.add_argument("--half", choices=["tune", "both"], default="both", help="what to scan")
    parser.add_argument(
        "--first", action="store_true", help="hold against the first labels, before any was settled"
    )
    parser.add_argument("--reuse", action="store_true", help="take the reports of the last run")
    arguments = parser.parse_args()
    fetch_all(arguments.folder)
    with (HERE / "sample.csv").open(newline="", encoding="utf-8") as file:
        strata = {(row["path"], int(row["line"])): row["drawn_for"] for row in csv.DictReader(file)}
    first = read_labels(HERE / "labels.csv")
    settled = {} if arguments.first else {(a.path, a.line): a for a in read_settled()}
    labels = [settled.get((label.path, label.line), label) for label in first]
    found: Findings = {}
    halves: dict[str, list[Label]] = defaultdict(list)
    for each in DISTRIBUTIONS:
        if arguments.half in {"both", each.half}:
            report = scan(each, arguments.folder, jobs=arguments.jobs, reuse=arguments.reuse)
            found.update(findings(report, each.folder))
            own = [label for label in labels if label.path.startswith(f"{each.folder}/")]
            halves[each.half] += own
    counted = Counter(label.verdict for label in labels)
    print(f"{len(labels)} lines of {len(DISTRIBUTIONS)} distributions: {dict(counted)}")
    for half, some in sorted(halves.items()):
        print_half(half, some, defaultdict(list, found), strata)
    print_second(first, read_labels(HERE / "second.csv"))
    if arguments.show:
        print()
        print_differences(halves[arguments.show], found)


if __name__ == "__main__":
    main()
