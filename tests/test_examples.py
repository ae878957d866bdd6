"""Every example in the documents is run or read by what it is meant for.

A fence of code has a language: `console` (commands and what they say), `sh`, `python`, `toml`,
`yaml` or `json`. What cannot be run here has a comment in front, `<!-- not run: why -->`, and is
counted below. Each example has a fresh copy of a small repository for itself, unless the page says
`<!-- examples: one after the other -->`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomli
import typer
import yaml
from markdown_it import MarkdownIt

from git_repos import ENVIRONMENT, Repo
from portaudit.catalogue.load import load
from portaudit.catalogue.select import select_rules
from portaudit.cli import program
from portaudit.config import read_settings

CHECKOUT = Path(__file__).resolve().parent.parent
PAGES = [
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    *sorted(page for page in (CHECKOUT / "docs").glob("*.md") if page.name != "cli.md"),
]
"""Not the reference of the command line: tests/test_cli_help.py tries its examples."""
LEFT_OUT = "…"
IN_ORDER = "<!-- examples: one after the other -->"
NOT_RUN = re.compile(r"<!-- not run: (?P<why>[^>]+) -->\s*")
NOT_RUN_COUNTED = {
    "README.md": 2,  # an installation, and one to work on portaudit
    "CONTRIBUTING.md": 7,  # the same, and steps that write into the checkout
    "ci.md": 1,  # an installation
    "operators.md": 1,  # needs a Trainium host
    "quickstart.md": 1,  # an installation
    "suppressions.md": 1,  # code to audit
}


class Example(NamedTuple):
    """A fence of code: `place` is the page and the line."""

    page: Path
    line: int
    language: str
    text: str
    run: bool

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def examples(page: Path) -> Iterator[Example]:
    before = ""
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            assert token.map is not None
            run = NOT_RUN.fullmatch(before) is None
            yield Example(page, token.map[0] + 1, token.info.strip(), token.content, run)
        before = token.content if token.type == "html_block" else ""


EXAMPLES = [example for page in PAGES for example in examples(page)]


def of(*languages: str, run: bool = True) -> pytest.MarkDecorator:
    chosen = [each for each in EXAMPLES if each.language in languages and each.run >= run]
    assert chosen
    return pytest.mark.parametrize("example", chosen, ids=lambda each: each.place)


def test_every_example_is_of_a_language_that_is_tried_here() -> None:
    known = {"console", "sh", "python", "toml", "yaml", "json"}
    assert [each.place for each in EXAMPLES if each.language not in known] == []


def test_what_is_not_run_is_counted() -> None:
    assert Counter(each.page.name for each in EXAMPLES if not each.run) == NOT_RUN_COUNTED


# --- settings and data ----------------------------------------------------------------------------


@of("toml")
def test_settings_can_be_used(example: Example, tmp_path: Path) -> None:
    table = tomli.loads(example.text)["tool"]["portaudit"]
    for folder in table.get("rules", ()):
        (tmp_path / folder).mkdir(parents=True)
    for file in [*table.get("entry", ()), *([table["ops"]] if "ops" in table else ())]:
        (tmp_path / file).touch()
    (tmp_path / "pyproject.toml").write_text(example.text, encoding="utf-8")
    settings = read_settings(tmp_path)
    assert settings is not None
    assert len(settings.values) == len(table)
    words = [word for key in ("select", "ignore", "extend-select") for word in table.get(key, ())]
    words += [word for gate in table.get("gate", ()) for word in gate.get("rules", ())]
    words += [word for each in table.get("per-file-ignores", {}).values() for word in each]
    for word in words:
        assert select_rules(load(()).rules, select=[word])


@of("yaml")
def test_yaml_can_be_read(example: Example) -> None:
    assert yaml.safe_load(example.text)


def test_json_can_be_read() -> None:
    for example in EXAMPLES:
        if example.language == "json":
            assert json.loads(example.text)


@of("python", run=False)
def test_python_can_be_compiled(example: Example) -> None:
    compile(example.text, example.place, "exec")


@of("sh", run=False)
def test_shell_can_be_parsed(example: Example) -> None:
    done = subprocess.run(
        ["bash", "-n"],  # noqa: S607
        input=example.text,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- what is typed --------------------------------------------------------------------------------


def typed(page: Path) -> set[str]:
    """Command lines of portaudit in a page, in fences and in sentences."""
    found = re.findall(r"`(portaudit [^`]+)`", page.read_text(encoding="utf-8"))
    for example in examples(page):
        if example.language == "console":
            found += [command for command, _ in shown(example)]
        elif example.language == "sh":
            found += example.text.splitlines()
    lines = (" ".join(re.split(r";|&&| \| ", line)[0].split()) for line in found)
    return {line for line in lines if line.startswith("portaudit ")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    for line in typed(page):
        words = shlex.split(line, comments=True)[1:]
        command: Any = typer.main.get_command(program.app)
        while words and isinstance(command, typer.core.TyperGroup):
            if words[0].startswith("-"):
                break
            names = words[0].split("|")
            assert set(names) <= command.commands.keys(), line
            command, words = command.commands[names[0]], words[1:]
        known = {"--help"} | {name for each in command.params for name in each.opts}
        for word in words:
            if word.startswith("-"):
                assert word.partition("=")[0] in known, line


# --- what is run ----------------------------------------------------------------------------------

TRAIN = """\
import os

