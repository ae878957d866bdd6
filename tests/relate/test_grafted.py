"""Imports that begin above the tree, as it lies within another one where it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

RUN = """from net.config import settings
from {above}.tools.train_net import train


def main():
    cfg = settings()
    if cfg.TRAIN:
        train(cfg)


if __name__ == "__main__":
    main()
"""
TRAIN = """import torch
from net.model import Net


def train(cfg):
    net = Net(cfg)
    torch.cuda.synchronize()
    net(torch.zeros(3)).sum().backward()
"""
MODEL = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg

    def forward(self, x):
        if self.cfg.FUSED:
            torch.cuda.synchronize()
        return x
"""
CONFIG = """from fvcore.common.config import CfgNode

_C = CfgNode()
_C.TRAIN = True
_C.FUSED = False


def settings():
    return _C.clone()
"""


def tree(above: str, **files: str) -> dict[str, str]:
    return {
        "README.md": "```\npython tools/run_net.py\n```\n",
        "tools/run_net.py": RUN.format(above=above),
        "tools/train_net.py": TRAIN,
        "net/__init__.py": "",
        "net/model.py": MODEL,
        "net/config.py": CONFIG,
        **files,
    }


def reached(root: Path) -> dict[str, tuple[str | None, str]]:
    """What reaches each file, and the setting that its code waits for."""
    return {
        item.path: (item.reach, item.guard_by.setting if item.guard_by else "")
        for item in report_of(root).findings
        if item.rule.startswith("DEV")
    }


@pytest.mark.parametrize("above", ["vision.fair.net", "company.net"])
def test_what_stands_behind_the_package_of_the_tree_is_the_tree(
    make_tree: MakeTree, above: str
) -> None:
    root = make_tree(tree(above))
    found = reached(root)
    assert found["tools/train_net.py"] == ("main", "")
    assert found["net/model.py"] == ("main", "FUSED")
    main = [each for each in report_of(root).score.entry_points if each.main]
    assert [each.path for each in main] == ["tools/run_net.py"]


@pytest.mark.parametrize(
    "above",
    [
        "vision.fair.other",  # no package of the tree
        "apex.net",  # a library
        "torch.net",
    ],
)
def test_what_stands_behind_another_name_is_not(make_tree: MakeTree, above: str) -> None:
    files = tree(above, **{"tools/train.py": "from tools.other import go\n"})
    assert [e.path for e in report_of(make_tree(files)).score.entry_points if e.main] != [
        "tools/run_net.py"
    ]


@pytest.mark.parametrize("name", ["detectron2.net.layers", "detectron2.net.layers.Conv"])
def test_one_name_behind_it_is_no_sign(make_tree: MakeTree, name: str) -> None:
    outer, _, last = name.rpartition(".")
    files = {
        "README.md": "```\npython train.py\n```\n",
        "train.py": f"import torch\nfrom {outer} import {last}\nfrom net.model import Net\n"
        "if __name__ == '__main__':\n    Net(3)(torch.zeros(3)).sum().backward()\n",
        "layers.py": "import torch\ntorch.cuda.synchronize()\n",
        "net/__init__.py": "",
        "net/model.py": MODEL,
    }
    assert reached(make_tree(files))["layers.py"][0] == "unreached"
