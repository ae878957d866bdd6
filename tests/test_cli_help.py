"""Help by example, the reference of the command line, and what shells complete."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from portaudit.cli import program, reference
from portaudit.cli.examples import EXAMPLES

CHECKOUT = Path(__file__).resolve().parent.parent


def commands() -> Iterator[tuple[str, Any]]:
    waiting: list[tuple[str, Any]] = [("", typer.main.get_command(program.app))]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        inner = getattr(command, "commands", {})
        waiting += [(f"{name} {key}".strip(), each) for key, each in inner.items()]


COMMANDS = dict(commands())
TYPED = sorted({words for rows in EXAMPLES.values() for words, _ in rows})


def test_every_command_has_examples() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("typed", TYPED)
def test_examples_are_understood(typed: str) -> None:
    first, *words = shlex.split(typed)
    assert first == "portaudit"
    command, name = COMMANDS[""], ""
    while words and f"{name} {words[0]}".strip() in COMMANDS:
        name = f"{name} {words.pop(0)}".strip()
        command = COMMANDS[name]
    assert not hasattr(command, "commands"), "a command is missing"
    with command.make_context(name, list(words)):
        pass


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_in_examples_and_fits(name: str) -> None:
    done = CliRunner().invoke(program.app, [*name.split(), "--help"], env={"COLUMNS": "80"})
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    at = lines.index("  Examples:")
    assert len(lines) - at - 1 == len(EXAMPLES[name])
    assert all("..." not in line for line in lines[:at] if line.startswith("  ") and not name)


def test_the_reference_is_current() -> None:
    text = (CHECKOUT / "docs" / "cli.md").read_text("utf-8")
    assert text == reference.page(), "run `portaudit rules docs` and commit what it writes"
    assert all(f"\n## portaudit {name}".rstrip() + "\n" in text for name in COMMANDS)


def completed(typed: str, shell: str = "bash") -> list[str]:
    """What a shell offers for the last word."""
    words = {"bash": "COMP_WORDS", "zsh": "_TYPER_COMPLETE_ARGS", "fish": "_TYPER_COMPLETE_ARGS"}
    variables = {
        "_PORTAUDIT_COMPLETE": f"complete_{shell}",
        words[shell]: typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "PYTHONPATH": str(CHECKOUT),
    }
    made = "import sys; sys.argv[:] = ['portaudit']; from portaudit.cli import main\n"
    made += "try:\n    main()\nfinally:\n    sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", made],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, **variables},
    )
    assert {"libcst", "portaudit.engine"}.isdisjoint(done.stderr.split())
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("portaudit sc", ["scan"]),
        ("portaudit scan --target ", ["torchneuron", "xla"]),
        ("portaudit scan --target x", ["xla"]),
        ("portaudit scan --format terminal,js", ["terminal,json"]),
        ("portaudit scan --group-by ", ["root", "file", "rule", "category"]),
        ("portaudit scan --select DEV00", [f"DEV00{number}" for number in range(1, 10)]),
        ("portaudit scan --select AMP,DEV019", ["AMP,DEV019"]),
        ("portaudit scan --select triton-k", ["triton-kernel"]),
        ("portaudit check --fail-on m", ["minor", "major"]),
        ("portaudit explain FUS00", [f"FUS00{number}" for number in range(1, 7)]),
        ("portaudit explain fixtures/choices/tr", ["fixtures/choices/train.py"]),
        ("portaudit scan --hyper", ["--hyperlinks"]),
    ],
)
def test_shells_complete_words(typed: str, offered: list[str]) -> None:
    assert completed(typed) == offered


def test_other_shells_are_told_what_a_word_means() -> None:
    assert "cuda-synchronize" in " ".join(completed("portaudit explain DEV007", "zsh"))
    assert "cuda-synchronize" in " ".join(completed("portaudit explain DEV007", "fish"))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["scna"], "Did you mean 'scan'?"),
        (["scan", "--formt", "json"], "--format"),
        (["baseline", "craete"], "Did you mean 'create'?"),
        (["scan", "--format", "jsn"], 'did you mean "json"?'),
        (["scan", "--target", "xlaa"], 'did you mean "xla"?'),
        (["explain", "cuda-synchronise"], 'did you mean "cuda-synchronize"?'),
        (["scan", "--hyperlinks", "allways"], 'did you mean "always"?'),
    ],
)
def test_mistakes_are_answered_with_a_word_that_exists(words: list[str], hint: str) -> None:
    done = CliRunner().invoke(program.app, words)
    assert done.exit_code == 2
    assert hint in done.stderr
