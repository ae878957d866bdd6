"""Hold what portaudit reports of the originals against the lines that their ports changed.

    python bench/ports/ports.py FOLDER [--misses]

fetches what FOLDER lacks, compares each original with its port, checks that `labels.csv` has each
line that was removed or changed, scans the originals as a user would, and prints which share of the
lines that were changed because of the hardware is reported. FOLDER/git/OWNER+NAME may be a git
directory that is there already.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repositories import PORTS, Port, compare, export

HERE = Path(__file__).parent
TIMEOUT = 900
KINDS = ("cuda", "sync", "shape", "dtype", "dist", "idiom", "branch", "tuning", "follow")
OUTCOMES = ("finding", "statement", "use", "none")
REPORTED = OUTCOMES[:2]


@dataclass(frozen=True)
class Label:
    """What a reader says of a line of an original."""

    port: str
    path: str
    line: int
    label: str
    kind: str
    note: str


@dataclass(frozen=True)
class Found:
    """Where a finding stands."""

    line: int
    end_line: int


@dataclass(frozen=True)
class Scan:
    """The findings of a report by file, and the places where reported values are used."""

    findings: dict[str, list[Found]]
    uses: frozenset[tuple[str, int]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Hold findings against what real ports changed.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--misses", action="store_true", help="list what is not reported")
    options = parser.parse_args()
    folder = options.folder.resolve()
    labels = read_labels()
    seen: dict[str, Counter[tuple[str, str, str]]] = {}
    for port in PORTS:
        mine = [each for each in labels if each.port == port.name]
        trees = folder / "trees" / port.name
        original = export(port.original, folder, trees / "original")
        check(port, mine, compare(original, export(port.port, folder, trees / "port")))
        judged = list(judge(mine, original, scan(original, trees / "report.json")))
        seen[port.name] = Counter((each.label, each.kind, outcome) for each, outcome in judged)
        if options.misses:
            for each, outcome in judged:
                if each.label == "device" and outcome not in REPORTED:
                    line = f"{port.name} {each.path}:{each.line} {each.kind} {outcome} {each.note}"
                    sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.write(table(seen))


def read_labels() -> list[Label]:
    """The labels, as they were made."""
    with (HERE / "labels.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return [Label(port, path, int(line), *rest) for port, path, line, *rest in rows]


def check(port: Port, labels: list[Label], difference: str) -> None:
    """Insist that exactly the removed lines are labelled.

    Raises:
        SystemExit: they are not.
    """
    lines = set(removed(difference))
    labelled = {(each.path, each.line) for each in labels}
    if lines != labelled:
        odd = sorted(lines ^ labelled)[:5]
        raise SystemExit(f"{port.name}: {len(lines ^ labelled)} lines differ, such as {odd}")


def removed(difference: str) -> Iterator[tuple[str, int]]:
    """Lines of code that a difference removes from files that both sides have."""
    path, line = "", 0
    for text in difference.split("\n"):
        if text.startswith("--- "):
            path = text.removeprefix("--- a/original/")
        elif text.startswith("+++ "):
            path = "" if text == "+++ /dev/null" else path
        elif hunk := re.match(r"@@ -(\d+)", text):
            line = int(hunk[1])
        elif text.startswith("-"):
            code = text[1:].strip()
            if code and not code.startswith("#") and path.endswith(".py"):
                yield path, line
            line += 1


def scan(original: Path, report: Path) -> Scan:
    """What portaudit says of a tree."""
    command = [sys.executable, "-m", "portaudit", "scan", str(original), "--jobs", "1"]
    command += ["--format", "json", "--output", str(report)]
    here = original.parent  # not the checkout, which `-m` would prefer to what is installed
    subprocess.run(command, check=True, timeout=TIMEOUT, cwd=here)  # noqa: S603 - this program
    findings: dict[str, list[Found]] = {}
    uses: set[tuple[str, int]] = set()
    for each in json.loads(report.read_text("utf-8"))["findings"]:
        findings.setdefault(each["path"], []).append(Found(each["line"], each["end_line"]))
        uses |= {(use["path"], use["line"]) for use in each["uses"]}
    return Scan(findings, frozenset(uses))


def judge(labels: list[Label], original: Path, found: Scan) -> Iterator[tuple[Label, str]]:
    """Each label with what stands on its line.

    ``finding``: a finding covers the line and begins in its statement. ``statement``: a finding is
    elsewhere in that statement. ``use``: a reported value is used in the line.
    """
    statements: dict[str, dict[int, int]] = {}
    for each in labels:
        if each.path not in statements:
            statements[each.path] = outline((original / each.path).read_text("utf-8"))
        of = statements[each.path]
        start = of.get(each.line, each.line)
        near = [
            one for one in found.findings.get(each.path, []) if of.get(one.line, one.line) == start
        ]
        if any(one.line <= each.line <= one.end_line for one in near):
            yield each, "finding"
        elif near:
            yield each, "statement"
        else:
            yield each, "use" if (each.path, each.line) in found.uses else "none"


def outline(source: str) -> dict[int, int]:
    """For each line the first line of its statement; of a compound one, only the head."""
    lines: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            end = node.end_lineno or node.lineno
            body = getattr(node, "body", None)
            if body:
                end = max(node.lineno, body[0].lineno - 1)
            lines.update(dict.fromkeys(range(node.lineno, end + 1), node.lineno))
    return lines


def table(seen: dict[str, Counter[tuple[str, str, str]]]) -> str:
    """Reported lines by port, then by kind."""
    rows = [
        "| port | removed | device | reported | + uses | cuda | reported |",
        "|---|" + "--:|" * 6,
    ]
    total: Counter[tuple[str, str, str]] = Counter()
    for name, counts in [*seen.items(), ("all", total)]:
        device = pick(counts, KINDS, OUTCOMES)
        cells = [name, str(counts.total()), str(device)]
        cells += [share(pick(counts, KINDS, REPORTED), device)]
        cells += [share(pick(counts, KINDS, OUTCOMES[:3]), device)]
        cuda = pick(counts, ("cuda",), OUTCOMES)
        cells += [str(cuda), share(pick(counts, ("cuda",), REPORTED), cuda)]
        rows.append(f"| {' | '.join(cells)} |")
        total.update(counts if name != "all" else {})
    rows += ["", f"| kind | lines | {' | '.join(OUTCOMES)} |", "|---|" + "--:|" * 5]
    for kind in KINDS:
        cells = [str(pick(total, (kind,), (outcome,))) for outcome in OUTCOMES]
        rows.append(f"| {kind} | {pick(total, (kind,), OUTCOMES)} | {' | '.join(cells)} |")
    other = sum(counted for (label, _, _), counted in total.items() if label == "other")
    cells = [str(total["other", "", outcome]) for outcome in OUTCOMES]
    rows.append(f"| other | {other} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def pick(
    counts: Counter[tuple[str, str, str]], kinds: tuple[str, ...], outcomes: tuple[str, ...]
) -> int:
    """The device lines of some kinds with some outcomes."""
    return sum(counts["device", kind, outcome] for kind in kinds for outcome in outcomes)


def share(part: int, whole: int) -> str:
    """A number, and what part of the whole it is."""
    return f"{part} ({part / whole:.0%})" if whole else "0"


if __name__ == "__main__":
    main()
