"""Source -> a tree of libcst's nodes by Python's own parser: five times as fast as libcst's.

The nodes are those that libcst would make, but for white space and punctuation. What Python's
parser does not tell (how f-strings are spelled) libcst reads, piece by piece; for whatever else
cannot be told for sure there is no tree, and the file is libcst's.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import libcst as cst
from msgspec import Struct

from portaudit.read.python import making as make
from portaudit.read.python.lexing import is_too_deep
from portaudit.read.python.nodes import REFUSALS

_Node = TypeVar("_Node", bound=cst.CSTNode)
_Placed = ast.expr | ast.stmt | ast.alias
Small = cst.BaseSmallStatement
_TRY_STAR: type[ast.AST] | None = getattr(ast, "TryStar", None)
"""What Python 3.10 does not have."""


class Tree(Struct, frozen=True, eq=False):
    """A module without its white space, and where its parts stand.

    `places` has, by the ids of nodes, what Python's parser made of the same expressions, aliases
    and small statements: it says where they begin and end. For the name of a member that is the
    whole attribute, of which it is the end. `lines` has
    the first and the last line of statements, of compound ones those of their headers; `starts` are
    the first lines of all statements, clauses and decorators, in order.
    """

    module: cst.Module
    places: Mapping[int, _Placed]
    lines: Mapping[int, tuple[int, int]]
    starts: Sequence[int]


def read(text: str) -> Tree | None:
    """The tree of a text, if that can be told without libcst."""
    if "\r" in text or not (text.isascii() or _is_normal(text)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = ast.parse(text)
        builder = _Builder(text)
        module = make.module(builder.block(parsed.body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    except (_DoubtError, *REFUSALS):
        return None
    starts = [*(first for first, _ in builder.lines.values()), *builder.starts]
    return Tree(module, builder.places, builder.lines, sorted(starts))


def _is_normal(text: str) -> bool:
    """Whether Python takes all names as they are spelled."""
    return all(
        unicodedata.is_normalized("NFKC", each)
        for each in set(re.findall(r"\w+", text))
        if not each.isascii() and each.isidentifier()
    )


def column(row: str, offset: int) -> int:
    """The column in a line of what Python's parser says in bytes."""
    return offset if row.isascii() else len(row.encode()[:offset].decode())


def place_of(tree: Tree, node: cst.CSTNode) -> tuple[int, int, int, int] | None:
    """Where Python's parser says that a node begins and ends: its lines, and columns in bytes."""
    at = tree.places.get(id(node))
    if at is None:
        return None
    line, end = at.end_lineno or at.lineno, at.end_col_offset or 0
    if isinstance(at, ast.Attribute) and isinstance(node, cst.Name):
        return line, end - len(node.value.encode()), line, end
    return at.lineno, at.col_offset, line, end


class _DoubtError(Exception):
    """Something that is not known to be what libcst would make of it."""


_LITERAL = re.compile(
    r"""(?i:[ru]|b|br|rb|)(?:'''(?:[^'\\]|\\.|'(?!''))*'''|\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"
        |'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")""",
    re.VERBOSE | re.DOTALL,
)
_GAP = re.compile(r"(?:[ \t\f\n]|\\\n|#[^\n]*)*")
_ONCE = 2
"""Quotes of a plain literal."""


