"""One line of one file, judged again with somebody who listens: what matched, how, and what not.

The stage `scan_file` says what it found and forgets how; few ask, and of one line at a time. This
goes the same way through one file, with the same parts, and notes what was dropped and why. Like
it, it reads and prints nothing: other modules come in by `Follow`.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import libcst as cst
from msgspec import Struct

from portaudit.catalogue.index import Selector
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Condition as Wanted
from portaudit.catalogue.schema import Match
from portaudit.judge.findings import judge
from portaudit.judge.guards import Judge
from portaudit.judge.required import required
from portaudit.judge.severity import intrinsic
from portaudit.judge.unmet import unmet
from portaudit.match.hits import Hit, Why
from portaudit.match.items import ItemHit, match_items
from portaudit.match.python import Matcher
from portaudit.read.notebook import read as read_notebook
from portaudit.read.other import read
from portaudit.read.python.flags import Flags
from portaudit.read.python.model import (
    Binding,
    around,
    build,
    imported_by_name,
    join,
    member_key,
)
from portaudit.read.python.nodes import dotted
from portaudit.read.python.parse import Parsed, UnreadableError, parse
from portaudit.read.python.setup import dependencies
from portaudit.read.python.sources import sources
from portaudit.read.python.twins import DisagreementError
from portaudit.read.python.values import (
    Answers,
    AnyValue,
    LocalClass,
    LocalFunction,
    LocalObject,
    LocalText,
    Reader,
)
from portaudit.read.text import BinaryError, Text, decode
from portaudit.types import (
    Condition,
    Confidence,
    Constant,
    Fact,
    Instance,
    Passed,
    Proof,
    Ref,
    SourceFile,
    Span,
    Step,
    Target,
)
from portaudit.types import Text as Literal

_DEEPEST = 6_000
"""Python frames allowed, as when a file is scanned."""
_LONGEST = 12
"""Steps of one way that are told."""
_NAMES = 8
_SHOWN = 3
_WIDEST = 160

Wish = Callable[[AnyValue], bool]
Follow = Callable[[str, str], "tuple[SourceFile, Answers, tuple[str, ...]] | None"]
"""The file that a name leads to, as the importing file spells it, and what is left of the name."""

WORDS: Mapping[Why, str] = {
    "arguments": "it is called in a way that the rule does not speak of",
    "complaint": "it is part of what an error says",
    "compared": "it is compared with something, which makes it a condition and no use",
    "context": "it counts where a training step runs it (or a loop, or a model's construction), "
    "which nothing in this file shows",
    "elsewhere": "it is reported where the variable got it",
    "explained": "the call that it is given to is a finding itself",
    "foreign": "the object is of a library that has nothing to do with torch",
    "function": "what it is called on is a module: a function, judged by its whole name",
    "guarded": "the guard takes all of it away",
    "harmless": "the file only calls it in a way that is no obstacle",
    "host": "it works on what is on the host already",
    "merged": "it decides between two values: the finding is at the literal",
    "no-torch": "the file imports nothing of torch, nor of this tree: the name may mean anything",
    "once": "one remedy is for all places of this class or function, and the first is told of",
    "own": "it is a method of this file, judged by what that does",
    "part": "the call that it is an argument of is a finding itself",
    "receiver": "the object is not known to be of the class that the rule speaks of",
    "silent": "the code never runs, or only on another vendor's device",
    "specific": "a rule that says more speaks of the same place",
    "supported": "the target does this as it is written",
    "unclear": "nothing shows that this text is used as a device",
    "words": "the text is a word for people, a key, or something else that is no device",
}
"""Each reason in words."""
_KINDS: Mapping[str, str] = {
    "call": "a call of `{}`",
    "attribute": "`{}` is named",
    "method": "a call of the method `{}`, matched by its name",
    "import": "`{}` is imported",
    "decorator": "`{}` decorates it",
    "class-base": "`{}` is a base class",
    "string": "the text `{}`",
    "kwarg": "the argument `{}`",
    "subscript": "`{}` with an index",
    "env-var": "the environment variable `{}`",
    "detector": "`{}`, by a detector written for this rule",
    "config-key": "the setting `{}`",
    "command": "the command `{}`",
    "dependency": "the requirement `{}`",
    "image": "the image `{}`",
    "source": "`{}` in native code",
    "include": "`{}` is included",
    "kernel": "the kernel `{}`",
}
_FACTS: Mapping[str, str] = {
    "cuda": "a CUDA device is there",
    "no-cuda": "no CUDA device is there",
    "lib": "`{}` can be imported",
    "no-lib": "`{}` cannot be imported",
    "opt-in": "`{}` is on, which is off by default unless something gives it another value",
    "vendor": "the device is another vendor's",
    "never": "this never runs",
}


class Traced(Struct, frozen=True):
    """A match that a finding may have come from."""

    rule: str
    span: Span
    matched: str
    anchor: str
    confidence: Confidence
    steps: tuple[Step, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Trace(Struct, frozen=True):
    """What one file says of some of its lines.

    `kept`: matches that were not dropped in this file · `said`: the line is in a text that nothing
    uses, such as a docstring · `problem`: why nothing could be told.
    """

    kept: tuple[Traced, ...] = ()
    passed: tuple[Passed, ...] = ()
    names: tuple[Step, ...] = ()
    said: bool = False
    problem: str = ""


def trace_file(
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    lines: frozenset[int],
    answers: Answers,
    follow: Follow,
) -> Trace:
    """Look at some lines of a file as the scan does, and say what became of each match."""
    if sys.getrecursionlimit() < _DEEPEST:
        sys.setrecursionlimit(_DEEPEST)
    try:
        if source.kind == "python":
            parsed = parse(source.path, source.content)
            return _tried(parsed, _Job(source, catalogue, target, lines, answers, follow))
        text = Text(source.path, decode(source.content))
        if source.kind == "notebook":
            notebook = read_notebook(text)
            job = _Job(source, catalogue, target, lines, answers, follow, notebook.span, text.lines)
            cells = _tried(notebook.parsed()[0], job)
            magics = _items(match_items(notebook.items, catalogue, target, source.path), job)
            return Trace(
                (*cells.kept, *magics.kept),
                (*cells.passed, *magics.passed),
                cells.names,
                cells.said,
            )
        items = read(source.kind, text).items
        hits = match_items(items, catalogue, target, source.path, source.first_party)
        return _items(hits, _Job(source, catalogue, target, lines, answers, follow))
    except (UnreadableError, BinaryError) as error:
        return Trace(problem=str(error))
    except RecursionError:
        return Trace(problem="an expression is nested too deeply to judge")


def _same(span: Span) -> Span:
    return span


class _Job(Struct, frozen=True):
    """What is asked of a file. `at` leads from the code that is judged to the file's own lines."""

    source: SourceFile
    catalogue: Catalogue
    target: Target
    lines: frozenset[int]
    answers: Answers
    follow: Follow
    at: Callable[[Span], Span] = _same
    text: Sequence[str] = ()

    def wanted(self, span: Span) -> bool:
        return self.at(span).line in self.lines


