"""The catalogue as Markdown: a page per rule, an index, topics, the JSON Schema of a rule file.

The words of a page are the rule's own; `portaudit explain` shows the same page. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import get_args

import msgspec

from portaudit.catalogue.facts import Figures, figures
from portaudit.catalogue.load import PREFIXES, Catalogue, Row
from portaudit.catalogue.schema import Condition, Context, Match, Rule, TargetFact
from portaudit.catalogue.topics import About, Advice, topics
from portaudit.kinds import kind_by_name
from portaudit.types import SEVERITIES, TARGETS, Evidence, FileKind, Status, Topic

_KINDS = {
    "call": "call",
    "attribute": "mention",
    "method": "method call",
    "import": "import",
    "decorator": "decorator",
    "class-base": "base class",
    "string": "string value",
    "kwarg": "keyword argument",
    "subscript": "subscript",
    "env-var": "environment variable",
    "detector": "detector",
    "config-key": "setting",
    "command": "command",
    "dependency": "requirement",
    "image": "container image",
    "include": "header",
    "source": "name in native code",
    "kernel": "kernel in native code",
}
_VALUED = frozenset({"kwarg", "config-key", "dependency", "image", "env-var", "source"})
"""Kinds whose names are narrowed down by values."""
_FENCES: Mapping[FileKind, str] = {
    "native": "cuda",
    "docker": "dockerfile",
    "make": "makefile",
    "hcl": "terraform",
    "requirements": "text",
    "notebook": "json",
    "shell": "sh",
    "gin": "python",
}
_CONTEXTS: Mapping[Context, str] = {
    "step": "inside a training step",
    "loop": "inside a loop",
    "model": "where a model is made",
}
_EXAMPLES = 2
_GENERATED = "Generated from the rule files by `portaudit rules docs`."


def pages(catalogue: Catalogue) -> dict[str, str]:
    """All generated documents: path relative to the docs directory -> text."""
    documents = {
        f"rules/{rule.id}.md": page(catalogue, rule, linked=True)
        for rule in catalogue.rules.values()
    }
    documents["rules/README.md"] = index(catalogue)
    documents["rules/by-severity.md"] = by_severity(catalogue)
    documents["topics.md"] = topics_page(catalogue)
    documents["rule.schema.json"] = _rule_schema()
    return documents


def stale(documents: Mapping[str, str], directory: Path) -> list[str]:
    """What a directory of documents lacks, has differently, or has left over."""
    problems = [
        f"{directory / path}: {'is out of date' if (directory / path).is_file() else 'is missing'}"
        for path, text in documents.items()
        if not (directory / path).is_file() or (directory / path).read_bytes() != text.encode()
    ]
    left = [f"{path}: belongs to no rule" for path in leftovers(documents, directory)]
    return sorted(problems + left)


def leftovers(documents: Mapping[str, str], directory: Path) -> list[Path]:
    """Rule pages in the directory that no rule stands behind."""
    found = sorted((directory / "rules").glob("*.md"))
    return [path for path in found if path.relative_to(directory).as_posix() not in documents]


def index(catalogue: Catalogue) -> str:
    """The page that lists all rules by category, and counts the facts behind them."""
    lines = [
        "# Rules",
        "",
        f"{len(catalogue.rules)} rules. {_GENERATED}",
        "",
        "Here by category; the same [by severity and status](by-severity.md).",
        "",
    ]
    rules = sorted(catalogue.rules.values(), key=lambda rule: (_position(rule), rule.id))
    for category, group in groupby(rules, key=lambda rule: rule.category):
        lines += [
            f"## {category}",
            "",
            f"| id | name | severity | {' | '.join(TARGETS)} | effort |",
            "|---|---|---|" + "---|" * len(TARGETS) + "---|",
        ]
        for rule in group:
            statuses = " | ".join(rule.target[target].status for target in TARGETS)
            lines.append(
                f"| [{rule.id}]({rule.id}.md) | {rule.name} | {rule.severity} | {statuses} "
                f"| {rule.effort} |"
            )
        lines.append("")
    lines += _figures(figures(catalogue))
    return "\n".join(lines)


def by_severity(catalogue: Catalogue) -> str:
    """The page that lists all rules by severity and by what the first target makes of them."""
    target = TARGETS[0]
    statuses = get_args(Status)
    lines = [
        "# Rules by severity and status",
        "",
        "Severity says what a line costs if it must run on the target, status whether the target",
        "has the capability: two things ([evidence](../evidence.md)). Here the status is that on",
        f"`{target}`, of the rule itself; rows of its tables may have another.",
        f"{_GENERATED}",
        "",
        f"| severity | {' | '.join(statuses)} |",
        "|---|" + "---:|" * len(statuses),
    ]
    rules = sorted(catalogue.rules.values(), key=lambda rule: rule.id)
    cells = {
        (severity, status): [
            rule
            for rule in rules
            if (rule.severity, rule.target[target].status) == (severity, status)
        ]
        for severity in reversed(SEVERITIES)
        for status in statuses
    }
    for severity in reversed(SEVERITIES):
        counts = " | ".join(str(len(cells[severity, status]) or "") for status in statuses)
        lines.append(f"| [{severity}](#{severity}) | {counts} |")
    lines.append("")
    for severity in reversed(SEVERITIES):
        lines += [f"## {severity}", "", "| status | rule | name | category |", "|---|---|---|---|"]
        lines += [
            f"| {status} | [{rule.id}]({rule.id}.md) | {rule.name} | {rule.category} |"
            for status in statuses
            for rule in cells[severity, status]
        ]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def page(catalogue: Catalogue, rule: Rule, *, linked: bool = False) -> str:
    """The page of a rule of the catalogue; `linked` to the others."""
    rows = {key[1]: found for key, found in catalogue.rows.items() if key[0] == rule.id}
    lines = [
        f"# {rule.id} {rule.name}",
        "",
        _lead(rule, rows),
        "",
        " | ".join(
            (
                f"**{rule.severity}**",
                f"[{rule.category}](README.md#{rule.category})" if linked else rule.category,
                f"confidence {rule.confidence}",
                f"effort {rule.effort}",
            )
        ),
        "",
    ]
    sections = [topic.title for topic in topics() if topic.id in _topics(catalogue, rule)]
    if sections:
        lines += [f"In the report's sections: {', '.join(sections)}.", ""]
    if rule.reason == "status":
        lines += ["Reported only because of what the target supports.", ""]
    if rule.when_guarded != "lower":
        lines += [f"When guarded: {rule.when_guarded}. {rule.when_guarded_reason}".strip(), ""]
    lines += ["## Why", "", rule.why.strip(), "", "## What to do", "", rule.fix.strip(), ""]
    for target in TARGETS:
        lines += _target(target, rule, rule.target[target])
    lines += ["## What it finds", ""]
    lines += _matches(rule, rows)
    lines += _examples(rule)
    if rule.reference:
        lines += ["## References", ""]
        lines += [f"- [{reference.title}]({reference.url})" for reference in rule.reference]
        lines.append("")
    return "\n".join(lines)


def topics_page(catalogue: Catalogue) -> str:
    """The page on the sections of a report: their rules, and what to check, with sources."""
    lines = [
        "# Sections of a report",
        "",
        "A section gathers what the findings say on one topic, whatever their category, and what",
        "to check on the target beside the code. Where no finding shows it, it is absent.",
        _GENERATED,
        "",
    ]
    for topic in topics():
        lines += [f"## {topic.title}", "", f"{topic.meaning[0].upper()}{topic.meaning[1:]}.", ""]
        lines += _topic_rules(catalogue, topic)
        lines += ["### To check", ""]
        for check in topic.check:
            lines += _check(check)
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _topic_rules(catalogue: Catalogue, topic: About) -> Iterator[str]:
    """The rules of a topic; of those that belong to it with a part only, the part."""
    yield from ("| rule | what of it |", "|---|---|")
    for rule in sorted(catalogue.rules.values(), key=lambda rule: (_position(rule), rule.id)):
        if topic.id in rule.topics:
            part = "all"
        elif topic.id in _topics(catalogue, rule):
            part = ", ".join(f"`{name}`" for name in _parts(catalogue, rule, topic.id))
        else:
            continue
        yield f"| [{rule.id}](rules/{rule.id}.md) {rule.name} | {part} |"
    yield ""


def _topics(catalogue: Catalogue, rule: Rule) -> set[Topic]:
    """The topics of a rule, of one of its matches or of a row of its tables."""
    rows = (row for key, found in catalogue.rows.items() if key[0] == rule.id for row in found)
    own = {topic for match in rule.match for topic in match.topics}
    return {*rule.topics, *own, *(topic for row in rows for topic in row.topics)}


def _parts(catalogue: Catalogue, rule: Rule, topic: Topic) -> list[str]:
    """What a rule finds on a topic that is not the rule's own."""
    names: list[str] = []
    for position, match in enumerate(rule.match):
        if topic in match.topics:
            names += [match.anchor] if match.anchor else match.name
        rows = catalogue.rows.get((rule.id, position), ())
        names += [row.name for row in rows if topic in row.topics]
    return list(dict.fromkeys(names))


