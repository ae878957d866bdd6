"""A page as a file: what stands in it, how it looks, what it does, and that it may do no more.

A policy in the page itself lets run what is part of it and nothing else; it can ask no server for
anything. All text is escaped where it enters a template.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from portaudit.report.html.text import address, amount, host, inline, prose, seen
from portaudit.report.outcome import count, decimal, guard_words

_HERE = files("portaudit.report.html")
_JSON = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
"""What could end a script, or means something to HTML."""


def document(template: str, context: dict[str, object], data: object = None) -> str:
    """A page from a template. `data` is what its script works with, if it has one."""
    style = asset("style.css")
    scripts = [asset("charts.js"), asset("report.js")] if data is not None else []
    scripts = [asset("frame.js"), *scripts]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        _environment()
        .get_template(template)
        .render(
            context,
            policy=policy,
            # Ours, and the digests above are those of just these characters.
            style=Markup(style),  # noqa: S704
            scripts=[Markup(script) for script in scripts],  # noqa: S704
            data=None if data is None else Markup(embedded(data)),  # noqa: S704
        )
    )


def embedded(data: object) -> str:
    """Data as JSON that may stand in a script element: nothing in it means anything to HTML."""
    return msgspec.json.encode(data).decode().translate(_JSON)


@cache
def asset(name: str) -> str:
    """A file that becomes part of pages."""
    return (_HERE / "assets" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "inline": inline,
        "prose": prose,
        "address": address,
        "amount": amount,
        "host": host,
        "broken": _broken,
        "decimal": decimal,
        "url_path": _url_path,
    }
    made.filters |= filters
    made.globals |= {"count": count, "guard_words": guard_words}
    return made


def _template(name: str) -> str:
    return (_HERE / "templates" / name).read_text(encoding="utf-8")


def _final(value: object) -> object:
    """What a template shows: text so that all of it can be seen."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return seen(value)


def _broken(path: str) -> Markup:
    """A path that may be broken after its slashes."""
    return Markup("/<wbr>").join(seen(path).split("/"))


def _url_path(path: str) -> str:
    return quote(path.encode("utf-8", "replace"), safe="/")
