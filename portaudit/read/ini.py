"""Reads what setup.cfg requires: setuptools' `[options]` and its extras, and what it makes.

iniconfig finds sections and keys; the lines of a value are requirements as pip writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from iniconfig import IniConfig, ParseError

from portaudit.read.items import Document, Item
from portaudit.read.launches import declared, entry_point
from portaudit.read.specifiers import Origin, optional, python, requirement
from portaudit.read.text import Text
from portaudit.types import ScanError, Span

_OPTIONAL = frozenset({"tests_require"})
_BUILD = "build_ext"
"""The section that says with which directories and libraries extensions are built."""
_LISTS = ("install_requires", "setup_requires", "tests_require")
_BREAKS = str.maketrans(dict.fromkeys("\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""What ends a line for Python's texts, and so for iniconfig, but neither in a file nor for us."""


def read(text: Text) -> Document:
    """A setup.cfg as a document."""
    try:
        config = IniConfig(text.path, text.text.translate(_BREAKS))
    except ParseError as error:
        line = text.place(error.lineno, 0)[0]
        return Document(errors=(ScanError(text.path, f"not valid INI: {error.msg}", line),))
    return Document(tuple(_items(text, config)))


def _items(text: Text, config: IniConfig) -> Iterator[Item]:
    for line, column, written in _lines(text, config, "metadata", "name"):
        yield Item("project", written, Span(line, column, line, column + len(written)))
    for section, key in (("options", "python_requires"), ("metadata", "requires_python")):
        for line, column, written in _lines(text, config, section, key):
            span = Span(line, column, line, column + len(written))
            yield python(written, span, Origin("manifest", text.path))
    for key in _LISTS:
        yield from _listed(text, config, "options", key, kind="" if key in _OPTIONAL else None)
    extras = "options.extras_require"
    for key in config.sections.get(extras, {}):
        yield from _listed(text, config, extras, key, kind="extra")
    for section in ("options.entry_points", "entry_points"):
        for key in config.sections.get(section, {}):
            for line, column, written in _lines(text, config, section, key):
                made = declared(written, Span(line, column, line, column + len(written)))
                if made:
                    yield entry_point(key, made)
    for line, column, written in _lines(text, config, "options", "package_dir"):
        name, _, folder = (part.strip() for part in written.partition("="))
        if folder:
            span = Span(line, column, line, column + len(written))
            yield Item("package", name, span, folder)
    for section in ("options", "files"):
        for line, column, written in _lines(text, config, section, "scripts"):
            span = Span(line, column, line, column + len(written))
            yield Item("script", basename(written), span, written)
    for key in config.sections.get(_BUILD, {}):
        for line, column, written in _lines(text, config, _BUILD, key):
            span = Span(line, column, line, column + len(written))
            yield Item("config-key", f"{_BUILD}.{key}", span, written, (), _BUILD)


def _listed(
    text: Text, config: IniConfig, section: str, key: str, *, kind: str | None = None
) -> Iterator[Item]:
    """The requirements of a list; one with a kind, which may be empty, is optional."""
    origin = Origin("manifest", text.path)
    row = config.lineof(section, key)
    if kind is not None and row is not None:
        origin = optional(origin, key, text.proof(row - 1), kind)
    for line, column, value in _lines(text, config, section, key):
        written = value.partition(" #")[0].rstrip()
        found = requirement(written, line, column, origin)
        if found:
            yield found


def _lines(text: Text, config: IniConfig, section: str, key: str) -> Iterator[tuple[int, int, str]]:
    """The lines of a value, each with its place, without comments and empty ones."""
    number = config.lineof(section, key)
    if number is None:
        return
    row = number - 1
    first = text.line_at(row)
    start = max(first.find("="), first.find(":") if "=" not in first else -1) + 1
    shown = first[start:]
    while True:
        stripped = shown.strip()
        if stripped and not stripped.startswith(("#", ";")):
            column = start + len(shown) - len(shown.lstrip())
            yield *text.place(row, column), stripped
        row, start = row + 1, 0
        shown = text.line_at(row)
        if row >= len(text.lines) or (shown and not shown[0].isspace() and shown[0] not in "#;"):
            return
