"""Which findings are about one library, and what a library costs that is only imported."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from portaudit.discover import Tree
from portaudit.relate.causes import joined
from portaudit.relate.kernels import related, told
from portaudit.relate.modules import Modules
from portaudit.relate.project import roots, with_foreign_uses
from portaudit.score import Way
from portaudit.types import LIBRARY, Finding, RootCause
from snippets import ROOT, catalogue, scan

MAIN = Way({})
"""The main path is known, and nothing on it is guarded."""


def found(files: Mapping[str, str], *dead: str) -> list[Finding]:
    """The findings of a tree whose main path calls all functions but some."""
    results = tuple(scan(files).values())
    kernels = related(results, Modules(Tree.of(ROOT, files), catalogue().libraries)).kernels
    known = told(with_foreign_uses(results), kernels, catalogue().rules)
    return [
        replace(item, reach="unreached" if item.scope in dead else "main")
        for item in joined(known, kernels, catalogue(), results)
    ]


def causes(files: Mapping[str, str], *dead: str) -> dict[str, RootCause]:
    return {root.id: root for root in roots(found(files, *dead), catalogue(), MAIN)}


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("tiny-cuda-nn", "tinycudann"),
        ("transformerengine", "transformer-engine"),
        ("transformer-engine-cu12", "transformer-engine"),
        ("rotary-emb", "flash-attn"),
        ("spconv-cu118", "spconv"),
        ("cupy-cuda12x", "cupy"),
        ("mmcv-full", "mmcv"),
        ("bitsandbytes-cuda117", "bitsandbytes"),
    ],
)
def test_a_package_by_another_name_is_the_same_library(name: str, library: str) -> None:
    row = catalogue().packages.required(name)
    assert row is not None
    assert row.name == library


@pytest.mark.parametrize("name", ["nvidia-cublas-cu12", "no-such-package"])
def test_packages_that_only_share_a_namespace_are_no_library(name: str) -> None:
    assert catalogue().packages.required(name) is None


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("numba.cuda.jit", "numba-cuda"),
        ("numba.njit", "numba"),
        ("mmcv.ops.nms", "mmcv"),
        ("fused_layer_norm_cuda", "apex"),
        ("transformer_engine_extensions", "transformer-engine"),
        ("nothing.known", None),
    ],
)
def test_the_longest_known_part_of_a_name_tells_its_library(name: str, library: str | None) -> None:
    row = catalogue().packages.imported(name)
    assert (row.name if row else None) == library


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("tiny-cuda-nn", "import tinycudann as tcnn\nnet = tcnn.Network(3, 3, {})\n"),
        ("mmcv-full", "from mmcv.ops import nms\n\ndef keep(a, b):\n    return nms(a, b, 0.5)\n"),
        ("transformerengine", "import transformer_engine_extensions as tex\ntex.gemm(1)\n"),
        ("mamba-ssm", "import selective_scan_cuda_core\nselective_scan_cuda_core.fwd(1)\n"),
        ("flash-attn", "import rotary_emb\nrotary_emb.apply_rotary(1)\n"),
    ],
)
def test_a_requirement_and_code_under_another_name_are_one_cause(package: str, code: str) -> None:
    (root,) = causes({"requirements.txt": f"{package}\n", "a.py": code})
    assert root.startswith(LIBRARY)


def test_a_switch_of_a_library_belongs_to_it() -> None:
    files = {
        "a.py": "from flash_attn import flash_attn_func\n\nflash_attn_func(1)\n",
        "c.yaml": "model:\n  attn_implementation: flash_attention_2\n",
    }
    assert set(causes(files)) == {f"{LIBRARY}flash-attn"}


def test_what_lies_behind_a_cuda_part_of_a_package_is_not_the_package() -> None:
    files = {"a.py": "from numba import cuda\n\ncuda.synchronize()\n"}
    assert set(causes(files)) == {f"{LIBRARY}numba-cuda"}


# --- what an import brings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "brings"),
    [
        ("from flash_attn import flash_attn_func as f\n\n\ndef go(q):\n    return f(q)\n", "f"),
        ("import flash_attn\n\n\ndef go(q: flash_attn.Kind) -> None:\n    pass\n", "flash_attn"),
        ("import flash_attn\n\nhas = flash_attn is not None\n", "flash_attn"),
        ("import flash_attn as f\n\n\ndef go(x):\n    return isinstance(x, (f.K, int))\n", "f"),
        ("import flash_attn as f\n\n\ndef go(x):\n    return isinstance(f.K, x)\n", ""),
        ("import flash_attn\n\n\ndef go():\n    return [flash_attn]\n", ""),
        ("import flash_attn\n\n\ndef go():\n    return flash_attn.anything\n", ""),
        ("import flash_attn\n", ""),
        ("try:\n    import flash_attn\nexcept ImportError:\n    pass\n", "flash_attn"),
        ("from flash_attn import *\n", ""),
        ("try:\n    import flash_attn\nexcept ImportError:\n    raise\n", ""),
        ("import flash_attn as f, flash_attn as g\n\n\ndef go(q: f.A) -> g.B:\n    pass\n", "f g"),
        ("import flash_attn\n\n\n@wraps\ndef go():\n    return flash_attn.anything\n", ""),
        ("import vllm\n\n\ndef go(q: vllm.LLM) -> None:\n    pass\n", "vllm"),
    ],
)
def test_an_import_says_what_it_brings_if_findings_know_all_uses(code: str, brings: str) -> None:
    imports = [
        item for item in found({"a.py": code}) if item.span.line in {1, 2} and not item.scope
    ]
    assert [item.brings for item in imports] == [brings]


def test_the_body_of_a_kernel_uses_the_language_it_is_written_in() -> None:
    code = """
        import triton
        import triton.language as tl

        @triton.jit
        def kernel(x, n: tl.constexpr):
            tl.store(x + tl.arange(0, n), 0)

        def go(x):
            kernel[(1,)](x, 64)
        """
    imports = [item for item in found({"a.py": code}) if item.rule == "TRI003"]
    assert {item.brings for item in imports} == {"triton", "tl"}


# --- imported only --------------------------------------------------------------------------------

ATTENTION = """
from flash_attn import flash_attn_func

