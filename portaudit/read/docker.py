"""Reads Dockerfiles: images, variables, and what runs while the image is built and started.

References are resolved through `ARG`, and stand at the `FROM`: that says what is built on. A stage
that the last one neither builds on nor copies from is not built unless somebody asks for it by
name: what stands in it is guarded, and the last `FROM` proves it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import pairwise
from posixpath import basename, join, normpath, relpath

from msgspec import Struct, field
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.read.images import image
from portaudit.read.items import Document, Item, Part
from portaudit.read.launches import started
from portaudit.read.programs import LAUNCHERS, SHELLS
from portaudit.read.shell import arguments, mapped, script
from portaudit.read.text import Text
from portaudit.read.tree import child, content, of_type, parse, span
from portaudit.types import Span

_RUNNING = frozenset({"run_instruction", "cmd_instruction", "entrypoint_instruction"})
_WRAPPING = frozenset({"healthcheck_instruction", "onbuild_instruction"})
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")
_ROUNDS = 8
"""Variables that stand in the values of variables, at most."""
_READS_HEREDOC = re.compile(
    r"\w+(?:\s+--\S+)*\s+(?:(?:/\S*/)?(?:ba|z|da|k)?sh(?:\s+-\S+)*\s*)?<<-?[\"']?\w+[\"']?.*",
    re.IGNORECASE,
)
"""A `RUN` whose here-document is a shell script, and not what another program reads."""
_SCRIPT_OPTION = re.compile(r"\"-[a-z]*c\"")
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.",
    re.DOTALL,
)
"""A character of a JSON string, as it is written."""
_FROM_MOUNT = re.compile(r"(?:^|,)from=([^,\s]+)")


_PAIR = 2
"""What is copied, and where to."""


class _Stage(Struct):
    """A stage: its names, the stages and images that it is made of, what its instructions say.

    `unknown`: something that it is made of depends on a value that only the build is given.
    """

    names: tuple[str, ...] = ()
    row: int = 0
    needs: set[str] = field(default_factory=set)
    unknown: bool = False
    items: list[Item] = field(default_factory=list)
    entry: list[Part] = field(default_factory=list)
    given: list[Part] = field(default_factory=list)
    """The words of its `ENTRYPOINT`, and those of the `CMD` that follow them by default."""
    values: dict[str, str] = field(default_factory=dict)
    """What its variables are, as far as the file says."""
    folder: str = "/"
    """Where its commands are run."""
    tree: str = ""
    """Where the folder of the file was copied to, empty where nothing says so."""


def read(text: Text) -> Document:
    """A Dockerfile as a document."""
    arguments_before: dict[str, str] = {}
    stages: list[_Stage] = []
    names: set[str] = set()
    for number, node in enumerate(parse("containerfile", text).root_node.children):
        if node.type == "from_instruction":
            stage = _begin(text, node, arguments_before, names, number)
            base = next((each for each in reversed(stages) if stage.needs & {*each.names}), None)
            if base:
                stage.entry, stage.given = base.entry, base.given
                stage.folder, stage.tree = base.folder, base.tree
            stage.names = (str(len(stages)), *stage.names)
            names.update(stage.names)
            stages.append(stage)
        elif not stages:
            if node.type == "arg_instruction":
                arguments_before.update(_arguments(node))
        else:
            _instruction(text, node, stages[-1], arguments_before, number)
    for stage in stages:
        _start_whole(stage)
    built = _built(stages)
    items: list[Item] = []
    for position, stage in enumerate(stages):
        if position in built:
            items += stage.items
        else:
            proof = text.proof(stages[-1].row)
            items += (
                replace(item, guard="guarded", guard_by=proof) if item.guard == "none" else item
                for item in stage.items
            )
    return Document(tuple(sorted(_single(items), key=lambda item: item.span)))


def _single(items: Sequence[Item]) -> Iterator[Item]:
    """Each item once: two stages on the image of one `ARG` name it in one place."""
    found: dict[tuple[str, str, Span], Item] = {}
    for item in items:
        key = item.kind, item.name, item.span
        if key not in found or (found[key].guard != "none" and item.guard == "none"):
            found[key] = item
    return iter(found.values())


def _built(stages: Sequence[_Stage]) -> Container[int]:
    """The positions of the last stage and those it is made of; all, where that is not known."""
    named: dict[str, list[int]] = {}
    for position, stage in enumerate(stages):
        for name in stage.names:
            named.setdefault(name, []).append(position)
    built: set[int] = set()
    waiting = [len(stages) - 1] if stages else []
    while waiting:
        position = waiting.pop()
        if position in built:
            continue
        if stages[position].unknown:
            return range(len(stages))
        built.add(position)
        for name in stages[position].needs:
            # a name may be given twice: the last one before this stage is meant
            known = named.get(name, [])
            earlier = bisect_left(known, position)
            waiting += known[max(earlier - 1, 0) : earlier]
    return built


# --- FROM -----------------------------------------------------------------------------------------


def _begin(
    text: Text,
    node: Node,
    known: Mapping[str, str],
    names: Container[str],
    number: int,
) -> _Stage:
    alias, reference = child(node, "image_alias"), child(node, "image_spec")
    scope = content(alias) if alias else ""
    stage = _Stage((scope.lower(),) if scope else (), node.start_point[0])
    if reference is None:
        return stage
    written = content(reference)
    resolved = _resolve(written, known)
    stage.unknown = "$" in resolved
    if resolved.lower() in names:
        stage.needs.add(resolved.lower())
        return stage
    found = image(resolved, span(text, reference), scope)
    if found and resolved != "scratch":
        stage.items.append(replace(found, group=number))
    return stage


def _arguments(node: Node) -> Iterator[tuple[str, str]]:
    """The names that an `ARG` gives a default."""
    for pair in of_type(node, "arg_pair"):
        if len(pair.children) == 3:  # noqa: PLR2004 - name, equals sign, default
            name, _, value = pair.children
            yield content(name), _unquoted(content(value))


def _resolve(text: str, values: Mapping[str, str]) -> str:
    """Text with its variables replaced; those without a value stay."""

    def value(found: re.Match[str]) -> str:
        name, operator, word = found[1] or found[2], found[3], found[4] or ""
        given = values.get(name)
        if operator in {":+", "+"}:
            return word if given else ""
        if operator in {":-", "-"}:
            return given or word
        return found[0] if given is None else given

    for _ in range(_ROUNDS):
        resolved = _VARIABLE.sub(value, text)
        if resolved == text or len(resolved) > 1_000:  # noqa: PLR2004 - no reference is so long
            break
        text = resolved
    return text


# --- other instructions ---------------------------------------------------------------------------


def _instruction(
    text: Text, node: Node, stage: _Stage, values: Mapping[str, str], number: int
) -> None:
    """Add what an instruction says to its stage."""
    scope = stage.names[-1] if len(stage.names) > 1 else ""
    kind = node.type
    found: Iterator[Item] = iter(())
    if kind in {"env_instruction", "arg_instruction"}:
        found = _variables(text, node, scope)
        _declare(node, stage.values, values)
    elif kind in _RUNNING:
        found = (_placed(_filled(item, stage.values), stage) for item in _run(text, node, scope))
        if kind == "entrypoint_instruction":
            stage.entry, stage.given = _listed(text, node), []
        elif kind == "cmd_instruction":
            stage.given = _listed(text, node)
        for mount in of_type(node, "mount_param"):
            _source(text, mount, stage, values, _FROM_MOUNT.search(content(mount)))
    elif kind in _WRAPPING:
        for inner in node.children:
            if inner.type.endswith("_instruction"):
                _instruction(text, inner, stage, values, number)
    elif kind == "workdir_instruction":
        paths = [_unquoted(content(each)) for each in node.children if each.type == "path"]
        stage.folder = normpath(
            join(stage.folder, *(_resolve(each, stage.values) for each in paths))
        )
    elif kind in {"copy_instruction", "add_instruction"}:
        _copy(node, stage)
        for option in of_type(node, "param"):
            _source(text, option, stage, values, re.match(r"--from=(\S+)", content(option)))
        if kind == "add_instruction":
            found = _added(text, node, scope)
    stage.items += (replace(item, group=number) for item in found)


def _declare(node: Node, known: dict[str, str], before: Mapping[str, str]) -> None:
    """Take in what `ENV` and `ARG` set; an `ARG` without a default has that from before `FROM`."""
    for pair in of_type(node, "env_pair", "arg_pair"):
        words = [content(each) for each in pair.children if each.type != "="]
        if len(words) > 1:
            known[words[0]] = _resolve(_unquoted(words[1]), known)
        elif words and words[0] in before:
            known[words[0]] = _resolve(before[words[0]], before)


def _filled(item: Item, values: Mapping[str, str]) -> Item:
    """A package whose version is a variable, with the version that it is by default."""
    if item.kind != "dependency" or not isinstance(item.value, str) or "$" not in item.value:
        return item
    return replace(item, value=_resolve(item.value, values))


def _copy(node: Node, stage: _Stage) -> None:
    """Note where the whole folder of the file is copied to."""
    paths = [_unquoted(content(each)) for each in node.children if each.type == "path"]
    is_other = any(content(each).startswith("--from") for each in of_type(node, "param"))
    if len(paths) == _PAIR and normpath(paths[0]) == "." and not is_other:
        stage.tree = normpath(join(stage.folder, _resolve(paths[1], stage.values)))


def _placed(item: Item, stage: _Stage) -> Item:
    """A launch with the folder that it is run in, where that is one of the tree."""
    if item.kind != "launch" or not stage.tree or "$" in stage.folder:
        return item
    folder = relpath(stage.folder, stage.tree)
    if folder == "." or folder.startswith(".."):
        return item
    return replace(item, folder=normpath(join(folder, item.folder)))


def _added(text: Text, node: Node, scope: str) -> Iterator[Item]:
    """What `ADD` copies or downloads, as a command of that name."""
    words = [each for each in node.children if each.type == "path"]
    parts = tuple(Part(content(each), span(text, each)) for each in words)
    yield Item("command", "add", span(text, node), None, parts, scope)


def _source(
    text: Text, node: Node, stage: _Stage, values: Mapping[str, str], found: re.Match[str] | None
) -> None:
    """A stage or an image that something is copied or mounted from."""
    if not found:
        return
    name = _resolve(found.group(1), values)
    stage.unknown = stage.unknown or "$" in name
    stage.needs.add(name.lower())
    made = image(name, span(text, node)) if "/" in name else None
    if made:
        stage.items.append(made)


def _variables(text: Text, node: Node, scope: str) -> Iterator[Item]:
    """What `ENV`, and `ARG` with a default inside a stage, sets."""
    for pair in of_type(node, "env_pair", "arg_pair"):
        words = [each for each in pair.children if each.type != "="]
        if len(words) > 1 or pair.type == "env_pair":
            value = _unquoted(content(words[-1])) if len(words) > 1 else ""
            yield Item("env-var", content(words[0]), span(text, words[0]), value, scope=scope)


def _listed(text: Text, node: Node) -> list[Part]:
    """The words of an instruction that is a JSON list; of none that is shell code."""
    listed = child(node, "json_string_array")
    strings = of_type(listed, "json_string") if listed is not None else ()
    return [Part(_unescaped(content(each)), span(text, each)) for each in strings]


def _start_whole(stage: _Stage) -> None:
    """What a container starts by `ENTRYPOINT` and `CMD` together, instead of by each alone."""
    if not (stage.entry and stage.given):
        return
    first, rest = stage.entry[0].span, stage.given[0]
    if basename(rest.text) in SHELLS or LAUNCHERS.fullmatch(basename(rest.text)):
        return  # a program of its own, which the first one runs
    whole = list(started([*stage.entry, *stage.given], stage.values))
    if whole:
        is_own = any(each.span == first for each in stage.items)  # and not of the stage below
        place = first if is_own else rest.span
        others = [
            each
            for each in stage.items
            if each.kind != "launch" or each.span not in {first, rest.span}
        ]
        stage.items = [*others, *(_placed(replace(each, span=place), stage) for each in whole)]


def _run(text: Text, node: Node, scope: str) -> Iterator[Item]:
    listed = child(node, "json_string_array")
    if listed is not None:
        strings = [each for each in listed.children if each.type == "json_string"]
        parts = _listed(text, node)
        yield from arguments(parts, scope)
        for option, word in pairwise(strings):
            if _SCRIPT_OPTION.fullmatch(content(option)) and basename(parts[0].text) in SHELLS:
                yield from script(_code(text, word), scope)
                break
        return
    for command in of_type(node, "shell_command"):
        start = command.start_point
        yield from script(text.piece(start[0], text.column(start), _joined(command)), scope)
    if not _READS_HEREDOC.fullmatch(content(node).partition("\n")[0]):
        return
    for block in of_type(node, "heredoc_content"):
        row, column = block.start_point
        yield from script(text.piece(row, column, content(block)), scope)


def _code(text: Text, word: Node) -> Text:
    """A script that is a string of a JSON list."""
    raw = content(word)
    last = len(raw) - 1
    if _is_json(raw):
        found = _CHARACTER.finditer(raw, 1, last)
        kept = [(each.start(), _decoded(each.group())) for each in found]
    else:
        kept = list(enumerate(raw[1:last], start=1))
    start = word.start_point
    return mapped(text, (start[0], text.column(start)), raw, [*kept, (last, "")])


def _joined(command: Node) -> str:
    """A shell command in which comments and empty lines between its lines do not end it."""
    start = command.start_point
    lines = content(command).split("\n")
    for comment in of_type(command, "comment"):
        row, column = comment.start_point
        at = row - start[0]
        kept = lines[at].encode()[: column - (start[1] if row == start[0] else 0)]
        lines[at] = kept.decode("utf-8", "replace") + "\\"
    last = len(lines) - 1
    return "\n".join(
        "\\" if at < last and not line.strip() else line for at, line in enumerate(lines)
    )


def _unescaped(word: str) -> str:
    """A string of a JSON list; one that is not well-formed as it stands."""
    return _decoded(_unquoted(word)) if _is_json(word) else _unquoted(word)


def _is_json(word: str) -> bool:
    try:
        json.loads(word)
    except ValueError:
        return False
    return True


def _decoded(inside: str) -> str:
    """Characters of a JSON string; half of a pair of surrogates becomes a question mark."""
    if "\\" not in inside:
        return inside
    return str(json.loads(f'"{inside}"')).encode("utf-8", "replace").decode()


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    return word
