"""What a name means: aliases, imports, re-exports, and names that only look alike."""

from __future__ import annotations

import pytest

from snippets import check, findings, scan

# --- aliases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("binding", "call"),
    [
        ("import torch", "torch.cuda.synchronize()"),
        ("import torch as th", "th.cuda.synchronize()"),
        ("import torch.cuda", "torch.cuda.synchronize()"),
        ("import torch.cuda as tc", "tc.synchronize()"),
        ("import torch.nn", "torch.cuda.synchronize()"),
        ("from torch import cuda", "cuda.synchronize()"),
        ("from torch import cuda as c", "c.synchronize()"),
        ("from torch.cuda import synchronize", "synchronize()"),
        ("from torch.cuda import synchronize as wait", "wait()"),
        ("from torch import (nn, cuda as c)", "c.synchronize()"),
        ("import os, torch as th", "th.cuda.synchronize()"),
        ("import torch; c = torch.cuda", "c.synchronize()"),
        ("import torch; t = torch; c = t.cuda", "c.synchronize()"),
        ("import torch; a = b = torch.cuda", "b.synchronize()"),
        ("import torch; a, c = 1, torch.cuda", "c.synchronize()"),
        ("import torch; c: object = torch.cuda", "c.synchronize()"),
        ("import torch", 'getattr(torch, "cuda").synchronize()'),
        ("import torch", 'getattr(torch.cuda, "synchronize")()'),
        ('import torch; c = getattr(torch, "cuda")', "c.synchronize()"),
        ('import torch; c = getattr(torch, "cuda", None)', "c.synchronize()"),
        ("import torch", "(c := torch.cuda).synchronize()"),
        ('import importlib; t = importlib.import_module("torch")', "t.cuda.synchronize()"),
        ('from importlib import import_module; t = import_module("torch")', "t.cuda.synchronize()"),
        ('t = __import__("torch")', "t.cuda.synchronize()"),
        ("import torch; c = torch.cuda if ready else torch.xpu", "c.synchronize()"),
        ("import torch", "(torch\n    .cuda\n    .synchronize())"),
    ],
)
def test_name_through_an_alias(binding: str, call: str) -> None:
    found = findings(f"{binding}\n{call}\n", "DEV007")
    assert len(found) == (2 if "import synchronize" in binding else 1), "the import is one too"
    assert found[-1].span.line > 1
    for finding in found:
        assert finding.anchor == "torch.cuda.synchronize"
        assert (finding.guard, finding.confidence) == ("none", "high")


def test_name_through_an_import_in_a_function() -> None:
    check("""
    def f():
        import torch as th
        th.cuda.synchronize()  # expect: DEV007
        def inner():
            th.cuda.synchronize()  # expect: DEV007
        return inner
    def g(th):
        th.cuda.synchronize()
    """)


def test_name_through_a_conditional_import() -> None:
    check("""
    try:
        import torch
        from torch import cuda
    except ImportError:
        torch = cuda = None
    if some_condition:
        from torch.cuda.amp import autocast as ac  # expect: AMP001
    else:
        from contextlib import nullcontext as ac
    def f():
        cuda.synchronize()  # expect: DEV007
        with ac():  # expect: AMP001
            pass
    """)


def test_name_through_an_attribute_of_self() -> None:
    check("""
    import torch
    class A:
        def __init__(self):
            self.torch = torch
            self.c = torch.cuda
        def f(self):
            self.torch.cuda.synchronize()  # expect: DEV007
            self.c.synchronize()  # expect: DEV007
    """)


