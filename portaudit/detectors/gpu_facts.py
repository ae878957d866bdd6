"""Facts about GPUs and lists of devices that are written into the code.

Numbers count only where they are the published peak of one GPU; names only where the code decides
by them. Texts that are shown to somebody are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.model import Binding, Scope
from portaudit.read.python.nodes import (
    body_of,
    dict_entries,
    last_name,
    number_value,
    string_value,
)
from portaudit.read.python.values import Reader, argument

PEAKS = {
    125e12: "V100",
    312e12: "A100",
    624e12: "A100",
    756e12: "H100",
    989e12: "H100",
    989.4e12: "H100",
    989.5e12: "H100",
    1978.9e12: "H100",
    1979e12: "H100",
    2250e12: "B200",
    4500e12: "B200",
    362.05e12: "L40S",
    330.3e12: "RTX 4090",
}
"""Floating-point operations per second that NVIDIA publishes, dense or sparse."""
GPU = re.compile(
    r"(nvidia[ _-])?(geforce[ _-]|tesla[ _-]|quadro[ _-])?"
    r"([ahv]100|[ah]800|h200|g?b[23]00|gb200|p100|l40s?|a10g|a40|a6000|rtx[ _-]?\w*\d{4}\w*)"
    r"([ _-].*)?",
    re.IGNORECASE,
)
_OTHERS = frozenset({"cpu", "mps", "xpu", "npu", "hpu", "mlu", "musa", "rocm", "hip"})
_OPEN = frozenset({"neuron", "xla", "privateuseone", "tpu", "auto", "meta"})
"""Words whose presence in a list of devices says that Trainium, or anything, was thought of."""
_MISSES = frozenset({"get_device_name", "name", "device_name", "gpu_name", "gpu_type", "gpu"})


# --- facts about one GPU --------------------------------------------------------------------------


@detector("gpu-peak-number")
def gpu_peak_number(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield numbers that are the peak throughput of one GPU, and tables of numbers by GPU name."""
    in_tables: set[cst.CSTNode] = set()
    for table in reader.model.dicts:
        names = [name for name, _ in dict_entries(table) if GPU.fullmatch(name)]
        values = [item.value for item in table.elements if isinstance(item, cst.DictElement)]
        if names and all(isinstance(value, (cst.Float, cst.Integer, cst.Dict)) for value in values):
            in_tables.update(values)
            yield Spot(table, reader.model.places[table], names[0])
    for node in reader.model.numbers:
        if isinstance(node, (cst.Float, cst.Integer)):
            peak = PEAKS.get(number_value(node) or 0)
            if peak and not reader.model.within(node, in_tables):
                yield Spot(
                    node,
                    reader.model.places[node],
                    peak,
                    "high" if isinstance(node, cst.Float) else None,
                )


