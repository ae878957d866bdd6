from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "portaudit"
MODULES = {
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", "."): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
BASE = {"types", "errors", "garbage", "marks", "names"}
FILE_STAGES = {"catalogue", "read", "match", "judge", "detectors", "fingerprint"}
"""What judges one file. Matchers, judges and detectors know each other's words."""
MAY_IMPORT = {
    "garbage": set(),
    "sharing": set(),
    "marks": set[str](),
    "names": set[str](),
    "types": set[str](),
    "errors": set[str](),
    "budget": set[str](),
    "ignores": {"errors"},
    "config": BASE | {"budget", "catalogue", "files"},
    "kinds": BASE,
    "cache": {"files"},
    "files": BASE,
    "git": BASE | {"files"},
    "discover": BASE | {"budget", "config", "files", "git", "ignores", "kinds"},
    "fingerprint": BASE,
    "score": BASE | {"catalogue"},
    "triage": BASE | {"ignores", "kinds", "read"},
    "report": BASE | {"triage"},
    "catalogue": BASE | {"cache", "detectors", "ignores", "kinds"},
    "read": BASE | {"catalogue", "kinds"},
    "match": BASE | FILE_STAGES | {"quiet"},
    "judge": BASE | FILE_STAGES,
    "detectors": BASE | FILE_STAGES,
    "scan": BASE | FILE_STAGES,
    "trace": BASE | FILE_STAGES,
    "explain": BASE
    | {"audit", "config", "discover", "engine", "read", "report", "trace", "triage"},
    "relate": BASE | {"catalogue", "discover", "judge", "kinds", "score"},
    "surplus": BASE,
    "engine": BASE
    | FILE_STAGES
    | {"config", "contents", "discover", "files", "relate", "results", "ruleset", "scan", "score"}
    | {"budget", "ignores", "quiet", "surplus", "triage", "workers"},
    "store": {"cache"},
    "contents": BASE | {"discover", "files", "store"},
    "making": {"files", "store"},
    "quiet": BASE | {"discover"},
    "results": BASE | {"catalogue", "making", "sharing", "store"},
    "workers": BASE | {"budget", "relate"},
    "ruleset": {"cache", "catalogue", "config", "making", "results", "store"},
    "audit": BASE
    | {"config", "contents", "discover", "engine", "files", "quiet", "ruleset", "store"},
    "init": BASE | {"audit", "check", "config", "report", "run", "triage"},
    "jobs": set[str](),
    "deliver": BASE | {"report"},
    "manual": {"config", "report"},
    "run": BASE | {"audit", "catalogue", "config", "discover", "files", "ruleset", "triage"},
    "check": BASE
    | {"audit", "catalogue", "config", "files", "history", "ruleset", "run", "triage"},
    "history": BASE | {"compare", "config", "git", "run", "triage"},
    "changes": BASE
    | {"check", "compare", "config", "discover", "engine", "git", "history", "relate", "run"}
    | {"ruleset", "score", "triage"},
    "compare": BASE | {"config", "discover", "engine", "files", "git", "ruleset"},
}
_DRAWN = ("baseline", "check", "difference", "explanation", "groups", "page", "terminal", "text")
TERMINAL = {f"portaudit.report.{name}" for name in _DRAWN}
TESTING = {"discover", "engine", "files", "relate"}
"""`catalogue.testing` runs the whole engine on snippets: the one module of its folder above it."""


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_of(name: str) -> tuple[str, str]:
    first, second, *_ = [*name.split("."), "", ""]
    return first, second


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downward(module: str) -> None:
    _, own = parts_of(module)
    if own in {"", "__init__", "cli", "__main__"}:
        return
    allowed = MAY_IMPORT[own] | {own, "__init__", "__version__", ""}
    if module == "portaudit.catalogue.testing":
        allowed |= TESTING
    names = [parts_of(name) for name in imports(MODULES[module])]
    wrong = {second for first, second in names if first == "portaudit"} - allowed
    assert not wrong, f"{module} imports {wrong}"


@pytest.mark.parametrize("module", MODULES)
def test_only_reports_for_a_terminal_and_the_command_line_draw(module: str) -> None:
    if module not in TERMINAL and parts_of(module)[1] != "cli":
        drawing = {"rich", "typer"}
        assert drawing.isdisjoint(parts_of(name)[0] for name in imports(MODULES[module]))


@pytest.mark.parametrize("module", MODULES)
def test_nothing_prints(module: str) -> None:
    calls = (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call))
    assert all(not isinstance(call.func, ast.Name) or call.func.id != "print" for call in calls)
    if parts_of(module)[1] != "cli":
        names = set(imports(MODULES[module]))
        assert not {"sys.stdout", "sys.stderr"} & names


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_are_and_use_late_annotations(module: str) -> None:
    parsed = tree(module)
    assert ast.get_docstring(parsed)
    if parsed.body[1:]:
        assert "__future__.annotations" in set(imports(MODULES[module]))


@pytest.mark.parametrize("module", [name for name in MODULES if ".report." in name])
def test_reporters_open_no_files(module: str) -> None:
    names = {parts_of(name)[0] for name in imports(MODULES[module])}
    assert names.isdisjoint({"pathlib", "os", "shutil", "sys"})


def test_help_and_version_load_no_engine() -> None:
    code = "import sys, portaudit.cli; print([m for m in sys.modules if m in {'libcst', 'yaml'}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))
