"""Whole trees with an operator in PyTorch beside its kernel that only the CPU takes.

In the first ones the arm for the CPU computes what the kernel does: the work is an edit of the
condition. In the others it does not, or something else leads to the kernel: it has to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.report import plan
from portaudit.report.formats import FORMATS, View
from portaudit.types import Finding, Location, Report
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
LOADED = """
import torch
from torch.nn import functional as F
from torch.utils.cpp_extension import load

plugin = load("plugin", sources=["csrc/scale.cu"])

class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return plugin.scale_rows(x)

    @staticmethod
    def backward(ctx, grad):
        return plugin.scale_rows(grad)

def scale_native(x):
    y = x.reshape(-1)
    return F.leaky_relu(y, 0.2).view(x.shape) * 2

def check(x):
    raise NotImplementedError("no CPU version")
"""
BUILT = LOADED.replace(
    'plugin = load("plugin", sources=["csrc/scale.cu"])', "import plugin_C as plugin"
).replace("from torch.utils.cpp_extension import load\n", "")
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension

setup(
    name="plugin",
    ext_modules=[CUDAExtension("plugin_C", ["csrc/scale.cu"])],
    cmdclass={"build_ext": BuildExtension},
)
"""


def tree(ops: str, head: str = LOADED, **files: str) -> dict[str, str]:
    """A program that trains with `ops.scale`."""
    others = {f"{name}.py": dedent(text) for name, text in files.items()}
    return {
        "train.py": TRAIN,
        "ops.py": f"{head}\n{dedent(ops)}",
        "csrc/scale.cu": KERNEL,
        **others,
    }


PORTABLE = {
    "another arm": """
        def scale(x):
            if x.device.type == "cpu":
                return scale_native(x)  # here
            else:
                return Scale.apply(x)
        """,
    "what stands behind": """
        def scale(x):
            if x.device.type == "cpu":
                return F.relu(x) * 2  # here
            return Scale.apply(x)
        """,
    "the kernel first": """
        def scale(x):
            if x.device.type != "cpu":
                return Scale.apply(x)
            return scale_native(x)  # here
        """,
    "a name for the result": """
        def scale(x):
            if x.device == torch.device("cpu"):
                out = scale_native(x)  # here
            else:
                out = Scale.apply(x.contiguous())
            return out
        """,
    "one line": """
        def scale(x):
            return scale_native(x) if x.is_cpu else Scale.apply(x)  # here
        """,
    "not on the CPU": """
        def scale(x):
            if not x.is_cpu:
                return Scale.apply(x)
            return scale_native(x)  # here
        """,
    "a name for the test": """
        def scale(x):
            on_host = x.device.type == "cpu"
            if on_host:
                return scale_native(x)  # here
            return Scale.apply(x)
        """,
    "or whoever wants it": """
        def scale(x, plain=False):
            if plain or x.device.type == "cpu":
                return scale_native(x)  # here
            return Scale.apply(x)
        """,
    "an error on other devices": """
        def scale(x):
            if x.device.type == "cpu":
                return scale_native(x)  # here
            elif x.device.type == "cuda":
                return Scale.apply(x)
            raise RuntimeError("no such device")
        """,
    "arms of its own": """
        def scale(x, twice=True):
            if x.device.type == "cpu":
                if twice:  # here
                    return scale_native(x)
                else:
                    return x * 1.5
            else:
                return Scale.apply(x)
        """,
    "a module": """
        class Layer(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.zeros(3))

            def forward(self, x):
                if x.device.type == "cpu":
                    return F.linear(x, self.weight)  # here
                return Scale.apply(x)

        def scale(x):
            return Layer()(x)
        """,
}
NEEDED = {
    "an error": """
        def scale(x):
            if x.device.type == "cpu":
                raise RuntimeError("needs a GPU")
            return Scale.apply(x)
        """,
    "an error some calls away": """
        def scale(x):
            if x.device.type == "cpu":
                return check(x)
            return Scale.apply(x)
        """,
    "nothing": """
        def scale(x):
            if x.device.type == "cpu":
                pass
            else:
                x = Scale.apply(x)
            return x
        """,
    "what is said": """
        import warnings

        def scale(x):
            if x.device.type == "cpu":
                warnings.warn("slow")
                return None
            return Scale.apply(x)
        """,
    "the input": """
        def scale(x):
            if x.device.type == "cpu":
                return x.clone()
            return Scale.apply(x)
        """,
    "room for the result": """
        def scale(x):
            if x.device.type == "cpu":
                return torch.zeros_like(x)
            return Scale.apply(x)
        """,
    "the same kernel with a copy": """
        def scale(x):
            if x.device.type == "cpu":
                return Scale.apply(x.cuda()).cpu() * 2
            return Scale.apply(x)
        """,
    "another function of the extension": """
        def scale(x):
            if x.device.type == "cpu":
                return plugin.scale_rows_cpu(x) * 2
            return Scale.apply(x)
        """,
    "another compiled extension": """
        import plugin_cpu

        def scale(x):
            if x.device.type == "cpu":
                return plugin_cpu.forward(x) * 2
            return Scale.apply(x)
        """,
    "an extension by another name": """
        def scale(x):
            ops = plugin
            if x.device.type == "cpu":
                return ops.scale_rows_cpu(x) * 2
            return Scale.apply(x)
        """,
    "one of several extensions": """
        EXTENSIONS = {"scale": plugin}

        def scale(x):
            if x.device.type == "cpu":
                return EXTENSIONS["scale"].scale_rows_cpu(x) * 2
            return Scale.apply(x)
        """,
    "one of several extensions by another name": """
        EXTENSIONS = {"scale": plugin}

        def scale(x):
            ops = EXTENSIONS["scale"]
            if x.device.type == "cpu":
                return ops.scale_rows_cpu(x) * 2
            return Scale.apply(x)
        """,
    "a member of the layer": """
        class Layer(torch.nn.Module):
            def __init__(self, op):
                super().__init__()
                self.op = op

            def forward(self, x):
                if x.device.type == "cpu":
                    return self.op.on_cpu(x) * 2
                return Scale.apply(x)

        def scale(x):
            return Layer(plugin)(x)
        """,
    "a registered operator": """
        def scale(x):
            if x.device.type == "cpu":
                return torch.ops.plugin.scale_rows(x) * 2
            return Scale.apply(x)
        """,
    "a function that calls the extension": """
        def _host(x):
            return plugin.scale_rows_cpu(x) * 2

        def scale(x):
            if x.device.type == "cpu":
                return _host(x)
            return Scale.apply(x)
        """,
    "NumPy": """
        import numpy as np

        def scale(x):
            if x.device.type == "cpu":
                return torch.from_numpy(np.tanh(x.detach().numpy())) * 2
            return Scale.apply(x)
        """,
    "another name": """
        def scale(x):
            out = x
            if x.device.type == "cpu":
                other = scale_native(x)
            else:
                out = Scale.apply(x)
            return out
        """,
    "something else": """
        def scale(x, y=None):
            if x.device.type == "cpu":
                return torch.relu(y)
            return Scale.apply(x)
        """,
    "only small ones": """
        def scale(x, small=False):
            if small and x.device.type == "cpu":
                return scale_native(x)
            return Scale.apply(x)
        """,
    "another test": """
        def scale(x, mode="cpu"):
            if mode == "cpu":
                return scale_native(x)
            return Scale.apply(x)
        """,
    "a backend": """
        def scale(x):
            if torch.distributed.get_backend() == "gloo":
                return scale_native(x)
            return Scale.apply(x)
        """,
    "a call beside it": """
        def again(x):
            return Scale.apply(x)

        def scale(x):
            if x.device.type == "cpu":
                return scale_native(x)
            return Scale.apply(x) + again(x)

        again(torch.zeros(3))
        """,
    "what is kept besides": """
        class Layer(torch.nn.Module):
            def forward(self, x):
                if x.device.type == "cpu":
                    out = scale_native(x)
                else:
                    out = Scale.apply(x)
                    self.seen = out
                return out

        def scale(x):
            return Layer()(x)
        """,
}


