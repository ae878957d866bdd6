from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

import samples
from portaudit.triage.matching import Matched, entry_of, match
from portaudit.types import Entry, Finding, Severity, Suppression

PATHS = ("train.py", "model/net.py", "ops/attn.py")


def finding(
    path: str = "train.py",
    scope: str = "main",
    anchor: str = "torch.cuda.synchronize",
    context: str = "c0",
    rule: str = "DEV001",
) -> Finding:
    return structs.replace(
        samples.FLASH, rule=rule, path=path, scope=scope, anchor=anchor, context=context
    )


FINDINGS = st.builds(
    finding,
    path=st.sampled_from(PATHS),
    scope=st.sampled_from(["", "main", "Net.forward"]),
    anchor=st.sampled_from(["a", "b"]),
    context=st.sampled_from(["c0", "c1"]),
    rule=st.sampled_from(["DEV001", "DST001"]),
)


def paired(
    findings: Sequence[Finding],
    entries: Sequence[Entry],
    there: Callable[[str], bool] = lambda _: True,
    renamed: dict[str, str] | None = None,
    written: Collection[Finding] | None = None,
) -> Matched:
    """What is matched, where a change wrote some of the findings, or nobody knows of changes."""
    touched = None if written is None else written.__contains__
    return match(findings, entries, there=there, renamed=renamed, touched=touched)


def accepted(found: Matched) -> list[bool]:
    return [entry is not None for _, entry in found.pairs]


@given(st.lists(FINDINGS, max_size=12), st.data())
def test_what_was_accepted_is_found_again_whatever_the_order(
    findings: list[Finding], data: st.DataObject
) -> None:
    entries = data.draw(st.permutations([entry_of(item) for item in findings]))
    found = paired(findings, entries)
    assert all(accepted(found))
    assert found.left == ()


@given(st.lists(FINDINGS, max_size=8), st.lists(FINDINGS, min_size=1, max_size=8))
def test_as_many_are_new_as_were_added(old: list[Finding], added: list[Finding]) -> None:
    found = paired([*added, *old], [entry_of(item) for item in old])
    assert accepted(found).count(False) == len(added)
    assert found.left == ()


@given(st.lists(FINDINGS, min_size=1, max_size=10), st.data())
def test_what_is_taken_away_is_left_over(findings: list[Finding], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(findings) - 1))
    kept = [item for index, item in enumerate(findings) if index != gone]
    found = paired(kept, [entry_of(item) for item in findings])
    assert all(accepted(found))
    assert sum(entry.count for entry in found.left) == 1


@given(st.lists(FINDINGS, max_size=10))
def test_a_count_stands_for_as_many_entries(findings: list[Finding]) -> None:
    single = [entry_of(item) for item in findings]
    counted = [structs.replace(each, count=single.count(each)) for each in set(single)]
    assert all(accepted(paired(findings, counted)))


def test_a_changed_statement_is_the_same_finding() -> None:
    found = paired([finding(context="reformatted")], [entry_of(finding())])
    assert accepted(found) == [True]


def test_a_statement_that_moved_to_another_scope_is_the_same_finding() -> None:
    assert accepted(paired([finding(scope="helper")], [entry_of(finding())])) == [True]


def test_a_statement_that_is_told_by_another_name_is_the_same_finding() -> None:
    # An import is shown by the gravest name that is used of it, which another line may change.
    assert accepted(paired([finding(anchor="torch.cuda.Stream")], [entry_of(finding())])) == [True]


def test_a_file_and_its_class_may_be_renamed_together() -> None:
    old = [finding(scope="Old.forward", context=context) for context in ("a", "b")]
    new = [finding(path="new.py", scope="New.forward", context=c) for c in ("a", "b", "c")]
    found = paired(new, [entry_of(item) for item in old], there=lambda path: path == "new.py")
    assert accepted(found) == [True, True, False]


def test_another_statement_in_another_scope_is_new() -> None:
    found = paired([finding(scope="helper", context="c9")], [entry_of(finding())])
    assert accepted(found) == [False]
    assert found.left == (entry_of(finding()),)


def test_the_closest_of_equals_is_taken_first() -> None:
    # The first two stages must not take the entry that fits the second finding exactly.
    moved, stayed = finding(context="c9"), finding(context="c0")
    found = paired([moved, stayed], [entry_of(stayed)])
    assert accepted(found) == [False, True]


