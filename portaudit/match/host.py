"""Which values are on the host already: copied there, of NumPy, plain Python. Judges nothing."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from portaudit.read.python.nodes import dotted
from portaudit.read.python.values import AnyValue, Reader
from portaudit.types import Instance, Ref

COPIES = frozenset({"cpu", "item", "numpy", "tolist"})
"""Methods of a tensor that copy it to the host."""
HOST_LIBRARIES = frozenset(
    [
        "numpy",
        "pandas",
        "scipy",
        "cupy",
        "numba",
        "jax",
        "mxnet",
        "tensorflow",
        "paddle",
        "tvm",
        "PIL",
        "cv2",
        "pyarrow",
        "polars",
    ]
)
"""Their objects are no tensors of torch, whatever their methods are called."""
_DEEPEST = 8


def on_host(reader: Reader, node: cst.BaseExpression | None, depth: int = 0) -> bool:
    """Whether a value is surely on the host: every way in which it is bound leads there."""
    if node is None or depth > _DEEPEST:
        return False
    if isinstance(node, cst.Call):
        return _called(reader, node, depth)
    if isinstance(node, (cst.Attribute, cst.Subscript)):
        if isinstance(node, cst.Attribute) and _is_module(reader, node.value):
            return False
        return on_host(reader, node.value, depth + 1)
    if not isinstance(node, cst.Name) or node not in reader.model.places:
        return False
    bindings = reader.bindings(node)
    return bool(bindings) and all(
        binding.kind in {"value", "each"} and on_host(reader, binding.value, depth + 1)
        for binding in bindings
    )


def is_no_tensor(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a value is a thing of another kind: of the host, a module, a library's object.

    A name that is such a thing only after it was something else may still be a tensor.
    """
    if on_host(reader, node):
        return True
    if isinstance(node, cst.Name) and node in reader.model.places:
        bindings = reader.bindings(node)
        if bindings:
            return all(_are_foreign(reader.bound(binding)) for binding in bindings)
    return _are_foreign(reader.values(node))


def _are_foreign(values: Sequence[AnyValue]) -> bool:
    return any(
        isinstance(value, Ref)
        or (isinstance(value, Instance) and value.of.name.split(".")[0] in HOST_LIBRARIES)
        for value in values
    )


def operand(call: cst.Call) -> cst.BaseExpression | None:
    """What an operation works on: its first argument, or the value whose method it is."""
    if call.args and not call.args[0].star and call.args[0].keyword is None:
        return call.args[0].value
    return None


def _called(reader: Reader, node: cst.Call, depth: int) -> bool:
    function = node.func
    if not isinstance(function, cst.Attribute):
        return False
    if _is_module(reader, function.value):
        return (dotted(function) or "").startswith(("np.", "numpy."))
    return function.attr.value in COPIES or (
        function.attr.value not in {"to", "cuda"} and on_host(reader, function.value, depth + 1)
    )


def _is_module(reader: Reader, node: cst.BaseExpression) -> bool:
    return any(
        isinstance(value, Ref) or (isinstance(value, Instance) and value.of.open)
        for value in reader.values(node)
    )
