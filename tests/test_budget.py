"""A file that takes too long, or kills who reads it, costs itself and no other."""

from __future__ import annotations

import json
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import repeat
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from portaudit import budget, engine, scan, workers
from portaudit.budget import DiedError, OverBudgetError, apart, limited
from portaudit.cache import Cache
from portaudit.cli import program
from portaudit.config import Config
from portaudit.discover import walk
from portaudit.engine import Scanner, scan_tree
from portaudit.errors import PortauditError
from portaudit.files import Disk
from portaudit.relate.modules import Modules
from portaudit.results import Results
from portaudit.store import Store
from portaudit.types import FileResult
from snippets import catalogue

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no clocks")

Make = Callable[[Mapping[str, str]], Path]
SYNC = "torch.cuda.synchronize()\n"
FILES = {
    "pkg/__init__.py": "",
    "pkg/device.py": 'DEVICE = "cuda"\n',
    "pkg/slow.py": f"import torch\nfrom pkg.device import DEVICE\n{SYNC}",
    "pkg/user.py": "import torch\nfrom pkg.device import DEVICE\ntorch.ones(1).to(DEVICE)\n",
} | {f"pkg/m{at}.py": f"import torch\nfrom pkg.device import DEVICE\n{SYNC}" for at in range(30)}


def in_python() -> None:
    """Never come back, whatever exception is raised meanwhile."""
    while True:
        with suppress(Exception):
            [None for _ in range(100)]


def in_c() -> None:
    """Never come back, nor look whether there was a signal."""
    deque(repeat(None), maxlen=0)


