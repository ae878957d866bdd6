"""Files of one word, many times: what is nested without end, and whose time grows with its square.

    python bench/fuzz/long.py [KIND …] [--size 20000]

Fuzzing has inputs of a few kilobytes. Here each word of a grammar, and each pair of brackets, is
repeated behind a line with a finding, in a process that may die. Prints what ended that, what
failed, and what took more than three times as long at twice the size, and how many were tried.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Sequence

from inputs import grammar
from targets import PATHS, catalogue

from portaudit import budget
from portaudit.kinds import kind_by_name
from portaudit.scan import scan_file
from portaudit.types import SourceFile

_SECONDS = 30
_LEAST = 0.5
"""Seconds from which it is worth asking how the time grows."""
_STEEP = 3.0
_LINES = {
    "python": "import torch\nx.cuda()\n",
    "shell": "pip install flash-attn\n",
    "native": "__global__ void k() {}\n",
    "docker": "FROM nvidia/cuda:12.4.1\n",
    "make": "all:\n\tnvcc a.cu\n",
    "cmake": "find_package(CUDA)\n",
    "hcl": 'instance_type = "p4d.24xlarge"\n',
    "gin": "Trainer.device = 'cuda'\n",
    "yaml": "accelerator: gpu\nbackend: nccl\n",
    "json": '{"accelerator": "gpu", "backend": "nccl", "a": ',
    "toml": '[a]\naccelerator = "gpu"\nbackend = "nccl"\n',
    "requirements": "flash-attn\n",
    "markdown": "```sh\npip install flash-attn\n```\n",
    "ini": "[options]\ninstall_requires = flash-attn\nx = ",
    "notebook": '{"cells": [{"cell_type": "code", "source": ["x.cuda()\\n", "',
}
"""What makes the reader of a kind look at the rest."""
_BRACKETS = ("()", "[]", "{}", "<>", "''", '""')
_MORE = (
    *(
        " ",
        "\n",
        "\t",
        "\\",
        "\\\n",
        "#",
        "#\n",
        "a",
        "a ",
        "a\n",
        "a.",
        "a,",
        "a=",
        "a:",
        "a: ",
        "0",
    ),
    *(
        "- ",
        "- - ",
        "? ",
        "& ",
        "*a ",
        "!!a ",
        "'",
        '"',
        "`",
        "$",
        "${",
        "$(",
        "$((",
        "`a",
        "{{",
        "{%",
    ),
    *(
        "(",
        "[",
        "{",
        "<",
        ")",
        "]",
        "}",
        ">",
        "<<A\n",
        "<<<",
        "if a\n",
        "a;",
        "a|",
        "a&&",
        "-a ",
        "--a ",
    ),
    *(
        "a = (",
        "if x:\n ",
        "f'{",
        'f"{',
        "f(",
        "a[",
        "not ",
        "lambda: ",
        "a if ",
        "@a\n",
        "else:\n",
    ),
    *(
        "#if A\n",
        "#define A A\n",
        "template <",
        "namespace a {",
        "a::",
        "*",
        "a.b = 1\n",
        "[a]\n",
        "[[a]]\n",
    ),
    *(
        "RUN a\n",
        "a: b\n",
        "define a\n",
        "ifdef a\n",
        "a {\n",
        "\u2028",
        "\f",
        "\ufeff",
        "\u0301",
        "é",
    ),
)


def words(kind: str) -> list[str]:
    """What is repeated in files of a kind."""
    found = {*_MORE, *grammar(kind), *(f"{word} " for word in grammar(kind))}
    return sorted(word for word in found if word)


def contents(kind: str, size: int) -> Iterator[tuple[str, str]]:
    """Files of about that many bytes, each with what is repeated in it."""
    for word in words(kind):
        yield word, _LINES[kind] + word * (size // len(word.encode()))
    for pair in _BRACKETS:
        half = size // 2
        yield pair, f"{_LINES[kind]}x = {pair[0] * half}a{pair[1] * half}\n"
    for one, other in itertools.product(("a", "1", "'a'"), ("+", " or ", ".", " ", ",", "|", "\n")):
        yield one + other, f"{_LINES[kind]}x = {(one + other) * (size // len(one + other))}{one}\n"


def taken(kind: str, content: str) -> tuple[float, str]:
    """The seconds that a file takes, and what went wrong, in a process of its own."""
    path = PATHS[kind][0]
    assert kind_by_name(path) == kind
    source = SourceFile(path, kind_by_name(path) or "python", content.encode("utf-8", "replace"))

    def work() -> tuple[float, str]:
        start = time.process_time()
        try:
            with budget.limited(_SECONDS):
                found = scan_file(source, catalogue(), "torchneuron")
        except budget.OverBudgetError:
            return time.process_time() - start, "takes too long"
        failed = found.errors[0].reason if found.failed else ""
        return time.process_time() - start, failed

    try:
        return budget.apart(work) or (0.0, "ended without a word")
    except budget.DiedError:
        return 0.0, "died"


def check(kind: str, size: int) -> Iterator[str]:
    """What is wrong with the files of a kind."""
    larger = dict(contents(kind, 2 * size))
    for word, content in contents(kind, size):
        seconds, wrong = taken(kind, content)
        if wrong:
            yield f"{kind} {word!r}: {wrong} ({seconds:.1f} s)"
        elif seconds > _LEAST:
            double, wrong = taken(kind, larger[word])
            if wrong or double > _STEEP * seconds:
                yield f"{kind} {word!r}: {seconds:.1f} s, twice as long {double:.1f} s {wrong}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all kinds, or some; 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--size", type=int, default=20_000)
    given = parser.parse_args(arguments)
    scan_file(SourceFile("a.py", "python", b"import torch\nx.cuda()\n"), catalogue(), "torchneuron")
    wrong = 0
    for kind in given.kinds or PATHS:
        number = len(list(contents(kind, given.size)))
        for line in check(kind, given.size):
            wrong += 1
            print(line, flush=True)
        print(f"{kind}: {number} files, {time.process_time():.0f} s", flush=True)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
