"""Loads and validates the catalogue: `rules/**/*.toml` and `rules/_data/*.csv` -> `Catalogue`.

Every refusal names the file, the key and the remedy. Nothing here knows how source is matched.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast, get_args

import msgspec
import tomli
from msgspec import Struct, field
from msgspec.structs import replace

from portaudit.catalogue.folders import files
from portaudit.catalogue.index import Index, Selector, build_index
from portaudit.catalogue.items import ItemIndex, build_items
from portaudit.catalogue.libraries import Libraries, libraries
from portaudit.catalogue.place import builtin_rules
from portaudit.catalogue.schema import ITEM_KINDS, InlineTest, Match, Rule, Section, TargetFact
from portaudit.errors import CatalogueError, nearest
from portaudit.ignores import is_endless
from portaudit.types import TARGETS, TOPICS, Confidence, Effort, Severity, Target, Topic

PREFIXES: Mapping[str, str] = {
    "DEV": "device-api",
    "DST": "device-string",
    "AMP": "amp",
    "MEM": "memory-api",
    "STR": "streams-graphs",
    "RNG": "rng",
    "DIS": "distributed",
    "FUS": "fused-kernel-lib",
    "EXT": "custom-cuda-ext",
    "SRC": "cuda-source",
    "TRI": "triton-kernel",
    "PAT": "framework-patch",
    "BKF": "backend-flags",
    "CMP": "compile",
    "DTY": "dtype",
    "SHP": "dynamic-shape",
    "SYN": "host-sync",
    "OPF": "op-fallback",
    "DAT": "data-pipeline",
    "QNT": "quantization",
    "PRF": "profiling",
    "INF": "inference-engine",
    "DEP": "dependency",
    "CTR": "container",
    "ENV": "scheduler-env",
    "NBK": "notebook",
}
"""Rule id prefix -> category."""

_COMMON = {"kind", "anchor", "confidence", "message", "replacement", "context", "topics"}
_NAMED = _COMMON | {"name", "table", "rows", "unlisted"}
_KEYS: Mapping[str, set[str]] = {
    "call": _NAMED | {"where", "unless", "once", "leave_out"},
    "attribute": _NAMED,
    "method": _NAMED | {"where", "unless", "receiver"},
    "import": _NAMED | {"leave_out"},
    "decorator": _NAMED | {"where", "unless"},
    "class-base": _NAMED | {"leave_out"},
    "string": _COMMON | {"value", "names", "sinks"},
    "kwarg": _COMMON | {"name", "value", "callee", "where", "unless"},
    "subscript": _NAMED,
    "env-var": _NAMED | {"value"},
    "detector": _COMMON | {"name"},
    "config-key": _COMMON | {"name", "value", "forms", "beside", "made", "paths"},
    "command": _NAMED | {"arguments", "paths"},
    "dependency": _NAMED | {"value", "extras", "excluded", "paths", "forms"},
    "image": _NAMED | {"value"},
    "source": _NAMED | {"value", "forms"},
    "include": _NAMED | {"forms"},
    "kernel": _COMMON | {"value"},
}
"""Which keys mean something for each kind of match."""

_NAME = re.compile(r"\.?[A-Za-z_]\w*(\.\w+)*(\.\*|\*)?")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_EXPECTS = re.compile(r"(?:#|//) expect:")
_FACT_COLUMNS = ("status", "evidence", "source", "sdk", "checked")
_MESSAGE_WORDS = {"anchor", "value"}
_ADDED = ("missing",)
"""Columns that rows get beside those of their table: `operators.MISSING`."""


class Row(Struct, frozen=True, dict=True):
    """A row of a table: the name it selects, its cells, and its facts per target.

    Of thousands of rows a run asks few what they say: `told_cells` and `told_facts` are that as
    MessagePack, read when somebody does.
    """

    name: str
    told_cells: msgspec.Raw
    told_facts: msgspec.Raw
    imports: str = ""
    severity: Severity | None = None
    confidence: Confidence | None = None
    effort: Effort | None = None
    topics: tuple[Topic, ...] = ()

    @cached_property
    def cells(self) -> dict[str, str]:
        """What the row says in each column."""
        return msgspec.msgpack.decode(self.told_cells, type=dict[str, str])

    @cached_property
    def facts(self) -> dict[Target, TargetFact]:
        """What it says of targets."""
        return msgspec.msgpack.decode(self.told_facts, type=dict[Target, TargetFact])

    def saying(self, cells: Mapping[str, str]) -> Row:
        """The same row with other cells."""
        return replace(self, told_cells=_raw(cells), imports=cells.get("imports", ""))


def _raw(told: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(told))


class Own(Struct, frozen=True):
    """What says that a target itself is there: words for its device, and names."""

    words: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


class Guards(Struct, frozen=True):
    """Names and words whose truth says what is there (`rules/_data/guards.toml`).

    `own` are those of the target that is judged for; for whoever has no target there are none.
    """

    cuda: frozenset[str]
    vendor: frozenset[str]
    lib: Mapping[str, str]
    package_checks: frozenset[str]
    words: Mapping[str, str]
    targets: Mapping[Target, Own] = field(default_factory=dict)
    own: Own = Own()

    def word(self, word: str) -> str:
        """`cuda`, `vendor`, `host` or `target` for a word that names a device, else empty."""
        return "target" if word in self.own.words else self.words.get(word, "")

    def on(self, target: Target) -> Guards:
        """The same for one target: its own device is not another vendor's there."""
        return replace(self, own=self.targets.get(target, Own()))


