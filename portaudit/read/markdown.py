"""Reads READMEs and the like: what their shell examples install and start.

markdown-it finds the code blocks, and code in a sentence. What else a user is told to run is
documentation, not code, so nothing else of it is handed on.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from posixpath import basename

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from portaudit.read.items import Document, Item
from portaudit.read.launches import SAID, is_file
from portaudit.read.programs import begins_command
from portaudit.read.shell import script
from portaudit.read.text import Text

_MANUAL = re.compile(r"README|INSTALL", re.IGNORECASE)
"""Beginnings of the names of files that say how a project is installed."""
_SHELLS = frozenset({"bash", "sh", "shell", "zsh", "console", "shell-session", "terminal", "cmd"})
_PROGRAM = re.compile(r"\b(?:pip|conda|mamba|micromamba|uv|poetry|pdm|pipenv|pixi)[\d.]*\b")
_VERB = re.compile(r"\b(?:install|add|create)\b")
_COMMAND = re.compile(
    r"\s*(?:sudo\s+|[A-Z_]+=\S*\s+)*(?:(?:python|pip|uv|conda|mamba|micromamba|poetry|pdm|pipenv|"
    r"pixi)[\d.]*)\s"
)
_STARTS = re.compile(
    r"\s*(?:(?:[A-Za-z_]\w*=\S*|sudo|srun|mpirun|nohup|time)\s+)*(?:"
    r"(?:\S*/)?(?:python[\d.]*|torchrun|accelerate|deepspeed|composer|lightning|fabric|colossalai|"
    r"horovodrun|mpirun|bash|sh|sbatch|srun|docker|uv|poetry|conda|cd|pushd)\s|"
    r"\.{0,2}/?[\w./-]*\w\.(?:sh|py|slurm)(?:\s|$)|[a-z][a-z0-9]*(?:-[a-z0-9]+)+\s)"
)
"""A line of a block in no named language that can only be a command."""
_LAUNCHES = re.compile(
    r"(?:(?:[A-Za-z_]\w*=\S*|sudo|srun|mpirun|nohup|time)\s+)*"
    r"(?:\S*/)?(?:python[\d.]*|torchrun|accelerate|deepspeed|composer|lightning|fabric|colossalai|"
    r"horovodrun|mpirun|bash|sh|sbatch|srun|docker|uv|poetry|conda|cd|pushd)\s"
)
"""One of a block in another language, which some only name for its colours."""
_PROMPT = re.compile(r"\s*(?:\([\w.-]+\)\s*)?(?:\$|#|>|!|%)\s?(?=\S)")
"""What a shell or notebook shows before a command."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BREAK = re.compile(r"((?<!\\)(?:\\\\)*)\\$")
"""What stands for a sign of its own in a paragraph, and what ends its line."""
_PROSE = "text"
"""The language of what is no block of code."""
_DIRECTIVE = re.compile(r"\s*\.\. (?:code-block|code|sourcecode|parsed-literal)::[ \t]*([\w-]*)")
_LITERAL = re.compile(r"``([^`]+)``")
_OPTION = re.compile(r"\s+:[\w-]+:")
"""Blocks of reStructuredText, code in its sentences, and the options of a directive."""


def read(text: Text) -> Document:
    """A Markdown file as a document.

    What else than a README says of installing is about anything: only its launches count. So it is
    with reStructuredText, in which no comment could accept a finding.
    """
    if text.path.lower().endswith(".rst"):
        return Document(tuple(_structured(text)))
    blocks = MarkdownIt("commonmark").parse(text.text)
    quoted = (item for block in _quotes(blocks) for item in _quoted(text, block))
    items = (*(item for block in blocks for item in _block(text, block)), *quoted)
    is_manual = bool(_MANUAL.match(basename(text.path)))
    return Document(tuple(item for item in items if is_manual or item.kind == "launch"))


def _structured(text: Text) -> Iterator[Item]:
    """What the literal blocks of reStructuredText start, and code in its sentences."""
    row = 0
    while row < len(text.lines):
        line = text.lines[row]
        directive = _DIRECTIVE.match(line)
        row += 1
        if directive is None and not line.rstrip().endswith("::"):
            for said in _LITERAL.findall(line):
                if begins_command(said):
                    yield from _said(text, said, row - 1)
            continue
        if directive is None and line.lstrip().startswith(".. "):
            continue  # a note, or whatever has text in it
        first, lines = _indented(text.lines, row, _indent(line))
        language = directive[1].lower() if directive else ""
        row = first + len(lines)
        yield from _launches(text, lines, first, language)


def _indented(lines: Sequence[str], row: int, outer: int) -> tuple[int, list[str]]:
    """The first row of the text that is further in than a line, without options, and its lines."""
    while row < len(lines) and (not lines[row].strip() or _OPTION.match(lines[row])):
        row += 1
    end = row
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > outer):
        end += 1
    return row, list(lines[row:end])


