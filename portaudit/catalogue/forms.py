"""The shapes of documents of values, from `rules/_data/forms.toml`: a path and keys -> forms.

Knows no syntax: a reader says which keys a document begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import cache

import msgspec

from portaudit.catalogue.items import glob, normal
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table

Outline = Mapping[str, str]
"""The keys of a document's first three levels, each with its scalar or an empty string."""


class Sign(Section, frozen=True):
    """One way to know a form. All that is given must hold.

    `files`: globs of which one fits the path · `keys`: all of these stand in the outline ·
    `some`: at least one of these does · `values`: globs for the scalars at some keys. Keys are
    globs as in a rule.
    """

    files: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    values: dict[str, str] = msgspec.field(default_factory=dict)


class Command(Section, frozen=True):
    """A mapping that holds a command: its words in the values at `words`, one after the other.

    `program`: what runs with these words, where no key says so.
    """

    place: str
    words: tuple[str, ...]
    program: str = ""


class Form(Section, frozen=True):
    """A shape of documents, and where such documents have shell code and commands.

    `silent`: says nothing about how anything runs, so it is not read.
    """

    name: str
    sign: tuple[Sign, ...]
    silent: bool = False
    scripts: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


class Words(Section, frozen=True):
    """Keys that mean the same in any document, in lower case.

    `environment`: its keys, or the elements of its list, are environment variables · `image`: a
    container image, as globs · `registry`: hosts of container images, as globs: what begins with
    one is an image under any key · `started`: what a container is started with, beside its image ·
    `choices`: a list of what is allowed, which chooses nothing.
    """

    environment: frozenset[str]
    image: tuple[str, ...]
    registry: tuple[str, ...]
    started: tuple[str, ...]
    choices: frozenset[str]


class Forms(Section, frozen=True):
    """The whole file."""

    words: Words
    form: tuple[Form, ...]


@cache
def forms() -> Forms:
    """The forms as shipped. Raises `CatalogueError`."""
    path = builtin_rules() / "_data" / "forms.toml"
    return read_table(path, Forms)


@cache
def registries() -> re.Pattern[str]:
    """The host of a registry of container images."""
    return re.compile("|".join(translate(host) for host in forms().words.registry), re.IGNORECASE)


def forms_of(path: str, outline: Outline) -> tuple[Form, ...]:
    """The forms of a document at a path, by its outline (keys as `normal` has them)."""
    return tuple(
        form
        for form in forms().form
        if any(_shows(sign, path.lower(), outline) for sign in form.sign)
    )


def pattern(globs: Iterable[str]) -> re.Pattern[str]:
    """One expression for several globs of key paths; of none, one that never matches."""
    return _joined(tuple(globs))


@cache
def _joined(globs: tuple[str, ...]) -> re.Pattern[str]:
    parts = (glob("config-key", each).pattern for each in globs)
    return re.compile("|".join(f"(?:{part})" for part in parts) or r"(?!)")


@cache
def _file(text: str) -> re.Pattern[str]:
    return re.compile(translate(text.lower()))


def _shows(sign: Sign, path: str, outline: Outline) -> bool:
    if sign.files and not any(
        _file(each).match(path) or _file(f"*/{each}").match(path) for each in sign.files
    ):
        return False
    if not all(_has(outline, key) for key in sign.keys):
        return False
    if sign.some and not any(_has(outline, key) for key in sign.some):
        return False
    return all(
        any(_file(wanted).match(outline[key].lower()) for key in _fitting(outline, name))
        for name, wanted in sign.values.items()
    )


def _has(outline: Outline, key: str) -> bool:
    return next(iter(_fitting(outline, key)), None) is not None


def _fitting(outline: Outline, key: str) -> Iterable[str]:
    if "*" not in key:
        found = normal("config-key", key)
        return (found,) if found in outline else ()
    shape = _joined((key,))
    return (each for each in outline if shape.fullmatch(each))
