"""Words that a file only uses for what settings stand in: `attn` of `cfg.attn.fused`.

Whoever has such a section itself may hand it on, fill it, or have it under another name: then
nobody can tell by how a setting is written in which section it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from portaudit.marks import ANY_PART, OTHERWISE
from portaudit.read.python.conditions import holds, index, is_declared, is_empty, section_of
from portaudit.read.python.model import Place
from portaudit.read.python.nodes import dotted, last_name, string_value
from portaudit.read.python.values import Reader, argument

_LOOKING = frozenset({"getattr", "hasattr"})
_TAKING = frozenset({"get", "pop"})
"""Functions and methods that ask for a member by its name."""
_NAMING = frozenset({*_LOOKING, "setattr", "delattr"})


def sections(
    reader: Reader, said: Iterable[tuple[str, cst.CSTNode | Place]], words: Collection[str]
) -> frozenset[str]:
    """Those of a file, given its words, and where it has those that are no names of variables.

    Behind a `!` what it has as a whole, and no word for; behind a `*` of what it has something by
    a name that is not written.
    """
    model = reader.model
    inner: dict[cst.CSTNode, str] = {}
    for attribute in model.attributes:
        if _asks_member(reader, attribute) and (name := section_of(reader, attribute)):
            inner[attribute] = name
    for subscript in model.subscripts:
        if _asks_member(reader, subscript) and (name := section_of(reader, subscript)):
            inner[subscript] = name
    found = set(inner.values())
    if found:
        for word, node in said:
            if word in found and isinstance(node, cst.CSTNode) and _owner(reader, node) in inner:
                continue
            found.discard(word)
    found.update(
        f"{OTHERWISE}{node.attr.value}"
        for node in model.attributes
        if node.attr.value not in words and node not in inner
    )
    found.update(f"{ANY_PART}{name}" for name in _searched(reader))
    return frozenset(found)


def _owner(reader: Reader, node: cst.CSTNode) -> cst.CSTNode:
    """What has a word: the attribute itself, or what is asked with a string: `cfg["attn"]`."""
    parents = reader.model.parents
    item = parents.get(node)
    if not isinstance(node, cst.BaseString) or not isinstance(item, cst.Index):
        return node
    element = parents.get(item)
    return parents.get(element, node) if element is not None else node


def _asks_member(reader: Reader, node: cst.Attribute | cst.Subscript) -> bool:
    """Whether something is only there to have a member asked for, or set, that is written down.

    Or made, with nothing in it: `_C.attn = CN()`.
    """
    parents = reader.model.parents
    parent = parents.get(node)
    if isinstance(parent, cst.Subscript):
        return parent.value is node and bool(index(parent))
    if isinstance(parent, cst.Attribute):
        outer = parents.get(parent)
        if not isinstance(outer, cst.Call) or outer.func is not parent:
            return not parent.attr.value.startswith("__")
        return parent.attr.value in _TAKING and _is_written(argument(outer, (0, "key")).value)
    if isinstance(parent, cst.Arg):
        call = parents.get(parent)
        if not isinstance(call, cst.Call) or last_name(call.func) not in _LOOKING:
            return False
        return call.args[0] is parent and _is_written(argument(call, (1,)).value)
    if isinstance(parent, cst.AssignTarget):
        assign = parents.get(parent)
        if not isinstance(assign, cst.Assign) or len(assign.targets) > 1:
            return False
        return is_empty(assign.value) and is_declared(reader, node)
    return False


def _is_written(node: cst.BaseExpression | None) -> bool:
    text = string_value(node) if isinstance(node, cst.BaseString) else None
    return bool(text and text[1] and text[0].isidentifier())


def _searched(reader: Reader) -> Iterator[str]:
    """Of what settings something is asked for, or set, by a name that is not written down.

    Nothing for what may be all of them.
    """
    owners = [
        node.value
        for node in reader.model.subscripts
        if isinstance(item := node.slice[0].slice, cst.Index) and not _is_known(reader, item.value)
    ]
    owners += (
        call.args[0].value
        for name in _NAMING
        for call in reader.model.called.get(name, ())
        if len(call.args) > 1 and not _is_written(argument(call, (1,)).value)
    )
    for each in owners:
        owner = _of_variables(each)
        if holds(reader, owner) and not _is_display(reader, owner):
            yield section_of(reader, owner)


def _of_variables(node: cst.BaseExpression) -> cst.BaseExpression:
    """What something is the dict of: `cfg` of `vars(cfg)`."""
    if isinstance(node, cst.Call) and last_name(node.func) == "vars" and node.args:
        return node.args[0].value
    return node


def _is_display(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether something is a dict or a list that is written down: its names are strings there."""
    bindings = (
        reader.lookup(node.value, reader.scope_of(node)) if isinstance(node, cst.Name) else ()
    )
    return bool(bindings) and all(
        isinstance(each.value, (cst.Dict, cst.List, cst.Tuple)) for each in bindings
    )


def _is_known(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a key is a number, which no name is, or a string that is all there."""
    if isinstance(node, cst.BinaryOperation):
        is_sum = isinstance(node.operator, (cst.Add, cst.Subtract))
        return is_sum and any(isinstance(each, cst.Integer) for each in (node.left, node.right))
    if isinstance(node, cst.UnaryOperation):
        node = node.expression
    if isinstance(node, cst.Name):
        bindings = reader.lookup(node.value, reader.scope_of(node))
        return bool(bindings) and all(
            each.kind == "each"
            and isinstance(each.value, cst.Call)
            and dotted(each.value.func) == "range"
            for each in bindings
        )
    text = string_value(node)
    return isinstance(node, cst.Integer) or (text is not None and text[1])
