"""A path that begins with a dot, in code that is off, is no word for what runs as a module does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
    import argparse
    import json
    import torch
    import ops

    torch.cuda.synchronize()

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--special", action="store_true")
        args = parser.parse_args()
        x = ops.scale(torch.ones(3, requires_grad=True))
        if args.special:
            x = ops.hidden(x)
            json.dump(x.tolist(), open("./special.json", "w"))
        x.sum().backward()

    if __name__ == "__main__":
        main()
    """
OPS = """
    import torch

    torch.cuda.synchronize()

    def scale(x):
        return x * 2

    def hidden(x):
        torch.cuda.empty_cache()
        return x
    """


def test_what_runs_with_a_module_waits_for_no_path(make_tree: MakeTree) -> None:
    root = make_tree({"train.py": dedent(TRAIN), "ops.py": dedent(OPS)})
    found = report_of(root).findings
    guards = {each.guard for each in found if each.anchor == "torch.cuda.synchronize"}
    assert guards == {"none"}
    (called,) = (each for each in found if each.anchor == "torch.cuda.empty_cache")
    assert called.guard == "guarded"
    assert called.guard_by
    assert called.guard_by.setting == "special"
