"""Names of a file that code elsewhere may call without a word of it: no judgment, only facts.

What a decorator takes, what a base class calls, what is looked up by a name that is made at run
time. Whether anything else uses a name is for whoever has seen all files.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator

import libcst as cst

from portaudit.marks import ANY_MEMBER, ANY_METHOD, ANY_PART, BELOW, HANDED, RETURNED
from portaudit.read.python.conditions import is_self
from portaudit.read.python.methods import (
    PLAIN_METACLASSES,
    asks_for_any,
    below,
    calls_back,
    keeps_below,
)
from portaudit.read.python.model import Scope
from portaudit.read.python.nodes import descendants, dotted, last_name, string_value
from portaudit.read.python.spelled import is_telling, spelled
from portaudit.read.python.unseen import made_modules
from portaudit.read.python.values import (
    AnyValue,
    LocalClass,
    LocalFunction,
    LocalObject,
    Reader,
)
from portaudit.types import Ref

_PLAIN_ROOTS = frozenset(
    {"abc", "contextlib", "dataclasses", "functools", "torch", "triton", "typing"}
)
_PLAIN = frozenset(
    {"staticmethod", "classmethod", "property", "overload", "setter", "getter", "deleter"}
)
"""Decorators of these change a function, and hand it to nobody."""
_TAKING = frozenset({"register", "library", "custom_op", "impl"})
"""But those with such a word do."""
_LIBRARIES = frozenset({"torch", "numpy", "torchvision", "transformers"})
"""Packages whose members are often looked up, none of them of the tree."""
_LOADING = frozenset({"torch.utils.cpp_extension.load", "torch.utils.cpp_extension.load_inline"})
_REGISTERED = ("torch.ops", "torch.classes")
"""Of torch, where operators of anybody are."""
_LOCATING = frozenset({"pkgutil.resolve_name", "pydoc.locate"})
"""Functions that give what a whole name is of."""
_ASKING = frozenset(
    {"getattr", "hasattr", "isinstance", "issubclass", "type", "id", "print", "repr", "str", "len"}
)
"""Functions that look up nothing of what they are given, but by a name that is written there."""
_GETTING = frozenset({"attrgetter", "methodcaller"})
_LISTING = frozenset({"getmembers", "getmembers_static", "dir"})
"""Calls that give all members of what they are given."""
_KEEPING = _ASKING | _LISTING | {"vars", "reload"}
"""Calls of which none hands on what it is given, as far as that is not looked at elsewhere."""
_LOOKING_UP = sorted(_GETTING | _LISTING | {"getattr", "globals", "vars", "eval", "exec"})
"""Calls that look up names."""
_NAMED = frozenset({cst.Name, cst.Attribute})
_WORD = re.compile(r"[^\W\d]\w*")
_MANGLED = re.compile(r"_[^\W_]\w*?(__\w*[^\W_]_?)")
"""A private name with its class in front, as it is said outside of that."""


def offered(
    reader: Reader,
    tables: Container[cst.CSTNode] = (),
    methods: Container[Scope] = (),
    packages: Container[str] = (),
    but: Container[cst.Call] = (),
) -> Iterator[str]:
    """The names, some more than once.

    `tables`: decorators that hand nothing to anybody else · `methods`: those that no base calls ·
    `packages`: libraries, by their first names · `but`: calls that look up what is told elsewhere.
    """
    model = reader.model
    for asked in asks_for_any(reader):
        yield asked + ANY_METHOD
    for node, scope in ((model.module, model.root), *model.scopes.items()):
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            if any(each not in tables and _hands_on(reader, each) for each in node.decorators):
                yield node.name.value
        if isinstance(node, cst.ClassDef):
            yield from _of_bases(reader, node, scope, methods)
        yield from _of_imports(reader, scope, packages)
    looking = [call for name in _LOOKING_UP for call in model.called.get(name, ())]
    for call in dict.fromkeys((*looking, *reader.calls_of(_LOCATING))):
        if call not in but:
            yield from looked_up(reader, call)
    for call in model.calls:
        yield from _handed(reader, call)
    for item in model.subscripts:
        yield from _of_table(reader, item)
    yield from _unmangled(reader)
    for attribute in model.attributes:
        if attribute.attr.value == "__subclasses__":
            yield from (BELOW + name for name in _asked_below(reader, attribute))
        elif attribute.attr.value in {"__dict__", "__getattribute__"}:
            for value in reader.values(attribute.value):
                if isinstance(value, Ref) and (value.open or not _is_public(value.name)):
                    yield value.name + ANY_MEMBER


def _asked_below(reader: Reader, attribute: cst.Attribute) -> Iterator[str]:
    """The classes whose subclasses are asked for: `cls.__subclasses__()`, `type(self)`, an alias.

    Any, where a variable has them of which nothing is known.
    """
    owner: cst.BaseExpression = attribute.value
    call = reader.model.parents.get(attribute)
    if dotted(owner) == "type" and isinstance(call, cst.Call) and call.args:
        owner = call.args[0].value
    if isinstance(owner, cst.Call) and dotted(owner.func) == "type" and len(owner.args) == 1:
        owner = owner.args[0].value
    elif isinstance(owner, cst.Attribute) and owner.attr.value == "__class__":
        owner = owner.value
    own = reader.scope_of(attribute).owner
    if is_self(reader, owner) and own is not None:
        yield own.name
        return
    found = {
        each.scope.name if isinstance(each, (LocalClass, LocalObject)) else _last(each)
        for each in reader.values(owner)
    }
    if isinstance(owner, cst.Name) and not reader.lookup(owner.value, reader.scope_of(owner)):
        found.add(owner.value)  # of a star import
    known = sorted(found - {""})
    if known or _gets_some(reader.scope_of(attribute).node):
        yield from known or (ANY_PART,)


def _gets_some(function: cst.CSTNode) -> bool:
    """Whether code may have classes of it, of which it asks: it gives, keeps or makes something.

    What only does something to each (`patch(each); seen.add(each)`) makes none of them.
    """
    if not isinstance(function, cst.FunctionDef):
        return True
    loops = {
        dotted(node.target)
        for node in descendants(function)
        if isinstance(node, (cst.For, cst.CompFor))
    }
    return any(
        isinstance(node, cst.Yield)
        or (isinstance(node, cst.Return) and node.value is not None)
        or (isinstance(node, cst.AssignTarget) and not isinstance(node.target, cst.Name))
        or (isinstance(node, cst.Call) and dotted(node.func) in loops)
        for node in descendants(function)
    )


def _last(value: AnyValue) -> str:
    """The last part of a class's name, empty for what is none."""
    return value.name.rpartition(".")[2] if isinstance(value, Ref) else ""