class _Noted(Struct, frozen=True):
    why: Why
    selector: Selector
    node: cst.CSTNode
    anchor: str
    by: Proof | None


def _tried(parsed: Parsed, job: _Job) -> Trace:
    try:
        return _code(parsed, job)
    except DisagreementError:
        return _code(parsed.by_libcst(job.source.path), job)


def _code(parsed: Parsed, job: _Job) -> Trace:
    """The same for Python code, which notes what came to nothing."""
    reader = Reader(job.source, build(parsed.module), parsed, job.answers)
    noted: list[_Noted] = []

    def note(
        why: Why, selector: Selector, node: cst.CSTNode, anchor: str, by: Proof | None
    ) -> None:
        noted.append(_Noted(why, selector, node, anchor, by))

    catalogue = job.catalogue
    flags = Flags(reader, catalogue.guards.on(job.target), catalogue.package_roots)
    judgment = Judge(flags, catalogue.libraries, unmet(reader, job.target))
    hits = [*Matcher(reader, catalogue, note).run(), *required(judgment, catalogue)]
    judge(judgment, catalogue, job.target, hits, note)
    dropped = {(_name(each.selector), each.node) for each in noted}
    walker = _Walker(reader, job.follow, job.at)
    kept = tuple(
        Traced(
            hit.selector.rule,
            job.at(reader.spot(hit.node)),
            _matched(catalogue, hit.selector, hit.anchor),
            hit.anchor,
            hit.confidence,
            tuple(_steps(walker, hit)),
            tuple(_conditions(judgment, hit, job)),
        )
        for hit in hits
        if job.wanted(reader.spot(hit.node)) and (_name(hit.selector), hit.node) not in dropped
    )
    items = (*dependencies(reader), *sources(reader).items)
    of_items = _items(
        match_items(items, catalogue, job.target, job.source.path, job.source.first_party), job
    )
    passed = [_passed(each, job, reader) for each in noted if job.wanted(reader.spot(each.node))]
    return Trace(
        (*kept, *of_items.kept),
        (*dict.fromkeys(passed), *of_items.passed),
        tuple(_names(walker, job)),
        _is_said(reader, job),
    )


