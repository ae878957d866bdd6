"""What reports for people share: root causes that read alike as one entry, the gravest first."""

from __future__ import annotations

from msgspec import Struct

from portaudit.types import SEVERITIES, Finding, Location, Report, RootCause, Severity


class Cause(Struct, frozen=True):
    """Root causes of the same rule, severity and title: many literals, one paragraph.

    `sites` are distinct and in order; `points` and `effort_days` are sums. `example` is the
    finding that makes the case best.
    """

    rule: str
    title: str
    severity: Severity
    roots: tuple[RootCause, ...]
    sites: tuple[Location, ...]
    effort_days: tuple[float, float]
    points: float
    example: Finding | None


def causes(report: Report) -> list[Cause]:
    """Blockers first; among equals what costs the most points, then the most places."""
    groups: dict[tuple[Severity, str, str], list[RootCause]] = {}
    for root in report.roots:
        groups.setdefault((root.severity, root.rule, root.title), []).append(root)
    findings = {finding.fingerprint: finding for finding in report.findings}
    points = {lost.root: lost.points for lost in report.score.lost}
    found = [_cause(group, findings, points) for group in groups.values()]
    return sorted(
        found,
        key=lambda cause: (
            -SEVERITIES.index(cause.severity),
            -cause.points,
            -len(cause.sites),
            cause.rule,
            cause.title,
        ),
    )


def _cause(roots: list[RootCause], findings: dict[str, Finding], points: dict[str, float]) -> Cause:
    low, high = (sum(root.effort_days[end] for root in roots) for end in (0, 1))
    members = [findings[key] for root in roots for key in root.findings if key in findings]
    return Cause(
        rule=roots[0].rule,
        title=roots[0].title,
        severity=roots[0].severity,
        roots=tuple(roots),
        sites=tuple(sorted({site for root in roots for site in root.sites})),
        effort_days=(low, high),
        points=sum(points.get(root.id, 0.0) for root in roots),
        example=min(members, key=_plea, default=None),
    )


def _plea(finding: Finding) -> tuple[object, ...]:
    """How well a finding makes the case: the gravest, unguarded, certain, earliest is the least."""
    return (
        finding.suppressed is not None,
        -SEVERITIES.index(finding.effective_severity),
        finding.guard not in {"none", "hard-fail"},
        finding.confidence != "high",
        finding.path,
        finding.span,
    )
