"""One walk over a parsed module: scopes, bindings, branches, and the places worth judging.

Only structure is collected here. What a name or a condition means is asked of `values` later, when
all bindings are known.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import libcst as cst
from msgspec import Struct, field

from portaudit.read.python.nodes import (
    body_of,
    children,
    dotted,
    last_name,
    number_value,
    string_value,
)

Statement = cst.BaseStatement | cst.BaseSmallStatement
ScopeKind = Literal["module", "class", "function", "comprehension"]
BindingKind = Literal[
    "import", "value", "each", "param", "function", "class", "first", "second", "unknown"
]
"""`first` and `second`: of the names that a call's result is unpacked into."""


class Scope(Struct, eq=False):
    """A namespace. `attributes` are a class's: its own and those set on `self`."""

    kind: ScopeKind
    name: str
    parent: Scope | None
    node: cst.CSTNode
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    returns: list[tuple[cst.BaseExpression | None, Place]] = field(default_factory=list)
    outer_names: set[str] = field(default_factory=set)
    self_name: str = ""

    @property
    def qualname(self) -> str:
        """`Class.method`, empty at module level."""
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            if scope.kind in {"class", "function"} and scope.name:
                names.append(scope.name)
            scope = scope.parent
        return ".".join(reversed(names))

    @property
    def outermost(self) -> Scope:
        """The class or function at the top of the file around this scope, or the file itself."""
        scope = self
        while scope.parent is not None and scope.parent.parent is not None:
            scope = scope.parent
        return scope

    @property
    def owner(self) -> Scope | None:
        """The class whose method this scope is in."""
        scope: Scope | None = self
        while scope is not None:
            if scope.kind == "function" and scope.parent and scope.parent.kind == "class":
                return scope.parent
            scope = scope.parent
        return None


class Otherwise(Struct, frozen=True, eq=False):
    """What runs when a branch is not taken: an `elif`, a block, the rest, or an outcome."""

    kind: Literal["nothing", "works", "fails", "block", "elif", "expression"]
    block: Sequence[Statement] = ()
    elif_: cst.If | None = None
    expression: cst.BaseExpression | None = None
    scope: Scope | None = None


NOTHING = Otherwise("nothing")
FAILS = Otherwise("fails")


class Branch(Struct, frozen=True, eq=False):
    """A condition in force at a place; `parent` is the one around it.

    `test` holds with `truth`; an `attempt` is the body of a `try` (or what follows one whose
    handler leaves) and `modules` are what it imports; a `decorator` may skip the function.
    """

    parent: Branch | None
    kind: Literal["test", "attempt", "case", "decorator"]
    node: cst.CSTNode
    scope: Scope
    otherwise: Otherwise
    test: cst.BaseExpression | None = None
    truth: bool = True
    modules: tuple[tuple[str, bool], ...] = ()
    guards_calls: bool = False
    cases: tuple[cst.BaseExpression, ...] = ()


class Place(Struct, frozen=True, eq=False):
    """Where something stands: its namespace, the innermost branch, its statement."""

    scope: Scope
    branch: Branch | None
    statement: cst.CSTNode
    loop: bool = False


class Binding(Struct, frozen=True, eq=False):
    """One way a name gets a value."""

    kind: BindingKind
    name: str
    place: Place
    node: cst.CSTNode
    value: cst.BaseExpression | None = None
    annotation: cst.BaseExpression | None = None
    target: str = ""
    inner: Scope | None = None


class Model(Struct, eq=False):
    """A module, taken apart. Lists are in source order, outer expressions before inner ones.

    `called`: the calls by the last name of what is called · `importing`: calls that import what
    they are given the name of, with that name · `changed`: what `+=` and its like give another
    value, and `changed_items` those of a subscript · `targets`: what statements assign to, and what
    `for` gives each item to.
    """

    module: cst.Module
    root: Scope
    parents: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    places: dict[cst.CSTNode, Place] = field(default_factory=dict)
    calls: list[cst.Call] = field(default_factory=list)
    called: dict[str, list[cst.Call]] = field(default_factory=dict)
    importing: list[tuple[cst.Call, str]] = field(default_factory=list)
    attributes: list[cst.Attribute] = field(default_factory=list)
    names: list[cst.Name] = field(default_factory=list)
    strings: list[cst.BaseExpression] = field(default_factory=list)
    subscripts: list[cst.Subscript] = field(default_factory=list)
    dicts: list[cst.Dict] = field(default_factory=list)
    comparisons: list[cst.Comparison] = field(default_factory=list)
    numbers: list[cst.BaseNumber] = field(default_factory=list)
    raising: set[Scope] = field(default_factory=set)
    imports: list[tuple[cst.CSTNode, str, Place]] = field(default_factory=list)
    decorators: list[cst.Decorator] = field(default_factory=list)
    bases: list[cst.Arg] = field(default_factory=list)
    assigns: list[cst.Assign] = field(default_factory=list)
    changed: list[cst.Attribute | cst.Name] = field(default_factory=list)
    changed_items: list[cst.Subscript] = field(default_factory=list)
    targets: list[cst.BaseExpression] = field(default_factory=list)
    tests: list[tuple[cst.CSTNode, cst.BaseExpression, Otherwise, Otherwise, Scope]] = field(
        default_factory=list
    )
    members: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[tuple[str, cst.CSTNode]] = field(default_factory=list)
    scopes: dict[cst.CSTNode, Scope] = field(default_factory=dict)
    self_names: set[str] = field(default_factory=set)
    comprehensions: list[Scope] = field(default_factory=list)

    def let_go(self) -> None:
        """Empty what nobody will ask any more: scopes and what is bound in them hold each other.

        All else is freed at once then, and need not be searched for.
        """
        for scope in (self.root, *self.scopes.values(), *self.comprehensions):
            scope.bindings.clear()
            scope.attributes.clear()
            scope.returns.clear()

    def within(self, node: cst.CSTNode, owners: Container[cst.CSTNode]) -> bool:
        """Whether a node is one of `owners`, or stands inside one."""
        parent: cst.CSTNode | None = node
        while parent is not None:
            if parent in owners:
                return True
            parent = self.parents.get(parent)
        return False


