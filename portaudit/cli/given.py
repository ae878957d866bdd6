"""What the command line may ask of a run: each shared option is spelled here, once.

Apart from what makes a command line of it: `plain` for the usual words, typer for all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from portaudit.cli.common import words

if TYPE_CHECKING:
    from portaudit.config import Options


class Option(NamedTuple):
    """How an option is spelled and explained; `least` is the smallest number that it takes."""

    names: tuple[str, ...]
    help: str
    metavar: str | None = None
    least: int | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """What the command line asks of a run by its shared options, in the order of `--help`.

    A command has those that it names to `taking`; the others are as when nobody gives them.
    """

    baseline: Path | None = None
    no_baseline: bool = False
    diff: str | None = None
    staged: bool = False
    stdin_filename: str | None = None
    target: str | None = None
    formats: list[str] | None = None
    output: Path | None = None
    title: str = ""
    select: list[str] | None = None
    ignore: list[str] | None = None
    extend_select: list[str] | None = None
    entry: list[Path] | None = None
    min_confidence: str | None = None
    rules: list[Path] | None = None
    ops: Path | None = None
    fail_on: str | None = None
    strict: bool = False
    jobs: int | None = None
    no_cache: bool = False
    root: Path | None = None
    force_exclude: bool = False
    top: int = 5
    group_by: str | None = None
    show_config: bool = False
    verbose: bool = False
    quiet: bool = False
    color: str = "auto"
    hyperlinks: str = "auto"

    @property
    def deliveries(self) -> str:
        """Every format asked for, in order, separated by commas; that for a terminal if none is."""
        return ",".join(self.formats or ("terminal",))

    def options(self, baseline: Path | None = None) -> Options:
        """The same as settings of the run, with the file of accepted findings if one is given."""
        from portaudit.config import Options

        return Options(
            root=self.root,
            target=self.target,
            select=words(self.select),
            ignore=words(self.ignore),
            extend_select=words(self.extend_select),
            entry=tuple(self.entry or ()),
            min_confidence=self.min_confidence,
            rules=tuple(self.rules or ()),
            ops=self.ops,
            fail_on=self.fail_on,
            baseline=baseline or self.baseline,
            force_exclude=self.force_exclude,
            jobs=self.jobs,
            cache=not self.no_cache,
        )


OPTIONS: Mapping[str, Option] = {
    "baseline": Option(
        ("--baseline",), "Accepted findings; by default .portaudit-baseline.json.", "FILE"
    ),
    "no_baseline": Option(("--no-baseline",), "Nothing is accepted: every finding is new."),
    "diff": Option(
        ("--diff",), "Only what was added since this branch, tag or commit is new.", "REF"
    ),
    "staged": Option(("--staged",), "Judge what is staged for commit, against HEAD."),
    "stdin_filename": Option(
        ("--stdin-filename",), "Standard input is what this file is to hold.", "PATH"
    ),
    "target": Option(("--target",), "torchneuron (the default) or xla.", "TARGET"),
    "formats": Option(
        ("--format",),
        "terminal, html, json, sarif, code-scanning, markdown, badge, github, gitlab, junit; "
        "several, each to a file of its own if one is given. By default terminal.",
        "F[=FILE],…",
    ),
    "output": Option(("--output", "-o"), "Write to a file, or into a directory.", "PATH"),
    "title": Option(("--title",), "Title of a page; by default the directory's name.", "TEXT"),
    "select": Option(("--select",), "Only these: ids, beginnings, categories, names.", "RULES"),
    "ignore": Option(("--ignore",), "All but these.", "RULES"),
    "extend_select": Option(("--extend-select",), "These as well.", "RULES"),
    "entry": Option(("--entry",), "Where the main training path begins.", "FILE"),
    "min_confidence": Option(
        ("--min-confidence",), "Leave out what is less sure: low, medium, high.", "LEVEL"
    ),
    "rules": Option(("--rules",), "Use the rules in this directory as well.", "DIR"),
    "ops": Option(("--ops",), "Operators that your release of the target has kernels for.", "FILE"),
    "fail_on": Option(
        ("--fail-on",),
        "Exit with 1 on findings this grave: info, minor, major, blocker, or none.",
        "SEVERITY",
    ),
    "strict": Option(("--strict",), "Exit with 2 if a file could not be read or parsed."),
    "jobs": Option(("--jobs", "-j"), "Processes; 0 is one per core.", "N"),
    "no_cache": Option(("--no-cache",), "Read the rules themselves, and keep nothing."),
    "root": Option(("--root",), "What paths are relative to, and where settings are.", "DIR"),
    "force_exclude": Option(
        ("--force-exclude",), "Leave out what is excluded or ignored, even if it is named."
    ),
    "top": Option(("--top",), "Root causes, or groups, to show in full.", "N", least=0),
    "group_by": Option(
        ("--group-by",), "Put findings together by root, file, rule or category.", "WORD"
    ),
    "show_config": Option(("--show-config",), "Show the settings in force and stop."),
    "verbose": Option(("--verbose", "-v"), "List every finding."),
    "quiet": Option(("--quiet", "-q"), "Say the verdict only."),
    "color": Option(("--color",), "Colour: auto, always or never.", "WHEN"),
    "hyperlinks": Option(
        ("--hyperlinks",), "Places as links to files: auto, always or never.", "WHEN"
    ),
}
"""How each is spelled."""
RUN = ("target", "rules", "ops", "jobs", "root", "quiet")
"""What every command that scans has, …"""
CHOICE = ("select", "ignore", "extend_select")
"""… where rules can be chosen, …"""
REPORT = (
    *(*RUN, *CHOICE, "min_confidence", "formats", "output", "title", "fail_on", "strict"),
    *("no_cache", "show_config", "verbose", "color", "hyperlinks", "entry"),
)
"""… and where it ends in a report."""
CHECK = ("baseline", "no_baseline", "diff", "staged", "stdin_filename")
"""What only a check has."""
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "scan": (*REPORT, "top", "group_by"),
    "check": (*CHECK, *REPORT, "force_exclude", "group_by"),
}
"""What the commands that judge code have."""
