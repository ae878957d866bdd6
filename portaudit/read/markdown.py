"""Reads READMEs and the like: only what their shell examples install.

markdown-it finds the code blocks. What else a user is told to run is documentation, not code, so
nothing else of a block is handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from portaudit.read.items import Document, Item
from portaudit.read.shell import script
from portaudit.read.text import Text

_SHELLS = frozenset({"bash", "sh", "shell", "zsh", "console", "shell-session", "terminal", "cmd"})
_PROGRAM = re.compile(r"\b(?:pip|conda|mamba|micromamba|uv|poetry|pdm|pipenv|pixi)[\d.]*\b")
_VERB = re.compile(r"\b(?:install|add|create)\b")
_COMMAND = re.compile(
    r"\s*(?:sudo\s+|[A-Z_]+=\S*\s+)*(?:(?:python|pip|uv|conda|mamba|micromamba|poetry|pdm|pipenv|"
    r"pixi)[\d.]*)\s"
)
_PROMPT = re.compile(r"\s*(?:\([\w.-]+\)\s*)?(?:\$|#|>|!|%)\s?(?=\S)")
"""What a shell or notebook shows before a command."""


def read(text: Text) -> Document:
    """A Markdown file as a document."""
    if not any(_installs(line) for line in text.lines):
        return Document()
    blocks = MarkdownIt("commonmark").parse(text.text)
    return Document(tuple(item for block in blocks for item in _block(text, block)))


def _installs(line: str) -> bool:
    return bool(_VERB.search(line) and _PROGRAM.search(line))


def _block(text: Text, block: Token) -> Iterator[Item]:
    if block.type not in {"fence", "code_block"} or block.map is None:
        return
    language = (block.info.split() or [""])[0].strip("{}.").lower()
    if language and language not in _SHELLS:
        return
    lines = block.content.split("\n")
    if not any(_installs(line) for line in lines):
        return
    first = block.map[0] + (block.type == "fence")
    code = _code(text, lines, first, plain=not language)
    for item in script(code):
        if item.kind == "dependency":
            yield replace(item, forms=("readme",))


def _code(text: Text, lines: Sequence[str], first: int, *, plain: bool) -> Text:
    """The commands of a block without prompts. With `plain`, what is no installer is left out.

    Where any line has a prompt, lines without one are output, but for continued commands.
    """
    prompted = any(re.match(r"\s*(?:\([\w.-]+\)\s*)?[$!]\s?\S", line) for line in lines)
    kept: list[str] = []
    starts: list[tuple[int, int]] = []
    continued = False
    for offset, line in enumerate(lines):
        prompt = _PROMPT.match(line) if prompted else None
        code = line[prompt.end() :] if prompt else line
        shown = continued or (
            (prompt is not None or not prompted) and (not plain or bool(_COMMAND.match(code)))
        )
        row = first + offset
        outer = text.line_at(row)
        column = max(outer.rfind(code), 0) if code else 0
        kept.append(code if shown else "")
        starts.append(text.place(row, column))
        continued = shown and line.rstrip().endswith("\\")
    return Text(text.path, "\n".join(kept), tuple(starts))
