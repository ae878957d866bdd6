"""Our positions, computed statement by statement, against libcst's, computed by printing it all."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

import portaudit
from portaudit.read.python.model import build
from portaudit.read.python.parse import Parsed
from portaudit.read.python.positions import Positions
from portaudit.read.python.values import Reader
from portaudit.types import SourceFile, Span
from syntax import SNIPPETS, printed

SOURCES = sorted(Path(portaudit.__file__).parent.rglob("*.py"))


def places(text: str) -> tuple[Reader, dict[cst.CSTNode, Span]]:
    module = cst.parse_module(text)
    reader = Reader(SourceFile("f.py", "python", b""), build(module), Parsed(module, text))
    return reader, printed(module)


def differences(text: str) -> list[str]:
    """Every node that the reader may be asked about, where the two do not agree."""
    reader, expected = places(text)
    asked = [
        node
        for node in reader.model.places
        if isinstance(node, (cst.BaseExpression, cst.Arg, cst.ImportAlias, cst.Decorator))
    ]
    assert asked or not text.strip()
    return [
        f"{reader.model.module.code_for_node(node)}: {reader.span(node)}, libcst {expected[node]}"
        for node in asked
        if reader.span(node) != expected[node]
    ]


@pytest.mark.parametrize("name", SNIPPETS)
def test_span_is_that_of_libcst(name: str) -> None:
    assert not differences(SNIPPETS[name])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_span_is_that_of_libcst_in_our_own_sources(path: Path) -> None:
    assert not differences(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SNIPPETS)
def test_span_of_a_header_starts_where_libcst_says(name: str) -> None:
    reader, expected = places(SNIPPETS[name])
    headers = [
        node
        for node, place in reader.model.places.items()
        if isinstance(node, (cst.If, cst.While, cst.For, cst.With, cst.Try, cst.Match))
        and place.statement is node
    ]
    for node in headers:
        ours = reader.span(node)
        assert (ours.line, ours.column) == (expected[node].line, expected[node].column)
        assert ours.end_line == ours.line


@pytest.mark.parametrize("name", SNIPPETS)
def test_span_selects_the_text_of_the_node(name: str) -> None:
    reader, _ = places(SNIPPETS[name])
    lines = reader.lines
    for call in reader.model.calls:
        span = reader.span(call)
        if span.line == span.end_line:
            shown = lines[span.line - 1][span.column - 1 : span.end_column - 1]
            assert shown == reader.model.module.code_for_node(call).strip("()") or shown


@pytest.mark.parametrize(
    "name",
    [
        "simple",
        "semicolons",
        "decorators",
        "elif",
        "multi-line string",
        "docstring",
        "backslash",
        "brackets",
        "nested f-strings",
        "concatenated",
        "comments",
        "blank lines",
        "no newline",
        "tabs",
        "odd indentation",
        "wide text",
        "parentheses",
        "async",
        "global",
        "imports",
        "annotations",
        "operators",
        "subscripts",
        "dedent comment",
        "empty class lines",
    ],
)
def test_span_needs_no_print_of_the_whole_module(name: str) -> None:
    reader, _ = places(SNIPPETS[name])
    for node in reader.model.places:
        reader.span(node)
    assert "_whole" not in vars(reader.positions)


def test_span_behind_a_form_feed_counts_it() -> None:
    reader, _ = places("a(1)\n\fb(2)\n")
    assert reader.span(reader.model.calls[1]) == Span(2, 2, 2, 6)


def test_span_of_unrelated_text_is_still_that_of_libcst() -> None:
    """Where text and module do not correspond, as after mending, the module is right."""
    module = cst.parse_module("a(1)\npass\nb(2)\n")
    model = build(module)
    positions = Positions(module, "a(1)\nprint 'x'; f(\nb(2)\n")
    spans = [positions.span(call, model.places[call].statement) for call in model.calls]
    assert spans == [Span(1, 1, 1, 5), Span(3, 1, 3, 5)]
