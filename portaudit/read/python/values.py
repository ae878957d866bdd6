"""What names and expressions may be: modules and API names, string literals, constants, objects.

Flow-insensitive on purpose: a name is everything that was bound to it where it is visible. Nothing
is judged here, and nothing is ever imported or run.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import libcst as cst
from msgspec import Struct
from msgspec.structs import replace

from portaudit.read.python.model import (
    Binding,
    Branch,
    Model,
    Scope,
    around,
    imported_by_name,
    imports_if_there,
    join,
    member_key,
)
from portaudit.read.python.nodes import (
    dict_entries,
    dotted,
    last_name,
    last_part,
    number_value,
    string_value,
)
from portaudit.read.python.parse import Parsed, expression_in
from portaudit.read.python.positions import Positions
from portaudit.types import (
    NO_EXTERNALS,
    Constant,
    Export,
    Externals,
    Instance,
    Proof,
    Ref,
    SourceFile,
    Span,
    Text,
    Value,
)

_MAX_VALUES = 16
_OLDEST = 8
_SEVERAL = 2
_MANY = 500
"""Bindings of one name from which it is not asked which of them reach a place."""
_BUILTINS = frozenset(dir(builtins))
_CONSTANTS: Mapping[str, tuple[Constant]] = {
    str(value): (Constant(value),) for value in (True, False, None)
}
_CONFIG_NAMES = frozenset(
    [
        "arg",
        "args",
        "argv",
        "cfg",
        "conf",
        "config",
        "configs",
        "cli_args",
        "flags",
        "hparams",
        "hyper_params",
        "opt",
        "option",
        "options",
        "opts",
        "params",
        "parsed",
        "parsed_args",
        "script_args",
        "settings",
        "training_args",
        "FLAGS",
    ]
)
"""Variables that hold parsed options: `args.device` then means the option `--device`."""

_DEEPEST = 200
"""Steps of one answer; what is further away is not known."""


class LocalFunction(Struct, frozen=True, eq=False):
    """A function of this file."""

    scope: Scope


class LocalClass(Struct, frozen=True, eq=False):
    """A class of this file."""

    scope: Scope


class LocalObject(Struct, frozen=True, eq=False):
    """An object of a class of this file."""

    scope: Scope


class LocalText(Struct, frozen=True):
    """A string literal of this file; `exact` is false when only its beginning is known."""

    value: str
    exact: bool
    node: cst.BaseExpression


Ask = Callable[[str], "Export | None"]
"""Tells what an open name is, as the file spells it; None for what nobody knows."""
_BY_SCOPE: frozenset[type] = frozenset({LocalFunction, LocalClass, LocalObject})
AnyText = Text | LocalText
AnyValue = Value | LocalFunction | LocalClass | LocalObject | LocalText


class Argument(Struct, frozen=True):
    """An argument of a call: `None` value when the call does not give it."""

    node: cst.Arg | None
    value: cst.BaseExpression | None


def argument(call: cst.Call, positions: Sequence[int | str]) -> Argument:
    """The argument given at a position or by a keyword."""
    for wanted in positions:
        index = 0
        for item in call.args:
            if item.star:
                if not item.keyword and isinstance(wanted, int) and index <= wanted:
                    break
                continue
            if item.keyword:
                if item.keyword.value == wanted:
                    return Argument(item, item.value)
            else:
                if index == wanted:
                    return Argument(item, item.value)
                index += 1
    return Argument(None, None)


def classes(note: cst.BaseExpression | None) -> Iterator[str]:
    """The dotted names of the classes that an annotation allows."""
    if note is None:
        return
    name = dotted(note)
    if name:
        yield name
    elif isinstance(note, cst.SimpleString):
        text = string_value(note)
        if text and all(part.isidentifier() for part in text[0].split(".")):
            yield text[0]
        elif text:
            yield from classes(expression_in(text[0]))
    elif isinstance(note, cst.BinaryOperation):
        yield from classes(note.left)
        yield from classes(note.right)
    elif isinstance(note, cst.Subscript):
        if last_name(note.value) in _WRAPPERS:
            for element in note.slice:
                if isinstance(element.slice, cst.Index):
                    yield from classes(element.slice.value)


def is_property(bindings: Sequence[Binding]) -> Scope | None:
    """The function behind an attribute that is read like a value."""
    binding = bindings[0] if len(bindings) == 1 else None
    node = binding.node if binding is not None else None
    if binding is None or not isinstance(node, cst.FunctionDef):
        return None
    names = [last_name(item.decorator) for item in node.decorators]
    return binding.inner if any(name in _PROPERTIES for name in names) else None


def has_unpacking(call: cst.Call) -> bool:
    """Whether a call passes `*args` or `**kwargs`: an absent argument may be in there."""
    return any(item.star for item in call.args)


class Answers:
    """What other modules tell of open names: as given, or asked for when it is needed."""

    def __init__(self, externals: Externals = NO_EXTERNALS, ask: Ask | None = None) -> None:
        self._known: dict[str, Export | None] = dict(externals.names)
        self._ask = ask

    def get(self, name: str) -> Export | None:
        """What is told of a name."""
        if self._ask is not None and name not in self._known:
            self._known[name] = self._ask(name)
        return self._known.get(name)


class Reader:
    """Answers questions about one file; every answer is remembered.

    Also those found inside a cycle of assignments, where something may be missing: asking again
    from elsewhere would cost exponential time on code that reassigns its variables.
    """

    def __init__(
        self,
        source: SourceFile,
        model: Model,
        parsed: Parsed,
        externals: Answers | None = None,
        positions: Positions | None = None,
    ) -> None:
        self.source = source
        self.model = model
        self.positions = positions or Positions(parsed.module, parsed.text, parsed.tree)
        self.lines = self.positions.lines
        self.externals = externals or Answers()
        self.asked: set[str] = set()
        self._values: dict[cst.CSTNode, tuple[AnyValue, ...]] = {}
        self._bound: dict[Binding, tuple[AnyValue, ...]] = {}
        self._busy: set[object] = set()
        self._reaching: dict[tuple[int, Branch], list[Binding]] = {}

    # --- positions ---

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands."""
        if isinstance(node, cst.CompIf):
            node = node.test
        place = self.model.places.get(node)
        return self.positions.span(node, place.statement if place else node)

    def spot(self, node: cst.CSTNode) -> Span:
        """Where what a node says is spelled: a method's name, if its object begins lines above."""
        span = self.span(node)
        function = node.func if isinstance(node, cst.Call) else node
        place = self.model.places.get(node)
        if span.line == span.end_line or place is None or not isinstance(function, cst.Attribute):
            return span
        name = self.positions.span(function.attr, place.statement)
        if name.line == span.line:
            return span
        return Span(name.line, name.column, span.end_line, span.end_column)

    def line(self, number: int) -> str:
        """The text of a line (1-based), without its end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node."""
        place = self.model.places.get(node)
        return self.positions.code(node, place.statement if place else node)

    def proof(self, node: cst.CSTNode) -> Proof:
        """The line where a condition stands, as evidence."""
        number = self.span(node).line
        return Proof(self.source.path, number, self.line(number).strip()[:160])

    # --- names ---

    def is_open(self, target: str) -> bool:
        """Whether an imported name belongs to the audited tree."""
        return target.startswith(".") or target.split(".", maxsplit=1)[0] in self.source.first_party

    def lookup(self, name: str, scope: Scope) -> list[Binding]:
        """The bindings that a name means in a scope, by Python's rules."""
        current: Scope | None = scope
        first = True
        while current is not None:
            found = current.bindings.get(name)
            if found and (first or current.kind != "class") and name not in current.outer_names:
                return found
            if first and current.kind != "comprehension":
                first = False
            current = current.parent
        return []

    def bindings(self, node: cst.Name) -> list[Binding]:
        """The bindings that a name may have where it stands: not those of the other branch."""
        place = self.model.places.get(node)
        found = self.lookup(node.value, self.model.root if place is None else place.scope)
        if not _SEVERAL <= len(found) <= _MANY or place is None or place.branch is None:
            return found
        key = id(found), place.branch  # the list of the scope itself
        if key not in self._reaching:
            self._reaching[key] = self._of_branch(found, place.branch)
        return self._reaching[key]

    def _of_branch(self, found: list[Binding], inner: Branch) -> list[Binding]:
        """Those of several bindings that may reach a branch."""
        taken = {(branch.node, branch.test): branch.truth for branch in around(inner)}
        other: dict[Branch | None, bool] = {None: False}
        reaching = []
        for binding in found:
            passed: list[Branch] = []
            for branch in around(binding.place.branch):
                if branch in other:
                    break
                passed.append(branch)
            for branch in reversed(passed):
                truth = taken.get((branch.node, branch.test), branch.truth)
                other[branch] = other[branch.parent] or truth != branch.truth
            if not other[binding.place.branch]:
                reaching.append(binding)
        return reaching or found

    def scope_of(self, node: cst.CSTNode) -> Scope:
        """The namespace in which an expression is evaluated."""
        place = self.model.places.get(node)
        return self.model.root if place is None else place.scope

    def values(self, node: cst.CSTNode | None) -> tuple[AnyValue, ...]:
        """Everything an expression may be, as far as can be told; empty when nothing is known."""
        if node is None:
            return ()
        known = self._values.get(node)
        if known is not None:
            return known
        evaluate = self._evaluations.get(type(node))
        if evaluate is None:
            return ()
        if node in self._busy or len(self._busy) > _DEEPEST:
            return ()
        self._busy.add(node)
        try:
            result = evaluate(self, node)
            if type(result) is not tuple:
                result = _unique(result)
        finally:
            self._busy.discard(node)
        self._values[node] = result
        return result

    def refs(self, node: cst.CSTNode | None) -> Sequence[Ref]:
        """The names of installed packages that an expression may be."""
        values = self.values(node)
        if not values:
            return ()  # as most are
        return [value for value in values if type(value) is Ref and not value.open]

    def calls_of(self, names: Iterable[str]) -> Sequence[cst.Call]:
        """The calls of installed packages' names, in the order of the file.

        To be asked once the values of all callees are remembered: it asks for them in one go.
        """
        found = [each for name in names for each in self.called_names.get(name, ())]
        return [call for _, call in sorted(set(found))] if len(found) > 1 else [c for _, c in found]

    @cached_property
    def called_names(self) -> Mapping[str, Sequence[tuple[int, cst.Call]]]:
        """The names of installed packages that are called, each with its calls and their places."""
        found: dict[str, list[tuple[int, cst.Call]]] = {}
        for place, call in enumerate(self.model.calls):
            for ref in self.refs(call.func):
                found.setdefault(ref.name, []).append((place, call))
        return found

    def name(self, node: cst.CSTNode | None) -> str:
        """The first resolved dotted name of an expression, or an empty string."""
        found = self.refs(node)
        return found[0].name if found else ""

    def texts(self, node: cst.CSTNode | None) -> Iterator[AnyText]:
        """The string literals that an expression may be."""
        for value in self.values(node):
            if isinstance(value, (Text, LocalText)):
                yield value

    @cached_property
    def bound_by(self) -> Mapping[cst.CSTNode, tuple[Binding, list[Binding]]]:
        """The first binding that each statement or parameter makes, among all of that name."""
        found: dict[cst.CSTNode, tuple[Binding, list[Binding]]] = {}
        for scope in (self.model.root, *self.model.scopes.values()):
            for bindings in (*scope.bindings.values(), *scope.attributes.values()):
                for binding in bindings:
                    found.setdefault(binding.node, (binding, bindings))
        for bindings in self.model.members.values():
            for binding in bindings:
                found.setdefault(binding.node, (binding, bindings))
        return found

    def bound(self, binding: Binding) -> tuple[AnyValue, ...]:
        """What a binding gives its name."""
        known = self._bound.get(binding)
        if known is not None:
            return known
        if binding in self._busy or len(self._busy) > _DEEPEST:
            return ()
        self._busy.add(binding)
        try:
            result = self._plainly(binding)
            if result is None:
                result = _unique(self._binding(binding))
        finally:
            self._busy.discard(binding)
        self._bound[binding] = result
        return result

    def _plainly(self, binding: Binding) -> tuple[AnyValue, ...] | None:
        """What most bindings give, which is one thing or nothing; None for the others."""
        kind = binding.kind
        if kind == "value":
            return None if binding.annotation is not None else self.values(binding.value)
        if kind == "import":
            return self.expand(Ref(binding.target, self.is_open(binding.target)))
        if kind == "unknown":
            return None if binding.annotation is not None else ()
        return () if kind == "second" else None

    def _binding(self, binding: Binding) -> Iterator[AnyValue]:
        if binding.kind == "value":
            yield from self.values(binding.value)
            yield from self._annotated(binding)
        elif binding.kind == "each":
            for element in self.elements(binding.value) or self._computed(binding.value):
                yield from self.values(element)
        elif binding.kind == "param":
            if binding.value is not None:
                yield from self.values(binding.value)
            yield from self._annotated(binding)
            option = self.option_of(binding)
            if option:
                yield from self.values(option.default)
        elif binding.kind == "function" and binding.inner:
            yield LocalFunction(binding.inner)
        elif binding.kind == "class" and binding.inner:
            yield LocalClass(binding.inner)
        elif binding.kind == "first" and imported_by_name(binding.value or binding.node):
            yield from self.values(binding.value)
        elif binding.kind == "unknown":
            yield from self._annotated(binding)

    def _annotated(self, binding: Binding) -> Iterator[AnyValue]:
        """An object of the annotated class, where that class is known."""
        for name in classes(binding.annotation):
            first, _, rest = name.partition(".")
            for item in self.lookup(first, binding.place.scope):
                if item.kind == "class" and item.inner and not rest:
                    yield LocalObject(item.inner)
                elif item.kind == "import" and self.is_open(item.target):
                    target = join(item.target, rest) if rest else item.target
                    yield Instance(Ref(target, open=True))

    def elements(self, node: cst.CSTNode | None) -> list[cst.BaseExpression]:
        """The items of a list, tuple or set literal, through a name."""
        if isinstance(node, (cst.List, cst.Tuple, cst.Set)):
            return [element.value for element in node.elements]
        if isinstance(node, cst.Name) and node in self.model.places:
            bindings = self.lookup(node.value, self.scope_of(node))
            if len(bindings) == 1 and bindings[0].value is not node:
                value = bindings[0].value
                if isinstance(value, (cst.List, cst.Tuple, cst.Set)):
                    return [element.value for element in value.elements]
        return []

    def _computed(self, node: cst.CSTNode | None) -> Iterator[cst.BaseExpression]:
        """What a comprehension, also through a name, makes of each item."""
        if isinstance(node, cst.Name) and node in self.model.places:
            bindings = self.lookup(node.value, self.scope_of(node))
            node = bindings[0].value if len(bindings) == 1 else None
        if isinstance(node, cst.BaseSimpleComp):
            yield node.elt

    # --- expressions ---

    def _conditional(self, node: cst.IfExp) -> Iterator[AnyValue]:
        yield from self.values(node.body)
        yield from self.values(node.orelse)

    def _boolean(self, node: cst.BooleanOperation) -> Iterator[AnyValue]:
        yield from self.values(node.left)
        yield from self.values(node.right)

    def _named(self, node: cst.NamedExpr) -> Iterator[AnyValue]:
        yield from self.values(node.value)

    def _awaited(self, node: cst.Await) -> Iterator[AnyValue]:
        yield from self.values(node.expression)

    def _added(self, node: cst.BinaryOperation) -> Iterator[AnyValue]:
        if isinstance(node.operator, (cst.Add, cst.Modulo)):
            for text in self.texts(node.left):
                yield _beginning(text, formatted=isinstance(node.operator, cst.Modulo))

    def _number(self, node: cst.Integer | cst.Float) -> Iterator[AnyValue]:
        number = number_value(node)
        if number is not None:
            yield Constant(number)

    def _string(self, node: cst.BaseExpression) -> Iterator[AnyValue]:
        text = string_value(node)
        if text is None:
            return
        if not text[0] and not text[1]:
            parts = node.parts if isinstance(node, cst.FormattedString) else ()
            first = parts[0] if parts else None
            if isinstance(first, cst.FormattedStringExpression):
                if len(parts) == 1:
                    yield from self.values(first.expression)
                else:
                    for part in self.texts(first.expression):
                        yield _beginning(part, formatted=False)
            return
        yield LocalText(text[0], text[1], node)

    def _name(self, node: cst.Name) -> Iterable[AnyValue]:
        constant = _CONSTANTS.get(node.value)
        if constant is not None:
            return constant
        bindings = self.bindings(node)
        if not bindings:
            return self._from_stars(node) if self.model.stars else ()
        if len(bindings) == 1:
            binding = bindings[0]
            if binding.kind != "param" or binding.place.scope.self_name != node.value:
                return self.bound(binding)
        return self._of_several(node, bindings)

    def _of_several(self, node: cst.Name, bindings: Iterable[Binding]) -> Iterator[AnyValue]:
        for binding in bindings:
            if binding.kind == "param" and binding.place.scope.self_name == node.value:
                owner = binding.place.scope.owner
                if owner:
                    yield LocalObject(owner)
            else:
                yield from self.bound(binding)

    def _from_stars(self, node: cst.Name) -> Iterator[AnyValue]:
        if node.value not in _BUILTINS:
            for module, _ in self.model.stars:
                target = join(module, node.value)
                is_open = self.is_open(module)
                for value in self.expand(Ref(target, is_open)):
                    if not (isinstance(value, Ref) and value.open):
                        yield value

    def starred(self, node: cst.CSTNode) -> bool:
        """Whether a name can only come from a star import."""
        while isinstance(node, cst.Attribute):
            node = node.value
        return isinstance(node, cst.Name) and not self.lookup(node.value, self.scope_of(node))

    def expand(self, ref: Ref) -> tuple[AnyValue, ...]:
        """An open name's values, as far as other modules told them; itself otherwise."""
        if not ref.open:
            return (ref,)
        self.asked.add(ref.name)
        export = self.externals.get(ref.name)
        return export.values if export and export.values else (ref,)

    def _attribute(self, node: cst.Attribute) -> Iterable[AnyValue]:
        attr = node.attr.value
        base = self.values(node.value)
        key = dotted(node)
        members = self.model.members.get(key, ()) if key else ()
        if not members and not base and last_name(node.value) not in _CONFIG_NAMES:
            return ()
        return self._members(node, attr, base, members)

    def _members(
        self,
        node: cst.Attribute,
        attr: str,
        base: Sequence[AnyValue],
        members: Sequence[Binding],
    ) -> Iterator[AnyValue]:
        for value in base:
            yield from self.member(value, attr)
        for binding in members:
            yield from self.bound(binding)
        if self.holds_options(node.value, base) and attr in self.options:
            yield from self.values(self.options[attr].default)

    def holds_options(self, node: cst.BaseExpression, values: Sequence[AnyValue]) -> bool:
        """Whether an expression is the namespace of parsed command-line options."""
        return last_name(node) in _CONFIG_NAMES and not any(
            isinstance(value, (Ref, LocalClass, LocalFunction)) for value in values
        )

    def member(self, value: AnyValue, attr: str) -> Iterator[AnyValue]:
        """What an attribute of a value may be."""
        if isinstance(value, Ref):
            name = f"{value.name}.{attr}" if not value.name.endswith(".") else value.name + attr
            yield from self.expand(Ref(name, value.open))
        elif isinstance(value, (LocalObject, LocalClass)):
            bindings = self.class_attribute(value.scope, attr)
            getter = is_property(bindings) if isinstance(value, LocalObject) else None
            if getter is not None:
                yield from self._returned(getter)
                return
            for binding in bindings:
                yield from self.bound(binding)
        elif isinstance(value, Instance) and value.of.open:
            for item in self.expand(Ref(f"{value.of.name}.{attr}", open=True)):
                if not (isinstance(item, Ref) and item.open):
                    yield item

    def class_attribute(self, scope: Scope, attr: str, depth: int = 0) -> list[Binding]:
        """The bindings of an attribute of a class of this file, or of its bases."""
        found = scope.attributes.get(attr, [])
        if found or depth > _OLDEST or not isinstance(scope.node, cst.ClassDef):
            return found
        for base in scope.node.bases:
            for value in self.values(base.value):
                if isinstance(value, LocalClass):
                    inherited = self.class_attribute(value.scope, attr, depth + 1)
                    if inherited:
                        return inherited
        return []

    def _subscript(self, node: cst.Subscript) -> Iterator[AnyValue]:
        key = member_key(node)
        if key is None:
            return
        for binding in self.model.members.get(key, ()):
            yield from self.bound(binding)
        wanted = key[key.index("[") + 1 : -1]
        if isinstance(node.value, cst.Name):
            for binding in self.lookup(node.value.value, self.scope_of(node.value)):
                if binding.kind == "value" and isinstance(binding.value, cst.Dict):
                    yield from self._entry(binding.value, wanted)

    def _entry(self, node: cst.Dict, wanted: str) -> Iterator[AnyValue]:
        for key, element in dict_entries(node):
            if key == wanted:
                yield from self.values(element.value)

    # --- calls ---

    def _call(self, node: cst.Call) -> Iterator[AnyValue]:
        if isinstance(node.func, cst.Name) and node.func.value in _BUILTIN_CALLS:
            if not self.lookup(node.func.value, self.scope_of(node.func)):
                yield from _BUILTIN_CALLS[node.func.value](self, node)
                return
        if imports_if_there(node) and (target := imported_by_name(node)):
            yield from self.expand(Ref(target, self.is_open(target)))
            return
        method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
        if method in _TEXT_METHODS and isinstance(node.func, cst.Attribute):
            for text in self.texts(node.func.value):
                yield _beginning(text, formatted=True) if method == "format" else text
        if method in {"get", "pop", "setdefault"}:
            yield from self.values(argument(node, (1, "default")).value)
        for value in self.values(node.func):
            yield from self.called(value, node)

    def called(self, value: AnyValue, node: cst.Call) -> Iterator[AnyValue]:
        """What calling a value gives."""
        if isinstance(value, Ref):
            if value.name in _PASSING:
                yield from self.values(argument(node, _PASSING[value.name]).value)
            if value.name in _IMPORTING:
                for text in self.texts(argument(node, (0, "name", "modname")).value):
                    if text.exact:
                        yield from self.expand(Ref(text.value, self.is_open(text.value)))
                return
            if value.name == "functools.partial":
                yield from self.values(argument(node, (0,)).value)
                return
            export = self.externals.get(value.name) if value.open else None
            if export and export.returns:
                yield from export.returns
            yield Instance(value)
        elif isinstance(value, LocalClass):
            yield LocalObject(value.scope)
        elif isinstance(value, LocalFunction):
            yield from self._returned(value.scope)

    def _returned(self, function: Scope) -> Iterator[AnyValue]:
        for expression, _ in function.returns:
            for item in self.values(expression):
                if isinstance(item, (Text, LocalText, Instance, Constant, LocalObject)):
                    yield item

    _evaluations: ClassVar[Mapping[type[cst.CSTNode], Callable[[Any, Any], Iterable[AnyValue]]]] = {
        cst.Name: _name,
        cst.Attribute: _attribute,
        cst.Call: _call,
        cst.SimpleString: _string,
        cst.ConcatenatedString: _string,
        cst.FormattedString: _string,
        cst.IfExp: _conditional,
        cst.BooleanOperation: _boolean,
        cst.NamedExpr: _named,
        cst.Await: _awaited,
        cst.BinaryOperation: _added,
        cst.Integer: _number,
        cst.Float: _number,
        cst.Subscript: _subscript,
    }

    # --- options ---

    def option_of(self, binding: Binding) -> Option | None:
        """The command-line option that fills a parameter (`click`, `typer`)."""
        option = self.options.get(binding.name)
        return option if option and _is_command(binding.place.scope) else None

    @cached_property
    def options(self) -> Mapping[str, Option]:
        """The command-line options that this file declares, by the attribute that holds them."""
        found: dict[str, Option] = {}
        for call in self.model.calls:
            option = _option(call)
            if option and (option.name not in found or found[option.name].default is None):
                found[option.name] = option
        return found


