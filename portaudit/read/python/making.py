"""Makers of libcst's nodes, without white space and without a check: for who knows what is right.

Each makes a node of the fields that matter; the others are those of an example.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import libcst as cst

_Node = TypeVar("_Node", bound=cst.CSTNode)


def _maker(like: _Node, *given: str) -> Callable[..., _Node]:
    """What makes a node of some of its fields; the others are those of an example.

    Nothing is validated: Python's parser has.
    """
    kind = type(like)
    names = [name for each in kind.__mro__ for name in getattr(each, "__slots__", ())]
    slots: dict[str, Any] = {name: getattr(kind, name).__set__ for name in names}
    # Written out, as Python writes the `__init__` of a dataclass: a third of a loop's time.
    arguments = ", ".join(given)
    rows = [f"def make({arguments}):", " node = new(kind)"]
    rows += (f" put_{name}(node, {name})" for name in given)
    rows += (f" put_{name}(node, like_{name})" for name in slots if name not in given)
    scope: dict[str, Any] = {"new": object.__new__, "kind": kind}
    scope.update({f"put_{name}": put for name, put in slots.items()})
    scope.update({f"like_{name}": getattr(like, name) for name in slots})
    exec("\n".join([*rows, " return node"]), scope)  # noqa: S102 - of names of libcst's fields
    make: Callable[..., _Node] = scope["make"]
    return make


_NAME = cst.Name("_")
_PASS = cst.Pass()
_LINE = cst.SimpleStatementLine([_PASS])
_BLOCK = cst.IndentedBlock([_LINE])
_FOR = cst.CompFor(_NAME, _NAME)

name = _maker(_NAME, "value")
attribute = _maker(cst.Attribute(_NAME, _NAME), "value", "attr")
call = _maker(cst.Call(_NAME), "func", "args")
arg = _maker(cst.Arg(_NAME), "value", "keyword", "star")
string = _maker(cst.SimpleString("''"), "value")
concatenated = _maker(
    cst.ConcatenatedString(cst.SimpleString("''"), cst.SimpleString("''")), "left", "right"
)
integer = _maker(cst.Integer("0"), "value")
float_ = _maker(cst.Float("0.0"), "value")
imaginary = _maker(cst.Imaginary("0j"), "value")
ellipsis = _maker(cst.Ellipsis())
element = _maker(cst.Element(_NAME), "value")
starred = _maker(cst.StarredElement(_NAME), "value")
tuple_ = _maker(cst.Tuple(()), "elements")
list_ = _maker(cst.List(()), "elements")
set_ = _maker(cst.Set([cst.Element(_NAME)]), "elements")
dict_ = _maker(cst.Dict(()), "elements")
entry = _maker(cst.DictElement(_NAME, _NAME), "key", "value")
unpacked = _maker(cst.StarredDictElement(_NAME), "value")
comp_for = _maker(_FOR, "target", "iter", "ifs", "inner_for_in", "asynchronous")
comp_if = _maker(cst.CompIf(_NAME), "test")
list_comp = _maker(cst.ListComp(_NAME, _FOR), "elt", "for_in")
set_comp = _maker(cst.SetComp(_NAME, _FOR), "elt", "for_in")
generator = _maker(cst.GeneratorExp(_NAME, _FOR), "elt", "for_in")
dict_comp = _maker(cst.DictComp(_NAME, _NAME, _FOR), "key", "value", "for_in")
lambda_ = _maker(cst.Lambda(cst.Parameters(), _NAME), "params", "body")
if_exp = _maker(cst.IfExp(_NAME, _NAME, _NAME), "test", "body", "orelse")
boolean = _maker(cst.BooleanOperation(_NAME, cst.And(), _NAME), "left", "operator", "right")
binary = _maker(cst.BinaryOperation(_NAME, cst.Add(), _NAME), "left", "operator", "right")
unary = _maker(cst.UnaryOperation(cst.Not(), _NAME), "operator", "expression")
comparison = _maker(
    cst.Comparison(_NAME, [cst.ComparisonTarget(cst.Equal(), _NAME)]), "left", "comparisons"
)
target = _maker(cst.ComparisonTarget(cst.Equal(), _NAME), "operator", "comparator")
named = _maker(cst.NamedExpr(_NAME, _NAME), "target", "value")
await_ = _maker(cst.Await(_NAME), "expression")
yield_ = _maker(cst.Yield(), "value")
from_ = _maker(cst.From(_NAME), "item")
subscript = _maker(cst.Subscript(_NAME, [cst.SubscriptElement(cst.Index(_NAME))]), "value", "slice")
subscript_element = _maker(cst.SubscriptElement(cst.Index(_NAME)), "slice")
index = _maker(cst.Index(_NAME), "value")
slice_ = _maker(cst.Slice(None, None), "lower", "upper", "step")
annotation = _maker(cst.Annotation(_NAME), "annotation")
parameters = _maker(
    cst.Parameters(),
    *("params", "star_arg", "kwonly_params", "star_kwarg", "posonly_params", "posonly_ind"),
)
param = _maker(cst.Param(_NAME), "name", "annotation", "default", "star")
module = _maker(cst.Module([]), "body")
line = _maker(_LINE, "body")
suite = _maker(cst.SimpleStatementSuite([_PASS]), "body")
block = _maker(_BLOCK, "body")
expr = _maker(cst.Expr(_NAME), "value")
assign = _maker(cst.Assign([cst.AssignTarget(_NAME)], _NAME), "targets", "value")
assign_target = _maker(cst.AssignTarget(_NAME), "target")
ann_assign = _maker(cst.AnnAssign(_NAME, cst.Annotation(_NAME)), "target", "annotation", "value")
aug_assign = _maker(cst.AugAssign(_NAME, cst.AddAssign(), _NAME), "target", "operator", "value")
return_ = _maker(cst.Return(), "value")
raise_ = _maker(cst.Raise(), "exc", "cause")
demand = _maker(cst.Assert(_NAME), "test", "msg")
import_ = _maker(cst.Import([cst.ImportAlias(_NAME)]), "names")
import_from = _maker(
    cst.ImportFrom(_NAME, [cst.ImportAlias(_NAME)]), "module", "names", "relative", "lpar", "rpar"
)
alias = _maker(cst.ImportAlias(_NAME), "name", "asname")
as_name = _maker(cst.AsName(_NAME), "name")
global_ = _maker(cst.Global([cst.NameItem(_NAME)]), "names")
nonlocal_ = _maker(cst.Nonlocal([cst.NameItem(_NAME)]), "names")
name_item = _maker(cst.NameItem(_NAME), "name")
del_ = _maker(cst.Del(_NAME), "target")
pass_ = _maker(_PASS)
break_ = _maker(cst.Break())
continue_ = _maker(cst.Continue())
if_ = _maker(cst.If(_NAME, _BLOCK), "test", "body", "orelse")
else_ = _maker(cst.Else(_BLOCK), "body")
while_ = _maker(cst.While(_NAME, _BLOCK), "test", "body", "orelse")
for_ = _maker(cst.For(_NAME, _NAME, _BLOCK), "target", "iter", "body", "orelse", "asynchronous")
with_ = _maker(cst.With([cst.WithItem(_NAME)], _BLOCK), "items", "body", "asynchronous")
with_item = _maker(cst.WithItem(_NAME), "item", "asname")
finally_ = _maker(cst.Finally(_BLOCK), "body")
handler = _maker(cst.ExceptHandler(_BLOCK), "body", "type", "name")
try_ = _maker(
    cst.Try(_BLOCK, [cst.ExceptHandler(_BLOCK)]), "body", "handlers", "orelse", "finalbody"
)
star_handler = _maker(cst.ExceptStarHandler(_BLOCK, _NAME), "body", "type", "name")
try_star = _maker(
    cst.TryStar(_BLOCK, [cst.ExceptStarHandler(_BLOCK, _NAME)]),
    *("body", "handlers", "orelse", "finalbody"),
)
function = _maker(
    cst.FunctionDef(_NAME, cst.Parameters(), _BLOCK),
    *("name", "params", "body", "decorators", "returns", "asynchronous"),
)
class_ = _maker(cst.ClassDef(_NAME, _BLOCK), "name", "body", "bases", "keywords", "decorators")
decorator = _maker(cst.Decorator(_NAME), "decorator")

# Of punctuation one of a kind is enough: nobody asks where it stands.
ASYNC = cst.Asynchronous()
DOT = cst.Dot()
LEFT = cst.LeftParen()
RIGHT = cst.RightParen()
STAR = cst.ImportStar()
PARAM_STAR = cst.ParamStar()
PARAM_SLASH = cst.ParamSlash()
ABSENT = cst.MaybeSentinel.DEFAULT
BOOLEAN: Mapping[type[ast.AST], cst.CSTNode] = {ast.And: cst.And(), ast.Or: cst.Or()}
UNARY: Mapping[type[ast.AST], cst.CSTNode] = {
    ast.Not: cst.Not(),
    ast.USub: cst.Minus(),
    ast.UAdd: cst.Plus(),
    ast.Invert: cst.BitInvert(),
}
BINARY: Mapping[type[ast.AST], cst.CSTNode] = {
    ast.Add: cst.Add(),
    ast.Sub: cst.Subtract(),
    ast.Mult: cst.Multiply(),
    ast.MatMult: cst.MatrixMultiply(),
    ast.Div: cst.Divide(),
    ast.FloorDiv: cst.FloorDivide(),
    ast.Mod: cst.Modulo(),
    ast.Pow: cst.Power(),
    ast.LShift: cst.LeftShift(),
    ast.RShift: cst.RightShift(),
    ast.BitOr: cst.BitOr(),
    ast.BitAnd: cst.BitAnd(),
    ast.BitXor: cst.BitXor(),
}
AUGMENTED: Mapping[type[ast.AST], cst.CSTNode] = {
    ast.Add: cst.AddAssign(),
    ast.Sub: cst.SubtractAssign(),
    ast.Mult: cst.MultiplyAssign(),
    ast.MatMult: cst.MatrixMultiplyAssign(),
    ast.Div: cst.DivideAssign(),
    ast.FloorDiv: cst.FloorDivideAssign(),
    ast.Mod: cst.ModuloAssign(),
    ast.Pow: cst.PowerAssign(),
    ast.LShift: cst.LeftShiftAssign(),
    ast.RShift: cst.RightShiftAssign(),
    ast.BitOr: cst.BitOrAssign(),
    ast.BitAnd: cst.BitAndAssign(),
    ast.BitXor: cst.BitXorAssign(),
}
COMPARING: Mapping[type[ast.AST], cst.CSTNode] = {
    ast.Eq: cst.Equal(),
    ast.NotEq: cst.NotEqual(),
    ast.Lt: cst.LessThan(),
    ast.LtE: cst.LessThanEqual(),
    ast.Gt: cst.GreaterThan(),
    ast.GtE: cst.GreaterThanEqual(),
    ast.Is: cst.Is(),
    ast.IsNot: cst.IsNot(),
    ast.In: cst.In(),
    ast.NotIn: cst.NotIn(),
}
