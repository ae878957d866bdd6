"""A report that is known from an earlier run is the one that a run without a cache makes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from portaudit import making, scan
from portaudit.audit import Audit
from portaudit.cache import VARIABLE
from portaudit.config import Config, Options, load
from portaudit.report.json import render
from portaudit.store import DATABASE
from portaudit.types import Report

FILES = {
    "train.py": "import torch\nfrom config import D, ON\nif ON:\n    torch.ones(1).to(D)\n",
    "config.py": 'import os\nD = "cuda"\nON = bool(os.environ.get("ON"))\n',
    "other.py": "import torch\ntorch.cuda.synchronize()\n",
    "Dockerfile": "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\n",
}
FIXTURES = Path(__file__).parent.parent / "fixtures"
REPOSITORIES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
Make = Callable[[Mapping[str, str]], Path]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "audits"
    monkeypatch.setenv(VARIABLE, str(directory))
    return directory


def config(root: Path, *paths: str, **changes: object) -> Config:
    found = load([root / path for path in paths] or [root], Options(), cwd=root)
    return replace(found, **changes)


def audited(given: Config, stdin: bytes | None = None) -> tuple[str, str]:
    """The report as JSON, and what is drawn of it."""
    with closing(Audit(given, stdin=stdin)) as audit:
        text = audit.text("draft", lambda report: f"{len(report.findings)} {report.score.value}")
        return render(audit.report), text


def agrees(given: Config, stdin: bytes | None = None) -> None:
    plain = audited(replace(given, cache=False), stdin)
    assert audited(given, stdin) == plain
    assert audited(given, stdin) == plain


@pytest.mark.parametrize("name", REPOSITORIES)
def test_what_was_kept_is_what_is_made(name: str) -> None:
    agrees(config(FIXTURES / name))


def test_nothing_is_done_twice(make_tree: Make, runs: list[int]) -> None:
    root = make_tree(FILES)
    first = audited(config(root))
    assert audited(config(root)) == first
    assert runs == [1]
    assert audited(config(root, cache=False)) == first
    assert len(runs) == 2


def test_a_text_is_drawn_once_for_each_report(make_tree: Make) -> None:
    root = make_tree(FILES)
    drawn: list[str] = []

    def draw(report: Report) -> str:
        drawn.append(render(report))
        return drawn[-1]

    for _ in range(2):
        with closing(Audit(config(root))) as audit:
            audit.text("json", draw)
            audit.text("other", draw)
    assert len(drawn) == 2
    (root / "other.py").write_text("")
    with closing(Audit(config(root))) as audit:
        assert audit.text("json", draw) == audited(config(root, cache=False))[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "config.py").write_text('D = "cpu"\nON = True\n'),
        lambda root: (root / "more.py").write_text("import torch\ntorch.cuda.init()\n"),
        lambda root: (root / "config.py").unlink(),
        lambda root: (root / "torch.py").write_text(""),
        lambda root: (root / "other.py").rename(root / "another.py"),
        lambda root: (root / ".gitignore").write_text("other.py\n"),
        lambda root: (root / "other.py").write_bytes(b"import torch\nx = '\xff'\n"),
        lambda root: (root / "other.py").chmod(0),
        lambda root: (root / "big.py").write_bytes(b"#" * 6_000_000),
    ],
)
@pytest.mark.parametrize("paths", [(), ("train.py",), ("train.py", "Dockerfile")])
def test_a_changed_tree_is_seen(
    make_tree: Make, change: Callable[[Path], None], paths: tuple[str, ...]
) -> None:
    root = make_tree(FILES)
    given = config(root, *paths)
    agrees(given)
    change(root)
    agrees(given)


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "xla"},
        {"select": ("DEV",)},
        {"ignore": ("CTR",)},
        {"min_confidence": "high"},
        {"exclude": ("other.py",)},
        {"entry": ("other.py",)},
        {"per_file_ignores": (("other.py", ("ALL",)),)},
    ],
)
def test_other_settings_make_another_report(make_tree: Make, changes: dict[str, object]) -> None:
    root = make_tree(FILES)
    given = config(root)
    for each in (given, replace(given, **changes), given):
        agrees(each)


def test_how_many_processes_there_are_is_no_matter(make_tree: Make, runs: list[int]) -> None:
    root = make_tree(FILES)
    for jobs in (None, 1, 2):
        audited(load([root], Options(jobs=jobs), cwd=root))
    assert len(runs) == 1


def test_reports_of_several_selections_stay(make_tree: Make, runs: list[int]) -> None:
    root = make_tree(FILES)
    for _ in range(2):
        for paths in ((), ("train.py",), ("other.py",)):
            audited(config(root, *paths))
    assert len(runs) == 3


def test_a_module_that_was_only_asked_about_counts(make_tree: Make, runs: list[int]) -> None:
    root = make_tree(FILES)
    given = config(root, "train.py")
    audited(given)
    (root / "other.py").write_text("import torch\n")
    audited(given)
    assert len(runs) == 1
    (root / "config.py").write_text('D = "cpu"\nON = True\n')
    agrees(given)


def test_what_an_editor_holds_is_judged(make_tree: Make) -> None:
    root = make_tree(FILES)
    given = config(root, "train.py")
    agrees(given)
    agrees(given, b"import torch\n")
    agrees(given, b"import torch\ntorch.cuda.synchronize()\n")
    agrees(given)


def test_the_code_and_the_rules_count(
    make_tree: Make, runs: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = config(make_tree(FILES))
    audited(given)
    (tmp_path / "package").mkdir()
    for text in ("", "a = 1\n", "a = 2\n"):
        (tmp_path / "package" / "guards.py").write_text(text)
        with monkeypatch.context() as patch:
            patch.setattr(making, "_PACKAGE", tmp_path / "package")
            audited(given)
    assert len(runs) == 4


def test_rules_of_others_count(make_tree: Make, runs: list[int], tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    given = config(make_tree(FILES), rules=(rules,))
    for _ in range(2):
        audited(given)
    assert len(runs) == 1
    (rules / "_data").mkdir()
    (rules / "_data" / "more.csv").write_text("id\n")
    audited(given)
    assert len(runs) == 2


def test_a_report_with_a_failure_is_not_kept(
    make_tree: Make, runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = config(make_tree(FILES))

    def fails(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(scan, "_scan", fails)
        audited(given)
    agrees(given)
    assert len(runs) == 3


def damaged(place: Path, statement: str) -> None:
    connection = sqlite3.connect(place / DATABASE)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE result SET content = substr(content, 1, length(content) - 1)",
        "UPDATE result SET content = x''",
        "UPDATE result SET content = substr(content, 1, 40)",
        "UPDATE result SET content = (SELECT max(content) FROM result)",
        "UPDATE result SET content = substr(content, 1, 60) || x'00' || substr(content, 62)",
        "DELETE FROM result WHERE length(content) > 300",
    ],
)
def test_what_is_damaged_is_made_again(make_tree: Make, place: Path, statement: str) -> None:
    given = config(make_tree(FILES))
    agrees(given)
    damaged(place, statement)
    agrees(given)


@pytest.mark.parametrize("name", ["made", "report", "draft"])
@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x80", b"0" * 40])
def test_what_does_not_decode_is_made_again(make_tree: Make, name: str, content: bytes) -> None:
    given = config(make_tree(FILES))
    agrees(given)
    with closing(Audit(given)) as audit:
        assert audit.rules.store is not None
        own = audit._identity if name == "report" else b""
        audit.rules.store.put(audit._place(name), own + content)
    agrees(given)


def test_a_name_without_half_a_character_is_no_obstacle(make_tree: Make) -> None:
    agrees(config(make_tree({"a.py": 'import torch\nx = torch.ones(1, device="cuda\\ud800")\n'})))


def test_what_a_report_is_made_of_says_what_was_read(make_tree: Make) -> None:
    given = config(make_tree(FILES), "train.py")
    audited(given)
    with closing(Audit(given)) as audit:
        assert audit._made is not None
        assert sorted(audit._made.held) == ["config.py", "train.py"]
        assert msgspec.msgpack.encode(audit._made)
