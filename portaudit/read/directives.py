"""Finds the comments that accept findings: `portaudit: ignore[RULES] reason`.

Which rules the words name, and whether there is a finding to accept, is not known here.
"""

from __future__ import annotations

import codecs
import io
import json
import re
import tokenize
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from portaudit.read.python.parse import UnreadableError
from portaudit.read.python.parse import decode as decode_python
from portaudit.read.statements import Statements, split
from portaudit.read.text import BinaryError, Text, decode
from portaudit.types import Directive, FileKind, SourceFile

FORM = "portaudit: ignore[RULES] reason"
_MARK = b"portaudit"
_BEGIN = re.compile(r"(?:^|(?<=\s))(?:#+|//+|/\*+|;+|<!--|\*)\s*portaudit\b", re.IGNORECASE)
_MEANT = re.compile(
    r"\s*[:-]\s*(?:ignore(?:[-_ ]?file)?|file[-_]ignore|noqa|nosec|disable|suppress|skip)\b"
    r"|\s+(?:ignore(?:-file)?|noqa)\s*(?:\[|$)",
    re.IGNORECASE,
)
"""What somebody writes who wants to accept a finding, in the right way or in another tool's."""
_RIGHT = re.compile(
    r"\s*:\s*(?P<verb>ignore(?:-file)?)\s*\[(?P<words>[^\[\]]*)\](?P<reason>.*)", re.IGNORECASE
)
_END = re.compile(r"\s*(?:\*/|-->).*|\s+(?:#(?!\d)|//|/\*).*")
"""Where a reason ends: at the end of the comment, or where another tool's begins."""
_LEAD = " \t:-\u2013\u2014"
"""Signs between the brackets and the reason."""
_QUOTED = r"\"(?:\\.|[^\"\\])*\"|(?<!\w)'[^']*'"
_HASH = re.compile(rf"{_QUOTED}|(?P<comment>(?:^|(?<=\s))#.*)")
_INI = re.compile(r"(?P<comment>(?:^|(?<=\s))[#;].*)")
_MIXED = re.compile(rf"{_QUOTED}|(?P<comment>(?:^|(?<=\s))(?:#|//).*|/\*.*)")
_MARKUP = re.compile(r"(?P<comment><!--.*)")
_BY_LINE: dict[FileKind, re.Pattern[str]] = {"ini": _INI, "hcl": _MIXED, "markdown": _MARKUP}
_NATIVE = re.compile(
    r"R\"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'"
    r"|(?P<comment>//[^\n]*|/\*.*?\*/|/\*.*)",
    re.DOTALL,
)
_NATIVE_CODE = re.compile(r"__global__|#\s*include|<<<|::")
_LETTER = re.compile(r"\\u[0-9a-fA-F]{4}|\\[^\n]")
_TEXTS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


class Comment(Struct, frozen=True):
    """A comment, or a line of one, from its sign on. `alone`: nothing else is on its line.

    `kind` is that of the code that it belongs to: native in a string of Python.
    """

    line: int
    column: int
    text: str
    alone: bool
    kind: FileKind


def directives(source: SourceFile) -> tuple[Directive, ...]:
    """The directives of a file, in order. Of a file that cannot be read there are none."""
    content = source.content
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    if source.kind == "json" or (_MARK not in content.lower() and not wide):
        return ()
    try:
        if source.kind == "python":
            lines = split(decode_python(source.content))
        else:
            lines = split(decode(source.content))
    except (UnreadableError, BinaryError):
        return ()
    if source.kind == "notebook":
        return tuple(_of_notebook(source.path, lines))
    return tuple(of_lines(source.kind, source.path, lines))


def of_lines(kind: FileKind, path: str, lines: Sequence[str]) -> Iterator[Directive]:
    """The directives of a text."""
    found: dict[FileKind, Statements] = {}
    for comment in _comments(kind, lines):
        if _BEGIN.search(comment.text):
            statements = found.setdefault(comment.kind, Statements(comment.kind, lines))
            yield from _said(path, comment, statements)


# --- comments -------------------------------------------------------------------------------------


def _comments(kind: FileKind, lines: Sequence[str]) -> Iterator[Comment]:
    if kind == "python":
        yield from _of_python(lines)
    elif kind == "native":
        yield from _of_native("\n".join(lines), lines, 1, 0)
    elif kind != "json":
        yield from _of_rows(kind, lines, 1)


def _of_rows(kind: FileKind, lines: Sequence[str], first: int) -> Iterator[Comment]:
    """Comments by line, also those of a script inside a longer text; none between quotes."""
    form = _BY_LINE.get(kind, _HASH)
    for number, line in enumerate(lines[first - 1 :], start=first):
        if _MARK.decode() in line.lower():
            for found in form.finditer(line):
                if found["comment"]:
                    start = found.start()
                    yield Comment(number, start + 1, found[0], not line[:start].strip(), kind)


