"""Reporter: the porting plan in Markdown: the work in its order, and what to verify on the device.

Every line has a reason in the report, or is advice that holds for the target and names its page.
Names of the audited code are escaped as in `markdown`; lines are short enough for a terminal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from urllib.parse import urlsplit

from msgspec import Struct

from portaudit.report.causes import is_aside, is_needed
from portaudit.report.markdown import code, prose
from portaudit.report.outcome import (
    count,
    days,
    decimal,
    mains,
    of_rules,
    plea,
    rules_left_out,
    spot,
    verdict_words,
    ways,
)
from portaudit.types import (
    REACHES,
    SEVERITIES,
    Category,
    Check,
    EntryPoint,
    Finding,
    GuardState,
    Kernel,
    Location,
    PlanCheck,
    PlanPart,
    Report,
    RootCause,
    Section,
    Severity,
)

TRACKS: dict[str, tuple[Category, ...]] = {
    "Installation and launch": ("dependency", "container", "scheduler-env", "notebook"),
    "Kernels and libraries": (
        *("custom-cuda-ext", "cuda-source", "triton-kernel", "fused-kernel-lib"),
        *("framework-patch", "inference-engine", "quantization"),
    ),
    "Device and host code": (
        *("device-string", "device-api", "memory-api", "streams-graphs", "backend-flags"),
        "profiling",
    ),
    "Precision and randomness": ("amp", "dtype", "rng"),
    "Several processes": ("distributed",),
    "Operators and graphs": ("op-fallback", "dynamic-shape", "host-sync", "compile"),
    "Data": ("data-pipeline",),
}
"""Pieces of work that one person would take together."""
_FIRST: frozenset[Category] = frozenset({"dependency", "container"})
"""What has to be installed before anything can be tried."""
_SITES = 3
_NUMBERS = 6
"""Places of a piece of work, and numbers of pieces, that a line names."""
_LISTED = 8
"""Lines of what is optional, and of what is off the path."""
_KERNELS = 15
_INSTEAD = (
    "where there is another way, that is what runs on the target: measure its share of a step "
    "before you count the kernel as done with"
)
_GAINS = 3
_MEASURE = 100
_PARTS: dict[PlanPart, str] = {
    "run": "Where it runs, and in how many graphs",
    "numerics": "The numbers",
    "memory": "Memory",
    "speed": "Speed and cost",
    "security": "Security and compliance",
}
_ADVICE = 390
"""Characters of advice that a line of a plan takes; `explain` has the rest."""
_ITEM = re.compile(r"(?:^|\n)(?:[-*]|\d+\.)\s+")
_SENTENCE = re.compile(r"(?<=[.?!]) (?=[^a-z])")
_MAY_BEGIN = re.compile(r"(?!```)[^\W\d_]|[(`](?!``)")
"""How a word may begin a line of a paragraph and stay one: not as a list, a heading, a table."""
_FIT = (
    "Per rank: (weights + gradients + optimizer state) / ranks that share them + activations of "
    "one batch = ____ GB. The sizes of your model are not in the report."
)
_COST = """\
`cost per million tokens = instances * price per hour * 1,000,000 / (tokens per second * 3,600)`

