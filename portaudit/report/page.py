"""What reports at a terminal are drawn with: a page of fixed width, code frames, remarks.

Makes text and writes nowhere; without colour the text is plain, so that a pipe or a file can take
it. Nothing that a terminal would obey comes through from the audited code.
"""

from __future__ import annotations

import io
import re

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from portaudit.types import Finding, GuardState, Severity

_TAB = " " * 4
MEASURE = 110
"""Columns that prose fills at most: longer lines are hard to read."""
SEVERITY_STYLE: dict[Severity, str] = {
    "blocker": "bold red",
    "major": "bold yellow",
    "minor": "bold cyan",
    "info": "dim",
}
GUARD_WORDS: dict[GuardState, str] = {
    "none": "not guarded",
    "guarded": "only where CUDA is",
    "fallback": "has another way",
    "import-guarded": "optional import",
    "hard-fail": "fails without CUDA",
}
_REMEDY = re.compile(
    r"(?P<words>(?!```)[^\n]+(?:\n(?!```)[^\n]+)*\n)?\n*(?:```\w*\n(?P<code>.*?)\n```)?", re.DOTALL
)
"""A paragraph, a code block, or the one and right after it the other."""
_PROOF = 60
"""Columns of a guard's source text."""
_ITEM = re.compile(r"(?:^|\n)\s*(?:[-*]|\d+\.) ")
_CODE_LINES = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would obey rather than show, and what cannot be written out."""


class Page:
    """Text under construction, of a fixed width, whatever the environment says."""

    def __init__(self, width: int, *, color: bool) -> None:
        self.color = color
        self.measure = min(width, MEASURE)
        self.console = Console(
            file=io.StringIO(),
            width=width,
            height=100,
            color_system="standard" if color else None,
            force_terminal=color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self) -> str:
        """What was put on the page, without blanks at the ends of lines."""
        file = self.console.file
        assert isinstance(file, io.StringIO)
        lines = [line.rstrip() for line in file.getvalue().split("\n")]
        return "\n".join(lines).strip("\n") + "\n"

    def blank(self) -> None:
        """An empty line."""
        self.console.print()

    def line(self, *parts: str | Text | tuple[str, str]) -> None:
        """One line that is never broken, so that a path or an address stays whole."""
        self.put(Text.assemble(*parts))

    def put(self, text: Text) -> None:
        """One line as it is, with nothing in it that a terminal would obey."""
        text.plain = harmless(text.plain)
        self.console.print(text, soft_wrap=True)

    def note(self, label: str, text: Text, margin: int) -> None:
        """A remark below a code frame."""
        lead = Text.assemble((" " * margin + "= ", "blue"), (f"{label}: ", "bold"))
        self.prose(text, lead, hang=margin + 2)

    def prose(self, text: Text, lead: Text | None = None, *, hang: int | None = None) -> None:
        """Text broken to the measure; further lines hang below the first one's start."""
        lead = lead or Text()
        hang = lead.cell_len if hang is None else hang
        whole = lead + text
        whole.plain = harmless(whole.plain)
        first, *rest = whole.wrap(self.console, self.measure) or [whole]
        self.put(first)
        if rest:
            left = whole[len(first) :]
            left = left[len(left.plain) - len(left.plain.lstrip()) :]
            for line in left.wrap(self.console, max(20, self.measure - hang)):
                self.put(Text(" " * hang) + line)


def harmless(text: str) -> str:
    """The same number of characters, none of which does anything to a terminal."""
    return _CONTROL.sub("?", text.replace("\n", " ").replace("\t", " "))


def inline(text: str, *, color: bool, style: str = "") -> Text:
    """Text with `code` set off by colour, or by its backticks where there is none."""
    if not color:
        return Text(text)
    styled = Text(style=style)
    for number, part in enumerate(re.split(r"`([^`]+)`", text)):
        styled.append(part, "bold" if number % 2 else "")
    return styled


def grid(*headers: str) -> Table:
    """A table of columns that are never broken."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table


def frame(page: Page, finding: Finding, margin: int, *, message: str) -> None:
    """The line of code with the finding underlined, cut where the page is too narrow."""
    edge = (" " * margin + "| ", "blue")
    place = f"{finding.path}:{finding.span.line}:{finding.span.column}"
    scope = f" in {finding.scope}" if finding.scope and not finding.cell else ""
    scope = f" in cell {finding.cell}" if finding.cell else scope
    page.line((" " * (margin - 1) + "--> ", "blue"), place, (scope, "dim"))
    before, marked, after = _cut(finding, page.console.width - margin - 2)
    style = SEVERITY_STYLE[finding.effective_severity]
    label = inline(message, color=page.color, style=style)
    if not marked:
        if message:
            page.prose(label, Text(*edge))
        return
    page.line((" " * margin + "|", "blue"))
    number = str(finding.span.line).rjust(margin - 1)
    page.line((f"{number} | ", "blue"), before, (marked, style), after)
    under = Text.assemble(edge, " " * cell_len(before), ("^" * cell_len(marked), style), " ")
    if under.cell_len + label.cell_len <= page.measure:
        page.put(under + label)
    else:
        page.put(under)
        page.prose(label, Text(*edge))


def _cut(finding: Finding, room: int) -> tuple[str, str, str]:
    """The code before, in and after the span, cut so that it fits into `room` cells."""
    line = finding.snippet.split("\n", 1)[0]
    start = finding.span.column - 1
    single = finding.span.end_line == finding.span.line
    end = finding.span.end_column - 1 if single else len(line)
    before, marked, after = (
        harmless(part.replace("\t", _TAB))
        for part in (line[:start], line[start:end].rstrip(), line[max(start, end) :])
    )
    if cell_len(before + marked + after) <= room:
        return before, marked, after
    before = before.lstrip()
    if cell_len(before) > room // 3:
        before = "..." + last_cells(before, room // 3 - 3)
    marked = first_cells(marked, room - cell_len(before))
    return before, marked, first_cells(after, room - cell_len(before + marked))


def first_cells(text: str, room: int) -> str:
    """The beginning of a text that fits into some columns."""
    if cell_len(text) <= room:
        return text
    while text and cell_len(text) > room - 3:
        text = text[:-1]
    return text + "..."[: max(0, room)]


def last_cells(text: str, room: int) -> str:
    """The end of a text that fits into some columns."""
    while text and cell_len(text) > room:
        text = text[1:]
    return text


def remedy(page: Page, fix: str, margin: int) -> None:
    """The first paragraph of the remedy and the code that goes with it; `explain` has the rest."""
    found = _REMEDY.match(fix.strip() + "\n")
    words, code = (found["words"] or "", found["code"] or "") if found else ("", "")
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
        words = f"only with {by.setting}" if by.setting else GUARD_WORDS[finding.guard]
        page.note(words, Text(f"{by.path}:{by.line}: {text}"), margin)


def margin_of(finding: Finding) -> int:
    """Columns left of a code frame: room for the number of its line."""
    return len(str(finding.span.line)) + 3
