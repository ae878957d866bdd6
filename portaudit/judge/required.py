"""Checks for a library that stop the program where it is missing: there the library is required.

`if flash_attn is None: raise …` and `require_version("flash-attn>=2")` are reported with the rule
of the library's import. A check that has another way out is left alone: it answers truthfully on
the target, and nobody has to edit it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.catalogue.index import Selector
from portaudit.catalogue.load import Catalogue
from portaudit.judge.flags import implied
from portaudit.judge.guards import Judge, Subject, fails, is_caught
from portaudit.match.hits import Hit, lowest
from portaudit.read.python.model import EXITS, Binding, Otherwise, imported_by_name, is_false
from portaudit.read.python.nodes import descendants, dotted, last_name, string_value
from portaudit.read.python.values import LocalFunction, LocalObject
from portaudit.types import Confidence, Flag


def required(judgment: Judge, catalogue: Catalogue) -> Iterator[Hit]:
    """What fails in one file without a library that the catalogue knows: tests, and demands."""
    reader = judgment.flags.reader
    places: list[tuple[cst.BaseExpression, cst.CSTNode, str, Confidence]] = []
    for call in reader.model.calls:
        library = _demanded(judgment, catalogue, call)
        if library:
            places.append((call, call, library, "medium"))
    exits = (call for call in reader.model.calls if dotted(call.func) in EXITS)
    stopping = reader.model.raising.union(reader.model.places[call].scope for call in exits)
    for owner, test, orelse, body, scope in reader.model.tests:
        if scope in stopping and isinstance(owner, (cst.If, cst.Assert)):
            missing = sorted(_missing(judgment, test, body, orelse))
            places.extend((test, owner, library, "high") for library in missing)
    for node, owner, library, sure in places:
        place = reader.model.places[node]
        selector = _import_rule(catalogue, library)
        if selector is None or is_caught(place):
            continue
        guard = judgment.failing(place, Subject(library, library), owner)
        confidence = lowest([catalogue.rules[selector.rule].confidence, sure])
        yield Hit(selector, node, node, place, library, confidence, 0, guard=guard)


def _missing(
    judgment: Judge, test: cst.BaseExpression, body: Otherwise, orelse: Otherwise
) -> set[str]:
    """Libraries without which `test` leads to a failure, whatever else it asks."""
    flag = judgment.flags.flag(test)
    found: set[str] = set()
    for truth, other in ((True, orelse), (False, body)):
        needed = _libraries(flag, truth)
        if needed and fails(other) and not _may_leave(other):
            found |= needed
    return found - _of_objects(judgment, test) if found else found


def _libraries(flag: Flag, truth: bool) -> set[str]:
    """The libraries that are there when a flag has this truth."""
    return {fact.subject for fact in implied(flag, truth) or () if fact.kind == "lib"}


def _of_objects(judgment: Judge, test: cst.BaseExpression) -> set[str]:
    """Libraries that a test asks for only by asking whether an object was made already."""
    asked: set[str] = set()
    of_objects: set[str] = set()
    for part in _parts(test):
        flag = judgment.flags.flag(part)
        named = _libraries(flag, True) | _libraries(flag, False)
        if named and _is_made_later(judgment, part):
            of_objects |= named
        else:
            asked |= named
    return of_objects - asked


def _parts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a condition asks, one by one."""
    waiting = [test]
    while waiting:
        node = waiting.pop()
        if isinstance(node, cst.BooleanOperation):
            waiting += [node.left, node.right]
        elif isinstance(node, cst.UnaryOperation):
            waiting.append(node.expression)
        elif isinstance(node, cst.Comparison) and is_false(node.comparisons[0].comparator):
            waiting.append(node.left)
        else:
            yield node


def _is_made_later(judgment: Judge, node: cst.CSTNode | None, depth: int = 0) -> bool:
    """Whether a variable is empty until some function makes its object: `_buffer = Buffer()`."""
    reader = judgment.flags.reader
    if isinstance(node, cst.Name) and node in reader.model.places:
        bindings = reader.bindings(node)
    elif isinstance(node, cst.Attribute):
        bindings = [
            binding
            for value in reader.values(node.value)
            if isinstance(value, LocalObject)
            for binding in reader.class_attribute(value.scope, node.attr.value)
        ]
    else:
        return False
    if len(bindings) == 1 and depth < _ALIASES:
        return _is_made_later(judgment, bindings[0].value, depth + 1)
    made = [binding for binding in bindings if _makes_object(judgment, binding)]
    return any(
        other.place.scope is not binding.place.scope for binding in made for other in bindings
    )


def _makes_object(judgment: Judge, binding: Binding) -> bool:
    """Whether a function gives a variable what a call makes, rather than a module or an answer."""
    value = binding.value
    if binding.kind != "value" or not isinstance(value, cst.Call) or imported_by_name(value):
        return False
    flag = judgment.flags.flag(value)
    answers = _libraries(flag, True) | _libraries(flag, False)
    return binding.place.scope.kind == "function" and not answers


def _may_leave(otherwise: Otherwise) -> bool:
    """Whether a block that ends in an error may be left on the way there."""
    for statement in otherwise.block if otherwise.kind == "block" else ():
        if isinstance(statement, cst.Raise):
            return False
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
            continue
        if any(isinstance(item, _EXITS) for item in descendants(statement)):
            return True
    return False


_ALIASES = 3
_EXITS = (cst.Return, cst.Break, cst.Continue, cst.Yield)


def _demanded(judgment: Judge, catalogue: Catalogue, call: cst.Call) -> str:
    """The library that a helper is told to insist on: `check_version("bitsandbytes>=0.43")`."""
    if last_name(call.func) not in DEMANDS or not call.args:
        return ""
    reader = judgment.flags.reader
    if not isinstance(reader.model.parents.get(call), cst.Expr) or call.args[0].keyword:
        return ""  # a question, whose answer is used
    if any(isinstance(item.value, cst.Name) and item.value.value == "False" for item in call.args):
        return ""
    for value in reader.values(call.func):
        if isinstance(value, LocalFunction) and not _raises(value):
            return ""
    text = string_value(call.args[0].value)
    if not text or not text[1]:
        return ""
    # Few files get here, and packaging takes longer to load than they to judge.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    try:
        name = Requirement(text[0]).name
    except InvalidRequirement:
        return ""
    package = canonicalize_name(name)
    library = catalogue.import_names.get(package, package.replace("-", "_"))
    return library if library in judgment.flags.packages else ""


def _raises(function: LocalFunction) -> bool:
    node = function.scope.node
    return isinstance(node, cst.FunctionDef) and any(
        isinstance(item, cst.Raise) for item in descendants(node.body)
    )


DEMANDS = frozenset(
    [
        *("assert_installed", "check_requirement", "check_requirements", "check_version"),
        *("ensure_installed", "require_package", "require_packages", "require_version"),
        *("requires_package", "requires_packages"),
    ]
)
"""What helpers are called that raise where a requirement is not met."""


def _import_rule(catalogue: Catalogue, library: str) -> Selector | None:
    """The rule that speaks of a library's import, that of the whole package first."""
    found = catalogue.index.names["import"].find(library)
    whole = [item for item in found if catalogue.rules[item.rule].library == library]
    return next(iter([*whole, *found]), None)
