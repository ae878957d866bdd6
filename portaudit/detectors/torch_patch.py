"""Assignments that replace a function or class of torch: `torch.nn.functional.gelu = fast_gelu`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.values import Reader, argument
from portaudit.types import Ref

_SWITCHES = (
    "torch.backends.",
    "torch._inductor.config",
    "torch._dynamo.config",
    "torch._functorch.config",
)
_CONSTANTS = (cst.Integer, cst.Float, cst.SimpleString)


@detector("torch-patch")
def torch_patch(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield targets of assignments (and `setattr`) onto names of torch that are no settings."""
    model = reader.model
    for node in model.assigns:
        if isinstance(node.value, _CONSTANTS) or _is_plain(node.value):
            continue
        for target in node.targets:
            if isinstance(target.target, cst.Attribute):
                name = _patched(reader, target.target)
                restored = any(ref.name == name for ref in reader.refs(node.value))
                if name and not restored:
                    yield Spot(target.target, model.places[node], name)
    for call in model.calls:
        if isinstance(call.func, cst.Name) and call.func.value == "setattr":
            base = argument(call, (0,)).value
            for value in reader.values(base):
                if isinstance(value, Ref) and _is_torch(value):
                    yield Spot(call, model.places[call], f"{value.name}.*")


def _is_plain(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in {"True", "False", "None"}


def _is_torch(ref: Ref) -> bool:
    return not ref.open and ref.name.split(".")[0] == "torch" and not ref.name.startswith(_SWITCHES)


def _patched(reader: Reader, target: cst.Attribute) -> str:
    for value in reader.values(target.value):
        if isinstance(value, Ref) and _is_torch(value):
            name = f"{value.name}.{target.attr.value}"
            return "" if name.startswith(_SWITCHES) else name
    return ""
