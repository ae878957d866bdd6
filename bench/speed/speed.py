"""How long whole runs take beside ruff and other tools, on three tiers of real code.

    python bench/speed/speed.py WORK [--tier small] [--rounds 5] [--others] [--digests] [--growth]

WORK is a directory of yours: code is fetched into it, and caches are kept in it. In every round
each program runs once, one after the other, so that all see the same machine. What is compared is
the ratio to ruff in the same round: a cold run to one without a cache, a warm run to a warm one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tiers import TIERS, build

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
FINE = (0, 1)
"""Exit codes of a program that worked: linters end with 1 where they found something."""
RULES = HERE / "rules"
SEMGREP = ("scan", "--metrics=off", "--disable-version-check", "--quiet", "--config")
LIMIT = 300.0
"""Seconds after which another tool is ended, and left out of further rounds."""


@dataclass(frozen=True)
class Program:
    """A command; `cold` empties the cache before each run, `unit` is the row it is held against.

    `limit`: seconds that it may take.
    """

    name: str
    words: tuple[str, ...]
    unit: str
    cold: bool = False
    limit: float | None = None


@dataclass(frozen=True)
class Took:
    """Seconds of one run, and the most memory that one of its processes had, in MB."""

    wall: float
    cpu: float
    peak: float


def found(name: str) -> str | None:
    """A program beside the interpreter, or on the path."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def programs(*, others: bool) -> Iterator[Program]:
    """What is started in a tier."""
    ruff = found("ruff")
    if ruff is None:
        raise SystemExit("ruff is not installed: everything is held against it")
    # Without snippets, which take it longer to show than the files to check.
    check = (ruff, "check", "--isolated", "--output-format", "concise")
    yield Program("ruff, cold", (*check, "--no-cache", "."), "ruff, cold")
    scan = (sys.executable, "-m", "portaudit", "scan")
    yield Program("portaudit, cold", (*scan, "."), "ruff, cold", cold=True)
    yield Program("portaudit, cold, one process", (*scan, "-j", "1", "."), "ruff, cold", cold=True)
    yield Program("ruff, warm", (*check, "."), "ruff, warm")
    yield Program("portaudit, warm", (*scan, "."), "ruff, warm")
    yield Program("portaudit, warm, json", (*scan, "--format", "json", "."), "ruff, warm")
    if not others:
        return
    for name, words in (
        ("torchfix", ("--select", "ALL", ".")),
        ("ast-grep", ("scan", "--rule", str(RULES / "ast-grep.yaml"), ".")),
        ("semgrep", (*SEMGREP, f"{RULES}/semgrep.yaml", ".")),
        ("bandit", ("-q", "-r", ".")),
    ):
        place = found(name)
        if place is None:
            print(f"{name} is not installed and left out", file=sys.stderr)
        else:
            yield Program(name, (place, *words), "ruff, cold", limit=LIMIT)


