from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from portaudit.catalogue.assumptions import Assumptions, changed, standard
from portaudit.relate.project import roots, weighable
from portaudit.score import (
    MOST_GAINS,
    VERDICTS,
    Piece,
    Way,
    _points,
    assess,
    effort,
    gains,
    main_way,
    value,
)
from portaudit.types import (
    EFFORTS,
    GUARD_STATES,
    REACHES,
    SEVERITIES,
    Assumption,
    Category,
    Chain,
    Effort,
    Finding,
    GuardState,
    Location,
    Proof,
    Score,
    Severity,
    Span,
    Status,
)
from snippets import catalogue, findings, the

STANDARD = standard()
ONE = the("import torch\ntorch.cuda.synchronize()\n", "DEV007")
CATEGORIES: tuple[Category, ...] = (
    "device-api",
    "fused-kernel-lib",
    "triton-kernel",
    "streams-graphs",
    "dependency",
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
    return assess(items, roots(items, catalogue()), torch=True)


# --- effort --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", EFFORTS)
def test_effort_of_one_site_is_the_range_of_the_table(size: Effort) -> None:
    assert effort([finding(size=size)]) == STANDARD.days(size)


def test_effort_of_nothing_is_nothing() -> None:
    assert effort([]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("guard", "share"),
    [("none", 1), ("hard-fail", 1), ("guarded", 0.5), ("import-guarded", 0.5), ("fallback", 0)],
)
def test_effort_of_a_guarded_site_is_a_share(guard: GuardState, share: float) -> None:
    low, high = STANDARD.days("large")
    assert effort([finding(guard=guard, size="large")]) == (low * share, high * share)


def test_effort_grows_slowly_with_further_sites() -> None:
    low, high = STANDARD.days("medium")
    two = effort([finding(size="medium"), finding(size="medium", line=2)])
    assert two == (low * (1 + STANDARD.further_site), high * (1 + STANDARD.further_site))
    many = [finding(size="large", line=line) for line in range(STANDARD.most_sites)]
    assert effort(many) == effort([*many, finding(size="large", line=999)])


@pytest.mark.parametrize("size", ["large", "research"])
def test_a_further_site_is_an_edit_however_much_the_first_one_takes(size: Effort) -> None:
    two = effort([finding(size=size), finding(size=size, line=2)])
    sums = zip(STANDARD.days(size), STANDARD.days("trivial"), strict=True)
    assert two == tuple(round(first + edit, 2) for first, edit in sums)


def test_a_further_site_that_is_guarded_is_a_part_of_an_edit() -> None:
    one, guarded = finding(size="research"), finding(size="research", line=2, guard="guarded")
    more = STANDARD.guard("guarded") * STANDARD.days("trivial")[1]
    assert effort([one, guarded])[1] == round(STANDARD.days("research")[1] + more, 2)


def test_effort_takes_the_largest_unless_it_has_a_fallback() -> None:
    small, large = finding(size="trivial"), finding(size="research", line=2)
    assert effort([small, large])[1] > STANDARD.days("research")[1]
    assert effort([small, replace(large, guard="fallback")])[1] < STANDARD.days("small")[1]


def test_effort_never_grows_when_one_of_many_sites_goes() -> None:
    guarded = [finding(size="research", line=n, guard="guarded") for n in range(60)]
    more = [finding(size="medium", line=n) for n in range(100, 102)]
    first, *rest = [finding(size="research", line=99), *guarded, *more]
    all_of_them = effort([first, *rest])
    for at in range(len(rest)):
        assert effort([first, *rest[:at], *rest[at + 1 :]]) <= all_of_them


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
        ("major", "device-api", "edits only"),
        ("major", "inference-engine", "replace libraries"),
        ("blocker", "fused-kernel-lib", "replace libraries"),
        ("blocker", "triton-kernel", "write kernels"),
        ("major", "custom-cuda-ext", "write kernels"),
        ("blocker", "streams-graphs", "edits only"),
        ("major", "dynamic-shape", "edits only"),
    ],
)
def test_assess_says_what_kind_of_work(
    severity: Severity, category: Category, verdict: str
) -> None:
    items = [finding(severity, category=category), finding("minor", line=2)]
    expected = "edits only" if verdict == "ready" else verdict
    assert score(items).verdict == expected
    assert score(items[:1]).verdict == verdict


