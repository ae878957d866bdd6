from __future__ import annotations

import datetime
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

import samples
from portaudit.triage.baseline import (
    Baseline,
    BaselineError,
    Comparison,
    Reading,
    Terms,
    compare,
    dump,
    parse,
    renew,
)
from portaudit.triage.matching import entry_of
from portaudit.types import Entry, Finding, Severity, Suppression

TODAY = datetime.date(2026, 11, 22)
RULES = {"device-api": {"DEV001": "aaaa", "DEV002": "bbbb"}, "amp": {"AMP003": "cccc"}}
TEXT = st.text(max_size=12)
ENTRIES = st.builds(
    Entry,
    path=TEXT,
    rule=st.sampled_from(["DEV001", "AMP003"]),
    scope=TEXT,
    anchor=TEXT,
    context=st.sampled_from(["", "c0"]),
    severity=st.sampled_from(["info", "minor", "blocker"]),
    count=st.integers(1, 3),
    reason=TEXT,
    owner=TEXT,
    expires=st.sampled_from(["", "2027-03-31"]),
)


def finding(
    path: str = "train.py", rule: str = "DEV001", severity: Severity = "minor", scope: str = "f"
) -> Finding:
    """A finding whose statement is another in every scope."""
    return structs.replace(
        samples.FLASH,
        rule=rule,
        path=path,
        scope=scope,
        anchor="x",
        context=f"c-{scope}",
        severity=severity,
        effective_severity=severity,
        suppressed=None,
    )


def reading(
    *scanned: str, exists: Collection[str] = ("train.py",), ran: Collection[str] = ("DEV001",)
) -> Reading:
    return Reading(scanned or ("train.py",), lambda path: path in exists, ran)


def states(comparison: Comparison) -> list[str | None]:
    return [item.state for item in comparison.findings]


# --- the file ---


@given(st.lists(ENTRIES, max_size=6))
def test_a_baseline_is_read_as_it_was_written(entries: list[Entry]) -> None:
    once = {structs.replace(entry, count=1): entry for entry in entries}
    baseline = Baseline("torchneuron", "0.1.0", RULES, tuple(sorted(once.values())))
    assert parse(dump(baseline).encode(), "b") == baseline


@given(st.lists(ENTRIES, min_size=1, max_size=6, unique_by=lambda entry: entry.path))
def test_an_entry_is_one_line(entries: list[Entry]) -> None:
    whole = dump(Baseline("torchneuron", "0.1.0", RULES, tuple(entries))).split("\n")
    for gone in entries:
        rest = tuple(entry for entry in entries if entry is not gone)
        text = dump(Baseline("torchneuron", "0.1.0", RULES, rest)).split("\n")
        assert len(text) == len(whole) - 1
        assert set(text) < set(whole)


def test_two_branches_that_add_entries_merge(tmp_path: Path) -> None:
    def text(*paths: str) -> str:
        entries = tuple(entry_of(finding(path)) for path in paths)
        return dump(Baseline("torchneuron", "0.1.0", RULES, entries))

    sides = {
        "ours": text("b.py", "m.py", "z.py"),
        "base": text("b.py", "m.py"),
        "theirs": text("a.py", "b.py", "m.py"),
    }
    for name, content in sides.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    merged = subprocess.run(
        ["git", "merge-file", "-p", *sides],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    assert [entry.path for entry in parse(merged, "b").entries] == ["a.py", "b.py", "m.py", "z.py"]


def test_both_sides_of_a_merge_may_accept_the_same() -> None:
    one = dump(Baseline("torchneuron", "0.1.0", RULES, (entry_of(finding()),)))
    line = next(line for line in one.splitlines() if "train.py" in line)
    assert len(parse(one.replace(line, f"{line}\n{line}").encode(), "b").entries) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no baseline"),
        ("[]", "is no baseline"),
        ('{"schema": "other/1"}', 'is no "portaudit.baseline/1" but "other/1"'),
        ('{"schema": "portaudit.baseline/1", "target": "tpu"}', 'target "tpu" is none of'),
        (
            '{"schema": "portaudit.baseline/1", "target": "xla", "entires": []}',
            "unknown key 'entires'; did you mean \"entries\"?",
        ),
        (
            '{"schema": "portaudit.baseline/1", "target": "xla", "entries": [null, {"path": "a"}]}',
            "entry 2: Object missing required field `rule`",
        ),
        ("<<<<<<< ours\n{}\n", "holds the conflict markers of a merge"),
        ("{\n<<<<<<< ours\n}\n", "holds the conflict markers of a merge"),
        ("{\n}\n>>>>>>> theirs\n", "holds the conflict markers of a merge"),
        ("\xff", "is no baseline"),
        (
            '{"schema": "portaudit.baseline/1", "target": "xla", "entries": [{"path": "\xff"}]}',
            "entry 1: ",
        ),
        ('{"schema": ' + "[" * 20_000, "is no baseline"),
    ],
)
def test_what_cannot_be_read_is_said(content: str, message: str) -> None:
    with pytest.raises(BaselineError) as caught:
        parse(content.encode("latin-1"), "b.json")
    assert str(caught.value).startswith(f"b.json: {message}")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("expires", '"soon"', 'expires must be a date such as "2027-03-31", not "soon"'),
        ("count", "0", "count must be from 1 to 100,000, not 0"),
        ("severity", '"bad"', "Invalid enum value 'bad'"),
        ("reazon", '"x"', "Object contains unknown field `reazon`"),
    ],
)
def test_entries_with_odd_values_are_refused(key: str, value: str, message: str) -> None:
    text = dump(Baseline("torchneuron", "0.1.0", RULES, (entry_of(finding()),)))
    if key == "severity":
        text = text.replace('"severity": "minor"', f'"severity": {value}')
    else:
        text = text.replace('"anchor"', f'"{key}": {value}, "anchor"')
    with pytest.raises(BaselineError) as caught:
        parse(text.encode(), "b")
    assert f"b: entry 1: {message}" in str(caught.value)


