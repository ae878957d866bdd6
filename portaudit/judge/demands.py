"""Says which blocks only run with CUDA and do not have to: what guards that which they lead to.

Stricter than the guard of a place. That is said of one line; this of whatever the block calls, so
that a block counts only if nothing else may run it, and if all goes on without it. An error on the
other way may be some calls away, and a block without another way must leave nothing to miss.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst

from portaudit.judge.flags import Facts, implied
from portaudit.judge.guards import (
    DEEPEST,
    NO_ANSWER,
    STATES,
    WORST,
    Judge,
    Outcome,
    does_something,
)
from portaudit.judge.portable import Portable
from portaudit.read.python.model import (
    EXITS,
    FURTHEST,
    Binding,
    Branch,
    Place,
    Scope,
    around,
    is_false,
    leaves,
    tries,
)
from portaudit.read.python.nodes import body_of, children, descendants, dotted, last_name
from portaudit.read.python.options import UNDEMANDED, Demanded
from portaudit.read.python.settled import Settled
from portaudit.read.python.values import AnyValue, LocalClass, LocalFunction
from portaudit.types import Instance, Ref

_FOR_CUDA = frozenset({"cuda", "lib", "module"})
_Definition = (cst.FunctionDef, cst.ClassDef)
_Closed = (cst.FunctionDef, cst.ClassDef, cst.Lambda)
"""What stands in these does not run where they do."""


class Demands:
    """Answers for one file what its branches demand."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._reader = judge.flags.reader
        flags = judge.flags
        self._settled = Settled(flags.reader, flags.guards, flags.packages)
        self._portable = Portable(self._reader, lambda node: self._following.get(node, ()))
        self._functions: dict[Scope, Outcome] = {}
        self._open = 0
        """Functions whose outcome is being asked: what calls itself is not known yet."""
        self._statements: dict[cst.CSTNode, Outcome] = {}
        self._bindings: dict[Scope, Sequence[tuple[int, str, Binding]]] = {}
        self._chains: dict[bool, dict[cst.If, Outcome]] = {False: {}, True: {}}
        """What the links of chains come to, without and with what stands behind them."""

    def of(self, branch: Branch) -> Demanded:
        """What guards code that runs only with CUDA, a library for it, or on another's device.

        `none` of all other.

        With the names of modules, one of which the tree has to build for CUDA if it is to be so,
        and of variables and functions that nothing else may set.
        Other than for a place itself, what may be forced as well (`is_available() or FORCE`) does
        not count: this is to be said of whatever the branch leads to.
        """
        first = {fact.kind for fact in self._first(branch)}
        if "vendor" in first:
            return self._of_vendor(branch)
        if first.isdisjoint(_FOR_CUDA):
            return self._beside_portable(branch)
        facts = implied(self._settled.branch(branch), True, strict=True) or frozenset()
        is_sure = any(
            fact.kind == "cuda" or (fact.kind == "lib" and fact.subject in self._judge.libraries)
            for fact in facts
        )
        modules = sorted(fact.subject for fact in facts if fact.kind == "module")
        if not (is_sure or modules):
            return UNDEMANDED
        outcome = self._otherwise(branch)
        if outcome == "nothing":
            outcome = self._answer_behind(branch)
        if outcome == "fails" or (outcome == "nothing" and self._is_missed(branch)):
            return UNDEMANDED
        asked = "" if is_sure else " ".join(modules)
        return Demanded(STATES[outcome], asked, self._settled.leans(branch))

    def _of_vendor(self, branch: Branch) -> Demanded:
        """What guards code that runs only on another vendor's device: a run with CUDA goes without.

        Unless it cannot: as that is an error, or something is missing then.
        """
        flag = self._settled.branch(branch)
        facts = implied(flag, True, strict=True) or frozenset()
        if not any(fact.kind == "vendor" for fact in facts):
            return UNDEMANDED
        if not self._is_beside_cuda(branch):
            outcome = self._otherwise(branch)
            if outcome == "fails" or (outcome == "nothing" and self._is_missed(branch)):
                return UNDEMANDED
        return Demanded("fallback", "", self._settled.leans(branch))

    def _beside_portable(self, branch: Branch) -> Demanded:
        """What a branch demands that all devices take but the CPU, which has an operator for it."""
        other = self._portable.beside(branch)
        if other is None or self._otherwise(branch) != "works":
            return UNDEMANDED
        if isinstance(other, cst.BaseExpression):
            other = self._reader.model.places[other].statement
        return Demanded(portable=self._reader.positions.line(other))

    def _is_beside_cuda(self, branch: Branch) -> bool:
        """Whether a run with CUDA goes another way that is told, and is no error.

        An arm of the same `if` is for CUDA, or the whole only for what has none.
        """
        for each in around(branch.parent):
            if any(fact.kind == "no-cuda" for fact in self._first(each)):
                return self._otherwise(each) != "fails"
        link = branch.node.orelse if isinstance(branch.node, cst.If) and branch.truth else None
        while isinstance(link, cst.If):
            if any(fact.kind == "cuda" for fact in self._judge.asked(link, True)):
                return self._of_block(body_of(link.body)) != "fails"
            link = link.orelse
        return False

    def fails(self, value: AnyValue) -> bool:
        """Whether a call of a function or a class of this file ends in an error in any case."""
        if not isinstance(value, (LocalFunction, LocalClass)):
            return False
        return value.scope.node in self._ending and self._of_callee(value) == "fails"

    @cached_property
    def _ending(self) -> frozenset[cst.CSTNode]:
        """The definitions that may end in an error in any case, by what stands in them.

        Others need not be looked into: it takes a while to find out what all their calls come to.
        """
        model = self._reader.model
        calls: dict[str, list[tuple[cst.SimpleStatementLine, Scope]]] = defaultdict(list)
        for call in model.calls:
            place = model.places[call]
            if isinstance(place.statement, cst.SimpleStatementLine):
                calls[last_name(call.func)].append((place.statement, place.scope))
        if not (model.raising or _LEAVING & calls.keys()):
            return frozenset()
        leaving = {
            each for name in _LEAVING for line, _ in calls.pop(name, ()) for each in line.body
        }
        found: set[cst.CSTNode] = set()
        asked = {node: None for node in model.scopes if isinstance(node, _Definition)}
        while asked:  # and then only those that call what was found to end
            more = [node for node in asked if node not in found and _may_end(node, leaving)]
            found.update(more)
            asked = {}
            for node in more:
                for line, scope in calls.pop(node.name.value, ()):
                    leaving.update(line.body)
                    asked.update(dict.fromkeys(_definitions_around(scope)))
        return frozenset(found)

    def _first(self, branch: Branch) -> Facts:
        """What a branch seems to imply: known already, and nothing for most."""
        return implied(self._judge.flags.branch(branch), True, strict=True) or frozenset()

    # --- the other way ---

    def _otherwise(self, branch: Branch) -> Outcome:
        """What happens when a branch is not taken, as far as calls of the tree tell."""
        other = branch.otherwise
        if other.kind == "expression" and other.expression is not None:
            return self._of_value(other.expression)
        if other.kind == "elif" and other.elif_ is not None:
            behind = self._behind(branch)
            known = self._chains[bool(behind)]
            return self._judge.of_chain(other.elif_, known, self._of_block, behind)
        if other.kind == "block" and _trying(branch) is not None:
            # `_answer_behind` says whether it answers.
            return "fails" if self._of_block(other.block) == "fails" else "nothing"
        if other.kind == "block":
            behind = () if _is_behind(branch) else self._behind(branch)
            return self._of_block([*other.block, *behind])
        return self._judge.outcome(other)

    def _behind(self, branch: Branch) -> Sequence[cst.CSTNode]:
        """What runs behind an `if` only where its block does not, as that leaves."""
        node = branch.node
        if not isinstance(node, cst.If) or not branch.truth or not leaves(body_of(node.body)):
            return ()
        return self._following.get(node, ())

    def _answer_behind(self, branch: Branch) -> Outcome:
        """What stands behind an `if` that may go on after all: `try: return …` with a handler.

        Another way if it gives an answer too, and nothing but its answer is kept of the block.
        """
        node = _trying(branch)
        if node is None:
            return "nothing"
        behind = self._following.get(node, ())
        answers = [item for item in behind if isinstance(item, cst.Return)]
        if not answers or not all(map(_is_kept, answers)):
            return "nothing"
        if (branch, branch.scope) in self._storing:
            return "nothing"
        if any(self._is_asked(name, bindings, branch) for name, bindings in self._bound(branch)):
            return "nothing"
        return self._of_block(behind)

    @cached_property
    def _following(self) -> dict[cst.If, Sequence[cst.CSTNode]]:
        """What stands behind each `if`, and behind the chain of each `elif`."""
        found: dict[cst.If, Sequence[cst.CSTNode]] = {}
        for block in descendants(self._reader.model.module):
            if isinstance(block, (cst.Module, cst.IndentedBlock)):
                items = body_of(block)
                for index, item in enumerate(items):
                    link: cst.CSTNode | None = item
                    behind = items[index + 1 : index + 1 + FURTHEST]
                    while isinstance(link, cst.If):
                        found[link] = behind
                        link = link.orelse
        return found

    def _of_block(self, block: Sequence[cst.CSTNode]) -> Outcome:
        found: Outcome = "nothing"
        for item in block:
            here = self._here(item)
            if here == "fails":
                return "fails"
            found = "works" if "works" in {here, found} else "nothing"
            if isinstance(item, cst.Return):
                break
        return found

    def _here(self, item: cst.CSTNode) -> Outcome:
        """What a statement comes to: asked again for each `if` that it stands behind."""
        known = self._statements.get(item)
        if known is None:
            known = "nothing" if self._judge.is_elsewhere(item) else self._of_statement(item)
            if not self._open:
                self._statements[item] = known
        return known

    def _of_statement(self, item: cst.CSTNode) -> Outcome:
        if isinstance(item, cst.If):
            return self._of_arms(item)
        if isinstance(item, (cst.With, cst.For, cst.While)):
            return self._of_block(body_of(item.body))
        if isinstance(item, (cst.Try, cst.TryStar)):
            tried = self._of_block(body_of(item.body))
            caught = [self._of_block(body_of(each.body)) for each in item.handlers]
            return max(caught, default=tried, key=WORST.index) if tried == "fails" else tried
        if isinstance(item, _Definition):
            return self._of_definition(self._reader.model.scopes[item])
        if isinstance(item, cst.Raise) or (isinstance(item, cst.Assert) and is_false(item.test)):
            return "fails"
        if any(self._fails(call) for call in _called(item)):
            return "fails"
        value = item.value if isinstance(item, (cst.Return, cst.Assign, cst.AnnAssign)) else None
        if value is not None and self._is_no_answer(value):
            return "fails"
        return "works" if does_something(item) else "nothing"

    def _of_arms(self, node: cst.If) -> Outcome:
        """What a block with a condition of its own comes to: it fails if every arm fails.

        Or if all but the host fail: `else: if device == "cpu": … else: raise`.
        """
        arms = [self._of_block(body_of(node.body))]
        if isinstance(node.orelse, cst.If):
            arms.append(self._of_arms(node.orelse))
        else:
            arms.append(self._of_block(body_of(node.orelse.body)) if node.orelse else "nothing")
        if arms[1] == "fails":
            asked = {fact.kind for fact in self._judge.asked(node, True)}
            unless = {fact.kind for fact in self._judge.asked(node, False)}
            if "no-cuda" in asked and "cuda" not in unless:
                return "fails"
        if "works" in arms:
            return "works"
        return "fails" if set(arms) == {"fails"} else "nothing"

    def _of_value(self, node: cst.BaseExpression) -> Outcome:
        if any(self._fails(call) for call in _called(node)) or self._is_no_answer(node):
            return "fails"
        return "nothing" if is_false(node) else "works"

    def _is_no_answer(self, node: cst.BaseExpression) -> bool:
        """Whether a value gives nothing to go on with, though none of its calls ends in an error.

        What is nothing but a signature gives nothing either.
        """
        if dotted(node) == NO_ANSWER:
            return True
        return isinstance(node, cst.Call) and self._of_call(node) == "nothing"

    def _fails(self, call: cst.Call) -> bool:
        """Whether a call ends in an error, whatever it is given."""
        name = dotted(call.func) or ""
        if name in EXITS or self._of_call(call) == "fails":
            return True
        return last_name(call.func) in {"error", "exit"} and self._is_parser(call.func)

    def _is_parser(self, function: cst.BaseExpression) -> bool:
        """Whether a method is one of what reads the command line: it ends the program."""
        owner = function.value if isinstance(function, cst.Attribute) else None
        if owner is None:
            return False
        values = self._reader.values(owner)
        made = any(isinstance(each, Instance) and "arg" in each.of.name.lower() for each in values)
        return made or "parser" in last_name(owner).lower()

    def _of_call(self, call: cst.Call) -> Outcome:
        """What a call comes to: of functions and classes of the tree, else it works."""
        known = [self._of_callee(value) for value in self._reader.values(call.func)]
        if isinstance(call.func, cst.Name) and call.func in self._reader.model.places:
            known.extend(
                self._of_definition(self._reader.model.scopes[each.value])
                for each in self._reader.bindings(call.func)
                if isinstance(each.value, cst.Lambda)
            )
        return min(known, default="works", key=WORST.index)

    def _of_callee(self, value: AnyValue) -> Outcome:
        if isinstance(value, (LocalFunction, LocalClass)):
            return self._of_definition(value.scope)
        if isinstance(value, Ref) and value.open:
            self._reader.asked.add(value.name)
            export = self._reader.externals.get(value.name)
            return "fails" if export is not None and export.fails else "works"
        return "works"

    def _of_definition(self, scope: Scope) -> Outcome:
        """What the body of a function comes to, or the worst of those of the methods of a class."""
        if scope not in self._functions:
            if self._open >= DEEPEST:
                return "works"
            self._functions[scope] = "works"  # one that calls itself
            self._open += 1
            self._functions[scope] = self._of_body(scope.node)
            self._open -= 1
        return self._functions[scope]

    def _of_body(self, node: cst.CSTNode) -> Outcome:
        if isinstance(node, cst.FunctionDef):
            return self._of_block(body_of(node.body))
        if isinstance(node, cst.Lambda):
            return self._of_value(node.body)
        if isinstance(node, cst.ClassDef):
            methods = [each for each in body_of(node.body) if isinstance(each, cst.FunctionDef)]
            failing = any(self._of_statement(each) == "fails" for each in methods)
            return "fails" if failing else "works"
        return "works"

    # --- without another way ---

    def _is_missed(self, branch: Branch) -> bool:
        """Whether something is not there without a branch that others use: a name, an answer."""
        if isinstance(branch.node, cst.BooleanOperation):
            return not self._only_decides(branch.node)
        if not isinstance(branch.node, (cst.If, cst.Try, cst.TryStar)):
            return True
        return (branch, branch.scope) in self._keeping or any(
            self._is_asked(name, bindings, branch) for name, bindings in self._bound(branch)
        )

    def _only_decides(self, node: cst.CSTNode) -> bool:
        """Whether nobody keeps the value of an expression."""
        parents = self._reader.model.parents
        outer = parents.get(node)
        while isinstance(outer, (cst.BooleanOperation, cst.UnaryOperation)):
            node, outer = outer, parents.get(outer)
        is_test = isinstance(outer, (cst.If, cst.While, cst.IfExp)) and outer.test is node
        return is_test or isinstance(outer, cst.Expr)

    @cached_property
    def _keeping(self) -> frozenset[tuple[Branch, Scope]]:
        """The branches that keep something but by a name, each with the scope that does it."""
        return self._branches_with(_KEEPING)

    @cached_property
    def _storing(self) -> frozenset[tuple[Branch, Scope]]:
        """Those of which more is kept than what they return."""
        return self._branches_with(tuple(each for each in _KEEPING if each is not cst.Return))

    def _branches_with(self, kinds: tuple[type, ...]) -> frozenset[tuple[Branch, Scope]]:
        found: set[tuple[Branch, Scope]] = set()
        for node, place in self._reader.model.places.items():
            if place.branch is not None and isinstance(node, kinds) and _is_kept(node):
                for branch in around(place.branch):
                    if (branch, place.scope) in found:
                        break
                    found.add((branch, place.scope))
        return frozenset(found)

    def _bound(self, branch: Branch) -> Iterator[tuple[str, list[Binding]]]:
        """The names that a branch binds, but by the imports that an attempt is made with."""
        scopes = [branch.scope, self._reader.model.root] if branch.scope.outer_names else []
        if branch not in self._extents:
            return
        first, last = self._extents[branch]
        for scope in scopes or [branch.scope]:
            listed = self._listed(scope)
            seen: set[str] = set()
            for _, name, each in listed[
                bisect_left(listed, first, key=_number) : bisect_right(listed, last, key=_number)
            ]:
                tried = branch.kind == "attempt" and each.kind == "import"
                if not tried and name not in seen:
                    seen.add(name)
                    yield name, scope.bindings[name]

    def _listed(self, scope: Scope) -> Sequence[tuple[int, str, Binding]]:
        """What a scope binds under conditions, in the order of its branches."""
        if scope not in self._bindings:
            listed = [
                (self._extents[each.place.branch][0], name, each)
                for name, bindings in scope.bindings.items()
                for each in bindings
                if each.place.branch in self._extents
            ]
            self._bindings[scope] = sorted(listed, key=_number)
        return self._bindings[scope]

    @cached_property
    def _extents(self) -> Mapping[Branch | None, tuple[int, int]]:
        """The branches numbered from the outside in, each with the last number within it."""
        inner: dict[Branch | None, dict[Branch, None]] = {}
        for place in self._reader.model.places.values():
            for branch in around(place.branch):
                siblings = inner.setdefault(branch.parent, {})
                if branch in siblings:
                    break
                siblings[branch] = None
        ordered: list[Branch] = []
        waiting = list(inner.get(None, ()))
        while waiting:
            ordered.append(waiting.pop())
            waiting.extend(inner.get(ordered[-1], ()))
        last: dict[Branch | None, int] = {}
        for number in reversed(range(len(ordered))):
            branch = ordered[number]
            last.setdefault(branch, number)
            last.setdefault(branch.parent, last[branch])
        return {branch: (number, last[branch]) for number, branch in enumerate(ordered)}

    def _stands_in(self, place: Place | None, branch: Branch) -> bool:
        if place is None or place.branch is None or branch not in self._extents:
            return False
        first, last = self._extents[branch]
        return first <= self._extents[place.branch][0] <= last

    def _is_asked(self, name: str, bindings: Sequence[Binding], branch: Branch) -> bool:
        """Whether a name may be asked for that only a branch gives a value worth having."""
        others = [each for each in bindings if not self._stands_in(each.place, branch)]
        if any(each.value is not None and is_false(each.value) for each in others):
            return True
        if others and others[0] is bindings[0]:
            outer = others[0].place.branch
            return outer is not None and outer not in around(branch.parent)
        scope, model = branch.scope, self._reader.model
        if scope.kind != "function" or name in scope.outer_names:
            return True
        return any(
            node.value == name
            and _sees(model.places.get(node), scope)
            and not self._stands_in(model.places.get(node), branch)
            for node in model.names
        )


