"""Native code in strings that Python compiles: `load_inline`, `RawKernel`, `SourceModule`.

A string counts if such a call is given it, or if it defines a kernel in a file that has such a
call: the way from one to the other often leads through functions and tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import libcst as cst
from msgspec.structs import replace

from portaudit.catalogue.globs import any_of
from portaudit.catalogue.native import words
from portaudit.read.items import Document
from portaudit.read.python.nodes import last_name, string_value
from portaudit.read.python.values import LocalText, Reader, argument
from portaudit.read.text import Text
from portaudit.types import GUARD_STATES, Binding, Bound, Finding, NativeFacts, Span

KERNEL = "__global__"
_NATIVE = re.compile(r"__global__|#\s*include|<<<|::")
_LITERALS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)
_STRING = re.compile(r"([A-Za-z]{0,2})(\"\"\"|'''|\"|')")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "r": "", "\n": ""}
PLACEHOLDER = "VALUE"
"""Stands for a formatted value: a name in most places where native code has one."""
_MOST = 200
"""Expressions that one argument is followed through."""


def sources(reader: Reader) -> Document:
    """The native code in a file's strings, as one document; empty where none is compiled."""
    found: dict[cst.BaseExpression, None] = {}
    bound: list[Bound] = []
    known = set(words().python.compilers)
    likely = any_of(words().python.likely)
    compiles = False
    compiling = set(reader.calls_of(known))
    for call in reader.model.calls:
        certain = call in compiling
        if not certain and not ((name := last_name(call.func)) and likely.match(name)):
            continue
        compiles |= certain
        for literal in _flowing(reader, call):
            text = _raw(reader, literal)
            if KERNEL in text or (certain and _NATIVE.search(text)):
                found[literal] = None
        if certain:
            bound.extend(_bound(reader, call))
    if compiles:
        for literal in reader.model.strings:
            if KERNEL in _raw(reader, literal) and not _is_documentation(reader, literal):
                found[literal] = None
    if not found and not bound:
        return Document()
    return _joined([_read(reader, literal) for literal in _outermost(reader, found)], bound)


def guarded(document: Document, findings: Iterable[Finding]) -> Document:
    """The document with the weakest guard of the findings that compile code in this file."""
    calls = [each for each in findings if each.category == "cuda-source"]
    if not calls or not document.items:
        return document
    weakest = min(calls, key=lambda each: GUARD_STATES.index(each.guard))
    items = tuple(
        replace(item, guard=weakest.guard, guard_by=weakest.guard_by)
        if item.guard == "none"
        else item
        for item in document.items
    )
    return replace(document, items=items)


def _joined(documents: list[Document], bound: list[Bound]) -> Document:
    from portaudit.read.native import HOST, KERNELS  # noqa: PLC0415 - few files hold native code

    kernels = tuple(kernel for each in documents for kernel in each.kernels)
    forms = KERNELS if kernels else HOST
    items = [replace(item, forms=forms) for each in documents for item in each.items]
    return Document(
        tuple(sorted(items, key=lambda item: item.span)),
        kernels,
        NativeFacts(
            tuple(function for each in documents for function in each.native.functions),
            (*(entry for each in documents for entry in each.native.bound), *bound),
            tuple(function for each in documents for function in each.native.on_device),
            loose=tuple(name for each in documents for name in each.native.loose),
        ),
    )


def _bound(reader: Reader, call: cst.Call) -> Iterator[Bound]:
    """`load_inline(functions=["scale"])`: what Python sees of the code."""
    value = argument(call, ("functions", 3)).value
    line = reader.span(call).line
    for element in reader.elements(value) or ([value] if value is not None else []):
        text = string_value(element)
        if text and text[1]:
            yield Bound(Binding("pybind", text[0], reader.source.path, line), text[0])


