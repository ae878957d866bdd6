"""Python's search for garbage, which costs more than it finds while many objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
