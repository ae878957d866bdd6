"""Second stage: which files a run audits, from the root and the paths given, as `Tree`.

Must not judge or keep file contents; of what it leaves out it says why. Git's ignore files inside
the root count, those above it do not; what git has in spite of them is taken. Git is asked for that
only where something is ignored. Whether a tree is on disk or in a commit makes no difference.
"""

from __future__ import annotations

import errno
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.budget import MEGABYTES
from portaudit.config import Config
from portaudit.errors import ConfigError, UsageError
from portaudit.files import Files, Kind, Listed
from portaudit.ignores import REFUSALS, is_endless, linear
from portaudit.kinds import kind_by_name
from portaudit.types import FileKind, ScanError, Setting, Skipped

_MEGABYTE = 1_000_000
DATA_LIMIT = 500_000
"""Bytes. A longer file of values is data or a vocabulary, not settings that somebody wrote.

Lock files are none of the three: they name packages, however many.
"""

_UNASKED = "; whether git has it all the same could not be asked"
"""What is said of ignored files where there is a repository and git is missing, or refuses."""
_DEEPEST = 100
"""Folders in one another that are entered."""
SUBMODULE = "a submodule"
"""Why the files of a repository within the repository are left out, where git tells them apart."""
SPECIAL = "a pipe, a socket or a device"
"""Why something with the name of a source file is not opened."""
_VALUES: frozenset[FileKind] = frozenset({"yaml", "json"})
_INTERPRETERS: dict[bytes, FileKind] = {b"python": "python", b"sh": "shell"}
_QUIET = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "__pycache__",
        ".tox",
        ".nox",
        ".eggs",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".portaudit-baseline.json",
    }
)
"""What tools keep: never the audited code, so not even mentioned."""
_UNREAD = (
    *(".c", ".inc", ".hh", ".tpp", ".ipp", ".tcc", ".txx", ".h++", ".pyx", ".pxd", ".pxi", ".i"),
    *(".ii", ".in", ".def", ".tmpl", ".template", ".jinja", ".j2", ".mako", ".cuda", ".ptx", ".cl"),
    *("meson.build", ".bzl", ".bazel", "/BUILD", ".gn", ".gyp", ".ninja", ".lua", ".pl"),
)
"""How the names of files end that are no kind of source here, and may hold or name native code."""
_AROUND = (".env", ".envrc", "_env", ".conf", ".service", ".bat", ".cmd", ".ps1", ".fish")
"""How those end that may set variables of the environment around a run."""
_FOLDERS = frozenset({"folder", "submodule"})
_OTHERS: Mapping[Kind, str] = {"submodule": SUBMODULE, "other": SPECIAL}
"""Why what is no file is left out."""
_MANIFESTS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", ".git"})
_OF_GIT = frozenset({"HEAD", "config", "objects", "refs"})
"""What a folder holds in which git keeps a repository."""
_ROOT_MANIFESTS = _MANIFESTS | {"requirements.txt"}


class Tree(Struct, frozen=True):
    """The files of a run. All paths are posix, relative to the root and sorted.

    `files`: every source file under the root, which relating needs · `kinds`: of each ·
    `selected`: those whose findings are reported · `skipped`: what was left out under the given
    paths, `errors`: what could not be read, both as a reader can see their names · `projects`:
    directories that a project of its own begins in, by their manifest · `others`: files that are
    read for names only, as native code may stand there · `around`: files of no kind that may set
    variables of the environment · `variables`: what those set, as far as it was read.
    """

    root: Path
    files: tuple[str, ...]
    selected: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    errors: tuple[ScanError, ...] = ()
    projects: frozenset[str] = frozenset()
    kinds: Mapping[str, FileKind] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    variables: tuple[Setting, ...] = ()

    @classmethod
    def of(
        cls,
        root: Path,
        files: Iterable[str],
        selected: Iterable[str] | None = None,
        projects: Iterable[str] = (),
    ) -> Tree:
        """A tree that exists only as paths, all of them selected unless said otherwise."""
        kinds = {path: kind for path in sorted(files) if (kind := kind_by_name(path))}
        chosen = tuple(kinds if selected is None else selected)
        return cls(root, tuple(kinds), chosen, projects=frozenset(projects), kinds=kinds)

    @property
    def modules(self) -> tuple[str, ...]:
        """The files that Python could import."""
        return tuple(path for path in self.files if self.kinds[path] == "python")

    def only(self, paths: Iterable[str]) -> Tree:
        """The same tree with only these of its selected files; others are not spoken of."""
        wanted = frozenset(map(_shown, paths))
        around = wanted.union(*(_above(path) for path in wanted))
        return replace(
            self,
            selected=tuple(path for path in self.selected if path in wanted),
            skipped=tuple(entry for entry in self.skipped if entry.path in wanted),
            errors=tuple(entry for entry in self.errors if entry.path in around),
        )


