"""The page of a report: what a reader finds in it, and that no audited code acts there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

import samples
from made_reports import MARKUP, hostile, many
from odd_reports import NASTY, reports
from portaudit.report.formats import View
from portaudit.report.html import page, path
from portaudit.report.html.text import address, inline, prose, seen
from portaudit.triage.difference import differ
from portaudit.types import (
    Chain,
    EntryPoint,
    Kernel,
    Location,
    Lost,
    Report,
)

SOURCE = {
    "model/attention.py": "import math\r\nimport os\r\nfrom flash_attn import flash_attn_func\r\n",
    "train.py": "x = 1\n",
}


class Read(HTMLParser):
    """A page as a browser has it: elements with their attributes, the text, scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.words: list[str] = []
        self._within = ""
        self.feed(text)
        self.close()
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag if tag in self.raw else ""
        self._apart(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._within = ""
        self._apart(tag)

    def _apart(self, tag: str) -> None:
        if tag not in {"a", "b", "code", "mark", "span", "wbr"}:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if self._within:
            self.raw[self._within].append(data)
        else:
            self.words.append(data)

    @property
    def data(self) -> dict[str, Any]:
        (found,) = (text for text in self.raw["script"] if text.startswith("{"))
        made: dict[str, Any] = json.loads(found)
        return made

    def attributes(self, name: str) -> Iterator[str]:
        for _, found in self.elements:
            if found.get(name) is not None:
                yield str(found[name])

    @property
    def policy(self) -> str:
        return next(str(found["content"]) for _, found in self.elements if "http-equiv" in found)


VIEW = View(100, title="some-repo")


def rendered(report: Report, view: View = VIEW) -> str:
    return page.render(report, view)


def read(report: Report, view: View = VIEW) -> Read:
    return Read(rendered(report, view))


# --- what it says ---------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_in_words() -> None:
    text = read(samples.REACHED).text
    begin = text[: text.index("What the score says")]
    for words in (
        "some-repo",
        "Replace libraries",
        "CUDA-only libraries or APIs need another way",
        "62.5",
        "2 to 5.5",
        "engineer-days",
        "flash-attn: attention kernels for CUDA",
        "36 points",
    ):
        assert words in begin


def test_a_report_without_scripts_has_all_that_matters() -> None:
    text = read(samples.REACHED).text
    for words in (
        "train.py",
        "one of 2 programs that train",
        "Optional: only with settings that the main path leaves off",
        "cross_attention",
        "Off the main path",
        "from flash_attn import flash_attn_func",
        "Call scaled_dot_product_attention; it runs on CUDA as well.",
        "torch.nn.functional.scaled_dot_product_attention",
        "inferred, SDK 2.33, checked 2026-11-21",
        "only with cross_attention",
        "model/net.py:4",
        "portaudit explain FUS001",
        "evaluate.py",
    ):
        assert words in text, words


def test_what_is_unknown_is_said() -> None:
    text = read(samples.REPORT).text
    assert "provisional" in text
    assert "The score is provisional" in text
    assert "1 file or part of a file could not be read" in text
    assert "1 place undocumented" in text
    assert "does not parse: Missing parentheses in call to print" in text
    assert "ignored by .gitignore" in text
    assert "No program was found that training starts with" in text
    assert "no training path was found, so nothing is known to be off it" in text


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (samples.CLEAN, "Ready nothing found that ties this code to CUDA"),
        (samples.NO_TORCH, "No torch none of 3 files imports torch: no score"),
        (samples.EMPTY, "Nothing to scan no file that is read lies under the given paths"),
    ],
)
def test_reports_of_nothing_say_why(report: Report, words: str) -> None:
    told = read(report)
    assert words in told.text
    assert not told.data["findings"]


def test_a_check_says_what_fails_and_why() -> None:
    text = read(samples.FAILED).text
    assert "The check failed" in text
    assert "was accepted until" not in text
    assert "accepted until 2026-06-30" in text
    assert "2 accepted entries are no longer there" in text
    states = {row[10] for row in read(samples.FAILED).data["findings"]}
    assert {read(samples.FAILED).data["words"][at] for at in states} >= {"failing", "suppressed"}


def test_a_check_that_fails_by_what_is_left_out_names_the_files() -> None:
    assert samples.PASSED.gate
    gate = replace(samples.PASSED.gate, passed=False, unjudged=("flood.py",))
    page = rendered(replace(samples.PASSED, gate=gate))
    told = page.partition('<section id="gate"')[2].partition("</section>")[0]
    assert "The check failed" in told
    assert "by findings that are left out" in told
    assert "flood.py" in told


def test_frames_show_lines_around_where_the_file_is_the_same() -> None:
    told = read(samples.REACHED, replace(VIEW, source=lambda name: SOURCE.get(name, "").encode()))
    assert "import math" in told.text
    assert "x = 1" not in told.text  # that file is another one by now
    assert "import math" not in read(samples.REACHED).text


