from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from portaudit.catalogue.difficulty import difficulty, widened
from portaudit.read.items import Document, Item
from portaudit.read.native import read
from portaudit.read.native.choices import Choices
from portaudit.read.native.conditions import meaning
from portaudit.read.native.structure import Range
from portaudit.read.native.tokens import tokens as tokenized
from portaudit.read.text import Text, decode
from portaudit.types import Feature, Kernel, Span
from steps import calls


def document(code: str, path: str = "a.cu") -> Document:
    return read(Text(path, decode(code.encode())))


def kernels(code: str, path: str = "a.cu") -> list[str]:
    return [kernel.name for kernel in document(code, path).kernels]


def kernel(code: str) -> Kernel:
    (found,) = document(code).kernels
    return found


def items(code: str, kind: str, path: str = "a.cpp") -> list[Item]:
    return [item for item in document(code, path).items if item.kind == kind]


def names(code: str, kind: str = "source", path: str = "a.cpp") -> list[str]:
    return [item.name for item in items(code, kind, path)]


# --- what is a kernel -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "__global__ void k(float* x)",
        "static __global__ void k(float* x)",
        "static inline __global__ void k(float* x)",
        "void __global__ k(float* x)",
        "__launch_bounds__(256, 2) __global__ void k(float* x)",
        "__global__ void __launch_bounds__(Traits::kThreads, Traits::kBlocks) k(float* x)",
        "__global__ __launch_bounds__(1024)\nvoid\nk(\n  float* x)",
        "C10_LAUNCH_BOUNDS_2(256, 4)\n__global__ void k(float* x)",
        'extern "C" __global__ void k(float* x)',
        "template <typename T, int N = 4>\n__global__ void k(T* x)",
        "template <typename T, typename = enable_if_t<(sizeof(T) > 2)>>\n__global__ void k(T* x)",
        "template <>\n__global__ void k<float, 4>(float* x)",
        "template <template <typename, int> class F, class... A>\n__global__ void k(F<A...> x)",
        "__global__ void k(const __grid_constant__ CUtensorMap map)",
        '__attribute__((visibility("hidden"))) __global__ void k(float* x)',
        "[[maybe_unused]] __global__ void k(float* x)",
        "__global__ void __cluster_dims__(2, 1, 1) k(float* x)",
        "__global__ void k(float* x, int n = sizeof(float[2]), dim3 d = {1, 2})",
        "__global__ static void\n// why\nk /* not here */ (float* x)",
        "MY_API __global__ MY_INLINE void k(float* x)",
        "__global__ void outer::k(float* x)",
        "#ifdef A\n__global__ void k(int* x)\n#else\n__global__ void k(int* x, int n)\n#endif\n",
    ],
)
def test_every_way_to_write_a_definition_is_one_kernel(head: str) -> None:
    code = f"#include <cuda.h>\nint before;\n{head} {{ x[0] = {{}}; }}\nint after;\n"
    found = document(code)
    assert [each.name for each in found.kernels] == ["k"]
    (item,) = (each for each in found.items if each.kind == "kernel")
    lines = code.split("\n")
    assert lines[item.span.line - 1][item.span.column - 1 :].startswith("__global__")
    assert found.kernels[0].line == item.span.line


@pytest.mark.parametrize(
    "code",
    [
        "__global__ void k(float* x);",
        "template <typename T> __global__ void k(T* x);",
        "template __global__ void k<float>(float* x);",
        "extern template __global__ void k<float>(float* x);",
        "struct A { friend __global__ void k(float* x); };",
        "// __global__ void k(float* x) {}",
        "/* __global__ void k(float* x) {}\n__global__ void l() {} */",
        'const char* s = "__global__ void k(float* x) {}";',
        'const char* s = R"cuda(\n__global__ void k(float* x) {}\n)cuda";',
        "#if 0\n__global__ void k(float* x) {}\n#endif",
        "#if 0 && defined(X)\n__global__ void k(float* x) {}\n#endif",
        "#ifdef NEVER\n__global__ void k(float* x) {}\n#endif",
        "#if 1\n#else\n__global__ void k(float* x) {}\n#endif",
        "#ifdef USE_ROCM\n__global__ void k(float* x) {}\n#endif",
        "#if defined(__HIP_PLATFORM_AMD__) && A > 3\n__global__ void k(float* x) {}\n#endif",
        "#ifndef USE_ROCM\n#else\n__global__ void k(float* x) {}\n#endif",
        "#define __global__",
        "__device__ float k(float x) { return x; }",
        "#define DECLARE(name) __global__ void name(float* x);\nDECLARE(k)",
        "#define CALL(name) name<<<1, 2>>>(x)\nvoid f() { CALL(k); }",
    ],
)
def test_what_only_looks_like_one_is_none(code: str) -> None:
    assert kernels(f"int before;\n{code}\nint after;\n") == []


def test_the_branch_that_is_compiled_for_cuda_counts() -> None:
    code = """
#if 0
it's prose, with a " and an (
__global__ void dead() {}
#elif defined(A)
__global__ void a() {}
#else
__global__ void b() {}
# if defined(USE_ROCM)
__global__ void hip() {}
# else
__global__ void c() {}
# endif
#endif
#if defined(USE_ROCM) || defined(CUDA)
__global__ void d() {}
#endif
#if !defined(USE_ROCM) && CUDA_VERSION >= 11000
__global__ void e() {}
#endif
"""
    assert kernels(code) == ["a", "b", "c", "d", "e"]