@pytest.mark.parametrize("before", ["", "x"])
def test_an_entry_is_shown_so_far_whatever_character_it_is_cut_in(before: str) -> None:
    head = '{"schema": "portaudit.baseline/1", "target": "xla", "entries": ['
    entry = f'{{"path": "{before}{"é" * 90}"}}'
    with pytest.raises(BaselineError) as caught:
        parse(f"{head}{entry}]}}".encode(), "b")
    shown = str(caught.value).partition(": {")[2]
    assert shown.rstrip("\ufffd") == entry[1:120].encode()[:119].decode("utf-8", "ignore")


def test_an_entry_may_stand_for_as_many_as_are_said_to_be_possible() -> None:
    text = dump(Baseline("torchneuron", "0.1.0", RULES, (entry_of(finding()),)))
    text = text.replace('"anchor"', '"count": 100000, "anchor"')
    assert parse(text.encode(), "b").entries[0].count == 100_000
    with pytest.raises(BaselineError, match="not 100001"):
        parse(text.replace("100000", "100001").encode(), "b")


def test_rules_that_changed_are_known() -> None:
    baseline = Baseline("torchneuron", "0.1.0", RULES)
    assert baseline.changed("0.1.0", RULES) == set()
    newer = {"device-api": {"DEV001": "other", "DEV002": "bbbb"}, "rng": {"RNG001": "dddd"}}
    assert baseline.changed("0.1.0", newer) == {"DEV001", "RNG001"}
    assert baseline.changed("0.2.0", RULES) == {"DEV001", "DEV002", "AMP003"}


# --- comparing ---


def test_findings_are_new_unless_accepted() -> None:
    old, new = finding(scope="old"), finding(scope="new")
    told = compare([old, new], [entry_of(old)], reading(), today=TODAY)
    assert sorted((item.scope, item.state) for item in told.findings) == [
        ("new", "new"),
        ("old", "unchanged"),
    ]
    assert told.gone == ()


def test_losing_a_guard_makes_an_accepted_finding_count_again() -> None:
    entry = entry_of(finding(severity="info"))
    told = compare([finding(severity="major")], [entry], reading(), today=TODAY)
    assert states(told) == ["updated"]
    assert told.findings[0].accepted == entry


def test_becoming_harmless_is_no_change() -> None:
    entry = entry_of(finding(severity="major"))
    told = compare([finding(severity="info")], [entry], reading(), today=TODAY)
    assert states(told) == ["unchanged"]


def test_a_rule_that_changed_never_makes_old_code_new() -> None:
    told = compare([finding()], [], reading(), today=TODAY, changed={"DEV001"})
    assert states(told) == ["newly-covered"]
    graver = compare(
        [finding(severity="major")],
        [entry_of(finding(severity="info"))],
        reading(),
        today=TODAY,
        changed={"DEV001"},
    )
    assert states(graver) == ["unchanged"]


def test_new_code_is_new_even_for_a_rule_that_changed() -> None:
    told = compare(
        [finding()], [], reading(), today=TODAY, changed={"DEV001"}, was_there=lambda _: False
    )
    assert states(told) == ["new"]


