"""The whole command line, of typer: every command, its help, and what is wrong with its words."""

from __future__ import annotations

from typing import Annotated

import typer

from portaudit import __version__
from portaudit.cli import baseline, cache, rules, runs
from portaudit.cli.common import ended
from portaudit.cli.diff import diff
from portaudit.cli.given import COMMANDS
from portaudit.cli.options import Asked, Paths, taking
from portaudit.cli.plan import plan
from portaudit.cli.suppress import suppress

app = typer.Typer(
    help="Find what ties PyTorch training code to CUDA, and what that means on AWS Trainium.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command(help=runs.scan.__doc__)
@taking(*COMMANDS["scan"])
def scan(paths: Paths = None, *, asked: Asked) -> None:
    """Run the command."""
    raise typer.Exit(ended(runs.scan, paths, asked))


@app.command(help=runs.check.__doc__)
@taking(*COMMANDS["check"])
def check(paths: Paths = None, *, asked: Asked) -> None:
    """Run the command."""
    raise typer.Exit(ended(runs.check, paths, asked))


app.command()(diff)
app.command()(plan)
app.command()(suppress)
app.command()(rules.explain)
app.add_typer(baseline.app, name="baseline")
app.add_typer(rules.app, name="rules")
app.add_typer(cache.app, name="cache")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portaudit {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and stop."
        ),
    ] = False,
) -> None:
    pass
