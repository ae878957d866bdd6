"""Reporter: a report for a reader at a terminal, the verdict first, then what to repair first.

Only this module draws. It returns text and writes nowhere; without colour the text is plain, so
that a pipe or a file can take it.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from portaudit.report.causes import Cause, causes
from portaudit.types import (
    DIFFICULTIES,
    SEVERITIES,
    Finding,
    GuardState,
    Kernel,
    Location,
    Report,
    Section,
    Severity,
    Target,
    Verdict,
)

TOP = 5
"""Root causes that are shown in full."""
_LISTED = 15
"""Further root causes that get a line each."""
_SITES = 4
_CHECKS = 3
_PROOF, _TITLE = 60, 16
"""Columns of a guard's source text, and the fewest of a title that gives way to a path."""
_TAB = " " * 4
_BAR = 20
_WHOLE_DAYS = 10
_MEASURE = 110
"""Columns that prose fills at most: longer lines are hard to read."""

_SEVERITY_STYLE: dict[Severity, str] = {
    "blocker": "bold red",
    "major": "bold yellow",
    "minor": "bold cyan",
    "info": "dim",
}
_STATUS_STYLE = {
    "supported": "green",
    "partial": "yellow",
    "unsupported": "red",
    "undocumented": "magenta",
}
_VERDICT_STYLE: dict[Verdict, str] = {
    "ready": "bold green",
    "edits only": "bold green",
    "replace libraries": "bold yellow",
    "write kernels": "bold red",
    "redesign": "bold red",
    "unknown": "bold magenta",
}
_VERDICT: dict[Verdict, str] = {
    "ready": "nothing found that ties this code to CUDA",
    "edits only": "mechanical edits, no new kernel and no new library",
    "replace libraries": "CUDA-only libraries or APIs need another way",
    "write kernels": "kernels or extensions for CUDA have to be written anew",
    "redesign": "parts of the code assume a GPU by design",
    "unknown": "nothing to judge",
}
_TARGET: dict[Target, str] = {
    "torchneuron": "AWS Trainium, native PyTorch (target torchneuron)",
    "xla": "AWS Neuron, PyTorch/XLA (target xla)",
}
_XLA_NOTICE = (
    "PyTorch/XLA training on Neuron ended with SDK 2.30, and its inference only gets critical "
    "fixes. New work belongs on trn2 or trn3 with --target torchneuron."
)
_XLA_SOURCE = (
    "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/about-neuron/announcements/"
    "neuron2.x/announce-no-support-pytorch-xla-training.html"
)
_GUARD: dict[GuardState, str] = {
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
_ITEM = re.compile(r"(?:^|\n)\s*(?:[-*]|\d+\.) ")
_CODE_LINES = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would obey rather than show, and what cannot be written out."""


def render(
    report: Report, *, width: int, color: bool, verbose: bool = False, top: int = TOP
) -> str:
    """The whole report. `top` root causes are shown in full, and as many lines of a section.

    `verbose` lists every finding.
    """
    page = _Page(width, color=color)
    _head(page, report)
    _root_causes(page, report, top)
    _sections(page, report, top, verbose=verbose)
    _table(page, report)
    _kernels(page, report, verbose=verbose)
    if verbose:
        _findings(page, report)
    _coverage(page, report, verbose=verbose)
    _next_steps(page, report, verbose=verbose)
    return page.text()


def render_verdict(report: Report, *, width: int, color: bool) -> str:
    """The verdict alone."""
    page = _Page(width, color=color)
    _verdict(page, report)
    return page.text()


def render_markdown(text: str, *, width: int, color: bool) -> str:
    """A page of the rule documentation; without colour it stays the Markdown that it is."""
    if not color:
        return text
    page = _Page(min(width, _MEASURE), color=color)
    page.console.print(Markdown(text, hyperlinks=False))
    return page.text()


def render_rules(rows: Sequence[Sequence[str]], *, width: int, color: bool) -> str:
    """The rules as a table: id, severity, status on the target, category, name."""
    page = _Page(width, color=color)
    table = _grid("id", "severity", "on the target", "category", "name")
    for rule_id, severity, status, category, name in rows:
        table.add_row(
            Text(rule_id, "bold"),
            Text(severity, next((s for k, s in _SEVERITY_STYLE.items() if k == severity), "")),
            Text(status, _STATUS_STYLE.get(status, "")),
            category,
            name,
        )
    page.console.print(table)
    return page.text()


# --- the page -------------------------------------------------------------------------------------


class _Page:
    """Text under construction, of a fixed width, whatever the environment says."""

    def __init__(self, width: int, *, color: bool) -> None:
        self.color = color
        self.measure = min(width, _MEASURE)
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
        self.console.print()

    def line(self, *parts: str | Text | tuple[str, str]) -> None:
        """One line that is never broken, so that a path or an address stays whole."""
        self.put(Text.assemble(*parts))

    def put(self, text: Text) -> None:
        """One line as it is, with nothing in it that a terminal would obey."""
        text.plain = _harmless(text.plain)
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
        whole.plain = _harmless(whole.plain)
        first, *rest = whole.wrap(self.console, self.measure) or [whole]
        self.put(first)
        if rest:
            left = whole[len(first) :]
            left = left[len(left.plain) - len(left.plain.lstrip()) :]
            for line in left.wrap(self.console, max(20, self.measure - hang)):
                self.put(Text(" " * hang) + line)


def _harmless(text: str) -> str:
    """The same number of characters, none of which does anything to a terminal."""
    return _CONTROL.sub("?", text.replace("\n", " ").replace("\t", " "))


def _inline(text: str, *, color: bool, style: str = "") -> Text:
    """Text with `code` set off by colour, or by its backticks where there is none."""
    if not color:
        return Text(text)
    styled = Text(style=style)
    for number, part in enumerate(re.split(r"`([^`]+)`", text)):
        styled.append(part, "bold" if number % 2 else "")
    return styled


def _grid(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for header in headers:
        table.add_column(header, no_wrap=True)
    return table


# --- the verdict ----------------------------------------------------------------------------------


def _head(page: _Page, report: Report) -> None:
    page.line(
        (f"{report.tool.name} {report.tool.version}", "bold"),
        (f"  to {_TARGET[report.target]}", "dim"),
    )
    if report.target == "xla":
        page.blank()
        page.prose(Text(_XLA_NOTICE), Text("note: ", "bold yellow"))
        page.line("      ", (_XLA_SOURCE, "dim"))
    page.blank()
    _verdict(page, report)


def _verdict(page: _Page, report: Report) -> None:
    score = report.score
    if not report.coverage.files_total:
        page.line(
            ("NOTHING TO SCAN", "bold magenta"), "  no file that is read lies under the given paths"
        )
        return
    if not report.coverage.files_torch:
        page.line(
            ("NO TORCH", "bold magenta"),
            f"  none of {_count(report.coverage.files_scanned, 'file')} imports torch: no score",
        )
        return
    page.line((score.verdict.upper(), _VERDICT_STYLE[score.verdict]), "  ", _VERDICT[score.verdict])
    if score.value is not None:
        provisional = "  provisional: reach unknown, all code counts"
        page.line(
            *_bar(page, score.value, score.verdict),
            (f"{_number(score.value)} of 100", "bold"),
            (provisional if score.provisional else "", "dim"),
        )
    if report.roots:
        counts = Counter(root.severity for root in report.roots)
        split = ", ".join(f"{counts[level]} {level}" for level in _down() if counts[level])
        shown = _shown(report)
        files = len({finding.path for finding in shown})
        page.prose(
            Text(
                f"{_count(len(report.roots), 'root cause')} ({split}) in "
                f"{_count(len(shown), 'place')} of {_count(files, 'file')}, "
                f"estimated at {_days(*score.effort_days)}"
            )
        )


def _bar(page: _Page, value: float, verdict: Verdict) -> list[tuple[str, str]]:
    """The score as a bar of coloured blanks; nothing where there is no colour."""
    if not page.color:
        return []
    full = round(value / 100 * _BAR)
    ink = _VERDICT_STYLE[verdict].split()[-1]
    return [(" " * full, f"on {ink}"), (" " * (_BAR - full), "on bright_black"), ("  ", "")]


def _down() -> tuple[Severity, ...]:
    return tuple(reversed(SEVERITIES))


def _shown(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.suppressed is None]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _days(low: float, high: float) -> str:
    """An effort as what it is, an estimate: halves of a day, whole ones from ten on."""
    if high < 1:
        return "less than a day"
    first, last = (
        f"{value:.0f}" if value >= _WHOLE_DAYS else _number(round(value * 2) / 2)
        for value in (low, high)
    )
    if first == last:
        return f"{last} engineer-day{'' if last == '1' else 's'}"
    return f"{first} to {last} engineer-days" if first != "0" else f"up to {last} engineer-days"


# --- root causes ----------------------------------------------------------------------------------


def _root_causes(page: _Page, report: Report, top: int) -> None:
    found = causes(report)
    serious = [cause for cause in found if cause.severity != "info"]
    detailed = (serious or found)[:top]
    lines = [cause.example.span.line for cause in detailed if cause.example]
    margin = len(str(max(lines, default=1))) + 3
    shown: set[str] = set()
    for number, cause in enumerate(detailed, start=1):
        page.blank()
        _heading(page, cause, number)
        if cause.example:
            _frame(page, cause, cause.example, margin)
            _meaning(page, report, cause.example, margin, again=cause.rule in shown)
            shown.add(cause.rule)
            _elsewhere(page, cause, cause.example, margin)
    rest = [cause for cause in found if cause not in detailed]
    if not rest:
        return
    page.blank()
    page.line(("Further root causes" if detailed else "Root causes", "bold"))
    for cause in rest[:_LISTED]:
        _brief(page, cause)
    if rest[_LISTED:]:
        page.line(f"  and {len(rest) - _LISTED} more: --top {len(found)} shows all in full")


def _heading(page: _Page, cause: Cause, number: int) -> None:
    style = _SEVERITY_STYLE[cause.severity]
    lead = Text.assemble(f"{number}. ", (f"{cause.severity}[{cause.rule}]", style), ": ")
    page.prose(_inline(cause.title, color=page.color, style="bold"), lead, hang=3)
    files = len({site.path for site in cause.sites})
    facts = [
        f"{_count(len(cause.sites), 'place')} in {_count(files, 'file')}",
        _days(*cause.effort_days),
    ]
    if len(cause.roots) > 1:
        facts.insert(0, _count(len(cause.roots), "root cause"))
    if cause.points:
        facts.append(f"{_number(cause.points)} points")
    page.line("   ", (", ".join(facts), "dim"))


def _frame(page: _Page, cause: Cause, finding: Finding, margin: int) -> None:
    """The line of code with the finding underlined, cut where the page is too narrow."""
    message = "" if finding.message == cause.title else finding.message
    edge = (" " * margin + "| ", "blue")
    place = f"{finding.path}:{finding.span.line}:{finding.span.column}"
    scope = f" in {finding.scope}" if finding.scope and not finding.cell else ""
    scope = f" in cell {finding.cell}" if finding.cell else scope
    page.line((" " * (margin - 1) + "--> ", "blue"), place, (scope, "dim"))
    before, marked, after = _cut(finding, page.console.width - margin - 2)
    style = _SEVERITY_STYLE[finding.effective_severity]
    label = _inline(message, color=page.color, style=style)
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
        _harmless(part.replace("\t", _TAB))
        for part in (line[:start], line[start:end].rstrip(), line[max(start, end) :])
    )
    if cell_len(before + marked + after) <= room:
        return before, marked, after
    before = before.lstrip()
    if cell_len(before) > room // 3:
        before = "..." + _last_cells(before, room // 3 - 3)
    marked = _first_cells(marked, room - cell_len(before))
    return before, marked, _first_cells(after, room - cell_len(before + marked))


def _first_cells(text: str, room: int) -> str:
    if cell_len(text) <= room:
        return text
    while text and cell_len(text) > room - 3:
        text = text[:-1]
    return text + "..."[: max(0, room)]


def _last_cells(text: str, room: int) -> str:
    while text and cell_len(text) > room:
        text = text[1:]
    return text


def _meaning(
    page: _Page, report: Report, finding: Finding, margin: int, *, again: bool = False
) -> None:
    """What the target makes of it, by whose word, and the remedy, unless it was said before."""
    facts = finding.facts
    page.line((" " * margin + "|", "blue"))
    if finding.guard_by is not None:
        proof = finding.guard_by
        text = _first_cells(" ".join(proof.text.split()), _PROOF)
        page.note(_GUARD[finding.guard], Text(f"{proof.path}:{proof.line}: {text}"), margin)
    version = f"SDK {facts.sdk}" if facts.sdk[:1].isdigit() else facts.sdk
    status = Text.assemble(
        (facts.status, _STATUS_STYLE[facts.status]),
        f" ({facts.evidence.replace('_', ' ')}, {version})",
    )
    if facts.note:
        status.append_text(Text("; ") + _inline(facts.note, color=page.color))
    page.note(f"on {report.target}", status, margin)
    page.line(" " * (margin + 2), (facts.source, "dim"))
    if facts.replacement:
        page.note("use", Text(facts.replacement, "green"), margin)
    rule = report.rules.get(finding.rule)
    if again and not finding.fix:
        page.note("fix", Text("as above"), margin)
    else:
        _remedy(page, finding.fix or (rule.fix if rule else ""), margin)


def _remedy(page: _Page, fix: str, margin: int) -> None:
    """The first paragraph of the remedy and the code that goes with it; `explain` has the rest."""
    found = _REMEDY.match(fix.strip() + "\n")
    words, code = (found["words"] or "", found["code"] or "") if found else ("", "")
    first, *items = _ITEM.split(words.strip())
    if words or code:
        page.note("fix", _inline(" ".join(first.split()), color=page.color), margin)
    for item in items:
        text = _inline(" ".join(item.split()), color=page.color)
        page.prose(text, Text(" " * (margin + 2) + "- "))
    for line in code.strip("\n").split("\n")[:_CODE_LINES] if code else ():
        page.line(" " * (margin + 4), (line.replace("\t", _TAB).rstrip(), "green"))


def _elsewhere(page: _Page, cause: Cause, finding: Finding, margin: int) -> None:
    """Where the value of a literal arrives, and the other places of the root cause."""
    shown = Location(finding.path, finding.span.line)
    uses = sorted({Location(use.path, use.line) for use in finding.uses} - {shown})
    for label, sites in (
        ("used at", uses),
        ("also at", [site for site in cause.sites if site != shown and site not in uses]),
    ):
        if sites:
            listed = ", ".join(f"{site.path}:{site.line}" for site in sites[:_SITES])
            more = f" and {len(sites) - _SITES} more" if sites[_SITES:] else ""
            page.note(label, Text(listed + more), margin)


def _brief(page: _Page, cause: Cause) -> None:
    """A root cause on a line of its own."""
    _entry(page, cause.severity, cause.rule, cause.title, cause.sites)


def _entry(
    page: _Page, severity: Severity, rule: str, title: str, sites: Sequence[Location]
) -> None:
    """A rule's finding and its places on a line that fits the page: the title gives way."""
    place = f"{sites[0].path}:{sites[0].line}" if sites else ""
    more = f" +{len(sites) - 1}" if len(sites) > 1 else ""
    style = _SEVERITY_STYLE[severity]
    lead = Text.assemble("  ", (f"{severity:<8}", style), f"{rule:<7} ")
    longest = page.console.width // 2
    if cell_len(place + more) > longest:
        place = "..." + _last_cells(place, longest - cell_len(more) - 3)
    room = page.console.width - lead.cell_len - cell_len(place + more) - 2
    shown = _first_cells(_inline(title, color=page.color).plain, max(_TITLE, room))
    page.line(lead, shown, "  ", (place + more, "dim"))


# --- sections -------------------------------------------------------------------------------------


def _sections(page: _Page, report: Report, top: int, *, verbose: bool) -> None:
    """What the report says on each topic that the code shows, across categories."""
    findings = {finding.fingerprint: finding for finding in _shown(report)}
    for section in report.sections:
        members = [findings[key] for key in section.findings if key in findings]
        if members:
            _section(page, report, section, members, top, verbose=verbose)


def _section(
    page: _Page,
    report: Report,
    section: Section,
    members: Sequence[Finding],
    top: int,
    *,
    verbose: bool,
) -> None:
    """A topic: how much there is, its gravest lines, and what to check on the target."""
    page.blank()
    counts = Counter(finding.effective_severity for finding in members)
    split = ", ".join(f"{counts[level]} {level}" for level in _down() if counts[level])
    files = len({finding.path for finding in members})
    page.line(
        (section.title, "bold"),
        f"  {_count(len(members), 'place')} in {_count(files, 'file')}: {split}",
    )
    page.prose(Text(section.meaning, "dim"), Text("  "))
    groups: dict[str, list[Finding]] = {}
    for finding in sorted(members, key=_gravest):
        groups.setdefault(finding.rule, []).append(finding)
    ranked = sorted(groups.values(), key=lambda group: (_gravest(group[0])[0], -len(group)))
    most = len(ranked) if verbose else top
    for group in ranked[:most]:
        first = group[0]
        sites = list(dict.fromkeys(Location(each.path, each.span.line) for each in group))
        _entry(page, first.effective_severity, first.rule, _together(report, group), sites)
    if ranked[most:]:
        page.line(f"  and {len(ranked) - most} more: --top {len(ranked)} shows all")
    if section.checks:
        page.line(("  To check on the target", "bold"))
    most = len(section.checks) if verbose else _CHECKS
    for check in section.checks[:most]:
        page.prose(_inline(check.text, color=page.color), Text("  - "))
        page.line("    ", (check.source, "dim"))
    if section.checks[most:]:
        page.line(f"  and {len(section.checks) - most} more to check: -v shows all")


def _gravest(finding: Finding) -> tuple[object, ...]:
    """What puts the gravest finding first, and equals in the order of the files."""
    return -SEVERITIES.index(finding.effective_severity), finding.path, finding.span, finding.rule


def _together(report: Report, group: Sequence[Finding]) -> str:
    """What findings of one rule say: their message, or the rule's name and their subjects."""
    messages = {finding.message for finding in group}
    if len(messages) == 1:
        return messages.pop()
    subjects = Counter(finding.anchor for finding in group)
    listed = ", ".join(f"`{name}`" for name, _ in subjects.most_common())
    return f"{report.rules[group[0].rule].title}: {listed}"


# --- counts, findings, coverage -------------------------------------------------------------------


def _table(page: _Page, report: Report) -> None:
    shown = _shown(report)
    if not shown:
        return
    page.blank()
    counts = Counter((finding.category, finding.effective_severity) for finding in shown)
    used = [severity for severity in _down() if any(key[1] == severity for key in counts)]
    table = _grid("places by category", *used)
    for column in table.columns[1:]:
        column.justify = "right"
    grave = {
        category: [counts[category, severity] for severity in used]
        for category in {finding.category for finding in shown}
    }
    for category, numbers in sorted(grave.items(), key=lambda row: ([-n for n in row[1]], row[0])):
        cells = (
            Text(str(number), _SEVERITY_STYLE[severity]) if number else Text(".", "dim")
            for number, severity in zip(numbers, used, strict=True)
        )
        table.add_row(category, *cells)
    page.console.print(table)


def _kernels(page: _Page, report: Report, *, verbose: bool) -> None:
    """What kernel code there is, and how hard it is to write anew."""
    kernels = [each for each in report.inventory if not each.helper]
    if not kernels:
        return
    page.blank()
    counts = Counter((each.language, each.difficulty) for each in kernels)
    table = _grid("kernels", *DIFFICULTIES, "lines", "another way", "in nki-library")
    for column in table.columns[1:]:
        column.justify = "right"
    for language in sorted({each.language for each in kernels}):
        own = [each for each in kernels if each.language == language]
        numbers = (
            *(counts[language, difficulty] for difficulty in DIFFICULTIES),
            sum(each.lines for each in own),
            sum(each.fallback is not None for each in own),
            sum(each.counterpart is not None for each in own),
        )
        cells = (str(number) if number else Text(".", "dim") for number in numbers)
        table.add_row(f"{len(own)} {language}", *cells)
    page.console.print(table)
    if verbose:
        for each in report.inventory:
            _kernel(page, each)


def _kernel(page: _Page, kernel: Kernel) -> None:
    """A kernel on a line of its own: where, what it is called, how hard and why."""
    found = kernel.counterpart
    library = f"; nki-library: {found.name} ({found.tier}, since {found.since})" if found else ""
    page.line(
        f"{kernel.path}:{kernel.line}: ",
        (kernel.name, "bold"),
        f" {_count(kernel.lines, 'line')}, {kernel.difficulty}: {', '.join(kernel.reasons)}",
        ("; called by other kernels only" if kernel.helper else "", "dim"),
        (library, "green"),
    )


def _findings(page: _Page, report: Report) -> None:
    """Every finding on a line of its own, which an editor or grep can take apart."""
    shown = sorted(report.findings, key=lambda finding: (finding.path, finding.span, finding.rule))
    if not shown:
        return
    page.blank()
    page.line(("All findings", "bold"))
    for finding in shown:
        notes: list[str] = [] if finding.guard == "none" else [finding.guard]
        notes += [f"{finding.confidence} confidence"] if finding.confidence != "high" else []
        notes += [f"ignored: {finding.suppressed.reason}"] if finding.suppressed else []
        page.line(
            f"{finding.path}:{finding.span.line}:{finding.span.column}: ",
            (finding.effective_severity, _SEVERITY_STYLE[finding.effective_severity]),
            f" {finding.rule} ",
            _inline(finding.message, color=False).plain,
            (f" ({', '.join(notes)})" if notes else "", "dim"),
        )


def _coverage(page: _Page, report: Report, *, verbose: bool) -> None:
    coverage = report.coverage
    page.blank()
    page.line(
        ("Read     ", "bold"),
        f"{coverage.files_scanned:,} of {_count(coverage.files_total, 'file')}, "
        f"{coverage.files_torch:,} with torch, {_count(coverage.rules_run, 'rule')}",
    )
    if coverage.unknown_facts:
        page.prose(
            Text(
                f"for {_count(coverage.unknown_facts, 'place')} no source says what "
                f"{report.target} supports: take the advice there as open"
            ),
            Text("Unknown  ", "bold"),
        )
    ignored = sum(finding.suppressed is not None for finding in report.findings)
    if ignored:
        page.line(("Ignored  ", "bold"), f"{_count(ignored, 'place')} by a comment in the code")
    _skipped(page, report, verbose=verbose)
    for number, error in enumerate(report.errors):
        place = error.path if error.line is None else f"{error.path}:{error.line}"
        lead = ("Failed   ", "bold red") if number == 0 else (" " * 9, "")
        page.line(lead, f"{place}: {error.reason}")


def _skipped(page: _Page, report: Report, *, verbose: bool) -> None:
    def reason(entry: object) -> str:
        return getattr(entry, "reason", "")

    lead = ("Skipped  ", "bold")
    for why, group in groupby(sorted(report.skipped, key=reason), key=reason):
        entries = sorted(entry.path for entry in group)
        listed = entries if verbose else entries[:3]
        more = f" and {len(entries) - len(listed)} more" if len(entries) > len(listed) else ""
        page.prose(Text(f"{why}: {', '.join(listed)}{more}"), Text(*lead))
        lead = (" " * 9, "")


def _next_steps(page: _Page, report: Report, *, verbose: bool) -> None:
    if not report.findings:
        return
    first = next((cause.rule for cause in causes(report)), report.findings[0].rule)
    steps = [f"portaudit explain {first}"]
    if not verbose:
        steps.append(f"-v for all {_count(len(report.findings), 'finding')}")
    steps.append("--format json for tools")
    page.prose(Text(", ".join(steps)), Text("Next     ", "bold"))
