"""Names that a file gives another value than the statement that binds them: `ops.HAVE = True`.

Of modules, classes and objects alike: what a name is set on nobody can tell for sure. What a
condition means that asks such a name is not what its own file says.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.marks import ANY_MEMBER
from portaudit.read.python.model import Model, Place, Scope
from portaudit.read.python.nodes import last_name, string_value
from portaudit.read.python.values import Reader

_LEAVING = frozenset({"cache", "lru_cache", "wraps"})
"""Decorators that leave what a function answers as it is."""


def stores(reader: Reader) -> frozenset[str]:
    """The names that a file sets, `.*` if it sets some of its own that nobody knows.

    Attributes of `self` are none of them: no module has these.
    """
    return frozenset(
        {*_own(reader.model), *_of_globals(reader.model), *_of_others(reader), *_twice(reader)}
    )


def _own(model: Model) -> Iterator[str]:
    """What is changed in its place, and what functions bind for all."""
    yield from (last_name(node) for node in model.changed)
    for scope in model.scopes.values():
        yield from scope.outer_names


def _of_globals(model: Model) -> Iterator[str]:
    """`globals()["HAVE"] = True`, `globals().update(HAVE=True)`, and by a name nobody knows."""
    for call in (*model.called.get("globals", ()), *model.called.get("exec", ())):
        parent = model.parents.get(call)
        if last_name(call.func) == "exec":
            yield ANY_MEMBER
        elif isinstance(parent, cst.Attribute) and parent.attr.value in {"update", "setdefault"}:
            outer = model.parents.get(parent)
            for each in outer.args if isinstance(outer, cst.Call) else ():
                yield each.keyword.value if each.keyword else ANY_MEMBER
    for item in _targets(model):
        if isinstance(item, cst.Subscript) and isinstance(item.value, cst.Call):
            if last_name(item.value.func) in {"globals", "vars"}:
                index = item.slice[0].slice
                text = string_value(index.value) if isinstance(index, cst.Index) else None
                yield text[0] if text and text[1] else ANY_MEMBER


def _of_others(reader: Reader) -> Iterator[str]:
    """`ops.HAVE = True` and `setattr(ops, "HAVE", True)`."""
    model = reader.model
    for item in _targets(model):
        if isinstance(item, cst.Attribute) and not _is_self(item.value, model.places.get(item)):
            yield item.attr.value
    for call in model.called.get("setattr", ()):
        if len(call.args) > 1:
            text = string_value(call.args[1].value)
            if text and text[1]:
                yield text[0]


def _twice(reader: Reader) -> Iterator[str]:
    """Functions of the module that are bound more than once, or that a decorator may change."""
    for name, bindings in reader.model.root.bindings.items():
        functions = [each for each in bindings if isinstance(each.node, cst.FunctionDef)]
        if functions and (len(bindings) > 1 or not is_plain(functions[0].node)):
            yield name


def is_plain(node: cst.CSTNode) -> bool:
    """Whether a function is what its name gives: no decorator makes something else of it."""
    return isinstance(node, cst.FunctionDef) and all(
        last_name(each.decorator.func if isinstance(each.decorator, cst.Call) else each.decorator)
        in _LEAVING
        for each in node.decorators
    )


def _targets(model: Model) -> Iterator[cst.CSTNode]:
    """What is assigned to, but names."""
    for target in model.targets:
        if type(target) is not cst.Name:
            yield from _parts(target)


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, (cst.Tuple, cst.List)):
        for element in node.elements:
            yield from _parts(element.value)
    elif isinstance(node, (cst.Attribute, cst.Subscript)):
        yield node


def _is_self(node: cst.BaseExpression, place: Place | None) -> bool:
    if not isinstance(node, cst.Name):
        return False
    if place is None:
        return node.value == "self"
    scope: Scope | None = place.scope
    while scope is not None:
        if scope.self_name:
            return scope.self_name == node.value
        scope = scope.parent
    return False
