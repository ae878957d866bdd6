"""The three tiers of real code that speed is measured on: pinned source distributions.

They are fetched, checked against their digests and unpacked; nothing of them is ever run.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

MANIFEST = Path(__file__).parent / "manifest.csv"
TIERS = ("small", "medium", "large")
_DAY = 1_700_000_000
"""When unpacked files were written: long ago, so that nobody doubts a file by its time."""


@dataclass(frozen=True)
class Distribution:
    """A source distribution, the folder that it unpacks to, and the tiers that it belongs to."""

    name: str
    version: str
    folder: str
    sha256: str
    tiers: str


def manifest() -> tuple[Distribution, ...]:
    """What is pinned."""
    with MANIFEST.open(newline="", encoding="utf-8") as file:
        return tuple(Distribution(**row) for row in csv.DictReader(file))


def build(tier: str, work: Path) -> Path:
    """The folder of a tier below a working directory, fetched if it is not there.

    Raises `SystemExit` for an archive that is not the pinned one, or could not be fetched.
    """
    target = work / "tiers" / tier
    if target.is_dir():
        return target
    partial = work / "tiers" / f"{tier}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for each in manifest():
        if tier in each.tiers.split():
            with tarfile.open(_archive(each, work / "archives" / each.name)) as opened:
                opened.extractall(partial, filter=_plain)  # noqa: S202 - pinned, and filtered
    partial.rename(target)
    return target


def _plain(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Files and folders only, none of them new."""
    member.mtime = _DAY
    return tarfile.data_filter(member, path) if member.isfile() or member.isdir() else None


def _archive(each: Distribution, folder: Path) -> Path:
    if not folder.is_dir():
        wanted = f"{each.name}=={each.version}"
        command = (sys.executable, "-m", "unearth", "--no-binary", "-d", str(folder), wanted)
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pinned names
        if done.returncode:
            raise SystemExit(f"{wanted} could not be fetched: {done.stderr.strip()}")
    for archive in sorted(folder.iterdir()):
        if hashlib.sha256(archive.read_bytes()).hexdigest() == each.sha256:
            return archive
    raise SystemExit(f"{folder} does not hold the pinned archive of {each.name} {each.version}")
