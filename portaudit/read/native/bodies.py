"""What functions do: the names they use, the kernels they launch, the functions they call.

Macros are looked into.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct, field

from portaudit.catalogue.native import features_of, features_of_assembly, launchers, words
from portaudit.read.native.structure import Definition, Range, angle, angle_before
from portaudit.read.native.tokens import PASTE, Macro, Tokens, body

_WORD = re.compile(r"[A-Za-z_]\w*")
_OPERATOR = re.compile(r"[A-Za-z_]\w*::[A-Za-z_]\w*")
_KEYWORDS = frozenset(
    {
        *("if", "for", "while", "switch", "return"),
        *("sizeof", "catch", "static_cast", "reinterpret_cast", "const_cast"),
        *("dynamic_cast", "decltype", "alignof", "alignas", "noexcept"),
        *("static_assert", "defined", "int", "float", "double"),
        *("char", "bool", "void", "long", "short"),
        *("unsigned", "signed", "auto", "new", "delete"),
        *("throw", "else", "do", "case", "operator"),
        *("template", "typename", "asm", "__asm__", "volatile"),
        *("__volatile__", "nullptr", "NULL", "true", "false"),
    }
)
_ASSEMBLY = frozenset({"asm", "__asm__", "__asm"})
_DISPATCH = re.compile(
    r"(?:AT|THO|TORCH|VLLM|DISPATCH)_?DISPATCH_(?:SWITCH_|CASE_)?(\w+?)(?:_AND_?\d*)?$"
)
_DISPATCHING = "DISPATCH_"
"""How macros of a project begin that call what it has registered: `DISPATCH_DEVICE(nms, x)`."""
_ALONE = [[","], [")"]]
"""What follows an argument that is one word."""
_EXPANDED = re.compile(r"AT_(\w*TYPES\w*)$")
_SCALAR = re.compile(r"(?:at|torch|c10)?:*(?:ScalarType::|k)(\w+)$")
_TYPES = {
    "Half": "half",
    "BFloat16": "bfloat16",
    "Float": "float",
    "Double": "double",
    "Byte": "uint8",
    "Char": "int8",
    "Short": "int16",
    "Int": "int32",
    "Long": "int64",
    "Bool": "bool",
    "Float8_e4m3fn": "float8_e4m3fn",
    "Float8_e5m2": "float8_e5m2",
}
_INTEGERS = frozenset(
    {"int", "int32_t", "int64_t", "long", "index_t", "auto", "uint32_t", "size_t"}
)
_LONGEST = 400
"""Tokens of an expression that is launched."""
_DEEPEST = 4
"""Macros in macros that are followed."""


_NOTHING = Range(0, 0)


class Usage(Struct):
    """What a stretch of code uses. Numbers are tokens, or of what a macro brought its use.

    `names`: how often each token stands there · `places`: where, of what a macro brought ·
    `dispatched`: element types that a dispatch macro compiles a stretch for.
    """

    code: Sequence[str] = ()
    inside: Range = _NOTHING
    names: Counter[str] = field(default_factory=Counter)
    places: dict[str, int] = field(default_factory=dict)
    launches: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    assembly: list[tuple[int, str]] = field(default_factory=list)
    dispatched: list[tuple[Range, tuple[str, ...]]] = field(default_factory=list)

    def first(self, name: str) -> int:
        """The first token that is a name."""
        try:
            return self.code.index(name, self.inside.start, self.inside.end)
        except ValueError:
            return self.places[name]

    def add(self, other: Usage, at: int) -> None:
        """Add what a macro brings where it is used."""
        self.names.update(other.names)
        for name in other.names:
            self.places.setdefault(name, at)
        for name in other.launches:
            self.launches.setdefault(name, at)
        for name in other.calls:
            self.calls.setdefault(name, at)
        self.assembly.extend((at, text) for _, text in other.assembly)


class Bodies:
    """Answers what definitions use; bodies of macros are looked at once."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._macros: dict[int, Usage] = {}

    def of(self, definition: Definition) -> Usage:
        """What a function's body uses, or the macro's that makes it."""
        start, end = definition.body.start, definition.body.end
        found = self._used(self.tokens, Range(start, end))
        pattern = definition.pattern
        if pattern is not None:
            inner = self._used(pattern.code, Range(pattern.head, pattern.end + 1))
            for name in [name for name in inner.calls if name in pattern.name or PASTE in name]:
                del inner.calls[name]
            found.add(inner, definition.at)
        if found.names and self.tokens.defined:
            ends = len(self.tokens.text.data)
            before = self.tokens.starts[end] if end < len(self.tokens) else ends
            self._through_macros(found, _DEEPEST, before)
        return found

    def launches_of(self, macro: str, before: int) -> Collection[str]:
        """The kernels that a macro launches which is used before a byte."""
        return self._of_macro(self.tokens.macro(macro, before), _DEEPEST - 1, before).launches

    def _through_macros(self, found: Usage, depth: int, before: int) -> None:
        """Add what the macros in some code bring that ends at a byte."""
        if depth:
            for name in [name for name in found.names if name in self.tokens.defined]:
                macro = self.tokens.macro(name, before)
                found.add(self._of_macro(macro, depth - 1, before), found.first(name))

    def _of_macro(self, macro: Macro, depth: int, before: int) -> Usage:
        known = self._macros.get(macro.start)
        if known is not None:
            return known
        self._macros[macro.start] = Usage()  # a macro that names itself is not expanded again
        found = Usage()
        if _WORD.search(macro.body):
            code = body(self.tokens, macro)
            found = self._used(code, Range(0, len(code)))
            for parameter in macro.parameters or ():
                found.launches.pop(parameter, None)
                found.calls.pop(parameter, None)
            self._through_macros(found, depth, before)
        self._macros[macro.start] = found
        return found

    def _used(self, tokens: Tokens, inside: Range) -> Usage:
        words = tokens.words
        code = words[inside.start : inside.end]
        found = Usage(words, inside, Counter(code))
        following = words[inside.start + 1 : inside.end + 1]
        for number, (word, sign) in enumerate(zip(code, following, strict=False), inside.start):
            if sign == "(":
                if word.isidentifier() and word not in _KEYWORDS:
                    self._call(tokens, number, number + 1, found)
            elif sign == "<" and word not in found.calls and word.isidentifier():
                opening = angle(tokens, number + 1) + 1
                if opening and words[opening : opening + 1] == ["("] and word not in _KEYWORDS:
                    self._call(tokens, number, opening, found)
            elif sign == "<<<":
                for name in launched(tokens, number + 1):
                    found.launches.setdefault(name, number + 1)
        for name in [name for name in found.names if name in _ASSEMBLY]:
            places = (at for at in range(inside.start, inside.end) if words[at] == name)
            found.assembly.extend((at, _assembly(tokens, at)) for at in places)
        return found

    @staticmethod
    def _call(tokens: Tokens, at: int, opening: int, found: Usage) -> None:
        word = tokens.words[at]
        found.calls.setdefault(word, at)
        close = max(opening, tokens.matches[opening])
        if word.startswith(_DISPATCHING) and tokens.words[opening + 2 : opening + 3] in _ALONE:
            found.calls.setdefault(tokens.words[opening + 1], at)
        if launchers().match(word):
            _given_to_launcher(tokens, Range(opening, close), found)
        types = _dispatched(tokens, word, Range(opening + 1, close))
        if types:
            found.dispatched.append((Range(opening, close), types))


