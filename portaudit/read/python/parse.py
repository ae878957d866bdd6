"""Bytes of a Python file -> libcst module, whatever state the file is in.

Python's own parser reads it where that is enough (`quick`), libcst otherwise. A file that does not
parse is mended statement by statement: what cannot be read is replaced by `pass`, line numbers
kept, and said in `damage`. Nothing is judged here.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize

import libcst as cst
from msgspec import Struct

from portaudit.read.python import quick
from portaudit.read.python.lexing import (
    LEAD,
    WIDEST,
    has_too_deep,
    is_any_too_deep,
    is_any_too_long,
    is_too_deep,
    logical_lines,
)
from portaudit.read.python.nodes import REFUSALS
from portaudit.types import ScanError


class UnreadableError(Exception):
    """The bytes are no text."""


class Parsed(Struct, frozen=True):
    """A module, its text, and what had to be left out to read it.

    `tree` is there where the module has no white space: it says what stands where.
    """

    module: cst.Module
    text: str
    damage: tuple[ScanError, ...] = ()
    tree: quick.Tree | None = None

    def by_libcst(self, path: str) -> Parsed:
        """The same, read by libcst alone, and mended where that does not know what Python does.

        Raises `UnreadableError` when nothing of it can be read.
        """
        again = _by_libcst(path, self.text)
        return Parsed(again.module, self.text, (*self.damage, *again.damage))


def decode(content: bytes) -> str:
    """Decode by byte-order mark or coding cookie, UTF-8 otherwise. Raises `UnreadableError`."""
    if content.startswith(_WIDE):
        raise UnreadableError("UTF-16 or UTF-32, which Python does not run")
    if b"\0" in content:
        raise UnreadableError("binary content (a NUL byte)")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not valid {error.encoding}: byte {error.start}") from error
    except (SyntaxError, LookupError) as error:
        reason = _no_codec(content) or str(error)
        known = reason.startswith(("not valid", _UNKNOWN))
        raise UnreadableError(reason if known else f"{_UNKNOWN}: {reason}") from error


_UNKNOWN = "unknown encoding"


def _no_codec(content: bytes) -> str:
    """Why bytes that name no other encoding are no UTF-8, if that is what is wrong."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"not valid utf-8: byte {error.start}"
    return ""


def parse(path: str, content: bytes) -> Parsed:
    """Parse a file, mending what does not parse.

    Raises `UnreadableError` when the content is no text or nothing of it can be read.
    """
    text = decode(content)
    shorter = text
    dropped: list[tuple[int, str]] = []
    if text.count("elif") > _CHOICES and _with_short_chains(text, _CHOICES)[1]:
        shorter, dropped = _with_short_chains(text, _SHORTER)
    if not dropped and not is_any_too_long(text):
        tree = quick.read(text)
        if tree is not None and not is_any_too_deep(text, tree.starts):
            return Parsed(tree.module, text, tree=tree)
        if tree is None and not has_too_deep(text):
            return _by_libcst(path, text)
    return _mended(path, text, shorter, dropped)


def _by_libcst(path: str, text: str) -> Parsed:
    """What libcst makes of a whole text, or of what it can read of it."""
    line = 1
    try:
        return Parsed(cst.parse_module(_upright(text)), text)
    except cst.ParserSyntaxError as error:
        line = _line(error)
    except cst.CSTValidationError:  # does not say where
        pass
    except RecursionError:
        raise UnreadableError("nested too deeply to parse") from None
    return _mended(path, text, text, [], line)


def _mended(
    path: str, text: str, shorter: str, dropped: list[tuple[int, str]], line: int = 1
) -> Parsed:
    """What libcst reads without the statements that it cannot.

    `shorter`: the text without what was `dropped` already · `line`: where the first of it stands.
    """
    mended = shorter
    if not dropped or is_any_too_long(text) or has_too_deep(shorter) or not _try(shorter):
        mended, more = _mend(shorter)
        dropped = sorted([*dropped, *more])
    line = dropped[0][0] if dropped else line
    reason = _reason(dropped[0][1] if dropped else "", line)
    damage = ScanError(path, f"{reason}; {len(dropped)} statement(s) could not be read", line)
    for candidate in (mended, _flatten(shorter)):
        module = _try(candidate)
        if module is not None:
            return Parsed(module, text, (damage,))
    raise UnreadableError(f"{reason} (line {line})")


def expression_in(text: str) -> cst.BaseExpression | None:
    """The expression that a string of the code holds, if that is one that can be read."""
    if is_too_deep(text):
        return None
    try:
        return cst.parse_expression(text)
    except (*REFUSALS, RecursionError):
        return None


_PYTHON_2 = re.compile(r"^\s*(print\s+[^(=\s]|exec\s+[\"'\w]|raise\s+\w+\s*,|except\s+[\w.]+\s*,)")


def _line(error: cst.ParserSyntaxError) -> int:
    """Where libcst stopped: what it calls the line is the one behind, except at the end."""
    found = re.search(r"error at (\d+):", error.message)
    return int(found.group(1)) if found else error.raw_line


