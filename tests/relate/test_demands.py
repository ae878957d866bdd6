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

from portaudit.types import Finding, GuardState
from scans import report_of

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
    "a block that tries": """
        def scale(x):
            if x.is_cuda:
                try:
                    return _fast(x)
                except RuntimeError as error:
                    print(error)
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
    "a device of several vendors": """
        def scale(x):
            if x.device.type in ("cuda", "xpu") and _load():
                return _fast(x)
            return _plain(x)
        """,
    "a device of one vendor or another": """
        def scale(x):
            return _fast(x) if x.is_cuda or x.device.type == "xpu" else _plain(x)
        """,
    "one tensor or another": """
        def scale(x):
            return _fast(x) if x.is_cuda or x.grad.is_cuda else _plain(x)
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
    "a device that registers itself": """
        def scale(x):
            if x.device.type in ("cuda", "privateuseone"):
                return _fast(x)
            return _plain(x)
        """,
    "the target's own device": """
        def scale(x):
            return _fast(x) if x.device.type in ("cuda", "xpu", "neuron") else _plain(x)
        """,
    "devices that have a name": """
        DEVICES = ["cuda"]
        DEVICES.append("neuron")

        def scale(x):
            return _fast(x) if x.device.type in DEVICES else _plain(x)
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
    report = report_of(root)
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


FAILING = {
    "a function that raises": """
        def _ref(x):
            raise NotImplementedError("no CPU version")

        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return _ref(x)
        """,
    "an attempt before an error": """
        def scale(x):
            if x.is_cuda:
                try:
                    return _fast(x)
                except RuntimeError as error:
                    print(error)
            raise RuntimeError("needs CUDA")
        """,
    "an attempt before a function that raises": """
        def _ref(x):
            raise NotImplementedError("no CPU version")

        def scale(x):
            if x.is_cuda:
                try:
                    return _fast(x)
                except RuntimeError as error:
                    print(error)
            return _ref(x)
        """,
    "an attempt before nothing": """
        def scale(x):
            if x.is_cuda:
                try:
                    return _fast(x)
                except RuntimeError as error:
                    print(error)
            print("no CUDA")
        """,
    "an attempt that something is kept of": """
        KEPT = {}

        def scale(x):
            if x.is_cuda:
                KEPT["x"] = _fast(x)
                try:
                    return KEPT["x"]
                except RuntimeError as error:
                    print(error)
            return KEPT["x"]
        """,
    "an attempt of which a name is used": """
        def scale(x):
            if x.is_cuda:
                y = _fast(x)
                try:
                    return y + 1
                except RuntimeError as error:
                    print(error)
            return y
        """,
    "a signature": """
        def _ref(x):
            ...

        def scale(x):
            return _fast(x) if x.is_cuda else _ref(x)
        """,
    "a method that raises": """
        class Norm(torch.nn.Module):
            def plain(self, x):
                raise NotImplementedError

            def forward(self, x):
                if x.is_cuda:
                    return _fast(x)
                return self.plain(x)

        scale = Norm()
        """,
    "a class that raises": """
        class Fast(torch.nn.Module):
            def forward(self, x):
                return _fast(x)

        class Plain(torch.nn.Module):
            def forward(self, x):
                raise RuntimeError("no CPU")

        def scale(x):
            way = Fast() if torch.cuda.is_available() else Plain()
            return way(x)
        """,
    "a function that only says why": """
        def die(why):
            print(why)
            raise RuntimeError(why)

        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            else:
                die("needs CUDA")
            return x
        """,
    "first, a function that says why": """
        import sys

        def require(why):
            sys.exit(why)

        def scale(x):
            if not x.is_cuda:
                require("x")
            else:
                x = _fast(x)
            return x
        """,
    "an error of the command line": """
        import argparse

        p = argparse.ArgumentParser()

        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            else:
                p.error("needs CUDA")
            return x
        """,
    "an error in a block": """
        import contextlib

        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            else:
                with contextlib.suppress(KeyError):
                    raise RuntimeError("x")
            return x
        """,
    "no answer": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return NotImplemented
        """,
    "an error behind all ways": """
        def scale(x):
            if x.device.type == "cuda":
                return _fast(x)
            elif x.device.type == "cpu":
                return _plain(x)
            raise RuntimeError(x.device)
        """,
    "an error but on the host": """
        def scale(x):
            if x.is_cuda:
                return _fast(x)
            else:
                if x.device.type == "cpu":
                    return _plain(x)
                else:
                    raise RuntimeError(x.device)
        """,
    "an error but on the host, of what nobody keeps": """
        def scale(x):
            if x.is_cuda:
                _fast(x)
            else:
                if x.device.type == "cpu":
                    print("slow")
                else:
                    raise RuntimeError(x.device)
            return x
        """,
    "an error of the command line in each arm": """
        import argparse

        p = argparse.ArgumentParser()

        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            elif x.dim() == 2:
                p.error("needs CUDA")
            else:
                p.error("needs CUDA, and more")
            return x
        """,
    "a function that calls this one and raises, asked twice": """
        def _ref(x):
            scale(x)
            raise RuntimeError("needs CUDA")

        def scale(x):
            x = _plain(x)
            if x.is_cuda and x.dim() == 2:
                return _plain(x)
            if x.is_cuda:
                return _fast(x)
            return _ref(x)
        """,
    "nothing where an answer is": """
        def scale(x):
            if not x.is_cuda:
                return None
            return _fast(x)
        """,
    "nothing where an answer is, on one line": """
        def scale(x):
            return _fast(x) if x.is_cuda else None
        """,
    "no value": """
        def scale(x):
            if x.is_cuda:
                y = _fast(x)
            return y
        """,
    "an empty value": """
        def scale(x):
            y = None
            if x.is_cuda:
                y = _fast(x)
            return y
        """,
    "an empty value instead": """
        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            else:
                x = None
            return x
        """,
    "no member": """
        class Norm(torch.nn.Module):
            def forward(self, x):
                if x.is_cuda:
                    self.y = _fast(x)
                return self.y

        scale = Norm()
        """,
    "no definition": """
        if torch.cuda.is_available():
            def scale(x):
                return _fast(x)
        """,
    "no name of the module": """
        def scale(x):
            global last
            if x.is_cuda:
                last = _fast(x)
            return last
        """,
}


