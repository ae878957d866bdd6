"""Reads notebooks: code cells as one Python text that knows where it stands, magics as shell.

Outputs and Markdown are silent. A line of the code is a line of the `.ipynb` file; a cell is named
by its id, or by its number among all cells where the format is too old for ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from tree_sitter import Node

from portaudit.kinds import kind_by_name
from portaudit.read import shell
from portaudit.read.items import Item
from portaudit.read.other import read as read_other
from portaudit.read.python.parse import Parsed, UnreadableError, parse
from portaudit.read.text import Text
from portaudit.read.tree import content, of_type
from portaudit.read.tree import parse as parse_tree
from portaudit.types import FileKind, Proof, ScanError, Span

_COMMAND = re.compile(
    r"(?P<before>\s*(?:[\w, ]+=\s*)?)(?P<mark>!!|!|%)(?P<rest>\s*[\w~./$\\{\"'-].*)"
)
"""A line of IPython's own: `!command`, `files = !command`, `%magic`."""
_CELL_MAGIC = re.compile(r"\s*%%(\w+)(.*)")
_HELP = re.compile(r"\s*\??[\w.]+\?{1,2}\s*|\s*\?[\w.]+\s*")
_SHELLS = frozenset({"bash", "sh", "script", "system", "sx", "!"})
_PYTHON = frozenset(
    {"time", "timeit", "capture", "prun", "python", "python3", "py", "memit", "mprun", "skip"}
)
"""Magics whose cell is Python that runs."""
_NATIVE = frozenset({"cu", "cuda", "cuda_group_run", "cuda_run", "nvcc", "cuda_group_save"})
_SHELL_MAGICS = frozenset({"pip", "conda", "mamba", "uv", "sx", "system"})
_SHORT = {"\\n": 2, "\\u": 6}


@dataclass
class _Line:
    """A line of code: its text, its file's line, and the column of each of its characters there.

    `number` is the line's in its cell, from 1.
    """

    text: str
    line: int
    columns: tuple[int, ...]
    cell: str
    number: int = 0


@dataclass(frozen=True)
class Notebook:
    """The code of a notebook. `lines` are those of `code`, one by one."""

    path: str
    code: str
    lines: tuple[_Line, ...] = ()
    items: tuple[Item, ...] = ()
    errors: tuple[ScanError, ...] = ()
    rows: dict[int, int] = field(default_factory=dict)
    """The line of the code of each line of the file; of several the first."""

    def parsed(self) -> tuple[Parsed, frozenset[str]]:
        """The code as a module, and the cells of which something could not be read.

        A cell that is no Python loses only itself: it is mended alone, the others stay whole.
        Raises `UnreadableError` if nothing can be read.
        """
        whole = parse(self.path, self.code.encode("utf-8", "replace"))
        if not whole.damage:
            return whole, frozenset()
        mended: list[str] = []
        damage: list[ScanError] = []
        doubtful: set[str] = set()
        for name, group in groupby(self.lines, lambda line: line.cell):
            above = len(mended)
            lines = [line.text for line in group]
            cell = _parse_cell(self.path, lines)
            if isinstance(cell, ScanError):
                lines = [""] * len(lines)
                damage.append(replace(cell, line=above + (cell.line or 1)))
            elif cell.damage:
                lines = cell.module.code.split("\n")[: len(lines)]
                damage += (replace(each, line=above + (each.line or 1)) for each in cell.damage)
            if lines != [line.text for line in self.lines[above : above + len(lines)]]:
                doubtful.add(name)
            mended += lines
        code = "\n".join(mended) + "\n"
        again = parse(self.path, code.encode("utf-8", "replace"))
        return Parsed(again.module, again.text, (*damage, *again.damage)), frozenset(doubtful)

    def span(self, span: Span) -> Span:
        """A region of the code as one of the file."""
        return Span(
            *self._place(span.line, span.column), *self._place(span.end_line, span.end_column)
        )

    def line(self, number: int) -> int:
        """The file's line of a line of the code."""
        return self._place(number, 1)[0]

    def cell(self, number: int) -> tuple[str, str]:
        """The cell that a line of the code stands in: its name, and with the line in it."""
        if not 0 < number <= len(self.lines):
            return "", ""
        line = self.lines[number - 1]
        return line.cell, f"{line.cell}:{line.number}"

    def proof(self, proof: Proof | None) -> Proof | None:
        """A proof that may stand in the code."""
        if proof is None or proof.path != self.path:
            return proof
        return replace(proof, line=self.line(proof.line))

    def _place(self, number: int, column: int) -> tuple[int, int]:
        if not 0 < number <= len(self.lines):
            return number, column
        line = self.lines[number - 1]
        if column <= len(line.columns):
            return line.line, line.columns[column - 1]
        last = line.columns[-1] if line.columns else 1
        return line.line, last + column - len(line.columns)


