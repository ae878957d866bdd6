"""What comments and settings accept, and what is said of those that accept nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from msgspec.structs import replace

from portaudit import engine
from portaudit.catalogue.select import named
from portaudit.config import Options, load
from portaudit.errors import ConfigError, UsageError
from portaudit.report import terminal
from portaudit.triage.suppress import apply
from portaudit.types import Directive, Notice, Report
from samples import SCALER, STRING
from snippets import catalogue

RULES = {
    "DEV001": frozenset({"DEV001"}),
    "DST": frozenset({"DST001", "DST002"}),
    "amp": frozenset({"AMP003"}),
}
RAN = {"DEV001", "DST001", "DST002", "AMP003"}


def words(word: str) -> frozenset[str]:
    if word not in RULES:
        raise UsageError(f"unknown {word}")
    return RULES[word]


def directive(*words: str, line: int = 12, reason: str = "why", whole: bool = False) -> Directive:
    return Directive("train.py", line, 1, words, reason, () if whole else (line,))


def told(
    *directives: Directive, ran: set[str] = RAN, partial: tuple[str, ...] = ()
) -> list[Notice]:
    _, notices = apply([STRING, SCALER], directives, words, ran, partial=partial)
    return list(notices)


def accepted(*directives: Directive) -> list[tuple[str, str]]:
    found, _ = apply([STRING, SCALER], directives, words, RAN)
    return [(item.rule, item.suppressed.reason) for item in found if item.suppressed]


def test_a_directive_accepts_what_it_names_on_its_lines() -> None:
    assert accepted(directive("DST")) == [("DST001", "why")]
    assert accepted(directive("DST", line=20)) == []
    assert accepted(directive("amp", "DST", whole=True)) == [("DST001", "why"), ("AMP003", "why")]
    assert accepted(directive("DST", reason="")) == []


def test_the_statement_counts_not_the_line() -> None:
    wide = replace(STRING, lines=(10, 14))
    for line, expected in ((9, False), (10, True), (14, True), (15, False)):
        (found,), _ = apply([wide], [directive("DST", line=line)], words, RAN)
        assert (found.suppressed is not None) is expected


def test_only_the_own_file_and_statement_count_not_the_uses() -> None:
    assert STRING.uses
    use = STRING.uses[0]
    other = Directive(use.path, use.line, 1, ("DST",), "why", (use.line,))
    found, notices = apply([STRING], [other], words, RAN)
    assert found == (STRING,)
    assert [notice.kind for notice in notices] == ["unused-suppression"]


def test_unused_words_are_told_one_by_one() -> None:
    (notice,) = told(directive("DEV001", "DST"))
    assert notice.kind == "unused-suppression"
    assert "`DEV001`" in notice.message
    assert "DST" not in notice.message
    (whole,) = told(directive("DEV001"))
    assert "remove the comment" in whole.message


def test_unused_is_said_only_of_what_was_looked_for() -> None:
    assert told(directive("DST", line=1), ran={"DST001"}) == []
    assert told(directive("DEV001"), partial=("train.py",)) == []
    assert told(directive("DEV001"), ran=RAN) != []


def test_other_notices() -> None:
    (unknown,) = told(directive("NOPE", "DST"))
    assert (unknown.kind, unknown.message) == ("unknown-rule", "unknown NOPE")
    (bare,) = told(directive("DST", reason=""))
    assert bare.kind == "suppression-without-reason"
    wrong = Directive("train.py", 3, 9, (), "", (), "write it so")
    assert told(wrong) == [Notice("malformed-suppression", "train.py", 3, "write it so")]


def test_words_are_those_of_select() -> None:
    rules = catalogue().rules
    assert named(rules, "dev001") == {"DEV001"}
    assert named(rules, "AMP") == {rule for rule in rules if rule.startswith("AMP")}
    assert named(rules, "host-sync") == {
        rule for rule in rules if rules[rule].category == "host-sync"
    }
    with pytest.raises(UsageError):
        named(rules, "NOPE")


# --- the whole ------------------------------------------------------------------------------------

MakeTree = Callable[[Mapping[str, str]], Path]


def report(make_tree: MakeTree, files: Mapping[str, str], **options: object) -> Report:
    root = make_tree({path: dedent(text).lstrip("\n") for path, text in files.items()})
    return engine.scan(load([root], Options(root=root, jobs=1, **options), cwd=root))  # type: ignore[arg-type]


CODE = """
import torch
def f(x):
    torch.cuda.synchronize()  # portaudit: ignore[DEV007] only ever on GPUs
    return x.cuda()
