"""The stage `scan_file`: one source file in, its findings and facts out. Pure and picklable.

Everything about other files comes in through `Externals`, or is asked for as it is needed; nothing
is read, printed or remembered.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from msgspec.structs import replace

from portaudit import fingerprint
from portaudit.catalogue.difficulty import KERNEL_EFFORT
from portaudit.catalogue.load import Catalogue
from portaudit.garbage import sweep, uncollected
from portaudit.judge.demands import Demands
from portaudit.judge.findings import judge
from portaudit.judge.guards import Judge
from portaudit.judge.imports import decided
from portaudit.judge.required import required
from portaudit.judge.unmet import unmet
from portaudit.match.hits import lowest
from portaudit.match.python import Matcher
from portaudit.read.composition import composed, may_compose
from portaudit.read.configs import given, may_set, variables
from portaudit.read.directives import directives
from portaudit.read.items import Item, ItemKind
from portaudit.read.launches import is_project, launches, may_start, packages, scripts
from portaudit.read.mentions import may_mention, mentions
from portaudit.read.other import read
from portaudit.read.own_folders import folders
from portaudit.read.python.calls import called, held
from portaudit.read.python.code import code
from portaudit.read.python.compiled import compiled
from portaudit.read.python.exports import Exporter
from portaudit.read.python.flags import Flags
from portaudit.read.python.imports import brought, guessed
from portaudit.read.python.kernels import inventory
from portaudit.read.python.model import Binding, Model, build, join
from portaudit.read.python.parse import Parsed, UnreadableError, parse
from portaudit.read.python.positions import Positions
from portaudit.read.python.programs import programs
from portaudit.read.python.settings import settings
from portaudit.read.python.setup import builds, dependencies, made
from portaudit.read.python.sources import guarded, sources
from portaudit.read.python.twins import DisagreementError
from portaudit.read.python.values import Answers, Ask, Reader
from portaudit.read.statements import Statements
from portaudit.read.text import BinaryError, Text, decode
from portaudit.types import (
    NO_EXTERNALS,
    Category,
    CodeFacts,
    Effort,
    Externals,
    FileFacts,
    FileKind,
    FileResult,
    Finding,
    Kernel,
    Launch,
    Location,
    Mention,
    Proof,
    ScanError,
    SourceFile,
    Target,
)

_DEEPEST = 6_000
"""Python frames allowed while walking one file; long generated expressions need many."""
_RECENT = 60_000
"""Bytes of source that are kept taken apart."""
_SWEPT = 500_000
"""Bytes of source after which what is still tied in knots is searched for: its nodes take
some sixty times as much until then."""
_KERNELS: frozenset[Category] = frozenset({"cuda-source", "triton-kernel"})
_KINDS: Mapping[FileKind, FileKind] = {"python": "native", "notebook": "shell"}
"""What the items of a file that is no document are mostly items of: its strings, its magics."""
_STARTED: frozenset[ItemKind] = frozenset({"launch", "script", "project", "package"})
"""Items that are facts of the tree, and nothing that rules speak of."""
_READ_ALWAYS: frozenset[FileKind] = frozenset({"requirements"})
"""Kinds in which a bare name may mean something."""


class _Recent:
    """Modules that were parsed just now: one that another asked about may be next to be judged."""

    def __init__(self) -> None:
        self._modules: dict[tuple[str, bytes], tuple[Parsed, Model]] = {}
        self._busy: list[tuple[str, bytes]] = []
        self._size = 0
        self._unswept = 0

    def parsed(self, path: str, content: bytes) -> tuple[Parsed, Model]:
        """A module taken apart, which nobody changes. Raises `UnreadableError` as `parse` does."""
        key = path, content
        known = self._modules.get(key)
        if known is None:
            parsed = parse(path, content)
            known = self._modules[key] = parsed, build(parsed.module)
        return known

    @contextmanager
    def held(self, path: str, content: bytes) -> Iterator[None]:
        """Keep what a file is taken apart into while it is worked on; let go others for it."""
        self._make_room(len(content))
        self._busy.append((path, content))
        try:
            yield
        finally:
            self._busy.pop()

    def forget(self) -> None:
        """Let go everything: work was broken off, and what it left may be half done."""
        self._modules.clear()

    def _make_room(self, size: int) -> None:
        self._size += size
        self._unswept += size
        if self._size > _RECENT:
            for key in [key for key in self._modules if key not in self._busy]:
                self._modules.pop(key)[1].let_go()
            self._size = size
        if self._unswept > _SWEPT:
            self._unswept = 0
            sweep()


_recent = _Recent()


def forget() -> None:
    """Keep nothing of the files that were scanned before one was broken off."""
    _recent.forget()


def scan_file(
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    externals: Externals = NO_EXTERNALS,
    ask: Ask | None = None,
) -> FileResult:
    """Judge one file. What cannot be read or judged is an error in the result, never raised.

    `externals` and `ask` tell what other modules know of its open names.
    """
    answers = Answers(externals, ask)
    return _guarded(source, lambda: _judge(source, catalogue, target, answers))


def outline_file(source: SourceFile, catalogue: Catalogue, target: Target) -> FileResult:
    """Only what a Python file tells others: the facts of a module that is not judged itself."""
    return _guarded(source, lambda: _outline(source, catalogue, target))


def _guarded(source: SourceFile, scan: Callable[[], FileResult]) -> FileResult:
    """What is made of a file, or the error for it."""
    if sys.getrecursionlimit() < _DEEPEST:
        sys.setrecursionlimit(_DEEPEST)
    try:
        # The syntax tree of a file stays until the file is done.
        with uncollected(), _recent.held(source.path, source.content):
            return scan()
    except (UnreadableError, BinaryError) as error:
        return FileResult(source.path, errors=(ScanError(source.path, str(error)),))
    except RecursionError:
        error_text = "an expression is nested too deeply to judge"
        return FileResult(source.path, errors=(ScanError(source.path, error_text),), failed=True)
    except MemoryError:
        _recent.forget()
        reason = "there is not enough memory to judge it"
        return FileResult(source.path, errors=(ScanError(source.path, reason),), failed=True)
    except Exception as error:  # noqa: BLE001 - a defect of ours must not hide other files
        where = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__}: {error}"
        reason = f"portaudit failed here ({kind} in {where.name}); please report it"
        return FileResult(source.path, errors=(ScanError(source.path, reason),), failed=True)


def _judge(
    source: SourceFile, catalogue: Catalogue, target: Target, answers: Answers
) -> FileResult:
    result = _scan(source, catalogue, target, answers)
    said = directives(source)
    return replace(result, directives=said) if said else result


def _scan(source: SourceFile, catalogue: Catalogue, target: Target, answers: Answers) -> FileResult:
    if source.kind == "python":
        return _scan_python(source, catalogue, target, answers)
    if source.kind == "notebook":
        return _scan_notebook(source, catalogue, target, answers)
    return _scan_other(source, catalogue, target)


def _scan_python(
    source: SourceFile, catalogue: Catalogue, target: Target, answers: Answers
) -> FileResult:
    parsed, model = _recent.parsed(source.path, source.content)
    result = _scan_parsed(parsed, model, source, catalogue, target, answers)
    return _all_doubtful(result) if parsed.damage else result


def _all_doubtful(result: FileResult) -> FileResult:
    return replace(result, findings=tuple(_doubtful(finding) for finding in result.findings))


def _outline(source: SourceFile, catalogue: Catalogue, target: Target) -> FileResult:
    parsed, model = _recent.parsed(source.path, source.content)
    try:
        facts = _alone(parsed, model, source, catalogue, target)
    except DisagreementError:
        parsed = parsed.by_libcst(source.path)
        facts = _alone(parsed, build(parsed.module), source, catalogue, target)
    return FileResult(source.path, facts=facts)


def _alone(
    parsed: Parsed,
    model: Model,
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    positions: Positions | None = None,
) -> FileFacts:
    """What a module tells others, by what it says itself.

    Nobody else's questions may come first: what a name may be that depends on itself is remembered
    as it was seen from where somebody asked.
    """
    reader = Reader(source, model, parsed, positions=positions)
    flags = Flags(reader, catalogue.guards.on(target), catalogue.package_roots)
    judgment = Judge(flags, catalogue.libraries, unmet(reader, target))

    def otherwise(bindings: list[Binding]) -> Proof | None:
        guard = judgment.either_or(bindings)
        return guard.by if guard else None

    stars = [module for module, _ in model.stars if _tells(reader, module)]
    return FileFacts(
        exports=Exporter(reader, flags, catalogue, otherwise, Demands(judgment).fails).exports(),
        stars=tuple(stars),
        foreign_stars=tuple(module for module in stars if not reader.is_open(module)),
    )


def _scan_parsed(
    parsed: Parsed,
    model: Model,
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    answers: Answers,
) -> FileResult:
    try:
        return _scan_module(parsed, model, source, catalogue, target, answers)
    except DisagreementError:
        whole = parsed.by_libcst(source.path)
        result = _scan_module(whole, build(whole.module), source, catalogue, target, answers)
        return _all_doubtful(result) if len(whole.damage) > len(parsed.damage) else result


def _scan_module(
    parsed: Parsed,
    model: Model,
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    answers: Answers,
) -> FileResult:
    positions = Positions(parsed.module, parsed.text, parsed.tree)
    alone = _alone(parsed, model, source, catalogue, target, positions)
    reader = Reader(source, model, parsed, answers, positions)
    matcher = Matcher(reader, catalogue)
    flags = Flags(reader, catalogue.guards.on(target), catalogue.package_roots)
    judgment = Judge(flags, catalogue.libraries, unmet(reader, target))
    hits = [*matcher.run(), *required(judgment, catalogue)]
    kernels, starters = inventory(reader)
    starts = parsed.tree.starts if parsed.tree else ()
    statements = Statements("python", reader.lines, starts)
    judged = _sized(_with_lines(judge(judgment, catalogue, target, hits), statements), kernels)
    embedded = guarded(sources(reader), judged)
    items = (*dependencies(reader), *embedded.items)
    kernels = (*kernels, *embedded.kernels)
    judged += _sized(_judged(items, source, catalogue, target, reader.lines), kernels)
    findings = fingerprint.identify(judged)
    decide = partial(decided, judgment)
    imports = brought(reader, decide)  # asks for flags of other modules
    guesses = guessed(reader, decide)
    built = tuple(made(reader))
    demands = Demands(judgment).of  # asks what calls come to
    uses = code(reader, imports, guesses, demands, judgment.flags.packages)
    facts = replace(
        alone,
        open=tuple(sorted(_open_names(reader))),
        imports_torch=matcher.torch,
        native=replace(
            embedded.native,
            functions=(*starters, *embedded.native.functions),
            builds=builds(reader),
            compiles=compiled(reader),
        ),
        calls=called(reader),
        code=uses,
        launches=launches(programs(reader)),
        scripts=scripts(built),
        settings=settings(reader),
        is_project=is_project(built),
        packages=packages(built),
        held=held(reader),
    )
    return FileResult(
        source.path,
        findings,
        facts,
        tuple(matcher.foreign),
        parsed.damage,
        _identified(kernels, findings),
    )


def _scan_notebook(
    source: SourceFile, catalogue: Catalogue, target: Target, answers: Answers
) -> FileResult:
    """Judge the code cells of a notebook as one module, and what they say to the shell."""
    # A run on one Python file, in a hook, is not to wait for the parsers of shell code and JSON.
    from portaudit.judge.notebook import placed  # noqa: PLC0415
    from portaudit.read.notebook import read as read_notebook  # noqa: PLC0415

    text = Text(source.path, decode(source.content))
    notebook = read_notebook(text)
    parsed, doubtful = notebook.parsed()
    model = build(parsed.module)
    whole = _scan_parsed(parsed, model, source, catalogue, target, answers)
    result = placed(whole, notebook, text.lines)
    found = [
        _doubtful(item) if item.scope.partition(".")[0] in doubtful else item
        for item in result.findings
    ]
    others = [
        replace(item, cell=notebook.cell_at(item.span))
        for item in _judged(notebook.items, source, catalogue, target, text.lines)
    ]
    findings = fingerprint.identify([*found, *_sized(others, notebook.kernels)])
    facts = result.facts
    started = tuple(sorted((*facts.launches, *launches(notebook.items)), key=_line))
    return replace(
        result,
        findings=findings,
        facts=replace(facts, launches=started),
        inventory=_identified(result.inventory, findings),
    )


def _scan_other(source: SourceFile, catalogue: Catalogue, target: Target) -> FileResult:
    """Judge a file of another kind; one without any word of a rule only says what it starts."""
    if source.kind not in _READ_ALWAYS and not catalogue.items.trigger(source.kind).search(
        source.content
    ):
        return FileResult(source.path, facts=_started(source))
    text = Text(source.path, decode(source.content))
    document = read(source.kind, text)
    found = _judged(document.items, source, catalogue, target, text.lines)
    findings = fingerprint.identify(_sized(found, document.kernels))
    return FileResult(
        source.path,
        findings,
        FileFacts(
            native=document.native,
            code=CodeFacts(composed(document.items, text)),
            launches=launches(document.items),
            scripts=scripts(document.items),
            settings=(*given(source, document.items, text), *variables(source)),
            mentions=_mentioned(source, text),
            is_project=is_project(document.items),
            packages=packages(document.items),
            installs=folders(source.content),
        ),
        (),
        document.errors,
        _identified(document.kernels, findings),
    )


def _started(source: SourceFile) -> FileFacts:
    """What a file starts and sets that no rule can speak of: its damage is nobody's concern."""
    kind, content = source.kind, source.content
    if b"\0" in content or not (
        may_start(kind, content)
        or may_compose(kind, content)
        or may_set(source)
        or may_mention(kind, source.path)
    ):
        return FileFacts(installs=folders(content), settings=variables(source))
    text = Text(source.path, decode(content))
    items = read(kind, text).items
    return FileFacts(
        code=CodeFacts(composed(items, text)),
        launches=launches(items),
        scripts=scripts(items),
        settings=(*given(source, items, text), *variables(source)),
        mentions=_mentioned(source, text),
        is_project=is_project(items),
        packages=packages(items),
        installs=folders(content),
    )


