"""Reads notebooks: code cells as one Python text that knows where it stands, magics as shell.

Outputs and Markdown are silent. A line of the code is a line of the `.ipynb` file; a cell is named
by its id, or by its number among all cells where the format is too old for ids.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct, field
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.kinds import kind_by_name
from portaudit.read import shell
from portaudit.read.items import Document, Item, Part
from portaudit.read.launches import started
from portaudit.read.native import code as read_native
from portaudit.read.other import read as read_other
from portaudit.read.python.parse import Parsed, UnreadableError, parse
from portaudit.read.text import Text
from portaudit.read.tree import content, of_type
from portaudit.read.tree import parse as parse_tree
from portaudit.types import (
    NO_NATIVE,
    FileKind,
    Function,
    Kernel,
    Location,
    NativeFacts,
    Proof,
    ScanError,
    Span,
)

_COMMAND = re.compile(
    r"(?P<before>\s*(?:\w[\w, ]*=\s*)?)"
    r"(?:(?P<mark>!!|!|%)(?P<rest>(?:(?<=!)(?!=)|\s*[\w~./$\\{\"'-]).*))"
)
"""A line of IPython's own: `!command`, `files = !command`, `%magic`."""
_CELL_MAGIC = re.compile(r"\s*%%(\w+|!)(.*)")
_HELP = re.compile(r"\s*\??[\w.]+\?{1,2}\s*|\s*\?[\w.]+\s*")
_SHELLS = frozenset({"bash", "sh", "script", "system", "sx", "!"})
_PYTHON = frozenset(
    {"time", "timeit", "capture", "prun", "python", "python3", "py", "memit", "mprun", "skip"}
)
"""Magics whose cell is Python that runs."""
_NATIVE = frozenset({"cu", "cuda", "cuda_group_run", "cuda_run", "nvcc", "cuda_group_save"})
_SHELL_MAGICS = frozenset({"pip", "conda", "mamba", "uv", "sx", "system"})
_NVCC = (".cu", ".cuh")
_AVAILABLE = "torch.cuda.is_available()"
_SWITCH = re.compile(r"(\w+)\s*(?::\s*bool\s*)?=\s*(True|False)\s*(?:#.*)?")
_BLOCK = re.compile(
    r"\s*(?P<word>if|else|elif|for|while|with|try|except|finally|def|class)\b"
    r"(?:(?<=if)(?P<no>\s+not)?\s+(?P<name>\w+|torch\.cuda\.is_available\(\))\s*:)?"
)
"""A line that opens a block; of a switch, how it is asked for."""
_LETTER = re.compile(r"\\u[0-9a-fA-F]{4}|\\[^\n]|[\s\S]")
"""A character of a string in JSON, as it is written there."""
_HALF = re.compile("[\ud800-\udfff]")
_SIGN = re.compile(r"\\.?|#|\"\"\"|'''|[\"'()\[\]{}]")
"""What decides whether the next line begins a statement."""


class _Line(Struct):
    """A line of code: its text, its file's line, and the column of each of its characters there.

    The last of the columns is that of its end. `number` is the line's in its cell, from 1.
    """

    text: str
    line: int
    columns: tuple[int, ...]
    cell: str
    number: int = 0


class Lines(Struct, frozen=True):
    """Lines of cells, read as a text of their own: where in the file is what stands in it?"""

    path: str
    lines: tuple[_Line, ...] = ()

    def span(self, span: Span) -> Span:
        """A region of the text as one of the file."""
        return Span(
            *self._place(span.line, span.column), *self._place(span.end_line, span.end_column)
        )

    def line(self, number: int) -> int:
        """The file's line of a line of the text."""
        return self._place(number, 1)[0]

    def proof(self, proof: Proof | None) -> Proof | None:
        """A proof that may stand in the text."""
        if proof is None or proof.path != self.path:
            return proof
        return replace(proof, line=self.line(proof.line))

    def item(self, item: Item) -> Item:
        """An item of the text as one of the file."""
        return replace(
            item,
            span=self.span(item.span),
            parts=tuple(replace(part, span=self.span(part.span)) for part in item.parts),
            guard_by=self.proof(item.guard_by),
        )

    def kernel(self, kernel: Kernel) -> Kernel:
        """A kernel of the text as one of the file."""
        return replace(
            kernel,
            line=self.line(kernel.line),
            end_line=self.line(kernel.end_line),
            features=tuple(replace(each, line=self.line(each.line)) for each in kernel.features),
            launched_by=tuple(self._location(each) for each in kernel.launched_by),
            fallback=self._location(kernel.fallback) if kernel.fallback else None,
        )

    def facts(self, native: NativeFacts) -> NativeFacts:
        """What the text says of native code, with the lines of the file."""
        return NativeFacts(
            tuple(self._function(each) for each in native.functions),
            tuple(
                replace(each, binding=replace(each.binding, line=self.line(each.binding.line)))
                for each in native.bound
            ),
            tuple(self._function(each) for each in native.on_device),
            loose=native.loose,
            compiles=tuple(replace(each, line=self.line(each.line)) for each in native.compiles),
        )

    def _function(self, function: Function) -> Function:
        features = tuple(replace(each, line=self.line(each.line)) for each in function.features)
        return replace(function, line=self.line(function.line), features=features)

    def _location(self, location: Location) -> Location:
        own = location.path == self.path
        return replace(location, line=self.line(location.line)) if own else location

    def _place(self, number: int, column: int) -> tuple[int, int]:
        """The file's line and column; behind the last of either is its end."""
        if not self.lines:
            return number, column
        line = self.lines[min(number, len(self.lines)) - 1]
        beyond = number > len(self.lines) or column > len(line.columns)
        return line.line, line.columns[-1 if beyond else column - 1]


