"""Proves guards: does a place only run where CUDA is, and what happens where it is not?

The proof is always the branch that the place is in, never a word near it. The innermost proof wins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import libcst as cst
from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.judge.flags import Facts, implied
from portaudit.read.python.flags import Flags, is_skip_mark
from portaudit.read.python.model import (
    EXITS,
    Binding,
    Branch,
    Nearest,
    Otherwise,
    Place,
    Scope,
    around,
    is_false,
)
from portaudit.read.python.nodes import (
    SPEAKING,
    body_of,
    descendants,
    dotted,
    number_value,
    string_value,
)
from portaudit.read.python.values import AnyValue, LocalFunction
from portaudit.types import GUARD_STATES, Fact, Flag, GuardState, Proof, Ref

Outcome = Literal["works", "nothing", "fails"]
WORST: tuple[Outcome, ...] = ("fails", "nothing", "works")
STATES: dict[Outcome, GuardState] = {
    "works": "fallback",
    "nothing": "guarded",
    "fails": "hard-fail",
}
_TALK = SPEAKING | {"print_exc"}
_SKIPS = ("SkipTest", "skip")
NO_ANSWER = "NotImplemented"
"""What is returned where there is no answer."""
DEEPEST = 100
"""Calls inside calls that are followed to see whether one ends in an error."""
_ABSTRACT = "NotImplementedError"
"""What a method raises that derived classes are to have."""


class Guard(Struct, frozen=True):
    """A guard's state and the line that proves it. `is_switch`: only flags of its code decide."""

    state: GuardState = "none"
    by: Proof | None = None
    is_switch: bool = False


UNGUARDED = Guard()


class Subject(Struct, frozen=True):
    """What is being judged: the rule's library, the anchor, and whether the place is an import."""

    library: str = ""
    anchor: str = ""
    is_import: bool = False


