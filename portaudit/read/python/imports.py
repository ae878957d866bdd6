"""Which modules of the tree a Python file brings in: by statements, by calls, and by strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import libcst as cst

from portaudit.marks import ANY_PART
from portaudit.read.python import lazy
from portaudit.read.python.lazy import Entry
from portaudit.read.python.model import (
    Place,
    Scope,
    imported_by_name,
    imports_by_name,
    imports_if_there,
)
from portaudit.read.python.nodes import SPEAKING, last_name, string_value
from portaudit.read.python.turns import Turns
from portaudit.read.python.unseen import asks_of, is_foreign, unseen
from portaudit.read.python.values import Reader, argument
from portaudit.types import GuardState, Import, Proof


class Decided(Protocol):
    """The guard of an import. `is_switch`: only flags of the code decide."""

    @property
    def state(self) -> GuardState:
        """How much it promises."""

    @property
    def by(self) -> Proof | None:
        """The line that says so."""

    @property
    def is_switch(self) -> bool:
        """Whether there is no other way where the flags are set."""


Decide = Callable[[cst.CSTNode, Place, str], Decided | None]
"""What decides whether a module is imported at a place; None where it never is."""

_LITERAL = re.compile(r"[rRuU]*(['\"]{1,3})([A-Za-z_][\w.:]*)\1")
_LONGEST = 200
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_][\w.]*)?")
_SAYING = SPEAKING | {"getLogger", "get_logger", "add_argument", "filterwarnings"}
"""Calls whose strings are for people, or name a logger."""
_FILES = re.compile(
    r"\.(?:bin|cfg|ckpt|conf|cpp|csv|cu|gz|h5|html|ini|ipynb|jpe?g|jsonl?|log|md|mp4|npy|npz|onnx|pdf"
    r"|pickle|pkl|png|pt|pth|py|pyi|safetensors|sh|so|tar|toml|tsv|txt|xml|ya?ml|zip)$"
)
"""How file names end that look like dotted names."""


def brought(reader: Reader, decide: Decide) -> tuple[Import, ...]:
    """Every import of the tree, each once by scope and guard, in the order of the file."""
    places = reader.model.places
    return _imports(
        reader,
        decide,
        (
            *((node, name, place, "", False) for node, name, place in _statements(reader)),
            *(
                (node, name, places[node], "__getattr__", True)
                for node, name in lazy.entries(reader)
            ),
            *((node, name, places[node], "", True) for node, name in _calls(reader)),
            *((node, name, places[node], "", True) for node, name in _strings(reader)),
        ),
    )


def guessed(reader: Reader, decide: Decide) -> tuple[Import, ...]:
    """Also what it may bring in: of names that it puts together, or that only other files know."""
    places = reader.model.places
    foreign = (each for each in reader.model.imports if is_foreign(reader, each[1]))
    return _imports(
        reader,
        decide,
        (
            *((node, name, place, "", False) for node, name, place in foreign),
            *(
                (node, name, places[node], "", name.endswith(".py"))
                for node, name in unseen(reader)
            ),
        ),
    )


def _imports(
    reader: Reader,
    decide: Decide,
    entries: Iterable[tuple[cst.CSTNode, str, Place, str, bool]],
) -> tuple[Import, ...]:
    found: dict[tuple[object, ...], Import] = {}
    turns = Turns(reader)
    for node, name, place, owner, named in entries:
        guard = decide(node, place, name)
        if guard is None:
            continue
        scope = owner or _function(place.scope)
        asks = asks_of(reader, node) if ANY_PART in name and isinstance(node, cst.Call) else ""
        setting = guard.by.setting if guard.by else ""
        key = name, scope, guard.state, setting, guard.is_switch, named, asks
        if key not in found:
            line = reader.span(node).line if named else reader.positions.line(place.statement)
            text = reader.line(line).strip()[:_LONGEST] if asks else ""
            turn = turns.of(node, name) if isinstance(node, cst.Call) else 0
            found[key] = Import(
                name,
                line,
                scope,
                guard.state,
                guard.by,
                named,
                asks,
                text,
                turn,
                guard.is_switch,
            )
    return tuple(sorted(found.values(), key=lambda item: item.line))


def text_of(node: cst.BaseExpression) -> str:
    """The text of a string that may be a name, or a dotted one; empty for any other."""
    if isinstance(node, cst.SimpleString):
        found = _LITERAL.fullmatch(node.value)
        return found.group(2) if found else ""
    text = string_value(node)
    return text[0] if text and text[1] and _NAME.fullmatch(text[0]) else ""


_NAME = re.compile(r"[A-Za-z_][\w.:]*")


def _statements(reader: Reader) -> Iterator[tuple[cst.CSTNode, str, Place]]:
    for node, target, place in reader.model.imports:
        if reader.is_open(target):
            yield node, target, place


def _calls(reader: Reader) -> Iterator[Entry]:
    """`import_module("x")`, also of a helper that goes on without the module."""
    for call in reader.model.calls:
        if imports_by_name(call):
            given = argument(call, (0, "name", "modname")).value
            for text in reader.texts(given):
                name = _spelled(call, text.value) if text.exact else ""
                if name and reader.is_open(name):
                    yield call, name
        elif imports_if_there(call):
            name = imported_by_name(call)
            if name and reader.is_open(name):
                yield call, name


def _spelled(call: cst.Call, name: str) -> str:
    """A module's name as the file sees it, whatever package the call takes it to be relative to."""
    package = argument(call, (1, "package")).value
    text = string_value(package) if package is not None else None
    if not name.startswith(".") or text is None or not text[1] or not text[0]:
        return name
    bare = name.lstrip(".")
    outer = text[0].split(".")
    level = len(name) - len(bare)
    return ".".join((*outer[: len(outer) - level + 1], bare)) if level <= len(outer) else ""


