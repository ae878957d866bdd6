"""Rules and settings that a stranger wrote: what can be done to whoever reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit.cli import program

Make = Callable[[Mapping[str, str]], Path]
POSIX = pytest.mark.skipif(os.name != "posix", reason="there are no such files")
DEEP = f"x = {'[' * 20_000}"


def scan(root: Path, *words: object) -> Result:
    return CliRunner().invoke(program.app, ["scan", str(root), *map(str, words)])


def refused(root: Path, *words: object) -> str:
    """What is said instead of a report; no traceback."""
    done = scan(root, *words)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.output
    return done.stderr.replace("\n", " ")


@pytest.fixture
def root(make_tree: Make) -> Path:
    """A tree whose settings name rules in it."""
    return make_tree({"a.py": "", "own/": "", ".portaudit.toml": 'rules = ["own"]\n'})


@POSIX
@pytest.mark.parametrize("name", ["a.toml", "_data/a.csv"])
def test_rules_that_are_a_pipe_are_not_waited_for(root: Path, name: str) -> None:
    (root / "own" / "_data").mkdir()
    os.mkfifo(root / "own" / name)
    assert f"{name}: is no file" in refused(root)


@POSIX
@pytest.mark.parametrize("name", ["a.toml", "_data/a.csv", "_data"])
def test_rules_are_not_read_from_outside_the_tree(root: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.toml").write_text("secret = 1\n")
    place = root / "own" / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(elsewhere if name == "_data" else elsewhere / "a.toml")
    said = refused(root)
    assert f"is a link that leads out of {root}" in said
    assert "secret" not in said


@POSIX
def test_rules_that_are_a_device_are_not_read(root: Path) -> None:
    (root / "own" / "a.toml").symlink_to("/dev/zero")
    assert "leads out of" in refused(root)


@POSIX
def test_the_user_may_have_rules_behind_links(make_tree: Make, tmp_path: Path) -> None:
    root = make_tree({"a.py": ""})
    (tmp_path / "mine").mkdir()
    (tmp_path / "kept.toml").write_text("nothing = 1\n")
    (tmp_path / "mine" / "a.toml").symlink_to(tmp_path / "kept.toml")
    assert "unknown key `nothing`" in refused(root, "--rules", tmp_path / "mine")


def test_rules_are_no_more_than_somebody_would_write(root: Path) -> None:
    own = root / "own"
    (own / "a.toml").write_text(DEEP)
    assert "a.toml: is nested too deeply" in refused(root)
    (own / "a.toml").write_bytes(b"#" * 1_000_001)
    assert "a.toml: is larger than 1 MB" in refused(root)
    for at in range(11):
        (own / f"{at}.toml").write_bytes(b"#" * 950_000)
    (own / "a.toml").unlink()
    assert "own: more than 10 MB of rules" in refused(root)
    for at in range(1_001):
        (own / f"{at}.toml").write_bytes(b"")
    assert "own: more than 1,000 files of rules" in refused(root)


def test_a_list_of_operators_is_no_more_than_there_are(make_tree: Make) -> None:
    root = make_tree({"ops.txt": "a" * 10_000_001, ".portaudit.toml": 'ops = "ops.txt"\n'})
    assert "ops.txt: the operator list is larger than 10,000,000 bytes" in refused(root)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".portaudit.toml", DEEP),
        ("pyproject.toml", f"[tool.portaudit]\nselect = {'{a=' * 20_000}"),
        ("pyproject.toml", f"[tool.portaudit]\n{'a.' * 20_000}b = 1"),
    ],
)
def test_settings_that_are_nested_too_deeply_are_refused(
    make_tree: Make, name: str, text: str
) -> None:
    said = refused(make_tree({name: text}))
    assert f"{name}: cannot be read as TOML: it is nested too deeply" in said


@pytest.mark.parametrize("name", [".portaudit.toml", "pyproject.toml"])
def test_settings_that_are_too_large_are_refused_and_not_passed_over(
    make_tree: Make, name: str
) -> None:
    text = f"[tool.portaudit]\nfail-on = 'info'\n{'#' * 5_000_000}\n"
    assert f"{name}: larger than 5 MB, no settings" in refused(make_tree({name: text}))


def test_a_baseline_of_the_tree_is_read_up_to_a_bound(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portaudit.check.LARGEST", 1_000_000)
    root = make_tree({".portaudit-baseline.json": "{" + " " * 1_000_000 + "}"})
    done = CliRunner().invoke(program.app, ["check", str(root)])
    assert (done.exit_code, "more than 1 MB" in done.stderr) == (2, True)