def _of_native(text: str, lines: Sequence[str], line: int, column: int) -> Iterator[Comment]:
    """Comments of native code that begins at a line and column (from 0), line by line."""
    for found in _NATIVE.finditer(text):
        if not found["comment"] or _MARK.decode() not in found[0].lower():
            continue
        row = text.count("\n", 0, found.start())
        start = found.start() - text.rfind("\n", 0, found.start()) - 1
        for number, part in enumerate(found[0].split("\n"), start=line + row):
            blank = len(part) - len(part.lstrip()) if number > line + row else 0
            place = blank if number > line + row else start + (0 if row else column)
            before = lines[number - 1][:place]
            rest = part.rpartition("*/")[2] if "*/" in part else ""
            alone = not before.strip() and not rest.strip()
            yield Comment(number, place + 1, part[blank:], alone, "native")


def _of_python(lines: Sequence[str]) -> Iterator[Comment]:
    """Comments by Python's own tokens, so that no string is one; behind damage by line."""
    read = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            row, column = token.start
            read = max(read, token.end[0])
            if token.type == tokenize.COMMENT:
                alone = not lines[row - 1][:column].strip()
                yield Comment(row, column + 1, token.string, alone, "python")
            elif token.type in _TEXTS and "\n" in token.string:
                if _MARK.decode() in token.string.lower() and _NATIVE_CODE.search(token.string):
                    yield from _of_native(_bare(token.string), lines, row, column)
    except (tokenize.TokenError, SyntaxError):
        yield from _of_rows("python", lines, read + 1)


def _bare(literal: str) -> str:
    """A string literal as text in which everything stands where it did."""
    return re.sub(r"^\w*(?:\"{3}|'{3})|(?:\"{3}|'{3})$", lambda found: " " * len(found[0]), literal)


# --- what a comment says --------------------------------------------------------------------------


def _said(path: str, comment: Comment, statements: Statements) -> Iterator[Directive]:
    begins = list(_BEGIN.finditer(comment.text))
    ends = [*(each.start() for each in begins[1:]), len(comment.text)]
    for begin, end in zip(begins, ends, strict=True):
        rest = comment.text[begin.end() : end]
        column = comment.column + begin.start()
        right = _RIGHT.match(rest)
        words = tuple(re.split(r"[\s,]+", right["words"].strip(" \t,"))) if right else ()
        if right and words != ("",):
            whole = right["verb"].lower() == "ignore-file"
            reason = _END.sub("", right["reason"]).strip(_LEAD + "\r")
            reason = reason if re.search(r"\w", reason) else ""
            lines = () if whole else _spoken_for(comment, statements)
            yield Directive(path, comment.line, column, words, reason, lines)
        elif _MEANT.match(rest):
            problem = f"this accepts nothing; write `{FORM}`"
            yield Directive(path, comment.line, column, (), "", (), problem)


def _spoken_for(comment: Comment, statements: Statements) -> tuple[int, ...]:
    """The lines of the statement that a comment stands in, or right above."""
    first, last = statements.spoken_for(comment.line)
    if comment.alone and first == last:
        below = statements.below(comment.line)
        if below is not None:
            _, last = statements.spoken_for(below)
            return (comment.line, *range(below, last + 1))
    return tuple(range(first, last + 1))


# --- notebooks ------------------------------------------------------------------------------------


def _of_notebook(path: str, lines: Sequence[str]) -> Iterator[Directive]:
    """Directives in the cells of a notebook: comments of Python, and of what stands in magics."""
    from portaudit.read.notebook import read as read_notebook  # noqa: PLC0415 - few runs have one

    notebook = read_notebook(Text(path, "\n".join(lines)))
    above = 0
    for _, group in groupby(notebook.lines, key=lambda line: line.cell):
        cell = list(group)
        code = [line.text for line in cell]
        raw = [
            unescaped(lines[line.line - 1][line.columns[0] - 1 : line.columns[-1] - 1])
            for line in cell
        ]
        magic = [shown if shown != text else "" for shown, text in zip(raw, code, strict=True)]
        commands = Statements("hcl", magic)
        for each in (*of_lines("python", path, code), *of_lines("hcl", path, magic)):
            place = cell[each.line - 1]
            yield Directive(
                path,
                place.line,
                place.columns[each.column - 1],
                each.words,
                each.reason,
                tuple(notebook.line(above + line) for line in _with_rest(commands, each.lines)),
                each.problem,
            )
        above += len(cell)


def _with_rest(commands: Statements, lines: Sequence[int]) -> Sequence[int]:
    """Lines with those that a command goes on in: to Python it is one line and then nothing."""
    last = commands.around(lines[-1])[1] if lines else 0
    return (*lines, *range(lines[-1] + 1, last + 1)) if lines else lines


def unescaped(piece: str) -> str:
    """What a piece of a JSON string says, each character as the reader of notebooks has it."""
    return _LETTER.sub(lambda found: _character(found[0]), piece) if "\\" in piece else piece


def _character(written: str) -> str:
    try:
        shown = str(json.loads(f'"{written}"'))
    except ValueError:
        return written
    return re.sub("[\ud800-\udfff]", "?", shown)