|                                      | GPUs now | Trainium |
|--------------------------------------|----------|----------|
| instances and their type             |          |          |
| price per instance and hour (yours)  |          |          |
| tokens, or samples, per second       |          |          |
| steps to the target loss             |          |          |
| hours to the target loss             |          |          |
| cost per million tokens, or samples  |          |          |"""


class _Piece(Struct, frozen=True):
    """Root causes of one rule and title in one phase, that somebody does together."""

    number: int
    roots: tuple[RootCause, ...]
    findings: tuple[Finding, ...]
    example: Finding | None

    @property
    def first(self) -> RootCause:
        """The root that speaks for all of them."""
        return self.roots[0]

    @property
    def mixed(self) -> bool:
        """Whether its places have different facts."""
        return len({each.facts for each in self.findings}) > 1

    @property
    def subjects(self) -> frozenset[str]:
        """Its rules and categories, by which a check knows that it is about this piece."""
        words = {self.first.rule, self.first.category}
        return frozenset(words.union(*((each.rule, each.category) for each in self.findings)))


class _Plan(Struct, frozen=True):
    """The work of a report: what comes first, phases one after the other, what can stay.

    `numbers`: of the pieces, by the ids of their roots.
    """

    before: tuple[_Piece, ...]
    phases: tuple[tuple[_Piece, ...], ...]
    harmless: tuple[_Piece, ...]
    numbers: Mapping[str, int]

    @property
    def pieces(self) -> tuple[_Piece, ...]:
        """All pieces by their number."""
        return (*self.before, *(each for phase in self.phases for each in phase), *self.harmless)


class _Notes:
    """The pages that a plan cites, each once, in the order in which it does."""

    def __init__(self) -> None:
        self._found: dict[str, int] = {}

    def mark(self, source: str, evidence: str, sdk: str, checked: str) -> str:
        """A reference to a page, to stand behind what it says."""
        version = f"SDK {sdk}" if sdk[:1].isdigit() else prose(sdk)
        page = f"{_page(source)} {evidence.replace('_', ' ')}, {version}, {_day(checked)}"
        return f"[^{self._found.setdefault(page, len(self._found) + 1)}]"

    def of(self, check: Check) -> str:
        """A reference to the page of a check."""
        return self.mark(check.source, check.evidence, check.sdk, check.checked)

    def pages(self) -> list[str]:
        """The pages with their numbers."""
        return [f"[^{number}]: {page}" for page, number in self._found.items()]


def render(report: Report, checks: Sequence[PlanCheck]) -> str:
    """The plan of a report, with what holds for its target beside its own findings."""
    if not report.coverage.files_torch:
        read = count(report.coverage.files_scanned, "file")
        return f"# Porting plan\n\nNothing to port: none of {read} imports torch.\n"
    plan = _planned(report)
    main = next((each for each in report.score.entry_points if each.main), None)
    entry = code(main.path) if main else "the program that trains"
    notes = _Notes()
    blocks = [
        f"# Porting plan for the target `{report.target}`",
        *_head(report, plan, main),
        *_before(report, plan, checks, entry, notes),
        *_work(report, plan, notes),
        *_kernels(report),
        *_not_needed(report),
        *_verify(report, plan, checks, entry, notes),
        *_after(report),
        "\n".join(notes.pages()),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def numbers(report: Report) -> Mapping[str, int]:
    """The number of the piece of work that each root cause belongs to, by their ids.

    Root causes that somebody does together share one: it is not `RootCause.step`.
    """
    return _planned(report).numbers


# --- the work -------------------------------------------------------------------------------------


def _planned(report: Report) -> _Plan:
    """Cut what the main path needs into pieces, in phases and numbered in the order of reading."""
    last = len(report.roots) + 1
    needed = sorted(
        (root for root in report.roots if is_needed(root, report.score)),
        key=lambda root: root.step or last,
    )
    early = {root.id for root in needed if root.category in _FIRST and not root.after}
    depths: dict[str, int] = {}
    for root in needed:  # what a root waits for stands before it
        waits = [depths[each] + 1 for each in root.after if each in depths and each not in early]
        depths[root.id] = max(waits, default=0)
    groups: dict[tuple[int, str, str, Severity], list[RootCause]] = {}
    for root in needed:
        phase = last if root.severity == "info" else -1 if root.id in early else depths[root.id]
        groups.setdefault((phase, root.rule, root.title, root.severity), []).append(root)
    phases: dict[int, list[list[RootCause]]] = {}
    for (phase, *_), roots in groups.items():
        phases.setdefault(phase, []).append(roots)
    ordered = {key: _by_track(phases[key]) for key in sorted(phases)}
    numbers: dict[str, int] = {}
    findings = {finding.fingerprint: finding for finding in report.findings}
    on_way = ways(report)
    cut: dict[int, tuple[_Piece, ...]] = {}
    number = 0
    for key, pieces in ordered.items():
        made = []
        for roots in pieces:
            number += 1
            made.append(_piece(number, roots, findings, on_way))
            numbers.update((root.id, number) for root in roots)
        cut[key] = tuple(made)
    between = [pieces for key, pieces in cut.items() if key not in {-1, last}]
    return _Plan(cut.get(-1, ()), tuple(between), cut.get(last, ()), numbers)


def _by_track(groups: Sequence[list[RootCause]]) -> list[list[RootCause]]:
    """Pieces of one track together, the tracks in the order of their first pieces."""
    tracks: dict[str, list[list[RootCause]]] = {}
    for roots in groups:
        tracks.setdefault(_track(roots[0].category), []).append(roots)
    return [roots for track in tracks.values() for roots in track]


def _track(category: Category) -> str:
    return next(title for title, categories in TRACKS.items() if category in categories)


def _piece(
    number: int,
    roots: Sequence[RootCause],
    findings: Mapping[str, Finding],
    on_way: Mapping[str, GuardState],
) -> _Piece:
    members = tuple(findings[key] for root in roots for key in root.findings if key in findings)

    def rank(finding: Finding) -> tuple[object, ...]:
        accepted, aside, grave, *rest = plea(finding, on_way)
        # The code tells more than the requirement.
        return accepted, aside, grave, finding.category in _FIRST, *rest

    example = min(members, key=rank, default=None)
    return _Piece(number, tuple(roots), members, example)


def _work(report: Report, plan: _Plan, notes: _Notes) -> Iterator[str]:
    yield "## The work, in order"
    if not plan.phases and not plan.harmless:
        yield "Nothing was found on the path that has to change."
        return
    yield _paragraph(
        "Phases follow each other. Within a phase tracks can go in parallel, and so can the pieces "
        "of a track; what has to wait says for which. `portaudit explain RULE` has the reasons, "
        "more code and further reading."
    )
    for number, pieces in enumerate(plan.phases, start=1):
        if len(plan.phases) > 1:
            yield f"### Phase {number}"
        tracks: dict[str, list[_Piece]] = {}
        for piece in pieces:
            tracks.setdefault(_track(piece.first.category), []).append(piece)
        for track, members in tracks.items():
            if len(tracks) > 1:
                yield f"**{track}**"
            yield "\n".join(_item(report, plan, piece, notes) for piece in members)
    if plan.harmless:
        yield "### Runs as it is"
        yield _paragraph(
            "As far as is known, training needs no change here: this runs, has another way, or no "
            "page says that it fails."
        )
        yield "\n".join(_brief(piece) for piece in plan.harmless)


def _item(report: Report, plan: _Plan, piece: _Piece, notes: _Notes) -> str:
    """A piece of work: what and where, what to do, what the target says, what it waits for."""
    facts = f"{piece.first.severity} {prose(piece.first.rule)}, {_effort(piece)}"
    text = f"**{piece.number}.** {prose(piece.first.title)} ({facts}): {_sites(piece)}"
    told = [*_advice(report, piece), *_fact(report, piece, notes)]
    like = next(each for each in plan.pieces if _subject(report, each) == _subject(report, piece))
    if like.number < piece.number:
        told = [_under(f"As for {like.number}.")]
    lines = [_box(text), *told]
    portable = sorted({site for root in piece.roots for site in root.portable})
    if portable:
        lines.append(_under(f"Portable code is there already: {_places(portable)}."))
    waits = {plan.numbers[key] for root in piece.roots for key in root.after if key in plan.numbers}
    waits.discard(piece.number)
    if waits:
        lines.append(_under(f"After {_numbers(waits)}."))
    return "\n".join(lines)


def _subject(report: Report, piece: _Piece) -> tuple[object, ...]:
    """What a piece is told: that of another with the same rule may be the same."""
    facts = piece.example.facts if piece.example else None
    return piece.first.rule, facts, _fix(report, piece), piece.mixed, piece.first.severity == "info"


def _brief(piece: _Piece) -> str:
    told = piece.example.facts.replacement if piece.example else ""
    instead = f" Portable: {code(told)}." if told else ""
    title = f"**{piece.number}.** {prose(piece.first.title)} ({prose(piece.first.rule)})"
    return _box(f"{title}: {_sites(piece)}.{instead}")


def _fix(report: Report, piece: _Piece) -> str:
    """The remedy as the finding tells it, else as its rule does."""
    if piece.first.fix:
        return piece.first.fix
    rule, found = report.rules.get(piece.first.rule), piece.example
    own = found.fix if found and found.rule == piece.first.rule else ""
    return (own or (rule.fix if rule else "")).strip()


def _advice(report: Report, piece: _Piece) -> Iterator[str]:
    """The first paragraph of the remedy, its list if it has one, and the portable form."""
    words, *items = _ITEM.split(_fix(report, piece).split("\n\n")[0])
    words = "" if words.startswith("```") else prose(_sentences(words))
    instead = _instead(piece)
    if items:
        yield from (_under(each) for each in (words, *map(prose, map(_sentences, items))) if each)
        yield from [_under(f"Portable: {instead}")] if instead else []
    elif words.endswith(":"):
        yield _under(f"{words} {instead}" if instead else f"{words[:-1]}.")
    elif words:
        yield _under(f"{words} Portable: {instead}" if instead else words)
    elif instead:
        yield _under(f"Write {instead}")


def _instead(piece: _Piece) -> str:
    """The portable form; where places have different ones, of what it is."""
    found = piece.example
    if piece.first.fix or found is None or not found.facts.replacement:
        return ""
    several = len({each.facts.replacement for each in piece.findings}) > 1
    return f"{code(found.facts.replacement)}{f' for {code(found.anchor)}' if several else ''}"


def _sentences(text: str) -> str:
    """As many whole sentences of a text as make a few lines, or what fits of a long one's parts."""
    shown = " ".join(text.split())
    sentences = _SENTENCE.split(shown)
    if len(sentences[0]) <= _ADVICE:
        return " ".join(_fitting(sentences))
    return "; ".join([*_fitting(sentences[0].split("; ")), "..."])


