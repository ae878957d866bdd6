"""Which native sources Python code compiles: when a script builds them, or while a program runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from portaudit.marks import ANY_PART
from portaudit.read.python.lists import added
from portaudit.read.python.model import Binding, position_of
from portaudit.read.python.nodes import last_name
from portaudit.read.python.spelled import spelled
from portaudit.read.python.values import Reader, argument
from portaudit.types import Compiled

_LOADS = "torch.utils.cpp_extension.load"
_BUILDS = ("torch.utils.cpp_extension.", "setuptools.", "distutils.")
_MADE = "Extension"
_WORDS = (b"cpp_extension", b"Extension")
_GLOBBING = frozenset({"glob", "iglob"})
_SAME = frozenset({"list", "sorted", "set", "tuple"})
_DEEPEST = 6
"""Names and functions of a file that a list of sources comes through."""


def compiled(reader: Reader) -> tuple[Compiled, ...]:
    """What a file compiles, in its order, as far as it writes the sources."""
    if not any(word in reader.source.content for word in _WORDS):
        return ()
    return tuple(_compiled(reader))


def _compiled(reader: Reader) -> Iterator[Compiled]:
    for call in reader.model.calls:
        names = {ref.name for ref in reader.refs(call.func)}
        is_build = any(name.startswith(_BUILDS) and name.endswith(_MADE) for name in names)
        if is_build or _LOADS in names:
            given = argument(call, ("sources", 1)).value
            sources = frozenset(_sources(reader, given, 0))
            line = reader.span(call).line
            yield Compiled(line, tuple(sorted(sources)), loads=not is_build)


def _sources(reader: Reader, node: cst.BaseExpression | None, depth: int) -> Iterable[str]:
    """The paths in a list, with `*` for what is not known."""
    if node is None or depth > _DEEPEST:
        return (ANY_PART,)
    if isinstance(node, (cst.List, cst.Tuple, cst.Set)):
        return (
            text for element in node.elements for text in _sources(reader, element.value, depth + 1)
        )
    if isinstance(node, cst.BaseSimpleComp):
        return spelled(reader, node.elt)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        if not _is_text(node):
            parts = (node.left, node.right)
            return (text for part in parts for text in _sources(reader, part, depth + 1))
    if isinstance(node, cst.Call) and node.args and last_name(node.func) in _GLOBBING:
        return spelled(reader, node.args[0].value)
    if isinstance(node, cst.Call) and len(node.args) == 1 and last_name(node.func) in _SAME:
        return _sources(reader, node.args[0].value, depth + 1)
    if isinstance(node, cst.Name) and node in reader.model.places:
        return _named(reader, node, depth)
    return spelled(reader, node)


def _is_text(node: cst.BinaryOperation) -> bool:
    """Whether a sum is one of texts, not of lists."""
    ends = (node.left, node.right)
    return any(isinstance(each, (cst.SimpleString, cst.FormattedString)) for each in ends)


def _named(reader: Reader, node: cst.Name, depth: int) -> Iterator[str]:
    """What a name stands for, with what is added to it; of a parameter what calls give."""
    bindings = reader.bindings(node)
    if not bindings:
        yield ANY_PART
    for binding in bindings:
        if binding.kind == "param":
            yield from _given(reader, binding, depth)
        elif binding.kind == "value":
            yield from _sources(reader, binding.value, depth + 1)
        else:
            yield from spelled(reader, node)
    for value in added(reader, node):
        yield from _sources(reader, value, depth + 1)


def _given(reader: Reader, binding: Binding, depth: int) -> Iterator[str]:
    """What calls of this file give to a function that it alone can call, by its name."""
    scope = binding.place.scope
    position = position_of(scope, binding)
    places = (binding.name,) if position is None else (position, binding.name)
    is_setup = reader.source.path.rpartition("/")[2] == "setup.py"
    calls = [call for call in reader.model.calls if last_name(call.func) == scope.name]
    if scope.self_name or not calls or not (is_setup or scope.name.startswith("_")):
        yield ANY_PART
    for call in calls:
        yield from _sources(reader, argument(call, places).value, depth + 1)
