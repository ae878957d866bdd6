"""Reads YAML: the events of libyaml's parser -> a tree per document -> settings.

Nothing is constructed: a tag is only a tag, and an alias stands for nothing, as what it means is
spelled at its anchor. Templates (Helm, Jinja) are read with their expressions masked.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence

import yaml

from portaudit.read.items import Document
from portaudit.read.scalars import resolve
from portaudit.read.settings import Branch, Leaf, Listing, Node, settings
from portaudit.read.templates import mask
from portaudit.read.text import Text
from portaudit.types import ScanError

_DEEPEST = 200
"""Collections in one another; libyaml's time grows with the square of it."""
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that YAML refuses, or that libyaml, but nobody else, takes for ends of lines."""
_BEGINS = re.compile(r"---(?:\s|$)")


def read(text: Text) -> Document:
    """A YAML file as a document."""
    masked, template = mask(allowed(text.text))
    shown = Text(text.path, masked, text.starts)
    errors: list[ScanError] = []
    items = tuple(settings(shown, _documents(shown, errors), text, documents))
    return Document(items, errors=() if template else tuple(errors))


def allowed(text: str) -> str:
    """A text with a blank for each character that would not be read, or count as a line."""
    return _FORBIDDEN.sub(" ", text)


def documents(text: Text) -> Iterator[Node]:
    """The documents of a text that stands in another file: damage of it is no error there."""
    return _documents(text, [])


def tree(text: Text) -> Node | None:
    """The first document of a YAML file, as far as it can be read."""
    shown = Text(text.path, mask(allowed(text.text))[0], text.starts)
    return next(_documents(shown, []), None)


def _documents(text: Text, errors: list[ScanError]) -> Iterator[Node]:
    """The root of each document, as far as it can be read. After damage the next is tried."""
    failed = yield from _parsed(text, text.text, 0, errors)
    if failed is None:
        return
    # one by one from here on, so that each is parsed once however many are damaged
    begins = [row for row, line in enumerate(text.lines) if row > failed and _BEGINS.match(line)]
    for begin, end in zip(begins, [*begins[1:], len(text.lines)], strict=False):
        yield from _parsed(text, "\n".join(text.lines[begin:end]), begin, errors)


def _parsed(
    text: Text, source: str, first: int, errors: list[ScanError]
) -> Generator[Node, None, int | None]:
    """The documents of YAML that begins at a row; returns the row of an error."""
    builder = _Builder(first, text.lines)
    row: int | None = None
    problem = ""
    try:
        for event in yaml.parse(source, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentEndEvent):
                yield from builder.finished()
            elif not builder.takes(event):
                row, problem = builder.region(event)[0], "nested too deeply"
                break
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        row, problem = first + (mark.line if mark else 0), error.problem or "cannot be parsed"
    yield from builder.finished()
    if row is not None:
        row = min(row, len(text.lines) - 1)
        errors.append(ScanError(text.path, f"not valid YAML: {problem}", text.place(row, 0)[0]))
    return row


class _Builder:
    """Makes a tree of events, without recursion."""

    def __init__(self, first: int, lines: Sequence[str]) -> None:
        self.first = first
        self.lines = lines
        self.root: Node | None = None
        self.key: Leaf | None = None
        self.open: list[tuple[Branch | Listing, Leaf | None]] = []
        """Collections that have not ended, each with what its end is the key of."""

    def takes(self, event: yaml.Event) -> bool:
        """Take in the next event; false for one too many levels."""
        if isinstance(event, yaml.ScalarEvent):
            leaf = self._leaf(event)
            if self._is_key():
                self.key = leaf
            else:
                self._add(leaf)
        elif isinstance(event, yaml.AliasEvent):
            self.key = self._leaf_at(event, "*") if self._is_key() else None
        elif isinstance(event, yaml.CollectionStartEvent):
            made = Branch() if isinstance(event, yaml.MappingStartEvent) else Listing()
            key = self._leaf_at(event, "?") if self._is_key() else None
            if key is None:
                self._add(made)
            self.open.append((made, key))
            return len(self.open) <= _DEEPEST
        elif isinstance(event, yaml.CollectionEndEvent):
            _, self.key = self.open.pop()
        return True

    def finished(self) -> Iterator[Node]:
        """The tree so far, whole or not; the next event begins another."""
        if self.root is not None:
            yield self.root
        self.root, self.key, self.open = None, None, []

    def _is_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1][0], Branch) and self.key is None

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        outer = self.open[-1][0]
        if isinstance(outer, Listing):
            outer.elements.append(node)
        elif self.key is not None:
            outer.entries.append((self.key, node))
            self.key = None

    def _leaf(self, event: yaml.ScalarEvent) -> Leaf:
        text = event.value
        plain = event.implicit[0] and not event.style
        leaf = self._leaf_at(event, text)
        leaf.value = resolve(text) if plain else text
        leaf.style = event.style or ""
        leaf.escaped = (leaf.style == '"' and len(text) != _width(leaf)) or (
            leaf.style == "'" and "'" in text
        )
        return leaf

    def _leaf_at(self, event: yaml.NodeEvent, text: str) -> Leaf:
        return Leaf(text, text, self.region(event))

    def region(self, event: yaml.Event) -> tuple[int, int, int, int]:
        """The rows and columns that an event fills."""
        start, end = event.start_mark, event.end_mark
        assert start is not None  # libyaml marks every event
        assert end is not None
        return *self._place(start.line, start.column), *self._place(end.line, end.column)

    def _place(self, line: int, column: int) -> tuple[int, int]:
        """A row and column; what is missing at the end of the text stands behind its last line."""
        row, last = self.first + line, len(self.lines) - 1
        return (row, column) if row <= last else (last, len(self.lines[last]))


def _width(leaf: Leaf) -> int:
    """Characters between the quotes of a scalar on one line; of others its own length."""
    row, column, end_row, end_column = leaf.at
    return end_column - column - 2 if row == end_row else len(leaf.text)
