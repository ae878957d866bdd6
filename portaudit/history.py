"""What git knows of code that was there before: the older side of a comparison, and renames."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cached_property

from msgspec.structs import replace

from portaudit.compare import Sides, moves_since, old_report, since, touched
from portaudit.config import Config
from portaudit.git import GitError, Repository
from portaudit.run import Run, place_of
from portaudit.triage.baseline import Comparison, Reading, compare
from portaudit.triage.matching import entry_of
from portaudit.types import Finding, Report

HEAD_LINES = '^ *"[a-z-]+": '
"""What lines of a baseline say which rules made it: none of its entries' does."""


def reading_of(run: Run, sides: Sides) -> Reading:
    """What was looked at, with what is known of a change."""
    return replace(run.reading, renamed=sides.renames, touched=touched(sides))


def beside(run: Run, sides: Sides, reading: Reading) -> tuple[Report, Comparison]:
    """What an older side has, and the state beside it of the findings in files that differ."""
    before = old_report(run.config, run.rules, sides)
    changed = frozenset(sides.new.tree.selected)
    told = compare(
        (finding for finding in run.report.findings if finding.path in changed),
        # What a comment accepted gives no entry to what none accepts.
        (entry_of(finding) for finding in before.findings if finding.suppressed is None),
        reading,
        today=datetime.date.min,  # what code was has no end date
    )
    return before, told


def moves(config: Config) -> Mapping[str, str]:
    """Where files went since the commit of the baseline, if git can tell."""
    try:
        commit = _commit_of_baseline(config)
        return {} if commit is None else moves_since(config, commit)
    except GitError:
        return {}


def _commit_of_baseline(config: Config, *, lines: str = "") -> str | None:
    """The last commit that changed the baseline, or such lines of it. Raises `GitError`."""
    place = place_of(config)
    if not place.is_relative_to(config.root):
        return None
    inner = place.relative_to(config.root).as_posix()
    return Repository.at(config.root).last_change(inner, lines=lines)


class Before:
    """Answers whether code was there, as grave, when the baseline got its rules, if git can tell.

    Where it cannot (no repository, a shallow clone, a baseline that was never committed), code
    counts as old: an upgrade of portaudit must not turn it red.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, finding: Finding) -> bool:
        """Whether a finding is one of code that was there."""
        return self._new is None or finding.fingerprint not in self._new

    @cached_property
    def _new(self) -> frozenset[str] | None:
        """Findings that the commit of the baseline's rules does not have, or has less grave."""
        run = self._run
        try:
            commit = _commit_of_baseline(run.config, lines=HEAD_LINES)
            if commit is None:
                return None
            sides = since(run.config, commit)
        except GitError:
            return None
        _, told = beside(run, sides, reading_of(run, sides))
        return frozenset(item.fingerprint for item in told.findings if item.state != "unchanged")