def attend(q, k, v):
    return flash_attn_func(q, k, v)
"""


def test_a_library_that_nothing_on_the_path_calls_is_an_import_to_move() -> None:
    key = f"{LIBRARY}flash-attn"
    used = causes({"a.py": ATTENTION})[key]
    idle = causes({"a.py": ATTENTION}, "attend")[key]
    assert (used.severity, idle.severity) == ("major", "minor")
    assert idle.title.endswith("imported only")
    assert idle.fix.startswith("Move the import into the code that uses it")
    assert idle.effort_days == MAIN.assumptions.days(MAIN.assumptions.wiring)
    assert not used.title.endswith("uses it")


def test_an_import_that_may_fail_costs_nothing_where_nothing_is_called() -> None:
    lines = ATTENTION.replace(
        "from flash_attn import flash_attn_func",
        "try:\n    from flash_attn import flash_attn_func\nexcept ImportError:\n"
        "    flash_attn_func = None",
    )
    idle = causes({"a.py": lines}, "attend")[f"{LIBRARY}flash-attn"]
    assert (idle.severity, idle.effort_days) == ("info", (0.0, 0.0))
    assert "imported only" not in idle.title


def test_what_another_file_takes_from_the_module_is_used() -> None:
    files = {"compat.py": ATTENTION, "b.py": "import compat\n\nTABLE = [compat.flash_attn_func]\n"}
    idle = causes(files, "attend")[f"{LIBRARY}flash-attn"]
    assert idle.severity == "major"


MEMBERS = {
    "set by itself": ("self.flash_attn_func = Linear(3)", "self.flash_attn_func(x)", "minor"),
    "of another class": ("self.other = 3", "self.flash_attn_func(x)", "major"),
    "of another object": (
        "self.flash_attn_func = Linear(3)",
        "self.flash_attn_func(x) + net.flash_attn_func(x)",
        "major",
    ),
    "made of it": (
        "self.flash_attn_func = compat.flash_attn_func",
        "self.flash_attn_func(x)",
        "major",
    ),
    "asked by its name": (
        "self.flash_attn_func = Linear(3)",
        "self.flash_attn_func(x) + getattr(compat, 'flash_attn_func')(x)",
        "major",
    ),
    "a name": (
        "self.flash_attn_func = Linear(3)",
        "self.flash_attn_func(flash_attn_func)",
        "major",
    ),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_what_an_object_sets_itself_is_no_use_of_a_library(case: str) -> None:
    made, used, severity = MEMBERS[case]
    other = (
        "import compat\nfrom torch.nn import Linear\n\nclass Net:\n    def __init__(self):\n"
        f"        {made}\n\n    def forward(self, x):\n        return {used}\n"
    )
    idle = causes({"compat.py": ATTENTION, "b.py": other}, "attend")[f"{LIBRARY}flash-attn"]
    assert idle.severity == severity


def test_what_another_file_takes_by_an_import_of_its_own_is_its_own_use() -> None:
    code = """
