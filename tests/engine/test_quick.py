# ruff: noqa: E501 - a snippet a line is easier to compare
"""What Python's parser makes of a file, against what libcst makes of it."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

from portaudit import scan
from portaudit.catalogue.schema import Rule
from portaudit.read.python import parse, quick
from portaudit.read.python.model import build
from portaudit.read.python.nodes import children, number_value
from portaudit.read.python.parse import Parsed
from portaudit.read.python.positions import Positions
from portaudit.read.python.twins import DisagreementError
from portaudit.read.python.values import Reader
from portaudit.scan import scan_file
from portaudit.types import FileResult, SourceFile
from snippets import catalogue
from syntax import SNIPPETS as POSITIONS
from syntax import printed

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "portaudit" / "read").rglob("*.py"))
SNIPPETS = {
    **POSITIONS,
    "strings": "a = 'x' \"y\" '''z'''\nb = ('a'  # why\n     'b' \\\n     'c')\nc = r'\\d' if b'x' else u'é'\ne = '' 'it\"s' \"it's\"\nf = \"\"\"a'b\"c\\\"\"\"\"\n",
    "f-strings": "a = f'{b!r:>{c}} d' 'e'\nf(f'{a=}' f'{b}', '{c}'.format(d))\ng = rf'\\d{h}'\ni = f'''\n{j}'''\n",
    "numbers": "a = [0x1F, 1_000, 1e-3, .5, 2j, 0o7, -1, 1.]\n",
    "constants": "a = None, True, False, ...\n",
    "slices": "a[1:2, ::3, b], a[(1, 2)], a[(1), 2], a[1,], a[()], a[((1), 2)], a[(1, 2), 3], a[b:]\n",
    "parenthesised slices": "a[(1), (2)], a[(\n1), 2], a[(b)(c), d], a['(', ')'], a[(\n  1, 2\n)]\n",
    "arguments": "f(a, *b, c, d=1, *e, **g)\nf(x for x in y)\nf((x for x in y), z)\nf(**a, b=c)\n",
    "parameters": "def f(a, /, b: int = 1, *c: str, d, e=2, **g) -> None: pass\ndef h(*, i): pass\ndef j(k, /): pass\n",
    "lambdas": "a = lambda: 0, lambda *b, c=1: b, lambda d, /, e=2, **f: d\n",
    "operators": "a and b and c or not d\n-a + b * c ** ~d @ e // f % g\na < b <= c != d is not e not in f\na <<= 1; b //= 2; c @= d; e **= f\n",
    "comprehensions": "[a for b in c if d if e for f in g]\n{a: b for c, d in e}\n{a for b in c}\nasync def f():\n    return [a async for b in c]\n",
    "dicts": "a = {'b': 1, **c, d: e}\nf = {*g, 1}\n",
    "assignments": "a = b = c\nd, *e = f\n[g, (h, i)] = j\nk: int = 1\nl: str\nm.n[0] += o\n",
    "deletes": "del a\ndel b, c\ndel (d, e)\ndel (f)\n",
    "raises": "raise\n",
    "clauses": "if a:\n    b\nelif c:\n    d\nelse:\n    if e:\n        f\n    else:\n        # why\n\n        else_ = g\nfor h in i:\n    break\nelse:\n    continue_ = j\ntry:\n    k\nfinally:\n    # so\n    finally_()\nwhile l: m\nelse: n\n",
    "tries": "try: a\nexcept: b\ntry:\n    a\nexcept (b, c) as d: e\nexcept f:\n    g\nelse: h\nfinally: i\n",
    "withs": "with a, b as c, d as (e, f): g\nwith (a, b): pass\nwith (a as b, c,): pass\nwith (a): pass\n",
    "classes": "class A: pass\nclass B(): pass\n@c\n@d.e(f)\nclass G(H, *I, metaclass=J, **K):\n    'doc'\n    l: int\n",
    "imports": "import a, b.c as d, e.f.g\nfrom . import h\nfrom ..i.j import k as l, m\nfrom n import (o,\n  p as q)\nfrom r import *\nfrom s import t  # (u)\n",
    "yields": "def f():\n    a = yield\n    b = yield c, d\n    yield from e\n    return (yield)\n",
    "names of other alphabets": "größe = 'ü²' + naïve(größe)  # 日本語\n",
    "semicolons and suites": "a; b; c\nif d: e; f\nclass G: h; i = 1\n",
    "only comments": "# a\n\n# b\n",
    "nothing": "",
    "decorated first": "class A:\n    @b\n    @c\n    def d(self): return e\n",
    "walrus": "if (a := b(c)) and (d := e): f(a)\n",
    "starred": "a = *b, c\nfor d in *e, f: pass\nreturn_ = [*g]\n",
}
DOUBTFUL = {
    "carriage returns": "a = 1\r\nb = 2\r\n",
    "names that Python spells otherwise": "ﬁ = 1\n",
    "match": "match a:\n    case 1: pass\n",
    "a line that goes on": "a = 1; \\\nb = 2\n",
    "a suite on the next line": "if a: \\\n  b\n",
    "a starred index": "a[*b]\n",
    "a deleted tuple without parentheses": "del a,\n",
    "no Python": "print 'a'\n",
    "nothing that ends": "f(\n",
}


def pairs(quick_one: cst.CSTNode, whole: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """All nodes of two trees side by side, which must have the same form."""
    waiting = [(quick_one, whole)]
    while waiting:
        both = ours, theirs = waiting.pop()
        yield both
        below = children(ours), children(theirs)
        assert told(ours) == told(theirs)
        assert len(below[0]) == len(below[1]), type(ours).__name__
        waiting.extend(zip(*below, strict=True))


def told(node: cst.CSTNode) -> list[object]:
    """What a node says by itself, as far as anybody asks it."""
    said: list[object] = [type(node).__name__, getattr(node, "asynchronous", None) is None]
    if isinstance(node, (cst.Name, cst.SimpleString, cst.BaseNumber, cst.FormattedStringText)):
        said.append(getattr(node, "value", None))
    if isinstance(node, (cst.Arg, cst.Param)):
        said.append(node.star)
    if isinstance(node, cst.ImportFrom):
        said += [len(node.relative), node.lpar is None]
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        said.append(len(node.decorators))
    return said


def differences(text: str, *, spelled: bool = False) -> list[str]:
    """Whatever two readers of one file are told differently: places, and how nodes are spelled."""
    tree = quick.read(text)
    assert tree is not None
    whole = cst.parse_module(text)
    twins = dict(pairs(tree.module, whole))
    model = build(tree.module)
    parsed = Parsed(tree.module, text, tree=tree)
    reader = Reader(SourceFile("f.py", "python", b""), model, parsed)
    expected, plain = printed(whole), Positions(whole, text)
    found = []
    for node, place in model.places.items():
        if isinstance(node, (cst.BaseExpression, cst.Arg, cst.ImportAlias, cst.Decorator)):
            if reader.span(node) != expected[twins[node]]:
                found.append(f"{node}: {reader.span(node)}, libcst {expected[twins[node]]}")
            if spelled and reader.code(node) != plain.code(twins[node], twins[place.statement]):
                found.append(f"{node}: {reader.code(node)}")
        line = plain.line(twins[place.statement])
        if reader.positions.line(place.statement) != line:
            found.append(f"{place.statement}: begins in another line")
        if reader.positions.last(line) != plain.last(line):
            found.append(f"{place.statement}: ends in another line")
    return found


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_tree_is_that_of_libcst(name: str) -> None:
    if quick.read(SNIPPETS[name]) is None:
        assert name in UNREAD
    else:
        assert name not in UNREAD
        assert not differences(SNIPPETS[name], spelled=True)


UNREAD = {"match", "crlf", "cr", "type parameters"}
if sys.version_info < (3, 11):
    UNREAD.add("try star")
"""Snippets that libcst reads alone."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_tree_is_that_of_libcst_for_our_own_sources(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert quick.read(text) is None or not differences(text)


