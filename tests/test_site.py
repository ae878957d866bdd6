"""The site of the documents is built without a warning, complete in itself, with every link whole.

Skipped where Sphinx is not installed (`pip install --group docs`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in ("sphinx", "myst_parser", "furo", "linkify_it"):
        pytest.importorskip(name)
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"),
            *("-c", "docs/site", "-d", place / "read", ".", place / "site"),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return place / "site"


class Page(HTMLParser):
    """The anchors of a page, where its links lead, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in {"script", "img", "iframe", "source"} and "src" in given:
            self.loads.append(given["src"])
        elif tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload", "preconnect"}:
            self.loads.append(given["href"])


@cache
def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def pages(site: Path) -> Iterator[Path]:
    return site.rglob("*.html")


def test_every_page_is_there(site: Path) -> None:
    assert (site / "index.html").read_bytes() == (site / "README.html").read_bytes()
    for page in ("docs/quickstart", "docs/rules/DEV007", "docs/adr/0032-the-site", "search"):
        assert (site / f"{page}.html").is_file()
    rules = sorted((CHECKOUT / "docs" / "rules").glob("*.md"))
    assert [path.stem for path in rules] == sorted(
        path.stem for path in (site / "docs" / "rules").glob("*.html")
    )


def test_every_link_and_anchor_leads_somewhere(site: Path) -> None:
    wrong = []
    for path in pages(site):
        for link in read(path).links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = target.is_file() and (
                not parts.fragment
                or target.suffix != ".html"
                or unquote(parts.fragment) in read(target).anchors
            )
            if not known:
                wrong.append((path.relative_to(site).as_posix(), link))
    assert wrong == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in pages(site):
        for place in read(path).loads:
            assert not urlsplit(place).netloc, path
            assert (path.parent / urlsplit(place).path).is_file()
    for sheet in site.rglob("*.css"):
        loaded = re.findall(r"(?:@import|url\()\s*['\"]?([^'\")\s]+)", sheet.read_text("utf-8"))
        assert [each for each in loaded if urlsplit(each).netloc] == []


def test_the_search_knows_the_rules(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    for name in ("docs/rules/DEV007", "docs/faq", "docs/settings"):
        assert f'"{name}"' in index


def test_code_can_be_reached_by_keys_and_captions_have_a_level(site: Path) -> None:
    text = (site / "docs" / "quickstart.html").read_text(encoding="utf-8")
    assert "<pre>" not in text
    assert '<pre tabindex="0">' in text
    assert 'role="heading"' in text
    assert re.search(r'role="heading"(?! aria-level)', text) is None


def test_no_directive_is_left_as_text(site: Path) -> None:
    for path in pages(site):
        assert "{toctree}" not in path.read_text(encoding="utf-8")