class Catalogue(Struct, frozen=True, dict=True):
    """All rules by id, the table rows that each match selected, and a digest of all of it."""

    rules: dict[str, Rule]
    rows: dict[tuple[str, int], tuple[Row, ...]]
    digest: str
    guards: Guards
    sources: dict[str, Path] = field(default_factory=dict)
    unlisted: dict[tuple[str, int], tuple[Row, ...]] = field(default_factory=dict)
    """Rows that count only if a user's operator list lacks what they need (`operators`)."""

    @cached_property
    def index(self) -> Index:
        """The rules by what can trigger them in Python source."""
        return build_index((item, self.match_of(item)) for item in self.selectors())

    @cached_property
    def items(self) -> ItemIndex:
        """The rules by what can trigger them in other files than Python's."""
        return build_items((item, self.match_of(item)) for item in self.selectors())

    @cached_property
    def import_names(self) -> Mapping[str, str]:
        """What packages are called when they are imported, as far as table rows say."""
        named = (row for rows in self.rows.values() for row in rows if row.imports)
        return {row.name: row.imports.split()[0] for row in named}

    @cached_property
    def packages(self) -> Libraries:
        """The libraries that packages of the tables are."""
        return libraries(row for rows in self.rows.values() for row in rows)

    @cached_property
    def libraries(self) -> frozenset[str]:
        """Import names of CUDA-only libraries: that one is importable implies CUDA."""
        named = {rule.library for rule in self.rules.values() if rule.library}
        for (rule_id, _), rows in self.rows.items():
            if self.rules[rule_id].library:
                named.update(row.name.split(".")[0] for row in rows)
        return frozenset(named)

    @cached_property
    def package_roots(self) -> frozenset[str]:
        """Top-level names of the packages that rules speak of, torch aside."""
        found = set(self.libraries) | set(self.guards.lib.values())
        for selector in self.selectors():
            match = self.match_of(selector)
            if match.kind in {"import", "call", "attribute"}:
                names = [selector.name] if selector.row else match.name
                found.update(name.split(".")[0] for name in names)
        return frozenset(found - {"torch", ""})

    def selectors(self) -> Iterable[Selector]:
        """One selector per match, or per table row of a match."""
        for rule_id, rule in self.rules.items():
            for position, match in enumerate(rule.match):
                if match.table:
                    for row in self.rows[rule_id, position]:
                        yield Selector(rule_id, position, row.name, row)
                else:
                    yield Selector(rule_id, position)

    def match_of(self, selector: Selector) -> Match:
        """The `[[match]]` that a selector stands for."""
        return self.rules[selector.rule].match[selector.position]

    def facts(self, rule_id: str, row: Row | None, target: Target) -> TargetFact:
        """A rule's facts for a target, or its row's where the row has its own."""
        if row is not None and target in row.facts:
            return row.facts[target]
        return self.rules[rule_id].target[target]

    def topics(self, selector: Selector) -> tuple[Topic, ...]:
        """The sections of a report that a finding belongs to: its row's, match's or rule's."""
        row = selector.row.topics if selector.row else ()
        named = row or self.match_of(selector).topics or self.rules[selector.rule].topics
        return tuple(topic for topic in TOPICS if topic in named)

    def restricted(self, ids: Iterable[str]) -> Catalogue:
        """The same catalogue with these rules only."""
        kept = set(ids)
        return Catalogue(
            {key: rule for key, rule in self.rules.items() if key in kept},
            {key: rows for key, rows in self.rows.items() if key[0] in kept},
            self.digest,
            self.guards,
            self.sources,
            {key: rows for key, rows in self.unlisted.items() if key[0] in kept},
        )


