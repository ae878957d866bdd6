"""What conditions say of settings: from a test to the values that a setting must have for it.

A setting is named by the last word of an expression: `use_flash` of `cfg.model.use_flash`. Only
what must hold is told; a part of a condition that nothing is known of is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import libcst as cst
from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue import options as known
from portaudit.marks import ANY_PART, ELEMENT, OF_FUNCTION, VARIABLE
from portaudit.read.python.folding import is_of_launcher
from portaudit.read.python.methods import is_only_called
from portaudit.read.python.model import Binding, Branch, Scope, around
from portaudit.read.python.nodes import (
    descendants,
    dotted,
    last_name,
    number_value,
    string_value,
)
from portaudit.read.python.values import (
    LocalClass,
    LocalFunction,
    LocalObject,
    LocalText,
    Reader,
    argument,
)
from portaudit.types import Ref, Text

TRUE = ("true",)
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_DEEPEST = 5
"""Names for names that are followed."""
_MOST = 8
"""The largest number up to which `x > number` is spelled out."""
_LONGEST = 60
_PAIR = 2
_MIRRORED: Mapping[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.LessThan: cst.GreaterThan,
    cst.LessThanEqual: cst.GreaterThanEqual,
}


class Condition(Struct, frozen=True):
    """A setting must have one of some values, or with `otherwise` none of them.

    A value that begins or ends with `*` is only how one ends, begins, or what it has in it ·
    `words`: the strings that it is compared with · `section`: what the setting stands in, where
    that is spelled.
    """

    name: str
    values: tuple[str, ...]
    otherwise: bool = False
    words: tuple[cst.CSTNode, ...] = ()
    section: str = ""


def conditions(
    reader: Reader, node: cst.BaseExpression, *, truth: bool = True, depth: int = 0
) -> list[Condition]:
    """What must hold of settings where an expression is true, or where it is not."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return conditions(reader, node.expression, truth=not truth, depth=depth)
    if isinstance(node, cst.BooleanOperation):
        sides = [
            conditions(reader, side, truth=truth, depth=depth) for side in (node.left, node.right)
        ]
        if isinstance(node.operator, cst.And) == truth:
            return [*sides[0], *sides[1]]
        return _either(*sides)
    if isinstance(node, cst.Comparison):
        return [_flipped(each, truth) for each in _comparison(reader, node, truth=truth)]
    if isinstance(node, cst.Call) and dotted(node.func) == "bool" and len(node.args) == 1:
        return conditions(reader, node.args[0].value, truth=truth, depth=depth)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        pattern = _ENDS.get(node.func.attr.value)
        if pattern and len(node.args) == 1:
            return [_flipped(each, truth) for each in _ends(reader, node, pattern, truth=truth)]
    return _truth(reader, node, truth=truth, depth=depth)


def _either(left: list[Condition], right: list[Condition]) -> list[Condition]:
    """What holds where one of two things does: only what is said of the same setting."""
    if len(left) != 1 or len(right) != 1:
        return []
    one, other = left[0], right[0]
    if one.name != other.name or one.otherwise or other.otherwise:
        return []
    section = one.section if one.section == other.section else ""
    values, words = (*one.values, *other.values), (*one.words, *other.words)
    return [Condition(one.name, values, False, words, section)]


def _flipped(condition: Condition, truth: bool) -> Condition:
    if truth:
        return condition
    return replace(condition, otherwise=not condition.otherwise)


def _truth(reader: Reader, node: cst.BaseExpression, *, truth: bool, depth: int) -> list[Condition]:
    """A setting by itself, or a name for a condition."""
    if isinstance(node, cst.NamedExpr) or depth > _DEEPEST:
        return []
    bound = _meant(reader, node)
    if bound is not None:
        return conditions(reader, bound, truth=truth, depth=depth + 1)
    name = setting(reader, node, asks_whether=True) or left_out(reader, node)
    if not name and truth and isinstance(node, cst.Call):
        if found := asked_variable(reader, node):
            variable_name, _, *values = found
            return [Condition(variable_name, tuple(values))]
        name = named_in(reader, node)
    if not name:
        inner = element(reader, node)
        return [Condition(inner, TRUE, not truth)] if inner else []
    return [Condition(name, TRUE, not truth, section=section(reader, node))]