def test_name_through_a_class_attribute_and_a_base() -> None:
    check("""
    import torch
    class Base:
        c = torch.cuda
    class Child(Base):
        def f(self):
            self.c.synchronize()  # expect: DEV007
    Child.c.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    "use",
    [
        "with autocast():",
        "with autocast(enabled=True) as a:",
        "with open(x) as a, autocast():",
        "if stack.enter_context(autocast()):",
        "async def f(): pass\n@autocast()\ndef g():",
        "@autocast\ndef g():",
        "@ac.autocast(True)\ndef g():",
    ],
)
def test_name_as_a_context_manager_or_decorator(use: str) -> None:
    found = findings(
        f"import torch.cuda.amp as ac\nfrom torch.cuda.amp import autocast\n{use}\n    pass\n",
        "AMP001",
    )
    imports = ["torch.cuda.amp", "torch.cuda.amp.autocast"]
    assert [item.anchor for item in found] == [*imports, "torch.cuda.amp.autocast"]


def test_name_in_an_exit_stack() -> None:
    check("""
    import contextlib
    import torch
    def f(s):
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.cuda.stream(s))  # expect: STR001
    """)


def test_name_in_a_partial() -> None:
    check("""
    import functools
    from functools import partial as bind
    from flash_attn import flash_attn_func  # expect: FUS001
    import flash_attn as fa  # expect: FUS001
    attend = functools.partial(flash_attn_func, causal=True)  # expect: FUS001
    again = bind(fa.flash_attn_func)  # expect: FUS001
    attend(1)
    """)


def test_name_handed_on_is_reported_where_it_is_spelled() -> None:
    check("""
    import torch
    wait = torch.cuda.synchronize  # expect: DEV007
    waits = [torch.cuda.synchronize]  # expect: DEV007
    run(torch.cuda.synchronize)  # expect: DEV007
    wait()
    waits[0]()
    """)


def test_name_is_reported_once_where_several_patterns_fit() -> None:
    found = findings("import torch\nx = torch.zeros(3).to(torch.device('cuda'))\n")
    assert [item.rule for item in found] == ["DST001"]


# --- imports of the tree -------------------------------------------------------------------------


def test_name_re_exported_through_three_modules() -> None:
    check(
        {
            "pkg/__init__.py": "from .api import wait",
            "pkg/api.py": "from pkg.deep.ops import wait_for as wait",
            "pkg/deep/__init__.py": "",
            "pkg/deep/ops.py": "from torch.cuda import synchronize as wait_for  # expect: DEV007",
            "train.py": """
        import pkg
        from pkg import wait
        from pkg.api import wait as again
        wait()  # expect: DEV007
        pkg.wait()  # expect: DEV007
        again()  # expect: DEV007
        """,
        }
    )


def test_name_re_exported_with_a_module_alias() -> None:
    check(
        {
            "compat.py": "import torch as th\nfrom torch import cuda\n",
            "train.py": """
        from compat import cuda, th
        import compat
        cuda.synchronize()  # expect: DEV007
        th.cuda.synchronize()  # expect: DEV007
        compat.th.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pkg/model/net.py", "from ..ops import wait\nwait()  # expect: DEV007"),
        ("pkg/model/net.py", "from .. import ops\nops.wait()  # expect: DEV007"),
        ("pkg/model/net.py", "from ..ops import wait as w\nw()  # expect: DEV007"),
        ("pkg/model/__init__.py", "from ..ops import wait\nwait()  # expect: DEV007"),
        ("pkg/net.py", "from .ops import wait\nwait()  # expect: DEV007"),
        ("pkg/net.py", "from . import ops as o\no.wait()  # expect: DEV007"),
        ("pkg/net.py", "import pkg.ops\npkg.ops.wait()  # expect: DEV007"),
        ("pkg/net.py", "import pkg.ops as o\no.wait()  # expect: DEV007"),
        ("pkg/net.py", "from .nothing import wait\nwait()"),
        ("pkg/net.py", "from ...ops import wait\nwait()"),
        ("pkg/net.py", "from .ops import other\nother()"),
    ],
)
def test_name_through_relative_imports(path: str, text: str) -> None:
    check(
        {
            "pkg/__init__.py": "",
            "pkg/model/__init__.py": "",
            "pkg/ops.py": """
        from torch.cuda import synchronize as wait  # expect: DEV007
        def other(): pass
        """,
            path: text,
        }
    )


def test_name_through_star_imports_of_the_tree() -> None:
    check(
        {
            "pkg/__init__.py": "from .ops import *",
            "pkg/ops.py": "from .low import *\nfrom torch import cuda",
            "pkg/low.py": "from torch.cuda import synchronize  # expect: DEV007 confidence=high",
            "train.py": """
        from pkg import *
        synchronize()  # expect: DEV007 confidence=high
        cuda.synchronize()  # expect: DEV007
        """,
        }
    )