@pytest.mark.parametrize("case", FAILING)
def test_the_other_way_has_to_be_one(make_tree: MakeTree, case: str) -> None:
    marked = found(make_tree(tree(FAILING[case])))
    assert {item.reach for item in marked} == {"main"}
    assert states(marked)["csrc/scale.cu"] == {"none"}
    assert states(marked)["ops.py"] <= {"none", "hard-fail"}


ABROAD = {
    "a function": (
        "from more import die",
        "def die(why):\n    raise RuntimeError(why)\n",
        "die('x')",
    ),
    "by the module": (
        "import more",
        "def die(why):\n    raise RuntimeError(why)\n",
        "more.die('x')",
    ),
    "by another name": (
        "from more import die as _stop",
        "def die(why):\n    raise RuntimeError(why)\n",
        "_stop('x')",
    ),
    "one that leaves": (
        "from more import die",
        "import sys\n\ndef die(why):\n    sys.exit(why)\n",
        "die('x')",
    ),
    "one that calls one": (
        "from more import die",
        "def _stop(why):\n    raise RuntimeError(why)\n\ndef die(why):\n    _stop(why)\n",
        "die('x')",
    ),
    "in each case": (
        "from more import die",
        "def die(why):\n    if why:\n        raise KeyError\n    else:\n        assert False\n",
        "die('x')",
    ),
    "handed on": (
        "from most import die",
        "def die(why):\n    raise RuntimeError(why)\n",
        "die('x')",
    ),
    "a class": (
        "from more import Plain",
        "class Plain:\n    def __call__(self, x):\n        raise NotImplementedError\n",
        "return Plain()(x)",
    ),
    "an answer": (
        "from more import slow",
        "def slow(x):\n    raise NotImplementedError('no CPU version')\n",
        "return slow(x)",
    ),
}
"""What brings a helper in, the file that has it, and its call where CUDA is not."""
GOING_ON = {
    "on a condition": "def die(why):\n    if why == 'y':\n        raise KeyError\n    return 1\n",
    "caught": "def die(a):\n    try:\n        raise KeyError\n    except KeyError:\n        pass\n",
    "in a function within": "def die(why):\n    f = lambda: exit(why)\n    return f\n",
    "no error": "def die(why):\n    return why + '!'\n",
}


@pytest.mark.parametrize("case", ABROAD)
def test_a_helper_of_another_file_may_only_raise(make_tree: MakeTree, case: str) -> None:
    brought, more, call = ABROAD[case]
    ops = f"""
        {brought}

        def scale(x):
            if x.is_cuda:
                return _fast(x)
            {call}
        """
    marked = found(make_tree(tree(ops, more=more, most="from more import *\n")))
    assert states(marked)["csrc/scale.cu"] == {"none"}


@pytest.mark.parametrize("case", GOING_ON)
def test_one_that_goes_on_is_another_way(make_tree: MakeTree, case: str) -> None:
    ops = """
        from more import die

        def scale(x):
            if x.is_cuda:
                return _fast(x)
            return die(x)
        """
    marked = found(make_tree(tree(ops, more=GOING_ON[case])))
    assert states(marked)["csrc/scale.cu"] == {"fallback"}


GUARDED = {
    "a value that is there": """
        def scale(x):
            if x.is_cuda:
                x = _fast(x)
            return x
        """,
    "what nobody asks for": """
        def scale(x):
            if x.is_cuda:
                import math
                y = _fast(x)
                print(math.pi, y)
            return x
        """,
    "an `and` that nobody keeps": """
        def scale(x):
            x.is_cuda and _fast(x)
            return x
        """,
    "one way out": """
        def warm(x):
            if not x.is_cuda:
                return
            _fast(x)

        def scale(x):
            warm(x)
            return x
        """,
}


@pytest.mark.parametrize("case", GUARDED)
def test_what_nobody_misses_is_guarded(make_tree: MakeTree, case: str) -> None:
    marked = found(make_tree(tree(GUARDED[case])))
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


