"""The command line: parse, call one function of the engine, write, exit.

Exit codes: 0 clean, 1 gate failed, 2 wrong use, something unreadable, or an internal failure.
Each command imports what it needs when it runs, so that `--help` and `--version` are quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from portaudit import __version__
from portaudit.cli import baseline, cache, rules
from portaudit.cli.diff import diff
from portaudit.cli.plan import plan
from portaudit.cli.runs import check, scan
from portaudit.cli.suppress import suppress

app = typer.Typer(
    help="Find what ties PyTorch training code to CUDA, and what that means on AWS Trainium.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(scan)
app.command()(check)
app.command()(diff)
app.command()(plan)
app.command()(suppress)
app.command()(rules.explain)
app.add_typer(baseline.app, name="baseline")
app.add_typer(rules.app, name="rules")
app.add_typer(cache.app, name="cache")


def main() -> None:
    """Run the program; does not return."""
    app(prog_name="portaudit")


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
