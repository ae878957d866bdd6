"""The reference of the command line as a page, made of what typer makes its help texts of.

Does not depend on how a release of typer draws those.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import typer.main

from portaudit.cli.examples import EXAMPLES

_HIDDEN = frozenset({"help", "install_completion", "show_completion"})
_HEAD = """\
# The command line

Made by `portaudit rules docs` from the program: what `portaudit COMMAND --help` says. Options that
take a list may be given several times, or with commas. Exit codes are in the
[README](../README.md#exit-codes), settings in its
[section on configuration](../README.md#configuration).

`portaudit --install-completion` has your shell complete commands, options, rules, formats and
targets; `--show-completion` prints what that would install.
"""


def page() -> str:
    """All commands, each with its words, options and examples."""
    from portaudit.cli.program import app

    root: Any = typer.main.get_command(app)
    return "\n".join((_HEAD, *_commands(root, "")))


def _commands(command: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - click's own are untyped
    yield from _section(command, name)
    for inner in getattr(command, "commands", {}).values():
        yield from _commands(inner, f"{name} {inner.name}".strip())


def _section(command: Any, name: str) -> Iterator[str]:  # noqa: ANN401
    given = [each for each in command.params if is_told(each)]
    arguments = [each for each in given if each.param_type_name == "argument"]
    options = [each for each in given if each.param_type_name == "option"]
    words = "".join(f" {word_of(each)}" for each in arguments)
    inner = " COMMAND" if hasattr(command, "commands") else ""
    yield f"## portaudit {name}".rstrip() + "\n"
    yield f"`portaudit{' ' if name else ''}{name}{' [OPTIONS]' if options else ''}{inner}{words}`\n"
    yield cleandoc(command.help or "") + "\n"
    rows = [(_spelled(each), _told(each)) for each in (*arguments, *options)]
    if rows:
        yield "| | |\n|---|---|"
        yield "\n".join(f"| {spelled} | {told} |" for spelled, told in rows) + "\n"
    yield "```sh"
    yield "\n".join(f"{line}  # {what}" if what else line for line, what in EXAMPLES[name])
    yield "```\n"


def is_told(parameter: Any) -> bool:  # noqa: ANN401
    """Whether an option is one of portaudit's own."""
    return parameter.name not in _HIDDEN


def word_of(argument: Any) -> str:  # noqa: ANN401
    """How an argument stands in the line that shows all words of a command."""
    name = called(argument) if argument.required else f"[{called(argument)}]"
    return f"{name}{'...' if argument.nargs == -1 else ''}"


def _spelled(parameter: Any) -> str:  # noqa: ANN401
    if parameter.param_type_name == "argument":
        return f"`{called(parameter)}`".replace("|", "\\|")
    names = [*parameter.opts, *parameter.secondary_opts]
    metavar = f" {parameter.metavar or 'TEXT'}" if not parameter.is_flag else ""
    return ", ".join(f"`{name}{metavar}`" for name in names)


def _told(parameter: Any) -> str:  # noqa: ANN401
    if parameter.param_type_name == "argument":
        return parameter.help or ""
    return f"{parameter.help or ''}{default_of(parameter)}"


def called(argument: Any) -> str:  # noqa: ANN401
    """The word that stands for an argument."""
    shown = str(argument.metavar or argument.name.upper()).removesuffix("...")
    return shown[1:-1] if shown.startswith("[") else shown


def default_of(option: Any) -> str:  # noqa: ANN401
    """What an option is where nobody gives it, in words, or that it has to be given."""
    default = option.default
    known = isinstance(default, (str, int, Path)) and not isinstance(default, bool) and default
    return (f" By default {default}." if known else "") + (" Required." if option.required else "")
