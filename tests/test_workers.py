"""Several processes give what one gives, and one that dies costs the file that it had."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import struct
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import active_children, connection
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from portaudit import scan, workers
from portaudit.cache import Cache
from portaudit.discover import walk
from portaudit.engine import Scanner, scan_tree
from portaudit.files import Disk
from portaudit.relate.modules import Modules
from portaudit.results import Results
from portaudit.store import Store
from portaudit.types import FileResult
from snippets import catalogue

Make = Callable[[Mapping[str, str]], Path]
FILES = {
    f"pkg/m{number}.py": "import torch\nfrom pkg.m0 import DEVICE\n"
    + "torch.ones(1).to(DEVICE).cuda()\n" * (number % 5 + 1)
    for number in range(1, 40)
} | {"pkg/__init__.py": "", "pkg/m0.py": 'DEVICE = "cuda"\n', "odd.py": 'D = "\\ud800"\n'}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes are worth a process."""
    monkeypatch.setattr(workers, "_SHARE", 1)
    monkeypatch.setattr(workers, "_PORTION", 500)


def run(
    root: Path, jobs: int, store: Store | None = None, files: Disk | None = None
) -> dict[str, FileResult]:
    files = files or Disk(root)
    tree = walk(files, [root])
    scanner = Scanner(files, catalogue(), "torchneuron")
    results = Results(catalogue(), "torchneuron", store)
    found = scan_tree(
        scanner, Modules(tree, catalogue().libraries), tree, jobs=jobs, results=results
    )
    assert [result.path for result in found] == list(tree.selected)
    return {result.path: result for result in found}


def test_several_processes_give_what_one_gives(make_tree: Make, tmp_path: Path) -> None:
    root = make_tree(FILES)
    alone = run(root, 1)
    assert run(root, 3, Store(Cache(tmp_path / "cache"))) == alone
    assert run(root, 1, Store(Cache(tmp_path / "cache"))) == alone
    assert run(root, 3, Store(Cache(tmp_path / "cache"))) == alone


@pytest.mark.skipif(os.name != "posix", reason="the processes are not forked")
@pytest.mark.parametrize("killers", [{"pkg/m7.py"}, {"pkg/m7.py", "pkg/m8.py", "pkg/m39.py"}])
def test_a_file_that_kills_costs_no_other(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killers: set[str]
) -> None:
    root = make_tree(FILES)
    alone = run(root, 1)
    here, scan_file = os.getpid(), scan.scan_file

    def dies(source, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202
        if source.path in killers:
            assert os.getpid() != here
            os.kill(os.getpid(), signal.SIGKILL)
        return scan_file(source, *rest)

    place = Cache(tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(scan, "scan_file", dies)
        found = run(root, 2, Store(place))
    assert {path for path, result in found.items() if result.failed} == killers
    for path in killers:
        assert "was killed" in found[path].errors[0].reason
    assert {path: each for path, each in found.items() if path not in killers} == {
        path: each for path, each in alone.items() if path not in killers
    }
    assert run(root, 2, Store(place)) == alone  # what failed was not kept


@pytest.mark.skipif(os.name != "posix", reason="the processes are not forked")
def test_half_a_message_is_not_waited_for(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree(FILES)
    alone = run(root, 1)
    here, send, once = os.getpid(), Connection.send, tmp_path / "once"

    def half(pipe: Connection, done: object) -> None:
        if os.getpid() != here and not once.exists():
            once.touch()
            content = pickle.dumps(done)
            os.write(pipe.fileno(), struct.pack("!i", len(content)) + content[:9])
            os.kill(os.getpid(), signal.SIGKILL)
        send(pipe, done)

    monkeypatch.setattr(Connection, "send", half)
    assert run(root, 2) == alone
    assert once.exists()


@pytest.mark.skipif(os.name != "posix", reason="the processes are not forked")
def test_a_result_that_takes_all_memory_costs_its_file(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = workers._packed

    def takes(result: FileResult) -> workers.Packed:
        if result.path == "pkg/m7.py":
            raise MemoryError
        return packed(result)

    monkeypatch.setattr(workers, "_packed", takes)
    found = run(make_tree(FILES), 2)
    assert {path for path, result in found.items() if result.failed} == {"pkg/m7.py"}
    assert "was killed, maybe for want of memory" in found["pkg/m7.py"].errors[0].reason


class Vanishing(Disk, frozen=True, dict=True):
    """A disk on which each file is there once."""

    def read(self, path: str) -> bytes:
        if path in vars(self):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        vars(self)[path] = True
        return super().read(path)


def test_files_that_vanish_meanwhile_are_not_waited_for(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(pipes: Sequence[Connection]) -> list[object]:
        assert pipes, "nothing will ever come of no process"
        return list(connection.wait(pipes))

    monkeypatch.setattr(workers, "wait", wait)
    root = make_tree(FILES)
    found = run(root, 2, files=Vanishing(root))
    reasons = {error.reason for each in found.values() for error in each.errors}
    assert reasons == {"cannot be read: No such file or directory"}


def test_what_a_process_raises_is_raised(make_tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scan, "scan_file", fails)
    with pytest.raises(ZeroDivisionError):
        run(make_tree(FILES), 2)
    assert active_children() == []


def test_processes_are_as_many_as_the_work_and_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "_SHARE", 1000)
    monkeypatch.setattr(workers, "cores", lambda: 8)
    assert workers.worth([10**6] * 10, 0) == 1
    assert workers.worth([10] * 50, 0) == 1
    assert workers.worth([100] * 50, 0) == 5
    assert workers.worth([10**6] * 1000, 0) == 8
    assert workers.worth([10**6] * 1000, 3) == 3
    assert workers.worth([10**6] * 1000, 1) == 1


@pytest.mark.parametrize(
    ("text", "most"), [("max 100000", None), ("150000 100000", 2), ("5 100000", 1), ("odd", None)]
)
def test_a_container_has_a_share_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, most: int | None
) -> None:
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(workers, "_QUOTA", tmp_path / "gone")
    free = workers.cores()
    monkeypatch.setattr(workers, "_QUOTA", tmp_path / "cpu.max")
    assert workers.cores() == (free if most is None else min(free, most))