def _fitting(parts: Sequence[str]) -> list[str]:
    sizes = accumulate(len(part) + 2 for part in parts)
    return [part for part, size in zip(parts, sizes, strict=True) if size <= _ADVICE + 2]


def _fact(report: Report, piece: _Piece, notes: _Notes) -> Iterator[str]:
    """What the target makes of it; where its places differ in that, of the place that counts."""
    found = piece.example
    if found is None:
        return
    told = found.facts
    mark = notes.mark(told.source, told.evidence, told.sdk, told.checked)
    of = f", {code(found.anchor)}:" if piece.mixed else ""
    note = f": {prose(told.note)}" if told.note else ""
    yield _under(f"On {report.target}{of} {told.status}{mark}{note}")


def _effort(piece: _Piece) -> str:
    low, high = (sum(root.effort_days[end] for root in piece.roots) for end in (0, 1))
    return days(low, high).replace("engineer-", "")


# --- around it ------------------------------------------------------------------------------------


def _head(report: Report, plan: _Plan, main: EntryPoint | None) -> Iterator[str]:
    score = report.score
    value = f" Score {decimal(score.value)} of 100." if score.value is not None else ""
    lines = [f"**Verdict**: {score.verdict}: {verdict_words(report)}.{value}"]
    if main:
        begins = "; ".join(f"{code(each.path)}: {prose(each.why)}" for each in mains(report))
        lines.insert(0, f"**Main path**: {begins}.")
    work = [each for each in plan.pieces if each.first.severity != "info"]
    if work:
        lines.append(
            f"**Work**: {count(len(work), 'piece')}, {days(*score.effort_days)}. That is an "
            "estimate for changing the code: the first place of a piece is dear and further ones "
            "are cheap, kernels count by their size and features. The table behind it is in "
            "portaudit's `docs/scoring.md` and can be overridden; waiting for instances, tuning "
            "and long runs are not in it."
        )
    gains: dict[int, float] = {}
    for gain in score.gains:
        if gain.root in plan.numbers:
            number = plan.numbers[gain.root]
            gains[number] = gains.get(number, 0.0) + gain.points
    if len(work) > 1 and gains:
        most = [f"{number} (+{decimal(points)})" for number, points in gains.items()]
        lines.append(
            f"**Worth most to the score**, one after the other: {', '.join(most[:_GAINS])}."
        )
    lines += [f"**Not known**: {each}" for each in _unknown(report)]
    yield "\n".join(_bullet(line) for line in lines)


