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

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from portaudit import discover, engine
from portaudit.config import Config
from portaudit.discover import Tree
from portaudit.engine import Progress, Rules, Side
from portaudit.files import Disk, Files, Overlay, exists
from portaudit.git import Change, Place, Repository
from portaudit.types import Report

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


class Sides(Struct, frozen=True):
    """The sides of a change.

    `against` says in words what the old side is · `renames`: from old paths to new ones, of files
    that git takes for the same under another name.
    """

    new: Side
    old: Side
    renames: Mapping[str, str]
    against: str


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
    return _changed(config, new, old, changes, f"the merge base of HEAD and {ref}, {base[:12]}")


def staged(config: Config) -> Sides:
    """What the next commit changes: the index against HEAD, or against nothing before the first.

    Both sides hold the changed files among those that the config names. Raises `GitError`.
    """
    repository = Repository.at(config.root)
    parent = repository.parent()
    changes = repository.changes(parent, Place.INDEX)
    return _changed(config, repository.index(), repository.revision(parent), changes, "HEAD")


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
        new=_whole(config, repository.revision(after)),
        old=_whole(config, repository.revision(before)),
        renames=_renames(repository.changes(before, after)),
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


def _changed(config: Config, new: Files, old: Files, changes: list[Change], against: str) -> Sides:
    after = discover.walk(new, config.paths, config.exclude, forced=config.force_exclude).only(
        change.new for change in changes if change.new is not None
    )
    selected = frozenset(after.selected)
    kept = [change for change in changes if change.new in selected]
    paths = [config.root / change.old for change in kept if change.old is not None]
    # Given one by one, so that each is read even if an ignore file of its time names it.
    before = discover.walk(old, paths, config.exclude) if paths else Tree.of(config.root, ())
    return Sides(Side(new, after), Side(old, before), _renames(kept), against)


def _whole(config: Config, files: Files) -> Side:
    """The files that a config names, as far as this side has them."""
    paths = [path for path in config.paths if exists(files, discover.relative(config.root, path))]
    tree = discover.walk(files, paths, config.exclude) if paths else Tree.of(config.root, ())
    return Side(files, tree)


def _renames(changes: Iterable[Change]) -> dict[str, str]:
    return {
        change.old: change.new
        for change in changes
        if change.status == "renamed" and change.old and change.new
    }
