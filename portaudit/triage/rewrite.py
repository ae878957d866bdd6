"""Writes the comments that accept findings into a file: bytes in, bytes out.

Only such comments are added or extended. Every place is chosen by the syntax of the file, and the
result is read again: what would change the code, or accept nothing, is refused.
"""

from __future__ import annotations

import ast
import codecs
import io
import json
import re
import tokenize
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace
from tree_sitter import Node

from portaudit.kinds import kind_by_name
from portaudit.read.directives import directives, unescaped
from portaudit.read.notebook import Notebook
from portaudit.read.notebook import read as read_notebook
from portaudit.read.statements import Statements
from portaudit.read.text import Text
from portaudit.read.tree import parse as parse_tree
from portaudit.types import Directive, FileKind, Finding, SourceFile

WIDTH = 100
"""Columns that a comment behind code may fill; a longer one stands above."""
_TAB = 4
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNS: Mapping[FileKind, tuple[str, str]] = {
    "native": ("// ", ""),
    "markdown": ("<!-- ", " -->"),
}
_ABOVE: frozenset[FileKind] = frozenset({"docker", "gin", "ini", "make", "markdown"})
"""Kinds in which a comment behind code is none, or part of a value."""
_GRAMMARS: Mapping[FileKind, str] = {
    "shell": "bash",
    "native": "cuda",
    "hcl": "hcl",
    "cmake": "cmake",
    "toml": "toml",
}
_INSIDE = re.compile(r"string|heredoc|comment|quoted|bracket_argument|template_literal")
"""Types of nodes in which a comment would be text."""
_WORDS = re.compile(r"portaudit\s*:\s*ignore\s*\[([^\[\]]*)\]", re.IGNORECASE)
_MAGIC = re.compile(r"\s*%%(\w+|!)\s*(.*)")
_SHELLS = frozenset({"bash", "sh", "script", "system", "sx", "!"})
_NO_COMMENT = "its format has no comments"
_NO_PLACE = "no comment can stand there"


class Rewritten(Struct, frozen=True):
    """A file with its new comments: their lines there, and the findings that got none, with why."""

    content: bytes
    comments: tuple[tuple[int, str], ...] = ()
    refused: tuple[tuple[Finding, str], ...] = ()


class _Edit(Struct, frozen=True):
    """Text that replaces some columns (from 0) of a line, or a row of its own above the line."""

    line: int
    start: int
    end: int
    text: str
    row: bool = False


class _Wanted(Struct, frozen=True):
    """Findings that one comment accepts: they stand in one statement."""

    findings: tuple[Finding, ...]
    edit: _Edit

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(item.rule for item in self.findings)


class RefusedError(Exception):
    """A comment cannot be written, and why."""


def accept(source: SourceFile, findings: Sequence[Finding], reason: str) -> Rewritten:
    """The file with comments that accept these findings of it, each with its lines."""
    file = _File.of(source)
    if file is None:
        return Rewritten(source.content, refused=tuple((each, _NO_COMMENT) for each in findings))
    wanted: list[_Wanted] = []
    refused: list[tuple[Finding, str]] = []
    joined: dict[Directive, list[Finding]] = defaultdict(list)
    for group in _grouped(file, findings):
        directive = _joinable(file, group, reason)
        if directive is not None:
            joined[directive] += group
            continue
        try:
            wanted.append(_Wanted(group, _added(file, group, reason)))
        except RefusedError as error:
            refused += ((each, str(error)) for each in group)
    for directive, items in joined.items():
        wanted.append(_Wanted(tuple(items), _merged(file, directive, items, reason)))
    try:
        content = file.changed([each.edit for each in wanted])
    except UnicodeEncodeError:
        why = f"the reason cannot be written in {file.encoding}"
        return Rewritten(source.content, refused=tuple((each, why) for each in findings))
    if _lost(source, content, wanted, reason):
        # One of them is in the way: each by itself then.
        kept: list[_Wanted] = []
        for each in wanted:
            tried = file.changed([other.edit for other in (*kept, each)])
            if _lost(source, tried, [*kept, each], reason):
                refused += ((finding, _NO_PLACE) for finding in each.findings)
            else:
                kept.append(each)
        wanted, content = kept, file.changed([each.edit for each in kept])
    return Rewritten(content, tuple(_comments(file, content, wanted)), tuple(refused))


# --- a file as lines ------------------------------------------------------------------------------


