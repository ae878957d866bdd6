"""The repositories under `fixtures/`, each with what an audit of it must find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypedDict

import pytest

from portaudit import engine
from portaudit.config import Config
from portaudit.types import Finding, Report

CHECKOUT = Path(__file__).resolve().parent.parent
FIXTURES = CHECKOUT / "fixtures"
STORIES = sorted(path.parent.name for path in FIXTURES.glob("*/expected.json"))
SCATTERED = FIXTURES / "scattered"
SCATTERED_FILES = sorted(path.relative_to(SCATTERED).as_posix() for path in SCATTERED.rglob("*.py"))


class Expectation(TypedDict):
    """The content of an expected.json; `reason` is what the error's reason must contain."""

    target: str
    findings: list[dict[str, str]]
    errors: list[dict[str, str]]


class Place(NamedTuple):
    path: str
    line: int
    rule: str


class Row(NamedTuple):
    place: Place
    effective_severity: str
    guard: str


@cache
def scan(story: str) -> Report:
    root = FIXTURES / story
    return engine.scan(Config(root, (root,), jobs=1))


@cache
def expectation(story: str) -> Expectation:
    wanted: Expectation = json.loads((FIXTURES / story / "expected.json").read_text("utf-8"))
    return wanted


def wanted_rows(story: str) -> list[Row]:
    return [
        Row(
            Place(item["path"], int(item["line"]), item["rule"]),
            item["effective_severity"],
            item["guard"],
        )
        for item in expectation(story)["findings"]
    ]


def row(finding: Finding) -> Row:
    place = Place(finding.path, finding.span.line, finding.rule)
    return Row(place, finding.effective_severity, finding.guard)


def found_rows(story: str) -> list[Row]:
    return sorted(row(finding) for finding in scan(story).findings)


def judged(findings: tuple[Finding, ...], path: str) -> Counter[tuple[object, ...]]:
    """All that a file's findings say of that file alone; uses in other files left out."""
    return Counter(
        (*row(item), item.span, item.confidence, item.anchor, item.guard_by)
        for item in findings
        if item.path == path
    )


# --- every story ----------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES)
def test_findings_are_those_expected(story: str) -> None:
    assert found_rows(story) == wanted_rows(story)


@pytest.mark.parametrize("story", STORIES)
def test_expectations_are_sorted_and_for_the_default_target(story: str) -> None:
    assert wanted_rows(story) == sorted(wanted_rows(story))
    assert expectation(story)["target"] == "torchneuron" == scan(story).target


@pytest.mark.parametrize("story", STORIES)
def test_errors_are_those_expected(story: str) -> None:
    wanted = expectation(story)["errors"]
    assert [error.path for error in scan(story).errors] == [item["path"] for item in wanted]
    for error, item in zip(scan(story).errors, wanted, strict=True):
        assert item["reason"] in error.reason
    assert scan(story).partial == bool(wanted)


# --- what a story says as a whole -----------------------------------------------------------------


def test_clean_code_is_ready() -> None:
    score = scan("clean").score
    assert (score.value, score.verdict, score.lost) == (100.0, "ready", ())


def test_without_torch_there_is_no_score() -> None:
    score = scan("no-torch").score
    assert (score.value, score.verdict) == (None, "unknown")


def test_optional_kernels_block_nothing() -> None:
    severities = {finding.effective_severity for finding in scan("optional-kernels").findings}
    assert severities <= {"info", "minor"}


def test_kernels_that_the_code_needs_block() -> None:
    severities = [root.severity for root in scan("kernel-bound").roots]
    extension, inline, triton, graph = 1 + 1, 1 + 1, 1, 1  # the first two with their operators
    assert severities.count("blocker") == extension + inline + triton + graph
    assert scan("kernel-bound").score.verdict in {"write kernels", "redesign"}


def test_findings_in_broken_files_are_doubtful() -> None:
    broken = {error.path for error in scan("legacy").errors}
    doubtful = {item.path for item in scan("legacy").findings if item.confidence == "low"}
    assert doubtful == broken - {"tools/export.py"}, "the last is no text at all"


