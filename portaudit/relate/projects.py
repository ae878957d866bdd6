"""Tells the projects apart that lie in one tree: folders with a page or a manifest of their own.

Most trees are one project, with such folders only for show; so what this says counts where nothing
better does, and never against what the main path imports.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from posixpath import basename, dirname

from msgspec import Struct

from portaudit.discover import Tree
from portaudit.types import FileResult

_PAGE = re.compile(r"readme[\w.-]*\.(?:md|markdown|rst|txt)", re.IGNORECASE)
_MANIFEST = re.compile(
    r"(?:setup\.py|setup\.cfg|pyproject\.toml|requirements\.txt|environment\.ya?ml)"
)
_MAKING = frozenset({"setup.py", "setup.cfg", "pyproject.toml"})
"""Manifests that something is made by, and that do not only list what is needed."""


def homes(paths: Iterable[str]) -> frozenset[str]:
    """The folders that have a page or a manifest directly in them."""
    return frozenset(
        dirname(path)
        for path in paths
        if _MANIFEST.fullmatch(basename(path)) or _is_page(basename(path))
    )


def meant(folders: Collection[str], path: str, places: Collection[str]) -> Collection[str]:
    """Of several files that have a name, those that a file means by it.

    Those of the smallest project around it, a folder of some, that has any; else all of them.
    """
    if len(places) > 1:
        for folder in _around(path):
            if folder in folders:
                own = {place for place in places if place.startswith(f"{folder}/")}
                if own:
                    return own
    return places


def _is_page(name: str) -> bool:
    return bool(_PAGE.fullmatch(name))


class OtherProjects:
    """The projects of a tree that the main path has no part in.

    A folder with a page or a manifest, in which nothing of the main path lies, and which has a
    program that trains: declared by its own manifest, or started by a file of its own. Of a folder
    within the project of the main program a page says too little: it may be a part of that.
    """

    def __init__(
        self,
        paths: Collection[str],
        programs: Mapping[str, Iterable[str]],
        starts: Collection[str],
        path: Iterable[str],
    ) -> None:
        """What tells them.

        `programs`: those that train, each with the files that start it · `starts`: the files that
        the main path begins with · `path`: all that lies on it.
        """
        every = homes(paths)
        declared = {dirname(each) for each in paths if _MANIFEST.fullmatch(basename(each))}
        made = {dirname(each) for each in paths if basename(each) in _MAKING}
        own = {next((each for each in _around(start) if each in every), "") for start in starts}
        taken = {folder for each in (*starts, *path) for folder in _around(each)}
        found: set[str] = set()
        for folder in every - taken - {""}:
            inner = f"{folder}/"
            is_part = any(not home or inner.startswith(f"{home}/") for home in own)
            if is_part and folder not in made:
                continue
            found.update(
                folder
                for program, starting in programs.items()
                if program.startswith(inner)
                and (folder in declared or any(each.startswith(inner) for each in starting))
            )
        self._folders = found

    def of(self, path: str) -> str:
        """The smallest of them around a file, empty for none."""
        return next((folder for folder in _around(path) if folder in self._folders), "")


def _around(path: str) -> Iterator[str]:
    """The folders around a file, from inside out, without the root."""
    folder = dirname(path)
    while folder:
        yield folder
        folder = dirname(folder)


class First(Struct, frozen=True):
    """The project that a tree leads with: its folder, its own pages, and why, in words."""

    folder: str
    pages: tuple[str, ...]
    why: str


class Projects:
    """The folders of a tree that may be projects of their own."""

    def __init__(self, results: Iterable[FileResult], tree: Tree) -> None:
        self._homes = homes(tree.files)
        self._pages = [path for path in tree.files if _is_page(basename(path))]
        told = [(each.path, each.facts.mentions) for each in results if each.facts.mentions]
        # Of a page in several languages the one without a mark.
        told.sort(key=lambda each: (len(each[0]), each[0]))
        self._page, self._mentions = told[0] if told else ("", ())

    def home(self, path: str) -> str:
        """The nearest folder above a file that has a page or a manifest; empty for the root."""
        return next((folder for folder in _around(path) if folder in self._homes), "")

    def names(self, path: str) -> bool:
        """Whether the first page of the tree leads to a file, or has its name."""
        return any(each.path in {path, basename(path)} for each in self._mentions)

    def leads_to(self, path: str) -> bool:
        """Whether a page at the root of the tree leads to a file."""
        return not dirname(self._page) and any(each.path == path for each in self._mentions)

    def first(self, paths: Iterable[str], *, named: bool = False) -> First | None:
        """The project that the tree leads with of those that some programs belong to.

        The one that the first page of the tree names first; else that which lies highest, unless
        it has to be `named`. None if the tree itself is among them, or if nothing tells.
        """
        found = {self.home(path) for path in paths}
        if "" in found or len(found) == 1:
            return None
        told = self._named(found)
        if told:
            home, line = next(iter(told.items()))
            why = f"{self._page}:{line} names `{home}` before other projects of the tree"
        elif named:
            return None
        else:
            least = min(each.count("/") for each in found)
            highest = [each for each in found if each.count("/") == least]
            if len(highest) > 1:
                return None
            home = highest[0]
            why = f"`{home}` lies above other projects of the tree"
        return First(home, tuple(each for each in self._pages if dirname(each) == home), why)

    def _named(self, folders: Iterable[str]) -> dict[str, int]:
        """The line that first names each of some folders, or what lies in it."""
        inner = sorted(folders, key=len, reverse=True)
        found: dict[str, int] = {}
        for each in self._mentions:
            home = next((home for home in inner if f"{each.path}/".startswith(f"{home}/")), None)
            if home is not None:
                found.setdefault(home, each.line)
        return found
