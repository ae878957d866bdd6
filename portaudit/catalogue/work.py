"""What kind of work a category of findings asks for, and when: `rules/_data/work.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table
from portaudit.types import Category, Verdict


class _Asks(Section, frozen=True):
    verdict: Verdict
    because: str
    categories: tuple[Category, ...]
    rules: tuple[str, ...] = ()


class Phase(Section, frozen=True):
    """Work that is done together. `after`: names of phases whose work it needs.

    `imported`: categories that belong here where they stop a program as it starts.
    """

    name: str
    because: str
    categories: tuple[Category, ...] = ()
    imported: tuple[Category, ...] = ()
    after: tuple[str, ...] = ()


class Table(Section, frozen=True):
    """The file: what each category asks for, and the phases in their order."""

    asks: tuple[_Asks, ...]
    phase: tuple[Phase, ...]


@cache
def table() -> Table:
    """The table that comes with the rules."""
    return read(builtin_rules() / "_data" / "work.toml")


def read(path: Path) -> Table:
    """Read a table of work. Raises `CatalogueError`."""
    return read_table(path, Table)


def asks(rule: str, category: Category) -> Verdict:
    """What a grave finding of a rule asks for."""
    known = _asked()
    return known.get(rule) or known[category]


@cache
def _asked() -> Mapping[str, Verdict]:
    return {word: each.verdict for each in table().asks for word in (*each.categories, *each.rules)}
