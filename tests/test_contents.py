"""Files that did not change are not read again; one that may have changed always is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from portaudit import discover
from portaudit import files as module
from portaudit.cache import Cache
from portaudit.contents import Contents
from portaudit.files import Disk, Files, Overlay
from portaudit.store import Store, digest
from portaudit.types import ScanError

TEXTS = {"a.py": "one = 1\n", "pkg/b.py": "two = 2\n"}
Make = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def place(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that were read."""
    paths: list[str] = []
    read = discover.read

    def counted(files: Files, path: str) -> bytes | ScanError:
        paths.append(path)
        return read(files, path)

    monkeypatch.setattr(discover, "read", counted)
    return paths


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is too young: tests cannot wait, and nobody can set back when a file changed."""
    monkeypatch.setattr(module, "_YOUNG", -(10**18))


def told(root: Path, place: Cache | None, files: Files | None = None) -> dict[str, bytes]:
    """What a run says of all files, as a later run does."""
    contents = Contents(files or Disk(root), Store(place) if place else None)
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    found = {path: contents.digest(path) for path in paths}
    contents.keep(paths)
    if contents._store:
        contents._store.write()
    return {path: each for path, each in found.items() if isinstance(each, bytes)}


@pytest.mark.usefixtures("old")
def test_what_did_not_change_is_not_read_again(
    make_tree: Make, place: Cache, reads: list[str]
) -> None:
    root = make_tree(TEXTS)
    first = told(root, place)
    assert first == {path: digest(text.encode()) for path, text in TEXTS.items()}
    assert reads == list(TEXTS)
    assert told(root, place) == first
    assert reads == list(TEXTS)
    told(root, None)
    assert reads == 2 * list(TEXTS)


def written_back(path: Path) -> None:
    """Other contents of the same size, at the same time."""
    times = path.stat()
    path.write_text("one = 9\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def exchanged(path: Path) -> None:
    """Another file of the same size and time in its place."""
    other = path.with_name("other")
    other.write_text("one = 9\n")
    times = path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def moved_over(path: Path) -> None:
    (path.parent / "pkg" / "b.py").replace(path)


def linked(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("one = 9\n")
    path.unlink()
    path.symlink_to(target)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    "change", [lambda path: path.write_text("1\n"), written_back, exchanged, moved_over, linked]
)
def test_a_changed_file_is_read(
    make_tree: Make, place: Cache, change: Callable[[Path], None]
) -> None:
    root = make_tree(TEXTS)
    told(root, place)
    change(root / "a.py")
    assert told(root, place) == told(root, None)
    assert told(root, place) == told(root, None)


def test_a_file_that_was_just_written_is_not_believed(
    make_tree: Make, place: Cache, reads: list[str]
) -> None:
    root = make_tree(TEXTS)
    for _ in range(2):
        told(root, place)
    assert reads == 2 * list(TEXTS)
    assert Disk(root).state("a.py") is None


@pytest.mark.parametrize("age", [1, 3, -100])
def test_two_seconds_make_a_file_old(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    root = make_tree(TEXTS)
    changed = max((root / "a.py").stat().st_ctime_ns, (root / "a.py").stat().st_mtime_ns)
    monkeypatch.setattr(time, "time_ns", lambda: changed + age * 10**9)
    assert (Disk(root).state("a.py") is not None) == (age > 2)


@pytest.mark.usefixtures("old")
def test_a_file_that_changes_while_it_is_read_is_read_again(make_tree: Make, place: Cache) -> None:
    root = make_tree(TEXTS)

    class Changing(Disk, frozen=True, dict=True):
        def read(self, path: str) -> bytes:
            found = super().read(path)
            if path == "a.py":
                (root / path).write_text("one = 9\n")
            return found

    told(root, place, Changing(root))
    assert told(root, place) == told(root, None)


def test_a_file_with_two_contents_in_a_run_is_noticed(make_tree: Make) -> None:
    root = make_tree(TEXTS)
    contents = Contents(Disk(root))
    first = contents.read("a.py")
    contents.read("pkg/b.py")
    assert contents.sure
    (root / "a.py").write_text("one = 9\n")
    second = contents.read("a.py")
    assert not isinstance(first, ScanError)
    assert second == (b"one = 9\n", digest(b"one = 9\n"))
    assert contents.digest("a.py") == first[1]
    assert not contents.sure


def test_a_file_that_cannot_be_read_has_no_digest(make_tree: Make, place: Cache) -> None:
    contents = Contents(Disk(make_tree({})), Store(place))
    assert isinstance(contents.digest("gone.py"), ScanError)
    assert not contents.sure
    assert contents.asked == {}


@pytest.mark.usefixtures("old")
def test_what_an_editor_holds_is_always_read(make_tree: Make, place: Cache) -> None:
    root = make_tree(TEXTS)
    plain = told(root, place)
    unsaved = Overlay(Disk(root), {"a.py": b"one = 3\n"})
    assert told(root, place, unsaved) == plain | {"a.py": digest(b"one = 3\n")}
    assert told(root, place) == plain


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"\x81\xa4a.py\x92\x01\x02"])
def test_what_does_not_decode_is_forgotten(make_tree: Make, place: Cache, content: bytes) -> None:
    root = make_tree(TEXTS)
    store = Store(place)
    store.put(Contents(Disk(root))._key, content)
    store.write()
    assert told(root, place) == told(root, None)


@pytest.mark.usefixtures("old")
def test_files_that_are_gone_are_forgotten(make_tree: Make, place: Cache) -> None:
    root = make_tree(TEXTS)
    told(root, place)
    (root / "pkg" / "b.py").unlink()
    (root / "a.py").write_text("more = 1\n")
    told(root, place)
    kept = Store(place).get(Contents(Disk(root))._key)
    assert kept is not None
    assert list(msgspec.msgpack.decode(kept)) == ["a.py"]
