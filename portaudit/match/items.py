"""Matches the items of a document against the catalogue: which rule speaks of which item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from portaudit.catalogue.index import Selector
from portaudit.catalogue.items import normal
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import Match
from portaudit.catalogue.stack import PYTHON, excluded_by, excludes
from portaudit.read.items import MAPPING, Item, Scalar
from portaudit.types import GUARD_STATES, Confidence, Span, Target, Use

_ONCE = frozenset({"env-var", "source", "include"})
"""Kinds of which one finding per file and subject says it all: the rest are its uses."""

_MADE = frozenset({"_target_", "class_path"})
"""Keys that say what is made of a mapping."""
_VAGUE = frozenset({"enabled", "enable", "value", "name", "type", "default"})
"""Keys that say nothing without the one above."""


class ItemHit(Struct, frozen=True):
    """A rule's pattern selected an item. `span` is what of it was meant, `value` is for words."""

    selector: Selector
    item: Item
    span: Span
    anchor: str
    value: str
    confidence: Confidence
    weight: int
    uses: tuple[Use, ...] = field(default=())


def match_items(
    items: Sequence[Item],
    catalogue: Catalogue,
    target: Target,
    path: str,
    first_party: AbstractSet[str] = frozenset(),
) -> list[ItemHit]:
    """The hits of a file: one per item and category, one per file for what is named again.

    `first_party`: import names that the tree itself offers; what it installs of those is its own.
    """
    siblings: dict[int, set[str]] = {}
    made: dict[int, str] = {}
    for item in items:
        siblings.setdefault(item.group, set()).add(_last(item))
        if _last(item) in _MADE and isinstance(item.value, str):
            made[item.group] = item.value
    best: dict[tuple[int, str], ItemHit] = {}
    for position, item in enumerate(items):
        for hit in _hits(item, catalogue, target, path, siblings, made):
            if _imports(hit.selector) & first_party:
                continue
            key = position, catalogue.rules[hit.selector.rule].category
            if key not in best or hit.weight > best[key].weight:
                best[key] = hit
    return _joined(_spelled(best.values()), path)


def _spelled(hits: Iterable[ItemHit]) -> Iterator[ItemHit]:
    """Hits without settings of which something inside, or what they are otherwise, says the same.

    A mapping is told by its key, `image: x` by the image, `CUDA_HOME: x` by the variable.
    """
    hits = list(hits)
    told = {
        (hit.selector.rule, hit.item.name[:at])
        for hit in hits
        if hit.item.kind == "config-key"
        for at, sign in enumerate(hit.item.name)
        if sign == "."
    }
    named = {(hit.selector.rule, hit.span.line) for hit in hits if hit.item.kind != "config-key"}
    for hit in hits:
        if hit.item.kind != "config-key":
            yield hit
        elif hit.item.value == MAPPING:
            if (hit.selector.rule, hit.item.name) not in told:
                yield hit
        elif (hit.selector.rule, hit.span.line) not in named:
            yield hit


def _hits(
    item: Item,
    catalogue: Catalogue,
    target: Target,
    path: str,
    siblings: Mapping[int, set[str]],
    made: Mapping[int, str],
) -> Iterator[ItemHit]:

    for weight, selector in catalogue.items.find(item.kind, item.name):
        rule, match = catalogue.rules[selector.rule], catalogue.match_of(selector)
        if not catalogue.facts(rule.id, selector.row, target).report:
            continue  # what is silent on this target must not stand before what speaks
        if match.paths and not any(fnmatchcase(path, pattern) for pattern in match.paths):
            continue
        if match.forms and not set(match.forms) & set(item.forms):
            continue
        if match.beside and siblings[item.group].isdisjoint(match.beside):
            continue
        if match.made and item.group in made:
            if not any(fnmatchcase(made[item.group], pattern) for pattern in match.made):
                continue
        if match.value and not _has_value(item, match.value):
            continue
        if not _is_meant(item, match, selector, target):
            continue
        span, word = item.span, ""
        if match.arguments:
            part = next((part for part in item.parts if _fits(part.text, match.arguments)), None)
            if part is None:
                continue
            span, word = part.span, part.text
        row = selector.row
        yield ItemHit(
            selector,
            item,
            span,
            match.anchor or _anchor(item, word),
            word or _shown(item.value),
            (row.confidence if row else None) or match.confidence or rule.confidence,
            weight + bool(match.beside or match.made),
        )


def _imports(selector: Selector) -> frozenset[str]:
    """The top-level names that a package of a table row is imported by."""
    names = selector.row.imports if selector.row else ""
    return frozenset(name.partition(".")[0] for name in names.split())


def _joined(hits: Iterable[ItemHit], path: str) -> list[ItemHit]:
    """Hits of one subject as one, the other places as its uses."""
    single: list[ItemHit] = []
    groups: dict[tuple[str, str], list[ItemHit]] = {}
    for hit in hits:
        if hit.item.kind in _ONCE or "readme" in hit.item.forms:
            groups.setdefault((hit.selector.rule, hit.anchor), []).append(hit)
        else:
            single.append(hit)
    for group in groups.values():
        first = min(group, key=_plea)
        uses = tuple(Use(path, hit.span.line) for hit in group if hit is not first)
        single.append(replace(first, uses=uses))
    return single


def _plea(hit: ItemHit) -> tuple[int, bool]:
    """The place that speaks for a subject: the least guarded; where a variable is set, not read."""
    reads = hit.item.kind == "env-var" and hit.item.value is None
    return GUARD_STATES.index(hit.item.guard), reads


def _is_meant(item: Item, match: Match, selector: Selector, target: Target) -> bool:
    """What only requirements ask: extras, versions of a table row, what the target has."""
    if item.kind != "dependency":
        return True
    extras = [part.text for part in item.parts]
    if match.extras and not any(_fits(extra, match.extras) for extra in extras):
        return False
    text = _shown(item.value)
    if match.excluded:
        return _is_excluded(item.name, text, target)
    versions = selector.row.cells.get("versions", "") if selector.row else ""
    return not versions or _newest(text) in SpecifierSet(versions, prereleases=True)


def _is_excluded(name: str, text: str, target: Target) -> bool:
    try:
        if name == PYTHON:
            return excludes(target, PYTHON, SpecifierSet(text))
        return excluded_by(target, Requirement(f"{name}{text}"))
    except (InvalidRequirement, InvalidSpecifier):
        return False


def _newest(text: str) -> Version:
    """The newest version that a requirement allows, as far as its own bounds say.

    A bound that is excluded gives the version just below it; without an upper bound there is none
    newer than the answer.
    """
    newest = Version("99999")
    try:
        specifiers = SpecifierSet(text.partition(";")[0])
        return min((_bound(each, newest) for each in specifiers), default=newest)
    except (InvalidSpecifier, InvalidVersion):  # `===` takes any word
        return newest


def _bound(each: Specifier, without: Version) -> Version:
    """The newest version that one specifier allows; `without` where it has no upper bound."""
    version = each.version.removesuffix(".*")
    if each.operator in {"==", "===", "<="}:
        return Version(f"{version}.99999" if each.version.endswith(".*") else version)
    if each.operator == "<":
        return Version(f"{version}.dev0")
    if each.operator == "~=":
        return Version(f"{version.rpartition('.')[0]}.99999")
    return without


def _has_value(item: Item, wanted: Sequence[str | bool | int | float]) -> bool:
    """Whether a scalar is one of some: strings are globs, and the word `"true"` is not true."""
    value: Scalar = item.value
    for each in wanted:
        if isinstance(each, str):
            if each == "*" or (isinstance(value, str) and fnmatchcase(value.lower(), each.lower())):
                return True
        elif isinstance(each, bool) or isinstance(value, bool):
            if each is value:
                return True
        elif isinstance(value, int | float) and each == value:
            return True
    return False


def _fits(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns)


def _anchor(item: Item, word: str) -> str:
    """The canonical thing: without the directory, the tag or the number that changes."""
    if item.kind == "config-key":
        return _setting(item)
    if word:
        option = word.partition("=")[0]
        return f"{item.name} {option}"
    return item.name


def _setting(item: Item) -> str:
    """A setting as one writes it: `--fp16` in a command, `fp16.enabled: true` in a file."""
    if "arguments" in item.forms:
        value = "" if item.value is True else f" {_shown(item.value)}"
        return f"--{item.name}{value}"
    key = _last(item)
    if key in _VAGUE and item.scope:
        key = f"{item.scope.rpartition('.')[2]}.{key}"
    return f"{key}: {_shown(item.value)}"


def _last(item: Item) -> str:
    """The key itself, without those above it."""
    return normal("config-key", item.name[len(item.scope) + 1 :] if item.scope else item.name)


def _shown(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
