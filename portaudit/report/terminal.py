"""Reporter: a report for a reader at a terminal, the verdict first, then what to repair first.

Only this module draws. It returns text and writes nowhere; without colour the text is plain, so
that a pipe or a file can take it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from portaudit.report.causes import Cause, causes, is_aside, is_needed
from portaudit.report.groups import ROOT, grouped
from portaudit.report.outcome import (
    GAINS_TITLE,
    OTHERS_NOTICE,
    TARGET_WORDS,
    XLA_NOTICE,
    XLA_SOURCE,
    advice,
    count,
    days,
    decimal,
    mains,
    of_rules,
    release,
    rules_left_out,
    spot,
    told_apart,
    verdict_words,
)
from portaudit.report.page import (
    MEASURE,
    SEVERITY_STYLE,
    STATUS_STYLE,
    Grid,
    Page,
    adds,
    first_cells,
    frame,
    inline,
    last_cells,
    proof,
    remedy,
)
from portaudit.report.text import Text, columns
from portaudit.types import (
    DIFFICULTIES,
    SEVERITIES,
    UNGUARDED,
    EntryKind,
    EntryPoint,
    Finding,
    Kernel,
    Location,
    Report,
    Section,
    Severity,
    Verdict,
)

TOP = 5
"""Root causes that are shown in full."""
_LISTED = 15
"""Further root causes that get a line each."""
_SITES = 4
_GAINS = 5
"""Steps that are told of what would raise the score most."""
_PROGRAMS = 4
"""Other programs that are told with their scores."""
_CHECKS = 3
_NOTICES = 5
_TITLE = 16
"""The fewest columns of a title that gives way to a path."""
_BAR = 20
_NEXT: tuple[EntryKind, ...] = ("training", "evaluation", "inference", "export")
"""Programs whose scores are told, in this order."""
_VERDICT_STYLE: dict[Verdict, str] = {
    "ready": "bold green",
    "edits only": "bold green",
    "replace libraries": "bold yellow",
    "write kernels": "bold red",
    "redesign": "bold red",
    "unknown": "bold magenta",
}


def render(
    report: Report,
    *,
    width: int,
    color: bool,
    verbose: bool = False,
    top: int = TOP,
    links: str = "",
    group_by: str = "",
    encoding: str = "utf-8",
) -> str:
    """The whole report. `top` root causes are shown in full, and as many lines of a section.

    `verbose` lists every finding · `group_by`: what findings are put together by instead of root
    causes, a word of `formats.GROUPS`.
    """
    page = Page(width, color=color, links=links, encoding=encoding)
    _head(page, report)
    if group_by in {"", ROOT}:
        _root_causes(page, report, top)
    else:
        grouped(page, report, _shown(report), group_by, None if verbose else top)
        _coverage(page, report, verbose=verbose)
        return page.text()
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
    page = Page(width, color=color)
    _verdict(page, report)
    return page.text()


def render_markdown(text: str, *, width: int, color: bool) -> str:
    """A page of the rule documentation; without colour it stays the Markdown that it is."""
    if not color:
        return text
    from rich.markdown import Markdown  # noqa: PLC0415 - half of what rich takes to load

    page = Page(min(width, MEASURE), color=color)
    from rich.theme import Theme  # noqa: PLC0415

    # Rich sets code off by a black ground, which is a hole in a light terminal.
    page.console.push_theme(Theme({"markdown.code": "bold cyan", "markdown.code_block": "cyan"}))
    page.console.print(Markdown(text, hyperlinks=False, code_theme="ansi_light"))
    return page.text()


def render_rules(rows: Sequence[Sequence[str]], *, width: int, color: bool) -> str:
    """The rules as a table: id, severity, status on the target, category, name."""
    page = Page(width, color=color)
    table = Grid("id", "severity", "on the target", "category", "name")
    for rule_id, severity, status, category, name in rows:
        table.add_row(
            Text(rule_id, "bold"),
            Text(severity, next((s for k, s in SEVERITY_STYLE.items() if k == severity), "")),
            Text(status, STATUS_STYLE.get(status, "")),
            category,
            name,
        )
    page.table(table)
    return page.text()


# --- the verdict ----------------------------------------------------------------------------------


def _head(page: Page, report: Report) -> None:
    page.line(
        (f"{report.tool.name} {report.tool.version}", "bold"),
        (f"  to {TARGET_WORDS[report.target]}", "dim"),
    )
    if report.target == "xla":
        page.blank()
        page.prose(Text(XLA_NOTICE), Text("note: ", "bold yellow"))
        page.line("      ", page.address(XLA_SOURCE))
    page.blank()
    _verdict(page, report)


def _verdict(page: Page, report: Report) -> None:
    score = report.score
    if not report.coverage.files_total:
        page.line(
            ("NOTHING TO SCAN", "bold magenta"), "  no file that is read lies under the given paths"
        )
        return
    if not report.coverage.files_torch:
        page.line(
            ("NO TORCH", "bold magenta"),
            f"  none of {count(report.coverage.files_scanned, 'file')} imports torch: no score",
        )
        return
    lead = Text.assemble((score.verdict.upper(), _VERDICT_STYLE[score.verdict]), "  ")
    page.prose(Text(verdict_words(report)), lead, hang=2)
    if score.value is not None:
        provisional = "  provisional: reach unknown, all code counts"
        page.line(
            *_bar(page, score.value, score.verdict),
            (f"{decimal(score.value)} of 100", "bold"),
            (provisional if score.provisional else "", "dim"),
        )
    narrowed = rules_left_out(report)
    if narrowed:
        page.prose(Text(narrowed), Text("note: ", "bold yellow"), hang=6)
    roots = [root for root in report.roots if is_needed(root, score)]
    if roots:
        counts = Counter(root.severity for root in roots)
        split = ", ".join(f"{counts[level]} {level}" for level in _down() if counts[level])
        found = [cause for cause in causes(report) if not cause.aside and not cause.settings]
        places = {site for cause in found for site in cause.sites}
        files = len({site.path for site in places})
        page.prose(
            Text(
                f"{count(len(roots), 'root cause')} ({split}) in {count(len(places), 'line')} of "
                f"{count(files, 'file')}, estimated at {days(*score.effort_days)}"
            )
        )
    if mains(report):
        _path(page, report)


def _path(page: Page, report: Report) -> None:
    """Where the main training path begins, why there, and what else can be started."""
    for number, main in enumerate(mains(report)):
        label = " " * 10 if number else "Main path "
        page.prose(
            Text.assemble(page.place(main.path, style="bold"), f": {main.why}"),
            Text(label, "bold"),
            hang=10,
        )
    _others(page, [each for each in report.score.entry_points if not each.main])
    optional = sum(bool(root.setting) and not is_aside(root, report.score) for root in report.roots)
    if optional:
        text = f"{count(optional, 'root cause')} only with settings that it leaves off"
        page.line(("Optional  ", "bold"), text)
    aside = sum(is_aside(root, report.score) for root in report.roots)
    if aside:
        page.line(("Aside     ", "bold"), f"{count(aside, 'root cause')} off that path, at the end")


def _others(page: Page, others: Sequence[EntryPoint]) -> None:
    """What else can be started, and the scores of what a team would port next."""
    if not others:
        return
    kinds = Counter(each.kind for each in others)
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    page.prose(Text(listed), Text("Others    ", "bold"), hang=10)
    scored = [each for each in others if each.score is not None and each.kind in _NEXT]
    for each in sorted(scored, key=lambda each: _NEXT.index(each.kind))[:_PROGRAMS]:
        page.line(
            " " * 10,
            f"{decimal(each.score or 0.0):>5}  {each.verdict or ''}, {each.kind}: ",
            first_cells(each.path, page.width // 2),
        )
    if scored:
        notice = inline(OTHERS_NOTICE, color=page.color, style="dim")
        page.prose(notice, Text(" " * 10), hang=10)


def _bar(page: Page, value: float, verdict: Verdict) -> list[tuple[str, str]]:
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


# --- root causes ----------------------------------------------------------------------------------


def _root_causes(page: Page, report: Report, top: int) -> None:
    found = causes(report)
    needed = [cause for cause in found if not cause.aside and not cause.settings]
    serious = [cause for cause in needed if cause.severity != "info"]
    detailed = (serious or needed)[:top]
    lines = [cause.example.span.line for cause in detailed if cause.example]
    margin = len(str(max(lines, default=1))) + 3
    shown: set[str] = set()
    for number, cause in enumerate(detailed, start=1):
        page.blank()
        _heading(page, cause, number)
        if cause.example:
            told = "" if cause.example.message == cause.title else cause.example.message
            frame(page, cause.example, margin, message=told)
            _meaning(page, report, cause, cause.example, margin, again=cause.rule in shown)
            _reached(page, report, cause.example, margin)
            shown.add(cause.rule)
            _elsewhere(page, cause, cause.example, margin)
    _listed(
        page,
        "Further root causes" if detailed else "Root causes",
        needed[len(detailed) :],
        f"--top {len(needed)} shows all in full",
    )
    _gains(page, report)
    _listed(
        page,
        "Optional: only with settings that the main path leaves off",
        [cause for cause in found if cause.settings],
        "--format json has all",
    )
    _listed(
        page,
        "Off the main path: nothing of these is needed to train",
        [cause for cause in found if cause.aside],
        "--format json has all",
    )


def _gains(page: Page, report: Report) -> None:
    """What would raise the score most, each step after those before it."""
    roots = {root.id: root for root in report.roots}
    gains = [gain for gain in report.score.gains if gain.root in roots][:_GAINS]
    if not gains:
        return
    places = told_apart([roots[gain.root] for gain in gains], report)
    page.blank()
    page.prose(Text(GAINS_TITLE, "bold"))
    for gain in gains:
        root, place = roots[gain.root], places.get(gain.root, "")
        lead = Text.assemble(
            (f"  {f'+{decimal(gain.points)}':>6}", "green"),
            f"  to {decimal(gain.score):>5}  {root.rule:<7} ",
        )
        where = f"  {last_cells(place, page.width // 3)}" if place else ""
        room = page.width - lead.columns - columns(where)
        title = first_cells(inline(root.title, color=page.color).plain, room)
        page.line(lead, title, (where, "dim"))


def _listed(page: Page, title: str, rest: Sequence[Cause], more: str) -> None:
    """Root causes on a line each, the first ones."""
    if not rest:
        return
    page.blank()
    page.line((title, "bold"))
    for cause in rest[:_LISTED]:
        _brief(page, cause)
    if rest[_LISTED:]:
        page.line(f"  and {len(rest) - _LISTED} more: {more}")


def _reached(page: Page, report: Report, finding: Finding, margin: int) -> None:
    """The imports by which the main path comes to a finding, and what decides on the way."""
    chain = next((each for each in report.chains if each.path == finding.path), None)
    if chain is None or finding.reach != "main":
        return
    steps = [*(place.path for place in chain.imports), chain.path]
    if chain.left_out:
        steps.insert(1, f"{count(chain.left_out, 'file')} more")
    text = " -> ".join(dict.fromkeys(steps))
    if chain.guard_by:
        own = ", the line itself is not" if finding.guard in UNGUARDED else ""
        text += f"; {chain.guard} on the way by {chain.guard_by.path}:{chain.guard_by.line}{own}"
    page.note("reached", Text(text), margin)


def _heading(page: Page, cause: Cause, number: int) -> None:
    style = SEVERITY_STYLE[cause.severity]
    lead = Text.assemble(f"{number}. ", (f"{cause.severity}[{cause.rule}]", style), ": ")
    page.prose(inline(cause.title, color=page.color, style="bold"), lead, hang=3)
    files = len({site.path for site in cause.sites})
    facts = [
        f"{count(len(cause.sites), 'place')} in {count(files, 'file')}",
        days(*cause.effort_days),
    ]
    if len(cause.roots) > 1:
        facts.insert(0, count(len(cause.roots), "root cause"))
    if cause.points:
        facts.append(f"{decimal(cause.points)} points")
    if cause.others:
        facts.append(f"{count(len(cause.others), 'more place')} off the path")
    page.line("   ", (", ".join(facts), "dim"))


def _meaning(
    page: Page,
    report: Report,
    cause: Cause,
    finding: Finding,
    margin: int,
    *,
    again: bool = False,
) -> None:
    """What the target makes of it, by whose word, and the remedy, unless it was said before."""
    facts = finding.facts
    page.line((" " * margin + "|", "blue"))
    proof(page, finding, margin)
    status = Text.assemble(
        (facts.status, STATUS_STYLE[facts.status]),
        f" ({facts.evidence.replace('_', ' ')}, {release(facts)})",
    )
    if facts.note:
        status += Text("; ") + inline(facts.note, color=page.color)
    page.note(f"on {report.target}", status, margin)
    page.line(" " * (margin + 2), page.address(facts.source))
    if cause.fix:
        page.note("fix", Text(cause.fix), margin)
        return
    if facts.replacement:
        page.note("use", Text(facts.replacement, "green"), margin)
    fix = advice(report.rules, finding)
    if not adds(fix, facts.replacement):
        return
    if again and not finding.fix:
        page.note("fix", Text("as above"), margin)
    else:
        remedy(page, fix, margin)


def _elsewhere(page: Page, cause: Cause, finding: Finding, margin: int) -> None:
    """Where the value of a literal arrives, the other places, and what can take their place."""
    shown = Location(finding.path, finding.span.line)
    uses = sorted({Location(use.path, use.line) for use in finding.uses} - {shown})
    for label, sites in (
        ("used at", uses),
        ("also at", [site for site in cause.sites if site != shown and site not in uses]),
        ("another way beside", sorted({site for root in cause.roots for site in root.portable})),
    ):
        if sites:
            more = f" and {len(sites) - _SITES} more" if sites[_SITES:] else ""
            page.note(label, _joined(page, sites[:_SITES]) + Text(more), margin)


def _joined(page: Page, sites: Sequence[Location]) -> Text:
    """Places, separated by commas."""
    listed = Text()
    for number, site in enumerate(sites):
        listed = listed + Text(", " if number else "")
        listed.append(*page.place(site.path, site.line))
    return listed


def _brief(page: Page, cause: Cause) -> None:
    """A root cause on a line of its own."""
    title = f"{', '.join(cause.settings)}: {cause.title}" if cause.settings else cause.title
    _entry(page, cause.severity, cause.rule, title, cause.sites)


def _entry(
    page: Page, severity: Severity, rule: str, title: str, sites: Sequence[Location]
) -> None:
    """A rule's finding and its places on a line that fits the page: the title gives way."""
    place = f"{sites[0].path}:{sites[0].line}" if sites else ""
    more = f" +{len(sites) - 1}" if len(sites) > 1 else ""
    style = SEVERITY_STYLE[severity]
    lead = Text.assemble("  ", (f"{severity:<8}", style), f"{rule:<7} ")
    longest = page.width // 2
    if columns(place + more) > longest:
        place = "..." + last_cells(place, longest - columns(more) - 3)
    room = page.width - lead.columns - columns(place + more) - 2
    shown = first_cells(inline(title, color=page.color).plain, max(_TITLE, room))
    if not sites:
        page.line(lead, shown)
        return
    first = page.place(sites[0].path, sites[0].line, shown=place, style="dim")
    page.line(lead, shown, "  ", first, (more, "dim"))


