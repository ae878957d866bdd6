"""The gate: which findings make a run fail. Must not change or drop a finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from portaudit.ignores import spec
from portaudit.types import (
    CONFIDENCES,
    SEVERITIES,
    Confidence,
    Finding,
    ScanError,
    Severity,
    State,
)

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_OLD: frozenset[State | None] = frozenset({"unchanged", "newly-covered"})
"""States of code that was there before."""


class Override(Struct, frozen=True):
    """Another threshold for some paths (all when empty) and some rules (all when `None`).

    What is `None` stays as it was; `off` lets everything pass.
    """

    paths: GitIgnoreSpec | None = None
    rules: frozenset[str] | None = None
    fail_on: Severity | None = None
    min_confidence: Confidence | None = None
    off: bool = False

    def speaks_of(self, finding: Finding) -> bool:
        """Whether a finding is among those that this is about."""
        return (self.rules is None or finding.rule in self.rules) and (
            self.paths is None or self.paths.match_file(finding.path)
        )


class Policy(Struct, frozen=True):
    """From when on a finding fails a run: `fail_on` by effective severity, `None` never.

    `zones`: directories that are allowed to be CUDA-specific. Of the overrides that speak of a
    finding the last one decides.
    """

    fail_on: Severity | None = "minor"
    min_confidence: Confidence = "medium"
    zones: GitIgnoreSpec | None = None
    overrides: Sequence[Override] = ()

    def forbids(self, finding: Finding) -> bool:
        """Whether a finding of new code makes a run fail."""
        if finding.suppressed is not None or (self.zones and self.zones.match_file(finding.path)):
            return False
        fail_on, least = self.fail_on, self.min_confidence
        for override in self.overrides:
            if override.speaks_of(finding):
                fail_on = None if override.off else override.fail_on or fail_on
                least = override.min_confidence or least
        return (
            fail_on is not None
            and SEVERITIES.index(finding.effective_severity) >= SEVERITIES.index(fail_on)
            and CONFIDENCES.index(finding.confidence) >= CONFIDENCES.index(least)
        )

    def guards(self, path: str) -> bool:
        """Whether anything in a file could make a run fail."""
        if self.zones and self.zones.match_file(path):
            return False
        is_guarded = self.fail_on is not None
        for override in self.overrides:
            if override.paths is None or override.paths.match_file(path):
                if override.off:
                    # Of some rules only: those of others may still make it fail.
                    is_guarded = is_guarded and override.rules is not None
                elif override.fail_on is not None:
                    is_guarded = True
        return is_guarded


def failing(findings: Iterable[Finding], policy: Policy) -> list[Finding]:
    """The findings, of those not known from before, that the policy forbids."""
    return [item for item in findings if item.state not in _OLD and policy.forbids(item)]


def unjudged(errors: Iterable[ScanError], policy: Policy) -> tuple[str, ...]:
    """The files with findings that were left out, where the policy might forbid one."""
    paths = {error.path for error in errors if error.surplus}
    return tuple(sorted(path for path in paths if policy.guards(path)))


def patterns(globs: Sequence[str]) -> GitIgnoreSpec | None:
    """Paths by patterns as in a .gitignore at the root; `None` for no pattern."""
    if not globs:
        return None
    return spec(globs)
