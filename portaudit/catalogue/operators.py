"""The user's own list of operators: what their release of the target has kernels for.

What an operator needs is known from PyTorch (`rules/_data/operator_traces.csv`); what a release
provides is best known to a host that has it. Applied to a catalogue, a list adds the names that
need more than it has, and takes away the rows that only guess. Knows nothing of source.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue.load import Catalogue, Row
from portaudit.errors import ConfigError

COLUMN = "operators"
"""The column of a table that says which operators a name needs, separated by spaces."""
MISSING = "missing"
"""The placeholder `{row.missing}`: those of them that the user's list lacks."""
_OPERATOR = re.compile(r"(?:torch\.ops\.)?aten(?:::|\.)(\w+(?:\.\w+)?)|(\w+(?:\.\w+)?)")
_LARGEST = 10_000_000
"""Bytes of a list of operators."""
_FOREIGN = re.compile(r"\w+::\S+")


class OperatorList(Struct, frozen=True, dict=True):
    """Operators with a kernel on the target, spelled as in PyTorch (`add.Tensor`, `acos`)."""

    names: frozenset[str]

    @cached_property
    def _overloads(self) -> bool:
        return any("." in name for name in self.names)

    def lacks(self, operators: Sequence[str]) -> tuple[str, ...]:
        """Which of these operators it does not have.

        An operator is there if it is listed, or if its `out` form is: PyTorch derives the others
        from that. A list without any overloads speaks of all overloads of a name.
        """
        return tuple(name for name in operators if not self._has(name))

    def _has(self, operator: str) -> bool:
        if operator in self.names:
            return True
        base = operator.partition(".")[0]
        if not self._overloads:
            return base in self.names
        return bool({base, base.removesuffix("_")} & self._with_out)

    @cached_property
    def _with_out(self) -> frozenset[str]:
        found = (name.partition(".") for name in self.names)
        return frozenset(base for base, _, overload in found if overload.endswith("out"))


def read(path: Path) -> OperatorList:
    """Read a list. Raises `ConfigError` for a file that cannot be read or lists no operator."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path}: the operator list is larger than {_LARGEST:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the operator list cannot be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, where: str) -> OperatorList:
    """The operators in a text: one a line, `#` for comments, or a JSON list of strings.

    `aten::add.Tensor`, `aten.add.Tensor` and `add.Tensor` are the same; operators of other
    namespaces are left out. Raises `ConfigError`.
    """
    names = set()
    for entry in _entries(text, where):
        if _FOREIGN.fullmatch(entry) and not entry.startswith("aten::"):
            continue
        found = _OPERATOR.fullmatch(entry)
        if not found:
            raise ConfigError(
                f'{where}: "{entry}" is no operator; a line is a name such as aten::add.Tensor'
            )
        names.add((found.group(1) or found.group(2)).removesuffix(".default"))
    if not names:
        raise ConfigError(f"{where}: the operator list names no operator of aten")
    return OperatorList(frozenset(names))


def _entries(text: str, where: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{where}: not valid JSON: {error}") from error
        if not all(isinstance(item, str) for item in listed):
            raise ConfigError(f"{where}: a JSON operator list holds strings only")
        return [item.strip() for item in listed if item.strip()]
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def apply(catalogue: Catalogue, known: OperatorList) -> Catalogue:
    """The catalogue as it is for somebody who has this list."""
    rows: dict[tuple[str, int], tuple[Row, ...]] = {}
    for (rule_id, position), plain in catalogue.rows.items():
        if catalogue.rules[rule_id].match[position].unlisted:
            candidates = catalogue.unlisted[rule_id, position]
            rows[rule_id, position] = tuple(
                row.saying({**row.cells, MISSING: _shown(missing)})
                for row in candidates
                if (missing := known.lacks(_needs(row.cells)))
            )
        else:
            rows[rule_id, position] = tuple(row for row in plain if not _needs(row.cells))
    listed = " ".join(sorted(known.names))
    digest = hashlib.sha256(f"{catalogue.digest} {listed}".encode()).hexdigest()[:16]
    return replace(catalogue, rows=rows, digest=digest)


def _needs(cells: Mapping[str, str]) -> list[str]:
    return cells.get(COLUMN, "").split()


def _shown(missing: Sequence[str]) -> str:
    return ", ".join(f"aten::{name}" for name in missing)
