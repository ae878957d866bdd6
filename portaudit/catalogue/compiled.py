"""The built-in rules as one content of the user's cache: read in a sixth of the time.

The key is a digest of the rules' files and of the code that reads them, so a content is never out
of date. It is data of known types (msgspec), checked as it is read: a content that is damaged, or
of another making, runs nothing, and the rules are read anew. Rules of other directories are always
read and checked in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from portaudit import __version__
from portaudit.cache import Cache
from portaudit.catalogue import load as loader
from portaudit.catalogue import schema
from portaudit.catalogue.load import Catalogue, Guards, Row
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Rule
from portaudit.garbage import uncollected

_KIND = "catalogue"
_Picks = list[tuple[str, int, list[int]]]
"""For each match with a table: rule, position, and the places of its rows in `rows`."""


class _Compiled(msgspec.Struct, frozen=True):
    """A catalogue, each row once however many matches it has."""

    digest: str
    rules: dict[str, Rule]
    rows: list[Row]
    picked: _Picks
    unlisted: _Picks
    guards: Guards
    sources: dict[str, str]


def load(
    extra: Sequence[Path] = (),
    cache: Cache | None = None,
    digest: bytes | None = None,
    root: Path | None = None,
) -> Catalogue:
    """What `catalogue.load.load` gives, by way of a cache where there is one.

    `digest` is one of what the files of the built-in rules hold, where that is known; `root` is the
    audited tree. Raises `CatalogueError` as that does.
    """
    if extra or cache is None:
        return loader.load(extra, root)
    rules = builtin_rules()
    key = _key(rules, digest)
    content = cache.get(_KIND, key)
    found = _decoded(content, rules) if content else None
    if found is None:
        found = loader.load()
        cache.put(_KIND, key, _encoded(found, rules))
    return found


def _key(rules: Path, known: bytes | None = None) -> str:
    """A digest of all that makes a catalogue: contents, so that no clock has to be trusted."""
    code = [Path(module.__file__ or "") for module in (loader, schema)]
    data = sorted(path for path in rules.rglob("*") if path.is_file()) if known is None else []
    digest = hashlib.sha256(__version__.encode() + (known or b""))
    for path in (*code, *data):
        content = path.read_bytes()
        digest.update(f"\n{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def _encoded(catalogue: Catalogue, rules: Path) -> bytes:
    places: dict[int, int] = {}
    rows: list[Row] = []

    def picks(matches: Mapping[tuple[str, int], Iterable[Row]]) -> _Picks:
        for row in (row for chosen in matches.values() for row in chosen):
            if id(row) not in places:
                places[id(row)] = len(rows)
                rows.append(row)
        return [
            (rule, position, [places[id(row)] for row in chosen])
            for (rule, position), chosen in matches.items()
        ]

    sources = {id_: path.relative_to(rules).as_posix() for id_, path in catalogue.sources.items()}
    compiled = _Compiled(
        catalogue.digest,
        catalogue.rules,
        rows,
        picks(catalogue.rows),
        picks(catalogue.unlisted),
        catalogue.guards,
        sources,
    )
    return msgspec.msgpack.encode(compiled)


def _decoded(content: bytes, rules: Path) -> Catalogue | None:
    try:
        with uncollected():
            compiled = msgspec.msgpack.decode(content, type=_Compiled)
        return Catalogue(
            compiled.rules,
            _picked(compiled.picked, compiled.rows),
            compiled.digest,
            compiled.guards,
            {rule: rules / path for rule, path in compiled.sources.items()},
            _picked(compiled.unlisted, compiled.rows),
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, IndexError):
        return None


def _picked(picks: _Picks, rows: Sequence[Row]) -> dict[tuple[str, int], tuple[Row, ...]]:
    return {(rule, at): tuple(rows[each] for each in chosen) for rule, at, chosen in picks}
