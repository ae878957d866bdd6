"""Fourier transforms of a model's own layers: what comes back from frequencies in a step.

A layer that convolves or mixes by frequencies goes there, multiplies and comes back, in each step
and with gradients. A loss, a front end or a picture of frequencies only goes there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from portaudit.catalogue.entries import words
from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.match.host import on_host, operand
from portaudit.read.python.model import Place, Scope
from portaudit.read.python.nodes import descendants
from portaudit.read.python.values import Reader
from portaudit.types import Confidence

_THERE = tuple(f"{kind}{of}" for kind in ("fft", "rfft", "hfft") for of in ("", "2", "n"))
_BACK = tuple(f"i{name}" for name in _THERE)
_GRADIENTLESS = ("no_grad", "inference_mode")
_OF_LOSS = ("loss", "criterion", "metric", "augment")
"""How words begin in names of code that judges or prepares: there the CPU is a bearable way."""


@detector("transform-and-back")
def transform_and_back(reader: Reader, contexts: Contexts) -> Iterator[Spot]:
    """Yield the transforms of functions and classes that come back from frequencies in a step."""
    model = reader.model
    groups: dict[Scope, list[tuple[cst.Call, Place, str]]] = {}
    for name in (*_THERE, *_BACK):
        for call in model.called.get(name, ()):
            place = model.places[call]
            if reader.name(call.func) == f"torch.fft.{name}" and not _judges(reader, place):
                groups.setdefault(place.scope.outermost, []).append((call, place, name))
    if not groups:
        return
    free = _without_gradients(reader)
    for group in groups.values():
        calls = [each for each in group if each[0] not in free]
        if any(name in _BACK for _, _, name in calls):
            yield from _spots(reader, contexts, calls)


def _spots(
    reader: Reader, contexts: Contexts, calls: Iterable[tuple[cst.Call, Place, str]]
) -> Iterator[Spot]:
    for call, place, name in calls:
        certainty = contexts.step(place)
        if certainty and not on_host(reader, operand(call)):
            unsure: Confidence | None = None if certainty == "sure" else "low"
            yield Spot(call, place, f"torch.fft.{name}", unsure, key=call.func)


def _judges(reader: Reader, place: Place) -> bool:
    """Whether a place is of a loss, a metric or the data by its names."""
    names = words(reader.source.path) | words(place.scope.qualname)
    return any(word.startswith(_OF_LOSS) for word in names)


def _without_gradients(reader: Reader) -> set[cst.CSTNode]:
    """The calls of a file that have `no_grad` around them, as a block or on their function."""
    found: set[cst.CSTNode] = set()
    for name in _GRADIENTLESS:
        for call in reader.model.called.get(name, ()):
            statement = reader.model.places[call].statement
            if isinstance(statement, (cst.With, cst.FunctionDef)) and statement not in found:
                found.update(
                    each
                    for each in descendants(statement.body)
                    if isinstance(each, (cst.Call, cst.With, cst.FunctionDef))
                )
    return found