def around(branch: Branch | None) -> Iterator[Branch]:
    """A branch and those around it, innermost first."""
    while branch is not None:
        yield branch
        branch = branch.parent


class Nearest:
    """Of the branches around a place those that matter, with no second look at the others.

    Behind a thousand early exits stand a thousand branches, around each place there.
    """

    def __init__(self) -> None:
        self._known: dict[Branch, Branch | None] = {}

    def around(self, branch: Branch | None, matters: Callable[[Branch], bool]) -> Iterator[Branch]:
        """Those that matter, innermost first; `matters` is the same in every call."""
        while branch is not None:
            found = self._from(branch, matters)
            if found is None:
                return
            yield found
            branch = found.parent

    def _from(self, branch: Branch, matters: Callable[[Branch], bool]) -> Branch | None:
        passed: list[Branch] = []
        found: Branch | None = branch
        while found is not None:
            if found in self._known:
                found = self._known[found]
                break
            passed.append(found)
            if matters(found):
                break
            found = found.parent
        self._known.update(dict.fromkeys(passed, found))
        return found


FURTHEST = 200
"""Statements behind one that are looked at for what goes on without it."""
_ENDING = frozenset({cst.Assert, cst.If, cst.Assign, cst.Expr, cst.Try})
"""Statements behind which something else may hold."""
_TEMPLATED: type[cst.CSTNode] | None = getattr(cst, "TemplatedString", None)
"""What older versions of libcst do not have."""
_RUNNING_ON = frozenset({cst.If, cst.With, cst.Try})
"""Statements in which it matters what runs behind them."""


def build(module: cst.Module) -> Model:
    """Take a module apart."""
    root = Scope("module", "", None, module)
    model = Model(module, root)
    builder = _Builder(model)
    builder.mark(body_of(module), root)
    builder.block(list(module.body), Place(root, None, module))
    return model


def import_statement(node: cst.CSTNode, place: Place) -> cst.Import | cst.ImportFrom | None:
    """The import that an alias (or the import itself) is part of."""
    line = place.statement
    for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
        if isinstance(small, (cst.Import, cst.ImportFrom)) and (
            small is node
            or (
                not isinstance(small.names, cst.ImportStar)
                and any(alias is node for alias in small.names)
            )
        ):
            return small
    return None


def imported_by_name(node: cst.CSTNode) -> str:
    """What a call imports that is given a name: `importlib.import_module("x")` and its like.

    `optional_import("x", name="y")` and `safe_import_from("x", "y")` bring a member.
    """
    if type(node) is not cst.Call or last_name(node.func) not in _IMPORTING or not node.args:
        return ""
    texts = [
        string_value(item.value)
        for item in node.args
        if item.keyword is None or (imports_by_name(node) and item.keyword.value in _MODULE_NAMES)
    ]
    module = texts[0][0] if texts and texts[0] and texts[0][1] else ""
    if not module or imports_by_name(node):
        return module
    member = next(
        (item.value for item in node.args if item.keyword and item.keyword.value == "name"), None
    )
    text = string_value(member) if member is not None else None
    if text is None and last_name(node.func).endswith("_from"):
        text = next(iter(texts[1:]), None)
    return f"{module}.{text[0]}" if text and text[1] else module


def imports_by_name(node: cst.Call) -> bool:
    """Whether a call is an import of a module by name: Python's own, or pytest's."""
    return last_name(node.func) in IMPORTERS


def imports_or_skips(node: cst.CSTNode) -> bool:
    """Whether a call is `pytest.importorskip`, behind which nothing runs without the module."""
    return type(node) is cst.Call and last_name(node.func) == "importorskip"


def imports_if_there(node: cst.Call) -> bool:
    """Whether a call is a project's helper that imports a module where it is installed."""
    return last_name(node.func) in OPTIONAL_IMPORTS


IMPORTERS = frozenset({"import_module", "__import__", "importorskip"})
_MODULE_NAMES = ("name", "modname")
"""Keywords under which an import by name takes the module."""
OPTIONAL_IMPORTS = frozenset(
    [
        *("attempt_import", "import_optional", "import_optional_dependency", "import_or_none"),
        *("lazy_import", "maybe_import", "optional_import", "safe_import", "safe_import_from"),
        *("soft_import", "try_import", "try_import_module"),
    ]
)
"""What projects call their helpers that import a module or, without it, give a stand-in."""
_IMPORTING = IMPORTERS | OPTIONAL_IMPORTS


def import_name(node: cst.ImportFrom) -> str:
    """The module of a `from` import: `.pkg.mod` with its leading dots, or absolute."""
    return "." * len(node.relative) + (dotted(node.module) or "")


def join(module: str, name: str) -> str:
    """A member's dotted name: `.` and `x` give `.x`."""
    return module + name if module.endswith(".") else f"{module}.{name}"


