"""What native code is known by: macros, attributes, features, from `rules/_data/native.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

import msgspec

from portaudit.catalogue.globs import Globs, any_of
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table
from portaudit.types import Difficulty


class Macros(Section, frozen=True):
    """Macros by what it means that they are defined."""

    cuda: list[str]
    compiler: list[str]
    vendor: list[str]
    never: list[str]
    always: list[str]


class Declaring(Section, frozen=True):
    """Words of kernels' declarations and launches."""

    aliases: list[str]
    attributes: list[str]
    launchers: list[str]


class FeatureWords(Section, frozen=True):
    """A feature and what it is known by; `using` by the namespace that a file opens."""

    name: str
    words: list[str]
    level: Difficulty | None = None
    asm: tuple[str, ...] = ()
    using: dict[str, list[str]] = msgspec.field(default_factory=dict)


class VariantWords(Section, frozen=True):
    """Words of kernels' names: those that say how something is done, those of something else."""

    way: list[str]
    apart: list[str]


class Compilers(Section, frozen=True):
    """Python functions that compile native code: by their whole names, and by their last ones."""

    compilers: list[str]
    likely: list[str]


class OtherVendor(Section, frozen=True):
    """What HIP code includes and names, where it lies, and what shows that a file is CUDA's too."""

    headers: list[str]
    names: list[str]
    folders: list[str]
    namespaces: list[str]
    cuda_headers: list[str]
    cuda_names: list[str]


class NativeWords(Section, frozen=True):
    """The whole table. `engines`: libraries that run finished networks, and train none."""

    engines: list[str]
    macros: Macros
    kernel: Declaring
    variant: VariantWords
    feature: list[FeatureWords]
    dispatch: dict[str, list[str]]
    python: Compilers
    hip: OtherVendor


@cache
def words() -> NativeWords:
    """The table of the built-in catalogue."""
    path = builtin_rules() / "_data" / "native.toml"
    return read_table(path, NativeWords)


@cache
def attributes() -> Globs:
    """Words that take arguments in a declaration without being declared."""
    return any_of(words().kernel.attributes)


@cache
def launchers() -> Globs:
    """Functions that start the kernel they are given."""
    return any_of(words().kernel.launchers)


@cache
def _features() -> tuple[tuple[str, Globs], ...]:
    return tuple((each.name, any_of(each.words)) for each in words().feature)


@cache
def _some_feature() -> Globs:
    """What any feature is known by: most identifiers are settled by this one look."""
    return any_of(word for each in words().feature for word in each.words)


@cache
def _opened(namespace: str) -> tuple[tuple[str, Globs], ...]:
    return tuple(
        (each.name, any_of(each.using[namespace]))
        for each in words().feature
        if namespace in each.using
    )


@lru_cache(maxsize=65_536)
def features_of(word: str, namespaces: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The features that an identifier means where some namespaces are open."""
    known = [pair for each in sorted(namespaces) for pair in _opened(each)]
    if _some_feature().match(word):
        known += _features()
    return tuple(dict.fromkeys(name for name, pattern in known if pattern.match(word)))


def features_of_assembly(text: str) -> list[str]:
    """The features that the text of inline assembly means."""
    return [each.name for each in words().feature if any(part in text for part in each.asm)]


@cache
def levels() -> dict[str, Difficulty]:
    """The least class of a kernel that has a feature."""
    return {each.name: each.level for each in words().feature if each.level}


_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]+[a-z]+|[A-Z]?[a-z]+")
"""A word of a name, without a number behind it: `v2`, `float4`, but `col2im`."""
_NAME = re.compile(r"\s*[A-Za-z_]\w*\s*$")


def types_of(parameters: Iterable[str]) -> tuple[str, ...]:
    """The types of parameters as they are declared, without their names."""
    return tuple(_NAME.sub("", each) for each in parameters)


def are_variants(one: str, other: str) -> bool:
    """Whether the names of two kernels say that these do the same in different ways."""
    shorter, longer = sorted((_subject(one), _subject(other)), key=len)
    more = longer[len(shorter) :]
    return bool(shorter) and longer == [*shorter, *more] and _apart().isdisjoint(more)


def _subject(name: str) -> list[str]:
    """The words of a kernel's name that say what it does."""
    return [word for part in _PART.findall(name) if (word := part.lower()) not in _way()]


@cache
def _way() -> frozenset[str]:
    return frozenset(words().variant.way)


@cache
def _apart() -> frozenset[str]:
    return frozenset(words().variant.apart)
