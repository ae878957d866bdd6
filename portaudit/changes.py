"""Checks a change: what is new since a revision, or in what is staged for commit."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from portaudit import engine
from portaudit.check import compared, gated, held_in_zones, read
from portaudit.compare import merged, staged, whole
from portaudit.compare import since as changed_since
from portaudit.config import Config
from portaudit.engine import Progress
from portaudit.git import GitError
from portaudit.history import beside, reading_of
from portaudit.ruleset import Rules
from portaudit.run import Run, unsure
from portaudit.triage.baseline import Comparison
from portaudit.types import Finding, Report


def check_changes(
    config: Config,
    since: str | None,
    *,
    today: datetime.date,
    accepted: bool = True,
    scored: bool = False,
    rules: Rules | None = None,
    progress: Progress | None = None,
) -> Report:
    """The findings of a run with their state, where old is also what was there before a change.

    The change is that of the work tree since it left the revision `since`, or what is staged for
    commit. Only changed files are read, unless the report is to be `scored`: then all are, and the
    gate knows the score that the change began from. `rules` are those of the config.
    """
    rules = rules or Rules(config)
    sides = staged(config) if since is None else changed_since(config, since)
    side = sides.new
    if scored:
        side = whole(config, side.files)
    report = engine.scan(unsure(config), rules=rules, side=side, progress=progress)
    report = replace(report, notices=(*report.notices, *sides.notices))
    run = Run(config, rules, side, report)
    baseline = read(config) if accepted else None
    reading = reading_of(run, sides)
    known = compared(run, baseline, reading, today=today)
    changed = frozenset(sides.new.tree.selected)
    before, old = beside(run, sides, reading)
    old = held_in_zones(config, old)
    _refuse_unread(before, old, sides.renames)
    told = _either(known.findings, old.findings, changed)
    for parent in merged(config) if since is None else ():
        _, other = beside(run, parent, reading_of(run, parent))
        told = _either(told, other.findings, frozenset(parent.new.tree.selected))
    comparison = replace(known, findings=told, expired=())
    gate = gated(run, comparison, sides.against, baseline, changed=changed)
    if not scored or gate.gate is None:
        return gate
    began = engine.scan(unsure(config), rules=rules, side=whole(config, sides.old.files)).score
    return replace(gate, gate=replace(gate.gate, score_before=began.value))


def _refuse_unread(before: Report, told: Comparison, renames: Mapping[str, str]) -> None:
    """Stop where a changed file could not be read as it was: all in it would look new."""
    read = {finding.path for finding in before.findings}
    new = {finding.path for finding in told.findings if finding.state == "new"}
    for error in before.errors:
        if error.path not in read and renames.get(error.path, error.path) in new:
            raise GitError(f"{error.path}: what was there before {error.reason}")


def _either(
    known: Sequence[Finding], old: Sequence[Finding], changed: Collection[str]
) -> tuple[Finding, ...]:
    """Findings that the baseline does not accept, unless they were there before the change.

    Nobody accepted those.
    """
    before = {
        finding.fingerprint: finding
        if finding.state != "unchanged"
        else replace(finding, accepted=None)
        for finding in old
    }
    return tuple(
        finding
        if finding.state == "unchanged"
        else before[finding.fingerprint]
        if finding.path in changed
        else replace(finding, state="unchanged", accepted=None)
        for finding in known
    )
