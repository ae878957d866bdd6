"""Which native sources are compiled together, and what compiles them: by lists that code writes.

Two sources that are compiled know each other's functions only where one build has both. What is
compiled while a program runs is there only if that program comes to the line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from posixpath import basename, dirname, join, normpath, splitext

from msgspec import Struct, field

from portaudit.kinds import kind_by_name
from portaudit.marks import ANY_PART
from portaudit.relate.modules import upward
from portaudit.relate.nearby import LOADING, SOURCES, users
from portaudit.types import Compiled, FileResult, Location


class Builds(Struct):
    """Answers what is compiled with what. `of`: the numbers of the builds that have a source.

    `open`: folders whose sources a build may have that does not say which, `""` for the whole tree
    · `loads`: the lines that compile a source while a program runs · `installed`: the sources that
    installing compiles · `told`: folders of which a build lists sources · `included`: the names of
    sources that others include · `others`: folders with files that may compile what lies below ·
    `is_loaded`: libraries are loaded by their path, which somebody compiles.
    """

    of: dict[str, set[int]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    loads: dict[str, set[Location]] = field(default_factory=dict)
    installed: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    included: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    is_loaded: bool = False
    named: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often a file says the name of a source, to compile the one that it is known to mean.

    So without the end of the name.
    """

    @classmethod
    def by(cls, results: Sequence[FileResult]) -> Builds:
        """The builds of a tree."""
        found = cls()
        sources = {result.path for result in results if result.path.endswith(SOURCES)}
        number = 0
        for result in results:
            if kind_by_name(result.path) in {"cmake", "make"}:
                found.others.add(dirname(result.path))
            found.included.update(result.facts.native.includes)
            for each in result.facts.native.compiles:
                found._add(number, result.path, each, sources)
                number += 1
        found.is_loaded = bool(number and users(results, LOADING))
        return found

    def _add(self, number: int, path: str, build: Compiled, sources: Collection[str]) -> None:
        for text in build.sources:
            known = _meant(path, text, sources)
            if not known:  # anything, or what is only there when it is built
                self.open.add("" if build.loads else dirname(path))
            if known and len(known) == 1 and ANY_PART not in text:
                for name in (basename(text), splitext(basename(text))[0]):
                    self.named[path, name] = self.named.get((path, name), 0) + 1
            for source in known or ():
                self.of.setdefault(source, set()).add(number)
                self.told.add(dirname(source))
                if build.loads:
                    self.loads.setdefault(source, set()).add(Location(path, build.line))
                else:
                    self.installed.add(source)

    def are_linked(self, one: str, other: str) -> bool:
        """Whether code of a file may mean what another one defines, as far as builds tell."""
        mine, others = self.of.get(one), self.of.get(other)
        if one == other or not mine or not others or not mine.isdisjoint(others):
            return True
        return any(_holds(folder, one) and _holds(folder, other) for folder in self.open)

    def loading(self, path: str) -> frozenset[Location] | None:
        """The lines that alone compile a source, all while programs run; none if nothing does.

        None if that is not known.
        """
        is_open = any(_holds(folder, path) for folder in self.open)
        if is_open or not path.endswith(SOURCES) or path in self.installed:
            return None
        if path in self.loads:
            return frozenset(self.loads[path])
        is_told = dirname(path) in self.told and basename(path) not in self.included
        is_made = any(_holds(folder, path) for folder in self.others)
        return frozenset() if is_told and not (is_made or self.is_loaded) else None


def compiling(results: Sequence[FileResult]) -> Iterator[tuple[Location, Collection[str]]]:
    """The lines that compile native sources, each with those of the tree that it may mean."""
    sources = {result.path for result in results if result.path.endswith(SOURCES)}
    for result in results:
        for each in result.facts.native.compiles:
            known = (_meant(result.path, text, sources) for text in each.sources)
            found = {path for paths in known for path in paths or ()}
            yield Location(result.path, each.line), found


def _holds(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _meant(path: str, text: str, sources: Collection[str]) -> Collection[str] | None:
    """The files of a tree that a path means in a file; None if that may be any."""
    name = basename(text)
    if not name.strip(ANY_PART):
        return None
    if ANY_PART not in text and not text.startswith("/"):
        for folder in upward(dirname(path)):
            there = normpath(join(folder, text))
            if there in sources:
                return {there}
    pattern = normpath(text.lstrip("/")).lstrip("./")
    if text.startswith("/"):
        found = {each for each in sources if _fits(each, pattern)}
        return found or {each for each in sources if fnmatchcase(basename(each), name)}
    return {each for each in sources if _fits(f"/{each}", f"*/{pattern}") or _fits(each, pattern)}


def _fits(path: str, pattern: str) -> bool:
    """Whether a path has a pattern, in which `**/` and a first `*/` may also be no folder."""
    shorter = pattern.replace("/**/", "/").removeprefix("**/").removeprefix("*/")
    return any(fnmatchcase(path, each) for each in (pattern, shorter))
