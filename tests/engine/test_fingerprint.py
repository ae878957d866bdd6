from __future__ import annotations

import pytest
from msgspec.structs import replace

from portaudit.fingerprint import context, fingerprint, identify
from portaudit.types import Finding, Span
from snippets import findings, the

SYNC = the("import torch\ntorch.cuda.synchronize()\n", "DEV007")


def prints(text: str, *rules: str) -> list[str]:
    return [item.fingerprint for item in findings(text, *(rules or ("DEV007", "DST001")))]


def at(line: int, **changes: object) -> Finding:
    return replace(SYNC, span=Span(line, 1, line, 2), fingerprint="", **changes)


def test_fingerprint_has_a_version_and_is_a_hash() -> None:
    value = fingerprint("DEV007", "a.py", "f", "torch.cuda.synchronize", 0)
    assert value.startswith("pa1:")
    assert len(value) == len("pa1:") + 32
    assert value == fingerprint("DEV007", "a.py", "f", "torch.cuda.synchronize", 0)


@pytest.mark.parametrize(
    "parts",
    [
        ("DEV008", "a.py", "f", "x", 0),
        ("DEV007", "b.py", "f", "x", 0),
        ("DEV007", "a.py", "g", "x", 0),
        ("DEV007", "a.py", "f", "y", 0),
        ("DEV007", "a.py", "f", "x", 1),
        ("DEV007", "a.py", "", "fx", 0),
        ("DEV007", "a.pyf", "", "x", 0),
    ],
)
def test_fingerprint_depends_on_each_part(parts: tuple[str, str, str, str, int]) -> None:
    assert fingerprint(*parts) != fingerprint("DEV007", "a.py", "f", "x", 0)


def test_identify_numbers_equals_in_source_order() -> None:
    found = identify([at(9), at(3), at(5, scope="f"), at(7)])
    assert [item.span.line for item in found] == [3, 5, 7, 9]
    assert [item.fingerprint for item in found] == [
        fingerprint("DEV007", "snippet.py", "", SYNC.anchor, 0),
        fingerprint("DEV007", "snippet.py", "f", SYNC.anchor, 0),
        fingerprint("DEV007", "snippet.py", "", SYNC.anchor, 1),
        fingerprint("DEV007", "snippet.py", "", SYNC.anchor, 2),
    ]


def test_identify_numbers_equals_of_one_line_by_column() -> None:
    text = "import torch\nx.cuda(); y.cuda()\n"
    found = findings(text, "DEV008")
    assert [item.span.column for item in found] == [1, 11]
    assert [item.fingerprint for item in found] == [
        fingerprint("DEV008", "snippet.py", "", ".cuda", number) for number in (0, 1)
    ]


def test_identify_ignores_what_does_not_identify() -> None:
    other = at(
        40, severity="blocker", guard="fallback", message="other", confidence="low", snippet="x"
    )
    assert identify([other])[0].fingerprint == identify([at(1)])[0].fingerprint


def test_identify_counts_guarded_findings() -> None:
    before = prints("""
    import torch
    torch.cuda.synchronize()
    torch.cuda.synchronize()
    """)
    after = prints("""
    import torch
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    torch.cuda.synchronize()
    """)
    assert before == after


def test_fingerprint_of_a_scope_is_the_qualified_name() -> None:
    text = """
    import torch
    class A:
        def f(self):
            def g():
                return [torch.cuda.synchronize() for _ in range(3)]
            return g
    """
    assert the(text, "DEV007").scope == "A.f.g"


@pytest.mark.parametrize(
    "text",
    [
        "import torch as th\ndef f(x):\n    th.cuda.synchronize()\n",
        "from torch import cuda\ndef f(x):\n    cuda.synchronize()\n",
        "from torch.cuda import synchronize as s\ndef f(x): s()\n",
        "import torch\n\n\n# why\ndef f(x):\n  '''doc'''\n  x = 1\n  torch.cuda.synchronize()\n",
        "import torch\ndef f(x):\n if torch.cuda.is_available():\n  torch.cuda.synchronize()\n",
        "import torch\ndef f(x):\n    return (torch\n      .cuda.synchronize(x,\n        y))\n",
        "import torch\ndef f(other, names): torch.cuda.synchronize(other)\n",
        "import torch\ndef g(): pass\ndef f(x): torch.cuda.synchronize()\n",
    ],
)
def test_fingerprint_survives_edits_around_it(text: str) -> None:
    scopes = ["", "f"] if "import synchronize" in text else ["f"]
    assert prints(text, "DEV007") == [
        fingerprint("DEV007", "snippet.py", scope, "torch.cuda.synchronize", 0) for scope in scopes
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import torch\ntorch.cuda.synchronize()\n",
        "import torch\ndef g(x): torch.cuda.synchronize()\n",
        "import torch\nclass A:\n    def f(x): torch.cuda.synchronize()\n",
    ],
)
def test_fingerprint_changes_with_the_scope(text: str) -> None:
    assert prints(text, "DEV007") != [
        fingerprint("DEV007", "snippet.py", "f", "torch.cuda.synchronize", 0)
    ]


def test_fingerprint_does_not_depend_on_the_target() -> None:
    text = "import torch\ntorch.cuda.synchronize()\nx = torch.zeros(3, device='cuda')\n"
    ours = [item.fingerprint for item in findings(text, "DEV007", "DST001")]
    xla = [item.fingerprint for item in findings(text, "DEV007", "DST001", target="xla")]
    assert ours == xla


def test_fingerprints_of_a_file_are_distinct() -> None:
    text = "import torch\n" + "x = torch.zeros(3, device='cuda').cuda()\n" * 20
    found = prints(text, "DST001", "DEV008")
    assert len(found) == len(set(found)) == 40


def test_context_ignores_white_space_only() -> None:
    assert context("f(a,  b)\n\t") == context("f(a, b)")
    assert context("f(a, b)") != context("f(b, a)")
    assert len(context("")) == 16
