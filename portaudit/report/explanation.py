"""Reporter: one line explained at a terminal, from what matched to how it may be accepted.

Says of everything who says it: the rule, a line of the code, a page. What is not known is said to
be so.
"""

from __future__ import annotations

from collections.abc import Sequence

from portaudit.report.outcome import advice, count, days, decimal, guard_words, release
from portaudit.report.page import (
    SEVERITY_STYLE,
    STATUS_STYLE,
    Page,
    adds,
    first_cells,
    frame,
    inline,
    margin_of,
    remedy,
)
from portaudit.report.text import Text, columns, harmless
from portaudit.types import (
    Explanation,
    Finding,
    Location,
    Proof,
    Reach,
    Reason,
    Step,
    TargetFacts,
)

_LABEL = 10
"""Columns of the words on the left."""
_LISTED = 6
_CODE = 20
"""Columns of a line of code, at least."""
_BESIDE = frozenset({"arguments", "specific", "said", "part", "explained"})
"""Why rules are silent that say nothing new of a line with findings."""
_REACH: dict[Reach | None, str] = {
    "main": "the main training path comes here",
    "other": "another program comes here, the main training path does not",
    "example": "an example comes here, the main training path does not",
    "test": "tests come here, the main training path does not",
    "unreached": "no program that was found comes here",
    None: "not known: no program of the tree trains, or only a part of it was looked at",
}


def render(
    explained: Explanation,
    *,
    width: int,
    color: bool,
    spelled: str = "",
    links: str = "",
    encoding: str = "utf-8",
) -> str:
    """All that there is to know of a line; `spelled` is how its file was named by who asked."""
    page = Page(width, color=color, links=links, encoding=encoding)
    for reason in explained.reasons:
        _reason(page, explained, reason, spelled or explained.path)
        page.blank()
    if not explained.reasons:
        _nothing(page, explained)
    _passed(page, explained)
    for note in explained.notes:
        _told(page, "Note", Text(note))
    _places(page, "Arrives", "a value of a finding elsewhere: ", explained.uses)
    _places(page, "Guards", "this line is the proof of a guard for ", explained.guards)
    if explained.near and not explained.reasons:
        places = ", ".join(f"{explained.path}:{line}" for line in explained.near)
        _told(page, "Near", Text(f"lines with findings: {places}"))
    return page.text()


def _told(page: Page, label: str, text: Text) -> None:
    page.prose(text, Text(label.ljust(_LABEL), "bold"), hang=_LABEL)


def _step(page: Page, step: Step) -> None:
    """A line of the code that says something, and what."""
    means = f"{step.name} is {step.means}" if step.name and step.means else step.means
    place = page.place(step.path, step.line)
    room = page.width - _LABEL - columns(place[0]) - 2
    text = first_cells(harmless(step.text), max(_CODE, room))
    page.line(" " * _LABEL, place, ": ", (text, "cyan"))
    if means:
        page.prose(inline(means, color=page.color, style="dim"), Text(" " * (_LABEL + 2)))


# --- a finding ------------------------------------------------------------------------------------


def _reason(page: Page, explained: Explanation, reason: Reason, spelled: str) -> None:
    finding = reason.finding
    style = SEVERITY_STYLE[finding.effective_severity]
    lead = Text.assemble((f"{finding.effective_severity}[{finding.rule}]", style), ": ")
    page.prose(inline(finding.message, color=page.color, style="bold"), lead, hang=3)
    frame(page, finding, margin_of(finding), message="")
    page.blank()
    matched = reason.matched or f"`{finding.anchor}`"
    doubt = "" if finding.confidence == "high" else "; it may mean something else"
    words = f"{matched}. Confidence {finding.confidence}{doubt}"
    _told(page, "Match", inline(words, color=page.color))
    _binding(page, reason)
    _guard(page, reason)
    _reach(page, reason)
    _target(page, explained, finding)
    _cost(page, reason)
    _accept(page, reason, spelled)
    _told(page, "Rule", Text(f"portaudit explain {finding.rule}"))


def _binding(page: Page, reason: Reason) -> None:
    if reason.steps:
        _told(page, "Names", Text("what is spelled here comes from"))
        for step in reason.steps:
            _step(page, step)
    elif reason.finding.anchor.startswith("."):
        words = "nothing is known of the object: the method's name is the only evidence"
        _told(page, "Names", Text(words))
    uses = [use for use in reason.finding.uses if use.line != reason.finding.span.line]
    if uses:
        listed = [f"{use.path}:{use.line}" + (f" ({use.into})" if use.into else "") for use in uses]
        _told(page, "Used", Text(f"the value arrives at {_joined(listed)}"))


def _guard(page: Page, reason: Reason) -> None:
    finding = reason.finding
    words = f"{finding.guard}: {guard_words(finding)}"
    if finding.severity != finding.effective_severity:
        words += f", so {finding.severity} counts as {finding.effective_severity}"
    _told(page, "Guard", inline(words, color=page.color))
    if finding.guard_by is not None:
        _proof(page, finding.guard_by, reason)
    shown = finding.guard_by
    others = [
        each
        for each in reason.conditions
        if shown is None or (each.path, each.line) != (shown.path, shown.line)
    ]
    for each in others:
        means = each.says or "says nothing of CUDA, a library or a switch, as far as is known"
        _step(page, Step(each.path, each.line, each.text, "", means))


