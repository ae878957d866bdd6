"""Macros that make kernels: whose body holds `__global__`, alone, with a head, or a whole kernel.

A use of such a macro defines what the body says, under the names that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from portaudit.catalogue.native import attributes, words
from portaudit.read.native.tokens import PASTE, Macro, Tokens, body

_GLOBAL = "__global__"
_WORD = re.compile(r"[A-Za-z_]\w*")
_MOST = 64
"""Kernels that one use of a macro makes, at most."""


class KernelPattern(Struct, frozen=True, eq=False):
    """A kernel in the body of a macro. `name` is in the macro's words.

    `whole`: with its body, else the braces follow the use · `code`: the body's tokens, of which
    the kernel's are those from `head` to `end`, with its `__global__` at `mark` and its parameters
    from `opening` to `closing`.
    """

    name: str
    whole: bool
    code: Tokens
    head: int
    mark: int
    opening: int
    closing: int
    end: int


class KernelMacro(Struct, frozen=True):
    """A macro that makes kernels, or (`alias`) one that stands for `__global__`."""

    name: str
    parameters: tuple[str, ...] | None
    kernels: tuple[KernelPattern, ...] = ()
    alias: bool = False
    macro: Macro | None = None

    def named(self, pattern: KernelPattern, arguments: Sequence[str]) -> str:
        """The name of a kernel where the macro is used with some arguments."""
        return substituted(pattern.name, self.parameters or (), arguments)


def substituted(text: str, parameters: Sequence[str], arguments: Sequence[str]) -> str:
    """Text of a macro's body with arguments in the place of parameters, pasted together."""
    given = dict(zip(parameters, arguments, strict=False))
    parts = (
        _WORD.sub(lambda found: given.get(found[0], found[0]), part) for part in text.split(PASTE)
    )
    return "".join(parts)


def kernel_macros(tokens: Tokens) -> dict[str, KernelMacro]:
    """The macros of a file that make kernels, by name."""
    found = {name: KernelMacro(name, None, alias=True) for name in words().kernel.aliases}
    for macro in tokens.macros:
        if _GLOBAL not in macro.body and not any(name in macro.body for name in found):
            continue
        code = body(tokens, macro)
        patterns, alias = _patterns(code, found)
        if patterns or alias:
            found[macro.name] = KernelMacro(
                macro.name, macro.parameters, tuple(patterns[:_MOST]), alias, macro
            )
    return found


def _patterns(code: Tokens, known: dict[str, KernelMacro]) -> tuple[list[KernelPattern], bool]:
    """The kernels in a macro's body, and whether the body only stands for `__global__`."""
    found: list[KernelPattern] = []
    alias = False
    head = at = 0
    while at < len(code):
        word = code.words[at]
        macro = known.get(word)
        if word == _GLOBAL or (macro and macro.alias):
            pattern = _pattern(code, head, at)
            if pattern is None:
                alias = at + 1 == len(code) or alias or not _ends(code, at)
            else:
                found.append(pattern)
                at = pattern.end
        elif macro and macro.kernels and code.words[at + 1 : at + 2] == ["("]:
            found.extend(_nested(code, at, macro))
            at = max(at, code.matches[at + 1])
        if word in {";", "}"}:
            head = at + 1
        at += 1
    return found, alias and not found


def _ends(code: Tokens, at: int) -> bool:
    """Whether a declaration that begins at a token ends in the macro: it is a prototype."""
    while at < len(code):
        if code.words[at] == ";":
            return True
        at = max(at, code.matches[at]) + 1
    return False


def _pattern(code: Tokens, head: int, start: int) -> KernelPattern | None:
    """The kernel that begins at a `__global__`; none if there is no name, or only a prototype."""
    name, opening, closing = "", -1, -1
    at = start + 1
    while at < len(code):
        word = code.words[at]
        if word == ";":
            return None
        if word == "{":
            end = max(at, code.matches[at])
            return (
                KernelPattern(name, True, code, head, start, opening, closing, end)
                if name
                else None
            )
        if word == "(":
            before = code.words[at - 1]
            close = max(at, code.matches[at])
            if _WORD.match(before) and not attributes().match(before):
                name = before
                opening, closing = at, close
            elif before == ")" and name:  # `NAME(add)(float* x)`: the name is made by a macro
                name = f"{name}({code.source(opening + 1, closing)})"
                opening, closing = at, close
            at = close
        at += 1
    return KernelPattern(name, False, code, head, start, opening, closing, at - 1) if name else None


def _nested(code: Tokens, at: int, macro: KernelMacro) -> list[KernelPattern]:
    """The kernels of another macro that is used in a body."""
    close = max(at + 1, code.matches[at + 1])
    arguments = [part.strip() for part in code.source(at + 2, close).split(",")]
    return [replace(each, name=macro.named(each, arguments)) for each in macro.kernels]
