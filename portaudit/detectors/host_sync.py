"""Reading a tensor on the host inside a training step: each one waits for the device."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.nodes import dotted
from portaudit.read.python.values import Reader
from portaudit.types import Instance, Ref

_METHODS = {"item", "tolist", "cpu", "numpy"}
_SPEAKERS = {"print", "float", "int", "bool"}


@detector("host-sync")
def host_sync(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield calls that copy a tensor to the host, inside steps only."""
    model = reader.model
    for call in model.calls:
        place = model.places[call]
        if not contexts.in_step(place):
            continue
        if isinstance(call.func, cst.Attribute):
            if (
                call.func.attr.value in _METHODS
                and not call.args
                and _may_be_tensor(reader, call.func)
            ) and not _is_inner(reader, call):
                yield Spot(call, place, f".{call.func.attr.value}")
        elif isinstance(call.func, cst.Name) and call.func.value in _SPEAKERS and call.args:
            if any(_is_loss(item.value) for item in call.args):
                yield Spot(call, place, call.func.value, "low")


def _may_be_tensor(reader: Reader, function: cst.Attribute) -> bool:
    """Whether a receiver may be a tensor: no module, no object of another kind."""
    for value in reader.values(function.value):
        if isinstance(value, Ref):
            return False
        if isinstance(value, Instance) and not value.of.open:
            return value.of.name.startswith("torch.")
    return True


def _is_inner(reader: Reader, call: cst.Call) -> bool:
    """`x.cpu().numpy()` is one wait: the outer call is reported, the inner ones are not."""
    parent = reader.model.parents.get(call)
    outer = reader.model.parents.get(parent) if parent is not None else None
    return (
        isinstance(parent, cst.Attribute)
        and isinstance(outer, cst.Call)
        and parent.attr.value in _METHODS
    )


def _is_loss(node: cst.BaseExpression) -> bool:
    name = (dotted(node) or "").rpartition(".")[2].lower()
    return name == "loss" or name.endswith("_loss")