class _File(Struct, frozen=True, dict=True):
    """The text of a file: its lines, how each ends, and how it is written in bytes."""

    source: SourceFile
    encoding: str
    mark: bytes
    rows: tuple[str, ...]
    ends: tuple[str, ...]

    @classmethod
    def of(cls, source: SourceFile) -> _File | None:
        """A file that can be written; `None` for one whose format has no comments."""
        if source.kind == "json":
            return None
        content = source.content
        mark, encoding = next((each for each in _MARKS if content.startswith(each[0])), (b"", ""))
        encoding = encoding or "utf-8"
        if source.kind == "python" and not mark:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content[len(mark) :].decode(encoding, "surrogateescape")
        parts = re.split(r"(\r\n|\r|\n)", text)
        return cls(source, encoding, mark, tuple(parts[::2]), (*parts[1::2], ""))

    @property
    def kind(self) -> FileKind:
        return self.source.kind

    @cached_property
    def statements(self) -> Statements:
        return Statements(self.kind, self.rows)

    @cached_property
    def said(self) -> tuple[Directive, ...]:
        return tuple(each for each in directives(self.source) if each.lines)

    @cached_property
    def notebook(self) -> Notebook:
        return read_notebook(Text(self.source.path, "\n".join(self.rows)))

    @cached_property
    def tree(self) -> Node | None:
        grammar = _GRAMMARS.get(self.kind)
        text = Text(self.source.path, "\n".join(self.rows))
        return parse_tree(grammar, text).root_node if grammar else None

    @cached_property
    def free_ends(self) -> frozenset[int]:
        """Lines of Python behind which a comment may stand."""
        return frozenset(_free_ends(self.rows))

    def changed(self, edits: Iterable[_Edit]) -> bytes:
        """The bytes with these edits made. Raises `UnicodeEncodeError`."""
        rows, ends = list(self.rows), list(self.ends)
        for edit in sorted(edits, key=lambda each: (each.line, not each.row, each.start))[::-1]:
            at = edit.line - 1
            if edit.row:
                rows.insert(at, edit.text)
                ends.insert(at, ends[at] or (ends[at - 1] if at else "") or "\n")
            else:
                rows[at] = rows[at][: edit.start] + edit.text + rows[at][edit.end :]
        text = "".join(row + end for row, end in zip(rows, ends, strict=True))
        return self.mark + text.encode(self.encoding, "surrogateescape")


def _free_ends(rows: Sequence[str]) -> Iterator[int]:
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(rows) + "\n").readline):
            if token.type in {tokenize.NEWLINE, tokenize.NL}:
                yield token.start[0]
    except (tokenize.TokenError, SyntaxError):
        return


# --- where a comment goes -------------------------------------------------------------------------


def _grouped(file: _File, findings: Iterable[Finding]) -> Iterator[tuple[Finding, ...]]:
    """Findings by the statement that their comment is about, in the order of the file."""
    groups: dict[tuple[int, ...], list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda item: (item.span, item.rule)):
        key: tuple[int, ...] = file.statements.holder(finding.span.line)
        if file.kind == "notebook":
            key = _statement_of_cell(file, finding)
        groups[key].append(finding)
    return (tuple(group) for group in groups.values())


def _joinable(file: _File, group: Sequence[Finding], reason: str) -> Directive | None:
    """A comment that speaks for a statement already, and for the same reason or none."""
    for directive in file.said:
        speaks = directive.reason in {"", reason} and all(_meets(directive, one) for one in group)
        row = file.rows[directive.line - 1]
        if speaks and directive.words and _WORDS.search(row, directive.column - 1):
            return directive
    return None


def _added(file: _File, group: Sequence[Finding], reason: str) -> _Edit:
    """A comment that accepts the findings of one statement. Raises `RefusedError`."""
    rules = frozenset(item.rule for item in group)
    if file.kind == "notebook":
        return _in_cell(file, group[0], rules, reason)
    before, after = _SIGNS.get(file.kind, ("# ", ""))
    comment = f"{before}{_directive(rules, reason)}{after}"
    line = group[0].span.line
    first, last = file.statements.holder(line)
    for place in dict.fromkeys((line, last, first)):
        row = file.rows[place - 1]
        longer = f"{row}  {comment}"
        if _may_follow(file, place, first) and len(longer.expandtabs(_TAB)) <= WIDTH:
            return _Edit(place, len(row), len(row), f"  {comment}")
    if not _may_precede(file, first, reason):
        raise RefusedError(_NO_PLACE)
    indent = re.match(r"[ \t\f]*", file.rows[first - 1])
    # In a recipe of make an indented comment would be given to the shell, and shown.
    margin = indent.group() if indent and file.kind != "make" else ""
    return _Edit(first, 0, 0, margin + comment, row=True)


