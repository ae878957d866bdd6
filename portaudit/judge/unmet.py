"""Branches for versions of PyTorch and Python that the target does not have: they never run."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from portaudit.catalogue import stack
from portaudit.read.python.model import Branch
from portaudit.read.python.values import Reader
from portaudit.types import Target

_ASKS = re.compile(rb"__version__|version_info|metadata|pkg_resources|is_torch_version")
_PACKAGES = ("torch", stack.PYTHON)


def unmet(reader: Reader, target: Target) -> Callable[[Branch], bool] | None:
    """What tells whether no version that the target has comes into a branch; None if none is asked.

    A branch that is left for a failure is not meant: mended, it lets the version through.
    """
    if not _ASKS.search(reader.source.content):
        return None
    # Few files get here, and packaging takes longer to load than they to judge.
    from portaudit.judge.trials import trials  # noqa: PLC0415

    @cache
    def is_unmet(branch: Branch) -> bool:
        return any(
            all(trial.refuses(branch) for trial in trials(reader, target, package))
            for package in _PACKAGES
        )

    return is_unmet