# --- sections -------------------------------------------------------------------------------------


def _sections(page: Page, report: Report, top: int, *, verbose: bool) -> None:
    """What the report says on each topic that the code shows, across categories."""
    findings = {finding.fingerprint: finding for finding in _shown(report)}
    for section in report.sections:
        members = [findings[key] for key in section.findings if key in findings]
        if members:
            _section(page, report, section, members, top, verbose=verbose)


def _section(
    page: Page,
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
        f"  {count(len(members), 'place')} in {count(files, 'file')}: {split}",
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
        page.prose(inline(check.text, color=page.color), Text("  - "))
        page.line("    ", page.address(check.source))
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


def _table(page: Page, report: Report) -> None:
    shown = _shown(report)
    if not shown:
        return
    page.blank()
    counts = Counter((finding.category, finding.effective_severity) for finding in shown)
    used = [severity for severity in _down() if any(key[1] == severity for key in counts)]
    table = Grid("places by category", *used, numbers=True)
    grave = {
        category: [counts[category, severity] for severity in used]
        for category in {finding.category for finding in shown}
    }
    for category, numbers in sorted(grave.items(), key=lambda row: ([-n for n in row[1]], row[0])):
        cells = (
            Text(str(number), SEVERITY_STYLE[severity]) if number else Text(".", "dim")
            for number, severity in zip(numbers, used, strict=True)
        )
        table.add_row(category, *cells)
    page.table(table)


def _kernels(page: Page, report: Report, *, verbose: bool) -> None:
    """What kernel code there is, and how hard it is to write anew."""
    kernels = [each for each in report.inventory if not each.helper]
    if not kernels:
        return
    page.blank()
    counts = Counter((each.language, each.difficulty) for each in kernels)
    table = Grid("kernels", *DIFFICULTIES, "lines", "another way", "in nki-library", numbers=True)
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
    page.table(table)
    if verbose:
        for each in report.inventory:
            _kernel(page, each)


def _kernel(page: Page, kernel: Kernel) -> None:
    """A kernel on a line of its own: where, what it is called, how hard and why."""
    found = kernel.counterpart
    library = f"; nki-library: {found.name} ({found.tier}, since {found.since})" if found else ""
    page.line(
        f"{kernel.path}:{kernel.line}: ",
        (kernel.name, "bold"),
        f" {count(kernel.lines, 'line')}, {kernel.difficulty}: {', '.join(kernel.reasons)}",
        ("; called by other kernels only" if kernel.helper else "", "dim"),
        (f"; a variant of {kernel.variant_of}" if kernel.variant_of else "", "dim"),
        (library, "green"),
    )


def _findings(page: Page, report: Report) -> None:
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
            page.place(finding.path, finding.span.line, finding.span.column),
            ": ",
            (finding.effective_severity, SEVERITY_STYLE[finding.effective_severity]),
            f" {finding.rule} ",
            inline(finding.message, color=False).plain,
            (f" ({', '.join(notes)})" if notes else "", "dim"),
        )


