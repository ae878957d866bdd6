"""The order that root causes are suggested in: what unblocks what.

By phases (`rules/_data/work.toml`), within one by what is lost to each. A root cause comes after
one of an earlier phase that its own needs, where both concern the same file, or one of them a file
by which the path comes to the other; and the parts of a library come after the library.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue import work
from portaudit.catalogue.libraries import Libraries
from portaudit.score import Way
from portaudit.types import LIBRARY, SEVERITIES, Category, Chain, Finding, Lost, RootCause

_GRAVE = SEVERITIES.index("major")


class _Task(Struct, frozen=True):
    """A root cause that the path needs: its phase, and what leads to its places.

    `files`, `ways`: the files of its places, and those by which the path comes to them, as bits ·
    `libraries`: the packages that its findings are of · `part`: of a library, and not it itself.
    """

    root: RootCause
    phase: int
    files: int
    ways: int
    libraries: frozenset[str]
    part: bool

    def meets(self, other: _Task) -> bool:
        """Whether the path comes to one by a file of the other."""
        return bool(self.files & other.ways or other.files & self.ways)


def ordered(
    roots: Sequence[RootCause],
    findings: Iterable[Finding],
    way: Way,
    chains: Iterable[Chain],
    lost: Iterable[Lost],
    packages: Libraries,
) -> tuple[RootCause, ...]:
    """Root causes, as they stand, with the step of each that the path needs and what is before."""
    known = {item.fingerprint: item for item in findings if way.counts(item)}
    makes = _Tasks(known, way, {each.path: each for each in chains}, packages)
    tasks = sorted(
        (makes(root) for root in roots if _is_needed(root, way)),
        key=lambda task: (task.phase, task.part),
    )
    before = _before(tasks)
    points = {each.root: each.points for each in lost}
    steps = {at: step for step, at in enumerate(_sequence(tasks, before, points), 1)}
    told = {
        task.root.id: replace(
            task.root,
            step=steps[at],
            after=tuple(tasks[each].root.id for each in sorted(before[at], key=steps.__getitem__)),
        )
        for at, task in enumerate(tasks)
    }
    return tuple(told.get(root.id, root) for root in roots)


def _is_needed(root: RootCause, way: Way) -> bool:
    return root.effort_days[1] > 0 and (not way.is_known or root.reach in {"main", None})


class _Tasks:
    """Makes tasks of root causes."""

    def __init__(
        self,
        findings: Mapping[str, Finding],
        way: Way,
        chains: Mapping[str, Chain],
        packages: Libraries,
    ) -> None:
        self._findings = findings
        self._way = way
        self._chains = chains
        self._packages = packages
        self._bits: dict[str, int] = {}

    def __call__(self, root: RootCause) -> _Task:
        places = [self._findings[key] for key in root.findings if key in self._findings]
        paths = {item.path for item in places}
        anchors = {item.anchor for item in places if item.category != "dependency"}
        rows = (self._packages.imported(name) for name in anchors)
        return _Task(
            root,
            self._phase(root, places),
            self._mask(paths),
            self._mask(path for file in paths for path in self._files_of_way(file)),
            frozenset(row.name for row in rows if row),
            not root.id.startswith(LIBRARY),
        )

    def _phase(self, root: RootCause, places: Sequence[Finding]) -> int:
        phases, by_category, imported = _phases()
        if root.severity == "info":
            return len(phases) - 1
        category = root.category
        grave = [item for item in places if self._way.needs(item)]
        if grave and all(item.portable for item in grave):
            category = "device-api"  # to take what is there already is an edit of where it runs
        at_start = imported.get(category)
        if at_start is not None and any(map(self._stops, places)):
            return at_start
        return by_category[category]

    def _stops(self, item: Finding) -> bool:
        """Whether a program cannot start with a place as it is."""
        grave = SEVERITIES.index(self._way.severity(item)) >= _GRAVE
        return grave and not item.scope and self._way.needs(item)

    def _files_of_way(self, path: str) -> Iterable[str]:
        chain = self._chains.get(path)
        return (path, *(place.path for place in chain.imports)) if chain else (path,)

    def _mask(self, paths: Iterable[str]) -> int:
        mask = 0
        for path in paths:
            mask |= self._bits.setdefault(path, 1 << len(self._bits))
        return mask


@cache
def _phases() -> tuple[tuple[work.Phase, ...], dict[Category, int], dict[Category, int]]:
    """The phases, and the place of the one of each category: usually, and if it stops the start."""
    phases = work.table().phase
    usual = {word: at for at, each in enumerate(phases) for word in each.categories}
    start = {word: at for at, each in enumerate(phases) for word in each.imported}
    return phases, usual, start


def _before(tasks: Sequence[_Task]) -> list[set[int]]:
    """Of each task the tasks right before it: what one of them comes after already is left out.

    Tasks are in the order of their phases, the parts of libraries last in each: none needs a later.
    """
    phases, _, _ = _phases()
    place = {phase.name: at for at, phase in enumerate(phases)}
    needed = [frozenset(place[name] for name in phase.after) for phase in phases]
    found: list[set[int]] = []
    everything: list[int] = []
    for at, task in enumerate(tasks):
        direct: set[int] = set()
        covered = 0
        for earlier in range(at - 1, -1, -1):
            if covered >> earlier & 1:
                continue
            if _is_before(tasks[earlier], task, needed[task.phase]):
                direct.add(earlier)
                covered |= everything[earlier] | 1 << earlier
        found.append(direct)
        everything.append(covered)
    return found


def _is_before(earlier: _Task, task: _Task, needed: frozenset[int]) -> bool:
    of_library = task.part and not earlier.part and bool(task.libraries & earlier.libraries)
    return of_library or (earlier.phase in needed and earlier.meets(task))


def _sequence(
    tasks: Sequence[_Task], before: Sequence[set[int]], points: Mapping[str, float]
) -> list[int]:
    """The tasks one after the other: by phase, then by what is lost to each."""
    waiting = [len(each) for each in before]
    behind: list[list[int]] = [[] for _ in tasks]
    for at, earlier in enumerate(before):
        for each in earlier:
            behind[each].append(at)

    def rank(at: int) -> tuple[int, float, float, str, int]:
        root = tasks[at].root
        return tasks[at].phase, -points.get(root.id, 0.0), -root.effort_days[1], root.id, at

    ready = [rank(at) for at, number in enumerate(waiting) if not number]
    heapq.heapify(ready)
    found: list[int] = []
    while ready:
        at = heapq.heappop(ready)[-1]
        found.append(at)
        for each in behind[at]:
            waiting[each] -= 1
            if not waiting[each]:
                heapq.heappush(ready, rank(each))
    return found
