"""`bench/verdicts`: ranks, how places are compared, and that the labels are whole."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import samples
from git_repos import Repo
from portaudit.types import (
    Chain,
    EntryPoint,
    Finding,
    GuardState,
    Location,
    Lost,
    Proof,
    Reach,
    Report,
    RootCause,
    Severity,
    Span,
)

PLACE = Path(__file__).parent.parent / "bench" / "verdicts" / "verdicts.py"
MODEL = """\
import flash_attn
import triton


class Attention:
    def forward(self, x):
        y = flash_attn.f(x)
        def inner():
            return y
        a = 1
        b = 2
        return inner()

    @triton.jit
    def other(self):
        return 0
"""


@pytest.fixture(scope="module")
def verdicts() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("bench_verdicts", PLACE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def finding(
    path: str,
    line: int,
    *,
    severity: Severity = "blocker",
    reach: Reach | None = "main",
    guard: GuardState = "none",
    guard_by: Proof | None = None,
) -> Finding:
    return replace(
        samples.FLASH,
        path=path,
        span=Span(line, 1, line, 9),
        lines=(line, line),
        severity=severity,
        effective_severity=severity,
        reach=reach,
        guard=guard,
        guard_by=guard_by,
        root=f"{path}:{line}",
        fingerprint=f"pa1:{path}:{line}",
    )


def report(*found: Finding, chains: tuple[Chain, ...] = ()) -> Report:
    """A report with a root cause for each finding, the first ones the dearest."""
    roots = tuple(
        RootCause(
            id=item.root,
            rule=item.rule,
            title=item.root,
            category=item.category,
            severity=item.severity,
            effort_days=(1.0, 5.0),
            findings=(item.fingerprint,),
            sites=(Location(item.path, item.span.line),),
            reach=item.reach,
            setting=item.guard_by.setting if item.guard_by else "",
        )
        for item in found
    )
    lost = tuple(Lost(root.id, 10.0 - number) for number, root in enumerate(roots))
    entry = EntryPoint("train.py", "training", 50.0, main=True)
    score = replace(samples.CLEAN.score, provisional=False, lost=lost, entry_points=(entry,))
    return replace(samples.CLEAN, score=score, findings=found, roots=roots, chains=chains)


# --- ranks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([30.0, 10.0, 20.0], [3.0, 1.0, 2.0]),
        ([5.0, 1.0, 5.0], [2.5, 1.0, 2.5]),
        ([7.0, 7.0, 7.0], [2.0, 2.0, 2.0]),
        ([], []),
    ],
)
def test_equal_values_share_the_mean_of_their_ranks(
    verdicts: ModuleType, values: list[float], expected: list[float]
) -> None:
    assert verdicts.ranks(values) == expected


@given(st.permutations(range(8)))
def test_spearman_is_the_formula_of_squared_differences_without_ties(
    verdicts: ModuleType, other: list[int]
) -> None:
    squares = sum((a - b) ** 2 for a, b in enumerate(other))
    expected = 1 - 6 * squares / (8 * (8**2 - 1))
    found = verdicts.spearman([float(value**3) for value in range(8)], other)
    assert found == pytest.approx(expected)


def test_spearman_with_ties(verdicts: ModuleType) -> None:
    assert verdicts.spearman([1, 2, 2, 3], [10, 20, 20, 90]) == pytest.approx(1)
    assert verdicts.spearman([1, 2, 2, 3], [10, 20, 30, 40]) == pytest.approx(0.9486832980505138)
    assert verdicts.spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_without_an_order_there_is_no_correlation(verdicts: ModuleType) -> None:
    assert verdicts.spearman([1, 1, 1], [1, 2, 3]) is None
    assert verdicts.spearman([1], [1]) is None


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "path", "line", "expected"),
    [
        ("model.py:1", "model.py", 1, "line"),
        ("model.py:1", "model.py", 2, "line"),
        ("model.py:2", "model.py", 4, None),  # imports beside each other are not one thing
        ("model.py:7", "model.py", 11, "function"),
        ("model.py:9", "model.py", 11, None),  # the function inside ends before
        ("model.py:10", "model.py", 8, "function"),
        ("model.py:7", "model.py", 16, None),
        ("model.py:16", "model.py", 14, "function"),  # a decorator
        ("model.py:7", "other/model.py", 7, None),
        ("model.py", "model.py", 99, "file"),
        ("csrc", "csrc/a/b.cu", 99, "file"),
        ("csrc", "csrc2/b.cu", 99, None),
        ("csrc/b.cu:10", "csrc/b.cu", 15, "line"),
        ("csrc/b.cu:10", "csrc/b.cu", 16, None),
        ("conf.yaml:10", "conf.yaml", 12, None),
    ],
)
def test_how_a_site_and_a_place_belong_together(
    verdicts: ModuleType, clone: Path, place: str, path: str, line: int, expected: str | None
) -> None:
    assert verdicts.nearness(verdicts.place_of(place), Location(path, line), clone) == expected


def test_code_that_does_not_parse_has_no_functions(verdicts: ModuleType, clone: Path) -> None:
    (clone / "old.py").write_text("def f():\n    a = 1\n    b = 2\n    print b\n")
    place = verdicts.place_of("old.py:1")
    assert verdicts.nearness(place, Location("old.py", 4), clone) is None
    assert verdicts.nearness(place, Location("old.py", 2), clone) == "line"


def test_a_statement_is_at_a_place_that_is_in_it_or_beside_it(verdicts: ModuleType) -> None:
    item = replace(finding("a.py", 10), lines=(10, 14))
    told = {line: verdicts.stands_at(item, verdicts.place_of(f"a.py:{line}")) for line in range(20)}
    assert [line for line, there in told.items() if there and line] == [9, 10, 11, 12, 13, 14, 15]
    assert verdicts.stands_at(item, verdicts.place_of("a.py"))
    assert not verdicts.stands_at(item, verdicts.place_of("b.py:10"))


# --- causes and alarms ----------------------------------------------------------------------------


def test_a_cause_is_among_the_first_root_causes_or_not(verdicts: ModuleType, clone: Path) -> None:
    cause = verdicts.LabelledCause("attention", "blocker", ("model.py:1", "model.py:7"))
    made = report(finding("a.py", 1), finding("b.py", 1), finding("model.py", 1))
    found = verdicts.find(cause, made, clone, 5)
    assert (found.number, found.how) == (3, "line")
    assert found.among(3)
    assert not found.among(2)
    assert verdicts.find(cause, report(finding("a.py", 1)), clone, 5) is None


def test_what_is_off_the_path_or_optional_is_none_of_the_first(
    verdicts: ModuleType, clone: Path
) -> None:
    cause = verdicts.LabelledCause("attention", "blocker", ("model.py:1",))
    proof = Proof("model.py", 1, "if config.fused:", setting="fused")
    for item in (
        finding("model.py", 1, reach="other"),
        finding("model.py", 1, guard="guarded", guard_by=proof),
    ):
        found = verdicts.find(cause, report(item), clone, 5)
        assert not found.among(5)


def test_the_very_place_goes_before_the_same_function(verdicts: ModuleType, clone: Path) -> None:
    cause = verdicts.LabelledCause("attention", "blocker", ("model.py:7",))
    made = report(finding("model.py", 11), finding("model.py", 7))
    assert verdicts.find(cause, made, clone, 5).site.line == 7
    assert verdicts.find(cause, made, clone, 1).site.line == 11


SETTING = Proof("a.py", 1, "if config.fused:", setting="fused")


@pytest.mark.parametrize(
    ("item", "chain", "expected"),
    [
        (finding("a.py", 5), None, 1),
        (finding("a.py", 5, reach=None), None, 1),
        (finding("a.py", 5, guard="hard-fail"), None, 1),
        (finding("a.py", 5), Chain("a.py"), 1),
        (finding("a.py", 9), None, 0),
        (finding("a.py", 5, severity="major"), None, 0),
        (finding("a.py", 5, reach="other"), None, 0),
        (finding("a.py", 5, guard="guarded"), None, 0),
        (finding("a.py", 5, guard="import-guarded"), None, 0),
        (finding("a.py", 5, guard="none", guard_by=SETTING), None, 0),
        (finding("a.py", 5), Chain("a.py", (), "guarded", SETTING), 0),
    ],
)
def test_what_the_path_needs_at_a_scary_place_is_an_alarm(
    verdicts: ModuleType, item: Finding, chain: Chain | None, expected: int
) -> None:
    made = report(item, chains=(chain,) if chain else ())
    scary = verdicts.Scary("optional kernels", ("a.py:5",))
    label = labelled(verdicts, scary)
    assert len(list(verdicts.alarms(label, made, "blocker"))) == expected


def test_a_place_of_a_cause_is_told_apart(verdicts: ModuleType) -> None:
    scary = verdicts.Scary("optional kernels", ("a.py:5", "a.py:9"))
    cause = verdicts.LabelledCause("imports", "major", ("a.py:5",))
    label = labelled(verdicts, scary, cause)
    found = verdicts.alarms(label, report(finding("a.py", 5), finding("a.py", 9)), "blocker")
    assert [(each.place, each.shared) for each in found] == [("a.py:5", True), ("a.py:9", False)]


def labelled(verdicts: ModuleType, scary: object, *causes: object) -> Any:  # noqa: ANN401 - of a module loaded by path
    return verdicts.Label(
        repository="a/b",
        commit="0" * 40,
        main=verdicts.Entry("train.py"),
        cause=causes,
        scary=(scary,),
        difficulty=verdicts.Difficulty("edits only", (1, 5)),
    )


def test_all_is_printed_by_name(
    verdicts: ModuleType, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = labelled(
        verdicts,
        verdicts.Scary("optional kernels", ("model.py:7",)),
        verdicts.LabelledCause("attention", "blocker", ("model.py:1",)),
        verdicts.LabelledCause("shapes", "blocker", ("b.py:1",)),
    )
    made = report(finding("model.py", 1), finding("model.py", 7))
    verdicts.show([verdicts.Held(label, 1.0, made, clone)], 5)
    told = capsys.readouterr().out
    assert (
        "| a/b | 1 | 100.0 | ready | edits only | 0 to 0 | 1 to 5 | train.py | the same |" in told
    )
    assert "Spearman, score and rank of ease: none (1 of 1 with a score)" in told
    assert "weight blocker among the first 5 root causes: 1 of 2, 0 of them only" in told
    assert "found  a/b: attention" in told
    assert "MISSED a/b: shapes\n         no root cause has a site there" in told
    assert "severity blocker that the path needs: 1 of 1, and 0" in told
    assert "ALARM a/b: optional kernels (model.py:7)" in told


# --- labels ---------------------------------------------------------------------------------------


def test_every_repository_has_a_label_and_a_place(verdicts: ModuleType) -> None:
    sets = {which: verdicts.read_labels(which) for which in verdicts.SETS}
    first = [*sets["building"], *sets["former"]]
    assert sum(place for _, place in first) == 18 * 19 / 2
    for which in ("second", "third", "fourth"):
        assert sum(place for _, place in sets[which]) == 10 * 11 / 2
    for which in ("fifth", "sixth", "seventh", "eighth", "final"):
        assert sum(place for _, place in sets[which]) == 12 * 13 / 2
    assert {label.repository for label, _ in sets["building"]} == verdicts.BUILDING
    labels = [each for found in sets.values() for each in found]
    assert len({label.repository for label, _ in labels}) == len(labels) == 108
    for label, _ in labels:
        assert len(label.commit) == 40
        assert label.cause
        assert label.scary
        assert all(each.places for each in (*label.cause, *label.scary))


def test_a_clone_has_to_be_there_at_the_commit_of_its_label(
    verdicts: ModuleType, tmp_path: Path
) -> None:
    label = labelled(verdicts, verdicts.Scary("", ()))
    with pytest.raises(SystemExit, match="not there"):
        verdicts.check(label, tmp_path / "a+b")
    verdicts.check(label, tmp_path)  # a plain tree says nothing of commits
    repo = Repo.make(tmp_path, {"train.py": "import torch\n"})
    with pytest.raises(SystemExit, match="the label is of 0000"):
        verdicts.check(label, tmp_path)
    verdicts.check(replace(label, commit=repo.git("rev-parse", "HEAD")), tmp_path)
