"""What a file calls of other modules: the ends of the threads that lead from a kernel to its users.

Names of the standard library, of NumPy and of torch itself are left out, `torch.ops` aside.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import libcst as cst

from portaudit.read.python.model import Branch, Scope
from portaudit.read.python.nodes import dotted, last_name, string_value
from portaudit.read.python.values import Reader
from portaudit.types import Called, Ref

_TESTING = (cst.If, cst.IfExp, cst.While, cst.Assert)
"""What only asks whether there is something, where it stands in its condition."""
_LOOKING = frozenset({"hasattr", "getattr", "isinstance"})
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


def held(reader: Reader) -> tuple[Called, ...]:
    """Names of other modules, and modules, that the file hands on or keeps.

    As it brings them in, of those in the same block of the same function the first. Not what it
    calls, or asks whether it is there.
    """
    targets: dict[str, set[str]] = {}
    loaded: set[str] = set()
    model = reader.model
    for scope in (model.root, *model.scopes.values()):
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                if binding.kind == "import" and binding.target.partition(".")[0] not in _USUAL:
                    targets.setdefault(name, set()).add(binding.target)
                elif scope is model.root and isinstance(binding.value, cst.Call):
                    loaded.add(name)
    first: dict[tuple[str, Scope, Branch | None], int] = {}
    for node in model.names if targets or loaded else ():
        if node.value not in targets and node.value not in loaded:
            continue
        whole, members = _whole(reader, node)
        if whole not in model.places or not _is_handed(reader, whole):
            continue
        place = model.places[whole]
        told = {f"{target}{members}" for target in targets.get(node.value, ())}
        if members and node.value in loaded:
            told.add(f"{node.value}{members}")
        for name in sorted(told):
            key = name, place.scope, place.branch
            if key not in first:
                first[key] = reader.span(whole).line
    return tuple(Called(name, line) for (name, *_), line in first.items())


def _whole(reader: Reader, node: cst.Name) -> tuple[cst.BaseExpression, str]:
    """The dotted name that begins with a name, and its members: `.a.b`."""
    parents = reader.model.parents
    whole: cst.BaseExpression = node
    members = ""
    parent = parents.get(node)
    while isinstance(parent, cst.Attribute) and parent.value is whole:
        members += f".{parent.attr.value}"
        whole, parent = parent, parents.get(parent)
    return whole, members


def _is_handed(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether an expression is a value that something else gets."""
    parent = reader.model.parents.get(node)
    if isinstance(parent, (cst.AssignTarget, cst.Del, cst.Annotation, cst.Comparison)):
        return False
    if isinstance(parent, cst.Call):
        return parent.func is not node
    if isinstance(parent, cst.Attribute):
        return False  # a keyword, or a member of that name
    if _is_condition(reader, node):
        return False
    if isinstance(parent, cst.Arg):
        call = reader.model.parents.get(parent)
        if isinstance(call, cst.Call) and call.args and last_name(call.func) in _LOOKING:
            named = [string_value(each.value) for each in call.args[1:2]]
            return last_name(call.func) == "getattr" and not all(named)
    return True


def _is_condition(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether an expression only says what runs."""
    parent = reader.model.parents.get(node)
    while isinstance(parent, (cst.BooleanOperation, cst.UnaryOperation)):
        if isinstance(parent, cst.UnaryOperation):
            return True
        node, parent = parent, reader.model.parents.get(parent)
    return isinstance(parent, _TESTING) and parent.test is node
