"""Topics: which findings belong to them, what the file refuses, when a section and a check show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import pytest

from portaudit import engine
from portaudit.catalogue import docs
from portaudit.catalogue.load import load, read_rule, read_table
from portaudit.catalogue.topics import read_topics, topics
from portaudit.config import Config
from portaudit.errors import CatalogueError
from portaudit.types import TOPICS, Report, Section, Target, Topic

MakeTree = Callable[[Mapping[str, str]], Path]
CATALOGUE = load()
ORIGIN = """[topic.check.target.torchneuron]
source = "https://example.com/page"
evidence = "official"
sdk = "2.33"
checked = 2026-11-22
"""
FILE = "\n".join(
    f"""[[topic]]
id = "{topic}"
title = "Title"
meaning = "what it is about"
[[topic.check]]
text = "Look at it."
when = ["DIS020", "container"]
{ORIGIN}"""
    for topic in TOPICS
)


def sections(root: Path, target: Target = "torchneuron") -> dict[Topic, Section]:
    return {each.id: each for each in scan(root, target).sections}


def scan(root: Path, target: Target = "torchneuron") -> Report:
    return engine.scan(Config(root, (root,), target=target, jobs=1))


# --- the file -------------------------------------------------------------------------------------


def test_shipped_topics_load_and_speak_of_rules_that_exist() -> None:
    assert tuple(topic.id for topic in topics()) == TOPICS == get_args(Topic)
    words = {word for topic in topics() for check in topic.check for word in check.when}
    rules = {word for word in words if re.fullmatch(r"[A-Z]{3}\d{3}", word)}
    assert rules
    assert rules <= CATALOGUE.rules.keys()


def test_every_topic_has_something_to_check_on_each_target() -> None:
    for topic in topics():
        assert {target for check in topic.check for target in check.target} == set(get_args(Target))


def test_every_topic_has_rules() -> None:
    tagged = {topic for rule in CATALOGUE.rules.values() for topic in rule.topics}
    assert tagged == set(TOPICS)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("title =", "titel =", "unknown field `titel`"),
        ("source =", "sourc =", "sourc"),
        ('evidence = "official"', 'evidence = "inferred"', "Invalid enum value 'inferred'"),
        ('source = "https://example.com/page"', 'source = "example.com"', "must be the https"),
        ('sdk = "2.33"', 'sdk = ""', "`sdk` is empty"),
        ("checked = 2026-11-22", 'checked = "soon"', "checked"),
        ('"Look at it."', '"Look. At. It."', "at most 2 sentences"),
        ('"Look at it."', '""', "at most 2 sentences"),
        ('"container"', '"containers"', 'did you mean "container"?'),
        (ORIGIN, "", "target"),
        ('id = "networking"', 'id = "security"', "one [[topic]] for each of data-pipeline"),
        ('title = "Title"', 'title = " "', "`title` or `meaning` is empty"),
        ("[[topic]]", "[topic", "cannot be read"),
    ],
)
def test_file_is_refused_with_the_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = tmp_path / "topics.toml"
    path.write_text(FILE)
    assert len(read_topics(path)) == len(TOPICS)
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(CatalogueError) as caught:
        read_topics(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_topics(tmp_path / "topics.toml")


# --- what belongs to a topic ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "rule", "expected"),
    [
        ("a.py", "import torch\nx = torch.ones(1).pin_memory()", "DAT001", ("data-pipeline",)),
        ("a.sh", "export NCCL_IB_HCA=mlx5", "DIS020", ("networking",)),
        ("a.yaml", "dist_url: tcp://10.0.0.7:1", "DIS031", ("networking", "security")),
        ("a.sh", "export TRITON_CACHE_DIR=/tmp/t", "CMP005", ("security",)),
        ("a.sh", "export TRITON_CACHE_DIR=$HOME/t", "CMP005", ()),
        ("requirements.txt", "nixl", "DEP053", ("networking",)),
        ("requirements.txt", "nvidia-nccl-cu12", "DEP053", ()),
        ("a.py", "import kvikio\nkvikio.CuFile('a')", "FUS054", ("data-pipeline",)),
        ("a.py", "import cuml\ncuml.KMeans()", "FUS054", ()),
    ],
)
def test_topics_are_those_of_the_row_the_match_or_the_rule(
    make_tree: MakeTree, path: str, text: str, rule: str, expected: tuple[Topic, ...]
) -> None:
    found = [item for item in scan(make_tree({path: text + "\n"})).findings if item.rule == rule]
    assert found
    assert {item.topics for item in found} == {expected}


def test_rule_with_an_unknown_topic_is_refused_with_the_nearest(tmp_path: Path) -> None:
    source = CATALOGUE.sources["DIS031"]
    path = tmp_path / source.name
    path.write_text(source.read_text("utf-8").replace('"networking"', '"netwroking"', 1))
    with pytest.raises(CatalogueError, match='cannot be "netwroking"; did you mean "networking"'):
        read_rule(path)


def test_row_with_an_unknown_topic_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("name,family,topics\na,x,security networking\nb,x,\nc,x,securty\n")
    with pytest.raises(CatalogueError, match=r'row 3 \(c\): `topics` .*did you mean "security"'):
        read_table(path)
    path.write_text("name,family,topics\na,x,security networking\nb,x,\n")
    assert [row.topics for row in read_table(path)] == [("security", "networking"), ()]


# --- sections -------------------------------------------------------------------------------------


def test_sections_are_only_where_findings_show_them(make_tree: MakeTree) -> None:
    assert sections(make_tree({"a.py": "import torch\ntorch.cuda.synchronize()\n"})) == {}
    assert list(sections(make_tree({"run.sh": "export NCCL_IB_HCA=mlx5\n"}))) == ["networking"]


def test_section_holds_its_findings_and_their_root_causes(make_tree: MakeTree) -> None:
    files = {
        "run.sh": "export NCCL_IB_HCA=mlx5\nexport NCCL_DEBUG=INFO\nexport CUDA_HOME=/c\n",
        "config.yaml": "dist_url: tcp://10.0.0.7:1\n",
    }
    report = scan(make_tree(files))
    both = {each.id: each for each in report.sections}
    rules = {item.fingerprint: item.rule for item in report.findings}
    assert sorted(rules[key] for key in both["networking"].findings) == [
        "DIS010",
        "DIS020",
        "DIS031",
    ]
    assert [rules[key] for key in both["security"].findings] == ["DIS031"]
    assert both["security"].roots == ("DIS031",)
    assert set(both["networking"].roots) == {"DIS010", "DIS020", "DIS031"}


def test_checks_show_where_what_they_are_about_is_found(make_tree: MakeTree) -> None:
    alone = sections(make_tree({"run.sh": "export NCCL_IB_HCA=mlx5\n"}))["networking"]
    assert not [check for check in alone.checks if "vpc.amazonaws.com/efa" in check.text]
    files = {"run.sh": "export NCCL_IB_HCA=mlx5\n", "Dockerfile": "FROM nvidia/cuda:12.1.0-base\n"}
    beside = sections(make_tree(files))["networking"]
    assert [check for check in beside.checks if "vpc.amazonaws.com/efa" in check.text]
    assert set(alone.checks) < set(beside.checks)


def test_checks_are_those_of_the_target(make_tree: MakeTree) -> None:
    root = make_tree({"a.py": "import torch\nx = torch.ones(1).pin_memory()\n"})
    native, xla = (sections(root, target)["data-pipeline"] for target in get_args(Target))
    assert any("trn2.48xlarge" in check.text for check in native.checks)
    assert not any("trn2.48xlarge" in check.text for check in xla.checks)
    assert any("trn1.32xlarge" in check.text for check in xla.checks)


# --- the page -------------------------------------------------------------------------------------


def test_page_lists_rules_and_checks_with_their_sources() -> None:
    text = docs.pages(CATALOGUE)["topics.md"]
    for topic in topics():
        assert f"## {topic.title}" in text
        for check in topic.check:
            assert f"- {check.text}" in text
            assert all(origin.source in text for origin in check.target.values())
    assert "| [DIS031](rules/DIS031.md) plaintext-rendezvous | all |" in text
    assert "| [SRC011](rules/SRC011.md) nvidia-library-in-native-code | `NCCL`, `NVSHMEM` |" in text
    page = docs.page(CATALOGUE, CATALOGUE.rules["DIS031"])
    assert "In the report's sections: Networking, Security of the move." in page


def test_rule_schema_knows_the_topics() -> None:
    schema = json.loads(docs.pages(CATALOGUE)["rule.schema.json"])
    named = schema["$defs"]["Rule"]["properties"]["topics"]["items"]["enum"]
    assert sorted(named) == sorted(TOPICS)
