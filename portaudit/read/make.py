"""Reads makefiles: variables, and the shell of recipes with make's own variables filled in.

A branch that the file's own defaults leave out is guarded: `ifdef USE_CUDA` without a default, or
`ifeq ($(USE_CUDA),1)` after `USE_CUDA ?= 0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.read.items import Document, Item
from portaudit.read.shell import script
from portaudit.read.text import Text
from portaudit.read.tree import child, content, of_type, parse, span
from portaudit.types import GuardState, Proof

_AUTOMATIC = re.compile(r"\$[@<^%*+?|]|\$\([@<^%*+?|][DF]?\)")
_PREFIX = re.compile(r"\$[({](\w+)[)}](?=\$[({])")
"""`$(Q)` before a program: whether make shows the line."""
_FUNCTION = re.compile(r"\$\(shell(?=\s)")
_REFERENCE = re.compile(r"\$\(([\w.-]+)\)|\$\{([\w.-]+)\}")
_OTHERWISE = frozenset({"else_directive", "elsif_directive"})
_TOOL = re.compile(r"nvcc|nvidia-smi|/usr/local/cuda")
_LINE_END = re.compile(r"(?<!\\)\n")
_COMPILERS = {"NVCC": "nvcc"}
"""Variables that mean a program wherever they are set: most rules include another makefile."""
_ROUNDS = 8
"""Variables that stand in the values of variables, at most."""


class _Place(Struct, frozen=True):
    scope: str = ""
    guard: GuardState = "none"
    by: Proof | None = None


def read(text: Text) -> Document:
    """A makefile as a document."""
    root = parse("make", text).root_node
    values = _values(root)
    items: list[Item] = []
    waiting: list[tuple[Node, _Place]] = [(root, _Place())]
    while waiting:
        node, place = waiting.pop()
        if node.type == "variable_assignment":
            items += (_placed(item, place) for item in _assignment(text, node, values))
        elif node.type == "shell_text":
            items += (_placed(item, place) for item in _recipe(text, node, values, place.scope))
        elif node.type == "conditional":
            waiting.extend(reversed(list(_branches(text, node, place, values))))
        else:
            inner = place
            if node.type == "rule":
                targets = child(node, "targets")
                inner = replace(place, scope=content(targets).strip() if targets else "")
            waiting.extend((each, inner) for each in reversed(node.children))
    return Document(tuple(items))


def _placed(item: Item, place: _Place) -> Item:
    if item.guard != "none" or place.guard == "none":
        return item
    return replace(item, guard=place.guard, guard_by=place.by)


def _assignment(text: Text, node: Node, values: Mapping[str, str]) -> Iterator[Item]:
    name, value = child(node, "word"), child(node, "text", "shell_command")
    if name is None:
        return
    # the grammar takes some values for longer than their line
    set_to = _LINE_END.split(content(value).strip(), 1)[0] if value else ""
    yield Item("env-var", content(name), span(text, name), set_to)
    if value is None:
        return
    for reference in of_type(value, "variable_reference"):
        word = child(reference, "word")
        if word is not None:
            yield Item("env-var", content(word), span(text, word))
    for call in of_type(value, "shell_function"):
        inner = child(call, "shell_command")
        if inner is not None:
            yield from _recipe(text, inner, values, "")


def _recipe(text: Text, node: Node, values: Mapping[str, str], scope: str) -> Iterator[Item]:
    """Shell in which make's references read as the shell's, each as long as it was."""
    start = node.start_point
    shell = content(node)
    prefix = _PREFIX.match(shell)
    if prefix and not values.get(prefix[1], "").strip("@-+ "):
        shell = " " * len(prefix[0]) + shell[len(prefix[0]) :]
    # `$$x` is the shell's `$x`: a letter before it keeps the columns
    shell = shell.replace("$$", "_$")
    shell = _AUTOMATIC.sub(lambda found: "_" * len(found[0]), shell)
    shell = _FUNCTION.sub("$(     ", shell)
    shell = _REFERENCE.sub(lambda found: f"${{{_name(found[1] or found[2])}}}", shell)
    values = {**_COMPILERS, **values}
    yield from script(text.piece(start[0], text.column(start), shell), scope, values=values)


def _name(word: str) -> str:
    """A name that a shell variable may have."""
    return re.sub(r"\W", "_", word)


# --- values and guards ----------------------------------------------------------------------------


def _values(root: Node) -> dict[str, str]:
    """The first value of each variable, with those of others filled in: what holds by default."""
    found: dict[str, str] = {}
    for node in of_type(root, "variable_assignment"):
        name, value = child(node, "word"), child(node, "text")
        if name is not None:
            given = content(value).strip() if value else ""
            if "$(shell" in given and (tool := _TOOL.search(given)):
                given = tool[0]  # `NVCC := $(shell which nvcc)` is nvcc where there is one
            found.setdefault(_name(content(name)), given)
    return {name: _filled(value, found) for name, value in found.items()}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for _ in range(_ROUNDS):
        filled = _REFERENCE.sub(lambda found: values.get(_name(found[1] or found[2]), ""), text)
        if filled == text or len(filled) > 10_000:  # noqa: PLR2004 - no command is so long
            break
        text = filled
    return text


def _branches(
    text: Text, node: Node, place: _Place, values: Mapping[str, str]
) -> Iterator[tuple[Node, _Place]]:
    """The parts of a conditional; those that the defaults leave out are guarded."""
    test, *rest = node.children
    parts: list[tuple[Node, Sequence[Node]]] = [(test, [])]
    for each in rest:
        if each.type in _OTHERWISE:
            inner = next((one for one in each.children if one.type.endswith("_directive")), each)
            parts.append((inner, each.children))
        elif len(parts) == 1:
            parts[0] = (test, [*parts[0][1], each])
    behind = len(parts) > 1
    taken = False
    for condition, body in parts:
        holds = None if condition.type in _OTHERWISE else _holds(condition, values)
        off = holds is False or taken
        inside = place
        if off and place.guard == "none":
            proof = text.proof(test.start_point[0])
            inside = _Place(place.scope, "fallback" if behind else "guarded", proof)
        taken = taken or holds is True
        yield from ((each, inside) for each in body)


def _holds(condition: Node, values: Mapping[str, str]) -> bool | None:
    """What a condition comes to by default; `None` where only the machine knows.

    A question for a tool of CUDA's counts as answered with no: where it is, CUDA is.
    """
    written = content(condition).strip()
    kind, _, rest = written.partition(" ")
    if kind in {"ifdef", "ifndef"}:
        value = values.get(_name(rest.strip()), "")
        if "$(" in value:
            return None
        return bool(value) == (kind == "ifdef")
    found = re.fullmatch(r"\(\s*(.*?)\s*,\s*([^,]*?)\s*\)", rest.strip())
    if kind not in {"ifeq", "ifneq"} or not found:
        return None
    if "$(shell" in rest and _TOOL.search(rest):
        return False if kind == "ifneq" and "" in found.groups() else None
    left, right = (_filled(each, values) for each in found.groups())
    if "$" in left + right:
        return None
    return (left == right) == (kind == "ifeq")