def _name(selector: Selector) -> tuple[str, int, str]:
    return selector.rule, selector.position, selector.name


def _passed(each: _Noted, job: _Job, reader: Reader) -> Passed:
    rule = job.catalogue.rules[each.selector.rule]
    span = job.at(reader.spot(each.node))
    why, anchor = WORDS[each.why], each.anchor
    match = job.catalogue.match_of(each.selector)
    if each.why == "specific":
        why, anchor = f"{each.anchor}, which says more, speaks of the same place", ""
    elif each.why == "arguments":
        why = f"{why}: it wants {_conditions_of(match)}"
    by = each.by
    if by is not None and by.path == job.source.path:
        line = job.at(Span(by.line, 1, by.line, 1)).line
        by = Proof(by.path, line, by.text, by.setting)
    return Passed(rule.id, rule.name, span.line, span.column, anchor, each.why, why, by)


def _items(hits: Sequence[ItemHit], job: _Job) -> Trace:
    """What was matched in what is no Python."""
    kept: list[Traced] = []
    passed: list[Passed] = []
    why: Why
    by: Proof | None
    for hit in hits:
        if hit.span.line not in job.lines:
            continue
        rule = job.catalogue.rules[hit.selector.rule]
        fact = job.catalogue.facts(rule.id, hit.selector.row, job.target)
        row = hit.selector.row
        if intrinsic(rule, fact, row.severity if row else None) is None:
            why, by = "supported", None
        elif hit.item.guard not in {"none", "hard-fail"} and rule.when_guarded == "drop":
            why, by = "guarded", hit.item.guard_by
        else:
            matched = _matched(job.catalogue, hit.selector, hit.anchor)
            kept.append(Traced(rule.id, hit.span, matched, hit.anchor, hit.confidence))
            continue
        at = hit.span
        words = WORDS[why]
        passed.append(Passed(rule.id, rule.name, at.line, at.column, hit.anchor, why, words, by))
    return Trace(tuple(kept), tuple(dict.fromkeys(passed)))


# --- the match ------------------------------------------------------------------------------------


def _matched(catalogue: Catalogue, selector: Selector, anchor: str) -> str:
    """What of a rule selected a place, in words."""
    match = catalogue.match_of(selector)
    words = _KINDS[match.kind].format(anchor)
    row = selector.row
    patterns = [row.name] if row else [*match.name, *(str(value) for value in match.value)]
    fitting = [pattern for pattern in patterns if fnmatchcase(anchor.lstrip("."), pattern)]
    if fitting and anchor.lstrip(".") not in fitting:
        table = f" in its table `{match.table}`" if row and match.table else ""
        words += f"; the rule has `{max(fitting, key=len)}`{table}"
    wanted = _conditions_of(match)
    return f"{words}; with {wanted}" if wanted else words