def _mentioned(source: SourceFile, text: Text) -> tuple[Mention, ...]:
    return mentions(text) if may_mention(source.kind, source.path) else ()


def _line(launch: Launch) -> int:
    return launch.line


def _judged(
    items: Sequence[Item],
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    lines: Sequence[str],
) -> list[Finding]:
    """What rules say of the items of a file, whose text is `lines`."""
    items = [item for item in items if item.kind not in _STARTED]
    if not items:
        return []
    # They know how requirements are compared, which takes longer to load than most files to judge.
    from portaudit.judge.items import judge_items  # noqa: PLC0415
    from portaudit.match.items import match_items  # noqa: PLC0415

    hits = match_items(items, catalogue, target, source.path, source.first_party)
    found = judge_items(hits, catalogue, target, source.path, lines)
    return _with_lines(found, Statements(_KINDS.get(source.kind, source.kind), lines))


def _with_lines(findings: Sequence[Finding], statements: Statements) -> list[Finding]:
    """Findings with the lines of the statements that they begin in."""
    return [replace(item, lines=statements.around(item.span.line)) for item in findings]


def _sized(findings: Sequence[Finding], kernels: Sequence[Kernel]) -> list[Finding]:
    """Findings that speak of a kernel are worth what that kernel is.

    What only other kernels call is in their size and class already.
    """
    efforts: dict[int, Effort] = {
        each.line: "trivial" if each.helper else KERNEL_EFFORT[each.difficulty] for each in kernels
    }
    return [
        replace(item, effort=efforts[item.span.line])
        if item.category in _KERNELS and item.span.line in efforts
        else item
        for item in findings
    ]


