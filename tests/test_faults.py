"""What goes wrong around a run: signals, full disks, clocks, damaged files."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit.cache import VARIABLE
from portaudit.cli import program
from portaudit.store import DATABASE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such signals")

Make = Callable[[Mapping[str, str]], Path]
BASELINE = ".portaudit-baseline.json"
SYNC = "import torch\ntorch.cuda.synchronize()\n"
MANY = {f"m{at}.py": SYNC * (at % 7 + 1) for at in range(200)}
HANG = """
import os, signal, sys, time
from pathlib import Path
from portaudit import scan, workers
workers._SHARE = 1
real = scan.scan_file
def scan_file(source, *rest):
    if source.path == "m50.py":
        with open(TOLD, "a") as told:
            told.write(f"{os.getpid()}\\n")
        time.sleep(600)
    return real(source, *rest)
scan.scan_file = scan_file
TOLD = sys.argv.pop(1)
from portaudit.cli import main
"""
"""A program in which the scan of one file waits, once it has said in which process it is."""


def portaudit(*words: object) -> Result:
    return CliRunner().invoke(program.app, [str(word) for word in words])


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return False
    return state[0] != "Z"


def until(happens: Callable[[], bool]) -> bool:
    """Whether something happens, sooner or later."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if happens():
            return True
        time.sleep(0.02)
    return False


# --- signals --------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nobody says what is alive")
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_that_is_ended_leaves_nothing_behind(
    make_tree: Make, tmp_path: Path, jobs: int, sent: signal.Signals, code: int
) -> None:
    root = make_tree(MANY)
    told, report, cache = tmp_path / "told", tmp_path / "out" / "r.json", tmp_path / "cache"
    report.parent.mkdir()
    report.write_text("the old one")
    words = [told, "scan", root, "-j", jobs, "--format", "json", "--output", report]
    run = subprocess.Popen(
        [sys.executable, "-c", f"{HANG}main()", *map(str, words)],
        env={**os.environ, VARIABLE: str(cache)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert until(lambda: told.exists() and told.read_text().endswith("\n"))
    scanning = int(told.read_text().split()[0])
    assert (scanning == run.pid) == (jobs == 1)
    run.send_signal(sent)
    _, said = run.communicate(timeout=60)
    assert run.returncode == code
    assert b"Traceback" not in said
    assert until(lambda: not alive(scanning))
    assert report.read_text() == "the old one"
    assert [path.name for path in report.parent.iterdir()] == ["r.json"]
    assert portaudit("scan", root, "--no-cache").exit_code == 0


# --- disks ----------------------------------------------------------------------------------------


@pytest.fixture
def full() -> Iterator[Callable[[], None]]:
    """Have every file end after a few bytes, as on a disk that is full."""

    def fill() -> None:
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        undone.append(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before))
        undone.append(lambda: signal.signal(signal.SIGXFSZ, handler))

    undone: list[Callable[[], object]] = []
    yield fill
    for undo in undone:
        undo()


def test_a_full_disk_leaves_the_old_report_and_baseline(
    make_tree: Make, tmp_path: Path, full: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a.py": SYNC, BASELINE: ""})
    (root / BASELINE).unlink()
    report, cache = tmp_path / "r.json", tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(cache))
    assert portaudit("baseline", "create", root).exit_code == 0
    assert portaudit("scan", root, "--format", "json", "--output", report).exit_code == 0
    old = report.read_bytes(), (root / BASELINE).read_bytes()
    (root / "b.py").write_text(SYNC)
    full()
    for words in (
        ("scan", root, "--format", "json", "--output", report),
        ("baseline", "update", root),
    ):
        done = portaudit(*words)
        assert done.exit_code == 2, words
        assert "cannot be written: File too large" in done.stderr
        assert (report.read_bytes(), (root / BASELINE).read_bytes()) == old
    assert sorted(path.name for path in root.iterdir()) == [BASELINE, "a.py", "b.py"]


def test_a_full_disk_costs_the_cache_and_no_report(
    make_tree: Make, tmp_path: Path, full: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a.py": SYNC})
    expected = portaudit("scan", root, "--format", "json", "--no-cache").stdout
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    portaudit("scan", make_tree({"c.py": SYNC}), "--quiet")
    (root / "c.py").unlink()
    full()
    done = portaudit("scan", root, "--format", "json")
    assert (done.exit_code, done.stdout) == (0, expected)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser writes anywhere")
def test_a_cache_that_cannot_be_written_costs_nothing(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = make_tree({"a.py": SYNC}), tmp_path / "cache"
    cache.mkdir(mode=0o500)
    monkeypatch.setenv(VARIABLE, str(cache))
    assert portaudit("scan", root).exit_code == 0
    cache.chmod(0o700)
    assert list(cache.iterdir()) == []


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-(10**9), 10**9])
def test_a_clock_that_jumps_changes_no_report(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    root = make_tree({"a.py": SYNC, "b.py": "import torch\n"})
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    now, now_ns = time.time, time.time_ns
    first = portaudit("scan", root, "--format", "json")
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + jump * 10**9)
    again = portaudit("scan", root, "--format", "json")
    assert again.stdout == first.stdout
    (root / "b.py").write_text(SYNC)
    changed = portaudit("scan", root, "--format", "json")
    assert len(json.loads(changed.stdout)["findings"]) == 2
    os.utime(root / "b.py", (0, 0))
    assert portaudit("scan", root, "--format", "json").stdout == changed.stdout


# --- damaged and adversarial files ----------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"schema": "portaudit.baseline/1", "entries": [' + b"null, " * 3 + b"1" * 10_000 + b"]}",
    ],
    ids=["empty", "cut", "null", "list", "binary", "lists", "tables", "number"],
)
def test_a_damaged_baseline_fails_and_stays(make_tree: Make, content: bytes) -> None:
    root = make_tree({"a.py": SYNC})
    (root / BASELINE).write_bytes(content)
    for words in (["check"], ["baseline", "update"]):
        done = portaudit(*words, root)
        assert done.exit_code == 2
        assert BASELINE in done.stderr
        assert "Traceback" not in done.stderr
    assert (root / BASELINE).read_bytes() == content


def test_a_damaged_cache_is_made_anew(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = make_tree({"a.py": SYNC}), tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(cache))
    expected = portaudit("scan", root, "--format", "json").stdout
    whole = tmp_path / "whole"
    shutil.copytree(cache, whole)
    for name in [DATABASE, *(path.name for path in whole.glob("*.cache"))]:
        size = (whole / name).stat().st_size
        for start in range(0, size, size // 9 + 1):
            shutil.rmtree(cache)
            shutil.copytree(whole, cache)
            with (cache / name).open("r+b") as file:
                file.seek(start)
                file.write(os.urandom(min(500, size - start)))
            assert portaudit("scan", root, "--format", "json").stdout == expected


def test_two_runs_at_once_agree(make_tree: Make, tmp_path: Path) -> None:
    root = make_tree(MANY)
    command = [sys.executable, "-m", "portaudit", "scan", str(root), "--format", "json", "-j", "1"]
    environment = {**os.environ, VARIABLE: str(tmp_path / "cache")}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    said = {run.communicate(timeout=120)[0] for run in both}
    assert [run.returncode for run in both] == [0, 0]
    assert len(said) == 1
