"""Functions that only keep what they are given: `self.paths[name] = path`, and nothing else.

What is called `register_path` and is given the folder of its package brings nothing in itself.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

import libcst as cst

from portaudit.marks import OTHERWISE
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import body_of, descendants
from portaudit.read.python.values import Reader

HELPING = re.compile(r"import|load|discover|register|modules|plugins", re.IGNORECASE)
"""What functions are called that may bring in a package that they are given."""
_LOOKING = frozenset({"bool", "isinstance", "len", "repr", "str", "type"})
_FAILING = frozenset(
    name
    for name, each in vars(builtins).items()
    if isinstance(each, type) and issubclass(each, BaseException)
)
_SAID = frozenset({"format", "join"})
"""Methods of a string that is written there."""
_TEXTS = (cst.SimpleString, cst.ConcatenatedString)
_BINDING = frozenset({"classmethod", "staticmethod"})
_ITSELF = (cst.Assert, cst.Global, cst.Nonlocal, cst.Pass, cst.Raise)


def keeps(reader: Reader) -> frozenset[str]:
    """Of functions and methods called so the names of those that do no more, `!` before others.

    What is called so without being one may do anything.
    """
    found: dict[str, bool] = {}
    for scope in (reader.model.root, *reader.model.scopes.values()):
        if scope.name and HELPING.search(scope.name):
            found[scope.name] = found.get(scope.name, True) and _keeps(reader, scope)
        for name, bindings in scope.bindings.items() if scope.kind != "function" else ():
            if HELPING.search(name) and not all(_is_plain(each) for each in bindings):
                found[name] = False
    return frozenset(name if does else f"{OTHERWISE}{name}" for name, does in found.items())


def _is_plain(binding: Binding) -> bool:
    """Whether a name is that of a function, here or where it comes from."""
    is_same = binding.target.rpartition(".")[2] == binding.name
    return binding.kind == "function" or (binding.kind == "import" and is_same)


def _keeps(reader: Reader, scope: Scope) -> bool:
    node = scope.node
    if not isinstance(node, cst.FunctionDef) or node.asynchronous:
        return False
    for each in node.decorators:
        is_plain = isinstance(each.decorator, cst.Name) and each.decorator.value in _BINDING
        if not is_plain:
            return False
    kept = 0
    for statement in _statements(node.body):
        if isinstance(statement, cst.Assign):
            if not _is_put(reader, scope, statement):
                return False
            kept += 1
        elif not isinstance(statement, _ITSELF):
            is_text = isinstance(statement, cst.Expr) and isinstance(statement.value, _TEXTS)
            if not is_text:
                return False
    return bool(kept) and all(
        _is_harmless(each) for each in descendants(node.body) if isinstance(each, cst.Call)
    )


def _statements(body: cst.BaseSuite) -> Iterator[cst.CSTNode]:
    """The statements of a body, of its conditions too; a loop, and the like, as one."""
    for item in body_of(body):
        if isinstance(item, cst.If):
            yield from _statements(item.body)
            other = item.orelse
            while isinstance(other, cst.If):
                yield from _statements(other.body)
                other = other.orelse
            if other is not None:
                yield from _statements(other.body)
        else:
            yield item


def _is_put(reader: Reader, scope: Scope, node: cst.Assign) -> bool:
    """`table[name] = path` of an object, or of a dict of the module: what it is given, as it is."""
    if not isinstance(node.value, cst.Name) or len(node.targets) != 1:
        return False
    target = node.targets[0].target
    given = scope.bindings.get(node.value.value, ())
    if not given or any(each.kind != "param" for each in given):
        return False
    if not isinstance(target, (cst.Subscript, cst.Attribute)):
        return False
    root: cst.BaseExpression = target
    while isinstance(root, (cst.Subscript, cst.Attribute)):
        root = root.value
    if not isinstance(root, cst.Name):
        return False
    if root.value == scope.self_name:
        return True
    if isinstance(target, cst.Attribute) or root.value in scope.bindings:
        return False
    bound = reader.model.root.bindings.get(root.value, ())
    return bool(bound) and all(isinstance(each.value, cst.Dict) for each in bound)


def _is_harmless(call: cst.Call) -> bool:
    """Whether a call only looks at what it is given, or says it."""
    if isinstance(call.func, cst.Name):
        return call.func.value in _LOOKING | _FAILING
    return (
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value in _SAID
        and isinstance(call.func.value, cst.BaseString)
    )