def _unknown(report: Report) -> Iterator[str]:
    """What the report could not tell, so that nobody takes the plan for more than it is."""
    yield (
        "nothing was run. Which operators, shapes and sizes work is for the device to show; "
        "see the last part."
    )
    if of_rules(report):
        yield f"what the other rules would find: {rules_left_out(report)}."
    if report.score.provisional:
        yield "what the training path reaches. Every root cause counts here."
    unknown = report.coverage.unknown_facts
    if unknown:
        yield f"for {count(unknown, 'place')} no page says what {report.target} supports."
    if report.errors:
        named = ", ".join(code(spot(error)) for error in report.errors[:_SITES])
        rest = len(report.errors) - _SITES
        more = f" and {rest:,} more" if rest > 0 else ""
        yield f"what is in files that could not be read: {named}{more}."


def _before(
    report: Report, plan: _Plan, checks: Sequence[PlanCheck], entry: str, notes: _Notes
) -> Iterator[str]:
    yield "## Before anything else"
    own = (
        f"On the GPU, with a fixed seed, write down throughput, peak memory and the loss of the "
        f"first few hundred steps of {entry}: all that follows is compared with it."
    )
    lines = [_box(own), *_told(report, plan, checks, "before", entry, notes)]
    yield "\n".join(lines)
    if plan.before:
        yield "What cannot be installed or started as it is:"
        yield "\n".join(_item(report, plan, piece, notes) for piece in plan.before)


