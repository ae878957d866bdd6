"""Walking libcst nodes without their white space.

A plain walk of the meaningful fields costs a tenth of a `CSTVisitor`, which rebuilds every node it
visits. Knows no scopes.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from abc import ABCMeta
from collections.abc import Iterator
from functools import cache

import libcst as cst

REFUSALS = (cst.ParserSyntaxError, cst.CSTValidationError)
"""What libcst raises for text that is no Python: `b"a" "b"` is a tree that is not valid."""
SPEAKING = frozenset(
    {
        *("print", "warn", "warning", "info", "debug", "error", "exception", "critical", "log"),
        *("warn_once", "warning_once"),
    }
)
"""Functions and methods that only say something."""
_DULL = {
    "leading_lines",
    "lines_after_decorators",
    "lpar",
    "rpar",
    "lbracket",
    "rbracket",
    "lbrace",
    "rbrace",
    "header",
    "footer",
    "trailing_whitespace",
    "comma",
    "semicolon",
    "equal",
    "colon",
    "first_colon",
    "second_colon",
    "dot",
    "indent",
    "relative",
    "star",
    "asynchronous",
    "separator",
}


class _Kind(ABCMeta):
    """The class of libcst's classes, with `isinstance` in C: they register no others."""

    __instancecheck__ = type.__instancecheck__


def _as_objects(kind: type[cst.CSTNode]) -> None:
    """Have nodes hashed by their identity, and told apart by their classes, in C.

    They are the keys of most tables here, and most questions are of which class one is. libcst
    says the same of the first in Python, which takes longer than the look into the table; abstract
    classes have a function in Python for the second.
    """
    kind.__hash__ = object.__hash__  # type: ignore[method-assign]
    kind.__class__ = _Kind  # type: ignore[assignment]
    for each in kind.__subclasses__():
        _as_objects(each)


_as_objects(cst.CSTNode)  # type: ignore[type-abstract]


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in _DULL and not field.name.startswith(("whitespace_", "_"))
    )


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The node's children in source order, white space and punctuation left out."""
    found: list[cst.CSTNode] = []
    for name in _fields(type(node)):
        value = getattr(node, name)
        kind = type(value)
        if kind in _PLAIN:
            continue
        if kind is tuple or kind is list:
            found += [item for item in value if type(item) not in _PLAIN]
        else:
            found.append(value)
    return found


_PLAIN = frozenset({str, bool, type(None), cst.MaybeSentinel})
"""Types of what nodes have besides nodes."""


def descendants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and everything below it, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def last_name(node: cst.CSTNode | None) -> str:
    """`c` of `a.b.c`, however it was imported; empty for anything else."""
    if type(node) is cst.Name:
        return node.value
    if type(node) is not cst.Attribute:
        return ""
    base = node.value
    while type(base) is cst.Attribute:
        base = base.value
    return node.attr.value if type(base) is cst.Name else ""


def last_part(node: cst.CSTNode) -> str:
    """`c` of `a.b.c`, whatever it is asked of: `format` of `"{}".format`."""
    return node.attr.value if type(node) is cst.Attribute else last_name(node)


def root_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """What is asked first: `a` of `a.b.c`, the call of `f().b`; all of what asks for no member."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def dotted(node: cst.CSTNode | None) -> str | None:
    """`a.b.c` for a chain of attributes on a name, otherwise None."""
    if type(node) is cst.Name:
        return node.value
    if type(node) is not cst.Attribute:
        return None
    parts: list[str] = []
    while type(node) is cst.Attribute:
        parts.append(node.attr.value)
        node = node.value
    if type(node) is not cst.Name:
        return None
    parts.append(node.value)
    return ".".join(reversed(parts))


def body_of(block: cst.BaseSuite | cst.Module) -> list[cst.BaseStatement | cst.BaseSmallStatement]:
    """The statements of a block, small statements taken out of their lines."""
    found: list[cst.BaseStatement | cst.BaseSmallStatement] = []
    for item in block.body:
        if isinstance(item, cst.SimpleStatementLine):
            found.extend(item.body)
        elif isinstance(item, (cst.BaseStatement, cst.BaseSmallStatement)):
            found.append(item)
    return found


def string_value(node: cst.BaseExpression) -> tuple[str, bool] | None:
    """The text of a string literal and whether it is all of it; None for anything else.

    A formatted string gives what stands before its first expression.
    """
    kind = type(node)
    if kind not in _STRINGS:
        return None
    if type(node) is cst.SimpleString:
        spelling = node.value
        if _PLAIN_TEXT.fullmatch(spelling):
            return spelling[1:-1], True
        value = _spelled(node)
        return (value, True) if isinstance(value, str) else None
    if isinstance(node, cst.ConcatenatedString):
        left = string_value(node.left)
        if left is None or not left[1]:
            return left
        right = string_value(node.right)
        return None if right is None else (left[0] + right[0], right[1])
    if isinstance(node, cst.FormattedString):
        text = ""
        for part in node.parts:
            if not isinstance(part, cst.FormattedStringText):
                return text, False
            text += part.value.replace("{{", "{").replace("}}", "}")
        return text, True
    return None


def dict_entries(node: cst.Dict) -> Iterator[tuple[str, cst.DictElement]]:
    """The elements of a dict whose keys are written down whole, each with its key."""
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = string_value(element.key)
            if key and key[1]:
                yield key[0], element


_PLAIN_TEXT = re.compile(r"""'[^'\\\r]*'|"[^"\\\r]*\"""")
"""A literal in single quotes of either kind that is spelled as it is."""
_STRINGS = frozenset({cst.SimpleString, cst.ConcatenatedString, cst.FormattedString})


def _spelled(node: cst.SimpleString) -> object:
    """The value of a literal, which most spell as it is."""
    text = node.value
    quote = text[-1]
    if text[0] != quote or "\\" in text or "\r" in text:
        return _evaluated(node)
    quotes = 3 if text.startswith(quote * 3) else 1
    return text[quotes:-quotes]


def number_value(node: cst.Integer | cst.Float) -> float | int | None:
    """The value of a number; None for one that Python itself would not read."""
    try:
        return int(node.value, 0) if type(node) is cst.Integer else float(node.value)
    except ValueError:
        return None


def _evaluated(node: cst.SimpleString) -> object:
    """The value of a literal, without a word about escapes that Python would warn of."""
    try:
        if "\\" not in node.value:
            return node.evaluated_value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return node.evaluated_value
    except (SyntaxError, ValueError):
        return None
