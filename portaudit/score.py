"""Effort, score and verdict of a project: what the work is worth, as an estimate that says so.

What counts is what lies on the way of a program, and what nobody can tell of. Where no path is
known the score is provisional: everything counts. `docs/scoring.md` explains it; the numbers and
their reasons are in `rules/_data/assumptions.toml`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from portaudit.catalogue.assumptions import Assumptions, standard
from portaudit.catalogue.work import asks
from portaudit.types import (
    SEVERITIES,
    UNGUARDED,
    Chain,
    Finding,
    Gain,
    GuardState,
    Lost,
    RootCause,
    Score,
    Severity,
    Verdict,
)

VERDICTS: tuple[Verdict, ...] = (
    "ready",
    "edits only",
    "replace libraries",
    "write kernels",
    "redesign",
)
"""From the least work to the most."""
MOST_GAINS = 10
"""Steps that are told of what would raise a score."""
_LEVELS = SEVERITIES[1:]
"""Severities that cost points: information costs nothing, it runs."""
_OPTIONAL: frozenset[GuardState] = frozenset({"guarded", "fallback", "import-guarded"})


class Way(Struct, frozen=True):
    """The way of a program: what decides whether it comes to a place.

    `guards`: of the main training path, by file, what holds for all that lies behind it;
    `settings`: the setting that it is left off by, where it is one · `found`: of another program,
    the guard by the fingerprint of each finding that it comes to. Without either all counts.
    """

    guards: Mapping[str, GuardState] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, GuardState] | None = None
    assumptions: Assumptions = field(default_factory=standard)

    @property
    def is_known(self) -> bool:
        """Whether anybody knows the way."""
        return self.guards is not None or self.found is not None

    def counts(self, finding: Finding) -> bool:
        """Whether the way leads to a finding, as far as anybody can tell."""
        if self.found is not None:
            return finding.reach is None or finding.fingerprint in self.found
        return self.guards is None or finding.reach in {"main", None}

    def setting(self, finding: Finding) -> str:
        """What a place waits for because the way leaves it off, empty if there is nothing.

        Of other programs than the main one nobody knows what they set.
        """
        if self.guards is None:
            return ""
        by = finding.guard_by
        own = by.setting if by and finding.guard in _OPTIONAL else ""
        on_way = self.settings.get(finding.path, "")
        return own or (on_way if self.guard(finding) in _OPTIONAL else "")

    def share(self, finding: Finding) -> float:
        """The part of a finding's effort that the way needs."""
        if not self.counts(finding):
            return 0.0
        share = min(
            self.assumptions.guard(finding.guard), self.assumptions.guard(self.guard(finding))
        )
        return min(share, self.assumptions.off) if self.setting(finding) else share

    def weight(self, finding: Finding) -> Severity:
        """The severity at which a finding costs points: what only asks for an edit is no blocker.

        What has to be made first is there already then, however surely the run ends without it.
        """
        severity = self.severity(finding)
        if severity == "blocker" and asked(finding) == "edits only":
            return "major"
        return severity

    def severity(self, finding: Finding) -> Severity:
        """The effective severity of a finding on the way."""
        share = self.share(finding)
        if not share and (self.setting(finding) or self.assumptions.guard(finding.guard)):
            return "info"
        if share >= self.assumptions.guard(finding.guard):
            return finding.effective_severity
        return SEVERITIES[max(0, SEVERITIES.index(finding.effective_severity) - 1)]

    def needs(self, finding: Finding) -> bool:
        """Whether nothing guards a finding, itself or on the way."""
        return (
            self.counts(finding)
            and finding.guard in UNGUARDED
            and self.guard(finding) in UNGUARDED
            and not self.setting(finding)
        )

    def guard(self, finding: Finding) -> GuardState:
        """What decides on the way to a finding whether the program comes there."""
        if self.found is not None:
            return self.found.get(finding.fingerprint, "none")
        return (self.guards or {}).get(finding.path, "none")


