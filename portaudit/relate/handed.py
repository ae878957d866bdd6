"""Which values parameters get by their places: `attn(x, True)` in a file that knows only the name.

Functions are told apart by their last names alone, so that any call of that name fills the
parameters of all that are called so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

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
    found: dict[str, set[str]] = {}
    for function, words in taking:
        names = words.split()
        if asked.isdisjoint(names):
            continue
        said = {each for name in _below(function, made) for each in calls.get(name, ())}
        if function == OBJECT or KEPT in said:
            said |= calls.get(EITHER, set())
        for name, value in _given(names, said):
            if name in asked:
                found.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}


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


def _given(names: list[str], calls: Collection[str]) -> Iterable[tuple[str, str]]:
    is_class = names[0] == FIELDS
    names = names[is_class:]
    by_place = names[: names.index(NAMED)] if NAMED in names else names
    by_name = names[len(by_place) + 1 :]
    for words in calls:
        if words == KEPT:
            continue
        if words == ITSELF:
            if not is_class:
                yield from ((name, _UNKNOWN) for name in names)
            continue
        given = words.split()
        if by_name and (given[0] == MORE or (is_class and given)):
            yield from ((name, _UNKNOWN) for name in by_name)
        for place, name in enumerate(by_place):
            if place < len(given):
                word = given[place]
                if word == MORE:
                    yield from ((each, _UNKNOWN) for each in by_place[place:])
                    break
                if word != f".{name}":
                    yield name, _UNKNOWN if word == UNWRITTEN or word.startswith(".") else word
