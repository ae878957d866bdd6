"""Joins the files: uses of foreign literals, root causes. Findings change only in their `uses`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from portaudit import score
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule
from portaudit.relate.causes import (
    first_reach,
    fix_of_imports,
    grouped,
    lightened,
    made_lazy,
    title_of,
)
from portaudit.score import Piece, Way
from portaudit.types import (
    SEVERITIES,
    FileResult,
    Finding,
    ForeignUse,
    Kernel,
    Location,
    RootCause,
    Severity,
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


def roots(
    findings: Iterable[Finding],
    catalogue: Catalogue,
    way: Way | None = None,
    kernels: Iterable[Kernel] = (),
) -> tuple[RootCause, ...]:
    """Findings grouped by what one change repairs: what the way needs first, then dearest first."""
    way = way or Way()
    ways_around = {each.fingerprint: each.fallback for each in kernels if each.fallback}
    found = [
        _root(name, group, catalogue, way, ways_around) for name, group in by_root(findings).items()
    ]
    return tuple(
        sorted(
            found,
            key=lambda root: (
                root.reach not in {"main", None},
                bool(root.setting),
                -SEVERITIES.index(root.severity),
                -root.effort_days[1],
                -len(root.sites),
                root.id,
            ),
        )
    )


def by_root(findings: Iterable[Finding]) -> Mapping[str, Sequence[Finding]]:
    """Findings by the root cause that they belong to, as they are weighed."""
    return grouped(lightened(findings))


def weighable(findings: Iterable[Finding], way: Way) -> list[Finding]:
    """The findings that a way leads to, as they are weighed there."""
    groups = by_root(findings).values()
    on_way = ([item for item in group if way.counts(item)] for group in groups)
    return [item for group in on_way for item in made_lazy(group, way)]


class Weighed(Struct, frozen=True):
    """What a root cause is on a way.

    `severity`: how grave it is, `worst`: the finding that says so · `setting`: what all of its code
    waits for.
    """

    piece: Piece
    severity: Severity
    worst: Finding
    setting: str


def weighed(name: str, counted: Sequence[Finding], way: Way) -> Weighed:
    """Weigh findings that a way leads to, all of one root cause."""
    counted = made_lazy(counted, way)
    code = [item for item in counted if item.category != "dependency"]
    lines = [item for item in counted if item.category == "dependency"]
    waits = {way.setting(item) for item in code or lines}
    severities = [(way.severity(item), item) for item in (*code, *lines)]
    severity, worst = max(severities, key=lambda found: SEVERITIES.index(found[0]))
    weight = max((way.weight(item) for item in counted), key=SEVERITIES.index)
    piece = Piece(name, weight, score.effort(counted, way))
    return Weighed(piece, severity, worst, ", ".join(sorted(waits)) if all(waits) else "")


def _root(
    name: str,
    group: Sequence[Finding],
    catalogue: Catalogue,
    way: Way,
    ways_around: Mapping[str, Location],
) -> RootCause:
    """What counts of a group decides; a group of which nothing counts is shown as it is."""
    counted = [item for item in group if way.counts(item)] or group
    known = way if way.counts(counted[0]) else Way(assumptions=way.assumptions)
    found = weighed(name, counted, known)
    rule = catalogue.rules[found.worst.rule]
    fix = fix_of_imports(counted, known)
    named = title_of(name, group, catalogue.packages) or title(rule, group)
    return RootCause(
        id=name,
        rule=rule.id,
        title=f"{named}, imported only" if fix else named,
        category=rule.category,
        severity=found.severity,
        effort_days=found.piece.effort_days,
        findings=tuple(item.fingerprint for item in group),
        sites=tuple(Location(item.path, item.span.line) for item in group),
        reach=first_reach({item.reach for item in group}),
        setting=found.setting,
        portable=_portable(counted, ways_around),
        fix=fix,
    )


def _portable(
    findings: Iterable[Finding], ways_around: Mapping[str, Location]
) -> tuple[Location, ...]:
    """Where the tree does without: places that have another way beside them, a kernel's other."""
    branches = (
        Location(item.path, item.span.line) for item in findings if item.guard == "fallback"
    )
    others = (ways_around[item.fingerprint] for item in findings if item.fingerprint in ways_around)
    told = (item.portable for item in findings if item.portable)
    return tuple(sorted({*branches, *others, *told}))


def title(rule: Rule, group: Sequence[Finding]) -> str:
    """The message when all findings say the same, otherwise the rule's name in words."""
    messages = {item.message for item in group}
    return messages.pop() if len(messages) == 1 else rule.name.replace("-", " ")