def native(report: Report) -> list[Finding]:
    """What speaks of the extension or its kernel, on the main path."""
    kinds = {"cuda-source", "custom-cuda-ext"}
    return [item for item in report.findings if item.category in kinds and item.reach == "main"]


def here(ops: str) -> Location:
    lines = ops.splitlines()
    return Location("ops.py", 1 + next(at for at, line in enumerate(lines) if "# here" in line))


@pytest.mark.parametrize("case", PORTABLE)
def test_an_operator_that_the_cpu_has_in_pytorch_asks_for_an_edit(
    make_tree: MakeTree, case: str
) -> None:
    files = tree(PORTABLE[case])
    report = report_of(make_tree(files))
    found = native(report)
    place = here(files["ops.py"])
    assert {item.path for item in found} == {"ops.py", "csrc/scale.cu"}
    assert {item.portable for item in found} == {place}
    assert {item.effective_severity for item in found} == {"blocker"}
    assert {item.effort for item in found} <= {"trivial", "small"}
    assert all("ops.py" in item.fix for item in found)
    roots = [each for each in report.roots if each.category in {"cuda-source", "custom-cuda-ext"}]
    assert {each.portable for each in roots} == {(place,)}
    assert report.score.verdict == "edits only"


@pytest.mark.parametrize("case", NEEDED)
def test_an_arm_that_is_no_such_operator_leaves_the_kernel_to_be_written(
    make_tree: MakeTree, case: str
) -> None:
    report = report_of(make_tree(tree(NEEDED[case])))
    found = native(report)
    assert {item.path for item in found} == {"ops.py", "csrc/scale.cu"}
    assert {item.portable for item in found} == {None}
    assert report.score.verdict == "write kernels"


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"badge"}))
def test_no_output_asks_for_a_kernel_that_the_cpu_has_in_pytorch(
    make_tree: MakeTree, name: str
) -> None:
    files = tree(PORTABLE["another arm"])
    report = report_of(make_tree(files))
    text = FORMATS[name].render(report, View(width=200))
    place = here(files["ops.py"])
    assert "written again" not in text
    assert f"{place.path}:{place.line}" in text


