"""Modules whose names options give: whole trees, from files to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit.types import Report
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
BARRIER = "import torch\ntorch.cuda.synchronize()\n"
LEARNS = "net.loss(torch.zeros(3)).backward()\n"
ARGPARSE = """
import argparse
import importlib
import os
import sys
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "models"))
parser = argparse.ArgumentParser()
parser.add_argument("--arch"{})
FLAGS = parser.parse_args()
net = importlib.import_module({}).Net()
"""
PROGRAM = f"{BARRIER}class Net: pass\nif __name__ == '__main__':\n    Net()\n"
LINE = "```\npython train.py {}\n```\n"


def tree(default: str, name: str = "FLAGS.arch", **files: str) -> dict[str, str]:
    return {
        "train.py": ARGPARSE.format(default, name) + LEARNS,
        "models/plain.py": PROGRAM,
        "models/fused.py": PROGRAM,
        "other/far.py": BARRIER,
        "README.md": LINE.format(""),
        **files,
    }


def reach(report: Report) -> dict[str, tuple[str | None, str]]:
    """What reaches each file, and the setting that its code waits for."""
    return {
        item.path: (item.reach, item.guard_by.setting if item.guard_by else "")
        for item in report.findings
        if item.rule.startswith("DEV")
    }


def why(report: Report) -> str:
    return next(each.why for each in report.score.entry_points if each.main)


NEEDED = ("main", "")
WAITS = ("main", "arch")


def test_a_default_names_the_module_and_others_wait_for_the_option(make_tree: MakeTree) -> None:
    report = report_of(make_tree(tree(", default='plain'")))
    found = reach(report)
    assert found["models/plain.py"] == NEEDED
    assert found["models/fused.py"] == WAITS
    assert found["other/far.py"] == ("unreached", "")
    assert "cannot be seen" not in why(report)


def test_what_lies_elsewhere_is_not_chosen_beside_a_default(make_tree: MakeTree) -> None:
    searched = 'sys.path.append(os.path.join(HERE, "models"))'
    for default, expected in ((", default='plain'", "unreached"), ("", "main")):
        files = tree(default)
        files["train.py"] = files["train.py"].replace(
            searched, f'{searched}\nsys.path.append(os.path.join(HERE, "other"))'
        )
        found = reach(report_of(make_tree({**files, "models/setup.py": BARRIER})))
        assert found["other/far.py"][0] == expected
        assert found["models/setup.py"][0] != "main"


def test_a_line_names_another_one(make_tree: MakeTree) -> None:
    files = tree(", default='plain'")
    found = reach(report_of(make_tree({**files, "README.md": LINE.format("--arch fused")})))
    assert found["models/fused.py"] == found["models/plain.py"] == NEEDED


def test_where_nobody_says_the_name_each_may_be_needed(make_tree: MakeTree) -> None:
    report = report_of(make_tree(tree(", required=True")))
    found = reach(report)
    assert found["models/fused.py"] == found["models/plain.py"] == NEEDED
    assert "it cannot be seen further than `train.py`" in why(report)
    assert "`--arch`" in why(report)


def test_where_nothing_may_be_meant_it_cannot_be_told(make_tree: MakeTree) -> None:
    files = tree(", required=True")
    files["train.py"] = files["train.py"].replace('os.path.join(HERE, "models")', "FLAGS.root")
    report = report_of(make_tree(files))
    assert reach(report)["models/fused.py"][0] != "unreached"
    assert "it cannot be seen further than `train.py`" in why(report)


@pytest.mark.parametrize(
    "name",
    [
        'f"models.{FLAGS.arch}"',
        '"models." + FLAGS.arch',
        '"models.%s" % FLAGS.arch',
        '"models.{}".format(FLAGS.arch)',
        '"." + FLAGS.arch, "models"',
        'f"models.{FLAGS.arch.lower()}"',
    ],
)
@pytest.mark.parametrize("marked", [True, False])
def test_a_part_of_the_name(make_tree: MakeTree, name: str, *, marked: bool) -> None:
    files = tree(", default='plain'", name)
    if marked:
        files["models/__init__.py"] = ""
    found = reach(report_of(make_tree(files)))
    assert found["models/plain.py"] == NEEDED
    assert found["models/fused.py"] == WAITS


@pytest.mark.parametrize(
    "name", ['f"models.{FLAGS.arch}"', "FLAGS.arch", "names[FLAGS.arch]", "FLAGS.arch[1:]"]
)
@pytest.mark.parametrize("marked", [True, False])
def test_a_part_that_nobody_says(make_tree: MakeTree, name: str, *, marked: bool) -> None:
    files = tree("", name, **({"models/__init__.py": ""} if marked else {}))
    report = report_of(make_tree(files))
    found = reach(report)
    assert "it cannot be seen further than `train.py`" in why(report)
    assert found["models/fused.py"] == found["models/plain.py"] == NEEDED


CLICK = """
import importlib, sys
import click
import torch

