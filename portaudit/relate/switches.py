"""Finds what of the main path waits for options that are off.

Begins with all that could run, and leaves out what is off by what is known there: fewer files know
fewer values, so that is done again until nothing changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from sys import intern

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue.entries import aside
from portaudit.catalogue.options import words as known_words
from portaudit.discover import Tree
from portaudit.marks import (
    ANY_PART,
    ANY_SETTING,
    ANY_VARIABLE,
    BELOW,
    BY_METHOD,
    ELEMENT,
    FIELDS,
    IN_DICT,
    ITSELF,
    KEEPER,
    KEPT,
    KEYED,
    LISTED,
    LOADED,
    NAMED,
    OBJECT,
    OF_FUNCTION,
    OF_PARAMETERS,
    OTHERWISE,
    PARSED,
    SECTION,
    TAKING,
    UNDER,
    VARIABLE,
)
from portaudit.relate.entries import TRAINING, Entries
from portaudit.relate.graph import FILES, Graph
from portaudit.relate.handed import filled
from portaudit.relate.live import TOP, Living, Sources
from portaudit.relate.options import Known, Sections, Tables, Values, collected, others_of, told_by
from portaudit.relate.starts import PROGRAMS
from portaudit.types import FileKind, FileResult, Option, Setting

SETTINGS: frozenset[FileKind] = frozenset({"yaml", "json", "toml", "gin"})
"""Kinds of file that hold nothing but settings."""
_ROUNDS = 6
_ALIAS = "~"
"""Before another name of a table, among what is asked of it."""
_MEMBER = "."
"""A table is a class's, and anything may have it as an attribute."""
_MARKS = (_ALIAS, _MEMBER)
_UNKNOWN = "?"
_ON = ("true",)
"""What a setting must be for code that runs where it is on."""
_OF_ITSELF = frozenset({"cls", "__class__", "type", "__init__", "__new__"})
"""What is called with what nobody sees where a class makes one of itself or of a base."""
_Places = Collection[tuple[str, int]]
"""Options: the path of the file and the place among its options."""


def switched(
    results: Sequence[FileResult],
    sources: Sources,
    graph: Graph,
    tree: Tree,
    programs: Entries,
    everything: Living,
) -> tuple[Living, Known]:
    """What runs of `everything`, the main path, and for which option the rest of it waits.

    With what is known there of settings.
    """
    facts = _Facts(results, graph, tree, programs, everything)
    deeds = _deeds(results, everything)
    asks = {result.path: _Asks.of(result, graph) for result in results}
    living = everything
    off: frozenset[tuple[str, int]] = frozenset()
    known = facts.known(living, sources)
    for _ in range(_ROUNDS):
        told = _asked_tables(sources, living, asks)
        found = off | _off(known, sources, living, told)
        are_closed = found == off
        if are_closed:
            found = off | _closed(facts, sources, living, off)
        if found == off:
            found = off | _unchosen(facts, sources, living, off, told)
        if found == off:
            break
        smaller = everything.without(found)
        if deeds and not _does(smaller, deeds):  # what is off is the training itself
            if are_closed:
                break  # they are off together or not at all
            found = frozenset(each for each in found if each[0] not in everything.starts)
            smaller = everything.without(found)
            if found == off or not _does(smaller, deeds):
                break
        off, living = found, smaller
        known = facts.known(living, sources)
    if living is not everything:
        living.wake()
    return living, known


def _closed(
    facts: _Facts, sources: Sources, living: Living, off: _Places
) -> frozenset[tuple[str, int]]:
    """Options that nothing switches on but code in them, or in one another.

    `if args.fused: cfg.FUSED = True` with `Net(fused=cfg.FUSED)`. If none of them runs, nothing
    gives a value that one of them waits for: so there is no first one that would run.
    """
    assumed = frozenset(
        (path, place)
        for path, place, option in _options(sources, living)
        if not (option.defines or option.table or _is_of_device(option) or (path, place) in off)
    )
    for _ in range(_ROUNDS):
        known = facts.known(living, sources, assumed)
        asleep = _still_off(known, sources, assumed)
        if asleep == assumed:
            return asleep
        assumed = asleep
    return frozenset()


def _is_of_device(option: Option) -> bool:
    """Whether an option waits for no setting, but for what a tensor is on."""
    return option.guard != "none" or bool(option.portable)


