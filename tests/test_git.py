from __future__ import annotations

import hashlib
import os
import pickle
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from git_repos import ENVIRONMENT, Repo
from portaudit import git
from portaudit.files import Disk, TooLargeError
from portaudit.git import Change, GitError, Place, Repository

PACKAGES = str(Path(__file__).parent.parent)


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.resolve()))


def changes(repo: Repo, old: str, new: str | Place) -> list[tuple[str, str | None, str | None]]:
    found = Repository.at(repo.root).changes(old, new)
    return sorted((item.status, item.old, item.new) for item in found)


def contents(repo: Repo, commit: str) -> dict[str, bytes]:
    files = Repository.at(repo.root).revision(commit)
    return {path: files.read(path) for path in files.blobs}


# --- finding it -----------------------------------------------------------------------------------


def test_at_says_what_to_do_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git was not found; install it, or compare with a baseline"):
        Repository.at(tmp_path)


def test_at_says_what_to_do_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is in no git repository; compare with a baseline"):
        Repository.at(tmp_path.resolve())


def test_at_knows_the_place_of_a_subdirectory(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "", "libs/a b/x.py": "1"})
    repository = Repository.at(repo.root / "libs" / "a b")
    assert repository.top == repo.root
    assert repository.prefix == "libs/a b/"
    assert list(repository.revision("HEAD").blobs) == ["x.py"]
    assert list(repository.index().blobs) == ["x.py"]


