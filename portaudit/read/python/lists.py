"""Lists of strings in Python code, followed to the literals that they are made of."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.read.python.nodes import dotted, string_value
from portaudit.read.python.values import Reader


def strings(reader: Reader, node: cst.BaseExpression | None) -> Iterator[cst.BaseExpression]:
    """The string literals that a list of requirements is made of, through names and sums."""
    seen: set[cst.BaseExpression | str] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each is None or each in seen:
            continue
        seen.add(each)
        if isinstance(each, (cst.List, cst.Tuple, cst.Set)):
            waiting.extend(element.value for element in reversed(each.elements))
        elif isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.Add):
            waiting += [each.right, each.left]
        elif isinstance(each, cst.Name):
            found = [binding.value for binding in reader.bindings(each)]
            if each.value not in seen:
                seen.add(each.value)
                found += added(reader, each)
            waiting.extend(reversed(found))
        elif string_value(each) is not None:
            yield each


def added(reader: Reader, node: cst.Name) -> Iterator[cst.BaseExpression]:
    """What is appended to a list before it is given away."""
    for call in reader.model.calls:
        function = call.func
        if (
            isinstance(function, cst.Attribute)
            and function.attr.value in {"append", "extend"}
            and dotted(function.value) == node.value
            and call.args
        ):
            yield call.args[0].value


def inside(reader: Reader, node: cst.CSTNode) -> tuple[int, int]:
    """Where the text of a string literal begins."""
    while isinstance(node, cst.ConcatenatedString):
        node = node.left
    span = reader.span(node)
    quotes = 0
    if isinstance(node, cst.SimpleString):
        quotes = len(node.prefix) + len(node.quote)
    elif isinstance(node, cst.FormattedString):
        quotes = len(node.start)
    return span.line, span.column + quotes
