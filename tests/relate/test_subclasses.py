"""Classes that code has by way of those above them: whole trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

NETS = """
import torch
from flash_attn import flash_attn_func

class Base(torch.nn.Module):
{member}

class Plain(Base):
    def forward(self, x):
        return x

class Scan(Base):
    def forward(self, x):
        return flash_attn_func(x, x, x)

class Deep(Plain):
    def forward(self, x):
        return flash_attn_func(x, x, x, causal=True)
"""
TRAIN = """
import torch
import nets
from nets import Base, Plain
from nets import Base as B

{head}

def main():
    net = {made}
    net(torch.zeros(3, 8, requires_grad=True)).sum().backward()

if __name__ == "__main__":
    main()
"""
BELOW = "def below(kind):\n    return {*kind.__subclasses__(), *kind.__subclasses__()[0].mro()}"
MADE = """
class Made:
    kind = Base
    def pick(self):
        return self.kind.__subclasses__()[0]
"""
WAYS = {
    "itself": ("Base.__subclasses__()[0]()", "pass", ""),
    "under another name": ("B.__subclasses__()[0]()", "pass", ""),
    "of its module": ("nets.Base.__subclasses__()[0]()", "pass", ""),
    "by type": ("type.__subclasses__(Base)[0]()", "pass", ""),
    "a method of the class": (
        "Base.all()[0]()",
        "@classmethod\ndef all(cls):\n    return cls.__subclasses__()",
        "",
    ),
    "a method of an object": (
        "Base().all()[0]()",
        "def all(self):\n    return type(self).__subclasses__()",
        "",
    ),
    "the class of an object": (
        "Base().all()[0]()",
        "def all(self):\n    return self.__class__.__subclasses__()",
        "",
    ),
    "a function": ("list(below(Base))[0]()", "pass", BELOW),
    "a function that is given it": ("list(map(below, [Base]))[0]()", "pass", BELOW),
    "a variable": (
        "pick()()",
        "pass",
        "def pick():\n    k = Base\n    return k.__subclasses__()[0]",
    ),
    "an attribute": (
        "Made().pick()()",
        "pass",
        MADE,
    ),
}


def reaches(make_tree: MakeTree, made: str, member: str, head: str) -> set[str | None]:
    tree = {
        "nets.py": NETS.format(member=indent(member, "    ")),
        "train.py": TRAIN.format(made=made, head=head),
        "README.md": "```sh\npython train.py\n```\n",
    }
    found = [
        each for each in report_of(make_tree(tree)).findings if "flash_attn_func(" in each.snippet
    ]
    assert len(found) == 2
    return {each.reach for each in found}


@pytest.mark.parametrize("way", WAYS)
def test_classes_below_one_are_had_by_way_of_it(make_tree: MakeTree, way: str) -> None:
    assert reaches(make_tree, *WAYS[way]) == {"main"}


@pytest.mark.parametrize(
    ("made", "head"),
    [
        ("Plain()", ""),
        ("Plain()", "class Other: ...\n\nprint(Other.__subclasses__())"),
        ("Plain()", "import argparse\n\nprint(argparse.Action.__subclasses__())"),
    ],
)
def test_classes_below_one_that_nothing_asks_are_unreached(
    make_tree: MakeTree, made: str, head: str
) -> None:
    assert reaches(make_tree, made, "pass", head) == {"unreached"}
