"""What reaches code that no import leads to: kernels by who starts them, other files by their use.

A kernel in Python is started by functions of its file; a requirement belongs to the project whose
manifest it stands in; a file of a scheduler, or an image, is a way to start a program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from posixpath import basename, dirname

from portaudit.catalogue.entries import aside, by_name, words
from portaudit.catalogue.native import words as native_words
from portaudit.types import Category, FileKind, FileResult, Finding, Kernel, Language, Reach

_PYTHON: frozenset[Language] = frozenset({"triton", "gluon", "tilelang", "cute-dsl", "numba"})
_KERNELS: frozenset[Category] = frozenset({"triton-kernel", "cuda-source"})
SOURCES = (".cu", ".cpp", ".cc", ".cxx", ".c")
"""Native files that are compiled by themselves; others are included."""
LOADING = frozenset({"CDLL", "PyDLL", "cdll", "LoadLibrary", "load_library", "dlopen"})
"""What loads native code by its path."""
_MANIFESTS: frozenset[FileKind] = frozenset({"requirements", "toml", "ini", "yaml", "json"})
"""Kinds of file that say what a project needs, where they start nothing."""
_STARTING: frozenset[FileKind] = frozenset({"docker", "shell", "make", "markdown"})
_MACHINES: frozenset[Category] = frozenset({"container", "scheduler-env"})
"""What is said of the machines that a program is started on, and not of the program."""
_LISTS = frozenset({"requirements", "requirement", "reqs", "deps", "dependencies", "env", "envs"})
"""Folders that hold nothing but requirements: they speak for the folder around them."""
_APART = frozenset(
    (
        *("dev", "develop", "development", "ci", "doc", "docs", "documentation"),
        *("test", "tests", "testing", "lint", "linting", "style", "quality", "typing"),
        *("benchmark", "benchmarks", "example", "examples", "notebook", "notebooks"),
    )
)
"""Words of the name of a manifest, or of an extra, that no run of the project itself needs."""


# --- kernels in Python ----------------------------------------------------------------------------


def started_in(
    results: Iterable[FileResult], findings: Sequence[Finding], kernels: Iterable[Kernel]
) -> dict[str, tuple[str, ...]]:
    """The scopes whose code starts a kernel, by the fingerprints of findings that speak of it.

    What a decorator makes a kernel runs where it is launched: by functions of its own file, or
    under its name by other files. What only other kernels call runs where these do.
    """
    known = [kernel for kernel in kernels if kernel.language in _PYTHON and kernel.fingerprint]
    if not known:
        return {}
    listed = tuple(results)
    own = {result.path: result.facts.native.functions for result in listed}
    used = users(listed, {kernel.name for kernel in known})
    scopes: dict[str, set[str]] = {}
    of_file: dict[str, set[str]] = defaultdict(set)
    for kernel in known:
        starters = [each for each in own.get(kernel.path, ()) if kernel.name in each.launches]
        found: set[str] = set()
        for place in kernel.launched_by:
            before = [each for each in starters if each.line <= place.line]
            if before:
                found.add(max(before, key=lambda each: each.line).name)
        if found:
            of_file[kernel.path] |= found
            if used[kernel.name] - {kernel.path}:
                found.add(kernel.name)
        scopes[kernel.fingerprint] = found
    for kernel in known:
        if not scopes[kernel.fingerprint]:
            alone = not kernel.helper or used[kernel.name] - {kernel.path}
            inner = set() if alone else of_file[kernel.path]
            scopes[kernel.fingerprint] = inner or {kernel.name}
    return _of_statements(findings, scopes)


def users(results: Iterable[FileResult], names: Collection[str]) -> Mapping[str, set[str]]:
    """The files that use some names, in options too, by the name.

    Not those that only have members of their own that are called so.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for result in results:
        code = result.facts.code
        members = set(code.members.split())
        for text in (code.words, *(option.words for option in code.options)):
            for name in text.split():
                if name in names and name not in members:
                    found[name].add(result.path)
    return found


def _of_statements(
    findings: Sequence[Finding], scopes: Mapping[str, Collection[str]]
) -> dict[str, tuple[str, ...]]:
    """The same for all that the head of a kernel holds: its other decorators."""
    places = {
        (item.path, item.lines): tuple(sorted(scopes[item.fingerprint]))
        for item in findings
        if item.fingerprint in scopes and not item.scope and item.lines != (0, 0)
    }
    found = {
        item.fingerprint: places[item.path, item.lines]
        for item in findings
        if item.category in _KERNELS and not item.scope and (item.path, item.lines) in places
    }
    return {
        item.fingerprint: tuple(sorted(scopes[item.fingerprint]))
        for item in findings
        if item.fingerprint in scopes and not item.scope
    } | found


# --- compiled kernels -----------------------------------------------------------------------------


