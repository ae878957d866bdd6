from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_repos import Repo
from portaudit import git
from portaudit.discover import Tree, read, walk
from portaudit.errors import ConfigError
from portaudit.files import Disk, Overlay
from portaudit.kinds import kind_by_name
from portaudit.types import ScanError

MakeTree = Callable[[Mapping[str, str]], Path]


def walked(root: Path, *paths: str, exclude: tuple[str, ...] = ()) -> Tree:
    return walk(Disk(root), [root / path for path in paths or ("",)], exclude)


def reasons(tree: Tree) -> dict[str, str]:
    return {entry.path: entry.reason for entry in tree.skipped}


def test_walk_takes_python_files_sorted_by_posix_path(make_tree: MakeTree) -> None:
    root = make_tree(
        {"b.py": "", "a/z.py": "", "a.py": "", "a/stub.pyi": "", "notes.txt": "", "A.py": ""}
    )
    tree = walked(root)
    assert tree.files == ("A.py", "a.py", "a/z.py", "b.py")
    assert tree.selected == tree.files
    assert tree.skipped == ()


def test_walk_takes_scripts_by_their_first_line(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            "bin/train": "#!/usr/bin/env python3\n",
            "bin/launch": "#!/bin/bash\npython train\n",
            "bin/words": "#!/usr/bin/perl\n",
            "notes": "python",
            ".hidden": "#!/usr/bin/python\n",
        }
    )
    assert walked(root).kinds == {"bin/launch": "shell", "bin/train": "python"}


@pytest.mark.parametrize(
    "folder",
    [".git", ".hg", ".venv", "node_modules", "__pycache__", ".tox", ".mypy_cache", "x.egg-info"],
)
def test_walk_passes_over_the_directories_of_tools(make_tree: MakeTree, folder: str) -> None:
    root = make_tree({f"{folder}/a.py": "", f"deep/{folder}/b.py": "", "c.py": ""})
    tree = walked(root)
    assert tree.files == ("c.py",)
    assert tree.skipped == ()


def test_walk_knows_a_virtual_environment_by_its_marker(make_tree: MakeTree) -> None:
    root = make_tree({"env/pyvenv.cfg": "", "env/lib/a.py": "", "venv/b.py": ""})
    tree = walked(root)
    assert tree.files == ("venv/b.py",)
    assert reasons(tree) == {"env": "a virtual environment"}
    assert walked(root, "env").selected == ("env/lib/a.py",)


def test_walk_takes_build_and_dist_unless_git_ignores_them(make_tree: MakeTree) -> None:
    root = make_tree({"build/a.py": "", "dist/b.py": "", ".gitignore": "/dist/\n"})
    tree = walked(root)
    assert tree.files == ("build/a.py",)
    assert reasons(tree) == {"dist": "ignored by .gitignore"}


def test_walk_reads_nested_ignore_files_the_nearest_first(make_tree: MakeTree) -> None:
    root = make_tree(
        {
            ".gitignore": "gen_*.py\n",
            "gen_a.py": "",
            "pkg/.gitignore": "!gen_b.py\nlocal.py\n",
            "pkg/gen_a.py": "",
            "pkg/gen_b.py": "",
            "pkg/local.py": "",
            "local.py": "",
        }
    )
    tree = walked(root)
    assert tree.files == ("local.py", "pkg/gen_b.py")
    assert reasons(tree) == {
        "gen_a.py": "ignored by .gitignore",
        "pkg/gen_a.py": "ignored by .gitignore",
        "pkg/local.py": "ignored by pkg/.gitignore",
    }


def test_walk_ignores_nothing_by_an_ignore_file_above_the_root(make_tree: MakeTree) -> None:
    root = make_tree({".gitignore": "*.py\n", "inner/a.py": ""})
    assert walked(root / "inner").files == ("a.py",)


def test_walk_survives_an_ignore_file_with_a_line_that_git_passes_over(
    make_tree: MakeTree,
) -> None:
    root = make_tree({".gitignore": "!\na.py\r\n", "a.py": "", "b.py": ""})
    assert walked(root).files == ("b.py",)


@pytest.mark.parametrize("named", ["out", "out/inner", "out/inner/a.py"])
def test_walk_takes_a_named_path_although_ignored(make_tree: MakeTree, named: str) -> None:
    root = make_tree(
        {".gitignore": "out/\n", "out/inner/a.py": "", "out/.gitignore": "secret.py", "b.py": ""}
    )
    tree = walked(root, named)
    assert tree.selected == ("out/inner/a.py",)
    assert tree.files == ("b.py", "out/inner/a.py")
    assert tree.skipped == ()


def test_walk_obeys_ignore_files_inside_a_named_ignored_directory(make_tree: MakeTree) -> None:
    root = make_tree(
        {".gitignore": "out/\n", "out/a.py": "", "out/b.py": "", "out/.gitignore": "b.py\n"}
    )
    tree = walked(root, "out")
    assert tree.selected == ("out/a.py",)
    assert reasons(tree) == {"out/b.py": "ignored by out/.gitignore"}


def test_walk_takes_a_named_tool_directory_and_named_values(make_tree: MakeTree) -> None:
    root = make_tree({"node_modules/a.py": "", "vocab.json": " " * 500_001})
    tree = walked(root, "node_modules", "vocab.json")
    assert tree.selected == ("node_modules/a.py", "vocab.json")


def test_walk_reads_no_file_that_is_too_large_whoever_names_it(make_tree: MakeTree) -> None:
    root = make_tree({"big.py": "#" * 1_000_001, "small.py": "#" * 1_000_000})
    error = ScanError("big.py", "cannot be read: larger than 1 MB (`file-megabytes`)")
    for named in ((), ("big.py", "small.py")):
        tree = walk(Disk(root), [root / path for path in named] or [root], largest=1)
        assert tree.files == ("small.py",)
        assert tree.errors == (error,)
        assert tree.skipped == ()


def test_walk_says_that_a_named_file_is_of_no_kind_that_is_read(make_tree: MakeTree) -> None:
    root = make_tree({"a.pyi": "", "notes.txt": ""})
    reason = "no kind of file that is read"
    assert reasons(walked(root, "a.pyi", "notes.txt")) == {"a.pyi": reason, "notes.txt": reason}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("docker/Dockerfile.train", "docker"),
        ("gpu.dockerfile", "docker"),
        ("Containerfile", "docker"),
        ("requirements/gpu.txt", "requirements"),
        ("requirements-dev.in", "requirements"),
        ("notes/words.txt", None),
        ("csrc/kernel.CU", "native"),
        ("Makefile", "make"),
        ("csrc/Makefile.gpu", "make"),
        ("makefile.py", "python"),
        ("deploy/job.yaml.j2", "yaml"),
        ("cluster.yaml-template", "yaml"),
        ("prod.tfvars", "hcl"),
        ("configs/train.gin", "gin"),
        ("configs/ds_configs/stage3_offloading.conf", "json"),
        ("zero2.conf", "json"),
        ("ads.conf", None),
        ("deploy/nginx.conf", None),
        ("cmake/FindNCCL.cmake", "cmake"),
        ("CMakeLists.txt", "cmake"),
        ("uv.lock", "toml"),
        ("Cargo.lock", None),
        ("run.sbatch", "shell"),
        ("README.md", "markdown"),
        ("docs/guide.md", None),
        ("docs/Getting_Started.md", "markdown"),
        ("TRAINING.md", "markdown"),
        ("experiments.md", "markdown"),
        ("CHANGELOG.md", None),
        ("CODE_OF_CONDUCT.md", None),
        ("demo.ipynb", "notebook"),
    ],
)
def test_kinds_are_known_by_name(path: str, kind: str | None) -> None:
    assert kind_by_name(path) == kind


def test_walk_leaves_out_large_files_of_values(make_tree: MakeTree) -> None:
    root = make_tree({"vocab.json": " " * 500_001, "deepspeed.json": "{}", "k.cu": " " * 500_001})
    (root / "huge.yaml").write_text(" " * 5_000_001)
    tree = walked(root)
    assert tree.files == ("deepspeed.json", "k.cu")
    why = "values, and more than 500 kB of them"
    assert reasons(tree) == {"vocab.json": why, "huge.yaml": why}
    assert tree.errors == ()


@pytest.mark.parametrize("name", ["pixi.lock", "Pipfile.lock"])
def test_walk_takes_large_lock_files(make_tree: MakeTree, name: str) -> None:
    tree = walked(make_tree({name: " " * 500_001}))
    assert tree.files == (name,)
    (error,) = walked(make_tree({name: " " * 5_000_001})).errors
    assert "larger than 5 MB" in error.reason


def test_walk_excludes_by_the_settings_before_any_ignore_file(make_tree: MakeTree) -> None:
    root = make_tree(
        {".gitignore": "!vendor/\n", "vendor/a.py": "", "x/vendor/b.py": "", "x/c_pb2.py": ""}
    )
    tree = walked(root, exclude=("/vendor/", "*_pb2.py"))
    assert tree.files == ("x/vendor/b.py",)
    assert reasons(tree) == {
        "vendor": "excluded by the settings",
        "x/c_pb2.py": "excluded by the settings",
    }
    assert walked(root, "vendor", exclude=("/vendor/",)).selected == ("vendor/a.py",)