def _conditions_of(match: Match) -> str:
    """What a match asks of the arguments."""
    found = [_condition(each) for each in match.where]
    found += [f"not {_condition(each)}" for each in match.unless]
    return " and ".join(found)


def _condition(wanted: Wanted) -> str:
    places = wanted.argument if isinstance(wanted.argument, list) else [wanted.argument]
    names = [place for place in places if isinstance(place, str)]
    name = f"`{names[0]}`" if names else f"argument {int(places[0]) + 1}"
    if wanted.absent is not None:
        return f"{name} {'left out' if wanted.absent else 'given'}"
    for values, words in (
        (wanted.equals, "being"),
        (wanted.prefix, "beginning with"),
        (wanted.has, "having"),
        (wanted.type, "of type"),
    ):
        if values:
            return f"{name} {words} {' or '.join(f'`{value}`' for value in values)}"
    return f"{name} given"


# --- conditions -----------------------------------------------------------------------------------


def _conditions(judgment: Judge, hit: Hit, job: _Job) -> Iterator[Condition]:
    """The conditions in force at a place, innermost first, with what each proves."""
    reader = judgment.flags.reader
    for branch in around(hit.place.branch):
        span = job.at(reader.span(branch.node))
        text = reader.line(reader.span(branch.node).line).strip()[:_WIDEST]
        said = "; ".join(sorted({_fact(fact) for fact in judgment.facts(branch)}))
        if branch.kind == "decorator" and not said:
            continue  # few of them decide anything
        if branch.kind == "attempt":
            said = said or "a failure here is caught"
        elif said and branch.kind == "test" and not branch.truth:
            said = f"where it does not hold, {said}"
        yield Condition(job.source.path, span.line, text, said)


def _fact(fact: Fact) -> str:
    subject = fact.subject or "it"
    return _FACTS.get(fact.kind, "").format(subject)


# --- the way to a name ----------------------------------------------------------------------------


def _steps(walker: _Walker, hit: Hit) -> Iterator[Step]:
    """How the code's spelling leads to what the rule knows."""
    if hit.is_import:
        return  # it is spelled out
    node = hit.key if isinstance(hit.key, cst.BaseExpression) else hit.node
    anchor = hit.anchor
    if anchor.startswith("."):
        function = node.func if isinstance(node, cst.Call) else node
        if isinstance(function, cst.Attribute):
            yield from walker.way(function.value, _is_object)
        return

    def leads(value: AnyValue) -> bool:
        return isinstance(value, Ref) and f"{anchor}.".startswith(f"{value.name}.")

    yield from walker.way(node, leads)


def _is_object(value: AnyValue) -> bool:
    return isinstance(value, (Instance, LocalObject))


def _is_nothing(_value: AnyValue) -> bool:
    return False


