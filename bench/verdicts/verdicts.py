"""Hold the score, the path and the root causes of a scan against what readers wrote before it.

    python bench/verdicts/verdicts.py CLONES --which building|former|second|...|seventh|final
        [--top 5] [--reports DIR]

CLONES holds a directory OWNER+NAME for each repository, at the commit that its label names. Each is
scanned as a user would. Printed are: scores beside the readers' verdicts and their rank of
difficulty, and Spearman's correlation of the two; which causes are among the first root causes of
the path; and what the readers call optional or off the path, but a scan calls grave on it. README
says how places are compared.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import StatisticsError, correlation
from typing import Literal

import msgspec
import tomli
from msgspec import Struct

from portaudit.kinds import kind_by_name
from portaudit.report.causes import Cause, causes
from portaudit.report.stored import parse
from portaudit.types import (
    SEVERITIES,
    Chain,
    EntryPoint,
    Finding,
    Location,
    Report,
    RootCause,
    Severity,
)

LABELS = Path(__file__).resolve().parent / "labels"
RANK = "rank.toml"
BUILDING = frozenset(
    {
        "HazyResearch/safari",
        "facebookresearch/detr",
        "facebookresearch/mae",
        "huggingface/nanotron",
        "mosaicml/llm-foundry",
        "nerfstudio-project/nerfstudio",
        "open-mmlab/mmdetection3d",
        "pytorch/examples",
    }
)
"""Repositories that were looked at from the beginning on."""
TOP = 5
"""Root causes that a report shows in full."""
BESIDE = 1
"""Lines between a place and a finding there: one names the decorator, the other the `def`."""
NEAR = 5
"""The same for native code, where a kernel begins with a template, its bounds or its name."""
TIMEOUT = 1800
OPEN = frozenset({"none", "hard-fail"})
"""Guards under which code runs without CUDA."""
ON_PATH = frozenset({"main", None})
"""Reaches that count: on the main path, or nobody can tell."""

Weight = Literal["blocker", "major", "minor"]
Which = Literal[
    "building",
    "former",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "final",
]
SETS: Mapping[Which, str] = {
    "building": "first",
    "former": "first",
    "second": "second",
    "third": "third",
    "fourth": "fourth",
    "fifth": "fifth",
    "sixth": "sixth",
    "seventh": "seventh",
    "eighth": "eighth",
    "final": "ninth",
}
"""Where the labels of a set are, each folder with a rank of its own."""
Nearness = Literal["file", "line", "function"]


# --- what the readers wrote -----------------------------------------------------------------------


class Entry(Struct, frozen=True):
    """The program that a reader takes for the main training entry."""

    entry: str


class LabelledCause(Struct, frozen=True):
    """What has to be done on the main path, and where; places are `path:line` or a path."""

    title: str
    weight: Weight
    places: tuple[str, ...]


class Scary(Struct, frozen=True):
    """What looks like an obstacle, but is optional or off the main path."""

    title: str
    places: tuple[str, ...]


class Difficulty(Struct, frozen=True):
    """The verdict in words, and days of work."""

    verdict: str
    days: tuple[float, float]


class Label(Struct, frozen=True):
    """What a reader says of a repository at a commit."""

    repository: str
    commit: str
    main: Entry
    cause: tuple[LabelledCause, ...]
    scary: tuple[Scary, ...]
    difficulty: Difficulty

    @property
    def folder(self) -> str:
        """The name of its clone."""
        return self.repository.replace("/", "+")


class Ranked(Struct, frozen=True):
    """Where a repository stands in the order of difficulty, 1 is the easiest."""

    repository: str
    place: float


class _Ranks(Struct, frozen=True):
    rank: tuple[Ranked, ...]


def read_labels(which: Which) -> list[tuple[Label, float]]:
    """The labels of a set and their places in the rank, easiest first."""
    folder = LABELS / SETS[which]
    ranks = msgspec.convert(_toml(folder / RANK), _Ranks).rank
    places = {each.repository: each.place for each in ranks}
    labels = [
        msgspec.convert(_toml(path), Label)
        for path in sorted(folder.glob("*.toml"))
        if path.name != RANK
    ]
    chosen = [each for each in labels if set_of(each.repository, SETS[which]) == which]
    return sorted(((each, places[each.repository]) for each in chosen), key=lambda pair: pair[1])


def set_of(repository: str, folder: str) -> Which:
    """Whether a repository was looked at while building, after its first run, or never."""
    if folder == SETS["building"]:
        return "building" if repository in BUILDING else "former"
    return next(which for which, own in SETS.items() if own == folder)


def _toml(path: Path) -> dict[str, object]:
    return tomli.loads(path.read_text(encoding="utf-8"))


# --- places ---------------------------------------------------------------------------------------


class Place(Struct, frozen=True):
    """A line of a file; with the line 0 a whole file, or all files of a folder."""

    path: str
    line: int

    def holds(self, path: str) -> bool:
        """Whether a file is the one meant."""
        return path == self.path or (not self.line and path.startswith(f"{self.path}/"))


def place_of(text: str) -> Place:
    """The place that a label writes as `path:line`, or as a path."""
    path, colon, line = text.rpartition(":")
    return Place(path, int(line)) if colon and line.isdecimal() else Place(text, 0)


def nearness(place: Place, site: Location, root: Path) -> Nearness | None:
    """How a site of a root cause and a place of a cause belong together, if they do."""
    if not place.holds(site.path):
        return None
    if not place.line:
        return "file"
    far = NEAR if kind_by_name(place.path) == "native" else BESIDE
    if abs(place.line - site.line) <= far:
        return "line"
    around = function_around(root / place.path, place.line)
    return "function" if around and around[0] <= site.line <= around[1] else None


def function_around(path: Path, line: int) -> tuple[int, int] | None:
    """First and last line of the smallest function that has a line, of Python that can be read."""
    having = [span for span in _functions(path) if span[0] <= line <= span[1]]
    return min(having, key=lambda span: span[1] - span[0], default=None)


@cache
def _functions(path: Path) -> tuple[tuple[int, int], ...]:
    """The lines of all functions of a file, their decorators among them."""
    if path.suffix != ".py":
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ()
    return tuple(
        (min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    )


def stands_at(finding: Finding, place: Place) -> bool:
    """Whether the statement of a finding is at a place, or right beside it."""
    if not place.holds(finding.path):
        return False
    first, last = finding.lines if finding.lines[0] else (finding.span.line, finding.span.end_line)
    return not place.line or first - BESIDE <= place.line <= last + BESIDE


# --- causes among root causes ---------------------------------------------------------------------


class Found(Struct, frozen=True):
    """A root cause that has a site at a cause, and its number in the order of the report.

    `number` is 0 for one that the path does not need as it is set.
    """

    cause: Cause
    number: int
    site: Location
    how: Nearness

    def among(self, top: int) -> bool:
        """Whether it is one of the first."""
        return 0 < self.number <= top


def needed(report: Report) -> list[Cause]:
    """Root causes of the main path as a report shows them: like ones as one, the first first."""
    return [each for each in causes(report) if not each.aside and not each.settings]


def find(label: LabelledCause, report: Report, root: Path, top: int) -> Found | None:
    """The root cause that stands for a cause, if any has a site there.

    One of the first `top` of the path goes before the others of the path, and these before what is
    optional or off it; of equals one at the very place before one in the same function.
    """
    numbered = [
        *enumerate(needed(report), start=1),
        *((0, each) for each in causes(report) if each.aside or each.settings),
    ]
    places = [place_of(text) for text in label.places]
    found = [
        Found(cause, number, site, how)
        for number, cause in numbered
        for site in cause.sites
        if (how := _nearest(places, site, root))
    ]
    return min(
        found,
        key=lambda each: (
            not each.among(top),
            not each.number,
            each.how == "function",
            each.number,
        ),
        default=None,
    )


def _nearest(places: Sequence[Place], site: Location, root: Path) -> Nearness | None:
    """How a site belongs to the closest of some places."""
    found = {nearness(place, site, root) for place in places}
    ways: tuple[Nearness, ...] = ("line", "file", "function")
    return next((way for way in ways if way in found), None)


# --- what is scary, but no obstacle ---------------------------------------------------------------


class Alarm(Struct, frozen=True):
    """A finding of a grave root cause that counts on the main path, at a scary place.

    `shared`: it is at a place of a cause too, so the reader does see work there.
    """

    title: str
    place: str
    root: RootCause
    finding: Finding
    shared: bool


def alarms(label: Label, report: Report, severity: Severity) -> Iterator[Alarm]:
    """Where a scan says of what a reader calls optional that the path needs it: one per place."""
    chains = {each.path: each for each in report.chains if each.main}
    findings = {each.fingerprint: each for each in report.findings}
    biting = [
        (root, item)
        for root in report.roots
        if root.severity == severity and root.reach in ON_PATH
        for key in root.findings
        if (item := findings.get(key)) and counts(item, chains.get(item.path))
    ]
    worked = [place_of(text) for cause in label.cause for text in cause.places]
    for scary in label.scary:
        for text in scary.places:
            here = [
                Alarm(scary.title, text, root, item, any(stands_at(item, each) for each in worked))
                for root, item in biting
                if stands_at(item, place_of(text))
            ]
            if here:
                yield min(
                    here, key=lambda each: (each.shared, -SEVERITIES.index(each.finding.severity))
                )


def counts(finding: Finding, chain: Chain | None) -> bool:
    """Whether the main path runs a finding, and nothing on the way keeps it from doing so."""
    return (
        finding.suppressed is None
        and finding.reach in ON_PATH
        and finding.guard in OPEN
        and not (finding.guard_by and finding.guard_by.setting)
        and (chain is None or chain.guard in OPEN)
    )


# --- correlation ----------------------------------------------------------------------------------


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, the least first; equal values share the mean of their ranks."""
    number = Counter(values)
    return [sum(other < value for other in values) + (number[value] + 1) / 2 for value in values]


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's correlation, as Pearson's of ranks. None where one side has no order."""
    try:
        return correlation(ranks(one), ranks(other))
    except StatisticsError:
        return None


# --- all of them ----------------------------------------------------------------------------------


class Held(Struct, frozen=True):
    """A label, its place in the rank, and the report that is held against it."""

    label: Label
    place: float
    report: Report
    root: Path

    @property
    def main(self) -> EntryPoint | None:
        """The entry that the report takes for the main one."""
        return next((each for each in self.report.score.entry_points if each.main), None)


def check(label: Label, root: Path) -> None:
    """Insist that a clone is there, at the commit of its label where git can say so.

    Raises:
        SystemExit: it is not.
    """
    if not root.is_dir():
        raise SystemExit(f"{root}: not there; README says how to fetch it")
    if not (root / ".git").exists():
        return
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    if done.stdout.strip() != label.commit:
        raise SystemExit(f"{root}: at {done.stdout.strip()}, the label is of {label.commit}")


def scan(root: Path, output: Path, jobs: int) -> Report:
    """The report of a tree, made by the program as a user would start it."""
    command = [sys.executable, "-m", "portaudit", "scan", str(root), "--root", str(root)]
    command += ["--jobs", str(jobs), "--format", "json", "--output", str(output)]
    # Not in the checkout, nor in the tree: `-m` would prefer what lies there.
    subprocess.run(command, check=True, timeout=TIMEOUT, cwd=root.parent)  # noqa: S603
    return parse(output.read_bytes(), output.name)


def show(held: Sequence[Held], top: int) -> None:
    """Print all figures, and by name what disagrees."""
    _table(held)
    scored = [(each.report.score.value, each.place) for each in held]
    known = [(value, place) for value, place in scored if value is not None]
    rho = spearman([value for value, _ in known], [-place for _, place in known])
    figure = "none" if rho is None else f"{rho:.3f}"
    print(
        f"\nSpearman, score and rank of ease: {figure} ({len(known)} of {len(held)} with a score)"
    )
    verdicts = sum(each.report.score.verdict == each.label.difficulty.verdict for each in held)
    entries = sum(bool(each.main) and _entry(each) == each.label.main.entry for each in held)
    print(f"Verdict as labelled: {verdicts} of {len(held)}; main entry: {entries} of {len(held)}")
    for weight in ("blocker", "major"):
        _causes(held, weight, top)
    for severity in ("blocker", "major"):
        _alarms(held, severity)


def _table(held: Sequence[Held]) -> None:
    print("| repository | rank | score | verdict | labelled | days | labelled | entry | labelled |")
    print("|---|--:|--:|---|---|---|---|---|---|")
    for each in held:
        score, wanted = each.report.score, each.label.difficulty
        entry, main = _entry(each), each.label.main.entry
        cells = (
            each.label.repository,
            f"{each.place:g}",
            "none" if score.value is None else f"{score.value:.1f}",
            f"{score.verdict}{' (provisional)' if score.provisional else ''}",
            "the same" if score.verdict == wanted.verdict else wanted.verdict,
            _days(score.effort_days),
            _days(wanted.days),
            entry,
            "the same" if entry == main else main,
        )
        print("|", " | ".join(cells), "|")


def _entry(held: Held) -> str:
    return held.main.path if held.main else "none"


def _days(days: tuple[float, float]) -> str:
    return f"{days[0]:g} to {days[1]:g}"


def _causes(held: Sequence[Held], weight: Weight, top: int) -> None:
    asked = [(each, cause) for each in held for cause in each.label.cause if cause.weight == weight]
    rows = [(each, cause, find(cause, each.report, each.root, top)) for each, cause in asked]
    met = [found for *_, found in rows if found and found.among(top)]
    loose = sum(found.how == "function" for found in met)
    print(f"\nCauses of weight {weight} among the first {top} root causes: ", end="")
    print(f"{len(met)} of {len(rows)}, {loose} of them only by function")
    for each, cause, found in rows:
        good = found is not None and found.among(top)
        print(f"  {'found ' if good else 'MISSED'} {each.label.repository}: {cause.title}")
        print(f"         {_told(found, len(needed(each.report)))}")


def _told(found: Found | None, number: int) -> str:
    if found is None:
        return "no root cause has a site there"
    where = f"no. {found.number} of {number}"
    if not found.number:
        asked = ", ".join(found.cause.settings)
        where = f"optional ({asked})" if asked else "off the path"
    return (
        f"{where}: {found.cause.severity} {found.cause.rule} {found.cause.title!r}, "
        f"{found.site.path}:{found.site.line}, same {found.how}"
    )


def _alarms(held: Sequence[Held], severity: Severity) -> None:
    rows = [(each, alarm) for each in held for alarm in alarms(each.label, each.report, severity)]
    places = sum(len(scary.places) for each in held for scary in each.label.scary)
    hit = [(each, alarm) for each, alarm in rows if not alarm.shared]
    print(f"\nScary places with a root cause of severity {severity} that the path needs: ", end="")
    print(f"{len(hit)} of {places}, and {len(rows) - len(hit)} that are places of causes too")
    for each, alarm in rows:
        item, root = alarm.finding, alarm.root
        print(
            f"  {'cause too' if alarm.shared else 'ALARM'} {each.label.repository}: "
            f"{alarm.title} ({alarm.place})\n         {root.rule} {root.title!r}, "
            f"{item.path}:{item.span.line} {item.severity}, guard {item.guard}, "
            f"reach {item.reach}"
        )


def main() -> None:
    """Scan, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clones", type=Path, metavar="CLONES")
    parser.add_argument("--which", choices=tuple(SETS), required=True)
    parser.add_argument("--top", type=int, default=TOP, help="how many root causes are the first")
    parser.add_argument("--reports", type=Path, metavar="DIR", help="keep the reports there")
    parser.add_argument("--jobs", type=int, default=1, help="processes of a scan")
    given = parser.parse_args()
    clones = given.clones.resolve()
    labels = read_labels(given.which)
    for label, _ in labels:
        check(label, clones / label.folder)
    held = []
    with tempfile.TemporaryDirectory() as spare:
        reports = (given.reports or Path(spare)).resolve()
        reports.mkdir(parents=True, exist_ok=True)
        for label, place in labels:
            root = clones / label.folder
            print(f"{label.repository} …", file=sys.stderr, flush=True)
            report = scan(root, reports / f"{label.folder}.json", given.jobs)
            held.append(Held(label, place, report, root))
    show(held, given.top)


if __name__ == "__main__":
    main()
