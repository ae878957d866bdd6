"""Reporter: what one revision brings that another had not, for a reader at a terminal.

Returns text and writes nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from portaudit.report.outcome import count, urgent
from portaudit.report.page import SEVERITY_STYLE, Page, inline
from portaudit.report.text import Text
from portaudit.types import Difference, Finding, RootCause, Score, Severity

_SHOWN = 20
"""Findings and root causes that are listed unless everything is asked for."""


def render(
    told: Difference, *, width: int, color: bool, verbose: bool = False, links: str = ""
) -> str:
    """For a reader at a terminal: the score, the work, then the places."""
    page = Page(width, color=color, links=links)
    page.line((f"{told.old} -> {told.new}", "bold"), f"  for {told.target}")
    page.line(
        _score(told.score_old),
        " -> ",
        (_score(told.score_new), "bold"),
        f"  {_gain(told)}".rstrip(),
    )
    page.line(_numbers(told))
    most = None if verbose else _SHOWN
    _roots(page, "New root causes", told.roots_appeared, most)
    _roots(page, "Root causes that are gone", told.roots_gone, most)
    _findings(page, "New", told.appeared, most)
    _findings(page, "Graver than before", told.graver, most)
    _findings(page, "Gone", told.gone, most, there=False)
    if verbose:
        _findings(page, "Milder than before", told.milder, None)
    if told.moved:
        page.blank()
        page.line(("Moved", "bold"))
        for old, new, number in told.moved[:most]:
            page.line(f"  {old} -> ", page.place(new), f" ({number})")
    if told.partial:
        page.blank()
        page.line("Some files could not be read: what is in them is not compared")
    return page.text()


def _score(score: Score) -> str:
    value = "no score" if score.value is None else f"{score.value:.1f}"
    return f"{value} ({score.verdict})"


def _gain(told: Difference) -> str:
    before, after = told.score_old.value, told.score_new.value
    return "" if before is None or after is None else f"{after - before:+.1f} points"


def _numbers(told: Difference) -> str:
    return (
        f"{len(told.appeared):,} new, {len(told.graver):,} graver, {len(told.milder):,} milder, "
        f"{len(told.gone):,} gone, {told.unchanged:,} unchanged"
    )


def _roots(page: Page, title: str, roots: Sequence[RootCause], most: int | None) -> None:
    if not roots:
        return
    page.blank()
    page.line((title, "bold"))
    alike: dict[tuple[Severity, str, str], int] = {}
    for root in roots:
        key = root.severity, root.rule, root.title
        alike[key] = alike.get(key, 0) + len(root.sites)
    for (severity, rule, words), places in list(alike.items())[:most]:
        lead = Text.assemble("  ", (f"{severity:7}", SEVERITY_STYLE[severity]), " ")
        text = f"{rule}  {words} ({count(places, 'place')})"
        page.prose(inline(text, color=page.color), lead)
    _more(page, len(alike), most)


def _findings(
    page: Page, title: str, findings: Sequence[Finding], most: int | None, *, there: bool = True
) -> None:
    """Findings on a line each; where they are no longer `there`, no link leads to them."""
    if not findings:
        return
    page.blank()
    page.line((title, "bold"))
    for item in urgent(findings)[:most]:
        was = f" (was {item.accepted.severity})" if item.accepted else ""
        numbers = item.span.line, item.span.column
        place = page.place(item.path, *numbers)
        page.line(
            "  ",
            place if there else place[0],
            ": ",
            (f"{item.rule} {item.effective_severity}", SEVERITY_STYLE[item.effective_severity]),
            f"{was} ",
            inline(item.message, color=page.color),
        )
    _more(page, len(findings), most)


def _more(page: Page, number: int, most: int | None) -> None:
    if most is not None and number > most:
        page.line(f"  and {number - most:,} more (-v shows all)")
