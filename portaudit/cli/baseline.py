"""The commands `baseline …`: what is accepted, on file."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import (
    GATE_FAILED,
    complain,
    guarded,
    links_below,
    save,
    today,
    wants_color,
    width,
    write,
)
from portaudit.cli.delivery import progress
from portaudit.cli.examples import epilog
from portaudit.cli.options import CHOICE, RUN, Asked, BaselineFile, Paths, taking
from portaudit.errors import UsageError

if TYPE_CHECKING:
    from portaudit.config import Config, Options
    from portaudit.run import Run
    from portaudit.triage.baseline import Baseline, Comparison, Terms
    from portaudit.types import Finding, State

app = typer.Typer(help="Accept findings, on file: old code that may stay.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why this is accepted.")]
Owner = Annotated[str, typer.Option(metavar="NAME", help="Who is going to repair it.")]
Expires = Annotated[
    str, typer.Option(metavar="DATE", help="Until when, such as 2027-03-31; it fails afterwards.")
]


@app.command(epilog=epilog("baseline create"))
@guarded
@taking(*RUN, *CHOICE)
def create(
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="The tree; by default this directory.")
    ] = None,
    *,
    baseline: BaselineFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a baseline that is there.")
    ] = False,
    asked: Asked,
    reason: Reason = "",
    owner: Owner = "",
    expires: Expires = "",
) -> None:
    """Accept all that there is now, so that only what is added fails."""
    from portaudit import check
    from portaudit.report.outcome import count
    from portaudit.run import place_of

    terms = _terms(reason, owner, expires)
    config = _config([path] if path else None, asked.options(baseline))
    place = place_of(config)
    if place.exists() and not force:
        raise UsageError(
            f"{place} exists already: `portaudit baseline update` accepts what is new, "
            "--force begins again"
        )
    run, comparison = _compared(config, None, quiet=asked.quiet)
    made, newly = check.renewed(run, None, comparison, check.ALL_STATES, terms)
    _save(place, made)
    if not asked.quiet:
        files = len({finding.path for finding in newly})
        counts = count(len(newly), "finding"), count(files, "file")
        write(f"accepted {counts[0]} in {counts[1]}: wrote {place}\n")


@app.command(epilog=epilog("baseline update"))
@guarded
@taking(*RUN, *CHOICE, "color", "hyperlinks")
def update(
    paths: Paths = None,
    *,
    newly_covered: Annotated[
        bool,
        typer.Option(
            "--newly-covered", help="Accept only what today's rules see and the last ones did not."
        ),
    ] = False,
    baseline: BaselineFile = None,
    asked: Asked,
    reason: Reason = "",
    owner: Owner = "",
    expires: Expires = "",
) -> None:
    """Accept what is new as well, drop what is gone, and say which."""
    from portaudit import check
    from portaudit.run import place_of

    terms = _terms(reason, owner, expires)
    config = _config(paths, asked.options(baseline))
    known = _known(config)
    states: Collection[State] = {"newly-covered"} if newly_covered else check.ALL_STATES
    run, comparison = _compared(config, known, quiet=asked.quiet)
    made, newly = check.renewed(run, known, comparison, states, terms)
    _save(place_of(config), made)
    if asked.quiet:
        return
    _list(newly, asked, config)
    gone = sum(entry.count for entry in comparison.gone)
    write(f"newly accepted: {len(newly):,}, no longer there: {gone:,}\n")


@app.command(epilog=epilog("baseline prune"))
@guarded
@taking(*RUN)
def prune(
    paths: Paths = None,
    *,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if there is any.")
    ] = False,
    baseline: BaselineFile = None,
    asked: Asked,
) -> None:
    """Drop entries whose finding is no longer there. Accepts nothing."""
    from portaudit import check
    from portaudit.report.outcome import count
    from portaudit.report.text import harmless
    from portaudit.run import place_of

    config = _config(paths, asked.options(baseline))
    known = _known(config)
    run, comparison = _compared(config, known, quiet=asked.quiet)
    gone = sum(entry.count for entry in comparison.gone)
    for entry in () if asked.quiet else comparison.gone:
        times = f" ({entry.count} times)" if entry.count > 1 else ""
        where = f" in {entry.scope}" if entry.scope else ""
        write(harmless(f"{entry.path}: {entry.rule} {entry.anchor}{where}{times}") + "\n")
    if check_only:
        if gone:
            complain(f"{count(gone, 'entry is', 'entries are')} no longer needed", label="")
            raise typer.Exit(GATE_FAILED)
        return
    made, _ = check.renewed(run, known, comparison, frozenset())
    _save(place_of(config), made)
    if not asked.quiet:
        write(f"no longer there: {gone:,}\n")


@app.command(epilog=epilog("baseline show"))
@guarded
@taking("target", "root", "color", "hyperlinks")
def show(
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="The tree; by default this directory.")
    ] = None,
    *,
    baseline: BaselineFile = None,
    asked: Asked,
) -> None:
    """Show what is accepted: by file and rule, with reasons, owners and dates."""
    from portaudit.report import baseline as report

    config = _config([path] if path else None, asked.options(baseline))
    text = report.render(
        _known(config),
        width=width(),
        color=wants_color(asked.color),
        today=today(),
        links=links_below(config.root, asked.hyperlinks),
    )
    write(text)


def _config(paths: list[Path] | None, options: Options) -> Config:
    from portaudit.config import load

    return load(paths or (), options, cwd=Path.cwd())


def _terms(reason: str, owner: str, expires: str) -> Terms:
    from portaudit.triage.baseline import Terms, is_date

    if expires and not is_date(expires):
        raise UsageError(f'--expires must be a date such as 2027-03-31, not "{expires}"')
    if expires and datetime.date.fromisoformat(expires) < today():
        raise UsageError(f"--expires {expires} is past already")
    return Terms(reason, owner, expires)


def _known(config: Config) -> Baseline:
    from portaudit import check
    from portaudit.run import place_of

    known = check.read(config)
    if known is None:
        raise UsageError(
            f"there is no baseline at {place_of(config)}; `portaudit baseline create` makes one"
        )
    return known


def _compared(config: Config, known: Baseline | None, *, quiet: bool) -> tuple[Run, Comparison]:
    from portaudit import check
    from portaudit.run import scanned

    with progress(quiet=quiet) as advance:
        run = scanned(config, progress=advance)
    return run, check.compared(run, known, today=today())


def _list(findings: Collection[Finding], asked: Asked, config: Config) -> None:
    from portaudit.report import check as report

    if findings:
        links = links_below(config.root, asked.hyperlinks)
        colored = wants_color(asked.color)
        write(report.render_list(findings, width=width(), color=colored, links=links))


def _save(place: Path, baseline: Baseline) -> None:
    from portaudit.triage.baseline import dump

    save(place, dump(baseline))
