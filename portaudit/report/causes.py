"""What reports for people share: root causes that read alike as one entry, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from posixpath import dirname

from msgspec import Struct

from portaudit.report.outcome import plea, ways
from portaudit.types import (
    OPERATOR,
    SEVERITIES,
    UNGUARDED,
    Finding,
    GuardState,
    Location,
    Report,
    RootCause,
    Score,
    Severity,
)


class Cause(Struct, frozen=True):
    """Root causes of the same rule, severity and title: many literals, one paragraph.

    The operators of a folder are one as well: an extension has many, and what stands beside it
    would be far below them.

    `sites` are distinct and in order, but for the place of `example`, the finding that makes the
    case best, which is first; those off the main training path are apart as `others`; `points` and
    `effort_days` are sums. `aside`: the main training path does not reach it · `settings`: what it
    waits for, all of it switched off on that path · `fix`: what to do, where that is not what the
    rule says.
    """

    rule: str
    title: str
    severity: Severity
    roots: tuple[RootCause, ...]
    sites: tuple[Location, ...]
    effort_days: tuple[float, float]
    points: float
    example: Finding | None
    aside: bool = False
    settings: tuple[str, ...] = ()
    fix: str = ""
    others: tuple[Location, ...] = ()


class _Known(Struct, frozen=True):
    """Of a report: findings by fingerprint, points by root cause, guards on the way by file."""

    findings: Mapping[str, Finding]
    points: Mapping[str, float]
    on_way: Mapping[str, GuardState]

    def members(self, roots: Iterable[RootCause]) -> list[Finding]:
        """The findings of root causes."""
        keys = (key for root in roots for key in root.findings)
        return [self.findings[key] for key in keys if key in self.findings]

    def best(self, findings: Iterable[Finding]) -> Finding | None:
        """The finding that makes the case best."""
        return min(findings, key=lambda each: plea(each, self.on_way), default=None)


def is_aside(root: RootCause, score: Score) -> bool:
    """Whether the main training path is known not to reach a root cause."""
    return not score.provisional and root.reach not in {"main", None}


def is_needed(root: RootCause, score: Score) -> bool:
    """Whether the main path has to have it repaired, as far as anybody can tell."""
    return not root.setting and not is_aside(root, score)


def causes(report: Report) -> list[Cause]:
    """What the main path needs first, blockers first; then by points, then by places."""
    known = _Known(
        {finding.fingerprint: finding for finding in report.findings},
        {lost.root: lost.points for lost in report.score.lost},
        ways(report),
    )
    groups: dict[tuple[bool, bool, tuple[str, ...]], list[RootCause]] = {}
    for root in report.roots:
        aside = is_aside(root, report.score)
        key = aside, not aside and bool(root.setting), _alike(root, known)
        groups.setdefault(key, []).append(root)
    found = [_cause(group, known, aside=aside) for (aside, *_), group in groups.items()]
    return sorted(
        found,
        key=lambda cause: (
            cause.aside,
            bool(cause.settings),
            -SEVERITIES.index(cause.severity),
            -cause.points,
            -len(cause.sites),
            cause.rule,
            cause.title,
        ),
    )


def _alike(root: RootCause, known: _Known) -> tuple[str, ...]:
    """What root causes of one entry have in common."""
    if root.id.startswith(OPERATOR):
        members = known.members([root])
        needed = [item for item in members if item.reach == "main" and item.guard in UNGUARDED]
        is_there = bool(needed) and all(item.portable for item in needed)
        return OPERATOR, _folder(root, known), "portable" if is_there else ""
    return root.severity, root.rule, root.title


def _folder(root: RootCause, known: _Known) -> str:
    """Where the kernels of an operator are; of copies, the first that the path needs."""
    kernels = known.members([root])
    kernels = [item for item in kernels if item.rule == root.rule] or kernels
    first = known.best(kernels)
    return dirname(first.path if first else root.id.removeprefix(OPERATOR))


def _title(roots: list[RootCause], known: _Known) -> str:
    first = roots[0]
    if len(roots) == 1 or not first.id.startswith(OPERATOR):
        return first.title
    return f"{len(roots)} operators of GPU kernels in `{_folder(first, known) or '.'}`"


def _cause(
    roots: list[RootCause],
    known: _Known,
    *,
    aside: bool,
) -> Cause:
    low, high = (sum(root.effort_days[end] for root in roots) for end in (0, 1))
    members = known.members(roots)
    example = known.best(members)
    sites = {site for root in roots for site in root.sites}
    others = frozenset() if aside else _off_path(members)
    return Cause(
        rule=roots[0].rule,
        title=_title(roots, known),
        severity=max((root.severity for root in roots), key=SEVERITIES.index),
        roots=tuple(roots),
        sites=_from(example, sites - others),
        effort_days=(low, high),
        points=sum(known.points.get(root.id, 0.0) for root in roots),
        example=example,
        aside=aside,
        settings=() if aside else tuple(sorted({root.setting for root in roots if root.setting})),
        fix=roots[0].fix,
        others=tuple(sorted(sites & others)),
    )


def _from(example: Finding | None, sites: Iterable[Location]) -> tuple[Location, ...]:
    """Places in order, that of the example first."""
    first = Location(example.path, example.span.line) if example else None
    return tuple(sorted(sites, key=lambda site: (site != first, site)))


def _off_path(members: list[Finding]) -> frozenset[Location]:
    """Lines with findings that the main path does not reach."""
    needed, others = (
        {
            Location(item.path, item.span.line)
            for item in members
            if (item.reach in {"main", None}) is on_path
        }
        for on_path in (True, False)
    )
    return frozenset(others - needed)
