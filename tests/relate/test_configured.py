"""Programs that make what settings name: whole trees, from files to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit.types import Report
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
BARRIER = "import torch\ntorch.cuda.synchronize()\n"
LEARNS = f"{BARRIER}class Trainer:\n    def run(self):\n        torch.zeros(3).backward()\n"
HYDRA = """
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

def main(args):
    trainer = instantiate(compose(config_name=args.config).trainer)
    trainer.run()

if __name__ == "__main__":
    initialize_config_module("pkg")
    main(parse())
"""
TREE = {
    "train.py": HYDRA,
    "pkg/__init__.py": "",
    "pkg/trainer.py": LEARNS,
    "pkg/net.py": BARRIER,
    "pkg/conf/train/base.yaml": "trainer:\n  _target_: pkg.trainer.Trainer\n",
    "pkg/conf/infer.yaml": "model:\n  _target_: pkg.net.Net\n",
}
FENCE = "```{}\npython train.py -c {}\n```\n"


def reach(report: Report) -> dict[str, str | None]:
    return {item.path: item.reach for item in report.findings if item.rule.startswith("DEV")}


def why(report: Report) -> str:
    return next(each.why for each in report.score.entry_points if each.main)


@pytest.mark.parametrize("name", ["conf/train/base.yaml", "pkg/conf/train/base.yaml"])
def test_a_line_says_what_is_made(make_tree: MakeTree, name: str) -> None:
    report = report_of(make_tree({**TREE, "README.md": FENCE.format("python", name)}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "unreached"}
    assert why(report).endswith("README.md:2 starts it; it reaches 4 of 7 files")


def test_settings_that_train_may_be_meant_where_no_line_names_any(make_tree: MakeTree) -> None:
    report = report_of(make_tree(TREE))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "unreached"}
    assert why(report).endswith(
        "it cannot be seen further than `train.py`, which makes what settings name: no line says "
        "which, so all that `pkg/conf/train/base.yaml` may bring in counts"
    )


def test_any_settings_may_be_meant_if_none_is_seen_to_train(make_tree: MakeTree) -> None:
    report = report_of(make_tree({**TREE, "pkg/trainer.py": BARRIER}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "main"}
    assert "so all that `pkg/conf/infer.yaml` and 1 more may bring in counts" in why(report)


def test_without_settings_nothing_is_known_to_be_needless(make_tree: MakeTree) -> None:
    tree = {path: text for path, text in TREE.items() if not path.endswith(".yaml")}
    report = report_of(make_tree(tree))
    assert reach(report) == {"pkg/trainer.py": None, "pkg/net.py": None}
    assert "it cannot be seen further than `train.py`" in why(report)


@pytest.mark.parametrize("text", ["model: net\n", "weights: model.pt\n"])
def test_settings_that_name_no_code_do_not_say_what_is_made(make_tree: MakeTree, text: str) -> None:
    files = {
        "train.py": f"{HYDRA}CONFIG = 'pkg/conf/plain.yaml'\n",
        "pkg/conf/plain.yaml": text,
    }
    report = report_of(make_tree({**TREE, **files}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "unreached"}
    assert "cannot be seen further than `train.py`" in why(report)


def test_a_line_may_give_settings_that_name_no_code(make_tree: MakeTree) -> None:
    line = FENCE.format("python", "pkg/conf/plain.yaml")
    files = {"README.md": line, "pkg/conf/plain.yaml": "model: net\n"}
    report = report_of(make_tree({**TREE, **files}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "unreached"}


def test_words_of_settings_that_are_given_say_which_modules_are_meant(
    make_tree: MakeTree,
) -> None:
    tree = {
        **IMPORTING,
        "README.md": FENCE.format("python", "pkg/conf/plain.yaml"),
        "pkg/made.py": "import importlib\n\ndef instantiate(config):\n"
        "    return importlib.import_module(config['name']).Net()\n",
        "pkg/conf/plain.yaml": "name: net\n",
    }
    assert reach(report_of(make_tree(tree)))["pkg/trainer.py"] == "unreached"


def test_files_that_settings_may_add_are_not_what_given_settings_make(
    make_tree: MakeTree,
) -> None:
    tree = {
        **IMPORTING,
        "README.md": FENCE.format("python", "pkg/conf/plain.yaml"),
        "pkg/made.py": "from importlib.util import spec_from_file_location\n\n"
        "def instantiate(config):\n"
        "    for path in config['code_paths']:\n        spec_from_file_location('m', path)\n"
        "    return REGISTRY[config['name']]()\n",
        "pkg/conf/plain.yaml": "name: net\n",
    }
    assert reach(report_of(make_tree(tree)))["pkg/trainer.py"] == "unreached"


OWN = "import torch\nfrom hydra.utils import instantiate\ntorch.zeros(3).backward()\n"


@pytest.mark.parametrize(
    "files",
    [
        {"train.py": f"{HYDRA}CONFIG = 'pkg/conf/infer.yaml'\n"},  # says which
        {"train.py": HYDRA.replace("instantiate(", "made(")},
        {
            "train.py": HYDRA.replace("hydra.utils", "pkg.made"),
            "pkg/made.py": "def instantiate(config):\n    return REGISTRY[config.name]\n",
        },
        {
            "train.py": f"import timm\n{HYDRA}CONFIG = 'pkg/conf/plain.yaml'\n",
            "pkg/conf/plain.yaml": "model:\n  _target_: timm.create_model\n",
        },
    ],
)
def test_what_somebody_says_or_the_tree_defines_is_seen(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    report = report_of(make_tree({**TREE, **files}))
    assert reach(report)["pkg/trainer.py"] == "unreached"
    assert "cannot be seen" not in why(report)


@pytest.mark.parametrize("head", ["import pkg.net\n", "from pkg import net\n"])
def test_a_class_may_be_named_without_its_module(make_tree: MakeTree, head: str) -> None:
    cli = "from lightning.pytorch.cli import LightningCLI\n"
    net = "import torch\n" + "".join(
        f"class {name}:\n    def __init__(self):\n        torch.cuda.synchronize()\n"
        for name in ("Net", "Other")
    )
    tree = {
        "main.py": f"{head}{cli}if __name__ == '__main__':\n    LightningCLI()\n",
        "pkg/net.py": net,
        "conf/a.yaml": "model:\n  class_path: Net\n",
        "README.md": "```\npython main.py fit --config conf/a.yaml\n```\n",
    }
    found = report_of(make_tree(tree)).findings
    assert {item.scope: item.reach for item in found if item.path == "pkg/net.py"} == {
        "Net.__init__": "main",
        "Other.__init__": "unreached",
    }


LEARNING = f"{OWN}if __name__ == '__main__':\n    instantiate(x)\n"


def test_what_learns_itself_may_make_its_model_of_any_settings(make_tree: MakeTree) -> None:
    report = report_of(make_tree({**TREE, "train.py": LEARNING}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "main"}


def test_what_learns_itself_is_seen_if_no_settings_name_code(make_tree: MakeTree) -> None:
    bare = {path: text for path, text in TREE.items() if not path.endswith(".yaml")}
    report = report_of(make_tree({**bare, "train.py": LEARNING}))
    assert reach(report) == {"pkg/trainer.py": "unreached", "pkg/net.py": "unreached"}
    assert "cannot be seen" not in why(report)


IMPORTING = {
    **TREE,
    "train.py": HYDRA.replace("hydra.utils", "pkg.made"),
    "pkg/made.py": (
        "import importlib\ndef instantiate(config):\n"
        "    module, name = config['target'].rsplit('.', 1)\n"
        "    return getattr(importlib.import_module(module), name)(**config)\n"
    ),
}


def test_a_function_of_the_tree_that_imports_what_it_is_given_makes_it(
    make_tree: MakeTree,
) -> None:
    report = report_of(make_tree(IMPORTING))
    assert reach(report)["pkg/trainer.py"] == "main"
    assert "it cannot be seen further than `pkg/made.py`" in why(report)


def test_settings_of_tests_are_not_meant(make_tree: MakeTree) -> None:
    tree = {path.replace("pkg/conf", "tests/conf"): text for path, text in TREE.items()}
    assert reach(report_of(make_tree(tree)))["pkg/trainer.py"] is None


LOCATING = {
    "from pydoc import locate": "locate(cfg['model'])()",
    "import pkgutil": "pkgutil.resolve_name(cfg['model'])()",
    "from hydra.utils import get_class": "get_class(cfg['model'])()",
    "from hydra.utils import call": "call(cfg['model'])",
    "from werkzeug.utils import import_string": "import_string(cfg['model'])()",
    "from importlib.metadata import EntryPoint": "EntryPoint('m', group='g', value=cfg['model'])",
    "import runpy": "runpy.run_path(cfg['model'])",
    "import importlib.util": "importlib.util.spec_from_file_location('m', cfg['model'])",
}
LOOKING = """
import sys, yaml, torch
{}

