"""What files hold, by digest: one that has not changed since an earlier run is not read for it.

A digest is remembered beside what the system says of the file (`Files.state`). A state that could
belong to two contents is none, so what is remembered is what reading would give.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from portaudit import discover
from portaudit.files import Files, State
from portaudit.store import Store, digest
from portaudit.types import ScanError

_Seen = dict[str, tuple[State, bytes]]
"""By path: the state of a file when it was read, and the digest of what it held."""


class Contents:
    """The contents of the files of one tree during one run.

    Each file has one digest in a run, that of when it was first asked about. `sure` is false once
    a file could not be read, or held something else when it was read again.
    """

    def __init__(self, files: Files, store: Store | None = None) -> None:
        self._files = files
        self._store = store
        self._key = digest(b"contents\n", str(files.root).encode("utf-8", "surrogateescape"))
        self._found: dict[str, bytes] = {}
        self._learnt: _Seen = {}
        self._before: _Seen | None = None if store else {}
        self._last: tuple[str, tuple[bytes, bytes]] | None = None
        self.sure = True

    @property
    def asked(self) -> dict[str, bytes]:
        """The digests of all files that were asked about."""
        return self._found

    def known(self, path: str) -> bytes | None:
        """The digest of what a file holds, if that can be told without reading it."""
        found = self._found.get(path)
        if found is not None:
            return found
        before = self._remembered().get(path)
        if before is None or before[0] != self._files.state(path):
            return None
        self._found[path] = before[1]
        return before[1]

    def read(self, path: str) -> tuple[bytes, bytes] | ScanError:
        """What a file holds and the digest of it, or why there is none."""
        if self._last and self._last[0] == path:
            return self._last[1]
        state = self._files.state(path)  # before reading: what is written meanwhile changes it
        content = discover.read(self._files, path)
        if isinstance(content, ScanError):
            self.sure = False
            return content
        found = digest(content)
        if self._found.setdefault(path, found) != found:
            self.sure = False
        elif state is not None:
            self._learnt[path] = (state, found)
        self._last = path, (content, found)
        return content, found

    def digest(self, path: str) -> bytes | ScanError:
        """The digest of what a file holds, or why there is none."""
        found = self.known(path)
        if found is not None:
            return found
        read = self.read(path)
        return read if isinstance(read, ScanError) else read[1]

    def hold(self, asked: Mapping[str, bytes]) -> bool:
        """Whether files hold just what they are asked about, each by its path."""
        before, state, told = self._remembered(), self._files.state, self._found
        for path, found in asked.items():
            # What `digest` would do, without a call for each of many thousand files.
            if path not in told and before.get(path) == (state(path), found):
                told[path] = found
            elif self.digest(path) != found:
                return False
        return True

    def keep(self, there: Collection[str]) -> None:
        """Remember what was learnt for later runs, of the files that are there."""
        before = self._remembered()
        new = {path: seen for path, seen in self._learnt.items() if before.get(path) != seen}
        if self._store is None or not new:
            return
        told = {path: seen for path, seen in (before | new).items() if path in there}
        self._store.put(self._key, msgspec.msgpack.encode(told))
        self._before = told

    def _remembered(self) -> _Seen:
        if self._before is None:
            self._before = _decoded(self._store.get(self._key) if self._store else None)
        return self._before


def _decoded(content: memoryview | None) -> _Seen:
    if content is None:
        return {}
    try:
        return msgspec.msgpack.decode(content, type=_Seen)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
