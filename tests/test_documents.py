"""What the written documents say is what the program does."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from portaudit.catalogue.load import load

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
DEMO = re.compile(r"```console\n\$ portaudit (?P<command>[^\n]*)\n(?P<output>.*?)\n```", re.DOTALL)
LEFT_OUT = "…"


def cells(text: str) -> list[list[str]]:
    """The cells of all rows of Markdown tables in a text, without back quotes."""
    rows = [line.strip("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row.split("|")] for row in rows]


def test_readme_counts_the_rules_of_each_category() -> None:
    told = {
        row[0]: int(row[1]) for row in cells(README) if len(row) == 3 and row[1].strip().isdigit()
    }
    assert told == Counter(rule.category for rule in load(()).rules.values())


@pytest.mark.parametrize("demo", list(DEMO.finditer(README)), ids=lambda match: match["command"])
def test_readme_shows_real_output(demo: re.Match[str]) -> None:
    """Every line shown is a line of the output, in order; only marked places leave some out."""
    done = subprocess.run(
        [sys.executable, "-m", "portaudit", *shlex.split(demo["command"])],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "100"},
    )
    assert (done.returncode, done.stderr) == (int("FAILED" in demo["output"]), "")
    rest = [line.rstrip() for line in done.stdout.splitlines()]
    for part in demo["output"].split(f"{LEFT_OUT}\n"):
        wanted = part.rstrip(LEFT_OUT).splitlines()
        places = (at for at in range(len(rest)) if rest[at : at + len(wanted)] == wanted)
        found = next(places, None)
        assert found is not None, "run the command of the README and paste what it says:\n" + part
        rest = rest[found + len(wanted) :]


@pytest.mark.parametrize(
    "page",
    [
        *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *sorted((CHECKOUT / "docs").glob("*.md")),
        *sorted((CHECKOUT / "docs" / "adr").glob("*.md")),
    ],
    ids=lambda path: path.name,
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_pages_keep_their_measure() -> None:
    pipeline = CHECKOUT / "docs" / "pipeline.md"
    assert len(pipeline.read_text(encoding="utf-8").splitlines()) <= 80
    for record in (CHECKOUT / "docs" / "adr").glob("*.md"):
        text = record.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 30
        assert all(f"**{word}.**" in text for word in ("Context", "Decision", "Consequence"))