class Option(Struct, frozen=True, eq=False):
    """A declared command-line option; `truth` where its default is a constant without a node."""

    name: str
    call: cst.Call
    default: cst.BaseExpression | None
    truth: bool | None = None


def _option(call: cst.Call) -> Option | None:
    """The option that `add_argument`, `click.option`, `DEFINE_string` and the like declare."""
    function = last_part(call.func)
    if function not in _DECLARING and not function.startswith("DEFINE_"):
        return None
    names = [
        text[0]
        for item in call.args
        if not item.keyword and not item.star and (text := string_value(item.value))
    ]
    if function.startswith("DEFINE_") and names:
        return Option(names[0], call, argument(call, (1, "default")).value)
    if function not in _DECLARING or not names:
        return None
    dest = argument(call, ("dest",)).value
    text = string_value(dest) if dest else None
    long = [name for name in names if name.startswith("--")] or names
    name = text[0] if text else long[0].lstrip("-").partition("/")[0].replace("-", "_")
    default = argument(call, ("default",)).value
    action = argument(call, ("action",)).value
    word = string_value(action) if action else None
    truth: bool | None = None
    is_flag = argument(call, ("is_flag",)).value
    if default is None and (word == ("store_true", True) or is_flag is not None):
        truth = False
    elif default is None and word == ("store_false", True):
        truth = True
    elif default is None and name and names[0].startswith("-") and function != "argument":
        required = argument(call, ("required",)).value
        truth = False if required is None or dotted(required) == "False" else None
    return Option(name, call, default, truth)


