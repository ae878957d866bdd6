"""What a file hands to functions by position, and what its own functions take: facts, no judgment.

`attn(x, True)` says nothing of a setting by name, and the default of the parameter that it fills is
worth nothing then; nor is it where the function is handed to somebody who calls it.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence

import libcst as cst

from portaudit.catalogue import options as known
from portaudit.marks import (
    ANY_PART,
    BELOW,
    EITHER,
    FIELDS,
    ITSELF,
    KEPT,
    KEYED,
    LISTED,
    MORE,
    NAMED,
    OBJECT,
    OF_FUNCTION,
    UNPACKED,
    UNWRITTEN,
)
from portaudit.read.python.conditions import attributes, holds, index, is_self, literal
from portaudit.read.python.inherited import fields_of
from portaudit.read.python.methods import is_looked_at
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import SPEAKING, body_of, last_name, last_part, string_value
from portaudit.read.python.objects import Objects
from portaudit.read.python.settings import bases, followed, hands_on
from portaudit.read.python.spelled import spelled as spelled_out
from portaudit.read.python.values import AnyValue, LocalClass, LocalFunction, Reader
from portaudit.types import Ref

_DEEPEST = 4
"""Names for names that are followed."""
_BUILTINS = frozenset(dir(builtins))
_INIT = "__init__"
_MAKING = frozenset({_INIT, "__new__"})
_CALLED = frozenset({"forward", "__call__"})
"""Methods that run where an object is called."""
_CALLING = frozenset(
    {
        *("partial", "partialmethod", "map", "starmap", "imap", "imap_unordered", "apply_async"),
        *("Process", "Thread", "spawn", "start_processes", "submit", "launch", "call"),
    }
)
"""What calls what it is given with arguments by position."""
_PASSING = frozenset({"checkpoint", "checkpoint_sequential", "functional_call", "partial"})
"""What calls its first argument with those behind it."""
_ANY = frozenset({MORE, UNPACKED})
_ASKING = frozenset({"isinstance", "issubclass", "hasattr", "super", "type"})


def handing(reader: Reader) -> tuple[tuple[str, str], ...]:
    """Each function with what it is given by position, each once, in order of the names."""
    found = {*_calls(reader), *_values(reader)}
    found.update((name, "") for name in _bases(reader))
    found.update((f"{name}{OF_FUNCTION}", ITSELF) for name in _otherwise(reader))
    return tuple(sorted(found))


# --- calls ----------------------------------------------------------------------------------------


def _calls(reader: Reader) -> Iterator[tuple[str, str]]:
    declaring = known.words().declaring
    silent = SPEAKING | declaring.options | declaring.commands | declaring.flags
    for call in reader.model.calls:
        last = last_name(call.func)
        if not call.args or last in silent:
            continue
        called = list(_called(reader, call))
        if not called and last not in _PASSING:
            continue  # of a library
        words = list(_words(reader, call))
        if words:
            if last in _PASSING and words[0] not in _ANY:
                yield EITHER, " ".join(words[1:]) or MORE
            for name, bound in called:
                said = words if words[0] in _ANY else words[bound:]
                if name and said:
                    yield name, " ".join(said)


def _words(reader: Reader, call: cst.Call) -> Iterator[str]:
    """The arguments that stand for parameters by their places.

    Settings that are unpacked have names of their own, and are known by those.
    """
    for item in call.args:
        if item.star == "**" and not _has_names(reader, item.value):
            yield UNPACKED
            return
    for item in call.args:
        if item.star == "*":
            yield MORE
            return
        if not item.keyword and not item.star:
            yield _word(reader, item.value)


def _word(reader: Reader, node: cst.BaseExpression) -> str:
    value = followed(reader, node)
    for each in (node, value):
        name = spelled(each)
        if name and hands_on(reader, name, each):
            return f".{name}"
    return literal(value) or UNWRITTEN


def spelled(node: cst.BaseExpression) -> str:
    """The last name of an expression: `use_flash` of `cfg.use_flash` and of `cfg["use_flash"]`."""
    return index(node) if isinstance(node, cst.Subscript) else last_name(node)


def _has_names(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether what is unpacked is known by its names: of settings, of what a function was given.

    `d = {**d, "size": 1}` has those that it had before: then nobody knows.
    """
    if depth > _DEEPEST:
        return False
    if isinstance(node, cst.Call) and node.args:
        if last_name(node.func) in {"dict", "vars", "asdict"}:
            given = [item for item in node.args if not item.keyword]
            return all(_has_names(reader, item.value, depth + 1) for item in given)
        return holds(reader, node.args[0].value) or holds(reader, node)
    if isinstance(node, (cst.Dict, cst.DictComp)):
        return isinstance(node, cst.Dict) and all(
            _is_named(each)
            if isinstance(each, cst.DictElement)
            else _has_names(reader, each.value, depth + 1)
            for each in node.elements
        )
    if isinstance(node, cst.BooleanOperation):
        return all(_has_names(reader, side, depth + 1) for side in (node.left, node.right))
    if isinstance(node, cst.Name):
        found = reader.lookup(node.value, reader.scope_of(node))
        if found and all(
            isinstance(each.value, cst.Dict) and _has_names(reader, each.value, depth + 1)
            for each in found
        ):
            return True
    return holds(reader, node)


