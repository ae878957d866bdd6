"""What effort and score assume, and what a user assumes instead: `rules/_data/assumptions.toml`.

Nothing here knows what the numbers are for, only which of them make sense.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, cast

import msgspec
from msgspec import Struct

from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table
from portaudit.errors import ConfigError, nearest
from portaudit.types import EFFORTS, Assumption, Effort, GuardState, Severity

Range = tuple[float, float]
Value = float | str | Range
LEAST_RATIO = 2
"""A narrower range claims to know more than an estimate does: whoever has one says its source."""
_ROUNDING = 1e-9
_LEAST = 1e-6
"""Below this a number that is not 0 is a slip, and no estimate."""
_MOST_DAYS = 100_000
_MOST_SITES = 1_000_000
_ENTRY = ("value", "source")


class _Days(Section, frozen=True):
    value: Range
    because: str


class _Number(Section, frozen=True):
    value: Annotated[float, msgspec.Meta(ge=0)]
    because: str


class _Class(Section, frozen=True):
    value: Effort
    because: str


class _Sites(Section, frozen=True):
    further: _Number
    most: _Number


class _Kernels(Section, frozen=True):
    further: _Number


class _Wiring(Section, frozen=True):
    effort: _Class


class _Setting(Section, frozen=True):
    off: _Number


class _Floor(Section, frozen=True):
    blocker: _Number


class _Levels(Section, frozen=True):
    minor: _Number
    major: _Number
    blocker: _Number


class Table(Section, frozen=True):
    """The file: every number with its reason."""

    effort: dict[Effort, _Days]
    sites: _Sites
    kernels: _Kernels
    wiring: _Wiring
    guard: dict[GuardState, _Number]
    setting: _Setting
    points: _Levels
    floor: _Floor
    scale: _Levels


class Assumptions(Struct, frozen=True):
    """The numbers in force, by name (`effort.large`), and which of them the user set.

    A range of days is a pair, a class of effort a word.
    """

    values: Mapping[str, Value]
    changed: tuple[Assumption, ...] = ()

    def days(self, effort: Effort) -> Range:
        """Engineer-days for the first place of a root cause, low and high."""
        return cast("Range", self.values[f"effort.{effort}"])

    def guard(self, guard: GuardState) -> float:
        """The share of the effort that a guarded place still needs."""
        return self._number(f"guard.{guard}")

    @property
    def off(self) -> float:
        """The same of what waits for a setting that is off."""
        return self._number("setting.off")

    @property
    def further_site(self) -> float:
        """The share of the first place's effort that each further one adds."""
        return self._number("sites.further")

    @property
    def further_kernel(self) -> float:
        """The share of its own effort that each further kernel of an operator adds."""
        return self._number("kernels.further")

    @property
    def most_sites(self) -> int:
        """How many places count."""
        return int(self._number("sites.most"))

    @property
    def wiring(self) -> Effort:
        """The effort of what only hands on kernels that are counted by themselves."""
        return cast("Effort", self.values["wiring.effort"])

    def points(self, severity: Severity) -> float:
        """Points that root causes of at least a severity can cost together, at that level."""
        return self._number(f"points.{severity}")

    def floor(self, severity: Severity) -> float:
        """Points of that which the first of them costs, however small."""
        return self._number("floor.blocker") if severity == "blocker" else 0.0

    def scale(self, severity: Severity) -> float:
        """Days after which 63 % of what is above the floor is lost."""
        return self._number(f"scale.{severity}")

    def _number(self, name: str) -> float:
        return cast("float", self.values[name])


@cache
def standard() -> Assumptions:
    """What is assumed where the user says nothing."""
    rows = reasons()
    return Assumptions({name: value for name, (value, _) in rows.items()})


@cache
def reasons() -> Mapping[str, tuple[Value, str]]:
    """Every assumption by its name, with its reason."""
    table = read(builtin_rules() / "_data" / "assumptions.toml")
    groups = msgspec.to_builtins(table)
    return {
        f"{group}.{key}": (_frozen(entry["value"]), entry["because"])
        for group, entries in groups.items()
        for key, entry in entries.items()
    }


def read(path: Path) -> Table:
    """Read a table of assumptions. Raises `CatalogueError`."""
    return read_table(path, Table)


def changed(given: Mapping[str, object], where: str) -> Assumptions:
    """The standard ones but for what a user's table says. Raises `ConfigError`.

    An entry is a value, or a table of it and its `source`.
    """
    base = standard()
    values = dict(base.values)
    notes: list[Assumption] = []
    groups = {name.partition(".")[0] for name in values}
    for group, entries in given.items():
        if group not in groups:
            raise ConfigError(f"{where}: unknown key {group!r}{nearest(group, groups)}")
        if not isinstance(entries, dict):
            raise ConfigError(f"{where}: {group} must be a table, such as {_example(group, base)}")
        keys = [name.partition(".")[2] for name in values if name.startswith(f"{group}.")]
        for key, entry in entries.items():
            name = f"{group}.{key}"
            if key not in keys:
                raise ConfigError(f"{where}: unknown key {name!r}{nearest(key, keys)}")
            value, source = _entry(entry, f"{where}: {name}")
            reader = _BY_NAME.get(name) or _BY_NAME[group]
            values[name] = reader(value, f"{where}: {name}", source)
            if values[name] != base.values[name]:
                notes.append(Assumption(name, told(values[name]), told(base.values[name]), source))
    _check_order(values, where)
    _check_points(values, where)
    return Assumptions(values, tuple(sorted(notes)))


