"""Reads plain words of the command line: known options, each with its value, and paths.

What it gives is what typer would; of anything else it gives nothing, and typer says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from portaudit.cli.given import OPTIONS, Asked

_FLAG = "bool"
_MANY = "list["
_READERS: Mapping[str, Callable[[str], object]] = {"str": str, "Path": Path, "int": int}


def parse(words: Sequence[str], names: Collection[str]) -> tuple[list[Path] | None, Asked] | None:
    """The paths and options of a command that has options of these names, or None."""
    known = {spelled: name for name in names for spelled in OPTIONS[name].names}
    paths: list[Path] = []
    given: dict[str, Any] = {}
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        if word == "--":
            paths += [Path(each) for each in reversed(waiting)]
            break
        if not word.startswith("-"):
            paths.append(Path(word))
            continue
        spelled, equals, value = word.partition("=")
        name = known.get(spelled)
        if name is None or (equals and not spelled.startswith("--")):
            return None
        kind = _kind(name)
        if kind == _FLAG:
            if equals or name in given:
                return None
            given[name] = True
            continue
        if not equals:
            value = waiting.pop() if waiting else ""
        if not _is_plain(value, name):
            return None
        many = kind.startswith(_MANY)
        read = _READERS[kind.removeprefix(_MANY).rstrip("]")](value)
        if many:
            given.setdefault(name, []).append(read)
        elif name in given:
            return None
        else:
            given[name] = read
    return paths or None, Asked(**given)


def _kind(name: str) -> str:
    """The type of an option without `None`, as its annotation spells it."""
    return str(Asked.__annotations__[name]).removesuffix(" | None")


def _is_plain(value: str, name: str) -> bool:
    """Whether a value can mean only one thing."""
    if not value or value.startswith("-"):
        return False
    return _kind(name) != "int" or (value.isascii() and value.isdecimal())
