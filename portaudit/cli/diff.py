"""The command `diff`: what one revision, or one report, has that another had not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import guarded, links_below, save, wants_color, width, write
from portaudit.cli.delivery import progress
from portaudit.cli.options import CHOICE, RUN, Asked, taking
from portaudit.errors import UsageError, nearest

if TYPE_CHECKING:
    from portaudit.config import Options
    from portaudit.types import Difference, Report


_FORMATS = ("terminal", "markdown", "html", "json")


@guarded
@taking(*RUN, *CHOICE, "title", "min_confidence", "verbose", "color", "hyperlinks")
def diff(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="A branch, tag, commit, or a report as .json.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, for the later one.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="What to compare; by default this directory."),
    ] = None,
    *,
    formats: Annotated[
        str, typer.Option("--format", metavar="F", help="terminal, markdown, html or json.")
    ] = "terminal",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.")
    ] = None,
    asked: Asked,
) -> None:
    """Show what came, what went and what the score makes of it: what an upstream merge brings."""
    from portaudit.report import difference, json, markdown

    if formats not in _FORMATS:
        hint = nearest(formats, _FORMATS) or f"; there are {', '.join(_FORMATS)}"
        raise UsageError(f'no format is called "{formats}"{hint}')
    stored = [name.endswith(".json") for name in (old, new)]
    if any(stored) and not all(stored):
        raise UsageError("compare two revisions, or two reports; not one with the other")
    if all(stored):
        told, root = _of_reports(old, new), (asked.root or Path()).absolute()
    else:
        told, root = _of_revisions(old, new, paths or [], asked.options(), quiet=asked.quiet)
    if formats == "json":
        text = json.render_difference(told)
    elif formats == "markdown":
        text = markdown.render_difference(told)
    elif formats == "html":
        from portaudit.report.html import difference as page

        text = page.render(told, asked.title)
    else:
        colored = wants_color(asked.color) and output is None
        led = links_below(root, asked.hyperlinks) if output is None else ""
        text = difference.render(
            told, width=width(), color=colored, verbose=asked.verbose, links=led
        )
    if output is None:
        write(text, encoding=None if formats == "terminal" else "utf-8")
    else:
        save(output, text)


def _of_reports(old: str, new: str) -> Difference:
    from portaudit.triage.difference import differ

    before, after = stored(old), stored(new)
    if before.target != after.target:
        raise UsageError(
            f"{old} is for the target {before.target}, {new} for {after.target}: "
            "scan both for the same"
        )
    return differ(before, after, (old, new))


def stored(name: str) -> Report:
    """Read the report in a file. Raises `UsageError`."""
    from portaudit.report.stored import parse

    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror or error}") from error
    return parse(content, name)


def _of_revisions(
    old: str, new: str, paths: list[Path], options: Options, *, quiet: bool
) -> tuple[Difference, Path]:
    """The difference, and the root that its paths are relative to."""
    from portaudit import compare, engine
    from portaudit.config import load
    from portaudit.triage.difference import differ

    config = load(paths, options, cwd=Path.cwd())
    sides = compare.between(config, old, new)
    rules = engine.rules_of(config)
    with progress(quiet=quiet) as advance:
        before = engine.scan(config, rules=rules, side=sides.old, progress=advance)
    with progress(quiet=quiet) as advance:
        after = engine.scan(config, rules=rules, side=sides.new, progress=advance)
    told = differ(before, after, (old, new), sides.renames, compare.touched(sides))
    return told, config.root