def _identified(kernels: Sequence[Kernel], findings: Sequence[Finding]) -> tuple[Kernel, ...]:
    """Kernels with the fingerprint, and the other way, of the finding that speaks of each."""
    marks = {item.span.line: item for item in findings if item.category in _KERNELS}
    return tuple(
        replace(each, fingerprint=found.fingerprint, fallback=each.fallback or _other_way(found))
        if (found := marks.get(each.line))
        else each
        for each in kernels
    )


def _other_way(finding: Finding) -> Location | None:
    by = finding.guard_by if finding.guard == "fallback" else None
    return Location(by.path, by.line) if by else None


def _tells(reader: Reader, module: str) -> bool:
    """Whether a star import can hand on names that matter: of the tree, or of torch."""
    return reader.is_open(module) or module.split(".", maxsplit=1)[0] == "torch"


def _open_names(reader: Reader) -> set[str]:
    """Names of other modules that this file's judgment asked for, with those behind stars."""
    asked = set(reader.asked)
    stars = [module for module, _ in reader.model.stars if reader.is_open(module)]
    if stars:
        for node in reader.model.names:
            if not reader.lookup(node.value, reader.scope_of(node)):
                asked.update(join(module, node.value) for module in stars)
    return asked


def _doubtful(finding: Finding) -> Finding:
    """A finding in a file that had to be mended to be read."""
    return replace(finding, confidence=lowest([finding.confidence, "low"]))