class _Walker:
    """Follows a name through imports and assignments, from file to file."""

    def __init__(self, reader: Reader, follow: Follow, at: Callable[[Span], Span] = _same) -> None:
        self.reader = reader
        self._follow = follow
        self._at = at

    def way(self, node: cst.CSTNode, wish: Wish) -> Iterator[Step]:
        """The lines by which an expression comes to have a value that is wished for."""
        seen: set[Step] = set()
        for step in self._of(node, wish, _LONGEST):
            if step in seen:
                return
            seen.add(step)
            yield step

    def origin(self, values: Sequence[AnyValue]) -> str:
        """Where in the tree a name of it is made."""
        for value in values:
            if isinstance(value, Ref) and value.open:
                for step in self._across(value.name, _is_nothing, _LONGEST):
                    return f", made at {step.path}:{step.line}"
        return ""

    def _of(self, node: cst.CSTNode | None, wish: Wish, left: int) -> Iterator[Step]:
        reader = self.reader
        if node is None or left <= 0:
            return
        if isinstance(node, cst.Name):
            yield from self._name(node, wish, left)
        elif isinstance(node, cst.Attribute):
            yield from self._attribute(node, wish, left)
        elif isinstance(node, cst.Call) and imported_by_name(node):
            yield self._step(node, imported_by_name(node), reader.values(node))
        elif isinstance(node, cst.Call):
            yield from self._called(node, wish, left)
        elif isinstance(node, cst.Subscript):
            key = member_key(node)
            bindings = reader.model.members.get(key, []) if key else []
            if not (yield from self._first(bindings, wish, left)):
                yield from self._of(node.value, wish, left)
        else:
            for part in _parts(node):
                if any(map(wish, reader.values(part))):
                    yield from self._of(part, wish, left)
                    return

    def _name(self, node: cst.Name, wish: Wish, left: int) -> Iterator[Step]:
        bindings = self.reader.bindings(node)
        if bindings:
            yield from self._first(bindings, wish, left)
        else:
            yield from self._starred(node.value, wish, left)

    def _attribute(self, node: cst.Attribute, wish: Wish, left: int) -> Iterator[Step]:
        reader = self.reader
        base = reader.values(node.value)
        if any(map(wish, base)):
            yield from self._of(node.value, wish, left)
            return
        name = dotted(node)
        bindings = list(reader.model.members.get(name, ())) if name else []
        for value in base:
            if isinstance(value, (LocalObject, LocalClass)):
                bindings += reader.class_attribute(value.scope, node.attr.value)
        if (yield from self._first(bindings, wish, left)):
            return
        for value in base:
            if isinstance(value, Ref) and value.open:
                yield from self._of(node.value, value.__eq__, left)
                target = join(value.name, node.attr.value)
                yield from self._across(target, wish, left - 1)
                return

    def _called(self, node: cst.Call, wish: Wish, left: int) -> Iterator[Step]:
        """An object is made by what is called; a function hands on what it returns."""
        made = {value.of.name for value in self.reader.values(node) if isinstance(value, Instance)}

        def makes(value: AnyValue) -> bool:
            return wish(value) or (
                isinstance(value, Ref)
                and any(f"{name}.".startswith(f"{value.name}.") for name in made)
            )

        for value in self.reader.values(node.func):
            if isinstance(value, (LocalFunction, LocalClass)):
                yield self._step(value.scope.node, value.scope.name, (value,))
                return
        yield from self._of(node.func, makes, left)

    def _first(
        self, bindings: Sequence[Binding], wish: Wish, left: int
    ) -> Generator[Step, None, bool]:
        """By the first binding that leads there; whether there is one."""
        for binding in bindings:
            values = self.reader.bound(binding)
            if any(map(wish, values)):
                yield self._step(binding.node, binding.name, values, binding)
                yield from self._beyond(binding, wish, left - 1)
                return True
        return False

    def _beyond(self, binding: Binding, wish: Wish, left: int) -> Iterator[Step]:
        if binding.kind != "import":
            yield from self._of(binding.value, wish, left)
        elif self.reader.is_open(binding.target):
            yield from self._across(binding.target, wish, left)

    def _across(self, target: str, wish: Wish, left: int) -> Iterator[Step]:
        """On in the file that a name of this tree leads to."""
        found = self._follow(self.reader.source.path, target) if left > 0 else None
        if found is None:
            return
        source, answers, rest = found
        if not rest:
            return
        try:
            parsed = parse(source.path, source.content)
        except UnreadableError:
            return
        other = _Walker(Reader(source, build(parsed.module), parsed, answers), self._follow)
        yield from other.member(rest, wish, left)

    def member(self, names: Sequence[str], wish: Wish, left: int) -> Iterator[Step]:
        """The same for a name of this module, or for an attribute of it."""
        root = self.reader.model.root
        bindings = self.reader.lookup(names[0], root)
        if not bindings:
            yield from self._starred(names[0], wish, left)
            return
        if len(names) == 1:
            if not (yield from self._first(bindings, wish, left)):
                yield from self._defined(bindings)
            return
        for binding in bindings:
            for value in self.reader.bound(binding):
                if isinstance(value, (LocalClass, LocalObject)):
                    inner = self.reader.class_attribute(value.scope, names[1])
                    yield from self._first(inner, wish, left)
                    return
            if binding.kind == "import" and self.reader.is_open(binding.target):
                yield self._step(binding.node, binding.name, self.reader.bound(binding), binding)
                target = join(binding.target, ".".join(names[1:]))
                yield from self._across(target, wish, left - 1)
                return
        yield from self._first(bindings, wish, left)

    def _defined(self, bindings: Sequence[Binding]) -> Iterator[Step]:
        """Where a way ends without what was wished for: what is there is as far as is known."""
        for binding in bindings:
            if binding.kind in {"function", "class", "value"}:
                yield self._step(binding.node, binding.name, self.reader.bound(binding), binding)
                return

    def _starred(self, name: str, wish: Wish, left: int) -> Iterator[Step]:
        for module, node in self.reader.model.stars:
            target = join(module, name)
            is_open = self.reader.is_open(module)
            values = self.reader.expand(Ref(target, is_open))
            if any(map(wish, values)):
                yield self._step(node, name, values)
                if is_open:
                    yield from self._across(target, wish, left - 1)
                return

    def _step(
        self,
        node: cst.CSTNode,
        name: str,
        values: Sequence[AnyValue],
        binding: Binding | None = None,
    ) -> Step:
        reader = self.reader
        place = binding.place if binding else reader.model.places.get(node)
        inner = binding.value if binding and binding.value is not None else node
        span = reader.span(inner if inner in reader.model.places else node)
        if place is not None and inner not in reader.model.places:
            span = reader.span(place.statement)
        text = reader.line(span.line).strip()[:_WIDEST]
        means = _meant(values)
        means = "" if means == f"`{name}`" else means
        return Step(reader.source.path, self._at(span).line, text, name, means)