def _check(check: Advice) -> Iterator[str]:
    """A check with its sources: targets that share a page share the line."""
    when = f" (where there are findings of {', '.join(check.when)})" if check.when else ""
    yield f"- {check.text}{when}"
    said: dict[str, list[str]] = {}
    for target in TARGETS:
        if origin := check.target.get(target):
            version = f"SDK {origin.sdk}" if origin.sdk[:1].isdigit() else origin.sdk
            whose = f"{origin.evidence.replace('_', ' ')}, {version}, checked {origin.checked}"
            said.setdefault(origin.source, []).append(f"{target}: {whose}")
    for source, words in said.items():
        yield f"  {source} ({'; '.join(words)})"


def _figures(counted: Figures) -> Iterator[str]:
    """What the catalogue knows, in numbers: by evidence and by status, per target."""
    yield from ("## Facts", "")
    yield (
        f"{counted.count()} facts: what each target does with the subject of {counted.rules} rules "
        f"and of {counted.rows} rows of tables. They cite {counted.sources} pages"
        + (f"; the oldest check is of {counted.oldest.isoformat()}" if counted.oldest else "")
        + ". What the words mean, and what nobody documents: [evidence](../evidence.md)."
    )
    yield ""
    by_evidence = {
        word: [counted.count(target, evidence=word) for target in TARGETS]
        for word in get_args(Evidence)
    }
    by_status = {
        word: [counted.count(target, status=word) for target in TARGETS]
        for word in get_args(Status)
    }
    for title, rows in (("evidence", by_evidence), ("status", by_status)):
        yield f"| {title} | {' | '.join(TARGETS)} |"
        yield "|---|" + "---:|" * len(TARGETS)
        for word, numbers in rows.items():
            yield f"| {word.replace('_', ' ')} | {' | '.join(map(str, numbers))} |"
        yield ""


