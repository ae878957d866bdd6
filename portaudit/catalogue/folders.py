"""Which files a directory of rules has: no more than somebody would write, and none from elsewhere.

A directory in the audited tree was written by whoever wrote the tree.
"""

from __future__ import annotations

import stat
from pathlib import Path

from msgspec import Struct

from portaudit.errors import CatalogueError

_MOST = 1_000
"""Files of rules, and tables, of one directory."""
_LARGEST = 1_000_000
"""Bytes of one of them."""
_LARGEST_SUM = 10_000_000
"""Bytes of all of them."""


class Folder(Struct, frozen=True):
    """What is read of a directory of rules: its `rules`, and what `data` stands beside them."""

    rules: tuple[Path, ...]
    data: tuple[Path, ...]


def files(directory: Path, root: Path | None = None) -> Folder:
    """The files of a directory, each of which can be read without harm.

    Of a directory below `root` none may be a link that leads out of that. Raises `CatalogueError`.
    """
    if not directory.is_dir():
        raise CatalogueError(f"{directory}: no such directory of rules")
    within = root if root is not None and directory.resolve().is_relative_to(root) else None
    rules = [path for path in directory.rglob("*.toml") if path.parent.name != "_data"]
    data = list(directory.glob("_data/*"))
    if len(rules) + len(data) > _MOST:
        raise CatalogueError(f"{directory}: more than {_MOST:,} files of rules")
    if sum(_size(path, within) for path in (*rules, *data)) > _LARGEST_SUM:
        raise CatalogueError(f"{directory}: more than {_LARGEST_SUM // 1_000_000} MB of rules")
    return Folder(tuple(sorted(rules)), tuple(sorted(data)))


def _size(path: Path, within: Path | None) -> int:
    try:
        place = path.resolve(strict=True)
        found = place.stat()
    except (OSError, RuntimeError) as error:  # older Pythons say so that links form a loop
        raise CatalogueError(f"{path}: cannot be read: {error}") from error
    if within is not None and not place.is_relative_to(within):
        raise CatalogueError(f"{path}: is a link that leads out of {within}")
    if not stat.S_ISREG(found.st_mode):
        raise CatalogueError(f"{path}: is no file")
    if found.st_size > _LARGEST:
        raise CatalogueError(f"{path}: is larger than {_LARGEST // 1_000_000} MB")
    return found.st_size
