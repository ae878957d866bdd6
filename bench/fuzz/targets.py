"""What is fuzzed: every reader of something that strangers write, and what it must never do.

A target takes bytes and raises `BrokenPromiseError`, or whatever a reader raises that it may not.
The first byte of most inputs says what the file is called: some readers go by that.
"""

from __future__ import annotations

import ast
import itertools
import posixpath
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType
from typing import cast
from unittest.mock import patch

import msgspec
from msgspec import Struct

from portaudit import budget, compare, config, discover, engine, results, scan
from portaudit.catalogue import load as catalogue_load
from portaudit.catalogue import operators
from portaudit.catalogue.load import Catalogue, load
from portaudit.config import Config, Options
from portaudit.discover import Side
from portaudit.errors import PortauditError
from portaudit.files import Disk, Overlay
from portaudit.git import Place, Repository
from portaudit.ignores import REFUSALS, linear, spec
from portaudit.kinds import kind_by_name
from portaudit.read.directives import directives
from portaudit.read.python import parse as python_parse
from portaudit.read.python import quick
from portaudit.read.python.parse import UnreadableError
from portaudit.read.statements import split
from portaudit.read.text import BinaryError, decode
from portaudit.report import difference, formats, stored
from portaudit.report import json as report_json
from portaudit.ruleset import Rules
from portaudit.scan import scan_file
from portaudit.store import Store
from portaudit.triage import baseline
from portaudit.triage.difference import differ
from portaudit.triage.rewrite import accept
from portaudit.types import FileResult, Report, SourceFile, Span

SECONDS = 10
"""Of processor time for one input of a few kilobytes; what takes longer hangs."""
_NOWHERE = Path("/portaudit-fuzz")
"""A root where nothing is: what is read is in memory."""
PATHS: Mapping[str, tuple[str, ...]] = {
    "python": ("train.py", "setup.py", "pkg/__init__.py", "tests/test_a.py", "configs/large.py"),
    "notebook": ("demo.ipynb",),
    "shell": ("run.sh", "train.sbatch", "a.pbs"),
    "native": ("k.cu", "k.hip", "ops.cpp", "ops.h"),
    "docker": ("Dockerfile", "gpu.dockerfile"),
    "make": ("Makefile", "rules.mk"),
    "cmake": ("CMakeLists.txt", "cuda.cmake"),
    "hcl": ("main.tf", "gpu.tfvars"),
    "gin": ("model.gin",),
    "yaml": ("conf.yaml", ".github/workflows/ci.yml", "environment.yml", "compose.yaml"),
    "json": ("conf.json", "Pipfile.lock", "ds_config.json", "tsconfig.jsonc"),
    "toml": ("conf.toml", "pyproject.toml", "Pipfile", "uv.lock", "poetry.lock"),
    "requirements": ("requirements.txt", "constraints.txt", "requirements/dev.in"),
    "markdown": ("README.md", "INSTALL.rst"),
    "ini": ("setup.cfg",),
}
"""What a file is called, by the kind that it has then."""
_ANY_PATH = tuple(path for paths in PATHS.values() for path in paths)
PART = b"\n%%%% "
"""What begins another file of an input; the rest of the line is its path."""


class BrokenPromiseError(Exception):
    """An input for which a reader does not hold what it promises."""


class Target(Struct, frozen=True):
    """A reader: what is done with an input, which may give what came of it; how long one may be."""

    name: str
    check: Callable[[bytes], object]
    longest: int = 4096


def within_limits(target: Target, data: bytes) -> None:
    """Check one input; one that takes too long is an error."""
    scan.forget()
    try:
        with budget.limited(SECONDS):
            target.check(data)
    except budget.OverBudgetError:
        raise BrokenPromiseError(f"more than {SECONDS} s") from None


def _expect(condition: object, text: str) -> None:
    if not condition:
        raise BrokenPromiseError(text)


def _one_of(data: bytes, number: int) -> bool:
    """Whether an input is among the one in so many that are looked at more closely."""
    return sha256(data).digest()[0] % number == 0