def _unchosen(
    facts: _Facts,
    sources: Sources,
    living: Living,
    off: frozenset[tuple[str, int]],
    told: _Asked,
) -> frozenset[tuple[str, int]]:
    """Entries of tables that nothing chooses but what they bring in, or one another does.

    A class with the settings file that names it: `FILES = {"base": "configs/scan.yaml"}`, in which
    stands `arch: scan`. As above, one of them would be the first to run.
    """
    assumed = frozenset(
        (path, place)
        for path, place, option in _options(sources, living)
        if option.table and told.asked[path, option.name, option.by] and (path, place) not in off
    )
    for _ in range(_ROUNDS):
        if not assumed:
            break
        known = facts.known(living.without(off | assumed), sources)
        tables = Tables(known, told.entries, told.named, told.asked)
        asleep = frozenset(
            (path, place)
            for path, place in assumed - told.used
            if tables.is_off(path, place, sources[path].options[place])
        )
        if asleep == assumed:
            return assumed
        assumed = asleep
    return frozenset()


def _still_off(known: Known, sources: Sources, places: _Places) -> frozenset[tuple[str, int]]:
    cache: dict[tuple[object, ...], bool] = {}
    found = frozenset(
        (path, place)
        for path, place in places
        if _is_off(known, sources[path].options[place], cache)
    )
    return _with_a_choice(found, sources)


def _with_a_choice(off: frozenset[tuple[str, int]], sources: Sources) -> frozenset[tuple[str, int]]:
    """Options that are off, but for the choices of a settings file of which all would be.

    It must make one of them; so what is known is of another setting.
    """
    wrong: set[tuple[str, int]] = set()
    for path in {path for path, _ in off if path.endswith(FILES[1:])}:
        choices: dict[int, set[tuple[str, int]]] = {}
        for place, option in enumerate(sources[path].options):
            choices.setdefault(option.line, set()).add((path, place))
        wrong.update(*(each for each in choices.values() if each <= off))
    return off - wrong


def _is_off(known: Known, option: Option, cache: dict[tuple[object, ...], bool]) -> bool:
    """Whether a condition on a setting is false, asked once for all that are alike."""
    key = option.name, option.values, option.otherwise, option.imports, option.section
    if key not in cache:
        cache[key] = known.is_off(option)
    return cache[key]


def _deeds(results: Sequence[FileResult], living: Living) -> list[tuple[str, int]]:
    """The lines of a path that tell that it trains."""
    return [
        (result.path, line)
        for result in results
        for deed, line in result.facts.code.does
        if deed in TRAINING and living.comes_to(result.path, line)
    ]


def _does(living: Living, deeds: Iterable[tuple[str, int]]) -> bool:
    return any(living.comes_to(path, line) for path, line in deeds)