@pytest.mark.parametrize(
    ("expires", "state"), [("2026-11-21", "new"), ("2026-11-22", "unchanged"), ("", "unchanged")]
)
def test_an_acceptance_ends_after_its_date(expires: str, state: str) -> None:
    entry = structs.replace(entry_of(finding()), expires=expires)
    told = compare([finding()], [entry], reading(), today=TODAY)
    assert states(told) == [state]
    assert told.expired == ((entry,) if state == "new" else ())


def test_only_what_was_looked_for_can_be_gone() -> None:
    entries = [
        entry_of(finding("train.py")),  # read, and the finding is not there
        entry_of(finding("deleted.py")),  # the file is gone
        entry_of(finding("other.py")),  # not read in this run
        entry_of(finding("train.py", rule="AMP003")),  # its rule was not run
    ]
    told = compare([], entries, reading("train.py", exists=("train.py", "other.py")), today=TODAY)
    assert {entry.path for entry in told.gone} == {"train.py", "deleted.py"}
    assert {(entry.path, entry.rule) for entry in told.unseen} == {
        ("other.py", "DEV001"),
        ("train.py", "AMP003"),
    }


def test_a_copy_of_a_renamed_file_is_told_from_it_by_git() -> None:
    # Which of two equal files is the old one is nothing that findings could say.
    old = [finding("small.yml", scope=scope) for scope in ("a", "b")]
    copy = [structs.replace(item, path="copy.yml") for item in old]
    moved = [structs.replace(item, path="large.yml") for item in old]
    entries = [entry_of(item) for item in old]

    def new(renames: Mapping[str, str]) -> set[str]:
        known = structs.replace(
            reading("copy.yml", "large.yml", exists=("copy.yml", "large.yml")),
            moves=lambda: renames,
        )
        told = compare([*copy, *moved], entries, known, today=TODAY)
        assert told.gone == told.unseen == ()
        return {item.path for item in told.findings if item.state == "new"}

    assert new({"small.yml": "large.yml"}) == {"copy.yml"}
    assert new({"small.yml": "copy.yml"}) == {"large.yml"}
    assert new({"other.py": "copy.yml"}) == new({}) == {"large.yml"}


@pytest.mark.parametrize(
    ("findings", "entries", "exists", "asked"),
    [
        (["new.py"], ["gone.py"], ["new.py"], False),  # as far as its findings tell, it is there
        (["new.py", "copy.py"], ["gone.py"], ["new.py", "copy.py"], True),
        (["new.py", "copy.py"], ["old.py"], ["new.py", "copy.py", "old.py"], False),
        (["old.py", "old.py"], ["old.py", "gone.py"], ["old.py"], False),
    ],
)
def test_git_is_asked_only_where_a_file_went_and_another_came(
    findings: list[str], entries: list[str], exists: list[str], asked: bool
) -> None:
    calls: list[int] = []

    def moves() -> dict[str, str]:
        calls.append(1)
        return {}

    known = structs.replace(reading(*findings, exists=exists), moves=moves)
    compare(
        map(finding, findings), [entry_of(finding(path)) for path in entries], known, today=TODAY
    )
    assert bool(calls) == asked


def test_what_a_comment_suppresses_asks_nobody_where_its_file_came_from() -> None:
    def moves() -> dict[str, str]:
        raise AssertionError

    item = structs.replace(finding("new.py"), suppressed=Suppression("because", "new.py", 1))
    known = structs.replace(reading("new.py", exists=("new.py",)), moves=moves)
    told = compare([item], [entry_of(finding("gone.py", scope="g"))], known, today=TODAY)
    assert states(told) == ["new"]


def test_of_equals_the_one_that_a_change_wrote_is_new() -> None:
    first, second = (
        structs.replace(finding(), span=structs.replace(samples.FLASH.span, line=line))
        for line in (1, 2)
    )
    for written in (first, second):
        known = structs.replace(reading(), touched=written.__eq__)
        told = compare([first, second], [entry_of(first)], known, today=TODAY)
        new = [item.span.line for item in told.findings if item.state == "new"]
        assert new == [written.span.line]


# --- bringing it up to date ---


def test_updating_accepts_what_is_asked_for_and_drops_what_is_gone() -> None:
    old, new, away = finding(scope="old"), finding(scope="new"), finding("other.py")
    gone = entry_of(finding(scope="gone"))
    entries = [structs.replace(entry_of(old), reason="vendor"), gone, entry_of(away)]
    told = compare([old, new], entries, reading(exists=("train.py", "other.py")), today=TODAY)
    pruned = renew(told, ()).entries
    assert [(entry.path, entry.scope, entry.reason) for entry in pruned] == [
        ("other.py", "f", ""),
        ("train.py", "old", "vendor"),
    ]
    updated = renew(told, {"new", "updated"}, Terms("until the port", "ml-infra"))
    assert [(entry.path, entry.scope, entry.reason) for entry in updated.entries] == [
        ("other.py", "f", ""),
        ("train.py", "new", "until the port"),
        ("train.py", "old", "vendor"),
    ]
    assert [finding.scope for finding in updated.newly] == ["new"]


