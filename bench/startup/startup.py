"""How long a run on one changed file takes, beside what else a commit hook may start.

Every round starts each program once, one after the other, so that all see the same machine. What
is compared is the ratio to `import libcst` in the same round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
DEFAULT = HERE.parent.parent / "fixtures" / "small-gpt" / "train.py"
UNIT = "python -c 'import libcst'"


@dataclass(frozen=True)
class Program:
    """A command; `cold` gives it an empty cache each time."""

    name: str
    words: tuple[str, ...]
    cold: bool = False


@dataclass(frozen=True)
class Took:
    """Seconds of one run, and how it ended."""

    wall: float
    cpu: float
    code: int


def programs(file: str) -> Iterator[Program]:
    """What is started, the unit among them."""
    python = sys.executable
    portaudit = (python, "-m", "portaudit")
    yield Program("python -c pass", (python, "-c", "pass"))
    yield Program(UNIT, (python, "-c", "import libcst"))
    yield Program("a regex hook", (python, str(HERE / "hook.py"), file))
    ruff = shutil.which("ruff", path=f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}")
    if ruff:
        # Without snippets, which take it longer to show than the file to check.
        plain = (ruff, "check", "--no-cache", "--output-format", "concise", file)
        yield Program("ruff check --no-cache", plain)
    yield Program("portaudit --version", (*portaudit, "--version"))
    for command in ("scan", "check"):
        words = (*portaudit, command, file)
        yield Program(f"portaudit {command}, warm", words)
        yield Program(f"portaudit {command}, cold", words, cold=True)


def run(program: Program, environment: Mapping[str, str], folder: Path) -> Took:
    """Start a program once."""
    given = dict(environment)
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        if program.cold:
            given["PORTAUDIT_CACHE_DIR"] = str(Path(empty) / "cache")
        begin = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands are listed above
            program.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=given
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    return Took(wall, used.ru_utime + used.ru_stime, process.returncode)


@contextmanager
def surroundings() -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A folder for caches, and an environment in which byte code is stored as once installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = dict(os.environ)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        environment["PORTAUDIT_CACHE_DIR"] = str(folder / "cache")
        yield folder, environment


def table(rounds: Sequence[Mapping[str, Took]]) -> Iterator[str]:
    """The figures as Markdown."""
    yield f"| command | wall s | CPU s | CPU to `{UNIT}` | exit |"
    yield "|---|---|---|---|---|"
    for name in rounds[0]:
        wall = median(each[name].wall for each in rounds)
        cpu = median(each[name].cpu for each in rounds)
        ratio = median(each[name].cpu / each[UNIT].cpu for each in rounds)
        yield f"| {name} | {wall:.3f} | {cpu:.3f} | {ratio:.2f} | {rounds[0][name].code} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=str(DEFAULT))
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    listed = list(programs(chosen.file))
    with surroundings() as (folder, environment):
        for program in listed:  # stores the byte code and warms the cache
            run(program, environment, folder)
        rounds = [
            {program.name: run(program, environment, folder) for program in listed}
            for _ in range(chosen.rounds)
        ]
    for line in table(rounds):
        print(line)


if __name__ == "__main__":
    main()