def _comparison(reader: Reader, node: cst.Comparison, *, truth: bool) -> Iterator[Condition]:
    """What holds where a comparison does; `truth`: whether that is what is asked for."""
    if len(node.comparisons) != 1:
        return
    operator, right = node.comparisons[0].operator, node.comparisons[0].comparator
    left = node.left
    negative = isinstance(operator, (cst.NotEqual, cst.IsNot, cst.NotIn))
    if isinstance(operator, (cst.Equal, cst.NotEqual, cst.Is, cst.IsNot)):
        for side, other in ((left, right), (right, left)):
            values = compared(reader, other)
            if not values:
                continue
            lacks = values == ("null",) and _may_be_none(reader, side)
            name = left_out(reader, side) if lacks else setting(reader, side, is_compared=True)
            if name:
                within = section(reader, side, is_compared=True)
                yield Condition(name, values, negative, _strings(other), within)
                return
            parts = _with_parts(other) if negative != truth else ()
            name = part_of(reader, side) if parts else ""
            if name:
                yield Condition(name, parts, negative, _strings(other))
                return
    elif isinstance(operator, (cst.In, cst.NotIn)) and isinstance(left, cst.BaseString):
        # a list has what is not in it as a part of something
        is_lacked = negative == truth
        parts = tuple(filter(None, [literal(left)])) if is_lacked else _with_parts(left)
        if parts and _is_text(reader, right):
            name = setting(reader, right, is_compared=True)
            name = name or ("" if is_lacked else part_of(reader, right))
            if name:
                yield Condition(name, parts, negative)
    elif isinstance(operator, (cst.In, cst.NotIn)):
        if isinstance(right, (cst.Tuple, cst.List, cst.Set)):
            elements = [element.value for element in right.elements]
            found = [compared(reader, element) for element in elements]
            name = setting(reader, left, is_compared=True) if found and all(found) else ""
            if name:
                values = tuple(value for each in found for value in each)
                words = tuple(word for each in elements for word in _strings(each))
                within = section(reader, left, is_compared=True)
                yield Condition(name, values, negative, words, within)
    elif truth:
        yield from _more(reader, left, operator, right)


def _ends(reader: Reader, call: cst.Call, pattern: str, *, truth: bool) -> Iterator[Condition]:
    """What holds where a setting, or a part of one, begins or ends with a text."""
    owner = call.func.value if isinstance(call.func, cst.Attribute) else call.func
    given = call.args[0].value
    texts = [each.value for each in given.elements] if isinstance(given, cst.Tuple) else [given]
    words = [literal(each) for each in texts]
    if not all(words) or not all(isinstance(each, cst.BaseString) for each in texts):
        return
    name = setting(reader, owner, is_compared=True)
    if name:
        yield Condition(name, tuple(pattern.replace("_", each) for each in words))
    elif truth and (name := part_of(reader, owner)):
        yield Condition(name, tuple(f"{ANY_PART}{each}{ANY_PART}" for each in words))


_ENDS = {"startswith": f"_{ANY_PART}", "endswith": f"{ANY_PART}_"}
"""Methods that ask how a text begins or ends, and what one has to be like."""


def _with_parts(node: cst.BaseExpression) -> tuple[str, ...]:
    """What a text has to be like to have another one in it; nothing for what is no word."""
    text = literal(node) if isinstance(node, cst.BaseString) else ""
    return (f"{ANY_PART}{text}{ANY_PART}",) if text and ANY_PART not in text else ()


