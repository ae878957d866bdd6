"""Reporter: a report as a page that whoever decides can read, and whoever repairs can dig into.

All that matters is in it without scripts; the script adds pictures, filters and every finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from portaudit.report.causes import causes, is_aside, is_needed
from portaudit.report.html import data, path, weights
from portaudit.report.html.cards import MOST, Card, cards
from portaudit.report.html.document import document
from portaudit.report.html.frames import Frames
from portaudit.report.html.text import address, amount
from portaudit.report.outcome import (
    GAINS_TITLE,
    OTHERS_NOTICE,
    TARGET_WORDS,
    XLA_NOTICE,
    XLA_SOURCE,
    count,
    counts,
    days,
    decimal,
    failing,
    grade,
    mains,
    of_rules,
    split,
    told_apart,
    unread,
    verdict_words,
    why,
)
from portaudit.types import (
    DIFFICULTIES,
    SEVERITIES,
    UNGUARDED,
    Check,
    EntryKind,
    EntryPoint,
    Finding,
    Kernel,
    Report,
    Severity,
)

if TYPE_CHECKING:
    from portaudit.report.formats import View

_DOWN: tuple[Severity, ...] = tuple(reversed(SEVERITIES))
_OBSTACLES, _GAINS, _PROGRAMS, _FILES, _KERNELS, _NODES = 3, 10, 12, 12, 60, 1500
_FAILING, _PROBLEMS, _PATHS = 50, 100, 20
_SHADES = 5
_NARROW = 0.6
"""Points below which a root cause has no part of the bar for itself: nobody would see it."""
_KINDS: tuple[EntryKind, ...] = ("training", "evaluation", "inference", "export")
"""Programs that a team would port next, in this order; others are only counted."""


class Segment(Struct, frozen=True):
    """A part of the bar of a hundred points: what is left, or what a root cause takes."""

    start: float
    width: float
    kind: str
    text: str


class Step(Struct, frozen=True):
    """A root cause that would raise the score: by how much, from where, and the card of it.

    `where` tells apart those of the same title.
    """

    title: str
    where: str
    before: float
    points: float
    score: float
    number: int


class Cell(Struct, frozen=True):
    """A number of places, and how dark it is: 0 for none."""

    severity: Severity
    number: int
    shade: int


class Heat(Struct, frozen=True):
    """Places of a category by severity."""

    category: str
    cells: tuple[Cell, ...]


class Weight(Struct, frozen=True):
    """What a file costs, with the gravest of its findings on the path."""

    path: str
    points: float
    share: float
    severity: Severity | None
    places: int


class Kernels(Struct, frozen=True):
    """Kernels of a language by how hard they are to write anew."""

    language: str
    number: int
    by_difficulty: tuple[int, ...]
    lines: int
    fallbacks: int
    counterparts: int


class Topic(Struct, frozen=True):
    """A section of the report across categories."""

    title: str
    meaning: str
    text: str
    checks: tuple[Check, ...]


class Unknown(Struct, frozen=True):
    """Something that the report cannot tell: what, why, and the filter that shows it.

    `grave`: whoever reads no more than the verdict has to know.
    """

    title: str
    text: str
    filter: str = ""
    grave: bool = True


def render(report: Report, view: View) -> str:
    """The page of a report."""
    roots = causes(report)
    found = cards(report, roots, Frames(view.source))
    failed, kernels = failing(report), _listed_kernels(report)
    tree = path.of(report)
    needed = [card for card in found if card.group == "needed"]
    context: dict[str, object] = {
        "report": report,
        "title": view.title,
        "link": address(view.link),
        "target_words": TARGET_WORDS[report.target],
        "xla": (XLA_NOTICE, XLA_SOURCE) if report.target == "xla" else None,
        **_verdict(report, needed),
        "segments": _segments(report, found),
        "legend": _legend(report, found),
        "gains": _gains(report, found),
        "mains": mains(report),
        "programs": _programs(report),
        "gains_title": GAINS_TITLE,
        "others_notice": OTHERS_NOTICE,
        "other_programs": _other_programs(report),
        "needed": needed,
        "optional": [card for card in found if card.group == "optional"],
        "aside": [card for card in found if card.group == "aside"],
        "more_causes": max(0, len(roots) - MOST),
        "alarming": _alarming(report),
        "tree": tree,
        "tree_nodes": _nodes(tree),
        "many_nodes": _NODES,
        "heat": _heat(report),
        "severities": _DOWN,
        "weights": _weights(report),
        "kernels": _kernels(report),
        "listed_kernels": kernels[:_KERNELS],
        "more_kernels": max(0, len(kernels) - _KERNELS),
        "difficulties": DIFFICULTIES,
        "topics": _topics(report),
        "unknown": _unknown(report),
        "rules": of_rules(report) or count(report.coverage.rules_run, "rule"),
        "skipped": _skipped(report),
        "gate": report.gate,
        "gate_counts": counts(report),
        "failing": [(item, why(report, item)) for item in failed[:_FAILING]],
        "more_failing": max(0, len(failed) - _FAILING),
        "problems": _PROBLEMS,
        "findings": len(report.findings),
    }
    return document("report.html", context, data.of(report, roots, tree, view.link))


def _verdict(report: Report, needed: Sequence[Card]) -> dict[str, object]:
    """The verdict, the score, the effort, and what stands in the way most."""
    score, coverage = report.score, report.coverage
    if not coverage.files_total:
        verdict, words = "nothing to scan", "no file that is read lies under the given paths"
    elif not coverage.files_torch:
        read = count(coverage.files_scanned, "file")
        verdict, words = "no torch", f"none of {read} imports torch: no score"
    else:
        verdict, words = score.verdict, verdict_words(report)
    roots = [root for root in report.roots if is_needed(root, score)]
    numbers = Counter(root.severity for root in roots)
    effort, _, unit = days(*score.effort_days).partition(" engineer-day")
    serious = [card for card in needed if card.cause.severity != "info"]
    places = {site for card in needed for site in card.cause.sites}
    return {
        "verdict": verdict,
        "words": words,
        "kind": score.verdict.replace(" ", "-"),
        "score": None if score.value is None else decimal(score.value),
        "has_work": bool(score.effort_days[1]),
        "effort": effort,
        "effort_unit": f"engineer-day{unit}" if unit or effort == "1" else "",
        "roots": len(roots),
        "root_counts": [(level, numbers[level]) for level in _DOWN if numbers[level]],
        "extent": f"{count(len(places), 'line')} of {count(len({s.path for s in places}), 'file')}",
        "obstacles": sorted(
            serious, key=lambda card: (-card.cause.points, -SEVERITIES.index(card.cause.severity))
        )[:_OBSTACLES],
    }


# --- the score ------------------------------------------------------------------------------------


def _segments(report: Report, found: Iterable[Card]) -> list[Segment]:
    """What is left of a hundred points, then what each root cause takes, the gravest last."""
    score = report.score.value
    if score is None:
        return []
    segments = [Segment(0, score, "left", f"{decimal(score)} points are left")]
    at = score
    costly = [card for card in found if card.cause.points]
    for level in SEVERITIES:
        rest = 0
        smaller = 0.0
        for card in costly:
            cause = card.cause
            if cause.severity != level:
                continue
            if cause.points < _NARROW:
                rest += 1
                smaller += cause.points
                continue
            text = f"{cause.rule}: {cause.title}: {card.points} points"
            segments.append(Segment(at, cause.points, level, text))
            at += cause.points
        if rest:
            text = f"{count(rest, 'smaller root cause')}: {amount(smaller)} points"
            segments.append(Segment(at, smaller, level, text))
            at += smaller
    return segments


def _legend(report: Report, found: Iterable[Card]) -> list[tuple[str, str]]:
    """Points by what takes them."""
    lost: Counter[Severity] = Counter()
    for card in found:
        lost[card.cause.severity] += card.cause.points  # type: ignore[assignment]
    return [(level, amount(lost[level])) for level in _DOWN if lost[level] and report.score.value]


def _gains(report: Report, found: Iterable[Card]) -> list[Step]:
    """What would raise the score most, each step after those before it."""
    roots = {root.id: root for root in report.roots}
    numbers = {root.id: card.number for card in found for root in card.cause.roots}
    gains = [gain for gain in report.score.gains if gain.root in roots][:_GAINS]
    places = told_apart([roots[gain.root] for gain in gains], report)
    return [
        Step(
            title=roots[gain.root].title,
            where=places.get(gain.root, ""),
            before=gain.score - gain.points,
            points=gain.points,
            score=gain.score,
            number=numbers.get(gain.root, 0),
        )
        for gain in gains
    ]


def _programs(report: Report) -> list[EntryPoint]:
    """Other programs with a score of their own, those that a team would port next first."""
    scored = [
        each
        for each in report.score.entry_points
        if not each.main and each.score is not None and each.kind in _KINDS
    ]
    return sorted(scored, key=lambda each: _KINDS.index(each.kind))[:_PROGRAMS]


def _other_programs(report: Report) -> str:
    kinds = Counter(each.kind for each in report.score.entry_points if not each.main)
    return ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())


# --- what lies where ------------------------------------------------------------------------------


def _shown(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.suppressed is None]


def _heat(report: Report) -> list[Heat]:
    """Categories by severities, those with the gravest first."""
    numbers = Counter((item.category, item.effective_severity) for item in _shown(report))
    most = max(numbers.values(), default=1)
    rows = [
        Heat(
            category,
            tuple(
                Cell(level, number, _shade(number, most))
                for level in _DOWN
                for number in (numbers[category, level],)
            ),
        )
        for category in {category for category, _ in numbers}
    ]
    return sorted(rows, key=lambda row: ([-cell.number for cell in row.cells], row.category))


def _shade(number: int, most: int) -> int:
    """Darker for more: each step is a multiple of the one before."""
    if not number:
        return 0
    return 1 + min(_SHADES - 1, int(_SHADES * (number.bit_length() - 1) / most.bit_length()))


def _weights(report: Report) -> list[Weight]:
    """The files that cost most."""
    lost = weights.points(report)
    gravest: dict[str, int] = {}
    places: Counter[str] = Counter()
    for item in report.findings:
        if weights.counts(item):
            places[item.path] += 1
            gravest[item.path] = max(grade(item), gravest.get(item.path, 0))
    ordered = sorted(lost.items(), key=lambda entry: (-entry[1], entry[0]))[:_FILES]
    top = ordered[0][1] if ordered else 1.0
    return [
        Weight(
            each,
            value,
            value / top if top else 0.0,
            SEVERITIES[gravest[each]] if each in gravest else None,
            places[each],
        )
        for each, value in ordered
        if value
    ]


def _nodes(tree: path.Node | None) -> int:
    return sum(1 for _ in path.walk(tree)) if tree else 0


def _kernels(report: Report) -> list[Kernels]:
    own = sorted(
        (each for each in report.inventory if not each.helper), key=lambda each: each.language
    )
    rows = []
    for language, group in groupby(own, key=lambda each: each.language):
        each = list(group)
        rows.append(
            Kernels(
                language,
                len(each),
                tuple(sum(item.difficulty == word for item in each) for word in DIFFICULTIES),
                sum(item.lines for item in each),
                sum(item.fallback is not None for item in each),
                sum(item.counterpart is not None for item in each),
            )
        )
    return rows


def _listed_kernels(report: Report) -> list[Kernel]:
    """Kernels that are started by themselves, the hardest first."""
    own = [each for each in report.inventory if not each.helper]
    return sorted(
        own,
        key=lambda each: (-DIFFICULTIES.index(each.difficulty), -each.lines, each.path, each.line),
    )


# --- what costs nothing, what is not known --------------------------------------------------------


def _alarming(report: Report) -> dict[str, int]:
    """How much looks grave by itself and is not counted, or counted for less."""
    roots = {root.id: root for root in report.roots}
    grave = [item for item in _shown(report) if item.severity in {"major", "blocker"}]
    off = [item for item in grave if not weights.counts(item)]
    waiting = [
        item
        for item in grave
        if weights.counts(item) and item.root in roots and roots[item.root].setting
    ]
    skipped = {item.fingerprint for item in waiting}
    guarded = [
        item
        for item in grave
        if weights.counts(item) and item.fingerprint not in skipped and item.guard not in UNGUARDED
    ]
    aside = sum(is_aside(root, report.score) for root in report.roots)
    return {
        "off": 0 if report.score.provisional else len(off),
        "waiting": len(waiting),
        "guarded": len(guarded),
        "aside": aside,
    }


def _topics(report: Report) -> list[Topic]:
    shown = {item.fingerprint: item for item in _shown(report)}
    topics = []
    for section in report.sections:
        members = [shown[key] for key in section.findings if key in shown]
        if not members:
            continue
        files = count(len({item.path for item in members}), "file")
        text = f"{count(len(members), 'place')} in {files}: {split(members)}"
        topics.append(Topic(section.title, section.meaning, text, section.checks))
    return topics


def _unknown(report: Report) -> list[Unknown]:
    """What the report cannot tell, so that nobody takes silence for an answer."""
    shown = _shown(report)
    found = []
    if report.score.provisional and report.score.value is not None:
        text = (
            "What a training run reaches could not be told, or only a part of a tree was scanned: "
            "all code counts, wherever it stands."
        )
        found.append(Unknown("The score is provisional", text))
    if of_rules(report):
        text = "Verdict, score and days speak of what these find, and of no others."
        found.append(Unknown(f"Only {of_rules(report)} ran", text))
    if report.partial:
        text = "What stands in them is not in this report; they are listed below."
        found.append(Unknown(f"{unread(report)} could not be read", text))
    silent = sum(item.facts.status == "undocumented" for item in shown)
    if silent:
        text = (
            f"No source says whether {report.target} supports what they need. "
            "Take the advice there as open, and try it."
        )
        found.append(Unknown(f"{count(silent, 'place')} undocumented", text, "status=undocumented"))
    reach = sum(item.reach is None for item in shown)
    if reach and not report.score.provisional:
        text = "Whether a program gets there could not be told: they count as if one did."
        found.append(Unknown(f"{count(reach, 'place')} of unknown reach", text, "reach=unknown"))
    unsure = sum(item.confidence == "low" for item in shown)
    if unsure:
        text = "The match may mean something else: have a look before planning for them."
        found.append(
            Unknown(
                f"{count(unsure, 'place')} of low confidence", text, "confidence=low", grave=False
            )
        )
    return found


def _skipped(report: Report) -> list[tuple[str, tuple[str, ...], int]]:
    """Files left out, by why: the first ones, and how many more."""
    groups = []
    ordered = sorted(report.skipped, key=lambda entry: (entry.reason, entry.path))
    for reason, group in groupby(ordered, key=lambda entry: entry.reason):
        paths = tuple(entry.path for entry in group)
        groups.append((reason, paths[:_PATHS], max(0, len(paths) - _PATHS)))
    return groups
