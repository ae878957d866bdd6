"""The versions of Python, PyTorch and torch-neuronx that each target runs on, from `rules/_data`.

One place for whoever compares a requirement or a version test with a target. Knows no syntax.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import tomli

from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.errors import CatalogueError
from portaudit.types import Evidence, Status, Target

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

PYTHON = "python"
_PATCHES = 30
"""Patch releases that a line is taken to have: more than any of these ever had."""


class Lines(Section, frozen=True):
    """The release lines of one package on one target, and by whose word. `2.14` is any 2.14.x."""

    lines: tuple[str, ...]
    status: Status
    evidence: Evidence
    source: str
    sdk: str
    checked: datetime.date
    note: str = ""


@cache
def stack() -> Mapping[Target, Mapping[str, Lines]]:
    """Per target and normalised package name, `python` among them. Raises `CatalogueError`."""
    path = builtin_rules() / "_data" / "stack.toml"
    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(data, dict[Target, dict[str, Lines]])
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error


@cache
def versions(target: Target, package: str) -> tuple[Version, ...]:
    """Versions of a package that the target may have, oldest first."""
    from packaging.version import Version  # noqa: PLC0415 - who asks has loaded it

    lines = stack()[target][package].lines
    return tuple(Version(f"{line}.{patch}") for line in lines for patch in range(_PATCHES))


def excludes(target: Target, package: str, wanted: SpecifierSet) -> bool:
    """Whether no version that the target has satisfies `wanted`."""
    return not any(wanted.contains(version, True) for version in versions(target, package))


def excluded_by(target: Target, requirement: Requirement) -> bool:
    """Whether a requirement applies on a target and leaves out all that the target has.

    False for packages that the target does not prescribe, and where the marker does not hold.
    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    package = canonicalize_name(requirement.name)
    if package not in stack()[target] or package == PYTHON:
        return False
    return _applies(target, requirement.marker) and excludes(target, package, requirement.specifier)


def _applies(target: Target, marker: Marker | None) -> bool:
    """Whether a marker holds on every Python of the target, on Linux and without extras."""
    if marker is None:
        return True
    return all(
        marker.evaluate(
            {
                "python_version": line,
                "python_full_version": f"{line}.0",
                "implementation_version": f"{line}.0",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "platform_machine": "x86_64",
                "platform_system": "Linux",
                "sys_platform": "linux",
                "os_name": "posix",
                "extra": "",
            }
        )
        for line in stack()[target][PYTHON].lines
    )
