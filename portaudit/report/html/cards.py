"""Root causes as the page shows them: numbered, with frames, what the target says, the remedy."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from portaudit.report import plan
from portaudit.report.causes import Cause
from portaudit.report.html.frames import Frame, Frames
from portaudit.report.html.text import amount
from portaudit.report.html.weights import counts
from portaudit.report.outcome import count, days, urgent
from portaudit.types import (
    CONFIDENCES,
    Chain,
    Confidence,
    Counterpart,
    Finding,
    Link,
    Location,
    Report,
    RootCause,
)

MOST = 200
"""Root causes that have a card; of more, the list of findings has all places."""
_FRAMES, _FILES, _USES, _LINES, _PARTS = 3, 30, 8, 24, 12


class File(Struct, frozen=True):
    """The lines of a file that belong to a root cause; `more` of them are not named."""

    path: str
    lines: tuple[int, ...]
    more: int = 0


class Part(Struct, frozen=True):
    """One of several pieces of work that a card speaks of: an operator, say."""

    title: str
    days: str
    points: str


class Card(Struct, frozen=True):
    """A root cause. `number` is its place in the page · `group`: what it means for the main run.

    `facts`: in a few words each, how much there is of it · `reached`: the chain of imports of the
    example · `steps`: numbers in the plan, the first and the last · `after`: numbers of
    cards to be done before.
    """

    number: int
    group: str
    cause: Cause
    facts: tuple[str, ...]
    days: str
    points: str
    example: Finding | None
    frames: tuple[Frame, ...]
    files: tuple[File, ...]
    more_files: int
    others: int
    reached: tuple[Location, ...]
    uses: tuple[Location, ...]
    more_uses: int
    portable: tuple[Location, ...]
    confidence: tuple[tuple[Confidence, int], ...]
    undocumented: int
    fix: str
    replacement: str
    references: tuple[Link, ...]
    steps: tuple[int, int]
    after: tuple[int, ...]
    parts: tuple[Part, ...]
    more_parts: int
    counterparts: tuple[Counterpart, ...]


def group_of(cause: Cause) -> str:
    """What a root cause means for the main run: `needed`, `optional` or `aside`."""
    return "aside" if cause.aside else "optional" if cause.settings else "needed"


def cards(report: Report, found: Sequence[Cause], frames: Frames) -> list[Card]:
    """Cards of the root causes that were found in a report, in their order."""
    numbers = {
        root.id: number for number, cause in enumerate(found, start=1) for root in cause.roots
    }
    maker = _Maker(report, frames, numbers)
    return [maker.card(number, cause) for number, cause in enumerate(found[:MOST], start=1)]


class _Maker:
    """What all cards are made of."""

    def __init__(self, report: Report, frames: Frames, numbers: Mapping[str, int]) -> None:
        self.report = report
        self.frames = frames
        self.numbers = numbers
        self.planned = plan.numbers(report)
        self.findings = {finding.fingerprint: finding for finding in report.findings}
        self.chains = {chain.path: chain for chain in report.chains}
        self.points = {lost.root: lost.points for lost in report.score.lost}
        self.kernels = {kernel.fingerprint: kernel for kernel in report.inventory}

    def card(self, number: int, cause: Cause) -> Card:
        """The card of a root cause."""
        report = self.report
        members = [
            self.findings[key]
            for root in cause.roots
            for key in root.findings
            if key in self.findings
        ]
        example = cause.example
        frames = _chosen(cause, members, _FRAMES if not cause.aside else 1)
        files = _files(cause.sites)
        rule = report.rules.get(cause.rule)
        uses = _uses(frames, members)
        kernels = (self.kernels.get(item.fingerprint) for item in members)
        counterparts = {each.counterpart for each in kernels if each and each.counterpart}
        facts = example.facts if example else None
        return Card(
            number=number,
            group=group_of(cause),
            cause=cause,
            facts=_facts(cause),
            days=days(*cause.effort_days),
            points=amount(cause.points) if cause.points else "",
            example=example,
            frames=tuple(map(self.frames.of, frames)),
            files=files[:_FILES],
            more_files=max(0, len(files) - _FILES),
            others=len(cause.others),
            reached=self._reached(example),
            uses=uses[:_USES],
            more_uses=max(0, len(uses) - _USES),
            portable=tuple(sorted({site for root in cause.roots for site in root.portable}))[
                :_USES
            ],
            confidence=_confidence(members),
            undocumented=sum(item.facts.status == "undocumented" for item in members),
            fix=cause.fix or (example.fix if example else "") or (rule.fix if rule else ""),
            replacement="" if cause.fix or facts is None else facts.replacement,
            references=_references(rule.references if rule else (), example),
            steps=self._steps(cause.roots),
            after=self._after(number, cause.roots),
            parts=self._parts(cause)[:_PARTS],
            more_parts=max(0, len(cause.roots) - _PARTS),
            counterparts=tuple(sorted(counterparts, key=lambda each: each.name)),
        )

    def _reached(self, example: Finding | None) -> tuple[Location, ...]:
        """The imports by which the main path comes to the example, its own file last."""
        chain: Chain | None = self.chains.get(example.path) if example else None
        if example is None or chain is None or example.reach != "main":
            return ()
        return (*chain.imports, Location(example.path, example.span.line))

    def _steps(self, roots: Iterable[RootCause]) -> tuple[int, int]:
        steps = [self.planned[root.id] for root in roots if root.step and root.id in self.planned]
        return (min(steps), max(steps)) if steps else (0, 0)

    def _after(self, number: int, roots: Iterable[RootCause]) -> tuple[int, ...]:
        found = {self.numbers[key] for root in roots for key in root.after if key in self.numbers}
        return tuple(sorted(found - {number}))

    def _parts(self, cause: Cause) -> tuple[Part, ...]:
        """The pieces of work of a root cause that has several with titles of their own."""
        titles = {root.title for root in cause.roots}
        if len(titles) < 2:  # noqa: PLR2004 - the title of the card says it
            return ()
        ordered = sorted(cause.roots, key=lambda root: -self.points.get(root.id, 0.0))
        return tuple(
            Part(
                root.title,
                days(*root.effort_days),
                amount(self.points[root.id]) if self.points.get(root.id) else "",
            )
            for root in ordered
        )


def _facts(cause: Cause) -> tuple[str, ...]:
    files = len({site.path for site in cause.sites})
    facts = [f"{count(len(cause.sites), 'place')} in {count(files, 'file')}"]
    if len(cause.roots) > 1:
        facts.insert(0, count(len(cause.roots), "root cause"))
    if cause.others:
        facts.append(f"{count(len(cause.others), 'more place')} off the path")
    return tuple(facts)


def _chosen(cause: Cause, members: Iterable[Finding], most: int) -> list[Finding]:
    """The findings whose code is shown: the example, then others, of other files first."""
    example = cause.example
    if example is None:
        return []
    rest = [
        item
        for item in urgent(members)
        if item.snippet
        and item.suppressed is None
        and (cause.aside or counts(item))
        and item.rule == cause.rule
        and (item.path, item.span.line) != (example.path, example.span.line)
    ]
    first = {item.path: item for item in reversed(rest) if item.path != example.path}
    elsewhere = [item for item in rest if first.get(item.path) is item]
    same = [item for item in rest if first.get(item.path) is not item]
    return [example, *(elsewhere + same)[: most - 1]]


def _files(sites: Iterable[Location]) -> tuple[File, ...]:
    """Places by file, those with most first."""
    lines: dict[str, list[int]] = defaultdict(list)
    for site in sites:
        lines[site.path].append(site.line)
    ordered = sorted(lines.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return tuple(
        File(path, tuple(numbers[:_LINES]), max(0, len(numbers) - _LINES))
        for path, numbers in ordered
    )


def _uses(shown: Sequence[Finding], members: Iterable[Finding]) -> tuple[Location, ...]:
    """Where values of literals arrive."""
    own = {Location(item.path, item.span.line) for item in shown}
    found = {Location(use.path, use.line) for item in members for use in item.uses}
    return tuple(sorted(found - own))


def _confidence(members: Iterable[Finding]) -> tuple[tuple[Confidence, int], ...]:
    numbers = Counter(item.confidence for item in members)
    return tuple((word, numbers[word]) for word in reversed(CONFIDENCES) if numbers[word])


def _references(links: Iterable[Link], example: Finding | None) -> tuple[Link, ...]:
    """Further reading that is not the source of the facts itself."""
    source = example.facts.source if example else ""
    return tuple(link for link in links if link.url != source)
