"""Reporter: progress between two reports as a page: the score, what is done, what came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from portaudit.report.html.document import document
from portaudit.report.outcome import TARGET_WORDS, count, days, decimal, urgent
from portaudit.types import SEVERITIES, Difference, Finding, RootCause, Score, Severity

_LISTED = 500
"""Findings of a kind that are listed; of more, how many."""


class Work(Struct, frozen=True):
    """Root causes of one rule and title that came, or that are gone."""

    severity: Severity
    rule: str
    title: str
    places: int
    points: float
    days: str


class Listing(Struct, frozen=True):
    """Findings of a kind, the gravest first."""

    id: str
    title: str
    findings: tuple[Finding, ...]
    more: int


def render(told: Difference, title: str = "") -> str:
    """The page of a difference; `title` is what the tree is called."""
    before, after = told.score_old, told.score_new
    gained = None
    if before.value is not None and after.value is not None:
        gained = after.value - before.value
    done, came = _work(told.roots_gone, before), _work(told.roots_appeared, after)
    context: dict[str, object] = {
        "told": told,
        "title": title,
        "before": before,
        "after": after,
        "gained": gained,
        "change": "" if gained is None else f"{gained:+.1f}",
        "kept": min(before.value or 0.0, after.value or 0.0),
        "target_words": TARGET_WORDS[told.target],
        "done": done,
        "came": came,
        "done_points": decimal(sum(each.points for each in done)),
        "came_points": decimal(sum(each.points for each in came)),
        "effort_before": days(*before.effort_days),
        "effort_after": days(*after.effort_days),
        "listings": [
            _listing(*each)
            for each in (
                ("appeared", "New", told.appeared),
                ("graver", "Graver than before", told.graver),
                ("gone", "Gone", told.gone),
                ("milder", "Milder than before", told.milder),
            )
            if each[2]
        ],
        "numbers": (
            (len(told.gone), "gone"),
            (len(told.milder), "milder"),
            (len(told.appeared), "new"),
            (len(told.graver), "graver"),
            (told.unchanged, "unchanged"),
        ),
        "moved": told.moved[:_LISTED],
        "more_moved": max(0, len(told.moved) - _LISTED),
    }
    return document("difference.html", context)


def _listing(name: str, title: str, findings: Sequence[Finding]) -> Listing:
    return Listing(
        name,
        f"{title}: {count(len(findings), 'place')}",
        tuple(urgent(findings)[:_LISTED]),
        max(0, len(findings) - _LISTED),
    )


def _work(roots: Iterable[RootCause], score: Score) -> list[Work]:
    """Pieces of work that read alike as one, with the points that they cost on their side."""
    points = {lost.root: lost.points for lost in score.lost}
    alike: dict[tuple[Severity, str, str], list[RootCause]] = {}
    for root in roots:
        alike.setdefault((root.severity, root.rule, root.title), []).append(root)
    found = [
        Work(
            severity,
            rule,
            title,
            places=sum(len(root.sites) for root in group),
            points=sum(points.get(root.id, 0.0) for root in group),
            days=days(
                sum(root.effort_days[0] for root in group),
                sum(root.effort_days[1] for root in group),
            ),
        )
        for (severity, rule, title), group in alike.items()
    ]
    return sorted(
        found,
        key=lambda work: (-work.points, -SEVERITIES.index(work.severity), work.rule, work.title),
    )