def _parse_cell(path: str, lines: Sequence[str]) -> Parsed | ScanError:
    try:
        return parse(path, ("\n".join(lines) + "\n").encode("utf-8", "replace"))
    except UnreadableError as error:
        return ScanError(path, str(error), 1)


def read(text: Text) -> Notebook:
    """Take a notebook apart. What is no notebook has no code, and says so in `errors`."""
    root = parse_tree("json", text).root_node
    cells = _member(next(iter(root.named_children), None), "cells")
    errors: tuple[ScanError, ...] = ()
    if root.has_error:
        row = next((node.start_point[0] for node in of_type(root, "ERROR")), 0)
        reason = "not valid JSON; what could be read of it was"
        errors = (ScanError(text.path, reason, row + 1),)
    if cells is None or cells.type != "array":
        reason = "no notebook of format 4: it has no list of cells"
        return Notebook(text.path, "", errors=errors or (ScanError(text.path, reason),))
    lines: list[_Line] = []
    items: list[Item] = []
    objects = (node for node in cells.named_children if node.type == "object")
    for number, cell in enumerate(objects, start=1):
        if _text_of(_member(cell, "cell_type")) == "code":
            name = _text_of(_member(cell, "id")) or f"cell-{number}"
            source = _lines(text, _member(cell, "source"), name)
            for row, line in enumerate(source, start=1):
                line.number = row
            items += _sorted_out(text, source, name)
            lines += source
    code = "\n".join(line.text for line in lines) + "\n"
    rows: dict[int, int] = {}
    for row, line in enumerate(lines, start=1):
        rows.setdefault(line.line, row)
    return Notebook(text.path, code, tuple(lines), tuple(items), errors, rows)


def _member(node: Node | None, key: str) -> Node | None:
    """The value of a key of an object."""
    for pair in node.named_children if node is not None and node.type == "object" else ():
        name, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if name is not None and _text_of(name) == key:
            return value
    return None


def _text_of(node: Node | None) -> str:
    if node is None or node.type != "string":
        return ""
    return str(json.loads(content(node), strict=False))


def _lines(text: Text, source: Node | None, cell: str) -> list[_Line]:
    """The lines of a cell: of a list of strings, or of one string with line feeds in it."""
    strings = source.named_children if source is not None and source.type == "array" else [source]
    found: list[_Line] = []
    for node in strings:
        if node is not None and node.type == "string":
            found.extend(_of_string(text, node, cell))
    return found


def _of_string(text: Text, node: Node, cell: str) -> Iterator[_Line]:
    raw = content(node)[1:-1]
    line, column = text.place(node.start_point[0], len(_before(text, node)) + 1)
    shown: list[str] = []
    columns: list[int] = []
    position = 0
    while position < len(raw):
        size = _SHORT.get(raw[position : position + 2], 2) if raw[position] == "\\" else 1
        piece = raw[position : position + size]
        character = _unescaped(piece) if size > 1 else piece
        if character == "\n":
            yield _Line("".join(shown), line, tuple(columns), cell)
            shown, columns = [], []
        else:
            shown.append(character)
            columns.extend([column + position] * len(character))
        position += size
    if shown or not raw.endswith("\\n"):
        yield _Line("".join(shown), line, tuple(columns), cell)