def test_most_of_our_own_sources_have_a_tree() -> None:
    lost = [path for path in SOURCES if quick.read(path.read_text(encoding="utf-8")) is None]
    assert len(lost) * 20 < len(SOURCES), lost


@pytest.mark.parametrize("name", DOUBTFUL)
def test_in_doubt_there_is_no_tree(name: str) -> None:
    assert quick.read(DOUBTFUL[name]) is None


# --- whole results --------------------------------------------------------------------------------


def python_of(rule: Rule) -> Iterator[tuple[str, bytes]]:
    """The Python files in the tests of a rule."""
    for test in rule.test:
        for path, text in test.files.items():
            if path.endswith(".py"):
                yield path, text.encode()
        for text in (test.bad, test.good):
            if text:
                yield "snippet.py", text.encode()


def result(path: str, content: bytes) -> FileResult:
    return scan_file(SourceFile(path, "python", content), catalogue(), "torchneuron")


@pytest.fixture
def by_libcst(monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards nothing is read but by libcst."""
    monkeypatch.setattr(scan, "_recent", scan._Recent())
    monkeypatch.setattr(quick, "read", lambda _: None)


@pytest.mark.parametrize("rule", catalogue().rules)
def test_results_of_rule_tests_are_those_by_libcst(
    rule: str, request: pytest.FixtureRequest
) -> None:
    files = list(python_of(catalogue().rules[rule]))
    ours = [result(*file) for file in files]
    request.getfixturevalue("by_libcst")
    assert ours == [result(*file) for file in files]


@pytest.mark.parametrize("path", sorted(ROOT.glob("fixtures/**/*.py")), ids=lambda path: path.name)
def test_results_of_fixtures_are_those_by_libcst(
    path: Path, request: pytest.FixtureRequest
) -> None:
    content = path.read_bytes()
    ours = result("a.py", content)
    request.getfixturevalue("by_libcst")
    assert ours == result("a.py", content)


def test_libcst_is_right_where_the_parsers_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"import torch\nx.cuda()\n"
    expected = result("a.py", content)

    read = quick.read

    def other(_: str) -> quick.Tree | None:
        return read("import torch\ny.cuda()\n")

    monkeypatch.setattr(scan, "_recent", scan._Recent())
    monkeypatch.setattr(quick, "read", other)
    assert result("a.py", content) == expected
    assert expected.findings


def test_a_disagreement_is_an_error_of_its_own() -> None:
    tree = quick.read("a = b\n")
    assert tree is not None
    positions = Positions(tree.module, "a = c\n", tree)
    statement = tree.module.body[0]
    with pytest.raises(DisagreementError):
        positions.code(statement, statement)


def test_a_notebook_with_a_damaged_cell_keeps_the_places_of_the_others(
    request: pytest.FixtureRequest,
) -> None:
    cells = ["import torch\n", "x = = 1\n", "\ny = (\n  x.cuda() )\n"]
    content = json.dumps(
        {
            "cells": [
                {"cell_type": "code", "id": f"c{place}", "source": [text], "outputs": []}
                for place, text in enumerate(cells)
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    ).encode()
    source = SourceFile("a.ipynb", "notebook", content)
    ours = scan_file(source, catalogue(), "torchneuron")
    request.getfixturevalue("by_libcst")
    assert ours == scan_file(source, catalogue(), "torchneuron")
    assert ours.findings


def test_by_libcst_keeps_what_was_left_out() -> None:
    parsed = parse.parse("a.py", b"a = 1\n")
    assert parsed.tree is not None
    again = parsed.by_libcst("a.py")
    assert isinstance(again, Parsed)
    assert again.tree is None
    assert again.module.code == "a = 1\n"


def test_what_libcst_does_not_know_costs_its_statement_and_not_the_file() -> None:
    code = b"import torch\n(y): int = torch.cuda.synchronize()\ntorch.cuda.synchronize()\n"
    found = result("a.py", code)
    assert not found.failed
    assert [error.line for error in found.errors] == [2]
    assert [(each.rule, each.span.line, each.confidence) for each in found.findings] == [
        ("DEV007", 3, "low")
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), ("00", 0), ("0x1F", 31), ("0b1_0", 2), ("0O17", 15), ("1_000", 1000)),
        *(("1.", 1.0), (".5", 0.5), ("1e-3", 0.001), ("1_0.0_1", 10.01), ("1" * 5_000, None)),
    ],
)
def test_a_number_is_what_python_reads(text: str, value: float | None) -> None:
    node = cst.parse_expression(text)
    assert isinstance(node, (cst.Integer, cst.Float))
    found = number_value(node)
    assert (found, type(found)) == (value, type(value))


def _nodes() -> int:
    kinds = {"Scope", "Binding", "Place", "Name", "Call"}
    return sum(type(each).__name__ in kinds for each in gc.get_objects())


def test_what_was_taken_apart_is_freed_without_a_search() -> None:
    text = (ROOT / "portaudit" / "read" / "python" / "model.py").read_text(encoding="utf-8")
    text += "\nclass A:\n    def b(self): return [c for c in self.d if lambda: c]\n"
    gc.collect()
    gc.disable()
    try:
        before = _nodes()
        model = build(parse.parse("f.py", text.encode()).module)
        there = _nodes()
        model.let_go()
        del model
        left = _nodes()
    finally:
        gc.enable()
    assert there > before + 1000
    assert left == before
