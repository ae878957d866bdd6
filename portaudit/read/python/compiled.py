"""Which native sources Python code compiles: when a script builds them, or while a program runs."""

from __future__ import annotations

import re
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
_READING = frozenset({"len", "print", "enumerate", "any", "all", "str", "repr", "join", "map"})
"""Calls that look at a list, and change nothing of it."""
_ADDING = frozenset({"append", "extend"})
_CHANGED = re.compile(rb"\.\s*sources\b")
"""What may change the sources of an extension that is made already."""
_LINKING = ("libraries", "extra_objects", "extra_link_args")
_SYSTEM = re.compile(
    r"(?:lib)?(?:cu|nv|nccl|c10|torch|mkl|omp|gomp|iomp)\w*|m|dl|rt|z|pthread|stdc\+\+"
)
"""Libraries that no tree makes for itself."""
_FLAG = re.compile(r"-(?!L|l(?!(?:cu|nv|nccl|gomp|c10|torch)\w*$)|.*\.(?:o|a|so)\b).*")
"""Arguments of a linker that bring no code of a tree."""
_DEEPEST = 6
"""Names and functions of a file that a list of sources comes through."""


def compiled(reader: Reader) -> tuple[Compiled, ...]:
    """What a file compiles, in its order, as far as it writes the sources."""
    if not any(word in reader.source.content for word in _WORDS):
        return ()
    return tuple(_compiled(reader))


def _compiled(reader: Reader) -> Iterator[Compiled]:
    is_changed = _CHANGED.search(reader.source.content) is not None
    for call in reader.model.calls:
        is_build, is_load = _compiling(reader, call)
        if is_build or is_load:
            given = argument(call, ("sources", 1)).value
            sources = set(_sources(reader, given, 0))
            if is_changed or any(_links(reader, call, each) for each in _LINKING):
                sources.add(ANY_PART)
            line = reader.span(call).line
            yield Compiled(line, tuple(sorted(sources)), loads=not is_build)
        elif last_name(call.func) == "setup" and argument(call, ("libraries",)).node:
            yield Compiled(reader.span(call).line, (ANY_PART,))


def _compiling(reader: Reader, call: cst.Call) -> tuple[bool, bool]:
    """Whether a call says what is built, and whether it compiles there and then."""
    names = {ref.name for ref in reader.refs(call.func)}
    is_build = any(name.startswith(_BUILDS) and name.endswith(_MADE) for name in names)
    return is_build, _LOADS in names


def _links(reader: Reader, call: cst.Call, keyword: str) -> bool:
    """Whether what a call is given may be code of the tree that something else compiles."""
    given = argument(call, (keyword,)).value
    shape = _SYSTEM if keyword == "libraries" else _FLAG
    return given is not None and not all(map(shape.fullmatch, _sources(reader, given, 0)))


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
    if isinstance(node, (cst.Subscript, cst.Attribute)):
        return (ANY_PART,)  # nobody knows what else is put there
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
    if any(_is_list(each) for each in bindings):
        if not all(_is_followed(reader, each) for each in _alike(reader, node)):
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
    for each in _alike(reader, node):
        parent = reader.model.parents.get(each)
        if isinstance(parent, cst.AugAssign) and parent.target is each:
            yield from _sources(reader, parent.value, depth + 1)


def _is_list(binding: Binding) -> bool:
    """Whether a name may stand for a list, which others may add to."""
    value = binding.value
    if isinstance(value, cst.Call):
        return last_name(value.func) in _GLOBBING | _SAME
    if isinstance(value, cst.BinaryOperation):
        return isinstance(value.operator, cst.Add) and not _is_text(value)
    return binding.kind == "param" or isinstance(
        value, (cst.List, cst.Tuple, cst.Set, cst.ListComp, cst.SetComp, cst.Name)
    )


def _alike(reader: Reader, node: cst.Name) -> list[cst.Name]:
    """All places of a file that mean the same name."""
    known = {id(each) for each in reader.lookup(node.value, reader.scope_of(node))}
    return [
        each
        for each in reader.model.names
        if each.value == node.value
        and any(id(it) in known for it in reader.lookup(each.value, reader.scope_of(each)))
    ]


def _is_followed(reader: Reader, node: cst.Name) -> bool:
    """Whether a place that names a list leaves it as it is, or adds to it in a way that is told."""
    parents = reader.model.parents
    parent = parents.get(node)
    if isinstance(parent, cst.Arg):
        call = parents.get(parent)
        if not isinstance(call, cst.Call):
            return False
        known = _SAME | _READING | _ADDING | {"isinstance"}
        return last_name(call.func) in known or any(_compiling(reader, call))
    if isinstance(parent, cst.Attribute):
        return parent.attr.value in _ADDING and isinstance(parents.get(parent), cst.Call)
    if isinstance(parent, cst.AugAssign):
        return parent.target is not node or isinstance(parent.operator, cst.AddAssign)
    reading = (
        *(cst.AssignTarget, cst.BinaryOperation, cst.StarredElement, cst.For, cst.CompFor, cst.If),
        *(cst.Comparison, cst.ComparisonTarget, cst.FormattedStringExpression, cst.AnnAssign),
        *(cst.UnaryOperation, cst.ListComp, cst.GeneratorExp),
    )
    is_alias = isinstance(parent, cst.AnnAssign) and parent.value is node
    return isinstance(parent, reading) and not is_alias


def _given(reader: Reader, binding: Binding, depth: int) -> Iterator[str]:
    """What calls of this file give to a function that it alone can call, by its name."""
    scope = binding.place.scope
    position = position_of(scope, binding)
    places = (binding.name,) if position is None else (position, binding.name)
    is_setup = reader.source.path.rpartition("/")[2] == "setup.py"
    calls = reader.model.called.get(scope.name, ())
    if scope.self_name or not calls or not (is_setup or scope.name.startswith("_")):
        yield ANY_PART
    for call in calls:
        yield from _sources(reader, argument(call, places).value, depth + 1)
