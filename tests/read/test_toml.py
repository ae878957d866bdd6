"""TOML: tables, positions, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portaudit.read.items import Document
from portaudit.read.text import Text
from portaudit.read.toml import read


def document(source: str) -> Document:
    return read(Text("a.toml", source))


def settings(source: str) -> list[tuple[str, object, int, int]]:
    return [
        (item.name, item.value, item.span.line, item.span.column)
        for item in document(source).items
        if item.value != "{}"
    ]


def test_tables_dotted_keys_and_lists_of_tables() -> None:
    source = """\
a.b = 1
[x."y.z"]
q = 'l\\n'
[[t]]
r = {s = true, t.u = ["é", 2.5]}
[t.w]
v = -2
[[t]]
day = 1979-05-27
"""
    assert settings(source) == [
        ("a.b", 1, 1, 7),
        ("x.y.z.q", "l\\n", 3, 5),
        ("t.r.s", True, 5, 10),
        ("t.r.t.u", "é", 5, 23),
        ("t.r.t.u", 2.5, 5, 28),
        ("t.w.v", -2, 7, 5),
        ("t.day", "1979-05-27", 9, 7),
    ]


def test_elements_of_a_list_of_tables_are_groups_of_their_own() -> None:
    first, second, third = document("[[t]]\na = 1\nb = 2\n[[t]]\na = 3\n").items
    assert first.group == second.group != third.group


def test_escapes_and_several_lines() -> None:
    assert settings('a = "x\\ty"\nb = """\nc\nd"""\n') == [
        ("a", "x\ty", 1, 5),
        ("b", "\nc\nd", 2, 5),
    ]


def test_damage_is_told_and_the_rest_is_read() -> None:
    found = document('a = 1\nbad =\nb = "x"\n[t]\nc = 2\n')
    assert [item.name for item in found.items] == ["a", "b", "t", "t.c"]
    assert [error.line for error in found.errors] == [2]


def test_a_task_runs_its_command() -> None:
    source = '[tool.poe.tasks]\ntrain = "torchrun a.py --fp16"\n'
    commands = [
        item for item in read(Text("pyproject.toml", source)).items if item.kind == "command"
    ]
    assert [(item.name, item.span.line, item.span.column) for item in commands] == [
        ("torchrun", 2, 10)
    ]


@pytest.mark.parametrize(
    "source",
    [
        "[" * 20_000,
        "a" + ".a" * 20_000 + "=1",
        "a = " + "[" * 20_000,
        "[[a]]\n" * 20_000,
        "a=1\n" * 20_000,
    ],
)
def test_input_that_was_made_to_hurt(source: str) -> None:
    document(source)


@given(st.text(alphabet="a1.=,[]{}\"'\\\n t#", max_size=60))
def test_nothing_is_raised(source: str) -> None:
    document(source)


def test_a_value_that_is_missing_at_the_end_is_damage() -> None:
    errors = document("dependencies = [\n]\ndev = ").errors
    assert [(each.reason, each.line) for each in errors] == [("not valid TOML", 3)]


@pytest.mark.parametrize(
    "source",
    [
        f"{'.'.join(['a'] * 50_000)} = 'cuda'\n",
        f"[{'.'.join(['a'] * 50_000)}]\nb = 1\n",
        f"[[{'.'.join(['a'] * 50_000)}]]\nb = 1\n",
        "a = " + "[" * 5_000 + "]" * 5_000 + "\n",
        "a = " + "{a = " * 5_000 + "1" + "}" * 5_000 + "\n",
    ],
    ids=["key", "table", "tables", "lists", "inline"],
)
def test_what_is_nested_too_deeply_is_said_and_the_rest_read(source: str) -> None:
    found = document(f"{source}[tool.x]\ndevice = 'cuda'\n")
    assert [(each.reason, each.line) for each in found.errors] == [("nested too deeply", 1)]
    assert any(item.name == "tool.x.device" for item in found.items)
