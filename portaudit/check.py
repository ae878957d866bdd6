"""Runs a check: scan, find out what is new, let the gate decide. Reads and writes the baseline."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from portaudit import __version__, discover, engine, score
from portaudit.catalogue.revision import revisions
from portaudit.catalogue.select import select_rules
from portaudit.compare import Sides, merged, old_report, staged
from portaudit.compare import since as changed_since
from portaudit.config import BASELINE_FILE, Config, GateSetting
from portaudit.engine import Progress, Rules, Side
from portaudit.files import Disk, Files, Overlay, exists
from portaudit.git import GitError, Repository
from portaudit.relate.project import roots
from portaudit.triage.baseline import (
    NO_TERMS,
    Baseline,
    BaselineError,
    Comparison,
    Reading,
    Terms,
    compare,
    parse,
    renew,
)
from portaudit.triage.gate import Override, Policy, failing, patterns
from portaudit.triage.matching import entry_of
from portaudit.types import Finding, Gate, Report, State

HEAD_LINES = '^ *"[a-z-]+": '
"""What lines of a baseline say which rules made it: none of its entries' does."""
ALL_STATES: frozenset[State] = frozenset({"new", "updated", "newly-covered"})
"""What a baseline may accept that it does not accept yet."""


class Run(Struct, frozen=True, dict=True):
    """One scan of one side, with all that the comparison needs to know of it."""

    config: Config
    rules: Rules
    side: Side
    report: Report

    @property
    def reading(self) -> Reading:
        """What was looked at."""
        tree = self.side.tree
        lost = {error.path for error in self.report.errors}
        return Reading(
            scanned=frozenset(tree.selected) - lost,
            there=lambda path: path in tree.kinds or exists(self.side.files, path),
            ran=self.rules.chosen.rules.keys(),
            whole=len(tree.selected) == len(tree.files),
        )

    @cached_property
    def revisions(self) -> dict[str, dict[str, str]]:
        """What the rules select, as digests."""
        return revisions(self.rules.everything, self.config.target)


def check(
    config: Config,
    *,
    today: datetime.date,
    accepted: bool = True,
    stdin: bytes | None = None,
    progress: Progress | None = None,
) -> Report:
    """Scan what a config names, with the state of every finding and the gate's decision.

    `today`: acceptance until an earlier date has ended · `accepted`: whether the baseline counts ·
    `stdin`: what the one path of the config is to hold. Raises `PortauditError` for what the user
    must mend.
    """
    run = scanned(config, stdin=stdin, progress=progress)
    baseline = read(config) if accepted else None
    comparison = compared(run, baseline, today=today)
    return gated(run, comparison, _accepted(config, baseline), baseline)


def check_changes(
    config: Config,
    since: str | None,
    *,
    today: datetime.date,
    accepted: bool = True,
    scored: bool = False,
    progress: Progress | None = None,
) -> Report:
    """The same, where old is also what was there before a change.

    The change is that of the work tree since it left the revision `since`, or what is staged for
    commit. Only changed files are read, unless the report is to be `scored`: then all are, and the
    gate knows the score that the change began from.
    """
    rules = engine.rules_of(config)
    sides = staged(config) if since is None else changed_since(config, since)
    side = sides.new
    if scored:
        everything = discover.walk(
            side.files, config.paths, config.exclude, forced=config.force_exclude
        )
        side = Side(side.files, everything)
    report = engine.scan(_unsure(config), rules=rules, side=side, progress=progress)
    run = Run(config, rules, side, report)
    baseline = read(config) if accepted else None
    known = compared(run, baseline, today=today)
    changed = frozenset(sides.new.tree.selected)
    before, old = _beside(run, sides)
    old = _held_in_zones(config, old)
    _refuse_unread(before, old, sides.renames)
    told = _either(known.findings, old.findings, changed)
    for parent in merged(config) if since is None else ():
        _, beside = _beside(run, parent)
        told = _either(told, beside.findings, frozenset(parent.new.tree.selected))
    comparison = replace(known, findings=told, expired=())
    gate = gated(run, comparison, sides.against, baseline)
    if not scored or gate.gate is None:
        return gate
    rest = [finding for finding in report.findings if finding.path not in changed]
    began = _score([*rest, *before.findings], rules) if report.score.value is not None else None
    return replace(gate, gate=replace(gate.gate, score_before=began))


