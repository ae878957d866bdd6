"""Pages in a real browser: they draw, filter, ask nobody, and everybody can use them.

Skipped where playwright or a Chromium is missing: both are in the group `browser`, not in `dev`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

import samples
from made_reports import MARKUP, hostile, many
from pages import (
    OPEN_ALL,
    is_as_wide_as_its_window,
    serious,
    started,
    total,
    tried,
    visits,
)
from portaudit import engine
from portaudit.config import Options, load
from portaudit.files import Disk
from portaudit.report.formats import View
from portaudit.report.html import difference, page
from portaudit.triage.difference import differ
from portaudit.types import Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("playwright.sync_api")
FIXTURES = Path(__file__).parent.parent / "fixtures"
SIZES = ("desktop", "phone")
Opened = Callable[..., "Page"]


def trees() -> list[Path]:
    """Real repositories to try as well: what lies in the folder that the variable names."""
    named = os.environ.get("PORTAUDIT_REAL_TREES")
    return sorted(path for path in Path(named).iterdir() if path.is_dir()) if named else []


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with started() as found:
        if found is None:
            pytest.skip("no Chromium is here")
        yield found


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens a page; at the end nothing may have gone wrong in it, or have been asked for."""
    wrong: list[str] = []
    with visits(browser, wrong) as visit:

        def show(text: str, fragment: str = "", **more: Any) -> Page:  # noqa: ANN401
            place = tmp_path / "page.html"
            place.write_text(text, encoding="utf-8")
            return visit(place, fragment, **more)

        yield show
    assert not wrong


def html(report: Report) -> str:
    return page.render(report, View(100, title="some-repo"))


@pytest.fixture(scope="module")
def choices() -> str:
    config = load([FIXTURES / "choices"], Options(cache=False, jobs=1), cwd=FIXTURES)
    report = engine.scan(config)
    return page.render(
        report,
        View(100, source=lambda name: (FIXTURES / "choices" / name).read_bytes()),
    )


def test_a_scanned_tree_is_drawn(opened: Opened, choices: str) -> None:
    shown = opened(choices)
    assert shown.inner_text("h1") == "Edits only"
    assert shown.locator("#path-picture [role=treeitem]").count() > 4
    assert shown.locator("#treemap .map button").count() >= 2
    assert shown.locator(".card").count() > 5
    assert is_as_wide_as_its_window(shown)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_page(opened: Opened, choices: str, size: str) -> None:
    for text in (choices, html(samples.FAILED), html(hostile("x" * 300))):
        shown = opened(text, size=size)
        shown.evaluate(OPEN_ALL)
        assert is_as_wide_as_its_window(shown)


def test_filters_live_in_the_address(opened: Opened) -> None:
    text = html(samples.REACHED)
    shown = opened(text)
    assert total(shown) == "6 findings"
    shown.check("#explorer [data-choice='severity blocker']")
    assert total(shown) == "3 of 6 findings"
    assert shown.url.endswith("#severity=blocker")
    shown.check("#explorer [data-choice='reach test']")
    assert shown.url.endswith("#severity=blocker&reach=test")
    assert total(shown) == "1 of 6 findings"
    again = opened(text, "#severity=blocker&reach=test")
    assert total(again) == "1 of 6 findings"
    assert again.is_checked("[data-choice='reach test']")
    assert again.inner_text(".finding .place") == "tests/test_flash.py:3"
    again.click("text=Clear")
    assert total(again) == "6 findings"


@pytest.mark.parametrize(
    ("fragment", "number"),
    [
        ("category=amp", 1),
        ("guard=guarded", 2),
        ("rule=FUS001,AMP003", 5),
        ("path=model/blocks", 1),
        ("text=out%20%3D%20flash", 1),
        ("status=undocumented", 1),
        ("confidence=medium&severity=info", 1),
        ("cause=1", 2),
        ("text=nothing+like+it", 0),
    ],
)
def test_each_filter_does_what_it_says(opened: Opened, fragment: str, number: int) -> None:
    shown = opened(html(samples.REACHED), f"#{fragment}")
    assert total(shown) == f"{number} of 6 findings"
    assert shown.locator(".finding").count() == number


def test_states_of_a_check_can_be_chosen(opened: Opened) -> None:
    shown = opened(html(samples.FAILED), "#state=failing")
    assert total(shown).startswith(f"{len(samples.FAILED.gate.failing)} of ")  # type: ignore[union-attr]


