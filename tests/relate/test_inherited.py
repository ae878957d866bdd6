"""Settings that a program has of a library's own class, which no line of the tree mentions.

The library's page says what they are where nobody gives them. Each way to give one must leave what
waits for it needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.catalogue.options import defaults_of, words
from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
    import sys
    from dataclasses import dataclass, field
    import torch
    from transformers import HfArgumentParser, TrainingArguments

    @dataclass
    class Ours(TrainingArguments):
        note: str = field(default="")

        def prepare(self):
            if self.deepspeed:
                import deepspeed
                deepspeed.init_distributed()

    def made():
        parser = HfArgumentParser((Ours,))
        if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
            (args,) = parser.parse_json_file(json_file=sys.argv[1])
        else:
            (args,) = parser.parse_args_into_dataclasses()
        return args

    def main():
        args = made()
        args.prepare()
        model = torch.nn.Linear(3, 3)
        model(torch.zeros(3, 3)).sum().backward()

    if __name__ == "__main__":
        main()
    """
OUTSIDE = TRAIN.replace(
    """        def prepare(self):
            if self.deepspeed:
                import deepspeed
                deepspeed.init_distributed()
""",
    "",
).replace(
    "        args.prepare()\n",
    """        if args.deepspeed is not None:
            import deepspeed
            deepspeed.init_distributed()
""",
)
"""What asks the setting is no method of the class."""


def made(text: str, *others: tuple[str, str]) -> str:
    """A program whose `made` has this body."""
    before, _, rest = OUTSIDE.partition("        parser = HfArg")
    _, _, behind = rest.partition("        return args\n")
    program = f"{before}        {text}\n        return args\n{behind}"
    for old, new in others:
        assert old in program
        program = program.replace(old, new)
    return program


IMPORTED = ("import torch\n", "import torch\n    import build\n")


def readme(line: str) -> dict[str, str]:
    return {"README.md": f"# Train\n\n```sh\n{line}\n```\n"}


def grave(make_tree: MakeTree, files: Mapping[str, str]) -> list[Finding]:
    """The calls of DeepSpeed."""
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in files.items()})
    found = report_of(root).findings
    return [each for each in found if each.anchor == "deepspeed.init_distributed"]


OFF: Mapping[str, Mapping[str, str]] = {
    "nobody gives it": {"train.py": TRAIN},
    "the command leaves it out": {"train.py": TRAIN, **readme("python train.py --fp16")},
    "the words behind a script are the user's": {
        "train.py": TRAIN,
        "run.sh": 'python train.py --fp16 "$@"\n',
        **readme("bash run.sh"),
    },
    "it is asked elsewhere": {"train.py": OUTSIDE},
    "a base by its whole name": {
        "train.py": OUTSIDE.replace("class Ours(", "class Ours(transformers.").replace(
            "import torch\n", "import torch\n    import transformers\n"
        )
    },
    "the class itself is parsed": {"train.py": OUTSIDE.replace("((Ours,))", "(TrainingArguments)")},
    "it is one of several in a list": {
        "train.py": OUTSIDE.replace("((Ours,))", "(kinds)").replace(
            "        parser =", "        kinds = [TrainingArguments]\n        parser ="
        )
    },
    "it is made with other fields": {
        "train.py": made('args = TrainingArguments("out", fp16=True)')
    },
    "one is made with fields of its own": {"train.py": made('args = Ours(output_dir="out")')},
}


@pytest.mark.parametrize("files", OFF.values(), ids=OFF)
def test_what_no_line_gives_is_off(make_tree: MakeTree, files: Mapping[str, str]) -> None:
    found = grave(make_tree, files)
    assert found
    assert {each.guard for each in found} == {"guarded"}
    assert {each.guard_by.setting for each in found if each.guard_by} == {"deepspeed"}