def load(extra: Sequence[Path] = (), root: Path | None = None) -> Catalogue:
    """Load the shipped rules and those of `extra` directories.

    Of what lies below `root`, the audited tree, nothing outside of it is read. Raises
    `CatalogueError` for a file that is not as `docs/rule-format.md` says.
    """
    rules: dict[str, Rule] = {}
    rows: dict[tuple[str, int], tuple[Row, ...]] = {}
    unlisted: dict[tuple[str, int], tuple[Row, ...]] = {}
    sources: dict[str, Path] = {}
    digest = hashlib.sha256()
    for directory in (builtin_rules(), *extra):
        folder = files(directory, root)
        tables = {path.stem: path for path in folder.data if path.suffix == ".csv"}
        loaded: dict[str, tuple[Row, ...]] = {}
        for path in folder.rules:
            rule = read_rule(path)
            _refuse_twins(rule, path, rules, sources)
            for position, match in enumerate(rule.match):
                where = f"{path}: [[match]] {position + 1}"
                kept: tuple[Row, ...] = ()
                if match.table:
                    table = _table(where, match.table, tables, loaded)
                    kept = _filter(where, table, match.rows)
                    if match.unlisted:
                        unlisted[rule.id, position] = kept
                    rows[rule.id, position] = () if match.unlisted else kept
                _refuse_empty_places(where, rule, match, kept)
            rules[rule.id] = rule
            sources[rule.id] = path
            _add(digest, path)
        for path in folder.data:
            _add(digest, path)
    guards = read_guards(builtin_rules() / "_data" / "guards.toml")
    return Catalogue(
        dict(sorted(rules.items())), rows, digest.hexdigest()[:16], guards, sources, unlisted
    )


def _add(digest: hashlib._Hash, path: Path) -> None:
    """A file with its name and length: what belongs to which name is part of a catalogue."""
    content = path.read_bytes()
    digest.update(f"\n{path.name} {len(content)}\n".encode())
    digest.update(content)


def read_guards(path: Path) -> Guards:
    """Read the names that prove guards. Raises `CatalogueError`."""
    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
        words = {word: kind for kind, listed in data["words"].items() for word in listed}
        return Guards(
            frozenset(data["cuda"]),
            frozenset(data["vendor"]),
            data["lib"],
            frozenset(data["package_checks"]),
            words,
            {
                target: Own(frozenset(own["words"]), frozenset(own["names"]))
                for target, own in data["own"].items()
            },
        )
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, KeyError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error


def read_rule(path: Path) -> Rule:
    """Read and check one rule file. Raises `CatalogueError`."""
    try:
        data = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error
    except tomli.TOMLDecodeError as error:
        raise CatalogueError(f"{path}: not valid TOML: {error}") from error
    except RecursionError:
        raise CatalogueError(f"{path}: is nested too deeply") from None
    try:
        rule = msgspec.convert(data, Rule)
    except msgspec.ValidationError as error:
        raise CatalogueError(f"{path}: {_explain(str(error))}") from error
    problem = next(iter(_problems(rule, path)), None)
    if problem:
        raise CatalogueError(f"{path}: {problem}")
    return rule


