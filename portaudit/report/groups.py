"""Reporter: findings by file, rule, category or root cause, for a reader at a terminal.

By root cause, which is how work is counted, a scan shows more of them than this: `terminal`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from portaudit.report.outcome import count, grade, gravest, split, why
from portaudit.report.page import SEVERITY_STYLE, Page, first_cells, inline, last_cells
from portaudit.report.text import Text, columns, harmless
from portaudit.types import SEVERITIES, Finding, Report

ROOT = "root"
_LISTED = 15
"""Findings that are listed of a group, and further groups that get a line each."""
_MESSAGE = 16
"""The fewest columns of a message."""
_KEYS: Mapping[str, Callable[[Finding], str]] = {
    ROOT: lambda finding: finding.root,
    "file": lambda finding: finding.path,
    "rule": lambda finding: finding.rule,
    "category": lambda finding: finding.category,
}


def grouped(
    page: Page, report: Report, findings: Sequence[Finding], by: str, top: int | None
) -> None:
    """Findings in groups, those first that have the gravest.

    `top` groups have their lines, the first ones; all of all groups where there is no `top`.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_KEYS[by](finding), []).append(finding)
    ranked = sorted(groups, key=lambda name: (_weight(groups[name]), name))
    titles = _titles(report, by)
    for name in ranked[:top]:
        page.blank()
        _heading(page, titles, by, name, groups[name])
        found = sorted(groups[name], key=_order if by == "file" else _gravest)
        most = None if top is None else _LISTED
        for finding in found[:most]:
            _line(page, report, finding, by)
        if found[len(found[:most]) :]:
            page.line(f"  and {len(found) - _LISTED:,} more: -v shows all")
    rest = ranked[len(ranked[:top]) :]
    if rest:
        page.blank()
        page.line((f"Further {_plural(by)}", "bold"))
        for name in rest[:_LISTED]:
            _brief(page, titles, by, name, groups[name])
        if rest[_LISTED:]:
            more = f"--top {len(ranked)} shows all"
            page.line(f"  and {len(rest) - _LISTED:,} more: {more}")


def _titles(report: Report, by: str) -> Mapping[str, str]:
    """What the names of groups mean in words, where they do not speak for themselves."""
    if by == ROOT:
        return {root.id: root.title for root in report.roots}
    return {name: rule.title for name, rule in report.rules.items()} if by == "rule" else {}


def _weight(findings: Sequence[Finding]) -> tuple[int, ...]:
    """What the main path needs counts first, the gravest before the less grave."""
    needed = Counter(each.effective_severity for each in findings if _is_needed(each))
    everything = Counter(each.effective_severity for each in findings)
    down = tuple(reversed(SEVERITIES))
    return (*(-needed[level] for level in down), *(-everything[level] for level in down))


def _is_needed(finding: Finding) -> bool:
    return finding.reach in {"main", None}


def _order(finding: Finding) -> tuple[object, ...]:
    return finding.span, finding.rule


def _gravest(finding: Finding) -> tuple[object, ...]:
    return not _is_needed(finding), -grade(finding), finding.path, finding.span


def _heading(
    page: Page, titles: Mapping[str, str], by: str, name: str, findings: Sequence[Finding]
) -> None:
    counted = f"  {_counts(findings)}"
    if by == ROOT:
        title = inline(titles.get(name, name), color=page.color, style="bold")
        page.prose(Text.assemble(title, (counted, "dim")), hang=3)
        return
    place = page.place(name, style="bold") if by == "file" else (name, "bold")
    page.line(place, f"  {titles.get(name, '')}".rstrip(), (counted, "dim"))


def _counts(findings: Sequence[Finding]) -> str:
    files = len({each.path for each in findings})
    where = f" in {count(files, 'file')}" if files > 1 else ""
    return f"{count(len(findings), 'place')}{where}: {split(findings)}"


def _line(page: Page, report: Report, finding: Finding, by: str) -> None:
    """A finding on a line that fits the page: the message gives way."""
    span, severity = finding.span, finding.effective_severity
    shown = f"{span.line}:{span.column}"
    if by != "file":
        longest = page.width // 2
        shown = f"{finding.path}:{shown}"
        if columns(shown) > longest:
            shown = "..." + last_cells(shown, longest - 3)
    place = page.place(finding.path, span.line, span.column, shown=harmless(shown))
    notes: list[str] = [] if finding.guard == "none" else [finding.guard]
    notes += [] if _is_needed(finding) else [f"reach {finding.reach}"]
    reason = why(report, finding)
    notes += [] if reason in {"", "new"} else [reason]
    note = f" ({', '.join(notes)})" if notes else ""
    lead = Text.assemble(
        "  ",
        (f"{severity:<8}", SEVERITY_STYLE[severity]),
        "" if by == "rule" else f"{finding.rule:<7} ",
        (place[0] + " " * max(0, 8 - len(place[0])) if by == "file" else place[0], place[1]),
        "  ",
    )
    room = max(_MESSAGE, page.width - lead.columns - columns(note))
    message = inline(finding.message, color=page.color).plain
    page.line(lead, first_cells(message, room), (note, "dim"))


def _brief(
    page: Page, titles: Mapping[str, str], by: str, name: str, findings: Sequence[Finding]
) -> None:
    worst = gravest(findings)
    title = page.place(name) if by == "file" else (name, "")
    words = f" {titles.get(name, '')}".rstrip()
    lead = ("  ", (f"{worst:<8}", SEVERITY_STYLE[worst]))
    page.line(*lead, title, words, (f"  {_counts(findings)}", "dim"))


def _plural(word: str) -> str:
    return {"category": "categories"}.get(word, f"{word}s")
