"""Where a report goes in which format, and where its root is in a repository and on a server.

Writes nothing: the command line does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from portaudit.errors import UsageError, nearest
from portaudit.report.formats import FORMATS


class Delivery(Struct, frozen=True):
    """A format, and the file that it goes to; `None` is standard output."""

    format: str
    place: Path | None


def deliveries(words: str, output: Path | None) -> tuple[Delivery, ...]:
    """What `--format F[=FILE],…` and `--output PATH` mean. Raises `UsageError`.

    A format with a file of its own goes there, the others to PATH: several of them, or one where
    PATH is a directory, into a directory. Without PATH they go to standard output. Annotations
    are read from the log: only as the single format do they go to a file unasked. One format may
    go to several places; the same said twice is said once.
    """
    asked = list(dict.fromkeys(_split(word) for word in words.split(",")))
    rest = [name for name, place in asked if place is None]
    if output is None:
        if len(rest) > 1 and not all(FORMATS[name].shares for name in rest):
            raise UsageError(
                "several formats need a directory to go to: add --output DIR, "
                "or give a format its file: --format terminal,json=FILE"
            )
    elif len(rest) > 1 and output.is_file():
        raise UsageError(f"--output {output} is a file; several formats need a directory")
    elif len(rest) > 1 or output.is_dir():
        asked = [(name, place or _within(output, name)) for name, place in asked]
    else:
        asked = [(name, place or output) for name, place in asked]
    places = [place for _, place in asked if place is not None]
    for place in places:
        if places.count(place) > 1:
            names = ", ".join(name for name, at in asked if at == place)
            raise UsageError(f"{place}: two formats cannot go to the same file ({names})")
    return tuple(Delivery(name, place) for name, place in asked)


def _within(directory: Path, name: str) -> Path | None:
    file = FORMATS[name].file
    return directory / file if file else None


def _split(word: str) -> tuple[str, Path | None]:
    name, equals, file = (part.strip() for part in word.partition("="))
    if name not in FORMATS:
        hint = nearest(name, FORMATS) or f"; there are {', '.join(FORMATS)}"
        raise UsageError(f'no format is called "{name}"{hint}')
    if equals and not file:
        raise UsageError(f"--format {name}= names no file")
    return name, Path(file) if file else None


def prefix(root: Path, cwd: Path) -> str:
    """The way from the top of the repository to the root, ending in a slash, or nothing.

    CI servers take paths from there. Outside of any repository, the working directory is the top.
    """
    top = next((each for each in (root, *root.parents) if (each / ".git").exists()), cwd)
    if not root.is_relative_to(top) or root == top:
        return ""
    return root.relative_to(top).as_posix() + "/"


_KNOWN = frozenset({"Hyper", "Tabby", "WezTerm", "ghostty", "iTerm.app", "rio", "terminology"})
_KNOWN_TERMS = ("alacritty", "contour", "foot", "xterm-ghostty", "xterm-kitty")
_TMUX = 3, 4
_VTE = 5000


def opens_links(environ: Mapping[str, str]) -> bool:
    """Whether a terminal is known to open links (OSC 8), by the variables that it sets.

    Others show an address that they do not understand, or nothing; so only known ones get any.
    """
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if term == "dumb":
        return False
    if environ.get("TMUX"):
        version = re.findall(r"\d+", environ.get("TERM_PROGRAM_VERSION", ""))
        return program == "tmux" and tuple(int(part) for part in version[:2]) >= _TMUX
    vte = environ.get("VTE_VERSION", "")
    return (
        program in _KNOWN | {"vscode", "zed"}
        or term.startswith(_KNOWN_TERMS)
        or (vte.isdecimal() and int(vte) >= _VTE)
        or environ.get("COLORTERM") == "xfce4-terminal"
        or any(environ.get(name) for name in ("DOMTERM", "KONSOLE_VERSION", "WT_SESSION"))
    )


def links(root: Path, environ: Mapping[str, str]) -> str:
    """The address of a file below the root, with `{path}` in it.

    `PORTAUDIT_LINK` says another one: `vscode://file{root}/{path}:{line}:{column}`.
    """
    from urllib.parse import quote  # noqa: PLC0415 - most runs have no links

    host = os.uname().nodename if hasattr(os, "uname") else ""
    template = environ.get("PORTAUDIT_LINK") or "file://{host}{root}/{path}"
    found = template.replace("{host}", quote(host)).replace("{root}", quote(root.as_posix()))
    return "".join(found.split())


def link(root: Path, environ: Mapping[str, str]) -> str:
    """The address under which the CI server shows files of the root, or nothing elsewhere."""
    for workspace, start, middle, revision in (
        ("GITHUB_WORKSPACE", _github(environ), "/blob/", "GITHUB_SHA"),
        ("CI_PROJECT_DIR", environ.get("CI_PROJECT_URL", ""), "/-/blob/", "CI_COMMIT_SHA"),
    ):
        top, commit = environ.get(workspace), environ.get(revision)
        if top and commit and start and root.is_relative_to(top):
            from urllib.parse import quote  # noqa: PLC0415 - on servers only

            below = quote((root.relative_to(top) / "_").as_posix().encode("utf-8", "replace"))
            return f"{start}{middle}{commit}/{below.removesuffix('_')}"
    return ""


def _github(environ: Mapping[str, str]) -> str:
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}" if server and repository else ""
