"""Whole trees whose fast code is behind a test for CUDA, some of them not everywhere.

The first ones come to it only through blocks that ask for CUDA: then the guard of those blocks is
that of all behind them. In the others something else leads there too, and it must not pass for
guarded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit import config, engine
from portaudit.config import Options
from portaudit.types import Finding, GuardState

MakeTree = Callable[[Mapping[str, str]], Path]

KERNEL = """
#include <torch/extension.h>

__global__ void scale_rows_kernel(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2.f;
}

torch::Tensor scale_rows(torch::Tensor x) {
  scale_rows_kernel<<<1, 64>>>(x.data_ptr<float>(), x.numel());
  return x;
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("scale_rows", &scale_rows); }
"""
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension

setup(
    name="ops",
    ext_modules=[CUDAExtension("ops_C", ["csrc/scale.cu"])],
    cmdclass={"build_ext": BuildExtension},
)
"""
TRAIN = """
import torch
import ops

def main():
    model = torch.nn.Linear(3, 3)
    loss = ops.scale(model(torch.zeros(3, 3))).sum()
    loss.backward()

if __name__ == "__main__":
    main()
"""
FAST = """
import torch

def _load():
    global _plugin
    import ops_C as _plugin
    return True

def _fast(x):
    import flash_attn
    import ops_C
    return ops_C.scale_rows(flash_attn.flash_attn_func(x, x, x))

def _plain(x):
    return x * 2
"""


def tree(ops: str, train: str = TRAIN, fast: str = FAST, **files: str) -> dict[str, str]:
    """A program that trains with `ops.scale`, whose file begins with a fast and a plain way."""
    others = {name.replace("__", "/") + ".py": text for name, text in files.items()}
    return {
        "train.py": train,
        "ops.py": f"{fast}\n{dedent(ops)}",
        "csrc/scale.cu": KERNEL,
        "setup.py": SETUP,
        **{name: dedent(text) for name, text in others.items()},
    }


