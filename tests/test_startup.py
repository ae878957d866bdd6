"""What a run loads: a hook runs once per commit, and most of its time is loading."""

from __future__ import annotations

import os
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
PARSERS = {"tree_sitter", "yaml", "markdown_it", "pip_requirements_parser", "iniconfig"}
DRAWING = {"rich", "typer", "typer.rich_utils", "shellingham", "click"}
Make = Callable[[Mapping[str, str]], Path]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAUDIT_CACHE_DIR", str(tmp_path / "kept"))


def loaded(*arguments: str) -> set[str]:
    code = PROGRAM.format(arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    return set(done.stderr.splitlines()[-1].split())


def test_the_version_loads_next_to_nothing() -> None:
    modules = loaded("--version")
    assert (PARSERS | DRAWING | {"libcst", "msgspec", "pathspec", "packaging"}).isdisjoint(modules)


@pytest.mark.parametrize("words", [("--help",), ("scan", "--help"), ("check", "--help")])
def test_a_help_text_loads_neither_the_engine_nor_what_draws(words: tuple[str, ...]) -> None:
    modules = loaded(*words)
    unwanted = PARSERS | {"libcst", "rich", "typer.rich_utils", "pathspec", "packaging"}
    assert unwanted.isdisjoint(modules)
    assert "portaudit.engine" not in modules


@pytest.mark.parametrize("form", ["json", "terminal"])
@pytest.mark.parametrize("command", ["scan", "check"])
def test_a_python_file_loads_no_other_parser(make_tree: Make, form: str, command: str) -> None:
    root = make_tree({"train.py": PYTHON})
    words = ("--fail-on", "none") if command == "check" else ()
    modules = loaded(command, "--no-cache", "--format", form, *words, str(root / "train.py"))
    assert "libcst" in modules
    assert (PARSERS | DRAWING | {"pathspec", "packaging"}).isdisjoint(modules)


@pytest.mark.parametrize("form", ["json", "terminal"])
@pytest.mark.parametrize("command", ["scan", "check"])
def test_a_known_file_loads_neither_the_engine_nor_the_rules(
    make_tree: Make, form: str, command: str
) -> None:
    root = make_tree({"train.py": PYTHON, "other.py": "import torch\n"})
    words = ("--fail-on", "none") if command == "check" else ()
    given = (command, "--format", form, *words, str(root / "train.py"))
    loaded(*given)
    modules = loaded(*given)
    unwanted = PARSERS | DRAWING | {"libcst", "pathspec", "packaging", "subprocess"}
    assert unwanted.isdisjoint(modules)
    ours = {"portaudit.engine", "portaudit.scan", "portaudit.catalogue.load"}
    assert ours.isdisjoint(modules)


@pytest.mark.parametrize("command", ["scan", "check"])
def test_a_changed_file_without_a_word_of_a_rule_loads_next_to_nothing(
    make_tree: Make, command: str
) -> None:
    root = make_tree({"train.py": PYTHON, "plain.py": "import json\n"})
    given = (command, "--root", str(root), str(root / "plain.py"))
    loaded(*given)
    (root / "plain.py").write_text("import json\nimport numpy as np\n\nx = np.array(1)\n")
    modules = loaded(*given)
    unwanted = PARSERS | DRAWING | {"libcst", "pathspec", "packaging", "subprocess", "tomli"}
    assert unwanted.isdisjoint(modules)
    ours = {"portaudit.engine", "portaudit.scan", "portaudit.catalogue.load", "portaudit.match"}
    assert ours.isdisjoint(modules)


def test_a_file_of_another_kind_loads_its_own_parsers_only(make_tree: Make) -> None:
    root = make_tree({"Dockerfile": DOCKER})
    modules = loaded("scan", "--no-cache", "--format", "json", str(root / "Dockerfile"))
    assert {"tree_sitter_containerfile", "tree_sitter_bash"} <= modules
    assert {"tree_sitter_cuda", "tree_sitter_json", "yaml", "markdown_it"}.isdisjoint(modules)
