"""The topics of report sections and what to check with each, from `rules/_data/topics.toml`.

Knows neither findings nor reports. What is checked is advice, so none stands without a page that
says it: `inferred` is no evidence here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from portaudit.catalogue.load import PREFIXES
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import Section
from portaudit.catalogue.tables import read_table
from portaudit.errors import CatalogueError, nearest
from portaudit.types import TOPICS, Target, Topic

_SENTENCES = 2
_RULE = re.compile(r"[A-Z]{3}\d{3}")
_SOURCE = re.compile(r"https://[^/\s]+/\S")


class Origin(Section, frozen=True):
    """Who says it of a target, and since when we know."""

    source: str
    evidence: Literal["official", "third_party", "prerelease"]
    sdk: str
    checked: datetime.date


class Advice(Section, frozen=True):
    """Something to check on the targets that have an origin for it.

    `when`: ids of rules and categories of which one must have a finding in the report; of none,
    the topic's own findings are enough.
    """

    text: str
    target: dict[Target, Origin]
    when: tuple[str, ...] = ()


class About(Section, frozen=True):
    """A topic: the title of its section, what it is about, what to check."""

    id: Topic
    title: str
    meaning: str
    check: tuple[Advice, ...]


class _File(Section, frozen=True):
    topic: tuple[About, ...]


@cache
def topics() -> tuple[About, ...]:
    """The topics as shipped. Raises `CatalogueError`."""
    return read_topics(builtin_rules() / "_data" / "topics.toml")


def read_topics(path: Path) -> tuple[About, ...]:
    """Read and check a file of topics. Raises `CatalogueError`."""
    found = read_table(path, _File).topic
    problem = next(_problems(found), None)
    if problem:
        raise CatalogueError(f"{path}: {problem}")
    return found


def _problems(found: tuple[About, ...]) -> Iterator[str]:
    if tuple(topic.id for topic in found) != TOPICS:
        yield f"must have one [[topic]] for each of {', '.join(TOPICS)}, in this order"
    for topic in found:
        if not topic.title.strip() or not topic.meaning.strip():
            yield f"{topic.id}: `title` or `meaning` is empty"
        for position, check in enumerate(topic.check, start=1):
            for problem in check_problems(check):
                yield f"{topic.id}, [[topic.check]] {position}: {problem}"


def check_problems(check: Advice) -> Iterator[str]:
    """Say what is wrong with a check, whatever file it stands in."""
    sentences = len(re.findall(r"[.?!](?=\s|$)", check.text))
    if not 1 <= sentences <= _SENTENCES or "\n" in check.text.strip():
        yield f"`text` must be one line of at most {_SENTENCES} sentences"
    if not check.target:
        yield "no [topic.check.target.…]: say what page speaks of which target"
    for word in check.when:
        if not _RULE.fullmatch(word) and word not in PREFIXES.values():
            known = nearest(word, PREFIXES.values())
            yield f'`when` names "{word}", neither the id of a rule nor a category{known}'
    for target, origin in check.target.items():
        if not _SOURCE.match(origin.source):
            yield f'{target}: `source` must be the https address of a page, not "{origin.source}"'
        if not origin.sdk.strip():
            yield f"{target}: `sdk` is empty: name the SDK version that the source speaks of"