def _strings(reader: Reader) -> Iterator[Entry]:
    """Dotted names in strings, and the modules that a config of OpenMMLab asks for."""
    model = reader.model
    found: list[Entry] = []
    for node in model.strings:
        text = text_of(node)
        if not text or not reader.is_open(text):
            continue
        if "." in text:
            if _DOTTED.fullmatch(text) and not _FILES.search(text) and not _says(reader, node):
                found.append((node, text.replace(":", ".")))
        elif _is_custom_import(reader, node):
            found.append((node, text))
    if found:
        listed = lazy.listings(reader)
        turns = Turns(reader)
        for entry in found:
            if model.places[entry[0]].statement not in listed and not turns.begins(entry[0]):
                yield entry


def _says(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a string is a docstring, told to somebody, or part of an import that was seen."""
    parent = reader.model.parents.get(node)
    call = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
    if isinstance(call, cst.Call):
        if last_name(call.func) == "add_argument" and isinstance(parent, cst.Arg):
            return parent.keyword is None or parent.keyword.value == "help"
        return last_name(call.func) in _SAYING or imports_by_name(call)
    return isinstance(parent, cst.Expr)


def _is_custom_import(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a string stands in `custom_imports = dict(imports=["x"])`."""
    parents = reader.model.parents
    inside = False
    parent = parents.get(node)
    while isinstance(parent, (cst.BaseExpression, cst.BaseElement, cst.BaseDictElement, cst.Arg)):
        name = ""
        if isinstance(parent, cst.Arg) and parent.keyword:
            name = parent.keyword.value
        elif isinstance(parent, cst.DictElement):
            key = string_value(parent.key)
            name = key[0] if key else ""
        if inside and name == "custom_imports":
            return True
        inside = inside or name == "imports"
        parent = parents.get(parent)
    return (
        inside
        and isinstance(parent, cst.Assign)
        and any(last_name(item.target) == "custom_imports" for item in parent.targets)
    )


def _function(scope: Scope) -> str:
    """The function that runs what stands in a scope, empty for the module itself."""
    current: Scope | None = scope
    while current is not None and current.kind != "function":
        current = current.parent
    return current.qualname if current else ""
