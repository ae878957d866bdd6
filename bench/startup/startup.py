"""How long a run on one changed file takes, beside what else a commit hook may start.

Every round starts each program once, one after the other, so that all see the same machine. What
is compared is the ratio to `import libcst` in the same round. The programs run in a small git
repository made for them; each is run once before, and must say what it is expected to.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
DEFAULT = CHECKOUT / "fixtures" / "small-gpt" / "train.py"
PLAIN = "plain.py"
"""A file without any word of a rule: `shlex` of the standard library."""
UNIT = "python -c 'import libcst'"
FINE = (0, 1)
"""Exit codes of a command that worked: linters end with 1 where they found something."""
PAST = 1_700_000_000
"""When files were written: long ago, so that nobody doubts a file by its time."""


@dataclass(frozen=True)
class Program:
    """A command, and a regular expression of what it has to print.

    `fresh`: the files have changed since any run before · `cold`: with an empty cache each time.
    """

    name: str
    words: tuple[str, ...]
    expected: str
    fresh: bool = False
    cold: bool = False


@dataclass(frozen=True)
class Took:
    """Seconds of one run."""

    wall: float
    cpu: float


@dataclass
class Scene:
    """A git repository with a changed file, and the environment of the programs."""

    folder: Path
    environment: Mapping[str, str]
    originals: Mapping[str, bytes]
    changes: int = field(default=0)

    def change(self) -> None:
        """Change the file, and the one without a trigger, as nobody did before; stage both."""
        self.changes += 1
        line = f"\nmore = {self.changes}\n"
        new = {PLAIN: line} | {
            name: f'{line}import torch\n\nmore = torch.zeros(1, device="cuda").cuda()\n'
            for name in self.originals
            if name != PLAIN
        }
        for name, text in new.items():
            place = self.folder / name
            place.write_bytes(self.originals[name] + text.encode())
            os.utime(place, (PAST + self.changes, PAST + self.changes))
        git(self.folder, "add", *new)


def programs(file: str) -> Iterator[Program]:
    """What is started, the unit among them. `file` is one of the scene."""
    python = sys.executable
    portaudit = (python, "-m", "portaudit")
    place = rf"(?m)^.*{re.escape(file)}:\d+"
    yield Program("python -c pass", (python, "-c", "pass"), r"\A\Z")
    yield Program(UNIT, (python, "-c", "import libcst"), r"\A\Z")
    yield Program("a regex hook", (python, str(HERE / "hook.py"), file), place)
    ruff = shutil.which("ruff", path=f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}")
    if ruff:
        # Without snippets, which take it longer to show than the file to check.
        plain = (ruff, "check", "--no-cache", "--output-format", "concise", file)
        yield Program("ruff check --no-cache", plain, rf"{place}|All checks passed")
    yield Program("portaudit --version", (*portaudit, "--version"), r"\Aportaudit \d")
    scan = (*portaudit, "scan", file)
    yield Program("portaudit scan, with hits", scan, place, fresh=True)
    yield Program("portaudit scan, unchanged", scan, place)
    yield Program("portaudit scan, cold", scan, place, cold=True)
    quiet = (*portaudit, "scan", PLAIN)
    yield Program("portaudit scan, without a trigger", quiet, "(?m)^Read +1 of 1 file", fresh=True)
    # As the two hooks of .pre-commit-hooks.yaml are called for a commit that changes the file.
    named = (*portaudit, "check", "--force-exclude", file)
    staged = (*portaudit, "check", "--staged")
    for name, words in (("check FILE", named), ("check --staged", staged)):
        yield Program(f"portaudit {name}, with hits", words, place, fresh=True)
        yield Program(f"portaudit {name}, unchanged", words, place)
        yield Program(f"portaudit {name}, cold", words, place, cold=True)


@contextmanager
def scene(file: Path) -> Iterator[Scene]:
    """A repository of a Python file and those beside it, all as in the last commit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "repository"
        folder.mkdir()
        for each in sorted(file.parent.glob("*.py")):
            shutil.copyfile(each, folder / each.name)
        shutil.copyfile(shlex.__file__, folder / PLAIN)
        git(folder, "init", "--quiet")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "As it was")
        environment = dict(os.environ)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        # Byte code is stored as once installed; what runs is this checkout.
        environment["PYTHONPYCACHEPREFIX"] = str(folder.parent / "bytecode")
        environment["PORTAUDIT_CACHE_DIR"] = str(folder.parent / "cache")
        given = filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH")))
        environment["PYTHONPATH"] = os.pathsep.join(given)
        originals = {each: (folder / each).read_bytes() for each in (file.name, PLAIN)}
        yield Scene(folder, environment, originals)


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, with settings that do not depend on whose machine it is."""
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ("git", *who, *words)
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - the words are ours


def tried(program: Program, scene: Scene) -> int:
    """Start a program once, before it is measured; its exit code. Ends the run if it fails."""
    with _prepared(program, scene) as environment:
        done = subprocess.run(  # noqa: S603 - the commands are listed above
            program.words,
            cwd=scene.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    works = done.returncode in FINE and re.search(program.expected, done.stdout)
    if not works or "Traceback" in done.stderr or "No module named" in done.stderr:
        said = f"{done.stdout}{done.stderr}".strip()[-2000:]
        raise SystemExit(
            f"{program.name}: exit code {done.returncode}, where the output was to hold "
            f"{program.expected!r}:\n{shlex.join(program.words)}\n{said}"
        )
    return done.returncode


def run(program: Program, scene: Scene, code: int) -> Took:
    """Start a program once more, which is to end as it did before."""
    with _prepared(program, scene) as environment:
        begin = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands are listed above
            program.words,
            cwd=scene.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise SystemExit(f"{program.name}: exit code {process.returncode}, before it was {code}")
    return Took(wall, used.ru_utime + used.ru_stime)


@contextmanager
def _prepared(program: Program, scene: Scene) -> Iterator[dict[str, str]]:
    """The environment of a program, with the files and the cache as it is to find them."""
    environment = dict(scene.environment)
    if program.fresh:
        scene.change()
    with tempfile.TemporaryDirectory(dir=scene.folder.parent) as empty:
        if program.cold:
            environment["PORTAUDIT_CACHE_DIR"] = str(Path(empty) / "cache")
        yield environment


def table(rounds: Sequence[Mapping[str, Took]]) -> Iterator[str]:
    """The figures as Markdown."""
    yield f"| command | wall s | CPU s | wall to `{UNIT}` | CPU to it |"
    yield "|---|---|---|---|---|"
    for name in rounds[0]:
        wall = median(each[name].wall for each in rounds)
        cpu = median(each[name].cpu for each in rounds)
        walls = median(each[name].wall / each[UNIT].wall for each in rounds)
        ratio = median(each[name].cpu / each[UNIT].cpu for each in rounds)
        yield f"| {name} | {wall:.3f} | {cpu:.3f} | {walls:.2f} | {ratio:.2f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT, metavar="FILE.py")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    listed = list(programs(chosen.file.name))
    with scene(chosen.file.resolve()) as made:
        made.change()
        codes = {program.name: tried(program, made) for program in listed}
        rounds = [
            {program.name: run(program, made, codes[program.name]) for program in listed}
            for _ in range(chosen.rounds)
        ]
    for line in table(rounds):
        print(line)


if __name__ == "__main__":
    main()
