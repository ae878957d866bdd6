"""Results that are kept for later runs: the same as a scan gives, or none."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from portaudit import making, scan, store
from portaudit.cache import Cache
from portaudit.discover import Tree, walk
from portaudit.engine import Scanner, scan_tree
from portaudit.files import Disk, Overlay
from portaudit.relate.modules import Modules
from portaudit.results import Results
from portaudit.store import DATABASE, Store, digest
from portaudit.types import Export, Externals, FileResult, Ref, ScanError, Target, Task
from snippets import ROOT, catalogue

FIXTURES = Path(__file__).parent.parent / "fixtures"
REPOSITORIES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
FILES = {
    "train.py": "import torch\nfrom config import D, ON\nif ON:\n    torch.ones(1).to(D)\n",
    "config.py": 'import os\nD = "cuda"\nON = bool(os.environ.get("ON"))\n',
    "Dockerfile": "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\n",
}
TASK = Task("train.py", "python", frozenset({"config"}))
CONTENT = digest(b'import torch\ntorch.ones(1).to("cuda")\n')


@pytest.fixture
def place(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that were really scanned."""
    paths: list[str] = []
    scan_file = scan.scan_file

    def counted(source, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202
        paths.append(source.path)
        return scan_file(source, *rest)

    monkeypatch.setattr(scan, "scan_file", counted)
    return paths


def run(
    files: dict[str, str],
    place: Cache | None,
    target: Target = "torchneuron",
    only: str | None = None,
) -> tuple[FileResult, ...]:
    tree = Tree.of(ROOT, files, only and [only])
    contents = {path: text.encode() for path, text in files.items()}
    scanner = Scanner(Overlay(Disk(ROOT), contents), catalogue(), target)
    modules = Modules(tree, catalogue().libraries)
    results = Results(catalogue(), target, Store(place) if place else None)
    return scan_tree(scanner, modules, tree, results=results)


def kept(place: Cache) -> Iterator[tuple[bytes, int, bytes]]:
    connection = sqlite3.connect(place.directory / DATABASE)
    yield from connection.execute("SELECT key, used, content FROM result")
    connection.close()


def change(place: Cache, statement: str, *values: object) -> None:
    connection = sqlite3.connect(place.directory / DATABASE)
    with connection:
        if values:
            connection.execute(statement, values)
        else:
            connection.executescript(statement)
    connection.close()


# --- the same as a scan ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPOSITORIES)
def test_what_was_kept_is_what_a_scan_gives(name: str, place: Cache, scanned: list[str]) -> None:
    files = Disk(FIXTURES / name)
    tree = walk(files, [files.root])
    scanner = Scanner(files, catalogue(), "torchneuron")
    modules = Modules(tree, catalogue().libraries)

    def results() -> tuple[FileResult, ...]:
        again = Results(catalogue(), "torchneuron", Store(place))
        return scan_tree(scanner, modules, tree, results=again)

    first = results()
    assert first == scan_tree(scanner, modules, tree)
    scanned.clear()
    assert results() == first
    assert scanned == []


def test_one_changed_file_is_scanned_and_no_other(place: Cache, scanned: list[str]) -> None:
    run(FILES, place)
    scanned.clear()
    run({**FILES, "Dockerfile": "FROM ubuntu\nENV NCCL_DEBUG=INFO\n"}, place)
    assert scanned == ["Dockerfile"]


def test_a_file_is_judged_again_when_another_says_something_else(
    place: Cache, scanned: list[str]
) -> None:
    run(FILES, place)
    scanned.clear()
    changed = {**FILES, "config.py": FILES["config.py"].replace("cuda", "cuda:1")}
    found = run(changed, place)
    assert scanned == ["config.py", "train.py"]
    assert found == run(changed, None)


@pytest.mark.parametrize(
    "other",
    [
        replace(TASK, path="tests/train.py"),
        replace(TASK, kind="notebook"),
        replace(TASK, first_party=frozenset({"config", "torch"})),
        replace(TASK, externals=Externals((("config.X", Export(values=(Ref("torch"),))),))),
        replace(TASK, externals=Externals((("config.X", Export(values=(Ref("torch", True),))),))),
    ],
)
def test_the_key_knows_the_task(other: Task) -> None:
    results = Results(catalogue(), "torchneuron")
    assert results.key(TASK, CONTENT) == results.key(replace(TASK), CONTENT)
    assert results.key(TASK, CONTENT) != results.key(other, CONTENT)
    assert results.key(TASK, CONTENT) != results.key(TASK, digest(b""))


def test_the_key_knows_the_rules_the_target_and_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everything = catalogue()
    key = Results(everything, "torchneuron").key(TASK, CONTENT)
    assert Results(everything, "torchneuron").key(TASK, CONTENT) == key
    some = everything.restricted(list(everything.rules)[1:])
    others = [Results(some, "torchneuron"), Results(everything, "xla")]
    others.append(Results(replace(everything, digest="0"), "torchneuron"))
    assert key not in [each.key(TASK, CONTENT) for each in others]
    (tmp_path / "libcst-99.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert Results(everything, "torchneuron").key(TASK, CONTENT) != key


def test_the_key_knows_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "judge").mkdir()
    monkeypatch.setattr(making, "_PACKAGE", tmp_path)
    keys = set()
    for text in ("", "a = 1\n", "a = 2\n"):
        (tmp_path / "judge" / "guards.py").write_text(text)
        keys.add(Results(catalogue(), "torchneuron").key(TASK, CONTENT))
    assert len(keys) == 3


# --- what is not kept -----------------------------------------------------------------------------


def test_what_a_file_lacks_is_kept_and_what_we_failed_at_is_not(
    place: Cache, scanned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"bad.py": "import torch\ndef f(:\n    torch.cuda.synchronize()\n"}
    first = run(files, place)
    assert first[0].errors
    scanned.clear()
    assert run(files, place) == first
    assert scanned == []

    def fails(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(scan, "_scan", fails)
        failed = run(FILES, place)
    assert all(result.failed and result.errors for result in failed)
    scanned.clear()
    assert run(FILES, place) == run(FILES, None)
    assert set(scanned) == set(FILES)


def test_what_a_module_tells_is_kept_unless_we_failed_at_it(
    place: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    whole = run(FILES, None, only="train.py")
    with monkeypatch.context() as patch:
        patch.setattr(scan, "_outline", fails)
        assert run(FILES, place, only="train.py") != whole
    assert run(FILES, place, only="train.py") == whole
    with monkeypatch.context() as patch:
        patch.setattr(scan, "outline_file", fails)
        patch.setattr(scan, "scan_file", fails)
        assert run(FILES, place, only="train.py") == whole


@pytest.mark.parametrize(
    "text",
    [
        'import torch\nx = torch.ones(1, device="cuda\\ud800")\nDEVICE = "\\ud800"\n',
        f"import torch\nBIG = {10**40}\ntorch.cuda.synchronize(BIG)\n",
    ],
)
def test_what_cannot_be_written_is_no_obstacle(text: str, place: Cache) -> None:
    files = {"a.py": text, "b.py": "import torch\nfrom a import *\ntorch.ones(1).to(DEVICE, BIG)\n"}
    assert run(files, place) == run(files, place) == run(files, None)


def test_conditions_that_are_nested_deep_are_no_obstacle(tmp_path: Path) -> None:
    """What a scan may nest is more than a run that scans nothing may: that reads it no more."""
    flags = "".join(f"F{at + 1} = not (F{at} and b.f{at})\n" for at in range(360))
    (tmp_path / "a.py").write_text(
        f"import torch\nimport b\nF0 = b.x\n{flags}if F360:\n    torch.zeros(1).cuda()\n"
    )
    (tmp_path / "b.py").write_text(
        "import os\nx = bool(os.environ.get('A'))\n" + "".join(f"f{at} = x\n" for at in range(360))
    )
    command = [sys.executable, "-m", "portaudit", "scan", "--format", "json", str(tmp_path)]
    environment = {**os.environ, "PORTAUDIT_CACHE_DIR": str(tmp_path.parent / "deep")}
    said = {
        subprocess.run(command, env=environment, capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(said) == 1


def test_nothing_is_kept_without_a_place(scanned: list[str]) -> None:
    run(FILES, None)
    before = len(scanned)
    run(FILES, None)
    assert len(scanned) == 2 * before


# --- a database that others wrote, or nobody can --------------------------------------------------


def spoil(change_of: Callable[[bytes], bytes]) -> Callable[[Cache], None]:
    def damage(place: Cache) -> None:
        path = place.directory / DATABASE
        path.write_bytes(change_of(path.read_bytes()))

    return damage


def rows(content: str) -> Callable[[Cache], None]:
    return lambda place: change(place, f"UPDATE result SET content = {content}")  # noqa: S608


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(spoil(lambda _: b""), id="empty"),
        pytest.param(spoil(lambda _: b"no database at all" * 100), id="another file"),
        pytest.param(spoil(lambda data: data[: len(data) // 2]), id="cut"),
        pytest.param(
            spoil(lambda data: data[:100] + b"\xff" * (len(data) - 100)), id="overwritten"
        ),
        pytest.param(rows("substr(content, 1, 20)"), id="rows cut"),
        pytest.param(rows("x''"), id="rows empty"),
        pytest.param(rows("zeroblob(40)"), id="rows of zeros"),
        pytest.param(rows("'text'"), id="rows of text"),
        pytest.param(rows("1.5"), id="rows of numbers"),
        pytest.param(lambda place: change(place, "DROP TABLE result"), id="no table"),
        pytest.param(lambda place: change(place, "PRAGMA user_version = 99"), id="another layout"),
        pytest.param(
            lambda place: change(place, "ALTER TABLE result RENAME COLUMN content TO c"),
            id="columns",
        ),
        pytest.param(rows("zeroblob(200000000)"), id="rows without end"),
        pytest.param(
            lambda place: change(place, "UPDATE result SET used = 'a day'"), id="days of text"
        ),
        pytest.param(
            lambda place: change(place, "CREATE TABLE more AS SELECT * FROM result"), id="more"
        ),
        pytest.param(
            lambda place: change(
                place,
                "CREATE TRIGGER never BEFORE INSERT ON result BEGIN INSERT INTO result "
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT i, i, i FROM n; END",
            ),
            id="trigger",
        ),
        pytest.param(
            lambda place: change(
                place,
                "DROP TABLE result; CREATE VIEW result AS WITH RECURSIVE n(key) AS "
                "(SELECT 1 UNION ALL SELECT key + 1 FROM n) "
                "SELECT key, key AS used, key AS content FROM n",
            ),
            id="view",
        ),
    ],
)
def test_a_damaged_database_is_never_believed(
    place: Cache, damage: Callable[[Cache], None], scanned: list[str]
) -> None:
    whole = run(FILES, place)
    try:
        damage(place)
    except sqlite3.IntegrityError:
        pytest.skip("SQLite does not let that happen")
    assert run(FILES, place) == whole
    run(FILES, place)
    scanned.clear()
    assert run(FILES, place) == whole
    assert scanned == []


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes")
@pytest.mark.parametrize("other", ["link", "dangling link", "pipe", "folder"])
def test_what_is_no_file_is_left_alone(place: Cache, tmp_path: Path, other: str) -> None:
    whole = run(FILES, None)
    precious = tmp_path / "precious"
    connection = sqlite3.connect(precious)
    connection.execute("CREATE TABLE result (mine)")
    connection.close()
    before = precious.read_bytes()
    place.make()
    path = place.directory / DATABASE
    match other:
        case "link":
            path.symlink_to(precious)
        case "dangling link":
            path.symlink_to(tmp_path / "nothing")
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()
    for _ in range(2):
        assert run(FILES, place) == whole
    assert precious.read_bytes() == before
    assert not (tmp_path / "nothing").exists()
    assert os.path.lexists(path)
    place.clear()
    assert precious.read_bytes() == before
    assert path.is_dir() == (other == "folder")
    if other != "folder":
        run(FILES, place)
        assert path.is_file()


def test_a_row_of_another_file_is_believed_by_its_checksum_only(place: Cache) -> None:
    """Whoever can write here can write whole results; that is what `Cache.refusal` is about."""
    whole = run(FILES, place)
    results = Results(catalogue(), "torchneuron", Store(place))
    key = results.key(Task("Dockerfile", "docker"), digest(FILES["Dockerfile"].encode()))
    assert key is not None
    change(place, "UPDATE result SET content = ? WHERE key = ?", b"0" * 16 + b"\x80", key)
    assert run(FILES, place) == whole


def test_a_row_under_the_key_of_another_is_not_believed(place: Cache, scanned: list[str]) -> None:
    run(FILES, place)
    (content,) = {row for _, _, row in list(kept(place))[:1]}
    change(place, "UPDATE result SET content = ?", content)
    scanned.clear()
    assert run(FILES, place) == run(FILES, None)
    assert len(scanned) >= 2 * len(FILES) - 1


def test_a_directory_that_others_can_write_to_is_not_read(place: Cache, scanned: list[str]) -> None:
    run(FILES, place)
    place.directory.chmod(0o777)
    scanned.clear()
    run(FILES, place)
    assert set(scanned) == set(FILES)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_directory_that_cannot_be_written_to_is_read(place: Cache, scanned: list[str]) -> None:
    run(FILES, place)
    place.directory.chmod(0o500)
    scanned.clear()
    run({**FILES, "more.sh": "export NCCL_DEBUG=INFO\n"}, place)
    assert scanned == ["more.sh"]


def test_a_place_where_no_directory_can_be_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = Cache(tmp_path / "file" / "cache")
    assert run(FILES, place) == run(FILES, None)


def test_a_database_that_is_locked_is_not_waited_for_for_long(
    place: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(FILES, place)
    monkeypatch.setattr(store, "_PATIENCE", 0.01)
    holder = sqlite3.connect(place.directory / DATABASE)
    holder.execute("BEGIN EXCLUSIVE")
    assert run({**FILES, "more.sh": "export NCCL_DEBUG=INFO\n"}, place)[: len(whole)]
    holder.rollback()
    holder.close()
    assert len(list(kept(place))) >= len(FILES)  # it was not dropped


def test_many_runs_at_once(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    for number in range(30):
        (root / f"m{number}.py").write_text(f"import torch\nx{number} = torch.ones(1).cuda()\n")
    command = [
        sys.executable,
        "-m",
        "portaudit",
        "scan",
        "--format",
        "json",
        "--jobs",
        "1",
        str(root),
    ]
    environment = {**os.environ, "PORTAUDIT_CACHE_DIR": str(tmp_path / "cache")}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    said = {process.communicate() for process in started}
    assert len(said) == 1
    assert len(list(kept(Cache(tmp_path / "cache")))) >= 30


# --- its size -------------------------------------------------------------------------------------


def test_what_was_not_used_for_longest_goes_first(
    place: Cache, monkeypatch: pytest.MonkeyPatch, scanned: list[str]
) -> None:
    run(FILES, place)
    change(place, "UPDATE result SET used = 1")
    dockerfile = {"Dockerfile": FILES["Dockerfile"]}
    run(dockerfile, place)
    before = len(list(kept(place)))
    monkeypatch.setattr(store, "_MOST", 0)
    run({"more.sh": "export NCCL_DEBUG=INFO\n"}, place)
    left = [used for _, used, _ in kept(place)]
    assert len(left) == before + 1 - (before + 1) // 2
    scanned.clear()
    run(dockerfile, place)
    assert scanned == []


def test_clearing_the_cache_removes_the_database(place: Cache) -> None:
    run(FILES, place)
    files, size = place.size()
    assert files == 1
    assert size > 0
    place.clear()
    assert place.size() == (0, 0)


def test_an_error_of_reading_is_no_result(tmp_path: Path, place: Cache) -> None:
    tree = Tree.of(tmp_path, ["gone.py"])
    scanner = Scanner(Disk(tmp_path), catalogue(), "torchneuron")
    (result,) = scan_tree(
        scanner, Modules(tree), tree, results=Results(catalogue(), "torchneuron", Store(place))
    )
    assert result.errors == (ScanError("gone.py", "cannot be read: No such file or directory"),)
    assert place.size() == (0, 0)


def test_what_is_stored_is_not_held_any_longer(place: Cache) -> None:
    results = Results(catalogue(), "torchneuron", Store(place))
    key = results.key(TASK, CONTENT)
    result = FileResult(TASK.path)
    results.keep(key, result)
    assert results.get(key) is result
    results.let_go()
    assert results.get(key) is not result
    assert results.get(key) == result


@pytest.mark.parametrize("failed", [False, True])
def test_what_only_this_run_knows_is_held(place: Cache, failed: bool) -> None:
    results = Results(catalogue(), "torchneuron", Store(place) if failed else None)
    key = results.key(TASK, CONTENT)
    result = FileResult(TASK.path, failed=failed)
    results.keep(key, result)
    results.let_go()
    assert results.get(key) is result