def test_a_swap_is_seen() -> None:
    # One finding repaired, another added in the same file: a count per file would stay green.
    found = paired([finding(anchor="torch.cuda.Stream", context="c9")], [entry_of(finding())])
    assert accepted(found) == [False]


def test_a_copy_in_another_file_is_new_while_the_first_is_there() -> None:
    original, copy = finding(), finding(path="copy.py")
    assert accepted(paired([original, copy], [entry_of(original)])) == [True, False]


def test_a_move_between_files_that_both_stay_is_new() -> None:
    found = paired([finding(path="other.py")], [entry_of(finding())])
    assert accepted(found) == [False]


@given(st.lists(FINDINGS, min_size=1, max_size=10))
def test_a_renamed_file_keeps_its_entries(findings: list[Finding]) -> None:
    moved = [structs.replace(item, path=f"src/{item.path}") for item in findings]
    entries = [entry_of(item) for item in findings]
    found = paired(moved, entries, there=lambda path: path.startswith("src/"))
    assert all(accepted(found))


def test_a_renamed_file_may_be_edited_as_well() -> None:
    old = [finding(scope=scope, context=scope) for scope in ("a", "b", "c")]
    new = [
        finding(path="new.py", scope="a", context="a"),
        finding(path="new.py", scope="b", context="edited"),
        finding(path="new.py", scope="z", context="c"),
        finding(path="new.py", scope="y", context="fresh"),
    ]
    found = paired(new, [entry_of(item) for item in old], there=lambda path: path == "new.py")
    assert accepted(found) == [True, True, True, False]


def test_a_file_may_be_split() -> None:
    old = [finding(scope=scope, context=scope) for scope in ("a", "b", "c")]
    new = [
        finding(path="one.py", scope="a", context="a"),
        finding(path="one.py", scope="b", context="b"),
        finding(path="two.py", scope="c", context="c"),
    ]
    found = paired(new, [entry_of(item) for item in old], there=lambda path: path != "train.py")
    assert accepted(found) == [True, True, True]


def test_a_known_rename_needs_no_guess() -> None:
    # Both names exist: only git knows that one came from the other.
    new = finding(path="new.py")
    found = paired([new], [entry_of(finding())], renamed={"train.py": "new.py"})
    assert accepted(found) == [True]


def test_a_file_may_be_split_under_its_new_name() -> None:
    # What git calls new.py has not all: the rest went to a third file, but only of what is gone.
    old = [finding(scope=scope, context=scope) for scope in ("a", "b")]
    new = [
        finding(path="new.py", scope="a", context="a"),
        finding(path="rest.py", scope="b", context="b"),
    ]
    for still in (False, True):
        found = paired(
            new,
            [entry_of(item) for item in old],
            there=lambda path, still=still: still or path != "train.py",  # type: ignore[misc]
            renamed={"train.py": "new.py"},
        )
        assert accepted(found) == [True, not still]


def moved(old: str, *new: str, kept: int, edited: int) -> list[bool]:
    """What is old, if a file is gone and these came: lines as they were in each, then others."""
    entries = [finding(old, f"s{at}", context=f"c{at}") for at in range(kept + edited)]
    findings = [
        structs.replace(each, path=path, context=each.context if at < kept else "edited")
        for path in new
        for at, each in enumerate(entries)
    ]
    return accepted(
        paired(findings, [entry_of(each) for each in entries], lambda path: path != old)
    )


def test_a_file_is_renamed_if_half_of_it_is_as_it_was() -> None:
    assert moved("old.py", "new.py", kept=2, edited=2) == [True] * 4
    assert moved("old.py", "new.py", kept=1, edited=2) == [True, False, False]


def test_a_file_that_only_changed_its_folder_is_renamed_if_any_of_it_is_as_it_was() -> None:
    assert moved("a/x/net.py", "b/y/net.py", kept=1, edited=2) == [True] * 3


def test_of_two_files_the_one_of_the_same_name_is_the_renamed_one() -> None:
    both = moved("x/b/net.py", "x/a/other.py", "x/c/net.py", kept=1, edited=0)
    assert both == [False, True]


def test_entries_left_over_are_told_as_they_were_written() -> None:
    entry = structs.replace(entry_of(finding()), count=3, reason="vendor code")
    found = paired([finding()], [entry], renamed={"train.py": "train.py"})
    assert found.left == (structs.replace(entry, count=2),)