class Judge(Struct, dict=True):
    """Proves guards of places of one file.

    `unmet`: whether a branch asks for a version that the target does not have; None where no
    version is asked for.
    """

    flags: Flags
    libraries: frozenset[str]
    unmet: Callable[[Branch], bool] | None = None
    _facts: dict[Branch, Facts] = field(default_factory=dict)
    _chains: dict[cst.If, Outcome] = field(default_factory=dict)
    _elsewhere: dict[cst.If, bool] = field(default_factory=dict)
    _raising: dict[Scope, bool] = field(default_factory=dict)
    _depth: int = 0
    _silent: Nearest = field(default_factory=Nearest)
    _telling: Nearest = field(default_factory=Nearest)
    _switches: Nearest = field(default_factory=Nearest)

    def facts(self, branch: Branch) -> Facts:
        """What a branch's own condition implies."""
        known = self._facts.get(branch)
        if known is None:
            known = self.of_flag(self.flags.branch(branch), branch.node)
            self._facts[branch] = known
        return known

    def of_flag(self, flag: Flag, node: cst.CSTNode) -> Facts:
        """What the truth of a flag implies; code behind a constant False is switched off."""
        found = implied(flag, True)
        if found is None:
            proof = self.flags.reader.proof(node)
            return frozenset({Fact("opt-in", "", proof)})
        return frozenset(fact for fact in found if fact.kind != "module")

    # --- the state of a place ---

    def silent(self, place: Place) -> bool:
        """Whether the place never runs, or only on another vendor's device."""
        return self._silencer(place) is not None

    def _silencer(self, place: Place) -> Branch | None:
        return next(self._silent.around(place.branch, self._is_silent), None)

    def _is_silent(self, branch: Branch) -> bool:
        return bool(self._silencing(branch)) or (self.unmet is not None and self.unmet(branch))

    def _silencing(self, branch: Branch) -> list[Fact]:
        return [fact for fact in self.facts(branch) if fact.kind in {"never", "vendor"}]

    def silence(self, place: Place) -> Proof | None:
        """The line by which a place is silent."""
        branch = self._silencer(place)
        if branch is None:
            return None
        proofs = (fact.proof for fact in self._silencing(branch) if fact.proof)
        return next(proofs, self.flags.reader.proof(branch.node))

    def guard(self, place: Place, subject: Subject) -> Guard:
        """The guard of a place, by the innermost branch that proves one.

        A failure counts for nothing where it is not reached: behind a switch that is off.
        """
        for branch in self._telling.around(place.branch, self._may_prove):
            found = self._of_branch(branch, subject)
            if found is not None:
                if found.state != "hard-fail":
                    return found
                return self._switched(branch.parent, subject) or found
        return UNGUARDED

    def _switched(self, outer: Branch | None, subject: Subject) -> Guard | None:
        """The guard by a switch around."""
        for branch in self._switches.around(outer, self._is_switch):
            found = self._of_branch(branch, subject)
            if found is not None and found.state != "hard-fail":
                return found
        return None

    def failing(self, place: Place, subject: Subject, node: cst.CSTNode) -> Guard:
        """The guard of a place that is itself where the program stops."""
        for branch in self._telling.around(place.branch, self._may_prove):
            found = self._of_branch(branch, subject) if branch.kind != "attempt" else None
            if found is not None and found.state != "hard-fail":
                return found
        return Guard("hard-fail", self.flags.reader.proof(node))

    def _is_switch(self, branch: Branch) -> bool:
        return any(fact.kind == "opt-in" for fact in self.facts(branch))

    def _of_branch(self, branch: Branch, subject: Subject) -> Guard | None:
        if branch.kind == "attempt":
            return self._of_attempt(branch, subject)
        proofs = [fact for fact in self.facts(branch) if self._matters(fact, subject)]
        if not proofs:
            return None
        state = STATES[self.outcome(branch.otherwise)]
        if state == "guarded" and subject.is_import and _all_of(proofs, subject):
            state = "import-guarded"
        flags = (fact.kind == "opt-in" and bool(fact.subject) for fact in self.facts(branch))
        return Guard(state, _first(proofs, self.flags.reader.proof(branch.node)), all(flags))

    def _of_attempt(self, branch: Branch, subject: Subject) -> Guard | None:
        if not branch.truth:
            return None
        outcome = self.outcome(branch.otherwise)
        proof = self.flags.reader.proof(branch.node)
        if subject.is_import:
            if not self._imports(branch, subject) or self._asks_again(branch, subject):
                return None
            if outcome == "nothing" or _only_answers(branch.otherwise.block):
                return Guard("import-guarded", proof)
            return Guard(STATES[outcome], proof)
        if any(self._matters(fact, subject) for fact in self.facts(branch)):
            return Guard(STATES[outcome], proof)
        if branch.guards_calls and outcome != "fails" and not self._needs_it_too(branch, subject):
            return Guard(STATES[outcome], proof)
        return None

    def _needs_it_too(self, branch: Branch, subject: Subject) -> bool:
        """Whether a handler uses the same thing, or another of the same module: no other way."""
        module = subject.anchor.rpartition(".")[0]
        for statement in branch.otherwise.block:
            for node in descendants(statement):
                if isinstance(node, (cst.Name, cst.Attribute)):
                    if module and self.flags.reader.name(node).startswith(f"{module}."):
                        return True
                elif isinstance(node, cst.SimpleString):
                    text = string_value(node)
                    if text is not None and text[0] == subject.anchor:
                        return True
        return False

    def _asks_again(self, branch: Branch, subject: Subject) -> bool:
        """Whether the handler needs the same library: no other way, but another version's."""
        root = subject.anchor.split(".", maxsplit=1)[0]
        for item in branch.otherwise.block:
            if isinstance(item, cst.ImportFrom) and item.module is not None:
                if (dotted(item.module) or "").split(".")[0] == root:
                    return True
            if isinstance(item, cst.Import):
                names = [(dotted(alias.name) or "").split(".")[0] for alias in item.names]
                if root in names:
                    return True
        return False

    def _imports(self, branch: Branch, subject: Subject) -> bool:
        root = subject.anchor.split(".")[0]
        return any(module.split(".")[0] == root for module, _ in branch.modules)

    def _matters(self, fact: Fact, subject: Subject) -> bool:
        if fact.kind in {"cuda", "opt-in"}:
            return True
        if fact.kind == "lib":
            root = subject.anchor.split(".")[0]
            return fact.subject in self.libraries or fact.subject in {subject.library, root}
        return False

    # --- checks: judged by what happens without CUDA ---

    def check(self, node: cst.CSTNode, place: Place) -> Guard:
        """The guard of an availability check: what the code does when the answer is no."""
        model = self.flags.reader.model
        found: list[Guard] = []
        for index in sorted({*self._tests_around(node), *self._tests_of_name(node)}):
            owner, test, orelse, body, _ = model.tests[index]
            guard = self._by_other_branch(owner, test, orelse, body)
            if guard is not None and not (guard.state == "fallback" and self._is_number_of(node)):
                found.append(guard)
        if found:
            return min(found, key=lambda guard: GUARD_STATES.index(guard.state))
        branch = place.branch
        parent: cst.CSTNode | None = node
        while parent is not None:
            if isinstance(parent, cst.Decorator) or is_skip_mark(parent):
                return Guard("guarded", self.flags.reader.proof(parent))
            parent = model.parents.get(parent)
        return self.guard(Place(place.scope, branch, place.statement), Subject())

    def _is_number_of(self, node: cst.CSTNode) -> bool:
        """Whether a count is compared with one number: any other number is treated like none."""
        model = self.flags.reader.model
        parent = model.parents.get(node)
        test = model.parents.get(parent) if isinstance(parent, cst.ComparisonTarget) else parent
        if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
            return False
        target = test.comparisons[0]
        numbers = (test.left, target.comparator)
        return isinstance(target.operator, cst.Equal) and any(
            isinstance(item, cst.Integer) and number_value(item) != 0 for item in numbers
        )

    def _by_other_branch(
        self, owner: cst.CSTNode, test: cst.BaseExpression, orelse: Otherwise, body: Otherwise
    ) -> Guard | None:
        flag = self.flags.flag(test)
        for truth, taken, other in ((True, body, orelse), (False, orelse, body)):
            kinds = {fact.kind for fact in implied(flag, truth) or frozenset()}
            if "cuda" in kinds or "no-cuda" in kinds:
                without = other if "cuda" in kinds else taken
                return Guard(STATES[self.outcome(without)], self.flags.reader.proof(owner))
        return None

    @cached_property
    def _numbered(self) -> Mapping[cst.CSTNode, Sequence[int]]:
        """The tests of the file: at which numbers each condition stands."""
        found: dict[cst.CSTNode, list[int]] = defaultdict(list)
        for index, (_, test, *_rest) in enumerate(self.flags.reader.model.tests):
            found[test].append(index)
        return found

    @cached_property
    def _naming(self) -> Mapping[tuple[str, Scope | None], Sequence[int]]:
        """The numbers of tests by the names that they ask, and where a lone name is bound."""
        reader = self.flags.reader
        found: dict[tuple[str, Scope | None], list[int]] = defaultdict(list)
        scopes: dict[int, set[Scope]] = {}
        for index, (_, test, *_rest) in enumerate(reader.model.tests):
            for item in descendants(test):
                name = dotted(item) if isinstance(item, (cst.Name, cst.Attribute)) else None
                if name is None:
                    continue
                if "." in name:
                    found[name, None].append(index)
                    continue
                bindings = reader.lookup(name, reader.scope_of(item))
                if bindings and id(bindings) not in scopes:  # the list of the scope itself
                    scopes[id(bindings)] = {each.place.scope for each in bindings}
                for scope in scopes[id(bindings)] if bindings else ():
                    found[name, scope].append(index)
        return found

    def _tests_around(self, node: cst.CSTNode) -> Iterator[int]:
        """The tests that a check stands in."""
        parents = self.flags.reader.model.parents
        current: cst.CSTNode | None = node
        while current is not None:
            yield from self._numbered.get(current, ())
            current = parents.get(current)

    def _tests_of_name(self, node: cst.CSTNode) -> Iterator[int]:
        """The tests that ask a variable that this check was stored in."""
        model = self.flags.reader.model
        parent = model.parents.get(node)
        while isinstance(parent, (cst.BooleanOperation, cst.Call, cst.Arg, cst.UnaryOperation)):
            parent = model.parents.get(parent)
        if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
            return
        target = dotted(parent.targets[0].target)
        if target is None:
            return
        scope = model.places[parent].scope if parent in model.places else model.root
        yield from self._naming.get((target, None if "." in target else scope), ())

    # --- overridden values ---

    def replaced(self, binding: Binding, others: Sequence[Binding], guard: Guard) -> Guard:
        """The guard of a bound value, given the other values of its name.

        `device = "cuda"` that is replaced where CUDA is missing is a fallback, and so is one that
        replaces another value only where CUDA is.
        """
        outer = set(around(binding.place.branch))
        for other in others:
            if other.value is None or other.place.scope is not binding.place.scope:
                continue
            others_branches = list(around(other.place.branch))
            if guard.state == "guarded":
                inside = outer.difference(others_branches)
                if (
                    any(map(self._may_prove, inside))
                    and set(others_branches) <= outer
                    and not is_false(other.value)
                ):
                    return replace(guard, state="fallback")
            for branch in others_branches:
                if branch in outer:
                    break
                if any(fact.kind == "no-cuda" for fact in self.facts(branch)):
                    return Guard("fallback", self.flags.reader.proof(branch.node))
        return guard

    def _may_prove(self, branch: Branch) -> bool:
        return branch.kind == "attempt" or bool(self.facts(branch))

    def either_or(
        self, bindings: Sequence[Binding], subject: Subject | None = None
    ) -> Guard | None:
        """The guard of a name that a library or, without it, something else that works was given.

        `try: from apex… import Norm` with `except ImportError: from torch.nn import Norm`: whoever
        calls `Norm` has what works.
        """
        for binding in bindings:
            if binding.kind != "import" or self.flags.reader.is_open(binding.target):
                continue
            asked = subject or Subject("", binding.target, is_import=True)
            root = asked.anchor.split(".", maxsplit=1)[0]
            if binding.target.split(".", maxsplit=1)[0] != root or root not in self.flags.packages:
                continue
            guard = self.guard(binding.place, asked)
            if guard.state == "fallback" and any(
                item is not binding
                and (item.kind in {"import", "function", "class"} or item.value is not None)
                for item in bindings
            ):
                return guard
        return None

    # --- outcomes ---

    def outcome(self, other: Otherwise) -> Outcome:
        """What happens when a branch is not taken."""
        if other.kind == "block":
            return self._of_block([item for item in other.block if not self.is_elsewhere(item)])
        if other.kind == "expression" and other.expression is not None:
            return "nothing" if is_false(other.expression) else "works"
        if other.kind == "elif" and other.elif_ is not None:
            return self.of_chain(other.elif_, self._chains, self._of_block)
        if other.kind in {"works", "fails"}:
            return "works" if other.kind == "works" else "fails"
        return "nothing"

    def _of_block(self, block: Sequence[cst.CSTNode]) -> Outcome:
        return outcome_of(block, self._ends)

    def _ends(self, call: cst.Call) -> bool:
        """Whether a call ends in an error in any case: of a function of the tree that only raises.

        Stricter than `Demands`, as a guard that is wrong there keeps only what was needed before.
        """
        values = self.flags.reader.values(call.func)
        return bool(values) and all(map(self._only_raises, values))

    def _only_raises(self, value: AnyValue) -> bool:
        reader = self.flags.reader
        if isinstance(value, Ref) and value.open:
            reader.asked.add(value.name)
            export = reader.externals.get(value.name)
            return export is not None and export.fails
        if not isinstance(value, LocalFunction):
            return False
        scope = value.scope
        if scope not in self._raising:
            if self._depth >= DEEPEST:
                return False
            self._raising[scope] = False  # one that calls itself
            self._depth += 1
            self._raising[scope] = self._gives_nothing(scope.node) and not self._is_abstract(scope)
            self._depth -= 1
        return self._raising[scope]

    def _is_abstract(self, method: Scope) -> bool:
        """Whether a method says that it is for others to have, and a derived class here has it."""
        raised = (
            dotted(each.exc.func if isinstance(each.exc, cst.Call) else each.exc)
            for each in descendants(method.node)
            if isinstance(each, cst.Raise)
        )
        return self.flags.folder.is_overridden(method) and _ABSTRACT in raised

    def _gives_nothing(self, node: cst.CSTNode) -> bool:
        """Whether a function ends in an error, and returns nothing before."""
        if not isinstance(node, cst.FunctionDef):
            return False
        block = body_of(node.body)
        if self._of_block(block) != "fails":
            return False
        inner = (each for item in block for each in descendants(item))
        returned = [each.value for each in inner if isinstance(each, (cst.Return, cst.Yield))]
        return all(isinstance(each, cst.Call) and self._ends(each) for each in returned)

    def is_elsewhere(self, item: cst.CSTNode) -> bool:
        """Whether a statement only runs on another vendor's device, or on CUDA."""
        if not isinstance(item, cst.If) or item.orelse is not None:
            return False
        if item not in self._elsewhere:  # asked for again behind each `if` before it
            facts = self.asked(item, True)
            self._elsewhere[item] = any(fact.kind in {"cuda", "vendor"} for fact in facts)
        return self._elsewhere[item]

    def asked(self, node: cst.If, truth: bool) -> Facts:
        """What the test of an `if` says where it has this truth."""
        return implied(self.flags.flag(node.test), truth) or frozenset()

    def of_chain(
        self,
        node: cst.If,
        known: dict[cst.If, Outcome],
        of_block: Callable[[Sequence[cst.CSTNode]], Outcome],
        behind: Sequence[cst.CSTNode] = (),
    ) -> Outcome:
        """An `elif` for another vendor or for CUDA is skipped; any other may be what runs.

        `known`: what each link came to before · `of_block`: what a block comes to · `behind`: what
        runs after the last link.
        """
        links = [node]
        while isinstance(link := links[-1].orelse, cst.If) and link not in known:
            links.append(link)
        for each in reversed(links):
            if each not in known:
                known[each] = self._of_link(each, known, of_block, behind)
        return known[node]

    def _of_link(
        self,
        node: cst.If,
        known: Mapping[cst.If, Outcome],
        of_block: Callable[[Sequence[cst.CSTNode]], Outcome],
        behind: Sequence[cst.CSTNode],
    ) -> Outcome:
        if isinstance(node.orelse, cst.If):
            after = known[node.orelse]
        else:
            after = of_block([*(body_of(node.orelse.body) if node.orelse else ()), *behind])
        if any(fact.kind in {"cuda", "vendor", "lib"} for fact in self.asked(node, True)):
            return after
        here = of_block(body_of(node.body))
        if any(fact.kind == "cuda" for fact in self.asked(node, False)):
            return here  # it is what runs where CUDA is not: `elif kind == "neuron"`
        return min(here, after, key=WORST.index)


