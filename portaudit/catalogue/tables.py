"""Reads the tables of words, numbers and advice that stand beside the rules, each as its type."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec
import tomli

from portaudit.errors import CatalogueError

T = TypeVar("T")


def read_table(path: Path, kind: type[T]) -> T:
    """Read and check a TOML file. Raises `CatalogueError`."""
    try:
        return msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), kind)
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error
