"""What reports at a terminal are drawn with: a page of fixed width, code frames, remarks.

Makes text and writes nowhere; without colour the text is plain, so that a pipe or a file can take
it. Nothing that a terminal would obey comes through from the audited code.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from portaudit.report.outcome import guard_words, parts
from portaudit.report.text import (
    LINK,
    Text,
    columns,
    harmless,
    is_narrow,
    spelled,
    split_style,
)
from portaudit.types import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text as Drawn

_TAB = " " * 4
_GAP = 3
"""Columns between those of a table."""
MEASURE = 110
"""Columns that prose fills at most: longer lines are hard to read."""
SEVERITY_STYLE: dict[Severity, str] = {
    "blocker": "bold red",
    "major": "bold yellow",
    "minor": "bold cyan",
    "info": "dim",
}
STATUS_STYLE = {
    "supported": "green",
    "partial": "yellow",
    "unsupported": "red",
    "undocumented": "magenta",
}
_REMEDY = re.compile(
    r"(?P<words>(?!```)[^\n]+(?:\n(?!```)[^\n]+)*\n(?:(?<=:\n)\n+(?=[-*] )[^\n]+(?:\n[^\n]+)*\n)?)?"
    r"\n*(?:```\w*\n(?P<code>.*?)\n```)?",
    re.DOTALL,
)
"""A paragraph with its list, a code block, or the one and right after it the other."""
_PROOF = 60
"""Columns of a guard's source text."""
_ITEM = re.compile(r"(?:^|\n)\s*(?:[-*]|\d+\.) ")
_CODE_LINES = 8