import torch


def main():
    model = torch.nn.Linear(4, 4)
    rank = int(os.environ.get("LOCAL_RANK", "0"))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        loss = model(torch.ones(4)).sum()
        model.cuda()
        loss.backward()
        torch.cuda.synchronize()
        optimizer.step()


if __name__ == "__main__":
    main()
"""
GUARDED = "import torch\n\nif torch.cuda.is_available():\n    torch.cuda.synchronize()\n"
KERNEL = "__global__ void scale(float* x, float by) { x[threadIdx.x] *= by; }\n"


@cache
def template(place: Path) -> Path:
    """The repository that examples are tried in: a commit, its successor, tags, a remote branch."""
    repo = Repo.make(place / "repository")
    for name in ("choices", "scattered", "small-gpt"):
        shutil.copytree(CHECKOUT / "fixtures" / name, repo.root / "fixtures" / name)
    repo.commit(
        {
            "train.py": TRAIN.replace("model.cuda()", "model.train()"),
            "guarded.py": GUARDED,
            "src/kernels/scale.cu": KERNEL,
            "services/train/train.py": TRAIN,
            "services/serve/serve.py": TRAIN,
            "neuron-ops.txt": "aten::add.Tensor\naten::add.out\naten::sum\n",
        }
    )
    for tag in ("v1.2", "v1.4.0"):
        repo.git("tag", tag)
    repo.commit({"train.py": TRAIN})
    for tag in ("v1.3", "v1.5.0"):
        repo.git("tag", tag)
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return repo.root


class Shell:
    """A repository to type in; it stays in the directory that a command went to."""

    def __init__(self, source: Path, place: Path) -> None:
        shutil.copytree(source, place / "work")
        self.place = place
        self.here = place / "work"
        self.tools = place / "bin"
        self.tools.mkdir()
        shim = self.tools / "portaudit"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m portaudit "$@"\n')
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)

    def type(self, script: str) -> tuple[int, str]:
        """The exit code of a script, and what it says."""
        left = self.place / "left-in"
        done = subprocess.run(
            ["bash", "-c", f"trap 'pwd > {left}' EXIT\n{script}"],  # noqa: S607
            cwd=self.here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            encoding="utf-8",
            env={
                **os.environ,
                **ENVIRONMENT,
                "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(CHECKOUT),
                "COLUMNS": "100",
            },
        )
        self.here = Path(left.read_text(encoding="utf-8").strip())
        return done.returncode, done.stdout


def shown(example: Example) -> list[tuple[str, str]]:
    """The commands of a transcript, each with what is shown of its output."""
    parts = re.split(r"^\$ (.*)\n", example.text, flags=re.MULTILINE)
    assert parts[0] == "", "a transcript begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def try_transcript(shell: Shell, example: Example) -> None:
    """Every line shown is a line of the output, in order; only marked places leave some out."""
    for command, wanted in shown(example):
        code, output = shell.type(command)
        fails = 2 if "error: " in wanted else int("FAILED" in wanted)
        expected = 0 if "$?" in command else fails
        assert code == expected, f"{command}\n{output}"
        rest = [line.rstrip() for line in output.splitlines()]
        whole = LEFT_OUT not in wanted.splitlines()
        for part in re.split(rf"^{LEFT_OUT}\n", wanted, flags=re.MULTILINE):
            lines = part.splitlines()
            places = (at for at in range(len(rest) + 1) if rest[at : at + len(lines)] == lines)
            found = next(places, None)
            assert found is not None, (
                f"run `{command}`, paste what it says:\n{part}\nnot in\n{output}"
            )
            assert not (whole and (found or len(rest) > len(lines))), f"{command}: there is more"
            rest = rest[found + len(lines) :]


def try_out(shell: Shell, example: Example) -> None:
    if example.language == "console":
        try_transcript(shell, example)
    elif example.language == "sh":
        # A gate that fails is no mistake of the page; wrong use is.
        gate = 'portaudit() { command portaudit "$@" || [ $? = 1 ]; }'
        code, output = shell.type(f"set -e\n{gate}\n{example.text}")
        assert code == 0, output
    elif example.language == "python":
        script = shell.place / "example.py"
        script.write_text(example.text, encoding="utf-8")
        code, output = shell.type(f'"{sys.executable}" "{script}"')
        assert code == 0, output


SINGLE = [
    example
    for example in EXAMPLES
    if example.run
    and example.language in {"console", "sh", "python"}
    and IN_ORDER not in example.page.read_text(encoding="utf-8")
]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("examples"))


@pytest.mark.parametrize("example", SINGLE, ids=lambda each: each.place)
def test_example_can_be_followed(example: Example, source: Path, tmp_path: Path) -> None:
    try_out(Shell(source, tmp_path), example)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if IN_ORDER in page.read_text(encoding="utf-8")],
    ids=lambda page: page.name,
)
def test_page_can_be_followed(page: Path, source: Path, tmp_path: Path) -> None:
    shell = Shell(source, tmp_path)
    for example in examples(page):
        if example.run:
            try_out(shell, example)