def test_name_through_a_star_import_of_a_library_is_less_sure() -> None:
    check("""
    from torch.cuda import *
    synchronize()  # expect: DEV007 confidence=medium
    """)
    check("""
    from torch import *
    cuda.synchronize()  # expect: DEV007 confidence=medium
    """)


def test_name_defined_here_is_not_that_of_a_star_import() -> None:
    check("""
    from torch.cuda import *
    def synchronize():
        pass
    synchronize()
    """)


def test_name_wrapped_in_a_function_of_the_tree_is_not_the_name() -> None:
    check(
        {
            "ops.py": """
        import torch
        def wait():
            torch.cuda.synchronize()  # expect: DEV007
        """,
            "train.py": """
        from ops import wait
        wait()
        """,
        }
    )


def test_name_in_a_cycle_of_imports_terminates() -> None:
    check(
        {
            "a.py": "from b import x\nfrom b import wait\nx()\nwait()  # expect: DEV007",
            "b.py": "from c import x\nfrom c import wait\nx()",
            "c.py": """
        from a import x
        from torch.cuda import synchronize as wait  # expect: DEV007
        x()
        """,
        }
    )


def test_name_in_a_cycle_of_stars_terminates() -> None:
    check(
        {
            "pkg/__init__.py": "from .a import *",
            "pkg/a.py": "from .b import *\nfrom . import *",
            "pkg/b.py": "from .a import *\nfrom torch.cuda import synchronize  # expect: DEV007",
            "train.py": "from pkg import *\nsynchronize()  # expect: DEV007\nnothing()",
        }
    )


def test_name_of_a_module_that_imports_itself_terminates() -> None:
    check({"pkg/__init__.py": "from pkg import x\nfrom . import y\nx()\ny.z()\n"})


# --- what only looks alike -----------------------------------------------------------------------


def test_vendored_package_is_not_the_library() -> None:
    check(
        {
            "flash_attn/__init__.py": "def flash_attn_func(q): return q",
            "train.py": """
        import flash_attn
        from flash_attn import flash_attn_func
        flash_attn.flash_attn_func(1)
        """,
        }
    )


@pytest.mark.parametrize("library", ["apex", "triton", "flash_attn", "deepspeed", "xformers"])
def test_vendored_package_of_the_tree_is_silent(library: str) -> None:
    assert not findings(
        {
            f"{library}/__init__.py": "from .ops import fast",
            f"{library}/ops.py": "def fast(): pass",
            "train.py": f"import {library}\nfrom {library} import fast\n{library}.fast()\nfast()",
        }
    )
    assert findings({"train.py": f"import {library}\n{library}.fast()"})


def test_vendored_relative_module_is_not_the_library() -> None:
    check(
        {
            "pkg/__init__.py": "",
            "pkg/flash_attn.py": "def flash_attn_func(q): return q",
            "pkg/net.py": """
        from .flash_attn import flash_attn_func
        from . import flash_attn
        flash_attn_func(1)
        flash_attn.flash_attn_func(1)
        """,
        }
    )


