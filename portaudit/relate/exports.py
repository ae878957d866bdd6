"""Solves names across modules: what does this import mean, once every file has told its part?

Works on demand, so that a check of one file reads only the modules that it asks about. A cycle of
imports means that nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from portaudit.judge.flags import Facts, implied
from portaudit.relate.modules import Modules
from portaudit.types import (
    AllOf,
    AnyOf,
    Atom,
    Choice,
    Constant,
    Export,
    Externals,
    Fact,
    FileFacts,
    Flag,
    Instance,
    Known,
    Named,
    Not,
    Ref,
    Text,
    Value,
)

FactsOf = Callable[[str], "FileFacts | None"]
_NOTHING = Export()
_MAX_DEPTH = 24


class Solver:
    """Answers what open names are, for any file of the tree.

    An answer never depends on what was asked before: what was found inside a cycle of imports is
    kept for the question at hand only.
    """

    def __init__(self, modules: Modules, facts_of: FactsOf) -> None:
        self._modules = modules
        self._facts_of = facts_of
        self._exports: dict[str, dict[str, Export]] = {}
        self._solved: dict[tuple[str, str], Export | None] = {}
        self._tried: dict[tuple[str, str], Export | None] = {}
        self._busy: dict[tuple[str, str], int] = {}
        self._lowest = 0

    def externals(self, path: str, names: Iterable[str]) -> Externals:
        """What other modules tell a file of the names it asked for."""
        found = [
            (name, export)
            for name in sorted(set(names))
            if (export := self.told(path, name)) is not None
        ]
        return Externals(tuple(found))

    def told(self, path: str, name: str) -> Export | None:
        """The same of one name; None where there is nothing to tell."""
        export = self.solve(path, name)
        return None if export == _NOTHING else export

    def note(self, path: str, told: dict[str, Export], name: str) -> Export | None:
        """The same, and it is noted what was told."""
        export = self.told(path, name)
        if export is not None:
            told[name] = export
        return export

    def solve(self, path: str, name: str) -> Export | None:
        """The closed export of a name as spelled in the file at `path`."""
        key = (path, name)
        if key in self._solved:
            return self._solved[key]
        if key in self._tried:
            if key in self._busy:
                self._lowest = min(self._lowest, self._busy[key])
            return self._tried[key]
        if len(self._busy) > _MAX_DEPTH:
            self._lowest = 0
            return None
        depth = len(self._busy)
        outer, self._lowest = self._lowest, depth
        self._busy[key] = depth
        self._tried[key] = None
        try:
            result = self._tried[key] = self._solve(path, name)
        except BaseException:  # the file's time is up: what was half found is nothing
            self._busy.clear()
            self._tried.clear()
            self._lowest = 0
            raise
        del self._busy[key]
        if self._lowest >= depth:
            self._solved[key] = result
        self._lowest = min(outer, self._lowest)
        if not self._busy:
            self._solved[key] = result
            self._tried.clear()
        return result

    def _solve(self, path: str, name: str) -> Export | None:
        place = self._modules.module_path(path, name)
        if place is None:
            return None
        module, rest = place
        if not rest:
            return None
        export = self._find(module, rest[0])
        for part in rest[1:]:
            if export is None:
                return None
            export = self._member(module, export, part)
        return self._close(module, export) if export is not None else None

    def _exports_of(self, module: str) -> dict[str, Export]:
        if module not in self._exports:
            facts = self._facts_of(module)
            self._exports[module] = dict(facts.exports) if facts else {}
        return self._exports[module]

    def _find(self, module: str, name: str) -> Export | None:
        """A name of a module: its own, or through a star import."""
        own = self._exports_of(module).get(name)
        if own is not None:
            return own
        facts = self._facts_of(module)
        for star in facts.stars if facts else ():
            joined = star + name if star.endswith(".") else f"{star}.{name}"
            if star in (facts.foreign_stars if facts else ()):
                return Export(values=(Ref(joined),))
            found = self.solve(module, joined)
            if found is not None:
                return found
        return None

    def _member(self, module: str, export: Export, part: str) -> Export | None:
        own = export.member(part)
        if own is not None:
            return own
        for value in export.values:
            if isinstance(value, Ref) and value.open:
                return self.solve(module, f"{value.name}.{part}")
            if isinstance(value, Instance) and value.of.open:
                return self.solve(module, f"{value.of.name}.{part}")
            if isinstance(value, Ref):
                return Export(values=(Ref(f"{value.name}.{part}"),))
        return None

    # --- closing: no name of another file may be left in what travels ---

    def _close(self, module: str, export: Export) -> Export:
        values: list[Value] = []
        flag = self._closed_flag(module, export.flag)
        returns = list(self._closed_values(module, export.returns))
        returns_flag = self._closed_flag(module, export.returns_flag)
        members = dict(export.members)
        otherwise = export.otherwise
        fails = export.fails
        asks = () if export.values else export.asks
        for value in export.values:
            if isinstance(value, Ref) and value.open:
                other = self.solve(module, value.name)
                if other is None:
                    continue
                values.extend(other.values)
                returns.extend(other.returns)
                members.update(other.members)
                otherwise = otherwise or other.otherwise
                fails = fails or other.fails
                asks = other.asks if len(export.values) == 1 else ()
                flag = other.flag if flag == Known() else flag
                returns_flag = other.returns_flag if returns_flag == Known() else returns_flag
            elif isinstance(value, Instance) and value.of.open:
                other = self.solve(module, value.of.name)
                members.update(other.members if other else ())
            else:
                values.append(value)
        return Export(
            tuple(dict.fromkeys(values)),
            _conclusion(flag),
            tuple(dict.fromkeys(returns)),
            _conclusion(returns_flag),
            tuple(
                (name, closed)
                for name, member in sorted(members.items(), key=lambda item: item[0])
                if (closed := self._close(module, member)) != _NOTHING
            ),
            otherwise,
            fails,
            asks,
        )

    def _closed_values(self, module: str, values: Iterable[Value]) -> Iterable[Value]:
        for value in values:
            if isinstance(value, Ref) and value.open:
                other = self.solve(module, value.name)
                yield from other.values if other else ()
            elif isinstance(value, (Text, Constant)) or (
                isinstance(value, (Ref, Instance)) and not _open(value)
            ):
                yield value

    def _closed_flag(self, module: str, flag: Flag) -> Flag:
        if isinstance(flag, Named):
            other = self.solve(module, flag.name)
            if other is None:
                return Known()
            return other.returns_flag if flag.call else other.flag
        if isinstance(flag, Not):
            return Not(self._closed_flag(module, flag.flag))
        if isinstance(flag, AllOf):
            return AllOf(tuple(self._closed_flag(module, part) for part in flag.flags))
        if isinstance(flag, AnyOf):
            return AnyOf(tuple(self._closed_flag(module, part) for part in flag.flags))
        if isinstance(flag, Choice):
            return Choice(
                tuple(
                    (self._closed_flag(module, place), self._closed_flag(module, value))
                    for place, value in flag.cases
                )
            )
        return flag


def _conclusion(flag: Flag) -> Flag:
    """What a closed flag comes to: the importing file needs no more than its facts."""
    when_true, when_false = implied(flag, True), implied(flag, False)
    if when_true is None:
        return Known(False)
    if when_false is None or not (when_true or when_false):
        return Known()
    return Atom(_sorted(when_true), _sorted(when_false))


def _sorted(facts: Facts) -> tuple[Fact, ...]:
    return tuple(sorted(facts, key=lambda fact: (fact.kind, fact.subject)))


def _open(value: Ref | Instance) -> bool:
    return value.of.open if isinstance(value, Instance) else value.open