def test_walk_refuses_an_exclusion_that_is_no_pattern(make_tree: MakeTree) -> None:
    with pytest.raises(ConfigError, match="'!' is no pattern"):
        walked(make_tree({}), exclude=("!",))


def test_walk_follows_no_links(make_tree: MakeTree) -> None:
    root = make_tree({"pkg/a.py": "", "notes.txt": ""})
    (root / "pkg" / "loop").symlink_to(root)
    (root / "alias.py").symlink_to(root / "pkg" / "a.py")
    (root / "gone.py").symlink_to(root / "nowhere.py")
    (root / "self").symlink_to(root / "self")
    (root / "text").symlink_to(root / "notes.txt")
    tree = walked(root)
    assert tree.files == ("pkg/a.py",)
    assert reasons(tree) == dict.fromkeys(("alias.py", "gone.py", "pkg/loop"), "a symbolic link")
    assert tree.errors == ()


def test_walk_reports_only_what_lies_under_the_named_paths(make_tree: MakeTree) -> None:
    root = make_tree({"a/x.py": "", "ab/y.py": "", ".gitignore": "z.py\n", "ab/z.py": ""})
    tree = walked(root, "a")
    assert tree.selected == ("a/x.py",)
    assert tree.files == ("a/x.py", "ab/y.py")
    assert tree.skipped == ()


