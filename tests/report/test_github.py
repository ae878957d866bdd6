from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

import samples
from odd_reports import reports
from portaudit.report import github
from portaudit.types import Finding, Gate, Report, ScanError, Severity, Span

Golden = Callable[[str, str], None]
ESCAPED = {"%0A": "\n", "%0D": "\r", "%3A": ":", "%2C": ",", "%25": "%"}
KEYS = {"file", "line", "endLine", "col", "endColumn", "title"}


@dataclass(frozen=True)
class Annotation:
    kind: str
    properties: dict[str, str]
    message: str


def read(text: str) -> list[Annotation]:
    """Take the commands apart as the runner does, and refuse what it would drop or misread."""
    assert not text or text.endswith("\n")
    found = []
    for line in text.split("\n")[:-1]:
        assert line.startswith("::")
        assert "\r" not in line
        information, separator, data = line[2:].partition("::")
        assert separator
        kind, _, listed = information.partition(" ")
        assert kind in {"error", "warning", "notice"}
        pairs = [pair.partition("=") for pair in listed.split(",")]
        assert all(key in KEYS and equals for key, equals, _ in pairs)
        properties = {key: unescape(value, set(ESCAPED)) for key, _, value in pairs}
        assert len(properties) == len(pairs)
        numbers = {key: int(properties[key]) for key in KEYS - {"file", "title"} & set(properties)}
        assert all(number >= 1 for number in numbers.values())
        if "col" in numbers or "endColumn" in numbers:
            assert numbers["line"] == numbers["endLine"]
            assert numbers["col"] <= numbers["endColumn"]
        assert numbers.get("endLine", 1) >= numbers.get("line", 1) or "endLine" not in numbers
        message = unescape(data, {"%25", "%0A", "%0D"})
        assert message.strip()
        found.append(Annotation(kind, properties, message))
    return found


def unescape(text: str, known: set[str]) -> str:
    assert set(re.findall(r"%.{0,2}", text, re.DOTALL)) <= known
    return re.sub(r"%..", lambda match: ESCAPED[match[0]], text)


def many(number: int, severity: Severity, root: str = "root") -> tuple[Finding, ...]:
    return tuple(
        replace(
            samples.NEW,
            span=Span(line, 1, line, 2),
            effective_severity=severity,
            root=root,
            fingerprint=f"pa1:{root}:{line}",
        )
        for line in range(1, number + 1)
    )


def failed(findings: tuple[Finding, ...], failing: tuple[Finding, ...]) -> Report:
    gate = Gate(
        passed=not failing,
        against="nothing",
        fail_on="minor",
        min_confidence="medium",
        failing=tuple(finding.fingerprint for finding in failing),
    )
    return replace(samples.CLEAN, rules=samples.REPORT.rules, findings=findings, gate=gate)


def test_annotations_of_a_check_look_as_expected(golden: Golden) -> None:
    golden("check.annotations.txt", github.render(samples.FAILED))


def test_annotations_of_a_scan_look_as_expected(golden: Golden) -> None:
    golden("report.annotations.txt", github.render(samples.REPORT))


def test_what_fails_is_an_error_and_says_why_and_what_instead() -> None:
    graver, lapsed, new = read(github.render(samples.FAILED))[:3]
    assert {graver.kind, lapsed.kind, new.kind} == {"error"}
    assert graver.properties["title"] == "FUS001 (blocker, accepted as major)"
    assert lapsed.properties["title"] == "AMP003 (minor, accepted until 2026-06-30)"
    assert new.properties["title"] == "DST001 (minor, new)"
    assert new.message == (
        'the device is fixed to `"cuda"`\n'
        "Instead: torch.accelerator.current_accelerator()\n"
        "On purpose: a comment `portaudit: ignore[DST001] reason`"
    )
    assert "Owner: kim" in lapsed.message


