"""Settings files that Python code names: what a config is put together from, what a program reads.

`_base_ = ["../base/model.py"]` of OpenMMLab, `@hydra.main(config_path=…, config_name=…)`, and every
string that is a path of a settings file, such as the default of an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import dirname, relpath

import libcst as cst

from portaudit.marks import ANY_PART
from portaudit.read.python.nodes import descendants, last_name, string_value
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
    found = dict((*_hydra(reader), *_strings(reader), *_bases(reader)))
    return (Import(name, line, named=True) for name, line in found.items())


def _bases(reader: Reader) -> Iterator[tuple[str, int]]:
    for binding in reader.model.root.bindings.get(_BASE, ()):
        for node in descendants(binding.value) if binding.value is not None else ():
            text = string_value(node) if isinstance(node, cst.SimpleString) else None
            if text and text[0]:
                yield text[0], reader.span(node).line


def _hydra(reader: Reader) -> Iterator[tuple[str, int]]:
    for call in reader.model.calls:
        if last_name(call.func) != "main" or reader.name(call.func) != "hydra.main":
            continue
        folder, name = (
            string_value(given) if given is not None else None
            for given in (
                argument(call, (0, "config_path")).value,
                argument(call, (1, "config_name")).value,
            )
        )
        if name is not None and name[1]:
            file = name[0] if _PATH.fullmatch(name[0]) else f"{name[0]}.yaml"
            place = f"{folder[0]}/{file}" if folder and folder[0] else file
            yield place, reader.span(call).line


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
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else last_name(call.func)
    return name in {"join", "joinpath"}


def _is_read(reader: Reader, node: cst.CSTNode) -> bool:
    """Whether a string is given to what reads settings, or is the default of an option."""
    parent = reader.model.parents.get(node)
    if not isinstance(parent, cst.Arg):
        return False
    call = reader.model.parents.get(parent)
    is_default = parent.keyword is not None and parent.keyword.value == "default"
    return is_default or (isinstance(call, cst.Call) and last_name(call.func) in _READING)
