"""Tables of classes and functions under names: dict literals, registries, and what is in them."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst
from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue import options as known
from portaudit.marks import BY_METHOD, KEEPER, OF_COMMAND, OF_CONFIG, UNDER, UNWRITTEN
from portaudit.read.python import registers
from portaudit.read.python.asking import ALIAS, MEMBER, Asking
from portaudit.read.python.conditions import attributes, is_self
from portaudit.read.python.methods import SAYING
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import (
    children,
    descendants,
    dict_entries,
    dotted,
    last_name,
    root_of,
    string_value,
)
from portaudit.read.python.values import Reader, argument
from portaudit.types import Ref

_BUILTINS = frozenset(dir(builtins))
_SEVERAL = 2
_ALL = frozenset({"values", "items"})
"""Methods that take everything out of a table."""
_HARMLESS = frozenset(
    {"bool", "dict", "float", "frozenset", "int", "list", "partial", "Path", "set", "str", "tuple"}
)
"""What a config may call for its values."""
_ASSIGNED = (cst.Assign, cst.AnnAssign)


class Entry(Struct, frozen=True, eq=False):
    """What a table has under a key. `by`: what the file asks the table with, in words of `asking`.

    `node`: a definition, or the value · `inside`: nodes that belong to the entry alone ·
    `whole`: it is a statement by itself · `decorators`: those that put a definition there ·
    `made`: the value is a config, made there.
    """

    table: str
    keys: tuple[str, ...]
    node: cst.CSTNode
    by: str = ""
    inside: tuple[cst.CSTNode, ...] = ()
    whole: bool = False
    decorators: tuple[cst.Decorator, ...] = ()
    made: bool = False


class Uses(Struct):
    """What a file does with a table.

    `asked`: what it is asked with, in words of `asking` · `is_open`: also with something that
    nobody knows · `handed`: it is given to something as a whole · `commanded`: to who reads the
    command line · `taken`: all that it has is taken out.
    """

    asked: set[str] = field(default_factory=set)
    is_open: bool = False
    handed: bool = False
    commanded: bool = False
    taken: bool = False

    def ask(self, questions: set[str] | None) -> None:
        """Note what it is asked with."""
        self.asked |= questions or set()
        self.is_open = self.is_open or questions is None

    @property
    def told(self) -> str:
        """What it is asked with, and nothing else."""
        if self.is_open or self.taken or (self.handed and not self.commanded):
            return UNWRITTEN
        return " ".join(sorted(self.asked))


def entries(reader: Reader) -> list[Entry]:
    """The entries of a file's tables."""
    found = [*_definitions(reader), *_calls(reader), *_dicts(reader), *_items(reader)]
    tables = {
        entry.table: _original(reader.model.root.bindings.get(entry.table, ()), entry.table)
        for entry in found
    }
    uses = _uses(reader, tables) if tables else {}
    kept = (
        _with(replace(entry, table=tables[entry.table]), uses.get(tables[entry.table], Uses()))
        for entry in found
    )
    return [entry for entry in kept if entry]


def _with(entry: Entry, uses: Uses) -> Entry | None:
    """An entry with what its table is asked with; None if it may be used at any time.

    A table of configs may be handed to whoever reads the command line, and that chooses then.
    """
    if uses.taken or (uses.handed and not entry.made):
        return None
    if any(f"={key}" in uses.asked for key in entry.keys):
        return None
    method, own = (entry.by, "") if entry.by.startswith(BY_METHOD) else ("", entry.by)
    asked = [each for each in (own, uses.told) if each]
    told = UNWRITTEN if UNWRITTEN in asked else " ".join(asked)
    return replace(entry, by=f"{method} {told}".strip())


def asks(reader: Reader) -> tuple[tuple[str, str], ...]:
    """The tables of the module and of others of which all is known that it does with them."""
    tables: dict[str, str] = {}
    model = reader.model
    for scope in (model.root, *model.scopes.values()):
        for name, bindings in scope.bindings.items():
            if any(_may_be_table(reader, binding) for binding in bindings):
                tables[name] = _original(bindings, name)
    for node in model.attributes:
        if _is_of_module(reader, node.value):
            tables.setdefault(node.attr.value, node.attr.value)
    uses = _uses(reader, tables) if tables else {}
    told = dict(_known(uses))
    for name, table in _filled(reader):
        told[name] = " ".join(sorted({*told.get(name, "").split(), f"{ALIAS}{table}"}))
    told.update(_of_classes(reader))
    return tuple(sorted(told.items()))