def test_old_code_gets_no_annotation() -> None:
    assert github.render(samples.PASSED) == ""
    files = {each.properties.get("file") for each in read(github.render(samples.FAILED))}
    assert not files & {samples.OLD.path + "x", samples.COVERED.path, samples.IGNORED.path}


def test_a_region_of_several_lines_has_no_columns() -> None:
    first = read(github.render(samples.FAILED))[0].properties
    assert (first["line"], first["endLine"]) == ("41", "43")
    assert "col" not in first
    last = read(github.render(samples.FAILED))[2].properties
    assert (last["col"], last["endColumn"]) == ("11", "17")


def test_paths_and_titles_are_escaped() -> None:
    finding = replace(samples.NEW, path="a,b:c%2C\n.py")
    text = github.render(failed((finding,), (finding,)), prefix="sub,/")
    assert text.startswith("::error file=sub%2C/a%2Cb%3Ac%252C%0A.py,line=12,")
    assert read(text)[0].properties["file"] == "sub,/a,b:c%2C\n.py"


def test_a_message_cannot_start_a_command_of_its_own() -> None:
    finding = replace(samples.NEW, message="x\n::warning::y\r::error::z 100%")
    text = github.render(failed((finding,), (finding,)))
    assert text.count("\n") == 1
    assert read(text)[0].message.startswith("x\n::warning::y\r::error::z 100%\n")


def test_the_first_ten_are_the_gravest_of_every_root_cause() -> None:
    minor, other, blocker = many(20, "minor"), many(2, "minor", "other"), many(2, "blocker", "b")
    findings = (*minor, *other, *blocker)
    found = read(github.render(failed(findings, findings)))
    titles = [each.properties["title"] for each in found[:4]]
    assert titles == ["DST001 (blocker, new)"] * 2 + ["DST001 (minor, new)"] * 2
    assert [each.kind for each in found] == ["error"] * 24 + ["notice"]
    assert found[-1].message == "14 more places than GitHub shows here: the log has them all"


def test_ten_that_fail_need_no_count() -> None:
    findings = many(10, "minor")
    assert len(read(github.render(failed(findings, findings)))) == 10


def test_what_passes_is_shown_as_far_as_github_shows_it() -> None:
    found = read(github.render(failed(many(30, "info"), ())))
    assert [each.kind for each in found] == ["notice"] * 10


def test_a_scan_warns_of_what_is_grave_and_counts_the_rest() -> None:
    findings = (*many(12, "major", "m"), *many(12, "minor", "n"), *many(3, "info", "i"))
    found = read(github.render(replace(samples.CLEAN, findings=findings)))
    kinds = [each.kind for each in found]
    assert (kinds.count("warning"), kinds.count("notice")) == (10, 11)
    assert found[-1].message == "4 more places of severity minor or worse in the whole report"


def test_many_files_that_cannot_be_read_are_counted() -> None:
    errors = tuple(ScanError(f"{number}.py", "no", None) for number in range(13))
    found = read(github.render(replace(samples.CLEAN, errors=errors)))
    assert len(found) == 11
    assert found[-1].message == "3 more files or comments to look at"


def test_newly_covered_places_are_one_warning() -> None:
    findings = tuple(replace(each, state="newly-covered") for each in many(7, "blocker"))
    (only,) = read(github.render(failed(findings, ())))
    assert only.kind == "warning"
    assert only.message.startswith("7 places of old code")
    assert "file" not in only.properties


@pytest.mark.parametrize("report", [samples.CLEAN, samples.EMPTY, samples.PASSED])
def test_nothing_to_say_is_nothing(report: Report) -> None:
    assert github.render(report) == ""


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_text_gives_commands_that_the_runner_reads_back(report: Report) -> None:
    text = github.render(report)
    text.encode()
    found = read(text)
    fails = set(report.gate.failing) if report.gate else set()
    errors = sum(finding.fingerprint in fails for finding in report.findings)
    assert sum(each.kind == "error" for each in found) == errors
