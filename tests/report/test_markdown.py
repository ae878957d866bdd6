from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

import samples
from odd_reports import NASTY, findings, reports, texts
from portaudit.report import markdown
from portaudit.triage.difference import differ
from portaudit.types import (
    Difference,
    Finding,
    Gate,
    Location,
    Notice,
    Report,
    RootCause,
    ScanError,
    Score,
    Span,
    Verdict,
)

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


def test_markdown_tells_the_main_path_what_is_optional_and_what_is_aside(golden: Golden) -> None:
    text = markdown.render(samples.REACHED, link=LINK)
    golden("report-path.md", text)
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


def test_what_is_about_a_whole_file_names_no_line() -> None:
    errors = (ScanError("a b.py", "cannot be read: no"), ScanError("c.py", "does not parse", 7))
    text = markdown.render(replace(samples.PASSED, errors=errors), link=LINK)
    assert f"- [`a b.py`](<{LINK}a%20b.py>): cannot be read: no" in text
    assert f"- [`c.py:7`](<{LINK}c.py#L7>): does not parse" in text


def test_what_was_there_before_is_not_called_accepted() -> None:
    there = replace(samples.NEW, state="unchanged")
    text = markdown.render(replace(samples.PASSED, findings=(samples.OLD, there)))
    assert "- 1 was there before\n- 1 accepted before\n" in text


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


# --- two revisions --------------------------------------------------------------------------------

ROOT = samples.ROOTS[1]
NOTHING = differ(samples.CLEAN, samples.CLEAN, ("v1", "v2"))
WAS = replace(samples.FLASH_CALL, state="updated", accepted=samples.GRAVER.accepted)


def bare(finding: Finding, line: int = 1, path: str = "a.py") -> Finding:
    span = Span(line, 1, line, 2)
    return replace(finding, path=path, span=span, fingerprint=f"{path}:{line}", suppressed=None)


def appeared(*findings: Finding, roots: tuple[RootCause, ...] = ()) -> Difference:
    return replace(NOTHING, appeared=findings, roots_appeared=roots, rules=samples.REPORT.rules)


def sections(text: str) -> list[str]:
    pairs = pairwise(READER.parse(text))
    return [inner.content for block, inner in pairs if block.type == "heading_open"]


def test_two_equal_revisions_have_nothing_to_show() -> None:
    text = markdown.render_difference(NOTHING)
    assert text == (
        "## portaudit: `v1` to `v2`\n\n"
        "Score 100.0 of 100, as before. Verdict: ready.\n\n"
        "0 new, 0 graver, 0 milder, 0 gone, 0 unchanged.\n\n"
        "<sub>portaudit 0.1.0, target torchneuron</sub>\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((63.0, "ready"), (61.5, "ready"), "Score 61.5 of 100, -1.5 from 63.0. Verdict: ready."),
        (
            (60.0, "write kernels"),
            (61.5, "edits only"),
            "Score 61.5 of 100, +1.5 from 60.0. Verdict: edits only, was: write kernels.",
        ),
        (
            (None, "unknown"),
            (61.5, "edits only"),
            "Score 61.5 of 100. Verdict: edits only, was: unknown.",
        ),
        ((61.5, "ready"), (None, "unknown"), "No score, was 61.5. Verdict: unknown, was: ready."),
        ((None, "unknown"), (None, "unknown"), "No score. Verdict: unknown."),
    ],
)
def test_the_score_of_two_revisions_tells_its_change(
    before: tuple[float | None, Verdict], after: tuple[float | None, Verdict], said: str
) -> None:
    old, new = (
        replace(samples.CLEAN.score, value=value, verdict=verdict)
        for value, verdict in (before, after)
    )
    text = markdown.render_difference(replace(NOTHING, score_old=old, score_new=new))
    assert text.split("\n\n")[1] == said


def test_what_is_new_is_grouped_by_root_cause() -> None:
    calls = [bare(samples.FLASH_CALL, line) for line in (9, 3, 9)]
    text = markdown.render_difference(
        appeared(bare(samples.STRING, 7, "b.py"), *calls, roots=(ROOT,))
    )
    assert (
        "### New\n\n"
        "- **blocker** FUS001: flash-attn: attention kernels for CUDA — 2 places: `a.py:3`, "
        "`a.py:9`. Instead: `torch.nn.functional.scaled_dot_product_attention`\n"
        '- **minor** DST001: the device is fixed to `"cuda"` — 1 place: `b.py:7`. Instead: '
        "`torch.accelerator.current_accelerator()`\n\n"
    ) in text
    safe(text)


def test_findings_of_an_old_root_cause_are_grouped_by_their_rule() -> None:
    one = bare(samples.STRING, 1)
    two = replace(bare(samples.STRING, 2), message="another word for it")
    text = markdown.render_difference(appeared(one, two))
    assert "- **minor** DST001: a device is spelled `cuda` — 2 places: `a.py:1`, `a.py:2`." in text


