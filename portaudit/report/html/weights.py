"""How much of the score each file costs: the points of a root cause, shared out to its places."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from portaudit.types import Finding, Report


def points(report: Report) -> Mapping[str, float]:
    """Points lost by file. A root cause costs each of its places on the path the same."""
    findings = {finding.fingerprint: finding for finding in report.findings}
    roots = {root.id: root for root in report.roots}
    found: dict[str, float] = defaultdict(float)
    for lost in report.score.lost:
        root = roots.get(lost.root)
        if root is None:
            continue
        members = [findings[key] for key in root.findings if key in findings]
        places = Counter(item.path for item in members if counts(item))
        places = places or Counter(site.path for site in root.sites)
        total = sum(places.values())
        for path, number in places.items():
            found[path] += lost.points * number / total
    return found


def counts(finding: Finding) -> bool:
    """Whether the main path comes to a finding, as far as is known, and nobody accepted it."""
    return finding.reach in {"main", None} and finding.suppressed is None
