"""The embedded database of the user's cache: contents by key, for runs after this one.

What is read is what was put under that very key, or nothing: each content has a checksum of itself
and its key, and a database that SQLite cannot use is dropped. Nothing here raises, and nothing that
is stored is ever run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from portaudit.cache import Cache

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
DATABASE = "portaudit-results.sqlite3"
_MOST = 512_000_000
"""Bytes of the database; beyond, the half that was not used for longest goes."""
_LARGEST = 128_000_000
"""Bytes of a content that is kept."""
_BATCH = 256
"""Contents that wait in memory to be written together."""
_PATIENCE = 2.0
"""Seconds to wait for another run that is writing; then this one does without."""
LENGTH = hashlib.sha256().digest_size
"""Bytes of a digest."""
_CHECKSUM = 16
"""Bytes in front of each content."""
_TABLE = (
    "CREATE TABLE result (key BLOB PRIMARY KEY, used INTEGER NOT NULL, content BLOB NOT NULL) "
    "WITHOUT ROWID"
)
"""As SQLite keeps it; a database that holds anything else is dropped. `used`: a day."""
_FORGET = """
DELETE FROM result WHERE key IN (
    SELECT key FROM result ORDER BY used LIMIT (SELECT count(*) / 2 FROM result)
)
"""


class Store:
    """Contents by key in one file of the cache, opened when it is first asked.

    What goes wrong with it ends its use for this run. Power that fails while it is written may
    damage it: it is not waited for disks, since all of it can be made again.
    """

    def __init__(self, place: Cache) -> None:
        self._cache = place
        self._path = place.directory / DATABASE
        self._owner = os.getpid()
        self._today = int(time.time() // 86_400)
        self._read: list[bytes] = []
        self._waiting: dict[bytes, bytes] = {}
        self._given_up = False
        self._open: sqlite3.Connection | None = None

    def get(self, key: bytes) -> memoryview | None:
        """What was put under a key, whole and unharmed, or None."""
        asked = "SELECT used, content FROM result WHERE key = ? AND length(content) <= ?"
        given = key, _LARGEST + _CHECKSUM
        row = self._tried(lambda connection: connection.execute(asked, given).fetchone())
        used, stored = row or (self._today, None)
        if not isinstance(stored, bytes):
            return None
        content = memoryview(stored)[_CHECKSUM:]
        if _checksum(key, content) != stored[:_CHECKSUM]:
            return None
        if used != self._today:
            self._read.append(key)
        return content

    def put(self, key: bytes, content: bytes) -> None:
        """Keep a content, once there are enough of them or `write` is called."""
        if len(content) > _LARGEST:
            return
        self._waiting[key] = _checksum(key, content) + content
        if len(self._waiting) >= _BATCH:
            self.write()

    def write(self) -> None:
        """Write in one step what waits, and that others were used."""
        waiting, self._waiting = self._waiting, {}
        if waiting or self._read:
            self._tried(partial(self._write, waiting), create=True)
            self._read = []

    def _write(self, contents: Mapping[bytes, bytes], connection: sqlite3.Connection) -> None:
        with connection:
            rows = [(key, self._today, content) for key, content in contents.items()]
            connection.executemany("INSERT OR REPLACE INTO result VALUES (?, ?, ?)", rows)
            used = [(self._today, key) for key in self._read]
            connection.executemany("UPDATE result SET used = ? WHERE key = ?", used)
        if self._path.stat().st_size > _MOST:
            with connection:
                connection.execute(_FORGET)
            connection.execute("VACUUM")

    def _tried(
        self, action: Callable[[sqlite3.Connection], _T], *, create: bool = False
    ) -> _T | None:
        """What comes of an action, if there is a database or can be one, and it goes well."""
        import sqlite3  # noqa: PLC0415 - a run without a cache does not need it

        try:
            connection = self._connection(create=create)
            return None if connection is None else action(connection)
        except (sqlite3.OperationalError, OSError):  # locked, full, read-only
            self._give_up()
        except sqlite3.Error:  # no database, or a damaged one
            self._give_up()
            for path in (self._path, self._path.with_name(f"{DATABASE}-journal")):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        return None

    def _connection(self, *, create: bool) -> sqlite3.Connection | None:
        import sqlite3  # noqa: PLC0415

        if os.getpid() != self._owner:  # a copy of the one that has it open
            return None
        if self._open or self._given_up:
            return self._open
        if create:
            self._cache.make()
        if self._cache.refusal() or not (self._is_there() or create):
            return None
        self._open = connection = sqlite3.connect(self._path, timeout=_PATIENCE)
        connection.execute("PRAGMA synchronous = OFF")
        made = connection.execute("SELECT sql FROM sqlite_master").fetchall()
        if not made:
            with connection:
                connection.execute(_TABLE)
        elif made != [(_TABLE,)]:
            # Whatever else it holds, triggers and views say what is done with what we ask.
            raise sqlite3.DatabaseError
        return connection

    def _is_there(self) -> bool:
        """Whether there is a file. Raises `OSError` for a link, a pipe and the like."""
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return True

    def _give_up(self) -> None:
        self._given_up = True
        if self._open:
            self._open.close()
        self._open = None


def digest(*parts: bytes | memoryview) -> bytes:
    """A digest of parts; each but the last must have an end of its own, or a fixed length."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.digest()


def _checksum(key: bytes, content: bytes | memoryview) -> bytes:
    found = hashlib.sha256(len(key).to_bytes(4, "little") + key)
    found.update(content)
    return found.digest()[:_CHECKSUM]
