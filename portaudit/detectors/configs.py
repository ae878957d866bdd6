"""Compiled operators that a config names for the builders of OpenMMLab's libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.nodes import dict_entries, last_name, string_value
from portaudit.read.python.values import Reader

_OPERATORS: Mapping[str, str] = {
    "DCN": "mmcv.ops.DeformConv2dPack",
    "DCNv2": "mmcv.ops.ModulatedDeformConv2dPack",
}
"""By the names under which MMCV registers them: `mmcv/ops/deform_conv.py` and the like."""
_GROUPS = frozenset({"deform_groups", "deformable_groups"})
"""Keys that a deformable convolution has: other networks are called DCN as well."""


@detector("operator-of-a-config")
def operator_of_a_config(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield the dicts of such a `type`: `dcn=dict(type="DCNv2", deform_groups=1)`."""
    model = reader.model
    for node in model.strings:
        text = string_value(node) if isinstance(node, cst.SimpleString) else None
        if text is None or text[0] not in _OPERATORS:
            continue
        entry = model.parents.get(node)
        whole = model.parents.get(entry) if entry is not None else None
        if isinstance(whole, (cst.Call, cst.Dict)):
            keys = dict(_entries(whole))
            if keys.get("type") is node and not _GROUPS.isdisjoint(keys):
                yield Spot(node, model.places[whole], _OPERATORS[text[0]])


def _entries(node: cst.Call | cst.Dict) -> Iterator[tuple[str, cst.BaseExpression]]:
    """What a dict has under keys that are written down; a call of anything else has nothing."""
    if isinstance(node, cst.Dict):
        for key, element in dict_entries(node):
            yield key, element.value
    elif last_name(node.func) == "dict":
        for item in node.args:
            if item.keyword is not None:
                yield item.keyword.value, item.value