def test_vendored_package_that_re_exports_the_library_is_the_library() -> None:
    check(
        {
            "pkg/__init__.py": "",
            "pkg/flash_attn.py": "from flash_attn import flash_attn_func  # expect: FUS001",
            "train.py": "from pkg.flash_attn import flash_attn_func as f\nf(1)  # expect: FUS001",
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        "from numba import cuda\ncuda.synchronize()",
        "import cupy\ncupy.cuda.synchronize()",
        "import mylib\nmylib.cuda.synchronize()",
        "import torch\nfrom mylib import cuda\ncuda.synchronize()",
        "import torch\ndef f(torch): torch.cuda.synchronize()",
        "import torch\ndef f(*torch): torch.cuda.synchronize()",
        "import torch\ndef f(**torch): torch.cuda.synchronize()",
        "import torch\nf = lambda torch: torch.cuda.synchronize()",
        "import torch\nclass cuda:\n  @staticmethod\n  def synchronize(): pass\ncuda.synchronize()",
        "import torch\ndef f():\n    torch = Fake()\n    torch.cuda.synchronize()",
        "import torch\n[torch.cuda.synchronize() for torch in fakes]",
        "import torch\ndef f():\n    for torch in fakes: torch.cuda.synchronize()",
        "import torch\ndef f():\n    with fake() as torch: torch.cuda.synchronize()",
        "import torch\ndef f():\n    try: pass\n    except E as torch: torch.cuda.synchronize()",
        "import torch\ndef f(x):\n    match x:\n        case torch: torch.cuda.synchronize()",
        "import torch\ndef f():\n    import fake as torch\n    torch.cuda.synchronize()",
        "from torch import cuda\ndef f():\n    cuda = 1\n    cuda.synchronize()",
        "def f():\n    import torch\ntorch.cuda.synchronize()",
        "class A:\n    import torch\ntorch.cuda.synchronize()",
        "class A:\n    import torch\n    def f(self): torch.cuda.synchronize()",
        "torch.cuda.synchronize()",
        "import torchx as torch\ntorch.cuda.synchronize()",
        "import torch\ntorch.cudax.synchronize()\ntorch.cuda.synchronizer()",
        "import torch\ntorch.x.cuda.synchronize()",
        'import torch\nx = "torch.cuda.synchronize()"  # torch.cuda.synchronize()',
    ],
)
def test_shadowed_name_is_silent(text: str) -> None:
    assert not findings(text, "DEV007")


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    torch.cuda.synchronize()\nimport torch",
        "class A:\n    torch = 1\n    def f(self): torch.cuda.synchronize()\nimport torch",
        "import torch\nx = [torch for torch in y]\ntorch.cuda.synchronize()",
        "import torch\ndef f(torch): pass\ntorch.cuda.synchronize()",
        "def load():\n    global torch\n    import torch\ntorch.cuda.synchronize()",
        "def load():\n    global c\n    from torch import cuda as c\ndef f(): c.synchronize()",
        "def f():\n import torch\n def g():\n  nonlocal torch\n  torch.cuda.synchronize()",
        "import torch\nclass A:\n    def torch(self): torch.cuda.synchronize()",
        "import torch\nclass A:\n    c = torch.cuda\n    c.synchronize()",
        "import torch\ndel x\ntorch.cuda.synchronize()",
        "import torch\ndef f(wait=torch.cuda.synchronize()): pass",
        "import torch\n@decorate(torch.cuda.synchronize())\ndef f(): pass",
        "import torch\nclass A(make(torch.cuda.synchronize())): pass",
        "import torch\nx = {torch.cuda.synchronize(): 1}[torch.x]",
        "import torch\nx = f'{torch.cuda.synchronize()!r:>{10}}'",
        "import torch\nx = f'{f\"{torch.cuda.synchronize()}\"}'",
        "import torch\nasync def f(): await torch.cuda.synchronize()",
        "import torch\ndef f(): yield torch.cuda.synchronize()",
        "import torch\nx[torch.cuda.synchronize():] = 1",
        "import torch\nx = -torch.cuda.synchronize()",
        "import torch\nx = (1, *torch.cuda.synchronize())",
        "import torch\nf(**torch.cuda.synchronize())",
        "import torch\nassert x, torch.cuda.synchronize()",
        "import torch\ndel x[torch.cuda.synchronize()]",
        "import torch\nx += torch.cuda.synchronize()",
        "import torch\nx: int = torch.cuda.synchronize()",
        "import torch\nlambda x=torch.cuda.synchronize(): x",
    ],
)
def test_name_is_found_wherever_it_is_evaluated(text: str) -> None:
    assert len(findings(text, "DEV007")) == 1


def test_name_that_was_deleted_is_silent() -> None:
    check("""
    import torch
    def f():
        torch = None
        del torch
    torch.cuda.synchronize()  # expect: DEV007
    """)


