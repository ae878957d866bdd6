"""Native code as tokens: the leaves of tree-sitter's tree, without what is never compiled for CUDA.

The tree itself is of little use: macros and templates leave nodes of type `ERROR` in four of ten
`.cu` files, and a tree per branch of the preprocessor does not exist. Its leaves are right all the
same: which text is comment, string, name or sign. So structure is told from the leaves, in one way
for all code, and nothing is ever searched in text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field
from tree_sitter import TreeCursor

from portaudit.read.native.conditions import FAILS, HOLDS, Meaning, both, meaning, negated
from portaudit.read.text import Text
from portaudit.read.tree import parse
from portaudit.types import GuardState, Proof, Span

IF, ELSE, ENDIF = "#if", "#else", "#endif"
"""Marks between tokens: a conditional with compiled code begins, its next branch, its end."""
OPENING: dict[str, str] = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(OPENING.values())
_PAIRED = _CLOSING | OPENING.keys() | {IF, ELSE, ENDIF}
PASTE = "__PASTE__"
"""Stands for `##` in the body of a macro, so that what is pasted is one name."""
_MARKS = frozenset({IF, ELSE, ENDIF})
_QUOTES = frozenset(
    {'"', 'L"', 'u"', 'U"', 'u8"', 'R"', 'LR"', 'uR"', 'UR"', 'u8R"', "'", "L'", "u'", "U'", "u8'"}
)
SIGNS = frozenset(
    {
        *("(", ")", "[", "]", "{", "}", ";", ",", ":", "::", ".", "->", "&", "&&", "|", "||", "*"),
        *("+", "-", "/", "%", "=", "==", "!=", ">=", "<=", ">", "!", "~", "?", "++", "--", "+="),
    }
)
"""Tokens that are nothing but themselves; `<` may be a part of a launch."""
_DIGITS = frozenset("0123456789")
_LITERALS = frozenset({"string_literal", "raw_string_literal", "char_literal"})
_CONDITIONS = frozenset({"if", "ifdef", "ifndef"})
_OTHERWISE = frozenset({"elif", "elifdef", "elifndef", "else"})
_DIRECTIVE = re.compile(r"#\s*([A-Za-z_]\w*)[ \t]*(.*)", re.DOTALL)
_COMMENT = re.compile(
    r'//[^\n]*|/\*.*?(?:\*/|$)|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL
)
_PASTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|##|#[ \t]*(?P<told>[A-Za-z_]\w*)|[A-Za-z_]\w*|\d\w*')
"""The parts of a macro's body in which a parameter may stand, or may not."""
_MACRO = re.compile(r"([A-Za-z_]\w*)(\(([^)]*)\))?")
_HEADER = re.compile(r'[<"]([^>"\n]+)[>"]')
_STOPPING = frozenset({"#error", "AT_ERROR", "throw", "abort", "TORCH_CHECK_NOT_IMPLEMENTED"})
_CHECKS = frozenset({"TORCH_CHECK", "TORCH_INTERNAL_ASSERT", "assert", "AT_ASSERT", "AT_ASSERTM"})
_ASKING = frozenset({"is_cuda", "kCUDA", "CUDA", "is_gpu", "use_gpu", "use_cuda"})
_KEPT = 400
"""Words of a branch for builds without CUDA that are looked at."""
_BEFORE = 40
"""Words in front of a conditional that may ask for a CUDA tensor."""


class Branch(Struct, eq=False):
    """A branch of a conditional. `words`: of one that is not compiled for CUDA."""

    row: int
    means: Meaning
    asked: bool = False
    words: list[str] = field(default_factory=list)
    siblings: list[Branch] = field(default_factory=list)

    @property
    def needs_cuda(self) -> bool:
        """Whether it is compiled in builds for CUDA only."""
        return self.means.cuda is not False and self.means.host is False

    @property
    def guard(self) -> GuardState:
        """What the other branches make of a build without CUDA."""
        others = [
            each.words for each in self.siblings if each.means.host is not False and each.words
        ]
        if not others:
            return "guarded"
        if any(_stops(each) for each in others):
            return "guarded" if self.asked else "hard-fail"
        return "fallback"


