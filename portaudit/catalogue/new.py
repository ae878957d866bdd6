"""A rule file to start from: it loads and its tests pass, the words are for the author to write.

Writes nothing; the command line does.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from portaudit.catalogue.load import PREFIXES
from portaudit.catalogue.schema import Rule
from portaudit.errors import UsageError, nearest

_TEMPLATE = '''\
schema = 1
id = "{id}"
name = "{name}"
category = "{category}"
severity = "minor"      # what the line costs if it must run on the target: info minor major blocker
confidence = "high"     # that a match is what it claims: low medium high
effort = "small"        # trivial small medium large research
message = "`{{anchor}}` <what ties it to CUDA, in one line>"
why = """
<Why the code does not run as written, or runs differently.>
"""
fix = """
<What to write instead; portable PyTorch first.>
"""

[[match]]
kind = "call"
name = ["somelibrary.some_function"]

[target.torchneuron]
status = "undocumented"     # supported partial unsupported undocumented
evidence = "inferred"       # official third_party prerelease inferred
source = "https://example.com/the-page-that-says-it"
sdk = "<SDK version that the page speaks of>"
checked = {today}
replacement = ""
note = "<what the page says, or that no statement was found>"

[target.xla]
status = "undocumented"
evidence = "inferred"
source = "https://example.com/the-page-that-says-it"
sdk = "<SDK version that the page speaks of>"
checked = {today}
note = "<what the page says, or that no statement was found>"

[[reference]]
title = "<further reading>"
url = "https://example.com/further-reading"

[[test]]
bad = \'\'\'
import somelibrary as lib

lib.some_function(1)  # expect: {id}
\'\'\'

[[test]]
good = \'\'\'
def some_function(value):
    return value


some_function(1)
\'\'\'
'''


class NewRule(Struct, frozen=True):
    """A rule file that does not exist yet. `path` is relative to the directory of rules."""

    path: PurePosixPath
    text: str


def draft(
    rules: Mapping[str, Rule], rule_id: str, name: str, category: str, *, today: datetime.date
) -> NewRule:
    """A rule file for a free id and name. Raises `UsageError` saying which ones would do."""
    if category not in PREFIXES.values():
        known = ", ".join(PREFIXES.values())
        hint = nearest(category, PREFIXES.values()) or f"; one of: {known}"
        raise UsageError(f'no category is called "{category}"{hint}')
    prefix = next(key for key, value in PREFIXES.items() if value == category)
    free = _free_id(rules, prefix)
    if not re.fullmatch(rf"{prefix}\d{{3}}", rule_id):
        raise UsageError(
            f'"{rule_id}" is no id of {category}: {prefix} and three digits; {free} is free'
        )
    if rule_id in rules:
        raise UsageError(f"{rule_id} is taken by {rules[rule_id].name}; {free} is free")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise UsageError(
            f'"{name}" is no rule name: lower-case words joined by hyphens that say the pattern, '
            "such as cuda-grad-scaler"
        )
    twin = next((rule.id for rule in rules.values() if rule.name == name), None)
    if twin:
        raise UsageError(f"the name {name} is taken by {twin}")
    text = _TEMPLATE.format(id=rule_id, name=name, category=category, today=today.isoformat())
    return NewRule(PurePosixPath(category, f"{rule_id}-{name}.toml"), text)


def _free_id(rules: Mapping[str, Rule], prefix: str) -> str:
    numbers = [int(rule_id[3:]) for rule_id in rules if rule_id.startswith(prefix)]
    return f"{prefix}{max(numbers, default=0) + 1:03}"
