"""Which values parameters get by their places: `attn(x, True)` in a file that knows only the name.

Functions are told apart by their last names alone, so that any call of that name fills the
parameters of all that are called so.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct, field

from portaudit.marks import (
    AN_OBJECT,
    ANY_PART,
    BELOW,
    EITHER,
    FIELDS,
    ITSELF,
    KEPT,
    KEYED,
    MORE,
    NAMED,
    OBJECT,
    OBJECT_ITSELF,
    OF_FUNCTION,
    OF_PARAMETERS,
    ONLY_KEY,
    PASSED_ON,
    UNPACKED,
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
    function · `any`: some give something by its place · `unpacked`: some by names of which nothing
    is known.
    """

    places: list[_Place] = field(default_factory=list)
    more: int = sys.maxsize
    itself: bool = False
    any: bool = False
    unpacked: bool = False

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
            if word in {MORE, UNPACKED}:
                self.more = min(self.more, at)
                self.unpacked |= word == UNPACKED
                break
            if at == len(self.places):
                self.places.append(_Place())
            if word.startswith("."):
                self.places[at].settings.add(word)
            else:
                self.places[at].plain.add(_UNKNOWN if word == UNWRITTEN else word)

    def given(
        self, names: Sequence[str], *, configured: bool
    ) -> Iterator[tuple[str, Collection[str]]]:
        """The values that parameters get, in the order of a function that takes these.

        What a model of settings is made of by names is what files of settings have, if those are
        known.
        """
        if names[0] == KEYED:
            yield from (
                (name, {_UNKNOWN}) for name in names[1:] if self.unpacked and not configured
            )
            return
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

    def surely(self, names: Sequence[str]) -> Iterator[tuple[str, Collection[str]]]:
        """The values that parameters get, where whatever is handed on under its name is not known.

        So is what a function gets of which no call is seen.
        """
        by_place = names[: names.index(NAMED)] if NAMED in names else names
        if self.itself or not self.any:
            yield from ((name, {_UNKNOWN}) for name in names)
        yield from ((name, {_UNKNOWN}) for name in names[self.more :])
        for name, place in zip(by_place, self.places, strict=False):
            yield name, place.plain | ({_UNKNOWN} if place.settings else set())


def filled(
    taking: Iterable[tuple[str, str]],
    handing: Iterable[tuple[str, str]],
    asked: frozenset[str],
    *,
    configured: bool = False,
) -> Mapping[str, Values]:
    """The values that calls give to parameters without naming them, of those that are `asked`.

    An empty one is not known. What is handed on under its own name is none: it has been told where
    it comes from. What is not known of a parameter that is an object is no word; nor of one that is
    only passed on, if all that take something under its name are one or the other. What is only
    the key of a table decides no condition. `configured`: all files of settings are known that the
    program is given.
    """
    listed = [(function, words.split()) for function, words in taking]
    objects = _objects(names for _, names in listed)
    calls, made = _calls(handing)
    either = _Calls.of(calls.get(EITHER, ()))
    patterns = [
        name.removesuffix(OF_FUNCTION)
        for name in calls
        if ANY_PART in name and name.endswith(OF_FUNCTION)
    ]
    known: dict[str, tuple[_Calls, ...]] = {}
    found: dict[str, set[str]] = {}
    for function, marked in listed:
        names = [name.rstrip(OF_PARAMETERS) for name in marked]
        found_here = _left_out(function, names, calls, patterns, asked)
        for name, values in found_here:
            found.setdefault(name, set()).update(values)
        keys = {name.rstrip(OF_PARAMETERS) for name in marked if name.endswith(ONLY_KEY)}
        of_objects = {
            name
            for name, each in zip(names, marked, strict=True)
            if each.endswith(AN_OBJECT) or (each.endswith(PASSED_ON) and name in objects)
        }
        if asked.isdisjoint(names):
            continue
        if function not in known:
            said = {each for name in _below(function, made) for each in calls.get(name, ())}
            is_kept = function == OBJECT or KEPT in said
            known[function] = (_Calls.of(said), either) if is_kept else (_Calls.of(said),)
        for each in known[function]:
            for name, values in each.given(names, configured=configured):
                if name in asked and name not in keys:
                    there = found.setdefault(name, set())
                    there.update(
                        OBJECT_ITSELF if each == _UNKNOWN and name in of_objects else each
                        for each in values
                    )
    return {name: frozenset(values) for name, values in found.items() if values}


def _left_out(
    function: str,
    names: Sequence[str],
    calls: Mapping[str, Collection[str]],
    patterns: Collection[str],
    asked: frozenset[str],
) -> Iterator[tuple[str, Collection[str]]]:
    """What calls give to parameters that are asked about for this function alone."""
    if not any(f"{function}{OF_FUNCTION}{name}" in asked for name in names):
        return
    said = calls.get(function, ())
    given = _Calls.of(said)
    given.itself |= KEPT in said or f"{function}{OF_FUNCTION}" in calls
    given.itself |= any(fnmatchcase(function, each) for each in patterns)
    for name, values in given.surely(names):
        yield f"{function}{OF_FUNCTION}{name}", values


def _objects(taking: Iterable[Sequence[str]]) -> frozenset[str]:
    """The names of parameters under which nothing is taken but objects, or to be passed on."""
    objects: set[str] = set()
    others: set[str] = set()
    for names in taking:
        for name in names:
            if name.endswith(AN_OBJECT):
                objects.add(name.rstrip(OF_PARAMETERS))
            elif not name.endswith(PASSED_ON):
                others.add(name.rstrip(OF_PARAMETERS))
    return frozenset(objects - others)


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