def _directive(rules: Iterable[str], reason: str) -> str:
    return f"portaudit: ignore[{','.join(sorted(rules))}] {reason}"


def _meets(directive: Directive, finding: Finding) -> bool:
    return any(finding.lines[0] <= line <= finding.lines[1] for line in directive.lines)


def _merged(file: _File, directive: Directive, findings: Sequence[Finding], reason: str) -> _Edit:
    """A comment that is there already, with more rules between its brackets, or with a reason."""
    row = file.rows[directive.line - 1]
    found = _WORDS.search(row, directive.column - 1)
    assert found is not None  # it was joinable
    rules = {item.rule for item in findings}
    words = [*directive.words, *sorted(rules.difference(directive.words))]
    added = "" if directive.reason else f" {_escaped(file, reason)}"
    text = f"{row[found.start() : found.start(1)]}{','.join(words)}]{added}"
    return _Edit(directive.line, found.start(), found.end(), text)


def _may_follow(file: _File, line: int, first: int) -> bool:
    """Whether a comment may stand at the end of a line, of a statement that begins at `first`."""
    row = file.rows[line - 1]
    if file.kind == "python":
        return line in file.free_ends
    if file.kind in _ABOVE or row.rstrip().endswith("\\"):
        return False
    if file.kind == "yaml":
        return line == first and not _goes_on(file, line)
    return not _is_inside(file, line, len(row))


def _goes_on(file: _File, line: int) -> bool:
    """Whether a line of YAML begins a text between quotes, or without any, that goes on below."""
    header = file.rows[line - 1].rstrip()
    begins = any(begin == line for begin, _ in file.statements.blocks)
    return begins and not re.search(r"[|>][-+0-9]*(?:\s+#.*)?$", header)


def _may_precede(file: _File, line: int, reason: str) -> bool:
    """Whether a comment of its own may stand above a line."""
    if file.kind == "markdown":
        return "-->" not in reason
    row = file.rows[line - 1]
    heredoc = file.kind == "docker" or _is_inside(file, line, 0, heredoc=True)
    if heredoc and re.search(r"[$`\\]", reason):
        return False  # where a here-document may be, these would mean something
    blank = len(row) - len(row.lstrip())
    inside = _is_inside(file, line, 0) and _is_inside(file, line, blank)
    return not inside or (file.kind == "shell" and heredoc)


def _is_inside(file: _File, line: int, column: int, *, heredoc: bool = False) -> bool:
    """Whether a place is inside a string, a comment that goes on below, or a here-document."""
    point = (line - 1, len(file.rows[line - 1][:column].encode("utf-8", "replace")))
    node = file.tree.descendant_for_point_range(point, point) if file.tree is not None else None
    while node is not None:
        within = node.start_point < point and node.end_point > point
        if within and (("heredoc" in node.type) if heredoc else _INSIDE.search(node.type)):
            return True
        node = node.parent
    return False


# --- notebooks ------------------------------------------------------------------------------------


class _Cell(Struct, frozen=True):
    """A cell: where it begins among the notebook's lines, its Python, and what it really holds."""

    above: int
    code: tuple[str, ...]
    raw: tuple[str, ...]


def _cell(file: _File, finding: Finding) -> tuple[_Cell, int]:
    """The cell of a finding, and the line in it, from 1."""
    lines = file.notebook.lines
    place = finding.span.line, finding.span.column
    at = max(0, bisect_right(lines, place, key=lambda line: (line.line, line.columns[0])) - 1)
    begin = end = at
    while begin and lines[begin - 1].cell == lines[at].cell:
        begin -= 1
    while end < len(lines) and lines[end].cell == lines[at].cell:
        end += 1
    own = lines[begin:end]
    raw = tuple(
        unescaped(file.rows[each.line - 1][each.columns[0] - 1 : each.columns[-1] - 1])
        for each in own
    )
    return _Cell(begin, tuple(each.text for each in own), raw), at - begin + 1