def test_namespaces_are_the_scope() -> None:
    code = """
namespace a::b { namespace { inline namespace v1 {
struct S { int x; };
__global__ void k(float* x) { }
} } }
extern "C" { __global__ void l() {} }
"""
    scopes = {item.name: item.scope for item in items(code, "kernel", "a.cu")}
    assert scopes == {"k": "a::b::v1", "l": ""}


# --- macros ---------------------------------------------------------------------------------------


def test_a_name_in_a_macro_stands_where_it_is_written() -> None:
    code = """#define MAKE(T) T##_a T##_b T##_c #T cublasHandle_t h; \\
    T##_d cudnnHandle_t c;
int é; cublasLt::x y;
"""
    places = {item.name: item.span for item in document(code).items if item.kind == "source"}
    lines = code.split("\n")
    for name in ("cublasHandle_t", "cudnnHandle_t", "cublasLt::x"):
        span = places[name]
        assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == name


def test_each_use_of_a_macro_with_a_whole_kernel_makes_one() -> None:
    code = """
#define MAKE(NAME, T)                      \\
  template <int N>                         \\
  __global__ void NAME##_kernel(T* x) {    \\
    __shared__ T s[N];  /* } */            \\
    x[0] = s[0];                           \\
  }
MAKE(add, float)
MAKE(sub, double);
"""
    found = document(code)
    assert [(each.name, each.line) for each in found.kernels] == [
        ("add_kernel", 8),
        ("sub_kernel", 9),
    ]
    assert found.kernels[0].parameters == ("T* x",)
    assert [each.name for each in found.kernels[0].features] == ["shared memory"]


def test_a_macro_may_be_only_the_head() -> None:
    code = """
#define HEAD(name, ...) template <typename T, __VA_ARGS__> __global__ void name(const Params p)
HEAD(forward, bool A, bool B) {
  compute<T>(p);
}
HEAD(declared, bool A);
"""
    found = document(code)
    assert [(each.name, each.line, each.end_line) for each in found.kernels] == [("forward", 3, 5)]
    assert found.kernels[0].parameters == ("const Params p",)


def test_a_macro_may_stand_for_the_keyword() -> None:
    code = """
#define GLOBAL_FN extern "C" __global__
#define BOUNDED(n) __global__ __launch_bounds__(n)
GLOBAL_FN void a(float* x) {}
BOUNDED(128) void b(float* x) {}
template <bool D> GLOBAL void c(float* x) {}
GLOBAL_FN void d(float* x);
"""
    assert kernels(code) == ["a", "b", "c"]


def test_a_macro_of_a_macro_makes_kernels() -> None:
    code = """
#define ONE(N) __global__ void N(float* x) { *x = 1; }
#define BOTH(N) ONE(N##_forward) ONE(N##_backward)
BOTH(gelu)
"""
    assert kernels(code) == ["gelu_forward", "gelu_backward"]


def test_what_macros_bring_is_in_the_order_of_the_code() -> None:
    names = [f"{letter}{number}" for number in range(6) for letter in "zay"]
    code = "".join(f"#define RUN_{name} first_{name}(x)\n" for name in reversed(names))
    body = " ".join(f"RUN_{name};" for name in names)
    (function,) = document(f"{code}void run(float* x) {{ {body} }}\n").native.functions
    assert function.calls == tuple(f"first_{name}" for name in names)


def test_a_macro_that_other_files_use_counts_where_it_is_defined() -> None:
    code = "\n#define ONE(N) \\\n  static __global__ void N##_one(float* x) { *x = 1; }\n"
    (item,) = items(code, "kernel", "a.cuh")
    assert (item.name, item.span) == ("N##_one", Span(3, 10, 3, 20))


def test_a_name_that_a_macro_makes() -> None:
    assert kernels("__global__ void CAT(a, b)(float* x) {}") == ["CAT(a, b)"]


# --- code that the grammar does not understand ----------------------------------------------------


def test_kernels_after_code_that_makes_no_sense_are_found() -> None:
    code = """
FOO_BEGIN(x) @ $ `
TORCH_API_MACRO class Broken : { public int x }
void f() { AT_DISPATCH(x, [&] { k<scalar_t, A<B<int>>><<<g, b, 0, s>>>(x); ) }
__global__ void k(float* x) { x[0] = 1 }
template <class T MISSING_BRACKET
__global__ void l(float* x) { if (x { x[0] = 1; } }
__global__ void m(float* x) { }
"""
    assert kernels(code) == ["k", "l", "m"]


def test_a_kernel_inside_a_function_ends_that_function() -> None:
    code = """
void open() {
  OPENS_A_BRACE(x) {
  call();
}
__global__ void k(float* x) { *x = 1; }
void launch() { k<<<1, 1>>>(x); }
"""
    found = document(code)
    assert [each.name for each in found.kernels] == ["k"]
    assert [(each.name, each.launches) for each in found.native.functions] == [
        ("open", ()),
        ("launch", ("k",)),
    ]


def test_a_kernel_in_the_argument_of_a_macro_is_found() -> None:
    assert kernels("ONLY_ON(sm80, __global__ void k(float* x) { *x = 1; })") == ["k"]


def test_branches_that_open_the_same_brace() -> None:
    code = """
#if A > 1
__global__ void k(float* x) {
#else
__global__ void k_old(float* x, int n) {
#endif
  x[0] = 1;
}
__global__ void l() {}
"""
    found = document(code)
    assert [(each.name, each.end_line) for each in found.kernels] == [
        ("k", 8),
        ("k_old", 7),
        ("l", 9),
    ]


@pytest.mark.parametrize(
    "code",
    [
        *("", "{", "}", "__global__", "__global__ void", "#if", "#endif\n#else\n", "<<<", '"'),
        *('R"(', "#define", "#define A(\n__global__ void k(", "namespace", "template <", "m.def("),
        *("PYBIND11_MODULE(a, m) { m.def(", "(" * 3000, "{" * 3000, "k<<<" * 500, "#if A\n" * 2000),
        *("template <" * 500, "x::" * 1000, "using namespace", "namespace a =", "a >> <<<", ")<<<"),
    ],
)
def test_no_input_is_too_broken(code: str) -> None:
    assert document(code).kernels == ()


def test_work_grows_with_length() -> None:
    code = """
#ifdef A
__global__ void k(float* x) { x[i] = y[i] < 3 ? a<b>(c) : d; }
#else
void f() { k<<<1, 2>>>(x); foo(bar, "text"); }
#endif
"""
    few, many = (calls(partial(document, code * count)) for count in (100, 800))
    assert many < few * 8 * 1.5


@pytest.mark.parametrize("condition", ["#ifdef USE_CUDA", "#ifdef A", "#if 0"])
def test_depth_of_conditionals_does_not_hurt(condition: str) -> None:
    code = f"__global__ void k() {{}}\n{condition}\nint x;\n"
    document(code * 2_000 + "#endif\n" * 2_000)


# --- positions ------------------------------------------------------------------------------------


def test_columns_count_characters() -> None:
    (item,) = items("/* größer als ∞ */ static __global__ void k() {}", "kernel", "a.cu")
    assert item.span == Span(1, 27, 1, 37)


def test_line_ends_of_windows() -> None:
    code = "#include <cuda.h>\r\n#define MAKE(N) \\\r\n  __global__ void N() {}\r\nMAKE(k)\r\n"
    found = document(code)
    assert [(each.name, each.line) for each in found.kernels] == [("k", 4)]


def test_headers_and_names_stand_where_they_are_spelled() -> None:
    code = '#include <cuda.h>\n  #  include "a/b.cuh"  // c\nauto s = at::cuda::stream();\n'
    places = [(item.kind, item.name, item.span) for item in document(code, "a.cpp").items]
    assert places == [
        ("include", "cuda.h", Span(1, 10, 1, 18)),
        ("include", "a/b.cuh", Span(2, 14, 2, 23)),
        ("source", "at::cuda::stream", Span(3, 10, 3, 26)),
    ]


# --- names ----------------------------------------------------------------------------------------


def test_names_in_code_count_and_those_in_text_do_not() -> None:
    code = """
// cublasCreate(&handle);
const char* s = "cudnnCreate";
void f(cublasHandle_t handle, std::vector<int> x) {
  cublasCreate(&handle);
  cub::BlockReduce<float, 128>::TempStorage storage;
  x.cufftPlan();
  ::c10::cuda::CUDAGuard guard(0);
}
"""
    assert names(code) == [
        "cublasHandle_t",
        "cublasCreate",
        "cub::BlockReduce",
        "c10::cuda::CUDAGuard",
    ]


def test_namespaces_that_are_opened_or_renamed_are_named() -> None:
    code = (
        "using namespace cub;\nnamespace cg = cooperative_groups;\nusing namespace nvcuda::wmma;\n"
    )
    assert sorted(names(code)) == ["cooperative_groups::", "cub::", "nvcuda::wmma"]


def test_names_in_macros_count_where_they_are_spelled() -> None:
    code = "#define CHECK(x) \\\n  do { cudaError_t e = (x); } while (0)  // cudnnCreate\n"
    (item,) = items(code, "source", "a.h")
    assert (item.name, item.span) == ("cudaError_t", Span(2, 8, 2, 19))


def test_own_functions_are_not_the_librarys() -> None:
    assert names("void cudaHelper(int x) {}\nvoid f() { cudaHelper(1); cudaFree(0); }") == [
        "cudaFree"
    ]


def test_a_file_says_whether_it_has_kernels() -> None:
    host = document("#include <cuda.h>\n__global__ void k();\n", "a.cpp")
    device = document("#include <cuda.h>\n__global__ void k() {}\n")
    assert {item.forms for item in host.items} == {("host",)}
    assert {item.forms for item in device.items} == {("kernels",)}


def test_a_file_for_another_vendor_is_silent() -> None:
    code = "__global__ void k() {}\nvoid f() { hipMalloc(&x, 1); }\n"
    assert document(f"#include <hip/hip_runtime.h>\n{code}") == Document()
    assert document(code, "a.hip") == Document()
    assert document("__global__ void k() {}", "csrc/hip_fmha/a.cpp") == Document()
    assert document("namespace ck { __global__ void k() {} }\n") == Document()
    assert kernels(f"#include <cuda_runtime.h>\n#include <hip/hip_runtime.h>\n{code}") == ["k"]


# --- guards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "guard"),
    [
        ("#ifdef WITH_CUDA", "#endif", "guarded"),
        ("#if defined(MMCV_WITH_CUDA) || defined(MMCV_WITH_HIP)", "#endif", "guarded"),
        ("#if USE_CUDA", "#endif", "guarded"),
        ("#if USE_CUDA == 1", "#endif", "guarded"),
        ("#ifndef WITH_CUDA\n#else", "#endif", "fallback_or_guarded"),
        ("#ifdef __CUDACC__", "#endif", "guarded"),
        ("#if __has_include(<cuda_runtime.h>)", "#endif", "guarded"),
        ("#ifdef WITH_CUDA", "#else\nreturn slow(x);\n#endif", "fallback"),
        ("#ifdef WITH_CUDA", "#else\n// throw it away\n#endif", "guarded"),
        ("#ifdef WITH_CUDA", "#else\n#error CUDA is needed\n#endif", "hard-fail"),
        ("#ifdef WITH_CUDA", '#else\nAT_ERROR("not compiled");\n#endif', "hard-fail"),
        ("#ifdef WITH_CUDA", '#else\nTORCH_CHECK(false, "no");\n#endif', "hard-fail"),
        ("if (x.is_cuda()) {\n#ifdef WITH_CUDA", '#else\nAT_ERROR("no");\n#endif\n}', "guarded"),
        ("#ifdef WITH_CUDA\n#if A\n#else", "#endif\n#endif", "guarded"),
        ("#if CUDA_VERSION >= 11000", "#endif", "none"),
        ("#ifndef USE_ROCM", "#endif", "none"),
        ("#ifdef SOMETHING", "#endif", "none"),
        ("#ifdef WITH_CUDA\n#endif", "", "none"),
    ],
)
def test_guards(before: str, after: str, guard: str) -> None:
    code = f"void f(Tensor x) {{\n{before}\ncudaFree(x);\n{after}\n}}\n"
    (item,) = items(code, "source")[-1:]
    assert item.guard in ({"guarded"} if guard == "fallback_or_guarded" else {guard})
    assert (item.guard_by is not None) == (guard != "none")


def test_the_compilers_own_macro_guards_no_kernel() -> None:
    code = "#ifdef __CUDACC__\n__global__ void k() {}\n#endif\n"
    for path in ("a.h", "a.cu"):
        (item,) = items(code, "kernel", path)
        assert item.guard == "none"
    (item,) = items(code.replace("__CUDACC__", "WITH_CUDA"), "kernel", "a.h")
    assert item.guard == "guarded"
    assert item.guard_by
    assert (item.guard_by.line, item.guard_by.text) == (1, "#ifdef WITH_CUDA")


@pytest.mark.parametrize(
    ("text", "cuda", "host"),
    [
        ("0", False, False),
        ("1", True, True),
        ("defined(WITH_CUDA)", True, False),
        ("!defined(WITH_CUDA)", False, True),
        ("defined WITH_CUDA && FOO > 2", None, False),
        ("defined(WITH_CUDA) || FOO", True, None),
        ("defined(USE_ROCM)", False, False),
        ("!(defined(USE_ROCM) || 0)", True, True),
        ("FOO(1, (2)) && 0", False, False),
        ("((((", None, None),
        ("", None, None),
        ("(" * 200 + "0" + ")" * 200, None, None),
    ],
)
def test_conditions(text: str, cuda: bool | None, host: bool | None) -> None:
    found = meaning("if", text, nvcc=False)
    assert (found.cuda, found.host) == (cuda, host)


# --- the inventory --------------------------------------------------------------------------------


def test_a_kernel_in_full() -> None:
    found = kernel("""
// sums
template <typename T, int N>
__global__ void __launch_bounds__(N)
    sum(const T* __restrict__ x, T* out, int n = 1) {
  // a comment

  __shared__ T part[N];
  part[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  atomicAdd(out, part[0]);
}
template __global__ void sum<float, 32>(const float*, float*, int);
void run(at::Tensor x) {
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, x.scalar_type(), "sum", [&] {
    sum<scalar_t, 64><<<1, 64>>>(x, y);
  });
}
""")
    assert found == Kernel(
        name="sum",
        language="cuda",
        path="a.cu",
        line=4,
        end_line=12,
        lines=8,
        difficulty="moderate",
        reasons=("shared memory", "atomics"),
        features=(Feature("shared memory", 8, 1), Feature("atomics", 11, 1)),
        parameters=("const T* __restrict__ x", "T* out", "int n = 1"),
        variants=("typename T", "int N", "<float, 32>", "double", "float", "half", "bfloat16"),
    )


@pytest.mark.parametrize(
    ("body", "features"),
    [
        ("x[0] = 1;", []),
        ("extern __shared__ float s[];", ["shared memory"]),
        ("v += __shfl_down_sync(0xffffffff, v, 1);", ["warp intrinsics"]),
        ("if (__ballot_sync(m, p)) __syncwarp();", ["warp intrinsics"]),
        ("auto g = cooperative_groups::this_thread_block();", ["cooperative groups"]),
        ("int at = cg::this_grid().thread_rank();", ["cooperative groups"]),
        ("cg::this_grid().sync();", ["cooperative groups", "grid synchronisation"]),
        (
            "auto grid = cg::this_grid(); cg::sync(grid);",
            ["cooperative groups", "grid synchronisation"],
        ),
        ("auto b = cg::this_thread_block(); b.sync();", ["cooperative groups"]),
        ("nvcuda::wmma::mma_sync(d, a, b, c);", ["tensor cores"]),
        ('asm volatile("ld.global.nc.f32 %0, [%1];" : "=f"(v) : "l"(p));', ["inline PTX"]),
        ('asm("mma.sync.aligned" ".m16n8k16" ::);', ["inline PTX", "tensor cores"]),
        ("__pipeline_memcpy_async(a, b, 4);", ["asynchronous copies"]),
        ("using R = cub::BlockReduce<float, 32>;", ["CUB"]),
        ("auto v = tex2D<float>(t, 1, 2);", ["textures"]),
        ("child<<<1, 1>>>(x);", ["dynamic parallelism"]),
        ("half2 h = __hadd2(a, b);", ["half-precision intrinsics"]),
        ("curandState s; curand_init(1, 2, 3, &s);", ["random numbers"]),
        ("const int at = index[threadIdx.x]; x[at] = 1;", ["indirect addressing"]),
        ("x[index[3]] = 1;", ["indirect addressing"]),
        ("float s[2]; s[n] = x[n + 1];", []),
        ("// __shared__ atomicAdd(\nx[0] = 1;", []),
        ('printf("atomicAdd __shared__");', []),
    ],
)
def test_features(body: str, features: list[str]) -> None:
    found = kernel(f"__global__ void k(float* x, const int* index, int n) {{\n{body}\n}}\n")
    assert [each.name for each in found.features] == features
    assert all(each.line == 2 for each in found.features)


def test_features_come_from_functions_and_macros_of_the_file() -> None:
    found = kernel("""
#define ADD(p, v) atomicAdd(p, v)
__device__ float inner(float v) { return __shfl_xor_sync(~0u, v, 1); }
template <typename T> __device__ T outer(T v) { return inner(v); }
__device__ float unused() { __shared__ float s[1]; return s[0]; }
__global__ void k(float* x) {
  ADD(x, outer<float>(*x));
}
""")
    assert [(each.name, each.line) for each in found.features] == [
        ("atomics", 7),
        ("warp intrinsics", 3),
    ]


def test_words_of_a_namespace_that_is_opened() -> None:
    body = "__global__ void k(float* x) { auto t = make_tensor(x, 1); }"
    assert kernel(body).difficulty == "simple"
    assert kernel(f"using namespace cute;\n{body}").reasons == ("CUTLASS/CuTe",)


@pytest.mark.parametrize(
    ("features", "lines", "level"),
    [
        ([], 10, "simple"),
        (["half-precision intrinsics"], 30, "simple"),
        ([], 101, "moderate"),
        (["shared memory"], 150, "moderate"),
        (["shared memory", "warp intrinsics"], 151, "hard"),
        (["atomics"], 251, "hard"),
        (["CUTLASS/CuTe"], 20, "hard"),
        (["CUTLASS/CuTe", "shared memory"], 20, "research"),
        (["tensor cores"], 20, "hard"),
        (["tensor cores", "inline PTX"], 20, "research"),
        (["TMA"], 20, "research"),
    ],
)
def test_difficulty(features: list[str], lines: int, level: str) -> None:
    found, reasons = difficulty([Feature(name, 1) for name in features], lines)
    assert found == level
    assert reasons


# --- what leads to kernels ------------------------------------------------------------------------


def launches(code: str) -> dict[str, tuple[str, ...]]:
    found = document(code).native.functions
    return {function.name: function.launches for function in found}


@pytest.mark.parametrize(
    "body",
    [
        "k<<<1, 2>>>(x);",
        "k<float, 4><<<grid, dim3(1, 2), 0, stream>>>(x);",
        "ops::k<A<B<int>>><<<1, 2>>>(x);",
        "auto kernel = &k<float, 3>; kernel<<<1, 2>>>(x);",
        "void (*kernel)(float*) = k; kernel<<<1, 2>>>(x);",
        "auto kernel = flag ? ops::k<float> : nullptr; kernel<<<1, 2>>>(x);",
        "(k<float>)<<<1, 2>>>(x);",
        "cudaLaunchKernel((void*)k<float>, grid, block, args, 0, stream);",
        "cudaLaunchKernelEx(&config, k<float>, x);",
        "SWITCH(x, [&] { k<T><<<1, 2>>>(x); });",
        "LAUNCH(4)",
    ],
)
def test_launches(body: str) -> None:
    code = f"#define LAUNCH(n) k<n><<<1, 2>>>(x)\nvoid f(float* x) {{ {body} }}\n"
    assert launches(code) == {"f": ("k",)}


def test_methods_launch_and_functions_call() -> None:
    code = """
struct Launcher {
  template <int N> void run(float* x) { k<N><<<1, 2>>>(x); }
};
Launcher::Launcher(int a) : a_(a), b_{0} { prepare<int>(a); }
at::Tensor forward(at::Tensor x) { if (x.size(0) > 3) return impl(x); }
"""
    found = {each.name: each for each in document(code).native.functions}
    assert found["run"].launches == ("k",)
    assert found["Launcher"].calls == ("prepare",)
    assert found["forward"].calls == ("size", "impl")


