"""Settings that get values in ways that no name tells: whole trees.

Nobody sets the option: the fused kernel waits for it. Each way to set it must leave it needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
    import argparse
    import os
    import sys
    import torch
    import yaml
    from flash_attn import flash_attn_func
    {imports}

    {head}

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--config", default=None)
        parser.add_argument("--use_fused", action="store_true")
        parser.add_argument("--use_other", action="store_true")
        cfg = parser.parse_args()
        {made}
        x = torch.zeros(3, 8, requires_grad=True)
        if cfg.use_fused:
            x = flash_attn_func(x, x, x)
        x.sum().backward()

    if __name__ == "__main__":
        main()
    """


def waits(make_tree: MakeTree, made: str, line: str = "", **files: str) -> set[str]:
    """The settings that flash-attn waits for on the main path, an empty one for nothing."""
    imports, head = files.pop("imports", ""), files.pop("head", "")
    made = "\n        ".join(dedent(made).strip("\n").split("\n"))
    head = "\n    ".join(dedent(head).strip("\n").split("\n"))
    tree = {
        "train.py": TRAIN.format(imports=imports, head=head, made=made),
        "README.md": f"```sh\npython train.py {line}\n```\n",
        **{f"{name.replace('__', '/')}.py": text for name, text in files.items()},
    }
    return waiting(make_tree, tree)


def waiting(make_tree: MakeTree, tree: Mapping[str, str]) -> set[str]:
    root = make_tree({path: dedent(text) for path, text in tree.items()})
    found = [each for each in report_of(root).findings if "flash_attn_func(" in each.snippet]
    assert {each.reach for each in found} == {"main"}
    return {item.guard_by.setting if item.guard_by else "" for item in found}


KEYS = {
    "added": 'for k in ("fused", "other"):\n    vars(cfg)["use_" + k] = True',
    "added behind": 'for k in ("use",):\n    vars(cfg)[k + "_fused"] = True',
    "put in by %": 'for k in ("fused", "other"):\n    vars(cfg)["use_%s" % k] = True',
    "asked": 'vars(cfg)["use_" + input()] = True',
    "of a list": 'names = ["use_fused"]\nvars(cfg)[names[0]] = True',
    "updated": 'for k in ("fused",):\n    vars(cfg).update({"use_" + k: True})',
    "updated, formatted": 'for k in ("fused",):\n    vars(cfg).update({f"use_{k}": True})',
    "updated, all at once": 'vars(cfg).update({f"use_{k}": True for k in ("fused",)})',
}
MADE_KEYS = {
    "added": '{"use_" + k: True}',
    "formatted": '{f"use_{k}": True}',
    "beside another": '{"steps": 3, f"use_{k}": True}',
    "by a name": "{k: True}",
}
OTHER_KEYS = {
    "a number": "args = [0, 1, 2]\nfor i in range(2):\n    args[i + 1] = True",
    "another name": 'vars(cfg)["use_other"] = True',
    "updated": 'vars(cfg).update({"use_other": True})',
    "listed": 'for k in ("use_other",):\n    vars(cfg)[k] = True',
}


def test_an_item_is_changed_in_its_place(make_tree: MakeTree) -> None:
    assert waits(make_tree, 'vars(cfg)["use_fused"] |= bool(x_is_large())') == {""}
    assert waits(make_tree, 'vars(cfg)["use_other"] |= bool(x_is_large())') == {"use_fused"}


@pytest.mark.parametrize("case", KEYS)
def test_a_name_that_is_put_together_may_be_any(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, KEYS[case]) == {""}


@pytest.mark.parametrize("case", OTHER_KEYS)
def test_a_name_that_is_written_is_that_one(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, OTHER_KEYS[case]) == {"use_fused"}


@pytest.mark.parametrize("case", [*MADE_KEYS, "written"])
def test_a_field_may_be_given_by_a_name_that_is_put_together(
    make_tree: MakeTree, case: str
) -> None:
    text = TRAIN.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    unpacked = MADE_KEYS.get(case, '{"steps": 3}')
    tree = {
        "settings.py": CLASSES,
        "train.py": text.format(
            imports="from settings import Settings",
            head="",
            made=f"for k in names():\n            cfg = Settings(**{unpacked})",
        ),
        "README.md": "```sh\npython train.py\n```\n",
    }
    assert waiting(make_tree, tree) == ({""} if case in MADE_KEYS else {"use_fused"})


