"""Whole trees whose settings are fields of dataclasses that a library's parser makes by names.

Nobody sets the field: the fused kernel waits for it. Each way to set it must leave it needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

SETTINGS = """
    from dataclasses import dataclass, field
    from transformers import HfArgumentParser

    @dataclass
    class NetArguments:
        use_fused: bool = field(default=False, metadata={"help": "fused attention"})

    @dataclass
    class RunArguments:
        many_steps: int = field(default=3)

    _CLASSES = [NetArguments, RunArguments]

    def read():
        parser = HfArgumentParser(_CLASSES)
        return parser.parse_args_into_dataclasses()
    """
TRAIN = """
    import torch
    from settings import read

    def each(step, x):
        return step(x, True)

    def main():
        net_args, run_args = read()
        x = each(torch.nn.functional.relu, torch.zeros(3, 8, requires_grad=True))
        if net_args.use_fused:
            from flash_attn import flash_attn_func
            x = flash_attn_func(x, x, x)
        x.sum().backward()

    if __name__ == "__main__":
        main()
    """
TREE = {
    "settings.py": SETTINGS,
    "train.py": TRAIN,
    "README.md": "```sh\npython train.py --many_steps 5\n```\n",
}


def waits(make_tree: MakeTree, changed: Mapping[str, str]) -> set[str]:
    """The settings that flash-attn waits for on the main path, an empty one for nothing."""
    root = make_tree({path: dedent(text) for path, text in {**TREE, **changed}.items()})
    report = report_of(root)
    found = [each for each in report.findings if each.path == "train.py" and each.rule != "DEP050"]
    return {item.guard_by.setting if item.guard_by else "" for item in found}


def settings(old: str, new: str) -> dict[str, str]:
    assert old in SETTINGS
    return {"settings.py": SETTINGS.replace(old, new)}


LISTED = "_CLASSES = [NetArguments, RunArguments]"
PARSER = "parser = HfArgumentParser(_CLASSES)"
OTHER = """
    from {module}

    def more():
        {lines}
    """
UNSET = {
    "a list of the module": {},
    "a tuple": settings(LISTED, "_CLASSES = (NetArguments, RunArguments)"),
    "with its type": settings(LISTED, "_CLASSES: list = [NetArguments, RunArguments]"),
    "one of two": settings(
        LISTED, "if True:\n        " + LISTED + "\n    else:\n        _CLASSES = []"
    ),
    "given at once": settings("(_CLASSES)", "([NetArguments, RunArguments])"),
    "a single one": settings("(_CLASSES)", "(NetArguments)"),
    "by a keyword": settings("(_CLASSES)", "(dataclass_types=(NetArguments, RunArguments))"),
    "a variable": settings(
        PARSER, "classes = (NetArguments, RunArguments)\n        parser = HfArgumentParser(classes)"
    ),
    "another parser": {
        "settings.py": SETTINGS.replace("transformers", "trl").replace("HfArgument", "Trl")
    },
}
SET = {
    "made by place": settings(PARSER, "return NetArguments(True), None"),
    "gone through": settings(PARSER, "return [each(True) for each in _CLASSES]"),
    "an item": settings(PARSER, "return _CLASSES[0](True), None"),
    "handed to a function": settings(PARSER, "parser = made(_CLASSES)")
    | {"made.py": "def made(classes): return classes[0](True)"},
    "its own parser": {
        "settings.py": SETTINGS.replace("from transformers", "from own"),
        "own.py": "def HfArgumentParser(classes):\n    return classes[0](True)\n",
    },
    "another file's": {
        "train.py": TRAIN.replace(
            "def main",
            "def more():\n        from settings import _CLASSES\n"
            "        return [made(True) for made in _CLASSES]\n\n    def main",
        ).replace("net_args, run_args = read()", "net_args, run_args = more()"),
    },
    "as a member": {
        "train.py": TRAIN.replace("import torch", "import torch\n    import settings").replace(
            "read()\n", "settings._CLASSES[0](True), 3\n"
        ),
    },
    "one of two gone through": {
        "settings.py": SETTINGS.replace(
            LISTED, "if True:\n        " + LISTED + "\n    else:\n        _CLASSES = []"
        ).replace(PARSER, "return [each(True) for each in _CLASSES]")
    },
    "by its name": {
        "train.py": TRAIN.replace("import torch", "import torch\n    import settings").replace(
            "read()\n", 'getattr(settings, "_CLASSES")[0](True), 3\n'
        ),
    },
    "on the command line": {"README.md": "```sh\npython train.py --use_fused\n```\n"},
}


KINDS = """
    from enum import Enum

    class Attention(str, Enum):
        PLAIN = "plain"
        FUSED = "fused"
    """
WITH_KINDS = {
    "kinds.py": KINDS,
    "settings.py": SETTINGS.replace("use_fused: bool", "attention: Attention")
    .replace("False", "Attention.PLAIN")
    .replace("@dataclass", "from kinds import Attention\n\n    @dataclass", 1),
    "train.py": TRAIN.replace(
        "net_args.use_fused", "net_args.attention == Attention.FUSED"
    ).replace("import torch", "import torch\n    from kinds import Attention"),
}
OTHER_KINDS = {
    "another default": {"settings.py": WITH_KINDS["settings.py"].replace("PLAIN", "FUSED")},
    "on the command line": {"README.md": "```sh\npython train.py --attention fused\n```\n"},
    "a member that is not known": {"kinds.py": KINDS.replace('"plain"', "choose()")},
    "a member of no file": {
        "settings.py": WITH_KINDS["settings.py"].replace("from kinds", "from elsewhere")
    },
    "the same": {"kinds.py": KINDS.replace('"plain"', '"fused"')},
    "a member that somebody sets": {
        "train.py": WITH_KINDS["train.py"].replace(
            "net_args, run", 'Attention.PLAIN = "fused"\n        net_args, run'
        )
    },
    "a member that somebody sets to what is not known": {
        "train.py": WITH_KINDS["train.py"].replace(
            "net_args, run", "Attention.PLAIN = torch.load('kind')\n        net_args, run"
        )
    },
}


def test_a_default_is_a_member_of_an_enum(make_tree: MakeTree) -> None:
    assert waits(make_tree, WITH_KINDS) == {"attention"}


@pytest.mark.parametrize("case", OTHER_KINDS)
def test_a_member_that_may_be_another_is_needed(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, {**WITH_KINDS, **OTHER_KINDS[case]}) == {""}


@pytest.mark.parametrize("case", UNSET)
def test_a_field_that_a_parser_of_names_fills_waits_for_its_option(
    make_tree: MakeTree, case: str
) -> None:
    assert waits(make_tree, UNSET[case]) == {"use_fused"}


@pytest.mark.parametrize("case", SET)
def test_a_field_that_something_else_may_fill_is_needed(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, SET[case]) == {""}