def main_way(chains: Iterable[Chain], assumptions: Assumptions) -> Way:
    """The main training path, by how it comes to the files of the tree."""
    main = [chain for chain in chains if chain.main]
    return Way(
        {chain.path: chain.guard for chain in main},
        {chain.path: chain.guard_by.setting for chain in main if chain.guard_by},
        assumptions=assumptions,
    )


class Piece(Struct, frozen=True):
    """What a root cause costs on one way: all that a score asks of it.

    `severity`: that of its points, `Way.weight` of its gravest place.
    """

    id: str
    severity: Severity
    effort_days: tuple[float, float]

    @property
    def middle(self) -> float:
        """One number for the range: the geometric mean, as its ends are a ratio apart."""
        low, high = self.effort_days
        return math.sqrt(max(low, 0.01) * high)


def effort(findings: Sequence[Finding], way: Way | None = None) -> tuple[float, float]:
    """Engineer-days, low and high, for one root cause with these findings.

    The dearest place counts in full, each further one by a small part of what it would take alone,
    and no more than an edit; of several kernels each by a larger part, as each is written, but none
    twice.
    """
    way = way or Way()
    counted = [(item, share) for item in findings if (share := way.share(item))]
    return _total(counted, 0, way.assumptions), _total(counted, 1, way.assumptions)


def _total(counted: Iterable[tuple[Finding, float]], end: int, taken: Assumptions) -> float:
    """The effort of places with their shares, at one end of the range."""
    dearest: list[float] = []
    further: list[float] = []
    written: set[str] = set()
    edit = taken.days("trivial")[end]
    places = ((taken.days(item.effort)[end], share, item) for item, share in counted)
    for days, share, item in sorted(places, key=lambda place: -place[0] * place[1]):
        is_new = bool(item.kernel) and not item.portable and item.kernel not in written
        if is_new:
            written.add(item.kernel)
        if is_new or not dearest:
            dearest.append(days * share)
        else:
            further.append(min(taken.further_site * days, edit) * share)
    if not dearest:
        return 0.0
    first, *kernels = dearest
    further.sort(reverse=True)
    return round(
        first + taken.further_kernel * sum(kernels) + sum(further[: taken.most_sites - 1]), 2
    )


def assess(
    findings: Sequence[Finding],
    roots: Sequence[RootCause],
    *,
    torch: bool,
    way: Way | None = None,
) -> Score:
    """The score of the main training path, or provisionally of all code. Without torch: none."""
    way = way or Way()
    weights = weights_of(findings, way)
    counted = [
        Piece(root.id, weights.get(root.id, root.severity), root.effort_days)
        for root in roots
        if not way.is_known or root.reach in {"main", None}
    ]
    days = effort_of(counted)
    changed = way.assumptions.changed
    if not torch:
        return Score(None, "unknown", not way.is_known, days, assumptions=changed)
    return Score(
        value(counted, way.assumptions),
        verdict(findings, way),
        not way.is_known,
        days,
        tuple(_lost(counted, way.assumptions)),
        gains=gains(counted, way.assumptions),
        assumptions=changed,
    )


def weights_of(findings: Iterable[Finding], way: Way) -> Mapping[str, Severity]:
    """The severities at which root causes cost points, by the findings that a way leads to."""
    found: dict[str, Severity] = {}
    for item in findings:
        known = found.get(item.root, "info")
        found[item.root] = max(known, way.weight(item), key=SEVERITIES.index)
    return found


def effort_of(pieces: Iterable[Piece]) -> tuple[float, float]:
    """Engineer-days of several pieces of work, each on its own."""
    days = [piece.effort_days for piece in pieces]
    low, high = (sum((each[end] for each in days), 0.0) for end in (0, 1))
    return round(low, 1), round(high, 1)


def value(pieces: Sequence[Piece], assumptions: Assumptions) -> float:
    """The score, from 0 to 100, of a way with these pieces of work."""
    lost = sum(round(item.points * 100) for item in _lost(pieces, assumptions))
    return max(0.0, round((10_000 - lost) / 100, 2))