def _kernels(report: Report) -> Iterator[str]:
    """The kernels that the main path runs, the largest first; how many others there are."""
    reaches = {finding.fingerprint: finding.reach for finding in report.findings}
    own = [each for each in report.inventory if not each.helper]
    path = [
        each
        for each in own
        if report.score.provisional or reaches.get(each.fingerprint) in {"main", None}
    ]
    if not path:
        return
    yield "## Kernels on the path"
    ranked = sorted(path, key=lambda each: (-each.lines, each.path, each.line))
    lines = [_bullet(_kernel(each)) for each in ranked[:_KERNELS]]
    if ranked[_KERNELS:]:
        lines.append(_bullet(f"and {len(ranked) - _KERNELS:,} smaller ones"))
    if any(each.fallback for each in path):
        lines.append(_bullet(_INSTEAD))
    if len(own) > len(path):
        lines.append(_bullet(f"off the path: {len(own) - len(path):,} more, not needed to train"))
    yield "\n".join(lines)


def _kernel(kernel: Kernel) -> str:
    place = _places([Location(kernel.path, kernel.line)])
    size = f"{kernel.language}, {count(kernel.lines, 'line')}, {kernel.difficulty}"
    parts = [f"{code(kernel.name)} at {place}: {size}"]
    parts += [f"a variant of {code(kernel.variant_of)}"] if kernel.variant_of else []
    features = [prose(feature.name) for feature in kernel.features]
    parts += [f"uses {', '.join(features)}"] if features else []
    found = kernel.counterpart
    parts += [f"nki-library has {code(found.name)} ({prose(found.tier)})"] if found else []
    parts += [f"another way at {_places([kernel.fallback])}"] if kernel.fallback else []
    return "; ".join(parts)


