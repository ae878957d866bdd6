"""Which findings are old: accepted entries are found again although code around them changed.

Matching goes in stages, each over what the ones before left, as multisets: equal in everything,
then in another scope, then with another statement, then the same statement told by another name
(an import stands for what is used of it), then in a file that was renamed. Numbers of equal
findings are no part of it, so that taking one away does not rename the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

from msgspec import Struct
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
) -> Matched:
    """Find an entry for every finding that was there before.

    `there` says whether a path still exists: an entry of one that does not may be found in another
    file. `renamed` (old path to new) is what is known of that already.
    """
    moves = dict(renamed or {})
    left = [each for entry in entries for each in _split(entry)]
    found: list[Entry | None] = [None] * len(findings)
    mine = [entry_of(finding) for finding in findings]
    here = [replace(each, path=moves.get(each.path, each.path)) for each in left]
    known = {each.path for each in here}
    open_, pool = list(range(len(findings))), list(range(len(left)))
    for key in _STAGES:
        open_, pool = _pair(key, mine, here, open_, pool, found, left)
    lost = [index for index in pool if not there(here[index].path)]
    # What became of a file that is gone: a file that nothing was known of.
    fresh = [index for index in open_ if mine[index].path not in known]
    if lost and fresh:
        pool = [index for index in pool if index not in set(lost)]
        guessed = _moves(mine, here, fresh, lost)
        for index in lost:
            path = here[index].path
            here[index] = replace(here[index], path=guessed.get(path, path))
        for key in (*_STAGES, _without_path):
            fresh, lost = _pair(key, mine, here, fresh, lost, found, left)
        pool += lost
    kept = Counter(replace(left[index], count=1) for index in pool)
    return Matched(
        tuple(zip(findings, found, strict=True)),
        tuple(sorted(replace(entry, count=count) for entry, count in kept.items())),
    )


def is_graver(finding: Finding, entry: Entry) -> bool:
    """Whether a finding is worse than what was accepted: a guard was taken away, say."""
    return SEVERITIES.index(finding.effective_severity) > SEVERITIES.index(entry.severity)


def _split(entry: Entry) -> list[Entry]:
    return [replace(entry, count=1)] * entry.count


def _pair(
    key: Key,
    mine: Sequence[Entry],
    here: Sequence[Entry],
    open_: Collection[int],
    pool: Collection[int],
    found: list[Entry | None],
    left: Sequence[Entry],
) -> tuple[list[int], list[int]]:
    """Give findings (by number) entries of the same key; what is left of both.

    Those of the same severity first, then the gravest to the gravest: a guarded use does not take
    the entry of one that is not.
    """
    for graded in (True, False):
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for index in sorted(pool, key=lambda index: (_grade(here[index]), -index)):
            waiting[_graded(key, here[index], graded=graded)].append(index)
        still = []
        for index in sorted(open_, key=lambda index: (-_grade(mine[index]), index)):
            fitting = waiting.get(_graded(key, mine[index], graded=graded))
            if fitting:
                found[index] = left[fitting.pop()]
            else:
                still.append(index)
        open_ = sorted(still)
        pool = sorted(index for indexes in waiting.values() for index in indexes)
    return list(open_), list(pool)


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