def _unmangled(reader: Reader) -> Iterator[str]:
    """The methods that are meant by names as Python keeps them: `norm._Norm__run`."""
    said = [each.attr.value for each in reader.model.attributes]
    said.extend(text[0] for each in reader.model.strings if (text := string_value(each)))
    for name in said:
        found = _MANGLED.fullmatch(name)
        if found:
            yield found[1]


def _hands_on(reader: Reader, decorator: cst.Decorator) -> bool:
    """Whether a decorator may tell somebody of the function, as those that register it do."""
    node = decorator.decorator
    while isinstance(node, cst.Call):
        node = node.func
    name = reader.name(node) or last_name(node)
    parts = name.split(".")
    if parts[-1] in _PLAIN:
        return False
    return parts[0] not in _PLAIN_ROOTS or not _TAKING.isdisjoint(_words(parts))


def _words(parts: list[str]) -> set[str]:
    return {word for part in parts for word in part.split("_")} | set(parts)


def _of_bases(
    reader: Reader, node: cst.ClassDef, scope: Scope, methods: Container[Scope]
) -> Iterator[str]:
    """What a class gets from its bases: they may call its methods, or keep a list of classes."""
    if any(map(calls_back, node.bases)):
        yield from _methods(scope, methods)
    for base in node.bases:
        if any(_is_own(value) for value in reader.values(base.value)):
            yield node.name.value + BELOW + last_name(base.value)
    metaclasses = {
        last_name(each.value)
        for each in node.keywords
        if each.keyword is not None and each.keyword.value == "metaclass"
    }
    if keeps_below(reader, scope) or metaclasses - PLAIN_METACLASSES:
        yield BELOW + node.name.value


def _is_own(value: AnyValue) -> bool:
    """Whether a class belongs to the tree."""
    return isinstance(value, LocalClass) or (isinstance(value, Ref) and value.open)


def _methods(scope: Scope, but: Container[Scope] = ()) -> Iterator[str]:
    for bindings in scope.bindings.values():
        for binding in bindings:
            if binding.kind == "function" and binding.inner not in but:
                yield binding.name


