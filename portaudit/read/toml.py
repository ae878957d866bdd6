"""Reads TOML: tree-sitter's tree -> a tree of tables -> settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tomli
from tree_sitter import Node as Token

from portaudit.read.items import Document, Scalar
from portaudit.read.scalars import resolve
from portaudit.read.settings import Branch, Columns, Leaf, Listing, Node, settings
from portaudit.read.templates import mask
from portaudit.read.text import Text
from portaudit.read.tree import child, content, parse, walk
from portaudit.types import ScanError

_TRUTHS: Mapping[str, Scalar] = {"true": True, "false": False}
_KEYS = ("bare_key", "quoted_key", "dotted_key")
_DEEPEST = 200
"""Tables in one another: what is in them is called by the names of all of them."""
_SIGNS = frozenset({"{", "}", "[", "]", ",", "=", "comment"})


def read(text: Text) -> Document:
    """A TOML file as a document."""
    masked, template = mask(text.text)
    shown = Text(text.path, masked, text.starts)
    root = parse("toml", shown).root_node
    reader = _Reader(shown)
    items = tuple(settings(shown, [reader.tables(root)]))
    if reader.too_deep is not None:
        line = text.place(reader.too_deep, 0)[0]
        return Document(items, errors=(ScanError(text.path, "nested too deeply", line),))
    if template or not root.has_error:
        return Document(items)
    wrong = next(each for each in walk(root) if each.is_error or _lacks(each))
    line = text.place(wrong.start_point[0], 0)[0]
    return Document(items, errors=(ScanError(text.path, "not valid TOML", line),))


def tree(text: Text) -> Branch:
    """A TOML file as a tree of tables; what could not be read is left out."""
    shown = Text(text.path, mask(text.text)[0], text.starts)
    return _Reader(shown).tables(parse("toml", shown).root_node)


def _lacks(token: Token) -> bool:
    """Whether something is missing right here; the grammar may not show what."""
    return token.has_error and not any(each.has_error for each in token.children)


class _Reader:
    """Makes the tables of one file."""

    def __init__(self, text: Text) -> None:
        self.columns = Columns(text)
        self.known: dict[int, dict[str, Node]] = {}
        """What each mapping has, by its identity and key."""
        self.levels: dict[int, int] = {}
        """How many mappings and lists each of them stands in, by identity."""
        self.too_deep: int | None = None
        """The first row in which something stands in too many."""

    def tables(self, root: Token) -> Branch:
        """The whole file as a mapping."""
        top = current = Branch()
        waiting = list(reversed(root.children))
        while waiting:
            token = waiting.pop()
            if token.type in {"table", "table_array_element"}:
                keys = self._keys(token)
                if token.type == "table_array_element":
                    current = self._element(top, keys)
                else:
                    current = self._inner(top, keys)
                waiting.extend(reversed(token.children))
            elif token.type == "pair":
                self._pair(current, token)
            elif token.is_error:
                waiting.extend(reversed(token.children))
        return top

    def _pair(self, table: Branch, pair: Token) -> None:
        """A key and its value, which may hold further ones."""
        waiting: list[tuple[Branch | Listing, Token]] = [(table, pair)]
        while waiting:
            outer, token = waiting.pop()
            if self.levels.get(id(outer), 0) > _DEEPEST:
                self._refuse(token)
                continue
            keys: Sequence[Leaf] = ()
            if token.type == "pair":
                keys = self._keys(token)
                values = [each for each in token.children[1:] if each.type not in {"=", "comment"}]
                if not keys or not values:
                    continue
                token = values[0]
            if token.type == "inline_table":
                node: Node = Branch()
            elif token.type == "array":
                node = Listing()
            else:
                node = self._leaf(token)
            if isinstance(outer, Listing):
                outer.elements.append(node)
                self.levels[id(node)] = self.levels.get(id(outer), 0) + 1
            elif keys:
                self._put(self._inner(outer, keys[:-1]), keys[-1], node)
            if not isinstance(node, Leaf):
                inner = [(node, each) for each in token.children if each.type not in _SIGNS]
                waiting.extend(reversed(inner))

    def _inner(self, table: Branch, keys: Sequence[Leaf]) -> Branch:
        """The table under some keys, made where there is none."""
        for key in keys:
            found = self.known.setdefault(id(table), {}).get(key.text)
            if isinstance(found, Listing) and found.elements:
                found = found.elements[-1]
            if not isinstance(found, Branch):
                found = Branch()
                self._put(table, key, found)
            table = found
        return table

    def _element(self, top: Branch, keys: Sequence[Leaf]) -> Branch:
        """A new element of the list of tables under some keys."""
        made = Branch()
        if keys:
            table = self._inner(top, keys[:-1])
            found = self.known.setdefault(id(table), {}).get(keys[-1].text)
            if not isinstance(found, Listing):
                found = Listing()
                self._put(table, keys[-1], found)
            found.elements.append(made)
        return made

    def _put(self, table: Branch, key: Leaf, node: Node) -> None:
        table.entries.append((key, node))
        self.levels[id(node)] = self.levels.get(id(table), 0) + 1
        self.known.setdefault(id(table), {})[key.text] = node

    def _keys(self, token: Token) -> list[Leaf]:
        """The keys of a pair or the name of a table, one by one."""
        named = child(token, *_KEYS)
        if named is None:
            return []
        found = []
        waiting = [named]
        while waiting:
            each = waiting.pop()
            if each.type == "dotted_key":
                waiting.extend(reversed(each.children))
            elif each.type in _KEYS:
                found.append(self._leaf(each))
        if len(found) > _DEEPEST:
            self._refuse(token)
            return []
        return found

    def _refuse(self, token: Token) -> None:
        if self.too_deep is None:
            self.too_deep = token.start_point[0]

    def _leaf(self, token: Token) -> Leaf:
        raw = content(token)
        at = self.columns.region(token.start_point, token.end_point)
        if token.type not in {"string", "quoted_key"}:
            if token.type in {"boolean", "integer", "float"}:
                return Leaf(raw, _TRUTHS.get(raw, resolve(raw)), at)
            return Leaf(raw, raw, at)
        quote = raw[:3] if raw[:3] in {'"""', "'''"} else raw[:1]
        text = raw[len(quote) : len(raw) - len(quote)]
        escaped = "\\" in text and quote[0] == '"'
        if escaped:
            try:
                text = str(tomli.loads(f"x = {raw}")["x"])
            except tomli.TOMLDecodeError:
                escaped = False
        return Leaf(text, text, at, quote, escaped)
