"""Assignments that replace parts of a library: `torch.nn.functional.gelu = fast_gelu`.

Settings that are variables by design, and the return of what was there, are no replacements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.model import Branch
from portaudit.read.python.nodes import dotted, last_name, string_value
from portaudit.read.python.values import Reader, argument
from portaudit.types import Ref

_SWITCHES = (
    "torch.backends.",
    "torch._inductor.config",
    "torch._dynamo.config",
    "torch._functorch.config",
)
_PRIVATE = "torch._C."
"""Below it nothing is a setting by design."""
_SAVED = re.compile(r"_*(orig|origin|original|old|saved|prev|previous|real)_", re.IGNORECASE)
"""How a variable is called that keeps what will be put back."""
_CONSTANTS = (cst.Integer, cst.Float, cst.SimpleString)
MODEL_LIBRARIES = frozenset(
    [
        *("accelerate", "deepspeed", "diffusers", "fairscale", "fairseq", "lightning", "megatron"),
        *("mmcv", "mmdet", "mmengine", "nemo", "optimum", "peft", "pytorch_lightning", "timm"),
        *("torchvision", "torchaudio", "transformer_engine", "transformers", "trl", "vllm"),
        *("flash_attn", "xformers"),
    ]
)
"""Libraries of models and trainers, whose replaced parts run on the device."""


@detector("torch-patch")
def torch_patch(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield targets of assignments (and `setattr`) onto names of torch that are no settings."""
    return _patches(reader, _is_torch)


@detector("library-patch")
def library_patch(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield the same for libraries of models and trainers built on torch."""
    return _patches(reader, _is_model_library)


def _patches(reader: Reader, of: Callable[[Ref], bool]) -> Iterator[Spot]:
    model = reader.model
    for node in model.assigns:
        for target in node.targets:
            if type(target.target) is cst.Attribute:
                plain = isinstance(node.value, _CONSTANTS) or _is_plain(node.value)
                if plain and not (dotted(target.target) or "").startswith(_PRIVATE):
                    continue
                name = _patched(reader, target.target, of)
                if name and _is_added(target.target, model.places[node].branch):
                    continue
                if name and not _is_kept(reader, name, node.value):
                    yield Spot(target.target, model.places[node], name)
    for call in model.called.get("setattr", ()):
        if isinstance(call.func, cst.Name):
            base = argument(call, (0,)).value
            for value in reader.values(base):
                if isinstance(value, Ref) and of(value):
                    yield Spot(call, model.places[call], f"{value.name}.{_attribute(call)}")


def _is_added(target: cst.Attribute, branch: Branch | None) -> bool:
    """Whether a name is set only where there is none: `if not hasattr(lib, "new"): lib.new = …`."""
    while branch is not None:
        test, truth = branch.test, branch.truth
        while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            test, truth = test.expression, not truth
        if isinstance(test, cst.Call) and not truth and dotted(test.func) == "hasattr":
            owner, name = argument(test, (0,)).value, argument(test, (1,)).value
            text = string_value(name) if name is not None else None
            same = owner is not None and dotted(owner) == dotted(target.value) is not None
            if same and text == (target.attr.value, True):
                return True
        branch = branch.parent
    return False


def _is_kept(reader: Reader, name: str, value: cst.BaseExpression) -> bool:
    """Whether an assignment saves what was there, or gives it back."""
    owner, _, attribute = name.rpartition(".")
    for ref in reader.refs(value):
        place, _, other = ref.name.rpartition(".")
        if place == owner and (attribute in other or other in attribute):
            return True
        if other == attribute and place.split(".")[0] == owner.split(".")[0] and not ref.open:
            return True  # the same thing of the same library, by where another release has it
    return _SAVED.match(last_name(value)) is not None


def _attribute(call: cst.Call) -> str:
    """The attribute that a `setattr` sets, `*` where it is computed."""
    name = argument(call, (1,)).value
    text = string_value(name) if name is not None else None
    return text[0] if text and text[1] else "*"


def _is_plain(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in {"True", "False", "None"}


def _is_torch(ref: Ref) -> bool:
    return not ref.open and ref.name.split(".")[0] == "torch" and not ref.name.startswith(_SWITCHES)


def _is_model_library(ref: Ref) -> bool:
    return not ref.open and ref.name.split(".", maxsplit=1)[0] in MODEL_LIBRARIES


def _patched(reader: Reader, target: cst.Attribute, of: Callable[[Ref], bool]) -> str:
    for value in reader.values(target.value):
        if isinstance(value, Ref) and of(value):
            name = f"{value.name}.{target.attr.value}"
            return "" if name.startswith(_SWITCHES) else name
    return ""
