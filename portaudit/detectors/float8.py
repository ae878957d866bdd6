"""8-bit float types, wherever one is spelled and not only asked about."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.values import Reader

_TYPES = {
    "torch.float8_e4m3fn",
    "torch.float8_e4m3fnuz",
    "torch.float8_e5m2fnuz",
}
"""The types that not every Trainium takes; `float8_e5m2` is not among them."""


@detector("float8-type")
def float8_type(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield mentions of a type that can reach a tensor: no comparison, no annotation."""
    nodes: list[cst.Attribute | cst.Name] = [
        node for node in reader.model.attributes if node.attr.value.startswith("float8_")
    ]
    if any(target in _TYPES for _, target, _ in reader.model.imports):
        nodes += reader.model.names
    for node in nodes:
        named = next((ref.name for ref in reader.refs(node) if ref.name in _TYPES), "")
        if named and _is_spelled(reader, node) and not _is_asked(reader, node):
            yield Spot(node, reader.model.places[node], named)


def _is_spelled(reader: Reader, node: cst.Attribute | cst.Name) -> bool:
    """Whether the type's own name stands here, not that of a variable that holds it."""
    return isinstance(node, cst.Attribute) or any(
        binding.kind == "import" for binding in reader.bindings(node)
    )


def _is_asked(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a type is compared with, or is the key under which something is looked up."""
    parent = reader.model.parents.get(node)
    if isinstance(parent, cst.DictElement):
        return parent.key is node
    while isinstance(parent, (cst.Element, cst.Tuple, cst.List, cst.Set)):
        parent = reader.model.parents.get(parent)
    return isinstance(parent, (cst.Comparison, cst.ComparisonTarget, cst.Del, cst.AssignTarget))
