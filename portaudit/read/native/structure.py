"""What native code defines: functions and kernels with their parts, told from tokens and brackets.

Works outside of functions only, and finds its way again where brackets do not match: a `__global__`
inside a function says that this function has ended before.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.native import attributes
from portaudit.read.native.macros import KernelMacro, KernelPattern
from portaudit.read.native.tokens import ELSE, ENDIF, IF, OPENING, PASTE, Macro, Tokens

GLOBAL = "__global__"
MARKS = frozenset({IF, ELSE, ENDIF})
_CLASSES = frozenset({"class", "struct", "union"})
_ACCESS = frozenset({"public", "private", "protected"})
_ANGLES = {"<": 1, ">": -1, ">>": -2, ">>>": -3}
_WORD = re.compile(r"[A-Za-z_]\w*")
_LONGEST = 600
"""Tokens of a list of template arguments."""


class Range(Struct, frozen=True):
    """Tokens from `start` up to, not including, `end`."""

    start: int
    end: int


_NOWHERE = Range(0, 0)


class Definition(Struct, frozen=True):
    """A function with a body. All numbers are indices of tokens.

    `head`: where its declaration begins · `at`: its `__global__`, or else its name · `parameters`
    and `template`: what stands between the brackets · `pattern`: of a macro that makes a kernel of
    it · `defined_at`: the bytes of the `__global__` in a macro that this file does not use.
    """

    name: str
    scope: str
    kernel: bool
    device: bool
    head: int
    at: int
    parameters: Range
    body: Range
    template: Range | None = None
    pattern: KernelPattern | None = None
    defined_at: Range | None = None


class Structure(Struct):
    """All definitions in order.

    `instances`: explicit instantiations, a name and its arguments · `used`: macros that make
    kernels.
    """

    definitions: list[Definition] = field(default_factory=list)
    instances: list[tuple[str, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


class _Group(Struct, frozen=True):
    """A bracketed group of a declaration, with what stands before it."""

    before: int
    start: int
    end: int


def structure(tokens: Tokens, macros: dict[str, KernelMacro]) -> Structure:
    """The definitions of a file, given the macros that stand for kernels or `__global__`."""
    return _Walk(tokens, macros).run()


def angle(tokens: Tokens, start: int) -> int:
    """The `>` that closes the `<` at an index; -1 if that is a comparison."""
    words, depth, at = tokens.words, 0, start
    while at < len(words) and at < start + _LONGEST:
        word = words[at]
        depth += _ANGLES.get(word, 0)
        if depth <= 0:
            return at
        if word in OPENING:
            at = max(at, tokens.matches[at])
        elif word in {";", "}", "&&", "||", ")"}:
            return -1
        at += 1
    return -1


def angle_before(tokens: Tokens, end: int) -> int:
    """The `<` that the `>` at an index closes; -1 if there is none."""
    words, depth, at = tokens.words, 0, end
    while at >= 0 and at > end - _LONGEST:
        word = words[at]
        depth -= _ANGLES.get(word, 0)
        if depth <= 0:
            return at
        if word in {";", "{"}:
            return -1
        at -= 1
    return -1


def split(tokens: Tokens, inside: Range) -> Iterator[Range]:
    """The parts that commas separate."""
    start = at = inside.start
    while at < inside.end:
        word = tokens.words[at]
        if word in OPENING:
            at = max(at, tokens.matches[at])
        elif word == "<" and at > start:
            at = max(at, min(angle(tokens, at), inside.end))
        elif word == ",":
            yield Range(start, at)
            start = at + 1
        at += 1
    if start < inside.end:
        yield Range(start, inside.end)


def written(tokens: Tokens, part: Range) -> str:
    """Tokens as text."""
    return tokens.source(part.start, part.end)


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _in_bodies(macros: Sequence[Macro]) -> set[str]:
    """The words in the bodies of macros, without a macro's own name in its own."""
    found: set[str] = set()
    for each in macros:
        found.update(word for word in _WORD.findall(each.body) if word != each.name)
    return found


