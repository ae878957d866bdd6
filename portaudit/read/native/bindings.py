"""What native code hands to Python, and under which dispatch key: pybind11, torch libraries.

`m.def("name", &function)`, `m.impl("op", …)` and registrations of a project's own that name a
function and a device (`REGISTER_DEVICE_IMPL(op_impl, CUDA, op_cuda)`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Literal

from msgspec import Struct, field

from portaudit.read.native.bodies import dispatched_to, launched
from portaudit.read.native.inventory import Inventory, takes_library
from portaudit.read.native.structure import Range, angle, split, written
from portaudit.read.native.tokens import Tokens, expanded
from portaudit.types import Binding, Bound, Function

_WORD = re.compile(r"[A-Za-z_]\w*")
_LIBRARY = re.compile(r"(?:STABLE_)?TORCH_LIBRARY(_IMPL|_FRAGMENT)?(?:_EXPAND)?")
_IMPLEMENTED = re.compile(r"(?:STABLE_)?TORCH_LIBRARY_IMPL(?:_EXPAND)?")
_REGISTER = "REGISTER_"
_REGISTERING = frozenset({"def", "impl", "def_static", "op"})
_REGISTERS = re.compile(r"\.\s*(?:def|impl|def_static|op)\s*\(")
_DEEPEST = 4
"""Macros in macros that are followed."""
_MOST = 4000
"""Uses of macros in the blocks of a file that are looked into."""
_MODULES = frozenset({"PYBIND11_MODULE", "NB_MODULE", "TORCH_PYBIND11_MODULE"})
_CUDA_KEYS = frozenset(
    {"kCUDA", "CUDA", "AutogradCUDA", "SparseCUDA", "QuantizedCUDA", "NestedTensorCUDA"}
)
_CPU_KEYS = frozenset({"kCPU", "CPU", "AutogradCPU"})
_WRAPPERS = frozenset(
    {
        *("TORCH_FN", "TORCH_BOX", "TORCH_SELECTIVE_NAME", "dispatch", "torch", "at", "c10", "py"),
        *("overload_cast", "const_", "wrap_pybind_function", "CppFunction", "makeFallthrough"),
        *("wrap_pybind_function_no_gil", "DispatchKey", "pybind11", "nb", "call_guard"),
        *("gil_scoped_release", "static_cast", "decltype", "make_boxed_from_unboxed_functor"),
    }
)
_BLOCKS = re.compile(r"(?:PYBIND11|NB|TORCH)_\w+")


class Registered(Struct):
    """What a file registers. `keys`: places that name the dispatch key CUDA, and what registers.

    `expanded`: how many uses of macros were looked into.
    """

    bound: list[Bound] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    keys: list[tuple[str, int]] = field(default_factory=list)
    expanded: int = 0


def registered(tokens: Tokens, inventory: Inventory) -> Registered:
    """All bindings and registrations of a file."""
    found = Registered()
    inside: set[int] = set()
    for number, each in enumerate(inventory.structure.definitions):
        if _LIBRARY.fullmatch(each.name):
            arguments = [written(tokens, part) for part in split(tokens, each.parameters)]
            device = ""
            if _IMPLEMENTED.fullmatch(each.name) and len(arguments) > 1:
                device = _device(arguments[1].split("::"))
                if device == "cuda":
                    found.keys.append((each.name, each.at))
            space = arguments[0].split("(")[0] if arguments else ""
            block = _Block(each.name, "torch-library", space, device)
            _registrations(_Code(tokens, tokens), each.body, block, found)
            inside.update(range(each.body.start, each.body.end))
        elif takes_library(tokens, each):  # of which space is told where it is called, if at all
            block = _Block(each.name, "torch-library")
            _registrations(_Code(tokens, tokens), each.body, block, found)
            inside.update(range(each.body.start, each.body.end))
        elif each.name in _MODULES or inventory.usages[number].names["def"]:
            block = _Block(each.name, "pybind")
            _registrations(_Code(tokens, tokens), each.body, block, found)
            inside.update(range(each.body.start, each.body.end))
    _own_registries(tokens, inside, found)
    return found


class _Block(Struct, frozen=True):
    """Code that registers. `device`: of all that it does not say another one of."""

    name: str
    form: Literal["pybind", "torch-library"]
    space: str = ""
    device: str = ""


class _Code(Struct, frozen=True, eq=False):
    """Tokens of a file, or those that a macro of it stands for at one of its tokens, `used`."""

    file: Tokens
    tokens: Tokens
    used: int = -1
    depth: int = 0

    def place(self, at: int) -> int:
        """The token of the file that brings one of these."""
        return at if self.used < 0 else self.used

    def made(self, at: int) -> _Code | None:
        """What a macro that may register stands for where a token names it."""
        words = self.tokens.words
        if self.depth == _DEEPEST:
            return None
        macro = self.file.macro(words[at], self.file.starts[self.place(at)])
        if not (_REGISTERS.search(macro.body) or self.file.defined.keys() & _words(macro.body)):
            return None
        given: list[str] = []
        if macro.parameters is not None:
            if words[at + 1 : at + 2] != ["("]:
                return None
            inside = Range(at + 2, max(at + 2, self.tokens.matches[at + 1]))
            given = [written(self.tokens, part) for part in split(self.tokens, inside)]
        made = expanded(self.file, macro, given)
        return _Code(self.file, made, self.place(at), self.depth + 1)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def _registrations(code: _Code, inside: Range, block: _Block, found: Registered) -> None:
    """The `m.def(…)` and `m.impl(…)` of a block, also those that macros of its file make."""
    words = code.tokens.words
    for at in range(inside.start, inside.end):
        if words[at] in code.file.defined and found.expanded < _MOST:
            made = code.made(at)
            if made is not None:
                found.expanded += 1
                _registrations(made, Range(0, len(made.tokens)), block, found)
        elif words[at] in _REGISTERING and at and words[at - 1] == ".":
            _registration(code, at, block, found)


def _registration(code: _Code, at: int, block: _Block, found: Registered) -> None:
    tokens = code.tokens
    words = tokens.words
    if words[at + 1 : at + 2] != ["("]:
        return
    close = max(at + 1, tokens.matches[at + 1])
    parts = list(split(tokens, Range(at + 2, close)))
    name = _named(tokens, parts[0]) if parts else ""
    if not name:
        return
    given = [word for part in parts[1:] for word in words[part.start : part.end]]
    key = _device(given) if words[at] != "def_static" else ""
    place = code.place(at)
    if key == "cuda" and block.form == "torch-library":
        found.keys.append((f"{block.name} impl", place))
    shown = f"{block.space}::{name}" if block.space and "::" not in name else name
    binding = Binding(block.form, shown, code.file.text.path, code.file.line_of(place))
    for function in _functions(tokens, parts[1:], name, found, binding.line):
        found.bound.append(Bound(binding, function, key or block.device))


def _named(tokens: Tokens, part: Range) -> str:
    """The name of an operator, without its schema: the first string, of several parts or of one."""
    strings = (word[0] == '"' for word in tokens.words[part.start : part.end])
    first = part.start + next((number for number, told in enumerate(strings) if told), part.end)
    said = takewhile(lambda word: word[0] == '"', tokens.words[first : part.end])
    return re.split(r"[(\s.]", "".join(word[1:] for word in said), maxsplit=1)[0]


def _functions(
    tokens: Tokens, parts: list[Range], name: str, found: Registered, line: int
) -> Iterator[str]:
    """What a registration names: a function, or a lambda that calls some."""
    for part in parts:
        words = tokens.words[part.start : part.end]
        if not words or words[0][0] == '"':
            continue
        if words[0] == "[":
            yield _lambda(tokens, part, name, found, line)
            return
        function = _function(tokens, part)
        if function:
            yield function
            return


def _function(tokens: Tokens, part: Range) -> str:
    """The last name of the first expression that names a function."""
    at, last = part.start, ""
    while at < part.end:
        word = tokens.words[at]
        if word == "<":
            at = max(at, min(angle(tokens, at), part.end))
        elif _WORD.match(word) and word not in _WRAPPERS and not _device([word]):
            if tokens.words[at + 1 : at + 2] != ["::"]:
                last = _wrapped(tokens, at + 1) or word
                break
        at += 1
    return last


def _wrapped(tokens: Tokens, at: int) -> str:
    """The function that a template is made for: `boxed<&ops::scale>`; empty if there is none."""
    if tokens.words[at : at + 1] != ["<"]:
        return ""
    parts = split(tokens, Range(at + 1, max(at + 1, angle(tokens, at))))
    given = (part for part in parts if tokens.words[part.start] == "&")
    return next((name for part in given if (name := _function(tokens, part))), "")


def _lambda(tokens: Tokens, part: Range, name: str, found: Registered, line: int) -> str:
    """A lambda as a function of its own."""
    words = tokens.words
    calls = [
        words[each]
        for each in range(part.start, part.end)
        if _WORD.match(words[each]) and words[each + 1 : each + 2] == ["("]
    ]
    calls.extend(dispatched_to(tokens, part))
    launches = [
        kernel
        for each in range(part.start, part.end)
        if words[each] == "<<<"
        for kernel in launched(tokens, each)
    ]
    own = f"{name} (lambda)"
    found.functions.append(
        Function(own, line, tuple(dict.fromkeys(launches)), tuple(dict.fromkeys(calls)))
    )
    return own


def _own_registries(tokens: Tokens, inside: set[int], found: Registered) -> None:
    """`REGISTER_SOMETHING(name, CUDA, function)`: `name` calls `function` on that device."""
    words = tokens.words
    for at in tokens.all_of({word for word in tokens.vocabulary if word.startswith(_REGISTER)}):
        if words[at + 1 : at + 2] != ["("] or at in inside:
            continue
        close = max(at + 1, tokens.matches[at + 1])
        parts = list(split(tokens, Range(at + 2, close)))
        devices = [_device([tokens.words[part.start]]) for part in parts if _single(part)]
        device = next((each for each in devices if each), "")
        names = [
            words[part.start]
            for part in parts
            if _single(part) and not _device([words[part.start]]) and _WORD.match(words[part.start])
        ]
        if not device or not names[1:]:
            continue
        if device == "cuda":
            found.keys.append((words[at], at))
        line = tokens.line_of(at)
        found.functions.append(Function(names[0], line, calls=tuple(names[1:]), device=device))


def _single(part: Range) -> bool:
    return part.end == part.start + 1


def _device(words: list[str]) -> str:
    """The device of a dispatch key among some words."""
    for word in words:
        if word in _CUDA_KEYS:
            return "cuda"
        if word in _CPU_KEYS:
            return "cpu"
    return ""
