"""How many findings a report holds: of a file that has more, the gravest.

The rest is said as an error of that file, so that the report is partial, nothing in the file counts
as gone, and no gate passes by it: code that nobody is to see could be hidden among much else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from portaudit.types import SEVERITIES, FileResult, Finding, ScanError


def of_file(result: FileResult, most: int) -> FileResult:
    """A result with so many findings at most. One that has lost some is not kept for later runs.

    Those would have to know how many they may hold.
    """
    if len(result.findings) <= most:
        return result
    return replace(_cut(result, most, "file-findings"), failed=True)


def of_run(results: Sequence[FileResult], most: int) -> list[FileResult]:
    """Results with so many findings in all at most, one of each file at least.

    Each file may have as many as any other, so that one with very many costs only itself some.
    """
    each = _share([len(result.findings) for result in results], most)
    return [
        _cut(result, each, "findings") if len(result.findings) > each else result
        for result in results
    ]


def _share(numbers: Iterable[int], most: int) -> int:
    """How many each may have for all to have so many at most; 1 at least."""
    waiting = sorted(numbers, reverse=True)
    if sum(waiting) <= most:
        return waiting[0] if waiting else 1
    left = most
    while waiting and waiting[-1] * len(waiting) <= left:
        left -= waiting.pop()
    return max(1, left // max(1, len(waiting)))


def _cut(result: FileResult, most: int, key: str) -> FileResult:
    """A result with its gravest findings, in the order that they had, and an error for the rest."""
    gravest = sorted(result.findings, key=_mildness)[:most]
    kept = {finding.fingerprint for finding in gravest}
    before = sum(error.surplus for error in result.errors)
    surplus = len(result.findings) - most + before
    reason = f"{surplus:,} findings are left out: it has more than {most:,} (`{key}`)"
    error = ScanError(result.path, reason, surplus=surplus)
    return replace(
        result,
        findings=tuple(finding for finding in result.findings if finding.fingerprint in kept),
        errors=(*(each for each in result.errors if not each.surplus), error),
    )


def _mildness(finding: Finding) -> tuple[int, int]:
    return -SEVERITIES.index(finding.effective_severity), -SEVERITIES.index(finding.severity)
