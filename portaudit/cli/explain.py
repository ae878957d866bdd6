"""The command `explain`: what a rule says, or why a line has a finding, or has none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from portaudit.cli.common import (
    catalogue_of,
    guarded,
    links_below,
    output_encoding,
    wants_color,
    width,
    write,
)
from portaudit.cli.completion import explained, one_of
from portaudit.cli.delivery import progress
from portaudit.cli.options import RUN, Asked, taking
from portaudit.errors import UsageError, nearest

if TYPE_CHECKING:
    from portaudit.catalogue.schema import Rule

_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?:?", re.DOTALL)
_FORMATS = ("terminal", "json")


@guarded
@taking(*RUN, "min_confidence", "entry", "no_cache", "color", "hyperlinks")
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RULE|PATH:LINE[:COLUMN]",
            help="A rule, or a line of code.",
            autocompletion=explained,
        ),
    ],
    *,
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="terminal or json.",
            autocompletion=one_of(*_FORMATS),
        ),
    ] = "terminal",
    asked: Asked,
) -> None:
    """Show why a line has a finding, or why it has none; or all there is to know about a rule.

    Of a line: what matched, how its names lead there, the guard and its proof, what reaches it,
    the fact about the target with its source, what it costs, and how to accept it.
    """
    if format_name not in _FORMATS:
        hint = nearest(format_name, _FORMATS)
        raise UsageError(f"--format must be terminal or json, not {format_name}{hint}")
    found = _PLACE.fullmatch(what)
    if found and (Path(found[1]).exists() or "/" in found[1] or "." in found[1]):
        line, column = int(found[2]), int(found[3]) if found[3] else None
        text = _line(Path(found[1]), line, column, format_name, asked)
        write(text, encoding=_encoding(format_name))
        return
    if Path(what).exists() and not re.fullmatch(r"[A-Z]{3}\d+", what):
        raise UsageError(f"say which line: {what}:LINE, or name a rule")
    write(_rule(what, format_name, asked), encoding=_encoding(format_name))


def _encoding(format_name: str) -> str | None:
    return "utf-8" if format_name == "json" else None


def _line(path: Path, line: int, column: int | None, format_name: str, asked: Asked) -> str:
    from portaudit import explain as explaining
    from portaudit.config import load
    from portaudit.discover import relative

    if asked.root is not None and not path.exists() and (asked.root / path).exists():
        path = asked.root / path  # as reports of that root spell it
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name a file and a line")
    if line < 1 or (column is not None and column < 1):
        raise UsageError("lines and columns count from 1")
    config = load([path], asked.options(), cwd=Path.cwd())
    place = explaining.Place(relative(config.root, config.paths[0]), line, column)
    whole = replace(config, paths=(config.root,))  # only a whole tree knows what reaches a line
    with progress(quiet=asked.quiet) as advance:
        found = explaining.explain(whole, place, progress=advance)
    if format_name == "json":
        from portaudit.report import json

        return json.render_explanation(found)
    from portaudit.report import explanation

    return explanation.render(
        found,
        width=width(),
        color=wants_color(asked.color),
        spelled=path.as_posix(),
        links=links_below(config.root, asked.hyperlinks),
        encoding=output_encoding(),
    )


def _rule(word: str, format_name: str, asked: Asked) -> str:
    from portaudit.catalogue.select import find_rule, rules_of_library

    catalogue = catalogue_of(asked.rules)
    try:
        rule = find_rule(catalogue.rules, word)
    except UsageError:
        about = [catalogue.rules[each] for each in rules_of_library(catalogue, word)]
        if not about:
            raise
        return _of_library(about, word, format_name, asked)
    if format_name == "json":
        from portaudit.report import json

        return json.encode(rule)
    from portaudit.catalogue import docs
    from portaudit.report import terminal

    text = docs.page(catalogue, rule)
    return terminal.render_markdown(text, width=width(), color=wants_color(asked.color))


def _of_library(about: Sequence[Rule], word: str, format_name: str, asked: Asked) -> str:
    """The rules about a library, where somebody names that and no rule."""
    from portaudit.config import read_target
    from portaudit.report import terminal

    if format_name == "json":
        ids = ", ".join(rule.id for rule in about)
        raise UsageError(f'"{word}" is a library; name one of its rules: {ids}')
    target = read_target(asked.target or "torchneuron")
    rows = [
        (rule.id, rule.severity, rule.target[target].status, rule.category, rule.name)
        for rule in about
    ]
    table = terminal.render_rules(rows, width=width(), color=wants_color(asked.color))
    return f"{table}\n`portaudit explain {about[0].id}` has all there is to know about a rule.\n"