class Side(Struct, frozen=True):
    """A tree to scan, and where its files are read: one side of a comparison."""

    files: Files
    tree: Tree


def side(config: Config, files: Files) -> Side:
    """The files that a config names, where these are read. Raises `ConfigError` as `walk` does."""
    tree = walk(
        files,
        config.paths,
        config.exclude,
        forced=config.force_exclude,
        largest=config.file_megabytes,
    )
    return Side(files, tree)


def walk(
    files: Files,
    paths: Sequence[Path],
    exclude: Iterable[str] = (),
    *,
    forced: bool = False,
    largest: int = MEGABYTES,
) -> Tree:
    """Find the files under the root, and among them those under the paths.

    Paths are absolute and resolved, as the root is. `exclude` holds patterns as in a .gitignore at
    the root; a path that is given itself is taken even if a pattern or ignore file names it, unless
    those are `forced`. What git has is taken whatever its ignore files say of it, and only the
    `exclude` patterns leave it out. A file of more than so many megabytes is not read, whoever
    names it.
    Symbolic links inside the tree are not followed: their target is in the
    tree, or not its code.
    Raises `ConfigError` for a pattern that cannot be read, `UsageError` for the folder of a bare
    repository, which holds no files but git's.
    """
    given = frozenset(relative(files.root, path) for path in paths)
    excluded = _exclusions(exclude)
    found = _Found(largest, _Tracked(files))
    _descend(found, files, "", excluded)
    if not found.kinds and _is_bare(files):
        raise UsageError(
            f"{files.root}: is the folder of a git repository without files of its own; "
            f"`git -C {files.root} worktree add DIR` writes them somewhere to be audited"
        )
    failed = {error.path for error in found.errors}
    missed = [] if forced else sorted(given - found.kinds.keys() - found.folders - failed)
    if not forced:
        found.skipped = [skipped for skipped in found.skipped if skipped.path not in given]
    for path in missed:
        if files.is_folder(path):
            outside = excluded and excluded.verdict(path, folder=True)
            if path not in found.folders:
                found.forget(path)
            _descend(found, files, path, None if outside else excluded)
        else:
            _add_named(found, files, path)
    skipped = (
        replace(entry, path=_shown(entry.path))
        for entry in found.skipped
        if _within(entry.path, given)
    )
    errors = (
        replace(entry, path=_shown(entry.path))
        for entry in found.errors
        if _within(entry.path, given)
    )
    return Tree(
        root=files.root,
        files=tuple(sorted(found.kinds)),
        selected=tuple(sorted(path for path in found.kinds if _within(path, given))),
        skipped=tuple(sorted(skipped, key=lambda entry: entry.path)),
        errors=tuple(sorted(errors, key=lambda entry: entry.path)),
        projects=frozenset(found.projects),
        kinds=found.kinds,
        others=tuple(sorted(found.others)),
        around=tuple(sorted(found.around)),
    )


def _is_bare(files: Files) -> bool:
    """Whether the root is a folder of git's own."""
    try:
        names = {entry.name for entry in files.listed("")}
    except OSError:
        return False
    return names >= _OF_GIT