def test_video_shows_all_sections() -> None:
    report = scan("video")
    rules = {item.fingerprint: item.rule for item in report.findings}
    found = {each.id: {rules[key] for key in each.findings} for each in report.sections}
    assert found == {
        "data-pipeline": {"FUS052", "DAT005", "DAT001"},
        "networking": {"DIS001", "DIS020", "DIS031"},
        "security": {"CMP005", "CTR030", "DIS031"},
    }


def test_clean_code_has_no_sections() -> None:
    assert scan("clean").sections == ()


# --- choices: several models, one is trained -----------------------------------------------------


def test_choices_are_told_from_what_the_main_run_needs() -> None:
    found = {
        (item.path, item.span.line): (item.reach, item.guard_by.setting if item.guard_by else "")
        for item in scan("choices").findings
    }
    for path, line, reach, setting in (
        ("train.py", 22, "main", ""),
        ("train.py", 24, "main", ""),
        ("train.py", 28, "main", "trace"),  # off by default
        ("models/conv.py", 8, "main", "fused_norm"),  # off in configs/river.yaml
        ("models/scan.py", 3, "main", ""),  # runs with the module, whoever is chosen
        ("models/scan.py", 20, "main", "scan"),  # configs/river.yaml chooses `conv`
        ("levels.py", 16, "other", ""),  # only the evaluation plots
        ("evaluate.py", 12, "other", ""),
        ("tests/test_scan.py", 8, "test", ""),
    ):
        assert found[path, line] == (reach, setting), f"{path}:{line}"


def test_choices_that_are_off_cost_nothing_but_their_imports() -> None:
    report = scan("choices")
    lost = {each.root for each in report.score.lost}
    roots = {root.id: root for root in report.roots}
    assert report.score.verdict == "edits only"
    assert {roots[each].severity for each in lost} == {"minor"}
    scanning = next(root for root in report.roots if root.rule == "FUS040")
    assert scanning.fix.startswith("Move the import")
    assert {root.setting for root in report.roots if root.setting} == {"trace", "fused_norm"}


# --- scattered: literal, flag and re-export in three files, used in others ------------------------


def test_scattered_literal_knows_its_uses() -> None:
    literal = next(item for item in scan("scattered").findings if item.rule == "DST001")
    assert literal.path == "common/settings.py"
    users = Counter(use.path for use in literal.uses)
    assert users == {"train.py": 3, "evaluate.py": 4, "long_context.py": 2}


def test_scattered_flag_is_proved_in_its_own_file() -> None:
    guarded = [item for item in scan("scattered").findings if item.guard != "none"]
    proofs = {(item.path, item.guard_by.path) for item in guarded if item.guard_by}
    users = ("common/kernels.py", "long_context.py", "model.py")
    test_that_raises = ("long_context.py", "long_context.py")  # it is what fails
    assert proofs == {*((path, "common/kernels.py") for path in users), test_that_raises}


def test_scattered_reexport_is_reported_where_it_is_used() -> None:
    waits = [item for item in scan("scattered").findings if item.rule == "DEV007"]
    assert {item.path for item in waits} == {"common/timing.py", "train.py", "evaluate.py"}
    assert {item.anchor for item in waits} == {"torch.cuda.synchronize"}


@pytest.mark.parametrize("path", SCATTERED_FILES)
def test_scattered_file_alone_is_judged_as_in_the_whole(path: str) -> None:
    alone = engine.scan(Config(SCATTERED, (SCATTERED / path,), jobs=1))
    assert {finding.path for finding in alone.findings} <= {path}
    assert judged(alone.findings, path) == judged(scan("scattered").findings, path)


@pytest.mark.parametrize("path", ["train.py", "model.py", "common/settings.py"])
def test_scattered_file_alone_on_the_command_line(path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portaudit", "scan", f"fixtures/scattered/{path}", "--format=json"],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = Counter(
        (item["path"], item["line"], item["rule"], item["effective_severity"], item["guard"])
        for item in json.loads(done.stdout)["findings"]
    )
    wanted = Counter(
        (f"fixtures/scattered/{path}", item.place.line, item.place.rule, *item[1:])
        for item in wanted_rows("scattered")
        if item.place.path == path
    )
    assert found == wanted
