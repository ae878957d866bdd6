"""Runs the tests that rules carry: what must be reported, where, and what must stay quiet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from portaudit.catalogue import operators
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import InlineTest
from portaudit.discover import Tree
from portaudit.engine import Scanner, scan_tree
from portaudit.files import Disk, Overlay
from portaudit.relate.modules import Modules
from portaudit.relate.project import with_foreign_uses
from portaudit.types import Finding

_EXPECT = re.compile(r"(?:#|//)\s*expect:\s*(.*)$")
_KEYS = ("severity", "guard", "uses", "confidence")


class Failure(Struct, frozen=True):
    """A test that does not hold: `Missing`, `Noisy` (too much), `Wrong` (guard or the like)."""

    rule: str
    test: int
    kind: Literal["Missing", "Noisy", "Wrong", "Broken"]
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        """One line for a terminal."""
        return f"{self.kind} {self.rule} test {self.test} {self.path}:{self.line}: {self.text}"


class _Expected(Struct, frozen=True):
    path: str
    line: int
    rule: str
    wanted: tuple[tuple[str, str], ...] = ()


def run(catalogue: Catalogue, ids: Iterable[str] = ()) -> list[Failure]:
    """Run the tests of these rules, or of all. Only the rules that a test names are compared."""
    failures: list[Failure] = []
    for rule_id in ids or catalogue.rules:
        for number, test in enumerate(catalogue.rules[rule_id].test, start=1):
            failures.extend(run_test(catalogue, rule_id, number, test))
    return failures


def run_test(catalogue: Catalogue, rule: str, number: int, test: InlineTest) -> Iterator[Failure]:
    """Run one test of a rule."""
    files = dict(test.files) or {test.path: test.bad or test.good}
    try:
        expected = list(_expectations(files, test.expect))
    except ValueError as error:
        yield Failure(rule, number, "Broken", test.path, 0, str(error))
        return
    found, errors = scan_files(catalogue, files, test)
    for text in errors:
        yield Failure(rule, number, "Broken", text, 0, "the snippet cannot be read")
    compared = {rule, *(item.rule for item in expected)}
    left = [finding for finding in found if finding.rule in compared]
    for item in expected:
        match = next((finding for finding in left if _fits(item, finding)), None)
        if match is None:
            yield Failure(rule, number, "Missing", item.path, item.line, f"{item.rule} expected")
            continue
        left.remove(match)
        for key, wanted in item.wanted:
            actual = _actual(match, key)
            if actual != wanted:
                text = f"{item.rule} has {key}={actual}, expected {wanted}"
                yield Failure(rule, number, "Wrong", item.path, item.line, text)
    for finding in left:
        text = f"{finding.rule} reported: {finding.snippet.strip()}"
        yield Failure(rule, number, "Noisy", finding.path, finding.span.line, text)


def scan_files(
    catalogue: Catalogue, files: Mapping[str, str], test: InlineTest
) -> tuple[Sequence[Finding], Sequence[str]]:
    """Findings and unreadable paths of a set of files that exist only in memory."""
    if test.operators:
        listed = operators.parse("\n".join(test.operators), "`operators`")
        catalogue = operators.apply(catalogue, listed)
    tree = Tree.of(Path("/"), files)
    contents = {path: files[path].encode() for path in tree.files}
    scanner = Scanner(Overlay(Disk(tree.root), contents), catalogue, test.target)
    results = scan_tree(scanner, Modules(tree, catalogue.libraries), tree)
    return with_foreign_uses(results), [error.path for item in results for error in item.errors]


def _fits(item: _Expected, finding: Finding) -> bool:
    return (item.path, item.line, item.rule) == (finding.path, finding.span.line, finding.rule)


def _actual(finding: Finding, key: str) -> str:
    if key == "severity":
        return finding.effective_severity
    if key == "guard":
        return finding.guard
    if key == "confidence":
        return finding.confidence
    return str(len(finding.uses))


def _expectations(files: Mapping[str, str], listed: Sequence[str]) -> Iterator[_Expected]:
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            found = _EXPECT.search(line)
            if found:
                for part in found.group(1).split(","):
                    yield _expected(path, number, part)
    for entry in listed:
        place, _, rest = entry.partition(" ")
        path, _, number_text = place.rpartition(":")
        if not path or not number_text.isdigit():
            raise ValueError(f'`expect` entry "{entry}" is not "path:line ID"')
        yield _expected(path, int(number_text), rest)


def _expected(path: str, line: int, part: str) -> _Expected:
    words = part.split()
    if not words:
        raise ValueError(f"{path}:{line}: an expectation names no rule")
    wanted = []
    for word in words[1:]:
        key, _, value = word.partition("=")
        if key not in _KEYS or not value:
            raise ValueError(f'{path}:{line}: "{word}" is none of {", ".join(_KEYS)} with a value')
        wanted.append((key, value))
    return _Expected(path, line, words[0], tuple(wanted))
