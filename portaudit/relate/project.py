"""Joins the files: uses of foreign literals, root causes. Findings change only in their `uses`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from portaudit import score
from portaudit.catalogue.schema import Rule
from portaudit.types import (
    SEVERITIES,
    FileResult,
    Finding,
    ForeignUse,
    Location,
    RootCause,
    Use,
)


def with_foreign_uses(results: Sequence[FileResult]) -> tuple[Finding, ...]:
    """All findings in order, literals with the uses that other files make of them."""
    uses: dict[tuple[str, int, int], list[Use]] = defaultdict(list)
    for result in results:
        for item in result.foreign_uses:
            uses[_key(item)].append(item.use)
    found: list[Finding] = []
    for result in results:
        for finding in result.findings:
            extra = uses.get((finding.path, finding.span.line, finding.span.column), ())
            merged = sorted({*finding.uses, *extra}, key=lambda use: (use.path, use.line, use.into))
            found.append(replace(finding, uses=tuple(merged)) if extra else finding)
    return tuple(sorted(found, key=lambda item: (item.path, item.span, item.rule)))


def _key(item: ForeignUse) -> tuple[str, int, int]:
    return item.path, item.line, item.column


def roots(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> tuple[RootCause, ...]:
    """Findings grouped by what one change repairs, dearest first."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.root].append(finding)
    found = [_root(name, group, rules[group[0].rule]) for name, group in groups.items()]
    return tuple(
        sorted(
            found,
            key=lambda root: (
                -SEVERITIES.index(root.severity),
                -root.effort_days[1],
                -len(root.sites),
                root.id,
            ),
        )
    )


def _root(name: str, group: Sequence[Finding], rule: Rule) -> RootCause:
    worst = max(group, key=lambda item: SEVERITIES.index(item.effective_severity))
    return RootCause(
        id=name,
        rule=rule.id,
        title=title(rule, group),
        category=rule.category,
        severity=worst.effective_severity,
        effort_days=score.effort(group),
        findings=tuple(item.fingerprint for item in group),
        sites=tuple(Location(item.path, item.span.line) for item in group),
    )


def title(rule: Rule, group: Sequence[Finding]) -> str:
    """The message when all findings say the same, otherwise the rule's name in words."""
    messages = {item.message for item in group}
    return messages.pop() if len(messages) == 1 else rule.name.replace("-", " ")