RUNS = {
    "a first one on the host": {
        "train": """
            import torch
            import ops

            def host(model):
                model(torch.zeros(3, 3)).sum().backward()

            def worker(model):
                ops.scale(model(torch.zeros(3, 3))).sum().backward()

            def main():
                model = torch.nn.Linear(3, 3)
                if torch.cuda.is_available():
                    worker(model)
                else:
                    host(model)

            if __name__ == "__main__":
                main()
            """
    },
    "a first one that nothing uses": {
        "train": "from app import run\n\nif __name__ == '__main__':\n    run()\n",
        "app": """
            import torch
            import ops

            def old(model):
                model(torch.zeros(3, 3)).sum().backward()

            def work(model):
                ops.scale(model(torch.zeros(3, 3))).sum().backward()

            def run():
                model = torch.nn.Linear(3, 3)
                if torch.cuda.is_available():
                    work(model)
                else:
                    print("no GPU")
            """,
    },
    "a check before the loop, which has no optimizer": {
        "train": """
            import torch
            import ops

            def check(model):
                model(torch.zeros(3, 3)).sum().backward()

            def run(model):
                loss = ops.scale(model(torch.zeros(3, 3))).sum()
                for p, g in zip(model.parameters(), torch.autograd.grad(loss, model.parameters())):
                    p.data -= g

            def main():
                model = torch.nn.Linear(3, 3)
                check(model)
                if torch.cuda.is_available():
                    run(model)

            if __name__ == "__main__":
                main()
            """
    },
    "nothing that seems to train, in another file": {
        "train": "from app import run\n\nif __name__ == '__main__':\n    run()\n",
        "app": """
            import torch
            import ops

            def go():
                ops.scale(torch.zeros(3, 3))

            def run():
                if torch.cuda.is_available():
                    go()
                else:
                    print("no GPU")
            """,
    },
}


@pytest.mark.parametrize("case", RUNS)
def test_every_line_that_trains_counts(make_tree: MakeTree, case: str) -> None:
    files = {name: dedent(text) for name, text in RUNS[case].items()}
    train = files.pop("train")
    marked = found(make_tree(tree("def scale(x):\n    return _fast(x)\n", train, **files)))
    assert {item.reach for item in marked} == {"main"}
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


HEAD = """
import os
import torch
from setuptools import Extension, setup
from torch.utils.cpp_extension import BuildExtension, CppExtension, CUDAExtension
"""
FOR_BOTH = {
    "a name for both": """
        extension = CppExtension
        if torch.cuda.is_available():
            extension = CUDAExtension
        setup(ext_modules=[extension("ops_C", ["csrc/scale.cu"])])
        """,
    "one of both": """
        kind = CUDAExtension if os.environ.get("WITH_CUDA") else CppExtension
        setup(ext_modules=[kind("ops_C", ["csrc/scale.cu"])])
        """,
    "either": """
        if torch.cuda.is_available():
            ext = CUDAExtension("ops_C", ["csrc/scale.cu"])
        else:
            ext = CppExtension("ops_C", ["csrc/scale.cpp"])
        setup(ext_modules=[ext])
        """,
    "a function for the other": """
        def make(name, files):
            return CppExtension(name=name, sources=files)

        setup(ext_modules=[make(name="ops_C", files=["a.cpp"]), CUDAExtension("cu_C", ["s.cu"])])
        """,
    "a function for either": """
        def make(name, files):
            if torch.cuda.is_available():
                return CUDAExtension(name=name, sources=files)
            return CppExtension(name=name, sources=files)

        setup(ext_modules=[make(name="ops_C", files=["a.cpp"])])
        """,
    "none of torch": 'setup(ext_modules=[Extension("ops_C", []), CUDAExtension("cu_C", [])])',
}


@pytest.mark.parametrize("case", FOR_BOTH)
def test_what_may_be_built_without_cuda_is_there(make_tree: MakeTree, case: str) -> None:
    files = tree(TRIED + ASKED)
    files["setup.py"] = HEAD + dedent(FOR_BOTH[case])
    assert native(make_tree(files)) == {"none"}


def test_another_script_may_build_it_without_cuda(make_tree: MakeTree) -> None:
    files = tree(TRIED + ASKED)
    files["setup_cpu.py"] = SETUP.replace("CUDAExtension", "CppExtension")
    assert native(make_tree(files)) == {"none"}


def test_a_function_may_make_it(make_tree: MakeTree) -> None:
    files = tree(TRIED + ASKED)
    files["setup.py"] = HEAD + (
        "def make(name, files):\n    return CUDAExtension(name=name, sources=files)\n"
        "setup(ext_modules=[make(name='ops_C', files=['csrc/scale.cu'])])\n"
    )
    assert native(make_tree(files)) == {"fallback"}


