"""Runs the stages: discover, scan every file, relate, scan again what others changed, report.

The only place that knows of processes. Order of files and results never depends on them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

from msgspec import Struct, field
from pathspec import GitIgnoreSpec

from portaudit import __version__, discover, score
from portaudit.cache import of_user
from portaudit.catalogue import compiled, operators
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule
from portaudit.catalogue.select import named, select_rules
from portaudit.config import Config
from portaudit.discover import Tree
from portaudit.files import Disk, Files
from portaudit.relate.exports import Solver
from portaudit.relate.kernels import related, told
from portaudit.relate.modules import Modules
from portaudit.relate.project import roots, with_foreign_uses
from portaudit.relate.sections import sections
from portaudit.scan import scan_file
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
    Skipped,
    SourceFile,
    Suppression,
    Target,
    TargetFacts,
    Tool,
)

Progress = Callable[[int, int], None]
_POOL_FROM = 24
"""Files from which starting processes pays."""
_IMPORTING: frozenset[FileKind] = frozenset({"python", "notebook"})
"""Kinds whose names may come from other modules of the tree."""
_ROUNDS = 3
"""Times that a file is judged again because its answers led to further questions."""


class Task(Struct, frozen=True):
    """One file to scan, and what other modules told of its names."""

    path: str
    kind: FileKind = "python"
    first_party: frozenset[str] = frozenset()
    externals: Externals = NO_EXTERNALS


Remembered = dict[tuple[Task, Target, bytes], FileFacts]
"""Facts of files by all that they depend on: paths and settings, the target, a sum of contents."""


class Scanner(Struct, frozen=True):
    """Scans files of one tree: what a process needs to know."""

    files: Files
    catalogue: Catalogue
    target: Target

    def __call__(self, task: Task) -> FileResult:
        """Read and scan one file."""
        content = discover.read(self.files, task.path)
        if isinstance(content, ScanError):
            return FileResult(task.path, errors=(content,))
        return self._scan(task, content)

    def facts(self, task: Task, remembered: Remembered) -> FileFacts:
        """What a file that is only asked about tells; remembered by its contents."""
        content = discover.read(self.files, task.path)
        if isinstance(content, ScanError):
            return FileFacts()
        key = task, self.target, sha256(content).digest()
        if key not in remembered:
            remembered[key] = self._scan(task, content).facts
        return remembered[key]

    def _scan(self, task: Task, content: bytes) -> FileResult:
        source = SourceFile(task.path, task.kind, content, task.first_party)
        return scan_file(source, self.catalogue, self.target, task.externals)


_scanner: Scanner | None = None


def _start(scanner: Scanner) -> None:
    global _scanner  # noqa: PLW0603 - what a worker process was started for
    _scanner = scanner


def _work(task: Task) -> FileResult:
    if _scanner is None:
        raise RuntimeError("worker was not started")
    return _scanner(task)


Runner = Callable[[Sequence[Task]], Iterator[FileResult]]


@contextmanager
def _runner(scanner: Scanner, jobs: int, files: int) -> Iterator[Runner]:
    """A function that scans tasks in order, in processes where that pays."""
    workers = min(jobs or os.cpu_count() or 1, max(1, files // 4))
    if workers == 1 or files < _POOL_FROM:
        yield lambda tasks: map(scanner, tasks)
        return
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(scanner,)) as pool:
        yield lambda tasks: pool.map(_work, tasks, chunksize=4)


def scan_tree(
    scanner: Scanner,
    modules: Modules,
    tree: Tree,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    remembered: Remembered | None = None,
) -> tuple[FileResult, ...]:
    """Scan files of a tree, in both waves. A module that is only asked about is read on demand.

    What such modules tell is kept in `remembered`, for the next tree that asks.
    """
    paths = tree.selected
    known: Remembered = {} if remembered is None else remembered

    def task(path: str, externals: Externals = NO_EXTERNALS) -> Task:
        kind = tree.kinds[path]
        return Task(path, kind, modules.first_party(path), externals)

    with _runner(scanner, jobs, len(paths)) as run:
        results: dict[str, FileResult] = {}
        tasks = [task(path) for path in paths]
        for result in run(tasks):
            results[result.path] = result
            if progress:
                progress(len(results), len(paths))
        asked: dict[str, FileFacts] = {}

        def facts_of(path: str) -> FileFacts | None:
            if path in first:
                return first[path]
            if path not in asked:
                asked[path] = scanner.facts(task(path), known)
            return asked[path]

        first = {path: result.facts for path, result in results.items()}
        solver = Solver(modules, facts_of)
        told: dict[str, Externals] = {}
        for _ in range(_ROUNDS):
            again = []
            for path, result in results.items():
                if tree.kinds[path] not in _IMPORTING:
                    continue
                names = {name for name, _ in told.get(path, NO_EXTERNALS).names}
                externals = solver.externals(path, names.union(result.facts.open))
                if externals != told.get(path, NO_EXTERNALS):
                    told[path] = externals
                    again.append(task(path, externals))
            if not again:
                break
            for result in run(again):
                results[result.path] = result
        return tuple(results[path] for path in paths)


class Rules(Struct, frozen=True, eq=False):
    """The rules of a run: all that there are, and those that were chosen.

    `remembered`: what they made of modules that were asked about. Both sides of a comparison ask
    mostly for the same.
    """

    everything: Catalogue
    chosen: Catalogue
    remembered: Remembered = field(default_factory=dict)


class Side(Struct, frozen=True):
    """A tree to scan, and where its files are read: one side of a comparison."""

    files: Files
    tree: Tree


def rules_of(config: Config) -> Rules:
    """Load the rules that a config names. Raises `PortauditError` for what the user must mend."""
    everything = compiled.load(config.rules, of_user() if config.cache else None)
    if config.ops:
        everything = operators.apply(everything, operators.read(config.ops))
    ids = select_rules(
        everything.rules,
        select=config.select,
        extend_select=config.extend_select,
        ignore=config.ignore,
    )
    return Rules(everything, everything.restricted(ids))


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
    if side is None:
        files = Disk(config.root)
        side = Side(
            files, discover.walk(files, config.paths, config.exclude, forced=config.force_exclude)
        )
    tree = side.tree
    modules = Modules(tree, rules.everything.libraries)
    scanner = Scanner(side.files, rules.chosen, config.target)
    results = scan_tree(
        scanner,
        modules,
        tree,
        jobs=config.jobs,
        progress=progress,
        remembered=rules.remembered,
    )
    kernels = related(results, modules)
    run = rules.chosen.rules.keys()
    return report(config, rules.everything, results, kernels, tree.skipped, tree.errors, run)


def report(
    config: Config,
    catalogue: Catalogue,
    results: Sequence[FileResult],
    kernels: Sequence[Kernel],
    skipped: Sequence[Skipped],
    errors: Sequence[ScanError],
    rules_run: Collection[str],
) -> Report:
    """Relate and score results into a report. What somebody accepted is in it, but counts not."""
    least = CONFIDENCES.index(config.min_confidence)
    known, notices = suppress.apply(
        told(with_foreign_uses(results), kernels, catalogue.rules),
        (directive for result in results for directive in result.directives),
        partial(named, catalogue.rules),
        rules_run,
        _file_ignores(config, catalogue),
        {result.path for result in results if result.errors},
    )
    findings = tuple(item for item in known if CONFIDENCES.index(item.confidence) >= least)
    counted = [item for item in findings if item.suppressed is None]
    causes = roots(counted, catalogue.rules)
    torch = sum(result.facts.imports_torch for result in results)
    failures = [*errors, *(error for result in results for error in result.errors)]
    return Report(
        tool=Tool("portaudit", __version__, catalogue.digest),
        target=config.target,
        partial=bool(failures),
        score=score.assess(counted, causes, torch=bool(torch)),
        rules=_summaries(findings, catalogue.rules),
        findings=findings,
        roots=causes,
        errors=tuple(sorted(failures, key=lambda item: (item.path, item.line or 0))),
        skipped=tuple(sorted(skipped, key=lambda item: item.path)),
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
    )


def _file_ignores(config: Config, catalogue: Catalogue) -> list[FileIgnores]:
    """What the settings accept in some files. Raises `UsageError` for a word that names no rule."""
    if not config.per_file_ignores:
        return []
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
