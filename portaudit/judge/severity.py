"""Severity after judging: what the target says, what the guard takes away."""

from __future__ import annotations

from portaudit.catalogue.schema import Rule, TargetFact, WhenGuarded
from portaudit.types import SEVERITIES, UNGUARDED, GuardState, Severity


def intrinsic(rule: Rule, fact: TargetFact, row: Severity | None) -> Severity | None:
    """What the line costs if it must run on the target; None when it costs nothing there."""
    if not fact.report:
        return None
    severity = fact.severity or row or rule.severity
    if rule.reason == "status":
        if fact.status == "supported":
            return None
        if fact.status == "undocumented" or fact.evidence in {"inferred", "prerelease"}:
            return "info"
    return severity


def effective(severity: Severity, guard: GuardState, when_guarded: WhenGuarded) -> Severity | None:
    """Severity less what the guard takes away; None when the rule drops guarded places."""
    if guard in UNGUARDED:
        return severity
    if when_guarded == "keep":
        return severity
    if when_guarded == "drop":
        return None
    if guard == "fallback":
        return "info"
    return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)]
