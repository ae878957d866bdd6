from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from portaudit.discover import Tree
from portaudit.relate.modules import Modules


def modules(
    *files: str,
    projects: tuple[str, ...] = (),
    installed: tuple[str, ...] = (),
    root: str = "/srv/repo",
) -> Modules:
    tree = Tree.of(Path(root), files, (), projects)
    return Modules(tree, frozenset(installed))


LAYOUT = modules(
    "train.py",
    "tools/eval.py",
    "tools/helpers.py",
    "pkg/__init__.py",
    "pkg/config.py",
    "pkg/ops/__init__.py",
    "pkg/ops/attention.py",
    "pkg/ops/triton/__init__.py",
    "pkg/ops/triton/softmax.py",
    "configs/base/net.py",
    "docs/conf.py",
    "scripts/no-module.py",
)


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("train.py", {"train", "tools", "pkg", "configs", "docs", "scripts"}),
        ("tools/eval.py", {"eval", "helpers", "train", "tools", "pkg", "configs"}),
        ("pkg/ops/attention.py", {"train", "tools", "pkg"}),
        ("pkg/ops/triton/softmax.py", {"pkg"}),
    ],
)
def test_first_party_holds_what_a_run_would_find(file: str, names: set[str]) -> None:
    assert names <= LAYOUT.first_party(file)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("train.py", "triton"),
        ("tools/eval.py", "triton"),
        ("pkg/ops/attention.py", "triton"),
        ("pkg/ops/triton/softmax.py", "triton"),
        ("pkg/ops/attention.py", "config"),
        ("pkg/config.py", "ops"),
        ("train.py", "helpers"),
        ("train.py", "base"),
        ("train.py", "no-module"),
        ("train.py", "__init__"),
        ("train.py", "torch"),
    ],
)
def test_first_party_leaves_out_what_no_path_leads_to(file: str, name: str) -> None:
    assert name not in LAYOUT.first_party(file)


def test_first_party_of_a_script_inside_a_package_sees_its_neighbours_only() -> None:
    tree = modules(
        "pkg/__init__.py", "pkg/triton/__init__.py", "pkg/tools/run.py", "pkg/tools/u.py"
    )
    assert set(tree.first_party("pkg/tools/run.py")) == {"run", "u", "pkg"}


def test_first_party_finds_source_directories_and_other_projects() -> None:
    tree = modules(
        "src/core/__init__.py",
        "libs/data/setup.py",
        "libs/data/src/feeds/__init__.py",
        "libs/plain/other/__init__.py",
        "tests/fake/__init__.py",
        "app/main.py",
        projects=("", "libs/data"),
    )
    names = tree.first_party("app/main.py")
    assert {"core", "feeds", "other"} <= names
    assert "fake" not in names
    assert "fake" in tree.first_party("tests/test_app.py")


def test_first_party_prefers_an_installed_library_to_a_mere_directory() -> None:
    files = ("triton/softmax.py", "apex/__init__.py", "libs/deepspeed/__init__.py", "train.py")
    assert {"triton", "apex"} <= modules(*files).first_party("train.py")
    tree = modules(*files, installed=("triton", "apex", "deepspeed"))
    assert set(tree.first_party("train.py")) == {"apex", "train", "libs"}
    assert tree.module_path("train.py", "triton.softmax") is None
    assert tree.module_path("train.py", "apex.amp") == ("apex/__init__.py", ("amp",))


def test_first_party_of_a_scanned_package_knows_its_own_name() -> None:
    tree = modules("__init__.py", "config.py", "ops/a.py", root="/site/mypkg")
    assert tree.first_party("ops/a.py") >= {"mypkg"}
    assert "config" not in tree.first_party("config.py")
    assert tree.module_path("ops/a.py", "mypkg.config.X") == ("config.py", ("X",))
    assert tree.module_path("ops/a.py", "mypkg.X") == ("__init__.py", ("X",))


def test_first_party_ignores_a_stray_init_beside_the_manifest() -> None:
    tree = modules("__init__.py", "utils/a.py", "train.py", projects=("",), root="/site/mypkg")
    assert set(tree.first_party("train.py")) == {"train", "utils"}


@pytest.mark.parametrize(
    ("importer", "dotted", "expected"),
    [
        ("train.py", "pkg.config.DEVICE", ("pkg/config.py", ("DEVICE",))),
        ("train.py", "pkg.config", ("pkg/config.py", ())),
        ("train.py", "pkg", ("pkg/__init__.py", ())),
        ("train.py", "pkg.DEVICE", ("pkg/__init__.py", ("DEVICE",))),
        ("train.py", "pkg.ops.triton.softmax.f.g", ("pkg/ops/triton/softmax.py", ("f", "g"))),
        ("train.py", "pkg.missing.f", ("pkg/__init__.py", ("missing", "f"))),
        ("train.py", "configs.base.net.X", ("configs/base/net.py", ("X",))),
        ("train.py", "configs.base", None),
        ("train.py", "torch.cuda", None),
        ("tools/eval.py", "helpers.f", ("tools/helpers.py", ("f",))),
        ("tools/eval.py", "tools.helpers.f", ("tools/helpers.py", ("f",))),
        ("pkg/ops/attention.py", ".triton.softmax", ("pkg/ops/triton/softmax.py", ())),
        ("pkg/ops/attention.py", "..config.DEVICE", ("pkg/config.py", ("DEVICE",))),
        ("pkg/ops/attention.py", ".", ("pkg/ops/__init__.py", ())),
        ("pkg/ops/attention.py", ".X", ("pkg/ops/__init__.py", ("X",))),
        ("pkg/ops/__init__.py", ".attention.X", ("pkg/ops/attention.py", ("X",))),
        ("pkg/ops/attention.py", "...train.X", ("train.py", ("X",))),
        ("pkg/ops/attention.py", "....train.X", None),
        ("configs/base/net.py", ".other", None),
        ("train.py", "", None),
    ],
)
def test_module_path_finds_the_longest_module(
    importer: str, dotted: str, expected: tuple[str, tuple[str, ...]] | None
) -> None:
    assert LAYOUT.module_path(importer, dotted) == expected


def test_module_path_prefers_a_package_to_a_module_and_both_to_a_directory() -> None:
    tree = modules("a/__init__.py", "a/x.py", "a.py", "src/a/x.py", "b/y.py", "src/b.py", "t.py")
    assert tree.module_path("t.py", "a.x") == ("a/x.py", ())
    assert tree.module_path("t.py", "b.y") == ("src/b.py", ("y",))


def test_modules_are_cheap_for_a_large_tree() -> None:
    files = [f"p{a}/q{b}/m{c}.py" for a in range(30) for b in range(50) for c in range(10)]
    files += [f"p{a}/__init__.py" for a in range(30)]
    tree = modules(*files, projects=("",))
    for file in files:
        tree.first_party(file)
        tree.module_path(file, "p1.q1.m1.x")


def test_folders_share_the_names_of_those_around_them() -> None:
    tree = modules(*(f"p{at}/m{at}.py" for at in range(50)), "p0/p0/inner.py", "top.py")
    first, second = tree.first_party("p1/m1.py"), tree.first_party("p2/m2.py")
    assert first.outer is second.outer
    assert sorted(first.own | second.own) == ["m1", "m2"]
    assert set(first) == {"m1", "top", *(f"p{at}" for at in range(50))}
    assert tree.first_party("p0/p0/inner.py") >= {"inner", "m0", "p3", "top"}
    assert len(first) == 52
    assert first & {"m1", "m2", "p7"} == {"m1", "p7"}
    assert pickle.loads(pickle.dumps(first)) == first  # noqa: S301 - our own