def main():
    cfg = yaml.safe_load(open(sys.argv[1]))
    model = {}
    torch.zeros(3).backward()

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(("head", "made"), LOCATING.items(), ids=LOCATING)
def test_what_settings_name_may_be_looked_up_by_its_whole_name(
    make_tree: MakeTree, head: str, made: str
) -> None:
    tree = {"train.py": LOOKING.format(head, made), "pkg/__init__.py": "", "pkg/net.py": BARRIER}
    assert reach(report_of(make_tree(tree))) == {"pkg/net.py": None}
    named = {**tree, "cfg/a.yaml": "model: pkg.net.Net\n"}
    assert reach(report_of(make_tree(named))) == {"pkg/net.py": "main"}


def test_a_whole_name_that_is_written_is_seen(make_tree: MakeTree) -> None:
    tree = {
        "train.py": LOOKING.format("from pydoc import locate", "locate('pkg.net.Net')()"),
        "pkg/__init__.py": "",
        "pkg/net.py": BARRIER,
        "pkg/other.py": BARRIER,
    }
    assert reach(report_of(make_tree(tree)))["pkg/other.py"] == "unreached"


MAIN = """
import hydra

@hydra.main("config/config.yaml")
def main(cfg):
    model = hydra.utils.instantiate(cfg.model)
    Trainer().fit(model)

if __name__ == "__main__":
    main()
"""
CHOOSING = {
    "train.py": MAIN,
    "config/config.yaml": "defaults:\n  - task: cls\n  - size: big\n  - model: ${task}-${size}\n",
    "config/task/cls.yaml": "epochs: 2\n",
    "config/task/seg.yaml": "epochs: 3\n",
    "config/size/big.yaml": "width: 8\n",
    "config/model/cls-big.yaml": "model:\n  class: pkg.cls.Net\n",
    "config/model/cls-small.yaml": "model:\n  class: pkg.small.Net\n",
    "config/model/seg-big.yaml": "model:\n  class: pkg.seg.Net\n",
    "tests/config/model/odd.yaml": "model:\n  class: pkg.odd.Net\n",
    "pkg/__init__.py": "",
    "pkg/cls.py": BARRIER,
    "pkg/small.py": BARRIER,
    "pkg/seg.py": BARRIER,
    "pkg/odd.py": BARRIER,
}


