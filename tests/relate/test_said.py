"""What text says that nothing joins: no kernel is unreached that it may start."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pytest

from portaudit.relate.said import Said
from portaudit.types import FileResult
from scans import report_of
from snippets import scan

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
import torch
import ops

if __name__ == "__main__":
    model = torch.nn.Linear(3, 3)
    loss = ops.run(model(torch.zeros(3, 3))).sum()
    loss.backward()
"""
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension
setup(ext_modules=[CUDAExtension("fast", ["csrc/k.cu", "csrc/bind.cpp"])])
"""
KERNEL = "__global__ void scale_kernel(float* x) { x[threadIdx.x] *= 2.f; }\n"
LAUNCHER = "void launch_scale(float* x) { scale_kernel<<<1, 64>>>(x); }\n"
BIND = """
#include <torch/extension.h>
void launch_scale(float* x);
torch::Tensor forward(torch::Tensor x) { return x; }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("forward", &forward); }
"""
TREE = {
    "train.py": TRAIN,
    "ops.py": "import fast\n\n\ndef run(x):\n    return fast.forward(x)\n",
    "setup.py": SETUP,
    "csrc/k.cu": KERNEL + LAUNCHER,
    "csrc/bind.cpp": BIND,
}


def reach(make_tree: MakeTree, files: Mapping[str, str]) -> str | None:
    root = make_tree({**TREE, **files})
    report = report_of(root)
    found = {item.fingerprint: item.reach for item in report.findings}
    return next(found[kernel.fingerprint] for kernel in report.inventory)


SILENT = {
    "nothing": {},
    "a declaration": {"csrc/ops.h": "#pragma once\nvoid launch_scale(float* x);\n"},
    "a page": {"README.md": "`launch_scale` is not used any more.\n"},
    "a compiler in a test": {
        "tests/test_k.py": "from torch.utils.cpp_extension import load_inline\n"
    },
}


@pytest.mark.parametrize("files", SILENT.values(), ids=SILENT)
def test_a_kernel_that_no_text_names(make_tree: MakeTree, files: Mapping[str, str]) -> None:
    assert reach(make_tree, files) == "unreached"


LOUD = {
    "a plain source": {
        "csrc/mid.cpp": "void launch_scale(float*);\nvoid go() { launch_scale(0); }"
    },
    "a plain header": {"csrc/t.h": "static void (*TABLE[])(float*) = {launch_scale};\n"},
    "another kind": {"csrc/t.inc": "launch_scale,\n"},
    "C": {"csrc/go.c": "void go(float* x) { launch_scale(x); }\n"},
    "Cython": {"csrc/fast.pyx": "def forward(x):\n    launch_scale(x)\n"},
    "a template": {"csrc/t.cu.in": "launch_scale(@type@);\n"},
    "a macro that makes names": {"csrc/t.h": "#define CALL(n) launch_##n\n"},
    "settings": {"k.yaml": "kernel: scale_kernel\n"},
    "bytes": {"more.py": 'NAME = b"scale_kernel"\n'},
    "a compiler": {"more.py": "from torch.utils.cpp_extension import load_inline\n"},
    "the driver": {"csrc/d.cpp": '#include <cuda.h>\nvoid go() { cuModuleLoad(0, "k.ptx"); }\n'},
    "a string": {"csrc/k.cu": f'{KERNEL}{LAUNCHER}const char* name = "scale_kernel";\n'},
    "a label": {
        "csrc/k.cu": f'{KERNEL}void impl(float* x) __asm__("go");\n'
        "void impl(float* x) { scale_kernel<<<1, 64>>>(x); }\n"
    },
    "a lambda": {
        "csrc/k.cu": f"{KERNEL}auto go = [](float* x) {{ int n = 1; scale_kernel<<<n, 64>>>(x); }};"
    },
    "a lambda in braces": {
        "csrc/k.cu": f"{KERNEL}std::map<int, F> T{{{{1, [](float* x) {{ int n = 1; "
        "scale_kernel<<<n, 64>>>(x); }}};"
    },
    "a lambda that calls": {
        "csrc/k.cu": f"{KERNEL}{LAUNCHER}F go{{[](float* x) {{ int n = 1; launch_scale(x); }}}};"
    },
    "an operator": {
        "csrc/k.cu": f"{KERNEL}T operator*(T x, int n) {{ scale_kernel<<<1, 64>>>(x); return x; }}"
    },
    "a name that a macro makes": {
        "csrc/k.cu": f"{KERNEL}void NAME(scale)(float* x) {{ scale_kernel<<<1, 64>>>(x); }}"
    },
}


@pytest.mark.parametrize("files", LOUD.values(), ids=LOUD)
def test_a_kernel_that_text_may_start(make_tree: MakeTree, files: Mapping[str, str]) -> None:
    assert reach(make_tree, files) is None


NAMED = {
    "its name": ("a.py", "shutil.copy('csrc/old.cu', 'x')", True),
    "its stem": ("a.py", "for name in ['old']: build(name)", True),
    "its end": ("a.py", "build(f'csrc/{name}.cu')", True),
    "all of its kind": ("a.py", "glob('csrc/*.cu')", True),
    "a loop of a shell": ("a.sh", "for each in old; do $CC $each; done", True),
    "nvcc": ("a.sh", "nvcc -c $FILE", True),
    "an include": ("csrc/a.cuh", '#include "../csrc/old.cu"', True),
    "another source": ("a.py", "build('csrc/older.cu', 'cold.cu')", False),
    "a test": ("tests/test_a.py", "for name in ['old']: build(name)", False),
    "a word of code": ("a.py", "old = 3", False),
}


@pytest.mark.parametrize(("path", "text", "named"), NAMED.values(), ids=NAMED)
def test_a_source_that_text_names(path: str, text: str, *, named: bool) -> None:
    results = scan({path: text}).values()
    said = Said(results, (), lambda _: text.encode())
    assert said.sources({"csrc/old.cu": ()}) == (frozenset({"csrc/old.cu"} if named else ()))


def test_the_files_that_are_known_to_name_a_source_do_not_count() -> None:
    results = scan({"a.py": "x = 1"}).values()
    said = Said(results, (), lambda _: b"load('old', ['csrc/old.cu'])")
    assert not said.sources({"csrc/old.cu": ("a.py",)})


def test_of_many_names_the_same_are_said_as_of_few() -> None:
    texts = {
        "a.py": b'load(["op7.cu", "x-op9.cu"])\n',
        "b.sh": b"cc src/op11.cu op12 -o .cu\n",
        "c.py": b'f"{name}.cuh"\n',
        "d.md": b"op13.cu\n",
        "e.cpp": b'"op14"\n',
        "f.py": b'"op15"\n',
    }
    said = Said(list(map(FileResult, texts)), (), texts.__getitem__)
    ends = (".cu", ".cuh", "-x.cu")
    places: dict[str, Collection[str]] = {
        f"src/op{at}{end}": ("b.sh",) for at in range(60) for end in ends
    }
    places["src/.cu"] = ()
    alone = {each for each in places if said.sources({each: places[each]})}
    assert said.sources(places) == alone
    assert {"src/op7.cu", "src/op15.cu", "src/op3.cuh"} <= alone
    names = [f"op{at}" for at in range(60)]
    assert said.names(names) == {each for each in names if said.names([each])}