def _statement_of_cell(file: _File, finding: Finding) -> tuple[int, ...]:
    cell, line = _cell(file, finding)
    magic = cell.code[line - 1] != cell.raw[line - 1]
    found = Statements("shell" if magic else "python", cell.raw if magic else cell.code)
    return cell.above, *found.around(line)


def _in_cell(file: _File, finding: Finding, rules: frozenset[str], reason: str) -> _Edit:
    """A comment in a cell: behind a statement of Python, or above it."""
    cell, line = _cell(file, finding)
    _, first, last = _statement_of_cell(file, finding)
    sign = "# "
    if cell.code[line - 1] == cell.raw[line - 1]:
        free = frozenset(_free_ends(cell.code))
        for place in dict.fromkeys((line, last, first)):
            comment = f"  # {_directive(rules, reason)}"
            if place in free and len(cell.raw[place - 1] + comment) <= WIDTH:
                at = file.notebook.lines[cell.above + place - 1]
                column = at.columns[-1] - 1
                return _Edit(at.line, column, column, _escaped(file, comment))
    elif not any(cell.code):
        sign = _sign_of_magic(cell, first)
    indent = re.match(r"\s*", cell.raw[first - 1])
    comment = f"{indent.group() if indent else ''}{sign}{_directive(rules, reason)}\n"
    at = file.notebook.lines[cell.above + first - 1]
    row, column = file.rows[at.line - 1], at.columns[0] - 1
    margin = row[: column - 1]
    if row[column - 1] == '"' and not margin.strip():
        return _Edit(at.line, 0, 0, f'{margin}"{_escaped(file, comment)}",', row=True)
    return _Edit(at.line, column, column, _escaped(file, comment))


def _sign_of_magic(cell: _Cell, line: int) -> str:
    """What begins a comment in a cell that is not Python. Raises `RefusedError`."""
    header = next((number for number, row in enumerate(cell.raw, 1) if _MAGIC.match(row)), 0)
    found = _MAGIC.match(cell.raw[header - 1]) if header else None
    if found is None or line <= header:
        raise RefusedError(_NO_PLACE)
    if found[1] in _SHELLS:
        return "# "
    if found[1] not in {"writefile", "file"}:
        return "// "
    kind = kind_by_name(found[2].strip().rpartition(" ")[2])
    if kind in {None, "json", "notebook"} | _ABOVE:
        raise RefusedError(_NO_COMMENT)
    return _SIGNS.get(kind, ("# ", ""))[0] if kind else "# "


def _escaped(file: _File, text: str) -> str:
    """Text as the file would have it: in a notebook, as the inside of a string of JSON."""
    if file.kind != "notebook":
        return text
    return json.dumps(text, ensure_ascii=file.source.content.isascii())[1:-1]


# --- the result read again ------------------------------------------------------------------------


def _lost(source: SourceFile, content: bytes, wanted: Sequence[_Wanted], reason: str) -> bool:
    """Whether the new content says anything else, or does not accept what it should."""
    if source.kind == "python" and not _same_code(source.content, content):
        return True
    said = [each for each in directives(replace(source, content=content)) if each.reason == reason]
    rows = sorted(each.edit.line for each in wanted if each.edit.row)
    for each in wanted:
        for finding in each.findings:
            first, last = (line + bisect_right(rows, line) for line in finding.lines)
            if not any(
                finding.rule in directive.words
                and any(first <= line <= last for line in directive.lines)
                for directive in said
            ):
                return True
    return False


def _same_code(before: bytes, after: bytes) -> bool:
    try:
        tree = ast.parse(before)
    except (SyntaxError, ValueError, RecursionError):
        return True  # nobody knows what it says
    try:
        return ast.dump(tree) == ast.dump(ast.parse(after))
    except (SyntaxError, ValueError, RecursionError):
        return False


def _comments(file: _File, content: bytes, wanted: Sequence[_Wanted]) -> Iterator[tuple[int, str]]:
    """The lines that were written, as they are now."""
    rows = sorted(each.edit.line for each in wanted if each.edit.row)
    text = content[len(file.mark) :].decode(file.encoding, "replace")
    lines = re.split(r"\r\n|\r|\n", text)
    for each in sorted(wanted, key=lambda item: item.edit.line):
        line = each.edit.line + bisect_right(rows, each.edit.line) - each.edit.row
        yield line, lines[line - 1].strip()
