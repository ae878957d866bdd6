from __future__ import annotations

from collections.abc import Mapping

import pytest

from portaudit.catalogue.library import counterpart
from portaudit.discover import Tree
from portaudit.relate.kernels import related, told
from portaudit.relate.modules import Modules
from portaudit.types import (
    Binding,
    Bound,
    FileFacts,
    FileResult,
    Function,
    Kernel,
    Location,
    NativeFacts,
)
from snippets import ROOT, catalogue, scan

HEAD = """
import triton
import triton.language as tl
"""
SOFTMAX = (
    HEAD
    + """
@triton.autotune(configs=[], key=["n"])
@triton.jit
def softmax_fwd_kernel(x_ptr, n, BLOCK: tl.constexpr):
    # comments are no lines of code

    row = tl.load(x_ptr)
    tl.store(x_ptr, tl.exp(row - tl.max(row, axis=0)) / total(row))


@triton.jit
def softmax_bwd_kernel(x_ptr):
    tl.atomic_add(x_ptr, 1.0)


@triton.jit
def total(row):
    return tl.sum(row, axis=0)


class Softmax:
    @staticmethod
    def forward(x):
        softmax_fwd_kernel[(1,)](x, 3)


def softmax(x):
    return Softmax.forward(x)


def softmax_ref(x):
    return x.softmax(-1)
"""
)


def inventory(files: Mapping[str, str]) -> dict[str, Kernel]:
    results = tuple(scan(files).values())
    modules = Modules(Tree.of(ROOT, files), catalogue().libraries)
    return {kernel.name: kernel for kernel in related(results, modules).kernels}


def test_a_triton_kernel_with_all_that_the_file_says_of_it() -> None:
    kernel = inventory({"ops/soft.py": SOFTMAX})["softmax_fwd_kernel"]
    assert (kernel.language, kernel.line, kernel.end_line, kernel.lines) == ("triton", 5, 10, 3)
    assert kernel.parameters == ("x_ptr", "n", "BLOCK")
    assert kernel.variants == ("BLOCK",)
    assert kernel.autotuned
    assert kernel.backward == "softmax_bwd_kernel"
    assert [(each.name, each.line) for each in kernel.features] == [("reduction", 10)]
    assert kernel.launched_by == (Location("ops/soft.py", 26),)
    assert kernel.fallback == Location("ops/soft.py", 33)
    assert (kernel.difficulty, kernel.reasons) == ("moderate", ("reduction",))
    assert kernel.fingerprint.startswith("pa1:")


def test_helpers_are_marked_and_their_features_count_where_they_are_called() -> None:
    found = inventory({"ops/soft.py": SOFTMAX})
    assert [name for name, kernel in found.items() if kernel.helper] == ["total"]
    assert found["softmax_fwd_kernel"].features[0].count == 2


def test_callers_are_found_through_imports_and_wrappers() -> None:
    found = inventory(
        {
            "pkg/__init__.py": "from .ops import softmax",
            "pkg/ops.py": SOFTMAX,
            "pkg/model.py": "from .ops import softmax as fast\n\ny = fast(x)\n",
            "train.py": "import pkg\npkg.softmax(1)\n",
            "other.py": "def softmax(x): ...\nsoftmax(1)\n",
        }
    )
    assert found["softmax_fwd_kernel"].callers == (
        Location("pkg/model.py", 3),
        Location("train.py", 2),
    )


def test_a_helper_of_another_file_is_called_by_its_kernels_only() -> None:
    user = HEAD + "from pkg.ops import total\n\n@triton.jit\ndef k(x):\n    total(x)\n\nk[1](2)\n"
    helper = HEAD + "\n@triton.jit\ndef total(row):\n    return tl.sum(row)\n"
    found = inventory({"pkg/__init__.py": "", "pkg/ops.py": helper, "pkg/user.py": user})
    assert found["total"].helper
    assert found["total"].callers == ()


@pytest.mark.parametrize(
    ("body", "difficulty", "reason"),
    [
        ("tl.store(x, tl.load(x) * 2)", "simple", "each element by itself"),
        ("tl.store(x, tl.sum(tl.load(x)))", "moderate", "reduction"),
        ("tl.atomic_add(x, 1)", "moderate", "atomics"),
        ("while tl.load(x) > 0: x += 1", "moderate", "loop of unknown length"),
        ("tl.dot(x, x)", "hard", "matrix product"),
        ("tl.associative_scan(x, 0, add)", "hard", "scan"),
        ("while tl.atomic_cas(x, 0, 1) == 1: pass", "research", "locks between programs"),
        ('tl.inline_asm_elementwise("x")', "research", "inline assembly"),
        ("tl.make_tensor_descriptor(x)", "research", "tensor descriptors (TMA)"),
    ],
)
def test_difficulty_follows_from_what_a_kernel_uses(
    body: str, difficulty: str, reason: str
) -> None:
    (kernel,) = inventory({"k.py": f"{HEAD}\n@triton.jit\ndef k(x):\n    {body}\n"}).values()
    assert (kernel.difficulty, kernel.reasons[0]) == (difficulty, reason)