def test_places_lead_to_the_server_where_there_is_one() -> None:
    link = "https://git.example/o/r/blob/abc/"
    found = set(read(samples.REACHED, replace(VIEW, link=link)).attributes("href"))
    assert f"{link}model/attention.py#L3" in found
    assert read(samples.REACHED, replace(VIEW, link=link)).data["link"] == link
    assert not any(url.startswith(link) for url in read(samples.REACHED).attributes("href"))


def test_kernels_are_told_by_difficulty() -> None:
    first = Kernel("k<T>", "cuda", "a.cu", 1, 9, 9, "simple", ("shared memory",))
    kernels = first, replace(first, line=30, difficulty="research")
    text = read(replace(samples.REACHED, inventory=kernels)).text
    assert "2 cuda 1 · · 1 18" in text
    assert text.index("a.cu:30") < text.index("a.cu:1 ")


def test_points_that_round_to_nothing_are_some() -> None:
    lost = Lost("lib:flash_attn", 36.0), Lost("string:train.py:12", 0.03)
    score = replace(samples.REACHED.score, lost=lost)
    text = read(replace(samples.REACHED, score=score)).text
    assert "under 0.1 points" in text
    assert " 0 points" not in text


# --- the path -------------------------------------------------------------------------------------


def labels(node: path.Node) -> list[object]:
    return [node.label, *map(labels, node.nodes)]


def test_the_path_is_the_tree_of_its_chains() -> None:
    tree = path.of(samples.REACHED)
    assert tree is not None
    assert labels(tree) == ["train.py", ["net.py", ["attention.py"], ["cross.py"]]]
    assert (tree.severity, tree.below, tree.places) == ("minor", "blocker", 2)
    assert [node.line for node in tree.nodes[0].nodes] == [4, 22]
    assert tree.nodes[0].nodes[1].severity is None  # it waits for a setting


def test_what_a_package_offers_stands_by_folder() -> None:
    main = EntryPoint("pkg/__init__.py", "training", 50.0, main=True)
    paths = ("pkg/a/b/x.py", "pkg/a/b/y.py", "pkg/c/only.py", "pkg/__init__.py")
    report = replace(
        samples.REACHED,
        score=replace(samples.REACHED.score, entry_points=(main,)),
        chains=tuple(map(Chain, paths)),
    )
    tree = path.of(report)
    assert tree is not None
    assert labels(tree) == ["pkg/", ["a/b/", ["x.py"], ["y.py"]], ["c/only.py"]]


def test_chains_and_folders_without_end_are_drawn() -> None:
    steps = tuple(Location(f"m{at}.py", 1) for at in range(3000))
    deep = "/".join("d" * 2000) + "/x.py"
    chains = (
        Chain("end.py", (Location("train.py", 1), *steps)),
        Chain(deep),
        Chain(deep.replace("x", "y")),
    )
    told = read(replace(samples.REACHED, chains=chains))
    assert "end.py" in told.text
    assert len(told.data["tree"]) < 200


def test_no_path_no_tree() -> None:
    assert path.of(samples.REPORT) is None
    assert read(samples.REPORT).data["tree"] == []


# --- many findings --------------------------------------------------------------------------------


def test_a_thousand_findings_stay_far_below_two_megabytes() -> None:
    assert len(rendered(many(1000)).encode()) < 1_000_000


def test_twenty_thousand_findings_are_all_there() -> None:
    text = rendered(many(20_000))
    told = Read(text)
    assert len(told.data["findings"]) == 20_000
    assert len(text.encode()) < 6_000_000
    assert "1,802 more root causes without a card" not in told.text
    assert "1,800 more root causes without a card" in told.text


# --- nothing acts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*NASTY, MARKUP, "javascript:alert(1)", "\x1b]8;;http://e\x07x"])
def test_text_of_the_audited_code_is_only_text(text: str) -> None:
    plain, told = read(hostile("harmless")), read(hostile(text), replace(VIEW, link=text))
    assert [
        tag for tag, _ in told.elements if tag in {"script", "img", "iframe", "base", "form"}
    ] == [tag for tag, _ in plain.elements if tag == "script"]
    assert not [name for _, found in told.elements for name in found if name.startswith("on")]
    assert told.policy == plain.policy
    for url in [*told.attributes("href"), *told.attributes("src")]:
        assert re.match(r"#|https?://[^\s/]", url), url
    for hidden in ("\x00", "\x07", "\x1b", "\u202e", "\u200b", "\u2028"):
        assert hidden not in rendered(hostile(text))
    rendered(hostile(text)).encode()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_any_report_makes_a_page_that_html_allows(report: Report) -> None:
    text = rendered(report)
    html5lib.HTMLParser(strict=False).parse(text)
    told = Read(text)
    assert len(told.data["findings"]) == len(report.findings)
    assert all(tag != "img" for tag, _ in told.elements)


