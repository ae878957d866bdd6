"""One scan, with all that a comparison needs to know of it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from functools import cached_property
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from portaudit.audit import Audit, Progress
from portaudit.config import BASELINE_FILE, COMMAND_LINE, Config, inside
from portaudit.discover import Side
from portaudit.files import exists
from portaudit.ruleset import Rules
from portaudit.triage.baseline import Reading
from portaudit.types import Report


class Run(Struct, frozen=True, dict=True):
    """One scan of one side, with all that the comparison needs to know of it.

    `ran`: ids of the rules, where they are known without loading those.
    """

    config: Config
    rules: Rules
    side: Side
    report: Report
    ran: Collection[str] | None = None

    @property
    def reading(self) -> Reading:
        """What was looked at."""
        tree = self.side.tree
        lost = {error.path for error in self.report.errors}
        return Reading(
            scanned=frozenset(tree.selected) - lost,
            there=lambda path: path in tree.kinds or exists(self.side.files, path),
            ran=self.rules.chosen.rules if self.ran is None else self.ran,
            whole=len(tree.selected) == len(tree.files),
        )

    @cached_property
    def revisions(self) -> dict[str, dict[str, str]]:
        """What the rules select, as digests."""
        from portaudit.catalogue.revision import revisions  # noqa: PLC0415 - for baselines only

        return revisions(self.rules.everything, self.config.target)


def scanned(
    config: Config,
    *,
    rules: Rules | None = None,
    stdin: bytes | None = None,
    progress: Progress | None = None,
) -> Run:
    """Scan what a config names, sure or not: how sure matters to the gate alone."""
    with closing(Audit(unsure(config), rules=rules, stdin=stdin, progress=progress)) as audit:
        return Run(config, audit.rules, audit.side, audit.report, audit.ran)


def unsure(config: Config) -> Config:
    """The same run with findings of every confidence, lest one that becomes surer looks new."""
    return replace(config, min_confidence="low")


def place_of(config: Config) -> Path:
    """Where the baseline is, or would be.

    Raises `ConfigError` where that is outside the root, and not the command line said so.
    """
    place = config.baseline or config.root / BASELINE_FILE
    if dict(config.origins).get("baseline") != COMMAND_LINE:
        inside(place, config.root, BASELINE_FILE if config.baseline is None else "baseline")
    return place
