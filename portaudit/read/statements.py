"""Which lines belong together: the statement around a line, as each kind of file has it.

What a comment about a statement speaks for, and what a finding may be accepted on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import itemgetter

from portaudit.read.python.lexing import logical_lines
from portaudit.types import FileKind

_CONTINUED: frozenset[FileKind] = frozenset({"shell", "make", "docker", "native", "requirements"})
"""Kinds in which a backslash at the end of a line means that the next one belongs to it."""
_SCRIPTS: frozenset[FileKind] = frozenset({"yaml", "hcl", "markdown", "notebook"})
"""Kinds that hold shell scripts, in which it means the same."""
_BETWEEN = re.compile(r"\s*(?:#.*)?$")
"""What may stand between the lines of an instruction of a Dockerfile."""
_CMAKE = re.compile(
    r"\#?\[(?P<level>=*)\[.*?\](?P=level)\]|\#[^\n]*|\"(?:\\.|[^\"\\])*\"|[()]|\\.", re.DOTALL
)


def split(text: str) -> list[str]:
    """The lines of a text without their ends, counted as every reader counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class Statements:
    """The statements of one text, found when somebody asks.

    `starts`: in Python, if known, the first lines of all statements, clauses and decorators.
    """

    def __init__(self, kind: FileKind, lines: Sequence[str], starts: Sequence[int] = ()) -> None:
        self.kind = kind
        self.lines = lines
        self._starts = starts

    def around(self, line: int) -> tuple[int, int]:
        """The first and the last line of the statement at a line; all count from 1."""
        if self.kind == "python":
            return self._near(line) or self._among(self._python, line)
        if self.kind == "cmake":
            return self._among(self._cmake, line)
        if self.kind in _CONTINUED or self.kind in _SCRIPTS:
            return self._among(self._continued, line)
        return line, line

    def spoken_for(self, line: int) -> tuple[int, int]:
        """The lines that a comment at a line, or right above it, speaks for.

        More than one statement where a header is what stands for the rest: the lines of a block
        of text in YAML and Markdown, the definition below its decorators.
        """
        first, last = self.around(line)
        decorated = self.kind == "python" and self._is_decorator(first)
        while decorated and (below := self.below(last)):
            decorated = self._is_decorator(below)
            _, last = self.around(below)
        for begin, end in self.blocks:
            if begin == line:
                return first, max(last, end)
        return first, last

    def holder(self, line: int) -> tuple[int, int]:
        """The lines of what a comment that is no part of a text can be about, around a line.

        That is its statement, or in YAML and Markdown the block of text that it stands in.
        """
        for begin, end in self.blocks:
            if begin <= line <= end:
                return begin, end
        return self.around(line)

    def below(self, line: int) -> int | None:
        """The next line that is neither blank nor a comment alone."""
        for number in range(line + 1, len(self.lines) + 1):
            text = self._text(number).strip()
            if text and not self.is_comment(text):
                return number
        return None

    def is_comment(self, text: str) -> bool:
        """Whether a line without its indentation is a comment and nothing else."""
        if text.startswith("/*") and "*/" in text[:-2]:
            return False
        return text.startswith(_SIGNS.get(self.kind, ("#",)))

    def _text(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    @staticmethod
    def _among(found: Sequence[tuple[int, int]], line: int) -> tuple[int, int]:
        at = bisect_right(found, line, key=itemgetter(0)) - 1
        return found[at] if at >= 0 and line <= found[at][1] else (line, line)

    def _near(self, line: int) -> tuple[int, int] | None:
        """The logical line, looked for behind the nearest start of one alone."""
        at = bisect_right(self._starts, line)
        if not at:
            return None
        first = self._starts[at - 1]
        behind = self._starts[at] if at < len(self._starts) else len(self.lines) + 1
        if any(self.lines[row].endswith("\\") for row in (first - 2, behind - 2) if row >= 0):
            return None  # joined with what is above, or below
        rows = self.lines[first - 1 : behind - 1]
        return self._among(_logical("\n".join([*rows, ""]), first), line)

    @cached_property
    def _python(self) -> list[tuple[int, int]]:
        return _logical("\n".join(self.lines), 1)

    def _is_decorator(self, line: int) -> bool:
        return self._text(line).lstrip().startswith("@")

    @cached_property
    def _cmake(self) -> list[tuple[int, int]]:
        """Commands whose arguments fill more than one line."""
        found: list[tuple[int, int]] = []
        text = "\n".join(self.lines)
        depth, start, line, counted = 0, 0, 1, 0
        for sign in _CMAKE.finditer(text):
            line += text.count("\n", counted, sign.start())
            counted = sign.start()
            if sign.group() == "(":
                start = line if depth == 0 else start
                depth += 1
            elif sign.group() == ")" and depth:
                depth -= 1
                if depth == 0 and line > start:
                    found.append((start, line))
        return found

    @cached_property
    def _continued(self) -> list[tuple[int, int]]:
        """Lines that backslashes join; in a Dockerfile with the comments between them."""
        found: list[tuple[int, int]] = []
        begin = 0
        for number, text in enumerate(self.lines, start=1):
            if self.kind == "docker" and _BETWEEN.match(text):
                continue
            goes_on = self._goes_on(text)
            if begin and not goes_on:
                found.append((begin, number))
            begin = (begin or number) if goes_on else 0
        if begin:
            found.append((begin, len(self.lines)))
        return found

    def _goes_on(self, text: str) -> bool:
        """Whether a backslash at the end of a line joins the next one to it."""
        text = text.rstrip(" \t") if self.kind == "docker" else text
        if self.kind == "native":
            return text.endswith("\\")
        if self.kind != "make" and text.lstrip().startswith("#"):
            return False
        return (len(text) - len(text.rstrip("\\"))) % 2 == 1

    @cached_property
    def blocks(self) -> list[tuple[int, int]]:
        """Blocks of text, by the line of their header and their last one."""
        if self.kind == "yaml":
            return list(_scalars("\n".join(self.lines)))
        if self.kind == "markdown":
            return list(_blocks_of_code("\n".join(self.lines)))
        return []


def _logical(text: str, line: int) -> list[tuple[int, int]]:
    """The logical lines of Python code that begins in a line.

    What begins on the line that another one ends on belongs to it.
    """
    found: list[tuple[int, int]] = []
    for start, end in logical_lines(text):
        rows = text.count("\n", start, end)
        closed = text[end - 1 : end] == "\n"
        found.append((line, line + rows - closed))
        line += rows
    return found


_SIGNS: dict[FileKind, tuple[str, ...]] = {
    "native": ("//", "/*", "* ", "*/"),
    "hcl": ("#", "//", "/*", "* ", "*/"),
    "ini": ("#", ";"),
    "markdown": ("<!--",),
}
"""What begins a comment, where it is not `#`."""


def _scalars(text: str) -> Iterable[tuple[int, int]]:
    """Texts of YAML that fill more than one line: where one begins, and its last line."""
    import yaml  # noqa: PLC0415 - only for files with a directive

    from portaudit.read.templates import mask  # noqa: PLC0415 - as above
    from portaudit.read.yaml import allowed  # noqa: PLC0415 - as above

    try:
        for token in yaml.scan(mask(allowed(text))[0], Loader=yaml.CSafeLoader):
            if isinstance(token, yaml.ScalarToken):
                first, end = token.start_mark.line + 1, token.end_mark.line
                last = end + (token.end_mark.column > 0)
                if last > first:
                    yield first, last
    except yaml.YAMLError:
        return


def _blocks_of_code(text: str) -> Iterable[tuple[int, int]]:
    """Blocks of code in Markdown."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only for files with a directive

    for block in MarkdownIt("commonmark").parse(text):
        if block.type in {"fence", "code_block"} and block.map is not None:
            yield block.map[0] + 1, block.map[1]