"""


def test_what_is_accepted_stays_but_does_not_count(make_tree: MakeTree) -> None:
    before = report(make_tree, {"a.py": CODE.replace("portaudit", "elsewhere")})
    after = report(make_tree, {"a.py": CODE})
    assert [item.rule for item in after.findings] == [item.rule for item in before.findings]
    (found,) = (item for item in after.findings if item.suppressed)
    assert found.rule == "DEV007"
    assert found.suppressed is not None
    assert (found.suppressed.reason, found.suppressed.line) == ("only ever on GPUs", 3)
    assert {root.rule for root in before.roots} - {root.rule for root in after.roots} == {"DEV007"}
    assert before.score.value is not None
    assert after.score.value is not None
    assert after.score.value > before.score.value
    assert after.notices == ()
    assert {item.fingerprint for item in after.findings} == {
        item.fingerprint for item in before.findings
    }


def test_comments_are_judged_even_where_nothing_else_is_read(make_tree: MakeTree) -> None:
    files = {
        "a.yaml": "a: b  # portaudit: ignore[DEV001] gone\n",
        "b.py": "x = 1  # portaudit: noqa\n",
    }
    told = [(item.kind, item.path, item.line) for item in report(make_tree, files).notices]
    assert told == [("unused-suppression", "a.yaml", 1), ("malformed-suppression", "b.py", 1)]


def test_a_run_of_some_rules_says_nothing_of_others(make_tree: MakeTree) -> None:
    files = {"a.py": "import torch\nx = 1  # portaudit: ignore[DEV007] why\n"}
    assert report(make_tree, files, select=("DST001",)).notices == ()
    assert len(report(make_tree, files).notices) == 1
    unsure = report(make_tree, {"a.py": CODE}, min_confidence="high")
    assert unsure.notices == ()


def test_per_file_ignores(make_tree: MakeTree) -> None:
    files = {
        ".portaudit.toml": """
        [per-file-ignores]
        "tests/**" = ["device-api"]
        "/b.py" = ["DEV007"]
        """,
        "tests/sub/a.py": CODE,
        "b.py": CODE.replace("portaudit", "x"),
        "sub/b.py": CODE.replace("portaudit", "x"),
    }
    found = report(make_tree, files).findings
    said = {(item.path, item.rule): item.suppressed for item in found}
    by = said["tests/sub/a.py", "DEV008"]
    assert by is not None
    assert (by.reason, by.path) == ("per-file-ignores in .portaudit.toml", ".portaudit.toml")
    assert said["tests/sub/a.py", "DEV007"] != by  # the comment is nearer
    assert said["b.py", "DEV007"] == by
    assert said["b.py", "DEV008"] is None
    assert said["sub/b.py", "DEV007"] is None


@pytest.mark.parametrize(
    "text",
    [
        'per-file-ignores = ["a"]',
        '[per-file-ignores]\n"a" = "DEV001"',
        '[per-file-ignores]\n"!a" = ["DEV001"]',
    ],
)
def test_settings_that_mean_nothing(make_tree: MakeTree, text: str) -> None:
    with pytest.raises(ConfigError, match="per-file-ignores"):
        report(make_tree, {".portaudit.toml": text, "a.py": "x = 1\n"})


def test_settings_with_an_unknown_rule(make_tree: MakeTree) -> None:
    with pytest.raises(UsageError, match="DEV01x"):
        report(make_tree, {".portaudit.toml": '[per-file-ignores]\n"a" = ["DEV01x"]\n', "a.py": ""})


def test_kernels_stay_in_the_inventory(make_tree: MakeTree) -> None:
    text = (
        "// portaudit: ignore[cuda-source] written for GPUs\n__global__ void scale(float* x) {}\n"
    )
    found = report(make_tree, {"k.cu": text})
    assert [item.suppressed is not None for item in found.findings] == [True]
    assert [kernel.name for kernel in found.inventory] == ["scale"]
    assert found.roots == ()


def test_the_terminal_says_what_was_accepted_and_what_needs_a_look(make_tree: MakeTree) -> None:
    files = {
        ".portaudit.toml": '[per-file-ignores]\n"b.py" = ["ALL"]\n',
        "a.py": CODE + "x = 1  # portaudit: ignore[DEV007] gone\n",
        "b.py": CODE.replace("portaudit", "x"),
    }
    shown = terminal.render(report(make_tree, files), width=100, color=False)
    assert "Ignored  1 place by a comment in the code, 2 places by the settings\n" in shown
    told = "Notice   a.py:5: nothing to accept here for `DEV007`; remove the comment\n"
    assert told in shown


def test_each_finding_looks_only_at_comments_that_could_speak_of_it() -> None:
    """Who has as many comments as findings is not to have them compared with one another."""
    asked = 0

    class Counted(frozenset[str]):
        def __contains__(self, rule: object) -> bool:
            nonlocal asked
            asked += 1
            return super().__contains__(rule)

    rules = Counted({SCALER.rule})
    number = 300
    findings = [replace(SCALER, lines=(line, line)) for line in range(1, number + 1)]
    said = [directive("amp", line=line) for line in range(1, number + 1)]
    said += [directive("amp", line=line, whole=True) for line in range(1, number + 1)]
    judged, notices = apply(findings, said, lambda _: rules, {SCALER.rule})
    assert all(each.suppressed is not None for each in judged)
    assert not notices
    assert asked < 4 * number
    first = judged[-1].suppressed
    assert first is not None
    assert first.line == number