def test_the_plan_and_the_remedies_say_the_same(make_tree: MakeTree) -> None:
    files = tree(PORTABLE["another arm"])
    report = report_of(make_tree(files))
    place = here(files["ops.py"])
    (kernel,) = (item for item in native(report) if item.rule == "SRC010")
    assert kernel.message == (
        "`scale_rows_kernel` is a CUDA kernel: "
        f"its operator stands in PyTorch at `{place.path}:{place.line}`, for the CPU only"
    )
    assert kernel.message in {root.title for root in report.roots}
    assert {item.facts.replacement for item in native(report)} == {""}
    assert "written again" not in plan.render(report, ())


def test_what_a_setup_script_builds(make_tree: MakeTree) -> None:
    files = tree(PORTABLE["another arm"], head=BUILT, setup=SETUP)
    report = report_of(make_tree(files))
    found = native(report)
    assert {item.path for item in found} == {"setup.py", "csrc/scale.cu"}
    assert {item.portable for item in found} == {here(files["ops.py"])}
    assert report.score.verdict == "edits only"


def test_a_function_that_is_called_like_its_module_and_the_kernel(make_tree: MakeTree) -> None:
    files = tree(PORTABLE["another arm"].replace("def scale(", "def scale_rows("))
    files["ops/scale_rows.py"] = files.pop("ops.py").replace("csrc/", "../csrc/")
    files["ops/__init__.py"] = "from .scale_rows import scale_rows\n"
    called = TRAIN.replace("import ops", "from ops import scale_rows")
    files["train.py"] = called.replace("ops.scale(", "scale_rows(")
    report = report_of(make_tree(files))
    found = native(report)
    assert {item.path for item in found} == {"ops/scale_rows.py", "csrc/scale.cu"}
    assert None not in {item.portable for item in found}


TRITON = """
import torch
import triton
import triton.language as tl

@triton.jit
def _double(value):
    return value * 2

@triton.jit
def scale_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, _double(tl.load(x_ptr + offsets, mask=mask)), mask=mask)

def fast(x):
    y = torch.empty_like(x)
    scale_kernel[(1,)](x, y, x.numel(), BLOCK=64)
    return y

def scale(x):
    if x.device.type == "cpu":
        return {plain}
    return fast(x)
"""


@pytest.mark.parametrize(
    ("plain", "verdict"), [("torch.mul(x, 2)", "edits only"), ("fast(x) * 2", "write kernels")]
)
def test_a_kernel_of_triton(make_tree: MakeTree, plain: str, verdict: str) -> None:
    report = report_of(make_tree({"train.py": TRAIN, "ops.py": TRITON.replace("{plain}", plain)}))
    found = [item for item in report.findings if item.category == "triton-kernel"]
    assert found
    assert {item.portable is not None for item in found} == {verdict == "edits only"}
    assert report.score.verdict == verdict


def test_an_extension_of_which_nothing_is_there(make_tree: MakeTree) -> None:
    files = tree(PORTABLE["another arm"])
    files["more.py"] = """
from torch.utils.cpp_extension import load

other = load("other", sources=["elsewhere/other.cu"])
"""
    files["train.py"] = TRAIN.replace("import ops", "import more\nimport ops")
    report = report_of(make_tree(files))
    places = {item.path: item.portable for item in native(report)}
    assert places.keys() == {"more.py", "ops.py", "csrc/scale.cu"}
    assert places["csrc/scale.cu"] is not None
    assert {places["more.py"], places["ops.py"]} == {None}


def test_a_second_operator_without_such_an_arm(make_tree: MakeTree) -> None:
    ops = (
        PORTABLE["another arm"]
        .replace("return Scale.apply(x)", "return Scale.apply(x) * plugin.shift_rows(x)")
        .replace("scale_native(x)", "scale_native(x) * plugin.shift_rows(x)")
    )
    files = tree(ops)
    files["csrc/scale.cu"] = KERNEL + KERNEL.partition("PYBIND11")[0].replace("scale_", "shift_")
    files["csrc/scale.cu"] += 'PYBIND11_MODULE(again, m) { m.def("shift_rows", &shift_rows); }\n'
    report = report_of(make_tree(files))
    assert {item.portable for item in native(report)} == {None}
    assert report.score.verdict == "write kernels"


def test_a_file_alone_knows_nothing_of_it(make_tree: MakeTree) -> None:
    files = tree(PORTABLE["another arm"])
    del files["train.py"]
    report = report_of(make_tree(files))
    assert {item.portable for item in report.findings} == {None}