def _parts(node: cst.CSTNode) -> Sequence[cst.BaseExpression]:
    """The parts of an expression of which one is its value."""
    if isinstance(node, cst.IfExp):
        return node.body, node.orelse
    if isinstance(node, cst.BooleanOperation):
        return node.left, node.right
    if isinstance(node, cst.NamedExpr):
        return (node.value,)
    return (node.expression,) if isinstance(node, cst.Await) else ()


def _meant(values: Sequence[AnyValue]) -> str:
    """What something may be, in words."""
    words = list(dict.fromkeys(_value(value) for value in values))
    more = f" or {len(words) - _SHOWN} more" if words[_SHOWN:] else ""
    return " or ".join(words[:_SHOWN]) + more


def _value(value: AnyValue) -> str:
    if isinstance(value, Ref):
        return f"`{value.name}`" + (" of this tree" if value.open else "")
    if isinstance(value, Instance):
        return f"what `{value.of.name}` gives"
    if isinstance(value, (Literal, LocalText)):
        return f'"{value.value}{"" if value.exact else "…"}"'
    if isinstance(value, Constant):
        return f"{value.value}"
    if isinstance(value, LocalFunction):
        return f"the function `{value.scope.qualname}`"
    kind = "an object of " if isinstance(value, LocalObject) else ""
    return f"{kind}the class `{value.scope.qualname}`"


def _names(walker: _Walker, job: _Job) -> Iterator[Step]:
    """The longest names on the lines, each with what it means."""
    reader = walker.reader
    model = reader.model
    found: dict[str, Step] = {}
    for node in (*model.attributes, *model.names):
        if isinstance(model.parents.get(node), cst.Attribute) or not job.wanted(reader.span(node)):
            continue
        name = dotted(node)
        if name and name not in found and len(found) < _NAMES and not hasattr(builtins, name):
            span = job.at(reader.span(node))
            values = reader.values(node)
            text = reader.line(reader.span(node).line).strip()[:_WIDEST]
            means = _meant(values) + walker.origin(values)
            found[name] = Step(reader.source.path, span.line, text, name, means)
    yield from found.values()


def _is_said(reader: Reader, job: _Job) -> bool:
    """Whether the lines are all in texts that stand by themselves."""
    texts = [
        reader.span(node)
        for node in reader.model.strings
        if isinstance(reader.model.parents.get(node), cst.Expr)
    ]
    spans = [(job.at(span).line, job.at(span).end_line) for span in texts]
    return all(any(first <= line <= last for first, last in spans) for line in job.lines)
