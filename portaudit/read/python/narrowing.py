"""Names that are turned off where something is missing: `if fast and not there: fast = False`.

Behind that, whoever asks `if fast:` asks for what was missing too.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import libcst as cst
from msgspec import Struct

from portaudit.read.python.model import Binding, Branch, Place, around, is_false
from portaudit.read.python.values import Reader

_KINDS = frozenset({"param", "value"})


class Narrowing(Struct, frozen=True, eq=False):
    """A name that is true was not turned off under these branches; or it was `given` this value."""

    branches: tuple[Branch, ...] = ()
    given: cst.BaseExpression | None = None


def narrowings(reader: Reader, node: cst.Name, shared: Container[str]) -> Iterator[Narrowing]:
    """What happened to a local name before it is asked here, the last first.

    Only of what is passed in any case on the way here: no loop, no attempt, nothing of another
    function; and only if nothing gives the name another value in between. `shared`: names that
    other functions of the file may give a value.
    """
    place = reader.model.places.get(node)
    if place is None or place.scope.kind != "function" or node.value in shared:
        return
    bindings = place.scope.bindings.get(node.value, [])
    if not all(each.kind in _KINDS and each.place.scope is place.scope for each in bindings):
        return
    line = reader.positions.line(place.statement)
    for binding in reversed(bindings):
        branches = _passed(binding, place.branch)
        if branches is None or not _comes_before(reader, binding, branches, line):
            return
        if not branches:
            yield Narrowing(given=binding.value)
            return
        if binding.value is None or not is_false(binding.value):
            return
        yield Narrowing(branches)


def _passed(binding: Binding, here: Branch | None) -> tuple[Branch, ...] | None:
    """The branches of a binding that are not around a place too; None if one is no `if`."""
    if binding.kind != "value" or binding.place.loop:
        return None
    shared = set(around(here))
    found: list[Branch] = []
    for branch in around(binding.place.branch):
        if branch in shared:
            break
        if branch.kind != "test" or not isinstance(branch.node, cst.If):
            return None
        found.append(branch)
    return tuple(found)


def _comes_before(reader: Reader, binding: Binding, branches: Sequence[Branch], line: int) -> bool:
    """Whether what a binding stands in is passed before a line, whatever comes of it there."""
    owner: cst.CSTNode = branches[-1].node if branches else binding.place.statement
    outer = branches[-1].parent if branches else binding.place.branch
    for block in _blocks(outer, binding.place):
        for index, item in enumerate(block[:-1]):
            if item is owner:
                return reader.positions.line(block[index + 1]) <= line
    return False


def _blocks(branch: Branch | None, place: Place) -> Iterator[Sequence[cst.CSTNode]]:
    """The blocks that a place is in for sure: those of the branches around it, its function's."""
    for each in around(branch):
        if isinstance(each.node, cst.If):
            yield each.node.body.body
            if isinstance(each.node.orelse, cst.Else):
                yield each.node.orelse.body.body
    if isinstance(place.scope.node, cst.FunctionDef):
        yield place.scope.node.body.body
