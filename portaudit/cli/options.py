"""Options that several commands have: each is spelled here, once, and handed to the run here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from msgspec import Struct

from portaudit.cli.common import words

if TYPE_CHECKING:
    from portaudit.config import Options

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="What to audit; by default this directory."),
]
RuleWords = Annotated[
    list[str] | None,
    typer.Argument(metavar="RULE", help="Ids, beginnings of ids, categories or names."),
]
Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="Use the rules in this directory as well."),
]
TargetName = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="torchneuron (the default) or xla."),
]
Color = Annotated[str, typer.Option(metavar="WHEN", help="Colour: auto, always or never.")]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        "--baseline", metavar="FILE", help="Accepted findings; by default .portaudit-baseline.json."
    ),
]


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks of a run by its shared options, in the order of `--help`.

    A command has those that it names to `taking`; the others are as when nobody gives them.
    """

    target: TargetName = None
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="F[=FILE],…",
            help="terminal, json, sarif, code-scanning, markdown, github, gitlab, junit; several, "
            "each to a file of its own if one is given.",
        ),
    ] = "terminal"
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="Write to a file, or into a directory."
        ),
    ] = None
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULES", help="Only these: ids, beginnings, categories, names."),
    ] = None
    ignore: Annotated[list[str] | None, typer.Option(metavar="RULES", help="All but these.")] = None
    extend_select: Annotated[
        list[str] | None, typer.Option(metavar="RULES", help="These as well.")
    ] = None
    entry: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Where the main training path begins."),
    ] = None
    min_confidence: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="Leave out what is less sure: low, medium, high."),
    ] = None
    rules: Rules = None
    ops: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Operators that your release of the target has kernels for."
        ),
    ] = None
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="Exit with 1 on findings this grave: info, minor, major, blocker, or none.",
        ),
    ] = None
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 if a file could not be read or parsed.")
    ] = False
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", metavar="N", help="Processes; 0 is one per core.")
    ] = None
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read the rules themselves, and keep nothing.")
    ] = False
    root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What paths are relative to, and where settings are."),
    ] = None
    force_exclude: Annotated[
        bool,
        typer.Option(
            "--force-exclude", help="Leave out what is excluded or ignored, even if it is named."
        ),
    ] = False
    top: Annotated[int, typer.Option(metavar="N", min=0, help="Root causes to show in full.")] = 5
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Show the settings in force and stop.")
    ] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every finding.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say the verdict only.")] = False
    color: Color = "auto"

    def options(self, baseline: Path | None = None) -> Options:
        """The same as settings of the run, with the file of accepted findings if one is given."""
        from portaudit.config import Options

        return Options(
            root=self.root,
            target=self.target,
            select=words(self.select),
            ignore=words(self.ignore),
            extend_select=words(self.extend_select),
            entry=tuple(self.entry or ()),
            min_confidence=self.min_confidence,
            rules=tuple(self.rules or ()),
            ops=self.ops,
            fail_on=self.fail_on,
            baseline=baseline,
            force_exclude=self.force_exclude,
            jobs=self.jobs,
            cache=not self.no_cache,
        )


RUN = ("target", "rules", "ops", "jobs", "root", "quiet")
"""What every command that scans has, …"""
CHOICE = ("select", "ignore", "extend_select")
"""… where rules can be chosen, …"""
REPORT = (
    *(*RUN, *CHOICE, "min_confidence", "formats", "output", "fail_on", "strict", "no_cache"),
    *("show_config", "verbose", "color", "entry"),
)
"""… and where it ends in a report."""
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
    kind = _hints()[name]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(_NOBODY, name), annotation=kind)


@functools.cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Asked, include_extras=True)
