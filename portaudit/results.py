"""Results of files that were scanned before: what a file gives depends on nothing but its key.

They are kept for the run, and for later runs in a database of the user's cache. What is stored is
data of known types (msgspec) with a checksum: a row that is damaged, or of another making, is
scanned anew, and a database that SQLite cannot use is dropped. Nothing here raises.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from portaudit import __version__
from portaudit.cache import Cache
from portaudit.types import FileResult, Target, Task

if TYPE_CHECKING:
    import sqlite3

    from portaudit.catalogue.load import Catalogue

_T = TypeVar("_T")
DATABASE = "portaudit-results.sqlite3"
_MOST = 256_000_000
"""Bytes of the database; beyond, the half that was not used for longest goes."""
_BATCH = 256
"""Results that wait in memory to be written together."""
_PATIENCE = 2.0
"""Seconds to wait for another run that is writing; then this one does without."""
_CHECKSUM = 16
"""Bytes in front of each stored result."""
_UNWRITABLE = (UnicodeEncodeError, OverflowError, RecursionError)
"""A lone surrogate, a number of many digits, a condition nested too deep: nothing is kept."""
_TABLE = (
    "CREATE TABLE result (key BLOB PRIMARY KEY, used INTEGER NOT NULL, content BLOB NOT NULL) "
    "WITHOUT ROWID"
)
"""As SQLite keeps it; a table that was made otherwise is made anew. `used`: a day."""
_FORGET = """
DELETE FROM result WHERE key IN (
    SELECT key FROM result ORDER BY used LIMIT (SELECT count(*) / 2 FROM result)
)
"""


class Results:
    """Results by a digest of all that they depend on.

    That is the file's path, kind and contents, what other modules told of its names, the rules
    that were run, the target, and what scans: this package, the Python and the packages beside it.
    """

    def __init__(self, catalogue: Catalogue, target: Target, stored: Cache | None = None) -> None:
        self._catalogue = catalogue
        self._target = target
        self._database = None if stored is None else _Database(stored)
        self._known: dict[bytes, FileResult] = {}
        self._waiting: dict[bytes, bytes] = {}
        self._parties: dict[frozenset[str], bytes] = {}

    def key(self, task: Task, content: bytes) -> bytes | None:
        """Under what a result is kept; None for a task that nothing can be kept of."""
        party = self._parties.get(task.first_party)
        if party is None:
            names = "\n".join(sorted(task.first_party))
            party = self._parties[task.first_party] = _digest(names.encode("utf-8", "replace"))
        try:
            told = msgspec.msgpack.encode((task.path, task.kind, task.externals))
        except _UNWRITABLE:
            return None
        return _digest(self._making + party + _digest(content) + told)

    def get(self, key: bytes | None) -> FileResult | None:
        """The result that was kept there."""
        if key is None:
            return None
        known = self._known.get(key)
        if known is not None or self._database is None:
            return known
        stored = self._database.get(key)
        if stored is None or _digest(stored[_CHECKSUM:])[:_CHECKSUM] != stored[:_CHECKSUM]:
            return None
        try:
            found = _decoder().decode(memoryview(stored)[_CHECKSUM:])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        self._known[key] = found
        return found

    def keep(self, key: bytes | None, result: FileResult) -> None:
        """Keep a result. One with errors is for this run only: the next may read the file."""
        if key is None:
            return
        self._known[key] = result
        if self._database is None or result.errors:
            return
        try:
            content = msgspec.msgpack.encode(result)
        except _UNWRITABLE:
            return
        self._waiting[key] = _digest(content)[:_CHECKSUM] + content
        if len(self._waiting) >= _BATCH:
            self.write()

    def write(self) -> None:
        """Write what waits, for later runs."""
        if self._database is not None:
            self._database.put(self._waiting)
        self._waiting = {}

    @cached_property
    def _making(self) -> bytes:
        """A digest of what makes results from files."""
        digest = hashlib.sha256(f"{__version__} {sys.version} {self._target}".encode())
        digest.update(f"{self._catalogue.digest} {sorted(self._catalogue.rules)}".encode())
        for path in sorted(Path(__file__).parent.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"\n{path.name} {len(content)}\n".encode())
            digest.update(content)
        for folder in sys.path:
            digest.update("\n".join(_distributions(folder)).encode("utf-8", "replace"))
        return digest.digest()


class _Database:
    """Contents by key in one file of the cache, opened when it is first asked.

    What goes wrong with it ends its use for this run. Power that fails while it is written may
    damage it: it is not waited for disks, since all of it can be made again.
    """

    def __init__(self, place: Cache) -> None:
        self._cache = place
        self._path = place.directory / DATABASE
        self._today = int(time.time() // 86_400)
        self._read: list[bytes] = []
        self._given_up = False
        self._open: sqlite3.Connection | None = None

    def get(self, key: bytes) -> bytes | None:
        """What is stored under a key."""
        asked = "SELECT used, content FROM result WHERE key = ?"
        row = self._tried(lambda connection: connection.execute(asked, (key,)).fetchone())
        used, content = row or (self._today, None)
        if used != self._today:
            self._read.append(key)
        return content if isinstance(content, bytes) else None

    def put(self, contents: Mapping[bytes, bytes]) -> None:
        """Store contents, and that others were used, in one step."""
        if contents or self._read:
            self._tried(partial(self._write, contents), create=True)
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

        if self._open or self._given_up:
            return self._open
        if create:
            self._cache.make()
        if self._cache.refusal() or not (create or self._path.exists()):
            return None
        self._open = connection = sqlite3.connect(self._path, timeout=_PATIENCE)
        connection.execute("PRAGMA synchronous = OFF")
        made = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'result'").fetchone()
        if made != (_TABLE,):
            with connection:
                connection.execute("DROP TABLE IF EXISTS result")
                connection.execute(_TABLE)
        return connection

    def _give_up(self) -> None:
        self._given_up = True
        if self._open:
            self._open.close()
        self._open = None


@cache
def _decoder() -> msgspec.msgpack.Decoder[FileResult]:
    return msgspec.msgpack.Decoder(FileResult)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _distributions(folder: str) -> list[str]:
    """The packages that are installed in a folder, with their versions."""
    if not folder:
        return []
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:  # the archive of the standard library, or nothing
        return []
    return sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))
