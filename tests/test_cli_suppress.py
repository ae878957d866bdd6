"""`portaudit suppress`: comments written where they are asked for, and told."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit import engine
from portaudit.cli import program
from portaudit.config import Options, load
from portaudit.types import Report

MakeTree = Callable[[Mapping[str, str]], Path]
CODE = """import torch

x = torch.ones(
    1,
    device="cuda",
)
torch.cuda.synchronize()
y = x.cuda(); torch.cuda.synchronize()
"""


@pytest.fixture
def tree(make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_tree({"a.py": CODE, "sub/b.py": CODE, "ds.json": '{"fp16": {"enabled": true}}\n'})
    monkeypatch.chdir(root)
    return root


def run(*arguments: str) -> Result:
    return CliRunner().invoke(
        program.app, ["suppress", "-j", "1", *arguments], env={"NO_COLOR": "1"}
    )


def report(root: Path) -> Report:
    return engine.scan(load([root], Options(root=root, jobs=1), cwd=root))


def accepted(root: Path) -> set[tuple[str, int, str]]:
    return {
        (item.path, item.span.line, item.rule) for item in report(root).findings if item.suppressed
    }


def test_a_line_and_a_rule(tree: Path) -> None:
    done = run("a.py:8", "DEV008", "--reason", "only on GPUs")
    assert done.exit_code == 0, done.output
    line = "y = x.cuda(); torch.cuda.synchronize()  # portaudit: ignore[DEV008] only on GPUs"
    assert done.stdout == f"a.py:8: {line}\n"
    assert "1 finding accepted" in done.stderr
    assert (tree / "a.py").read_text().split("\n")[7] == line
    assert accepted(tree) == {("a.py", 8, "DEV008")}


def test_a_line_alone_means_all_of_it(tree: Path) -> None:
    assert run("a.py:8:3:", "--reason", "why").exit_code == 0
    assert {rule for _, _, rule in accepted(tree)} == {"DEV007", "DEV008"}
    assert {path for path, _, _ in accepted(tree)} == {"a.py"}
    assert (tree / "a.py").read_text().count("portaudit") == 1


def test_any_line_of_the_statement_will_do(tree: Path) -> None:
    assert run("a.py:3", "--reason", "why").exit_code == 0
    assert accepted(tree) == {("a.py", 5, "DST001")}


def test_whole_trees_by_rule(tree: Path) -> None:
    assert run(".", "--rule", "device-api,DST", "--reason", "why").exit_code == 0
    left = {item.rule for item in report(tree).findings if not item.suppressed}
    assert not {"DEV007", "DEV008", "DST001"} & left
    assert report(tree).notices == ()
    again = run("sub", "--rule", "DEV007", "--reason", "why")
    assert again.exit_code == 2
    assert "nothing to accept there" in again.output


def test_a_dry_run_writes_nothing(tree: Path) -> None:
    done = run("sub/b.py", "--rule", "DEV007", "--reason", "why", "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.count("portaudit: ignore[DEV007] why") == 2
    assert "would be accepted" in done.stderr
    assert (tree / "sub/b.py").read_text() == CODE


def test_what_cannot_hold_comments_is_refused_with_the_way_out(tree: Path) -> None:
    (tree / "ds.json").write_text('{"zero_optimization": {"stage": 3}, "train_batch_size": 8}\n')
    findings = [item for item in report(tree).findings if item.path == "ds.json"]
    assert findings
    done = run("ds.json", "--rule", "ALL", "--reason", "why")
    assert done.exit_code == 2
    rule = findings[0].rule
    assert f'per-file-ignores = {{ "ds.json" = ["{rule}"] }}' in done.output.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a.py", "--reason", "why"), "--rule"),
        (("a.py:8", "--reason", " . "), "say why"),
        (("a.py:8", "--reason", "why # not"), "comment"),
        (("a.py:2", "--reason", "why"), "a.py:2: nothing to accept there"),
        (("b.py:2", "--reason", "why"), "b.py: no such file"),
        (("DEV007", "--reason", "why"), "say where"),
        (("a.py:8", "DEV00x", "--reason", "why"), "DEV00x"),
    ],
)
def test_wrong_use(tree: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert (tree / "a.py").read_text() == CODE


def test_the_file_keeps_its_mode_and_a_link_stays_one(tree: Path) -> None:
    place = tree / "a.py"
    place.chmod(0o755)
    assert run("a.py:7", "--reason", "why").exit_code == 0
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert sorted(each.name for each in tree.iterdir()) == ["a.py", "ds.json", "sub"]
