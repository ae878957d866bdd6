"""Ends runs at random moments and looks at what they leave: nothing half done, no wrong report.

Every trial starts a command in a session of its own, on a tree made for it, and sends a signal to
the process, to its group or to one of its children. What must hold afterwards is in `judged`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
BASELINE = "baseline.json"
DATABASE = "portaudit-results.sqlite3"
PAST = 1_700_000_000
"""When files were written: long ago, so that nobody doubts a file by its time."""
CHANGED = "pkg/m3.py"
"""The file that changed since a warm cache was made."""
LARGE = "pkg/large.py"
"""A file that one process has another one read."""
PATIENCE = 240
"""Seconds until a run that should have ended is a failure."""
AGED = 2.1
"""Seconds after which what a writer left is not taken for that of one that has only just begun."""
STARTING = 0.15
"""Of a run's time, that in which Python itself starts: signals do there what they do to any
program."""
LOADING = "    from portaudit.cli import main\n"
"""What a traceback has as long as the program loads, on a busy machine later than that."""
ENDS = {
    signal.SIGKILL: {-9},
    signal.SIGTERM: {143, -15},
    signal.SIGINT: {130, -2},
}
"""Exit codes by signal; the second is that of a Python that has only just begun."""


@dataclass(frozen=True)
class Command:
    """Words of a command; what it writes, as a name in its folder; and how it ends undisturbed."""

    name: str
    words: tuple[str, ...]
    writes: str
    ends: int = 0


COMMANDS = (
    Command("scan", ("scan", "repo", "--format", "json", "--output", "report.json"), "report.json"),
    Command(
        "check",
        ("check", "repo", "--baseline", BASELINE, "--format", "json", "--output", "check.json"),
        "check.json",
        1,
    ),
    Command(
        "baseline create",
        ("baseline", "create", "repo", "--force", "--baseline", BASELINE),
        BASELINE,
    ),
    Command(
        "baseline update",
        ("baseline", "update", "repo", "--baseline", BASELINE),
        BASELINE,
    ),
)
CACHES = ("cold", "warm", "changed")
TARGETS = ("process", "group", "child")


@dataclass(frozen=True)
class Trial:
    """One run, and how it is ended: a signal to somebody after a part of the run's usual time."""

    number: int
    command: Command
    jobs: int
    cache: str
    target: str
    sent: signal.Signals
    moment: float

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.number}: {self.command.name}, {self.jobs} jobs, {self.cache} cache, "
            f"{self.sent.name} to the {self.target} at {self.moment:.2f}"
        )


@dataclass(frozen=True)
class Ended:
    """How a run ended, and whether a signal was sent while it was there."""

    code: int
    said: str
    sent: bool
    left: tuple[int, ...]
    """Processes that went on."""


@dataclass
class Scene:
    """A folder with the tree, what runs left, and what undisturbed runs leave."""

    folder: Path
    expected: dict[tuple[str, str], bytes]
    seconds: dict[tuple[str, int, str], float]

    @property
    def environment(self) -> Mapping[str, str]:
        """Of all runs."""
        return {
            **os.environ,
            "PORTAUDIT_CACHE_DIR": str(self.folder / "cache"),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONFAULTHANDLER": "1",
            "CI": "1",
        }


# --- the tree -------------------------------------------------------------------------------------


