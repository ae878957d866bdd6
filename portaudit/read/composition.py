"""What a settings file is put together from: other such files, and code that it names.

`_base_` (OpenMMLab), `defaults` (Hydra), every value that may be a class or a function by its whole
name (`_target_`, `class_path`, `target: ldm.net.Net`, `!new:net.Net`), and every value that is the
path of a settings file (`base: common.yaml`). Which file that is, is for whoever has seen the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from portaudit.read.items import Item
from portaudit.types import FileKind, Import

_KINDS: frozenset[FileKind] = frozenset({"yaml", "json", "toml", "gin"})
_LIKELY = re.compile(rb"\b(?:_base_|defaults|class_path)[\"']?[ \t]*[:=]|[A-Za-z_]\w*\.[A-Za-z_]")
_TAG = re.compile(
    rb"!(?:new|name|module|apply|!python/(?:name|module|object(?:/(?:apply|new))?)):([A-Za-z_][\w.]*)"
)
"""What makes an object in YAML, by its whole name: HyperPyYAML's tags, and PyYAML's."""
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_CLASS = "class_path"
"""What jsonargparse calls a class by, also without its module where that was imported."""
_PREFIX = re.compile(r"^(?:(?:override|optional)\s+)*/?")
_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*")
_NOTHING = frozenset({"_self_", "null"})
"""The settings beside the list, and a choice that is taken back."""
_ENDS = (".yaml", ".yml", ".json", ".toml", ".py")
_FILE = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*\.(?:ya?ml|json|toml|gin)")


def may_compose(kind: FileKind, content: bytes) -> bool:
    """Whether a file of a kind may be put together from others."""
    return kind in _KINDS and bool(_LIKELY.search(content))


def composed(items: Iterable[Item], content: bytes = b"") -> tuple[Import, ...]:
    """What the settings of a file bring in, each once, in the order of the file.

    `content`: the file, for what its tags name.
    """
    found: dict[str, Import] = {}
    for tag in _TAG.finditer(content):
        name = tag.group(1).decode()
        line = content.count(b"\n", 0, tag.start()) + 1
        found.setdefault(name, Import(name, line, named=True))
    for item in items:
        if item.kind == "config-key" and isinstance(item.value, str) and item.value:
            for name in _names(item.name, item.value):
                found.setdefault(name, Import(name, item.span.line, named=True))
    return tuple(found.values())


def _names(key: str, value: str) -> Iterator[str]:
    if key == "_base_":
        yield value
    elif key == "defaults" or key.startswith("defaults."):
        group = _PREFIX.sub("", key.removeprefix("defaults").lstrip(".")).partition("@")[0]
        file = _PREFIX.sub("", value).partition("@")[0]
        if _NAME.fullmatch(file) and file not in _NOTHING and "." not in group:
            yield _with_end(f"{group}/{file}" if group else file)
    elif _FILE.fullmatch(value) or _is_name(key, value):
        yield value


def _is_name(key: str, value: str) -> bool:
    """Whether a value may be the name of a class or a function."""
    if _DOTTED.fullmatch(value):
        return not value.endswith(_ENDS)
    return key.rpartition(".")[2] == _CLASS and value.isidentifier()


def _with_end(name: str) -> str:
    return name if name.endswith(_ENDS) else f"{name}.yaml"
