"""String values that flow: device and backend literals, from the literal to its uses.

The finding is at the literal. What makes a literal one is where it goes: an argument that takes a
device, a variable or key that is named for one. What is only compared, printed or looked up is left
alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import libcst as cst
from msgspec import Struct, field

from portaudit.catalogue.globs import any_of, glob
from portaudit.catalogue.index import Selector
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Sink
from portaudit.judge.guards import Guard
from portaudit.match.hits import LOWER, Hit, Note, Why, lowest, unnoted
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import SPEAKING, dotted, last_name, string_value
from portaudit.read.python.values import LocalText, Reader, argument
from portaudit.types import Confidence, ForeignUse, Instance, Text, Use

_LONGEST = 64
RoleKind = Literal["silent", "argument", "bound", "returned", "compared", "listed"]

_TALK = SPEAKING | {"write", "echo", "fail", "skip", "xfail", "format_exc"}
_COMPLAINTS = ("Error", "Exception", "Warning")
_SAME = {"str", "list", "tuple", "set", "frozenset", "sorted"}
"""Calls that give back what they are given, in another form."""
_WORDS = (cst.FormattedString, cst.ConcatenatedString, cst.BinaryOperation)
"""What puts a value into a longer text."""
_MOCKS = ("unittest.mock.", "mock.")
_LOOKUPS = {
    "get",
    "pop",
    "setdefault",
    "split",
    "rsplit",
    "join",
    "replace",
    "startswith",
    "endswith",
    "find",
    "index",
    "count",
    "strip",
    "lstrip",
    "rstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "has",
    "contains",
    "encode",
    "hasattr",
    "getattr",
    "getenv",
    "setattr",
    "delattr",
    "isinstance",
    "open",
    "len",
    "field_names",
    "register_module",
    "import_module",
    "__import__",
    "add_argument",
    "add_parser",
    "add_mutually_exclusive_group",
    "skipif",
    "mark",
    "TypeVar",
    "NewType",
    "getfixturevalue",
    "addHandler",
    "getLogger",
    "get_logger",
    "glob",
    "rglob",
    "joinpath",
    "Path",
    "exists",
    "version",
    "find_spec",
}
_WITH_DEFAULT = {"get", "getattr", "getenv", "pop", "setdefault"}
"""Those of them that give back their last argument where there is nothing."""
_SPOKEN = {
    "help",
    "description",
    "desc",
    "msg",
    "message",
    "reason",
    "title",
    "label",
    "doc",
    "text",
    "epilog",
    "metavar",
    "choices",
    "prefix",
    "postfix",
    "suffix",
    "sep",
    "end",
}
_STDLIB = frozenset(sys.stdlib_module_names)


class Role(Struct, frozen=True, eq=False):
    """What a literal's surroundings do with it; `names` are what it is bound to.

    `device` is the key of a table of devices whose entry it is (`{"cuda": "nccl"}`).
    """

    kind: RoleKind
    names: tuple[str, ...] = ()
    call: cst.Call | None = None
    arg: cst.Arg | None = None
    node: cst.CSTNode | None = None
    listed: bool = False
    device: cst.BaseExpression | None = None


class _Literal(Struct, eq=False):
    node: cst.BaseExpression
    text: str
    role: Role
    hit: Hit | None = None
    uses: list[Use] = field(default_factory=list)
    reached: list[Sink] = field(default_factory=list)


def string_hits(
    reader: Reader, catalogue: Catalogue, torch: bool, note: Note = unnoted
) -> tuple[list[Hit], list[ForeignUse]]:
    """Hits at the literals of this file, and uses seen here of literals of other files."""
    return _Strings(reader, catalogue, torch, note).run()


class _Strings:
    def __init__(self, reader: Reader, catalogue: Catalogue, torch: bool, note: Note) -> None:
        self.reader = reader
        self._note = note
        self.model = reader.model
        self.catalogue = catalogue
        self.torch = torch
        self.selectors = [
            (selector, catalogue.match_of(selector)) for selector in catalogue.index.strings
        ]
        self.sinks = [sink for _, match in self.selectors for sink in match.sinks]
        self.methods = {name for sink in self.sinks for name in sink.method}
        self.callees = {name for sink in self.sinks for name in sink.call}
        self.keywords = {
            place for sink in self.sinks for place in sink.argument if isinstance(place, str)
        }

        self._callees: dict[str, bool] = {}
        self._wanted: dict[tuple[str, frozenset[str]], list[Sink]] = {}

    def run(self) -> tuple[list[Hit], list[ForeignUse]]:
        literals = dict(self._literals())
        foreign = self._uses(literals)
        hits = [hit for literal in literals.values() if (hit := self._hit(literal)) is not None]
        return hits, foreign

    def _literals(self) -> Iterator[tuple[cst.CSTNode, _Literal]]:
        globs = (str(pattern) for _, match in self.selectors for pattern in match.value)
        wanted = any_of(dict.fromkeys(globs))
        for node in self.model.strings:
            text = string_value(node)
            if text is None or len(text[0]) > _LONGEST:
                continue
            value, role_node = self._whole(node, *text)
            if not wanted.match(value):
                continue
            role = self._role(role_node)
            if role.kind != "silent":
                yield node, _Literal(node, value, role)
            else:
                self._tell("words", node, value)

    def _tell(self, why: Why, node: cst.CSTNode, text: str) -> None:
        """Note that a literal came to nothing, by the first rule that knows such literals."""
        if self._note is unnoted:
            return
        known = (
            selector
            for selector, match in self.selectors
            if any(glob(str(pattern)).match(text) for pattern in match.value)
        )
        for selector in known:
            self._note(why, selector, node, text, None)
            return

    def _whole(self, node: cst.BaseExpression, value: str, exact: bool) -> tuple[str, cst.CSTNode]:
        """The value with what is added to it as `*`, and the expression that carries it."""
        parent = self.model.parents.get(node)
        if isinstance(parent, cst.BinaryOperation) and parent.left is node:
            if isinstance(parent.operator, cst.Add):
                return f"{value}*", parent
            if isinstance(parent.operator, cst.Modulo):
                return f"{value.partition('%')[0]}*", parent
        if isinstance(parent, cst.Attribute) and parent.attr.value == "format":
            call = self.model.parents.get(parent)
            if isinstance(call, cst.Call):
                return f"{value.partition('{')[0]}*", call
        return (value if exact else f"{value}*"), node

    # --- roles ---

    def _role(self, node: cst.CSTNode) -> Role:
        parent = self.model.parents.get(node)
        if isinstance(parent, cst.IfExp):
            return Role("silent") if parent.test is node else self._role(parent)
        if isinstance(parent, (cst.BooleanOperation, cst.NamedExpr, cst.Await)):
            return self._role(parent)
        if isinstance(parent, cst.Element):
            container = self.model.parents.get(parent)
            return self._listed(container) if container else Role("silent")
        if isinstance(parent, cst.BaseComp):
            return self._listed(parent)
        if isinstance(parent, cst.DictElement):
            return self._entry(parent, node)
        if isinstance(parent, cst.Arg):
            return self._argument(parent)
        if isinstance(parent, cst.Assign):
            if any(self._is_imitation(target.target) for target in parent.targets):
                return Role("silent")
            names = tuple(_target_name(target.target) for target in parent.targets)
            place = self.model.places.get(parent)
            if place and place.scope.kind == "class" and _is_enum(place.scope):
                return Role("silent")
            if any(name in {"__all__", "__slots__"} for name in names):
                return Role("silent")
            return Role("bound", names, node=parent)
        if isinstance(parent, cst.AnnAssign):
            place = self.model.places.get(node)
            if place and place.scope.kind == "class" and _is_enum(place.scope):
                return Role("silent")
            return Role("bound", (_target_name(parent.target),), node=parent)
        if isinstance(parent, cst.Param):
            return Role("bound", (parent.name.value,), node=parent)
        if isinstance(parent, (cst.Return, cst.Yield, cst.Lambda)):
            return Role("returned", (self._function_name(node),), node=parent)
        if isinstance(parent, (cst.Comparison, cst.ComparisonTarget)):
            return Role("compared")
        return Role("silent")

    def _function_name(self, node: cst.CSTNode) -> str:
        scope: Scope | None = self.model.places[node].scope if node in self.model.places else None
        return scope.name if scope else ""

    def _listed(self, container: cst.CSTNode) -> Role:
        """An item of a list: what the list is."""
        parent = self.model.parents.get(container)
        if isinstance(parent, (cst.Comparison, cst.ComparisonTarget)):
            return Role("compared")
        if isinstance(parent, (cst.For, cst.CompFor)):
            return Role("listed", (_target_name(parent.target),), node=parent, listed=True)
        role = self._role(container)
        if role.kind in {"silent", "compared"} or self._is_only_asked(role):
            return Role("silent")
        return Role("listed", role.names, role.call, role.arg, role.node, listed=True)

    def _is_only_asked(self, role: Role) -> bool:
        """Whether a collection has a name that this file only tests words against, and shows."""
        name = role.names[0] if role.kind == "bound" and len(role.names) == 1 else ""
        return isinstance(role.node, (cst.Assign, cst.AnnAssign)) and self._asked.get(name, False)

    @cached_property
    def _asked(self) -> Mapping[str, bool]:
        """Names that an `in` looks into, and whether they are otherwise shown at most."""
        found: dict[str, bool] = {}
        named = [(node, node.value) for node in self.model.names]
        members = [(node, node.attr.value) for node in self.model.attributes]
        for node, name in (*named, *members):
            parent = self.model.parents.get(node)
            if getattr(parent, "target", None) is node and not isinstance(parent, cst.AugAssign):
                continue
            asked = isinstance(parent, cst.ComparisonTarget) and isinstance(
                parent.operator, (cst.In, cst.NotIn)
            )
            if asked:
                found.setdefault(name, True)
            elif not self._is_said(node):
                found[name] = False
        return found

    def _is_imitation(self, target: cst.BaseExpression) -> bool:
        """Whether an assignment makes a test's stand-in look like a tensor or a device.

        The type of a real device cannot be set.
        """
        if not isinstance(target, cst.Attribute):
            return False
        if target.attr.value == "type" and last_name(target.value) == "device":
            return True
        first: cst.BaseExpression = target
        while isinstance(first, cst.Attribute):
            first = first.value
        return any(
            isinstance(value, Instance) and value.of.name.startswith(_MOCKS)
            for value in self.reader.values(first)
        )

    def _entry(self, element: cst.DictElement, node: cst.CSTNode) -> Role:
        if element.key is node:
            return Role("silent")
        key = string_value(element.key)
        if key and key[0] in _SPOKEN:
            return Role("silent")
        word = self.catalogue.guards.word(key[0].partition(":")[0]) if key else ""
        device = element.key if word == "cuda" else None
        return Role("bound", (key[0] if key else "",), node=element, device=device)

    def _argument(self, arg: cst.Arg) -> Role:
        call = self.model.parents.get(arg)
        if not isinstance(call, cst.Call):
            return Role("silent")
        name = dotted(call.func) or ""
        last = call.func.attr.value if isinstance(call.func, cst.Attribute) else name
        keyword = arg.keyword.value if arg.keyword else ""
        if keyword in _SPOKEN or last in _TALK or last.endswith(_COMPLAINTS):
            return Role("silent")
        if not keyword and last in _LOOKUPS:
            if last in _WITH_DEFAULT and call.args[-1] is arg:
                if len(call.args) == (3 if last == "getattr" else 2):
                    return self._default_of(call)
            return Role("silent")
        resolved = self.reader.name(call.func)
        outside = self.model.parents.get(call)
        if resolved == _DEVICE and isinstance(outside, (cst.Comparison, cst.ComparisonTarget)):
            return Role("compared")
        if resolved in _DEFAULTS or (keyword == "default" and resolved.split(".")[0] in _STDLIB):
            bound = self._role(call)
            if bound.kind == "bound":
                return Role("bound", bound.names, call, arg, bound.node)
        if keyword == "default":
            option = next(
                (item.name for item in self.reader.options.values() if item.call is call), ""
            )
            return Role("bound", (option,), call, arg, call)
        if name in _SAME and not keyword:
            return self._role(call)
        if resolved.split(".")[0] in _STDLIB and resolved.split(".")[0] != "functools":
            return Role("silent")
        return Role("argument", (keyword,) if keyword else (), call, arg, call)

    def _default_of(self, call: cst.Call) -> Role:
        """The default of a look-up: named by the key that is looked up, used where the call is."""
        index = 1 if isinstance(call.func, cst.Name) else 0
        key = string_value(call.args[index].value)
        role = self._role(call)
        if role.kind == "compared" or self._is_said(call):
            return Role("silent")
        names = (key[0],) if key else ()
        if role.kind in {"argument", "bound"}:
            return Role(role.kind, (*names, *role.names), role.call, role.arg, role.node)
        return Role("bound", names, node=call)

    def _is_said(self, node: cst.CSTNode) -> bool:
        """Whether a value is only put into words: printed, logged, or raised with."""
        parent = self.model.parents.get(node)
        while True:
            while isinstance(parent, _WORDS):
                parent = self.model.parents.get(parent)
            call = self.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
            if not isinstance(call, cst.Call):
                return False
            function = call.func
            last = function.attr.value if isinstance(function, cst.Attribute) else dotted(function)
            if last not in _SAME and last != "join":
                return last is not None and (last in _TALK or last.endswith(_COMPLAINTS))
            parent = self.model.parents.get(call)

    # --- sinks and uses ---

    def _sinks_of(self, call: cst.Call) -> Sequence[Sink]:
        """The sinks that a callee may be; of most there is none that it is named for."""
        function = call.func
        method = function.attr.value if type(function) is cst.Attribute else ""
        key = method, frozenset(ref.name for ref in self.reader.refs(function))
        if key not in self._wanted:
            self._wanted[key] = [sink for sink in self.sinks if _takes(sink, *key)]
        return self._wanted[key]

    def _may_be_sink(self, call: cst.Call) -> bool:
        function = call.func
        if type(function) is cst.Attribute and function.attr.value in self.methods:
            return True
        for item in call.args:
            if item.keyword is not None and item.keyword.value in self.keywords:
                return True
        if call.args:
            for ref in self.reader.refs(function):
                if self._is_callee(ref.name):
                    return True
        return False

    def _is_callee(self, name: str) -> bool:
        """Whether some sink is named for a function."""
        if name not in self._callees:
            self._callees[name] = any(
                _named(name, pattern) for pattern in self.callees if pattern != "*"
            )
        return self._callees[name]

    def _uses(self, literals: dict[cst.CSTNode, _Literal]) -> list[ForeignUse]:
        foreign: list[ForeignUse] = []
        globs = [str(pattern) for _, match in self.selectors for pattern in match.value]
        for call in self.model.calls:
            if not self._may_be_sink(call):
                continue
            seen: set[cst.Arg] = set()
            for sink in self._sinks_of(call):
                arg = argument(call, sink.argument).node
                if arg is None or arg in seen:
                    continue
                seen.add(arg)
                for text in self.reader.texts(arg.value):
                    if isinstance(text, LocalText):
                        literal = literals.get(text.node)
                        if literal and not self.model.within(text.node, (arg,)):
                            literal.uses.append(self._use(call))
                            literal.reached.append(sink)
                    elif any(glob(pattern).match(_pattern(text)) for pattern in globs):
                        foreign.append(
                            ForeignUse(text.path, text.line, text.column, self._use(call))
                        )
        return list(dict.fromkeys(foreign))

    def _use(self, call: cst.Call) -> Use:
        into = self.reader.name(call.func) or dotted(call.func)
        if not into and isinstance(call.func, cst.Attribute):
            into = f".{call.func.attr.value}"
        return Use(self.reader.source.path, self.reader.span(call).line, into or "")

    # --- choosing the rule ---

    def _hit(self, literal: _Literal) -> Hit | None:
        best: tuple[int, Confidence, Selector] | None = None
        for selector, match in self.selectors:
            if not any(glob(str(pattern)).match(literal.text) for pattern in match.value):
                continue
            rule = self.catalogue.rules[selector.rule]
            level = match.confidence or rule.confidence
            rank, level = self._rank(literal, match.sinks, match.names, level)
            if rank and (best is None or rank > best[0]):
                best = (rank, level, selector)
        if best is None:
            self._tell("unclear", literal.node, literal.text)
            return None
        rank, level, selector = best
        node = literal.node
        place = self.model.places[node]
        return Hit(
            selector,
            node,
            node,
            place,
            literal.text,
            level,
            rank,
            value=literal.text,
            owner=self._owner(literal),
            guard=self._by_key(literal),
            uses=sorted(set(literal.uses), key=lambda use: (use.line, use.into)),
        )

    def _by_key(self, literal: _Literal) -> Guard | None:
        """An entry under a CUDA key of a table is only looked up where the device is CUDA."""
        if literal.role.device is None:
            return None
        return Guard("guarded", self.reader.proof(literal.role.device))

    def _rank(
        self, literal: _Literal, sinks: Sequence[Sink], names: Sequence[str], level: Confidence
    ) -> tuple[int, Confidence]:
        role = literal.role
        if role.call is not None and role.arg is not None:
            wanted = self._sinks_of(role.call)
            for sink in sinks:
                if sink in wanted and argument(role.call, sink.argument).node is role.arg:
                    return (3 if "*" in sink.call else 4), level
        own = [sink for sink in literal.reached if sink in sinks]
        if own and not names:
            return 3, level  # a rule about these calls alone
        if not names:
            return 0, level
        if literal.uses:
            return 2, level
        if role.kind == "compared":
            return 2, level
        if any(
            glob(pattern).match(name.lower()) for name in role.names if name for pattern in names
        ):
            return 2, level
        if role.kind == "listed":
            return 0, level  # one of several words, of which nothing says that they are devices
        if role.kind == "bound":
            return 1, lowest([LOWER[level], "medium"])
        return 1, LOWER[level] if self.torch else "low"

    def _owner(self, literal: _Literal) -> str:
        """What groups literals that reach one variable: its scope and name."""
        role = literal.role
        name = next((item for item in role.names if item), "")
        if role.kind not in {"bound", "returned"} or not name:
            return ""
        scope = self.model.places[literal.node].scope.qualname
        return f"{scope}.{name}" if scope else name


def around_device(reader: Reader, node: cst.CSTNode) -> cst.CSTNode | None:
    """What a literal stands in, `torch.device(...)` left out."""
    parent = reader.model.parents.get(node)
    call = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    if isinstance(call, cst.Call) and reader.name(call.func) == _DEVICE:
        return reader.model.parents.get(call)
    return parent


def _pattern(text: Text) -> str:
    return text.value if text.exact else f"{text.value}*"


def _takes(sink: Sink, method: str, names: Iterable[str]) -> bool:
    """Whether a sink takes what a method, or a function of some names, is given."""
    return (
        method in sink.method
        or "*" in sink.call
        or any(_named(name, pattern) for name in names for pattern in sink.call)
    )


def _named(name: str, pattern: str) -> bool:
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return name == pattern


def _target_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return node.attr.value
    if isinstance(node, cst.Subscript) and len(node.slice) == 1:
        item = node.slice[0].slice
        key = string_value(item.value) if isinstance(item, cst.Index) else None
        return key[0] if key else ""
    return ""


def _is_enum(scope: Scope) -> bool:
    node = scope.node
    return isinstance(node, cst.ClassDef) and any(
        (dotted(base.value) or "").endswith(("Enum", "Flag")) for base in node.bases
    )


_DEVICE = "torch.device"
_DEFAULTS = {
    "dataclasses.field",
    "pydantic.Field",
    "typer.Option",
    "typer.Argument",
    "attr.ib",
    "attrs.field",
    "torch.device",
}


def bindings_of(reader: Reader, hit: Hit) -> tuple[Binding | None, list[Binding]]:
    """The binding that a literal feeds, and all bindings of that name in its scope."""
    node: cst.CSTNode | None = hit.node
    while node is not None and not isinstance(node, (cst.Assign, cst.AnnAssign, cst.Param)):
        node = reader.model.parents.get(node)
    if node is None:
        return None, []
    return reader.bound_by.get(node, (None, []))
