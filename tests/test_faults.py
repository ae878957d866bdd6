"""What goes wrong around a run: signals, full disks, clocks, damaged files."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit.cache import VARIABLE
from portaudit.cli import program
from portaudit.cli.common import replace_file
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
@pytest.mark.parametrize(("jobs", "more"), [(1, 0), (1, 200_000), (2, 0)])
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_that_is_ended_leaves_nothing_behind(
    make_tree: Make, tmp_path: Path, jobs: int, more: int, sent: signal.Signals, code: int
) -> None:
    root = make_tree({**MANY, "m50.py": SYNC + "#\n" * more})
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
    assert (scanning == run.pid) == (jobs == 1 and not more)
    run.send_signal(sent)
    _, said = run.communicate(timeout=60)
    assert run.returncode == code
    assert b"Traceback" not in said
    assert until(lambda: not alive(scanning))
    assert report.read_text() == "the old one"
    assert [path.name for path in report.parent.iterdir()] == ["r.json"]
    assert portaudit("scan", root, "--no-cache").exit_code == 0


UNHEARD = """
import os, signal, sys, time, weakref
from portaudit.cli import common

class Thing:
    pass

def gone(_):
    os.kill(os.getpid(), int(sys.argv[1]))
    for _ in range(100):
        pass

def run():
    thing = Thing()
    reference = weakref.ref(thing, gone)
    del thing
    for _ in range(1000):
        time.sleep(0.01)
    return 0

