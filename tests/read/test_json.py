"""JSON: positions, comments, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portaudit.read.items import Document
from portaudit.read.json import read
from portaudit.read.text import Text


def document(source: str) -> Document:
    return read(Text("a.json", source))


def settings(source: str) -> list[tuple[str, object, int, int, int]]:
    return [
        (item.name, item.value, item.span.line, item.span.column, item.span.end_column)
        for item in document(source).items
    ]


def test_values_and_where_they_stand() -> None:
    source = '{"a": "é😀", "b": true,\n "c": [1.5, null], "d": {"e": -2}}'
    assert settings(source) == [
        ("a", "é😀", 1, 7, 11),
        ("b", True, 1, 18, 22),
        ("c", 1.5, 2, 8, 11),
        ("c", None, 2, 13, 17),
        ("d", "{}", 2, 20, 23),
        ("d.e", -2, 2, 31, 33),
    ]


def test_escapes_are_read() -> None:
    assert settings(r'{"a\u0062": "x\ny\"z"}') == [("ab", 'x\ny"z', 1, 13, 22)]


def test_comments_trailing_commas_and_not_a_number() -> None:
    source = '// c\n{"a": [1, 2,], /* d */ "b": NaN, "c": -Infinity,}\n'
    found = document(source)
    assert not found.errors
    assert [item.name for item in found.items] == ["a", "a", "b", "c"]


def test_a_value_per_line() -> None:
    assert [name for name, *_ in settings('{"a": 1}\n{"b": 2}\n')] == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "names", "line"),
    [
        (
            '{"a": 1\n"b": 2, "c": {"d": tru, "e": 3], "f": 4',
            ["a", "b", "c", "c.d", "c.e", "c.f"],
            2,
        ),
        ('{"a": 1,\n', ["a"], 2),
        ('{"a" 1,\n"b": 2}', ["b"], 1),
        ('{"a": 1}}', ["a"], 1),
        ('{"a": {"b": 1, {}}, "c": 2}', ["a", "a.b", "c"], 1),
        ('["x", {"a": 1}\n', ["a"], 2),
        ("{a: 1}", ["a"], 1),
    ],
)
def test_damage_is_told_and_the_rest_is_read(source: str, names: list[str], line: int) -> None:
    found = document(source)
    assert [item.name for item in found.items] == names
    assert [error.line for error in found.errors] == [line]


def test_a_template_is_no_damage() -> None:
    found = document('{"a": {{ x }}, {% if y %} "b": 1 {% endif %}}')
    assert not found.errors
    assert [(item.name, item.value) for item in found.items] == [("a", None), ("b", 1)]


@pytest.mark.parametrize(
    "source",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        "}" * 50_000,
        "[" * 150 + '"é",' * 40_000,
        '"' + "\\n" * 100_000,
        '{"a": "' + "é" * 200_000 + '", "b": [' + "1," * 50_000,
        "1" * 100_000,
    ],
)
def test_input_that_was_made_to_hurt(source: str) -> None:
    document(source)


@given(st.text(alphabet='a1:,[]{}"\\/*\n tre', max_size=60))
def test_nothing_is_raised(source: str) -> None:
    document(source)


def test_half_of_a_pair_of_surrogates_is_no_character() -> None:
    assert settings(r'{"a\ud800": "\udc00b", "c": "\ud83d\ude00"}') == [
        ("a?", "?b", 1, 13, 22),
        ("c", "😀", 1, 29, 43),
    ]
