"""Kernels that are written together are one piece of work, others are not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from portaudit.catalogue.assumptions import standard
from portaudit.discover import Tree
from portaudit.relate.causes import joined, settled
from portaudit.relate.kernels import related, told
from portaudit.relate.modules import Modules
from portaudit.relate.project import roots, with_foreign_uses
from portaudit.types import OPERATOR, Finding, RootCause
from snippets import ROOT, catalogue, scan

KERNEL = """
__global__ void {name}(float* x, int n) {{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2.f;
}}
"""


def kernels(*names: str) -> str:
    return "".join(KERNEL.format(name=name) for name in names)


def launches(function: str, *names: str) -> str:
    calls = "".join(f"  {name}<<<1, 64>>>(x.data_ptr<float>(), x.numel());\n" for name in names)
    return f"void {function}(torch::Tensor x) {{\n{calls}}}\n"


def found(files: Mapping[str, str]) -> tuple[Finding, ...]:
    results = tuple(scan(files).values())
    inventory = related(results, Modules(Tree.of(ROOT, files), catalogue().libraries)).kernels
    known = told(with_foreign_uses(results), inventory, catalogue().rules)
    return settled(joined(known, inventory, catalogue(), results))


def operators(files: Mapping[str, str]) -> dict[str, RootCause]:
    known = roots(found(files), catalogue())
    return {root.id.removeprefix(OPERATOR): root for root in known if root.id.startswith(OPERATOR)}


# --- what is written together ---------------------------------------------------------------------


def test_what_one_function_starts_is_one_operator() -> None:
    source = kernels("small_rows", "large_rows") + launches("softmax", "small_rows", "large_rows")
    (root,) = operators({"csrc/softmax.cu": source}).values()
    assert root.title == "`small_rows` and one more kernel of its operator"
    assert len(root.sites) == 2


CHOOSING = """
void softmax(float* x, int n) {
  if (n < 9) { small_rows<<<1, 1>>>(x, n); } else { large_rows<<<1, 1>>>(x, n); }
}
"""
BOUND = """
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("softmax", &softmax); }
"""
CHOOSING += BOUND


def variants(code: str, *names: str, chosen: str = CHOOSING) -> dict[str, str]:
    """The kernels of a file that others stand for, each with that one."""
    first, second = names or ("small_rows", "large_rows")
    chosen = chosen.replace("small_rows", first).replace("large_rows", second)
    results = tuple(scan({"csrc/softmax.cu": kernels(first, second) + chosen + code}).values())
    modules = Modules(Tree.of(ROOT, ["csrc/softmax.cu"]), catalogue().libraries)
    return {
        each.name: each.variant_of for each in related(results, modules).kernels if each.variant_of
    }


@pytest.mark.parametrize(
    "names",
    [
        ("softmax_kernel", "softmax_kernel_v2"),
        ("softmax_float4", "softmax"),
        ("im_col2im_gpu_kernel_shm_blocksize_aware_reduce_v1", "im_col2im_gpu_kernel_gm"),
        ("SoftmaxWarpKernel", "SoftmaxBlockKernel"),
    ],
)
def test_names_of_variants_differ_in_how_it_is_done(names: tuple[str, str]) -> None:
    assert variants("", *names) == {names[1]: names[0]}


@pytest.mark.parametrize(
    "names",
    [
        ("softmax_forward", "softmax_backward"),
        ("softmax", "softmax_backward"),
        ("softmax", "softmax_grad_kernel"),
        ("blur_rows", "blur_columns"),
        ("blur", "blur_cols"),
        ("fft", "inverse_fft"),
        ("layernorm_kernel", "rotary_kernel"),
        ("small_kernel", "large_kernel"),
        ("red", "black"),
        ("scan", "scan_fixup"),
    ],
)
def test_kernels_of_other_names_do_something_else(names: tuple[str, str]) -> None:
    assert variants("", *names) == {}


RUN = "torch::Tensor run(torch::Tensor x) {{ {} }}\n"
BOUND_RUN = """
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("run", &run); }
"""


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        ("softmax(x.data_ptr<float>(), n);", True),
        ("for (int i = 0; i < n; ++i) { softmax(x.data<float>() + i, size); }", True),
        ("for (int i = 0; i < n; ++i) { softmax(x.data<float>(), i); }", False),
        ("softmax(x.data_ptr<float>(), 1); softmax(x.data_ptr<float>(), 99);", False),
        ("std::for_each(a, b, [&](int i) { softmax(y, i); });", False),
    ],
)
def test_variants_are_of_a_function_that_runs_once(body: str, is_one: bool) -> None:
    chosen = CHOOSING.removesuffix(BOUND) + RUN.format(body) + BOUND_RUN
    assert bool(variants("", chosen=chosen)) is is_one


@pytest.mark.parametrize(
    "more",
    [
        "void again(float* x) { softmax(x, 1); }",
        'PYBIND11_MODULE(other, m) { m.def("softmax_2", &softmax); }',
        "void (*TABLE[])(float*, int) = {softmax};",
    ],
)
def test_a_function_that_something_else_has_as_well_may_run_again(more: str) -> None:
    assert variants("") != {}
    assert variants(more) == {}


def test_a_function_that_calls_itself_may_launch_both() -> None:
    chosen = CHOOSING.replace("{\n", "{\n  if (n > 64) softmax(x, n / 64);\n", 1)
    assert variants("", chosen=chosen) == {}


def test_a_function_that_nothing_is_known_to_call_may_run_again() -> None:
    assert variants("", chosen=CHOOSING.removesuffix(BOUND)) == {}


def test_of_variants_among_which_a_function_chooses_one_is_written() -> None:
    files = {"csrc/softmax.cu": kernels("small_rows", "large_rows") + CHOOSING}
    (root,) = operators(files).values()
    assert root.title == "`small_rows` and one more form of it"
    (alone,) = operators(
        {"csrc/softmax.cu": kernels("small_rows") + launches("softmax", "small_rows")}
    ).values()
    assert alone.effort_days[1] < root.effort_days[1] < 1.1 * alone.effort_days[1]
    first, second = (item for item in found(files) if item.rule == "SRC010")
    assert (first.severity, second.severity, second.effort) == ("blocker", "minor", "trivial")
    assert "small_rows" in second.fix


def test_a_variant_that_another_function_launches_is_a_kernel_of_its_own() -> None:
    source = kernels("small_rows", "large_rows") + CHOOSING + launches("rows", "large_rows")
    severities = {item.severity for item in found({"csrc/softmax.cu": source}) if item.kernel}
    assert severities == {"blocker"}


def test_the_variant_that_is_most_to_write_stands_for_all() -> None:
    source = kernels("small_rows", "large_rows").replace(
        "large_rows(float* x, int n) {", "large_rows(float* x, int n) { __shared__ float s[9];"
    )
    inventory = related(
        tuple(scan({"csrc/softmax.cu": source + CHOOSING}).values()),
        Modules(Tree.of(ROOT, ["csrc/softmax.cu"]), catalogue().libraries),
    ).kernels
    assert {each.name: each.variant_of for each in inventory} == {
        "small_rows": "large_rows",
        "large_rows": "",
    }


def test_functions_of_one_file_are_operators_of_their_own() -> None:
    source = kernels("a", "b") + launches("first", "a") + launches("second", "b")
    assert set(operators({"csrc/ops.cu": source})) == {"csrc/ops.cu:a", "csrc/ops.cu:b"}


def test_a_stage_that_two_functions_start_is_one_of_its_own() -> None:
    source = kernels("a", "zero", "b") + launches("f", "a", "zero") + launches("g", "zero", "b")
    assert set(operators({"csrc/ops.cu": source})) == {
        f"csrc/ops.cu:{x}" for x in ["a", "zero", "b"]
    }


def test_a_function_for_each_type_starts_the_same_operator() -> None:
    source = kernels("a", "b") + launches("f", "a", "b") + launches("f_half", "a", "b")
    assert set(operators({"csrc/ops.cu": source})) == {"csrc/ops.cu:a"}


def test_a_test_that_starts_everything_joins_nothing() -> None:
    files = {
        "csrc/nms.cuh": kernels("nms"),
        "csrc/knn.cuh": kernels("knn"),
        "csrc/nms.cu": launches("f", "nms"),
        "csrc/knn.cu": launches("g", "knn"),
        "tests/run_all.cu": launches("main", "nms", "knn"),
    }
    assert set(operators(files)) == {"csrc/nms.cuh:nms", "csrc/knn.cuh:knn"}


def test_a_derivative_belongs_to_its_kernel() -> None:
    names = ("scan_fwd_kernel", "scan_bwd_kernel")
    source = kernels(*names) + launches("scan_fwd", names[0]) + launches("scan_bwd", names[1])
    assert set(operators({"csrc/scan.cu": source})) == {"csrc/scan.cu:scan_fwd_kernel"}


def test_kernels_that_only_start_alike_are_operators_of_their_own() -> None:
    files = {
        "csrc/norm.cu": kernels("cleanup") + launches("norm", "cleanup"),
        "csrc/lamb.cu": kernels("cleanup").replace("2.f", "x[0]").replace("int n", "long n")
        + launches("lamb", "cleanup"),
    }
    assert len(operators(files)) == 2


@pytest.mark.parametrize("names", [("RoIPoolForward", "RoIPoolBackward"), ("im_fwd", "im_bwd")])
def test_a_derivative_is_told_however_words_are_joined(names: tuple[str, str]) -> None:
    source = kernels(*names) + launches("f", names[0]) + launches("b", names[1])
    assert len(operators({"csrc/pool.cu": source})) == 1


def test_a_gradient_that_is_the_subject_is_no_derivative() -> None:
    files = {
        "csrc/norm.cu": kernels("norm_kernel") + launches("f", "norm_kernel"),
        "csrc/clip.cu": kernels("grad_norm_kernel") + launches("f", "grad_norm_kernel"),
    }
    assert len(operators(files)) == 2


def test_kernels_without_a_name_of_their_own_belong_to_their_files() -> None:
    triton = TRITON.format(imports="").replace("double(", "(")
    both = triton.replace("add_kernel", "_fwd_kernel")
    both += (
        triton.partition("@triton.jit")[2]
        .replace("add_kernel", "_bwd_kernel")
        .replace("\ndef _bwd_kernel", "\n@triton.jit\ndef _bwd_kernel", 1)
        .replace("def add(", "def add_backward(")
    )
    other = both.replace("tl.load", "2 * tl.load")
    known = operators({"ops/rotary.py": both, "ops/attention.py": other.replace("x, y", "y, x")})
    assert len(known) == 2


def test_forward_and_backward_alone_are_names_of_their_file() -> None:
    source = kernels("forward", "backward") + launches("f", "forward") + launches("b", "backward")
    files = {"csrc/one.cu": source, "csrc/two.cu": source.replace("2.f", "3.f; x[0] = n")}
    files["csrc/two.cu"] = files["csrc/two.cu"].replace("int n", "long n")
    assert len(operators(files)) == 2


def test_a_header_is_an_operator_with_what_starts_it_elsewhere() -> None:
    files = {
        "csrc/rows.cuh": kernels("small_rows", "large_rows"),
        "csrc/softmax.cu": launches("softmax", "small_rows", "large_rows"),
    }
    assert set(operators(files)) == {"csrc/rows.cuh:small_rows"}


def test_a_copy_in_another_folder_is_the_same_operator() -> None:
    source = kernels("gather") + launches("gather_rows", "gather")
    once = operators({"a/ops/gather.cu": source})["a/ops/gather.cu:gather"]
    copied = operators({"a/ops/gather.cu": source, "b/ops/gather.cu": source})
    assert set(copied) == {"a/ops/gather.cu:gather"}
    twice = copied["a/ops/gather.cu:gather"]
    assert once.effort_days[1] < twice.effort_days[1] < 1.1 * once.effort_days[1]


LONG = KERNEL.replace("  if (i < n)", "  x[i] += 1.f;\n" * 20 + "  if (i < n)")


def test_a_copy_of_much_code_may_be_in_a_file_of_another_name() -> None:
    source = LONG.format(name="gather") + launches("gather_rows", "gather")
    again = source.replace("gather_rows", "rows_of")
    assert set(operators({"a/gather.cu": source, "b/take.cu": again})) == {"a/gather.cu:gather"}
    other = again.replace("+= 1.f;\n", "+= 1.f;\n  x[0] = 0;\n", 1)
    assert len(operators({"a/gather.cu": source, "b/take.cu": other})) == 2
    short = kernels("gather") + launches("gather_rows", "gather")
    assert len(operators({"a/gather.cu": short, "b/take.cu": short})) == 2


def test_kernels_that_only_have_the_same_name_are_no_copies() -> None:
    other = kernels("gather").replace("x[i] *= 2.f;", "x[i] *= 2.f;\n  x[0] = n;")
    files = {
        "a/ops.cu": kernels("gather") + launches("f", "gather"),
        "b/ops.cu": other + launches("f", "gather"),
    }
    assert len(operators(files)) == 2


TRITON = """
import triton
import triton.language as tl
{imports}

@triton.jit
def add_kernel(x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, double(tl.load(x + at, mask=at < n)), mask=at < n)

def add(x, y):
    add_kernel[(1,)](x, y, x.numel(), BLOCK=64)
"""
HELPER = """
import triton
import triton.language as tl

@triton.jit
def double(x):
    return tl.inline_asm_elementwise("add.f32 $0, $1, $1;", "=f,f", [x], tl.float32, True, 1)
"""


def test_what_only_kernels_of_another_file_call_is_in_their_size() -> None:
    files = {
        "ops/__init__.py": "",
        "ops/add.py": TRITON.format(imports="from ops.math import double"),
        "ops/math.py": HELPER,
    }
    assert set(operators(files)) == {"ops/add.py:add_kernel"}
    efforts = {item.effort for item in found(files) if item.path == "ops/math.py"}
    assert efforts == {"trivial"}


NUMBA = """
from numba import cuda

{decorator}
def area(x):
    total = cuda.local.array((9,), dtype="float32")
    return x[0] * total[1]

@cuda.jit
def rows(x):
    x[cuda.grid(1)] = 0

def run(x):
    rows[1, 64](x)
"""


def test_a_function_for_the_device_alone_is_no_kernel() -> None:
    for given in ("device=True", "'(float32[:])', device=True, inline=True"):
        code = NUMBA.format(decorator=f"@cuda.jit({given})")
        assert set(operators({"ops.py": code})) == {"ops.py:rows"}
    for given in ("", "(device=False)", "(device=ON_DEVICE)"):
        code = NUMBA.format(decorator=f"@cuda.jit{given}")
        assert set(operators({"ops.py": code})) == {"ops.py:area", "ops.py:rows"}


# --- what it costs --------------------------------------------------------------------------------


def test_the_dearest_kernel_counts_in_full_and_each_other_by_a_share() -> None:
    source = kernels("a", "b", "c") + launches("f", "a", "b", "c")
    (root,) = operators({"csrc/ops.cu": source}).values()
    low, high = standard().days("small")
    factor = 1 + 2 * standard().further_kernel
    assert root.effort_days == (round(low * factor, 2), round(high * factor, 2))


BUILD = """
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension
setup(
    name="ops",
    ext_modules=[CUDAExtension("rows_cuda", ["csrc/rows.cu"])],
    cmdclass={"build_ext": BuildExtension},
)
"""


def imported(name: str, build: str) -> str:
    """The effort of an import of a compiled module by a file that lies elsewhere."""
    files = {
        "setup.py": build,
        "csrc/rows.cu": kernels("rows") + launches("f", "rows"),
        "model/layers.py": f"import {name}\n\ny = {name}.forward(x)\n",
    }
    (effort,) = {item.effort for item in found(files) if item.path == "model/layers.py"}
    return effort


def test_the_import_of_what_the_tree_builds_is_wiring() -> None:
    assert imported("rows_cuda", BUILD) == standard().wiring


def test_a_compiled_module_of_a_library_that_the_tree_builds_is_its_own() -> None:
    build = BUILD.replace("rows_cuda", "selective_scan_cuda")
    assert imported("selective_scan_cuda", build) == standard().wiring
    assert imported("selective_scan_cuda", BUILD) == "large"
    without = {"setup.py": build, "layers.py": "import selective_scan_cuda as it\n\nit.fwd(x)\n"}
    assert {item.root for item in found(without) if item.path == "layers.py"} == {
        "library:mamba-ssm"
    }


BUILT_BY = {
    "a function": """
