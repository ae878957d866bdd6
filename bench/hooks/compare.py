"""Hold portaudit's gate against checks for CUDA that projects wrote for themselves.

    python bench/hooks/compare.py CLONES [--reports DIR] [--list NAME]

CLONES holds one directory per project, named as in `checks.py`; those that are missing are left
out. Each project's own check runs over the files that it is meant for, and over those that its
settings exempt; its logic is loaded from the clone and not changed. Then portaudit scans the clone,
and both are held against each other, statement by statement. `--reports` keeps the scans;
`--list NAME` prints every place of one project with what each side makes of it.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from checks import CHECKS, Check, Place

SEVERITIES = ("info", "minor", "major", "blocker")
TIMEOUT = 3600
Theirs = Literal["both", "comment or text", "guarded", "information", "unsure", "without a finding"]
ORDER: tuple[Theirs, ...] = (
    "both",
    "guarded",
    "information",
    "unsure",
    "comment or text",
    "without a finding",
)
SAME_KIND = {
    "amp",
    "device-api",
    "device-string",
    "distributed",
    "memory-api",
    "rng",
    "streams-graphs",
}
"""Categories of what such checks look for: names of devices and calls on them."""


@dataclass(frozen=True)
class Found:
    """A finding, as far as the gate cares."""

    path: str
    first: int
    last: int
    rule: str
    category: str
    severity: str
    effective: str
    confidence: str
    guard: str
    snippet: str

    @property
    def fails(self) -> bool:
        """Whether a gate with its defaults would fail if this were new."""
        return at_least_minor(self.effective) and self.confidence != "low"

    @property
    def named(self) -> bool:
        """Whether a gate fails that is set to any mention of a device (docs/ci.md)."""
        return self.category in SAME_KIND and self.confidence != "low"

    def covers(self, place: Place) -> bool:
        """Whether a place stands in the statement of the finding."""
        return self.path == place.path and self.first <= place.line <= self.last


@dataclass(frozen=True)
class Outcome:
    """What both sides make of one project."""

    check: Check
    files: frozenset[str]
    exempt: frozenset[str]
    theirs: tuple[tuple[Place, Theirs], ...]
    ours: tuple[Found, ...]
    outside: tuple[Found, ...]
    strict: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clones", type=Path)
    parser.add_argument("--reports", type=Path)
    parser.add_argument("--list", dest="listed", metavar="NAME", default="")
    options = parser.parse_args()
    outcomes = [
        compare(check, options.clones / check.name, options.reports)
        for check in CHECKS
        if (options.clones / check.name).is_dir() and options.listed in ("", check.name)
    ]
    for outcome in outcomes:
        if options.listed:
            print("\n".join(rows(outcome)))
    if not options.listed:
        print("\n".join(tables(outcomes)))


def compare(check: Check, clone: Path, reports: Path | None) -> Outcome:
    """Run a project's check and portaudit over its clone."""
    clone = clone.absolute()
    files, exempt = check.scope(clone)
    places = sorted(check.run(clone, sorted(files | exempt)))
    findings = scan(clone, reports / f"{check.name}.json" if reports else None, check.scanned)
    by_file: dict[str, list[Found]] = {}
    for found in findings:
        by_file.setdefault(found.path, []).append(found)
    texts = {path: written(clone / path) for path in {place.path for place in places}}
    theirs = [
        (place, judged(place, by_file.get(place.path, []), texts[place.path])) for place in places
    ]
    failing = [found for found in findings if found.fails]
    ours = [
        found
        for found in failing
        if found.path in files | exempt and not any(found.covers(place) for place in places)
    ]
    outside = [found for found in failing if found.path not in files | exempt]
    strict = sum(
        any(found.covers(place) and found.named for found in by_file.get(place.path, []))
        for place in places
    )
    return Outcome(check, files, exempt, tuple(theirs), tuple(ours), tuple(outside), strict)


def judged(place: Place, findings: list[Found], texts: frozenset[int]) -> Theirs:
    """What portaudit makes of a place that a project's check reports."""
    here = [found for found in findings if found.covers(place)]
    if any(found.fails for found in here):
        return "both"
    if not here:
        return "comment or text" if place.line in texts else "without a finding"
    if any(at_least_minor(found.effective) for found in here):
        return "unsure"
    if any(at_least_minor(found.severity) for found in here):
        return "guarded"
    return "information"


