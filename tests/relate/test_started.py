"""Whole trees with an extension: which of its kernels the main path starts, and which nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension

setup(ext_modules=[CUDAExtension("ops_C", ["csrc/bind.cpp", "csrc/scale.cu"])])
"""
TRAIN = """
import torch
import ops_C

if __name__ == "__main__":
    model = torch.nn.Linear(3, 3)
    loss = ops_C.scale(model(torch.zeros(3, 3))).sum()
    loss.backward()
"""
USED = """
__global__ void scale_kernel(float* x) { x[threadIdx.x] *= 2.f; }
void scale(float* x) { scale_kernel<<<1, 64>>>(x); }
"""
BINDING = """
#include <torch/extension.h>
void scale(float* x);
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("scale", &scale); }
"""
OTHER = "__global__ void other_kernel(float* x) { x[threadIdx.x] *= 2.f; }\n"


def reaches(make_tree: MakeTree, files: Mapping[str, str]) -> dict[str, str | None]:
    """What reaches each kernel of a tree, by its name."""
    root = make_tree({"train.py": TRAIN, "setup.py": SETUP, **files})
    report = report_of(root)
    found = {item.fingerprint: item.reach for item in report.findings}
    return {kernel.name: found[kernel.fingerprint] for kernel in report.inventory}


IDLE = {
    "nobody launches it": OTHER,
    "a launch in a comment": OTHER + "void other(float* x) { /* other_kernel<<<1, 1>>>(x); */ }\n",
    "its launcher is called by nobody": OTHER
    + "void other(float* x) { other_kernel<<<1, 1>>>(x); }\n",
    "by nobody but itself": OTHER
    + "void other(float* x, int n) { if (n) other(x, n - 1); other_kernel<<<1, 1>>>(x); }\n",
    "only a macro without a use says so": OTHER
    + "#define IT 3\nvoid other(float* x) { other_kernel<<<1, IT>>>(x); }\n",
}


@pytest.mark.parametrize("other", IDLE.values(), ids=IDLE)
def test_a_kernel_that_nothing_starts_is_not_reached(make_tree: MakeTree, other: str) -> None:
    found = reaches(make_tree, {"csrc/scale.cu": USED + other, "csrc/bind.cpp": BINDING})
    assert found == {"scale_kernel": "main", "other_kernel": "unreached"}


LAUNCHER = OTHER + "void other(float* x) { other_kernel<<<1, 1>>>(x); }\n"
STARTED = {
    "handed on": LAUNCHER + "using F = void (*)(float*);\nF table[] = {other};\n",
    "the value of a variable": LAUNCHER + "static int done = run(other(nullptr));\n",
    "an argument of a template": OTHER
    + "template <void (*K)(float*)> void run();\nvoid scale_too() { run<other_kernel>(); }\n"
    + "auto kept = &scale_too;\n",
    "a macro defines its launcher": OTHER
    + "#define IMPL(name) void name(float* x) { other_kernel<<<1, 1>>>(x); }\nIMPL(other)\n",
    "a name that is put together": OTHER
    + "#define RUN(name) name##_kernel<<<1, 1>>>(x)\nvoid run(float* x) { RUN(other); }\n",
    "a kernel starts it": OTHER
    + "__global__ void outer(float* x) { other_kernel<<<1, 1>>>(x); }\n"
    + "void outer_too(float* x) { outer<<<1, 1>>>(x); }\nauto kept = &outer_too;\n",
    "a program of its own": LAUNCHER + "int main() { other(nullptr); }\n",
    "a method": OTHER + "struct A { void go(float* x) { other_kernel<<<1, 1>>>(x); } };\n",
}


@pytest.mark.parametrize("other", STARTED.values(), ids=STARTED)
def test_a_kernel_that_something_may_start(make_tree: MakeTree, other: str) -> None:
    found = reaches(make_tree, {"csrc/scale.cu": USED + other, "csrc/bind.cpp": BINDING})
    assert found["other_kernel"] == "main"


BESIDE = {
    "Python has its name": {"more.py": "NAMES = ['other']\n"},
    "a library is loaded": {"more.py": "import ctypes\n\nlib = ctypes.CDLL('x.so')\n"},
    "Cython calls it": {"build.py": "from Cython.Build import cythonize\n\ncythonize('a.pyx')\n"},
}