PLAIN_WAY = {
    "one line": "def scale(x):\n    return _fast(x) if x.is_cuda else _plain(x)",
    "a block that leaves": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return _plain(x)
        """,
    "the other way first": """
        def scale(x):
            if not x.is_cuda:
                return _plain(x)
            return _fast(x)
        """,
    "the device by its name": """
        def scale(x):
            if x.device.type == "cuda" and _load():
                return _fast(x)
            return _plain(x)
        """,
    "two functions deep": """
        def _middle(x):
            y = _fast(x)
            return _fast(y)

        def scale(x):
            if x.is_cuda:
                x = _middle(x)
            else:
                x = _plain(x)
            return x
        """,
    "a function of autograd": """
        class Scale(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return _fast(x)

            @staticmethod
            def backward(ctx, y):
                return _fast(y)

        def scale(x):
            if torch.cuda.is_available():
                return Scale.apply(x)
            return _plain(x)
        """,
    "in a method": """
        class Norm(torch.nn.Module):
            def forward(self, x):
                if x.is_cuda:
                    return _fast(x)
                return _plain(x)

        scale = Norm()
        """,
}
"""All of it with another way."""

NEEDED = {
    "no other way": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            raise RuntimeError("needs CUDA")
        """,
    "called besides": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return _plain(x)

        def more(x):
            return _fast(x)

        torch.relu(more(torch.zeros(3)))
        """,
    "called later in the same function": """
        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            else:
                x = _plain(x)
            return _fast(x)
        """,
    "both ways": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return _fast(x.float())
        """,
    "kept under another name": """
        run = _fast

        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return run(x)
        """,
    "in a table": """
        WAYS = {"fast": _fast, "plain": _plain}

        def scale(x, way="fast"):
            if x.is_cuda:
                return _fast(x)
            return WAYS[way](x)
        """,
    "by a string": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return globals()["_fast"](x)
        """,
    "by a name that is put together": """
        def scale(x, way="fast"):
            if x.is_cuda:
                return _fast(x)
            return globals()["_" + way](x)
        """,
    "in a method that others call": """
        class Norm(torch.nn.Module):
            def run(self, x):
                return _fast(x)

            def forward(self, x):
                if x.is_cuda:
                    return _fast(x)
                return self.run(x)

        scale = Norm()
        """,
    "forced as well": """
        import os

        FORCE = bool(os.environ.get("FORCE_FAST"))

        def scale(x):
            if x.is_cuda or FORCE:
                return _fast(x)
            return _plain(x)
        """,
    "another test": """
        def scale(x):
            if x.dim() == 2 and x.is_contiguous():
                return _fast(x)
            return _plain(x)
        """,
    "not on the CPU": """
        def scale(x):
            if x.device.type != "cpu":
                return _fast(x)
            return _plain(x)
        """,
    "where there is no CUDA": """
        def scale(x):
            if x.is_cuda:
                return _plain(x)
            return _fast(x)
        """,
    "before the test": """
        def scale(x):
            if _fast(x).is_cuda and x.is_cuda:
                return x
            return _plain(x)
        """,
    "the first part of a test": """
        def scale(x):
            if _fast(x).sum() and x.is_cuda:
                return x
            return _plain(x)
        """,
    "by a decorator": """
        def register(f):
            scale.way = f
            return f

        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return scale.way(x)

        register(_fast)
        """,
    "a base of what is made": """
        class Fast(torch.nn.Module):
            def forward(self, x):
                return _fast(x)

        class Other(Fast):
            pass

        def scale(x):
            if x.is_cuda:
                return Fast()(x)
            return Other()(x)
        """,
    "by a default": """
        def scale(x, way=_fast):
            if x.is_cuda:
                return _fast(x)
            return way(x)
        """,
    "by another program's import": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return _plain(x)

        from more import work
        work(torch.zeros(3))
        """,
}


def found(root: Path) -> list[Finding]:
    """What speaks of the fast code: the library and the kernel."""
    report = engine.scan(config.load([root], Options(cache=False), cwd=root))
    return [
        item
        for item in report.findings
        if item.scope.rpartition(".")[2] == "_fast" or item.category == "cuda-source"
    ]


def states(findings: list[Finding]) -> dict[str, set[GuardState]]:
    told: dict[str, set[GuardState]] = {}
    for item in findings:
        told.setdefault(item.path, set()).add(item.guard)
    return told


@pytest.mark.parametrize("case", PLAIN_WAY)
def test_what_a_test_for_cuda_leads_to_has_another_way(make_tree: MakeTree, case: str) -> None:
    marked = found(make_tree(tree(PLAIN_WAY[case])))
    assert {item.reach for item in marked} == {"main"}
    assert states(marked) == {"ops.py": {"fallback"}, "csrc/scale.cu": {"fallback"}}
    assert {item.guard_by.path for item in marked if item.guard_by} == {"ops.py"}


@pytest.mark.parametrize("case", NEEDED)
def test_what_something_else_leads_to_is_needed(make_tree: MakeTree, case: str) -> None:
    more = "from ops import _fast\n\ndef work(x):\n    return _fast(x)\n"
    marked = found(make_tree(tree(NEEDED[case], more=more)))
    assert {item.reach for item in marked} == {"main"}
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


def test_without_another_way_it_is_guarded(make_tree: MakeTree) -> None:
    ops = "def scale(x):\n    if x.is_cuda:\n        x = _fast(x)\n    return x\n"
    marked = found(make_tree(tree(ops)))
    assert states(marked) == {"ops.py": {"guarded"}, "csrc/scale.cu": {"guarded"}}


def test_a_block_without_another_way_counts_before_one_with(make_tree: MakeTree) -> None:
    ops = """
        def warm(x):
            if torch.cuda.is_available():
                _fast(x)

        def scale(x):
            warm(x)
            return _fast(x) if x.is_cuda else _plain(x)
        """
    marked = found(make_tree(tree(ops)))
    assert states(marked) == {"ops.py": {"guarded"}, "csrc/scale.cu": {"guarded"}}


# --- what trains ----------------------------------------------------------------------------------

WORKER = """
import torch
import ops

def worker():
    model = torch.nn.Linear(3, 3)
    ops.scale(model(torch.zeros(3, 3))).sum().backward()

def host():
    print("no GPU")
    return None

def main():
    if torch.cuda.is_available():
        worker()
    else:
        host()

if __name__ == "__main__":
    main()
"""


def test_a_run_that_needs_cuda_is_not_guarded_by_asking_for_it(make_tree: MakeTree) -> None:
    marked = found(make_tree(tree("def scale(x):\n    return _fast(x)\n", WORKER)))
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


def test_nor_is_one_of_two_runs(make_tree: MakeTree) -> None:
    host = "def host():\n    model = torch.nn.Linear(3, 3)\n    model(torch.zeros(3)).backward()\n"
    train = WORKER.replace('def host():\n    print("no GPU")\n    return None\n', host)
    assert train != WORKER
    marked = found(make_tree(tree("def scale(x):\n    return _fast(x)\n", train)))
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


def test_where_nothing_seems_to_train_the_program_is_followed_whole(make_tree: MakeTree) -> None:
    train = WORKER.replace(".sum().backward()", "")
    train = train.replace("worker", "train")
    marked = found(make_tree(tree("def scale(x):\n    return _fast(x)\n", train)))
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


# --- across files ---------------------------------------------------------------------------------


def test_calls_in_other_files_count(make_tree: MakeTree) -> None:
    ops = "def scale(x):\n    return _fast(x) if x.is_cuda else _plain(x)\n"
    guarded = "from ops import _fast\n\ndef f(x):\n    return _fast(x) if x.is_cuda else x * 2\n"
    train = TRAIN.replace("import ops", "import ops\nimport other").replace(
        "ops.scale(", "other.f("
    )
    marked = found(make_tree(tree(ops, train, other=guarded)))
    assert states(marked) == {"ops.py": {"fallback"}, "csrc/scale.cu": {"fallback"}}
    bare = guarded.replace(" if x.is_cuda else x * 2", "")
    marked = found(make_tree(tree(ops, train, other=bare)))
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


def test_a_call_of_the_kernel_elsewhere_counts(make_tree: MakeTree) -> None:
    ops = "def scale(x):\n    return _fast(x) if x.is_cuda else _plain(x)\n"
    other = "import ops_C\n\ndef f(x):\n    return ops_C.scale_rows(x)\n"
    train = TRAIN.replace("import ops", "import ops\nimport other").replace(
        "ops.scale(", "other.f("
    )
    marked = found(make_tree(tree(ops, train + "\nops.scale(torch.zeros(3))\n", other=other)))
    assert states(marked) == {"ops.py": {"fallback"}, "csrc/scale.cu": {"none"}}


def test_a_second_call_in_the_same_function_counts(make_tree: MakeTree) -> None:
    ops = """
        import ops_C

        def scale(x):
            if x.is_cuda:
                return ops_C.scale_rows(x)
            return ops_C.scale_rows(x.float())
        """
    marked = found(make_tree(tree(ops)))
    assert states(marked)["csrc/scale.cu"] == {"none"}


def test_a_function_of_python_by_the_name_of_a_native_one_is_no_call_of_it(
    make_tree: MakeTree,
) -> None:
    ops = """
        def scale_rows(x):
            return _fast(x) if x.is_cuda else _plain(x)

        def scale(x):
            return scale_rows(x)
        """
    train = TRAIN.replace("ops.scale(", "ops.scale_rows(")
    marked = found(make_tree(tree(ops, train)))
    assert states(marked) == {"ops.py": {"fallback"}, "csrc/scale.cu": {"fallback"}}


def test_a_library_for_cuda_is_asked_for_as_well(make_tree: MakeTree) -> None:
    head = "try:\n    import flash_attn\n    HAVE = True\nexcept ImportError:\n    HAVE = False\n"
    ops = "def scale(x):\n    if HAVE:\n        return _fast(x)\n    return _plain(x)\n"
    marked = found(make_tree(tree(head + ops)))
    assert states(marked) == {"ops.py": {"fallback"}, "csrc/scale.cu": {"fallback"}}
    other = head.replace("flash_attn", "einops") + ops
    marked = found(make_tree(tree(other)))
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


# --- what the tree builds itself ------------------------------------------------------------------

TRIED = """
try:
    import ops_C
except ImportError:
    ops_C = None
"""
ASKED = """
def scale(x):
    if ops_C is not None:
        return ops_C.scale_rows(x)
    return x * 2
"""


def native(root: Path) -> set[GuardState]:
    return states(found(root))["csrc/scale.cu"]


OPTIONAL = {
    "the module": TRIED + ASKED,
    "a flag": TRIED.replace("ops_C = None", "HAVE = False").replace(
        "    import ops_C\n", "    import ops_C\n    HAVE = True\n"
    )
    + ASKED.replace("ops_C is not None", "HAVE"),
    "a member": (
        TRIED.replace("import ops_C", "from ops_C import scale_rows").replace(
            "ops_C =", "scale_rows ="
        )
        + ASKED.replace("ops_C is not None", "scale_rows is not None").replace(
            "ops_C.scale", "scale"
        )
    ),
    "in the attempt itself": """
        def scale(x):
            try:
                import ops_C
                return ops_C.scale_rows(x)
            except ImportError:
                return x * 2
        """,
    "behind it": """
        try:
            import ops_C
        except ImportError:
            def _scale(x):
                return x * 2
        else:
            def _scale(x):
                return ops_C.scale_rows(x)

        def scale(x):
            return _scale(x)
        """,
}
DEMANDED = {
    "an import that may not fail": "import ops_C\n" + ASKED,
    "another module": (
        TRIED.replace("ops_C", "einops") + "import ops_C\n" + ASKED.replace("ops_C is", "einops is")
    ),
    "an error otherwise": TRIED.replace("ops_C = None", "raise") + ASKED,
    "an error where it is asked for": TRIED
    + ASKED.replace("return x * 2", 'raise RuntimeError("build the extension")'),
    "in front of the import": """
        import ops_C as first

        def scale(x):
            try:
                y = first.scale_rows(x)
                import ops_C
                return y
            except ImportError:
                return x * 2
        """,
    "without asking": TRIED + "\ndef scale(x):\n    return ops_C.scale_rows(x)\n",
}


@pytest.mark.parametrize("case", OPTIONAL)
def test_an_extension_of_the_tree_may_be_missing(make_tree: MakeTree, case: str) -> None:
    assert native(make_tree(tree(OPTIONAL[case]))) == {"fallback"}


@pytest.mark.parametrize("case", DEMANDED)
def test_one_that_is_demanded_may_not(make_tree: MakeTree, case: str) -> None:
    assert native(make_tree(tree(DEMANDED[case]))).isdisjoint({"fallback", "guarded"})


def test_a_module_of_python_is_there(make_tree: MakeTree) -> None:
    files = tree(TRIED + ASKED)
    files["ops_C.py"] = "import fast_C\n\ndef scale_rows(x):\n    return fast_C.scale_rows(x)\n"
    assert native(make_tree(files)) == {"none"}


def test_what_is_built_without_cuda_is_there(make_tree: MakeTree) -> None:
    files = tree(TRIED + ASKED)
    files["setup.py"] = SETUP.replace("CUDAExtension", "CppExtension")
    assert native(make_tree(files)) == {"none"}


def test_the_other_file_knows_it(make_tree: MakeTree) -> None:
    ops = "from have import HAVE\n" + ASKED.replace("ops_C is not None", "HAVE").replace(
        "        return ops_C", "        import ops_C\n        return ops_C"
    )
    have = "try:\n    import ops_C\n    HAVE = True\nexcept ImportError:\n    HAVE = False\n"
    assert native(make_tree(tree(ops, have=have))) == {"fallback"}
    assert native(make_tree(tree(ops, have="HAVE = True\n"))) == {"none"}
