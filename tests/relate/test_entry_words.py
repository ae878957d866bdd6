from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from portaudit.catalogue import entries
from portaudit.catalogue.place import builtin_rules
from portaudit.errors import CatalogueError
from portaudit.read import launches
from portaudit.relate import starts


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("train.py", None),
        ("tools/test.py", None),
        ("tools/latest.py", None),
        ("tests/train.py", "test"),
        ("pkg/tests/data/a.yaml", "test"),
        ("pkg/test_train.py", "test"),
        ("Tests/train.py", "test"),
        (".github/workflows/ci.yml", "test"),
        ("examples/train.py", "example"),
        ("examples/tests/train.py", "test"),
        ("standalone_demo.py", "example"),
        ("show.ipynb", "example"),
        ("pkg/sample/train.py", None),
        ("sample.py", None),
    ],
)
def test_a_place_sets_tests_and_examples_apart(path: str, place: str | None) -> None:
    assert entries.aside(path) == place


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("train", "training"),
        ("run_preTrain", "training"),
        ("train-lm", "training"),
        ("T5_training", "training"),
        ("trained", None),
        ("main", None),
        ("eval_train", "training"),
        ("bench_train", "benchmark"),
        ("create_data", "data preparation"),
        ("train_data", "training"),
        ("export_data", "export"),
        ("", None),
    ],
)
def test_words_of_a_name_say_what_a_program_is_for(name: str, kind: str | None) -> None:
    assert entries.by_name(name) == kind


def test_the_nearest_folder_that_says_something_counts() -> None:
    assert entries.by_folder("eval/inference/x/run.py") == "inference"
    assert entries.by_folder("train/tools/run.py") == "tool"
    assert entries.by_folder("a/b/run.py") is None
    assert entries.by_folder("train.py") is None


@pytest.mark.parametrize(
    ("path", "later"),
    [("finetune", True), ("lora/train", True), ("train", False), ("pretrain_finetune", False)],
)
def test_some_training_begins_with_the_result_of_other(path: str, later: bool) -> None:
    assert entries.is_later(path) == later


@pytest.mark.parametrize(
    ("arguments", "otherwise"),
    [
        ((), False),
        (("--eval",), True),
        (("cfg.py", "--eval-only=1"), True),
        (("--evaluation-steps", "5"), False),
        (("eval", "--x"), True),
        (("cfg.py", "eval"), False),
        (("serve", "meta/llama"), True),
        (("convert_to_litgpt", "out"), True),
        (("fetch", "examples"), True),
        (("test.py",), False),
        (("data", "--lr", "1"), False),
        (("val/images",), False),
        (("--version",), True),
        (("--version", "--lr", "1"), True),
        (("--version", "v1"), False),
        (("--test", "data/test.json", "--lr=1"), False),
        (("--eval", "a.pth"), True),
    ],
)
def test_arguments_say_that_a_program_does_something_else(
    arguments: tuple[str, ...],
    otherwise: bool,
) -> None:
    assert entries.runs_otherwise(arguments) == otherwise


def test_no_word_means_two_kinds() -> None:
    table = entries.read(builtin_rules() / "_data" / "entries.toml")
    words = Counter(word for each in (*table.kind, *table.folder) for word in each.words)
    assert not [word for word, count in words.items() if count > 1]
    places = Counter(name for each in table.place for name in (*each.folders, *each.files))
    assert not [name for name, count in places.items() if count > 1]


def test_a_table_that_cannot_be_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "entries.toml"
    path.write_text('[[kind]]\nkind = "tranining"\nwords = []\n', encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"entries\.toml: cannot be read"):
        entries.read(path)


def test_the_folder_of_a_script_is_spelled_alike_where_launches_are_read_and_followed() -> None:
    assert starts.HERE == launches.HERE
