"""Imports that bring a CUDA name: reported themselves, and as guarded as what is done with it."""

from __future__ import annotations

import pytest

from snippets import check, findings, the

# --- from torch.cuda import synchronize ----------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("from torch.cuda import synchronize", "DEV007"),
        ("from torch.cuda import synchronize as wait", "DEV007"),
        ("from torch.cuda.amp import autocast", "AMP001"),
        ("from torch.cuda.amp import GradScaler", "AMP003"),
        ("from torch.cuda import Stream", "STR001"),
        ("from torch.cuda import manual_seed_all", "RNG001"),
        ("from torch.cuda.nvtx import range_push", "PRF001"),
        ("from torch.utils.cpp_extension import CUDAExtension", "EXT001"),
    ],
)
def test_import_of_a_name_is_a_finding(statement: str, rule: str) -> None:
    finding = the(f"{statement}\n", rule)
    assert (finding.span.line, finding.guard) == (1, "none")


def test_import_of_a_name_is_a_finding_besides_its_uses() -> None:
    check("""
    from torch.cuda import synchronize, Stream as Queue  # expect: DEV007, STR001
    def step():
        synchronize()  # expect: DEV007
        return Queue()  # expect: STR001
    """)


def test_import_of_a_name_in_a_function() -> None:
    check("""
    def step():
        from torch.cuda import synchronize  # expect: DEV007
        synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    "statement",
    [
        "import torch.cuda",
        "import torch.cuda as tc",
        "from torch import cuda",
        "from torch.cuda import *",
        "from torch.cuda import is_available",
        "from torch.amp import autocast",
        "from torch import autocast",
        "from torch import device",
        "from torch.nn import Module",
        "from torch.utils.cpp_extension import CppExtension, BuildExtension",
        "from mylib.cuda import synchronize",
        "from numba import cuda",
        "from torch.xpu import synchronize",
        "from torch.accelerator import synchronize",
    ],
)
def test_import_of_a_name_that_only_looks_alike_is_silent(statement: str) -> None:
    assert not findings(f"{statement}\n", "AMP001", "DEV001", "DEV007", "DST001", "EXT001")


def test_import_of_a_name_of_the_tree_is_silent() -> None:
    check(
        {
            "ops/__init__.py": "",
            "ops/cuda.py": "def synchronize(): pass",
            "ops/net.py": "from .cuda import synchronize\nsynchronize()",
            "train.py": "from ops.cuda import synchronize\nsynchronize()",
        }
    )


def test_import_of_a_name_that_another_file_brought_is_that_file_s() -> None:
    check(
        {
            "ops.py": "from torch.cuda import synchronize  # expect: DEV007",
            "again.py": "from ops import synchronize",
            "train.py": "from again import synchronize as wait\nwait()  # expect: DEV007",
        }
    )


def test_import_of_a_name_that_is_only_called_harmlessly_is_silent() -> None:
    statement = "from torch.cuda.amp import GradScaler\n"
    assert not findings(f"{statement}scaler = GradScaler(enabled=False)\n", "AMP003")
    found = findings(f"{statement}scaler = GradScaler()\n", "AMP003")
    assert [item.span.line for item in found] == [1, 2]


# --- as guarded as its least guarded use ---------------------------------------------------------

GUARDED = "if torch.cuda.is_available():\n    synchronize()\n"


@pytest.mark.parametrize(
    ("uses", "guard"),
    [
        ("", "none"),
        ("def f():\n    synchronize()", "none"),
        (GUARDED, "guarded"),
        ("def f(x):\n    if not x.is_cuda:\n        return x\n    synchronize()", "fallback"),
        ("assert torch.cuda.is_available()\nsynchronize()", "hard-fail"),
        (f"{GUARDED}synchronize()", "none"),
        (f"{GUARDED}wait = synchronize", "none"),
        (f"{GUARDED}{GUARDED}else:\n    work()", "guarded"),
        (f"{GUARDED}{GUARDED}else:\n    raise OSError", "hard-fail"),
        ("if torch.cuda.is_available():\n    pass", "none"),
        ("if torch.cuda.is_available():\n    torch.rand(1)", "none"),
    ],
)
def test_import_of_a_name_is_as_guarded_as_its_least_guarded_use(uses: str, guard: str) -> None:
    found = findings(f"import torch\nfrom torch.cuda import synchronize\n{uses}\n", "DEV007")
    assert (found[0].span.line, found[0].guard) == (2, guard)
    assert found[0].effective_severity == ("info" if guard in {"guarded", "fallback"} else "minor")


def test_import_of_a_name_takes_its_proof_from_the_use() -> None:
    imported, used = findings(
        """
        import torch
        from torch.cuda import synchronize
        if torch.cuda.is_available():
            synchronize()
        """,
        "DEV007",
    )
    assert imported.guard_by is not None
    assert imported.guard_by == used.guard_by


def test_import_of_several_names_follows_each_its_own_uses() -> None:
    check("""
    import torch
    from torch.cuda import synchronize, Stream  # expect: DEV007 guard=guarded, STR001
    if torch.cuda.is_available():
        synchronize()  # expect: DEV007 guard=guarded
    stream = Stream()  # expect: STR001
    """)


def test_import_of_a_name_does_not_follow_another_spelling_s_namesake() -> None:
    check("""
    import torch
    from torch.cuda import synchronize  # expect: DEV007
    from mylib import synchronize as other
    if torch.cuda.is_available():
        other()
    """)


def test_import_of_a_name_is_not_as_guarded_as_uses_in_other_files() -> None:
    check(
        {
            "ops.py": "from torch.cuda import synchronize  # expect: DEV007",
            "train.py": """
        import torch
        from ops import synchronize
        if torch.cuda.is_available():
            synchronize()  # expect: DEV007 guard=guarded
        """,
        }
    )


def test_import_of_a_name_keeps_a_guard_of_its_own() -> None:
    check("""
    import torch
    if torch.cuda.is_available():
        from torch.cuda import synchronize  # expect: DEV007 guard=guarded
    def step():
        synchronize()  # expect: DEV007
    """)


def test_import_of_a_library_does_not_follow_its_uses() -> None:
    check("""
    import torch
    from flash_attn import flash_attn_func  # expect: FUS001
    if torch.cuda.is_available():
        flash_attn_func(1)  # expect: FUS001 guard=guarded
    """)


# --- helpers that import what is there -----------------------------------------------------------


@pytest.mark.parametrize(
    "helper",
    ["optional_import", "lazy_import", "safe_import", "try_import", "utils.optional_import"],
)
def test_optional_import_is_an_import_behind_a_guard(helper: str) -> None:
    check(f"""
    import utils
    from utils import lazy_import, optional_import, safe_import, try_import
    flash_attn = {helper}("flash_attn")  # expect: FUS001 guard=import-guarded
    def attend(q):
        return flash_attn.flash_attn_func(q)  # expect: FUS001
    """)


def test_optional_import_with_a_flag() -> None:
    check("""
    from monai.utils import optional_import
    fa, there = optional_import("flash_attn")  # expect: FUS001 guard=import-guarded
    def attend(q):
        if there:
            return fa.flash_attn_func(q)  # expect: FUS001 guard=fallback
        return q
    def attend_if_there(q):
        if there:
            fa.flash_attn_func(q)  # expect: FUS001 guard=guarded
    def attend_or_fail(q):
        if not there:  # expect: FUS001 guard=hard-fail
            raise RuntimeError("install flash-attn")
        return fa.flash_attn_func(q)  # expect: FUS001 guard=hard-fail
    def attend_when_missing(q):
        if not there:
            fa.flash_attn_func(q)  # expect: FUS001
    """)


def test_optional_import_of_a_member() -> None:
    check("""
    from monai.utils import optional_import
    attend, there = optional_import(
        "flash_attn", name="flash_attn_func"  # expect: FUS001 guard=import-guarded
    )
    def f(q):
        if there:
            attend(q)
    if not there:  # expect: FUS001 guard=hard-fail
        raise ImportError("install flash-attn")
    """)


def test_optional_import_in_a_guard_keeps_it() -> None:
    check("""
    import torch
    from utils import optional_import
    if torch.cuda.is_available():
        fa = optional_import("flash_attn")  # expect: FUS001 guard=guarded
    """)


@pytest.mark.parametrize(
    "call",
    [
        'optional_import("numpy")',
        'optional_import("yaml", name="safe_load")',
        'optional_import("flash")',
        "optional_import(name)",
        "optional_import()",
        'important("flash_attn")',
        'optional_imports("flash_attn")',
        'print("flash_attn")',
    ],
)
def test_optional_import_of_something_else_is_silent(call: str) -> None:
    check(f"""
    import torch
    from utils import important, optional_import, optional_imports
    it, there = {call}
    if there:
        it.flash_attn_func(1)
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_optional_import_of_a_package_of_the_tree_is_silent() -> None:
    check(
        {
            "flash_attn/__init__.py": "def flash_attn_func(q): return q",
            "train.py": """
        from utils import optional_import
        fa = optional_import("flash_attn")
        fa.flash_attn_func(1)
        """,
        }
    )


# --- the line of an import, and of a method ------------------------------------------------------


@pytest.mark.parametrize("close", ["", ","])
def test_import_over_several_lines_is_reported_where_it_begins(close: str) -> None:
    check(f"""
    from flash_attn import (  # expect: FUS001
        flash_attn_func{close}
    )
    """)


def test_import_of_a_library_in_a_try_is_reported_where_it_begins() -> None:
    check("""
    try:
        from flash_attn.flash_attn_interface import (  # expect: FUS001 guard=import-guarded
            flash_attn_func,
        )
    except ImportError:
        flash_attn_func = None
    """)


def test_import_of_a_name_over_several_lines_is_reported_where_it_begins() -> None:
    check("""
    from torch.cuda import (  # expect: DEV007, STR001
        synchronize,
        is_available,
        Stream,
    )
    """)


def test_method_behind_lines_of_its_object_is_reported_at_its_name() -> None:
    check("""
    import torch
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 3),
        torch.nn.ReLU(),
    ).cuda()  # expect: DEV008
    other = (
        torch.zeros(3)
        .cuda()  # expect: DEV008
        .float()
    )
    """)


def test_method_with_arguments_on_lines_below_is_reported_at_its_name() -> None:
    check("""
    import torch
    x = torch.zeros(3).cuda(  # expect: DEV008
        non_blocking=True,
    )
    y = torch.zeros(
        3
    ).cuda(  # expect: DEV008
        non_blocking=True,
    )
    """)


def test_span_of_a_method_begins_at_its_name_and_ends_with_the_call() -> None:
    found = the("import torch\nx = torch.zeros(\n    3\n).cuda(\n    0\n)\n", "DEV008")
    span = found.span
    assert (span.line, span.column, span.end_line, span.end_column) == (4, 3, 6, 2)
    assert found.snippet == ").cuda("


def test_span_of_a_method_on_one_line_begins_with_its_object() -> None:
    span = the("import torch\nx = torch.zeros(3).cuda()\n", "DEV008").span
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 5, 2, 26)


