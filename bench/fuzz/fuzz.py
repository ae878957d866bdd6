"""Fuzzes the readers, guided by coverage, and says how coverage grew.

    python bench/fuzz/fuzz.py run WORK [TARGET …] [--runs N] [--seconds S]
    python bench/fuzz/fuzz.py table WORK
    python bench/fuzz/fuzz.py shrink TARGET FILE

needs atheris (the dependency group `fuzz`). WORK is a directory of yours: what was found to reach
new code is kept there, and the next run goes on with it, up to as many inputs or seconds of the
processor in all.
`run` has a process for each target, one after the other; inputs that break a promise are in
WORK/TARGET/broken. `table` reads what was kept once more without atheris, by another seed for
hashes, and counts the lines that were reached: the rows of README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import re
import resource
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

import changes
import msgspec

HERE = Path(__file__).parent
PACKAGE = str(HERE.parent.parent / "portaudit")
RUNS = {"python": 200_000}
"""Inputs that a target is given, unless told; of the others 30,000."""
_USUAL = 30_000
_SECONDS = 1200
_MEMORY = 4 << 30
_EVERY = 0.5
"""Seconds between two lines of the log."""
_LEVELS = (0.01, 0.1, 1.0)
_WAYS = (*["bytes"] * 5, *["values"] * 3, *["lines"] * 2)
"""How an input is changed: by libFuzzer, as JSON where it is some, or by `changes.py`."""


def main() -> int:
    """Do what is asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "one", "table", "digests"):
        command = commands.add_parser(name)
        command.add_argument("work", type=Path)
        command.add_argument("targets", nargs="*")
        command.add_argument("--runs", type=int, default=0)
        command.add_argument("--seconds", type=int, default=_SECONDS)
        command.add_argument("--traced", action="store_true")
    command = commands.add_parser("shrink")
    command.add_argument("target")
    command.add_argument("file", type=Path)
    given = parser.parse_args()
    if given.command == "one":
        fuzz(given.work, given.targets[0], given.runs, given.seconds)
    elif given.command == "digests":
        print(json.dumps(digests(given.work, given.targets[0], traced=given.traced)))
    elif given.command == "run":
        return run(given.work, given.targets, given.runs, given.seconds)
    elif given.command == "table":
        return table(given.work, given.targets)
    else:
        shrink(given.target, given.file)
    return 0


def run(work: Path, names: Sequence[str], runs: int, seconds: int) -> int:
    """Fuzz some targets, or all, each in a process of its own."""
    from targets import TARGETS  # noqa: PLC0415 - `one` is to load it instrumented

    broken = 0
    for name in names or TARGETS:
        last = _last(_told(work / name / "log.jsonl"))
        number = (runs or RUNS.get(name, _USUAL)) - int(last["runs"])
        left = seconds - int(last["seconds"])
        if number <= 0 or left <= 0:
            continue
        words = ["one", str(work), name, f"--runs={number}", f"--seconds={left}"]
        (work / name).mkdir(parents=True, exist_ok=True)
        with (work / name / "fuzzer.txt").open("ab") as said:
            done = subprocess.run(  # noqa: S603 - this program
                [sys.executable, __file__, *words], stdout=said, stderr=said, check=False
            )
        found = len(list((work / name / "broken").glob("*.bin")))
        broken += found + (done.returncode != 0)
        last = _last(_told(work / name / "log.jsonl"))
        print(
            f"{name}: {last['runs']} runs, {last['seconds']:.0f} s, {found} broken"
            + (f", exit code {done.returncode}" if done.returncode else ""),
            flush=True,
        )
    return min(broken, 1)


# --- one target -----------------------------------------------------------------------------------


