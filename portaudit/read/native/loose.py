"""Names in native code that may be of a function which something else calls.

What is defined, declared, called, launched or bound is joined by its name. A function can also be
handed on, kept in a table, be an argument of a template, or be called by a macro of another file:
then who calls it is not known, only that it is named. Which names are of functions is for whoever
knows all files, so variables are among them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from portaudit.marks import ANY_PART
from portaudit.read.native.bindings import Registered
from portaudit.read.native.inventory import Inventory, is_registration
from portaudit.read.native.structure import angle
from portaudit.read.native.tokens import Macro, Tokens

_ENDING = frozenset({",", ")", "}", ";", ">", ">>", "<", ":", "?", "]"})
"""What may follow a function that is named and not called: else it is a variable, or a type."""
_STARTED = frozenset({"(", "::", "<<<"})
_SPEAKING = frozenset({"return", "else", "case", "co_return", "co_yield", "not", "and", "or"})
"""Words in front of a value; any other makes it a declaration."""
_MEMBER = frozenset({".", "->"})
_DECLARING = frozenset({"*", "&", "&&", ">", ">>", "~", *_MEMBER})
"""Signs in front of a name that is declared."""
_PIECE = re.compile(r"[A-Za-z_]\w*|##|<<<|::|->|\S")
_SHORTEST = 3
"""Letters of a part of a pasted name that tell which it is."""


def loose(tokens: Tokens, inventory: Inventory, bindings: Registered) -> tuple[str, ...]:
    """The names of a file, in alphabetical order.

    `*part` for any that has this part, `.name` for a function of a class.
    """
    found: set[str] = set()
    bound = Counter(each.function for each in bindings.bound)
    told = {name for each in bindings.functions for name in (*each.calls, *each.launches)}
    skipped: dict[int, Collection[str]] = {}
    registering: set[int] = set()
    bodies: set[int] = set()
    heads: dict[int, str] = {}
    for number, each in enumerate(inventory.structure.definitions):
        inside = range(each.body.start, each.body.end)
        bodies.update(inside)
        usage = inventory.usages[number]
        heads.update(dict.fromkeys(range(each.head, each.body.start), each.name))
        if each.name == "operator" or not each.name.lstrip("~").isidentifier():
            found.update(usage.calls)
            found.update(usage.launches)
        is_registering = is_registration(tokens, each)
        if is_registering and not each.name.startswith("TEST"):
            found.update(({*usage.calls} | {*usage.launches}) - told)
        if each.kernel or each.device:
            found.update(usage.launches)
            registering.difference_update(inside)
            skipped.update(dict.fromkeys(inside, ()))
        elif usage.names["def"] or each.name.isupper() or is_registering:
            registering.update(inside)
        else:
            launched = inventory.launches[number]
            if launched:
                skipped.update(dict.fromkeys(inside, launched))
    for at in _values(tokens):
        word = tokens.words[at]
        if at in registering and bound[word] > 0:
            bound[word] -= 1
        elif at not in skipped or (skipped[at] and word not in skipped[at]):
            found.add(word)
    found.update(_initial(tokens, bodies))
    found.update(_outside(tokens, bodies, heads))
    uses = tokens.all_of(tokens.defined.keys()) if tokens.macros else []
    joined = {tokens.words[at] for at in uses} - {
        tokens.words[at] for at in uses if at not in bodies
    }
    for macro in tokens.macros:
        is_joined = macro.name in joined
        found.update(_of_macro(macro, inventory.kernel_names, is_joined=is_joined))
    found.update(f".{name}" for name in _methods(tokens, inventory))
    return tuple(sorted(found))


def _values(tokens: Tokens) -> Iterator[int]:
    """Where names stand that are neither called nor declared."""
    words = tokens.words
    for at, word in enumerate(words[:-1]):
        sign = words[at + 1]
        if sign not in _ENDING or not word.isidentifier():
            continue
        if sign == "<":
            end = angle(tokens, at + 1)
            if end >= 0 and words[end + 1 : end + 2] and words[end + 1] in _STARTED:
                continue
        before = words[at - 1] if at else ";"
        if before not in _MEMBER and (not before.isidentifier() or before in _SPEAKING):
            yield at


def _initial(tokens: Tokens, bodies: Collection[int]) -> Iterator[str]:
    """The functions that give variables outside of functions their values."""
    words, end = tokens.words, 0
    for start in tokens.all_of({"="}):
        if start in bodies or start < end:  # looked through with the one before
            continue
        end = next((at for at in range(start, len(words)) if words[at] == ";"), len(words))
        for at in range(start + 1, min(end, len(words) - 1)):
            if words[at].isidentifier() and words[at + 1] in {"(", "<"}:
                yield words[at]


def _outside(tokens: Tokens, bodies: Collection[int], heads: Mapping[int, str]) -> Iterator[str]:
    """What is launched or called outside of all functions: by lambdas that a variable holds."""
    words = tokens.words
    for at in range(len(words) - 1):
        word = words[at]
        if at in bodies or not word.isidentifier() or heads.get(at) == word:
            continue
        end = at + 1
        if words[end] == "<":
            end = angle(tokens, end) + 1
        sign = words[end] if 0 < end < len(words) else ""
        before = words[at - 1] if at else ";"
        is_declared = before.isidentifier() and before not in _SPEAKING
        if sign == "<<<" or (sign == "(" and not is_declared and before not in _DECLARING):
            yield word


def _methods(tokens: Tokens, inventory: Inventory) -> Iterator[str]:
    """The functions of classes: a library may call them whom the class is given to."""
    words = tokens.words
    classes: list[range] = []
    for at in tokens.all_of({"class", "struct"}):
        opening = at
        while opening < len(words) and words[opening] not in {"{", ";", "(", ")"}:
            opening += 1
        if words[opening : opening + 1] == ["{"]:
            classes.append(range(opening, tokens.matches[opening]))
    for each in inventory.structure.definitions:
        inside = any(each.at in held for held in classes)
        if not (each.kernel or each.device) and (inside or words[each.at - 1] == "::"):
            yield each.name


def _of_macro(macro: Macro, kernels: Collection[str], *, is_joined: bool) -> Iterator[str]:
    """The names that a macro says, and the parts of those that it makes.

    `is_joined`: what it calls, and the file's own kernels, is told by the functions that use it.
    """
    pieces = _PIECE.findall(macro.body)
    given = frozenset(macro.parameters or ())
    for at, word in enumerate(pieces):
        if not word.isidentifier() or word in given:
            continue
        before, sign = pieces[at - 1] if at else "", "".join(pieces[at + 1 : at + 2])
        if "##" in {before, sign}:
            if len(word.strip("_")) >= _SHORTEST:
                yield f"{ANY_PART}{word}"
        elif is_joined and (sign in {"(", "<<<", "<"} or word in kernels):
            continue
        elif sign in {"(", "<<<"} or (sign not in _STARTED and before not in _MEMBER):
            yield word
