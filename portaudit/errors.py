"""User mistakes: what was wrong, where, and the remedy. Only the command line catches them."""

from __future__ import annotations

from collections.abc import Iterable


class PortauditError(Exception):
    """A mistake that the user can mend; the text says how. Exit code 2."""


class ConfigError(PortauditError):
    """A configuration file or option that cannot be used."""


class CatalogueError(PortauditError):
    """A rule file or table that the loader refuses."""


class UsageError(PortauditError):
    """A path, rule or value on the command line that does not exist."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` for the closest known word, or an empty string."""
    from difflib import get_close_matches  # noqa: PLC0415 - most runs make no mistake

    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
