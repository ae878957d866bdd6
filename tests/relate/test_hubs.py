"""What runs from a file is the same, whether or not it is known what runs with another one."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping

import pytest

from portaudit.discover import Tree
from portaudit.relate.graph import graph
from portaudit.relate.live import Living, Sources, sources
from portaudit.relate.modules import Modules
from snippets import ROOT, catalogue, scan

_MODULES = 8
_NAMES = "abcdefgh"
_SOME = 0.4


def _module(at: int, chance: random.Random) -> str:
    """A module that imports later ones, here and in functions, and uses names of any."""

    def later() -> str:
        return f"m{chance.randint(at + 1, _MODULES)}"

    def name() -> str:
        return f"{chance.choice(_NAMES)}{chance.randrange(_MODULES)}"

    lines = ["import torch", f"import {later()}", f"{name()}()"]
    for each in chance.sample(_NAMES, 3):
        lines += [f"def {each}{at}():", f"    from {later()} import *", f"    {name()}()"]
    lines += [f"class K{at}(K{chance.randrange(_MODULES)}):", f"    def f{at}(self):"]
    lines += [f"        {name()}()"]
    if chance.random() < _SOME:
        lines += [f"getattr({later()}, torch.name)()"]
    if chance.random() < _SOME:
        lines += [f"K{chance.randrange(_MODULES)}.__subclasses__()"]
    if chance.random() < _SOME:
        lines += ["if __name__ == '__main__':", f"    import {later()}", f"    {name()}()"]
    return "\n".join([*lines, ""])


def _sources(seed: int) -> Sources:
    chance = random.Random(seed)  # noqa: S311 - no secret
    files = {f"m{at}.py": _module(at, chance) for at in range(_MODULES)}
    return _of(files, {f"{name}{at}" for name in f"{_NAMES}Kf" for at in range(_MODULES)})


def _of(files: Mapping[str, str], names: Collection[str]) -> Sources:
    results = tuple(scan(files).values())
    modules = Modules(Tree.of(ROOT, files), catalogue().libraries)
    return sources(results, (), graph(results, modules), modules, names)


def _told(living: Living) -> tuple[set[object], ...]:
    return tuple(
        set(each) for each in (living.files, living.names, living.own, living.opened, living.on)
    )


@pytest.mark.parametrize("seed", range(20))
def test_what_runs_with_a_file_can_be_taken_over(seed: int) -> None:
    known = _sources(seed)
    alone = {path: _told(Living(known, [path])) for path in known}
    differ = 0
    for first in known:
        hubs = {first: Living(known, (), brought=[first])}
        for second in known:
            both = {second: Living(known, (), brought=[second], hubs=hubs), **hubs}
            for start in known:
                assert _told(Living(known, [start], hubs=hubs)) == alone[start]
                assert _told(Living(known, [start], hubs=both)) == alone[start]
                differ += _told(hubs[first]) != alone[start]
    assert differ  # there is something to be followed besides


def test_classes_below_one_are_meant_where_they_are_taken_over() -> None:
    known = _of(
        {
            "base.py": "class K:\n    pass\n",
            "hub.py": "from base import K\nclass Below(K):\n    def f(self):\n        inner()\n",
            "start.py": "import hub\nfrom base import K\nK.__subclasses__()\n",
        },
        {"K", "Below", "inner"},
    )
    hubs = {"hub.py": Living(known, (), brought=["hub.py"])}
    assert "inner" not in hubs["hub.py"].names
    assert "inner" in Living(known, ["start.py"]).names
    assert "inner" in Living(known, ["start.py"], hubs=hubs).names
