"""Runs a check: scan, find out what is new, let the gate decide. Reads and writes the baseline."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial

from msgspec.structs import replace

from portaudit import __version__
from portaudit.audit import Progress
from portaudit.catalogue.select import select_rules
from portaudit.config import COMMAND_LINE, Config, GateSetting
from portaudit.files import own
from portaudit.ruleset import Rules
from portaudit.run import Run, place_of, scanned
from portaudit.triage.baseline import (
    LARGEST,
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
from portaudit.triage.gate import Override, Policy, failing, patterns, unjudged
from portaudit.types import Finding, Gate, Report, State

ALL_STATES: frozenset[State] = frozenset({"new", "updated", "newly-covered"})
"""What a baseline may accept that it does not accept yet."""


def check(
    config: Config,
    *,
    today: datetime.date,
    accepted: bool = True,
    rules: Rules | None = None,
    stdin: bytes | None = None,
    progress: Progress | None = None,
) -> Report:
    """Scan what a config names, with the state of every finding and the gate's decision.

    `today`: acceptance until an earlier date has ended · `accepted`: whether the baseline counts ·
    `rules`: those of the config · `stdin`: what the one path of the config is to hold. Raises
    `PortauditError` for what the user must mend.
    """
    run = scanned(config, rules=rules, stdin=stdin, progress=progress)
    baseline = read(config) if accepted else None
    comparison = compared(run, baseline, today=today)
    return gated(run, comparison, _accepted(config, baseline), baseline)


def compared(
    run: Run, baseline: Baseline | None, reading: Reading | None = None, *, today: datetime.date
) -> Comparison:
    """The findings of a run with their state; over the work tree unless said otherwise."""
    reading = reading or replace(run.reading, moves=partial(_moves, run.config))
    if baseline is None:
        return compare(run.report.findings, (), reading, today=today)
    comparison = compare(
        run.report.findings,
        baseline.entries,
        reading,
        today=today,
        changed=_changed(run, baseline),
        was_there=_before(run),
    )
    return held_in_zones(run.config, comparison)


def _moves(config: Config) -> Mapping[str, str]:
    from portaudit.history import moves  # noqa: PLC0415 - most runs need nothing of git

    return moves(config)


def _before(run: Run) -> Callable[[Finding], bool]:
    @cache
    def answers() -> Callable[[Finding], bool]:
        from portaudit.history import Before  # noqa: PLC0415

        return Before(run)

    def was_there(finding: Finding) -> bool:
        return answers()(finding)

    return was_there


def held_in_zones(config: Config, comparison: Comparison) -> Comparison:
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


def gated(
    run: Run,
    comparison: Comparison,
    against: str,
    baseline: Baseline | None,
    *,
    changed: Collection[str] | None = None,
) -> Report:
    """The report of a run with states and the gate's decision.

    `changed`: the files that a change wrote, if it is one that is judged.
    """
    policy = policy_of(run.config, run.rules)
    fails = failing(comparison.findings, policy)
    errors = run.report.errors
    cut = unjudged((each for each in errors if changed is None or each.path in changed), policy)
    gate = Gate(
        passed=not (fails or cut),
        against=against,
        fail_on=policy.fail_on,
        min_confidence=policy.min_confidence,
        failing=tuple(finding.fingerprint for finding in fails),
        gone=comparison.gone,
        expired=comparison.expired,
        outdated=baseline is not None and bool(_changed(run, baseline)),
        baseline="" if baseline is None else _named(run.config),
        change=changed is not None,
        unjudged=cut,
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


def read(config: Config) -> Baseline | None:
    """The baseline of a config; `None` where none was asked for and none is at the root.

    Raises `BaselineError` for one that cannot be read, or is for another target.
    """
    place = place_of(config)
    try:
        said = dict(config.origins).get("baseline") == COMMAND_LINE
        if said:
            with place.open("rb") as file:
                content = file.read(LARGEST + 1)
        else:
            content = own(place, config.root, LARGEST)
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
