"""Runs the stages: discover, scan every file, relate, scan again what others changed, report.

The only place that knows of processes. Order of files and results never depends on them.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from portaudit import __version__, discover, score
from portaudit.cache import of_user
from portaudit.catalogue import assumptions, compiled
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule
from portaudit.catalogue.select import named, select_rules
from portaudit.config import Config
from portaudit.discover import Tree
from portaudit.errors import UsageError
from portaudit.files import Disk, Files
from portaudit.garbage import uncollected
from portaudit.relate import programs
from portaudit.relate.causes import joined, settled
from portaudit.relate.exports import Solver
from portaudit.relate.kernels import related, told
from portaudit.relate.modules import Modules
from portaudit.relate.order import ordered
from portaudit.relate.project import roots, weighable, with_foreign_uses
from portaudit.relate.reach import Reached, reached
from portaudit.relate.sections import sections
from portaudit.results import Results
from portaudit.triage import suppress
from portaudit.triage.suppress import FileIgnores
from portaudit.types import (
    CONFIDENCES,
    NO_EXTERNALS,
    TARGETS,
    Coverage,
    Externals,
    FileFacts,
    FileKind,
    FileResult,
    Finding,
    Kernel,
    Link,
    Report,
    RuleSummary,
    ScanError,
    SourceFile,
    Suppression,
    Target,
    TargetFacts,
    Task,
    Tool,
)

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Progress = Callable[[int, int], None]
_POOL_FROM = 24
"""Files from which starting processes pays."""
_CHUNK = 4
"""Files that a process is given at a time."""
_AHEAD = 64
"""Such portions that wait to be scanned or told, at most."""
_IMPORTING: frozenset[FileKind] = frozenset({"python", "notebook"})
"""Kinds whose names may come from other modules of the tree."""
_ROUNDS = 3
"""Times that a file is judged again because its answers led to further questions."""


class Scanner(Struct, frozen=True):
    """Scans files of one tree."""

    files: Files
    catalogue: Catalogue
    target: Target

    def read(self, path: str) -> bytes | ScanError:
        """The contents of a file, or why there are none."""
        return discover.read(self.files, path)

    def __call__(self, task: Task, content: bytes) -> FileResult:
        """Scan one file."""
        return _scanned(task, content, self.catalogue, self.target)


def _scanned(task: Task, content: bytes, catalogue: Catalogue, target: Target) -> FileResult:
    # What is known already needs no parser, and a hook is not to wait for one.
    from portaudit.scan import scan_file  # noqa: PLC0415

    source = SourceFile(task.path, task.kind, content, task.first_party)
    return scan_file(source, catalogue, target, task.externals)


_rules: tuple[Catalogue, Target] | None = None


def _start(catalogue: Catalogue, target: Target) -> None:
    global _rules  # noqa: PLW0603 - what a worker process was started for
    _rules = catalogue, target
    gc.disable()  # models are swept as they are let go


def _work(read: Sequence[tuple[Task, bytes]]) -> list[FileResult]:
    if _rules is None:
        raise RuntimeError("worker was not started")
    return [_scanned(task, content, *_rules) for task, content in read]


class _Runner:
    """Scans tasks, in processes where that pays, unless their results are known."""

    def __init__(self, scanner: Scanner, results: Results, jobs: int) -> None:
        self._scanner = scanner
        self._results = results
        self._jobs = jobs or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """End the processes and keep what was found for later runs."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._results.write()

    def __call__(self, tasks: Sequence[Task]) -> Iterator[FileResult]:
        """The results of tasks, in any order."""
        if self._jobs == 1 or len(tasks) < _POOL_FROM:
            yield from map(self.result, tasks)
            return
        missing = []
        for task in tasks:
            known = self._known(task)
            if known is None:
                missing.append(task)
            else:
                yield known
        yield from (
            self._shared(missing) if len(missing) >= _POOL_FROM else map(self.result, missing)
        )

    def result(self, task: Task) -> FileResult:
        """The result of one task."""
        content = self._scanner.read(task.path)
        if isinstance(content, ScanError):
            return FileResult(task.path, errors=(content,))
        key = self._results.key(task, content)
        known = self._results.get(key)
        if known is None:
            known = self._scanner(task, content)
            self._results.keep(key, known)
        return known

    def _known(self, task: Task) -> FileResult | None:
        content = self._scanner.read(task.path)
        if isinstance(content, ScanError):
            return FileResult(task.path, errors=(content,))
        return self._results.get(self._results.key(task, content))

    def _shared(self, tasks: Sequence[Task]) -> Iterator[FileResult]:
        """The same by the pool, with the contents of few files in memory at a time."""
        pool = self._pool = self._pool or self._started(len(tasks))
        waiting: deque[tuple[list[bytes | None], Future[list[FileResult]]]] = deque()

        def done() -> Iterator[FileResult]:
            keys, future = waiting.popleft()
            for key, result in zip(keys, future.result(), strict=True):
                self._results.keep(key, result)
                yield result

        for start in range(0, len(tasks), _CHUNK):
            read = []
            for task in tasks[start : start + _CHUNK]:
                content = self._scanner.read(task.path)
                if isinstance(content, ScanError):
                    yield FileResult(task.path, errors=(content,))
                else:
                    read.append((task, content))
            keys = [self._results.key(task, content) for task, content in read]
            waiting.append((keys, pool.submit(_work, read)))
            if len(waiting) > _AHEAD:
                yield from done()
        while waiting:
            yield from done()

    def _started(self, files: int) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

        import portaudit.scan  # noqa: F401, PLC0415 - once, before there are several of us

        workers = min(self._jobs, files // _CHUNK)
        rules = self._scanner.catalogue, self._scanner.target
        return ProcessPoolExecutor(workers, initializer=_start, initargs=rules)


def scan_tree(
    scanner: Scanner,
    modules: Modules,
    tree: Tree,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    results: Results | None = None,
) -> tuple[FileResult, ...]:
    """Scan files of a tree, in both waves. A module that is only asked about is read on demand.

    What was scanned is kept in `results`, for whoever scans next.
    """
    paths = tree.selected

    def task(path: str, externals: Externals = NO_EXTERNALS) -> Task:
        return Task(path, tree.kinds[path], modules.first_party(path), externals)

    if results is None:
        results = Results(scanner.catalogue, scanner.target)
    with closing(_Runner(scanner, results, jobs)) as run:
        found: dict[str, FileResult] = {}
        for result in run([task(path) for path in paths]):
            found[result.path] = result
            if progress:
                progress(len(found), len(paths))
        facts = {path: result.facts for path, result in found.items()}

        def facts_of(path: str) -> FileFacts | None:
            if path not in facts:
                facts[path] = run.result(task(path)).facts
            return facts[path]

        solver = Solver(modules, facts_of)
        told: dict[str, Externals] = {}
        for _ in range(_ROUNDS):
            again = []
            for path in paths:
                if tree.kinds[path] not in _IMPORTING:
                    continue
                names = {name for name, _ in told.get(path, NO_EXTERNALS).names}
                externals = solver.externals(path, names.union(found[path].facts.open))
                if externals != told.get(path, NO_EXTERNALS):
                    told[path] = externals
                    again.append(task(path, externals))
            if not again:
                break
            for result in run(again):
                found[result.path] = result
        return tuple(found[path] for path in paths)


class Rules(Struct, frozen=True, eq=False):
    """The rules of a run: all that there are, and those that were chosen.

    `results`: what they made of files. Both sides of a comparison ask mostly for the same.
    """

    everything: Catalogue
    chosen: Catalogue
    results: Results


class Side(Struct, frozen=True):
    """A tree to scan, and where its files are read: one side of a comparison."""

    files: Files
    tree: Tree


def rules_of(config: Config) -> Rules:
    """Load the rules that a config names. Raises `PortauditError` for what the user must mend."""
    cache = of_user() if config.cache else None
    everything = compiled.load(config.rules, cache)
    if config.ops:
        from portaudit.catalogue import operators  # noqa: PLC0415

        everything = operators.apply(everything, operators.read(config.ops))
    ids = select_rules(
        everything.rules,
        select=config.select,
        extend_select=config.extend_select,
        ignore=config.ignore,
    )
    chosen = everything.restricted(ids)
    return Rules(everything, chosen, Results(chosen, config.target, cache))


def scan(
    config: Config,
    *,
    progress: Progress | None = None,
    rules: Rules | None = None,
    side: Side | None = None,
) -> Report:
    """Audit what a config names, or the side of a comparison, which then says where and what.

    `rules` saves loading them again. Raises `PortauditError` for what the user must mend.
    """
    rules = rules or rules_of(config)
    alone = side is None
    if side is None:
        files = Disk(config.root)
        side = Side(
            files, discover.walk(files, config.paths, config.exclude, forced=config.force_exclude)
        )
    tree = side.tree
    for path in config.entry:
        # Of a comparison one side may not have it yet.
        if (path in tree.kinds or alone) and tree.kinds.get(path) not in _IMPORTING:
            raise UsageError(f"{path}: an entry must be a Python file or a notebook of the tree")
    modules = Modules(tree, rules.everything.libraries)
    scanner = Scanner(side.files, rules.chosen, config.target)
    with uncollected():
        results = scan_tree(
            scanner,
            modules,
            tree,
            jobs=config.jobs,
            progress=progress,
            results=rules.results,
        )
    kernels = related(results, modules)
    run = rules.chosen.rules.keys()
    return report(config, rules.everything, results, kernels, tree, modules, run)


def report(
    config: Config,
    catalogue: Catalogue,
    results: Sequence[FileResult],
    kernels: Sequence[Kernel],
    tree: Tree,
    modules: Modules,
    rules_run: Collection[str],
) -> Report:
    """Relate and score results into a report. What somebody accepted is in it, but counts not.

    What reaches a finding can be told of a whole tree only.
    """
    least = CONFIDENCES.index(config.min_confidence)
    assumed = config.assumptions or assumptions.standard()
    found = joined(
        told(with_foreign_uses(results), kernels, catalogue.rules),
        kernels,
        catalogue,
        results,
        wiring=assumed.wiring,
    )
    paths = Reached(found)
    if tree.selected == tree.files:
        entry = [path for path in config.entry if path in tree.kinds]
        paths = reached(results, found, kernels, tree, modules, entry, catalogue.rules)
    known, notices = suppress.apply(
        settled(paths.findings),
        (directive for result in results for directive in result.directives),
        partial(named, catalogue.rules),
        rules_run,
        _file_ignores(config, catalogue),
        {result.path for result in results if result.errors},
    )
    findings = tuple(item for item in known if CONFIDENCES.index(item.confidence) >= least)
    counted = [item for item in findings if item.suppressed is None]
    way = score.Way(assumptions=assumed)
    if any(each.main for each in paths.programs):
        way = score.main_way(paths.chains, assumed)
    causes = roots(counted, catalogue, way, kernels)
    torch = sum(result.facts.imports_torch for result in results)
    failures = [*tree.errors, *(error for result in results for error in result.errors)]
    assessed = score.assess(weighable(counted, way), causes, torch=bool(torch), way=way)
    if assessed.verdict == "ready" and way.is_known and not _has_torch(results, paths):
        assessed = score.assess(weighable(counted, way), causes, torch=False, way=way)
    causes = ordered(causes, counted, way, paths.chains, assessed.lost, catalogue.packages)
    return Report(
        tool=Tool("portaudit", __version__, catalogue.digest),
        target=config.target,
        partial=bool(failures),
        score=replace(
            assessed,
            entry_points=programs.assessed(
                paths.programs, paths.others, counted, causes, assessed, assumed
            ),
        ),
        rules=_summaries(findings, catalogue.rules),
        findings=findings,
        roots=causes,
        errors=tuple(sorted(failures, key=lambda item: (item.path, item.line or 0))),
        skipped=tuple(sorted(tree.skipped, key=lambda item: item.path)),
        coverage=Coverage(
            files_scanned=sum(not _is_lost(result) for result in results),
            files_total=len(results),
            files_torch=torch,
            unknown_facts=sum(item.facts.status == "undocumented" for item in counted),
            rules_run=len(rules_run),
        ),
        inventory=tuple(kernels),
        sections=sections(counted, causes, config.target),
        notices=notices,
        chains=paths.chains,
    )


def _has_torch(results: Iterable[FileResult], paths: Reached) -> bool:
    """Whether a file of the main path imports torch: what does not cannot be ready for anything."""
    return any(each.facts.imports_torch and each.path in paths.files for each in results)


def _file_ignores(config: Config, catalogue: Catalogue) -> list[FileIgnores]:
    """What the settings accept in some files. Raises `UsageError` for a word that names no rule."""
    if not config.per_file_ignores:
        return []
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most runs have none

    file = dict(config.origins).get("per_file_ignores", "the settings")
    by = Suppression(f"per-file-ignores in {file}", file, 1)
    return [
        FileIgnores(
            GitIgnoreSpec.from_lines([pattern]),
            frozenset(rule for word in words for rule in named(catalogue.rules, word)),
            by,
        )
        for pattern, words in config.per_file_ignores
    ]


def _is_lost(result: FileResult) -> bool:
    """Whether nothing of a file could be read."""
    return bool(result.errors) and not result.findings and result.facts == FileFacts()


def _summaries(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> dict[str, RuleSummary]:
    fired = sorted({finding.rule for finding in findings})
    return {rule_id: _summary(rules[rule_id]) for rule_id in fired}


def _summary(rule: Rule) -> RuleSummary:
    return RuleSummary(
        name=rule.name,
        title=rule.name.replace("-", " "),
        category=rule.category,
        fix=rule.fix.strip(),
        targets={
            target: TargetFacts(
                fact.status,
                fact.evidence,
                fact.source,
                fact.sdk,
                fact.checked.isoformat(),
                fact.replacement,
                fact.note,
            )
            for target in TARGETS
            if (fact := rule.target[target])
        },
        references=tuple(Link(item.title, item.url) for item in rule.reference),
    )
