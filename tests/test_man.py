"""The man page says what the program does, is current, and is drawn without a warning."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli
import typer.main

from portaudit import manual
from portaudit.cli import man, program
from portaudit.cli.examples import EXAMPLES

CHECKOUT = Path(__file__).resolve().parent.parent
HOME = CHECKOUT / "docs" / "man"
PAGE = CHECKOUT / "docs" / "portaudit.1"
REMEDY = "make it anew: CONTRIBUTING.md has the commands"


def plain(troff: str) -> str:
    """The text of a man page without requests and escapes, its blanks as they come."""
    body = troff.partition("\n.TH ")[2].partition("\n")[2]
    lines = [
        re.sub(r"^\.(?:SH|SS|B|TP|IP) ?", "", line)
        for line in body.splitlines()
        if not re.match(r"\.(?:[a-z]|\\\"|\.|E[XE]|R[SE]|INDENT|UNINDENT|$)", line)
    ]
    text = " ".join(lines)
    text = re.sub(r"\\f(?:\[\w*\]|\([A-Z]{2}|\w)|\\&|\\%", "", text)
    signs = {r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\(ga": "`", r"\(ha": "^", r"\(ti": "~"}
    for escape, sign in {**signs, r"\e": "\\", r"\(bu": "", r"\[u2019]": "'"}.items():
        text = text.replace(escape, sign)
    return " ".join(text.split())


def said(text: str) -> str:
    return " ".join(text.replace("…", "...").replace("`", "").split())


def commands(command: Any, name: str = "") -> list[tuple[str, Any]]:  # noqa: ANN401
    inner = getattr(command, "commands", {})
    below = [commands(each, f"{name} {key}".strip()) for key, each in inner.items()]
    return [(name, command), *(each for found in below for each in found)]


COMMANDS = commands(typer.main.get_command(program.app))


def test_the_source_is_current() -> None:
    assert (HOME / "portaudit.rst").read_text(encoding="utf-8") == man.source(), REMEDY


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name or "-" for name, _ in COMMANDS])
def test_the_page_has_all_that_the_help_says(name: str, command: Any) -> None:  # noqa: ANN401
    text = plain(PAGE.read_text(encoding="utf-8")).replace("`", "")
    assert said(command.help.replace("\b", "")) in text, REMEDY
    for parameter in command.params:
        for spelled in (*parameter.opts, *parameter.secondary_opts):
            if spelled.startswith("-"):
                assert spelled in text, REMEDY
        assert said(parameter.help or "") in text, REMEDY
    for line, _ in EXAMPLES[name]:
        assert " ".join(line.split()) in text, REMEDY


def test_the_page_has_the_sections_that_are_usual() -> None:
    troff = PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^\.SH \"?([A-Z ]+?)\"?$", troff, re.MULTILINE)
    usual = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS"]
    assert sections[:5] == usual[:5]
    assert {*usual, "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"} <= set(sections)
    assert re.search(r"^portaudit \\- \S", troff, re.MULTILINE)
    text = plain(troff)
    for variable in manual.ENVIRONMENT:
        assert variable.replace("`", "") in text
    assert troff.isascii(), "older tools read nothing else"


def test_the_page_is_what_sphinx_makes_of_its_source(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "man", "-d"]
    done = subprocess.run(
        [*command, tmp_path / "read", HOME, tmp_path / "made"],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = (tmp_path / "made" / "portaudit.1").read_text(encoding="utf-8")
    assert plain(made) == plain(PAGE.read_text(encoding="utf-8")), REMEDY
    assert not re.search(r"\b20\d\d\b", made.partition(".SH")[0]), "no clock is in it"


@pytest.mark.parametrize(
    "command",
    [
        ["groff", "-man", "-Tutf8", "-ww", "-rLL=80n"],
        ["mandoc", "-Tlint", "-Wwarning"],
        ["man", "--warnings", "-l"],
    ],
    ids=lambda words: words[0],
)
def test_the_page_is_drawn_without_a_warning(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [*command, PAGE],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
    )
    if "-l" in command and "has been minimized" in done.stdout + done.stderr:
        pytest.skip("man is only a stand-in here")
    if command[0] == "mandoc":
        told = [each for each in done.stdout.splitlines() if "cannot parse date" not in each]
        assert told == [], "but for the word that stands there until there is a release"
        return
    assert (done.returncode, done.stderr) == (0, "")
    assert "portaudit baseline create" in re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout)


def test_the_page_is_part_of_the_wheel() -> None:
    settings = tomli.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"docs/portaudit.1": "share/man/man1/portaudit.1"}
    assert PAGE.is_file()
