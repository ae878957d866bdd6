from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from portaudit.relate.project import roots
from portaudit.score import EFFORT_DAYS, FURTHER_SITE, MOST_POINTS, MOST_SITES, assess, effort
from portaudit.types import (
    EFFORTS,
    GUARD_STATES,
    SEVERITIES,
    Category,
    Effort,
    Finding,
    GuardState,
    Score,
    Severity,
    Span,
)
from snippets import catalogue, findings, the

ONE = the("import torch\ntorch.cuda.synchronize()\n", "DEV007")
CATEGORIES: tuple[Category, ...] = (
    "device-api",
    "fused-kernel-lib",
    "triton-kernel",
    "streams-graphs",
)


def finding(
    severity: Severity = "minor",
    guard: GuardState = "none",
    size: Effort = "small",
    root: str = "DEV007",
    category: Category = "device-api",
    line: int = 1,
) -> Finding:
    return replace(
        ONE,
        severity=severity,
        effective_severity=severity,
        guard=guard,
        effort=size,
        root=root,
        category=category,
        span=Span(line, 1, line, 2),
        fingerprint=f"{root}:{line}",
    )


def score(items: list[Finding]) -> Score:
    return assess(items, roots(items, catalogue().rules), torch=True)


# --- effort --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", EFFORTS)
def test_effort_of_one_site_is_the_range_of_the_table(size: Effort) -> None:
    assert effort([finding(size=size)]) == EFFORT_DAYS[size]


def test_effort_of_nothing_is_nothing() -> None:
    assert effort([]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("guard", "share"),
    [("none", 1), ("hard-fail", 1), ("guarded", 0.5), ("import-guarded", 0.5), ("fallback", 0)],
)
def test_effort_of_a_guarded_site_is_a_share(guard: GuardState, share: float) -> None:
    low, high = EFFORT_DAYS["large"]
    assert effort([finding(guard=guard, size="large")]) == (low * share, high * share)


def test_effort_grows_slowly_with_further_sites() -> None:
    low, high = EFFORT_DAYS["large"]
    two = effort([finding(size="large"), finding(size="large", line=2)])
    assert two == (low * (1 + FURTHER_SITE), high * (1 + FURTHER_SITE))
    many = [finding(size="large", line=line) for line in range(MOST_SITES)]
    assert effort(many) == effort([*many, finding(size="large", line=999)])


def test_effort_takes_the_largest_unless_it_has_a_fallback() -> None:
    small, large = finding(size="trivial"), finding(size="research", line=2)
    assert effort([small, large])[1] > EFFORT_DAYS["research"][1]
    assert effort([small, replace(large, guard="fallback")])[1] < EFFORT_DAYS["small"][1]


# --- score ---------------------------------------------------------------------------------------


def test_assess_without_torch_has_no_score() -> None:
    result = assess([], (), torch=False)
    assert (result.value, result.verdict, result.provisional) == (None, "unknown", True)


def test_assess_of_nothing_is_the_best() -> None:
    result = score([])
    assert (result.value, result.verdict, result.lost) == (100.0, "ready", ())


@pytest.mark.parametrize(
    ("severity", "category", "verdict"),
    [
        ("info", "device-api", "ready"),
        ("minor", "device-api", "edits only"),
        ("minor", "triton-kernel", "edits only"),
        ("major", "device-api", "replace libraries"),
        ("blocker", "fused-kernel-lib", "replace libraries"),
        ("blocker", "triton-kernel", "write kernels"),
        ("major", "custom-cuda-ext", "write kernels"),
        ("blocker", "streams-graphs", "redesign"),
        ("major", "dynamic-shape", "redesign"),
    ],
)
def test_assess_says_what_kind_of_work(
    severity: Severity, category: Category, verdict: str
) -> None:
    items = [finding(severity, category=category), finding("minor", line=2)]
    expected = "edits only" if verdict == "ready" else verdict
    assert score(items).verdict == expected
    assert score(items[:1]).verdict == verdict


@pytest.mark.parametrize("guard", ["guarded", "fallback", "import-guarded"])
def test_assess_follows_the_worst_unguarded_work(guard: GuardState) -> None:
    items = [finding("blocker", guard, root="a"), finding("minor", root="b")]
    assert score(items).verdict == "edits only"


def test_assess_does_not_follow_what_is_unsure() -> None:
    unsure = replace(finding("blocker"), confidence="low")
    assert score([unsure]).verdict == "ready"