@pytest.mark.parametrize(
    ("status", "replacement", "verdict"),
    [
        ("unsupported", "", "redesign"),
        ("undocumented", "", "redesign"),
        ("unsupported", "torch.compile(model)", "edits only"),
        ("partial", "", "edits only"),
    ],
)
def test_only_what_nothing_stands_in_for_asks_for_a_redesign(
    status: Status, replacement: str, verdict: str
) -> None:
    item = finding("major", category="streams-graphs")
    facts = replace(item.facts, status=status, replacement=replacement)
    assert score([replace(item, facts=facts)]).verdict == verdict


@pytest.mark.parametrize(
    ("line", "rule", "verdict"),
    [
        ("launch(stream=torch.cuda.current_stream().cuda_stream)", "STR004", "write kernels"),
        ("own = torch.cuda.ExternalStream(handle)", "STR004", "write kernels"),
        ("shared = torch.ones(1).untyped_storage()._share_cuda_()", "STR009", "redesign"),
    ],
)
def test_the_address_of_a_stream_asks_for_who_takes_it(line: str, rule: str, verdict: str) -> None:
    """It is a part of how a kernel is called: with that it goes. Shared memory stays a design."""
    item = the(f"import torch\n\n{line}\n", rule)
    assert score([replace(item, guard="none")]).verdict == verdict


def test_mixed_precision_of_apex_asks_for_what_torch_has() -> None:
    """Its optimizers have no such counterpart, and neither has the rest of it."""
    mixed = the("from apex import amp\n", "FUS013")
    fused = the("from apex.optimizers import FusedLAMB\n", "FUS011")
    assert {mixed.severity, fused.severity} == {"major"}
    assert score([mixed]).verdict == "edits only"
    assert score([mixed, fused]).verdict == "replace libraries"


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


def points(items: list[Finding]) -> float:
    found = score(items).value
    assert found is not None
    return found


def equal_roots(number: int) -> list[Finding]:
    return [finding("minor", size="large", root=f"r{index}") for index in range(number)]


def test_assess_lets_no_number_of_edits_outweigh_a_blocker() -> None:
    kernel = replace(finding("blocker", size="trivial"), rule="TRI001", category="triton-kernel")
    assert points([kernel]) < points(equal_roots(150))


def test_what_ends_the_run_but_asks_for_an_edit_costs_as_major() -> None:
    kernel = replace(finding("blocker"), rule="TRI001", category="triton-kernel")
    portable = replace(kernel, portable=Location("ops.py", 3))
    major = replace(portable, severity="major", effective_severity="major")
    assert points([kernel]) < points([portable]) == points([major])
    (cause,) = roots([portable], catalogue())
    assert cause.severity == "blocker"


def test_one_place_that_asks_for_more_keeps_a_root_cause_a_blocker() -> None:
    kernel = replace(finding("blocker"), rule="TRI001", category="triton-kernel", root="operator:a")
    portable = replace(kernel, portable=Location("ops.py", 3))
    assert points([kernel, portable]) <= points([kernel]) < points([portable])


def test_assess_keeps_many_edits_within_the_points_of_edits() -> None:
    assert points(equal_roots(300)) >= 100.0 - STANDARD.points("minor")


def test_assess_does_not_fall_when_one_of_many_roots_is_removed() -> None:
    assert points(equal_roots(266)) >= points(equal_roots(267))


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
    low, high = (STANDARD.days("large")[i] + STANDARD.days("small")[i] for i in (0, 1))
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
    assert VERDICTS.index(after.verdict) <= VERDICTS.index(before.verdict)


@settings(deadline=None)
@given(FINDINGS, st.data())
def test_assess_does_not_depend_on_the_order(items: list[Finding], data: st.DataObject) -> None:
    items = grouped(items)
    assert score(data.draw(st.permutations(items))) == score(items)


def grouped(items: list[Finding]) -> list[Finding]:
    """Findings as the engine makes them: one rule has one severity and category per root.

    But a library has code and requirements, of which each is as grave as its own rule says.
    """
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
        if item.root != LIBRARY
        else replace(
            item,
            category="dependency" if item.category == "dependency" else "fused-kernel-lib",
            effective_severity=item.severity,
        )
        for item in items
    ]


# --- the main training path ----------------------------------------------------------------------

LIBRARY = "library:flash-attn"
FLAGS = ("", "", "use_flash", "compile")