def _explain(text: str) -> str:
    """Turn msgspec's message into key and remedy."""
    found = re.match(r"(?s)(.*?)(?: - at `\$(.*)`)?$", text)
    reason, place = (found.group(1), found.group(2) or "") if found else (text, "")
    key = re.sub(r"\[(\d+)\]", lambda index: f" {int(index.group(1)) + 1}", place.lstrip("."))
    unknown = re.search(r"unknown field `(.*?)`", reason)
    if unknown:
        fields = _fields_at(place)
        hint = nearest(unknown.group(1), fields) or f"; known keys: {', '.join(fields)}"
        return f"{_section(key)}unknown key `{unknown.group(1)}`{hint}"
    choice = re.search(r"Invalid enum value '(.*?)'", reason)
    if choice:
        known = _choices_at(place)
        hint = nearest(choice.group(1), known) or f"; one of: {', '.join(known)}"
        return f'`{key}` cannot be "{choice.group(1)}"{hint}'
    missing = re.search(r"missing required field `(.*?)`", reason)
    if missing:
        return f"{_section(key)}`{missing.group(1)}` is missing: add it (see `portaudit rules new`)"
    return f"`{key}`: {reason}" if key else reason


def _section(key: str) -> str:
    return f"[{key}]: " if key else ""


def _type_at(place: str) -> object:
    """The type annotation of a place such as `.match[0].kind`."""
    node: object = Rule
    for step in re.findall(r"\.(\w+)|\[(\.\.\.|\d+|`?\w+`?)\]", place):
        name = step[0]
        if name and isinstance(node, type) and issubclass(node, Section):
            info = msgspec.structs.fields(node)
            node = next((item.type for item in info if item.name == name), None)
        else:
            arguments = get_args(node)
            node = arguments[-1] if arguments else node
    return node


def _fields_at(place: str) -> tuple[str, ...]:
    node = _type_at(place)
    if isinstance(node, type) and issubclass(node, Section):
        return tuple(item.name for item in msgspec.structs.fields(node))
    return ()


def _choices_at(place: str) -> tuple[str, ...]:
    def leaves(node: object) -> Iterable[str]:
        for argument in get_args(node):
            if isinstance(argument, str):
                yield argument
            else:
                yield from leaves(argument)

    return tuple(leaves(_type_at(place)))


def _problems(rule: Rule, path: Path) -> Iterable[str]:
    """What the shapes cannot say."""
    if rule.schema != 1:
        yield f"`schema` is {rule.schema}; this version reads 1"
    prefix = rule.id[:3]
    if not re.fullmatch(r"[A-Z]{3}\d{3}", rule.id) or prefix not in PREFIXES:
        hint = nearest(prefix, PREFIXES)
        yield f'`id` "{rule.id}" is not a category prefix and three digits{hint}'
    elif PREFIXES[prefix] != rule.category:
        owner = PREFIXES[prefix]
        yield f'`id` "{rule.id}" has the prefix of {owner}, but `category` is {rule.category}'
    if path.name != f"{rule.id}-{rule.name}.toml":
        yield f"the file must be named {rule.id}-{rule.name}.toml, after its `id` and `name`"
    if rule.when_guarded != "lower" and not rule.when_guarded_reason:
        yield f'`when_guarded = "{rule.when_guarded}"` needs `when_guarded_reason`'
    for target in TARGETS:
        if target not in rule.target:
            yield f"[target.{target}] is missing: say `undocumented` where nobody knows"
        else:
            yield from _fact_problems(f"[target.{target}]", rule.target[target])
    if not rule.match:
        yield "no [[match]]: a rule must select something"
    for position, match in enumerate(rule.match, start=1):
        yield from _match_problems(f"[[match]] {position}", match)
    yield from _text_problems(rule)
    yield from _test_problems(rule)


def _fact_problems(where: str, fact: TargetFact) -> Iterable[str]:
    if not re.match(r"https://[^/\s]+/\S", fact.source):
        given = f'not "{fact.source}"'
        yield f"{where} `source` must be the https address of the page that says it, {given}"
    if not fact.sdk.strip():
        yield f"{where} `sdk` is empty: name the SDK version that the source speaks of"