@detector("gpu-name-test")
def gpu_name_test(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield comparisons of the name of a device with that of a GPU."""
    model = reader.model
    for node in model.comparisons:
        if len(node.comparisons) != 1:
            continue
        other = node.comparisons[0].comparator
        operator = node.comparisons[0].operator
        for side, against in ((node.left, other), (other, node.left)):
            text = string_value(side)
            if text is None or not GPU.fullmatch(text[0]):
                continue
            if isinstance(operator, (cst.In, cst.NotIn)) or _is_gpu_name(against):
                if not isinstance(against, (cst.Dict, cst.DictComp)):
                    yield Spot(node, model.places[node], text[0])
                    break


def _is_gpu_name(node: cst.BaseExpression) -> bool:
    function = node.func if isinstance(node, cst.Call) else node
    return last_name(function).lower() in _MISSES


# --- lists of devices -----------------------------------------------------------------------------


@detector("closed-device-list")
def closed_device_list(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield lists of the devices that code accepts, with CUDA and without room for another."""
    yield from _asserted(reader)
    yield from _choices(reader)
    for binding in _bindings(reader):
        place = binding.place
        for note in _literals(binding.annotation):
            words = [text[0] for item in _items(note) if (text := string_value(item))]
            if _is_closed(words) and not _gives_cuda(reader, binding.value):
                yield Spot(note, place, _shown(words))


def _asserted(reader: Reader) -> Iterator[Spot]:
    """`assert device in ("cpu", "cuda")`, and a `raise` for what is not in the list.

    Without the CPU the list demands a GPU: then the literal is a finding of its own.
    """
    for owner, test, _, _, _ in reader.model.tests:
        for comparison in _comparisons(test):
            operator = comparison.comparisons[0].operator
            wanted = isinstance(operator, cst.In) and isinstance(owner, cst.Assert)
            refused = (
                isinstance(operator, cst.NotIn)
                and isinstance(owner, cst.If)
                and any(isinstance(item, cst.Raise) for item in body_of(owner.body))
            )
            words = _words(reader, comparison.comparisons[0].comparator)
            if (wanted or refused) and "cpu" in words and _is_closed(words):
                yield Spot(comparison, reader.model.places[test], _shown(words))


def _choices(reader: Reader) -> Iterator[Spot]:
    """`choices=[...]` of an option, and `click.Choice([...])`."""
    of_click = set(reader.calls_of(("click.Choice",)))
    for call in reader.model.calls:
        given = argument(call, ("choices",))
        listed = given.value
        outer = call
        if listed is None and call not in of_click:
            continue
        if listed is None and reader.name(call.func) == "click.Choice":
            listed = argument(call, (0, "choices")).value
            parent = reader.model.parents.get(call)
            option = reader.model.parents.get(parent) if isinstance(parent, cst.Arg) else None
            outer = option if isinstance(option, cst.Call) else call
        words = _words(reader, listed)
        if _is_closed(words) and not _gives_cuda(reader, argument(outer, ("default",)).value):
            yield Spot(given.node or call, reader.model.places[call], _shown(words))


def _comparisons(node: cst.BaseExpression) -> Iterator[cst.Comparison]:
    if isinstance(node, cst.BooleanOperation):
        yield from _comparisons(node.left)
        yield from _comparisons(node.right)
    elif isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        yield node


def _words(reader: Reader, node: cst.BaseExpression | None) -> list[str]:
    """The strings of a list that is written where it is used; a named one is reported there."""
    if not isinstance(node, (cst.List, cst.Tuple, cst.Set)):
        return []
    return [text.value for item in reader.elements(node) for text in reader.texts(item)]


def _is_closed(words: list[str]) -> bool:
    kinds = {word.partition(":")[0].lower() for word in words}
    return "cuda" in kinds and bool(kinds & _OTHERS) and not kinds & _OPEN


def _shown(words: list[str]) -> str:
    return ", ".join(words)


def _gives_cuda(reader: Reader, default: cst.BaseExpression | None) -> bool:
    """Whether the default is the device literal, which is a finding of its own."""
    return any(text.value.startswith("cuda") for text in reader.texts(default))


def _bindings(reader: Reader) -> Iterator[Binding]:
    """Parameters and annotated variables of the file, each once."""
    scopes: list[Scope] = [reader.model.root, *reader.model.scopes.values()]
    for scope in scopes:
        for bindings in scope.bindings.values():
            yield from (binding for binding in bindings if binding.annotation is not None)


def _literals(note: cst.BaseExpression | None) -> Iterator[cst.Subscript]:
    """The `Literal[...]` in an annotation, inside `Optional` and unions too."""
    if isinstance(note, cst.BinaryOperation):
        yield from _literals(note.left)
        yield from _literals(note.right)
    elif isinstance(note, cst.Subscript):
        if last_name(note.value) == "Literal":
            yield note
        else:
            for item in _items(note):
                yield from _literals(item)


def _items(node: cst.Subscript) -> list[cst.BaseExpression]:
    return [item.slice.value for item in node.slice if isinstance(item.slice, cst.Index)]
