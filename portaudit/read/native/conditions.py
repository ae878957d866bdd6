"""Conditions of the preprocessor: whether they hold in a build for CUDA, and in one without.

Of a macro that says nothing of either, nothing is known (`None`), and so of what it decides.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from portaudit.catalogue.globs import Globs, any_of
from portaudit.catalogue.native import words

Truth = bool | None
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|&&|\|\||[=!<>]=|<<|>>|[-+*/%()!<>?:,~^&|]|\S")
_HEADER = re.compile(r"__has_include\s*\(([^)]*)\)")
_CUDA_HEADER = re.compile(r'[<"](?:cu|nccl|nv|thrust|cub/|ATen/cuda|c10/cuda)')
_DEEPEST = 40
_HAS_CUDA_HEADER = "__PORTAUDIT_HEADER__"


class Meaning(NamedTuple):
    """Truth in a build for CUDA and in a build without; `compiler`: nvcc's macro decides it."""

    cuda: Truth
    host: Truth
    compiler: bool = False


UNKNOWN = Meaning(None, None)
HOLDS = Meaning(True, True)
FAILS = Meaning(False, False)


def negated(meaning: Meaning) -> Meaning:
    """What holds when a condition does not."""
    return Meaning(_not(meaning.cuda), _not(meaning.host), meaning.compiler)


def both(left: Meaning, right: Meaning) -> Meaning:
    """Two conditions at once."""
    return Meaning(
        _and(left.cuda, right.cuda), _and(left.host, right.host), left.compiler or right.compiler
    )


def meaning(keyword: str, text: str, *, nvcc: bool) -> Meaning:
    """What `#if text` means; `keyword` is `if`, `elif`, `ifdef`, `ifndef` and their like.

    `nvcc`: only nvcc compiles the file, so that its own macros say nothing.
    """
    if keyword in {"ifdef", "ifndef", "elifdef", "elifndef"}:
        name = text.split(maxsplit=1)[0] if text.split() else ""
        known = _macro(name, nvcc=nvcc)
        return negated(known) if keyword.endswith("ndef") else known
    return _condition(text, nvcc=nvcc)


@lru_cache(maxsize=4096)
def _condition(text: str, *, nvcc: bool) -> Meaning:
    text = _HEADER.sub(
        lambda found: f" {_HAS_CUDA_HEADER} " if _CUDA_HEADER.match(found[1]) else " X ", text
    )
    return _Condition(_TOKEN.findall(text), nvcc=nvcc).read()


@cache
def _patterns() -> tuple[tuple[Globs, Meaning], ...]:
    macros = words().macros
    return (
        (any_of(macros.compiler), Meaning(None, False, compiler=True)),
        (any_of(macros.vendor), FAILS),
        (any_of(macros.never), FAILS),
        (any_of(macros.always), HOLDS),
        (any_of([*macros.cuda, _HAS_CUDA_HEADER]), Meaning(True, False)),
    )


@lru_cache(maxsize=4096)
def _macro(name: str, *, nvcc: bool) -> Meaning:
    found = next((means for pattern, means in _patterns() if pattern.match(name)), UNKNOWN)
    return HOLDS if found.compiler and nvcc else found


class _Condition:
    """A condition, read by precedence. What is no logic has an unknown truth."""

    def __init__(self, tokens: list[str], *, nvcc: bool) -> None:
        self.tokens = tokens
        self.nvcc = nvcc
        self.at = 0

    def read(self) -> Meaning:
        return self._any(0)

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        word = self._next()
        self.at += 1
        return word

    def _any(self, depth: int) -> Meaning:
        left = self._all(depth)
        while self._next() == "||":
            self.at += 1
            left = negated(both(negated(left), negated(self._all(depth))))
        return left

    def _all(self, depth: int) -> Meaning:
        left = self._compared(depth)
        while self._next() == "&&":
            self.at += 1
            left = both(left, self._compared(depth))
        return left

    def _compared(self, depth: int) -> Meaning:
        """An operand; a comparison of a flag with 0 or 1 is that flag, all others are unknown."""
        left = self._operand(depth)
        while self._next() not in {"", "&&", "||", ")"}:
            sign, other = self._take(), self._next()
            self._operand(depth)
            if (sign, other) in {("==", "1"), ("!=", "0"), (">", "0")}:
                continue
            left = negated(left) if (sign, other) in {("==", "0"), ("!=", "1")} else UNKNOWN
        return left

    def _operand(self, depth: int) -> Meaning:
        word = self._take()
        if depth > _DEEPEST:
            return UNKNOWN
        if word == "!":
            return negated(self._operand(depth + 1))
        if word == "(":
            inner = self._any(depth + 1)
            while self._next() not in {"", ")"}:
                self.at += 1
            self.at += 1
            return inner
        if word == "defined":
            name = self._take()
            if name == "(":
                name = self._take()
                self.at += 1
            return _macro(name, nvcc=self.nvcc)
        if word[:1].isdigit():
            return FAILS if word.rstrip("uUlL") in {"0", "0x0", "00"} else HOLDS
        if word in {"true", "false"}:
            return HOLDS if word == "true" else FAILS
        if self._next() == "(":
            self._skip()
            return UNKNOWN
        return _macro(word, nvcc=self.nvcc)

    def _skip(self) -> None:
        depth = 0
        while self._next():
            word = self._take()
            depth += (word == "(") - (word == ")")
            if not depth:
                return


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _and(left: Truth, right: Truth) -> Truth:
    if left is False or right is False:
        return False
    return True if left and right else None