def _stops(told: Sequence[str]) -> bool:
    if not _STOPPING.isdisjoint(told):
        return True
    checks = (at for at, word in enumerate(told) if word in _CHECKS)
    return any(told[at + 1 : at + 3] in (["(", "false"], ["(", "0"]) for at in checks)


Held = tuple[Branch, "Held | None"]
"""The innermost of the branches for CUDA only that hold at a place, and those around it."""


class Macro(Struct, frozen=True):
    """`#define name(parameters) body`; `parameters` is `None` without parentheses.

    `start`: where the directive begins · `body_at`: where its body does, both in bytes.
    """

    name: str
    parameters: tuple[str, ...] | None
    body: str
    start: int
    body_at: int
    end: int


class Header(Struct, frozen=True):
    """`#include`: what, and where that stands."""

    name: str
    start: int
    end: int


class Tokens(Struct, dict=True):
    """The tokens of a file that are compiled for CUDA. A string is one token, `"` and its text.

    `starts`: the byte where each begins · `regions`: from which byte on which branches hold.
    """

    text: Text
    words: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    macros: list[Macro] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    regions: list[tuple[int, Held | None]] = field(default_factory=lambda: [(0, None)])

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def matches(self) -> list[int]:
        """For every opening bracket the index of the one that closes it, else -1."""
        return _matches(self.words)

    @cached_property
    def _lines(self) -> list[int]:
        found = [0]
        found.extend(match.end() for match in re.finditer(b"\n", self.text.data))
        return found

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """All different tokens."""
        return frozenset(self.words)

    def all_of(self, names: Collection[str]) -> list[int]:
        """Where any of some tokens stand."""
        if self.vocabulary.isdisjoint(names):
            return []
        return [at for at, word in enumerate(self.words) if word in names]

    @cached_property
    def defined(self) -> dict[str, list[Macro]]:
        """Macros by name, in the order of the file."""
        found: dict[str, list[Macro]] = {}
        for each in self.macros:
            found.setdefault(each.name, []).append(each)
        return found

    def macro(self, name: str, byte: int) -> Macro:
        """The macro of a name that is defined last before a byte, or else first."""
        known = self.defined[name]
        return next((each for each in reversed(known) if each.start < byte), known[0])

    def point(self, byte: int) -> tuple[int, int]:
        """Row and column, in bytes from 0, of a byte."""
        row = bisect_right(self._lines, byte) - 1
        return row, byte - self._lines[row]

    def span(self, start: int, end: int) -> Span:
        """The region between two bytes."""
        return self.text.span(self.point(start), self.point(end))

    def rows(self, start: int, end: int) -> set[int]:
        """The file's lines on which the tokens from one index up to another stand."""
        found: set[int] = set()
        lines, starts = self._lines, self.starts
        row = next_row = -1
        for at in range(start, min(end, len(starts))):
            if starts[at] >= next_row and self.words[at] not in _MARKS:
                row = bisect_right(lines, starts[at]) - 1
                next_row = lines[row + 1] if row + 1 < len(lines) else len(self.text.data) + 1
                found.add(self.text.place(row, 0)[0])
        return found

    def line(self, byte: int) -> int:
        """The file's line of a byte."""
        return self.text.place(self.point(byte)[0], 0)[0]

    def line_of(self, token: int) -> int:
        """The file's line of a token."""
        return self.line(self.starts[min(token, len(self.starts) - 1)])

    def end(self, token: int) -> int:
        """The byte after a token that is no string."""
        return self.starts[token] + len(self.words[token])

    def on_line(self, word: str, start: int, row: int) -> tuple[int, int]:
        """Where a word begins on the line some rows below that of a byte, and where that ends.

        Where the line itself begins if the word is not on it.
        """
        row += self.point(start)[0]
        begin, data = self._lines[row], self.text.data
        end = self._lines[row + 1] - 1 if row + 1 < len(self._lines) else len(data)
        return max(begin, data.find(word.encode(), begin, end)), end

    def source(self, start: int, end: int) -> str:
        """Tokens from one index up to another as text, on one line and without comments."""
        if start >= end:
            return ""
        last = self.starts[end] if end < len(self.starts) else len(self.text.data)
        code = self.text.data[self.starts[start] : last].decode("utf-8", "replace")
        return _plain(code)

    def guard(self, byte: int, *, kernel: bool = False) -> tuple[GuardState, Proof | None]:
        """The innermost proof that code runs in builds for CUDA only.

        That nvcc compiles it is none for a kernel, which nothing else could compile.
        """
        if not self._bounds:
            return "none", None
        held = self.regions[bisect_right(self._bounds, byte) - 1][1]
        while held is not None:
            each, held = held
            if not (kernel and each.means.compiler):
                return each.guard, self.text.proof(each.row)
        return "none", None

    @cached_property
    def _bounds(self) -> list[int]:
        """Where regions begin; empty if nothing is proved anywhere."""
        if not any(held for _, held in self.regions):
            return []
        return [start for start, _ in self.regions]


