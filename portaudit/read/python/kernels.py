"""The inventory of kernels that are written in Python: Triton and its kin, Numba's CUDA target.

A kernel is a function with a decorator of such a language. What it is worth to write it anew is
told by what it uses, itself and through the device functions of the same file that it calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import libcst as cst
from msgspec import Struct, field

from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import descendants, last_name
from portaudit.read.python.values import LocalFunction, Reader, argument
from portaudit.types import Difficulty, Feature, Function, Kernel, Language, Location

LANGUAGES: Mapping[str, Language] = {
    "triton.jit": "triton",
    "triton.runtime.jit.jit": "triton",
    "triton.experimental.gluon.jit": "gluon",
    "triton.experimental.gluon._runtime.jit": "gluon",
    "tilelang.jit": "tilelang",
    "tilelang.language.prim_func": "tilelang",
    "cutlass.cute.kernel": "cute-dsl",
    "numba.cuda.jit": "numba",
}
"""Decorators that make a function a kernel, or one for kernels to call."""

_DEVICE_MODULES = (
    "triton.language",
    "triton.experimental.gluon.language",
    "tilelang.language",
    "cutlass.cute",
    "numba.cuda",
)
_FEATURES: tuple[tuple[str, frozenset[str]], ...] = (
    ("matrix product", frozenset({"dot", "dot_scaled", "gemm", "wgmma", "mma"})),
    ("block pointers", frozenset({"make_block_ptr", "advance"})),
    (
        "tensor descriptors (TMA)",
        frozenset(
            {
                "make_tensor_descriptor",
                "_experimental_make_tensor_descriptor",
                "_experimental_descriptor_load",
                "_experimental_descriptor_store",
                "load_tensor_descriptor",
                "store_tensor_descriptor",
            }
        ),
    ),
    ("inline assembly", frozenset({"inline_asm_elementwise"})),
    ("reduction", frozenset({"sum", "max", "min", "argmax", "argmin", "reduce", "xor_sum"})),
    ("scan", frozenset({"associative_scan", "cumsum", "cumprod"})),
    ("sort or histogram", frozenset({"sort", "topk", "histogram"})),
    ("random numbers", frozenset({"rand", "randn", "randint", "randint4x", "philox", "rand4x"})),
    ("barriers", frozenset({"debug_barrier", "syncthreads"})),
    ("shared memory", frozenset({"alloc_shared", "allocate_shared_memory", "array"})),
    ("gather", frozenset({"gather"})),
)
"""Functions of the languages by what they ask of the hardware, the words of `docs/inventory.md`."""
_LOCKS = frozenset({"atomic_cas", "atomic_xchg"})
_REFERENCE_WORDS = frozenset(
    {"ref", "reference", "torch", "naive", "native", "pytorch", "eager", "py", "slow", "vanilla"}
)
"""Parts of a name that say: the same, in plain torch."""
_LAUNCH_WORDS = frozenset(
    {"triton", "fwd", "forward", "kernel", "fn", "func", "fused", "flash", "cuda", "impl", "fast"}
)
_LARGE = 150
"""Lines of code from which a kernel is hard whatever it does."""


class _Jitted(Struct):
    """A function with a kernel's decorator."""

    node: cst.FunctionDef
    decorator: cst.Decorator
    language: Language
    scope: Scope
    features: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    helpers: set[str] = field(default_factory=set)
    launches: list[tuple[str, int]] = field(default_factory=list)
    locks: bool = False
    called: bool = False


def inventory(reader: Reader) -> tuple[tuple[Kernel, ...], tuple[Function, ...]]:
    """The kernels of a file in its order, and its top-level names through which they start."""
    found = list(_jitted(reader)) if reader.model.decorators else []
    if not found:
        return (), ()
    named = {item.node.name.value: item for item in found}
    for item in found:
        _look_into(reader, item, named)
    _launches(reader, found, named)
    made = tuple(_kernel(reader, item, named) for item in found)
    return made, tuple(_starters(reader, found))


