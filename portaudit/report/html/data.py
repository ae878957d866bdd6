"""What the page's script works with: every finding in few bytes, files and the tree of the path.

What many findings share stands once, and they have its number. Texts are as they are to be shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from portaudit.report.causes import Cause
from portaudit.report.html import path, weights
from portaudit.report.html.cards import MOST, group_of
from portaudit.report.html.frames import cut
from portaudit.report.html.text import address, seen
from portaudit.report.outcome import grade, guard_words, urgent
from portaudit.types import SEVERITIES, Finding, Report, TargetFacts

Value = TypeVar("Value", bound=Hashable)


class _Table(Generic[Value]):
    """Values by their numbers, each once."""

    def __init__(self) -> None:
        self.numbers: dict[Value, int] = {}

    def number(self, value: Value) -> int:
        """The number of a value, its next one if it has none."""
        return self.numbers.setdefault(value, len(self.numbers))


def of(
    report: Report, found: Sequence[Cause], tree: path.Node | None, link: str
) -> dict[str, object]:
    """The data of a report, with the root causes that were found in it."""
    return _Maker(report, found).data(tree, link)


class _Maker:
    """What the parts of the data share."""

    def __init__(self, report: Report, found: Sequence[Cause]) -> None:
        self.report = report
        self.paths: _Table[str] = _Table()
        self.messages: _Table[str] = _Table()
        self.scopes: _Table[str] = _Table()
        self.facts: _Table[TargetFacts] = _Table()
        self.guards: _Table[tuple[str, str, int, str]] = _Table()
        self.words: _Table[str] = _Table()
        self.causes = found
        self.cause = {
            root.id: number for number, cause in enumerate(found, 1) for root in cause.roots
        }

    def data(self, tree: path.Node | None, link: str) -> dict[str, object]:
        """All of it."""
        report = self.report
        failing = set(report.gate.failing) if report.gate else set()
        findings = [self._finding(item, failing) for item in urgent(report.findings)]
        lost = weights.points(report)
        nodes = self._nodes(tree)
        for each in lost:
            self.paths.number(each)
        return {
            "link": address(link),
            "target": report.target,
            "paths": _seen(self.paths.numbers),
            "points": {
                self.paths.number(each): round(value, 3) for each, value in lost.items() if value
            },
            "rules": {
                seen(name): [seen(rule.name), rule.category]
                for name, rule in sorted(report.rules.items())
            },
            "causes": [
                [seen(cause.title), cause.severity, group_of(cause), number <= MOST]
                for number, cause in enumerate(self.causes, 1)
            ],
            "messages": _seen(self.messages.numbers),
            "scopes": _seen(self.scopes.numbers),
            "facts": [_facts(each) for each in self.facts.numbers],
            "guards": [
                [seen(words), seen(where), line, seen(text)]
                for words, where, line, text in self.guards.numbers
            ],
            "words": list(self.words.numbers),
            "findings": findings,
            "tree": nodes,
        }

    def _finding(self, item: Finding, failing: set[str]) -> list[object]:
        by = item.guard_by
        guard = (guard_words(item), by.path, by.line, " ".join(by.text.split())) if by else None
        accepted = item.suppressed.reason if item.suppressed else ""
        state = "failing" if item.fingerprint in failing else item.state or ""
        row: list[object] = [
            self.paths.number(item.path),
            item.span.line,
            item.span.column,
            seen(item.rule),
            grade(item),
            SEVERITIES.index(item.severity),
            self.words.number(item.category),
            self.words.number(item.reach or "unknown"),
            self.words.number(item.guard),
            self.words.number(item.confidence),
            self.words.number("suppressed" if item.suppressed else state),
            self.cause.get(item.root, 0),
            self.messages.number(item.message),
            self.facts.number(item.facts),
            [seen(part) for part in cut(item)],
            self.scopes.number(f"cell {item.cell}" if item.cell else item.scope),
            -1 if guard is None else self.guards.number(guard),
        ]
        return [*row, seen(accepted)] if accepted else row

    def _nodes(self, tree: path.Node | None) -> list[list[object]]:
        """The tree in rows, each with the number of the row above it."""
        rows: list[list[object]] = []
        waiting = [] if tree is None else [(tree, -1)]
        while waiting:
            node, above = waiting.pop()
            rows.append(
                [
                    above,
                    node.kind,
                    self.paths.number(node.path),
                    seen(node.label),
                    node.line,
                    -1 if node.severity is None else SEVERITIES.index(node.severity),
                    -1 if node.below is None else SEVERITIES.index(node.below),
                    node.places,
                ]
            )
            number = len(rows) - 1
            waiting += [(each, number) for each in reversed(node.nodes)]
        return rows


def _seen(texts: Mapping[str, int]) -> list[str]:
    return [seen(text) for text in texts]


def _facts(facts: TargetFacts) -> list[str]:
    parts = facts.status, facts.evidence.replace("_", " "), facts.sdk, facts.checked
    return [*map(seen, parts), address(facts.source), seen(facts.replacement), seen(facts.note)]
