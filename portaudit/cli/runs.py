"""The commands that judge code: `scan`, and `check`, which fails on what is new."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from portaudit.cli.common import (
    FAILED,
    GATE_FAILED,
    complain,
    links_below,
    output_encoding,
    tell,
    today,
    wants_color,
    width,
    write,
)
from portaudit.cli.delivery import deliver, drawing, drawing_of, progress
from portaudit.errors import UsageError, nearest

if TYPE_CHECKING:
    from portaudit.cli.given import Asked
    from portaudit.config import Config
    from portaudit.files import Files
    from portaudit.report.formats import View
    from portaudit.types import Report


def scan(paths: Sequence[Path] | None, asked: Asked) -> int:
    """Report what blocks a port: where, why, what to use instead, and how much work it is."""
    from portaudit.audit import Audit
    from portaudit.config import load, show
    from portaudit.deliver import deliveries

    view = view_of(asked)
    places = deliveries(asked.deliveries, asked.output)
    config = load(paths or (), asked.options(), cwd=Path.cwd())
    view = _with_links(view, asked, config)
    if asked.show_config:
        write(show(config))
        return 0
    with progress(quiet=asked.quiet) as advance:
        audit = Audit(config, progress=advance)
    files = functools.partial(_read, config)
    with closing(audit):
        deliver(drawing(audit), places, view, root=config.root, files=files, quiet=asked.quiet)
    judged = asked.strict or config.fail_on is not None
    return _outcome(audit.report, config, strict=asked.strict) if judged else 0


def check(paths: Sequence[Path] | None, asked: Asked) -> int:
    """Fail on new CUDA-only code, never on old: the gate of a commit hook or a CI job."""
    from portaudit.config import load, show
    from portaudit.deliver import deliveries
    from portaudit.ruleset import Rules
    from portaudit.triage.gate import Policy

    diff, staged, stdin_filename = asked.diff, asked.staged, asked.stdin_filename
    if diff is not None and staged:
        raise UsageError("--diff and --staged exclude each other")
    if asked.baseline and asked.no_baseline:
        raise UsageError("--baseline and --no-baseline exclude each other")
    if stdin_filename and (paths or diff is not None or staged):
        raise UsageError("--stdin-filename takes no paths, and neither --diff nor --staged")
    view = view_of(asked)
    places = deliveries(asked.deliveries, asked.output)
    given = [Path(stdin_filename)] if stdin_filename else paths or ()
    options = asked.options()
    config = load(given, options, cwd=Path.cwd(), unwritten=bool(stdin_filename))
    view = _with_links(view, asked, config)
    if asked.show_config:
        policy = Policy()
        usual = {"fail-on": policy.fail_on or "none", "min-confidence": policy.min_confidence}
        write(show(config, usual))
        return 0
    content = sys.stdin.buffer.read() if stdin_filename else None
    rules = Rules(config)
    with progress(quiet=asked.quiet) as advance:
        if diff is not None or staged:
            from portaudit.changes import check_changes

            report = check_changes(
                config,
                diff,
                today=today(),
                accepted=not asked.no_baseline,
                scored=any(delivery.format == "markdown" for delivery in places),
                rules=rules,
                progress=advance,
            )
        else:
            from portaudit.check import check as check_files

            report = check_files(
                config,
                today=today(),
                accepted=not asked.no_baseline,
                rules=rules,
                stdin=content,
                progress=advance,
            )
    files = functools.partial(_read, config, content, staged=staged)
    drawn = drawing_of(report, rules)
    deliver(drawn, places, view, root=config.root, files=files, quiet=asked.quiet)
    if asked.quiet and report.gate is not None and not report.gate.passed:
        tell(f"against {report.gate.against}")  # all of an old tree is new where nothing is kept
    return _outcome(report, config, strict=asked.strict)


def view_of(asked: Asked) -> View:
    """How a report is to be shown, as far as the command line says so. Raises `UsageError`."""
    from portaudit.report.formats import GROUPS, View

    color = wants_color(asked.color)
    if asked.group_by not in {None, *GROUPS}:
        hint = nearest(asked.group_by or "", GROUPS) or f"; there are {', '.join(GROUPS)}"
        raise UsageError(f'--group-by knows no "{asked.group_by}"{hint}')
    return View(
        width(),
        color,
        verbose=asked.verbose,
        quiet=asked.quiet,
        top=asked.top,
        group_by=asked.group_by or "",
        title=asked.title,
        encoding=output_encoding(),
    )


def _with_links(view: View, asked: Asked, config: Config) -> View:
    """The same with links to the files of the run, if they are wanted."""
    links = links_below(config.root, asked.hyperlinks)
    if not links:
        return view
    from msgspec.structs import replace

    return replace(view, links=links)


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
    from portaudit.report.outcome import count, unread
    from portaudit.triage.gate import Policy, failing, patterns, unjudged

    if strict and report.partial:
        complain(f"{unread(report)} could not be read (--strict)")
        return FAILED
    if report.gate is not None:
        return 0 if report.gate.passed else GATE_FAILED
    policy = Policy(config.fail_on, "low", patterns(config.adapter_zones))
    found = failing(report.findings, policy)
    if found:
        places = count(len(found), "finding")
        complain(f"gate failed: {places} of severity {config.fail_on} or worse", label="")
        return GATE_FAILED
    cut = unjudged(report.errors, policy)
    if cut:
        files = count(len(cut), "file has", "files have")
        complain(f"gate failed: {files} findings that the report leaves out", label="")
        return GATE_FAILED
    return 0