@pytest.mark.parametrize(
    ("built", "brought", "state"),
    [
        ("mypkg.rearrange", "from einops import rearrange", "none"),
        ("mypkg.roi_align", "from scipy.ops import roi_align", "none"),
        ("mypkg.einops", "import einops", "none"),
        ("mypkg.ops_C", "import ops_C", "none"),
        ("mypkg.ops_C", "from mypkg import ops_C", "fallback"),
        ("mypkg.ops_C", "from mypkg.ops_C import scale_rows", "fallback"),
        ("mypkg.ops_C", "from . import ops_C", "fallback"),
        ("mypkg.ops_C", "from .ops_C import scale_rows", "fallback"),
    ],
)
def test_it_is_known_by_its_whole_name(
    make_tree: MakeTree, built: str, brought: str, state: GuardState
) -> None:
    name = brought.rpartition(" ")[2]
    tried = TRIED.replace("import ops_C", brought).replace("ops_C =", f"{name} =")
    asked = ASKED.replace("ops_C is not", f"{name} is not").replace("ops_C.scale_rows", "_fast")
    files = tree(tried + asked)
    files["setup.py"] = SETUP.replace('"ops_C"', f'"{built}"')
    assert native(make_tree(files)) == {state}


LOOKED_UP = {
    "a function that is given the module": """
        def pick(module, name):
            return getattr(module, name)

        way = pick(ops, os.environ["WAY"])
        """,
    "by another name": "get = getattr\nway = get(ops, os.environ['WAY'])",
    "what gets an attribute": "way = operator.attrgetter(os.environ['WAY'])(ops)",
    "what calls a method": "operator.methodcaller(os.environ['WAY'], torch.zeros(3))(ops)",
    "through the modules": "way = getattr(sys.modules['ops'], os.environ['WAY'])",
    "part by part": "way = functools.reduce(getattr, os.environ['WAY'].split('.'), ops)",
    "by its whole name": "way = pkgutil.resolve_name('ops:' + os.environ['WAY'])",
    "by any name": "way = pydoc.locate(os.environ['WAY'])",
    "without getattr": "way = ops.__getattribute__(os.environ['WAY'])",
    "as any object": "way = object.__getattribute__(ops, os.environ['WAY'])",
    "in a text": "exec('from ops import ' + os.environ['WAY'] + ' as way')",
}


@pytest.mark.parametrize("case", LOOKED_UP)
def test_what_may_be_looked_up_by_name_is_needed(make_tree: MakeTree, case: str) -> None:
    more = "import functools, operator, os, pkgutil, pydoc, sys\nimport torch\nimport ops\n"
    ops = "def scale(x):\n    return _fast(x) if x.is_cuda else _plain(x)\n"
    train = TRAIN.replace("import ops", "import ops\nimport more")
    marked = found(make_tree(tree(ops, train, more=more + dedent(LOOKED_UP[case]))))
    assert {item.reach for item in marked} == {"main"}
    assert states(marked) == {"ops.py": {"none"}, "csrc/scale.cu": {"none"}}


def test_what_is_handed_on_is_no_more_than_that(make_tree: MakeTree) -> None:
    more = "import ops\nfrom ops import scale\nlist(map(scale, [], ops.scale))\nhasattr(ops, 'x')\n"
    ops = "def scale(x):\n    return _fast(x) if x.is_cuda else _plain(x)\n"
    train = TRAIN.replace("import ops", "import ops\nimport more")
    marked = found(make_tree(tree(ops, train, more=more)))
    assert states(marked) == {"ops.py": {"fallback"}, "csrc/scale.cu": {"fallback"}}


# --- what else may set it -------------------------------------------------------------------------

FLAG = """
HAVE = torch.cuda.is_available()

def scale(x):
    return _fast(x) if HAVE else _plain(x)
"""
CLASS = """
class Norm(torch.nn.Module):
    use = torch.cuda.is_available()

    def forward(self, x):
        return _fast(x) if self.use else _plain(x)
"""
OBJECT = """
class Norm(torch.nn.Module):
    def __init__(self, **kw):
        self.use = torch.cuda.is_available()

    def forward(self, x):
        return _fast(x) if self.use else _plain(x)
"""
HELPER = """
def ok(x):
    return x.is_cuda

def scale(x):
    return _fast(x) if ok(x) else _plain(x)
"""
MORE = "from ops import *\nimport ops\n\n"
SET = {
    "by another file": (FLAG, "ops.HAVE = True"),
    "by its name": (FLAG, 'setattr(ops, "HAVE", True)'),
    "a function by another file": (HELPER, "ops.ok = lambda x: True"),
    "what it asks": (FLAG, "import torch\ntorch.cuda.is_available = lambda: True"),
    "by an operator": (FLAG.replace("()\n", "()\nHAVE |= True\n", 1), ""),
    "by a function": (FLAG + "\ndef force():\n    global HAVE\n    HAVE = True\n\nforce()\n", ""),
    "among all names": (FLAG + "\nglobals()['HAVE'] = True\n", ""),
    "with all names": (FLAG + "\nglobals().update(HAVE=True)\n", ""),
    "by names nobody knows": (FLAG + "\nglobals().update(**vars(torch))\n", ""),
    "an attribute": (CLASS + "\nscale = Norm()\nscale.use = True\n", ""),
    "an attribute of the class": (CLASS + "\nscale = Norm()\n", "ops.Norm.use = True"),
    "below the class": (CLASS + "\nclass Mine(Norm):\n    use = True\n\nscale = Mine()\n", ""),
    "an attribute of the object": (OBJECT + "\nscale = Norm()\nscale.use = True\n", ""),
    "by what it is made with": (
        OBJECT.replace("available()\n", "available()\n        self.__dict__.update(kw)\n")
        + "\nscale = Norm(use=True)\n",
        "",
    ),
    "a method below the class": (
        """
        class Norm(torch.nn.Module):
            def ok(self, x):
                return x.is_cuda

            def forward(self, x):
                return _fast(x) if self.ok(x) else _plain(x)

        class Mine(Norm):
            def ok(self, x):
                return True

        scale = Mine()
        """,
        "",
    ),
    "a field": (
        """
        from dataclasses import dataclass

        @dataclass
        class Norm:
            use: bool = torch.cuda.is_available()

            def __call__(self, x):
                return _fast(x) if self.use else _plain(x)

        scale = Norm(use=True)
        """,
        "",
    ),
    "in the function": (
        HELPER.replace("return x.is_cuda", "r = x.is_cuda\n    r |= x.dim() == 2\n    return r"),
        "",
    ),
    "a second function": (
        HELPER.replace("def scale", "def ok(x):\n    return True\n\ndef scale"),
        "",
    ),
    "by a decorator": (
        "def negate(f):\n    return lambda x: not f(x)\n\n@negate" + HELPER,
        "",
    ),
}


