"""`docs/scoring.md` says what is computed: its tables, and every number of its example."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
import tomli

from portaudit import engine
from portaudit.catalogue import work
from portaudit.catalogue.assumptions import Value, changed, reasons, standard
from portaudit.config import Config
from portaudit.relate.causes import lightened
from portaudit.score import MOST_GAINS, VERDICTS, Piece, Way, main_way
from portaudit.types import Report, RootCause

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs" / "scoring.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split()).replace("\N{MULTIPLICATION SIGN}", "x").replace("\N{MINUS SIGN}", "-")
ROWS = [
    [cell.strip(" `") for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]


def test_the_page_has_every_assumption_with_its_reason() -> None:
    told: dict[str, tuple[Value, str]] = {}
    for first, *cells in ROWS:
        if f"effort.{first}" in reasons():
            low, high, because = cells
            told[f"effort.{first}"] = ((float(low), float(high)), because)
        elif first in reasons():
            value, because = cells
            told[first] = (value if first == "wiring.effort" else float(value), because)
    assert told == dict(reasons())


def test_the_page_has_the_places_that_count() -> None:
    taken = standard()
    further, most = taken.further_site, taken.most_sites
    assert f"days = the greatest + {further:g} x sum of the next {most - 1}" in TEXT


def test_the_page_has_every_verdict_and_phase() -> None:
    told = [row[0] for row in ROWS if row[0] in VERDICTS]
    assert told == list(VERDICTS)
    for number, phase in enumerate(work.table().phase, 1):
        assert f"\n{number}. **{phase.name}**: " in PAGE
    assert MOST_GAINS == 10
    assert "up to ten steps" in TEXT


def test_the_settings_of_the_page_can_be_used() -> None:
    (block,) = (text.partition("```")[0] for text in PAGE.split("```toml")[1:])
    table = tomli.loads(block)["tool"]["portaudit"]["assumptions"]
    assert len(changed(table, "docs/scoring.md").changed) == 3


def test_the_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= 200


# --- the example ----------------------------------------------------------------------------------


@cache
def report() -> Report:
    root = CHECKOUT / "fixtures" / "scattered"
    return engine.scan(Config(root, (root,), jobs=1, cache=False))


def way() -> Way:
    return main_way(report().chains, standard())


def needed() -> list[RootCause]:
    return [root for root in report().roots if root.step]


def middle(root: RootCause) -> float:
    return Piece(root.id, root.severity, root.effort_days).middle


def test_the_example_has_the_root_causes_of_the_path() -> None:
    points = {each.root: each.points for each in report().score.lost}
    known = {item.fingerprint: item for item in lightened(report().findings)}
    rows = []
    for root in needed():
        on_way = [item for item in map(known.__getitem__, root.findings) if way().counts(item)]
        shares = sorted(map(way().share, on_way), reverse=True)
        low, high = root.effort_days
        cells = (low, high, round(middle(root), 2), points[root.id])
        listed = ", ".join(f"{share:g}" for share in shares)
        rows.append([root.id, root.severity, listed, *(f"{cell:g}" for cell in cells)])
    assert [row for row in ROWS if row[0] in points] == rows


def test_the_example_has_the_days_of_each_root_cause() -> None:
    """Worked out from the table of the page alone, not by the code that computes it."""
    taken = standard()
    effort = {"library:flash-attn": "medium"}
    points = {each.root for each in report().score.lost}
    for root_id, _, shares, *cells in (row for row in ROWS if row[0] in points):
        first, *rest = map(float, shares.split(", "))
        factor = first + taken.further_site * sum(rest)
        for end, cell in enumerate(cells[:2]):
            size = effort.get(root_id, "trivial")
            days = next(float(row[1 + end]) for row in ROWS if row[0] == size)
            assert float(cell) == pytest.approx(days * factor, abs=0.006)
        low, high, mean = map(float, cells[:3])
        assert mean == pytest.approx(math.sqrt(low * high), abs=0.01)


def test_the_example_has_the_sums() -> None:
    score = report().score
    taken = standard()
    total = sum(map(middle, needed()))
    lost = taken.points("minor") * (1 - math.exp(-total / taken.scale("minor")))
    assert {root.severity for root in needed()} == {"minor"}
    assert f"20 x (1 - e^(-{total:.2f} / 5)) = {lost:.1f} points" in TEXT
    assert score.value is not None
    assert f"The score is 100 - {lost:.1f} = {score.value:g}" in TEXT
    assert math.isclose(lost, sum(each.points for each in score.lost), abs_tol=0.005)
    low, high = score.effort_days
    assert f"the work {low:g} to {high:g} days" in TEXT
    assert f"so the verdict is `{score.verdict}`" in TEXT


def test_the_example_has_the_gain_and_the_order() -> None:
    score = report().score
    gain, points = score.gains[0], {each.root: each.points for each in score.lost}
    assert gain.root == "library:flash-attn"
    assert f"flash-attn gains {gain.points} of its {points[gain.root]} points" in TEXT
    steps = sorted(needed(), key=lambda root: root.step)
    assert [root.id for root in steps] == [
        "DEV007",
        "DST001:common/settings.py:DEVICE",
        "library:flash-attn",
    ]
    assert steps[2].after == ("DEV007",)


def test_the_example_says_what_no_program_reaches() -> None:
    (flash,) = (root for root in needed() if root.id == "library:flash-attn")
    off = [site for site in flash.sites if site.path == "long_context.py"]
    assert (len(flash.sites), len(off)) == (6, 3)
    main = [each.path for each in report().score.entry_points if each.main]
    assert main == ["train.py"]
