"""The words and facts of a finding: what a rule says, filled in for the place it was found at."""

from __future__ import annotations

import datetime
from functools import cache

from portaudit.catalogue.load import Row
from portaudit.catalogue.schema import TargetFact
from portaudit.types import TargetFacts


def fill(template: str, anchor: str, value: str, row: Row | None) -> str:
    """A rule's text with `{anchor}`, `{value}` and `{row.COLUMN}` filled in."""
    text = template.replace("{anchor}", anchor).replace("{value}", value)
    if row is not None:
        for column, cell in row.cells.items():
            text = text.replace(f"{{row.{column}}}", cell)
    return text


def published(fact: TargetFact, replacement: str = "") -> TargetFacts:
    """A fact as a report has it, with what to write instead in the case at hand."""
    return TargetFacts(
        fact.status,
        fact.evidence,
        fact.source,
        fact.sdk,
        _date(fact.checked),
        replacement or fact.replacement,
        fact.note,
    )


@cache
def _date(day: datetime.date) -> str:
    return day.isoformat()
