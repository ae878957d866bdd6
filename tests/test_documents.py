"""What the written documents say is what the program does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from portaudit.catalogue.load import load

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    [
        *(
            CHECKOUT / name
            for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
        ),
        *(CHECKOUT / "docs").rglob("*.md"),
        *(CHECKOUT / "bench").rglob("README.md"),
        CHECKOUT / "fixtures" / "README.md",
    ]
)
"""What a Git host shows and the site has."""
RECORDS = sorted((CHECKOUT / "docs" / "adr").glob("[0-9]*.md"))


def cells(text: str) -> list[list[str]]:
    """The cells of all rows of Markdown tables in a text, without back quotes."""
    rows = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row.split("|")] for row in rows]


def test_readme_counts_the_rules_of_each_category() -> None:
    told = {
        row[0]: int(row[1]) for row in cells(README) if len(row) == 3 and row[1].strip().isdigit()
    }
    assert told == Counter(rule.category for rule in load(()).rules.values())


@cache
def parsed(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a Git host, and the site, makes of the headings of a page."""
    found: list[str] = []
    for before, token in pairwise(parsed(page)):
        if before.type == "heading_open":
            words = "".join(child.content for child in token.children or ())
            found.append(re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-"))
    assert not [each for each, times in Counter(found).items() if times > 1 and each in LED_TO]
    return frozenset(found)


def links(page: Path) -> Iterator[str]:
    for token in parsed(page):
        for child in token.children or ():
            if child.type in {"link_open", "image"}:
                yield str(child.attrs.get("href", child.attrs.get("src")))


def leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / unquote(path) if path else page
    if not target.is_file():  # a Git host shows a folder, the site does not
        return True
    return bool(anchor) and anchor not in anchors(target)


LED_TO = {link.partition("#")[2] for page in PAGES for link in links(page)} - {""}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_links_and_anchors_lead_somewhere(page: Path) -> None:
    inner = [link for link in links(page) if not re.match(r"[a-z]+:", link)]
    assert [link for link in inner if leads_nowhere(page, link)] == []


def test_the_index_has_every_page() -> None:
    index = CHECKOUT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    rules = (CHECKOUT / "docs" / "rules").glob("[A-Z][A-Z][A-Z][0-9]*.md")
    found_otherwise = {index, CHECKOUT / "README.md", *RECORDS, *rules}
    assert set(PAGES) - found_otherwise - listed == set()


def test_each_record_has_a_number_of_its_own() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) == len(set(numbers))
    for record in RECORDS:
        assert record.read_text(encoding="utf-8").startswith(f"# {record.name[:4]} ")


def test_pages_keep_their_measure() -> None:
    pipeline = CHECKOUT / "docs" / "pipeline.md"
    assert len(pipeline.read_text(encoding="utf-8").splitlines()) <= 80
    for record in RECORDS:
        text = record.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 30
        assert all(f"**{word}.**" in text for word in ("Context", "Decision", "Consequence"))


def test_every_measurement_is_on_the_page_of_all() -> None:
    told = (CHECKOUT / "bench" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| \[([\w/]+)\]\(", told, re.MULTILINE))
    folders = {each.parent for each in (CHECKOUT / "bench").rglob("*.py")}
    missing = {each.relative_to(CHECKOUT / "bench").as_posix() for each in folders} - named
    assert not missing
    assert all((CHECKOUT / "bench" / each).is_dir() for each in named)