def _beside(run: Run, sides: Sides) -> tuple[Report, Comparison]:
    """What an older side has, and the state beside it of the findings in files that differ."""
    before = old_report(run.config, run.rules, sides)
    changed = frozenset(sides.new.tree.selected)
    told = compare(
        (finding for finding in run.report.findings if finding.path in changed),
        (entry_of(finding) for finding in before.findings),
        replace(run.reading, renamed=sides.renames),
        today=datetime.date.min,  # what code was has no end date
    )
    return before, told


def _score(findings: Iterable[Finding], rules: Rules) -> float | None:
    counted = [finding for finding in findings if finding.suppressed is None]
    return score.assess(counted, roots(counted, rules.everything.rules), torch=True).value


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
    """Findings that the baseline does not accept, unless they were there before the change."""
    before = {finding.fingerprint: finding for finding in old}
    return tuple(
        finding
        if finding.state == "unchanged"
        else before[finding.fingerprint]
        if finding.path in changed
        else replace(finding, state="unchanged")
        for finding in known
    )


def scanned(config: Config, *, stdin: bytes | None = None, progress: Progress | None = None) -> Run:
    """Scan what a config names, sure or not: how sure matters to the gate alone."""
    rules = engine.rules_of(config)
    files: Files = Disk(config.root)
    if stdin is not None:
        files = Overlay(files, {discover.relative(config.root, config.paths[0]): stdin})
    side = Side(
        files, discover.walk(files, config.paths, config.exclude, forced=config.force_exclude)
    )
    report = engine.scan(_unsure(config), rules=rules, side=side, progress=progress)
    return Run(config, rules, side, report)


def _unsure(config: Config) -> Config:
    """The same run with findings of every confidence, lest one that becomes surer looks new."""
    return replace(config, min_confidence="low")


def compared(run: Run, baseline: Baseline | None, *, today: datetime.date) -> Comparison:
    """The findings of a run with their state."""
    if baseline is None:
        return compare(run.report.findings, (), run.reading, today=today)
    comparison = compare(
        run.report.findings,
        baseline.entries,
        run.reading,
        today=today,
        changed=_changed(run, baseline),
        was_there=_Before(run),
    )
    return _held_in_zones(run.config, comparison)


def _held_in_zones(config: Config, comparison: Comparison) -> Comparison:
    """Code that left an adapter zone is new: only the zone allowed it."""
    zones = patterns(config.adapter_zones)
    if zones is None:
        return comparison
    findings = tuple(
        replace(finding, state="new")
        if (entry := finding.accepted) is not None
        and zones.match_file(entry.path)
        and not zones.match_file(finding.path)
        else finding
        for finding in comparison.findings
    )
    return replace(comparison, findings=findings)


class _Before:
    """Answers whether code was there, as grave, when the baseline got its rules, if git can tell.

    Where it cannot (no repository, a shallow clone, a baseline that was never committed), code
    counts as old: an upgrade of portaudit must not turn it red.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, finding: Finding) -> bool:
        return self._new is None or finding.fingerprint not in self._new

    @cached_property
    def _new(self) -> frozenset[str] | None:
        """Findings that the commit of the baseline's rules does not have, or has less grave."""
        run, place = self._run, place_of(self._run.config)
        if not place.is_relative_to(run.config.root):
            return None
        try:
            repository = Repository.at(run.config.root)
            inner = place.relative_to(run.config.root).as_posix()
            commit = repository.last_change(inner, lines=HEAD_LINES)
            if commit is None:
                return None
            sides = changed_since(run.config, commit)
        except GitError:
            return None
        _, told = _beside(run, sides)
        return frozenset(item.fingerprint for item in told.findings if item.state != "unchanged")