def test_name_in_a_raise_is_part_of_the_complaint() -> None:
    check("""
    import torch
    raise RuntimeError(torch.cuda.synchronize())
    """)


def test_import_by_name_is_an_import() -> None:
    check("""
    import importlib
    fa = importlib.import_module("flash_attn")  # expect: FUS001
    fa.flash_attn_func(1)  # expect: FUS001
    """)
    check("""
    import importlib
    other = importlib.import_module("flash")
    other.flash_attn_func(1)
    third = importlib.import_module(name)
    third.flash_attn_func(1)
    """)


# --- methods -------------------------------------------------------------------------------------


def test_method_of_an_unresolved_value_needs_a_file_that_works_with_torch() -> None:
    check("""
    import torch
    def f(x):
        x.cuda()  # expect: DEV008 confidence=medium
    """)
    check("""
    def f(x):
        x.cuda()
    """)
    check("""
    import numpy
    def f(x):
        x.cuda()
    """)


def test_method_of_a_torch_object_is_certain() -> None:
    check("""
    import torch
    from torch import nn
    x = torch.zeros(3)
    torch.zeros(3).cuda()  # expect: DEV008 confidence=high
    x.cuda()  # expect: DEV008 confidence=high
    nn.Linear(2, 2).cuda()  # expect: DEV008 confidence=high
    """)


def test_method_of_a_class_of_the_file_is_certain() -> None:
    check("""
    import torch
    class Net(torch.nn.Module):
        def go(self):
            return self.cuda()  # expect: DEV008 confidence=high
    net = Net()
    net.cuda()  # expect: DEV008 confidence=high
    """)


def test_method_that_a_class_of_the_file_defines_is_its_own() -> None:
    check("""
    import torch
    class Batch:
        def cuda(self):
            return self
    Batch().cuda()
    """)


def test_method_of_a_module_or_a_foreign_object_is_silent() -> None:
    check("""
    import torch
    import toolbox
    import numpy as np
    toolbox.cuda()
    np.zeros(3).cuda()
    """)


def test_method_in_a_file_that_works_with_the_tree_only_is_unsure() -> None:
    check(
        {
            "model.py": "import torch",
            "train.py": """
        import model
        def f(batch):
            batch.cuda()  # expect: DEV008 confidence=low
        """,
        }
    )


def test_method_that_is_not_called_is_silent() -> None:
    check("""
    import torch
    def f(x):
        return x.cuda
    """)


# --- speed of the binder -------------------------------------------------------------------------


def test_binder_is_quick_on_reassigned_names() -> None:
    lines = ["import torch", "x0 = torch.cuda"]
    lines += [f"x{i} = x{i - 1} if y else x{i // 2}" for i in range(1, 300)]
    lines += [f"x{i} = x{(i * 7) % 300}" for i in range(300)]
    scan("\n".join([*lines, "x299.synchronize()"]))


def test_binder_is_quick_on_mutual_calls() -> None:
    lines = ["import torch"]
    lines += [
        f"def f{i}(): return f{(i + 1) % 60}() if y else f{(i * 3) % 60}()" for i in range(60)
    ]
    scan("\n".join([*lines, "if f0(): torch.cuda.synchronize()", "f0().cuda.synchronize()"]))


@pytest.mark.parametrize(
    ("callee", "guard"),
    [
        ("(FusedAdam if fused else Adam)", "none"),
        ("(Adam if fused else FusedAdam)", "none"),
        ("(given or FusedAdam)", "none"),
        ("(Adam if fused else FusedAdam if given else SGD)", "none"),
        ("(FusedAdam if torch.cuda.is_available() else Adam)", "fallback"),
        ("(SGD if fused else Adam)", ""),
        ("(Adam if FusedAdam else SGD)", ""),
    ],
)
def test_each_arm_of_what_is_called_is_called(callee: str, guard: str) -> None:
    source = f"""
import torch
from torch.optim import SGD, Adam
from apex.optimizers import FusedAdam

def make(net, fused, given):
    return {callee}(net.parameters())
"""
    found = [item for item in findings(source) if item.rule == "FUS011" and item.scope]
    assert [item.guard for item in found] == ([guard] if guard else [])