class Notebook(Lines, frozen=True):
    """The code of a notebook. `lines` are those of `code`, one by one.

    `items`, `kernels` and `native` are of what is not Python, where it stands in the file.
    """

    code: str = ""
    items: tuple[Item, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    native: NativeFacts = NO_NATIVE
    errors: tuple[ScanError, ...] = ()

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
        return replace(again, damage=(*damage, *again.damage)), frozenset(doubtful)

    def cell(self, number: int) -> tuple[str, str]:
        """The cell that a line of the code stands in: its name, and with the line in it."""
        if not 0 < number <= len(self.lines):
            return "", ""
        line = self.lines[number - 1]
        return line.cell, f"{line.cell}:{line.number}"

    def cell_at(self, span: Span) -> str:
        """The cell of a region of the file, with the line in it."""
        place = span.line, span.column
        return self.cell(bisect_right(self.lines, place, key=_start))[1]


def _start(line: _Line) -> tuple[int, int]:
    return line.line, line.columns[0]


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
        return Notebook(text.path, errors=errors or (ScanError(text.path, reason),))
    lines: list[_Line] = []
    others: list[Document] = []
    switches = _Switches(text.path)
    objects = (node for node in cells.named_children if node.type == "object")
    for number, cell in enumerate(objects, start=1):
        if _text_of(_member(cell, "cell_type")) == "code":
            name = _text_of(_member(cell, "id")) or f"cell-{number}"
            source = _lines(text, _member(cell, "source"), name)
            for row, line in enumerate(source, start=1):
                line.number = row
            others.append(_sorted_out(text, source, name, switches))
            lines += source
    code = "\n".join(line.text for line in lines) + "\n"
    return Notebook(
        text.path,
        tuple(lines),
        code,
        tuple(_grouped(others)),
        tuple(kernel for each in others for kernel in each.kernels),
        joined(*(each.native for each in others)),
        (*errors, *(error for each in others for error in each.errors)),
    )


def _grouped(documents: Sequence[Document]) -> Iterator[Item]:
    """The items of all cells: those of one are no siblings of another's."""
    above = 0
    for document in documents:
        yield from (replace(item, group=item.group + above) for item in document.items)
        above += 1 + max((item.group for item in document.items), default=0)


def joined(*facts: NativeFacts) -> NativeFacts:
    """What several pieces of a file say of native code."""
    return NativeFacts(
        tuple(function for each in facts for function in each.functions),
        tuple(bound for each in facts for bound in each.bound),
        tuple(function for each in facts for function in each.on_device),
        loose=tuple(name for each in facts for name in each.loose),
    )


def _member(node: Node | None, key: str) -> Node | None:
    """The value of a key of an object."""
    for pair in node.named_children if node is not None and node.type == "object" else ():
        name, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if name is not None and _text_of(name) == key:
            return value
    return None


def _text_of(node: Node | None) -> str:
    """What a string says; as it is written where that is no JSON."""
    if node is None or node.type != "string":
        return ""
    raw = content(node)
    try:
        return _HALF.sub("?", str(json.loads(raw, strict=False)))
    except ValueError:
        return raw.strip('"')


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
    line, column = text.place(node.start_point[0], text.column(node.start_point) + 1)
    shown: list[str] = []
    columns: list[int] = []
    for found in _LETTER.finditer(raw):
        piece = found.group()
        character = _unescaped(piece) if len(piece) > 1 else piece
        if character == "\n":
            yield _Line("".join(shown), line, (*columns, column + found.start()), cell)
            shown, columns = [], []
        else:
            shown.append(character)
            columns.extend([column + found.start()] * len(character))
        if piece == "\n":  # no JSON, but the file goes on below
            line, column = line + 1, -found.start()
    if shown or not raw.endswith(("\\n", "\n")):
        yield _Line("".join(shown), line, (*columns, column + len(raw)), cell)


def _unescaped(piece: str) -> str:
    """What an escape sequence stands for; half a character stays what it is written as."""
    try:
        shown = str(json.loads(f'"{piece}"'))
    except ValueError:
        return piece
    return _HALF.sub("?", shown)


# --- what is not Python ---------------------------------------------------------------------------


def _sorted_out(text: Text, lines: list[_Line], cell: str, switches: _Switches) -> Document:
    """Take what is not Python out of a cell, and read it as what it is."""
    first = next((index for index, line in enumerate(lines) if _says(line.text)), None)
    if first is None:
        return Document()
    magic = _CELL_MAGIC.fullmatch(lines[first].text)
    if magic and magic[1] not in _PYTHON:
        found = _of_magic(text, magic[1], magic[2], lines[first], lines[first + 1 :])
        for line in lines:
            line.text = ""
    else:
        if magic:
            lines[first].text = ""
        found = Document(tuple(_commands(text, lines, switches)))
    items = tuple(replace(item, scope=_scope(cell, item)) for item in found.items)
    return replace(found, items=items)


def _says(line: str) -> bool:
    """Whether a line is more than a comment, as which forms of Colab stand before a magic."""
    return not line.lstrip().startswith("#") and bool(line.strip())


def _scope(cell: str, item: Item) -> str:
    return f"{cell}.{item.scope}" if item.scope and item.kind != "config-key" else cell


def _of_magic(text: Text, name: str, rest: str, header: _Line, body: list[_Line]) -> Document:
    kind: FileKind | None = "shell" if name in _SHELLS else None
    file = rest.strip().rpartition(" ")[2]
    own: tuple[Item, ...] = ()
    if name in _NATIVE:
        own = (Item("command", f"%%{name}", _whole(header), None),)
        kind = "native"
    elif name in {"writefile", "file"}:
        kind = kind_by_name(file)
    if not kind or kind in {"python", "notebook"} or not body:
        return Document(own)
    piece, place = _piece(text, body), Lines(text.path, tuple(body))
    if kind == "native":
        nvcc = name in _NATIVE or file.lower().endswith(_NVCC)
        found = read_native(piece, nvcc=nvcc)
    else:
        found = read_other(kind, piece)
    return Document(
        (*own, *(place.item(item) for item in found.items)),
        tuple(place.kernel(kernel) for kernel in found.kernels),
        place.facts(found.native),
        tuple(replace(each, line=place.line(each.line or 1)) for each in found.errors),
    )


class _Switches(Struct):
    """What earlier lines set names to: `INSTALL = False  # @param`, and which blocks are open.

    `set_at`: the truth of a name with the line that says so; `None` where two lines differ.
    """

    path: str
    set_at: dict[str, tuple[bool, Proof] | None] = field(default_factory=dict)
    open: list[tuple[int, Proof | None]] = field(default_factory=list)
    """The indentation of each block that is open, and the proof that it does not run by default."""
    before: tuple[str, bool] | None = None
    """The condition of the `if` that an `else` would belong to."""

    def add(self, line: _Line) -> None:
        """Take a line of Python that begins a statement into account."""
        text = line.text.rstrip()
        if not text or text.lstrip().startswith("#"):
            return
        indent = len(text) - len(text.lstrip())
        while self.open and self.open[-1][0] >= indent:
            self.open.pop()
        proof = Proof(self.path, line.line, text.strip()[:200])
        said = _SWITCH.fullmatch(text)
        if said:
            new = said[1] not in self.set_at
            truth = said[2] == "True"
            kept = self.set_at.get(said[1])
            self.set_at[said[1]] = (truth, proof) if new or (kept and kept[0] == truth) else None
        asked = _BLOCK.match(text)
        if asked:
            self.open.append((indent, self._off(asked, proof)))

    def off(self, line: _Line) -> Proof | None:
        """Why a line does not run by default, if that is proved."""
        indent = len(line.text) - len(line.text.lstrip())
        while self.open and self.open[-1][0] >= indent:
            self.open.pop()
        return next((proof for _, proof in self.open if proof), None)

    def _off(self, asked: re.Match[str], proof: Proof) -> Proof | None:
        word, denied, name = asked["word"], bool(asked["no"]), asked["name"]
        if word == "else":
            before, self.before = self.before, None
            if before is None:
                return None
            name, denied = before[0], not before[1]
        elif not name:
            self.before = None
            return None
        else:
            self.before = name, denied
        if name == _AVAILABLE:
            return None if denied else proof
        known = self.set_at.get(name)
        return known[1] if known and known[0] == denied else None


class _Reach(Struct):
    """What the lines so far have left open: quotes, brackets, a line that a backslash continues."""

    quotes: str = ""
    depth: int = 0
    goes_on: bool = False

    def add(self, line: str) -> None:
        """Take a line of Python into account."""
        self.goes_on = False
        for found in _SIGN.finditer(line.rstrip()):
            sign = found.group()
            self.goes_on = sign == "\\"
            if self.quotes:
                if sign.startswith(self.quotes):
                    self.quotes = ""
            elif sign == "#":
                break
            elif sign[0] in "\"'":
                self.quotes = sign
            elif sign in "([{":
                self.depth += 1
            elif sign in ")]}":
                self.depth = max(0, self.depth - 1)
        if len(self.quotes) == 1 and not self.goes_on:
            self.quotes = ""

    def command(self, line: str) -> re.Match[str] | None:
        """The command or magic that the next line is.

        No line of Python begins with `!`, so that a bracket before it can only be a mistake.
        """
        found = None if self.quotes else _COMMAND.fullmatch(line)
        if found and found["mark"] == "%" and (found["before"].strip() or not self.is_over):
            return None
        return found

    @property
    def is_over(self) -> bool:
        """Whether the next line begins a statement."""
        return not (self.quotes or self.depth or self.goes_on)


def _commands(text: Text, lines: list[_Line], switches: _Switches) -> Iterator[Item]:
    """Lines for the shell and line magics; in their place stands nothing, or an empty list."""
    index = 0
    reach = _Reach()
    while index < len(lines):
        line = lines[index]
        found = reach.command(line.text)
        if not found:
            if reach.is_over and _HELP.fullmatch(line.text) and "?" in line.text:
                line.text = ""
            if reach.is_over:
                switches.add(line)
            reach.add(line.text)
            index += 1
            continue
        taken = [line]
        while taken[-1].text.rstrip().endswith("\\") and index + len(taken) < len(lines):
            taken.append(lines[index + len(taken)])
        indent = found["before"]
        start = len(line.text) - len(found["rest"])
        shown = [replace(each) for each in taken]
        shown[0].text, shown[0].columns = line.text[start:], line.columns[start:]
        made = _line_magic(text, shown) if found["mark"] == "%" else _script(text, shown)
        off = switches.off(line)
        for item in made:
            guarded = off and item.guard == "none"
            yield replace(item, guard="guarded", guard_by=off) if guarded else item
        for each in taken:
            each.text = ""
        blank = indent if indent.strip() else f"{indent}pass"
        line.text = f"{blank} []" if indent.strip() else blank
        index += len(taken)


def _line_magic(text: Text, lines: list[_Line]) -> Iterator[Item]:
    name, _, rest = lines[0].text.strip().partition(" ")
    if name in _SHELL_MAGICS:
        yield from _script(text, lines)
    elif name in {"env", "set_env"}:
        variable, _, value = rest.replace(" ", "=", 1).partition("=")
        if variable.isidentifier():
            yield Item("env-var", variable, _whole(lines[0]), value.strip())
    elif name == "run":
        yield from (replace(item, span=_whole(lines[0])) for item in _ran(rest))
    elif name == "load_ext":
        yield Item("command", f"%load_ext {rest.strip()}", _whole(lines[0]), None)


def _ran(rest: str) -> Iterator[Item]:
    """What `%run` starts: a file, or with `-m` a module."""
    nowhere = Span(0, 0, 0, 0)
    return started([Part(word, nowhere) for word in ("ipython", *rest.split())], {})


def _script(text: Text, lines: Iterable[_Line]) -> Iterator[Item]:
    place = Lines(text.path, tuple(lines))
    return (place.item(item) for item in shell.script(_piece(text, place.lines)))


def _piece(text: Text, lines: Iterable[_Line]) -> Text:
    """Lines of a cell as a text of their own, from line 1."""
    return Text(text.path, "\n".join(line.text for line in lines))


def _whole(line: _Line) -> Span:
    return Span(line.line, line.columns[0], line.line, line.columns[-1])
