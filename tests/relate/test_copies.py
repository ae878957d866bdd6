"""Copies of libraries that lie in the tree: what is meant where a line installs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
BARRIER = "import torch\ntorch.cuda.synchronize()\n"
TREE = {
    "run/main.py": (
        "import torch\nfrom mamba_ssm.modules.simple import Mamba\n"
        "if __name__ == '__main__':\n    Mamba()(torch.zeros(3)).backward()\n"
    ),
    "mamba-1p1/setup.py": "from setuptools import setup\nsetup(name='mamba_ssm')\n",
    "mamba-1p1/mamba_ssm/__init__.py": "from mamba_ssm.ops import scan\n",
    "mamba-1p1/mamba_ssm/ops.py": f"{BARRIER}from causal_conv1d import conv\n",
    "mamba-1p1/mamba_ssm/modules/__init__.py": "",
    "mamba-1p1/mamba_ssm/modules/simple.py": f"{BARRIER}class Mamba: pass\n",
    "mamba-1p1/mamba_ssm/unused.py": BARRIER,
    "causal-conv1d/setup.py": "from setuptools import setup\nsetup(name='causal_conv1d')\n",
    "causal-conv1d/causal_conv1d/__init__.py": BARRIER,
}
PACKAGE = "mamba-1p1/mamba_ssm"


def reach(root: Path) -> dict[str, str | None]:
    report = report_of(root)
    return {item.path: item.reach for item in report.findings if item.rule.startswith("DEV")}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "- `pip install -e causal_conv1d>=1.1.0`\n- `pip install -e mamba-1p1`\n"),
        (
            "README.md",
            "`cd mamba-1p1; pip install -e .`\n\n`cd causal-conv1d && python setup.py install`\n",
        ),
        ("README.md", "```sh\npip install ./mamba-1p1/ './causal-conv1d[dev]'\n```\n"),
        ("run/install.sh", "pip install -e ../mamba-1p1 && pip3 install ../causal-conv1d\n"),
        ("Dockerfile", "FROM x\nRUN pip install -U mamba-1p1/. && pip install causal-conv1d/\n"),
    ],
)  # fmt: skip
def test_a_copy_that_is_installed_is_what_the_program_imports(
    make_tree: MakeTree, path: str, text: str
) -> None:
    found = reach(make_tree({**TREE, path: text}))
    assert found[f"{PACKAGE}/modules/simple.py"] == "main"
    assert found[f"{PACKAGE}/ops.py"] == "main"
    assert found["causal-conv1d/causal_conv1d/__init__.py"] == "main"
    assert found[f"{PACKAGE}/unused.py"] == "unreached"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "Needs `pip install mamba-ssm` and a copy of mamba-1p1.\n"),
        ("mamba-1p1/README.md", "`pip install .` or `pip install mamba-1p1`\n"),
        ("tests/README.md", "`pip install -e ../mamba-1p1`\n"),
    ],
)
def test_a_copy_that_nothing_installs_is_the_library(
    make_tree: MakeTree, path: str, text: str
) -> None:
    found = reach(make_tree({**TREE, path: text}))
    assert found[f"{PACKAGE}/modules/simple.py"] != "main"
