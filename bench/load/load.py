"""What a very large tree, and one with very many findings, cost: processor time and memory.

Trees are made of our own text, the same for the same seed. Each run is a process of its own; its
processor time is that of all its processes, its peak that of the largest of them.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PAST = 1_700_000_000
"""When files were written: long ago, so that nobody doubts a file by its time."""
FOLDER = 40
"""Files of a folder."""
USES = (
    "    x = x.cuda()",
    "    torch.cuda.synchronize()",
    '    x = x.to("cuda")',
    '    with torch.autocast("cuda"):\n        x = x + 1',
    "    torch.cuda.empty_cache()",
    "    stream = torch.cuda.Stream()",
    '    torch.distributed.init_process_group("nccl")',
)
OTHERS = (
    (".yaml", "model:\n  width: {}\n  layers: [1, 2, 3]\n"),
    (".json", '{{"width": {}, "layers": [1, 2, 3]}}\n'),
    (".sh", "#!/bin/sh\nset -e\nmkdir -p out/{0}\ncp data/{0}.txt out\n"),
    (".md", "# Part {}\n\nIt does what it does.\n"),
    (".cpp", "int part() {{ return {}; }}\n"),
)
"""Files of other kinds, in which there is nothing to find."""
FORMATS = ("json", "terminal", "html", "sarif")


@dataclass(frozen=True)
class Took:
    """What a run took: seconds of processors and megabytes; and how large its output is."""

    cpu: float
    peak: float
    written: float
    code: int


def texts(files: int, uses: int, seed: int) -> Iterator[tuple[str, str]]:
    """Small files: every other one a module that imports the one before; and what trains with all.

    `uses` lines of CUDA's are in the modules.
    """
    dice = random.Random(seed)  # noqa: S311 - the same in each run
    many = Counter(dice.randrange(files // 2) * 2 for _ in range(uses))
    for at in range(files):
        if at % 2:
            ending, text = dice.choice(OTHERS)
            yield f"{_module(at).replace('.', '/')}{ending}", text.format(dice.randint(0, 10**6))
            continue
        lines = ["import os", *(["import torch"] if many[at] else [])]
        if at % FOLDER:
            lines.append(f"from {_module(at - 2)} import run as before")
        for number in range(dice.randint(1, 6)):
            lines += ["", "", f"def f{number}(x, scale={dice.randint(0, 99)}):"]
            lines += [f"    name = os.path.join(str(x), 'part{dice.randint(0, 99)}')"]
            lines += [f"    return name * scale  # {dice.randint(0, 10**6)}"]
        for number in range(many[at]):
            lines += ["", "", f"def g{number}(x):", dice.choice(USES), "    return x"]
        lines += ["", "", "def run(x):", *(f"    x = g{each}(x)" for each in range(many[at]))]
        lines += [f"    return {'before(x)' if at % FOLDER else 'f0(x)'}"]
        yield _module(at).replace(".", "/") + ".py", "\n".join(lines) + "\n"
    yield "train.py", _program(files)


def _program(files: int) -> str:
    """A program that trains with the last module of each folder, and so with all of them."""
    last = [*range(FOLDER - 2, files, FOLDER), (files - 1) // 2 * 2]
    lines = ["import torch", *(f"from {_module(at)} import run as r{at}" for at in last)]
    uses = [f"        x = r{at}(x)" for at in last]
    lines += ["", "", "def main(model, optimizer, data):", "    for x in data:", *uses]
    lines += ["        model(x).backward()", "        optimizer.step()", "", ""]
    lines += ['if __name__ == "__main__":', "    main(*torch.load('all.pt'))", ""]
    return "\n".join(lines)


def _module(at: int) -> str:
    folder = at // FOLDER
    return f"top{folder // FOLDER**2}.part{folder // FOLDER % FOLDER}.p{folder % FOLDER}.m{at}"


def make(root: Path, files: int, uses: int, seed: int) -> None:
    """Write a tree."""
    for name, text in texts(files, uses, seed):
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        os.utime(place, (PAST, PAST))


def run(words: Sequence[str], folder: Path, out: Path, *, limit: int) -> Took:
    """Run portaudit, and say what it took."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "PORTAUDIT_CACHE_DIR": str(folder / "cache"),
    }
    with out.open("wb") as file:
        started = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "portaudit", *words],
            cwd=folder,
            env=environment,
            stdout=file,
            preexec_fn=lambda: resource.setrlimit(  # noqa: PLW1509 - there is one thread
                resource.RLIMIT_CPU, (limit, limit)
            ),
        )
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    return Took(
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1000,
        out.stat().st_size / 1e6,
        started.returncode,
    )


def measured(folder: Path, jobs: str, limit: int) -> Iterator[tuple[str, Took]]:
    """Runs over a tree, cold and warm, in several formats, and with a baseline."""
    out = folder / "out"
    shutil.rmtree(folder / "cache", ignore_errors=True)
    (folder / "baseline.json").unlink(missing_ok=True)
    for name in FORMATS:
        words = ("scan", "repo", "--format", name, "--jobs", jobs)
        if name == FORMATS[0]:
            yield f"scan, {name}, cold", run(words, folder, out, limit=limit)
            time.sleep(2.1)
            yield f"scan, {name}, first warm", run(words, folder, out, limit=limit)
        yield f"scan, {name}, warm", run(words, folder, out, limit=limit)
    base = ("--baseline", "baseline.json", "--jobs", jobs)
    yield "baseline create", run(("baseline", "create", "repo", *base), folder, out, limit=limit)
    yield "check, baseline, warm", run(("check", "repo", *base), folder, out, limit=limit)
    changed = next((folder / "repo").rglob("m2.py"))
    changed.write_text(changed.read_text() + "import torch\ntorch.cuda.synchronize()\n")
    yield "check, one file changed", run(("check", "repo", *base), folder, out, limit=limit)


def main() -> None:
    """Make a tree unless it is there, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder for the tree, the cache and outputs")
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--findings", type=int, default=2_000, help="lines of CUDA's, about")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--limit", type=int, default=7_200, help="seconds of processor for a run")
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    shutil.rmtree(folder / "repo", ignore_errors=True)
    make(folder / "repo", given.files, given.findings, given.seed)
    print("| run | CPU s | peak MB | output MB | ends with |\n|---|--:|--:|--:|--:|", flush=True)
    for name, took in measured(folder, given.jobs, given.limit):
        row = f"{took.cpu:.1f} | {took.peak:.0f} | {took.written:.1f} | {took.code}"
        print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
