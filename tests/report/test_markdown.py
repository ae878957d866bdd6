from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

import samples
from odd_reports import NASTY, reports, texts
from portaudit.report import markdown
from portaudit.types import Finding, Gate, Location, Notice, Report, RootCause, Score, Span

Golden = Callable[[str, str], None]
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LINK = "https://example.org/o/r/blob/abc/"
ALLOWED = {"text", "code_inline", "softbreak"}
HTML = {"<sub>", "</sub>"}


def tokens(text: str) -> Iterator[Token]:
    for block in READER.parse(text):
        yield block
        yield from block.children or ()


def safe(text: str, link: str = "") -> None:
    """Nothing but our own headings, lists, code spans, emphasis and links."""
    ours = {"heading", "paragraph", "bullet_list", "ordered_list", "list_item", "strong", "em"}
    for token in tokens(text):
        if token.type == "link_open":
            assert link
            assert str(token.attrs["href"]).startswith(link)
        elif token.type.startswith("html"):
            assert token.content in HTML
        elif token.type not in {"inline", "link_close", *ALLOWED}:
            assert token.type.removesuffix("_open").removesuffix("_close") in ours, token
        if token.type == "text":
            assert not re.search(r"[@#]\w|https?://|www\.", token.content)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def codes(text: str) -> list[str]:
    return [token.content for token in tokens(text) if token.type == "code_inline"]


def failed(findings: tuple[Finding, ...], roots: tuple[RootCause, ...] = ()) -> Report:
    gate = Gate(
        passed=False,
        against="nothing",
        fail_on="minor",
        min_confidence="medium",
        failing=tuple(finding.fingerprint for finding in findings),
    )
    return replace(samples.FAILED, findings=findings, roots=roots, gate=gate, notices=())


def test_markdown_of_a_failed_check_looks_as_expected(golden: Golden) -> None:
    text = markdown.render(samples.FAILED)
    golden("check.md", text)
    safe(text)


def test_markdown_of_a_passed_check_looks_as_expected(golden: Golden) -> None:
    golden("check-passed.md", markdown.render(samples.PASSED))


def test_markdown_of_a_scan_looks_as_expected(golden: Golden) -> None:
    text = markdown.render(samples.REPORT, link=LINK)
    golden("report.md", text)
    safe(text, LINK)


@pytest.mark.parametrize("report", [samples.CLEAN, samples.NO_TORCH, samples.EMPTY])
def test_markdown_says_so_when_there_is_little_to_say(report: Report) -> None:
    text = markdown.render(report)
    assert text.startswith("## portaudit: ")
    assert "What blocks" not in text
    safe(text)


def test_the_verdict_is_the_first_word() -> None:
    assert markdown.render(samples.FAILED).startswith("## portaudit: failed\n\n**3 places fail** (")
    new = markdown.render(failed((samples.NEW,)))
    assert new.startswith("## portaudit: failed\n\n**1 new place fails**, judged against nothing. ")
    assert markdown.render(samples.PASSED).startswith("## portaudit: passed\n\nNothing new fails, ")


def test_old_code_is_counted_and_not_shown() -> None:
    text = markdown.render(samples.FAILED)
    assert "`model/attention.py:3`" not in text
    assert "model/blocks/cross.py" not in text
    assert "- 1 accepted before\n- 2 suppressed\n- 1 newly covered" in text
    assert "- 3 gone: `portaudit baseline prune`" in text


@pytest.mark.parametrize(
    ("score", "before", "said"),
    [
        (61.5, 63.0, "Score 61.5 of 100, -1.5 from 63.0."),
        (61.5, 60.0, "Score 61.5 of 100, +1.5 from 60.0."),
        (61.5, 61.52, "Score 61.5 of 100, as before."),
        (61.5, None, "Score 61.5 of 100."),
    ],
)
def test_the_score_tells_its_change(score: float, before: float | None, said: str) -> None:
    assert samples.PASSED.gate is not None
    gate = replace(samples.PASSED.gate, score_before=before)
    known = replace(samples.PASSED, gate=gate, score=replace(samples.PASSED.score, value=score))
    assert said in markdown.render(known)


def test_without_a_score_there_is_no_word_of_it() -> None:
    nothing = Score(value=None, verdict="unknown", provisional=True, effort_days=(0.0, 0.0))
    assert "Score" not in markdown.render(replace(samples.FAILED, score=nothing))


