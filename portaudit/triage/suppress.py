"""Accepts findings that a comment or a setting speaks for, and says which comments do nothing.

A finding is never dropped: what accepts it is written into `Finding.suppressed`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
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


class _OfFile:
    """The directives of one file, by what they speak of: there may be as many as findings."""

    def __init__(self) -> None:
        self.said: list[_Said] = []
        self._by_line: list[tuple[int, int]] = []
        self._whole: list[int] = []
        self._accepted: dict[tuple[str, int, int], Suppression | None] = {}
        self._of_whole: dict[str, int | None] = {}

    def add(self, said: _Said) -> None:
        """Learn of a directive; all before the first finding."""
        place = len(self.said)
        self.said.append(said)
        if said.directive.lines:
            for line in said.directive.lines:
                insort(self._by_line, (line, place))
        else:
            self._whole.append(place)

    def accepts(self, finding: Finding) -> Suppression | None:
        """The first directive that accepts a finding; all that do are used."""
        lines = finding.lines if finding.lines[0] else (finding.span.line, finding.span.line)
        key = finding.rule, *lines
        if key not in self._accepted:
            self._accepted[key] = self._first(*key)
        return self._accepted[key]

    def _first(self, rule: str, first: int, last: int) -> Suppression | None:
        if rule not in self._of_whole:
            self._of_whole[rule] = self._used(rule, self._whole)
        begin = bisect_left(self._by_line, (first, -1))
        end = bisect_left(self._by_line, (last + 1, -1))
        near = {place for _, place in self._by_line[begin:end]}
        places = (self._of_whole[rule], self._used(rule, sorted(near)))
        found = min((place for place in places if place is not None), default=None)
        if found is None:
            return None
        directive = self.said[found].directive
        return Suppression(directive.reason, directive.path, directive.line)

    def _used(self, rule: str, places: Iterable[int]) -> int | None:
        """The first of some directives that names a rule; all that do are used."""
        found: int | None = None
        for place in places:
            entry = self.said[place]
            words = [word for word, rules in entry.words.items() if rule in rules]
            entry.used.update(words)
            found = place if words and found is None else found
        return found


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
    said: dict[str, _OfFile] = defaultdict(_OfFile)
    notices: list[Notice] = []
    for directive in directives:
        words, wrong = _resolved(directive, named)
        notices += wrong
        if directive.reason and words:
            said[directive.path].add(_Said(directive, words, set()))
    judged = tuple(_judged(item, said.get(item.path), ignores) for item in findings)
    for path, entries in said.items():
        if path not in partial:
            notices += (notice for entry in entries.said for notice in _unused(entry, ran))
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


def _judged(finding: Finding, said: _OfFile | None, ignores: Sequence[FileIgnores]) -> Finding:
    by = said.accepts(finding) if said else None
    if by is None:
        by = next((each.by for each in ignores if each.accepts(finding)), None)
    return finding if by is None else replace(finding, suppressed=by)


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
