"""Which facts follow from a flag being true, or false."""

from __future__ import annotations

import pytest

from portaudit.judge.flags import implied
from portaudit.types import AllOf, AnyOf, Atom, Choice, Fact, FactKind, Flag, Known, Named, Not


def facts(*kinds: FactKind) -> tuple[Fact, ...]:
    return tuple(Fact(kind) for kind in kinds)


CUDA, OPTED = Atom(facts("cuda"), facts("no-cuda")), Atom(facts("opt-in"))
VENDOR, OTHER = Atom((Fact("vendor", "mps"),)), Atom((Fact("vendor", "xpu"),))
LIBRARY = Atom((Fact("lib", "apex"),))


@pytest.mark.parametrize(
    ("flag", "kinds", "strictly"),
    [
        (CUDA, {"cuda"}, {"cuda"}),
        (Not(CUDA), {"no-cuda"}, {"no-cuda"}),
        (AllOf((CUDA, LIBRARY)), {"cuda", "lib"}, {"cuda", "lib"}),
        (AnyOf((CUDA, LIBRARY)), set(), set()),
        (AnyOf((CUDA, Known(False))), {"cuda"}, {"cuda"}),
        (AnyOf((CUDA, OPTED)), {"cuda", "opt-in"}, set()),
        (AnyOf((CUDA, VENDOR)), {"cuda"}, {"cuda"}),
        (AnyOf((OPTED, VENDOR)), {"opt-in"}, set()),
        (AnyOf((VENDOR, OTHER)), {"vendor"}, {"vendor"}),
        (AnyOf((CUDA, VENDOR, LIBRARY)), set(), set()),
        (Not(AllOf((CUDA, OPTED))), set(), set()),
        (Not(AnyOf((CUDA, OPTED))), {"no-cuda"}, {"no-cuda"}),
        (AllOf((CUDA, Known(False))), None, None),
        (AnyOf((Known(False), Known(False))), None, None),
        (Choice(((CUDA, Known(True)), (OPTED, Known(True)))), {"cuda", "opt-in"}, set()),
        (Choice(((CUDA, Known(True)), (OPTED, Known(False)))), {"cuda"}, {"cuda"}),
    ],
)
def test_what_follows_from_a_flag(
    flag: Flag, kinds: set[FactKind] | None, strictly: set[FactKind] | None
) -> None:
    for strict, wanted in ((False, kinds), (True, strictly)):
        found = implied(flag, True, strict=strict)
        assert (found if found is None else {fact.kind for fact in found}) == wanted
    assert implied(flag, True) == implied(flag, True, strict=False)


def test_two_vendors_are_both_told() -> None:
    assert implied(AnyOf((VENDOR, OTHER)), True) == frozenset((*VENDOR.when_true, *OTHER.when_true))


def test_names_that_stand_for_one_another_say_nothing() -> None:
    for flag in (Named("a"), Not(Named("a")), AllOf((Named("a"),)), AnyOf((Named("a"),))):
        assert implied(flag, True, lambda _, flag=flag: flag) == frozenset()  # type: ignore[misc]
    choice = Choice(((Known(True), Named("a")), (Named("a"), Known(True))))
    assert implied(choice, True, lambda _: Named("a")) == frozenset()


def test_a_name_of_another_module_is_what_it_is_there() -> None:
    assert implied(Named("a"), False, lambda _: CUDA) == frozenset(CUDA.when_false)
    assert implied(Named("a"), True) == frozenset()