def _match_problems(where: str, match: Match) -> Iterable[str]:
    allowed = _KEYS[match.kind]
    for key in Match.__struct_fields__:
        if key not in allowed and getattr(match, key):
            yield f'{where}: `{key}` means nothing for kind "{match.kind}"'
    if match.kind in {"string", "config-key"} and not match.value:
        yield f'{where}: kind "{match.kind}" needs `value`'
    if match.kind not in {"string", "kernel"} and bool(match.name) == bool(match.table):
        yield f"{where}: needs either `name` or `table`"
    if match.unlisted and not match.table:
        yield f"{where}: `unlisted` needs a `table` with a column `operators`"
    yield from _name_problems(where, match)
    for condition in (*match.where, *match.unless):
        if condition.absent is None and not (
            condition.equals or condition.prefix or condition.has or condition.type
        ):
            yield f"{where}: a condition needs `equals`, `prefix`, `has`, `type` or `absent`"


def _name_problems(where: str, match: Match) -> Iterable[str]:
    if match.kind == "detector":
        from portaudit.detectors import names  # noqa: PLC0415 - they import the matcher

        for name in match.name:
            if name not in names():
                yield f'{where}: no detector is called "{name}"{nearest(name, names())}'
    elif match.kind in ITEM_KINDS:
        for name in match.name:
            if is_endless(name):
                yield f'{where}: `name` "{name}" has `**` too often to be tried together'
    elif match.kind != "kwarg":
        for name in match.name:
            if not _NAME.fullmatch(name):
                yield f'{where}: `name` "{name}" is no dotted name (a `*` may only end it)'


def _text_problems(rule: Rule) -> Iterable[str]:
    texts = {"message": rule.message}
    for position, match in enumerate(rule.match, start=1):
        texts[f"[[match]] {position} message"] = match.message
    for target, fact in rule.target.items():
        texts[f"[target.{target}] message"] = fact.message
    for key, text in texts.items():
        for word in _PLACEHOLDER.findall(text):
            if word not in _MESSAGE_WORDS and not word.startswith("row."):
                known = [*_MESSAGE_WORDS, "row.COLUMN"]
                yield f"`{key}` has the unknown placeholder {{{word}}}{nearest(word, known)}"
    for key in ("message", "why", "fix"):
        if not getattr(rule, key).strip():
            yield f"`{key}` is empty"
    for key in ("why", "fix"):
        for word in _PLACEHOLDER.findall(getattr(rule, key)):
            if word.startswith("row."):
                yield f"`{key}` is the same for all rows: nothing fills {{{word}}}"


def expects(test: InlineTest) -> bool:
    """Whether an inline test expects a finding."""
    texts = (test.bad, *test.files.values())
    return bool(test.expect) or any(_EXPECTS.search(text) for text in texts)


def _test_problems(rule: Rule) -> Iterable[str]:
    for position, test in enumerate(rule.test, start=1):
        if sum(map(bool, (test.bad, test.good, test.files))) != 1:
            yield f"[[test]] {position}: give exactly one of `bad`, `good` and `files`"
        if test.bad and not expects(test):
            yield f"[[test]] {position}: `bad` has no `# expect: {rule.id}` line"
        if test.good and (test.expect or _EXPECTS.search(test.good)):
            yield f"[[test]] {position}: `good` must expect nothing; make it `bad`"
    if not any(expects(test) for test in rule.test):
        yield "no [[test]] that must report: add a `bad` snippet"
    if not any(not expects(test) for test in rule.test):
        yield "no [[test]] that must stay quiet: add a `good` snippet that looks alike"


def _refuse_twins(
    rule: Rule, path: Path, rules: Mapping[str, Rule], sources: Mapping[str, Path]
) -> None:
    if rule.id in rules:
        raise CatalogueError(
            f"{path}: `id` {rule.id} is taken by {sources[rule.id]}; use a free one"
        )
    twin = next((other for other in rules.values() if other.name == rule.name), None)
    if twin:
        raise CatalogueError(f"{path}: `name` {rule.name} is taken by {sources[twin.id]}")


def _table(
    where: str, name: str, paths: Mapping[str, Path], loaded: dict[str, tuple[Row, ...]]
) -> tuple[Row, ...]:
    if name not in loaded:
        if name not in paths:
            raise CatalogueError(f"{where}: no table _data/{name}.csv{nearest(name, paths)}")
        loaded[name] = read_table(paths[name])
    return loaded[name]