def test_places_of_a_root_cause_stand_together_and_are_counted() -> None:
    findings = tuple(
        replace(samples.NEW, span=Span(line, 1, line, 2), fingerprint=str(line))
        for line in range(1, 16)
    )
    text = markdown.render(failed(findings))
    assert text.count("### ") == 1
    assert text.count("\n- `train.py:") == 10
    assert "\n- and 5 more places" in text


def test_places_that_need_no_words_share_a_line() -> None:
    findings = tuple(
        replace(
            samples.NEW,
            message=samples.ROOTS[0].title,
            span=Span(line, 1, line, 2),
            fingerprint=str(line),
        )
        for line in range(1, 13)
    )
    text = markdown.render(failed(findings, samples.ROOTS))
    listed = ", ".join(f"`train.py:{line}`" for line in range(1, 11))
    assert f"a device is spelled `cuda`\n\n{listed}, and 2 more places\n\nInstead: " in text


def test_root_causes_beyond_twenty_are_counted() -> None:
    findings = tuple(
        replace(samples.NEW, root=f"r{number}", fingerprint=f"{number}") for number in range(23)
    )
    roots = tuple(
        replace(samples.ROOTS[0], id=f"r{number}", title=f"title {number}") for number in range(23)
    )
    text = markdown.render(failed(findings, roots))
    assert text.count("### ") == 20
    assert "And 3 more root causes with 3 places." in text


def test_a_page_is_cut_before_github_refuses_it() -> None:
    message = "word " * 60
    findings = tuple(
        replace(
            samples.NEW,
            path=f"{'d/' * 100}{number}.py",
            message=message,
            root=f"r{number % 20}",
            fingerprint=f"{number}",
        )
        for number in range(200)
    )
    roots = tuple(
        replace(samples.ROOTS[0], id=f"r{number}", title=f"title {number}") for number in range(20)
    )
    report = failed(findings, roots)
    text = markdown.render(report, link=LINK)
    assert len(text.encode()) <= markdown.LIMIT
    found = re.search(r"_(\d+) more paragraphs cut: a comment takes no more._", text)
    assert found
    assert text.count("### ") + int(found[1]) == 20
    assert text.endswith("target torchneuron</sub>\n")
    assert "cut" not in markdown.render(failed(findings[:40], roots))


def test_a_place_links_to_its_line() -> None:
    finding = replace(samples.NEW, path="a b/(x)>.py")
    text = markdown.render(failed((finding,)), link=LINK)
    (opened,) = [
        token
        for token in tokens(text)
        if token.type == "link_open" and "a%20b" in str(token.attrs["href"])
    ]
    assert opened.attrs["href"] == f"{LINK}a%20b/%28x%29%3E.py#L12"
    assert "a b/(x)>.py:12" in codes(text)


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip("\x00\x07\r\n ")])
def test_a_path_is_shown_as_it_is_and_does_nothing(text: str) -> None:
    page = markdown.render(failed((replace(samples.NEW, path=text),)))
    safe(page)
    shown = markdown.seen(f"{text}:12")
    assert shown in codes(page)


@given(texts, texts)
def test_code_spans_of_a_message_stay_and_the_rest_is_plain(before: str, inside: str) -> None:
    inside = inside.replace("`", "") or "x"
    report = failed((replace(samples.NEW, message=f"{before.replace('`', '')} `{inside}` z"),))
    page = markdown.render(report)
    safe(page)
    shown = markdown.seen(inside)
    assert not shown or shown in codes(page)


def test_notices_and_errors_are_named_as_far_as_there_is_room() -> None:
    notices = tuple(
        Notice("unknown-rule", "a.py", line, "no rule is called XX") for line in range(1, 9)
    )
    text = markdown.render(replace(samples.FAILED, notices=notices))
    assert "- `a.py:1`: no rule is called XX" in text
    assert "- and 4 more" in text


def test_sites_of_a_scan_are_counted_by_file() -> None:
    sites = (Location("a.py", 1), Location("a.py", 2), Location("b.py", 1))
    roots = (replace(samples.ROOTS[1], sites=sites),)
    assert "3 places in 2 files, 2 to 5 engineer-days" in markdown.render(
        replace(samples.REPORT, roots=roots)
    )


@settings(max_examples=60, deadline=None)
@given(reports(), st.sampled_from(["", LINK]))
def test_any_text_gives_a_page_that_does_nothing(report: Report, link: str) -> None:
    text = markdown.render(report, link=link)
    text.encode()
    safe(text, link)
    assert len(text.encode()) <= markdown.LIMIT
