"""Checks for a library that stop the program where it is missing: there the library is required.

`if flash_attn is None: raise …` and `require_version("flash-attn>=2")` are reported with the rule
of the library's import. A check that has another way out is left alone: it answers truthfully on
the target, and nobody has to edit it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from portaudit.catalogue.index import Selector
from portaudit.catalogue.load import Catalogue
from portaudit.judge.flags import implied
from portaudit.judge.guards import Guard, Judge, Subject, fails, is_caught
from portaudit.match.hits import Hit, lowest
from portaudit.read.python.nodes import dotted, string_value


def required(judgment: Judge, catalogue: Catalogue) -> Iterator[Hit]:
    """What fails in one file without a library that the catalogue knows: tests, and demands."""
    reader = judgment.flags.reader
    for call in reader.model.calls:
        library = _demanded(judgment, call)
        selector = _import_rule(catalogue, library) if library else None
        place = reader.model.places[call]
        if selector is not None and not is_caught(place):
            confidence = lowest([catalogue.rules[selector.rule].confidence, "medium"])
            guard = judgment.guard(place, Subject(library, library))
            demanded = Guard("hard-fail", reader.proof(call)) if guard.state == "none" else guard
            yield Hit(selector, call, call, place, library, confidence, 0, guard=demanded)
    for owner, test, orelse, body, _ in reader.model.tests:
        if not isinstance(owner, (cst.If, cst.Assert)) or not (fails(body) or fails(orelse)):
            continue
        place = reader.model.places[test]
        if is_caught(place):
            continue
        for library in sorted(_missing(judgment, test, fails(body), fails(orelse))):
            selector = _import_rule(catalogue, library)
            if selector is not None:
                rule = catalogue.rules[selector.rule]
                outer = judgment.guard(place, Subject(library, library))
                guard = Guard("hard-fail", reader.proof(owner)) if outer.state == "none" else outer
                yield Hit(selector, test, test, place, library, rule.confidence, 0, guard=guard)


def _missing(
    judgment: Judge, test: cst.BaseExpression, body_fails: bool, orelse_fails: bool
) -> set[str]:
    """Libraries without which `test` leads to a failure."""
    flag = judgment.flags.flag(test)
    found: set[str] = set()
    for truth, taken, other in (
        (True, body_fails, orelse_fails),
        (False, orelse_fails, body_fails),
    ):
        for fact in implied(flag, truth) or ():
            if (fact.kind == "lib" and other) or (fact.kind == "no-lib" and taken):
                found.add(fact.subject)
    return found


def _demanded(judgment: Judge, call: cst.Call) -> str:
    """The library that a helper is told to insist on: `check_version("bitsandbytes>=0.43")`."""
    if (dotted(call.func) or "").rpartition(".")[2] not in _DEMANDS or not call.args:
        return ""
    text = string_value(call.args[0].value)
    if not text or not text[1]:
        return ""
    try:
        name = Requirement(text[0]).name
    except InvalidRequirement:
        return ""
    library = _IMPORT_NAMES.get(canonicalize_name(name), canonicalize_name(name).replace("-", "_"))
    return library if library in judgment.flags.packages else ""


_DEMANDS = frozenset(
    [
        *("assert_installed", "check_requirement", "check_requirements", "check_version"),
        *("ensure_installed", "require_package", "require_packages", "require_version"),
        *("requires_package", "requires_packages"),
    ]
)
"""What helpers are called that raise where a requirement is not met."""
_IMPORT_NAMES = {"autoawq": "awq", "auto-gptq": "auto_gptq", "nvidia-ml-py": "pynvml"}
"""Import names of distributions that are called otherwise."""


def _import_rule(catalogue: Catalogue, library: str) -> Selector | None:
    """The rule that speaks of a library's import, that of the whole package first."""
    found = catalogue.index.names["import"].find(library)
    whole = [item for item in found if catalogue.rules[item.rule].library == library]
    return next(iter([*whole, *found]), None)
