"""What conditions mean: from an expression to a `Flag`, and from a branch to what holds in it.

A flag is symbolic, so that one file can tell it to another; `portaudit.judge.guards` draws the
conclusions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst

from portaudit.catalogue.load import Guards
from portaudit.read.python.folding import Folder
from portaudit.read.python.model import (
    Binding,
    Branch,
    Scope,
    around,
    imported_by_name,
    imports_if_there,
    join,
)
from portaudit.read.python.narrowing import Narrowing, narrowings
from portaudit.read.python.nodes import dotted, last_name, number_value, string_value
from portaudit.read.python.values import (
    LocalClass,
    LocalFunction,
    LocalObject,
    Reader,
    argument,
    is_property,
)
from portaudit.types import (
    AllOf,
    AnyOf,
    Atom,
    Choice,
    Fact,
    FactKind,
    Flag,
    Instance,
    Known,
    Named,
    Not,
    Proof,
    Ref,
)

UNKNOWN: Flag = Known(None)
_OPPOSITE: Mapping[FactKind, FactKind] = {"cuda": "no-cuda", "lib": "no-lib"}
_QUESTIONS = ("is_", "device_count")
_MIRRORED: Mapping[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.LessThan: cst.GreaterThan,
    cst.LessThanEqual: cst.GreaterThanEqual,
    cst.GreaterThan: cst.LessThan,
    cst.GreaterThanEqual: cst.LessThanEqual,
    cst.Equal: cst.Equal,
    cst.NotEqual: cst.NotEqual,
}
_NEVER = {"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"}

_ALIASES = 3
_PAIR = 2
_DEEPEST = 100
"""Steps of one answer; what is further away is not known."""
_LARGEST = 1_000
"""Parts of one flag; what takes more to say is not known."""


MARK = "skipif"
"""The member of a decorator's export whose truth is that what it decorates runs."""
_MARKS = {"skipif", "skipIf", "skipUnless", "xfail"}
_TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|conftest)\.py$|_test\.py$")
"""Files whose decorators are asked of other modules whether they skip."""
_BACKENDS = "torch.distributed.Backend."
"""Before the name of a backend; as a value it is that name in lower case."""