class _Facts:
    """Answers what is known of settings, given the files of a path."""

    def __init__(
        self,
        results: Sequence[FileResult],
        graph: Graph,
        tree: Tree,
        programs: Entries,
        everything: Living,
    ) -> None:
        self._settings = {result.path: _seen(result, graph) for result in results}
        self._handing = {result.path: result.facts.code.handing for result in results}
        self._taking = {result.path: result.facts.code.taking for result in results}
        self._objects = {result.path: result.facts.code.objects.split() for result in results}
        asked = {item.name for result in results for item in result.facts.code.options}
        asked.update(item.by for result in results for item in result.facts.code.options)
        asked.update(item.asks for result in results for item in result.facts.code.guesses)
        asked.update(item.of for result in results for item in result.facts.settings if item.of)
        asked.update([name.partition(OF_FUNCTION)[2] for name in asked if OF_FUNCTION in name])
        self._lists = {f".{name.removesuffix(ELEMENT)}" for name in asked if name.endswith(ELEMENT)}
        asked.update([name.removeprefix(".") for name in self._lists])
        self._asked = frozenset(asked)
        self._last: tuple[Sequence[str], Mapping[str, Values]] = (), {}
        self._command = programs.command
        self._configs, is_whole = _configs(results, graph, tree, programs)
        self._named = {
            path: {edge.path for edge in edges if edge.by.name.endswith(FILES)}
            for path, edges in graph.items()
        }
        self._configured = bool(self._configs) and is_whole and programs.command.is_sure
        told = [item for path in self._configs for item in self._settings.get(path, ())]
        self._config = collected(told)
        self._taken = others_of(told)
        self._variables = collected(_variables(results, tree, programs))
        files = {*everything.files, *self._configs}
        there = [result for result in results if result.path in files]
        self._own, self._placed = _sections(there, programs)

    def known(self, living: Living, sources: Sources, assumed: _Places = frozenset()) -> Known:
        """What the command, the files of settings and the code of a path say together.

        `assumed`: options that do not run either.
        """
        lines: dict[str, list[tuple[int, int]]] = {}
        for path, place in (*living.asleep, *living.unused(), *assumed):
            lines.setdefault(path, []).append(sources[path].options[place].lines)
        asleep = {path: _Lines(each) for path, each in lines.items()}
        files = [path for path in living.files if path not in self._configs]
        settings = {
            path: [
                item
                for item in self._settings.get(path, ())
                if path not in asleep or item.line not in asleep[path]
            ]
            for path in files
        }
        filled = self._filled(files, sources)
        named = {name for path in settings for name in self._named.get(path, ())}
        told = [item for each in settings.values() for item in each]
        loaded = self._loaded(files, told)
        if loaded is None:
            told = [replace(item, of=IN_DICT) if item.of == LOADED else item for item in told]
        else:
            told = [*(item for item in told if item.of != LOADED), *loaded]
        taken = self._given_dicts(files, sources, settings)
        code = told_by((*told, *self._lent(files, sources)), filled, taken)
        config = self._read(settings, named)
        sections = self._in_sections(settings, named, asleep, filled, loaded or ())
        before = _before(settings, sources, filled)
        variables = self._variables
        return Known(
            *(self._command, config, code, self._configured),
            *(variables, sections, before, self._taken),
        )

    def _in_sections(
        self,
        settings: Mapping[str, Sequence[Setting]],
        named: Collection[str],
        asleep: Mapping[str, _Lines],
        filled: Mapping[str, Values],
        loaded: Iterable[Setting],
    ) -> Sections:
        """What the same say of settings of which it matters in which section they stand."""
        code: dict[str, list[Setting]] = {item.name: [item] for item in loaded}
        config: dict[str, list[Setting]] = {}
        for path, items in self._placed.items():
            if path in self._configs:
                for item in items:
                    config.setdefault(item.name, []).append(item)
        for path, items in self._placed.items():
            if path not in settings:
                continue
            for item in items:
                if path not in asleep or item.line not in asleep[path]:
                    code.setdefault(item.name, []).append(item)
                    if path in named and item.name in config and not item.of:
                        config[item.name].append(item)
        return Sections(self._own, code, config, filled)

    def _loaded(self, files: Iterable[str], told: Iterable[Setting]) -> list[Setting] | None:
        """What settings an object gives a value that a library makes of a file; None if any may be.

        Those that somebody asks such an object for, as long as nobody makes pairs of one, or calls
        one as the namespace of a parser is called.
        """
        if not any(item.of == LOADED for item in told):
            return []
        names = {name for path in files for name in self._objects.get(path, ())}
        takers = {name.removesuffix(TAKING) for name in names if name.endswith(TAKING)}
        taken = (
            param.rstrip(OF_PARAMETERS)
            for path in files
            for function, params in self._taking.get(path, ())
            if function in takers
            for param in params.split()
        )
        if ANY_SETTING in names or not known_words().holding.namespaces.isdisjoint(taken):
            return None
        return [Setting(each, "", 0, True) for each in sorted(names & self._asked)]

    def _filled(self, files: Sequence[str], sources: Sources) -> Mapping[str, Values]:
        """What calls in some files give by place: asked several times of the same ones."""
        if self._last[0] != files:
            found = filled(
                (item for path in files for item in self._taking.get(path, ())),
                self._handed(files, sources),
                self._asked,
                configured=self._configured,
            )
            self._last = files, found
        return self._last[1]

    def _given_dicts(
        self,
        files: Sequence[str],
        sources: Sources,
        settings: Mapping[str, Sequence[Setting]],
    ) -> Collection[str]:
        """Options of parsers that are parameters as well, to which a call may give a dict's.

        By its name, or as somebody has the function as a value; of a class also where its methods
        make one, or hand on what they are given; fields, and what is called as an object, always.
        """
        parsed = {
            name
            for path in files
            for item in settings[path]
            if item.name == PARSED
            for name in item.spelled.split()
        }
        if not parsed:
            return frozenset()
        unpacked = {
            item.name.removesuffix(OF_FUNCTION)
            for path in files
            for item in settings[path]
            if item.name.endswith(OF_FUNCTION)
        }
        handed = list(self._handed(files, sources))
        given = unpacked | {name for name, words in handed if words in {KEPT, ITSELF}}
        above: dict[str, set[str]] = {}
        for name, _ in handed:
            child, sign, base = name.partition(BELOW)
            if sign:
                above.setdefault(child, set()).add(base)
        waiting = list(given)
        while waiting:
            new = above.get(waiting.pop(), set()) - given
            given |= new
            waiting += new
        of_any_class = not _OF_ITSELF.isdisjoint(unpacked)
        found: set[str] = set()
        for path in files:
            for function, words in self._taking.get(path, ()):
                names = [name.rstrip(OF_PARAMETERS) for name in words.split()]
                is_class = names[0] in {FIELDS, KEYED, NAMED} or function == OBJECT
                is_any = "" in unpacked or (of_any_class and function[:1].isupper())
                if is_class or is_any or function in given:
                    found.update(parsed.intersection(names))
        return found

    def _lent(self, files: Sequence[str], sources: Sources) -> Iterator[Setting]:
        """Lists that a function is given by its place, which may put something in."""
        if self._lists:
            given = {each for _, words in self._handed(files, sources) for each in words.split()}
            for each in sorted(given & self._lists):
                yield Setting(each.removeprefix(".") + ELEMENT, "", 0, True)

    def _handed(self, files: Sequence[str], sources: Sources) -> Iterator[tuple[str, str]]:
        """What is given by place: a class in a list that only a parser reads is not, nor called.

        Another file that has a word for the list may do so.
        """
        lists = {
            (path, words.removeprefix(LISTED))
            for path in files
            for _, words in self._handing.get(path, ())
            if words.startswith(LISTED)
        }
        users: dict[str, set[str]] = {}
        names = {name for _, name in lists}
        for path in files if names else ():
            if path in sources:
                for used in sources[path].words.values():
                    for name in names.intersection(used):
                        users.setdefault(name, set()).add(path)
        for path in files:
            for name, words in self._handing.get(path, ()):
                if not words.startswith(LISTED):
                    yield name, words
                elif users.get(words.removeprefix(LISTED), set()) - {path}:
                    yield name, KEPT

    def _read(
        self, settings: Mapping[str, Sequence[Setting]], named: Iterable[str]
    ) -> Mapping[str, Values]:
        """What the files of settings say that the program is given.

        Or what those say instead that its code names: nobody knows which of them is read last.
        `settings`: those of the files that run · `named`: the files that their code names.
        """
        others = collected(item for path in named for item in settings.get(path, ()) if not item.of)
        return {name: own | others.get(name, frozenset()) for name, own in self._config.items()}


