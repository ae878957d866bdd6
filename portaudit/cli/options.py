"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="What to audit; by default this directory."),
]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="F[=FILE],…",
        help="terminal, json, sarif, code-scanning, markdown, github, gitlab, junit; several, "
        "each to a file of its own if one is given.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="Write to a file, or into a directory."),
]
Select = Annotated[
    list[str] | None,
    typer.Option(metavar="RULES", help="Only these: ids, beginnings, categories, names."),
]
Ignore = Annotated[list[str] | None, typer.Option(metavar="RULES", help="All but these.")]
ExtendSelect = Annotated[list[str] | None, typer.Option(metavar="RULES", help="These as well.")]
MinConfidence = Annotated[
    str | None,
    typer.Option(metavar="LEVEL", help="Leave out what is less sure: low, medium, high."),
]
Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="Use the rules in this directory as well."),
]
Ops = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Operators that your release of the target has kernels for."),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        metavar="SEVERITY",
        help="Exit with 1 on findings this grave: info, minor, major, blocker, or none.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 2 if a file could not be read or parsed.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", metavar="N", help="Processes; 0 is one per core.")
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Read the rules themselves, and keep nothing.")
]
Root = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="What paths are relative to, and where settings are."),
]
ShowConfig = Annotated[
    bool, typer.Option("--show-config", help="Show the settings in force and stop.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="List every finding.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say the verdict only.")]
Color = Annotated[str, typer.Option(metavar="WHEN", help="Colour: auto, always or never.")]
TargetName = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="torchneuron (the default) or xla."),
]
RuleWords = Annotated[
    list[str] | None,
    typer.Argument(metavar="RULE", help="Ids, beginnings of ids, categories or names."),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(
        "--baseline", metavar="FILE", help="Accepted findings; by default .portaudit-baseline.json."
    ),
]
ForceExclude = Annotated[
    bool,
    typer.Option(
        "--force-exclude", help="Leave out what is excluded or ignored, even if it is named."
    ),
]
