from __future__ import annotations

import datetime

import pytest

from portaudit.catalogue.schema import Rule, TargetFact
from portaudit.catalogue.select import find_rule, select_rules
from portaudit.errors import UsageError
from portaudit.types import Category

FACT = TargetFact("supported", "official", "https://x.y/z", "2.33", datetime.date(2026, 1, 1))


def rule(rule_id: str, name: str, category: Category) -> Rule:
    return Rule(
        schema=1,
        id=rule_id,
        name=name,
        category=category,
        severity="minor",
        confidence="high",
        effort="small",
        message="m",
        why="w",
        fix="f",
        match=[],
        target={"torchneuron": FACT, "xla": FACT},
        test=[],
    )


RULES = {
    item.id: item
    for item in (
        rule("AMP001", "cuda-autocast", "amp"),
        rule("AMP003", "cuda-grad-scaler", "amp"),
        rule("FUS001", "flash-attn", "fused-kernel-lib"),
        rule("FUS010", "apex", "fused-kernel-lib"),
    )
}


@pytest.mark.parametrize(
    ("select", "extend", "ignore", "expected"),
    [
        ([], [], [], "AMP001 AMP003 FUS001 FUS010"),
        (["ALL"], [], ["AMP"], "FUS001 FUS010"),
        (["AMP"], [], [], "AMP001 AMP003"),
        (["amp"], [], ["AMP003"], "AMP001"),
        (["AMP003"], [], ["AMP"], "AMP003"),
        (["cuda-grad-scaler"], [], ["amp"], "AMP003"),
        (["AMP"], [], ["AMP"], ""),
        (["FUS"], [], ["FUS00"], "FUS010"),
        (["FUS00"], [], ["fused-kernel-lib"], "FUS001"),
        (["AMP"], ["FUS001"], [], "AMP001 AMP003 FUS001"),
        ([], ["AMP003"], ["AMP"], "AMP003 FUS001 FUS010"),
        (["F"], [], ["ALL"], "FUS001 FUS010"),
    ],
)
def test_select_rules_lets_the_most_specific_word_decide(
    select: list[str], extend: list[str], ignore: list[str], expected: str
) -> None:
    if not expected:
        with pytest.raises(UsageError, match="leave no rule"):
            select_rules(RULES, select=select, extend_select=extend, ignore=ignore)
        return
    chosen = select_rules(RULES, select=select, extend_select=extend, ignore=ignore)
    assert " ".join(chosen) == expected


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("AMP03", "AMP003"),
        ("cuda-gradscaler", "cuda-grad-scaler"),
        ("fused-kernel", "fused-kernel-lib"),
        ("zzz", "rules list"),
        ("", "rules list"),
    ],
)
def test_select_rules_refuses_an_unknown_word(word: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        select_rules(RULES, ignore=[word])


@pytest.mark.parametrize("word", ["FUS001", "fus001", "flash-attn", "Flash-Attn"])
def test_find_rule_takes_id_or_name(word: str) -> None:
    assert find_rule(RULES, word).id == "FUS001"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("FSU001", "FUS001"),
        ("apx", "apex"),
        ("?", "list"),
        ("FUS999", "see `portaudit rules list FUS`"),
    ],
)
def test_find_rule_names_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        find_rule(RULES, word)
