"""The pages of the manual that code is the source of: the settings, and the report as JSON.

The pages on rules are `catalogue.docs`. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from portaudit.config import GATE_KEYS, KEYS, OWN_FILE, SHARED_FILE, Key, defaults
from portaudit.report.schema import definitions

Schema = Mapping[str, Any]
"""A JSON Schema, or a part of one."""
_GENERATED = "by `portaudit rules docs`."
_PUBLISHED = "Published"
"""What the name of a type begins with that exists for JSON alone."""
_ENVIRONMENT = {
    "`PORTAUDIT_CACHE_DIR`": "where the cache is, in place of the user's directory",
    "`NO_COLOR`, `TERM=dumb`": "no colour, unless `--color always` is given",
    "`COLUMNS`": "how wide the text is",
    "`CI`": "no progress bar",
    "those of a job of GitHub or GitLab": "links of a Markdown report lead to the commit's lines",
}
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

`portaudit diff OLD NEW --format json` writes `portaudit.difference/1`, whose findings and root
causes are those of this page. Made from the types of the report {_GENERATED}
"""


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
    lines += [f"| {variable} | {meaning} |" for variable, meaning in _ENVIRONMENT.items()]
    return "\n".join(lines) + "\n"


def report_page() -> str:
    """The page on the report as JSON."""
    lines = [_REPORT]
    for name, definition in definitions().items():
        lines += [f"## {_title(name)}", "", *_description(definition), ""]
        lines += ["| key | value | meaning |", "|---|---|---|"]
        lines += [
            f"| `{key}` | {_value(value)} | {value['description']} |"
            for key, value in definition["properties"].items()
        ]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


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


def _value(schema: Schema) -> str:
    """What may stand there, in words."""
    if "$ref" in schema:
        title = _title(schema["$ref"].rpartition("/")[2])
        return f"[{title}](#{title.lower()})"
    if "anyOf" in schema:
        return " or ".join(_value(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join("null" if word is None else f"`{word}`" for word in schema["enum"])
    if schema["type"] == "array":
        return _list(schema)
    if schema["type"] == "object":
        return f"object: name to {_value(schema['additionalProperties'])}"
    return str(schema["type"])


def _list(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_value(each) for each in schema['prefixItems'])}]"
    return f"list of {_value(schema['items'])}"