def _is_text(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether it may be a text that is asked for a word: a parameter is rather a dictionary."""
    if isinstance(node, cst.Attribute):
        return not known.holds(node.attr.value)
    if isinstance(node, cst.Name):
        bindings = _bindings(reader, node) if depth < _DEEPEST else ()
        return bool(bindings) and all(
            each.kind == "value" and each.value and _is_text(reader, each.value, depth + 1)
            for each in bindings
        )
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.attr.value in _TAKING or bool(asked(reader, node)[0])
    return isinstance(node, (cst.Call, cst.Subscript))


def part_of(reader: Reader, node: cst.BaseExpression) -> str:
    """The setting of which a text is a part, or all: `kind` of `kind.lower().split("_")[-1]`.

    Also of a name that is given such a part of what it was.
    """
    return _part_of(reader, node, frozenset()) or ""


def _part_of(
    reader: Reader, node: cst.BaseExpression, busy: frozenset[str], depth: int = 0
) -> str | None:
    """The same; None for what is already asked about."""
    if depth > _DEEPEST:
        return ""
    if isinstance(node, cst.Name):
        if node.value in busy:
            return None
        bindings = _bindings(reader, node)
        values = [each.value for each in bindings if each.kind == "value" and each.value]
        if len(values) == len(bindings) > 0:
            if any(each.place.scope is reader.model.root for each in bindings):
                return ""  # others may set it
            inner = busy | {node.value}
            found = {_part_of(reader, each, inner, depth + 1) for each in values} - {None}
            return "" if len(found) > 1 else next(iter(found), None)
    name = setting(reader, node, is_compared=True)
    if name:
        return name
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        is_part = node.func.attr.value in _TAKING
        return _part_of(reader, node.func.value, busy, depth + 1) if is_part else ""
    if isinstance(node, cst.Subscript) and _is_numbered(reader, node):
        return _part_of(reader, node.value, busy, depth + 1)
    return ""


def _is_numbered(reader: Reader, node: cst.Subscript) -> bool:
    """Whether something is one of several pieces that the code made itself, and no member."""
    inner = node.value
    if isinstance(inner, cst.Name):
        is_made = all(each.kind == "value" for each in _bindings(reader, inner))
    else:
        is_made = isinstance(inner, cst.Call)
    keys = (each.slice.value for each in node.slice if isinstance(each.slice, cst.Index))
    return is_made and all(string_value(each) is None for each in keys)


_TAKING = frozenset(
    {
        *("split", "rsplit", "partition", "rpartition", "strip", "lstrip", "rstrip"),
        *("lower", "upper", "casefold", "removeprefix", "removesuffix"),
    }
)
"""Methods that give a part of a text, or parts, in whatever letters."""


def _more(
    reader: Reader,
    left: cst.BaseExpression,
    operator: cst.BaseCompOp,
    right: cst.BaseExpression,
) -> Iterator[Condition]:
    """`experts > 1`: it is neither 0 nor 1."""
    kind = type(operator)
    if kind in _MIRRORED:
        left, kind, right = right, _MIRRORED[kind], left
    number = number_value(right) if isinstance(right, cst.Integer) else None
    if kind not in {cst.GreaterThan, cst.GreaterThanEqual} or not isinstance(number, int):
        return
    least = number + (kind is cst.GreaterThan)
    name = setting(reader, left) if 0 < least <= _MOST else ""
    if name:
        values = tuple(str(each) for each in range(least))
        yield Condition(name, values, otherwise=True, section=section(reader, left))


def chosen(
    reader: Reader, subject: cst.BaseExpression, cases: Sequence[cst.BaseExpression]
) -> Iterator[Condition]:
    """What holds where something is one of the values of a `case`."""
    values = [compared(reader, case) for case in cases]
    name = setting(reader, subject) if values and all(values) else ""
    if name:
        words = tuple(word for case in cases for word in _strings(case))
        told = tuple(each for found in values for each in found)
        yield Condition(name, told, words=words, section=section(reader, subject))


# --- values ---------------------------------------------------------------------------------------


def literal(node: cst.BaseExpression | None) -> str:
    """A value as a setting has it; empty for what is no single word, number, truth or nothing."""
    if type(node) not in _LITERALS:
        return ""
    if isinstance(node, cst.Name):
        return _CONSTANTS.get(node.value, "")
    if isinstance(node, (cst.Integer, cst.Float)):
        number = number_value(node) if len(node.value) <= _LONGEST else None
        return "" if number is None else _short(repr(number))
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = literal(node.expression) if not isinstance(node.expression, cst.Name) else ""
        return f"-{inner}" if inner and not inner.startswith("-") and inner[0].isdigit() else ""
    text = string_value(node) if isinstance(node, cst.BaseExpression) else None
    return word(text[0]) if text and text[1] else ""


_LITERALS = frozenset(
    [
        *(cst.Name, cst.Integer, cst.Float, cst.UnaryOperation),
        *(cst.SimpleString, cst.ConcatenatedString, cst.FormattedString),
    ]
)
"""Expressions that may be no more than a value."""


def elements(node: cst.BaseExpression | None) -> str:
    """A list that is written down as a setting has it, by what is in it: `[false,true]`.

    Only of truths: an empty one, and whatever has anything else in it, is not known.
    """
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        node = node.left if isinstance(node.left, (cst.List, cst.Tuple)) else node.right
    if not isinstance(node, (cst.List, cst.Tuple)):
        return ""
    found = {literal(each.value) for each in node.elements if isinstance(each, cst.Element)}
    is_whole = all(isinstance(each, cst.Element) for each in node.elements)
    return f"[{','.join(sorted(found))}]" if is_whole and found and found <= _TRUTHS else ""


_TRUTHS = frozenset({"true", "false", "null"})


def word(text: str) -> str:
    """A text that is one word, else nothing."""
    return _short(text) if text and not any(map(str.isspace, text)) else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else ""


def compared(reader: Reader, node: cst.BaseExpression) -> tuple[str, ...]:
    """The values that equal what a setting is compared with: a member of an enum has two."""
    value = literal(node)
    if value:
        return (value,)
    if isinstance(node, cst.Attribute) and node.attr.value == "value":
        node = node.value  # `Kind.FLASH.value`
    if isinstance(node, cst.Attribute) and last_name(node.value)[:1].isupper():
        member = node.attr.value
        texts = [
            each.value
            for each in reader.values(node)
            if isinstance(each, (Text, LocalText)) and each.exact
        ]
        if len(texts) == 1 and word(texts[0]):
            return tuple(dict.fromkeys((member, texts[0])))
    return ()


def _strings(node: cst.BaseExpression) -> tuple[cst.CSTNode, ...]:
    return (node,) if isinstance(node, cst.BaseString) else ()


# --- settings -------------------------------------------------------------------------------------


def _may_be_none(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether something is None by a call's leave, or until it is made, and no setting says so.

    A parameter, or an attribute of an object that nothing here gives a value.
    """
    bound = _meant(reader, node)
    if bound is not None and depth < _DEEPEST:
        return _may_be_none(reader, bound, depth + 1)
    if isinstance(node, cst.Attribute) and is_self(reader, node.value):
        return not attributes(reader, node)
    return isinstance(node, cst.Name)


def setting(
    reader: Reader,
    node: cst.BaseExpression,
    *,
    asks_whether: bool = False,
    is_compared: bool = False,
    depth: int = 0,
) -> str:
    """The name of the setting that an expression is, empty for anything else.

    `asks_whether`: it is only asked whether there is something, which of an argument that may be
    left out says more about the call than about a setting · `is_compared`: only with words, so
    that it may be written in small letters first.
    """
    if depth > _DEEPEST:
        return ""
    bound = _small(node) if is_compared else None
    bound = _meant(reader, node) if bound is None else bound
    if bound is not None:
        return setting(
            reader, bound, asks_whether=asks_whether, is_compared=is_compared, depth=depth + 1
        )
    name = ""
    if isinstance(node, cst.Name):
        name = _of_name(reader, node, asks_whether=asks_whether)
    elif isinstance(node, cst.Attribute):
        name = _of_attribute(reader, node)
    elif isinstance(node, cst.Subscript):
        name = _of_subscript(reader, node)
    elif isinstance(node, cst.Call):
        name = asked(reader, node)[0] or _of_variable(reader, node, asks_whether=asks_whether)
    return "" if name in known.words().never.modes or name.startswith("__") else name


def section(
    reader: Reader, node: cst.BaseExpression, *, is_compared: bool = False, depth: int = 0
) -> str:
    """What the setting stands in that an expression is; empty where that is not spelled."""
    if depth > _DEEPEST:
        return ""
    bound = _small(node) if is_compared else None
    bound = _meant(reader, node) if bound is None else bound
    if bound is not None:
        return section(reader, bound, is_compared=is_compared, depth=depth + 1)
    if isinstance(node, (cst.Attribute, cst.Subscript)):
        return section_of(reader, node.value)
    return ""


def section_of(reader: Reader, owner: cst.BaseExpression) -> str:
    """The name of a section, if an expression is one of what has settings: `cfg.model.attn`.

    Not one that may be a config handed on: `head.cfg`, `self.attn`.
    """
    if isinstance(owner, cst.Attribute):
        name = owner.attr.value
    elif isinstance(owner, cst.Subscript):
        name = index(owner)
    else:
        return ""
    if not name or known.holds(name) or is_self(reader, owner.value):
        return ""
    base: cst.BaseExpression = owner.value
    while isinstance(base, (cst.Attribute, cst.Subscript)):
        if isinstance(base, cst.Subscript) and not index(base):
            return ""
        base = base.value
    if not isinstance(base, cst.Name):
        return ""
    return name if is_declared(reader, owner) or holds(reader, owner.value) else ""


def is_declared(reader: Reader, owner: cst.BaseExpression) -> bool:
    """Whether something is a config of defaults, made empty in the module: yacs's `_C`."""
    root = (dotted(owner) or "").partition(".")[0]
    bindings = reader.model.root.bindings.get(root, ())
    return any(_is_made(each.value) for each in bindings)


def _is_made(node: cst.BaseExpression | None) -> bool:
    """Whether something is made to hold settings: `CN()`."""
    return isinstance(node, cst.Call) and last_name(node.func) in known.words().holding.made


def is_empty(node: cst.BaseExpression) -> bool:
    """Whether something is made so, and has none yet."""
    return _is_made(node) and not (isinstance(node, cst.Call) and node.args)


def _small(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What is written in small letters there: `kind` of `kind.lower()`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and not node.args:
        return node.func.value if node.func.attr.value in _SMALL else None
    return None


_SMALL = frozenset({"lower", "casefold", "strip"})


def _of_name(reader: Reader, node: cst.Name, *, asks_whether: bool) -> str:
    """A parameter, or a constant of a script that is nothing but written down."""
    bindings = _bindings(reader, node)
    if not bindings or node.value in _CONSTANTS:
        return ""
    if all(binding.kind == "param" for binding in bindings):
        if node.value.isupper():
            return ""  # of a kernel, which is compiled for each value
        if any(binding.place.scope.self_name == node.value for binding in bindings):
            return ""
        return "" if asks_whether and any(map(_may_lack, bindings)) else node.value
    if all(_is_constant(reader, binding) for binding in bindings):
        return node.value
    return _of_command(bindings)


def _of_command(bindings: Sequence[Binding]) -> str:
    """An option that code takes from the words of a command line itself, with its hyphens.

    `elif arg == "--kind": kind = args[i + 1]`, and None before that.
    """
    found: set[str] = set()
    for binding in bindings:
        if binding.kind != "value" or literal(binding.value) == "null":
            found |= set() if binding.kind == "value" else {""}
        elif isinstance(binding.value, (cst.Subscript, cst.Call)) and _takes(binding.value):
            found.add(next(filter(None, map(_asked_option, around(binding.place.branch))), ""))
        else:
            found.add("")
    return found.pop() if len(found) == 1 else ""


def _takes(node: cst.Subscript | cst.Call) -> bool:
    """Whether a value is one of some words, the next of them, or what is in one of them."""
    if isinstance(node, cst.Subscript):
        return True
    method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    return method in {"pop", "popleft", "removeprefix"} or last_name(node.func) == "next"


def _asked_option(branch: Branch) -> str:
    """The option of which a branch asks whether a word is it, or begins with it."""
    if branch.kind != "test" or branch.test is None or not branch.truth:
        return ""
    texts = (string_value(each) for each in _strings_in(branch.test))
    names = {_OPTION.fullmatch(text[0]) for text in texts if text and text[1]}
    said = {name[1].replace("-", "_") if name else "" for name in names}
    return f"--{said.pop()}" if len(said) == 1 and "" not in said else ""


def _strings_in(node: cst.CSTNode) -> Iterator[cst.SimpleString]:
    return (each for each in descendants(node) if isinstance(each, cst.SimpleString))


_OPTION = re.compile(r"--([A-Za-z][\w-]*)=?")


def _may_lack(binding: Binding) -> bool:
    """Whether a parameter may be left out, and is no word, number or truth then."""
    return binding.value is not None and literal(binding.value) in {"", "null"}


def left_out(reader: Reader, node: cst.BaseExpression) -> str:
    """A parameter that is None by default, with its function: `evaluate(trt_file`.

    Only of a function that nobody calls unseen, as far as its own file tells: what calls give says
    then whether there is something. Empty for anything else.
    """
    if not isinstance(node, cst.Name) or node.value in known.words().never.modes:
        return ""
    bindings = _bindings(reader, node)
    if len(bindings) != 1 or bindings[0].kind != "param" or literal(bindings[0].value) != "null":
        return ""
    scope = bindings[0].place.scope
    if len(scope.bindings.get(node.value, ())) != 1 or not is_only_called(reader, scope):
        return ""
    return f"{scope.name}{OF_FUNCTION}{node.value}"


def _is_constant(reader: Reader, binding: Binding) -> bool:
    return (
        binding.kind == "value"
        and binding.place.scope is reader.model.root
        and binding.place.branch is None
        and bool(literal(binding.value))
        and isinstance(binding.node, (cst.Assign, cst.AnnAssign))
    )


def _of_attribute(reader: Reader, node: cst.Attribute) -> str:
    name = node.attr.value
    if is_self(reader, node.value):
        bindings = attributes(reader, node)
        if all(_leaves_open(binding, name) for binding in bindings):
            return name
        return ""
    return name if holds(reader, node.value) else ""


def _leaves_open(binding: Binding, name: str) -> bool:
    """Whether what an object's attribute is set to is written down, or is what it was given."""
    value = binding.value
    return value is None or bool(literal(value)) or is_field(value) or last_name(value) == name


def is_field(node: cst.BaseExpression | None) -> bool:
    """Whether a value is the declaration of a field, which has the default in it."""
    return isinstance(node, cst.Call) and last_name(node.func) in known.words().declaring.fields


def _of_subscript(reader: Reader, node: cst.Subscript) -> str:
    key = index(node)
    return key if key and holds(reader, node.value) else ""


def index(node: cst.Subscript) -> str:
    """The string that something is asked with: `x` of `cfg["x"]`."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return ""
    text = string_value(node.slice[0].slice.value)
    return text[0] if text and text[1] and text[0].isidentifier() else ""


def element(reader: Reader, node: cst.BaseExpression) -> str:
    """The setting of which an expression is one element: `cfg.stages[i]`; empty for anything else.

    Whichever, as the place may be any; not a slice, and nothing that is asked by a written name.
    """
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1:
        return ""
    key = node.slice[0].slice
    if not isinstance(key, cst.Index) or isinstance(key.value, (cst.BaseString, cst.Tuple)):
        return ""
    name = setting(reader, node.value)
    return f"{name}{ELEMENT}" if name.isidentifier() else ""


def asked(reader: Reader, call: cst.Call) -> tuple[str, cst.BaseExpression | None]:
    """The setting that `cfg.get("x", y)` or `getattr(cfg, "x", y)` is, and its default."""
    function = call.func
    if isinstance(function, cst.Name) and function.value == "getattr":
        owner, key, default = (argument(call, (place,)).value for place in range(3))
    elif isinstance(function, cst.Attribute) and function.attr.value in {"get", "pop"}:
        owner, key = function.value, argument(call, (0, "key")).value
        default = argument(call, (1, "default", "default_value")).value
    else:
        return "", None
    text = string_value(key) if key is not None else None
    if owner is None or text is None or not text[1] or not text[0].isidentifier():
        return "", None
    if not (holds(reader, owner) or is_self(reader, owner)):
        return "", None
    return text[0], default


def holds(reader: Reader, node: cst.BaseExpression, depth: int = 0) -> bool:
    """Whether an expression has settings: `cfg`, `self.config`, `job_config.training`."""
    while not isinstance(node, cst.Name):
        if isinstance(node, cst.Attribute):
            if node.attr.value == "environ":
                return False
            if known.holds(node.attr.value):
                return True
            node = node.value
        elif isinstance(node, cst.Subscript):
            node = node.value
        elif isinstance(node, cst.Call):
            node = node.func
        else:
            return False
    if known.holds(node.value):
        return True
    if any(known.holds(last_name(each.annotation)) for each in _bindings(reader, node)):
        return True
    bound = _meant(reader, node)
    return bound is not None and depth < _DEEPEST and holds(reader, bound, depth + 1)


def _bindings(reader: Reader, node: cst.Name) -> Sequence[Binding]:
    return reader.lookup(node.value, reader.scope_of(node))


def is_changed(reader: Reader, name: str) -> bool:
    """Whether `+=` or its like changes what is called so."""
    return any(last_name(each) == name for each in reader.model.changed)


def is_self(reader: Reader, node: cst.BaseExpression) -> bool:
    """Whether an expression is the object whose method it stands in."""
    if type(node) is not cst.Name or node.value not in reader.model.self_names:
        return False
    return any(
        binding.kind == "param" and binding.place.scope.self_name == node.value
        for binding in _bindings(reader, node)
    )


def attributes(reader: Reader, node: cst.Attribute) -> list[Binding]:
    """What an attribute of the object is bound to in its class, and in bases of this file."""
    found: list[Binding] = []
    for value in reader.values(node.value):
        if isinstance(value, (LocalObject, LocalClass)):
            found += reader.class_attribute(value.scope, node.attr.value)
    return found


def _meant(reader: Reader, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What a name stands for that is bound once, to something of a setting or of settings."""
    bindings: Sequence[Binding] = ()
    if isinstance(node, cst.Name):
        bindings = _bindings(reader, node)
        if any(binding.place.scope is reader.model.root for binding in bindings):
            return None
    elif isinstance(node, cst.Attribute) and is_self(reader, node.value):
        bindings = attributes(reader, node)
    if len(bindings) != 1 or bindings[0].kind != "value":
        return None
    value = bindings[0].value
    if value is None or value is node or literal(value) or is_field(value):
        return None
    if isinstance(node, cst.Attribute) and isinstance(value, cst.Attribute):
        if value.attr.value == node.attr.value:
            return None  # handed on under its name
    return value


# --- variables of the environment -----------------------------------------------------------------


def variable(reader: Reader, node: cst.BaseExpression) -> tuple[str, str]:
    """The variable that `os.getenv("USE_X", "0")` asks for, and its default; empty for none.

    One without a default is `null`: there for somebody to set. What is asked by the first parameter
    of a function has no name.
    """
    if not isinstance(node, cst.Call) or reader.name(node.func) not in _READING:
        return "", ""
    key, default = argument(node, (0, "key")).value, argument(node, (1, "default")).value
    value = _default_of(reader, default)
    text = string_value(key) if key is not None else None
    if text and text[1] and _VARIABLE.fullmatch(text[0]) and not is_of_launcher(text[0]):
        value = "null" if default is None else value
        return (VARIABLE + text[0], value) if value else ("", "")
    if isinstance(key, cst.Name) and value:
        bindings = _bindings(reader, key)
        if len(bindings) == 1 and bindings[0].kind == "param" and _is_first(bindings[0]):
            return VARIABLE, value
    return "", ""


_READING = frozenset({"os.getenv", "os.environ.get"})
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_CACHING = frozenset({"cache", "lru_cache"})


def _default_of(reader: Reader, node: cst.BaseExpression | None) -> str:
    """What is written down for a default, or for that of the parameter that it is."""
    if isinstance(node, cst.Name) and node.value not in _CONSTANTS:
        bindings = _bindings(reader, node)
        is_given = len(bindings) == 1 and bindings[0].kind == "param"
        node = bindings[0].value if is_given else None
    text = string_value(node) if isinstance(node, cst.BaseString) else None
    return "null" if text == ("", True) else literal(node)


def _is_first(binding: Binding) -> bool:
    node = binding.place.scope.node
    if not isinstance(node, cst.FunctionDef):
        return False
    params = [*node.params.posonly_params, *node.params.params]
    return bool(params) and params[0].name.value == binding.name


def _of_variable(reader: Reader, node: cst.Call, *, asks_whether: bool) -> str:
    """The variable that a call asks for, or a number that is made of one: a text is rarely empty.

    `asks_whether`: `"0"` is as true as `"1"`, where nobody makes a number of it. Without a default
    only that can be known: which of several values somebody sets is his to say.
    """
    if isinstance(node.func, cst.Name) and node.func.value == "int" and len(node.args) == 1:
        inner = node.args[0].value
        return variable(reader, inner)[0] if _has_default(inner) else ""
    name, default = variable(reader, node)
    if not _has_default(node):
        return name if asks_whether else ""
    written = argument(node, (1, "default")).value
    is_text = isinstance(written, cst.BaseString) and default != "null"
    return "" if asks_whether and (is_text or isinstance(written, cst.Name)) else name


def _has_default(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and argument(node, (1, "default")).value is not None


def asking(reader: Reader, scope: Scope) -> tuple[str, ...]:
    """What a function that is given the name of a variable must find: the default, and values.

    `def is_enabled(name, default="0"): return os.getenv(name, default) in ("1", "true")`.
    """
    node = scope.node
    if not isinstance(node, cst.FunctionDef) or node.asynchronous or len(scope.returns) != 1:
        return ()
    if any(last_name(each.decorator) not in _CACHING for each in node.decorators):
        return ()
    value, place = scope.returns[0]
    if value is None or place.branch is not None:
        return ()
    found = [each for each in conditions(reader, value) if each.name == VARIABLE]
    if len(found) != 1 or found[0].otherwise or _gives_more(scope):
        return ()
    defaults = {variable(reader, each) for each in descendants(value) if isinstance(each, cst.Call)}
    defaults -= {("", "")}
    return (defaults.pop()[1], *found[0].values) if len(defaults) == 1 else ()


def asked_variable(reader: Reader, call: cst.Call) -> tuple[str, ...]:
    """The variable that a function is asked for by its name, its default, and what it must be."""
    text = string_value(call.args[0].value) if len(call.args) == 1 else None
    if not text or not text[1] or call.args[0].star or call.args[0].keyword:
        return ()
    if not _VARIABLE.fullmatch(text[0]) or is_of_launcher(text[0]):
        return ()
    found: set[tuple[str, ...]] = set()
    for value in reader.values(call.func):
        if isinstance(value, LocalFunction):
            found.add(asking(reader, value.scope))
        elif isinstance(value, Ref) and value.open:
            reader.asked.add(value.name)
            export = reader.externals.get(value.name)
            found.add(export.asks if export is not None else ())
        else:
            found.add(())
    told = found.pop() if len(found) == 1 else ()
    return (VARIABLE + text[0], *told) if told else ()


# --- settings that a function is given the names of -----------------------------------------------


def named_in(reader: Reader, call: cst.Call) -> str:
    """The setting that must be true for a function of the file to say yes: `given("use_flash")`.

    Of a function that looks it up by that name: `return getattr(args, name)`.
    """
    bindings = _bindings(reader, call.func) if isinstance(call.func, cst.Name) else ()
    scope = bindings[0].inner if len(bindings) == 1 else None
    node = scope.node if scope is not None else None
    if scope is None or not isinstance(node, cst.FunctionDef) or not scope.returns:
        return ""
    if node.decorators or node.asynchronous:
        return ""
    names = [each.name.value for each in (*node.params.posonly_params, *node.params.params)]
    for place, item in enumerate(call.args):
        text = None if item.star else string_value(item.value)
        name = item.keyword.value if item.keyword else "".join(names[place : place + 1])
        if item.star:
            return ""
        if text and text[1] and text[0].isidentifier() and _demands(reader, scope, name):
            return "" if _gives_more(scope) else text[0]
    return ""


def _gives_more(scope: Scope) -> bool:
    """Whether a function does not give what it returns: it is a generator."""
    return any(isinstance(each, cst.Yield) for each in descendants(scope.node))


def _demands(reader: Reader, scope: Scope, name: str) -> bool:
    """Whether a function is only true where the setting is that a parameter names."""
    bindings = scope.bindings.get(name, ())
    if len(bindings) != 1 or bindings[0].kind != "param":
        return False
    if is_changed(reader, name):
        return False
    for value, place in scope.returns:
        if value is None or literal(value) in _FALSE:
            continue
        parts = list(terms(value, truth=True))
        for branch in around(place.branch):
            if branch.kind == "test" and branch.test is not None and branch.scope is scope:
                parts += terms(branch.test, truth=branch.truth)
        if not any(_looks_up(reader, term, name) for term in parts):
            return False
    return True


_FALSE = frozenset({"false", "null", "0"})


def terms(test: cst.BaseExpression, *, truth: bool) -> Iterator[cst.BaseExpression]:
    """The parts of a condition each of which must be true where that has this outcome."""
    waiting = [(test, truth)]
    while waiting:
        node, is_true = waiting.pop()
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            waiting.append((node.expression, not is_true))
        elif isinstance(node, cst.BooleanOperation):
            if isinstance(node.operator, cst.And) == is_true:
                waiting += [(node.right, is_true), (node.left, is_true)]
        elif isinstance(node, cst.Call) and dotted(node.func) == "bool" and len(node.args) == 1:
            waiting.append((node.args[0].value, is_true))
        elif is_true:
            yield node


def _looks_up(reader: Reader, node: cst.BaseExpression, name: str) -> bool:
    """Whether an expression is the setting that a variable names: `getattr(args, name)`."""
    owner: cst.BaseExpression | None = None
    key: cst.BaseExpression | None = None
    default: cst.BaseExpression | None = None
    if isinstance(node, cst.Subscript):
        item = node.slice[0].slice
        owner, key = node.value, item.value if isinstance(item, cst.Index) else None
    elif isinstance(node, cst.Call) and dotted(node.func) == "getattr":
        owner, key, default = (argument(node, (place,)).value for place in range(3))
    elif isinstance(node, cst.Call) and dotted(node.func) == "eval":
        return _evaluates(argument(node, (0,)).value, name)
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value == "get":
            owner, key = node.func.value, argument(node, (0, "key")).value
            default = argument(node, (1, "default")).value
    if isinstance(owner, cst.Call) and dotted(owner.func) == "vars" and owner.args:
        owner = owner.args[0].value
    is_asked = isinstance(key, cst.Name) and key.value == name
    is_false = default is None or literal(default) in _FALSE
    return is_asked and is_false and owner is not None and holds(reader, owner)


def _evaluates(node: cst.BaseExpression | None, name: str) -> bool:
    """Whether a text that is evaluated is a member of settings: `f"args.{name}"`."""
    if not isinstance(node, cst.FormattedString) or len(node.parts) != _PAIR:
        return False
    owner, member = node.parts
    if not isinstance(owner, cst.FormattedStringText) or not owner.value.endswith("."):
        return False
    if not isinstance(member, cst.FormattedStringExpression) or member.conversion:
        return False
    is_asked = isinstance(member.expression, cst.Name) and member.expression.value == name
    return is_asked and not member.format_spec and known.holds(owner.value[:-1].rpartition(".")[2])
