"""The catalogue by what triggers it outside Python source: keys, variables, commands, packages.

Built once per run. Patterns are globs: `*` stands for any characters, in a path of keys for one key
and `**` for any number of them; `[A-Z]` for a capital, which tells an API from names that begin
like it. Letter case does not count, but in native code and variables; in keys, `-` reads `_`.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, field

from portaudit.catalogue.schema import ITEM_KINDS
from portaudit.ignores import once
from portaudit.types import FileKind

if TYPE_CHECKING:
    from portaudit.catalogue.index import Selector
    from portaudit.catalogue.schema import Match

_ALWAYS: tuple[str, ...] = ("install", "dependencies", "requires", "packages")
"""Words without which no file but a list of requirements names a package."""
_JOINING: tuple[str, ...] = ("__device__", "PYBIND11_MODULE", "TORCH_LIBRARY", "Tensor")
"""Words of native code that no rule speaks of, but the inventory follows."""
_NATIVE = frozenset({"source", "include", "kernel"})
_SELECTIVE = 3
"""Letters from which a word of a value says more than the name that it belongs to."""
_LITERAL = re.compile(r"\[[^\]]*\]|([^*?\[\]]+)")
"""A run of characters that a glob asks for as they are; `[a-z]` asks for one of several."""


class _Pattern(Struct, frozen=True):
    text: str
    selector: Selector
    weight: int
    """Characters that the pattern gives: of two that fit, the longer says more."""


_WIDEST = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, *_WIDEST)


class Trigger(Struct, frozen=True):
    """Words of which a file must hold one. Letter case does not count; `-` reads `_`.

    One search per word is far faster than a pattern of all words (60 ms per MB against 2.7 s).
    """

    words: tuple[bytes, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> Trigger:
        """A trigger of some words, without those that hold another one."""
        kept: list[str] = []
        for word in sorted({_plain(word) for word in words}, key=lambda word: (len(word), word)):
            if not any(map(word.__contains__, kept)):
                kept.append(word)
        return cls(tuple(word.encode() for word in kept))

    def search(self, content: bytes) -> bool:
        """Whether some content holds one of the words."""
        if content.startswith(_WIDE):
            name = "utf-32" if content.startswith(_WIDEST) else "utf-16"
            content = content.decode(name, "replace").encode("utf-8", "replace")
        text = content.lower().replace(b"-", b"_")
        return any(word in text for word in self.words)


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")


class ItemIndex(Struct):
    """Selectors by kind of item. Exact names are looked up, globs are tried one by one."""

    exact: dict[tuple[str, str], list[tuple[int, Selector]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    globs: dict[tuple[str, str], list[_Pattern]] = field(default_factory=lambda: defaultdict(list))
    """By kind and, of paths of keys, by the last key where the pattern has it whole."""
    words: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By kind of item: a file that holds none of them has no such item that a rule speaks of."""
    _triggers: dict[bool, Trigger] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Iterator[tuple[int, Selector]]:
        """Selectors whose pattern selects the name, each with how much its pattern says."""
        key = normal(kind, name)
        yield from self.exact.get((kind, key), ())
        last = key.rpartition(".")[2]
        for group in ((kind, ""), (kind, last)) if last else ((kind, ""),):
            for pattern in self.globs.get(group, ()):
                if glob(kind, pattern.text).fullmatch(key):
                    yield pattern.weight, pattern.selector

    def trigger(self, file: FileKind) -> Trigger:
        """What a file of a kind holds if any rule can speak of it: derived from the rules."""
        native = file == "native"
        if native not in self._triggers:
            words = set(_JOINING if native else _ALWAYS)
            for kind, own in self.words.items():
                if (kind in _NATIVE) == native:
                    words |= own
            self._triggers[native] = Trigger.of(words)
        return self._triggers[native]


def normal(kind: str, name: str) -> str:
    """A name as patterns see it."""
    if kind in {"env-var", "source"}:
        return name
    lowered = name.lower()
    return lowered.replace("-", "_") if kind == "config-key" else lowered


@cache
def glob(kind: str, pattern: str) -> re.Pattern[str]:
    """A pattern for names of a kind as a regular expression that must match all of them.

    Made when it is first asked for: a file needs few of the hundreds that there are.
    """
    if kind != "config-key":
        text = re.escape(normal(kind, pattern)).replace(r"\*", ".*")
        return re.compile(once(text.replace(r"\[A\-Z\]", "[A-Z]"), ".*"))
    text = re.escape(normal(kind, pattern))
    text = text.replace(r"\*\*\.", r"(?:.*\.)?").replace(r"\.\*\*", r"(?:\..*)?")
    return re.compile(once(text.replace(r"\*", "[^.]*"), "[^.]*", "."))


def build_items(pairs: Iterable[tuple[Selector, Match]]) -> ItemIndex:
    """Sort the selectors of item kinds by what triggers them."""
    index = ItemIndex()
    for selector, match in pairs:
        if match.kind not in ITEM_KINDS:
            continue
        names = [selector.name] if selector.row else match.name or ["*"]
        for name in names:
            key = normal(match.kind, name)
            weight = len(key.replace("*", ""))
            if "*" in key or "[" in key:
                last = key.rpartition(".")[2] if match.kind == "config-key" else ""
                group = match.kind, "" if "*" in last else last
                index.globs[group].append(_Pattern(name, selector, weight))
            else:
                index.exact[match.kind, key].append((weight, selector))
        index.words[match.kind].update(_words(match, names))
    return index


def _words(match: Match, names: Iterable[str]) -> list[str]:
    """Words of which a file holds at least one if the match can select something in it.

    What is asked of the value or the arguments is rarer than a key such as `name`.
    """
    if match.kind == "dependency":
        return []
    if match.kind == "kernel":
        return ["__global__", "GLOBAL void"]  # some projects spell it so, in a header of their own
    asked = [*match.arguments, *(each for each in match.value if isinstance(each, str))]
    if asked and len(asked) == len(match.arguments) + len(match.value):
        words = [max(_literals(each), key=len, default="") for each in asked]
        if all(len(word) >= _SELECTIVE for word in words):
            return words
    return [_literal(match.kind, name) for name in names]


def _literal(kind: str, name: str) -> str:
    """The longest part of a pattern that has to stand in the file as it is."""
    parts = name.split(".") if kind == "config-key" else [name]
    last = _literals(parts[-1])
    whole = [part for each in parts for part in _literals(each)]
    return max(last or whole, key=len)


def _literals(pattern: str) -> list[str]:
    """What a glob asks for as it is."""
    return [part for part in _LITERAL.findall(pattern) if part]