def tokens(text: Text, *, nvcc: bool = False) -> Tokens:
    """The tokens of native code. `nvcc`: only nvcc compiles this file."""
    return _Lexer(text, nvcc=nvcc).run()


def body(tokens_of: Tokens, macro: Macro) -> Tokens:
    """The tokens of a macro's body; places count from the macro's own line."""
    code = _blanked(macro.body).replace("\\\n", " \n")
    code = re.sub(r"\s*##\s*", PASTE, code)
    code = re.sub(r"#\s*(\w+)", r'"\1"', code)
    row = tokens_of.point(macro.body_at)[0]
    return tokens(tokens_of.text.piece(row, 0, code))


def expanded(tokens_of: Tokens, macro: Macro, arguments: Sequence[str]) -> Tokens:
    """The tokens that a macro stands for where it is given some arguments."""
    names = macro.parameters or ()
    given = dict(zip(names, arguments, strict=False))
    if names and names[-1].endswith("..."):
        name = names[-1].removesuffix("...") or "__VA_ARGS__"
        given[name] = ", ".join(arguments[len(names) - 1 :])
    code = _blanked(macro.body).replace("\\\n", " \n")
    code = _PASTED.sub(lambda found: _given(found, given), code)
    row = tokens_of.point(macro.body_at)[0]
    return tokens(tokens_of.text.piece(row, 0, re.sub(r"\s*##\s*", "", code)))


def _given(found: re.Match[str], given: Mapping[str, str]) -> str:
    """What a part of a macro's body becomes: a parameter its argument, `#parameter` a string."""
    name = found["told"]
    if name is not None:
        return f'"{given[name]}"' if name in given else found[0]
    return given.get(found[0], found[0])