class Flags:
    """Answers what conditions of one file mean."""

    def __init__(self, reader: Reader, guards: Guards, packages: frozenset[str]) -> None:
        self.reader = reader
        self.guards = guards
        self.packages = packages
        self.folder = Folder(reader)
        self._known: dict[object, Flag] = {}
        self._busy: set[object] = set()
        self._sizes: dict[int, tuple[Flag, int]] = {}

    def _remember(self, key: object, compute: Callable[[], Flag]) -> Flag:
        known = self._known.get(key)
        if known is not None:
            return known
        if key in self._busy or len(self._busy) > _DEEPEST:
            return UNKNOWN
        self._busy.add(key)
        try:
            result = compute()
        finally:
            self._busy.discard(key)
        self._known[key] = result = self._bounded(result)
        return result

    # --- how large a flag is ---

    def _size(self, flag: Flag) -> int:
        """The parts of a flag, those that it has in several places each time."""
        known = self._sizes.get(id(flag))
        if known is None:
            known = flag, 1 + sum(map(self._size, _parts(flag)))  # held, so that no other is `id`
            self._sizes[id(flag)] = known
        return known[1]

    def _bounded(self, flag: Flag) -> Flag:
        """A flag, unknown if it is too large.

        Names that are bound under conditions on one another make a flag of each that has those of
        the others in it: soon more than anybody could walk through.
        """
        return flag if self._size(flag) <= _LARGEST else UNKNOWN

    # --- branches ---

    def branch(self, branch: Branch) -> Flag:
        """What holds inside a branch, by its own condition alone."""
        return self._remember(branch, lambda: self._branch(branch))

    def _branch(self, branch: Branch) -> Flag:
        if branch.kind == "attempt":
            proof = self.reader.proof(branch.node)
            facts = tuple(
                fact for module, _ in branch.modules for fact in self._imported(module, proof)
            )
            atom = _atom(facts)
            return (atom if branch.truth else Not(atom)) if facts else UNKNOWN
        if branch.test is None:
            return UNKNOWN
        if branch.kind == "decorator":
            return self._decorator(branch.test)
        if branch.kind == "case":
            words = [text[0] if text else "" for text in map(string_value, branch.cases)]
            return self._one_of(words, branch.node)
        flag = self.flag(branch.test)
        return flag if branch.truth else Not(flag)

    def in_force(self, branch: Branch | None) -> Flag:
        """What holds at a place: all branches around it, the inner ones if they are many."""
        flags: list[Flag] = []
        size = 0
        while branch is not None and size <= _LARGEST:
            flag = self.branch(branch)
            if flag != UNKNOWN:
                flags.append(flag)
                size += self._size(flag)
            branch = branch.parent
        return AllOf(tuple(flags)) if flags else Known(True)

    def _decorator(self, node: cst.BaseExpression, depth: int = 0) -> Flag:
        """The condition under which a decorated function runs (`skipif`, `skipUnless`).

        Also of a list of marks, and of a helper that returns what such a decorator makes.
        """
        if depth > _ALIASES:
            return UNKNOWN
        if is_skip_mark(node) and isinstance(node, cst.Call):
            condition = argument(node, (0, "condition")).value
            flag = self.flag(condition) if condition else UNKNOWN
            return flag if last_name(node.func) == "skipUnless" or flag == UNKNOWN else Not(flag)
        if isinstance(node, cst.Call):
            return self._decorator(node.func, depth + 1)
        if isinstance(node, (cst.List, cst.Tuple)):
            parts = [self._decorator(item.value, depth + 1) for item in node.elements]
            known = tuple(part for part in parts if part != UNKNOWN)
            return AllOf(known) if known else UNKNOWN
        if isinstance(node, cst.Name):
            scope, name = self.reader.scope_of(node), node.value
            found = self._remember(("mark", scope, name), lambda: self._marked(scope, name))
            if found != UNKNOWN:
                return found
        if isinstance(node, (cst.Name, cst.Attribute)) and _TESTS.search(self.reader.source.path):
            for value in self.reader.values(node):
                if isinstance(value, Ref) and value.open:
                    return self._named(Ref(join(value.name, MARK), open=True), node) or UNKNOWN
        return UNKNOWN

    def _marked(self, scope: Scope, name: str) -> Flag:
        """The condition of what is decorated with a name: what the first of its bindings says."""
        marks = map(self.mark, self.reader.lookup(name, scope))
        return next((mark for mark in marks if mark != UNKNOWN), UNKNOWN)

    def mark(self, binding: Binding) -> Flag:
        """The condition under which runs what is decorated with a name."""
        return self._remember(("mark", binding), lambda: self._mark(binding))

    def _mark(self, binding: Binding) -> Flag:
        if binding.kind == "value" and binding.value is not None:
            return self._decorator(binding.value)
        if binding.kind == "function" and binding.inner is not None:
            returns = binding.inner.returns[:12]
            if any(_makes_mark(expression) for expression, _ in returns):
                return Choice(
                    tuple(
                        (self.in_force(place.branch), self._left_by(expression))
                        for expression, place in returns
                    )
                )
        return UNKNOWN

    def _left_by(self, node: cst.BaseExpression | None) -> Flag:
        """Whether what a decorator returns runs: what it was given does, what it skips does not."""
        if isinstance(node, cst.Name):
            bindings = self.reader.bindings(node)
            if bindings and all(binding.kind == "param" for binding in bindings):
                return Known(True)
        if _is_skipped(node):
            return Known(False)
        return self._decorator(node) if node is not None else UNKNOWN

    # --- expressions ---

    def flag(self, node: cst.BaseExpression) -> Flag:
        """What the truth of an expression means."""
        return self._remember(node, lambda: self._flag(node))

    def _flag(self, node: cst.BaseExpression) -> Flag:
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return Not(self.flag(node.expression))
        if isinstance(node, cst.BooleanOperation):
            sides = (self.flag(node.left), self.flag(node.right))
            return AllOf(sides) if isinstance(node.operator, cst.And) else AnyOf(sides)
        if isinstance(node, cst.NamedExpr):
            return self.flag(node.value)
        found: Flag = UNKNOWN
        if isinstance(node, cst.Comparison):
            found = self._comparison(node)
        elif isinstance(node, cst.Call):
            found = self._call(node)
        elif isinstance(node, cst.Attribute):
            found = self._attribute(node)
        elif isinstance(node, cst.Name):
            found = self._name(node)
        elif isinstance(node, cst.IfExp):
            test = self.flag(node.test)
            found = Choice(((test, self.flag(node.body)), (Not(test), self.flag(node.orelse))))
        found = self._opt_in(node) if tells_nothing(found) else found
        return self._narrowed(node, found) if isinstance(node, cst.Name) else found

    def _opt_in(self, node: cst.BaseExpression) -> Flag:
        """An atom when the expression is off by default, and the default is known."""
        folded = self.folder.fold(node)
        if folded is None or not folded.source or folded.value:
            if folded is not None and not folded.source:
                return Known(bool(folded.value))
            return UNKNOWN
        if not isinstance(folded.value, (bool, str, type(None))):
            return UNKNOWN  # a number at zero is a quantity, not a switch
        return Atom((Fact("opt-in", folded.source, self.reader.proof(node)),))

    def _word(self, word: str, node: cst.CSTNode) -> Flag:
        """What it means that something equals a device or backend word."""
        kind = self.guards.word(word)
        proof = self.reader.proof(node)
        if kind == "cuda":
            return Atom((Fact("cuda", "", proof),), (Fact("no-cuda", "", proof),))
        if kind == "vendor":
            return Atom((Fact("vendor", word, proof),))
        if kind == "host":
            return Atom((Fact("no-cuda", "", proof),))
        if kind == "target":
            return self._target(proof)
        return UNKNOWN

    def _target(self, proof: Proof) -> Flag:
        """The target is there, so CUDA is not; what runs without it does not run on the target."""
        return Atom((Fact("no-cuda", "", proof),), (Fact("cuda", "", proof),))

    def _one_of(self, words: Sequence[str], node: cst.CSTNode) -> Flag:
        """What it means that something is one of several words."""
        kinds = {self.guards.word(word) for word in words}
        if kinds in ({"cuda"}, {"cuda", "vendor"}):
            return self._word("cuda", node)
        if kinds == {"vendor"} or (kinds <= {"host", "target"} and len(words) == 1):
            return self._word(words[0], node)
        return UNKNOWN

    def _named(self, ref: Ref, node: cst.CSTNode, *, called: bool = False) -> Flag | None:
        """The meaning of a well-known name, or of one of another module of the tree.

        A function that is not called is true whatever there is.
        """
        proof = self.reader.proof
        if ref.open:
            self.reader.asked.add(ref.name)
            export = self.reader.externals.get(ref.name)
            return export.flag if export else Named(ref.name)
        if not called and ref.name.rpartition(".")[2].startswith(_QUESTIONS):
            return None
        if ref.name in _NEVER:
            return Atom((Fact("never", "", proof(node)),))
        if ref.name in self.guards.cuda:
            return Atom((Fact("cuda", "", proof(node)),), (Fact("no-cuda", "", proof(node)),))
        if ref.name in self.guards.own.names:
            return self._target(proof(node))
        if ref.name in self.guards.vendor:
            return Atom((Fact("vendor", ref.name, proof(node)),))
        if ref.name in self.guards.lib:
            return _atom((Fact("lib", self.guards.lib[ref.name], proof(node)),))
        return None

    def _name(self, node: cst.Name) -> Flag:
        if node.value in {"True", "False", "None"}:
            return Known(node.value == "True")
        bindings = self.reader.bindings(node)
        if not bindings:
            for value in self.reader.values(node):
                if isinstance(value, Ref):
                    return self._named(value, node) or UNKNOWN
        return self.choice(bindings, node)

    def _narrowed(self, node: cst.Name, found: Flag) -> Flag:
        """What a name means that was turned off before where something is missing."""
        if len(self.reader.bindings(node)) < _PAIR:
            return found
        kept = (self._kept(each, node.value) for each in self._narrowings(node))
        saying = tuple(flag for flag in kept if _asks(flag))
        return AllOf((found, *saying)) if saying else found

    def _narrowings(self, node: cst.Name) -> Iterator[Narrowing]:
        return narrowings(self.reader, node, self._shared)

    @cached_property
    def _shared(self) -> frozenset[str]:
        """Names that inner functions set, and those that `+=` and its like change."""
        model = self.reader.model
        changed = (each.value for each in model.changed if isinstance(each, cst.Name))
        inner = (each.outer_names for each in (model.root, *model.scopes.values()))
        return frozenset(changed).union(*inner)

    def _kept(self, narrowing: Narrowing, name: str) -> Flag:
        """What holds where a name is true, by what happened to it before.

        It was not turned off: of that its own truth is no reason, as it has that still.
        """
        if narrowing.given is not None:
            return self._supposed(narrowing.given, name, UNKNOWN)
        off = []
        for branch in narrowing.branches:
            test = branch.test
            flag = self._supposed(test, name, Known(True)) if test is not None else UNKNOWN
            off.append(flag if branch.truth else Not(flag))
        return Not(AllOf(tuple(off)))

    def _supposed(self, node: cst.BaseExpression, name: str, truth: Flag) -> Flag:
        """What the truth of an expression means if a name in it has this truth."""
        if isinstance(node, cst.Name) and node.value == name:
            return truth
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return Not(self._supposed(node.expression, name, truth))
        if isinstance(node, cst.BooleanOperation):
            sides = tuple(self._supposed(each, name, truth) for each in (node.left, node.right))
            return AllOf(sides) if isinstance(node.operator, cst.And) else AnyOf(sides)
        return self.flag(node)

    def choice(self, bindings: list[Binding], node: cst.CSTNode) -> Flag:
        """The truth of a name with these bindings, each under what holds where it stands."""
        cases = [
            (self.in_force(binding.place.branch), self._bound(binding, node))
            for binding in bindings[:12]
        ]
        if len(cases) == 1 and cases[0][0] == Known(True):
            return cases[0][1]
        return self._bounded(Choice(tuple(cases))) if cases else UNKNOWN

    def _bound(self, binding: Binding, node: cst.CSTNode) -> Flag:
        """The truth of what a binding gives."""
        if binding.kind == "import":
            is_open = self.reader.is_open(binding.target)
            named = self._named(Ref(binding.target, is_open), node)
            if named is not None and not is_open:
                return named
            tried = any(
                branch.kind == "attempt" and branch.modules
                for branch in around(binding.place.branch)
            )
            said = self._imported(binding.target, self.reader.proof(binding.node))
            facts = tuple(fact for fact in said if tried or fact.kind == "lib")
            if not facts:
                return named or UNKNOWN
            return AllOf((named, _atom(facts))) if named else _atom(facts)
        if binding.kind == "value" and binding.value is not None:
            return self.flag(binding.value)
        if binding.kind == "first" and isinstance(binding.value, cst.Call):
            return self._package_check(binding.value) or UNKNOWN
        if binding.kind == "second" and isinstance(binding.value, cst.Call):
            return self._optional(binding.value)
        if binding.kind in {"function", "class"}:
            return Known(True)
        if binding.kind == "param":
            return self._opt_in(node) if isinstance(node, cst.BaseExpression) else UNKNOWN
        return UNKNOWN

    def _attribute(self, node: cst.Attribute) -> Flag:
        if node.attr.value == "is_cuda":
            return self._word("cuda", node)
        if node.attr.value in {"is_xpu", "is_mps", "is_hpu", "is_npu", "is_xla"}:
            return Atom((Fact("vendor", node.attr.value, self.reader.proof(node)),))
        for value in self.reader.values(node):
            if isinstance(value, Ref):
                named = self._named(value, node)
                if named is not None:
                    return named
        for value in self.reader.values(node.value):
            if isinstance(value, (LocalObject, LocalClass)):
                bindings = self.reader.class_attribute(value.scope, node.attr.value)
                getter = is_property(bindings) if isinstance(value, LocalObject) else None
                if getter is not None:
                    return self.returned(LocalFunction(getter))
                if bindings:
                    flag = self.choice(bindings, node)
                    return self._opt_in(node) if flag == Known(False) else flag
            if isinstance(value, Instance) and value.of.open:
                return self._named(Ref(f"{value.of.name}.{node.attr.value}", True), node) or UNKNOWN
        key = dotted(node)
        bindings = self.reader.model.members.get(key, []) if key else []
        base = self.reader.values(node.value)
        if self.reader.holds_options(node.value, base) and bindings:
            return self.choice(bindings, node)
        return UNKNOWN

    def _call(self, node: cst.Call) -> Flag:
        function = dotted(node.func) or ""
        if imports_if_there(node):
            return self._optional(node)
        if function in {"bool", "int"} and node.args:
            return self.flag(node.args[0].value)
        if function in {"any", "all"} and node.args:
            parts = self.reader.elements(node.args[0].value)
            flags = tuple(self.flag(part) for part in parts)
            if flags:
                return AnyOf(flags) if function == "any" else AllOf(flags)
        if function == "isinstance" and len(node.args) == _PAIR:
            kinds = self.reader.elements(node.args[1].value) or [node.args[1].value]
            names = [ref.name for kind in kinds for ref in self.reader.refs(kind)]
            if names and all(name.startswith("torch.cuda.") for name in names):
                return self._word("cuda", node)
        if function == "hasattr" and len(node.args) == _PAIR:
            return self._hasattr(node)
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "startswith":
            text = string_value(node.args[0].value) if node.args else None
            return self._word(text[0].rstrip(":"), node) if text else UNKNOWN
        for value in self.reader.values(node.func):
            found = self._called(value, node)
            if found is not None:
                return found
        return UNKNOWN

    def _imported(self, name: str, proof: Proof) -> Iterator[Fact]:
        """What the import of a module, or of a member of it, says if it goes well."""
        root = name.lstrip(".").partition(".")[0]
        if root in self.packages and not self.reader.is_open(name):
            yield Fact("lib", root, proof)
        elif root and root not in sys.stdlib_module_names:
            yield Fact("module", name, proof)

    def _package_check(self, node: cst.Call) -> Flag | None:
        """The meaning of a helper that says whether a package can be imported."""
        if not any(ref.name in self.guards.package_checks for ref in self.reader.refs(node.func)):
            return None
        text = string_value(node.args[0].value) if node.args else None
        root = text[0].split(".", maxsplit=1)[0] if text and text[1] else ""
        if root not in self.packages:
            return None
        return _atom((Fact("lib", root, self.reader.proof(node)),))

    def _optional(self, node: cst.Call) -> Flag:
        """`module, there = optional_import("module")`: whether the module could be imported."""
        root = imported_by_name(node).split(".", maxsplit=1)[0] if imports_if_there(node) else ""
        if root not in self.packages:
            return UNKNOWN
        return _atom((Fact("lib", root, self.reader.proof(node)),))

    def _called(self, value: object, node: cst.Call) -> Flag | None:
        if isinstance(value, Ref):
            if value.open:
                self.reader.asked.add(value.name)
                export = self.reader.externals.get(value.name)
                return export.returns_flag if export else Named(value.name, call=True)
            checked = self._package_check(node)
            if checked is not None:
                return checked
            return self._named(value, node, called=True)
        if isinstance(value, LocalFunction):
            return self.returned(value)
        return None

    def returned(self, function: LocalFunction) -> Flag:
        """The truth of a call of a function of this file: its returns, each under its branch."""
        cases = tuple(
            (
                self.in_force(place.branch),
                self.flag(expression) if expression is not None else Known(False),
            )
            for expression, place in function.scope.returns[:12]
        )
        return self._bounded(Choice(cases)) if cases else UNKNOWN

    def _hasattr(self, node: cst.Call) -> Flag:
        text = string_value(node.args[1].value)
        if text is None:
            return UNKNOWN
        for ref in self.reader.refs(node.args[0].value):
            name = f"{ref.name}.{text[0]}"
            if name == "torch.cuda" or self.guards.word(text[0]) == "cuda":
                return UNKNOWN  # every build of torch has the module
            if self.guards.word(text[0]) == "vendor":
                return Atom((Fact("vendor", text[0], self.reader.proof(node)),))
        return UNKNOWN

    def _comparison(self, node: cst.Comparison) -> Flag:
        if len(node.comparisons) != 1:
            return UNKNOWN
        target = node.comparisons[0]
        operator, right = target.operator, target.comparator
        negative = isinstance(operator, (cst.NotEqual, cst.IsNot, cst.NotIn))
        equal = isinstance(operator, (cst.Equal, cst.Is, cst.NotEqual, cst.IsNot))
        if equal and isinstance(right, cst.Name) and right.value in {"None", "False", "True"}:
            flag = self.flag(node.left)
            if right.value == "True":
                return Not(flag) if negative else flag
            return flag if negative else Not(flag)
        found: Flag = UNKNOWN
        if equal:
            found = self._equals(node.left, right, node)
        elif isinstance(operator, (cst.In, cst.NotIn)):
            found = self._contains(node.left, right, node)
        else:
            return self._counts(node.left, operator, right)
        if found == UNKNOWN and equal:
            return self._counts(node.left, operator, right)
        return Not(found) if negative and found != UNKNOWN else found

    def _equals(
        self, left: cst.BaseExpression, right: cst.BaseExpression, node: cst.CSTNode
    ) -> Flag:
        for side, other in ((right, left), (left, right)):
            word = self._device_word(side)
            if word and self._device_word(other) is None:
                return self._word(word, node)
        return UNKNOWN

    def _device_word(self, node: cst.BaseExpression) -> str | None:
        """The device or backend word of a literal, a constant, or `torch.device(literal)`."""
        if isinstance(node, cst.Call) and "torch.device" in {
            ref.name for ref in self.reader.refs(node.func)
        }:
            inner = argument(node, (0, "type")).value
            return self._device_word(inner) if inner else None
        text = string_value(node)
        if text is None:
            _, backend, constant = self.reader.name(node).rpartition(_BACKENDS)
            word = constant.lower() if backend else ""
        else:
            word = text[0].partition(":")[0]
        return word if self.guards.word(word) else None

    def _contains(
        self, left: cst.BaseExpression, right: cst.BaseExpression, node: cst.CSTNode
    ) -> Flag:
        word = self._device_word(left)
        elements = self.reader.elements(right)
        if word and not elements and not isinstance(right, cst.Dict):
            if (dotted(right) or "").endswith("environ"):
                return UNKNOWN
            return self._word(word, node)
        return self._one_of([self._device_word(element) or "" for element in elements], node)

    def _counts(
        self, left: cst.BaseExpression, operator: cst.BaseCompOp, right: cst.BaseExpression
    ) -> Flag:
        """Comparisons of a count with a number: `device_count() > 0`."""
        if isinstance(left, cst.Integer) and type(operator) in _MIRRORED:
            left, operator, right = right, _MIRRORED[type(operator)](), left
        number = number_value(right) if isinstance(right, cst.Integer) else None
        if number is None:
            return UNKNOWN
        flag = self.flag(left)
        if tells_nothing(flag):
            return UNKNOWN
        if isinstance(operator, (cst.GreaterThan, cst.GreaterThanEqual)) and number > 1:
            return AllOf((flag, UNKNOWN))
        if (isinstance(operator, (cst.GreaterThan, cst.NotEqual)) and number == 0) or (
            isinstance(operator, cst.GreaterThanEqual) and number == 1
        ):
            return flag
        if isinstance(operator, (cst.GreaterThan, cst.Equal)) and number >= 1:
            return AllOf((flag, UNKNOWN))
        if (isinstance(operator, (cst.Equal, cst.LessThanEqual)) and number == 0) or (
            isinstance(operator, cst.LessThan) and number == 1
        ):
            return Not(flag)
        return UNKNOWN