class _Builder:
    """The walk itself; state is what is around the current place."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.catchers: list[cst.CSTNode] = []
        self.following: list[cst.CSTNode] = []
        """What runs after the statement at hand: in its block, and around it up to a loop."""
        self.rest = False
        """Whether some of it stands in the same block."""
        self.deciding: dict[cst.CSTNode, Otherwise] = {}
        """Conditions, and parts whose failure makes them fail, with what then runs."""
        self.marks: dict[Scope, cst.Assign] = {}
        """The marks of pytest that hold for all tests of a module or class."""
        self._parents = model.parents
        self._places = model.places
        self._names: list[Any] = model.names

    # --- blocks and branches ---

    def block(self, statements: Sequence[cst.CSTNode], place: Place) -> None:
        """Visit statements in order; an early exit changes what holds for the rest."""
        flat: list[tuple[cst.CSTNode, cst.CSTNode]] = []
        for item in statements:
            if type(item) is cst.SimpleStatementLine:
                flat += [(small, item) for small in item.body]
            else:
                flat.append((item, item))
        scope, branch, loop = place.scope, place.branch, place.loop
        outer = self.following
        for position, (item, line) in enumerate(flat):
            here = Place(scope, branch, line, loop)
            kind = type(item)
            if kind in _RUNNING_ON:
                rest = [later for later, _ in flat[position + 1 : position + 1 + FURTHEST]]
                self.following = [*rest, *outer][:FURTHEST]
                self.rest = bool(rest)
            else:
                self.following = []
                self.rest = False
            self.statement(item, here)
            if kind in _ENDING:
                branch = self._after(item, here)
        self.following = outer

    def _after(self, item: cst.CSTNode, place: Place) -> Branch | None:
        """What holds behind a statement."""
        scope, branch = place.scope, place.branch
        if isinstance(item, cst.Assert):
            return Branch(branch, "test", item, scope, FAILS, test=item.test)
        if isinstance(item, cst.If):
            body = body_of(item.body)
            if leaves(body):
                gone = self._gone(body, scope)
                branch = Branch(branch, "test", item, scope, gone, test=item.test, truth=False)
            tail = item.orelse
            while isinstance(tail, cst.If) and leaves(body):
                body = body_of(tail.body)
                if leaves(body):
                    gone = self._gone(body, scope)
                    branch = Branch(branch, "test", tail, scope, gone, test=tail.test, truth=False)
                tail = tail.orelse
            if isinstance(item.orelse, cst.Else) and leaves(body_of(item.orelse.body)):
                gone = self._gone(body_of(item.orelse.body), scope)
                branch = Branch(branch, "test", item, scope, gone, test=item.test)
        elif isinstance(item, (cst.Assign, cst.Expr)):
            name = imported_by_name(item.value) if imports_or_skips(item.value) else ""
            if name and name.partition(".")[0] != "torch":  # which is there on every host
                modules = ((name, False),)
                branch = Branch(branch, "attempt", item, scope, NOTHING, modules=modules)
        elif isinstance(item, cst.Try):
            for handler in item.handlers:
                body = body_of(handler.body)
                if _catches_import(handler) and leaves(body):
                    branch = Branch(
                        branch,
                        "attempt",
                        item,
                        scope,
                        Otherwise("block", body, scope=scope),
                        modules=tuple(_imports_in(item.body)),
                    )
        return branch

    def _gone(self, body: Sequence[Statement], scope: Scope) -> Otherwise:
        """What happens when a block is taken; an exception that is caught here goes on there."""
        if self.catchers and any(isinstance(item, cst.Raise) for item in body):
            return Otherwise("block", _handled(self.catchers[-1]), scope=scope)
        return Otherwise("block", body, scope=scope)

    # --- statements ---

    def statement(self, node: cst.CSTNode, place: Place) -> None:
        """Visit one statement."""
        self._places[node] = place
        visit = self._statements.get(type(node))
        if visit is not None:
            visit(self, node, place)
        else:
            self._expressions(node, place)

    def _if(self, node: cst.If, place: Place) -> None:
        scope = place.scope
        body = body_of(node.body)
        orelse = self._otherwise(node.orelse, scope)
        if node.orelse is None and self.following and (leaves(body) or tries(body)):
            after = _statements(self.following)
            orelse = (
                self._gone(after, scope) if self.rest else Otherwise("block", after, scope=scope)
            )
        gone = self._gone(body, scope)
        self.model.tests.append((node, node.test, orelse, gone, scope))
        self.deciding[node.test] = orelse
        self.expression(node.test, node, place)
        inside = Branch(place.branch, "test", node, scope, orelse, test=node.test)
        self.block(node.body.body, Place(scope, inside, node, place.loop))
        outside = Branch(place.branch, "test", node, scope, gone, test=node.test, truth=False)
        if isinstance(node.orelse, cst.If):
            self._if(node.orelse, Place(scope, outside, node.orelse, place.loop))
        elif isinstance(node.orelse, cst.Else):
            self.block(node.orelse.body.body, Place(scope, outside, node, place.loop))

    def _otherwise(self, orelse: cst.If | cst.Else | None, scope: Scope) -> Otherwise:
        if orelse is None:
            return NOTHING
        if isinstance(orelse, cst.If):
            return Otherwise("elif", elif_=orelse, scope=scope)
        return Otherwise("block", body_of(orelse.body), scope=scope)

    def _visit_while(self, node: cst.While, place: Place) -> None:
        self.expression(node.test, node, place)
        inside = Branch(place.branch, "test", node, place.scope, NOTHING, test=node.test)
        self.block(node.body.body, Place(place.scope, inside, node, loop=True))
        if node.orelse:
            self.block(node.orelse.body.body, place)

    def _visit_for(self, node: cst.For, place: Place) -> None:
        self.model.targets.append(node.target)
        self.expression(node.iter, node, place)
        self._bind_each(node.target, node.iter, place, node)
        self.expression(node.target, node, place)
        self.block(node.body.body, Place(place.scope, place.branch, node, loop=True))
        if node.orelse:
            self.block(node.orelse.body.body, place)

    def _visit_with(self, node: cst.With, place: Place) -> None:
        inside = place
        for item in node.items:
            self.expression(item.item, node, place)
            if item.asname:
                self._bind_target(item.asname.name, item.item, place, node)
            if (suppressed := self._suppressed(item.item, place.scope)) is not None:
                inside = Place(
                    place.scope,
                    Branch(
                        place.branch,
                        "attempt",
                        node,
                        place.scope,
                        NOTHING,
                        modules=tuple(_imports_in(node.body)),
                        guards_calls=suppressed,
                    ),
                    node,
                    place.loop,
                )
        self.block(node.body.body, Place(inside.scope, inside.branch, node, place.loop))

    def _suppressed(self, node: cst.BaseExpression, scope: Scope) -> bool | None:
        """For `contextlib.suppress(...)`: whether it swallows failing calls; None for others."""
        if not isinstance(node, cst.Call) or self._imported(node.func, scope) not in {
            "suppress",
            "contextlib.suppress",
        }:
            return None
        names = {last_name(item.value) for item in node.args}
        if names & _OF_CALLS:
            return True
        return False if names & {"ImportError", "ModuleNotFoundError"} else None

    def _imported(self, node: cst.BaseExpression, scope: Scope) -> str:
        """A dotted name, its first part replaced by what was imported under it so far."""
        first, dot, rest = (dotted(node) or "").partition(".")
        outer: Scope | None = scope
        while outer is not None:
            for binding in outer.bindings.get(first, ()):
                if binding.kind == "import":
                    return binding.target + dot + rest
            outer = outer.parent
        return first + dot + rest

    def _visit_try(self, node: cst.Try | cst.TryStar, place: Place) -> None:
        scope = place.scope
        inside = place.branch
        modules = tuple(_imports_in(node.body))
        simple = all(isinstance(item, cst.BaseSmallStatement) for item in body_of(node.body))
        behind = _statements(self.following) if leaves(body_of(node.body)) else []
        caught = next((item for item in node.handlers if _catches_all(item)), None)
        if caught is not None and not _raises_again(caught):
            self.catchers.append(caught)
        for handler in reversed(node.handlers):  # the first that fits is the one that runs
            caught_here = modules if _catches_import(handler) else ()
            broad = simple and _catches_calls(handler)
            if _raises_again(handler):
                inside = place.branch if caught_here else inside
                continue
            if _catches_import(handler) or broad:
                handled = _handled(handler)
                instead = handled if leaves(handled) else [*handled, *behind]
                inside = Branch(
                    inside,
                    "attempt",
                    node,
                    scope,
                    Otherwise("block", instead, scope=scope),
                    modules=caught_here,
                    guards_calls=broad,
                )
        self.block(node.body.body, Place(scope, inside, node, place.loop))
        if caught is not None and not _raises_again(caught):
            self.catchers.pop()
        if node.orelse:
            self.block(node.orelse.body.body, Place(scope, inside, node, place.loop))
        for handler in node.handlers:
            if handler.type:
                self.expression(handler.type, handler, place)
            failed = place.branch
            if modules and _catches_import(handler):
                failed = Branch(
                    place.branch, "attempt", node, scope, NOTHING, truth=False, modules=modules
                )
            if handler.name:
                name = handler.name.name
                if isinstance(name, cst.Name):
                    self._bind(name.value, Binding("unknown", name.value, place, handler))
            self.block(handler.body.body, Place(scope, failed, handler, place.loop))
        if node.finalbody:
            self.block(node.finalbody.body.body, place)

    def _visit_match(self, node: cst.Match, place: Place) -> None:
        scope = place.scope
        self.expression(node.subject, node, place)
        default: Otherwise = NOTHING
        for case in node.cases:
            if isinstance(case.pattern, cst.MatchAs) and case.pattern.pattern is None:
                default = Otherwise("block", body_of(case.body), scope=scope)
        for case in node.cases:
            branch = place.branch
            words = tuple(_alternatives(case.pattern))
            if words:
                branch = Branch(branch, "case", case, scope, default, test=words[0], cases=words)
            if case.guard:
                self.expression(case.guard, case, place)
                branch = Branch(branch, "test", case, scope, default, test=case.guard)
            for name in _captured(case.pattern):
                self._bind(name, Binding("unknown", name, place, case))
            self.block(case.body.body, Place(scope, branch, case, place.loop))

    def _visit_functiondef(self, node: cst.FunctionDef, place: Place) -> None:
        inner = Scope("function", node.name.value, place.scope, node)
        self.model.scopes[node] = inner
        catchers, self.catchers = self.catchers, []
        self._bind(node.name.value, Binding("function", node.name.value, place, node, inner=inner))
        branch = self._decorators(node, place)
        self._parameters(node.params, inner, place, node)
        static = any(dotted(item.decorator) == "staticmethod" for item in node.decorators)
        if place.scope.kind == "class" and node.params.params and not static:
            inner.self_name = node.params.params[0].name.value
            self.model.self_names.add(inner.self_name)
        self.block(node.body.body, Place(inner, branch, node))
        self.catchers = catchers

    def _decorators(self, node: cst.FunctionDef | cst.ClassDef, place: Place) -> Branch | None:
        """Visit what decorates a definition; what holds inside it by that and by marks of all."""
        scope, branch = place.scope, place.branch
        mark = self.marks.get(scope)
        if mark is not None:
            branch = Branch(branch, "decorator", mark, scope, NOTHING, test=mark.value)
        for decorator in node.decorators:
            self.model.decorators.append(decorator)
            self.model.places[decorator] = place
            self.expression(decorator.decorator, decorator, place)
            branch = Branch(
                branch, "decorator", decorator, scope, NOTHING, test=decorator.decorator
            )
        return branch

    def mark(self, body: Sequence[cst.CSTNode], scope: Scope) -> None:
        """Note `pytestmark = …`, wherever it stands in the body of a module or class."""
        for item in body:
            if isinstance(item, cst.Assign) and dotted(item.targets[0].target) == "pytestmark":
                self.marks[scope] = item

    def _parameters(
        self, params: cst.Parameters, inner: Scope, outer: Place, node: cst.CSTNode
    ) -> None:
        inside = Place(inner, outer.branch, node)
        plain = (*params.posonly_params, *params.params, *params.kwonly_params)
        for param in plain:
            if param.default:
                self.expression(param.default, param, Place(outer.scope, outer.branch, node))
                self.model.parents[param] = node
            name = param.name.value
            note = param.annotation.annotation if param.annotation else None
            self._bind_in(inner, name, Binding("param", name, inside, param, param.default, note))
        for star in (params.star_arg, params.star_kwarg):
            if isinstance(star, cst.Param):
                name = star.name.value
                self._bind_in(inner, name, Binding("unknown", name, inside, star))

    def _visit_classdef(self, node: cst.ClassDef, place: Place) -> None:
        inner = Scope("class", node.name.value, place.scope, node)
        self.model.scopes[node] = inner
        self._bind(node.name.value, Binding("class", node.name.value, place, node, inner=inner))
        branch = self._decorators(node, place)
        self.mark(body_of(node.body), inner)
        for base in node.bases:
            self.model.bases.append(base)
            self.model.places[base] = place
            self.expression(base.value, base, place)
        for keyword in node.keywords:
            self.expression(keyword.value, keyword, place)
        self.block(node.body.body, Place(inner, branch, node))

    def _visit_import(self, node: cst.Import, place: Place) -> None:
        for alias in node.names:
            target = dotted(alias.name) or ""
            self.model.imports.append((alias, target, place))
            self.model.places[alias] = place
            if alias.asname and isinstance(alias.asname.name, cst.Name):
                name = alias.asname.name.value
            else:
                name = target = target.split(".")[0]
            self._bind(name, Binding("import", name, place, alias, target=target))

    def _visit_importfrom(self, node: cst.ImportFrom, place: Place) -> None:
        module = import_name(node)
        if isinstance(node.names, cst.ImportStar):
            self.model.stars.append((module, node))
            self.model.imports.append((node, module, place))
            return
        for alias in node.names:
            member = dotted(alias.name) or ""
            target = join(module, member)
            self.model.imports.append((alias, target, place))
            self.model.places[alias] = place
            asname = alias.asname.name if alias.asname else None
            name = asname.value if isinstance(asname, cst.Name) else member
            self._bind(name, Binding("import", name, place, alias, target=target))

    def _visit_assign(self, node: cst.Assign, place: Place) -> None:
        self.model.assigns.append(node)
        self.expression(node.value, node, place)
        for target in node.targets:
            self.model.targets.append(target.target)
            self.expression(target.target, target, place)
            self.model.parents[target] = node
            self._bind_target(target.target, node.value, place, node)

    def _visit_annassign(self, node: cst.AnnAssign, place: Place) -> None:
        self.model.targets.append(node.target)
        if node.value:
            self.expression(node.value, node, place)
        note = node.annotation.annotation
        self._bind_target(node.target, node.value, place, node, note)
        if isinstance(node.target, cst.Attribute):
            self.expression(node.target, node, place)

    def _visit_augassign(self, node: cst.AugAssign, place: Place) -> None:
        self.expression(node.value, node, place)
        self.expression(node.target, node, place)
        if isinstance(node.target, (cst.Attribute, cst.Name)):
            self.model.changed.append(node.target)
        elif isinstance(node.target, cst.Subscript):
            self.model.changed_items.append(node.target)

    def _visit_return(self, node: cst.Return, place: Place) -> None:
        scope: Scope | None = place.scope
        while scope is not None and scope.kind == "comprehension":
            scope = scope.parent
        if scope is not None:
            scope.returns.append((node.value, place))
        if node.value:
            self.expression(node.value, node, place)

    def _visit_raise(self, node: cst.Raise, place: Place) -> None:
        self.model.raising.add(place.scope)
        self._expressions(node, place)

    def _visit_assert(self, node: cst.Assert, place: Place) -> None:
        self.model.raising.add(place.scope)
        self.model.tests.append((node, node.test, FAILS, Otherwise("works"), place.scope))
        self.expression(node.test, node, place)
        if node.msg:
            self.expression(node.msg, node, place)

    def _visit_names(self, node: cst.Global | cst.Nonlocal, place: Place) -> None:
        place.scope.outer_names.update(item.name.value for item in node.names)

    def _visit_typealias(self, node: cst.TypeAlias, place: Place) -> None:
        name = node.name.value
        self._bind(name, Binding("unknown", name, place, node))

    def _visit_expr(self, node: cst.Expr, place: Place) -> None:
        self.expression(node.value, node, place)

    def _expressions(self, node: cst.CSTNode, place: Place) -> None:
        for child in children(node):
            if isinstance(child, cst.BaseExpression):
                self.expression(child, node, place)

    _statements: ClassVar[Mapping[type[cst.CSTNode], Callable[[Any, Any, Place], None]]] = {
        cst.AnnAssign: _visit_annassign,
        cst.Assert: _visit_assert,
        cst.Assign: _visit_assign,
        cst.AugAssign: _visit_augassign,
        cst.ClassDef: _visit_classdef,
        cst.Expr: _visit_expr,
        cst.For: _visit_for,
        cst.FunctionDef: _visit_functiondef,
        cst.Global: _visit_names,
        cst.If: _if,
        cst.Import: _visit_import,
        cst.ImportFrom: _visit_importfrom,
        cst.Match: _visit_match,
        cst.Nonlocal: _visit_names,
        cst.Raise: _visit_raise,
        cst.Return: _visit_return,
        cst.Try: _visit_try,
        cst.TryStar: _visit_try,
        cst.TypeAlias: _visit_typealias,
        cst.While: _visit_while,
        cst.With: _visit_with,
    }

    # --- expressions ---

    def expression(self, node: cst.CSTNode, parent: cst.CSTNode, place: Place) -> None:
        """Visit an expression and all below it."""
        self._parents[node] = parent
        self._places[node] = place
        kind = type(node)
        if kind is cst.Name:
            self._names.append(node)
            return
        visit = self._visits.get(kind)
        if visit is not None:
            visit(self, node, place)
        else:
            for child in children(node):
                self.expression(child, node, place)

    def _attribute(self, node: cst.Attribute, place: Place) -> None:
        self.model.attributes.append(node)
        self.expression(node.value, node, place)

    def _call(self, node: cst.Call, place: Place) -> None:
        model = self.model
        model.calls.append(node)
        name = last_name(node.func)
        model.called.setdefault(name, []).append(node)
        if name in _IMPORTING and (target := imported_by_name(node)):
            model.importing.append((node, target))
        self.expression(node.func, node, place)
        inside = self._marked(node, place)
        for argument in node.args:
            here = place if argument.keyword is not None else inside
            self._parents[argument] = node
            self._places[argument] = here
            self.expression(argument.value, argument, here)

    def _plain(self, node: cst.SimpleString, _: Place) -> None:
        self.model.strings.append(node)

    def _string(self, node: cst.BaseExpression, place: Place) -> None:
        self.model.strings.append(node)
        for part in _formatted(node):
            self.expression(part, node, place)

    def _boolean(self, node: cst.BooleanOperation, place: Place) -> None:
        holds = isinstance(node.operator, cst.And)
        otherwise = self.deciding.get(node, NOTHING) if holds else NOTHING
        if holds and node in self.deciding:
            self.deciding[node.left] = self.deciding[node.right] = otherwise
        self.expression(node.left, node, place)
        branch = Branch(
            place.branch, "test", node, place.scope, otherwise, test=node.left, truth=holds
        )
        self.expression(node.right, node, Place(place.scope, branch, place.statement, place.loop))

    def _lambda(self, node: cst.Lambda, place: Place) -> None:
        inner = Scope("function", "", place.scope, node)
        self.model.scopes[node] = inner
        self._parameters(node.params, inner, place, node)
        self.expression(node.body, node, Place(inner, place.branch, place.statement))

    def _named(self, node: cst.NamedExpr, place: Place) -> None:
        self.expression(node.value, node, place)
        self._bind_target(node.target, node.value, place, node)

    def _annotation(self, _: cst.Annotation, __: Place) -> None:
        """What an annotation says is no code that runs."""

    def _subscript(self, node: cst.Subscript, place: Place) -> None:
        self.model.subscripts.append(node)
        for child in children(node):
            self.expression(child, node, place)

    def _dict(self, node: cst.Dict, place: Place) -> None:
        self.model.dicts.append(node)
        for child in node.elements:
            self.expression(child, node, place)

    def _comparison(self, node: cst.Comparison, place: Place) -> None:
        self.model.comparisons.append(node)
        for child in children(node):
            self.expression(child, node, place)

    def _number(self, node: cst.BaseNumber, _: Place) -> None:
        self.model.numbers.append(node)

    def _marked(self, node: cst.Call, place: Place) -> Place:
        """The place of what `pytest.param(…, marks=…)` is given: a test may skip it."""
        for argument in node.args:
            if argument.keyword is not None and argument.keyword.value == "marks":
                mark = argument.value
                branch = Branch(place.branch, "decorator", node, place.scope, NOTHING, test=mark)
                return Place(place.scope, branch, place.statement, place.loop)
        return place

    def _conditional(self, node: cst.IfExp, place: Place) -> None:
        scope = place.scope
        orelse = Otherwise("expression", expression=node.orelse, scope=scope)
        body = Otherwise("expression", expression=node.body, scope=scope)
        self.model.tests.append((node, node.test, orelse, body, scope))
        self.deciding[node.test] = orelse
        taken = Branch(place.branch, "test", node, scope, orelse, test=node.test)
        other = Branch(place.branch, "test", node, scope, body, test=node.test, truth=False)
        self.expression(node.body, node, Place(scope, taken, place.statement, place.loop))
        self.expression(node.test, node, place)
        self.expression(node.orelse, node, Place(scope, other, place.statement, place.loop))

    def _comprehension(self, node: cst.BaseComp, place: Place) -> None:
        inner = Scope("comprehension", "", place.scope, node)
        self.model.comprehensions.append(inner)
        branch = place.branch
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            here = Place(inner, branch, place.statement, loop=True)
            self.expression(clause.iter, clause, here)
            self._bind_each(clause.target, clause.iter, here, clause)
            for condition in clause.ifs:
                self.expression(condition.test, condition, here)
                branch = Branch(branch, "test", condition, inner, NOTHING, test=condition.test)
            clause = clause.inner_for_in
        here = Place(inner, branch, place.statement, loop=True)
        if isinstance(node, cst.DictComp):
            self.expression(node.key, node, here)
            self.expression(node.value, node, here)
        elif isinstance(node, cst.BaseSimpleComp):
            self.expression(node.elt, node, here)

    _visits: ClassVar[Mapping[type[cst.CSTNode], Callable[[Any, Any, Place], None]]] = {
        cst.Attribute: _attribute,
        cst.Call: _call,
        cst.SimpleString: _plain,
        cst.ConcatenatedString: _string,
        cst.FormattedString: _string,
        **({_TEMPLATED: _string} if _TEMPLATED else {}),
        cst.IfExp: _conditional,
        cst.BooleanOperation: _boolean,
        cst.Lambda: _lambda,
        cst.ListComp: _comprehension,
        cst.SetComp: _comprehension,
        cst.GeneratorExp: _comprehension,
        cst.DictComp: _comprehension,
        cst.NamedExpr: _named,
        cst.Annotation: _annotation,
        cst.Subscript: _subscript,
        cst.Dict: _dict,
        cst.Comparison: _comparison,
        cst.Integer: _number,
        cst.Float: _number,
        cst.Imaginary: _number,
    }

    # --- bindings ---

    def _bind(self, name: str, binding: Binding) -> None:
        scope = binding.place.scope
        while scope.kind == "comprehension" and scope.parent:
            scope = scope.parent
        if name in scope.outer_names:
            scope = self.model.root
        self._bind_in(scope, name, binding)

    def _bind_in(self, scope: Scope, name: str, binding: Binding) -> None:
        scope.bindings.setdefault(name, []).append(binding)
        if scope.kind == "class":
            scope.attributes.setdefault(name, []).append(binding)

    def _bind_each(
        self,
        target: cst.BaseExpression,
        source: cst.BaseExpression,
        place: Place,
        node: cst.CSTNode,
    ) -> None:
        if isinstance(target, cst.Name):
            binding = Binding("each", target.value, place, node, source)
            self._bind_in(place.scope, target.value, binding)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                if isinstance(element.value, cst.Name):
                    name = element.value.value
                    self._bind_in(place.scope, name, Binding("unknown", name, place, node))

    def _bind_target(
        self,
        target: cst.BaseExpression,
        value: cst.BaseExpression | None,
        place: Place,
        node: cst.CSTNode,
        annotation: cst.BaseExpression | None = None,
    ) -> None:
        if isinstance(target, cst.Name):
            kind: BindingKind = "value" if value is not None else "unknown"
            self._bind(target.value, Binding(kind, target.value, place, node, value, annotation))
        elif isinstance(target, cst.Attribute):
            self._bind_member(target, value, place, node)
        elif isinstance(target, cst.Subscript):
            key = member_key(target)
            if key and value is not None:
                binding = Binding("value", key, place, node, value)
                self.model.members.setdefault(key, []).append(binding)
        elif isinstance(target, (cst.Tuple, cst.List)):
            elements = list(target.elements)
            first = elements[0].value if elements else None
            if isinstance(value, cst.Call) and isinstance(first, cst.Name):
                self._bind(first.value, Binding("first", first.value, place, node, value))
                second = elements[1].value if len(elements) > 1 else None
                if isinstance(second, cst.Name):
                    self._bind(second.value, Binding("second", second.value, place, node, value))
                    elements = elements[2:]
                else:
                    elements = elements[1:]
            values: Sequence[cst.BaseExpression | None] = [None] * len(elements)
            if isinstance(value, (cst.Tuple, cst.List)):
                given = [element.value for element in value.elements]
                if len(given) == len(elements):
                    values = given
            for element, part in zip(elements, values, strict=True):
                self._bind_target(element.value, part, place, node)

    def _bind_member(
        self,
        target: cst.Attribute,
        value: cst.BaseExpression | None,
        place: Place,
        node: cst.CSTNode,
    ) -> None:
        if value is None:
            return
        name = target.attr.value
        owner = place.scope.owner
        base = target.value
        if owner and isinstance(base, cst.Name) and base.value == _self_name(place.scope):
            binding = Binding("value", name, place, node, value)
            owner.attributes.setdefault(name, []).append(binding)
        elif key := dotted(target):
            binding = Binding("value", key, place, node, value)
            self.model.members.setdefault(key, []).append(binding)


def _self_name(scope: Scope) -> str:
    current: Scope | None = scope
    while current is not None:
        if current.self_name:
            return current.self_name
        current = current.parent
    return ""


def member_key(node: cst.Subscript) -> str | None:
    """`config[device]` for a constant string key on a dotted name."""
    base = dotted(node.value)
    if base is None or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    key = string_value(node.slice[0].slice.value)
    return f"{base}[{key[0]}]" if key and key[1] else None


# --- what blocks do -------------------------------------------------------------------------------

EXITS = {"sys.exit", "exit", "quit", "os._exit", "os.abort", "pytest.fail"}
_SKIPS = {"pytest.skip", "self.skipTest", "unittest.skip"}


def leaves(block: Sequence[cst.CSTNode]) -> bool:
    """Whether control never runs off the end of a block."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, (cst.Return, cst.Raise, cst.Continue, cst.Break)):
        return True
    if isinstance(last, cst.Expr) and isinstance(last.value, cst.Call):
        return dotted(last.value.func) in EXITS | _SKIPS
    if isinstance(last, cst.Assert):
        return is_false(last.test)
    if isinstance(last, cst.If):
        return (
            leaves(body_of(last.body))
            and last.orelse is not None
            and leaves(
                [last.orelse] if isinstance(last.orelse, cst.If) else body_of(last.orelse.body)
            )
        )
    return False


