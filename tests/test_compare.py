from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from git_repos import ENVIRONMENT, Repo
from portaudit import compare, engine, scan
from portaudit.compare import Sides
from portaudit.config import Config
from portaudit.discover import Side, walk
from portaudit.errors import PortauditError
from portaudit.files import Files
from portaudit.git import Repository
from portaudit.ruleset import Rules
from portaudit.types import FileResult, Notice, Report, SourceFile

PACKAGES = str(Path(__file__).parent.parent)
CUDA = "import torch\n\nx = torch.zeros(2)\nx.cuda()\n"
STREAM = "s = torch.cuda.Stream()\n"
SAFE = "import torch\n\nx = torch.zeros(2)\n"


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.resolve()))


@cache
def rules() -> Rules:
    return engine.rules_of(Config(Path("/"), (Path("/"),)))


def config(repo: Repo, *paths: str, exclude: tuple[str, ...] = ()) -> Config:
    chosen = tuple(repo.root / path for path in paths or ("",))
    return Config(repo.root, chosen, exclude=exclude, jobs=1)


def snippets(report: Report) -> list[tuple[str, str]]:
    return [(item.path, item.snippet.strip()) for item in report.findings]


def both(repo: Repo, sides: Sides) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Snippets of the old side's findings, and of the new one's."""
    new = engine.scan(config(repo), rules=rules(), side=sides.new)
    return snippets(compare.old_report(config(repo), rules(), sides)), snippets(new)


def audited(repo: Repo, files: Files | None = None) -> Report:
    """The report of the work tree, or of other files of the repository."""
    if files is None:
        return engine.scan(config(repo), rules=rules())
    return engine.scan(config(repo), rules=rules(), side=Side(files, walk(files, [repo.root])))


# --- since ----------------------------------------------------------------------------------------


def test_since_holds_the_changed_files_of_both_sides(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "same.py": CUDA, "gone.py": STREAM})
    repo.git("checkout", "-q", "-b", "work")
    repo.git("rm", "-q", "gone.py")
    repo.commit({"a.py": f"{CUDA}{STREAM}", "new.py": CUDA})
    repo.git("checkout", "-q", "main")
    repo.commit({"same.py": f"{CUDA}{STREAM}"})
    repo.git("checkout", "-q", "work")
    repo.write({"unknown.py": CUDA, "notes.txt": "x"})
    sides = compare.since(config(repo), "main")
    assert sides.new.tree.selected == ("a.py", "new.py", "unknown.py")
    assert sides.old.tree.selected == ("a.py",)
    assert sides.against == f"where HEAD left main ({short(repo, 'main~1')})"
    assert both(repo, sides) == (
        [("a.py", "x.cuda()")],
        [
            ("a.py", "x.cuda()"),
            ("a.py", STREAM.strip()),
            ("new.py", "x.cuda()"),
            ("unknown.py", "x.cuda()"),
        ],
    )


def short(repo: Repo, ref: str) -> str:
    return repo.git("rev-parse", "--short", ref)


def test_since_says_what_the_work_tree_is_held_against(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA})
    base = repo.commit({"a.py": SAFE})
    repo.git("tag", "v1")
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b.py": SAFE})
    repo.git("checkout", "-q", "main")
    repo.commit({"c.py": SAFE})
    repo.git("checkout", "-q", "topic")

    def against(ref: str) -> str:
        return compare.since(config(repo), ref).against

    assert against("HEAD") == f"HEAD ({short(repo, 'HEAD')})"
    assert against("HEAD~1") == f"HEAD~1 ({base[:7]})"
    assert against("v1") == f"v1 ({base[:7]})"
    assert against("main") == f"where HEAD left main ({base[:7]})"
    assert against(base) == against(base[:9]) == f"commit {base[:7]}"


def pinned(tmp_path: Path) -> tuple[Repo, Repo]:
    """A repository that others are part of, of which one is not to be looked at."""
    library = Repo.make(tmp_path / "library", {"x.py": SAFE})
    repo = Repo.make(tmp_path / "r", {"a.py": SAFE})
    for path in ("sub/lib", "excluded/lib"):
        repo.git("submodule", "add", "-q", str(library.root), path)
    repo.commit({})
    return repo, Repo(repo.root / "sub" / "lib")


def test_a_submodule_that_moved_is_named_and_not_compared(tmp_path: Path) -> None:
    repo, inner = pinned(tmp_path)
    old = inner.git("rev-parse", "HEAD")
    for each in (inner, Repo(repo.root / "excluded" / "lib")):
        new = each.commit({"x.py": CUDA})
    asked = replace(config(repo), exclude=("excluded/",))
    assert compare.staged(asked).notices == compare.since(asked, "HEAD").notices == ()
    repo.git("add", "sub/lib", "excluded/lib")
    notice = Notice(
        "submodule-moved",
        "sub/lib",
        0,
        f"the change moves the submodule `sub/lib` from {old[:12]} to {new[:12]}; its files are "
        f"not compared: run `portaudit check --diff {old[:12]}` in it",
    )
    assert compare.staged(asked).notices == compare.since(asked, "HEAD").notices == (notice,)
    only = replace(asked, paths=(repo.root / "a.py",))
    assert compare.staged(only).notices == ()
    below = replace(asked, root=repo.root / "sub", paths=(repo.root / "sub",))
    assert [each.path for each in compare.staged(below).notices] == ["lib"]
    repo.commit({})
    assert compare.staged(asked).notices == compare.since(asked, "HEAD").notices == ()
    assert compare.since(asked, "HEAD~1").notices == (notice,)


def test_a_submodule_that_is_added_is_named(tmp_path: Path) -> None:
    repo, inner = pinned(tmp_path)
    pin = inner.git("rev-parse", "HEAD")
    (notice, _) = compare.since(config(repo), "HEAD~1").notices[::-1]
    said = f"the change adds the submodule `sub/lib` at {pin[:12]}; its files are not compared"
    assert notice.message.startswith(said)
    below = replace(config(repo), root=repo.root / "sub", paths=(repo.root / "sub",))
    assert [each.path for each in compare.since(below, "HEAD~1").notices] == ["lib"]
    repo.git("rm", "-q", "sub/lib", "excluded/lib")
    assert compare.staged(config(repo)).notices == ()


def test_since_follows_renames_and_keeps_to_the_given_paths(tmp_path: Path) -> None:
    text = CUDA + "".join(f"y{number} = {number}\n" for number in range(20))
    repo = Repo.make(tmp_path / "r", {"a.py": text, "b.py": text * 3, "pkg/c.py": CUDA})
    repo.git("mv", "a.py", "pkg/moved.py")
    repo.git("mv", "b.py", "other.py")
    repo.commit({"pkg/moved.py": f"{text}{STREAM}", "pkg/c.py": f"{CUDA}{STREAM}"})
    sides = compare.since(config(repo, "pkg"), "HEAD~1")
    assert sides.new.tree.selected == ("pkg/c.py", "pkg/moved.py")
    assert sides.old.tree.selected == ("a.py", "pkg/c.py")
    assert sides.renames == {"a.py": "pkg/moved.py"}
    assert compare.since(config(repo, "other.py"), "HEAD~1").renames == {"b.py": "other.py"}


def test_since_resolves_names_in_the_tree_of_each_side(tmp_path: Path) -> None:
    use = "import torch\nfrom flags import ON\n\nif ON:\n    torch.cuda.synchronize()\n"
    flag = "import torch\n\nON = torch.cuda.is_available()\n"
    repo = Repo.make(tmp_path / "r", {"flags.py": "ON = True\n", "use.py": use})
    repo.commit({"flags.py": flag, "use.py": f"{use}\n# more\n"})
    sides = compare.since(config(repo, "use.py"), "HEAD~1")
    old = compare.old_report(config(repo), rules(), sides)
    new = engine.scan(config(repo), rules=rules(), side=sides.new)
    assert sides.new.tree.selected == sides.old.tree.selected == ("use.py",)
    assert [item.guard for item in old.findings] == ["none"]
    assert [item.guard for item in new.findings] == ["guarded"]


def test_both_sides_read_a_module_that_is_the_same_in_both_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use = "import torch\nfrom flags import ON\nfrom other import OFF\n\nif ON and OFF:\n    pass\n"
    repo = Repo.make(tmp_path / "r", {"flags.py": "ON = 1\n", "other.py": "", "use.py": use})
    repo.write({"use.py": f"{use}\n# more\n", "other.py": "OFF = 1\n"})
    scanned: list[str] = []

    def counted(scan_file: Callable[..., FileResult]) -> Callable[..., FileResult]:
        def scan_it(source: SourceFile, *rest: object) -> FileResult:
            scanned.append(source.path)
            return scan_file(source, *rest)

        return scan_it

    monkeypatch.setattr(scan, "scan_file", counted(scan.scan_file))
    monkeypatch.setattr(scan, "outline_file", counted(scan.outline_file))
    given = replace(config(repo, "use.py"), cache=False)
    sides, loaded = compare.since(given, "HEAD"), engine.rules_of(given)
    compare.old_report(given, loaded, sides)
    engine.scan(given, rules=loaded, side=sides.new)
    assert [path for path in sorted(scanned) if path != "use.py"] == [
        "flags.py",
        "other.py",
        "other.py",
    ]


def test_since_reads_a_file_that_its_old_tree_ignored_or_excluded(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"vendor/a.py": CUDA})
    repo.commit({".gitignore": "vendor/\n"})
    repo.git("mv", "vendor/a.py", "a.py")
    repo.commit({})
    repo.write({"vendor/b.py": CUDA})
    sides = compare.since(config(repo, exclude=("/vendor/",)), "HEAD~1")
    assert both(repo, sides) == ([("vendor/a.py", "x.cuda()")], [("a.py", "x.cuda()")])
    assert sides.new.tree.skipped == ()


def test_since_takes_a_changed_file_that_is_given_although_it_is_excluded(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"vendor/a.py": CUDA})
    repo.write({"vendor/a.py": f"{CUDA}{STREAM}"})
    given = config(repo, "vendor/a.py", exclude=("/vendor/",))
    sides = compare.since(given, "HEAD")
    assert sides.new.tree.selected == sides.old.tree.selected == ("vendor/a.py",)
    assert compare.since(config(repo, exclude=("/vendor/",)), "HEAD").new.tree.selected == ()


def test_since_without_changes_has_nothing_to_scan(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA})
    sides = compare.since(config(repo), "HEAD")
    assert both(repo, sides) == ([], [])


def test_since_takes_what_an_editor_did_not_save(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "b.py": CUDA})
    unsaved = {"a.py": STREAM.encode(), "pkg/new.py": STREAM.encode()}
    text = {path: f"import torch\n{content.decode()}".encode() for path, content in unsaved.items()}
    sides = compare.since(config(repo), "HEAD", unsaved=text)
    assert both(repo, sides) == (
        [("a.py", "x.cuda()")],
        [("a.py", STREAM.strip()), ("pkg/new.py", STREAM.strip())],
    )
    assert (repo.root / "a.py").read_text(encoding="utf-8") == CUDA


def test_since_in_a_subdirectory_knows_its_files_only(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "libs/one/a.py": CUDA})
    repo.commit({"a.py": STREAM, "libs/one/a.py": f"{CUDA}{STREAM}"})
    inner = Repo(repo.root / "libs" / "one")
    sides = compare.since(config(inner), "HEAD~1")
    assert sides.new.tree.selected == sides.old.tree.selected == ("a.py",)
    assert both(inner, sides)[0] == [("a.py", "x.cuda()")]


def test_since_names_what_git_cannot_do(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA})
    with pytest.raises(PortauditError, match='no commit "origin/main"; did you mean "main"'):
        compare.since(config(repo), "origin/main")
    with pytest.raises(PortauditError, match="no git repository"):
        compare.since(config(Repo(tmp_path.resolve())), "main")


# --- staged, in real hooks ------------------------------------------------------------------------

HOOK = """
import json, os, sys
from pathlib import Path
from portaudit import compare, engine, scan
from portaudit.config import Config
root = Path(sys.argv[2]).resolve()
config = Config(root, (root,), jobs=1)
sides, rules = compare.staged(config), engine.rules_of(config)
reports = compare.old_report(config, rules, sides), engine.scan(config, rules=rules, side=sides.new)
found = [[(item.path, item.snippet.strip()) for item in report.findings] for report in reports]
Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
"""


def with_hook(repo: Repo, tmp_path: Path, root: str = ".") -> Path:
    """Install a hook that writes down what it finds staged; where it writes."""
    place, script = tmp_path / "found.json", tmp_path / "hook.py"
    script.write_text(HOOK, encoding="utf-8")
    folder = Path(repo.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    folder.mkdir(exist_ok=True)
    hook = folder / "pre-commit"
    command = f"PYTHONPATH={PACKAGES} exec {sys.executable} {script} {place} {root}"
    hook.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    hook.chmod(0o755)
    return place


Found = list[list[tuple[str, str]]]


def read(place: Path) -> Found:
    return [[(path, text) for path, text in side] for side in json.loads(place.read_bytes())]


def test_staged_in_a_hook_sees_the_index_and_not_the_work_tree(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "b.py": CUDA})
    place = with_hook(repo, tmp_path)
    repo.write({"a.py": f"{CUDA}{STREAM}"})
    repo.git("add", "a.py")
    repo.write({"a.py": "", "b.py": f"{CUDA}{STREAM}", "new.py": CUDA})
    repo.git("commit", "-q", "-m", "Partly staged")
    old, new = [("a.py", "x.cuda()")], [("a.py", "x.cuda()"), ("a.py", STREAM.strip())]
    assert read(place) == [old, new]
    assert repo.git("status", "--short").split("\n") == [" M a.py", " M b.py", "?? new.py"]


def test_staged_in_a_hook_of_commit_all_and_of_commit_of_one_file(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "b.py": CUDA})
    place = with_hook(repo, tmp_path)
    changed = f"{CUDA}{STREAM}"
    repo.write({"a.py": changed, "b.py": changed})
    repo.git("commit", "-q", "-m", "One file, in an index made for it", "a.py")
    assert [{path for path, _ in side} for side in read(place)] == [{"a.py"}, {"a.py"}]
    repo.git("commit", "-q", "-a", "-m", "All")
    assert [{path for path, _ in side} for side in read(place)] == [{"b.py"}, {"b.py"}]


def test_staged_in_a_hook_of_a_linked_work_tree_and_a_subdirectory(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"sub/a.py": CUDA, "b.py": CUDA})
    repo.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "linked"))
    linked = Repo((tmp_path / "linked").resolve())
    place = with_hook(linked, tmp_path, "sub")
    linked.commit({"sub/a.py": f"{CUDA}{STREAM}", "b.py": STREAM})
    old, new = [("a.py", "x.cuda()")], [("a.py", "x.cuda()"), ("a.py", STREAM.strip())]
    assert read(place) == [old, new]


def test_staged_before_the_first_commit_finds_everything_new(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r")
    place = with_hook(repo, tmp_path)
    repo.commit({"a.py": CUDA})
    assert read(place) == [[], [("a.py", "x.cuda()")]]


def test_staged_finds_the_old_side_of_a_merge(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA})
    repo.git("checkout", "-q", "-b", "work")
    repo.commit({"b.py": CUDA})
    repo.git("checkout", "-q", "main")
    repo.commit({"c.py": ""})
    repo.git("merge", "-q", "--no-commit", "work")
    sides = compare.staged(config(repo))
    assert both(repo, sides) == ([], [("b.py", "x.cuda()")])
    assert sides.against == "HEAD"


# --- between --------------------------------------------------------------------------------------


def test_between_holds_all_files_of_two_revisions(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "b.py": CUDA, "pkg/c.py": ""})
    repo.git("tag", "v1")
    repo.git("mv", "b.py", "moved.py")
    repo.commit({"pkg/d.py": CUDA})
    repo.write({"a.py": "", "e.py": CUDA})
    sides = compare.between(config(repo), "v1", "HEAD")
    old, new = both(repo, sides)
    assert [path for path, _ in old] == ["a.py", "b.py"]
    assert [path for path, _ in new] == ["a.py", "moved.py", "pkg/d.py"]
    assert sides.renames == {"b.py": "moved.py"}
    assert sides.against.startswith("v1, ")
    part = compare.between(config(repo, "pkg/d.py", "moved.py"), "v1", "HEAD")
    assert part.old.tree.selected == ()
    assert part.new.tree.selected == ("moved.py", "pkg/d.py")


def test_between_works_in_a_bare_repository(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA})
    repo.commit({"b.py": CUDA})
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    bare = Repo((tmp_path / "bare.git").resolve())
    sides = compare.between(config(bare), "HEAD~1", "HEAD")
    assert both(bare, sides) == (
        [("a.py", "x.cuda()")],
        [("a.py", "x.cuda()"), ("b.py", "x.cuda()")],
    )


def test_old_report_holds_findings_of_every_confidence(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": f"{CUDA}y = (\n"})
    repo.write({"a.py": f"{CUDA}y = ()\n"})
    surest = Config(repo.root, (repo.root,), min_confidence="high", jobs=1)
    sides = compare.since(surest, "HEAD")
    (old,) = compare.old_report(surest, rules(), sides).findings
    (new,) = engine.scan(surest, rules=rules(), side=sides.new).findings
    assert (old.confidence, new.confidence) == ("low", "high")


# --- a revision is what a clean work tree of it is ------------------------------------------------

TEXTS: tuple[str | bytes, ...] = (
    CUDA,
    CUDA.replace("\n", "\r\n"),
    f"{CUDA}# été\n".encode("latin-1"),
    b"# coding: latin-1\nimport torch\nt = torch.zeros(1).to('cuda')  # \xe9\n",
    f"import torch\n{STREAM}",
    "from a import x\nimport b\n\nif b.ON:\n    x.cuda()\n",
    "import torch\n\nON = torch.cuda.is_available()\nx = torch.zeros(1)\n",
    "import torch\nx = (\n",
    "",
    "#!/usr/bin/env python3\nimport torch\ntorch.cuda.synchronize()\n",
    "#!/bin/sh\nexport CUDA_VISIBLE_DEVICES=0\n",
    "binary \0",
)
PATHS = st.sampled_from(
    ["a.py", "b.py", "lib/a.py", "lib/b.py", "lib/__init__.py", "run", "go.sh", "d/run", "x.tmp"]
)
IGNORES = st.sampled_from(["", "lib/\n", "*.py\n!a.py\n", "/run\r\n"])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.dictionaries(PATHS, st.sampled_from(TEXTS), min_size=1),
    ignores=st.dictionaries(st.sampled_from([".gitignore", "lib/.gitignore"]), IGNORES),
    link=st.booleans(),
)
def test_a_revision_and_the_index_give_the_report_of_a_clean_work_tree(
    tmp_path_factory: pytest.TempPathFactory,
    files: Mapping[str, str | bytes],
    ignores: Mapping[str, str],
    *,
    link: bool,
) -> None:
    repo = Repo.make(tmp_path_factory.mktemp("git") / "r", {})
    repo.write({**files, **ignores})
    if link:
        (repo.root / "linked.py").symlink_to("a.py")
        (repo.root / "folder").symlink_to("lib")
    repo.git("add", "--all", "--force")
    repo.git("commit", "-q", "--allow-empty", "-m", "x")
    repository = Repository.at(repo.root)
    expected = audited(repo)
    assert audited(repo, repository.revision("HEAD")) == expected
    assert audited(repo, repository.index()) == expected


def test_a_revision_gives_the_same_in_several_processes(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {f"m{number}.py": CUDA for number in range(40)})
    files = Repository.at(repo.root).revision("HEAD")
    side = Side(files, walk(files, [repo.root]))
    many = Config(repo.root, (repo.root,), jobs=2)
    assert engine.scan(many, rules=rules(), side=side) == audited(repo)


@pytest.mark.parametrize(
    "attributes", ["*.py text eol=crlf\n", "*.py text working-tree-encoding=UTF-16LE-BOM\n"]
)
def test_a_revision_gives_the_findings_of_a_work_tree_that_git_wrote_otherwise(
    tmp_path: Path, attributes: str
) -> None:
    text = f"{CUDA}y = x.to(\n    'cuda'\n)  # 日本\n"
    repo = Repo.make(tmp_path / "r", {"a.py": text, "b.sh": "export CUDA_VISIBLE_DEVICES=0\n"})
    repo.write({".gitattributes": attributes})
    repo.git("add", ".gitattributes")
    repo.git("commit", "-q", "-m", "Attributes")
    (repo.root / "a.py").unlink()
    repo.git("checkout", "-q", "--", "a.py")
    assert (repo.root / "a.py").read_bytes() != text.encode()
    revision = audited(repo, Repository.at(repo.root).revision("HEAD"))
    if "UTF-16" in attributes:
        assert [error.path for error in audited(repo).errors] == ["a.py"]
    else:
        assert revision == audited(repo)
    assert len(revision.findings) == 3


def test_a_file_that_cannot_be_fetched_is_listed(tmp_path: Path) -> None:
    source = Repo.make(tmp_path / "source", {"a.py": CUDA})
    source.git("config", "uploadpack.allowFilter", "true")
    source.commit({"a.py": STREAM})
    source.git("clone", "-q", "--filter=blob:none", source.root.as_uri(), str(tmp_path / "part"))
    repo = Repo((tmp_path / "part").resolve())
    old = compare.old_report(config(repo), rules(), compare.since(config(repo), "HEAD~1"))
    assert [error.path for error in old.errors] == ["a.py"]
    assert "in a partial clone `git diff --stat REF` fetches" in old.errors[0].reason


# --- what was written -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("", "", []),
        ("", "a\nb\n", [1, 2]),
        ("a\nb\n", "a\nb\n", []),
        ("a\nb\n", "a\r\nb", []),
        ("a\nb\nc\n", "a\nc\n", []),
        ("a\nb\nc\n", "a\nx\nc\n", [2]),
        ("a\nb\nc\nd\ne\n", "x\nb\nc\ny\ny\ne\n", [1, 4, 5]),
        ("def f():\n    x\n", "def g():\n    x\n\n\ndef f():\n    x\n", [1, 2, 3, 4]),
        ("a\x0cb\nc\n", "a\x0cb\nd\n", [2]),
    ],
)
def test_written_are_the_lines_that_were_not_there(old: str, new: str, lines: list[int]) -> None:
    assert sorted(compare.written(old.encode(), new.encode())) == lines


def test_written_of_a_change_of_very_many_lines_is_all_between_its_ends() -> None:
    many = "".join(f"{number}\n" for number in range(6000))
    known = compare.written(f"same\n{many}end\n".encode(), f"same\nx\n{many}y\nend\n".encode())
    assert sorted(known) == list(range(2, 6004))


LOOP = "import torch\n\nfor x in ():\n    x.cuda(\n        0\n    )\n"
"""A statement of three lines."""


def wrote(repo: Repo, sides: Sides) -> list[tuple[str, int, bool]]:
    report = engine.scan(config(repo), rules=rules(), side=sides.new)
    touched = compare.touched(sides)
    return [(item.path, item.span.line, touched(item)) for item in report.findings]


def test_touched_is_a_statement_of_which_any_line_was_written(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": LOOP, "b.py": LOOP, "c.py": LOOP})
    repo.write({"a.py": f"{LOOP}x.cuda()\n", "b.py": LOOP.replace("0", "1"), "new.py": CUDA})
    repo.write({"c.py": f"# more\n{LOOP}"})
    assert wrote(repo, compare.since(config(repo), "HEAD")) == [
        ("a.py", 4, False),
        ("a.py", 7, True),
        ("b.py", 4, True),
        ("c.py", 5, False),
        ("new.py", 4, True),
    ]


def test_touched_follows_renames_of_files(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": f"{LOOP}# some\n# more\n"})
    repo.git("mv", "a.py", "b.py")
    repo.write({"b.py": f"import torch\n\ntorch.zeros(2).cuda()\n{LOOP}# some\n# more\n"})
    expected = [("b.py", 3, True), ("b.py", 7, False)]
    assert wrote(repo, compare.since(config(repo), "HEAD")) == expected
    repo.commit({})
    assert wrote(repo, compare.between(config(repo), "HEAD~1", "HEAD")) == expected


def test_touched_knows_the_index_and_what_an_editor_holds(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": LOOP})
    repo.write({"a.py": f"{LOOP}x.cuda()\n"})
    repo.git("add", "a.py")
    repo.write({"a.py": LOOP.replace("0", "1")})
    assert wrote(repo, compare.staged(config(repo))) == [("a.py", 4, False), ("a.py", 7, True)]
    unsaved = {"a.py": f"{LOOP}\nx.cuda()\n".encode()}
    sides = compare.since(config(repo), "HEAD", unsaved=unsaved)
    assert wrote(repo, sides) == [("a.py", 4, False), ("a.py", 8, True)]


def test_moves_since_a_commit_know_renames_of_the_work_tree(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": CUDA, "b.py": LOOP})
    base = repo.git("rev-parse", "HEAD")
    repo.git("mv", "a.py", "c.py")
    repo.commit({})
    (repo.root / "b.py").rename(repo.root / "d.py")
    assert compare.moves_since(config(repo), base) == {"a.py": "c.py", "b.py": "d.py"}
