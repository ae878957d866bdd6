"""Where the files of a tree are read: on disk, in a commit, in git's index, or partly in memory.

All paths are posix and relative to the root; the root itself is the empty string. Every failure to
read is an `OSError`, whatever the source, so that it is told in the same words.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from posixpath import basename, dirname
from typing import BinaryIO, Literal, Protocol

from msgspec import Struct

Kind = Literal["file", "folder", "link", "submodule", "other"]
State = tuple[int, int, int, int]
"""Size, time of change, time of change of that or of the name, and number of a file."""
_YOUNG = 2_000_000_000
"""Nanoseconds in which a file may change twice and look the same: the clocks of some are coarse."""
_OPENING = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK")
)
"""A pipe is not waited for, and no link followed: that leads to the tree, or is no part of it."""
_IRREGULAR = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EOPNOTSUPP})
"""How systems say that something was a link, a socket, or a device without a driver."""


class OutsideError(OSError):
    """A file that is not in the tree, though its name is."""


class TooLargeError(OSError):
    """A file that has more bytes than somebody is ready to read."""


class Listed(Struct, frozen=True):
    """What a folder holds: `other` is a pipe and the like, `submodule` a folder kept elsewhere."""

    name: str
    kind: Kind


class Files(Protocol):
    """A source of files. Picklable: worker processes read from it, too."""

    @property
    def root(self) -> Path:
        """The folder that paths are relative to, where it is or would be on disk."""

    def listed(self, folder: str) -> Sequence[Listed]:
        """What a folder holds, sorted by name."""

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder, or a link to one. Raises nothing."""

    def size(self, path: str) -> int:
        """Bytes of a file; of a link, its own."""

    def read(self, path: str) -> bytes:
        """The bytes of a file."""

    def start(self, path: str, length: int) -> bytes:
        """The first bytes of a file."""

    def state(self, path: str) -> State | None:
        """What a file with other contents could not have; None where nothing is that sure."""

    def tracked(self) -> Collection[str] | None:
        """What git has, of files that come from there; None where they do not."""