@pytest.mark.parametrize("files", BESIDE.values(), ids=BESIDE)
def test_a_launcher_that_something_else_may_call(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    sources = {"csrc/scale.cu": USED + LAUNCHER, "csrc/bind.cpp": BINDING}
    assert reaches(make_tree, {**sources, **files})["other_kernel"] == "main"


RETURNED = {
    "a function of the file": "def _get():\n    import ops_C\n    return ops_C\n\nops = _get()\n",
    "a function of another file": "from more import get_ops\n\nops = get_ops()\n",
    "loaded": "from torch.utils.cpp_extension import load\n\n"
    'ops = load("ops_C", ["csrc/scale.cu", "csrc/bind.cpp"])\n',
    "loaded by a function": "from torch.utils.cpp_extension import load\n\ndef get():\n"
    '    return load("ops_C", ["csrc/scale.cu", "csrc/bind.cpp"])\n\nops = get()\n',
}
LOOKED_UP = {
    "getattr": 'getattr(ops, kind + "_by")',
    "__dict__": 'ops.__dict__[f"{kind}_by"]',
}


@pytest.mark.parametrize("returned", RETURNED.values(), ids=RETURNED)
@pytest.mark.parametrize("looked_up", LOOKED_UP.values(), ids=LOOKED_UP)
def test_a_name_that_is_put_together_of_a_module_that_is_returned(
    make_tree: MakeTree, returned: str, looked_up: str
) -> None:
    binding = BINDING.replace("&scale);", '&scale); m.def("turn_by", &other);')
    train = TRAIN.replace("import ops_C\n", f"{returned}\nkind = input()\n")
    files = {
        "train.py": train.replace("ops_C.scale(", f"{looked_up}(ops.scale)("),
        "more.py": "def get_ops():\n    import ops_C\n    return ops_C\n",
        "csrc/scale.cu": USED + LAUNCHER,
        "csrc/bind.cpp": binding.replace("void scale", "void other(float* x);\nvoid scale"),
    }
    assert reaches(make_tree, files)["other_kernel"] in {"main", None}


def test_a_lambda_that_is_bound_starts_kernels(make_tree: MakeTree) -> None:
    binding = BINDING.replace("&scale", "[](float* x) { scale_kernel<<<1, 64>>>(x); }")
    source = USED.partition("void scale(")[0].rstrip("\n") + "\n" + binding
    assert reaches(make_tree, {"csrc/bind.cu": source}) == {"scale_kernel": "main"}


def test_a_kernel_of_a_header_may_be_for_others(make_tree: MakeTree) -> None:
    files = {"csrc/scale.cu": USED, "csrc/bind.cpp": BINDING, "csrc/other.cuh": OTHER}
    assert reaches(make_tree, files)["other_kernel"] == "main"


def test_a_function_of_its_own_file_goes_before_one_elsewhere(make_tree: MakeTree) -> None:
    file = """
__global__ void {0}_kernel(float* x) {{ x[0] = 2.f; }}
template <typename T> void launch(float* x) {{ {0}_kernel<<<1, 64>>>(x); }}
void {0}(float* x) {{ launch<int>(x); }}
"""
    files = {
        "csrc/scale.cu": file.format("scale"),
        "csrc/turn.cu": file.format("turn"),
        "csrc/bind.cpp": BINDING.replace(
            "&scale);", '&scale); m.def("turn_by", &turn); m.def("unused_now", &turn);'
        ),
    }
    assert reaches(make_tree, files) == {"scale_kernel": "main", "turn_kernel": "unreached"}


def test_macros_of_one_name_are_told_apart_by_their_places(make_tree: MakeTree) -> None:
    source = """
#define RUN(x) scale_kernel<<<1, 64>>>(x)
void scale_first(float* x) { RUN(x); }
#undef RUN
#define RUN(x) scale_first(x)
void scale(float* x) { RUN(x); }
"""
    files = {"csrc/scale.cu": USED.partition("void scale(")[0] + source, "csrc/bind.cpp": BINDING}
    assert reaches(make_tree, files) == {"scale_kernel": "main"}
