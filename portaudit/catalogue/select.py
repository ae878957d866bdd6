"""Which rules a run uses: the words of `select`, `extend-select` and `ignore` -> rule ids.

Knows ids, names and categories only; what a rule matches is no matter here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from portaudit.catalogue.schema import Rule
from portaudit.errors import UsageError, nearest

if TYPE_CHECKING:
    from portaudit.catalogue.load import Catalogue

EVERYTHING = "ALL"
_ID = re.compile(r"[A-Z]{3}[0-9]+")
_CATEGORY_WEIGHT = 3
"""A category is as specific as the three letters that its ids begin with."""


def select_rules(
    rules: Mapping[str, Rule],
    *,
    select: Sequence[str] = (),
    extend_select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> tuple[str, ...]:
    """The ids that remain, in the catalogue's order.

    A word is an id, the beginning of ids (`FUS`, `FUS0`), a category, a rule's name or `ALL`. Of
    the words that fit a rule the most specific decides; between equals `ignore` wins. An empty
    `select` means all. Raises `UsageError` for a word that fits no rule, and when none remain.
    """
    chosen = _weights(rules, (*(select or (EVERYTHING,)), *extend_select))
    refused = _weights(rules, ignore)
    kept = tuple(name for name in rules if chosen.get(name, -1) > refused.get(name, -1))
    if rules and not kept:
        raise UsageError("select and ignore leave no rule to run; `portaudit rules list` has all")
    return kept


def find_rule(rules: Mapping[str, Rule], word: str) -> Rule:
    """The rule of an id or a name, in any case. Raises `UsageError` with the nearest one."""
    for rule in rules.values():
        if word.upper() == rule.id or word.lower() == rule.name:
            return rule
    known = [text for rule in rules.values() for text in (rule.id, rule.name)]
    hint = nearest(word, known) or nearest(word.upper(), known) or "; see `portaudit rules list`"
    family = word[:3].upper()
    if _ID.fullmatch(word.upper()) and any(name.startswith(family) for name in rules):
        hint = f"; see `portaudit rules list {family}`"  # any number is as near as any other
    raise UsageError(f'no rule has the id or name "{word}"{hint}')


def rules_of_library(catalogue: Catalogue, word: str) -> tuple[str, ...]:
    """The ids of the rules about a library, by the name of a package or of what Python imports."""
    known = catalogue.packages
    library = known.required(word.lower().replace("_", "-")) or known.imported(word)
    if library is None:
        return ()
    packages = {name for name, row in known.packages.items() if row.name == library.name}
    modules = {name for name, row in known.modules.items() if row.name == library.name}

    def is_meant(name: str, imports: str = "") -> bool:
        inside = any(f"{name}.".startswith(f"{module}.") for module in modules)
        return inside or name in packages or not modules.isdisjoint(imports.split())

    found = {
        rule.id
        for rule in catalogue.rules.values()
        if any(is_meant(name) for match in rule.match for name in match.name)
    }
    rows = ((key[0], row) for key, rows in catalogue.rows.items() for row in rows)
    found.update(rule for rule, row in rows if is_meant(row.name, row.imports))
    return tuple(name for name in catalogue.rules if name in found)


def named(rules: Mapping[str, Rule], word: str) -> frozenset[str]:
    """The ids of the rules that a word fits. Raises `UsageError` if there are none."""
    return frozenset(name for name, weight in _weights(rules, (word,)).items() if weight >= 0)


def _weights(rules: Mapping[str, Rule], words: Iterable[str]) -> dict[str, int]:
    """For each rule that a word fits, how specific the best word is."""
    weights: dict[str, int] = {}
    for word in words:
        fitting = {rule.id: _weight(rule, word) for rule in rules.values()}
        if all(weight < 0 for weight in fitting.values()):
            raise UsageError(_unknown(rules, word))
        for name, weight in fitting.items():
            weights[name] = max(weight, weights.get(name, -1))
    return weights


def _weight(rule: Rule, word: str) -> int:
    """How specific a word is for a rule; -1 when it does not fit."""
    if word.upper() == EVERYTHING:
        return 0
    if word.lower() == rule.name:
        return len(rule.id)
    if word and rule.id.startswith(word.upper()):
        return len(word)
    return _CATEGORY_WEIGHT if word.lower() == rule.category else -1


def _unknown(rules: Mapping[str, Rule], word: str) -> str:
    known = {EVERYTHING}
    for rule in rules.values():
        known |= {rule.id, rule.id[:3], rule.name, rule.category}
    hint = nearest(word, sorted(known)) or nearest(word.upper(), sorted(known))
    hint = hint or "; see `portaudit rules list`"
    return f'no rule, id prefix, category or rule name is "{word}"{hint}'