def test_at_passes_on_that_somebody_else_owns_it(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    try:
        os.chown(repo.root, 12345, 12345)
        os.chown(repo.root / ".git", 12345, 12345)
    except PermissionError:
        pytest.skip("only root can give files away")
    with pytest.raises(GitError, match=r"dubious ownership[^$]*safe\.directory"):
        Repository.at(repo.root)


@pytest.mark.parametrize("index", [".git/index", "{root}/.git/index"])
def test_at_takes_the_repository_of_a_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    repo = Repo.make(tmp_path / "r", {"sub/a.py": ""})
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", index.format(root=repo.root))
    repository = Repository.at(repo.root / "sub")
    assert repository.prefix == "sub/"
    assert repository.places["GIT_INDEX_FILE"] == str(repo.root / ".git" / "index")
    assert list(repository.index().blobs) == ["a.py"]


def test_at_prefers_a_submodule_to_the_repository_of_a_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Repo.make(tmp_path / "library", {"lib.py": "1"})
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    repo.git("submodule", "add", "-q", str(library.root), "third_party/lib")
    repo.commit({})
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    repository = Repository.at(repo.root / "third_party" / "lib")
    assert repository.top == repo.root / "third_party" / "lib"
    assert list(repository.index().blobs) == ["lib.py"]


def test_at_takes_a_work_tree_that_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    home = (tmp_path / "home").resolve()
    home.mkdir()
    monkeypatch.setenv("GIT_DIR", str(repo.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", "home")
    monkeypatch.chdir(tmp_path)
    repository = Repository.at(home)
    assert repository.top == home
    assert repository.changes("HEAD", Place.WORK_TREE) == [Change("deleted", "a.py", None)]


def test_at_ignores_an_environment_that_speaks_of_another_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    other = Repo.make(tmp_path / "other", {"b.py": ""})
    monkeypatch.chdir(other.root)
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    assert list(Repository.at(repo.root).index().blobs) == ["a.py"]


def test_at_in_a_hook_of_a_push_reads_what_is_not_let_in_yet(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1"})
    bare = (tmp_path / "bare.git").resolve()
    repo.git("clone", "-q", "--bare", ".", str(bare))
    script, place = tmp_path / "hook.py", tmp_path / "found"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from portaudit.git import Repository\n"
        "old, new, _ = sys.stdin.read().split()\n"
        "repository = Repository.at(Path.cwd().resolve())\n"
        "found = [repository.revision(commit).read('a.py') for commit in (old, new)]\n"
        f"Path({str(place)!r}).write_bytes(b' '.join(found))\n",
        encoding="utf-8",
    )
    hook = bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    command = f"PYTHONPATH={PACKAGES} exec {sys.executable} {script}"
    hook.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    hook.chmod(0o755)
    repo.commit({"a.py": "2"})
    repo.git("push", "-q", str(bare), "main")
    assert place.read_bytes() == b"1 2"


def test_at_a_bare_repository_reads_revisions(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1"})
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    repository = Repository.at((tmp_path / "bare.git").resolve())
    assert repository.revision("HEAD").read("a.py") == b"1"
    with pytest.raises(GitError, match="has no work tree"):
        repository.changes("HEAD", Place.WORK_TREE)


# --- commits --------------------------------------------------------------------------------------


def test_resolve_knows_branches_tags_and_relatives(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    first = repo.git("rev-parse", "HEAD")
    repo.git("tag", "-a", "-m", "x", "v1")
    repo.commit({"a.py": "2"})
    repo.git("checkout", "-q", "--detach")
    repository = Repository.at(repo.root)
    assert {repository.resolve(ref) for ref in ("v1", "main~1", "HEAD^", first[:8])} == {first}


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("mian", 'knows no commit "mian"; did you mean "main"?'),
        ("dev", 'knows no commit "dev"; did you mean "team/dev"?'),
        ("zzzzzzzz", 'knows no commit "zzzzzzzz"; `git branch --all`'),
        ("--all", 'knows no commit "--all"'),
        ("", "no commit was named"),
        ("a\0b", "knows no commit"),
        ("HEAD~7", 'knows no commit "HEAD~7"'),
        ("HEAD:a.py", 'knows no commit "HEAD:a.py"'),
        ("main@{upstream}", "git says: no upstream configured for branch 'main'"),
    ],
)
def test_resolve_says_what_there_is(tmp_path: Path, ref: str, message: str) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    repo.git("branch", "team/dev")
    with pytest.raises(GitError) as raised:
        Repository.at(repo.root).resolve(ref)
    assert message in str(raised.value)


def test_resolve_says_that_there_are_no_commits(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r")
    with pytest.raises(GitError, match="no commits yet"):
        Repository.at(repo.root).resolve("HEAD")


def test_merge_base_is_where_the_branches_parted(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "-b", "work")
    repo.commit({"b.py": ""})
    repository = Repository.at(repo.root)
    assert repository.merge_base("main") == base, "ahead"
    repo.git("checkout", "-q", "main")
    assert repository.merge_base("work") == base, "behind"
    repo.commit({"c.py": ""})
    assert repository.merge_base("work") == base, "both"
    repo.git("merge", "-q", "-m", "Merge", "work")
    assert repository.merge_base("work") == repo.git("rev-parse", "work"), "merged"


def test_merge_base_of_a_criss_cross_is_the_one_of_git_diff(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    repo.git("checkout", "-q", "-b", "work")
    left = repo.commit({"b.py": ""})
    repo.git("checkout", "-q", "main")
    right = repo.commit({"c.py": ""})
    repo.git("merge", "-q", "-m", "Merge", left)
    repo.git("checkout", "-q", "work")
    repo.git("merge", "-q", "-m", "Merge", right)
    several = repo.git("merge-base", "--all", "HEAD", "main").split()
    assert sorted(several) == sorted([left, right])
    assert Repository.at(repo.root).merge_base("main") == repo.git("merge-base", "HEAD", "main")


def test_merge_base_of_strangers_is_a_mistake(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit({"b.py": ""})
    with pytest.raises(GitError, match="no common ancestor; give a commit of HEAD's history"):
        Repository.at(repo.root).merge_base("main")


@pytest.fixture
def shallow(tmp_path: Path) -> Repo:
    """The last commit of each of two branches that parted three commits ago."""
    source = Repo.make(tmp_path / "source", {"a.py": "1", "old.py": ""})
    source.git("checkout", "-q", "-b", "work")
    for number in range(3):
        source.commit({"b.py": f"{number}"})
    source.git("checkout", "-q", "main")
    source.commit({"a.py": "2"})
    source.git("checkout", "-q", "work")
    url = source.root.as_uri()
    source.git("clone", "-q", "--depth=1", "--no-single-branch", url, str(tmp_path / "shallow"))
    return Repo((tmp_path / "shallow").resolve())


def remedy(text: str) -> list[str]:
    """The words of the command that a message names."""
    found = re.search(r"`git (fetch [^`]*)`", text)
    assert found, text
    return found[1].split()


def test_merge_base_in_a_shallow_clone_says_how_to_fetch_more(shallow: Repo) -> None:
    repository = Repository.at(shallow.root)
    with pytest.raises(GitError, match="too shallow to hold a common ancestor") as raised:
        repository.merge_base("origin/main")
    assert "`fetch-depth: 0` for actions/checkout" in str(raised.value)
    shallow.git(*remedy(str(raised.value)))
    assert repository.merge_base("origin/main") == shallow.git("rev-parse", "HEAD~3")


def test_merge_base_in_a_clone_of_one_branch_says_how_to_fetch_another(
    shallow: Repo, tmp_path: Path
) -> None:
    url = (tmp_path / "source").as_uri()
    shallow.git("clone", "-q", "--depth=1", "--branch=work", url, str(tmp_path / "one"))
    one = Repo((tmp_path / "one").resolve())
    repository = Repository.at(one.root)
    with pytest.raises(GitError, match="this clone is shallow: fetch more") as raised:
        repository.merge_base("origin/main")
    one.git(*remedy(str(raised.value)))
    assert repository.merge_base("origin/main") == one.git("rev-parse", "HEAD~3")


def test_resolve_in_a_shallow_clone_says_how_to_fetch_more(shallow: Repo) -> None:
    repository = Repository.at(shallow.root)
    with pytest.raises(GitError, match="this clone is shallow: fetch more") as raised:
        repository.resolve("HEAD~2")
    shallow.git(*remedy(str(raised.value)))
    assert repository.resolve("HEAD~2") == shallow.git("rev-parse", "HEAD~2")


def test_last_change_is_the_commit_that_last_touched_a_file(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"sub/base.json": "1", "a.py": ""})
    changed = repo.commit({"sub/base.json": "2"})
    repo.commit({"a.py": "2"})
    repository = Repository.at(repo.root / "sub")
    assert repository.last_change("base.json") == changed
    assert repository.last_change("never.json") is None
    assert repository.last_change("*") is None, "no pattern"


def test_last_change_is_unknown_where_history_does_not_reach(shallow: Repo) -> None:
    repository = Repository.at(shallow.root)
    assert repository.last_change("old.py") is None
    new = shallow.commit({"old.py": "2"})
    assert repository.last_change("old.py") == new


def test_last_change_before_the_first_commit_is_unknown(tmp_path: Path) -> None:
    assert Repository.at(Repo.make(tmp_path / "r").root).last_change("a.py") is None


# --- files ----------------------------------------------------------------------------------------

ODD = {
    "new\nline.py": "1",
    'quo"te.py': "2",
    "tab\t.py": "3",
    "日本.py": "4",
    "-rf.py": "5",
    ":(top)x.py": "6",
    "*.py": "7",
    "a\\b.py": "8",
    "Case.py": "9",
    "case.py": "10",
    os.fsdecode(b"\xff.py"): "11",
}


def test_revision_and_index_have_the_bytes_of_files_with_odd_names(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", ODD)
    expected = {path: text.encode() for path, text in ODD.items()}
    assert contents(repo, "HEAD") == expected
    index = Repository.at(repo.root).index()
    assert {path: index.read(path) for path in index.blobs} == expected


def test_revision_lists_folders_as_the_disk_does(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a/b/c.py": "12", "a/d.py": "", "a.py": "", "e/f.sh": "x"})
    (repo.root / "a" / "link.py").symlink_to("d.py")
    (repo.root / "to_a").symlink_to("a")
    (repo.root / "e" / "up").symlink_to("../to_a/b")
    (repo.root / "e" / "gone").symlink_to("nowhere")
    (repo.root / "self").symlink_to("self")
    (repo.root / "out").symlink_to("/")
    repo.commit({})
    disk, files = Disk(repo.root), Repository.at(repo.root).revision("HEAD")
    for folder in ("a", "a/b", "e"):
        assert list(files.listed(folder)) == list(disk.listed(folder))
    entries = [entry for entry in disk.listed("") if entry.name != ".git"]
    assert list(files.listed("")) == entries
    assert files.size("a/b/c.py") == disk.size("a/b/c.py") == 2
    assert files.start("a/b/c.py", 1) == b"1"
    assert files.read("a/link.py") == b""
    folders = {path for path in (*files.blobs, "", "a", "x") if files.is_folder(path)}
    assert folders == {"", "a", "to_a"}
    with pytest.raises(FileNotFoundError):
        files.listed("nowhere")
    with pytest.raises(FileNotFoundError):
        files.read("nowhere")


def test_revision_is_picklable_and_reads_again_elsewhere(tmp_path: Path) -> None:
    files = Repository.at(Repo.make(tmp_path / "r", {"a.py": "1"}).root).revision("HEAD")
    assert files.read("a.py") == b"1"
    copy = pickle.loads(pickle.dumps(files))  # noqa: S301 - our own
    assert copy == files
    assert copy.read("a.py") == b"1"


def test_revision_in_a_forked_process_has_a_git_of_its_own(tmp_path: Path) -> None:
    many = {f"{number}.py": f"{number}," * 50_000 for number in range(20)}
    files = Repository.at(Repo.make(tmp_path / "r", many).root).revision("HEAD")
    code = (
        "import hashlib, multiprocessing, pickle, sys\n"
        "files = pickle.loads(sys.stdin.buffer.read())\n"
        "def digest(path): return hashlib.sha256(files.read(path)).digest()\n"
        "paths = sorted(files.blobs) * 10\n"
        "expected = [digest(path) for path in paths]\n"
        "with multiprocessing.get_context('fork').Pool(4) as pool:\n"
        "    assert pool.map(digest, paths, chunksize=1) == expected\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(files),
        env={**os.environ, "PYTHONPATH": PACKAGES},
        check=True,
        timeout=60,
    )


def test_revision_leaves_out_submodules_and_says_so(tmp_path: Path) -> None:
    library = Repo.make(tmp_path / "library", {"lib.py": "1"})
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    repo.git("submodule", "add", "-q", str(library.root), "lib")
    repo.commit({})
    files = Repository.at(repo.root).revision("HEAD")
    assert [(entry.name, entry.kind) for entry in files.listed("")][-1] == ("lib", "submodule")
    library.commit({"lib.py": "2"})
    Repo(repo.root / "lib").git("pull", "-q")
    assert changes(repo, "HEAD", Place.WORK_TREE) == []
    repo.write({"lib/lib.py": "3"})
    inner = Repo(repo.root / "lib")
    assert changes(inner, "HEAD", Place.WORK_TREE) == [("modified", "lib.py", "lib.py")]


def test_index_holds_what_is_staged_and_not_the_work_tree(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1", "b.py": "1"})
    repo.write({"a.py": "2", "new.py": "1"})
    repo.git("add", "a.py")
    repo.write({"a.py": "3", "b.py": "2"})
    repo.git("add", "--intent-to-add", "new.py")
    index = Repository.at(repo.root).index()
    assert index.read("a.py") == b"2"
    assert index.read("b.py") == b"1"
    assert changes(repo, "HEAD", Place.INDEX) == [("modified", "a.py", "a.py")]
    assert changes(repo, "HEAD", Place.WORK_TREE) == [
        ("added", None, "new.py"),
        ("modified", "a.py", "a.py"),
        ("modified", "b.py", "b.py"),
    ]


def test_index_with_a_mode_that_is_none_has_a_submodule_as_git_has(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1"})
    index = repo.root / ".git" / "index"
    content = index.read_bytes()[:-20].replace(b"\0\0\x81\xa4", b"\0\0\x61\xa4")
    index.write_bytes(content + hashlib.sha1(content, usedforsecurity=False).digest())
    assert repo.git("ls-files", "-s").startswith("060644")
    assert list(Repository.at(repo.root).index().pins) == ["a.py"]
    assert changes(repo, "HEAD", Place.INDEX) == [("deleted", "a.py", None)]


def test_index_of_a_conflict_holds_our_version(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1\n"})
    repo.git("checkout", "-q", "-b", "work")
    repo.commit({"a.py": "theirs\n", "b.py": "theirs\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"a.py": "ours\n", "b.py": "ours\n"})
    with pytest.raises(AssertionError):
        repo.git("merge", "-q", "work")
    repository = Repository.at(repo.root)
    assert repository.index().read("a.py") == b"ours\n"
    for place in Place:
        assert changes(repo, "HEAD", place) == [
            ("modified", "a.py", "a.py"),
            ("modified", "b.py", "b.py"),
        ]
        assert changes(repo, "HEAD~1", place) == [
            ("added", None, "b.py"),
            ("modified", "a.py", "a.py"),
        ]


def test_a_linked_work_tree_has_its_own_index_and_head(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1"})
    repo.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "linked"))
    linked = Repo((tmp_path / "linked").resolve())
    commit = linked.commit({"a.py": "2"})
    linked.write({"a.py": "3"})
    linked.git("add", "a.py")
    repository = Repository.at(linked.root)
    assert repository.resolve("HEAD") == commit
    assert repository.index().read("a.py") == b"3"
    assert repository.revision("main").read("a.py") == b"1"
    assert Repository.at(repo.root).index().read("a.py") == b"1"


def test_a_partial_clone_fetches_nothing_and_says_how_to(tmp_path: Path) -> None:
    source = Repo.make(tmp_path / "source", {"a.py": "1", "sub/c.py": "", "gone.py": "x\n" * 9})
    source.git("config", "uploadpack.allowFilter", "true")
    source.git("rm", "-q", "gone.py")
    source.commit({"a.py": "2", "come.py": "x\n" * 9 + "y"})
    url = source.root.as_uri()
    source.git("clone", "-q", "--filter=blob:none", url, str(tmp_path / "part"))
    part = Repo((tmp_path / "part").resolve())
    repository = Repository.at(part.root)
    assert repository.revision("HEAD").read("a.py") == b"2"
    old = repository.revision("HEAD~1")
    assert old.size("a.py") == 0
    with pytest.raises(GitError, match="in a partial clone `git diff --stat REF` fetches"):
        old.read("a.py")
    with pytest.raises(GitError, match="partial clone"):
        repository.changes("HEAD~1", "HEAD")
    part.git("diff", "--stat", "HEAD~1")
    assert repository.revision("HEAD~1").read("a.py") == b"1"
    assert len(repository.changes("HEAD~1", "HEAD")) == 2


def test_a_file_of_lfs_is_read_from_its_store(tmp_path: Path) -> None:
    digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5\n"
    repo = Repo.make(tmp_path / "r", {"a.ipynb": pointer})
    files = Repository.at(repo.root).revision("HEAD")
    with pytest.raises(OSError, match="run `git lfs fetch`"):
        files.read("a.ipynb")
    repo.write({f".git/lfs/objects/4d/7a/{digest}": "12345"})
    assert files.read("a.ipynb") == b"12345"


# --- changes --------------------------------------------------------------------------------------


def test_changes_follow_renames_with_edits(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    repo = Repo.make(tmp_path / "r", {"a.py": text, "b.py": "1", "c.py": "22", "k.py": text * 2})
    first = repo.git("rev-parse", "HEAD")
    repo.git("mv", "a.py", "moved.py")
    repo.git("rm", "-q", "c.py")
    second = repo.commit({"moved.py": f"{text}more\n", "b.py": "2", "d.py": "3"})
    expected: list[tuple[str, str | None, str | None]] = [
        ("added", None, "d.py"),
        ("deleted", "c.py", None),
        ("modified", "b.py", "b.py"),
        ("renamed", "a.py", "moved.py"),
    ]
    assert changes(repo, first, second) == expected
    assert changes(repo, first, Place.INDEX) == expected
    assert changes(repo, first, Place.WORK_TREE) == expected
    assert changes(repo, second, second) == []


def test_changes_of_the_work_tree_know_a_file_that_was_moved_without_git(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    repo = Repo.make(tmp_path / "r", {"a.py": text, "b.py": "1"})
    before = (repo.root / ".git" / "index").read_bytes()
    objects = sorted((repo.root / ".git" / "objects").rglob("*"))
    (repo.root / "a.py").rename(repo.root / "z.py")
    repo.write({"z.py": f"{text}more\n", "new.py": "1"})
    assert changes(repo, "HEAD", Place.WORK_TREE) == [
        ("added", None, "new.py"),
        ("renamed", "a.py", "z.py"),
    ]
    assert (repo.root / ".git" / "index").read_bytes() == before
    assert sorted((repo.root / ".git" / "objects").rglob("*")) == objects


def test_changes_of_the_work_tree_hold_unknown_files_but_no_ignored_ones(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {".gitignore": "build/\n", "sub/a.py": ""})
    Repo.make(repo.root / "nested", {"x.py": ""})
    repo.write({"build/x.py": "", "sub/new\n.py": "", "top.py": ""})
    assert changes(repo, "HEAD", Place.WORK_TREE) == [
        ("added", None, "sub/new\n.py"),
        ("added", None, "top.py"),
    ]
    assert changes(Repo(repo.root / "sub"), "HEAD", Place.WORK_TREE) == [
        ("added", None, "new\n.py")
    ]


def test_changes_are_relative_to_a_subdirectory(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    repo = Repo.make(tmp_path / "r", {"sub/a.py": text, "out/b.py": text[:60], "sub2/x.py": ""})
    repo.git("mv", "sub/a.py", "out/a.py")
    repo.git("mv", "out/b.py", "sub/b.py")
    repo.commit({"sub2/x.py": "1"})
    assert changes(Repo(repo.root / "sub"), "HEAD~1", "HEAD") == [
        ("added", None, "b.py"),
        ("deleted", "a.py", None),
    ]


def test_changes_of_hostile_names(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", ODD)
    repo.write(dict.fromkeys(ODD, "changed"))
    expected = sorted(("modified", path, path) for path in ODD)
    assert changes(repo, "HEAD", Place.WORK_TREE) == expected
    repo.git("add", "-A")
    assert changes(repo, "HEAD", Place.INDEX) == expected


def test_changes_of_what_a_file_is(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1", "b.py": "1", "mode.py": "1"})
    (repo.root / "c.py").symlink_to("a.py")
    repo.commit({})
    (repo.root / "c.py").unlink()
    (repo.root / "b.py").unlink()
    (repo.root / "b.py").symlink_to("a.py")
    (repo.root / "mode.py").chmod(0o755)
    repo.commit({"c.py": "now a file"})
    assert changes(repo, "HEAD~1", "HEAD") == [("added", None, "c.py"), ("deleted", "b.py", None)]


def test_changes_of_the_work_tree_pass_over_what_only_looks_changed(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1\n", "b.py": "1\n2\n", "c.py": "1\n"})
    for name in ("a.py", "b.py", "c.py"):
        os.utime(repo.root / name, (1, 1))
    (repo.root / "b.py").write_bytes(b"1\r\n2\r\n")
    (repo.root / "c.py").write_bytes(b"2\n")
    before = (repo.root / ".git" / "index").read_bytes()
    assert changes(repo, "HEAD", Place.WORK_TREE) == [("modified", "c.py", "c.py")]
    assert (repo.root / ".git" / "index").read_bytes() == before


def test_changes_of_a_root_commit_are_all_its_files(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r")
    repo.write({"a.py": "1"})
    repo.git("add", "a.py")
    repository = Repository.at(repo.root)
    empty = repository.parent()
    assert changes(repo, empty, Place.INDEX) == [("added", None, "a.py")]
    assert repository.revision(empty).blobs == {}
    repo.commit({})
    assert changes(repo, empty, "HEAD") == [("added", None, "a.py")]
    assert repository.parent() == repo.git("rev-parse", "HEAD")


def test_changes_in_a_sparse_checkout_are_not_deletions(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"in/a.py": "1", "out/b.py": "1"})
    repo.git("sparse-checkout", "set", "in")
    assert not (repo.root / "out").exists()
    assert changes(repo, "HEAD", Place.WORK_TREE) == []
    assert Repository.at(repo.root).index().read("out/b.py") == b"1"


def test_nothing_that_settings_name_is_run(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1\n" * 30, "b.py": "2\n" * 30})
    alarm, script = tmp_path / "alarm", tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho $0 >> {alarm}\ncat\n", encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    repo.write({".gitattributes": "* filter=f diff=d\n"})
    for key in (
        "filter.f.clean",
        "filter.f.smudge",
        "filter.f.process",
        "diff.d.command",
        "diff.d.textconv",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.editor",
    ):
        repo.git("config", key, str(script))
    repo.git("config", "filter.f.required", "true")
    (repo.root / "a.py").rename(repo.root / "c.py")
    repo.write({"b.py": "2\n" * 31, "c.py": "1\n" * 31})
    alarm.unlink(missing_ok=True)
    repository = Repository.at(repo.root)
    found = {change.new for change in repository.changes("HEAD", Place.WORK_TREE)}
    assert found == {".gitattributes", "b.py", "c.py"}
    repository.changes("HEAD", Place.INDEX)
    repository.revision("HEAD").read("a.py")
    repository.last_change("a.py")
    assert repository.tracked() == ["a.py", "b.py"]
    assert not alarm.exists()


# --- files of git's own that somebody damaged -----------------------------------------------------

_NAME = "1234567890" * 4


def in_place_of(place: Path, kind: str) -> None:
    """Put something there that is no file of the usual kind."""
    place.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to("/dev/zero")
    elif kind == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"\xff\xfe not ASCII\n--output=/nowhere\n" + b"0" * 500 + b"\nHEAD\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "other"])
def test_commits_being_merged_are_none_where_their_file_is_no_such_file(
    tmp_path: Path, kind: str
) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    place = repo.root / ".git" / "MERGE_HEAD"
    in_place_of(place, kind)
    assert Repository.at(repo.root).merging() == []


def test_commits_being_merged_are_names_of_commits_and_nothing_else(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": ""})
    text = f"{_NAME}\n--output=x\n{_NAME[:39]}\nHEAD\n{_NAME}a\n{'b' * 64}\n"
    repo.write({".git/MERGE_HEAD": text})
    assert Repository.at(repo.root).merging() == [_NAME, "b" * 64]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_the_end_of_a_shallow_clone_that_cannot_be_read_is_no_end(
    shallow: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.at(shallow.root)
    assert repository.last_change("a.py") is None
    monkeypatch.setattr(Repository, "is_shallow", lambda _: True)  # git itself waits for a pipe
    elsewhere = shallow.root / "pipe"
    os.mkfifo(elsewhere)
    monkeypatch.setattr(Repository, "_path", lambda *_: elsewhere)
    assert repository.last_change("a.py") == shallow.git("rev-parse", "HEAD")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_git_that_waits_for_ever_is_ended_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1"})
    repository = Repository.at(repo.root)
    files = repository.revision("HEAD")
    blob = files.blobs["a.py"].name
    in_place_of(repo.root / ".git" / "objects" / blob[:2] / blob[2:], "pipe")
    in_place_of(repo.root / ".git" / "HEAD", "pipe")
    monkeypatch.setattr(git, "_PATIENCE", 1)
    with pytest.raises(OSError, match=r"git does not answer .* pipe"):
        files.read("a.py")
    with pytest.raises(GitError, match=r"git does not answer .* pipe"):
        repository.parent()
    with pytest.raises(GitError, match=r"git does not answer .* pipe"):
        Repository.at(repo.root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("kind", ["pipe", "link", "other"])
def test_git_behind_what_is_no_folder_of_its_own_is_no_repository(
    tmp_path: Path, kind: str
) -> None:
    (tmp_path / "r").mkdir()
    in_place_of(tmp_path / "r" / ".git", kind)
    with pytest.raises(GitError):
        Repository.at((tmp_path / "r").resolve())


def test_a_file_that_git_has_is_read_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1" * 2000, "b.py": "2"})
    files = Repository.at(repo.root).revision("HEAD")
    monkeypatch.setattr(git, "LARGEST", 1000)
    with pytest.raises(TooLargeError):
        files.read("a.py")
    assert files.read("b.py") == b"2"


def test_a_link_that_is_no_path_leads_nowhere(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1"})
    for path, target in {"long": "x/" * 5000, "loop": "loop", "fine": "a.py"}.items():
        repo.write({"target": target})
        name = repo.git("hash-object", "-w", "target")
        repo.git("update-index", "--add", "--cacheinfo", f"120000,{name},{path}")
    files = Repository.at(repo.root).index()
    assert files.read("fine") == b"1"
    for path in ("long", "loop"):
        assert not files.is_folder(path)
        with pytest.raises(OSError, match="symbolic links"):
            files.read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_file_of_lfs_is_no_pipe_and_no_link_and_not_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5\n"
    repo = Repo.make(tmp_path / "r", {"a.ipynb": pointer})
    files = Repository.at(repo.root).revision("HEAD")
    place = repo.root / ".git" / "lfs" / "objects" / "4d" / "7a" / digest
    place.parent.mkdir(parents=True)
    for kind in ("pipe", "link"):
        in_place_of(place, kind)
        with pytest.raises(OSError, match="not a regular file"):
            files.read("a.ipynb")
    in_place_of(place, "other")
    monkeypatch.setattr(git, "LARGEST", 200)
    with pytest.raises(TooLargeError):
        files.read("a.ipynb")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_file_that_only_looks_changed_is_read_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.make(tmp_path / "r", {"a.py": "1\n" * 600, "b.py": "2\n"})
    repo.write({"a.py": "1\r\n" * 600, "b.py": "2\r\n"})
    assert changes(repo, "HEAD", Place.WORK_TREE) == []
    monkeypatch.setattr(git, "LARGEST", 1000)
    assert changes(repo, "HEAD", Place.WORK_TREE) == [("modified", "a.py", "a.py")]
