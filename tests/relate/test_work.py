"""Files that are many times as long take about as many times the work, and not its square."""

from __future__ import annotations

import pytest

from portaudit.relate.kernels import Natives
from portaudit.relate.live import Places
from portaudit.relate.reach import reached
from portaudit.types import Option
from snippets import scan
from steps import calls
from trees import defines, modules, tree

PROGRAM = """
import argparse

import torch

{functions}
TABLE = {{{entries}}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="k1")
    loss = TABLE[parser.parse_args().name](torch.zeros(2))
    loss.backward()


if __name__ == "__main__":
    main()
"""


def program(size: int) -> str:
    numbers = range(size)
    functions = "".join(f"def f{each}(x, y={each}):\n    return x.cuda()\n\n" for each in numbers)
    entries = "".join(f'\n    "k{each}": f{each},' for each in numbers)
    return PROGRAM.format(functions=functions, entries=entries)


def joining(size: int) -> int:
    """The work to say what reaches a program that has a table of many functions."""
    results = list(scan({"train.py": program(size)}).values())
    findings = [item for result in results for item in result.findings]
    assert len(findings) >= size
    files, names = tree(results), modules(results)
    return calls(lambda: reached(results, findings, Natives(), files, names))


def test_a_table_of_many_functions() -> None:
    joining(2)
    assert joining(400) < 6 * joining(100)


def asking(options: tuple[Option, ...], line: int) -> int:
    places = Places(options)
    return calls(lambda: [places.innermost(line, line, defined=True) for _ in range(9)])


def test_one_of_many_options_is_not_looked_for_one_by_one() -> None:
    few, many = (
        tuple(defines(f"f{each}", 2 * each + 1, 2 * each + 1) for each in range(size))
        for size in (10, 1000)
    )
    for line in 1, 2, 9, 2001:
        assert asking(many, line) <= asking(few, 1) + 9


@pytest.mark.parametrize(
    ("line", "place", "whatever"), [(1, -1, 0), (2, 1, 2), (4, 1, 1), (5, -1, 0), (9, -1, -1)]
)
def test_the_smallest_option_around_a_line(line: int, place: int, whatever: int) -> None:
    options = (
        defines("outer", 1, 6),
        Option((2, 4), "flag", ("true",), 2, "", within=0),
        defines("inner", 2, 3, within=1),
    )
    places = Places(options)
    assert places.innermost(line, line) == place
    assert places.innermost(line, line, defined=True) == whatever


def groups(size: int) -> str:
    """Names of the module, each given the one before it, behind checks of those before."""
    names = [f"GROUP{each}" for each in range(size)]
    lines = ["import torch", *(f"{name} = None" for name in names)]
    lines += ["def init(sizes):", *(f"    global {name}" for name in names)]
    for before, name in zip(names[-1:] + names, names, strict=False):
        lines += [f"    if {name} is not None:", "        raise ValueError"]
        lines += [f"    {name} = {before}"]
    return "\n".join(lines)


def test_names_that_wait_for_one_another() -> None:
    def reading(size: int) -> int:
        text = groups(size)
        return calls(lambda: scan(text))

    reading(2)
    assert reading(32) < 12 * reading(8)