def _coverage(page: Page, report: Report, *, verbose: bool) -> None:
    coverage = report.coverage
    page.blank()
    rules = of_rules(report) or count(coverage.rules_run, "rule")
    read = (
        f"{coverage.files_scanned:,} of {count(coverage.files_total, 'file')}, "
        f"{coverage.files_torch:,} with torch, {rules}"
    )
    page.prose(Text(read), Text("Read     ", "bold"))
    if coverage.unknown_facts:
        page.prose(
            Text(
                f"for {count(coverage.unknown_facts, 'place')} no source says what "
                f"{report.target} supports: take the advice there as open"
            ),
            Text("Unknown  ", "bold"),
        )
    _ignored(page, report)
    _skipped(page, report, verbose=verbose)
    for number, error in enumerate(report.errors):
        lead = ("Failed   ", "bold red") if number == 0 else (" " * 9, "")
        page.line(lead, f"{spot(error)}: {error.reason}")


def _ignored(page: Page, report: Report) -> None:
    """What somebody accepted, and which comments that were to do so need a look."""
    accepted = [finding for finding in report.findings if finding.suppressed]
    own = sum(
        item.suppressed is not None and item.suppressed.path == item.path for item in accepted
    )
    parts = [f"{count(own, 'place')} by a comment in the code"] if own else []
    if len(accepted) > own:
        parts.append(f"{count(len(accepted) - own, 'place')} by the settings")
    if parts:
        page.line(("Ignored  ", "bold"), ", ".join(parts))
    lead = ("Notice   ", "bold")
    for notice in report.notices[:_NOTICES]:
        page.line(lead, f"{spot(notice)}: {notice.message}")
        lead = (" " * 9, "")
    if report.notices[_NOTICES:]:
        page.line(lead, f"and {len(report.notices) - _NOTICES} more such comments")


def _skipped(page: Page, report: Report, *, verbose: bool) -> None:
    def reason(entry: object) -> str:
        return getattr(entry, "reason", "")

    lead = ("Skipped  ", "bold")
    for why, group in groupby(sorted(report.skipped, key=reason), key=reason):
        entries = sorted(entry.path for entry in group)
        listed = entries if verbose else entries[:3]
        more = f" and {len(entries) - len(listed)} more" if len(entries) > len(listed) else ""
        page.prose(Text(f"{why}: {', '.join(listed)}{more}"), Text(*lead))
        lead = (" " * 9, "")


def _next_steps(page: Page, report: Report, *, verbose: bool) -> None:
    if not report.findings:
        return
    first = next((cause.rule for cause in causes(report)), report.findings[0].rule)
    steps = [f"portaudit explain {first}"]
    if not verbose:
        steps.append(f"-v for all {count(len(report.findings), 'finding')}")
    steps.append("portaudit plan for the work in order")
    steps.append("--format json for tools")
    page.prose(Text(", ".join(steps)), Text("Next     ", "bold"))
