"""What one would plan as one piece of work, counted once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from portaudit.catalogue.assumptions import standard
from portaudit.discover import Tree
from portaudit.relate.causes import first_reach, joined, lightened, settled
from portaudit.relate.kernels import related, told
from portaudit.relate.modules import Modules
from portaudit.relate.project import roots, with_foreign_uses
from portaudit.score import Way
from portaudit.types import LIBRARY, OPERATOR, Finding, Reach, RootCause
from snippets import ROOT, catalogue, scan

FLASH = """
from flash_attn import flash_attn_func
from flash_attn.bert_padding import unpad_input

def attend(q, k, v):
    return flash_attn_func(*unpad_input(q, k), v)
"""
TRITON = """
import triton
import triton.language as tl

@triton.jit
def add_kernel(x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at, mask=at < n), mask=at < n)

def add(x, y):
    add_kernel[(1,)](x, y, x.numel(), BLOCK=64)
"""
KERNEL = """
__global__ void scale_kernel(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2.f;
}
void scale(torch::Tensor x) { scale_kernel<<<1, 64>>>(x.data_ptr<float>(), x.numel()); }
"""
BUILD = """
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CUDAExtension
setup(
    name="scale",
    ext_modules=[CUDAExtension("scale_cuda", ["csrc/scale.cu"])],
    cmdclass={"build_ext": BuildExtension},
)
"""


def found(files: Mapping[str, str], *, built: bool = False) -> tuple[Finding, ...]:
    results = tuple(scan(files).values())
    kernels = related(results, Modules(Tree.of(ROOT, files), catalogue().libraries)).kernels
    known = told(with_foreign_uses(results), kernels, catalogue().rules)
    return settled(joined(known, kernels, catalogue(), results if built else ()))


def causes(files: Mapping[str, str], *, built: bool = False) -> dict[str, RootCause]:
    return {root.id: root for root in roots(found(files, built=built), catalogue())}


def test_a_library_is_one_piece_of_work_with_its_requirement_imports_and_calls() -> None:
    files = {"requirements.txt": "flash-attn>=2.5\n", "model/attention.py": FLASH}
    (root,) = causes(files).values()
    assert root.id == f"{LIBRARY}flash-attn"
    assert root.title == "`flash-attn` (attention kernels)"
    assert {site.path for site in root.sites} == set(files)


def test_a_requirement_is_a_line_that_goes_with_code_or_without() -> None:
    with_code = causes({"requirements.txt": "flash-attn\n", "a.py": FLASH})
    alone = causes({"requirements.txt": "flash-attn\n"})
    key = f"{LIBRARY}flash-attn"
    trivial = standard().days("trivial")
    assert (alone[key].severity, alone[key].effort_days) == ("minor", trivial)
    code = causes({"a.py": FLASH})[key]
    low, high = with_code[key].effort_days
    assert code.effort_days[0] <= low <= code.effort_days[0] + trivial[1]
    assert code.effort_days[1] <= high <= code.effort_days[1] + trivial[1]


def test_two_libraries_are_two_pieces_of_work() -> None:
    files = {"requirements.txt": "flash-attn\nxformers\n", "a.py": FLASH}
    assert set(causes(files)) == {f"{LIBRARY}flash-attn", f"{LIBRARY}xformers"}


def test_names_of_one_package_are_one_piece_of_work() -> None:
    both = "import flash_attn\nimport flash_attn_2_cuda\n"
    assert set(causes({"a.py": both})) == {f"{LIBRARY}flash-attn"}


def test_the_import_of_triton_belongs_to_the_kernels_of_its_file() -> None:
    (root,) = causes({"ops/add.py": TRITON}).values()
    assert root.category == "triton-kernel"
    assert ":ops/add.py:" in root.id
    assert len(root.sites) > 2


def test_the_import_of_triton_without_a_kernel_is_a_piece_of_its_own() -> None:
    root, *_ = causes({"a.py": "import triton\n"}).values()
    assert root.category == "triton-kernel"


def test_fewer_rules_find_no_more_work() -> None:
    """A build of kernels of the tree is small, whether or not a rule on kernels was selected."""
    files = {"setup.py": BUILD, "csrc/scale.cu": KERNEL}
    results = tuple(scan(files).values())
    kernels = related(results, Modules(Tree.of(ROOT, files), catalogue().libraries)).kernels
    known = told(with_foreign_uses(results), kernels, catalogue().rules)
    builds = tuple(item for item in known if item.category == "custom-cuda-ext")
    blank = tuple(replace(each, fingerprint="") for each in kernels)
    ran = {item.rule for item in builds}
    efforts = {item.fingerprint: item.effort for item in joined(known, kernels, catalogue())}
    few = joined(builds, blank, catalogue(), ran=ran)
    assert few
    assert all(item.effort == efforts[item.fingerprint] for item in few)


def test_the_build_of_kernels_that_are_counted_is_small() -> None:
    files = {"setup.py": BUILD, "csrc/scale.cu": KERNEL}
    built = next(item for item in found(files) if item.category == "custom-cuda-ext")
    assert built.effort == "small"
    alone = next(item for item in found({"setup.py": BUILD}) if item.category == "custom-cuda-ext")
    assert standard().days(alone.effort) > standard().days("small")


@pytest.mark.parametrize(("built", "is_one"), [("correlation_cuda", True), ("scale_cuda", False)])
def test_an_extension_is_one_piece_with_the_import_of_its_module(built: str, is_one: bool) -> None:
    files = {
        "setup.py": BUILD.replace("scale_cuda", built),
        "csrc/scale.cu": KERNEL,
        "net.py": "import correlation_cuda\n\ncorrelation_cuda.forward(1)\n",
    }
    known = causes(files, built=True)
    build = next(root for root in known.values() if "setup.py" in {it.path for it in root.sites})
    assert ("net.py" in {it.path for it in build.sites}) == is_one
    assert ("correlation_cuda" in build.title) == is_one
    assert [root.id for root in known.values() if root.id.startswith(OPERATOR)] == [
        f"{OPERATOR}csrc/scale.cu:scale_kernel"
    ]


def test_an_extension_that_two_builds_make_is_none_of_either() -> None:
    build = BUILD.replace("scale_cuda", "correlation_cuda")
    files = {
        "setup.py": build,
        "csrc/scale.cu": KERNEL,
        "more/setup.py": build,
        "more/csrc/scale.cu": KERNEL,
        "net.py": "import correlation_cuda\n\ncorrelation_cuda.forward(1)\n",
    }
    (root,) = (
        it for it in causes(files, built=True).values() if "net.py" in {at.path for at in it.sites}
    )
    assert {at.path for at in root.sites} == {"net.py"}


def test_the_build_of_other_kernels_is_none_of_it() -> None:
    files = {"a/setup.py": BUILD, "b/csrc/scale.cu": KERNEL}
    built = next(item for item in found(files) if item.category == "custom-cuda-ext")
    assert standard().days(built.effort) > standard().days("small")


# --- reach and requirements -----------------------------------------------------------------------


def marked(reach: Reach | None) -> tuple[Finding, ...]:
    """The findings of a requirement and of code that uses it, which is reached so."""
    known = found({"requirements.txt": "flash-attn\n", "a.py": FLASH})
    return tuple(
        item if item.category == "dependency" else replace(item, reach=reach) for item in known
    )


@pytest.mark.parametrize("reach", ["main", "other", "test", "unreached", None])
def test_a_requirement_is_reached_as_its_library_is(reach: Reach | None) -> None:
    assert {item.reach for item in settled(marked(reach))} == {reach}


def test_a_requirement_never_says_how_grave_a_library_is() -> None:
    known = marked("main")
    assert {item.severity for item in known if item.category == "dependency"} == {"major"}
    weighed = {item.category: item.severity for item in lightened(known)}
    assert weighed == {"dependency": "minor", "fused-kernel-lib": "major"}


def test_a_requirement_that_nobody_has_to_install_costs_nothing() -> None:
    line = next(item for item in marked("main") if item.category == "dependency")
    (extra,) = lightened([replace(line, guard="guarded", effective_severity="minor")])
    assert extra.effective_severity == "info"


def test_a_requirement_of_another_kind_keeps_its_severity() -> None:
    old = found({"requirements.txt": "torch<2.0\n"})
    assert lightened(old) == old
    assert "major" in {item.severity for item in old}


@pytest.mark.parametrize(
    ("reaches", "first"),
    [
        ({"main", None, "test"}, "main"),
        ({"other", None}, None),
        ({"test", "example"}, "example"),
        ({"unreached"}, "unreached"),
        (set(), None),
    ],
)
def test_the_reach_that_counts_first(reaches: set[Reach | None], first: Reach | None) -> None:
    assert first_reach(reaches) == first


# --- what the way needs ---------------------------------------------------------------------------


def test_a_cause_off_the_path_comes_last_and_keeps_its_size() -> None:
    known = settled(marked("test"))
    other = replace(known[0], root="DEV001", fingerprint="x", reach="main", category="device-api")
    first, last = roots([*known, other], catalogue(), Way({}))
    assert (first.id, first.reach) == ("DEV001", "main")
    assert (last.reach, last.severity) == ("test", "major")
    assert last.effort_days[1] > 0


def test_only_places_on_the_path_count() -> None:
    known = settled(marked("main"))
    more = [replace(item, path="tests/t.py", reach="test", fingerprint="t") for item in known[-1:]]
    (alone,) = roots(known, catalogue(), Way({}))
    (both,) = roots([*known, *more], catalogue(), Way({}))
    assert both.effort_days == alone.effort_days
    assert len(both.sites) == len(alone.sites) + 1


def test_a_guard_on_the_way_holds_for_what_lies_behind_it() -> None:
    known = settled(marked("main"))
    (plain,) = roots(known, catalogue(), Way({}))
    (guarded,) = roots(known, catalogue(), Way({"a.py": "import-guarded"}))
    (spared,) = roots(known, catalogue(), Way({"a.py": "fallback"}))
    assert (plain.severity, guarded.severity) == ("major", "minor")
    assert plain.effort_days > guarded.effort_days > spared.effort_days
    line = standard().days("trivial")
    assert (spared.severity, spared.effort_days) == ("minor", line), "its requirement has to go"