@st.composite
def trees(draw: st.DrawFn) -> list[Finding]:
    """Findings of a tree: places, reach, flags, libraries that are imported or required."""
    items = draw(FINDINGS)
    return [
        replace(
            item,
            root=draw(st.sampled_from([item.root, LIBRARY])),
            reach=draw(st.sampled_from([None, *REACHES])),
            path=draw(st.sampled_from(["a.py", "b.py", "c.py"])),
            guard_by=Proof("a.py", 1, "if flag:", draw(st.sampled_from(FLAGS))),
            brings=draw(st.sampled_from(["", "", "flash_attn"])),
            fingerprint=str(number),
        )
        for number, item in enumerate(items)
    ]


TREES = trees().map(grouped)
WAYS = st.builds(
    Way,
    st.dictionaries(st.sampled_from(["a.py", "b.py"]), st.sampled_from(GUARD_STATES)),
    st.dictionaries(st.sampled_from(["a.py", "b.py"]), st.sampled_from(FLAGS)),
)


def on_way(items: Sequence[Finding], way: Way) -> Score:
    found = roots(items, catalogue(), way)
    return assess(weighable(items, way), found, torch=True, way=way)


def known(score: Score) -> float:
    assert score.value is not None
    return score.value


def of_program(items: Sequence[Finding], guard: GuardState = "none") -> Way:
    """The way of a program that comes to these findings."""
    return Way(found={item.fingerprint: guard for item in items})


@settings(deadline=None)
@given(TREES, WAYS, st.data())
def test_the_score_of_a_path_never_falls_when_a_finding_is_removed(
    items: list[Finding], way: Way, data: st.DataObject
) -> None:
    assume(items)
    gone = data.draw(st.integers(0, len(items) - 1))
    before, after = on_way(items, way), on_way(items[:gone] + items[gone + 1 :], way)
    assert known(after) >= known(before)
    assert after.effort_days <= before.effort_days
    assert VERDICTS.index(after.verdict) <= VERDICTS.index(before.verdict)
    assert math.isclose(
        known(before) + sum(item.points for item in before.lost), 100, abs_tol=0.051
    )


@settings(deadline=None)
@given(TREES, WAYS)
def test_what_is_off_the_path_changes_nothing(items: list[Finding], way: Way) -> None:
    on_path = [item for item in items if item.reach in {None, "main"}]
    whole, alone = on_way(items, way), on_way(on_path, way)
    assert whole == alone


@settings(deadline=None)
@given(TREES)
def test_a_guard_on_the_way_never_lowers_the_score(items: list[Finding]) -> None:
    free, guarded = on_way(items, Way({})), on_way(items, Way({"a.py": "guarded"}))
    assert known(guarded) >= known(free)


@settings(deadline=None)
@given(TREES, WAYS)
def test_what_waits_for_a_setting_that_is_off_costs_nothing(items: list[Finding], way: Way) -> None:
    needed = [item for item in items if not way.setting(item) or item.category == "dependency"]
    assert known(on_way(items, way)) >= known(on_way(needed, way))
    optional = [item for item in items if way.setting(item)]
    waiting = on_way(optional, way)
    assert (waiting.value, waiting.verdict, waiting.effort_days) == (100.0, "ready", (0.0, 0.0))


@settings(deadline=None)
@given(TREES, WAYS)
def test_gains_are_what_repairing_one_after_the_other_gains(items: list[Finding], way: Way) -> None:
    before = on_way(items, way)
    done: set[str] = set()
    now = known(before)
    for gain in before.gains:
        one_less = {
            root: known(on_way([item for item in items if item.root not in {*done, root}], way))
            for root in {item.root for item in items} - done
        }
        assert math.isclose(one_less[gain.root], max(one_less.values()), abs_tol=0.011)
        assert (gain.score, gain.points) == (one_less[gain.root], round(gain.score - now, 2))
        assert gain.points > 0
        now = gain.score
        done.add(gain.root)
    left = on_way([item for item in items if item.root not in done], way)
    assert len(before.gains) == MOST_GAINS or left.value == 100.0


def test_without_a_path_the_score_is_provisional() -> None:
    items = [replace(finding("major", size="large"), reach="test")]
    assert score(items).provisional
    assert known(score(items)) < 100.0
    assert on_way(items, Way({})) == Score(100.0, "ready", False, (0.0, 0.0))


# --- settings that are off ------------------------------------------------------------------------