def _all_of(proofs: Iterable[Fact], subject: Subject) -> bool:
    """Whether all that a branch asks is whether the package that is imported is there."""
    root = subject.anchor.split(".", maxsplit=1)[0]
    return all(fact.kind == "lib" and fact.subject == root for fact in proofs)


def _first(facts: Sequence[Fact], otherwise: Proof) -> Proof:
    """The first line that proves one of some facts, with the flag that would switch the code on."""
    proofs = [fact.proof for fact in facts if fact.proof is not None]
    proof = min(proofs, key=lambda each: (each.path, each.line), default=otherwise)
    flags = [_setting(fact.subject) for fact in facts if fact.kind == "opt-in" and fact.subject]
    return replace(proof, setting=min(flags)) if flags else proof


def _setting(flag: str) -> str:
    """The name of a flag without its place: `use_flash` of `--use-flash` and `args.use_flash`."""
    return flag.lstrip("-").replace("-", "_").rpartition(".")[2]


def _never(_: cst.Call) -> bool:
    return False


def outcome_of(block: Sequence[cst.CSTNode], ends: Callable[[cst.Call], bool] = _never) -> Outcome:
    """`fails` if a block raises or exits, `works` if it does something, else `nothing`.

    `ends`: whether a call ends in an error in any case.
    """
    found: Outcome = "nothing"
    for item in block:
        if isinstance(item, cst.Raise):
            return "nothing" if _is_skip(item.exc) else "fails"
        if isinstance(item, cst.Assert) and is_false(item.test):
            return "fails"
        if isinstance(item, cst.Expr) and isinstance(item.value, cst.Call):
            name = dotted(item.value.func) or ""
            if name in EXITS:
                return "fails"
            if name.rpartition(".")[2] in {"skip", "skipTest"}:
                return "nothing"
        value = item.value if isinstance(item, (cst.Expr, cst.Return, cst.Assign)) else None
        if isinstance(value, cst.Call) and ends(value):
            return "fails"
        if isinstance(item, cst.Return) and value is not None and dotted(value) == NO_ANSWER:
            return "fails"
        arms = _outcome_of_arms(item, ends) if isinstance(item, cst.If) else None
        if arms == "fails":
            return "fails"
        if arms == "works" or (arms is None and does_something(item)):
            found = "works"
    return found


