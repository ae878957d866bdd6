"""Git as a source of files and of changes, by its own program (docs/adr/0016).

Nothing here writes: not the work tree, not the index, no refs. Git is kept from asking questions,
from the network, from the user's language and from programs that settings or attributes name.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import selectors
import shutil
import subprocess
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import IO, Literal

from msgspec import Struct

from portaudit.errors import PortauditError, nearest
from portaudit.files import (
    Kind,
    Listed,
    TooLargeError,
    bounded,
    folders,
    missing,
    too_large,
)

Status = Literal["added", "modified", "deleted", "renamed"]

_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
"""Where a repository is. Relative ones are meant from the working directory, …"""
_PLACES_IN_TREE = ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")
"""… these from the top of the work tree, where git goes before it looks at them."""
_FURTHER = "GIT_ALTERNATE_OBJECT_DIRECTORIES"
"""Absolute ones, where git itself sets it: for a hook that judges a push before it is let in."""
_UNWANTED = (
    _FURTHER,
    "GIT_PREFIX",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "LANGUAGE",
)
_SETTINGS = {
    "LC_ALL": "C",  # messages are told apart by their words
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for a git that does not know the line above
}
_KINDS: dict[bytes, Kind] = {b"100": "file", b"120": "link", b"160": "submodule"}
"""What the first digits of a mode say; git takes any others for those of a submodule."""
_REGULAR = b"100"
_RAW = ("--raw", "-z", "-M", "-l1000", "--no-abbrev", "--ignore-submodules=all")
_STAGED = ["diff-index", "--cached", "--ita-invisible-in-index"]
_START_LIMIT = 5_000_000
"""Bytes of a file above which its first ones are not worth reading it."""
_LINKS = 40
"""Links to follow, one after the other, before it is a loop."""
_LONGEST = 4096
"""Bytes of what a link leads to."""
LARGEST = 1_000_000_000
"""Bytes of a file that is read at all, whatever the settings say: what git says is small may not be
what it has elsewhere, or packed."""
_NAMED = 10_000_000
"""Bytes of a file of git's own that names commits."""
_PATIENCE = 600.0
"""Seconds that git is waited for: it opens whatever lies in its folder, also a pipe."""
_COMMIT = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\n"
)
_POINTER_LIMIT = 1024
_BRANCH = re.compile(r"(?!HEAD\b)(?=.*[^0-9a-f])[\w./-]+")
"""What may be a branch, and is neither a commit's name nor counted from one."""


class GitError(PortauditError):
    """What git cannot tell, and what to do about it."""


class LackingError(GitError, OSError):
    """Contents that this repository lacks: the file cannot be read, like one on a broken disk."""


class _EndlessError(OSError):
    """A link that leads to itself, or to no path."""


class Place(Enum):
    """What a revision can be compared with besides another one."""

    INDEX = "the index"
    WORK_TREE = "the work tree"


class Change(Struct, frozen=True):
    """A file that differs between two sides, by its path in each, relative to the root.

    Links and submodules are no files: a file that became a link is deleted. A file that came from
    outside the root is added.
    """

    status: Status
    old: str | None
    new: str | None


