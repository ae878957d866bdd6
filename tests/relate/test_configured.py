"""Programs that make what settings name: whole trees, from files to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit import config, engine
from portaudit.config import Options
from portaudit.types import Report

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


def scanned(root: Path) -> Report:
    options = Options(root=root, cache=False, jobs=1)
    return engine.scan(config.load([root], options, cwd=root))


def reach(report: Report) -> dict[str, str | None]:
    return {item.path: item.reach for item in report.findings if item.rule.startswith("DEV")}


def why(report: Report) -> str:
    return next(each.why for each in report.score.entry_points if each.main)


@pytest.mark.parametrize("name", ["conf/train/base.yaml", "pkg/conf/train/base.yaml"])
def test_a_line_says_what_is_made(make_tree: MakeTree, name: str) -> None:
    report = scanned(make_tree({**TREE, "README.md": FENCE.format("python", name)}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "unreached"}
    assert why(report).endswith("README.md:2 starts it; it reaches 4 of 7 files")


def test_settings_that_train_may_be_meant_where_no_line_names_any(make_tree: MakeTree) -> None:
    report = scanned(make_tree(TREE))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "unreached"}
    assert why(report).endswith(
        "it cannot be seen further than `train.py`, which makes what settings name: no line says "
        "which, so all that `pkg/conf/train/base.yaml` may bring in counts"
    )


def test_any_settings_may_be_meant_if_none_is_seen_to_train(make_tree: MakeTree) -> None:
    report = scanned(make_tree({**TREE, "pkg/trainer.py": BARRIER}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "main"}
    assert "so all that `pkg/conf/infer.yaml` and 1 more may bring in counts" in why(report)


def test_without_settings_nothing_is_known_to_be_needless(make_tree: MakeTree) -> None:
    tree = {path: text for path, text in TREE.items() if not path.endswith(".yaml")}
    report = scanned(make_tree(tree))
    assert reach(report) == {"pkg/trainer.py": None, "pkg/net.py": None}
    assert "it cannot be seen further than `train.py`" in why(report)


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
            "train.py": f"{HYDRA}CONFIG = 'pkg/conf/plain.yaml'\n",
            "pkg/conf/plain.yaml": "model: net\n",
        },
    ],
)
def test_what_somebody_says_or_the_tree_defines_is_seen(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    report = scanned(make_tree({**TREE, **files}))
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
    found = scanned(make_tree(tree)).findings
    assert {item.scope: item.reach for item in found if item.path == "pkg/net.py"} == {
        "Net.__init__": "main",
        "Other.__init__": "unreached",
    }


LEARNING = f"{OWN}if __name__ == '__main__':\n    instantiate(x)\n"


def test_what_learns_itself_may_make_its_model_of_any_settings(make_tree: MakeTree) -> None:
    report = scanned(make_tree({**TREE, "train.py": LEARNING}))
    assert reach(report) == {"pkg/trainer.py": "main", "pkg/net.py": "main"}


def test_what_learns_itself_is_seen_if_no_settings_name_code(make_tree: MakeTree) -> None:
    bare = {path: text for path, text in TREE.items() if not path.endswith(".yaml")}
    report = scanned(make_tree({**bare, "train.py": LEARNING}))
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
    report = scanned(make_tree(IMPORTING))
    assert reach(report)["pkg/trainer.py"] == "main"
    assert "it cannot be seen further than `pkg/made.py`" in why(report)


def test_settings_of_tests_are_not_meant(make_tree: MakeTree) -> None:
    tree = {path.replace("pkg/conf", "tests/conf"): text for path, text in TREE.items()}
    assert reach(scanned(make_tree(tree)))["pkg/trainer.py"] is None


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
    assert reach(scanned(make_tree(tree))) == {"pkg/net.py": None}
    named = {**tree, "cfg/a.yaml": "model: pkg.net.Net\n"}
    assert reach(scanned(make_tree(named))) == {"pkg/net.py": "main"}


def test_a_whole_name_that_is_written_is_seen(make_tree: MakeTree) -> None:
    tree = {
        "train.py": LOOKING.format("from pydoc import locate", "locate('pkg.net.Net')()"),
        "pkg/__init__.py": "",
        "pkg/net.py": BARRIER,
        "pkg/other.py": BARRIER,
    }
    assert reach(scanned(make_tree(tree)))["pkg/other.py"] == "unreached"
