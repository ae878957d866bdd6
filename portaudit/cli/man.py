"""The manual page of the program as reStructuredText, made of what its help is made of.

Sphinx makes troff of it: see CONTRIBUTING.md. Only signs of ASCII come out, as not every tool reads
others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import Any

import typer.main

from portaudit import manual
from portaudit.cli.examples import EXAMPLES
from portaudit.cli.reference import called, default_of, is_told, word_of

_HEAD = """\
portaudit
=========

.. Made by `portaudit rules docs` from the program. Sphinx makes portaudit.1 of it.

SYNOPSIS
--------

**portaudit** *COMMAND* [*OPTIONS*] [*ARGUMENTS*]

DESCRIPTION
-----------

"""
_ABOUT = """\
portaudit reads Python and notebooks, CUDA and C++ sources, manifests, Dockerfiles, settings and
scripts. It needs no GPU, and never imports or runs the code that it reads. Options that take a list
may be given several times, or with commas.
"""
_EXIT = {
    "0": "It is done; findings alone do not fail a **scan**.",
    "1": "The gate failed: **check** found something new, **scan** with **--fail-on** something as "
    "grave or worse, **baseline prune --check** an entry that is not needed, **rules test** or "
    "**rules docs --check** something that does not hold.",
    "2": "Wrong use, something that cannot be read, or a failure of portaudit.",
    "130": "Stopped by Ctrl-C.",
}
_FILES = {
    "pyproject.toml": "Settings, in the table **[tool.portaudit]**, at the root of the tree.",
    ".portaudit.toml": "The same without the table's name, in its place.",
    ".portaudit-baseline.json": "Accepted findings.",
    "~/.cache/portaudit": "What is known of files that did not change; **portaudit cache info** "
    "says where it is on your machine.",
}
_ALSO = """\
SEE ALSO
--------

**git**\\ (1), **pre-commit**\\ (1)

**portaudit explain** *RULE* shows all that is known about a rule, with sources.
"""
_SPELLED = str.maketrans({"…": "...", "·": ";", "–": "-", "—": "-", "’": "'", "→": "->"})  # noqa: RUF001
_SPECIAL = re.compile(r"([\\*|_`]|:(?=\S))")  # FILE:LINE would be an address


def source() -> str:
    """The page: what the program is, each command with its options, then what is around it."""
    from portaudit.cli.program import app

    root: Any = typer.main.get_command(app)
    lines = [
        f"{_HEAD}{_escaped(root.help)}\n\n{_ABOUT}",
        *_section("OPTIONS", _options(root.params)),
        *_section("COMMANDS", _commands(root, "")),
        *_section("EXIT STATUS", _entries(_EXIT)),
        *_section("ENVIRONMENT", _environment()),
        *_section("FILES", _entries(_FILES)),
        *_section("EXAMPLES", _examples("")),
        _ALSO,
    ]
    return "\n".join(lines).translate(_SPELLED)


def _section(title: str, lines: Iterator[str], under: str = "-") -> Iterator[str]:
    yield f"{title}\n{under * len(title)}\n"
    yield from lines


def _entries(entries: dict[str, str]) -> Iterator[str]:
    for name, meaning in entries.items():
        yield f"**{name}**\n    {meaning}\n"


def _environment() -> Iterator[str]:
    for variable, meaning in manual.ENVIRONMENT.items():
        yield f"{_escaped(variable)}\n    {_escaped(meaning)}\n"


def _commands(group: Any, above: str) -> Iterator[str]:  # noqa: ANN401 - click's own are untyped
    for inner in group.commands.values():
        name = f"{above} {inner.name}".strip()
        yield from _section(f"portaudit {name}", _command(inner, name), "~")
        if hasattr(inner, "commands"):
            yield from _commands(inner, name)


def _command(command: Any, name: str) -> Iterator[str]:  # noqa: ANN401
    given = [each for each in command.params if is_told(each)]
    arguments = [each for each in given if each.param_type_name == "argument"]
    options = [each for each in given if each.param_type_name == "option"]
    words = [f"**portaudit {name}**"]
    words += ["[*OPTIONS*]"] if options else []
    words += [f"*{_escaped(word_of(each))}*" for each in arguments]
    words += ["*COMMAND*"] if hasattr(command, "commands") else []
    yield " ".join(words) + "\n"
    yield _escaped(cleandoc(command.help or "").replace("\b", "")) + "\n"
    for each in arguments:
        yield f"*{_escaped(called(each))}*\n    {_escaped(each.help or '')}\n"
    yield from _options(options)
    yield from ("Examples:\n", *_examples(name))


def _options(options: Sequence[Any]) -> Iterator[str]:
    for each in options:
        names = ", ".join(f"**{name}**" for name in (*each.opts, *each.secondary_opts))
        value = "" if each.is_flag else f" *{_escaped(each.metavar or 'TEXT')}*"
        told = _escaped(f"{each.help or ''}{default_of(each)}")
        yield f"{names}{value}\n    {told}\n"


def _examples(name: str) -> Iterator[str]:
    rows = EXAMPLES[name]
    widest = max(len(line) for line, _ in rows)
    yield "::\n"
    yield from (f"    {line:<{widest}}  {what}".rstrip() for line, what in rows)
    yield ""


def _escaped(text: str) -> str:
    """Text in which nothing means anything to reStructuredText but `words of code`."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(
        f"**{_SPECIAL.sub(_BEHIND, part)}**" if number % 2 else _SPECIAL.sub(_BEHIND, part)
        for number, part in enumerate(parts)
    )


_BEHIND = r"\\\1"
