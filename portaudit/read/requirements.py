"""Reads requirements files and constraints: one item per requirement and package index.

pip-requirements-parser joins lines, drops comments and knows the options; packaging reads the
requirements. Files that a line refers to are audited by themselves. A line that pip would refuse
is no error of the file: its package's name may be readable all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from optparse import Values

import pip_requirements_parser as pip  # type: ignore[import-untyped]

from portaudit.read.items import Document, Item
from portaudit.read.specifiers import INDEX, Origin, package, requirement
from portaudit.read.text import Text
from portaudit.types import Span


def read(text: Text) -> Document:
    """A requirements file as a document."""
    return Document(tuple(requirements(text, Origin("manifest", text.path))))


def requirements(text: Text, origin: Origin) -> Iterator[Item]:
    """The requirements in lines of pip's format."""
    lines = pip.join_lines(enumerate(text.lines))
    for line in pip.split_comments(lines):
        if isinstance(line, pip.TextLine):
            yield from _line(text, line.line_number, line.line, origin)


def _line(text: Text, row: int, line: str, origin: Origin) -> Iterator[Item]:
    if not line.startswith("-"):
        written = pip.break_args_options(line)[0].strip()
        if written.endswith(","):  # a list that somebody copied from code
            written = written.rstrip(", ")
        quote = written[:1] if written[:1] in {'"', "'"} else ""
        written = written.strip(quote) if quote else written
        first = text.line_at(row)
        column = len(first) - len(first.lstrip()) + len(quote)
        found = requirement(written, *text.place(row, column), origin)
        if found:
            yield found
        return
    options = _options(line)
    if options is None:
        return
    for address in options.editables or ():
        found = requirement(address, *_find(text, row, address), origin)
        if found:
            yield found
    for address in (
        *([options.index_url] if options.index_url else ()),
        *(options.extra_index_urls or ()),
        *(options.find_links or ()),
    ):
        url = address.lstrip("=").strip()
        place = _find(text, row, url)
        yield package(INDEX, url, Span(*place, place[0], place[1] + len(url)), origin)


def _options(line: str) -> Values | None:
    """The options of a line; `None` where pip knows none such."""
    try:
        options: Values = pip.get_line_parser()(line)[1]
    except (pip.OptionParsingError, ValueError):
        return None
    return options


def _find(text: Text, row: int, part: str) -> tuple[int, int]:
    """The place of a part of a line that may go on over further lines."""
    at = row
    while at < len(text.lines):
        column = text.line_at(at).find(part)
        if column >= 0:
            return text.place(at, column)
        if not text.line_at(at).endswith("\\"):
            break
        at += 1
    return text.place(row, 0)
