"""Counts what a catalogue knows: how many facts, by whose word, and since when.

The facts are those that rules and table rows hold per target; this module reads no file and judges
no source. `docs` prints the figures, so that no page has them typed in.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from portaudit.catalogue.load import Catalogue, Row
from portaudit.catalogue.schema import TargetFact
from portaudit.types import Evidence, Status, Target


class Figures(Struct, frozen=True):
    """The counts of a catalogue. `oldest` is the earliest day on which a fact was last checked."""

    rules: int
    rows: int
    sources: int
    oldest: datetime.date | None
    facts: Counter[tuple[Target, Evidence, Status]]

    def count(
        self,
        target: Target | None = None,
        evidence: Evidence | None = None,
        status: Status | None = None,
    ) -> int:
        """How many facts have all that is given; all facts when nothing is."""
        wanted = (target, evidence, status)
        return sum(
            number
            for key, number in self.facts.items()
            if all(want in {None, have} for want, have in zip(wanted, key, strict=True))
        )


def figures(catalogue: Catalogue) -> Figures:
    """Count the rules, rows, facts and sources of a catalogue."""
    found = list(_facts(catalogue))
    return Figures(
        rules=len(catalogue.rules),
        rows=len(_rows(catalogue)),
        sources=len({fact.source for _, fact in found}),
        oldest=min((fact.checked for _, fact in found), default=None),
        facts=Counter((target, fact.evidence, fact.status) for target, fact in found),
    )


def _facts(catalogue: Catalogue) -> Iterator[tuple[Target, TargetFact]]:
    yield from (item for rule in catalogue.rules.values() for item in rule.target.items())
    yield from (item for row in _rows(catalogue) for item in row.facts.items())


def _rows(catalogue: Catalogue) -> list[Row]:
    """The rows that some rule uses, each once: matches of one table share its row objects."""
    return list({id(row): row for rows in catalogue.rows.values() for row in rows}.values())