def paths(report: Report) -> dict[str, tuple[str | None, str]]:
    return {
        item.path.removeprefix("pkg/"): (item.reach, item.guard)
        for item in report.findings
        if item.rule.startswith("DEV")
    }


def test_a_choice_that_other_settings_make_may_be_any_that_fits(make_tree: MakeTree) -> None:
    report = report_of(make_tree({**CHOOSING, "README.md": "```\npython train.py task=cls\n```\n"}))
    assert paths(report) == {
        "cls.py": ("main", "none"),
        "small.py": ("main", "none"),  # of several parts only the first is told
        "seg.py": ("main", "guarded"),
        "odd.py": ("unreached", "none"),
    }


@pytest.mark.parametrize(
    ("choice", "line", "optional"),
    [
        ("${task}-${size}", "task=seg", set()),  # of a name of one word all that says it counts
        ("${task}-${size}", "task=$TASK", set()),
        ("${task}-${size}", "-m task=cls,seg", set()),
        ("${task}-${size}", "task=other", set()),  # there is none: another `task` is meant
        ("${task}${size}", "task=cls", set()),  # nobody sees where the first ends
        ("${oc.env:TASK}-big", "task=cls", {"small.py"}),
        ("${hydra:a.${b}}", "task=cls", set()),
        ("???", "task=cls", set()),
        ("???", "task=cls model=cls-big", {"small.py", "seg.py"}),
        ("???", "task=cls inner.model=3", set()),
    ],
)
def test_a_choice_is_off_only_if_the_setting_is_known(
    make_tree: MakeTree, choice: str, line: str, optional: set[str]
) -> None:
    settings = CHOOSING["config/config.yaml"].replace("${task}-${size}", choice)
    files = {"config/config.yaml": settings, "README.md": f"```\npython train.py {line}\n```\n"}
    found = paths(report_of(make_tree({**CHOOSING, **files})))
    models = {"cls.py", "small.py", "seg.py"}
    needed = {path for path in models if found[path] == ("main", "none")}
    if choice.startswith("${oc"):  # another name begins otherwise
        assert found["small.py"] == ("unreached", "none")
    assert needed == models - optional


