"""Trees made by hand, as far as joining files asks for them: facts of files, no contents."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from portaudit.discover import Tree
from portaudit.relate.modules import Modules
from portaudit.types import (
    CodeFacts,
    Deed,
    FileFacts,
    FileResult,
    Finding,
    GuardState,
    Import,
    Launch,
    Option,
    Proof,
    Script,
    Setting,
)


def code(
    path: str,
    *imports: str | Import,
    main: int = 0,
    does: tuple[tuple[Deed, int], ...] = (),
    words: str = "",
    offered: str = "",
    options: tuple[Option, ...] = (),
    settings: tuple[Setting, ...] = (),
    findings: tuple[Finding, ...] = (),
    asks: tuple[tuple[str, str], ...] = (),
    taking: tuple[tuple[str, str], ...] = (),
) -> FileResult:
    """A Python file; imports given as names stand in the lines from 1 on, unguarded."""
    listed = tuple(
        Import(item, line) if isinstance(item, str) else item
        for line, item in enumerate(imports, start=1)
    )
    facts = FileFacts(
        code=CodeFacts(listed, main, does, words, offered, options, asks, taking=taking),
        settings=settings,
    )
    return FileResult(path, findings, facts)


def launching(path: str, *launches: Launch, findings: tuple[Finding, ...] = ()) -> FileResult:
    """A file that starts programs."""
    return FileResult(path, findings, FileFacts(launches=launches))


def declaring(path: str, *scripts: Script) -> FileResult:
    """A manifest."""
    return FileResult(path, (), FileFacts(scripts=scripts))


def configuring(path: str, **values: str) -> FileResult:
    """A file of settings."""
    named = (Setting(name, value, line) for line, (name, value) in enumerate(values.items(), 1))
    return FileResult(path, (), FileFacts(settings=tuple(named)))


def under(
    name: str, first: int, last: int, words: str = "", value: str = "true", *, within: int = -1
) -> Option:
    """Code that runs where a setting has a value, under a line that says so."""
    return Option(
        (first, last), name, (value,), first - 1, f"if {name}:", words=words, within=within
    )


def entry(table: str, key: str, line: int, words: str = "", by: str = "") -> Option:
    """An entry of a table, in one line."""
    text = f'"{key}": {words},'
    return Option((line, line), table, (key,), line, text, table=True, by=by, words=words)


def defines(name: str, first: int, last: int, words: str = "", *, within: int = -1) -> Option:
    """A class or a function of the module."""
    return Option((first, last), name, (), first, "", words=words, within=within, defines=True)


def guarded(name: str, line: int, guard: GuardState = "guarded", scope: str = "") -> Import:
    """An import that something decides about, which says so in the line above."""
    return Import(name, line, scope, guard, Proof("", line - 1, f"why {guard}"))


def tree(results: Iterable[FileResult], root: str = "/srv/repo") -> Tree:
    """The tree that the files make."""
    return Tree.of(Path(root), [result.path for result in results])


def modules(results: Iterable[FileResult], root: str = "/srv/repo") -> Modules:
    """Its modules."""
    return Modules(tree(results, root))
