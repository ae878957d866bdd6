"""What fuzzing begins with: small inputs of our own, and words that mean something to a reader."""

from __future__ import annotations

import ast
import importlib
import keyword
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import tree_sitter
from targets import (
    PART,
    PATHS,
    catalogue,
    path_and_content,
    some_report,
    source_of,
    tree_of,
)

from portaudit import config
from portaudit.kinds import kind_by_name
from portaudit.report import json as report_json
from portaudit.scan import scan_file
from portaudit.triage.baseline import Baseline, dump
from portaudit.triage.matching import entry_of

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
_LONGEST = 3000
"""Bytes of a seed: longer ones leave no room to grow."""
_WIDEST = 40
"""Characters of a word."""
_TESTS: Mapping[str, tuple[str, ...]] = {
    "python": (
        *("engine/test_guards*.py", "engine/test_device_values.py", "engine/test_quick.py"),
        *("engine/test_positions.py", "engine/test_names.py", "read/test_*facts.py"),
        *("read/test_setup.py", "read/test_offered.py", "engine/test_wrong_input.py"),
    ),
    "notebook": ("read/test_notebook.py",),
    "shell": ("read/test_shell.py", "read/test_launches.py", "read/test_installs.py"),
    "native": ("read/test_native*.py", "engine/test_inventory.py"),
    "docker": ("read/test_docker.py",),
    "make": ("read/test_make.py",),
    "cmake": ("read/test_cmake.py",),
    "hcl": ("read/test_hcl.py",),
    "gin": ("read/test_gin.py",),
    "yaml": ("read/test_yaml.py", "read/test_conda.py", "read/test_composition.py"),
    "json": ("read/test_json.py", "read/test_named_settings.py"),
    "toml": ("read/test_toml.py", "read/test_manifests.py"),
    "requirements": ("read/test_requirements.py",),
    "markdown": ("read/test_mentions.py", "read/test_launches.py"),
    "ini": ("read/test_settings.py", "read/test_packages.py"),
    "suppress": ("triage/test_suppress.py", "read/test_directives.py"),
    "accept": ("triage/test_rewrite.py",),
    "ignore": ("test_ignores.py",),
    "settings": ("test_config.py",),
    "operators": ("engine/test_operators.py",),
}
"""Tests whose texts a reader has been given already."""
_GRAMMARS: Mapping[str, str] = {
    "shell": "bash",
    "native": "cuda",
    "docker": "containerfile",
    "make": "make",
    "cmake": "cmake",
    "hcl": "hcl",
    "json": "json",
    "toml": "toml",
}
_WORD = re.compile(r"[A-Za-z_$<#.\-][\w.$<>:#\-]{1,30}")


def seeds(name: str) -> list[bytes]:
    """Where a target begins."""
    found = [*_own(name), *_made(name)]
    for pattern in _TESTS.get(name, ()):
        for path in sorted((CHECKOUT / "tests").glob(pattern)):
            for text in _texts(path):
                found += _as_files(name, text)
    return sorted({each for each in found if 0 < len(each) <= _longest(name)})


def _longest(name: str) -> int:
    return {"report": 40_000, "tree": 8192}.get(name, _LONGEST)


def _own(name: str) -> Iterator[bytes]:
    """Those that are files, written for it."""
    for path in sorted((HERE / "seeds" / name).glob("*")):
        yield path.read_bytes()


def _as_files(name: str, text: str) -> Iterator[bytes]:
    """A text as an input of a target."""
    content = text.encode("utf-8", "surrogatepass")
    if name in PATHS:
        number = int.from_bytes(content[:8], "little") % len(PATHS[name])
        yield bytes([number]) + content
    elif name == "settings":
        yield bytes([int("tool.portaudit" in text)]) + content
    elif name in {"suppress", "accept"}:
        for number in (0, *([] if "import " in text else _numbers())):
            yield bytes([number]) + content
    else:
        yield content


@cache
def _numbers() -> list[int]:
    """The first byte for one path of each kind."""
    every = [path for paths in PATHS.values() for path in paths]
    return [every.index(paths[0]) for paths in PATHS.values()]


