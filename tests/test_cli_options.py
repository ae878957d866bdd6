"""Options that commands share: spelled once, the same everywhere, and handed to the engine."""

from __future__ import annotations

import inspect
import os
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
import typer.core
import typer.main
from typer.testing import CliRunner

from portaudit import config
from portaudit.cli import common, program
from portaudit.cli.options import Asked, taking
from portaudit.config import Options
from portaudit.errors import UsageError

MakeTree = Callable[[Mapping[str, str]], Path]
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "scan": (),
    "check": (),
    "diff": ("HEAD", "HEAD"),
    "suppress": ("a.py", "--reason", "why", "--rule", "ALL"),
    "baseline create": (),
    "baseline update": (),
    "baseline prune": (),
    "baseline show": (),
}
GIVEN: Mapping[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "--target": (("--target", "xla"), {"target": "xla"}),
    "--select": (("--select", "AMP, DST", "--select", "FUS"), {"select": ("AMP", "DST", "FUS")}),
    "--ignore": (("--ignore", "RNG"), {"ignore": ("RNG",)}),
    "--extend-select": (("--extend-select", "DTY"), {"extend_select": ("DTY",)}),
    "--min-confidence": (("--min-confidence", "high"), {"min_confidence": "high"}),
    "--rules": (("--rules", "r", "--rules", "s"), {"rules": (Path("r"), Path("s"))}),
    "--ops": (("--ops", "list.txt"), {"ops": Path("list.txt")}),
    "--fail-on": (("--fail-on", "major"), {"fail_on": "major"}),
    "--jobs": (("-j", "3"), {"jobs": 3}),
    "--no-cache": (("--no-cache",), {"cache": False}),
    "--root": (("--root", "."), {"root": Path()}),
    "--baseline": (("--baseline", "b.json"), {"baseline": Path("b.json")}),
    "--force-exclude": (("--force-exclude",), {"force_exclude": True}),
    "--entry": (("--entry", "a.py", "--entry", "b.py"), {"entry": (Path("a.py"), Path("b.py"))}),
}
"""Words of the command line, and what they say of a run."""


def options_of(command: str) -> dict[str, Any]:
    found: Any = typer.main.get_command(program.app)
    for word in command.split():
        found = found.commands[word]
    return {each.opts[0]: each for each in found.params if each.param_type_name == "option"}


@pytest.mark.parametrize("command", ARGUMENTS)
def test_what_is_asked_for_reaches_the_run(
    command: str, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Options] = []

    def load(_paths: object, options: Options, **_more: object) -> None:
        asked.append(options)
        raise UsageError("asked enough")

    monkeypatch.setattr(config, "load", load)
    monkeypatch.chdir(make_tree({"a.py": ""}))
    known = [GIVEN[name] for name in options_of(command) if name in GIVEN]
    words = [word for spelled, _ in known for word in spelled]
    done = CliRunner().invoke(program.app, [*command.split(), *ARGUMENTS[command], *words])
    assert done.stderr == "error: asked enough\n"
    assert asked == [Options(**{key: value for _, said in known for key, value in said.items()})]
    CliRunner().invoke(program.app, [*command.split(), *ARGUMENTS[command]])
    assert asked[1:] == [Options()]


def test_an_option_of_a_run_is_known_to_all_that_scan() -> None:
    every = {"--target", "--rules", "--ops", "--jobs", "--root", "--quiet"}
    for command in ARGUMENTS:
        if command != "baseline show":
            assert every <= options_of(command).keys(), command


def test_options_of_one_name_are_one_option() -> None:
    told: dict[str, set[tuple[object, ...]]] = {}
    for command in ARGUMENTS:
        for name, option in options_of(command).items():
            if name in GIVEN or name in {"--strict", "--verbose", "--quiet", "--color"}:
                said = option.help, option.metavar, tuple(option.opts), option.type.name
                told.setdefault(name, set()).add(said)
    assert told.keys() >= GIVEN.keys()
    assert {name for name, said in told.items() if len(said) > 1} == set()


def test_shared_options_stand_in_their_order_between_those_of_the_command() -> None:
    got: list[object] = []

    @taking("color", "target", "jobs")
    def command(
        path: Annotated[str, typer.Argument()],
        *,
        first: bool = False,
        asked: Asked,
        last: bool = False,
        output: Annotated[str, typer.Option(help="another one")] = "o",
    ) -> None:
        got.extend([path, first, asked, last, output])

    names = list(inspect.signature(command).parameters)
    assert names == ["path", "first", "target", "output", "jobs", "color", "last"]
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, ["p", "--jobs", "2", "--last", "--target", "xla"])
    assert done.exit_code == 0, done.output
    assert got == ["p", False, Asked(target="xla", jobs=2), True, "o"]


def test_a_pipe_is_as_wide_as_the_terminal_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What goes to `less` is read in the terminal that standard error has; a file has no such."""
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    with (
        os.fdopen(master, "rb"),
        os.fdopen(reading, "rb"),
        os.fdopen(slave, "wb", buffering=0) as terminal,
        os.fdopen(writing, "wb", buffering=0) as pipe,
        os.fdopen(nothing, "rb") as null,
        (tmp_path / "report.txt").open("wb") as file,
    ):
        for stdout, stderr, expected in (
            (terminal, null, 72),
            (pipe, terminal, 72),
            (pipe, null, common.PLAIN_WIDTH),
            (file, terminal, common.PLAIN_WIDTH),
        ):
            monkeypatch.setattr(sys, "__stdout__", stdout)
            monkeypatch.setattr(sys, "__stderr__", stderr)
            monkeypatch.setattr(sys, "__stdin__", null)
            assert common.width() == expected
        monkeypatch.setenv("COLUMNS", "90")
        assert common.width() == 90
