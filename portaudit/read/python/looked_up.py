"""Whole names that code asks modules of members by, and where it keeps spaces of operators.

`getattr(_C, WAYS[kind])`: nothing but what the table says, each name as it stands there. A name
that is put together, or that data has, is none of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from portaudit.marks import OF_FUNCTION
from portaudit.read.python.asking import ALIAS, Asking
from portaudit.read.python.nodes import last_name, string_value
from portaudit.read.python.values import Reader

_WRITTEN = "="
_OPERATORS, _OPS = "torch.ops", "ops"
_ASKED = 2
"""Arguments of `getattr` with which it has no other answer."""
_ASKING = frozenset({"getattr", "hasattr"})
_READING = frozenset({"get", "items", "keys", "values", "index", "count"})
"""What lists, tuples and dictionaries are asked without a change to them."""


def whole_names(reader: Reader) -> Mapping[cst.Call, frozenset[str]]:
    """The calls of `getattr` by such names, and what these are: as `CodeFacts.whole` says it."""
    found: dict[cst.Call, frozenset[str]] = {}
    asking = Asking(reader)
    for call in reader.model.called.get("getattr", ()):
        if isinstance(call.func, cst.Name) and len(call.args) >= _ASKED:
            asked = call.args[1]
            text = string_value(asked.value)
            known = None if text is not None or asked.star else _names(asking, asked.value)
            if known:
                found[call] = known
    return found


def _names(asking: Asking, node: cst.BaseExpression) -> frozenset[str] | None:
    """What a name may be; None if nobody knows."""
    listed = _listed(asking.reader, node)
    if listed is not None:
        return listed
    questions = asking.questions(node)
    if questions is None or not all(_is_known(asking.reader, each) for each in questions):
        return None
    return frozenset(questions)


def _is_known(reader: Reader, question: str) -> bool:
    """Whether a question is a written name, or what a function of the module is given."""
    if question.startswith(_WRITTEN):
        return question[1:].isidentifier()
    name, sign, _ = question.partition(OF_FUNCTION)
    bindings = reader.model.root.bindings.get(name, ()) if sign else ()
    return bool(bindings) and all(binding.kind == "function" for binding in bindings)


def _listed(reader: Reader, node: cst.BaseExpression) -> frozenset[str] | None:
    """`WAYS[kind]`, `WAYS.get(kind, "plain")` of what is written down with nothing but names."""
    others: list[cst.BaseExpression] = []
    shared: list[str] = []
    if isinstance(node, cst.Subscript):
        table = node.value
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value != "get" or any(each.keyword or each.star for each in node.args):
            return None
        table, others = node.func.value, [each.value for each in node.args[1:]]
    else:
        return None
    if isinstance(table, cst.Name):
        bindings = list(reader.bindings(table)) if table in reader.model.places else []
        binding = bindings[0] if len(bindings) == 1 else None
        value = binding.value if binding and binding.kind == "value" else None
        if binding is None or value is None or _is_changed(reader, table):
            return None
        if binding.place.scope is reader.model.root:
            shared.append(f"{ALIAS}{table.value}")
        table = value
    if isinstance(table, cst.Dict):
        values = [each.value for each in table.elements if isinstance(each, cst.DictElement)]
    elif isinstance(table, (cst.List, cst.Tuple)):
        values = [each.value for each in table.elements if isinstance(each, cst.Element)]
    else:
        return None
    texts = [string_value(each) for each in (*values, *others)]
    names = [text[0] for text in texts if text and text[1] and text[0].isidentifier()]
    if len(values) < len(table.elements) or len(names) < len(texts):
        return None
    return frozenset((*shared, *(f"{_WRITTEN}{name}" for name in names)))


def _is_changed(reader: Reader, table: cst.Name) -> bool:
    """Whether a table may get more than it is written with: anything but reading it is done."""
    model = reader.model
    written = {id(each) for each in (*model.targets, *model.changed_items)}
    reading = {id(each.value) for each in model.subscripts if id(each) not in written}
    reading |= {id(each.value) for each in model.attributes if each.attr.value in _READING}
    return any(
        each.value == table.value
        and id(each) not in reading
        and not isinstance(model.parents.get(each), (cst.AssignTarget, cst.ComparisonTarget))
        for each in model.names
    )


def kept_spaces(reader: Reader) -> Iterator[str]:
    """The spaces of operators that are more than asked for one: `OPS = torch.ops.net`.

    `torch.ops` where it may be any.
    """
    model = reader.model
    spaces = [each for each in model.attributes if _OPS in {each.attr.value, last_name(each.value)}]
    inner = {id(each.value) for each in model.attributes} if spaces else set()
    asked = {
        id(each.args[0].value)
        for name in _ASKING
        for each in model.called.get(name, ())
        if each.args
    }
    for node in spaces:
        if id(node) not in inner and (node.attr.value == _OPS or id(node) not in asked):
            yield from (ref.name for ref in reader.refs(node) if _is_space(ref.name))
    for scope in (model.root, *model.scopes.values()):
        for bindings in scope.bindings.values():
            for binding in bindings:
                if binding.kind == "import" and _is_space(binding.target):
                    yield binding.target


def _is_space(name: str) -> bool:
    root, _, own = name.rpartition(".")
    return name == _OPERATORS or (root == _OPERATORS and bool(own))
