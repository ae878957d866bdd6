"""The shared options as typer has them, and how a command gets them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from portaudit.cli.completion import COMPLETIONS, rules
from portaudit.cli.given import CHOICE, OPTIONS, REPORT, RUN, Asked

__all__ = [
    "CHOICE",
    "REPORT",
    "RUN",
    "Asked",
    "BaselineFile",
    "Color",
    "Paths",
    "RuleWords",
    "Rules",
    "TargetName",
    "taking",
]


def _made(name: str) -> Any:  # noqa: ANN401 - typer's own type of options is untyped
    """An option as typer has it."""
    option = OPTIONS[name]
    return typer.Option(
        *option.names,
        metavar=option.metavar,
        help=option.help,
        min=option.least,
        autocompletion=COMPLETIONS.get(name),
    )


Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="What to audit; by default this directory."),
]
RuleWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RULE]...",
        help="Ids, beginnings of ids, categories or names.",
        autocompletion=rules,
    ),
]
Rules = Annotated[list[Path] | None, _made("rules")]
TargetName = Annotated[str | None, _made("target")]
Color = Annotated[str, _made("color")]
BaselineFile = Annotated[Path | None, _made("baseline")]

_ORDER = Asked.__struct_fields__
_NOBODY = Asked()


def taking(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command shared options. It finds what was asked in its parameter `asked`.

    Its own options stand before them or after, as its parameters do; one with the name of a shared
    option takes the place of that.
    """

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: object) -> None:
            shared: dict[str, Any] = {name: given.pop(name) for name in names}
            command(asked=Asked(**shared), **given)

        # What typer makes options of.
        run.__signature__ = _signature(command, names)  # type: ignore[attr-defined]
        return run

    return give


def _signature(command: Callable[..., None], names: Iterable[str]) -> Signature:
    own = list(signature(command, eval_str=True).parameters.values())
    at = [parameter.name for parameter in own].index("asked")
    named = [parameter for parameter in own if parameter.name in _ORDER]
    shared = [_parameter(name) for name in names]
    return Signature(
        [
            *(parameter for parameter in own[:at] if parameter not in named),
            *sorted([*named, *shared], key=lambda parameter: _ORDER.index(parameter.name)),
            *(parameter for parameter in own[at + 1 :] if parameter not in named),
        ]
    )


def _parameter(name: str) -> Parameter:
    kind: Any = _hints()[name]
    made: Any = Annotated[kind, _made(name)]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(_NOBODY, name), annotation=made)


@functools.cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Asked)
