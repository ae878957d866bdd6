"""What a file calls of other modules: the ends of the threads that lead from a kernel to its users.

Names of the standard library, of NumPy and of torch itself are left out, `torch.ops` aside.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import libcst as cst

from portaudit.read.python.model import Branch, Scope
from portaudit.read.python.nodes import dotted, string_value
from portaudit.read.python.values import Reader
from portaudit.types import Called, Ref

_USUAL = frozenset(sys.stdlib_module_names) | {"numpy", "np", "torch"}


def called(reader: Reader) -> tuple[Called, ...]:
    """Each such name with the lines that call it, in the order of the file.

    Of those in the same block of the same function the first: the others run where it does.
    """
    first: dict[tuple[str, bool, Scope, Branch | None], int] = {}
    for call in reader.model.calls:
        function = call.func.value if isinstance(call.func, cst.Subscript) else call.func
        place = reader.model.places[call]
        for name, is_open in (*_names(reader, function), *_told(reader, call)):
            key = name, is_open, place.scope, place.branch
            if key not in first:
                first[key] = reader.span(call).line
    return tuple(Called(name, line, is_open) for (name, is_open, *_), line in first.items())


def _names(reader: Reader, function: cst.BaseExpression) -> Iterator[tuple[str, bool]]:
    known = False
    for value in reader.values(function):
        known = True
        if isinstance(value, Ref):
            usual = value.name.partition(".")[0] in _USUAL
            if value.open or not usual or value.name.startswith("torch.ops."):
                yield value.name, value.open
    if known or not isinstance(function, cst.Attribute):
        return
    name = dotted(function) or ""
    for binding in reader.model.root.bindings.get(name.partition(".")[0], ()):
        if binding.kind == "value" and isinstance(binding.value, cst.Call):
            yield name, False  # a module that something loaded: `ext = load_ext("_ext", [...])`
            return


def _told(reader: Reader, call: cst.Call) -> Iterator[tuple[str, bool]]:
    """A name that is handed over as a string: `getattr(_C, "fwd")`, `lazy("fwd")` of the file.

    What it is looked up in is not known: a question mark stands for it.
    """
    if not isinstance(call.func, cst.Name):
        return
    asked = call.func.value == "getattr"
    own = reader.model.root.bindings.get(call.func.value, ())
    if not asked and not any(binding.kind == "function" for binding in own):
        return
    for item in call.args[1:2] if asked else call.args[:1]:
        found = string_value(item.value)
        if found and found[1] and found[0].isidentifier():
            yield f"?.{found[0]}", False