def _reason(statement: str, line: int) -> str:
    if is_any_too_long(statement):
        return f"line {line} is longer than {WIDEST:,} characters"
    if _ELIF.match(statement) and _parses(statement):
        return f"more than {_CHOICES:,} elif of one if, from line {line} on"
    if is_too_deep(statement):
        return f"an expression on line {line} is nested too deeply"
    if _PYTHON_2.match(statement):
        return "Python 2 syntax"
    return f"syntax error on line {line}"


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""How UTF-16 and UTF-32 begin; that of little-endian UTF-32 begins as UTF-16 does."""
_CHOICES = 4_000
"""`elif`s of one `if` that libcst reads for sure."""
_SHORTER = 1_000
"""As many are left of each where there are more: they are to be judged, too."""
_ELIF = re.compile(r"([ \t]*)(el)?if\b")


def _with_short_chains(text: str, most: int) -> tuple[str, list[tuple[int, str]]]:
    """The text with each `if` that has more `elif`s as several, and the lines of the others."""
    dropped: list[tuple[int, str]] = []
    out: list[str] = []
    choices: dict[str, int] = {}
    line = 1
    for start, end in logical_lines(text):
        statement = text[start:end]
        found = _ELIF.match(statement)
        if found:
            indent = found[1]
            choices[indent] = choices.get(indent, 0) + 1 if found[2] else 0
            if choices[indent] > most:
                choices[indent] = 0
                dropped.append((line, statement))
                statement = f"{indent}if{statement.removeprefix(f'{indent}elif')}"
        out.append(statement)
        line += statement.count("\n")
    return "".join(out), dropped


def _try(text: str) -> cst.Module | None:
    try:
        return cst.parse_module(text)
    except (*REFUSALS, RecursionError):
        return None


def _parses(statement: str) -> bool:
    if is_too_deep(statement):
        return False
    stripped = statement.strip()
    header = re.match(r"(\w+)", stripped)
    word = header.group(1) if header else ""
    if re.search(r":\s*(#.*)?$", stripped):
        stripped = re.sub(r":\s*(#.*)?$", ": pass", stripped)
    if word == "try":
        stripped += "\nfinally: pass"
    elif word == "match" and stripped.endswith(": pass"):
        stripped = stripped.removesuffix("pass") + "\n case _: pass"
    elif word in {"elif", "else"}:
        stripped = f"if 1: pass\n{stripped}"
    elif word in {"except", "finally"}:
        stripped = f"try: pass\n{stripped}"
    elif word == "case":
        stripped = f"match x:\n {stripped}"
    elif stripped.startswith("@"):
        stripped += "\ndef f(): pass"
    return _try(stripped + "\n") is not None


_HEADERS = {
    "except": "except Exception:",
    "elif": "elif True:",
    "else": "else:",
    "class": "class _:",
}


def _stand_in(statement: str) -> str:
    """What replaces an unreadable statement: same indentation, same role, same lines."""
    indent = re.match(r"[ \t]*", statement)
    word = re.match(r"\s*(\w+)", statement)
    role = "pass"
    if re.search(r":\s*(#.*)?$", statement.strip()):
        key = word.group(1) if word else ""
        name = re.match(r"\s*def\s+(\w+)", statement)
        role = f"def {name.group(1)}(*_):" if name else _HEADERS.get(key, "if True:")
    return (indent.group() if indent else "") + role + "\n" * max(1, statement.count("\n"))


_LED = re.compile(r"^[ \t\f]*\\\r?\n", re.MULTILINE)


def _begun(statement: str) -> tuple[str, str, str]:
    """The rows, the indentation and the rest of a statement, which may begin with backslashes.

    libcst forgets such a row, and what follows would stand in another line. The first row says how
    deep the statement is, but no column may lie behind its line.
    """
    rows, first, last, rest = _parts(statement)
    return "\n" * rows, first if not rows or 0 < len(first) <= len(last) else last, rest


def _parts(statement: str) -> tuple[int, str, str, str]:
    """Rows of a backslash alone before a statement, the first indentation, the last, the rest."""
    found = LEAD.match(statement)
    assert found
    *rows, last = found[2].split("\n")
    return len(rows), found[1], last, statement[found.end() :]


def _upright(text: str) -> str:
    """The text with an empty row for each backslash in front of a statement.

    Raises `CSTValidationError` where the rows are indented differently: a statement can have its
    depth in the one way, and its column in the other.
    """
    if not _LED.search(text):
        return text
    text = _with_one_end(text)
    out: list[str] = []
    for start, end in logical_lines(text):
        rows, first, last, rest = _parts(text[start:end])
        if rows and first not in {"", last}:
            raise cst.CSTValidationError
        out += ("\n" * rows, last if rows else first, rest)
    return "".join(out)


def _with_one_end(text: str) -> str:
    """The text with lines that end as Python takes them all to end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _mend(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The text with every unreadable logical line replaced, and those lines with their numbers."""
    out: list[str] = []
    dropped: list[tuple[int, str]] = []
    text = _with_one_end(text)
    line = 1
    for start, end in logical_lines(text):
        statement = text[start:end]
        rows = statement.count("\n")
        if statement.strip() and not statement.lstrip().startswith("#") and not _parses(statement):
            blank = len(statement) - len(statement.lstrip())
            dropped.append((line + statement.count("\n", 0, blank), statement))
            statement = _stand_in(statement)
        out += _begun(statement)
        line += rows
    return "".join(out), dropped


def _flatten(text: str) -> str:
    """Only the simple statements that parse, all at the margin, each on its own line."""
    out: list[str] = []
    text = _with_one_end(text)
    for start, end in logical_lines(text):
        statement = text[start:end]
        simple = statement.strip()
        if simple and not simple.endswith(":") and _parses(statement):
            above, _, rest = _begun(statement)
            out += (above, rest)
        else:
            out.append("\n" * statement.count("\n"))
    return "".join(out)
