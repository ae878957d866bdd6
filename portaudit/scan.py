"""The stage `scan_file`: one source file in, its findings and facts out. Pure and picklable.

Everything about other files comes in through `Externals`; nothing is read, printed or remembered.
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace

from portaudit.catalogue.load import Catalogue
from portaudit.judge.findings import judge
from portaudit.judge.guards import Judge
from portaudit.judge.required import required
from portaudit.match.hits import lowest
from portaudit.match.python import Matcher
from portaudit.read.python.exports import Exporter
from portaudit.read.python.flags import Flags
from portaudit.read.python.model import Binding, build, join
from portaudit.read.python.parse import UnreadableError, parse
from portaudit.read.python.values import Reader
from portaudit.types import (
    NO_EXTERNALS,
    Externals,
    FileFacts,
    FileResult,
    Finding,
    Proof,
    ScanError,
    SourceFile,
    Target,
)

_DEEPEST = 6_000
"""Python frames allowed while walking one file; long generated expressions need many."""


def scan_file(
    source: SourceFile,
    catalogue: Catalogue,
    target: Target,
    externals: Externals = NO_EXTERNALS,
) -> FileResult:
    """Judge one file. What cannot be read or judged is an error in the result, never raised."""
    if sys.getrecursionlimit() < _DEEPEST:
        sys.setrecursionlimit(_DEEPEST)
    try:
        return _scan_python(source, catalogue, target, externals)
    except UnreadableError as error:
        return FileResult(source.path, errors=(ScanError(source.path, str(error)),))
    except RecursionError:
        error_text = "an expression is nested too deeply to judge"
        return FileResult(source.path, errors=(ScanError(source.path, error_text),))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not hide other files
        where = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__}: {error}"
        reason = f"portaudit failed here ({kind} in {where.name}); please report it"
        return FileResult(source.path, errors=(ScanError(source.path, reason),))


def _scan_python(
    source: SourceFile, catalogue: Catalogue, target: Target, externals: Externals
) -> FileResult:
    parsed = parse(source.path, source.content)
    reader = Reader(source, build(parsed.module), parsed.text, externals)
    matcher = Matcher(reader, catalogue)
    flags = Flags(reader, catalogue.guards.on(target), catalogue.package_roots)
    judgment = Judge(flags, catalogue.libraries)
    hits = [*matcher.run(), *required(judgment, catalogue)]
    findings = judge(judgment, catalogue, target, hits)
    if parsed.damage:
        findings = tuple(_doubtful(finding) for finding in findings)

    def otherwise(bindings: list[Binding]) -> Proof | None:
        guard = judgment.either_or(bindings)
        return guard.by if guard else None

    exports = Exporter(reader, flags, catalogue, otherwise).exports()
    facts = FileFacts(
        exports=exports,
        stars=tuple(module for module, _ in reader.model.stars if _tells(reader, module)),
        foreign_stars=tuple(
            module
            for module, _ in reader.model.stars
            if _tells(reader, module) and not reader.is_open(module)
        ),
        open=tuple(sorted(_open_names(reader))),
        imports_torch=matcher.torch,
    )
    return FileResult(
        source.path,
        findings,
        facts,
        tuple(matcher.foreign),
        sum(finding.facts.status == "undocumented" for finding in findings),
        parsed.damage,
    )


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
