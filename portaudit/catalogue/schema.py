"""The rule file, as the user writes it: the published format, one class per TOML table.

Only shapes live here. What a rule means is in `docs/rule-format.md`; checks across keys are in
`load`.
"""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

from portaudit.types import (
    Category,
    Confidence,
    Effort,
    Evidence,
    Severity,
    Status,
    Target,
    Topic,
)

MatchKind = Literal[
    "call",
    "attribute",
    "method",
    "import",
    "decorator",
    "class-base",
    "string",
    "kwarg",
    "subscript",
    "env-var",
    "detector",
    "config-key",
    "command",
    "dependency",
    "image",
    "source",
    "include",
    "kernel",
]
ITEM_KINDS: frozenset[MatchKind] = frozenset(
    {"env-var", "config-key", "command", "dependency", "image", "source", "include", "kernel"}
)
"""What files other than Python's are made of, and Python has too where it speaks of such things."""
Context = Literal["step", "loop", "model"]
ValueType = Literal["str", "bool", "int", "float", "none", "call", "not", "name"]
WhenGuarded = Literal["lower", "keep", "drop"]
Position = int | str


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of a rule file: unknown keys are refused."""


class Reference(Section, frozen=True):
    """Further reading."""

    title: str
    url: str


class Condition(Section, frozen=True):
    """A test of one argument of a call, given by position, keyword, or both.

    All given keys must hold; `has` is a pattern that an element of a list matches. An argument
    whose value cannot be known fails `equals`, `prefix`, `has` and `type`, so a rule with `where`
    stays quiet and one with `unless` speaks.
    """

    argument: Position | list[Position]
    equals: list[str | bool | int | float] = []
    prefix: list[str] = []
    has: list[str] = []
    type: list[ValueType] = []
    absent: bool | None = None


class Sink(Section, frozen=True):
    """A place that gives a string its meaning: an argument of a call or of a method."""

    argument: list[Position]
    call: list[str] = []
    method: list[str] = []


class Match(Section, frozen=True):
    """One way to select places. Several in a rule are alternatives; keys inside one all hold."""

    kind: MatchKind
    name: list[str] = []
    table: str = ""
    rows: dict[str, str | list[str]] = {}
    unlisted: bool = False
    where: list[Condition] = []
    unless: list[Condition] = []
    receiver: list[str] = []
    context: list[Context] = []
    once: bool = False
    leave_out: bool = False
    value: list[str | bool | int | float] = []
    callee: list[str] = []
    names: list[str] = []
    sinks: list[Sink] = []
    arguments: list[str] = []
    extras: list[str] = []
    excluded: bool = False
    forms: list[str] = []
    beside: list[str] = []
    made: list[str] = []
    paths: list[str] = []
    anchor: str = ""
    confidence: Confidence | None = None
    message: str = ""
    replacement: str = ""
    topics: list[Topic] = []


class TargetFact(Section, frozen=True):
    """What one target does with the capability, by whose word, and since when we know."""

    status: Status
    evidence: Evidence
    source: str
    sdk: str
    checked: datetime.date
    replacement: str = ""
    note: str = ""
    severity: Severity | None = None
    effort: Effort | None = None
    message: str = ""
    fix: str = ""
    report: bool = True


class InlineTest(Section, frozen=True):
    """A snippet and what is expected of it: `bad` and `good`, or several `files`.

    `path` is what the file of a snippet is called, which says what kind of file it is.
    """

    bad: str = ""
    good: str = ""
    path: str = "snippet.py"
    files: dict[str, str] = {}
    expect: list[str] = []
    target: Target = "torchneuron"
    operators: list[str] = []
    note: str = ""


class Rule(Section, frozen=True):
    """One decision that a reader makes: its matches, facts, words and tests."""

    schema: int
    id: str
    name: str
    category: Category
    severity: Severity
    confidence: Confidence
    effort: Effort
    message: str
    why: str
    fix: str
    match: list[Match]
    target: dict[Target, TargetFact]
    test: list[InlineTest]
    reference: list[Reference] = []
    when_guarded: WhenGuarded = "lower"
    when_guarded_reason: str = ""
    reason: Literal["cuda", "status"] = "cuda"
    check: bool = False
    library: str = ""
    topics: list[Topic] = []
