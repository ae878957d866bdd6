"""More findings than a report holds: the gravest stay, and no gate passes by the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

import samples
from portaudit import surplus
from portaudit.cli import program
from portaudit.config import Options, load
from portaudit.errors import ConfigError
from portaudit.triage.gate import Override, Policy, patterns
from portaudit.types import FileResult, Finding, ScanError

Make = Callable[[Mapping[str, str]], Path]
GRAVE = "torch.cuda.synchronize()\n"
MILD = "torch.backends.cudnn.benchmark = True\n"
FEW = "file-findings = 100\n"
FLOOD = f"import torch\n{MILD * 150}{GRAVE}"


def portaudit(*words: object) -> Result:
    return CliRunner().invoke(program.app, [str(word) for word in words], env={"NO_COLOR": ""})


def told(*words: object) -> dict[str, object]:
    report: dict[str, object] = json.loads(portaudit(*words, "--format", "json").stdout)
    return report


def accepted(root: Path) -> set[str]:
    """What the baseline has, without how often."""
    entries = json.loads((root / ".portaudit-baseline.json").read_text())["entries"]
    return {entry["anchor"] for entry in entries if entry}


def result(path: str, number: int) -> FileResult:
    found: list[Finding] = [
        replace(samples.NEW, path=path, fingerprint=f"{path}{at}") for at in range(number)
    ]
    return FileResult(path, tuple(found))


# --- what stays -----------------------------------------------------------------------------------


def test_a_file_within_the_bound_is_as_it_was() -> None:
    found = result("a.py", 100)
    assert surplus.of_file(found, 100) is found
    assert surplus.of_run([found], 100) == [found]


def test_of_a_file_the_gravest_stay_in_their_order() -> None:
    mild = replace(samples.NEW, effective_severity="info")
    grave = replace(samples.NEW, effective_severity="blocker")
    many = [mild, grave, mild, mild, grave]
    found = tuple(replace(each, fingerprint=str(at)) for at, each in enumerate(many))
    kept = surplus.of_file(FileResult("a.py", found), 3)
    assert [each.fingerprint for each in kept.findings] == ["0", "1", "4"]
    reason = "2 findings are left out: it has more than 3 (`file-findings`)"
    assert kept.errors == (ScanError("a.py", reason, surplus=2),)


@pytest.mark.parametrize(
    ("numbers", "most", "kept"),
    [
        ([3, 4], 10, [3, 4]),
        ([3, 100], 10, [3, 7]),
        ([3, 100, 200], 11, [3, 4, 4]),
        ([50, 1, 1], 3, [1, 1, 1]),
        ([2, 2, 2], 1, [1, 1, 1]),
        ([], 5, []),
    ],
)
def test_of_a_run_each_file_may_have_as_many_as_any_other(
    numbers: list[int], most: int, kept: list[int]
) -> None:
    found = [result(f"{at}.py", number) for at, number in enumerate(numbers)]
    left = surplus.of_run(found, most)
    assert [len(each.findings) for each in left] == kept
    lost = [sum(error.surplus for error in each.errors) for each in left]
    assert [a + b for a, b in zip(kept, lost, strict=True)] == numbers


def test_what_both_bounds_leave_out_is_told_once() -> None:
    (left,) = surplus.of_run([surplus.of_file(result("a.py", 50), 20)], 5)
    reason = "45 findings are left out: it has more than 5 (`findings`)"
    assert left.errors == (ScanError("a.py", reason, surplus=45),)


# --- what a user sees -----------------------------------------------------------------------------


def test_a_scan_says_what_is_left_out_and_keeps_the_gravest(make_tree: Make) -> None:
    root = make_tree({"a.py": FLOOD, ".portaudit.toml": FEW})
    report = told("scan", root, "--no-cache")
    assert report["partial"]
    assert [error["path"] for error in report["errors"]] == ["a.py"]  # type: ignore[attr-defined]
    findings = report["findings"]
    assert len(findings) == 100  # type: ignore[arg-type]
    assert findings[-1]["line"] == 152  # type: ignore[index]
    shown = portaudit("scan", root, "--no-cache")
    assert "Failed   a.py: 51 findings are left out: it has more than 100" in shown.stdout
    assert portaudit("scan", root, "--strict").exit_code == 2


def test_a_line_whose_finding_is_left_out_is_explained_by_that(make_tree: Make) -> None:
    root = make_tree({"a.py": FLOOD, ".portaudit.toml": FEW})
    passed = told("explain", f"{root / 'a.py'}:151")["passed"]
    assert [each["reason"] for each in passed] == ["surplus"]  # type: ignore[attr-defined]


def test_a_later_run_says_the_same(make_tree: Make) -> None:
    root = make_tree({"a.py": FLOOD, ".portaudit.toml": FEW})
    assert told("scan", root) == told("scan", root) == told("scan", root, "--no-cache")


def test_another_bound_gives_another_report(make_tree: Make) -> None:
    root = make_tree({"a.py": FLOOD, ".portaudit.toml": FEW})
    assert len(told("scan", root)["findings"]) == 100  # type: ignore[arg-type]
    (root / ".portaudit.toml").write_text("file-findings = 200\n")
    report = told("scan", root)
    assert len(report["findings"]) == 151  # type: ignore[arg-type]
    assert not report["partial"]


def test_what_was_kept_when_there_was_room_for_more_is_cut_as_well(make_tree: Make) -> None:
    root = make_tree({"a.py": FLOOD})
    assert len(told("scan", root)["findings"]) == 151  # type: ignore[arg-type]
    (root / ".portaudit.toml").write_text(FEW)
    assert told("scan", root) == told("scan", root, "--no-cache")


def test_a_whole_run_has_a_bound_too(make_tree: Make) -> None:
    text = f"import torch\n{GRAVE * 300}"
    files = {f"m{at}.py": text for at in range(5)} | {"small.py": f"import torch\n{GRAVE}"}
    report = told("scan", make_tree({**files, ".portaudit.toml": "findings = 1000\n"}))
    assert len(report["findings"]) == 5 * 199 + 1  # type: ignore[arg-type]
    assert sorted(files)[:-1] == [error["path"] for error in report["errors"]]  # type: ignore[attr-defined]


# --- the gate -------------------------------------------------------------------------------------


def test_nothing_turns_green_by_flooding(make_tree: Make) -> None:
    root = make_tree({"a.py": "import torch\n", ".portaudit.toml": FEW})
    portaudit("baseline", "create", root)
    assert portaudit("check", root).exit_code == 0
    # What is accepted, or below the gate, may be any number.
    (root / "a.py").write_text(f"import torch\n{MILD * 150}")
    portaudit("baseline", "update", root, "--all")
    done = portaudit("check", root, "--fail-on", "blocker")
    assert done.exit_code == 1
    assert "1 file with findings that are left out, against" in done.stdout
    assert told("check", root, "--fail-on", "blocker")["gate"]["unjudged"] == ["a.py"]  # type: ignore[index]
    marked = portaudit("check", root, "--fail-on", "blocker", "--format", "github").stdout
    assert "::error file=a.py,title=portaudit%3A not read::50 findings" in marked.replace(
        "portaudit: not", "portaudit%3A not"
    )
    page = portaudit("check", root, "--fail-on", "blocker", "--format", "markdown").stdout
    assert "**1 file has findings that are left out**; nothing new fails" in page
    brief = portaudit("check", root, "--fail-on", "blocker", "--quiet").stdout
    assert brief == "a.py: 50 findings are left out: it has more than 100 (`file-findings`)\n"
    assert portaudit("scan", root, "--fail-on", "blocker").exit_code == 1


def test_what_may_never_fail_does_not_by_its_number(make_tree: Make) -> None:
    settings = f'{FEW}adapter-zones = ["a.py"]\n'
    root = make_tree({"a.py": FLOOD, ".portaudit.toml": settings})
    assert portaudit("check", root).exit_code == 0
    assert portaudit("check", root, "--fail-on", "none").exit_code == 0


def test_a_baseline_loses_no_entries_of_a_flooded_file(make_tree: Make) -> None:
    root = make_tree({"a.py": f"import torch\n{GRAVE}{MILD * 3}", ".portaudit.toml": FEW})
    portaudit("baseline", "create", root)
    before = accepted(root)
    (root / "a.py").write_text(f"import torch\n{GRAVE * 150}")
    assert not told("check", root)["gate"]["gone"]  # type: ignore[index]
    portaudit("baseline", "update", root)
    assert len(before) == 2
    assert before <= accepted(root)


@pytest.mark.parametrize(
    ("policy", "guards"),
    [
        (Policy(), True),
        (Policy(None), False),
        (Policy(zones=patterns(["a.py"])), False),
        (Policy(overrides=[Override(off=True)]), False),
        (Policy(overrides=[Override(rules=frozenset({"X"}), off=True)]), True),
        (Policy(None, overrides=[Override(rules=frozenset({"X"}), fail_on="major")]), True),
        (Policy(None, overrides=[Override(patterns(["b.py"]), fail_on="major")]), False),
        (Policy(overrides=[Override(off=True), Override(min_confidence="low")]), False),
        (Policy(overrides=[Override(min_confidence="low")]), True),
    ],
)
def test_a_policy_knows_where_nothing_could_fail(policy: Policy, guards: bool) -> None:
    assert policy.guards("a.py") is guards


def test_no_settings_take_the_bounds_away(make_tree: Make) -> None:
    for line in ("file-findings = 0", "file-findings = 100001", "findings = 0"):
        root = make_tree({".portaudit.toml": f"{line}\n"})
        with pytest.raises(ConfigError, match="must be a whole number"):
            load([root], Options(root=root), cwd=root)
