"""Opens the pages of stored reports in Chromium: sizes, times, what axe finds, pictures to look at.

    portaudit scan TREE --format json=TREE.json
    python bench/pages/look.py OUT TREE.json=TREE …

Needs the dependency group `browser`. A page that logs, asks a server for anything, does not draw or
is wider than its window ends it with 1. Pictures of desktop and phone, light and dark, and a PDF
go to OUT.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from portaudit.report.formats import View
from portaudit.report.html import page
from portaudit.report.stored import parse

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WINDOWS = {"desktop": (1440, 900), "phone": (390, 844)}
PARTS = ("", "#cause-1", "#path", "#tree", "#findings")
TIMES = """(() => {
  const [told] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return [paint ? paint.startTime : 0, told.domContentLoadedEventEnd];
})()"""


def made(report: Path, tree: Path) -> str:
    """The page of a stored report, with the code of its tree."""

    def source(path: str) -> bytes | None:
        place = tree / path
        return place.read_bytes() if place.is_file() else None

    told = parse(report.read_bytes(), report.name)
    return page.render(told, View(100, title=tree.name, source=source))


def look(browser: Browser, place: Path) -> list[str]:
    """What is wrong with a page; its figures are printed, its pictures lie beside it."""
    wrong: list[str] = []

    def asked(url: str) -> None:
        if not url.startswith("file:"):
            wrong.append(f"asks for {url}")

    for window, (width, height) in WINDOWS.items():
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, bypass_csp=True
            )
            shown = context.new_page()
            shown.on("console", lambda message: wrong.append(message.text))
            shown.on("pageerror", lambda error: wrong.append(str(error)))
            shown.on("request", lambda request: asked(request.url))
            for part in PARTS:
                shown.goto("about:blank")
                shown.goto(place.as_uri() + part)
                name = f"{place.stem}-{window}-{theme}{part.replace('#', '-')}.png"
                shown.screenshot(path=place.parent / name)
            paint, ready = shown.evaluate(TIMES)
            found = serious(shown)
            print(f"  {window} {theme}: painted {paint:.0f} ms, ready {ready:.0f} ms, axe {found}")
            wrong.extend(found)
            if shown.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"wider than {width}")
            if not shown.locator(".map button").count():
                wrong.append("no map")
            if window == "desktop" and theme == "light":
                shown.pdf(path=place.with_suffix(".pdf"), format="A4")
            context.close()
    return wrong


def serious(shown: object) -> list[str]:
    """What axe finds that is serious or worse."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    told = Axe().run(shown).response["violations"]
    return [item["id"] for item in told if item["impact"] in {"serious", "critical"}]


def main(out: Path, pairs: list[str]) -> int:
    """Make and open each page."""
    out.mkdir(parents=True, exist_ok=True)
    failed = False
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for pair in pairs:
            report, _, tree = pair.partition("=")
            place = (out / f"{Path(report).stem}.html").resolve()
            place.write_text(made(Path(report), Path(tree)), encoding="utf-8")
            print(f"{place.stem}: {place.stat().st_size:,} bytes")
            wrong = look(browser, place)
            failed |= bool(wrong)
            for each in wrong:
                print(f"  {each}")
        browser.close()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