def test_import_line_of_several_names_is_as_guarded_as_the_least_guarded() -> None:
    check("""
    import torch
    from torch.cuda.amp import GradScaler, autocast  # expect: AMP001
    def f(x):
        scaler = GradScaler(enabled=False)
        with autocast():  # expect: AMP001
            return x
    """)


# --- modules that are given by a name ------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        'pytest.importorskip("torch")',
        'pytest.importorskip("torch", minversion="2.6")',
        'pytest.importorskip(modname="torch")',
        'importorskip("torch", reason="no torch")',
        'importlib.import_module("torch")',
        'import_module(name="torch")',
        '__import__("torch")',
    ],
)
def test_import_by_a_name_is_the_module(call: str) -> None:
    check(f"""
    import importlib
    import pytest
    from importlib import import_module
    from pytest import importorskip
    torch = {call}
    def test_wait(x):
        torch.cuda.synchronize()  # expect: DEV007
        x.cuda()  # expect: DEV008 confidence=medium
        return torch.zeros(3, device="cuda")  # expect: DST001
    """)


def test_import_by_a_name_of_a_submodule() -> None:
    check("""
    import pytest
    cuda = pytest.importorskip("torch.cuda")
    def test_wait():
        cuda.synchronize()  # expect: DEV007
    """)


def test_import_or_skip_guards_what_follows() -> None:
    check("""
    import pytest
    def test_early():
        import flash_attn  # expect: FUS001
    fa = pytest.importorskip("flash_attn")  # expect: FUS001 guard=import-guarded
    def test_attend(q):
        fa.flash_attn_func(q, q, q)  # expect: FUS001 guard=guarded
    """)


def test_import_or_skip_in_a_function_guards_its_rest() -> None:
    check("""
    import pytest
    def test_attend(q):
        pytest.importorskip("flash_attn")
        from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded
        flash_attn_func(q, q, q)  # expect: FUS001 guard=guarded
    def test_again():
        import flash_attn  # expect: FUS001
    """)


def test_import_or_skip_of_something_else_is_no_guard() -> None:
    check("""
    import pytest
    pytest.importorskip("numpy")
    import flash_attn  # expect: FUS001
    """)
