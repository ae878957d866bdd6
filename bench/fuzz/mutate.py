"""Scans spoiled copies of real files: no crash, no hang, and both parsers of Python agree.

    python bench/fuzz/mutate.py FOLDER [FOLDER …] [--number 20000] [--seed 9] [--broken DIR]

takes the files under the folders that an audit reads and that are under 40 kB (`--largest`), as
text only, and spoils each mutant in one to three ways (`changes.py`). The seed and a number give a
mutant again: `--only N` scans that one and shows what is wrong with it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

from changes import CHANGES
from fuzz import keep, signature
from msgspec import Struct
from targets import (
    Target,
    catalogue,
    check_parsers,
    check_result,
    parses_twice,
    within_limits,
)

from portaudit.discover import walk
from portaudit.files import Disk
from portaudit.kinds import kind_by_name
from portaudit.scan import scan_file
from portaudit.types import FileKind, SourceFile

_LARGEST = 40_000
"""Bytes of a file that is spoiled: of larger ones there are few, and they take most of the time."""
_PYTHON = 0.7
"""Of the mutants so many are of Python."""
_OTHERS = 400
"""Files of a kind that may be taken from a folder."""


class Whole(Struct, frozen=True):
    """A file as it is: where it lies, and its path in its tree, which may say what kind it is."""

    place: Path
    path: str


class Mutant(Struct, frozen=True):
    """A spoiled file: what it was made of, and how."""

    path: str
    content: bytes
    ways: tuple[str, ...]


class Counted(Struct):
    """What came of some mutants."""

    mutants: int = 0
    twice: int = 0
    damaged: int = 0
    findings: int = 0
    wrong: int = 0
    slowest: float = 0.0


def sources(folders: Sequence[Path], largest: int = _LARGEST) -> dict[FileKind, list[Whole]]:
    """The files that are spoiled, by kind, in an order that has nothing to do with them."""
    found: dict[FileKind, list[Whole]] = {}
    for folder in folders:
        root = folder.resolve()
        tree = walk(Disk(root), [root])
        taken: Counter[FileKind] = Counter()
        for path in sorted(tree.kinds, key=lambda path: sha256(path.encode()).digest()):
            place, kind = root / path, tree.kinds[path]
            if taken[kind] < _OTHERS and 0 < place.stat().st_size < largest:
                taken[kind] += 1
                found.setdefault(kind, []).append(Whole(place, path))
    return found


def mutant(files: Mapping[FileKind, Sequence[Whole]], seed: int, number: int) -> Mutant:
    """The mutant of a number."""
    random = Random(f"{seed} {number}")  # noqa: S311 - nothing secret
    kinds = sorted(files)
    kind = "python" if random.random() < _PYTHON and "python" in files else random.choice(kinds)
    one, other = random.choice(files[kind]), random.choice(files[kind])
    content, more = one.place.read_bytes(), other.place.read_bytes()
    ways = tuple(random.choice(tuple(CHANGES)) for _ in range(random.choice((1, 1, 1, 2, 3))))
    for way in ways:
        content = CHANGES[way](content, more, random)
    return Mutant(one.path, content, ways)


def check(made: Mutant) -> tuple[bool, bool, int]:
    """Scan a mutant; whether both parsers read it, whether something was lost, and its findings.

    Raises what a target raises.
    """
    told = (False, False, 0)

    def scanned(content: bytes) -> None:
        nonlocal told
        kind = kind_by_name(made.path)
        assert kind is not None
        source = SourceFile(made.path, kind, content)
        found = scan_file(source, catalogue(), "torchneuron")
        check_result(source, found)
        twice = kind == "python" and parses_twice(source)
        if twice or kind == "notebook":
            check_parsers(source, found)
        told = twice, bool(found.errors), len(found.findings)

    within_limits(Target("mutant", scanned), made.content)
    return told


def rows(counted: Mapping[str, Counted], name: str) -> list[str]:
    """A table of what came of mutants."""
    lines = [
        f"| {name} | mutants | both parsers | with errors | findings | slowest, s | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, each in sorted(counted.items(), key=lambda item: -item[1].mutants):
        lines.append(
            f"| {key} | {each.mutants} | {each.twice} | {each.damaged} | {each.findings} "
            f"| {each.slowest:.1f} | {each.wrong} |"
        )
    return lines


def main() -> int:
    """Spoil, scan, and print what came of it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--only", type=int)
    parser.add_argument("--largest", type=int, default=_LARGEST, help="bytes of a file")
    parser.add_argument("--broken", type=Path, help="where inputs that break a promise are kept")
    given = parser.parse_args()
    files = sources(given.folders, given.largest)
    if given.only is not None:
        made = mutant(files, given.seed, given.only)
        print(made.path, made.ways, made.content, check(made), sep="\n")
        return 0
    kinds: dict[str, Counted] = {}
    ways: dict[str, Counted] = {}
    if given.broken:
        given.broken.mkdir(parents=True, exist_ok=True)
    for number in range(given.first, given.first + given.number):
        made = mutant(files, given.seed, number)
        start = time.process_time()
        wrong, told = 0, (False, False, 0)
        try:
            told = check(made)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            wrong = 1
            print(f"{number} {made.path} {made.ways}: {signature(error)}", flush=True)
            if given.broken:
                keep(given.broken, made.content, error)
        seconds = time.process_time() - start
        for counted in (
            kinds.setdefault(kind_by_name(made.path) or "", Counted()),
            *(ways.setdefault(way, Counted()) for way in set(made.ways)),
        ):
            counted.mutants += 1
            counted.twice += told[0]
            counted.damaged += told[1]
            counted.findings += told[2]
            counted.wrong += wrong
            counted.slowest = max(counted.slowest, seconds)
        if number % 1000 == 999:  # noqa: PLR2004 - so that somebody sees it go on
            print(f"{number + 1} mutants, {time.process_time():.0f} s", file=sys.stderr, flush=True)
    print(*rows(kinds, "kind"), "", *rows(ways, "changed"), sep="\n")
    return min(sum(each.wrong for each in kinds.values()), 1)


if __name__ == "__main__":
    sys.exit(main())
