"""Values that a file of settings (YAML, JSON, TOML, gin) gives, by the last part of their keys.

With the part before that, the section, where no other section may have the same values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from portaudit.marks import ANY_VARIABLE, SECTION, VARIABLE
from portaudit.read.items import MAPPING, UNSAID, Item, Scalar
from portaudit.read.scalars import resolve
from portaudit.read.text import Text
from portaudit.types import FileKind, Setting, SourceFile

_KINDS: frozenset[FileKind] = frozenset({"yaml", "json", "toml", "gin"})
_LARGEST = 40_000
"""Bytes beyond which a document is data."""
_MOST = 1_000
"""Settings of one file."""
_LONGEST = 60
_LIKELY = re.compile(rb"[:=]")
_OTHERS = re.compile(
    r"(?:^|/)(?:\.[^/]+(?:/.*)?|_?docs?/.*|(?:pyproject|package|package-lock|tsconfig|poetry|Pipfile"
    r"|mkdocs|environment|conda|codecov|(?:docker-)?compose|CITATION|meta|tokenizer\w*|vocab"
    r"|special_tokens_map|netlify|renovate|cog|pixi|uv|action|setup)[^/]*)$"
)
"""Files that set up other tools, by their names."""
_OPEN = re.compile(r"[$<>{}]|\0")
_OTHER = re.compile(r"\$\{\.*(?:[\w-]+\.)*([A-Za-z_][\w-]*)\}")
"""The value of another key, as OmegaConf writes it: the last part of that."""
_SELECTED = re.compile(
    r"\$\{oc\.select:\s*\.*(?:[\w-]+\.)*([A-Za-z_][\w-]*)\s*(?:,\s*([\w.\"'+-]*)\s*)?\}"
)
"""The same with what holds where there is no such key."""
_SHARED = re.compile(rb"<<|(?:^|[\s:,\[{-])[*&!]\S", re.MULTILINE)
"""Signs of YAML by which a section may be another one too: anchors, aliases, tags."""


def may_set(source: SourceFile) -> bool:
    """Whether a file may give values for settings of a program."""
    content = source.content
    if source.kind not in _KINDS or len(content) > _LARGEST or _OTHERS.search(source.path):
        return False
    return bool(_LIKELY.search(content))


def given(source: SourceFile, items: Iterable[Item], text: Text) -> tuple[Setting, ...]:
    """The values, each once, in the order of the file."""
    if not may_set(source):
        return ()
    has_sections = source.kind != "gin" and not (
        source.kind == "yaml" and _SHARED.search(source.content)
    )
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for item in items:
        if item.kind == "config-key" and item.value != UNSAID:
            outer, _, name = item.name.rpartition(".")
            name = name.replace("-", "_")
            section = SECTION if item.value == MAPPING else outer.rpartition(".")[2]
            for value, other in _said(item, text):
                if other != name:
                    lines = found.setdefault((name, value, other), {})
                    lines.setdefault(section if has_sections else "", item.span.line)
    return tuple(
        Setting(name, value, line, given=True, section=section, of=other)
        for (name, value, other), lines in islice(found.items(), _MOST)
        for section, line in lines.items()
    )


def variables(source: SourceFile) -> tuple[Setting, ...]:
    """Variables of the environment that a file may set, each value once, an empty one if unknown.

    By their form alone: it counts against all claims that nobody sets one, and for nothing.
    """
    if source.kind not in _SETTING or (source.kind == "json" and len(source.content) > _LARGEST):
        return ()
    return set_in(source.content)


def set_in(content: bytes) -> tuple[Setting, ...]:
    """What text sets, of whatever kind its file is."""
    found: dict[tuple[str, str], None] = {}
    for match in (*_SET.finditer(content), *_LISTED.finditer(content)):
        value = (match[2] or b"").decode(errors="replace")
        found[match[1].decode(), value if value and not _OPEN.search(value) else ""] = None
    told = [Setting(VARIABLE + name, value, 1, given=True) for name, value in found]
    if _READ.search(content):
        told.append(Setting(ANY_VARIABLE, "", 1, given=True))
    return tuple(told)


_SETTING: frozenset[FileKind] = frozenset(
    ("shell", "docker", "make", "yaml", "json", "toml", "hcl", "ini", "markdown")
)
_SET = re.compile(
    rb"\b([A-Z][A-Z0-9_]{2,59})"
    rb"(?=(?:[\"']?[ \t]*[:?]?[:=][ \t]*|[ \t]+)[\"']?([^\s\"',;`]{0,60}))"
)
_LISTED = re.compile(
    rb"\bname[\"']?[ \t]*[:=][ \t]*[\"']?([A-Z][A-Z0-9_]{2,59})\b[\"']?"
    rb"(?:(?:[\s,]|#[^\n]*\n)*[\"']?value[\"']?[ \t]*[:=][ \t]*[\"']?([^\s\"',;`}]{0,60}))?"
)
"""`- name: USE_X` and its value on the next line; one that stands elsewhere is not known."""
_READ = re.compile(
    rb"\benv[-_]file\b|\bdotenv\b"
    rb"|(?:\bsource|(?<![\w/.])\.)[ \t]+[\w./${}\"-]*\.env\b(?!\.sh)"
)
"""What sets variables that stand in a file of no kind that is read."""


def _said(item: Item, text: Text) -> Iterator[tuple[str, str]]:
    """A value that a key gives, or the last part of the other key whose value it has."""
    shown = _shown(item, text)
    if match := _OTHER.fullmatch(shown):
        yield "", match[1].replace("-", "_")
    elif match := _SELECTED.fullmatch(shown):
        yield "", match[1].replace("-", "_")
        default = resolve((match[2] or "null").strip("\"'"))
        yield json.dumps(default) if not isinstance(default, str) else default, ""
    else:
        yield _value(item, text), ""


def _shown(item: Item, text: Text) -> str:
    """The text of a value that stands in one line."""
    span = item.span
    if isinstance(item.value, str):
        return item.value
    if item.value is not None or span.line != span.end_line:
        return ""
    return text.line_at(span.line - 1)[span.column - 1 : span.end_column - 1].strip("\"'")


def _value(item: Item, text: Text) -> str:
    value: Scalar = item.value
    if value is None:  # nothing, or what is written stands for something else
        line = text.line_at(item.span.line - 1)
        return "" if _OPEN.search(line[item.span.column - 1 :]) else "null"
    if isinstance(value, str):
        is_word = value and value != MAPPING and not any(map(str.isspace, value))
        return value if is_word and len(value) <= _LONGEST and not _OPEN.search(value) else ""
    return json.dumps(value)
