"""Fields that classes of libraries give a program for settings: `class Ours(TrainingArguments)`.

What such a field is where nobody gives it, the library's page says; the tree has no line with it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

import libcst as cst
from msgspec import Struct

from portaudit.catalogue import options as known
from portaudit.catalogue.options import Defaults
from portaudit.read.python.nodes import last_name
from portaudit.read.python.values import AnyValue, LocalClass, Reader
from portaudit.types import Ref

_UNKNOWN = ("",)
_OLDEST = 8
"""Generations of bases that are looked through."""


class Inherited(Struct, frozen=True, eq=False):
    """A field with what it is by default, empty if nobody knows, and where that is decided."""

    name: str
    value: str
    node: cst.CSTNode


def inherited(reader: Reader) -> Iterator[Inherited]:
    """The fields of libraries' classes that the file derives from, makes, or gives to a parser."""
    for found in known.words().defaults:
        is_there = bool(found.maker) and found.maker.encode() in reader.source.content
        for node in reader.model.attributes if is_there else ():
            if node.attr.value == found.maker:  # of any class of the tree, too
                yield from _fields(found, node, is_seen=False)
    if not any(_is_word(each, reader) for each in known.words().defaults):
        return
    for scope in reader.model.scopes.values():
        if isinstance(scope.node, cst.ClassDef):
            for base in scope.node.bases:
                for found in _defaults(reader, base.value):
                    yield from _fields(found, scope.node, scope.bindings)
    for call in reader.model.calls:
        yield from _made(reader, call)


def _made(reader: Reader, call: cst.Call) -> Iterator[Inherited]:
    """The fields of what a call makes, or has a parser make."""
    is_seen = _is_seen(call)
    for found in _defaults(reader, call.func):
        yield from _fields(found, call, is_seen=is_seen)
    for value in reader.values(call.func) if not is_seen else ():
        for base in _bases(value):
            for found in _defaults(reader, base):
                yield from _fields(found, call, is_seen=False)
    for item in call.args if _is_parser(reader, call) else ():
        for each in reader.elements(item.value) or [item.value]:
            for found in _defaults(reader, each):
                yield from _fields(found, call)


def fields_of(reader: Reader, node: cst.ClassDef) -> tuple[str, ...]:
    """The fields that a class has of such bases."""
    found = (each for base in node.bases for each in _defaults(reader, base.value))
    return tuple(sorted({name for each in found for name in each.values}))


def inherited_default(reader: Reader, node: cst.CSTNode, name: str, depth: int = 0) -> str | None:
    """What a field of a class is by default that it has of a library's; None if nobody knows."""
    if not isinstance(node, cst.ClassDef) or depth > _OLDEST:
        return None
    for base in node.bases:
        for found in _defaults(reader, base.value):
            values = found.values.get(name, ())
            return values[0] if len(values) == 1 else None
        for value in reader.values(base.value):
            if isinstance(value, LocalClass):
                return inherited_default(reader, value.scope.node, name, depth + 1)
    return None


def _bases(value: AnyValue) -> Iterator[cst.BaseExpression]:
    """The bases of a class of the file."""
    if isinstance(value, LocalClass) and isinstance(value.scope.node, cst.ClassDef):
        yield from (each.value for each in value.scope.node.bases)


def _is_word(each: Defaults, reader: Reader) -> bool:
    """Whether the file has the last name of a class: that is asked at once."""
    names = {name.rpartition(".")[2].encode() for name in each.classes}
    return any(name in reader.source.content for name in names)


def _defaults(reader: Reader, node: cst.BaseExpression) -> Iterator[Defaults]:
    for value in reader.values(node) if last_name(node) else ():
        if isinstance(value, Ref) and not value.open:
            found = known.defaults_of(value.name)
            if found is not None:
                yield found


def _fields(
    found: Defaults,
    node: cst.CSTNode,
    own: Container[str] = frozenset(),
    *,
    is_seen: bool = True,
) -> Iterator[Inherited]:
    """The fields that a class does not have of its own, unknown if it gets any by other ways."""
    for name, values in found.values.items():
        if name not in own:
            for value in values if is_seen else _UNKNOWN:
                yield Inherited(name, value, node)


def _is_seen(call: cst.Call) -> bool:
    """Whether all that a call gives is given by names that are written there."""
    return all(item.keyword is not None for item in call.args[1:]) and not any(
        item.star for item in call.args
    )


def _is_parser(reader: Reader, call: cst.Call) -> bool:
    """Whether a call makes a parser that makes objects of the classes that it is given."""
    parsers = known.words().declaring.parsers
    return any(
        isinstance(value, Ref) and not value.open and value.name in parsers
        for value in reader.values(call.func)
    )