@cache
def catalogue() -> Catalogue:
    """The rules that come with the program."""
    return load()


# --- files ----------------------------------------------------------------------------------------


def path_and_content(data: bytes, paths: Sequence[str]) -> tuple[str, bytes]:
    """What an input says that a file is called, and what it holds."""
    return paths[(data[0] if data else 0) % len(paths)], data[1:]


def source_of(path: str, content: bytes) -> SourceFile:
    """A file as a scan gets it."""
    kind = kind_by_name(path)
    assert kind is not None
    return SourceFile(path, kind, content)


def _scanned(source: SourceFile) -> FileResult:
    return scan_file(source, catalogue(), "torchneuron")


def check_file(data: bytes, paths: Sequence[str]) -> FileResult:
    """Scan a file and look at what is told of it."""
    source = source_of(*path_and_content(data, paths))
    found = _scanned(source)
    check_result(source, found)
    if source.kind in {"python", "notebook"}:
        check_parsers(source, found)
    if _one_of(data, 8):
        scan.forget()
        _expect(_scanned(source) == found, "another result the second time")
    return found


def check_result(source: SourceFile, found: FileResult) -> None:
    """A result is of its file, has places that are in it, and can be kept."""
    _expect(found.path == source.path, "a result of another file")
    _expect(not found.failed, f"failed: {'; '.join(error.reason for error in found.errors)}")
    lines = _lines(source)
    if lines is None:
        _expect(not found.findings, "findings in what is no text")
        live = source.kind == "python" or catalogue().items.trigger(source.kind).search(
            source.content
        )
        _expect(found.errors or not live, "no text, and no word of it")
    else:
        _check_places(found, source.path, lines)
    prints = [each.fingerprint for each in found.findings]
    _expect(len(set(prints)) == len(prints), "two findings are one")
    try:
        packed = msgspec.msgpack.encode(found)
    except results.UNWRITABLE:
        return
    _expect(msgspec.msgpack.decode(packed, type=FileResult) == found, "not what was kept")


def _lines(source: SourceFile) -> list[str] | None:
    """The lines of a file; None where it is no text."""
    try:
        if source.kind == "python":
            return split(python_parse.decode(source.content))
        return split(decode(source.content))
    except (UnreadableError, BinaryError):
        return None


def _check_places(thing: object, path: str, lines: Sequence[str]) -> None:
    """Every place in a result that is one of this file lies in it."""
    waiting = [thing]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Span):
            _check_span(each, lines)
        elif isinstance(each, Struct):
            if getattr(each, "path", path) == path:
                line = getattr(each, "line", None)
                _expect(line is None or 0 <= line <= len(lines), f"no line {line}: {each}")
                waiting += (getattr(each, name) for name in each.__struct_fields__)
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, (tuple, list, frozenset)):
            waiting += each


def _check_span(span: Span, lines: Sequence[str]) -> None:
    _expect(1 <= span.line <= span.end_line <= len(lines), f"lines of {span} of {len(lines)}")
    _expect((span.line, span.column) <= (span.end_line, span.end_column), f"backwards: {span}")
    for line, column in ((span.line, span.column), (span.end_line, span.end_column)):
        _expect(1 <= column <= len(lines[line - 1]) + 1, f"no column {column} in line {line}")


def parses_twice(source: SourceFile) -> bool:
    """Whether both parsers of Python read a file, the whole of it.

    libcst does not know all that Python does: `(a): b`.
    """
    try:
        with patch.object(quick, "read", lambda _: None):
            if python_parse.parse(source.path, source.content).damage:
                return False
        return python_parse.parse(source.path, source.content).tree is not None
    except UnreadableError:
        return False


def check_parsers(source: SourceFile, found: FileResult) -> None:
    """Whatever is read by Python's own parser is judged as by libcst."""
    if source.kind == "python" and not parses_twice(source):
        return
    scan.forget()
    with patch.object(quick, "read", lambda _: None):
        other = _scanned(source)
    scan.forget()
    _expect(other == found, f"libcst says otherwise: {_first_difference(found, other)}")


