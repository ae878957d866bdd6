"""Whole trees in which an element of a list-valued setting is asked: off if none is on.

Each way to switch one on, or to have something else there, must leave the fused kernel needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

DEFAULTS = """
    from yacs.config import CfgNode as CN

    _C = CN()
    _C.MODEL = CN()
    _C.MODEL.DEPTH = 4
    _C.MODEL.FUSED_ON_PER_STAGE = [False, False, False, False]
    """
NET = """
    import torch
    from flash_attn import flash_attn_func

    def fused(x):
        return flash_attn_func(x, x, x)

    def build(cfg, x):
        fused_on_per_stage = cfg.MODEL.FUSED_ON_PER_STAGE
        for idx in range(cfg.MODEL.DEPTH):
            if fused_on_per_stage[idx]:
                x = fused(x)
        return x
    """
TRAIN = """
    import argparse
    import torch
    from net import *
    from settings import _C

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--config-file")
        parser.add_argument("opts", nargs="*")
        args = parser.parse_args()
        cfg = _C.clone()
        cfg.merge_from_file(args.config_file)
        cfg.merge_from_list(args.opts)
        build(cfg, torch.zeros(3, 8)).sum().backward()

    if __name__ == "__main__":
        main()
    """
TREE = {
    "settings.py": DEFAULTS,
    "net.py": NET,
    "train.py": TRAIN,
    "configs/base.yaml": "MODEL:\n  DEPTH: 3\n",
    "README.md": "```sh\npython train.py --config-file configs/base.yaml\n```\n",
}
LIST = "[False, False, False, False]"
ASKED = "if fused_on_per_stage[idx]:"


def listed(new: str) -> dict[str, str]:
    """The defaults with another value of the list."""
    return {"settings.py": DEFAULTS.replace(LIST, new)}


def net(old: str, new: str) -> dict[str, str]:
    assert old in NET
    return {"net.py": NET.replace(old, new)}


def changed(line: str) -> dict[str, str]:
    """The program with another line before the model is built."""
    return {"train.py": TRAIN.replace("build(cfg, torch", f"{line}\n        build(cfg, torch")}


def config(text: str) -> dict[str, str]:
    return {"configs/base.yaml": f"MODEL:\n  FUSED_ON_PER_STAGE: {text}\n"}


def command(words: str) -> dict[str, str]:
    line = f"python train.py --config-file configs/base.yaml {words}"
    return {"README.md": f"```sh\n{line}\n```\n"}


TAKEN = """
    import torch
    from flash_attn import flash_attn_func

    class Net(torch.nn.Module):
        def __init__(self, stage_with_fused=(False, False)):
            super().__init__()
            self.stage_with_fused = stage_with_fused

        def forward(self, x):
            for i in range(2):
                if self.stage_with_fused[i]:
                    x = flash_attn_func(x, x, x)
            return x

    def build(cfg, x):
        return Net(stage_with_fused=cfg.MODEL.FUSED_ON_PER_STAGE)(x)
    """
OFF: dict[str, dict[str, str]] = {
    "by default": {},
    "a tuple": listed("(False, False)"),
    "of one": listed("[False]"),
    "so many times": listed("[False] * 4"),
    "none there": listed("[False, None]"),
    "by its number": net(ASKED, "if fused_on_per_stage[-1]:"),
    "of the config itself": net(ASKED, "if cfg.MODEL.FUSED_ON_PER_STAGE[idx]:"),
    "with another condition": net(ASKED, "if idx > 1 and fused_on_per_stage[idx]:"),
    "by code": changed("cfg.MODEL.FUSED_ON_PER_STAGE = [False]"),
    "another setting on the command line": command("MODEL.DEPTH 2"),
    "handed on": {"net.py": TAKEN},
}
ON: dict[str, dict[str, str]] = {
    "one by default": listed("[False, False, True]"),
    "not known": listed("[False, choose()]"),
    "with others unpacked": listed("[False, *MORE]"),
    "numbers": listed("[0, 0]"),
    "made elsewhere": listed("stages()"),
    "no list at all": listed("False"),
    "nothing": listed("None"),
    "by a file": config("[False, True]"),
    "on the command line": command('MODEL.FUSED_ON_PER_STAGE "[True,True]"'),
    "on the command line by its name": command("MODEL.FUSED_ON_PER_STAGE=[True]"),
    "one on the command line": command("--set model.fused_on_per_stage.1=True"),
    "by code": changed("cfg.MODEL.FUSED_ON_PER_STAGE = [True]"),
    "by code that is not known": changed("cfg.MODEL.FUSED_ON_PER_STAGE = choose(args)"),
    "one by code": changed("cfg.MODEL.FUSED_ON_PER_STAGE[1] = True"),
    "one by code at a place": changed("cfg.MODEL.FUSED_ON_PER_STAGE[args.at] = True"),
    "some by code": changed("cfg.MODEL.FUSED_ON_PER_STAGE[1:] = [True, True]"),
    "one by a variable": changed("stages = cfg.MODEL.FUSED_ON_PER_STAGE\n        stages[0] = True"),
    "one by who is handed it": changed("widen(stages=cfg.MODEL.FUSED_ON_PER_STAGE)")
    | {"net.py": NET + "\n    def widen(stages):\n        stages[0] = True\n"},
    "one by who is handed it by place": changed("widen(cfg.MODEL.FUSED_ON_PER_STAGE)")
    | {"net.py": NET + "\n    def widen(stages):\n        stages[0] = True\n"},
    "one by who is handed a variable": changed("s = cfg.MODEL.FUSED_ON_PER_STAGE\n        widen(s)")
    | {"net.py": NET + "\n    def widen(stages):\n        stages.append(True)\n"},
    "one by who has what it stands in": changed("widen(cfg.MODEL)")
    | {"net.py": NET + "\n    def widen(m):\n        m.FUSED_ON_PER_STAGE[0] = True\n"},
    "one in its place": changed("cfg.MODEL.FUSED_ON_PER_STAGE[0] |= True"),
    "appended": changed("cfg.MODEL.FUSED_ON_PER_STAGE.append(True)"),
    "appended where it gets a name": changed("(s := cfg.MODEL.FUSED_ON_PER_STAGE).append(True)"),
    "set where it gets a name": changed("(s := cfg.MODEL.FUSED_ON_PER_STAGE)[0] = True"),
    "appended to one of several": changed(
        "for s in (cfg.MODEL.FUSED_ON_PER_STAGE,): s.append(True)"
    ),
    "appended to one or another": changed(
        "s = cfg.MODEL.FUSED_ON_PER_STAGE if args else cfg.MODEL.OTHER; s.append(True)"
    ),
    "set in one of several": changed("for s in [cfg.MODEL.FUSED_ON_PER_STAGE]: s[0] = True"),
    "pushed by a library": changed("heapq.heappush(cfg.MODEL.FUSED_ON_PER_STAGE, True)"),
    "more added": changed("cfg.MODEL.FUSED_ON_PER_STAGE += [True]"),
    "the list itself": net(ASKED, "if fused_on_per_stage:"),
    "a part": net(ASKED, "if fused_on_per_stage[:idx]:"),
    "not": net(ASKED, "if not fused_on_per_stage[idx]:"),
    "any, written otherwise": net(ASKED, "if len(fused_on_per_stage) > idx:"),
    "handed on, one on": {"net.py": TAKEN, **listed("[True, False]")},
    "a list that is changed before": {
        "net.py": TAKEN.replace(
            "return Net(stage_with_fused=cfg.MODEL.FUSED_ON_PER_STAGE)",
            "stages = [False] * 2\n        stages[1] = True\n"
            "        return Net(stage_with_fused=stages)",
        )
    },
    "handed on by place": {
        "net.py": TAKEN.replace("stage_with_fused=cfg.MODEL.FUSED_ON_PER_STAGE", "choose(cfg)")
    },
}


def kernel(make_tree: MakeTree, files: Mapping[str, str]) -> Finding:
    """The use of the fast attention."""
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in {**TREE, **files}.items()})
    found = [item for item in report_of(root).findings if item.category == "fused-kernel-lib"]
    return next(item for item in found if item.scope)


@pytest.mark.parametrize("case", OFF)
def test_an_element_of_a_list_that_has_none_on_is_off(make_tree: MakeTree, case: str) -> None:
    finding = kernel(make_tree, OFF[case])
    assert (finding.reach, finding.guard) == ("main", "guarded")


@pytest.mark.parametrize("case", ON)
def test_an_element_that_may_be_on_is_needed(make_tree: MakeTree, case: str) -> None:
    finding = kernel(make_tree, ON[case])
    assert (finding.reach, finding.guard) == ("main", "none"), finding.guard_by