def test_of_equal_entries_the_first_is_taken() -> None:
    entries = [structs.replace(entry_of(finding()), reason=reason) for reason in ("a", "b")]
    found = paired([finding()], entries)
    assert [entry.reason for _, entry in found.pairs if entry] == ["a"]
    assert [entry.reason for entry in found.left] == ["b"]


@pytest.mark.parametrize("known", [False, True])
def test_the_same_severity_comes_before_a_graver_one(known: bool) -> None:
    written: list[Finding] | None = [] if known else None
    findings, entry = [at(1, severity="major"), at(2, severity="info")], entry_of(at(1))
    of_the_guarded = structs.replace(entry, severity="info")
    assert accepted(paired(findings, [of_the_guarded], written=written)) == [False, True]


def test_the_gravest_comes_first_where_none_is_as_grave_as_it_was() -> None:
    findings = [at(1, severity="info"), at(2, severity="major")]
    assert accepted(paired(findings, [entry_of(at(1))])) == [False, True]


# --- where a change is known ---


def at(line: int, scope: str = "main", severity: Severity = "minor") -> Finding:
    """A finding of the same statement, wherever it stands."""
    span = structs.replace(samples.FLASH.span, line=line)
    return structs.replace(
        finding(scope=scope), span=span, severity=severity, effective_severity=severity
    )


def test_of_equals_those_that_a_change_wrote_come_last() -> None:
    findings = [at(1), at(2), at(3)]
    entries = [entry_of(at(1))] * 2
    assert accepted(paired(findings, entries)) == [True, True, False]
    assert accepted(paired(findings, entries, written=findings[:1])) == [False, True, True]
    assert accepted(paired(findings, entries, written=findings[1:2])) == [True, False, True]
    assert accepted(paired(findings, entries, written=findings)) == [True, True, False]


def test_of_equals_in_a_renamed_file_those_that_a_change_wrote_come_last() -> None:
    findings = [structs.replace(at(line), path="new.py") for line in (1, 2)]
    found = paired(
        findings, [entry_of(at(1))], renamed={"train.py": "new.py"}, written=findings[:1]
    )
    assert accepted(found) == [False, True]


def test_a_written_statement_that_fits_is_old_before_an_untouched_one_that_fits_less() -> None:
    # A difference may take the old lines for those of a copy in a function that is new.
    copy, old = at(1, scope="copy"), at(2)
    assert accepted(paired([copy, old], [entry_of(old)], written=[old])) == [False, True]


def test_an_untouched_use_that_got_a_guard_is_old_before_a_new_one_without() -> None:
    new, guarded = at(1, severity="major"), at(2, severity="info")
    entries = [entry_of(at(2, severity="major"))]
    assert accepted(paired([new, guarded], entries)) == [True, False]
    assert accepted(paired([new, guarded], entries, written=[new])) == [False, True]


def test_a_comment_on_an_untouched_statement_makes_no_room_for_a_new_one() -> None:
    new = at(1)
    hidden = structs.replace(at(2), suppressed=Suppression("because", "train.py", 2))
    entries = [entry_of(at(2))]
    assert accepted(paired([new, hidden], entries)) == [True, False]
    assert accepted(paired([new, hidden], entries, written=[new])) == [False, True]
    assert accepted(paired([new, hidden], entries, written=[new, hidden])) == [True, False]


@given(st.lists(FINDINGS, max_size=8), st.lists(FINDINGS, min_size=1, max_size=8))
def test_exactly_what_a_change_added_is_new(old: list[Finding], added: list[Finding]) -> None:
    here = [structs.replace(item, message="added") for item in added]
    found = paired([*here, *old], [entry_of(item) for item in old], written=here)
    assert accepted(found) == [False] * len(here) + [True] * len(old)


def test_a_change_is_looked_at_only_where_there_is_a_choice() -> None:
    asked: list[Finding] = []

    def touched(item: Finding) -> bool:
        asked.append(item)
        return True

    alone, other, kept = at(1), finding(path="ops/attn.py"), finding(path="model/net.py")
    twice = [at(1), at(2)]
    for findings, entries in (([alone, kept], [alone, kept]), ([alone, other], [other])):
        accepting = [entry_of(item) for item in entries]
        match(findings, accepting, there=lambda _: True, touched=touched)
    assert asked == []
    match([*twice, kept], [entry_of(alone), entry_of(kept)], there=lambda _: True, touched=touched)
    assert set(asked) == set(twice)


# ---


def test_half_a_character_is_no_obstacle() -> None:
    odd = finding(anchor="\udc80")
    assert accepted(paired([odd], [entry_of(odd)])) == [True]
