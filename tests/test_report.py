from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

import samples
from portaudit.report import json as json_report
from portaudit.report import markdown, plan, terminal
from portaudit.report.formats import FORMATS, View
from portaudit.report.schema import DOCUMENTS, json_schema
from portaudit.types import Chain, Gain, Location, Proof, Report, Span, Suppression

Golden = Callable[[str, str], None]
DOCS = Path(__file__).parent.parent / "docs"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(json_schema("report")))
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def plain(report: Report, width: int = 100, *, verbose: bool = False, top: int = 5) -> str:
    return terminal.render(report, width=width, color=False, verbose=verbose, top=top)


def flat(text: str) -> str:
    return " ".join(text.split())


def with_finding(**changes: object) -> Report:
    finding = replace(samples.STRING, **changes)
    root = replace(samples.ROOTS[0], findings=(finding.fingerprint,))
    return replace(samples.REPORT, findings=(finding,), roots=(root,))


# --- terminal -------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 200])
def test_terminal_looks_as_expected(golden: Golden, width: int) -> None:
    golden(f"report-{width}.txt", plain(samples.REPORT, width))


def test_terminal_in_colour_looks_as_expected(golden: Golden) -> None:
    golden("report-color.ansi", terminal.render(samples.REPORT, width=100, color=True))


def test_terminal_verbose_lists_every_finding(golden: Golden) -> None:
    text = plain(samples.REPORT, verbose=True)
    golden("report-verbose.txt", text)
    for finding in samples.REPORT.findings:
        assert f"\n{finding.path}:{finding.span.line}:{finding.span.column}: " in text


@pytest.mark.parametrize("name", ["clean", "no_torch", "empty", "xla"])
def test_terminal_says_so_when_there_is_little_to_say(golden: Golden, name: str) -> None:
    report = {
        "clean": samples.CLEAN,
        "no_torch": samples.NO_TORCH,
        "empty": samples.EMPTY,
        "xla": replace(samples.CLEAN, target="xla"),
    }[name]
    golden(f"report-{name}.txt", plain(report))


NARROWED = replace(
    samples.REACHED, coverage=replace(samples.REACHED.coverage, rules_run=28, rules_total=296)
)


@pytest.mark.parametrize("name", ["terminal", "markdown", "html", "badge"])
@pytest.mark.parametrize("quiet", [False, True])
def test_who_reads_a_verdict_of_some_rules_is_told_so(name: str, *, quiet: bool) -> None:
    view = View(width=100, quiet=quiet)
    assert "28 of 296 rules" in FORMATS[name].render(NARROWED, view)
    whole = replace(NARROWED, coverage=replace(NARROWED.coverage, rules_run=296))
    assert "of 296 rules" not in FORMATS[name].render(whole, view)


def test_a_verdict_of_some_rules_says_what_it_speaks_of() -> None:
    told = "only 28 of 296 rules ran: verdict, score and days speak of what these find"
    assert told in plain(NARROWED)
    assert told in " ".join(plan.render(NARROWED, ()).split())
    gated = replace(NARROWED, gate=samples.FAILED.gate)
    assert ", by 28 of 296 rules." in markdown.render(gated)