class Disk(Struct, frozen=True, dict=True):
    """The files below a folder as they are now."""

    root: Path

    def listed(self, folder: str) -> Sequence[Listed]:
        """What a folder holds, sorted by name."""
        with os.scandir(self._at(folder)) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        return [Listed(entry.name, _kind(entry)) for entry in entries]

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder, or a link to one."""
        return os.path.isdir(self._at(path))  # noqa: PTH112 - unlike `Path.is_dir`, never raises

    def size(self, path: str) -> int:
        """Bytes of a file; of a link, its own."""
        since = self._since  # the clock is read before any file is looked at
        found = os.lstat(self._at(path))
        written, changed = found.st_mtime_ns, found.st_ctime_ns
        sure = written < since > changed and stat.S_ISREG(found.st_mode)
        self._states[path] = (found.st_size, written, changed, found.st_ino) if sure else None
        return found.st_size

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        with regular(self._at(path)) as file:
            return file.read()

    def start(self, path: str, length: int) -> bytes:
        """The first bytes of a file."""
        with regular(self._at(path)) as file:
            return file.read(length)

    def state(self, path: str) -> State | None:
        """What a file with other contents could not have; None where nothing is that sure.

        As it was when its size was last asked for. One that was written just before may be written
        once more without a trace, and a link says nothing of what it leads to.
        """
        if path not in self._states:
            try:
                self.size(path)
            except OSError:
                return None
        return self._states[path]

    def tracked(self) -> None:
        """Nothing: a disk does not know."""

    @cached_property
    def _since(self) -> int:
        """What changed later is young."""
        return time.time_ns() - _YOUNG

    @cached_property
    def _states(self) -> dict[str, State | None]:
        return {}

    def _at(self, path: str) -> str:
        """Where a file is; text, since a tree has thousands and making a `Path` takes longer."""
        return f"{self._prefix}{path}"

    @cached_property
    def _prefix(self) -> str:
        return f"{self.root}".rstrip("/") + "/"


class Overlay(Struct, frozen=True):
    """Files of which some have other contents, or exist only here: an editor's unsaved text."""

    files: Files
    contents: Mapping[str, bytes]

    @property
    def root(self) -> Path:
        """The folder that paths are relative to."""
        return self.files.root

    def listed(self, folder: str) -> Sequence[Listed]:
        """What a folder holds, sorted by name."""
        own = {entry.name: entry for entry in folders(self._kinds()).get(folder, ())}
        try:
            below = self.files.listed(folder)
        except OSError:
            if not own:
                raise
            below = ()
        entries = {entry.name: entry for entry in below} | own
        return sorted(entries.values(), key=lambda entry: entry.name)

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder, or a link to one."""
        return self.files.is_folder(path) or path in folders(self._kinds())

    def size(self, path: str) -> int:
        """Bytes of a file; of a link, its own."""
        own = self.contents.get(path)
        return self.files.size(path) if own is None else len(own)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        own = self.contents.get(path)
        return self.files.read(path) if own is None else own

    def start(self, path: str, length: int) -> bytes:
        """The first bytes of a file."""
        own = self.contents.get(path)
        return self.files.start(path, length) if own is None else own[:length]

    def state(self, path: str) -> State | None:
        """What a file with other contents could not have, of those that are not here."""
        return None if path in self.contents else self.files.state(path)

    def tracked(self) -> Collection[str] | None:
        """What git has of those that are not only here."""
        return self.files.tracked()

    def _kinds(self) -> dict[str, Kind]:
        return dict.fromkeys(self.contents, "file")


def folders(kinds: Mapping[str, Kind]) -> dict[str, tuple[Listed, ...]]:
    """What each folder holds, from the paths of everything that is no folder. The root is there."""
    held: dict[str, dict[str, Kind]] = {"": {}}
    for path, kind in kinds.items():
        held.setdefault(dirname(path), {})[basename(path)] = kind
    for folder in list(held):
        inner = folder
        while inner:
            outer = held.setdefault(dirname(inner), {})
            if basename(inner) in outer:
                break
            outer[basename(inner)] = "folder"
            inner = dirname(inner)
    return {folder: _sorted(entries.items()) for folder, entries in held.items()}


def exists(files: Files, path: str) -> bool:
    """Whether there is a file or a folder. Raises nothing."""
    try:
        return files.is_folder(path) or files.size(path) >= 0
    except OSError:
        return False


def regular(place: str) -> BinaryIO:
    """Open a file to be read, but no link, pipe, socket or device, whatever was there before."""
    try:
        handle = os.open(place, _OPENING)
    except OSError as error:
        if error.errno in _IRREGULAR:
            raise _irregular(place) from error
        raise
    try:
        found = os.fstat(handle).st_mode
        if not (stat.S_ISREG(found) or stat.S_ISDIR(found)):
            raise _irregular(place)
        return os.fdopen(handle, "rb")  # says of a folder that it is one
    except OSError:
        os.close(handle)
        raise


def own(place: Path, root: Path, most: int) -> bytes:
    """The bytes of a file that a root has for portaudit; a link may lead to another one in it.

    Raises `OutsideError` for a link that leads elsewhere, `TooLargeError` for more than `most`.
    """
    if place.is_symlink():
        place = place.resolve(strict=True)
        if not place.is_relative_to(root.resolve()):
            raise OutsideError(errno.EINVAL, "a link that leads outside the root", str(place))
    return bounded(str(place), most)


def bounded(place: str, most: int) -> bytes:
    """The bytes of a regular file. Raises `TooLargeError` for more than `most`."""
    with regular(place) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise too_large(most, place)
    return content


def too_large(most: int, place: str) -> TooLargeError:
    """The error of what has more bytes than wanted."""
    return TooLargeError(errno.EFBIG, f"more than {most // 1_000_000} MB", place)


def _irregular(place: str) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", place)


def missing(path: str) -> FileNotFoundError:
    """The error of a path that is not there, in the words of the system."""
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _sorted(entries: Iterable[tuple[str, Kind]]) -> tuple[Listed, ...]:
    return tuple(Listed(name, kind) for name, kind in sorted(entries))


def _kind(entry: os.DirEntry[str]) -> Kind:
    try:
        if entry.is_symlink():
            return "link"
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "file"  # reading it will say what is wrong