def run(
    root: Path, *, jobs: int = 1, seconds: float = 0.2, store: Store | None = None
) -> dict[str, FileResult]:
    files = Disk(root)
    tree = walk(files, [root])
    scanner = Scanner(files, catalogue(), "torchneuron", seconds)  # type: ignore[arg-type]
    results = Results(catalogue(), "torchneuron", store)
    found = scan_tree(
        scanner, Modules(tree, catalogue().libraries), tree, jobs=jobs, results=results
    )
    return {result.path: result for result in found}


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Have the scan of `slow.py` do something that does not end."""
    real = scan.scan_file

    def hang(work: Callable[[], None]) -> None:
        def scanned(source, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202
            if source.path.endswith("slow.py"):
                work()
            return real(source, *rest)

        monkeypatch.setattr(scan, "scan_file", scanned)

    return hang


def portaudit(*words: object) -> Result:
    return CliRunner().invoke(program.app, [str(word) for word in words])


# --- the clock ------------------------------------------------------------------------------------


def test_what_takes_too_long_is_broken_off() -> None:
    with pytest.raises(OverBudgetError), limited(0.02):  # type: ignore[arg-type]
        in_python()


def test_no_clock_runs_when_the_work_is_done() -> None:
    handler = signal.getsignal(signal.SIGPROF)
    with limited(100):
        assert signal.getitimer(signal.ITIMER_PROF)[0] > 99
    for clock in (signal.ITIMER_PROF, signal.ITIMER_VIRTUAL):
        assert signal.getitimer(clock)[0] == 0
    assert signal.getsignal(signal.SIGPROF) is handler


def test_the_time_of_work_in_between_is_its_own() -> None:
    with limited(100):
        with pytest.raises(OverBudgetError), limited(0.02):  # type: ignore[arg-type]
            in_python()
        left, _ = signal.getitimer(signal.ITIMER_PROF)
        assert 99.9 < left <= 100.1


# --- a process of its own -------------------------------------------------------------------------


def test_apart_gives_what_the_work_gives() -> None:
    assert apart(lambda: ("a" * 1_000_000, os.getpid()))[1] != os.getpid()  # type: ignore[index]


def test_apart_cannot_tell_what_went_wrong_but_that_it_did() -> None:
    assert apart(lambda: lambda: None) is None  # nothing that a process could hand on
    assert apart(lambda: 1 // 0) is None


@pytest.mark.parametrize(("end", "stuck"), [(signal.SIGKILL, False), (signal.SIGVTALRM, True)])
def test_apart_says_that_a_process_was_ended(end: signal.Signals, stuck: bool) -> None:
    with pytest.raises(DiedError) as caught:
        apart(lambda: os.kill(os.getpid(), end))
    assert caught.value.stuck is stuck


def test_apart_ends_code_in_c_that_is_stuck() -> None:
    def work() -> None:
        with limited(0.05):  # type: ignore[arg-type]
            in_c()

    with pytest.raises(DiedError) as caught:
        apart(work)
    assert caught.value.stuck


def test_an_interruption_leaves_no_process_behind(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        os.kill(os.getppid(), signal.SIGINT)
        signal.pause()

    with pytest.raises(KeyboardInterrupt):
        apart(work)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


# --- files ----------------------------------------------------------------------------------------


def test_a_file_that_takes_too_long_is_an_error_and_the_others_are_as_they_were(
    make_tree: Make, hangs: Callable[[Callable[[], None]], None]
) -> None:
    root = make_tree(FILES)
    alone = run(root, seconds=60)
    hangs(in_python)
    found = run(root)
    (error,) = found.pop("pkg/slow.py").errors
    assert "takes more than 0.2 s (`file-seconds`)" in error.reason
    assert alone.pop("pkg/slow.py").findings
    assert found == alone


def test_a_long_name_of_a_module_takes_no_time(make_tree: Make) -> None:
    """Each dot of it may not be a place to begin again where it does not end as a name does."""
    name = f'"{"a." * 40_000}" + name + "!"'
    root = make_tree({"a.py": f"import importlib\nname = 'x'\nimportlib.import_module({name})\n"})
    assert not run(root, seconds=5)["a.py"].errors


@pytest.mark.parametrize("work", [in_python, in_c])
def test_the_same_of_several_processes(
    make_tree: Make,
    hangs: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[], None],
) -> None:
    monkeypatch.setattr(workers, "_SHARE", 1)
    monkeypatch.setattr(workers, "_PORTION", 300)
    root = make_tree(FILES)
    alone = run(root, seconds=60)
    hangs(work)
    found = run(root, jobs=2)
    assert found.pop("pkg/slow.py").failed
    alone.pop("pkg/slow.py")
    assert found == alone


@pytest.mark.parametrize(("work", "reason"), [(in_python, "takes more"), (in_c, "takes more")])
def test_a_large_file_may_get_stuck_anywhere(
    make_tree: Make,
    hangs: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[], None],
    reason: str,
) -> None:
    monkeypatch.setattr(budget, "_LARGE", 10)
    root = make_tree(FILES)
    hangs(work)
    found = run(root)
    assert reason in found["pkg/slow.py"].errors[0].reason
    assert found["pkg/m0.py"].findings


def test_a_large_file_may_kill_who_reads_it(
    make_tree: Make,
    hangs: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "_LARGE", 10)
    root = make_tree(FILES)
    hangs(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert "was killed" in run(root)["pkg/slow.py"].errors[0].reason


def test_a_large_file_is_judged_like_any_other(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = make_tree(FILES | {"odd.py": 'D = "\\ud800"\n'})
    alone = run(root)
    monkeypatch.setattr(budget, "_LARGE", 10)
    store = Store(Cache(tmp_path / "cache"))
    assert run(root, store=store) == alone
    store.write()
    assert run(root, store=Store(Cache(tmp_path / "cache"))) == alone


def test_a_later_run_tries_again(
    make_tree: Make, hangs: Callable[[Callable[[], None]], None], tmp_path: Path
) -> None:
    root = make_tree(FILES)
    alone = run(root)
    place = Cache(tmp_path / "cache")
    hangs(in_python)
    assert run(root, store=Store(place))["pkg/slow.py"].failed
    hangs(lambda: None)
    assert run(root, store=Store(place)) == alone


# --- what the user sees ---------------------------------------------------------------------------


def test_a_scan_over_budget_is_partial_and_strict_fails(
    make_tree: Make, hangs: Callable[[Callable[[], None]], None]
) -> None:
    root = make_tree({**FILES, ".portaudit.toml": "file-seconds = 1\nfile-megabytes = 1\n"})
    (root / "big.py").write_text("#" * 1_000_001)
    hangs(in_python)
    done = portaudit("scan", root, "-j", 1, "--format", "json", "--no-cache")
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert report["partial"] is True
    assert {each["path"]: each["reason"] for each in report["errors"]} == {
        "big.py": "cannot be read: larger than 1 MB (`file-megabytes`)",
        "pkg/slow.py": "not read to its end: it takes more than 1 s (`file-seconds`)",
    }
    shown = portaudit("scan", root, "-j", 1, "--no-cache", "--strict")
    assert shown.exit_code == 2
    assert "2 files or parts of files could not be read (--strict)" in shown.stderr
    assert "pkg/slow.py: not read to its end" in shown.stdout


def test_what_relates_the_files_of_a_tree_has_a_time_of_its_own(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree(FILES)
    settings = Config(root, (root,), jobs=1, cache=False, tree_seconds=0.2)  # type: ignore[arg-type]
    assert engine.scan(replace(settings, tree_seconds=60)).findings
    monkeypatch.setattr(engine, "reached", lambda *_: in_python())
    with pytest.raises(PortauditError, match=r"more than 0.2 s .*`tree-seconds`"):
        engine.scan(settings)


@pytest.mark.parametrize("value", ["0", "-1", "3601", "true", '"60"', "1.5"])
def test_no_settings_take_the_bounds_away(make_tree: Make, value: str) -> None:
    done = portaudit("scan", make_tree({".portaudit.toml": f"file-seconds = {value}\n"}))
    assert done.exit_code == 2
    assert "whole number from 1 to 3600" in done.stderr


@pytest.mark.parametrize("value", ["59", "86401", "true"])
def test_nor_the_one_of_the_whole(make_tree: Make, value: str) -> None:
    done = portaudit("scan", make_tree({".portaudit.toml": f"tree-seconds = {value}\n"}))
    assert done.exit_code == 2
    assert "whole number from 60 to 86400" in done.stderr
