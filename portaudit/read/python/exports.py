"""What a file tells the others: its module-level names, as values and flags that travel.

Only what can matter to a judgment elsewhere is exported; the rest stays silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import libcst as cst
from msgspec.structs import replace

from portaudit.catalogue import options as known
from portaudit.catalogue.load import Catalogue
from portaudit.read.python.conditions import asking, word
from portaudit.read.python.flags import MARK, Flags, tells_nothing
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import last_name
from portaudit.read.python.values import (
    AnyValue,
    LocalClass,
    LocalFunction,
    LocalObject,
    LocalText,
    Reader,
)
from portaudit.types import Atom, Export, Fact, Flag, Instance, Known, Proof, Ref, Text, Value

BINDINGS = frozenset({"_C", "_ext", "_cuda", "_cuda_ext"})
"""What the compiled half of a package is called by custom. What else has such a name is told."""
_NOTHING = Export()
_GENERATIONS = 8
"""Steps up from a class to its bases."""


class Exporter:
    """Turns the names of one file into exports."""

    def __init__(
        self,
        reader: Reader,
        flags: Flags,
        catalogue: Catalogue,
        otherwise: Callable[[list[Binding]], Proof | None],
        fails: Callable[[AnyValue], bool],
    ) -> None:
        self.otherwise = otherwise
        self.fails = fails
        self.reader = reader
        self.flags = flags
        self.catalogue = catalogue
        self.packages = catalogue.package_roots | {"torch"}

    def exports(self) -> tuple[tuple[str, Export], ...]:
        """Every module-level name that says something, sorted."""
        found: list[tuple[str, Export]] = []
        for name, bindings in self.reader.model.root.bindings.items():
            imported = any(binding.kind == "import" for binding in bindings)
            values = [value for binding in bindings for value in self.reader.bound(binding)]
            flag = self.flags.choice(bindings, bindings[0].node)
            export = self._export(values, flag, imported=imported)
            if name in BINDINGS and not imported:
                export = replace(export, values=(*export.values, *self._made(values)))
            mark = _worth(self.flags.mark(bindings[-1]))
            if mark != Known():
                members = {**dict(export.members), MARK: Export(flag=mark)}
                export = replace(export, members=tuple(sorted(members.items(), key=_name)))
            if len(bindings) > 1 and imported:
                export = replace(export, otherwise=self.otherwise(bindings))
            if export != _NOTHING:
                found.append((name, export))
        return tuple(sorted(found, key=_name))

    def _export(self, values: Iterable[AnyValue], flag: Flag, *, imported: bool) -> Export:
        listed = list(values)
        kept = tuple(item for value in listed for item in self._value(value, imported=imported))
        returns: list[Value] = []
        returned: Flag = Known()
        members: list[tuple[str, Export]] = []
        asks: tuple[str, ...] = ()
        for value in listed:
            if isinstance(value, LocalFunction):
                asks = asking(self.reader, value.scope) if len(listed) == 1 else ()
                returns.extend(self._returns(value))
                returned = self.flags.returned(value)
            elif isinstance(value, (LocalClass, LocalObject)):
                members.extend(self._members(value.scope))
        return Export(
            kept,
            _worth(flag),
            tuple(dict.fromkeys(returns)),
            _worth(returned),
            tuple(sorted(members, key=_name)),
            fails=any(map(self.fails, listed)),
            asks=asks,
        )

    def _returns(self, function: LocalFunction) -> Iterable[Value]:
        for expression, _ in function.scope.returns:
            for value in self.reader.values(expression):
                for item in self._value(value, imported=False):
                    if isinstance(item, Text):
                        yield item

    def _members(self, scope: Scope) -> Iterable[tuple[str, Export]]:
        """What the attributes of a class are; of an enum, which is compared with, any word."""
        words = _is_enum(scope)
        for name, bindings in self._inherited(scope).items():
            values = [
                value
                for binding in bindings
                if binding.kind == "value"
                for value in self.reader.bound(binding)
            ]
            flag = self.flags.choice(bindings, bindings[0].node)
            value = next((item.value for item in bindings if item.value is not None), None)
            if tells_nothing(flag) and isinstance(value, cst.BaseExpression) and len(bindings) == 1:
                folded = self.flags.folder.default(value)
                if folded is not None and (folded.value is False or folded.value is None):
                    flag = Atom((Fact("opt-in", name, self.reader.proof(bindings[0].node)),))
            export = Export(
                tuple(
                    item
                    for value in values
                    for item in self._value(value, imported=False, words=words)
                ),
                _worth(flag),
            )
            if export != _NOTHING:
                yield name, export

    def _inherited(
        self, scope: Scope, below: frozenset[Scope] = frozenset()
    ) -> dict[str, list[Binding]]:
        """The attributes of a class, with those of its bases in the same file."""
        found: dict[str, list[Binding]] = {}
        if isinstance(scope.node, cst.ClassDef) and len(below) < _GENERATIONS:
            bases = [
                value.scope
                for base in reversed(scope.node.bases)
                for value in self.reader.values(base.value)
                if isinstance(value, LocalClass)
            ]
            if len(bases) == len(scope.node.bases):  # a name with several meanings tells nothing
                for base_scope in bases:
                    if base_scope is not scope and base_scope not in below:
                        found.update(self._inherited(base_scope, below | {scope}))
        return found | scope.attributes

    def _value(self, value: AnyValue, *, imported: bool, words: bool = False) -> Iterable[Value]:
        if isinstance(value, LocalText):
            is_word = words and value.exact and word(value.value)
            if is_word or self.catalogue.index.means_something(value.value, exact=value.exact):
                span = self.reader.span(value.node)
                path = self.reader.source.path
                yield Text(value.value, value.exact, path, span.line, span.column)
        elif isinstance(value, Ref):
            # A variable that holds an API was reported where it got it; an import was not.
            if value.open or (self._matters(value) and (imported or not self._is_api(value))):
                yield value
        elif isinstance(value, Instance):
            if value.of.open:
                yield value
        elif isinstance(value, Text):
            yield value

    def _made(self, values: Iterable[AnyValue]) -> Iterable[Value]:
        """Objects that hold settings: yacs calls its own `_C` as well."""
        makers = known.words().holding.made
        for value in values:
            if isinstance(value, Instance) and value.of.name.rpartition(".")[2] in makers:
                yield value

    def _matters(self, ref: Ref) -> bool:
        return ref.name.split(".")[0] in self.packages

    def _is_api(self, ref: Ref) -> bool:
        index = self.catalogue.index
        if index.names["attribute"].find(ref.name):
            return True
        matches = map(self.catalogue.match_of, index.names["call"].find(ref.name))
        return any(not (item.where or item.unless or item.context) for item in matches)


def _is_enum(scope: Scope) -> bool:
    """Whether the members of a class are what they are for good."""
    listed = scope.node.bases if isinstance(scope.node, cst.ClassDef) else ()
    return any(last_name(base.value).endswith("Enum") for base in listed)


def _name(item: tuple[str, Export]) -> str:
    return item[0]


def _worth(flag: Flag) -> Flag:
    """A flag worth telling; `Known(None)` where it says nothing."""
    if tells_nothing(flag) or (isinstance(flag, Known) and flag.truth is True):
        return Known()
    return flag
