"""What matching hands to judging: a place, what was found there, and by which rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import libcst as cst
from msgspec import Struct, field

from portaudit.catalogue.index import Selector
from portaudit.judge.guards import Guard
from portaudit.read.python.model import Place
from portaudit.types import Confidence, Proof, Use


class Spot(Struct, frozen=True, eq=False):
    """A place that a detector points at.

    `key`: what hits of its name share, where the detector knows more of it than the name.
    """

    node: cst.CSTNode
    place: Place
    anchor: str
    confidence: Confidence | None = None
    is_import: bool = False
    key: cst.CSTNode | None = None


class Hit(Struct, eq=False):
    """A rule's pattern selected a place.

    `node` is reported, `key` is what competing hits share (one finding per obstacle), `rank` how
    specific the pattern is; `owner` ties several hits to one piece of work. An import that
    `follows` only brings a name: it runs anywhere, and is as guarded as what the file does with it.
    """

    selector: Selector
    node: cst.CSTNode
    key: cst.CSTNode
    place: Place
    anchor: str
    confidence: Confidence
    rank: int
    value: str = ""
    is_import: bool = False
    follows: bool = False
    owner: str = ""
    guard: Guard | None = None
    uses: list[Use] = field(default_factory=list)


Why = Literal[
    "arguments",
    "complaint",
    "compared",
    "context",
    "elsewhere",
    "explained",
    "foreign",
    "function",
    "guarded",
    "harmless",
    "host",
    "merged",
    "no-torch",
    "once",
    "own",
    "part",
    "receiver",
    "silent",
    "specific",
    "supported",
    "unclear",
    "words",
]
"""Why a rule that knows what stands somewhere says nothing of it; `portaudit.trace` has words."""
Note = Callable[[Why, Selector, cst.CSTNode, str, "Proof | None"], None]
"""Told of what came to nothing: why, whose pattern, where, what it saw, the line that proves it.

Nobody listens but `portaudit.trace`, which explains one line.
"""


def unnoted(
    _why: Why, _selector: Selector, _node: cst.CSTNode, _anchor: str, _by: Proof | None = None
) -> None:
    """Listen to nothing."""


LOWER: dict[Confidence, Confidence] = {"high": "medium", "medium": "low", "low": "low"}


def lowest(levels: Sequence[Confidence]) -> Confidence:
    """The least sure of several confidences."""
    return min(levels, key=("low", "medium", "high").index)