class _Lexer:
    """One pass over the leaves."""

    def __init__(self, text: Text, *, nvcc: bool) -> None:
        self.found = Tokens(text)
        self.nvcc = nvcc
        self.flat = text.data.decode("latin-1")
        self.stack: list[_Conditional] = []
        self.held: Held | None = None
        self.told: list[str] | None = None
        self.skip = 0

    @property
    def dead(self) -> bool:
        """Whether the current code is not compiled for CUDA."""
        return self.told is not None

    def run(self) -> Tokens:
        cursor = parse("cuda", self.found.text).walk()
        down, across, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
        flat, words, starts = self.flat, self.found.words, self.found.starts
        skip, dead = self.skip, self.dead
        while True:
            if down():
                continue
            node = cursor.node
            assert node is not None
            start, end = node.start_byte, node.end_byte
            if skip <= start < end:
                word = flat[start:end]
                if not dead and (word in SIGNS or word.isidentifier() or word[0] in _DIGITS):
                    words.append(word)
                    starts.append(start)
                elif word[0] != "/" or word in {"/", "/="}:
                    self._other_token(cursor, word, start)
                    skip, dead = self.skip, self.dead
            while not across():
                if not up():
                    return self.found

    def _other_token(self, cursor: TreeCursor, word: str, start: int) -> None:
        """A literal, a directive, a comment, a part of `<<<`, or characters that are no token."""
        words, starts = self.found.words, self.found.starts
        if word in _QUOTES:
            self._keep(self._literal(cursor, start), start)
        elif word[0] == "#":
            self._directive(start)
        elif cursor.node and cursor.node.type != "ERROR":
            if word in {"<", "<<"} and (lost := _before_launch(words, starts, start, word)):
                start, word = starts[-lost], "<<<"
                del words[-lost:], starts[-lost:]
            self._keep(word, start)

    def _keep(self, word: str, start: int) -> None:
        if not self._drop(word):
            self.found.words.append(word)
            self.found.starts.append(start)

    def _drop(self, word: str) -> bool:
        """Remember what stands in a branch for builds without CUDA; false outside of them."""
        if self.told is None:
            return False
        if len(self.told) < _KEPT:
            self.told.append(word)
        return True

    def _literal(self, cursor: TreeCursor, start: int) -> str:
        """A string as one token, the cursor then on its node; a stray quote is an empty one.

        A cursor's copy would be plainer, but crashes (py-tree-sitter 0.26).
        """
        node = cursor.node if cursor.goto_parent() else None
        if node is None or node.type not in _LITERALS or node.start_byte != start:
            cursor.goto_first_child_for_byte(start)
            return "''"
        text = self.flat[start : node.end_byte]
        if node.type == "char_literal":
            return "''"
        inner = text[text.index('"') + 1 :].removesuffix('"')
        if node.type == "raw_string_literal":
            inner = inner.partition("(")[2].rpartition(")")[0]
        return f'"{inner}'

    # --- the preprocessor ---

    def _directive(self, start: int) -> None:
        line = self.flat.rfind("\n", 0, start) + 1
        if self.flat[line:start].strip():
            return  # inside something else
        end = _logical_end(self.flat, start)
        self.skip = end + 1
        match = _DIRECTIVE.match(self.flat[start:end])
        if not match:
            return
        keyword, rest = match[1], match[2]
        if keyword in _CONDITIONS:
            self._open(keyword, _plain(rest), start)
        elif keyword in _OTHERWISE:
            self._other(keyword, _plain(rest), start)
        elif keyword == "endif":
            self._close(self.skip)
        elif self._drop(f"#{keyword}"):
            return
        elif keyword == "define":
            self._define(start, start + match.start(2), rest, end)
        elif keyword in {"include", "include_next", "import"}:
            header = _HEADER.match(rest)
            if header:
                at = start + match.start(2)
                name = header[1].encode("latin-1").decode("utf-8", "replace")
                self.found.headers.append(Header(name, at, at + header.end()))

    def _define(self, start: int, at: int, rest: str, end: int) -> None:
        head = _MACRO.match(rest)
        if head:
            given = None if head[2] is None else tuple(_plain(head[3]).replace(" ", "").split(","))
            text = rest[head.end() :]
            self.found.macros.append(Macro(head[1], given, text, start, at + head.end(), end))

    def _open(self, keyword: str, text: str, start: int) -> None:
        asked = not _ASKING.isdisjoint(self.found.words[-_BEFORE:])
        means = meaning(keyword, text, nvcc=self.nvcc)
        branch = Branch(self._row(start), means, asked)
        self.stack.append(_Conditional(branch, self.held, self.told, negated(means)))
        self._enter(start)

    def _other(self, keyword: str, text: str, start: int) -> None:
        if not self.stack:
            return
        current = self.stack[-1]
        own = HOLDS if keyword == "else" else meaning(keyword, text, nvcc=self.nvcc)
        current.turn(Branch(self._row(start), both(current.rest, own), current.branch.asked))
        current.rest = both(current.rest, negated(own))
        self._enter(start)

    def _close(self, end: int) -> None:
        if not self.stack:
            return
        closed = self.stack.pop()
        closed.turn(closed.branch)
        self.held, self.told = closed.held, closed.told
        if closed.live:
            self._mark(ENDIF, end)
        self.found.regions.append((end, self.held))

    def _enter(self, start: int) -> None:
        """Go on in the current branch: compiled for CUDA or not."""
        current = self.stack[-1]
        branch = current.branch
        self.held = (branch, current.held) if branch.needs_cuda else current.held
        self.told = current.told
        if self.told is None and branch.means.cuda is False:
            self.told = branch.words
        if not self.dead:
            self._mark(ELSE if current.live else IF, start)
            current.live = True
        self.found.regions.append((start, self.held))

    def _mark(self, word: str, start: int) -> None:
        self.found.words.append(word)
        self.found.starts.append(start)

    def _row(self, start: int) -> int:
        return self.found.point(start)[0]


