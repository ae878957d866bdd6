"""Accepts findings that a comment or a setting speaks for, and says which comments do nothing.

A finding is never dropped: what accepts it is written into `Finding.suppressed`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from portaudit.errors import UsageError
from portaudit.types import Directive, Finding, Notice, Suppression

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

Named = Callable[[str], frozenset[str]]
"""The ids of the rules that a word names. Raises `UsageError` for a word that names none."""


class FileIgnores(Struct, frozen=True):
    """Rules whose findings are accepted in some files, and the setting that says so."""

    paths: GitIgnoreSpec
    rules: frozenset[str]
    by: Suppression

    def accepts(self, finding: Finding) -> bool:
        """Whether the setting speaks of a finding."""
        return finding.rule in self.rules and self.paths.match_file(finding.path)


class _Said(Struct):
    """What one directive accepts: the rules of each of its words, and the words that were used."""

    directive: Directive
    words: dict[str, frozenset[str]]
    used: set[str]


def apply(
    findings: Iterable[Finding],
    directives: Iterable[Directive],
    named: Named,
    ran: Collection[str],
    ignores: Sequence[FileIgnores] = (),
    partial: Collection[str] = (),
) -> tuple[tuple[Finding, ...], tuple[Notice, ...]]:
    """The findings with what accepts them, and what is wrong with the directives.

    `ran`: ids of the rules that were run: a word that names others may have been needed by those ·
    `partial`: files that were not wholly read, of which nobody knows what is unused.
    """
    said: dict[str, list[_Said]] = defaultdict(list)
    notices: list[Notice] = []
    for directive in directives:
        words, wrong = _resolved(directive, named)
        notices += wrong
        if directive.reason and words:
            said[directive.path].append(_Said(directive, words, set()))
    judged = tuple(_judged(item, said.get(item.path, ()), ignores) for item in findings)
    for path, entries in said.items():
        if path not in partial:
            notices += (notice for entry in entries for notice in _unused(entry, ran))
    return judged, tuple(sorted(notices, key=lambda item: (item.path, item.line, item.message)))


def _resolved(
    directive: Directive, named: Named
) -> tuple[dict[str, frozenset[str]], Sequence[Notice]]:
    """The rules of each word of a directive, and what keeps it from accepting anything."""
    place = directive.path, directive.line
    if directive.problem:
        return {}, [Notice("malformed-suppression", *place, directive.problem)]
    words: dict[str, frozenset[str]] = {}
    wrong: list[Notice] = []
    for word in directive.words:
        try:
            words[word] = named(word)
        except UsageError as error:  # noqa: PERF203 - there are few words
            wrong.append(Notice("unknown-rule", *place, str(error)))
    if not directive.reason:
        listed = ", ".join(directive.words)
        told = f"`ignore[{listed}]` accepts nothing as long as no reason stands behind it"
        wrong.append(Notice("suppression-without-reason", *place, told))
    return words, wrong


def _judged(finding: Finding, said: Sequence[_Said], ignores: Sequence[FileIgnores]) -> Finding:
    by: Suppression | None = None
    for entry in said:
        words = [word for word, rules in entry.words.items() if finding.rule in rules]
        if words and _speaks_of(entry.directive, finding):
            entry.used.update(words)
            directive = entry.directive
            by = by or Suppression(directive.reason, directive.path, directive.line)
    if by is None:
        by = next((each.by for each in ignores if each.accepts(finding)), None)
    return finding if by is None else replace(finding, suppressed=by)


def _speaks_of(directive: Directive, finding: Finding) -> bool:
    first, last = finding.lines if finding.lines[0] else (finding.span.line, finding.span.line)
    return not directive.lines or any(first <= line <= last for line in directive.lines)


def _unused(entry: _Said, ran: Collection[str]) -> Iterator[Notice]:
    """What of a directive may go, as far as everything was run that it could be for."""
    idle = [
        word
        for word, rules in entry.words.items()
        if word not in entry.used and all(rule in ran for rule in rules)
    ]
    if not idle:
        return
    directive = entry.directive
    listed = ", ".join(f"`{word}`" for word in idle)
    whole = len(idle) == len(directive.words)
    told = f"nothing to accept here for {listed}; remove {'the comment' if whole else 'it'}"
    yield Notice("unused-suppression", directive.path, directive.line, told)
