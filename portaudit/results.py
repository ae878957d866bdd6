"""Results of files that were scanned before: what a file gives depends on nothing but its key.

They are kept for the run, and for later runs in the database of the user's cache. What is stored is
data of known types (msgspec): what does not decode is scanned anew. Nothing here raises.
"""

from __future__ import annotations

import zlib
from collections.abc import Set as AbstractSet
from functools import cache, cached_property
from typing import TYPE_CHECKING

import msgspec

from portaudit import making
from portaudit.names import Names
from portaudit.sharing import shared
from portaudit.store import Store, digest
from portaudit.types import FileFacts, FileResult, Target, Task

if TYPE_CHECKING:
    from portaudit.catalogue.load import Catalogue

UNWRITABLE = (UnicodeEncodeError, OverflowError, RecursionError)
"""A lone surrogate, a number of many digits, a condition nested too deep: nothing is kept."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, zlib.error)
_LARGEST = 256_000_000
"""Bytes that something kept may unpack to."""


class Results:
    """Results by a digest of all that they depend on.

    That is the file's path, kind and contents, what other modules told of its names, the rules
    that were run, the target, and what scans: this package, the Python and the packages beside it.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        target: Target,
        store: Store | None = None,
        program: bytes | None = None,
    ) -> None:
        """Results of a catalogue; `program` is a digest of what scans, where that is known."""
        self._program = program
        self._catalogue = catalogue
        self._target = target
        self._store = store
        self._known: dict[bytes, FileResult] = {}
        self._outlines: dict[bytes, FileFacts] = {}
        self._unwritten: set[bytes] = set()
        """Keys of what only this run knows."""
        self._parties: dict[AbstractSet[str], bytes] = {}
        self.failed = False
        """Whether there was a failure of ours."""

    def key(self, task: Task, content: bytes) -> bytes | None:
        """Under what a result is kept; None for a task that nothing can be kept of.

        `content` is the digest of what the file holds.
        """
        party = self._party(task.first_party)
        try:
            told = msgspec.msgpack.encode((task.path, task.kind, task.externals))
        except UNWRITABLE:
            return None
        return digest(self._making, party, content, told)

    def _party(self, names: AbstractSet[str] | None) -> bytes:
        """A digest of names, of those around a folder only once for all that lie in it."""
        if names is None:
            return digest(b"")
        found = self._parties.get(names)
        if found is None:
            own, outer = (names.own, names.outer) if isinstance(names, Names) else (names, None)
            told = "\n".join(sorted(own)).encode("utf-8", "replace")
            found = self._parties[names] = digest(self._party(outer), told)
        return found

    def get(self, key: bytes | None) -> FileResult | None:
        """The result that was kept there."""
        if key is None:
            return None
        known = self._known.get(key)
        if known is not None or self._store is None:
            return known
        stored = self._store.get(key)
        if stored is None:
            return None
        try:
            found = shared(_decoder().decode(_unpacked(stored)))
        except _UNREADABLE:
            return None
        self._known[key] = found
        return found

    def keep(self, key: bytes | None, result: FileResult) -> None:
        """Keep a result. A failure of ours is kept for this run only: the next may not fail."""
        self.failed |= result.failed
        if key is None:
            return
        self._known[key] = shared(result)
        self._unwritten.add(key)
        if self._store is None or result.failed:
            return
        try:
            content = msgspec.msgpack.encode(result)
        except UNWRITABLE:
            return
        self._unwritten.discard(key)
        self._store.put(key, _packed(content))

    def outline(self, key: bytes | None) -> FileFacts | None:
        """What a file alone was found to tell others and to ask them; `key` is that of the file."""
        if key is None:
            return None
        known = self._outlines.get(key)
        if known is not None or self._store is None:
            return known
        stored = self._store.get(_of_outline(key))
        if stored is None:
            return None
        try:
            found = shared(msgspec.msgpack.decode(_unpacked(stored), type=FileFacts))
        except _UNREADABLE:
            return None
        self._outlines[key] = found
        return found

    def keep_outline(self, key: bytes | None, result: FileResult) -> None:
        """Keep what a file tells others and asks them, without what it was judged to be."""
        self.failed |= result.failed
        if key is None:
            return
        self._outlines[key] = result.facts
        self._unwritten.add(_of_outline(key))
        if self._store is None or result.failed:
            return
        try:
            content = msgspec.msgpack.encode(result.facts)
        except UNWRITABLE:
            return
        self._unwritten.discard(_of_outline(key))
        self._store.put(_of_outline(key), _packed(content))

    def take(self, key: bytes | None, done: bytes | FileResult) -> FileResult:
        """A result from another process, kept as it was sent."""
        if not isinstance(done, bytes):
            self.keep(key, done)
            return done
        result = shared(_decoder().decode(done))
        self.failed |= result.failed
        if key is not None:
            self._known[key] = result
            if self._store is not None and not result.failed:
                self._store.put(key, _packed(done))
            else:
                self._unwritten.add(key)
        return result

    def write(self) -> None:
        """Write what waits, for later runs."""
        if self._store is not None:
            self._store.write()

    def let_go(self) -> None:
        """Write what waits, and hold no longer what can be read again."""
        self.write()
        self._known = {key: each for key, each in self._known.items() if key in self._unwritten}
        self._outlines = {
            key: each for key, each in self._outlines.items() if _of_outline(key) in self._unwritten
        }

    @cached_property
    def _making(self) -> bytes:
        """A digest of what makes results from files."""
        rules = f"{self._catalogue.digest} {sorted(self._catalogue.rules)} {self._target}"
        return digest(self._program or making.program(self._store), rules.encode())


def _packed(content: bytes) -> bytes:
    """Most of a result is words that it has many times: a quarter of the space for little time."""
    return zlib.compress(content, 1)


def _unpacked(content: memoryview) -> bytes:
    """What was packed. Raises `zlib.error` for anything else, or what would be too large."""
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(content, _LARGEST)
    if not unpacking.eof:
        raise zlib.error
    return found


def _of_outline(key: bytes) -> bytes:
    return digest(b"outline\n", key)


@cache
def _decoder() -> msgspec.msgpack.Decoder[FileResult]:
    return msgspec.msgpack.Decoder(FileResult)
