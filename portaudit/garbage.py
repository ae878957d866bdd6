"""Python's search for garbage, which costs more than it finds while many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = 200_000
"""New objects that make Python search: more than there are when a file was judged. Its own number,
700, has it search some hundred times while modules load."""


def rarely() -> None:
    """Search seldom from now on: what a run makes, modules before all, mostly stays till its end.

    What is let go in between is still found, a few megabytes later.
    """
    gc.set_threshold(_RARELY)


def leave() -> None:
    """Search no more: the program ends, and all that it holds ends with it."""
    gc.disable()
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Search for no garbage meanwhile: for work whose objects stay until it ends."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def sweep() -> None:
    """Search what is new since the last time: a model is a knot of scopes and what is bound there.

    Called when models were let go, so that what stays, and is looked at no more, are results.
    """
    gc.collect(0)
