"""Reporter: what a baseline accepts, for a reader at a terminal. Returns text, writes nowhere."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict

from portaudit.report.page import Grid, Page
from portaudit.report.text import Text, harmless
from portaudit.triage.baseline import Baseline
from portaudit.types import SEVERITIES, Entry

_FILES = 20


def render(
    baseline: Baseline, *, width: int, color: bool, today: datetime.date, links: str = ""
) -> str:
    """How much is accepted where, and under which terms."""
    page = Page(width, color=color, links=links)
    entries = baseline.entries
    files: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        files[entry.path][entry.severity] += entry.count
    total = sum(entry.count for entry in entries)
    page.line(
        (f"{total:,} accepted", "bold"),
        f" in {len(files):,} files, for {baseline.target}, by portaudit {baseline.tool}",
    )
    if not entries:
        return page.text()
    page.blank()
    table = Grid("file", *reversed(SEVERITIES), numbers=True)
    ranked = sorted(files.items(), key=lambda item: (-item[1].total(), item[0]))
    for path, numbers in ranked[:_FILES]:
        place = Text(*page.place(path, shown=harmless(path)))
        table.add_row(place, *(str(numbers[word] or ".") for word in reversed(SEVERITIES)))
    page.table(table)
    if ranked[_FILES:]:
        page.line(f"and {len(ranked) - _FILES:,} more files")
    _rules(page, entries)
    _terms(page, entries, today)
    return page.text()


def _rules(page: Page, entries: tuple[Entry, ...]) -> None:
    numbers: Counter[str] = Counter()
    for entry in entries:
        numbers[entry.rule] += entry.count
    listed = ", ".join(f"{rule} {number:,}" for rule, number in numbers.most_common())
    page.blank()
    page.prose(Text(listed), Text("by rule  ", "dim"))


def _terms(page: Page, entries: tuple[Entry, ...], today: datetime.date) -> None:
    groups: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        if entry.reason or entry.owner or entry.expires:
            groups[entry.expires, entry.owner, entry.reason] += entry.count
    for (expires, owner, reason), number in sorted(groups.items()):
        past = bool(expires) and datetime.date.fromisoformat(expires) < today
        words = [
            f"{number:,} accepted",
            f"by {owner}" if owner else "",
            f"until {expires}" if expires else "",
        ]
        text = " ".join(word for word in words if word) + (f": {reason}" if reason else "")
        page.prose(Text(text), Text("expired  " if past else "         ", "bold red"))
