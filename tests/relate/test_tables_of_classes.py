"""Tables that a class keeps under written keys: one method puts in, another takes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

REGISTRY = """class Registry:
    mapping = {"net_table": {}, "task_table": {}, "state": {}}

    @classmethod
    def register_net(cls, name):
        def wrap(net):
            if name in cls.mapping["net_table"]:
                raise KeyError(f"{name}: {cls.mapping['net_table'][name]}")
            cls.mapping["net_table"][name] = net
            return net

        return wrap

    @classmethod
    def register_task(cls, name):
        def wrap(task):
            cls.mapping["task_table"][name] = task
            return task

        return wrap

    @classmethod
    def get_net(cls, name):
        return cls.mapping["net_table"].get(name, None)

    @classmethod
    def get_task(cls, name):
        return cls.mapping["task_table"].get(name, None)

    @classmethod
    def list_nets(cls):
        return sorted(cls.mapping["net_table"].keys())

    @classmethod
    def put(cls, path, value):
        cls.mapping["state"][path] = value
EXTRA

registry = Registry()
"""
NETS = """import torch
from registry import registry


@registry.register_net("scan")
class Scan(torch.nn.Module):
    FILES = {"base": "configs/nets/scan.yaml"}

    def forward(self, x):
        return torch.cuda.CUDAGraph()


@registry.register_net("plain")
class Plain(torch.nn.Module):
    FILES = {"base": "configs/nets/plain.yaml"}

    def forward(self, x):
        return x
EXTRA
"""
TASKS = """from registry import registry


@registry.register_task("caption")
class Caption:
    def build(self, cfg):
        return registry.get_net(cfg.arch)()
EXTRA
"""
TRAIN = """import sys
import torch
from omegaconf import OmegaConf
import nets
import tasks
from registry import registry


def main():
    cfg = OmegaConf.load(sys.argv[1])
    net = registry.get_task(cfg.task_name)().build(cfg.model)
    net(torch.ones(1)).backward()
EXTRA


if __name__ == "__main__":
    main()