MODEL = "class Settings(BaseModel):\n    steps: int = 3\n    use_fused: bool = {}\n"
ALIAS = {
    "an alias": ('Field(False, alias="useFused")', "Settings(useFused=True)"),
    "one to read by": (
        'Field(default=False, validation_alias="fast")',
        "Settings(fast=True)",
    ),
    "one of several": (
        'Field(False, validation_alias=AliasChoices("use_fused", "fast"))',
        "Settings(fast=True)",
    ),
    "in a dict": ('Field(False, alias="useFused")', 'Settings(**{"useFused": True})'),
}
NO_ALIAS = {
    "nobody gives it": ('Field(False, alias="useFused")', "Settings(steps=3)"),
    "it is off": ('Field(False, alias="useFused")', "Settings(useFused=False)"),
    "of another field": ('Field(False, alias="useFused")', "Settings(many=True)"),
}
PYDANTIC = "from pydantic import AliasChoices, BaseModel, ConfigDict, Field"


@pytest.mark.parametrize("case", ALIAS)
def test_a_field_is_given_by_its_alias(make_tree: MakeTree, case: str) -> None:
    field, made = ALIAS[case]
    found = waits(make_tree, f"cfg = {made}", imports=PYDANTIC, head=MODEL.format(field))
    assert found == {""}


@pytest.mark.parametrize("case", NO_ALIAS)
def test_an_alias_that_nobody_gives_says_nothing(make_tree: MakeTree, case: str) -> None:
    field, made = NO_ALIAS[case]
    text = TRAIN.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    head = "\n    ".join(MODEL.format(field).split("\n"))
    tree = {
        "train.py": text.format(imports=PYDANTIC, head=head, made=f"cfg = {made}"),
        "README.md": "```sh\npython train.py\n```\n",
    }
    assert waiting(make_tree, tree) == {"use_fused"}


def test_names_that_a_function_makes_of_those_of_fields_may_be_any(make_tree: MakeTree) -> None:
    head = MODEL.format("False") + "    model_config = ConfigDict(alias_generator=to_camel)\n"
    imports = f"{PYDANTIC}; from pydantic.alias_generators import to_camel"
    assert waits(make_tree, "cfg = Settings(useFused=True)", imports=imports, head=head) == {""}


CLASSES = """
    from dataclasses import dataclass, field

    @dataclass
    class Settings:
        steps: int = 3
        use_fused: bool = field(default=False)
    """
HF = "from transformers import HfArgumentParser; from settings import {}"
READ = {
    "the environment": 'parse_yaml_file(os.environ["CONFIG"])[0]',
    "the environment, by a name": "parse_json_file(PLACE)[0]",
    "a function": "parse_yaml_file(place())[0]",
    "the environment, or the line": 'parse_yaml_file(os.getenv("CONFIG") or sys.argv[1])[0]',
}


@pytest.mark.parametrize("case", READ)
@pytest.mark.parametrize("line", ["", "--config configs/a.yaml"])
def test_a_parser_that_reads_a_file_of_which_nothing_is_known(
    make_tree: MakeTree, case: str, line: str
) -> None:
    if line and case == "a function":
        return
    text = TRAIN.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    tree = {
        "settings.py": CLASSES,
        "configs/a.yaml": "steps: 3\n",
        "train.py": text.format(
            imports=HF.format("Settings"),
            head='PLACE = os.environ.get("CONFIG", "a.json")',
            made=f"cfg = HfArgumentParser(Settings).{READ[case]}",
        ),
        "README.md": f"```sh\npython train.py {line}\n```\n",
    }
    assert waiting(make_tree, tree) == {""}


