"""Which findings are old: accepted entries are found again although code around them changed.

Matching goes in stages, each over what the ones before left, as multisets: equal in everything,
then in another scope, then with another statement, then the same statement told by another name
(an import stands for what is used of it), then in a file that was renamed. Numbers of equal
findings are no part of it, so that taking one away does not rename the others. Where a change is
known, those of equals that it did not write come first in every stage.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.types import SEVERITIES, Entry, Finding

Key = Callable[[Entry], Hashable]


class Matched(Struct, frozen=True):
    """Findings, each with the entry that accepts it, and the entries that are left over."""

    pairs: tuple[tuple[Finding, Entry | None], ...]
    left: tuple[Entry, ...]


def entry_of(finding: Finding) -> Entry:
    """What a baseline keeps of a finding."""
    return Entry(
        _plain(finding.path),
        finding.rule,
        _plain(finding.scope),
        _plain(finding.anchor),
        finding.context,
        finding.effective_severity,
    )


def match(
    findings: Sequence[Finding],
    entries: Iterable[Entry],
    *,
    there: Callable[[str], bool],
    renamed: Mapping[str, str] | None = None,
    touched: Callable[[Finding], bool] | None = None,
) -> Matched:
    """Find an entry for every finding that was there before.

    `there` says whether a path still exists: an entry of one that does not may be found in another
    file. `renamed` (old path to new) is what is known of that already. `touched` says whether a
    change wrote any line of a statement; it is asked only where one of several is new. What a
    comment suppresses takes no entry that another finding needs, unless it was not touched.
    """
    left = [each for entry in entries for each in _split(entry)]
    moves = renamed or {}
    here = [replace(each, path=moves.get(each.path, each.path)) for each in left]
    mine = [entry_of(finding) for finding in findings]
    hidden = {index for index, finding in enumerate(findings) if finding.suppressed is not None}
    renamed_from = {index for index, each in enumerate(left) if each.path != here[index].path}
    gone = {index for index in renamed_from if not there(left[index].path)}
    table = _matched(_Table(mine, list(here)), hidden, there, gone)
    if touched is not None and (unsure := _unsure(table)):
        still = frozenset(index for index in unsure if not touched(findings[index]))
        table = _matched(_Table(mine, here, still), hidden - still, there, gone)
    kept = Counter(left[index] for index in table.free(range(len(left))))
    return Matched(
        tuple(
            (finding, left[table.found[index]] if index in table.found else None)
            for index, finding in enumerate(findings)
        ),
        tuple(sorted(replace(entry, count=count) for entry, count in kept.items())),
    )


def is_graver(finding: Finding, entry: Entry) -> bool:
    """Whether a finding is worse than what was accepted: a guard was taken away, say."""
    return SEVERITIES.index(finding.effective_severity) > SEVERITIES.index(entry.severity)


def _split(entry: Entry) -> list[Entry]:
    return [replace(entry, count=1)] * entry.count


class _Table(Struct, frozen=True):
    """Findings and entries, by number.

    `mine`: findings as a baseline keeps them · `here`: entries, under the names that their files
    have now · `still`: findings that come before their equals · `found`: what a finding got.
    """

    mine: Sequence[Entry]
    here: list[Entry]
    still: Collection[int] = frozenset()
    found: dict[int, int] = field(default_factory=dict)

    def open(self, findings: Iterable[int]) -> list[int]:
        """Those that have no entry."""
        return [index for index in findings if index not in self.found]

    def free(self, entries: Iterable[int]) -> list[int]:
        """Those that no finding has."""
        taken = set(self.found.values())
        return [index for index in entries if index not in taken]


def _matched(
    table: _Table, hidden: Collection[int], there: Callable[[str], bool], gone: Collection[int]
) -> _Table:
    """Fill a table; what is `hidden` comes after all others.

    `gone`: entries whose file is, and which are said to be in another. Where a file was split they
    may be in a third.
    """
    mine, here = table.mine, table.here
    known = {each.path for each in here}
    findings, entries = range(len(mine)), range(len(here))
    for turn in ([index for index in findings if index not in hidden], sorted(hidden)):
        for key in _STAGES:
            _pair(table, key, turn, entries)
        free = table.free(entries)
        lost = [index for index in free if index in gone or not there(here[index].path)]
        # What became of a file that is gone: a file that nothing was known of.
        fresh = [index for index in table.open(turn) if mine[index].path not in known]
        if lost and fresh:
            guessed = _moves(mine, here, fresh, lost)
            for index in lost:
                path = here[index].path
                here[index] = replace(here[index], path=guessed.get(path, path))
            for key in (*_STAGES, _without_path):
                _pair(table, key, fresh, lost)
    return table


def _unsure(table: _Table) -> list[int]:
    """Findings of a rule in a file where some have an entry and others have none."""
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, each in enumerate(table.mine):
        alike[each.path, each.rule].append(index)
    return [
        index
        for indexes in alike.values()
        if 0 < len(table.open(indexes)) < len(indexes)
        for index in indexes
    ]


def _pair(table: _Table, key: Key, findings: Iterable[int], entries: Iterable[int]) -> None:
    """Give findings that have none an entry of the same key.

    Those that still stand as they did first; of them those of the same severity first, then the
    gravest to the gravest: a guarded use does not take the entry of one that is not.
    """
    still = [index for index in findings if index in table.still]
    rest = [index for index in findings if index not in table.still]
    for equals, graded in ((still, True), (still, False), (rest, True), (rest, False)):
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        open_ = sorted(table.open(equals), key=lambda at: (-_grade(table.mine[at]), at))
        free = table.free(entries) if open_ else []
        for index in sorted(free, key=lambda at: (_grade(table.here[at]), -at)):
            waiting[_graded(key, table.here[index], graded=graded)].append(index)
        for index in open_:
            fitting = waiting.get(_graded(key, table.mine[index], graded=graded))
            if fitting:
                table.found[index] = fitting.pop()


def _graded(key: Key, entry: Entry, *, graded: bool) -> Hashable:
    return (key(entry), entry.severity) if graded else key(entry)


def _grade(entry: Entry) -> int:
    return SEVERITIES.index(entry.severity)


def _moves(
    mine: Sequence[Entry], here: Sequence[Entry], open_: Collection[int], lost: Collection[int]
) -> dict[str, str]:
    """For each path that is gone, the one where most of its entries are found unchanged.

    Where none is, a class or function was renamed with its file: the same in another scope counts.
    """
    guessed: dict[str, str] = {}
    for key in (_without_path, _without_path_and_scope):
        where: dict[Hashable, set[str]] = defaultdict(set)
        for index in open_:
            where[key(mine[index])].add(mine[index].path)
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for index in lost:
            votes[here[index].path].update(where.get(key(here[index]), ()))
        sizes = Counter(here[index].path for index in lost)
        best = {
            old: new
            for old, counts in votes.items()
            if counts
            for new in [min(counts, key=lambda to: (-counts[to], _last(to) != _last(old), to))]
            if 2 * counts[new] >= sizes[old] or _last(new) == _last(old)
        }
        guessed = best | guessed
    return guessed


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _everything(entry: Entry) -> Hashable:
    return entry.path, entry.rule, entry.scope, entry.anchor, entry.context


def _without_statement(entry: Entry) -> Hashable:
    return entry.path, entry.rule, entry.scope, entry.anchor


def _without_scope(entry: Entry) -> Hashable:
    return entry.path, entry.rule, entry.anchor, entry.context


def _without_anchor(entry: Entry) -> Hashable:
    return entry.path, entry.rule, entry.scope, entry.context


def _without_path(entry: Entry) -> Hashable:
    return entry.rule, entry.scope, entry.anchor, entry.context


def _without_path_and_scope(entry: Entry) -> Hashable:
    return entry.rule, entry.anchor, entry.context


def _plain(text: str) -> str:
    """Text that JSON can hold: a string literal of the audited code may be half a character."""
    return text.encode("utf-8", "replace").decode()


_STAGES: tuple[Key, ...] = (_everything, _without_scope, _without_statement, _without_anchor)
