"""The command line: parse, call one function of the engine, write, exit.

Exit codes: 0 clean, 1 gate failed, 2 wrong use, something unreadable, or an internal failure.
Each command imports what it needs when it runs, so that `--help` and `--version` are quick.
"""

from __future__ import annotations

import datetime
import functools
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TextIO

import typer

from portaudit import __version__
from portaudit.errors import PortauditError, UsageError, nearest

if TYPE_CHECKING:
    from portaudit.catalogue.load import Catalogue
    from portaudit.config import Config
    from portaudit.types import Report

GATE_FAILED, FAILED, INTERRUPTED = 1, 2, 130
_PLAIN_WIDTH = 100
"""Columns of text that goes to a pipe or a file."""
_EXTENSIONS = {"terminal": "txt", "json": "json"}

_Parameters = ParamSpec("_Parameters")

app = typer.Typer(
    help="Find what ties PyTorch training code to CUDA, and what that means on AWS Trainium.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
rules_app = typer.Typer(help="List, test, add and document rules.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")

Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="Use the rules in this directory as well."),
]
Color = Annotated[str, typer.Option(metavar="WHEN", help="Colour: auto, always or never.")]
TargetName = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="torchneuron (the default) or xla."),
]
RuleWords = Annotated[
    list[str] | None,
    typer.Argument(metavar="RULE", help="Ids, beginnings of ids, categories or names."),
]


def main() -> None:
    """Run the program; does not return."""
    app(prog_name="portaudit")


