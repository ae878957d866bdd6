"""The module `torch.cuda` as a value: given to a call, returned, put into a registry.

What is done with it there names no API any more. An alias is followed, and is no hand-over.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.nodes import SPEAKING, last_name
from portaudit.read.python.values import Reader
from portaudit.types import Ref

_MODULE = "torch.cuda"
_ASKING = SPEAKING | {
    *("delattr", "dir", "getattr", "hasattr", "isinstance", "type", "vars"),
    *("assertIs", "assertIsNot", "getmembers", "getsource", "reload"),
    *("MagicMock", "Mock", "create_autospec", "object", "patch", "setattr", "spy"),
}
"""Calls that look at a module or replace its parts (`patch.object`), and do not run it."""


_HOLDERS: frozenset[type[cst.CSTNode | None]] = frozenset(
    [
        *(cst.IfExp, cst.BooleanOperation, cst.Element, cst.Tuple, cst.List, cst.DictElement),
        *(cst.Arg, cst.Assign, cst.Param, cst.Return, cst.Yield, cst.Lambda),
    ]
)
"""Nodes that something may be handed on by."""


_PASSING = frozenset({cst.IfExp, cst.BooleanOperation, cst.Element, cst.Tuple, cst.List})
"""Those whose own holder decides."""


@detector("cuda-module")
def cuda_module(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield expressions that hand the module on."""
    parents = reader.model.parents
    nodes: list[cst.Attribute | cst.Name] = [*reader.model.attributes, *reader.model.names]
    for node in nodes:
        if type(parents.get(node)) not in _HOLDERS:
            continue  # as most are
        if _is_handed_on(reader, node) and _is_module(reader, node):
            yield Spot(node, reader.model.places[node], _MODULE)


def _is_module(reader: Reader, node: cst.Attribute | cst.Name) -> bool:
    """Whether a name is surely the module; a parameter may be anything."""
    if isinstance(node, cst.Name):
        kinds = {binding.kind for binding in reader.bindings(node)}
        if not kinds <= {"import", "value"}:
            return False
    names = [value.name if isinstance(value, Ref) else "" for value in reader.values(node)]
    return names == [_MODULE]


def _is_handed_on(reader: Reader, node: cst.CSTNode) -> bool:
    parents = reader.model.parents
    parent = parents.get(node)
    while parent is not None and type(parent) in _PASSING:
        if type(parent) is cst.IfExp and parent.test is node:
            return False
        node, parent = parent, parents.get(parent)
    if type(parent) is cst.Arg:
        call = parents.get(parent)
        return isinstance(call, cst.Call) and last_name(call.func) not in _ASKING
    if type(parent) is cst.DictElement:
        return parent.value is node
    if type(parent) is cst.Assign:
        return any(isinstance(target.target, cst.Subscript) for target in parent.targets)
    if isinstance(parent, cst.Param):
        return parent.default is node
    return isinstance(parent, (cst.Return, cst.Yield, cst.Lambda))
