"""Globs that are compared rather than translated mean what they mean to `fnmatch`."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portaudit.catalogue.globs import any_of

GLOBS = st.text("ab*?[]!-\n", max_size=6)
TEXTS = st.text("ab*[?-\n", max_size=6)


@given(st.lists(GLOBS, max_size=4), TEXTS)
def test_they_mean_what_each_of_them_means(globs: list[str], text: str) -> None:
    assert any_of(globs).match(text) == any(fnmatchcase(text, glob) for glob in globs)


@pytest.mark.parametrize(
    ("glob", "fits", "does_not"),
    [
        ("cuda", "cuda", "cuda*"),
        ("cuda*", "cuda:0", "a cuda"),
        ("*cuda", "a cuda", "cudas"),
        ("*cuda*", "a cudas", "cud"),
        ("a*a", "aa", "a"),
        ("a**a", "aba", "a"),
        ("*a*b*", "xaxbx", "ba"),
        ("sm_[0-9]*", "sm_80", "sm_x"),
        ("**", "", None),
        ("", "", "a"),
    ],
)
def test_every_form(glob: str, fits: str, does_not: str | None) -> None:
    found = any_of([glob])
    assert found.match(fits)
    assert does_not is None or not found.match(does_not)


def test_none_match_nothing() -> None:
    assert not any_of([]).match("")


def test_names_with_a_star_at_an_end_need_no_regular_expression() -> None:
    found = any_of(["cuda", "cuda:*", "*.cuda", "*nccl*", "a*b"])
    assert not found.others
    assert not any_of(["sm_[0-9]*"]).exact
