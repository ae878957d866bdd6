"""Text with styles, measured in columns of a terminal and broken to a width.

The words of styles are rich's, which draws them where there is colour; without, it is not loaded.
One word may be a link, which needs no colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_NARROW = re.compile(
    "[\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u2500-\u25fc\u2800-\u28ff]*"
)
"""Characters that surely take one column; of others rich knows the tables."""
_WORD = re.compile(r"\s*\S+\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would obey rather than show, and what cannot be written out."""
LINK = "link="
"""What a word of a style begins with that is an address, which a terminal opens."""


def split_style(style: str) -> tuple[str, str]:
    """A style without its link, and that."""
    if LINK not in style:
        return style, ""
    words = style.split()
    plain = " ".join(word for word in words if not word.startswith(LINK))
    return plain, next(word for word in words if word.startswith(LINK)).removeprefix(LINK)


class Text:
    """Runs of characters, each with its style."""

    def __init__(self, plain: str = "", style: str = "") -> None:
        self._style = style
        self.runs: list[tuple[str, str]] = [(plain, style)] if plain else []

    @classmethod
    def assemble(cls, *parts: str | Text | tuple[str, str]) -> Text:
        """A text of several, of pairs with a style, and of plain ones."""
        made = cls()
        for part in parts:
            if isinstance(part, Text):
                made.runs += part.runs
            elif isinstance(part, str):
                made.append(part)
            else:
                made.append(*part)
        return made

    @property
    def plain(self) -> str:
        """The characters alone."""
        return "".join(run for run, _ in self.runs)

    def append(self, plain: str, style: str = "") -> None:
        """Add characters in the text's own style, with another one on top."""
        if plain:
            self._add(plain, f"{self._style} {style}".strip())

    def _add(self, plain: str, style: str) -> None:
        if self.runs and self.runs[-1][1] == style:
            plain = self.runs.pop()[0] + plain
        self.runs.append((plain, style))

    def with_characters(self, plain: str) -> Text:
        """The same styles on other characters, as many as before."""
        made, start = Text(style=self._style), 0
        for run, style in self.runs:
            made.runs.append((plain[start : start + len(run)], style))
            start += len(run)
        return made

    @property
    def columns(self) -> int:
        """Columns that it takes."""
        return columns(self.plain)

    def __len__(self) -> int:
        return sum(len(run) for run, _ in self.runs)

    def __add__(self, other: Text) -> Text:
        """Both, the other one in this one's style as well, as rich has it."""
        made = Text(style=self._style)
        made.runs += self.runs
        for run, style in other.runs:
            made.append(run, style)
        return made

    def between(self, start: int, end: int | None = None) -> Text:
        """The characters from a place on, up to another."""
        made, at = Text(style=self._style), 0
        last = len(self) if end is None else end
        for run, style in self.runs:
            part = run[max(0, start - at) : max(0, last - at)]
            at += len(run)
            if part:
                made.runs.append((part, style))
        return made

    def wrapped(self, width: int) -> list[Text]:
        """Lines of at most so many columns, broken between words where that is possible."""
        plain = self.plain
        places = [0, *_breaks(plain, width), len(plain)]
        return [
            self.between(start, _end_of(plain, start, end, width))
            for start, end in pairwise(places)
        ]


def columns(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if _NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - most texts need no table

    return cell_len(text)


def is_narrow(text: str) -> bool:
    """Whether each character surely takes one column."""
    return _NARROW.fullmatch(text) is not None


def harmless(text: str) -> str:
    """The same number of characters, none of which does anything to a terminal."""
    return _CONTROL.sub("?", text.replace("\n", " ").replace("\t", " "))


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where lines begin, but for the first."""
    used = 0
    for found in _WORD.finditer(text):
        word, start = found[0], found.start()
        length = columns(word.rstrip())
        if length <= width - used:
            used += columns(word)
        elif length > width:
            parts = _folded(word, width)
            for part in parts:
                if start:
                    yield start
                start += len(part)
            used = columns(parts[-1])
        elif used and start:
            yield start
            used = columns(word)


def _folded(word: str, width: int) -> Sequence[str]:
    """A word that is too long for any line, in parts that are not."""
    if is_narrow(word):
        return [word[at : at + width] for at in range(0, len(word), width)]
    from rich.cells import chop_cells  # noqa: PLC0415

    return chop_cells(word, width)


def _end_of(text: str, start: int, end: int, width: int) -> int:
    """Where a line ends: without the blanks that stand beyond the width."""
    excess = end - start - width
    if excess <= 0:
        return end
    line = text[start:end]
    return end - min(excess, len(line) - len(line.rstrip()))


_SPELLED = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u00ab\u00bb", '"'),
        "\u00a0": " ",
        "\u00b7": "-",
        "\u00d7": "x",
        "\u2022": "*",
        "\u2026": "...",
        "\u2192": "->",
        "\u2190": "<-",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u00b5": "u",
    }
)
"""How signs are written where there are but those of ASCII."""


def spelled(text: str, encoding: str) -> str:
    """Text of signs that an encoding has: others are written as people do, or by their numbers."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        pass
    else:
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a character, which no encoding has
        text = text.encode("utf-8", "replace").decode("utf-8")
    told = "".join(each if _has(encoding, each) else each.translate(_SPELLED) for each in text)
    return told.encode(encoding, "backslashreplace").decode(encoding)


def _has(encoding: str, sign: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
