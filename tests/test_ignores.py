"""Patterns of .gitignore files: the paths that pathspec says, in time that grows with the path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from portaudit.catalogue.items import glob
from portaudit.discover import walk
from portaudit.errors import ConfigError
from portaudit.files import Disk
from portaudit.ignores import once, spec

PATTERNS = st.lists(
    st.sampled_from(["*", "a", "b", "?", "/", "[ab]", "[!a]", ".", "**/", "\\*", "a/**"]),
    min_size=1,
    max_size=7,
).map("".join)
PATHS = st.text(alphabet="ab./*", min_size=1, max_size=9).filter(
    lambda path: path[0] != "/" and "//" not in path
)


@given(PATTERNS, PATHS)
def test_a_pattern_means_what_pathspec_says(pattern: str, path: str) -> None:
    try:
        plain = GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return
    if pattern.count("**") <= 3:
        assert spec([pattern]).match_file(path) == plain.match_file(path)


def test_stars_are_not_tried_together() -> None:
    assert not spec([f"{'*a' * 60}*b"]).match_file("a" * 250)
    assert spec([f"{'*a' * 60}*b"]).match_file("a" * 250 + "b")


def test_a_pattern_that_could_take_for_ever_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"more than 3 times"):
        spec(["**/a/" * 9])


@pytest.mark.parametrize("pattern", ["[z-a]", "*.py[~-!]", "a\\"])
def test_a_pattern_that_is_none_is_refused_and_passed_over(
    pattern: str, make_tree: Callable[[Mapping[str, str]], Path]
) -> None:
    with pytest.raises(ConfigError, match=r"no pattern that a \.gitignore could hold"):
        spec([pattern])
    root = make_tree({".gitignore": f"{pattern}\nb.py\n", "a.py": "", "b.py": ""})
    assert walk(Disk(root), [root]).files == ("a.py",)
    with pytest.raises(ConfigError, match=r"no pattern that a \.gitignore could hold"):
        walk(Disk(root), [root], [pattern])


def test_walk_is_not_held_up_by_an_ignore_file(
    make_tree: Callable[[Mapping[str, str]], Path],
) -> None:
    lines = f"{'*a' * 60}*b\n{'**/a/' * 40}b\n{'[ab]*' * 60}c\n"
    names = [f"{'a' * 240}{at}.py" for at in range(20)]
    root = make_tree({".gitignore": lines, f"{'a/' * 90}x.py": "", **dict.fromkeys(names, "")})
    assert walk(Disk(root), [root]).files == (f"{'a/' * 90}x.py", *sorted(names))


def test_walk_goes_down_so_far_and_says_where_it_stopped(
    make_tree: Callable[[Mapping[str, str]], Path],
) -> None:
    root = make_tree({f"{'d/' * 120}x.py": "", "a.py": ""})
    tree = walk(Disk(root), [root])
    assert tree.files == ("a.py",)
    assert [error.reason for error in tree.errors] == ["lies in more than 100 folders"]


@pytest.mark.parametrize(("star", "border"), [(".*", ""), ("[^.]*", ".")])
def test_a_star_that_is_tried_once_means_what_it_meant(star: str, border: str) -> None:
    for text in ("*", "a*b*c", "*a*a*b", "a.*b*.c*a", "*.*a*", "**a", "a*.b"):
        plain = re.escape(text).replace(r"\*", star)
        made = re.compile(once(plain, star, border))
        for length in range(6):
            for letters in product("ab.", repeat=length):
                word = "".join(letters)
                assert bool(made.fullmatch(word)) == bool(re.fullmatch(plain, word)), (text, word)


@pytest.mark.parametrize("kind", ["config-key", "command"])
def test_globs_of_rules_are_tried_once(kind: str) -> None:
    assert not glob(kind, f"{'*a' * 60}*b").fullmatch("a" * 5_000)
    assert glob(kind, f"{'*a' * 60}*b").fullmatch("a" * 5_000 + "b")