def _of_classes(reader: Reader) -> Iterator[tuple[str, str]]:
    """What is known of tables that classes keep under written keys, and of who gets at those."""
    own = tuple(registers.keeping(reader))
    yield from registers.putting(reader, own).items()
    objects = dict(registers.users(reader))
    yield from ((f"{KEEPER}{name}", "") for name in objects)
    uses: dict[str, Uses] = {}
    asking = Asking(reader)
    for part in (*(each for kept in own for each in kept.parts), *sum(objects.values(), ())):
        of_key = uses.setdefault(part.key, Uses())
        if not registers.is_said(reader, part) and _use(asking, part.node, of_key):
            of_key.handed = True  # under a name that is not followed
    yield from ((f"{UNDER}{key}", told) for key, told in _known(uses))


def _known(uses: Mapping[str, Uses]) -> Iterator[tuple[str, str]]:
    """What tables are asked with of which all is known that the file does with them."""
    told = ((name, each.told) for name, each in uses.items())
    return ((name, asked) for name, asked in told if asked != UNWRITTEN)


def _original(bindings: Sequence[Binding], name: str) -> str:
    """What a table is called where it comes from."""
    origins = {each.target.rpartition(".")[2] for each in bindings if each.kind == "import"}
    return origins.pop() if len(origins) == 1 else name


def _filled(reader: Reader) -> Iterator[tuple[str, str]]:
    """Functions that put things into a table, and which: `register` is a name of that too."""
    for assign in reader.model.assigns:
        target = assign.targets[0].target
        if not isinstance(target, cst.Subscript) or not isinstance(target.value, cst.Name):
            continue
        scope: Scope | None = reader.scope_of(target.value)
        while scope is not None and scope.parent is not reader.model.root:
            scope = scope.parent
        if scope is not None and scope.kind == "function" and known.enters(scope.name):
            yield scope.name, target.value.value


