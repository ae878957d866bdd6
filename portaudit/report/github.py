"""Reporter: annotations of a GitHub workflow, as commands that the runner reads from the log.

GitHub shows ten of each kind for a step, so the most urgent come first and the rest is counted.
What fails the gate is all printed: the log keeps what GitHub does not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from portaudit.report.outcome import (
    count,
    counts,
    expired,
    failing,
    grade,
    left_out,
    live,
    remedy,
    whole,
    why,
)
from portaudit.types import SEVERITIES, Finding, Notice, Report, ScanError

Kind = Literal["error", "warning", "notice"]

SHOWN = 10
"""Annotations of a kind that GitHub shows for a step."""
_LONGEST = 4_000
"""Characters of a message: GitHub takes 64 KiB, a reader much less."""
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def render(report: Report, *, prefix: str = "") -> str:
    """A command a line. `prefix` leads from the repository's root to the report's."""
    fails = failing(report)
    lines = [_finding("error", report, finding, prefix) for finding in fails]
    lines += _others(report, {finding.fingerprint for finding in fails}, prefix)
    lines += _about_the_audit(report, prefix)
    more = len(fails) - SHOWN
    if more > 0:
        text = f"{count(more, 'more place')} than GitHub shows here: the log has them all"
        lines.append(_command("notice", text, {"title": "portaudit"}))
    return "".join(f"{line}\n" for line in lines)


def _others(report: Report, fails: set[str], prefix: str) -> Iterator[str]:
    """What does not fail: the change's other places under a gate, else what is worth an edit."""
    rest = [finding for finding in live(report) if finding.fingerprint not in fails]
    if report.gate is not None:
        yield from (_finding("notice", report, finding, prefix) for finding in rest[:SHOWN])
        return
    minor = SEVERITIES.index("minor")
    grave = [finding for finding in rest if grade(finding) > minor]
    edits = [finding for finding in rest if grade(finding) == minor]
    yield from (_finding("warning", report, finding, prefix) for finding in grave[:SHOWN])
    yield from (_finding("notice", report, finding, prefix) for finding in edits[:SHOWN])
    more = len(grave[SHOWN:]) + len(edits[SHOWN:])
    if more:
        text = f"{count(more, 'more place')} of severity minor or worse in the whole report"
        yield _command("notice", text, {"title": "portaudit"})


def _about_the_audit(report: Report, prefix: str) -> Iterator[str]:
    """What somebody should put right in comments, in the baseline, and in files."""
    problems: list[Notice | ScanError] = [*report.notices, *report.errors]
    lost = set(left_out(report))
    problems.sort(key=lambda problem: problem not in lost)
    for problem in problems[:SHOWN]:
        text = problem.message if isinstance(problem, Notice) else problem.reason
        title = problem.kind.replace("-", " ") if isinstance(problem, Notice) else "not read"
        where = {"file": prefix + problem.path}
        where |= {"line": str(problem.line)} if problem.line else {}
        kind: Kind = "error" if problem in lost else "warning"
        yield _command(kind, text, {**where, "title": f"portaudit: {title}"})
    if problems[SHOWN:]:
        text = f"{count(len(problems) - SHOWN, 'more file or comment', 'more files or comments')}"
        yield _command("warning", f"{text} to look at", {"title": "portaudit"})
    covered = counts(report).covered
    if covered:
        text = (
            f"{count(covered, 'place')} of old code that newer rules see and the baseline does "
            "not: `portaudit baseline update --newly-covered` accepts them"
        )
        yield _command("warning", text, {"title": "portaudit: newly covered"})


def _finding(kind: Kind, report: Report, finding: Finding, prefix: str) -> str:
    span = finding.span
    where = {"file": prefix + finding.path, "line": str(max(1, span.line))}
    if span.end_line > span.line:
        # The runner takes columns of a single line only.
        where["endLine"] = str(span.end_line)
    else:
        where |= {"endLine": where["line"], "col": str(max(1, span.column))}
        where["endColumn"] = str(max(1, span.column, span.end_column))
    standing = why(report, finding) if kind == "error" else ""
    about = ", ".join(filter(None, (finding.effective_severity, standing)))
    where["title"] = f"{finding.rule} ({about})"
    return _command(kind, _message(kind, report, finding), where)


def _message(kind: Kind, report: Report, finding: Finding) -> str:
    lines = [finding.message]
    instead = remedy(report, finding)
    if instead:
        lines.append(f"Instead: {instead}")
    if kind == "error":
        entry = expired(report, finding)
        if entry is not None and entry.owner:
            lines.append(f"Owner: {entry.owner}")
        lines.append(f"On purpose: a comment `portaudit: ignore[{finding.rule}] reason`")
    return "\n".join(lines)


def _command(kind: Kind, message: str, properties: dict[str, str]) -> str:
    """A workflow command; an empty message would be none, so it has a stand-in."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {listed}::{_data(_CONTROL.sub(' ', message)[:_LONGEST].strip() or '-')}"


def _data(text: str) -> str:
    """Text as the runner reads it back."""
    return whole(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    clean = _CONTROL.sub(" ", text)
    return _data(clean).replace(":", "%3A").replace(",", "%2C")
