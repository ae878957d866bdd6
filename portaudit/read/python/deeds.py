"""What a Python file does, as far as single calls say it: the words are in `catalogue.deeds`."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator

import libcst as cst

from portaudit.catalogue import deeds as signs
from portaudit.read.python.nodes import body_of, descendants, last_name
from portaudit.read.python.settings import bases
from portaudit.read.python.values import (
    AnyValue,
    LocalClass,
    LocalFunction,
    LocalObject,
    Reader,
    argument,
)
from portaudit.types import Deed, Instance, Ref

_BUILTINS = frozenset(dir(builtins))
_TRAINING = ("backward", "fit", "optimizer")
"""What no program does that runs without gradients from its top: those are its evaluation's."""


_LEARNING = frozenset({"backward", "fit"})
"""What trains, wherever it is called."""
_GRADIENTS = frozenset({"torch.autograd.grad", "torch.func.grad", "torch.func.grad_and_value"})
"""Calls that somebody trains with who has no optimizer, but by which nobody can tell."""


def deeds(
    reader: Reader, main: cst.If | None
) -> tuple[tuple[tuple[Deed, int], ...], tuple[int, ...]]:
    """Each deed with the first line that tells of it, by name, and all lines that may train.

    `main` is the file's main guard.
    """
    model = reader.model
    first: dict[Deed, int] = {}
    training: set[int] = set()

    def note(node: cst.CSTNode, found: Iterable[Deed]) -> None:
        for deed in found:
            if deed in _LEARNING:
                training.add(reader.spot(node).line)
            if deed != "no-grad" and deed not in first:
                first[deed] = reader.spot(node).line

    for call in model.calls:
        does = _of_call(reader, call)
        if does:
            note(call, does)
    training.update(reader.spot(call).line for call in reader.calls_of(_GRADIENTS))
    asked = signs.attributes()
    for attribute in model.attributes:
        if attribute.attr.value in asked:
            for ref in reader.refs(attribute):
                note(attribute, signs.by_attribute(ref.name))
    for node in (
        *(item.decorator for item in model.decorators if not isinstance(item.decorator, cst.Call)),
        *(item.value for item in model.bases),
    ):
        for ref in reader.refs(node):
            note(node, signs.by_name(ref.name))
    if first.keys().isdisjoint(_TRAINING):
        without = [reader.span(node).line for node in _without_gradients(reader, main)]
        first.update({"no-grad": min(without)} if without else {})
    return tuple(sorted(first.items())), tuple(sorted(training))


def _of_call(reader: Reader, call: cst.Call) -> tuple[Deed, ...]:
    """What a call does; a whole name settles it, then a method, then a function of the tree."""
    function = call.func
    values = reader.values(function)
    for value in values:
        if isinstance(value, Ref) and not value.open and (found := signs.by_name(value.name)):
            return found
    if isinstance(function, cst.Name):
        return _of_function(reader, function, values)
    if not isinstance(function, cst.Attribute):
        return ()
    method = function.attr.value
    if _is_derivative(reader, function):
        return ()
    owners = reader.values(function.value)
    for value in owners:
        if isinstance(value, Instance) and not value.of.open:
            if found := signs.by_name(f"{value.of.name}.{method}"):
                return found
    if method in signs.methods():
        for receiver in _receivers(function.value, owners):
            if found := signs.by_method(method, receiver):
                return found
    if any(isinstance(value, Ref) and value.open for value in values):
        return signs.by_function(method)
    return ()


def _is_derivative(reader: Reader, node: cst.Attribute) -> bool:
    """Whether an autograd function asks a module for its derivative: `ext.backward(grad)`.

    What is imported from a module may be an object: of that nobody knows.
    """
    scope = reader.scope_of(node)
    owner = scope.owner
    if node.attr.value != scope.name or scope.name != "backward" or owner is None:
        return False
    if not any(each.endswith("Function") for each in bases(owner.node)):
        return False
    root = node.value
    found = reader.lookup(root.value, scope) if isinstance(root, cst.Name) else ()
    return bool(found) and all(each.kind == "import" and "." not in each.target for each in found)


def _of_function(reader: Reader, node: cst.Name, values: tuple[AnyValue, ...]) -> tuple[Deed, ...]:
    """What a function or class of the tree does, by the name that it has there."""
    for value in values:
        name = ""
        if isinstance(value, Ref) and value.open:
            name = value.name.rpartition(".")[2]
        elif isinstance(value, (LocalFunction, LocalClass)):
            name = value.scope.name
        if name:
            return signs.by_function(name)
    if values or node.value in _BUILTINS or reader.lookup(node.value, reader.scope_of(node)):
        return ()
    return signs.by_function(node.value)  # from a module that is imported with a star


def _receivers(node: cst.BaseExpression, values: tuple[AnyValue, ...]) -> Iterator[str]:
    """What an object is called: its variable, what makes it, its class."""
    yield last_name(node.func if isinstance(node, cst.Call) else node)
    for value in values:
        if isinstance(value, Instance):
            yield value.of.name.rpartition(".")[2]
        elif isinstance(value, LocalObject):
            yield value.scope.name


_SETTER = "set_grad_enabled"


# --- without gradients ----------------------------------------------------------------------------


def _without_gradients(reader: Reader, main: cst.If | None) -> Iterator[cst.CSTNode]:
    """Where gradients are switched off for all that the file runs when it is started."""
    started = _started(reader, main)
    for function in started:
        for decorator in function.decorators:
            if _switches_off(reader, decorator.decorator):
                yield decorator.decorator
    blocks = [body_of(reader.model.module), *(body_of(function.body) for function in started)]
    for statement in (item for block in blocks for item in _opened(block)):
        if isinstance(statement, cst.With):
            yield from (item.item for item in statement.items if _switches_off(reader, item.item))
        elif isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
            if last_name(statement.value.func) == _SETTER and _switches_off(
                reader, statement.value
            ):
                yield statement.value


def _started(reader: Reader, main: cst.If | None) -> list[cst.FunctionDef]:
    """The functions that run at a start: `main`, what the main guard names, what is called."""
    names = {"main"}
    if main is not None:
        names.update(node.value for node in descendants(main) if isinstance(node, cst.Name))
    for statement in reader.model.module.body:
        for item in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(item, cst.Expr) and isinstance(item.value, cst.Call):
                names.add(last_name(item.value.func))
    return [
        binding.node
        for name in names
        for binding in reader.model.root.bindings.get(name, ())
        if isinstance(binding.node, cst.FunctionDef)
    ]


def _opened(block: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """The statements of a block, those of its main guard and of what is tried among them."""
    for statement in block:
        if isinstance(statement, (cst.If, cst.Try)):
            yield from _opened(body_of(statement.body))
        else:
            yield statement


def _switches_off(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a context or decorator is one without gradients."""
    for ref in reader.refs(node.func if isinstance(node, cst.Call) else node):
        if "no-grad" in signs.by_name(ref.name):
            mode = argument(node, (0, "mode")).value if isinstance(node, cst.Call) else None
            off = isinstance(mode, cst.Name) and mode.value == "False"
            return off if ref.name.endswith(_SETTER) else mode is None
    return False
