"""Imports that are tried one after the other until one succeeds.

`for prefix in ("pkg.models", "pkg.extra"): try: m = import_module(f"{prefix}.{name}"); break`: what
comes later is tried only where nothing before it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import libcst as cst

from portaudit.marks import ANY_PART
from portaudit.read.python.model import IMPORTERS, imports_by_name
from portaudit.read.python.nodes import descendants, string_value
from portaudit.read.python.values import Reader

_ENDING = (cst.Break, cst.Return)
_LISTED = (cst.Tuple, cst.List)


class Turns:
    """Answers which turn a name has that an import puts together."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(self, call: cst.CSTNode, name: str) -> int:
        """How many are tried before it; 0 where all may be, or nobody can tell."""
        head, sign, _ = name.partition(ANY_PART)
        for turn, (_, text) in enumerate(self._tried.get(call, ())):
            if head == f"{text}." if sign else head.startswith(f"{text}."):
                return turn
        return 0

    def begins(self, string: cst.CSTNode) -> bool:
        """Whether a string is nothing but the beginning of names that are tried so."""
        return string in self._heads

    @cached_property
    def _heads(self) -> frozenset[cst.CSTNode]:
        return frozenset(node for listed in self._tried.values() for node, _ in listed)

    @cached_property
    def _tried(self) -> Mapping[cst.CSTNode, tuple[tuple[cst.CSTNode, str], ...]]:
        model = self._reader.model
        if IMPORTERS.isdisjoint(model.called):
            return {}
        loops = (each for each in model.places if isinstance(each, cst.For))
        found = ((_tried(loop), _strings(self._reader, loop)) for loop in loops)
        return {call: listed for call, listed in found if call is not None and listed}


def _tried(loop: cst.For) -> cst.Call | None:
    """The import of a loop that ends with the first one that does not fail."""
    for attempt in loop.body.body:
        line = attempt.body.body[0] if isinstance(attempt, cst.Try) else None
        if not isinstance(attempt, cst.Try) or not isinstance(line, cst.SimpleStatementLine):
            continue
        first = line.body[0]
        after = attempt.body.body[1:] or (attempt.orelse.body.body if attempt.orelse else ())
        ends = isinstance(first, cst.Return) or bool(after and _ends(after[0]))
        call = first.value if isinstance(first, (cst.Assign, cst.Return)) else None
        is_alone = len(line.body) == 1 and isinstance(call, cst.Call)
        if ends and is_alone and isinstance(call, cst.Call) and imports_by_name(call):
            return call
    return None


def _ends(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], _ENDING)


def _strings(reader: Reader, loop: cst.For) -> tuple[tuple[cst.CSTNode, str], ...]:
    """What a loop goes through, if that is written, and only begins strings in it."""
    if not isinstance(loop.iter, _LISTED) or not isinstance(loop.target, cst.Name):
        return ()
    found: list[tuple[cst.CSTNode, str]] = []
    for each in loop.iter.elements:
        text = string_value(each.value) if isinstance(each.value, cst.SimpleString) else None
        if text is None or not isinstance(each.value, cst.SimpleString):
            return ()
        found.append((each.value, text[0]))
    for node in descendants(loop.body):
        if isinstance(node, cst.Name) and node.value == loop.target.value:
            whole = reader.model.parents.get(node)
            first = whole.parts[0] if isinstance(whole, cst.FormattedString) else None
            if not isinstance(first, cst.FormattedStringExpression) or first.expression is not node:
                return ()
    return tuple(found)