class Repository(Struct, frozen=True):
    """The repository that a folder lies in.

    `top` is the work tree, `None` in a bare repository · `prefix` leads from there to the root,
    empty or with a slash at its end · `places` are variables for git's environment.
    """

    root: Path
    top: Path | None
    prefix: str
    program: str
    places: Mapping[str, str]

    @classmethod
    def at(cls, root: Path) -> Repository:
        """Find the repository of a folder, which is absolute and resolved.

        In a commit hook git says by its environment which repository and index are meant. That
        counts for its own work tree, and not for a submodule in it.
        """
        program = shutil.which("git")
        if program is None:
            raise GitError(
                "git was not found; install it, or compare with a baseline "
                "(`portaudit baseline create`), which needs none"
            )
        own = _found(program, root, {})
        given = _given(_PLACES, Path.cwd()) | _given(_PLACES_IN_TREE, Path.cwd())
        around = _found(program, Path.cwd(), given) if given else None
        if around and _speaks_for(around, own, root):
            inside = _given(_PLACES_IN_TREE, around.top or Path.cwd())
            if further := os.environ.get(_FURTHER):
                inside[_FURTHER] = further
            return cls._of(program, root, around, inside)
        if own:
            return cls._of(program, root, own, {})
        raise GitError(
            f"{root} is in no git repository; compare with a baseline instead "
            "(`portaudit baseline create`)"
        )

    @classmethod
    def _of(cls, program: str, root: Path, found: _Found, indexes: Mapping[str, str]) -> Repository:
        places = {"GIT_DIR": str(found.folder), **indexes}
        if found.top is None or not root.is_relative_to(found.top):
            return cls(root, None, "", program, places)
        inner = root.relative_to(found.top).as_posix()
        prefix = "" if inner == "." else f"{inner}/"
        places["GIT_WORK_TREE"] = str(found.top)
        return cls(root, found.top, prefix, program, places)

    # --- commits ---

    def resolve(self, ref: str) -> str:
        """The commit that a branch, tag or other revision means."""
        if ref and not ref.startswith("-") and "\0" not in ref:
            done = self.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", fine=(0, 1))
            if done.stdout:
                return done.stdout.decode().strip()
        if self._head() is None:
            raise GitError("the repository has no commits yet; there is nothing to compare with")
        if not ref:
            raise GitError("no commit was named; give a branch, a tag or a commit")
        raise GitError(f'git knows no commit "{ref}"{self._hint(ref)}')

    def parent(self) -> str:
        """What the next commit builds on: HEAD or, before the first commit, an empty tree."""
        empty = ("hash-object", "-t", "tree", "--stdin")
        return self._head() or self.run(*empty).stdout.decode().strip()

    def merging(self) -> list[str]:
        """The commits that are being merged into HEAD: what the next commit also builds on."""
        return _named_in(self._path("MERGE_HEAD"))

    def merge_base(self, ref: str) -> str:
        """The commit that HEAD and a revision have in common, as `git diff REF...` chooses it."""
        commit = self.resolve(ref)
        done = self.run("merge-base", self.resolve("HEAD"), commit, fine=(0, 1))
        if done.stdout:
            return done.stdout.decode().split()[0]
        if self.is_shallow():
            raise GitError(
                f"this clone is too shallow to hold a common ancestor of HEAD and {ref}; "
                f"{_deepen(ref)}"
            )
        raise GitError(f"HEAD and {ref} have no common ancestor; give a commit of HEAD's history")

    def short(self, commit: str) -> str:
        """The beginning of a commit's name that no other object of the repository shares."""
        return self.run("rev-parse", "--short", commit).stdout.decode().strip()

    def is_shallow(self) -> bool:
        """Whether history was cut off when the repository was cloned."""
        return self.run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def last_change(self, path: str, *, lines: str = "") -> str | None:
        """The last commit of HEAD's history that changed a file, or such lines of it.

        `lines` is a regular expression, in git's extended form.

        `None` for a file that was never committed, and where a shallow clone does not reach back
        to the change: its oldest commits only seem to add everything.
        """
        if self._head() is None:
            return None
        plain = ("--no-ext-diff", "--no-textconv", "--no-show-signature")
        of_lines = (*plain, f"-G{lines}") if lines else plain
        place = (self.prefix + path,)
        done = self.run("log", "-1", "--format=%H", *of_lines, "HEAD", "--", *place)
        commit = done.stdout.decode().strip()
        return None if not commit or commit in self._cut() else commit

    def _head(self) -> str | None:
        done = self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", fine=(0, 1))
        return done.stdout.decode().strip() or None

    def _hint(self, ref: str) -> str:
        done = self.run("for-each-ref", "--format=%(refname:short)")
        names = done.stdout.decode("utf-8", "replace").split("\n")
        last = ref.rpartition("/")[2]  # of origin/main, or of a ref of a remote that is not here
        same = [name for name in names if last and name.rpartition("/")[2] == last]
        if same:
            return f'; did you mean "{same[0]}"?'
        if self.is_shallow():
            return f"; this clone is shallow: {_deepen(ref)}"
        return nearest(ref, names) or "; `git branch --all` and `git tag` list what there is"

    def _cut(self) -> Collection[str]:
        """The commits of a shallow clone whose parents are missing."""
        if not self.is_shallow():
            return ()
        return _named_in(self._path("shallow"))

    # --- files ---

    def revision(self, commit: str) -> Snapshot:
        """The files of a commit, or of a tree."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *self._inside())
        heads = (_split(record) for record in _records(listed.stdout))
        return self._snapshot((mode, name, path) for (mode, _, name), path in heads)

    def index(self) -> Snapshot:
        """The files of the index, as the next commit has them; of one in conflict, our version."""
        listed = self.run("ls-files", "-s", "-z", "--full-name", "--", *self._inside())
        heads = [_split(record) for record in _records(listed.stdout)]
        heads.sort(key=lambda item: b"1320".index(item[0][2]))
        return self._snapshot((mode, name, path) for (mode, name, _), path in heads)

    def tracked(self) -> list[str]:
        """The paths of the index, of files, links and submodules."""
        if self.top is None:  # the root is no part of what its index is about
            return []
        listed = self.run("ls-files", "-z", "--full-name", "--", *self._inside())
        inner = (self._inner(path) for path in _records(listed.stdout))
        return [path for path in inner if path is not None]

    def _snapshot(self, entries: Iterable[tuple[bytes, bytes, bytes]]) -> Snapshot:
        blobs = {
            inner: _Blob(_KINDS.get(mode[:3], "submodule"), name.decode())
            for mode, name, path in entries
            if (inner := self._inner(path)) is not None
        }
        return Snapshot(self.root, blobs, _Reader(self))

    def _inside(self) -> Sequence[str]:
        return [self.prefix] if self.prefix else []

    def _inner(self, path: bytes) -> str | None:
        """A path of git's relative to the root; `None` for one that is outside."""
        text = os.fsdecode(path)
        return text[len(self.prefix) :] if text.startswith(self.prefix) else None

    # --- changes ---

    def changes(self, old: str, new: str | Place) -> list[Change]:
        """What differs between a commit and another one, the index, or the work tree.

        Renames are found as `git diff -M` finds them. Files that git neither knows nor ignores
        are part of the work tree.
        """
        if new is Place.WORK_TREE:
            return self._changes_on_disk(old)
        against = ["diff-tree", "-r"] if isinstance(new, str) else _STAGED
        sides = [old, new] if isinstance(new, str) else [old]
        done = self.run(*against, *_RAW, *sides, "--")
        return self._judged(_differences(done.stdout), old)

    def _changes_on_disk(self, old: str) -> list[Change]:
        if self.top is None:
            raise GitError(f"{self.root} is a bare repository; it has no work tree to compare")
        command = (*self._without_filters(), "diff-index", *_RAW, old, "--")
        found = list(_differences(self.run(*command).stdout))
        unknown = self._unknown()
        if unknown and any(item.status == b"D" for item in found):
            with self._with_known(unknown) as places:
                found = list(_differences(self.run(*command, places=places).stdout))
                unknown = []
        reader = _Reader(self)
        changed = [item for item in found if not self._is_same(item, reader)]
        added = [_Difference(b"A", b"000", _REGULAR, "0", "", path, path) for path in unknown]
        return self._judged([*changed, *added], old)

    def _judged(self, found: Iterable[_Difference], old: str) -> list[Change]:
        """Differences of regular files as changes below the root."""
        changes = []
        before: Mapping[str, _Blob] | None = None
        for item in found:
            source, result = self._inner(item.old), self._inner(item.new)
            if item.status == b"U":  # git says nothing of what the sides of a conflict are
                before = self.revision(old).blobs if before is None else before
                source = source if source in before else None
            else:
                source = source if item.old_mode == _REGULAR else None
                result = result if item.new_mode == _REGULAR else None
            if item.old_blob != item.new_blob or source != result or item.status == b"U":
                if change := _change(source, result):
                    changes.append(change)
        return changes

    def _is_same(self, item: _Difference, reader: _Reader) -> bool:
        """Whether a file only looks changed: its times did, or the ends of its lines.

        Git would find out by writing the index anew, and by running filters.
        """
        if item.status != b"M" or item.new_blob.strip("0") or item.old_mode != item.new_mode:
            return False
        try:
            now = bounded(str(self.folder / os.fsdecode(item.new)), LARGEST)
        except OSError:
            return False
        try:
            before = reader.read(item.old_blob)
        except TooLargeError:
            return False
        return now.replace(b"\r\n", b"\n") == before.replace(b"\r\n", b"\n")

    def _unknown(self) -> list[bytes]:
        listed = ("ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--")
        paths = _records(self.run(*listed, *self._inside()).stdout)
        return [path for path in paths if not path.endswith(b"/")]

    @contextmanager
    def _with_known(self, paths: Sequence[bytes]) -> Iterator[Mapping[str, str]]:
        """Places of a copy of the index in which files that git does not know are announced.

        Only then does it look among them for what a deleted file was renamed to.
        """
        index = Path(self.places.get("GIT_INDEX_FILE") or self._path("index"))
        with TemporaryDirectory() as folder:
            copy = Path(folder, "index")
            if index.exists():
                shutil.copy2(index, copy)  # with its time: git compares those of files with it
            places = {
                "GIT_INDEX_FILE": str(copy),
                "GIT_OBJECT_DIRECTORY": folder,
                _FURTHER: str(self._path("objects")),
            }
            announce = ("add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
            self.run(*announce, content=b"\0".join(paths), places=places)
            yield places

    def _without_filters(self) -> list[str]:
        """Options that switch off the programs through which files go into the repository."""
        done = self.run("config", "-z", "--name-only", "--get-regexp", r"^filter\.", fine=(0, 1))
        keys = {os.fsdecode(name).rpartition(".")[0] for name in _records(done.stdout)}
        values = [f"{key}.{what}" for key in sorted(keys) for what in ("clean=", "process=")]
        values += [f"{key}.required=false" for key in sorted(keys)]
        return [word for value in values for word in ("-c", value)]

    # --- git itself ---

    @property
    def folder(self) -> Path:
        """Where git runs."""
        return self.top or Path(self.places["GIT_DIR"])

    def run(
        self,
        *words: str,
        fine: Collection[int] = (0,),
        content: bytes = b"",
        places: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git to its end. Raises `GitError` for an exit code that is not fine."""
        environment = _environment({**self.places, **places})
        done = _done(self.command(*words), self.folder, environment, content)
        if done.returncode not in fine:
            raise _refusal(done.stderr)
        return done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start git and leave it running, its errors unheard."""
        return subprocess.Popen(  # noqa: S603 - git itself, without a shell
            self.command(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=_environment(self.places),
        )

    def command(self, *words: str) -> list[str]:
        """Words that start git."""
        return [self.program, "--no-pager", "-c", "core.fsmonitor=false", *words]

    def large(self, digest: str) -> Path:
        """Where Git LFS keeps a file of this digest, if it was fetched."""
        return self._path("lfs") / "objects" / digest[:2] / digest[2:4] / digest

    def _path(self, name: str) -> Path:
        done = self.run("rev-parse", "--git-path", name)
        return self.folder / os.fsdecode(done.stdout.removesuffix(b"\n"))


def tracked(root: Path) -> list[str] | None:
    """What git has below a folder: nothing outside of a repository, `None` where git is no help.

    Repositories below it are not asked for.
    """
    places = (root, *root.parents)
    if "GIT_DIR" not in os.environ and not any(Path(place, ".git").exists() for place in places):
        return []
    try:
        return Repository.at(root).tracked()
    except GitError:
        return None


class _Blob(Struct, frozen=True):
    kind: Kind
    name: str


class Snapshot(Struct, frozen=True, dict=True):
    """The files of a commit or of the index, below a root."""

    root: Path
    blobs: Mapping[str, _Blob]
    reader: _Reader

    def listed(self, folder: str) -> Sequence[Listed]:
        """What a folder holds, sorted by name."""
        if folder not in self._folders:
            raise missing(folder)
        return self._folders[folder]

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder, or a link to one that is in the tree as well."""
        try:
            return self._followed(path) in self._folders
        except _EndlessError:
            return False

    def size(self, path: str) -> int:
        """Bytes of a file; of a link, its own. 0 for one that a partial clone has not fetched."""
        return self._sizes.get(self._blob(path).name, 0)

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises `GitError` for one that a partial clone has not fetched."""
        return self.reader.file(self._blob(self._followed(path)).name)

    def start(self, path: str, length: int) -> bytes:
        """The first bytes of a file; none of one that is far too large to be source."""
        return b"" if self.size(path) > _START_LIMIT else self.read(path)[:length]

    def state(self, path: str) -> None:
        """Nothing: that contents are the same is not asked of git."""

    def tracked(self) -> Collection[str]:
        """All of it: git ignores nothing that it has."""
        return self.blobs

    @property
    def pins(self) -> Mapping[str, str]:
        """The commits that submodules are pinned at, by path."""
        return {path: blob.name for path, blob in self.blobs.items() if blob.kind == "submodule"}

    @cached_property
    def _folders(self) -> Mapping[str, tuple[Listed, ...]]:
        return folders({path: blob.kind for path, blob in self.blobs.items()})

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        return self.reader.sizes({blob.name for blob in self.blobs.values()})

    def _blob(self, path: str) -> _Blob:
        if path not in self.blobs:
            raise missing(path)
        return self.blobs[path]

    def _followed(self, path: str) -> str:
        """Where links lead. Raises `_EndlessError` for those that lead nowhere."""
        for _ in range(_LINKS):
            blob = self.blobs.get(path)
            if blob is None or blob.kind != "link":
                return path
            try:
                target = os.fsdecode(self.reader.read(blob.name, _LONGEST))
            except TooLargeError:
                break
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            path = "" if path == "." else path
        raise _EndlessError(errno.ELOOP, os.strerror(errno.ELOOP), path)


class _Reader:
    """Reads blobs: one git for each process that asks, started when it first does."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        # A process that was forked has the pipes of its parent, and must not touch them.
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def __reduce__(self) -> tuple[type[_Reader], tuple[Repository]]:
        return _Reader, (self._repository,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reader) and self._repository == other._repository

    __hash__ = None  # type: ignore[assignment]  # what it is equal to by has none

    def file(self, name: str) -> bytes:
        """The contents of a file, also of one that Git LFS keeps elsewhere."""
        content = self.read(name)
        pointer = _POINTER.match(content) if len(content) < _POINTER_LIMIT else None
        if pointer is None:
            return content
        try:
            return bounded(str(self._repository.large(pointer[1].decode())), LARGEST)
        except FileNotFoundError:
            raise OSError(errno.ENOENT, "Git LFS has not fetched it; run `git lfs fetch`") from None

    def read(self, name: str, most: int | None = None) -> bytes:
        """The contents of a blob. Raises `TooLargeError` for more bytes than somebody wants."""
        git = self._running.get(os.getpid()) or self._start()
        assert git.stdin
        assert git.stdout
        try:
            git.stdin.write(name.encode() + b"\n")
            git.stdin.flush()
        except BrokenPipeError:
            self._running.pop(os.getpid())  # git gave up on an earlier one
            raise _lacking(name) from None
        if not _is_answered(git.stdout):
            self._end()
            raise _silence()
        words = git.stdout.readline().split()
        if len(words) != len(("name", "type", "size")):
            if not words:
                self._running.pop(os.getpid())
            raise _lacking(name)
        most = LARGEST if most is None else most
        if int(words[2]) > most:
            self._end()  # quicker than to pass over what it says
            raise too_large(most, name)
        content = git.stdout.read(int(words[2]))
        git.stdout.read(len(b"\n"))
        return content

    def sizes(self, names: Collection[str]) -> dict[str, int]:
        """The sizes of blobs, as far as they are known without fetching any."""
        wanted = "".join(f"{name}\n" for name in names).encode()
        asked = ("cat-file", "--buffer", "--batch-check=%(objectname) %(objectsize)")
        done = self._repository.run(*asked, content=wanted, fine=(0, 128))
        if done.returncode:
            return {}
        pairs = (line.split() for line in done.stdout.decode().splitlines())
        return {name: int(size) for name, size in pairs if size.isdigit()}

    def _end(self) -> None:
        _stop(self._running.pop(os.getpid()), os.getpid())

    def _start(self) -> subprocess.Popen[bytes]:
        git = self._repository.start("cat-file", "--batch")
        self._running[os.getpid()] = git
        weakref.finalize(self, _stop, git, os.getpid())
        return git


def _stop(git: subprocess.Popen[bytes], owner: int) -> None:
    if owner == os.getpid():
        git.kill()
        with git:  # waits, and closes the pipes
            pass


def _done(
    words: Sequence[str], place: Path, environment: Mapping[str, str], content: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a git to its end, unless it waits for ever."""
    try:
        return subprocess.run(  # noqa: S603 - git itself, without a shell
            words,
            input=content,
            capture_output=True,
            cwd=place,
            env=environment,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise _silence() from None


def _is_answered(stream: IO[bytes]) -> bool:
    """Whether there is something to be read before patience ends."""
    if os.name == "nt":  # where pipes cannot be waited for
        return True
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        return bool(waiting.select(_PATIENCE))


def _silence() -> LackingError:
    return LackingError(
        f"git does not answer for {_PATIENCE:.0f} s; is there a pipe in its folder (`.git`)?"
    )


# --- finding a repository -------------------------------------------------------------------------


class _Found(Struct, frozen=True):
    folder: Path
    top: Path | None


def _found(program: str, place: Path, places: Mapping[str, str]) -> _Found | None:
    """The repository of a folder; of the one that `places` name, if they do."""

    def ask(word: str) -> subprocess.CompletedProcess[bytes]:
        return _done([program, "rev-parse", word], place, _environment(places))

    folder, top = ask("--absolute-git-dir"), ask("--show-toplevel")
    if folder.returncode:
        if b"not a git repository" in folder.stderr:
            return None
        raise _refusal(folder.stderr)
    return _Found(_path(folder.stdout), None if top.returncode else _path(top.stdout))


def _path(output: bytes) -> Path:
    return Path(os.fsdecode(output.removesuffix(b"\n"))).resolve()


def _given(names: Sequence[str], folder: Path) -> dict[str, str]:
    """Variables that are set, as absolute paths."""
    given = ((name, os.environ.get(name)) for name in names)
    return {name: str(Path(folder, value).absolute()) for name, value in given if value}


def _speaks_for(around: _Found, own: _Found | None, root: Path) -> bool:
    """Whether a root belongs to the repository that the environment names."""
    if around.top is None:
        return own is None or own.folder == around.folder
    if not root.is_relative_to(around.top):
        return False
    if own is None or own.top is None or own.folder == around.folder:
        return True
    return not own.top.is_relative_to(around.top)


def _environment(places: Mapping[str, str]) -> dict[str, str]:
    dropped = {*_PLACES, *_PLACES_IN_TREE, *_UNWANTED}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, **_SETTINGS, **places}


# --- what git says --------------------------------------------------------------------------------


class _Difference(Struct, frozen=True):
    """A record of `git diff --raw`. The blob of a file on disk is only zeros."""

    status: bytes
    old_mode: bytes
    new_mode: bytes
    old_blob: str
    new_blob: str
    old: bytes
    new: bytes


def _differences(output: bytes) -> Iterator[_Difference]:
    fields = iter(_records(output))
    for head in fields:
        old_mode, new_mode, old_blob, new_blob, status = head[1:].split(b" ")
        old = next(fields)
        new = next(fields) if status[:1] == b"R" else old
        yield _Difference(
            status[:1],
            old_mode[:3],
            new_mode[:3],
            old_blob.decode(),
            new_blob.decode(),
            old,
            new,
        )


def _named_in(place: Path) -> list[str]:
    """The commits that a file of git's own names; none if there is no such file."""
    try:
        content = bounded(str(place), _NAMED)
    except OSError:
        return []
    return [word.decode() for word in content.split() if _COMMIT.fullmatch(word)]


def _change(old: str | None, new: str | None) -> Change | None:
    if old is None or new is None:
        if old == new:
            return None
        return Change("added" if old is None else "deleted", old, new)
    return Change("modified" if old == new else "renamed", old, new)


def _records(output: bytes) -> list[bytes]:
    return output.split(b"\0")[:-1]


def _split(record: bytes) -> tuple[list[bytes], bytes]:
    head, _, path = record.partition(b"\t")
    return head.split(b" "), path


def _deepen(ref: str) -> str:
    name = ref.removeprefix("origin/")
    # A clone of one branch would not keep another one without being told where.
    branch = f" origin {name}:refs/remotes/origin/{name}" if _BRANCH.fullmatch(name) else ""
    return (
        f"fetch more: `git fetch --deepen=1000{branch}`, or `fetch-depth: 0` for actions/checkout"
    )


def _refusal(stderr: bytes) -> GitError:
    text = stderr.decode("utf-8", "replace").strip()
    if "promisor remote" in text or "lazy fetching disabled" in text:
        name = re.search(r"\b[0-9a-f]{40,}\b", text)
        return _lacking(name[0] if name else "of a file")
    return GitError(f"git says: {text.replace('fatal: ', '')}")


def _lacking(name: str) -> LackingError:
    return LackingError(
        f"the contents {name} are not in this repository; in a partial clone `git diff --stat REF` "
        "fetches those of the changed files, and `git fetch --refetch --no-filter` all"
    )
