"""Reads JSON, with comments and trailing commas as settings files have them.

tree-sitter takes the text apart into tokens; they are put together here, as its own repair of a
damaged file drops what stands around the damage.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from msgspec import Struct
from tree_sitter import Node as Token

from portaudit.read.items import Document, Scalar
from portaudit.read.scalars import resolve
from portaudit.read.settings import Branch, Columns, Leaf, Listing, Node, settings
from portaudit.read.templates import mask
from portaudit.read.text import Text
from portaudit.read.tree import content, parse
from portaudit.types import ScanError

_CONSTANTS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None}
_OTHER_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})
"""Python writes and reads them, though they are no JSON."""
_DEEPEST = 200


def read(text: Text) -> Document:
    """A JSON file as a document. Several values one after the other are a document each."""
    masked, template = mask(text.text)
    shown = Text(text.path, masked, text.starts)
    builder = _Builder(shown)
    for token in _tokens(parse("json", shown).root_node):
        if not builder.takes(token):
            break
    items = tuple(settings(shown, builder.roots))
    row = builder.row_of_damage()
    if row is None or template:
        return Document(items)
    return Document(items, errors=(ScanError(text.path, "not valid JSON", text.place(row, 0)[0]),))


def tree(text: Text) -> Node | None:
    """The first value of a JSON file, as far as it can be read."""
    shown = Text(text.path, mask(text.text)[0], text.starts)
    builder = _Builder(shown)
    for token in _tokens(parse("json", shown).root_node):
        if not builder.takes(token):
            break
    return next(iter(builder.roots), None)


def _tokens(root: Token) -> Iterator[Token]:
    """The strings, words and signs of a tree, whatever the grammar made of them."""
    waiting = [root]
    while waiting:
        token = waiting.pop()
        if token.type == "comment" or token.start_byte == token.end_byte:
            continue
        if token.type in {"string", "number"} or not token.child_count:
            yield token
        else:
            waiting.extend(reversed(token.children))


class _Frame(Struct):
    """A collection that has not ended. In a mapping, `ready` after the colon behind `key`."""

    node: Branch | Listing
    key: Leaf | None = None
    ready: bool = False
    separated: bool = True


class _Builder:
    """Puts tokens together. A collection that is closed by the wrong sign ends all inside it."""

    def __init__(self, text: Text) -> None:
        self.columns = Columns(text)
        self.last_row = len(text.lines) - 1
        self.roots: list[Node] = []
        self.open: list[_Frame] = []
        self.damaged: int | None = None

    def takes(self, token: Token) -> bool:
        """Take in the next token; false for one too many levels."""
        sign, row = token.type, token.start_point[0]
        frame = self.open[-1] if self.open else None
        if sign in {"{", "["}:
            made = Branch() if sign == "{" else Listing()
            self._add(made, row)
            self.open.append(_Frame(made))
            if len(self.open) > _DEEPEST:
                self._damage(row)
                return False
        elif sign in {"}", "]"}:
            self._close(Branch if sign == "}" else Listing, row)
        elif sign == "," and frame:
            self._drop_key(frame, row)
            frame.separated = True
        elif sign == ":" and frame and frame.key and not frame.ready:
            frame.ready = True
        elif sign in {",", ":"}:
            self._damage(row)
        else:
            self._add(self._leaf(token), row)
        return True

    def row_of_damage(self) -> int | None:
        """Where the text first is not JSON: at its end if something was never closed."""
        return self.last_row if self.damaged is None and self.open else self.damaged

    def _add(self, node: Node, row: int) -> None:
        if not self.open:
            self.roots.append(node)
            return
        frame = self.open[-1]
        if not frame.separated:
            self._damage(row)
        if isinstance(frame.node, Listing):
            frame.node.elements.append(node)
            frame.separated = False
        elif frame.key is not None and frame.ready:
            frame.node.entries.append((frame.key, node))
            frame.key, frame.ready, frame.separated = None, False, False
        else:
            self._drop_key(frame, row)
            if isinstance(node, Leaf):
                frame.key = node
            else:
                self._damage(row)

    def _close(self, kind: type[Branch | Listing], row: int) -> None:
        fitting = [at for at, frame in enumerate(self.open) if isinstance(frame.node, kind)]
        if not fitting:
            self._damage(row)
            return
        if fitting[-1] != len(self.open) - 1:
            self._damage(row)
        self._drop_key(self.open[-1], row)
        del self.open[fitting[-1] :]

    def _drop_key(self, frame: _Frame, row: int) -> None:
        if frame.key is not None:
            self._damage(row)
            frame.key, frame.ready = None, False

    def _damage(self, row: int) -> None:
        if self.damaged is None:
            self.damaged = row

    def _leaf(self, token: Token) -> Leaf:
        raw = content(token)
        at = self.columns.region(token.start_point, token.end_point)
        if token.type != "string":
            value = _CONSTANTS.get(raw, resolve(raw) if token.type == "number" else None)
            if token.type == "ERROR" and raw not in _OTHER_NUMBERS:
                self._damage(token.start_point[0])
            return Leaf(raw, value, at)
        if "\\" not in raw:
            return Leaf(raw[1:-1], raw[1:-1], at, '"')
        try:  # half of a pair of surrogates is nothing that can be written: it becomes `?`
            text = str(json.loads(raw, strict=False)).encode("utf-8", "replace").decode()
        except ValueError:
            text = raw[1:-1]
            self._damage(token.start_point[0])
        return Leaf(text, text, at, '"', escaped=True)