def _of_imports(reader: Reader, scope: Scope, packages: Container[str]) -> Iterator[str]:
    for bindings in scope.bindings.values():
        for binding in bindings:
            if binding.kind == "import" and not is_class_of(reader, binding.target, packages):
                yield from _renamed(binding.name, binding.target)


def is_class_of(reader: Reader, target: str, packages: Container[str]) -> bool:
    """Whether what is imported is the class of a library: no class of the tree is meant.

    Functions may be those of an extension that the tree builds under the library's name.
    """
    is_known = target.partition(".")[0] in packages and not reader.is_open(target)
    return is_known and target.rpartition(".")[2][:1].isupper()


def _renamed(name: str, target: str) -> Iterator[str]:
    """What an import calls otherwise here."""
    own = target.rpartition(".")[2]
    if own and own != name:
        yield own


def _handed(reader: Reader, call: cst.Call) -> Iterator[str]:
    """What a call is given that may be a module: who gets it may look up any name there."""
    if last_name(call.func) in _KEEPING:
        return
    for each in call.args:
        if type(each.value) in _NAMED:
            for value in reader.values(each.value):
                if isinstance(value, Ref) and value.open:
                    yield HANDED + value.name


def _located(reader: Reader, call: cst.Call) -> Iterator[str]:
    """`pydoc.locate(name)`: a member of the module that the name begins with, or of any here."""
    for text in spelled(reader, call.args[0].value) or (ANY_PART,):
        module = text.replace(":", ".").rpartition(".")[0]
        if module and ANY_PART not in module:
            yield module + ANY_MEMBER
        elif ANY_PART in text:
            yield from _everything(reader)
            yield from _brought(reader)


def _brought(reader: Reader) -> Iterator[str]:
    """Whatever the file brings in of the tree: some of it may be modules."""
    for bindings in reader.model.root.bindings.values():
        for binding in bindings:
            if binding.kind == "import" and reader.is_open(binding.target):
                yield HANDED + binding.target


def looked_up(reader: Reader, call: cst.Call) -> Iterator[str]:
    """`getattr(module, name)` and its like, with a name that is no literal; `eval(name)`."""
    name = last_name(call.func)
    if name in _GETTING and call.args:
        yield from _begun(reader, call.args[0].value)
    elif name in _LISTING and (isinstance(call.func, cst.Name) or name != "dir"):
        if call.args:
            yield from _members(reader, call.args[0].value)
        elif name == "dir":
            yield from _everything(reader)
    elif name == "globals" and not call.args:
        yield from _of_globals(reader, call)
    elif call.args and any(ref.name in _LOCATING for ref in reader.refs(call.func)):
        yield from _located(reader, call)
    if not isinstance(call.func, cst.Name) or not call.args:
        return
    owner, *asked = (each.value for each in call.args)
    if name == "getattr" and asked and not _is_literal(asked[0]):
        yield from _members(reader, owner)
        if _may_have(reader, owner):
            yield from _begun(reader, asked[0])
    elif name == "vars":
        yield from _members(reader, owner)
    elif name in {"eval", "exec"}:
        yield from _evaluated(reader, owner)


def _is_literal(node: cst.BaseExpression) -> bool:
    text = string_value(node)
    return text is not None and text[1]


def _may_have(reader: Reader, owner: cst.BaseExpression) -> bool:
    """Whether members of some class or object are asked for, not those of a known module."""
    values = reader.values(owner)
    return not values or not all(
        isinstance(value, Ref)
        and (not value.open or not value.name.rpartition(".")[2][:1].isupper())
        for value in values
    )


def _begun(reader: Reader, node: cst.BaseExpression) -> Iterator[str]:
    """Names of which only the beginning or the end is known, with `*` for what is not."""
    for text in spelled(reader, node):
        if ANY_PART in text and is_telling(text):
            yield text


def _evaluated(reader: Reader, node: cst.BaseExpression) -> Iterator[str]:
    """What code in a text may use: the names in it, or if it is not known any that are here."""
    texts = spelled(reader, node)
    for text in texts:
        if ANY_PART not in text:
            yield from _WORD.findall(text)
        elif is_telling(text):
            yield text
        else:
            yield from _everything(reader)
            yield from _brought(reader)
            return


