"""`portaudit plan` from the outside: where it writes, what it takes, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit.cli import program

MakeTree = Callable[[Mapping[str, str]], Path]
TRAIN = """import torch

model = torch.nn.Linear(1, 1).cuda()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
if __name__ == "__main__":
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
"""
FILES = {"train.py": TRAIN, "variant.py": TRAIN.replace(".cuda()", "")}


def run(*arguments: object) -> Result:
    words = [str(item) for item in arguments]
    return CliRunner().invoke(program.app, ["plan", *words], env={"COLUMNS": "100"})


def test_plan_of_a_tree_is_markdown_on_standard_output(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    done = run(root, "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("# Porting plan for the target `torchneuron`\n")
    assert "DEV008" in done.stdout
    assert "`train.py:3`" in done.stdout
    assert run(root, "--jobs", 1).stdout == done.stdout


def test_plan_goes_to_a_file(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    place = root.parent / "plan" / "port.md"
    done = run(root, "--output", place)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"wrote {place}\n"
    assert place.read_text(encoding="utf-8") == run(root).stdout
    assert run(root, "-o", place, "--quiet").stderr == ""


def test_plan_is_for_the_target_and_the_entry_that_are_asked_for(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    text = " ".join(run(root, "--target", "xla", "--entry", root / "variant.py").stdout.split())
    assert "target `xla`" in text
    assert "**Main path**: `variant.py`" in text
    assert "no longer supported since SDK 2.30" in text
    assert "Nothing was found on the path that has to change." in text


def test_rules_can_be_chosen(make_tree: MakeTree) -> None:
    assert "DEV008" not in run(make_tree(FILES), "--ignore", "DEV008").stdout


def test_plan_of_a_report_is_that_of_its_tree(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    place = root.parent / "report.json"
    words = ["scan", str(root), "--format", "json", "--output", str(place), "-q", "--target", "xla"]
    assert CliRunner().invoke(program.app, words).exit_code == 0
    done = run(place)
    assert done.exit_code == 0, done.output
    assert done.stdout == run(root, "--target", "xla").stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("missing.json",), "missing.json: cannot be read"),
        (("report.json", "."), "of one report, or of files and directories"),
        (("report.json", "--target", "xla"), "a report is planned as it is"),
        (("report.json",), "report.json: is no report of portaudit's"),
        (("missing",), "missing"),
        (("--target", "cuda"), "cuda"),
    ],
)
def test_wrong_use_is_said_and_ends_with_2(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(make_tree({"report.json": "[]"}))
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in done.stderr


def test_file_that_cannot_be_read_is_named_and_strict_fails(make_tree: MakeTree) -> None:
    root = make_tree({**FILES, "broken.py": "import torch\nmodel.cuda(\n"})
    done = run(root)
    assert done.exit_code == 0
    assert "could not be read: `broken.py:" in done.stdout
    strict = run(root, "--strict")
    assert (strict.exit_code, strict.stdout) == (2, done.stdout)
    assert "(--strict)" in strict.stderr


def test_tree_without_torch_has_nothing_to_port(make_tree: MakeTree) -> None:
    done = run(make_tree({"a.py": "print(1)\n"}))
    assert (done.exit_code, done.stdout) == (
        0,
        "# Porting plan\n\nNothing to port: none of 1 file imports torch.\n",
    )
