from __future__ import annotations

import datetime
import json
from pathlib import Path

import jsonschema
import pytest
import tomli

from portaudit.catalogue import docs, testing
from portaudit.catalogue.load import Catalogue, load, read_rule
from portaudit.catalogue.new import draft
from portaudit.catalogue.schema import Rule
from portaudit.errors import UsageError

TODAY = datetime.date(2026, 11, 21)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


# --- pages ----------------------------------------------------------------------------------------


def test_page_holds_facts_sources_words_and_examples(catalogue: Catalogue) -> None:
    rule = catalogue.rules["AMP003"]
    text = docs.page(catalogue, rule)
    assert text.startswith("# AMP003 cuda-grad-scaler\n")
    for expected in (
        rule.why.strip(),
        rule.fix.strip(),
        rule.target["torchneuron"].source,
        rule.target["xla"].status,
        rule.test[0].bad.strip(),
        "## Not reported",
    ):
        assert expected in text
    assert "{anchor}" not in text
    assert text.endswith("\n")


def test_page_lists_the_rows_of_a_table(catalogue: Catalogue) -> None:
    rule_id, position = next(iter(catalogue.rows))
    text = docs.page(catalogue, catalogue.rules[rule_id])
    for row in catalogue.rows[rule_id, position]:
        assert f"| `{row.name}` |" in text


def test_pages_are_made_for_every_rule(catalogue: Catalogue) -> None:
    documents = docs.pages(catalogue)
    assert {f"rules/{rule_id}.md" for rule_id in catalogue.rules} <= documents.keys()
    index = documents["rules/README.md"]
    for rule_id in catalogue.rules:
        assert f"[{rule_id}]({rule_id}.md)" in index


def test_rules_by_severity_has_each_once_and_counts_them(catalogue: Catalogue) -> None:
    text = docs.by_severity(catalogue)
    for rule in catalogue.rules.values():
        section = text.partition(f"\n## {rule.severity}\n")[2].partition("\n## ")[0]
        status = rule.target["torchneuron"].status
        assert (
            f"| {status} | [{rule.id}]({rule.id}.md) | {rule.name} | {rule.category} |" in section
        )
        assert text.count(f"[{rule.id}]") == 1
    counts = [
        line.split("|")[2:-1]
        for line in text.splitlines()
        if line.startswith("| [") and "#" in line
    ]
    assert sum(int(cell) for row in counts for cell in row if cell.strip()) == len(catalogue.rules)


def test_a_page_leads_to_its_category_in_the_documents_only(catalogue: Catalogue) -> None:
    link = "[device-api](README.md#device-api)"
    assert link in docs.pages(catalogue)["rules/DEV007.md"]
    assert link not in docs.page(catalogue, catalogue.rules["DEV007"])


def test_stale_names_what_is_missing_different_and_left_over(tmp_path: Path) -> None:
    documents = {"rules/AMP001.md": "a\n", "rules/AMP003.md": "b\n", "rule.schema.json": "{}\n"}
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "AMP001.md").write_text("old\n")
    (tmp_path / "rules" / "OLD001.md").write_text("x\n")
    (tmp_path / "rule.schema.json").write_text("{}\n")
    problems = [problem.removeprefix(f"{tmp_path}/") for problem in docs.stale(documents, tmp_path)]
    assert problems == [
        "rules/AMP001.md: is out of date",
        "rules/AMP003.md: is missing",
        "rules/OLD001.md: belongs to no rule",
    ]


def test_rule_schema_accepts_the_shipped_rules_and_refuses_others(catalogue: Catalogue) -> None:
    schema = json.loads(docs.pages(catalogue)["rule.schema.json"])
    validator = jsonschema.Draft202012Validator(schema)
    assert catalogue.sources
    for path in catalogue.sources.values():
        # TOML has dates, JSON has not: both schema and file speak of them as text.
        table = json.loads(json.dumps(tomli.loads(path.read_text()), default=str))
        validator.validate(table)
        assert not validator.is_valid({**table, "severty": "minor"})


# --- new rules ------------------------------------------------------------------------------------


def test_draft_loads_and_passes_its_own_tests(catalogue: Catalogue, tmp_path: Path) -> None:
    drafted = draft(catalogue.rules, "FUS999", "some-library", "fused-kernel-lib", today=TODAY)
    assert drafted.path.as_posix() == "fused-kernel-lib/FUS999-some-library.toml"
    path = tmp_path / drafted.path
    path.parent.mkdir()
    path.write_text(drafted.text)
    rule = read_rule(path)
    assert rule.id == "FUS999"
    assert rule.target["xla"].checked == TODAY
    assert testing.run(load([tmp_path]), ["FUS999"]) == []


@pytest.mark.parametrize(
    ("rule_id", "name", "category", "message"),
    [
        ("FUS1", "x", "fused-kernel-lib", "FUS and three digits; FUS"),
        ("AMP999", "x", "fused-kernel-lib", '"AMP999" is no id of fused-kernel-lib'),
        ("AMP003", "x", "amp", "AMP003 is taken by cuda-grad-scaler; AMP"),
        ("AMP999", "cuda-grad-scaler", "amp", "taken by AMP003"),
        ("AMP999", "No Good", "amp", "no rule name"),
        ("AMP999", "x", "fused-kernel", 'did you mean "fused-kernel-lib"?'),
        ("AMP999", "x", "qqq", "one of: device-api"),
    ],
)
def test_draft_refuses_with_what_would_do(
    catalogue: Catalogue, rule_id: str, name: str, category: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        draft(catalogue.rules, rule_id, name, category, today=TODAY)
    assert message in str(caught.value)


def test_draft_numbers_from_one_where_there_is_no_rule() -> None:
    rules: dict[str, Rule] = {}
    with pytest.raises(UsageError, match="NBK001 is free"):
        draft(rules, "NBK1", "x", "notebook", today=TODAY)
