"""Joins imports: which files of the tree a file brings in when it runs.

A file of a package brings in the `__init__.py` of each package around it, as Python runs those
first. Names that lead nowhere in the tree are no edges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname, join, normpath

from msgspec import Struct

from portaudit.catalogue import entries as names
from portaudit.marks import ANY_PART, CONFIGURED, LOCATED, LOOSE, UNWRITTEN
from portaudit.relate.modules import Modules, dotted
from portaudit.types import GUARD_STATES, Chain, FileResult, GuardState, Import, Location, Proof


class Edge(Struct, frozen=True):
    """A file that another one brings in, and the import that does it.

    `value`: what the setting must be that the import asks for this file to be meant, empty where it
    is whatever that says.
    """

    path: str
    by: Import
    value: str = ""


Graph = Mapping[str, tuple[Edge, ...]]
"""What each file brings in, in the order of its lines; files that bring in nothing are not there.
"""
FILES = (".py", ".yaml", ".yml", ".json", ".toml", ".gin")
"""How names end that are paths: a config says by them what it is put together from."""
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_RANKS: Mapping[GuardState, int] = {
    guard: max(0, rank - 1) for rank, guard in enumerate(GUARD_STATES)
}
"""The less a guard promises, the surer its code runs; what must not fail is as good as none."""


class Visit(Struct, frozen=True):
    """How a file was reached: from which file, by which import, and under which guard so far."""

    come_from: str = ""
    by: Import | None = None
    guard: GuardState = "none"
    guard_by: Proof | None = None


def graph(results: Sequence[FileResult], modules: Modules) -> Graph:
    """The import graph of a tree."""
    resolver = _Resolver(modules, results)
    for result in results:
        resolver.learn(result)
    found: dict[str, tuple[Edge, ...]] = {}
    for result in results:
        edges = _edges(result, resolver)
        if edges:
            found[result.path] = edges
    return _guessed(results, found, modules, resolver)


def _edges(result: FileResult, resolver: _Resolver) -> tuple[Edge, ...]:
    edges: dict[tuple[object, ...], Edge] = {}
    code = result.facts.code
    for item in sorted((*code.imports, *code.guesses), key=lambda each: each.line):
        for path in resolver.paths(result.path, item.name, program=bool(code.main)):
            if path != result.path:
                # who uses it decides, or asks for any name of what it brings in
                is_told = item.guard == "import-guarded" or ANY_PART in item.name
                value = resolver.value(result.path, item, path)
                key = path, item.scope, item.guard, item.named, value, item.name * is_told
                edges.setdefault(key, Edge(path, item, value))
    return tuple(edges.values())


class _Resolver:
    """Answers which files an import runs; all files of a folder are told the same."""

    def __init__(self, modules: Modules, results: Sequence[FileResult]) -> None:
        self._modules = modules
        self._results = {result.path: result for result in results}
        self._files = frozenset(self._results)
        self._known: dict[tuple[str, str, bool], tuple[str, ...]] = {}
        self._ends: dict[str, list[str]] = {}
        for path in sorted(self._files):
            if path.endswith(FILES[1:]):
                self._ends.setdefault(basename(path), []).append(path)
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

    def value(self, importer: str, item: Import, path: str) -> str:
        """What a setting must be for a name that is put together of it to lead to a file.

        Empty for the packages around, and where nobody can tell.
        """
        bare = item.name.lstrip(".")
        head, _, tail = bare.partition(ANY_PART)
        if not item.asks or item.asks == UNWRITTEN or ANY_PART not in bare or ANY_PART in tail:
            return ""
        module = dotted(path)
        if not head:
            folder = (
                self._climbed(importer, len(item.name) - len(bare)) if bare != item.name else ""
            )
            base = folder.replace("/", ".")
            module = module.removeprefix(f"{base}.") if base else module
        found = re.search(rf"(?:^|\.){re.escape(head)}(.+){re.escape(tail)}$", module)
        return found.group(1) if found else ""

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
        if ANY_PART in name:
            return tuple(self._matching(importer, name))
        return (
            self._file(dirname(importer), name)
            or (program and not name.startswith(".") and self._beside(importer, name))
            or self._elsewhere(name)
            or self._module(importer, name)
            or self._installed(name)
            or (() if name.startswith(".") else tuple(self._stray(importer, name)))
        )

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


def chain(found: Mapping[str, Visit], path: str) -> Chain:
    """The way to a file that was reached, entry first."""
    imports: list[Location] = []
    place = path
    while (by := found[place].by) is not None:
        place = found[place].come_from
        imports.append(Location(place, by.line))
    return Chain(path, tuple(reversed(imports)), found[path].guard, found[path].guard_by)


def _visit(path: str, here: Visit, by: Import) -> Visit:
    """An import under two guards is as likely as the stronger one lets it be."""
    if _RANKS[by.guard] > _RANKS[here.guard]:
        return Visit(path, by, by.guard, by.guard_by)
    return Visit(path, by, here.guard, here.guard_by)