def waiting(flag: str = "use_flash", guard: GuardState = "guarded", **changes: object) -> Finding:
    item = finding("major", guard, size="large", root="r", category="fused-kernel-lib")
    placed = replace(item, reach="main", guard_by=Proof("a.py", 3, "if flag:", flag))
    return replace(placed, **changes)


@pytest.mark.parametrize("guard", ["guarded", "fallback", "import-guarded"])
def test_a_cause_that_waits_for_a_setting_names_it(guard: GuardState) -> None:
    (root,) = roots([waiting(guard=guard)], catalogue(), Way({}))
    assert (root.setting, root.severity, root.effort_days) == ("use_flash", "info", (0.0, 0.0))


def test_a_setting_on_the_way_holds_for_what_lies_behind_it() -> None:
    item = waiting(guard="none", guard_by=None)
    by = Proof("train.py", 4, "if flag:", "use_flash")
    chains = [
        Chain(item.path, guard="guarded", guard_by=by),
        Chain("other.py", guard="guarded", guard_by=by, main=False),
    ]
    way = main_way(chains, STANDARD)
    assert (way.setting(item), on_way([item], way).value) == ("use_flash", 100.0)
    assert not way.setting(replace(item, path="other.py"))


@pytest.mark.parametrize("guard", ["none", "hard-fail"])
def test_a_setting_that_does_not_guard_means_nothing(guard: GuardState) -> None:
    (root,) = roots([waiting(guard=guard)], catalogue(), Way({}))
    assert (root.setting, root.severity) == ("", "major")


def test_a_cause_that_is_needed_somewhere_waits_for_nothing() -> None:
    needed = waiting(guard="none", guard_by=None, fingerprint="n")
    both = roots([waiting(), needed], catalogue(), Way({}))
    alone = roots([needed], catalogue(), Way({}))
    assert (both[0].setting, both[0].effort_days) == ("", alone[0].effort_days)


def test_a_cause_that_waits_for_several_settings_names_them_all() -> None:
    (root,) = roots([waiting("b"), waiting("a", fingerprint="2")], catalogue(), Way({}))
    assert root.setting == "a, b"


def test_the_requirement_of_a_library_that_waits_is_a_line_that_goes() -> None:
    line = waiting(guard="none", guard_by=None, category="dependency", fingerprint="d")
    items = [replace(item, root=LIBRARY) for item in (waiting(), line)]
    (root,) = roots(items, catalogue(), Way({}))
    assert root.setting == "use_flash"
    assert (root.severity, root.effort_days) == ("minor", STANDARD.days("trivial"))


def test_where_no_path_is_known_settings_say_nothing() -> None:
    (root,) = roots([waiting()], catalogue())
    assert root.setting == ""
    assert root.effort_days > (0, 0)


def test_a_library_whose_calls_go_never_costs_more() -> None:
    call = finding("major", size="trivial", root=LIBRARY, category="fused-kernel-lib")
    bare = replace(call, brings="flash_attn", fingerprint="import")
    with_call, alone = effort_of([call, bare]), effort_of([bare])
    assert alone <= with_call


def effort_of(items: list[Finding]) -> tuple[float, float]:
    (root,) = roots([replace(item, reach="main") for item in items], catalogue(), Way({}))
    return root.effort_days


# --- other programs -------------------------------------------------------------------------------


def test_a_program_counts_what_it_comes_to_and_what_nobody_can_tell_of() -> None:
    own, other, unknown = (
        finding("minor", root=name, line=line) for line, name in enumerate("abc", 1)
    )
    items = [replace(own, reach="other"), replace(other, reach="main"), unknown]
    way = of_program([own])
    assert [way.counts(item) for item in items] == [True, False, True]


def test_what_a_program_does_not_come_to_is_no_effort_of_it() -> None:
    own, other, unknown = (finding("major", size="large", line=line) for line in (1, 2, 3))
    way = of_program([own])
    assert effort([replace(other, reach="main")], way) == (0.0, 0.0)
    assert effort([unknown], way) == STANDARD.days("large")
    assert way.needs(unknown)


def test_a_guard_on_the_way_of_a_program_halves_what_is_behind_it() -> None:
    item = replace(finding("major", size="large"), reach="other")
    low, high = effort([item], of_program([item]))
    assert effort([item], of_program([item], "guarded")) == (low / 2, high / 2)
    assert of_program([item], "guarded").severity(item) == "minor"


# --- what would raise it --------------------------------------------------------------------------


def piece(name: str, severity: Severity, size: Effort) -> Piece:
    return Piece(name, severity, STANDARD.days(size))


