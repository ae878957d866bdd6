"""Tables of names that a module brings in only when somebody asks it for one of them.

Those of `_LazyModule`, of `lazy_loader.attach`, and of a module's own `__getattr__`: dictionaries
from modules to their members, or from a name to the module that has it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import dict_entries, last_name, string_value
from portaudit.read.python.values import Reader

Entry = tuple[cst.CSTNode, str]
"""A node and the name that it brings in."""
_USUAL = "_import_structure"
_MAKERS = (b"attach", b"LazyModule")
"""What a file says that hands its tables to somebody."""
_GROWING = frozenset({"append", "extend", "update"})
_PAIR = 2


def entries(reader: Reader) -> Iterator[Entry]:
    """What the tables of a file bring in, each at its string."""
    makers = _makers(reader)
    for name in sorted(_names(reader, makers)):
        for binding in reader.model.root.bindings.get(name, ()):
            if isinstance(binding.value, cst.Dict):
                yield from _of_dict(reader, binding.value)
        yield from _added(reader, name)
    for call in makers:
        for given in call.args:
            if isinstance(given.value, cst.Dict):
                yield from _of_dict(reader, given.value)
            elif last_name(call.func) == "attach":
                yield from ((node, f".{text}") for node, text in _listed(given.value))


def listings(reader: Reader) -> set[cst.CSTNode]:
    """The statements whose strings only say what others may take: of tables and of `__all__`."""
    model = reader.model
    found = {model.places[node].statement for node, _ in entries(reader)}
    found.update(model.places[node].statement for node in model.names if node.value == "__all__")
    found.update(binding.place.statement for binding in model.root.bindings.get("__all__", ()))
    return found


def _makers(reader: Reader) -> list[cst.Call]:
    """The calls that make the module look names up in tables."""
    if not any(word in reader.source.content for word in _MAKERS):
        return []
    return [
        call
        for call in reader.model.calls
        if (name := last_name(call.func)) == "attach" or "LazyModule" in name
    ]


def _names(reader: Reader, makers: list[cst.Call]) -> set[str]:
    """The names of the module's tables."""
    root = reader.model.root
    found = {_USUAL}
    for binding in root.bindings.get("__getattr__", ()):
        if binding.inner is not None:
            found.update(_read_in(reader, binding.inner))
    for call in makers:
        found.update(given.value.value for given in call.args if isinstance(given.value, cst.Name))
    return {name for name in found if any(map(_is_dict, root.bindings.get(name, ())))}


def _is_dict(binding: Binding) -> bool:
    return isinstance(binding.value, cst.Dict)


def _read_in(reader: Reader, function: Scope) -> Iterator[str]:
    for node in reader.model.names:
        scope: Scope | None = reader.scope_of(node)
        while scope is not None:
            if scope is function:
                yield node.value
            scope = scope.parent


def _added(reader: Reader, name: str) -> Iterator[Entry]:
    """What is added to a table behind its literal: `table["x"] = […]`, `table["x"].append("A")`."""
    for key, bindings in reader.model.members.items():
        if key.startswith(f"{name}["):
            for binding in bindings:
                if binding.value is not None:
                    yield from _entry(reader, key[len(name) + 1 : -1], binding.value)
    for call in reader.model.calls:
        function = call.func
        if not isinstance(function, cst.Attribute) or function.attr.value not in _GROWING:
            continue
        owner = function.value
        for given in call.args[:1]:
            if isinstance(owner, cst.Name) and owner.value == name:
                if isinstance(given.value, cst.Dict):
                    yield from _of_dict(reader, given.value)
            elif isinstance(owner, cst.Subscript) and last_name(owner.value) == name:
                key = next(_texts(owner), "")
                yield from _members(key, [*_listed(given.value), *_itself(given.value)])


def _texts(node: cst.Subscript) -> Iterator[str]:
    for element in node.slice:
        text = string_value(element.slice.value) if isinstance(element.slice, cst.Index) else None
        if text is not None and text[1]:
            yield text[0]


def _of_dict(reader: Reader, node: cst.Dict) -> Iterator[Entry]:
    for key, element in dict_entries(node):
        yield from _entry(reader, key, element.value)


def _entry(reader: Reader, key: str, value: cst.BaseExpression) -> Iterator[Entry]:
    """One line of a table: a module with its members, or a name with its module."""
    members = list(_listed(value))
    if members and len(members) <= _PAIR and "." in members[0][1] and "." not in key:
        node, module = members[0]
        yield node, _member(_module(reader, module), members[-1][1] if members[1:] else key)
    elif isinstance(value, (cst.List, cst.Tuple, cst.Set)):
        yield from _members(key, members)
    else:
        for node, module in _itself(value):
            yield node, _member(_module(reader, module), key)


def _members(key: str, members: list[tuple[cst.BaseExpression, str]]) -> Iterator[Entry]:
    """Members of a module, which is spelled relative to the package that has the table."""
    module = key if key.startswith(".") else f".{key}"
    yield from ((node, f"{module}.{name}") for node, name in members if key)


def _member(module: str, name: str) -> str:
    return module if module.endswith(f".{name}") and module.count(".") > 1 else f"{module}.{name}"


def _module(reader: Reader, text: str) -> str:
    """A module of a name's entry: absolute if that leads into the tree, else beside the table."""
    module = text.replace(":", ".")
    if module.startswith(".") or ("." in module and reader.is_open(module)):
        return module
    return f".{module}"


def _listed(node: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, str]]:
    if isinstance(node, (cst.List, cst.Tuple, cst.Set)):
        for element in node.elements:
            yield from _itself(element.value)


def _itself(node: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, str]]:
    text = string_value(node)
    if text is not None and text[1] and text[0]:
        yield node, text[0]
