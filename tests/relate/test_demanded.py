"""Optional imports that the main run needs: a file of settings says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
TRAIN = """
    import argparse
    import torch
    import yaml
    from model import Net

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--config")
        args = parser.parse_args()
        with open(args.config) as file:
            cfg = yaml.safe_load(file)
        loss = Net(cfg["fused_conv"])(torch.zeros(2)).sum()
        loss.backward()

    if __name__ == "__main__":
        main()
"""
MODEL = """
    from torch import nn
    try:
        from ops import slow_conv, fast_conv
    except ImportError:
        fast_conv = None

    class Net(nn.Module):
        def __init__(self, fused_conv=False):
            super().__init__()
            self.fused_conv = fused_conv

        def forward(self, x):
            if {test}:
                return fast_conv(x)
            return x * 2
"""
OPS = """
    import torch

    def slow_conv(x):
        return x

    def fast_conv(x):
        torch.cuda.synchronize()
        return x
"""


@pytest.mark.parametrize(
    ("test", "value", "way", "setting"),
    [
        ("self.fused_conv", "true", "none", ""),
        ("self.fused_conv", "false", "import-guarded", "fused_conv"),
        ("self.fused_conv and fast_conv is not None", "true", "import-guarded", ""),
        ("fast_conv is not None", "true", "import-guarded", ""),
        ("not self.fused_conv", "true", "import-guarded", "fused_conv"),
    ],
)
def test_an_option_that_is_on_needs_what_it_uses(
    make_tree: MakeTree, test: str, value: str, way: str, setting: str
) -> None:
    files = {
        "README.md": "```sh\npython train.py --config run.yaml\n```\n",
        "run.yaml": f"fused_conv: {value}\n",
        "train.py": TRAIN,
        "model.py": MODEL.format(test=test),
        "ops.py": OPS,
    }
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in files.items()})
    report = report_of(root)
    (chain,) = [each for each in report.chains if each.path == "ops.py"]
    (finding,) = [each for each in report.findings if each.path == "ops.py"]
    proof = finding.guard_by
    assert (chain.guard, proof.setting if proof else "") == (way, setting)
