"""Data whose names nobody sees, and options that only a parser of the command line knows: trees.

What such data is read into is a dict: options of the parser are attributes of its namespace. So
only what puts a dict into one opens them, and what may be given by its key stays open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent, indent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
import argparse
import copy
import json
import os
import sys
from types import SimpleNamespace

import torch
import transformers
import yaml
from easydict import EasyDict
from flash_attn import flash_attn_func

{head}

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    parser.add_argument("--extra", nargs="*")
    parser.add_argument("--use_fused", action="store_true")
    args = parser.parse_args()
{made}
    x = torch.zeros(3, 8, requires_grad=True)
    if args.use_fused:
        x = flash_attn_func(x, x, x)
    x.sum().backward()

if __name__ == "__main__":
    main()
"""
LOADED = "config = json.load(open(args.config))\n"
FILLED = "kwargs = {}\nfor each in args.extra:\n    k, v = each.split('=')\n    kwargs[k] = v\n"


def waits(make_tree: MakeTree, made: str, head: str = "", **files: str) -> set[str]:
    """The settings that flash-attn waits for on the main path, an empty one for nothing."""
    body = indent(dedent(made).strip("\n"), "    ")
    text = TRAIN.format(head=dedent(head).strip("\n"), made=body)
    tree = {
        "train.py": text,
        "README.md": "```sh\npython train.py\n```\n",
        **{f"{name}.py": dedent(other) for name, other in files.items()},
    }
    found = [
        each for each in report_of(make_tree(tree)).findings if "flash_attn_func(" in each.snippet
    ]
    assert {each.reach for each in found} == {"main"}
    return {item.guard_by.setting if item.guard_by else "" for item in found}


ELSEWHERE = {
    "keys of a dict": FILLED + "print(torch.nn.Linear(8, 8, **kwargs))",
    "keys of a dict, a written value": FILLED.replace("= v", "= True") + "print(kwargs)",
    "put into a dict": "kwargs = dict(steps=4)\nkwargs.update(json.load(open(args.config)))",
    "made names": 'opts = {}\nfor k in args.extra:\n    opts.update({f"a_{k}": 1})',
    "json": LOADED + "print(config)",
    "yaml": "config = yaml.safe_load(open(args.config))\nprint(config['steps'])",
    "handed to a function": LOADED + "build(config)",
    "of a library's class": "config = transformers.LlamaConfig.from_pretrained(args.config)",
    "a namespace of the same": LOADED + "args = argparse.Namespace(**vars(args))\nprint(config)",
    "a copy": LOADED + "args = copy.deepcopy(args)\nprint(config)",
    "a module's attributes": LOADED + "Net(config)",
    "a module's own namespace": LOADED + "Net.keep(**config)",
    "arguments that are kept": LOADED + "again(config)",
    "words that are left": LOADED + "known, rest = parser.parse_known_args()\n"
    "args = parser.parse_args(rest)",
    "what is shown": LOADED + "print(f'{vars(args)}')",
}
HEAD = """
def build(config):
    return config["steps"]

class Net(torch.nn.Module):
    def __init__(self, parts):
        super().__init__()
        for key, part in parts.items():
            setattr(self, key, part)

    def keep(self, **kwargs):
        self.config = SimpleNamespace(**kwargs)

def again(parts):
    args = transformers.wrap(parts)
    return (parts,) + args
"""


@pytest.mark.parametrize("case", ELSEWHERE)
def test_a_dict_opens_no_option_of_a_parser(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, ELSEWHERE[case], HEAD) == {"use_fused"}