@pytest.mark.parametrize(
    "report", [samples.REACHED, samples.REPORT, samples.FAILED, samples.CLEAN, hostile(MARKUP)]
)
def test_pages_are_valid_html(report: Report) -> None:
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(rendered(report))


def test_ids_are_there_once_and_links_lead_to_them() -> None:
    told = read(samples.REACHED)
    found = list(told.attributes("id"))
    assert len(found) == len(set(found))
    inner = {url[1:] for url in told.attributes("href") if url.startswith("#") and "=" not in url}
    assert inner <= set(found)


def test_the_policy_lets_run_what_is_in_the_page_and_nothing_else() -> None:
    told = read(samples.REACHED)
    parts = dict(part.split(" ", 1) for part in told.policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["base-uri"] == parts["form-action"] == "'none'"
    digests = {
        kind: {
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in told.raw[kind]
            if not text.startswith("{")
        }
        for kind in ("script", "style")
    }
    assert set(parts["script-src"].split()) == digests["script"]
    assert set(parts["style-src"].split()) == digests["style"]
    assert "unsafe" not in told.policy
    assert not [found for _, found in told.elements if "style" in found]


def test_outward_links_tell_nobody_where_they_are_from() -> None:
    outward = [
        found
        for tag, found in read(samples.REACHED).elements
        if tag == "a" and str(found["href"]).startswith("http")
    ]
    assert outward
    assert all(found["rel"] == "noreferrer" for found in outward)


def test_the_same_report_makes_the_same_page() -> None:
    assert rendered(samples.REACHED) == rendered(samples.REACHED)
    shuffled = replace(samples.REACHED, chains=samples.REACHED.chains[::-1])
    assert rendered(shuffled) == rendered(samples.REACHED)


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\u241b[31mb"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\x7f\x9b", "\u2421⟨U+009B⟩"),
        ("\ud800", "\ufffd"),
        ("tab\tline\n日本 é", "tab\tline\n日本 é"),
    ],
)
def test_what_cannot_be_seen_is_shown_by_its_number(text: str, shown: str) -> None:
    assert seen(text) == shown


def test_only_backticks_mean_something_in_a_line() -> None:
    assert inline("`a<b>` & *c* [d](e)") == "<code>a&lt;b&gt;</code> &amp; *c* [d](e)"


def test_advice_has_lists_and_code_and_no_links_or_images() -> None:
    made = prose(
        "Do:\n\n- `x`\n- y\n\n```python\nif a < b:\n```\n\n![i](http://e) [a](javascript:b) <b>"
    )
    assert "<li><code>x</code></li>" in made
    assert 'aria-label="Code"><code class="python">if a &lt; b:' in made
    assert "<img" not in made
    assert "<a" not in made
    assert "&lt;b&gt;" in made


@pytest.mark.parametrize(
    "url", ["javascript:x", "data:text/html,x", "//e.org", "ftp://e", "http:///x", ""]
)
def test_only_the_web_is_linked_to(url: str) -> None:
    assert address(url) == ""


# --- two reports ----------------------------------------------------------------------------------


def difference(new: Report) -> Read:
    from portaudit.report.html import difference as pages  # noqa: PLC0415

    return Read(pages.render(differ(samples.REACHED, new, ("old.json", "new.json"))))


def test_progress_says_what_is_done_and_what_it_was_worth() -> None:
    left = tuple(item for item in samples.REACHED.findings if item.rule != "FUS001")
    roots = tuple(root for root in samples.REACHED.roots if root.rule != "FUS001")
    score = replace(samples.REACHED.score, value=98.5, verdict="edits only")
    told = difference(replace(samples.REACHED, findings=left, roots=roots, score=score))
    assert "+36.0 points" in told.text
    assert "replace libraries → edits only" in told.text
    assert "62.5 → 98.5" in told.text
    done = told.text[told.text.index("Root causes that are done") :]
    assert "flash-attn: attention kernels for CUDA 2 36" in done
    assert "Root causes that are new None." in told.text


def test_steps_back_are_said_too() -> None:
    score = replace(samples.REACHED.score, value=50.0)
    text = difference(replace(samples.REACHED, score=score, partial=True)).text
    assert "\u221212.5 points" in text
    assert "12.5 lost" in text
    assert "Some files could not be read" in text


def test_without_a_score_there_is_nothing_to_compare() -> None:
    score = replace(samples.REACHED.score, value=None, verdict="unknown")
    assert "No score to compare" in difference(replace(samples.REACHED, score=score)).text


@pytest.mark.parametrize("text", [*NASTY, MARKUP])
def test_the_page_of_a_difference_is_only_text_as_well(text: str) -> None:
    told = difference(hostile(text))
    assert not [tag for tag, _ in told.elements if tag in {"img", "iframe", "base", "form"}]
    assert len(told.raw["script"]) == 1
