"""One audit: the report of what a config names, known from an earlier run or made now.

A report depends on its settings, on the program and its rules, on the paths of the tree and on what
the files hold that were read for it. Where all of that is as it was, it is what it was: neither
rules nor parsers are loaded. Beside it the texts that were drawn of it are kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from portaudit import discover
from portaudit.contents import Contents
from portaudit.discover import Tree
from portaudit.files import Disk, Files, Overlay
from portaudit.ruleset import Rules
from portaudit.store import LENGTH, digest
from portaudit.types import Report, ScanError

if TYPE_CHECKING:
    from portaudit.config import Config

Progress = Callable[[int, int], None]
_LONGEST = 4_000_000
"""Characters of a text that is kept; a longer one is drawn again from the report."""
_FEW = 100
"""Findings of a report that is drawn again and again: that of a hook."""
_FILES = 50
"""Files that are looked at together; of more, one surely has something to find."""
_ELSEWHERE = frozenset({"root", "paths", "jobs", "cache"})
"""Settings that make no other report of the same tree."""
_UNDECODED = (msgspec.MsgspecError, UnicodeDecodeError)
_UNWRITABLE = (UnicodeEncodeError, OverflowError)


class _Made(Struct, frozen=True):
    """What a kept report was made of.

    `asked`: a digest of the program, its rules, the settings and the tree's paths · `held`: what
    was read, by path · `ran`: ids of the rules.
    """

    asked: bytes
    held: dict[str, bytes]
    ran: tuple[str, ...]


class Audit:
    """The report of what a config names, and what is drawn of it."""

    def __init__(
        self,
        config: Config,
        *,
        rules: Rules | None = None,
        stdin: bytes | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Find the report, or make it; `stdin` is what the one path of the config is to hold.

        `rules` are those of the config. Raises `PortauditError` for what the user must mend.
        """
        files: Files = Disk(config.root)
        if stdin is not None:
            files = Overlay(files, {discover.relative(config.root, config.paths[0]): stdin})
        self.config = config
        self.rules = rules or Rules(config)
        self.side = discover.side(config, files)
        self._progress = progress
        self._contents = Contents(files, self.rules.store)
        self._identity = b""
        """What the report was made of, as a digest; empty where that is not known for sure."""
        self._made = self._known()
        if self._made is None:
            self.report = self._quiet() or self._scanned()

    @cached_property
    def report(self) -> Report:
        """The report."""
        kept = self._get("report")
        with suppress(*_UNDECODED):
            if kept is not None:
                return msgspec.msgpack.decode(kept, type=Report)
        return self._scanned()

    @cached_property
    def ran(self) -> frozenset[str]:
        """The ids of the rules that were run."""
        return frozenset(self._made.ran if self._made else self.rules.chosen.rules)

    def text(self, name: str, draw: Callable[[Report], str]) -> str:
        """What is drawn of the report. The same name must mean the same drawing in every run."""
        kept = self._get(name)
        with suppress(UnicodeDecodeError):
            if kept is not None:
                return str(kept, "utf-8")
        text = draw(self.report)
        with suppress(UnicodeEncodeError):
            if len(text) <= _LONGEST:
                self._put(name, text.encode())
        return text

    def close(self) -> None:
        """Write what later runs may use."""
        if self.rules.store is not None:
            self._contents.keep(self.side.tree.kinds)
            self.rules.store.write()

    def _known(self) -> _Made | None:
        """What the report was made of that is kept, if it was made of what there is now."""
        store = self.rules.store
        kept = None if store is None else store.get(self._place("made"))
        if kept is None:
            return None
        try:
            made = msgspec.msgpack.decode(kept, type=_Made)
        except _UNDECODED:
            return None
        if made.asked != self._asked or not self._contents.hold(made.held):
            return None
        self._identity = digest(kept)
        return made

    def _scanned(self) -> Report:
        """The report, made now, and kept if another run would make the same."""
        from portaudit import engine  # noqa: PLC0415 - what is known needs none of it

        report = engine.scan(
            self.config,
            progress=self._progress,
            rules=self.rules,
            side=self.side,
            contents=self._contents,
        )
        if not self.rules.results.failed:
            self._keep(report, tuple(self.rules.chosen.rules))
        self._learn()
        return report

    def _keep(self, report: Report, ran: tuple[str, ...]) -> None:
        """Keep a report that another run would make, too."""
        store = self.rules.store
        if store is None or not self._contents.sure:
            return
        made = msgspec.msgpack.encode(_Made(self._asked, self._contents.asked, ran))
        with suppress(*_UNWRITABLE):
            content = msgspec.msgpack.encode(report)
            self._identity = digest(made)
            store.put(self._place("made"), made)
            self._put("report", content)

    def _quiet(self) -> Report | None:
        """The report if no rule can find anything in what is selected, and that is known."""
        store, tree = self.rules.store, self.side.tree
        if store is None or self.config.entry or not _may_be_quiet(tree):
            return None
        kept = store.get(self._blank)
        if kept is None:
            return None
        from portaudit import quiet  # noqa: PLC0415 - what is known needs it no more

        try:
            blank = msgspec.msgpack.decode(kept, type=quiet.Blank)
        except _UNDECODED:
            return None
        has_module = quiet.module_names(tree)
        for path in tree.selected:
            read = self._contents.read(path)
            if isinstance(read, ScanError) or not quiet.is_quiet(read[0], blank.words, has_module):
                return None
        report = blank.of(tree)
        self.ran = frozenset(blank.ran)
        self._keep(report, blank.ran)
        return report

    def _learn(self) -> None:
        """Keep what later runs need to know files in which there is nothing to find."""
        from portaudit import engine  # noqa: PLC0415

        store, tree = self.rules.store, self.side.tree
        if store is None or self.config.entry or not _may_be_quiet(tree):
            return
        if store.get(self._blank) is None:
            blank = engine.blank(self.config, self.rules, tree)
            with suppress(*_UNWRITABLE):
                store.put(self._blank, msgspec.msgpack.encode(blank))

    @cached_property
    def _blank(self) -> bytes:
        """Where it is kept: apart for all that makes a report, but the files."""
        return digest(b"blank\n", self.rules.digest, _told(self._settings))

    @cached_property
    def _asked(self) -> bytes:
        tree = self.side.tree
        paths = (
            tree.files,
            tree.selected,
            tree.skipped,
            tree.errors,
            sorted(tree.projects),
            tree.others,
        )
        return digest(self.rules.digest, _told((self._settings, paths, tree.kinds)))

    @cached_property
    def _settings(self) -> dict[str, object]:
        told = asdict(self.config)
        told["origins"] = [each for each in self.config.origins if each[0] not in _ELSEWHERE]
        return {key: value for key, value in told.items() if key not in _ELSEWHERE}

    @cached_property
    def _where(self) -> bytes:
        """One place for all reports of what is audited so: a new one takes that of the old."""
        paths = [os.fsencode(path) for path in (self.config.root, *self.config.paths)]
        return digest(_told((paths, self._settings)))

    def _place(self, name: str) -> bytes:
        return digest(self._where, name.encode())

    def _get(self, name: str) -> memoryview | None:
        """What is kept under a name of this very report."""
        store = self.rules.store
        kept = store.get(self._place(name)) if store is not None and self._identity else None
        return kept[LENGTH:] if kept and kept[:LENGTH] == self._identity else None

    def _put(self, name: str, content: bytes) -> None:
        if self.rules.store is not None and self._identity:
            self.rules.store.put(self._place(name), self._identity + content)


def drawn(rules: Rules, report: Report, name: str, draw: Callable[[Report], str]) -> str:
    """What is drawn of a report and of nothing else: known if the same was drawn before."""
    if rules.store is None or len(report.findings) > _FEW:
        return draw(report)
    try:
        key = digest(rules.digest, name.encode(), b"\0", msgspec.msgpack.encode(report))
    except _UNWRITABLE:
        return draw(report)
    kept = rules.store.get(key)
    with suppress(UnicodeDecodeError):
        if kept is not None:
            return str(kept, "utf-8")
    text = draw(report)
    with suppress(UnicodeEncodeError):
        rules.store.put(key, text.encode())
    rules.store.write()
    return text


def _may_be_quiet(tree: Tree) -> bool:
    """Whether some Python files of a larger tree are selected, as a hook does."""
    few = 0 < len(tree.selected) <= _FILES and tree.selected != tree.files
    return few and all(tree.kinds[path] == "python" for path in tree.selected)


def _told(value: object) -> bytes:
    """Settings and paths as bytes, whatever their texts hold."""
    try:
        return msgspec.msgpack.encode(value, enc_hook=repr)
    except UnicodeEncodeError:  # half a character, which a name on disk may have
        return repr(value).encode("utf-8", "backslashreplace")
