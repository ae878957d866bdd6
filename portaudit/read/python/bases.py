"""Settings files that Python code names: what a config is put together from, what a program reads.

`_base_ = ["../base/model.py"]` of OpenMMLab, `@hydra.main(config_path=…, config_name=…)`, and every
string that is a path of a settings file, such as the default of an option.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from posixpath import dirname, relpath

import libcst as cst

from portaudit.marks import ANY_PART
from portaudit.read.python.nodes import descendants, last_name, last_part, string_value
from portaudit.read.python.spelled import spelled
from portaudit.read.python.values import Reader, argument
from portaudit.types import Import

_PATH = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*\.(?:yaml|yml|json|toml|gin)")
_ENDS = (".yaml", ".yml", ".json", ".toml", ".gin")
_CODE = re.compile(r"[\w.@-]+(?:/[\w.@-]+)+\.py")
_READING = frozenset({"fromfile", "merge_from_file", "load_config"})
_BASE = "_base_"


def bases(reader: Reader) -> Iterator[Import]:
    """The files, as paths from the folder of the file that names them."""
    usual = dict(_hydra(reader, ("hydra.main",)))
    found = dict((*_hydra(reader, ("hydra.compose",)), *_strings(reader), *_bases(reader)))
    for name, line in {**found, **usual}.items():
        yield Import(name, line, named=True, usual=name in usual)


def _bases(reader: Reader) -> Iterator[tuple[str, int]]:
    for binding in reader.model.root.bindings.get(_BASE, ()):
        for node in descendants(binding.value) if binding.value is not None else ():
            text = string_value(node) if isinstance(node, cst.SimpleString) else None
            if text and text[0]:
                yield text[0], reader.span(node).line


def _hydra(reader: Reader, saying: Collection[str]) -> Iterator[tuple[str, int]]:
    """The files that Hydra is told to begin with, by its decorator or by `compose`."""
    if b"hydra" not in reader.source.content:
        return
    called = [
        (call, reader.name(call.func))
        for call in reader.model.calls
        if last_name(call.func) in _SAYING
    ]
    folders = [
        folder
        for call, name in called
        if name in _BEGINNING
        for folder in _folders(reader, argument(call, (0, _BEGINNING[name])).value)
    ]
    for call, name in called:
        line = reader.span(call).line
        if name not in saying:
            continue
        if name == "hydra.main":
            given = argument(call, (0, "config_path")).value
            text = string_value(given) if given is not None else None
            around = [text[0]] if text else []
            yield from _placed(argument(call, (1, "config_name")).value, around, line)
        else:
            yield from _placed(argument(call, (0, "config_name")).value, folders, line)


_BEGINNING = {
    "hydra.initialize": "config_path",
    "hydra.initialize_config_dir": "config_dir",
    "hydra.initialize_config_module": "config_module",
}
"""Calls that say where Hydra finds its files, and by which argument."""
_SAYING = {"main", "compose", *(name.rpartition(".")[2] for name in _BEGINNING)}


def _folders(reader: Reader, node: cst.BaseExpression | None) -> Iterator[str]:
    """A folder from where the file lies, as far as a path or a module's name is known."""
    text = string_value(node) if isinstance(node, cst.SimpleString) else None
    if text is not None:
        yield text[0] if "/" in text[0] else text[0].replace(".", "/")
        return
    for full in spelled(reader, node) if node is not None else ():
        if full.startswith("/") and ANY_PART not in full:
            yield relpath(full, f"/{dirname(reader.source.path)}")


def _placed(
    node: cst.BaseExpression | None, folders: Iterable[str], line: int
) -> Iterator[tuple[str, int]]:
    """The file of a name in folders of settings, with its line."""
    name = string_value(node) if node is not None else None
    if name is not None and name[1]:
        file = name[0] if _PATH.fullmatch(name[0]) else f"{name[0]}.yaml"
        yield from ((f"{folder}/{file}" if folder else file, line) for folder in folders or ("",))


def _strings(reader: Reader) -> Iterator[tuple[str, int]]:
    for node in reader.model.strings:
        text = _end(node)
        if text.endswith(_ENDS):
            line = reader.span(node).line
            yield from ((path, line) for path in _paths(reader, node, text))
        elif _CODE.fullmatch(text) and _is_read(reader, node):
            yield text, reader.span(node).line


def _end(node: cst.BaseExpression) -> str:
    """A string, or what a formatted one ends with."""
    if isinstance(node, cst.FormattedString) and node.parts:
        last = node.parts[-1]
        return last.value if isinstance(last, cst.FormattedStringText) else ""
    return node.raw_value if isinstance(node, cst.SimpleString) else ""


def _paths(reader: Reader, node: cst.BaseExpression, text: str) -> Iterator[str]:
    """What is known of the path that a string ends: `join(ROOT, "conf", "a.json")`."""
    whole = _outermost(reader, node)
    known = False
    for full in spelled(reader, whole) if not isinstance(whole, cst.SimpleString) else ():
        path = full.removeprefix(f"{ANY_PART}/")
        if path.startswith("/"):  # from the root of the tree
            path = relpath(path, f"/{dirname(reader.source.path)}")
        if _PATH.fullmatch(path):
            known = True
            yield path
    if not known and isinstance(node, cst.SimpleString) and _PATH.fullmatch(text):
        yield text


def _outermost(reader: Reader, node: cst.CSTNode) -> cst.CSTNode:
    """The whole of the path that a string is the last part of."""
    parents = reader.model.parents
    while True:
        above = parents.get(node)
        call = parents.get(above) if isinstance(above, cst.Arg) else None
        if isinstance(above, cst.BinaryOperation) and above.right is node:
            is_path = isinstance(above.operator, (cst.Add, cst.Divide))
            outer: cst.CSTNode | None = above if is_path else None
        elif isinstance(call, cst.Call) and call.args[-1] is above:
            outer = call if _is_join(call) else None
        else:
            outer = None
        if outer is None:
            return node
        node = outer


def _is_join(call: cst.Call) -> bool:
    return last_part(call.func) in {"join", "joinpath"}


def _is_read(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a string is given to what reads settings, or is the default of an option."""
    parent = reader.model.parents.get(node)
    if not isinstance(parent, cst.Arg):
        return False
    call = reader.model.parents.get(parent)
    is_default = parent.keyword is not None and parent.keyword.value == "default"
    return is_default or (isinstance(call, cst.Call) and last_name(call.func) in _READING)
