"""Operators that native code asks PyTorch's dispatcher for, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

KERNEL = """
#include <torch/library.h>
__global__ void shade_kernel(float* x) { x[threadIdx.x] *= 2.f; }
void shade(float* x) { shade_kernel<<<1, 64>>>(x); }
void register_shade(torch::Library& m) { m.impl("shade", boxed<&shade>); }
"""
LIBRARY = """
#include <torch/library.h>
void register_shade(torch::Library& m);
void draw(float* x) {
  static auto op = c10::Dispatcher::singleton().findSchemaOrThrow("NAME", "");
  op.typed<void(float*)>().call(x);
}
TORCH_LIBRARY(net, m) { m.def("draw", &draw); m.def("shade(Tensor x) -> ()"); }
TORCH_LIBRARY_IMPL(net, CUDA, m) { register_shade(m); }
"""
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension

setup(name="net", ext_modules=[CUDAExtension("net._C", ["csrc/shade.cu", "csrc/net.cpp"])])
"""
TRAIN = """
import torch
import net._C

def main():
    x = torch.zeros(3, 3)
    torch.ops.net.draw(x)
    torch.nn.Linear(3, 3)(x).sum().backward()

if __name__ == "__main__":
    main()
"""
BESIDE = "import torch\n\ndef shade(x):\n    return torch.ops.net.shade(x)\n"


@pytest.mark.parametrize(
    ("name", "reach"),
    [("net::shade", "main"), ("net::other", "test"), ("aten::shade", "main"), ("shade it", "test")],
)
def test_native_code_reaches_operators_by_their_names(
    make_tree: MakeTree, name: str, reach: str
) -> None:
    report = report_of(
        make_tree(
            {
                "setup.py": SETUP,
                "csrc/shade.cu": KERNEL,
                "csrc/net.cpp": LIBRARY.replace("NAME", name),
                "net/__init__.py": "",
                "tests/test_shade.py": BESIDE,
                "train.py": TRAIN,
            }
        )
    )
    (kernel,) = report.inventory
    found = next(it.reach for it in report.findings if it.fingerprint == kernel.fingerprint)
    assert found == reach
    names = {each.name for each in kernel.bound_as}
    assert names == ({"shade", "net::draw"} if reach == "main" else {"shade"})
