"""What an import of a library brings in, where the file does nothing with it that findings miss.

Such an import is no more than a line: what the library is needed for, other findings say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from portaudit.match.hits import Hit
from portaudit.read.python.code import is_asked_for
from portaudit.read.python.model import Scope, import_statement
from portaudit.read.python.nodes import descendants
from portaudit.read.python.values import Reader


class Brought:
    """Answers which names an import binds of which findings know all that the file does."""

    def __init__(self, reader: Reader, hits: Iterable[Hit]) -> None:
        self._reader = reader
        self._known = {node for hit in hits if not hit.is_import for node in (hit.node, hit.key)}
        self._uses: dict[str, list[bool]] | None = None

    def names(self, hit: Hit, *, guarded: bool) -> str:
        """The names that an import binds, empty if the file does more with one than findings say.

        One that a file never speaks of again is brought in for what its module does by itself,
        unless it is a try whether the library is there (`guarded`).
        """
        small = import_statement(hit.key, hit.place) or import_statement(hit.node, hit.place)
        names = sorted(set(_bound(small))) if small is not None else []
        if self._uses is None:
            self._uses = self._all_uses()
        uses = [known for name in names for known in self._uses.get(name, ())]
        return " ".join(names) if all(uses) and (uses or guarded) else ""

    def _all_uses(self) -> dict[str, list[bool]]:
        """By name, of each place that reads it whether a finding speaks of that place."""
        found: dict[str, list[bool]] = {}
        for node in self._reader.model.names:
            if not self._is_bound_by(node):
                found.setdefault(node.value, []).append(self._is_known(node))
        for name in self._types():
            found.setdefault(name, []).append(True)
        return found

    def _types(self) -> Iterator[str]:
        """The names in annotations, as far as those say what a name is."""
        model = self._reader.model
        for scope in (model.root, *model.scopes.values()):
            for bindings in scope.bindings.values():
                for binding in bindings:
                    if binding.annotation is not None:
                        for node in descendants(binding.annotation):
                            if isinstance(node, cst.Name):
                                yield node.value

    def _is_bound_by(self, node: cst.Name) -> bool:
        """Whether a name is not read where it stands, but given a value or a meaning."""
        parent = self._reader.model.parents.get(node)
        while isinstance(parent, (cst.Attribute, cst.AsName)):
            parent = self._reader.model.parents.get(parent)
        if isinstance(parent, (cst.ImportAlias, cst.ImportFrom)):
            return True
        return isinstance(self._reader.model.parents.get(node), (cst.AssignTarget, cst.Param))

    def _is_known(self, node: cst.Name) -> bool:
        """Whether a finding speaks of a place, or it only asks, or only names a type.

        To ask whether something is of a class, that has to be there, and does nothing. All in a
        function with a decorator that is a finding is in that: the body of a kernel.
        """
        return (
            self._is_spoken_of(node)
            or is_asked_for(self._reader, self._dotted(node))
            or any(isinstance(each, cst.Comparison) for each in self._around(node))
            or any(self._is_kernel(each) for each in self._functions(node))
        )

    def _dotted(self, node: cst.Name) -> cst.CSTNode:
        """The dotted name that begins with a name."""
        whole: cst.CSTNode = node
        while isinstance(outer := self._reader.model.parents.get(whole), cst.Attribute):
            if outer.value is not whole:
                break
            whole = outer
        return whole

    def _is_spoken_of(self, node: cst.Name) -> bool:
        """Whether a dotted name that begins here, or a call of it, is a finding."""
        whole: cst.CSTNode = node
        while whole not in self._known:
            outer = self._reader.model.parents.get(whole)
            begins = isinstance(outer, cst.Attribute) and outer.value is whole
            calls = isinstance(outer, cst.Call) and outer.func is whole
            if outer is None or not (begins or calls):
                return False
            whole = outer
        return True

    def _around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        outer: cst.CSTNode | None = node
        while outer is not None:
            yield outer
            outer = self._reader.model.parents.get(outer)

    def _functions(self, node: cst.Name) -> Iterator[cst.CSTNode]:
        """The functions that a place is in, and the one whose head it is a part of."""
        place = self._reader.model.places.get(node)
        if place is not None and place.statement is not None:
            yield place.statement
        scope: Scope | None = self._reader.scope_of(node)
        while scope is not None:
            yield scope.node
            scope = scope.parent

    def _is_kernel(self, function: cst.CSTNode) -> bool:
        if not isinstance(function, cst.FunctionDef):
            return False
        made = (each.decorator for each in function.decorators)
        return any(
            each in self._known or (isinstance(each, cst.Call) and each.func in self._known)
            for each in made
        )


def _bound(small: cst.Import | cst.ImportFrom) -> Iterator[str]:
    """The names that an import statement binds; none for a star, which binds nobody knows which."""
    if isinstance(small.names, cst.ImportStar):
        return
    for alias in small.names:
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            yield alias.asname.name.value
        else:
            head: cst.BaseExpression = alias.name
            while isinstance(head, cst.Attribute):
                head = head.value
            if isinstance(head, cst.Name):
                yield head.value
