"""Bytes of a Python file -> libcst module, whatever state the file is in.

A file that does not parse is mended statement by statement: what cannot be read is replaced by
`pass`, line numbers kept, and said in `damage`. Nothing is judged here.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from portaudit.types import ScanError


class UnreadableError(Exception):
    """The bytes are no text."""


@dataclass(frozen=True)
class Parsed:
    """A module, its text, and what had to be left out to read it."""

    module: cst.Module
    text: str
    damage: tuple[ScanError, ...] = ()


def decode(content: bytes) -> str:
    """Decode by byte-order mark or coding cookie, UTF-8 otherwise. Raises `UnreadableError`."""
    if b"\0" in content:
        raise UnreadableError("binary content (a NUL byte)")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, LookupError) as error:
        raise UnreadableError(f"unknown encoding: {error}") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not valid {error.encoding}: byte {error.start}") from error


def parse(path: str, content: bytes) -> Parsed:
    """Parse a file, mending what does not parse.

    Raises `UnreadableError` when the content is no text or nothing of it can be read.
    """
    text = decode(content)
    try:
        return Parsed(cst.parse_module(text), text)
    except cst.ParserSyntaxError as error:
        line = error.raw_line
        reason = _reason(text, line)
    except RecursionError:
        raise UnreadableError("nested too deeply to parse") from None
    mended, dropped = _mend(text)
    damage = ScanError(path, f"{reason}; {dropped} statement(s) could not be read", line)
    for candidate in (mended, _flatten(text)):
        module = _try(candidate)
        if module is not None:
            return Parsed(module, text, (damage,))
    raise UnreadableError(f"{reason} (line {line})")


_PYTHON_2 = re.compile(r"^\s*(print\s+[^(=\s]|exec\s+[\"'\w]|raise\s+\w+\s*,|except\s+[\w.]+\s*,)")


def _reason(text: str, line: int) -> str:
    if any(_PYTHON_2.match(row) for row in text.splitlines()):
        return "Python 2 syntax"
    return f"syntax error on line {line}"


_TOKEN = re.compile(
    r"""(?P<string>(?i:[rbuft]{0,2})(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"
        |'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
      |(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\r?\n)|(?P<newline>\n)""",
    re.VERBOSE | re.DOTALL,
)
_STARTER = re.compile(r"(def|class|import|from|if|for|while|try|with|return|@)\b|@")


def logical_lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end (exclusive) offsets of the logical lines: brackets and strings respected."""
    start = depth = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "open":
            depth += 1
        elif token.lastgroup == "close":
            depth = max(0, depth - 1)
        elif token.lastgroup == "newline":
            if depth and _STARTER.match(text, token.end()):
                depth = 0  # an unclosed bracket must not swallow the rest of the file
            if not depth:
                yield start, token.end()
                start = token.end()
    if start < len(text):
        yield start, len(text)


def _try(text: str) -> cst.Module | None:
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def _parses(statement: str) -> bool:
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


def _mend(text: str) -> tuple[str, int]:
    """The text with every unreadable logical line replaced, and how many there were."""
    out: list[str] = []
    dropped = 0
    for start, end in logical_lines(text.replace("\r\n", "\n")):
        statement = text.replace("\r\n", "\n")[start:end]
        if statement.strip() and not statement.lstrip().startswith("#") and not _parses(statement):
            statement = _stand_in(statement)
            dropped += 1
        out.append(statement)
    return "".join(out), dropped


def _flatten(text: str) -> str:
    """Only the simple statements that parse, all at the margin, each on its own line."""
    out: list[str] = []
    text = text.replace("\r\n", "\n")
    for start, end in logical_lines(text):
        statement = text[start:end]
        simple = statement.strip()
        if simple and not simple.endswith(":") and _parses(statement):
            out.append(statement.lstrip(" \t"))
        else:
            out.append("\n" * statement.count("\n"))
    return "".join(out)
