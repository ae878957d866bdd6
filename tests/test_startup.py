"""What a run loads: a hook runs once per commit, and most of its time is loading."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

PYTHON = 'import torch\n\nmodel = torch.nn.Linear(1, 1).to("cuda")\n'
DOCKER = "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\nRUN pip install flash-attn\n"
PROGRAM = """
import sys
from portaudit.cli import main
sys.argv[1:] = {arguments!r}
try:
    main()
except SystemExit as left:
    assert left.code in (0, None), left.code
sys.stderr.write("\\n" + " ".join(sys.modules))
"""


def loaded(*arguments: str) -> set[str]:
    code = PROGRAM.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_the_version_loads_no_engine() -> None:
    unwanted = {"libcst", "rich", "tree_sitter", "yaml", "pathspec", "packaging"}
    assert unwanted.isdisjoint(loaded("--version"))


@pytest.mark.parametrize("form", ["json", "terminal"])
def test_a_python_file_loads_no_other_parser(
    make_tree: Callable[[Mapping[str, str]], Path], form: str
) -> None:
    root = make_tree({"train.py": PYTHON})
    modules = loaded("scan", "--no-cache", "--format", form, str(root / "train.py"))
    assert "libcst" in modules
    others = {"tree_sitter", "yaml", "markdown_it", "pip_requirements_parser", "iniconfig"}
    assert others.isdisjoint(modules)
    assert ("rich" in modules) == (form == "terminal")


def test_a_file_of_another_kind_loads_its_own_parsers_only(
    make_tree: Callable[[Mapping[str, str]], Path],
) -> None:
    root = make_tree({"Dockerfile": DOCKER})
    modules = loaded("scan", "--no-cache", "--format", "json", str(root / "Dockerfile"))
    assert {"tree_sitter_containerfile", "tree_sitter_bash"} <= modules
    assert {"tree_sitter_cuda", "tree_sitter_json", "yaml", "markdown_it"}.isdisjoint(modules)