def at_least_minor(severity: str) -> bool:
    """Whether a gate with its defaults cares."""
    return SEVERITIES.index(severity) >= SEVERITIES.index("minor")


def scan(clone: Path, report: Path | None, scanned: str) -> list[Found]:
    """The findings of a clone, those of files outside `scanned` left out."""
    if report is None or not report.exists():
        command = [sys.executable, "-m", "portaudit", "scan", str(clone / scanned), "--quiet"]
        command += ["--root", str(clone), "--format", "json", "--output"]
        report = report or clone.parent / f"{clone.name}.report.json"
        report.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*command, str(report)], check=True, timeout=TIMEOUT)  # noqa: S603
    items = json.loads(report.read_text(encoding="utf-8"))["findings"]
    return [_found(item) for item in items if item["suppressed"] is None]


def _found(item: dict[str, Any]) -> Found:
    first, last = item["lines"]
    return Found(
        path=item["path"],
        first=first,
        last=last,
        rule=item["rule"],
        category=item["category"],
        severity=item["severity"],
        effective=item["effective_severity"],
        confidence=item["confidence"],
        guard=item["guard"],
        snippet=item["snippet"],
    )


def written(file: Path) -> frozenset[int]:
    """Lines of which a comment or a string holds all that names CUDA; every line of prose."""
    text = file.read_text(encoding="utf-8", errors="replace")
    lines = frozenset(range(1, text.count("\n") + 2))
    if file.suffix in {".md", ".rst", ".txt", ".html"}:
        return lines
    if file.suffix != ".py":
        return frozenset()
    named = {
        token.start[0]
        for token in tokens(text)
        if token.type == tokenize.NAME and ("cuda" in token.string.lower())
    }
    named |= {
        token.start[0]
        for token in tokens(text)
        if token.type == tokenize.STRING
        and "\n" not in token.string
        and token.string.strip("\"'").startswith("cuda")
    }
    return lines - named


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of Python source, as far as it has any."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):
        return


def tables(outcomes: list[Outcome]) -> Iterator[str]:
    """The figures, as Markdown."""
    columns = ["files", "exempt", "theirs", "in exempt", *ORDER, "strict"]
    columns += ["only ours: same kind", "other", "in exempt", "elsewhere"]
    yield "| project | " + " | ".join(columns) + " |"
    yield "|---|" + "--:|" * len(columns)
    for outcome in outcomes:
        kinds = Counter(kind for _, kind in outcome.theirs)
        inside = sum(place.path in outcome.exempt for place, _ in outcome.theirs)
        ours = [found for found in outcome.ours if found.path in outcome.files]
        same = sum(found.category in SAME_KIND for found in ours)
        cells = [len(outcome.files), len(outcome.exempt), len(outcome.theirs), inside]
        cells += [*(kinds[kind] for kind in ORDER), outcome.strict]
        cells += [same, len(ours) - same, len(outcome.ours) - len(ours), len(outcome.outside)]
        yield f"| {outcome.check.name} | " + " | ".join(map(str, cells)) + " |"
    yield ""
    yield "| project | only ours, by rule |"
    yield "|---|---|"
    for outcome in outcomes:
        rules = Counter(found.rule for found in outcome.ours).most_common(12)
        counted = ", ".join(f"{rule} {number}" for rule, number in rules)
        yield f"| {outcome.check.name} | {counted} |"


def rows(outcome: Outcome) -> Iterator[str]:
    """Every place, one a line: side, place, what it is, text."""
    for place, kind in outcome.theirs:
        exempt = "exempt" if place.path in outcome.exempt else ""
        yield "\t".join(["theirs", kind, exempt, f"{place.path}:{place.line}", place.text.strip()])
    for side, some in (("ours", outcome.ours), ("outside", outcome.outside)):
        for found in some:
            exempt = "exempt" if found.path in outcome.exempt else ""
            what = f"{found.rule} {found.effective} {found.confidence} {found.guard}"
            yield "\t".join([side, what, exempt, f"{found.path}:{found.first}", found.snippet])


if __name__ == "__main__":
    main()
