"""Files as they come: repositories in every state, odd names, odd bytes, and what is said of them.

Each is scanned from the outside; nothing may crash, and what was not read is told.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from git_repos import Repo
from portaudit import discover
from portaudit.cli import program
from portaudit.files import Disk, Listed

Make = Callable[[Mapping[str, str]], Path]
SYNC = "import torch\ntorch.cuda.synchronize()\n"
POSIX = pytest.mark.skipif(os.name != "posix", reason="names and modes are others there")
NO_ROOT = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="whoever is root reads all"
)


def portaudit(*words: object) -> Result:
    return CliRunner().invoke(program.app, [str(word) for word in words], env={"NO_COLOR": ""})


def told(root: Path, *words: object) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Where there are findings, what failed, and what was skipped, as the report has it."""
    done = portaudit("scan", root, "--no-cache", "--format", "json", *words)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    found = [f"{item['path']}:{item['line']}" for item in report["findings"]]
    errors = {item["path"]: item["reason"] for item in report["errors"]}
    assert report["partial"] is bool(errors)
    return found, errors, {item["path"]: item["reason"] for item in report["skipped"]}


def written(root: Path, files: Mapping[str, bytes]) -> Path:
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


# --- repositories ---------------------------------------------------------------------------------


@pytest.fixture
def with_submodule(tmp_path: Path) -> Repo:
    library = Repo.make(tmp_path / "library", {"lib.py": SYNC})
    repo = Repo.make(tmp_path / "repo", {"a.py": SYNC})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.root), "sub")
    repo.git("commit", "-qm", "submodule")
    return repo


def test_a_submodule_that_is_there_is_scanned(with_submodule: Repo) -> None:
    assert told(with_submodule.root) == (["a.py:2", "sub/lib.py:2"], {}, {})


def test_a_submodule_that_was_not_fetched_is_an_empty_folder(
    with_submodule: Repo, tmp_path: Path
) -> None:
    with_submodule.git("clone", "-q", ".", str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "sub").is_dir()
    assert told((tmp_path / "clone").resolve()) == (["a.py:2"], {}, {})


