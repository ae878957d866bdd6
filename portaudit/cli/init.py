"""The command `init`: settings, a baseline and a commit hook for a repository. Shows them first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portaudit.cli.common import (
    FAILED,
    complain,
    guarded,
    replace_file,
    save,
    tell,
    today,
    write,
)
from portaudit.cli.delivery import progress
from portaudit.cli.options import Asked, taking
from portaudit.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portaudit.config import Config
    from portaudit.init import Part


@guarded
@taking("target", "jobs", "quiet")
def init(
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="The tree; by default this directory.")
    ] = None,
    *,
    do_write: Annotated[
        bool, typer.Option("--write", help="Write what is shown without this.")
    ] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Accept all that there is now.")
    ] = True,
    pre_commit: Annotated[
        bool, typer.Option("--pre-commit", help="Begin a file for pre-commit, if there is none.")
    ] = False,
    ci: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help="Print a job for github or gitlab, and stop."),
    ] = None,
    asked: Asked,
) -> None:
    """Prepare a repository: settings, a baseline, a commit hook. Shows them; --write writes.

    Nothing that is there is overwritten: at most, lines are added at the end of a file.
    """
    if ci is not None:
        write(_job(ci))
        return
    config = _config(path or Path(), asked)
    from portaudit.init import propose

    with progress(quiet=asked.quiet) as advance:
        parts = propose(config, today=today(), baseline=baseline, hook=pre_commit, progress=advance)
    if do_write:
        _write(config, parts, quiet=asked.quiet)
    else:
        _show(parts, quiet=asked.quiet)


def _job(word: str) -> str:
    from portaudit.jobs import JOBS

    if word not in JOBS:
        hint = nearest(word, JOBS) or f"; there are {', '.join(JOBS)}"
        raise UsageError(f'--ci knows no "{word}"{hint}')
    if "OWNER" in JOBS[word]:
        tell("OWNER stands for whoever hosts the portaudit that you use")
    return JOBS[word]


def _config(path: Path, asked: Asked) -> Config:
    from portaudit.config import load

    if path.is_file():
        raise UsageError(f"{path} is a file; name the directory that holds the code")
    config = load([path], asked.options(), cwd=Path.cwd())
    if config.root != config.paths[0]:
        raise UsageError(f"{config.root} has settings of portaudit, which hold for {path} as well")
    return config


def _show(parts: Sequence[Part], *, quiet: bool) -> None:
    """What would be written, and where."""
    verbs = {"create": "would create", "append": "would add to the end of", "keep": "keeps"}
    for part in parts:
        write(f"{verbs.get(part.action, 'leaves to you')} {part.path}: {part.why}\n")
        if part.action != "keep" and not part.data and not quiet:
            lines = part.text.strip("\n").split("\n")
            write("".join(f"    {line}".rstrip() + "\n" for line in lines) + "\n")
    if any(part.action in {"create", "append"} for part in parts):
        tell("nothing is written yet: portaudit init --write does it")
    else:
        tell("there is nothing to write")


def _write(config: Config, parts: Sequence[Part], *, quiet: bool) -> None:
    """Write what was proposed, if nobody else has written there since."""
    created: list[str] = []
    added: list[str] = []
    for part in parts:
        place = config.root / part.path
        if part.action == "create":
            if place.exists():
                raise UsageError(f"{part.path} is there by now; nothing of it was changed")
            save(place, part.text)
            created.append(part.path)
            tell(f"created {part.path}: {part.why}")
        elif part.action == "append":
            if place.read_bytes() != part.before.encode():
                raise UsageError(f"{part.path} was changed meanwhile; nothing was added to it")
            ends = "\r\n" if "\r\n" in part.before else "\n"
            text = part.before + part.text.replace("\n", ends)
            replace_file(place, text.encode())
            number = part.text.count("\n")
            added.append(f"the last {number} lines of {part.path}")
            tell(f"added {number} lines to the end of {part.path}: {part.why}")
        elif part.action == "keep" and not quiet:
            tell(f"kept {part.path}: {part.why}")
        elif part.action == "by hand":
            complain(f"{part.path}: {part.why}", label="")
            write(part.text)
    done = [*created, *added]
    if done and not quiet:
        tell(f"to undo it, delete {', '.join(done)}")
        tell("next: portaudit check")
    if any(part.action == "by hand" for part in parts):
        raise typer.Exit(FAILED)