def fails(otherwise: Otherwise) -> bool:
    """Whether what runs instead ends in an error, whatever the conditions in it come to."""
    if otherwise.kind == "elif" and otherwise.elif_ is not None:
        last: cst.CSTNode | None = otherwise.elif_
        while isinstance(last, cst.If):
            if outcome_of(body_of(last.body)) != "fails":
                return False
            last = last.orelse
        return isinstance(last, cst.Else) and outcome_of(body_of(last.body)) == "fails"
    return otherwise.kind == "fails" or (
        otherwise.kind == "block" and outcome_of(otherwise.block) == "fails"
    )


def is_caught(place: Place) -> bool:
    """Whether a place is in the body of a `try` that goes on after a failure."""
    return any(
        branch.kind == "attempt" and branch.truth and not fails(branch.otherwise)
        for branch in around(place.branch)
    )


def _outcome_of_arms(node: cst.If, ends: Callable[[cst.Call], bool]) -> Outcome:
    """What a block without a known answer comes to: it fails if every arm fails."""
    arms = [outcome_of(body_of(node.body), ends)]
    if isinstance(node.orelse, cst.If):
        arms.append(_outcome_of_arms(node.orelse, ends))
    else:
        arms.append(outcome_of(body_of(node.orelse.body), ends) if node.orelse else "nothing")
    if "works" in arms:
        return "works"
    return "fails" if set(arms) == {"fails"} else "nothing"


