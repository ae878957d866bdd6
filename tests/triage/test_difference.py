from __future__ import annotations

import json

import pytest
from msgspec import structs

import samples
from portaudit.errors import UsageError
from portaudit.report import difference, stored
from portaudit.report import json as json_report
from portaudit.triage.difference import differ
from portaudit.types import Finding, Report, Suppression

NAMES = ("v1", "v2")


def finding(scope: str, path: str = "train.py", context: str = "") -> Finding:
    return structs.replace(
        samples.FLASH, path=path, scope=scope, context=context or scope, suppressed=None
    )


def report(*findings: Finding) -> Report:
    return structs.replace(samples.REPORT, findings=findings, roots=())


def scopes(findings: tuple[Finding, ...]) -> list[str]:
    return [item.scope for item in findings]


def test_what_came_and_what_went() -> None:
    told = differ(
        report(finding("a"), finding("b")), report(finding("b"), finding("c"), finding("d")), NAMES
    )
    assert (scopes(told.appeared), scopes(told.gone), told.unchanged) == (["c", "d"], ["a"], 1)


def test_severity_changes_are_told_apart() -> None:
    light = structs.replace(finding("a"), effective_severity="info")
    grave = structs.replace(finding("a"), effective_severity="blocker")
    there = differ(report(light), report(grave), NAMES)
    back = differ(report(grave), report(light), NAMES)
    assert (scopes(there.graver), scopes(there.milder)) == (["a"], [])
    assert (scopes(back.graver), scopes(back.milder)) == ([], ["a"])
    assert there.graver[0].accepted is not None
    assert there.graver[0].accepted.severity == "info"


def test_files_under_another_name_are_no_news() -> None:
    old = report(finding("a"), finding("b"))
    new = report(finding("a", "src/train.py"), finding("b", "src/train.py"))
    told = differ(old, new, NAMES)
    assert told.moved == (("train.py", "src/train.py", 2),)
    assert (told.appeared, told.gone, told.unchanged) == ((), (), 2)


def test_of_equals_the_one_that_a_change_wrote_appeared() -> None:
    first, second = (
        structs.replace(finding("a"), span=structs.replace(samples.FLASH.span, line=line))
        for line in (1, 2)
    )
    told = differ(report(first), report(first, second), NAMES, touched=first.__eq__)
    assert told.appeared == (structs.replace(first, state="new"),)


def test_what_is_suppressed_is_no_news() -> None:
    hidden = structs.replace(finding("a"), suppressed=Suppression("ours", "train.py", 1))
    assert differ(report(), report(hidden), NAMES).appeared == ()


def test_root_causes_of_one_side() -> None:
    old, new = samples.REPORT, structs.replace(samples.REPORT, roots=samples.REPORT.roots[1:])
    assert differ(old, new, NAMES).roots_gone == old.roots[:1]
    assert differ(new, old, NAMES).roots_appeared == old.roots[:1]


def test_a_report_is_read_as_it_was_written() -> None:
    again = stored.parse(json_report.render(samples.REPORT).encode(), "r.json")
    assert json_report.render(again) == json_report.render(samples.REPORT)
    told = differ(samples.REPORT, again, NAMES)
    assert (told.appeared, told.gone, told.graver, told.milder) == ((), (), (), ())


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"schema": "other"}'])
def test_what_is_no_report_is_said(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"r\.json: is no"):
        stored.parse(content, "r.json")


def test_it_is_shown_and_published() -> None:
    old = structs.replace(samples.REPORT, findings=(), roots=())
    told = differ(old, samples.REPORT, NAMES)
    shown = difference.render(told, width=80, color=False)
    assert shown.startswith("v1 -> v2  for torchneuron\n")
    assert "New root causes" in shown
    assert "\x1b" not in shown
    published = json.loads(json_report.render_difference(told))
    assert published["schema"] == "portaudit.difference/1"
    assert len(published["appeared"]) == len(told.appeared)