def _definitions_around(scope: Scope | None) -> Iterator[cst.FunctionDef | cst.ClassDef]:
    while scope is not None:
        if isinstance(scope.node, _Definition):
            yield scope.node
        scope = scope.parent


def _may_end(item: cst.CSTNode, leaving: Container[cst.CSTNode]) -> bool:
    """Whether a statement may raise or leave in any case. `leaving`: those that may, by a call."""
    if isinstance(item, (cst.Raise, cst.Assert)) or item in leaving:
        return True
    if isinstance(item, cst.If):
        other = item.orelse
        return other is not None and _may_end(other, leaving)
    if isinstance(
        item, (cst.With, cst.For, cst.While, cst.Try, cst.TryStar, cst.Else, *_Definition)
    ):
        return any(_may_end(each, leaving) for each in body_of(item.body))
    return False


_LEAVING = frozenset(name.rpartition(".")[2] for name in EXITS) | {"error", "exit"}
"""Last names of what may end the program."""
_KEEPING = (cst.Assign, cst.AnnAssign, cst.Return, cst.Expr, cst.ImportFrom)


def _is_kept(item: cst.CSTNode) -> bool:
    """Whether a statement gives an answer, or keeps something by other than a name."""
    if isinstance(item, cst.Return):
        return item.value is not None and dotted(item.value) != "None"
    if isinstance(item, cst.ImportFrom):
        return isinstance(item.names, cst.ImportStar)
    if isinstance(item, cst.Expr):
        return isinstance(item.value, (cst.Yield, cst.Await))
    targets: list[cst.BaseExpression] = []
    if isinstance(item, cst.Assign):
        targets = [each.target for each in item.targets]
    elif isinstance(item, cst.AnnAssign):
        targets = [item.target]
    members = (cst.Attribute, cst.Subscript)
    return any(isinstance(part, members) for each in targets for part in descendants(each))


def _is_behind(branch: Branch) -> bool:
    """Whether the other way of an `if` is what stands behind it already."""
    return isinstance(branch.node, cst.If) and branch.truth and branch.node.orelse is None


def _trying(branch: Branch) -> cst.If | None:
    """The `if` without another arm of a branch, if it is left only if an attempt goes well."""
    node = branch.node
    if isinstance(node, cst.If) and _is_behind(branch) and tries(body_of(node.body)):
        return node
    return None


def _called(node: cst.CSTNode) -> Iterator[cst.Call]:
    """The calls that a statement or an expression makes itself."""
    stack = [] if isinstance(node, _Closed) else [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Call):
            yield current
        stack.extend(each for each in children(current) if not isinstance(each, _Closed))


def _number(listed: tuple[int, str, Binding]) -> int:
    return listed[0]


def _sees(place: Place | None, scope: Scope) -> bool:
    """Whether a name of a scope is known at a place, which may be in a function within."""
    inner = place.scope if place is not None else scope
    current: Scope | None = inner
    while current is not None:
        if current is scope:
            return True
        current = current.parent
    return False