def _before(
    settings: Mapping[str, Sequence[Setting]], sources: Sources, filled: Mapping[str, Values]
) -> Mapping[str, Values]:
    """Settings that code sets where they are on already, with what all other code gives them.

    `if args.fused: self.fused = Fused()` switches nothing on.
    """
    late: dict[str, list[Setting]] = {}
    for path, items in settings.items():
        options = sources[path].options if path in sources else ()
        on: dict[str, list[tuple[int, int]]] = {}
        for option in options:
            if option.values == _ON and not (option.otherwise or option.table):
                on.setdefault(option.name, []).append(option.lines)
        for item in items if on else ():
            if any(first <= item.line <= last for first, last in on.get(item.name, ())):
                late.setdefault(item.name, []).append(item)
    others: dict[str, set[str]] = {name: set(filled.get(name, ())) for name in late}
    for items in settings.values() if late else ():
        for item in items:
            if item.name in late and not any(item is each for each in late[item.name]):
                others[item.name].add("" if item.of else item.value)
    return {name: frozenset(values) for name, values in others.items() if values}


def _seen(result: FileResult, graph: Graph) -> Sequence[Setting]:
    """The settings of a file, but for what it reads of files by their paths that the tree has."""
    told = result.facts.settings
    read = {item.of for item in told if item.name == ANY_SETTING and item.of.endswith(FILES)}
    there = {edge.by.name for edge in graph.get(result.path, ())} if read else set()
    read &= there
    return [item for item in told if item.of not in read] if read else told


