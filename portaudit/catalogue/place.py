"""Where the shipped rules are; apart from what reads them, which takes longer to load."""

from __future__ import annotations

from pathlib import Path


def builtin_rules() -> Path:
    """Where the shipped rules are: beside the code in a wheel, at the top level in a checkout."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_rules"
    return shipped if shipped.is_dir() else package.parent / "rules"
