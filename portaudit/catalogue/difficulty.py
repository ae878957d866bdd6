"""How hard a kernel is to write anew: a class with its reasons, from its features and its size.

- `simple`: each thread computes elements of its own.
- `moderate`: threads share (shared memory, atomics, warp reductions, CUB), addresses come from
  textures or data, or it has more than 100 lines; or its work is in another file.
- `hard`: tensor cores through the C++ interface, asynchronous copies, grid-wide barriers, kernels
  that launch kernels, code on CUTLASS or CuTe; shared memory or warp-level code in more than 150
  lines, anything in more than 250.
- `research`: tensor cores by hand, TMA, clusters, specialised warps, main loops in CUTLASS or CuTe,
  several GPUs in one kernel.

The class of each feature is in `rules/_data/native.toml`. Lines count what a kernel calls, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from portaudit.catalogue.native import levels
from portaudit.types import DIFFICULTIES, Difficulty, Effort, Feature, Function, Kernel

KERNEL_EFFORT: Mapping[Difficulty, Effort] = {
    "simple": "small",
    "moderate": "medium",
    "hard": "large",
    "research": "research",
}
"""What writing a kernel anew is worth, by its class: the words of `docs/inventory.md`."""
_LONG = 100
"""Lines from which a kernel takes more than a day whatever it does."""
_SHARING_LONG = 150
_VERY_LONG = 250
_SHARING = frozenset({"shared memory", "warp intrinsics"})
_THIN = 15
"""Lines of a kernel that only hands on its arguments."""
_MOST = 200
"""Functions of other files that a kernel is followed through."""
_TOGETHER: tuple[tuple[str, frozenset[str]], ...] = (
    ("tensor cores", frozenset({"inline PTX", "asynchronous copies"})),
    ("CUTLASS/CuTe", frozenset({"shared memory", "tensor cores", "asynchronous copies"})),
)
"""Features that make a kernel a piece of research if one of others is there, too."""


def difficulty(
    features: Iterable[Feature], lines: int, outside: Sequence[str] = ()
) -> tuple[Difficulty, tuple[str, ...]]:
    """The class of a kernel, and why. `outside`: functions of other files that it calls."""
    names = [each.name for each in features]
    known = levels()
    worst = max((DIFFICULTIES.index(known[name]) for name in names if name in known), default=0)
    pairs = {name for name, others in _TOGETHER if name in names and others.intersection(names)}
    sized = _by_size(names, lines)
    hidden = bool(outside) and lines <= _THIN
    level = DIFFICULTIES[max(worst, DIFFICULTIES.index(sized), 3 * bool(pairs), int(hidden))]
    if level == "simple":
        return level, ("each thread computes elements of its own", f"{lines} lines")
    found = [name for name in names if name in pairs or known.get(name) == level]
    if sized == level:
        found += [f"{lines} lines", *(name for name in names if name in _SHARING - set(found))]
    return level, tuple(found) or (f"its work is in {outside[0]}, of another file",)


def _by_size(names: Sequence[str], lines: int) -> Difficulty:
    if lines > _VERY_LONG or (lines > _SHARING_LONG and not _SHARING.isdisjoint(names)):
        return "hard"
    return "moderate" if lines > _LONG else "simple"


def widened(kernel: Kernel, own: Function, known: Mapping[str, Function]) -> Kernel:
    """A kernel with the features of the functions of other files that it calls.

    `own`: what its file says of it (`NativeFacts.on_device`) · `known`: such functions by name.
    """
    features = {each.name: each for each in kernel.features}
    seen: set[str] = set()
    waiting = list(own.calls)
    lines = own.lines
    while waiting and len(seen) < _MOST:
        name = waiting.pop()
        function = known.get(name)
        if function is None or name in seen:
            continue
        seen.add(name)
        lines += function.lines
        waiting.extend(function.calls)
        for each in function.features:
            features.setdefault(each.name, Feature(each.name, kernel.line, each.count))
    if not seen:
        return kernel
    level, reasons = difficulty(features.values(), lines)
    return replace(kernel, features=tuple(features.values()), difficulty=level, reasons=reasons)
