from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

import samples
from odd_reports import reports
from portaudit.report import sarif
from portaudit.report.linehash import line_hashes
from portaudit.types import Finding, Notice, Report, ScanError, Severity, Span, State

Golden = Callable[[str, str], None]
Json = dict[str, Any]
DATA = Path(__file__).parent.parent / "data"
VALIDATOR = jsonschema.Draft202012Validator(
    json.loads((DATA / "sarif-2.1.0.json").read_text(encoding="utf-8"))
)
REFERENCE = re.compile(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*")
LINK = re.compile(r"(?<!\\)\[(?:[^\[\]\\]|\\.)*\]\((\d+)\)")
assert samples.FAILED.gate is not None
GATE = samples.FAILED.gate
TRAIN = b"import torch\n" * 11 + b'\tdevice = "cuda"\n' + b"x = 1\n" * 20


def nowhere(_path: str) -> None:
    return None


def run_of(
    report: Report, *, source: sarif.Source = nowhere, prefix: str = "", live_only: bool = False
) -> Json:
    text = sarif.render(report, source=source, prefix=prefix, live_only=live_only)
    document = json.loads(text)
    VALIDATOR.validate(document)
    found: Json = document["runs"][0]
    return found


def result_of(report: Report, finding: Finding, source: sarif.Source = nowhere) -> Json:
    found: list[Json] = [
        result
        for result in run_of(report, source=source)["results"]
        if result.get("partialFingerprints", {}).get("portaudit/v1") == finding.fingerprint
    ]
    assert len(found) == 1
    return found[0]


def only(finding: Finding) -> Report:
    return replace(samples.REPORT, findings=(finding,))


def test_sarif_of_a_scan_looks_as_expected(golden: Golden) -> None:
    golden("report.sarif", sarif.render(samples.REPORT, source={"train.py": TRAIN}.get))


def test_sarif_of_a_check_looks_as_expected(golden: Golden) -> None:
    golden("check.sarif", sarif.render(samples.FAILED, source={"train.py": TRAIN}.get))


@pytest.mark.parametrize(
    "report",
    [
        samples.REPORT,
        samples.CLEAN,
        samples.NO_TORCH,
        samples.EMPTY,
        samples.FAILED,
        samples.PASSED,
    ],
)
def test_sarif_is_valid_by_the_published_schema(report: Report) -> None:
    VALIDATOR.check_schema(VALIDATOR.schema)
    assert len(run_of(report)["results"]) >= len(report.findings)


def test_the_validator_would_see_a_mistake() -> None:
    document = json.loads(sarif.render(samples.REPORT))
    document["runs"][0]["results"][0]["level"] = "grave"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_sarif_does_not_depend_on_the_order_of_findings() -> None:
    shuffled = replace(samples.FAILED, findings=tuple(reversed(samples.FAILED.findings)))
    assert sarif.render(shuffled) == sarif.render(samples.FAILED)


@pytest.mark.parametrize(
    ("severity", "level", "problem"),
    [
        ("blocker", "error", "error"),
        ("major", "error", "error"),
        ("minor", "warning", "warning"),
        ("info", "note", "recommendation"),
    ],
)
def test_level_is_the_effective_severity(severity: Severity, level: str, problem: str) -> None:
    run = run_of(only(replace(samples.STRING, severity="blocker", effective_severity=severity)))
    rule = run["tool"]["driver"]["rules"][run["results"][0]["ruleIndex"]]
    assert run["results"][0]["level"] == level
    assert rule["id"] == "DST001"
    assert rule["properties"]["problem.severity"] == problem
    assert "security-severity" not in rule["properties"]


@pytest.mark.parametrize(
    ("span", "region"),
    [
        (Span(12, 11, 12, 17), (12, 11, 12, 17)),
        (Span(41, 15, 43, 6), (41, 15, 43, 6)),
        (Span(5, 9, 5, 9), (5, 9, 5, 9)),
        (Span(0, 0, 0, 0), (1, 1, 1, 1)),
    ],
)
def test_regions_count_from_one_and_end_after_the_last_character(
    span: Span, region: tuple[int, int, int, int]
) -> None:
    run = run_of(only(replace(samples.STRING, span=span)))
    found = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert tuple(found.values()) == region
    assert list(found) == ["startLine", "startColumn", "endLine", "endColumn"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.py", "sub/a/b.py"),
        ("a b/ü#?%.py", "sub/a%20b/%C3%BC%23%3F%25.py"),
        ("c:d.py", "sub/c%3Ad.py"),
        ("x\udce9.py", "sub/x%E9.py"),
        ("x\ud800.py", "sub/x%3F.py"),
    ],
)
def test_paths_are_references_below_the_root(path: str, uri: str) -> None:
    run = run_of(only(replace(samples.STRING, path=path)), prefix="sub/")
    where = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert "%SRCROOT%" in run["originalUriBaseIds"]


