"""Whole trees that compile sources while they run: what is not compiled there is not reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit import config, engine
from portaudit.config import Options
from portaudit.types import Finding
from snippets import scan

MakeTree = Callable[[Mapping[str, str]], Path]

HEAD = "import os\nfrom torch.utils.cpp_extension import load\n"
TRAIN = """
import torch
from ops import new

if __name__ == "__main__":
    model = torch.nn.Linear(3, 3)
    loss = new.ext.forward(model(torch.zeros(3, 3))).sum()
    loss.backward()
"""
KERNEL = """
__global__ void {name}_kernel(float* x) {{ x[threadIdx.x] *= 2.f; }}
void forward_cuda(float* x) {{ {name}_kernel<<<1, 64>>>(x); }}
"""
BINDING = """
#include <torch/extension.h>
void forward_cuda(float* x);
void forward(float* x) { forward_cuda(x); }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("forward", &forward); }
"""
SOURCES = {
    "cuda/new.cu": KERNEL.format(name="new"),
    "cuda/new.cpp": BINDING,
    "cuda/old.cu": KERNEL.format(name="old"),
    "cuda/old.cpp": BINDING,
}
OLD = 'ext = load(name="old", sources=["cuda/old.cpp", "cuda/old.cu"])\n'
TEST = HEAD + OLD + "\n\ndef run(x):\n    return ext.forward(x)\n"


def kernels(make_tree: MakeTree, files: Mapping[str, str]) -> dict[str, Finding]:
    root = make_tree({"train.py": TRAIN, "ops/__init__.py": "", **SOURCES, **files})
    report = engine.scan(config.load([root], Options(cache=False), cwd=root))
    found = {item.fingerprint: item for item in report.findings}
    return {kernel.name: found[kernel.fingerprint] for kernel in report.inventory}


def reaches(make_tree: MakeTree, files: Mapping[str, str]) -> dict[str, str | None]:
    return {name: item.reach for name, item in kernels(make_tree, files).items()}


LOADS = {
    "names": 'ext = load(name="new", sources=["cuda/new.cpp", "cuda/new.cu"])',
    "a folder": "here = os.path.dirname(os.path.abspath(__file__))\n"
    'ext = load("new", [os.path.join(here, "..", "cuda", f) for f in ["new.cpp", "new.cu"]])',
    "a list": 'files = ["cuda/new.cpp"]\nfiles.append("cuda/new.cu")\next = load("new", files)',
    "a sum": 'ext = load("new", ["cuda/new.cpp"] + ["cuda/new.cu"])',
    "made names": 'ext = load("new", [f"cuda/new.{end}" for end in ["cpp", "cu"]])',
    "a function": "def _get(sources):\n    return load(name='x', sources=sources)\n\n"
    'ext = _get(["cuda/new.cpp", "cuda/new.cu"])',
}


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_a_source_that_the_path_does_not_compile(make_tree: MakeTree, load: str) -> None:
    files = {"ops/new.py": f"{HEAD}{load}\n", "tests/test_old.py": TEST}
    assert reaches(make_tree, files) == {"new_kernel": "main", "old_kernel": "test"}


def test_a_source_that_nothing_compiles(make_tree: MakeTree) -> None:
    files = {"ops/new.py": HEAD + LOADS["names"]}
    assert reaches(make_tree, files) == {"new_kernel": "main", "old_kernel": "unreached"}


MORE = {
    "nobody knows of what": {"more.py": HEAD + "def get(files):\n    return load('x', files)\n"},
    "all that is there": {
        "setup.py": "import glob\nfrom setuptools import setup\n"
        "from torch.utils.cpp_extension import CUDAExtension\n"
        'setup(ext_modules=[CUDAExtension("x", glob.glob("cuda/*.cu"))])\n'
    },
    "a library is loaded": {"more.py": "import ctypes\n\nlib = ctypes.CDLL('old.so')\n"},
    "by CMake": {"CMakeLists.txt": "add_library(x SHARED cuda/old.cu)\n"},
    "where it is included": {"cuda/new.cpp": '#include "old.cu"\n' + BINDING},
}


@pytest.mark.parametrize("files", MORE.values(), ids=MORE)
def test_a_source_that_something_else_may_compile(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    found = reaches(make_tree, {"ops/new.py": HEAD + LOADS["names"], **files})
    assert found["old_kernel"] == "main"


def test_functions_of_one_name_belong_to_their_builds(make_tree: MakeTree) -> None:
    files = {"ops/new.py": HEAD + LOADS["names"], "ops/old.py": HEAD + OLD}
    root = make_tree({"train.py": TRAIN, "ops/__init__.py": "", **SOURCES, **files})
    report = engine.scan(config.load([root], Options(cache=False), cwd=root))
    bound = {each.name: [it.path for it in each.bound_as] for each in report.inventory}
    assert bound == {"new_kernel": ["cuda/new.cpp"], "old_kernel": ["cuda/old.cpp"]}


def test_a_load_that_waits_for_an_option(make_tree: MakeTree) -> None:
    new = f"""{HEAD}
{LOADS["names"]}

def fused(args, x):
    if args.old_kernel:
        ext = load(name="old", sources=["cuda/old.cpp", "cuda/old.cu"])
        return ext.forward(x)
    return x
"""
    train = """
import argparse
import torch
from ops import new

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--old_kernel", action="store_true")
    args = parser.parse_args()
    model = torch.nn.Linear(3, 3)
    loss = new.fused(args, new.ext.forward(model(torch.zeros(3, 3)))).sum()
    loss.backward()
"""
    found = kernels(make_tree, {"train.py": train, "ops/new.py": new})
    assert (found["new_kernel"].guard, found["old_kernel"].guard) == ("none", "guarded")
    assert found["old_kernel"].guard_by is not None
    assert found["old_kernel"].guard_by.setting == "old_kernel"


def test_what_a_setup_script_compiles_is_told() -> None:
    text = """
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension

def make(name, sources):
    return CUDAExtension(name=name, sources=["src/" + each for each in sources])

setup(ext_modules=[CUDAExtension("a", ["a.cpp", "a.cu"]), make("b", ["b.cu"])])
"""
    told = scan({"setup.py": text})["setup.py"].facts.native.compiles
    assert [(each.sources, each.loads) for each in told] == [
        (("src/*",), False),
        (("a.cpp", "a.cu"), False),
    ]