@pytest.mark.parametrize("case", SET)
def test_what_something_else_may_set_is_no_guard(make_tree: MakeTree, case: str) -> None:
    ops, more = SET[case]
    train = TRAIN.replace("import ops", "import ops\nimport more")
    marked = found(make_tree(tree(ops, train, more=MORE + more)))
    assert {item.reach for item in marked} == {"main"}
    assert states(marked)["csrc/scale.cu"] == {"none"}


@pytest.mark.parametrize("ops", [FLAG, HELPER])
def test_what_nothing_else_sets_is_one(make_tree: MakeTree, ops: str) -> None:
    more = MORE + "class A:\n    def __init__(self):\n        self.HAVE = self.ok = 1\n"
    train = TRAIN.replace("import ops", "import ops\nimport more")
    marked = found(make_tree(tree(ops, train, more=more)))
    assert states(marked)["csrc/scale.cu"] == {"fallback"}


def test_another_files_flag_may_be_set_there(make_tree: MakeTree) -> None:
    ops = "from have import HAVE\n" + FLAG.replace("HAVE = torch.cuda.is_available()\n", "")
    have = "import torch\nHAVE = torch.cuda.is_available()\n"
    assert native(make_tree(tree(ops, have=have))) == {"fallback"}
    assert native(make_tree(tree(ops, have=have + "HAVE |= True\n"))) == {"none"}
    ops = ops.replace("from have import HAVE", "import have").replace("if HAVE", "if have.HAVE")
    assert native(make_tree(tree(ops, have=have))) == {"fallback"}
    train = TRAIN.replace("import ops", "import ops\nimport have\nhave.HAVE = True")
    assert native(make_tree(tree(ops, train, have=have))) == {"none"}


def test_the_other_file_knows_it(make_tree: MakeTree) -> None:
    ops = "from have import HAVE\n" + ASKED.replace("ops_C is not None", "HAVE").replace(
        "        return ops_C", "        import ops_C\n        return ops_C"
    )
    have = "try:\n    import ops_C\n    HAVE = True\nexcept ImportError:\n    HAVE = False\n"
    assert native(make_tree(tree(ops, have=have))) == {"fallback"}
    assert native(make_tree(tree(ops, have="HAVE = True\n"))) == {"none"}


# --- names that Python and native code have -------------------------------------------------------

DEFINED = "def scale_rows(x):\n    return torch.relu(x)\n"
SHARED = {
    "a definition where the extension is not there": f"""
try:
    from ops_C import scale_rows
except ImportError:
    {DEFINED.replace("    ", "        ")}""",
    "the extension behind the definition": f"{DEFINED}from ops_C import scale_rows\n",
    "one of two by a flag": f"""
import os
if os.environ.get("SLOW"):
    {DEFINED.replace("    ", "        ")}
else:
    from ops_C import scale_rows
""",
    "given to the name": f"import ops_C\n{DEFINED}scale_rows = ops_C.scale_rows\n",
    "given to the name in a function": (
        f"import ops_C\n{DEFINED}"
        "def use():\n    global scale_rows\n    scale_rows = ops_C.scale_rows\nuse()\n"
    ),
    "another module's by another name": (
        "from ops_C import scale_rows\nfrom ref import scale_rows as plain\n"
    ),
    "one of two modules": (
        "try:\n    from ops_C import scale_rows\n"
        "except ImportError:\n    from ref import scale_rows\n"
    ),
    "by a star": "from ref import scale_rows as plain\nfrom ops_C import *\n",
    "by a table of names": f"import ops_C\n{DEFINED}globals().update(vars(ops_C))\n",
}
"""Modules in which a name may mean a native function."""
PYTHONS = {
    "a definition": DEFINED,
    "one of two definitions": f"""
if torch.__version__ > "2":
    {DEFINED.replace("    ", "        ")}
else:
    {DEFINED.replace("    ", "        ").replace("relu", "sigmoid")}
""",
    "brought in": "from ref import scale_rows\n",
}
"""Modules in which it means a function of Python."""


