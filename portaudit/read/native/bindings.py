"""What native code hands to Python, and under which dispatch key: pybind11, torch libraries.

`m.def("name", &function)`, `m.impl("op", …)` and registrations of a project's own that name a
function and a device (`REGISTER_DEVICE_IMPL(op_impl, CUDA, op_cuda)`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from portaudit.read.native.inventory import Inventory
from portaudit.read.native.structure import Definition, Range, angle, split, written
from portaudit.read.native.tokens import Tokens
from portaudit.types import Binding, Bound, Function

_WORD = re.compile(r"[A-Za-z_]\w*")
_LIBRARY = re.compile(r"(?:STABLE_)?TORCH_LIBRARY(_IMPL|_FRAGMENT)?(?:_EXPAND)?")
_IMPLEMENTED = re.compile(r"(?:STABLE_)?TORCH_LIBRARY_IMPL(?:_EXPAND)?")
_REGISTER = "REGISTER_"
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
    """What a file registers. `keys`: places that name the dispatch key CUDA, and what registers."""

    bound: list[Bound] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    keys: list[tuple[str, int]] = field(default_factory=list)


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
            _registrations(tokens, each, "torch-library", space, device, found)
            inside.update(range(each.body.start, each.body.end))
        elif each.name in _MODULES or inventory.usages[number].names["def"]:
            _registrations(tokens, each, "pybind", "", "", found)
            inside.update(range(each.body.start, each.body.end))
    _own_registries(tokens, inside, found)
    return found


def _registrations(
    tokens: Tokens,
    block: Definition,
    form: Literal["pybind", "torch-library"],
    space: str,
    device: str,
    found: Registered,
) -> None:
    """The `m.def(…)` and `m.impl(…)` of a block."""
    words = tokens.words
    for at in range(block.body.start, block.body.end):
        if words[at] not in {"def", "impl", "def_static", "op"} or words[at - 1] != ".":
            continue
        if words[at + 1 : at + 2] != ["("]:
            continue
        close = max(at + 1, tokens.matches[at + 1])
        parts = list(split(tokens, Range(at + 2, close)))
        name = _named(tokens, parts[0]) if parts else ""
        if not name:
            continue
        given = [word for part in parts[1:] for word in words[part.start : part.end]]
        key = _device(given) if words[at] != "def_static" else ""
        if key == "cuda" and form == "torch-library":
            found.keys.append((f"{block.name} impl", at))
        shown = f"{space}::{name}" if space and "::" not in name else name
        binding = Binding(form, shown, tokens.text.path, tokens.line_of(at))
        for function in _functions(tokens, parts[1:], name, found, at):
            found.bound.append(Bound(binding, function, key or device))


def _named(tokens: Tokens, part: Range) -> str:
    """The name of an operator, without its schema: the first string."""
    for word in tokens.words[part.start : part.end]:
        if word[0] == '"':
            return re.split(r"[(\s.]", word[1:], maxsplit=1)[0]
    return ""


def _functions(
    tokens: Tokens, parts: list[Range], name: str, found: Registered, at: int
) -> Iterator[str]:
    """What a registration names: a function, or a lambda that calls some."""
    for part in parts:
        words = tokens.words[part.start : part.end]
        if not words or words[0][0] == '"':
            continue
        if words[0] == "[":
            yield _lambda(tokens, part, name, found, at)
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
                last = word
                break
        at += 1
    return last


def _lambda(tokens: Tokens, part: Range, name: str, found: Registered, at: int) -> str:
    """A lambda as a function of its own."""
    words = tokens.words
    calls = [
        words[each]
        for each in range(part.start, part.end)
        if _WORD.match(words[each]) and words[each + 1 : each + 2] == ["("]
    ]
    own = f"{name} (lambda)"
    found.functions.append(Function(own, tokens.line_of(at), calls=tuple(dict.fromkeys(calls))))
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
