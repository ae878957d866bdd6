"""Which packages are one library: PyPI, conda and git have several names for the same code.

Packages that Python imports under one name replace each other, so they are one library, known by
the first of them in the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from portaudit.catalogue.items import glob

if TYPE_CHECKING:
    from portaudit.catalogue.load import Row

_NAMESPACES = frozenset({"nvidia"})
"""Import names that packages share without being one library: each has a folder of it."""


class Libraries(Struct, frozen=True):
    """Libraries, each as the table row that it is known by.

    `packages`: by normalised name · `series`: the same for patterns of names (`spconv-cu*`) ·
    `modules`: by dotted import name.
    """

    packages: Mapping[str, Row]
    series: tuple[tuple[str, Row], ...]
    modules: Mapping[str, Row]

    def required(self, name: str) -> Row | None:
        """The library that a requirement asks for."""
        exact = self.packages.get(name)
        if exact is not None:
            return exact
        fitting = (row for text, row in self.series if glob("dependency", text).fullmatch(name))
        return next(fitting, None)

    def imported(self, name: str) -> Row | None:
        """The library that a dotted name belongs to: by the longest part that a table has."""
        while name:
            if name in self.modules:
                return self.modules[name]
            name = name.rpartition(".")[0]
        return None


def libraries(rows: Iterable[Row]) -> Libraries:
    """The libraries of table rows, in the order of the tables."""
    known = [row for row in rows if row.imports]
    first: dict[str, str] = {}
    """By each name the first name that is known to be of the same library."""

    def found(name: str) -> str:
        while first.setdefault(name, name) != name:
            name = first[name]
        return name

    for row in known:
        for name in row.imports.split():
            if name not in _NAMESPACES:
                # Names of packages and of modules are apart: PyPI's `warp` is not warp-lang's.
                first[found(f"import {name}")] = found(row.name)
    best: dict[str, Row] = {}
    for row in sorted(known, key=lambda row: "*" in row.name):
        best.setdefault(found(row.name), row)
    by_name = {row.name: best[found(row.name)] for row in known}
    modules: dict[str, Row] = {}
    for row in known:
        for name in row.imports.split():
            modules.setdefault(name, by_name[row.name])
    plain = {name: row for name, row in by_name.items() if "*" not in name}
    series = ((name, row) for name, row in by_name.items() if "*" in name and "*" not in row.name)
    return Libraries(plain, tuple(series), modules)
