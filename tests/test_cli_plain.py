"""Plain words of the command line mean what typer reads in them; other words are left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from portaudit.cli import plain
from portaudit.cli.given import COMMANDS, OPTIONS, Asked
from portaudit.cli.options import Paths, taking

VALUES = ["a.py", "3", "0", "-1", "-v", "x y", "DEV,AMP", "", "--", "json=out.json", "1.5", "٣"]
SPELLED = sorted({spelled for option in OPTIONS.values() for spelled in option.names})
WORD = (
    st.sampled_from(SPELLED)
    | st.sampled_from(VALUES)
    | st.builds("{}={}".format, st.sampled_from(SPELLED), st.sampled_from(VALUES))
    | st.sampled_from(["--help", "--nothing", "-jq", "-j4", "--form", "-"])
)


def by_typer(name: str, words: list[str]) -> tuple[list[Path] | None, Asked] | None:
    """What typer makes of words; None where it refuses them or shows its help."""
    got: list[tuple[Any, Asked]] = []
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command()
    @taking(*COMMANDS[name])
    def command(paths: Paths = None, *, asked: Asked) -> None:
        got.append((paths, asked))

    CliRunner().invoke(app, words)
    return got[0] if got else None


@given(st.sampled_from(sorted(COMMANDS)), st.lists(WORD, max_size=6))
def test_what_is_understood_is_what_typer_understands(name: str, words: list[str]) -> None:
    found = plain.parse(words, COMMANDS[name])
    if found is not None:
        assert found == by_typer(name, words)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["a.py", "b.py"],
        ["--format", "json", "a.py", "--output", "out.json"],
        ["--format", "json", "--format=html=a.html"],
        ["--format=json", "-q", "--", "-odd.py"],
        ["--select", "DEV", "--select", "AMP", "--entry", "train.py"],
        ["-j", "4", "-v", "--no-cache", "--root", "..", "--fail-on", "major"],
    ],
)
def test_what_people_write_is_understood(words: list[str]) -> None:
    found = plain.parse(words, COMMANDS["scan"])
    assert found is not None
    assert found == by_typer("scan", words)


@pytest.mark.parametrize("words", [["--staged"], ["--diff", "main"], ["--stdin-filename", "a.py"]])
def test_a_command_has_its_own_options_only(words: list[str]) -> None:
    assert plain.parse(words, COMMANDS["scan"]) is None
    assert plain.parse(words, COMMANDS["check"]) == by_typer("check", words)


def test_every_option_has_a_spelling_and_a_reader() -> None:
    assert tuple(OPTIONS) == Asked.__struct_fields__
    for name in OPTIONS:
        kind = plain._kind(name)
        assert kind == "bool" or kind.removeprefix("list[").rstrip("]") in plain._READERS
