"""Replay real history: a baseline at each commit's parent, a check at the commit.

    python bench/replay/replay.py CLONE... [--commits 300] [--before REV] [--whole]

CLONE is a git directory, with or without a work tree, which is only read. For each of its last
commits that touch files of a kind that is read (first parents, no merges), the findings of the
parent's files become the entries of a baseline, and those of the commit's files are held against
them: once as `check` does, which asks git for renames where a file is gone and another may be it,
and once as `check --diff` does, which knows git's renames and the lines that were written. A
finding that is called new although no line of its statement was touched is printed. Beside this
stand a baseline of line numbers and one of fingerprints alone. Only touched files are scanned (and
the modules that they ask about), or with `--whole` all files of both trees.
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

import msgspec

from portaudit import discover, engine
from portaudit.compare import Sides, renamed, touched
from portaudit.config import Config
from portaudit.discover import Side
from portaudit.engine import Scanner
from portaudit.git import GitError, Repository, Snapshot
from portaudit.kinds import kind_by_name
from portaudit.relate.kernels import related
from portaudit.relate.modules import Modules
from portaudit.ruleset import Rules
from portaudit.triage.baseline import Comparison, Reading, compare
from portaudit.triage.gate import Policy, failing
from portaudit.triage.matching import entry_of
from portaudit.types import Finding, Report, ScanError

EVERY = 10
"""Commits between two words about how far the replay is."""
NEAR = 3
"""Entries printed with a finding that is called new: those of its rule that none has."""
FOREVER = datetime.date.min
"""No entry here ends."""
Key = Callable[[Finding], Hashable]


# --- scanning -------------------------------------------------------------------------------------


class Lenient(Scanner, frozen=True, eq=False):
    """Scans what a clone has. `lacking`: files whose contents it does not have."""

    lacking: set[str] = msgspec.field(default_factory=set)

    def read(self, path: str) -> bytes | ScanError:
        """The contents of a file, or why there are none."""
        try:
            return discover.read(self.files, path)
        except GitError as error:
            self.lacking.add(path)
            return ScanError(path, str(error))


def scan(scanner: Lenient, config: Config, rules: Rules, side: Side) -> Report:
    """The report of a side, as `engine.scan` makes it."""
    modules = Modules(side.tree, rules.everything.libraries)
    results = engine.scan_tree(scanner, modules, side.tree, results=rules.results)
    natives = related(results, modules)
    ran = rules.chosen.rules.keys()
    return engine.report(config, rules.everything, results, natives, side.tree, modules, ran)


class History:
    """The trees of a clone and their findings."""

    def __init__(self, clone: Path, rules: Rules) -> None:
        self.repository = Repository.at(clone)
        self.config = Config(root=clone, paths=(clone,), jobs=1)
        self.rules = rules
        self._trees: dict[str, tuple[Snapshot, discover.Tree]] = {}
        self._walked: dict[frozenset[tuple[str, str, str]], discover.Tree] = {}

    def commits(self) -> Iterator[tuple[str, str]]:
        """Each commit of the first parents that is no merge, with its parent, newest first."""
        done = self.repository.run(
            "rev-list", "--first-parent", "--no-merges", "--parents", "HEAD", "--"
        )
        for line in done.stdout.decode().splitlines():
            commit, *parents = line.split()
            if parents:
                yield parents[0], commit

    def tree(self, commit: str) -> tuple[Snapshot, discover.Tree]:
        """The files of a commit; those of a few commits are kept."""
        if commit not in self._trees:
            snapshot = self.repository.revision(commit)
            while len(self._trees) > 1:
                del self._trees[next(iter(self._trees))]
            self._trees[commit] = snapshot, self._walk(snapshot)
        return self._trees[commit]

    def _walk(self, snapshot: Snapshot) -> discover.Tree:
        """What is read of a commit: as before, if only the insides of files are others."""
        shape = frozenset(
            (path, blob.kind, blob.name if _decides(path) else "")
            for path, blob in snapshot.blobs.items()
        )
        if shape not in self._walked:
            self._walked = {shape: discover.walk(snapshot, self.config.paths)}
        return self._walked[shape]

    def report(self, commit: str, paths: Collection[str] | None) -> tuple[Report, set[str]]:
        """The report of some files of a commit or of all, and the files that are lacking."""
        snapshot, tree = self.tree(commit)
        side = Side(snapshot, tree if paths is None else tree.only(paths))
        catalogue, target = self.rules.chosen, self.config.target
        scanner = Lenient(snapshot, catalogue, target)
        return scan(scanner, self.config, self.rules, side), scanner.lacking


def _decides(path: str) -> bool:
    """Whether what is read may depend on the contents of a file."""
    return "." not in path.rpartition("/")[2].lstrip(".")


# --- touched lines --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Marks:
    """Lines of a file that a commit wrote, and lines after which it took some away."""

    written: frozenset[int]
    cuts: frozenset[int]

    def has(self, finding: Finding) -> bool:
        """Whether the statement of a finding was touched."""
        first, last = finding.lines if finding.lines[0] else (finding.span.line, finding.span.line)
        return any(line in self.written for line in range(first, last + 1)) or any(
            line in self.cuts for line in range(first, last)
        )


def marked(old: bytes, new: bytes) -> Marks:
    """What was done to a file. Ends of lines are no part of them."""
    before, after = _lines(old), _lines(new)
    start = _same(before, after)
    end = _same(before[start:][::-1], after[start:][::-1])
    inner = before[start : len(before) - end], after[start : len(after) - end]
    written: set[int] = set()
    cuts: set[int] = set()
    for word, _, _, low, high in difflib.SequenceMatcher(
        None, *inner, autojunk=False
    ).get_opcodes():
        if word == "delete":
            cuts.add(start + low)
        elif word != "equal":
            written.update(range(start + low + 1, start + high + 1))
    return Marks(frozenset(written), frozenset(cuts))


def _lines(content: bytes) -> list[bytes]:
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


def _same(before: list[bytes], after: list[bytes]) -> int:
    """How many lines two lists begin with alike."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(before), len(after)))