def read(files: Files, path: str) -> bytes | ScanError:
    """The bytes of a file of the tree, or why there are none."""
    try:
        return files.read(path)
    except OSError as error:
        return ScanError(path, _unreadable(error))


def kind_of(files: Files, path: str) -> FileKind | None:
    """What kind of source a file is, by its name or, without a suffix, its first line."""
    kind = kind_by_name(path)
    if kind:
        return kind
    name = path.rpartition("/")[2]
    if "." in name.rstrip("."):
        return None
    start = files.start(path, 128)
    if not start.startswith(b"#!"):
        return None
    line = start.partition(b"\n")[0]
    return next((kind for word, kind in _INTERPRETERS.items() if word in line), None)


# --- walking --------------------------------------------------------------------------------------


class _Tracked(Struct, frozen=True, dict=True):
    """What git has of the files. It is asked when that is wanted for the first time."""

    files: Files

    def __contains__(self, path: str) -> bool:
        """Whether git has a file, a link or a submodule."""
        paths = self._paths or ()
        at = bisect_left(paths, path)
        return at < len(paths) and paths[at] == path

    def has_below(self, folder: str) -> bool:
        """Whether git has something of a folder."""
        paths = self._paths or ()
        at = bisect_left(paths, f"{folder}/")
        return at < len(paths) and paths[at].startswith(f"{folder}/")

    @property
    def is_known(self) -> bool:
        """Whether git could be asked, or there is no repository."""
        return self._paths is not None

    @cached_property
    def _paths(self) -> Sequence[str] | None:
        held = self.files.tracked()
        if held is None:
            from portaudit import git  # noqa: PLC0415 - most trees need not wait for it

            held = git.tracked(self.files.root)
        return None if held is None else sorted(held)


class _Found(Struct):
    largest: int
    tracked: _Tracked
    kinds: dict[str, FileKind] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)
    errors: list[ScanError] = field(default_factory=list)
    projects: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    around: set[str] = field(default_factory=set)

    def forget(self, folder: str) -> None:
        """Say nothing of what lies in a folder: of an ignored one, all but what git has was."""
        below = f"{folder}/"
        self.skipped = [entry for entry in self.skipped if not entry.path.startswith(below)]
        self.errors = [entry for entry in self.errors if not entry.path.startswith(below)]


class _Line(Struct, frozen=True):
    """A line of an ignore file. `ignores` is false for one that begins with `!`."""

    regex: re.Pattern[str]
    ignores: bool
    folders_only: bool

    def selects(self, path: str, *, folder: bool) -> bool:
        """Whether the line means this very entry, and not only a directory above it.

        Directories are judged on the way down, each by itself: `!/a` takes back `a`, but not
        the `a/a` that another line ignores. pathspec puts what lies below a match into a group.
        """
        if self.folders_only and not folder:
            return False
        match = self.regex.search(path)
        return match is not None and match.groupdict().get("ps_d") is None


