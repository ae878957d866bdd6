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
    ("words", "first"),
    [
        (["scna"], "no such command 'scna'; did you mean 'scan'?"),
        (["scan", "--formt", "json"], "no such option: --formt (possible options: --format"),
        (["scan", "--jobs", "many"], "invalid value for '--jobs' / '-j': 'many' is not a valid"),
        (["scan", "--jobs"], "option '--jobs' requires an argument"),
        (["explain"], "missing argument 'RULE|PATH:LINE[:COLUMN]'"),
        (["baseline", "craete"], "no such command 'craete'; did you mean 'create'?"),
        (["scan", "--format", "jsn"], 'no format is called "jsn"; did you mean "json"?'),
        (["scan", "--target", "xlaa"], '--target must be one of torchneuron, xla, not "xlaa"'),
        (["explain", "cuda-synchronise"], 'no rule has the id or name "cuda-synchronise"; did'),
        (["scan", "--hyperlinks", "allways"], "--hyperlinks must be auto, always or never"),
    ],
)
def test_mistakes_are_answered_in_one_form(words: list[str], first: str) -> None:
    done = CliRunner().invoke(program.app, words)
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"error: {first}"), done.stderr
    assert lines[0][-1] != "."
    assert [line for line in lines[1:] if "rror" in line] == []
    assert done.stdout == ""


def test_a_word_that_is_no_option_shows_how_to_go_on() -> None:
    done = CliRunner().invoke(program.app, ["scan", "--formt"], prog_name="portaudit")
    assert done.stderr.splitlines()[1:] == [
        "Usage: portaudit scan [OPTIONS] [PATH]...",
        "Try 'portaudit scan --help' for help.",
    ]


def test_without_words_the_help_is_shown() -> None:
    told = CliRunner().invoke(program.app, ["--help"]).stdout
    done = CliRunner().invoke(program.app, [])
    assert told.strip() in done.output
    assert "error" not in done.output


@pytest.mark.parametrize("name", COMMANDS)
def test_what_may_be_given_several_times_says_so(name: str) -> None:
    shown = CliRunner().invoke(program.app, [*name.split(), "--help"]).stdout
    page = (CHECKOUT / "docs" / "cli.md").read_text("utf-8")
    section = page.partition(f"\n## portaudit {name}".rstrip() + "\n")[2].partition("\n## ")[0]
    for each in COMMANDS[name].params:
        if each.param_type_name == "argument":
            word = reference.called(each)
            assert "..." not in word
            many = each.nargs == -1
            spelled = word if each.required else f"[{word}]"
            assert (f"{spelled}..." if many else word) in shown.partition("\n")[0]
            assert reference.word_of(each) in section
            assert many == ("..." in reference.word_of(each))
