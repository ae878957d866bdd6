"""Part of relating: which module of the tree an import means, judged from the paths alone.

Must not read a file. What Python would have on its path is guessed from the shape of the tree, so
a name is first-party only where a run from a usual directory would find it there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import takewhile
from posixpath import basename, dirname, join, normpath

from msgspec import Struct, field

from portaudit.discover import Tree
from portaudit.marks import ANY_PART
from portaudit.names import Names

_SOURCE_FOLDERS = ("src", "lib", "python")
"""Where a project keeps its packages, if not beside its manifest."""
_PRIVATE_FOLDERS = frozenset({"tests", "test", "testing", "examples", "benchmarks", "docs"})
"""What lies here is on no path but its own, unless a manifest says otherwise."""

_SHORTEST = 2
"""Letters that are enough to tell modules by how their names end."""


class _Names(Struct):
    """What a directory offers to an import: packages and modules, and bare directories."""

    solid: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)


class Modules:
    """The modules of a tree, by the names that the importing files give them.

    `installed` are the import names of libraries known to be regular packages. They win over a
    mere directory of the same name (`kernels/triton/softmax.py`), as they do in Python, and over
    packages of other projects in the tree: a copy of a library is that library.
    """

    def __init__(self, tree: Tree, installed: frozenset[str] = frozenset()) -> None:
        self._files = frozenset(tree.modules)
        self._folders = _folders(tree.modules)
        self._installed = installed
        self._packages = {dirname(path) for path in tree.modules if basename(path) == "__init__.py"}
        if "" in tree.projects:
            self._packages.discard("")  # a stray file: the root is where the packages are
        self._root_name = tree.root.name if "" in self._packages else ""
        self._names = _names(self._files, self._folders)
        projects = sorted(tree.projects | {""})
        self._projects = {each.replace("_", "-"): each for each in projects if each}
        self._declared = [
            place
            for project in projects
            for place in (project, *(join(project, name) for name in _SOURCE_FOLDERS))
            if place in self._names and not self._inside_package(place)
        ]
        self._undeclared = [
            place
            for place in sorted({dirname(package) for package in self._packages if package})
            if place not in self._declared and self._is_reachable(place)
        ]
        elsewhere = (
            *(self._names[place].solid | self._names[place].loose for place in self._declared),
            *(self._names[place].solid for place in self._undeclared),
        )
        self._everywhere = frozenset().union(*elsewhere) - installed | ({self._root_name} - {""})
        self._by_folder: dict[str, Names] = {}

    def first_party(self, path: str) -> Names:
        """The top-level names that an absolute import in the file finds inside the tree."""
        folder = dirname(path)
        known = self._by_folder.get(folder)
        if known is None:
            # Each folder adds its own names to those of the folders around it.
            known = Names(self._everywhere)
            for place in reversed(list(upward(folder))):
                if place not in self._packages:
                    there = self._by_folder.get(place)
                    known = Names(self._offered(place), known) if there is None else there
                self._by_folder[place] = known
        return known

    def module_path(self, importer: str, dotted: str) -> tuple[str, tuple[str, ...]] | None:
        """The file that a name, spelled as in the importing file, leads to, and what is left of it.

        `.config.DEVICE` in `pkg/train.py` gives `pkg/config.py` and `("DEVICE",)`. The longest
        module wins; a package is its `__init__.py`. `None` for what is not in the tree.
        """
        bare = dotted.lstrip(".")
        parts = tuple(bare.split(".")) if bare else ()
        level = len(dotted) - len(bare)
        if level:
            base = _climb(dirname(importer), level - 1)
            return None if base is None else self._resolve(base, parts)
        if not parts or parts[0] not in self.first_party(importer):
            return None
        return self._resolve_absolute(dirname(importer), parts)

    def matching(self, importer: str, pattern: str) -> tuple[str, ...]:
        """The files that a name may lead to of which a part is not known: `pkg.models.*`.

        What stands before the first `*` is followed; below a package all that fits is meant.
        """
        bare = pattern.lstrip(".")
        level = len(pattern) - len(bare)
        head, _, tail = bare.partition(ANY_PART)
        outer, _, stub = head.rpartition(".")
        parts = tuple(outer.split(".")) if outer else ()
        if not head and not level:
            return self._ending(tail)
        if level:
            base = _climb(dirname(importer), level - 1)
            places = [] if base is None else [base]
        elif parts and parts[0] not in self.first_party(importer):
            return ()
        else:
            places = [*self._near(dirname(importer)), *self._declared, *self._undeclared]
            if parts[:1] == (self._root_name,):
                places, parts = [""], parts[1:]
        for place in places:
            found = self._below(join(place, *parts), stub, tail, deep=bool(parts or level))
            if found:
                return found
        return ()

    def _below(self, folder: str, stub: str, tail: str, *, deep: bool) -> tuple[str, ...]:
        """The modules of a folder whose names begin, and if there are such also end, so."""
        if folder not in self._folders:
            return ()
        prefix = f"{folder}/" if folder else ""
        first = bisect_left(self._sorted, prefix)
        last = bisect_left(self._sorted, f"{prefix}\U0010ffff")
        named = {path: dotted(path[len(prefix) :]) for path in self._sorted[first:last]}
        found = [
            path
            for path, name in named.items()
            if name.startswith(stub) and name and (deep or "." not in name)
        ]
        ending = tail.replace(ANY_PART, "")
        return tuple([path for path in found if named[path].endswith(ending)] or found)

    def _ending(self, tail: str) -> tuple[str, ...]:
        if len(tail.strip("._*")) < _SHORTEST or ANY_PART in tail:
            return ()
        return tuple(path for path in self._sorted if dotted(path).endswith(tail))

    def stray(
        self,
        importer: str,
        dotted: str,
        roots: Collection[str] = (),
        packages: Collection[str] = (),
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Where a name leads that no usual directory has: to the nearest folders that have it.

        Those of no package, as a run may begin there, and `roots`: inside packages as well.
        `packages` are some that lack the file that says so.
        """
        parts = tuple(dotted.split("."))
        first = parts[0]
        if not first or first in self._installed:
            return ()
        places = [
            place
            for place in self._having.get(first, ())
            if place in roots or (place not in packages and self._is_reachable(place))
        ]
        nearness = {place: _common(place, dirname(importer)) for place in places}
        nearest = max(nearness.values(), default=0)
        found = (self._resolve(place, parts) for place in places if nearness[place] == nearest)
        return tuple(each for each in found if each)

    def grafted(self, dotted: str) -> tuple[str, tuple[str, ...]] | None:
        """Where a name leads that begins above the tree, which lies within another one elsewhere.

        `vision.fair.net.tools.train_net` of a tree with a package `net`, and `tools` beside it. One
        name behind that of the package is no sign of it: a library may have both.
        """
        parts = tuple(dotted.split("."))
        if not parts[0] or parts[0] in self._installed:
            return None
        for position, part in enumerate(parts[1:], start=2):
            for place in self._having.get(part, ()):
                rest = parts[position:]
                is_package = join(place, part) in self._packages and place in self._declared
                found = self._resolve(place, rest) if is_package else None
                if found is not None and len(rest) - len(found[1]) > 1:
                    return found
        return None

    def projects_named(self, folder: str, word: str) -> Iterator[str]:
        """Where the modules lie of the project that a word means from a folder, or from above.

        Not of one around the folder: the page of a copy says how that is installed. A page need not
        have the sign between words right.
        """
        for place in upward(folder):
            path = normpath(join(place, word))
            if not f"{folder}/".startswith(f"{path}/") and (
                found := self._projects.get(path.replace("_", "-"))
            ):
                yield from (found, *(join(found, each) for each in _SOURCE_FOLDERS))
                return

    def listed(self, folder: str) -> Iterator[tuple[str, str]]:
        """The modules and the packages of a folder, with what they are called there."""
        for name in sorted(self._names[folder].solid) if folder in self._folders else ():
            found = self._resolve(folder, (name,))
            if found is not None and not found[1]:
                yield name, found[0]

    def is_folder(self, place: str) -> bool:
        """Whether a directory holds source, itself or below it."""
        return place in self._folders

    def offers(self, folder: str, name: str) -> bool:
        """Whether a folder has a module or a package of that name."""
        return folder in self._folders and name in self._names[folder].solid

    def inside(self, folder: str, dotted: str) -> tuple[str, tuple[str, ...]] | None:
        """Where a name leads from a folder on."""
        return self._resolve(folder, tuple(dotted.split(".")))

    @cached_property
    def _having(self) -> Mapping[str, list[str]]:
        """The folders that have each module or package."""
        found: dict[str, list[str]] = {}
        for place in sorted(self._folders):
            for name in self._names[place].solid if place in self._names else ():
                found.setdefault(name, []).append(place)
        return found

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(path for path in self._files if path.endswith(".py"))

    def _resolve_absolute(
        self, folder: str, parts: tuple[str, ...]
    ) -> tuple[str, tuple[str, ...]] | None:
        first, rest = parts[0], parts[1:]
        places = [*self._near(folder), *self._declared, *self._undeclared]
        for place in places:
            if first in self._names[place].solid:
                return self._resolve(place, parts)
        if first == self._root_name:
            return self._resolve("", rest)
        loose = (
            self._resolve(place, parts) for place in places if first in self._names[place].loose
        )
        return next((found for found in loose if found), None)

    def _resolve(self, base: str, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        start = join(base, "__init__.py")
        best = (start, parts) if start in self._files else None
        place = base
        for position, part in enumerate(parts, start=1):
            place = join(place, part)
            package = join(place, "__init__.py")
            if package in self._files:
                best = package, parts[position:]
            elif f"{place}.py" in self._files:
                return f"{place}.py", parts[position:]
            elif place not in self._folders:
                break
        return best

    def _near(self, folder: str) -> Iterator[str]:
        """Where Python would look for a file's own tree: its source root and those around it."""
        outer = upward(folder)
        source = next((place for place in outer if place not in self._packages), None)
        if source is not None:
            yield source
            yield from (place for place in outer if place not in self._packages)

    def _offered(self, place: str) -> set[str]:
        names = self._names[place]
        return names.solid | (names.loose - self._installed)

    def _is_reachable(self, place: str) -> bool:
        private = _PRIVATE_FOLDERS.intersection(place.split("/"))
        return not private and not self._inside_package(place)

    def _inside_package(self, place: str) -> bool:
        return any(folder in self._packages for folder in upward(place))


def _names(files: frozenset[str], folders: frozenset[str]) -> defaultdict[str, _Names]:
    names: defaultdict[str, _Names] = defaultdict(_Names)
    for path in files:
        stem, dot, suffix = basename(path).rpartition(".")
        if dot and suffix == "py" and stem.isidentifier() and stem != "__init__":
            names[dirname(path)].solid.add(stem)
    for folder in folders - {""}:
        if basename(folder).isidentifier():
            outer = names[dirname(folder)]
            solid = join(folder, "__init__.py") in files
            (outer.solid if solid else outer.loose).add(basename(folder))
    return names


def _folders(files: Iterable[str]) -> frozenset[str]:
    """The directories that hold source directly or below."""
    folders: set[str] = set()
    for path in files:
        folder = dirname(path)
        while folder not in folders:
            folders.add(folder)
            folder = dirname(folder)
    return frozenset(folders)


def dotted(path: str) -> str:
    """A file as a module of the folder that its path begins in; empty for the folder itself."""
    name = path.removesuffix(".py").replace("/", ".")
    return "" if name in {"__init__", "__main__"} else name.removesuffix(".__init__")


def _common(one: str, other: str) -> int:
    """How many folders two paths have in common from the root on."""
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def upward(folder: str) -> Iterator[str]:
    """A folder and those around it, the root last."""
    yield folder
    while folder:
        folder = dirname(folder)
        yield folder


def _climb(folder: str, levels: int) -> str | None:
    for _ in range(levels):
        if not folder:
            return None
        folder = dirname(folder)
    return folder