def fuzz(work: Path, name: str, runs: int, seconds: int) -> None:
    """Fuzz one target in this process, and end it."""
    import atheris  # noqa: PLC0415 - tests and tables need none

    with atheris.instrument_imports(include=["portaudit"]):
        _load_all()
    import inputs  # noqa: PLC0415 - what is loaded first is what is instrumented
    from targets import TARGETS, as_json, within_limits  # noqa: PLC0415

    target = TARGETS[name]
    place = work / name
    corpus, begun = place / "corpus", place / "seeds"
    shutil.rmtree(begun, ignore_errors=True)
    for folder in (corpus, begun, place / "broken"):
        folder.mkdir(parents=True, exist_ok=True)
    seeds = inputs.seeds(name)
    for seed in seeds:
        (begun / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = inputs.words(name)
    (place / "words.txt").write_bytes(b"".join(b'"%s"\n' % _escaped(word) for word in words))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    log = _Log(place / "log.jsonl")

    def check(data: bytes) -> None:
        try:
            within_limits(target, data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            keep(place / "broken", data, error)
        if log.note() > seconds:
            os._exit(0)  # what was found is kept already

    def change(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)  # noqa: S311 - nothing secret
        way = random.choice(_WAYS)
        if way == "bytes":
            return bytes(atheris.Mutate(data, most))
        if way == "values" and as_json(name):
            head = data[: int(name != "baseline")]
            return (head + changes.changed_json(data[len(head) :], random))[:most]
        return changes.changed(data, random.choice(seeds), words, random)[:most]

    options = [
        f"-runs={runs}",
        f"-max_len={target.longest}",
        f"-dict={place / 'words.txt'}",
        "-timeout=3600",
        "-rss_limit_mb=0",
        "-reduce_inputs=0",
        "-print_final_stats=1",
        "-seed=9",
        f"-artifact_prefix={place}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus), str(begun)], check, custom_mutator=change)
    atheris.Fuzz()


def _load_all() -> None:
    """Load every module of the program, so that what is loaded late is instrumented as well."""
    import portaudit  # noqa: PLC0415 - instrumented

    for module in pkgutil.walk_packages(portaudit.__path__, "portaudit."):
        if not module.name.endswith("__main__"):
            __import__(module.name)


def _told(path: Path) -> list[dict[str, float]]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _last(told: Sequence[dict[str, float]]) -> dict[str, float]:
    """How many inputs a target has been given in all runs, and in how many seconds, by its log."""
    return told[-1] if told else {"runs": 0, "seconds": 0}


class _Log:
    """How many inputs there were, by time: files of the corpus have times as well.

    Seconds are those of the processor, so that a busy machine takes no inputs away.
    """

    def __init__(self, path: Path) -> None:
        last = _last(_told(path))
        self._path = path
        self._last = time.time()
        self._begun = time.process_time()
        self._spent = last["seconds"]
        self._runs = int(last["runs"])

    def note(self) -> float:
        """Count one more; the seconds that this run took."""
        self._runs += 1
        now, took = time.time(), time.process_time() - self._begun
        if now - self._last > _EVERY or self._runs == 1:
            self._last = now
            line = {"time": now, "runs": self._runs, "seconds": self._spent + took}
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")
        return took


def signature(error: BaseException) -> str:
    """What tells one defect from another: where it was raised, or which promise does not hold."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if PACKAGE in frame.filename] or frames
    told = ""
    if not isinstance(error, (ValueError, LookupError, re.error)):  # these speak of the input
        told = re.sub(r"\d+|'[^']*'|\"[^\"]*\"", "_", str(error))[:60]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else ""
    return f"{type(error).__name__} {place} {told}"


def keep(folder: Path, data: bytes, error: BaseException) -> None:
    """Keep the shortest input of a defect."""
    name = sha256(signature(error).encode()).hexdigest()[:12]
    path = folder / f"{name}.bin"
    if path.exists() and path.stat().st_size <= len(data):
        return
    path.write_bytes(data)
    said = "".join(traceback.format_exception(error))
    path.with_suffix(".txt").write_text(f"{signature(error)}\n{said}", errors="backslashreplace")


def _escaped(word: bytes) -> bytes:
    """A word as dictionaries of libFuzzer have it."""
    return b"".join(
        bytes([each]) if 32 <= each < 127 and each not in b'"\\' else b"\\x%02x" % each  # noqa: PLR2004 - ASCII that is shown
        for each in word
    )


# --- what was reached -----------------------------------------------------------------------------


def table(work: Path, names: Sequence[str]) -> int:
    """Print a row for each target, and the inputs whose result goes by the seed of hashes."""
    print("| target | seeds | inputs | s | kept | edges: seeds | 10 % | end | lines | broken |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    wrong = 0
    for name in names or sorted(path.name for path in work.iterdir() if path.is_dir()):
        found = [_asked(work, name, *how) for how in (("1", "--traced"), ("2",))]
        same = found[0]["digests"] == found[1]["digests"]
        wrong += not same
        row = found[0]["row"]
        print(f"| {name} | {' | '.join(map(str, row))} |", flush=True)
        if not same:
            pairs = zip(found[0]["digests"], found[1]["digests"], strict=True)
            print(f"differs: {[one[0] for one, other in pairs if one != other][:5]}")
    return min(wrong, 1)


def _asked(work: Path, name: str, seed: str, *more: str) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, __file__, "digests", str(work), name, *more],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def digests(work: Path, name: str, *, traced: bool) -> dict[str, object]:
    """What was reached by the inputs that were kept, and a digest of what came of each."""
    from targets import TARGETS, some_report  # noqa: PLC0415 - `run` is to stay small

    some_report()  # what is made once is no line of a target
    place = work / name
    log = _told(place / "log.jsonl")
    last = _last(log)
    begun = sorted((place / "seeds").iterdir())
    kept = sorted((place / "corpus").iterdir(), key=lambda path: (path.stat().st_mtime, path.name))
    lines = _Lines()
    found = []
    reached: list[tuple[float, int]] = []
    with lines if traced else nullcontext():
        for path in (*begun, *kept):
            found.append((path.name, _digest(partial(TARGETS[name].check, path.read_bytes()))))
            at = 0.0 if path in begun else path.stat().st_mtime
            reached.append((at, len(lines.seen)))
    grown = [reached[len(begun) - 1][1] if begun else 0]
    for level in _LEVELS:
        least = level * last["runs"]
        until = next((each["time"] for each in log if each["runs"] >= least), float("inf"))
        grown.append(
            max([number for at, number in reached if at <= until or level == 1.0], default=0)
        )
    broken = len(list((place / "broken").glob("*.bin")))
    told = ", ".join(f"{number:,}" for number in grown)
    given = int(last["runs"]), round(last["seconds"])
    counts = [len(begun), *given, len(kept), *_edges(place / "fuzzer.txt")]
    return {"row": [*(f"{each:,}" for each in counts), told, broken], "digests": found}


_EDGES = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+)")
"""What libFuzzer says: inputs so far, why it says so, edges."""


def _edges(said: Path) -> tuple[int, int, int]:
    """The edges that libFuzzer counted: after the seeds, at a tenth of the inputs, at the end."""
    points: list[tuple[int, int]] = []
    before = begun = 0
    for line in said.read_text(errors="replace").splitlines() if said.exists() else ():
        if found := _EDGES.match(line):
            number, edges = int(found[1]), int(found[3])
            if found[2] == "INITED":  # a run begins, with what those before it kept
                before, begun = (points[-1][0] if points else 0), number
            if points or found[2] == "INITED":
                points.append((before + max(0, number - begun), edges))
    if not points:
        return 0, 0, 0
    tenth = max(edges for number, edges in points if number <= points[-1][0] / 10)
    return points[0][1], tenth, max(edges for _, edges in points)


def _digest(work: Callable[[], object]) -> str:
    """What tells one outcome from another, sets in any order."""
    try:
        made = msgspec.msgpack.encode(work(), order="deterministic")
    except Exception as error:  # noqa: BLE001 - an outcome as well, or a result with odd characters
        return signature(error)
    return sha256(made).hexdigest()[:16]


def _outcome(work: Callable[[], object]) -> str:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - an outcome as well
        return signature(error)
    return ""


class _Lines:
    """The lines of the program that are reached meanwhile."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()
        self._left: dict[CodeType, set[int]] = {}

    def __enter__(self) -> None:
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(
        self, frame: FrameType, _event: str, _argument: object
    ) -> Callable[..., Any] | None:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return None
        if code not in self._left:
            self._left[code] = {line for _, _, line in code.co_lines() if line}
        return self._line if self._left[code] else None

    def _line(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self.seen.add((frame.f_code.co_filename, frame.f_lineno))
            self._left[frame.f_code].discard(frame.f_lineno)
        return self._line


# --- shorter inputs -------------------------------------------------------------------------------


def shrink(name: str, path: Path) -> None:
    """Write a shorter input with the same defect beside the file, and show it."""
    from targets import TARGETS, within_limits  # noqa: PLC0415 - `run` is to stay small

    def wrong(data: bytes) -> str:
        return _outcome(lambda: within_limits(TARGETS[name], data))

    data = path.read_bytes()
    told = wrong(data)
    if told:
        data = shortest(data, lambda tried: wrong(tried) == told)
        path.with_suffix(".short").write_bytes(data)
    print(told or "holds now", data, sep="\n")


def shortest(data: bytes, is_same: Callable[[bytes], bool]) -> bytes:
    """As little of some bytes as is still the same, found by leaving out ever smaller pieces."""
    size = max(1, len(data) // 2)
    while True:
        before = data
        for start in reversed(range(0, len(data), size)):
            tried = data[:start] + data[start + size :]
            if is_same(tried):
                data = tried
        if size > 1:
            size //= 2
        elif data == before:
            return data


if __name__ == "__main__":
    sys.exit(main())
