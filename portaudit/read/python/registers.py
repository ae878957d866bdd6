"""Tables that a class keeps in one dict under written keys, and who gets at them only so.

`class Registry: tables = {"nets": {}}` with `cls.tables["nets"][name] = net` in one method and
`cls.tables["nets"].get(name)` in another. Said in words of `asking`, of the class by its methods
(`^register_net`), of each table (`[nets`), and of objects of which a file calls methods only
(`%registry`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import libcst as cst
from msgspec import Struct

from portaudit.catalogue import options as known
from portaudit.marks import BY_METHOD, KEEPER, UNDER, UNWRITTEN
from portaudit.read.python.conditions import index, is_self
from portaudit.read.python.model import Scope
from portaudit.read.python.nodes import last_name, root_of, string_value
from portaudit.read.python.values import Reader

_GETTING = ("get", "find", "lookup", "make", "build", "create", "list")
"""How methods begin that an object with tables has, and few others."""


class Part(Struct, frozen=True, eq=False):
    """A use of one of the tables: its key, and the expression that it is there."""

    key: str
    node: cst.Subscript


class Keeping(Struct, frozen=True, eq=False):
    """A class with tables of which all uses in its file are known. `names`: it, and its objects."""

    node: cst.ClassDef
    names: tuple[str, ...]
    parts: tuple[Part, ...]


def method_of(reader: Reader, function: cst.BaseExpression) -> str:
    """The method by which something is put into a table, marked, if another module has that."""
    root = root_of(function)
    if not isinstance(function, cst.Attribute) or not isinstance(root, cst.Name):
        return ""
    bindings = reader.lookup(root.value, reader.scope_of(root))
    is_other = any(each.kind == "import" and reader.is_open(each.target) for each in bindings)
    return f"{BY_METHOD}{function.attr.value}" if is_other else ""


def keeping(reader: Reader) -> Iterator[Keeping]:
    """The classes of the module with such tables."""
    for node, scope in reader.model.scopes.items():
        if not isinstance(node, cst.ClassDef) or scope.parent is not reader.model.root:
            continue
        attributes = tuple(_dicts(scope))
        if len(attributes) == 1:
            names = (scope.name, *_objects(reader, scope.name))
            parts = _parts(reader, attributes[0], frozenset(names))
            if parts is not None and not _is_shown(reader, names):
                yield Keeping(node, names, parts)


def _dicts(scope: Scope) -> Iterator[str]:
    """The attributes of a class that are dicts of empty dicts."""
    for name, bindings in scope.bindings.items():
        value = bindings[0].value if len(bindings) == 1 else None
        if isinstance(value, cst.Dict) and value.elements and bindings[0].kind == "value":
            if any(
                isinstance(each, cst.DictElement)
                and string_value(each.key)
                and _is_empty(each.value)
                for each in value.elements
            ):
                yield name


def _is_empty(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call):
        return not node.args and "dict" in last_name(node.func).lower()
    return isinstance(node, cst.Dict) and not node.elements


def _objects(reader: Reader, name: str) -> Iterator[str]:
    """The names of the module that are made of a class, and nothing else."""
    for other, bindings in reader.model.root.bindings.items():
        values = [each.value if each.kind == "value" else None for each in bindings]
        if all(isinstance(each, cst.Call) and last_name(each.func) == name for each in values):
            yield other


def _parts(reader: Reader, attribute: str, names: frozenset[str]) -> tuple[Part, ...] | None:
    """All uses of the tables in the file; None if one has no written key."""
    found: list[Part] = []
    if any(text[0] == attribute for each in reader.model.strings if (text := string_value(each))):
        return None
    if any(each.value == attribute and _is_in_class(reader, each) for each in reader.model.names):
        return None
    for node in reader.model.attributes:
        if node.attr.value != attribute:
            continue
        base = node.value
        is_own = is_self(reader, base) or (isinstance(base, cst.Name) and base.value in names)
        part = _part(reader.model.parents.get(node))
        if not is_own or part is None:
            return None
        found.append(part)
    return tuple(found)


def _part(node: cst.CSTNode | None) -> Part | None:
    """What is taken by a key that stands there as a string; None of anything else."""
    if not isinstance(node, cst.Subscript):
        return None
    key = index(node)
    return Part(key, node) if key else None


def _is_in_class(reader: Reader, node: cst.Name) -> bool:
    """Whether a name is used in the body of a class, and not only given a value there."""
    is_target = isinstance(reader.model.parents.get(node), cst.AssignTarget)
    return reader.scope_of(node).kind == "class" and not is_target


def _is_shown(reader: Reader, names: tuple[str, ...]) -> bool:
    """Whether the module does anything with a class, or its objects, but to make and call these."""
    first = names[0]
    parents = reader.model.parents
    for node in reader.model.names:
        if node.value not in names:
            continue
        parent = parents.get(node)
        if isinstance(parent, cst.Call) and parent.func is node and node.value == first:
            if isinstance(parents.get(parent), (cst.Assign, cst.AnnAssign)):
                continue
        if not isinstance(parent, (cst.AssignTarget, cst.Attribute, cst.AnnAssign)):
            return True
    return False


def putting(reader: Reader, found: Iterable[Keeping]) -> Mapping[str, str]:
    """Of methods that put things into tables, into which; `?` where that is not known."""
    told: dict[str, set[str]] = {}
    classes: dict[cst.CSTNode, Keeping] = {each.node: each for each in found}
    for node, scope in reader.model.scopes.items():
        if scope.kind != "function" or not scope.owner or not known.enters(scope.name):
            continue
        said = told.setdefault(f"{BY_METHOD}{scope.name}", set())
        kept = classes.get(scope.owner.node) if scope.parent is scope.owner else None
        keys = {part.key for part in kept.parts if _is_put(reader, part, node)} if kept else set()
        if kept and len(keys) == 1:
            said.add(" ".join((UNDER + keys.pop(), *(KEEPER + each for each in kept.names))))
        else:
            said.add(UNWRITTEN)
    return {name: said.pop() if len(said) == 1 else UNWRITTEN for name, said in told.items()}


def _is_put(reader: Reader, part: Part, method: cst.CSTNode) -> bool:
    """Whether a method, or a function in it, puts something into a table."""
    parents = reader.model.parents
    outer = parents.get(part.node)
    if not isinstance(outer, cst.Subscript) or outer.value is not part.node:
        return False
    scope: Scope | None = reader.scope_of(part.node)
    while scope is not None and scope.node is not method:
        scope = scope.parent
    return scope is not None and isinstance(parents.get(outer), cst.AssignTarget)


def is_said(reader: Reader, part: Part) -> bool:
    """Whether a use of a table only makes the text of an error."""
    node: cst.CSTNode | None = part.node
    while node is not None and not isinstance(node, cst.BaseSmallStatement):
        node = reader.model.parents.get(node)
    return isinstance(node, cst.Raise)


def users(reader: Reader) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """Objects of other modules of which a file calls methods, or takes a table by its key, only.

    By the name that they have there.
    """
    names = _imported(reader)
    if not names:
        return
    uses: dict[str, list[cst.CSTNode]] = {}
    for node in reader.model.names:
        if node.value in names:
            uses.setdefault(names[node.value], []).append(node)
    objects = set(names.values())
    for each in reader.model.attributes:
        if each.attr.value in objects:
            uses.setdefault(each.attr.value, []).append(each)
    for name, nodes in uses.items():
        members = [_member(reader, each) for each in nodes]
        taken = [_taken(reader, member) for member in members]
        if all(each is not None for each in taken):
            parts = tuple(part for each in taken for part in each or ())
            if parts or any(map(_is_telling, members)):
                yield name, parts


def _member(reader: Reader, node: cst.CSTNode) -> cst.Attribute | None:
    """The attribute of an object that is asked for where the object is named."""
    parent = reader.model.parents.get(node)
    return parent if isinstance(parent, cst.Attribute) and parent.value is node else None


def _taken(reader: Reader, member: cst.Attribute | None) -> tuple[Part, ...] | None:
    """The table that is taken there, none of a method that is called; None if it is neither."""
    if member is None:
        return None
    outer = reader.model.parents.get(member)
    if isinstance(outer, cst.Decorator) or (isinstance(outer, cst.Call) and outer.func is member):
        return ()
    part = _part(outer)
    return (part,) if part else None


def _is_telling(member: cst.Attribute | None) -> bool:
    name = member.attr.value if member else ""
    return known.enters(name) or name.startswith(_GETTING)


def _imported(reader: Reader) -> Mapping[str, str]:
    """What the file brings in from other modules of the tree: what it is called there."""
    found: dict[str, str] = {}
    for scope in (reader.model.root, *reader.model.scopes.values()):
        for name, bindings in scope.bindings.items():
            for each in bindings:
                if each.kind == "import" and reader.is_open(each.target):
                    found[name] = each.target.rpartition(".")[2]
    return found
