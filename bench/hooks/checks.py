"""The projects' own checks: where each is in its clone, which files it is given, how it is run.

None of their code is here. A check is loaded from the clone, or from a file that the clone is too
old to have (`NAME.py` beside the clone), and called as its own `main` calls it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from unittest import mock

import yaml

Scope = tuple[frozenset[str], frozenset[str]]
"""The files that a check is given, and those that its settings exempt."""


@dataclass(frozen=True, order=True)
class Place:
    """A line that a check reports."""

    path: str
    line: int
    text: str = ""


@dataclass(frozen=True)
class Check:
    """A project's own check. `scanned`: the part of the clone that portaudit is given."""

    name: str
    scope: Callable[[Path], Scope]
    run: Callable[[Path, Sequence[str]], set[Place]]
    scanned: str = "."


# --- which files ----------------------------------------------------------------------------------


def _files(clone: Path, end: str = "") -> list[str]:
    found = (file for file in clone.rglob(f"*{end}") if file.is_file() and not file.is_symlink())
    paths = (file.relative_to(clone) for file in found)
    return [path.as_posix() for path in paths if path.parts[0] != ".git"]


def _split(paths: Iterable[str], exempt: Callable[[str], object]) -> Scope:
    chosen = frozenset(paths)
    left_out = frozenset(path for path in chosen if exempt(path))
    return chosen - left_out, left_out


