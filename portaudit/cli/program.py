"""The whole command line, of typer: every command, its help, and what is wrong with its words."""

from __future__ import annotations

from typing import Annotated

import typer

from portaudit import __version__
from portaudit.cli import baseline, cache, rules, runs
from portaudit.cli.common import ended, write
from portaudit.cli.diff import diff
from portaudit.cli.examples import epilog
from portaudit.cli.explain import explain
from portaudit.cli.given import COMMANDS
from portaudit.cli.group import Group
from portaudit.cli.init import init
from portaudit.cli.options import Asked, Paths, taking
from portaudit.cli.plan import plan
from portaudit.cli.render import render
from portaudit.cli.suppress import suppress

app = typer.Typer(
    cls=Group,
    help="Find what ties PyTorch training code to CUDA, and what that means on AWS Trainium.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=epilog(""),
)


@app.command(
    help=runs.scan.__doc__,
    short_help="Report what blocks a port, and how much work it is.",
    epilog=epilog("scan"),
)
@taking(*COMMANDS["scan"])
def scan(paths: Paths = None, *, asked: Asked) -> None:
    """Run the command."""
    raise typer.Exit(ended(runs.scan, paths, asked))


@app.command(
    help=runs.check.__doc__,
    short_help="Fail on new CUDA-only code, never on old.",
    epilog=epilog("check"),
)
@taking(*COMMANDS["check"])
def check(paths: Paths = None, *, asked: Asked) -> None:
    """Run the command."""
    raise typer.Exit(ended(runs.check, paths, asked))


for _name, _command, _short in (
    ("diff", diff, "Show what a revision, or a report, brings."),
    ("plan", plan, "Write the work in its order, as Markdown."),
    ("render", render, "Show a stored report in another format."),
    ("suppress", suppress, "Accept findings by comments in the code."),
    ("explain", explain, "Show why a line has a finding, or a rule."),
    ("init", init, "Prepare a repository: settings, baseline, hook."),
):
    app.command(_name, short_help=_short, epilog=epilog(_name))(_command)
app.add_typer(baseline.app, name="baseline", epilog=epilog("baseline"))
app.add_typer(rules.app, name="rules", epilog=epilog("rules"))
app.add_typer(cache.app, name="cache", epilog=epilog("cache"))


def _show_version(wanted: bool) -> None:
    if wanted:
        write(f"portaudit {__version__}\n")
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