def _proof(page: Page, proof: Proof, reason: Reason) -> None:
    at = proof.path, proof.line
    says = next((each.says for each in reason.conditions if (each.path, each.line) == at), "")
    means = f"the proof: {says}" if says else "the proof"
    if proof.setting:
        means = f"where the setting `{proof.setting}` decides"
    _step(page, Step(proof.path, proof.line, proof.text, "", means))


def _reach(page: Page, reason: Reason) -> None:
    finding, chain = reason.finding, reason.chain
    words = _REACH[finding.reach]
    if finding.reach == "unreached" and chain is not None:
        where = f"`{finding.scope}`" if finding.scope else "it"
        words = f"a program comes to the file, and nothing there uses {where}"
    _told(page, "Reach", inline(f"{finding.reach or 'unknown'}: {words}", color=page.color))
    if chain is None or finding.reach in {None, "unreached"}:
        return
    if not reason.way:
        page.line(" " * _LABEL, f"{chain.path} is where it begins")
    for step in reason.way:
        _step(page, Step(step.path, step.line, step.text, "", f"-> {step.means}"))
    if chain.guard_by is not None:
        page.line(" " * _LABEL, f"on this way it is {chain.guard}:")
        _proof(page, chain.guard_by, reason)


def _target(page: Page, explained: Explanation, finding: Finding) -> None:
    facts = finding.facts
    _told(page, "Target", _status(explained.target, facts))
    page.line(" " * _LABEL, page.address(facts.source))
    if facts.note:
        page.prose(inline(facts.note, color=page.color), Text(" " * _LABEL))
    if facts.replacement:
        _told(page, "Use", Text(facts.replacement, "green"))
    fix = advice(explained.rules, finding)
    if fix and adds(fix, facts.replacement):
        remedy(page, fix, _LABEL)


def _status(target: str, facts: TargetFacts) -> Text:
    source = facts.evidence.replace("_", " ")
    return Text.assemble(
        f"{target}: ",
        (facts.status, STATUS_STYLE[facts.status]),
        f" ({source}, {release(facts)}, checked {facts.checked})",
    )


def _cost(page: Page, reason: Reason) -> None:
    root = reason.root
    if root is None:
        words = "nothing: it is accepted" if reason.finding.suppressed else "nothing of its own"
        _told(page, "Cost", Text(words))
        return
    facts = [
        f"{count(len(root.sites), 'place')} in {count(len({s.path for s in root.sites}), 'file')}",
        days(*root.effort_days),
        f"{decimal(reason.points)} points" if reason.points else "no points",
    ]
    if reason.number:
        facts.append(f"step {reason.number} of the plan")
    if root.setting:
        facts.append(f"only with {root.setting}")
    title = inline(f"root cause: {root.title}", color=page.color)
    _told(page, "Cost", title)
    page.prose(Text(", ".join(facts), "dim"), Text(" " * _LABEL))


def _accept(page: Page, reason: Reason, spelled: str) -> None:
    finding = reason.finding
    found = finding.suppressed
    if found is not None:
        _told(page, "Accepted", Text(f"{found.path}:{found.line}: {found.reason or 'no reason'}"))
        return
    if finding.accepted is not None:
        entry = finding.accepted
        words = ", ".join(each for each in ("by the baseline", entry.reason, entry.owner) if each)
        _told(page, "Accepted", Text(words))
    if not reason.accept:
        setting = f'per-file-ignores = {{ "{finding.path}" = ["{finding.rule}"] }}'
        _told(page, "Accept", Text(f"in the settings, as no comment can stand there: {setting}"))
        return
    place = f"{spelled}:{finding.span.line}"
    _told(page, "Accept", Text(f'portaudit suppress {place} {finding.rule} --reason "..."'))
    page.line(" " * _LABEL, ("writes: ", "dim"), reason.accept.strip())


# --- no finding -----------------------------------------------------------------------------------


def _nothing(page: Page, explained: Explanation) -> None:
    column = f":{explained.column}" if explained.column else ""
    page.line((f"{explained.path}:{explained.line}{column}", "bold"), ": no finding")
    if explained.text.strip():
        page.line(" " * _LABEL, (first_cells(harmless(explained.text.strip()), page.width), "cyan"))
    page.blank()
    if not explained.passed and not explained.notes:
        words = "no rule knows anything that this line spells"
        _told(page, "Rules", Text(words))
    if explained.names:
        _told(page, "Names", Text("what the line spells, and what that means"))
        for step in explained.names:
            means = step.means or "not known"
            page.prose(
                Text.assemble((step.name, "cyan"), ": ") + inline(means, color=page.color),
                Text(" " * _LABEL),
            )


def _passed(page: Page, explained: Explanation) -> None:
    """What looked at the line and reported nothing."""
    label = "Also" if explained.reasons else "Rules"
    for each in explained.passed:
        if explained.reasons and each.reason in _BESIDE:
            continue
        lead = Text.assemble((each.rule, "bold"), f" {each.name}")
        seen = f" at column {each.column}"
        seen += f", `{each.anchor}`" if each.anchor else ""
        text = lead + inline(f"{seen}: {each.why}", color=page.color)
        _told(page, label, text)
        if each.by is not None:
            _step(page, Step(each.by.path, each.by.line, each.by.text))
        label = ""


def _places(page: Page, label: str, words: str, places: Sequence[Location]) -> None:
    if places:
        listed = [f"{place.path}:{place.line}" for place in places]
        _told(page, label, Text(words + _joined(listed)))


def _joined(listed: Sequence[str]) -> str:
    more = f" and {len(listed) - _LISTED} more" if listed[_LISTED:] else ""
    return ", ".join(listed[:_LISTED]) + more
