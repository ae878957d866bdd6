"""Rewrite whole trees without changing what they do, and check them against what they were.

    python bench/replay/reformat.py CLONE... [--black PROGRAM] [--renames 25]

The findings of HEAD become the entries of a baseline. Then every Python file is formatted anew (by
`ruff format`, by `black -l 79` where that is given), imports are sorted, files and folders get
other names, without a word to git or to the imports: each alone. New findings are printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from msgspec.structs import replace
from replay import FOREVER, Lenient, scan

from portaudit import discover, engine
from portaudit.config import Config
from portaudit.discover import Side
from portaudit.files import Overlay
from portaudit.git import Repository, Snapshot
from portaudit.ruleset import Rules
from portaudit.triage.baseline import Reading, compare
from portaudit.triage.matching import entry_of
from portaudit.types import Entry, Report

SUFFIXES = (".py", ".pyi")
TIMEOUT = 900
NARROW = "79"
WIDE = "120"


@dataclass(frozen=True)
class Before:
    """A tree as it was committed, with what a baseline accepts of it."""

    config: Config
    rules: Rules
    files: Snapshot
    tree: discover.Tree
    scanner: Lenient
    report: Report

    @property
    def entries(self) -> list[Entry]:
        """What a baseline accepts."""
        return [entry_of(finding) for finding in self.report.findings]


def at_head(clone: Path) -> Before:
    """Scan HEAD of a clone."""
    config = Config(root=clone, paths=(clone,), jobs=1, cache=False)
    rules = engine.rules_of(config)
    repository = Repository.at(clone)
    files = repository.revision(repository.resolve("HEAD"))
    tree = discover.walk(files, config.paths)
    scanner = Lenient(files, rules.chosen, config.target)
    return Before(
        config, rules, files, tree, scanner, scan(scanner, config, rules, Side(files, tree))
    )


def check(before: Before, name: str, side: Side, changed: int) -> int:
    """Hold a side against the baseline; print what is new or graver, and return how much is."""
    after = scan(replace(before.scanner, files=side.files), before.config, before.rules, side)
    reading = Reading(
        frozenset(side.tree.selected) - {error.path for error in after.errors},
        side.tree.kinds.__contains__,
        before.rules.chosen.rules.keys(),
    )
    comparison = compare(after.findings, before.entries, reading, today=FOREVER)
    told = [finding for finding in comparison.findings if finding.state != "unchanged"]
    if changed != 1 or told:
        gone = sum(entry.count for entry in comparison.gone)
        print(
            f"{name}: {changed:,} files, {len(after.findings):,} findings, "
            f"{sum(item.state == 'new' for item in told)} new, "
            f"{sum(item.state == 'updated' for item in told)} graver, {gone} gone"
        )
    for item in told:
        print(
            f"  {item.state}: {item.path}:{item.span.line} {item.rule} {item.anchor!r} "
            f"in {item.scope!r}: {item.snippet.strip()[:100]}"
        )
    sys.stdout.flush()
    return len(told)


def formatted(before: Before, *commands: list[str]) -> tuple[Side, int]:
    """The tree with its Python files rewritten by programs, and how many they changed."""
    paths = [path for path in before.tree.files if path.endswith(SUFFIXES)]
    changed: dict[str, bytes] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path in paths:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(before.files.read(path))
        for command in commands:
            subprocess.run(  # noqa: S603 - a formatter that the caller named
                [*command, "."], cwd=folder, capture_output=True, timeout=TIMEOUT, check=False
            )
        for path in paths:
            content = (folder / path).read_bytes()
            if content != before.files.read(path):
                changed[path] = content
    return Side(Overlay(before.files, changed), before.tree), len(changed)


def renamed(before: Before, names: Mapping[str, str]) -> Side:
    """The tree with some files under other names."""
    blobs = {names.get(path, path): blob for path, blob in before.files.blobs.items()}
    files = Snapshot(before.files.root, blobs, before.files.reader)
    return Side(files, discover.walk(files, before.config.paths))


def some(before: Before, number: int) -> Iterator[str]:
    """Files with findings, evenly spread."""
    paths = sorted({finding.path for finding in before.report.findings})
    yield from paths[:: max(1, len(paths) // number)][:number]


def replay(clone: Path, black: str | None, renames: int) -> None:
    """All that is done to one clone."""
    before = at_head(clone)
    head = Repository.at(clone).resolve("HEAD")
    print(f"\n{clone} {head[:12]}: {len(before.report.findings):,} findings", flush=True)
    ruff = str(Path(sys.executable).with_name("ruff"))
    own = [ruff, "format", "--isolated", "--no-cache", "--quiet"]
    wide = ["--line-length", WIDE, "--config", 'format.quote-style = "single"']
    sort = [ruff, "check", "--isolated", "--no-cache", "--quiet", "--select", "I", "--fix"]
    programs = {
        "ruff format": own,
        "ruff format, 120 columns, single quotes": [*own, *wide],
        "imports sorted": sort,
        "imports sorted, one a line": [*sort, "--config", "lint.isort.force-single-line = true"],
    }
    if black:
        programs["black, 79 columns"] = [black, "-l", NARROW, "--quiet"]
    for name, command in programs.items():
        check(before, name, *formatted(before, command))
    paths = before.files.blobs
    _moved(before, "all in another folder", {path: f"elsewhere/{path}" for path in paths})
    for folder in sorted({path.partition("/")[0] for path in before.tree.files if "/" in path}):
        inner = {path: f"{folder}_{path[len(folder) :]}" for path in paths if _is_in(path, folder)}
        _moved(before, f"{folder}/ under another name", inner)
    _singly(before, "one file under another name", renames, _other_name)
    _singly(before, "one file in another folder", renames, lambda path: f"elsewhere/{path.name}")


def _moved(before: Before, name: str, names: Mapping[str, str]) -> None:
    check(before, name, renamed(before, names), len(names))


def _singly(before: Before, name: str, number: int, other: Callable[[PurePosixPath], str]) -> None:
    """Rename files one after the other, each alone in a tree that is otherwise as it was."""
    paths = list(some(before, number))
    told = sum(
        check(before, f"{name}: {path}", renamed(before, {path: other(PurePosixPath(path))}), 1)
        for path in paths
    )
    print(f"{name}: {len(paths)} times, {told} new or graver", flush=True)


def _other_name(path: PurePosixPath) -> str:
    return str(path.with_name(f"renamed_{path.name}"))


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def main() -> None:
    """Rewrite every clone that was given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--black", metavar="PROGRAM", help="where black is")
    parser.add_argument("--renames", type=int, default=25, help="files to rename, one by one")
    given = parser.parse_args()
    for clone in given.clones:
        replay(clone.resolve(), given.black, given.renames)


if __name__ == "__main__":
    main()
