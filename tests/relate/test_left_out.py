"""Whole trees with parameters that are None by default: off where no call of the path gives one.

Whatever may call the function unseen must leave what waits for the parameter needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

CHECK = """
    {imports}
    {before}
    class Check{bases}:
        {decorator}
        def evaluate(self, net, half=False, trt_file=None, size=None):
            {first}
            if {test}:
                from torch2trt import TRTModule
                net = TRTModule()
            return net
    """
TRAIN = """
    import torch
    from check import Check
    {imports}

    {before}

    def main(path, batch):
        check = Check()
        {run}
        torch.ones(1, requires_grad=True).backward()

    if __name__ == "__main__":
        main("a", [])
    """
OTHER = """
    from check import Check

    if __name__ == "__main__":
        Check().evaluate(1, False, "net.pth")
    """
PLAIN = {
    "imports": "pass",
    "before": "pass",
    "bases": "",
    "decorator": "",
    "first": "pass",
    "test": "trt_file is not None",
}
CALL = "check.evaluate(1, False)"

RUNS = {
    "nobody gives it": (CALL, "", "", True),
    "None by its place": ("check.evaluate(1, False, None)", "", "", True),
    "None by its name": ("check.evaluate(1, trt_file=None)", "", "", True),
    "another one by its name": ("check.evaluate(1, size=path)", "", "", True),
    "by its place": ("check.evaluate(1, False, path)", "", "", False),
    "by its name": ("check.evaluate(1, trt_file=path)", "", "", False),
    "a word": ('check.evaluate(1, False, "a.pth")', "", "", False),
    "a list of arguments": (f"{CALL}; check.evaluate(*batch)", "", "", False),
    "by names that nobody sees": (f"{CALL}; check.evaluate(1, **batch)", "", "", False),
    "handed on to somebody": (f"{CALL}; path.submit(check.evaluate, 1, 2, 3)", "", "", False),
    "handed on with its name": (
        f"{CALL}; partial(check.evaluate, trt_file=path)(1)",
        "from functools import partial",
        "",
        False,
    ),
    "another name of it": (f"{CALL}; run = check.evaluate; run(1, False, path)", "", "", False),
    "kept in a table": (CALL + "; {1: check.evaluate}[1](1, False, path)", "", "", False),
    "kept by an object": (f"{CALL}; path.run = check.evaluate", "", "", False),
    "looked up": (f'{CALL}; getattr(check, "evaluate")(1, False, path)', "", "", False),
    "looked up by any name": (f"{CALL}; getattr(check, path)(1, False, path)", "", "", False),
    "looked up by the end of a name": (
        f'{CALL}; getattr(check, path + "uate")(1, False, path)',
        "",
        "",
        False,
    ),
    "called by a command line": (f"{CALL}; fire.Fire(Check)", "import fire", "", False),
    "never called": ("path.take(check.evaluate)", "", "", False),
    "handed on under its name by who gets it": (
        f"{CALL}; path.take(hook)",
        "",
        "def hook(trt_file):\n    Check().evaluate(1, False, trt_file)",
        False,
    ),
    "and by its name": (
        f"{CALL}; path.take(hook)",
        "",
        "def hook(trt_file):\n    Check().evaluate(1, trt_file=trt_file)",
        False,
    ),
    "and with all that it gets": (
        f"{CALL}; path.take(hook)",
        "",
        "def hook(**kwargs):\n    Check().evaluate(1, **kwargs)",
        False,
    ),
    "a subclass that gives it": (
        CALL,
        "",
        "class Own(Check):\n    def evaluate(self, net, x):\n        super().evaluate(net, 1, x)",
        False,
    ),
}

FUNCTIONS = {
    "a truth": ({"test": "trt_file"}, True),
    "a base of a library": ({"imports": "from lightning import Base", "bases": "(Base)"}, False),
    "a base of the tree": ({"imports": "from base import Base", "bases": "(Base)"}, False),
    "a decorator": ({"imports": "from hooks import hook", "decorator": "@hook"}, False),
    "another value": ({"first": "trt_file = trt_file or find()"}, False),
    "a default that is made": ({"before": "find = 1", "test": "size is None"}, False),
}


OPTIONS = """class Options:
    trt_file = None
    engine = None

    def merge(self, pairs):
        for key, value in pairs:
            setattr(self, key, value)
"""
"""Settings that get values by names that nobody sees."""
OPEN = "options = Options(); options.merge(batch)"
UNDER_OPEN = {
    "nobody gives it": (CALL, True),
    "another one by its name": ("check.evaluate(1, size=options.engine)", True),
    "by the name of a setting": ("check.evaluate(1, trt_file=options.trt_file)", False),
    "by its place": ("check.evaluate(1, False, options.trt_file)", False),
    "by that of another": ("check.evaluate(1, trt_file=options.engine)", False),
    "by a variable": ("path = options.trt_file; check.evaluate(1, trt_file=path)", False),
    "by the settings as a whole": ("check.evaluate(1, **vars(options))", False),
    "by who makes it": ("partial(check.evaluate, trt_file=options.trt_file)(1)", False),
}


@pytest.mark.parametrize(("call", "is_off"), UNDER_OPEN.values(), ids=UNDER_OPEN)
def test_settings_that_are_open_are_none_of_a_function_that_is_not_given_them(
    make_tree: MakeTree, call: str, is_off: bool
) -> None:
    check = dedent(CHECK).format(**PLAIN)
    train = dedent(TRAIN).format(
        imports="from functools import partial", before=OPTIONS, run=f"{OPEN}; {call}"
    )
    assert _is_off(make_tree, check, train) is is_off


def _is_off(make_tree: MakeTree, check: str, train: str) -> bool:
    root = make_tree(
        {
            "README.md": "```sh\npython train.py\n```\n",
            "check.py": check,
            "train.py": train,
            "try.py": dedent(OTHER),
            "base.py": "class Base:\n    def start(self, x):\n        self.go(x)\n",
        }
    )
    report = report_of(root)
    found = [each for each in report.findings if each.path == "check.py"]
    assert found
    assert {each.reach for each in found} == {"main"}
    guards = {each.guard for each in found}
    assert guards in ({"none"}, {"guarded"})
    return guards == {"guarded"}


@pytest.mark.parametrize("case", RUNS)
def test_what_calls_give_counts(make_tree: MakeTree, case: str) -> None:
    run, imports, before, is_off = RUNS[case]
    check = dedent(CHECK).format(**PLAIN)
    train = dedent(TRAIN).format(run=run, imports=imports, before=before)
    assert _is_off(make_tree, check, train) is is_off


@pytest.mark.parametrize("case", FUNCTIONS)
def test_only_functions_that_nobody_calls_unseen(make_tree: MakeTree, case: str) -> None:
    changes, is_off = FUNCTIONS[case]
    check = dedent(CHECK).format(**{**PLAIN, **changes})
    train = dedent(TRAIN).format(run=CALL, imports="", before="")
    assert _is_off(make_tree, check, train) is is_off
