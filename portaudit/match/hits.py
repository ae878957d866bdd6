"""What matching hands to judging: a place, what was found there, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec import Struct, field

from portaudit.catalogue.index import Selector
from portaudit.judge.guards import Guard
from portaudit.read.python.model import Place
from portaudit.types import Confidence, Use


class Spot(Struct, frozen=True, eq=False):
    """A place that a detector points at."""

    node: cst.CSTNode
    place: Place
    anchor: str
    confidence: Confidence | None = None
    is_import: bool = False


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


LOWER: dict[Confidence, Confidence] = {"high": "medium", "medium": "low", "low": "low"}


def lowest(levels: Sequence[Confidence]) -> Confidence:
    """The least sure of several confidences."""
    return min(levels, key=("low", "medium", "high").index)
