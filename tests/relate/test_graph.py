from __future__ import annotations

import pytest

from portaudit.marks import ANY_PART
from portaudit.relate.graph import Chains, graph, visits
from portaudit.types import FileFacts, FileResult, Import, Location, ScanError
from trees import code, guarded, modules


def leads(*results: FileResult) -> dict[str, list[str]]:
    """Where each file's imports lead."""
    found = graph(results, modules(results))
    return {path: [edge.path for edge in edges] for path, edges in found.items()}


def ways(start: str, *results: FileResult) -> dict[str, list[str]]:
    """The files on the way to each file that the first one reaches."""
    found = visits(graph(results, modules(results)), [start])
    return {path: [step.path for step in Chains(found)(path).imports] for path in found}


@pytest.mark.parametrize(
    ("importer", "name", "files", "reached"),
    [
        ("train.py", "model", ("model.py",), ["model.py"]),
        ("train.py", "pkg", ("pkg/__init__.py",), ["pkg/__init__.py"]),
        (
            "train.py",
            "pkg.ops.attn.flash",
            ("pkg/__init__.py", "pkg/ops/__init__.py", "pkg/ops/attn.py"),
            ["pkg/__init__.py", "pkg/ops/__init__.py", "pkg/ops/attn.py"],
        ),
        ("train.py", "pkg.ops.attn", ("pkg/__init__.py", "pkg/ops/attn.py"), None),
        ("train.py", "pkg.attn", ("pkg/attn.py",), ["pkg/attn.py"]),
        ("train.py", "pkg.model", ("src/pkg/__init__.py", "src/pkg/model.py"), None),
        ("pkg/a.py", ".b", ("pkg/__init__.py", "pkg/b.py"), ["pkg/__init__.py", "pkg/b.py"]),
        ("pkg/a.py", "..b", ("b.py", "pkg/__init__.py"), ["b.py"]),
        ("pkg/__init__.py", ".b.f", ("pkg/b.py",), ["pkg/b.py"]),
        ("tools/train.py", "pkg.b", ("pkg/__init__.py", "pkg/b.py"), None),
        ("train.py", "numpy.linalg", ("model.py",), []),
    ],
)
def test_an_import_leads_to_the_module_and_the_packages_around_it(
    importer: str, name: str, files: tuple[str, ...], reached: list[str] | None
) -> None:
    results = [code(importer, name), *map(code, files)]
    assert leads(*results).get(importer, []) == (list(files) if reached is None else reached)


def test_a_member_that_is_a_module_is_one() -> None:
    results = [code("train.py", "pkg.ops"), code("pkg/__init__.py"), code("pkg/ops.py")]
    assert leads(*results) == {"train.py": ["pkg/__init__.py", "pkg/ops.py"]}


@pytest.mark.parametrize(("main", "file"), [(9, "pkg/utils.py"), (0, "other/utils.py")])
def test_a_program_finds_what_lies_beside_it_first(main: int, file: str) -> None:
    results = [
        code("pkg/train.py", "utils.loss", main=main),
        *map(code, ("pkg/__init__.py", "pkg/utils.py", "other/utils.py")),
        code("other/deep/__init__.py"),
    ]
    assert leads(*results)["pkg/train.py"][-1] == file


def test_a_tree_that_is_a_package_itself() -> None:
    results = [code("model.py", "repo.ops"), code("ops.py"), code("__init__.py")]
    assert leads(*results) == {"model.py": ["__init__.py", "ops.py"]}


def test_a_shortest_way_is_found_in_a_cycle() -> None:
    results = [
        code("train.py", "a", "b"),
        code("a.py", "b", "c"),
        code("b.py", "a", "d"),
        code("c.py", "d"),
        code("d.py", "a"),
    ]
    assert ways("train.py", *results) == {
        "train.py": [],
        "a.py": ["train.py"],
        "b.py": ["train.py"],
        "c.py": ["train.py", "a.py"],
        "d.py": ["train.py", "b.py"],
    }


def test_a_longer_way_without_a_guard_is_better_than_a_shorter_one_with() -> None:
    results = [
        code("train.py", guarded("fast", 3), "model"),
        code("model.py", "ops"),
        code("ops.py", "fast"),
        code("fast.py"),
    ]
    found = visits(graph(results, modules(results)), ["train.py"])
    way = Chains(found)("fast.py")
    assert [step.path for step in way.imports] == ["train.py", "model.py", "ops.py"]
    assert (way.guard, way.guard_by) == ("none", None)


