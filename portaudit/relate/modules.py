"""Part of relating: which module of the tree an import means, judged from the paths alone.

Must not read a file. What Python would have on its path is guessed from the shape of the tree, so
a name is first-party only where a run from a usual directory would find it there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from posixpath import basename, dirname, join

from msgspec import Struct, field

from portaudit.discover import Tree

_SOURCE_FOLDERS = ("src", "lib", "python")
"""Where a project keeps its packages, if not beside its manifest."""
_PRIVATE_FOLDERS = frozenset({"tests", "test", "testing", "examples", "benchmarks", "docs"})
"""What lies here is on no path but its own, unless a manifest says otherwise."""


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
        self._by_folder: dict[str, frozenset[str]] = {}

    def first_party(self, path: str) -> frozenset[str]:
        """The top-level names that an absolute import in the file finds inside the tree."""
        folder = dirname(path)
        if folder not in self._by_folder:
            near = (self._offered(place) for place in self._near(folder))
            self._by_folder[folder] = self._everywhere.union(*near)
        return self._by_folder[folder]

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
        outer = _upward(folder)
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
        return any(folder in self._packages for folder in _upward(place))


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


def _upward(folder: str) -> Iterator[str]:
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