def _sections(
    results: Sequence[FileResult], programs: Entries
) -> tuple[frozenset[str], Mapping[str, Sequence[Setting]]]:
    """Sections of which all is known, and what settings files have that may stand in one.

    Of those that code hands on, fills, or calls by a name that is not written, values may go into
    any other; also of one that anything may have as a setting itself.
    """
    options = [option for each in results for option in each.facts.code.options if option.section]
    asked = {option.name for option in options}
    nowhere: tuple[frozenset[str], Mapping[str, Sequence[Setting]]] = frozenset(), {}
    if not asked:
        return nowhere
    placed: dict[str, list[Setting]] = {}
    for result in results:
        for item in result.facts.settings:
            if item.name in asked:
                placed.setdefault(result.path, []).append(item)
    names = {item.section for items in placed.values() for item in items}
    names.update(option.section for option in options)
    names -= {"", SECTION}
    lost = {name for name in names if programs.command.has(name)}
    tellings = [frozenset(result.facts.code.sections.split()) for result in results]
    searched = {
        each.removeprefix(ANY_PART) for told in tellings for each in told if each[0] == ANY_PART
    }
    if "" in searched or not searched.isdisjoint(_branches(results, tellings)):
        return nowhere
    for result, told in zip(results, tellings, strict=True):
        code = result.facts.code
        used = names.intersection(code.words.split())
        used.update(*(names.intersection(option.words.split()) for option in code.options))
        lost |= used - told
        lost.update(name for name in names if f"{OTHERWISE}{name}" in told)
        for item in result.facts.settings:
            *outer, last = item.name.split(".")  # an option that is called so
            if outer or (last in names and item.section != SECTION):
                lost.update((last, *outer))
    return frozenset(names - lost), placed


def _branches(results: Iterable[FileResult], tellings: Iterable[Collection[str]]) -> Iterator[str]:
    """What settings stand in that has others, as far as anything says so."""
    for told in tellings:
        yield from told
    for result in results:
        for item in result.facts.settings:
            yield item.name if item.section == SECTION else item.section


def _variables(results: Sequence[FileResult], tree: Tree, programs: Entries) -> Iterator[Setting]:
    """What sets variables of the environment, on the main path or not: code may set any.

    Files of other kinds, if the main program may be started with it: not pages but the one that
    tells of the usual run, scripts that start others, images beside the plain one.
    """
    asked = {
        item.name.removeprefix(VARIABLE)
        for result in results
        for item in result.facts.settings
        if item.name.startswith(VARIABLE) and not item.given
    }
    asked.update(name for result in results for name in _flags(result) if name.isupper())
    if not asked:
        return

    def is_asked(item: Setting) -> bool:
        return item.name.removeprefix(VARIABLE) in asked or item.name == ANY_VARIABLE

    yield from filter(is_asked, tree.variables)
    for result in results:
        path = result.path
        kind = tree.kinds[path]
        if aside(path) == "test":
            continue
        given = (item for item in result.facts.settings if item.given)
        if kind in PROGRAMS:
            is_main = path in programs.launchers
            for item in given:
                if item.name in asked or (is_main and item.name == ANY_VARIABLE):
                    yield item
        elif _may_surround(path, kind, tree, programs):
            yield from filter(is_asked, given)


def _flags(result: FileResult) -> Iterator[str]:
    """What a file itself takes for off: a variable without a default is among that."""
    proofs = [item.guard_by for item in result.findings]
    proofs += [item.guard_by for item in result.facts.code.imports]
    yield from (by.setting for by in proofs if by and by.setting)


def _may_surround(path: str, kind: FileKind, tree: Tree, programs: Entries) -> bool:
    """Whether variables that a file sets may be there when the main program is started."""
    if path in programs.usual:
        return True
    folder, _, name = path.rpartition("/")
    plain = f"{folder}/Dockerfile" if folder else "Dockerfile"
    if kind == "docker" and name.startswith("Dockerfile.") and plain in tree.kinds:
        return False
    if kind == "markdown":
        return False
    started = programs.launchers.get(path)
    if started is None:
        return True
    is_around = path == plain or name in _SERVICES or path.endswith(_EDITOR)
    return (is_around or not programs.command.is_sure) and not started.isdisjoint(programs.main)


