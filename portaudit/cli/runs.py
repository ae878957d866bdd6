"""The commands that judge code: `scan`, and `check`, which fails on what is new."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import (
    FAILED,
    GATE_FAILED,
    complain,
    count,
    guarded,
    today,
    wants_color,
    width,
    words,
    write,
)
from portaudit.cli.delivery import deliver, progress
from portaudit.cli.options import (
    BaselineFile,
    Color,
    ExtendSelect,
    FailOn,
    ForceExclude,
    Formats,
    Ignore,
    Jobs,
    MinConfidence,
    NoCache,
    Ops,
    Output,
    Paths,
    Quiet,
    Root,
    Rules,
    Select,
    ShowConfig,
    Strict,
    TargetName,
    Verbose,
)
from portaudit.errors import UsageError

if TYPE_CHECKING:
    from portaudit.config import Config
    from portaudit.types import Report


@guarded
def scan(
    paths: Paths = None,
    *,
    target: TargetName = None,
    formats: Formats = "terminal",
    output: Output = None,
    select: Select = None,
    ignore: Ignore = None,
    extend_select: ExtendSelect = None,
    min_confidence: MinConfidence = None,
    rules: Rules = None,
    ops: Ops = None,
    fail_on: FailOn = None,
    strict: Strict = False,
    jobs: Jobs = None,
    no_cache: NoCache = False,
    root: Root = None,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="Root causes to show in full.")] = 5,
    show_config: ShowConfig = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Report what blocks a port: where, why, what to use instead, and how much work it is."""
    from portaudit import engine
    from portaudit.config import Options, load, show
    from portaudit.deliver import deliveries
    from portaudit.report.formats import View

    options = Options(
        root=root,
        target=target,
        select=words(select),
        ignore=words(ignore),
        extend_select=words(extend_select),
        min_confidence=min_confidence,
        rules=tuple(rules or ()),
        ops=ops,
        fail_on=fail_on,
        jobs=jobs,
        cache=not no_cache,
    )
    view = View(width(), wants_color(color), verbose=verbose, quiet=quiet, top=top)
    places = deliveries(formats, output)
    config = load(paths or (), options, cwd=Path.cwd())
    if show_config:
        write(show(config))
        return
    with progress(quiet=quiet) as advance:
        report = engine.scan(config, progress=advance)
    deliver(report, places, view, root=config.root, quiet=quiet)
    raise typer.Exit(_outcome(report, config, strict=strict))


@guarded
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
    target: TargetName = None,
    formats: Formats = "terminal",
    output: Output = None,
    select: Select = None,
    ignore: Ignore = None,
    extend_select: ExtendSelect = None,
    min_confidence: MinConfidence = None,
    rules: Rules = None,
    ops: Ops = None,
    fail_on: FailOn = None,
    strict: Strict = False,
    jobs: Jobs = None,
    no_cache: NoCache = False,
    root: Root = None,
    force_exclude: ForceExclude = False,
    show_config: ShowConfig = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Fail on new CUDA-only code, never on old: the gate of a commit hook or a CI job."""
    from portaudit import check as checking
    from portaudit.config import Options, load, show
    from portaudit.deliver import deliveries
    from portaudit.report.formats import View

    if diff is not None and staged:
        raise UsageError("--diff and --staged exclude each other")
    if baseline and no_baseline:
        raise UsageError("--baseline and --no-baseline exclude each other")
    if stdin_filename and (paths or diff is not None or staged):
        raise UsageError("--stdin-filename takes no paths, and neither --diff nor --staged")
    options = Options(
        root=root,
        target=target,
        select=words(select),
        ignore=words(ignore),
        extend_select=words(extend_select),
        min_confidence=min_confidence,
        rules=tuple(rules or ()),
        ops=ops,
        fail_on=fail_on,
        baseline=baseline,
        force_exclude=force_exclude,
        jobs=jobs,
        cache=not no_cache,
    )
    view = View(width(), wants_color(color), verbose=verbose, quiet=quiet)
    places = deliveries(formats, output)
    given = [Path(stdin_filename)] if stdin_filename else paths or ()
    config = load(given, options, cwd=Path.cwd(), unwritten=bool(stdin_filename))
    if show_config:
        write(show(config))
        return
    content = sys.stdin.buffer.read() if stdin_filename else None
    with progress(quiet=quiet) as advance:
        if diff is not None or staged:
            report = checking.check_changes(
                config,
                diff,
                today=today(),
                accepted=not no_baseline,
                scored=any(delivery.format == "markdown" for delivery in places),
                progress=advance,
            )
        else:
            report = checking.check(
                config, today=today(), accepted=not no_baseline, stdin=content, progress=advance
            )
    deliver(report, places, view, root=config.root, quiet=quiet)
    raise typer.Exit(_outcome(report, config, strict=strict))


def _outcome(report: Report, config: Config, *, strict: bool) -> int:
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
        places = count(len(found), "finding", "findings")
        complain(f"gate failed: {places} of severity {config.fail_on} or worse", label="")
        return GATE_FAILED
    return 0