def _is_of_module(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether an expression is a module that the file brings in, or what is in one."""
    while type(node) is cst.Attribute:
        node = node.value
    if type(node) is not cst.Name:
        return False
    bindings = reader.lookup(node.value, reader.scope_of(node))
    return bool(bindings) and all(each.kind == "import" for each in bindings)


def _may_be_table(reader: Reader, binding: Binding) -> bool:
    """Whether a name may be a table: a dict or an object of the module, or of another module."""
    if binding.kind == "import":
        return reader.is_open(binding.target) or _is_of_a_library(reader, binding)
    made = binding.kind == "value" and isinstance(binding.value, (cst.Dict, cst.Call))
    return made and binding.place.scope is reader.model.root


# --- registries -----------------------------------------------------------------------------------


def _definitions(reader: Reader) -> Iterator[Entry]:
    """Functions and classes that a decorator puts into a registry."""
    for node in reader.model.scopes:
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            continue
        tables: dict[str, tuple[str, ...]] = {}
        methods: set[str] = set()
        decorators: list[cst.Decorator] = []
        for decorator in node.decorators:
            table, keys = _registered(reader, decorator.decorator, node.name.value)
            if table:
                tables[table] = (*tables.get(table, ()), *keys)
                decorators.append(decorator)
                called = decorator.decorator
                function = called.func if isinstance(called, cst.Call) else called
                methods.add(registers.method_of(reader, function))
        if len(tables) == 1:
            ((table, keys),) = tables.items()
            by = methods.pop() if len(methods) == 1 else ""
            yield Entry(table, keys, node, by, decorators=tuple(decorators))


def _registered(
    reader: Reader, decorator: cst.BaseExpression, own: str
) -> tuple[str, tuple[str, ...]]:
    """The registry of a decorator, and the names under which it puts something there."""
    call = decorator if isinstance(decorator, cst.Call) else None
    function = call.func if call else decorator
    if not known.enters(last_name(function)) or _is_of_library(reader, function):
        return "", ()
    keys: tuple[str, ...] = (own,)
    if call is not None and call.args:
        named = argument(call, (*known.words().tables.named, 0)).value
        if named is not None:
            keys = tuple(_strings(named))
    return (_table(reader, function), keys) if keys else ("", ())


def _calls(reader: Reader) -> Iterator[Entry]:
    """`REGISTRY.register("x", Class)`."""
    for call in reader.model.calls:
        if not known.enters(last_name(call.func)) or len(call.args) < _SEVERAL:
            continue
        if call in reader.model.parents and isinstance(reader.model.parents[call], cst.Decorator):
            continue
        named = argument(call, (*known.words().tables.named, 0))
        keys = tuple(_strings(named.value)) if named.value is not None else ()
        values = [each.value for each in call.args if each is not named.node]
        parent = reader.model.parents.get(call)
        if not keys or not isinstance(parent, cst.Expr) or _is_of_library(reader, call.func):
            continue
        if any(_means(reader, value) for value in values):
            inside = tuple(each for arg in call.args for each in (arg.value,))
            by = registers.method_of(reader, call.func)
            yield Entry(_table(reader, call.func), keys, call, by, inside, whole=True)


def _strings(node: cst.BaseExpression) -> Iterator[str]:
    if isinstance(node, (cst.List, cst.Tuple)):
        for element in node.elements:
            yield from _strings(element.value)
        return
    text = string_value(node)
    if text is not None and text[1]:
        yield text[0]


def _table(reader: Reader, function: cst.BaseExpression) -> str:
    """What a registry is called: the object whose method it is, or the function itself."""
    if isinstance(function, cst.Attribute) and not is_self(reader, function.value):
        return last_name(function.value) or function.attr.value
    return last_name(function)


def _is_of_library(reader: Reader, function: cst.BaseExpression) -> bool:
    root = reader.name(function).partition(".")[0]
    return root in known.words().never.libraries


# --- dicts ----------------------------------------------------------------------------------------


def _dicts(reader: Reader) -> Iterator[Entry]:
    """The entries of dict literals with names as keys, whose values are classes or functions."""
    for node in reader.model.dicts:
        pairs = [(element, key) for key, element in dict_entries(node)]
        if len(pairs) < _SEVERAL or not all(_is_entry(each.value) for each, _ in pairs):
            continue
        name, by = _place(reader, node)
        if not name:
            continue
        means = [
            (each, key)
            for each, key in pairs
            if _is_config(each.value) or _means(reader, each.value)
        ]
        if len(means) >= _SEVERAL:
            for element, key in means:
                inside = (element.key, element.value)
                made = _is_config(element.value)
                yield Entry(name, (key,), element.value, by, inside, made=made)


def _place(reader: Reader, node: cst.Dict) -> tuple[str, str]:
    """The name of a dict literal, and what it is asked with where it stands."""
    parents = reader.model.parents
    parent = parents.get(node)
    if isinstance(parent, _ASSIGNED):
        targets = (
            [parent.target]
            if isinstance(parent, cst.AnnAssign)
            else [each.target for each in parent.targets]
        )
        name = last_name(targets[0]) if len(targets) == 1 else ""
        is_member = isinstance(targets[0], cst.Attribute) or reader.scope_of(node).kind == "class"
        return name, MEMBER if is_member else ""
    key = _key(parent, node, parents.get(parent) if parent is not None else None)
    if key is None:
        return "", ""
    asked = Asking(reader).questions(key)
    by = UNWRITTEN if asked is None else " ".join(sorted(asked))
    return reader.scope_of(node).name or "table", by


def _items(reader: Reader) -> Iterator[Entry]:
    """`TABLE["x"] = Class`."""
    for assign in reader.model.assigns:
        target = assign.targets[0].target
        if len(assign.targets) != 1 or not isinstance(target, cst.Subscript):
            continue
        key, name = _written(target), last_name(target.value)
        made = _is_config(assign.value)
        if key and name and (made or (_is_inert(assign.value) and _means(reader, assign.value))):
            if isinstance(target.value, cst.Name) and _is_dict(reader, target.value):
                inside = (target.slice[0], assign.value)
                yield Entry(name, (key,), assign.value, "", inside, whole=True, made=made)


def _written(node: cst.Subscript) -> str:
    """The key that stands in a subscript as a string, whatever it is made of."""
    item = node.slice[0].slice
    text = (
        string_value(item.value) if len(node.slice) == 1 and isinstance(item, cst.Index) else None
    )
    return text[0] if text and text[1] else ""


def _is_dict(reader: Reader, node: cst.Name) -> bool:
    """Whether a name of the module is a dict that is filled later."""
    bindings = reader.lookup(node.value, reader.scope_of(node))
    return (
        len(bindings) == 1
        and bindings[0].place.scope is reader.model.root
        and (
            isinstance(bindings[0].value, cst.Dict)
            or (
                isinstance(bindings[0].value, cst.Call)
                and "dict" in last_name(bindings[0].value.func)
            )
        )
    )


def _is_inert(node: cst.BaseExpression) -> bool:
    """Whether a value is only named where it stands, so that nothing of it runs."""
    if isinstance(node, cst.Call):
        return last_name(node.func) == "partial" and all(
            _is_inert(each.value) for each in node.args
        )
    if isinstance(node, (cst.Tuple, cst.List)):
        return all(_is_inert(each.value) for each in node.elements)
    if isinstance(node, cst.Dict):
        return all(
            isinstance(each, cst.DictElement) and _is_inert(each.value) for each in node.elements
        )
    return isinstance(node, (cst.Name, cst.Attribute, cst.Lambda, cst.BaseString, cst.BaseNumber))


def _is_entry(node: cst.BaseExpression) -> bool:
    return _is_inert(node) or _is_config(node)


def _is_config(node: cst.BaseExpression) -> bool:
    """Whether a value is a config that is made there, and nothing else with it but configs."""
    if not isinstance(node, cst.Call) or not _makes_config(node):
        return False
    waiting: list[cst.CSTNode] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, cst.Lambda):
            continue
        if isinstance(each, cst.Call):
            if not _makes_config(each) and last_name(each.func) not in _HARMLESS:
                return False
        waiting += children(each)
    return True


def _makes_config(call: cst.Call) -> bool:
    """Whether a call makes a config, by the name of its class."""
    name = last_name(call.func)
    return name[:1].isupper() and known.holds(name)


def _means(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether a value is, or has in it, a class or a function."""
    if isinstance(node, cst.Lambda):
        return True
    if isinstance(node, cst.Call):
        return bool(node.args) and _is_inert(node) and _means(reader, node.args[0].value)
    if isinstance(node, (cst.Tuple, cst.List)):
        return any(_means(reader, each.value) for each in node.elements)
    if isinstance(node, cst.Attribute) and is_self(reader, node.value):
        return any(binding.kind == "function" for binding in attributes(reader, node))
    root = root_of(node)
    if not isinstance(root, cst.Name) or root.value in _BUILTINS:
        return False
    bindings = reader.lookup(root.value, reader.scope_of(root))
    return all(binding.kind in {"function", "class", "import"} for binding in bindings)


# --- what tables are asked with -------------------------------------------------------------------


def _uses(reader: Reader, tables: Mapping[str, str]) -> dict[str, Uses]:
    """What the file does with tables, by their names here: nothing if one is not there."""
    found: dict[str, Uses] = {}
    asking = Asking(reader)
    names = dict(tables)
    waiting = set(names)
    while waiting:
        nodes: Sequence[cst.Name | cst.Attribute] = [
            *(each for each in reader.model.names if each.value in waiting),
            *(each for each in reader.model.attributes if each.attr.value in waiting),
        ]
        waiting = set()
        for node in nodes:
            here = node.value if isinstance(node, cst.Name) else node.attr.value
            if isinstance(reader.model.parents.get(node), cst.AssignTarget):
                continue
            uses = found.setdefault(names[here], Uses())
            alias = _use(asking, node, uses)
            if alias and alias not in names:
                names[alias] = names[here]
                waiting.add(alias)
    readers = known.words().tables.readers
    is_read = any(each.target.partition(".")[0] in readers for each in _imports(reader))
    commands = _Commands(reader)
    for here, table in names.items():
        given = found.get(table)
        if given and given.handed and is_read and (also := commands.of(here)):
            given.commanded = True
            given.asked.add(OF_COMMAND)
            root = reader.model.root.bindings
            given.asked.update(f"{ALIAS}{each}" for each in also if each != table and each in root)
        for binding in reader.model.root.bindings.get(here, ()):
            if _is_of_a_library(reader, binding):
                found.setdefault(table, Uses()).asked.add(OF_CONFIG)
            if here != table:
                found.setdefault(table, Uses()).asked.add(f"{ALIAS}{here}")
    return found


def _imports(reader: Reader) -> Iterator[Binding]:
    for scope in (reader.model.root, *reader.model.scopes.values()):
        for bindings in scope.bindings.values():
            yield from (each for each in bindings if each.kind == "import")


class _Commands:
    """Answers what of a file goes to who reads the command line."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @cached_property
    def _reading(self) -> list[frozenset[str]]:
        """The names in the calls that read it."""
        readers = known.words().tables.readers
        return [
            _named(call)
            for call in self._reader.model.calls
            if call.args and self._reader.name(call.func).partition(".")[0] in readers
        ]

    @cached_property
    def _made(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        """Of each assignment the names in its value, and those in what is given that."""
        return [
            (_named(each.value), frozenset().union(*map(_named, each.targets)))
            for each in self._reader.model.assigns
        ]

    def of(self, table: str) -> frozenset[str]:
        """The names under which a table, and what is made of it, goes there."""
        if not self._reading:
            return frozenset()
        names = {table}
        before = 0
        while len(names) > before:
            before = len(names)
            for given, targets in self._made:
                if not names.isdisjoint(given):
                    names |= targets
        is_read = any(not names.isdisjoint(given) for given in self._reading)
        return frozenset(names) if is_read else frozenset()


def _named(node: cst.CSTNode) -> frozenset[str]:
    """The names in an expression."""
    return frozenset(each.value for each in descendants(node) if isinstance(each, cst.Name))


def _is_of_a_library(reader: Reader, binding: Binding) -> bool:
    """Whether a table is a library's, or a registry of one: that asks it with configs."""
    if binding.kind == "import":
        says = binding.name.isupper() or "registry" in binding.target.lower()
        return says and not reader.is_open(binding.target)
    value = binding.value
    if not isinstance(value, cst.Call) or "registry" not in last_name(value.func).lower():
        return False
    return any(isinstance(each, Ref) and not each.open for each in reader.values(value.func))


def _use(asking: Asking, node: cst.BaseExpression, uses: Uses) -> str:
    """Note one use of a table. Gives another name that it gets there."""
    reader = asking.reader
    parents = reader.model.parents
    parent = parents.get(node)
    outer = parents.get(parent) if parent is not None else None
    if isinstance(parent, (cst.AugAssign, *_ASSIGNED)):
        if parent.value is not node:
            return ""
        alias = _alias(parent)
        uses.handed = uses.handed or not alias
        return alias
    key = _key(parent, node, outer)
    if key is not None:
        if not isinstance(outer, (cst.AssignTarget, cst.Del)):
            uses.ask(asking.questions(key))
    elif _only_looks(parent, outer):
        pass
    elif isinstance(parent, cst.Attribute) and parent.attr.value in _ALL:
        uses.taken = uses.taken or not _only_describes(reader, outer)
    elif isinstance(parent, cst.Attribute) and parent.attr.value != "copy":
        given = _built(parent, outer)
        uses.ask(asking.config(given) if given is not None else None)
    elif isinstance(parent, (cst.For, cst.CompFor)):
        uses.taken = True
    elif isinstance(parent, cst.Arg) and isinstance(outer, cst.Call):
        _hand(asking, parent, outer, uses)
    else:
        uses.handed = True
    return ""


def _alias(node: cst.CSTNode) -> str:
    """The other name that a table is given by an assignment; empty for anything else."""
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        target = node.targets[0].target
        return target.value if isinstance(target, cst.Name) else ""
    if isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name):
        return node.target.value
    return ""