def by_name(ops: str) -> dict[str, str]:
    train = TRAIN.replace("ops.scale(", "ops.scale_rows(")
    return tree(ops, train, ref=f"import torch\n\n{DEFINED}")


@pytest.mark.parametrize("case", SHARED)
def test_a_name_that_may_be_native_leads_to_the_kernel(make_tree: MakeTree, case: str) -> None:
    marked = found(make_tree(by_name(SHARED[case])))
    kernels = [item for item in marked if item.path == "csrc/scale.cu"]
    assert {(item.reach, item.guard) for item in kernels} == {("main", "none")}


@pytest.mark.parametrize("case", PYTHONS)
def test_a_name_that_is_pythons_does_not(make_tree: MakeTree, case: str) -> None:
    marked = found(make_tree(by_name(PYTHONS[case])))
    assert {item.reach for item in marked if item.path == "csrc/scale.cu"} == {"unreached"}


# --- what is built --------------------------------------------------------------------------------

GEMM = """
#include <torch/extension.h>
#include <cublas_v2.h>

torch::Tensor fused_gemm(torch::Tensor x) {
  cublasHandle_t handle;
  cublasCreate(&handle);
  return x;
}
"""
BOTH = GEMM + KERNEL.replace("#include <torch/extension.h>", "").replace(
    'm.def("scale_rows"', 'm.def("fused_gemm", &fused_gemm); m.def("scale_rows"'
)
USES = "import ops_C\n\ndef more(x):\n    return ops_C.fused_gemm(x)\n\nmore(torch.zeros(3))\n"


def built(root: Path) -> set[tuple[str, str, GuardState]]:
    """What speaks of the build and of the host code: the file, the rule, the guard."""
    report = report_of(root)
    kernel = {item for item in report.findings if item.rule == "SRC010"}
    return {
        (item.path, item.rule, item.guard)
        for item in report.findings
        if item not in kernel and item.path.startswith(("setup.py", "csrc/"))
    }


def test_what_is_built_may_be_missing_if_all_that_is_used_of_it_may(make_tree: MakeTree) -> None:
    files = {**tree(TRIED + ASKED), "csrc/scale.cu": BOTH}
    marked = built(make_tree(files))
    assert {guard for _, _, guard in marked} == {"fallback"}
    assert {path for path, _, _ in marked} == {"setup.py", "csrc/scale.cu"}


def test_what_installing_itself_does_is_not_left_out(make_tree: MakeTree) -> None:
    files = {**tree(TRIED + ASKED), "csrc/scale.cu": BOTH}
    files["setup.py"] = "import torch\n\ntorch.cuda.get_device_capability()\n" + SETUP
    marked = {(rule[:3], guard) for path, rule, guard in built(make_tree(files)) if path[0] == "s"}
    assert ("DEV", "none") in marked
    assert {guard for rule, guard in marked if rule != "EXT"} == {"none"}


BUILT = {
    "brought in whatever happens": tree("import ops_C\n" + ASKED),
    "brought in by another file": tree(
        TRIED + ASKED, "import other\n" + TRAIN, other="import ops_C\n"
    ),
    "a function that starts no kernel": tree(
        TRIED + ASKED + "\ndef more(x):\n    return ops_C.fused_gemm(x)\n\nmore(torch.zeros(3))\n"
    ),
    "a member of another name": tree(
        TRIED + ASKED + "\ndef more(x, kind):\n    return getattr(ops_C, kind)(x)\n\n"
        "more(torch.zeros(3), str(torch.rand(1)))\n"
    ),
    "names that are put together": tree(
        TRIED + ASKED + "\ndef more(x, kind):\n    return getattr(ops_C, kind + '_rows')(x)\n\n"
        "more(torch.zeros(3), 'scale')\n"
    ),
}
"""Trees that need the module, whatever becomes of its kernel."""


@pytest.mark.parametrize("case", BUILT)
def test_else_it_is_needed(make_tree: MakeTree, case: str) -> None:
    marked = built(make_tree({**BUILT[case], "csrc/scale.cu": BOTH}))
    assert {guard for _, _, guard in marked} == {"none"}
    assert {path for path, _, _ in marked} == {"setup.py", "csrc/scale.cu"}


def test_what_a_build_itself_demands_stays_so(make_tree: MakeTree) -> None:
    head = "import torch\nif not torch.cuda.is_available():\n    raise RuntimeError('no CUDA')\n"
    listed = SETUP.replace(
        "    ext_modules", '    install_requires=["flash-attn"],\n    ext_modules'
    )
    files = {**tree(TRIED + ASKED), "setup.py": head + listed}
    marked = {(rule[:3], guard) for path, rule, guard in built(make_tree(files)) if path[0] == "s"}
    assert ("EXT", "hard-fail") in marked
    assert "fallback" not in {guard for _, guard in marked}
    assert {guard for rule, guard in marked if rule == "DEP"} <= {"none", "hard-fail"}
    assert "DEP" in {rule for rule, _ in marked}


