"""Where the first page of a tree sends its readers: links to its folders and files, in order.

A link leads there by its path, or by an address with `/tree/main/` or `/blob/main/` before it, as
hosts of repositories have it. Which folder that is, is for whoever has seen the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from portaudit.read.text import Text
from portaudit.types import FileKind, Mention

if TYPE_CHECKING:
    from markdown_it.token import Token

_README = re.compile(r"README[\w.-]*", re.IGNORECASE)
_MOST = 500
"""Links of a page; a list that is longer was generated."""
_LONGEST = 200
"""Characters of a path."""
_HOSTED = re.compile(r"https?://[^/?#]+/[^/?#]+/[^/?#]+/(?:-/)?(?:tree|blob)/[^/?#]+/([^?#]+)")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_ANCHOR = re.compile(r"<a\s[^>]*?\bhref\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_PATH = re.compile(r"\.{0,2}/?[\w.-]+(?:/[\w.-]+)*/[\w.-]*|[\w-]+\.(?:py|ipynb)")
"""Code in a sentence that can only be a path, or the name of a program."""
_PROGRAM = re.compile(r"(?<![\w/.-])[\w-]+\.(?:py|ipynb)(?![\w/.-])")
"""The name of a program in a sentence."""


def may_mention(kind: FileKind, path: str) -> bool:
    """Whether a file is the first page of its tree."""
    return kind == "markdown" and bool(_README.fullmatch(path))


def mentions(text: Text) -> tuple[Mention, ...]:
    """The paths that a page leads to, each once, in the order of the page."""
    # A hook on other files is not to wait for this parser.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    found: dict[str, Mention] = {}
    for block in MarkdownIt("commonmark").parse(text.text):
        row = block.map[0] + 1 if block.map else 0
        for target in _targets(block):
            path = _path(target)
            if path:
                found.setdefault(path, Mention(row, path))
    return tuple(found.values())[:_MOST]


def _targets(block: Token) -> Iterator[str]:
    if block.type == "html_block":
        yield from _ANCHOR.findall(block.content)
    for each in block.children or ():
        if each.type == "link_open":
            yield str(each.attrs.get("href", ""))
        elif each.type == "html_inline":
            yield from _ANCHOR.findall(each.content)
        elif each.type == "code_inline" and _PATH.fullmatch(each.content):
            yield each.content
        elif each.type == "text":
            yield from _PROGRAM.findall(each.content)


def _path(target: str) -> str:
    """The path from the root of the tree that a link means; empty for one to somewhere else."""
    hosted = _HOSTED.match(target)
    if hosted is None and _ADDRESS.match(target):
        return ""
    path = hosted[1] if hosted else re.split(r"[?#]", target, maxsplit=1)[0]
    plain = normpath(unquote(path).strip("/")) if path.strip("/") else ""
    return "" if plain.startswith(".") or len(plain) > _LONGEST else plain