def test_words_are_looked_for_while_they_are_typed(opened: Opened) -> None:
    shown = opened(html(samples.REACHED))
    shown.fill("#explorer input >> nth=1", "gradscaler")
    shown.wait_for_url(lambda url: url.endswith("#text=gradscaler"))
    assert total(shown) == "1 of 6 findings"


def test_a_finding_opens_and_leads_to_its_root_cause(opened: Opened) -> None:
    shown = opened(html(samples.REACHED), "#rule=FUS001&reach=main&guard=none")
    shown.click(".finding >> nth=0")
    detail = shown.inner_text(".finding .detail >> nth=0")
    assert "unsupported on torchneuron (inferred, SDK 2.33, checked 2026-11-21)" in detail
    shown.click(".finding .detail >> nth=0 >> text=flash-attn: attention")
    assert shown.url.endswith("#cause-1")
    shown.wait_for_selector("#cause-1[open]")  # the browser tells of the new address a little later


def test_the_path_can_be_walked_with_keys(opened: Opened) -> None:
    shown = opened(html(samples.REACHED))
    tree = shown.locator("[role=tree]")
    names = [item.get_attribute("aria-label") for item in tree.locator("[role=treeitem]").all()]
    assert names[0] == "train.py, 2 places, minor"
    assert "model/attention.py, 2 places, blocker" in names
    assert tree.locator("[tabindex='0']").count() == 1
    tree.locator("[tabindex='0']").focus()
    shown.keyboard.press("Home")
    assert "train.py" in shown.inner_text(".tree-side")
    shown.keyboard.press("ArrowLeft")
    assert tree.locator("[role=treeitem]").count() == 1
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("ArrowRight")
    focused = shown.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "attention.py" in focused
    shown.click(".tree-side >> text=Show its findings")
    assert shown.url.endswith("#path=model%2Fattention.py")


def test_the_map_opens_folders_and_leads_to_findings(opened: Opened) -> None:
    shown = opened(html(many(2000)))
    cells = shown.locator(".map button")
    before = cells.count()
    cells.locator("nth=0").click()
    assert shown.locator(".crumbs").inner_text().startswith("all files\n/")
    assert cells.count() < before
    shown.click(".crumbs >> text=all files")
    assert cells.count() == before
    shown.click(".crumbs >> text=Places")
    shown.locator(".map button:not(.folder)").first.click()
    assert "#path=" in shown.url or shown.locator(".crumbs b").inner_text() != "all files"


def test_twenty_thousand_findings_can_be_turned_over(opened: Opened) -> None:
    shown = opened(html(many(20_000)))
    assert total(shown) == "20,000 findings"
    assert shown.locator(".finding").count() == 50
    shown.click(".pager >> text=Next")
    assert "51 to 100 of 20,000" in shown.inner_text(".pager")
    shown.fill("#explorer input >> nth=0", "package_7/module_7.py")
    shown.wait_for_url(lambda url: "package_7" in url)
    assert total(shown).endswith("of 20,000 findings")


@pytest.mark.parametrize("text", [MARKUP, "\u202e\x1b[31m`x`", "${alert(1)}"])
def test_hostile_text_shows_as_text(opened: Opened, text: str) -> None:
    shown = opened(html(hostile(text)))
    shown.evaluate(OPEN_ALL)
    assert shown.locator("img, iframe, form").count() == 0
    assert shown.evaluate("document.scripts.length") == 4
    shown.click(".finding >> nth=0")


def test_markup_is_read_as_it_was_written(opened: Opened) -> None:
    shown = opened(html(hostile(MARKUP.replace("`", ""))))
    assert MARKUP.replace("`", "") in shown.inner_text("#cause-1 summary")
    assert MARKUP.replace("`", "") in shown.inner_text(".finding .what >> nth=0")


def test_without_scripts_all_that_matters_is_there(opened: Opened) -> None:
    shown = opened(html(samples.REACHED), scripts=False)
    text = shown.inner_text("main")
    assert "The list of 6 findings needs scripts" in text
    assert "Show its places in the list" not in text
    shown.click("#cause-1 > summary")
    assert "from flash_attn import flash_attn_func" in shown.inner_text("#cause-1")


def test_the_theme_is_that_of_the_system_until_it_is_chosen(opened: Opened) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    shown = opened(html(samples.REACHED), theme="dark")
    assert shown.evaluate(color) == "rgb(14, 16, 19)"
    shown.click("#theme")
    assert shown.inner_text("#theme") == "Theme: light"
    assert shown.evaluate(color) == "rgb(255, 255, 255)"
    shown.click("#theme")
    assert shown.evaluate(color) == "rgb(14, 16, 19)"