def _jitted(reader: Reader) -> Iterator[_Jitted]:
    for function, scope in reader.model.scopes.items():
        if not isinstance(function, cst.FunctionDef):
            continue
        for decorator in function.decorators:
            made = decorator.decorator
            name = reader.name(made.func if isinstance(made, cst.Call) else made)
            language = LANGUAGES.get(name)
            if language:
                yield _Jitted(function, decorator, language, scope)
                break


def _look_into(reader: Reader, item: _Jitted, jitted: Mapping[str, _Jitted]) -> None:
    """Note what the body uses: functions of the language, and device functions of the file."""
    for node in descendants(item.node.body):
        if not isinstance(node, cst.Call):
            if isinstance(node, cst.While):
                item.features["loop of unknown length"].append(reader.span(node).line)
            continue
        if isinstance(node.func, cst.Name) and node.func.value in jitted:
            item.helpers.add(node.func.value)
            jitted[node.func.value].called = True
            continue
        name = reader.name(node.func)
        feature = _feature(name)
        if feature:
            item.features[feature].append(reader.span(node).line)
        item.locks = item.locks or last_name(node.func) in _LOCKS


def _feature(name: str) -> str:
    module, _, last = name.rpartition(".")
    if not module.startswith(_DEVICE_MODULES):
        return ""
    if last.startswith("atomic_") or ".atomic" in module:
        return "atomics"
    if ".extra" in module or module.endswith("libdevice"):
        return "vendor's math library"
    return next((feature for feature, names in _FEATURES if last in names), "")


def _launches(reader: Reader, found: Iterable[_Jitted], jitted: Mapping[str, _Jitted]) -> None:
    """Where the host starts a kernel: `kernel[grid](…)`."""
    inside = {item.scope for item in found}
    for node in reader.model.subscripts:
        if not isinstance(node.value, cst.Name) or node.value.value not in jitted:
            continue
        scope = reader.scope_of(node)
        if scope not in inside:
            line = reader.span(node).line
            jitted[node.value.value].launches.append((scope.qualname, line))


def _starters(reader: Reader, found: Iterable[_Jitted]) -> Iterator[Function]:
    """Top-level names of the file that start kernels, themselves or through others of the file."""
    users: dict[str, dict[str, None]] = defaultdict(dict)
    for node in reader.model.names:
        top = reader.scope_of(node).qualname.partition(".")[0]
        if top and top != node.value:
            users[node.value][top] = None
    starts: dict[str, set[str]] = defaultdict(set)
    for item in found:
        waiting = [scope.partition(".")[0] for scope, _ in item.launches]
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name and name not in seen:
                seen.add(name)
                starts[name].add(item.node.name.value)
                waiting.extend(users[name])
    for name, launched in starts.items():
        bindings = reader.model.root.bindings.get(name)
        if bindings:
            line = reader.span(bindings[0].node).line
            yield Function(name, line, tuple(sorted(launched)))


def _kernel(reader: Reader, item: _Jitted, jitted: Mapping[str, _Jitted]) -> Kernel:
    reached = list(_reached(item, jitted))
    merged: dict[str, list[int]] = defaultdict(list)
    for part in reached:
        for name, places in part.features.items():
            merged[name].extend(places)
    features = tuple(
        Feature(name, min(places), len(places)) for name, places in sorted(merged.items())
    )
    size = sum(_code_lines(reader, part) for part in reached)
    difficulty, reasons = _class(features, size, locks=any(part.locks for part in reached))
    parameters = [_parameter(each) for each in item.node.params.params]
    return Kernel(
        name=item.node.name.value,
        language=item.language,
        path=reader.source.path,
        line=reader.span(item.decorator).line,
        end_line=_end(reader, item),
        lines=_code_lines(reader, item),
        difficulty=difficulty,
        reasons=reasons,
        features=features,
        parameters=tuple(name for name, _ in parameters),
        variants=tuple(name for name, constant in parameters if constant),
        autotuned=_is_autotuned(reader, item),
        helper=not item.launches and (item.called or _is_for_device(item)),
        launched_by=tuple(Location(reader.source.path, line) for _, line in item.launches),
        backward=_backward(item, jitted),
        fallback=_reference(reader, item),
    )