def test_a_parser_that_reads_what_the_line_names(make_tree: MakeTree) -> None:
    text = TRAIN.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    tree = {
        "settings.py": CLASSES,
        "train.py": text.format(
            imports=HF.format("Settings"),
            head="",
            made="cfg = HfArgumentParser(Settings).parse_json_file(os.path.abspath(sys.argv[1]))",
        ),
        "README.md": "```sh\npython train.py\n```\n",
    }
    assert waiting(make_tree, tree) == {"use_fused"}


@pytest.mark.parametrize("imported", ["Settings", "*"])
@pytest.mark.parametrize("listed", ["[Settings]", "(Settings,)"])
def test_an_item_of_a_list_of_classes_is_made_by_place(
    make_tree: MakeTree, listed: str, imported: str
) -> None:
    text = TRAIN.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    for made, expected in (("CLASSES[0](3, True)", ""), ("parser.parse()[0]", "use_fused")):
        tree = {
            "settings.py": CLASSES,
            "train.py": text.format(
                imports=HF.format(imported),
                head=f"CLASSES = {listed}\n    parser = HfArgumentParser(CLASSES)",
                made=f"cfg = {made}",
            ),
            "README.md": "```sh\npython train.py\n```\n",
        }
        assert waiting(make_tree, tree) == {expected}


BESIDE = {
    "a file that is not there": 'yaml.safe_load(open("local.yaml"))',
    "a file that the environment names": 'yaml.safe_load(open(os.environ["LOCAL"]))',
}
READS = """
    data = yaml.safe_load(open(cfg.config))
    {}
    cfg = Settings(**data)
    """


@pytest.mark.parametrize("case", [*BESIDE, "nothing", "a file that is there"])
def test_what_is_read_beside_the_settings_that_are_given(make_tree: MakeTree, case: str) -> None:
    more = BESIDE.get(case, 'yaml.safe_load(open("there.yaml"))' if case != "nothing" else "{}")
    text = TRAIN.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    made = dedent(READS).format(f"data.update({more})").strip("\n").split("\n")
    head = MODEL.format("False").split("\n")
    tree = {
        "train.py": text.format(
            imports=PYDANTIC, head="\n    ".join(head), made="\n        ".join(made)
        ),
        "configs/a.yaml": "steps: 3\nuse_fused: false\n",
        "there.yaml": "steps: 4\n",
        "README.md": "```sh\npython train.py --config configs/a.yaml\n```\n",
    }
    assert waiting(make_tree, tree) == ({""} if case in BESIDE else {"use_fused"})


LITERAL = {
    "options are updated": "vars(cfg).update({})",
    "options are made of it": "cfg = argparse.Namespace(**{})",
    "defaults are": "parser.set_defaults(**{})\ncfg = parser.parse_args()",
}