def test_paper_is_light_and_shows_the_first_root_causes(opened: Opened, choices: str) -> None:
    shown = opened(choices, theme="dark")
    assert shown.pdf(format="A4").startswith(b"%PDF")
    shown.emulate_media(media="print")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not shown.is_visible("#findings")


DRAWN = """(query) => {
  const [element, part] = query.split("::");
  const style = getComputedStyle(document.querySelector(element), part ? `::${part}` : null);
  return [style.backgroundColor, style.color, style.borderTopWidth];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("chosen", [False, True])
def test_forced_colours_lose_nothing(
    opened: Opened, choices: str, theme: str, *, chosen: bool
) -> None:
    shown = opened(choices, theme=theme, forced_colors="active", free=True)
    if chosen:  # against what the system asks for
        shown.click("#theme")
    shown.evaluate(OPEN_ALL)
    canvas = shown.evaluate(DRAWN, "body")[0]
    pressed, other = (
        shown.evaluate(DRAWN, f".crumbs [aria-pressed={state}]") for state in ("true", "false")
    )
    assert pressed[:2] != other[:2], "what is chosen shows"
    assert shown.evaluate(DRAWN, ".pill")[2] != "0px", "a word with a meaning has an edge"
    assert shown.evaluate(DRAWN, ".chain li::after")[0] != canvas, "a way has its stations"
    assert shown.evaluate(DRAWN, ".key.minor::before")[0] != canvas
    pytest.importorskip("axe_playwright_python.sync_playwright")
    assert serious(shown) == []


def test_nothing_moves(opened: Opened, choices: str) -> None:
    shown = opened(choices, reduced_motion="reduce")
    assert shown.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    shown.click("#cause-1 > summary")
    shown.click("#theme")
    assert shown.evaluate("document.getAnimations().length") == 0
    assert shown.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_what_is_new_and_what_was_are_told_apart_without_colour(
    opened: Opened, choices: str
) -> None:
    shown = opened(choices)
    shown.evaluate(OPEN_ALL)
    sign = "(name) => getComputedStyle(document.querySelector(name), '::before').content"
    assert "-" in shown.evaluate(sign, ".swap .old").replace("\N{MINUS SIGN}", "-")
    assert "+" in shown.evaluate(sign, ".swap .new")
    wide = "(() => [...document.querySelectorAll('.swap pre')].filter((e) => e.scrollWidth > "
    assert shown.evaluate(f"{wide} e.clientWidth).length)()") == 0, "code is not cut"


@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing_serious(opened: Opened, choices: str, size: str, theme: str) -> None:
    pytest.importorskip("axe_playwright_python.sync_playwright")
    told = differ(samples.REPORT, replace(samples.REACHED, findings=()), ("a.json", "b.json"))
    pages = {
        "choices": choices,
        "failed": html(samples.FAILED),
        "difference": difference.render(told),
    }
    found = []
    for name, text in pages.items():
        shown = opened(text, size=size, theme=theme, free=True)
        shown.evaluate(OPEN_ALL)
        found += [(name, each) for each in serious(shown)]
    assert found == []


# --- real repositories ----------------------------------------------------------------------------


@pytest.mark.skipif(not trees(), reason="PORTAUDIT_REAL_TREES names no folder of trees")
@pytest.mark.parametrize("tree", trees(), ids=lambda path: path.name)
def test_pages_of_real_repositories_work(browser: Browser, tree: Path, tmp_path: Path) -> None:
    config = load([tree], Options(cache=False), cwd=tree)
    report = engine.scan(config)
    place = tmp_path / "page.html"
    place.write_text(page.render(report, View(100, title=tree.name, source=Disk(tree).read)))
    number = len(report.findings)
    assert place.stat().st_size < 2_000_000 * max(1, number / 1000)
    wrong: list[str] = []
    with visits(browser, wrong) as visit:
        for size, theme in (("desktop", "light"), ("phone", "dark")):
            shown = visit(place, size=size, theme=theme)
            found, _ = tried(shown, number)
            wrong += found
            shown.locator("#path-picture [tabindex='0']").focus()
            for key in ("End", "Home", "ArrowRight", "ArrowDown"):
                shown.keyboard.press(key)
            shown.evaluate(OPEN_ALL)
            if not is_as_wide_as_its_window(shown):
                wrong.append("wider than its window with all open")
    assert not wrong
