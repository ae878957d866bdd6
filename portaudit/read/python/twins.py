"""What libcst itself makes of the statements of a quick tree: twins of its nodes, on demand.

Both parsers must agree on every statement that is asked for: what stands where, and how it is
spelled, comes from libcst wherever Python's parser does not say it in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

import libcst as cst
from msgspec import Struct

from portaudit.read.python.nodes import REFUSALS, children
from portaudit.read.python.quick import Tree, column, place_of
from portaudit.types import Span


class DisagreementError(Exception):
    """The two parsers do not read the same: libcst is right."""


class Piece(Struct, frozen=True, eq=False):
    """Lines of a file that libcst read: those from the one behind `above` on."""

    module: cst.Module
    above: int
    twins: Mapping[cst.CSTNode, cst.CSTNode]


_SAME = (
    *(cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.SimpleString, cst.ConcatenatedString),
    *(cst.FormattedString, cst.Integer, cst.Float, cst.List, cst.Dict, cst.Set, cst.ListComp),
    *(cst.DictComp, cst.SetComp, cst.Comparison, cst.BinaryOperation, cst.UnaryOperation),
    *(cst.IfExp, cst.Lambda, cst.ImportAlias, cst.Await, cst.NamedExpr, cst.ImportFrom),
)
"""Nodes that begin and end for both parsers in the same place."""
_KINDS: frozenset[type[cst.CSTNode]] = frozenset(_SAME)


def spanned(tree: Tree, rows: Sequence[str], node: cst.CSTNode) -> Span | None:
    """Where a node stands, if Python's parser says it as libcst does."""
    if type(node) not in _KINDS:
        return None
    place = place_of(tree, node)
    if place is None:
        return None
    line, start, end_line, end = place
    return Span(
        line, column(rows[line - 1], start) + 1, end_line, column(rows[end_line - 1], end) + 1
    )


class Twins:
    """The twins of one file."""

    def __init__(self, tree: Tree, rows: Sequence[str]) -> None:
        self._tree = tree
        self._rows = rows
        self._pieces: dict[cst.CSTNode, Piece | None] = {}

    def twin(self, node: cst.CSTNode, statement: cst.CSTNode) -> tuple[cst.Module, cst.CSTNode]:
        """What libcst makes of a node in a statement, and the module that this is a part of."""
        piece = self.piece(statement)
        if piece is None or node not in piece.twins:
            piece = self.whole
        return piece.module, piece.twins[node]

    @cached_property
    def whole(self) -> Piece:
        """The whole file. Raises `DisagreementError`."""
        module = _parsed.__wrapped__("\n".join(self._rows))
        twins: dict[cst.CSTNode, cst.CSTNode] = {}
        if module is None or not _pair(self._tree.module, module, twins):
            raise DisagreementError
        return Piece(module, 0, twins)

    def piece(self, statement: cst.CSTNode) -> Piece | None:
        """A statement, or the header of a compound one."""
        if statement not in self._pieces:
            self._pieces[statement] = self._read(statement)
        return self._pieces[statement]

    def _read(self, statement: cst.CSTNode) -> Piece | None:
        rows, first = self._text(statement)
        if not rows:
            return None
        above = first - 1
        if isinstance(statement, _HANDLERS):
            rows = [f"{_indent(rows[0])}try: pass", *rows]
            above -= 1
        if _indent(rows[0]):
            rows = ["if 1:", *rows]
            above -= 1
        module = _parsed("\n".join([*rows, ""]))
        twin = _inner(module, statement) if module else None
        twins: dict[cst.CSTNode, cst.CSTNode] = {}
        if module is None or twin is None or not _pair_headers(statement, twin, twins):
            return None
        return Piece(module, above, twins)

    def _text(self, statement: cst.CSTNode) -> tuple[list[str], int]:
        """The lines of a statement without its body, and the number of the first."""
        lines = self._tree.lines.get(id(statement))
        if lines is None:
            return self._part(statement)
        first, last = lines
        rows = list(self._rows[first - 1 : last])
        body = getattr(statement, "body", None)
        if isinstance(body, cst.IndentedBlock):
            rows.append(f"{_indent(rows[0])} pass")
        if isinstance(statement, cst.If):
            head = rows[0].lstrip()
            if head.startswith("elif"):
                rows[0] = f"{_indent(rows[0])}  {head[2:]}"
        return rows, first

    def _part(self, statement: cst.CSTNode) -> tuple[list[str], int]:
        """The same of one that shares its first line with the header around it."""
        place = place_of(self._tree, statement)
        if place is None or not isinstance(statement, cst.BaseSmallStatement):
            return [], 0
        line, start, end_line, end = place
        rows = list(self._rows[line - 1 : end_line])
        rows[-1] = rows[-1][: column(rows[-1], end)]
        start = column(rows[0], start)
        rows[0] = " " * start + rows[0][start:]
        return rows, line


