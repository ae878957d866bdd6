"""Methods that only run where something has a word for them, and what asks for methods without one.

A method of a class that has only bases which are known to call none by its name: none, another
class of the file, `torch.nn.Module`. Of any other class all methods count as used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import libcst as cst

from portaudit.catalogue.options import words
from portaudit.marks import ANY_PART
from portaudit.read.python.model import Scope
from portaudit.read.python.nodes import descendants, last_name, string_value
from portaudit.read.python.spelled import is_telling, spelled
from portaudit.read.python.values import LocalClass, Reader
from portaudit.types import Ref

PLAIN_BASES = frozenset({"object", "ABC", "Protocol", "Generic", "NamedTuple", "Enum", "TypedDict"})
PLAIN_METACLASSES = frozenset({"ABCMeta", "EnumMeta", "type"})
_MODULE = "torch.nn.Module"
_GENERATIONS = 8
_GETTING = frozenset({"attrgetter", "methodcaller"})
_LISTING = frozenset({"getmembers", "getmembers_static", "vars"})
_EVALUATING = frozenset({"eval", "exec"})
_LOOKING = frozenset(
    {"isinstance", "type", "id", "print", "repr", "str", "len", "float", "int", "bool", "hasattr"}
)
"""Functions that call nothing of what they are given."""
_SEEING = _LOOKING | {"issubclass", "super", "fields", "is_dataclass"}
"""Functions that keep nothing of the classes that they are given."""
_PLAIN = frozenset({"classmethod", "override"})
_HOLDING = (cst.FunctionDef, cst.ClassDef, cst.Lambda, cst.Return, cst.Yield)
"""What may have a class later."""
SAYING = frozenset({"__name__", "__qualname__", "__module__", "__doc__"})
"""What says how a class is called, and what it is for."""
_TELLING = SAYING | {"__slots__"}
"""What a class says of itself, in words."""


def calls_back(base: cst.Arg) -> bool:
    """Whether a base class may call methods of its subclasses by their names."""
    node = base.value.value if isinstance(base.value, cst.Subscript) else base.value
    return base.keyword is None and last_name(node) not in PLAIN_BASES


def own_methods(reader: Reader) -> dict[str, list[Scope]]:
    """Methods of the classes of the module, by name, that no base class calls."""
    found: dict[str, list[Scope]] = {}
    known: dict[Scope, bool] = {}
    for node, scope in reader.model.scopes.items():
        owner = scope.parent
        if not isinstance(node, cst.FunctionDef) or owner is None or owner.kind != "class":
            continue
        if owner.parent is not reader.model.root or _is_called(scope.name):
            continue
        if owner not in known:
            known[owner] = _is_quiet(reader, owner)
        if known[owner]:
            found.setdefault(scope.name, []).append(scope)
    return found


def is_only_called(reader: Reader, scope: Scope) -> bool:
    """Whether no decorator of a function or a method of the module, and no base, may call it."""
    node, owner = scope.node, scope.parent
    if not isinstance(node, cst.FunctionDef) or owner is None or _is_called(scope.name):
        return False
    if any(last_name(each.decorator) not in _BARE for each in node.decorators):
        return False
    if owner is reader.model.root:
        return True
    return owner.kind == "class" and owner.parent is reader.model.root and _is_quiet(reader, owner)


_BARE = frozenset({"staticmethod", "classmethod"})
"""Decorators that leave what calls give as it is."""


def _is_called(name: str) -> bool:
    """Whether Python, or who is given modules of torch, calls methods by a name."""
    return (name.startswith("_") and name.endswith("_")) or name in words().called.modules


def _is_quiet(reader: Reader, scope: Scope, depth: int = 0) -> bool:
    """Whether no base of a class calls a method but by the names that are known."""
    node = scope.node
    if not isinstance(node, cst.ClassDef) or depth > _GENERATIONS:
        return False
    for each in node.keywords:
        if each.keyword is None or each.keyword.value != "metaclass":
            return False
        if last_name(each.value) not in PLAIN_METACLASSES:
            return False
    return all(
        each.star == "" and (not calls_back(each) or _is_quiet_base(reader, each, depth))
        for each in node.bases
    )


def _is_quiet_base(reader: Reader, base: cst.Arg, depth: int) -> bool:
    values = reader.values(base.value)
    return bool(values) and all(
        (isinstance(value, Ref) and not value.open and value.name == _MODULE)
        or (isinstance(value, LocalClass) and _is_quiet(reader, value.scope, depth + 1))
        for value in values
    )


# --- what asks without a word ---------------------------------------------------------------------


def asks_for_any(reader: Reader) -> Iterator[str]:
    """Of what a file asks for methods by names that nobody sees.

    The names of what may be modules of the tree, which have none, and empty for any object.
    """
    if any(_is_handed(reader, name) for name in reader.model.names):
        yield ""
    for call in reader.model.calls:
        yield from _asked(reader, call)
    for each in reader.model.attributes:
        if _is_table(reader, each):
            yield from _owners(reader, each.value)


def _is_handed(reader: Reader, name: cst.Name) -> bool:
    """`reduce(getattr, …)`, `get = getattr`."""
    if name.value != "getattr":
        return False
    parent = reader.model.parents.get(name)
    return not (isinstance(parent, cst.Call) and parent.func is name)


def _is_table(reader: Reader, node: cst.Attribute) -> bool:
    """`kind.__dict__[name]`; what an object keeps of its own are no methods."""
    if node.attr.value != "__dict__":
        return node.attr.value == "__getattribute__"
    parent = reader.model.parents.get(node)
    is_filled = isinstance(parent, cst.Attribute) and parent.attr.value in {"update", "setdefault"}
    return not is_filled and not _is_self(reader, node.value)


def _asked(reader: Reader, call: cst.Call) -> Iterator[str]:
    name = last_name(call.func)
    given = [each.value for each in call.args]
    if not given:
        return
    if name in _GETTING or (name in _EVALUATING and isinstance(call.func, cst.Name)):
        if _is_open(reader, given[0]):
            yield ""
    elif name in _LISTING:
        yield from _owners(reader, given[0])
    elif name == "getattr" and len(given) > 1 and not is_looked_at(reader, call):
        if _is_open(reader, given[1]):
            yield from _owners(reader, given[0])
        elif _is_partly_told(reader, given[1]):
            yield from _members(reader, given[0])


def _is_open(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a text may be any name: one that begins or ends in a known way is told as such."""
    text = string_value(node)
    if text is not None and text[1]:
        return False
    texts = spelled(reader, node)
    return not texts or any(ANY_PART in each and not is_telling(each) for each in texts)


