"""The user's operator list: what it may look like, and what it changes."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

import operator_traces
from portaudit.catalogue import operators
from portaudit.catalogue.load import load
from portaudit.cli import program
from portaudit.config import Options
from portaudit.config import load as configure
from portaudit.engine import scan
from portaudit.errors import ConfigError
from portaudit.types import Report

STEP = """
import torch


class Net(torch.nn.Module):
    def forward(self, x):
        return torch.acos(torch.tan(x))
"""


def listed(*names: str) -> operators.OperatorList:
    return operators.parse("\n".join(names), "ops.txt")


@pytest.mark.parametrize(
    "text",
    [
        "aten::add.Tensor\naten::acos\n",
        "# of release 2.33\naten.add.Tensor  # sum\n\ntorch.ops.aten.acos.default\n",
        '["add.Tensor", "aten::acos", "profiler::_record"]',
        "c10d::allreduce_\nadd.Tensor\nacos",
    ],
)
def test_a_list_may_be_spelled_in_several_ways(text: str) -> None:
    assert operators.parse(text, "ops.txt").names == {"add.Tensor", "acos"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aten::add\nno operator\n", '"no operator" is no operator'),
        ("", "names no operator"),
        ("c10d::allreduce_\n", "names no operator"),
        ("[1, 2]", "strings only"),
        ('["add"', "not valid JSON"),
    ],
)
def test_what_is_no_list_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        operators.parse(text, "ops.txt")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ops.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        operators.read(path)


def test_an_out_form_gives_the_others() -> None:
    known = listed("aten::add.out", "aten::mul.Tensor", "aten::_sum.int_out")
    assert known.lacks(["add.Tensor", "add_.Tensor", "mul.Tensor", "_sum.x"]) == ()
    assert known.lacks(["mul.Scalar", "addmm", "sub.Tensor"]) == (
        "mul.Scalar",
        "addmm",
        "sub.Tensor",
    )


def test_a_list_without_overloads_speaks_of_all() -> None:
    assert listed("add", "acos").lacks(["add.Tensor", "acos", "sub.Tensor"]) == ("sub.Tensor",)


def test_a_list_adds_what_it_lacks_and_takes_guesses_away() -> None:
    plain = load()
    told = operators.apply(plain, listed("aten::tan", "aten::mul.out"))
    assert plain.digest != told.digest
    assert "torch.acos" in {row.name for row in plain.rows["OPF001", 0]}
    assert "torch.acos" not in {row.name for row in told.rows["OPF001", 0]}
    assert not plain.rows["OPF002", 0]
    missing = {row.name: row.cells["missing"] for row in told.rows["OPF002", 0]}
    assert missing["torch.acos"] == "aten::acos, aten::neg, aten::rsqrt"


def test_a_scan_with_a_list(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(STEP)
    (tmp_path / "ops.txt").write_text("aten::tan\naten::pow.Tensor_Scalar\nadd.out\nmul.out\n")
    (tmp_path / ".portaudit.toml").write_text('ops = "ops.txt"\n')
    config = configure([tmp_path], Options(jobs=1), cwd=tmp_path)
    report = scan(config)
    assert [(finding.rule, finding.anchor) for finding in report.findings] == [
        ("OPF002", "torch.acos")
    ]
    assert "aten::acos" in report.findings[0].message


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.txt is no file"):
        configure([tmp_path], Options(ops=Path("nowhere.txt")), cwd=tmp_path)


def test_traces_are_what_pytorch_does() -> None:
    torch = pytest.importorskip("torch")
    if str(torch.__version__).partition("+")[0] != operator_traces.VERSION:
        pytest.skip(f"the traces are of torch {operator_traces.VERSION}")
    with operator_traces.PATH.open(encoding="utf-8", newline="") as file:
        rows = {row["name"]: row["operators"] for row in csv.DictReader(_without_comments(file))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        angle = torch.rand(3, requires_grad=True)
        seen = operator_traces.record(lambda: torch.acos(angle).sum().backward())
    needed = {name.removeprefix("aten::") for name in seen}
    assert set(rows["torch.acos"].split()) <= needed


def _without_comments(lines: object) -> list[str]:
    return [line for line in lines if not line.startswith("#")]  # type: ignore[attr-defined]


CONVNET = """
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.LeakyReLU()

    def forward(self, x):
        return F.max_pool2d(self.act(self.norm(x)), 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.InstanceNorm2d(8), nn.MaxPool2d(2))
"""
TRAIN = """
from net import Net

model = Net()
for batch in loader:
    loss = model(batch)
    loss.backward()
    optimizer.step()
"""


def convnet(tmp_path: Path) -> Report:
    (tmp_path / "net.py").write_text(CONVNET)
    (tmp_path / "train.py").write_text(TRAIN)
    return scan(configure([tmp_path], Options(jobs=1), cwd=tmp_path))


def test_what_may_have_no_kernel_is_told_once_of_each_class(tmp_path: Path) -> None:
    """A convolutional network must not drown in it: one root cause, a place for each class."""
    report = convnet(tmp_path)
    assert [(item.rule, item.span.line, item.scope) for item in report.findings] == [
        ("OPF006", 9, "Block.__init__"),
        ("OPF006", 19, "Net.__init__"),
    ]
    assert len(report.roots) == 1


def test_what_may_have_no_kernel_costs_no_points_and_less_than_a_day(tmp_path: Path) -> None:
    report = convnet(tmp_path)
    assert {item.severity for item in report.findings} == {"info"}
    assert report.score.value == 100
    assert report.score.verdict == "ready"
    assert report.score.effort_days[1] < 1


def test_new_code_that_may_have_no_kernel_passes_the_gate(tmp_path: Path) -> None:
    convnet(tmp_path)
    done = CliRunner().invoke(program.app, ["check", str(tmp_path)])
    assert done.exit_code == 0, done.stdout


def test_a_list_of_operators_replaces_what_is_guessed(tmp_path: Path) -> None:
    ops = tmp_path / "ops.txt"
    ops.write_text("aten::native_batch_norm.out\naten::add.out\n")
    (tmp_path / "net.py").write_text(CONVNET)
    report = scan(configure([tmp_path], Options(jobs=1, ops=ops), cwd=tmp_path))
    assert {item.rule for item in report.findings} == {"OPF002"}