"""

CASES = {
    "as it is": ({}, True),
    "a method that gets at them by their name": (
        {"registry.py": "\n    def all(cls):\n        return getattr(cls, 'mapping')\n"},
        False,
    ),
    "a class below it": (
        {
            "tasks.py": "\n\nfrom registry import Registry\n\n\nclass Mine(Registry):\n"
            "    def make(self, kind):\n        return self.mapping[kind].popitem()[1]()\n\n\n"
            "mine = Mine()\n"
        },
        False,
    ),
    "another key": ({"tasks.py": "\n\ndef other():\n    return registry.get_net('scan')\n"}, False),
    "a key that nobody knows": (
        {"train.py": "    registry.get_net(input())\n"},
        False,
    ),
    "a method that makes all": (
        {
            "registry.py": "\n    def make(cls):\n"
            "        return [each() for each in cls.mapping['net_table'].values()]\n"
        },
        False,
    ),
    "a method that takes any of the tables": (
        {"registry.py": "\n    def take(cls, kind, key):\n        return cls.mapping[kind][key]\n"},
        False,
    ),
    "the tables from outside, by the key": (
        {"train.py": "    registry.mapping['net_table']['scan']\n"},
        False,
    ),
    "the tables from outside, any": (
        {"train.py": "    [each() for each in registry.mapping[cfg.kind].values()]\n"},
        False,
    ),
    "the tables handed on": ({"train.py": "    use(registry.mapping)\n"}, False),
    "another of the tables from outside": (
        {"train.py": "    registry.mapping['task_table']['caption']\n"},
        True,
    ),
    "names and files of all": (
        {
            "nets.py": "\n\nclass Zoo:\n    def __init__(self):\n"
            "        self.zoo = {\n            k: list(v.FILES.keys())\n"
            "            for k, v in registry.mapping['net_table'].items()\n        }\n"
            "\n\nzoo = Zoo()\n"
        },
        True,
    ),
    "names of all, in their order": (
        {
            "nets.py": "\n\nNAMES = {k: v.__name__ for k, v in"
            " sorted(registry.mapping['net_table'].items())}\n"
        },
        True,
    ),
    "names of all, in an order that makes them": (
        {
            "nets.py": "\n\nNAMES = {k: v.__name__ for k, v in"
            " sorted(registry.mapping['net_table'].items(), key=lambda kv: kv[1]().size)}\n"
        },
        False,
    ),
    "all are made in a loop": (
        {"train.py": "    {k: v() for k, v in registry.mapping['net_table'].items()}\n"},
        False,
    ),
    "the class itself": ({"train.py": "    nets.Scan()\n"}, False),
    "another class with such a method": (
        {
            "tasks.py": "\n\nclass Hub:\n    def register_net(self, name):\n"
            "        return lambda net: use(net)\n"
        },
        False,
    ),
    "a method that asks by another name": (
        {
            "registry.py": "\n    def find(cls, name):\n"
            "        return cls.mapping['net_table'][name.lower()]\n"
        },
        False,
    ),
    "the object by a text": ({"train.py": "    getattr(registry, 'map' + 'ping')\n"}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_table_of_a_class_is_known_by_its_methods(make_tree: MakeTree, case: str) -> None:
    extra, is_off = CASES[case]
    files = {"registry.py": REGISTRY, "nets.py": NETS, "tasks.py": TASKS, "train.py": TRAIN}
    root = make_tree(
        {
            "README.md": "```sh\npython train.py configs/a.yaml\n```\n",
            "configs/a.yaml": "model:\n  arch: plain\nrun:\n  task_name: caption\n",
            "configs/nets/scan.yaml": "model:\n  arch: scan\n",
            "configs/nets/plain.yaml": "model:\n  arch: plain\n",
            **{
                path: text.replace("\nEXTRA", extra.get(path, "").rstrip() and f"\n{extra[path]}")
                for path, text in files.items()
            },
        }
    )
    found = [each for each in report_of(root).findings if each.scope.startswith("Scan")]
    assert found
    assert {each.reach for each in found} == {"main"}
    assert {each.guard == "guarded" for each in found} == {is_off}


FILES = {
    "of what is chosen, the settings name another": (
        {"plain": "model:\n  arch: plain\n  part:\n    arch: scan\n"},
        False,
    ),
    "and by way of a third": (
        {
            "plain": "model:\n  arch: plain\n  part:\n    arch: third\n",
            "third": "model:\n  arch: third\n  part:\n    arch: scan\n",
        },
        False,
    ),
    "a third that nothing names": (
        {"third": "model:\n  arch: third\n  part:\n    arch: scan\n"},
        True,
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_what_only_an_entry_would_choose_is_off_with_it(make_tree: MakeTree, case: str) -> None:
    """The settings file that an entry names is read if that entry is chosen."""
    given, is_off = FILES[case]
    third = """

@registry.register_net("third")
class Third(torch.nn.Module):
    FILES = {"base": "configs/nets/third.yaml"}
"""
    plain = {name: f"model:\n  arch: {name}\n" for name in ("plain", "scan", "third")}
    root = make_tree(
        {
            "README.md": "```sh\npython train.py configs/a.yaml\n```\n",
            "configs/a.yaml": "model:\n  arch: plain\nrun:\n  task_name: caption\n",
            **{f"configs/nets/{name}.yaml": text for name, text in (plain | given).items()},
            "registry.py": REGISTRY.replace("EXTRA", ""),
            "nets.py": NETS.replace("EXTRA", third),
            "tasks.py": TASKS.replace("EXTRA", ""),
            "train.py": TRAIN.replace("EXTRA", ""),
        }
    )
    found = [each for each in report_of(root).findings if each.scope.startswith("Scan")]
    assert found
    assert {each.guard == "guarded" for each in found} == {is_off}