def _position(rule: Rule) -> int:
    return list(PREFIXES.values()).index(rule.category)


def _lead(rule: Rule, rows: Mapping[int, Sequence[Row]]) -> str:
    """The rule's message about the first thing that it finds."""
    match = rule.match[0]
    row = next(iter(rows.get(0, ())), None)
    name = row.name if row else next(iter(match.name), "")
    value = str(match.value[0]) if match.value else ""
    text = rule.message.replace("{anchor}", match.anchor or name or value)
    text = text.replace("{value}", value or name)
    for column, cell in (row.cells if row else {}).items():
        text = text.replace(f"{{row.{column}}}", cell)
    return text


def _target(target: str, rule: Rule, fact: TargetFact) -> Iterator[str]:
    yield from (f"## On {target}", "")
    if not fact.report:
        yield from ("Not reported on this target: nothing needs to change.", "")
    version = f"SDK {fact.sdk}" if fact.sdk[:1].isdigit() else fact.sdk
    whose = f"{fact.evidence.replace('_', ' ')}, {version}"
    yield f"- status: **{fact.status}** ({whose}, checked {fact.checked.isoformat()})"
    yield f"- source: {fact.source}"
    if fact.replacement:
        yield f"- use: `{fact.replacement}`"
    if fact.note:
        yield f"- note: {' '.join(fact.note.split())}"
    for key, value in (("severity", fact.severity), ("effort", fact.effort)):
        if value and value != getattr(rule, key):
            yield f"- {key} on this target: {value}"
    yield ""
    if fact.fix:
        yield from (fact.fix.strip(), "")


