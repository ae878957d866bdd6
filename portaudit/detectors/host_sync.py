"""Reading a tensor on the host inside a training step: each one waits for the device."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.match.host import COPIES, is_no_tensor, on_host
from portaudit.read.python.nodes import last_name
from portaudit.read.python.values import Reader
from portaudit.types import Confidence

_SPEAKERS = {"print", "float", "int", "bool"}


@detector("host-sync")
def host_sync(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield calls that copy a tensor to the host, inside steps only."""
    model = reader.model
    for call in model.calls:
        place = model.places[call]
        certainty = contexts.step(place)
        if not certainty:
            continue
        if isinstance(call.func, cst.Attribute):
            if (
                call.func.attr.value in COPIES
                and not call.args
                and not is_no_tensor(reader, _copied(call.func.value))
            ) and not _is_inner(reader, call):
                doubt: Confidence | None = None if certainty == "sure" else "low"
                yield Spot(call, place, f".{call.func.attr.value}", doubt)
        elif isinstance(call.func, cst.Name) and call.func.value in _SPEAKERS and call.args:
            if any(_is_loss(item.value) for item in call.args):
                yield Spot(call, place, call.func.value, "low")


@detector("tensor-slice-bound")
def tensor_slice_bound(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield slices that end at a tensor's largest value: `x[:, : lengths.max()]`, in steps only."""
    model = reader.model
    for node in model.subscripts:
        place = model.places[node]
        bounds = [
            bound
            for element in node.slice
            if isinstance(element.slice, cst.Slice)
            for bound in (element.slice.lower, element.slice.upper)
            if bound is not None and _is_read(reader, bound)
        ]
        if bounds and not is_no_tensor(reader, node.value) and contexts.step(place):
            yield Spot(bounds[0], place, "x[: tensor.max()]", "low")


def _is_read(reader: Reader, bound: cst.BaseExpression) -> bool:
    array = _reduced(bound)
    return array is not None and not on_host(reader, array) and not is_no_tensor(reader, array)


def _reduced(node: cst.BaseExpression | None) -> cst.BaseExpression | None:
    """The array that an expression reduces to one element, which stays an array."""
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in {"max", "min", "sum", "amax", "amin"}
        and not node.args
    ):
        return node.func.value
    return None


def _copied(node: cst.BaseExpression) -> cst.BaseExpression:
    """What a chain of copies such as `x.cpu().numpy()` starts from."""
    while (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value in COPIES
    ):
        node = node.func.value
    return node


def _is_inner(reader: Reader, call: cst.Call) -> bool:
    """`x.cpu().numpy()` is one wait: the outer call is reported, the inner ones are not."""
    parent = reader.model.parents.get(call)
    outer = reader.model.parents.get(parent) if parent is not None else None
    return (
        isinstance(parent, cst.Attribute)
        and isinstance(outer, cst.Call)
        and parent.attr.value in COPIES
    )


def _is_loss(node: cst.BaseExpression) -> bool:
    name = last_name(node).lower()
    return name == "loss" or name.endswith("_loss")
