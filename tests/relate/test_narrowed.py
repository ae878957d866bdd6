"""A flag that is turned off where a library is missing: whoever asks it then asks for the library.

The first trees come to the library only behind such a flag, and have another way. In the others the
flag may be on without it, or there is no other way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent, indent

import pytest

from portaudit.types import Finding
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

COMPAT = """
    import torch

    backend = None
    try:
        from flash_attn.flash_attention import FlashMHA
        backend = "one"
    except ImportError:
        FlashMHA = None
        try:
            from flash_attn.modules.mha import MHA
            backend = "two"
        except ImportError:
            MHA = None
    there = backend is not None

    class Attention(torch.nn.Module):
        def forward(self, x):
            from flash_attn import flash_attn_func
            return flash_attn_func(x, x, x)
    """
NET = """
    import warnings
    import torch
    from compat import Attention, there

    class FastLayer(torch.nn.Module):
        def __init__(self, dim):
            super().__init__()
            self.attention = Attention()

        def forward(self, x):
            return self.attention(x)

    class Net(torch.nn.Module):
        def __init__(self, dim, fast=False, names=()):
            super().__init__()
    BEFORE
            self.fast = fast
    LAYER

        def forward(self, x):
            return self.layer(x)
    """
TRAIN = """
    import torch
    from net import Net

    def main():
        model = Net(8, fast=True)
        model(torch.zeros(3, 8)).sum().backward()

    if __name__ == "__main__":
        main()
    """
LAYERS = "class FlashMHA:\n    pass\n"
LAYER = """
if fast:
    self.layer = FastLayer(dim)
else:
    self.layer = torch.nn.Linear(dim, dim)
"""


WANTING = COMPAT.replace(
    "    class Attention(torch.nn.Module):\n",
    """    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            if not there:
                raise ImportError("this layer needs flash-attn")

""",
).replace(
    "            from flash_attn import flash_attn_func\n",
    """            if not there:
                raise ImportError("this layer needs flash-attn")
            from flash_attn import flash_attn_func
""",
)
"""The layer says itself that it needs the library."""


def calls(
    make_tree: MakeTree,
    before: str,
    layer: str = LAYER,
    compat: str = COMPAT,
    net: str = NET,
) -> list[Finding]:
    net = dedent(net)
    for mark, text in (("BEFORE", before), ("LAYER", layer)):
        net = net.replace(mark, indent(dedent(text).strip("\n"), " " * 8))
    files = {
        "layers.py": LAYERS,
        "train.py": dedent(TRAIN),
        "compat.py": dedent(compat),
        "net.py": net,
    }
    report = report_of(make_tree(files))
    return [each for each in report.findings if each.anchor == "flash_attn.flash_attn_func"]


TURNED_OFF = {
    "asked within": """
        if fast:
            if not there:
                warnings.warn("no flash-attn: plain attention instead")
                fast = False
        """,
    "asked together": """
        if fast and not there:
            fast = False
        """,
    "asked alone": """
        if not there:
            fast = None
        """,
    "in the other arm": """
        if there:
            print("flash-attn")
        else:
            fast = False
        """,
    "behind another question": """
        if dim > 8:
            print(dim)
        elif dim > 4 and fast:
            print(dim)
        if fast and not there:
            fast = False
        """,
    "one of two reasons": """
        if fast and (dim > 512 or not there):
            fast = False
        """,
    "two reasons": """
        if fast and not there:
            fast = False
        if fast and dim % 8:
            fast = False
        """,
    "set anew": "fast = fast and there",
    "set anew, then turned off": """
        fast = fast and there
        if dim % 8:
            fast = False
        """,
}


@pytest.mark.parametrize("before", TURNED_OFF.values(), ids=TURNED_OFF)
def test_a_flag_that_is_turned_off_asks_for_what_was_missing(
    make_tree: MakeTree, before: str
) -> None:
    found = calls(make_tree, before)
    assert found
    assert {each.guard for each in found} == {"fallback"}


def test_what_fails_by_itself_is_not_come_to_either(make_tree: MakeTree) -> None:
    found = calls(make_tree, TURNED_OFF["asked together"], compat=WANTING)
    assert found
    assert {each.guard for each in found} == {"fallback"}
    always = f"{LAYER}self.other = FastLayer(dim)\n"
    found = calls(make_tree, TURNED_OFF["asked together"], always, WANTING)
    assert {each.guard for each in found} == {"hard-fail"}


NAMESAKE = COMPAT.replace("import FlashMHA\n", "import FlashMHA as _FlashMHA\n").replace(
    "class Attention(", "class FlashMHA("
)
"""The layer is called like the library's class, which has another name here."""


