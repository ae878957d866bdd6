"""What makes results, as a digest: this package, its rules, the Python, the packages beside it.

Contents count, not versions that somebody has to raise. They are read only where a file may have
changed since they were: the same question, and the same answer, as for audited files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from portaudit import __version__
from portaudit.files import Disk
from portaudit.store import Store, digest

_PACKAGE = Path(__file__).parent


def program(store: Store | None) -> bytes:
    """A digest of what scans: this package, the Python and the packages beside it."""
    parts = [f"{__version__} {sys.version}".encode(), below(_PACKAGE, store)]
    beside = ("\n".join(_distributions(folder)) for folder in sys.path)
    return digest(*parts, "\0".join(beside).encode("utf-8", "replace"))


def below(folder: Path, store: Store | None) -> bytes:
    """A digest of the files below a folder: of their contents, by way of their states."""
    files = Disk(folder)
    paths = sorted(_below(folder))
    states = [files.state(path) for path in paths]
    key = None
    if store is not None and None not in states:
        key = digest(repr((str(folder), list(zip(paths, states, strict=True)))).encode())
        known = store.get(key)
        if known is not None:
            return bytes(known)
    found = digest(
        *(
            part
            for path in paths
            for content in (files.read(path),)
            for part in (f"{path}\n{len(content)}\n".encode("utf-8", "replace"), content)
        )
    )
    if key is not None and store is not None:
        store.put(key, found)
    return found


def _below(folder: Path) -> Iterator[str]:
    """Everything below a folder that is no byte code and no folder."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        with os.scandir(folder / above) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        waiting.append(f"{above}{entry.name}/")
                else:
                    yield f"{above}{entry.name}"


def _distributions(folder: str) -> list[str]:
    """The packages that are installed in a folder, with their versions."""
    if not folder:
        return []
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:  # the archive of the standard library, or nothing
        return []
    return sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))
