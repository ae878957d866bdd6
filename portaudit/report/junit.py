"""Reporter: JUnit XML, which every CI server shows as tests.

A rule is a test, so that a dashboard can follow it: it fails while places of it fail the gate and
passes once there are none. Without a gate every place worth an edit fails its rule. Findings that
are left out are a test of their own where the gate fails by them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from portaudit.report.outcome import count, failing, grade, left_out, live, place, remedy, spot, why
from portaudit.types import SEVERITIES, Finding, Report

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no way to write."""
_BREAKS = "\n\r\t\x0b\x0c\x85\u2028\u2029"
_PLACES = 100
"""Places that the text of a failure lists."""


def render(report: Report, *, prefix: str = "") -> str:
    """One suite. `prefix` leads from the repository's root to the report's."""
    failed = _failed(report)
    rules = sorted(set(report.rules) | {finding.rule for finding in failed})
    suite = ET.Element("testsuite", name=f"portaudit {report.target}")
    broken = 0
    for rule_id in rules:
        own = sorted((each for each in failed if each.rule == rule_id), key=place)
        broken += bool(own)
        _case(suite, report, rule_id, own, prefix)
    if report.gate is not None and report.gate.unjudged:
        broken += 1
        _left_out(suite, report, report.gate.unjudged, prefix)
    if not len(suite):
        # Some servers take a file without tests for a failure of the job.
        ET.SubElement(suite, "testcase", classname="portaudit", name="no rule found anything")
    for name, number in (("tests", len(suite)), ("failures", broken), ("errors", 0)):
        suite.set(name, str(number))
    _problems(suite, report)
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _failed(report: Report) -> list[Finding]:
    if report.gate is not None:
        return failing(report)
    return [finding for finding in live(report) if grade(finding) >= SEVERITIES.index("minor")]


def _case(
    suite: ET.Element, report: Report, rule_id: str, failed: Sequence[Finding], prefix: str
) -> None:
    rule = report.rules.get(rule_id)
    name = f"{rule_id} {rule.name}" if rule else rule_id
    category = rule.category if rule else failed[0].category
    case = ET.SubElement(suite, "testcase", classname=f"portaudit.{category}", name=_text(name))
    if not failed:
        return
    case.set("file", _text(_plain(prefix + failed[0].path)))
    case.set("line", str(failed[0].span.line))
    message = f"{count(len(failed), 'place')}: {failed[0].message}"
    lines = [_line(report, finding, prefix) for finding in failed[:_PLACES]]
    if failed[_PLACES:]:
        lines.append(f"and {count(len(failed) - _PLACES, 'more place')}")
    if report.gate is not None:
        lines.append(f"On purpose: a comment `portaudit: ignore[{rule_id}] reason`")
    failure = ET.SubElement(case, "failure", type=rule_id, message=_text(message))
    failure.text = _text("\n".join(lines))


def _left_out(suite: ET.Element, report: Report, paths: Sequence[str], prefix: str) -> None:
    """The gate fails by files with findings that nobody sees, whatever the rules say."""
    name = "findings that are left out"
    case = ET.SubElement(suite, "testcase", classname="portaudit", name=name)
    case.set("file", _text(_plain(prefix + paths[0])))
    message = f"{count(len(paths), 'file has', 'files have')} {name}"
    failure = ET.SubElement(case, "failure", type="left-out", message=message)
    failure.text = _text(
        "\n".join(f"{_plain(prefix + error.path)}: {error.reason}" for error in left_out(report))
    )


def _line(report: Report, finding: Finding, prefix: str) -> str:
    standing = why(report, finding)
    about = f"{finding.effective_severity}, {standing}" if standing else finding.effective_severity
    instead = remedy(report, finding)
    where = f"{_plain(prefix + finding.path)}:{finding.span.line}:{finding.span.column}"
    return f"{where}: {finding.message} ({about})" + (f"; instead: {instead}" if instead else "")


def _problems(suite: ET.Element, report: Report) -> None:
    lines = [f"{_plain(spot(error))}: {error.reason}" for error in report.errors]
    lines += [f"{_plain(spot(notice))}: {notice.message}" for notice in report.notices]
    if lines:
        ET.SubElement(suite, "system-err").text = _text("\n".join(lines))


def _plain(path: str) -> str:
    """A path in one line, as each place has a line of its own; XML would not keep all ends."""
    return "".join(repr(sign)[1:-1] if sign in _BREAKS else sign for sign in path)


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