sys.path.insert(0, "models")

@click.command()
@click.option("--arch", default="plain")
def main(arch):
    net = __import__(arch).Net()
    net.loss(torch.zeros(3)).backward()

if __name__ == "__main__":
    main()
"""
FIELD = """
import importlib, sys
from dataclasses import dataclass
import torch

sys.path.insert(0, "models")

@dataclass
class Config:
    arch: str = "plain"

def main(cfg: Config):
    net = importlib.import_module(cfg.arch).Net()
    net.loss(torch.zeros(3)).backward()

if __name__ == "__main__":
    main(Config())
"""
ENVIRON = """
import importlib, os, sys
import torch

sys.path.insert(0, "models")
net = importlib.import_module(os.environ.get("ARCH", "plain")).Net()
net.loss(torch.zeros(3)).backward()
"""
FILE = """
import argparse, importlib.util
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--arch", default="plain")
args = parser.parse_args()
spec = importlib.util.spec_from_file_location("net", f"models/{args.arch}.py")
net = importlib.util.module_from_spec(spec)
spec.loader.exec_module(net)
net.loss(torch.zeros(3)).backward()
"""
RUNPY = """
import argparse, runpy
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--arch", default="plain")
args = parser.parse_args()
net = runpy.run_module(f"models.{args.arch}")
net["loss"](torch.zeros(3)).backward()
"""


@pytest.mark.parametrize("train", [CLICK, FIELD, ENVIRON, FILE, RUNPY])
def test_other_ways_to_say_a_name(make_tree: MakeTree, train: str) -> None:
    found = reach(report_of(make_tree({**tree(""), "train.py": train})))
    assert found["models/plain.py"] == NEEDED
    assert found["models/fused.py"][0] == "main"


def test_a_helper_of_another_file_is_given_the_name(make_tree: MakeTree) -> None:
    files = tree(", default='plain'")
    files["train.py"] = (
        files["train.py"]
        .replace("import torch\n", "import torch\nfrom helper import load\n")
        .replace("importlib.import_module(FLAGS.arch)", "load(FLAGS.arch)")
    )
    files["helper.py"] = (
        "import importlib\n\ndef load(arch):\n    return importlib.import_module(arch)\n"
    )
    found = reach(report_of(make_tree(files)))
    assert found["models/plain.py"] == NEEDED
    assert found["models/fused.py"][0] == "main"


def packages(name: str, default: str = ", default='plain'", **files: str) -> dict[str, str]:
    """A tree whose modules lie in packages, each of which brings in a net of its own."""
    return {
        "train.py": ARGPARSE.format(default, name) + LEARNS,
        "models/__init__.py": BARRIER,
        **{
            f"models/{kind}/{file}.py": text
            for kind in ("plain", "fused")
            for file, text in {
                "__init__": f"from .net import Net\n{BARRIER}",
                "net": PROGRAM,
                "registry": "from . import Net\n",
            }.items()
        },
        "README.md": LINE.format(""),
        **files,
    }


ALSO = f"import models.fused\n{LEARNS}"
IN_PACKAGES = 'f"models.{FLAGS.arch}.registry"'


def test_a_package_runs_with_the_module_that_is_meant_in_it(make_tree: MakeTree) -> None:
    assert reach(report_of(make_tree(packages(IN_PACKAGES)))) == {
        "models/__init__.py": NEEDED,
        "models/plain/__init__.py": NEEDED,
        "models/plain/net.py": NEEDED,
        "models/fused/__init__.py": WAITS,
        "models/fused/net.py": WAITS,
    }


@pytest.mark.parametrize(
    "files",
    [
        {"train.py": ARGPARSE.format("", IN_PACKAGES) + LEARNS},
        {"README.md": LINE.format("--arch $ARCH")},
        {"README.md": LINE.format("--arch fused")},
        {"models/plain/registry.py": "from . import Net\nfrom ..fused import Net as Other\n"},
        {"models/__init__.py": f"from models import fused\n{BARRIER}"},
        {"train.py": ARGPARSE.format(", default='plain'", IN_PACKAGES) + ALSO},
    ],
)
def test_a_package_that_something_else_brings_in_does_not_wait(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    found = reach(report_of(make_tree({**packages(IN_PACKAGES), **files})))
    assert found["models/fused/__init__.py"] == found["models/fused/net.py"] == NEEDED


@pytest.mark.parametrize("name", ['f"models.{FLAGS.arch}"', '"." + FLAGS.arch, "models"'])
def test_a_package_runs_with_what_lies_deep_in_it(make_tree: MakeTree, name: str) -> None:
    found = reach(report_of(make_tree(packages(name, ", default='plain.net'"))))
    assert found["models/plain/__init__.py"] == found["models/plain/net.py"] == NEEDED
    assert found["models/fused/__init__.py"] == found["models/fused/net.py"] == WAITS


TRYING = """
import argparse
import importlib
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--arch", {default})
args = parser.parse_args()

