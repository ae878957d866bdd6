"""From hits to findings: guard, severity, words, identity. The last step inside one file."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec.structs import replace

from portaudit import fingerprint
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule, WhenGuarded
from portaudit.judge.brought import Brought
from portaudit.judge.guards import Guard, Judge, Subject
from portaudit.judge.severity import effective, intrinsic
from portaudit.judge.words import fill, published
from portaudit.match.hits import Hit, Note, lowest, unnoted
from portaudit.match.strings import around_device, bindings_of
from portaudit.read.python.model import import_statement, imports_if_there, imports_or_skips
from portaudit.read.python.values import Reader
from portaudit.types import GUARD_STATES, SEVERITIES, Category, Finding, Target


def judge(
    judgment: Judge,
    catalogue: Catalogue,
    target: Target,
    hits: Sequence[Hit],
    note: Note = unnoted,
) -> list[Finding]:
    """Judge the hits of the file that `judgment` is about, for one target. No identity yet."""
    reader = judgment.flags.reader
    merged = _without_merged_checks(reader, catalogue, hits, note)
    libraries = [hit for hit in merged if catalogue.rules[hit.selector.rule].category in _BROUGHT]
    brought = Brought(reader, libraries)

    def told_of(hit: Hit, finding: Finding) -> Finding:
        if not hit.is_import or finding.category not in _BROUGHT:
            return finding
        return replace(finding, brings=brought.names(hit, guarded=finding.guard != "none"))

    own = [hit for hit in merged if not hit.follows]
    found = [
        told_of(hit, finding)
        for hit in own
        if (finding := _finding(reader, catalogue, target, judgment, hit, note)) is not None
    ]
    imports: dict[tuple[cst.CSTNode, str], tuple[tuple[int, int, bool], Finding]] = {}
    for hit in merged:
        finding = _finding(reader, catalogue, target, judgment, hit, note) if hit.follows else None
        if finding is None:
            continue
        below = f"{finding.anchor}."
        uses = [use for use in found if f"{use.anchor}.".startswith(below)]
        if not uses and _is_called(reader, hit.anchor):
            # The file only calls it in a way that is no obstacle.
            note("harmless", hit.selector, hit.node, hit.anchor, None)
            continue
        told = _like_its_uses(finding, uses, catalogue.rules[finding.rule].when_guarded)
        if told is None:
            note("guarded", hit.selector, hit.node, hit.anchor, uses[0].guard_by)
            continue
        key = (import_statement(hit.key, hit.place) or hit.key, told.category)
        order = (*_weakest(told), not uses)
        if key not in imports or order < imports[key][0]:
            imports[key] = order, told
    return [*found, *(told for _, told in imports.values())]


def _weakest(finding: Finding) -> tuple[int, int]:
    """Of the names on one import line, the least guarded one and then the gravest is shown."""
    return GUARD_STATES.index(finding.guard), -SEVERITIES.index(finding.severity)


def _is_called(reader: Reader, name: str) -> bool:
    return name in reader.called_names


def _like_its_uses(
    finding: Finding, uses: Sequence[Finding], when_guarded: WhenGuarded
) -> Finding | None:
    """The import of a name, which by itself runs anywhere, judged as the least guarded use."""
    if finding.guard != "none" or not uses:
        return finding
    least = min(uses, key=lambda use: (GUARD_STATES.index(use.guard), not use.is_switch))
    lowered = effective(finding.severity, least.guard, when_guarded)
    if lowered is None:
        return None
    return replace(
        finding,
        guard=least.guard,
        guard_by=least.guard_by,
        is_switch=least.is_switch,
        effective_severity=lowered,
        confidence=lowest([finding.confidence, least.confidence]),
        root=least.root,
    )


def _without_merged_checks(
    reader: Reader, catalogue: Catalogue, hits: Sequence[Hit], note: Note
) -> list[Hit]:
    """`"cuda" if is_available() else "cpu"` is one finding, at the literal."""
    chosen: set[cst.CSTNode] = set()
    for hit in hits:
        parent = around_device(reader, hit.node)
        if catalogue.match_of(hit.selector).kind == "string":
            while isinstance(parent, (cst.IfExp, cst.BooleanOperation)):
                chosen.add(parent)
                parent = reader.model.parents.get(parent)
    if not chosen:
        return list(hits)
    kept = []
    for hit in hits:
        if catalogue.rules[hit.selector.rule].check and _tested_in(reader, hit.node, chosen):
            note("merged", hit.selector, hit.node, hit.anchor, None)
        else:
            kept.append(hit)
    return kept


def _tested_in(reader: Reader, node: cst.CSTNode, chosen: set[cst.CSTNode]) -> bool:
    child: cst.CSTNode = node
    parent = reader.model.parents.get(child)
    while isinstance(parent, (cst.BaseExpression, cst.Arg, cst.ComparisonTarget)):
        if parent in chosen and (not isinstance(parent, cst.IfExp) or parent.test is child):
            return True
        child, parent = parent, reader.model.parents.get(parent)
    return False


def _finding(
    reader: Reader, catalogue: Catalogue, target: Target, judgment: Judge, hit: Hit, note: Note
) -> Finding | None:
    rule = catalogue.rules[hit.selector.rule]
    match = catalogue.match_of(hit.selector)
    row = hit.selector.row
    fact = catalogue.facts(rule.id, row, target)
    severity = intrinsic(rule, fact, row.severity if row else None)
    if severity is None or match.leave_out:
        note("supported", hit.selector, hit.node, hit.anchor, None)
        return None
    if judgment.silent(hit.place):
        note("silent", hit.selector, hit.node, hit.anchor, judgment.silence(hit.place))
        return None
    if _is_complaint(reader, hit):
        note("complaint", hit.selector, hit.node, hit.anchor, None)
        return None
    library = rule.library
    guard = _guard(reader, judgment, hit, library, check=rule.check, string=match.kind == "string")
    if match.kind == "string" and _is_comparison(reader, hit.node) and guard.state != "hard-fail":
        # A comparison is a guard, unless the code stops where it does not hold.
        note("compared", hit.selector, hit.node, hit.anchor, None)
        return None
    lowered = effective(severity, guard.state, rule.when_guarded)
    if lowered is None:
        note("guarded", hit.selector, hit.node, hit.anchor, guard.by)
        return None
    span = reader.spot(hit.node)
    words = fact.message or match.message or rule.message
    return Finding(
        rule=rule.id,
        category=rule.category,
        severity=severity,
        effective_severity=lowered,
        confidence=hit.confidence,
        path=reader.source.path,
        span=span,
        message=fill(words, hit.anchor, hit.value, row),
        anchor=hit.anchor,
        scope=_scope(reader, hit),
        snippet=reader.line(span.line).rstrip()[:400],
        guard=guard.state,
        guard_by=guard.by,
        facts=published(fact, match.replacement),
        effort=fact.effort or (row.effort if row and row.effort else rule.effort),
        root=_root(rule, hit, reader.source.path),
        context=fingerprint.context(_statement(reader, hit)),
        uses=tuple(hit.uses),
        fix=fill(fact.fix, hit.anchor, hit.value, row),
        topics=catalogue.topics(hit.selector),
        is_switch=guard.is_switch,
    )


def _scope(reader: Reader, hit: Hit) -> str:
    """The namespace that a hit belongs to: what a class derives from is needed as the class is."""
    statement = hit.place.statement
    if isinstance(statement, cst.ClassDef) and statement in reader.model.scopes:
        node: cst.CSTNode | None = hit.node
        while node is not None and node is not statement:
            if isinstance(node, cst.Arg) and node in statement.bases:
                return reader.model.scopes[statement].qualname
            node = reader.model.parents.get(node)
    return hit.place.scope.qualname


def _guard(
    reader: Reader, judgment: Judge, hit: Hit, library: str, *, check: bool, string: bool
) -> Guard:
    if hit.guard is not None:
        return hit.guard
    if check or _is_class_test(reader, hit.node):
        return judgment.check(hit.node, hit.place)
    if string and _is_comparison(reader, hit.node):
        return judgment.check(hit.node, hit.place)
    guard = judgment.guard(hit.place, Subject(library, hit.anchor, hit.is_import))
    if guard.state == "none" and isinstance(hit.key, cst.Call):
        if imports_if_there(hit.key) or imports_or_skips(hit.key):
            return Guard("import-guarded", reader.proof(hit.key))
    stored = isinstance(hit.node, (cst.Name, cst.Attribute)) and isinstance(
        reader.model.parents.get(hit.node), (cst.Assign, cst.AnnAssign)
    )
    if (string or stored) and guard.state in {"none", "guarded"}:
        binding, others = bindings_of(reader, hit)
        if binding is not None:
            return judgment.replaced(binding, others, guard)
    if guard.state == "none" and not hit.is_import:
        return _either_or(reader, judgment, hit, library) or guard
    return guard


def _either_or(reader: Reader, judgment: Judge, hit: Hit, library: str) -> Guard | None:
    """The guard of a name that is the library's where there is one, and another's elsewhere."""
    node = hit.key
    while isinstance(node, (cst.Attribute, cst.Call)):
        node = node.value if isinstance(node, cst.Attribute) else node.func
    if not isinstance(node, cst.Name):
        return None
    bindings = reader.bindings(node)
    for binding in bindings:
        export = reader.externals.get(binding.target)
        if export is not None and export.otherwise is not None:
            return Guard("fallback", export.otherwise)
    return judgment.either_or(bindings, Subject(library, hit.anchor, is_import=True))


def _is_comparison(reader: Reader, node: cst.CSTNode) -> bool:
    parent = around_device(reader, node)
    while isinstance(parent, (cst.Element, cst.Tuple, cst.List, cst.Set)):
        parent = reader.model.parents.get(parent)
    return isinstance(parent, (cst.Comparison, cst.ComparisonTarget))


def _is_complaint(reader: Reader, hit: Hit) -> bool:
    """Whether a place is part of what a `raise` says."""
    node: cst.CSTNode | None = hit.node
    while node is not None and not isinstance(node, cst.Raise):
        node = reader.model.parents.get(node)
    return node is not None


def _is_class_test(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a name stands in the second argument of `isinstance`."""
    parent = reader.model.parents.get(node)
    while isinstance(parent, (cst.Tuple, cst.Element, cst.BinaryOperation)):
        parent = reader.model.parents.get(parent)
    call = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    return (
        isinstance(call, cst.Call)
        and isinstance(call.func, cst.Name)
        and call.func.value == "isinstance"
        and call.args[-1] is parent
    )