def test_bindings() -> None:
    code = """
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("fwd", &forward, "a doc", py::arg("x"));
  m.def("bwd", ops::backward<float>);
  m.def("both", [](at::Tensor x) { return helper(x); });
  m.def("cast", py::overload_cast<int>(&chosen));
}
TORCH_LIBRARY(mine, m) {
  m.def("scale(Tensor x) -> Tensor");
  m.def("shift(Tensor x) -> Tensor", &shift);
  m.impl("turn", torch::kCUDA, &turn_cuda);
  m.impl("turn", c10::DispatchKey::CPU, TORCH_FN(turn_cpu));
}
TORCH_LIBRARY_IMPL(mine, CUDA, m) { m.impl("scale", TORCH_FN(ops::scale_cuda)); }
TORCH_LIBRARY_IMPL(mine, CPU, m) { m.impl(TORCH_SELECTIVE_NAME("mine::scale"), scale_cpu); }
at::Tensor scale_cpu(at::Tensor x) { return x.mul(2); }
"""
    native = document(code, "a.cpp").native
    assert [(each.binding.name, each.function, each.device) for each in native.bound] == [
        ("fwd", "forward", ""),
        ("bwd", "backward", ""),
        ("both", "both (lambda)", ""),
        ("cast", "chosen", ""),
        ("mine::shift", "shift", ""),
        ("mine::turn", "turn_cuda", "cuda"),
        ("mine::turn", "turn_cpu", "cpu"),
        ("mine::scale", "scale_cuda", "cuda"),
        ("mine::scale", "scale_cpu", "cpu"),
    ]
    assert {each.name: each.device for each in native.functions} == {
        "scale_cpu": "cpu",
        "both (lambda)": "",
    }
    keys = [item for item in items(code, "source") if item.value == "CUDA"]
    assert [(item.name, item.span.line) for item in keys] == [
        ("TORCH_LIBRARY impl", 11),
        ("TORCH_LIBRARY_IMPL", 14),
    ]


def test_bindings_in_functions_that_are_given_a_library() -> None:
    code = """
namespace ops {
void register_scale(torch::Library& m) {
  m.impl("scale", &scale);
  m.impl("turn", boxed<&ops::turn<float>>);
  m.def("shift(Tensor x) -> Tensor", [](at::Tensor x) { return moved(x); });
}
void register_more(Library &m, int version) { m.impl("mine::bend", torch::kCUDA, TORCH_FN(bend)); }
void keep(const Shelf& m) { m.impl("kept", &kept); }
}
TORCH_LIBRARY_IMPL(mine, CUDA, m) { ops::register_scale(m); }
"""
    native = document(code, "a.cpp").native
    assert [
        (each.binding.form, each.binding.name, each.function, each.device) for each in native.bound
    ] == [
        ("torch-library", "scale", "scale", ""),
        ("torch-library", "turn", "turn", ""),
        ("torch-library", "shift", "shift (lambda)", ""),
        ("torch-library", "mine::bend", "bend", "cuda"),
    ]
    assert [each.name for each in native.functions] == ["keep", "shift (lambda)"]
    assert "kept" in native.loose
    assert {"scale", "turn", "bend", "moved"}.isdisjoint(native.loose)


@pytest.mark.parametrize(
    ("head", "launches"),
    [
        ("void run(float* x, int n)", False),
        ("__host__ void run(float* x, int n)", False),
        ("__device__ void run(float* x, int n)", True),
        ("__host__ __device__ void run(float* x, int n)", True),
    ],
)
def test_a_launcher_of_the_host_is_nothing_that_a_kernel_calls(head: str, launches: bool) -> None:
    code = f"""
__device__ void run(float* x) {{ x[0] *= 2.f; }}
__global__ void k(float* x) {{ run(x); }}
{head} {{ k<<<n, 64>>>(x); }}
"""
    (kernel,) = document(code).kernels
    found = {each.name for each in kernel.features}
    assert ("dynamic parallelism" in found) == launches


@pytest.mark.parametrize(
    "block",
    [
        "PYBIND11_MODULE(NAME, m) {\n#define REG(f) m.def(#f, &f)\nREG(fwd);\nREG(bwd);\n}",
        '#define REG(f) m.def("" #f, &ops::f<float>);\nPYBIND11_MODULE(A, m) { REG(fwd) REG(bwd) }',
        (
            "#define ONE(m, f, ...) \\\n  m.def(#f, &f, ##__VA_ARGS__)\n"
            "#define ALL(m) ONE(m, fwd, 1); ONE(m, bwd)\nvoid init(py::module& m) { ALL(m); }"
        ),
        '#define REG(s) m.def(#s "wd", &s##wd)\nPYBIND11_MODULE(NAME, m) {\nREG(f);\nREG(b);\n}',
    ],
)
def test_bindings_that_a_macro_of_the_file_makes(block: str) -> None:
    native = document(block, "a.cpp").native
    assert [each.function for each in native.bound] == ["fwd", "bwd"]
    names = [each.binding.name for each in native.bound]
    assert names == ["fwd", "bwd"]


def test_macros_that_name_one_another_end() -> None:
    code = """
#define A m.def("x", &x); B B
#define B A A
PYBIND11_MODULE(NAME, m) { A }
"""
    assert {each.function for each in document(code, "a.cpp").native.bound} == {"x"}


