"""Text without colour is laid out as rich would lay it out."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text as Rich

from portaudit.report.page import Grid, Page
from portaudit.report.text import Text, columns, harmless

WORDS = st.text(st.sampled_from("ab  -ö█…日本é👩‍💻\t\n"), max_size=60) | st.text(max_size=30)
STYLES = st.sampled_from(["", "bold", "dim", "bold red", "green"])
RUNS = st.lists(st.tuples(WORDS.map(harmless), STYLES), max_size=4)
WIDTHS = st.integers(20, 60)


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, color_system=None, _environ={})


@given(RUNS, WIDTHS)
def test_lines_are_broken_as_rich_breaks_them(runs: list[tuple[str, str]], width: int) -> None:
    text, rich = Text.assemble(*runs), Rich.assemble(*runs)
    assert text.plain == rich.plain
    assert columns(text.plain) == rich.cell_len
    broken = [line.plain.rstrip() for line in text.wrapped(width)]
    assert broken == [line.plain.rstrip() for line in rich.wrap(console(width), width)]


@given(RUNS, st.integers(0, 80), st.integers(0, 80))
def test_a_part_keeps_its_styles(runs: list[tuple[str, str]], start: int, end: int) -> None:
    text = Text.assemble(*runs)
    part = text.between(start, end)
    assert part.plain == text.plain[start:end]
    styles = [style for run, style in text.runs for _ in run]
    assert [style for run, style in part.runs for _ in run] == styles[start:end]


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(0, 10**6)), max_size=4), st.booleans())
def test_tables_look_as_rich_draws_them(rows: list[tuple[str, str, int]], numbers: bool) -> None:
    drawn = []
    for color in (False, True):
        page, table = Page(100, color=color), Grid("one", "two", "three", numbers=numbers)
        for first, second, third in rows:
            table.add_row(harmless(first)[:20], harmless(second)[:20], Text(str(third), "bold"))
        page.table(table)
        drawn.append(page.text())
    plain, colored = drawn
    lines = [line.rstrip() for line in Rich.from_ansi(colored.removesuffix("\n")).plain.split("\n")]
    assert [line.rstrip() for line in plain.removesuffix("\n").split("\n")] == lines
