"""The published shapes of what is written as JSON, which other tools read, and their JSON Schemas.

They differ from `types` only where a reader of JSON wants it flat. A key is never renamed or
removed within the number of a schema (`portaudit.report/1`); new ones may come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from portaudit.types import (
    Category,
    Chain,
    Condition,
    Confidence,
    Coverage,
    Difference,
    Effort,
    Entry,
    Explanation,
    Finding,
    Gate,
    GuardState,
    Kernel,
    Location,
    Notice,
    Passed,
    Proof,
    Reach,
    Report,
    RootCause,
    RuleSummary,
    ScanError,
    Score,
    Section,
    Severity,
    Skipped,
    State,
    Step,
    Suppression,
    Target,
    TargetFacts,
    Tool,
    Topic,
    Use,
)


class PublishedFinding(msgspec.Struct, frozen=True):
    """A finding, its span as four numbers: 1-based, columns in code points, the end exclusive."""

    rule: str
    category: Category
    severity: Severity
    effective_severity: Severity
    confidence: Confidence
    effort: Effort
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    lines: tuple[int, int]
    cell: str | None
    message: str
    fix: str
    anchor: str
    scope: str
    snippet: str
    guard: GuardState
    guard_by: Proof | None
    reach: Reach | None
    root: str
    uses: tuple[Use, ...]
    facts: TargetFacts
    fingerprint: str
    context: str
    state: State | None
    accepted: Entry | None
    suppressed: Suppression | None
    topics: tuple[Topic, ...]
    portable: Location | None


class PublishedReport(msgspec.Struct, frozen=True):
    """A report of one target. Stable order, no clock, no absolute path."""

    schema: str
    tool: Tool
    target: Target
    partial: bool
    score: Score
    rules: dict[str, RuleSummary]
    findings: tuple[PublishedFinding, ...]
    roots: tuple[RootCause, ...]
    inventory: tuple[Kernel, ...]
    sections: tuple[Section, ...]
    errors: tuple[ScanError, ...]
    skipped: tuple[Skipped, ...]
    coverage: Coverage
    notices: tuple[Notice, ...]
    gate: Gate | None
    chains: tuple[Chain, ...]


class PublishedReason(msgspec.Struct, frozen=True):
    """Why a finding is there."""

    finding: PublishedFinding
    matched: str
    steps: tuple[Step, ...]
    conditions: tuple[Condition, ...]
    chain: Chain | None
    way: tuple[Step, ...]
    root: RootCause | None
    points: float
    number: int
    accept: str


class PublishedExplanation(msgspec.Struct, frozen=True):
    """What there is to know of one line."""

    schema: str
    tool: Tool
    target: Target
    path: str
    line: int
    column: int | None
    text: str
    reasons: tuple[PublishedReason, ...]
    passed: tuple[Passed, ...]
    names: tuple[Step, ...]
    uses: tuple[Location, ...]
    guards: tuple[Location, ...]
    notes: tuple[str, ...]
    near: tuple[int, ...]
    rules: dict[str, RuleSummary]


class PublishedDifference(msgspec.Struct, frozen=True):
    """What one revision of a tree, or one report, has that another had not."""

    schema: str
    tool: Tool
    target: Target
    partial: bool
    old: str
    new: str
    score_old: Score
    score_new: Score
    appeared: tuple[PublishedFinding, ...]
    gone: tuple[PublishedFinding, ...]
    graver: tuple[PublishedFinding, ...]
    milder: tuple[PublishedFinding, ...]
    moved: tuple[tuple[str, str, int], ...]
    unchanged: int
    roots_appeared: tuple[RootCause, ...]
    roots_gone: tuple[RootCause, ...]
    rules: dict[str, RuleSummary]


DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {
    "report": PublishedReport,
    "explanation": PublishedExplanation,
    "difference": PublishedDifference,
}
"""The documents that are written as JSON, by the names of their schemas; each has a page too."""


def publish_explanation(explained: Explanation) -> PublishedExplanation:
    """Flatten the findings of an explanation."""
    reasons = tuple(
        PublishedReason(
            finding=published(each.finding),
            matched=each.matched,
            steps=each.steps,
            conditions=each.conditions,
            chain=each.chain,
            way=each.way,
            root=each.root,
            points=each.points,
            number=each.number,
            accept=each.accept,
        )
        for each in explained.reasons
    )
    return PublishedExplanation(
        schema=explained.schema,
        tool=explained.tool,
        target=explained.target,
        path=explained.path,
        line=explained.line,
        column=explained.column,
        text=explained.text,
        reasons=reasons,
        passed=explained.passed,
        names=explained.names,
        uses=explained.uses,
        guards=explained.guards,
        notes=explained.notes,
        near=explained.near,
        rules=explained.rules,
    )


def publish_difference(told: Difference) -> PublishedDifference:
    """Flatten the findings of a difference."""
    return PublishedDifference(
        schema=told.schema,
        tool=told.tool,
        target=told.target,
        partial=told.partial,
        old=told.old,
        new=told.new,
        score_old=told.score_old,
        score_new=told.score_new,
        appeared=tuple(map(published, told.appeared)),
        gone=tuple(map(published, told.gone)),
        graver=tuple(map(published, told.graver)),
        milder=tuple(map(published, told.milder)),
        moved=told.moved,
        unchanged=told.unchanged,
        roots_appeared=told.roots_appeared,
        roots_gone=told.roots_gone,
        rules=told.rules,
    )


def publish(report: Report) -> PublishedReport:
    """Flatten a report and put its findings and rules in order."""
    return PublishedReport(
        schema=report.schema,
        tool=report.tool,
        target=report.target,
        partial=report.partial,
        score=report.score,
        rules=dict(sorted(report.rules.items())),
        findings=tuple(published(finding) for finding in sorted(report.findings, key=_order)),
        roots=report.roots,
        inventory=report.inventory,
        sections=report.sections,
        errors=report.errors,
        skipped=report.skipped,
        coverage=report.coverage,
        notices=report.notices,
        gate=report.gate,
        chains=report.chains,
    )


def json_schema(name: str) -> str:
    """The JSON Schema (2020-12) of a document, as text that ends in a newline."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"portaudit.{name}/1",
        "$ref": f"#/$defs/{DOCUMENTS[name].__name__}",
        "$defs": definitions(name),
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def definitions(name: str) -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the types of a document, itself first, with a text for every key."""
    from portaudit.report.meanings import MEANINGS  # noqa: PLC0415 - no report needs the words

    made: dict[str, dict[str, Any]] = msgspec.json.schema(DOCUMENTS[name])["$defs"]
    for title, definition in made.items():
        for key, value in definition["properties"].items():
            value["description"] = MEANINGS[title][key]
    return made


def _order(finding: Finding) -> tuple[object, ...]:
    return finding.path, finding.span, finding.rule, finding.anchor, finding.fingerprint


def published(finding: Finding) -> PublishedFinding:
    """A finding as JSON has it."""
    return PublishedFinding(
        rule=finding.rule,
        category=finding.category,
        severity=finding.severity,
        effective_severity=finding.effective_severity,
        confidence=finding.confidence,
        effort=finding.effort,
        path=finding.path,
        line=finding.span.line,
        column=finding.span.column,
        end_line=finding.span.end_line,
        end_column=finding.span.end_column,
        lines=finding.lines,
        cell=finding.cell,
        message=finding.message,
        fix=finding.fix,
        anchor=finding.anchor,
        scope=finding.scope,
        snippet=finding.snippet,
        guard=finding.guard,
        guard_by=finding.guard_by,
        reach=finding.reach,
        root=finding.root,
        uses=finding.uses,
        facts=finding.facts,
        fingerprint=finding.fingerprint,
        context=finding.context,
        state=finding.state,
        accepted=finding.accepted,
        suppressed=finding.suppressed,
        topics=finding.topics,
        portable=finding.portable,
    )