class Machine:
    """Runs programs in a tier, with caches of their own."""

    def __init__(self, tier: Path, work: Path) -> None:
        self._tier = tier
        self._cache = work / "caches" / tier.name
        self._environment = dict(os.environ)
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        # Byte code is stored as once installed; what runs is this checkout.
        self._environment["PYTHONPYCACHEPREFIX"] = str(work / "caches" / "bytecode")
        self._environment["PORTAUDIT_CACHE_DIR"] = str(self._cache / "portaudit")
        self._environment["RUFF_CACHE_DIR"] = str(self._cache / "ruff")
        given = filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH")))
        self._environment["PYTHONPATH"] = os.pathsep.join(given)

    def empty(self) -> None:
        """Forget what portaudit knows."""
        shutil.rmtree(self._cache / "portaudit", ignore_errors=True)

    def run(self, program: Program) -> Took | None:
        """Start a program and wait for it; None if it takes too long. Ends everything if it fails.

        A program that is ended is ended with all that it started.
        """
        if program.cold:
            self.empty()
        begin = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands are listed above
            program.words,
            cwd=self._tier,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ended = threading.Event()

        def end() -> None:
            ended.set()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        clock = threading.Timer(program.limit, end) if program.limit else None
        if clock:
            clock.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        if clock:
            clock.cancel()
        if ended.is_set():
            return None
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in FINE:
            said = shlex.join(program.words)
            raise SystemExit(f"{program.name}: exit code {process.returncode}: {said}")
        return Took(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def said(self, *words: str) -> bytes:
        """What portaudit writes."""
        command = (sys.executable, "-m", "portaudit", "scan", "--format", "json", *words, ".")
        done = subprocess.run(  # noqa: S603 - the same
            command, cwd=self._tier, env=self._environment, capture_output=True, check=True
        )
        return done.stdout


def digests(machine: Machine) -> Iterator[tuple[str, str, str]]:
    """Digests of findings and of whole reports: cold and warm, one process and several."""
    for name, words, cold in (
        ("cold, one process", ("-j", "1"), True),
        ("warm, one process", ("-j", "1"), False),
        ("cold, two processes", ("-j", "2"), True),
        ("cold, four processes", ("-j", "4"), True),
        ("warm, four processes", ("-j", "4"), False),
        ("without a cache", ("--no-cache",), False),
    ):
        if cold:
            machine.empty()
        text = machine.said(*words)
        findings = json.dumps(json.loads(text)["findings"], sort_keys=True).encode()
        yield name, _digest(findings), _digest(text)


def growth(tier: Path, work: Path) -> Iterator[str]:
    """What one process takes for each project of a tier alone, and for all of them in one tree.

    The code is the same both times, so that what is more is due to its number alone: were they
    alike, n projects would take n to the power of 1 + ln(all / sum) / ln(n) times as much as one.
    """
    words = (sys.executable, "-m", "portaudit", "scan", "-j", "1", ".")
    projects = sorted(each for each in tier.iterdir() if each.is_dir())
    yield "| tree | Python files | CPU s | peak MB |"
    yield "|---|--:|--:|--:|"
    took: list[float] = []
    for place in [*projects, tier]:
        program = Program(place.name, words, "", cold=True)
        one = Machine(place, work).run(program)
        assert one is not None  # without a limit nothing is ended
        took.append(one.cpu)
        files = sum(1 for _ in place.rglob("*.py"))
        yield f"| {place.name} | {files:,} | {one.cpu:.1f} | {one.peak:.0f} |"
    alone, together, number = sum(took[:-1]), took[-1], len(projects)
    exponent = 1 + math.log(together / alone) / math.log(number) if number > 1 else 1.0
    yield ""
    said = f"{alone:.1f} s alone, {together:.1f} together"
    yield f"{number} projects: {said}, exponent {exponent:.3f}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def table(listed: Sequence[Program], rounds: Sequence[Mapping[str, Took | None]]) -> Iterator[str]:
    """The figures as Markdown."""
    yield "| run | wall s | CPU s | peak MB | wall to ruff | CPU to ruff | peak to ruff |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for program in listed:
        pairs = [
            (own, unit)
            for each in rounds
            if (own := each.get(program.name)) and (unit := each[program.unit])
        ]
        if not pairs:
            yield f"| {program.name} | ended after {program.limit:.0f} | | | | | |"
            continue
        runs = [took for took, _ in pairs]
        seconds = median(each.wall for each in runs), median(each.cpu for each in runs)
        ratios = (
            median(each.wall / to.wall for each, to in pairs),
            median(each.cpu / to.cpu for each, to in pairs),
            median(each.peak / to.peak for each, to in pairs),
        )
        peak = f"{median(each.peak for each in runs):.0f}"
        cells = (*map("{:.2f}".format, seconds), peak, *map("{:.2f}".format, ratios))
        yield f"| {program.name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, metavar="WORK")
    parser.add_argument("--tier", choices=TIERS, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-only", action="store_true", help="leave out what empties caches")
    parser.add_argument("--others", action="store_true", help="other tools as well")
    parser.add_argument("--digests", action="store_true", help="compare findings instead")
    parser.add_argument("--growth", action="store_true", help="projects alone and in one tree")
    chosen = parser.parse_args()
    work = chosen.work.resolve()
    for tier in chosen.tier or TIERS:
        place = build(tier, work)
        machine = Machine(place, work)
        files = sum(1 for _ in place.rglob("*.py"))
        print(f"\n{tier}: {files:,} Python files\n")
        if chosen.growth:
            for line in growth(place, work):
                print(line, flush=True)
            continue
        if chosen.digests:
            told = list(digests(machine))
            for name, findings, report in told:
                print(f"{name:22} findings {findings} report {report}")
            if len({each[1:] for each in told}) != 1:
                raise SystemExit("they differ")
            continue
        listed = list(programs(others=chosen.others))
        if chosen.warm_only:
            listed = [each for each in listed if not each.cold and "cold" not in each.name]
        else:
            # Byte code is made, and the caches of warm runs are filled.
            machine.run(next(each for each in listed if each.cold))
        for each in listed:
            if "warm" in each.name:
                machine.run(each)
        rounds: list[dict[str, Took | None]] = []
        for _ in range(chosen.rounds):
            late = {name for each in rounds for name, took in each.items() if took is None}
            rounds.append(
                {each.name: machine.run(each) for each in listed if each.name not in late}
            )
        for line in table(listed, rounds):
            print(line)


if __name__ == "__main__":
    main()
