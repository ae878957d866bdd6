"""What a library reads for a program into an object of its own: `AutoConfig.from_pretrained(name)`.

Such an object is no mapping, so what it has reaches only those settings that somebody asks such an
object for, by their names, and any others where something makes pairs of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from portaudit.catalogue import options as known
from portaudit.marks import ANY_SETTING, TAKING
from portaudit.read.python.conditions import holds, index, is_self
from portaudit.read.python.nodes import dotted, last_name, last_part, string_value
from portaudit.read.python.values import Reader
from portaudit.types import Ref

_PAIRS = frozenset({"to_dict", "to_diff_dict", "to_json_string", "__dict__"})
"""Members of an object that tell what it has by names that nobody sees."""
_TAKING_APART = frozenset({"vars", "dir", "asdict"})
"""Functions that do."""
_PARSING = re.compile(r"parse_(?:\w+_)?args")
_BY_NAME = 2
"""Arguments of `getattr` up to the name."""


def is_loaded(reader: Reader, call: cst.Call) -> bool:
    """Whether a call makes such an object, and it is called otherwise than a parser's namespace."""
    function = call.func
    holding = known.words().holding
    if not isinstance(function, cst.Attribute) or function.attr.value not in holding.making:
        return False
    values = list(reader.values(function.value))
    if not values or not all(isinstance(each, Ref) and _is_object(each) for each in values):
        return False
    parent = reader.model.parents.get(call)
    if isinstance(parent, cst.Return):
        return True
    targets: Sequence[cst.BaseExpression] = ()
    if isinstance(parent, cst.Assign):
        targets = [each.target for each in parent.targets]
    elif isinstance(parent, cst.AnnAssign):
        targets = [parent.target]
    return bool(targets) and all(
        isinstance(each, (cst.Name, cst.Attribute)) and not _is_namespace(each) for each in targets
    )


def asked_of_objects(reader: Reader) -> str:
    """The settings that a file asks of what may be such an object, `*` if it makes pairs of one.

    And who is given one, by the last name with a bracket behind it.
    """
    found = set(_names(reader))
    found.update(f"{name}{TAKING}" for call in reader.model.calls for name in _takers(reader, call))
    if any(_opens(reader)):
        found.add(ANY_SETTING)
    return " ".join(sorted(found))


def _names(reader: Reader) -> Iterator[str]:
    for node in reader.model.subscripts:
        name = index(node)
        if name and _is(reader, node.value):
            yield name
    for call in reader.model.calls:
        text = _asked(call)
        if text and _may_be(reader, call.args[0].value):
            yield text
    for each in reader.model.attributes:
        parent = reader.model.parents.get(each)
        is_called = isinstance(parent, cst.Call) and parent.func is each
        if not is_called and _may_be(reader, each.value):
            yield each.attr.value


def _asked(call: cst.Call) -> str | None:
    """`x` of `getattr(config, "x")`, empty if that is not written there; None for no such call."""
    if dotted(call.func) != "getattr" or len(call.args) < _BY_NAME:
        return None
    text = string_value(call.args[1].value)
    return text[0] if text and text[1] else ""


def _opens(reader: Reader) -> Iterator[cst.CSTNode]:
    """Where a file makes pairs of what may be such an object, or gives it a namespace's name."""
    for each in reader.model.attributes:
        if each.attr.value in _PAIRS and _may_be(reader, each.value):
            if not _is_only_looked_at(reader, each):
                yield each
    for call in reader.model.calls:
        name = last_name(call.func)
        first = call.args[0].value if call.args else None
        if first is not None and name in _TAKING_APART and _may_be(reader, first):
            yield call
        elif first is not None and not (_asked(call) or _asked(call) is None):
            if _is(reader, first):
                yield call
        elif any(
            item.keyword is not None
            and item.keyword.value in known.words().holding.namespaces
            and _is(reader, item.value)
            for item in call.args
        ):
            yield call
    for assign in reader.model.assigns:
        if any(_is_namespace(each.target) for each in assign.targets) and _is(reader, assign.value):
            yield assign


def _is_only_looked_at(reader: Reader, pairs: cst.Attribute) -> bool:
    """Whether what pairs are called is asked for written names only: `if "x" in found`."""
    parents = reader.model.parents
    call = parents.get(pairs)
    assign = parents.get(call) if isinstance(call, cst.Call) and call.func is pairs else None
    if not isinstance(assign, cst.Assign):
        return False
    targets = [each.target for each in assign.targets]
    uses = [
        each
        for target in targets
        for each in reader.model.names
        if isinstance(target, cst.Name) and each.value == target.value and each is not target
    ]
    return all(isinstance(each, cst.Name) for each in targets) and all(
        isinstance(parents.get(each), cst.ComparisonTarget)
        or (isinstance(outer := parents.get(each), cst.Subscript) and index(outer))
        for each in uses
    )


def _takers(reader: Reader, call: cst.Call) -> Iterator[str]:
    """The last names of what a call gives such an object by its place: none of a library."""
    if not any(not (item.keyword or item.star) and _is(reader, item.value) for item in call.args):
        return
    values = list(reader.values(call.func))
    if values and all(isinstance(each, Ref) and not each.open for each in values):
        return
    name = last_part(call.func)
    owner = reader.scope_of(call).owner
    if name == "__init__" and owner is not None and isinstance(owner.node, cst.ClassDef):
        yield from filter(None, (last_name(each.value) for each in owner.node.bases))
    elif name:
        yield name


def _is_object(ref: Ref) -> bool:
    objects = known.words().holding.objects
    return not ref.open and ref.name.partition(".")[0] in objects


def _may_be(reader: Reader, owner: cst.BaseExpression) -> bool:
    """Whether something may be such an object: settings, or what a function is given."""
    if is_self(reader, owner):
        scope = reader.scope_of(owner).owner
        return scope is not None and known.holds(scope.name)
    if _is(reader, owner):
        return True
    if not isinstance(owner, cst.Name) or owner.value in known.words().holding.namespaces:
        return False
    bindings = reader.lookup(owner.value, reader.scope_of(owner))
    return any(each.kind == "param" for each in bindings)


def _is(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether something has settings and is no namespace of a parser, nor a part of one."""
    if not isinstance(node, (cst.Name, cst.Attribute, cst.Call, cst.Subscript)):
        return False
    if _is_namespace(node) or is_self(reader, node) or not holds(reader, node):
        return False
    if known.holds(last_name(node)):
        return True
    owner: cst.BaseExpression = node
    while isinstance(owner, cst.Attribute):
        owner = owner.value
        if _is_namespace(owner):
            return False
    return True


def _is_namespace(node: cst.BaseExpression) -> bool:
    """Whether something is the namespace of a parser, or called so: `args`, `self.opt`."""
    if isinstance(node, cst.Call):
        return _PARSING.fullmatch(last_name(node.func)) is not None
    is_name = isinstance(node, (cst.Name, cst.Attribute))
    return is_name and last_name(node) in known.words().holding.namespaces