def load():
    for prefix in ("models", "extra.deep"):
        {before}
        try:
            {body}
        except ImportError:
            continue
        {after}
    return module

net = load().Net()
net.loss(torch.zeros(3)).backward()
"""
IMPORTED = 'module = importlib.import_module(f"{prefix}.{args.arch}.registry")'


def trying(
    body: str = f"{IMPORTED}; break",
    before: str = "",
    after: str = "",
    default: str = "default='plain'",
) -> dict[str, str]:
    body = body.replace("; ", "\n            ")
    text = TRYING.format(body=body, before=before, after=after, default=default)
    return {
        **packages(IN_PACKAGES),
        "train.py": text,
        "extra/__init__.py": BARRIER,
        "extra/deep/__init__.py": BARRIER,
        "extra/deep/odd/__init__.py": "",
        "extra/deep/odd/registry.py": BARRIER,
    }


@pytest.mark.parametrize(
    ("body", "after"),
    [
        (f"{IMPORTED}; break", ""),
        (IMPORTED.replace("module =", "return"), ""),
        (IMPORTED, "else:\n            break"),
        (IMPORTED, "else:\n            return module"),
    ],
)
def test_what_is_tried_next_waits_for_what_is_there(
    make_tree: MakeTree, body: str, after: str
) -> None:
    found = reach(report_of(make_tree(trying(body, after=after))))
    assert found["models/plain/net.py"] == found["models/__init__.py"] == NEEDED
    assert found["extra/__init__.py"] == found["extra/deep/__init__.py"] == WAITS
    assert found["extra/deep/odd/registry.py"] == WAITS


@pytest.mark.parametrize(
    "files",
    [
        trying(IMPORTED),  # all are tried
        trying(f"{IMPORTED}; break", default="default='odd'"),  # it is in the second
        trying(f"{IMPORTED}; break", default="required=True"),
        trying(f"{IMPORTED}; module.CONFIG; break"),  # fails later
        trying(f"print(); {IMPORTED}; break"),
        trying(f"{IMPORTED}; break", before="importlib.import_module(prefix)"),
        trying(f"{IMPORTED}; break", before="import extra.deep"),
        {**trying(), "models/plain/registry.py": "import extra.deep\nfrom . import Net\n"},
    ],
)
def test_what_is_tried_next_may_be_needed(make_tree: MakeTree, files: Mapping[str, str]) -> None:
    found = reach(report_of(make_tree(files)))
    assert found["extra/__init__.py"] == found["extra/deep/__init__.py"] == NEEDED