def _is_named(element: cst.DictElement) -> bool:
    """Whether the key of a dict is written there: not that of `{f"use_{name}": True}`."""
    text = string_value(element.key)
    return text is not None and text[1]


def _called(reader: Reader, call: cst.Call) -> Iterator[tuple[str, int]]:
    """The names of what is called, and how many of its arguments are the object itself."""
    function = call.func
    nameless = _nameless(reader, function)
    if nameless:
        yield nameless, 0
    if isinstance(function, cst.Name):
        yield from ((name, 0) for name in _named(reader, function))
    elif isinstance(function, cst.Attribute):
        method, owner = function.attr.value, function.value
        if isinstance(owner, cst.Call) and last_name(owner.func) == "super":
            yield from ((name, 0) for name in _above(reader, function, method))
        elif method in _MAKING:
            yield last_name(owner), 1
        elif method == "__class__" and is_self(reader, owner):
            yield _class_name(reader, function), 0
        elif not _is_foreign(reader, function):
            yield method, 0
    elif isinstance(function, cst.Call) and last_name(function.func) == "type":
        yield _class_name(reader, function), 0


def _named(reader: Reader, node: cst.Name) -> Iterator[str]:
    found = reader.lookup(node.value, reader.scope_of(node))
    if not found:
        if node.value not in _BUILTINS:
            yield node.value  # from a module that is imported with a star
        return
    for binding in found:
        if binding.kind == "import":
            if reader.is_open(binding.target):
                yield binding.target.rpartition(".")[2]
        elif binding.kind in {"function", "class"}:
            yield binding.name
        elif binding.kind == "param" and binding.place.scope.self_name == node.value:
            yield _class_name(reader, node)  # `cls(x)`


def _nameless(reader: Reader, node: cst.BaseExpression) -> str:
    """What may be called through an expression that says no name of it; empty for nothing."""
    if isinstance(node, cst.Name):
        found = reader.lookup(node.value, reader.scope_of(node))
        others = [each for each in found if each.kind not in {"import", "function", "class"}]
        return _of_bindings(reader, others) if others else ""
    if not isinstance(node, cst.Attribute):
        return EITHER
    if isinstance(node.value, cst.Call) and last_name(node.value.func) == "super":
        return ""
    if node.attr.value in {"apply", *_CALLED}:
        return OBJECT
    if is_self(reader, node.value):
        if any(isinstance(value, LocalFunction) for value in reader.values(node)):
            return ""
        return _of_bindings(reader, attributes(reader, node))
    return "" if _is_foreign(reader, node) else OBJECT


def _of_bindings(reader: Reader, bindings: Sequence[Binding]) -> str:
    """An object, if what is bound is made by a class, or is one of several that are kept."""
    made = (each.value for each in bindings)
    return OBJECT if bindings and all(_is_made(reader, value) for value in made) else EITHER


