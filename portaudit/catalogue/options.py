"""What code is known by that has settings and tables, from `rules/_data/options.toml`."""

from __future__ import annotations

import datetime
import re
from functools import cache
from pathlib import Path

from portaudit.catalogue.globs import any_of
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table

_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Declaring(Section, frozen=True):
    """Calls that make a setting, by last names, and by whole ones what makes all of a class."""

    options: frozenset[str]
    adding: frozenset[str]
    commands: frozenset[str]
    flags: frozenset[str]
    keyed: frozenset[str]
    switches: dict[str, str]
    parsers: frozenset[str]
    fields: dict[str, tuple[str, ...]]


class Holding(Section, frozen=True):
    """What has settings as its attributes."""

    words: frozenset[str]
    made: frozenset[str]
    attributed: frozenset[str]
    altering: frozenset[str]
    objects: frozenset[str]
    namespaces: frozenset[str]
    feeding: dict[str, bool]
    reading: frozenset[str]
    outside: frozenset[str]
    making: frozenset[str]
    filing: frozenset[str]
    formats: frozenset[str]
    parsing: frozenset[str]
    texts: frozenset[str]
    others: frozenset[str]


class Never(Section, frozen=True):
    """What is no setting, although it looks like one."""

    modes: frozenset[str]
    libraries: frozenset[str]
    outside: frozenset[str]


class Defaults(Section, frozen=True):
    """Classes of a library whose fields are settings, and what each is where nobody gives it."""

    classes: frozenset[str]
    values: dict[str, tuple[str, ...]]
    source: str
    versions: tuple[str, ...]
    checked: datetime.date
    maker: str = ""
    launchers: frozenset[str] = frozenset()
    launched: frozenset[str] = frozenset()


class Tables(Section, frozen=True):
    """What keeps classes and functions under names."""

    entering: tuple[str, ...]
    named: tuple[str, ...]
    asking: frozenset[str]
    building: tuple[str, ...]
    types: frozenset[str]
    readers: frozenset[str]
    keys: frozenset[str]


class Called(Section, frozen=True):
    """What others call by its name on what they are given."""

    modules: frozenset[str]


class Words(Section, frozen=True):
    """The file."""

    declaring: Declaring
    holding: Holding
    never: Never
    defaults: tuple[Defaults, ...]
    tables: Tables
    called: Called


@cache
def words() -> Words:
    """The table of the built-in catalogue."""
    return read(builtin_rules() / "_data" / "options.toml")


def read(path: Path) -> Words:
    """Read a table of words. Raises `CatalogueError`."""
    return read_table(path, Words)


@cache
def defaults_of(name: str) -> Defaults | None:
    """What is known of a library's class, by its whole name."""
    return next((each for each in words().defaults if name in each.classes), None)


@cache
def given_by(launcher: str) -> frozenset[str]:
    """The settings that a launcher may give a program otherwise than by its command line."""
    return frozenset().union(
        *(each.launched for each in words().defaults if launcher in each.launchers)
    )


@cache
def holds(name: str) -> bool:
    """Whether a variable or an attribute holds settings, by its name."""
    return any(word.lower() in words().holding.words for word in _PART.findall(name))


@cache
def enters(name: str) -> bool:
    """Whether a call or a decorator puts something into a table, by its last name."""
    return bool(any_of(words().tables.entering).match(name))


@cache
def builds(name: str) -> bool:
    """Whether a call takes something out of a table by what a config names, by its last name."""
    return bool(any_of(words().tables.building).match(name))
