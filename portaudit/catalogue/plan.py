"""What a porting plan says beside the work on the code, from `rules/_data/plan.toml`.

Knows neither findings nor reports. Like a check of a topic, none stands without a page that says
it; the versions that a text speaks of are those of `stack`, so that they are written down once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.stack import PYTHON, stack
from portaudit.catalogue.tables import read_table
from portaudit.catalogue.topics import Advice, check_problems
from portaudit.errors import CatalogueError
from portaudit.types import Check, PlanCheck, PlanPart, Target

_VERSIONS = {"{python}": PYTHON, "{torch}": "torch"}
"""Words of a text that stand for versions of a package."""
_FILLED = {*_VERSIONS, "{entry}"}
_WORD = re.compile(r"\{[^}]*\}")


class Step(Advice, frozen=True, kw_only=True):
    """A check and its part of the plan.

    With `always` it is said whatever the work is, and `when` only says what it is about.
    """

    part: PlanPart
    always: bool = False


class _File(Section, frozen=True):
    check: tuple[Step, ...]


def plan_checks(target: Target) -> tuple[PlanCheck, ...]:
    """What applies to a target, in the order of the file. Raises `CatalogueError`."""
    return tuple(
        PlanCheck(
            step.part,
            Check(
                _with_versions(step.text, target),
                origin.source,
                origin.evidence,
                origin.sdk,
                origin.checked.isoformat(),
            ),
            step.when,
            step.always or not step.when,
        )
        for step in _shipped()
        if (origin := step.target.get(target))
    )


@cache
def _shipped() -> tuple[Step, ...]:
    return read_plan(builtin_rules() / "_data" / "plan.toml")


def read_plan(path: Path) -> tuple[Step, ...]:
    """Read and check a file of checks. Raises `CatalogueError`."""
    found = read_table(path, _File).check
    problem = next(_problems(found), None)
    if problem:
        raise CatalogueError(f"{path}: {problem}")
    return found


def _problems(found: tuple[Step, ...]) -> Iterator[str]:
    parts = get_args(PlanPart)
    if [step.part for step in found] != sorted((step.part for step in found), key=parts.index):
        yield f"the parts must come in the order {', '.join(parts)}"
    for position, step in enumerate(found, start=1):
        for problem in check_problems(step):
            yield f"[[check]] {position}: {problem}"
        for word in _WORD.findall(step.text):
            if word not in _FILLED:
                yield f"[[check]] {position}: `text` has {word}, which nothing fills in"
        if step.always and not step.when:
            yield f"[[check]] {position}: without `when` it is always said: leave `always` out"


def _with_versions(text: str, target: Target) -> str:
    for word, package in _VERSIONS.items():
        *most, last = stack()[target][package].lines
        text = text.replace(word, f"{', '.join(most)} or {last}" if most else last)
    return text