def _is_made(reader: Reader, node: cst.BaseExpression | None) -> bool:
    """Whether a class makes something, or it is of several that an object keeps: `self.layers`."""
    if isinstance(node, cst.Attribute) and is_self(reader, node.value):
        found = attributes(reader, node)
        return bool(found) and all(
            isinstance(each.value, cst.Call) and last_name(each.value.func)[:1].isupper()
            for each in found
        )
    return isinstance(node, cst.Call) and last_name(node.func)[:1].isupper()


def _above(reader: Reader, node: cst.CSTNode, method: str) -> Iterator[str]:
    """What `super().method` means: of a constructor the bases of its class."""
    if method not in _MAKING:
        yield method
        return
    owner = reader.scope_of(node).owner
    if owner is not None and isinstance(owner.node, cst.ClassDef):
        yield from (last_name(base.value) for base in owner.node.bases)


def _class_name(reader: Reader, node: cst.CSTNode) -> str:
    owner = reader.scope_of(node).owner
    return owner.name if owner else ""


def _is_foreign(reader: Reader, node: cst.Attribute) -> bool:
    """Whether a function belongs to a library, by the module that it is asked of."""
    root: cst.BaseExpression = node
    while isinstance(root, cst.Attribute):
        root = root.value
    if not isinstance(root, cst.Name):
        return isinstance(root, cst.BaseString)
    found = reader.lookup(root.value, reader.scope_of(root))
    return bool(found) and all(
        each.kind == "import" and not reader.is_open(each.target) for each in found
    )


# --- functions that are handed on -----------------------------------------------------------------


def _values(reader: Reader) -> Iterator[tuple[str, str]]:
    """Functions and classes that are no more than named: who gets them may call them."""
    own = {scope.name for scope in reader.model.scopes.values() if scope.kind == "function"}
    parsers = _Parsers(reader)
    for node in reader.model.names:
        if not _is_passed(reader, node):
            continue
        found = reader.lookup(node.value, reader.scope_of(node))
        if not found and reader.model.stars and node.value not in _BUILTINS:
            listed = parsers.read(node)  # from a module that is imported with a star
            if listed != "":
                by_whom = _by_whom(reader, node, node.value)
                yield node.value, by_whom if listed is None else LISTED + listed
        for binding in found:
            name = ""
            if binding.kind in {"function", "class"}:
                name = binding.name
            elif binding.kind == "import" and reader.is_open(binding.target):
                name = binding.target.rpartition(".")[2]
            if not name:
                continue
            listed = parsers.read(node) if binding.kind != "function" else None
            if listed != "":
                yield name, _by_whom(reader, node, name) if listed is None else LISTED + listed
    for attribute in reader.model.attributes:
        name = attribute.attr.value
        is_function = name in own or name[:1].isupper()
        if not (is_function or _is_to_be_called(reader, attribute)):
            continue
        if _is_passed(reader, attribute) and not _is_foreign(reader, attribute):
            yield name, _by_whom(reader, attribute, name)


def _is_to_be_called(reader: Reader, node: cst.Attribute) -> bool:
    """Whether a member is given to what calls it (`pool.submit(net.run, x)`), or called as a name.

    Not what is given to that function besides.
    """
    parent = reader.model.parents.get(node)
    if isinstance(parent, cst.Assign):
        targets = [each.target for each in parent.targets]
        return any(isinstance(each, cst.Name) and _is_called(reader, each) for each in targets)
    call = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    if not isinstance(parent, cst.Arg) or not isinstance(call, cst.Call):
        return False
    if last_part(call.func) not in _CALLING | _PASSING:
        return False
    return parent is call.args[0] or (parent.keyword is not None and not parent.star)


def _otherwise(reader: Reader) -> Iterator[str]:
    """Members that are named but not called there, whatever they are: who gets them may call them.

    Those that only a condition or a member of theirs is asked of are not.
    """
    for attribute in reader.model.attributes:
        if _is_passed(reader, attribute) and not _is_foreign(reader, attribute):
            yield attribute.attr.value
    readers = known.words().tables.readers
    for bindings in reader.model.root.bindings.values():
        if any(b.kind == "import" and b.target.partition(".")[0] in readers for b in bindings):
            yield ANY_PART  # what reads the command line calls what that says
    for call in reader.model.called.get("getattr", ()):
        if len(call.args) > 1 and _may_be_called(reader, call):
            texts = spelled_out(reader, call.args[1].value)
            yield from texts or (ANY_PART,)


