"""Where the first page of a tree sends its readers: links to its folders and files, in order.

A link leads there by its path, or by an address with `/tree/main/` or `/blob/main/` before it, as
hosts of repositories have it: one of the tree's own repository, which is the one that the page has
its readers clone, or that most such links are of. Which folder that is, is for whoever has seen the
tree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from portaudit.catalogue import entries as names
from portaudit.read.text import Text
from portaudit.types import FileKind, Mention

if TYPE_CHECKING:
    from markdown_it.token import Token

_README = re.compile(r"README[\w.-]*", re.IGNORECASE)
_MOST = 500
"""Links of a page; a list that is longer was generated."""
_LONGEST = 200
"""Characters of a path."""
_HOSTED = re.compile(r"https?://[^/?#]+/[^/?#]+/([^/?#]+)/(?:-/)?(?:tree|blob)/[^/?#]+/([^?#]+)")
"""A file or a folder of a repository, by the name of that and its path."""
_CLONED = re.compile(
    r"\bgit clone\b[^\n|;&]{0,200}?(?:https?://|git@|ssh://)[^\s/:]{1,200}[/:][^\s/]{1,200}/([\w.-]+)"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_ANCHOR = re.compile(r"<a\s[^<>]*?\bhref\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
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

    blocks = MarkdownIt("commonmark").parse(text.text)
    links = [
        (block.map[0] + 1 if block.map else 0, target)
        for block in blocks
        for target in _targets(block)
    ]
    own = _own((target for _, target in links), text)
    found: dict[str, Mention] = {}
    for row, target in links:
        path = _path(target, own)
        if path:
            found.setdefault(path, Mention(row, path))
    return tuple(found.values())[:_MOST]


def _own(targets: Iterable[str], text: Text) -> frozenset[str]:
    """The names of repositories that may be the tree's own, of those that a page has links to."""
    linked = Counter(hosted[1].lower() for each in targets if (hosted := _HOSTED.match(each)))
    cloned = {name.lower().removesuffix(".git") for name in _CLONED.findall(text.text)}
    most = max(linked.values(), default=0)
    return frozenset(cloned & linked.keys()) or frozenset(
        name for name, count in linked.items() if count == most
    )


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


def _path(target: str, own: Collection[str]) -> str:
    """The path from the root of the tree that a link means; empty for one to somewhere else.

    So it is for the part of a page that tells of evaluation, or another run that is no training.
    """
    hosted = _HOSTED.match(target)
    is_elsewhere = hosted[1].lower() not in own if hosted else bool(_ADDRESS.match(target))
    if is_elsewhere or names.by_name(target.partition("#")[2]) in names.OTHERWISE:
        return ""
    path = hosted[2] if hosted else re.split(r"[?#]", target, maxsplit=1)[0]
    plain = normpath(unquote(path).strip("/")) if path.strip("/") else ""
    return "" if plain.startswith(".") or len(plain) > _LONGEST else plain
