"""Code that not every run of a file runs: blocks under conditions on settings, entries of tables.

Blocks that need CUDA, or a library for it. And what a class or a function of the module has in it,
which runs only where something uses that.

A setting is what somebody may set without touching the code. Whether one is on is for whoever has
seen all files; here stands which code waits for which value, and which words only that code uses.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence

import libcst as cst
from msgspec import Struct, field

from portaudit.marks import PROGRAM
from portaudit.read.python.conditions import Condition, chosen, conditions, is_field
from portaudit.read.python.methods import own_methods
from portaudit.read.python.model import EXITS, Branch, Place, Scope, around
from portaudit.read.python.nodes import body_of, descendants, dotted, last_name
from portaudit.read.python.tables import Entry, entries
from portaudit.read.python.values import Reader
from portaudit.types import GuardState, Option, Span

_LONGEST = 160
_PROGRAM = "main"
"""The function that a program is: what returns from it ends that."""
_Definition = (cst.FunctionDef, cst.ClassDef)


class Demanded(Struct, frozen=True):
    """What guards that which a branch leads to: `none`, or that it is for CUDA.

    `modules`: where that is not sure, names of modules of which the tree may build one for CUDA ·
    `names`: those that it depends on, of the module or of others: nothing else may set them ·
    `portable`: the line of what the CPU alone takes instead, which is the same in PyTorch.
    """

    guard: GuardState = "none"
    modules: str = ""
    names: tuple[str, ...] = ()
    portable: int = 0


UNDEMANDED = Demanded()
Demands = Callable[[Branch], Demanded]


def undemanding(_: Branch) -> Demanded:
    """Knows no branch that is for CUDA."""
    return UNDEMANDED


class Extent(Struct, frozen=True, eq=False):
    """What an option holds: statements from one to another, or only a part of some."""

    first: cst.CSTNode | None = None
    last: cst.CSTNode | None = None
    part: cst.CSTNode | None = None


class Waiting(Struct, eq=False):
    """An option in the making. `counts`: some code of it does more than keep a value.

    `defines`: it is a class or a function, and waits for whatever uses it · `guard`: it waits for
    CUDA, or a library for it · `portable`: as of `Demanded`.
    """

    condition: Condition
    statement: cst.CSTNode
    extent: Extent
    within: Waiting | None
    entry: Entry | None = None
    defines: bool = False
    guard: GuardState = "none"
    portable: int = 0
    counts: bool = False
    words: set[str] = field(default_factory=set)

    def take(self, word: str) -> None:
        """Note a word that only options use."""
        self.words.add(word)
        self.count()

    def count(self) -> None:
        """Note that it matters, and what it stands in."""
        found: Waiting | None = self
        while found is not None and not found.counts:
            found.counts = True
            found = found.within

    def counting(self) -> Waiting | None:
        """It, or the nearest around it that matters: every definition does."""
        found: Waiting | None = self
        while found is not None and not (found.counts or found.defines):
            found = found.within
        return found


class Options:
    """The options of a file, and in which of them a node stands. `main`: the main guard."""

    def __init__(self, reader: Reader, main: cst.If | None, demands: Demands = undemanding) -> None:
        self.reader = reader
        self._main = main
        self._demands = demands
        self._extents: dict[Branch, Extent] = {}
        self._subjects: dict[cst.CSTNode, cst.BaseExpression] = {}
        self._of_branch: dict[Branch, Waiting | None] = {}
        self._of_scope: dict[Scope, Waiting | None] = {}
        self._of_node: dict[cst.CSTNode, Waiting] = {}
        self._of_base: dict[cst.CSTNode, Waiting] = {}
        self._of_block: dict[tuple[Branch | None, Scope], Waiting | None] = {}
        self._of_place: dict[Place, Waiting | None] = {}
        self._found: list[Waiting] = []
        self.compared: dict[object, Waiting] = {}
        """Strings that a setting is compared with, and what runs where it equals them."""
        self._entries = entries(reader)
        self._defined: dict[Scope, Entry | None] = {
            scope: None
            for node, scope in reader.model.scopes.items()
            if isinstance(node, _Definition) and scope.parent is reader.model.root
        }
        self._defined.update(
            (reader.model.scopes[entry.node], entry)
            for entry in self._entries
            if isinstance(entry.node, _Definition)
        )
        self._walk()
        self._behind_and()
        self.methods = frozenset(self._own_methods())
        """Methods of which the file has no word but in blocks for CUDA."""
        self._defined.update(dict.fromkeys(self.methods))
        for branch in self._extents:
            self._branch(branch)
        for entry in self._entries:
            self._enter(entry)
        for name, assign in _renamings(reader):
            self._rename(name, assign)
        for scope in self._defined:
            self._take_bases(scope)
        if self._found:
            self._weigh()

    @property
    def decorators(self) -> set[cst.CSTNode]:
        """Those that put what they decorate into a table."""
        return {each for entry in self._entries for each in entry.decorators}

    # --- methods ---

    def _own_methods(self) -> Iterator[Scope]:
        """Methods of which the file has no word but in such blocks, and in other such methods."""
        found = own_methods(self.reader) if self._extents else {}
        used: dict[str, list[cst.Attribute]] = {}
        for node in self.reader.model.attributes:
            if node.attr.value in found:
                used.setdefault(node.attr.value, []).append(node)
        begun = {
            name
            for name, nodes in used.items()
            if any(self._is_optional(self.reader.model.places[node].branch) for node in nodes)
        }
        names = set(used) if begun else set()
        while True:
            inside = {id(scope) for name in names for scope in found[name]}
            lost = {
                name
                for name in names
                if not all(
                    self._is_optional(self.reader.model.places[node].branch)
                    or _is_within(self.reader.model.places[node].scope, inside)
                    for node in used[name]
                )
            }
            if not lost:
                break
            names -= lost
        names = self._begun_with(names & begun, names, used, found)
        yield from (scope for name in sorted(names) for scope in found[name])

    def _begun_with(
        self,
        begun: set[str],
        names: set[str],
        used: dict[str, list[cst.Attribute]],
        found: dict[str, list[Scope]],
    ) -> set[str]:
        """Some names, and those that only what is called so uses."""
        while True:
            inside = {id(scope) for name in begun for scope in found[name]}
            more = {
                name
                for name in names - begun
                if any(
                    _is_within(self.reader.model.places[node].scope, inside) for node in used[name]
                )
            }
            if not more:
                return begun
            begun = begun | more

    def _is_optional(self, branch: Branch | None) -> bool:
        """Whether something stands in a block that waits for CUDA."""
        return any(
            each in self._extents and self._demands(each) != UNDEMANDED for each in around(branch)
        )

    # --- what branches hold ---

    def _walk(self) -> None:
        """Find out what each branch of a statement or of a conditional expression holds."""
        places = self.reader.model.places
        waiting: list[Sequence[cst.CSTNode]] = [self.reader.model.module.body]
        while waiting:
            block = waiting.pop()
            before = places[_small(block[0])].branch if block else None
            for item in block:
                branch = places[_small(item)].branch
                if branch is not before:
                    self._behind(item, block[-1], before)
                    before = branch
                if isinstance(item, cst.BaseCompoundStatement):
                    waiting.extend(self._blocks(item))
        for node, *_ in self.reader.model.tests:
            if isinstance(node, cst.IfExp):
                for part in (node.body, node.orelse):
                    branch = places[part].branch
                    if branch is not None:
                        self._extents[branch] = Extent(part=part)

    def _behind_and(self) -> None:
        """The last part of a condition that calls something once its other parts hold."""
        for call in self.reader.model.calls:
            for branch in around(self.reader.model.places[call].branch):
                if not isinstance(branch.node, cst.BooleanOperation) or branch in self._extents:
                    break
                if self._demands(branch).guard != "none":
                    self._extents[branch] = Extent(part=branch.node.right)

    def _behind(self, item: cst.CSTNode, last: cst.CSTNode, before: Branch | None) -> None:
        """The rest of a block behind a statement that may leave it.

        Behind one that ends the program it is no option: that demands what the rest runs with.
        """
        for branch in around(self.reader.model.places[_small(item)].branch):
            if branch is before:
                break
            if isinstance(branch.node, cst.If) and not branch.truth and not self._ends(branch.node):
                self._extents[branch] = Extent(item, last)

    def _blocks(self, item: cst.CSTNode) -> Iterator[Sequence[cst.CSTNode]]:
        """The blocks of a statement; what those under a condition hold is noted."""
        if isinstance(item, cst.If):
            yield from self._branches(item)
        elif isinstance(item, cst.Match):
            for case in item.cases:
                self._subjects[case] = item.subject
                yield self._noted(case.body, case)
        elif isinstance(item, (cst.Try, cst.TryStar)):
            self._attempt(item)
            yield item.body.body
            yield from (handler.body.body for handler in item.handlers)
            yield from (each.body.body for each in (item.orelse, item.finalbody) if each)
        elif isinstance(item, (cst.For, cst.While)):
            yield item.body.body
            if item.orelse:
                yield item.orelse.body.body
        elif isinstance(item, (cst.With, *_Definition)):
            yield item.body.body

    def _attempt(self, item: cst.Try | cst.TryStar) -> None:
        """What runs once the imports that a `try` begins with went well: the rest of it.

        Between that and an `else` stand the handlers, which run if they did not.
        """
        block = list(item.body.body)
        imports = [isinstance(_small(each), (cst.Import, cst.ImportFrom)) for each in block]
        behind = sum(imports)
        rest = block[behind:] or (item.orelse.body.body if item.orelse else ())
        if behind and all(imports[:behind]) and rest:
            branch = self.reader.model.places[_small(rest[0])].branch
            if branch is not None and branch.node is item:
                self._extents[branch] = Extent(rest[0], rest[-1])

    def _branches(self, item: cst.If) -> Iterator[Sequence[cst.CSTNode]]:
        """The blocks of an `if` and its `elif`s."""
        yield self._noted(item.body, item)
        other = item.orelse
        if isinstance(other, cst.If):
            branch = self.reader.model.places[other.test].branch
            if branch is not None and not self._ends(item):
                self._extents[branch] = Extent(other, _end(other))
            yield from self._branches(other)
        elif other is not None:
            yield other.body.body if self._ends(item) else self._noted(other.body, other)

    def _ends(self, node: cst.If) -> bool:
        """Whether a block ends the program: by an error, or as there is nothing to do."""
        body = body_of(node.body)
        last = body[-1] if body else None
        if isinstance(last, cst.Expr) and isinstance(last.value, cst.Call):
            return dotted(last.value.func) in EXITS
        if isinstance(last, cst.Return):
            return self.reader.model.places[last].scope.name == _PROGRAM
        return isinstance(last, cst.Raise)

    def _noted(self, body: cst.BaseSuite, owner: cst.CSTNode) -> Sequence[cst.CSTNode]:
        branch = self.reader.model.places[_small(body.body[0])].branch if body.body else None
        if branch is not None and isinstance(body, cst.SimpleStatementSuite):
            self._extents.setdefault(branch, Extent(owner, owner, body))
        elif branch is not None:
            self._extents.setdefault(branch, Extent(body.body[0], body.body[-1]))
        return body.body

    # --- in which option something stands ---

    def at(self, node: cst.CSTNode | Place) -> Waiting | None:
        """The innermost option that a node stands in: of a condition, or an entry of a table."""
        if isinstance(node, Place):
            return self._at_place(node)
        known = self._of_base.get(node)
        if known is not None:
            return known
        found = self._of_node.get(node)
        if found is None:
            place = self.reader.model.places.get(node)
            found = None if place is None else self._at_place(place)
        if found is not None and found.defines and isinstance(found.statement, cst.ClassDef):
            return found.within if self._runs_at_once(node) else found
        return found

    def _runs_at_once(self, node: cst.CSTNode) -> bool:
        """Whether something in the body of a class runs with the module.

        What it calls does, and what it hands to that; what it only names is used through the class,
        as are the types of its fields, their defaults, and functions without a name.
        """
        model = self.reader.model
        scope: Scope | None = model.places[node].scope
        while scope is not None and scope.kind in {"class", "comprehension"}:
            scope = scope.parent
        if scope is not model.root:
            return False
        outer = model.parents.get(node)
        while outer is not None and not isinstance(outer, (cst.Assign, cst.AnnAssign)):
            if isinstance(outer, cst.Call) and not is_field(outer):
                return True
            node, outer = outer, model.parents.get(outer)
        return outer is None

    def _at_place(self, place: Place) -> Waiting | None:
        if place not in self._of_place:
            key = place.branch, place.scope
            if key not in self._of_block:
                self._of_block[key] = self._inner(*key)
            self._of_place[place] = self._of_block[key]
        return self._of_place[place]

    def _inner(self, branch: Branch | None, scope: Scope) -> Waiting | None:
        found: Waiting | None = None
        nearest: Branch | None = None
        for nearest in around(branch):
            found = self._branch(nearest)
            if found is not None:
                break
        defined: Scope | None = scope
        while defined is not None and defined not in self._defined:
            defined = defined.parent
        if defined is None or (found and nearest and _stands_in(nearest.scope, defined)):
            return found
        return self._scope(defined)

    def _scope(self, scope: Scope) -> Waiting | None:
        """The option of a definition: of the module, or one that is put into a table."""
        if scope not in self._of_scope:
            self._of_scope[scope] = None
            entry = self._defined[scope]
            place = self.reader.model.places[scope.node]
            owner = (scope.parent.name,) if scope in self.methods and scope.parent else ()
            found = Waiting(
                Condition(entry.table, entry.keys) if entry else Condition(scope.name, owner),
                scope.node,
                Extent(scope.node, scope.node),
                self._at_place(place),
                entry,
                defines=entry is None,
            )
            self._of_scope[scope] = self._keep(found, entry.decorators if entry else ())
            if entry:
                found.take(scope.name)
        return self._of_scope[scope]

    def _enter(self, entry: Entry) -> None:
        """Make the option of an entry of a table."""
        model = self.reader.model
        if isinstance(entry.node, _Definition):
            self._scope(model.scopes[entry.node])
            return
        place = model.places[entry.node]
        line = place.statement
        extent = Extent(line, line) if entry.whole else Extent(part=entry.node)
        condition = Condition(entry.table, entry.keys)
        self._keep(Waiting(condition, line, extent, self._at_place(place), entry), entry.inside)

    def _rename(self, name: str, assign: cst.Assign) -> None:
        """Make the option of a name for a member of a class: what it means runs through it."""
        outer = self._at_place(self.reader.model.places[assign])
        found = Waiting(Condition(name, ()), assign, Extent(assign, assign), outer, defines=True)
        self._keep(found, (assign.value,))

    def _take_bases(self, scope: Scope) -> None:
        """Count the bases of a class that are only named there: they are used through the class."""
        bases = scope.node.bases if isinstance(scope.node, cst.ClassDef) else ()
        found = self._scope(scope) if bases else None
        for base in bases:
            nodes = list(descendants(base.value))
            if found and not any(isinstance(each, cst.Call) for each in nodes):
                self._of_base.update(dict.fromkeys(nodes, found))

    def _keep(self, found: Waiting, inside: Iterable[cst.CSTNode]) -> Waiting:
        self._found.append(found)
        for node in inside:
            for each in descendants(node):
                self._of_node[each] = found
        return found

    def _branch(self, branch: Branch) -> Waiting | None:
        if branch not in self._of_branch:
            self._of_branch[branch] = None
            self._of_branch[branch] = self._made(branch)
        return self._of_branch[branch]

    def _made(self, branch: Branch) -> Waiting | None:
        """The option of a branch, the last one of several that hold together."""
        extent = self._extents.get(branch)
        if extent is None:
            return None
        if branch.node is self._main and branch.truth:
            guard = Condition(PROGRAM, ())
            outer = self._inner(branch.parent, branch.scope)
            return self._keep(Waiting(guard, branch.node, extent, outer, defines=True), ())
        found = self._demanded(branch, extent)
        for condition in self._said(branch):
            outer = found or self._inner(branch.parent, branch.scope)
            joined, outer = _joined(condition, outer, extent)
            found = self._keep(Waiting(joined, self._statement(branch), extent, outer), ())
            if not condition.otherwise:
                self.compared.update(dict.fromkeys(condition.words, found))
        return found

    def _demanded(self, branch: Branch, extent: Extent) -> Waiting | None:
        """The option of a branch that needs CUDA, or has its operator in PyTorch beside it."""
        demanded = self._demands(branch)
        if demanded == UNDEMANDED:
            return None
        statement = self._statement(branch)
        outer = self._inner(branch.parent, branch.scope)
        condition = Condition(demanded.modules, demanded.names)
        found = Waiting(
            condition,
            statement,
            extent,
            outer,
            guard=demanded.guard,
            portable=demanded.portable,
        )
        return self._keep(found, ())

    def _statement(self, branch: Branch) -> cst.CSTNode:
        """The statement that has the condition of a branch."""
        if isinstance(branch.node, cst.BaseExpression):
            return self.reader.model.places[branch.node].statement
        return branch.node

    def _said(self, branch: Branch) -> Iterable[Condition]:
        if isinstance(branch.node, cst.BooleanOperation):
            return ()
        if branch.kind == "test" and branch.test is not None:
            return conditions(self.reader, branch.test, truth=branch.truth)
        subject = self._subjects.get(branch.node)
        if branch.kind == "case" and subject is not None:
            return chosen(self.reader, subject, branch.cases)
        return ()

    def _weigh(self) -> None:
        model = self.reader.model
        doing: list[cst.CSTNode | Place] = [*model.calls]
        doing += (place for _, _, place in model.imports)
        for node in doing:
            found = self.at(node)
            if found is not None and not found.defines:
                found.count()

    # --- what is told ---

    def told(self) -> tuple[Option, ...]:
        """The options that matter: some code of theirs calls, brings in, or uses a word alone."""
        if not self._found:
            return ()
        regions = [(*self._region(found), found) for found in self._found if found.counts]
        regions.sort(key=_start)
        order = {id(found): place for place, (_, _, found) in enumerate(regions)}
        return tuple(
            self._option(found, lines, part, order.get(id(found.within), -1))
            for lines, part, found in regions
        )

    def _option(
        self, found: Waiting, lines: tuple[int, int], part: Span | None, within: int
    ) -> Option:
        condition, entry = found.condition, found.entry
        line = self.reader.positions.line(found.statement)
        if entry is not None and part is not None:
            line = part.line
        elif entry is not None:
            line = lines[0]
        return Option(
            lines,
            condition.name,
            condition.values,
            line,
            "" if found.defines else self.reader.line(line).strip()[:_LONGEST],
            condition.otherwise,
            entry is not None,
            entry.by if entry else "",
            " ".join(sorted(found.words)),
            within,
            part,
            entry is not None and entry.made,
            found.defines,
            found.guard,
            section=condition.section,
            called=_called(entry),
            portable=found.portable,
        )

    def _region(self, found: Waiting) -> tuple[tuple[int, int], Span | None]:
        """The lines of an option, or where it stands in them."""
        extent, entry = found.extent, found.entry
        if isinstance(extent.part, cst.SimpleStatementSuite):
            return (0, 0), self._suite(extent.part, extent.first)
        if extent.part is not None:
            first = entry.inside[0] if entry else extent.part
            start, end = self._span(first), self._span(extent.part)
            part = Span(start.line, start.column, end.end_line, end.end_column)
            if entry and self._fills(part):
                return (part.line, part.end_line), None
            return (0, 0), part
        assert extent.first is not None and extent.last is not None  # noqa: PT018
        return (self.reader.positions.line(extent.first), self._last(extent.last)), None

    def _suite(self, suite: cst.SimpleStatementSuite, owner: cst.CSTNode | None) -> Span | None:
        """Where a block stands that shares the line with its condition."""
        if owner is None:
            return None
        number = self.reader.positions.line(owner)
        text = self.reader.line(number)
        code = self.reader.positions.code(suite, owner).strip()
        column = text.rfind(code)
        if not code or column < 0:
            return None
        return Span(number, column + 1, number, column + 1 + len(code))

    def _span(self, node: cst.CSTNode) -> Span:
        """Where an expression stands: in a line of its own nothing has to be printed for it."""
        place = self.reader.model.places.get(node)
        number = self.reader.positions.line(place.statement) if place else 0
        if place and isinstance(place.statement, cst.SimpleStatementLine):
            if self.reader.positions.last(number) == number:
                text = self.reader.line(number)
                code = self.reader.code(node)
                if text.count(code) == 1:
                    column = text.index(code) + 1
                    return Span(number, column, number, column + len(code))
        return self.reader.span(node)

    def _fills(self, part: Span) -> bool:
        """Whether nothing else stands in the lines of a part, but a comma or a comment."""
        before = self.reader.line(part.line)[: part.column - 1]
        behind = self.reader.line(part.end_line)[part.end_column - 1 :].lstrip(" ,)]}")
        return not before.strip() and (not behind or behind.startswith("#"))

    def _last(self, node: cst.CSTNode) -> int:
        """The last line of a statement, without the empty ones behind it."""
        inner: cst.CSTNode | None = node
        while inner is not None:
            node, inner = inner, _inmost(inner)
        first = self.reader.positions.line(node)
        last = self.reader.positions.last(first)
        while last > first and not self.reader.line(last).strip():
            last -= 1
        return last


def _called(entry: Entry | None) -> str:
    """What an entry of a table is called that is a definition itself."""
    return entry.node.name.value if entry and isinstance(entry.node, _Definition) else ""


def _is_within(scope: Scope | None, inside: Container[int]) -> bool:
    """Whether a scope is one of some, or lies in one."""
    while scope is not None:
        if id(scope) in inside:
            return True
        scope = scope.parent
    return False


def _start(region: tuple[tuple[int, int], Span | None, Waiting]) -> tuple[int, int, int]:
    lines, part, _ = region
    return (part.line, part.column, -part.end_line) if part else (lines[0], 0, -lines[1])


def _joined(
    condition: Condition, outer: Waiting | None, extent: Extent
) -> tuple[Condition, Waiting | None]:
    """A condition with what is said around it of the same setting, and what is around both."""
    while outer is not None and _is_about(outer, condition):
        said = outer.condition
        if condition.otherwise:
            rest = isinstance(outer.extent.first, cst.If) and outer.extent.last is extent.last
            if not (said.otherwise and rest):
                break
            values = tuple(dict.fromkeys((*said.values, *condition.values)))
            condition = Condition(condition.name, values, otherwise=True, section=condition.section)
        outer = outer.within
    return condition, outer


def _is_about(outer: Waiting, condition: Condition) -> bool:
    """Whether an option is a condition on the setting of another one."""
    return (
        outer.entry is None
        and not outer.defines
        and outer.guard == "none"
        and not outer.portable
        and outer.condition.name == condition.name
        and outer.condition.section == condition.section
    )


def _renamings(reader: Reader) -> Iterator[tuple[str, cst.Assign]]:
    """The names of a module for members of its classes: `scale = ScaleFunction.apply`."""
    root = reader.model.root
    for assign in reader.model.assigns:
        target, value = assign.targets[0].target, assign.value
        if not isinstance(target, cst.Name) or not isinstance(value, cst.Attribute):
            continue
        place = reader.model.places[assign]
        owner = root.bindings.get(last_name(value.value), ())
        is_plain = isinstance(value.value, cst.Name) and len(assign.targets) == 1
        is_only = len(root.bindings.get(target.value, ())) == 1 and place.branch is None
        if place.scope is root and is_plain and is_only:
            if owner and all(each.kind == "class" for each in owner):
                yield target.value, assign


def _small(line: cst.CSTNode) -> cst.CSTNode:
    """The first statement of a line."""
    return line.body[0] if isinstance(line, cst.SimpleStatementLine) and line.body else line


def _end(node: cst.If) -> cst.CSTNode:
    """The last statement of a chain of conditions."""
    if isinstance(node.orelse, cst.If):
        return _end(node.orelse)
    last = node if node.orelse is None else node.orelse
    return last.body.body[-1] if isinstance(last.body, cst.IndentedBlock) else last


def _inmost(node: cst.CSTNode) -> cst.CSTNode | None:
    """The last statement in a compound one."""
    blocks: list[cst.CSTNode] = [node]
    if isinstance(node, (cst.Try, cst.TryStar)):
        blocks += node.handlers
        blocks += [each for each in (node.orelse, node.finalbody) if each]
    elif isinstance(node, cst.Match):
        blocks = list(node.cases)
    elif isinstance(node, (cst.If, cst.For, cst.While)) and node.orelse is not None:
        blocks.append(node.orelse)
    last = blocks[-1]
    if isinstance(last, cst.If) and last is not node:
        return last
    body = getattr(last, "body", None)
    if not isinstance(body, cst.IndentedBlock):
        return None
    return body.body[-1] if body.body else None


def _stands_in(scope: Scope | None, outer: Scope) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer
