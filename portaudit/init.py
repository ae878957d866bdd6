"""What a repository needs to begin with portaudit: settings, a baseline, a commit hook.

Proposes and decides; the command line writes. Nothing that is there is ever changed but by lines
added at its end, and those only if the file then means what it meant, and them.
"""

from __future__ import annotations

import datetime
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import tomli
import yaml
from msgspec import Struct

from portaudit import check
from portaudit.audit import Progress
from portaudit.config import OWN_FILE, SHARED_FILE, Config, read_settings
from portaudit.report.outcome import count
from portaudit.run import Run, place_of, scanned
from portaudit.triage.baseline import dump
from portaudit.types import EntryPoint, Report

PRE_COMMIT = ".pre-commit-config.yaml"
Action = Literal["create", "append", "keep", "by hand"]
_HEADER = "[tool.portaudit]\n"
_CANDIDATES = 5
_COLUMNS = 88
_WORDS = re.compile(r"[^\W_]+|[\W_]+")
_OURS = frozenset({"cuda", "nvidia"})
_OTHERS = frozenset(
    {
        *("ascend", "cpu", "gaudi", "hip", "hpu", "intel", "metal", "mlu", "mps", "musa", "neuron"),
        *("npu", "rocm", "tpu", "trainium", "xla", "xpu"),
    }
)
"""How folders and files are called that hold what one kind of device needs."""
_VENDORED = ("third_party", "third-party", "thirdparty", "vendor", "external", "extern")
_HOOK = """\
  - repo: local
    hooks:
      - id: portaudit
        name: portaudit
        description: No new CUDA-only code. What is in the baseline may stay.
        entry: portaudit check --force-exclude
        language: system
        types: [text]
        require_serial: true
"""


class Part(Struct, frozen=True):
    """A file that a repository gets, or has: `text` is all of it, or what is added at its end.

    `why`: in words what it is for, or why nothing is done · `before`: what the file held when this
    was decided · `data`: nobody reads it before it is written.
    """

    path: str
    action: Action
    why: str
    text: str = ""
    before: str = ""
    data: bool = False


class Zone(Struct, frozen=True):
    """A place that may be CUDA's own, as what lies beside it is another device's."""

    pattern: str
    beside: str


def propose(
    config: Config,
    *,
    today: datetime.date,
    baseline: bool = True,
    hook: bool = False,
    progress: Progress | None = None,
) -> tuple[Part, ...]:
    """What is to be written into the root of a config, after a scan of all of it.

    `baseline`: accept what there is · `hook`: also begin a file for pre-commit where there is none.
    """
    run = scanned(config, progress=progress)
    parts = [_settings(config, run)]
    if baseline:
        parts.append(_baseline(run, today))
    return (*parts, *_hook(config.root, wanted=hook))


# --- settings -------------------------------------------------------------------------------------


def _settings(config: Config, run: Run) -> Part:
    settings = read_settings(config.root)
    if settings is not None:
        return Part(settings.file, "keep", "it has settings of portaudit")
    body = _body(config, run.report, zones(run), tuple(_vendored(run)))
    shared = config.root / SHARED_FILE
    if shared.is_file():
        before = _text(shared)
        added = _separated(before or "") + _HEADER + body
        if before is not None and _adds_table(before, before + added):
            return Part(SHARED_FILE, "append", "settings", added, before)
    return Part(OWN_FILE, "create", "settings", body)


def _adds_table(before: str, after: str) -> bool:
    """Whether TOML means what it meant, and a table of portaudit besides."""
    try:
        old, new = tomli.loads(before), tomli.loads(after)
    except tomli.TOMLDecodeError:
        return False
    tools = new.get("tool")
    if not isinstance(tools, dict) or "portaudit" not in tools:
        return False
    del tools["portaudit"]
    if not tools and "tool" not in old:
        del new["tool"]
    return new == old


def _body(config: Config, report: Report, proposed: Sequence[Zone], vendored: Sequence[str]) -> str:
    """The settings, each with what it is for; what is a proposal is a comment."""
    entry, said = _entry(report)
    patterns = [zone.pattern for zone in proposed]
    severities = "info, minor (the default), major, blocker, none"
    zone_lines = [f"# beside {zone.pattern}: {zone.beside}" for zone in proposed]
    rows = (
        ("# What the code is to run on: torchneuron (native PyTorch on trn2 and trn3), or xla.",),
        (f"target = {_quoted([config.target])[1:-1]}",),
        ("", "# Where the main training path begins, if not where it is found.", *_wrapped(said)),
        (f"# entry = {_quoted(entry)}",),
        ("", "# Code that is not yours, by patterns as in a .gitignore."),
        ("# What git ignores, and does not track, is left out without them.",),
        (f"# exclude = {_quoted(vendored or ['third_party/'])}",),
        ("", "# Rules to leave out: ids, beginnings of ids, categories or names."),
        ('# ignore = ["PRF"]',),
        ("", "# From which severity on new findings fail `portaudit check`:", f"# {severities}."),
        ('# fail-on = "major"',),
        ("", "# Code that may be CUDA's own: it is reported, and the gate passes over it."),
        zone_lines,
        (f"# adapter-zones = {_quoted(patterns or ['backends/cuda/'])}",),
        ("", "# `portaudit scan --show-config` prints all that is in force."),
    )
    return "".join(f"{line}\n" for row in rows for line in row)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _COLUMNS, initial_indent="# ", subsequent_indent="# ", break_long_words=False
    )