def _not_needed(report: Report) -> Iterator[str]:
    """What waits for a setting that the path leaves off, and what it does not reach."""
    aside = [root for root in report.roots if is_aside(root, report.score)]
    optional = [root for root in report.roots if root.setting and root not in aside]
    if optional:
        yield "## Only if you use it"
        yield "The main path leaves these settings off. What you do not switch on needs no port."
        settings: dict[str, list[RootCause]] = {}
        for root in optional:
            settings.setdefault(root.setting, []).append(root)
        lines = [
            _bullet(f"{code(setting)}: {_titles(roots)}") for setting, roots in settings.items()
        ]
        yield "\n".join(_cut(lines))
    if aside:
        found = Counter(root.reach for root in aside)
        split = ", ".join(f"{found[reach]:,} {_REACH[reach]}" for reach in REACHES if found[reach])
        yield "## Off the path"
        yield _paragraph(f"Not needed to train: {count(len(aside), 'root cause')} ({split}).")
        rules: dict[tuple[Severity, str], list[RootCause]] = {}
        for root in aside:
            rules.setdefault((root.severity, root.rule), []).append(root)
        ranked = sorted(rules, key=lambda key: (-SEVERITIES.index(key[0]), -len(rules[key]), key))
        grave = [key for key in ranked if key[0] in {"major", "blocker"}]
        yield "\n".join(_cut([_bullet(_titles(rules[key], 1)) for key in grave]))


_REACH = {
    "main": "on it",
    "other": "in other programs",
    "example": "in examples",
    "test": "in tests",
    "unreached": "that no program reaches",
}


def _titles(roots: Sequence[RootCause], most: int = _SITES) -> str:
    """Root causes in a line: what each is, the gravest first, and where the first one is."""
    ranked = sorted(roots, key=lambda root: -SEVERITIES.index(root.severity))
    names = list(
        dict.fromkeys(
            f"{prose(each.title)} ({each.severity} {prose(each.rule)})" for each in ranked
        )
    )
    more = f" and {len(names) - most:,} more" if names[most:] else ""
    sites = [site for root in ranked for site in root.sites[:1]][:1]
    where = f": {_places(sites)}" if sites else ""
    return f"{', '.join(names[:most])}{where}{more}"


