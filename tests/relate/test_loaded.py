"""Objects that a library makes of a file (`AutoConfig.from_pretrained`), and what they reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """\
import argparse
from models import build
from others import *
from transformers import AutoConfig

def train(args):
    config = AutoConfig.from_pretrained(args.name)
{made}
    model(1).sum().backward()

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    parser.add_argument("--fused_attn", action="store_true")
    train(parser.parse_args())
"""
MODELS = """\
import torch
from flash_attn import flash_attn_func

def build(name, fused_attn=False, config=None):
    if fused_attn:
        return flash_attn_func(name)
    return torch.nn.Linear(3, 3)
"""
BUILT = "model = build(args.name, fused_attn=args.fused_attn)"


def waits(make_tree: MakeTree, made: str, others: str = "", train: str = TRAIN) -> str:
    """The setting that flash-attn waits for on the main path, an empty one for nothing."""
    root = make_tree(
        {
            "train.py": train.replace("{made}", indent(made, "    ")),
            "models.py": MODELS,
            "others.py": others,
            "README.md": "```sh\npython train.py --name a\n```\n",
        }
    )
    (found,) = [each for each in report_of(root).findings if "flash_attn_func(" in each.snippet]
    assert found.reach == "main"
    return found.guard_by.setting if found.guard_by else ""


OTHERWISE = {
    "made": BUILT,
    "asked for something else": f"{BUILT}\nprint(config.hidden_size, config.max_length)",
    "looked at": f'{BUILT}\nif hasattr(config, "vision_config"): print(1)',
    "handed on": "model = build(args.name, fused_attn=args.fused_attn, config=config)",
    "told by names": f"{BUILT}\nd = config.to_dict()\nif 'layers' in d: print(d['layers'])",
}


@pytest.mark.parametrize("made", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_an_object_of_a_library_gives_what_it_is_asked_for(make_tree: MakeTree, made: str) -> None:
    assert waits(make_tree, made) == "fused_attn"


GIVEN = {
    "attribute": "model = build(args.name, fused_attn=config.fused_attn)",
    "asked": 'model = build(args.name, fused_attn=getattr(config, "fused_attn", False))',
    "by a name that nobody sees": "model = build(args.name, getattr(config, args.name))",
    "unpacked": "model = build(args.name, **config.to_dict())",
    "unpacked later": "said = config.to_dict()\nmodel = build(args.name, **said)",
    "its variables": "model = build(args.name, **vars(config))",
    "its dict": "args.__dict__.update(config.__dict__)\n" + BUILT,
    "under another name": "args = config\n" + BUILT,
    "as the namespace": "args = AutoConfig.from_pretrained(args.name)\n" + BUILT,
}


@pytest.mark.parametrize("made", GIVEN.values(), ids=GIVEN.keys())
def test_an_object_of_a_library_may_give_what_it_has(make_tree: MakeTree, made: str) -> None:
    assert waits(make_tree, made) == ""


ELSEWHERE = {
    "of an object": "def made(c):\n    return build(c.name, fused_attn=c.fused_attn)\n",
    "of a namespace": "def made(args):\n    return build(args.name, fused_attn=args.fused_attn)\n",
    "in a base": (
        "class Base:\n"
        "    def __init__(self, args):\n"
        "        self.net = build(args.name, fused_attn=args.fused_attn)\n"
        "class Made(Base):\n"
        "    def __init__(self, config):\n"
        "        super().__init__(config)\n"
        "def made(config):\n"
        "    return Made(config).net\n"
    ),
}


@pytest.mark.parametrize("others", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_another_file_may_ask_such_an_object(make_tree: MakeTree, others: str) -> None:
    others = f"from models import build\n\n{others}"
    assert waits(make_tree, "model = made(config)", others) == ""


def test_a_function_may_call_such_an_object_as_a_namespace(make_tree: MakeTree) -> None:
    train = TRAIN.replace(
        "def train(",
        "def made(args):\n    return build(args.name, fused_attn=args.fused_attn)\n\ndef train(",
    )
    assert waits(make_tree, "model = made(config)", train=train) == ""


def test_a_class_of_the_tree_may_read_a_file_into_anything(make_tree: MakeTree) -> None:
    others = (
        "class AutoConfig:\n"
        "    @classmethod\n"
        "    def from_pretrained(cls, name):\n"
        "        return cls()\n"
    )
    train = TRAIN.replace("from transformers import AutoConfig\n", "")
    assert waits(make_tree, BUILT, others, train) == ""
