"""`portaudit render`, and pages and badges from the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from portaudit.cli import program

CODE = "import torch\n\n# moved first\nmodel = torch.nn.Linear(1, 1).cuda()\n"
Tree = Callable[[Mapping[str, str]], Path]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(program.app, [str(item) for item in arguments])


@pytest.fixture
def repo(make_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_tree({"train.py": CODE})
    monkeypatch.chdir(root)
    return root


def test_a_scan_makes_a_page_and_a_badge(repo: Path) -> None:
    done = run("scan", "--format", "html=a.html,badge=b.svg", "-q")
    assert done.exit_code == 0, done.output
    text = (repo / "a.html").read_text(encoding="utf-8")
    assert "<b>repo</b>" in text
    assert "# moved first" in text
    assert str(repo) not in text
    assert (repo / "b.svg").read_text(encoding="utf-8").startswith("<svg ")


@pytest.mark.usefixtures("repo")
def test_a_page_can_be_given_a_title() -> None:
    run("scan", "--format", "json=report.json", "-q")
    run("scan", "--format", "json=again.json", "-q")
    for words in (
        ["scan", "--format", "html"],
        ["check", "--format", "html"],
        ["render", "report.json", "--format", "html"],
        ["diff", "report.json", "again.json", "--format", "html"],
    ):
        text = run(*words, "--title", "Our <b>model</b>").stdout
        assert "<title>Our &lt;b&gt;model&lt;/b&gt;: " in text, words
        assert "<b>Our &lt;b&gt;model&lt;/b&gt;</b>" in text, words
        assert "<b>repo</b>" not in text, words


def test_a_check_makes_a_page(repo: Path) -> None:
    done = run("check", "--format", "html=a.html", "-q")
    assert done.exit_code == 1, done.output
    assert "The check failed" in (repo / "a.html").read_text(encoding="utf-8")


def test_the_same_tree_elsewhere_makes_the_same_page(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere" / "repo"
    shutil.copytree(repo, other)
    first = run("scan", "--format", "html").stdout
    monkeypatch.chdir(other)
    assert run("scan", "--format", "html").stdout == first


def test_a_change_beside_a_finding_is_on_the_page(repo: Path) -> None:
    run("scan", "--format", "html")
    (repo / "train.py").write_text(CODE.replace("moved", "changed"), encoding="utf-8")
    assert "# changed first" in run("scan", "--format", "html").stdout


def test_a_stored_report_is_rendered_in_any_format(repo: Path) -> None:
    run("scan", "--format", "json=report.json")
    shutil.move("report.json", repo.parent / "report.json")
    shutil.rmtree(repo / "train.py", ignore_errors=True)
    done = run("render", repo.parent / "report.json", "--format", "html=a.html,markdown=b.md", "-q")
    assert (done.exit_code, done.output) == (0, "")
    text = (repo / "a.html").read_text(encoding="utf-8")
    assert "<mark>" in text
    assert "moved first" not in text
    assert (repo / "b.md").read_text(encoding="utf-8").startswith("## portaudit")
    assert "of 100" in run("render", repo.parent / "report.json", "--format", "badge").stdout


def test_a_stored_report_is_grouped_as_asked(repo: Path) -> None:
    run("scan", "--format", "json=report.json")
    told = run("render", "report.json", "--group-by", "file").stdout
    assert any(line.startswith("train.py  ") for line in told.splitlines())
    assert run("render", repo / "report.json", "--group-by", "fil").exit_code == 2


def test_a_report_that_is_not_whole_is_refused(repo: Path) -> None:
    run("scan", "--format", "json=report.json")
    place = repo / "report.json"
    told = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps({**told, "rules": {}}), encoding="utf-8")
    for name in ("sarif", "terminal", "html"):
        done = run("render", "report.json", "--format", name)
        assert done.exit_code == 2
        assert 'is no whole report: "rules" lacks' in done.stderr
    place.write_text('{"schema": ' + "[" * 20_000, encoding="utf-8")
    assert "is no report of portaudit's" in run("render", "report.json").stderr


def test_what_is_no_report_is_refused(repo: Path) -> None:
    done = run("render", repo / "train.py", "--format", "html")
    assert done.exit_code == 2
    assert "is no report of portaudit's" in done.stderr
