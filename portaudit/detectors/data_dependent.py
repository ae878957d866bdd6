"""Shapes and branches that depend on the values of a tensor, inside device code."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.match.host import is_no_tensor
from portaudit.read.python.nodes import last_name
from portaudit.read.python.values import Reader
from portaudit.types import Instance, Ref

ORDERINGS = (
    cst.GreaterThan,
    cst.GreaterThanEqual,
    cst.LessThan,
    cst.LessThanEqual,
    cst.Equal,
    cst.NotEqual,
)


@detector("boolean-mask-index")
def boolean_mask_index(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield `x[mask]` reads, where the mask is a comparison or is named a mask, in a forward."""
    model = reader.model
    for node in model.subscripts:
        place = model.places[node]
        certainty = contexts.step(place)
        if not certainty or len(node.slice) != 1 or _is_store(reader, node):
            continue
        index = node.slice[0].slice
        if isinstance(index, cst.Index) and not is_no_tensor(reader, node.value):
            certain = _is_comparison(reader, index.value)
            if certain or named_mask(index.value):
                sure = certain and certainty == "sure"
                yield Spot(node, place, "x[mask]", "medium" if sure else "low")


@detector("tensor-truth")
def tensor_truth(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield `if` tests that ask a tensor's values (`.any()`, `.all()`, `torch.equal`) in a step."""
    model = reader.model
    for owner, test, _, _, _ in model.tests:
        if isinstance(owner, cst.Assert):
            continue
        place = model.places.get(test)
        if place is None or not contexts.step(place):
            continue
        for call in _calls(test):
            name = reader.name(call.func)
            if name in {"torch.any", "torch.all", "torch.equal", "torch.allclose"} or (
                isinstance(call.func, cst.Attribute)
                and call.func.attr.value in {"any", "all"}
                and not call.args
                and _is_tensor(reader, call.func.value)
            ):
                method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
                yield Spot(call, place, name or f".{method}", "low")


def _calls(node: cst.CSTNode) -> Iterator[cst.Call]:
    if isinstance(node, cst.Call):
        yield node
    elif isinstance(node, cst.UnaryOperation):
        yield from _calls(node.expression)
    elif isinstance(node, cst.BooleanOperation):
        yield from _calls(node.left)
        yield from _calls(node.right)


def _is_tensor(reader: Reader, node: cst.BaseExpression) -> bool:
    return not any(
        isinstance(value, Ref)
        or (isinstance(value, Instance) and not value.of.name.startswith("torch."))
        for value in reader.values(node)
    )


def _is_store(reader: Reader, node: cst.Subscript) -> bool:
    """Whether a subscript is only written to, with what may be one number: a `masked_fill`."""
    parent = reader.model.parents.get(node)
    if isinstance(parent, cst.AssignTarget):
        statement = reader.model.parents.get(parent)
        return not (isinstance(statement, cst.Assign) and _is_several(reader, statement.value))
    return isinstance(parent, cst.Del)


def _is_several(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a value is surely a tensor of many elements: picked by a mask, or put on a device."""
    if isinstance(node, cst.Subscript):
        index = node.slice[0].slice
        return isinstance(index, cst.Index) and (
            _is_comparison(reader, index.value) or named_mask(index.value)
        )
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in {"to", "reshape", "view", "flatten"}
        and _is_tensor(reader, node.func.value)
    )


def _is_comparison(reader: Reader, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Comparison):
        return len(node.comparisons) == 1 and isinstance(node.comparisons[0].operator, ORDERINGS)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.BitInvert):
        return _is_comparison(reader, node.expression) or named_mask(node.expression)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.BitAnd, cst.BitOr)):
        sides = (node.left, node.right)
        return any(_is_comparison(reader, side) for side in sides) and all(
            _is_comparison(reader, side) or named_mask(side) for side in sides
        )
    if isinstance(node, cst.Name):
        bindings = reader.lookup(node.value, reader.scope_of(node))
        return bool(bindings) and all(
            item.kind == "value"
            and isinstance(item.value, cst.Comparison)
            and _ordering(item.value)
            for item in bindings
        )
    return False


def _ordering(node: cst.Comparison) -> bool:
    return len(node.comparisons) == 1 and isinstance(node.comparisons[0].operator, ORDERINGS)


def named_mask(node: cst.BaseExpression) -> bool:
    """Whether a name says that it is a mask."""
    name = last_name(node).lower()
    return name == "mask" or name.endswith("_mask")
