"""8-bit float types: found wherever one is spelled, unless it is only asked about."""

from __future__ import annotations

import pytest

from snippets import check, findings, the

RULE = "DTY003"
HEAD = """
import torch
import torch as th
from torch import float8_e4m3fn, float8_e4m3fnuz as fnuz
"""


def lines(body: str) -> list[int]:
    """Lines of the findings below the head."""
    return [item.span.line for item in findings(HEAD.lstrip() + body + "\n", RULE)]


@pytest.mark.parametrize(
    "statement",
    [
        "x = torch.float8_e4m3fn",
        "x = th.float8_e4m3fnuz",
        "x = torch.float8_e5m2fnuz",
        "x = float8_e4m3fn",
        "x = fnuz",
        "x = y.to(torch.float8_e4m3fn)",
        "x = torch.empty(3, dtype=torch.float8_e4m3fn)",
        "x = torch.empty(3, dtype=float8_e4m3fn)",
        "x = torch.finfo(torch.float8_e4m3fn).max",
        "x = {'fp8': torch.float8_e4m3fn}",
        "x = {torch.int8: torch.float8_e4m3fn}",
        "x = [torch.float8_e4m3fn, 1]",
        "x = torch.float8_e4m3fn if y else torch.int8",
        "x = 1 if y else fnuz",
        "x = y == cast(torch.float8_e4m3fn)",
        "def f(dtype=torch.float8_e4m3fn): pass",
        "def f(): return torch.float8_e4m3fn",
        "x = y[torch.float8_e4m3fn]",
    ],
)
def test_type_is_a_finding_where_it_is_spelled(statement: str) -> None:
    assert lines(statement) == [4]


@pytest.mark.parametrize(
    "statement",
    [
        "x = y.dtype == torch.float8_e4m3fn",
        "x = torch.float8_e4m3fn != y.dtype",
        "x = y.dtype is torch.float8_e4m3fn",
        "x = y.dtype in (torch.float8_e4m3fn, torch.float8_e4m3fnuz)",
        "x = y.dtype in [float8_e4m3fn]",
        "x = y.dtype not in {fnuz}",
        "assert y.dtype == float8_e4m3fn",
        "x = {torch.float8_e4m3fn: 448.0}",
        "x = {fnuz: 240.0, torch.int8: 127}",
        "x = torch.float8_e5m2",
        "x = torch.bfloat16",
        "x = 'torch.float8_e4m3fn'",
        "x = y.float8_e4m3fn",
        "x: torch.float8_e4m3fn",
        "import jax.numpy as jnp; x = jnp.float8_e4m3fn",
    ],
)
def test_type_that_is_only_asked_about_is_silent(statement: str) -> None:
    assert lines(statement) == []


def test_type_in_a_variable_is_reported_where_it_is_spelled() -> None:
    check("""
    import torch
    FP8 = torch.float8_e4m3fn  # expect: DTY003
    TYPES = (torch.int8, FP8)
    def cast(x):
        return x.to(FP8)
    def empty():
        return torch.empty(3, dtype=FP8)
    """)


def test_type_is_reported_once() -> None:
    finding = the("import torch\nx = y.to(dtype=torch.float8_e4m3fn)\n", RULE)
    assert finding.anchor == "torch.float8_e4m3fn"
    assert (finding.span.line, finding.span.column) == (2, 16)