class Page:
    """Text under construction, of a fixed width, whatever the environment says."""

    def __init__(
        self, width: int, *, color: bool, links: str = "", encoding: str = "utf-8"
    ) -> None:
        """Begin a page.

        `links` is the address of files, with `{path}` in it, if any are wanted · `encoding`: that
        of the terminal, whose signs code is to be made of, so that carets stand below it.
        """
        self.color = color
        self.encoding = encoding
        self._links = links
        self.width = width
        self.measure = min(width, MEASURE)
        self._file = io.StringIO()

    def text(self) -> str:
        """What was put on the page, without blanks at the ends of lines."""
        lines = [line.rstrip() for line in self._file.getvalue().split("\n")]
        return "\n".join(lines).strip("\n") + "\n"

    def blank(self) -> None:
        """An empty line."""
        self._file.write("\n")

    def line(self, *parts: str | Text | tuple[str, str]) -> None:
        """One line that is never broken, so that a path or an address stays whole."""
        self.put(Text.assemble(*parts))

    def put(self, text: Text) -> None:
        """One line as it is, with nothing in it that a terminal would obey."""
        text = text.with_characters(harmless(text.plain))
        if self._links and any(LINK in style for _, style in text.runs):
            self._linked(text)
        elif self.color:
            self.console.print(_drawn(text), soft_wrap=True)
        else:
            self._file.write(f"{text.plain}\n")

    def _linked(self, text: Text) -> None:
        """A line with links. Rich would number them at random, and no two runs were the same."""
        for run, style in text.runs:
            style, link = split_style(style)  # noqa: PLW2901
            self._file.write(f"\x1b]8;;{link}\x1b\\" if link else "")
            if self.color:
                self.console.print(_drawn(Text(run, style)), soft_wrap=True, end="")
            else:
                self._file.write(run)
            self._file.write("\x1b]8;;\x1b\\" if link else "")
        self._file.write("\n")

    def place(
        self, path: str, line: int = 0, column: int = 0, *, shown: str = "", style: str = ""
    ) -> tuple[str, str]:
        """A place in a file, with a link to it where there are such; `shown` if not in full."""
        parts = [path, *(str(number) for number in (line, column) if number)]
        if self._links:
            from urllib.parse import quote  # noqa: PLC0415 - most pages have no links

            address = self._links.replace("{path}", quote(path, safe="/"))
            for name, number in (("{line}", line), ("{column}", column)):
                address = address.replace(name, str(number or 1))
            style = f"{style} {LINK}{address}".strip()
        return shown or ":".join(parts), style

    def address(self, source: str) -> tuple[str, str]:
        """A page that is cited: a link in full, however the terminal breaks it; no other text."""
        is_link = bool(self._links) and re.fullmatch(r"https?://[!-~]+", source)
        return source, f"dim {LINK}{source}" if is_link else "dim"

    def table(self, grid: Grid) -> None:
        """A table, drawn plainly where that is plain, and as lines where it is too wide."""
        widths = [max(map(columns, cells)) for cells in zip(*grid.plain, strict=True)]
        if grid.numbers and sum(widths) + _GAP * (len(widths) - 1) > self.width:
            self._rows(grid)
            return
        if self._links and grid.has_links:
            self._lines(grid, widths)
            return
        if self.color or not grid.is_narrow or sum(widths) + _GAP * (len(widths) - 1) > self.width:
            self.console.print(_table(grid))
            return
        for row in grid.plain:
            cells = [
                cell.rstrip().rjust(width) if grid.numbers and number else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self._file.write((" " * _GAP).join(cells) + "\n")

    def _lines(self, grid: Grid, widths: Sequence[int]) -> None:
        """A table with links, which are no part of what a table of rich's is made of."""
        for row in ([Text(each, "dim") for each in grid.headers], *grid.rows):
            told = Text()
            for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
                text = cell if isinstance(cell, Text) else Text(cell)
                room = Text(" " * (width - text.columns))
                padded = room + text if grid.numbers and number else text + room
                told = Text.assemble(told, " " * _GAP if number else "", padded)
            self.put(told)

    def _rows(self, grid: Grid) -> None:
        """A table of numbers that does not fit: each row as a line, without what is not there."""
        self.line((grid.headers[0], "dim"))
        for first, *cells in grid.rows:
            told = Text()
            for header, cell in zip(grid.headers[1:], cells, strict=True):
                number = cell if isinstance(cell, Text) else Text(cell)
                if number.plain != ".":
                    told = told + Text(", " if told.plain else "") + number + Text(f" {header}")
            lead = Text("  ") + (first if isinstance(first, Text) else Text(first)) + Text(": ")
            self.prose(told, lead, hang=4)

    @cached_property
    def console(self) -> Console:
        """What draws on the page with colours and tables."""
        from rich.console import Console  # noqa: PLC0415 - plain text needs none of it

        return Console(
            file=self._file,
            width=self.width,
            height=100,
            color_system="standard" if self.color else None,
            force_terminal=self.color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )

    def note(self, label: str, text: Text, margin: int) -> None:
        """A remark below a code frame."""
        lead = Text.assemble((" " * margin + "= ", "blue"), (f"{label}: ", "bold"))
        self.prose(text, lead, hang=margin + 2)

    def prose(self, text: Text, lead: Text | None = None, *, hang: int | None = None) -> None:
        """Text broken to the measure; further lines hang below the first one's start."""
        lead = lead or Text()
        hang = lead.columns if hang is None else hang
        whole = Text.assemble(lead, text)  # each in its own style
        whole = whole.with_characters(harmless(whole.plain))
        first, *rest = whole.wrapped(self.measure)
        self.put(first)
        if rest:
            left = whole.between(len(first))
            left = left.between(len(left) - len(left.plain.lstrip()))
            for line in left.wrapped(max(20, self.measure - hang)):
                self.put(Text(" " * hang) + line)


def inline(text: str, *, color: bool, style: str = "") -> Text:
    """Text with `code` set off by colour, or by its backticks where there is none."""
    if not color:
        return Text(text)
    styled = Text(style=style)
    for number, part in enumerate(re.split(r"`([^`]+)`", text)):
        styled.append(part, "bold" if number % 2 else "")
    return styled


class Grid:
    """A table of columns that are never broken; `numbers` are all but the first of them."""

    def __init__(self, *headers: str, numbers: bool = False) -> None:
        self.headers = headers
        self.numbers = numbers
        self.rows: list[tuple[str | Text, ...]] = []

    def add_row(self, *cells: str | Text) -> None:
        """Add a row, with a cell for each column."""
        self.rows.append(cells)

    @property
    def plain(self) -> list[tuple[str, ...]]:
        """Its rows without styles, the headers first."""
        cells = (
            tuple(cell if isinstance(cell, str) else cell.plain for cell in row)
            for row in self.rows
        )
        return [self.headers, *cells]

    @property
    def has_links(self) -> bool:
        """Whether a cell leads somewhere."""
        cells = (cell for row in self.rows for cell in row if isinstance(cell, Text))
        return any(LINK in style for cell in cells for _, style in cell.runs)

    @property
    def is_narrow(self) -> bool:
        """Whether each character surely takes one column."""
        return all(is_narrow(cell) for row in self.plain for cell in row)


def _drawn(text: Text) -> Drawn:
    """A text as rich has it."""
    from rich.text import Text as Drawn  # noqa: PLC0415

    return Drawn.assemble(*text.runs)


def _cell(text: Text) -> Drawn:
    """A cell, which has one style throughout."""
    from rich.text import Text as Drawn  # noqa: PLC0415

    return Drawn(text.plain, text.runs[0][1] if text.runs else "")


def _table(grid: Grid) -> Table:
    """A table as rich has it."""
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    for number, header in enumerate(grid.headers):
        justify: JustifyMethod = "right" if grid.numbers and number else "left"
        table.add_column(header, no_wrap=True, justify=justify)
    for row in grid.rows:
        table.add_row(*(cell if isinstance(cell, str) else _cell(cell) for cell in row))
    return table


def frame(page: Page, finding: Finding, margin: int, *, message: str) -> None:
    """The line of code with the finding underlined, cut where the page is too narrow."""
    edge = (" " * margin + "| ", "blue")
    place = page.place(finding.path, finding.span.line, finding.span.column)
    scope = f" in {finding.scope}" if finding.scope and not finding.cell else ""
    scope = f" in cell {finding.cell}" if finding.cell else scope
    page.line((" " * (margin - 1) + "--> ", "blue"), place, (scope, "dim"))
    before, marked, after = _cut(finding, page.width - margin - 2, page.encoding)
    style = SEVERITY_STYLE[finding.effective_severity]
    label = inline(message, color=page.color, style=style)
    if not marked:
        if message:
            page.prose(label, Text(*edge))
        return
    page.line((" " * margin + "|", "blue"))
    number = str(finding.span.line).rjust(margin - 1)
    page.line((f"{number} | ", "blue"), before, (marked, style), after)
    under = Text.assemble(edge, " " * columns(before), ("^" * columns(marked), style), " ")
    if not message or under.columns + label.columns <= page.measure:
        page.put(under + label)
    else:
        page.put(under)
        page.prose(label, Text(*edge))


def _cut(finding: Finding, room: int, encoding: str) -> tuple[str, str, str]:
    """The code before, in and after the span, cut so that it fits into `room` cells."""
    before, marked, after = (
        spelled(harmless(part.replace("\t", _TAB)), encoding) for part in parts(finding)
    )
    if columns(before + marked + after) <= room:
        return before, marked, after
    before = before.lstrip()
    if columns(before) > room // 3:
        before = "..." + last_cells(before, room // 3 - 3)
    marked = first_cells(marked, room - columns(before))
    return before, marked, first_cells(after, room - columns(before + marked))


def first_cells(text: str, room: int) -> str:
    """The beginning of a text that fits into some columns."""
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 3:
        text = text[:-1]
    return text + "..."[: max(0, room)]


def last_cells(text: str, room: int) -> str:
    """The end of a text that fits into some columns."""
    while text and columns(text) > room:
        text = text[1:]
    return text


def adds(fix: str, said: str) -> bool:
    """Whether a remedy is more than the code that was said already."""
    words, code = shown(fix)
    return bool(words) or code.strip() != said.strip()


def shown(fix: str) -> tuple[str, str]:
    """The words and the code of a remedy that people see beside a finding; either may be empty."""
    found = _REMEDY.match(fix.strip() + "\n")
    return (found["words"] or "", found["code"] or "") if found else ("", "")


def remedy(page: Page, fix: str, margin: int) -> None:
    """The first paragraph of the remedy and the code that goes with it; `explain` has the rest."""
    words, code = shown(fix)
    first, *items = _ITEM.split(words.strip())
    if words or code:
        page.note("fix", inline(" ".join(first.split()), color=page.color), margin)
    for item in items:
        text = inline(" ".join(item.split()), color=page.color)
        page.prose(text, Text(" " * (margin + 2) + "- "))
    for line in code.strip("\n").split("\n")[:_CODE_LINES] if code else ():
        page.line(" " * (margin + 4), (line.replace("\t", _TAB).rstrip(), "green"))


def proof(page: Page, finding: Finding, margin: int) -> None:
    """The line that guards a finding, if one does."""
    by = finding.guard_by
    if by is not None:
        text = first_cells(" ".join(by.text.split()), _PROOF)
        where = Text.assemble(page.place(by.path, by.line), f": {text}")
        page.note(guard_words(finding), where, margin)


def margin_of(finding: Finding) -> int:
    """Columns left of a code frame: room for the number of its line."""
    return len(str(finding.span.line)) + 3
