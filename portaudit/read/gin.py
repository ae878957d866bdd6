"""Reads gin configurations: each binding and macro as a setting, under the path that it binds.

A value of gin is a literal of Python, a reference `@name`, or a macro `%NAME`, whose own line is a
setting by itself. Nothing is evaluated or imported, files that are included are not followed here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from msgspec import Struct

from portaudit.read.items import Document, Item, Scalar
from portaudit.read.text import Text
from portaudit.types import ScanError, Span

_TOKEN = re.compile(
    r"(?P<blank>[ \t\f]+|\\\n|\#[^\n]*)|(?P<line>\n)"
    r"|(?P<string>[rRbBuU]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))"
    r"|(?P<number>[-+]?(?:(?=(?P<run>\d[\d_]*))(?P=run)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"(?![\w.]))"
    r"|(?P<name>[@%]?[A-Za-z_][\w./-]*)|(?P<sign>[\[\](){},:=])|(?P<other>\d[\w.]*|.)",
    re.DOTALL,
)
_OPENING, _CLOSING = frozenset("[({"), frozenset("])}")
_IMPORTS = frozenset({"import", "include", "from"})
_CONSTANTS: dict[str, Scalar] = {"True": True, "False": False, "None": None}
_FORMS = ("gin",)
_DEEPEST = 50
"""Brackets within which values are still settings."""


class _Token(Struct, frozen=True):
    """A word or sign, what sort of one it is, and where it begins in the text."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.start + len(self.text)


def read(text: Text) -> Document:
    """A gin configuration as a document."""
    reader = _Reader(text)
    items = tuple(reader.items())
    return Document(items, errors=tuple(reader.errors))


class _Reader:
    """One file. `groups`: numbers of the things that are bound, whose parameters are siblings."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.firsts = list(accumulate((len(line) + 1 for line in text.lines), initial=0))
        self.groups: dict[str, int] = {}
        self.errors: list[ScanError] = []

    def items(self) -> Iterator[Item]:
        """The settings of all statements."""
        block = ""
        for statement in _statements(self.text.text):
            indented = self._column(statement[0]) > 0
            block = block if indented else ""
            name, *rest = statement
            if name.kind == "name" and name.text in _IMPORTS:
                if name.text == "include" and rest and rest[0].kind == "string":
                    yield from self._binding("include", rest)
                continue
            if name.kind == "name" and [each.text for each in rest] == [":"]:
                block = name.text
                continue
            if name.kind != "name" or len(rest) < 2 or rest[0].text != "=":  # noqa: PLR2004
                self._refuse(statement)
                continue
            bound = f"{block}.{name.text}" if block else name.text
            yield from self._binding(bound, rest[1:])

    def _binding(self, bound: str, tokens: Sequence[_Token]) -> Iterator[Item]:
        """One setting per scalar of a value: elements of lists share a key, entries add theirs."""
        path = bound.rpartition("/")[2]
        group = self.groups.setdefault(bound.rpartition(".")[0], len(self.groups) + 1)
        open_at: list[tuple[str, str]] = []
        key: str = ""
        for at, token in enumerate(tokens):
            if token.text in _OPENING and token.kind == "sign":
                open_at.append((token.text, key))
                key = ""
            elif token.text in _CLOSING and token.kind == "sign":
                key = open_at.pop()[1] if open_at else ""
            elif token.text == "," and token.kind == "sign":
                key = ""
            elif token.kind in {"string", "number", "name"} and len(open_at) <= _DEEPEST:
                value = _value(token)
                in_mapping = bool(open_at) and open_at[-1][0] == "{"
                follower = tokens[at + 1].text if at + 1 < len(tokens) else ""
                if in_mapping and not key and follower == ":":
                    key = str(value)
                    continue
                keys = ".".join(each for each in (path, *(k for _, k in open_at), key) if each)
                scope = keys.rpartition(".")[0]
                yield Item("config-key", keys, self._span(token), value, (), scope, group, _FORMS)
        if open_at or any(token.kind == "other" for token in tokens):
            self._refuse(tokens)

    def _refuse(self, tokens: Sequence[_Token]) -> None:
        line = self.text.place(self._row(tokens[0].start), 0)[0]
        self.errors.append(ScanError(self.text.path, "not valid gin", line))

    # --- places -----------------------------------------------------------------------------------

    def _row(self, at: int) -> int:
        low, high = 0, len(self.firsts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.firsts[middle] <= at else (low, middle - 1)
        return low

    def _column(self, token: _Token) -> int:
        return token.start - self.firsts[self._row(token.start)]

    def _place(self, at: int) -> tuple[int, int]:
        row = self._row(at)
        return self.text.place(row, at - self.firsts[row])

    def _span(self, token: _Token) -> Span:
        return Span(*self._place(token.start), *self._place(token.end))


def _statements(text: str) -> Iterator[list[_Token]]:
    """The words of each statement: it ends with its line, but in brackets.

    A bracket that is never closed ends where a line begins with a name that is bound.
    """
    found: list[_Token] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        token = _Token(kind, match.group(), match.start())
        if kind == "line":
            if depth and not _BOUND.match(text, token.end):
                continue
            if found:
                yield found
            found, depth = [], 0
        elif kind != "blank":
            depth += (token.text in _OPENING) - (token.text in _CLOSING) if kind == "sign" else 0
            found.append(token)
    if found:
        yield found


_BOUND = re.compile(r"[A-Za-z_][\w./-]*[ \t]*=[^=]")


def _value(token: _Token) -> Scalar:
    """What a word means: a literal, or a name that is referred to; nothing for a macro."""
    if token.kind == "name":
        if token.text.startswith("%"):
            return None
        return _CONSTANTS.get(token.text, token.text.removeprefix("@"))
    try:
        value = ast.literal_eval(token.text)
    except (ValueError, SyntaxError):
        return token.text
    return value if isinstance(value, str | int | float) else token.text