def _may_be_called(reader: Reader, call: cst.Call) -> bool:
    """Whether what is looked up is called, or handed to what calls it: no library's, no value."""
    values = reader.values(call.args[0].value)
    if values and all(isinstance(each, Ref) and not each.open for each in values):
        return False
    parent = reader.model.parents.get(call)
    if isinstance(parent, cst.Assign):
        named = (each.target for each in parent.targets)
        return any(not isinstance(each, cst.Name) or _is_called(reader, each) for each in named)
    if isinstance(parent, cst.Arg):
        outer = reader.model.parents.get(parent)
        return isinstance(outer, cst.Call) and last_name(outer.func) in _CALLING | _PASSING
    return isinstance(parent, cst.Call) and parent.func is call


def _is_called(reader: Reader, node: cst.Name) -> bool:
    """Whether the file calls something by a name, or has it for anything but to look at it."""
    return node.value in reader.model.called or any(
        each.value == node.value and _is_passed(reader, each) and not is_looked_at(reader, each)
        for each in reader.model.names
        if each is not node
    )


class _Parsers:
    """Finds what a library's parser is given, which makes objects by the names of their fields."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names: dict[str, list[cst.Name]] = {}
        self._known: dict[Binding, bool] = {}

    def read(self, node: cst.CSTNode) -> str | None:
        """The list of the module by which only parsers get something, empty if they get it at once.

        None for what may go elsewhere too.
        """
        owner = self._outside(node)
        if self._is_parsed(owner):
            return ""
        if not isinstance(owner, (cst.Assign, cst.AnnAssign)):
            return None
        targets = (
            [owner.target]
            if isinstance(owner, cst.AnnAssign)
            else [each.target for each in owner.targets]
        )
        target = targets[0]
        if len(targets) > 1 or not isinstance(target, cst.Name):
            return None
        found = self._reader.lookup(target.value, self._reader.scope_of(owner))
        if not found or not all(self._is_only_parsed(each) for each in found):
            return None
        if found[0] in self._reader.model.root.bindings.get(target.value, ()):
            return target.value
        return "" if found[0].place.scope.kind == "function" else None

    def _outside(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The argument or the statement that something is, or in which it is an item of a list."""
        outer = self._reader.model.parents.get(node)
        while type(outer) in _LISTS and outer is not None:
            outer = self._reader.model.parents.get(outer)
        return outer

    def _is_parsed(self, node: cst.CSTNode | None) -> bool:
        call = self._reader.model.parents.get(node) if isinstance(node, cst.Arg) else None
        if not isinstance(call, cst.Call) or call.func is node:
            return False
        parsers = known.words().declaring.parsers
        values = self._reader.values(call.func)
        return bool(values) and all(
            isinstance(value, Ref) and not value.open and value.name in parsers for value in values
        )

    def _is_target(self, node: cst.Name) -> bool:
        """Whether a name is what a statement gives a value; a second one would be a binding."""
        parent = self._reader.model.parents.get(node)
        is_typed = isinstance(parent, cst.AnnAssign) and parent.target is node
        return is_typed or isinstance(parent, cst.AssignTarget)

    def _is_only_parsed(self, binding: Binding) -> bool:
        """Whether the file does nothing with a list but give it to parsers."""
        if not self._names:
            for node in self._reader.model.names:
                if not self._is_target(node):
                    self._names.setdefault(node.value, []).append(node)
        if binding not in self._known:
            self._known[binding] = binding.kind == "value" and all(
                self._is_parsed(self._outside(node))
                for node in self._names.get(binding.name, ())
                if binding in self._reader.lookup(binding.name, self._reader.scope_of(node))
            )
        return self._known[binding]


