"""Changes the judging code in one place at a time, and sees whether a test fails. See README.md.

Two runs of pytest: `record` notes which test comes by which line, `try` makes the mutants. Each is
tried in a child of a process that has collected the tests, so that none waits for imports.
"""

from __future__ import annotations

import argparse
import csv
import gc
import importlib
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FunctionType, ModuleType

import coverage
import libcst as cst
import msgspec
import pytest
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parents[2]
KILLED, SURVIVED, STOPPED = 0, 10, 11
SLOW = 0.3
"""Seconds of a test that comes last."""
SECONDS = 60
"""Of the processor, until a mutant is taken to run for ever."""


class Mutant(msgspec.Struct, frozen=True):
    """One change: where, what it makes of what, and the whole module then."""

    path: str
    line: int
    lines: tuple[int, int]
    """The first and the last of its statement."""
    before: str
    after: str
    source: str
    name: str
    """The constant of the module that it changes; empty within a function."""


class Seen(msgspec.Struct):
    """What a run of the tests told: who comes by a line, and how long each takes."""

    lines: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]


class Recorder:
    """A plugin that notes what each test runs."""

    def __init__(self, paths: Sequence[str], to: Path) -> None:
        self.paths, self.to, self.seconds = paths, to, dict[str, float]()
        self.coverage = coverage.Coverage(
            data_file=None, include=[str(ROOT / path) for path in paths], config_file=False
        )

    def pytest_collection_finish(self) -> None:
        """Begin where the modules are imported."""
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Name the test that runs."""
        self.coverage.switch_context(item.nodeid)
        begun = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.process_time() - begun

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        self.coverage.stop()
        data = self.coverage.get_data()
        lines = {
            path: {
                line: [test for test in tests if test]
                for line, tests in data.contexts_by_lineno(str(ROOT / path)).items()
            }
            for path in self.paths
        }
        self.to.write_bytes(msgspec.json.encode(Seen(lines=lines, seconds=self.seconds)))


class Trier:
    """A plugin that runs, instead of all tests, those of one mutant after the other."""

    def __init__(self, mutants: Sequence[Mutant], seen: Seen, to: Path, seconds: float) -> None:
        self.mutants, self.seen, self.to, self.seconds = mutants, seen, to, seconds
        self.failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember who failed."""
        if report.failed:
            self.failed = report.nodeid

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try them all; no test runs in this process."""
        items = {item.nodeid: item for item in session.items}
        factory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
        home: Path = factory.getbasetemp()
        importlib.import_module("snippets").catalogue()  # no judgment, and each test would wait
        gc.freeze()
        with self.to.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["path", "line", "before", "after", "what", "tests", "test"])
            for mutant in self.mutants:
                what, tests, test = self._try(mutant, items)
                row = [mutant.path, mutant.line, mutant.before, mutant.after, what, tests, test]
                out.writerow(row)
                file.flush()
                for each in home.iterdir():
                    shutil.rmtree(each, ignore_errors=True)
        return True

    def _try(self, mutant: Mutant, items: Mapping[str, pytest.Item]) -> tuple[str, int, str]:
        lines = self.seen.lines[mutant.path]
        told = {
            test
            for line in range(mutant.lines[0], mutant.lines[1] + 1)
            for test in lines.get(line, ())
        }
        if mutant.name:
            told = {test for tests in lines.values() for test in tests}
        told |= items.keys() - self.seen.seconds.keys()  # written since: they may come by
        tests = sorted(told & items.keys())
        random.Random(mutant.path).shuffle(tests)  # noqa: S311
        tests.sort(key=lambda test: self.seen.seconds.get(test, 0) > SLOW)
        if not told & items.keys():
            return "not run by any test", 0, ""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            self._child(mutant, [items[test] for test in tests], writing)
        os.close(writing)
        with os.fdopen(reading) as told_by_child:
            said = told_by_child.read()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code in {SURVIVED, STOPPED}:
            return "survived" if code == SURVIVED else f"survived {said}", len(tests), ""
        return "killed" if code == KILLED else f"killed ({code})", len(tests), said

    def _child(self, mutant: Mutant, items: Sequence[pytest.Item], to: int) -> None:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(null, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        code = SURVIVED
        try:
            apply(mutant)
            begun = time.process_time()
            for number, item in enumerate(items):
                if time.process_time() - begun > self.seconds:
                    code = STOPPED
                    os.write(to, f"{number} tests".encode())
                    break
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                if self.failed:
                    code = KILLED
                    os.write(to, self.failed.encode())
                    break
        except BaseException as error:  # noqa: BLE001
            os.write(to, f"{type(error).__name__}: {error}".encode())
            code = KILLED
        os._exit(code)


def apply(mutant: Mutant) -> None:
    """Make the mutant of the module that is loaded: whoever imported from it has it as well."""
    name = mutant.path.removesuffix(".py").replace("/", ".")
    loaded = importlib.import_module(name)
    fresh = ModuleType(name)
    fresh.__dict__.update(__file__=loaded.__file__, __package__=loaded.__package__)
    sys.modules[name] = fresh  # msgspec reads annotations by the name of the module
    try:
        exec(compile(mutant.source, str(loaded.__file__), "exec"), fresh.__dict__)  # noqa: S102
    finally:
        sys.modules[name] = loaded
    if mutant.name:
        old, new = getattr(loaded, mutant.name), getattr(fresh, mutant.name)
        for each in list(sys.modules.values()):
            if getattr(each, "__name__", "").startswith("portaudit"):
                for key, value in list(vars(each).items()):
                    if value is old and key == mutant.name:
                        setattr(each, key, new)
        return
    _replace(vars(loaded), vars(fresh), name)


def _replace(old: Mapping[str, object], new: Mapping[str, object], module: str) -> None:
    for key, value in new.items():
        former = old.get(key)
        if isinstance(value, type) and value.__module__ == module and isinstance(former, type):
            _replace(vars(former), vars(value), module)
            continue
        for ours, theirs in zip(_functions(former), _functions(value), strict=False):
            if theirs.__module__ == module:
                for part in ("__code__", "__defaults__", "__kwdefaults__"):
                    if getattr(ours, part) != getattr(theirs, part):
                        setattr(ours, part, getattr(theirs, part))


def _functions(value: object) -> Iterator[FunctionType]:
    for inner in ("__wrapped__", "__func__", "fget", "func"):
        if not isinstance(value, FunctionType) and hasattr(value, inner):
            value = getattr(value, inner)
    if isinstance(value, FunctionType):
        yield value


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def visit_Annotation(self, node: cst.Annotation) -> bool:  # noqa: N802, ARG002
        return False

    def visit_Decorator(self, node: cst.Decorator) -> bool:  # noqa: N802, ARG002
        return False

    def visit_Raise(self, node: cst.Raise) -> bool:  # noqa: N802, ARG002
        return False  # what an error says is no judgment

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802, ARG002
        return False

    def visit_If(self, node: cst.If) -> bool:  # noqa: N802
        return not (isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING")

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:  # noqa: N802
        first = node.body[0]
        return not (isinstance(first, cst.Expr) and isinstance(first.value, cst.BaseString))

    def on_visit(self, node: cst.CSTNode) -> bool:
        inside = super().on_visit(node)
        if inside:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found += [(node, each) for each in operator(node)]
        return inside


def mutants(path: str, count: int, seed: str) -> list[Mutant]:
    """So many of the mutants of a module, those of a seed, in the order of their places."""
    wrapper = MetadataWrapper(cst.parse_module((ROOT / path).read_text(encoding="utf-8")))
    finder = _Finder()
    wrapper.visit(finder)
    places, parents = wrapper.resolve(PositionProvider), wrapper.resolve(ParentNodeProvider)
    module = wrapper.module
    every = []
    for node, new in finder.found:
        above = _above(node, parents)
        name = _constant(above)
        inside = any(isinstance(each, cst.FunctionDef) for each in above)
        if (inside or name) and not _idle(node, new, module):
            every.append((node, new, above, "" if inside else name))
    numbers = range(len(every))
    chosen = sorted(random.Random(f"{seed} {path}").sample(numbers, min(count, len(every))))  # noqa: S311
    print(f"{path}: {len(every)} mutants, {len(chosen)} taken", file=sys.stderr)
    made = []
    for node, new, above, name in (every[number] for number in chosen):
        lines = next((each for each in above if isinstance(each, _WHOLE)), node)
        changed = cst.ensure_type(module.deep_replace(node, new), cst.Module)
        if isinstance(lines, cst.Parameters):  # a default is read where the function is called
            lines = next(each for each in above if isinstance(each, cst.FunctionDef))
        made.append(
            Mutant(
                path=path,
                line=places[node].start.line,
                lines=(places[lines].start.line, places[lines].end.line),
                before=module.code_for_node(node),
                after=module.code_for_node(new),
                source=changed.code,
                name=name,
            )
        )
    return made


_WHOLE = (cst.SimpleStatementLine, cst.Parameters)
"""What a mutant stands in: any of its lines may be where a test comes by."""


def _above(node: cst.CSTNode, parents: Mapping[cst.CSTNode, cst.CSTNode]) -> list[cst.CSTNode]:
    above = [node]
    while above[-1] in parents:
        above.append(parents[above[-1]])
    return above


def _constant(above: Sequence[cst.CSTNode]) -> str:
    """What a statement of the module assigns to."""
    for each in above[-4:]:
        if isinstance(each, cst.AnnAssign) and isinstance(each.target, cst.Name):
            return each.target.value
        if isinstance(each, cst.Assign) and isinstance(each.targets[0].target, cst.Name):
            return each.targets[0].target.value
    return ""


def _idle(node: cst.CSTNode, new: cst.CSTNode, module: cst.Module) -> bool:
    """Does the type checker refuse it, or is it a string in other letters?"""
    before, after = module.code_for_node(node), module.code_for_node(new)
    if (
        isinstance(new, cst.Call)
        and isinstance(node, cst.Call)
        and before.partition("(")[0] in after
    ):
        shorter = len(new.args) < len(node.args)
        kept = [each for each in node.args if each.keyword is None]
        return not shorter or new.args[: len(kept)] != tuple(kept)
    if isinstance(node, cst.Assign | cst.AnnAssign):
        return True
    return before[-1:] in "'\"" and before.lower() == after.lower()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["record", "try"])
    parser.add_argument("tests", nargs="+", help="test files and folders")
    parser.add_argument("--modules", nargs="+", required=True, help="paths below the checkout")
    parser.add_argument("--data", type=Path, required=True, help="where `record` writes")
    parser.add_argument("--results", type=Path, default=Path("results.csv"))
    parser.add_argument("--count", type=int, default=40, help="of a module, at most")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--again", type=Path, help="results: only what survived there")
    parser.add_argument("--seconds", type=float, default=20, help="of tests for one mutant")
    given = parser.parse_args()
    plugin: Recorder | Trier
    if given.step == "record":
        plugin = Recorder(given.modules, given.data)
    else:
        seen = msgspec.json.decode(given.data.read_bytes(), type=Seen)
        every = [each for path in given.modules for each in mutants(path, given.count, given.seed)]
        if given.again:
            rows = csv.DictReader(given.again.open(encoding="utf-8", newline=""))
            left = {
                (row["path"], row["before"], row["after"])
                for row in rows
                if not row["what"].startswith("killed")
            }
            every = [each for each in every if (each.path, each.before, each.after) in left]
        plugin = Trier(every, seen, given.results, given.seconds)
    words = ["-q", "-n", "0", "-p", "no:cacheprovider", "-p", "no:randomly", *given.tests]
    return int(pytest.main(words, plugins=[plugin]))


if __name__ == "__main__":
    sys.exit(main())
