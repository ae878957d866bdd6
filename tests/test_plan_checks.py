"""What `rules/_data/plan.toml` says beside the work, and what the file refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from portaudit.catalogue.load import PREFIXES, load
from portaudit.catalogue.plan import plan_checks, read_plan
from portaudit.catalogue.stack import stack
from portaudit.errors import CatalogueError
from portaudit.types import TARGETS, PlanPart, Target

RULES = load().rules
ORIGIN = """[check.target.torchneuron]
source = "https://example.com/page"
evidence = "official"
sdk = "2.33"
checked = 2026-11-22
"""
FILE = f"""[[check]]
part = "before"
text = "Begin {{entry}} with {{python}}."
{ORIGIN}
[[check]]
part = "run"
text = "Look at it."
when = ["DIS020", "amp"]
always = true
{ORIGIN}"""


@pytest.mark.parametrize("target", TARGETS)
def test_every_part_has_something_to_say_on_each_target(target: Target) -> None:
    assert {each.part for each in plan_checks(target)} == set(get_args(PlanPart))


@pytest.mark.parametrize("target", TARGETS)
def test_reasons_are_rules_and_categories_that_exist(target: Target) -> None:
    words = {word for each in plan_checks(target) for word in each.when}
    assert words <= RULES.keys() | set(PREFIXES.values())
    assert words & RULES.keys()


@pytest.mark.parametrize("target", TARGETS)
def test_versions_are_those_of_the_stack(target: Target) -> None:
    texts = " ".join(each.check.text for each in plan_checks(target))
    for package in ("python", "torch"):
        *_, last = stack()[target][package].lines
        assert f"or {last}" in texts
    assert set(re.findall(r"\{\w+\}", texts)) == {"{entry}"}


@pytest.mark.parametrize("target", TARGETS)
def test_what_holds_without_a_reason_is_always_said(target: Target) -> None:
    checks = plan_checks(target)
    assert all(each.always for each in checks if not each.when)
    assert any(each.always for each in checks if each.when)
    assert any(not each.always for each in checks)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("part =", "parts =", "unknown field `parts`"),
        ('part = "run"', 'part = "runs"', "Invalid enum value 'runs'"),
        ('part = "run"', "", "missing required field `part`"),
        ('evidence = "official"', 'evidence = "inferred"', "Invalid enum value 'inferred'"),
        ('source = "https://example.com/page"', 'source = "example.com"', "must be the https"),
        ('"amp"', '"apm"', 'did you mean "amp"?'),
        ("{python}", "{pithon}", "has {pithon}, which nothing fills in"),
        ("Look at it.", "Look. At. It.", "at most 2 sentences"),
        ('when = ["DIS020", "amp"]', "", "leave `always` out"),
        ('"before"', '"speed"', "the parts must come in the order before, run"),
        ("[[check]]", "[check", "cannot be read"),
    ],
)
def test_file_is_refused_with_the_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(FILE)
    assert [step.part for step in read_plan(path)] == ["before", "run"]
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(CatalogueError) as caught:
        read_plan(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
