"""Options whose names have dots, and the nested namespaces that a program makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """\
import argparse
from models import build
from nesting import nested

def train(args):
    model = build(args.name, fused_attn={given})
    model(1).sum().backward()

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    {declared}
    args = nested(parser.parse_args())
    train(args)
"""
MODELS = """\
import torch
from flash_attn import flash_attn_func
{imports}

def build(name, fused_attn=False):
    {made}
    if fused_attn:
        return flash_attn_func(name)
    return torch.nn.Linear(3, 3)
"""
NESTING = """\
from types import SimpleNamespace

def nested(args):
    root = {}
    for k, v in vars(args).items():
        *outer, last = k.split(".")
        node = root
        for part in outer:
            node = node.setdefault(part, {})
        node[last] = v

    def build(x):
        if isinstance(x, dict):
            return SimpleNamespace(**{k: build(v) for k, v in x.items()})
        return x

    return build(root)
"""
OFF = 'parser.add_argument("--ds.fused_attn", action="store_true", default=False)'


def waits(
    make_tree: MakeTree,
    *,
    declared: str = OFF,
    given: str = "args.ds.fused_attn",
    line: str = "",
    made: str = "pass",
    imports: str = "",
    **files: str,
) -> str:
    """The setting that flash-attn waits for on the main path, an empty one for nothing."""
    root = make_tree(
        {
            "train.py": TRAIN.format(declared=declared, given=given),
            "models.py": MODELS.format(made=made, imports=imports),
            "nesting.py": NESTING,
            "README.md": f"```sh\npython train.py --name a {line}\n```\n",
            **{f"{name}.py": text for name, text in files.items()},
        }
    )
    (found,) = [each for each in report_of(root).findings if "flash_attn_func(" in each.snippet]
    assert found.reach == "main"
    return found.guard_by.setting if found.guard_by else ""


def test_an_option_with_dots_is_the_attribute_that_is_called_as_its_last_part(
    make_tree: MakeTree,
) -> None:
    assert waits(make_tree) == "fused_attn"


ON = {
    "by default": {"declared": OFF.replace("False", "True")},
    "by its dest": {
        "declared": 'parser.add_argument("--plain", dest="ds.fused_attn", action="store_false")'
    },
    "in the command line": {"line": "--ds.fused_attn"},
    "in the command line, under another name": {
        "declared": 'parser.add_argument("--ds.slow", dest="ds.fused_attn", action="store_true")',
        "line": "--ds.slow",
    },
}


@pytest.mark.parametrize("how", ON.values(), ids=ON.keys())
def test_an_option_with_dots_that_is_on(make_tree: MakeTree, how: dict[str, str]) -> None:
    assert waits(make_tree, **how) == ""


@pytest.mark.parametrize("made", ["k: not v", "k: True", "v: build(k)", 'f"ds_{k}": build(v)'])
def test_names_or_values_that_are_not_those_of_another_dict_may_be_any(
    make_tree: MakeTree, made: str
) -> None:
    assert "k: build(v)" in NESTING
    assert waits(make_tree, nesting=NESTING.replace("k: build(v)", made)) == ""
