"""Reads CMake: every command that a list file calls, with its arguments.

`if(CUDA_FOUND)` and a switch that `option()` leaves off are guards: what stands behind them is
built only where CUDA was found, or where somebody asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from msgspec import Struct, field
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.read.items import Document, Item, Part
from portaudit.read.settings import Columns
from portaudit.read.shell import arguments
from portaudit.read.text import Text
from portaudit.read.tree import child, content, parse
from portaudit.types import GuardState, Proof, Span

_WITH_VERB = frozenset({"list", "string"})
"""Commands whose first word says what they do: `list append` changes something."""
_ENVIRONMENT = re.compile(r"ENV\{(\w+)\}")
_SWITCHES = {"option": 2, "set": 1}
"""Commands that give a switch its value, and which word that is."""
_RUNNING = frozenset({"execute_process", "add_custom_command", "add_custom_target"})
"""Commands that run programs: their words stand behind `COMMAND`."""
_LISTS = frozenset(
    {
        "target_link_libraries",
        "link_libraries",
        "target_compile_options",
        "add_compile_options",
        "target_include_directories",
        "include_directories",
    }
)
"""Commands of which each line of arguments says something by itself."""
_BLOCKS = frozenset({"function_def", "macro_def"})
_OTHERWISE = frozenset({"elseif_command", "else_command"})
_FALSE = frozenset({"", "OFF", "FALSE", "NO", "N", "0", "IGNORE", "NOTFOUND"})
_TRUE = frozenset({"ON", "TRUE", "YES", "Y", "1"})
_CUDA_FOUND = re.compile(
    r"(?:\w*CUDA\w*|CUDNN|cuDNN|NCCL|NVTX|CUTLASS|TensorRT|TENSORRT)_FOUND|CMAKE_CUDA_COMPILER|"
    r"CUDA::\w+|CUDAToolkit_VERSION|CUDA_VERSION",
    re.IGNORECASE,
)
"""Names that are set, and targets that exist, only where CUDA was found."""
_FATAL = re.compile(r"message\s*\(\s*(?:FATAL_ERROR|SEND_ERROR)", re.IGNORECASE)
_IDLE = re.compile(r"\s*(?:(?:message|unset)\s*\([^()]*\)\s*|#[^\n]*\s*)*", re.IGNORECASE)


class _Place(Struct, frozen=True):
    scope: str = ""
    guard: GuardState = "none"
    by: Proof | None = None


class _Switches(Struct):
    """Variables whose default the file states, and how each package is asked for afterwards."""

    off: set[str] = field(default_factory=set)
    on: set[str] = field(default_factory=set)
    found: dict[str, tuple[GuardState, Proof]] = field(default_factory=dict)


def read(text: Text) -> Document:
    """A list file as a document."""
    root = parse("cmake", text).root_node
    switches = _switches(text, root)
    columns = Columns(text)
    items: list[Item] = []
    waiting: list[tuple[Node, _Place]] = [(root, _Place())]
    while waiting:
        node, place = waiting.pop()
        if node.type == "normal_command":
            found = _command(text, columns, node, place, switches)
            for each in _lines(found):
                items.append(replace(each, group=len(items) + 1))
            items += _told(found)
        elif node.type == "if_condition":
            waiting.extend(reversed(list(_branches(text, node, place, switches))))
        else:
            waiting.extend((each, _inside(node, place)) for each in reversed(node.children))
    return Document(tuple(items))


def _inside(node: Node, place: _Place) -> _Place:
    """The body of a function belongs to its name."""
    if node.type not in _BLOCKS:
        return place
    words = _words(node.children[0])
    return replace(place, scope=content(words[0])) if words else place


def _command(text: Text, columns: Columns, node: Node, place: _Place, switches: _Switches) -> Item:
    name, where = content(node.children[0]).lower(), _span(text, columns, node.children[0])
    parts = tuple(Part(_bare(content(each)), _span(text, columns, each)) for each in _words(node))
    guard, by = place.guard, place.by
    words = [part.text for part in parts]
    if name == "find_package" and guard == "none" and words and "REQUIRED" not in words:
        guard, by = switches.found.get(words[0].lower(), (guard, by))
    if name in _WITH_VERB and words:
        name = f"{name} {words[0].lower()}"
    return Item("command", name, where, None, parts, place.scope, guard=guard, guard_by=by)


def _lines(command: Item) -> Iterator[Item]:
    """A command, once for each line of what it lists."""
    if command.name not in _LISTS or not command.parts:
        yield command
        return
    for _, parts in groupby(command.parts, key=lambda part: part.span.line):
        yield replace(command, parts=tuple(parts))


def _told(command: Item) -> Iterator[Item]:
    """What else a command says: a switch that is on, a variable, the programs that it runs."""
    words = command.parts
    if command.name in _SWITCHES and len(words) > 1:
        given = words[_SWITCHES[command.name] :][:1]
        if given and given[0].text.upper() in _TRUE:
            yield replace(command, name=f"{command.name} on", parts=words[:1])
    if command.name == "set" and words and (known := _ENVIRONMENT.fullmatch(words[0].text)):
        value = " ".join(word.text for word in words[1:])
        yield replace(
            command, kind="env-var", name=known[1], span=words[0].span, value=value, parts=()
        )
    if command.name not in _RUNNING:
        return
    begins = [at for at, word in enumerate(words) if word.text == "COMMAND"]
    for begin, end in pairwise([*begins, len(words)]):
        for item in arguments(words[begin + 1 : end], command.scope):
            yield replace(item, guard=command.guard, guard_by=command.guard_by)


def _span(text: Text, columns: Columns, node: Node) -> Span:
    row, column, end_row, end_column = columns.region(node.start_point, node.end_point)
    return Span(*text.place(row, column), *text.place(end_row, end_column))


def _words(node: Node) -> Sequence[Node]:
    listed = child(node, "argument_list")
    return [each for each in listed.children if each.type == "argument"] if listed else []


def _bare(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] == '"':
        return word[1:-1]
    return word


# --- guards ---------------------------------------------------------------------------------------


def _switches(text: Text, root: Node) -> _Switches:
    """What a file says of its own switches before anything is judged."""
    found = _Switches()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "normal_command":
            _declare([_bare(content(each)) for each in _words(node)], content(node), found)
        elif node.type == "if_condition":
            _ask(text, node, found)
        waiting.extend(reversed(node.children))
    return found


def _declare(words: list[str], call: str, found: _Switches) -> None:
    name = call.partition("(")[0].strip().lower()
    if not words:
        return
    if name == "option":
        value = words[2] if len(words) > 2 else "OFF"  # noqa: PLR2004 - name, help, default
    elif name == "set" and len(words) > 1 and ("CACHE" in words or len(words) == 2):  # noqa: PLR2004
        value = words[1]
    else:
        return
    if value.upper() in _FALSE and words[0] not in found.on:
        found.off.add(words[0])
    elif name == "option" or value.upper() in _TRUE or words[0] in found.off:
        found.off.discard(words[0])
        if value.upper() in _TRUE:
            found.on.add(words[0])


def _ask(text: Text, node: Node, found: _Switches) -> None:
    """Remember what a package that need not be there is asked for by: `if(CUDA_FOUND)`."""
    for word in _words(node.children[0]):
        name = content(word)
        if name.lower().endswith("_found") and _CUDA_FOUND.fullmatch(name):
            state = _state(node)
            proof = text.proof(node.start_point[0])
            found.found.setdefault(name[: -len("_FOUND")].lower(), (state, proof))


def _branches(
    text: Text, node: Node, place: _Place, switches: _Switches
) -> Iterator[tuple[Node, _Place]]:
    """The parts of an `if`, each with what holds there."""
    inside, passed, before = place, False, list[str]()
    for each in node.children:
        if each.type in {"if_command", "elseif_command"}:
            inside = place
            answer = _answer(_words(each), switches)
            if place.guard == "none" and (answer or (passed and answer is None)):
                proof = text.proof(each.start_point[0])
                inside = _Place(place.scope, _state(node) if answer else "guarded", proof)
            passed = passed or answer is False
        elif each.type == "else_command":
            inside = place
            if passed and place.guard == "none":
                inside = _Place(place.scope, _promise(before), text.proof(node.start_point[0]))
        else:
            if each.type == "body":
                before.append(content(each))
            yield each, inside


def _answer(words: Sequence[Node], switches: _Switches) -> bool | None:
    """Whether a condition holds only with CUDA or a switch that is off; `False`: only without.

    Of an `AND` one such part is enough, of an `OR` all parts must be.
    """
    parts: list[list[str]] = [[]]
    joined: set[str] = set()
    for word in words:
        name = _bare(content(word))
        if name in {"AND", "OR"}:
            joined.add(name)
            parts.append([])
        elif name not in {"(", ")"}:
            parts[-1].append(name)
    answers = [_simple(part, switches) for part in parts]
    if "OR" in joined:
        return True if all(answers) and "AND" not in joined else None
    if any(answers):
        return True
    return False if len(answers) == 1 and answers[0] is False else None


def _simple(words: list[str], switches: _Switches) -> bool | None:
    negated = words[:1] == ["NOT"]
    rest = [word for word in words if word not in {"NOT", "DEFINED", "TARGET"}]
    name = rest[0].removeprefix("${").removesuffix("}") if rest else ""
    asked = bool(_CUDA_FOUND.fullmatch(name)) or name in switches.off
    if len(rest) == 1 and asked:
        return not negated
    if len(rest) == 1 and name in switches.on:
        return negated
    return True if len(rest) > 1 and asked and name not in switches.off and not negated else None


def _state(node: Node) -> GuardState:
    """What an `if` for CUDA promises, by what its other branch does."""
    text, behind = [], False
    for each in node.children:
        if each.type in _OTHERWISE:
            behind = True
        elif behind and each.type == "body":
            text.append(content(each))
    return _promise(text)


def _promise(bodies: Sequence[str]) -> GuardState:
    """What is promised by code that runs where CUDA is not."""
    other = "\n".join(bodies)
    if _FATAL.search(other):
        return "hard-fail"
    return "guarded" if _IDLE.fullmatch(other) else "fallback"