def is_false(node: cst.BaseExpression) -> bool:
    """`False`, `0` or `None`."""
    return (isinstance(node, cst.Name) and node.value in {"False", "None"}) or (
        isinstance(node, cst.Integer) and number_value(node) == 0
    )


def _statements(nodes: Sequence[cst.CSTNode]) -> list[Statement]:
    return [node for node in nodes if isinstance(node, (cst.BaseStatement, cst.BaseSmallStatement))]


def tries(block: Sequence[cst.CSTNode]) -> bool:
    """Whether a block ends with an attempt that leaves if it goes well."""
    last = block[-1] if block else None
    return isinstance(last, (cst.Try, cst.TryStar)) and leaves(body_of(last.body))


def _handled(handler: cst.CSTNode) -> list[Statement]:
    """What a handler does, apart from keeping the exception for later."""
    if not isinstance(handler, (cst.ExceptHandler, cst.ExceptStarHandler)):
        return []
    name = dotted(handler.name.name) if handler.name else None
    return [
        item
        for item in body_of(handler.body)
        if not (name and isinstance(item, cst.Assign) and dotted(item.value) == name)
    ]


def _raises_again(handler: cst.CSTNode) -> bool:
    """Whether a handler only passes the exception on."""
    if not isinstance(handler, (cst.ExceptHandler, cst.ExceptStarHandler)):
        return False
    name = dotted(handler.name.name) if handler.name else None
    body = body_of(handler.body)
    only = body[0] if len(body) == 1 else None
    return isinstance(only, cst.Raise) and (
        only.exc is None or dotted(only.exc) == name is not None
    )