def _texts(path: Path) -> Iterator[str]:
    """The longer strings of a Python file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if "\n" in node.value or " " in node.value:
                yield node.value


def _snippets() -> Iterator[tuple[str, str]]:
    """The files of rule tests and of `fixtures/`."""
    for rule in catalogue().rules.values():
        for test in rule.test:
            yield from test.files.items()
            yield from ((test.path, text) for text in (test.bad, test.good) if text)
    for path in sorted((CHECKOUT / "fixtures").rglob("*")):
        if path.is_file() and kind_by_name(path.name):
            yield path.name, path.read_text(encoding="utf-8", errors="replace")


def _made(name: str) -> Iterator[bytes]:
    """Those that are made of our own rules and fixtures."""
    if name in PATHS:
        for path, text in _snippets():
            if kind_by_name(path) == name:
                same = [at for at, each in enumerate(PATHS[name]) if each.endswith(path)]
                yield bytes([same[0] if same else 0]) + text.encode()
    elif name in {"suppress", "accept"}:
        for at, (path, text) in enumerate(_snippets()):
            kind = kind_by_name(path)
            if kind and at % 5 == 0:
                lines = text.split("\n")
                lines[len(lines) // 2] += "  # portaudit: ignore[ALL] why"
                number = _numbers()[list(PATHS).index(kind)]
                yield bytes([number]) + "\n".join(lines).encode()
    elif name == "tree":
        yield from _trees()
    elif name == "rules":
        for place in sorted((CHECKOUT / "rules").glob("*/*.toml"))[::6]:
            yield place.read_bytes()
        yield from (
            _with_table(place) for place in sorted((CHECKOUT / "rules").glob("_data/*.csv"))
        )
    elif name == "baseline":
        report = some_report()
        entries = tuple(map(entry_of, report.findings))
        yield dump(Baseline(report.target, "1", {"device": {"DEV001": "a"}}, entries)).encode()
    elif name == "report":
        told = report_json.render(some_report())
        yield from (bytes([number * 13]) + told.encode() for number in range(10))
    elif name == "cache":
        for content in seeds("python")[::40]:
            source = source_of(*path_and_content(content, PATHS["python"]))
            yield b"\1" + msgspec.msgpack.encode(scan_file(source, catalogue(), "torchneuron"))
    elif name == "written":
        texts = [text.encode() for path, text in _snippets() if path.endswith(".py")][::20]
        yield from (old + PART + new for old, new in pairwise(texts))


def _trees() -> Iterator[bytes]:
    for folder in sorted((CHECKOUT / "fixtures").iterdir()):
        if folder.is_dir():
            files = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file()
                and path.name != "expected.json"
                and path.stat().st_size < _LONGEST
            }
            yield tree_of(files)
    for rule in catalogue().rules.values():
        for test in rule.test:
            if len(test.files) > 1:
                yield tree_of({path: text.encode() for path, text in test.files.items()})


def _with_table(path: Path) -> bytes:
    """The beginning of a table with a rule that takes it."""
    rule = (HERE / "seeds" / "rules" / "table.toml").read_bytes()
    head = b"\n".join(path.read_bytes().split(b"\n")[:4])
    return rule + PART + b"table.csv\n" + head + b"\n"


# --- words ----------------------------------------------------------------------------------------


def words(name: str) -> list[bytes]:
    """Words of our own rules, of a grammar, and of the reader itself."""
    found = {*_of_rules(), *grammar(name), *_of_reader(name)}
    return sorted(
        each.encode() for each in found if 1 < len(each) <= _WIDEST and each.isprintable()
    )


def _of_rules() -> Iterator[str]:
    for rule in catalogue().rules.values():
        for text in _strings(msgspec.to_builtins(rule.match)):
            yield text
            yield from _WORD.findall(text)


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple)):
            waiting += each


def grammar(name: str) -> Iterator[str]:
    """The words of a language."""
    if name in {"python", "notebook", "tree", "suppress", "accept"}:
        yield from (
            *keyword.kwlist,
            *keyword.softkwlist,
            "async def ",
            "lambda: ",
            ":=",
            "->",
            "**",
        )
    if name in _GRAMMARS:
        grammar = importlib.import_module(f"tree_sitter_{_GRAMMARS[name]}")
        language = tree_sitter.Language(grammar.language())
        for number in range(language.node_kind_count):
            word = language.node_kind_for_id(number)
            if word and not language.node_kind_is_named(number):
                yield word


def _of_reader(name: str) -> Iterator[str]:
    """Words in the strings of the modules that read something, and keys of what they read."""
    if name == "settings":
        yield from (*config.KEYS, *config.GATE_KEYS)
    if name in {"report", "baseline", "cache"}:
        yield from _strings(msgspec.json.decode(report_json.render(some_report())))
    folder = CHECKOUT / "portaudit"
    modules = {
        "python": [
            *(folder / "read" / "python").glob("*.py"),
            *(folder / "detectors").glob("*.py"),
        ],
        "rules": [folder / "catalogue" / "schema.py", *(folder / "detectors").glob("*.py")],
        "settings": [folder / "catalogue" / "assumptions.py"],
        "native": list((folder / "read" / "native").glob("*.py")),
    }
    for path in sorted(modules.get(name, [])) or sorted((folder / "read").glob(f"{name}.py")):
        for text in _literals(path):
            yield from _WORD.findall(text)


def _literals(path: Path) -> Iterator[str]:
    """The strings of a module that are no documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value
