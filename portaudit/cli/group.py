"""What the program says of words that it does not know: in the form of all its other messages."""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperGroup

from portaudit.cli.common import INTERRUPTED, complain, tell

_LOOKS = {". Did you mean": "; did you mean", "(Possible options:": "(possible options:"}


class Group(TyperGroup):
    """A group of commands whose mistakes are said as those that are found later."""

    def main(self, *args: Any, **given: Any) -> Any:  # noqa: ANN401
        """Run what the words say, and exit."""
        if not given.get("standalone_mode", True):
            return super().main(*args, **given)
        given["standalone_mode"] = False
        try:
            code = super().main(*args, **given)
        except Exception as error:
            # Typer has click's exceptions in itself, or from click: that depends on its version.
            names = {each.__name__ for each in type(error).__mro__}
            if "Abort" in names:
                sys.exit(INTERRUPTED)
            if "ClickException" not in names:
                raise
            _say(error)
            sys.exit(error.exit_code)  # type: ignore[attr-defined]
        sys.exit(code if isinstance(code, int) else 0)


def _say(error: Any) -> None:  # noqa: ANN401
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    text = error.format_message().strip().removesuffix(".")
    for found, wanted in _LOOKS.items():
        text = text.replace(found, wanted)
    complain(text[:1].lower() + text[1:])
    context = getattr(error, "ctx", None)
    if context is not None:
        for line in context.get_usage().splitlines():
            tell(line)
        tell(f"Try '{context.command_path} --help' for help.")
