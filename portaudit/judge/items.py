"""From the hits of a document to findings: severity, words, what one change repairs."""

from __future__ import annotations

from collections.abc import Sequence

from portaudit import fingerprint
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule
from portaudit.judge.severity import effective, intrinsic
from portaudit.judge.words import fill, published
from portaudit.match.items import ItemHit
from portaudit.types import Finding, Target


def judge_items(
    hits: Sequence[ItemHit],
    catalogue: Catalogue,
    target: Target,
    path: str,
    lines: Sequence[str],
) -> list[Finding]:
    """Judge the hits of one file, whose text is `lines`. The findings have no identity yet."""
    found = (_finding(hit, catalogue, target, path, lines) for hit in hits)
    return [finding for finding in found if finding is not None]


def _finding(
    hit: ItemHit,
    catalogue: Catalogue,
    target: Target,
    path: str,
    lines: Sequence[str],
) -> Finding | None:
    rule, match = catalogue.rules[hit.selector.rule], catalogue.match_of(hit.selector)
    row, item = hit.selector.row, hit.item
    fact = catalogue.facts(rule.id, row, target)
    severity = intrinsic(rule, fact, row.severity if row else None)
    if severity is None:
        return None
    lowered = effective(severity, item.guard, rule.when_guarded)
    if lowered is None:
        return None
    snippet = lines[hit.span.line - 1].rstrip()[:400]
    words = fact.message or match.message or rule.message
    return Finding(
        rule=rule.id,
        category=rule.category,
        severity=severity,
        effective_severity=lowered,
        confidence=hit.confidence,
        path=path,
        span=hit.span,
        message=fill(words, hit.anchor, hit.value, row),
        anchor=hit.anchor,
        scope=item.scope,
        snippet=snippet,
        guard=item.guard,
        guard_by=item.guard_by,
        facts=published(fact, match.replacement),
        effort="trivial"
        if "lock" in item.forms  # a lock file follows from the manifest, whose line is the work
        else fact.effort or (row.effort if row and row.effort else rule.effort),
        root=_root(rule, hit, path),
        context=fingerprint.context(snippet),
        uses=hit.uses,
        fix=fill(fact.fix, hit.anchor, hit.value, row),
        topics=catalogue.topics(hit.selector),
    )


def _root(rule: Rule, hit: ItemHit, path: str) -> str:
    """What one change would repair: a kernel, a package, or what a rule is about everywhere."""
    if hit.item.kind == "kernel":
        return f"{rule.id}:{path}:{hit.anchor}"
    if hit.item.kind in {"dependency", "source", "include"}:
        return f"{rule.id}:{hit.anchor}"
    return rule.id
