"""Files in which no rule can find anything, told by their words alone: before rules are loaded.

Every finding of a Python file hangs on a word that the file spells: the name of a library, of a
member or of a function, or a text. `match.triggers` derives those words from the rules. A file that
has none of them, and imports nothing of its own tree, has no finding; whatever is not sure is not
quiet, and read in full.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from portaudit.discover import Tree
from portaudit.types import Report

_LARGEST = 200_000
"""Bytes of a file that is looked at: in larger ones something could be too deep to judge."""
_DEEPEST = 60
"""Nodes inside nodes, far from where anything has trouble with them."""
_QUOTES = 8_000
"""Of a text of more pieces, each of which libcst has inside the next, something may be too deep."""
_ODD = re.compile(r"[\0\r\f\ufeff]")
_COOKIE = re.compile(r"[ \t]*#.*?coding[:=]")
_WORD = re.compile(r"\w+")
_PLAIN: frozenset[str] = frozenset(
    [
        *("Module", "FunctionDef", "AsyncFunctionDef", "ClassDef", "Return", "Delete", "Assign"),
        *("AugAssign", "AnnAssign", "For", "AsyncFor", "While", "If", "With", "AsyncWith", "Raise"),
        *("Try", "Assert", "Import", "ImportFrom", "Global", "Nonlocal", "Expr", "Pass", "Break"),
        *("Continue", "BoolOp", "NamedExpr", "BinOp", "UnaryOp", "Lambda", "IfExp", "Dict", "Set"),
        *("ListComp", "SetComp", "DictComp", "GeneratorExp", "Await", "Yield", "YieldFrom"),
        *("Compare", "Call", "FormattedValue", "JoinedStr", "Constant", "Attribute", "Subscript"),
        *("Starred", "Name", "List", "Tuple", "Slice", "comprehension", "ExceptHandler"),
        *("arguments", "arg", "keyword", "alias", "withitem", "Load", "Store", "Del"),
        *("And", "Or", "Add", "Sub", "Mult", "MatMult", "Div", "Mod", "Pow", "LShift", "RShift"),
        *("BitOr", "BitXor", "BitAnd", "FloorDiv", "Invert", "Not", "UAdd", "USub", "Eq", "NotEq"),
        *("Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn"),
    ]
)
"""Nodes of Python 3.8, which every parser knows."""
_KINDS = frozenset(getattr(ast, name) for name in _PLAIN)
_NAMED = ("id", "attr", "name", "asname", "arg", "module")
"""Fields of nodes that hold identifiers, or several with dots."""


class Words(Struct, frozen=True):
    """What a file must have for any rule to find something, all in lower case.

    `names`: identifiers, also inside texts · `parts`: of identifiers and texts · `members`: of
    something · `functions`: that are defined, with `beginnings` and `ends` of such · `texts`: whole
    ones · `shape`: of texts · `numbers` · `raw`: bytes of the file.
    """

    names: frozenset[str]
    parts: tuple[str, ...]
    members: frozenset[str]
    functions: frozenset[str]
    beginnings: tuple[str, ...]
    ends: tuple[str, ...]
    texts: frozenset[str]
    shape: str
    numbers: frozenset[float]
    raw: tuple[bytes, ...]


class Blank(Struct, frozen=True):
    """What there is to say where nothing was found: the report of some settings, and its rules.

    `ran`: their ids.
    """

    words: Words
    report: Report
    ran: tuple[str, ...]

    def of(self, tree: Tree) -> Report:
        """The report of a tree whose selected files are all quiet, and not all that there are."""
        number = len(tree.selected)
        return replace(
            self.report,
            partial=bool(tree.errors),
            errors=tuple(sorted(tree.errors, key=lambda item: (item.path, item.line or 0))),
            skipped=tuple(sorted(tree.skipped, key=lambda item: item.path)),
            coverage=replace(self.report.coverage, files_scanned=number, files_total=number),
        )


def module_names(tree: Tree) -> Callable[[str], bool]:
    """Whether a tree may have a module of a first name: anything in it that is called so."""
    paths = "\n".join(["", *tree.files])

    def known(name: str) -> bool:
        return name == tree.root.name or any(
            f"{before}{name}{after}" in paths for before in "\n/" for after in "/."
        )

    return known


class _Spelled(Struct):
    """What a file spells."""

    names: set[str]
    members: set[str]
    functions: set[str]
    texts: list[str]
    numbers: set[float]
    modules: set[str]


def is_quiet(content: bytes, words: Words, has_module: Callable[[str], bool]) -> bool:
    """Whether a Python file surely has no finding, no error and no comment that accepts one.

    `has_module`: whether the tree may have a module of that first name.
    """
    if len(content) > _LARGEST or sum(map(content.count, (b"'", b'"'))) > _QUOTES:
        return False
    if any(word in content.lower() for word in words.raw):
        return False
    parsed = _parsed(content)
    found = None if parsed is None else _spelled(parsed)
    if found is None or _speaks(found, words):
        return False
    return not any(map(has_module, found.modules))


def _parsed(content: bytes) -> ast.Module | None:
    """The file as Python reads it, if libcst would read it so."""
    try:
        text = content.decode()
        if _ODD.search(text) or any(map(_COOKIE.match, text.split("\n", 2)[:2])):
            return None
        if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _spelled(module: ast.Module) -> _Spelled | None:
    """What a file spells; None where a node is new, deep or leads to another file."""
    found = _Spelled(set(), set(), set(), [], set(), set())
    level: Sequence[ast.AST] = [module]
    for _ in range(_DEEPEST):
        below: list[ast.AST] = []
        for node in level:
            kind = type(node)
            if kind not in _KINDS:
                return None
            if kind is ast.Constant:
                _constant(found, node.value)  # type: ignore[attr-defined]
                continue
            if kind is ast.Expr and type(node.value) is ast.Constant:  # type: ignore[attr-defined]
                continue  # a docstring, which nothing reads
            if not _note(found, node):
                return None
            for name in kind._fields:
                value = getattr(node, name)
                if isinstance(value, list):
                    below += [each for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST):
                    below.append(value)
        if not below:
            return found
        level = below
    return None


def _constant(found: _Spelled, value: object) -> None:
    if isinstance(value, str):
        found.texts.append(value.lower())
    elif isinstance(value, (int, float)):
        found.numbers.add(value)


def _note(found: _Spelled, node: ast.AST) -> bool:
    """Take what a node names; false for one that libcst may read otherwise, or of another file."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        targets = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            if node.level or "*" in targets:
                return False
            targets = [node.module or ""]
        found.modules.update(target.partition(".")[0] for target in targets)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        if getattr(node, "type_params", None):
            return False
        found.functions.add(node.name.lower().strip("_"))
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        found.names.update(map(str.lower, node.names))
    elif isinstance(node, ast.Attribute):
        found.members.add(node.attr.lower())
    elif isinstance(node, ast.JoinedStr):
        return _is_old(node)
    elif isinstance(node, ast.BoolOp):
        return len(node.values) < _DEEPEST  # for libcst, each is inside the next
    for field in _NAMED:
        value = getattr(node, field, None)
        if isinstance(value, str):
            found.names.update(value.lower().split("."))
    return True


def _is_old(node: ast.JoinedStr) -> bool:
    """Whether a formatted string is spelled as before Python 3.12: no texts inside the braces."""
    return not any(
        isinstance(inner, ast.JoinedStr)
        or (isinstance(inner, ast.Constant) and isinstance(inner.value, (str, bytes)))
        for part in node.values
        if isinstance(part, ast.FormattedValue)
        for inner in ast.walk(part.value)
    )


def _speaks(found: _Spelled, words: Words) -> bool:
    """Whether a file spells any of the words."""
    texts = "\n".join(found.texts)
    spoken = found.names.union(_WORD.findall(texts.replace("-", "_")))
    everything = "\n".join([texts, *found.names])
    return not (
        words.names.isdisjoint(spoken)
        and words.members.isdisjoint(found.members)
        and words.functions.isdisjoint(found.functions)
        and words.texts.isdisjoint(found.texts)
        and words.numbers.isdisjoint(found.numbers)
        and not any(part in everything for part in words.parts)
        and not any(name.startswith(words.beginnings) for name in found.functions)
        and not any(name.endswith(words.ends) for name in found.functions)
        and not any(map(re.compile(words.shape, re.IGNORECASE).fullmatch, found.texts))
    )