def texts(seed: int) -> dict[str, str]:
    """Files by path: modules that import one another, one of them large."""
    dice = random.Random(seed)  # noqa: S311 - the same in each run
    found = {"pkg/__init__.py": "", "pkg/device.py": 'import torch\n\nDEVICE = "cuda"\n'}
    for at in range(30):
        lines = ["import torch", "from pkg.device import DEVICE", f"from pkg.m{at // 2} import f0"]
        for number in range(dice.randint(8, 20)):
            lines += [
                f"def f{number}(batch, model):",
                f"    batch = batch.to(DEVICE) * {dice.randint(0, 999)}",
                "    torch.cuda.synchronize()" if dice.randrange(3) else "    batch = batch + 1",
                f"    return model(batch).view(-1, {dice.randint(1, 99)})",
            ]
        found[f"pkg/m{at}.py"] = "\n".join(lines) + "\n"
    found[LARGE] = "import torch\n" + "torch.cuda.synchronize()\n" * 100 + "# data\n" * 15_000
    found["run.sh"] = "export NCCL_DEBUG=INFO\ntorchrun --nproc-per-node 8 -m pkg.m3\n"
    return found


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files, as if long ago."""
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        os.utime(place, (PAST, PAST))


def prepared(folder: Path, seed: int) -> Scene:
    """Make the tree, caches to start with, and what undisturbed runs give and take."""
    scene = Scene(folder, {}, {})
    files = texts(seed)
    write(folder / "repo", {**files, CHANGED: "import torch\n"})
    time.sleep(2.1)  # younger files are read in each run
    for command in (COMMANDS[2], COMMANDS[0], COMMANDS[1]):
        run = started(scene, command, 1)
        said = run.communicate()[1]
        if run.returncode not in {0, 1}:
            raise SystemExit(f"{command.name} ends with {run.returncode}: {said}")
    (folder / BASELINE).rename(folder / "old.json")
    shutil.copytree(folder / "cache", folder / "changed")
    write(folder / "repo", {CHANGED: files[CHANGED]})
    time.sleep(2.1)
    for command in COMMANDS:
        reset(scene, command, "cold" if command is COMMANDS[0] else "kept")
        run = started(scene, command, 1)
        run.communicate()
        if run.returncode != command.ends:
            raise SystemExit(f"{command.name} ends with {run.returncode}")
        scene.expected[command.name, command.writes] = (folder / command.writes).read_bytes()
    shutil.copytree(folder / "cache", folder / "warm")
    return scene


def reset(scene: Scene, command: Command, cache: str) -> None:
    """Take back what runs did: the cache, and what they wrote, of which there is an old one."""
    folder = scene.folder
    if cache != "kept":
        shutil.rmtree(folder / "cache", ignore_errors=True)
        if cache != "cold":
            shutil.copytree(folder / cache, folder / "cache")
    for name in ("report.json", "check.json"):
        (folder / name).write_bytes(b"the old one")
    shutil.copy(folder / "old.json", folder / BASELINE)
    for path in leftovers(scene):
        path.unlink()
    assert (folder / command.writes).exists()


def leftovers(scene: Scene) -> list[Path]:
    """Files beside what is written that nobody asked for."""
    known = {"report.json", "check.json", BASELINE, "old.json"}
    return [each for each in scene.folder.iterdir() if each.is_file() and each.name not in known]


# --- one trial ------------------------------------------------------------------------------------


def started(scene: Scene, command: Command, jobs: int) -> subprocess.Popen[str]:
    """Start a command in a session of its own."""
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "portaudit", *command.words, "--jobs", f"{jobs}", "--quiet"],
        cwd=scene.folder,
        env=scene.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def usual(scene: Scene, trial: Trial) -> float:
    """Seconds that a run takes if nobody disturbs it."""
    key = trial.command.name, trial.jobs, trial.cache
    if key not in scene.seconds:
        reset(scene, trial.command, trial.cache)
        began = time.monotonic()
        started(scene, trial.command, trial.jobs).communicate()
        scene.seconds[key] = time.monotonic() - began
    return scene.seconds[key]


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, of, *_ = place.read_text(encoding="ascii").rpartition(")")[2].split()
            if int(of) == session and state not in "ZX":
                found.append(int(place.parent.name))
    return sorted(found)


def others_of(run: subprocess.Popen[str]) -> list[int]:
    """The processes that a run started."""
    return [process for process in members(run.pid) if process != run.pid]


def disturbed(scene: Scene, trial: Trial, dice: random.Random) -> Ended:
    """Start the run of a trial, send its signal, and wait until it is over."""
    wait = usual(scene, trial) * trial.moment
    reset(scene, trial.command, trial.cache)
    run = started(scene, trial.command, trial.jobs)
    sent = False
    try:
        with suppress(subprocess.TimeoutExpired):
            run.wait(wait)
        others = others_of(run)
        while trial.target == "child" and run.poll() is None and not others:
            time.sleep(0.005)
            others = others_of(run)
        if run.poll() is None and (trial.target != "child" or others):
            with suppress(ProcessLookupError):
                if trial.target == "group":
                    os.killpg(run.pid, trial.sent)
                else:
                    chosen = dice.choice(others) if trial.target == "child" else run.pid
                    os.kill(chosen, trial.sent)
                sent = True
        _, said = run.communicate(timeout=PATIENCE)
        end = time.monotonic() + PATIENCE / 4
        while (left := members(run.pid)) and time.monotonic() < end:
            time.sleep(0.02)
        return Ended(run.returncode, said, sent, tuple(left))
    except subprocess.TimeoutExpired:
        left = members(run.pid)
        run.send_signal(signal.SIGABRT)  # which has it say where it is
        return Ended(0, f"it did not end: {run.communicate()[1]}", sent, tuple(left))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def judged(scene: Scene, trial: Trial, ended: Ended) -> Iterator[str]:
    """What a trial did wrong, now and in the run after it."""
    folder, command = scene.folder, trial.command
    old = (folder / "old.json").read_bytes() if command.writes == BASELINE else b"the old one"
    new = scene.expected[command.name, command.writes]
    found = (folder / command.writes).read_bytes()
    # What one process has another one read is read once: that file is an error, or not accepted.
    alone = trial.target == "child" and trial.jobs == 1
    whole = ended.code == command.ends
    if ended.left:
        yield f"processes go on: {ended.left}; {ended.said}"
    if found not in {old, new} and not (alone and LARGE.encode() in without(found, new)):
        yield f"{command.writes} is neither the old one nor the new one"
    allowed = {command.ends}
    if ended.sent and trial.target != "child":
        allowed |= ENDS[trial.sent]
    if ended.code not in allowed:
        yield f"ends with {ended.code}"
    if whole and found == old:
        yield f"ends well, but {command.writes} is the old one"
    if "Traceback" in ended.said and trial.moment > STARTING and LOADING not in ended.said:
        yield f"says {ended.said}"
    if leftovers(scene) and ended.code >= 0:
        yield f"leaves {[path.name for path in leftovers(scene)]}"
    yield from wrong_in_cache(folder / "cache", settled=ended.code >= 0)
    if command.writes == BASELINE:
        shutil.copy(folder / "old.json", folder / BASELINE)
    if leftovers(scene):
        time.sleep(AGED)
    again = started(scene, command, trial.jobs)
    try:
        said = again.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        again.send_signal(signal.SIGABRT)
        said = again.communicate()[1]
    if (again.returncode, (folder / command.writes).read_bytes()) != (command.ends, new):
        yield f"the run after it ends with {again.returncode} and gives something else: {said}"
    if leftovers(scene):
        yield f"the run after it leaves {[path.name for path in leftovers(scene)]}"
    yield from wrong_in_cache(folder / "cache", settled=ended.code >= 0)


def without(found: bytes, new: bytes) -> bytes:
    """The lines of a file that another one does not have."""
    return b"\n".join(set(new.splitlines()).symmetric_difference(found.splitlines()))


def wrong_in_cache(place: Path, *, settled: bool) -> Iterator[str]:
    """What is wrong with a cache; where nobody was killed, it holds nothing half written."""
    database = place / DATABASE
    if database.exists():
        try:
            with closing(sqlite3.connect(database)) as connection:
                told = connection.execute("PRAGMA integrity_check").fetchall()
        except sqlite3.Error as error:
            told = [(f"{error}",)]
        if told != [("ok",)]:
            yield f"the database is damaged: {told[:3]}"
    known = {".gitignore", DATABASE}
    others = {
        path.name
        for path in (place.iterdir() if place.exists() else ())
        if path.name not in known and path.suffix != ".cache"
    }
    if settled and others:
        yield f"the cache holds {sorted(others)}"


def trials(number: int, seed: int) -> Iterator[Trial]:
    """Trials of all kinds in turn, at random moments: half of them near the end."""
    dice = random.Random(seed)  # noqa: S311
    kinds = [
        (command, jobs, cache, target, sent)
        for command in COMMANDS
        for jobs in (1, 2)
        for cache in CACHES
        for target in TARGETS
        for sent in ENDS
    ]
    dice.shuffle(kinds)
    for at in range(number):
        command, jobs, cache, target, sent = kinds[at % len(kinds)]
        moment = dice.uniform(0.7, 1.05) if at % 2 else dice.uniform(0.02, 1)
        yield Trial(at, command, jobs, cache, target, sent, moment)


def run(number: int, seed: int, folder: Path, *, only: Sequence[int] = ()) -> dict[str, int]:
    """Run trials, and print those that went wrong; how many there were of which kind."""
    scene = prepared(folder, seed)
    counted: Counter[str] = Counter()
    for trial in trials(number, seed):
        if only and trial.number not in only:
            continue
        dice = random.Random(f"{seed} {trial.number}")  # noqa: S311
        ended = disturbed(scene, trial, dice)
        counted["trials"] += 1
        counted["sent"] += ended.sent
        counted["over before"] += not ended.sent
        counted["ended by it"] += ended.code != trial.command.ends
        counted["left by SIGKILL"] += bool(leftovers(scene))
        for wrong in judged(scene, trial, ended):
            counted["wrong"] += 1
            print(f"{trial}: {wrong}", flush=True)
    return dict(counted)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=216, help="trials (216 are all kinds)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="*", default=(), help="numbers of trials")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        counted = run(given.kills, given.seed, Path(folder), only=given.only)
    print(f"seed {given.seed}: {counted}")
    sys.exit(bool(counted.get("wrong")))


if __name__ == "__main__":
    main()
