"""Whole trees with two classes of one name: who means the one does not mean the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

PLAIN = """
    import torch

    class Block(torch.nn.Module):
        def forward(self, x):
            return x

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Block()

        def forward(self, x):
            return self.block(x)
    """
FUSED = """
    import torch
    from flash_attn import flash_attn_func

    class Block(torch.nn.Module):
        def forward(self, x):
            return flash_attn_func(x, x, x)

    class FusedNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Block()

        def forward(self, x):
            return self.block(x)
    """
TRAIN = """
    import torch
    from nets import fused, plain

    def main():
        model = plain.Net()
        model(torch.zeros(3, 8)).sum().backward()

    if __name__ == "__main__":
        main()
    """
NETS = {"nets/__init__.py": "", "nets/plain.py": PLAIN, "nets/fused.py": FUSED, "train.py": TRAIN}


def made(what: str, head: str = "") -> dict[str, str]:
    """A program that makes its model otherwise."""
    text = TRAIN.replace("plain.Net()", what)
    return {"train.py": text.replace("    def main", f"    {head}\n\n    def main")}


def plain(old: str, new: str) -> dict[str, str]:
    """The plain module with another line."""
    assert old in PLAIN
    return {"nets/plain.py": PLAIN.replace(old, new)}


def fused(lines: str) -> dict[str, str]:
    """The fused module with more lines."""
    return {"nets/fused.py": dedent(FUSED) + dedent(lines)}


APART: Mapping[str, Mapping[str, str]] = {
    "each means its own": {},
    "one lists its own": plain("import torch", 'import torch\n\n    __all__ = ["Block", "Net"]'),
    "in an annotation": plain(
        "def forward(self, x):\n            return self",
        "x: Block = None\n\n        def forward(self, x: Block):\n            return self",
    ),
    "a function of the same name": {
        "nets/plain.py": PLAIN.replace(
            "class Block(torch.nn.Module):\n        def forward(self, x):\n            return x",
            "def Block():\n        return torch.nn.Identity()",
        ),
    },
}
MEANT: Mapping[str, Mapping[str, str]] = {
    "by its module": made("fused.Block()"),
    "by its net": made("fused.FusedNet()"),
    "brought in": made("Block()", "from nets.fused import Block"),
    "under another name": made("B()", "from nets.fused import Block as B"),
    "with a star": made("Block()", "from nets.fused import *"),
    "with a star behind its own": plain(
        "    class Net(", "    from nets.fused import *\n\n    class Net("
    ),
    "handed on by the package": {
        "nets/__init__.py": "from nets.fused import Block\n",
        **made("nets.Block()", "import nets"),
    },
    "handed on with a star": {
        "nets/__init__.py": "from .fused import *\n",
        **made("Block()", "from nets import Block"),
    },
    "by getattr": made('getattr(fused, "Block")()'),
    "by getattr with any name": made("getattr(fused, input())()"),
    "by getattr with a part of it": made('getattr(fused, "Blo" + input())()'),
    "by its globals": {
        **fused("def make(name):\n    return globals()[name]()\n"),
        **made("fused.make(input())"),
    },
    "by vars": made("vars(fused)[input()]()"),
    "by eval": {
        **fused("def make(name):\n    return eval(name)()\n"),
        **made("fused.make(input())"),
    },
    "by all of its globals": {
        **fused("def make():\n    return [each() for each in globals().values()]\n"),
        **made("fused.make()[0]"),
    },
    "by its members": made("inspect.getmembers(fused)[0][1]()", "import inspect"),
    "by its dictionary": made('fused.__dict__["Block"]()'),
    "by the module's own name": {
        **fused(
            "import sys\n\ndef make(name):\n    return getattr(sys.modules[__name__], name)()\n"
        ),
        **made("fused.make(input())"),
    },
    "by importlib": made(
        'getattr(importlib.import_module("nets.fused"), input())()', "import importlib"
    ),
    "by code in a text": made('eval("fused.Block()")'),
    "by a partial of it": made("partial(fused.Block)()", "from functools import partial"),
    "by a mixed class": made("Both()", "class Both(plain.Net, fused.Block):\n        pass"),
    "by a metaclass": {
        **fused(
            "class Kept(type):\n    known = {}\n\n    def __new__(cls, *given):\n"
            "        made = super().__new__(cls, *given)\n"
            "        cls.known[made.__name__] = made\n        return made\n\n"
            "class Fast(Block, metaclass=Kept):\n    pass\n"
        ),
        **made("fused.Kept.known[input()]()"),
    },
    "by a string": made('build("Block")', "from registry import build"),
    "by a registry": {
        "registry.py": """
            NETS = {}

            def register(cls):
                NETS[cls.__name__] = cls
                return cls
            """,
        "nets/fused.py": FUSED.replace(
            "import torch\n",
            "import torch\n    from registry import *\n",
        ).replace("    class Block", "    @register\n    class Block"),
        **made("NETS[input()]()", "from registry import NETS"),
    },
    "by a subclass": made("Fast()", "class Fast(fused.Block):\n        pass"),
    "by a subclass of its own": {
        **fused("class Fast(Block):\n    pass\n"),
        **made("fused.Fast()"),
    },
    "by a list of subclasses": {
        "nets/base.py": "import torch\n\nclass Base(torch.nn.Module):\n    pass\n",
        "nets/fused.py": FUSED.replace(
            "    class Block(torch.nn.Module)",
            "    from nets.base import Base\n\n    class Block(Base)",
        ),
        **made("Base.__subclasses__()[0]()", "from nets.base import Base"),
    },
    "put into the other module": made("plain.Net()", "plain.Block = fused.Block"),
    "put there by its own module": {**fused("import nets.plain\nnets.plain.Block = Block\n")},
    "put there by name": {
        **fused('from nets import plain\nsetattr(plain, "Block", Block)\n'),
    },
    "put there by a class's name": {
        **fused(
            "from nets import plain\nfor each in [Block]:\n"
            "    setattr(plain, each.__name__, each)\n"
        ),
    },
    "put there with all the rest": made("plain.Net()", "vars(plain).update(vars(fused))"),
    "in one way of several": plain(
        "    class Block(torch.nn.Module):\n        def forward(self, x):\n            return x",
        "    try:\n        from nets.fused import Block\n    except ImportError:\n"
        "        class Block(torch.nn.Module):\n            pass",
    ),
    "in a function": plain(
        "self.block = Block()", "from nets.fused import Block\n            self.block = Block()"
    ),
    "in one function": {
        "nets/plain.py": dedent(PLAIN) + "\ndef fast():\n    from nets.fused import Block\n"
        "    return Block()\n",
        **made("plain.fast()"),
    },
    "given another value": plain("    class Net(", "    Block = fused.Block\n\n    class Net("),
    "by a global name": {
        "nets/plain.py": dedent(PLAIN) + "\ndef choose(module):\n    global Block\n"
        "    Block = module.Block\n",
        **made("plain.Net()", "plain.choose(fused)"),
    },
    "as an argument": {
        "nets/plain.py": PLAIN.replace("def __init__(self)", "def __init__(self, Block=Block)"),
        **made("plain.Net(Block=fused.Block)"),
    },
    "by a config": {
        **made("hydra.utils.instantiate(cfg)", "import hydra"),
        "configs/base.yaml": "model:\n  _target_: nets.fused.Block\n",
        "README.md": "```sh\npython train.py --config configs/base.yaml\n```\n",
    },
    "by the command": {
        "README.md": "```sh\npython train.py --net nets.fused.Block\n```\n",
    },
}


def used(make_tree: MakeTree, files: Mapping[str, str]) -> Finding:
    """The call of the fused kernel."""
    sources = {**NETS, **files}
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in sources.items()})
    report = report_of(root)
    found = [item for item in report.findings if item.category == "fused-kernel-lib"]
    return next(item for item in found if item.scope.startswith("Block"))


@pytest.mark.parametrize("case", APART)
def test_a_name_of_a_file_keeps_nothing_of_another_one(make_tree: MakeTree, case: str) -> None:
    assert used(make_tree, APART[case]).reach == "unreached"


@pytest.mark.parametrize("case", MEANT)
def test_what_may_mean_a_class_keeps_it(make_tree: MakeTree, case: str) -> None:
    finding = used(make_tree, MEANT[case])
    assert (finding.reach, finding.guard) == ("main", "none")