def dispatched_to(tokens: Tokens, inside: Range) -> Iterator[str]:
    """The operators that some code names as the dispatcher knows them: `"net::scale"`."""
    for word in dict.fromkeys(tokens.words[inside.start : inside.end]):
        if word[0] == '"' and _OPERATOR.fullmatch(word, 1):
            yield word[1:]


def aliases(tokens: Tokens, inside: Range, wanted: set[str]) -> dict[str, list[str]]:
    """What variables that are launched hold: `auto kernel = &flash_fwd<T>;`."""
    found: dict[str, list[str]] = {}
    code = tokens.words
    for at in range(inside.start, min(inside.end, len(code) - 1)):
        if code[at] in wanted and code[at + 1] == "=":
            end = at + 2
            while end < inside.end and code[end] not in {";", "{", "}"}:
                end += 1
            found.setdefault(code[at], []).extend(_named(tokens, Range(at + 2, end)))
        elif code[at] in wanted and code[at + 1 : at + 3] == [")", "("]:
            close = max(at + 2, tokens.matches[at + 2])
            if code[close + 1 : close + 2] == ["="]:
                end = close + 2
                while end < inside.end and code[end] not in {";", "{", "}"}:
                    end += 1
                found.setdefault(code[at], []).extend(_named(tokens, Range(close + 2, end)))
    return found


def _named(tokens: Tokens, inside: Range) -> Iterator[str]:
    """The functions that an expression names: not namespaces, template arguments, arguments."""
    at = inside.start
    code = tokens.words
    while at < inside.end:
        word = code[at]
        if word == "<":
            at = max(at, angle(tokens, at))
        elif word in {"[", "{"}:
            at = max(at, tokens.matches[at])
        elif _WORD.match(word) and word not in _KEYWORDS and code[at + 1] not in {"::", "?"}:
            yield word
        at += 1


