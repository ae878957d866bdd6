"""Folders of the tree that a line installs: copies of a library that the code means then.

Apart from what reads requirements: each scan asks this, and few need those parsers.
"""

from __future__ import annotations

import re

_LOCAL = re.compile(rb"\bpip[\d.]*[ \t]+install\b([^\n`;&|]*)")
_ENTERED = re.compile(
    rb"\bcd[ \t]+([\w./-]+)[ \t]*(?:&&|;|\r?\n)\s*(?:[A-Z_]+=\S+[ \t]+)*"
    rb"(?:python[\d.]*[ \t]+(?:-m[ \t]+pip[ \t]+install|setup\.py[ \t]+(?:install|develop))"
    rb"|(?:uv[ \t]+)?pip[\d.]*[ \t]+install[ \t]+(?:-[\w-]+[ \t]+)*\.)"
)
"""A folder in which the next command installs what lies there."""
_FOLDER = re.compile(r"(?!-)[\w./-]+")


def folders(content: bytes) -> tuple[str, ...]:
    """What lines of a text may install from a folder of the tree: `pip install -e ./ops`.

    Also lines that are no command of their own, as in a list. Whether there is such a folder is for
    who knows the tree: pip takes a path with a slash, but pages leave that out.
    """
    found: dict[str, None] = {}
    if b"install" in content:
        for match in _LOCAL.finditer(content):
            words = match[1].decode(errors="replace").replace('"', " ").replace("'", " ").split()
            read = (_FOLDER.match(word) for word in words)
            found.update(dict.fromkeys(each[0].rstrip("/") for each in read if each))
        entered = (match[1].decode().rstrip("/") for match in _ENTERED.finditer(content))
        found.update(dict.fromkeys(entered))
    return tuple(found)
