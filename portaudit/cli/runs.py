"""The commands that judge code: `scan`, and `check`, which fails on what is new."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import (
    FAILED,
    GATE_FAILED,
    complain,
    guarded,
    today,
    wants_color,
    width,
    write,
)
from portaudit.cli.delivery import deliver, progress
from portaudit.cli.options import REPORT, Asked, BaselineFile, Paths, taking
from portaudit.errors import UsageError

if TYPE_CHECKING:
    from portaudit.config import Config
    from portaudit.files import Files
    from portaudit.report.formats import View
    from portaudit.types import Report


@guarded
@taking(*REPORT, "top")
def scan(paths: Paths = None, *, asked: Asked) -> None:
    """Report what blocks a port: where, why, what to use instead, and how much work it is."""
    from portaudit import engine
    from portaudit.config import load, show
    from portaudit.deliver import deliveries

    view = _view(asked)
    places = deliveries(asked.formats, asked.output)
    config = load(paths or (), asked.options(), cwd=Path.cwd())
    if asked.show_config:
        write(show(config))
        return
    with progress(quiet=asked.quiet) as advance:
        report = engine.scan(config, progress=advance)
    files = functools.partial(_read, config)
    deliver(report, places, view, root=config.root, files=files, quiet=asked.quiet)
    raise typer.Exit(_outcome(report, config, strict=asked.strict))


@guarded
@taking(*REPORT, "force_exclude")
def check(
    paths: Paths = None,
    *,
    baseline: BaselineFile = None,
    no_baseline: Annotated[
        bool, typer.Option("--no-baseline", help="Nothing is accepted: every finding is new.")
    ] = False,
    diff: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Only what was added since this branch, tag or commit is new."
        ),
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Judge what is staged for commit, against HEAD.")
    ] = False,
    stdin_filename: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Standard input is what this file is to hold."),
    ] = None,
    asked: Asked,
) -> None:
    """Fail on new CUDA-only code, never on old: the gate of a commit hook or a CI job."""
    from portaudit.config import load, show
    from portaudit.deliver import deliveries

    if diff is not None and staged:
        raise UsageError("--diff and --staged exclude each other")
    if baseline and no_baseline:
        raise UsageError("--baseline and --no-baseline exclude each other")
    if stdin_filename and (paths or diff is not None or staged):
        raise UsageError("--stdin-filename takes no paths, and neither --diff nor --staged")
    view = _view(asked)
    places = deliveries(asked.formats, asked.output)
    given = [Path(stdin_filename)] if stdin_filename else paths or ()
    options = asked.options(baseline)
    config = load(given, options, cwd=Path.cwd(), unwritten=bool(stdin_filename))
    if asked.show_config:
        write(show(config))
        return
    content = sys.stdin.buffer.read() if stdin_filename else None
    with progress(quiet=asked.quiet) as advance:
        if diff is not None or staged:
            from portaudit.changes import check_changes

            report = check_changes(
                config,
                diff,
                today=today(),
                accepted=not no_baseline,
                scored=any(delivery.format == "markdown" for delivery in places),
                progress=advance,
            )
        else:
            from portaudit.check import check as check_files

            report = check_files(
                config, today=today(), accepted=not no_baseline, stdin=content, progress=advance
            )
    files = functools.partial(_read, config, content, staged=staged)
    deliver(report, places, view, root=config.root, files=files, quiet=asked.quiet)
    raise typer.Exit(_outcome(report, config, strict=asked.strict))


def _view(asked: Asked) -> View:
    from portaudit.report.formats import View

    color = wants_color(asked.color)
    return View(width(), color, verbose=asked.verbose, quiet=asked.quiet, top=asked.top)


def _read(config: Config, content: bytes | None = None, *, staged: bool = False) -> Files:
    """The files that were judged: on disk, in the index, or one of them as an editor has it."""
    from portaudit.discover import relative
    from portaudit.files import Disk, Overlay
    from portaudit.git import Repository

    if staged:
        return Repository.at(config.root).index()
    disk = Disk(config.root)
    if content is None:
        return disk
    return Overlay(disk, {relative(config.root, config.paths[0]): content})


def _outcome(report: Report, config: Config, *, strict: bool) -> int:
    from portaudit.report.outcome import count
    from portaudit.triage.gate import Policy, failing, patterns

    if strict and report.partial:
        lost = count(len(report.errors), "file or part of a file", "files or parts of files")
        complain(f"{lost} could not be read (--strict)")
        return FAILED
    if report.gate is not None:
        return 0 if report.gate.passed else GATE_FAILED
    policy = Policy(config.fail_on, "low", patterns(config.adapter_zones))
    found = failing(report.findings, policy)
    if found:
        places = count(len(found), "finding")
        complain(f"gate failed: {places} of severity {config.fail_on} or worse", label="")
        return GATE_FAILED
    return 0
