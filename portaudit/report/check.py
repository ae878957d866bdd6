"""Reporter: what a check found, for a reader at a terminal: what is new, and how to go on.

Old code is only counted. Returns text and writes nowhere.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from portaudit.report.groups import grouped
from portaudit.report.outcome import (
    advice,
    count,
    counts,
    failing,
    left_out,
    live,
    place,
    split,
    spot,
    why,
)
from portaudit.report.page import (
    SEVERITY_STYLE,
    Page,
    adds,
    frame,
    inline,
    margin_of,
    proof,
    remedy,
)
from portaudit.report.text import Text
from portaudit.types import Entry, Finding, Gate, Notice, Report

_SHOWN = 5
"""Entries that are expired, and files that could not be read, that are named."""


def render(
    report: Report,
    *,
    width: int,
    color: bool,
    verbose: bool = False,
    links: str = "",
    group_by: str = "",
    encoding: str = "utf-8",
) -> str:
    """What fails in full, then what it was held against. `verbose` shows what passes as well.

    `group_by`: a word of `formats.GROUPS`, by which what fails is put together, on a line each.
    """
    gate = report.gate
    assert gate is not None, "a report without a gate has nothing to say here"
    page = Page(width, color=color, links=links, encoding=encoding)
    found = sorted(failing(report), key=place)
    said: set[str] = set()
    if group_by and found:
        grouped(page, report, found, group_by, None)
        page.blank()
    for finding in () if group_by else found:
        _finding(page, report, finding, said)
    if verbose:
        names = set(gate.failing)
        for finding in sorted(live(report), key=place):
            if finding.fingerprint not in names:
                _brief(page, finding)
    _notices(page, report.notices)
    _outcome(page, report, found)
    _old(page, report)
    _entries(page, gate)
    if found:
        _accept(page, gate, found)
    return page.text()


def render_brief(report: Report, *, width: int, color: bool, links: str = "") -> str:
    """One line for each failing finding, as compilers write them; nothing where all passes.

    And for each file that fails by findings that are left out.
    """
    found, lost = failing(report), left_out(report)
    if not (found or lost):
        return ""
    page = Page(width, color=color, links=links)
    for finding in sorted(found, key=place):
        _brief(page, finding)
    for error in lost:
        page.line(page.place(error.path), ": ", error.reason)
    return page.text()


def render_list(findings: Iterable[Finding], *, width: int, color: bool, links: str = "") -> str:
    """One line for each finding, in the order of the code."""
    page = Page(width, color=color, links=links)
    for finding in sorted(findings, key=place):
        _brief(page, finding)
    return page.text()


def _finding(page: Page, report: Report, finding: Finding, said: set[str]) -> None:
    style = SEVERITY_STYLE[finding.effective_severity]
    reason = why(report, finding)
    lead = Text.assemble((f"{finding.effective_severity}[{finding.rule}]", style), ": ")
    page.prose(inline(finding.message, color=page.color, style="bold"), lead, hang=3)
    margin = margin_of(finding)
    frame(page, finding, margin, message="")
    if reason not in {"", "new"}:
        page.note("why now", Text(reason), margin)
    proof(page, finding, margin)
    if finding.facts.replacement:
        page.note("use", Text(finding.facts.replacement, "green"), margin)
    fix = advice(report.rules, finding)
    if not adds(fix, finding.facts.replacement):
        pass
    elif fix in said:
        page.note("fix", Text("as above"), margin)
    else:
        said.add(fix)
        remedy(page, fix, margin)
    page.blank()


def _brief(page: Page, finding: Finding) -> None:
    span, severity = finding.span, finding.effective_severity
    page.line(
        page.place(finding.path, span.line, span.column),
        ": ",
        (f"{finding.rule} {severity}", SEVERITY_STYLE[severity]),
        " ",
        inline(finding.message, color=page.color),
    )


def _notices(page: Page, notices: Sequence[Notice]) -> None:
    for notice in notices:
        page.line(f"{spot(notice)}: ", ("note ", "bold"), notice.message)


def _outcome(page: Page, report: Report, found: Sequence[Finding]) -> None:
    gate = report.gate
    assert gate is not None
    if gate.passed:
        what = "nothing new fails" if counts(report).passing else "nothing new"
        said = "; ".join(filter(None, (f"{what}, against {gate.against}", _besides(report))))
        page.prose(Text(said), Text("PASSED  ", "bold green"))
        return
    parts = []
    if found:
        files = count(len({finding.path for finding in found}), "file")
        parts.append(f"{count(len(found), 'finding')} ({split(found)}) in {files}")
    if gate.unjudged:
        parts.append(f"{count(len(gate.unjudged), 'file')} with findings that are left out")
    what = ", ".join(parts)
    page.prose(Text(f"{what}, against {gate.against}"), Text("FAILED  ", "bold red"))
    besides = _besides(report)
    if besides:
        page.line(("Besides ", "dim"), besides)


def _besides(report: Report) -> str:
    """What does not fail, by the reason why."""
    told = counts(report)
    parts = (
        (told.before, f"{'was' if told.before == 1 else 'were'} there before"),
        (told.accepted, "accepted"),
        (told.suppressed, "suppressed"),
        (told.passing, "below the gate (-v shows them)"),
    )
    return ", ".join(f"{number:,} {words}" for number, words in parts if number)


def _old(page: Page, report: Report) -> None:
    told = counts(report)
    if told.covered:
        page.prose(
            Text(
                f"{count(told.covered, 'place')} of old code that other rules than the "
                "baseline's see: `portaudit baseline update --newly-covered` accepts them"
            ),
            Text("Covered ", "dim"),
        )
    if report.gate is not None and report.gate.outdated:
        page.prose(
            Text(
                f"{report.gate.baseline} was made by other rules than these: "
                "`portaudit baseline update` ends that"
            ),
            Text("Outdated ", "bold yellow"),
        )
    for number, error in enumerate(report.errors[:_SHOWN]):
        lead = ("        ", "") if number else ("Unread  ", "bold yellow")
        page.line(lead, f"{spot(error)}: {error.reason}")
    if report.errors[_SHOWN:]:
        page.line(f"        and {len(report.errors) - _SHOWN} more")


def _entries(page: Page, gate: Gate) -> None:
    if gate.gone:
        number = sum(entry.count for entry in gate.gone)
        text = f"{count(number, 'accepted finding')} no longer there: `portaudit baseline prune`"
        page.prose(Text(text), Text("Gone    ", "dim"))
    for entry in gate.expired[:_SHOWN]:
        page.prose(Text(_lapsed(entry)), Text("Expired ", "bold red"))
    if gate.expired[_SHOWN:]:
        page.line(f"        and {len(gate.expired) - _SHOWN} more")


def _lapsed(entry: Entry) -> str:
    owner = f" by {entry.owner}" if entry.owner else ""
    reason = f": {entry.reason}" if entry.reason else ""
    where = f"{entry.path} {entry.rule} in {entry.scope or 'the module'}"
    return f"{where} was accepted{owner} until {entry.expires}{reason}"


def _accept(page: Page, gate: Gate, found: Sequence[Finding]) -> None:
    first = found[0]
    where = shlex.quote(f"{first.path}:{first.span.line}")
    page.prose(
        Text(f'portaudit suppress {where} {first.rule} --reason "..." for one place'),
        Text("Accept  ", "dim"),
    )
    all_of_it = (
        "portaudit baseline update for all that this run found"
        if gate.baseline
        else "portaudit baseline create for all that there is now"
    )
    page.prose(Text(all_of_it), Text("        "))
