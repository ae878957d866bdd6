"""Effort, score and verdict of a project: what the work is worth, as an estimate that says so.

Provisional: every root cause counts wherever it stands, as no file is yet known to lie on a
training path. `docs/scoring.md` gives the reasons for every number here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from portaudit.types import (
    SEVERITIES,
    Category,
    Effort,
    Finding,
    GuardState,
    Lost,
    RootCause,
    Score,
    Severity,
    Verdict,
)

EFFORT_DAYS: Mapping[Effort, tuple[float, float]] = {
    "trivial": (0.05, 0.25),
    "small": (0.25, 1.0),
    "medium": (1.0, 5.0),
    "large": (5.0, 20.0),
    "research": (15.0, 60.0),
}
"""Engineer-days for the first site of a root cause, low and high."""
FURTHER_SITE = 0.05
"""Share of the first site's effort that each further site adds: the decision is made once."""
MOST_SITES = 60
"""Sites beyond this many add nothing: by then the edit is scripted."""
GUARD_SHARE: Mapping[GuardState, float] = {
    "none": 1.0,
    "hard-fail": 1.0,
    "import-guarded": 0.5,
    "guarded": 0.5,
    "fallback": 0.0,
}
"""Share of the effort that a guarded site still needs."""
MOST_POINTS: Mapping[Severity, float] = {"info": 0.0, "minor": 20.0, "major": 30.0, "blocker": 50.0}
"""Points that root causes of at least a severity can cost together, at that level."""
FIRST_BLOCKER = 25.0
"""Points of the first unguarded blocker: more than all edits together."""
HALF_DAYS: Mapping[Severity, float] = {"info": 1.0, "minor": 5.0, "major": 15.0, "blocker": 40.0}
"""Days at which a severity has cost 63 % of its points."""

_KERNELS: frozenset[Category] = frozenset({"custom-cuda-ext", "cuda-source", "triton-kernel"})
_DESIGN: frozenset[Category] = frozenset({"streams-graphs", "dynamic-shape", "framework-patch"})
_VERDICTS: tuple[Verdict, ...] = (
    "ready",
    "edits only",
    "replace libraries",
    "write kernels",
    "redesign",
)


def effort(findings: Sequence[Finding]) -> tuple[float, float]:
    """Engineer-days, low and high, for one root cause with these findings."""
    shares = sorted((GUARD_SHARE[item.guard] for item in findings), reverse=True)[:MOST_SITES]
    if not shares or not shares[0]:
        return 0.0, 0.0
    low, high = max(EFFORT_DAYS[item.effort] for item in findings if GUARD_SHARE[item.guard])
    factor = shares[0] + FURTHER_SITE * sum(shares[1:])
    return round(low * factor, 2), round(high * factor, 2)


def assess(findings: Sequence[Finding], roots: Sequence[RootCause], *, torch: bool) -> Score:
    """The provisional score of a whole repository. Without torch there is none."""
    total = (
        round(sum(root.effort_days[0] for root in roots), 1),
        round(sum(root.effort_days[1] for root in roots), 1),
    )
    if not torch:
        return Score(None, "unknown", True, total)
    lost = _lost(roots)
    value = max(0.0, round(100.0 - sum(item.points for item in lost), 2))
    return Score(value, verdict(findings), True, total, tuple(lost))


def _lost(roots: Sequence[RootCause]) -> list[Lost]:
    """Points per root cause: each level saturates, the roots that reach it share by effort.

    A root counts at its own severity and at every lower one, so that a milder root never costs
    more than the same root did at a higher severity.
    """
    points: dict[str, float] = defaultdict(float)
    for level, severity in enumerate(SEVERITIES):
        group = [
            root
            for root in roots
            if root.effort_days[1] > 0 and SEVERITIES.index(root.severity) >= level
        ]
        if not group or not MOST_POINTS[severity]:
            continue
        days = sum(_middle(root) for root in group)
        floor = FIRST_BLOCKER if severity == "blocker" else 0.0
        rest = MOST_POINTS[severity] - floor
        total = floor + rest * (1.0 - math.exp(-days / HALF_DAYS[severity]))
        for root in group:
            if SEVERITIES.index(root.severity) > 0:
                points[root.id] += total * _middle(root) / days
    lost = [Lost(root, value) for root, value in _rounded(points).items()]
    return sorted(lost, key=lambda item: (-item.points, item.root))


def _rounded(points: Mapping[str, float]) -> dict[str, float]:
    """Points in hundredths that sum to the rounded sum: the largest remainders are rounded up."""
    cents = {root: math.floor(value * 100) for root, value in points.items()}
    missing = round(sum(points.values()) * 100) - sum(cents.values())
    by_remainder = sorted(points, key=lambda root: (cents[root] - points[root] * 100, root))
    for root in by_remainder[: max(0, missing)]:
        cents[root] += 1
    return {root: value / 100 for root, value in cents.items()}


def _middle(root: RootCause) -> float:
    low, high = root.effort_days
    return math.sqrt(max(low, 0.01) * high)


def verdict(findings: Sequence[Finding]) -> Verdict:
    """In words: the kind of work that the worst unguarded root cause asks for."""
    rank = 0
    for item in findings:
        if item.guard not in {"none", "hard-fail"} or item.confidence == "low":
            continue
        rank = max(rank, _kind(item))
    return _VERDICTS[rank]


def _kind(item: Finding) -> int:
    level = SEVERITIES.index(item.severity)
    if level == 0:
        return 0
    if level == 1:
        return 1
    if item.category in _DESIGN:
        return 4
    return 3 if item.category in _KERNELS else 2