_EDITOR = ".vscode/launch.json"
_SERVICES = frozenset(
    f"{prefix}compose.{end}" for prefix in ("", "docker-") for end in ("yaml", "yml")
)


class _Lines:
    """Lines of a file, told by where they begin and end.

    Line 0 is none: what is told there is told of the whole file, and an option of a part of a line
    has it too.
    """

    def __init__(self, lines: Iterable[tuple[int, int]]) -> None:
        listed = sorted(each for each in lines if each[0])
        self._firsts = [first for first, _ in listed]
        self._lasts = list(accumulate((last for _, last in listed), max))

    def __contains__(self, line: int) -> bool:
        before = bisect_right(self._firsts, line)
        return bool(before) and line <= self._lasts[before - 1]


def _configs(
    results: Sequence[FileResult], graph: Graph, tree: Tree, programs: Entries
) -> tuple[frozenset[str], bool]:
    """The files of settings that the main program is given, or may be, with the parts of these.

    And whether all of these parts are there.
    """
    imports = {result.path: result.facts.code.imports for result in results}
    found = {path for path, _ in programs.configs}
    if not programs.command.is_sure:
        found |= programs.other_configs
    waiting = sorted(found)
    is_whole = True
    while waiting:
        path = waiting.pop()
        edges = graph.get(path, ())
        there = {edge.by.name for edge in edges}
        is_whole = is_whole and all(
            item.name in there
            for item in imports.get(path, ())
            if item.named and item.name.endswith(".py")
        )
        for edge in edges:
            is_part = tree.kinds[edge.path] in SETTINGS or (
                edge.by.name.endswith(FILES) or edge.by.name.startswith(".")
            )
            if is_part and edge.path not in found:
                found.add(edge.path)
                waiting.append(edge.path)
    return frozenset(found), is_whole


class _Asks(Struct, frozen=True):
    """What a file does with tables that is known, and what it gives to functions.

    `tables`: what it asks them with · `gives`: of each call what is given by place or name ·
    `imported`: the last parts of what it brings in · `origins`: where it brings a name in from.
    """

    tables: Mapping[str, tuple[str, ...]]
    gives: Mapping[str, tuple[tuple[str, ...], ...]]
    imported: frozenset[str]
    origins: Mapping[str, frozenset[str]]

    @staticmethod
    def of(result: FileResult, graph: Graph) -> _Asks:
        """Those of one file. A string may look like a member of a package, and be none."""
        code = result.facts.code
        there = {
            edge.by.name
            for edge in graph.get(result.path, ())
            if not edge.path.endswith("__init__.py") or edge.by.name.endswith(_module(edge.path))
        }
        gives: dict[str, list[tuple[str, ...]]] = {}
        for name, parts in code.gives:
            gives.setdefault(name, []).append(tuple(map(intern, parts.split())))
        origins: dict[str, set[str]] = {}
        for item in code.imports:
            if item.named and item.name not in there:
                continue
            module, _, name = item.name.rpartition(".")
            origins.setdefault(name, set()).add(module.rpartition(".")[2])
        return _Asks(
            {name: tuple(asked.split()) for name, asked in code.asks},
            {name: tuple(calls) for name, calls in gives.items()},
            frozenset(origins),
            {name: frozenset(modules) for name, modules in origins.items()},
        )

    def words(self) -> Iterator[str]:
        """The names that have to be found where it asks: of functions, and of tables."""
        for question in (each for asked in self.tables.values() for each in asked):
            yield from _named_by(question)
        for part in (part for calls in self.gives.values() for call in calls for part in call):
            yield from _named_by(part.partition(":")[2])


def _named_by(question: str) -> Iterator[str]:
    if question.startswith((_ALIAS, UNDER, KEEPER)):
        yield question[1:]
    elif "(" in question and not question.startswith("="):
        yield question.partition("(")[0]


def _options(sources: Sources, living: Living) -> Iterator[tuple[str, int, Option]]:
    """The options of the files of a path, each with its file and its place there."""
    for path in living.files:
        if path in sources:
            for place, option in enumerate(sources[path].options):
                yield path, place, option