common.heed()
sys.exit(common.ended(run))
"""
"""A program that is asked to end where Python passes no exception on."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no clocks")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_end_that_python_could_not_pass_on_is_asked_for_again(
    sent: signal.Signals, code: int
) -> None:
    words = [sys.executable, "-c", UNHEARD, str(int(sent))]
    run = subprocess.run(words, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (code, b"")


# --- disks ----------------------------------------------------------------------------------------


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from portaudit.cli import main
main()
"""
"""A program whose files end after a few bytes, as on a disk that is full."""


def full(*words: object, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run the program on a full disk: a process of its own, since ours has files as well.

    The log that tests are told in is one of them, and so is byte code, of which Python before 3.14
    would leave the beginning for all who come later.
    """
    return subprocess.run(
        [sys.executable, "-c", FULL, *map(str, words)],
        env={**os.environ, VARIABLE: str(cache), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_full_disk_leaves_the_old_report_and_baseline(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a.py": SYNC})
    report, cache = tmp_path / "r.json", tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(cache))
    assert portaudit("baseline", "create", root).exit_code == 0
    assert portaudit("scan", root, "--format", "json", "--output", report).exit_code == 0
    old = report.read_bytes(), (root / BASELINE).read_bytes()
    (root / "b.py").write_text(SYNC)
    for words in (
        ("scan", root, "--format", "json", "--output", report),
        ("baseline", "update", root),
    ):
        done = full(*words, cache=cache)
        assert done.returncode == 2, words
        assert "cannot be written: File too large" in done.stderr
        assert (report.read_bytes(), (root / BASELINE).read_bytes()) == old
    assert sorted(path.name for path in root.iterdir()) == [BASELINE, "a.py", "b.py"]
    assert [path.name for path in tmp_path.glob("*r.json*")] == ["r.json"]


def test_a_full_disk_costs_the_cache_and_no_report(
    make_tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = make_tree({"a.py": SYNC}), tmp_path / "cache"
    expected = portaudit("scan", root, "--format", "json", "--no-cache").stdout
    for _ in ("none yet", "one of other files"):
        done = full("scan", root, "--format", "json", cache=cache)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
        monkeypatch.setenv(VARIABLE, str(cache))
        portaudit("scan", make_tree({"c.py": SYNC}), "--quiet")
        (root / "c.py").unlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["scan", "{root}"], 2),
        (["scan", "{root}", "--format", "json"], 2),
        (["check", "{root}"], 2),
        (["rules", "list"], 2),
        (["--version"], 2),
        (["--help"], 2),
        (["baseline", "create", "{root}", "--baseline", "/dev/full", "--force"], 2),
        (["scan", "{root}", "--format", "html", "--output", "/dev/full"], 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_written_is_said_and_no_gate_that_failed(
    make_tree: Make, words: list[str], code: int
) -> None:
    root = make_tree({"a.py": SYNC})
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "portaudit", *(word.format(root=root) for word in words)],
            stdout=nowhere,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == code
        assert done.stderr.splitlines()[-1].startswith("error: ")
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert "ignored" not in done.stderr
        assert "mistake" not in done.stderr
        silent = subprocess.run(
            [sys.executable, "-m", "portaudit", "scan", "nowhere"], stderr=nowhere, check=False
        )
        assert silent.returncode == 2


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed(make_tree: Make, tmp_path: Path, closed: str) -> None:
    root = make_tree({"a.py": SYNC})
    start = f"exec {sys.executable} -m portaudit"
    environment = {**os.environ, VARIABLE: str(tmp_path / "cache")}
    for words, code in (
        ("scan", 0),
        ("check", 1),
        ("scan nowhere", 2),
        ("check --stdin-filename a.py", 0),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{start} {words} {closed}"],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, words
        assert "Traceback" not in done.stderr
    assert portaudit("scan", root).exit_code == 0


def replace_once_in(folder: Path) -> str:
    return (
        "import os, signal, sys; from pathlib import Path\n"
        "from portaudit.cli.common import replace_file\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"replace_file(Path({str(folder)!r}) / 'r.json', b'half')\n"
    )


def test_what_a_killed_writer_left_goes_with_the_next_one(tmp_path: Path) -> None:
    for _ in range(2):
        killed = subprocess.run(
            [sys.executable, "-c", replace_once_in(tmp_path)],
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    left = list(tmp_path.iterdir())
    assert len(left) == 2
    others = [tmp_path / name for name in (".r.json.of.another", ".s.json.12345678.partial")]
    for other in others:
        other.touch()
    young, *old = left
    for path in (*old, *others):
        os.utime(path, (0, 0))
    replace_file(tmp_path / "r.json", b"whole")
    assert set(tmp_path.iterdir()) == {young, *others, tmp_path / "r.json"}


def test_a_folder_may_be_written_to_that_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    replace_file(tmp_path / "r.json", b"whole")
    assert (tmp_path / "r.json").read_bytes() == b"whole"


@pytest.mark.parametrize("at", ["fcntl.flock", "os.dup", "shutil.copymode", "pathlib.Path.replace"])
def test_a_writer_that_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    place = tmp_path / "r.json"
    place.write_text("old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(at, interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_file(place, b"new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.json", "old")]


def test_what_another_is_writing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "r.json"
    replace = Path.replace

    def between(path: Path, target: Path) -> Path:
        os.utime(path, (0, 0))
        monkeypatch.setattr(Path, "replace", replace)
        subprocess.run(
            [
                sys.executable,
                "-c",
                (
                    "import sys; from pathlib import Path\n"
                    "from portaudit.cli.common import replace_file\n"
                    "replace_file(Path(sys.argv[1]), b'theirs')"
                ),
                place,
            ],
            check=True,
        )
        assert place.read_bytes() == b"theirs"
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", between)
    replace_file(place, b"ours")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("r.json", b"ours")]


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


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""For the superuser, who writes anywhere else."""


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(
        ["unshare", "-m", "true"],  # noqa: S607
        check=False,
        capture_output=True,
    ).returncode
    != 0,
    reason="nothing may be mounted",
)
def test_a_cache_on_a_disk_that_is_read_only_is_read(make_tree: Make, tmp_path: Path) -> None:
    root, cache = make_tree({"a.py": SYNC}), tmp_path / "cache"
    scan = sys.executable, "-m", "portaudit", "scan", str(root), "--format", "json"
    expected = portaudit("scan", root, "--format", "json", "--no-cache").stdout
    cache.mkdir(mode=0o700)
    for begin in (["unshare", "-m", "sh", "-c", READ_ONLY, str(cache)], [], None):
        if begin is None:  # what was kept is used, and something is to be kept
            (root / "b.py").write_text(SYNC)
            expected = portaudit("scan", root, "--format", "json", "--no-cache").stdout
            begin = ["unshare", "-m", "sh", "-c", READ_ONLY, str(cache)]  # noqa: PLW2901
        done = subprocess.run(
            [*begin, *scan],
            env={**os.environ, VARIABLE: str(cache)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


# --- memory ---------------------------------------------------------------------------------------


SCARCE = """
import resource, sys
from portaudit import scan, workers
workers._SHARE = 1
real = scan._judge
def judge(source, *rest):
    if source.path == "m50.py":
        now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + 30_000_000,) * 2)
        bytearray(10**9) if EXACT else [b"x" * at for at in range(10**6)]
    return real(source, *rest)
scan._judge = judge
EXACT = sys.argv.pop(1) == "exact"
from portaudit.cli import main
main()
"""
"""A program in which the scan of one file takes more memory than there is."""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="nobody says what is used")
@pytest.mark.parametrize("how", ["exact", "bit by bit"])
@pytest.mark.parametrize(("jobs", "more"), [(1, 200_000), (2, 0)])
def test_a_file_that_takes_all_memory_costs_itself(
    make_tree: Make, jobs: int, more: int, how: str
) -> None:
    root = make_tree({**MANY, "m50.py": SYNC + "#\n" * more})
    done = subprocess.run(
        [
            *(sys.executable, "-c", SCARCE, how, "scan", str(root)),
            *("-j", str(jobs), "--format", "json", "--no-cache"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert [each["path"] for each in report["errors"]] == ["m50.py"]
    assert "memory" in report["errors"][0]["reason"]
    assert len({each["path"] for each in report["findings"]}) == len(MANY) - 1


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


def baseline_of(keys: bytes, path: bytes = b"a.py", times: int = 1) -> bytes:
    """A baseline with entries that have these keys; `path` may number them."""
    entry = b'{"path": "%s", "severity": "minor", "anchor": "x", %s}'
    entries = (entry % (path % at if b"%d" in path else path, keys) for at in range(times))
    head = b'{"schema": "portaudit.baseline/1", "target": "torchneuron", "entries": ['
    return head + b", ".join(entries) + b"]}"


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
        b'{"schema": "portaudit.baseline/2", "target": "torchneuron", "entries": []}',
        baseline_of(b'"rule": 5'),
        baseline_of(b'"rule": "DEV001", "count": NaN'),
        baseline_of(b'"rule": "DEV001", "count": 1e400'),
        baseline_of(b'"rule": "DEV001", "count": 100000', b"%d", times=11),
        baseline_of(b'"rule": "DEV001", "scope": ' + b"[" * 100_000),
        b" " * 100_000_001,
    ],
    ids=[
        *("empty", "cut", "null", "list", "binary", "lists", "tables", "number", "version"),
        *("type", "NaN", "infinite", "many", "deep", "large"),
    ],
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


def test_of_keys_that_stand_twice_the_last_counts(make_tree: Make) -> None:
    root = make_tree({"a.py": SYNC})
    portaudit("baseline", "create", root)
    text = (root / BASELINE).read_text()
    assert portaudit("check", root).exit_code == 0
    end = text.rindex("}")
    (root / BASELINE).write_text(text[:end] + ', "entries": []}')
    assert portaudit("check", root).exit_code == 1


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


def at_once(*words: object, cache: Path, number: int = 3) -> list[subprocess.Popen[bytes]]:
    """Start the same several times."""
    return [
        subprocess.Popen(
            [sys.executable, "-m", "portaudit", *map(str, words)],
            env={**os.environ, VARIABLE: str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(number)
    ]


def test_two_runs_at_once_agree(make_tree: Make, tmp_path: Path) -> None:
    root = make_tree(MANY)
    both = at_once("scan", root, "--format", "json", "-j", 1, cache=tmp_path / "cache", number=2)
    said = {run.communicate(timeout=120)[0] for run in both}
    assert [run.returncode for run in both] == [0, 0]
    assert len(said) == 1


def test_runs_at_once_may_write_the_same_files(make_tree: Make, tmp_path: Path) -> None:
    root, place = make_tree(MANY), tmp_path / "out" / "r.json"
    portaudit("baseline", "create", root)
    old = (root / BASELINE).read_bytes()
    (root / "new.py").write_text(SYNC)
    cache = tmp_path / "cache"
    runs = [
        *at_once("scan", root, "--format", "json", "--output", place, "-j", 1, cache=cache),
        *at_once("baseline", "update", root, "-j", 1, cache=cache),
    ]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
    assert place.read_text() == portaudit("scan", root, "--format", "json", "--no-cache").stdout
    assert (root / BASELINE).read_bytes() != old
    assert portaudit("check", root, "--no-cache").exit_code == 0
    assert [path.name for path in place.parent.iterdir()] == ["r.json"]
    assert sorted(path.name for path in root.iterdir()) == sorted([*MANY, BASELINE, "new.py"])