def test_graver_says_what_it_was_and_gone_and_moved_have_their_own_lists() -> None:
    told = replace(
        appeared(),
        graver=(WAS,),
        gone=(bare(samples.STRING, 4),),
        moved=(("old.py", "new|x.py", 3),),
        unchanged=1200,
    )
    text = markdown.render_difference(told)
    assert sections(text)[1:] == ["Graver", "Gone", "Moved"]
    assert "`model/attention.py:41` (was major)" in text
    assert (
        '### Gone\n\n- **minor** DST001: the device is fixed to `"cuda"` — 1 place: `a.py:4`\n'
        in text
    )
    assert "### Moved\n\n- `old.py` to `new|x.py`: 3 places" in text
    assert "0 new, 1 graver, 0 milder, 1 gone, 1,200 unchanged." in text
    safe(text)


def test_what_could_not_be_read_is_said() -> None:
    assert "could not be read" not in markdown.render_difference(NOTHING)
    text = markdown.render_difference(replace(NOTHING, partial=True))
    assert "\n\nSome files could not be read: what is in them is not compared.\n\n" in text


def test_a_page_stays_short() -> None:
    many = tuple(bare(samples.STRING, line) for line in range(1, 16))
    text = markdown.render_difference(appeared(*many))
    assert text.count("`a.py:") == 5
    assert "15 places: `a.py:1`, `a.py:2`, `a.py:3`, `a.py:4`, `a.py:5` and 10 more." in text
    roots = tuple(replace(ROOT, id=str(number), title=f"t{number}") for number in range(14))
    found = (replace(bare(samples.FLASH, n + 1), root=str(n)) for n in range(14))
    text = markdown.render_difference(appeared(*found, roots=roots))
    assert text.count("- **blocker**") == 10
    assert "\n- and 4 more root causes with 4 places\n" in text
    moved = tuple((f"{number}.py", f"x/{number}.py", 1) for number in range(14))
    text = markdown.render_difference(replace(NOTHING, moved=moved))
    assert text.count(" to `x/") == 10
    assert "\n- and 4 more files\n" in text


def test_a_page_of_differences_is_cut_too() -> None:
    long = "`" * 9 + "日" * 900
    found = tuple(
        replace(bare(samples.FLASH, 1, f"{number}{long}"), root=str(number), message=long)
        for number in range(60)
    )
    gone = tuple(replace(each, path=f"{each.path}x") for each in found)
    moved = tuple((f"{number}{long}", f"{number}{long}", 1) for number in range(60))
    told = replace(appeared(*found), gone=gone, graver=found, moved=moved)
    text = markdown.render_difference(told)
    assert len(text.encode()) <= markdown.LIMIT
    assert sections(text)[1] == "New"
    assert text.endswith("target torchneuron</sub>\n")


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip("\x00\x07\r\n ")])
def test_names_are_shown_as_they_are_and_do_nothing(text: str) -> None:
    told = replace(
        appeared(bare(samples.STRING, 12, text)), old=text, moved=((text, f"{text}x", 1),)
    )
    page = markdown.render_difference(told)
    safe(page)
    shown = codes(page)
    for name in (f"{text}:12", text, f"{text}x"):
        assert markdown.seen(name) in shown


@st.composite
def differences(draw: st.DrawFn) -> Difference:
    some = st.lists(findings(), max_size=3).map(tuple)
    new, gone = draw(some), draw(some)
    score = replace(samples.CLEAN.score, value=draw(st.none() | st.floats(0, 100)))
    roots = tuple(
        RootCause(
            id=each.root,
            rule=each.rule,
            title=draw(texts),
            category=each.category,
            severity="major",
            effort_days=(0.5, 2.0),
            findings=(),
            sites=(),
        )
        for each in (*new, *gone)
    )
    rule = replace(samples.REPORT.rules["FUS001"], title=draw(texts), fix=draw(texts))
    return replace(
        NOTHING,
        tool=replace(NOTHING.tool, version=draw(texts)),
        partial=draw(st.booleans()),
        old=draw(texts),
        new=draw(texts),
        score_new=score,
        appeared=new,
        gone=gone,
        graver=draw(some),
        moved=tuple(draw(st.lists(st.tuples(texts, texts, st.integers(1, 9)), max_size=2))),
        roots_appeared=roots if draw(st.booleans()) else (),
        roots_gone=roots,
        rules={"FUS001": rule},
    )


@settings(max_examples=60, deadline=None)
@given(differences())
def test_any_difference_gives_a_page_that_does_nothing(told: Difference) -> None:
    text = markdown.render_difference(told)
    text.encode()
    safe(text)
    assert len(text.encode()) <= markdown.LIMIT
