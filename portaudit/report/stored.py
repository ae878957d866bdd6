"""Reads a report that was written as JSON, so that two of them can be compared."""

from __future__ import annotations

import msgspec

from portaudit.errors import UsageError
from portaudit.report.schema import PublishedFinding, PublishedReport
from portaudit.types import Finding, Report, Span

_SCHEMA = "portaudit.report/1"
_FIELDS = tuple(
    name for name in Finding.__struct_fields__ if name in PublishedFinding.__struct_fields__
)
_PARTS = tuple(name for name in Report.__struct_fields__ if name != "findings")


def parse(content: bytes, name: str) -> Report:
    """The report in the text of a file, called `name`. Raises `UsageError`."""
    try:
        published = msgspec.json.decode(content, type=PublishedReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name}: is no report of portaudit's: {error}") from None
    if published.schema != _SCHEMA:
        raise UsageError(f'{name}: is no "{_SCHEMA}" but "{published.schema}"')
    unknown = [item.rule for item in published.findings if item.rule not in published.rules]
    if unknown:
        raise UsageError(f'{name}: is no whole report: "rules" lacks {unknown[0]}')
    parts = {key: getattr(published, key) for key in _PARTS}
    return Report(findings=tuple(map(_finding, published.findings)), **parts)


def _finding(item: PublishedFinding) -> Finding:
    span = Span(item.line, item.column, item.end_line, item.end_column)
    return Finding(span=span, **{key: getattr(item, key) for key in _FIELDS})
