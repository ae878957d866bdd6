"""Names that code puts together to look something up: in a compiled module, or in Python's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

KERNEL = """
#include <torch/extension.h>
__global__ void get_rows_kernel(float* x) { x[threadIdx.x] *= 2.f; }
void get_rows(float* x) { get_rows_kernel<<<1, 64>>>(x); }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("get_rows", &get_rows); }
"""
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension

setup(name="net", ext_modules=[CUDAExtension("net._C", ["csrc/rows.cu"])])
"""
POLICY = """
import importlib

def get(kind):
    module = importlib.import_module(f"net.policies.{kind}")
    return getattr(module, "get_" + kind)
"""
TRAIN = """
import os
import torch
from net import policy

def main():
    size = policy.get(os.environ["KIND"])(3)
    torch.nn.Linear(size, 3)(torch.zeros(3, size)).sum().backward()

if __name__ == "__main__":
    main()
"""
USED = """
import net._C

def run(x):
    return net._C.get_rows(x)
"""
FILES = {
    "setup.py": SETUP,
    "csrc/rows.cu": KERNEL,
    "net/__init__.py": "",
    "net/policy.py": POLICY,
    "net/policies/__init__.py": "",
    "net/policies/small.py": "def get_small(size):\n    return size\n",
    "net/rows.py": USED,
    "train.py": TRAIN,
}
COMPILED = {
    "a module that has all of them": {"net/policies/small.py": "from net._C import *\n"},
    "a module that has some": {
        "net/policies/small.py": "from net._C import get_rows as get_small\n"
    },
    "a module that hands some on": {
        "net/policies/small.py": "from ..fast import _C as get_small\n",
        "net/fast.py": "from net import _C\n",
    },
    "a package that has some": {"net/policies/__init__.py": "from .. import _C\n"},
    "itself": {
        "net/policy.py": "import net._C\n\n"
        "def get(kind):\n    return getattr(net._C, 'get_' + kind)\n"
    },
}


def reach(make_tree: MakeTree, files: Mapping[str, str]) -> str | None:
    report = report_of(make_tree({**FILES, **files}))
    (kernel,) = report.inventory
    return next(it.reach for it in report.findings if it.fingerprint == kernel.fingerprint)


PYTHON = {
    "of modules": {},
    "of a module with a member that is called like one": {
        "net/policies/small.py": "from .sizes import _size, rows_C\n\n"
        "def get_small(size):\n    return _size(rows_C(size))\n",
        "net/policies/sizes.py": "def _size(x):\n    return x\n\ndef rows_C(x):\n    return x\n",
        "setup.py": SETUP.replace("net._C", "rows_C"),
        "net/rows.py": USED.replace("net._C", "rows_C"),
    },
    "of a module that uses a library": {
        "net/policies/small.py": "import packaging.version\n\n"
        "def get_small(size):\n    return size\n",
        "setup.py": SETUP.replace('name="net"', 'name="net", version="1"'),
    },
}


@pytest.mark.parametrize("files", PYTHON.values(), ids=PYTHON)
def test_names_of_pythons_own_start_no_kernel(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    assert reach(make_tree, files) == "unreached"


@pytest.mark.parametrize("files", COMPILED.values(), ids=COMPILED)
def test_names_of_what_is_compiled_may_start_any(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    assert reach(make_tree, files) == "main"
