"""The names that an import in a folder finds in the tree, without a copy for each folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet


class Names(AbstractSet[str]):
    """Names of a folder, beside those of the folders around it, which others share.

    A tree of thousands of folders would need as many copies of what all of them offer.
    """

    __slots__ = ("outer", "own")

    def __init__(self, own: Iterable[str], outer: Names | None = None) -> None:
        """Have names of one's own: those that nobody around has."""
        self.outer = outer
        self.own = frozenset(own if outer is None else (each for each in own if each not in outer))

    def __contains__(self, name: object) -> bool:
        return name in self.own or (self.outer is not None and name in self.outer)

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        if self.outer is not None:
            yield from self.outer

    def __len__(self) -> int:
        return len(self.own) + (0 if self.outer is None else len(self.outer))

    def __eq__(self, other: object) -> bool:
        """Whether names are the same, and come in the same way from around."""
        if isinstance(other, Names):
            return self.own == other.own and (
                self.outer is other.outer or self.outer == other.outer
            )
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.own, self.outer))

    @classmethod
    def _from_iterable(cls, names: Iterable[str]) -> frozenset[str]:  # type: ignore[override]
        """What operators give."""
        return frozenset(names)
