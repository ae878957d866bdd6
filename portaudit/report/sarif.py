"""Reporter: SARIF 2.1.0, for code scanning, editors and everything else that reads it.

Every place stays in the document with what a baseline or a comment says of it, so that a viewer
can hide what is accepted without taking it for repaired. GitHub's code scanning reads neither and
would open an alert for each: `live_only` gives what belongs there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from urllib.parse import quote

from portaudit.report.json import encode
from portaudit.report.linehash import line_hashes
from portaudit.report.outcome import count, failing, gravest, live, place, urgent, whole
from portaudit.types import (
    Confidence,
    Entry,
    Finding,
    Location,
    Notice,
    Report,
    RuleSummary,
    ScanError,
    Severity,
    Span,
    State,
    Suppression,
    Target,
)

Json = dict[str, object]
Source = Callable[[str], bytes | None]
"""The content of a file of the report, by its path, where it can be had."""

MOST_RESULTS = 5_000
"""GitHub shows no more of a document, and does not say which."""
_FLOWS, _LINKS = 10, 3
"""Uses of a value that get a code flow, and those that the message names."""
_ROOT = "%SRCROOT%"
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVEL: dict[Severity, str] = {
    "info": "note",
    "minor": "warning",
    "major": "error",
    "blocker": "error",
}
_PROBLEM: dict[str, str] = {"note": "recommendation", "warning": "warning", "error": "error"}
_BASELINE: dict[State, str] = {
    "new": "new",
    "unchanged": "unchanged",
    "updated": "updated",
    "newly-covered": "unchanged",  # the code is old; `properties.state` says that the rule is not
}
_CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")
_NOTIFICATIONS = {
    "unreadable": "A file, or a part of one, could not be read.",
    "unused-suppression": "A comment accepts findings where there are none.",
    "suppression-without-reason": "A comment accepts findings and does not say why.",
    "unknown-rule": "A comment names a rule that does not exist.",
    "malformed-suppression": "A comment that is to accept findings cannot be understood.",
    "submodule-moved": "The change moves a submodule, whose files are not compared.",
    "baseline-outdated": "The baseline was made by other rules than these.",
    "baseline-gone": "The baseline accepts findings that are no longer there.",
    "baseline-expired": "The baseline accepts findings until a date that is past.",
    "results-cut": "There are more results than a document may hold.",
}
_SPECIAL = re.compile(r"[\\\[\]]")
"""What means something in a message that has links."""


def render(
    report: Report,
    *,
    source: Source = lambda _path: None,
    prefix: str = "",
    live_only: bool = False,
) -> str:
    """The report as a SARIF document. Where `source` has a file, its results get line hashes.

    `prefix` leads from the repository's root to the report's, and ends in a slash or is empty.
    """
    chosen, left_out = _choose(report, live_only=live_only)
    ids = sorted(report.rules)
    hashes = _hashes(chosen, source)
    gone = report.gate.gone if report.gate and not live_only else ()
    gone = gone[: MOST_RESULTS - len(chosen)]
    results = [
        _result(report, finding, ids.index(finding.rule), hashes.get(_location(finding)), prefix)
        for finding in chosen
    ]
    results += [_absent(entry, ids, prefix) for entry in gone]
    run: Json = {
        "tool": {
            "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "rules": [_rule(report, rule_id) for rule_id in ids],
                "notifications": [
                    {"id": name, "shortDescription": {"text": text}}
                    for name, text in _NOTIFICATIONS.items()
                ],
                "properties": {"catalogue": report.tool.catalogue},
            }
        },
        "invocations": [_invocation(report, prefix, left_out)],
        "automationDetails": {"id": f"portaudit/{report.target}/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": _summary(report),
    }
    return encode({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _choose(report: Report, *, live_only: bool) -> tuple[list[Finding], int]:
    """The findings that the document holds, in the order of the code, and how many it does not."""
    fails = {finding.fingerprint for finding in failing(report)}
    shown = live(report)
    known = {finding.fingerprint for finding in shown}
    others = [] if live_only else [f for f in report.findings if f.fingerprint not in known]
    ordered = sorted(shown, key=lambda finding: finding.fingerprint not in fails) + urgent(others)
    kept = sorted(ordered[:MOST_RESULTS], key=place)
    return kept, len(ordered) - len(kept)


def _hashes(findings: Sequence[Finding], source: Source) -> dict[Location, str]:
    """The line hash of each place whose file can be had; the findings stand in their order."""
    found: dict[Location, str] = {}
    for path, group in groupby(findings, key=lambda finding: finding.path):
        content = source(path)
        if content is not None:
            hashes = line_hashes(content, {finding.span.line for finding in group})
            found |= {Location(path, line): text for line, text in hashes.items()}
    return found


def _location(finding: Finding) -> Location:
    return Location(finding.path, finding.span.line)


# --- a result -------------------------------------------------------------------------------------


def _result(
    report: Report, finding: Finding, index: int, line_hash: str | None, prefix: str
) -> Json:
    prints = {"portaudit/v1": finding.fingerprint}
    if line_hash is not None:
        prints["primaryLocationLineHash"] = line_hash
    related = _related(finding, prefix)
    result: Json = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVEL[finding.effective_severity],
        "message": {"text": _message(finding)},
        "locations": [_where(finding, prefix)],
        "partialFingerprints": prints,
        "properties": _properties(finding),
    }
    if related:
        result["relatedLocations"] = related
    if finding.uses:
        result["codeFlows"] = _flows(finding, prefix)
    if report.gate is not None:
        result["baselineState"] = _baseline_state(report, finding)
    suppressions = _suppressions(report, finding, prefix)
    if suppressions:
        result["suppressions"] = suppressions
    return result


def _message(finding: Finding) -> str:
    """What it is and what to write instead, with links to what it has to do with."""
    text = _sentence(finding.message or finding.rule)
    if finding.facts.replacement:
        text += f" Use `{finding.facts.replacement}`."
    text = _literal(text, linked=bool(finding.uses) or finding.guard_by is not None)
    uses = finding.uses[:_LINKS]
    if uses:
        links = ", ".join(
            f"[{_link_text(use.path, use.line)}]({number})" for number, use in enumerate(uses, 1)
        )
        more = len(finding.uses) - len(uses)
        text += f" The value is used at {links}"
        text += f" and {count(more, 'more place')}." if more else "."
    if finding.guard_by is not None:
        number = min(len(finding.uses), _FLOWS) + 1
        proof = finding.guard_by
        text += f" Guarded ({finding.guard}) by [{_link_text(proof.path, proof.line)}]({number})."
    return text


def _link_text(path: str, line: int) -> str:
    return _SPECIAL.sub(r"\\\g<0>", f"{' '.join(path.split())}:{line}")


def _literal(text: str, *, linked: bool = False) -> str:
    """Text in which nothing is taken for a link: it stays as it is where nothing could be."""
    return _SPECIAL.sub(r"\\\g<0>", text) if linked or "](" in text else text


def _sentence(text: str) -> str:
    text = text.rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _where(finding: Finding, prefix: str) -> Json:
    physical: Json = {"artifactLocation": _artifact(finding.path, prefix)}
    span = finding.span
    region = _region(span)
    physical["region"] = region
    lines = finding.snippet.split("\n")
    if finding.snippet and finding.cell is None and len(lines) == span.end_line - span.line + 1:
        physical["contextRegion"] = {
            "startLine": region["startLine"],
            "endLine": region["endLine"],
            "snippet": {"text": finding.snippet},
        }
    found: Json = {"physicalLocation": physical}
    if finding.scope and finding.cell is None:
        found["logicalLocations"] = [{"fullyQualifiedName": finding.scope}]
    return found


def _region(span: Span) -> Json:
    """Lines and columns from 1 on, the end column after the last character."""
    line, column = max(1, span.line), max(1, span.column)
    end_line = max(line, span.end_line)
    least = column if end_line == line else 1
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": max(least, span.end_column),
    }


def _artifact(path: str, prefix: str) -> Json:
    whole = prefix + path
    try:
        # Bytes of a name that are no UTF-8 are escaped as the bytes that they are.
        encoded = whole.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = whole.encode("utf-8", "replace")
    return {"uri": quote(encoded, safe="/"), "uriBaseId": _ROOT}


def _line(path: str, line: int, prefix: str) -> Json:
    return {
        "artifactLocation": _artifact(path, prefix),
        "region": {"startLine": max(1, line)},
    }


def _related(finding: Finding, prefix: str) -> list[Json]:
    """Where the value is used, and the line that proves the guard; the message links to them."""
    found: list[Json] = [
        {
            "id": number,
            "physicalLocation": _line(use.path, use.line, prefix),
            "message": {"text": _arrives(use.into)},
        }
        for number, use in enumerate(finding.uses[:_FLOWS], start=1)
    ]
    if finding.guard_by is not None:
        proof = finding.guard_by
        found.append(
            {
                "id": len(found) + 1,
                "physicalLocation": _line(proof.path, proof.line, prefix),
                "message": {"text": f"Guarded by: {proof.text}"},
            }
        )
    return found


def _flows(finding: Finding, prefix: str) -> list[Json]:
    """A flow for each use of a value, from the literal to where it arrives."""
    origin = {**_where(finding, prefix), "message": {"text": "The value is spelled here."}}
    return [
        {
            "threadFlows": [
                {
                    "locations": [
                        {"location": origin},
                        {
                            "location": {
                                "physicalLocation": _line(use.path, use.line, prefix),
                                "message": {"text": _arrives(use.into)},
                            }
                        },
                    ]
                }
            ]
        }
        for use in finding.uses[:_FLOWS]
    ]


def _arrives(into: str) -> str:
    return f"The value arrives here, in {into}." if into else "The value arrives here."


def _baseline_state(report: Report, finding: Finding) -> str:
    fails = report.gate is not None and finding.fingerprint in report.gate.failing
    return _BASELINE[finding.state] if finding.state else "new" if fails else "unchanged"


def _suppressions(report: Report, finding: Finding, prefix: str) -> list[Json]:
    found = [_suppression(finding, finding.suppressed, prefix)] if finding.suppressed else []
    fails = report.gate is not None and finding.fingerprint in report.gate.failing
    if finding.accepted is not None and finding.state == "unchanged" and not fails:
        found.append(
            {
                "kind": "external",
                "status": "accepted",
                "justification": _justification(finding.accepted),
            }
        )
    return found


def _suppression(finding: Finding, suppression: Suppression, prefix: str) -> Json:
    """A comment stands in the file of its finding; a setting in another, or says what it is."""
    if suppression.path != finding.path or suppression.reason.startswith("per-file-ignores in "):
        return {"kind": "external", "status": "accepted", "justification": suppression.reason}
    return {
        "kind": "inSource",
        "status": "accepted",
        "justification": suppression.reason,
        "location": {"physicalLocation": _line(suppression.path, suppression.line, prefix)},
    }


def _justification(entry: Entry) -> str:
    parts = [entry.reason or "accepted in the baseline"]
    parts += [f"owner: {entry.owner}"] if entry.owner else []
    parts += [f"until {entry.expires}"] if entry.expires else []
    return "; ".join(parts)


def _properties(finding: Finding) -> Json:
    found: Json = {
        "anchor": finding.anchor,
        "category": finding.category,
        "confidence": finding.confidence,
        "effort": finding.effort,
        "guard": finding.guard,
        "root": finding.root,
        "severity": finding.severity,
        "status": finding.facts.status,
    }
    optional = {"cell": finding.cell, "reach": finding.reach, "state": finding.state}
    return found | {key: value for key, value in optional.items() if value is not None}


def _absent(entry: Entry, ids: Sequence[str], prefix: str) -> Json:
    """What the baseline accepts and nothing is left of."""
    scope = f" in {entry.scope}" if entry.scope else ""
    text = _literal(f"No longer there: `{entry.anchor}`{scope}.")
    result: Json = {
        "ruleId": entry.rule,
        "level": _LEVEL[entry.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(entry.path, prefix)}}],
        "occurrenceCount": max(1, entry.count),
        "baselineState": "absent",
    }
    return result | ({"ruleIndex": ids.index(entry.rule)} if entry.rule in ids else {})


# --- a rule ---------------------------------------------------------------------------------------


def _rule(report: Report, rule_id: str) -> Json:
    rule = report.rules[rule_id]
    own = [finding for finding in report.findings if finding.rule == rule_id]
    sure = {finding.confidence for finding in own}
    level = _LEVEL[gravest(own)]
    description = _description(rule, report.target)
    found: Json = {
        "id": rule_id,
        "name": rule.name or rule_id,
        "shortDescription": {"text": _sentence(rule.title or rule_id)[:1024]},
        "fullDescription": {"text": description[:1024]},
        "help": _help(rule, description),
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": ["portability", rule.category, report.target],
            "precision": next((each for each in _CONFIDENCES if each in sure), "medium"),
            "problem.severity": _PROBLEM[level],
        },
    }
    facts = rule.targets.get(report.target)
    sources = [link.url for link in rule.references] + ([facts.source] if facts else [])
    address = next((each for each in sources if each.startswith(("https://", "http://"))), None)
    return found | ({"helpUri": quote(whole(address), safe=_URI)} if address else {})


_URI = ":/?#[]@!$&'()*+,;=%~-._"
"""What an address may hold as it is."""


def _description(rule: RuleSummary, target: Target) -> str:
    facts = rule.targets.get(target)
    text = _sentence(rule.title or rule.name)
    if facts is None:
        return text
    evidence = facts.evidence.replace("_", " ")
    text += f" On {target}: {facts.status} ({evidence}, SDK {facts.sdk}, checked {facts.checked})"
    return _sentence(f"{text}; {facts.note}" if facts.note else text)


def _help(rule: RuleSummary, description: str) -> Json:
    advice = rule.fix.strip()
    links = [*rule.references]
    text = "\n\n".join(filter(None, (description, advice, *(link.url for link in links))))
    lines = "\n".join(f"- [{link.title}]({link.url})" for link in links)
    return {
        "text": text,
        "markdown": "\n\n".join(filter(None, (description, advice, lines))),
    }


# --- the run --------------------------------------------------------------------------------------


def _invocation(report: Report, prefix: str, left_out: int) -> Json:
    execution = [_failure(error, prefix) for error in report.errors]
    if left_out:
        text = (
            f"{count(left_out, 'result')} left out: {MOST_RESULTS:,} is all that is shown. What "
            "fails the gate comes first, then what is graver."
        )
        execution.append(_notification("results-cut", text))
    configuration = [_notice(notice, prefix) for notice in report.notices]
    gate = report.gate
    if gate is not None and gate.outdated:
        text = "The baseline was made by other rules: `portaudit baseline update` renews it."
        configuration.append(_notification("baseline-outdated", text, level="note"))
    if gate is not None and gate.gone:
        gone = sum(entry.count for entry in gate.gone)
        text = f"{count(gone, 'accepted finding')} gone: `portaudit baseline prune` forgets them."
        configuration.append(_notification("baseline-gone", text, level="note"))
    if gate is not None and gate.expired:
        text = f"{count(len(gate.expired), 'entry', 'entries')} of the baseline expired."
        configuration.append(_notification("baseline-expired", text))
    found: Json = {"executionSuccessful": True}
    if execution:
        found["toolExecutionNotifications"] = execution
    if configuration:
        found["toolConfigurationNotifications"] = configuration
    return found


def _notification(name: str, text: str, level: str = "warning") -> Json:
    return {"descriptor": {"id": name}, "level": level, "message": {"text": text}}


def _failure(error: ScanError, prefix: str) -> Json:
    return _notification("unreadable", error.reason) | _at(error, prefix)


def _notice(notice: Notice, prefix: str) -> Json:
    return _notification(notice.kind, notice.message) | _at(notice, prefix)


def _at(problem: Notice | ScanError, prefix: str) -> Json:
    """The file that a notification is about, with the line if it is about one."""
    where: Json = {"artifactLocation": _artifact(problem.path, prefix)}
    if problem.line:
        where = _line(problem.path, problem.line, prefix)
    return {"locations": [{"physicalLocation": where}]}


def _summary(report: Report) -> Json:
    found: Json = {
        "target": report.target,
        "score": report.score.value,
        "verdict": report.score.verdict,
        "partial": report.partial,
    }
    if report.gate is not None:
        found |= {"gate": "passed" if report.gate.passed else "failed"}
        found |= {"against": report.gate.against}
    return found
