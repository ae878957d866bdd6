"""What becomes part of pages: known to the byte where it is not ours, harmless where it is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import portaudit.report.html
from portaudit.report.html.document import asset, embedded

ASSETS = Path(portaudit.report.html.__file__).parent / "assets"
CHARTS = "e6589d5a37b6a33bc5786fea0e0d91025239a63cdb3303eb3c44503be6c74f9a"
"""What `tools/charts/build` prints."""
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment"
    r"|\beval\b|\bFunction\(|setTimeout\(['\"`]|\.srcdoc|import\(|fetch\(|XMLHttpRequest|WebSocket"
)


def test_the_library_is_the_one_that_was_built_and_keeps_its_licence() -> None:
    content = (ASSETS / "charts.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == CHARTS
    text = content.decode()
    assert "Permission to use, copy, modify" in text
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in text
    assert "Mike Bostock" in text


@pytest.mark.parametrize("name", ["charts.js", "frame.js", "report.js"])
def test_scripts_read_no_markup_and_ask_nobody(name: str) -> None:
    text = asset(name)
    assert not MARKUP.search(text)
    assert "</script" not in text
    assert "<!--" not in text
    addresses = set(re.findall(r"https?://[\w./-]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "https://d3js.org/d3-hierarchy"}


def test_styles_ask_nobody() -> None:
    text = asset("style.css")
    assert "url(" not in text
    assert "@import" not in text
    assert "</" not in text


def test_both_ways_to_dark_have_the_same_colours() -> None:
    text = asset("style.css")
    by_system = re.search(r':not\(\[data-theme="light"\]\) \{(.*?)\n  \}', text, re.DOTALL)
    by_choice = re.search(r'data-theme="dark"\] \{(.*?)\n\}', text, re.DOTALL)
    assert by_system
    assert by_choice
    assert by_system[1].split() == by_choice[1].split()


def test_data_cannot_end_its_element() -> None:
    text = embedded({"a": "</script><!--&\u2028\u2029"})
    assert not re.search("[<>&\u2028\u2029]", text)


def test_nothing_moves_for_those_who_ask_for_that() -> None:
    calm = re.sub(
        r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}\n",
        "",
        asset("style.css"),
        flags=re.DOTALL,
    )
    assert re.findall(r"(?:transition|animation|scroll-behavior)[\w-]*:", calm) == []
    scripts = asset("report.js") + asset("frame.js")
    assert re.findall(r"smooth|requestAnimationFrame|\.animate\(", scripts) == []
