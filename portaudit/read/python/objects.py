"""Which parameters are objects, by what the code asks of them: no words, no numbers, no truth.

`Trainer(model, optim)` gives something to a parameter that is called like an option. If the class
calls `optim.zero_grad()`, that is no value which the option may have.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from portaudit.marks import AN_OBJECT, ONLY_KEY, PASSED_ON
from portaudit.read.python.conditions import is_self
from portaudit.read.python.model import Scope, around
from portaudit.read.python.nodes import last_name
from portaudit.read.python.settings import bases
from portaudit.read.python.values import Reader

_OF_WORDS = frozenset({*dir(str), *dir(bytes), *dir(int), *dir(float), "value", "name"})
"""What words, numbers and members of an enum have too."""
_SORTING = frozenset({"isinstance", "issubclass", "hasattr", "callable", "type", "str"})
"""Functions that are asked what something is: it may be something else as well."""

_ALL_NAMES = frozenset({"locals", "vars", "eval", "exec", "dir"})
"""Functions that have what a function is given without its names."""
_STATEMENTS = (cst.BaseSmallStatement, cst.BaseCompoundStatement)
_DECIDING = (cst.Comparison, cst.BooleanOperation, cst.UnaryOperation, cst.IfExp, cst.Lambda)
"""Expressions in which a value may decide what runs, or when."""
_LACKING = "AttributeError"


class Objects:
    """Answers for the parameters of one file: by what it does with them, and with what keeps them.

    A parameter counts as an object if something is asked of it that only objects have, and nothing
    compares it, or sorts it out.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._uses: dict[tuple[Scope, str], list[cst.Name]] = {}
        """Where a function, and what is defined in it, has a word that may be a parameter of it."""
        self._members: dict[str, list[cst.Attribute]] = {}
        self._waits = any("except" in line and _LACKING in line for line in reader.lines)
        """Whether something of the file is asked for what it may not have."""
        self._hands_all = any(node.value in _ALL_NAMES for node in reader.model.names)
        for node in reader.model.names:
            inner: Scope | None = reader.scope_of(node)
            while inner is not None:
                if inner.kind == "function" and node.value in inner.bindings:
                    self._uses.setdefault((inner, node.value), []).append(node)
                inner = inner.parent
        for each in reader.model.attributes:
            if is_self(reader, each.value):
                self._members.setdefault(each.attr.value, []).append(each)

    def mark(self, scope: Scope, name: str) -> str:
        """What is to be told of a parameter of a function; nothing of most."""
        uses = self._uses.get((scope, name), ())
        if not uses or any(each.kind != "param" for each in scope.bindings.get(name, ())):
            return ""
        if not self._hands_all and self._is_only_key(uses):
            return ONLY_KEY
        kept = self._kept(name) if any(map(self._is_kept, uses)) else []
        if any(map(self._is_sorted, [*uses, *kept])):
            return ""
        own = [node for node in kept if self._is_below(node, scope.owner)]
        if any(map(self._is_asked, [*uses, *own])):
            return AN_OBJECT
        return PASSED_ON if all(map(self._is_passed_on, uses)) else ""

    def _is_only_key(self, uses: Sequence[cst.Name]) -> bool:
        """Whether a table is read by it, in no condition, and else it is only tested by asserts."""
        keys = [node for node in uses if not self._is_asserted(node)]
        return bool(keys) and all(map(self._is_key, keys))

    def _is_asserted(self, node: cst.Name) -> bool:
        """Whether it is looked for in a list that an assert has."""
        parents = self._reader.model.parents
        outer = parents.get(node)
        return (
            isinstance(outer, cst.Comparison)
            and outer.left is node
            and len(outer.comparisons) == 1
            and isinstance(outer.comparisons[0].operator, cst.In)
            and isinstance(outer.comparisons[0].comparator, (cst.List, cst.Tuple, cst.Set))
            and isinstance(parents.get(outer), cst.Assert)
        )

    def _is_key(self, node: cst.Name) -> bool:
        parents = self._reader.model.parents
        inner: cst.CSTNode = node
        outer = parents.get(inner)
        if not isinstance(outer, cst.Index):
            return False
        while outer is not None and not isinstance(outer, _STATEMENTS):
            if isinstance(outer, (*_DECIDING, cst.AssignTarget, cst.AugAssign, cst.Del)):
                return False
            inner, outer = outer, parents.get(outer)
        return isinstance(outer, (cst.Assign, cst.AnnAssign, cst.Return, cst.Expr))

    def _is_kept(self, node: cst.Name) -> bool:
        """Whether an object keeps it under its own name."""
        parent = self._reader.model.parents.get(node)
        return isinstance(parent, cst.Assign) and any(
            isinstance(each.target, cst.Attribute)
            and each.target.attr.value == node.value
            and is_self(self._reader, each.target.value)
            for each in parent.targets
        )

    def _kept(self, name: str) -> list[cst.Attribute]:
        """What the file has of a name that objects keep, if they keep nothing else under it."""
        parents = self._reader.model.parents
        found = self._members.get(name, [])
        for node in found:
            target = parents.get(node)
            if isinstance(target, cst.AssignTarget):
                assign = parents.get(target)
                value = assign.value if isinstance(assign, cst.Assign) else None
                if not isinstance(value, cst.Name) or value.value != name:
                    return []
            elif isinstance(target, cst.Element) or (
                isinstance(target, (cst.AnnAssign, cst.AugAssign)) and target.target is node
            ):
                return []
        return found

    def _is_below(self, node: cst.CSTNode, owner: Scope | None) -> bool:
        """Whether something stands in a class, or in one of the file that is derived from it."""
        model = self._reader.model
        waiting = [self._reader.scope_of(node).owner]
        seen: list[Scope | None] = [None]
        while waiting:
            each = waiting.pop()
            if each is owner and each is not None:
                return True
            if each not in seen and each is not None:
                seen.append(each)
                found = (model.root.bindings.get(name, ()) for name in bases(each.node))
                waiting += [
                    model.scopes.get(one.node) for listed in found for one in listed if one.node
                ]
        return False

    def _is_asked(self, node: cst.CSTNode) -> bool:
        """Whether it is asked for what only objects have, and nobody waits for an error."""
        model = self._reader.model
        outer = model.parents.get(node)
        return (
            not self._waits
            and isinstance(outer, cst.Attribute)
            and outer.value is node
            and outer.attr.value not in _OF_WORDS
            and all(each.kind != "attempt" for each in around(model.places[node].branch))
        )

    def _is_sorted(self, node: cst.CSTNode) -> bool:
        """Whether something is compared, but with None, or asked for what it is."""
        parents = self._reader.model.parents
        outer = parents.get(node)
        if isinstance(outer, cst.Comparison):
            return not all(_is_none(each) for each in outer.comparisons)
        if isinstance(outer, cst.Arg):
            call = parents.get(outer)
            return isinstance(call, cst.Call) and last_name(call.func) in _SORTING
        return isinstance(outer, (cst.ComparisonTarget, cst.Index, cst.Match))

    def _is_passed_on(self, node: cst.Name) -> bool:
        """Whether it is only given to a function of the tree, by its place."""
        parents = self._reader.model.parents
        outer = parents.get(node)
        if not isinstance(outer, cst.Arg) or outer.keyword is not None or outer.star:
            return False
        call = parents.get(outer)
        if not isinstance(call, cst.Call) or not isinstance(call.func, (cst.Name, cst.Attribute)):
            return False
        values = self._reader.values(call.func)
        return bool(values) and all(getattr(each, "open", True) for each in values)


def _is_none(target: cst.ComparisonTarget) -> bool:
    is_same = isinstance(target.operator, (cst.Is, cst.IsNot))
    return is_same and last_name(target.comparator) == "None"
