"""What SECURITY.md promises: nothing of the tree is run, nobody is called, nothing is read or
written elsewhere."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

import portaudit
from git_repos import Repo
from portaudit.cache import VARIABLE
from portaudit.cli import diff, explain, program
from portaudit.report.formats import FORMATS

HERE = Path(__file__).parent
SYNC = "import torch\ntorch.cuda.synchronize()\n"
BAIT = "raise SystemExit('this was run')\n"
MODULES = ("torch", "portaudit_plugin", "sitecustomize", "conftest", "setup", "json", "msgspec")
WATCH = r"""
import os, sys
ROOT, ALLOWED, ABOVE = sys.argv[1], sys.argv[2].split(os.pathsep), sys.argv[3].split(os.pathsep)
READ = (ROOT, sys.prefix, sys.base_prefix, *sys.argv[4].split(os.pathsep), "/sys/fs/cgroup/")
WRITES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "os.symlink",
          "os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "os.chown", "os.setxattr")
NEVER = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "ctypes.",
         "os.startfile", "ftplib.", "http.", "urllib.", "smtplib.", "pty.", "webbrowser.")

def say(event, what):
    os.write(2, f"FORBIDDEN {event} {what!r}\n".encode("utf-8", "backslashreplace"))

def under(path, places):
    path = os.path.abspath(os.fsdecode(path))
    return any(path == each or path.startswith(each.rstrip("/") + "/") for each in places if each)

def hook(event, given):
    if event == "open":
        path, _, flags = given
        if isinstance(path, int) or path is None:
            return
        writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if writing and os.fsdecode(path) != os.devnull and not under(path, ALLOWED):
            say(event, given)
        known = os.fsdecode(path) in (*ABOVE, os.devnull) or under(path, (*READ, *ALLOWED))
        if not writing and (not known or os.fsdecode(path).startswith(f"{ROOT}/old.")):
            say(event, given)
    elif event.startswith(NEVER):
        say(event, given)
    elif event in WRITES and not under(given[0], ALLOWED):
        if os.path.abspath(given[0]) not in ABOVE:
            say(event, given)
    elif event == "exec" and under(given[0].co_filename, (ROOT,)):
        say(event, given[0].co_filename)
    elif event == "import" and given[1] and under(given[1], (ROOT,)):
        say(event, given[:2])

sys.path[:] = [each for each in sys.path if each]
sys.argv[1:] = sys.argv[5:]
sys.addaudithook(hook)
from portaudit.cli import main
main()
"""
"""A program that runs portaudit, and tells of all that it may not do, in each of its processes."""
CALLS = r"""
import json, os, sys
codes, every = [], json.loads(sys.argv[1])

def hook(event, given):
    if event.startswith(("socket.", "http.", "urllib.", "ftplib.", "smtplib.", "webbrowser.")):
        os.write(2, f"FORBIDDEN {sys.argv[1:]} {event}\n".encode())

sys.addaudithook(hook)
from portaudit.cli import main
for words in every:
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as left:
        codes.append(left.code or 0)
print(json.dumps(codes))
"""
"""A program that runs portaudit again and again, and tells of each socket and all exit codes."""


def hostile(root: Path) -> Path:
    """A tree that has something to say to whoever runs, follows or waits for it."""
    (root / "pkg").mkdir(parents=True)
    for name in MODULES:
        (root / f"{name}.py").write_text(BAIT + SYNC)
    for at in range(40):
        (root / "pkg" / f"m{at}.py").write_text(SYNC * 60)
    (root / "pkg" / "__init__.py").write_text("import torch\n" + BAIT)
    (root / "Makefile").write_text("X := $(shell touch was-run)\nall:\n\tnvcc a.cu\n")
    (root / "setup.cfg").write_text("[options]\ninstall_requires = attr: pkg.__version__\n")
    (root / "requirements.txt").write_text("-r ../../../../etc/passwd\nflash-attn\n")
    (root / "conf.yaml").write_text("x: !!python/object/apply:os.system ['true']\ndevice: cuda\n")
    (root / "more.yaml").write_text(
        "".join(f"a{at}: &a{at} [{f'*a{at - 1},' * 9}]\n" for at in range(1, 40))
    )
    (root / "nb.ipynb").write_text(
        '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "!nvcc x"}]}'
    )
    for end in ("zip", "whl", "tar.gz", "egg"):
        (root / f"old.{end}").write_bytes(b"PK\x03\x04" * 9)
    (root / "deep.py").write_text(f"import torch\nx = {'(' * 9000}{')' * 9000}\n")
    (root / "deep.sh").write_text("$(" * 9000 + "nvcc" + ")" * 9000)
    (root / ".gitignore").symlink_to("/etc/passwd")
    (root / "out").symlink_to("/etc")
    (root / "passwd.py").symlink_to("/etc/passwd")
    (root / "zero.py").symlink_to("/dev/zero")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "pipe.py")
    return root


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("words", [("scan",), ("check",), ("plan",), ("baseline", "create")])
def test_nothing_is_run_called_read_or_written_that_is_not_allowed(
    tmp_path: Path, words: tuple[str, ...], jobs: str
) -> None:
    root = hostile((tmp_path / "a" / "repo").resolve())
    cache, out = tmp_path / "cache", tmp_path / "out"
    cache.mkdir(mode=0o700)
    out.mkdir()
    target = ["--output", f"{out}/report"]
    if words[0] == "baseline":
        target = ["--baseline", f"{out}/baseline.json"]
    above = [str(folder / "pyproject.toml") for folder in root.parents]
    own = Path(portaudit.__file__).parent.parent
    places = [*map(os.path.realpath, sys.path), str(own)]
    command = [
        *(sys.executable, "-c", WATCH, str(root), os.pathsep.join([str(cache), str(out)])),
        *(os.pathsep.join([*above, str(tmp_path)]), os.pathsep.join(filter(None, places))),
        *(*words, str(root), "-j", jobs, *target),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, VARIABLE: str(cache)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "FORBIDDEN" not in done.stderr
    assert done.returncode == (1 if words == ("check",) else 0), done.stderr
    assert list(out.iterdir())
    assert not list(tmp_path.rglob("was-run"))


def test_the_watch_sees_what_it_is_to_see(tmp_path: Path) -> None:
    deeds = (
        "import socket; socket.socket()",
        "open('/etc/hostname')",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        "import subprocess; subprocess.run(['true'])",
        f"import os; os.mkdir({str(tmp_path / 'd')!r})",
    )
    places = os.pathsep.join(map(os.path.realpath, filter(None, sys.path)))
    for deed in deeds:
        code = WATCH.replace("from portaudit.cli import main\nmain()", deed)
        command = [sys.executable, "-c", code, str(tmp_path / "repo"), "", "", places]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert "FORBIDDEN" in done.stderr, deed


def named(command: Any, name: str = "") -> Iterator[str]:  # noqa: ANN401
    """The commands of the program that do something, as they are called."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name
        return
    for key, each in inner.items():
        yield from named(each, f"{name} {key}".strip())


