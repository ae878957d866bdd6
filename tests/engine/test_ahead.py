"""The order of scanning: every file once, modules before the files that import them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from portaudit.discover import Tree
from portaudit.read.python.glance import imported
from portaudit.relate.ahead import Ahead
from portaudit.relate.modules import Modules

FILES = {
    "pkg/__init__.py": "from .top import *\n",
    "pkg/top.py": "import torch\nfrom . import middle, other\n",
    "pkg/middle.py": "from pkg.base import (\n    A,  # one\n    B as C,\n)\n",
    "pkg/other.py": "import pkg.base as base, os\n",
    "pkg/base.py": "import os\n",
    "pkg/left.py": "from .right import a\n",
    "pkg/right.py": "from .left import b\n",
    "train.py": "from pkg import top\nfrom pkg.left import a\n",
}


def ahead(files: Mapping[str, str]) -> Ahead:
    modules = Modules(Tree.of(Path("/repo"), files))
    names = {path: tuple(imported(text.encode())) for path, text in files.items()}
    return Ahead(modules, names, {path: len(text) for path, text in files.items()})


def order(files: Mapping[str, str], most: int, number: int) -> list[str]:
    found: list[str] = []
    queue = ahead(files)
    while queue:
        part = queue.take(most, number) or queue.guess()
        assert part
        found.extend(part)
        for path in part:
            queue.done(path)
    return found


def test_a_glance_sees_what_statements_at_the_margin_import() -> None:
    assert list(imported(FILES["pkg/top.py"].encode())) == ["torch", ".", ".middle", ".other"]
    assert list(imported(FILES["pkg/middle.py"].encode())) == [
        "pkg.base",
        "pkg.base.A",
        "pkg.base.B",
    ]
    assert list(imported(FILES["pkg/other.py"].encode())) == ["pkg.base", "os"]
    assert list(imported(b"def f():\n    import a\nfrom b import *\n")) == ["b"]


def test_modules_come_before_the_files_that_import_them() -> None:
    for most, number in ((1, 1), (1000, 1), (50, 2)):
        found = order(FILES, most, number)
        assert sorted(found) == sorted(FILES)
        at = found.index
        assert at("pkg/base.py") < min(at("pkg/middle.py"), at("pkg/other.py"))
        assert max(at("pkg/middle.py"), at("pkg/other.py")) < at("pkg/top.py")
        assert at("pkg/top.py") < min(at("pkg/__init__.py"), at("train.py"))
        assert max(at("pkg/left.py"), at("pkg/right.py")) < at("train.py")


def test_what_waits_for_files_at_work_is_not_taken_but_may_be_guessed() -> None:
    queue = ahead({path: FILES[path] for path in ("pkg/base.py", "pkg/middle.py", "pkg/other.py")})
    assert queue.take(1000, 1) == ["pkg/base.py"]
    assert queue.take(1000, 1) == []
    assert queue.guess() == ["pkg/middle.py"]
    queue.done("pkg/base.py")
    assert queue.take(1000, 1) == ["pkg/other.py"]
    assert not queue


def test_takers_share_what_there_is_and_the_largest_comes_first() -> None:
    files = {f"m{number}.py": "#" * number for number in range(100)}
    queue = ahead(files)
    parts = []
    while queue:
        parts.append(queue.take(500, 2))
    sizes = [len(files[path]) for part in parts for path in part]
    assert sizes == sorted(sizes, reverse=True)
    assert all(len(part) == 1 or sum(len(files[path]) for path in part) <= 500 for part in parts)
    assert len(parts[-1]) < 5


def test_all_that_files_import_is_behind_them() -> None:
    assert set(ahead(FILES).behind(["train.py"])) == {
        *("pkg/__init__.py", "pkg/top.py", "pkg/middle.py", "pkg/other.py", "pkg/base.py"),
        *("pkg/left.py", "pkg/right.py"),
    }
