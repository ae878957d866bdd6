"""Where reports go: which formats, to which places, drawn how."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec.structs import replace

from portaudit.cli.common import PLAIN_WIDTH, is_terminal, save, write

if TYPE_CHECKING:
    from portaudit.deliver import Delivery
    from portaudit.files import Files
    from portaudit.report.formats import View
    from portaudit.types import Report


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar while files are read, where somebody watches; else nothing."""
    if quiet or not is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("Reading"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def deliver(
    report: Report,
    deliveries: Iterable[Delivery],
    view: View,
    *,
    root: Path,
    files: Callable[[], Files],
    quiet: bool,
) -> None:
    """Write a report in each format to its place, drawn for a terminal only where one is.

    `files` gives what was scanned; it is asked only by formats that look at lines again.
    """
    from portaudit.deliver import link, prefix
    from portaudit.report.formats import FORMATS

    view = replace(
        view,
        prefix=prefix(root, Path.cwd().resolve()),
        link=link(root, os.environ),
        source=functools.partial(_content, functools.cache(files)),
    )
    on_file = replace(view, width=PLAIN_WIDTH, color=False)
    for delivery in deliveries:
        place = delivery.place
        text = FORMATS[delivery.format].render(report, view if place is None else on_file)
        if place is None:
            write(text, encoding=None if delivery.format == "terminal" else "utf-8")
            continue
        save(place, text)
        if not quiet:
            typer.echo(f"wrote {place}", err=True)


def _content(files: Callable[[], Files], path: str) -> bytes | None:
    try:
        return files().read(path)
    except OSError:
        return None