class _Builder:
    """Makes libcst's nodes from those of `ast`."""

    def __init__(self, text: str) -> None:
        self.rows = text.split("\n")
        self.places: dict[int, _Placed] = {}
        self.lines: dict[int, tuple[int, int]] = {}
        self.starts: list[int] = []

    def _made(self, node: ast.expr | ast.stmt) -> Any:  # noqa: ANN401 - of the kind that fits
        build = self._builds.get(type(node))
        if build is None:
            raise _DoubtError
        return build(self, node)

    # --- text ---

    def _column(self, line: int, offset: int) -> int:
        return column(self.rows[line - 1], offset)

    def _slice(self, node: ast.expr | ast.stmt | ast.alias) -> str:
        first, last = node.lineno, node.end_lineno or node.lineno
        if first == last and (row := self.rows[first - 1]).isascii():
            return row[node.col_offset : node.end_col_offset]
        start = self._column(first, node.col_offset)
        end = self._column(last, node.end_col_offset or 0)
        if first == last:
            return self.rows[first - 1][start:end]
        inner = self.rows[first : last - 1]
        return "\n".join([self.rows[first - 1][start:], *inner, self.rows[last - 1][:end]])

    def _between(self, first: ast.expr, second: ast.expr) -> str:
        """The text from the end of an expression to the beginning of a later one."""
        line, column = (
            first.end_lineno or 0,
            self._column(first.end_lineno or 0, first.end_col_offset or 0),
        )
        return self._text(
            line, column, second.lineno, self._column(second.lineno, second.col_offset)
        )

    def _text(self, line: int, column: int, end_line: int, end_column: int) -> str:
        if line == end_line:
            return self.rows[line - 1][column:end_column]
        inner = self.rows[line : end_line - 1]
        return "\n".join(
            [self.rows[line - 1][column:], *inner, self.rows[end_line - 1][:end_column]]
        )

    # --- blocks ---

    def block(self, statements: Sequence[ast.stmt]) -> list[cst.BaseStatement]:
        """Statements, small ones of a line together."""
        found: list[cst.BaseStatement] = []
        together: list[Small] = []
        first = last = 0
        for node in statements:
            if type(node) in _SMALL:
                if together and node.lineno != last:
                    found.append(self._of_line(together, first, last))
                    together = []
                if not together:
                    first = node.lineno
                    if first > 1 and self.rows[first - 2].endswith("\\"):
                        raise _DoubtError  # part of the line above, perhaps
                together.append(self._small(node))
                last = node.end_lineno or first
                continue
            if together:
                found.append(self._of_line(together, first, last))
                together = []
            found.append(self._made(node))
        if together:
            found.append(self._of_line(together, first, last))
        return found

    def _small(self, node: ast.stmt) -> Small:
        made: Small = self._made(node)
        self.places[id(made)] = node
        return made

    def _of_line(self, body: list[Small], first: int, last: int) -> cst.BaseStatement:
        made = make.line(body)
        self.lines[id(made)] = first, last
        return made

    def _body(self, statements: Sequence[ast.stmt]) -> cst.BaseSuite:
        first = statements[0]
        row = self.rows[first.lineno - 1]
        if not row[: self._column(first.lineno, first.col_offset)].strip():
            if self.rows[first.lineno - 2].endswith("\\"):
                raise _DoubtError  # on the line of its owner, perhaps
            return make.block(self.block(statements))
        return make.suite([self._small(each) for each in statements])

    def _or_else(self, statements: Sequence[ast.stmt]) -> cst.Else | None:
        if not statements:
            return None
        self._clause("else", statements)
        return make.else_(self._body(statements))

    def _clause(self, word: str, statements: Sequence[ast.stmt]) -> None:
        """Note the line of a clause, which is the one above its block that says so."""
        line = _first_line(statements[0])
        while not re.match(rf"\s*{word}\s*:", self.rows[line - 1]):
            line -= 1
            if not line:
                raise _DoubtError
        self.starts.append(line)

    def _header(
        self, made: _Node, node: ast.stmt | ast.excepthandler, block: Sequence[ast.stmt]
    ) -> _Node:
        """Note in which lines the header of a compound statement stands, and a suite beside it."""
        last = _first_line(block[0]) - 1
        if isinstance(getattr(made, "body", None), cst.SimpleStatementSuite):
            last = block[-1].end_lineno or 0
        first = _first_line(node)
        self.lines[id(made)] = first, max(first, last)
        decorators = getattr(node, "decorator_list", ())
        self.starts.extend(each.lineno for each in decorators[1:])
        return made

    # --- expressions ---

    def expression(self, node: ast.expr) -> cst.BaseExpression:
        """An expression and all below it."""
        made: cst.BaseExpression
        if isinstance(node, ast.Name):
            made = make.name(node.id)
        else:
            build = self._builds.get(type(node))
            if build is None:
                raise _DoubtError
            made = build(self, node)
        self.places[id(made)] = node
        return made

    def _maybe(self, node: ast.expr | None) -> cst.BaseExpression | None:
        return None if node is None else self.expression(node)

    def _attribute(self, node: ast.Attribute) -> cst.Attribute:
        member = make.name(node.attr)
        self.places[id(member)] = node
        return make.attribute(self.expression(node.value), member)

    def _constant(self, node: ast.Constant) -> cst.BaseExpression:
        value = node.value
        if isinstance(value, (str, bytes)):
            return self._literal(self._slice(node))
        if value is None or value is True or value is False:
            return make.name(str(value))
        if value is ...:
            return make.ellipsis()
        text = self._slice(node)
        if isinstance(value, int):
            return make.integer(text)
        return make.float_(text) if isinstance(value, float) else make.imaginary(text)

    def _literal(self, text: str) -> cst.BaseExpression:
        """A string, or several in a row."""
        quote = text[-1]
        if text[0] == quote and "\\" not in text and text.count(quote) == _ONCE:
            return make.string(text)
        parts: list[str] = []
        end = 0
        while end < len(text):
            part = _LITERAL.match(text, end)
            if part is None:
                raise _DoubtError
            parts.append(part.group())
            gap = _GAP.match(text, part.end())
            end = gap.end() if gap else part.end()
        whole: cst.BaseExpression = make.string(parts[-1])
        for part_text in reversed(parts[:-1]):
            whole = make.concatenated(make.string(part_text), whole)
        return whole

    def _joinedstr(self, node: ast.JoinedStr) -> cst.BaseExpression:
        text = self._slice(node)
        if is_too_deep(text):
            raise _DoubtError
        return cst.parse_expression(f"({text}\n)" if "\n" in text else text)

    def _call(self, node: ast.Call) -> cst.Call:
        return make.call(self.expression(node.func), self._arguments(node.args, node.keywords))

    def _arguments(
        self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> list[cst.Arg]:
        for each in args:
            if isinstance(each, ast.Starred):
                given: list[ast.expr | ast.keyword] = [*args, *keywords]
                given.sort(key=lambda each: (each.lineno, each.col_offset))
                return [self._argument(each) for each in given]
        found = [make.arg(self.expression(each), None, "") for each in args]
        if keywords:
            found += [self._keyword(each) for each in keywords]
        return found

    def _argument(self, node: ast.expr | ast.keyword) -> cst.Arg:
        if isinstance(node, ast.keyword):
            return self._keyword(node)
        if isinstance(node, ast.Starred):
            return make.arg(self.expression(node.value), None, "*")
        return make.arg(self.expression(node), None, "")

    def _keyword(self, node: ast.keyword) -> cst.Arg:
        value = self.expression(node.value)
        if node.arg is None:
            return make.arg(value, None, "**")
        return make.arg(value, make.name(node.arg), "")

    def _elements(self, nodes: Iterable[ast.expr]) -> list[cst.BaseElement]:
        return [
            make.starred(self.expression(node.value))
            if isinstance(node, ast.Starred)
            else make.element(self.expression(node))
            for node in nodes
        ]

    def _tuple(self, node: ast.Tuple) -> cst.Tuple:
        return make.tuple_(self._elements(node.elts))

    def _list(self, node: ast.List) -> cst.List:
        return make.list_(self._elements(node.elts))

    def _set(self, node: ast.Set) -> cst.Set:
        return make.set_(self._elements(node.elts))

    def _dict(self, node: ast.Dict) -> cst.Dict:
        return make.dict_(
            [
                make.unpacked(self.expression(value))
                if key is None
                else make.entry(self.expression(key), self.expression(value))
                for key, value in zip(node.keys, node.values, strict=True)
            ]
        )

    def _clauses(self, nodes: Sequence[ast.comprehension]) -> cst.CompFor:
        inner: cst.CompFor | None = None
        for node in reversed(nodes):
            ifs = [make.comp_if(self.expression(each)) for each in node.ifs]
            inner = make.comp_for(
                self.expression(node.target),
                self.expression(node.iter),
                ifs,
                inner,
                make.ASYNC if node.is_async else None,
            )
        if inner is None:
            raise _DoubtError
        return inner

    def _listcomp(self, node: ast.ListComp) -> cst.ListComp:
        return make.list_comp(self.expression(node.elt), self._clauses(node.generators))

    def _setcomp(self, node: ast.SetComp) -> cst.SetComp:
        return make.set_comp(self.expression(node.elt), self._clauses(node.generators))

    def _generatorexp(self, node: ast.GeneratorExp) -> cst.GeneratorExp:
        return make.generator(self.expression(node.elt), self._clauses(node.generators))

    def _dictcomp(self, node: ast.DictComp) -> cst.DictComp:
        key, value = self.expression(node.key), self.expression(node.value)
        return make.dict_comp(key, value, self._clauses(node.generators))

    def _lambda(self, node: ast.Lambda) -> cst.Lambda:
        return make.lambda_(self._params(node.args), self.expression(node.body))

    def _ifexp(self, node: ast.IfExp) -> cst.IfExp:
        return make.if_exp(
            self.expression(node.test), self.expression(node.body), self.expression(node.orelse)
        )

    def _boolop(self, node: ast.BoolOp) -> cst.BaseExpression:
        operator = make.BOOLEAN[type(node.op)]
        whole = self.expression(node.values[0])
        for value in node.values[1:]:
            whole = make.boolean(whole, operator, self.expression(value))
        return whole

    def _binop(self, node: ast.BinOp) -> cst.BinaryOperation:
        left, right = self.expression(node.left), self.expression(node.right)
        return make.binary(left, make.BINARY[type(node.op)], right)

    def _unaryop(self, node: ast.UnaryOp) -> cst.UnaryOperation:
        return make.unary(make.UNARY[type(node.op)], self.expression(node.operand))

    def _compare(self, node: ast.Compare) -> cst.Comparison:
        return make.comparison(
            self.expression(node.left),
            [
                make.target(make.COMPARING[type(operator)], self.expression(value))
                for operator, value in zip(node.ops, node.comparators, strict=True)
            ],
        )

    def _namedexpr(self, node: ast.NamedExpr) -> cst.NamedExpr:
        return make.named(self.expression(node.target), self.expression(node.value))

    def _await(self, node: ast.Await) -> cst.Await:
        return make.await_(self.expression(node.value))

    def _yield(self, node: ast.Yield) -> cst.Yield:
        return make.yield_(self._maybe(node.value))

    def _yieldfrom(self, node: ast.YieldFrom) -> cst.Yield:
        return make.yield_(make.from_(self.expression(node.value)))

    def _subscript(self, node: ast.Subscript) -> cst.Subscript:
        value = self.expression(node.value)
        inside = node.slice
        several = isinstance(inside, ast.Tuple) and not self._has_parentheses(inside)
        parts = inside.elts if several and isinstance(inside, ast.Tuple) else [inside]
        return make.subscript(value, [make.subscript_element(self._part(each)) for each in parts])

    def _part(self, node: ast.expr) -> cst.BaseSlice:
        if isinstance(node, ast.Slice):
            lower, upper = self._maybe(node.lower), self._maybe(node.upper)
            return make.slice_(lower, upper, self._maybe(node.step))
        if isinstance(node, ast.Starred):
            raise _DoubtError
        return make.index(self.expression(node))

    def _has_parentheses(self, node: ast.Tuple) -> bool:
        """Whether a tuple is written in parentheses, which are not those of its first item."""
        if self.rows[node.lineno - 1].encode()[node.col_offset : node.col_offset + 1] != b"(":
            return False
        if not node.elts:
            return True
        first = node.elts[0]
        begin = self._column(node.lineno, node.col_offset)
        end = self._column(first.lineno, first.col_offset)
        opened = self._text(node.lineno, begin, first.lineno, end)
        if len(node.elts) > 1:
            closed = self._between(first, node.elts[1])
        else:
            last, column = node.end_lineno or 0, node.end_col_offset or 0
            closed = self._text(
                first.end_lineno or 0,
                self._column(first.end_lineno or 0, first.end_col_offset or 0),
                last,
                self._column(last, column),
            )
        if "#" in opened or "#" in closed:
            raise _DoubtError
        return opened.count("(") > closed.partition(",")[0].count(")")

    # --- parameters ---

    def _params(self, node: ast.arguments) -> cst.Parameters:
        positional = [*node.posonlyargs, *node.args]
        missing = len(positional) - len(node.defaults)
        defaults = [*([None] * missing), *node.defaults]
        made = [self._param(arg, value) for arg, value in zip(positional, defaults, strict=True)]
        before = len(node.posonlyargs)
        star: object = make.ABSENT
        if node.vararg is not None:
            star = self._param(node.vararg, None, "*")
        elif node.kwonlyargs:
            star = make.PARAM_STAR
        return make.parameters(
            made[before:],
            star,
            [
                self._param(arg, value)
                for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
            ],
            None if node.kwarg is None else self._param(node.kwarg, None, "**"),
            made[:before],
            make.PARAM_SLASH if before else make.ABSENT,
        )

    def _param(self, node: ast.arg, default: ast.expr | None, star: str = "") -> cst.Param:
        note = None if node.annotation is None else self._note(node.annotation)
        return make.param(make.name(node.arg), note, self._maybe(default), star)

    def _note(self, node: ast.expr) -> cst.Annotation:
        return make.annotation(self.expression(node))

    # --- small statements ---

    def _expr(self, node: ast.Expr) -> cst.Expr:
        return make.expr(self.expression(node.value))

    def _assign(self, node: ast.Assign) -> cst.Assign:
        targets = [make.assign_target(self.expression(each)) for each in node.targets]
        return make.assign(targets, self.expression(node.value))

    def _annassign(self, node: ast.AnnAssign) -> cst.AnnAssign:
        target, note = self.expression(node.target), self._note(node.annotation)
        return make.ann_assign(target, note, self._maybe(node.value))

    def _augassign(self, node: ast.AugAssign) -> cst.AugAssign:
        target, operator = self.expression(node.target), make.AUGMENTED[type(node.op)]
        return make.aug_assign(target, operator, self.expression(node.value))

    def _return(self, node: ast.Return) -> cst.Return:
        return make.return_(self._maybe(node.value))

    def _raise(self, node: ast.Raise) -> cst.Raise:
        cause = None if node.cause is None else make.from_(self.expression(node.cause))
        return make.raise_(self._maybe(node.exc), cause)

    def _assert(self, node: ast.Assert) -> cst.Assert:
        return make.demand(self.expression(node.test), self._maybe(node.msg))

    def _import(self, node: ast.Import) -> cst.Import:
        return make.import_([self._alias(each) for each in node.names])

    def _importfrom(self, node: ast.ImportFrom) -> cst.ImportFrom:
        module = _dotted(node.module) if node.module else None
        dots = [make.DOT] * node.level
        if node.names[0].name == "*":
            return make.import_from(module, make.STAR, dots, None, None)
        enclosed = "(" in self._slice(node)
        return make.import_from(
            module,
            [self._alias(each) for each in node.names],
            dots,
            make.LEFT if enclosed else None,
            make.RIGHT if enclosed else None,
        )

    def _alias(self, node: ast.alias) -> cst.ImportAlias:
        name = make.as_name(make.name(node.asname)) if node.asname else None
        made = make.alias(_dotted(node.name), name)
        self.places[id(made)] = node
        return made

    def _global(self, node: ast.Global) -> cst.Global:
        return make.global_([make.name_item(make.name(each)) for each in node.names])

    def _nonlocal(self, node: ast.Nonlocal) -> cst.Nonlocal:
        return make.nonlocal_([make.name_item(make.name(each)) for each in node.names])

    def _delete(self, node: ast.Delete) -> cst.Del:
        if len(node.targets) == 1:
            if self._slice(node).endswith(","):
                raise _DoubtError
            return make.del_(self.expression(node.targets[0]))
        return make.del_(make.tuple_(self._elements(node.targets)))

    def _pass(self, _: ast.Pass) -> cst.Pass:
        return make.pass_()

    def _break(self, _: ast.Break) -> cst.Break:
        return make.break_()

    def _continue(self, _: ast.Continue) -> cst.Continue:
        return make.continue_()

    # --- compound statements ---

    def _if(self, node: ast.If) -> cst.If:
        test, body = self.expression(node.test), self._body(node.body)
        orelse: cst.If | cst.Else | None
        below = node.orelse[0] if len(node.orelse) == 1 else None
        if isinstance(below, ast.If) and self._is_elif(below):
            orelse = self._if(below)
        else:
            orelse = self._or_else(node.orelse)
        return self._header(make.if_(test, body, orelse), node, node.body)

    def _is_elif(self, node: ast.If) -> bool:
        start = self._column(node.lineno, node.col_offset)
        return self.rows[node.lineno - 1].startswith("elif", start)

    def _while(self, node: ast.While) -> cst.While:
        test, body = self.expression(node.test), self._body(node.body)
        return self._header(make.while_(test, body, self._or_else(node.orelse)), node, node.body)

    def _for(self, node: ast.For | ast.AsyncFor) -> cst.For:
        target, items = self.expression(node.target), self.expression(node.iter)
        body, orelse = self._body(node.body), self._or_else(node.orelse)
        way = make.ASYNC if isinstance(node, ast.AsyncFor) else None
        return self._header(make.for_(target, items, body, orelse, way), node, node.body)

    def _with(self, node: ast.With | ast.AsyncWith) -> cst.With:
        items = [self._item(each) for each in node.items]
        way = make.ASYNC if isinstance(node, ast.AsyncWith) else None
        return self._header(make.with_(items, self._body(node.body), way), node, node.body)

    def _item(self, node: ast.withitem) -> cst.WithItem:
        target = self._maybe(node.optional_vars)
        return make.with_item(
            self.expression(node.context_expr), None if target is None else make.as_name(target)
        )

    def _try(self, node: ast.Try) -> cst.Try:
        return self._tried(node, make.try_, make.handler)

    def _trystar(self, node: Any) -> cst.TryStar:  # noqa: ANN401 - Python 3.10 has none
        return self._tried(node, make.try_star, make.star_handler)

    def _tried(
        self, node: ast.Try, whole: Callable[..., _Node], handle: Callable[..., cst.CSTNode]
    ) -> _Node:
        body = self._body(node.body)
        handlers = [
            self._header(
                handle(
                    self._body(each.body),
                    self._caught(each.type),
                    make.as_name(make.name(each.name)) if each.name else None,
                ),
                each,
                each.body,
            )
            for each in node.handlers
        ]
        orelse = self._or_else(node.orelse)
        final = None
        if node.finalbody:
            self._clause("finally", node.finalbody)
            final = make.finally_(self._body(node.finalbody))
        return self._header(whole(body, handlers, orelse, final), node, node.body)

    def _caught(self, node: ast.expr | None) -> cst.BaseExpression | None:
        if isinstance(node, ast.Tuple) and not self._has_parentheses(node):
            raise _DoubtError  # newer than what libcst reads
        return self._maybe(node)

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> cst.FunctionDef:
        if getattr(node, "type_params", ()):
            raise _DoubtError
        made = make.function(
            make.name(node.name),
            self._params(node.args),
            self._body(node.body),
            [make.decorator(self.expression(each)) for each in node.decorator_list],
            None if node.returns is None else self._note(node.returns),
            make.ASYNC if isinstance(node, ast.AsyncFunctionDef) else None,
        )
        return self._header(made, node, node.body)

    def _classdef(self, node: ast.ClassDef) -> cst.ClassDef:
        if getattr(node, "type_params", ()):
            raise _DoubtError
        given = self._arguments(node.bases, node.keywords)
        made = make.class_(
            make.name(node.name),
            self._body(node.body),
            [each for each in given if each.keyword is None and each.star != "**"],
            [each for each in given if each.keyword is not None or each.star == "**"],
            [make.decorator(self.expression(each)) for each in node.decorator_list],
        )
        return self._header(made, node, node.body)

    _builds: ClassVar[Mapping[type[ast.AST], Callable[[Any, Any], Any]]] = {
        ast.Attribute: _attribute,
        ast.Constant: _constant,
        ast.JoinedStr: _joinedstr,
        ast.Call: _call,
        ast.Tuple: _tuple,
        ast.List: _list,
        ast.Set: _set,
        ast.Dict: _dict,
        ast.ListComp: _listcomp,
        ast.SetComp: _setcomp,
        ast.GeneratorExp: _generatorexp,
        ast.DictComp: _dictcomp,
        ast.Lambda: _lambda,
        ast.IfExp: _ifexp,
        ast.BoolOp: _boolop,
        ast.BinOp: _binop,
        ast.UnaryOp: _unaryop,
        ast.Compare: _compare,
        ast.NamedExpr: _namedexpr,
        ast.Await: _await,
        ast.Yield: _yield,
        ast.YieldFrom: _yieldfrom,
        ast.Subscript: _subscript,
        ast.Expr: _expr,
        ast.Assign: _assign,
        ast.AnnAssign: _annassign,
        ast.AugAssign: _augassign,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.Import: _import,
        ast.ImportFrom: _importfrom,
        ast.Global: _global,
        ast.Nonlocal: _nonlocal,
        ast.Delete: _delete,
        ast.Pass: _pass,
        ast.Break: _break,
        ast.Continue: _continue,
        ast.If: _if,
        ast.While: _while,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
        ast.FunctionDef: _functiondef,
        ast.AsyncFunctionDef: _functiondef,
        ast.ClassDef: _classdef,
        **({_TRY_STAR: _trystar} if _TRY_STAR else {}),
    }


def _first_line(node: ast.stmt | ast.excepthandler) -> int:
    """Where a statement begins, with what decorates it."""
    decorators = getattr(node, "decorator_list", ())
    return decorators[0].lineno if decorators else node.lineno


def _dotted(name: str) -> cst.Name | cst.Attribute:
    first, *others = name.split(".")
    made: cst.Name | cst.Attribute = make.name(first)
    for each in others:
        made = make.attribute(made, make.name(each))
    return made


_SMALL = frozenset(
    [
        *(ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Assert),
        *(ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Delete),
        *(ast.Pass, ast.Break, ast.Continue),
    ]
)