def _is_partly_told(reader: Reader, node: cst.BaseExpression) -> bool:
    """`"visit_" + kind`."""
    return any(ANY_PART in each for each in spelled(reader, node))


def _members(reader: Reader, owner: cst.BaseExpression) -> Iterator[str]:
    """What is asked by a part of a name, if it may be an object of another file: `ops.norm`.

    Of anything else that part is told (`offered`); of a module of the tree no methods are meant.
    """
    for value in reader.values(owner):
        if isinstance(value, Ref) and value.open:
            yield value.name


def _owners(reader: Reader, owner: cst.BaseExpression) -> Iterator[str]:
    """What is asked, as far as it may have methods of the tree that are not told already."""
    if _is_self(reader, owner):
        if not _is_all_here(reader, owner):
            yield ""
        return
    if last_name(owner) == "modules":
        return
    if isinstance(owner, cst.Subscript) and last_name(owner.value) == "modules":
        return
    values = reader.values(owner)
    if not values and not reader.holds_options(owner, values):
        yield ""
    for value in values:
        if isinstance(value, Ref):
            yield from (value.name,) if value.open else ()
        elif not isinstance(value, LocalClass):
            yield ""


def _is_self(reader: Reader, owner: cst.BaseExpression) -> bool:
    if not isinstance(owner, cst.Name):
        return False
    method = _method(reader, owner)
    return method is not None and method.self_name == owner.value


def _is_all_here(reader: Reader, owner: cst.BaseExpression) -> bool:
    """Whether an object has no methods of the tree but those of classes of this file."""
    method = _method(reader, owner)
    return method is not None and method.owner is not None and _is_here(reader, method.owner)


def _method(reader: Reader, node: cst.BaseExpression) -> Scope | None:
    """The innermost method around an expression that gets its object."""
    scope: Scope | None = reader.scope_of(node)
    while scope is not None and not scope.self_name:
        scope = scope.parent
    return scope


def _is_here(reader: Reader, scope: Scope, depth: int = 0) -> bool:
    """Whether no base of a class, nor of its bases, may be of another file of the tree."""
    if not isinstance(scope.node, cst.ClassDef) or depth > _GENERATIONS:
        return False
    for each in scope.node.bases:
        values = reader.values(each.value)
        if each.star or not all(
            (isinstance(value, Ref) and not value.open)
            or (isinstance(value, LocalClass) and _is_here(reader, value.scope, depth + 1))
            for value in values
        ):
            return False
        if not values and calls_back(each):
            return False
    return True


