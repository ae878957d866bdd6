"""The catalogue by what triggers it: from a resolved name, keyword or string to the rules.

Built once per run; knows no syntax.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from portaudit.catalogue.globs import Globs, any_of
from portaudit.catalogue.schema import ITEM_KINDS

if TYPE_CHECKING:
    from portaudit.catalogue.load import Row
    from portaudit.catalogue.schema import Match


class Selector(Struct, frozen=True):
    """A match of a rule (by position), or one table row of it."""

    rule: str
    position: int
    name: str = ""
    row: Row | None = None


class Names(Struct):
    """Selectors by exact dotted name, and by a name they lie below.

    `apex.*` is all below `apex`; `torch._C._cuda_*` only what begins with these letters.
    """

    exact: dict[str, list[Selector]] = field(default_factory=lambda: defaultdict(list))
    below: dict[str, list[tuple[str, Selector]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, pattern: str, selector: Selector) -> None:
        """Register a name, or what lies below one and begins with some letters (or none)."""
        if pattern.endswith("*"):
            owner, _, letters = pattern[:-1].rpartition(".")
            self.below[owner].append((letters, selector))
        else:
            self.exact[pattern].append(selector)

    def find(self, name: str) -> list[Selector]:
        """Selectors of the most specific pattern that selects `name`, of each rule."""
        found = list(self.exact.get(name, ()))
        if self.below:
            seen = {selector.rule for selector in found}
            owner = name
            while "." in owner:
                owner, _, part = owner.rpartition(".")
                below = [
                    selector
                    for letters, selector in self.below.get(owner, ())
                    if part.startswith(letters)
                ]
                found.extend(selector for selector in below if selector.rule not in seen)
                seen.update(selector.rule for selector in below)
        return found


class Index(Struct):
    """What can trigger a rule in Python source, by kind of match."""

    names: Mapping[str, Names]
    members: Mapping[str, list[Selector]]
    methods: Mapping[str, list[Selector]]
    keywords: Mapping[str, list[Selector]]
    strings: Iterable[Selector]
    variables: Iterable[tuple[str, Selector]]
    detectors: Mapping[str, list[Selector]]
    globs: Globs = Globs()

    def means_something(self, text: str, *, exact: bool) -> bool:
        """Whether some rule speaks of this string, wherever it stands."""
        shown = text if exact else f"{text}*"
        return self.globs.match(shown)


def build_index(pairs: Iterable[tuple[Selector, Match]]) -> Index:
    """Sort the selectors by what triggers them."""
    names: dict[str, Names] = defaultdict(Names)
    members: dict[str, list[Selector]] = defaultdict(list)
    methods: dict[str, list[Selector]] = defaultdict(list)
    keywords: dict[str, list[Selector]] = defaultdict(list)
    strings: list[Selector] = []
    variables: list[tuple[str, Selector]] = []
    detectors: dict[str, list[Selector]] = defaultdict(list)
    globs: set[str] = set()
    for selector, match in pairs:
        if match.kind in ITEM_KINDS and match.kind != "env-var":
            continue
        patterns = [selector.name] if selector.row else match.name
        if match.kind != "env-var":
            globs.update(value for value in match.value if isinstance(value, str))
        if match.kind == "string":
            strings.append(selector)
        for pattern in patterns:
            if match.kind == "method":
                methods[pattern.removeprefix(".")].append(selector)
            elif match.kind == "kwarg":
                keywords[pattern].append(selector)
            elif match.kind == "env-var":
                if not match.value:  # what Python code sets a variable to is not followed
                    variables.append((pattern, selector))
            elif match.kind == "detector":
                detectors[pattern].append(selector)
            elif pattern.startswith("."):
                members[pattern[1:]].append(selector)
            else:
                names[match.kind].add(pattern, selector)
    variables.sort(key=lambda pair: len(pair[0].replace("*", "")), reverse=True)
    return Index(
        names, members, methods, keywords, strings, variables, detectors, any_of(sorted(globs))
    )
