"""The formats that a report can have, by the name that `--format` knows.

Each format's libraries are loaded when it is asked for: a commit hook waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from portaudit.types import Report

GROUPS = ("root", "file", "rule", "category")
"""What the findings of a report at a terminal can be put together by."""


class View(Struct, frozen=True):
    """How a report is to be shown, and where its root is.

    `group_by`: a word of `GROUPS`; without one a scan has root causes, and a check each finding in
    full · `prefix` leads from the repository's root to the report's (`sub/`, or empty) · `link` is
    the address under which a browser finds files of the report's root, `links` that under which
    the reader's own machine does, with `{path}` in it · `title`: what the tree is called ·
    `encoding`: that of the terminal · `source` gives the content of a file that was scanned.
    """

    width: int
    color: bool = False
    verbose: bool = False
    quiet: bool = False
    top: int = 5
    group_by: str = ""
    prefix: str = ""
    link: str = ""
    links: str = ""
    title: str = ""
    encoding: str = "utf-8"
    source: Callable[[str], bytes | None] = lambda _path: None


class Format(Struct, frozen=True):
    """A format: the file that it has in a directory, or none where only the log is its place.

    `shares`: several such may go to standard output one after the other · `looks`: at lines of the
    files again, beside the report.
    """

    render: Callable[[Report, View], str]
    file: str | None
    shares: bool = False
    looks: bool = False


def _terminal(report: Report, view: View) -> str:
    from portaudit.report import check, terminal

    if report.gate is not None and view.quiet:
        return check.render_brief(report, width=view.width, color=view.color, links=view.links)
    if report.gate is not None:
        return check.render(
            report,
            width=view.width,
            color=view.color,
            verbose=view.verbose,
            links=view.links,
            group_by=view.group_by,
            encoding=view.encoding,
        )
    if view.quiet:
        return terminal.render_verdict(report, width=view.width, color=view.color)
    return terminal.render(
        report,
        width=view.width,
        color=view.color,
        verbose=view.verbose,
        top=view.top,
        links=view.links,
        group_by=view.group_by,
        encoding=view.encoding,
    )


def _json(report: Report, _view: View) -> str:
    from portaudit.report import json

    return json.render(report)


def _sarif(report: Report, view: View) -> str:
    from portaudit.report import sarif

    return sarif.render(report, source=view.source, prefix=view.prefix)


def _code_scanning(report: Report, view: View) -> str:
    from portaudit.report import sarif

    return sarif.render(report, source=view.source, prefix=view.prefix, live_only=True)


def _markdown(report: Report, view: View) -> str:
    from portaudit.report import markdown

    return markdown.render(report, link=view.link)


def _github(report: Report, view: View) -> str:
    from portaudit.report import github

    return github.render(report, prefix=view.prefix)


def _gitlab(report: Report, view: View) -> str:
    from portaudit.report import gitlab

    return gitlab.render(report, prefix=view.prefix)


def _junit(report: Report, view: View) -> str:
    from portaudit.report import junit

    return junit.render(report, prefix=view.prefix)


def _html(report: Report, view: View) -> str:
    from portaudit.report.html import page

    return page.render(report, view)


def _badge(report: Report, _view: View) -> str:
    from portaudit.report import badge

    return badge.render(report)


FORMATS: Mapping[str, Format] = {
    "terminal": Format(_terminal, "report.txt", shares=True),
    "json": Format(_json, "report.json"),
    "sarif": Format(_sarif, "report.sarif", looks=True),
    "code-scanning": Format(_code_scanning, "report.code-scanning.sarif", looks=True),
    "html": Format(_html, "report.html", looks=True),
    "badge": Format(_badge, "badge.svg"),
    "markdown": Format(_markdown, "report.md"),
    "github": Format(_github, None, shares=True),
    "gitlab": Format(_gitlab, "report.gitlab.json"),
    "junit": Format(_junit, "report.xml"),
}
