"""Runs the stages: discover, scan every file after those that it imports, relate, report.

The only place that knows of processes. Order of files and results never depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from portaudit import __version__, budget, discover, score, surplus
from portaudit.catalogue import assumptions
from portaudit.catalogue.entries import aside
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Rule
from portaudit.catalogue.select import named
from portaudit.config import Config
from portaudit.contents import Contents
from portaudit.discover import Side, Tree
from portaudit.errors import PortauditError, UsageError
from portaudit.files import Disk, Files
from portaudit.garbage import uncollected
from portaudit.ignores import spec
from portaudit.quiet import Blank
from portaudit.read.configs import set_in
from portaudit.read.python import glance
from portaudit.relate import programs
from portaudit.relate.ahead import Ahead
from portaudit.relate.causes import joined, settled, taken_on
from portaudit.relate.exports import Solver
from portaudit.relate.kernels import Natives, related, told, with_ways
from portaudit.relate.modules import Modules
from portaudit.relate.order import ordered
from portaudit.relate.project import roots, weighable, with_foreign_uses
from portaudit.relate.reach import Reached, reached
from portaudit.relate.said import Said
from portaudit.relate.sections import sections
from portaudit.results import UNWRITABLE, Results
from portaudit.ruleset import Rules
from portaudit.triage import suppress
from portaudit.triage.suppress import FileIgnores
from portaudit.types import (
    CONFIDENCES,
    NO_EXTERNALS,
    TARGETS,
    Coverage,
    Export,
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
    from portaudit.read.python.values import Ask
    from portaudit.workers import Portion, Workers

Progress = Callable[[int, int], None]
_SHARED_FROM = 24
"""Files from which it is asked how many processes they are worth."""
_IMPORTING: frozenset[FileKind] = frozenset({"python", "notebook"})
"""Kinds whose names may come from other modules of the tree."""
_ROUNDS = 3
"""Times that a file is judged again because others tell it something else."""


class Scanner(Struct, frozen=True):
    """Scans files of one tree."""

    files: Files
    catalogue: Catalogue
    target: Target
    seconds: int = budget.SECONDS
    findings: int = budget.FILE_FINDINGS

    def __call__(self, task: Task, content: bytes, ask: Ask | None = None) -> FileResult:
        """Scan one file; `ask` tells what other modules know of its names."""
        # What is known already needs no parser, and a hook is not to wait for one.
        from portaudit import scan  # noqa: PLC0415

        source = SourceFile(task.path, task.kind, content, task.first_party)
        return self._limited(
            source,
            lambda: scan.scan_file(source, self.catalogue, self.target, task.externals, ask),
        )

    def outline(self, task: Task, content: bytes) -> FileResult:
        """Only what one Python file tells others."""
        from portaudit import scan  # noqa: PLC0415

        source = SourceFile(task.path, task.kind, content, task.first_party)
        return self._limited(source, lambda: scan.outline_file(source, self.catalogue, self.target))

    def _limited(self, source: SourceFile, work: Callable[[], FileResult]) -> FileResult:
        """What comes of the work on a file, if that does not take too long."""
        try:
            with budget.limited(self.seconds):
                return surplus.of_file(work(), self.findings)
        except budget.OverBudgetError:
            from portaudit import scan  # noqa: PLC0415

            scan.forget()
            return _lost(source.path, budget.over(self.seconds))

    def __reduce__(self) -> tuple[type[Scanner], tuple[Files, Catalogue, Target, int, int]]:
        """What another process gets: there nothing is read."""
        files = Disk(self.files.root)
        return Scanner, (files, self.catalogue, self.target, self.seconds, self.findings)


def _scanner(config: Config, rules: Rules, side: Side) -> Scanner:
    """What scans the files of a side as a config says."""
    return Scanner(
        side.files,
        rules.chosen,
        config.target,
        config.file_seconds,
        config.file_findings,
    )


def _lost(path: str, reason: str) -> FileResult:
    """The result of a file of which nothing can be told: another run may have more luck."""
    return FileResult(path, errors=(ScanError(path, reason),), failed=True)


class _Runner:
    """Scans the files of a tree, in processes where that pays, unless their results are known."""

    def __init__(
        self,
        scanner: Scanner,
        modules: Modules,
        tree: Tree,
        contents: Contents,
        results: Results,
        jobs: int,
    ) -> None:
        self._scanner = scanner
        self._modules = modules
        self._kinds = tree.kinds
        self._contents = contents
        self._results = results
        self._jobs = jobs
        self._workers: Workers | None = None
        self._facts: dict[str, FileFacts] = {}
        self._outlines: dict[str, bytes] = {}
        self.solver = Solver(modules, self._facts_of)

    def close(self) -> None:
        """End the processes and keep what was found for later runs."""
        if self._workers:
            self._workers.close()
        self._results.let_go()
        self._facts.clear()
        self._outlines.clear()
        del self.solver  # it asks this for facts, so that each would keep the other

    def known(self, path: str, externals: Externals = NO_EXTERNALS) -> FileResult | None:
        """The result of a file that needs no scan, if others tell just that."""
        digest = self._contents.digest(path)
        if isinstance(digest, ScanError):
            return self._learnt(FileResult(path, errors=(digest,)))
        found = self._results.get(self._results.key(self._task(path, externals), digest))
        if found is None:
            return None
        # It was kept by a run that may have had room for more.
        return self._learnt(surplus.of_file(found, self._scanner.findings))

    def outline(self, path: str) -> FileFacts | None:
        """What a file that others told something tells and asks itself, if that needs no scan."""
        digest = self._contents.digest(path)
        if isinstance(digest, ScanError):
            return None
        found = self._results.outline(self._results.key(self._task(path), digest))
        if found is not None:
            self._facts.setdefault(path, found)
        return found

    def keep(self, result: FileResult, externals: Externals) -> None:
        """Keep what a file came to at last, where others had told it something."""
        digest = self._contents.digest(result.path)
        if isinstance(digest, ScanError):
            return
        asked = set(result.facts.open)
        needed = Externals(tuple(each for each in externals.names if each[0] in asked))
        self._results.keep(self._results.key(self._task(result.path, needed), digest), result)
        told = replace(_outline(result.facts), open=result.facts.open)
        outline = FileResult(result.path, facts=told, failed=result.failed)
        self._results.keep_outline(self._results.key(self._task(result.path), digest), outline)

    def __call__(self, wanted: Mapping[str, Externals]) -> Iterator[tuple[FileResult, Externals]]:
        """The results of files of which others told something, in any order.

        With each comes what they told in the end: also what was asked only while it was scanned.
        """
        sizes = {path: self._size(path) for path in wanted}
        if self._workers is None and self._jobs != 1 and len(wanted) >= _SHARED_FROM:
            from portaudit import workers  # noqa: PLC0415 - longer to load than a hook may take

            number = workers.worth(list(sizes.values()), self._jobs)
            if number > 1:
                import portaudit.scan  # noqa: F401, PLC0415 - once, before there are several of us

                self._workers = workers.Workers(self._scanner, self._modules, number)
        if len(wanted) == 1:
            yield from (self._scanned(path, externals) for path, externals in wanted.items())
            return
        imported = {path: self._imported(path) for path in wanted}
        ahead = Ahead(self._modules, imported, sizes)
        if self._workers is None or len(wanted) < _SHARED_FROM:
            while ahead:
                for path in ahead.take(1, 1) or ahead.guess():
                    yield self._scanned(path, wanted[path])
                    ahead.done(path)
        else:
            yield from self._shared(wanted, ahead, self._workers)

    def _scanned(self, path: str, externals: Externals) -> tuple[FileResult, Externals]:
        """The result of one file, scanned here and now."""
        read = self._contents.read(path)
        if isinstance(read, ScanError):
            return self._learnt(FileResult(path, errors=(read,))), externals
        told = dict(externals.names)
        content, digest = read
        task = self._task(path, externals)
        if budget.is_risky(content):
            result, told = self._apart(task, content)
        else:
            result = self._scanner(task, content, partial(self.solver.note, path, told))
        externals = _sorted(told)
        self._results.keep(self._results.key(self._task(path, externals), digest), result)
        return self._learnt(result), externals

    def _apart(self, task: Task, content: bytes) -> tuple[FileResult, dict[str, Export]]:
        """The result of a file that another process scans, and what others told for it."""
        told = dict(task.externals.names)

        def scanned() -> tuple[FileResult, dict[str, Export]]:
            return self._scanner(task, content, partial(self.solver.note, task.path, told)), told

        import portaudit.scan  # noqa: F401, PLC0415 - once for all such files

        try:
            return budget.apart(scanned) or scanned()
        except budget.DiedError as error:
            reason = budget.over(self._scanner.seconds) if error.stuck else budget.KILLED
            return _lost(task.path, reason), told

    def _shared(
        self,
        wanted: Mapping[str, Externals],
        ahead: Ahead,
        workers: Workers,
    ) -> Iterator[tuple[FileResult, Externals]]:
        """The same by several processes."""
        lost: list[tuple[FileResult, Externals]] = []
        digests: dict[str, bytes] = {}

        def read(paths: Sequence[str]) -> Portion:
            files = []
            for path in paths:
                found = self._contents.read(path)
                if isinstance(found, ScanError):
                    lost.append((self._learnt(FileResult(path, errors=(found,))), wanted[path]))
                    ahead.done(path)
                else:
                    digests[path] = found[1]
                    files.append((self._task(path, wanted[path]), found[0]))
            return files, {each: self._packed(each) for each in ahead.behind(paths)}

        def parts() -> Iterator[Portion]:
            while ahead:
                paths = ahead.take(workers.portion, workers.number)
                if not paths and len(digests) < workers.number:
                    paths = ahead.guess()
                yield read(paths)

        for (task, _), (done, given) in workers(parts()):
            ahead.done(task.path)
            externals = _sorted({**dict(task.externals.names), **given})
            key = self._results.key(self._task(task.path, externals), digests.pop(task.path))
            yield self._learnt(self._results.take(key, done)), externals
        yield from lost

    def _imported(self, path: str) -> tuple[str, ...]:
        if self._kinds[path] != "python":
            return ()
        read = self._contents.read(path)
        return () if isinstance(read, ScanError) else tuple(glance.imported(read[0]))

    def _facts_of(self, path: str) -> FileFacts | None:
        """What a module tells, whether or not it is scanned itself."""
        if path not in self._facts and self.known(path) is None and self.outline(path) is None:
            read = self._contents.read(path)
            if isinstance(read, ScanError):
                self._facts[path] = FileFacts()
            else:
                task = self._task(path)
                outline = self._scanner.outline(task, read[0])
                self._facts[path] = outline.facts
                self._results.keep_outline(self._results.key(task, read[1]), outline)
        return self._facts[path]

    def _learnt(self, result: FileResult) -> FileResult:
        self._facts.setdefault(result.path, result.facts)
        return result

    def _packed(self, path: str) -> bytes:
        """What a module tells as far as it is known now; empty where that is nothing."""
        if path not in self._outlines and path in self._facts:
            told = _outline(self._facts[path])
            try:
                packed = b"" if told == FileFacts() else msgspec.msgpack.encode(told)
            except UNWRITABLE:
                packed = b""  # asked again where nothing needs to be packed
            self._outlines[path] = packed
        return self._outlines.get(path, b"")

    def _task(self, path: str, externals: Externals = NO_EXTERNALS) -> Task:
        return Task(path, self._kinds[path], self._modules.first_party(path), externals)

    def _size(self, path: str) -> int:
        try:
            return self._scanner.files.size(path)
        except OSError:
            return 0  # reading it will say what is wrong


def _outline(facts: FileFacts) -> FileFacts:
    """Of the facts of a file what others are told."""
    return FileFacts(facts.exports, facts.stars, facts.foreign_stars)


def _joined(result: FileResult) -> FileResult:
    """A result without what only the scans of other files ask for: a third of what files tell.

    A file with errors is left as it is: it counts as read if it told anything.
    """
    if result.errors:
        return result
    facts = replace(result.facts, exports=(), stars=(), foreign_stars=(), open=())
    return replace(result, facts=facts)


def _sorted(told: Mapping[str, Export]) -> Externals:
    return Externals(tuple(sorted(told.items(), key=_name)))


def _name(each: tuple[str, Export]) -> str:
    return each[0]


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
    """Scan files of a tree. A module that is only asked about tells no more than others need.

    What was scanned is kept in `results`, for whoever scans next; `contents` knows what was read.
    """
    if results is None:
        results = Results(scanner.catalogue, scanner.target)
    if contents is None:
        contents = Contents(scanner.files)
    with closing(_Runner(scanner, modules, tree, contents, results, jobs)) as run:
        wave = _Wave(run, tree, progress)
        wanted = wave.unknown()
        for _ in range(_ROUNDS + 1):
            wave.scan(wanted)
            wanted = wave.otherwise()
            if not wanted:
                break
        return wave.kept()


class _Wave:
    """The results of the files of a tree, and what others told for each of them."""

    def __init__(self, run: _Runner, tree: Tree, progress: Progress | None) -> None:
        self._run = run
        self._tree = tree
        self._progress = progress
        self._found: dict[str, FileResult] = {}
        self._told: dict[str, Externals] = {}
        self._asking: dict[str, tuple[str, ...]] = {}
        self._scanned: set[str] = set()

    def unknown(self) -> dict[str, Externals]:
        """The files of which nothing is known that an earlier run found."""
        for path in self._tree.selected:
            known = self._run.known(path)
            outline = self._run.outline(path) if known is None else None
            if known is not None:
                self._take(known, NO_EXTERNALS)
            elif outline is not None:
                self._asking[path] = outline.open
        there = self._told.keys() | self._asking.keys()
        return {path: NO_EXTERNALS for path in self._tree.selected if path not in there}

    def scan(self, wanted: Mapping[str, Externals]) -> None:
        """Scan files of which others told something."""
        for result, externals in self._run(wanted):
            self._take(result, externals)
            self._scanned.add(result.path)

    def otherwise(self) -> dict[str, Externals]:
        """The files to be scanned because others tell something else than they were scanned with.

        Those are none but of imports in a circle, of kept results, and of several processes.
        """
        wanted: dict[str, Externals] = {}
        waiting = [path for path in self._tree.selected if self._tree.kinds[path] in _IMPORTING]
        for _ in range(_ROUNDS):  # a kept result may ask for more
            waiting = [path for path in waiting if self._is_otherwise(path, wanted)]
        return wanted

    def _is_otherwise(self, path: str, wanted: dict[str, Externals]) -> bool:
        """Whether a file has another result now, for which more may have to be told."""
        before = self._told.get(path)
        names = {name for name, _ in before.names} if before else set()
        names.update(self._found[path].facts.open if before else self._asking[path])
        externals = self._run.solver.externals(path, names)
        if externals == before:
            return False
        known = self._run.known(path, externals)
        if known is None:
            wanted[path] = externals
            return False
        self._take(known, externals)
        return True

    def kept(self) -> tuple[FileResult, ...]:
        """All results, those that are new and depend on others kept for later runs."""
        for path in sorted(self._scanned):
            if self._told[path].names:
                self._run.keep(self._found[path], self._told[path])
        return tuple(self._found[path] for path in self._tree.selected)

    def _take(self, result: FileResult, externals: Externals) -> None:
        path = result.path
        if self._progress and path not in self._found:
            self._progress(len(self._found) + 1, len(self._tree.selected))
        self._found[path] = result
        self._told[path] = externals


class Tellers:
    """What the modules of a tree tell one another, for whoever looks at one of its files again."""

    def __init__(self, config: Config, rules: Rules, side: Side) -> None:
        """Ask the files of a tree, as a scan with these settings would."""
        self._tree = side.tree
        self._contents = Contents(side.files, rules.store)
        self.modules = Modules(side.tree, rules.everything.libraries)
        scanner = _scanner(config, rules, side)
        self._run = _Runner(scanner, self.modules, side.tree, self._contents, rules.results, 1)

    def source(self, path: str) -> SourceFile | ScanError:
        """A file of the tree, as a scan gets it."""
        read = self._contents.read(path)
        if isinstance(read, ScanError):
            return read
        kind = self._tree.kinds[path]
        return SourceFile(path, kind, read[0], self.modules.first_party(path))

    def ask(self, path: str) -> Ask:
        """Who tells a file what the open names in it are."""
        return partial(self._run.solver.told, path)

    def close(self) -> None:
        """Keep what was found for later runs."""
        self._run.close()


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
        side = discover.side(config, Disk(config.root))
    if contents is None:
        contents = Contents(side.files, rules.store)
    tree = side.tree
    for path in config.entry:
        # Of a comparison one side may not have it yet.
        if (path in tree.kinds or alone) and tree.kinds.get(path) not in _IMPORTING:
            raise UsageError(f"{path}: an entry must be a Python file or a notebook of the tree")
    modules = Modules(tree, rules.everything.libraries)
    scanner = _scanner(config, rules, side)
    with uncollected():
        found = scan_tree(
            scanner,
            modules,
            tree,
            jobs=config.jobs,
            progress=progress,
            results=rules.results,
            contents=contents,
        )
    results = tuple(map(_joined, surplus.of_run(found, config.findings)))
    del found
    rules.results.write()
    try:
        with budget.limited(config.tree_seconds):
            made = _related(config, rules, tree, modules, results, contents)
    except budget.OverBudgetError:
        raise PortauditError(budget.over_with_tree(config.tree_seconds)) from None
    contents.keep(tree.kinds)
    return made


def _related(
    config: Config,
    rules: Rules,
    tree: Tree,
    modules: Modules,
    results: Sequence[FileResult],
    contents: Contents,
) -> Report:
    """The report, of what all files gave."""
    natives = related(results, modules, Said(results, tree.others, partial(_content, contents)))
    around = (_content(contents, path) for path in tree.around if aside(path) != "test")
    surrounded = replace(tree, variables=tuple(each for text in around for each in set_in(text)))
    run = rules.chosen.rules.keys()
    return report(config, rules.everything, results, natives, surrounded, modules, run)


def _content(contents: Contents, path: str) -> bytes:
    """What a file holds; nothing if it cannot be read, which is told by whoever scans it."""
    read = contents.read(path)
    return b"" if isinstance(read, ScanError) else read[0]


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
    return Blank(
        words, report(config, rules.everything, found, Natives(), tree, modules, ran), tuple(ran)
    )


def report(
    config: Config,
    catalogue: Catalogue,
    results: Sequence[FileResult],
    natives: Natives,
    tree: Tree,
    modules: Modules,
    rules_run: Collection[str],
) -> Report:
    """Relate and score results into a report. What somebody accepted is in it, but counts not.

    What reaches a finding can be told of a whole tree only.
    """
    least = CONFIDENCES.index(config.min_confidence)
    assumed = config.assumptions or assumptions.standard()
    kernels: Sequence[Kernel] = natives.kernels
    found = joined(
        told(with_foreign_uses(results), kernels, catalogue.rules),
        kernels,
        catalogue,
        results,
        wiring=assumed.wiring,
        ran=rules_run,
    )
    paths = Reached(found)
    if tree.selected == tree.files:
        entry = [path for path in config.entry if path in tree.kinds]
        paths = reached(results, found, natives, tree, modules, entry, catalogue.rules)
    kernels = with_ways(kernels, paths.findings)
    known, notices = suppress.apply(
        settled(taken_on(paths.findings, kernels)),
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
    failures += paths.errors
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
            rules_total=len(catalogue.rules),
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
    file = dict(config.origins).get("per_file_ignores", "the settings")
    by = Suppression(f"per-file-ignores in {file}", file, 1)
    return [
        FileIgnores(
            spec([pattern]),
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
