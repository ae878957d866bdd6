"""What a baseline promises, whatever the code is."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portaudit.triage.baseline import Comparison, Reading, compare, renew
from portaudit.types import Entry, Finding
from snippets import catalogue, findings, scan

scan("")  # raises the recursion limit, which hypothesis does not like to see in a test
CALM = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)
TODAY = datetime.date(2026, 11, 22)
STATEMENTS = (
    "torch.cuda.synchronize()",
    "x = torch.zeros(3, device='cuda')",
    "x = x.cuda()",
    "if torch.cuda.is_available(): x = x.cuda()",
    "with torch.cuda.amp.autocast(): x = x + 1",
    "x = 1",
)
REFORMATTED = {
    "torch.cuda.synchronize()": "torch.cuda.synchronize(\n    )",
    "x = torch.zeros(3, device='cuda')": (
        'x = torch.zeros(\n        3,\n        device="cuda",\n    )'
    ),
    "x = x.cuda()": "x = (\n        x.cuda()\n    )",
    "with torch.cuda.amp.autocast(): x = x + 1": (
        "with torch.cuda.amp.autocast():\n        x = x + 1"
    ),
}
LAUNCH = ("export NCCL_DEBUG=INFO", "nvidia-smi", "echo done")
BODIES = st.lists(st.sampled_from(STATEMENTS), max_size=6)
TREES = st.dictionaries(
    st.sampled_from(["train.py", "model/net.py", "model/ops.py"]), BODIES, min_size=1
)
SCRIPTS = st.lists(st.sampled_from(LAUNCH), max_size=4)


def program(body: list[str], *, between: str = "") -> str:
    """The statements in a function, with a line before each."""
    lines = ["import torch", "", "", "def f(x=None):"]
    for statement in body:
        lines += [f"    {between}"] if between else []
        lines.append(f"    {statement}")
    return "\n".join([*lines, "    return x", ""])


def tree(bodies: Mapping[str, list[str]], script: list[str]) -> dict[str, str]:
    made = {path: program(body) for path, body in bodies.items()}
    return made | {"run.sh": "\n".join(["#!/bin/sh", *script, ""])}


def against(
    found: list[Finding], entries: tuple[Entry, ...], files: Mapping[str, str]
) -> Comparison:
    reading = Reading(tuple(files), lambda path: path in files, catalogue().rules.keys())
    return compare(found, entries, reading, today=TODAY)


def accepted(files: Mapping[str, str]) -> tuple[Entry, ...]:
    return renew(against(findings(files), (), files), {"new"}).entries


def new(files: Mapping[str, str], entries: tuple[Entry, ...]) -> list[str]:
    told = against(findings(files), entries, files)
    return [
        f"{item.path}:{item.span.line} {item.rule}"
        for item in told.findings
        if item.state != "unchanged"
    ]


@CALM
@given(TREES, SCRIPTS)
def test_what_was_just_accepted_is_clean(bodies: dict[str, list[str]], script: list[str]) -> None:
    files = tree(bodies, script)
    entries = accepted(files)
    assert new(files, entries) == []
    assert against(findings(files), entries, files).gone == ()


@CALM
@given(TREES, SCRIPTS, st.integers(1, 3), st.data())
def test_adding_k_findings_gives_k_new_ones(
    bodies: dict[str, list[str]], script: list[str], number: int, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(bodies)))
    entries = accepted(tree(bodies, script))
    more = {**bodies, path: [*bodies[path], *["torch.cuda.ipc_collect()"] * number]}
    told = new(tree(more, script), entries)
    assert len(told) == number
    assert all(place.startswith(path) for place in told)


@CALM
@given(TREES, SCRIPTS, st.sampled_from(["# a comment", "# torch.cuda.synchronize()", "pass"]))
def test_comments_and_other_lines_change_nothing(
    bodies: dict[str, list[str]], script: list[str], between: str
) -> None:
    entries = accepted(tree(bodies, script))
    edited = {path: program(body, between=between) for path, body in bodies.items()}
    shell = {"run.sh": "\n# nvidia-smi\n\n".join(["#!/bin/sh", *script, ""])}
    assert new(edited | shell, entries) == []


@CALM
@given(TREES)
def test_formatting_changes_nothing(bodies: dict[str, list[str]]) -> None:
    entries = accepted(tree(bodies, []))
    edited = {
        path: [REFORMATTED.get(statement, statement) for statement in body]
        for path, body in bodies.items()
    }
    assert new(tree(edited, []), entries) == []


@CALM
@given(TREES, SCRIPTS)
def test_renaming_a_folder_changes_nothing(bodies: dict[str, list[str]], script: list[str]) -> None:
    files = tree(bodies, script)
    moved = {f"src/{path}": text for path, text in files.items()}
    assert new(moved, accepted(files)) == []


@CALM
@given(TREES, st.data())
def test_repairing_leaves_the_entry_over(bodies: dict[str, list[str]], data: st.DataObject) -> None:
    files = tree(bodies, [])
    entries = accepted(files)
    gone = data.draw(st.sampled_from(sorted(bodies)))
    kept = {path: text for path, text in files.items() if path != gone}
    told = against(findings(kept), entries, kept)
    assert {entry.path for entry in told.gone} <= {gone}
    assert renew(told, ()).entries == tuple(entry for entry in entries if entry.path != gone)
