"""`portaudit check` from the outside: what it reads, and what it says of what it cannot read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from git_repos import Repo
from portaudit.cli import program
from portaudit.report.linehash import line_hashes

OLD = "import torch\n\nmodel = torch.nn.Linear(1, 1)\n"
STAGED = f"{OLD}model = model.cuda()\n"
LATER = f"# a line more\n{OLD}\nmodel = model.cuda()  # and words\n"


def run(*arguments: object, stdin: str | None = None) -> Result:
    words = [str(item) for item in arguments]
    return CliRunner().invoke(program.app, ["check", *words], input=stdin, env={"COLUMNS": "100"})


def line_hash(done: Result) -> tuple[int, str]:
    """The line of the one result of a SARIF document, and its hash."""
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    line: int = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    return line, result["partialFingerprints"]["primaryLocationLineHash"]


def expected(text: str, line: int) -> tuple[int, str]:
    return line, line_hashes(text.encode(), [line])[line]


def test_who_fails_quietly_is_told_what_it_was_held_against(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n\nx = torch.zeros(2, device='cuda:0')\n")
    done = run(tmp_path, "-q", "--fail-on", "info")
    assert done.exit_code == 1
    assert done.stderr == "against nothing: no finding is accepted\n"


# --- the lines that were judged -------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sarif", "code-scanning"])
def test_hashes_are_of_the_lines_that_are_staged(tmp_path: Path, form: str) -> None:
    repo = Repo.make(tmp_path / "r", {"sub/a.py": OLD})
    repo.write({"sub/a.py": STAGED})
    repo.git("add", "--all")
    repo.write({"sub/a.py": LATER})
    done = run(repo.root / "sub", "--staged", "--format", form)
    assert line_hash(done) == expected(STAGED, 4)
    (repo.root / "sub" / "a.py").unlink()
    assert line_hash(run(repo.root / "sub", "--staged", "--format", form)) == expected(STAGED, 4)


@pytest.mark.parametrize("words", [("--fail-on", "minor"), ("--staged",), ("--diff", "HEAD")])
def test_what_git_has_is_judged_although_it_is_ignored(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    repo = Repo.make(tmp_path / "r", {".gitignore": "**dist**\n"})
    repo.write({"tools/dist_test.py": OLD})
    repo.git("add", "--all", "--force")
    repo.git("commit", "-q", "-m", "Ignored, and kept")
    assert run(repo.root, *words).exit_code == 0
    repo.write({"tools/dist_test.py": STAGED})
    repo.git("add", "--force", "tools/dist_test.py")
    assert "tools/dist_test.py:4:9:" in run(repo.root, *words, "-q").stdout


def test_hashes_are_of_the_text_of_the_editor(tmp_path: Path) -> None:
    place = tmp_path / "a.py"
    place.write_text(OLD)
    done = run("--stdin-filename", place, "--root", tmp_path, "--format", "sarif", stdin=STAGED)
    assert line_hash(done) == expected(STAGED, 4)


def test_hashes_are_of_the_work_tree_where_that_was_read(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": OLD})
    repo.write({"a.py": LATER})
    for words in ((), ("--diff", "HEAD")):
        done = run(repo.root, *words, "--format", "sarif")
        assert line_hash(done) == expected(LATER, 6)


# --- names that are no text -----------------------------------------------------------------------

ODD = os.fsdecode(b"b\xff.py")
"""A name in Latin-1, as an archive of another system may hold it."""
UNREAD = r"b\xff.py: cannot be read: its name is not UTF-8"


@pytest.fixture
def odd(tmp_path: Path) -> Repo:
    """A repository whose last commit is clean, with a file of such a name that is staged."""
    repo = Repo.make(tmp_path / "r", {"a.py": OLD})
    try:
        (repo.root / ODD).write_text(STAGED)
    except OSError:
        pytest.skip("this file system takes only text for names")
    repo.git("add", "--all")
    return repo


def errors(root: Path, *words: object) -> tuple[bool, dict[str, str]]:
    report = json.loads(run(root, *words, "--format", "json").stdout)
    return report["partial"], {item["path"]: item["reason"] for item in report["errors"]}


@pytest.mark.parametrize("words", [(), ("--staged",), ("--diff", "HEAD")])
def test_a_file_that_cannot_be_read_for_its_name_is_said(odd: Repo, words: tuple[str, ...]) -> None:
    done = run(odd.root, *words)
    assert done.exit_code == 0
    assert f"Unread  {UNREAD}\n" in done.stdout
    assert errors(odd.root, *words) == (
        True,
        {r"b\xff.py": "cannot be read: its name is not UTF-8"},
    )
    assert run(odd.root, *words, "--strict").exit_code == 2


def test_it_is_said_as_well_where_it_is_named(odd: Repo) -> None:
    done = run(odd.root / ODD, "--root", odd.root)
    assert f"Unread  {UNREAD}\n" in done.stdout
    assert errors(odd.root / "a.py", "--root", odd.root) == (False, {})


@pytest.mark.parametrize(
    "form", ["markdown", "sarif", "code-scanning", "github", "gitlab", "junit"]
)
def test_every_format_survives_it(odd: Repo, form: str) -> None:
    done = run(odd.root, "--staged", "--format", form)
    assert done.exit_code == 0, done.output
    assert form == "gitlab" or "its name is not UTF-8" in done.stdout


def test_what_lies_below_such_a_name_is_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "r" / os.fsdecode(b"d\xff")
    try:
        folder.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system takes only text for names")
    (folder / "inner").mkdir()
    (folder / "inner" / "c.py").write_text(STAGED)
    (folder / "photo.jpg").touch()
    (folder / "pyproject.toml").touch()
    partial, found = errors(tmp_path / "r")
    assert partial
    assert found.keys() == {r"d\xff/inner/c.py", r"d\xff/pyproject.toml"}


def test_other_files_of_such_a_name_are_no_errors(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    try:
        (root / os.fsdecode(b"photo\xff.jpg")).touch()
    except OSError:
        pytest.skip("this file system takes only text for names")
    (root / os.fsdecode(b"out\xff.py")).touch()
    (root / os.fsdecode(b"link\xff.py")).symlink_to("nowhere.py")
    (root / ".gitignore").write_text("out*\n")
    report: dict[str, Any] = json.loads(run(root, "--format", "json").stdout)
    assert (report["partial"], report["errors"]) == (False, [])
    assert {item["path"]: item["reason"] for item in report["skipped"]} == {
        r"out\xff.py": "ignored by .gitignore",
        r"link\xff.py": "a symbolic link",
    }


def test_code_under_a_better_name_is_new_and_no_failure(odd: Repo) -> None:
    odd.commit({})
    odd.git("mv", ODD, "b.py")
    done = run(odd.root, "--staged", "-q")
    assert done.exit_code == 1
    assert done.stdout.startswith("b.py:4:")


# --- settings -------------------------------------------------------------------------------------


def test_settings_that_are_shown_are_those_of_a_check(tmp_path: Path) -> None:
    done = run(tmp_path, "--show-config")
    assert 'fail-on = "minor"  # default' in done.stdout
    assert 'min-confidence = "medium"  # default' in done.stdout


# --- groups ---------------------------------------------------------------------------------------

MANY = {
    "a.py": f"{OLD}model = model.cuda()\ntorch.cuda.synchronize()\n",
    "b.py": f"{OLD}torch.cuda.synchronize()\ntorch.cuda.empty_cache()\n",
}


@pytest.mark.parametrize(
    ("word", "headings"),
    [
        ("file", ["a.py", "b.py"]),
        ("rule", ["DEV007", "DEV008"]),
        ("category", ["device-api"]),
        ("root", ["`torch.cuda.synchronize`", "`.cuda()`"]),
    ],
)
def test_what_fails_is_grouped_as_asked(tmp_path: Path, word: str, headings: list[str]) -> None:
    repo = Repo.make(tmp_path / "r", MANY)
    usual = run(repo.root, "--no-baseline")
    done = run(repo.root, "--no-baseline", "--group-by", word)
    assert done.exit_code == usual.exit_code == 1
    listed = re.findall(r"^  minor +.*\d+:\d+ ", done.stdout, re.MULTILINE)
    assert len(listed) == usual.stdout.count("--> ") == 3
    lines = done.stdout.splitlines()
    for heading in headings:
        assert any(line.startswith(heading) for line in lines), done.stdout
    assert "empty_cache" not in done.stdout, "it passes the gate"
    assert "Further" not in done.stdout
    assert done.stdout.endswith(usual.stdout[usual.stdout.index("FAILED  ") :])
    quiet = run(repo.root, "--no-baseline", "-q")
    assert run(repo.root, "--no-baseline", "-q", "--group-by", word).stdout == quiet.stdout


def test_a_group_says_why_what_was_accepted_fails(tmp_path: Path) -> None:
    guarded = f"{OLD}if torch.cuda.is_available():\n    torch.cuda.synchronize()\n"
    repo = Repo.make(tmp_path / "r", {"a.py": guarded})
    CliRunner().invoke(program.app, ["baseline", "create", str(repo.root)])
    repo.write({"a.py": f"{OLD}torch.cuda.synchronize()\n"})
    done = run(repo.root, "--group-by", "file")
    assert done.exit_code == 1, done.output
    assert "(accepted as info)" in done.stdout


def test_groups_of_what_passes_are_none(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": OLD})
    assert run(repo.root, "--group-by", "file").stdout == run(repo.root).stdout
    done = run(repo.root, "--group-by", "files")
    assert done.exit_code == 2
    assert 'did you mean "file"?' in done.stderr
