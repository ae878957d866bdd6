from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

import samples
from odd_reports import reports
from portaudit.report import gitlab
from portaudit.types import Report, Severity, Span

Golden = Callable[[str, str], None]
SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def issues(report: Report, prefix: str = "") -> list[dict[str, Any]]:
    """The issues, after the demands that GitLab's documentation makes of each."""
    found: list[dict[str, Any]] = json.loads(gitlab.render(report, prefix=prefix))
    for issue in found:
        for key in ("description", "check_name", "fingerprint"):
            assert isinstance(issue[key], str), key
        assert issue["severity"] in SEVERITIES
        assert issue["description"]
        path, lines = issue["location"]["path"], issue["location"]["lines"]
        assert isinstance(path, str)
        assert not path.startswith("./")
        assert type(lines["begin"]) is int
        assert 1 <= lines["begin"] <= lines["end"]
    prints = [issue["fingerprint"] for issue in found]
    assert len(prints) == len(set(prints))
    return found


def test_gitlab_looks_as_expected(golden: Golden) -> None:
    golden("check.gitlab.json", gitlab.render(samples.FAILED))


@pytest.mark.parametrize("severity", ["info", "minor", "major", "blocker"])
def test_severity_is_the_effective_one(severity: Severity) -> None:
    finding = replace(samples.STRING, severity="major", effective_severity=severity)
    (issue,) = issues(replace(samples.REPORT, findings=(finding,)))
    assert issue["severity"] == severity


def test_accepted_places_stay_and_suppressed_ones_go() -> None:
    paths = {issue["fingerprint"] for issue in issues(samples.FAILED)}
    assert samples.OLD.fingerprint in paths
    assert not paths & {samples.ACCEPTED.fingerprint, samples.IGNORED.fingerprint}


def test_paths_begin_at_the_repository_and_lines_at_one() -> None:
    finding = replace(samples.STRING, span=Span(0, 1, 0, 1))
    (issue,) = issues(replace(samples.REPORT, findings=(finding,)), prefix="sub/")
    assert issue["location"] == {"path": "sub/train.py", "lines": {"begin": 1, "end": 1}}


def test_equal_fingerprints_are_made_unique() -> None:
    found = issues(replace(samples.REPORT, findings=(samples.STRING, samples.STRING)))
    assert [issue["fingerprint"][-2:] for issue in found] == ["04", ":2"]


def test_nothing_found_is_an_empty_list() -> None:
    assert json.loads(gitlab.render(samples.CLEAN)) == []


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_text_gives_valid_issues(report: Report) -> None:
    shown = sum(finding.suppressed is None for finding in report.findings)
    assert len(issues(report)) == shown