def test_terminal_tells_the_main_path_what_is_optional_and_what_is_aside(golden: Golden) -> None:
    text = plain(samples.REACHED)
    golden("report-path.txt", text)
    assert "3 root causes (1 blocker, 1 minor, 1 info)" in text
    order = ["1. blocker", "raise the score", "Optional: ", "cross attention", "Off the main path"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.index("flash-attn in a test") > places[-1]


def test_terminal_names_the_setting_that_code_waits_for() -> None:
    root = replace(samples.REACHED.roots[3], setting="", severity="minor")
    text = plain(replace(samples.REACHED, roots=(root,)))
    assert "= only with cross_attention: model/net.py:21: if config.cross_attention:" in text


ALIKE = ("a/train.py:3", "b/train.py:3", "b/eval.py:12", "")
"""Where root causes of one title stand, the last one nowhere."""


def alike(*places: str) -> Report:
    """A report whose gains have one title, each at a place of its own."""
    (first, *_), roots, gains = samples.REACHED.roots, [], []
    for number, place in enumerate(places):
        path, _, line = place.partition(":")
        sites = (Location(path, int(line)),) if place else ()
        title = f"flash-attn is called with a cache that grows{', too' * 20 if number > 9 else ''}"
        roots.append(replace(first, id=f"r{number}", title=title, sites=sites, findings=()))
        gains.append(Gain(f"r{number}", 1.0, 90.0 + number))
    score = replace(samples.REACHED.score, gains=tuple(gains))
    return replace(samples.REACHED, roots=tuple(roots), score=score)


@pytest.mark.parametrize("width", [60, 100])
def test_gains_of_one_title_are_told_apart(width: int) -> None:
    text = plain(alike(*ALIKE), width=width)
    told = [line for line in text.splitlines() if line.lstrip().startswith("+1  to ")]
    for line, place in zip(told, ("a/train.py:3", "b/train.py:3", "eval.py:12", "r3"), strict=True):
        assert line.endswith(f"  {place}")
        assert len(line) <= width
    page = markdown.render(alike(*ALIKE))
    assert "a/train.py:3" in page.partition("raise the score most")[2].partition("###")[0]
    assert "train.py" not in plain(alike("a/train.py:3")).partition("the score most")[2][:300]


def test_a_root_cause_is_shown_where_nothing_guards_it_on_the_path() -> None:
    """Not at a place that nothing reaches, nor behind a guard of its own or of the way."""
    base = replace(samples.FLASH, guard_by=None, severity="major", effective_severity="major")
    unreached, guarded, behind, needed = (
        replace(base, fingerprint=f"pa1:{path}", path=path, reach=reach, guard="none")
        for path, reach in (
            ("a.py", "unreached"),
            ("b.py", "main"),
            ("c.py", "main"),
            ("d.py", "main"),
        )
    )
    guarded = replace(guarded, guard="import-guarded", effective_severity="minor")
    made = [unreached, guarded, behind, needed]
    roots = [
        replace(
            samples.REACHED.roots[0],
            id=name,
            findings=tuple(each.fingerprint for each in members),
            sites=tuple(Location(each.path, each.span.line) for each in members),
        )
        for name, members in (("r0", made), ("r1", made[:1]))
    ]
    score = replace(samples.REACHED.score, gains=(Gain("r0", 1.0, 90.0), Gain("r1", 1.0, 91.0)))
    chains = (
        Chain("c.py", (), guard="guarded", guard_by=Proof("x.py", 1, "if x:"), main=True),
        Chain("d.py", (), main=True),
    )
    report = replace(
        samples.REACHED, findings=tuple(made), roots=tuple(roots), score=score, chains=chains
    )
    line = f"d.py:{base.span.line}"
    text = plain(report)
    assert f"--> {line}" in text
    (gain,) = (each for each in text.splitlines() if "to    90" in each)
    assert gain.endswith(line)
    assert line in plain(report, top=0)
    listed = plan.render(report, ())
    assert listed.index(line) < listed.index("b.py:")
    reached = replace(report, chains=chains[:1], findings=tuple(made[:3]))
    assert "; guarded on the way by x.py:1, the line itself is not" in flat(plain(reached))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "nothing found that ties this code to CUDA"),
        (1, "nothing found that has to change; 1 finding to look at (info)"),
        (3, "nothing found that has to change; 3 findings to look at (info)"),
    ],
)
@pytest.mark.parametrize("provisional", [False, True])
def test_ready_says_what_was_found_all_the_same(
    number: int, said: str, *, provisional: bool
) -> None:
    mild = replace(samples.REPORT.findings[0], severity="info", effective_severity="info")
    findings = tuple(
        replace(mild, suppressed=None, fingerprint=f"pa1:{each}") for each in range(number)
    )
    score = replace(samples.CLEAN.score, verdict="ready", provisional=provisional)
    report = replace(samples.CLEAN, findings=findings, score=score)
    for text in (plain(report, width=120), terminal.render_verdict(report, width=120, color=False)):
        assert f"READY  {said}" in text
    assert said.partition(" (")[0] in markdown.render(report).replace("Nothing", "nothing")
    accepted = replace(mild, suppressed=Suppression("why", "a.py", 1))
    told = replace(report, findings=(accepted,))
    assert "ties this code to CUDA" in plain(told, width=120)


