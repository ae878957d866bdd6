"""Every `[[test]]` that a rule carries: what must be reported, and what must stay quiet."""

from __future__ import annotations

import pytest

from portaudit.catalogue.testing import run_test
from snippets import catalogue

CASES = [
    pytest.param(rule_id, number, id=f"{rule_id}-{number}")
    for rule_id, rule in catalogue().rules.items()
    for number in range(1, len(rule.test) + 1)
]


@pytest.mark.parametrize(("rule_id", "number"), CASES)
def test_rule_holds(rule_id: str, number: int) -> None:
    test = catalogue().rules[rule_id].test[number - 1]
    failures = [str(failure) for failure in run_test(catalogue(), rule_id, number, test)]
    assert not failures, "\n".join(failures)
