"""Joins kernels into operators: what one would write anew, and compare, as one piece of work.

What the same functions start is one operator: its stages, and the variants among which they choose;
of variants that take the same one is written.
So is a kernel with its derivative, and the same kernel copied to another folder. A stage that
several operators share is one of its own. What only kernels call belongs to the first of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, dirname

from msgspec import Struct

from portaudit.catalogue.entries import aside
from portaudit.types import FileResult, Kernel

_BACKWARD = frozenset({"bwd", "backward", "grad"})
_PLAIN = frozenset({"fwd", "forward", "kernel"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_MUCH = 20
"""Lines of code from which a copy is one wherever it stands: of less the files say more."""
_Key = tuple[object, ...]


class Part(Struct, frozen=True):
    """What a kernel is of an operator: `first`, its first kernel · `like`: what is written for it.

    Of a copy that is the first one, of a variant the kernel that stands for all.
    """

    first: Kernel
    like: Kernel


def operators(kernels: Sequence[Kernel], results: Iterable[FileResult] = ()) -> Mapping[str, Part]:
    """The operator that each kernel belongs to, by the fingerprint of its finding.

    Of `results` the native functions are read: which starts which kernels, and what kernels call.
    """
    known = sorted(kernels, key=lambda each: (each.path, each.line, each.name))
    listed = list(results)
    written = [each for each in known if not each.helper]
    copies: dict[_Key, Kernel] = {}
    for each in written:
        copies.setdefault(_copied(each), each)
    named = {(each.launched_by, each.name): each for each in written}

    def standing(kernel: Kernel) -> Kernel:
        return named.get((kernel.launched_by, kernel.variant_of), kernel)

    leaders = _leaders(written, _Starting(listed))
    callers = _Callers(known, listed)
    return {
        each.fingerprint: Part(callers.operator(each, leaders), each)
        if each.helper
        else Part(leaders[each], copies[_copied(standing(each))])
        for each in known
        if each.fingerprint
    }


def _leaders(kernels: Sequence[Kernel], starting: _Starting) -> dict[Kernel, Kernel]:
    """The first kernel of each operator, by its kernels, which are in order."""
    derivatives = {_stem(each.path, each.name) for each in kernels if _is_derivative(each.name)}
    groups: dict[_Key, list[int]] = defaultdict(list)
    for at, kernel in enumerate(kernels):
        for key in _shared(kernel, starting, derivatives):
            groups[key].append(at)
    first = list(range(len(kernels)))

    def find(at: int) -> int:
        while first[at] != at:
            first[at] = first[first[at]]
            at = first[at]
        return at

    for group in groups.values():
        least = min(map(find, group))
        for at in group:
            first[find(at)] = least
    return {kernel: kernels[find(at)] for at, kernel in enumerate(kernels)}


def _shared(kernel: Kernel, starting: _Starting, derivatives: Collection[_Key]) -> Iterator[_Key]:
    """What two kernels of one operator have in common, one of these."""
    functions = starting.of(kernel)
    if functions:
        yield "started by", functions
    for name in filter(None, (kernel.name, kernel.backward)):
        if (derived := _stem(kernel.path, name)) in derivatives:
            yield derived
    yield _copied(kernel)


def _copied(kernel: Kernel) -> _Key:
    """What a kernel and its copies have in common: nobody writes all of it twice by chance."""
    file = basename(kernel.path) if kernel.lines < _MUCH else kernel.language
    return (
        *(file, kernel.name, kernel.parameters, kernel.variants),
        *(kernel.lines, kernel.end_line - kernel.line),
        tuple((each.name, each.count) for each in kernel.features),
    )


class _Starting:
    """Knows which functions start a kernel, but for tests and examples, which start any."""

    def __init__(self, results: Iterable[FileResult]) -> None:
        self._own: dict[tuple[str, str], set[_Key]] = defaultdict(set)
        for result in results:
            for function in result.facts.native.functions:
                for name in function.launches:
                    self._own[result.path, name].add((result.path, function.line))

    def of(self, kernel: Kernel) -> frozenset[_Key]:
        """The places of the functions; those of its own file if there are any."""
        own = self._own.get((kernel.path, kernel.name), set())
        elsewhere = ((each.path, each.line) for each in kernel.launched_by if not aside(each.path))
        return frozenset(own or elsewhere)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_derivative(name: str) -> bool:
    first, *rest = _words(name) or [""]
    return not _BACKWARD.isdisjoint(rest) or first in _BACKWARD - {"grad"}  # `grad_norm`


def _stem(path: str, name: str) -> _Key:
    """What a kernel and its derivative have in common: the folder, and most words of their names.

    Those that are called nothing but `forward` and `backward` have it in one file.
    """
    words = tuple(word for word in _words(name) if word not in _BACKWARD | _PLAIN)
    return dirname(path) if words else path, words


class _Callers:
    """Knows which kernels call what only kernels call, by its bare name."""

    def __init__(self, kernels: Sequence[Kernel], results: Iterable[FileResult]) -> None:
        self._of_file: dict[str, list[Kernel]] = defaultdict(list)
        self._by_name: dict[str, list[Kernel]] = defaultdict(list)
        for kernel in kernels:
            self._of_file[kernel.path].append(kernel)
        named = {(each.path, each.name): each for each in kernels}
        for result in results:
            for function in result.facts.native.on_device:
                caller = named.get((result.path, function.name))
                if caller is not None:
                    for name in function.calls:
                        self._by_name[name].append(caller)
            for kernel in self._of_file.get(result.path, ()):
                for called in result.facts.calls:
                    if called.open and kernel.line <= called.line <= kernel.end_line:
                        self._by_name[called.name.rpartition(".")[2]].append(kernel)

    def of(self, helper: Kernel) -> Sequence[Kernel]:
        """Those that call it; where nobody can tell, all of its file."""
        known = self._by_name.get(helper.name, ())
        own = [each for each in known if each.path == helper.path]
        return own or known or self._of_file[helper.path]

    def operator(self, helper: Kernel, leaders: Mapping[Kernel, Kernel]) -> Kernel:
        """The operator of the first kernel that calls it, itself or through others."""
        seen = {helper}
        waiting = [helper]
        for each in waiting:
            for caller in self.of(each):
                if not caller.helper:
                    return leaders[caller]
                if caller not in seen:
                    seen.add(caller)
                    waiting.append(caller)
        return helper
