from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from junitparser import JUnitXml, TestCase, TestSuite
from msgspec.structs import replace

import samples
from odd_reports import reports
from portaudit.report import junit
from portaudit.types import Report, ScanError, Span

Golden = Callable[[str, str], None]


def suite_of(report: Report, prefix: str = "") -> TestSuite:
    text = junit.render(report, prefix=prefix)
    (suite,) = JUnitXml.fromstring(text.encode())
    cases = list(suite)
    assert cases
    assert suite.tests == len(cases)
    assert suite.failures == sum(bool(case.result) for case in cases)
    names = [(case.classname, case.name) for case in cases]
    assert len(names) == len(set(names))
    return suite


def broken(report: Report, prefix: str = "") -> dict[str, TestCase]:
    return {case.name: case for case in suite_of(report, prefix) if case.result}


def test_junit_looks_as_expected(golden: Golden) -> None:
    golden("check.xml", junit.render(samples.FAILED))


def test_a_rule_is_a_test_that_fails_with_its_places() -> None:
    found = broken(samples.FAILED)
    assert list(found) == [
        "AMP003 cuda-grad-scaler",
        "DST001 cuda-device-string",
        "FUS001 flash-attn",
    ]
    case = found["FUS001 flash-attn"]
    (failure,) = case.result
    assert case.classname == "portaudit.fused-kernel-lib"
    assert failure.message == "1 place: `flash_attn.flash_attn_func` is a CUDA kernel"
    place, accept = failure.text.split("\n")
    assert place == (
        "model/attention.py:41:15: `flash_attn.flash_attn_func` is a CUDA kernel "
        "(blocker, accepted as major); instead: torch.nn.functional.scaled_dot_product_attention"
    )
    assert accept == "On purpose: a comment `portaudit: ignore[FUS001] reason`"


def test_a_rule_without_failing_places_passes() -> None:
    assert broken(samples.PASSED) == {}
    assert len(list(suite_of(samples.PASSED))) == 3


@pytest.mark.parametrize("report", [samples.PASSED, samples.EMPTY])
def test_findings_that_are_left_out_are_a_test_that_fails(report: Report) -> None:
    assert samples.PASSED.gate
    gate = replace(samples.PASSED.gate, passed=False, unjudged=("flood.py",))
    error = ScanError("flood.py", "50 findings are left out", surplus=50)
    (case,) = broken(replace(report, gate=gate, errors=(error,)), "sub/").values()
    (failure,) = case.result
    assert failure.message == "1 file has findings that are left out"
    assert failure.text == "sub/flood.py: 50 findings are left out"


def test_nothing_found_is_one_test_that_passes() -> None:
    (case,) = suite_of(samples.CLEAN)
    assert not case.result


def test_without_a_gate_what_is_worth_an_edit_fails() -> None:
    assert set(broken(samples.REPORT)) == {"DST001 cuda-device-string", "FUS001 flash-attn"}


def test_a_failing_rule_that_the_report_does_not_describe_is_shown() -> None:
    assert list(broken(replace(samples.FAILED, rules={}))) == ["AMP003", "DST001", "FUS001"]


def test_paths_begin_at_the_repository() -> None:
    text = junit.render(samples.FAILED, prefix="sub/")
    case = ET.fromstring(text).find(".//testcase[@line='12']")  # noqa: S314
    assert case is not None
    assert case.get("file") == "sub/train.py"
    (failure,) = broken(samples.FAILED, "sub/")["DST001 cuda-device-string"].result
    assert failure.text.startswith("sub/train.py:12:11: ")


def test_a_long_list_of_places_is_cut_and_counted() -> None:
    findings = tuple(
        replace(samples.STRING, span=Span(line, 1, line, 2), fingerprint=str(line))
        for line in range(1, 131)
    )
    (failure,) = broken(replace(samples.REPORT, findings=findings))[
        "DST001 cuda-device-string"
    ].result
    assert failure.message.startswith("130 places: ")
    assert failure.text.endswith("\nand 30 more places")


@pytest.mark.parametrize("text", ["]]>", "<a>&\"'", "a\0b\x1b\ufffe\ud800", "a\nb\tc"])
def test_odd_characters_do_not_break_the_document(text: str) -> None:
    finding = replace(samples.NEW, message=text)
    report = replace(samples.FAILED, findings=(finding,))
    (failure,) = broken(report)["DST001 cuda-device-string"].result
    shown = text.translate(dict.fromkeys([0, 0x1B, 0xFFFE, 0xD800], "\ufffd"))
    assert f": {shown} (minor, new)" in failure.text
    assert failure.message == f"1 place: {shown}"


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_text_gives_a_document_that_readers_take(report: Report) -> None:
    text = junit.render(report)
    ET.fromstring(text)  # noqa: S314
    if report.gate:
        fails = {f.rule for f in report.findings if f.fingerprint in report.gate.failing}
        assert len(broken(report)) == len(fails)
    suite_of(report)


def test_a_name_with_an_end_of_a_line_stays_in_one() -> None:
    odd = [replace(each, path="a\nb\r\x85.py") for each in samples.FAILED.findings]
    report = replace(samples.FAILED, findings=tuple(odd))
    for case in broken(report).values():
        (failure,) = case.result
        assert "a\\nb\\r\\x85.py:" in failure.text
        assert "\n" not in failure.text.split(".py:")[0]