def _of_globals(reader: Reader, call: cst.Call) -> Iterator[str]:
    """`globals()[name]`, `globals().get(name)`: not what is only added, or said by a literal."""
    parent = reader.model.parents.get(call)
    asked: cst.BaseExpression | None = None
    if isinstance(parent, cst.Subscript) and isinstance(parent.slice[0].slice, cst.Index):
        asked = parent.slice[0].slice.value
    elif isinstance(parent, cst.Attribute):
        if parent.attr.value in {"update", "setdefault"} or _lists_names(reader, parent):
            return
        outer = reader.model.parents.get(parent)
        if isinstance(outer, cst.Call) and outer.args and parent.attr.value in {"get", "pop"}:
            asked = outer.args[0].value
    elif isinstance(parent, (cst.Arg, cst.ComparisonTarget)):
        return  # `eval(text, globals())`, `"x" in globals()`
    if asked is not None and _is_literal(asked):
        return
    begun = [] if asked is None else list(_begun(reader, asked))
    yield from begun or _everything(reader)


def _lists_names(reader: Reader, keys: cst.Attribute) -> bool:
    """Whether names are only listed for `import *`: `__all__ = [k for k in globals().keys()]`."""
    return keys.attr.value == "keys" and any(
        each is keys
        for assign in reader.model.assigns
        if all(last_name(target.target) == "__all__" for target in assign.targets)
        for each in descendants(assign.value)
    )


def _everything(reader: Reader) -> Iterator[str]:
    """All names of the file, also those that it imports."""
    yield ANY_MEMBER
    for bindings in reader.model.root.bindings.values():
        for binding in bindings:
            if binding.kind == "import" and reader.is_open(binding.target):
                yield binding.target.rpartition(".")[2] or binding.name
    yield from (module + ANY_MEMBER for module, _ in reader.model.stars if reader.is_open(module))


def _of_table(reader: Reader, item: cst.Subscript) -> Iterator[str]:
    """`module.__dict__[name]` and `locals()[name]`."""
    table = item.value
    if isinstance(table, cst.Attribute) and table.attr.value == "__dict__":
        yield from _members(reader, table.value)
    elif isinstance(table, cst.Call) and last_name(table.func) == "locals":
        yield ANY_MEMBER


def _members(reader: Reader, owner: cst.BaseExpression) -> Iterator[str]:
    for value in reader.values(owner):
        if isinstance(value, Ref) and (value.open or not _is_public(value.name)):
            yield value.name + ANY_MEMBER
        elif isinstance(value, LocalClass):
            yield from _methods(value.scope)
    if isinstance(owner, cst.Name):
        scope: Scope | None = reader.scope_of(owner)
        while scope is not None and scope.self_name != owner.value:
            scope = scope.parent
        if scope is not None and scope.owner is not None:
            for each in below(reader, scope.owner):
                yield from _methods(each)
    for name in (*made_modules(reader, owner), *_returning(reader, owner)):
        yield name + ANY_MEMBER
    if isinstance(owner, cst.Subscript) and last_name(owner.value) == "modules":
        index = owner.slice[0].slice
        text = string_value(index.value) if isinstance(index, cst.Index) else None
        if text and text[1]:
            yield text[0] + ANY_MEMBER
    if _is_own_module(owner):
        yield from _everything(reader)


def _returning(reader: Reader, owner: cst.BaseExpression) -> Iterator[str]:
    """The functions of the tree, and torch's `load()`, whose result a name stands for."""
    if not isinstance(owner, cst.Name) or owner not in reader.model.places:
        return
    for binding in reader.bindings(owner):
        call = binding.value if binding.kind == "value" else None
        if isinstance(call, cst.Call):
            for value in reader.values(call.func):
                if isinstance(value, Ref) and (value.open or value.name in _LOADING):
                    yield value.name + RETURNED
                elif isinstance(value, LocalFunction):
                    yield last_name(call.func) + RETURNED


def _is_public(name: str) -> bool:
    """Whether it cannot be a compiled module of the tree: those are known only when it is built."""
    if name.startswith(_REGISTERED):
        return False
    top, _, rest = name.partition(".")
    return top in _LIBRARIES or (top in sys.stdlib_module_names and not rest.startswith("_"))


def _is_own_module(owner: cst.BaseExpression) -> bool:
    """`sys.modules[__name__]`."""
    return (
        isinstance(owner, cst.Subscript)
        and last_name(owner.value) == "modules"
        and any(
            isinstance(each.slice, cst.Index) and last_name(each.slice.value) == "__name__"
            for each in owner.slice
        )
    )