def _matches(rule: Rule, rows: Mapping[int, Sequence[Row]]) -> Iterator[str]:
    """What is matched: kinds that select the same things share a line, tables follow."""
    kinds: dict[str, list[str]] = {}
    tables: dict[str, tuple[list[str], Sequence[Row]]] = {}
    for position, match in enumerate(rule.match):
        label = _KINDS[match.kind] + _limits(match)
        found = rows.get(position, ())
        names = [row.name for row in found] or match.name or [str(value) for value in match.value]
        listed = ", ".join(f"`{name}`" for name in names)
        if found:
            tables.setdefault(listed, ([], found))[0].append(label)
        else:
            kinds.setdefault(listed, []).append(label)
    for listed, labels in kinds.items():
        yield f"- {', '.join(dict.fromkeys(labels))}: {listed}"
    if kinds:
        yield ""
    for labels, found in tables.values():
        yield from _table(", ".join(dict.fromkeys(labels)), found)


def _table(label: str, rows: Sequence[Row]) -> Iterator[str]:
    yield from (f"{label[0].upper()}{label[1:]}, one of:", "")
    yield f"| name | severity | {' | '.join(TARGETS)} | use |"
    yield "|---|---|" + "---|" * len(TARGETS) + "---|"
    for row in rows:
        facts = [row.facts.get(target) for target in TARGETS]
        statuses = " | ".join(fact.status if fact else "as the rule" for fact in facts)
        replacement = _cell(facts[0].replacement) if facts[0] else ""
        yield f"| `{row.name}` | {row.severity or ''} | {statuses} | {replacement} |"
    yield ""


def _limits(match: Match) -> str:
    parts = [f"where {_condition(condition)}" for condition in match.where]
    parts += [f"unless {_condition(condition)}" for condition in match.unless]
    if match.kind in _VALUED and match.value:
        parts.append("with " + " or ".join(f"`{_word(value)}`" for value in match.value))
    if match.arguments:
        parts.append("with one of " + ", ".join(f"`{word}`" for word in match.arguments))
    if match.extras:
        parts.append("with the extra " + " or ".join(f"`{word}`" for word in match.extras))
    if match.excluded:
        parts.append("that leaves out every version of the target")
    if match.forms:
        parts.append("in " + " or ".join(form.replace("-", " ") for form in match.forms))
    if match.beside:
        parts.append("beside " + " or ".join(f"`{key}`" for key in match.beside))
    if match.made:
        made = " or ".join(f"`{name}`" for name in match.made)
        parts.append(f"where nothing but {made} is made of the mapping")
    if match.paths:
        parts.append("in files like " + " or ".join(f"`{path}`" for path in match.paths))
    if match.callee:
        parts.append("in a call of " + ", ".join(f"`{name}`" for name in match.callee))
    if match.receiver:
        parts.append("on a value from " + ", ".join(f"`{name}`" for name in match.receiver))
    if match.context:
        parts.append(" or ".join(_CONTEXTS[context] for context in match.context))
    if match.once:
        parts.append("(the first place of each class or function)")
    if match.leave_out:
        parts.append("(left out)")
    if match.replacement:
        parts.append(f"(use `{match.replacement}`)")
    return "".join(f" {part}" for part in parts)


def _word(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition(condition: Condition) -> str:
    given = condition.argument
    places = given if isinstance(given, list) else [given]
    argument = "argument " + " or ".join(f"`{place}`" for place in places)
    if condition.absent is not None:
        return f"{argument} is {'absent' if condition.absent else 'given'}"
    tests = [f"is `{value}`" for value in condition.equals]
    tests += [f"begins with `{value}`" for value in condition.prefix]
    tests += [f"has an element like `{value}`" for value in condition.has]
    tests += [f"is a {value}" for value in condition.type]
    return f"{argument} {' or '.join(tests)}"


def _examples(rule: Rule) -> Iterator[str]:
    bad = [(test.path, test.bad) for test in rule.test if test.bad]
    good = [(test.path, test.good) for test in rule.test if test.good]
    for title, snippets in (("Reported", bad), ("Not reported", good)):
        if snippets:
            yield from (f"## {title}", "")
        for path, snippet in _varied(snippets):
            kind = kind_by_name(path)
            fence = _FENCES.get(kind, kind) if kind else "text"
            yield from (f"```{fence}", snippet.strip("\n"), "```", "")


def _varied(snippets: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first examples, and the first one of another kind of file."""
    shown = list(snippets[:_EXAMPLES])
    kinds = {kind_by_name(path) for path, _ in shown}
    other = next((each for each in snippets if kind_by_name(each[0]) not in kinds), None)
    return [*shown, other] if other else shown


def _cell(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _rule_schema() -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "portaudit rule file, schema 1",
        **msgspec.json.schema(Rule),
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