def _off(
    known: Known, sources: Sources, living: Living, told: _Asked
) -> frozenset[tuple[str, int]]:
    """The options of a path that are off."""
    tables = Tables(known, told.entries, told.named, told.asked)
    cache: dict[tuple[object, ...], bool] = {}

    def is_off(path: str, place: int, option: Option) -> bool:
        if option.defines or _is_of_device(option):
            return False
        if option.table:
            return (path, place) not in told.used and tables.is_off(path, place, option)
        return _is_off(known, option, cache)

    off = frozenset(
        (path, place)
        for path, place, option in _options(sources, living)
        if is_off(path, place, option)
    )
    return _with_a_choice(off, sources)


def _is_within(options: Sequence[Option], place: int, outer: int) -> bool:
    """Whether an option is another one, or in that."""
    while place not in {TOP, outer}:
        place = options[place].within
    return place == outer


class _Asked(Struct, frozen=True):
    """The entries of the tables of a path, and what those are asked with.

    `asked`: of each, by its file, its name there and what that asks itself · `named`: where code of
    the path uses names · `used`: entries that are definitions which code uses by their names,
    without the table.
    """

    entries: Sequence[tuple[str, Option]]
    asked: Mapping[tuple[str, str, str], frozenset[str]]
    named: Mapping[str, Collection[tuple[str, int]]]
    used: frozenset[tuple[str, int]]


def _asked_tables(sources: Sources, living: Living, asks: Mapping[str, _Asks]) -> _Asked:
    """What the tables of a path are asked with."""
    entries = [(path, option) for path, _, option in _options(sources, living) if option.table]
    words = {word for _, option in entries for word in (option.name, option.called, *option.values)}
    for _, option in entries:
        words.update(each for question in option.by.split() for each in _named_by(question))
    for path in living.files:
        if path in asks:
            words.update(asks[path].words())
    asking = _Asking(asks, _named(words, sources, living))
    asked = {
        (path, option.name, option.by): asking.of(path, option)
        for path, option in {
            (path, option.name, option.by): (path, option) for path, option in entries
        }.values()
    }
    used = frozenset(asking.used(sources, living))
    return _Asked(entries, asked, asking.named, used)


