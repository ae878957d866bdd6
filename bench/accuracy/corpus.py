"""The pinned source distributions of the accuracy set.

They are fetched, checked against their digest and unpacked; nothing of them is ever run.
"""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Distribution:
    """A source distribution on the package index, and the folder that its archive unpacks to."""

    name: str
    version: str
    folder: str
    sha256: str

    @property
    def half(self) -> str:
        """``tune`` or ``held-out``; whole projects, so that what is learnt on one stays there."""
        return "held-out" if HELD_OUT[self.name] else "tune"


def read_distributions(path: Path) -> tuple[Distribution, ...]:
    """The distributions that a table pins."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(Distribution(**row) for row in csv.DictReader(file))


DISTRIBUTIONS = read_distributions(Path(__file__).parent / "distributions.csv")


def _halves() -> dict[str, bool]:
    """Every second distribution in the order of a digest of its name is held out."""
    order = sorted(DISTRIBUTIONS, key=lambda each: hashlib.sha256(each.name.encode()).digest())
    return {each.name: bool(index % 2) for index, each in enumerate(order)}


HELD_OUT = _halves()


def fetch(each: Distribution, folder: Path) -> Path:
    """The unpacked sources under ``folder``, fetched if they are not there.

    Raises:
        SystemExit: the archive is not the pinned one, or could not be fetched.
    """
    target = folder / "src" / each.folder
    if target.is_dir():
        return target
    archives = folder / "archives" / each.name
    if not archives.is_dir():
        command = [
            sys.executable,
            "-m",
            "unearth",
            "--no-binary",
            "-d",
            str(archives),
            f"{each.name}=={each.version}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pinned names
        if done.returncode:
            raise SystemExit(
                f"{each.name} {each.version} could not be fetched: {done.stderr.strip()}"
            )
    for archive in archives.iterdir():
        if hashlib.sha256(archive.read_bytes()).hexdigest() == each.sha256:
            with tarfile.open(archive) as opened:
                opened.extractall(folder / "src", filter="data")
            return target
    raise SystemExit(f"{archives} does not hold the pinned archive of {each.name} {each.version}")


def fetch_all(folder: Path) -> Path:
    """All distributions under ``folder/src``; returns that folder."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    for each in DISTRIBUTIONS:
        fetch(each, folder)
    return folder / "src"