def _flowing(reader: Reader, call: cst.Call) -> Iterator[cst.BaseExpression]:
    """The string literals that a call is given, through names, lists, sums and methods."""
    waiting: list[cst.BaseExpression] = [each.value for each in call.args]
    seen: set[cst.CSTNode] = set()
    while waiting and len(seen) < _MOST:
        node = waiting.pop(0)
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, _LITERALS):
            yield node
        elif isinstance(node, cst.Name) and node in reader.model.places:
            waiting.extend(each.value for each in reader.bindings(node) if each.value is not None)
        elif isinstance(node, (cst.List, cst.Tuple)):
            waiting.extend(each.value for each in node.elements)
        elif isinstance(node, cst.BinaryOperation):
            waiting.extend((node.left, node.right))
        elif isinstance(node, cst.IfExp):
            waiting.extend((node.body, node.orelse))
        elif isinstance(node, cst.Call):
            waiting.extend(each.value for each in node.args)
            if isinstance(node.func, cst.Attribute):
                waiting.append(node.func.value)
        else:
            texts = (text for text in reader.texts(node) if isinstance(text, LocalText))
            waiting.extend(text.node for text in texts)


def _is_documentation(reader: Reader, node: cst.CSTNode) -> bool:
    return isinstance(reader.model.parents.get(node), cst.Expr)


def _outermost(reader: Reader, found: Iterable[cst.BaseExpression]) -> Iterator[cst.BaseExpression]:
    """Literals that are not a part of another one, in the order of the file."""
    spans = sorted(((_place(reader, each), each) for each in found), key=lambda pair: pair[0])
    end = (0, 0)
    for span, literal in spans:
        if (span.line, span.column) >= end:
            yield literal
            end = span.end_line, span.end_column


def _place(reader: Reader, node: cst.BaseExpression) -> Span:
    return reader.span(node)


def _raw(reader: Reader, node: cst.BaseExpression) -> str:
    """A literal as it is spelled in the file."""
    span = _place(reader, node)
    lines = [reader.line(number) for number in range(span.line, span.end_line + 1)]
    if not lines:
        return ""
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def _read(reader: Reader, literal: cst.BaseExpression) -> Document:
    """The code in a literal."""
    from portaudit.read.native import code  # noqa: PLC0415 - few files hold native code

    return code(written(reader, literal), nvcc=True)


def written(reader: Reader, literal: cst.BaseExpression) -> Text:
    """What a literal says, as a text whose lines know where in the file they begin."""
    span = _place(reader, literal)
    value: list[str] = []
    starts: list[tuple[int, int]] = []
    for letter, line, column in _letters(_raw(reader, literal), span):
        if not value or value[-1] == "\n":
            starts.append((line, column))
        value.append(letter)
    if value and value[-1] == "\n":
        starts.append(starts[-1])
    return Text(reader.source.path, "".join(value), tuple(starts) or ((span.line, span.column),))


def _letters(raw: str, span: Span) -> Iterator[tuple[str, int, int]]:
    """The letters that a literal means, each with its line and column in the file."""
    breaks = [-1, *(at for at, letter in enumerate(raw) if letter == "\n")]
    row = at = 0
    opening = _STRING.search(raw)
    while opening:
        prefix, quotes = opening[1].lower(), opening[2]
        at = opening.end()
        while at < len(raw) and not raw.startswith(quotes, at):
            while row + 1 < len(breaks) and breaks[row + 1] < at:
                row += 1
            column = at - breaks[row] + (0 if row else span.column - 1)
            meant, at = _meant(raw, at, prefix)
            for letter in meant:
                yield letter, span.line + row, column
        opening = _STRING.search(raw, at + len(quotes))


def _meant(raw: str, at: int, prefix: str) -> tuple[str, int]:
    """What stands at an index of a literal, and where the next thing does."""
    letter = raw[at]
    if letter == "\\" and "r" not in prefix and at + 1 < len(raw):
        return _ESCAPES.get(raw[at + 1], "?"), at + 2
    if letter == "\\" and at + 1 < len(raw) and raw[at + 1] in "\"'":
        return raw[at : at + 2], at + 2
    if letter in "{}" and "f" in prefix:
        if raw[at : at + 2] == letter * 2:
            return letter, at + 2
        end = raw.find("}", at)
        return (PLACEHOLDER, end + 1) if letter == "{" and end > at else ("", at + 1)
    return letter, at + 1
