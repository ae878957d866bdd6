"""The command `plan`: the ordered work of a port, from a scan or from a report of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import FAILED, complain, guarded, save, tell, write
from portaudit.cli.delivery import progress
from portaudit.cli.diff import stored
from portaudit.cli.options import CHOICE, RUN, Asked, taking
from portaudit.errors import UsageError

if TYPE_CHECKING:
    from portaudit.config import Options
    from portaudit.types import Report


@guarded
@taking(*RUN, *CHOICE, "entry", "min_confidence", "strict", "no_cache")
def plan(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="What to port; by default this directory. Or a report as .json.",
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.")
    ] = None,
    asked: Asked,
) -> None:
    """Write a porting plan as Markdown: the work in its order, and what to verify on the device."""
    from portaudit.catalogue.plan import plan_checks
    from portaudit.report.outcome import unread
    from portaudit.report.plan import render

    given = paths or []
    reports = [path for path in given if path.suffix == ".json"]
    if reports and len(given) > 1:
        raise UsageError("a plan is made of one report, or of files and directories")
    if reports:
        report = _of_report(reports[0], asked.options())
    else:
        report = _of_tree(given, asked.options(), quiet=asked.quiet)
    text = render(report, plan_checks(report.target))
    if output is None:
        write(text, encoding="utf-8")
    else:
        save(output, text)
        if not asked.quiet:
            tell(f"wrote {output}")
    if asked.strict and report.partial:
        complain(f"{unread(report)} could not be read (--strict)")
        raise typer.Exit(FAILED)


def _of_report(place: Path, options: Options) -> Report:
    from portaudit.config import Options

    if options != Options():
        raise UsageError(f"{place}: a report is planned as it is; its options were those of a scan")
    return stored(str(place))


def _of_tree(paths: list[Path], options: Options, *, quiet: bool) -> Report:
    from portaudit import engine
    from portaudit.config import load

    config = load(paths, options, cwd=Path.cwd())
    with progress(quiet=quiet) as advance:
        return engine.scan(config, progress=advance)
