# ruff: noqa: E501 - a text a line is easier to compare
"""Where statements of Python begin and end: near a known start, and in the whole text."""

from __future__ import annotations

from pathlib import Path

import pytest

from portaudit.read.python import quick
from portaudit.read.python.lexing import has_too_deep, is_any_too_deep
from portaudit.read.statements import Statements, split
from syntax import SNIPPETS

SOURCES = sorted((Path(__file__).parent.parent.parent / "portaudit" / "read").rglob("*.py"))
TEXTS = {
    **SNIPPETS,
    **{path.name: path.read_text(encoding="utf-8") for path in SOURCES},
    "comments before, between and behind": "# a\n\nb = [\n  1,\n]\n# c\n\nif d:\n    # e\n    f(\n)\n#g",
    "a header in several lines": "if (a and\n    b): c = (\n    1)\nelse: d\n",
    "lines joined above": "\\\nif a:\n    b\n\\\ndef c():\n    d\n",
    "words of statements at the margin": "a = [b\nif c else d]\ne = f(\nreturn_)\n",
    "decorators": "@a(\n  b)\n@c\ndef d(\n  e): f\n",
    "small ones in a line": "a = (\n1); b; c = [\n2]\nd\n",
    "no end of the last line": "a = 1\nb = (\n2)",
    "texts with hashes and brackets": "a = '''(\n#\n'''\nb = '#(' # [\nc\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_statements_near_a_start_are_those_of_the_whole_text(name: str) -> None:
    text = TEXTS[name]
    tree = quick.read(text)
    if tree is None:
        return
    lines = split(text)
    near, whole = Statements("python", lines, tree.starts), Statements("python", lines)
    rows = range(1, len(lines) + 1)
    assert [near.around(row) for row in rows] == [whole.around(row) for row in rows]


DEEP = {
    "brackets": f"a = {'(' * 199}b{')' * 199}\n",
    "as many as Python reads": f"a = {'(' * 200}b{')' * 200}\n",
    "operators": f"a = {' + '.join('b' * 1_499)}\n",
    "more of them": f"a = {' + '.join('b' * 1_600)}\n",
    "in lists": f"a = [{', '.join('b' * 1_600)}]\n",
    "a long text": f"a = '{'+ ' * 2_000}'\n",
    "behind much else": f"{'x = 1' * 1}\n{'# c' * 1_000}\na = f({' + '.join('b' * 1_600)})\n",
    "a suite": f"if a: b = {'-' * 900}{'[' * 150}c{']' * 150}{' + d' * 500}\n",
}


@pytest.mark.parametrize("name", [*DEEP, *TEXTS])
def test_what_is_too_deep_is_told_by_its_statements_alone(name: str) -> None:
    text = {**DEEP, **TEXTS}[name]
    tree = quick.read(text)
    if tree is not None:
        assert is_any_too_deep(text, tree.starts) == has_too_deep(text)