class _Walk:
    """One pass over what stands outside of functions."""

    def __init__(self, tokens: Tokens, macros: dict[str, KernelMacro]) -> None:
        self.tokens = tokens
        self.words = tokens.words
        self.matches = tokens.matches
        self.macros = macros
        self.found = Structure()
        self.scopes: list[tuple[int, str]] = []
        self.globals = {GLOBAL, *(name for name, each in macros.items() if each.alias)}
        self.marks = tokens.all_of(self.globals)
        self.head = 0

    def run(self) -> Structure:
        words, matches = self.words, self.matches
        at = 0
        while at < len(words):
            while self.scopes and at >= self.scopes[-1][0]:
                self.scopes.pop()
            word = words[at]
            if word in {"(", "["}:
                at = max(at, matches[at]) + 1
                continue
            if word == ";":
                self._instance(at)
                self.head = at + 1
            elif word == "}" or (word == ":" and at and words[at - 1] in _ACCESS):
                self.head = at + 1
            elif word == "{":
                at = self._brace(at)
                continue
            elif word in self.macros and self.macros[word].parameters is not None:
                at = self._use(at, self.macros[word])
                continue
            at += 1
        self._missed()
        used = self.found.used | _in_bodies(self.tokens.macros)
        for macro in self.macros.values():
            if macro.macro and macro.name not in used:
                self._unused(macro, macro.macro)
        return self.found

    def _unused(self, macro: KernelMacro, defined: Macro) -> None:
        """A macro that no code of this file uses: what it makes counts where it is defined."""
        for pattern in macro.kernels:
            row, _ = pattern.code.point(pattern.code.starts[pattern.mark])
            start, _ = self.tokens.on_line(GLOBAL, defined.body_at, row)
            self.found.definitions.append(
                Definition(
                    pattern.name.replace(PASTE, "##"),
                    "",
                    kernel=True,
                    device=False,
                    head=1,
                    at=0,
                    parameters=_NOWHERE,
                    body=_NOWHERE,
                    pattern=pattern,
                    defined_at=Range(start, start + len(GLOBAL)),
                )
            )

    def _missed(self) -> None:
        """Kernels where no declaration was expected: among the arguments of a macro."""
        known = sorted((each.head, each.body.end) for each in self.found.definitions)
        for mark in self.marks:
            number = bisect_left(known, (mark + 1, 0)) - 1
            if number >= 0 and mark <= known[number][1]:
                continue
            at = mark + 1
            while at < len(self.words) and self.words[at] not in {";", "{", "}", ")", GLOBAL}:
                at = max(at, self.matches[at]) + 1
            if self.words[at : at + 1] == ["{"]:
                head = list(self._outer(mark, at))
                groups = self._groups(head)
                self.head = mark
                if groups:
                    self._define(at, max(at, self.matches[at]), head, groups)

    def _is_global(self, word: str) -> bool:
        return word in self.globals

    def _path(self, name: str = "") -> str:
        parts = [scope for _, scope in self.scopes if scope]
        return "::".join([*parts, name] if name else parts)

    # --- braces ---

    def _brace(self, at: int) -> int:
        """What a brace begins; the index to go on at."""
        head = list(self._outer(self.head, at))
        words = [self.words[each] for each in head]
        close = max(at, self.matches[at])
        if "namespace" in words:
            first = words.index("namespace") + 1
            names = [word for word in words[first:] if _is_word(word[0]) and word != "inline"]
            return self._enter(at, close, "::".join(names[: 1 + 2 * words.count("::")]))
        if words[:1] == ["extern"] and not words[2:] and words[-1][0] == '"':
            return self._enter(at, close, "")
        if "enum" in words and "(" not in words:
            return close + 1
        groups = self._groups(head)
        if any(self._is_global(word) for word in words) and groups:
            return self._define(at, close, head, groups)
        if not _CLASSES.isdisjoint(words) and not any(
            not attributes().match(self.words[group.before]) for group in groups
        ):
            kind = next(number for number, word in enumerate(words) if word in _CLASSES)
            names = [word for word in words[kind + 1 :] if _is_word(word[0])]
            return self._enter(at, close, names[0] if names else "")
        if (at and self.words[at - 1] in {"=", "return"}) or not groups or self._is_value(words):
            return close + 1
        if self._is_initialiser(head, at):
            return close + 1
        return self._define(at, close, head, groups)

    def _enter(self, at: int, close: int, name: str) -> int:
        self.scopes.append((close, name))
        self.head = at + 1
        return at + 1

    @staticmethod
    def _is_value(words: Sequence[str]) -> bool:
        """Whether a declaration gives a variable its value: `auto f = [] (int x) {`."""
        return "=" in words and "operator" not in words

    def _is_initialiser(self, head: Sequence[int], at: int) -> bool:
        """Whether a brace gives a member its value: `A() : size{0} {`."""
        colon = any(
            self.words[each] == ":" and self.words[each - 1] in {")", "noexcept"} for each in head
        )
        before = self.words[at - 1]
        return colon and (_is_word(before[0]) or before == ">") and before not in MARKS

    def _outer(self, start: int, end: int) -> Iterator[int]:
        """The tokens of a declaration outside of brackets; a group by what opens it."""
        at = start
        while at < end:
            word = self.words[at]
            yield at
            if word in OPENING:
                at = max(at, self.matches[at])
            elif word == "<" and at > start:
                at = max(at, angle(self.tokens, at))
            at += 1

    def _groups(self, head: Sequence[int]) -> list[_Group]:
        """The parenthesised groups of a declaration that something stands before."""
        found: list[_Group] = []
        for at in head:
            word = self.words[at]
            if word == ":" and found:
                break
            if word == "(" and at > head[0] and self.matches[at] >= 0:
                found.append(_Group(at - 1, at, self.matches[at]))
        return found

    # --- functions ---

    def _define(self, at: int, close: int, head: Sequence[int], groups: Sequence[_Group]) -> int:
        marked = [each for each in head if self._is_global(self.words[each])]
        used = self._head_macro(head)
        if used is not None:
            definition = self._from_macro(used, at, close)
        else:
            after = [group for group in groups if not marked or group.start > marked[-1]]
            chosen = self._declarator(after or groups)
            if chosen is None:
                return close + 1
            name, scope, name_at = self._name(chosen)
            definition = Definition(
                name,
                self._path(scope),
                bool(marked),
                any(self.words[each] == "__device__" for each in head),
                self.head,
                marked[-1] if marked else name_at,
                Range(chosen.start + 1, chosen.end),
                Range(at, close),
                self._template(head),
            )
        end, resume = self._really_ends(at, close)
        self.found.definitions.append(replace(definition, body=Range(at, end)))
        self.head = resume
        return resume

    def _really_ends(self, at: int, close: int) -> tuple[int, int]:
        """Where a function ends that seems to have a kernel inside, and where to go on.

        It ends before that kernel, unless they are two heads of one body, in two branches.
        """
        number = bisect_left(self.marks, at)
        if number == len(self.marks) or self.marks[number] > close:
            return close, close + 1
        back = self.marks[number] - 1
        while back > at and self.words[back] not in {";", "}", ELSE}:
            back -= 1
        return (close if self.words[back] == ELSE else max(back, at)), max(back, at) + 1

    def _declarator(self, groups: Sequence[_Group]) -> _Group | None:
        """Of the groups of a declaration, its parameters."""
        own = [group for group in groups if not attributes().match(self.words[group.before])]
        return own[-1] if own else None

    def _name(self, group: _Group) -> tuple[str, str, int]:
        """What is declared: its name, the scope that is written with it, where it stands."""
        at, words = group.before, self.words
        if words[at] in {">", ">>"}:
            at = max(angle_before(self.tokens, at) - 1, 0)
        elif words[at] == ")":
            start = next((each for each in range(at, -1, -1) if self.matches[each] == at), at)
            at = max(start - 1, 0)
            return f"{words[at]}({written(self.tokens, Range(start + 1, group.before))})", "", at
        operator = next((each for each in range(at, at - 4, -1) if words[each] == "operator"), -1)
        if operator >= 0:
            at = operator
        name, first = words[at], at
        if first and words[first - 1] == "~":
            name, first = f"~{name}", first - 1
        scope: list[str] = []
        while first > 1 and words[first - 1] == "::" and _is_word(words[first - 2][0]):
            scope.insert(0, words[first - 2])
            first -= 2
        return name, "::".join(scope), at

    def _template(self, head: Sequence[int]) -> Range | None:
        """The last list of template parameters."""
        found = None
        for number, at in enumerate(head[:-1]):
            if self.words[at] == "template" and self.words[head[number + 1]] == "<":
                start = head[number + 1]
                end = angle(self.tokens, start)
                found = Range(start + 1, end) if end > start + 1 else found
        return found

    def _instance(self, at: int) -> None:
        """`template __global__ void kernel<float>(float*);`: what a kernel is compiled for."""
        start = self.head
        while start < at and self.words[start] in MARKS:
            start += 1
        if self.words[start : start + 1] != ["template"] or self.words[start + 1] == "<":
            return
        group = self._declarator(self._groups(list(self._outer(start, at))))
        if group is None or self.words[group.before] not in {">", ">>"}:
            return
        opening = angle_before(self.tokens, group.before)
        name, _, _ = self._name(group)
        if opening > 0:
            self.found.instances.append(
                (name, written(self.tokens, Range(opening, group.before + 1)))
            )

    # --- macros ---

    def _use(self, at: int, macro: KernelMacro) -> int:
        """The use of a macro that makes kernels; the index to go on at."""
        opening = at + 1
        if self.words[opening : opening + 1] != ["("]:
            return at + 1
        close = max(opening, self.matches[opening])
        self.found.used.add(macro.name)
        for pattern in macro.kernels:
            if pattern.whole:
                self.found.definitions.append(self._whole(macro, pattern, at, close))
        return close + 1

    def _whole(self, macro: KernelMacro, pattern: KernelPattern, at: int, close: int) -> Definition:
        inside = Range(at + 2, close)
        return Definition(
            macro.named(pattern, self._arguments(inside)),
            self._path(),
            kernel=True,
            device=False,
            head=at,
            at=at,
            parameters=Range(close, close),
            body=Range(close, close),
            pattern=pattern,
        )

    def _arguments(self, inside: Range) -> list[str]:
        return [written(self.tokens, part) for part in split(self.tokens, inside)]

    def _head_macro(self, head: Sequence[int]) -> int | None:
        """A macro in a declaration that stands for all of it but the body."""
        for at in head:
            macro = self.macros.get(self.words[at])
            if macro and any(not each.whole for each in macro.kernels):
                if self.words[at + 1 : at + 2] == ["("]:
                    return at
        return None

    def _from_macro(self, used: int, at: int, close: int) -> Definition:
        macro = self.macros[self.words[used]]
        pattern = next(each for each in macro.kernels if not each.whole)
        inside = Range(used + 2, max(used + 2, self.matches[used + 1]))
        return Definition(
            macro.named(pattern, self._arguments(inside)),
            self._path(),
            kernel=True,
            device=False,
            head=self.head,
            at=used,
            parameters=Range(at, at),
            body=Range(at, close),
            pattern=pattern,
        )