@pytest.mark.parametrize("case", LITERAL)
@pytest.mark.parametrize("reads", ["yaml.safe_load(open({}))", "json.load(open({}))"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_that_is_named_is_known_if_the_tree_has_it(
    make_tree: MakeTree, case: str, reads: str, is_there: bool
) -> None:
    made = LITERAL[case].format(reads.format('"local.json"')).split("\n")
    tree = {
        "train.py": TRAIN.format(imports="import json", head="", made="\n        ".join(made)),
        "README.md": "```sh\npython train.py\n```\n",
    }
    if is_there:
        tree["local.json"] = '{"use_other": true}'
    assert waiting(make_tree, tree) == ({"use_fused"} if is_there else {""})


NO_FILE = {
    "a default": 'parser.set_defaults(config="local.yaml")\ncfg = parser.parse_args()',
    "a dict": 'vars(cfg).update({"config": "local.yaml"})',
    "a list": 'cfg.merge_from_list(["DATA.LABELS", "labels.json"])',
}


@pytest.mark.parametrize("case", NO_FILE)
def test_a_name_of_a_file_that_is_only_a_value_is_not_read(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, NO_FILE[case]) == {"use_fused"}


METHOD = """
import torch
from flash_attn import flash_attn_func

class Runner:
    def run(self, x, use_fused=False):
        if use_fused:
            return flash_attn_func(x, x, x)
        return x
"""
CALLS = {
    "at once": ("pool.submit(ev.run, x, True)", ""),
    "of a pool made there": ("Pool().submit(ev.run, x, True)", ""),
    "by a keyword": ("Thread(target=ev.run, args=(x, True)).start()", ""),
    "partly": ("partial(ev.run, x)(True)", ""),
    "by another name": ("go = ev.run\n        go(x, True)", ""),
    "called without it": ("ev.run(x)", "use_fused"),
    "another method": ("ev.run(x)\n        pool.submit(ev.other, x, True)", "use_fused"),
    "a value": ("ev.run(x)\n        print(cfg.run, x, True)", "use_fused"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_method_that_somebody_is_given_to_call(make_tree: MakeTree, case: str) -> None:
    call, expected = CALLS[case]
    text = TRAIN.replace("if cfg.use_fused:\n            x = flash_attn_func(x, x, x)", call)
    assert call in text
    imports = "from functools import partial; from threading import Thread; from runs import Runner"
    text = text.replace('parser.add_argument("--use_fused", action="store_true")', "pass")
    tree = {
        "runs.py": METHOD,
        "train.py": text.format(imports=imports, head="", made="ev = Runner()"),
        "README.md": "```sh\npython train.py\n```\n",
    }
    assert waiting(make_tree, tree) == {expected}


MADE_OF = """
import argparse
import dataclasses
import attrs
import torch
from types import SimpleNamespace
from flash_attn import flash_attn_func
from pydantic import BaseModel

{kind}

def main():
    cfg = {first}
    {made}
    x = torch.zeros(3, 8, requires_grad=True)
    if cfg.use_fused:
        x = flash_attn_func(x, x, x)
    x.sum().backward()

if __name__ == "__main__":
    main()
"""
OF_PYDANTIC = "class Cfg(BaseModel):\n    use_fused: bool = False\n    steps: int = 3"
OF_DATACLASSES = (
    "@dataclasses.dataclass\nclass Cfg:\n    use_fused: bool = False\n    steps: int = 3"
)
OF_ATTRS = "@attrs.define\nclass Cfg:\n    use_fused: bool = False\n    steps: int = 3"
KEYS_MADE = {
    "formatted": "{{f'use_{{n}}': True for n in ['fused']}}",
    "added": "{{'use_' + input(): True}}",
    "with others": "{{**vars(cfg), 'use_' + input(): True}}",
}
MADE_WITH = {
    "a copy of a model": (OF_PYDANTIC, "cfg = cfg.model_copy(update={})"),
    "the same of older ones": (OF_PYDANTIC, "cfg = cfg.copy(update={})"),
    "a copy of a record": (OF_DATACLASSES, "cfg = dataclasses.replace(cfg, **{})"),
    "a copy of a class": (OF_ATTRS, "cfg = attrs.evolve(cfg, **{})"),
    "a namespace": (OF_DATACLASSES, "cfg = argparse.Namespace(**{})"),
    "a plain one": (OF_DATACLASSES, "cfg = SimpleNamespace(**{})"),
}


def made_with(make_tree: MakeTree, kind: str, made: str) -> set[str]:
    made = made.replace("\n", "\n    ")
    text = MADE_OF.format(kind=kind, first="Cfg()", made=made)
    return waiting(make_tree, {"train.py": text, "README.md": "```sh\npython train.py\n```\n"})


@pytest.mark.parametrize("names", KEYS_MADE)
@pytest.mark.parametrize("case", MADE_WITH)
def test_what_is_made_of_names_that_are_put_together(
    make_tree: MakeTree, case: str, names: str
) -> None:
    kind, made = MADE_WITH[case]
    keys = KEYS_MADE[names].replace("{{", "{").replace("}}", "}")
    assert made_with(make_tree, kind, made.replace("{}", keys)) == {""}
    later = "more = {}\nfor n in input().split():\n    more['use_' + n] = True\n"
    assert made_with(make_tree, kind, later + made.replace("{}", "more")) == {""}


@pytest.mark.parametrize("case", MADE_WITH)
def test_what_is_made_of_names_that_are_written(make_tree: MakeTree, case: str) -> None:
    kind, made = MADE_WITH[case]
    assert made_with(make_tree, kind, made.replace("{}", "{'steps': 4}")) == {"use_fused"}
