"""Why a line has a finding, or why it has none: the report of its tree, and its file once more.

What the report knows (reach, cost, facts) is taken from it, as a scan would make it or has made it;
what it does not keep (the match, the way to a name, what was dropped) comes from `trace`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from portaudit.audit import Audit, Progress
from portaudit.config import Config
from portaudit.discover import Tree
from portaudit.engine import Tellers
from portaudit.errors import UsageError
from portaudit.read.python.values import Answers
from portaudit.read.text import BinaryError, decode
from portaudit.report import plan
from portaudit.trace import Trace, Traced, trace_file
from portaudit.triage.rewrite import accept
from portaudit.types import (
    CONFIDENCES,
    Chain,
    Explanation,
    Finding,
    Location,
    Passed,
    Reason,
    Report,
    ScanError,
    SourceFile,
    Step,
)

_NEAR = 3
_WIDEST = 160
_REASON = "say why"
_COMMENTS: Mapping[str, str] = {"python": "#", "shell": "#", "yaml": "#", "native": "//"}


class Place(Struct, frozen=True):
    """A line of a file of the tree, and maybe a column; 1-based."""

    path: str
    line: int
    column: int | None = None


def explain(config: Config, place: Place, *, progress: Progress | None = None) -> Explanation:
    """What there is to know of a line. `config` is of its whole tree.

    Raises `PortauditError` for what the user must mend, such as a line that is not there.
    """
    audit = Audit(config, progress=progress)
    with closing(audit):
        report = audit.report
    return _Explaining(config, audit, report, place).explanation()


class _Explaining:
    """One explanation."""

    def __init__(self, config: Config, audit: Audit, report: Report, place: Place) -> None:
        self._config = config
        self._rules = audit.rules
        self._side = audit.side
        self._report = report
        self._place = place
        self._lines: dict[str, list[str]] = {}

    def explanation(self) -> Explanation:
        """All of it."""
        place, report = self._place, self._report
        found = Explanation(
            report.tool, report.target, place.path, place.line, place.column, self._text(place)
        )
        if place.path not in self._side.tree.kinds:
            return replace(found, notes=(_left_out(self._side.tree, place.path),))
        if place.line > max(1, len(self._lines_of(place.path))):
            number = len(self._lines_of(place.path))
            raise UsageError(f"{place.path}:{place.line}: the file has {number} lines")
        here = self._here()
        with closing(Tellers(self._config, self._rules, self._side)) as tellers:
            source = tellers.source(place.path)
            if isinstance(source, ScanError):
                return replace(found, notes=(source.reason,))
            lines = frozenset({place.line, *(each.span.line for each in here)})
            trace = self._trace(tellers, source, lines)
            unselected: list[Passed] = []
            if not here and len(self._rules.everything.rules) > len(self._rules.chosen.rules):
                unselected = self._unselected(tellers, source, lines, trace)
        traced = {(each.rule, each.span): each for each in trace.kept}
        reasons = tuple(
            self._reason(finding, traced.get((finding.rule, finding.span)), source)
            for finding in here
        )
        return replace(
            found,
            reasons=reasons,
            passed=(*self._passed(trace, here), *unselected),
            names=() if here else trace.names,
            uses=tuple(self._using()),
            guards=tuple(self._guarded()),
            notes=tuple(self._notes(source, trace)),
            near=self._near(here),
            rules={rule: report.rules[rule] for rule in sorted({each.rule for each in here})},
        )

    # --- findings of the line ---

    def _here(self) -> list[Finding]:
        """Findings that begin on the line, else those whose statement it is part of."""
        place = self._place
        own = [each for each in self._report.findings if each.path == place.path]
        exact = [each for each in own if each.span.line == place.line]
        if place.column is not None:
            exact = [each for each in exact if _covers(each, place.line, place.column)]
        around = (each for each in own if each.lines[0] <= place.line <= each.lines[1])
        found = exact or (list(around) if place.column is None else [])
        return sorted(found, key=lambda each: (each.span, each.rule))

    def _reason(self, finding: Finding, traced: Traced | None, source: SourceFile) -> Reason:
        report = self._report
        root = next((each for each in report.roots if finding.fingerprint in each.findings), None)
        lost = {each.root: each.points for each in report.score.lost}
        chain = next((each for each in report.chains if each.path == finding.path), None)
        comment = ""
        if finding.suppressed is None:
            comment = next((text for _, text in accept(source, [finding], _REASON).comments), "")
        return Reason(
            finding,
            traced.matched if traced else "",
            traced.steps if traced else (),
            traced.conditions if traced else (),
            chain,
            tuple(self._way(chain)) if chain else (),
            root,
            lost.get(root.id, 0.0) if root else 0.0,
            plan.numbers(report).get(root.id, 0) if root else 0,
            comment,
        )

    def _way(self, chain: Chain) -> Iterator[Step]:
        """The lines by which a program comes to a file, each with the file that it leads to."""
        targets = [*(each.path for each in chain.imports), chain.path][1:]
        if chain.left_out:
            targets[0] = f"{chain.left_out:,} more, and then {targets[0]}"
        for each, target in zip(chain.imports, targets, strict=True):
            text = self._text(Place(each.path, each.line))
            yield Step(each.path, each.line, text.strip()[:_WIDEST], "", target)

    # --- what is no finding ---

    def _trace(
        self,
        tellers: Tellers,
        source: SourceFile,
        lines: frozenset[int],
        *,
        all_rules: bool = False,
    ) -> Trace:
        catalogue = self._rules.everything if all_rules else self._rules.chosen

        def follow(path: str, name: str) -> tuple[SourceFile, Answers, tuple[str, ...]] | None:
            found = tellers.modules.module_path(path, name)
            if found is None or found[0] not in self._side.tree.kinds:
                return None
            other = tellers.source(found[0])
            if isinstance(other, ScanError):
                return None
            return other, Answers(ask=tellers.ask(found[0])), found[1]

        answers = Answers(ask=tellers.ask(source.path))
        return trace_file(source, catalogue, self._config.target, lines, answers, follow)

    def _passed(self, trace: Trace, here: Collection[Finding]) -> Iterator[Passed]:
        """Rules that looked at the line: matches that were dropped, or have no finding."""
        shown = {(each.rule, each.span) for each in here}
        column = self._place.column
        for each in trace.passed:
            if each.line == self._place.line and each.rule not in {rule for rule, _ in shown}:
                yield each
        least = self._config.min_confidence
        for kept in trace.kept:
            if (kept.rule, kept.span) in shown or kept.span.line != self._place.line:
                continue
            if column is not None and not kept.span.column <= column:
                continue
            if kept.rule in {rule for rule, _ in shown}:
                continue  # said once for the line
            reason, why = "related", "what the other files say takes it away"
            if any(each.surplus and each.path == self._place.path for each in self._report.errors):
                reason, why = "surplus", "findings of the file are left out, maybe this one"
            if CONFIDENCES.index(kept.confidence) < CONFIDENCES.index(least):
                reason = "confidence"
                why = f"its confidence is {kept.confidence}, and min-confidence is {least}"
            elif here:
                reason, why = "said", "another finding of the line says it"
            rule = self._rules.everything.rules[kept.rule]
            at = kept.span
            yield Passed(rule.id, rule.name, at.line, at.column, kept.anchor, reason, why)

    def _unselected(
        self, tellers: Tellers, source: SourceFile, lines: frozenset[int], chosen: Trace
    ) -> list[Passed]:
        """What rules would find that the settings leave out."""
        known = {(each.rule, each.span) for each in chosen.kept}
        everything = self._trace(tellers, source, lines, all_rules=True)
        why = "the settings do not select the rule"
        return [
            Passed(
                each.rule,
                self._rules.everything.rules[each.rule].name,
                each.span.line,
                each.span.column,
                each.anchor,
                "unselected",
                why,
            )
            for each in everything.kept
            if (each.rule, each.span) not in known and each.rule not in self._rules.chosen.rules
        ]

    def _using(self) -> Iterator[Location]:
        """Findings elsewhere whose value arrives on the line."""
        here = self._place.path, self._place.line
        found = (
            Location(each.path, each.span.line)
            for each in self._report.findings
            if any((use.path, use.line) == here for use in each.uses)
            and (each.path, each.span.line) != here
        )
        yield from dict.fromkeys(found)

    def _guarded(self) -> Iterator[Location]:
        """Findings elsewhere that the line is the proof of a guard for."""
        here = self._place.path, self._place.line
        found = (
            Location(each.path, each.span.line)
            for each in self._report.findings
            if each.guard_by is not None
            and (each.guard_by.path, each.guard_by.line) == here
            and (each.path, each.span.line) != here
        )
        yield from dict.fromkeys(found)

    def _notes(self, source: SourceFile, trace: Trace) -> Iterator[str]:
        """What else decides, in words."""
        place, report = self._place, self._report
        columns = sorted(
            {
                each.span.column
                for each in report.findings
                if (each.path, each.span.line) == (place.path, place.line)
            }
        )
        if place.column is not None and columns:
            spans = [
                each
                for each in report.findings
                if each.path == place.path and _covers(each, place.line, place.column)
            ]
            if not spans:
                listed = ", ".join(str(column) for column in columns)
                yield f"nothing is found at this column; the line has findings at {listed}"
        text = self._text(place).strip()
        sign = _COMMENTS.get(source.kind, "")
        if not text:
            yield "the line is empty"
        elif sign and text.startswith(sign):
            yield "the line is a comment: what it says runs nowhere"
        elif trace.said:
            yield "the line is part of a text that nothing uses, such as a docstring"
        if trace.problem:
            yield trace.problem
        for error in report.errors:
            if error.path == place.path:
                where = f"line {error.line}: " if error.line else ""
                yield f"{where}{error.reason}"
        for notice in report.notices:
            if (notice.path, notice.line) == (place.path, place.line):
                yield notice.message
        if place.path not in self._side.tree.selected:
            yield "the file is not selected: it only tells others what it defines"

    def _near(self, here: Collection[Finding]) -> tuple[int, ...]:
        """The closest lines of the file that have findings, where this one has none."""
        if here:
            return ()
        own = {each.span.line for each in self._report.findings if each.path == self._place.path}
        own.discard(self._place.line)
        nearest = sorted(own, key=lambda line: (abs(line - self._place.line), line))
        return tuple(sorted(nearest[:_NEAR]))

    # --- text ---

    def _lines_of(self, path: str) -> list[str]:
        if path not in self._lines:
            try:
                text = decode(self._side.files.read(path))
            except (OSError, BinaryError):
                text = ""
            self._lines[path] = text.removesuffix("\n").split("\n")
        return self._lines[path]

    def _text(self, place: Place) -> str:
        lines = self._lines_of(place.path)
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""


def _covers(finding: Finding, line: int, column: int) -> bool:
    span = finding.span
    last = span.end_column if span.end_line == line else column + 1
    return span.line == line and span.column <= column < max(last, span.column + 1)


def _left_out(tree: Tree, path: str) -> str:
    """Why nothing of a file is known."""
    above = [path, *(parent.as_posix() for parent in PurePosixPath(path).parents)]
    for entry in tree.skipped:
        if entry.path.rstrip("/") in above:
            return f"{entry.path} is left out: {entry.reason}"
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    for error in tree.errors:
        if error.path in {path, name}:
            return error.reason
    return "portaudit reads no files of this kind"