def _is_command(scope: Scope) -> bool:
    """Whether a function's parameters are filled from `click` or `typer` options."""
    node = scope.node
    return isinstance(node, cst.FunctionDef) and any(
        isinstance(item.decorator, cst.Call)
        and last_name(item.decorator.func) in {"option", "argument"}
        for item in node.decorators
    )


_DECLARING = frozenset({"add_argument", "add_option", "option", "argument"})
"""Functions and methods that declare an option."""
_WRAPPERS = {"Optional", "Union", "Annotated", "Final", "ClassVar"}
_PROPERTIES = {"property", "cached_property", "abstractproperty", "lazy_property"}
_TEXT_METHODS = {"format", "lower", "upper", "strip", "removeprefix"}
_IMPORTING = {"importlib.import_module", "pytest.importorskip"}
"""Calls whose result is the module that they are given the name of."""
_PASSING: Mapping[str, tuple[int | str, ...]] = {
    "torch.device": (0, "type", "device"),
    "dataclasses.field": ("default",),
    "pydantic.Field": (0, "default"),
    "attr.ib": ("default",),
    "attrs.field": ("default",),
    "attr.field": ("default",),
    "typer.Option": (0, "default"),
    "typer.Argument": (0, "default"),
    "os.getenv": (1, "default"),
    "os.environ.get": (1, "default"),
    "copy.deepcopy": (0,),
    "copy.copy": (0,),
    "simple_parsing.field": (0, "default"),
    "simple_parsing.helpers.field": (0, "default"),
}
"""Calls whose result is one of their arguments, as far as strings and flags go."""


