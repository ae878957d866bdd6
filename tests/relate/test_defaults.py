"""Whole trees with a config of defaults that files, commands and code change before it is used.

What nothing changes is off; each way to change it must leave the fused kernel needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

SETTINGS = """
    import os
    from yacs.config import CfgNode as CN

    _C = CN()
    _C.MODEL = CN()
    _C.MODEL.NAME = "small"
    _C.MODEL.FUSED_ATTENTION = False
    _C.MODEL.ATTENTION = CN()
    _C.MODEL.ATTENTION.NAME = "plain"

    def update(config, args):
        def given(name):
            if hasattr(args, name) and eval(f"args.{name}"):
                return True
            return False

        config.defrost()
        config.merge_from_file(args.cfg)
        if args.opts:
            config.merge_from_list(args.opts)
        if given("fused_attention"):
            config.MODEL.FUSED_ATTENTION = True
        if given("attention"):
            config.MODEL.ATTENTION.NAME = args.attention
        config.freeze()

    def make(args):
        config = _C.clone()
        update(config, args)
        return config
    """
NET = """
    import torch
    from flash_attn import flash_attn_func

    class Attention(torch.nn.Module):
        def __init__(self, fused_attention=False):
            super().__init__()
            self.fused_attention = fused_attention

        def forward(self, x):
            if self.fused_attention:
                return flash_attn_func(x, x, x)
            return x

    def build(config):
        return Attention(fused_attention=config.MODEL.FUSED_ATTENTION)
    """
BY_NAME = """
    import torch
    from flash_attn import flash_attn_func

    def plain(x):
        return x

    def build(config):
        kind = config.MODEL.ATTENTION.NAME.lower()
        if kind == "plain":
            return plain
        elif kind == "flash":
            return lambda x: flash_attn_func(x, x, x)
    """
TRAIN = """
    import argparse
    import torch
    from net import build
    from settings import make

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--cfg")
        parser.add_argument("--opts", nargs="+", default=None)
        parser.add_argument("--fused_attention", action="store_true")
        parser.add_argument("--attention")
        config = make(parser.parse_args())
        build(config)(torch.zeros(3, 8)).sum().backward()

    if __name__ == "__main__":
        main()
    """
TREE = {
    "settings.py": SETTINGS,
    "net.py": NET,
    "train.py": TRAIN,
    "configs/base.yaml": "MODEL:\n  NAME: large\n",
    "README.md": "```sh\npython train.py --cfg configs/base.yaml\n```\n",
}
GIVEN = 'if hasattr(args, name) and eval(f"args.{name}"):\n                return True'


def settings(old: str, new: str) -> dict[str, str]:
    """The settings with another line."""
    assert old in SETTINGS
    return {"settings.py": SETTINGS.replace(old, new)}


def given(body: str) -> dict[str, str]:
    """The settings with another way to find out what is given."""
    old = f"{GIVEN}\n            return False"
    return settings(old, body.replace("\n", "\n            "))


def frozen(*lines: str) -> dict[str, str]:
    """The settings with more lines at the end."""
    return settings("config.freeze()", "\n        ".join((*lines, "config.freeze()")))


def command(words: str) -> dict[str, str]:
    return {"README.md": f"```sh\npython train.py --cfg configs/base.yaml {words}\n```\n"}


def net(old: str, new: str) -> dict[str, str]:
    assert old in NET
    return {"net.py": NET.replace(old, new)}


OFF: Mapping[str, Mapping[str, str]] = {
    "nobody gives it": {},
    "nobody sets the variable": frozen(
        'if os.environ.get("FUSED"):', "    config.MODEL.FUSED_ATTENTION = True"
    ),
    "the config says so": {"configs/base.yaml": "MODEL:\n  FUSED_ATTENTION: false\n"},
    "by getattr": given("return getattr(args, name, None)"),
    "by getattr in a condition": given(
        "if not getattr(args, name, False):\n    return False\nreturn True"
    ),
    "by a dictionary": given("return bool(vars(args).get(name)) and True"),
    "by another dictionary": given("return vars(args)[name]"),
    "in a circle": frozen("if config.MODEL.FUSED_ATTENTION:", "    args.fused_attention = True"),
    "in a circle of itself": frozen(
        "if config.MODEL.FUSED_ATTENTION:", "    config.MODEL.FUSED_ATTENTION = os.cpu_count() > 8"
    ),
    "by the object": net("fused_attention=False", "config=None")
    | net("fused_attention=False", "config")
    | {
        "net.py": NET.replace("fused_attention=False", "config")
        .replace("= fused_attention", "= config.MODEL.FUSED_ATTENTION")
        .replace("fused_attention=config.MODEL.FUSED_ATTENTION", "config"),
    },
    "by a variable": net(
        "return Attention(fused_attention=config.MODEL.FUSED_ATTENTION)",
        "fast = config.MODEL.FUSED_ATTENTION\n        return Attention(fused_attention=fast)",
    ),
}
ON: Mapping[str, Mapping[str, str]] = {
    # by who starts it
    "by the config": {"configs/base.yaml": "MODEL:\n  FUSED_ATTENTION: true\n"},
    "by the flag": command("--fused_attention"),
    "by the list of options": command("--opts MODEL.FUSED_ATTENTION True"),
    "by the environment": {
        **frozen('if os.environ.get("FUSED"):', "    config.MODEL.FUSED_ATTENTION = True"),
        "README.md": "```sh\nFUSED=1 python train.py --cfg configs/base.yaml\n```\n",
    },
    "by a script that adds words": command("$FLAGS"),
    "by an unknown config": {"README.md": "```sh\npython train.py --cfg $CONFIG\n```\n"},
    # in code
    "by code": frozen("config.MODEL.FUSED_ATTENTION = True"),
    "by code that thaws it": {
        "train.py": TRAIN.replace(
            "build(config)",
            "config.defrost()\n        config.MODEL.FUSED_ATTENTION = True\n        build(config)",
        )
    },
    "by merging a list": frozen('config.merge_from_list(["MODEL.FUSED_ATTENTION", True])'),
    "by another flag": frozen("if not given('attention'):", "    config.MODEL.FUSED_ATTENTION = 1"),
    "by a part": frozen("part = config.MODEL", "part.FUSED_ATTENTION = True"),
    "by name": frozen('setattr(config.MODEL, "FUSED_ATTENTION", True)'),
    "by a key": frozen('config.MODEL["FUSED_ATTENTION"] = True'),
    "by its default": settings("FUSED_ATTENTION = False", "FUSED_ATTENTION = True"),
    "by another setting's default": net("config.MODEL.FUSED_ATTENTION", "config.MODEL.NAME"),
    "by what is computed": net("config.MODEL.FUSED_ATTENTION", "not config.MODEL.FUSED_ATTENTION"),
    "by one of two": net(
        "config.MODEL.FUSED_ATTENTION", "config.MODEL.FUSED_ATTENTION or torch.rand(1) > 0"
    ),
    "by place": net("fused_attention=config.MODEL.FUSED_ATTENTION", "True"),
    "by a lookup": net("config.MODEL.FUSED_ATTENTION", 'config.get("FUSED_ATTENTION", True)'),
    "by a second call": net(
        "    def build(config):", "    def build(config):\n        return Attention(True)"
    ),
    # a circle with a way in
    "in a circle that code enters": frozen(
        "if config.MODEL.FUSED_ATTENTION:",
        "    args.fused_attention = True",
        "args.fused_attention = os.cpu_count() > 8",
    )
    | net("config.MODEL.FUSED_ATTENTION", "args.fused_attention"),
    "in a circle that the config enters": {
        **frozen("if config.MODEL.FUSED_ATTENTION:", "    args.fused_attention = True"),
        "configs/base.yaml": "MODEL:\n  FUSED_ATTENTION: true\n",
    },
    "in a circle that ends elsewhere": frozen(
        "if config.MODEL.FUSED_ATTENTION:",
        "    args.attention = 'flash'",
        "if not given('attention'):",
        "    config.MODEL.FUSED_ATTENTION = True",
    ),
    # by a function that finds out what is given
    "whatever is given": given("return True"),
    "if there is such an option": given("return hasattr(args, name)"),
    "unless it is given": given("return not getattr(args, name)"),
    "with another default": given("return getattr(args, name, True)"),
    "or something else": given("return getattr(args, name) or args.cfg"),
    "in one way of two": given("if args.cfg:\n    return True\nreturn getattr(args, name)"),
    "under another name": given('name = "cfg"\nreturn getattr(args, name)'),
    "under a longer name": given('name += "_set"\nreturn getattr(args, name)'),
    "of something else": given("return getattr(os, name)"),
    "by a generator": given("yield getattr(args, name)"),
    "by a text that is not its name": given('return eval(f"args.no_{name}")'),
    "by a decorated function": settings(
        "        def given(name):", "        @always\n        def given(name):"
    ),
    "by one of two functions": settings(
        "        config.defrost()",
        "        if args.cfg:\n            given = bool\n\n        config.defrost()",
    ),
}
NAMES_OFF: Mapping[str, Mapping[str, str]] = {
    "nobody gives it": {},
    "the command says so": command("--attention plain"),
    "in capitals": {"configs/base.yaml": "MODEL:\n  ATTENTION:\n    NAME: PLAIN\n"},
}
NAMES_ON: Mapping[str, Mapping[str, str]] = {
    "by the config": {"configs/base.yaml": "MODEL:\n  ATTENTION:\n    NAME: flash\n"},
    "in capitals": {"configs/base.yaml": "MODEL:\n  ATTENTION:\n    NAME: FLASH\n"},
    "by the flag": command("--attention flash"),
    "by the list of options": command("--opts MODEL.ATTENTION.NAME flash"),
    "by the flag's default": {
        "train.py": TRAIN.replace('"--attention"', '"--attention", default="flash"')
    },
    "by code": frozen('config.MODEL.ATTENTION.NAME = "flash"'),
    "by code that is not known": frozen("config.MODEL.ATTENTION.NAME = choose()"),
    "by the environment": frozen('config.MODEL.ATTENTION.NAME = os.environ["ATTENTION"]'),
    "by an argument of code": frozen("config.MODEL.ATTENTION.NAME = args.kind"),
}


def kernel(make_tree: MakeTree, files: Mapping[str, str]) -> Finding:
    """The use of the fast attention."""
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in {**TREE, **files}.items()})
    report = report_of(root)
    found = [item for item in report.findings if item.category == "fused-kernel-lib"]
    return next(item for item in found if item.scope)


@pytest.mark.parametrize("case", OFF)
def test_what_nothing_changes_is_off(make_tree: MakeTree, case: str) -> None:
    finding = kernel(make_tree, OFF[case])
    assert (finding.reach, finding.guard) == ("main", "guarded")
    assert finding.guard_by is not None
    assert finding.guard_by.setting.lower() == "fused_attention"


@pytest.mark.parametrize("case", ON)
def test_what_something_may_change_is_needed(make_tree: MakeTree, case: str) -> None:
    finding = kernel(make_tree, ON[case])
    assert (finding.reach, finding.guard) == ("main", "none"), finding.guard_by


@pytest.mark.parametrize("case", NAMES_OFF)
def test_a_word_that_no_value_is_is_off(make_tree: MakeTree, case: str) -> None:
    finding = kernel(make_tree, {"net.py": BY_NAME, **NAMES_OFF[case]})
    assert (finding.reach, finding.guard) == ("main", "guarded")


@pytest.mark.parametrize("case", NAMES_ON)
def test_a_word_that_a_value_may_be_is_needed(make_tree: MakeTree, case: str) -> None:
    finding = kernel(make_tree, {"net.py": BY_NAME, **NAMES_ON[case]})
    assert (finding.reach, finding.guard) == ("main", "none"), finding.guard_by
