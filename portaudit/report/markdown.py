"""Reporter: Markdown for a job's summary or a comment: the verdict, what is new, what to do.

Whatever comes from the audited code stands in a code span or is escaped, so that it can neither
draw nor link nor notify anybody. GitHub refuses a comment that is too long: it is cut before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct

from portaudit.report.causes import Cause, causes
from portaudit.report.outcome import (
    GAINS_TITLE,
    count,
    counts,
    days,
    expired,
    failing,
    gravest,
    live,
    mains,
    of_rules,
    place,
    remedy,
    rules_left_out,
    told_apart,
    verdict_words,
    whole,
    why,
)
from portaudit.types import (
    CONFIDENCES,
    SEVERITIES,
    Confidence,
    Difference,
    Finding,
    Gate,
    Location,
    Report,
    RootCause,
    RuleSummary,
    Severity,
    Target,
    Tool,
)

LIMIT = 65_536
"""Characters of a comment on GitHub; counted here in bytes, to be on the safe side."""
_GROUPS, _CAUSES, _GAINS, _PLACES, _PROBLEMS = 20, 10, 5, 10, 5
_DIFFERENCES, _EXAMPLES = 10, 5
"""Lines of a kind of difference, and places that one of them names."""
_TEXT = 400
"""Characters of one text of the audited code or of advice."""
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
"""Blanks, controls, and what turns the direction of text: none of it can be seen."""
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_SPECIAL = re.compile(r"[\\`*_\[\]<>#|&~$]")
"""What means something in the middle of a line."""
_LINKED = re.compile(r"(?<=http)(?=s?://)|(?<=ftp)(?=://)|(?<=www)(?=\.)|(?<=[@#])", re.IGNORECASE)
"""Where GitHub would see an address, an issue, or somebody to notify, escaped or not."""
_BREAK = "\u2060"
"""A joiner of no width: it takes the meaning and leaves the look."""


class _Group(Struct, frozen=True):
    """New places of one rule and title: what one paragraph says."""

    rule: str
    title: str
    severity: Severity
    findings: tuple[Finding, ...]


def render(report: Report, *, link: str = "", limit: int = LIMIT) -> str:
    """The report in a page. `link` is the address under which paths of the report can be read."""
    head, body, tail = _check(report, report.gate, link) if report.gate else _scan(report, link)
    return _fit(head, body, [*tail, _foot(report.tool, report.target)], limit)


def render_difference(told: Difference, *, limit: int = LIMIT) -> str:
    """What one revision has that another had not, in a page: short, whatever an upstream brings."""
    numbers = (
        f"{len(told.appeared):,} new, {len(told.graver):,} graver, {len(told.milder):,} milder, "
        f"{len(told.gone):,} gone, {told.unchanged:,} unchanged."
    )
    title = f"## portaudit: {code(told.old)} to {code(told.new)}"
    body = [
        f"### {heading}\n\n{lines}"
        for heading, lines in (
            ("New", _listed(told, told.appeared, told.roots_appeared)),
            ("Graver", _listed(told, told.graver, ())),
            ("Gone", _listed(told, told.gone, told.roots_gone, mended=True)),
            ("Moved", _renamed(told.moved)),
        )
        if lines
    ]
    partial = ["Some files could not be read: what is in them is not compared."]
    tail = [*(partial if told.partial else []), _foot(told.tool, told.target)]
    return _fit([title, _both_scores(told), numbers], body, tail, limit)


def _foot(tool: Tool, target: Target) -> str:
    return f"<sub>portaudit {prose(tool.version)}, target {target}</sub>"


def _fit(head: Sequence[str], body: Sequence[str], tail: Sequence[str], limit: int) -> str:
    """The paragraphs of a page, and of the body as many as fit, with a line that says so."""
    room = limit - _size([*head, *tail]) - 100
    kept: list[str] = []
    for paragraph in body:
        room -= _size([paragraph])
        if room < 0:
            break
        kept.append(paragraph)
    left = len(body) - len(kept)
    cut = [f"_{count(left, 'more paragraph')} cut: a comment takes no more._"] if left else []
    return "\n\n".join([*head, *kept, *cut, *tail]) + "\n"


def _size(paragraphs: Sequence[str]) -> int:
    return sum(len(paragraph.encode()) + 2 for paragraph in paragraphs)


# --- a check --------------------------------------------------------------------------------------


def _check(report: Report, gate: Gate, link: str) -> tuple[list[str], list[str], list[str]]:
    fails = failing(report)
    title = f"## portaudit: {'passed' if gate.passed else 'failed'}"
    said = _sum(report, fails)
    if gate.unjudged:
        left = count(len(gate.unjudged), "file has", "files have")
        said = f"**{left} findings that are left out**; {said[0].lower()}{said[1:]}"
    lead = f"{said}, judged against {prose(gate.against)}."
    if gate.fail_on is not None:
        lead += f" Fails on {_or_worse(gate.fail_on)}, confidence {_better(gate.min_confidence)}."
    groups = _groups(fails, report.roots, report.rules)
    body = [_new(report, number, group, link) for number, group in enumerate(groups, 1)]
    listed, rest = body[:_GROUPS], groups[_GROUPS:]
    if rest:
        places = count(sum(len(group.findings) for group in rest), "place")
        listed.append(f"And {count(len(rest), 'more root cause')} with {places}.")
    tail = [_accept(groups[0].rule)] if groups else []
    return [title, lead], listed, [*tail, *_standing(report, gate), *_problems(report, link)]


def _sum(report: Report, fails: Sequence[Finding]) -> str:
    """How many places fail, by what they are: new, graver than accepted, accepted until then."""
    if not fails:
        return "Nothing new fails"
    graver = "before" if report.gate and report.gate.change else "accepted"
    kinds = {"new": 0, f"graver than {graver}": 0, "accepted until a date that is past": 0}
    for finding in fails:
        lapsed = expired(report, finding) is not None
        updated = finding.state == "updated"
        kinds[list(kinds)[2 if lapsed else 1 if updated else 0]] += 1
    if kinds["new"] == len(fails):
        return f"**{count(len(fails), 'new place fails', 'new places fail')}**"
    parts = ", ".join(f"{number:,} {words}" for words, number in kinds.items() if number)
    return f"**{count(len(fails), 'place fails', 'places fail')}** ({parts})"


def _or_worse(severity: Severity) -> str:
    return severity if severity == SEVERITIES[-1] else f"{severity} or worse"


def _better(confidence: Confidence) -> str:
    return confidence if confidence == CONFIDENCES[-1] else f"{confidence} or better"


def _groups(
    findings: Iterable[Finding], roots: Iterable[RootCause], rules: Mapping[str, RuleSummary]
) -> list[_Group]:
    """Findings of the same rule and title, the gravest and then the most frequent first."""
    titles = {root.id: root.title for root in roots}
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        rule = rules.get(finding.rule)
        title = titles.get(finding.root) or (rule.title if rule else finding.message)
        found.setdefault((finding.rule, title), []).append(finding)
    groups = [
        _Group(rule, title, gravest(group), tuple(group)) for (rule, title), group in found.items()
    ]
    return sorted(
        groups,
        key=lambda group: (
            -SEVERITIES.index(group.severity),
            -len(group.findings),
            group.rule,
            group.title,
        ),
    )


def _new(report: Report, number: int, group: _Group, link: str) -> str:
    """A root cause and its places: on a line where the title says it all, else on one each."""
    title = f"### {number}. {group.severity} {prose(group.rule)}: {prose(group.title)}"
    ordered = sorted(group.findings, key=place)
    shown, rest = ordered[:_PLACES], ordered[_PLACES:]
    lines = [_line(report, finding, group.title, link) for finding in shown]
    more = [f"and {count(len(rest), 'more place')}"] if rest else []
    if all(finding.message == group.title for finding in shown):
        text = ", ".join([*lines, *more])
    else:
        text = "\n".join(f"- {line}" for line in [*lines, *more])
    return "\n\n".join([title, text, *_instead(report, group.findings[0])])


def _line(report: Report, finding: Finding, title: str, link: str) -> str:
    text = _place(Location(finding.path, finding.span.line), link)
    text += f": {prose(finding.message)}" if finding.message != title else ""
    standing = why(report, finding)
    return text if standing == "new" else f"{text} ({prose(standing)})"


def _instead(report: Report, finding: Finding) -> list[str]:
    if finding.facts.replacement:
        return [f"Instead: {code(finding.facts.replacement)}"]
    advice = remedy(report, finding)
    return [f"Instead: {prose(advice)}"] if advice else []


def _accept(rule: str) -> str:
    comment = code(f"portaudit: ignore[{rule}] reason")
    return (
        f"On purpose? Say why in a comment at the line: {comment}. Where a baseline is kept, "
        "`portaudit baseline update` accepts what is there now."
    )


def _standing(report: Report, gate: Gate) -> list[str]:
    """The score and its change, and what else the check found, in a line each."""
    score = report.score.value
    lines = []
    if score is not None:
        some = of_rules(report)
        by = f", by {some}" if some else ""
        lines.append(f"Score {score:.1f} of 100{_moved(score, gate.score_before)}{by}.")
    found = counts(report)
    gone = sum(entry.count for entry in gate.gone)
    parts = (
        (found.passing, "below the threshold"),
        (found.before, f"{'was' if found.before == 1 else 'were'} there before"),
        (found.accepted, "accepted before"),
        (found.suppressed, "suppressed"),
        (found.covered, "newly covered: old code that newer rules see"),
        (gone, "gone: `portaudit baseline prune` forgets them"),
    )
    listed = [f"- {number:,} {words}" for number, words in parts if number]
    if listed:
        lines += ["", "Also:", "", *listed]
    return ["\n".join(lines).strip()] if lines else []


def _moved(score: float, before: float | None) -> str:
    if before is None:
        return ""
    change = f"{score - before:+.1f}"
    return ", as before" if change in {"+0.0", "-0.0"} else f", {change} from {before:.1f}"


# --- a scan ---------------------------------------------------------------------------------------


def _scan(report: Report, link: str) -> tuple[list[str], list[str], list[str]]:
    score = report.score
    value = f"{score.value:.1f} of 100, " if score.value is not None else ""
    title = f"## portaudit: {value}{score.verdict}"
    words = verdict_words(report)
    lead = f"{words[0].upper()}{words[1:]}."
    if score.effort_days[1]:
        lead += f" Estimated work: {days(*score.effort_days)}."
    if score.provisional and score.value is not None:
        lead += " The score is provisional."
    narrowed = rules_left_out(report)
    if narrowed:
        lead += f" **{narrowed[0].upper()}{narrowed[1:]}.**"
    begins = [f"{code(main.path)} ({prose(main.why)})" for main in mains(report)]
    if begins:
        lead += f" Main training path: {', '.join(begins)}."
    found = causes(report)
    needed = [cause for cause in found if not cause.aside and not cause.settings]
    serious = [cause for cause in needed if cause.severity != "info"] or needed
    body = [
        *_causes("What blocks", serious, link),
        *_gains(report),
        *_causes(
            "Optional: only with settings that the main path leaves off",
            [cause for cause in found if cause.settings],
            link,
        ),
        *_causes(
            "Off the main path: nothing of these is needed to train",
            [cause for cause in found if cause.aside],
            link,
        ),
    ]
    return [title, lead], body, [*_totals(report), *_problems(report, link)]


def _causes(title: str, found: Sequence[Cause], link: str) -> list[str]:
    """Root causes as a list, the first ones."""
    lines = [_cause(number, cause, link) for number, cause in enumerate(found[:_CAUSES], 1)]
    listed = [f"### {title}", "\n".join(lines)] if lines else []
    if found[_CAUSES:]:
        listed.append(f"And {count(len(found) - _CAUSES, 'more root cause')}.")
    return listed


def _gains(report: Report) -> list[str]:
    """What would raise the score most, each step after those before it."""
    roots = {root.id: root for root in report.roots}
    gains = [gain for gain in report.score.gains if gain.root in roots][:_GAINS]
    places = told_apart([roots[gain.root] for gain in gains], report)
    lines = [
        f"{number}. {prose(roots[gain.root].title)}{_at(places.get(gain.root, ''))}: "
        f"+{gain.points:.1f}, to {gain.score:.1f}"
        for number, gain in enumerate(gains, 1)
    ]
    return [f"### {GAINS_TITLE}", "\n".join(lines)] if lines else []


def _at(place: str) -> str:
    return f" ({code(place)})" if place else ""


def _cause(number: int, cause: Cause, link: str) -> str:
    files = len({site.path for site in cause.sites})
    facts = [
        f"{count(len(cause.sites), 'place')} in {count(files, 'file')}",
        days(*cause.effort_days),
    ]
    if cause.others:
        facts[0] += f" and {len(cause.others):,} more off the path"
    text = f"{number}. **{cause.severity}** {prose(cause.rule)}: {prose(cause.title)}"
    if cause.settings:
        text += f" (with {', '.join(map(code, cause.settings))})"
    if cause.example:
        first = Location(cause.example.path, cause.example.span.line)
        facts.append(f"such as {_place(first, link)}")
    text += f" — {', '.join(facts)}"
    if cause.fix:
        text += f". {prose(cause.fix)}"
    elif cause.example and cause.example.facts.replacement:
        text += f". Instead: {code(cause.example.facts.replacement)}"
    return text


def _totals(report: Report) -> list[str]:
    shown = live(report)
    parts = [
        f"{number:,} {severity}"
        for severity in reversed(SEVERITIES)
        if (number := sum(finding.effective_severity == severity for finding in shown))
    ]
    suppressed = counts(report).suppressed
    parts += [f"{suppressed:,} suppressed"] if suppressed else []
    read = f"{count(report.coverage.files_scanned, 'file')} read"
    return [f"{', '.join(parts)}; {read}." if parts else f"{read}."]


# --- two revisions --------------------------------------------------------------------------------


def _both_scores(told: Difference) -> str:
    before, after = told.score_old, told.score_new
    if after.value is None:
        text = "No score" + (f", was {before.value:.1f}" if before.value is not None else "")
    else:
        text = f"Score {after.value:.1f} of 100{_moved(after.value, before.value)}"
    again = "" if after.verdict == before.verdict else f", was: {before.verdict}"
    return f"{text}. Verdict: {after.verdict}{again}."


def _listed(
    told: Difference,
    findings: Sequence[Finding],
    roots: Sequence[RootCause],
    *,
    mended: bool = False,
) -> str:
    """A line for each root cause, or rule. What is `mended` needs no advice."""
    groups = _groups(findings, roots, told.rules)
    causes = {root.title for root in roots}
    lines = [
        _difference(group, _title(group, causes), mended=mended) for group in groups[:_DIFFERENCES]
    ]
    rest = groups[_DIFFERENCES:]
    if rest:
        places = count(sum(len(group.findings) for group in rest), "place")
        lines.append(f"- and {count(len(rest), 'more root cause')} with {places}")
    return "\n".join(lines)


def _title(group: _Group, causes: Collection[str]) -> str:
    """The root cause; else what all places say, or the rule where they say different things."""
    messages = {finding.message for finding in group.findings}
    return group.title if group.title in causes or len(messages) > 1 else messages.pop()


def _difference(group: _Group, title: str, *, mended: bool) -> str:
    ordered = sorted(group.findings, key=place)
    sites = list(
        dict.fromkeys(
            code(f"{finding.path}:{finding.span.line}")
            + (f" (was {finding.accepted.severity})" if finding.accepted else "")
            for finding in ordered
        )
    )
    more = f" and {len(sites) - _EXAMPLES:,} more" if sites[_EXAMPLES:] else ""
    text = f"- **{group.severity}** {prose(group.rule)}: {prose(title)} — "
    text += f"{count(len(sites), 'place')}: {', '.join(sites[:_EXAMPLES])}{more}"
    instead = "" if mended else ordered[0].facts.replacement
    return f"{text}. Instead: {code(instead)}" if instead else text


def _renamed(moved: Sequence[tuple[str, str, int]]) -> str:
    lines = [
        f"- {code(old)} to {code(new)}: {count(number, 'place')}"
        for old, new, number in moved[:_DIFFERENCES]
    ]
    if moved[_DIFFERENCES:]:
        lines.append(f"- and {count(len(moved) - _DIFFERENCES, 'more file')}")
    return "\n".join(lines)


# --- words ----------------------------------------------------------------------------------------


def _problems(report: Report, link: str) -> list[str]:
    """Comments to put right and files that could not be read, the first few."""
    lines = [
        f"- {_place(Location(notice.path, notice.line), link)}: {prose(notice.message)}"
        for notice in report.notices
    ]
    lines += [
        f"- {_place(Location(error.path, error.line or 0), link)}: {prose(error.reason)}"
        for error in report.errors
    ]
    if not lines:
        return []
    more = [f"- and {len(lines) - _PROBLEMS:,} more"] if lines[_PROBLEMS:] else []
    return ["\n".join(["To look at:", "", *lines[:_PROBLEMS], *more])]


def _place(location: Location, link: str) -> str:
    """A line of a file; the line 0 is the whole of it."""
    line = location.line
    text = code(f"{location.path}:{line}" if line else location.path)
    if not link or len(location.path) > _TEXT:
        return text
    path = quote(location.path.encode("utf-8", "replace"), safe="/")
    return f"[{text}](<{link}{path}#L{line}>)" if line else f"[{text}](<{link}{path}>)"


def code(text: str) -> str:
    """A code span that shows a text whatever it holds."""
    shown = seen(text) or "-"
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def prose(text: str) -> str:
    """A text of ours with parts of the audited code: code spans stay, all else is plain."""
    parts = []
    shown = seen(text)
    at = 0
    for match in _CODE.finditer(shown):
        parts += [_plain(shown[at : match.start()]), code(match[2])]
        at = match.end()
    return "".join([*parts, _plain(shown[at:])])


def _plain(text: str) -> str:
    return _LINKED.sub(_BREAK, _SPECIAL.sub(r"\\\g<0>", text))


def seen(text: str) -> str:
    """What can be seen of a text, on one line and not too long."""
    shown = _INVISIBLE.sub(" ", whole(text)).strip()
    return shown if len(shown) <= _TEXT else shown[: _TEXT - 3] + "..."