_HANDLERS = (cst.ExceptHandler, cst.ExceptStarHandler)
_BLOCKS = (cst.BaseSuite, cst.If, cst.Else, cst.Finally, *_HANDLERS)
"""Parts of a compound statement that are statements themselves."""


def _indent(row: str) -> str:
    return row[: len(row) - len(row.lstrip())]


@lru_cache(maxsize=256)
def _parsed(text: str) -> cst.Module | None:
    """What libcst reads, which nobody changes: a third of the statements stand in several files."""
    try:
        return cst.parse_module(text)
    except (*REFUSALS, RecursionError):
        return None


def _inner(module: cst.Module, statement: cst.CSTNode) -> cst.CSTNode | None:
    """The statement that was read, out of what had to be put around it."""
    found: cst.CSTNode = module.body[0]
    if isinstance(found, cst.If) and not isinstance(statement, cst.If):
        found = found.body.body[0]
    elif isinstance(found, cst.If) and isinstance(found.test, cst.Integer):
        inner = found.body.body[0]
        found = inner if isinstance(inner, cst.If) else found
    if isinstance(statement, _HANDLERS):
        return found.handlers[0] if isinstance(found, (cst.Try, cst.TryStar)) else None
    if isinstance(found, cst.SimpleStatementLine) and isinstance(statement, cst.BaseSmallStatement):
        return found.body[0]
    return found


def _pair_headers(
    node: cst.CSTNode, twin: cst.CSTNode, twins: dict[cst.CSTNode, cst.CSTNode]
) -> bool:
    """Pair a statement with its twin, apart from the blocks in it."""
    if isinstance(node, cst.BaseCompoundStatement | cst.ExceptHandler | cst.ExceptStarHandler):
        twins[node] = twin
        ours = [each for each in children(node) if not _is_block(each)]
        theirs = [each for each in children(twin) if not _is_block(each)]
        return (
            type(node) is type(twin)
            and len(ours) == len(theirs)
            and all(_pair(*both, twins) for both in zip(ours, theirs, strict=True))
        )
    return _pair(node, twin, twins)


def _is_block(node: cst.CSTNode) -> bool:
    return isinstance(node, _BLOCKS) and not isinstance(node, cst.SimpleStatementSuite)


def _pair(node: cst.CSTNode, twin: cst.CSTNode, twins: dict[cst.CSTNode, cst.CSTNode]) -> bool:
    """Pair all nodes with their twins; whether they are the same."""
    waiting = [(node, twin)]
    while waiting:
        ours, theirs = waiting.pop()
        twins[ours] = theirs
        inner, others = list(children(ours)), list(children(theirs))
        if type(ours) is not type(theirs) or len(inner) != len(others):
            return False
        if getattr(ours, "value", "") != getattr(theirs, "value", "") and not inner:
            return False  # names and literals, which have nothing but their text
        waiting.extend(zip(inner, others, strict=True))
    return True