def test_terminal_without_a_path_tells_of_none() -> None:
    text = plain(samples.REPORT)
    for word in ("Main path", "Others", "Aside", "Optional", "reached:", "raise the score"):
        assert word not in text


def test_terminal_without_colour_is_plain_text() -> None:
    text = plain(samples.REPORT, verbose=True)
    drawn = text.replace("日本語", "")
    assert drawn.isascii()
    assert "\x1b" not in text
    assert not re.search(r"[ \t]$", text, re.MULTILINE)


def test_terminal_colours_change_nothing_but_colour() -> None:
    coloured = terminal.render(samples.REPORT, width=100, color=True)
    assert "\x1b[" in coloured
    assert "\x1b[31m 日" not in coloured
    without = ANSI.sub("", coloured)
    assert "1. blocker[FUS001]: flash-attn: attention kernels for CUDA" in without


def test_terminal_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = terminal.render(samples.REPORT, width=90, color=True)
    for name, value in {"NO_COLOR": "1", "COLUMNS": "20", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    assert terminal.render(samples.REPORT, width=90, color=True) == expected


def test_terminal_puts_blockers_first_and_shows_the_top_in_full() -> None:
    text = plain(samples.REPORT, top=1)
    assert text.index("1. blocker[FUS001]") < text.index("Further root causes")
    assert "2. minor" not in text
    assert "  minor   DST001" in text
    assert "Root causes\n" in plain(samples.REPORT, top=0)


def test_terminal_counts_the_root_causes_that_do_not_fit() -> None:
    roots = tuple(
        replace(samples.ROOTS[2], id=f"r{n}", title=f"t{n}", severity="minor") for n in range(30)
    )
    text = plain(replace(samples.REPORT, roots=roots))
    assert "and 10 more: --top 30 shows all in full" in text


def test_terminal_shows_root_causes_that_read_alike_as_one() -> None:
    sites = [Location("a.py", n) for n in (4, 4, 9)]
    roots = tuple(
        replace(samples.ROOTS[0], id=f"r{n}", sites=(site,)) for n, site in enumerate(sites)
    )
    text = plain(replace(samples.REPORT, roots=roots))
    assert "   3 root causes, 2 places in 1 file, less than a day" in text
    assert "2. " not in text


def test_terminal_represents_a_root_by_its_gravest_unguarded_finding() -> None:
    text = plain(samples.REPORT)
    assert "--> model/attention.py:3:1" in text
    assert "also at: model/attention.py:41, model/blocks/cross.py:7" in text


def test_terminal_shows_the_proof_of_a_guard() -> None:
    report = replace(samples.REPORT, roots=(replace(samples.ROOTS[2], severity="minor"),))
    assert "= only where CUDA is: train.py:20: args.fp16" in plain(report)


def test_terminal_shows_sections_after_root_causes_and_their_checks_with_sources() -> None:
    text = plain(samples.REPORT)
    heading = "\nData pipeline  2 places in 2 files: 1 blocker, 1 info\n"
    assert text.index("Further root causes") < text.index(heading)
    section = text.split("\nData pipeline", 1)[1].split("\nSecurity of the move", 1)[0]
    assert "  blocker FUS001 " in section
    assert "model/attention.py:41" in section
    for check in samples.SECTIONS[0].checks[:3]:
        assert f"  - {check.text}\n    {check.source}\n" in section
    assert "  and 2 more to check: -v shows all\n" in section
    assert "page-4" not in text
    assert "page-5" in plain(samples.REPORT, verbose=True)
    assert "To check" not in text.split("\nSecurity of the move", 1)[1]


def test_terminal_shows_as_many_lines_of_a_section_as_root_causes() -> None:
    text = plain(samples.REPORT, top=1).split("\nData pipeline", 1)[1]
    assert "AMP003" not in text.split("To check")[0]
    assert "  and 1 more: --top 2 shows all\n" in text
    assert "  and 1 more: --top 2" not in plain(samples.REPORT, top=1, verbose=True)


def test_terminal_shows_no_section_whose_findings_are_all_accepted() -> None:
    section = replace(samples.SECTIONS[1], findings=(samples.ACCEPTED.fingerprint,))
    assert "Security" not in plain(replace(samples.REPORT, sections=(section,)))


def test_terminal_names_what_a_line_of_a_section_is_about() -> None:
    other = replace(
        samples.STRING, message="other", anchor="cuda:0", fingerprint="pa1:7", span=Span(2, 1, 2, 5)
    )
    section = replace(samples.SECTIONS[1], findings=(samples.STRING.fingerprint, other.fingerprint))
    report = replace(
        samples.REPORT, findings=(samples.STRING, other), roots=(), sections=(section,)
    )
    title = samples.REPORT.rules["DST001"].title
    assert f"DST001  {title}: `cuda:0`, `cuda`  train.py:2 +1\n" in plain(report)


@pytest.mark.parametrize(
    ("snippet", "span", "marked"),
    [
        ("x = a.cuda()", Span(1, 5, 1, 13), "a.cuda()"),
        ("\tx.cuda()", Span(1, 2, 1, 10), "x.cuda()"),
        ("名 = x.cuda()", Span(1, 5, 1, 13), "x.cuda()"),
        ("f(", Span(1, 1, 3, 2), "f("),
    ],
)
def test_terminal_underlines_the_span(snippet: str, span: Span, marked: str) -> None:
    lines = plain(with_finding(snippet=snippet, span=span)).split("\n")
    at = next(number for number, line in enumerate(lines) if re.match(r" +1 \| ", line))
    wide = lines[at].replace("名", "名 ")
    start = lines[at + 1].index("^")
    assert wide[start:].startswith(marked)
    assert lines[at + 1].count("^") == len(marked)


@pytest.mark.parametrize(
    ("fix", "shown"),
    [
        ("Do this\nand that.\n\nMore.", ["= fix: Do this and that."]),
        ("Do:\n\n```python\na = 1\n\nb = 2\n```\n\nMore.", ["= fix: Do:", "a = 1", "", "b = 2"]),
        ("Do:\n```python\na = 1\n```", ["= fix: Do:", "a = 1"]),
        ("```python\na = 1\n```\nMore.", ["= fix:", "a = 1"]),
        ("One.\n\nTwo.\n\n```\na = 1\n```", ["= fix: One."]),
        ("```python\nunclosed", []),
        ("- One\n  more.\n- Two.\n\nMore.", ["= fix:", "- One more.", "- Two."]),
        ("Do:\n- One.\n\nMore.", ["= fix: Do:", "- One."]),
    ],
)
def test_terminal_shows_the_first_paragraph_of_a_remedy_and_its_code(
    fix: str, shown: list[str]
) -> None:
    report = with_finding(fix=fix)
    finding = replace(report.findings[0], uses=())
    root = replace(report.roots[0], sites=())
    text = plain(replace(report, findings=(finding,), roots=(root,)))
    after = text.split(samples.STRING.facts.replacement + "\n", 1)[1].split("\nplaces by", 1)[0]
    assert [line.strip() for line in after.rstrip("\n").split("\n") if line or shown] == shown


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("column", [1, 150, 290])
def test_terminal_cuts_long_lines_around_the_span(width: int, column: int) -> None:
    line = "a" * (column - 1) + "CUDA" + "b" * (300 - column)
    text = plain(with_finding(snippet=line, span=Span(1, column, 1, column + 4)), width)
    shown = next(line for line in text.split("\n") if re.match(r" +1 \| ", line))
    assert "CUDA" in shown
    assert len(shown) <= width


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize(
    "before",
    ["\t\t", "训练模型 = ", "x = '" + "日本" * 40 + "', ", "e\u0301 = ", "🚀" * 9, "y" * 90],
)
def test_terminal_underlines_what_is_found_whatever_stands_before(width: int, before: str) -> None:
    marked = "torch.cuda.x()"
    span = Span(9, len(before) + 1, 9, len(before) + len(marked) + 1)
    report = with_finding(snippet=before + marked + "  # " + "z" * 90, span=span)
    lines = plain(report, width).splitlines()
    at = next(number for number, line in enumerate(lines) if line.lstrip().startswith("9 | "))
    code, under = lines[at], lines[at + 1]
    assert cell_len(code) <= width
    shown = code.index("torch.cuda")
    assert cell_len(code[:shown]) == under.index("^")
    cut = code[shown:].partition("  # ")[0]
    assert under.count("^") == len(marked) or cut.endswith("...")


@pytest.mark.parametrize("width", [40, 60])
def test_terminal_tells_tables_as_lines_where_they_do_not_fit(width: int) -> None:
    text = plain(samples.REPORT, width)
    table = text.partition("places by category")[2].partition("\n\n")[0]
    assert "\u2026" not in table
    assert all(len(line) <= width for line in table.splitlines())
    assert plain(samples.REPORT, 100).count("places by category   ") == 1


def test_terminal_shows_no_frame_where_there_is_no_source_line() -> None:
    text = plain(with_finding(snippet=""))
    assert "--> train.py:12:11" in text
    assert "^" not in text


def test_terminal_keeps_addresses_whole_at_any_width() -> None:
    assert samples.FLASH_FACTS.source in plain(samples.REPORT, 40)


@settings(max_examples=50, deadline=None)
@given(
    text=st.text(max_size=60),
    line=st.text(max_size=200),
    column=st.integers(1, 220),
    length=st.integers(0, 60),
    width=st.integers(20, 240),
    color=st.booleans(),
)
def test_terminal_renders_whatever_the_code_holds(
    *, text: str, line: str, column: int, length: int, width: int, color: bool
) -> None:
    span = Span(1, column, 1, column + length)
    report = with_finding(message=text, scope=text, snippet=line, span=span, fix=text)
    rendered = terminal.render(report, width=width, color=color, verbose=True)
    rendered.encode()
    shown = ANSI.sub("", rendered) if color else rendered
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


def test_render_verdict_is_the_verdict_alone(golden: Golden) -> None:
    golden("verdict.txt", terminal.render_verdict(samples.REPORT, width=100, color=False))


def test_render_markdown_stays_markdown_without_colour() -> None:
    page = "# Title\n\n- `code`\n"
    assert terminal.render_markdown(page, width=80, color=False) == page
    assert "Title" in terminal.render_markdown(page, width=80, color=True)


# --- json -----------------------------------------------------------------------------------------


def test_json_looks_as_expected(golden: Golden) -> None:
    golden("report.json", json_report.render(samples.REPORT))


@pytest.mark.parametrize(
    "report", [samples.REPORT, samples.REACHED, samples.CLEAN, samples.NO_TORCH, samples.EMPTY]
)
def test_json_is_valid_by_the_published_schema(report: Report) -> None:
    VALIDATOR.check_schema(VALIDATOR.schema)
    VALIDATOR.validate(json.loads(json_report.render(report)))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_json_schema_in_the_docs_is_current(name: str) -> None:
    text = json_schema(name)
    assert (DOCS / f"{name}.schema.json").read_text(encoding="utf-8") == text
    made = json.loads(text)
    assert made["title"] == f"portaudit.{name}/1"
    jsonschema.Draft202012Validator.check_schema(made)


def test_json_does_not_depend_on_the_order_of_findings_and_rules() -> None:
    shuffled = replace(
        samples.REPORT,
        findings=tuple(reversed(samples.REPORT.findings)),
        rules=dict(reversed(samples.REPORT.rules.items())),
    )
    assert json_report.render(shuffled) == json_report.render(samples.REPORT)


def test_json_flattens_the_span() -> None:
    findings = json.loads(json_report.render(with_finding()))["findings"]
    place = [findings[0][key] for key in ("line", "column", "end_line", "end_column")]
    assert place == [12, 11, 12, 17]
    assert "span" not in findings[0]


def test_json_replaces_half_characters() -> None:
    text = json_report.render(with_finding(message="x\udce9y"))
    assert json.loads(text)["findings"][0]["message"] == "x?y"


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.text(st.characters(categories=["Cs", "Cc", "Lo"]), max_size=9))
def test_json_renders_whatever_the_code_holds(path: str, text: str) -> None:
    report = with_finding(path=path, message=text, snippet=text)
    rendered = json_report.render(report)
    VALIDATOR.validate(json.loads(rendered))
    assert rendered.endswith("}\n")
