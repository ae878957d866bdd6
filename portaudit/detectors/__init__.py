"""Detectors: what needs flow or two places at once. They yield places, never words or verdicts.

A detector is a function registered by name; modules of this package are found by walking it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portaudit.match.context import Contexts
    from portaudit.match.hits import Spot
    from portaudit.read.python.values import Reader

    Detector = Callable[[Reader, Contexts], Iterator[Spot]]

_REGISTRY: dict[str, Detector] = {}


def detector(name: str) -> Callable[[Detector], Detector]:
    """Register a function as the detector `name`."""

    def register(function: Detector) -> Detector:
        _REGISTRY[name] = function
        return function

    return register


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)


def names() -> tuple[str, ...]:
    """The names of all detectors."""
    _load()
    return tuple(sorted(_REGISTRY))


def get(name: str) -> Detector:
    """The detector of that name."""
    _load()
    return _REGISTRY[name]
