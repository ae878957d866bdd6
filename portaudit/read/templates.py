"""Templates of files (Helm, Jinja, ERB): their expressions masked, so that the rest can be read.

Nothing moves: a mask has the length of what it covers.
"""

from __future__ import annotations

import re

MASK = "\ue000"
"""Stands for each character of an expression: the value is not known."""
_CONTROL = re.compile(rf"^[ \t]*(?:{MASK}[{MASK} \t]*|[$%]\{{[^\n]*\}}[ \t]*)$", re.MULTILINE)
_EXPRESSIONS = (("{{", "}}"), ("{%", "%}"), ("<%", "%>"))


def mask(source: str) -> tuple[str, bool]:
    """The text with expressions masked, and whether it must be filled in to be what it is to be.

    A line that holds only expressions becomes empty. `${{ … }}` of workflows is masked as well, but
    such a file is whole as it stands. A line of only `${…}` or `%{…}` is Terraform's.
    """
    template = False
    for opening, closing in _EXPRESSIONS:
        parts: list[str] = []
        done = 0
        while (start := source.find(opening, done)) >= 0:
            end = source.find(closing, start + len(opening))
            if end < 0:
                break
            end += len(closing)
            template = template or not source.endswith("$", 0, start)
            parts += source[done:start], re.sub(r"[^\n]", MASK, source[start:end])
            done = end
        source = "".join(parts) + source[done:]
    shown, cleared = _CONTROL.subn("", source)
    return shown, template or bool(cleared)
