"""`portaudit diff` from the outside: its formats, and names that are to stay names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from git_repos import Repo
from portaudit.cli import program
from portaudit.report.schema import json_schema
from portaudit.types import Difference

CODE = "import torch\n\nmodel = torch.nn.Linear(1, 1).cuda()\n"
HOSTILE = "a|`b`<i>@x [y](z).py"


def run(*arguments: object) -> Result:
    words = [str(item) for item in arguments]
    return CliRunner().invoke(program.app, ["diff", *words], env={"COLUMNS": "100"})


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.make(
        tmp_path / "r", {"old.py": CODE, "gone.py": f"{CODE}torch.cuda.ipc_collect()\n"}
    )
    made.git("mv", "old.py", "moved.py")
    (made.root / "gone.py").unlink()
    made.commit({HOSTILE: f"{CODE}torch.cuda.synchronize()\n"})
    return made


def test_markdown_shows_what_came_went_and_moved(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.root)
    done = run("HEAD~1", "HEAD", "--format", "markdown")
    assert done.exit_code == 0, done.output
    text = done.stdout
    assert text.startswith("## portaudit: `HEAD~1` to `HEAD`\n\nScore ")
    assert text.index("### New") < text.index("### Gone")
    assert f"`` {HOSTILE}:4 ``" in text or f"``{HOSTILE}:4``" in text
    assert "`gone.py:" in text
    out = repo.root.parent / "page.md"
    assert run("HEAD~1", "HEAD", "--format=markdown", "-o", out).stdout == ""
    assert out.read_text(encoding="utf-8") == text


def test_a_page_shows_progress(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    done = run("HEAD~1", "HEAD", "--format", "html")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert "<b>HEAD~1</b> to <b>HEAD</b>" in done.stdout
    assert "<i>@x" not in done.stdout
    assert "a|`b`&lt;i&gt;@x [y](z).py" in done.stdout


def test_json_holds_all_there_is_to_say(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    told = json.loads(run("HEAD~1", "HEAD", "--format", "json").stdout)
    assert next(iter(told)) == "schema"
    assert told.keys() == set(Difference.__struct_fields__)
    assert {"path", "line", "effective_severity"} <= told["appeared"][0].keys()
    assert told["appeared"][0].keys() == told["gone"][0].keys()
    assert {item["path"] for item in told["gone"]} <= {"gone.py"}
    validator = jsonschema.Draft202012Validator(json.loads(json_schema("difference")))
    validator.validate(told)
    assert told["moved"]
    assert not validator.is_valid(told | {"moved": [["old.py", "moved.py"]]})
    assert not validator.is_valid(told | {"appeared": [{"rule": "DEV007"}]})
    assert list(told) == list(validator.schema["$defs"]["PublishedDifference"]["properties"])


def test_other_formats_are_refused_by_name(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    done = run("HEAD~1", "HEAD", "--format", "markdwn")
    assert done.exit_code == 2
    assert done.stderr == 'error: no format is called "markdwn"; did you mean "markdown"?\n'
    done = run("HEAD~1", "HEAD", "--format", "sarif")
    assert "there are terminal, markdown, html, json" in done.stderr


def test_what_could_not_be_read_is_said(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    said = "Some files could not be read: what is in them is not compared"
    assert said not in run("HEAD~1", "HEAD").stdout
    repo.commit({"broken.py": "import torch\nmodel.cuda(\n"})
    assert said in run("HEAD~1", "HEAD").stdout
    assert said in run("HEAD~1", "HEAD", "--format", "markdown").stdout


LINK = re.compile(r"\x1b\]8;;([^\x1b]*)\x1b\\")


def test_places_that_are_there_are_links(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    plain = run("HEAD~1", "HEAD").stdout
    linked = run("HEAD~1", "HEAD", "--hyperlinks", "always").stdout
    assert LINK.sub("", linked) == plain
    assert "gone.py:" in plain
    led = {address.rpartition("/")[2] for address in LINK.findall(linked)} - {""}
    assert led == {quote(HOSTILE), "moved.py"}, "what is gone leads nowhere"
    out = repo.root.parent / "told.txt"
    run("HEAD~1", "HEAD", "--hyperlinks", "always", "-o", out)
    assert out.read_text(encoding="utf-8") == plain


def test_places_of_stored_reports_are_links_below_the_root(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = Repo.make(tmp_path / "e", {"old.py": "import torch\n"})
    for name, tree in (("a.json", empty.root), ("b.json", repo.root)):
        CliRunner().invoke(program.app, ["scan", str(tree), "--format", "json", "-o", name])
    linked = run("a.json", "b.json", "--root", repo.root, "--hyperlinks", "always").stdout
    addresses = {address for address in LINK.findall(linked) if address}
    assert addresses
    assert all(f"{repo.root.as_posix()}/" in address for address in addresses)