# --- other ways to a kernel -----------------------------------------------------------------------

PLAIN = "\ndef scale(x):\n    if x.is_cuda:\n        return ops_C.forward(x)\n    return x * 2\n"
"""What asks for CUDA, with a name that everything has."""
OTHER_USES = {
    "kept in a table": "WAYS = {'fast': ops_C.forward}\nWAYS['fast'](torch.zeros(3))\n",
    "handed on": "def run(f, x):\n    return f(x)\n\nrun(ops_C.forward, torch.zeros(3))\n",
    "the module kept": "ext = ops_C\next.forward(torch.zeros(3))\n",
    "the module handed on": (
        "def run(module, x):\n    return module.forward(x)\n\nrun(ops_C, torch.zeros(3))\n"
    ),
    "the module kept by an object": """
class Op:
    def __init__(self):
        self.ext = ops_C

    def run(self, x):
        return self.ext.forward(x)

Op().run(torch.zeros(3))
""",
    "a member by another name": "from ops_C import forward as f\nmap(f, [torch.zeros(3)])\n",
    "by the name of the kernel": "import cupy\ncupy.RawModule(path='a').get('scale_rows_kernel')\n",
}
NO_USES = {
    "asked whether it is there": "HAVE = ops_C is not None\n",
    "asked by itself": "if not ops_C:\n    print('no extension')\n",
    "asked together": "if ops_C and torch.cuda.is_available():\n    print('extension')\n",
    "asked for a member": "hasattr(ops_C, 'forward')\n",
    "handed on where there is CUDA": """
def run(f, x):
    return f(x)

if torch.cuda.is_available():
    run(ops_C.forward, torch.zeros(3))
""",
}


def one_word(ops: str) -> dict[str, str]:
    files = tree(f"import ops_C\n{PLAIN}\n{ops}")
    files["csrc/scale.cu"] = KERNEL.replace('m.def("scale_rows"', 'm.def("forward"')
    return files


@pytest.mark.parametrize("case", OTHER_USES)
def test_a_function_that_is_no_less_used_for_not_being_called(
    make_tree: MakeTree, case: str
) -> None:
    assert native(make_tree(one_word(OTHER_USES[case]))) == {"none"}


@pytest.mark.parametrize("case", NO_USES)
def test_what_only_asks_for_a_module_does_not_use_it(make_tree: MakeTree, case: str) -> None:
    assert native(make_tree(one_word(NO_USES[case]))) <= {"fallback", "guarded"}


def test_a_handler_between_the_attempt_and_what_follows_it(make_tree: MakeTree) -> None:
    ops = """
        try:
            import ops_C
            FIRST = ops_C.forward(torch.zeros(3))
        except ImportError:
            import other_C as ops_C
            FIRST = ops_C.forward(torch.zeros(3))
        else:
            print(FIRST)

        def scale(x):
            return x * 2
        """
    files = {**one_word(""), "ops.py": "import torch\n" + dedent(ops)}
    assert native(make_tree(files)) == {"none"}


BEHIND = {
    "a method": (
        "struct Runner { torch::Tensor go(torch::Tensor x) { return scale_rows(x); } };",
        'py::class_<Runner>(m, "Runner").def(py::init<>()).def("go", &Runner::go);',
        "ops_C.Runner().go",
    ),
    "a function of autograd": (
        (
            "struct F : public torch::autograd::Function<F> {\n  static torch::Tensor"
            " forward(Context* c, torch::Tensor x) { return scale_rows(x); }\n"
            "};\ntorch::Tensor run_all(torch::Tensor x) { return F::apply(x); }"
        ),
        'm.def("run_all", &run_all);',
        "ops_C.run_all",
    ),
    "a table": (
        (
            "static Fn table[] = {&scale_rows};\n"
            "torch::Tensor run_all(torch::Tensor x) { return table[0](x); }"
        ),
        'm.def("run_all", &run_all);',
        "ops_C.run_all",
    ),
    "an argument": (
        "torch::Tensor run_all(torch::Tensor x) { return with(scale_rows, x); }",
        'm.def("run_all", &run_all);',
        "ops_C.run_all",
    ),
    "an argument of a template": (
        "torch::Tensor run_all(torch::Tensor x) { return twice<scale_rows>(x); }",
        'm.def("run_all", &run_all);',
        "ops_C.run_all",
    ),
    "a macro that calls it": (
        (
            "#define RUN(name, x) name(x)\n"
            "torch::Tensor run_all(torch::Tensor x) { return RUN(scale_rows, x); }"
        ),
        'm.def("run_all", &run_all);',
        "ops_C.run_all",
    ),
    "a macro that makes its name": (
        (
            "#define RUN(name, x) name##_rows(x)\n"
            "torch::Tensor run_all(torch::Tensor x) { return RUN(scale, x); }"
        ),
        'm.def("run_all", &run_all);',
        "ops_C.run_all",
    ),
    "wrapped": ("", 'm.def("run_all", wrap(&scale_rows));', "ops_C.run_all"),
    "bound by a macro": (
        '#define BIND(n) m.def("run_all", &n)',
        "BIND(scale_rows);",
        "ops_C.run_all",
    ),
    "set as an attribute": (
        "",
        'm.attr("run_all") = py::cpp_function(&scale_rows);',
        "ops_C.run_all",
    ),
    "loaded by its path": (
        'extern "C" void run_c(float* p) { scale_rows_kernel<<<1, 1>>>(p, 1); }',
        "",
        "__import__('ctypes').CDLL('libx.so').run_c",
    ),
}
"""Code beside the kernel, what binds it, and what Python calls then."""
TOGETHER = {
    "another function that is bound": (
        "torch::Tensor twice(torch::Tensor x) { return scale_rows(scale_rows(x)); }",
        'm.def("fused_twice", &twice);',
    ),
    "a function without a caller": (
        "torch::Tensor unused(torch::Tensor x) { return scale_rows(x); }",
        "",
    ),
    "a lambda": ("", 'm.def("fused_twice", [](torch::Tensor x) { return scale_rows(x); });'),
    "a declaration": ("torch::Tensor scale_rows(torch::Tensor x);", ""),
    "a macro that the file uses": (
        "#define CASE(x) scale_rows(x)\ntorch::Tensor twice(torch::Tensor x) { return CASE(x); }",
        'm.def("fused_twice", &twice);',
    ),
}