class _Asking:
    """Finds out what the files of a path ask tables with.

    `named`: where code of the path uses names: the file, and the option that it is in.
    """

    def __init__(
        self, asks: Mapping[str, _Asks], named: Mapping[str, Collection[tuple[str, int]]]
    ) -> None:
        self._asks = asks
        self.named = named
        self._origins: dict[str, set[str]] = {}
        self._bringing: dict[str, set[str]] = {}
        self._packages: dict[str, set[str]] = {}
        self._having: dict[str, list[str]] = {}
        for file, each in asks.items():
            for name, modules in each.origins.items():
                self._origins.setdefault(name, set()).update(modules)
                self._bringing.setdefault(name, set()).add(_module(file))
                if file.endswith("__init__.py"):
                    self._packages.setdefault(name, set()).add(_module(file))
            for name in each.tables:
                self._having.setdefault(name, []).append(file)

    def of(self, path: str, option: Option) -> frozenset[str]:
        """What the table of an entry is asked with; none if nobody knows."""
        found = set(option.by.split())
        method = next((each for each in found if each.startswith(BY_METHOD)), "")
        found.discard(method)
        if method and (kept := self._of_class(option.name, method)) is not None:
            return self._answered(kept)
        is_told = bool(found)
        waiting = [option.name, *_aliases(found)]
        names: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in names:
                continue
            names.add(name)
            homes = self._homes(path, name)
            made = {file for file in self._having.get(name, ()) if _module(file) in homes}
            for other in sorted(self._files(name) | made):
                if other not in made and not (
                    _MEMBER in found or other == path or self._may_mean(other, name, homes)
                ):
                    continue
                told = self._asks[other].tables.get(name)
                if told is None and (other != path or not is_told):
                    return frozenset()
                found.update(told or ())
                waiting += _aliases(told or ())
        return self._answered(question for question in found if question[0] not in _MARKS)

    def used(self, sources: Sources, living: Living) -> Iterator[tuple[str, int]]:
        """Entries that are definitions which code of the path uses by their names itself."""
        for path, place, option in _options(sources, living):
            name = option.called
            if not name:
                continue
            places = self._places(path, name)
            if any(
                self._may_mean(other, name, places)
                if other != path
                else not _is_within(sources[path].options, where, place)
                for other, where in self.named.get(name, ())
            ):
                yield path, place

    def _of_class(self, name: str, method: str) -> set[str] | None:
        """What a table is asked with that a class keeps under a written key; None if it is none.

        `name`: of the object whose method puts something in. Each file with a word for that, for
        the class, or for the key, must be known to get at the table only by methods, or by the key.
        """
        homes = self._having.get(method, ())
        if len(homes) != 1:
            return None
        (home,) = homes
        told = self._asks[home].tables[method]
        tables = [each for each in told if each.startswith(UNDER)]
        if len(tables) != 1 or f"{KEEPER}{name}" not in told:
            return None
        (table,) = tables
        found: set[str] = set()
        for other in {home, *self._files(table[1:])}:
            asked = self._asks[other].tables.get(table)
            if asked is None:
                return None
            found.update(asked)
        for keeper in (each for each in told if each.startswith(KEEPER)):
            others = self._files(keeper[1:]) - {home}
            if any(keeper not in self._asks[other].tables for other in others):
                return None
        return found

    def _files(self, name: str) -> set[str]:
        return {file for file, _ in self.named.get(name, ())}

    def _homes(self, path: str, name: str) -> frozenset[str]:
        """Modules that have a table: its own, and those that others bring it in from."""
        return frozenset({_module(path), *self._origins.get(name, ())})

    def _places(self, path: str, name: str) -> frozenset[str]:
        """Modules of which a class or a function can be had: its own, and those that bring it in.

        With the packages that bring in such a module, maybe with a star: `net.Scan()`.
        """
        found = {*self._homes(path, name), *self._bringing.get(name, ())}
        waiting = list(found)
        while waiting:
            new = self._packages.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return frozenset(found)

    def _may_mean(self, path: str, name: str, homes: frozenset[str]) -> bool:
        """Whether a file that uses a name may mean the table by it."""
        imported = self._asks[path].imported
        return name in imported or "*" in imported or not homes.isdisjoint(imported)

    def _answered(self, questions: Iterable[str]) -> frozenset[str]:
        """Questions without those what a function is given: what its callers give, if all tell."""
        found: set[str] = set()
        waiting = list(questions)
        seen: set[str] = set()
        while waiting:
            question = waiting.pop()
            if question == _UNKNOWN:
                return frozenset()
            if question.startswith("=") or "(" not in question:
                found.add(question)
            elif question not in seen:
                seen.add(question)
                given = self._given(question)
                if given is None:
                    return frozenset()
                waiting += given
        return frozenset(found)

    def _given(self, question: str) -> list[str] | None:
        """What a function is given for a parameter; None if a call may give anything."""
        function, _, parameter = question.partition("(")
        slots = parameter.split(":")
        found: list[str] = []
        files = self._files(function)
        for path in files:
            calls = self._asks[path].gives.get(function)
            if calls is None:
                return None
            for part in (part for call in calls for part in call):
                slot, sign, value = _slot(part)
                if slot in slots:
                    found.append(f"={value}" if sign == "=" else value or _UNKNOWN)
        return found if files else None


def _slot(part: str) -> tuple[str, str, str]:
    """What is given, and for which place or name: `0=plain`, `kind:attn_kind`, `1?`."""
    sign = next((each for each in part if each in "=:?"), "?")
    slot, _, value = part.partition(sign)
    return slot, sign, value


def _aliases(questions: Iterable[str]) -> list[str]:
    return [each.removeprefix(_ALIAS) for each in questions if each.startswith(_ALIAS)]


def _module(path: str) -> str:
    """The last part of a module's name."""
    folder, _, file = path.rpartition("/")
    stem = file.removesuffix(".py")
    return folder.rpartition("/")[2] if stem == "__init__" else stem


def _named(
    words: Collection[str], sources: Sources, living: Living
) -> Mapping[str, Collection[tuple[str, int]]]:
    """Where code of a path uses names: the file, and the option that it is in."""
    wanted = frozenset(words)
    found: dict[str, set[tuple[str, int]]] = {}
    for path in living.files:
        if path in sources:
            for place, used in sources[path].words.items():
                if place == TOP or (path, place) in living.on:
                    for word in wanted.intersection(used):
                        found.setdefault(word, set()).add((path, place))
    return found
