"""In which order to scan: modules before the files that import them, as far as there is one.

What modules tell that were scanned before a file need not be told later, when the file would have
to be scanned again. An order is a guess, which costs time where it is wrong and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from portaudit.relate.modules import Modules


class Ahead:
    """Files that are to be scanned, by the names that each seems to import, and their sizes."""

    def __init__(
        self, modules: Modules, imported: Mapping[str, Iterable[str]], sizes: Mapping[str, int]
    ) -> None:
        self._sizes = sizes
        self._nearest = {
            path: sorted(
                {place[0] for name in names if (place := modules.module_path(path, name))} - {path}
            )
            for path, names in imported.items()
        }
        depths = self._depths()
        self._importers: dict[str, list[str]] = {path: [] for path in self._nearest}
        self._missing = dict.fromkeys(self._nearest, 0)
        for path, others in self._nearest.items():
            for other in others:
                if depths.get(other, len(depths)) < depths[path]:
                    self._importers[other].append(path)
                    self._missing[path] += 1
        order = sorted(self._nearest, key=depths.__getitem__)
        self._heights: dict[str, int] = {}
        for path in reversed(order):
            above = (self._heights[each] + 1 for each in self._importers[path])
            self._heights[path] = max(above, default=0)
        self._order = iter(order)
        self._taken: set[str] = set()
        self._ready: list[tuple[int, int, str]] = []
        self._bytes = 0
        for path in order:
            if not self._missing[path]:
                self._offer(path)

    def __bool__(self) -> bool:
        """Whether there is a file left that nobody took."""
        return len(self._taken) < len(self._nearest)

    def take(self, most: int, number: int) -> list[str]:
        """The next files whose imports were all scanned: some bytes of them, in a portion for one.

        `number` takers share what there is.
        """
        found: list[str] = []
        limit = min(most, self._bytes // (2 * number))
        total = 0
        while self._ready and (not found or total - self._ready[0][1] <= limit):
            _, size, path = heappop(self._ready)
            total -= size
            found.append(path)
        self._bytes -= total
        self._taken.update(found)
        return found

    def guess(self) -> list[str]:
        """One of those whose imports are not all scanned, for a taker with nothing else to do."""
        path = next((each for each in self._order if each not in self._taken), None)
        self._taken.update([] if path is None else [path])
        return [] if path is None else [path]

    def done(self, path: str) -> None:
        """A file was scanned."""
        for each in self._importers[path]:
            self._missing[each] -= 1
            if not self._missing[each] and each not in self._taken:
                self._offer(each)

    def behind(self, paths: Sequence[str]) -> Iterator[str]:
        """All that files import, also through others, each once."""
        seen: set[str] = set()
        waiting = list(paths)
        while waiting:
            for other in self._nearest.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
                    yield other

    def _offer(self, path: str) -> None:
        """First those that many layers of files wait for, then the largest."""
        heappush(self._ready, (-self._heights[path], -self._sizes[path], path))
        self._bytes += self._sizes[path]

    def _depths(self) -> dict[str, int]:
        """How many layers of imports each file has; one that leads back to itself counts not."""
        depths: dict[str, int] = {}
        for start in self._nearest:
            way = [] if start in depths else [(start, iter(self._nearest[start]))]
            around = {start}
            while way:
                path, others = way[-1]
                for other in others:
                    if other in self._nearest and other not in depths and other not in around:
                        around.add(other)
                        way.append((other, iter(self._nearest[other])))
                        break
                else:
                    way.pop()
                    around.discard(path)
                    below = (depths[each] + 1 for each in self._nearest[path] if each in depths)
                    depths[path] = max(below, default=0)
        return depths
