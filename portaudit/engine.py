"""Runs the stages: discover, scan every file, relate, scan again what others changed, report.

The only place that knows of processes. Order of files and results never depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from portaudit import __version__, discover, score
from portaudit.catalogue import assumptions
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule
from portaudit.catalogue.select import named
from portaudit.config import Config
from portaudit.contents import Contents
from portaudit.discover import Side, Tree
from portaudit.errors import UsageError
from portaudit.files import Disk, Files
from portaudit.garbage import uncollected
from portaudit.quiet import Blank
from portaudit.relate import programs
from portaudit.relate.causes import joined, settled
from portaudit.relate.exports import Solver
from portaudit.relate.kernels import related, told, with_ways
from portaudit.relate.modules import Modules
from portaudit.relate.order import ordered
from portaudit.relate.project import roots, weighable, with_foreign_uses
from portaudit.relate.reach import Reached, reached
from portaudit.relate.sections import sections
from portaudit.results import Results
from portaudit.ruleset import Rules
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
    from portaudit.workers import Workers

Progress = Callable[[int, int], None]
_SHARED_FROM = 24
"""Files from which it is asked how many processes they are worth."""
_IMPORTING: frozenset[FileKind] = frozenset({"python", "notebook"})
"""Kinds whose names may come from other modules of the tree."""
_ROUNDS = 3
"""Times that a file is judged again because its answers led to further questions."""


class Scanner(Struct, frozen=True):
    """Scans files of one tree."""

    files: Files
    catalogue: Catalogue
    target: Target

    def __call__(self, task: Task, content: bytes) -> FileResult:
        """Scan one file."""
        return _scanned(task, content, self.catalogue, self.target)

    def __reduce__(self) -> tuple[type[Scanner], tuple[Files, Catalogue, Target]]:
        """What another process gets: there nothing is read."""
        return Scanner, (Disk(self.files.root), self.catalogue, self.target)


def _scanned(task: Task, content: bytes, catalogue: Catalogue, target: Target) -> FileResult:
    # What is known already needs no parser, and a hook is not to wait for one.
    from portaudit.scan import scan_file  # noqa: PLC0415

    source = SourceFile(task.path, task.kind, content, task.first_party)
    return scan_file(source, catalogue, target, task.externals)


class _Runner:
    """Scans tasks, in processes where that pays, unless their results are known."""

    def __init__(self, scanner: Scanner, contents: Contents, results: Results, jobs: int) -> None:
        self._scanner = scanner
        self._contents = contents
        self._results = results
        self._jobs = jobs
        self._workers: Workers | None = None

    def close(self) -> None:
        """End the processes and keep what was found for later runs."""
        if self._workers:
            self._workers.close()
        self._results.write()

    def __call__(self, tasks: Sequence[Task]) -> Iterator[FileResult]:
        """The results of tasks, in any order."""
        if self._jobs == 1 or len(tasks) < _SHARED_FROM:
            yield from map(self.result, tasks)
            return
        missing = []
        for task in tasks:
            known = self._known(task)
            if known is None:
                missing.append(task)
            else:
                yield known
        yield from self._shared(missing) if missing else ()

    def result(self, task: Task) -> FileResult:
        """The result of one task."""
        known = self._known(task)
        if known is not None:
            return known
        read = self._contents.read(task.path)
        if isinstance(read, ScanError):
            return FileResult(task.path, errors=(read,))
        content, digest = read
        result = self._scanner(task, content)
        self._results.keep(self._results.key(task, digest), result)
        return result

    def _known(self, task: Task) -> FileResult | None:
        """A result that needs no scan."""
        digest = self._contents.digest(task.path)
        if isinstance(digest, ScanError):
            return FileResult(task.path, errors=(digest,))
        return self._results.get(self._results.key(task, digest))

    def _shared(self, tasks: Sequence[Task]) -> Iterator[FileResult]:
        """The same by several processes, where that pays."""
        from portaudit import workers  # noqa: PLC0415 - takes as long to load as a hook may take

        sizes = {task.path: self._size(task) for task in tasks}
        if self._workers is None:
            number = workers.worth(list(sizes.values()), self._jobs)
            if number == 1:
                yield from map(self.result, tasks)
                return
            import portaudit.scan  # noqa: F401, PLC0415 - once, before there are several of us

            self._workers = workers.Workers(self._scanner, number)
        lost: list[FileResult] = []
        keys: dict[str, bytes | None] = {}

        def read(portion: Sequence[Task]) -> Iterator[tuple[Task, bytes]]:
            for task in portion:
                found = self._contents.read(task.path)
                if isinstance(found, ScanError):
                    lost.append(FileResult(task.path, errors=(found,)))
                else:
                    keys[task.path] = self._results.key(task, found[1])
                    yield task, found[0]

        parts = workers.portions(tasks, lambda task: sizes[task.path])
        for (task, _), done in self._workers(list(read(part)) for part in parts):
            yield self._results.take(keys.pop(task.path), done)
        yield from lost

    def _size(self, task: Task) -> int:
        try:
            return self._scanner.files.size(task.path)
        except OSError:
            return 0  # reading it will say what is wrong


def scan_tree(
    scanner: Scanner,
    modules: Modules,
    tree: Tree,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    results: Results | None = None,
    contents: Contents | None = None,
) -> tuple[FileResult, ...]:
    """Scan files of a tree, in both waves. A module that is only asked about is read on demand.

    What was scanned is kept in `results`, for whoever scans next; `contents` knows what was read.
    """
    paths = tree.selected

    def task(path: str, externals: Externals = NO_EXTERNALS) -> Task:
        return Task(path, tree.kinds[path], modules.first_party(path), externals)

    if results is None:
        results = Results(scanner.catalogue, scanner.target)
    if contents is None:
        contents = Contents(scanner.files)
    with closing(_Runner(scanner, contents, results, jobs)) as run:
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


def rules_of(config: Config) -> Rules:
    """Load the rules that a config names. Raises `PortauditError` for what the user must mend."""
    rules = Rules(config)
    assert rules.chosen.rules
    return rules


def scan(
    config: Config,
    *,
    progress: Progress | None = None,
    rules: Rules | None = None,
    side: Side | None = None,
    contents: Contents | None = None,
) -> Report:
    """Audit what a config names, or the side of a comparison, which then says where and what.

    `rules` saves loading them again, `contents` reading what is known. Raises `PortauditError` for
    what the user must mend.
    """
    rules = rules or rules_of(config)
    alone = side is None
    if side is None:
        files = Disk(config.root)
        side = Side(
            files, discover.walk(files, config.paths, config.exclude, forced=config.force_exclude)
        )
    if contents is None:
        contents = Contents(side.files, rules.store)
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
            contents=contents,
        )
    contents.keep(tree.kinds)
    rules.results.write()
    kernels = related(results, modules)
    run = rules.chosen.rules.keys()
    return report(config, rules.everything, results, kernels, tree, modules, run)


def blank(config: Config, rules: Rules, tree: Tree) -> Blank | None:
    """What a run with these settings says of files of a tree in which nothing can be found.

    None where that cannot be told by the words of a file.
    """
    from portaudit.match import triggers  # noqa: PLC0415 - once for each making of the rules

    words = triggers.words(rules.everything)
    if words is None:
        return None
    ran = rules.chosen.rules.keys()
    path = tree.selected[0]
    found = (FileResult(path),)
    modules = Modules(tree, rules.everything.libraries)
    return Blank(words, report(config, rules.everything, found, (), tree, modules, ran), tuple(ran))


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
    kernels = with_ways(kernels, paths.findings)
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
        inventory=kernels,
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