def _handler_names(handler: cst.CSTNode) -> list[str]:
    kind = getattr(handler, "type", None)
    if kind is None:
        return ["BaseException"]
    kinds = [element.value for element in kind.elements] if isinstance(kind, cst.Tuple) else [kind]
    return [last_name(item) for item in kinds]


def _catches_import(handler: cst.CSTNode) -> bool:
    known = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(name in known for name in _handler_names(handler))


def _catches_all(handler: cst.CSTNode) -> bool:
    known = {"Exception", "BaseException", "RuntimeError", "AssertionError"}
    return any(name in known for name in _handler_names(handler))


_OF_CALLS = {"Exception", "BaseException", "AssertionError"}
"""What catches a call of CUDA on a build of torch without it: that is an `AssertionError`."""


def _catches_calls(handler: cst.CSTNode) -> bool:
    return not _OF_CALLS.isdisjoint(_handler_names(handler))


def _imports_in(block: cst.BaseSuite) -> Iterator[tuple[str, bool]]:
    """Modules whose import fails with a block, and whether each is a `from` import."""
    for item in body_of(block):
        if isinstance(item, (cst.With, cst.If)):
            yield from _imports_in(item.body)
            if isinstance(item, cst.If) and isinstance(item.orelse, cst.Else):
                yield from _imports_in(item.orelse.body)
        elif isinstance(item, cst.Try):
            catching = [handler for handler in item.handlers if _catches_import(handler)]
            if all(_raises_again(handler) for handler in catching):
                yield from _imports_in(item.body)
        elif isinstance(item, (cst.Assign, cst.Expr)):
            name = imported_by_name(item.value)
            if name:
                yield name, False
        if isinstance(item, cst.Import):
            for alias in item.names:
                yield dotted(alias.name) or "", False
        elif isinstance(item, cst.ImportFrom):
            yield import_name(item), True