def _refuse_empty_places(where: str, rule: Rule, match: Match, rows: tuple[Row, ...]) -> None:
    """Every `{row.COLUMN}` of what is told of a match must be filled by what it finds."""
    facts = [
        row.facts.get(target, fact) if row else fact
        for target, fact in rule.target.items()
        for row in rows or (None,)
    ]
    told = {
        text
        for fact in facts
        if fact.report and not match.leave_out
        for text in (fact.message or match.message or rule.message, fact.fix)
    }
    columns = [*rows[0].cells, *_ADDED] if rows else []
    for word in _PLACEHOLDER.findall("".join(sorted(told))):
        place, _, column = word.partition(".")
        if place == "row" and column not in columns:
            if not rows:
                raise CatalogueError(
                    f"{where}: nothing fills {{{word}}}, as it has no `table`: give it a `message`"
                )
            hint = nearest(column, columns) or f"; there are {', '.join(columns)}"
            raise CatalogueError(f"{where}: {match.table}.csv has no column for {{{word}}}{hint}")


def _filter(
    where: str, rows: tuple[Row, ...], wanted: Mapping[str, str | list[str]]
) -> tuple[Row, ...]:
    kept = rows
    for column, values in wanted.items():
        if rows and column not in rows[0].cells:
            raise CatalogueError(f"{where}: `rows`: the table has no column `{column}`")
        allowed = [values] if isinstance(values, str) else values
        kept = tuple(row for row in kept if row.cells[column] in allowed)
    if not kept:
        raise CatalogueError(f"{where}: `rows` selects no row of the table")
    return kept


def read_table(path: Path) -> tuple[Row, ...]:
    """Read one CSV table; every row has facts with sources. Raises `CatalogueError`."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            records = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error
    return tuple(_row(path, number, record) for number, record in enumerate(records, start=1))


def _row(path: Path, number: int, record: Mapping[str, str]) -> Row:
    where = f"{path}: row {number} ({record.get('name')})"
    if None in record or None in record.values():
        raise CatalogueError(f"{where}: has not as many cells as the header")
    if not record.get("name"):
        raise CatalogueError(f"{where}: `name` is empty")
    facts: dict[Target, TargetFact] = {}
    for target in TARGETS:
        given = {
            column.removeprefix(f"{target}_"): cell
            for column, cell in record.items()
            if column.startswith(f"{target}_") and cell
        }
        if not given:
            continue
        for column in _FACT_COLUMNS:
            if column not in given:
                raise CatalogueError(f"{where}: `{target}_{column}` is empty; a fact needs it")
        facts[target] = _row_fact(f"{where} {target}", given)
    return Row(
        name=record["name"],
        told_cells=_raw(dict(record)),
        told_facts=_raw(facts),
        imports=record.get("imports", ""),
        severity=cast("Severity | None", _cell(where, record, "severity", Severity)),
        confidence=cast("Confidence | None", _cell(where, record, "confidence", Confidence)),
        effort=cast("Effort | None", _cell(where, record, "effort", Effort)),
        topics=_topics(where, record.get("topics", "")),
    )


def _topics(where: str, cell: str) -> tuple[Topic, ...]:
    """The topics of a row, apart by blanks."""
    for word in cell.split():
        if word not in TOPICS:
            raise CatalogueError(f'{where}: `topics` cannot be "{word}"{nearest(word, TOPICS)}')
    return cast("tuple[Topic, ...]", tuple(cell.split()))


def _row_fact(where: str, given: Mapping[str, str]) -> TargetFact:
    data: dict[str, object] = dict(given)
    try:
        data["checked"] = datetime.date.fromisoformat(given["checked"])
    except ValueError:
        raise CatalogueError(f"{where}_checked must be a date such as 2026-11-21") from None
    if "report" in given:
        data["report"] = given["report"].lower() not in {"false", "no", "0"}
    try:
        fact = msgspec.convert(data, TargetFact)
    except msgspec.ValidationError as error:
        raise CatalogueError(f"{where}: {error}") from error
    problem = next(iter(_fact_problems(where, fact)), None)
    if problem:
        raise CatalogueError(problem)
    return fact


def _cell(where: str, record: Mapping[str, str], column: str, choices: object) -> str | None:
    value = record.get(column)
    if not value:
        return None
    known = get_args(choices)
    if value not in known:
        raise CatalogueError(f'{where}: `{column}` cannot be "{value}"{nearest(value, known)}')
    return value
