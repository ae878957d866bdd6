"""Scans files that exist only in memory, and compares findings with the comments in them.

A line that ends in `# expect: DEV007 guard=fallback` must give that finding; a guard that is not
named must be `none`. Every other line must be silent for the rules of `USUAL` and those named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from textwrap import dedent

from portaudit.catalogue.load import Catalogue, load
from portaudit.discover import Tree
from portaudit.engine import Scanner, scan_tree
from portaudit.files import Disk, Overlay
from portaudit.relate.modules import Modules
from portaudit.relate.project import with_foreign_uses
from portaudit.types import FileResult, Finding, Target

ROOT = Path("/repo")
FILE = "snippet.py"
USUAL = frozenset({"AMP001", "DEV007", "DEV008", "DIS001", "DST001", "FUS001"})
"""Autocast, `synchronize`, `.cuda()`, the literals of backend and device, flash_attn."""

Files = str | bytes | Mapping[str, str | bytes]
_EXPECT = re.compile(r"(?:#|//)\s*expect:\s*(.*)$")


@cache
def catalogue() -> Catalogue:
    return load()


def as_files(files: Files) -> dict[str, bytes]:
    """One snippet, or several by path; text loses its common indentation."""
    named = files if isinstance(files, Mapping) else {FILE: files}
    return {
        path: dedent(text).lstrip("\n").encode() if isinstance(text, str) else text
        for path, text in named.items()
    }


def scan(
    files: Files,
    *,
    only: Sequence[str] = (),
    jobs: int = 1,
    target: Target = "torchneuron",
    backwards: bool = False,
) -> dict[str, FileResult]:
    """The results of all files of a tree, or of `only` some, by path."""
    contents = as_files(files)
    wanted = tuple(only) or tuple(sorted(contents))
    tree = Tree.of(ROOT, contents, wanted[:: -1 if backwards else 1])
    scanner = Scanner(Overlay(Disk(ROOT), contents), catalogue(), target)
    modules = Modules(tree, catalogue().libraries)
    results = scan_tree(scanner, modules, tree, jobs=jobs)
    return {result.path: result for result in results}


def findings(files: Files, *rules: str, target: Target = "torchneuron") -> list[Finding]:
    """Findings of these rules (or of all), uses in other files included."""
    found = with_foreign_uses(tuple(scan(files, target=target).values()))
    return [item for item in found if not rules or item.rule in rules]


def the(files: Files, rule: str) -> Finding:
    """The only finding of a rule."""
    found = findings(files, rule)
    assert len(found) == 1, [str(item.span) for item in found]
    return found[0]


def check(files: Files) -> None:
    """Compare the findings of a tree with the expectations written into it."""
    expected = list(_expectations(as_files(files)))
    compared = USUAL | {rule for _, _, rule, _ in expected}
    results = scan(files)
    wrong = [f"{error.path}: {error.reason}" for item in results.values() for error in item.errors]
    left = [item for item in with_foreign_uses(tuple(results.values())) if item.rule in compared]
    for path, line, rule, wanted in expected:
        here = (path, line, rule)
        finding = next((item for item in left if here == _place(item)), None)
        if finding is None:
            wrong.append(f"Missing {path}:{line} {rule}")
            continue
        left.remove(finding)
        actual = {key: _value(finding, key) for key in wanted}
        if actual != wanted:
            wrong.append(f"Wrong {path}:{line} {rule}: {actual}, expected {wanted}")
    wrong += [f"Noisy {item.path}:{item.span.line} {item.rule} {item.guard}" for item in left]
    assert not wrong, "\n" + "\n".join(wrong)


def _place(finding: Finding) -> tuple[str, int, str]:
    return finding.path, finding.span.line, finding.rule


def _value(finding: Finding, key: str) -> str:
    if key == "uses":
        return str(len(finding.uses))
    if key == "severity":
        return finding.effective_severity
    return str(getattr(finding, key))


def _expectations(
    contents: Mapping[str, bytes],
) -> Iterator[tuple[str, int, str, dict[str, str]]]:
    for path, content in contents.items():
        for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), start=1):
            found = _EXPECT.search(line)
            for part in found.group(1).split(",") if found else ():
                rule, *words = part.split()
                given = dict(word.split("=", 1) for word in words)
                yield path, number, rule, {"guard": "none", **given}