def _lost(pieces: Sequence[Piece], assumptions: Assumptions) -> list[Lost]:
    """Points per root cause: each level saturates, the roots that reach it share by effort.

    A root counts at its own severity and at every lower one, so that a milder root never costs
    more than the same root did at a higher severity.
    """
    points: dict[str, float] = defaultdict(float)
    for severity in _LEVELS:
        group = [piece for piece in pieces if _reaches(piece, severity)]
        days = sum(piece.middle for piece in group)
        total = _points(days, len(group), severity, assumptions)
        for piece in group:
            points[piece.id] += total * piece.middle / days
    lost = [Lost(root, points) for root, points in _rounded(points).items()]
    return sorted(lost, key=lambda item: (-item.points, item.root))


def _reaches(piece: Piece, severity: Severity) -> bool:
    return piece.effort_days[1] > 0 and (
        SEVERITIES.index(piece.severity) >= SEVERITIES.index(severity)
    )


def _points(days: float, roots: int, severity: Severity, assumptions: Assumptions) -> float:
    """What so many root causes of a level cost together."""
    if not roots:
        return 0.0
    floor = assumptions.floor(severity)
    rest = assumptions.points(severity) - floor
    return floor + rest * (1.0 - math.exp(-days / assumptions.scale(severity)))


def _rounded(points: Mapping[str, float]) -> dict[str, float]:
    """Points in hundredths that sum to the rounded sum: the largest remainders are rounded up."""
    cents = {root: math.floor(value * 100) for root, value in points.items()}
    missing = round(sum(points.values()) * 100) - sum(cents.values())
    by_remainder = sorted(points, key=lambda root: (cents[root] - points[root] * 100, root))
    for root in by_remainder[: max(0, missing)]:
        cents[root] += 1
    return {root: value / 100 for root, value in cents.items()}


# --- what would raise it --------------------------------------------------------------------------


def gains(pieces: Sequence[Piece], assumptions: Assumptions) -> tuple[Gain, ...]:
    """What would raise a score most: at each step the root cause whose repair gains most then.

    Of several that gain the same, the cheapest. It ends where nothing is gained.
    """
    left = {piece.id: piece for piece in pieces if _reaches(piece, "minor")}
    found: list[Gain] = []
    now = value([*left.values()], assumptions)
    while left and len(found) < MOST_GAINS:
        sums = [
            (sum(piece.middle for piece in group), len(group), severity)
            for severity in _LEVELS
            if (group := [piece for piece in left.values() if _reaches(piece, severity)])
        ]
        best = min(
            left.values(),
            key=lambda piece: (
                -round(_gain(piece, sums, assumptions), 2),
                piece.middle,
                piece.id,
            ),
        )
        del left[best.id]
        after = value([*left.values()], assumptions)
        if after <= now:
            break
        found.append(Gain(best.id, round(after - now, 2), after))
        now = after
    return tuple(found)


def _gain(
    piece: Piece, sums: Iterable[tuple[float, int, Severity]], assumptions: Assumptions
) -> float:
    """Points that a root cause costs beside others, as the sums of the levels have them."""
    return sum(
        _points(days, roots, severity, assumptions)
        - _points(days - piece.middle, roots - 1, severity, assumptions)
        for days, roots, severity in sums
        if _reaches(piece, severity)
    )


# --- in words -------------------------------------------------------------------------------------


def verdict(findings: Iterable[Finding], way: Way | None = None) -> Verdict:
    """In words: the kind of work that the worst unguarded root cause asks for."""
    way = way or Way()
    kinds = (asked(item) for item in findings if item.confidence != "low" and way.needs(item))
    return max(kinds, key=VERDICTS.index, default="ready")


def asked(item: Finding) -> Verdict:
    """The kind of work that a finding asks for where nothing guards it."""
    level = SEVERITIES.index(item.severity)
    if level <= 1:
        return VERDICTS[level]
    if item.portable:
        return "edits only"
    kind = asks(item.rule, item.category)
    stands_in = item.facts.replacement or item.facts.status in {"supported", "partial"}
    return "edits only" if kind == "redesign" and stands_in else kind
