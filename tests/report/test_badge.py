from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

import samples
from portaudit.report import badge
from portaudit.types import Report

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (samples.REACHED, "62.5 of 100, replace libraries"),
        (samples.REPORT, "61.5 of 100, replace libraries, provisional"),
        (samples.NO_TORCH, "no torch"),
        (samples.EMPTY, "nothing to scan"),
    ],
)
def test_it_says_the_score_and_the_verdict(report: Report, text: str) -> None:
    root = ET.fromstring(badge.render(report))  # noqa: S314 - our own text
    assert root.attrib["aria-label"] == f"portaudit, Trainium: {text}"
    assert root.findtext(f"{SVG}title") == f"portaudit, Trainium: {text}"
    label, shown = root.iter(f"{SVG}text")
    assert (label.text, shown.text) == ("Trainium", text)
    left, right = (float(each.attrib["textLength"]) for each in (label, shown))
    assert float(root.attrib["width"]) == left + right + 28
    assert 5 < right / len(text) < 8


def test_colours_follow_the_verdict() -> None:
    grave = replace(samples.REACHED, score=replace(samples.REACHED.score, verdict="redesign"))
    assert "#b3262b" in badge.render(grave)
    assert "#2e7d4f" in badge.render(samples.CLEAN)
    assert "#5c6570" in badge.render(samples.NO_TORCH)


def test_the_other_target_has_its_name() -> None:
    assert ">Neuron XLA<" in badge.render(replace(samples.REACHED, target="xla"))
