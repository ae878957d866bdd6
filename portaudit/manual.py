"""The pages of the manual that code is the source of: the settings, and what is written as JSON.

The pages on rules are `catalogue.docs`. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from portaudit.config import GATE_KEYS, KEYS, OWN_FILE, SHARED_FILE, Key, defaults
from portaudit.report.schema import DOCUMENTS, definitions

Schema = Mapping[str, Any]
"""A JSON Schema, or a part of one."""
_GENERATED = "by `portaudit rules docs`."
_PUBLISHED = "Published"
"""What the name of a type begins with that exists for JSON alone."""
ENVIRONMENT = {
    "`PORTAUDIT_CACHE_DIR`": "where the cache is, in place of the user's directory",
    "`PORTAUDIT_LINK`": "the address that places link to, with `{root}`, `{path}`, `{line}`, "
    "`{column}` and `{host}` in it; by default that of the file",
    "`FORCE_HYPERLINK`": "`1` for links whatever the terminal is, `0` for none",
    "`NO_COLOR`, `TERM=dumb`, `CLICOLOR=0`": "no colour, unless `--color always` is given",
    "`FORCE_COLOR`, `CLICOLOR_FORCE`": "colour also where no terminal is",
    "`COLUMNS`": "how wide the text is",
    "`CI`": "no progress bar, and no links that nobody forces",
    "those of a job of GitHub or GitLab": "links of a Markdown report lead to the commit's lines",
}
"""The variables that decide something, and what."""
_SETTINGS = f"""# Settings

They stand in the table `[tool.portaudit]` of the root's `{SHARED_FILE}`, or without the table's
name in `{OWN_FILE}` beside it; one of the two. What the command line says wins. A key that is not
listed here is an error. `portaudit scan --show-config` prints what is in force and where each value
comes from, `portaudit check --show-config` the same for a check.

The root is the directory given, or its nearest ancestor that has settings or a baseline; of
files, the nearest common one that has either or is a git repository. `--root` names it. Paths and
patterns in the settings are relative to it. Made from `portaudit/config.py` {_GENERATED}
"""
_REPORT = f"""# The report as JSON

`portaudit scan --format json` writes all that portaudit knows of a tree; every other format is
made of it. The [JSON Schema](report.schema.json) has the same as this page. Keys are never
renamed or removed within `portaudit.report/1`; new ones may come, so leave aside what you do not
know. The same tree and the same portaudit give the same bytes: there is no clock and no absolute
path in it. Columns are counted in code points.

Many places refer to others: by `fingerprint` to a finding, by `id` to a root cause. This prints
the work that the main path needs, in order:

```python
import json
import subprocess
import sys

scan = [sys.executable, "-m", "portaudit", "scan", ".", "--format", "json"]
report = json.loads(subprocess.run(scan, capture_output=True, check=True).stdout)
needed = [root for root in report["roots"] if root["step"]]
for root in sorted(needed, key=lambda root: root["step"]):
    print(root["step"], root["severity"], root["title"], len(root["findings"]))
```

There are two more documents, whose findings and root causes are those of this page: [a line
explained](explanation.md), and [the difference of two reports](difference.md). Made from the types
of the report {_GENERATED}
"""
_EXPLANATION = f"""# An explanation as JSON

`portaudit explain PATH:LINE --format json` writes what there is to know of one line: why it has
findings, or why it has none. The [JSON Schema](explanation.schema.json) has the same as this page;
what holds for keys of [the report](report.md) holds for those of `portaudit.explanation/1`.
(`portaudit explain RULE --format json` writes the rule as [its file](rule-format.md) has it.) Made
from the types of the explanation {_GENERATED}
"""
_DIFFERENCE = f"""# A difference as JSON

`portaudit diff OLD NEW --format json` writes what one revision has that another had not, of two
commits or of two stored reports. The [JSON Schema](difference.schema.json) has the same as this
page; what holds for keys of [the report](report.md) holds for those of `portaudit.difference/1`.
This fails where a release brings a blocker that was not there before:

```python
import json
import subprocess
import sys

diff = [sys.executable, "-m", "portaudit", "diff", "v1.2", "v1.3", "--format", "json"]
told = json.loads(subprocess.run(diff, capture_output=True, check=True).stdout)
brought = [*told["appeared"], *told["graver"]]
sys.exit(any(finding["effective_severity"] == "blocker" for finding in brought))
```

Made from the types of the difference {_GENERATED}
"""
_HEADS = {"report": _REPORT, "explanation": _EXPLANATION, "difference": _DIFFERENCE}
"""What the page on each document begins with. A type that several share is told on the first."""


def settings_page(options: Collection[str]) -> str:
    """The page on the settings; `options` are those of the command line (`--target`)."""
    usual = defaults()
    lines = [_SETTINGS, "| key | takes | default |", "|---|---|---|"]
    lines += [
        f"| [`{key}`](#{key}) | {about.takes} | `{usual[key]}` |" for key, about in KEYS.items()
    ]
    lines.append("")
    for key, about in KEYS.items():
        lines += [f"## {key}", "", about.meaning, ""]
        if f"--{key}" in options:
            lines += [f"On the command line: `--{key}`.", ""]
        if key == "gate":
            lines += _keys(GATE_KEYS)
        lines += ["```toml", _example(about), "```", ""]
    lines += ["## Environment", "", "| variable | says |", "|---|---|"]
    lines += [f"| {variable} | {meaning} |" for variable, meaning in ENVIRONMENT.items()]
    return "\n".join(lines) + "\n"


def json_pages() -> dict[str, str]:
    """The pages on the documents that are written as JSON, by their path in the docs."""
    pages: dict[str, str] = {}
    home: dict[str, str] = {}
    for document in DOCUMENTS:
        made = definitions(document)
        own = [name for name in made if home.setdefault(name, document) == document]
        lines = [_HEADS[document]]
        for name in own:
            lines += _type(made[name], name, {key: home[key] for key in made if key not in own})
        pages[f"{document}.md"] = "\n".join(lines).rstrip("\n") + "\n"
    return pages


def _type(definition: Schema, name: str, elsewhere: Mapping[str, str]) -> Iterator[str]:
    """A type and its keys; `elsewhere`: on which page other types are told that are not here."""
    yield from (f"## {_title(name)}", "", *_description(definition), "")
    yield from ("| key | value | meaning |", "|---|---|---|")
    for key, value in definition["properties"].items():
        yield f"| `{key}` | {_value(value, elsewhere)} | {value['description']} |"
    yield ""


def _keys(keys: Mapping[str, Key]) -> Iterator[str]:
    yield from ("| key of the table | takes | meaning |", "|---|---|---|")
    yield from (f"| `{key}` | {each.takes} | {each.meaning} |" for key, each in keys.items())
    yield ""


def _example(about: Key) -> str:
    """An example that can be copied as it is."""
    own_table = about.example.startswith("[")
    return about.example if own_table else f"[tool.portaudit]\n{about.example}"


def _title(name: str) -> str:
    return name.removeprefix(_PUBLISHED)


def _description(definition: Schema) -> list[str]:
    """What a type says of itself before it speaks of its keys."""
    return str(definition["description"]).split("\n\n", 1)[0].split("\n")


def _value(schema: Schema, elsewhere: Mapping[str, str]) -> str:
    """What may stand there, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        page = f"{elsewhere[name]}.md" if name in elsewhere else ""
        return f"[{_title(name)}]({page}#{_title(name).lower()})"
    if "anyOf" in schema:
        return " or ".join(_value(each, elsewhere) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join("null" if word is None else f"`{word}`" for word in schema["enum"])
    if schema["type"] == "array":
        return _list(schema, elsewhere)
    if schema["type"] == "object":
        return f"object: name to {_value(schema['additionalProperties'], elsewhere)}"
    return str(schema["type"])


def _list(schema: Schema, elsewhere: Mapping[str, str]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_value(each, elsewhere) for each in schema['prefixItems'])}]"
    return f"list of {_value(schema['items'], elsewhere)}"