def test_fingerprints_are_our_own_and_github_s() -> None:
    prints = result_of(samples.REPORT, samples.STRING, source={"train.py": TRAIN}.get)
    assert prints["partialFingerprints"] == {
        "portaudit/v1": samples.STRING.fingerprint,
        "primaryLocationLineHash": line_hashes(TRAIN, [12])[12],
    }
    short = result_of(samples.REPORT, samples.STRING, source={"train.py": b"x\n"}.get)
    assert list(short["partialFingerprints"]) == ["portaudit/v1"]
    assert list(result_of(samples.REPORT, samples.STRING)["partialFingerprints"]) == [
        "portaudit/v1"
    ]


def test_a_message_links_to_where_the_value_goes_and_to_the_guard() -> None:
    finding = replace(samples.STRING, guard="guarded", guard_by=samples.SCALER.guard_by)
    result = run_of(only(finding))["results"][0]
    assert result["message"]["text"] == (
        'the device is fixed to `"cuda"`. Use `torch.accelerator.current_accelerator()`. '
        "The value is used at [model/net.py:9](1), [train.py:30](2). "
        "Guarded (guarded) by [train.py:20](3)."
    )
    assert [each["id"] for each in result["relatedLocations"]] == [1, 2, 3]
    ends = [flow["threadFlows"][0]["locations"] for flow in result["codeFlows"]]
    lines = [
        [step["location"]["physicalLocation"]["region"]["startLine"] for step in flow]
        for flow in ends
    ]
    assert lines == [[12, 9], [12, 30]]


def test_what_looks_like_a_link_in_the_code_is_none() -> None:
    text = run_of(only(replace(samples.STRING, message="`x[0](1)` and [a](9)")))["results"][0][
        "message"
    ]["text"]
    assert LINK.findall(text) == ["1", "2"]
    plain = replace(samples.STRING, message="`x[0]` is fixed", uses=())
    assert run_of(only(plain))["results"][0]["message"]["text"].startswith("`x[0]` is fixed. ")


def test_suppressions_say_where_and_why() -> None:
    comment = result_of(samples.FAILED, samples.ACCEPTED)["suppressions"]
    assert comment == [
        {
            "kind": "inSource",
            "status": "accepted",
            "justification": "CUDA only on purpose",
            "location": {
                "physicalLocation": {
                    "artifactLocation": {"uri": "legacy/run.py", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 19},
                }
            },
        }
    ]
    setting = result_of(samples.FAILED, samples.IGNORED)["suppressions"]
    assert setting == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "per-file-ignores in pyproject.toml",
        }
    ]
    own = replace(samples.IGNORED, path="pyproject.toml")
    (result,) = run_of(only(own))["results"]
    assert result["suppressions"] == setting
    old = result_of(samples.FAILED, samples.OLD)["suppressions"]
    assert old == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "attention is next quarter's work; owner: @kernels",
        }
    ]
    for finding in (samples.NEW, samples.GRAVER, samples.LAPSED, samples.COVERED):
        assert "suppressions" not in result_of(samples.FAILED, finding)
    passing = replace(samples.PASSED, findings=(samples.GRAVER,))
    assert "suppressions" not in result_of(passing, samples.GRAVER)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("new", "new"),
        ("unchanged", "unchanged"),
        ("updated", "updated"),
        ("newly-covered", "unchanged"),
        (None, "unchanged"),
    ],
)
def test_a_check_gives_each_result_its_baseline_state(state: State | None, expected: str) -> None:
    finding = replace(samples.HARMLESS, state=state)
    report = replace(samples.PASSED, findings=(finding,))
    assert result_of(report, finding)["baselineState"] == expected


def test_baseline_states_are_given_to_all_or_to_none() -> None:
    states = [result.get("baselineState") for result in run_of(samples.FAILED)["results"]]
    assert set(states) == {"new", "updated", "unchanged", "absent"}
    assert all("baselineState" not in each for each in run_of(samples.REPORT)["results"])


def test_entries_that_are_gone_are_absent_results() -> None:
    absent = [
        each for each in run_of(samples.FAILED)["results"] if each["baselineState"] == "absent"
    ]
    assert [each["ruleId"] for each in absent] == ["DEV001", "DST001"]
    assert [each["occurrenceCount"] for each in absent] == [2, 1]
    assert [each.get("ruleIndex") for each in absent] == [None, 1]


def test_code_scanning_gets_only_what_is_open() -> None:
    results = run_of(samples.FAILED, live_only=True)["results"]
    prints = {each["partialFingerprints"]["portaudit/v1"] for each in results}
    open_ = (samples.NEW, samples.GRAVER, samples.LAPSED, samples.HARMLESS)
    assert prints == {finding.fingerprint for finding in open_}
    assert all("suppressions" not in each for each in results)