def _launches(text: Text, lines: Sequence[str], first: int, language: str) -> Iterator[Item]:
    """What the commands of a block start; in one of another language only files and modules."""
    is_foreign = bool(language) and language not in _SHELLS
    is_command = _is_launch if is_foreign else None if language else _STARTS.match
    code = _code(text, lines, first, is_command)
    for item in script(code) if code.text.strip() else ():
        if item.kind == "launch" and _is_meant(text, lines, code, item):
            if not is_foreign or is_file(item):
                yield replace(item, forms=("readme",))


def _is_launch(line: str) -> bool:
    """Whether a line begins with what starts programs, and no Python does so."""
    bare = line.strip().rstrip("\\")
    if not _LAUNCHES.match(bare):
        return False
    try:
        ast.parse(bare)
    except (SyntaxError, ValueError):
        return True
    return False


def _installs(line: str) -> bool:
    return bool(_VERB.search(line) and _PROGRAM.search(line))


def _block(text: Text, block: Token) -> Iterator[Item]:
    if block.type == "inline":
        yield from _inline(text, block)
    if block.type not in {"fence", "code_block"} or block.map is None:
        return
    language = (block.info.split() or [""])[0].strip("{}.").lower()
    lines = block.content.split("\n")
    first = block.map[0] + (block.type == "fence")
    if language in {"", *_SHELLS} and any(_installs(line) for line in lines):
        code = _code(text, lines, first, None if language else _COMMAND.match)
        for item in script(code) if code.text.strip() else ():
            if item.kind == "dependency":
                yield replace(item, forms=("readme",))
    yield from _launches(text, lines, first, language)


def _is_meant(text: Text, lines: Sequence[str], code: Text, item: Item) -> bool:
    """Whether a word is a command, and not part of the output or help that a block shows as well.

    A command of some project begins no further in than the block does, and so does a file that is
    started by nothing but its name: a map of the project is full of such. No shell finds one that
    has no folder before it.
    """
    if item.name or (is_file(item) and item.parts):
        return True
    if is_file(item):
        shown = [line for line in lines if line.strip()]
        row = item.span.line - code.starts[0][0]
        return "/" in str(item.value) and _indent(lines[row]) <= _indent(shown[0])
    first = next(row for row, line in enumerate(code.lines) if line.strip())
    rows = code.starts[first][0] - 1, item.span.line - 1
    block, own = (_indent(text.line_at(row)) for row in rows)
    return own <= block


def _quotes(blocks: Iterable[Token]) -> Iterator[Token]:
    """The paragraphs that are quoted, as some set off their commands."""
    depth = 0
    for block in blocks:
        depth += (block.type == "blockquote_open") - (block.type == "blockquote_close")
        if depth and block.type == "inline" and block.map is not None:
            yield block


def _quoted(text: Text, block: Token) -> Iterator[Item]:
    """What the lines of a quoted paragraph start, read as they are shown to people.

    A backslash at the end of a command is escaped there, and one breaks the line.
    """
    lines = [_ESCAPED.sub(r"\1", _BREAK.sub(r"\1", line)) for line in block.content.split("\n")]
    yield from _launches(text, lines, block.map[0] if block.map else 0, _PROSE)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _inline(text: Text, block: Token) -> Iterator[Item]:
    """The programs that a sentence names with what they are given: `python train.py`."""
    for each in block.children or ():
        if each.type == "code_inline" and block.map and begins_command(each.content):
            rows = range(*block.map)
            row = next((row for row in rows if each.content in text.line_at(row)), rows[0])
            yield from _said(text, each.content, row)


def _said(text: Text, command: str, row: int) -> Iterator[Item]:
    """What a command in a sentence starts."""
    for item in script(Text(text.path, command, (text.place(row, 0),))):
        if item.kind == "launch" and is_file(item):
            yield replace(item, forms=(SAID,))


def _whole(first: str, others: Iterable[str]) -> str:
    """The command that a line begins, with those that it goes on in."""
    found = first
    for line in others:
        if not found.rstrip().endswith("\\"):
            break
        found = f"{found.rstrip()[:-1]} {line.lstrip()}"
    return found


def _code(
    text: Text, lines: Sequence[str], first: int, is_command: Callable[[str], object] | None
) -> Text:
    """The commands of a block without prompts. With `is_command`, other lines are left out.

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
            (prompt is not None or not prompted)
            and (is_command is None or bool(is_command(_whole(code, lines[offset + 1 :]))))
        )
        row = first + offset
        outer = text.line_at(row)
        column = max(outer.rfind(code), 0) if code else 0
        kept.append(code if shown else "")
        starts.append(text.place(row, column))
        continued = shown and line.rstrip().endswith("\\")
    return Text(text.path, "\n".join(kept), tuple(starts))
