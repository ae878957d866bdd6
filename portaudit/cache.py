"""The user's cache directory: contents by kind and key, any of which may be gone or refused.

Whoever asks must be able to do without: nothing here raises. What other users of the machine could
have written is not read: only a directory of one's own that nobody else can write to counts, and
nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from portaudit.files import bounded

VARIABLE = "PORTAUDIT_CACHE_DIR"
"""The environment variable that says where the cache is."""
_MOST = 8
"""Contents kept of a kind: those of a few versions and checkouts."""
_LARGEST = 128_000_000
"""Bytes of a content that is read."""
_SUM = hashlib.sha256().digest_size
_PARTIAL = "partial"


class Cache(Struct, frozen=True):
    """A directory of contents; there need not be one yet."""

    directory: Path

    def get(self, kind: str, key: str) -> bytes | None:
        """What was put there, whole and unharmed, or None."""
        if self.refusal():
            return None
        try:
            stored = bounded(str(self._path(kind, key)), _LARGEST)
        except OSError:
            return None
        checksum, content = stored[:_SUM], stored[_SUM:]
        return content if hashlib.sha256(content).digest() == checksum else None

    def put(self, kind: str, key: str, content: bytes) -> None:
        """Keep a content, in one step for whoever reads; forget the oldest of its kind."""
        with suppress(OSError):
            self.make()
            if self.refusal():
                return
            place = self._path(kind, key)
            partial = place.with_name(f"{place.name}.{os.getpid()}.{_PARTIAL}")
            try:
                partial.unlink(missing_ok=True)
                with partial.open("xb") as file:  # no link, and nothing that waits for a reader
                    file.write(hashlib.sha256(content).digest() + content)
                partial.replace(place)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            others = sorted(self._files(kind), key=lambda path: path.lstat().st_mtime, reverse=True)
            for path in others[_MOST:]:
                path.unlink(missing_ok=True)

    def make(self) -> None:
        """Make the directory where there is none yet. Raises `OSError`."""
        if not self.directory.is_dir():
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self.directory.mkdir(mode=0o700, exist_ok=True)
            # Some jobs keep their cache inside the repository: git shall not see it.
            (self.directory / ".gitignore").write_text("*\n", encoding="utf-8")

    def refusal(self) -> str:
        """Why the directory cannot be trusted; empty if it can, or is not there."""
        if sys.platform == "win32":
            return ""  # a user's local data is the user's alone there
        try:
            found = self.directory.stat()
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"it cannot be looked at: {error.strerror}"
        if found.st_uid != os.geteuid():
            return "it belongs to another user"
        return "others can write to it: chmod go-w would do" if found.st_mode & 0o022 else ""

    def size(self) -> tuple[int, int]:
        """How many contents there are, and their bytes."""
        with suppress(OSError):
            sizes = [path.lstat().st_size for path in self._everything()]
            return len(sizes), sum(sizes)
        return 0, 0

    def clear(self) -> None:
        """Forget everything. Files that are not the cache's own stay. Raises `OSError`."""
        for path in self._everything():
            path.unlink(missing_ok=True)

    def _path(self, kind: str, key: str) -> Path:
        return self.directory / f"{kind}-{key}.cache"

    def _files(self, kind: str = "*") -> Iterator[Path]:
        yield from self.directory.glob(f"{kind}-*.cache")
        yield from self.directory.glob(f"{kind}-*.cache.*.{_PARTIAL}")

    def _everything(self) -> Iterator[Path]:
        yield from self._files()
        for path in self.directory.glob("portaudit-*.sqlite3*"):
            if path.is_symlink() or not path.is_dir():
                yield path


def of_user() -> Cache | None:
    """The cache of whoever runs this; None where there is no place for one."""
    given = os.environ.get(VARIABLE)
    if given:
        return Cache(Path(given))
    try:
        home = Path.home()
    except RuntimeError:  # a user without an entry, as some containers have
        return None
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        base = named if named.is_absolute() else home / ".cache"
    return Cache(base / "portaudit")