class _Conditional(Struct, eq=False):
    """A conditional while it is read. `rest`: that no branch so far was taken.

    `held` and `told`: the lexer's around it, which hold again behind its end.
    """

    branch: Branch
    held: Held | None
    told: list[str] | None
    rest: Meaning = FAILS
    live: bool = False
    branches: list[Branch] = field(default_factory=list)

    def turn(self, branch: Branch) -> None:
        """Finish the current branch and begin another, or the end."""
        self.branches.append(self.branch)
        self.branch.siblings = self.branches
        self.branch = branch


def _before_launch(words: list[str], starts: list[int], start: int, word: str) -> int:
    """How many signs a sign completes to `<<<`, which the grammar breaks up where it is lost."""
    count, length = 0, len(word)
    while (
        count < len(words)
        and words[-count - 1] in {"<", "<<"}
        and starts[-count - 1] + len(words[-count - 1]) == start
    ):
        start = starts[-count - 1]
        length += len(words[-count - 1])
        count += 1
    return count if length == len("<<<") else 0


def _logical_end(flat: str, start: int) -> int:
    """The line feed that ends a directive, behind all lines that it goes on to."""
    end = flat.find("\n", start)
    while end > 0 and flat[end - 1] == "\\":
        end = flat.find("\n", end + 1)
    return len(flat) if end < 0 else end


def _blanked(code: str) -> str:
    """Code with its comments blanked out, everything else where it was."""
    if "/" not in code:
        return code
    return _COMMENT.sub(
        lambda found: (
            re.sub(r"[^\n\\]|\\(?!\n)", " ", found[0]) if found[0][0] == "/" else found[0]
        ),
        code,
    )


def _plain(text: str) -> str:
    """A directive's text on one line, without comments."""
    return " ".join(_blanked(text).replace("\\\n", " ").split())


_Open = tuple[int, "_Open | None"]
"""An open bracket, and the one that it stands in."""


def _matches(words: Sequence[str]) -> list[int]:
    """Pairs of brackets. Of the branches of a conditional, the first decides what stays open."""
    found = [-1] * len(words)
    inner: _Open | None = None
    saved: list[tuple[_Open | None, tuple[_Open | None] | None, int]] = []
    for at in [number for number, word in enumerate(words) if word in _PAIRED]:
        word = words[at]
        if word in OPENING:
            inner = (at, inner)
        elif word in _CLOSING:
            if inner is not None and OPENING[words[inner[0]]] == word:
                found[inner[0]] = at
                inner = inner[1]
            elif word == "}":
                inner = _close(words, found, inner, at)
        elif word == IF:
            saved.append((inner, None, at))
        elif word == ELSE and saved:
            before, after, start = saved[-1]
            _give_up(found, inner, start, at if after else -1)
            saved[-1] = before, after or (inner,), at
            inner = before
        elif word == ENDIF and saved:
            _before, after, start = saved.pop()
            if after:
                _give_up(found, inner, start, at)
                inner = after[0]
    _give_up(found, inner, -1, len(words) - 1)
    return found


def _give_up(found: list[int], inner: _Open | None, start: int, at: int) -> None:
    """Close what a branch that began at `start` leaves open and nothing will close."""
    while at >= 0 and inner is not None and inner[0] > start:
        found[inner[0]] = at
        inner = inner[1]


def _close(words: Sequence[str], found: list[int], inner: _Open | None, at: int) -> _Open | None:
    """Pair a brace that also closes what was left open in it."""
    while inner is not None:
        closed, inner = inner
        found[closed] = at
        if words[closed] == "{":
            break
    return inner