def test_every_definition_counts_also_those_of_the_same_name() -> None:
    text = (
        HEAD
        + "if new:\n    @triton.jit\n    def k(x): ...\nelse:\n    @triton.jit\n    def k(x): ...\n"
    )
    results = scan({"k.py": text})
    assert [kernel.line for kernel in results["k.py"].inventory] == [4, 7]


def test_effort_of_a_finding_is_that_of_its_kernel() -> None:
    results = scan({"ops/soft.py": SOFTMAX})
    found = [item for item in results["ops/soft.py"].findings if item.rule == "TRI001"]
    assert [item.effort for item in found] == ["medium", "medium", "trivial"]


def native(path: str, facts: NativeFacts, *kernels: Kernel) -> FileResult:
    return FileResult(path, facts=FileFacts(native=facts), inventory=kernels)


def test_a_cuda_kernel_is_joined_with_launcher_binding_caller_and_cpu_form() -> None:
    kernel = Kernel("nms_kernel", "cuda", "csrc/nms.cu", 3, 9, 5, "moderate", ("atomics",))
    cuda = NativeFacts((Function("nms_cuda", 12, launches=("nms_kernel",)),))
    binding = Binding("torch-library", "own::nms", "csrc/bind.cpp", 8)
    bind = NativeFacts(
        (Function("nms", 2, calls=("nms_cuda",)),),
        (
            Bound(binding, "nms", "cuda"),
            Bound(Binding("torch-library", "own::nms", "csrc/cpu.cpp", 4), "nms_cpu", "cpu"),
        ),
    )
    python = scan({"ops.py": "import torch\n\nkept = torch.ops.own.nms(boxes)\n"})["ops.py"]
    results = (
        native("csrc/nms.cu", cuda, kernel),
        native("csrc/bind.cpp", bind),
        python,
    )
    (joined,) = related(results, Modules(Tree.of(ROOT, ["ops.py"]), catalogue().libraries)).kernels
    assert joined.launched_by == (Location("csrc/nms.cu", 12),)
    assert joined.bound_as == (binding,)
    assert joined.callers == (Location("ops.py", 3),)
    assert joined.fallback == Location("csrc/cpu.cpp", 4)


def test_a_loaded_extension_module_leads_to_its_kernel() -> None:
    kernel = Kernel("k", "cuda", "k.cu", 1, 2, 1, "simple", ())
    facts = NativeFacts(
        (Function("run", 1, launches=("k",)),),
        (Bound(Binding("pybind", "run_fast", "k.cu", 9), "run"),),
    )
    text = (
        'from torch.utils.cpp_extension import load\n\next = load("x", ["k.cu"])\next.run_fast(1)\n'
    )
    python = scan({"use.py": text})["use.py"]
    (joined,) = related(
        (native("k.cu", facts, kernel), python),
        Modules(Tree.of(ROOT, ["use.py"]), catalogue().libraries),
    ).kernels
    assert joined.callers == (Location("use.py", 4),)


def test_a_name_that_two_modules_bind_leads_nowhere() -> None:
    facts = [
        NativeFacts(
            (Function("run", 1, launches=("k",)),),
            (Bound(Binding("pybind", "forward", path, 9), "run"),),
        )
        for path in ("a/bind.cpp", "b/bind.cpp")
    ]
    python = scan({"use.py": "import torch\nfrom pkg import _C\n\n_C.forward(1)\n"})["use.py"]
    kernel = Kernel("k", "cuda", "a/bind.cpp", 1, 2, 1, "simple", ())
    (joined,) = related(
        (native("a/bind.cpp", facts[0], kernel), native("b/bind.cpp", facts[1]), python),
        Modules(Tree.of(ROOT, ["use.py"]), catalogue().libraries),
    ).kernels
    assert joined.bound_as
    assert joined.callers == ()


def test_a_finding_names_the_kernel_of_nki_library() -> None:
    text = HEAD + "\n@triton.jit\ndef rope_kernel(x):\n    tl.store(x, 1)\n"
    results = tuple(scan({"k.py": text}).values())
    kernels = related(results, Modules(Tree.of(ROOT, ["k.py"]), catalogue().libraries)).kernels
    found = [item for item in results[0].findings if item.rule == "TRI001"]
    (said,) = told(found, kernels, catalogue().rules)
    assert said.fix.startswith("By its name nki-library has a kernel for this job: `rope`")
    assert said.fix.endswith(catalogue().rules["TRI001"].fix)
    assert said.fingerprint == found[0].fingerprint


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_attn_fwd", "attention-cte"),
        ("flash_attention_kernel", "attention-cte"),
        ("_attn_bwd_preprocess", None),
        ("linear_attn_fwd", None),
        ("selective_scan_fwd_kernel", "selective-scan"),
        ("liger_cross_entropy_kernel", "cross-entropy"),
        ("_triton_rope", "rope"),
        ("ms_deformable_col2im_gpu_kernel", "ms-deformable-attention-bwd"),
        ("ms_deformable_im2col_gpu_kernel", "ms-deformable-attention"),
        ("deformable_im2col_gpu_kernel", None),
        ("rms_norm_fwd", None),
        ("add_kernel", None),
    ],
)
def test_nki_library_is_named_only_for_the_same_job(name: str, expected: str | None) -> None:
    found = counterpart(name)
    assert (found.name if found else None) == expected
