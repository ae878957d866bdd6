"""The gate: which findings make a run fail. Must not change or drop a finding."""

from __future__ import annotations

from portaudit.types import SEVERITIES, Finding, Report, Severity


def failing(report: Report, severity: Severity) -> list[Finding]:
    """The findings of effective severity `severity` or worse that nobody accepted."""
    threshold = SEVERITIES.index(severity)
    return [
        finding
        for finding in report.findings
        if finding.suppressed is None and SEVERITIES.index(finding.effective_severity) >= threshold
    ]
