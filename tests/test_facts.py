from __future__ import annotations

import datetime
from collections import Counter

from portaudit.catalogue import docs
from portaudit.catalogue.facts import Figures, figures
from portaudit.catalogue.load import Catalogue, load
from portaudit.types import TARGETS

NOBODY = Catalogue({}, {}, "", load().guards)


def test_an_empty_catalogue_has_no_facts() -> None:
    counted = figures(NOBODY)
    assert counted == Figures(rules=0, rows=0, sources=0, oldest=None, facts=Counter())
    assert counted.count() == 0


def test_a_rule_has_one_fact_for_each_target() -> None:
    catalogue = load().restricted(["AMP003"])
    rule = catalogue.rules["AMP003"]
    counted = figures(catalogue)
    own = [rule.target[target] for target in TARGETS]
    assert (counted.rules, counted.rows, counted.count()) == (1, 0, len(TARGETS))
    assert counted.sources == len({fact.source for fact in own})
    assert counted.oldest == min(fact.checked for fact in own)
    for target in TARGETS:
        fact = rule.target[target]
        assert counted.count(target, fact.evidence, fact.status) == 1


def test_a_row_counts_once_however_many_matches_select_it() -> None:
    catalogue = load()
    rule_id, position = next(iter(catalogue.rows))
    rows = catalogue.rows[rule_id, position]
    only = catalogue.restricted([rule_id])
    once = Catalogue(only.rules, {(rule_id, position): rows}, "", only.guards)
    twice = Catalogue(only.rules, {(rule_id, position): rows, (rule_id, 99): rows}, "", only.guards)
    assert figures(once) == figures(twice)
    assert figures(once).rows == len(rows)
    in_rows = sum(len(row.facts) for row in rows)
    assert figures(once).count() == in_rows + len(TARGETS)


def test_counts_add_up_over_each_word() -> None:
    counted = figures(load())
    total = counted.count()
    assert total == sum(counted.facts.values())
    assert total == sum(counted.count(target) for target in TARGETS)
    statuses = {status for _, _, status in counted.facts}
    assert total == sum(counted.count(status=status) for status in statuses)
    evidences = {evidence for _, evidence, _ in counted.facts}
    assert total == sum(counted.count(evidence=evidence) for evidence in evidences)


def test_index_prints_the_figures() -> None:
    catalogue = load()
    counted = figures(catalogue)
    text = docs.index(catalogue)
    assert f"{counted.count()} facts" in text
    assert f"cite {counted.sources} pages" in text
    official = " | ".join(str(counted.count(target, "official")) for target in TARGETS)
    assert f"| official | {official} |" in text
    partial = " | ".join(str(counted.count(target, status="partial")) for target in TARGETS)
    assert f"| partial | {partial} |" in text
    assert isinstance(counted.oldest, datetime.date)
    assert counted.oldest.isoformat() in text


def test_index_of_nothing_names_no_day() -> None:
    text = docs.index(NOBODY)
    assert "0 facts" in text
    assert "oldest check" not in text


def test_undocumented_is_never_said_by_a_page() -> None:
    """A page that speaks of the subject documents it: the status then says what it says."""
    found = {evidence for _, evidence, status in figures(load()).facts if status == "undocumented"}
    assert found <= {"inferred", "prerelease"}


def test_every_page_cited_is_a_page() -> None:
    """A repository or the root of a documentation states no fact."""
    catalogue = load()
    sources = {fact.source for rule in catalogue.rules.values() for fact in rule.target.values()}
    rows = (row for rows in catalogue.rows.values() for row in rows)
    sources |= {fact.source for row in rows for fact in row.facts.values()}
    for source in sources:
        host, *path = source.removeprefix("https://").rstrip("/").split("/")
        assert path, source
        if host == "github.com":
            assert path[2:3] in (["blob"], ["tree"]), source
