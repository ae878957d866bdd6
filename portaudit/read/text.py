"""Text that knows where it stands: a file, or a piece of one (a script in a YAML file, a cell).

Columns count code points; tree-sitter counts bytes, so the conversion is here and nowhere else.
"""

from __future__ import annotations

import codecs
from functools import cached_property

from msgspec import Struct

from portaudit.types import Proof, Span

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = frozenset({"utf-16", "utf-32"})
"""Encodings in which text has NUL bytes."""
Point = tuple[int, int]
"""A line and a column in bytes, both from 0, as tree-sitter has them."""


class BinaryError(Exception):
    """The bytes are no text."""


def decode(content: bytes) -> str:
    """Decode by byte-order mark, else as UTF-8; a byte that is none becomes U+FFFD.

    Every line ends in a line feed. Raises `BinaryError` for content with NUL bytes.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    if encoding not in WIDE and b"\0" in content:
        raise BinaryError("binary content (a NUL byte)")
    text = content.decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Text(Struct, frozen=True, dict=True):
    """Text of a file at `path`. `starts` has the file's line and column of each line of it.

    Both count from 1, like those of a `Span`. Empty for a whole file.
    """

    path: str
    text: str
    starts: tuple[tuple[int, int], ...] = ()

    @cached_property
    def data(self) -> bytes:
        """The text in UTF-8: what tree-sitter reads."""
        return self.text.encode("utf-8", "replace")

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines, without their ends."""
        return tuple(self.text.split("\n"))

    @cached_property
    def _encoded(self) -> tuple[bytes, ...]:
        return tuple(self.data.split(b"\n"))

    def line_at(self, row: int) -> str:
        """A line by its row, counted from 0; empty beyond the last."""
        return self.lines[row] if row < len(self.lines) else ""

    def place(self, row: int, column: int) -> tuple[int, int]:
        """The file's line and column of a row and column (in code points) that count from 0."""
        if not self.starts:
            return row + 1, column + 1
        line, first = self.starts[min(row, len(self.starts) - 1)]
        return line, first + column

    def span(self, start: Point, end: Point) -> Span:
        """The region between two points of tree-sitter's."""
        return Span(
            *self.place(start[0], self.column(start)), *self.place(end[0], self.column(end))
        )

    def proof(self, row: int) -> Proof:
        """A line of the text as proof of a guard."""
        return Proof(self.path, self.place(row, 0)[0], self.line_at(row).strip()[:200])

    def piece(self, row: int, column: int, text: str, indent: int = 0) -> Text:
        """Part of this text that begins at a row and column and fills whole lines from there.

        `indent`: characters that stand before each further line and are not in `text`.
        """
        rows = range(text.count("\n") + 1)
        return Text(
            self.path,
            text,
            tuple(self.place(row + down, indent if down else column) for down in rows),
        )

    def column(self, point: Point) -> int:
        """The column of a point in code points, from 0."""
        row, column = point
        if row >= len(self._encoded):
            return 0
        return len(self._encoded[row][:column].decode("utf-8", "replace"))
