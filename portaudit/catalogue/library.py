"""nki-library: which of its kernels does a job, judged by a kernel's name (`rules/_data`)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from msgspec import Struct

from portaudit.catalogue.place import builtin_rules
from portaudit.types import Counterpart

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+[a-z]*|[a-z0-9]+")


class _Entry(Struct, frozen=True):
    words: tuple[frozenset[str], ...]
    not_words: frozenset[str]
    kernel: Counterpart


def counterpart(name: str) -> Counterpart | None:
    """The kernel of nki-library for the job that a kernel's name tells; the first that fits."""
    words = frozenset(_words(name))
    return next(
        (
            entry.kernel
            for entry in _entries()
            if all(words & one for one in entry.words) and not words & entry.not_words
        ),
        None,
    )


def _words(name: str) -> Iterable[str]:
    """`RMSNormFwdKernel` and `rms_norm_fwd_kernel` have the same words, joined pairs included."""
    parts = [part.lower() for piece in name.split("_") for part in _WORD.findall(piece)]
    return [*parts, *(first + second for first, second in pairwise(parts))]


@cache
def _entries() -> tuple[_Entry, ...]:
    path = builtin_rules() / "_data" / "nki_library.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        records = csv.DictReader(line for line in stream if not line.startswith("#"))
        return tuple(
            _Entry(
                tuple(frozenset(one.split("|")) for one in record["words"].split()),
                frozenset(record["not_words"].split("|")) - {""},
                Counterpart(record["kernel"], record["tier"], record["since"], record["source"]),
            )
            for record in records
        )