def unused_headers(results: Iterable[FileResult], kernels: Iterable[Kernel]) -> dict[str, Reach]:
    """What reaches kernels of headers that no source of an extension starts, by fingerprint.

    A library of headers that was copied into a tree has more than is used of it: what only headers
    start, or only its own examples, is in no extension that Python could import.
    """
    known = [
        kernel
        for kernel in kernels
        if kernel.fingerprint
        and kernel.launched_by
        and not (kernel.callers or kernel.bound_as or kernel.path.endswith(SOURCES))
    ]
    if not known:
        return {}
    starting: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for result in results:
        for function in result.facts.native.functions:
            for name in (*function.launches, *function.calls):
                starting[name].append((result.path, function.name))
    found: dict[str, Reach] = {}
    for kernel in known:
        files = _starting_files(kernel, starting)
        if not any(path.endswith(SOURCES) and aside(path) is None for path in files):
            shown = (aside(path) for path in sorted(files))
            found[kernel.fingerprint] = next((each for each in shown if each), "unreached")
    return found


def _starting_files(kernel: Kernel, starting: Mapping[str, Sequence[tuple[str, str]]]) -> set[str]:
    """The files with functions that start a kernel, themselves or through others."""
    own = [each for each in starting[kernel.name] if each[0] == kernel.path]
    files: set[str] = set()
    seen: set[str] = set()
    waiting = own or list(starting[kernel.name])
    while waiting:
        path, name = waiting.pop()
        files.add(path)
        if name not in seen:
            seen.add(name)
            waiting.extend(starting.get(name, ()))
    return files


def binding_folders(
    results: Iterable[FileResult], kernels: Iterable[Kernel]
) -> frozenset[str] | None:
    """The folders whose native code Python may know: with bindings beside or below, or around.

    None where there are compiled kernels: they may be loaded in ways that nobody sees. Without any,
    what lies apart from all bindings is a program of its own.
    """
    if any(kernel.language not in _PYTHON for kernel in kernels):
        return None
    listed = tuple(results)
    tops = {
        result.path.partition("/")[0]
        for result in listed
        if result.facts.native.bound and "/" in result.path
    }
    if not tops and not any(result.facts.native.bound for result in listed):
        return frozenset()
    at_top = any(result.facts.native.bound for result in listed if "/" not in result.path)
    folders = {dirname(result.path) for result in listed}
    return frozenset(
        each for each in folders if at_top or not each or each.partition("/")[0] in tops
    )


def engine_folders(results: Iterable[FileResult], findings: Iterable[Finding]) -> frozenset[str]:
    """The folders whose native code is a part of an engine for inference: TensorRT's plugins.

    Python's modules are elsewhere: neither there nor below does anything have a name for Python.
    """
    engines = native_words().engines
    found = {
        dirname(item.path)
        for item in findings
        if item.category == "cuda-source" and item.anchor in engines
    }
    bound = {dirname(result.path) for result in results if result.facts.native.bound}
    return frozenset(
        folder
        for folder in found
        if not any(each == folder or each.startswith(f"{folder}/") for each in bound)
    )


# --- files that are no code -----------------------------------------------------------------------


def of_manifest(path: str, kind: FileKind, main: Iterable[str], extra: str = "") -> Reach | None:
    """What needs a requirement, by the manifest that it stands in; None for what is no manifest.

    What lies above the main program is its project's; what lies elsewhere is another one's.
    `extra`: that, or the group, which it belongs to, whose name says as much as that of a file.
    """
    if not _is_manifest(path, kind):
        return None
    place = aside(path)
    folder = dirname(path)
    while basename(folder).lower() in _LISTS:
        folder = dirname(folder)
    is_above = any(f"{start}".startswith(f"{folder}/" if folder else "") for start in main)
    if place and not is_above:
        return place
    apart = (words(basename(path).partition(".")[0]) | words(extra)) & _APART
    return "main" if is_above and not apart else place or "other"


def is_required(finding: Finding, kind: FileKind) -> bool:
    """Whether a finding is a requirement of a manifest."""
    return finding.category == "dependency" and _is_manifest(finding.path, kind)


def is_for_training(finding: Finding) -> bool:
    """Whether the name of the extra, or the group, of a requirement says that training needs it."""
    return by_name(finding.scope) == "training"


def _is_manifest(path: str, kind: FileKind) -> bool:
    return kind in _MANIFESTS or basename(path) == "setup.py"


def of_start(finding: Finding, kind: FileKind) -> Reach | None:
    """What a file is for that does not start the usual run, though it could start some run.

    It is one of several ways to start something: an image, a scheduler's job, a line of a README.
    """
    is_start = kind in _STARTING or finding.category in _MACHINES
    return (aside(finding.path) or "other") if is_start else None