def _unescaped(piece: str) -> str:
    """What an escape sequence stands for; half a character stays what it is written as."""
    try:
        shown = str(json.loads(f'"{piece}"'))
    except ValueError:
        return piece
    return "?" if "\ud800" <= shown <= "\udfff" else shown


def _before(text: Text, node: Node) -> str:
    row, column = node.start_point
    return text.line_at(row).encode()[:column].decode("utf-8", "replace")


# --- what is not Python ---------------------------------------------------------------------------


def _sorted_out(text: Text, lines: list[_Line], cell: str) -> list[Item]:
    """Take what is not Python out of a cell, and read it as what it is."""
    first = next((index for index, line in enumerate(lines) if line.text.strip()), None)
    if first is None:
        return []
    magic = _CELL_MAGIC.fullmatch(lines[first].text)
    if magic and magic[1] not in _PYTHON:
        body = lines[first + 1 :]
        found = list(_of_magic(text, magic[1], magic[2], lines[first], body))
        for line in lines:
            line.text = ""
        return [replace(item, scope=_scope(cell, item)) for item in found]
    if magic:
        lines[first].text = ""
    return [replace(item, scope=_scope(cell, item)) for item in _commands(text, lines)]


def _scope(cell: str, item: Item) -> str:
    return f"{cell}.{item.scope}" if item.scope and item.kind != "config-key" else cell


def _of_magic(text: Text, name: str, rest: str, header: _Line, body: list[_Line]) -> Iterator[Item]:
    kind: FileKind | None = "shell" if name in _SHELLS else None
    if name in _NATIVE:
        yield Item("command", f"%%{name}", _whole(header), None)
        kind = "native"
    elif name in {"writefile", "file"}:
        kind = kind_by_name(rest.strip().rpartition(" ")[2])
    if kind and kind not in {"python", "notebook"} and body:
        yield from read_other(kind, _piece(text, body)).items


def _commands(text: Text, lines: list[_Line]) -> Iterator[Item]:
    """Lines for the shell and line magics; in their place stands nothing, or an empty list."""
    index = 0
    while index < len(lines):
        line = lines[index]
        found = _COMMAND.fullmatch(line.text)
        if not found or (found["mark"] == "%" and found["before"].strip()):
            if _HELP.fullmatch(line.text) and "?" in line.text:
                line.text = ""
            index += 1
            continue
        taken = [line]
        while taken[-1].text.rstrip().endswith("\\") and index + len(taken) < len(lines):
            taken.append(lines[index + len(taken)])
        indent = found["before"]
        start = len(line.text) - len(found["rest"])
        shown = [replace(each) for each in taken]
        shown[0].text, shown[0].columns = line.text[start:], line.columns[start:]
        if found["mark"] == "%":
            yield from _line_magic(text, shown)
        else:
            yield from shell.script(_piece(text, shown))
        for each in taken:
            each.text = ""
        blank = indent if indent.strip() else f"{indent}pass"
        line.text = f"{blank} []" if indent.strip() else blank
        index += len(taken)


def _line_magic(text: Text, lines: list[_Line]) -> Iterator[Item]:
    name, _, rest = lines[0].text.strip().partition(" ")
    if name in _SHELL_MAGICS:
        yield from shell.script(_piece(text, lines))
    elif name in {"env", "set_env"}:
        variable, _, value = rest.replace(" ", "=", 1).partition("=")
        if variable.isidentifier():
            yield Item("env-var", variable, _whole(lines[0]), value.strip())
    elif name == "load_ext":
        yield Item("command", f"%load_ext {rest.strip()}", _whole(lines[0]), None)


def _piece(text: Text, lines: list[_Line]) -> Text:
    """Lines of a cell as a text of their own; a column within a line counts from its first."""
    starts = tuple((line.line, line.columns[0] if line.columns else 1) for line in lines)
    return Text(text.path, "\n".join(line.text for line in lines), starts)


def _whole(line: _Line) -> Span:
    first = line.columns[0] if line.columns else 1
    last = line.columns[-1] + 1 if line.columns else 1
    return Span(line.line, first, line.line, last)
