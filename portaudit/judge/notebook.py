"""Findings in the code of a notebook as findings of its file: lines, cells, scopes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from portaudit.read.notebook import Notebook, joined
from portaudit.types import (
    CodeFacts,
    FileFacts,
    FileResult,
    Finding,
    Import,
    Option,
    ScanError,
    Use,
)


def placed(result: FileResult, notebook: Notebook, lines: Sequence[str]) -> FileResult:
    """What was found in the notebook's code, where it stands in the file. No identity yet.

    Kernels and native code of cells that are not Python are joined to it.
    `lines` are the file's. A notebook is imported by nobody: of its facts only what it asks of
    others, calls and does remains.
    """
    facts = result.facts
    return replace(
        result,
        findings=tuple(_finding(item, notebook, lines) for item in result.findings),
        facts=FileFacts(
            open=facts.open,
            imports_torch=facts.imports_torch,
            native=joined(notebook.facts(facts.native), notebook.native),
            calls=tuple(replace(item, line=notebook.line(item.line)) for item in facts.calls),
            held=tuple(replace(item, line=notebook.line(item.line)) for item in facts.held),
            launches=tuple(replace(item, line=notebook.line(item.line)) for item in facts.launches),
            code=_code(facts.code, notebook),
            settings=tuple(
                replace(item, line=notebook.line(item.line)) if item.line else item
                for item in facts.settings
            ),
        ),
        foreign_uses=tuple(
            replace(item, use=_use(item.use, notebook)) for item in result.foreign_uses
        ),
        errors=(*notebook.errors, *(_error(error, notebook) for error in result.errors)),
        inventory=(*(notebook.kernel(item) for item in result.inventory), *notebook.kernels),
    )


def _finding(item: Finding, notebook: Notebook, lines: Sequence[str]) -> Finding:
    name, cell = notebook.cell(item.span.line)
    span = notebook.span(item.span)
    return replace(
        item,
        span=span,
        snippet=lines[span.line - 1].rstrip()[:400],
        scope=f"{name}.{item.scope}" if item.scope else name,
        cell=cell,
        lines=(notebook.line(item.lines[0]), notebook.line(item.lines[1])),
        guard_by=notebook.proof(item.guard_by),
        uses=tuple(_use(use, notebook) for use in item.uses),
    )


def _code(code: CodeFacts, notebook: Notebook) -> CodeFacts:
    return replace(
        code,
        imports=tuple(_import(item, notebook) for item in code.imports),
        guesses=tuple(_import(item, notebook) for item in code.guesses),
        main=notebook.line(code.main) if code.main else 0,
        does=tuple((deed, notebook.line(line)) for deed, line in code.does),
        options=tuple(_option(item, notebook) for item in code.options),
        trains=tuple(notebook.line(line) for line in code.trains),
    )


def _import(item: Import, notebook: Notebook) -> Import:
    return replace(item, line=notebook.line(item.line), guard_by=notebook.proof(item.guard_by))


def _option(item: Option, notebook: Notebook) -> Option:
    first, last = item.lines
    return replace(
        item,
        lines=(notebook.line(first), notebook.line(last)) if first else item.lines,
        line=notebook.line(item.line),
        part=notebook.span(item.part) if item.part else None,
    )


def _use(use: Use, notebook: Notebook) -> Use:
    """A use in the code itself: those in other files are told of the whole."""
    return replace(use, line=notebook.line(use.line))


def _error(error: ScanError, notebook: Notebook) -> ScanError:
    if error.line is None:
        return error
    _, cell = notebook.cell(error.line)
    reason = f"cell {cell}: {error.reason}" if cell else error.reason
    return replace(error, line=notebook.line(error.line), reason=reason)
