"""What conditions mean as far as nothing else can change it: names that are bound in one way.

`Flags` say what a condition means that a line stands under. That is read as it is meant: an
attribute is what the class gives it. For what is said of more than a line it has to hold whatever
sets the attribute, changes the variable, or has another method of the name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from portaudit.marks import ANY_MEMBER
from portaudit.read.python.flags import UNKNOWN, Flags, tells_nothing
from portaudit.read.python.model import Binding, Branch, around
from portaudit.read.python.narrowing import Narrowing
from portaudit.read.python.nodes import descendants, dotted, last_name
from portaudit.read.python.stores import is_plain, stores
from portaudit.read.python.values import LocalFunction
from portaudit.types import Flag, Known, Ref


class Settled(Flags):
    """Answers what conditions of one file mean whatever else is set."""

    @cached_property
    def _stored(self) -> frozenset[str]:
        return stores(self.reader)

    def _opt_in(self, _: cst.BaseExpression) -> Flag:
        """What is off by default somebody sets."""
        return UNKNOWN

    def _name(self, node: cst.Name) -> Flag:
        if node.value in self._stored:
            return UNKNOWN
        bindings = self.reader.lookup(node.value, self.reader.scope_of(node))
        if ANY_MEMBER in self._stored and self._is_of_module(node.value, bindings):
            return UNKNOWN
        return super()._name(node)

    def _narrowings(self, node: cst.Name) -> Iterator[Narrowing]:
        return iter(()) if node.value in self._stored else super()._narrowings(node)

    def _attribute(self, node: cst.Attribute) -> Flag:
        """Only what modules have; attributes of classes and objects anybody may set."""
        if node.attr.value in _ASKED:
            return super()._attribute(node)
        values = self.reader.values(node.value)
        if not values or not all(isinstance(value, Ref) for value in values):
            return UNKNOWN
        if node.attr.value in self._stored or dotted(node) in self.reader.model.members:
            return UNKNOWN
        return super()._attribute(node)

    def _called(self, value: object, node: cst.Call) -> Flag | None:
        """Methods may be another class's."""
        if isinstance(value, LocalFunction):
            is_named = isinstance(node.func, cst.Name) and is_plain(value.scope.node)
            if not is_named or value.scope.name in self._stored:
                return UNKNOWN
        return super()._called(value, node)

    def _contains(
        self, left: cst.BaseExpression, right: cst.BaseExpression, node: cst.CSTNode
    ) -> Flag:
        """A list that has a name anybody may lengthen."""
        if isinstance(right, cst.Name) and self.reader.elements(right):
            return UNKNOWN
        return super()._contains(left, right, node)

    def _is_of_module(self, name: str, bindings: list[Binding]) -> bool:
        return bindings is self.reader.model.root.bindings.get(name)

    # --- what it depends on ---

    def leans(self, branch: Branch) -> tuple[str, ...]:
        """The names, of modules, by which a branch means what it does."""
        found: set[str] = set()
        seen: set[cst.CSTNode] = set()
        waiting = [branch.test] if branch.test is not None else []
        while waiting:
            test = waiting.pop()
            if test in seen:
                continue
            seen.add(test)
            for node in descendants(test):
                if isinstance(node, _Naming) and _says(self.flag(node)):
                    waiting.extend(self._behind(node))
                    name = last_name(node.func if isinstance(node, cst.Call) else node)
                    if not isinstance(node, cst.Name) or self._is_global(node):
                        found.add(name)
        return tuple(sorted(found - _ASKED - {""}))

    def _is_global(self, node: cst.Name) -> bool:
        bindings = self.reader.lookup(node.value, self.reader.scope_of(node))
        return self._is_of_module(node.value, bindings) or any(
            each.kind == "import" for each in bindings
        )

    def _behind(self, node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
        """What gives a name its value, or a call its answer."""
        if isinstance(node, cst.Name):
            for binding in self.reader.bindings(node):
                if binding.value is not None:
                    yield binding.value
                yield from _tests(binding.place.branch)
        elif isinstance(node, cst.Call):
            for value in self.reader.values(node.func):
                if isinstance(value, LocalFunction):
                    for expression, place in value.scope.returns:
                        yield from () if expression is None else (expression,)
                        yield from _tests(place.branch)


_ASKED = frozenset({"is_cuda"})
"""Attributes of a tensor that nobody sets."""
_Naming = (cst.Name, cst.Attribute, cst.Call)


def _says(flag: Flag) -> bool:
    return not tells_nothing(flag) and not isinstance(flag, Known)


def _tests(branch: Branch | None) -> Iterator[cst.BaseExpression]:
    yield from (each.test for each in around(branch) if each.test is not None)