def _hook(clone: Path, hook_id: str) -> dict[str, str]:
    config = yaml.safe_load((clone / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    found: dict[str, str] = next(hook for hook in hooks if hook["id"] == hook_id)
    return found


def _deepspeed_scope(hook_id: str) -> Callable[[Path], Scope]:
    def scope(clone: Path) -> Scope:
        exempt = re.compile(_hook(clone, hook_id)["exclude"])
        text = [path for path in _files(clone) if b"\0" not in (clone / path).read_bytes()[:8192]]
        return _split(text, exempt.search)

    return scope


def _lmcache_scope(clone: Path) -> Scope:
    hook = _hook(clone, "ban-direct-torch-device")
    named, exempt = re.compile(hook["files"]), re.compile(hook["exclude"])
    return _split((path for path in _files(clone, ".py") if named.search(path)), exempt.search)


def _vllm_scope(clone: Path) -> Scope:
    config = yaml.safe_load((clone / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    left_out = re.compile(config["exclude"])
    allowed = tuple(_module(_script(clone, _VLLM)).ALLOWED_FILES)
    return _split(
        _files(clone, ".py"), lambda path: path.startswith(allowed) or left_out.search(path)
    )


def _omni_scope(clone: Path) -> Scope:
    module = _module(_script(clone, _VLLM))
    return _split(_files(clone, ".py"), module._is_allowed)  # noqa: SLF001


def _folders_scope(*folders: str) -> Callable[[Path], Scope]:
    def scope(clone: Path) -> Scope:
        paths = (path for path in _files(clone, ".py") if path.startswith(folders))
        return frozenset(paths), frozenset()

    return scope


def _python_tests_scope(clone: Path) -> Scope:
    paths = (path for path in _files(clone, ".py") if path.startswith("test/"))
    return frozenset(path for path in paths if Path(path).name.startswith("test_")), frozenset()


# --- running them ---------------------------------------------------------------------------------

_VLLM = "tools/pre_commit/check_torch_cuda.py"


def _script(clone: Path, path: str) -> Path:
    beside = clone.parent / f"{clone.name}.py"
    return clone / path if (clone / path).exists() else beside


def _module(script: Path) -> ModuleType:
    sys.modules.setdefault("regex", re)  # their patterns are understood by both
    spec = importlib.util.spec_from_file_location(f"check_{script.stem}", script)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{script}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _place(clone: Path, path: str, line: int) -> Place:
    lines = (clone / path).read_text(encoding="utf-8", errors="replace").split("\n")
    return Place(path, line, lines[line - 1] if line <= len(lines) else "")


def _grep(script: str) -> Callable[[Path, Sequence[str]], set[Place]]:
    """Their script calls `git grep` and stops at the first pattern found: let it go on."""

    def run(clone: Path, paths: Sequence[str]) -> set[Place]:
        found: set[Place] = set()
        start = subprocess.run

        def recording(command: list[str], **how: bool) -> subprocess.CompletedProcess[bytes]:
            done = start(command, **how, cwd=clone)  # type: ignore[call-overload]
            for row in done.stdout.decode(errors="replace").splitlines():
                path, line, text = row.split(":", 2)
                found.add(Place(path, int(line), text))
            return subprocess.CompletedProcess(command, 1, b"", b"")

        with (
            mock.patch.object(subprocess, "run", recording),
            mock.patch.object(sys, "argv", ["check", *paths]),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            runpy.run_path(str(_script(clone, script)), run_name="__main__")
        return found

    return run


def _first_only(clone: Path, paths: Sequence[str]) -> set[Place]:
    """Their function reports the first place of a file: take that line away and ask again."""
    module = _module(_script(clone, _VLLM))
    found: set[Place] = set()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.py"
        for path in paths:
            lines = (clone / path).read_text(encoding="utf-8").split("\n")
            while True:
                copy.write_text("\n".join(lines), encoding="utf-8")
                said = io.StringIO()
                with contextlib.redirect_stdout(said):
                    clean = module.scan_file(str(copy)) == 0
                if clean:
                    break
                line = int(said.getvalue().split(":")[1])
                found.add(Place(path, line, lines[line - 1]))
                lines[line - 1] = ""
    return found


def _by_function(
    script: str, lines: Callable[[ModuleType, Path], Iterable[int]]
) -> Callable[[Path, Sequence[str]], set[Place]]:
    def run(clone: Path, paths: Sequence[str]) -> set[Place]:
        module = _module(_script(clone, script))
        return {_place(clone, path, line) for path in paths for line in lines(module, clone / path)}

    return run


def _lmcache(clone: Path, paths: Sequence[str]) -> set[Place]:
    module = _module(_script(clone, "tools/check_direct_torch_device.py"))
    folders = (clone / "lmcache/v1/platform/devices").iterdir()
    devices = {each.name for each in folders if each.is_dir() and not each.name.startswith("__")}
    host = re.compile(r"\.cudaHost(Register|Unregister)")  # their second hook, a grep in the config
    found: set[Place] = set()
    for path in paths:
        source = (clone / path).read_text(encoding="utf-8")
        found |= {_place(clone, path, line) for line in module.direct_device_lines(source, devices)}
        if path.startswith("lmcache/"):
            rows = enumerate(source.split("\n"), 1)
            found |= {Place(path, number, text) for number, text in rows if host.search(text)}
    return found


def _lint_cuda(module: ModuleType, file: Path) -> list[int]:
    return [issue[0] for issue in module.lint_file(file)]


def _added_lines(module: ModuleType, file: Path) -> list[int]:
    return [violation.line for violation in module.check_file(file, None)]


def _device_bias(module: ModuleType, file: Path) -> list[int]:
    return [message.line for message in module.check_file(str(file))]


CHECKS = (
    Check("deepspeed", _deepspeed_scope("check-torchcuda"), _grep("scripts/check-torchcuda.py")),
    Check("vllm", _vllm_scope, _first_only),
    Check("vllm-omni", _omni_scope, _first_only),
    Check("lmcache", _lmcache_scope, _lmcache),
    Check(
        "llm-compressor",
        _folders_scope("src/", "tests/", "examples/", "setup.py"),
        _by_function("tools/lint_cuda.py", _lint_cuda),
    ),
    Check(
        "compressed-tensors",
        _folders_scope("src/", "tests/"),
        _by_function("tools/lint_cuda.py", _lint_cuda),
    ),
    Check(
        "pytorch",
        _python_tests_scope,
        _by_function("tools/linter/adapters/test_device_bias_linter.py", _device_bias),
        scanned="test",
    ),
    Check(
        "torchtitan",
        _folders_scope(""),
        _by_function(".github/scripts/check_accelerator_api.py", _added_lines),
    ),
)