def test_walk_lists_unreadable_directories_as_errors(
    make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree({"a.py": "", "locked/b.py": ""})
    real = os.scandir

    def scandir(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    tree = walked(root)
    assert tree.files == ("a.py",)
    assert tree.errors == (ScanError("locked", "cannot be read: Permission denied"),)


def test_walk_cannot_read_what_has_a_name_that_is_no_text(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": ""})
    try:
        Path(os.fsdecode(os.fsencode(root) + b"/\xff.py")).touch()
    except OSError:
        pytest.skip("this file system takes only text for names")
    tree = walked(root)
    assert tree.files == ("a.py",)
    assert tree.errors == (ScanError("\\xff.py", "cannot be read: its name is not UTF-8"),)


def test_walk_opens_no_pipes_and_says_which_looked_like_source(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": ""})
    os.mkfifo(root / "pipe.py")
    os.mkfifo(root / "pipe")
    tree = walked(root)
    assert tree.files == ("a.py",)
    assert reasons(tree) == {"pipe.py": "a pipe, a socket or a device"}


def test_walk_waits_for_no_ignore_file(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": ""})
    os.mkfifo(root / ".gitignore")
    assert walked(root).files == ("a.py",)


def test_walk_obeys_no_ignore_file_behind_a_link(make_tree: MakeTree, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("*.py\n")
    root = make_tree({"a.py": ""})
    (root / ".gitignore").symlink_to(tmp_path / "elsewhere")
    assert walked(root).files == ("a.py",)


def test_walk_of_an_empty_directory_finds_nothing(make_tree: MakeTree) -> None:
    assert walked(make_tree({})) == Tree(make_tree({}), (), ())


def test_walk_notes_where_package_manifests_are(make_tree: MakeTree) -> None:
    root = make_tree({"requirements.txt": "", "libs/a/setup.py": "", "b/requirements.txt": ""})
    assert walked(root).projects == {"", "libs/a"}


def test_read_gives_bytes_or_the_reason(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": "x = 1\n"})
    assert read(Disk(root), "a.py") == b"x = 1\n"
    assert read(Disk(root), "b.py") == ScanError(
        "b.py", "cannot be read: No such file or directory"
    )


# --- what git has ---------------------------------------------------------------------------------


def kept(tmp_path: Path, files: Mapping[str, str], *others: str) -> Path:
    """The root of a work tree whose repository has these files, ignored or not, and not others."""
    repo = Repo.make(tmp_path / "kept", {})
    repo.write(files)
    repo.git("add", "--all", "--force")
    repo.write(dict.fromkeys(others, ""))
    return repo.root


def test_walk_takes_what_git_has_although_it_is_ignored(tmp_path: Path) -> None:
    files = {".gitignore": "**build**\n*.c\n*.env\n", "builder.py": "", "x.c": "", "x.env": ""}
    root = kept(tmp_path, files, "build.py", "y.c", "y.env")
    tree = walked(root)
    assert tree.files == ("builder.py",)
    assert (tree.others, tree.around) == (("x.c",), ("x.env",))
    assert reasons(tree) == {"build.py": "ignored by .gitignore"}


def test_walk_takes_of_an_ignored_folder_what_git_has_of_it(tmp_path: Path) -> None:
    files = {".gitignore": "out/\n", "out/a.py": "", "out/in/b.py": "", "out/.gitignore": "!c.py"}
    others = ("out/c.py", "out/in/d.py", "out/new/e.py", "more/out/f.py")
    root = kept(tmp_path, files, *others)
    tree = walked(root)
    assert tree.files == ("out/a.py", "out/in/b.py")
    assert reasons(tree) == dict.fromkeys(
        ("out/c.py", "out/in/d.py", "out/new", "more/out"), "ignored by .gitignore"
    )
    assert walked(root, "out/in").files == ("out/a.py", "out/in/b.py", "out/in/d.py")
    named = walked(root, "out", "out/in")
    assert named.selected == ("out/a.py", "out/c.py", "out/in/b.py", "out/in/d.py", "out/new/e.py")
    assert named.skipped == ()
    forced = walk(Disk(root), [root / "out"], forced=True)
    assert forced.selected == ("out/a.py", "out/in/b.py")


def test_walk_excludes_by_the_settings_what_git_has(tmp_path: Path) -> None:
    files = {".gitignore": "out/\n*.tmp.py", "out/a.py": "", "out/b.py": "", "c.tmp.py": ""}
    root = kept(tmp_path, files)
    tree = walked(root, exclude=("/out/a.py", "*.tmp.py"))
    assert tree.files == ("out/b.py",)
    assert reasons(tree) == dict.fromkeys(("out/a.py", "c.tmp.py"), "excluded by the settings")
    assert walked(root, exclude=("out",)).files == ("c.tmp.py",)


def test_walk_takes_what_git_has_below_a_folder_of_its_work_tree(tmp_path: Path) -> None:
    files = {"sub/.gitignore": "*.py\n", "sub/a.py": "", "a.py": "", "sub/b.py.py": ""}
    root = kept(tmp_path, files, "sub/c.py") / "sub"
    assert walked(root).files == ("a.py", "b.py.py")
    assert walk(Overlay(Disk(root), {"d.py": b""}), [root]).files == ("a.py", "b.py.py")


def test_walk_sees_that_the_index_changed(tmp_path: Path) -> None:
    root = kept(tmp_path, {".gitignore": "*.py\n", "a.py": ""}, "b.py")
    assert walked(root).files == ("a.py",)
    Repo(root).git("rm", "-q", "--cached", "a.py")
    Repo(root).git("add", "--force", "b.py")
    assert walked(root).files == ("b.py",)


def test_walk_asks_git_only_of_what_is_ignored_in_a_repository(
    make_tree: MakeTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = kept(tmp_path, {".gitignore": "out/\n", "a.py": "", "b.py": ""})
    lone = make_tree({".gitignore": "a.py\n", "a.py": "", "b.py": ""})
    monkeypatch.delenv("GIT_DIR", raising=False)
    monkeypatch.setattr(git.Repository, "at", lambda _: pytest.fail("git was asked"))
    assert walked(root, exclude=("b.py",)).files == ("a.py",)
    assert reasons(walked(lone)) == {"a.py": "ignored by .gitignore"}


def test_walk_says_that_git_could_not_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {".gitignore": "out\n", "out/a.py": "", "b.py": ""}
    root = kept(tmp_path, files)
    monkeypatch.setenv("PATH", str(tmp_path))
    tree = walked(root)
    assert tree.files == ("b.py",)
    assert reasons(tree) == {
        "out": "ignored by .gitignore; whether git has it all the same could not be asked"
    }


NAMES = st.sampled_from(["a", "b", "lib", "x.py", "y.py"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
LINES = st.lists(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "!"]),
        st.sampled_from(["", "/", "**/", "a/"]),
        st.sampled_from(["a", "b", "lib", "x.py", "*.py", "?", "[ab]", "y*"]),
        st.sampled_from(["", "/", "/*", "/**"]),
    ),
    max_size=4,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    files=st.sets(PATHS, min_size=1, max_size=8),
    ignores=st.dictionaries(st.sampled_from(["", "a/", "lib/a/"]), LINES, max_size=2),
)
def test_walk_ignores_what_git_ignores(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], ignores: dict[str, list[str]]
) -> None:
    root = tmp_path_factory.mktemp("git").resolve()
    for name, text in [
        *((f"{folder}.gitignore", "\n".join(lines)) for folder, lines in ignores.items()),
        *((name if name.endswith(".py") else f"{name}/z.py", "") for name in files),
    ]:
        if any(part.endswith(".py") for part in name.split("/")[:-1]):
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)  # noqa: S607
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"],  # noqa: S607
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    ).stdout
    expected = sorted(name for name in listed.split("\0") if name.endswith(".py"))
    assert list(walked(root).files) == expected
    Repo(root).git("add", "--all", "--force")
    assert walked(root).files == git_has(root)
    assert walked(root).skipped == ()


def git_has(root: Path) -> tuple[str, ...]:
    paths = Repo(root).git("ls-files").splitlines()
    return tuple(sorted(path for path in paths if path.endswith(".py")))
