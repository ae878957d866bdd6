"""The work for one file grows as the file does, whatever it has many of.

Calls of functions are counted, which does not depend on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from portaudit.scan import scan_file
from portaudit.types import SourceFile
from snippets import catalogue

_FEW = 150
_AT_MOST = 2.6
"""Times the work for twice as much: some parts of a scan are a little more than linear."""


def _many(piece: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """A file with a piece of code many times, in which `#` is the number and `%` the one before."""

    def text(count: int) -> str:
        pieces = (piece.replace("#", str(at)).replace("%", str(at - 1)) for at in range(count))
        return f"import torch\n{before}{''.join(pieces)}{after}"

    return text


_FUNCTION = "def f(kind, x):\n"
FILES = {
    "a chain of elif": _many(
        "    elif kind == #:\n        return x.cuda() + #\n",
        f"{_FUNCTION}    if kind is None:\n        return x\n",
    ),
    "a chain of elif that ask for devices": _many(
        "    elif kind == 'cuda:#':\n        return x.cuda() + #\n",
        f"{_FUNCTION}    if kind is None:\n        return x\n",
    ),
    "settings of one call, a line each": _many(
        "    use_kind_#=#,\n", "torch.cuda.synchronize()\ncfg = dict(\n", ")\n"
    ),
    "early returns": _many("    if kind == #:\n        return x.cuda() + #\n", _FUNCTION),
    "early returns where CUDA is": _many(
        "    if x.is_cuda and kind == #:\n        return x.cuda() + #\n", _FUNCTION
    ),
    "early returns where CUDA is not": _many(
        "    if not torch.cuda.is_available():\n        return x\n    x.cuda()\n", _FUNCTION
    ),
    "errors where CUDA is not": _many(
        "    if not torch.cuda.is_available():\n        raise RuntimeError\n    x.cuda()\n",
        _FUNCTION,
    ),
    "assertions": _many("    assert kind != #\n    x.cuda(#)\n", _FUNCTION),
    "conditional calls": _many(
        "    if torch.cuda.is_available():\n        g(x)\n",
        f"def g(x):\n    return x.cuda()\n{_FUNCTION}",
    ),
    "functions with a check of their own": _many(
        "def f#(x):\n    ok = torch.cuda.is_available()\n    if ok:\n        return x.cuda()\n"
    ),
    "functions that end by one another": _many(
        "def f#(x):\n    return f%(x)\n",
        after="def f0(x):\n    raise RuntimeError\nx.cuda()\n",
    ),
    "classes derived from one another": _many(
        "class C#(C%):\n    def forward(self, x):\n        self.m = x.cuda()\n"
        "        if self.m is None:\n            return x\n",
    ),
    "arguments of one call": _many("    a#=torch.zeros(1).cuda(),\n", "f(\n", ")\n"),
    "entries of one table": _many(
        "    'k#': torch.zeros(1, device='cuda:#'),\n", "TABLE = {\n", "}\n"
    ),
    "words of one list": _many("'word',", "x.cuda()\nwords = [", "]\n"),
    "a name bound to itself": _many("a = a\n", "x.cuda()\n"),
    "optional imports": _many(
        "try:\n    import flash_attn as m#\nexcept ImportError:\n    m# = None\n"
        "if m#:\n    m#.flash_attn_func(1)\n"
    ),
    "devices as defaults": _many("D# = 'cuda:#'\ndef q#(x, d=D#):\n    return x.to(d)\n"),
    "kernels": _many(
        "@triton.jit\ndef k#(p):\n    tl.store(p, #)\ndef r#(x):\n    k#[(1,)](x)\n",
        "import triton\nimport triton.language as tl\n",
    ),
}


def _calls(text: str) -> int:
    """The calls that a scan makes."""
    made = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal made
        made += event == "call"

    source = SourceFile("a.py", "python", text.encode())
    rules = catalogue()
    sys.setprofile(count)
    try:
        result = scan_file(source, rules, "torchneuron")
    finally:
        sys.setprofile(None)
    assert not result.errors
    assert result.findings
    return made


@pytest.mark.parametrize("name", FILES)
def test_twice_as_much_code_is_about_twice_the_work(name: str) -> None:
    _calls(FILES[name](2))  # what is made once for all files
    once, twice = (_calls(FILES[name](count)) for count in (_FEW, 2 * _FEW))
    assert twice < _AT_MOST * once
