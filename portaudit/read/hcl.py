"""Reads Terraform (HCL): every value by the blocks and keys that it stands under.

`resource "aws_instance" "node" { instance_type = "p5.48xlarge" }` reads
`resource.aws_instance.instance_type`. Of an expression the strings and numbers that it may come to
are given, each as a value of its key; what is only compared is not. Scripts in here-documents are
read as shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from portaudit.read.images import image, is_reference
from portaudit.read.items import Document, Item, Scalar
from portaudit.read.settings import resolve
from portaudit.read.shell import script
from portaudit.read.text import Text
from portaudit.read.tree import child, content, parse, span

_FORMS = ("terraform",)
_ENVIRONMENTS = frozenset({"environment", "environment_variables", "env", "env_vars", "variables"})
_LITERALS = frozenset({"string_lit", "numeric_lit", "bool_lit", "quoted_template"})
_TESTS = frozenset({"binary_operation", "unary_operation", "template_interpolation", "index"})
_WORDS = frozenset(
    {"identifier", "block_start", "block_end", "comment", "get_attr", "variable_expr"}
)
"""Nodes below which no value stands."""
_SCRIPT = re.compile(r"\s*#!.*sh\b")


@dataclass(frozen=True)
class _Place:
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
            place = place.below(*_titles(node), group=groups)
        elif node.type == "attribute":
            place = place.below(content(node.children[0]))
        elif node.type == "object":
            groups += 1
            place = replace(place, group=groups)
            items += _named_pairs(text, node, place)
        elif node.type == "object_elem":
            key, value = node.children[0], node.children[-1]
            name = content(key).strip('"()')
            if place.keys and place.keys[-1] in _ENVIRONMENTS:
                shown = content(value).strip('"')
                items.append(Item("env-var", name, span(text, key), shown, group=place.group))
            waiting.append((value, place.below(name)))
            continue
        elif node.type in _LITERALS:
            items += _value(text, node, place)
            continue
        elif node.type == "heredoc_template":
            items += _heredoc(text, node, place)
            continue
        elif node.type in _TESTS:
            continue
        below = node.named_children[1 if node.type == "conditional" else 0 :]
        waiting.extend((each, place) for each in reversed(below) if each.type not in _WORDS)
    return Document(tuple(items))


def _titles(block: Node) -> Iterator[str]:
    """A block's type and its first label, which is the type of a resource."""
    for each in block.children[:2]:
        if each.type in {"identifier", "string_lit"}:
            yield content(each).strip('"')


def _value(text: Text, node: Node, place: _Place) -> Iterator[Item]:
    if not place.keys or node.parent is None or node.parent.type == "block":
        return
    written, scope = content(node), ".".join(place.keys[:-1])
    value: Scalar = written.strip('"')
    if node.type == "bool_lit":
        value = written == "true"
    elif node.type == "numeric_lit":
        value = resolve(written)
    name, where = ".".join(place.keys), span(text, node)
    yield Item("config-key", name, where, value, (), scope, place.group, _FORMS)
    if isinstance(value, str) and "image" in place.keys[-1].lower() and is_reference(value):
        found = image(value, where, scope)
        if found:
            yield replace(found, group=place.group)


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
    body = child(node, "template_literal")
    first = node.children[1] if len(node.children) > 1 else None
    if body is None or first is None or not _SCRIPT.match(content(body)):
        return
    row = first.start_point[0] + 1
    last = node.children[-1].start_point[0]
    lines = "\n".join(text.line_at(each) for each in range(row, last))
    yield from script(text.piece(row, 0, lines), ".".join(place.keys))
