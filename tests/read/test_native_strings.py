from __future__ import annotations

import pytest

from portaudit.catalogue.load import load
from portaudit.scan import scan_file
from portaudit.types import FileResult, SourceFile

CATALOGUE = load()


def scan(code: str) -> FileResult:
    source = SourceFile("a.py", "python", code.encode())
    return scan_file(source, CATALOGUE, "torchneuron")


def kernels(code: str) -> list[tuple[str, int]]:
    return [(kernel.name, kernel.line) for kernel in scan(code).inventory]


@pytest.mark.parametrize(
    "code",
    [
        'import cupy\nk = cupy.RawKernel("__global__ void k(float* x) {}", "k")',
        'import cupy\nS = r"""__global__ void k(float* x) {}"""\nk = cupy.RawKernel(S, "k")',
        'import cupy\nk = cupy.RawModule(code="int a;" + "__global__ void k(int x) {}")',
        'import cupy\nk = cupy.RawModule(code=("int a;" "__global__ void k(int x) {}"))',
        'import cupy\nT = {"k": "__global__ void k(int x) {}"}\nk = cupy.RawKernel(T[n], n)',
        'import cupy\nn = 4\nk = cupy.RawKernel(f"__global__ void k(int x) {{ f<{n}>(x); }}", "k")',
        'from tools import run_nvrtc\nS = "__global__ void k(float* x) {}"\nrun_nvrtc(S, b"k")',
        'from pycuda.compiler import SourceModule\nSourceModule("__global__ void k(int a) {}")',
    ],
)
def test_strings_that_are_compiled(code: str) -> None:
    assert [name for name, _ in kernels(code)] == ["k"]


@pytest.mark.parametrize(
    "code",
    [
        'S = "__global__ void k(float* x) {}"\nprint(S)',
        '"""__global__ void k(float* x) {}"""\nimport cupy\ncupy.RawKernel(s, "k")',
        'import cupy\ncupy.RawKernel("__global__ void k(float* x);", "k")',
        'import cupy\ncupy.RawKernel("// __global__ void k(float* x) {}", "k")',
        'from tools import show\nshow("__global__ void k(float* x) {}")',
    ],
)
def test_strings_that_are_not(code: str) -> None:
    assert kernels(code) == []


def test_lines_and_columns_are_those_of_the_python_file() -> None:
    code = '''import cupy
S = r"""
// größer
  static __global__ void a(float* x) {}
"""
B = ("int x;\\n"
     "__global__ void b() {}\\n")
cupy.RawModule(code=S + B)
'''
    found = [each for each in scan(code).findings if each.rule == "SRC010"]
    assert [(each.anchor, each.span.line, each.span.column) for each in found] == [
        ("a", 4, 10),
        ("b", 7, 7),
    ]


def test_the_guard_is_that_of_the_call() -> None:
    code = """import torch
S = "__global__ void k(float* x) {}"
if torch.cuda.is_available():
    import cupy
    k = cupy.RawKernel(S, "k")
"""
    (found,) = (each for each in scan(code).findings if each.rule == "SRC010")
    assert (found.guard, found.effective_severity) == ("guarded", "major")


def test_inline_extensions_say_what_python_sees() -> None:
    code = '''from torch.utils.cpp_extension import load_inline
CUDA = """
#include <cuda_runtime.h>
#include <cub/cub.cuh>
__global__ void scale_kernel(float* x) { *x *= 2; }
torch::Tensor scale(torch::Tensor x) { scale_kernel<<<1, 1>>>(x.data_ptr<float>()); return x; }
"""
ops = load_inline("ops", cpp_sources="torch::Tensor scale(torch::Tensor x);", cuda_sources=CUDA,
                  functions=["scale"])
'''
    result = scan(code)
    assert [(each.rule, each.span.line) for each in result.findings] == [
        ("SRC011", 4),
        ("SRC010", 5),
        ("SRC003", 8),
    ]
    assert result.inventory[0].fingerprint == result.findings[1].fingerprint
    assert [each.function for each in result.facts.native.bound] == ["scale"]
    assert [each.launches for each in result.facts.native.functions] == [("scale_kernel",)]
