"""What reports for people share: root causes that read alike as one entry, the gravest first."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname

from msgspec import Struct

from portaudit.types import (
    OPERATOR,
    SEVERITIES,
    UNGUARDED,
    Finding,
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

    `sites` are distinct and in order, those off the main training path apart as `others`; `points`
    and `effort_days` are sums. `example` is the finding that makes the case best. `aside`: the main
    training path does not reach it · `settings`: what it waits for, all of it switched off on that
    path · `fix`: what to do, where that is not what the rule says.
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


def is_aside(root: RootCause, score: Score) -> bool:
    """Whether the main training path is known not to reach a root cause."""
    return not score.provisional and root.reach not in {"main", None}


def is_needed(root: RootCause, score: Score) -> bool:
    """Whether the main path has to have it repaired, as far as anybody can tell."""
    return not root.setting and not is_aside(root, score)


def causes(report: Report) -> list[Cause]:
    """What the main path needs first, blockers first; then by points, then by places."""
    findings = {finding.fingerprint: finding for finding in report.findings}
    groups: dict[tuple[bool, bool, tuple[str, ...]], list[RootCause]] = {}
    for root in report.roots:
        aside = is_aside(root, report.score)
        key = aside, not aside and bool(root.setting), _alike(root, findings)
        groups.setdefault(key, []).append(root)
    points = {lost.root: lost.points for lost in report.score.lost}
    found = [_cause(group, findings, points, aside=aside) for (aside, *_), group in groups.items()]
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


def _alike(root: RootCause, findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """What root causes of one entry have in common."""
    if root.id.startswith(OPERATOR):
        members = [findings[key] for key in root.findings if key in findings]
        needed = [item for item in members if item.reach == "main" and item.guard in UNGUARDED]
        is_there = bool(needed) and all(item.portable for item in needed)
        return OPERATOR, _folder(root, findings), "portable" if is_there else ""
    return root.severity, root.rule, root.title


def _folder(root: RootCause, findings: Mapping[str, Finding]) -> str:
    """Where the kernels of an operator are; of copies, the first that the path needs."""
    kernels = [findings[key] for key in root.findings if key in findings]
    kernels = [item for item in kernels if item.rule == root.rule] or kernels
    first = min(kernels, key=_plea, default=None)
    return dirname(first.path if first else root.id.removeprefix(OPERATOR))


def _title(roots: list[RootCause], findings: Mapping[str, Finding]) -> str:
    first = roots[0]
    if len(roots) == 1 or not first.id.startswith(OPERATOR):
        return first.title
    return f"{len(roots)} operators of GPU kernels in `{_folder(first, findings) or '.'}`"


def _cause(
    roots: list[RootCause],
    findings: dict[str, Finding],
    points: dict[str, float],
    *,
    aside: bool,
) -> Cause:
    low, high = (sum(root.effort_days[end] for root in roots) for end in (0, 1))
    members = [findings[key] for root in roots for key in root.findings if key in findings]
    sites = {site for root in roots for site in root.sites}
    others = frozenset() if aside else _off_path(members)
    return Cause(
        rule=roots[0].rule,
        title=_title(roots, findings),
        severity=max((root.severity for root in roots), key=SEVERITIES.index),
        roots=tuple(roots),
        sites=tuple(sorted(sites - others)),
        effort_days=(low, high),
        points=sum(points.get(root.id, 0.0) for root in roots),
        example=min(members, key=_plea, default=None),
        aside=aside,
        settings=() if aside else tuple(sorted({root.setting for root in roots if root.setting})),
        fix=roots[0].fix,
        others=tuple(sorted(sites & others)),
    )


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


def _plea(finding: Finding) -> tuple[object, ...]:
    """How well a finding makes the case: on the path, the gravest, sure, earliest is the least."""
    return (
        finding.suppressed is not None,
        finding.reach not in {"main", None},
        -SEVERITIES.index(finding.effective_severity),
        finding.guard not in UNGUARDED,
        finding.confidence != "high",
        finding.path,
        finding.span,
    )