def test_assess_charges_nothing_for_fallbacks_and_information() -> None:
    items = [finding("blocker", "fallback", root="a"), finding("info", root="b")]
    assert score(items).value == 100.0


def value(items: list[Finding]) -> float:
    found = score(items).value
    assert found is not None
    return found


def equal_roots(number: int) -> list[Finding]:
    return [finding("minor", size="large", root=f"r{index}") for index in range(number)]


def test_assess_lets_no_number_of_edits_outweigh_a_blocker() -> None:
    assert value([finding("blocker", size="trivial")]) < value(equal_roots(150))


def test_assess_keeps_many_edits_within_the_points_of_edits() -> None:
    assert value(equal_roots(300)) >= 100.0 - MOST_POINTS["minor"]


def test_assess_does_not_fall_when_one_of_many_roots_is_removed() -> None:
    assert value(equal_roots(266)) >= value(equal_roots(267))


def test_assess_explains_every_hundredth() -> None:
    for size in EFFORTS:
        result = score([finding(size=size)])
        assert result.value is not None
        assert math.isclose(result.value + sum(item.points for item in result.lost), 100)


def test_assess_shares_points_by_effort() -> None:
    items = [finding(size="large", root="a"), finding(size="trivial", root="b")]
    lost = score(items).lost
    assert [item.root for item in lost] == ["a", "b"]
    assert lost[0].points > lost[1].points


def test_assess_sums_the_days_of_all_roots() -> None:
    items = [finding(size="large", root="a"), finding(size="small", root="b")]
    low, high = (EFFORT_DAYS["large"][i] + EFFORT_DAYS["small"][i] for i in (0, 1))
    assert score(items).effort_days == (round(low, 1), round(high, 1))


def test_assess_of_real_findings_is_below_the_best() -> None:
    items = findings("import torch\nimport flash_attn\ntorch.cuda.synchronize()\n")
    result = score(items)
    assert result.value is not None
    assert result.value < 100
    assert {item.root for item in result.lost} <= {item.root for item in items}


# --- properties ----------------------------------------------------------------------------------

FINDINGS = st.lists(
    st.builds(
        finding,
        severity=st.sampled_from(SEVERITIES),
        guard=st.sampled_from(GUARD_STATES),
        size=st.sampled_from(EFFORTS),
        root=st.sampled_from(["a", "b", "c", "d", "e"]),
        category=st.sampled_from(CATEGORIES),
        line=st.integers(1, 50),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(FINDINGS)
def test_assess_explains_every_point(items: list[Finding]) -> None:
    items = grouped(items)
    result = score(items)
    assert result.value is not None
    assert 0 <= result.value <= 100
    assert math.isclose(result.value + sum(item.points for item in result.lost), 100, abs_tol=0.051)
    assert all(item.points >= 0 for item in result.lost)
    assert len({item.root for item in result.lost}) == len(result.lost)
    assert list(result.lost) == sorted(result.lost, key=lambda item: (-item.points, item.root))


@settings(deadline=None)
@given(FINDINGS, st.data())
def test_assess_never_falls_when_a_finding_is_removed(
    items: list[Finding], data: st.DataObject
) -> None:
    items = grouped(items)
    if not items:
        return
    gone = data.draw(st.integers(0, len(items) - 1))
    left = items[:gone] + items[gone + 1 :]
    before, after = score(items), score(left)
    assert before.value is not None
    assert after.value is not None
    assert after.value >= before.value
    assert after.effort_days <= before.effort_days
    ranks = ["ready", "edits only", "replace libraries", "write kernels", "redesign"]
    assert ranks.index(after.verdict) <= ranks.index(before.verdict)


@settings(deadline=None)
@given(FINDINGS, st.data())
def test_assess_does_not_depend_on_the_order(items: list[Finding], data: st.DataObject) -> None:
    items = grouped(items)
    assert score(data.draw(st.permutations(items))) == score(items)


def grouped(items: list[Finding]) -> list[Finding]:
    """Findings as the engine makes them: one rule has one severity and category per root."""
    first: dict[str, Finding] = {}
    for item in items:
        first.setdefault(item.root, item)
    return [
        replace(
            item,
            severity=first[item.root].severity,
            category=first[item.root].category,
            effective_severity=first[item.root].severity,
        )
        for item in items
    ]