def test_no_format_and_no_command_opens_a_socket(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo", {"a.py": "import torch\n"})
    repo.commit({"b.py": SYNC, "k.cu": "__global__ void f();\n"})
    repo.write({"a.py": SYNC, "requirements.txt": "flash-attn\n"})
    root, out, made, own = str(repo.root), tmp_path / "out", tmp_path / "made", tmp_path / "rules"
    out.mkdir()
    own.mkdir()
    everything = ["--format", ",".join(FORMATS), "--output", str(out)]
    stored, baseline = str(out / "report.json"), ["--baseline", str(tmp_path / "baseline.json")]
    every = [
        ["--version"],
        ["--help"],
        ["scan", root, *everything],
        ["scan", root, "-j", "2", "--no-cache", "-v"],
        ["scan", root, "--show-config"],
        ["check", root, *everything],
        ["check", root, "--diff", "HEAD"],
        ["check", root, "--staged"],
        *(["diff", "HEAD~1", "HEAD", root, "--format", name] for name in diff._FORMATS),
        ["diff", stored, stored],
        ["plan", root],
        ["plan", stored],
        ["render", stored, "--format", ",".join(FORMATS), "--output", str(made)],
        ["explain", "DEV007"],
        *(["explain", f"{root}/a.py:2", "--format", name] for name in explain._FORMATS),
        ["baseline", "create", root, *baseline],
        ["baseline", "update", root, *baseline],
        ["baseline", "prune", root, *baseline],
        ["baseline", "show", root, *baseline],
        ["suppress", f"{root}/a.py:2", "--reason", "old"],
        ["init", root],
        ["init", root, "--write", "--pre-commit"],
        ["init", root, "--ci", "github"],
        ["rules", "list"],
        ["rules", "test", "DEV007"],
        ["rules", "new", "DEV990", "made-up", "--category", "device-api", "--rules", str(own)],
        ["rules", "docs", "--check"],
        ["cache", "info"],
        ["cache", "clear"],
    ]
    names = {" ".join(words[:count]) for words in every for count in (1, 2)}
    assert set(named(typer.main.get_command(program.app))) <= names
    done = subprocess.run(
        [sys.executable, "-c", CALLS, json.dumps(every)],
        cwd=HERE.parent,
        env={**os.environ, VARIABLE: str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "FORBIDDEN" not in done.stderr
    *_, told = done.stdout.splitlines()
    failed = [words for words, code in zip(every, json.loads(told), strict=True) if code]
    assert [words[0] for words in failed] == ["check"] * 2, done.stderr
    wanted = {each.file for each in FORMATS.values() if each.file}
    assert wanted <= {path.name for path in out.iterdir()} & {path.name for path in made.iterdir()}


@pytest.mark.parametrize("name", ["msgspec", "tomli", "json", "libcst", "portaudit_own"])
def test_a_module_of_the_tree_is_not_taken_for_one_of_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text(BAIT)
    (tmp_path / "a.py").write_text(SYNC)
    done = subprocess.run(
        [sys.executable, "-m", "portaudit", "scan", ".", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "DEV007" in done.stdout


def test_a_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    name = "a\x1b]0;owned\x07\x1b[31m\u202e.py"
    (root / name).write_text(SYNC + "x = = 1\n")
    (root / ".portaudit-baseline.json").write_text('{"schema": "\x1b[31m\u202e"}')
    for words in (["scan", root, "-v"], ["check", root], ["scan", root / f"{name}x"]):
        done = CliRunner().invoke(program.app, [str(word) for word in words])
        for said in (done.stdout, done.stderr):
            assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_each_promise_names_a_test_that_is_there() -> None:
    page = (HERE.parent / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 30
    for path, name in named:
        tree = ast.parse((HERE.parent / path).read_text(encoding="utf-8"))
        assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, name
