"""What a rule selects and how grave it is, as a digest: when it changes, old code may look new.

Words, tests and sources are no part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from portaudit.catalogue.load import Catalogue, Row
from portaudit.catalogue.schema import Rule, TargetFact
from portaudit.types import Target

_LENGTH = 8
"""Hexadecimal digits: enough to see that one rule changed."""


def revisions(catalogue: Catalogue, target: Target) -> dict[str, dict[str, str]]:
    """By category, the digest of each rule as it judges for a target."""
    found: dict[str, dict[str, str]] = {}
    for rule in catalogue.rules.values():
        found.setdefault(rule.category, {})[rule.id] = _digest(catalogue, rule, target)
    return found


def _digest(catalogue: Catalogue, rule: Rule, target: Target) -> str:
    said = [
        [
            msgspec.to_builtins(msgspec.structs.replace(match, message="")),
            sorted(_row(row, target) for row in catalogue.rows.get((rule.id, position), ())),
        ]
        for position, match in enumerate(rule.match)
    ]
    judged = [rule.severity, rule.confidence, rule.when_guarded, rule.reason, rule.check]
    text = msgspec.json.encode(
        [said, judged, rule.library, _fact(rule.target[target])], order="deterministic"
    )
    return hashlib.sha256(text).hexdigest()[:_LENGTH]


def _row(row: Row, target: Target) -> list[str]:
    facts: Mapping[Target, TargetFact] = row.facts
    fact = _fact(facts[target]) if target in facts else []
    cells = [f"{key}={value}" for key, value in sorted(row.cells.items())]
    return [row.name, str(row.severity), str(row.confidence), *map(str, fact), *cells]


def _fact(fact: TargetFact) -> list[str | bool | None]:
    """What of a fact bears on the judgment."""
    return [fact.status, fact.evidence, fact.severity, fact.report]