def test_a_guard_on_the_way_is_carried_on() -> None:
    results = [
        code("train.py", guarded("fast", 3, "import-guarded")),
        code("fast.py", guarded("kernel", 9, "fallback"), "helper"),
        code("kernel.py", "deep"),
        code("helper.py"),
        code("deep.py"),
    ]
    found = visits(graph(results, modules(results)), ["train.py"])
    told = {
        path: (each.guard, each.guard_by and each.guard_by.line) for path, each in found.items()
    }
    assert told == {
        "train.py": ("none", None),
        "fast.py": ("import-guarded", 2),
        "kernel.py": ("fallback", 8),
        "helper.py": ("import-guarded", 2),
        "deep.py": ("fallback", 8),
    }


def test_a_weaker_guard_wins_over_a_stronger_one() -> None:
    results = [
        code("train.py", guarded("kernel", 3, "fallback"), guarded("model", 5, "import-guarded")),
        code("model.py", "kernel"),
        code("kernel.py"),
    ]
    found = visits(graph(results, modules(results)), ["train.py"])
    assert Chains(found)("kernel.py").imports == (Location("train.py", 5), Location("model.py", 1))


def test_what_must_not_fail_is_as_good_as_unguarded() -> None:
    results = [code("train.py", guarded("kernel", 3, "hard-fail")), code("kernel.py")]
    found = visits(graph(results, modules(results)), ["train.py"])
    assert found["kernel.py"].guard == "none"


def test_an_import_that_never_happens_leads_nowhere() -> None:
    results = [code("train.py", Import("model", 3, scope="unused")), code("model.py")]
    joined = graph(results, modules(results))
    assert "model.py" in visits(joined, ["train.py"])
    assert "model.py" not in visits(joined, ["train.py"], lambda _, edge: edge.by.scope == "unused")


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("net.ops.attn", ["third/ops/__init__.py", "third/ops/attn.py"]),
        ("net.ops", ["third/ops/__init__.py"]),
        ("net.model", ["net/__init__.py", "net/model.py"]),
        ("whole.tools", ["tools.py"]),
        ("plain", ["sub/code/plain.py"]),
    ],
)
def test_a_package_is_where_the_manifest_says(name: str, reached: list[str]) -> None:
    places = (("", "code"), ("net.ops", "../third/ops"), ("whole", ".."))
    results = [
        FileResult("sub/setup.py", facts=FileFacts(packages=places)),
        code("run/train.py", name),
        *map(code, ("net/__init__.py", "net/model.py", "third/ops/__init__.py")),
        *map(code, ("third/ops/attn.py", "tools.py", "sub/code/plain.py", "other/plain/x.py")),
    ]
    assert leads(*results)["run/train.py"] == reached


def test_a_package_of_a_manifest_that_is_nowhere_is_none() -> None:
    results = [
        FileResult("setup.py", facts=FileFacts(packages=(("net", "gone"), ("whole", "")))),
        *(code("train.py", "net.model", "net", "whole"), code("net/model.py")),
    ]
    assert leads(*results)["train.py"] == ["net/model.py"]


def test_a_very_long_way_is_told_by_its_beginning_and_its_end() -> None:
    results = [code(f"m{at}.py", f"m{at + 1}") for at in range(400)] + [code("m400.py")]
    chains = Chains(visits(graph(results, modules(results)), ["m0.py"]))
    assert [each.path for each in chains("m100.py").imports] == [f"m{at}.py" for at in range(100)]
    assert chains("m100.py").left_out == 0
    for at in (101, 400, 250):
        told = chains(f"m{at}.py")
        last = [f"m{each}.py" for each in range(at - 99, at)]
        assert [each.path for each in told.imports] == ["m0.py", *last]
        assert told.left_out == at - 100


def test_what_may_mean_too_much_is_not_followed_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portaudit.relate.graph._MOST", 100)
    wide = Import(f"models.{ANY_PART}", 3)
    results = [code(f"run{at}.py", wide) for at in range(3)]
    results += [code(f"models/m{at}.py") for at in range(45)]
    errors: list[ScanError] = []
    found = graph(results, modules(results), errors)
    assert {path: len(edges) for path, edges in found.items()} == {"run0.py": 45, "run1.py": 45}
    reason = (
        "the 45 files that may be meant here are not followed: "
        "imports of this tree may mean more than 100"
    )
    assert errors == [ScanError("run2.py", reason, 3)]
