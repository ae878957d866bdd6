"""What a line costs on the target, and what its guard takes away."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from msgspec import structs

from portaudit.catalogue.schema import TargetFact, WhenGuarded
from portaudit.discover import Tree
from portaudit.engine import Scanner, scan_tree
from portaudit.files import Disk, Overlay
from portaudit.judge.severity import effective, intrinsic
from portaudit.judge.words import fill
from portaudit.relate.modules import Modules
from portaudit.types import Evidence, GuardState, Severity, Status
from snippets import ROOT, catalogue, the

RULE = structs.replace(catalogue().rules["DEV007"], severity="major", reason="status")


def fact(
    status: Status = "unsupported",
    evidence: Evidence = "official",
    severity: Severity | None = None,
    *,
    report: bool = True,
) -> TargetFact:
    day = datetime.date(2026, 1, 1)
    return TargetFact(
        status, evidence, "https://x.y/z", "2.33", day, severity=severity, report=report
    )


@pytest.mark.parametrize(
    ("told", "row", "severity"),
    [
        (fact(), None, "major"),
        (fact(), "blocker", "blocker"),
        (fact(severity="minor"), "blocker", "minor"),
        (fact(report=False), "blocker", None),
        (fact("supported"), "blocker", None),
        (fact("undocumented"), None, "info"),
        (fact("undocumented", "inferred"), None, "info"),
        (fact("partial", "inferred"), None, "info"),
        (fact("partial", "prerelease"), None, "info"),
        (fact("partial"), None, "major"),
    ],
)
def test_what_a_line_costs_is_what_the_target_says(
    told: TargetFact, row: Severity | None, severity: Severity | None
) -> None:
    assert intrinsic(RULE, told, row) == severity


@pytest.mark.parametrize("status", ["supported", "undocumented", "partial"])
def test_what_asks_for_cuda_costs_the_same_whatever_the_target_says(status: Status) -> None:
    rule = structs.replace(RULE, reason="cuda")
    assert intrinsic(rule, fact(status, "inferred"), None) == "major"


@pytest.mark.parametrize(
    ("guard", "when_guarded", "severity"),
    [
        *((guard, each, "major") for guard in ("none", "hard-fail") for each in ("keep", "drop")),
        ("none", "lower", "major"),
        ("guarded", "keep", "major"),
        ("fallback", "keep", "major"),
        ("guarded", "drop", None),
        ("fallback", "drop", None),
        ("guarded", "lower", "minor"),
        ("import-guarded", "lower", "minor"),
        ("fallback", "lower", "info"),
    ],
)
def test_a_guard_takes_away_what_the_rule_says(
    guard: GuardState, when_guarded: WhenGuarded, severity: Severity | None
) -> None:
    assert effective("major", guard, when_guarded) == severity
    assert effective("info", "guarded", "lower") == "info"


def test_a_rule_that_drops_guarded_places_drops_what_is_only_imported_for_them() -> None:
    rules = catalogue().rules
    dropping = structs.replace(rules["DEV007"], when_guarded="drop")
    given = structs.replace(catalogue(), rules={**rules, "DEV007": dropping})
    text = (
        "from torch.cuda import Stream\n"
        "from torch.cuda import is_available, synchronize\n"
        "from torch.cuda import Event\n"
        "if is_available():\n"
        "    synchronize()\n"
        "Stream(Event())\n"
    )
    files = {"a.py": text.encode()}
    tree = Tree.of(ROOT, files, ("a.py",))
    for found, lines in ((catalogue(), {2, 5}), (given, set[int]())):
        scanner = Scanner(Overlay(Disk(Path(ROOT)), files), found, "torchneuron")
        (result,) = scan_tree(scanner, Modules(tree, found.libraries), tree, jobs=1)
        told = [(item.rule, item.span.line) for item in result.findings]
        assert {line for rule, line in told if rule == "DEV007"} == lines
        assert {line for _, line in told} >= {1, 3, 6}


def test_a_row_of_a_table_may_say_what_it_takes() -> None:
    for name, taken in (("composer.Trainer", "large"), ("lightning.Trainer", "medium")):
        assert the(f"import {name.partition('.')[0]}\n{name}()\n", "FUS070").effort == taken


def test_a_row_of_a_table_is_a_piece_of_work_of_its_own_for_libraries_only() -> None:
    assert the("import torch\ntorch.cuda.empty_cache()\n", "MEM001").root == "MEM001"
    assert the("import composer\ncomposer.Trainer()\n", "FUS070").root == "FUS070:composer"


def test_words_are_those_of_the_place() -> None:
    (row, *_) = next(rows for rows in catalogue().rows.values() if rows and rows[0].cells)
    column, cell = next(iter(row.cells.items()))
    template = f"{{anchor}} is {{value}}, {{row.{column}}}; {{other}}"
    assert fill(template, "a.b", "c", row) == f"a.b is c, {cell}; {{other}}"
    assert fill(template, "a.b", "c", None) == f"a.b is c, {{row.{column}}}; {{other}}"