def _cut(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - _LISTED
    return [*lines[:_LISTED], *([_bullet(f"and {rest:,} more")] if rest > 0 else [])]


# --- what to verify -------------------------------------------------------------------------------


def _verify(
    report: Report, plan: _Plan, checks: Sequence[PlanCheck], entry: str, notes: _Notes
) -> Iterator[str]:
    yield "## Verify on the device"
    sections = [section for section in report.sections if _of(section, plan) and section.checks]
    for part, title in _PARTS.items():
        if part == "security":
            yield from (_section(each, plan, notes) for each in sections if each.id != part)
        own = [_section(each, plan, notes) for each in sections if each.id == part]
        told = list(_told(report, plan, checks, part, entry, notes))
        if part == "memory":
            told.append(_box(_FIT))
        if own or told:
            yield "\n".join([*(own or [f"### {title}\n"]), *told])
        if part == "speed":
            yield _COST


def _of(section: Section, plan: _Plan) -> set[int]:
    """The pieces of work that a section of the report is about."""
    return {plan.numbers[root] for root in section.roots if root in plan.numbers}


def _section(section: Section, plan: _Plan, notes: _Notes) -> str:
    because = _paragraph(f"Because of {_numbers(_of(section, plan))}.")
    lines = [_box(f"{prose(each.text)}{notes.of(each)}") for each in section.checks]
    return "\n".join([f"### {prose(section.title)}", "", because, "", *lines])


def _told(
    report: Report,
    plan: _Plan,
    checks: Sequence[PlanCheck],
    part: PlanPart,
    entry: str,
    notes: _Notes,
) -> Iterator[str]:
    """The checks of a part that this work gives a reason for, with the pieces that do."""
    said = {check.source for section in report.sections for check in section.checks}
    for each in checks:
        if each.part != part or (part == "security" and each.check.source in said):
            continue
        about = {piece.number for piece in plan.pieces if piece.subjects & set(each.when)}
        if about or each.always:
            text = prose(each.check.text.replace("{entry}", entry))
            here = f" Here: {_numbers(about)}." if about else ""
            yield _box(f"{text}{notes.of(each.check)}{here}")


def _after(report: Report) -> Iterator[str]:
    yield "## Keep it"
    yield _paragraph(
        f"`portaudit baseline create --target {report.target}` accepts what is there now, and "
        "`portaudit check` in CI fails on new code for CUDA only while the port goes on."
    )


# --- text -----------------------------------------------------------------------------------------


def _sites(piece: _Piece) -> str:
    """Its places, what makes the case best and those on the path first, and how many there are."""
    sites = {site for root in piece.roots for site in root.sites}
    reached = {
        place
        for each in piece.findings
        if each.reach == "main"
        for place in (
            Location(each.path, each.span.line),
            *(Location(use.path, use.line) for use in each.uses),
        )
    } & sites
    first = piece.example and Location(piece.example.path, piece.example.span.line)
    ordered = sorted(sites, key=lambda site: (site != first, site))
    if not reached or reached == sites:
        return _places(ordered)
    on_path = _places([site for site in ordered if site in reached])
    return f"{on_path} on the path, {len(sites) - len(reached):,} off it"


def _places(sites: Sequence[Location]) -> str:
    """Lines of files, the first few; the line 0 is the whole of a file."""
    shown = [
        code(f"{site.path}:{site.line}" if site.line else site.path) for site in sites[:_SITES]
    ]
    more = f" and {len(sites) - _SITES:,} more" if sites[_SITES:] else ""
    return f"{', '.join(shown)}{more}"


def _numbers(found: Iterable[int]) -> str:
    """Numbers of pieces in a line."""
    ranked = sorted(found)
    more = f" and {len(ranked) - _NUMBERS:,} more" if ranked[_NUMBERS:] else ""
    return f"{', '.join(map(str, ranked[:_NUMBERS]))}{more}"


def _page(source: str) -> str:
    """The address of a page as a link, if it is one that a browser may follow safely."""
    parts = urlsplit(source)
    plain = not re.search(r"[\s<>\\\x00-\x1f]", source)
    return f"<{source}>" if parts.scheme == "https" and parts.netloc and plain else code(source)


def _day(checked: str) -> str:
    return f"checked {prose(checked)}"


def _box(text: str) -> str:
    return _wrapped(f"- [ ] {text}", "  ")


def _under(text: str) -> str:
    return _wrapped(f"  - {text}", "    ")


def _bullet(text: str) -> str:
    return _wrapped(f"- {text}", "  ")


def _paragraph(text: str) -> str:
    return _wrapped(text, "")


def _wrapped(text: str, indent: str) -> str:
    """A text in lines, broken only before a word that cannot begin anything but text."""
    lines: list[str] = []
    line = ""
    for at, word in enumerate(text.split(" ")):
        if at == 0:
            line = word
        elif len(line) + 1 + len(word) > _MEASURE and _MAY_BEGIN.match(word):
            lines.append(line)
            line = f"{indent}{word}"
        else:
            line = f"{line} {word}"
    return "\n".join([*lines, line])
