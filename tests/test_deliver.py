from __future__ import annotations

from pathlib import Path

import pytest

import samples
from portaudit.deliver import deliveries, link, prefix
from portaudit.errors import UsageError
from portaudit.report.formats import FORMATS, View
from portaudit.types import Report

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_SHA": "abc",
}


def told(words: str, output: Path | None = None) -> dict[str, str | None]:
    return {
        each.format: each.place.as_posix() if each.place else None
        for each in deliveries(words, output)
    }


@pytest.mark.parametrize(
    ("words", "output", "expected"),
    [
        ("terminal", None, {"terminal": None}),
        ("sarif", None, {"sarif": None}),
        ("json", "x.json", {"json": "x.json"}),
        ("github", "x.txt", {"github": "x.txt"}),
        ("terminal,github", None, {"terminal": None, "github": None}),
        ("github, terminal", None, {"github": None, "terminal": None}),
        ("terminal,sarif=a.sarif", None, {"terminal": None, "sarif": "a.sarif"}),
        ("sarif=a,json=b", None, {"sarif": "a", "json": "b"}),
        (
            "sarif=a,json,junit",
            "out",
            {"sarif": "a", "json": "out/report.json", "junit": "out/report.xml"},
        ),
        ("sarif=a,json", "b", {"sarif": "a", "json": "b"}),
        ("github,sarif", "out", {"github": None, "sarif": "out/report.sarif"}),
        (
            "gitlab,code-scanning",
            "o",
            {"gitlab": "o/report.gitlab.json", "code-scanning": "o/report.code-scanning.sarif"},
        ),
        ("json,json", None, {"json": None}),
    ],
)
def test_formats_go_where_they_are_sent(
    words: str, output: str | None, expected: dict[str, str | None]
) -> None:
    assert told(words, Path(output) if output else None) == expected


def test_one_format_may_go_to_several_places() -> None:
    found = [(each.format, each.place) for each in deliveries("json=a,json=b,json,json=a", None)]
    assert found == [("json", Path("a")), ("json", Path("b")), ("json", None)]


def test_a_directory_that_is_there_takes_a_single_format(tmp_path: Path) -> None:
    assert told("markdown", tmp_path) == {"markdown": (tmp_path / "report.md").as_posix()}
    assert told("github", tmp_path) == {"github": None}


@pytest.mark.parametrize(
    ("words", "output", "message"),
    [
        ("jsn", None, 'no format is called "jsn"; did you mean "json"?'),
        ("zzz", None, 'no format is called "zzz"; there are terminal, json, sarif'),
        ("", None, 'no format is called ""; there are '),
        ("json,terminal", None, "several formats need a directory"),
        ("github,sarif", None, "--format terminal,json=FILE"),
        ("json=", None, "--format json= names no file"),
        ("json=a,sarif=a", None, "a: two formats cannot go to the same file"),
        ("json,sarif=a", "a", "a: two formats cannot go to the same file (json, sarif)"),
    ],
)
def test_formats_that_cannot_go_anywhere_are_refused(
    words: str, output: str | None, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        deliveries(words, Path(output) if output else None)
    assert message in str(caught.value)


def test_a_file_takes_no_two_formats(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file; several formats need a directory"):
        deliveries("json,sarif", tmp_path / "x")


def test_every_format_has_a_file_of_its_own_name() -> None:
    files = [each.file for each in FORMATS.values() if each.file]
    assert len(files) == len(set(files)) == len(FORMATS) - 1


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", [samples.REPORT, samples.FAILED, samples.PASSED])
def test_every_format_renders_a_scan_and_a_check(name: str, report: Report) -> None:
    text = FORMATS[name].render(report, View(width=100))
    assert text.endswith("\n") or (name, text) == ("github", "")


def test_a_view_reaches_the_formats() -> None:
    view = View(width=80, prefix="sub/", link="https://e.org/", source={"train.py": b"\n" * 40}.get)
    for name in ("sarif", "code-scanning", "github", "gitlab", "junit"):
        assert "sub/train.py" in FORMATS[name].render(samples.FAILED, view), name
    assert "primaryLocationLineHash" in FORMATS["sarif"].render(samples.FAILED, view)
    assert "<https://e.org/train.py#L12>" in FORMATS["markdown"].render(samples.FAILED, view)
    assert "absent" not in FORMATS["code-scanning"].render(samples.FAILED, view)


def test_prefix_leads_from_the_repository_to_the_root(tmp_path: Path) -> None:
    root = tmp_path / "repo" / "a b" / "c"
    root.mkdir(parents=True)
    assert prefix(root, tmp_path / "repo") == "a b/c/"
    assert prefix(root, tmp_path / "elsewhere") == ""
    (tmp_path / "repo" / ".git").mkdir()
    assert prefix(root, tmp_path) == "a b/c/"
    (root / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert prefix(root, tmp_path) == ""


def test_link_is_the_page_of_the_commit_on_the_server(tmp_path: Path) -> None:
    root = tmp_path / "a b"
    environ = {**GITHUB, "GITHUB_WORKSPACE": str(tmp_path)}
    assert link(root, environ) == "https://github.com/o/r/blob/abc/a%20b/"
    assert link(tmp_path, environ) == "https://github.com/o/r/blob/abc/"
    assert link(tmp_path.parent, environ) == ""
    assert link(root, {**environ, "GITHUB_SHA": ""}) == ""
    assert link(root, {}) == ""
    gitlab = {
        "CI_PROJECT_DIR": str(tmp_path),
        "CI_PROJECT_URL": "https://gitlab.example/g/p",
        "CI_COMMIT_SHA": "abc",
    }
    assert link(root, gitlab) == "https://gitlab.example/g/p/-/blob/abc/a%20b/"