def _entry(report: Report) -> tuple[list[str], str]:
    """Where a training begins, and in words how sure that is."""
    programs = [each for each in report.score.entry_points if each.path.isprintable()]
    main = [each for each in programs if each.main]
    if main:
        return [each.path for each in main], f"Found: {_said(main[0])}"
    training = [each.path for each in programs if each.kind == "training"]
    if training:
        return training[:_CANDIDATES], "None stands out; these programs train:"
    return ["train.py"], "No program that trains was found."


def _said(program: EntryPoint) -> str:
    words = " ".join(program.why.split())
    return f"{program.path}: {words}" if words.isprintable() else program.path


def zones(run: Run) -> tuple[Zone, ...]:
    """Folders and files with findings that are called after CUDA, beside one of another device."""
    files = run.side.tree.files
    places = {*files, *(f"{parent}/" for path in files for parent in _parents(path))}
    found: dict[str, Zone] = {}
    for path in sorted({finding.path for finding in run.report.findings}):
        for place in (*(f"{parent}/" for parent in reversed(_parents(path))), path):
            zone = _zone(place, places)
            if zone is not None:
                found.setdefault(place, zone)
                break
    return tuple(found.values())


def _parents(path: str) -> list[str]:
    return [parent.as_posix() for parent in PurePosixPath(path).parents if parent.name]


def _zone(place: str, places: set[str]) -> Zone | None:
    folder, _, name = place.rstrip("/").rpartition("/")
    ending = "/" if place.endswith("/") else ""
    words = _WORDS.findall(name)
    for number, word in enumerate(words):
        if word.lower() not in _OURS:
            continue
        for other in sorted(_OTHERS):
            renamed = "".join((*words[:number], other, *words[number + 1 :]))
            beside = f"{folder}/{renamed}{ending}" if folder else f"{renamed}{ending}"
            if beside in places and place.isprintable():
                return Zone(f"/{place}" if "/" not in place.rstrip("/") else place, beside)
    return None


def _vendored(run: Run) -> Iterator[str]:
    """Folders at the root with findings that are called after code of others."""
    tops = {finding.path.partition("/")[0] for finding in run.report.findings}
    yield from (f"{name}/" for name in _VENDORED if name in tops)


def _quoted(words: Sequence[str]) -> str:
    """Words as a list in TOML."""
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "[" + ", ".join(f'"{word}"' for word in escaped) + "]"


# --- baseline and hook ----------------------------------------------------------------------------


def _baseline(run: Run, today: datetime.date) -> Part:
    place = place_of(run.config)
    shown = place.relative_to(run.config.root).as_posix()
    if place.exists():
        return Part(shown, "keep", "it accepts what it accepts")
    made, newly = check.renewed(run, None, check.compared(run, None, today=today), check.ALL_STATES)
    files = len({finding.path for finding in newly})
    counts = f"{count(len(newly), 'finding')} in {count(files, 'file')}"
    if not newly:
        return Part(shown, "keep", "there is nothing to accept, so none is needed")
    return Part(shown, "create", f"accepts what there is: {counts}", dump(made), data=True)


def _hook(root: Path, *, wanted: bool) -> Iterator[Part]:
    place = root / PRE_COMMIT
    if not place.is_file():
        if wanted:
            yield Part(PRE_COMMIT, "create", "a commit hook", f"repos:\n{_HOOK}")
        return
    before = _text(place)
    if before is not None and "portaudit" in before:
        yield Part(PRE_COMMIT, "keep", "it speaks of portaudit")
        return
    for hook in (_HOOK, re.sub("^  ", "", _HOOK, flags=re.MULTILINE)):
        if before is None:
            break
        added = ("" if before.endswith("\n") else "\n") + hook
        if _adds_repo(before, before + added):
            yield Part(PRE_COMMIT, "append", "a commit hook", added, before)
            return
    why = "lines cannot be added at its end; put these where its other repositories are"
    yield Part(PRE_COMMIT, "by hand", why, _HOOK)


def _adds_repo(before: str, after: str) -> bool:
    """Whether a file for pre-commit means what it meant, and one more repository."""
    try:
        old, new, ours = (yaml.safe_load(text) for text in (before, after, _HOOK))
    except yaml.YAMLError:
        return False
    if not isinstance(old, dict) or not isinstance(old.get("repos"), list):
        return False
    return isinstance(new, dict) and new == {**old, "repos": [*old["repos"], *ours]}


def _separated(text: str) -> str:
    """What stands between a text and what is added to it: an empty line."""
    if not text or text.endswith("\n\n"):
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _text(place: Path) -> str | None:
    """The text of a file, line ends as they are; None where it is none."""
    try:
        return place.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
