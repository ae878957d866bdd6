"""Many globs at once: what a text is settled by before any regular expression is made.

Nearly all globs of the tables are a name, or one with a star at an end: those are looked up and
compared. To translate some hundreds of them takes longer than to judge a small file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cache, cached_property

from msgspec import Struct

_SPECIAL = re.compile(r"[*?\[]")


class Globs(Struct, frozen=True, dict=True):
    """Globs by their form; each means what it means to `fnmatch.fnmatchcase`.

    `around`: a beginning and an end · `others`: those that only a regular expression can tell.
    """

    exact: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    around: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()

    def match(self, text: str) -> bool:
        """Whether one of them matches the whole of a text."""
        if text in self.exact or text.startswith(self.starts) or text.endswith(self.ends):
            return True
        for part in self.within:
            if part in text:
                return True
        for start, end in self.around:
            if len(text) >= len(start) + len(end) and text.startswith(start) and text.endswith(end):
                return True
        return bool(self.others) and self._pattern.match(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(translate, self.others)))


def any_of(globs: Iterable[str]) -> Globs:
    """What one of some globs matches."""
    return _sorted(tuple(globs))


@cache
def glob(text: str) -> Globs:
    """One glob."""
    return _sorted((text,))


@cache
def _sorted(globs: tuple[str, ...]) -> Globs:
    exact: list[str] = []
    starts: list[str] = []
    ends: list[str] = []
    within: list[str] = []
    around: list[tuple[str, str]] = []
    others: list[str] = []
    for each in dict.fromkeys(globs):
        head, *middle, tail = re.split(r"\*+", each) if "*" in each else (each, "")
        if _SPECIAL.search(each.replace("*", "")) or len(middle) > 1 or (middle and (head or tail)):
            others.append(each)
        elif middle:
            within.append(middle[0])
        elif "*" not in each:
            exact.append(each)
        elif not tail:
            starts.append(head)
        elif not head:
            ends.append(tail)
        else:
            around.append((head, tail))
    return Globs(
        frozenset(exact), tuple(starts), tuple(ends), tuple(within), tuple(around), tuple(others)
    )
