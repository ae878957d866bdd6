"""What a program does, by what it calls: the table `rules/_data/deeds.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from portaudit.catalogue.globs import Globs, any_of
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table
from portaudit.types import Deed

Deeds = tuple[Deed, ...]


class Signs(Section, frozen=True):
    """What tells of a deed. `of`: the objects whose `methods` are meant, any where it is empty."""

    does: Deed
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


class _File(Section, frozen=True):
    deed: tuple[Signs, ...]


@cache
def signs() -> tuple[Signs, ...]:
    """The table of the built-in catalogue."""
    path = builtin_rules() / "_data" / "deeds.toml"
    return read_table(path, _File).deed


@lru_cache(maxsize=65_536)
def by_name(name: str) -> Deeds:
    """What a call of a name of an installed package does."""
    if not _some_name().match(name):
        return ()
    return _of(each for each in signs() if each.names and any_of(each.names).match(name))


@lru_cache(maxsize=65_536)
def by_method(method: str, receiver: str) -> Deeds:
    """What a method does of an object that is called `receiver`."""
    if method not in methods():
        return ()
    return _of(
        each
        for each in signs()
        if method in each.methods and (not each.of or any_of(each.of).match(receiver.lower()))
    )


@lru_cache(maxsize=65_536)
def by_function(name: str) -> Deeds:
    """What a function of the audited tree does."""
    return _of(each for each in signs() if name in each.functions)


@cache
def by_attribute(name: str) -> Deeds:
    """What reading a name of an installed package does."""
    return _of(each for each in signs() if name in each.attributes)


@cache
def methods() -> frozenset[str]:
    """The methods that tell of some deed, by their last names."""
    return frozenset(name for each in signs() for name in each.methods)


@cache
def attributes() -> frozenset[str]:
    """The last parts of the names that tell of some deed when they are read."""
    return frozenset(name.rpartition(".")[2] for each in signs() for name in each.attributes)


@cache
def _some_name() -> Globs:
    """What any whole name is known by: most are settled by this one look."""
    return any_of(name for each in signs() for name in each.names)


def _of(found: Iterable[Signs]) -> Deeds:
    return tuple(dict.fromkeys(each.does for each in found))