def is_looked_at(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether what is got is only compared, or handed to what calls nothing."""
    parent = reader.model.parents.get(node)
    if isinstance(parent, (cst.Comparison, cst.ComparisonTarget, cst.FormattedStringExpression)):
        return True
    outer = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    return isinstance(outer, cst.Call) and _plain_name(outer.func) in _LOOKING


def _plain_name(function: cst.BaseExpression) -> str:
    """The name of a function of Python's own, empty of any other."""
    return function.value if isinstance(function, cst.Name) else ""


def below(reader: Reader, scope: Scope) -> Iterator[Scope]:
    """A class, and those of the file that have it as a base."""
    yield scope
    waiting, seen = [scope], {scope}
    while waiting:
        base = waiting.pop()
        for each in reader.model.scopes.values():
            if each in seen or not isinstance(each.node, cst.ClassDef):
                continue
            named = (reader.values(item.value) for item in each.node.bases)
            if any(isinstance(v, LocalClass) and v.scope is base for found in named for v in found):
                seen.add(each)
                waiting.append(each)
                yield each


# --- classes that a base keeps --------------------------------------------------------------------


def keeps_below(reader: Reader, scope: Scope) -> bool:
    """Whether a class may keep those below it, as its `__init_subclass__` lets them out.

    One that only looks at them, or sets what is theirs alone, keeps none.
    """
    return any(
        binding.inner is None or _lets_out(reader, binding.inner.node)
        for binding in scope.bindings.get("__init_subclass__", ())
    )


def _lets_out(reader: Reader, function: cst.CSTNode) -> bool:
    """Whether a function does anything with its first argument that others may see."""
    if not isinstance(function, cst.FunctionDef):
        return True
    first, *_ = [*function.params.posonly_params, *function.params.params, None]
    decorators = {last_name(each.decorator) for each in function.decorators}
    inside = list(descendants(function.body))
    if first is None or decorators - _PLAIN or any(isinstance(each, _HOLDING) for each in inside):
        return True
    names = [each for each in inside if isinstance(each, cst.Name)]
    own = {first.name.value}
    own.update([_named_part(reader, each) for each in names if each.value in own])
    return not all(_stays(reader, each, own) for each in names if each.value in own | {"locals"})


def _part_of_own(reader: Reader, name: cst.Name) -> cst.CSTNode | None:
    """`cls.__dict__["Config"]` and `cls.__dict__.get("Config")`: what a class has for itself."""
    parents = reader.model.parents
    owner = parents.get(name)
    if not isinstance(owner, cst.Attribute) or owner.attr.value != "__dict__":
        return None
    found = parents.get(owner)
    if isinstance(found, cst.Subscript) and found.value is owner:
        return found
    call = parents.get(found) if isinstance(found, cst.Attribute) else None
    return call if isinstance(call, cst.Call) and last_name(call.func) == "get" else None


def _named_part(reader: Reader, name: cst.Name) -> str:
    """The name that what a class has for itself is given, empty if it is given none."""
    part = _part_of_own(reader, name)
    parent = reader.model.parents.get(part) if part else None
    if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
        return ""
    target = parent.targets[0].target
    return target.value if isinstance(target, cst.Name) else ""


def _stays(reader: Reader, name: cst.Name, own: Collection[str]) -> bool:
    """Whether nobody else gets a class, or a part of it, where it is named."""
    parents = reader.model.parents
    parent = parents.get(name)
    if isinstance(parent, cst.AssignTarget) or _named_part(reader, name):
        return True
    if isinstance(parent, cst.Assign):
        return all(
            isinstance(each.target, cst.Attribute)
            and isinstance(each.target.value, cst.Name)
            and each.target.value.value in own
            for each in parent.targets
        )
    if isinstance(parent, cst.Attribute):
        outer = parents.get(parent)
        is_told = parent.attr.value in _TELLING or isinstance(outer, cst.AssignTarget)
        looked_at = isinstance(outer, (cst.Comparison, cst.ComparisonTarget))
        return is_told or (looked_at and parent.attr.value.startswith("__"))
    if isinstance(parent, cst.Arg):
        call = parents.get(parent)
        return isinstance(call, cst.Call) and _plain_name(call.func) in _SEEING
    return isinstance(parent, (cst.Comparison, cst.FormattedStringExpression, cst.If))
