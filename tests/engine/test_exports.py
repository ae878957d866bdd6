"""Solving names across modules: chains, stars, members, and cycles that must end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from portaudit.discover import Tree
from portaudit.relate.exports import Solver
from portaudit.relate.modules import Modules
from portaudit.types import (
    AllOf,
    AnyOf,
    Atom,
    Choice,
    Export,
    Externals,
    Fact,
    FileFacts,
    Flag,
    Instance,
    Known,
    Named,
    Not,
    Ref,
    Text,
)
from snippets import findings, scan

LITERAL = Text("cuda", True, "a.py", 1, 1)
CUDA = Atom((Fact("cuda"),), (Fact("no-cuda"),))
VALUE = Export((LITERAL,))


def solver(files: Mapping[str, FileFacts]) -> Solver:
    paths = tuple(sorted(files))
    return Solver(Modules(Tree.of(Path("/repo"), paths)), files.get)


def facts(*stars: str, **exports: Export) -> FileFacts:
    return FileFacts(tuple(sorted(exports.items())), stars)


def link(name: str) -> Export:
    return Export((Ref(name, open=True),))


def test_solve_finds_an_export() -> None:
    tree = solver({"a.py": facts(x=VALUE), "b.py": facts()})
    assert tree.solve("b.py", "a.x") == VALUE
    assert tree.solve("b.py", "a.y") is None
    assert tree.solve("b.py", "c.x") is None
    assert tree.solve("b.py", "a") is None


def test_solve_follows_chains() -> None:
    tree = solver(
        {
            "a.py": facts(x=VALUE),
            "b.py": facts(y=link("a.x")),
            "c.py": facts(z=link("b.y")),
            "d.py": facts(),
        }
    )
    assert tree.solve("d.py", "c.z") == VALUE


def test_solve_follows_relative_names() -> None:
    tree = solver(
        {
            "pkg/__init__.py": facts(x=link(".deep.mod.x")),
            "pkg/deep/__init__.py": facts(),
            "pkg/deep/mod.py": facts(x=link("..other.x")),
            "pkg/other.py": facts(x=VALUE),
            "train.py": facts(),
        }
    )
    assert tree.solve("train.py", "pkg.x") == VALUE


def test_solve_looks_through_stars_after_own_names() -> None:
    tree = solver(
        {
            "a.py": facts(x=VALUE, y=VALUE),
            "b.py": facts("a", x=Export((Ref("torch.cuda"),))),
            "c.py": facts("b"),
            "d.py": facts(),
        }
    )
    assert tree.solve("d.py", "c.x") == Export((Ref("torch.cuda"),))
    assert tree.solve("d.py", "c.y") == VALUE


def test_solve_finds_members() -> None:
    config = Export(members=(("device", VALUE), ("other", link("a.x"))))
    tree = solver({"a.py": facts(x=VALUE), "b.py": facts(Config=config), "c.py": facts()})
    assert tree.solve("c.py", "b.Config.device") == VALUE
    assert tree.solve("c.py", "b.Config.other") == VALUE
    assert tree.solve("c.py", "b.Config.nothing") is None


def test_solve_finds_members_of_an_object_of_a_class_elsewhere() -> None:
    tree = solver(
        {
            "a.py": facts(Config=Export(members=(("device", VALUE),))),
            "b.py": facts(config=Export((Instance(Ref("a.Config", open=True)),))),
            "c.py": facts(),
        }
    )
    assert tree.solve("c.py", "b.config.device") == VALUE


def test_solve_extends_names_of_installed_packages() -> None:
    tree = solver({"a.py": facts(th=Export((Ref("torch"),))), "b.py": facts()})
    assert tree.solve("b.py", "a.th.cuda") == Export((Ref("torch.cuda"),))


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (Named("a.x"), CUDA),
        (Named("a.f", call=True), CUDA),
        (Named("a.f"), Known()),
        (Named("a.nothing"), Known()),
        (Not(Named("a.x")), Atom((Fact("no-cuda"),), (Fact("cuda"),))),
        (AllOf((Named("a.x"), Known(True))), CUDA),
        (AllOf((Named("a.x"), Known(None))), Atom((Fact("cuda"),))),
        (AllOf((Named("a.x"), Known(False))), Known(False)),
        (AnyOf((Named("a.x"), Named("a.nothing"))), Atom((), (Fact("no-cuda"),))),
        (Choice(((Named("a.x"), Known(True)), (Not(Named("a.x")), Known(False)))), CUDA),
        (Choice(((Known(True), Known(True)), (Known(True), Known(False)))), Known()),
    ],
)
def test_solve_closes_flags(flag: Flag, expected: Flag) -> None:
    tree = solver(
        {
            "a.py": facts(x=Export(flag=CUDA), f=Export(returns_flag=CUDA)),
            "b.py": facts(ready=Export(flag=flag)),
            "c.py": facts(),
        }
    )
    solved = tree.solve("c.py", "b.ready")
    assert solved is not None
    assert solved.flag == expected


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": facts(x=link("a.x"))},
        {"a.py": facts(x=link("b.x")), "b.py": facts(x=link("a.x"))},
        {"a.py": facts(x=link("b.x")), "b.py": facts(x=link("c.x")), "c.py": facts(x=link("a.x"))},
        {"a.py": facts("b"), "b.py": facts("a")},
        {"a.py": facts("a")},
        {"a.py": facts(x=Export(flag=Named("b.x"))), "b.py": facts(x=Export(flag=Named("a.x")))},
        {"a.py": facts(x=Export((Instance(Ref("a.x", open=True)),)))},
        {"a.py": facts(x=Export(returns=(Ref("a.x", open=True),)))},
        {"a.py": facts(x=Export(members=(("y", link("a.x")),)))},
    ],
    ids=str,
)
def test_solve_of_a_cycle_knows_nothing(files: dict[str, FileFacts]) -> None:
    tree = solver({**files, "z.py": facts()})
    for name in ("a.x", "a.x.y", "a.y", "a.x.y.y.y"):
        solved = tree.solve("z.py", name)
        assert solved is None or (not solved.values and solved.flag == Known())


def test_solve_beside_a_cycle_still_finds_the_rest() -> None:
    tree = solver(
        {
            "a.py": facts("b", x=link("b.x")),
            "b.py": facts("a", x=link("a.x"), y=VALUE),
            "c.py": facts(),
        }
    )
    assert tree.solve("c.py", "a.y") == VALUE
    assert tree.solve("c.py", "b.y") == VALUE
    assert tree.solve("c.py", "a.z") is None


def test_solve_does_not_depend_on_what_was_asked_before() -> None:
    files = {
        "a.py": facts("b", "c"),
        "b.py": facts("c", "a", x=link("c.y")),
        "c.py": facts("a", "b", y=VALUE),
        "d.py": facts(),
    }
    names = ["a.x", "a.y", "b.x", "b.y", "c.x", "c.y"]
    fresh = {name: solver(files).solve("d.py", name) for name in names}
    for order in (names, names[::-1]):
        tree = solver(files)
        assert {name: tree.solve("d.py", name) for name in order} == fresh
    assert set(fresh.values()) == {VALUE}


def test_solve_is_quick_on_many_stars() -> None:
    number = 40
    files = {
        f"m{index}.py": facts(*(f"m{other}" for other in range(number) if other != index))
        for index in range(number)
    }
    files["m7.py"] = facts(*files["m7.py"].stars, x=VALUE)
    tree = solver({**files, "z.py": facts()})
    assert tree.solve("z.py", "m0.x") == VALUE
    assert tree.solve("z.py", "m0.nothing") is None


def test_externals_hold_only_what_says_something() -> None:
    tree = solver({"a.py": facts(x=VALUE, y=Export()), "b.py": facts()})
    assert tree.externals("b.py", ["a.z", "a.y", "a.x", "a.x"]) == Externals((("a.x", VALUE),))


def test_exports_tell_what_other_files_need() -> None:
    exports = dict(
        scan("""
        import importlib.util
        import torch
        DEVICE = "cuda"
        SIZE = 3
        NAME = "adam"
        READY = torch.cuda.is_available()
        HAVE = importlib.util.find_spec("flash_attn") is not None
        def pick():
            return "cuda"
        def ready():
            return torch.cuda.is_available()
        def nothing(x):
            return x
        class Config:
            device: str = "cuda"
            size: int = 3
        """)["snippet.py"].facts.exports
    )
    assert {"DEVICE", "READY", "HAVE", "pick", "ready", "Config"} <= set(exports)
    assert not {"SIZE", "NAME", "nothing"} & set(exports)
    assert exports["DEVICE"].values == (Text("cuda", True, "snippet.py", 3, 10),)
    assert [item.value for item in exports["pick"].returns if isinstance(item, Text)] == ["cuda"]
    assert "device" in dict(exports["Config"].members)


def test_exports_of_classes_that_are_their_own_base_end() -> None:
    lines = ["class Model: pass"]
    for n in range(12):
        lines += [f"if flag{n}:", "    class Model(Model):", f"        x{n}: bool = False"]
    assert not findings("\n".join(lines))
