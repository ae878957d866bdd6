"""Bundles of resources that Ray is asked for, with GPUs among them: `[{"GPU": 1, "CPU": 1}]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.nodes import dict_entries
from portaudit.read.python.values import Reader, argument

_ASKING: Mapping[str, Sequence[int | str]] = {
    "ray.util.placement_group": (0, "bundles"),
    "ray.util.placement_group.placement_group": (0, "bundles"),
    "ray.train.ScalingConfig": ("resources_per_worker",),
    "ray.air.ScalingConfig": ("resources_per_worker",),
    "ray.air.config.ScalingConfig": ("resources_per_worker",),
}
"""By what is called: the argument that has bundles."""
_NAME = "GPU"


@detector("ray-gpu-bundle")
def ray_gpu_bundle(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield the dicts with GPUs that a placement group is made of, or a worker gets."""
    model = reader.model
    seen: set[cst.CSTNode] = set()
    for call in model.calls:
        for ref in reader.refs(call.func):
            given = argument(call, _ASKING[ref.name]).value if ref.name in _ASKING else None
            for bundle in _bundles(reader, given) if given is not None else ():
                if bundle not in seen and _has_gpus(bundle):
                    seen.add(bundle)
                    yield Spot(bundle, model.places[bundle], f'{ref.name}({{"{_NAME}": …}})')


def _bundles(reader: Reader, node: cst.BaseExpression) -> Iterator[cst.Dict]:
    """The dicts of a list as it is written, or as the variable got it."""
    if isinstance(node, cst.Name):
        for binding in reader.bindings(node):
            if binding.value is not None and not isinstance(binding.value, cst.Name):
                yield from _bundles(reader, binding.value)
    elif isinstance(node, cst.Dict):
        yield node
    elif isinstance(node, (cst.List, cst.Tuple)):
        for element in node.elements:
            yield from _bundles(reader, element.value)
    elif isinstance(node, cst.ListComp):
        yield from _bundles(reader, node.elt)
    elif isinstance(node, cst.BinaryOperation):  # `[bundle] * workers`
        yield from _bundles(reader, node.left)
        yield from _bundles(reader, node.right)


def _has_gpus(bundle: cst.Dict) -> bool:
    """Whether a bundle asks for GPUs, as far as the number is written down."""
    value = next((item.value for key, item in dict_entries(bundle) if key == _NAME), None)
    return value is not None and not (isinstance(value, cst.Integer) and value.value == "0")