def _atom(facts: tuple[Fact, ...]) -> Atom:
    """All facts when true; when false their opposites, if there is just one that has one."""
    opposites = tuple(
        Fact(_OPPOSITE[fact.kind], fact.subject, fact.proof)
        for fact in facts
        if fact.kind in _OPPOSITE
    )
    is_one = sum(fact.kind != "module" for fact in facts) == 1
    return Atom(facts, opposites if is_one else ())


def is_skip_mark(node: cst.CSTNode) -> bool:
    """Whether a call makes a mark or decorator that skips tests on a condition."""
    return isinstance(node, cst.Call) and last_name(node.func) in _MARKS


def _is_skipped(node: cst.BaseExpression | None) -> bool:
    """`unittest.skip(reason)(test)`, or the mark by itself."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Call):
        node = node.func
    name = dotted(node.func if isinstance(node, cst.Call) else node) or ""
    return name in _SKIPPING


def _makes_mark(node: cst.BaseExpression | None) -> bool:
    """Whether an expression is a skipping decorator, or what one makes of a function."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Call):
        node = node.func
    return node is not None and (is_skip_mark(node) or _is_skipped(node))


_SKIPPING = {"skip", "unittest.skip", "pytest.mark.skip"}


def tells_nothing(flag: Flag) -> bool:
    """Whether a flag carries neither a fact, a constant, nor a name of another module."""
    return not any(_leaves(flag))


def _asks(flag: Flag) -> bool:
    """Whether a flag says more than what is true anyway."""
    if isinstance(flag, (Atom, Named)):
        return isinstance(flag, Named) or bool(flag.when_true or flag.when_false)
    return any(map(_asks, _parts(flag)))


def _parts(flag: Flag) -> Iterator[Flag]:
    """The flags that a flag is put together from."""
    if isinstance(flag, Not):
        yield flag.flag
    elif isinstance(flag, (AllOf, AnyOf)):
        yield from flag.flags
    elif isinstance(flag, Choice):
        for case in flag.cases:
            yield from case


def _leaves(flag: Flag) -> Iterator[bool]:
    if isinstance(flag, Atom):
        yield bool(flag.when_true or flag.when_false)
    elif isinstance(flag, Known):
        yield flag.truth is not None
    elif isinstance(flag, Named):
        yield True
    elif isinstance(flag, Not):
        yield from _leaves(flag.flag)
    elif isinstance(flag, (AllOf, AnyOf)):
        for part in flag.flags:
            yield from _leaves(part)
    else:
        for _, value in flag.cases:
            yield from _leaves(value)