def _root(rule: Rule, hit: Hit, path: str) -> str:
    """What one change would repair, as far as one file can tell: relating may join further."""
    if hit.owner:
        return f"{rule.id}:{path}:{hit.owner}"
    if rule.category in _OWN_WORK:
        return f"{rule.id}:{path}:{hit.place.scope.qualname}"
    if rule.library or (hit.selector.row is not None and rule.category in _LIBRARIES):
        return f"{rule.id}:{hit.anchor.split('.')[0]}"
    return rule.id


_OWN_WORK: frozenset[Category] = frozenset({"custom-cuda-ext", "cuda-source", "triton-kernel"})
"""Each place is a piece of work of its own: a kernel, an extension."""
_LIBRARIES: frozenset[Category] = frozenset(
    {"fused-kernel-lib", "quantization", "inference-engine"}
)
"""Each package is a piece of work of its own, whatever rule speaks of it."""
_BROUGHT: frozenset[Category] = _OWN_WORK | _LIBRARIES
"""What is of no use where nothing calls what was imported."""


def _statement(reader: Reader, hit: Hit) -> str:
    """The text of the statement, or of the header of a compound one."""
    node = hit.place.statement
    if isinstance(node, cst.SimpleStatementLine):
        return reader.positions.code(node, node)
    return reader.line(reader.spot(hit.node).line)