def _by_whom(reader: Reader, node: cst.CSTNode, name: str) -> str:
    """Whether only the tree calls what is handed on: a class to whom it is not given to be called.

    Libraries take classes to make them by names, or by nothing.
    """
    parent = reader.model.parents.get(node)
    call = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return KEPT
    if last_part(call.func) in _CALLING:
        return ITSELF
    is_own = any(_is_own(value) for value in reader.values(call.func))
    return KEPT if is_own or name[:1].isupper() else ITSELF


def _is_passed(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a name stands for a value, and is neither called, asked of a member, nor bound."""
    parents = reader.model.parents
    parent = parents.get(node)
    if type(parent) is cst.Attribute:
        return False
    while parent is not None and type(parent) in _LISTS:
        node, parent = parent, parents.get(parent)
    if type(parent) is cst.Call:
        return parent.func is not node
    if type(parent) is cst.Arg:
        outer = parents.get(parent)
        return isinstance(outer, cst.Call) and last_name(outer.func) not in _ASKING
    return type(parent) in _PASSED_BY


_LISTS = frozenset({cst.Tuple, cst.List, cst.Element, cst.StarredElement})
_PASSED_BY = frozenset(
    [
        *(cst.Assign, cst.AnnAssign, cst.NamedExpr, cst.Param, cst.Return, cst.Yield),
        *(cst.DictElement, cst.BooleanOperation, cst.IfExp, cst.Lambda, cst.Set),
        *(cst.For, cst.CompFor, cst.StarredDictElement),
    ]
)
"""Nodes through which a value goes where it may be called."""


def _bases(reader: Reader) -> Iterator[str]:
    """Classes that are made as their bases are: they have no constructor of their own."""
    for scope in reader.model.scopes.values():
        node = scope.node
        if isinstance(node, cst.ClassDef) and _INIT not in scope.bindings:
            for base in node.bases:
                if any(_is_own(value) for value in reader.values(base.value)):
                    yield f"{scope.name}{BELOW}{last_name(base.value)}"


def _is_own(value: AnyValue) -> bool:
    """Whether a class belongs to the tree."""
    return isinstance(value, (LocalClass, LocalFunction)) or bool(getattr(value, "open", False))


# --- what is taken --------------------------------------------------------------------------------


def taking(reader: Reader) -> tuple[tuple[str, str], ...]:
    """Functions with the names of their parameters, and classes with those of their fields."""
    found: dict[tuple[str, str], None] = {}
    objects = Objects(reader)
    for scope in reader.model.scopes.values():
        if isinstance(scope.node, cst.FunctionDef):
            found[_function(scope, scope.node, objects)] = None
        elif isinstance(scope.node, cst.ClassDef) and _INIT not in scope.bindings:
            found[_fields(reader, scope.name, scope.node)] = None
    return tuple(sorted((name, names) for name, names in found if names))


def _function(scope: Scope, node: cst.FunctionDef, objects: Objects) -> tuple[str, str]:
    params = node.params
    names = [each.name.value for each in (*params.posonly_params, *params.params)]
    name = scope.name
    if name in _CALLED:
        name = OBJECT
        names = names[1:]  # the object, or the context of an autograd function
    elif scope.self_name:
        names = names[1:]
        if name in _MAKING and scope.owner is not None:
            name = scope.owner.name
    if params.kwonly_params:
        names += [NAMED, *(each.name.value for each in params.kwonly_params)]
    return name, " ".join(f"{each}{objects.mark(scope, each)}" for each in names)


def _fields(reader: Reader, name: str, node: cst.ClassDef) -> tuple[str, str]:
    """The fields of a class; behind those of a base nobody knows their places."""
    body = body_of(node.body)
    names = [last_name(item.target) for item in body if isinstance(item, cst.AnnAssign)]
    names += [each for each in fields_of(reader, node) if each not in names]
    if names and any(_is_keyed(reader, base.value) for base in node.bases):
        return name, " ".join((KEYED, *names))
    if bases(node):
        names = [NAMED, *names] if names else []
    return name, " ".join((FIELDS, *names)) if names else ""


def _is_keyed(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a base takes fields by their names only: a model of pydantic."""
    keyed = known.words().declaring.keyed
    return any(
        isinstance(value, Ref) and not value.open and value.name in keyed
        for value in reader.values(node)
    )