def test_a_macro_that_is_defined_anew_is_the_last_one_before() -> None:
    code = """
PYBIND11_MODULE(NAME, m) {
#define REG(f) m.def(#f, &f)
  REG(a);
#undef REG
#define REG(f) m.def(#f "_cuda", &f)
  REG(b);
}
"""
    native = document(code, "a.cpp").native
    assert [(each.binding.name, each.binding.line) for each in native.bound] == [
        ("a", 4),
        ("b_cuda", 7),
    ]


def test_a_registry_of_a_projects_own() -> None:
    code = """
REGISTER_DEVICE_IMPL(nms_impl, CUDA, nms_cuda);
REGISTER_DEVICE_IMPL(nms_impl, CPU, nms_cpu);
"""
    found = document(code, "a.cpp")
    assert [(each.name, each.calls, each.device) for each in found.native.functions] == [
        ("nms_impl", ("nms_cuda",), "cuda"),
        ("nms_impl", ("nms_cpu",), "cpu"),
    ]


def test_what_a_dispatcher_of_a_projects_own_calls() -> None:
    code = (
        "void nms(Tensor x) { DISPATCH_DEVICE_IMPL(nms_impl, x); DISPATCH_KIND(x.kind(), [&] {}); }"
    )
    (found,) = document(code, "a.cpp").native.functions
    assert "nms_impl" in found.calls
    assert "x" not in found.calls


def test_functions_for_the_device_keep_their_features_for_other_files() -> None:
    code = """
__device__ float reduce(float v) { return __shfl_xor_sync(~0u, v, 1); }
__global__ void k(float* x) { elsewhere(x); }
"""
    found = {each.name: each for each in document(code).native.on_device}
    assert found["reduce"].features == (Feature("warp intrinsics", 2, 1),)
    assert found["k"].calls == ("elsewhere",)
    assert document(code).native.functions == ()


def test_a_kernel_whose_work_is_in_another_file() -> None:
    found = document("__global__ void k(float* x) {\n  compute_all(x);\n}\n")
    thin = found.kernels[0]
    assert thin.difficulty == "moderate"
    assert thin.reasons == ("its work is in compute_all, of another file",)
    elsewhere = document("""
__device__ float inner(float v) { __shared__ float s[2]; return s[0]; }
__device__ void compute_all(float* x) { asm("mma.sync"); inner(*x); more(x); }
""").native.on_device
    known = {function.name: function for function in elsewhere}
    whole = widened(thin, found.native.on_device[0], known)
    assert whole.difficulty == "research"
    assert [each.name for each in whole.features] == ["inline PTX", "tensor cores", "shared memory"]
    assert widened(thin, found.native.on_device[0], {}) == thin


CHOOSING = {
    "branches": "if (n > 9) a<<<1, 1>>>(x); else { b<<<1, 1>>>(x); }",
    "a chain": "if (n > 9) a<<<1, 1>>>(x); else if (n > 1) b<<<1, 1>>>(x);",
    "leaving": "if (n > 9) { a<<<1, 1>>>(x); return; }\n b<<<1, 1>>>(x);",
    "a switch": "switch (n) { case 1: a<<<1, 1>>>(x); break; case 2: { a<<<1, 2>>>(x); break; }"
    " default: b<<<1, 1>>>(x); }",
    "a branch in a switch": "switch (n) { case 1: a<<<1, 1>>>(x); break; default:"
    " if (n) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); }",
    "a pointer": "auto k = n > 9 ? &a<int> : &b<int>; k<<<1, 1>>>(x);",
    "builds": "#ifdef SMALL\n a<<<1, 1>>>(x);\n#else\n b<<<1, 1>>>(x);\n#endif\n",
    "in a dispatch": 'DISPATCH(t, "f", [&] {'
    " if constexpr (N) { a<<<1, 1>>>(x); } else b<<<1, 1>>>(x); });",
    "in a loop that is none": "do { if (n) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); } while (0);",
    "in a dispatch behind a type": 'AT_DISPATCH(x.type(), "f", ([&] {'
    " switch (n) { case 1: case 2: a<<<1, 1>>>(x); break; default: b<<<1, 1>>>(x); } }));",
    "in a function that is called at once": "[&] {"
    " if (n) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); }();",
    "a chain that leaves": "if (n > 9) { a<<<1, 1>>>(x); return; } else if (n > 5) { return; }"
    " b<<<1, 1>>>(x);",
    "a macro": "if (n > 9) { RUN(a); } else { RUN_B; }",
}
TAKING_BOTH = {
    "one after the other": "a<<<1, 1>>>(x); b<<<1, 1>>>(x);",
    "one by chance": "if (n > 9) { a<<<1, 1>>>(x); } b<<<1, 1>>>(x);",
    "one also behind": "if (n > 9) { a<<<1, 1>>>(x); } else { b<<<1, 1>>>(x); } b<<<1, 1>>>(x);",
    "falling through": "switch (n) { case 1: a<<<1, 1>>>(x); case 2: b<<<1, 1>>>(x); }",
    "a loop": "for (int i = 0; i < 2; ++i) { if (i) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); }",
    "a loop that ends below": "do { if (n & 1) a<<<1, 1>>>(x);"
    " else b<<<1, 1>>>(x); } while (n /= 2);",
    "a loop of a macro": "REPEAT(k, 4) { if (n) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); }",
    "a loop of a macro without a block": "REPEAT(k, 4) if (n) a<<<1, 1>>>(x); else b<<<1, 1>>>(x);",
    "a loop of a macro without values": "FOREVER { if (n) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); }",
    "a function that is handed on": "std::for_each(v.begin(), v.end(), [&](int k) {"
    " if (k) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); });",
    "a function of its own": "auto f = [&](int k) { if (k) a<<<1, 1>>>(x); else b<<<1, 1>>>(x); };"
    " f(0); f(1);",
    "leaving by chance": "if (n) { a<<<1, 1>>>(x); if (n < 8) { return; } } b<<<1, 1>>>(x);",
    "leaving a loop": "if (n) { a<<<1, 1>>>(x); while (n > 5) { break; } } b<<<1, 1>>>(x);",
    "leaving a function of its own": "if (n) { a<<<1, 1>>>(x); [&] { return; }(); }"
    " b<<<1, 1>>>(x);",
    "leaving in some builds": "if (n) { a<<<1, 1>>>(x);\n#ifdef FAST\n return;\n#endif\n}"
    " b<<<1, 1>>>(x);",
    "falling through by chance": "switch (n) { case 0: a<<<1, 1>>>(x); if (n < 8) { break; }"
    " case 1: b<<<1, 1>>>(x); }",
    "a jump": "if (n) { a<<<1, 1>>>(x); goto end; } else { end: b<<<1, 1>>>(x); }",
}
TWO = """
#define RUN(k) k<<<1, 1>>>(x)
#define RUN_B b<<<1, 1>>>(x)
template <typename T> __global__ void a(float* x, const int n) { x[0] = 1; }
template <typename T> __global__ void b(float* y, const int m) { y[0] = 2; }
__global__ void c(float* x) { x[0] = 2; }
void run(float* x, int n) {
"""


