"""The code that `bench/speed` measures is pinned."""

from __future__ import annotations

import csv
import re
from pathlib import Path

MANIFEST = Path(__file__).parent.parent / "bench" / "speed" / "manifest.csv"


def test_each_distribution_is_pinned_and_belongs_to_a_tier() -> None:
    with MANIFEST.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["sha256"]) for row in rows)
    assert all(row["folder"].endswith(row["version"]) for row in rows)
    tiers = [row["tiers"].split() for row in rows]
    assert {tier for each in tiers for tier in each} == {"small", "medium", "large"}
    assert all("large" in each for each in tiers)