def _formatted(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The expressions inside a formatted string."""
    if isinstance(node, cst.FormattedString):
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                yield part.expression
    elif isinstance(node, cst.ConcatenatedString):
        yield from _formatted(node.left)
        yield from _formatted(node.right)


def _alternatives(pattern: cst.MatchPattern) -> Iterator[cst.BaseExpression]:
    """The values of a pattern that is a value or several; nothing for any other."""
    parts = [item.pattern for item in pattern.patterns] if isinstance(pattern, cst.MatchOr) else []
    values = [part.value for part in parts or [pattern] if isinstance(part, cst.MatchValue)]
    if len(values) == max(1, len(parts)):
        yield from values


def _captured(pattern: cst.CSTNode) -> Iterator[str]:
    if isinstance(pattern, cst.MatchAs) and pattern.name:
        yield pattern.name.value
    for child in children(pattern):
        yield from _captured(child)


def position_of(scope: Scope, binding: Binding) -> int | None:
    """Where a call gives a parameter of a function its value by position; None if by name only."""
    params = getattr(scope.node, "params", None)
    if not isinstance(params, cst.Parameters):
        return None
    plain = [*params.posonly_params, *params.params]
    index = next((place for place, item in enumerate(plain) if item is binding.node), None)
    return None if index is None else index - bool(scope.self_name)
