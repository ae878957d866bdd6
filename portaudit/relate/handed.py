"""Which values parameters get by their places: `attn(x, True)` in a file that knows only the name.

Functions are told apart by their last names alone, so that any call of that name fills the
parameters of all that are called so.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from portaudit.marks import (
    BELOW,
    EITHER,
    FIELDS,
    ITSELF,
    KEPT,
    MORE,
    NAMED,
    OBJECT,
    UNWRITTEN,
)

Values = frozenset[str]
_UNKNOWN = ""


class _Place(Struct):
    """What calls give for one place: words that are written down, and settings (`.use_flash`)."""

    plain: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)


class _Calls(Struct):
    """What the calls of a name give together, however many they are.

    `more`: the first place from which on some give anything · `itself`: somebody else gets the
    function · `any`: some give something by its place.
    """

    places: list[_Place] = field(default_factory=list)
    more: int = sys.maxsize
    itself: bool = False
    any: bool = False

    @classmethod
    def of(cls, calls: Iterable[str]) -> _Calls:
        """Those of some arguments."""
        found = cls()
        for words in calls:
            if words == ITSELF:
                found.itself = True
            elif words != KEPT:
                found._take(words.split())
        return found

    def _take(self, given: Sequence[str]) -> None:
        self.any |= bool(given)
        for at, word in enumerate(given):
            if word == MORE:
                self.more = min(self.more, at)
                break
            if at == len(self.places):
                self.places.append(_Place())
            if word.startswith("."):
                self.places[at].settings.add(word)
            else:
                self.places[at].plain.add(_UNKNOWN if word == UNWRITTEN else word)

    def given(self, names: Sequence[str]) -> Iterator[tuple[str, Collection[str]]]:
        """The values that parameters get, in the order of a function that takes these."""
        is_class = names[0] == FIELDS
        names = names[is_class:]
        by_place = names[: names.index(NAMED)] if NAMED in names else names
        by_name = names[len(by_place) + 1 :]
        if self.itself and not is_class:
            yield from ((name, {_UNKNOWN}) for name in names)
        if self.more == 0 or (is_class and self.any):
            yield from ((name, {_UNKNOWN}) for name in by_name)
        yield from ((name, {_UNKNOWN}) for name in by_place[self.more :])
        for name, place in zip(by_place, self.places, strict=False):
            yield name, place.plain
            if place.settings - {f".{name}"}:
                yield name, {_UNKNOWN}


def filled(
    taking: Iterable[tuple[str, str]],
    handing: Iterable[tuple[str, str]],
    asked: frozenset[str],
) -> Mapping[str, Values]:
    """The values that calls give to parameters without naming them, of those that are `asked`.

    An empty one is not known. What is handed on under its own name is none: it has been told where
    it comes from.
    """
    calls, made = _calls(handing)
    either = _Calls.of(calls.get(EITHER, ()))
    known: dict[str, tuple[_Calls, ...]] = {}
    found: dict[str, set[str]] = {}
    for function, words in taking:
        names = words.split()
        if asked.isdisjoint(names):
            continue
        if function not in known:
            said = {each for name in _below(function, made) for each in calls.get(name, ())}
            is_kept = function == OBJECT or KEPT in said
            known[function] = (_Calls.of(said), either) if is_kept else (_Calls.of(said),)
        for each in known[function]:
            for name, values in each.given(names):
                if name in asked:
                    found.setdefault(name, set()).update(values)
    return {name: frozenset(values) for name, values in found.items() if values}


def _calls(handing: Iterable[tuple[str, str]]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The arguments of each function, and which classes are made as a base of theirs is."""
    calls: dict[str, set[str]] = {}
    made: dict[str, set[str]] = {}
    for name, words in handing:
        child, sign, base = name.partition(BELOW)
        if sign:
            made.setdefault(base, set()).add(child)
        else:
            calls.setdefault(name, set()).add(words)
    return calls, made


def _below(name: str, made: Mapping[str, Collection[str]]) -> Collection[str]:
    found = {name}
    waiting = [name]
    while waiting:
        new = set(made.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found
