"""The command line: parse, call one function, write, exit.

Exit codes: 0 clean, 1 gate failed, 2 wrong use, something unreadable, or an internal failure.
The usual words of the commands that a hook calls are read here; all others, help and mistakes among
them, are for typer, which takes longer to load than a clean file to judge.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from portaudit import garbage
from portaudit.cli.common import ended, heed, write


def main() -> None:
    """Run the program; does not return."""
    garbage.rarely()
    heed()
    try:
        code = ended(_done, sys.argv[1:])
    finally:
        garbage.leave()
    sys.exit(code)


def _done(words: Sequence[str]) -> int:
    """Do what the words say; the exit code."""
    code = _quickly(words)
    if code is None:
        from portaudit.cli.program import app

        app(prog_name="portaudit")  # which exits
        return 0
    return code


def _quickly(words: Sequence[str]) -> int | None:
    """Do what the words say if they are plain; the exit code, or None where nothing was done."""
    if words == ["--version"]:
        from portaudit import __version__

        write(f"portaudit {__version__}\n")
        return 0
    from portaudit.cli import plain
    from portaudit.cli.given import COMMANDS

    name = words[0] if words else ""
    given = plain.parse(words[1:], COMMANDS[name]) if name in COMMANDS else None
    if given is None:
        return None
    from portaudit.cli import runs

    return ended(runs.scan if name == "scan" else runs.check, *given)
