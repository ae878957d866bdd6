"""Identity of findings: stable under moves, edits of other lines, aliases and reformatting.

Not in it: line, column, message, severity, guard, arguments, tool version.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from portaudit.types import Finding

VERSION = "pa1"


def fingerprint(rule: str, path: str, scope: str, anchor: str, occurrence: int) -> str:
    """The identity of the `occurrence`-th (from 0) equal finding of a scope."""
    text = "\x1f".join((rule, path, scope, anchor, str(occurrence)))
    return f"{VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def identify(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give every finding of a file its fingerprint; equals are numbered in source order."""
    seen: Counter[tuple[str, str, str, str]] = Counter()
    found: list[Finding] = []
    for item in sorted(findings, key=lambda finding: (finding.path, finding.span, finding.rule)):
        key = (item.rule, item.path, item.scope, item.anchor)
        found.append(replace(item, fingerprint=fingerprint(*key, seen[key])))
        seen[key] += 1
    return tuple(found)


def context(statement: str) -> str:
    """A hash of a statement without its white space: a tie-breaker, no identity."""
    return hashlib.sha256(" ".join(statement.split()).encode()).hexdigest()[:16]
