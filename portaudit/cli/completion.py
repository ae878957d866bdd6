"""What a shell offers behind an option: rules, formats, targets. Loads neither rules nor engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

_FILES = 50


def rules(incomplete: str) -> list[tuple[str, str]]:
    """Ids of the built-in rules, with their names, and categories; behind a comma as well."""
    from portaudit.catalogue.place import builtin_rules
    from portaudit.types import Category

    before, word = _last(incomplete)
    stems = sorted(path.stem for path in builtin_rules().glob("*/*.toml"))
    named = [stem.partition("-")[::2] for stem in stems if stem[:3].isupper()]
    found = [(rule, name) for rule, name in named if rule.startswith(word)]
    found += [(name, "a category") for name in get_args(Category) if word and name.startswith(word)]
    return [(before + name, what) for name, what in found]


def _last(incomplete: str) -> tuple[str, str]:
    """The last word of a list, and what stands before it, its comma included."""
    before, _, word = incomplete.rpartition(",")
    return f"{before}," if before else "", word


def explained(incomplete: str) -> list[tuple[str, str]]:
    """The same, and files: a line is for the user to add."""
    found = [] if "/" in incomplete or "." in incomplete else rules(incomplete)
    return found or [(name, "") for name in _files(incomplete)]


def _files(incomplete: str) -> Iterator[str]:
    folder, slash, name = incomplete.rpartition("/")
    try:
        entries = sorted(Path(folder + slash or ".").iterdir())
    except OSError:
        return
    shown = [each for each in entries if each.name.startswith(name) and each.name[:1] != "."]
    for each in shown[:_FILES]:
        yield f"{folder}{slash}{each.name}" + ("/" if each.is_dir() else "")


def formats(incomplete: str) -> list[str]:
    """Formats of reports, behind a comma as well."""
    from portaudit.report.formats import FORMATS

    before, word = _last(incomplete)
    return [before + name for name in FORMATS if name.startswith(word)]


def one_of(*words: str) -> Callable[[str], list[str]]:
    """Any of some words."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def targets(incomplete: str) -> list[str]:
    """What code can be ported to."""
    from portaudit.types import TARGETS

    return one_of(*TARGETS)(incomplete)


def confidences(incomplete: str) -> list[str]:
    """How sure a finding can be."""
    from portaudit.types import CONFIDENCES

    return one_of(*CONFIDENCES)(incomplete)


def severities(incomplete: str) -> list[str]:
    """How grave a finding can be, and none."""
    from portaudit.types import SEVERITIES

    return one_of(*SEVERITIES, "none")(incomplete)


COMPLETIONS: dict[str, Callable[[str], list[str]] | Callable[[str], list[tuple[str, str]]]] = {
    "target": targets,
    "formats": formats,
    "select": rules,
    "ignore": rules,
    "extend_select": rules,
    "min_confidence": confidences,
    "fail_on": severities,
    "group_by": one_of("root", "file", "rule", "category"),
    "color": one_of("auto", "always", "never"),
    "hyperlinks": one_of("auto", "always", "never"),
}
"""By the name of a shared option."""
