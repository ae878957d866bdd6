"""Reporter: what there is to tell as JSON, for CI and other tools. Adds nothing to it."""

from __future__ import annotations

import msgspec

from portaudit.report.schema import publish, publish_difference, publish_explanation
from portaudit.types import Difference, Explanation, Report


def render(report: Report) -> str:
    """The report as indented JSON with keys in the published order, ending in a newline."""
    return encode(publish(report))


def render_explanation(explained: Explanation) -> str:
    """What there is to know of one line, written in the same way."""
    return encode(publish_explanation(explained))


def render_difference(told: Difference) -> str:
    """What came and what went, findings as in a report."""
    return encode(publish_difference(told))


def encode(document: object) -> str:
    """A document as indented JSON that ends in a newline, whatever its texts hold."""
    try:
        encoded = msgspec.json.encode(document)
    except UnicodeEncodeError:  # a string literal of the audited code may hold half a character
        encoded = msgspec.json.encode(_whole(msgspec.to_builtins(document)))
    # Of many findings each of these is large: none is held longer than the next one takes to make.
    del document
    encoded = msgspec.json.format(encoded, indent=2)
    encoded += b"\n"
    return encoded.decode()


def _whole(value: object) -> object:
    """The same value with every half of a surrogate pair replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value