# --- one commit -----------------------------------------------------------------------------------


@dataclass
class Figures:
    """What was counted. Findings are those of the commits' versions of touched files.

    New on untouched lines by way: `baseline`, `diff`, `lines` (numbers), `fingerprints`; `swapped`:
    those of the first that the commit wrote once more, in the same scope or in another copy of a
    file, where that one was taken for the old one; `failing`: those of the first, and those graver
    than before, at which the gate's defaults fail.
    `elsewhere`: in files that the commit did not touch, which only a replay of whole trees sees.
    """

    commits: int = 0
    lacking: int = 0
    files: int = 0
    renamed: int = 0
    on_touched: int = 0
    on_untouched: int = 0
    new_on_touched: int = 0
    baseline: int = 0
    swapped: int = 0
    diff: int = 0
    graver: int = 0
    failing: int = 0
    elsewhere: int = 0
    lines: int = 0
    fingerprints: int = 0

    def add(self, other: Figures) -> None:
        """Count what another has counted."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def replay(history: History, parent: str, commit: str, *, whole: bool) -> Figures | None:
    """Check one commit against its parent. `None` where it touches nothing that is read."""
    changes = history.repository.changes(parent, commit)
    old_files, old_tree = history.tree(parent)
    new_files, new_tree = history.tree(commit)
    fresh = {each.new: each for each in changes if each.new and each.new in new_tree.kinds}
    stale = {each.old for each in changes if each.old and each.old in old_tree.kinds}
    if not fresh and not stale:
        return None
    before, lost = history.report(parent, None if whole else stale)
    after, lost_now = history.report(commit, None if whole else fresh.keys())
    if lost & stale or lost_now & fresh.keys():
        return Figures(lacking=1)
    reading = Reading(
        scanned=(frozenset(new_tree.kinds) if whole else fresh.keys())
        - {error.path for error in after.errors},
        there=lambda path: path in new_files.blobs,
        ran=history.rules.chosen.rules.keys(),
        moves=lambda: renamed(changes),
    )
    known = compare(after.findings, map(entry_of, before.findings), reading, today=FOREVER)
    sides = Sides(
        Side(new_files, new_tree.only(fresh)),
        Side(old_files, old_tree.only(each.old for each in fresh.values() if each.old)),
        renamed(fresh.values()),
        parent,
    )
    told = _diff(before, after, sides, reading)
    marks = {
        path: marked(old_files.read(change.old) if change.old else b"", new_files.read(path))
        for path, change in fresh.items()
    }
    figures = Figures(
        commits=1,
        files=len(fresh),
        renamed=sum(change.status == "renamed" for change in changes),
    )
    mine = [item for item in after.findings if item.path in fresh]
    still = {item.fingerprint for item in mine if not marks[item.path].has(item)}
    figures.on_untouched = len(still)
    figures.on_touched = len(mine) - len(still)
    for way, comparison in (("baseline", known), ("diff", told)):
        for item in comparison.findings:
            where = "untouched" if item.fingerprint in still else "touched"
            where = where if item.path in fresh else "elsewhere"
            _count(figures, way, where, item)
            if item.state != "unchanged" and where != "touched":
                _print(way, where, commit, item, comparison)
    figures.swapped = _swapped(known, still)
    figures.lines = _missed(mine, before.findings, still, _by_line)
    figures.fingerprints = _missed(mine, before.findings, still, lambda item: item.fingerprint)
    return figures


def _diff(before: Report, after: Report, sides: Sides, reading: Reading) -> Comparison:
    """The comparison that `check --diff` makes: changed files only, with what git says of them."""
    old, new = frozenset(sides.old.tree.selected), frozenset(sides.new.tree.selected)
    return compare(
        (item for item in after.findings if item.path in new),
        (entry_of(item) for item in before.findings if item.path in old),
        Reading(
            reading.scanned,
            reading.there,
            reading.ran,
            renamed=sides.renames,
            touched=touched(sides),
        ),
        today=FOREVER,
    )


def _count(figures: Figures, way: str, where: str, item: Finding) -> None:
    if item.state == "new" and where == "elsewhere":
        figures.elsewhere += 1
    elif item.state == "new" and where == "untouched":
        setattr(figures, way, getattr(figures, way) + 1)
    elif way == "baseline":
        figures.new_on_touched += item.state == "new"
        figures.graver += item.state == "updated" and where != "touched"
    if way == "baseline" and where != "touched":
        figures.failing += bool(failing([item], Policy()))


def _print(way: str, where: str, commit: str, item: Finding, comparison: Comparison) -> None:
    state = "graver" if item.state == "updated" else "new"
    print(
        f"  {commit[:12]} {way} {where} {state}: {item.path}:{item.span.line} {item.rule} "
        f"{item.effective_severity} {item.anchor!r} in {item.scope!r}: {item.snippet.strip()[:90]}"
    )
    if state == "new":
        same = (entry for entry in comparison.gone if entry.rule == item.rule)
        for entry in islice(same, NEAR):
            print(f"      left: {entry.path} {entry.anchor!r} in {entry.scope!r} x{entry.count}")
    sys.stdout.flush()


def _swapped(comparison: Comparison, still: Collection[str]) -> int:
    """How many findings are new only because one just like them, on a touched line, is not.

    Either in the same scope, or in another copy of a file that is gone.
    """
    new: Counter[tuple[str, ...]] = Counter()
    old: Counter[tuple[str, ...]] = Counter()
    copied: Counter[tuple[str, ...]] = Counter()
    for item in comparison.findings:
        key = item.rule, item.anchor, item.path, item.scope
        if item.state == "new":
            new[key] += item.fingerprint in still
        elif item.fingerprint not in still:
            old[key] += 1
            copied[key[:2]] += item.accepted is not None and item.accepted.path != item.path
    here = new & old
    left: Counter[tuple[str, ...]] = Counter()
    for rest, number in (new - here).items():
        left[rest[:2]] += number
    return sum(here.values()) + sum((left & copied).values())


def _by_line(item: Finding) -> Hashable:
    return item.path, item.span.line, item.rule


def _missed(
    findings: Iterable[Finding], old: Iterable[Finding], still: Collection[str], key: Key
) -> int:
    """How many findings on untouched lines a baseline of such keys calls new."""
    waiting = Counter(map(key, old))
    missed = 0
    for item in findings:
        found = key(item)
        if waiting[found]:
            waiting[found] -= 1
        elif item.fingerprint in still:
            missed += 1
    return missed


# --- all of them ----------------------------------------------------------------------------------


def run(clone: Path, wanted: int, before: str | None, rules: Rules, *, whole: bool) -> Figures:
    """Replay the last commits of a clone, the oldest of them first."""
    history = History(clone, rules)
    chosen: list[tuple[str, str]] = []
    until = history.repository.resolve(before) if before else None
    for parent, commit in history.commits():
        if until:
            until = None if commit == until else until
            continue
        try:
            changes = history.repository.changes(parent, commit)
        except GitError:
            continue
        if any(kind_by_name(path) for each in changes for path in (each.old, each.new) if path):
            chosen.append((parent, commit))
        if len(chosen) == wanted:
            break
    total = Figures()
    began = time.monotonic()
    print(f"{clone}: {chosen[-1][1][:12]} … {chosen[0][1][:12]}", flush=True)
    for number, (parent, commit) in enumerate(reversed(chosen), start=1):
        try:
            figures = replay(history, parent, commit, whole=whole)
        except GitError as error:
            print(f"  {commit[:12]} left out: {error}")
            figures = Figures(lacking=1)
        total.add(figures or Figures())
        if number % EVERY == 0:
            passed = time.monotonic() - began
            print(f"{clone}: {number} in {passed:.0f} s: {total}", file=sys.stderr, flush=True)
    return total


def show(rows: list[tuple[str, Figures]]) -> None:
    """Print the figures of each clone and of all."""
    every = Figures()
    for _, figures in rows:
        every.add(figures)
    names = [each.name for each in fields(Figures)]
    print()
    print("clone", *(name.replace("_", " ") for name in names), sep=" | ")
    for label, figures in [*rows, ("all", every)]:
        print(label, *(f"{getattr(figures, name):,}" for name in names), sep=" | ")
    print()
    for way in ("baseline", "diff", "lines", "fingerprints"):
        print(
            f"{way}: {getattr(every, way):,} of {every.on_untouched:,} findings on untouched "
            "lines of touched files called new"
        )


def main() -> None:
    """Replay every clone that was given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--before", metavar="REV", help="begin with the commits before this one")
    parser.add_argument("--whole", action="store_true", help="scan all files of both trees")
    given = parser.parse_args()
    rows = []
    for clone in given.clones:
        path = clone.resolve()
        rules = engine.rules_of(Config(root=path, paths=(path,), cache=False))
        figures = run(path, given.commits, given.before, rules, whole=given.whole)
        rows.append((f"{path.parent.name}/{path.name}", figures))
    show(rows)


if __name__ == "__main__":
    main()