def test_pruning_keeps_what_was_accepted_of_a_graver_finding() -> None:
    entry = entry_of(finding(severity="info"))
    told = compare([finding(severity="major")], [entry], reading(), today=TODAY)
    assert renew(told, ()).entries == (entry,)
    assert renew(told, {"updated"}).entries[0].severity == "major"


def test_pruning_tightens_what_became_harmless() -> None:
    entry = entry_of(finding(severity="major"))
    told = compare([finding(severity="info")], [entry], reading(), today=TODAY)
    assert renew(told, ()).entries[0].severity == "info"


def test_accepting_again_ends_the_date() -> None:
    entry = structs.replace(entry_of(finding()), expires="2026-01-01", owner="ml-infra")
    told = compare([finding()], [entry], reading(), today=TODAY)
    assert renew(told, ()).entries == (entry,)
    again = renew(told, {"new"}, Terms(owner="ml-infra", expires="2027-06-30"))
    assert again.entries == (structs.replace(entry, expires="2027-06-30"),)
    assert again.newly == told.findings


def test_a_suppressed_finding_needs_no_entry_and_keeps_the_one_it_has() -> None:
    item = structs.replace(finding(), suppressed=Suppression("because", "train.py", 1))
    assert renew(compare([item], [], reading(), today=TODAY), {"new"}).entries == ()
    told = compare([item], [entry_of(item)], reading(), today=TODAY)
    assert renew(told, {"new"}).entries == (entry_of(item),)


def test_what_is_kept_is_kept_as_often_as_it_was_there() -> None:
    away = structs.replace(entry_of(finding("other.py")), count=3)
    told = compare([], [away], reading(exists=("train.py", "other.py")), today=TODAY)
    assert renew(told, ()).entries == (away,)
    live = finding()
    hidden = structs.replace(live, suppressed=Suppression("because", "train.py", 1))
    twice, entry = [hidden, hidden, live], structs.replace(entry_of(live), count=3)
    assert renew(compare(twice, [entry], reading(), today=TODAY), ()).entries == (entry,)
    expired = structs.replace(entry_of(live), count=2, expires="2026-01-01")
    told = compare([live, live], [expired], reading(), today=TODAY)
    assert renew(told, ()).entries == (expired,)


def test_a_suppressed_finding_takes_no_entry_from_another() -> None:
    live = finding()
    hidden = structs.replace(live, suppressed=Suppression("because", "train.py", 1))
    told = compare([hidden, live], [entry_of(live)], reading(), today=TODAY)
    told_of = {item.suppressed is None: item.state for item in told.findings}
    assert told_of == {True: "unchanged", False: "new"}


def test_a_guarded_use_takes_no_entry_from_one_that_is_not() -> None:
    guarded, plain = finding(severity="info"), finding(severity="minor")
    for order in ([guarded, plain], [plain, guarded]):
        entries = [entry_of(guarded), entry_of(plain)]
        assert states(compare(order, entries, reading(), today=TODAY)) == ["unchanged"] * 2
    told = compare([plain, plain], [entry_of(guarded), entry_of(plain)], reading(), today=TODAY)
    assert sorted(map(str, states(told))) == ["unchanged", "updated"]


def test_graver_code_is_told_even_for_a_rule_that_changed() -> None:
    entry = entry_of(finding(severity="info"))
    told = compare(
        [finding(severity="major")],
        [entry],
        reading(),
        today=TODAY,
        changed={"DEV001"},
        was_there=lambda _: False,
    )
    assert states(told) == ["updated"]


def test_accepting_a_graver_finding_keeps_reason_and_owner() -> None:
    entry = structs.replace(entry_of(finding(severity="info")), reason="port", owner="ml")
    told = compare([finding(severity="major")], [entry], reading(), today=TODAY)
    (now,) = renew(told, {"updated"}).entries
    assert (now.reason, now.owner, now.severity) == ("port", "ml", "major")


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=8))
def test_what_was_just_accepted_is_not_new(scopes: list[str]) -> None:
    findings = [finding(scope=scope) for scope in scopes]
    first = compare(findings, (), reading(), today=TODAY)
    entries = renew(first, {"new"}).entries
    again = compare(findings, entries, reading(), today=TODAY)
    assert states(again) == ["unchanged"] * len(findings)
    assert renew(again, ()).entries == entries
