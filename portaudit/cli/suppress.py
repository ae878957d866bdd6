"""The command `suppress`: accepts findings by comments in the code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from portaudit.cli.common import FAILED, complain, guarded, replace_file, tell, words, write
from portaudit.cli.delivery import progress
from portaudit.cli.options import RUN, Asked, taking
from portaudit.errors import UsageError

if TYPE_CHECKING:
    from portaudit.catalogue.schema import Rule
    from portaudit.config import Config
    from portaudit.triage.rewrite import Rewritten
    from portaudit.types import Finding, SourceFile

_PLACE = re.compile(r"(.+?):(\d+)(?::\d+)?:?", re.DOTALL)


@guarded
@taking(*RUN)
def suppress(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="PLACE...", help="FILE:LINE, a file or a directory; and rules, if you like."
        ),
    ],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why this is accepted.")],
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="RULES", help="Only these: ids, beginnings, categories, names, ALL."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the comments, write nothing.")
    ] = False,
    asked: Asked,
) -> None:
    """Accept findings where they stand: write `portaudit: ignore[RULES] reason` into the code.

    A finding is accepted with the statement that it is in. `suppress train.py:12 --reason "…"`
    accepts all findings of one line, `suppress src --rule DEV001 --reason "…"` those of a rule.
    """
    from portaudit import engine
    from portaudit.config import load
    from portaudit.report.outcome import count
    from portaudit.report.text import harmless

    reason = _checked(reason)
    given, named = _sorted_out(places)
    chosen = (*words(rule), *named)
    if not chosen and any(place.line is None for place in given):
        raise UsageError("whole files need rules: add --rule RULES, or --rule ALL for all")
    paths = list(dict.fromkeys(place.path for place in given))
    config = load(paths, asked.options(), cwd=Path.cwd())
    loaded = engine.rules_of(config)
    ids = _ids(loaded.everything.rules, chosen)
    with progress(quiet=asked.quiet) as advance:
        report = engine.scan(config, rules=loaded, progress=advance)
    wanted = _wanted(config, report.findings, given, ids)
    written, refused = 0, 0
    for path, findings in wanted.items():
        source = _source(config, path)
        result = _rewritten(source, findings, reason)
        if result.content != source.content and not dry_run:
            replace_file(config.root / path, result.content)
        if not asked.quiet:
            lines = (harmless(f"{path}:{line}: {text}") for line, text in result.comments)
            write("".join(f"{line}\n" for line in lines))
        for finding, why in result.refused:
            complain(_refusal(finding, why))
        refused += len(result.refused)
        written += len(findings) - len(result.refused)
    done = "would be accepted" if dry_run else "accepted"
    if not asked.quiet:
        tell(f"{count(written, 'finding')} {done}")
    if refused:
        raise typer.Exit(FAILED)


class _Place(Struct, frozen=True):
    path: Path
    line: int | None = None


def _checked(reason: str) -> str:
    text = " ".join(reason.split())
    if not re.search(r"\w", text):
        raise UsageError("--reason must say why this is accepted")
    if text != text.strip(" :-\u2013\u2014") or re.search(r"\s(?:#(?!\d)|//|/\*)|\*/|-->", text):
        raise UsageError(f"--reason {text!r} holds a sign that begins or ends a comment")
    return text


def _sorted_out(given: Sequence[str]) -> tuple[list[_Place], list[str]]:
    """What was given as places and as words for rules."""
    places: list[_Place] = []
    named: list[str] = []
    for word in given:
        found = _PLACE.fullmatch(word)
        if Path(word).exists():
            places.append(_Place(Path(word)))
        elif found and Path(found[1]).is_file():
            places.append(_Place(Path(found[1]), int(found[2])))
        elif re.search(r"[/.:]", word):
            raise UsageError(f"{found[1] if found else word}: no such file or directory")
        else:
            named.append(word)
    if not places:
        raise UsageError("say where: FILE:LINE, a file or a directory")
    return places, named


def _ids(rules: Mapping[str, Rule], chosen: Sequence[str]) -> frozenset[str]:
    from portaudit.catalogue.select import named

    return frozenset(rule for word in chosen or ("ALL",) for rule in named(rules, word))


def _wanted(
    config: Config,
    findings: Sequence[Finding],
    places: Sequence[_Place],
    ids: frozenset[str],
) -> dict[str, list[Finding]]:
    """The findings to accept, by file. Raises `UsageError` for a place without any."""
    wanted: dict[str, dict[str, Finding]] = defaultdict(dict)
    left = [item for item in findings if item.rule in ids and item.suppressed is None]
    for place in places:
        path = (Path.cwd() / place.path).resolve().relative_to(config.root).as_posix()
        below = "" if path == "." else f"{path}/"
        here = [item for item in left if item.path == path or item.path.startswith(below)]
        if place.line is not None:
            exact = [item for item in here if item.span.line == place.line]
            around = (item for item in here if item.lines[0] <= place.line <= item.lines[1])
            here = exact or list(around)
        if not here:
            where = place.path if place.line is None else f"{place.path}:{place.line}"
            raise UsageError(f"{where}: nothing to accept there; see `portaudit scan -v`")
        for item in here:
            wanted[item.path][item.fingerprint] = item
    return {path: list(found.values()) for path, found in sorted(wanted.items())}


def _source(config: Config, path: str) -> SourceFile:
    from portaudit.discover import kind_of
    from portaudit.files import Disk
    from portaudit.types import SourceFile

    files = Disk(config.root)
    kind = kind_of(files, path)
    assert kind is not None  # it has findings
    return SourceFile(path, kind, files.read(path))


def _rewritten(source: SourceFile, findings: Sequence[Finding], reason: str) -> Rewritten:
    from portaudit.triage.rewrite import accept

    return accept(source, findings, reason)


def _refusal(finding: Finding, why: str) -> str:
    setting = f'per-file-ignores = {{ "{finding.path}" = ["{finding.rule}"] }}'
    where = f"{finding.path}:{finding.span.line}: {finding.rule}"
    return f"{where}: {why}; accept it in the settings of portaudit: {setting}"
