"""Kernels with all that the inventory says of them, and the functions that lead to them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, pairwise

from portaudit.catalogue.difficulty import difficulty
from portaudit.catalogue.native import types_of
from portaudit.read.native.bodies import (
    Bodies,
    Usage,
    aliases,
    dispatched_to,
    grid_barrier,
    indirect,
    seen_features,
)
from portaudit.read.native.choices import Choices
from portaudit.read.native.structure import Definition, Range, Structure, angle, split, written
from portaudit.read.native.tokens import Tokens
from portaudit.types import Feature, Function, Kernel

INDIRECT = "indirect addressing"
_BARRIER = "grid synchronisation"
_GRID = frozenset({"this_grid", "grid_group"})
_GRAPHS = "CUDA graphs"
_OWN = re.compile(
    r"__\w+|[a-z]+[0-9]?f?|atomic\w+|make_\w+|static_\w+|min\w*|max\w*|[A-Z0-9_]+|\w+_cast|\w+_t|cu(?:da|rand)\w+"
)
"""Names of intrinsics, of mathematics, of types and of macros."""
_REGISTRATIONS = re.compile(r"PYBIND11_MODULE|NB_MODULE|TORCH_LIBRARY\w*|TEST\w*")
_LIBRARY = ("Library", "&")
_FEW = 40
_MOST = 200
"""Functions that a kernel calls, directly and through others, that are looked at.

