"""What reaches kernels, requirements and files that start something."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from portaudit.relate.kernels import Natives
from portaudit.relate.nearby import (
    binding_folders,
    of_manifest,
    of_start,
    started_in,
    unused_headers,
)
from portaudit.relate.reach import reached
from portaudit.types import (
    Binding,
    Bound,
    Category,
    FileFacts,
    FileKind,
    FileResult,
    Finding,
    Function,
    Kernel,
    Location,
    NativeFacts,
    Reach,
)
from samples import FLASH
from trees import code, modules, tree


def kernel(
    path: str, name: str, *lines: int, language: str = "triton", helper: bool = False
) -> Kernel:
    assert language in {"triton", "cuda"}
    return Kernel(
        *(name, "triton" if language == "triton" else "cuda", path, 1, 9, 8, "simple", ()),
        launched_by=tuple(Location(path, line) for line in lines),
        helper=helper,
        fingerprint=name,
    )


def at(path: str, mark: str, category: Category = "triton-kernel") -> Finding:
    return replace(FLASH, path=path, category=category, scope="", fingerprint=mark)


def starting(path: str, *functions: Function, words: str = "") -> FileResult:
    result = code(path, words=words)
    return replace(result, facts=replace(result.facts, native=NativeFacts(functions)))


# --- kernels in Python ----------------------------------------------------------------------------


def test_a_kernel_runs_in_the_functions_that_launch_it() -> None:
    ops = starting(
        "ops.py",
        Function("softmax", 20, ("softmax_kernel",)),
        Function("Fused", 40, ("softmax_kernel", "fused_kernel")),
        Function("go", 60, ("softmax_kernel", "fused_kernel")),
        words="softmax_kernel fused_kernel softmax Fused",
    )
    kernels = [
        kernel("ops.py", "softmax_kernel", 25),
        kernel("ops.py", "fused_kernel", 45),
        kernel("ops.py", "load_row", helper=True),
        kernel("ops.py", "lonely_kernel"),
    ]
    marks = [at("ops.py", each.name) for each in kernels]
    assert started_in([ops], marks, kernels) == {
        "softmax_kernel": ("softmax",),
        "fused_kernel": ("Fused",),
        "load_row": ("Fused", "softmax"),
        "lonely_kernel": ("lonely_kernel",),
    }
    other = code("more.py", words="softmax_kernel")
    found = started_in([ops, other], marks, kernels)
    assert found["softmax_kernel"] == ("softmax", "softmax_kernel")


def test_a_kernel_that_only_dead_functions_launch_is_dead_with_all_of_its_head() -> None:
    ops = starting(
        "ops.py",
        Function("used", 20, ("a_kernel",)),
        Function("unused", 40, ("b_kernel",)),
        words="a_kernel b_kernel",
    )
    kernels = [kernel("ops.py", "a_kernel", 25), kernel("ops.py", "b_kernel", 45)]
    heads = [
        replace(at("ops.py", "a_kernel"), lines=(3, 5)),
        replace(at("ops.py", "b_kernel"), lines=(7, 9)),
        replace(at("ops.py", "tuning of b"), lines=(7, 9)),
        replace(at("ops.py", "import"), lines=(1, 1)),
    ]
    results = [code("train.py", "ops", main=1, words="used"), replace(ops, findings=tuple(heads))]
    joined = reached(results, heads, Natives(kernels), tree(results), modules(results))
    assert {item.fingerprint: item.reach for item in joined.findings} == {
        "a_kernel": "main",
        "b_kernel": "unreached",
        "tuning of b": "unreached",
        "import": "main",
    }
    assert {item.scope for item in joined.findings} == {""}


# --- compiled kernels -----------------------------------------------------------------------------


def native(path: str, *functions: Function, bound: str = "") -> FileResult:
    bindings = (Bound(Binding("pybind", bound, path, 1), bound),) if bound else ()
    return FileResult(path, (), FileFacts(native=NativeFacts(functions, bindings)))


def test_a_kernel_that_only_headers_start_is_in_no_extension() -> None:
    header = "csrc/lib/include/work.hpp"
    inner = native(header, Function("make", 9, ("kernel",)))
    shown = native("csrc/lib/example/show.cu", Function("main", 3, calls=("make",)))
    using = native("csrc/ops.cu", Function("forward", 3, calls=("make",)))
    found = kernel(header, "kernel", 12, language="cuda")
    assert unused_headers([inner], [found]) == {"kernel": "unreached"}
    assert unused_headers([inner, shown], [found]) == {"kernel": "example"}
    assert unused_headers([inner, shown, using], [found]) == {}
    source = kernel("csrc/ops.cu", "kernel", 12, language="cuda")
    assert unused_headers([inner], [source]) == {}
    called = replace(found, callers=(Location("ops.py", 3),))
    assert unused_headers([inner], [called]) == {}


def test_native_code_apart_from_all_bindings_is_a_program_of_its_own() -> None:
    results = [
        native("csrc/ops/a.cpp"),
        native("csrc/bind.cpp", bound="go"),
        native("cpp/show.cpp"),
    ]
    assert binding_folders(results, []) == frozenset({"csrc/ops", "csrc"})
    assert binding_folders(results, [kernel("csrc/a.cu", "k", language="cuda")]) is None
    everywhere = [*results, native("bind.cpp", bound="go")]
    assert binding_folders(everywhere, []) == frozenset({"csrc/ops", "csrc", "cpp", ""})


# --- files that are no code -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "reach"),
    [
        ("requirements.txt", "requirements", "main"),
        ("requirements/runtime.txt", "requirements", "main"),
        ("requirements/docs.txt", "requirements", "other"),
        ("requirements-dev.txt", "requirements", "other"),
        ("pyproject.toml", "toml", "main"),
        ("setup.py", "python", "main"),
        ("vision/requirements.txt", "requirements", "main"),
        ("speech/requirements.txt", "requirements", "other"),
        ("visionary/requirements.txt", "requirements", "other"),
        ("tests/requirements.txt", "requirements", "test"),
        ("examples/a/requirements.txt", "requirements", "example"),
        ("vision/train.py", "python", None),
        ("Dockerfile", "docker", None),
        ("README.md", "markdown", None),
    ],
)
def test_a_requirement_is_of_the_project_that_its_manifest_is_above(
    path: str, kind: FileKind, reach: Reach | None
) -> None:
    assert of_manifest(path, kind, ["vision/train.py"]) == reach


@pytest.mark.parametrize(
    ("scope", "reach"),
    [
        ("", "main"),
        ("gpu", "main"),
        ("build", "main"),
        ("train", "main"),
        ("dev", "other"),
        ("tests_require", "other"),
        ("dev-dependencies", "other"),
        ("test", "other"),
        ("docs", "other"),
        ("lint", "other"),
        ("benchmark", "other"),
        ("examples", "other"),
    ],
)
def test_an_extra_is_needed_by_what_its_name_says_as_a_manifest_is(
    scope: str, reach: Reach
) -> None:
    assert of_manifest("pyproject.toml", "toml", ["train.py"], scope) == reach


def test_the_manifest_beside_a_program_among_examples_is_its_own() -> None:
    assert of_manifest("examples/a/requirements.txt", "requirements", ["examples/a/train.py"]) == (
        "main"
    )


@pytest.mark.parametrize(
    ("path", "kind", "category", "reach"),
    [
        ("Dockerfile", "docker", "container", "other"),
        ("docs/Dockerfile", "docker", "container", "example"),
        (".github/workflows/ci.yml", "yaml", "dependency", None),
        (".devcontainer/docker-compose.yml", "yaml", "container", "other"),
        ("jobs/run.sbatch", "shell", "scheduler-env", "other"),
        ("README.md", "markdown", "dependency", "other"),
        ("configs/a.yaml", "yaml", "device-string", None),
    ],
)
def test_what_could_start_some_run_is_off_the_usual_one(
    path: str, kind: FileKind, category: Category, reach: Reach | None
) -> None:
    assert of_start(at(path, "x", category), kind) == reach