def told(value: Value) -> str:
    """A value as TOML and JSON write it: `[5, 20]`, `0.5`, `"small"`."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(told, value))}]"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _frozen(value: object) -> Value:
    return cast("Value", tuple(value) if isinstance(value, list) else value)


def _example(group: str, base: Assumptions) -> str:
    name, value = next(item for item in base.values.items() if item[0].startswith(f"{group}."))
    return f"{name} = {told(value)}"


def _entry(entry: object, where: str) -> tuple[object, str]:
    if not isinstance(entry, dict):
        return entry, ""
    for key in entry:
        if key not in _ENTRY:
            raise ConfigError(f"{where}: unknown key {key!r}{nearest(key, _ENTRY)}")
    source = entry.get("source", "")
    if "value" not in entry or not isinstance(source, str):
        raise ConfigError(f'{where} must be a value, or {{ value = …, source = "…" }}')
    return entry["value"], source


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_DETAIL = f" (0, or at least {_LEAST:g})"


def _is_amount(value: float, most: float) -> bool:
    return value == 0 or _LEAST <= value <= most


def _days(value: object, where: str, source: str) -> Value:
    match value:
        case [int() | float() as low, int() | float() as high] if all(map(_is_number, value)):
            low, high = float(low), float(high)
        case _:
            raise ConfigError(f"{where} must be two numbers of days, such as [1, 5]")
    if not 0 < low <= high:
        raise ConfigError(f"{where}: the first number must be above 0 and not above the second")
    if low < _LEAST or high > _MOST_DAYS:
        raise ConfigError(f"{where}: days must be between {_LEAST:g} and {_MOST_DAYS}")
    if high < LEAST_RATIO * low and not source.strip():
        raise ConfigError(
            f"{where}: {told((low, high))} is narrower than a factor of {LEAST_RATIO}; say where "
            f'it comes from: {{ value = {told((low, high))}, source = "…" }}'
        )
    return low, high


def _share(value: object, where: str, _source: str) -> Value:
    if not _is_number(value) or not _is_amount(cast("float", value), 1):
        raise ConfigError(f"{where} must be a share from 0 to 1{_DETAIL}")
    return cast("float", value)


def _count(value: object, where: str, _source: str) -> Value:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_SITES:
        raise ConfigError(f"{where} must be a number of places, at least 1, at most {_MOST_SITES}")
    return value


def _points(value: object, where: str, _source: str) -> Value:
    if not _is_number(value) or not _is_amount(cast("float", value), 100):
        raise ConfigError(f"{where} must be a number of points, 0 or more, at most 100{_DETAIL}")
    return cast("float", value)


def _scale(value: object, where: str, _source: str) -> Value:
    if not _is_number(value) or not _LEAST <= cast("float", value) <= _MOST_DAYS:
        raise ConfigError(
            f"{where} must be a number of days above 0 (from {_LEAST:g} to {_MOST_DAYS})"
        )
    return cast("float", value)


def _class(value: object, where: str, _source: str) -> Value:
    if value not in EFFORTS:
        hint = nearest(value, EFFORTS) if isinstance(value, str) else ""
        raise ConfigError(f"{where} must be one of {', '.join(EFFORTS)}{hint}")
    return cast("str", value)


def _check_order(values: Mapping[str, Value], where: str) -> None:
    """A class of effort takes no less than the one before: else more work might cost less."""
    for milder, harder in pairwise(EFFORTS):
        less, more = (cast("Range", values[f"effort.{name}"]) for name in (milder, harder))
        if less[0] > more[0] or less[1] > more[1]:
            raise ConfigError(
                f"{where}: effort.{harder} ({told(more)}) must not be below effort.{milder} "
                f"({told(less)})"
            )


def _check_points(values: Mapping[str, Value], where: str) -> None:
    """What hangs together across entries: the points are shares of one hundred."""
    names = [name for name in values if name.startswith("points.")]
    total = math.fsum(cast("float", values[name]) for name in names)
    if not math.isclose(total, 100, abs_tol=_ROUNDING):
        now = ", ".join(f"{name} = {told(values[name])}" for name in names)
        raise ConfigError(f"{where}: points must sum to 100, not {total:g} ({now})")
    if cast("float", values["floor.blocker"]) > cast("float", values["points.blocker"]):
        raise ConfigError(
            f"{where}: floor.blocker ({told(values['floor.blocker'])}) must not be above "
            f"points.blocker ({told(values['points.blocker'])})"
        )


_Reader = Callable[[object, str, str], Value]
_BY_NAME: Mapping[str, _Reader] = {
    "effort": _days,
    "sites.further": _share,
    "sites.most": _count,
    "kernels": _share,
    "wiring": _class,
    "guard": _share,
    "setting": _share,
    "points": _points,
    "floor": _points,
    "scale": _scale,
}
"""How a value is read, by its name or by the group that it is in."""
