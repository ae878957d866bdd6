"""What names say of the programs of a tree, from `rules/_data/entries.toml`.

Knows paths and words only: no file, no finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from pathlib import Path
from posixpath import basename
from typing import Literal

from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table
from portaudit.types import EntryKind

Aside = Literal["test", "example"]
"""What the place of a file may set it apart as."""
OTHERWISE: frozenset[EntryKind] = frozenset({"evaluation", "inference", "export", "benchmark"})
"""What a program that trains may be asked to do instead."""
_VERB = re.compile(r"[a-z]+(?:[-_][a-z0-9]+)*")
_SIGNS = re.compile(r"[^a-z0-9]+")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class _Place(Section, frozen=True):
    reach: Aside
    folders: tuple[str, ...]
    files: tuple[str, ...]


class _Words(Section, frozen=True):
    kind: EntryKind
    words: tuple[str, ...]


class _Later(Section, frozen=True):
    words: tuple[str, ...]


class _OtherRuns(Section, frozen=True):
    commands: tuple[str, ...]
    arguments: tuple[str, ...]
    valued: tuple[str, ...]


class _Placing(Section, frozen=True):
    options: frozenset[str]


class _Vendors(Section, frozen=True):
    words: frozenset[str]


class _Making(Section, frozen=True):
    names: frozenset[str]
    locating: dict[str, tuple[str, ...]]


class Trainer(Section, frozen=True):
    """Commands of a library that trains, and how they are given code of the tree.

    `verb`: the first word with which they train, empty if they do nothing else · `gives`: the path
    of a folder, or the name of a package that is imported with all that is in it · `inner`: folders
    of it of which every module is imported · `source`: the page that says so.
    """

    commands: tuple[str, ...]
    modules: tuple[str, ...]
    verb: str
    options: tuple[str, ...]
    gives: Literal["folder", "package"]
    inner: tuple[str, ...]
    source: str

    def given(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """What a command line gives it as code, as written."""
        if self.verb and (not arguments or arguments[0] != self.verb):
            return ()
        found: dict[str, None] = {}
        for word, following in pairwise((*arguments, "")):
            name, sign, value = word.partition("=")
            is_flag = name.startswith("-")
            option = name.replace("_", "-") if is_flag else name.lstrip("+")
            is_valued = bool(sign) or (is_flag and _is_value(following))
            if option in self.options and is_valued:
                found[(value if sign else following).strip("\"'")] = None
        return tuple(text for text in found if text)


class Table(Section, frozen=True):
    """The file: places, kinds of program by the words of names, what changes their meaning."""

    place: tuple[_Place, ...]
    kind: tuple[_Words, ...]
    folder: tuple[_Words, ...]
    later: _Later
    other_runs: _OtherRuns
    placing: _Placing
    vendors: _Vendors
    making: _Making
    trainer: tuple[Trainer, ...]


@cache
def _table() -> Table:
    return read(builtin_rules() / "_data" / "entries.toml")


def read(path: Path) -> Table:
    """Read a table of names. Raises `CatalogueError`."""
    return read_table(path, Table)


def aside(path: str) -> Aside | None:
    """Whether a file's place makes it a test or an example."""
    *folders, name = path.lower().split("/")
    return next((place.reach for place in _table().place if _lies(place, folders, name)), None)


def by_name(name: str) -> EntryKind | None:
    """What a program is for, as far as its name says."""
    said = words(name)
    return next((each.kind for each in _table().kind if said.intersection(each.words)), None)


def by_folder(path: str) -> EntryKind | None:
    """The same by the nearest folder with such a name."""
    for folder in reversed(path.split("/")[:-1]):
        said = words(folder)
        kind = by_name(folder) or next(
            (each.kind for each in _table().folder if said.intersection(each.words)), None
        )
        if kind:
            return kind
    return None


def is_later(name: str) -> bool:
    """Whether a program that trains begins, by its name, with what other training made."""
    said = words(name)
    return bool(said.intersection(_table().later.words)) and "pretrain" not in said


def runs_otherwise(arguments: tuple[str, ...]) -> bool:
    """Whether arguments have a program that trains do something else.

    A first word that is no path may be a subcommand: `serve`, `convert_checkpoint`.
    """
    others = _table().other_runs
    if arguments[:1] and arguments[0] in others.commands:
        return True
    if subcommand(arguments) in OTHERWISE:
        return True
    return any(
        word.partition("=")[0] in others.arguments
        and not (word in others.valued and _is_value(following))
        for word, following in pairwise((*arguments, ""))
    )


def _is_value(word: str) -> bool:
    return bool(word) and not word.startswith("-")


def subcommand(arguments: tuple[str, ...]) -> EntryKind | None:
    """What a line asks a program to do by its first word, if that may be a subcommand."""
    first = arguments[0] if arguments else ""
    return by_name(first) if _VERB.fullmatch(first) else None


def of_the_run(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Arguments without those that say on what a program runs, and how it is launched."""
    placing = _table().placing.options
    kept: list[str] = []
    is_before_value = False
    for word in arguments:
        name, sign, _ = word.partition("=")
        option = name.lstrip("-").rpartition(".")[2].replace("-", "_").lower()
        is_option = word.startswith("-")
        is_placing = option in placing and (is_option or bool(sign))
        if not (is_placing or (is_before_value and not is_option)):
            kept.append(word)
        is_before_value = is_placing and not sign
    return tuple(kept)


def is_for_others(path: str) -> bool:
    """Whether a page or a script tells, by its path, of a run on somebody else's devices."""
    return not _table().vendors.words.isdisjoint(_SIGNS.split(path.lower()))


def makers() -> frozenset[str]:
    """Names of functions that make whatever a file of settings names."""
    return _table().making.names


def locating() -> Mapping[str, tuple[str, ...]]:
    """Functions that look up what a whole name means, with where they are given it."""
    return _table().making.locating


def trainers() -> tuple[Trainer, ...]:
    """The commands of libraries that train what they are given of a tree."""
    return _table().trainer


def trainer(target: str, *, module: bool) -> Trainer | None:
    """The one that a launch starts: by its name, as a module, or by the file of that."""
    for each in trainers():
        files = (f"{name.replace('.', '/')}.py" for name in each.modules)
        if module:
            is_meant = target in each.modules
        else:
            is_meant = basename(target) in each.commands or any(
                f"/{target}".endswith(f"/{file}") for file in files
            )
        if is_meant:
            return each
    return None


@cache
def words(name: str) -> frozenset[str]:
    """The words of a name: `run_preTrain` has `run`, `pre` and `train`."""
    return frozenset(part.lower() for part in _PART.findall(name))


def _lies(place: _Place, folders: list[str], name: str) -> bool:
    return not set(place.folders).isdisjoint(folders) or any(
        fnmatchcase(name, shape) for shape in place.files
    )