def _reached(item: _Jitted, jitted: Mapping[str, _Jitted]) -> Iterator[_Jitted]:
    """A kernel and the device functions that it calls, each once."""
    yield item
    seen = {item.node.name.value}
    waiting = list(item.helpers)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield jitted[name]
            waiting.extend(jitted[name].helpers)


def _end(reader: Reader, item: _Jitted) -> int:
    """The line on which the body ends: the span of a definition is that of its header."""
    statements = [
        node
        for node in descendants(item.node.body)
        if isinstance(node, (cst.SimpleStatementLine, cst.SimpleStatementSuite))
    ]
    return reader.positions.span(statements[-1], statements[-1]).end_line if statements else 0


def _code_lines(reader: Reader, item: _Jitted) -> int:
    first, last = reader.positions.span(item.node.name, item.node).line, _end(reader, item)
    lines = (reader.line(number).strip() for number in range(first, last + 1))
    return sum(bool(line) and not line.startswith("#") for line in lines)


def _class(
    features: Iterable[Feature], lines: int, *, locks: bool
) -> tuple[Difficulty, tuple[str, ...]]:
    """How hard a kernel is to write anew, and by which signs: `docs/inventory.md` has the scale."""
    names = {feature.name for feature in features}
    beyond = sorted(names & {"inline assembly", "tensor descriptors (TMA)"})
    if locks:
        beyond.append("locks between programs")
    if beyond:
        return "research", tuple(beyond)
    hard = sorted(names & {"matrix product", "scan", "sort or histogram"})
    if lines >= _LARGE:
        hard.append(f"{lines} lines")
    if hard:
        return "hard", tuple(hard)
    shared = sorted(names & {"reduction", "atomics", "shared memory", "barriers", "gather"})
    if shared or "loop of unknown length" in names:
        return "moderate", tuple(shared or ["loop of unknown length"])
    return "simple", ("each element by itself",)


def _parameter(parameter: cst.Param) -> tuple[str, bool]:
    """The name of a parameter, and whether each of its values makes a kernel of its own."""
    annotation = parameter.annotation.annotation if parameter.annotation else None
    return parameter.name.value, last_name(annotation) == "constexpr"


def _is_for_device(item: _Jitted) -> bool:
    """Whether it says that only kernels can call it: `@cuda.jit(device=True)`."""
    made = item.decorator.decorator
    given = argument(made, ("device",)).value if isinstance(made, cst.Call) else None
    return isinstance(given, cst.Name) and given.value == "True"


def _is_autotuned(reader: Reader, item: _Jitted) -> bool:
    made = (each.decorator for each in item.node.decorators)
    names = (reader.name(each.func if isinstance(each, cst.Call) else each) for each in made)
    return any(name.rpartition(".")[2] == "autotune" for name in names)


@lru_cache(4096)
def _words(name: str) -> frozenset[str]:
    return frozenset(word for word in name.lower().split("_") if word)


def _backward(item: _Jitted, jitted: Mapping[str, _Jitted]) -> str:
    """The kernel of the file that computes the gradient of this one, by their names."""
    own = _words(item.node.name.value)
    if own & {"bwd", "backward"}:
        return ""
    stem = own - {"fwd", "forward", "kernel"}
    for name in jitted:
        words = _words(name)
        if words & {"bwd", "backward"} and stem <= words:
            return name
    return ""


def _reference(reader: Reader, item: _Jitted) -> Location | None:
    """A function of the file that does the same in plain torch, by its name: `softmax_ref`."""
    launchers = {name.rpartition(".")[2] for name, _ in item.launches} | {item.node.name.value}
    stems = [frozenset(_words(name) - _LAUNCH_WORDS) for name in launchers]
    for name, bindings in reader.model.root.bindings.items():
        words = _words(name)
        if not words & _REFERENCE_WORDS:
            continue
        stem = words - _REFERENCE_WORDS - _LAUNCH_WORDS
        if stem and stem in stems:
            binding: Binding = bindings[0]
            if any(isinstance(value, LocalFunction) for value in reader.bound(binding)):
                return Location(reader.source.path, reader.span(binding.node).line)
    return None
