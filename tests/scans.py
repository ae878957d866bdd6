"""Scans of trees that a test wrote."""

from __future__ import annotations

from pathlib import Path

from portaudit import config, engine
from portaudit.config import Options
from portaudit.types import Report


def report_of(root: Path) -> Report:
    """The report of a whole tree, made in this process; nothing is kept of it."""
    return engine.scan(config.load([root], Options(root=root, cache=False, jobs=1), cwd=root))
