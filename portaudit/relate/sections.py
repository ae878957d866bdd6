"""Report sections: the findings of a topic, whatever their category, and what to check with them.

A section is there only where a finding of the code shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from portaudit.catalogue.topics import Advice, topics
from portaudit.types import Check, Finding, RootCause, Section, Target


def sections(
    findings: Sequence[Finding], roots: Sequence[RootCause], target: Target
) -> tuple[Section, ...]:
    """The sections that findings show, in the order of the topics."""
    subjects = {word for finding in findings for word in (finding.rule, finding.category)}
    found: list[Section] = []
    for topic in topics():
        members = tuple(item.fingerprint for item in findings if topic.id in item.topics)
        if members:
            inside = set(members)
            found.append(
                Section(
                    topic.id,
                    topic.title,
                    topic.meaning,
                    members,
                    tuple(root.id for root in roots if not inside.isdisjoint(root.findings)),
                    _checks(topic.check, subjects, target),
                )
            )
    return tuple(found)


def _checks(advice: Sequence[Advice], subjects: set[str], target: Target) -> tuple[Check, ...]:
    """What applies to a target, and to a report in which these rules and categories speak."""
    return tuple(
        Check(each.text, fact.source, fact.evidence, fact.sdk, fact.checked.isoformat())
        for each in advice
        if (fact := each.target.get(target)) and (not each.when or subjects & set(each.when))
    )