class _Patterns(Struct, frozen=True):
    """Ignore patterns, the last line first, and the directory that they are relative to.

    `some` matches whatever a line may mean: most paths are settled by this one search.
    """

    base: str
    lines: tuple[_Line, ...]
    some: re.Pattern[str]
    reason: str

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Ignored, taken back by a `!` line, or not mentioned."""
        inner = path[len(self.base) + 1 :] if self.base else path
        if not self.some.search(inner):
            return None
        selecting = (line for line in self.lines if line.selects(inner, folder=folder))
        return next((line.ignores for line in selecting), None)


class _Ignoring(Struct, frozen=True):
    """What leaves out entries of a folder.

    `excluded`: the patterns of the settings · `lines`: those of ignore files, the innermost first ·
    `around`: why the folder itself is ignored, so that only what git has of it is taken.
    """

    excluded: _Patterns | None
    lines: tuple[_Patterns, ...] = ()
    around: str = ""

    def reason(self, path: str, tracked: _Tracked, *, folder: bool) -> str:
        """Why an entry is left out; of a folder, why all is left out that git does not have."""
        if self.excluded:
            verdict = self.excluded.verdict(path, folder=folder)
            if verdict:
                return self.excluded.reason
            if verdict is False and not self.around:
                return ""
        ignored = self.around or _ignored(path, self.lines, folder=folder)
        if not ignored or path in tracked:
            return ""
        return ignored if tracked.is_known or ignored.endswith(_UNASKED) else ignored + _UNASKED


def _descend(found: _Found, files: Files, start: str, excluded: _Patterns | None) -> None:
    waiting = [(start, _Ignoring(excluded))]
    while waiting:
        folder, ignoring = waiting.pop()
        if folder in found.folders:
            continue
        if not ignoring.around:  # of others only some was seen
            found.folders.add(folder)
        if folder.count("/") >= _DEEPEST:
            found.errors.append(ScanError(folder, f"lies in more than {_DEEPEST} folders"))
            continue
        try:
            entries = files.listed(folder)
        except OSError as error:
            found.errors.append(ScanError(folder or ".", _unreadable(error)))
            continue
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names and folder != start:
            found.folders.discard(folder)
            found.skipped.append(Skipped(folder, "a virtual environment"))
            continue
        if names & (_MANIFESTS if folder else _ROOT_MANIFESTS) and _is_text(folder):
            found.projects.add(folder)
        if ".gitignore" in names and not ignoring.around:
            lines = (_ignore_file(files, folder), *ignoring.lines)
            ignoring = replace(ignoring, lines=lines)
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if _is_quiet(entry.name):
                continue
            around = _sort_out(found, files, entry, path, ignoring)
            if around is not None:
                waiting.append((path, replace(ignoring, around=around)))


def _sort_out(
    found: _Found, files: Files, entry: Listed, path: str, ignoring: _Ignoring
) -> str | None:
    """Record an entry as file or as skipped; of a directory to walk, why it is ignored itself."""
    folder = entry.kind in _FOLDERS
    try:
        kind = None if folder else _source_kind(files, entry, path)
        if not folder and kind is None:
            if entry.kind == "file" and f"/{path}".endswith(_UNREAD + _AROUND) and _is_text(path):
                if not ignoring.reason(path, found.tracked, folder=False):
                    (found.others if f"/{path}".endswith(_UNREAD) else found.around).add(path)
            return None
        ignored = ignoring.reason(path, found.tracked, folder=folder)
        if entry.kind == "folder" and ignored and _holds_tracked(found, path, ignoring):
            return ignored
        reason = ignored or _reason_to_skip(files, entry, path, kind)
        if kind and not reason:
            _check_size(files, path, found.largest)
    except OSError as error:
        found.errors.append(ScanError(path, _unreadable(error)))
        return None
    if reason:
        found.skipped.append(Skipped(path, reason))
    elif kind:
        _add(found, path, kind)
    return "" if folder and not reason else None


def _holds_tracked(found: _Found, folder: str, ignoring: _Ignoring) -> bool:
    """Whether git has something of an ignored folder that the settings do not leave out."""
    excluded = ignoring.excluded and ignoring.excluded.verdict(folder, folder=True)
    return not excluded and found.tracked.has_below(folder)


def _source_kind(files: Files, entry: Listed, path: str) -> FileKind | None:
    """What an entry that is no directory holds; of a link, what its name or target says."""
    if entry.kind == "link":
        kind = kind_by_name(entry.name)
        return "python" if kind is None and files.is_folder(path) else kind
    return kind_of(files, path) if entry.kind == "file" else kind_by_name(path)


def _reason_to_skip(files: Files, entry: Listed, path: str, kind: FileKind | None) -> str:
    """Why an entry that nothing ignores is left out; one without a kind is a directory."""
    if entry.kind == "folder":
        return ""
    if entry.kind != "file":
        return _OTHERS.get(entry.kind, "a symbolic link")
    if kind in _VALUES and not entry.name.endswith(".lock") and files.size(path) > DATA_LIMIT:
        return f"values, and more than {DATA_LIMIT // 1_000} kB of them"
    return ""


def _check_size(files: Files, path: str, largest: int) -> None:
    """Raise `OSError` for a file that is too large: generated, data, or made to hurt."""
    if files.size(path) > largest * _MEGABYTE:
        raise OSError(errno.EFBIG, f"larger than {largest} MB (`file-megabytes`)", path)


def _add_named(found: _Found, files: Files, path: str) -> None:
    try:
        kind = kind_of(files, path)
        if kind:
            _check_size(files, path, found.largest)
    except OSError as error:
        found.errors.append(ScanError(path, _unreadable(error)))
        return
    if kind:
        _add(found, path, kind)
    else:
        found.skipped.append(Skipped(path, "no kind of file that is read"))


def _add(found: _Found, path: str, kind: FileKind) -> None:
    """Record a source file. One whose path is no text could not be named in a report."""
    if _is_text(path):
        found.kinds[path] = kind
    else:
        found.errors.append(ScanError(path, "cannot be read: its name is not UTF-8"))


def _is_quiet(name: str) -> bool:
    return name in _QUIET or name == ".venv" or name.endswith(".egg-info")


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    """A path as text, with escapes for the bytes of its name that are none."""
    return path if _is_text(path) else os.fsencode(path).decode("utf-8", "backslashreplace")


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


# --- patterns -------------------------------------------------------------------------------------


def _exclusions(patterns: Iterable[str]) -> _Patterns | None:
    lines = tuple(patterns)
    for line in lines:
        if _compiled(line) is None:
            raise ConfigError(f"exclude: {line!r} is no pattern that a .gitignore could hold")
    return _patterns("", lines, "excluded by the settings") if lines else None


def _ignore_file(files: Files, folder: str) -> _Patterns:
    path = f"{folder}/.gitignore" if folder else ".gitignore"
    content = read(files, path)
    text = "" if isinstance(content, ScanError) else content.decode("utf-8", "replace")
    return _patterns(folder, text.removeprefix("\ufeff").split("\n"), f"ignored by {path}")


def _patterns(base: str, lines: Iterable[str], reason: str) -> _Patterns:
    compiled = (_compiled(line.rstrip("\r")) for line in lines)
    kept = [line for line in compiled if line]
    bare = (line.regex.pattern.replace("(?P<ps_d>", "(?:") for line in kept)
    some = re.compile("|".join(f"(?:{text})" for text in bare) or r"(?!)")
    return _Patterns(base, tuple(reversed(kept)), some, reason)


def _compiled(line: str) -> _Line | None:
    """A line as pathspec reads it; `None` for a comment, or one that could take for ever."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - trees without patterns need not wait
    from pathspec.pattern import RegexPattern  # noqa: PLC0415

    text = line if line.endswith("\\ ") else line.rstrip(" ")
    if is_endless(text):
        return None
    try:
        patterns = list(GitIgnoreSpec.from_lines([text.removesuffix("/")]).patterns)
    except REFUSALS:
        return None
    pattern = patterns[0] if patterns else None
    if not isinstance(pattern, RegexPattern) or pattern.regex is None or pattern.include is None:
        return None
    return _Line(linear(pattern.regex), pattern.include, text.endswith("/"))


def _ignored(path: str, patterns: tuple[_Patterns, ...], *, folder: bool) -> str:
    """Why a path is ignored, or an empty string: the first group that mentions it decides."""
    for group in patterns:
        verdict = group.verdict(path, folder=folder)
        if verdict is not None:
            return group.reason if verdict else ""
    return ""


# --- the given paths ------------------------------------------------------------------------------


def relative(root: Path, path: Path) -> str:
    """A path as the tree has it; the root is the empty string."""
    inner = path.relative_to(root).as_posix()
    return "" if inner == "." else inner


def _within(path: str, given: frozenset[str]) -> bool:
    """Whether a path is one of those given, or lies under one."""
    return "" in given or path in given or not given.isdisjoint(_above(path))


def _above(path: str) -> Iterator[str]:
    """The folders that a path lies in, without the root."""
    parts = path.split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts)))