def test_a_repository_in_a_repository_is_scanned(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo", {"a.py": SYNC})
    Repo.make(repo.root / "inner", {"b.py": SYNC, ".gitignore": "c.py\n", "d.py": SYNC})
    (repo.root / "inner" / "c.py").write_text(SYNC)
    found, errors, skipped = told(repo.root)
    assert found == ["a.py:2", "inner/b.py:2", "inner/d.py:2"]
    assert (errors, skipped) == ({}, {"inner/c.py": "ignored by inner/.gitignore"})


def test_what_a_sparse_checkout_leaves_out_is_not_there(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo", {"a/x.py": SYNC, "b/y.py": SYNC})
    repo.git("sparse-checkout", "set", "--cone", "a")
    assert not (repo.root / "b").exists()
    assert told(repo.root) == (["a/x.py:2"], {}, {})


@pytest.mark.parametrize("command", ["scan", "check"])
def test_a_bare_repository_says_what_to_do(tmp_path: Path, command: str) -> None:
    repo = Repo.make(tmp_path / "repo", {"a.py": SYNC})
    bare = (tmp_path / "bare.git").resolve()
    repo.git("clone", "-q", "--bare", ".", str(bare))
    for place in (bare, repo.root / ".git"):
        done = portaudit(command, place)
        assert done.exit_code == 2
        said = " ".join(done.stderr.split())
        assert "is the folder of a git repository without files of its own" in said
        assert "worktree add DIR" in said


# --- names and folders ----------------------------------------------------------------------------


@POSIX
def test_names_that_differ_in_case_only_are_different_files(make_tree: Make) -> None:
    root = make_tree({"a.py": SYNC, "A.py": SYNC, "pkg/m.py": SYNC, "PKG/m.py": SYNC})
    if len(list(root.iterdir())) < 4:
        pytest.skip("the disk takes them for the same")
    found, errors, _ = told(root)
    assert found == ["A.py:2", "PKG/m.py:2", "a.py:2", "pkg/m.py:2"]
    assert not errors
    portaudit("baseline", "create", root)
    assert portaudit("check", root).exit_code == 0


@POSIX
def test_a_folder_whose_name_is_no_text_fails_by_its_files(tmp_path: Path) -> None:
    root = written((tmp_path / "repo").resolve(), {"a.py": SYNC.encode()})
    try:
        written(root, {os.fsdecode(b"\xff\xfe/b.py"): SYNC.encode()})
    except OSError:
        pytest.skip("the disk takes only text for names")
    found, errors, _ = told(root)
    assert found == ["a.py:2"]
    assert errors == {"\\xff\\xfe/b.py": "cannot be read: its name is not UTF-8"}


def test_odd_names_are_names(tmp_path: Path) -> None:
    names = ["a b.py", "é.py", "e\u0301.py", "\u202egnp.py", "-rf.py", "#.py", "%41.py", "a,b.py"]
    root = written((tmp_path / "repo").resolve(), {name: SYNC.encode() for name in names})
    found, errors, _ = told(root)
    assert sorted(found) == sorted(f"{name}:2" for name in set(os.listdir(root)))  # noqa: PTH208
    assert not errors


@NO_ROOT
def test_files_and_folders_that_may_not_be_read_are_named(make_tree: Make) -> None:
    root = make_tree({"a.py": SYNC, "b.py": SYNC, "locked/c.py": SYNC})
    (root / "b.py").chmod(0)
    (root / "locked").chmod(0)
    try:
        found, errors, _ = told(root)
    finally:
        (root / "locked").chmod(0o700)
    assert found == ["a.py:2"]
    assert errors == dict.fromkeys(("b.py", "locked"), "cannot be read: Permission denied")


def test_what_the_system_refuses_to_read_is_named(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for whoever is root."""
    root = make_tree({"a.py": SYNC, "b.py": SYNC, "locked/c.py": SYNC})
    listed, read = Disk.listed, Disk.read

    def refusing(self: Disk, folder: str) -> object:
        if folder == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(self, folder)

    def refused(self: Disk, path: str) -> bytes:
        if path == "b.py":
            raise PermissionError(13, "Permission denied")
        return read(self, path)

    monkeypatch.setattr(Disk, "listed", refusing)
    monkeypatch.setattr(Disk, "read", refused)
    found, errors, _ = told(root, "--jobs", 1)
    assert found == ["a.py:2"]
    assert errors == dict.fromkeys(("b.py", "locked"), "cannot be read: Permission denied")


def test_files_and_folders_that_vanish_meanwhile_are_named(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a.py": SYNC, "gone.py": SYNC, "old/b.py": SYNC, "z/c.py": SYNC})
    listed = Disk.listed

    def vanishing(self: Disk, folder: str) -> object:
        found = listed(self, folder)
        if not folder:
            shutil.rmtree(root / "old")
            return found
        (root / "gone.py").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Disk, "listed", vanishing)
    found, errors, _ = told(root, "--jobs", 1)
    assert found == ["a.py:2", "z/c.py:2"]
    gone = "cannot be read: No such file or directory"
    assert errors == {"gone.py": gone, "old": gone}


def test_a_file_that_is_another_one_when_it_is_read_is_judged_as_it_was_read(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a.py": SYNC, "b.py": "", "c.py": SYNC})
    walk = discover.walk

    def walked(*arguments: object, **settings: object) -> discover.Tree:
        tree = walk(*arguments, **settings)  # type: ignore[arg-type]
        (root / "a.py").write_text("\n" * 5 + SYNC)
        (root / "b.py").unlink()
        (root / "b.py").mkdir()
        (root / "c.py").write_bytes(b"\0" * 10)
        return tree

    monkeypatch.setattr(discover, "walk", walked)
    found, errors, _ = told(root)
    assert found == ["a.py:7"]
    assert errors == {"b.py": "cannot be read: Is a directory", "c.py": errors.get("c.py", "")}


def test_a_folder_of_very_many_files_is_listed_once_and_held_as_names(
    monkeypatch: pytest.MonkeyPatch, make_tree: Make
) -> None:
    root = make_tree({"a.py": SYNC})
    asked: list[str] = []
    many = [Listed(f"f{at}.bin", "file") for at in range(100_000)]

    def listed(_self: Disk, folder: str) -> list[Listed]:
        asked.append(folder)
        return [Listed("a.py", "file"), *many]

    monkeypatch.setattr(Disk, "listed", listed)
    tree = discover.walk(Disk(root), [root])
    assert asked == [""]
    assert tree.files == ("a.py",)
    assert not tree.skipped
    assert not tree.errors


# --- bytes ----------------------------------------------------------------------------------------

NAME = "x = '\u00e9'\n"


@pytest.mark.parametrize(
    "content",
    [
        f"# -*- coding: latin-1 -*-\n{NAME}{SYNC}".encode("latin-1"),
        f"#!/usr/bin/python\n# vim: set fileencoding=latin_1 :\n{NAME}{SYNC}".encode("latin-1"),
        f"# coding: ISO-8859-15\n{NAME}{SYNC}".encode("iso-8859-15"),
        f"# coding=cp1252\n{NAME}{SYNC}".encode("cp1252"),
        f"# coding: UTF_8\n{NAME}{SYNC}".encode(),
        f"# coding: Utf-8-Sig\n{NAME}{SYNC}".encode(),
        f"# coding: utf-8\n{NAME}{SYNC}".encode("utf-8-sig"),
        f"# coding: euc_jp\nx = '\u3042'\n{SYNC}".encode("euc_jp"),
        f"# coding: gb18030\nx = '\u4e2d'\n{SYNC}".encode("gb18030"),
        f"# coding: koi8-r\nx = '\u0436'\n{SYNC}".encode("koi8-r"),
        f"# coding: mac-roman\n{NAME}{SYNC}".encode("mac-roman"),
        f"\f# coding: latin-1\n{NAME}{SYNC}".encode("latin-1"),
        f"{NAME}{SYNC}".encode(),
        f"{NAME}{SYNC}".encode("utf-8-sig"),
        f"{NAME}{SYNC}".replace("\n", "\r").encode(),
        f"{NAME}{SYNC}".replace("\n", "\r\n").encode(),
        f"{NAME}\r\n{SYNC}".encode(),
        f"{NAME}\f\n{SYNC}\f".encode(),
        f"# \u202e\u2066 x\n{NAME}{SYNC}".encode(),
        f"{NAME}{SYNC}".rstrip().encode(),
    ],
)
def test_every_spelling_of_a_text_is_read(tmp_path: Path, content: bytes) -> None:
    found, errors, _ = told(written((tmp_path / "repo").resolve(), {"a.py": content}))
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = text[: text.index(b"torch.cuda")].count(b"\n") + 1
    assert (found, errors) == ([f"a.py:{line}"], {})


_NO_UTF8 = b"x = '\xe9'\n" + SYNC.encode()
_KNOWN = ("not valid", "UTF-16", "binary")
_NO_PYTHON = "UTF-16 or UTF-32, which Python does not run"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"# coding: utf-8\n" + _NO_UTF8, "not valid utf-8: byte 21"),
        (_NO_UTF8, "not valid utf-8: byte 5"),
        (b"# coding: no-such-thing\n" + SYNC.encode(), "unknown encoding: no-such-thing"),
        (b"# coding: rot13\n" + SYNC.encode(), "'rot13' is not a text encoding"),
        (b"# coding: hex\n" + SYNC.encode(), "'hex' is not a text encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n" + SYNC.encode(), "encoding problem: utf-8"),
        (b"\xef\xbb\xbf# coding: utf8\n" + SYNC.encode(), "encoding problem: utf-8"),
        (SYNC.encode("utf-16"), _NO_PYTHON),
        (SYNC.encode("utf-32"), _NO_PYTHON),
        (b"\0" + SYNC.encode(), "binary content (a NUL byte)"),
        (SYNC.encode() + b"\0\n", "binary content (a NUL byte)"),
    ],
)
def test_what_python_would_not_read_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    found, errors, _ = told(written((tmp_path / "repo").resolve(), {"a.py": content}))
    assert not found
    assert reason in errors["a.py"]
    assert errors["a.py"].count("unknown encoding") == int(not reason.startswith(_KNOWN))


@pytest.mark.parametrize(
    "damage",
    [
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> theirs\n",
        "{{ cookiecutter.name }} = {% if a %}1{% endif %}\n",
        "def f(x:\n    return (\n",
        "print 'hello'\nexec 'x' in {}\nraise E, 'x'\nx = 0777L\n",
        "x = '''\nnever ends\n",
        "class C(\n",
        "if x:\n\tpass\n        pass\n",
        "x = $HOME\n",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_the_rest_of_what_cannot_be_parsed_is_judged(
    make_tree: Make, damage: str, first: bool
) -> None:
    text = f"{damage}{SYNC}" if first else f"{SYNC}{damage}"
    found, errors, _ = told(make_tree({"a.py": text}))
    assert list(errors) == ["a.py"]
    if not first:
        assert found == ["a.py:2"]


@pytest.mark.parametrize("suffix", ["py", "ipynb", "sh", "yaml", "toml", "json", "cu", "md", "cfg"])
@pytest.mark.parametrize("content", [b"\0" * 100, b"\xff" * 100, b"\r" * 100, b"\x1a", b"\xef\xbb"])
def test_bytes_of_any_kind_crash_nobody(tmp_path: Path, suffix: str, content: bytes) -> None:
    root = written((tmp_path / "repo").resolve(), {f"a.{suffix}": content, "b.py": SYNC.encode()})
    found, errors, _ = told(root)
    assert found == ["b.py:2"]
    assert not any("portaudit failed" in reason for reason in errors.values())