def _built(method: cst.Attribute, call: cst.CSTNode | None) -> cst.BaseExpression | None:
    """The config that a registry makes something of: `c` of `R.build(c)`."""
    if not isinstance(call, cst.Call) or call.func is not method or not call.args:
        return None
    return call.args[0].value if known.builds(method.attr.value) else None


def _hand(asking: Asking, given: cst.Arg, call: cst.Call, uses: Uses) -> None:
    """Note that a table is given to a function: one that takes out of it what it is given too."""
    if not known.builds(last_name(call.func)):
        uses.handed = True
        return
    words = known.words().tables
    named = argument(call, (*words.named, *words.types)).value
    first = call.args[0]
    if named is not None:
        uses.ask(asking.questions(named))
    else:
        uses.ask(None if first is given or first.star else asking.config(first.value))


def _key(
    parent: cst.CSTNode | None, node: cst.CSTNode, outer: cst.CSTNode | None
) -> cst.BaseExpression | None:
    """What a table is asked with: `k` of `T[k]` and of `T.get(k)`."""
    if isinstance(parent, cst.Subscript) and parent.value is node:
        item = parent.slice[0].slice
        return item.value if isinstance(item, cst.Index) else None
    if isinstance(parent, cst.Attribute) and isinstance(outer, cst.Call) and outer.func is parent:
        if parent.attr.value in known.words().tables.asking and outer.args:
            return outer.args[0].value
    return None