def many(number: int, severity: Severity, start: int = 0) -> tuple[Finding, ...]:
    return tuple(
        replace(
            samples.STRING,
            span=Span(line, 1, line, 2),
            effective_severity=severity,
            uses=(),
            fingerprint=f"pa1:{line}",
        )
        for line in range(start + 1, start + number + 1)
    )


def test_the_gravest_results_are_kept_and_the_cut_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif.MOST_RESULTS == 5_000
    monkeypatch.setattr(sarif, "MOST_RESULTS", 50)
    findings = (*many(49, "minor"), *many(3, "info", 600), *many(3, "major", 700))
    failing = findings[49].fingerprint
    gate = replace(GATE, failing=(failing,))
    run = run_of(replace(samples.FAILED, findings=findings, gate=gate))
    kept = [each["level"] for each in run["results"]]
    assert len(kept) == 50
    assert kept.count("error") == 3
    assert kept.count("note") == 1
    assert failing in {each["partialFingerprints"]["portaudit/v1"] for each in run["results"]}
    notifications = run["invocations"][0]["toolExecutionNotifications"]
    cut = next(each for each in notifications if each["descriptor"]["id"] == "results-cut")
    assert cut["message"]["text"].startswith("5 results left out: 50 ")
    whole = run_of(replace(samples.FAILED, findings=many(50, "info"), gate=None))
    assert "results-cut" not in json.dumps(whole["invocations"])


def test_notices_and_errors_are_notifications() -> None:
    run = run_of(samples.FAILED)
    known = {each["id"] for each in run["tool"]["driver"]["notifications"]}
    execution = run["invocations"][0]["toolExecutionNotifications"]
    configuration = run["invocations"][0]["toolConfigurationNotifications"]
    ids = [each["descriptor"]["id"] for each in (*execution, *configuration)]
    assert ids == [
        "unreadable",
        "unused-suppression",
        "suppression-without-reason",
        "baseline-outdated",
        "baseline-gone",
        "baseline-expired",
    ]
    assert known.issuperset(ids)
    where = execution[0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "scripts/py2.py"
    assert where["region"] == {"startLine": 4}


def test_a_notification_about_no_line_has_no_region() -> None:
    errors = (ScanError("a b.py", "cannot be read: no"),)
    notices = (Notice("unknown-rule", "lib", 0, "said of the whole"),)
    run = run_of(replace(samples.FAILED, errors=errors, notices=notices))
    told = run["invocations"][0]
    (unread,), first = told["toolExecutionNotifications"], told["toolConfigurationNotifications"][0]
    places = [each["locations"][0]["physicalLocation"] for each in (unread, first)]
    assert places == [
        {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}} for uri in ("a%20b.py", "lib")
    ]


def test_a_rule_brings_its_help() -> None:
    rules = {each["id"]: each for each in run_of(samples.REPORT)["tool"]["driver"]["rules"]}
    rule = rules["FUS001"]
    assert rule["helpUri"] == "https://github.com/Dao-AILab/flash-attention"
    assert rules["DST001"]["helpUri"] == samples.STRING_FACTS.source
    assert "it runs on CUDA as well" in rule["help"]["text"]
    assert "[flash-attention](https://github.com/" in rule["help"]["markdown"]
    assert rule["properties"]["tags"] == ["portability", "fused-kernel-lib", "torchneuron"]
    assert rule["properties"]["precision"] == "high"
    assert rules["AMP003"]["properties"]["precision"] == "medium"


def test_two_targets_do_not_overwrite_each_other() -> None:
    runs = [run_of(replace(samples.REPORT, target=target)) for target in ("torchneuron", "xla")]
    ids = [run["automationDetails"]["id"] for run in runs]
    assert ids == ["portaudit/torchneuron/", "portaudit/xla/"]


def uris(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["uri"]] if isinstance(value.get("uri"), str) else []
        return own + [uri for item in value.values() for uri in uris(item)]
    if isinstance(value, list):
        return [uri for item in value for uri in uris(item)]
    return []


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_text_gives_a_valid_document(report: Report) -> None:
    run = run_of(report, source=lambda path: path.encode("utf-8", "replace"))
    rules = run["tool"]["driver"]["rules"]
    for uri in uris(run):
        assert REFERENCE.fullmatch(uri)
        unquote_to_bytes(uri)
    for result in run["results"]:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        ids = {str(each["id"]) for each in result.get("relatedLocations", [])}
        assert set(LINK.findall(result["message"]["text"])) <= ids
    assert (report.gate is None) == all("baselineState" not in each for each in run["results"]) or (
        not run["results"]
    )
