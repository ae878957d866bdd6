"""Where reports go: which formats, to which places, drawn how."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from portaudit.cli.common import PLAIN_WIDTH, is_terminal, save, tell, write

if TYPE_CHECKING:
    from portaudit.audit import Audit
    from portaudit.deliver import Delivery
    from portaudit.files import Files
    from portaudit.report.formats import View
    from portaudit.ruleset import Rules
    from portaudit.types import Report

    Drawing = Callable[[str, View], str]
    """The text of a format for a view."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar while files are read, where somebody watches; else nothing."""
    if quiet or not is_terminal(sys.stderr) or os.environ.get("CI"):
        yield None
        return
    with ExitStack() as shown:
        bar: list[Callable[[int, int], None]] = []

        def advance(done: int, total: int) -> None:
            if not bar:  # what is known already is shown at once, and needs none
                bar.append(shown.enter_context(_bar()))
            bar[0](done, total)

        yield advance


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("Reading"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def deliver(
    drawn: Drawing,
    deliveries: Iterable[Delivery],
    view: View,
    *,
    root: Path,
    files: Callable[[], Files] | None,
    quiet: bool,
) -> None:
    """Write a report in each format to its place, drawn for a terminal only where one is.

    `drawn` gives the text of a format · `files` what was scanned, if that is at hand; it is asked
    only by formats that look at lines again.
    """
    from portaudit.deliver import link, prefix

    view = replace(
        view,
        prefix=prefix(root, Path.cwd().resolve()),
        link=link(root, os.environ),
    )
    if files is not None:
        view = replace(view, title=view.title or root.name, source=partial(_content, cache(files)))
    on_file = replace(view, width=PLAIN_WIDTH, color=False, links="", encoding="utf-8")
    for delivery in deliveries:
        place = delivery.place
        text = drawn(delivery.format, view if place is None else on_file)
        if place is None:
            write(text, encoding=None if delivery.format == "terminal" else "utf-8")
            continue
        save(place, text)
        if not quiet:
            tell(f"wrote {place}")


def drawing(audit: Audit) -> Drawing:
    """How formats draw a report, each once for all audits that are alike."""
    return lambda name, view: audit.text(_called(name, view), partial(_draw, name, view))


def drawing_of(report: Report, rules: Rules) -> Drawing:
    """The same of a report that says more than its audit: what a check makes of it."""
    from portaudit.audit import drawn
    from portaudit.report.formats import FORMATS

    def draw(name: str, view: View) -> str:
        if FORMATS[name].looks:
            return _draw(name, view, report)
        return drawn(rules, report, _called(name, view), partial(_draw, name, view))

    return draw


def _draw(name: str, view: View, report: Report) -> str:
    from portaudit.report.formats import FORMATS

    return FORMATS[name].render(report, view)


def _called(name: str, view: View) -> str:
    """A name for all that decides how a format draws."""
    shown = {key: value for key, value in asdict(view).items() if key != "source"}
    return f"{name} {shown}"


def _content(files: Callable[[], Files], path: str) -> bytes | None:
    try:
        return files().read(path)
    except OSError:
        return None
