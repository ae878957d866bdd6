"""The command `render`: a report that was stored as JSON, in any other format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import guarded
from portaudit.cli.delivery import deliver
from portaudit.cli.diff import stored
from portaudit.cli.options import Asked, taking

if TYPE_CHECKING:
    from portaudit.report.formats import View


@guarded
@taking("formats", "output", "title", "top", "group_by", "verbose", "quiet", "color")
def render(
    report: Annotated[
        str, typer.Argument(metavar="REPORT", help="A report, made with --format json.")
    ],
    *,
    asked: Asked,
) -> None:
    """Show a stored report in another format: a page, a badge, a comment."""
    from portaudit.cli.runs import view_of
    from portaudit.deliver import deliveries
    from portaudit.report.formats import FORMATS

    view = view_of(asked)
    places = deliveries(asked.deliveries, asked.output)
    told = stored(report)

    def drawn(name: str, view: View) -> str:
        return FORMATS[name].render(told, view)

    deliver(drawn, places, view, root=Path.cwd(), files=None, quiet=asked.quiet)
