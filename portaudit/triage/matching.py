"""Which findings are old: accepted entries are found again although code around them changed.

Matching goes in stages, each over what the ones before left, as multisets: equal in everything,
then with another statement, then in another scope, then the same statement told by another name
(an import stands for what is used of it), then in a file that was renamed. Numbers of equal
findings are no part of it, so that taking one away does not rename the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from portaudit.types import SEVERITIES, Entry, Finding

Key = Callable[[Entry], Hashable]


@dataclass(frozen=True, slots=True)
class Matched:
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
    waiting = [_split(entry) for entry in entries]
    found: list[Entry | None] = [None] * len(findings)
    mine = [entry_of(finding) for finding in findings]
    open_ = list(range(len(findings)))
    left = [each for group in waiting for each in group]
    here = [replace(each, path=moves.get(each.path, each.path)) for each in left]
    pool = list(range(len(left)))
    for key in _STAGES:
        open_, pool = _pair(key, mine, here, open_, pool, found, left)
    lost = [index for index in pool if not there(here[index].path)]
    if lost and open_:
        guessed = _moves(mine, here, open_, lost)
        for index in lost:
            path = here[index].path
            here[index] = replace(here[index], path=guessed.get(path, path))
        for key in _STAGES:
            open_, lost = _pair(key, mine, here, open_, lost, found, left)
        open_, lost = _pair(_without_path, mine, here, open_, lost, found, left)
        pool = [index for index in pool if there(left[index].path)] + lost
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
    """Give findings (by number) entries of the same key; what is left of both."""
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for index in sorted(pool, reverse=True):
        waiting[key(here[index])].append(index)
    still = []
    for index in open_:
        fitting = waiting.get(key(mine[index]))
        if fitting:
            found[index] = left[fitting.pop()]
        else:
            still.append(index)
    return still, sorted(index for indexes in waiting.values() for index in indexes)


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
        best = {
            old: min(counts, key=lambda new: (-counts[new], _last(new) != _last(old), new))
            for old, counts in votes.items()
            if counts
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


_STAGES: tuple[Key, ...] = (_everything, _without_statement, _without_scope, _without_anchor)