@pytest.mark.parametrize("body", CHOOSING.values(), ids=CHOOSING)
def test_kernels_of_which_one_is_chosen(body: str) -> None:
    found = {each.name: each for each in document(f"{TWO}{body}\n}}\n").native.functions}
    assert found["run"].choices == (("a", "b"),)


@pytest.mark.parametrize("body", TAKING_BOTH.values(), ids=TAKING_BOTH)
def test_kernels_that_one_run_may_launch_both(body: str) -> None:
    found = {each.name: each for each in document(f"{TWO}{body}\n}}\n").native.functions}
    assert found["run"].choices == ()


CALLING = {
    "once(x);": False,
    "if (n) once(x); else other(x);": False,
    'AT_DISPATCH_TYPES(t, "f", ([&] { once<T>(x); }));': False,
    "for (int i = 0; i < n; ++i) { y = z[i]; once(x.data<T>() + i, y.data_ptr<T>(), k); }": False,
    "for (int i = 0; i < n; ++i) once(x.data<T>(), i);": True,
    "while (n) { k = n % 2; n /= 2; once(x.data<T>(), k); }": True,
    "for (auto each : all) once(each);": True,
    "once(x); once(y);": True,
    "once<true>(x); once<false>(x);": True,
    "auto f = [&](int k) { once(k); }; f(0); f(1);": True,
    "REPEAT(k, 4) { once(k); }": True,
    "ONCE;": True,
    "run_again: once(x); if (n) goto run_again;": True,
}


@pytest.mark.parametrize(("body", "again"), CALLING.items(), ids=CALLING)
def test_what_one_run_may_call_more_than_once(body: str, again: bool) -> None:
    code = f"#define ONCE once(x)\nvoid run(int n) {{ {body} }}\n"
    (found,) = document(code).native.functions
    assert ("once" in found.again) is again


class Counted(list[str]):
    """Words that count how often they are looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as of a list
        found = super().__getitem__(at)
        self.looks += len(found) if isinstance(at, slice) else 1
        return found


LONG = {
    "nested": lambda n: "if (n > 1) " * n + "a<<<1, 1>>>(x); b<<<1, 1>>>(x);",
    "leaving": lambda n: "if (n > 1) { " * n + "return; " + "}" * n,
    "a chain": lambda n: "if (n) a(x);" + " else if (n > 2) b(x);" * n,
    "choices": lambda n: "if (n) a(x); else b(x); " * n,
    "cases": lambda n: "switch (n) { " + "case 1: " * n + "a(x); }",
    "values": lambda n: "k = " + "n ? a : " * n + "b;",
}


@pytest.mark.parametrize("body", LONG.values(), ids=LONG)
def test_choices_take_work_by_the_length_of_a_function(body: Callable[[int], str]) -> None:
    def looks(size: int) -> int:
        tokens = tokenized(Text("a.cu", decode(f"void run() {{ {body(size)} }}".encode())))
        tokens.words = words = Counted(tokens.words)
        assert tokens.matches
        words.looks = 0
        choices = Choices(tokens, Range(4, len(words) - 1))
        choices.exclude(5, len(words) - 3)
        return words.looks

    assert looks(1600) < 2.5 * looks(800)


def test_kernels_that_take_something_else_are_no_choice() -> None:
    body = "if (n > 9) a<<<1, 1>>>(x); else c<<<1, 1>>>(x);"
    found = {each.name: each for each in document(f"{TWO}{body}\n}}\n").native.functions}
    assert found["run"].choices == ()


@pytest.mark.parametrize("code", ["wa(Tensor){if(e(", "void f(Tensor x) { while(e(", "f(T){do a(("])
def test_code_that_ends_too_soon_is_read_as_far_as_it_goes(code: str) -> None:
    assert not document(code).errors