def test_the_only_blocker_is_what_to_do_first() -> None:
    pieces = [piece("edit", "minor", "research"), piece("kernel", "blocker", "small")]
    first, second = gains(pieces, STANDARD)
    assert (first.root, second.root, second.score) == ("kernel", "edit", 100.0)
    assert first.points >= STANDARD.floor("blocker")


def test_of_equal_gains_the_cheapest_comes_first_then_the_name() -> None:
    equal = [piece(name, "minor", "trivial") for name in "ba"]
    assert [gain.root for gain in gains(equal, STANDARD)] == ["a", "b"]


def test_information_gains_nothing() -> None:
    assert gains([piece("a", "info", "large")], STANDARD) == ()


def test_what_alone_keeps_a_level_gains_all_that_the_level_costs() -> None:
    pair = [piece("minor", "minor", "trivial"), piece("major", "major", "trivial")]
    assert [gain.root for gain in gains(pair, STANDARD)] == ["major", "minor"]


@pytest.mark.parametrize("size", EFFORTS)
@pytest.mark.parametrize("severity", SEVERITIES[1:])
def test_one_cause_costs_what_each_level_up_to_its_own_does(
    severity: Severity, size: Effort
) -> None:
    only = piece("a", severity, size)
    levels = SEVERITIES[1 : SEVERITIES.index(severity) + 1]
    lost = sum(_points(only.middle, 1, level, STANDARD) for level in levels)
    assert value([only], STANDARD) == max(0, round(100 - round(lost * 100) / 100, 2))


def test_no_more_gains_than_a_reader_wants() -> None:
    some = [piece(str(number), "minor", "trivial") for number in range(MOST_GAINS + 2)]
    assert len(gains(some, STANDARD)) == MOST_GAINS
    many = [piece(str(number), "minor", "small") for number in range(300)]
    assert len(gains(many, STANDARD)) <= MOST_GAINS


# --- other assumptions ----------------------------------------------------------------------------


def test_a_score_says_what_the_user_assumes() -> None:
    mine = changed({"effort": {"large": [10, 40]}}, "settings")
    items = [replace(finding("major", size="large"), reach="main")]
    usual, own = on_way(items, Way({})), on_way(items, Way({}, assumptions=mine))
    assert own.effort_days == (10.0, 40.0)
    assert known(own) < known(usual)
    assert usual.assumptions == ()
    assert own.assumptions == (Assumption("effort.large", "[10, 40]", "[5, 20]"),)


def test_what_waits_may_be_assumed_to_cost_something() -> None:
    mine = changed({"setting": {"off": 0.25}}, "settings")
    low, high = STANDARD.days("large")
    way = Way({}, assumptions=mine)
    assert effort([waiting()], way) == (low / 4, high / 4)
    assert way.severity(waiting()) == "minor"


@st.composite
def assumed(draw: st.DrawFn) -> Assumptions:
    """Assumptions that a user may make."""
    lows, highs = (sorted(draw(st.lists(st.floats(1, 9), min_size=5, max_size=5))) for _ in "lh")
    days = {size: [low, 20 + high] for size, low, high in zip(EFFORTS, lows, highs, strict=True)}
    shares = st.just(0.0) | st.floats(1e-6, 1)
    return changed(
        {
            "effort": days,
            "guard": draw(st.dictionaries(st.sampled_from(GUARD_STATES), shares)),
            "setting": {"off": draw(shares)},
            "sites": {"further": draw(shares), "most": draw(st.integers(1, 9))},
            "wiring": {"effort": draw(st.sampled_from(EFFORTS))},
        },
        "settings",
    )


@settings(deadline=None)
@given(TREES, WAYS, assumed(), st.data())
def test_a_score_never_falls_when_a_finding_is_removed_whatever_is_assumed(
    items: list[Finding], way: Way, mine: Assumptions, data: st.DataObject
) -> None:
    assume(items)
    way = replace(way, assumptions=mine)
    gone = data.draw(st.integers(0, len(items) - 1))
    before, after = on_way(items, way), on_way(items[:gone] + items[gone + 1 :], way)
    assert known(after) >= known(before)
    assert after.effort_days <= before.effort_days


def test_a_value_is_never_below_nothing() -> None:
    many = [piece(str(number), "blocker", "research") for number in range(50)]
    assert value(many, STANDARD) == pytest.approx(0, abs=0.01)
