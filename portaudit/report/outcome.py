"""What a report says of its findings as a whole, for every format: what fails, what is accepted.

Also the words and orders that formats share. Decides nothing: the gate was decided before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from portaudit.types import (
    SEVERITIES,
    UNGUARDED,
    Entry,
    EntryPoint,
    Finding,
    GuardState,
    Notice,
    Proof,
    Report,
    RootCause,
    RuleSummary,
    ScanError,
    Severity,
    Target,
    TargetFacts,
    Verdict,
)

VERDICT_WORDS: dict[Verdict, str] = {
    "ready": "nothing found that ties this code to CUDA",
    "edits only": "mechanical edits, no new kernel and no new library",
    "replace libraries": "CUDA-only libraries or APIs need another way",
    "write kernels": "kernels or extensions for CUDA have to be written anew",
    "redesign": "parts of the code assume a GPU by design",
    "unknown": "nothing to judge",
}
TARGET_WORDS: dict[Target, str] = {
    "torchneuron": "AWS Trainium, native PyTorch (target torchneuron)",
    "xla": "AWS Neuron, PyTorch/XLA (target xla)",
}
XLA_NOTICE = (
    "PyTorch/XLA training on Neuron ended with SDK 2.30, and its inference only gets critical "
    "fixes. New work belongs on trn2 or trn3 with --target torchneuron."
)
XLA_SOURCE = (
    "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/about-neuron/announcements/"
    "neuron2.x/announce-no-support-pytorch-xla-training.html"
)
GUARD_WORDS: dict[GuardState, str] = {
    "none": "not guarded",
    "guarded": "only where CUDA is",
    "fallback": "has another way",
    "import-guarded": "optional import",
    "hard-fail": "fails without CUDA",
}
GAINS_TITLE = "What would raise the score most, in this order, each after the ones above"
OTHERS_NOTICE = "Roughly: their settings are not worked out, with `--entry FILE` they are."
"""What the scores of other programs are not: the score that each would have as the main one."""
_NO_TORCH = "nothing that the main path runs imports torch"
_WHOLE_DAYS = 10
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


class Counts(Struct, frozen=True):
    """Findings by what became of them. Each one is counted once.

    `accepted`: by a baseline · `before`: accepted by nobody, but there before the change.
    """

    failing: int
    passing: int
    before: int
    accepted: int
    suppressed: int
    covered: int


def failing(report: Report) -> list[Finding]:
    """What makes the gate fail, the most urgent first; nothing where there was no gate."""
    keys = set(report.gate.failing) if report.gate else set()
    return urgent(finding for finding in report.findings if finding.fingerprint in keys)


def left_out(report: Report) -> list[ScanError]:
    """The files that make the gate fail by findings that are left out, as errors that say so."""
    paths = set(report.gate.unjudged) if report.gate else set()
    return [error for error in report.errors if error.surplus and error.path in paths]


def live(report: Report) -> list[Finding]:
    """What neither a comment, nor a setting, nor a baseline accepts, the most urgent first."""
    keys = set(report.gate.failing) if report.gate else set()
    return urgent(
        finding
        for finding in report.findings
        if finding.fingerprint in keys
        or (finding.suppressed is None and finding.state not in {"unchanged", "newly-covered"})
    )


_SETTINGS = 3
"""How many settings the verdict names that it takes for off."""


def verdict_words(report: Report) -> str:
    """What the verdict means for this report: a run that needs nothing may lie among work."""
    score = report.score
    if score.verdict == "unknown" and report.coverage.files_torch:
        return _NO_TORCH
    if score.verdict == "ready":
        live = [item for item in report.findings if item.suppressed is None]
        left = sum(item.severity != "info" for item in live)
        if live and not left:
            found = f"{count(len(live), 'finding')} to look at (info)"
            return f"nothing found that has to change; {found}{_condition(report)}"
        if left and not score.provisional:
            found = count(left, "finding")
            words = f"the main run needs nothing that is tied to CUDA; {found} beside it"
            return words + _condition(report)
    return VERDICT_WORDS[score.verdict] + _condition(report)


def _condition(report: Report) -> str:
    """The settings that a verdict takes for off, of what would weigh in it if one were on."""
    grave = {
        item.fingerprint
        for item in report.findings
        if item.severity in {"major", "blocker"} and item.suppressed is None
    }
    waiting = (
        root
        for root in report.roots
        if root.reach == "main" and root.setting and not grave.isdisjoint(root.findings)
    )
    settings = sorted({name for root in waiting for name in root.setting.split(", ")})
    if not settings:
        return ""
    shown = ", ".join(f"`{name}`" for name in settings[:_SETTINGS])
    more = f" and {len(settings) - _SETTINGS} more" if len(settings) > _SETTINGS else ""
    return f", with {shown}{more} off"


def of_rules(report: Report) -> str:
    """Of how many rules a report speaks, where the settings leave some out; else nothing."""
    coverage = report.coverage
    if report.score.value is None or coverage.rules_run >= coverage.rules_total:
        return ""
    return f"{coverage.rules_run:,} of {count(coverage.rules_total, 'rule')}"


def rules_left_out(report: Report) -> str:
    """That the verdict is none of the whole code, where the settings leave rules out; or nothing.

    What a rule that did not run would have found is missing in every sum.
    """
    some = of_rules(report)
    return f"only {some} ran: verdict, score and days speak of what these find" if some else ""


def ways(report: Report) -> dict[str, GuardState]:
    """By file, what decides on the main path whether it comes there."""
    return {chain.path: chain.guard for chain in report.chains if chain.main}


def plea(finding: Finding, on_way: Mapping[str, GuardState]) -> tuple[object, ...]:
    """How well a finding makes the case of its root cause: the least is the one to show.

    On the path, the gravest, with no guard of its own nor on the way to its file, sure, earliest.
    One that only the way guards weighs a level less, as in the score.
    """
    is_guarded = finding.guard not in UNGUARDED
    far = on_way.get(finding.path, "none") not in UNGUARDED
    return (
        finding.suppressed is not None,
        finding.reach not in {"main", None},
        min(0, (far and not is_guarded) - grade(finding)),
        is_guarded,
        far,
        finding.confidence != "high",
        finding.path,
        finding.span,
    )


def told_apart(roots: Sequence[RootCause], report: Report) -> dict[str, str]:
    """Of root causes that share a title, by their ids: as much of their places as tells them apart.

    One that stands nowhere, or where another one stands, has its id.
    """
    alike: dict[str, list[RootCause]] = {}
    for root in roots:
        alike.setdefault(root.title, []).append(root)
    told: dict[str, str] = {}
    findings = {finding.fingerprint: finding for finding in report.findings}
    on_way = ways(report)
    for group in alike.values():
        if len(group) == 1:
            continue
        shown = {root.id: _shown(root, findings, on_way) for root in group}
        places = [place for place in shown.values() if place]
        for root in group:
            place = shown[root.id]
            told[root.id] = (_tail(place, places) if place else "") or root.id
    return told


def _shown(
    root: RootCause, findings: Mapping[str, Finding], on_way: Mapping[str, GuardState]
) -> str:
    """The place that makes the case of a root cause, if it has any."""
    members = (findings[key] for key in root.findings if key in findings)
    best = min(members, key=lambda each: plea(each, on_way), default=None)
    if best is not None:
        return f"{best.path}:{best.span.line}"
    return next((f"{site.path}:{site.line}" for site in root.sites), "")


def _tail(place: str, places: Sequence[str]) -> str:
    """The end of a path that no other place has, from a folder or the name on; or nothing."""
    parts = place.split("/")
    tails = ("/".join(parts[-number:]) for number in range(1, len(parts) + 1))
    alone = (tail for tail in tails if sum(f"/{each}".endswith(f"/{tail}") for each in places) == 1)
    return next(alone, "")


def mains(report: Report) -> tuple[EntryPoint, ...]:
    """The programs that the main path begins with: several, if the user names several."""
    return tuple(each for each in report.score.entry_points if each.main)


def urgent(findings: Iterable[Finding]) -> list[Finding]:
    """The gravest first; among equals one place of each root cause before the second of any."""
    ordered = sorted(findings, key=place)
    nth: dict[str, int] = {}
    keyed = []
    for finding in ordered:
        nth[finding.root] = nth.get(finding.root, 0) + 1
        keyed.append((-grade(finding), nth[finding.root], place(finding), finding))
    return [entry[-1] for entry in sorted(keyed, key=lambda entry: entry[:-1])]


def place(finding: Finding) -> tuple[str, int, int, str, str]:
    """The order in which findings stand in the audited code."""
    span = finding.span
    return finding.path, span.line, span.column, finding.rule, finding.fingerprint


def spot(problem: Notice | ScanError) -> str:
    """The file that is to be looked at, with the line if it is about one."""
    return f"{problem.path}:{problem.line}" if problem.line else problem.path


def grade(finding: Finding) -> int:
    """The effective severity as a number."""
    return SEVERITIES.index(finding.effective_severity)


def gravest(findings: Iterable[Finding]) -> Severity:
    """The worst effective severity of some findings."""
    return SEVERITIES[max((grade(finding) for finding in findings), default=0)]


def split(findings: Iterable[Finding]) -> str:
    """How many there are of each severity, the gravest first: `2 blocker, 1 minor`."""
    numbers = Counter(finding.effective_severity for finding in findings)
    return ", ".join(f"{numbers[word]} {word}" for word in reversed(SEVERITIES) if numbers[word])


def parts(finding: Finding) -> tuple[str, str, str]:
    """The code before, in and after the span of a finding, on its first line."""
    line = finding.snippet.split("\n", 1)[0]
    start = finding.span.column - 1
    single = finding.span.end_line == finding.span.line
    end = finding.span.end_column - 1 if single else len(line)
    return line[:start], line[start:end].rstrip(), line[max(start, end) :]


def unread(report: Report) -> str:
    """How much could not be read, with its word."""
    return count(len(report.errors), "file or part of a file", "files or parts of files")


def counts(report: Report) -> Counts:
    """How many findings fail, pass, and are accepted in which way."""
    keys = set(report.gate.failing) if report.gate else set()
    rest = [finding for finding in report.findings if finding.fingerprint not in keys]
    shown = [finding for finding in rest if finding.suppressed is None]
    old = [finding for finding in shown if finding.state == "unchanged"]
    accepted = sum(finding.accepted is not None for finding in old)
    covered = sum(finding.state == "newly-covered" for finding in shown)
    return Counts(
        failing=len(report.findings) - len(rest),
        passing=len(shown) - len(old) - covered,
        before=len(old) - accepted,
        accepted=accepted,
        suppressed=len(rest) - len(shown),
        covered=covered,
    )


def expired(report: Report, finding: Finding) -> Entry | None:
    """The entry that accepted a finding until a date that is past."""
    entry = finding.accepted
    return entry if report.gate and entry is not None and entry in report.gate.expired else None


def why(report: Report, finding: Finding) -> str:
    """In a word or two, what a failing finding is: `new`, or why it is accepted no more."""
    entry = expired(report, finding)
    if entry is not None:
        return f"accepted until {entry.expires}"
    if finding.state == "updated" and finding.accepted is not None:
        was = "was" if report.gate and report.gate.change else "accepted as"
        return f"{was} {finding.accepted.severity}"
    return "new" if report.gate else ""


def remedy(report: Report, finding: Finding) -> str:
    """The portable way to write it: a replacement, else the first paragraph of the advice."""
    first = advice(report.rules, finding).strip().split("\n\n")[0]
    return finding.facts.replacement or " ".join(first.split())


def advice(rules: Mapping[str, RuleSummary], finding: Finding) -> str:
    """What is to be done about a finding: its own advice, else that of its rule."""
    rule = rules.get(finding.rule)
    return finding.fix or (rule.fix if rule else "")


def release(facts: TargetFacts) -> str:
    """The release that facts were looked up for: of the SDK, if it is a number."""
    return f"SDK {facts.sdk}" if facts.sdk[:1].isdigit() else facts.sdk


def guard_words(finding: Finding) -> str:
    """What the guard of a finding says of it."""
    by = finding.guard_by
    if by is None:
        return GUARD_WORDS[finding.guard]
    if by.setting:
        return f"only with {by.setting}"
    return "not on the target" if _is_marked(finding, by) else GUARD_WORDS[finding.guard]


def _is_marked(finding: Finding, by: Proof) -> bool:
    """Whether it is its own marker (`; sys_platform == 'win32'`) that keeps a requirement away."""
    at_home = (by.path, by.line) == (finding.path, finding.span.line)
    return finding.category == "dependency" and at_home and ";" in by.text


def count(number: int, one: str, many: str = "") -> str:
    """A number with its word: `1 place`, `2 places`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def whole(text: str) -> str:
    """Text with every half of a surrogate pair replaced, so that it can be written out."""
    return text.translate(_SURROGATES)


def decimal(value: float) -> str:
    """A number with one decimal, if it has one."""
    return f"{value:.1f}".removesuffix(".0")


def days(low: float, high: float) -> str:
    """An effort as what it is, an estimate: halves of a day, whole ones from ten on."""
    if high < 1:
        return "less than a day"
    first, last = (
        f"{value:.0f}" if value >= _WHOLE_DAYS else decimal(round(value * 2) / 2)
        for value in (low, high)
    )
    if first == last:
        return f"{last} engineer-day{'' if last == '1' else 's'}"
    if first != "0":
        return f"{first} to {last} engineer-days"
    return "up to a day" if last == "1" else f"up to {last} engineer-days"