def test_code_says_nothing_of_what_the_line_has_to_give(make_tree: MakeTree) -> None:
    settings = CHOOSING["config/config.yaml"].replace("${task}-${size}", "???")
    main = MAIN.replace("def main(cfg):", "def made(model='cls-big'): ...\ndef main(cfg):")
    found = paths(
        report_of(make_tree({**CHOOSING, "train.py": main, "config/config.yaml": settings}))
    )
    assert found["seg.py"] == ("main", "none")


PLUGGED = """
import sys
import yaml
import torch
import attention
import importlib


def make(text):
    module, name = text.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)()


def add(cfg):
    for text in cfg.plugins:
        make(text)


def main(cfg):
    if cfg.use_plugins:
        add(cfg)
    attention.run(cfg, torch.ones(1)).backward()
EXTRA


if __name__ == "__main__":
    main(wrapped(yaml.safe_load(open(sys.argv[1]))))
"""
FUSED = """import torch


def run(cfg, x):
    if cfg.fused_attention:
        torch.cuda.synchronize()
    return x
"""


@pytest.mark.parametrize(
    ("text", "extra", "is_seen"),
    [
        ("use_plugins: false", "", True),
        ("use_plugins: true", "", False),
        ("epochs: 3", "", False),
        ("use_plugins: false", "    make(cfg.net)", False),
        ("use_plugins: false", "    add(cfg)", False),
        ("use_plugins: false", "    cfg.use_plugins = cfg.epochs > 2", False),
    ],
)
def test_what_would_make_what_settings_name_may_be_off(
    make_tree: MakeTree, text: str, extra: str, is_seen: bool
) -> None:
    """Plugins that the settings which are given do not ask for leave the others as they are."""
    report = report_of(
        make_tree(
            {
                "README.md": "```sh\npython train.py conf/a.yaml\n```\n",
                "conf/a.yaml": f"{text}\nfused_attention: false\n",
                "conf/b.yaml": "plugins:\n  - pkg.net.Net\n",
                "pkg/__init__.py": "",
                "pkg/net.py": BARRIER,
                "attention.py": FUSED,
                "train.py": PLUGGED.replace("EXTRA", extra),
            }
        )
    )
    found = {item.path: item for item in report.findings if item.rule == "DEV007"}
    assert (found["attention.py"].guard == "guarded") is is_seen
    assert (found["pkg/net.py"].reach == "main") is not is_seen
    assert ("cannot be seen further" in why(report)) is not is_seen