def gated(run: Run, comparison: Comparison, against: str, baseline: Baseline | None) -> Report:
    """The report of a run with states and the gate's decision."""
    policy = policy_of(run.config, run.rules)
    fails = failing(comparison.findings, policy)
    gate = Gate(
        passed=not fails,
        against=against,
        fail_on=policy.fail_on,
        min_confidence=policy.min_confidence,
        failing=tuple(finding.fingerprint for finding in fails),
        gone=comparison.gone,
        expired=comparison.expired,
        outdated=baseline is not None and bool(_changed(run, baseline)),
        baseline="" if baseline is None else _named(run.config),
    )
    return replace(run.report, findings=comparison.findings, gate=gate)


def policy_of(config: Config, rules: Rules) -> Policy:
    """The gate that a config asks for. Raises `UsageError` for a word that names no rule."""
    decided = dict(config.origins)
    usual = Policy()
    return Policy(
        config.fail_on if "fail_on" in decided else usual.fail_on,
        config.min_confidence if "min_confidence" in decided else usual.min_confidence,
        patterns(config.adapter_zones),
        tuple(_override(setting, rules) for setting in config.gate),
    )


def _override(setting: GateSetting, rules: Rules) -> Override:
    known = rules.everything.rules
    return Override(
        patterns(setting.paths),
        frozenset(select_rules(known, select=setting.rules)) if setting.rules else None,
        None if setting.fail_on == "none" else setting.fail_on,
        setting.min_confidence,
        off=setting.fail_on == "none",
    )


# --- the baseline ---------------------------------------------------------------------------------


def place_of(config: Config) -> Path:
    """Where the baseline is, or would be."""
    return config.baseline or config.root / BASELINE_FILE


def read(config: Config) -> Baseline | None:
    """The baseline of a config; `None` where none was asked for and none is at the root.

    Raises `BaselineError` for one that cannot be read, or is for another target.
    """
    place = place_of(config)
    try:
        content = place.read_bytes()
    except FileNotFoundError:
        if config.baseline is None:
            return None
        raise BaselineError(
            f"{place}: there is no such baseline; `portaudit baseline create` makes one"
        ) from None
    except OSError as error:
        raise BaselineError(f"{place}: cannot be read: {error.strerror or error}") from error
    baseline = parse(content, _named(config))
    if baseline.target != config.target:
        raise BaselineError(
            f"{_named(config)} is for the target {baseline.target}, this run for {config.target}: "
            f"give --target {baseline.target}, or another file with --baseline"
        )
    return baseline


def renewed(
    run: Run,
    baseline: Baseline | None,
    comparison: Comparison,
    states: Collection[State],
    terms: Terms = NO_TERMS,
) -> tuple[Baseline, tuple[Finding, ...]]:
    """A baseline brought up to date, and the findings that it newly accepts.

    It is one of today's rules only where they looked at everything: else old code that they see
    and the old ones did not would be new.
    """
    renewal = renew(comparison, states, terms)
    whole = run.config.paths == (run.config.root,) and "newly-covered" in states
    if baseline is None or whole:
        baseline = Baseline(run.config.target, __version__, _revised(run, baseline))
    return replace(baseline, entries=renewal.entries), renewal.newly


def _revised(run: Run, baseline: Baseline | None) -> dict[str, dict[str, str]]:
    """Today's digests of the rules that were run, and what is still true of the others."""
    old = baseline.rules if baseline is not None and baseline.tool == __version__ else {}
    ran = run.rules.chosen.rules
    kept: dict[str, dict[str, str]] = {}
    for category, ids in run.revisions.items():
        before = old.get(category, {})
        known = {key: digest if key in ran else before.get(key) for key, digest in ids.items()}
        told = {key: digest for key, digest in known.items() if digest is not None}
        if told:
            kept[category] = told
    return kept


def _accepted(config: Config, baseline: Baseline | None) -> str:
    """What a run is held against, in words."""
    if baseline is None:
        return "nothing: no finding is accepted"
    number = sum(entry.count for entry in baseline.entries)
    return f"{number:,} accepted in {_named(config)}"


def _named(config: Config) -> str:
    """The baseline as messages call it."""
    place = place_of(config)
    inside = place.is_relative_to(config.root)
    return (place.relative_to(config.root) if inside else place).as_posix()


def _changed(run: Run, baseline: Baseline) -> frozenset[str]:
    return baseline.changed(__version__, run.revisions)