def launched(tokens: Tokens, at: int) -> list[str]:
    """The names of what stands before a `<<<`."""
    before, code = at - 1, tokens.words
    if before >= 0 and code[before] in {">", ">>", ">>>"}:
        before = angle_before(tokens, before) - 1
    if before < 0:
        return []
    if code[before] == ")":
        start = before
        while start > max(0, before - _LONGEST) and tokens.matches[start] != before:
            start -= 1
        return list(_named(tokens, Range(start + 1, before)))[:2]
    return [code[before]] if _WORD.match(code[before]) else []


def _given_to_launcher(tokens: Tokens, inside: Range, found: Usage) -> None:
    """`cudaLaunchKernel((void*)kernel<T>, grid, …)`: the first argument that is a name."""
    code, at = tokens.words, inside.start
    while at < inside.end:
        word = code[at]
        if word in {"void", "const", "*", "&", "(", ")", "reinterpret_cast", "static_cast", ","}:
            at += 1
        elif word == "<":
            at = max(at, angle(tokens, at)) + 1
        else:
            break
    # The extended form takes the configuration first.
    if code[at : at + 1] and code[at - 1] == "&" and code[at + 1 : at + 2] == [","]:
        at += 2
        while code[at : at + 1] in (["&"], ["("], [")"], ["void"], ["*"], ["const"]):
            at += 1
    while at + 2 < inside.end and code[at + 1] == "::":
        at += 2
    if at < inside.end and _WORD.match(code[at]):
        found.launches.setdefault(code[at], at)


def _assembly(tokens: Tokens, at: int) -> str:
    """The text of an inline assembly statement."""
    opening = at + 1
    while opening < len(tokens) and tokens.words[opening] in {
        "volatile",
        "__volatile__",
        "nullptr",
        "NULL",
        "true",
        "false",
    }:
        opening += 1
    if tokens.words[opening : opening + 1] != ["("]:
        return ""
    close = max(opening, tokens.matches[opening])
    parts: list[str] = []
    for word in tokens.words[opening:close]:
        if word == ":":
            break
        if word[0] == '"':
            parts.append(word[1:])
    return "".join(parts)


def _dispatched(tokens: Tokens, word: str, inside: Range) -> tuple[str, ...]:
    """The element types for which a dispatch macro compiles its argument."""
    match = _DISPATCH.match(word)
    if not match and word != "AT_DISPATCH_V2":
        return ()
    table = words().dispatch
    kind = match[1] if match else ""
    found = list(table.get(kind, table.get(kind.replace("_AND_HALF", ""), ())))
    if kind.endswith("_AND_HALF"):
        found.append("half")
    end = next(
        (at for at in range(inside.start, inside.end) if tokens.words[at] in {"[", "{"}), inside.end
    )
    for at in range(inside.start, end):
        name = tokens.words[at]
        scalar = _SCALAR.match(name)
        if scalar and scalar[1] in _TYPES:
            found.append(_TYPES[scalar[1]])
        elif name in _TYPES and tokens.words[at - 1] == "::":
            found.append(_TYPES[name])
        elif (expanded := _EXPANDED.match(name)) and expanded[1] in table:
            found.extend(table[expanded[1]])
    return tuple(dict.fromkeys(found))


def indirect(tokens: Tokens, inside: Range, parameters: Sequence[str]) -> tuple[int, int] | None:
    """Where an address is first computed from data that a kernel is given, and how often."""
    code = tokens.words
    data, first, count = set(parameters), -1, 0
    loaded: set[str] = set()
    for at in range(max(inside.start + 1, 4), min(inside.end, len(code))):
        if code[at] != "[" or tokens.matches[at] < at:
            continue
        if code[at - 1] in data and code[at - 2] == "=" and code[at - 4] in _INTEGERS:
            loaded.add(code[at - 3])
        index = code[at + 1 : tokens.matches[at]]
        if not loaded.isdisjoint(index) or any(
            word in data and sign == "[" for word, sign in pairwise(index)
        ):
            first = at if first < 0 else first
            count += 1
    return (first, count) if count else None


def grid_barrier(tokens: Tokens, inside: Range) -> int:
    """Where all blocks of a grid wait for each other: `grid.sync()`, `cg::sync(grid)`; else -1."""
    code = tokens.words
    for at in range(inside.start, min(inside.end, len(code))):
        if code[at] == "sync":
            around = (
                code[max(at - 5, inside.start) : at] if code[at - 1] == "." else code[at : at + 3]
            )
            if any("grid" in word for word in around):
                return at
    return -1


def seen_features(usage: Usage, namespaces: frozenset[str]) -> Iterator[tuple[str, int, int]]:
    """The features of some code: name, first place, how often."""
    for name, count in usage.names.items():
        for feature in features_of(name, namespaces):
            yield feature, usage.first(name), count
    for at, text in usage.assembly:
        for feature in features_of_assembly(text):
            yield feature, at, 1
