"""What tables are asked with, and what functions are given that ask them.

As words of `CodeFacts.asks` and `gives`: `kind` is a setting, `=plain` a written key,
`build(0:kind` a parameter of a function, `@` the type that a config names, `$` a word of the
command line, `~NAMES` another name of the table, `.` says that it is a class's. `None` is what
nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from portaudit.catalogue import options as known
from portaudit.marks import OF_CONFIG, UNWRITTEN
from portaudit.read.python.conditions import attributes, index, is_field, is_self, setting, word
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import last_name, last_part, string_value
from portaudit.read.python.values import Reader, argument

ALIAS = "~"
MEMBER = "."
_DEEPEST = 5
_NOT_FOLLOWED = frozenset({"forward", "call", "main"})
"""Functions that are called by other names than their own."""
_HARMLESS = frozenset(
    {"staticmethod", "classmethod", "cache", "lru_cache", "no_grad", "wraps", "typechecked"}
)
"""Decorators behind which a function is called with what is given."""
_LISTS = (cst.List, cst.Tuple, cst.Set)


class Asking:
    """Answers what keys of a file may be."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._changed = {last_part(node) for node in reader.model.changed}

    def questions(self, node: cst.BaseExpression, depth: int = 0) -> set[str] | None:
        """What a key may be: every way that it may come about, or None if one is not known."""
        text = string_value(node)
        if text is not None:
            return {f"={text[0]}"} if text[1] and word(text[0]) else None
        if depth > _DEEPEST or last_name(node) in self._changed:
            return None
        if isinstance(node, cst.IfExp):
            return _together(self.questions(each, depth + 1) for each in (node.body, node.orelse))
        if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
            return _together(self.questions(each, depth + 1) for each in (node.left, node.right))
        if isinstance(node, cst.Name):
            bindings = self.reader.lookup(node.value, self.reader.scope_of(node))
            return _together(self._bound(each, node, depth) for each in bindings) or None
        if isinstance(node, cst.Attribute) and is_self(self.reader, node.value):
            bindings = attributes(self.reader, node)
            if any(self._is_given(each) for each in bindings):
                return _together(self._bound(each, node, depth) for each in bindings) or None
        if _is_type(node):
            default = argument(node, (1, "default")).value if isinstance(node, cst.Call) else None
            asked = set() if default is None else self.questions(default, depth + 1)
            return None if asked is None else {OF_CONFIG, *asked}
        name = setting(self.reader, node)
        return {name} if name else None

    def _bound(self, binding: Binding, node: cst.BaseExpression, depth: int) -> set[str] | None:
        """What a name or an attribute of the object may be by one of its bindings."""
        if binding.kind == "param":
            return self._given(binding)
        value = binding.value
        if value is None:
            return None
        if binding.kind == "each" and isinstance(value, _LISTS):
            return _together(self.questions(each.value, depth + 1) for each in value.elements)
        if binding.kind != "value" or binding.name != last_name(node):
            return None
        if binding.place.scope is self.reader.model.root and setting(self.reader, node):
            return {setting(self.reader, node)}
        return self.questions(value, depth + 1)

    def _is_given(self, binding: Binding) -> bool:
        """Whether an attribute is what a parameter is."""
        value = binding.value
        return isinstance(value, cst.Name) and any(
            each.kind == "param" for each in self.reader.lookup(value.value, binding.place.scope)
        )

    def config(self, node: cst.BaseExpression) -> set[str] | None:
        """What a registry makes of a config: a dict that has the key, or a name for one."""
        pairs: Iterator[tuple[str, cst.BaseExpression]]
        if isinstance(node, cst.Dict):
            pairs = (
                (text[0], each.value)
                for each in node.elements
                if isinstance(each, cst.DictElement) and (text := string_value(each.key))
            )
        elif isinstance(node, cst.Call) and last_name(node.func) == "dict":
            pairs = ((each.keyword.value, each.value) for each in node.args if each.keyword)
        elif isinstance(node, (cst.Name, cst.Attribute, cst.Subscript, cst.Call)):
            return {OF_CONFIG}
        else:
            return None
        for name, value in pairs:
            if name in known.words().tables.types:
                return self.questions(value)
        return {OF_CONFIG}

    def _given(self, binding: Binding) -> set[str] | None:
        """What a parameter is by default, and the question what the function is given for it."""
        scope = binding.place.scope
        node = scope.node
        if not isinstance(node, cst.FunctionDef) or not _is_plain(scope):
            return None
        if is_field(binding.value) or _is_command(node):
            return {binding.name}
        names = [each.name.value for each in (*node.params.posonly_params, *node.params.params)]
        alone = [each.name.value for each in node.params.kwonly_params]
        name, place = scope.name, "-"
        if binding.name in names:
            place = str(names.index(binding.name) - bool(scope.self_name))
        elif binding.name not in alone:
            return None
        if name == "__init__" and scope.owner:
            name = scope.owner.name
        if name.startswith("__") or name in _NOT_FOLLOWED or binding.name == scope.self_name:
            return None
        found = {f"{name}({place}:{binding.name}"}
        if binding.value is None or last_name(binding.value) == "None":
            return found
        default = self.questions(binding.value)
        return None if default is None else found | default

    def gives(self) -> tuple[tuple[str, str], ...]:
        """What functions are given that the file only calls, each call by itself."""
        calls: dict[str, list[cst.Call]] = {}
        for call in self.reader.model.calls:
            if self._is_of_tree(call.func):
                calls.setdefault(last_name(call.func), []).append(call)
        only = self._only_called(calls)
        found: dict[tuple[str, str], None] = {}
        for name, each in calls.items():
            told = [self._places(call) for call in each] if name in only else []
            known_parts = [parts for parts in told if parts is not None]
            if len(known_parts) == len(each) and any(map(_says, known_parts)):
                found.update(dict.fromkeys((name, " ".join(parts)) for parts in known_parts))
        return tuple(sorted(found))

    def _is_of_tree(self, function: cst.BaseExpression) -> bool:
        """Whether a function is the file's or of another module of the tree."""
        root = function
        while type(root) is cst.Attribute:
            root = root.value
        if type(root) is not cst.Name:
            return False
        bindings = self.reader.lookup(root.value, self.reader.scope_of(root))
        kinds = {"import"} if root is not function else {"import", "function", "class"}
        return (is_self(self.reader, root) and root is not function) or (
            bool(bindings)
            and all(
                each.kind in kinds and (each.kind != "import" or self.reader.is_open(each.target))
                for each in bindings
            )
        )

    def _only_called(self, calls: dict[str, list[cst.Call]]) -> set[str]:
        """The names that mean nothing else in the file than functions that are called."""
        if not calls:
            return set()
        functions = {call.func for each in calls.values() for call in each}
        model = self.reader.model
        otherwise = {node.value for node in model.names if node not in functions}
        otherwise.update([node.attr.value for node in model.attributes if node not in functions])
        renamed = {
            each.target.rpartition(".")[2]
            for scope in (self.reader.model.root, *self.reader.model.scopes.values())
            for bindings in scope.bindings.values()
            for each in bindings
            if each.kind == "import" and each.target.rpartition(".")[2] != each.name
        }
        return {name for name in calls if name not in otherwise and name not in renamed}

    def _places(self, call: cst.Call) -> list[str] | None:
        """What a call gives, by place or by name; None if that cannot be told apart."""
        found: list[str] = []
        for place, item in enumerate(call.args):
            if item.star:
                return None
            slot = item.keyword.value if item.keyword else str(place)
            asked = self.questions(item.value)
            if asked is None:
                found.append(f"{slot}{UNWRITTEN}")
            else:
                found += (
                    f"{slot}{each if each[0] == '=' else f':{each}'}" for each in sorted(asked)
                )
        return found