Also the places where a function names kernels, if it is told which of them exclude one another.
"""


class Inventory:
    """Answers about the definitions of a file."""

    def __init__(self, tokens: Tokens, found: Structure, namespaces: frozenset[str]) -> None:
        self.tokens = tokens
        self.structure = found
        self.namespaces = namespaces
        self.bodies = Bodies(tokens)
        self.usages = [self.bodies.of(each) for each in found.definitions]
        self._known_features: dict[int, Mapping[str, tuple[int, int]]] = {}
        self._known_rows: dict[int, frozenset[int]] = {}
        self.by_name: dict[str, list[int]] = defaultdict(list)
        for number, each in enumerate(found.definitions):
            self.by_name[each.name].append(number)

    @cached_property
    def kernel_names(self) -> frozenset[str]:
        """The names of the kernels that are defined here."""
        return frozenset(each.name for each in self.structure.definitions if each.kernel)

    # --- functions ---

    @cached_property
    def launches(self) -> list[tuple[str, ...]]:
        """What each definition launches, in order: a variable's kernels instead of the variable."""
        return [
            self._launches(each, usage)
            for each, usage in zip(self.structure.definitions, self.usages, strict=True)
        ]

    def _launches(self, definition: Definition, usage: Usage) -> tuple[str, ...]:
        if definition.kernel:
            return tuple(usage.launches)
        found = dict.fromkeys(usage.launches)
        known = self.kernel_names
        unknown = set(found) - known
        held = aliases(self.tokens, definition.body, unknown) if unknown else {}
        names = dict.fromkeys(name for each in found for name in held.get(each) or [each])
        names.update(dict.fromkeys(name for name in usage.names if name in known))
        return tuple(names)

    def functions(self, devices: Mapping[str, str]) -> Iterator[Function]:
        """The host functions that call something; `devices`: of those registered for one."""
        for number, each in enumerate(self.structure.definitions):
            usage, launches = self.usages[number], self.launches[number]
            host = not (each.kernel or each.device or is_registration(self.tokens, each))
            calls = (*usage.calls, *dispatched_to(self.tokens, each.body)) if host else ()
            if host and (launches or calls):
                line = self.line(each)
                device = devices.get(each.name, "")
                choices = Choices(self.tokens, each.body)
                yield Function(
                    *(each.name, line, launches, calls, device),
                    choices=tuple(self._chosen(number, choices)) if launches[1:] else (),
                    again=tuple(self._again(usage, choices)),
                )

    def _again(self, usage: Usage, choices: Choices) -> Iterator[str]:
        """The functions that one run of another may call more than once, as far as is seen."""
        words = self.tokens.words
        for name, at in usage.calls.items():
            is_one = usage.names[name] == 1 and words[at] == name
            opening = at + 1
            if is_one and words[opening] == "<":
                opening = angle(self.tokens, opening) + 1
            if not is_one or words[opening] != "(" or choices.may_repeat(at, opening):
                yield name

    def _chosen(self, number: int, choices: Choices) -> Iterator[tuple[str, ...]]:
        """Kernels of the same parameters of which one run of a function launches one at most."""
        alike: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
        places = self._naming(number)
        if sum(map(len, places.values())) > _MOST:
            return
        for name in self.launches[number]:
            groups = alike[self._types(name)]
            for group in groups if places[name] else ():
                if all(
                    choices.exclude(one, other)
                    for each in group
                    for one in places[each]
                    for other in places[name]
                ):
                    group.append(name)
                    break
            else:
                groups.append([name])
        for groups in alike.values():
            for group in groups:
                if group[1:]:
                    yield tuple(sorted(group, key=lambda name: places[name][0]))

    def _naming(self, number: int) -> dict[str, list[int]]:
        """Where a function says the names of its kernels, or of macros that launch them."""
        body = self._definition(number).body
        before = self.tokens.starts[body.end] if body.end < len(self.tokens) else 0
        places: dict[str, list[int]] = {name: [] for name in self.launches[number]}
        for at in range(body.start, body.end):
            word = self.tokens.words[at]
            launched: Collection[str] = (word,)
            if word in self.tokens.defined:
                ends = before or len(self.tokens.text.data)
                launched = {word, *self.bodies.launches_of(word, ends)}
            for name in launched:
                if name in places:
                    places[name].append(at)
        return places

    def _types(self, name: str) -> tuple[str, ...]:
        """The types of a kernel's parameters; of one of another file, or of several, its name."""
        known = [self._definition(each) for each in self.by_name[name]]
        kernels = [each for each in known if each.kernel]
        if len(kernels) != 1:
            return (name,) if kernels else ()
        return types_of(self._parameters(kernels[0]))

    def on_device(self) -> Iterator[Function]:
        """Functions for the device with features, and what calls functions of other files.

        All with what they call in this file.
        """
        for number, each in enumerate(self.structure.definitions):
            if not each.kernel and (self.launches[number] or not each.device):
                continue
            reached = [number, *islice(self._reached(number), _FEW)]
            outside = self._outside(reached)
            features = () if each.kernel else tuple(self._combined(reached))
            if features or outside:
                rows = frozenset[int]().union(*map(self._rows, reached))
                yield Function(
                    each.name,
                    self.line(each),
                    calls=outside,
                    features=features,
                    lines=len(rows),
                )

    def _outside(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """The functions that some definitions call and this file does not define."""
        calls = (name for number in numbers for name in self.usages[number].calls)
        return tuple(
            dict.fromkeys(
                name
                for name in calls
                if name not in self.by_name and name not in self.tokens.defined
            )
        )

    def _combined(self, numbers: Iterable[int]) -> list[Feature]:
        found: dict[str, tuple[int, int]] = {}
        for number in numbers:
            for name, (line, count) in self._counted(number).items():
                first, total = found.get(name, (line, 0))
                found[name] = first, total + count
        return [Feature(name, line, count) for name, (line, count) in found.items()]

    # --- kernels ---

    def kernels(self) -> Iterator[tuple[Definition, Kernel]]:
        """The kernels in order."""
        dispatched = self._dispatched()
        graphs = self._in_graphs()
        for number, each in enumerate(self.structure.definitions):
            if not each.kernel:
                continue
            reached = list(self._reached(number))
            features = self._features(number, reached)
            if each.name in graphs:
                features.append(Feature(_GRAPHS, graphs[each.name]))
            rows = self._rows(number)
            lines = len(rows.union(*map(self._rows, reached)))
            elsewhere = [name for name in self._outside([number, *reached]) if not _known(name)]
            level, reasons = difficulty(features, lines, elsewhere)
            yield (
                each,
                Kernel(
                    name=each.name,
                    language="cuda",
                    path=self.tokens.text.path,
                    line=self.line(each),
                    end_line=self._end_line(each),
                    lines=len(rows),
                    difficulty=level,
                    reasons=reasons,
                    features=tuple(features),
                    parameters=self._parameters(each),
                    variants=(
                        *self._template(each),
                        *(args for name, args in self.structure.instances if name == each.name),
                        *dispatched.get(each.name, ()),
                    ),
                ),
            )

    def line(self, definition: Definition) -> int:
        """Where a definition begins: at its `__global__`, or else its name."""
        if definition.defined_at is not None:
            return self.tokens.line(definition.defined_at.start)
        return self.tokens.line_of(definition.at)

    def _end_line(self, definition: Definition) -> int:
        pattern = definition.pattern
        if pattern is not None and definition.defined_at is not None:
            return pattern.code.line_of(pattern.end)
        return self.tokens.line_of(max(definition.body.end, definition.at))

    def _definition(self, number: int) -> Definition:
        return self.structure.definitions[number]

    def _reached(self, start: int) -> Iterator[int]:
        """The functions of this file that a kernel calls, directly or through others."""
        seen = {start}
        waiting = [start]
        while waiting and len(seen) < _MOST:
            for name in self.usages[waiting.pop()].calls:
                for number in self.by_name.get(name, ()):
                    if number not in seen and not self._is_of_host(number):
                        seen.add(number)
                        waiting.append(number)
                        yield number

    def _is_of_host(self, number: int) -> bool:
        """Whether no kernel can call a function: it is one, or starts some and is for the host.

        An overload for the device, or the function of a class, may have the same name.
        """
        each, usage = self._definition(number), self.usages[number]
        return each.kernel or (not each.device and bool(usage.launches or usage.names["<<<"]))

    def _counted(self, number: int) -> Mapping[str, tuple[int, int]]:
        """The features of one definition: the first line, and how often."""
        known = self._known_features.get(number)
        if known is not None:
            return known
        found: dict[str, tuple[int, int]] = {}
        for name, at, count in seen_features(self.usages[number], self.namespaces):
            line = self._line(number, at)
            first, total = found.get(name, (line, 0))
            found[name] = min(first, line), total + count
        self._known_features[number] = found
        return found

    def _line(self, number: int, at: int) -> int:
        """The line of a token that a definition, or the macro that makes it, uses."""
        definition = self._definition(number)
        start = definition.body.start
        inside = start <= at <= definition.body.end and definition.defined_at is None
        return self.tokens.line_of(at) if inside else self.line(definition)

    def _features(self, number: int, reached: Sequence[int]) -> list[Feature]:
        """A kernel's features, and those of what it calls, in the order of its first use."""
        found = dict(self._counted(number))
        names = self.usages[number].names.keys()
        definition = self._definition(number)
        head = Range(definition.head, definition.body.start)
        for name in self.tokens.words[head.start : head.end]:
            if name == "__cluster_dims__":
                found.setdefault("thread block clusters", (self.line(definition), 1))
        barrier = grid_barrier(self.tokens, definition.body) if _GRID & names else -1
        if barrier >= 0:
            found[_BARRIER] = self.tokens.line_of(barrier), 1
        addresses = indirect(self.tokens, definition.body, self._given(definition))
        if addresses:
            found[INDIRECT] = self.tokens.line_of(addresses[0]), addresses[1]
        own = dict(sorted(found.items(), key=lambda item: item[1][0]))
        for other in reached:
            for name, (line, count) in self._counted(other).items():
                first, total = own.get(name, (line, 0))
                own[name] = first, total + count
        return [Feature(name, line, count) for name, (line, count) in own.items()]

    def _given(self, definition: Definition) -> list[str]:
        """The names of a definition's parameters."""
        parts = split(self.tokens, definition.parameters)
        words = (self.tokens.words[part.start : part.end] for part in parts)
        return [names[-1] for each in words if (names := [w for w in each if w.isidentifier()])]

    def _rows(self, number: int) -> frozenset[int]:
        """The lines with code of a definition, with those of the macro that makes it."""
        known = self._known_rows.get(number)
        if known is None:
            each = self._definition(number)
            found = self.tokens.rows(each.head, each.body.end + 1)
            if each.pattern is not None:
                found |= each.pattern.code.rows(each.pattern.head, each.pattern.end + 1)
            known = self._known_rows[number] = frozenset(found)
        return known

    def _parameters(self, definition: Definition) -> tuple[str, ...]:
        pattern = definition.pattern
        if pattern is not None and pattern.opening >= 0:
            inside = Range(pattern.opening + 1, pattern.closing)
            return tuple(written(pattern.code, part) for part in split(pattern.code, inside))
        return tuple(
            written(self.tokens, part) for part in split(self.tokens, definition.parameters)
        )

    def _template(self, definition: Definition) -> Iterator[str]:
        if definition.template is not None:
            for part in split(self.tokens, definition.template):
                yield written(self.tokens, part)

    def _dispatched(self) -> dict[str, tuple[str, ...]]:
        """The element types for which dispatch macros compile the kernels that they start."""
        found: dict[str, tuple[str, ...]] = {}
        for usage in self.usages:
            for inside, types in usage.dispatched:
                for name in self._started(self.tokens.words[inside.start : inside.end]):
                    found[name] = tuple(dict.fromkeys((*found.get(name, ()), *types)))
        return found

    def _started(self, names: Iterable[str]) -> set[str]:
        """The kernels that some code names, or starts through a function of this file."""
        found: set[str] = set()
        for name in set(names):
            if name in self.kernel_names:
                found.add(name)
            for number in self.by_name.get(name, ()):
                found.update(self.launches[number])
        return found

    def _in_graphs(self) -> dict[str, int]:
        """The kernels that functions start which capture a CUDA graph, with the line."""
        found: dict[str, int] = {}
        for number, usage in enumerate(self.usages):
            for name, at, _ in seen_features(usage, frozenset()):
                if name == _GRAPHS:
                    line = self._line(number, at)
                    found.update(dict.fromkeys(self.launches[number], line))
        return found


def is_registration(tokens: Tokens, definition: Definition) -> bool:
    """Whether it is no function, but a module, a library of operators or a test.

    Or a function that others give their library to, for it to register more.
    """
    is_block = _REGISTRATIONS.fullmatch(definition.name) is not None
    return is_block or takes_library(tokens, definition)


def takes_library(tokens: Tokens, definition: Definition) -> bool:
    """Whether it is a function that is given a library of operators: `torch::Library& m`."""
    inside = definition.parameters
    return _LIBRARY in pairwise(tokens.words[inside.start : inside.end])


def _known(name: str) -> bool:
    """Whether a function is one of CUDA's own, or of the language, rather than of a project."""
    return bool(_OWN.fullmatch(name))
