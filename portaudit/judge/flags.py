"""The algebra of flags: which facts follow from a flag being true, or false.

Pure: flags in, facts out. Names of other modules are looked up by a function that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from portaudit.types import AllOf, AnyOf, Atom, Fact, Flag, Known, Named, Not

Facts = frozenset[Fact]
Lookup = Callable[[Named], Flag | None]

_DEEPEST = 40
_NO_FACTS: Facts = frozenset()


def unknown(_: Named) -> Flag | None:
    """A lookup that knows no other module."""
    return None


def implied(
    flag: Flag, truth: bool, lookup: Lookup = unknown, depth: int = 0, *, strict: bool = False
) -> Facts | None:
    """The facts that hold when `flag` has this truth; None when it cannot have it.

    `strict`: of alternatives only what they share, also where each is a switch to CUDA, unless each
    asks for a device, CUDA's or another vendor's.
    """
    if depth > _DEEPEST:
        return _NO_FACTS
    if isinstance(flag, Atom):
        return frozenset(flag.when_true if truth else flag.when_false)
    if isinstance(flag, Known):
        return None if flag.truth is not None and flag.truth != truth else _NO_FACTS
    if isinstance(flag, Not):
        return implied(flag.flag, not truth, lookup, depth + 1, strict=strict)
    if isinstance(flag, AllOf):
        parts = [implied(part, truth, lookup, depth + 1, strict=strict) for part in flag.flags]
        return _every(parts) if truth else _common(parts, strict=strict)
    if isinstance(flag, AnyOf):
        parts = [implied(part, truth, lookup, depth + 1, strict=strict) for part in flag.flags]
        return _common(parts, strict=strict) if truth else _every(parts)
    if isinstance(flag, Named):
        found = lookup(flag)
        return (
            _NO_FACTS if found is None else implied(found, truth, lookup, depth + 1, strict=strict)
        )
    return _common(
        [
            _every(
                [
                    implied(place, True, lookup, depth + 1, strict=strict),
                    implied(value, truth, lookup, depth + 1, strict=strict),
                ]
            )
            for place, value in flag.cases
        ],
        strict=strict,
    )


def _every(parts: Sequence[Facts | None]) -> Facts | None:
    """All of these hold."""
    if any(part is None for part in parts):
        return None
    return frozenset(fact for part in parts if part for fact in part)


def _common(parts: Sequence[Facts | None], *, strict: bool) -> Facts | None:
    """One of these holds, nobody knows which: what they share.

    Where each of them is a switch to CUDA (`is_available() or FORCE_CUDA`), or to another vendor's
    device, so is the whole.
    """
    possible = [part for part in parts if part is not None]
    if not possible:
        return None
    shared = frozenset(fact for fact in possible[0] if all(fact in part for part in possible[1:]))
    if len(possible) == 1:
        return shared
    kinds = _DEVICES if strict else _SWITCHES
    switches = [[fact for fact in part if fact.kind in kinds] for part in possible]
    vendors = [[fact for fact in part if fact.kind == "vendor"] for part in possible]
    if all(vendors):
        return shared.union(*vendors)
    if any(switches) and all(a or b for a, b in zip(switches, vendors, strict=True)):
        return shared.union(*switches)
    return shared


_SWITCHES = {"cuda", "opt-in"}
_DEVICES = {"cuda"}
