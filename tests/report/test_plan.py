"""The porting plan: what stands in it, in which order, and that no name of the code can draw."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

import samples
from odd_reports import NASTY, reports, texts
from portaudit.report.plan import TRACKS, render
from portaudit.types import (
    Category,
    Check,
    Counterpart,
    EntryPoint,
    Feature,
    Finding,
    Gain,
    Kernel,
    Location,
    PlanCheck,
    PlanPart,
    Report,
    RootCause,
    TargetFacts,
)

Golden = Callable[[str, str], None]
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PAGE = "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/torch/index.html"
NAMED = Check("Look at `{entry}` early: it tells.", PAGE, "official", "2.33", "2026-11-22")
MAIN = EntryPoint("train.py", "training", 61.5, main=True, why="its name says training: `train`")


def check(part: PlanPart = "run", text: str = "Measure it.", **changes: object) -> PlanCheck:
    made = PlanCheck(part, replace(NAMED, text=text))
    return replace(made, **changes)


def root(name: str, category: Category = "device-api", **changes: object) -> RootCause:
    made = RootCause(
        id=name,
        rule="DEV007",
        title=f"work on {name}",
        category=category,
        severity="minor",
        effort_days=(0.5, 2.0),
        findings=(),
        sites=(Location(f"{name}.py", 3),),
        reach="main",
    )
    return replace(made, **changes)


def of(*roots: RootCause, findings: tuple[Finding, ...] = (), **changes: object) -> Report:
    """A report of one path with these root causes."""
    score = replace(samples.REPORT.score, provisional=False, entry_points=(MAIN,), lost=())
    made = replace(samples.REPORT, score=score, roots=roots, findings=findings, sections=())
    return replace(made, **changes)


def lines_with(text: str, words: str) -> list[str]:
    return [line for line in text.splitlines() if words in line]


def order(text: str) -> list[str]:
    """The pieces of work by their numbers."""
    found = re.findall(r"^- \[ \] \*\*(\d+)\.\*\* work on (\w+)", text, re.MULTILINE)
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1))
    return [name for _, name in found]


def test_plan_looks_as_expected(golden: Golden) -> None:
    roots = (
        replace(samples.ROOTS[0], reach="main", step=1),
        replace(
            samples.ROOTS[1],
            reach="main",
            step=2,
            after=("string:train.py:12",),
            portable=(Location("model/plain.py", 8),),
        ),
        replace(samples.ROOTS[2], reach="main", setting="--fp16"),
        root("bench", reach="other", severity="major"),
    )
    report = replace(
        samples.REPORT,
        roots=roots,
        score=replace(
            samples.REPORT.score,
            provisional=False,
            entry_points=(MAIN,),
            gains=(Gain("lib:flash_attn", 36.0, 97.5),),
        ),
    )
    checks = (
        check("before", NAMED.text),
        check("run", "Compile it.", when=("fused-kernel-lib",)),
        check("numerics", "Compare the curve.", when=("amp",), always=False),
        check("memory", "Does it fit?"),
        check("speed", "Measure after compilation."),
        check("security", "Ask for encryption."),
    )
    golden("plan.md", render(report, checks))


# --- the order ------------------------------------------------------------------------------------


def test_work_is_in_the_order_of_its_steps() -> None:
    text = render(of(root("b", step=2), root("a", step=1), root("c", step=3)), ())
    assert order(text) == ["a", "b", "c"]
    assert "### Phase" not in text


def test_what_waits_comes_in_a_later_phase_and_says_for_what() -> None:
    report = of(
        root("last", step=3, after=("mid", "first")),
        root("first", step=1),
        root("mid", step=2, after=("first",)),
    )
    text = render(report, ())
    assert order(text) == ["first", "mid", "last"]
    for number, name in enumerate(("first", "mid", "last"), start=1):
        phase = text.index(f"### Phase {number}")
        assert phase < text.index(f"work on {name}")
    assert lines_with(text, "After ") == ["  - After 1.", "  - After 1, 2."]


def test_work_without_steps_keeps_the_order_of_the_report() -> None:
    assert order(render(of(root("b"), root("a")), ())) == ["b", "a"]


def test_a_ring_of_waiting_ends() -> None:
    text = render(of(root("a", step=1, after=("b",)), root("b", step=2, after=("a",))), ())
    assert order(text) == ["a", "b"]


def test_what_cannot_be_installed_comes_first_unless_it_waits() -> None:
    report = of(
        root("code", step=1),
        root("pin", "dependency", step=2),
        root("line", "dependency", step=3, after=("code",)),
    )
    text = render(report, ())
    assert order(text) == ["pin", "code", "line"]
    assert text.index("work on pin") < text.index("## The work, in order")


def test_what_installation_lets_begin_is_in_the_first_phase() -> None:
    report = of(root("pin", "dependency", step=1), root("code", step=2, after=("pin",)))
    text = render(report, ())
    assert "### Phase" not in text
    assert "After 1." in text


def test_pieces_that_go_in_parallel_stand_by_track() -> None:
    report = of(root("a", step=1), root("b", "distributed", step=2), root("c", step=3))
    text = render(report, ())
    assert order(text) == ["a", "c", "b"]
    assert text.index("**Device and host code**") < text.index("**Several processes**")


def test_every_category_has_one_track() -> None:
    categories = [category for track in TRACKS.values() for category in track]
    assert sorted(categories) == sorted(get_args(Category))


def test_root_causes_that_read_alike_are_one_piece() -> None:
    text = render(of(root("a", title="the same"), root("b", title="the same")), ())
    (line,) = lines_with(text, "the same")
    assert "1 to 4 days" in line
    assert "`a.py:3`, `b.py:3`" in line


def test_what_is_harmless_is_apart_and_short() -> None:
    text = render(of(root("a", severity="info"), root("b")), ())
    assert order(text) == ["b", "a"]
    assert text.index("### Runs as it is") < text.index("work on a")


# --- a piece --------------------------------------------------------------------------------------


def piece(**changes: object) -> str:
    """The plan of one finding on the path."""
    finding = replace(samples.FLASH, reach="main", **changes)
    return render(of(replace(samples.ROOTS[1], reach="main"), findings=(finding,)), ())


def test_what_a_piece_says_is_a_list_below_it() -> None:
    depths = {token.level for token in READER.parse(piece()) if token.type == "list_item_open"}
    assert depths == {1, 3}


def test_piece_says_what_to_do_and_whose_word_that_is() -> None:
    text = piece()
    advice = "  - Call `scaled_dot_product_attention`; it runs on CUDA as well. Portable:"
    assert advice in text
    assert "`torch.nn.functional.scaled_dot_product_attention`" in text
    assert "  - On torchneuron unsupported[^1]: no statement about the package" in text
    assert f"[^1]: <{samples.FLASH_FACTS.source}> inferred, SDK 2.33, checked 2026-11-21" in text


@pytest.mark.parametrize(
    ("fix", "instead", "expected"),
    [
        ("Choose once:\n\n```python\nx = 1\n```", "f()", "  - Choose once: `f()`"),
        ("Choose once:\n\n```python\nx = 1\n```", "", "  - Choose once."),
        ("```python\nx = 1\n```", "f()", "  - Write `f()`"),
        ("First:\n- one\n- two", "f()", "  - First:\n  - one\n  - two\n  - Portable"),
        ("1. Is there?\n2. Or not?", "", "  - Is there?\n  - Or not?"),
        (f"Short. {'Long ' * 90}end.", "", "  - Short.\n"),
        (f"{'word ' * 20}; {'more ' * 90}.", "", "word ; ..."),
    ],
)
def test_advice_is_whole_sentences_and_lists(fix: str, instead: str, expected: str) -> None:
    facts = replace(samples.FLASH_FACTS, replacement=instead)
    assert expected in piece(fix=fix, facts=facts)


def test_the_same_advice_is_given_once() -> None:
    one, two = (
        replace(samples.FLASH, reach="main", root=name, path=f"{name}.py", fingerprint=name)
        for name in "ab"
    )
    roots = [
        replace(samples.ROOTS[1], id=each.root, title=each.root, findings=(each.fingerprint,))
        for each in (one, two)
    ]
    text = render(of(*(replace(each, reach="main") for each in roots), findings=(one, two)), ())
    assert len(lines_with(text, "scaled_dot_product_attention`; it runs")) == 1
    assert lines_with(text, "As for") == ["  - As for 1."]


def test_places_with_other_facts_say_of_what_the_facts_are() -> None:
    one = replace(samples.FLASH, reach="main", anchor="torch.a")
    other = TargetFacts("supported", "official", PAGE, "2.33", "2026-11-22", "torch.other")
    two = replace(one, span=replace(one.span, line=9), anchor="torch.b", facts=other)
    two = replace(two, fingerprint=samples.FLASH_CALL.fingerprint)
    text = render(of(replace(samples.ROOTS[1], reach="main"), findings=(one, two)), ())
    assert "On torchneuron, `torch.a`: unsupported[^1]" in text
    assert "scaled_dot_product_attention` for `torch.a`" in text


def test_places_on_the_path_come_first() -> None:
    finding = replace(samples.STRING, reach="main", uses=())
    sites = tuple(Location(path, 12) for path in ("a.py", "b.py", "train.py"))
    made = replace(samples.ROOTS[0], reach="main", sites=sites)
    text = render(of(made, findings=(finding,)), ())
    assert "`train.py:12` on the path, 2 off it" in " ".join(text.split())
    assert "`a.py:12`" not in text


def test_code_that_is_portable_already_is_named() -> None:
    text = render(of(root("a", portable=(Location("plain.py", 8),))), ())
    assert "  - Portable code is there already: `plain.py:8`." in text


# --- around the work ------------------------------------------------------------------------------


def test_head_tells_the_path_the_estimate_and_what_is_not_known() -> None:
    report = of(root("a", step=1), root("b", step=2), root("c", step=3, title="work on b"))
    gains = (Gain("b", 12.0, 73.5), Gain("a", 7.0, 80.5), Gain("c", 3.5, 84.0))
    report = replace(report, score=replace(report.score, gains=gains))
    text = render(report, ())
    assert text.startswith("# Porting plan for the target `torchneuron`\n\n- **Main path**: `train")
    assert "2 pieces, 2 to 5.5 engineer-days. That is an estimate" in " ".join(text.split())
    assert "**Worth most to the score**, one after the other: 2 (+15.5), 1 (+7)." in text
    assert "**Not known**: for 2 places no page says what torchneuron supports" in text
    assert "could not be read: `scripts/py2.py:4`." in text
    assert "what the training path reaches" not in text
    assert "what the training path reaches" in render(samples.REPORT, ())


def test_settings_that_are_off_and_other_programs_need_no_work() -> None:
    report = of(
        root("fast", setting="--flash"),
        root("other", reach="other", severity="blocker"),
        root("test", reach="test"),
    )
    text = render(report, ())
    assert order(text) == []
    assert "Nothing was found on the path that has to change." in text
    assert "- `--flash`: work on fast (minor DEV007): `fast.py:3`" in text
    assert "2 root causes (1 in other programs, 1 in tests)." in text
    assert lines_with(text, "work on other") == ["- work on other (blocker DEV007): `other.py:3`"]
    assert not lines_with(text, "work on test")


def test_kernels_of_the_path_are_told_with_what_decides_their_size() -> None:
    kernel = Kernel(
        name="scan_fwd",
        language="cuda",
        path="csrc/scan.cu",
        line=12,
        end_line=90,
        lines=70,
        difficulty="hard",
        reasons=("shared memory",),
        features=(Feature("shared memory", 20), Feature("atomics", 31)),
        counterpart=Counterpart("selective_scan", "experimental", "2.30", PAGE),
        fallback=Location("ops/plain.py", 5),
        fingerprint="k1",
    )
    found = replace(samples.FLASH, fingerprint="k1", reach="main")
    other = replace(kernel, name="tests_only", fingerprint="k2")
    report = of(
        findings=(found, replace(found, fingerprint="k2", reach="test")),
        inventory=(other, kernel, replace(kernel, name="helper", helper=True)),
    )
    text = " ".join(render(report, ()).split())
    assert "- `scan_fwd` at `csrc/scan.cu:12`: cuda, 70 lines, hard; uses shared memory" in text
    assert (
        "nki-library has `selective_scan` (experimental); another way at `ops/plain.py:5`" in text
    )
    assert "tests_only" not in text
    assert "`helper`" not in text
    assert "off the path: 1 more" in text


def test_no_torch_is_no_plan() -> None:
    assert render(samples.NO_TORCH, ()) == (
        "# Porting plan\n\nNothing to port: none of 3 files imports torch.\n"
    )


# --- what to verify -------------------------------------------------------------------------------


def test_check_with_a_reason_names_the_work_and_without_one_is_left_out() -> None:
    report = of(root("a", "amp", step=1))
    told = render(report, (check(when=("amp",), always=False),))
    assert "- [ ] Measure it.[^1] Here: 1." in told
    assert "Measure it." not in render(report, (check(when=("dtype",), always=False),))
    assert "- [ ] Measure it.[^1]\n" in render(report, (check(when=("dtype",)),))


def test_check_is_about_what_any_finding_of_a_piece_is() -> None:
    report = of(replace(samples.ROOTS[1], reach="main"), findings=(samples.FLASH,))
    assert "Here: 1." in render(report, (check(when=("FUS001",), always=False),))


def test_work_that_is_not_needed_is_no_reason() -> None:
    report = of(root("a", "amp", setting="--fp16"), root("b", "amp", reach="test"))
    assert "Measure it." not in render(report, (check(when=("amp",), always=False),))


def test_checks_speak_of_the_program_that_trains() -> None:
    text = render(of(), (check("before", NAMED.text),))
    assert "Look at ``{entry}``" not in text
    assert "train.py" in "".join(lines_with(text, "it tells"))
    nameless = replace(samples.REPORT, sections=())
    assert "the program that trains" in render(nameless, (check("before", "See {entry} run."),))


def test_sections_of_the_report_are_used_and_not_said_again() -> None:
    section = replace(samples.SECTIONS[0], id="security", title="Security", roots=("a",))
    own = check("security", "Ask again.")
    said = replace(section, checks=(replace(NAMED, text="Ask for it."),))
    report = of(root("a"), sections=(said,))
    text = render(report, (own,))
    assert "### Security\n\nBecause of 1.\n\n- [ ] Ask for it.[^1]" in text
    assert "Ask again." not in text
    assert "Ask again." in render(of(root("a")), (own,))


def test_section_off_the_path_is_left_out() -> None:
    section = replace(samples.SECTIONS[0], roots=("a",))
    text = render(of(root("a", reach="test"), root("b"), sections=(section,)), ())
    assert "Data pipeline" not in text


def test_prices_and_sizes_are_left_to_the_reader() -> None:
    text = render(of(root("a")), ())
    assert "cost per million tokens = instances * price per hour" in text
    assert "activations of" in text
    assert "$" not in text


# --- the page -------------------------------------------------------------------------------------


def test_one_page_is_cited_once() -> None:
    text = render(of(), (check(text="One."), check(text="Two.")))
    assert "One.[^1]" in text
    assert "Two.[^1]" in text
    assert text.count(f"<{PAGE}>") == 1


@pytest.mark.parametrize(
    "source",
    ["javascript:alert(1)", "http://example.org/", "https://", "https://a/>x<b>", "https://a b/"],
)
def test_only_a_plain_address_becomes_a_link(source: str) -> None:
    facts = replace(samples.FLASH_FACTS, source=source)
    text = piece(facts=facts)
    assert f"<{source}>" not in text
    assert f"[^1]: `{source}`" in text


def test_lines_are_short_enough_for_a_terminal() -> None:
    text = render(samples.REPORT, (check(text=f"{'word ' * 60}end."),))
    body = text.split("[^1]:")[0]
    assert max(map(len, body.splitlines())) <= 100


def safe(text: str) -> None:
    """Nothing but our own headings, lists, tables, code spans, emphasis and links to pages."""
    ours = {"heading", "paragraph", "bullet_list", "list_item", "strong", "inline"}
    ours |= {"table", "thead", "tbody", "tr", "th", "td", "text", "code_inline", "softbreak"}
    for block in READER.parse(text):
        for token in (block, *(block.children or ())):
            kind = token.type.removesuffix("_open").removesuffix("_close")
            if kind == "link":
                assert token.markup == "autolink"
                assert str(token.attrs.get("href", "https://")).startswith("https://")
            else:
                assert kind in ours, (kind, token.content)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


@pytest.mark.parametrize("name", NASTY)
def test_no_name_of_the_code_can_draw(name: str) -> None:
    finding = replace(
        samples.FLASH,
        path=name,
        reach="main",
        fix=name,
        anchor=name,
        facts=replace(samples.FLASH_FACTS, replacement=name, note=name, source=name, sdk=name),
    )
    made = replace(
        samples.ROOTS[1],
        title=f"{name} {name}",
        rule=name,
        reach="main",
        sites=(Location(name, 1),),
        portable=(Location(name, 2),),
    )
    report = of(
        made,
        root("off", setting=name),
        root("aside", title=name, severity="blocker", reach="test"),
        findings=(finding,),
        errors=(replace(samples.REPORT.errors[0], path=name),),
    )
    entry = replace(MAIN, path=name, why=name)
    report = replace(report, score=replace(report.score, entry_points=(entry,)))
    text = render(report, (check("before", NAMED.text),))
    safe(text)
    assert (
        sum(token.type == "heading_open" for token in READER.parse(text)) == text.count("\n#") + 1
    )


@settings(max_examples=60, deadline=None)
@given(reports(), st.lists(texts, max_size=2))
def test_any_report_gives_a_page_that_is_only_ours(report: Report, words: list[str]) -> None:
    checks = [check("run", word or "-") for word in words]
    safe(render(report, checks))
    assert render(report, checks) == render(report, checks)