def _only_answers(block: Sequence[cst.CSTNode]) -> bool:
    """Whether a block does nothing but return True or False."""
    last = block[-1] if block else None
    if not isinstance(last, cst.Return) or last.value is None:
        return False
    return dotted(last.value) in {"True", "False"} and outcome_of(block[:-1]) == "nothing"


def _is_skip(node: cst.BaseExpression | None) -> bool:
    name = dotted(node.func if isinstance(node, cst.Call) else node) or ""
    return name.endswith(_SKIPS)


def does_something(item: cst.CSTNode) -> bool:
    """Whether a statement is more than talk, an empty value, or a way out."""
    if isinstance(item, (cst.Pass, cst.Import, cst.Continue, cst.Break, cst.Global, cst.Nonlocal)):
        return isinstance(item, cst.Import) and not _is_talk_import(item)
    if isinstance(item, cst.Return):
        return item.value is not None and dotted(item.value) != "None"  # False is an answer
    if isinstance(item, cst.Expr):
        if isinstance(item.value, cst.Call):
            name = dotted(item.value.func) or ""
            return name.rpartition(".")[2] not in _TALK
        return not isinstance(item.value, (cst.SimpleString, cst.ConcatenatedString, cst.Ellipsis))
    if isinstance(item, cst.Assign):
        return not _is_nothing(item.value) and dotted(item.value) != "True"
    if isinstance(item, (cst.FunctionDef, cst.ClassDef)):
        return outcome_of(_runs(item)) == "works"
    return not isinstance(item, (cst.EmptyLine, cst.Del))


def _is_nothing(node: cst.BaseExpression) -> bool:
    """False, zero, None, an empty container, or a tuple of these."""
    if isinstance(node, (cst.Tuple, cst.List, cst.Set, cst.Dict)):
        return all(_is_nothing(element.value) for element in node.elements)
    return is_false(node)


def _runs(item: cst.FunctionDef | cst.ClassDef) -> Sequence[cst.CSTNode]:
    """The statements of a function, or of all methods of a class: a stub that raises is none."""
    body = body_of(item.body)
    if isinstance(item, cst.FunctionDef):
        return body
    methods = [part for part in body if isinstance(part, cst.FunctionDef)]
    return [statement for method in methods for statement in body_of(method.body)]


def _is_talk_import(item: cst.Import) -> bool:
    return all(
        (dotted(alias.name) or "") in {"warnings", "logging", "traceback"} for alias in item.names
    )
