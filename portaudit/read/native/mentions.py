"""What native code names: headers, qualified names, interfaces of CUDA and NVIDIA's libraries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from portaudit.catalogue.globs import any_of
from portaudit.catalogue.native import words
from portaudit.read.items import Item
from portaudit.read.native.bindings import Registered
from portaudit.read.native.inventory import Inventory
from portaudit.read.native.tokens import Macro, Tokens, body
from portaudit.types import Span

_NAMED = re.compile(r"(?:cu|CU|nv|NV|nccl|NCCL|C10_CUDA|AT_CUDA|TORCH_CUDA)")
"""How names begin that stand for themselves without a namespace."""
_NO_NAME = frozenset({".", "->", "::", "namespace"})
"""What stands before a word that is no name of a library: a member, a namespace."""
_IN_MACRO = re.compile(rf"\b{_NAMED.pattern}|::")
_Mention = tuple[str, Tokens, int, int, Macro | None]
"""A name, the tokens it is from, its first and last token, and the macro that it is in."""


def is_hip(tokens: Tokens) -> bool:
    """Whether a file is for AMD's devices alone: it names things of HIP, and none of CUDA."""
    table = words().hip
    names, headers = tokens.vocabulary, {each.name for each in tokens.headers}
    if _any(table.cuda_headers, headers) or _any(table.cuda_names, names):
        return False
    folders = tokens.text.path.lower().split("/")[:-1]
    shown = (table.headers, headers), (table.names, names), (table.folders, folders)
    if any(_any(globs, found) for globs, found in shown):
        return True
    code, spaces = tokens.words, names.intersection(table.namespaces)
    return any(
        code[at + 1 : at + 2] == ["::"] or code[at - 1] == "namespace"
        for at in tokens.all_of(spaces)
    )


def _any(globs: Sequence[str], names: Iterable[str]) -> bool:
    pattern = any_of(globs)
    return any(pattern.match(name) for name in names)


def opened(tokens: Tokens) -> frozenset[str]:
    """The namespaces whose names a file uses without saying so: it opens them, or is in them."""
    spaces = tokens.all_of({"namespace"})
    return frozenset("".join(tokens.words[at + 1 : at + 2]) for at in spaces)


def mentions(
    tokens: Tokens, inventory: Inventory, bindings: Registered, forms: tuple[str, ...]
) -> Iterator[Item]:
    """The headers that a file includes and the names that it uses, each name once and guard."""
    for header in tokens.headers:
        guard, proof = tokens.guard(header.start)
        span = tokens.span(header.start, header.end)
        yield Item("include", header.name, span, forms=forms, guard=guard, guard_by=proof)
    seen: set[tuple[str, str]] = set()
    for name, code, first, last, macro in _names(tokens, {*inventory.by_name, *tokens.defined}):
        guard, proof = tokens.guard(macro.start if macro else tokens.starts[first])
        if (name, guard) not in seen:
            seen.add((name, guard))
            span = _place(tokens, code, first, last, macro)
            yield Item("source", name, span, forms=forms, guard=guard, guard_by=proof)
    for name, at in bindings.keys:
        guard, proof = tokens.guard(tokens.starts[at])
        span = tokens.span(tokens.starts[at], tokens.end(at))
        yield Item("source", name, span, "CUDA", forms=forms, guard=guard, guard_by=proof)


def _place(tokens: Tokens, code: Tokens, first: int, last: int, macro: Macro | None) -> Span:
    """Where a name stands.

    In the body of a macro what is pasted moves columns, so it is looked for in its line.
    """
    start, end = code.starts[first], code.end(last)
    if macro is None:
        return code.span(start, end)
    at, line_end = tokens.on_line(code.words[first], macro.body_at, code.point(start)[0])
    return tokens.span(at, min(at + end - start, line_end))


def _names(tokens: Tokens, own: set[str]) -> Iterator[_Mention]:
    """The names in a file and in its macros, without those of its own."""
    for name, first, last in _named(tokens):
        if name not in own:
            yield name, tokens, first, last, None
    for macro in tokens.macros:
        if _IN_MACRO.search(macro.body):
            code = body(tokens, macro)
            for name, first, last in _named(code):
                if name not in own:
                    yield name, code, first, last, macro


def _named(tokens: Tokens) -> Iterator[tuple[str, int, int]]:
    """Qualified names, and those that say by themselves whose they are."""
    code = tokens.words
    speaking = {word for word in tokens.vocabulary if _NAMED.match(word)}
    end = 0
    for at in tokens.all_of(speaking | {"::"}):
        if at < end:
            continue
        if code[at] == "::":
            if not at or not code[at - 1].isidentifier() or code[at - 1] == "std":
                continue
            first, end = at - 1, at
            while code[end : end + 1] == ["::"] and "".join(code[end + 1 : end + 2]).isidentifier():
                end += 2
            if end > at and code[end - 1] != "operator":
                yield "::".join(code[first:end:2]), first, end - 1
        elif code[at + 1 : at + 2] != ["::"] and code[at - 1] not in _NO_NAME:
            yield code[at], at, at
    yield from _opening(tokens)


def _opening(tokens: Tokens) -> Iterator[tuple[str, int, int]]:
    """`using namespace cub;` and `namespace cg = cooperative_groups;`: the namespace, and `::`."""
    code = tokens.words
    for at in tokens.all_of({"namespace"}):
        named = at + 1 if at and code[at - 1] == "using" else at + 3
        if named == at + 1 or code[at + 2 : at + 3] == ["="]:
            if code[named + 1 : named + 2] == [";"] and code[named].isidentifier():
                yield f"{code[named]}::", named, named
