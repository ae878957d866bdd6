"""Settings that Hydra puts together: which file a run begins with, and what its values are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit.types import Report
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
TRAIN = """
import hydra
import torch

@hydra.main(config_path="conf", config_name="train", version_base=None)
def main(cfg):
    if cfg.model.kind == "fused":
        from pkg.fused import Net
    else:
        from pkg.plain import Net
    net = Net()
    net(torch.zeros(3)).sum().backward()

if __name__ == "__main__":
    main()
"""
NET = "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x\n"
TREE = {
    "train.py": TRAIN,
    "pkg/__init__.py": "",
    "pkg/plain.py": NET,
    "pkg/fused.py": f"{NET}torch.cuda.synchronize()\n",
    "conf/train.yaml": "model:\n  kind: plain\n",
    "conf/large.yaml": "model:\n  kind: fused\n",
}
PAGE = "# Net\n\n```bash\n{}\n```\n"


def needs_fused(report: Report) -> bool:
    """Whether the main path needs what only the fused model has."""
    return any(
        item.path == "pkg/fused.py" and item.reach == "main" and item.guard == "none"
        for item in report.findings
    )


def started_by(report: Report) -> str:
    return next(each.why for each in report.score.entry_points if each.main)


def test_a_line_without_settings_is_for_those_of_the_decorator(make_tree: MakeTree) -> None:
    pages = {
        "README.md": PAGE.format("python train.py"),
        "LARGE.md": PAGE.format("python train.py --config-name=large"),
    }
    assert not needs_fused(report_of(make_tree({**TREE, **pages})))


def test_a_line_that_names_other_settings_is_for_these(make_tree: MakeTree) -> None:
    pages = {"README.md": PAGE.format("python train.py --config-name=large")}
    assert needs_fused(report_of(make_tree({**TREE, **pages})))


def test_a_file_of_settings_that_nobody_sees_may_say_anything(make_tree: MakeTree) -> None:
    pages = {"README.md": PAGE.format("python train.py --config-name=$MINE")}
    assert needs_fused(report_of(make_tree({**TREE, **pages})))


def test_what_the_line_sets_holds_beside_the_file(make_tree: MakeTree) -> None:
    pages = {"README.md": PAGE.format("python train.py model.kind=fused")}
    assert needs_fused(report_of(make_tree({**TREE, **pages})))


@pytest.mark.parametrize("name", ["ascend/README.md", "BY_ROCM.md", "RUN-TPU.md"])
def test_a_page_of_another_vendor_tells_last(make_tree: MakeTree, name: str) -> None:
    pages = {
        name: PAGE.format("python train.py --config-name=large"),
        "START.md": PAGE.format("python train.py"),
    }
    report = report_of(make_tree({**TREE, **pages}))
    assert "START.md:4 starts it" in started_by(report)
    assert not needs_fused(report)


def test_it_tells_where_no_other_page_does(make_tree: MakeTree) -> None:
    pages = {"ascend/README.md": PAGE.format("python train.py --config-name=large")}
    report = report_of(make_tree({**TREE, **pages}))
    assert "ascend/README.md:4 starts it" in started_by(report)
    assert needs_fused(report)


@pytest.mark.parametrize("name", ["champion/README.md", "AMDAHL.md", "INPUTS.md"])
def test_a_word_in_a_word_is_no_vendor(make_tree: MakeTree, name: str) -> None:
    pages = {
        name: PAGE.format("python train.py --config-name=large"),
        "zoo/README.md": PAGE.format("python train.py"),
    }
    assert f"{name}:4 starts it" in started_by(report_of(make_tree({**TREE, **pages})))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model:\n  kind: ${base.arch}\nbase:\n  arch: plain\n", False),
        ("model:\n  kind: ${base.arch}\nbase:\n  arch: fused\n", True),
        ("model:\n  kind: ${base.arch}\n", True),
        ("model:\n  kind: ${oc.select:base.arch,plain}\nbase:\n  arch: plain\n", False),
        ("model:\n  kind: ${oc.select:base.arch,fused}\nbase:\n  arch: plain\n", True),
        ("model:\n  kind: ${oc.select:base.arch,plain}\nbase:\n  arch: fused\n", True),
        ("model:\n  kind: ${oc.env:ARCH}\n", True),
        ("model:\n  kind: ${base.arch}-${base.size}\nbase:\n  arch: plain\n  size: big\n", True),
        ("model:\n  kind: ???\n", True),
    ],
)
def test_a_value_that_another_setting_has(make_tree: MakeTree, text: str, expected: bool) -> None:
    pages = {"README.md": PAGE.format("python train.py"), "conf/train.yaml": text}
    assert needs_fused(report_of(make_tree({**TREE, **pages}))) is expected


def test_what_somebody_must_say_is_told_by_the_file_that_does(make_tree: MakeTree) -> None:
    files = {
        "README.md": PAGE.format("python train.py"),
        "conf/train.yaml": "defaults:\n  - model: base\n  - _self_\nmodel:\n  kind: plain\n",
        "conf/model/base.yaml": "kind: ???\n",
    }
    assert not needs_fused(report_of(make_tree({**TREE, **files})))
