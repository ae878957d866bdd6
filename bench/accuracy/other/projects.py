"""The pinned repositories of the set, and the files of theirs that are no Python.

They are fetched by commit and unpacked; nothing of them is ever run.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

LARGEST = 1_000_000
"""Bytes; a larger file is data, and is not unpacked."""

SKIPPED = re.compile(
    r"(^|/)(third_?party|3rd_?party|vendor(ed)?|dependencies|external|node_modules)/"
    r"|tensorflow|mxnet|paddlepaddle|(^|[/_-])(jax|tf)([/_.-]|$)|package-lock\.json$|\.github/(?!workflows|actions)",
    re.IGNORECASE,
)
"""Copies of other projects, training that is not PyTorch's, locks of web pages, issue forms."""

KINDS: tuple[tuple[str, str], ...] = (
    ("native", r"\.(cu|cuh|hip|cpp|cc|h|hpp)$"),
    ("build", r"(^|/)CMakeLists\.txt$|\.cmake$|(^|/)(GNU)?[Mm]akefile[^/]*$|\.mk$"),
    (
        "manifest",
        (
            r"requirements[^/]*\.(txt|in)$|(^|/)requirements/[^/]*\.txt$"
            r"|(^|/)environment[^/]*\.ya?ml$|(^|/)pyproject[^/]*\.toml$|(^|/)setup\.cfg$"
            r"|(^|/)(Pipfile|(uv|poetry|Pipfile)\.lock)$"
        ),
    ),
    ("docker", r"(^|/)Dockerfile[^/]*$|\.[Dd]ockerfile$|(^|/)(docker-)?compose[^/]*\.ya?ml$"),
    ("shell", r"\.(sh|bash|sbatch|slurm|sub)$"),
    ("terraform", r"\.(tf|tfvars)$"),
    ("notebook", r"\.ipynb$"),
    ("yaml", r"\.ya?ml(-template|\.j2|\.tpl)?$"),
    ("config", r"\.(json|toml|gin|ini|config)$"),
)
"""Kinds of files by path; the first that matches. What is in a YAML file tells more of it."""

CLUSTER_PATH = re.compile(
    r"(^|/)(\.github/(workflows|actions)|\.circleci|\.buildkite|templates|charts?)/|azure-pipelines|\.gitlab-ci|(^|/)values[^/]*\.ya"
)
CLUSTER_TEXT = re.compile(
    r"^(apiVersion|kind|AWSTemplateFormatVersion|HeadNode|resources|accelerators):|^- hosts:",
    re.MULTILINE,
)
"""Kubernetes, Helm, CI and what else asks for machines; other YAML files configure a program."""


@dataclass(frozen=True)
class Source:
    """One commit of a public repository; whole repositories are ``tune`` or ``held-out``."""

    repository: str
    commit: str
    half: str

    @property
    def folder(self) -> str:
        """The folder that its files are unpacked to."""
        return self.repository.replace("/", "+")

    def store(self, folder: Path) -> Path:
        """The git directory under ``folder`` that has the commit, fetched if there is none."""
        store = folder / "git" / self.folder
        if not store.exists():
            url = f"https://github.com/{self.repository}"
            _git("init", "--quiet", "--bare", str(store))
            _git(f"--git-dir={store}", "remote", "add", "origin", url)
        if not _has(store, self.commit):
            _git(f"--git-dir={store}", "fetch", "--quiet", "--depth=1", "origin", self.commit)
        return store


def read_sources(path: Path) -> tuple[Source, ...]:
    """The repositories that a table pins."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(Source(**row) for row in csv.DictReader(file))


SOURCES = read_sources(Path(__file__).parent / "repositories.csv")


def kind_of_path(path: str) -> str | None:
    """The kind of a file by its path."""
    return next((kind for kind, words in KINDS if re.search(words, path)), None)


def kind_of(path: str, text: str) -> str | None:
    """The kind of a file by its path and, where that is not enough, by what it holds."""
    kind = kind_of_path(path)
    if kind == "yaml":
        cluster = CLUSTER_PATH.search(path) or CLUSTER_TEXT.search(text)
        return "cluster" if cluster else "config"
    return kind


def export(source: Source, folder: Path) -> Path:
    """The text files of a commit that have a kind, and the Python beside them for context."""
    target = folder / "src" / source.folder
    if target.is_dir():
        return target
    partial = target.with_name(f"{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    store = f"--git-dir={source.store(folder)}"
    command = ["git", store, "ls-tree", "-r", "-z", "--full-tree", source.commit]
    listed = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - pinned
    command = ["git", store, "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as git:  # noqa: S603
        assert git.stdin
        assert git.stdout
        for entry in listed.decode("utf-8", errors="replace").split("\0"):
            about, _, path = entry.partition("\t")
            if not about.startswith("100") or not _wanted(path):
                continue
            git.stdin.write(f"{about.split()[2]}\n".encode())
            git.stdin.flush()
            answer = git.stdout.readline().split()
            if answer[-1] == b"missing":
                continue  # a copy of a repository may leave out its largest files
            content = git.stdout.read(int(answer[2]) + 1)[:-1]
            if len(content) <= LARGEST and b"\0" not in content:
                file = partial / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
    return partial.rename(target)


def export_all(folder: Path) -> Path:
    """All repositories under ``folder/src``; returns that folder."""
    for each in SOURCES:
        export(each, folder)
    return folder / "src"


def _wanted(path: str) -> bool:
    return ".." not in path.split("/") and (path.endswith(".py") or bool(kind_of_path(path)))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)  # noqa: S603, S607 - pinned sources


def _has(store: Path, commit: str) -> bool:
    command = ["git", f"--git-dir={store}", "cat-file", "-e", f"{commit}^{{commit}}"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return not done.returncode