try:
    import layer_norm_cuda
except ImportError:
    layer_norm_cuda = None

def norm(x):
    return layer_norm_cuda.forward(x)
"""
    known = causes({"a.py": code, "old/b.py": code}, "norm").values()
    assert {root.effort_days for root in known if root.reach == "main"} == {(0.0, 0.0)}


def test_the_import_of_triton_beside_kernels_that_nothing_starts_is_one_to_move() -> None:
    code = """
        import triton
        import triton.language as tl

        @triton.jit
        def kernel(x, n: tl.constexpr):
            tl.store(x + tl.arange(0, n), 0)
        """
    known = [
        replace(item, reach="unreached" if item.rule == "TRI001" else "main")
        for item in found({"a.py": code})
    ]
    (root,) = roots(known, catalogue(), MAIN)
    assert (root.severity, root.reach) == ("minor", "main")


def test_the_kernel_that_another_project_has_is_not_called_by_name_alone() -> None:
    binding = """
        #include <torch/extension.h>
        __global__ void pool_kernel(float* x) { x[threadIdx.x] = 0.f; }
        void pool(torch::Tensor x) { pool_kernel<<<1, 32>>>(x.data_ptr<float>()); }
        PYBIND11_MODULE(pool_ext, m) { m.def("pool", &pool); }
        """
    files = {
        "projects/fast/setup.py": "from setuptools import setup\nsetup()\n",
        "projects/fast/ops/__init__.py": "",
        "projects/fast/ops/src/pool.cu": binding,
        "projects/fast/ops/pool.py": "from .pool_ext import pool\n\n\ndef go(x):\n    pool(x)\n",
        "net/pool.py": "from mmcv.utils import ext_loader\n\n"
        "ext = ext_loader.load_ext('_ext', [])\n\n\ndef go(x):\n    ext.pool(x)\n",
    }
    results = tuple(scan(files).values())
    (kernel,) = related(results, Modules(Tree.of(ROOT, files), catalogue().libraries)).kernels
    assert [place.path for place in kernel.callers] == ["projects/fast/ops/pool.py"]
    del files["projects/fast/ops/pool.py"]
    results = tuple(scan(files).values())
    (kernel,) = related(results, Modules(Tree.of(ROOT, files), catalogue().libraries)).kernels
    assert [place.path for place in kernel.callers] == ["net/pool.py"]


# --- what one library asks of another -------------------------------------------------------------


def test_settings_of_a_trainer_are_of_the_library_that_they_ask_for() -> None:
    files = {
        "load.py": """
from peft import prepare_model_for_kbit_training
from transformers import AutoModel, BitsAndBytesConfig
from transformers.integrations import HfDeepSpeedConfig
import bitsandbytes.nn as bnb

def load(name, settings):
    quantised = BitsAndBytesConfig(load_in_4bit=True)
    sharded = HfDeepSpeedConfig(settings)
    head = bnb.Linear4bit(1, 2)
    return prepare_model_for_kbit_training(AutoModel.from_pretrained(name)), sharded, head
""",
        "requirements.txt": "bitsandbytes\n",
    }
    assert {item.root for item in found(files)} == {
        f"{LIBRARY}bitsandbytes",
        f"{LIBRARY}deepspeed",
    }


def test_the_import_of_a_settings_class_asks_for_no_library() -> None:
    assert not found({"load.py": "from transformers import BitsAndBytesConfig\n"})


def test_a_launcher_is_of_the_library_that_it_starts() -> None:
    files = {"run.sh": "deepspeed train.py\n", "train.py": "import deepspeed\n"}
    assert {item.root for item in found(files)} == {f"{LIBRARY}deepspeed"}
