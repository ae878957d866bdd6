"""Text of the audited code and of rules as HTML: all of it characters, none of it markup.

What cannot be seen, or turns the direction of text, is shown by its number.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from portaudit.report.outcome import decimal, whole

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff]"
)
"""Controls, marks of direction, characters of no width, and what no page may hold."""
_PICTURES = 0x2400
"""Where Unicode has pictures of the first controls."""
_SCROLLS = '<pre tabindex="0" role="group" aria-label="Code">'
"""Code that may be wider than its place: somebody without a mouse has to be able to move it."""
_LEAST = 0.05
_CODE = re.compile(r"`([^`]+)`")


def seen(text: str) -> str:
    """The same text with everything in it visible."""
    return _HIDDEN.sub(_shown, whole(text.replace("\r\n", "\n")))


def _shown(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < ord(" "):
        return chr(_PICTURES + number)
    return "\u2421" if match[0] == "\x7f" else f"\u27e8U+{number:04X}\u27e9"


def inline(text: str) -> Markup:
    """A line of ours with parts of the audited code: what stands in backticks is code."""
    parts = _CODE.split(seen(text))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def prose(text: str) -> Markup:
    """Advice in Markdown: paragraphs, lists and code, and nothing else that Markdown has."""
    # The renderer escapes all text, and of markup it has only what is enabled below.
    made = _markdown().render(seen(text)).replace("<pre>", _SCROLLS)
    return Markup(made)  # noqa: S704


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only where there is advice

    kinds = ["list", "fence", "backticks", "emphasis", "escape", "newline"]
    return MarkdownIt("zero", {"langPrefix": "", "breaks": False}).enable(kinds)


def amount(points: float) -> str:
    """Points that something costs: what rounds to nothing is something still."""
    return decimal(points) if points >= _LEAST or points <= 0 else "under 0.1"


def address(url: str) -> str:
    """An address that may be linked to, or nothing."""
    return seen(url) if re.match(r"https?://[^\s/]", url) else ""


def host(url: str) -> str:
    """The name of the server that an address leads to."""
    return seen(url.split("://", 1)[-1].split("/", 1)[0])