def _guarded(command: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Turn every way in which a command can fail into a message and exit code 2."""

    @functools.wraps(command)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except PortauditError as error:
            _complain(str(error))
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception:  # noqa: BLE001
            # Python would exit with 1, which here means that the gate failed.
            sys.stderr.write(traceback.format_exc())
            _complain("this is a mistake in portaudit; please report the lines above")
            raise typer.Exit(FAILED) from None

    return run


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portaudit {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and stop."
        ),
    ] = False,
) -> None:
    pass


# --- scan -----------------------------------------------------------------------------------------


@app.command()
@_guarded
def scan(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="What to audit; by default this directory."),
    ] = None,
    *,
    target: TargetName = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="F[,F]", help="terminal, json, or both.")
    ] = "terminal",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="Write to a file, or into a directory."
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULES", help="Only these: ids, beginnings, categories, names."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULES", help="All but these.")
    ] = None,
    extend_select: Annotated[
        list[str] | None, typer.Option(metavar="RULES", help="These as well.")
    ] = None,
    min_confidence: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="Leave out what is less sure: low, medium, high."),
    ] = None,
    rules: Rules = None,
    ops: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Operators that your release of the target has kernels for."
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="Exit with 1 on findings this grave: info, minor, major, blocker, or none.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 if a file could not be read or parsed.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Processes; 0 is one per core."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What paths are relative to, and where settings are."),
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="Root causes to show in full.")] = 5,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Show the settings in force and stop.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every finding.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say the verdict only.")] = False,
    color: Color = "auto",
) -> None:
    """Report what blocks a port: where, why, what to use instead, and how much work it is."""
    from portaudit.config import Options, load, show

    options = Options(
        root=root,
        target=target,
        select=_words(select),
        ignore=_words(ignore),
        extend_select=_words(extend_select),
        min_confidence=min_confidence,
        rules=tuple(rules or ()),
        ops=ops,
        fail_on=fail_on,
        jobs=jobs,
    )
    style = _Style(color=_wants_color(color), verbose=verbose, quiet=quiet, top=top)
    places = _places(formats, output)
    config = load(paths or (), options, cwd=Path.cwd())
    if show_config:
        _write(show(config))
        return
    report = _scanned(config, quiet=quiet)
    for kind, place in places.items():
        _deliver(report, kind, place, style)
    raise typer.Exit(_outcome(report, config, strict=strict))


@dataclass(frozen=True, slots=True)
class _Style:
    color: bool
    verbose: bool
    quiet: bool
    top: int


def _scanned(config: Config, *, quiet: bool) -> Report:
    from portaudit import engine

    if quiet or not _is_terminal(sys.stderr):
        return engine.scan(config)
    with _progress() as advance:
        return engine.scan(config, progress=advance)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("Reading"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _places(formats: str, output: Path | None) -> dict[str, Path | None]:
    """Where each format goes; `None` is standard output."""
    kinds = list(dict.fromkeys(kind.strip() for kind in formats.split(",")))
    for kind in kinds:
        if kind not in _EXTENSIONS:
            known = ", ".join(_EXTENSIONS)
            hint = nearest(kind, _EXTENSIONS) or f"; there are {known}"
            raise UsageError(f'no format is called "{kind}"{hint}')
    if output is None:
        if len(kinds) > 1:
            raise UsageError("several formats need a directory to go to: add --output DIR")
        return {kinds[0]: None}
    if len(kinds) > 1 and output.is_file():
        raise UsageError(f"--output {output} is a file; several formats need a directory")
    if len(kinds) > 1 or output.is_dir():
        return {kind: output / f"report.{_EXTENSIONS[kind]}" for kind in kinds}
    return {kinds[0]: output}


def _deliver(report: Report, kind: str, place: Path | None, style: _Style) -> None:
    from portaudit.report import json, terminal

    color = style.color and place is None
    width = _width() if place is None else _PLAIN_WIDTH
    if kind == "json":
        text = json.render(report)
    elif style.quiet:
        text = terminal.render_verdict(report, width=width, color=color)
    else:
        text = terminal.render(
            report, width=width, color=color, verbose=style.verbose, top=style.top
        )
    if place is None:
        _write(text, encoding="utf-8" if kind == "json" else None)
        return
    _save(place, text)
    if not style.quiet:
        typer.echo(f"wrote {place}", err=True)


def _outcome(report: Report, config: Config, *, strict: bool) -> int:
    from portaudit.triage.gate import failing

    if strict and report.partial:
        lost = _count(len(report.errors), "file or part of a file", "files or parts of files")
        _complain(f"{lost} could not be read (--strict)")
        return FAILED
    found = failing(report, config.fail_on) if config.fail_on else []
    if found:
        places = _count(len(found), "finding", "findings")
        _complain(f"gate failed: {places} of severity {config.fail_on} or worse", label="")
        return GATE_FAILED
    return 0


# --- rules ----------------------------------------------------------------------------------------


@app.command()
@_guarded
def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="An id or a name.")],
    *,
    rules: Rules = None,
    color: Color = "auto",
) -> None:
    """Show all there is to know about a rule: why, what to do, the facts and their sources."""
    from portaudit.catalogue import docs
    from portaudit.catalogue.select import find_rule
    from portaudit.report import terminal

    catalogue = _catalogue(rules)
    text = docs.page(catalogue, find_rule(catalogue.rules, rule))
    _write(terminal.render_markdown(text, width=_width(), color=_wants_color(color)))


@rules_app.command("list")
@_guarded
def list_rules(
    words: RuleWords = None,
    *,
    target: TargetName = None,
    rules: Rules = None,
    color: Color = "auto",
) -> None:
    """List the rules with their severity and what the target makes of them."""
    from portaudit.catalogue.select import select_rules
    from portaudit.config import read_target
    from portaudit.report import terminal

    chosen = read_target(target or "torchneuron")
    catalogue = _catalogue(rules)
    listed = [catalogue.rules[key] for key in select_rules(catalogue.rules, select=words or ())]
    rows = [
        (rule.id, rule.severity, rule.target[chosen].status, rule.category, rule.name)
        for rule in listed
    ]
    _write(terminal.render_rules(rows, width=_width(), color=_wants_color(color)))


@rules_app.command("test")
@_guarded
def run_tests(words: RuleWords = None, *, rules: Rules = None) -> None:
    """Run the tests that rules carry with them."""
    from portaudit.catalogue import testing
    from portaudit.catalogue.select import select_rules

    catalogue = _catalogue(rules)
    chosen = select_rules(catalogue.rules, select=words or ())
    failures = testing.run(catalogue, chosen)
    for failure in failures:
        _write(f"{failure}\n")
    tests = sum(len(catalogue.rules[rule_id].test) for rule_id in chosen)
    counts = _count(len(chosen), "rule", "rules"), _count(tests, "test", "tests")
    _write(f"{', '.join(counts)}, {len(failures)} failed\n")
    if failures:
        raise typer.Exit(GATE_FAILED)


@rules_app.command("new")
@_guarded
def new_rule(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="A free id, such as FUS014.")],
    name: Annotated[str, typer.Argument(help="The pattern in a few words, such as cuda-graph.")],
    *,
    category: Annotated[str, typer.Option(help="One of the categories of `rules list`.")],
    rules: Annotated[
        Path, typer.Option("--rules", metavar="DIR", help="Where to write the rule file.")
    ] = Path("rules"),
) -> None:
    """Write a rule file to start from."""
    from portaudit.catalogue.load import builtin_rules
    from portaudit.catalogue.new import draft

    if not rules.is_dir():
        raise UsageError(f"{rules}: no such directory; create it, or name another with --rules")
    own = rules.resolve() == builtin_rules().resolve()
    known = _catalogue(None if own else [rules]).rules
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    drafted = draft(known, rule_id, name, category, today=today)
    place = rules / drafted.path
    if place.exists():
        raise UsageError(f"{place} exists already")
    _save(place, drafted.text)
    again = "" if own else f" --rules {rules}"
    _write(f"wrote {place}\nfill it in, then run: portaudit rules test {rule_id}{again}\n")


@rules_app.command("docs")
@_guarded
def document_rules(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a page is out of date.")
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The docs directory.")
    ] = Path("docs"),
) -> None:
    """Write the pages of the rules and the JSON Schemas."""
    from portaudit.catalogue import docs
    from portaudit.report.schema import json_schema

    documents = docs.pages(_catalogue(None)) | {"report.schema.json": json_schema()}
    if check:
        problems = docs.stale(documents, output)
        for problem in problems:
            _complain(problem)
        if problems:
            _complain("run `portaudit rules docs` and commit what it writes", label="")
            raise typer.Exit(GATE_FAILED)
        return
    _save_all(documents, output)
    for path in docs.leftovers(documents, output):
        path.unlink()
    _write(f"wrote {len(documents)} files to {output}\n")


def _catalogue(extra: Sequence[Path] | None) -> Catalogue:
    from portaudit.catalogue.load import load

    return load(extra or ())


# --- in and out -----------------------------------------------------------------------------------


def _words(values: Sequence[str] | None) -> tuple[str, ...]:
    """The words of a list option: given several times, separated by commas, or both."""
    words = (word.strip() for value in values or () for word in value.split(","))
    return tuple(word for word in words if word)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _wants_color(when: str) -> bool:
    if when not in {"auto", "always", "never"}:
        hint = nearest(when, ("auto", "always", "never"))
        raise UsageError(f"--color must be auto, always or never, not {when}{hint}")
    if when != "auto":
        return when == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return _is_terminal(sys.stdout) and not plain


def _width() -> int:
    """Columns to fill: those of the terminal, or what COLUMNS says, or a fixed number."""
    return shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns


def _write(text: str, encoding: str | None = None) -> None:
    """Write to standard output what it can show; a reader that went away is no failure."""
    stream: TextIO = sys.stdout
    content = text.encode(encoding or stream.encoding or "utf-8", "replace")
    try:
        stream.flush()
        stream.buffer.write(content)
        stream.flush()
    except BrokenPipeError:
        # Python flushes once more at exit and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _save(place: Path, text: str) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8", "replace"))
    except OSError as error:
        raise UsageError(f"{place}: cannot be written: {error.strerror or error}") from error


def _save_all(documents: Mapping[str, str], directory: Path) -> None:
    for path, text in documents.items():
        _save(directory / path, text)


def _complain(text: str, *, label: str = "error: ") -> None:
    typer.secho(label, fg="red", bold=True, err=True, nl=False)
    typer.echo(text, err=True)
