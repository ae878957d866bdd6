"""Follows what some programs run: files that are brought in, names that their code uses.

A file counts as a whole, but for functions that nothing names: what they bring in is not there.
Names are all that is compared; one that is used anywhere, whatever it means there, keeps every
function that is called so. Only a name by which a file means its own definition, and nothing else,
keeps no other file's. From the starts on, so that what only names itself is not there either.

What a class or a function of a module has in it counts where something names that. Code under an
option that is off is left aside, with the words that only it uses. `wake` then tells what would be
there if those were on, and for which option each thing waits.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from posixpath import basename
from sys import intern

from msgspec import Struct

from portaudit.marks import ANY_MEMBER, ANY_METHOD, ANY_PART, BELOW, HANDED, LISTED, PROGRAM
from portaudit.relate.graph import Edge, Graph
from portaudit.relate.modules import Modules
from portaudit.types import FileResult, Finding, Import, Option, Span

_WORD = re.compile(r"(?:(?<=[~\[%])[^\W\d]\w*)|(?:[^\W\d]\w*(?=\())")
"""A name of a table, or of a function, in what is told of tables."""
TOP = -1
"""The place of code that is in no option."""


class Origin(Struct, frozen=True):
    """The option that something waits for."""

    path: str
    option: Option


_Point = tuple[int, int]
_Choice = tuple[int, str, str, tuple[str, ...]]
"""The place of an import, the setting that it asks, and for which values a file is meant."""
_LINE_END = sys.maxsize


class _Regions:
    """Finds which of some places of a file hold a place: they lie in one another, or apart.

    Each a number, where it begins and where it ends; what begins first, and holds others, first.
    """

    def __init__(self, regions: Iterable[tuple[int, _Point, _Point]]) -> None:
        self._listed = sorted(regions, key=lambda each: (each[1], (-each[2][0], -each[2][1])))
        self._starts = [start for _, start, _ in self._listed]
        self._around: list[int] = []
        open_: list[int] = []
        for index, (_, _, end) in enumerate(self._listed):
            while open_ and self._listed[open_[-1]][2] < end:
                open_.pop()
            self._around.append(open_[-1] if open_ else -1)
            open_.append(index)

    def holding(self, start: _Point, end: _Point) -> Iterator[int]:
        """The numbers of those that hold what lies between two points, innermost first."""
        index = bisect_right(self._starts, start) - 1
        while index >= 0:
            number, _, last = self._listed[index]
            if end <= last:
                yield number
            index = self._around[index]


class Places:
    """Where the options of a file stand."""

    def __init__(self, options: Sequence[Option]) -> None:
        self._options = options
        numbered = list(enumerate(options))
        self._lines = _Regions(
            (place, (option.lines[0], 0), (option.lines[1], _LINE_END))
            for place, option in numbered
            if option.part is None
        )
        self._parts = _Regions(
            (place, (part.line, part.column), (part.end_line, part.end_column))
            for place, option in numbered
            if (part := option.part)
        )

    def innermost(self, first: int, last: int, *, defined: bool = False) -> int:
        """The place of the smallest option that holds some lines, -1 for none.

        `defined`: one that is a class or a function counts as well.
        """
        found = self._lines.holding((first, 0), (last, _LINE_END))
        return next((each for each in found if defined or not self._options[each].defines), TOP)

    def of_part(self, span: Span) -> int:
        """The place of the innermost option that is a part of lines and holds one, -1 for none."""
        found = self._parts.holding((span.line, span.column), (span.end_line, span.end_column))
        return next(found, TOP)


class Source(Struct, frozen=True):
    """What following needs of a file.

    `words`: names that its code uses, by the place of the option that does, -1 for what it uses
    whatever is on · `offered`: so, names that others may use without a word · `opened`: files
    of which it may use any name · `options`, and `within`: those that are in one · `always`: files
    that it brings in whatever happens · `edges`: the others, by the option · `places`: where the
    options stand · `named`: a string somewhere is its name, so it may be run as a program · `own`:
    words by which it means nothing but what it defines itself · `chosen`: the options, behind those
    of the file, that imports are which a setting gives the name of: by the option around, the
    setting, and the value.
    """

    path: str
    words: Mapping[int, tuple[str, ...]]
    offered: Mapping[int, tuple[str, ...]]
    opened: tuple[str, ...]
    options: tuple[Option, ...]
    within: Mapping[int, tuple[int, ...]]
    always: tuple[str, ...]
    edges: Mapping[int, Sequence[Edge]]
    places: Places
    named: bool = False
    own: frozenset[str] = frozenset()
    chosen: Mapping[_Choice, int] = {}

    def place_of(self, edge: Edge) -> int:
        """The place of the innermost option that an import is in, or of the one that it asks."""
        place = self.places.innermost(edge.by.line, edge.by.line)
        return self.chosen.get(_choice(edge, place), place)

    def around(self, first: int, last: int, span: Span | None = None) -> Iterator[int]:
        """The places of the options that hold some lines, or what is on a part of these.

        Not of one that only what it names waits for, as it is made whatever is chosen.
        """
        part = self.places.of_part(span) if span else TOP
        place = part if part != TOP else self.places.innermost(first, last)
        while place != TOP:
            if not self.options[place].made:
                yield place
            place = self.options[place].within


Sources = Mapping[str, Source]


def sources(
    results: Sequence[FileResult],
    findings: Iterable[Finding],
    graph: Graph,
    modules: Modules,
    bound: Collection[str] = (),
) -> Sources:
    """What following needs of each file of a tree: of names, those that something may wait for.

    `bound`: names that native code has for Python.
    """
    asked = {part for item in findings for part in item.scope.split(".")}.union(bound)
    for result in results:
        code = result.facts.code
        asked.update(part for item in code.imports for part in item.scope.split("."))
        asked.update(key for item in code.options if item.table for key in item.values)
        asked.update(item.name for item in code.options if item.table or item.defines)
        asked.update(item.called for item in code.options if item.called)
        asked.update(part for name in code.offered.split() for part in name.split(BELOW))
        asked.update(_WORD.findall(" ".join(item.by for item in code.options)))
        asked.update(
            said.removeprefix(LISTED) for _, said in code.handing if said.startswith(LISTED)
        )
        for _, said in (*code.asks, *code.gives):
            asked.update(_WORD.findall(said))
    methods = {
        option.name
        for result in results
        for option in result.facts.code.options
        if option.defines and option.values
    }
    named = {edge.path for edges in graph.values() for edge in edges if edge.by.named}
    begun = _Begun(asked)
    return {
        result.path: _source(
            result, asked, begun, methods, graph, modules, named=result.path in named
        )
        for result in results
    }


class _Begun:
    """Answers which of some names begin and end as a pattern does: `on_*`, `*_step`."""

    def __init__(self, asked: Iterable[str]) -> None:
        self._forward = sorted(name for name in asked if name.isidentifier())
        self._backward = sorted(name[::-1] for name in self._forward)
        self._known: dict[str, tuple[str, ...]] = {}

    def names(self, pattern: str) -> tuple[str, ...]:
        """The names that a pattern means."""
        if pattern not in self._known:
            first, last = pattern.partition(ANY_PART)[0], pattern.rpartition(ANY_PART)[2]
            if first:
                found = _beginning(self._forward, first)
            else:
                found = [name[::-1] for name in _beginning(self._backward, last[::-1])]
            self._known[pattern] = tuple(name for name in found if name.endswith(last))
        return self._known[pattern]


def _beginning(names: list[str], text: str) -> list[str]:
    return names[bisect_left(names, text) : bisect_left(names, f"{text}\U0010ffff")]


def _source(
    result: FileResult,
    asked: Collection[str],
    begun: _Begun,
    methods: Collection[str],
    graph: Graph,
    modules: Modules,
    *,
    named: bool,
) -> Source:
    code = result.facts.code
    options = code.options
    places = Places(options)
    words: dict[int, set[str]] = {TOP: _asked(code.words, asked)}
    offered: dict[int, set[str]] = {}
    within: dict[int, list[int]] = {}
    entries: dict[str, int] = {}
    for place, option in enumerate(options):
        words[place] = _asked(option.words, asked)
        within.setdefault(option.within, []).append(place)
        if option.table:
            entries.update(dict.fromkeys(option.values, place))
    for item in code.imports:
        if item.named:
            place = places.innermost(item.line, item.line, defined=bool(item.scope))
            words[place].update(part for part in item.name.split(".") if part and part in asked)
    for word in code.offered.split():
        if word.endswith(ANY_METHOD):
            asked_of = modules.module_path(result.path, word.removesuffix(ANY_METHOD))
            if asked_of is None or asked_of[1]:
                offered.setdefault(TOP, set()).update(methods)
        elif ANY_PART in word and not word.endswith((ANY_MEMBER, BELOW + ANY_PART)):
            offered.setdefault(TOP, set()).update(begun.names(word))
        else:
            offered.setdefault(entries.get(word, TOP), set()).add(word)
    free: dict[str, None] = {}
    edges: dict[int, list[Edge]] = {}
    chosen: dict[_Choice, int] = {}
    for edge in graph.get(result.path, ()):
        place = places.innermost(edge.by.line, edge.by.line)
        if edge.value or edge.unless:
            key = _choice(edge, place)
            if key not in chosen:
                chosen[key] = len(options)
                within.setdefault(place, []).append(len(options))
                options = (*options, _choosing(edge, place))
            place = chosen[key]
        if place == TOP and not edge.by.scope:
            free[edge.path] = None
        else:
            edges.setdefault(place, []).append(edge)
    return Source(
        result.path,
        {place: tuple(sorted(each)) for place, each in words.items() if each},
        {place: tuple(sorted(each)) for place, each in offered.items()},
        tuple(dict.fromkeys(_opened(result.path, code.offered.split(), graph, modules))),
        options,
        {place: tuple(each) for place, each in within.items()},
        tuple(free),
        edges,
        places,
        named,
        frozenset(map(intern, code.own.split())),
        chosen,
    )


def _choosing(edge: Edge, place: int) -> Option:
    """The option that an import by a name that a setting gives is for one of the modules."""
    by = edge.by
    values = edge.unless or (edge.value,)
    return Option(
        (0, 0),
        by.asks,
        values,
        by.line,
        by.text,
        otherwise=bool(edge.unless),
        within=place,
        imports=True,
    )


def _choice(edge: Edge, place: int) -> _Choice:
    return place, edge.by.asks, edge.value, edge.unless


def _asked(words: str, asked: Collection[str]) -> set[str]:
    """Those of some words that are asked for, each held once for all files."""
    return {intern(word) for word in words.split() if word in asked}


def _opened(path: str, offered: Iterable[str], graph: Graph, modules: Modules) -> Iterator[str]:
    """The files of which a file may use any name: what it looks up has no name before it runs."""
    for name in offered:
        if name == ANY_MEMBER:
            yield path
        elif name.startswith(HANDED):
            yield from _module(modules.module_path(path, name.removeprefix(HANDED)), graph)
        elif name.endswith(ANY_MEMBER):
            module = name.removesuffix(ANY_MEMBER)
            yield from (each.path for each in graph.get(path, ()) if each.by.name == module)
            yield from _module(modules.module_path(path, module), graph)


def _module(place: tuple[str, tuple[str, ...]] | None, graph: Graph) -> Iterator[str]:
    """The files of a module that a name leads to, if it is no member of one."""
    if place is not None and not place[1]:
        yield place[0]
        if basename(place[0]) == "__init__.py":  # what it hands on
            yield from (edge.path for edge in graph.get(place[0], ()))


Off = Collection[tuple[str, int]]
"""Options that are off: the path of the file and the place among its options."""


class Living:
    """What runs from some files on. `files`, `names` and `own` say for which option each waits.

    `own`: names by which a file means only what it defines itself, with that file.
    `called`: names that commands use · `whole`: files of which all is run · `free`: users may call
    any function · `off`: options that are off · `brought`: files that run, though nobody starts
    them · `hubs`: files of which it is known what runs with each, with the same `called` and no
    option off: where one is met, all that is taken over.
    """

    def __init__(
        self,
        sources: Sources,
        starts: Iterable[str],
        *,
        called: Iterable[str] = (),
        whole: Collection[str] = frozenset(),
        free: bool = False,
        off: Off = frozenset(),
        brought: Iterable[str] = (),
        hubs: Mapping[str, Living] | None = None,
    ) -> None:
        self._sources = sources
        self._hubs = hubs or {}
        self._met: list[Living] = []
        self._called = tuple(called)
        self.whole = whole
        self._free = free
        self.off = off
        self.starts = tuple(starts)
        self.files: dict[str, Origin | None] = {}
        self.names: dict[str, Origin | None] = {}
        self.own: dict[tuple[str, str], Origin | None] = {}
        self.opened: dict[str, Origin | None] = {}
        self.asleep: list[tuple[str, int]] = []
        self.on: dict[tuple[str, int], Origin | None] = {}
        self._awake: Off = frozenset()
        self._waiting: dict[str, list[tuple[str, Edge]]] = {}
        self._unused: dict[str, list[tuple[str, int, Origin | None]]] = {}
        self._used: deque[tuple[str, int, Origin | None]] = deque()
        self._below: dict[str, list[str]] = {}
        self._meant: dict[str, Origin | None] = {}
        self._queue: deque[tuple[str, Origin | None]] = deque()
        for word in self._called:
            self._word(word, None)
        for path in (*self.starts, *brought):
            self._file(path, None)
        self._run()

    def without(self, off: Off) -> Living:
        """The same with some options off, and no other."""
        return Living(
            self._sources,
            self.starts,
            called=self._called,
            whole=self.whole,
            free=self._free,
            off=off,
        )

    def wake(self, among: Off | None = None) -> None:
        """Find also what would be there if no option were off, or none of some."""
        self._awake = self.off if among is None else {*self._awake, *among}
        while waiting := [each for each in self.asleep if each in self._awake]:
            self.asleep = [each for each in self.asleep if each not in self._awake]
            for path, place in waiting:
                if (path, place) not in self.on:
                    option = self._sources[path].options[place]
                    self._open(path, place, Origin(path, option))
                    self._run()

    def runs(self, path: str, scope: str) -> bool:
        """Whether code of a function is there."""
        return path in self.files and not self._lacks(path, scope)

    def comes_to(self, path: str, line: int) -> bool:
        """Whether the code of a line is there: the functions around it are used."""
        if path not in self.files:
            return False
        source = self._sources.get(path)
        place = source.places.innermost(line, line, defined=True) if source else TOP
        return place == TOP or (path, place) in self.on

    def waits_at(self, path: str, line: int) -> Origin | None:
        """The option that the code of a line waits for; none of code that never runs."""
        source = self._sources.get(path)
        place = source.places.innermost(line, line, defined=True) if source else TOP
        return self._origin(path, place)

    def uses(self, path: str, names: AbstractSet[str]) -> Iterator[Origin | None]:
        """Of each use of some names in what runs of a file, the option that it waits for."""
        source = self._sources.get(path) if path in self.files else None
        for place, words in source.words.items() if source else ():
            if (place == TOP or (path, place) in self.on) and not names.isdisjoint(words):
                yield self._origin(path, place)

    def _origin(self, path: str, place: int) -> Origin | None:
        """The option that the code of another one waits for, which runs, or of none."""
        if place == TOP:
            return self.files.get(path)
        origin = self.on.get((path, place))
        if origin is None and (path, place) in self.off:
            return Origin(path, self._sources[path].options[place])
        return origin

    def waits(self, path: str, scope: str) -> Origin | None:
        """The option that code waits for which runs; that of no function waits for its file."""
        origin = self.files[path]
        if origin is None and scope and not self._free and path not in self.whole:
            first, *others = scope.split(".")
            origin = self._needing(path, first, opened=True)
            for part in others:
                origin = origin or self._needing(path, part)
        return origin

    def _needing(self, path: str, name: str, *, opened: bool = False) -> Origin | None:
        """The option that all uses of a name wait for which may mean something of a file.

        `opened`: those that look names of the file up may mean it as well.
        """
        said = [self.names[name]] if name in self.names else []
        said += [self.own[path, name]] if (path, name) in self.own else []
        said += [self.opened[path]] if opened and path in self.opened else []
        return None if None in said else next(iter(said), None)

    def unused(self) -> Iterator[tuple[str, int]]:
        """The classes and functions that nothing uses which runs."""
        for waiting in self._unused.values():
            yield from ((path, place) for path, place, _ in waiting if (path, place) not in self.on)

    def happens(self, path: str, by: Import) -> bool:
        """Whether an import of a file that is there happens."""
        if self._lacks(path, by.scope):
            return False
        return self._is_on(path, self._sources[path].places.innermost(by.line, by.line))

    def brings(self, path: str, edge: Edge) -> bool:
        """Whether a file that is there brings in another one by an import."""
        if self._lacks(path, edge.by.scope):
            return False
        return self._is_on(path, self._sources[path].place_of(edge))

    def is_free(self, path: str, edge: Edge) -> bool:
        """Whether an import that a setting gives the name of waits for no value of it."""
        return (path, self._sources[path].place_of(edge)) not in self.off

    def _is_on(self, path: str, place: int) -> bool:
        return place == TOP or (path, place) in self.on

    # --- one thing at a time ---

    def _run(self) -> None:
        while self._queue or self._used:
            if self._used:
                self._open(*self._used.popleft())
                continue
            path, origin = self._queue.popleft()
            if path in self._hubs:
                self._meet(self._hubs[path])
            source = self._sources.get(path)
            if source is None or any(path in hub.files for hub in self._met):
                continue
            for other in source.opened:
                if other not in self.opened:
                    self.opened[other] = origin
                    self._again(f"{other}{ANY_MEMBER}", origin)
            for target in source.always:
                self._file(target, origin)
            self._place(source, TOP, origin)

    def _meet(self, hub: Living) -> None:
        """Take over what runs with a file, and what waits there, each for what the other has."""
        if hub in self._met:
            return
        self._met.append(hub)
        waiting = self._waiting.keys() | self._unused.keys()
        ready = waiting & hub._keys
        ready |= (hub._waiting.keys() | hub._unused.keys()) & self._now()
        self.files = hub.files | self.files
        self.names = hub.names | self.names
        self.own = hub.own | self.own
        self.opened = hub.opened | self.opened
        self.on = hub.on | self.on
        for key, edges in hub._waiting.items():
            self._waiting.setdefault(key, []).extend(edges)
        for key, unused in hub._unused.items():
            self._unused.setdefault(key, []).extend(unused)
        for base, children in hub._below.items():
            self._below.setdefault(base, []).extend(children)
        meant = hub._meant.keys() | self._meant.keys()
        self._meant = {}
        for base in sorted(meant - {ANY_PART}):
            self._mean_below(base, None)
        if ANY_PART in meant:
            self._mean_any(None)
        # A file that is started may be a program now, which it was not for the others.
        for key in (*sorted(ready), *(f"{path}{ANY_MEMBER}" for path in self.starts)):
            self._again(key, None)

    @cached_property
    def _keys(self) -> frozenset[str]:
        """What something may wait for, of all that is there in the end."""
        return frozenset(self._now())

    def _now(self) -> set[str]:
        own = (_of_own(path, name) for path, name in self.own)
        return {*self.names, *own, *(f"{path}{ANY_MEMBER}" for path in self.opened)}

    def _file(self, path: str, origin: Origin | None) -> None:
        if path not in self.files:
            self.files[path] = origin
            self._queue.append((path, origin))

    def _place(self, source: Source, place: int, origin: Origin | None) -> None:
        """What is in an option, or in none, but in no option within."""
        own, names = source.own, self.names
        for word in source.words.get(place, ()):
            if word not in own:
                if word not in names:  # most are there by then
                    self._word(word, origin)
            elif (source.path, word) not in self.own:
                self.own[source.path, word] = origin
                self._again(_of_own(source.path, word), origin)
        for word in source.offered.get(place, ()):
            self._word(word, origin)
        for edge in source.edges.get(place, ()):
            self._edge(source.path, edge, origin)
        for inner in source.within.get(place, ()):
            self._open(source.path, inner, origin)

    def _open(self, path: str, place: int, origin: Origin | None) -> None:
        option = self._sources[path].options[place]
        if option.defines:
            self._define(path, place, option.name, origin)
        elif (path, place) in self.off and (path, place) not in self._awake:
            self.asleep.append((path, place))
        elif (path, place) not in self.on:
            self.on[path, place] = origin
            if (path, place) in self.off and origin is None:
                origin = Origin(path, option)
            self._place(self._sources[path], place, origin)

    def _define(self, path: str, place: int, name: str, origin: Origin | None) -> None:
        """What is in a class or a function, once something uses that."""
        if (path, place) in self.on:
            return
        if self._lacks(path, name) or (name == PROGRAM and not self._may_run(path)):
            for key in name, _of_own(path, name), f"{path}{ANY_MEMBER}":
                self._unused.setdefault(key, []).append((path, place, origin))
            return
        origin = origin or self.waits(path, name)
        self.on[path, place] = origin
        self._place(self._sources[path], place, origin)

    def _may_run(self, path: str) -> bool:
        """Whether a file may be a program here."""
        is_given = path in self.starts or path in self.whole or self._free
        return is_given or self._sources[path].named

    def _word(self, word: str, origin: Origin | None) -> None:
        if word in self.names:
            return
        child, sign, base = word.partition(BELOW)
        if not sign:
            self.names[word] = origin
            self._again(word, origin)
            if ANY_PART in self._meant:
                self._mean_below(word, origin)
        elif child:
            self._below.setdefault(base, []).append(child)
            if ANY_PART in self._meant and base in self.names:
                self._mean_below(base, origin)
            if base in self._meant:
                self._mean(child, origin or self._meant[base])
        elif base == ANY_PART:
            self._mean_any(origin)
        else:
            self._mean(base, origin)  # it runs itself to keep that list

    def _mean(self, name: str, origin: Origin | None) -> None:
        self._word(name, origin)
        self._mean_below(name, origin)

    def _mean_any(self, origin: Origin | None) -> None:
        """All classes are meant below those that something names: the code asks one of them."""
        if ANY_PART not in self._meant:
            self._meant[ANY_PART] = origin
            for base in sorted(self._below.keys() & self.names.keys()):
                self._mean_below(base, origin)

    def _mean_below(self, base: str, origin: Origin | None) -> None:
        """All classes below one are meant, as it keeps a list of them."""
        if base not in self._meant:
            self._meant[base] = origin
            for child in self._below.get(base, ()):
                self._mean(child, origin)

    def _edge(self, path: str, edge: Edge, origin: Origin | None) -> None:
        if edge.path in self.files:
            return
        lacking = self._lacks(path, edge.by.scope)
        if not lacking:
            self._file(edge.path, origin or self.waits(path, edge.by.scope))
            return
        for key in lacking, _of_own(path, lacking), f"{path}{ANY_MEMBER}":
            self._waiting.setdefault(key, []).append((path, edge))

    def _again(self, key: str, origin: Origin | None) -> None:
        for path, edge in self._waiting.pop(key, ()):
            self._edge(path, edge, origin)
        self._used.extend(self._unused.pop(key, ()))

    def _lacks(self, path: str, scope: str) -> str:
        """The first part of a function's name that nothing names, empty if there is none."""
        if not scope or self._free or path in self.whole:
            return ""
        for part in scope.split(".")[path in self.opened :]:
            if part not in self.names and (path, part) not in self.own and not _is_dunder(part):
                return part
        return ""


def _of_own(path: str, name: str) -> str:
    """What stands for a name by which a file means its own definition."""
    return f"{path}:{name}"


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
