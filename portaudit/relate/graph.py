"""Joins imports: which files of the tree a file brings in when it runs.

A file of a package brings in the `__init__.py` of each package around it, as Python runs those
first. Names that lead nowhere in the tree are no edges.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname, join, normpath

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue import entries as names
from portaudit.marks import ANY_PART, CONFIGURED, GIVEN_TO, LOCATED, LOOSE, OTHERWISE, UNWRITTEN
from portaudit.relate.modules import Modules, dotted, upward
from portaudit.relate.nearby import users
from portaudit.types import (
    GUARD_STATES,
    Chain,
    CodeFacts,
    FileResult,
    GuardState,
    Import,
    Location,
    Proof,
    ScanError,
)

_RUNNING = frozenset({"run_path", "run_module", "exec", "execfile", "exec_module", "load_source"})
"""What runs a file that is found by its path."""


class Edge(Struct, frozen=True):
    """A file that another one brings in, and the import that does it.

    `value`: what the setting must be that the import asks for this file to be meant, empty where it
    is whatever that says · `around`: it is a package, which only runs with what is meant in it ·
    `unless`: with which values of the setting it is not tried, as another file is meant before.
    """

    path: str
    by: Import
    value: str = ""
    around: bool = False
    unless: tuple[str, ...] = ()


Graph = Mapping[str, tuple[Edge, ...]]
"""What each file brings in, in the order of its lines; files that bring in nothing are not there.
"""
FILES = (".py", ".yaml", ".yml", ".json", ".toml", ".gin")
"""How names end that are paths: a config says by them what it is put together from."""
_WIDE = re.compile("[*@]")
"""What a name has that nobody knows all of."""
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_RANKS: Mapping[GuardState, int] = {
    guard: max(0, rank - 1) for rank, guard in enumerate(GUARD_STATES)
}
"""The less a guard promises, the surer its code runs; what must not fail is as good as none."""

_SEVERAL = 20
"""Files that an import may mean until it counts as one that may mean much."""
_MOST = 200_000
"""What all of those may mean together: each is an edge of the graph."""
_LONGEST = 100
"""Imports of a way that are told."""


class Visit(Struct, frozen=True):
    """How a file was reached: from which file, by which import, and under which guard so far."""

    come_from: str = ""
    by: Import | None = None
    guard: GuardState = "none"
    guard_by: Proof | None = None


def graph(
    results: Sequence[FileResult], modules: Modules, unfollowed: list[ScanError] | None = None
) -> Graph:
    """The import graph of a tree. What is not followed, as it may mean too much, is said so."""
    resolver = _Resolver(modules, results)
    for result in results:
        resolver.learn(result)
    kept = _kept(results)
    found = _joined(results, resolver, kept)
    if kept and _may_import(results, found, kept):
        found = _joined(results, resolver, {})
    if unfollowed is not None:
        unfollowed += resolver.unfollowed.values()
    return _guessed(results, found, modules, resolver)


def _kept(results: Iterable[FileResult]) -> Mapping[str, frozenset[str]]:
    """Of each file the functions that are given its package, and only keep what they are given.

    Whatever is called so in the tree, and there is one.
    """
    given = {
        result.path: frozenset(
            helper for item in result.facts.code.guesses if (helper := _helper(item))
        )
        for result in results
    }
    helpers = frozenset().union(*given.values())
    keeping: set[str] = set()
    others: set[str] = set()
    for result in results if helpers else ():
        code = result.facts.code
        told = code.keeps.split()
        keeping |= helpers.intersection(told)
        changed = {each.removeprefix(OTHERWISE) for each in told if each[0] == OTHERWISE}
        others |= helpers & changed.union(code.sets.split())
    return {path: names for path, each in given.items() if (names := each & (keeping - others))}


def _helper(item: Import) -> str:
    """The function of the tree that is given a package, by which something may be imported."""
    return item.name.partition(GIVEN_TO)[2]


def _may_import(results: Iterable[FileResult], graph: Graph, paths: Iterable[str]) -> bool:
    """Whether who gets at what some files keep may import something by a name that it is given.

    That is what they bring in, and who brings them in.
    """
    back: dict[str, list[str]] = {}
    for path, edges in graph.items():
        for edge in edges:
            back.setdefault(edge.path, []).append(path)
    near = {path for path in visits(graph, _following(back, paths)) if names.aside(path) is None}
    nearby = [result for result in results if result.path in near]
    runs = users(nearby, _RUNNING)
    return bool(runs) or any(
        not _helper(item) and _WIDE.search(item.name)
        for result in nearby
        for item in result.facts.code.guesses
    )


def _following(ways: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    found = set(starts)
    waiting = list(found)
    while waiting:
        new = set(ways.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def _joined(
    results: Sequence[FileResult], resolver: _Resolver, kept: Mapping[str, frozenset[str]]
) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, tuple[Edge, ...]] = {}
    resolver.wide = 0
    resolver.unfollowed.clear()
    for result in results:
        edges = _edges(result, resolver, kept.get(result.path, frozenset()))
        if edges:
            found[result.path] = edges
    return found


def _edges(result: FileResult, resolver: _Resolver, kept: Collection[str] = ()) -> tuple[Edge, ...]:
    edges: dict[tuple[object, ...], Edge] = {}
    code = result.facts.code
    items = tuple(_brought(code, kept))
    later = {(each.line, each.scope, each.turn): each for each in items if each.turn and each.asks}
    tried: dict[tuple[int, str, str], dict[str, None]] = {}
    for item in sorted(items, key=lambda each: (each.line, each.turn, bool(each.asks))):
        # who uses it decides, or asks for any name of what it brings in
        is_told = item.guard == "import-guarded" or ANY_PART in item.name
        setting = item.guard_by.setting if item.guard_by else ""
        place = item.scope, item.guard, setting, item.is_switch, item.named, item.name * is_told
        # a default that is written has the turn of what else the setting may say
        asks = item.asks or later.get((item.line, item.scope, item.turn), item).asks
        before = tried.setdefault((item.line, item.scope, asks), {}) if asks else {}
        for edge in _in_turn(item, _edges_by(item, result, resolver), before, later):
            if edge.path != result.path:
                edges.setdefault((edge.path, edge.value, edge.unless, *place), edge)
    return tuple(edges.values())


def _brought(code: CodeFacts, kept: Collection[str]) -> Iterator[Import]:
    """What code imports or may import, but for packages that are given to what only keeps them."""
    for item in (*code.imports, *code.guesses):
        helper = _helper(item)
        if helper not in kept:
            name = item.name.partition(GIVEN_TO)[0]
            yield replace(item, name=name) if helper else item


def _in_turn(
    item: Import,
    edges: Iterable[Edge],
    tried: dict[str, None],
    later: Mapping[tuple[int, str, int], Import],
) -> Iterable[Edge]:
    """What an import brings in that is one of several in turn, of which the first one counts.

    `tried`: the values with which it is one of those before it; this adds its own. Packages around
    all that it may mean run with an attempt that fails as well.
    """
    asking = later.get((item.line, item.scope, item.turn), item)
    before = tuple(tried) if item.turn and asking.asks else ()
    found = [
        edge if edge.value or not before else Edge(edge.path, asking, unless=before)
        for edge in edges
    ]
    tried.update({edge.value: None for edge in found if edge.value and not edge.around})
    return found


def _edges_by(item: Import, result: FileResult, resolver: _Resolver) -> Iterator[Edge]:
    """What an import brings in: a package in the part that a setting says, with what lies in it."""
    paths = resolver.paths(result.path, item.name, program=bool(result.facts.code.main))
    if len(paths) > _SEVERAL and not resolver.may_follow(result.path, item, len(paths)):
        return
    values = {path: resolver.value(result.path, item, path) for path in paths}
    inner: dict[str, dict[str, None]] = {}
    if any(values.values()):
        packages = {path for path in paths if resolver.is_chosen(result.path, item, path)}
        for path, value in values.items():
            if value or path not in packages:
                for package in packages.intersection(_packages_around(path)):
                    inner.setdefault(package, {})[value] = None
    for path, value in values.items():
        found = inner.get(path, {})
        if value or not found:
            yield Edge(path, item, value)
        yield from (Edge(path, item, each, around=True) for each in found if each != value)


def _packages_around(path: str) -> Iterator[str]:
    folder = _folder_of(path)
    while folder:
        yield join(folder, "__init__.py")
        folder = dirname(folder)


class _Resolver:
    """Answers which files an import runs; all files of a folder are told the same."""

    def __init__(self, modules: Modules, results: Sequence[FileResult]) -> None:
        self._modules = modules
        self._results = {result.path: result for result in results}
        self.wide = 0
        """What imports may mean that may mean much, in all."""
        self.unfollowed: dict[tuple[str, int], ScanError] = {}
        self._files = frozenset(self._results)
        self._known: dict[tuple[str, str, bool], tuple[str, ...]] = {}
        self._ends: dict[str, list[str]] = {}
        for path in sorted(self._files):
            if path.endswith(FILES[1:]):
                self._ends.setdefault(basename(path), []).append(path)
        self._settings = sorted(path for path in self._files if path.endswith(FILES[1:]))
        self._packages: set[str] = set()
        self._searched = {
            result.path: folders
            for result in results
            if (folders := tuple(self._folders(result.path, result.facts.code.guesses)))
        }
        programs = (dirname(each.path) for each in results if each.facts.code.main)
        self._programs = frozenset(programs)
        self._entry_points = [
            (each.name, result.path, each.target.partition(":")[0].strip())
            for result in results
            for each in result.facts.scripts
            if ":" in each.name
        ]
        self._placed = {
            name: normpath(join(dirname(result.path), folder)).removeprefix(".")
            for result in results
            for name, folder in result.facts.packages
        }
        self._copies = tuple(
            dict.fromkeys(
                place
                for result in results
                for word in result.facts.installs
                if names.aside(result.path) is None
                for place in modules.projects_named(dirname(result.path), word)
            )
        )
        searched = {each for found in self._searched.values() for each in found}
        searched.update(folder for name, folder in self._placed.items() if not name)
        self._everywhere = frozenset(searched)

    def learn(self, result: FileResult) -> None:
        """Note which folders the imports of a file take for packages, marked as such or not."""
        code = result.facts.code
        for item in code.imports:
            outer = item.name.split(".")[:-1]
            for path in self.paths(result.path, item.name, program=bool(code.main)):
                if outer and (not outer[0] or basename(dirname(path)) in outer):
                    self._packages.add(dirname(path))

    def paths(self, importer: str, name: str, *, program: bool) -> tuple[str, ...]:
        """The file that a name means, with the packages that it lies in, innermost last.

        A program finds what lies beside it first, even if that is inside a package.
        """
        if name in {ANY_PART, CONFIGURED, LOCATED} or name.endswith("/") or name.startswith(LOOSE):
            return ()
        key = dirname(importer), name, program
        if key not in self._known:
            self._known[key] = self._paths(importer, name, program=program)
        found = self._known[key]
        if importer in self._searched and not name.startswith("."):
            found = tuple(dict.fromkeys((*found, *self._in_searched(importer, name))))
        return found

    def may_follow(self, importer: str, item: Import, number: int) -> bool:
        """Whether an import that may mean so many files is followed: not beyond all measure."""
        self.wide += number
        if self.wide <= _MOST:
            return True
        reason = (
            f"the {number:,} files that may be meant here are not followed: "
            f"imports of this tree may mean more than {_MOST:,}"
        )
        self.unfollowed[importer, item.line] = ScanError(importer, reason, item.line)
        return False

    def value(self, importer: str, item: Import, path: str) -> str:
        """What a setting must be for a name that is put together of it to lead to a file.

        Empty for the packages around, and where nobody can tell.
        """
        if item.asks and item.name.endswith(FILES):
            return self._choice(importer, item.name, path)
        bare = item.name.lstrip(".")
        tail = bare.partition(ANY_PART)[2]
        if not item.asks or item.asks == UNWRITTEN or ANY_PART not in bare or ANY_PART in tail:
            return ""
        found = re.search(rf"{self._head(importer, item)}(.+){re.escape(tail)}$", dotted(path))
        return found.group(1) if found else ""

    def is_chosen(self, importer: str, item: Import, path: str) -> bool:
        """Whether a package lies in the part of a name that is put together of what a setting is.

        It runs with what is meant in it, not with each attempt to import that.
        """
        if basename(path) != "__init__.py":
            return False
        return bool(re.search(rf"{self._head(importer, item)}.", dotted(path)))

    def _head(self, importer: str, item: Import) -> str:
        """How the dotted name of a module begins that an import may mean, as an expression."""
        bare = item.name.lstrip(".")
        head = re.escape(bare.partition(ANY_PART)[0])
        if head or bare == item.name:
            return rf"(?:^|\.){head}"
        base = self._climbed(importer, len(item.name) - len(bare)).replace("/", ".")
        return rf"^{re.escape(base)}\." if base else "^"

    @staticmethod
    def _climbed(importer: str, levels: int) -> str:
        folder = importer
        for _ in range(levels):
            folder = dirname(folder)
        return folder

    def candidates(self, result: FileResult) -> Iterator[tuple[str, str]]:
        """The modules of the folders that a file has Python search, and what each is called there.

        Of its own folder and the root those that are no programs: these hold all kinds of things.
        """
        for folder in self._searched.get(result.path, ()):
            is_own = folder in {"", dirname(result.path)}
            for name, path in self._modules.listed(folder):
                other = self._results.get(path)
                is_meant = other is not None and not (is_own and other.facts.code.main)
                is_meant = is_meant and path != result.path and name != "setup"
                if is_meant and names.aside(path) is None:
                    yield name, path

    def _paths(self, importer: str, name: str, *, program: bool) -> tuple[str, ...]:
        if name.endswith(":"):
            return tuple(dict.fromkeys(self._declared(name)))
        if ANY_PART in name and name.endswith(FILES):
            return tuple(dict.fromkeys(self._choices(importer, name)))
        if ANY_PART in name:
            return tuple(self._matching(importer, name))
        return (
            self._file(dirname(importer), name)
            or (program and not name.startswith(".") and self._beside(importer, name))
            or self._elsewhere(name)
            or self._module(importer, name)
            or self._installed(name)
            or (() if name.startswith(".") else tuple(self._stray(importer, name)))
            or (() if name.startswith(".") else self._grafted(name))
        )

    def _grafted(self, name: str) -> tuple[str, ...]:
        """A module by a name that begins above the tree."""
        found = self._modules.grafted(name)
        if found is None or found[0] not in self._files:
            return ()
        return self._with_packages(dotted(found[0]), *found)

    def _installed(self, name: str) -> tuple[str, ...]:
        """A module of a library whose copy in the tree lines of the tree install."""
        first = name.partition(".")[0]
        for folder in self._copies if first else ():
            if self._modules.offers(folder, first):
                found = self._modules.inside(folder, name)
                if found is not None and found[0] in self._files:
                    return self._with_packages(name, *found)
        return ()

    def _elsewhere(self, name: str) -> tuple[str, ...]:
        """A module of a package that a manifest says is in another folder."""
        package = name
        while package and package not in self._placed:
            package = package.rpartition(".")[0]
        if not package:
            return ()
        folder = self._placed[package]
        inner = name[len(package) :].lstrip(".")
        if not folder:  # the tree itself is the package
            found = self._modules.inside("", inner) if inner else ("__init__.py", ())
        else:
            inner = f"{basename(folder)}.{inner}".rstrip(".")
            found = self._modules.inside(dirname(folder), inner)
        return self._with_packages(inner, *found) if found and found[0] in self._files else ()

    def _declared(self, group: str) -> Iterator[str]:
        """The modules of the entry points that manifests of the tree declare for a group."""
        for name, manifest, target in self._entry_points:
            if name.startswith(group) or group.startswith(ANY_PART):
                yield from self._module(manifest, target)

    def _matching(self, importer: str, name: str) -> Iterator[str]:
        """All modules that a name may mean of which a part is not known, but no tests."""
        is_test = names.aside(importer) == "test"
        packages: dict[str, None] = {}
        for path in self._modules.matching(importer, name):
            if path in self._files and (is_test or names.aside(path) != "test"):
                packages.update(dict.fromkeys(self._with_packages(name, path, ())))
        yield from packages

    def _stray(self, importer: str, name: str) -> Iterator[str]:
        """A module that is found only by a run from its folder, or where one is searched."""
        outer = dirname(importer)
        around = {outer}
        while outer:
            outer = dirname(outer)
            around.add(outer)
        roots = self._everywhere | (self._programs & around)
        for path, rest in self._modules.stray(importer, name, roots, self._packages):
            if path in self._files and path != importer:
                yield from self._with_packages(name, path, rest)

    def _in_searched(self, importer: str, name: str) -> Iterator[str]:
        for folder in self._searched[importer]:
            if self._modules.offers(folder, name.partition(".")[0]):
                found = self._modules.inside(folder, name)
                if found is not None and found[0] in self._files:
                    yield from self._with_packages(name, *found)

    def _folders(self, path: str, guesses: Iterable[Import]) -> Iterator[str]:
        """The folders that a file has Python search: from where it lies, or from above."""
        for item in guesses:
            if item.name.endswith("/"):
                folder = dirname(path)
                while True:
                    place = normpath(join(folder, item.name)).removeprefix(".").strip("/")
                    if self._modules.is_folder(place):
                        yield place
                        break
                    if not folder:
                        break
                    folder = dirname(folder)

    def _beside(self, importer: str, name: str) -> tuple[str, ...]:
        place = join(dirname(importer), name.partition(".")[0])
        is_there = f"{place}.py" in self._files or join(place, "__init__.py") in self._files
        return self._module(importer, f".{name}") if is_there else ()

    def _file(self, folder: str, name: str) -> tuple[str, ...]:
        """A settings file by its path, from the folder of the file that names it or from above.

        Or the only one whose path ends so: code puts the rest before (`join(ROOT, "a.yaml")`).
        """
        if "/" not in name and not name.endswith(FILES):
            return ()
        inner = name.lstrip("./")
        places = [normpath(join(folder, name))]
        while folder:
            folder = dirname(folder)
            places.append(join(folder, inner))
        found = next(((place,) for place in places if place in self._files), ())
        ends = [path for path in self._ends.get(basename(inner), ()) if path.endswith(f"/{inner}")]
        return found or (tuple(ends) if len(ends) == 1 else ())

    def _choices(self, importer: str, name: str) -> Iterator[str]:
        """The settings files that a name may mean of which a part is not known, but no tests."""
        is_test = names.aside(importer) == "test"
        head, *parts = name.split(ANY_PART)
        rest = re.compile(".+".join(map(re.escape, ["", *parts])))
        for folder in _homes(importer, name):
            begin = join(folder, head)
            for place in range(bisect_left(self._settings, begin), len(self._settings)):
                path = self._settings[place]
                if not path.startswith(begin):
                    break
                is_meant = path != importer and rest.fullmatch(path, len(begin))
                if is_meant and (is_test or names.aside(path) != "test"):
                    yield path

    @staticmethod
    def _choice(importer: str, name: str, path: str) -> str:
        """What a setting must be with which the unknown part of a name begins; or empty.

        What comes before another such part may end at any of several places: then nobody can tell.
        """
        head, *parts = name.split(ANY_PART)
        for folder in _homes(importer, name):
            begin = join(folder, head)
            if path.startswith(begin):
                rest = path[len(begin) :]
                if len(parts) == 1:
                    return rest.removesuffix(parts[0])
                is_told = parts[0] and rest.count(parts[0]) == 1
                return rest.partition(parts[0])[0] if is_told else ""
        return ""

    def _module(self, importer: str, name: str) -> tuple[str, ...]:
        found = self._modules.module_path(importer, name)
        return () if found is None else self._with_packages(name, *found)

    def _with_packages(self, name: str, path: str, rest: tuple[str, ...]) -> tuple[str, ...]:
        bare = name.lstrip(".")
        # `a.b.c` runs `a` and `a.b`; what lies around a relative import is one package throughout.
        levels = None if bare != name else len(bare.split(".")) - len(rest)
        found = [path]
        folder = dirname(path)
        if basename(path) == "__init__.py":
            if not folder:
                return (path,)
            folder = dirname(folder)
        while levels is None or levels > 1:
            package = join(folder, "__init__.py")
            if package in self._files:
                found.append(package)
            elif levels is None:
                break
            if not folder:
                break
            folder = dirname(folder)
            levels = None if levels is None else levels - 1
        return tuple(reversed(found))


def _homes(importer: str, name: str) -> list[str]:
    """Where the choices may lie that a settings file leaves open: beside it, a group also above."""
    folder = dirname(importer)
    return list(upward(folder)) if "/" in name else [folder]


def _guessed(
    results: Sequence[FileResult], graph: Graph, modules: Modules, resolver: _Resolver
) -> Graph:
    """The graph with what files import by names of which nothing is known where they do.

    Those are words of files that use the function, of settings and of command lines. Without any,
    it is what lies beside the file and nothing else brings in. What lies where it has Python search
    may be meant as well, by the value of the setting that it asks.
    """
    asking = [
        (result, item)
        for result in results
        for item in result.facts.code.guesses
        if item.name == ANY_PART
    ]
    if not asking:
        return graph
    told = _Told(results, modules, resolver)
    brought = {edge.path for edges in graph.values() for edge in edges}
    found = dict(graph)
    for result, item in asking:
        named = told.of(result, item)
        known = {
            _folder_of(edge.path)
            for edge in graph.get(result.path, ())
            if edge.by.line == item.line and item.asks and ANY_PART not in edge.by.name
        }
        searched = [
            each
            for each in told.searched(result, item)
            if not known
            or _folder_of(each[1]) in known  # what a setting chooses from lies together
        ]
        paths = named or told.beside(result.path, brought)
        paths = (*paths, *(path for _, path in searched))
        is_told = item.asks not in {"", UNWRITTEN}
        edges = [Edge(path, item, name) for name, path in searched if is_told]
        there = {edge.path for edge in edges}.difference(named)
        edges += [Edge(path, item) for path in paths if path not in {result.path, *there}]
        found[result.path] = tuple(dict.fromkeys((*found.get(result.path, ()), *edges)))
    return found


def _folder_of(path: str) -> str:
    """The folder that a module lies in, or a package."""
    folder = dirname(path)
    return dirname(folder) if basename(path) == "__init__.py" else folder


class _Told:
    """What says which modules are meant where a name is not known."""

    def __init__(
        self, results: Sequence[FileResult], modules: Modules, resolver: _Resolver
    ) -> None:
        self._results = {result.path: result for result in results}
        self._modules = modules
        self._resolver = resolver
        self._given = {
            part
            for result in results
            for launch in result.facts.launches
            for word in launch.arguments
            for part in _WORD.findall(word)
        }
        self._given.update(
            part
            for result in results
            for setting in result.facts.settings
            if setting.given
            for part in _WORD.findall(setting.value)
        )
        self._loose = {
            result.path: words
            for result in results
            if (words := {each.name[1:] for each in _loose(result)})
        }
        self._uses = {
            path: frozenset(each.facts.code.words.split())
            for path, each in self._results.items()
            if each.facts.code.guesses
        }

    def of(self, result: FileResult, item: Import) -> tuple[str, ...]:
        """The modules that words mean where the import is, or where its function is called."""
        words = set(self._given)
        for path in self._asking(result, item):
            words |= self._loose.get(path, set())
        found = (self._modules.module_path(result.path, word) for word in sorted(words))
        paths = dict.fromkeys(each[0] for each in found if each and not each[1])
        return tuple(path for path in paths if self._is_module(path))

    def searched(self, result: FileResult, item: Import) -> tuple[tuple[str, str], ...]:
        """The modules of the folders that Python is to search there, or by who calls it."""
        found = (
            each
            for path in self._asking(result, item)
            for each in self._resolver.candidates(self._results[path])
        )
        return tuple(each for each in dict.fromkeys(found) if each[1] != result.path)

    def _asking(self, result: FileResult, item: Import) -> Iterator[str]:
        """The file of an import, and those that have a word for the function that it is in."""
        function = item.scope.rpartition(".")[2]
        asked = item.scope.partition(".")[0] if function == "__init__" else function
        for path, words in self._uses.items():
            if path == result.path or asked in words:
                yield path

    def beside(self, importer: str, brought: Collection[str]) -> tuple[str, ...]:
        """What lies beside a file, or in its package below it, and nothing else brings in."""
        found = self._modules.matching(importer, f".{ANY_PART}")
        folder = dirname(importer)
        is_package = join(folder, "__init__.py") in self._results
        return tuple(
            path
            for path in found
            if path not in brought
            and (is_package or dirname(path) == folder)
            and self._is_module(path)
        )

    def _is_module(self, path: str) -> bool:
        """Whether a file is there to be imported: no program, and no test."""
        result = self._results.get(path)
        return result is not None and not result.facts.code.main and names.aside(path) is None


def _loose(result: FileResult) -> Iterator[Import]:
    return (each for each in result.facts.code.guesses if each.name.startswith(LOOSE))


def visits(
    graph: Graph,
    starts: Iterable[str],
    is_cut: Callable[[str, Edge], bool] = lambda _path, _edge: False,
) -> dict[str, Visit]:
    """All files that some files reach, each by a way with as weak a guard, and as short, as any.

    `is_cut`: whether an import of a file never happens.
    """
    found = {start: Visit() for start in starts}
    depths = dict.fromkeys(found, 0)
    waiting = set(found)
    for rank in range(max(_RANKS.values()) + 1):
        levels: dict[int, list[str]] = {}
        for path, depth in depths.items():
            if path in waiting:
                levels.setdefault(depth, []).append(path)
        waiting = set()
        depth = 0
        while levels:
            for path in levels.pop(depth, ()):
                here = found[path]
                for edge in graph.get(path, ()):
                    if edge.path in found:
                        continue
                    if _RANKS[edge.by.guard] > rank:
                        waiting.add(path)
                    elif not is_cut(path, edge):
                        found[edge.path] = _visit(path, here, edge.by)
                        depths[edge.path] = depth + 1
                        levels.setdefault(depth + 1, []).append(edge.path)
            depth += 1
    return found


class Chains:
    """The ways to files that were reached, entry first.

    Of a very long one only the first import and the last ones: else files that import one another
    in a row would make a report that grows with the square of their number.
    """

    def __init__(self, found: Mapping[str, Visit]) -> None:
        self._found = found
        self._known: dict[str, tuple[int, Location | None]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._found

    def __call__(self, path: str) -> Chain:
        """The way to a file."""
        found = self._found
        imports: list[Location] = []
        place = path
        while (by := found[place].by) is not None and len(imports) < _LONGEST:
            place = found[place].come_from
            imports.append(Location(place, by.line))
        length, first = self._begun(path)
        left_out = max(0, length - _LONGEST)
        if left_out and first:
            imports[-1] = first
        told = tuple(reversed(imports))
        return Chain(path, told, found[path].guard, found[path].guard_by, left_out=left_out)

    def _begun(self, path: str) -> tuple[int, Location | None]:
        """How many imports a way has, and the first of them."""
        passed: list[str] = []
        while path not in self._known and self._found[path].by is not None:
            passed.append(path)
            path = self._found[path].come_from
        length, first = self._known.get(path, (0, None))
        for each in reversed(passed):
            visit = self._found[each]
            if visit.by is not None:
                length, first = length + 1, first or Location(visit.come_from, visit.by.line)
            self._known[each] = length, first
        return length, first


def _visit(path: str, here: Visit, by: Import) -> Visit:
    """An import under two guards is as likely as the stronger one lets it be."""
    if _RANKS[by.guard] > _RANKS[here.guard]:
        return Visit(path, by, by.guard, by.guard_by)
    return Visit(path, by, here.guard, here.guard_by)