def _getattr(reader: Reader, node: cst.Call) -> Iterator[AnyValue]:
    name = argument(node, (1,)).value
    text = string_value(name) if name else None
    if text and text[1]:
        for value in reader.values(argument(node, (0,)).value):
            yield from reader.member(value, text[0])
        base = argument(node, (0,)).value
        if base is not None and reader.holds_options(base, reader.values(base)):
            option = reader.options.get(text[0])
            if option:
                yield from reader.values(option.default)
    yield from reader.values(argument(node, (2,)).value)


def _same(reader: Reader, node: cst.Call) -> Iterator[AnyValue]:
    yield from reader.values(argument(node, (0,)).value)


def _import(reader: Reader, node: cst.Call) -> Iterator[AnyValue]:
    for text in reader.texts(argument(node, (0, "name")).value):
        if text.exact:
            root = text.value.split(".")[0]
            yield from reader.expand(Ref(root, reader.is_open(root)))


_BUILTIN_CALLS: Mapping[str, Callable[[Reader, cst.Call], Iterator[AnyValue]]] = {
    "getattr": _getattr,
    "str": _same,
    "__import__": _import,
}


def _beginning(text: AnyText, *, formatted: bool) -> AnyText:
    """A text to which something is added: only its beginning is certain."""
    value = text.value
    if formatted:
        for mark in ("{", "%"):
            value = value.partition(mark)[0]
    return replace(text, value=value, exact=False)


def _unique(values: Iterable[AnyValue]) -> tuple[AnyValue, ...]:
    """Without repetitions, in order, at most a handful."""
    seen: dict[object, AnyValue] = {}
    for value in values:
        key: object = value
        if type(value) in _BY_SCOPE:
            key = (type(value), value.scope)  # type: ignore[union-attr]
        seen.setdefault(key, value)
        if len(seen) >= _MAX_VALUES:
            break
    return tuple(seen.values())
