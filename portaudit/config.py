"""First stage: what the user asked for, from the command line and the root's settings, as `Config`.

Must not look at the audited code; which words name a rule is known only to the catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from portaudit.budget import FILE_FINDINGS, FINDINGS, MEGABYTES, SECONDS, TREE_SECONDS
from portaudit.errors import ConfigError, UsageError, nearest
from portaudit.files import TooLargeError, own
from portaudit.types import CONFIDENCES, SEVERITIES, TARGETS, Confidence, Severity, Target

if TYPE_CHECKING:
    from portaudit.catalogue.assumptions import Assumptions

OWN_FILE = ".portaudit.toml"
SHARED_FILE = "pyproject.toml"
BASELINE_FILE = ".portaudit-baseline.json"
COMMAND_LINE = "command line"
"""The origin of what the user said."""

_LARGEST = 5_000_000
"""Bytes of a file of settings."""

FileIgnores = tuple[tuple[str, tuple[str, ...]], ...]
"""Patterns of paths, each with the words for the rules whose findings are accepted there."""
Setting: TypeAlias = """(
    str
    | int
    | Path
    | tuple[str, ...]
    | tuple[Path, ...]
    | FileIgnores
    | tuple[GateSetting, ...]
    | Assumptions
    | None
)"""
_Word = TypeVar("_Word", bound=str)


class GateSetting(Struct, frozen=True):
    """A `[[gate]]` table: other thresholds for some paths, some rules, or both.

    `paths`: patterns as in a .gitignore at the root · `rules`: words as for `select`, all when
    empty · `fail_on` also knows `none`; what is `None` stays as it was.
    """

    paths: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    fail_on: Severity | Literal["none"] | None = None
    min_confidence: Confidence | None = None


class Config(Struct, frozen=True):
    """A run, fully decided.

    `root` and `paths` are absolute, with symbolic links resolved; every path lies under the root.
    `entry`: files, relative to the root, that the main training path begins with, whatever the tree
    says · `jobs` 0 means one process per core · `assumptions`: None for the standard ones ·
    `origins` says where each setting that is not a default came from.
    """

    root: Path
    paths: tuple[Path, ...]
    target: Target = "torchneuron"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    entry: tuple[str, ...] = ()
    min_confidence: Confidence = "low"
    rules: tuple[Path, ...] = ()
    ops: Path | None = None
    fail_on: Severity | None = None
    baseline: Path | None = None
    adapter_zones: tuple[str, ...] = ()
    per_file_ignores: FileIgnores = ()
    gate: tuple[GateSetting, ...] = ()
    jobs: int = 0
    file_megabytes: int = MEGABYTES
    file_seconds: int = SECONDS
    tree_seconds: int = TREE_SECONDS
    file_findings: int = FILE_FINDINGS
    findings: int = FINDINGS
    cache: bool = True
    assumptions: Assumptions | None = None
    origins: tuple[tuple[str, str], ...] = ()


class Options(Struct, frozen=True):
    """What the command line said; `None` and empty mean that it said nothing.

    `fail_on` also knows the word `none`, which switches off the gate that the settings file set.
    """

    root: Path | None = None
    target: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    entry: tuple[Path, ...] = ()
    min_confidence: str | None = None
    rules: tuple[Path, ...] = ()
    ops: Path | None = None
    fail_on: str | None = None
    baseline: Path | None = None
    force_exclude: bool = False
    jobs: int | None = None
    cache: bool = True


class Settings(Struct, frozen=True):
    """The settings file of a root: its values by the name of the `Config` field."""

    file: str
    values: Mapping[str, Setting]


def load(paths: Sequence[Path], options: Options, *, cwd: Path, unwritten: bool = False) -> Config:
    """Decide a run: the command line wins over the root's settings file, that over the defaults.

    `extend-select` and `rules` are added to, the others replaced. `unwritten`: the paths are files
    that need not be there yet. Raises `UsageError` for a path that does not exist or lies outside
    the root, `ConfigError` for settings that cannot be used.
    """
    if unwritten:
        given = [_existing(cwd, path.parent) / path.name for path in paths]
    else:
        given = [_existing(cwd, path) for path in paths or (Path(),)]
    root = _existing(cwd, options.root) if options.root else find_root(given, cwd=cwd.resolve())
    _check_inside(root, given)
    config = Config(root=root, paths=tuple(given))
    settings = read_settings(root)
    if settings:
        config = _with(config, settings.values, settings.file)
    return _override(config, options, cwd)


def find_root(paths: Sequence[Path], *, cwd: Path) -> Path:
    """The directory that paths, fingerprints and settings are relative to.

    One directory: its nearest ancestor, itself included, with portaudit settings or a baseline,
    else itself. Otherwise the nearest common ancestor with either or with `.git`, else the
    working directory. All paths absolute and resolved.
    """
    if len(paths) == 1 and paths[0].is_dir():
        marked = (folder for folder in _upward(paths[0]) if _has_settings(folder))
        return next(marked, paths[0])
    folders = [path if path.is_dir() else path.parent for path in paths]
    common = Path(os.path.commonpath(folders))
    for folder in _upward(common):
        if _has_settings(folder) or (folder / ".git").exists():
            return folder
    # Above the paths, or a whole disk or home directory: that would walk what nobody asked about.
    too_wide = cwd in (Path(cwd.anchor), Path.home())
    return common if too_wide or not common.is_relative_to(cwd) else cwd


def read_settings(root: Path) -> Settings | None:
    """The settings of a root: `.portaudit.toml`, or `[tool.portaudit]` of its pyproject.toml."""
    own = _parse(root / OWN_FILE)
    shared = _tool_table(root / SHARED_FILE)
    if own is not None and shared is not None:
        raise ConfigError(
            f"{OWN_FILE} and [tool.portaudit] in {SHARED_FILE} both hold settings; "
            f"keep one of them in {root}"
        )
    if own is not None:
        return Settings(OWN_FILE, _values(own, root, OWN_FILE))
    if shared is not None:
        return Settings(SHARED_FILE, _values(shared, root, f"{SHARED_FILE}: [tool.portaudit]"))
    return None


def read_target(word: str) -> Target:
    """The target that a word of the command line names. Raises `ConfigError`."""
    return _word(word, "--target", TARGETS)


def show(config: Config, usual: Mapping[str, str] = MappingProxyType({})) -> str:
    """The run as settings in TOML, each with where it came from.

    `usual`: what holds for the command instead of the defaults of settings.
    """
    origins = dict(config.origins)
    lines = [f"# root: {_shown(config.root)}"]
    lines += [f"# path: {_shown(path.relative_to(config.root))}" for path in config.paths]
    for key, value in in_force(config).items():
        origin = origins.get(key.replace("-", "_"))
        shown = value if origin else usual.get(key, value)
        lines.append(f"{key} = {_toml(shown)}  # {origin or 'default'}")
    return "\n".join(lines) + "\n"


def _shown(path: Path) -> str:
    """A path in a comment, which it cannot end."""
    return "".join(each if each.isprintable() else "?" for each in path.as_posix())


def defaults() -> dict[str, str]:
    """What each key is where nobody sets it, as TOML."""
    usual = Config(Path(), ())
    return {key: _toml(value) for key, value in in_force(usual).items()}


def in_force(config: Config) -> dict[str, object]:
    """What each key of the settings is in a run, as plain values, in the order of `KEYS`."""
    plain = {
        "rules": tuple(path.as_posix() for path in config.rules),
        "ops": config.ops.as_posix() if config.ops else "",
        "fail-on": config.fail_on or "none",
        "baseline": config.baseline.as_posix() if config.baseline else "",
        "per-file-ignores": dict(config.per_file_ignores),
        "gate": tuple(map(_gate_table, config.gate)),
        "assumptions": _assumed(config.assumptions),
    }
    return {key: plain.get(key, getattr(config, key.replace("-", "_"), "")) for key in KEYS}


def _gate_table(setting: GateSetting) -> dict[str, object]:
    values = {key: getattr(setting, key.replace("-", "_")) for key in GATE_KEYS}
    return {key: value for key, value in values.items() if value}


def _assumed(assumptions: Assumptions | None) -> dict[str, dict[str, object]]:
    """What the user assumes, as tables."""
    found: dict[str, dict[str, object]] = {}
    for each in assumptions.changed if assumptions else ():
        group, _, key = each.name.partition(".")
        value = assumptions.values[each.name] if assumptions else None
        entry = {"value": value, "source": each.source} if each.source else value
        found.setdefault(group, {})[key] = entry
    return found


# --- paths ----------------------------------------------------------------------------------------


def _existing(cwd: Path, path: Path) -> Path:
    try:
        return (cwd / path).resolve(strict=True)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file or directory") from None
    except RuntimeError:  # how Python before 3.13 says that links form a loop
        raise UsageError(f"{path}: symbolic links form a loop") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _check_inside(root: Path, paths: Sequence[Path]) -> None:
    if not root.is_dir():
        raise UsageError(
            f"the root {root} is a file; give the directory that holds the code with --root"
        )
    for path in paths:
        if not path.is_relative_to(root):
            raise UsageError(
                f"{path} is outside the root {root}; give a --root that holds every path"
            )


def _upward(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _has_settings(folder: Path) -> bool:
    return (
        (folder / OWN_FILE).is_file()
        or (folder / BASELINE_FILE).is_file()
        or _tool_table(folder / SHARED_FILE) is not None
    )


# --- the settings file ----------------------------------------------------------------------------


def _parse(path: Path) -> dict[str, object] | None:
    try:
        text = _own(path).decode()
        import tomli  # noqa: PLC0415 - where there are no settings, a hook is not to wait for it

        return tomli.loads(text)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except RecursionError:
        raise ConfigError(f"{path}: cannot be read as TOML: it is nested too deeply") from None
    except (OSError, ValueError) as error:  # not UTF-8, or not TOML
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from error


def _own(path: Path) -> bytes:
    """The bytes of a file of settings. Raises `ConfigError` for one that nobody wrote by hand."""
    try:
        return own(path, path.parent, _LARGEST)
    except TooLargeError:
        raise ConfigError(f"{path}: larger than {_LARGEST // 1_000_000} MB, no settings") from None


def _tool_table(path: Path) -> dict[str, object] | None:
    try:
        if b"portaudit" not in _own(path):
            return None  # a broken pyproject.toml of the audited code is no mistake of the user's
    except OSError:
        return None
    tools = (_parse(path) or {}).get("tool")
    table = tools.get("portaudit") if isinstance(tools, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise ConfigError(f"{path}: tool.portaudit must be a table")


def _values(table: Mapping[str, object], root: Path, where: str) -> dict[str, Setting]:
    values: dict[str, Setting] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}{nearest(key, KEYS)}")
        found = KEYS[key].read(value, f"{where}: {key}", root)
        for each in found if isinstance(found, tuple) else (found,):
            if isinstance(each, Path) or key == "entry":
                inside(root / str(each), root, f"{where}: {key}")
        values[key.replace("-", "_")] = found
    return values


def inside(place: Path, root: Path, where: str) -> None:
    """Raise `ConfigError` for a place outside the root: who wrote the tree has no say there."""
    if not place.resolve().is_relative_to(root):
        raise ConfigError(
            f"{where}: {place} is outside the root; only the command line may name such a place"
        )


def _texts(value: object, where: str, _root: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigError(f"{where} must be a list of strings, not {_toml(value)}")
    return tuple(value)


def _folders(value: object, where: str, root: Path) -> tuple[Path, ...]:
    folders = tuple(root / text for text in _texts(value, where, root))
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{where}: {folder} is no directory")
    return folders


def _files(value: object, where: str, root: Path) -> tuple[str, ...]:
    paths = tuple(PurePosixPath(text).as_posix() for text in _texts(value, where, root))
    for path in paths:
        if not (root / path).is_file():
            raise ConfigError(f"{where}: {root / path} is no file")
    return paths


def _entry(path: Path, root: Path, cwd: Path) -> str:
    """A file as seen from the working directory, or from the root, relative to the root."""
    for place in (cwd / path, root / path):
        if place.is_file() and place.resolve().is_relative_to(root):
            return place.resolve().relative_to(root).as_posix()
    raise UsageError(f"--entry: {path} is no file under the root {root}")


def _file(value: object, where: str, root: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where} must be a path, not {_toml(value)}")
    if not (root / value).is_file():
        raise ConfigError(f"{where}: {root / value} is no file")
    return root / value


def _count(value: object, where: str, _root: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(
            f"{where} must be a number of processes (0: one per core), not {_toml(value)}"
        )
    return value


def _number(least: int, most: int) -> Callable[[object, str, Path], int]:
    """A reader of whole numbers from one to another."""

    def read(value: object, where: str, _root: Path) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ConfigError(
                f"{where} must be a whole number from {least} to {most}, not {_toml(value)}"
            )
        return value

    return read


def _word(value: object, where: str, known: Sequence[_Word]) -> _Word:
    if value in known:
        return cast("_Word", value)
    words = ", ".join(known)
    hint = nearest(value, known) if isinstance(value, str) else ""
    raise ConfigError(f"{where} must be one of {words}, not {_toml(value)}{hint}")


def _new_file(value: object, where: str, root: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where} must be a path, not {_toml(value)}")
    return root / value


def _gates(value: object, where: str, root: Path) -> tuple[GateSetting, ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ConfigError(f"{where} must be tables: [[{where.rpartition(' ')[2]}]]")
    return tuple(
        _gate(table, f"{where}, table {number}", root) for number, table in enumerate(value, 1)
    )


def _gate(table: Mapping[str, object], where: str, root: Path) -> GateSetting:
    for key in table:
        if key not in GATE_KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}{nearest(key, GATE_KEYS)}")
    if not table.keys() & {"fail-on", "min-confidence"}:
        raise ConfigError(f"{where} sets nothing; give it fail-on or min-confidence")
    fail_on, least = table.get("fail-on"), table.get("min-confidence")
    return GateSetting(
        _texts(table.get("paths", []), f"{where}: paths", root),
        _texts(table.get("rules", []), f"{where}: rules", root),
        None if fail_on is None else _severity(fail_on, f"{where}: fail-on", root) or "none",
        None if least is None else _confidence(least, f"{where}: min-confidence", root),
    )


def _file_ignores(value: object, where: str, root: Path) -> FileIgnores:
    """Patterns and the rules that are accepted there: a pattern that only takes back is useless."""
    if not isinstance(value, dict):
        raise ConfigError(f'{where} must be a table: "tests/**" = ["DEV001"]')
    for pattern in value:
        if not pattern.strip() or pattern.startswith(("!", "#")):
            raise ConfigError(f"{where}: {pattern!r} names no files")
    return tuple(
        (pattern, _texts(words, f'{where}: "{pattern}"', root)) for pattern, words in value.items()
    )


def _assumptions(value: object, where: str, _root: Path) -> Assumptions:
    from portaudit.catalogue.assumptions import changed  # noqa: PLC0415 - few settings have any

    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table: [{where.rpartition(' ')[2]}]")
    return changed(value, where)


def _target(value: object, where: str, _root: Path) -> Target:
    return _word(value, where, TARGETS)


def _confidence(value: object, where: str, _root: Path) -> Confidence:
    return _word(value, where, CONFIDENCES)


def _severity(value: object, where: str, _root: Path) -> Severity | None:
    return None if value == "none" else _word(value, where, SEVERITIES)


class Key(NamedTuple):
    """A key of the settings: how it is read, and what the reference says of it.

    `takes`: what may stand there, in words · `meaning` and `example` (TOML, without the table that
    it stands in) are Markdown and code for people.
    """

    read: Callable[[object, str, Path], Setting]
    takes: str
    meaning: str
    example: str


KEYS: Mapping[str, Key] = {
    "target": Key(
        _target,
        "`torchneuron` or `xla`",
        "What the code is to run on: native PyTorch on trn2 and trn3, or torch-neuronx on "
        "PyTorch/XLA. Facts, statuses and remedies are the target's.",
        'target = "xla"',
    ),
    "select": Key(
        _texts,
        "list of words for rules",
        "Only these rules. A word is an id (`DEV007`), the beginning of ids (`DEV`), a category "
        "(`host-sync`), a name (`cuda-synchronize`) or `ALL`. Empty means all. Of the words that "
        "fit a rule the most specific decides; between equals `ignore` wins.",
        'select = ["DEV", "device-string"]',
    ),
    "ignore": Key(
        _texts,
        "list of words for rules",
        "Not these rules. They are not run, so nothing of theirs is in the report.",
        'ignore = ["PRF", "DAT001"]',
    ),
    "extend-select": Key(
        _texts,
        "list of words for rules",
        "These rules as well, for instance one of a category that `ignore` leaves out. Those of "
        "the command line are added.",
        'ignore = ["profiling"]\nextend-select = ["PRF001"]',
    ),
    "exclude": Key(
        _texts,
        "list of patterns",
        "Files to leave out, as in a `.gitignore` at the root. What git ignores is left out "
        "anyway, unless git tracks it. A file that the command line names is judged all the same, "
        "unless `--force-exclude` is given.",
        'exclude = ["third_party/", "notebooks/"]',
    ),
    "entry": Key(
        _files,
        "list of files",
        "Where the main training path begins, whatever the tree says: see [paths](paths.md).",
        'entry = ["train.py"]',
    ),
    "min-confidence": Key(
        _confidence,
        "`low`, `medium` or `high`",
        "`scan`, `plan` and `diff` leave out what is less sure. `check` reports all, and lets "
        "pass what is less sure; without this key that is what is below `medium`.",
        'min-confidence = "medium"',
    ),
    "rules": Key(
        _folders,
        "list of directories",
        "Rules of your own, used beside the built-in ones: see [rule file](rule-format.md). Those "
        "of the command line are added.",
        'rules = ["tools/portaudit-rules"]',
    ),
    "ops": Key(
        _file,
        "file",
        "The operators that your release of the target has kernels for: see "
        "[your own operator list](operators.md).",
        'ops = "neuron-ops.txt"',
    ),
    "fail-on": Key(
        _severity,
        "`info`, `minor`, `major`, `blocker` or `none`",
        "The run ends with 1 on a finding of this effective severity or worse: any for `scan`, "
        "a new one for `check`. Without this key nothing fails a `scan`, and `check` fails from "
        "`minor` on.",
        'fail-on = "major"',
    ),
    "baseline": Key(
        _new_file,
        "file",
        "Where `check` finds the accepted findings, and where `baseline create` writes them. "
        "Without this key that is `.portaudit-baseline.json` in the root, if it is there.",
        'baseline = "ci/portaudit-baseline.json"',
    ),
    "adapter-zones": Key(
        _texts,
        "list of patterns",
        "Files that may be CUDA-specific, as in a `.gitignore` at the root: they are reported, and "
        "never fail a run.",
        'adapter-zones = ["backends/cuda/"]',
    ),
    "per-file-ignores": Key(
        _file_ignores,
        "table: pattern to list of words for rules",
        "Findings of these rules in these files are accepted: they stay in the report, marked, and "
        "count for no score and no gate. Patterns are those of a `.gitignore` at the root.",
        '[tool.portaudit.per-file-ignores]\n"benchmarks/" = ["PRF", "host-sync"]',
    ),
    "gate": Key(
        _gates,
        "tables",
        "Other thresholds of `check` for some paths, some rules, or both; of several that fit a "
        "finding the last decides. See below.",
        '[[tool.portaudit.gate]]\npaths = ["tests/"]\nfail-on = "blocker"',
    ),
    "assumptions": Key(
        _assumptions,
        "table",
        "Numbers behind effort and score, each by its name in [scoring](scoring.md#what-is-assumed)"
        ". The report lists what was changed.",
        "[tool.portaudit.assumptions]\neffort.large = [8, 30]  # engineer-days",
    ),
    "jobs": Key(
        _count,
        "number",
        "Processes that read files; 0 is one per core.",
        "jobs = 4",
    ),
    "file-megabytes": Key(
        _number(1, 1000),
        "number from 1 to 1000",
        "The size above which a file is not read, whoever names it. It is listed as failed, and "
        "the report is partial. A megabyte of Python may take half a gigabyte of memory.",
        "file-megabytes = 20",
    ),
    "file-seconds": Key(
        _number(1, 3600),
        "number from 1 to 3600",
        "The time of the processor that one file may take. One that takes longer is listed as "
        "failed, and the report is partial; the next run tries it again. Not on Windows.",
        "file-seconds = 300",
    ),
    "tree-seconds": Key(
        _number(60, 86_400),
        "number from 60 to 86400",
        "The time of the processor that it may take, once all files were read, to say how they "
        "hang together. A tree that takes longer has no report: the exit code is 2. Not on "
        "Windows.",
        "tree-seconds = 7200",
    ),
    "file-findings": Key(
        _number(100, 100_000),
        "number from 100 to 100000",
        "The findings of one file that a report holds. Of a file with more it has the gravest; "
        "the file is listed as failed, the report is partial, and `check` fails: what was left out "
        "may be new. A generated file is better left out with `exclude`.",
        "file-findings = 20000",
    ),
    "findings": Key(
        _number(1000, 1_000_000),
        "number from 1000 to 1000000",
        "The findings that a report holds of all files. Where there are more, each file may have "
        "as many as any other, and for those that have more the same holds as above.",
        "findings = 300000",
    ),
}
"""What may stand in the settings, in the order of the reference."""
GATE_KEYS: Mapping[str, Key] = {
    "paths": Key(
        _texts,
        "list of patterns",
        "The files that the table is about, as in a `.gitignore` at the root; all without it.",
        'paths = ["tests/"]',
    ),
    "rules": Key(
        _texts,
        "list of words for rules",
        "The rules that it is about, as for `select`; all without it.",
        'rules = ["container"]',
    ),
    "fail-on": Key(
        _severity,
        "`info`, `minor`, `major`, `blocker` or `none`",
        "From which effective severity on a new finding fails there; what it was without it.",
        'fail-on = "none"',
    ),
    "min-confidence": Key(
        _confidence,
        "`low`, `medium` or `high`",
        "From which confidence on it does; what it was without it.",
        'min-confidence = "high"',
    ),
}
"""What may stand in a `[[gate]]` table; it needs one of the last two."""


# --- merging --------------------------------------------------------------------------------------


def _override(config: Config, options: Options, cwd: Path) -> Config:
    changes: dict[str, Setting] = {}
    if options.target is not None:
        changes["target"] = read_target(options.target)
    if options.min_confidence is not None:
        changes["min_confidence"] = _word(options.min_confidence, "--min-confidence", CONFIDENCES)
    if options.fail_on is not None:
        changes["fail_on"] = _severity(options.fail_on, "--fail-on", cwd)
    if options.force_exclude:
        changes["force_exclude"] = True
    if options.baseline is not None:
        changes["baseline"] = cwd / options.baseline
    if options.jobs is not None:
        changes["jobs"] = _count(options.jobs, "--jobs", cwd)
    if not options.cache:
        changes["cache"] = False
    if options.select:
        changes["select"] = options.select
    if options.ignore:
        changes["ignore"] = options.ignore
    if options.extend_select:
        changes["extend_select"] = config.extend_select + options.extend_select
    if options.ops is not None:
        changes["ops"] = _file(str(options.ops), "--ops", cwd)
    if options.entry:
        changes["entry"] = tuple(_entry(path, config.root, cwd) for path in options.entry)
    if options.rules:
        extra = _folders([str(path) for path in options.rules], "--rules", cwd)
        changes["rules"] = config.rules + extra
    return _with(config, changes, COMMAND_LINE)


def _with(config: Config, changes: Mapping[str, Setting], origin: str) -> Config:
    origins = dict(config.origins) | dict.fromkeys(changes, origin)
    changed = replace(config, **changes)  # its reader checked each value
    return replace(changed, origins=tuple(sorted(origins.items())))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, dict):
        entries = ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items())
        return f"{{ {entries} }}" if entries else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)
