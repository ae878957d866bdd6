"""Opens the pages of stored reports in Chromium: sizes, times, what axe finds, pictures to look at.

    portaudit scan TREE --format json=TREE.json
    python bench/pages/look.py OUT TREE.json=TREE …

Needs the dependency group `browser`. A page that logs, asks a server for anything, does not draw or
filter or is wider than its window ends it with 1: the same is tried by tests/test_browser.py. Its
pictures (desktop and phone, light and dark, forced colours) and a PDF go to OUT.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2] / "tests"))

from pages import SIZES, Visit, serious, started, times, tried, visits  # noqa: E402
from portaudit.files import Disk  # noqa: E402
from portaudit.report.formats import View  # noqa: E402
from portaudit.report.html import page  # noqa: E402
from portaudit.report.stored import parse  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

PARTS = ("", "#cause-1", "#path", "#tree", "#findings")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"theme": "dark"},
    "forced": {"forced_colors": "active"},
    "forced-dark": {"forced_colors": "active", "theme": "dark"},
}
RUNS = 5


def made(report: Path, tree: Path) -> tuple[str, int]:
    """The page of a stored report, with the code of its tree; and the number of its findings."""
    told = parse(report.read_bytes(), report.name)
    view = View(100, title=tree.name, source=Disk(tree).read)
    return page.render(told, view), len(told.findings)


def look(visit: Visit, place: Path, number: int) -> list[str]:
    """What is wrong with a page; its figures are printed, its pictures lie beside it."""
    wrong: list[str] = []
    for size in SIZES:
        for look, more in LOOKS.items():
            shown = visit(place, size=size, free=True, **more)
            _pictures(shown, place, f"{size}-{look}")
            found, slowest = tried(shown, number)
            wrong += [f"{size} {look}: {each}" for each in (*found, *serious(shown))]
            if look == "light":
                print(f"  {size}: {_figures(visit, place, size)}, a filter {slowest:.0f} ms")
            shown.context.close()
    shown = visit(place)
    shown.pdf(path=place.with_suffix(".pdf"), format="A4")
    return wrong


def _pictures(shown: Page, place: Path, name: str) -> None:
    for part in PARTS:
        shown.goto("about:blank")
        shown.goto(place.as_uri() + part)
        shown.screenshot(path=place.parent / f"{place.stem}-{name}{part.replace('#', '-')}.png")
    shown.goto("about:blank")
    shown.goto(place.as_uri())


def _figures(visit: Visit, place: Path, size: str) -> str:
    """Middle values of some visits: what a reader waits for."""
    found = []
    for _ in range(RUNS):
        shown = visit(place, size=size)
        found.append(times(shown))
        shown.context.close()
    paint, built, idle = (statistics.median(each) for each in zip(*found, strict=True))
    return f"painted {paint:.0f} ms, built {built:.0f} ms, interactive {idle:.0f} ms"


def main(out: Path, pairs: list[str]) -> int:
    """Make and open each page."""
    out.mkdir(parents=True, exist_ok=True)
    failed = False
    with started() as browser:
        if browser is None:
            print("no Chromium is here")
            return 1
        for pair in pairs:
            report, _, tree = pair.partition("=")
            place = (out / f"{Path(report).stem}.html").resolve()
            text, number = made(Path(report), Path(tree))
            place.write_text(text, encoding="utf-8")
            print(f"{place.stem}: {number:,} findings, {place.stat().st_size:,} bytes")
            wrong: list[str] = []
            with visits(browser, wrong) as visit:
                wrong += look(visit, place, number)
            failed |= bool(wrong)
            for each in wrong:
                print(f"  {each}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