def make_ext(name, sources):
    return CUDAExtension(name, sources)

if __name__ == "__main__":
    setup(name="ops", ext_modules=[make_ext("rows_cuda", ["csrc/rows.cu"])])
""",
    "a flag": """
def extensions(flag):
    if flag:
        return [CUDAExtension("rows_cuda", ["csrc/rows.cu"])]
    return []

setup(name="ops", ext_modules=extensions(os.getenv("BUILD_OPS", "1") == "1"))
""",
}


@pytest.mark.parametrize("build", BUILT_BY.values(), ids=BUILT_BY)
def test_a_build_names_its_module_wherever_that_is_written(build: str) -> None:
    head = "import os\nfrom setuptools import setup\n"
    head += "from torch.utils.cpp_extension import CUDAExtension\n"
    assert imported("rows_cuda", head + build) == standard().wiring
    assert imported("other_cuda", head + build) == "research"


LOAD = """
import os
from torch.utils.cpp_extension import load

ext = load(name="rows", sources=[{sources}])
"""


@pytest.mark.parametrize(
    ("sources", "is_wiring"),
    [
        ('"cuda/rows.cpp", "cuda/rows.cu"', True),
        ('os.path.join(os.path.dirname(__file__), "..", "cuda", "rows.cu")', True),
        ('"cuda/other.cu"', False),
        ("os.environ['SOURCE']", False),
    ],
)
def test_what_compiles_sources_of_another_folder_is_wiring(sources: str, is_wiring: bool) -> None:
    files = {
        "model/ops.py": LOAD.format(sources=sources),
        "cuda/rows.cu": kernels("rows") + launches("f", "rows"),
    }
    known = found(files)
    effort = next(item.effort for item in known if item.anchor.endswith(".load"))
    assert (effort == standard().wiring) == is_wiring


def test_a_kernel_below_says_nothing_of_an_import_beside_it() -> None:
    files = {
        "train.py": "import deform_conv_cuda\n\ny = deform_conv_cuda.forward(x)\n",
        "csrc/k.cu": kernels("rows") + launches("f", "rows"),
        "setup.py": BUILD,
    }
    efforts = {item.effort for item in found(files) if item.path == "train.py"}
    assert "research" in efforts


def test_the_import_of_what_another_project_builds_is_not() -> None:
    assert imported("other_cuda", BUILD) == "research"
    assert imported("rows_cuda", BUILD.replace("rows_cuda", "ops_cuda")) == "research"


INLINE = '''
from torch.utils.cpp_extension import load_inline

SOURCE = """{kernel}"""

module = load_inline("rows", cpp_sources="", cuda_sources=SOURCE, functions=["f"])
'''


def test_what_compiles_the_kernels_of_its_own_strings_is_wiring() -> None:
    def effort(kernel: str) -> str:
        known = found({"ops.py": INLINE.format(kernel=kernel)})
        return next(item.effort for item in known if item.anchor.endswith("load_inline"))

    assert effort(kernels("rows") + launches("f", "rows")) == standard().wiring
    assert effort("") != standard().wiring
