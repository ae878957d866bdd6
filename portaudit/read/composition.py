"""What a settings file is put together from: other such files, and code that it names.

`_base_` (OpenMMLab), `defaults` (Hydra), every value that may be a class or a function by its whole
name (`_target_`, `class_path`, `target: ldm.net.Net`, `!new:net.Net`), and every value that is the
path of a settings file (`base: common.yaml`). Which file that is, is for whoever has seen the tree.
A choice that other settings make (`- model: ${task}-net`), or that is left to the command line
(`- model: ???`), may be any file of its group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from portaudit.marks import ANY_PART
from portaudit.read.items import UNSAID, Item
from portaudit.read.text import Text
from portaudit.types import FileKind, Import

_KINDS: frozenset[FileKind] = frozenset({"yaml", "json", "toml", "gin"})
_LIKELY = re.compile(rb"\b(?:_base_|defaults|class_path)[\"']?[ \t]*[:=]|[A-Za-z_]\w*[.:][A-Za-z_]")
_TAG = re.compile(
    rb"!(?:new|name|module|apply|!python/(?:name|module|object(?:/(?:apply|new))?)):([A-Za-z_][\w.]*)"
)
"""What makes an object in YAML, by its whole name: HyperPyYAML's tags, and PyYAML's."""
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_MEMBER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""A member of a module as entry points have it."""
_PARTLY = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.[\w.]*\*[\w.*]*")
"""A whole name that begins with a package, with a part that stands for something else."""
_CLASS = "class_path"
"""What jsonargparse calls a class by, also without its module where that was imported."""
_PREFIX = re.compile(r"^(?:(?:override|optional)\s+)*/?")
_NAME = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*")
_STANDS = re.compile(r"\$\{[^${}]*\}")
"""What stands for the value of another setting, or for what a resolver makes."""
_FIRST = re.compile(r"[^${}]*\$\{(?:[\w-]+\.)*([A-Za-z_][\w-]*)\}")
"""A choice that begins with the value of another setting, and its name."""
_NOTHING = frozenset({"_self_", "null"})
"""The settings beside the list, and a choice that is taken back."""
_ENDS = (".yaml", ".yml", ".json", ".toml", ".py")
_FILE = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*\.(?:ya?ml|json|toml|gin)")


def may_compose(kind: FileKind, content: bytes) -> bool:
    """Whether a file of a kind may be put together from others."""
    return kind in _KINDS and bool(_LIKELY.search(content))


def composed(items: Iterable[Item], text: Text) -> tuple[Import, ...]:
    """What the settings of a file bring in, each once, in the order of the file."""
    found: dict[str, Import] = {}
    content = text.data
    for tag in _TAG.finditer(content):
        name = tag.group(1).decode()
        line = content.count(b"\n", 0, tag.start()) + 1
        found.setdefault(name, Import(name, line, named=True))
    for item in items:
        if item.kind == "config-key" and (value := _value(item, text)):
            for name in _names(item.name, value):
                asks = _asked(name, value)
                said = f"{name.rpartition('/')[0]}: {value}" if asks else ""
                told = Import(name, item.span.line, named=True, asks=asks, text=said)
                found.setdefault(name, told)
    return tuple(found.values())


def _value(item: Item, text: Text) -> str:
    """A word that a setting is, also one that stands for another as a whole."""
    if isinstance(item.value, str):
        return item.value
    span = item.span
    if item.value is not None or span.line != span.end_line:
        return ""
    shown = text.line_at(span.line - 1)[span.column - 1 : span.end_column - 1].strip("\"'")
    return shown if _STANDS.fullmatch(shown) else ""


def _names(key: str, value: str) -> Iterator[str]:
    if key == "_base_":
        yield value
    elif key == "defaults" or key.startswith("defaults."):
        said = _opened(key.removeprefix("defaults").lstrip("."))
        group = _PREFIX.sub("", said).partition("@")[0]
        file = _PREFIX.sub("", ANY_PART if value == UNSAID else _opened(value)).partition("@")[0]
        if _NAME.fullmatch(file) and file not in _NOTHING and "." not in group:
            yield _with_end(f"{group}/{file}" if group else file)
    elif _FILE.fullmatch(value) or _is_name(key, value):
        yield value
    elif _MEMBER.fullmatch(value):
        yield value.replace(":", ".")
    elif _PARTLY.fullmatch(found := _opened(value)):
        yield found


def _opened(text: str) -> str:
    """A text with a sign for each part that stands for something else, however deep."""
    while (shorter := _STANDS.sub(ANY_PART, text)) != text:
        text = shorter
    return text


def _asked(name: str, value: str) -> str:
    """The setting that a choice begins with; empty if that is none by itself, or is not open."""
    group, _, file = name.rpartition("/")
    if ANY_PART not in file or ANY_PART in group:
        return ""
    if value == UNSAID:  # only the command line says it
        return f"--{group.rpartition('/')[2].replace('-', '_')}" if group else ""
    found = _FIRST.match(value)
    return found[1].replace("-", "_") if found else ""


def _is_name(key: str, value: str) -> bool:
    """Whether a value may be the name of a class or a function."""
    if _DOTTED.fullmatch(value):
        return not value.endswith(_ENDS)
    return key.rpartition(".")[2] == _CLASS and value.isidentifier()


def _with_end(name: str) -> str:
    return name if name.endswith(_ENDS) else f"{name}.yaml"
