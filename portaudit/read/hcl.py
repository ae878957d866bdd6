"""Reads Terraform (HCL): every value by the blocks and keys that it stands under.

`resource "aws_instance" "node" { instance_type = "p5.48xlarge" }` reads
`resource.aws_instance.instance_type`. Of an expression the strings and numbers that it may come to
are given, each as a value of its key; what is only compared is not. A block is a setting too, with
`{}` as value. Scripts in here-documents and under keys that hold some are read as shell, YAML and
JSON in here-documents as what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.read import json, yaml
from portaudit.read.images import image, is_reference
from portaudit.read.items import MAPPING, Document, Item, Part, Scalar
from portaudit.read.scalars import resolve
from portaudit.read.settings import is_document, is_hosted
from portaudit.read.shell import arguments, script
from portaudit.read.text import Text
from portaudit.read.tree import content, parse, span
from portaudit.types import Span

_FORMS = ("terraform",)
_ENVIRONMENTS = frozenset({"environment", "environment_variables", "env", "env_vars", "variables"})
_LITERALS = frozenset({"string_lit", "numeric_lit", "bool_lit", "quoted_template"})
_TESTS = frozenset({"binary_operation", "unary_operation", "template_interpolation", "index"})
_WORDS = frozenset(
    {"identifier", "block_start", "block_end", "comment", "get_attr", "variable_expr"}
)
"""Nodes below which no value stands."""
_SCRIPT = re.compile(r"\s*#!.*sh\b")
_SCRIPTS = re.compile(
    r"command|inline|.*user_?data(?:_\w+)?|.*startup_?script|script|.*bootstrap\w*|runcmd|custom_data",
    re.IGNORECASE,
)
"""Keys of shell code, as a string or as a list of lines."""
_LINES = frozenset({"inline", "runcmd"})
"""Keys of lists of commands, of which one may be a single word."""
_WORDS_OF = frozenset({"command", "args", "entrypoint", "entryPoint", "container_arguments"})
"""Keys that hold a command word by word, if they hold a list."""
_INTERPOLATION = re.compile(r"\$\{[^{}]*\}")
_SILENT = frozenset({"condition", "error_message", "description"})
"""Attributes that choose nothing."""


class _Place(Struct, frozen=True):
    """The keys above, and the number of the mapping that they lead to."""

    keys: tuple[str, ...] = ()
    group: int = 0

    def below(self, *keys: str, group: int | None = None) -> _Place:
        return _Place((*self.keys, *keys), self.group if group is None else group)


def read(text: Text) -> Document:
    """A Terraform file as a document."""
    items: list[Item] = []
    groups = 0
    waiting: list[tuple[Node, _Place]] = [(parse("hcl", text).root_node, _Place())]
    while waiting:
        node, place = waiting.pop()
        if node.type == "block":
            groups += 1
            inside = _inside(node, place, groups)
            if place.keys and inside.keys != place.keys:
                where = span(text, node.children[0])
                items.append(_setting(inside.keys, where, MAPPING, place.keys, place.group))
            place = inside
        elif node.type == "attribute":
            key = content(node.children[0])
            if key in _SILENT:
                continue
            place = place.below(key)
            items += _listed_command(text, node, place)
        elif node.type == "object":
            groups += 1
            place = replace(place, group=groups)
            items += _named_pairs(text, node, place)
        elif node.type == "object_elem":
            first, value = node.children[0], node.children[-1]
            name = content(first).strip('"()')
            if place.keys and place.keys[-1] in _ENVIRONMENTS:
                shown = content(value).strip('"')
                items.append(Item("env-var", name, span(text, first), shown, group=place.group))
            place = place.below(name)
            items += _listed_command(text, node, place)
            waiting.append((value, place))
            continue
        elif node.type in _LITERALS:
            items += _value(text, node, place)
            continue
        elif node.type == "heredoc_template":
            found = [
                replace(each, group=each.group + groups) for each in _heredoc(text, node, place)
            ]
            groups = max((each.group for each in found), default=groups)
            items += found
            continue
        elif node.type in _TESTS:
            continue
        below = node.named_children[1 if node.type == "conditional" else 0 :]
        waiting.extend((each, place) for each in reversed(below) if each.type not in _WORDS)
    return Document(tuple(items))


def _inside(block: Node, place: _Place, group: int) -> _Place:
    """What stands in a block: below its type and its first label, the type of a resource.

    What a `dynamic` block makes several of is read as one such block.
    """
    titles = [
        content(each).strip('"')
        for each in block.children[:2]
        if each.type in {"identifier", "string_lit"}
    ]
    if titles[:1] == ["dynamic"]:
        titles = titles[1:]
    elif titles == ["content"]:
        titles = []
    return place.below(*titles, group=group)


def _setting(
    keys: Sequence[str], where: Span, value: Scalar, scope: Sequence[str], group: int
) -> Item:
    return Item("config-key", ".".join(keys), where, value, (), ".".join(scope), group, _FORMS)


def _value(text: Text, node: Node, place: _Place) -> Iterator[Item]:
    if not place.keys or node.parent is None or node.parent.type == "block":
        return
    written, scope = content(node), ".".join(place.keys[:-1])
    value: Scalar = written.strip('"')
    if node.type == "bool_lit":
        value = written == "true"
    elif node.type == "numeric_lit":
        value = resolve(written)
    where = span(text, node)
    yield _setting(place.keys, where, value, place.keys[:-1], place.group)
    if not isinstance(value, str):
        return
    if ("image" in place.keys[-1].lower() and is_reference(value)) or is_hosted(value):
        found = image(_INTERPOLATION.sub("$", value), where, scope)
        if found:
            yield replace(found, group=place.group)
    lines = place.keys[-1] in _LINES or re.search(r"\s", value)
    if lines and _SCRIPTS.fullmatch(place.keys[-1]):
        row, column = node.start_point[0], text.column(node.start_point) + 1
        shown = written[1:-1].replace("\\n", " ;").replace('\\"', ' "')
        yield from script(text.piece(row, column, shown), scope)


def _listed_command(text: Text, attribute: Node, place: _Place) -> Iterator[Item]:
    """A command whose words are a list."""
    listed = attribute.children[-1]
    while listed.type != "tuple" and len(listed.named_children) == 1:
        listed = listed.named_children[0]
    if place.keys[-1] not in _WORDS_OF or listed.type != "tuple":
        return
    strings = [each for each in listed.named_children if content(each).startswith('"')]
    parts = [Part(content(each).strip('"'), span(text, each)) for each in strings]
    if parts and not re.search(r"\s", parts[0].text):
        if parts[0].text.startswith("-"):
            parts.insert(0, Part("python", parts[0].span))
        yield from arguments(parts, ".".join(place.keys))


def _named_pairs(text: Text, node: Node, place: _Place) -> Iterator[Item]:
    """`{ name = "NCCL_DEBUG", value = "INFO" }` in a list of variables."""
    if not place.keys or place.keys[-1] not in _ENVIRONMENTS:
        return
    pairs = {
        content(each.children[0]).strip('"'): each.children[-1]
        for each in node.children
        if each.type == "object_elem"
    }
    name, value = pairs.get("name"), pairs.get("value")
    if name is not None and value is not None:
        shown = content(value).strip('"')
        yield Item("env-var", content(name).strip('"'), span(text, name), shown, group=place.group)


def _heredoc(text: Text, node: Node, place: _Place) -> Iterator[Item]:
    """A script or a document that is written into the file."""
    first = node.children[1] if len(node.children) > 1 else None
    if first is None:
        return
    row = first.start_point[0] + 1
    last = node.children[-1].start_point[0]
    lines = "\n".join(text.line_at(each) for each in range(row, last))
    inner = text.piece(row, 0, lines)
    key = place.keys[-1] if place.keys else ""
    if _SCRIPT.match(lines) or (_SCRIPTS.fullmatch(key) and not is_document(lines)):
        yield from script(inner, ".".join(place.keys))
    elif lines.lstrip()[:1] in {"{", "["}:
        yield from json.read(inner).items
    elif is_document(lines):
        yield from yaml.read(inner).items
