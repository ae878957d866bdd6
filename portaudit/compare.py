"""What a change began from: the two sides of a comparison, each to be scanned by today's rules.

Beside the engine, which scans one side; which findings of the new one are new is decided elsewhere.

    sides = compare.since(config, "origin/main")    # or `staged`, or `between`
    rules = engine.rules_of(config)                 # loaded once, for both
    report = engine.scan(config, rules=rules, side=sides.new)
    before = compare.old_report(config, rules, sides)

`before.findings` have the paths of the old side, from which `sides.renames` leads to new ones.
Names that changed files import are looked up in the tree of their own side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import SequenceMatcher
from functools import cache
from posixpath import commonprefix
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from portaudit import discover, engine
from portaudit.config import Config
from portaudit.discover import Side, Tree
from portaudit.engine import Progress
from portaudit.files import Disk, Files, Overlay, exists
from portaudit.git import Change, Place, Repository, Snapshot
from portaudit.ruleset import Rules
from portaudit.types import Finding, Notice, Report, ScanError

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_MOST_LINES = 5_000
"""Lines from the first to the last change that are compared; of more, each counts as written.

The time grows with their square: these take a quarter of a second where most differ, a few seconds
where many lines are alike.
"""


class Sides(Struct, frozen=True):
    """The sides of a change.

    `against` says in words what the old side is · `renames`: from old paths to new ones, of files
    that git takes for the same under another name · `notices`: what is not compared.
    """

    new: Side
    old: Side
    renames: Mapping[str, str]
    against: str
    notices: tuple[Notice, ...] = ()


def since(config: Config, ref: str, *, unsaved: Mapping[str, bytes] = _NOTHING) -> Sides:
    """What the work tree changed since it left a revision: against the merge base with HEAD.

    Both sides hold the changed files among those that the config names. `unsaved` has contents
    that an editor did not write yet, by path. Raises `GitError`.
    """
    repository = Repository.at(config.root)
    base = repository.merge_base(ref)
    changes = repository.changes(base, Place.WORK_TREE)
    old = repository.revision(base)
    known = {change.new for change in changes}
    changes += [
        Change("modified", path, path) if path in old.blobs else Change("added", None, path)
        for path in unsaved
        if path not in known
    ]
    files = Disk(config.root)
    new = Overlay(files, unsaved) if unsaved else files
    sides = _changed(config, new, old, changes, _named(repository, ref, base))
    if old.pins or (repository.folder / ".gitmodules").exists():
        return replace(sides, notices=_moved(config, old, repository.index()))
    return sides


def staged(config: Config) -> Sides:
    """What the next commit changes: the index against HEAD, or against nothing before the first.

    Both sides hold the changed files among those that the config names. Raises `GitError`.
    """
    repository = Repository.at(config.root)
    parent = repository.parent()
    changes = repository.changes(parent, Place.INDEX)
    new, old = repository.index(), repository.revision(parent)
    sides = _changed(config, new, old, changes, "HEAD")
    return replace(sides, notices=_moved(config, old, new))


def merged(config: Config) -> list[Sides]:
    """The index against each commit that is being merged: what came with them is not new."""
    repository = Repository.at(config.root)
    index = repository.index()
    return [
        _changed(
            config,
            index,
            repository.revision(commit),
            repository.changes(commit, Place.INDEX),
            commit[:12],
        )
        for commit in repository.merging()
    ]


def between(config: Config, old: str, new: str) -> Sides:
    """Two revisions, with all files that the config names. Raises `GitError`."""
    repository = Repository.at(config.root)
    before, after = repository.resolve(old), repository.resolve(new)
    return Sides(
        new=whole(config, repository.revision(after)),
        old=whole(config, repository.revision(before)),
        renames=renamed(repository.changes(before, after)),
        against=f"{old}, {before[:12]}",
    )


def old_report(
    config: Config, rules: Rules, sides: Sides, *, progress: Progress | None = None
) -> Report:
    """The report of the old side, with findings of every confidence.

    A finding that the change only made surer must find itself there.
    """
    unsure = replace(config, min_confidence="low")
    return engine.scan(unsure, progress=progress, rules=rules, side=sides.old)


def renamed(changes: Iterable[Change]) -> dict[str, str]:
    """From old paths to new ones, of the files that are the same under another name."""
    return {
        change.old: change.new
        for change in changes
        if change.status == "renamed" and change.old and change.new
    }


def moves_since(config: Config, commit: str) -> dict[str, str]:
    """The same of a commit and the work tree. Raises `GitError`."""
    return renamed(Repository.at(config.root).changes(commit, Place.WORK_TREE))


def touched(sides: Sides) -> Callable[[Finding], bool]:
    """Whether the change wrote any line of the statement of a finding of its new side.

    The two contents of a file are read and compared when one of its findings is asked about.
    """
    origins = {new: old for old, new in sides.renames.items()}
    changed = frozenset(sides.new.tree.selected)

    @cache
    def lines(path: str) -> Collection[int]:
        old = discover.read(sides.old.files, origins.get(path, path))
        new = discover.read(sides.new.files, path)
        return written(
            b"" if isinstance(old, ScanError) else old, b"" if isinstance(new, ScanError) else new
        )

    def is_touched(finding: Finding) -> bool:
        first, last = finding.lines
        return finding.path in changed and any(
            line in lines(finding.path) for line in range(first, last + 1)
        )

    return is_touched


def written(old: bytes, new: bytes) -> Collection[int]:
    """The lines of a file, from 1, that its old contents do not have in this order.

    Their ends make no difference.
    """
    before, after = old.splitlines(), new.splitlines()
    head = len(commonprefix([before, after]))
    before, after = before[head:], after[head:]
    tail = len(commonprefix([before[::-1], after[::-1]]))
    before, after = before[: len(before) - tail], after[: len(after) - tail]
    first = head + 1
    if max(len(before), len(after)) > _MOST_LINES:
        return range(first, first + len(after))
    matcher = SequenceMatcher(None, before, after)
    same = {
        line
        for block in matcher.get_matching_blocks()
        for line in range(block.b, block.b + block.size)
    }
    return frozenset(first + line for line in range(len(after)) if line not in same)


def _changed(config: Config, new: Files, old: Files, changes: list[Change], against: str) -> Sides:
    tree = discover.side(config, new).tree
    after = tree.only(change.new for change in changes if change.new is not None)
    selected = frozenset(after.selected)
    kept = [change for change in changes if change.new in selected]
    paths = [config.root / change.old for change in kept if change.old is not None]
    # Given one by one, so that each is read even if an ignore file of its time names it.
    before = (
        discover.walk(old, paths, config.exclude, largest=config.file_megabytes)
        if paths
        else Tree.of(config.root, ())
    )
    return Sides(Side(new, after), Side(old, before), renamed(kept), against)


def _named(repository: Repository, ref: str, base: str) -> str:
    """The commit that the work tree is compared with, in words."""
    short = repository.short(base)
    if base.startswith(ref):
        return f"commit {short}"
    left = "" if repository.resolve(ref) == base else "where HEAD left "
    return f"{left}{ref} ({short})"


def _moved(config: Config, old: Snapshot, new: Snapshot) -> tuple[Notice, ...]:
    """Submodules among what the config names that are pinned at another commit."""
    before = old.pins
    moved = {path: pin for path, pin in new.pins.items() if before.get(path) != pin}
    if not moved:
        return ()
    tree = discover.side(config, new).tree
    there = sorted(entry.path for entry in tree.skipped if entry.reason == discover.SUBMODULE)
    return tuple(
        Notice("submodule-moved", path, 0, _not_compared(path, before.get(path), moved[path]))
        for path in there
        if path in moved
    )


def _not_compared(path: str, before: str | None, after: str) -> str:
    pin = after[:12]
    if before is None:
        what, command = f"adds the submodule `{path}` at {pin}", "portaudit scan"
    else:
        what = f"moves the submodule `{path}` from {before[:12]} to {pin}"
        command = f"portaudit check --diff {before[:12]}"
    return f"the change {what}; its files are not compared: run `{command}` in it"


def whole(config: Config, files: Files) -> Side:
    """The files that a config names, as far as this side has them."""
    paths = [path for path in config.paths if exists(files, discover.relative(config.root, path))]
    if not paths:
        return Side(files, Tree.of(config.root, ()))
    return discover.side(replace(config, paths=tuple(paths)), files)
