"""Reporter: GitLab's Code Quality report, which merge requests show beside the change.

GitLab compares it with the target branch's by fingerprint. So it holds accepted places too: were
they left out, accepting one would look like repairing it.
"""

from __future__ import annotations

from collections import Counter

from portaudit.report.json import encode
from portaudit.report.outcome import place, remedy
from portaudit.types import Finding, Report

_LONGEST = 1_000


def render(report: Report, *, prefix: str = "") -> str:
    """A list of issues. `prefix` leads from the repository's root to the report's."""
    seen: Counter[str] = Counter()
    issues = []
    for finding in sorted(report.findings, key=place):
        if finding.suppressed is None:
            seen[finding.fingerprint] += 1
            issues.append(_issue(report, finding, seen[finding.fingerprint], prefix))
    return encode(issues)


def _issue(report: Report, finding: Finding, nth: int, prefix: str) -> dict[str, object]:
    first = max(1, finding.span.line)
    again = f":{nth}" if nth > 1 else ""
    instead = remedy(report, finding)
    text = finding.message or finding.rule
    return {
        "type": "issue",
        "description": (f"{text}: instead, {instead}" if instead else text)[:_LONGEST],
        "check_name": finding.rule,
        "categories": ["Compatibility"],
        "fingerprint": finding.fingerprint + again,
        "severity": finding.effective_severity,
        "location": {
            "path": prefix + finding.path,
            "lines": {"begin": first, "end": max(first, finding.span.end_line)},
        },
    }
