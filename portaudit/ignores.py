"""Patterns as a .gitignore has them, so that no path takes long, whoever wrote the pattern.

pathspec makes regular expressions of them in which each star may be tried at each place, and all
stars at all places together. Here the text behind a star is taken where it stands first, which is
no other answer: what comes behind has the more to choose from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from portaudit.errors import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_STAR = "[^/]*"
_MOST = 3
"""Times that `**` may stand in a pattern: these are still tried together."""
REFUSALS = (ValueError, re.error)
"""What pathspec raises for a pattern that is none; ranges such as `[z-a]` it leaves to `re`."""
_NUMBERS = count()
"""Each group has a name of its own, as patterns are joined."""


def spec(globs: Sequence[str]) -> GitIgnoreSpec:
    """The paths that patterns mean. Raises `ConfigError` for what is none, or takes for ever."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most runs have none
    from pathspec.pattern import RegexPattern  # noqa: PLC0415

    for each in globs:
        if is_endless(each):
            raise ConfigError(f"{each!r} has more than {_MOST} times `**`")
    try:
        made = GitIgnoreSpec.from_lines(globs)
    except REFUSALS as error:
        listed = ", ".join(map(repr, globs))
        raise ConfigError(f"{listed}: no pattern that a .gitignore could hold: {error}") from None
    for pattern in made.patterns:
        if isinstance(pattern, RegexPattern) and pattern.regex is not None:
            pattern.regex = linear(pattern.regex)
    return GitIgnoreSpec(made.patterns)


def is_endless(glob: str) -> bool:
    """Whether a pattern has more parts that fit anything than can be tried together."""
    return glob.count("**") > _MOST


def linear(regex: re.Pattern[str]) -> re.Pattern[str]:
    """The same regular expression of a pattern, with no star tried twice."""
    made = once(regex.pattern, _STAR, "/")
    return regex if made == regex.pattern else re.compile(made)


def once(text: str, star: str, border: str = "") -> str:
    """A regular expression in which no star is tried twice; `border` is what none goes beyond."""
    if text.count(star) < 2:  # noqa: PLR2004 - two are tried together
        return text
    first, *parts = text.split(star)
    made = [first]
    for at, part in enumerate(parts):
        if at < len(parts) - 1 and not (border and border in part.replace(f"[^{border}]", "")):
            name = f"star{next(_NUMBERS)}"
            made.append(f"(?=(?P<{name}>{star}?{part}))(?P={name})")
        else:
            made.append(star + part)
    return "".join(made)
