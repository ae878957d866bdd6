"""Further forms of what `data_dependent` and `host_sync` look for, inside device code.

A form counts only where its own shape shows a tensor: a method that tensors have, a function of
torch, a name that says so. What may as well be a number of the host is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.detectors.data_dependent import ORDERINGS, named_mask
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.match.host import is_no_tensor
from portaudit.read.python.nodes import dotted, last_name, string_value
from portaudit.read.python.values import Reader, argument

_COMPARING = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "bool", "logical_not", "logical_and"})
_FINITE = frozenset({"isnan", "isinf", "isfinite"})
_SAME_KIND = frozenset({"view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous", "to"})
_TORCH_MASKS = frozenset(f"torch.{name}" for name in (*_COMPARING, *_FINITE, "logical_or", "isin"))
_REDUCTIONS = frozenset({"sum", "max", "min", "mean", "norm", "amax", "amin", "prod"})
_TENSOR_METHODS = frozenset(
    [
        *("long", "int", "to", "view", "reshape", "flatten", "squeeze", "unsqueeze", "cpu"),
        *("sum", "diff", "clamp", "round", "bincount", "tolist", "type_as", "expand", "float"),
    ]
)


# --- masks ----------------------------------------------------------------------------------------


@detector("mask-form")
def mask_form(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield `x[:, mask]`, `x[mask.bool()]`, `x[y.ne(0)]` and `x[torch.isfinite(x)]`, all read."""
    for node in reader.model.subscripts:
        place = reader.model.places[node]
        if not contexts.step(place) or _is_store(reader, node) or is_no_tensor(reader, node.value):
            continue
        among_others = len(node.slice) > 1 and any(map(named_mask, _indices(node)))
        if among_others or any(_is_mask_form(reader, index) for index in _indices(node)):
            yield Spot(node, place, "x[mask]", "low")


def _indices(node: cst.Subscript) -> list[cst.BaseExpression]:
    return [item.slice.value for item in node.slice if isinstance(item.slice, cst.Index)]


def _is_store(reader: Reader, node: cst.Subscript) -> bool:
    return isinstance(reader.model.parents.get(node), (cst.AssignTarget, cst.AugAssign, cst.Del))


def _is_mask(reader: Reader, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.BitInvert):
        return _is_mask(reader, node.expression)
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        return isinstance(node.comparisons[0].operator, ORDERINGS)
    return named_mask(node) or _is_mask_form(reader, node)


def _is_mask_form(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a call makes a boolean tensor, or passes a mask on."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.BitInvert):
        return _is_mask_form(reader, node.expression)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.BitAnd, cst.BitOr)):
        return _is_mask_form(reader, node.left) or _is_mask_form(reader, node.right)
    if not isinstance(node, cst.Call):
        return False
    if reader.name(node.func) in _TORCH_MASKS:
        return True
    if not isinstance(node.func, cst.Attribute) or reader.name(node.func):
        return False
    method = node.func.attr.value
    if method in _SAME_KIND:
        return _is_mask(reader, node.func.value)
    return method in _FINITE or (method in _COMPARING and len(node.args) <= 1)


# --- repetitions ----------------------------------------------------------------------------------