def _says(parts: Sequence[str]) -> bool:
    """Whether of a call something is known."""
    return any(part[-1] != UNWRITTEN for part in parts)


def _together(parts: Iterable[set[str] | None]) -> set[str] | None:
    found: set[str] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return found


def _is_type(node: cst.BaseExpression) -> bool:
    """`cfg["type"]` of whatever is built by such a dict."""
    key: str | None = None
    if isinstance(node, cst.Subscript):
        key = index(node)
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value in {"get", "pop"} and last_name(node.func.value) != "environ":
            given = argument(node, (0, "key")).value
            text = string_value(given) if given is not None else None
            key = text[0] if text and text[1] else None
    return key in known.words().tables.types


def _is_plain(scope: Scope) -> bool:
    """Whether nothing stands between a function and who calls it."""
    node = scope.node
    decorators = node.decorators if isinstance(node, cst.FunctionDef) else ()
    return all(
        _decorator(each) in _HARMLESS | known.words().declaring.commands | {"command"}
        for each in decorators
    )


def _is_command(node: cst.FunctionDef) -> bool:
    """Whether the parameters of a function are options of the command line."""
    return any(_decorator(each) in known.words().declaring.commands for each in node.decorators)


def _decorator(node: cst.Decorator) -> str:
    function = node.decorator
    return last_name(function.func if isinstance(function, cst.Call) else function)
