from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit.discover import walk
from portaudit.files import Disk, Listed, Overlay, folders

MakeTree = Callable[[Mapping[str, str]], Path]


def test_disk_says_what_a_folder_holds(make_tree: MakeTree) -> None:
    root = make_tree({"b.py": "12", "a/x.py": "", "empty/": ""})
    (root / "link").symlink_to("a")
    (root / "gone").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    disk = Disk(root)
    assert disk.listed("") == [
        Listed("a", "folder"),
        Listed("b.py", "file"),
        Listed("empty", "folder"),
        Listed("gone", "link"),
        Listed("link", "link"),
        Listed("pipe", "other"),
    ]
    assert [path for path in ("", "a", "link", "gone", "b.py", "no") if disk.is_folder(path)] == [
        "",
        "a",
        "link",
    ]
    assert (disk.size("b.py"), disk.read("b.py"), disk.start("b.py", 1)) == (2, b"12", b"1")
    assert pickle.loads(pickle.dumps(disk)) == disk  # noqa: S301 - our own


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
@pytest.mark.parametrize("ask", [Disk.read, lambda disk, path: disk.start(path, 9)])
def test_disk_reads_nothing_that_could_wait_or_lead_elsewhere(
    make_tree: MakeTree, tmp_path: Path, ask: Callable[[Disk, str], bytes]
) -> None:
    root = make_tree({})
    os.mkfifo(root / "pipe.py")
    (root / "zero.py").symlink_to("/dev/zero")
    (tmp_path / "secret").write_text("out of the tree")
    (root / "link.py").symlink_to(tmp_path / "secret")
    before = Path.cwd()
    os.chdir(root)  # the name of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.py")
    finally:
        os.chdir(before)
    for name in ("pipe.py", "zero.py", "link.py", "socket.py"):
        with pytest.raises(OSError, match="not a regular file"):
            ask(Disk(root), name)


def test_overlay_has_contents_of_its_own_before_those_below(make_tree: MakeTree) -> None:
    disk = Disk(make_tree({"a.py": "disk", "pkg/b.py": "disk", "bin/run": "#!/bin/sh\n"}))
    contents = {"a.py": b"own text", "new/deep/c.py": b"", "bin/run": b"#!/usr/bin/python\n"}
    files = Overlay(disk, contents)
    assert files.root == disk.root
    assert files.listed("") == [
        Listed("a.py", "file"),
        Listed("bin", "folder"),
        Listed("new", "folder"),
        Listed("pkg", "folder"),
    ]
    assert files.listed("new/deep") == [Listed("c.py", "file")]
    assert (files.size("a.py"), files.read("a.py"), files.start("a.py", 3)) == (
        8,
        b"own text",
        b"own",
    )
    assert (files.size("pkg/b.py"), files.read("pkg/b.py")) == (4, b"disk")
    assert files.start("pkg/b.py", 2) == b"di"
    assert [path for path in ("new", "pkg", "a.py", "no") if files.is_folder(path)] == [
        "new",
        "pkg",
    ]
    with pytest.raises(FileNotFoundError):
        files.listed("no")
    assert walk(files, [disk.root]).kinds == {
        "a.py": "python",
        "bin/run": "python",
        "new/deep/c.py": "python",
        "pkg/b.py": "python",
    }


def test_folders_are_found_from_paths_alone() -> None:
    held = folders({"a/b/c.py": "file", "a/d": "link", "e.py": "file", "a/b/f/g.py": "file"})
    assert held == {
        "": (Listed("a", "folder"), Listed("e.py", "file")),
        "a": (Listed("b", "folder"), Listed("d", "link")),
        "a/b": (Listed("c.py", "file"), Listed("f", "folder")),
        "a/b/f": (Listed("g.py", "file"),),
    }
    assert folders({}) == {"": ()}
