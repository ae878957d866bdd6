"""Whole trees whose command gives an option by a letter: `-k plain`, where code has `-k, --kind`.

The fused kernel waits for the other value. Whatever may give that one must leave it needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.relate.options import Code, Command, Known, command, joined, with_variables
from portaudit.types import Option
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
    import argparse
    import torch

    def made(args, x):
        if args.kind.lower() == "plain":
            return x
        elif args.kind.lower() == "fused":
            from flash_attn import flash_attn_func
            return flash_attn_func(x, x, x)
        else:
            raise NotImplementedError

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--dim", type=int, default=8)
        parser.add_argument("--kind", "-k", type=str, required=True)
        args = parser.parse_args()
        made(args, torch.zeros(3, args.dim, requires_grad=True)).sum().backward()

    if __name__ == "__main__":
        main()
    """
BY_KEY = """
    TABLE = {"small": dict(dim=8), "big": dict(dim=16)}

    def backbone(kind, x):
        assert kind in ["small", "big"]
        return x * TABLE[kind]["dim"]
    """


def train(*changes: tuple[str, str]) -> dict[str, str]:
    text = TRAIN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return {"train.py": text}


def readme(*lines: str) -> dict[str, str]:
    text = "\n".join(lines)
    return {"README.md": f"# Train\n\n```sh\n{text}\n```\n"}


def waits(make_tree: MakeTree, changed: Mapping[str, str]) -> set[str]:
    """The settings that flash-attn waits for on the main path, an empty one for nothing."""
    files = {"train.py": TRAIN, **readme("python train.py -k plain"), **changed}
    root = make_tree({path: dedent(text) for path, text in files.items()})
    found = [each for each in report_of(root).findings if each.category == "fused-kernel-lib"]
    assert found
    return {item.guard_by.setting if item.guard_by else "" for item in found}


IMPORT = ("import torch\n", "import torch\n    from nets import backbone\n")


def calling(given: str) -> tuple[str, str]:
    return "made(args, torch", f"backbone({given}, torch.zeros(3))\n        made(args, torch"


LONG = ('"--kind", "-k", type=str, required=True', '"--kind", type=str, required=True')
OFF: Mapping[str, Mapping[str, str]] = {
    "by its letter": {},
    "by its name": {**train(LONG), **readme("python train.py --kind plain")},
    "by its letter over a default": {
        **train(
            ("args.kind", "args.net_kind"),
            ('"--kind"', '"--net-kind"'),
            ("required=True", 'default="fused"'),
        ),
    },
    "with others": readme("python train.py -k plain --dim 16"),
    "behind a launcher": readme("python -m torch.distributed.launch --n 8 train.py -k plain"),
    "the same in two scripts": {
        "README.md": "",
        "a.sh": "python train.py -k plain\n",
        "b.sh": "python train.py -k plain\n",
    },
    "a parameter is only a key": {
        **train(IMPORT, calling("name")),
        "nets.py": BY_KEY,
    },
}
ON: Mapping[str, Mapping[str, str]] = {
    "by its letter": readme("python train.py -k fused"),
    "by its name": {**train(LONG), **readme("python train.py --kind fused")},
    "nothing gives it": {**train(LONG), **readme("python train.py --dim 16")},
    "no line gives it": readme("python train.py --dim 16"),
    "a value that no line gives": readme("python train.py -k $KIND"),
    "a value beside it": readme("python train.py -kfused"),
    "one word of a default": train(("required=True", 'default="fused"')),
    "scripts that say different things": {
        "README.md": "",
        "a.sh": "python train.py -k plain\n",
        "b.sh": "python train.py -k fused\n",
    },
    "scripts of which one says nothing": {
        **train(("required=True", 'default="fused"')),
        "README.md": "",
        "a.sh": "python train.py -k plain\n",
        "b.sh": "python train.py --dim 3\n",
    },
    "a script's own letter": {
        **readme("./run.sh -k plain"),
        "run.sh": "python train.py --kind fused\n",
    },
    "a variable before a script": {
        **readme("KIND=fused ./run.sh"),
        "run.sh": 'KIND=${KIND:-"plain"}\npython train.py -k ${KIND}\n',
    },
    "a letter of two options": train(
        ("parser = argparse", "other = argparse.ArgumentParser()\n        parser = argparse"),
        ("args = parser", 'other.add_argument("--keep", "-k")\n        args = parser'),
    ),
    "another letter case": train(('"-k"', '"-K"')),
    "it becomes something else": train(("type=str", "type=named")),
    "code sets it": train(("made(args, torch", 'args.kind = "fused"\n        made(args, torch')),
    "a parameter decides": {
        **train(IMPORT, calling('"fused"'), ('elif args.kind.lower() == "fused"', "elif False")),
        "nets.py": """
            def backbone(kind, x):
                if kind == "fused":
                    from flash_attn import flash_attn_func
                    return flash_attn_func(x, x, x)
                return x
            """,
    },
    "a parameter is a key and decides": {
        **train(IMPORT, calling('"fused"')),
        "nets.py": BY_KEY
        + """
            if kind == "fused":
                from flash_attn import flash_attn_func
                return flash_attn_func(x, x, x)
        """.replace("            if", "        if"),
    },
}


@pytest.mark.parametrize("case", OFF)
def test_what_a_letter_gives_is_known(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, OFF[case]) <= {"kind", "net_kind"}


@pytest.mark.parametrize("case", ON)
def test_what_may_be_given_otherwise_is_needed(make_tree: MakeTree, case: str) -> None:
    assert "" in waits(make_tree, ON[case])


def test_letters_have_values_where_each_line_gives_them() -> None:
    one, other = command(["-k", "a", "-n=3"]), command(["-k", "b"])
    assert one.lettered == {"k": {"true", "a"}, "n": {"3"}}
    assert joined([one, other]).lettered == {"k": {"true", "a", "b"}}
    assert with_variables(other, ["X=c"]).lettered == {"k": {"true", "b", "c"}}


@pytest.mark.parametrize(
    ("said", "is_off"),
    [
        (["-k", "a"], True),
        (["-k", "b"], False),
        (["-k", "a", "--kind", "b"], False),
        (["-k", "a", "-vk"], False),
        (["-K", "a"], False),
        ([], False),
    ],
)
def test_a_required_option_is_what_the_command_says(said: list[str], is_off: bool) -> None:
    code = Code(
        {"kind": frozenset()}, spelled={"kind": frozenset("k")}, required=frozenset({"kind"})
    )
    option = Option((2, 3), "kind", ("b",), 2, "if")
    facts = Known(command(said), code=code)
    assert facts.is_off(option) is is_off
    assert facts.is_set("kind")
    unsure = Known(Command(given={"kind": frozenset({"a"})}, is_sure=False), code=code)
    assert not unsure.is_off(option)
