"""Whole trees with several projects: what belongs to another one is not needed, all else stays so.

The kernel, the build or the settings of each tree stand in a file of their own, of which the reach
is asked. Of what somebody could not tell the reach is None, which counts as needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit import config, engine
from portaudit.config import Options
from portaudit.types import Report
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
Files = Mapping[str, str]

TRAIN = """
    import torch
    from net import Net

    def main():
        Net()(torch.zeros(3)).sum().backward()

    if __name__ == "__main__":
        main()
    """
NET = """
    import torch
    from ops.pool import pool

    class Net(torch.nn.Module):
        def forward(self, x):
            return pool(x)
    """
PLAIN = """
    import torch

    class Net(torch.nn.Module):
        def forward(self, x):
            return x * 2
    """
POOL = """
    import pool_ext

    def pool(x):
        return pool_ext.pool_forward(x)
    """
KERNEL = """
    #include <torch/extension.h>

    __global__ void pool_kernel(const float* x, float* y, int n) {
        y[threadIdx.x] = x[threadIdx.x];
    }

    torch::Tensor pool_cuda(torch::Tensor x) {
        auto y = torch::zeros_like(x);
        pool_kernel<<<1, 32>>>(x.data_ptr<float>(), y.data_ptr<float>(), x.numel());
        return y;
    }
    """
BINDING = """
    #include <torch/extension.h>

    torch::Tensor pool_cuda(torch::Tensor x);

    PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
        m.def("pool_forward", &pool_cuda);
    }
    """
LIBRARY = 'TORCH_LIBRARY(net, m) { m.def("pool", &pool_cuda); }'
SETUP = """
    from setuptools import setup
    from torch.utils.cpp_extension import BuildExtension, CUDAExtension

    setup(
        name="pool_ext",
        ext_modules=[CUDAExtension("pool_ext", ["src/bind.cpp", "src/pool.cu"])],
        cmdclass={"build_ext": BuildExtension},
    )
    """
ZERO = '{"zero_optimization": {"stage": 2}, "train_batch_size": 8}\n'


def ops(folder: str) -> dict[str, str]:
    """An extension with its build, its Python half, and its kernel."""
    files = {"setup.py": SETUP, "__init__.py": "", "pool.py": POOL}
    files |= {"src/bind.cpp": BINDING, "src/pool.cu": KERNEL}
    return {f"{folder}/{path}": text for path, text in files.items()}


def project(folder: str, net: str = NET, *, page: str = "python train.py") -> dict[str, str]:
    """A project with a page of its own, and with a program that trains."""
    readme = f"# Net\n\n```sh\n{page}\n```\n"
    files = {"README.md": readme, "train.py": TRAIN, "net.py": net}
    return {f"{folder}/{path}": text for path, text in files.items()}


def first(*folders: str) -> dict[str, str]:
    """The first page of the tree."""
    return {"README.md": "# All\n\n" + "".join(f"- [{each}]({each})\n" for each in folders)}


def scanned(make_tree: MakeTree, files: Files) -> Report:
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in files.items()})
    return report_of(root)


def reaches(report: Report, path: str) -> set[str | None]:
    """What reaches the findings of a file."""
    found: set[str | None] = {finding.reach for finding in report.findings if finding.path == path}
    assert found, f"nothing was found in {path}"
    return found


def main(report: Report) -> str:
    return next(entry.path for entry in report.score.entry_points if entry.main)


# --- copies of an extension -----------------------------------------------------------------------

COPIES = {
    **first("a", "b"),
    **project("a"),
    **ops("a/ops"),
    **project("b"),
    **ops("b/ops"),
}


def test_a_copy_of_an_extension_belongs_to_the_project_around_it(make_tree: MakeTree) -> None:
    report = scanned(make_tree, COPIES)
    assert main(report) == "a/train.py"
    for path in ("src/pool.cu", "setup.py"):
        assert reaches(report, f"a/ops/{path}") == {"main"}
        assert reaches(report, f"b/ops/{path}") == {"other"}
    callers = {kernel.path: [each.path for each in kernel.callers] for kernel in report.inventory}
    assert callers == {
        "a/ops/src/pool.cu": ["a/ops/pool.py"],
        "b/ops/src/pool.cu": ["b/ops/pool.py"],
    }


def test_a_copy_that_was_changed_is_one_still(make_tree: MakeTree) -> None:
    changed = KERNEL.replace("int n)", "int n, int pad)").replace("x.numel());", "x.numel(), 1);")
    report = scanned(make_tree, {**COPIES, "b/ops/src/pool.cu": changed})
    assert reaches(report, "a/ops/src/pool.cu") == {"main"}
    assert reaches(report, "b/ops/src/pool.cu") == {"other"}


EITHER: Mapping[str, Files] = {
    "the program has none of the copies": {
        **first("c", "a"),
        **COPIES,
        **project("c", net=NET.replace("ops.pool", "pooling")),
        "c/pooling.py": POOL,
    },
    "they have nothing in common but a name": {
        **COPIES,
        "b/ops/src/pool.cu": KERNEL.replace("pool_kernel", "other_kernel"),
    },
    "they are kernels of different things": {
        **COPIES,
        "b/ops/src/pool.cu": KERNEL.replace(
            "const float* x, float* y, int n", "const float* q, const float* k, float* out, int d"
        ),
    },
    "somebody asks for the function by its name": {
        **COPIES,
        "a/net.py": PLAIN.replace("return x * 2", "return call('pool_forward', x)"),
    },
    "the folders are parts of one project": {
        **{path: text for path, text in COPIES.items() if not path.endswith((".md", "setup.py"))},
        "setup.py": SETUP,
    },
}  # fmt: skip
"""Trees in which the program may mean the kernel of `b` as well."""


@pytest.mark.parametrize("case", EITHER)
def test_what_may_be_meant_as_well_stays_needed(make_tree: MakeTree, case: str) -> None:
    report = scanned(make_tree, EITHER[case])
    assert reaches(report, "b/ops/src/pool.cu") <= {"main", None}


# --- what nobody can tell -------------------------------------------------------------------------

TABLE = "    void* table[] = {(void*)pool_kernel};"
ALONE = KERNEL.partition("    torch::Tensor pool_cuda")[0] + TABLE
"""A kernel that something may launch by a table: no name leads to it."""
PLUGIN = """
    #include "NvInfer.h"

    class Pool : public nvinfer1::IPluginV2DynamicExt {};

    void enqueue(float* x);
    """
TWO = {**first("a", "b"), **project("a", PLAIN), **project("b", PLAIN)}
DEMO = {"README.md": "```sh\npython train_pool.py\n```\n", "train_pool.py": TRAIN, "net.py": PLAIN}
"""What makes a folder look like a project of its own."""


def demo(folder: str) -> dict[str, str]:
    return {f"{folder}/{path}": text for path, text in DEMO.items()}


APART: Mapping[str, tuple[str, Files]] = {
    "settings of a project with a page": ("b/configs/zero.json", {"b/configs/zero.json": ZERO}),
    "settings of a project with a manifest": (
        "c/zero.json",
        {"c/pyproject.toml": "", "c/do/train.py": TRAIN, "c/do/net.py": PLAIN, "c/zero.json": ZERO},
    ),
    "settings of a project within, with a manifest": (
        "a/extra/zero.json",
        {
            **demo("a/extra"),
            "a/extra/pyproject.toml": "",
            "a/extra/zero.json": ZERO,
        },
    ),
    "a kernel with a build": ("b/ops/src/pool.cu", {**ops("b/ops"), "b/ops/src/pool.cu": ALONE}),
    "a build": ("b/ops/setup.py", {**ops("b/ops"), "b/ops/src/pool.cu": ALONE}),
    "an engine's plugin": ("trt/pool.cpp", {"trt/pool.cpp": PLUGIN, "trt/pool.cu": ALONE}),
    "an engine's kernel": ("trt/pool.cu", {"trt/pool.cpp": PLUGIN, "trt/pool.cu": ALONE}),
}  # fmt: skip


@pytest.mark.parametrize("case", APART)
def test_what_another_project_has_for_itself_is_not_needed(make_tree: MakeTree, case: str) -> None:
    path, files = APART[case]
    report = scanned(make_tree, {**TWO, **files})
    assert main(report) == "a/train.py"
    assert reaches(report, path) == {"other"}


EXPORTED = """
    __global__ void alone_kernel(const float* x, float* y) {
        y[threadIdx.x] = x[threadIdx.x];
    }

    extern "C" void alone_run(const float* x, float* y) { alone_kernel<<<1, 32>>>(x, y); }
    """
BY_NAME = PLAIN.replace("import torch\n", "import torch\n    import pool_ext\n", 1).replace(
    "x * 2", "pool_ext.pool_forward(x)"
)
STAYS: Mapping[str, tuple[str, Files]] = {
    "an extension beside that the program imports": (
        "ops/src/pool.cu",
        {**project("a", BY_NAME), **ops("ops"), **demo("ops")},
    ),
    "its build": ("ops/setup.py", {**project("a", BY_NAME), **ops("ops"), **demo("ops")}),
    "one of which only the name of a function is known": (
        "ops/src/alone.cu",
        {
            **project("a", BY_NAME.replace("pool_ext.pool_forward(x)", "call('pool_forward', x)")),
            **ops("ops"),
            **demo("ops"),
            "ops/pool.py": "",
            "ops/setup.py": SETUP.replace('"src/pool.cu"', '"src/pool.cu", "src/alone.cu"'),
            "ops/src/alone.cu": ALONE,
        },
    ),
    "a library of C functions that it loads": (
        "ops/src/alone.cu",
        {
            **project(
                "a",
                PLAIN.replace("import torch\n", "import ctypes\n    import torch\n", 1).replace(
                    "x * 2", "ctypes.CDLL('../ops/libops.so').alone_run(x)"
                ),
            ),
            **ops("ops"),
            **demo("ops"),
            "ops/src/alone.cu": EXPORTED,
        },
    ),
    "an extension that it imports and asks by a name that it is given": (
        "ops/src/pool.cu",
        {
            **project("a", BY_NAME.replace("pool_ext.pool_forward", "getattr(pool_ext, self.f)")),
            **ops("ops"),
            **demo("ops"),
            "ops/src/alone.cu": ALONE,
        },
    ),
    "operators that it loads": (
        "csrc/pool.cu",
        {
            **project("a", PLAIN.replace("x * 2", "torch.ops.net.pool(x)")),
            **demo("csrc"),
            "csrc/setup.py": SETUP,
            "csrc/pool.cu": f"{dedent(KERNEL)}\n{LIBRARY}",
        },
    ),
    "kernels without a build of their own": (
        "b/src/pool.cu",
        {**demo("b"), "b/src/pool.cu": ALONE},
    ),
    "kernels that the tree's own manifest builds": (
        "third_party/fast/src/pool.cu",
        {
            **demo("third_party/fast"),
            "third_party/fast/setup.py": SETUP,
            "third_party/fast/src/pool.cu": ALONE,
            "setup.py": SETUP.replace("src/", "third_party/fast/src/"),
        },
    ),
    "kernels that the program's own manifest may build": (
        "a/extra/src/pool.cu",
        {**demo("a/extra"), **ops("a/extra"), "a/extra/src/pool.cu": ALONE, "a/setup.py": SETUP},
    ),
    "kernels beside an engine's plugin and what Python has names for": (
        "csrc/alone.cu",
        {
            "csrc/plugin.cpp": PLUGIN,
            "csrc/alone.cu": ALONE,
            "csrc/pool.cu": KERNEL,
            "csrc/bind.cpp": BINDING,
        },
    ),
    "a folder of settings beside": (
        "configs/zero.json",
        {"configs/README.md": "Settings.\n", "configs/zero.json": ZERO},
    ),
    "a folder of settings with some that are code": (
        "configs/zero.json",
        {
            "configs/README.md": "```sh\npython ../a/train.py --config train_small.py\n```\n",
            "configs/train_small.py": "batch = 8\n",
            "configs/zero.json": ZERO,
        },
    ),
    "settings of a project of which the program imports something": (
        "common/configs/zero.json",
        {
            **project("a", PLAIN.replace("import torch\n", "import common.nets, torch\n", 1)),
            **demo("common"),
            "common/pyproject.toml": "",
            "common/__init__.py": "",
            "common/nets.py": "import torch\n",
            "common/configs/zero.json": ZERO,
        },
    ),
    "settings of a library with a manifest and no program": (
        "common/configs/zero.json",
        {"common/pyproject.toml": "", "common/nets.py": "", "common/configs/zero.json": ZERO},
    ),
    "settings of a library that has examples": (
        "lib/configs/zero.json",
        {
            **demo("lib/examples"),
            "lib/pyproject.toml": "",
            "lib/configs/zero.json": ZERO,
        },
    ),
    "settings that the command names": (
        "b/zero.json",
        {**project("a", PLAIN, page="python train.py --cfg ../b/zero.json"), "b/zero.json": ZERO},
    ),
    "settings that code names": (
        "b/zero.json",
        {
            **project("a", PLAIN.replace("class Net", "ZERO = '../b/zero.json'\n\n    class Net")),
            "b/zero.json": ZERO,
        },
    ),
    "settings of a part of the program's own project": (
        "a/scripts/zero.json",
        {**demo("a/scripts"), "a/scripts/zero.json": ZERO},
    ),
    "settings of the tree itself": ("configs/zero.json", {"configs/zero.json": ZERO}),
    "settings of the program's own project": ("a/zero.json", {"a/zero.json": ZERO}),
}  # fmt: skip


@pytest.mark.parametrize("case", STAYS)
def test_what_the_program_may_use_stays_needed(make_tree: MakeTree, case: str) -> None:
    path, files = STAYS[case]
    report = scanned(make_tree, {**TWO, **files})
    assert main(report) == "a/train.py"
    assert reaches(report, path) <= {"main", None}


def test_a_program_that_is_named_as_the_entry_has_its_own_project(make_tree: MakeTree) -> None:
    files = {**COPIES, "a/zero.json": ZERO, "b/zero.json": ZERO}
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in files.items()})
    options = Options(root=root, cache=False, jobs=1, entry=(Path("b/train.py"),))
    report = engine.scan(config.load([root], options, cwd=root))
    for path in ("ops/src/pool.cu", "ops/setup.py", "zero.json"):
        assert reaches(report, f"a/{path}") == {"other"}
        assert reaches(report, f"b/{path}") <= {"main", None}
