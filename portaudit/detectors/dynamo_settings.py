"""Settings of torch.compile's front end that ask for graphs of unknown sizes."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.values import Reader
from portaudit.types import Constant

_DYNAMIC = {
    "torch._dynamo.config.assume_static_by_default": False,
    "torch._dynamo.config.capture_dynamic_output_shape_ops": True,
    "torch._dynamo.config.dynamic_shapes": True,
}
"""What each setting is when it lets sizes stay unknown; the other value is the default."""


@detector("dynamic-setting")
def dynamic_setting(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield assignments of the value under which Dynamo keeps sizes that it does not know."""
    for node in reader.model.assigns:
        for item in node.targets:
            target = item.target
            if not isinstance(target, cst.Attribute):
                continue
            for base in reader.refs(target.value):
                name = f"{base.name}.{target.attr.value}"
                wanted = _DYNAMIC.get(name)
                if wanted is not None and Constant(wanted) in reader.values(node.value):
                    yield Spot(target, reader.model.places[node], name)