@detector("tensor-repeats")
def tensor_repeats(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield `repeat_interleave` by a tensor of counts, without the size that it comes to."""
    for call in reader.model.calls:
        function = call.func
        place = reader.model.places[call]
        if not contexts.step(place) or argument(call, ("output_size",)).value is not None:
            continue
        name = reader.name(function)
        if name == "torch.repeat_interleave":
            counts = argument(call, (1, "repeats")).value
            alone = counts is None and len(call.args) == 1 and not call.args[0].star
            if alone or _is_tensor(reader, counts):
                yield Spot(call, place, name)
        elif isinstance(function, cst.Attribute) and function.attr.value == "repeat_interleave":
            if not name and _is_tensor(reader, argument(call, (0, "repeats")).value):
                yield Spot(call, place, ".repeat_interleave", "low")


def _is_tensor(reader: Reader, node: cst.BaseExpression | None) -> bool:
    """Whether an expression is a tensor by its own shape: a product, a slice, a method's result."""
    if isinstance(node, cst.Name):
        bindings = reader.bindings(node)
        value = bindings[0].value if len(bindings) == 1 else None
        return bindings[0].kind == "value" and _is_tensor(reader, value) if value else False
    if isinstance(node, cst.BinaryOperation):
        return _is_tensor(reader, node.left) or _is_tensor(reader, node.right)
    if isinstance(node, cst.Subscript):
        return len(node.slice) > 1 and any(isinstance(item.slice, cst.Slice) for item in node.slice)
    if not isinstance(node, cst.Call):
        return False
    name = reader.name(node.func)
    if name.startswith("torch."):
        return True
    method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    return not name and method in _TENSOR_METHODS - {"tolist"}


# --- reads and tests ------------------------------------------------------------------------------


@detector("host-read-form")
def host_read_form(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield `x.to("cpu")`, `int(x.max())`, `range(n.max())` and `math.isnan(loss)` in steps."""
    for call in reader.model.calls:
        place = reader.model.places[call]
        if not contexts.step(place):
            continue
        function = call.func
        if isinstance(function, cst.Attribute) and function.attr.value == "to":
            moved = _is_cpu(argument(call, (0, "device")).value)
            if moved and not reader.name(function) and not is_no_tensor(reader, function.value):
                yield Spot(call, place, '.to("cpu")', "low")
        elif isinstance(function, cst.Name) and function.value in {"int", "float", "bool", "range"}:
            if any(_reduction(reader, item.value) for item in call.args):
                yield Spot(call, place, function.value, "low")
        elif reader.name(function) in {"math.isnan", "math.isinf", "math.isfinite"}:
            if any(_is_loss(reader, item.value) for item in call.args):
                yield Spot(call, place, reader.name(function), "low")


def _is_cpu(node: cst.BaseExpression | None) -> bool:
    if isinstance(node, cst.Call) and (dotted(node.func) or "").endswith("device") and node.args:
        node = node.args[0].value
    return node is not None and string_value(node) == ("cpu", True)


def _reduction(reader: Reader, node: cst.BaseExpression) -> str:
    """The reduction whose result, one number still on the device, an expression is made of."""
    if isinstance(node, cst.BinaryOperation):
        return _reduction(reader, node.left) or _reduction(reader, node.right)
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return ""
    name, method = reader.name(node.func), node.func.attr.value
    if name:
        known = {f"torch.{item}" for item in _REDUCTIONS}
        return name if name in known and len(node.args) == 1 else ""
    if node.args or method not in _REDUCTIONS | {"any", "all"}:
        return ""
    return "" if is_no_tensor(reader, node.func.value) else f".{method}"


def _is_loss(reader: Reader, node: cst.BaseExpression) -> bool:
    name = last_name(node).lower()
    if name != "loss" and not name.endswith("_loss"):
        return False
    return not (
        isinstance(node, cst.Name)
        and any(_is_number(binding.value) for binding in reader.bindings(node))
    )


def _is_number(node: cst.BaseExpression | None) -> bool:
    """Whether a value was already read: `loss.item()`, `float(loss)`, a literal."""
    if isinstance(node, (cst.Integer, cst.Float)):
        return True
    if not isinstance(node, cst.Call):
        return False
    method = node.func.attr.value if isinstance(node.func, cst.Attribute) else dotted(node.func)
    return method in {"item", "float", "int"}


@detector("tensor-test")
def tensor_test(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield tests of `torch.isnan(loss)` or `x.sum() > 0`, and asserts on a tensor's values."""
    model = reader.model
    for owner, test, _, _, _ in model.tests:
        place = model.places.get(test)
        if place is None or not contexts.step(place):
            continue
        for part in _parts(test):
            if isinstance(part, cst.Comparison):
                sides = [part.left, *(item.comparator for item in part.comparisons)]
                asked = isinstance(part.comparisons[0].operator, ORDERINGS)
                found = next(filter(None, (_reduction(reader, side) for side in sides)), "")
                if asked and found:
                    yield Spot(part, place, found, "low")
            elif isinstance(part, cst.Call):
                name = reader.name(part.func)
                method = part.func.attr.value if isinstance(part.func, cst.Attribute) else ""
                if name.removeprefix("torch.") in _FINITE and name.startswith("torch."):
                    yield Spot(part, place, name, "low")
                elif not name and method in _FINITE and not part.args:
                    yield Spot(part, place, f".{method}", "low")
                elif isinstance(owner, cst.Assert) and name in {"torch.any", "torch.all"}:
                    yield Spot(part, place, name, "low")
                elif isinstance(owner, cst.Assert) and method in {"any", "all"} and not part.args:
                    if not name and not is_no_tensor(reader, _receiver(part)):
                        yield Spot(part, place, f".{method}", "low")


def _receiver(call: cst.Call) -> cst.BaseExpression:
    return call.func.value if isinstance(call.func, cst.Attribute) else call.func


def _parts(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a condition is made of, without `not`, `and` and `or`."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield from _parts(node.expression)
    elif isinstance(node, cst.BooleanOperation):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield node


# --- indices --------------------------------------------------------------------------------------


@detector("expanded-index")
def expanded_index(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield `gather` and `scatter` by an index that repeats itself along a dimension."""
    for call in reader.model.calls:
        place = reader.model.places[call]
        if not contexts.step(place) or not isinstance(call.func, cst.Attribute):
            continue
        name = reader.name(call.func)
        method = call.func.attr.value
        if method not in _INDEXED or (name and name != f"torch.{method}"):
            continue
        first = int(bool(name))
        index = argument(call, (first + 1, "index")).value
        if _is_expanded(reader, index) and _is_dimension(argument(call, (first, "dim")).value):
            yield Spot(call, place, name or f".{method}", None if name else "low")


_INDEXED = frozenset({"gather", "scatter", "scatter_", "scatter_add", "scatter_add_"})


def _is_dimension(node: cst.BaseExpression | None) -> bool:
    """Whether an argument is the number of a dimension: what a tensor's method takes first."""
    if isinstance(node, cst.UnaryOperation):
        return _is_dimension(node.expression)
    return isinstance(node, cst.Integer) or "dim" in (dotted(node) or "")


def _is_expanded(reader: Reader, node: cst.BaseExpression | None) -> bool:
    if isinstance(node, cst.Name):
        bindings = reader.bindings(node)
        if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].value is node:
            return False
        node = bindings[0].value
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return False
    return node.func.attr.value in {"expand", "expand_as", "repeat"} and not reader.name(node.func)
