"""Where nodes stand, computed only for statements that are asked about.

libcst finds positions by printing the whole module, which costs several times the parse. Here every
statement is matched with its logical line first, which is cheap, and only the statement around a
wanted node is printed. Wherever the two do not agree to the letter, libcst's own answer is used.
Of a quick tree Python's parser knows where most nodes stand; for the others libcst reads again the
statement that they are in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from portaudit.read.python.lexing import LEAD, logical_lines
from portaudit.read.python.quick import Tree
from portaudit.read.python.twins import Twins, spanned
from portaudit.types import Span


class _MismatchError(Exception):
    """The statements and the logical lines do not correspond."""


class Positions:
    """Answers where a node of one module stands, and how it is spelled."""

    def __init__(self, module: cst.Module, text: str, tree: Tree | None = None) -> None:
        self._module = module
        self._text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self._text.split("\n")
        self._tree = tree
        self._twins = Twins(tree, self.lines) if tree else None
        self._local: dict[cst.CSTNode, Mapping[cst.CSTNode, Span] | None] = {}
        self._codes: dict[cst.CSTNode, str] = {}

    def span(self, node: cst.CSTNode, statement: cst.CSTNode) -> Span:
        """The region of a node inside a statement (or inside the header of a compound one)."""
        if node is statement and not isinstance(node, cst.SimpleStatementLine):
            start = self._first(node)
            if start is not None:
                return self._header(start)
        elif self._tree is not None:
            told = spanned(self._tree, self.lines, node)
            if told is not None:
                return told
        local = self._of_statement(statement)
        if local is not None and node in local:
            return local[node]
        return _span(self._whole[node])

    def code(self, node: cst.CSTNode, statement: cst.CSTNode) -> str:
        """The text of a node, as libcst prints it; of a statement without what is above it."""
        if node is statement and node in self._codes:
            return self._codes[node]
        module, twin = self._module, node
        if self._twins is not None:
            module, twin = self._twins.twin(node, statement)
        if isinstance(twin, cst.SimpleStatementLine):
            twin = twin.with_changes(leading_lines=())
        code = module.code_for_node(twin)
        if node is statement:  # asked for again by whatever else stands in it
            self._codes[node] = code
        return code

    def line(self, statement: cst.CSTNode) -> int:
        """The line in which a statement begins: nothing is printed for it."""
        start = self._first(statement)
        return self.span(statement, statement).line if start is None else start

    def _first(self, statement: cst.CSTNode) -> int | None:
        if self._tree is None:
            return self._starts.get(statement)
        lines = self._tree.lines.get(id(statement))
        return lines[0] if lines else None

    def last(self, line: int) -> int:
        """The last line before the statement or clause that follows the one in a line."""
        at = bisect_right(self._ordered, line)
        return self._ordered[at] - 1 if at < len(self._ordered) else len(self.lines)

    @cached_property
    def _ordered(self) -> Sequence[int]:
        return sorted(self._starts.values()) if self._tree is None else self._tree.starts

    def _header(self, line: int) -> Span:
        text = self.lines[line - 1]
        column = len(text) - len(text.lstrip()) + 1
        return Span(line, column, line, len(text.rstrip()) + 1)

    @cached_property
    def _whole(self) -> Mapping[cst.CSTNode, CodeRange]:
        if self._twins is not None:
            places = _printed(self._twins.whole.module)
            return {node: places[twin] for node, twin in self._twins.whole.twins.items()}
        return _printed(self._module)

    @cached_property
    def _starts(self) -> dict[cst.CSTNode, int]:
        """The first line of every statement, clause and decorated definition."""
        starts: dict[cst.CSTNode, int] = {}
        try:
            lines = _first_lines(self._text)
            _number(self._module.body, lines, starts)
            if next(lines, None) is not None:
                return {}
        except _MismatchError:
            return {}
        return starts

    def _of_statement(self, statement: cst.CSTNode) -> Mapping[cst.CSTNode, Span] | None:
        if statement not in self._local:
            self._local[statement] = (
                self._print(statement) if self._twins is None else self._of_piece(statement)
            )
        return self._local[statement]

    def _of_piece(self, statement: cst.CSTNode) -> dict[cst.CSTNode, Span] | None:
        piece = self._twins.piece(statement) if self._twins else None
        if piece is None:
            return None
        places = _printed(piece.module)
        return {
            node: _span(places[twin], piece.above)
            for node, twin in piece.twins.items()
            if twin in places
        }

    def _print(self, statement: cst.CSTNode) -> dict[cst.CSTNode, Span] | None:
        start = self._starts.get(statement)
        shell = _shell(statement)
        if start is None or shell is None:
            return None
        small = cst.Module([shell], default_indent=self._module.default_indent)
        shifts = self._shifts(small.code.split("\n"), start)
        if shifts is None:
            return None
        found: dict[cst.CSTNode, Span] = {}
        for node, place in _printed(small).items():
            rows = place.start.line - 1, place.end.line - 1
            if max(rows) < len(shifts):
                found[node] = Span(
                    start + rows[0],
                    place.start.column + shifts[rows[0]] + 1,
                    start + rows[1],
                    place.end.column + shifts[rows[1]] + 1,
                )
        return found

    def _shifts(self, shown: list[str], start: int) -> list[int] | None:
        """How far each printed line is from the margin in the source; None if they differ."""
        if start - 1 + len(shown) > len(self.lines) + 1:
            return None
        first = self.lines[start - 1]
        indent = first[: len(first) - len(first.lstrip())]
        shifts: list[int] = []
        for row, source in zip(shown, self.lines[start - 1 :], strict=False):
            header = row.removesuffix("pass")
            if source == indent + row:
                shifts.append(len(indent))
            elif source == row:
                shifts.append(0)
            elif row.endswith(": pass") and source.startswith(indent + header.rstrip()):
                shifts.append(len(indent))
            elif row.endswith(": pass") and source.startswith(f"{indent}el{header.rstrip()}"):
                shifts.append(len(indent) + len("el"))
            elif not row:
                break  # behind the last line
            else:
                return None
        return shifts


def _printed(module: cst.Module) -> Mapping[cst.CSTNode, CodeRange]:
    """Where libcst says that nodes stand."""
    return MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)


def _span(place: CodeRange, above: int = 0) -> Span:
    start, end = place.start, place.end
    return Span(start.line + above, start.column + 1, end.line + above, end.column + 1)


def _first_lines(text: str) -> Iterator[int]:
    """Line numbers where the code of logical lines begins, blank lines and comments left out."""
    line = 1
    for start, end in logical_lines(text):
        part = text[start:end]
        stripped = part.strip()
        if stripped and not stripped.startswith("#") and stripped != "\\":
            lead = LEAD.match(part)
            yield line + (lead[0].count("\n") if lead else 0)
        line += part.count("\n")


def _next(lines: Iterator[int]) -> int:
    line = next(lines, None)
    if line is None:
        raise _MismatchError
    return line


def _number(body: object, lines: Iterator[int], starts: dict[cst.CSTNode, int]) -> None:
    """Give every statement of a block, and every clause below it, its first line."""
    if not isinstance(body, (list, tuple)):
        return
    for statement in body:
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
            rows = [_next(lines) for _ in statement.decorators]
            header = _next(lines)
            starts[statement] = rows[0] if rows else header
            starts.update(zip(statement.decorators, rows, strict=True))
            _number_block(statement.body, lines, starts)
        elif isinstance(statement, cst.BaseCompoundStatement):
            starts[statement] = _next(lines)
            if isinstance(statement, cst.Match):
                for case in statement.cases:
                    starts[case] = _next(lines)
                    _number_block(case.body, lines, starts)
                continue
            _number_block(statement.body, lines, starts)
            _number_clauses(statement, lines, starts)
        else:
            starts[statement] = _next(lines)


def _number_clauses(
    statement: cst.BaseCompoundStatement, lines: Iterator[int], starts: dict[cst.CSTNode, int]
) -> None:
    clauses: list[cst.CSTNode] = list(getattr(statement, "handlers", ()))
    clauses += [
        clause
        for clause in (getattr(statement, "orelse", None), getattr(statement, "finalbody", None))
        if clause is not None
    ]
    for clause in clauses:
        if isinstance(clause, cst.If):
            _number([clause], lines, starts)
        else:
            starts[clause] = _next(lines)
            _number_block(getattr(clause, "body", None), lines, starts)


def _number_block(block: object, lines: Iterator[int], starts: dict[cst.CSTNode, int]) -> None:
    if isinstance(block, cst.IndentedBlock):
        _number(block.body, lines, starts)


_PASS = cst.SimpleStatementSuite([cst.Pass()])


def _shell(
    statement: cst.CSTNode,
) -> cst.SimpleStatementLine | cst.BaseCompoundStatement | None:
    """The statement without what stands before it and without its body."""
    if isinstance(statement, cst.SimpleStatementLine):
        return statement.with_changes(leading_lines=())
    if isinstance(statement, (cst.If, cst.While, cst.For)):
        block = statement.body if isinstance(statement.body, cst.SimpleStatementSuite) else _PASS
        return statement.with_changes(leading_lines=(), body=block, orelse=None)
    if isinstance(statement, cst.With):
        block = statement.body if isinstance(statement.body, cst.SimpleStatementSuite) else _PASS
        return statement.with_changes(leading_lines=(), body=block)
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        return statement.with_changes(
            leading_lines=(), decorators=_bare(statement.decorators), body=_PASS
        )
    return None


def _bare(decorators: object) -> object:
    if not isinstance(decorators, (list, tuple)) or not decorators[:1]:
        return decorators
    if not decorators[0].leading_lines:
        return decorators  # the nodes themselves, so that they can be found
    first = decorators[0].with_changes(leading_lines=())
    return (first, *decorators[1:])
