"""Code frames: the line of a finding, what of it is meant, and the lines around it."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from portaudit.report.outcome import parts
from portaudit.types import Finding

Source = Callable[[str], bytes | None]
_AROUND = 2
_LONGEST = 240
"""Characters of a line that are shown; what is meant stays in sight."""
_END = re.compile("\r\n|\r|\n")


class Line(Struct, frozen=True):
    """A line of a file: what is meant in it is `marked`."""

    number: int
    before: str
    marked: str = ""
    after: str = ""


class Frame(Struct, frozen=True):
    """The place of a finding, and its lines."""

    finding: Finding
    place: str
    scope: str
    lines: tuple[Line, ...]


class Frames:
    """Makes frames. Lines of a file around a finding are shown if the file can be had."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: dict[str, list[str]] = {}

    def of(self, finding: Finding) -> Frame:
        """The frame of a finding."""
        span = finding.span
        scope = f"cell {finding.cell}" if finding.cell else finding.scope
        return Frame(
            finding=finding,
            place=f"{finding.path}:{span.line}",
            scope=scope,
            lines=tuple(self._lines(finding)),
        )

    def _lines(self, finding: Finding) -> list[Line]:
        before, marked, after = cut(finding)
        if not marked:
            return []
        line = finding.span.line
        own = Line(line, before, marked, after)
        lines = self._file(finding.path)
        first = finding.snippet.split("\n", 1)[0]
        if finding.cell or not (line <= len(lines) and lines[line - 1].rstrip() == first.rstrip()):
            return [own]
        above = [(number, lines[number - 1]) for number in range(max(1, line - _AROUND), line)]
        last = min(len(lines), line + _AROUND)
        below = [(number, lines[number - 1]) for number in range(line + 1, last + 1)]
        while above and not above[0][1].strip():
            above.pop(0)
        while below and not below[-1][1].strip():
            below.pop()
        return [
            *(Line(number, text[:_LONGEST].rstrip()) for number, text in above),
            own,
            *(Line(number, text[:_LONGEST].rstrip()) for number, text in below),
        ]

    def _file(self, path: str) -> list[str]:
        if path not in self._read:
            content = self._source(path)
            text = "" if content is None else content.decode("utf-8-sig", "replace")
            self._read[path] = _END.split(text)
        return self._read[path]


def cut(finding: Finding) -> tuple[str, str, str]:
    """The code before, in and after the span, on its first line, shortened where it is long."""
    before, marked, after = parts(finding)
    after = after.rstrip()
    if len(finding.snippet.split("\n", 1)[0]) <= _LONGEST:
        return before, marked, after
    marked = _first(marked, _LONGEST // 2)
    before = before if len(before) <= _LONGEST // 4 else f"…{before[-_LONGEST // 4 :]}"
    return before, marked, _first(after, _LONGEST // 4)


def _first(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