def _only_looks(parent: cst.CSTNode | None, outer: cst.CSTNode | None) -> bool:
    """Whether a table's use takes nothing out of it: its names are listed, something is put in."""
    words = known.words().tables
    if isinstance(parent, cst.ComparisonTarget):
        return isinstance(parent.operator, (cst.In, cst.NotIn))
    if isinstance(parent, cst.Attribute):
        name = parent.attr.value
        return name in words.keys or known.enters(name)
    if isinstance(parent, cst.Arg):
        function = outer.func if isinstance(outer, cst.Call) else None
        if isinstance(function, cst.Attribute):
            return function.attr.value == "join"
        return last_name(function) in words.keys
    if isinstance(parent, cst.FormattedString):
        return True
    return isinstance(parent, cst.Call) and known.enters(dotted(parent.func) or "")


def _only_describes(reader: Reader, node: cst.CSTNode | None) -> bool:
    """Whether a comprehension takes what a table has, but only to say what it is called.

    Or the keys of its constants: `{k: list(v.FILES.keys()) for k, v in TABLE.items()}`.
    """
    if not isinstance(node, cst.Call) or node.args:
        return False
    parents = reader.model.parents
    scope = reader.scope_of(node)
    outer = parents.get(node)
    if isinstance(outer, cst.Arg):  # `sorted(TABLE.items())`
        call = parents.get(outer)
        if not isinstance(call, cst.Call) or len(call.args) > 1:  # a key may make them
            return False
        outer = parents.get(call) if last_name(call.func) == "sorted" else None
    if not isinstance(outer, cst.CompFor) or not isinstance(outer.target, cst.Tuple):
        return False  # a loop may do anything with them
    names = [each.value for each in outer.target.elements]
    if len(names) != _SEVERAL or not isinstance(names[1], cst.Name):
        return False
    value = names[1].value
    return all(
        _is_description(reader, each)
        for each in descendants(scope.node)
        if isinstance(each, cst.Name) and each.value == value and each is not names[1]
    )


def _is_description(reader: Reader, node: cst.Name) -> bool:
    """Whether a class is only asked for its name, its text, or the keys of a constant."""
    parents = reader.model.parents
    member = parents.get(node)
    if not isinstance(member, cst.Attribute) or member.value is not node:
        return False
    if member.attr.value in SAYING:
        return True
    method = parents.get(member)
    return (
        member.attr.value.isupper()
        and isinstance(method, cst.Attribute)
        and method.attr.value == "keys"
        and isinstance(parents.get(method), cst.Call)
    )
