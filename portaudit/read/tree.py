"""tree-sitter: text -> syntax tree, in the grammars that portaudit knows. The only such place.

A tree is always made; what the grammar does not understand is in nodes of type `ERROR`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache

from tree_sitter import Language, Node, Parser, Tree

from portaudit.read.text import Text
from portaudit.types import Span


def parse(grammar: str, text: Text) -> Tree:
    """The tree of a text in the grammar of the package `tree_sitter_<grammar>`."""
    return _parser(grammar).parse(text.data)


def content(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def span(text: Text, node: Node) -> Span:
    """Where a node stands in the file."""
    return text.span(node.start_point, node.end_point)


def walk(node: Node, *, into: frozenset[str] | None = None) -> Iterator[Node]:
    """A node and all below it, in order. With `into`, only nodes of these types are entered."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if into is None or current is node or current.type in into:
            waiting.extend(reversed(current.children))


def of_type(node: Node, *types: str) -> Iterator[Node]:
    """The nodes of some types, a node itself and all below it, in order."""
    return (each for each in walk(node) if each.type in types)


def child(node: Node, *types: str) -> Node | None:
    """The first child of one of these types."""
    return next((each for each in node.children if each.type in types), None)


@cache
def _parser(grammar: str) -> Parser:
    return Parser(Language(importlib.import_module(f"tree_sitter_{grammar}").language()))