ON: Mapping[str, Mapping[str, str]] = {
    "the command gives it": {
        "train.py": TRAIN,
        **readme("python train.py --fp16 --deepspeed ds.json"),
    },
    "the script gives it": {
        "train.py": TRAIN,
        "run.sh": 'python train.py --deepspeed ds.json "$@"\n',
        **readme("bash run.sh"),
    },
    "a file of the command gives it": {
        "train.py": TRAIN,
        "run.json": '{"output_dir": "out", "deepspeed": "ds.json"}\n',
        **readme("python train.py run.json"),
    },
    "the class has another default": {
        "train.py": TRAIN.replace(
            "note: str =", 'deepspeed: str = field(default="ds.json")\n        note: str ='
        )
    },
    "a class of another library": {
        "train.py": TRAIN.replace("import HfArgumentParser, TrainingArguments", "import *").replace(
            "import sys", "import sys\n    from trl import SFTConfig as TrainingArguments"
        )
    },
    "a class of the tree": {
        "train.py": TRAIN.replace(
            "HfArgumentParser, TrainingArguments",
            "HfArgumentParser\n    from ours import TrainingArguments",
        ),
        "ours.py": """
            from library import Base

            class TrainingArguments(Base):
                pass
            """,
    },
    "code sets it": {
        "train.py": TRAIN.replace("return args", "args.deepspeed = found()\n        return args")
    },
    "it is made with it": {
        "train.py": made('args = TrainingArguments("out", deepspeed=sys.argv[1])')
    },
    "it is made by what is unpacked": {
        "train.py": made('args = TrainingArguments("out", **found())')
    },
    "one is made by what is unpacked": {"train.py": made("args = Ours(**found())")},
    "one is made by settings as a whole": {
        "train.py": made("config = found(); args = Ours(**config)")
    },
    "one is made by places": {"train.py": made('args = Ours("out", *found())')},
    "another file makes it by what is unpacked": {
        "train.py": made(
            "args = build(Ours)", ("import torch\n", "import torch\n    import build\n")
        ),
        "build.py": "from train import Ours\n\ndef one(found):\n    return Ours(**found)\n",
    },
    "a mapping is parsed": {
        "train.py": OUTSIDE.replace("parse_args_into_dataclasses()", "parse_dict(found())")
    },
    "another file parses a mapping": {
        "train.py": made("args = build.one(found())", IMPORTED),
        "build.py": """
            from transformers import HfArgumentParser

            def one(found):
                from train import Ours
                return HfArgumentParser(Ours).parse_dict(found)[0]
            """,
    },
    "a file of YAML is parsed": {
        "train.py": OUTSIDE.replace("parse_args_into_dataclasses()", "parse_yaml_file(found())")
    },
    "accelerate may give it": {"train.py": TRAIN, **readme("accelerate launch train.py --fp16")},
    "accelerate may give it in a script": {
        "train.py": TRAIN,
        "run.sh": "accelerate launch --config_file acc.yaml train.py --fp16\n",
        **readme("bash run.sh"),
    },
    "a version has another value": {
        "train.py": OUTSIDE.replace("args.deepspeed is not None", 'args.fsdp == ""')
    },
}


@pytest.mark.parametrize("files", ON.values(), ids=ON)
def test_what_something_may_give_is_needed(make_tree: MakeTree, files: Mapping[str, str]) -> None:
    found = grave(make_tree, files)
    assert found
    assert {each.guard for each in found} == {"none"}


FED = (
    TRAIN.replace(
        "deepspeed.init_distributed()\n",
        """deepspeed.init_distributed()
            else:
                torch.distributed.init_process_group("gloo")
""",
    )
    .replace(
        "        args.prepare()\n",
        """        args.prepare()
        config = AutoConfig.from_pretrained(args.note)
        params = {}
        for part in args.note.split(","):
            params[part[0]] = float(part[1])
        trainer = Loop(args)
        trainer.begin(config, params)
""",
    )
    .replace(
        "    def made():",
        """    class Loop(Trainer):
        def begin(self, config, params):
            if self.args.deepspeed:
                self.deepspeed = engine(self, config, params)

    def made():""",
    )
    .replace("import HfArgumentParser,", "import AutoConfig, HfArgumentParser, Trainer,")
)
"""Where data may give any setting a value, but nothing is seen to give this one, other than where
it is on already; and where there is another way without it."""


def test_a_class_that_has_another_way_takes_that(make_tree: MakeTree) -> None:
    found = grave(make_tree, {"train.py": FED})
    assert found
    assert {each.guard for each in found} == {"fallback"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if self.args.deepspeed:", "if self.args.note:"),
        ("if self.args.deepspeed:", "if not self.args.deepspeed:"),
        ("note: str =", 'deepspeed: str = field(default="ds.json")\n        note: str ='),
        ("        args.prepare()\n", "        args.deepspeed = found()\n        args.prepare()\n"),
        ("class Ours(TrainingArguments)", "class Ours(Other)"),
    ],
)
def test_a_class_that_something_seen_switches_on_needs_it(
    make_tree: MakeTree, old: str, new: str
) -> None:
    assert old in FED
    found = grave(make_tree, {"train.py": FED.replace(old, new)})
    assert found
    assert {each.guard for each in found} == {"none"}


def test_a_class_that_a_line_switches_on_needs_it(make_tree: MakeTree) -> None:
    found = grave(
        make_tree, {"train.py": FED, **readme("python train.py --fp16 --deepspeed ds.json")}
    )
    assert found
    assert {each.guard for each in found} == {"none"}


def test_the_table_says_where_it_is_from() -> None:
    """Each class with the page, the versions that were compared, and values that count as off."""
    assert words().defaults
    for each in words().defaults:
        assert each.source.startswith("https://")
        assert len(each.versions) > 1
        assert all(values for values in each.values.values())
        assert all(defaults_of(name) is each for name in each.classes)
        assert each.launched <= set(each.values)