def beside(code: str, binding: str, ops: str = "") -> dict[str, str]:
    files = tree("import ops_C\n" + PLAIN.replace("forward", "scale_rows") + ops)
    head, block, rest = KERNEL.partition("PYBIND11_MODULE")
    files["csrc/scale.cu"] = f"{head}{code}\n{block}" + rest.replace("{ m", f"{{ {binding} m", 1)
    return files


@pytest.mark.parametrize("case", BEHIND)
def test_a_second_way_through_native_code(make_tree: MakeTree, case: str) -> None:
    code, binding, call = BEHIND[case]
    ops = f"\ndef more(x):\n    return {call}(x)\n\nmore(torch.zeros(3))\n"
    assert native(make_tree(beside(code, binding, ops))) == {"none"}


@pytest.mark.parametrize("case", TOGETHER)
def test_what_is_joined_is_no_second_way(make_tree: MakeTree, case: str) -> None:
    assert native(make_tree(beside(*TOGETHER[case]))) == {"fallback"}


def test_a_macro_of_another_file_that_starts_the_kernel(make_tree: MakeTree) -> None:
    ops = "\ndef more(x):\n    return ops_C.run_all(x)\n\nmore(torch.zeros(3))\n"
    files = beside("", 'm.def("run_all", &run_all);', ops)
    launch = "#define LAUNCH(K, ...) K<<<1, 64>>>(__VA_ARGS__)\n"
    files["csrc/all.cu"] = (
        '#include "scale.cuh"\n' + launch + "torch::Tensor run_all(torch::Tensor x) {\n"
        "  LAUNCH(scale_rows_kernel, x.data_ptr<float>(), x.numel());\n  return x;\n}\n"
    )
    assert native(make_tree(files)) == {"none"}


PATCHES = {
    "an assignment": "ops.scale_rows = ops_C.scale_rows",
    "by its name": "setattr(ops, 'scale_rows', ops_C.scale_rows)",
    "by its name on both sides": "setattr(ops, 'scale_rows', getattr(ops_C, 'scale_rows'))",
    "in the table of names": "ops.__dict__['scale_rows'] = ops_C.scale_rows",
    "among more": "vars(ops).update(scale_rows=ops_C.scale_rows)",
    "all names": "for name in dir(ops_C):\n    setattr(ops, name, getattr(ops_C, name))",
    "the whole module": "import sys\nsys.modules['ops'] = ops_C",
    "brought by name": "from ops_C import scale_rows as fast\nops.scale_rows = fast",
    "all of them": "from ops_C import *\nops.scale_rows = scale_rows",
    "two at once": "ops.scale_rows, ops.more = ops_C.scale_rows, 1",
    "in a function": "def patch(to):\n    to.scale_rows = ops_C.scale_rows\n\npatch(ops)",
    "what wraps it": "ops.scale_rows = lambda x: ops_C.scale_rows(x)",
}
"""What gives a function of another module the native one's place."""


@pytest.mark.parametrize("case", PATCHES)
def test_a_native_function_may_take_another_ones_place(make_tree: MakeTree, case: str) -> None:
    ops = """
        def scale_rows(x):
            return _fast(x) if x.is_cuda else _plain(x)
        """
    train = TRAIN.replace("import ops", "import ops\nimport more")
    train = train.replace("ops.scale(", "ops.scale_rows(")
    files = tree(ops, train, more="import os")
    assert native(make_tree(files)) == {"fallback"}
    more = f"import ops\nimport ops_C\n{PATCHES[case]}\n"
    assert native(make_tree({**files, "more.py": more})) == {"none"}