def _first_difference(one: object, other: object, where: str = "") -> str:
    if isinstance(one, Struct) and type(one) is type(other):
        for name in one.__struct_fields__:
            if getattr(one, name) != getattr(other, name):
                return _first_difference(
                    getattr(one, name), getattr(other, name), f"{where}.{name}"
                )
    if isinstance(one, tuple) and isinstance(other, tuple):
        for at, (left, right) in enumerate(itertools.zip_longest(one, other)):
            if left != right:
                return _first_difference(left, right, f"{where}[{at}]")
    return f"{where}: {one!r} and {other!r}"[:400]


def check_directives(data: bytes) -> None:
    """Comments that accept findings: they stand in the file, and speak of lines of it."""
    source = source_of(*path_and_content(data, _ANY_PATH))
    said = directives(source)
    lines = _lines(source)
    _expect(lines is not None or not said, "comments of a file that is no text")
    if lines is not None:
        _check_places(said, source.path, lines)
        for each in said:
            _expect(1 <= each.line <= len(lines), f"no line {each.line}")
            _expect(1 <= each.column <= len(lines[each.line - 1]) + 1, f"no column {each.column}")
            _expect(all(1 <= line <= len(lines) for line in each.lines), f"{each.lines}")
    _expect(directives(source) == said, "others the second time")


def check_accepting(data: bytes) -> None:
    """Comments that portaudit writes: the code stays the same, and each is there."""
    source = source_of(*path_and_content(data, _ANY_PATH))
    found = _scanned(source)
    if found.errors or not found.findings:
        return
    made = accept(source, found.findings, "why not")
    refused = {finding.fingerprint for finding, _ in made.refused}
    accepted = {each.fingerprint for each in found.findings} - refused
    _expect(bool(accepted) == (made.content != source.content), "changed, or not")
    again = _scanned(SourceFile(source.path, source.kind, made.content))
    there = {each.fingerprint for each in again.findings}
    _expect(accepted <= there, "a finding went with its comment")
    if source.kind == "python":
        _expect(_code(made.content) == _code(source.content), "other code")


def _code(content: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(content))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# --- trees ----------------------------------------------------------------------------------------


def parts(data: bytes) -> dict[str, bytes]:
    """The files of an input, by paths that a tree can have together."""
    found: dict[str, bytes] = {}
    for part in (b"\n" + data).split(PART)[1:]:
        name, _, content = part.partition(b"\n")
        path = posixpath.normpath(name.decode("utf-8", "surrogateescape").strip().lstrip("/"))
        above = {path[:at] for at, letter in enumerate(path) if letter == "/"}
        free = path not in {".", ""} and ".." not in path.split("/") and "\0" not in path
        if (
            free
            and not above & found.keys()
            and not any(other.startswith(f"{path}/") for other in found)
        ):
            found[path] = content
    return found


def tree_of(files: Mapping[str, bytes]) -> bytes:
    """An input for `parts`."""
    return b"".join(PART + path.encode() + b"\n" + text for path, text in files.items())[1:]


@cache
def _usual() -> tuple[Config, Rules]:
    usual = Config(_NOWHERE, (_NOWHERE,), jobs=1, cache=False, tree_seconds=SECONDS)
    return usual, Rules(usual)


def check_tree(data: bytes) -> Report | None:
    """Whole trees: what files tell one another cannot bring down what relates them."""
    told = _reported(parts(data))
    if told is None:
        return None
    _expect(not any("please report" in error.reason for error in told.errors), "failed")
    text = report_json.render(told)
    again = stored.parse(text.encode("utf-8", "surrogatepass"), "it")
    _expect(report_json.render(again) == text, "not as stored")
    if _one_of(data, 16):
        _check_formats(told)
    if _one_of(data, 8):
        _expect(_reported(parts(data)) == told, "another report the second time")
    return told


def _reported(files: Mapping[str, bytes]) -> Report | None:
    """The report on files that are only in memory; None without any."""
    if not files:
        return None
    settings, rules = _usual()
    rules.__dict__.pop("results", None)  # what was made of other trees is not kept
    scan.forget()
    held = Overlay(Disk(_NOWHERE), files)
    return engine.scan(settings, rules=rules, side=Side(held, discover.walk(held, [_NOWHERE])))


