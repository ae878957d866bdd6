"""Weighs every program of a tree by itself: score, verdict, effort, and what lies on its way.

Programs of a tree share most of their code, so a root cause is weighed once for all that come to
the same places of it under the same guards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit import score
from portaudit.catalogue.assumptions import Assumptions
from portaudit.relate.entries import KINDS
from portaudit.relate.project import Weighed, by_root, weighable, weighed
from portaudit.score import Way
from portaudit.types import (
    SEVERITIES,
    EntryPoint,
    Finding,
    GuardState,
    RootCause,
    Score,
    Verdict,
)

MOST = 100
"""Programs that are weighed beside the main one: each is followed through all that it brings in, so
that thousands of a tree with many projects would take minutes, and nobody reads so many scores."""
Others = Mapping[str, Mapping[str, GuardState]]
"""Of each program, the findings that it comes to, and the guard on its way to them."""


def assessed(
    programs: Iterable[EntryPoint],
    others: Others,
    findings: Iterable[Finding],
    roots: Sequence[RootCause],
    main: Score,
    assumptions: Assumptions,
) -> tuple[EntryPoint, ...]:
    """Programs with what each is worth; those of which nobody knows what they come to as they are.

    So are those beyond the first hundred, training before evaluation and so on. `roots`, `main`:
    the root causes of the tree in their order, and the score of the main path.
    """
    if main.value is None:
        return tuple(programs)
    listed = tuple(programs)
    known = [each for each in listed if not each.main and each.path in others]
    known.sort(key=lambda each: (KINDS.index(each.kind), each.path))
    chosen = {each.path for each in known[:MOST]}
    weigh = _Scales(by_root(findings), assumptions)
    return tuple(
        _of_main(each, roots, main)
        if each.main
        else _of_other(each, others[each.path], weigh)
        if each.path in chosen
        else each
        for each in listed
    )


def _of_main(program: EntryPoint, roots: Iterable[RootCause], main: Score) -> EntryPoint:
    on_way = [root for root in roots if root.reach in {"main", None}]
    return replace(
        program,
        score=main.value,
        verdict=main.verdict,
        effort_days=main.effort_days,
        roots=tuple(root.id for root in on_way),
    )


def _of_other(program: EntryPoint, found: Mapping[str, GuardState], weigh: _Scales) -> EntryPoint:
    on_way = weigh(found)
    pieces = [each.weighed.piece for each in on_way]
    worst = max((each.verdict for each in on_way), key=score.VERDICTS.index, default="ready")
    return replace(
        program,
        score=score.value(pieces, weigh.assumptions),
        verdict=worst,
        effort_days=score.effort_of(pieces),
        roots=tuple(piece.id for piece in pieces),
    )


class _OnWay(Struct, frozen=True):
    """A root cause on the way of a program: what it costs there, and what it asks for."""

    weighed: Weighed
    verdict: Verdict
    places: int

    def rank(self) -> tuple[object, ...]:
        """Gravest first, as root causes are listed."""
        piece = self.weighed.piece
        severity = SEVERITIES.index(self.weighed.severity)
        return -severity, -piece.effort_days[1], -self.places, piece.id


class _Scales(Struct, frozen=True):
    """Weighs root causes on the ways of programs, each only once in every way that it is met."""

    groups: Mapping[str, Sequence[Finding]]
    assumptions: Assumptions
    known: dict[tuple[object, ...], _OnWay] = field(default_factory=dict)

    def __call__(self, found: Mapping[str, GuardState]) -> list[_OnWay]:
        """The root causes that a program meets, gravest first."""
        met = (self._met(name, group, found) for name, group in self.groups.items())
        return sorted((each for each in met if each), key=_OnWay.rank)

    def _met(
        self, name: str, group: Sequence[Finding], found: Mapping[str, GuardState]
    ) -> _OnWay | None:
        here = _here(group, found)
        if not here:
            return None
        key = (name, *here.items())
        if key not in self.known:
            way = Way(found=here, assumptions=self.assumptions)
            items = [item for item in group if item.fingerprint in here]
            verdict = score.verdict(weighable(items, way), way)
            self.known[key] = _OnWay(weighed(name, items, way), verdict, len(items))
        return self.known[key]


def _here(group: Sequence[Finding], found: Mapping[str, GuardState]) -> dict[str, GuardState]:
    """The findings of a root cause that a program meets: a requirement, where its library is met.

    What nobody can tell of, each may meet.
    """
    uses = any(item.fingerprint in found for item in group)
    return {
        item.fingerprint: found.get(item.fingerprint, "none")
        for item in group
        if item.fingerprint in found
        or item.reach is None
        or (uses and item.category == "dependency")
    }