REACHING = {
    "attributes": LOADED + "for k, v in config.items():\n    setattr(args, k, v)",
    "attributes of another name": LOADED
    + "a = args\nfor k, v in config.items():\n    setattr(a, k, v)",
    "vars": LOADED + "vars(args).update(config)",
    "vars by key": LOADED + "for k in config:\n    vars(args)[k] = config[k]",
    "vars under a name": LOADED + "known = vars(args)\nfor k in config:\n    known[k] = config[k]",
    "vars under a name for settings": LOADED
    + "kwargs = vars(args)\nfor k in config:\n    kwargs[k] = config[k]",
    "dict": LOADED + "args.__dict__.update(config)",
    "dict by key": LOADED + "for k in config:\n    args.__dict__[k] = config[k]",
    "dict anew": LOADED + "args.__dict__ = config",
    "dict with more": LOADED + "args.__dict__ |= config",
    "a namespace": LOADED + "args = argparse.Namespace(**config)",
    "a namespace of both": LOADED + "args = argparse.Namespace(**{**vars(args), **config})",
    "a plain namespace": LOADED + "args = SimpleNamespace(**config)",
    "a namespace to begin with": LOADED
    + "args = parser.parse_args(namespace=argparse.Namespace(**config))",
    "defaults": LOADED + "parser.set_defaults(**config)\nargs = parser.parse_args()",
    "words": LOADED + "args = parser.parse_args([f'--{k}' for k in config])",
    "words of the program": LOADED
    + "for k in config:\n    sys.argv.append(f'--{k}')\nargs = parser.parse_args()",
    "words of the program anew": LOADED + "sys.argv = ['x', *config]\nargs = parser.parse_args()",
    "a dict with attributes": LOADED + "args = EasyDict(config)",
    "a dict with attributes at once": "args = EasyDict(json.load(open(args.config)))",
    "a class of the tree": LOADED + "args = Bag(config)",
    "a class that fills itself": LOADED + "args = Filled(**config)",
    "a class that sets its own": LOADED + "args = Setting(config)",
    "a hook": "args = json.load(open(args.config), object_hook=lambda d: SimpleNamespace(**d))",
    "what was kept": "args = torch.load(args.config)",
    "what a library makes": LOADED + "args = transformers.wrap(config)",
    "keys of a dict": FILLED + "vars(args).update(kwargs)",
    "keys of a dict, unpacked": FILLED + "fill(args, **kwargs)",
    "keys of a dict, a namespace": FILLED + "args = argparse.Namespace(**kwargs)",
    "of a library's class": "args = transformers.LlamaConfig.from_pretrained(args.config)",
}
BAGS = """
class Bag(dict):
    def __getattr__(self, name):
        return self[name]

class Filled:
    def __init__(self, **kwargs):
        self.__dict__.update(kwargs)

class Setting:
    def __init__(self, parts):
        for key, part in parts.items():
            setattr(self, key, part)

def fill(known, **kwargs):
    vars(known).update(kwargs)
"""


@pytest.mark.parametrize("case", REACHING)
def test_what_puts_a_dict_into_a_namespace_opens_its_options(
    make_tree: MakeTree, case: str
) -> None:
    assert waits(make_tree, REACHING[case], BAGS) == {""}


BY_KEY = {
    "asked by its key": (LOADED + "args.use_fused = config['use_fused']", ""),
    "asked by its key as a condition": (
        LOADED + "if config['use_fused']:\n    args.use_fused = True",
        "",
    ),
    "asked by a method": (LOADED + "args.use_fused = config.get('use_fused', False)", ""),
    "an attribute of another": (
        LOADED + "if config.use_fused:\n    args.use_fused = True",
        "",
    ),
    "a parameter": (
        LOADED + "args.use_fused = pick(**config)",
        "def pick(use_fused=False):\n    return use_fused",
    ),
    "a parameter without a default": (
        LOADED + "args.use_fused = pick(**config)",
        "def pick(use_fused):\n    return use_fused",
    ),
    "a field": (
        LOADED + "args.use_fused = Picked(**config).use_fused",
        "import dataclasses\n\n@dataclasses.dataclass\nclass Picked:\n    use_fused: bool = False",
    ),
}


@pytest.mark.parametrize("case", BY_KEY)
def test_what_may_be_given_by_its_key_stays_open(make_tree: MakeTree, case: str) -> None:
    made, head = BY_KEY[case]
    assert waits(make_tree, made, head) == {""}


PARAMETER = """
import torch
from flash_attn import flash_attn_func

def attn(x, use_fused):
    if use_fused:
        return flash_attn_func(x, x, x)
    return x
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("attn(x, args.use_fused)", "use_fused"),
        ("attn(x, use_fused=args.use_fused)", "use_fused"),
        ("attn(x, **config)", ""),
        ("partial(attn, x)(**config)", ""),
        ("[attn][0](x, **config)", ""),
        ("run(x, **config)", ""),
    ],
)
def test_a_parameter_that_takes_an_option(make_tree: MakeTree, call: str, expected: str) -> None:
    text = TRAIN.replace(
        "if args.use_fused:\n        x = flash_attn_func(x, x, x)", f"x = {call}"
    ).replace("from flash_attn import flash_attn_func", "from parts import attn")
    assert call in text
    head = "from functools import partial\n\nrun = attn"
    tree = {
        "train.py": text.format(head=head, made=indent(LOADED, "    ")),
        "parts.py": PARAMETER,
        "README.md": "```sh\npython train.py\n```\n",
    }
    report = report_of(make_tree(tree))
    found = [each for each in report.findings if "flash_attn_func(" in each.snippet]
    assert {each.guard_by.setting if each.guard_by else "" for each in found} == {expected}
