"""Finds what of the main path runs only where CUDA is: all that leads there asks for it first.

`if x.is_cuda and _init(): return _fast(x)` guards more than its own line: `_fast`, what that calls,
and the kernels behind it, as long as nothing else of the path has a word for them. It is found as
what waits for options is: by following the path without the blocks that need CUDA. So is what only
blocks lead to that have their operator in PyTorch beside them, for the CPU alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from portaudit.relate.live import Living, Origin, Sources
from portaudit.types import FileResult, GuardState

_ROUNDS = 6
"""Blocks may hold one another; what holds the training is found after as many rounds."""


def demanding(
    results: Sequence[FileResult], sources: Sources, path: Living, built: Collection[str]
) -> Living | None:
    """The same path, in which everything that only runs with CUDA waits for the block that asks.

    `built`: names of modules that the tree builds for CUDA: who asks for one asks for that.

    None if there is no such block. One that the training itself runs in is none: without it there
    is nothing to guard, and where nobody knows what trains any of them may be that. What holds in
    one block without another way, and in one with, is as the first.
    """
    stored = {
        name
        for result in results
        if result.path in path.files
        for name in result.facts.code.sets.split()
    }
    guards = {
        (name, place): option.guard
        for name in path.files
        if name in sources
        for place, option in enumerate(sources[name].options)
        if option.guard != "none" and (name, place) in path.on
        if not option.name or any(_is_one(asked, built) for asked in option.name.split())
        if stored.isdisjoint(option.values)
    }
    return _following(results, sources, path, guards)


def portable(results: Sequence[FileResult], sources: Sources, path: Living) -> Living | None:
    """The same path, in which what only runs on other devices than the CPU waits for such a block.

    Of those that have their operator in PyTorch beside them. None if there is no such block.
    """
    blocks: dict[tuple[str, int], GuardState] = {
        (name, place): "fallback"
        for name in path.files
        if name in sources
        for place, option in enumerate(sources[name].options)
        if option.portable and (name, place) in path.on
    }
    return _following(results, sources, path, blocks)


def _following(
    results: Sequence[FileResult],
    sources: Sources,
    path: Living,
    guards: Mapping[tuple[str, int], GuardState],
) -> Living | None:
    """The path without some blocks, then with them. What the training runs in is no such block."""
    if not guards:
        return None
    base = path.without(path.off)
    deeds = list(_training(results, base))
    if not deeds:
        return None
    for _ in range(_ROUNDS):
        found = path.without({*path.off, *guards})
        holding = _holding(deeds, found, guards, sources)
        if not holding:
            break
        guards = {key: state for key, state in guards.items() if key not in holding}
    else:
        return None
    states: tuple[GuardState, ...] = ("guarded", "fallback")
    for state in states:
        found.wake({key for key, each in guards.items() if each == state})
    return found if guards else None


def _is_one(asked: str, built: Iterable[str]) -> bool:
    """Whether an import is one of some modules, or of a member of it.

    Of a relative one only the end of the name is known, with or without a member.
    """
    if not asked.startswith("."):
        return any(f"{asked}.".startswith(f"{name}.") for name in built)
    name = asked.lstrip(".")
    ends = {f".{each}" for each in (name, name.rpartition(".")[0]) if each}
    return any(f".{each}".endswith(end) for each in built for end in ends)


def _training(results: Iterable[FileResult], living: Living) -> Iterable[tuple[str, int]]:
    """The lines that train, each of them: a first one may be a check before the loop."""
    for result in results:
        for line in result.facts.code.trains:
            if living.comes_to(result.path, line):
                yield result.path, line


def _holding(
    deeds: Iterable[tuple[str, int]],
    living: Living,
    guards: Mapping[tuple[str, int], GuardState],
    sources: Sources,
) -> Collection[tuple[str, int]]:
    """The blocks without which some of the training is not there. Wakes what is asleep."""
    lost = [each for each in deeds if not living.comes_to(*each)]
    if not lost:
        return ()
    living.wake(guards)
    found = {origin for each in lost if (origin := living.waits_at(*each))}
    return {_key(origin, sources) for origin in found}


def _key(origin: Origin, sources: Sources) -> tuple[str, int]:
    return origin.path, sources[origin.path].options.index(origin.option)