def _check_formats(told: Report) -> None:
    for made in formats.FORMATS.values():
        _expect(isinstance(made.render(told, formats.View(100)), str), "no text")


def check_ignoring(data: bytes) -> None:
    """Ignore files and patterns of settings: what is left out is what pathspec says."""
    text, _, listed = data.partition(PART)
    paths = parts(PART + PART.join(listed.split(b"\n")))
    files = {**dict.fromkeys(paths, b""), ".gitignore": text}
    held = Overlay(Disk(_NOWHERE), files)
    found = discover.walk(held, [_NOWHERE])
    _expect(set(found.selected) <= files.keys(), "files that are none")
    lines = text.decode("utf-8", "replace").split("\n")
    for line in lines:
        with suppress(PortauditError):
            discover.walk(held, [_NOWHERE], [line])
        with suppress(PortauditError):
            spec([line]).match_file("a/b.py")
    _check_patterns(lines, list(files))


_SHORT, _STARS = 40, 4
"""Letters and stars of a pattern that pathspec's own expression can be tried with."""


def _check_patterns(lines: Sequence[str], paths: Sequence[str]) -> None:
    """A pattern that is made linear fits what it did. Short ones: others take too long as made."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - as the program does
    from pathspec.pattern import RegexPattern  # noqa: PLC0415

    for line in lines:
        if len(line) > _SHORT or line.count("*") > _STARS:
            continue
        try:
            made = list(GitIgnoreSpec.from_lines([line]).patterns)
        except REFUSALS:
            continue
        for pattern in made:
            if isinstance(pattern, RegexPattern) and pattern.regex is not None:
                ours = linear(pattern.regex)
                for path in paths:
                    same = bool(ours.match(path[:60])) == bool(pattern.regex.match(path[:60]))
                    _expect(same, f"{line!r} and {path!r}")


# --- what the user has beside the code ------------------------------------------------------------


@cache
def _folder() -> Path:
    """A place for files that are read from the disk only."""
    return Path(mkdtemp(prefix="portaudit-fuzz-")).resolve()


def check_rules(data: bytes) -> None:
    """Rules and tables of a tree: refused with a reason, or as good as our own."""
    place = _folder() / "rules"
    (place / "_data").mkdir(parents=True, exist_ok=True)
    text, _, table = data.partition(PART)
    (place / "rule.toml").write_bytes(text)
    (place / "_data" / "table.csv").write_bytes(table.partition(b"\n")[2])
    try:
        with patch.object(catalogue_load, "builtin_rules", _guards_only):
            rules = load([place])
    except PortauditError as error:
        _expect(str(error), "refused without a word")
        return
    for path, content in (("a.py", _PYTHON), ("a.sh", _SHELL), ("a.yaml", b"a:\n  device: cuda\n")):
        source = source_of(path, content)
        check_result(source, scan_file(source, rules, "torchneuron"))


_PYTHON = b"import torch\nfrom apex import amp\nx = torch.zeros(3, device='cuda').cuda()\n"
_SHELL = b"pip install flash-attn\nexport NCCL_DEBUG=INFO\npython train.py --device cuda\n"


@cache
def _guards_only() -> Path:
    """Rules of our own of which only the guards are there: the others take too long to load."""
    from portaudit.catalogue.place import builtin_rules  # noqa: PLC0415 - where `load` looks

    place = _folder() / "builtin"
    (place / "_data").mkdir(parents=True, exist_ok=True)
    text = (builtin_rules() / "_data" / "guards.toml").read_bytes()
    (place / "_data" / "guards.toml").write_bytes(text)
    return place


def check_settings(data: bytes) -> None:
    """Settings: refused with a reason, or shown as settings that say the same."""
    root = _folder() / "settings"
    (root / "rules").mkdir(parents=True, exist_ok=True)
    (root / "train.py").touch()
    name, content = path_and_content(data, (config.OWN_FILE, config.SHARED_FILE))
    for other in (config.OWN_FILE, config.SHARED_FILE):
        (root / other).unlink(missing_ok=True)
    (root / name).write_bytes(content)
    try:
        found = config.load([root], Options(root=root), cwd=root)
    except PortauditError as error:
        _expect(str(error), "refused without a word")
        return
    (root / name).unlink()
    shown = config.show(found)
    (root / config.OWN_FILE).write_text(_without_defaults(shown), encoding="utf-8")
    again = config.load([root], Options(root=root), cwd=root)
    _expect(config.in_force(again) == config.in_force(found), f"not what was shown: {shown}")


def _without_defaults(shown: str) -> str:
    """The settings of a run that somebody set."""
    return "".join(
        f"{line}\n" for line in shown.split("\n") if line and not line.endswith("# default")
    )


def check_operators(data: bytes) -> None:
    """Lists of operators."""
    place = _folder() / "operators.txt"
    place.write_bytes(data)
    try:
        found = operators.read(place)
    except PortauditError as error:
        _expect(str(error), "refused without a word")
        return
    _expect(not found.lacks(sorted(found.names)), "lacks what it lists")


def check_baseline(data: bytes) -> None:
    """Baselines: refused with a reason, or written as they were read."""
    try:
        found = baseline.parse(data, "it")
    except baseline.BaselineError as error:
        _expect(str(error), "refused without a word")
        return
    try:
        text = baseline.dump(found).encode()
    except UnicodeEncodeError:
        raise BrokenPromiseError("read, but cannot be written") from None
    _expect(baseline.parse(text, "it") == found, "another one, written")
    told = some_report()
    reading = baseline.Reading(
        {each.path for each in told.findings}, lambda _: True, {each.rule for each in told.findings}
    )
    made = baseline.compare(told.findings, found.entries, reading, today=_TODAY)
    _expect(len(made.findings) == len(told.findings), "findings came or went")
    baseline.renew(made, {"new", "updated"})


_TODAY = date(2026, 1, 1)


@cache
def some_report() -> Report:
    """A report with a finding of each of three kinds."""
    told = _reported({"train.py": _PYTHON, "run.sh": _SHELL, "k.cu": b"__global__ void k() {}\n"})
    assert told is not None
    return told


def check_report(data: bytes) -> None:
    """Stored reports: refused with a reason, or shown in every format, and compared."""
    number, content = data[:1], data[1:]
    try:
        told = stored.parse(content, "it")
    except PortauditError as error:
        _expect(str(error), "refused without a word")
        return
    at = number[0]
    chosen = formats.FORMATS[sorted(formats.FORMATS)[at % len(formats.FORMATS)]]
    grouped = ("", *formats.GROUPS)[at % (len(formats.GROUPS) + 1)]
    view = formats.View(40 + at, verbose=bool(at & 1), group_by=grouped)
    _expect(isinstance(chosen.render(told, view), str), "no text")
    text = report_json.render(told)
    again = stored.parse(text.encode("utf-8", "surrogatepass"), "it")
    _expect(report_json.render(again) == text, "another one, written")
    for pair in ((told, some_report()), (some_report(), told)):
        difference.render(differ(*pair, ("a", "b")), width=100, color=False, verbose=True, links="")


def check_kept(data: bytes) -> None:
    """What the cache holds: something of the right form, or nothing."""
    kept = results.Results(catalogue(), "torchneuron", cast("Store", _Kept(data)), b"")
    found = kept.get(b"key")
    outline = kept.outline(b"key")
    for each in (found, outline):
        if each is not None:
            try:
                packed = msgspec.msgpack.encode(each)
            except results.UNWRITABLE:
                continue
            _expect(msgspec.msgpack.decode(packed, type=type(each)) == each, "not what was kept")


class _Kept:
    """A store that has one content under each key."""

    def __init__(self, content: bytes) -> None:
        import zlib  # noqa: PLC0415 - as the cache packs it

        raw = content[:1] == b"\0"
        self._content = content[1:] if raw else zlib.compress(content[1:], 1)

    def get(self, _key: bytes) -> memoryview:
        return memoryview(self._content)


# --- changes --------------------------------------------------------------------------------------

_HEAD = re.compile(rb":([0-7]{6}) ([0-7]{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) ([ADMTUXR])(\d{0,3})")
_LISTED = re.compile(rb"([0-7]{6}) (?:blob |commit )?([0-9a-f]{40})( [0-3])?\t([^\0]+)", re.DOTALL)


class _Told(Repository, frozen=True):
    """A repository of which git says what an input does, as far as git would ever say it."""

    said: Mapping[str, bytes] = MappingProxyType({})

    def run(self, *words: str, **_rest: object) -> subprocess.CompletedProcess[bytes]:
        """What git writes for these words."""
        said = next((text for word, text in self.said.items() if word in words), b"")
        return subprocess.CompletedProcess(words, 0, said, b"")


def check_git(data: bytes) -> None:
    """What git says of changes and files, with any modes, names and states."""
    told, _, listed = data.partition(PART)
    records = list(_differences(told.split(b"\0")))
    entries = [found for each in listed.split(b"\0") if (found := _LISTED.fullmatch(each))]
    said = {
        "diff-tree": b"".join(records),
        "diff-index": b"".join(records),
        "ls-tree": b"".join(b"%s blob %s\t%s\0" % each.group(1, 2, 4) for each in entries),
        "ls-files": b"".join(
            b"%s %s %s\t%s\0" % (*each.group(1, 2), (each[3] or b" 0")[1:], each[4])
            for each in entries
        ),
    }
    for prefix in ("", "sub/"):
        repository = _Told(_NOWHERE, _NOWHERE, prefix, "git", {}, said)
        for changes in (
            repository.changes("a" * 40, "b" * 40),
            repository.changes("a" * 40, Place.INDEX),
        ):
            for each in changes:
                _expect(each.old is not None or each.new is not None, "a change of nothing")
            renames = compare.renamed(changes)
            _expect(all(old != new for old, new in renames.items()), "renamed to itself")
        for side in (repository.revision("a" * 40), repository.index()):
            listed_kinds = {path: blob.kind for path, blob in side.blobs.items()}
            _expect(side.is_folder(""), "no root")
            _expect(set(side.pins) <= listed_kinds.keys(), "pins of nothing")


def _differences(fields: Sequence[bytes]) -> Iterator[bytes]:
    """The records of `git diff --raw -z` in an input that git could have written."""
    left = iter(fields)
    for field in left:
        if found := _HEAD.fullmatch(field):
            paths = [next(left, b"")]
            if found[5] == b"R":
                paths.append(next(left, b""))
            if all(paths):
                yield b"\0".join([field, *paths, b""])


def check_written(data: bytes) -> None:
    """Two contents of a file: without the lines that are written, all others were there before."""
    old, _, new = data.partition(PART)
    lines = compare.written(old, new)
    after = new.splitlines()
    _expect(all(1 <= line <= len(after) for line in lines), "lines that are none")
    kept = iter(old.splitlines())
    for number, line in enumerate(after, start=1):
        if number not in lines:
            _expect(line in kept, f"line {number} was not there")


# --- all of them ----------------------------------------------------------------------------------


def _of_files(paths: Sequence[str]) -> Callable[[bytes], object]:
    return lambda data: check_file(data, paths)


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        *(Target(kind, _of_files(paths)) for kind, paths in PATHS.items()),
        Target("suppress", check_directives),
        Target("accept", check_accepting),
        Target("ignore", check_ignoring, 1024),
        Target("rules", check_rules),
        Target("settings", check_settings),
        Target("operators", check_operators, 1024),
        Target("baseline", check_baseline),
        Target("report", check_report, 40_000),
        Target("cache", check_kept),
        Target("git", check_git, 2048),
        Target("written", check_written, 2048),
        Target("tree", check_tree, 8192),
    )
}


def as_json(name: str) -> bool:
    """Whether the inputs of a target are JSON, behind a byte that says something else or not."""
    return name in {"baseline", "report", "json", "notebook"}
