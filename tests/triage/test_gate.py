from __future__ import annotations

import pytest
from msgspec import structs

import samples
from portaudit.triage.gate import Override, Policy, failing, patterns
from portaudit.types import Confidence, Finding, Severity, State, Suppression


def finding(
    severity: Severity = "minor",
    confidence: Confidence = "high",
    path: str = "train.py",
    state: State | None = "new",
) -> Finding:
    return structs.replace(
        samples.FLASH,
        path=path,
        effective_severity=severity,
        confidence=confidence,
        state=state,
        suppressed=None,
    )


@pytest.mark.parametrize(
    ("item", "fails"),
    [
        (finding(), True),
        (finding("info"), False),
        (finding("blocker"), True),
        (finding(confidence="medium"), True),
        (finding(confidence="low"), False),
        (finding(state="unchanged"), False),
        (finding(state="newly-covered"), False),
        (finding(state="updated"), True),
        (finding(state=None), True),
        (structs.replace(finding(), suppressed=Suppression("ours", "train.py", 1)), False),
    ],
)
def test_new_code_that_is_minor_or_worse_fails(item: Finding, fails: bool) -> None:
    assert failing([item], Policy()) == ([item] if fails else [])


def test_no_threshold_lets_everything_pass() -> None:
    assert failing([finding("blocker")], Policy(fail_on=None)) == []


def test_zones_may_be_specific_to_cuda() -> None:
    policy = Policy(zones=patterns(["backends/cuda/", "**/kernels/*.py"]))
    inside = [finding(path="backends/cuda/ops.py"), finding(path="a/kernels/x.py")]
    outside = finding(path="backends/cpu/ops.py")
    assert failing([*inside, outside], policy) == [outside]


def test_the_last_override_that_fits_decides() -> None:
    rule = finding().rule
    policy = Policy(
        overrides=(
            Override(paths=patterns(["tests/"]), off=True),
            Override(paths=patterns(["tests/gpu/"]), fail_on="blocker"),
            Override(rules=frozenset({rule}), min_confidence="low"),
        )
    )
    assert not policy.forbids(finding(path="tests/a.py"))
    assert not policy.forbids(finding("major", path="tests/gpu/a.py"))
    assert policy.forbids(finding("blocker", path="tests/gpu/a.py"))
    assert policy.forbids(finding(confidence="low"))


def test_an_override_for_other_rules_is_not_heard() -> None:
    policy = Policy(overrides=(Override(rules=frozenset({"XYZ001"}), off=True),))
    assert policy.forbids(finding())
