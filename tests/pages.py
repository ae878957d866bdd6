"""Opens pages in a real browser and watches them: for the tests, and for `bench/pages/look.py`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZES = {"desktop": (1440, 900), "laptop": (1280, 800), "phone": (390, 844)}
_IDLE = """addEventListener("DOMContentLoaded", () => {
  requestIdleCallback(() => { globalThis.idleAt = performance.now(); });
});"""
_TIMES = """new Promise((done) => {
  const [told] = performance.getEntriesByType("navigation");
  const look = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    if (!paint || globalThis.idleAt === undefined) setTimeout(look, 5);
    else done([paint.startTime, told.domContentLoadedEventEnd, globalThis.idleAt]);
  };
  look();
})"""
_CHOOSE = """(box) => {
  const start = performance.now();
  box.click();
  document.querySelector("#explorer .total").getBoundingClientRect();
  return performance.now() - start;
}"""
OPEN_ALL = "for (const each of document.querySelectorAll('details')) each.open = true"
Visit = Callable[..., "Page"]
"""Opens a file; what it may be told beside is in `visits`."""


@contextmanager
def started() -> Iterator[Browser | None]:
    """A Chromium, if there is one: named by `PORTAUDIT_CHROMIUM`, or on the path."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of a group of its own

    named = os.environ.get("PORTAUDIT_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        yield None
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visits(browser: Browser, wrong: list[str]) -> Iterator[Visit]:
    """Open pages; what they log, ask for or fall over is added to `wrong`."""
    contexts = []

    def asked(url: str) -> None:
        if not url.startswith("file:"):
            wrong.append(f"it asks for {url}")

    def visit(
        place: Path,
        fragment: str = "",
        *,
        size: str = "desktop",
        theme: str = "light",
        scripts: bool = True,
        free: bool = False,
        **more: Any,  # noqa: ANN401 - what a context takes
    ) -> Page:
        """`free`: without the policy of the page, so that axe can be put into it."""
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            java_script_enabled=scripts,
            bypass_csp=free,
            offline=True,
            **more,
        )
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: wrong.append(message.text))
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("dialog", lambda dialog: wrong.append(dialog.message))
        shown.on("request", lambda request: asked(request.url))
        if scripts:
            shown.add_init_script(_IDLE)
        shown.goto(place.as_uri() + fragment)
        return shown

    try:
        yield visit
    finally:
        for context in contexts:
            context.close()


def times(shown: Page) -> tuple[float, float, float]:
    """Milliseconds until something is painted, all is built, and the page has time for a reader."""
    paint, built, idle = shown.evaluate(_TIMES)
    return paint, built, idle


def serious(shown: Page) -> list[str]:
    """What axe finds that is serious or worse, with the element."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    told = Axe().run(shown).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['html']}"
        for item in told
        if item["impact"] in {"serious", "critical"}
    ]


def total(shown: Page) -> str:
    """What the list of findings says about their number."""
    return str(shown.inner_text("#explorer .total"))


def is_as_wide_as_its_window(shown: Page) -> bool:
    """Whether nobody has to move it sideways."""
    size = shown.viewport_size
    assert size is not None
    return bool(shown.evaluate("document.documentElement.scrollWidth") == size["width"])


def tried(shown: Page, number: int) -> tuple[list[str], float]:
    """What does not work of a page with so many findings; and milliseconds that a filter takes.

    A tree that trains is taken for granted: it has a path to draw.
    """
    wrong = []
    if not is_as_wide_as_its_window(shown):
        wrong.append("it is wider than its window")
    if shown.locator("#path-picture [role=treeitem]").count() < 2:
        wrong.append("the path is not drawn")
    areas = shown.locator("#treemap .map button")
    boxes = [area.bounding_box() for area in areas.all()[:9]]
    if not boxes or not all(box and box["width"] > 0 and box["height"] > 0 for box in boxes):
        wrong.append("the repository is not drawn")
    if total(shown) != f"{number:,} finding{'s' if number > 1 else ''}":
        wrong.append(f"it tells of {total(shown)}, not of {number:,}")
    found, slowest = _filters(shown, number)
    return wrong + found, slowest


def _filters(shown: Page, number: int) -> tuple[list[str], float]:
    """The same of the list of findings: choose each severity, then look for words."""
    wrong, slowest = [], 0.0
    told = shown.locator("#explorer [data-choice^='severity ']").all()
    for name in [str(box.get_attribute("data-choice")) for box in told]:
        box = shown.locator(f"#explorer [data-choice='{name}']")
        counted = box.locator("xpath=following-sibling::*[@class='count']").text_content()
        slowest = max(slowest, box.evaluate(_CHOOSE))
        if total(shown).partition(" ")[0] != counted:
            wrong.append(f"{name} gives {total(shown)}, and said {counted}")
        if f"#{name.replace(' ', '=')}" not in shown.url:
            wrong.append(f"{name} is not in the address")
        box.evaluate(_CHOOSE)
    if total(shown).partition(" ")[0] != f"{number:,}":
        wrong.append("filters do not go away")
    shown.evaluate("location.hash = 'text=nothing+has+such+words'")
    shown.locator(".finding").first.wait_for(state="detached")
    if not total(shown).startswith("0 of "):
        wrong.append("words are not looked for")
    return wrong, slowest
