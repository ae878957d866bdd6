"""Entries of tables in whole trees: off only where everything that asks for one is understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
NETS = (
    "import os\nimport torch\n\nclass Scan(torch.nn.Module):\n    def forward(self, x):\n"
    "        return torch.cuda.CUDAGraph()\n\nclass Plain(torch.nn.Module):\n"
    "    def forward(self, x):\n        return x\n\n"
    'MODELS = {\n    "scan": Scan,\n    "plain": Plain,\n}\n'
)

TRAIN = "import torch\nimport nets\n{}\nif __name__ == '__main__':\n    {}\n"
TRAIN += "    torch.ones(1).backward()\n"
BUILD = "def build(kind):\n    return MODELS[kind]()\n"
ASKED = "def build(cfg):\n    return MODELS[cfg.net_kind]()\n"
CONFIG = "net_kind: plain\nhead: plain\n"

CASES = {
    "a setting that is known": (ASKED, "", "nets.build(load())", True),
    "a written key elsewhere": (ASKED, "", 'nets.build(load()); nets.MODELS["scan"]()', False),
    "under another name elsewhere": (
        ASKED,
        "from nets import MODELS as T",
        'nets.build(load()); T["scan"]()',
        False,
    ),
    "all of it elsewhere": (
        ASKED,
        "from nets import MODELS",
        "nets.build(load()); [each() for each in MODELS.values()]",
        False,
    ),
    "given away elsewhere": (ASKED, "", "nets.build(load()); use(nets.MODELS)", False),
    "the environment": (
        'def build():\n    return MODELS[os.environ["X"]]()\n',
        "",
        "nets.build()",
        False,
    ),
    "a derived key": (
        "def build(cfg):\n    return MODELS[cfg.net_kind.lower()]()\n",
        "",
        "nets.build(load())",
        False,
    ),
    "its own keys": (
        "def build():\n    return [MODELS[each]() for each in sorted(MODELS)]\n",
        "",
        "nets.build()",
        False,
    ),
    "what a function is given": (BUILD, "", 'nets.build("plain")', True),
    "what else it is given": (BUILD, "", 'nets.build("plain"); nets.build(kind="scan")', False),
    "what it is given in a loop": (
        BUILD,
        "",
        'for each in ("plain", "scan"): nets.build(each)',
        False,
    ),
    "what it is given that is computed": (BUILD, "", 'nets.build("sc" + "an")', False),
    "what it is given in a list": (BUILD, "", 'nets.build(*["scan"])', False),
    "the function is handed on": (BUILD, "", 'use(nets.build, "scan")', False),
    "a default that a call does not take": (
        'def build(kind="plain"):\n    return MODELS[kind]()\n',
        "",
        'nets.build("scan")',
        False,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_entry_is_off_only_if_all_that_asks_is_known(make_tree: MakeTree, case: str) -> None:
    nets, imports, run, is_off = CASES[case]
    root = make_tree(
        {
            "README.md": "```sh\npython train.py configs/a.yaml\n```\n",
            "configs/a.yaml": CONFIG,
            "nets.py": NETS + nets,
            "train.py": TRAIN.format(imports, run),
        }
    )
    report = report_of(root)
    found = [each for each in report.findings if each.scope.startswith("Scan")]
    assert found
    assert {each.reach for each in found} == {"main"}
    assert {each.guard == "guarded" for each in found} == {is_off}


@pytest.mark.parametrize(("given", "is_off"), [("", True), ("use_flash=True", False)])
def test_what_one_entry_says_another_one_may_say_too(
    make_tree: MakeTree, given: str, is_off: bool
) -> None:
    """A value stands in the table once for each entry that has it."""
    nets = (
        "import torch\nfrom flash_attn import flash_attn_func\n\n\nclass Net:\n"
        "    def __init__(self, use_flash=False):\n        self.use_flash = use_flash\n\n"
        "    def run(self, x):\n        if self.use_flash:\n"
        "            flash_attn_func(x, x, x)\n\n"
        "NETS = {\n"
        '    "scan": lambda: Net(use_flash=True),\n'
        f'    "plain": lambda: Net({given}),\n'
        "}\n\n\ndef build(cfg):\n    return NETS[cfg.net_kind]()\n"
    )
    root = make_tree(
        {
            "README.md": "```sh\npython train.py configs/a.yaml\n```\n",
            "configs/a.yaml": CONFIG,
            "nets.py": nets,
            "train.py": TRAIN.format("", "nets.build(load()).run(1)"),
        }
    )
    report = report_of(root)
    (found,) = (each for each in report.findings if each.scope == "Net.run")
    assert (found.guard == "guarded") is is_off, found


DECORATED = """import torch

NETS = {}


def register(name):
    def wrap(net):
        NETS[name] = net
        return net

    return wrap


def build(cfg):
    return NETS[cfg.net_kind]()


@register("scan")
class Scan(torch.nn.Module):
    def forward(self, x):
        return torch.cuda.CUDAGraph()


@register("plain")
class Plain(torch.nn.Module):
    def forward(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("imports", "line", "is_off"),
    [
        ("", "", True),
        ("from nets import Scan", "", True),
        ("from nets import Scan", "Scan()", False),
        ("", "nets.Scan()", False),
        ("", "getattr(nets, 'Scan')()", False),
        ("", "class Own(nets.Scan): pass\n    Own()", False),
    ],
)
def test_a_class_in_a_table_may_be_used_without_it(
    make_tree: MakeTree, imports: str, line: str, is_off: bool
) -> None:
    root = make_tree(
        {
            "README.md": "```sh\npython train.py configs/a.yaml\n```\n",
            "configs/a.yaml": CONFIG,
            "nets.py": DECORATED,
            "train.py": TRAIN.format(imports, f"nets.build(load())\n    {line}"),
        }
    )
    found = [each for each in report_of(root).findings if each.scope.startswith("Scan")]
    assert found
    assert {each.guard == "guarded" for each in found} == {is_off}


@pytest.mark.parametrize("brought", ["from .nets import Scan, build", "from .nets import *"])
@pytest.mark.parametrize(
    ("line", "is_off"), [("", True), ("net.Scan()", False), ("net.build('Scanning')", True)]
)
def test_a_class_in_a_table_may_be_used_by_way_of_its_package(
    make_tree: MakeTree, brought: str, line: str, is_off: bool
) -> None:
    root = make_tree(
        {
            "README.md": "```sh\npython train.py configs/a.yaml\n```\n",
            "configs/a.yaml": CONFIG,
            "net/__init__.py": f"{brought}\n",
            "net/nets.py": DECORATED,
            "train.py": TRAIN.replace("import nets", "import net").format(
                "", f"net.build(load())\n    {line}"
            ),
        }
    )
    found = [each for each in report_of(root).findings if each.scope.startswith("Scan")]
    assert found
    assert {each.guard == "guarded" for each in found} == {is_off}
