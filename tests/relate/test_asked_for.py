"""A class that code only asks about, or names where something is one already, is not made there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

OPS = """
    import torch

    class Plain:
        class Config:
            def build(self):
                return Plain()

        def __call__(self, x):
            return x

    class Fused(Plain):
        class Config:
            size = 8

            def build(self):
                return Fused()

        def __call__(self, x):
            import flash_attn
            return flash_attn.flash_attn_func(x, x, x)

    def fused(size):
        return Fused.Config()
    """
TRAIN = """
    import torch
    from ops import Fused, Plain, fused

    def prepare(config):
        {asks}
        return config

    def main():
        config = prepare({made})
        config.build()(torch.zeros(3, 8)).sum().backward()

    if __name__ == "__main__":
        main()
    """
ASKS = {
    "only": "if isinstance(config, Fused.Config):\n            config.size = 9",
    "one of several": "if isinstance(config, (Plain, Fused.Config)):\n            config.size = 9",
    "to change it": "if isinstance(config, Fused.Config):\n            config = Fused.Config()",
    "unless it is none": (
        "if not isinstance(config, Fused.Config):\n            return config\n"
        "        config = Fused.Config()"
    ),
}
MADE = {
    "by a function": ("pass", "fused(8)"),
    "itself": ("pass", "Fused.Config()"),
    "of another thing": (
        "if not isinstance(config, Fused.Config):\n            config = Fused.Config()",
        "Plain.Config()",
    ),
    "where it may be another thing": (
        "if isinstance(config, (Plain.Config, Fused.Config)):\n            config = Fused.Config()",
        "Plain.Config()",
    ),
}


def reach(make_tree: MakeTree, asks: str, made: str) -> object:
    train = dedent(TRAIN).format(asks=dedent(asks).replace("\n    ", "\n"), made=made)
    files = {"ops.py": dedent(OPS), "train.py": train}
    return {item.reach for item in report_of(make_tree(files)).findings if item.rule == "FUS001"}


@pytest.mark.parametrize("asks", ASKS.values(), ids=ASKS)
def test_a_class_that_nothing_else_makes_is_not_reached(make_tree: MakeTree, asks: str) -> None:
    assert reach(make_tree, asks, "Plain.Config()") == {"unreached"}


@pytest.mark.parametrize(("asks", "made"), MADE.values(), ids=MADE)
def test_a_class_that_something_makes_is_reached(make_tree: MakeTree, asks: str, made: str) -> None:
    assert reach(make_tree, asks, made) == {"main"}
