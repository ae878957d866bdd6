"""What a check says at a terminal: one line for the verdict, and words that mean what they say."""

from __future__ import annotations

from msgspec.structs import replace

import samples
from portaudit.report import check
from portaudit.report.outcome import counts
from portaudit.types import Finding, Notice, Report, ScanError

THERE = replace(samples.NEW, state="unchanged", fingerprint="there")
"""What an earlier revision has as well: no baseline accepts it."""


def lines(report: Report, width: int = 200) -> list[str]:
    return check.render(report, width=width, color=False).splitlines()


def passed(*findings: Finding) -> Report:
    return replace(samples.PASSED, findings=findings)


def failed(*more: Finding) -> Report:
    assert samples.FAILED.gate is not None
    gate = replace(samples.FAILED.gate, failing=(samples.NEW.fingerprint,), gone=(), expired=())
    findings = (samples.NEW, *more)
    return replace(samples.FAILED, findings=findings, gate=gate, notices=(), errors=())


def starting(word: str, report: Report) -> list[str]:
    return [line for line in lines(report) if line.lower().startswith(word)]


def test_a_check_that_passes_says_so_once() -> None:
    report = passed(THERE, samples.OLD, samples.IGNORED)
    said = "nothing new, against `origin/main` (1a2b3c4); 1 was there before, 1 accepted"
    assert lines(report) == [f"PASSED  {said}, 1 suppressed"]


def test_the_line_hangs_where_it_does_not_fit() -> None:
    report = passed(samples.OLD, THERE, THERE, samples.IGNORED, samples.HARMLESS)
    first, *rest = lines(report, width=60)
    assert rest
    assert all(line.startswith(" " * 8) and not line.startswith(" " * 9) for line in rest)
    assert " ".join(" ".join([first, *rest]).split()) == (
        "PASSED nothing new fails, against `origin/main` (1a2b3c4); 2 were there before, "
        "1 accepted, 1 suppressed, 1 below the gate (-v shows them)"
    )


def test_where_there_is_nothing_there_is_nothing_more_to_say() -> None:
    assert lines(passed()) == ["PASSED  nothing new, against `origin/main` (1a2b3c4)"]


def test_a_check_that_fails_says_what_else_there_is() -> None:
    report = failed(THERE, samples.OLD, samples.IGNORED)
    assert starting("failed", report) == [
        "FAILED  1 finding (1 minor) in 1 file, against the baseline `.portaudit-baseline.json`"
    ]
    assert starting("besides", report) == ["Besides 1 was there before, 1 accepted, 1 suppressed"]
    assert starting("passed", report) == []
    assert starting("besides", failed()) == []


def test_what_was_there_before_is_not_called_accepted() -> None:
    found = counts(passed(THERE, samples.OLD, samples.IGNORED, samples.COVERED))
    assert (found.before, found.accepted, found.suppressed, found.covered) == (1, 1, 1, 1)
    assert found.failing == found.passing == 0


def test_a_file_that_could_not_be_read_is_named_with_its_reason() -> None:
    errors = (ScanError("a.py", "does not parse: odd", 4), ScanError("b.py", "cannot be read: no"))
    assert lines(replace(passed(), errors=errors))[1:] == [
        "Unread  a.py:4: does not parse: odd",
        "        b.py: cannot be read: no",
    ]
    many = tuple(ScanError(f"{number}.py", "cannot be read: no") for number in range(9))
    assert lines(replace(passed(), errors=many))[-1] == "        and 4 more"


def test_a_notice_about_no_line_names_the_file() -> None:
    notices = (
        Notice("unused-suppression", "a.py", 3, "nothing"),
        Notice("unknown-rule", "lib", 0, "said of the whole"),
    )
    assert lines(replace(passed(), notices=notices))[:2] == [
        "a.py:3: note nothing",
        "lib: note said of the whole",
    ]


def test_what_to_write_instead_is_said_once() -> None:
    assert samples.FAILED.rules
    facts = replace(samples.NEW.facts, replacement="torch.accelerator.synchronize()")
    code = "```python\ntorch.accelerator.synchronize()\n```\n"
    finding = replace(samples.NEW, facts=facts)
    once = failed_with(replace(finding, fix=code))
    words = failed_with(replace(finding, fix=f"Words.\n\n{code}"))
    assert once.count("torch.accelerator.synchronize()") == 1
    assert "= use: torch.accelerator.synchronize()" in once
    assert "= fix: Words." in words
    assert words.count("torch.accelerator.synchronize()") == 2


def failed_with(finding: Finding) -> str:
    return check.render(replace(failed(), findings=(finding,)), width=100, color=False)
