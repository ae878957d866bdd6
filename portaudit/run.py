"""One scan, with all that a comparison needs to know of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from portaudit import discover, engine
from portaudit.catalogue.revision import revisions
from portaudit.config import BASELINE_FILE, Config
from portaudit.engine import Progress, Rules, Side
from portaudit.files import Disk, Files, Overlay, exists
from portaudit.triage.baseline import Reading
from portaudit.types import Report


class Run(Struct, frozen=True, dict=True):
    """One scan of one side, with all that the comparison needs to know of it."""

    config: Config
    rules: Rules
    side: Side
    report: Report

    @property
    def reading(self) -> Reading:
        """What was looked at."""
        tree = self.side.tree
        lost = {error.path for error in self.report.errors}
        return Reading(
            scanned=frozenset(tree.selected) - lost,
            there=lambda path: path in tree.kinds or exists(self.side.files, path),
            ran=self.rules.chosen.rules.keys(),
            whole=len(tree.selected) == len(tree.files),
        )

    @cached_property
    def revisions(self) -> dict[str, dict[str, str]]:
        """What the rules select, as digests."""
        return revisions(self.rules.everything, self.config.target)


def scanned(config: Config, *, stdin: bytes | None = None, progress: Progress | None = None) -> Run:
    """Scan what a config names, sure or not: how sure matters to the gate alone."""
    rules = engine.rules_of(config)
    files: Files = Disk(config.root)
    if stdin is not None:
        files = Overlay(files, {discover.relative(config.root, config.paths[0]): stdin})
    side = Side(
        files, discover.walk(files, config.paths, config.exclude, forced=config.force_exclude)
    )
    report = engine.scan(unsure(config), rules=rules, side=side, progress=progress)
    return Run(config, rules, side, report)


def unsure(config: Config) -> Config:
    """The same run with findings of every confidence, lest one that becomes surer looks new."""
    return replace(config, min_confidence="low")


def place_of(config: Config) -> Path:
    """Where the baseline is, or would be."""
    return config.baseline or config.root / BASELINE_FILE