@pytest.mark.parametrize(
    ("library", "guard"), [("flash_attn.flash_attention", "fallback"), ("layers", "none")]
)
def test_a_class_of_a_library_is_no_namesake(make_tree: MakeTree, library: str, guard: str) -> None:
    """One of the tree would be."""
    net = NET.replace("import Attention,", "import FlashMHA,").replace(
        "= Attention(", "= FlashMHA("
    )
    compat = NAMESAKE.replace("flash_attn.flash_attention", library)
    found = calls(make_tree, TURNED_OFF["asked together"], LAYER, compat, net)
    assert found
    assert {each.guard for each in found} == {guard}


MAYBE_ON = {
    "only a warning": """
        if fast and not there:
            warnings.warn("no flash-attn")
        """,
    "another name": """
        if not there:
            slow = False
        """,
    "not in any case": """
        if not there and dim > 512:
            fast = False
        """,
    "in a loop": """
        for name in names:
            if not there:
                fast = False
        """,
    "in an attempt": """
        try:
            dim = int(dim)
            if not there:
                fast = False
        except ValueError:
            print(dim)
        """,
    "set again": """
        if fast and not there:
            fast = False
        fast = len(names) > 2
        """,
    "set again in some case": """
        if fast and not there:
            fast = False
        if dim > 512:
            fast = True
        """,
    "set again by a loop": """
        if fast and not there:
            fast = False
        for fast in names:
            print(fast)
        """,
    "changed in its place": """
        if fast and not there:
            fast = False
        fast |= dim > 512
        """,
    "changed within": """
        if fast and not there:
            fast = False
        def force():
            nonlocal fast
            fast = True
        force()
        """,
    "turned on": """
        if not there:
            fast = True
        """,
    "one of two ways": "fast = fast or there",
    "the other way round": """
        if there:
            fast = False
        """,
}


@pytest.mark.parametrize("before", MAYBE_ON.values(), ids=MAYBE_ON)
def test_a_flag_that_may_be_on_all_the_same_asks_for_nothing(
    make_tree: MakeTree, before: str
) -> None:
    found = calls(make_tree, before)
    assert found
    assert {each.guard for each in found} == {"none"}


NO_OTHER_WAY = {
    "it is asked too early": """
        if fast:
            self.layer = FastLayer(dim)
        else:
            self.layer = torch.nn.Linear(dim, dim)
        if fast and not there:
            fast = False
        """,
    "the other way is an error": """
        if fast and not there:
            fast = False
        if fast:
            self.layer = FastLayer(dim)
        else:
            raise RuntimeError("this needs flash-attn")
        """,
    "something else makes one as well": """
        if fast and not there:
            fast = False
        if fast:
            self.layer = FastLayer(dim)
        else:
            self.layer = torch.nn.Linear(dim, dim)
        self.other = FastLayer(dim)
        """,
    "what was kept of it before": """
        kept = fast
        if fast and not there:
            fast = False
        if kept:
            self.layer = FastLayer(dim)
        else:
            self.layer = torch.nn.Linear(dim, dim)
        """,
}


@pytest.mark.parametrize("layer", NO_OTHER_WAY.values(), ids=NO_OTHER_WAY)
def test_what_is_made_anyway_is_needed(make_tree: MakeTree, layer: str) -> None:
    found = calls(make_tree, "dim = int(dim)", layer)
    assert found
    assert {each.guard for each in found} == {"none"}
