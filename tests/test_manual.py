"""The pages that are made from code say what it does: settings, and the report as JSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomli

from portaudit import manual
from portaudit.cli.given import OPTIONS
from portaudit.config import (
    GATE_KEYS,
    KEYS,
    GateSetting,
    Options,
    defaults,
    load,
    read_settings,
    show,
)
from portaudit.report.meanings import MEANINGS
from portaudit.report.schema import DOCUMENTS, definitions

NAMES = {name for option in OPTIONS.values() for name in option.names}
DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_pages_in_the_docs_are_current() -> None:
    for name, text in {"settings.md": manual.settings_page(NAMES), **manual.json_pages()}.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "run `portaudit rules docs`"


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_the_example_of_a_key_sets_it(key: str, tmp_path: Path) -> None:
    (tmp_path / "tools" / "portaudit-rules").mkdir(parents=True)
    for name in ("train.py", "neuron-ops.txt"):
        (tmp_path / name).touch()
    page = manual.settings_page(NAMES)
    section = page.partition(f"\n## {key}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    settings = read_settings(tmp_path)
    assert settings is not None
    config = load([tmp_path], Options(), cwd=tmp_path)
    shown = dict(config.origins)
    assert shown[key.replace("-", "_")] == "pyproject.toml"
    assert settings.values[key.replace("-", "_")] != tomli.loads(f"x = {defaults()[key]}")["x"]
    assert (f"`--{key}`" in section) == (f"--{key}" in NAMES)


def test_defaults_are_those_of_a_root_without_settings(tmp_path: Path) -> None:
    shown = tomli.loads(show(load([tmp_path], Options(), cwd=tmp_path)))
    assert tomli.loads("\n".join(f"{key} = {text}" for key, text in defaults().items())) == shown


def test_a_gate_has_the_keys_that_are_told_of_it() -> None:
    fields = [name.replace("_", "-") for name in GateSetting.__struct_fields__]
    assert fields == list(GATE_KEYS)
    assert manual.settings_page(()).count("On the command line") == 0


# --- documents as JSON ----------------------------------------------------------------------------


def test_every_key_of_a_document_has_a_meaning_and_no_other() -> None:
    told = {name: list(keys) for name, keys in MEANINGS.items()}
    made = {
        name: list(each["properties"])
        for document in DOCUMENTS
        for name, each in definitions(document).items()
    }
    assert told == made
    assert all(text.endswith(".") for keys in MEANINGS.values() for text in keys.values())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_page_on_a_document_has_every_key_and_leads_to_every_type(name: str) -> None:
    pages = manual.json_pages()
    page = pages[f"{name}.md"]
    headings = _headings(page)
    assert headings[0] == name
    assert f"({name}.schema.json)" in page
    assert set(re.findall(r"\]\(#([a-z]+)\)", page)) == set(headings[1:])
    assert set(re.findall(r"\]\(report\.md#([a-z]+)\)", page)) <= set(_headings(pages["report.md"]))
    first = page.partition("\n## ")[2].partition("\n## ")[0]
    fields = DOCUMENTS[name].__struct_fields__
    assert re.findall(r"^\| `(\w+)`", first, re.MULTILINE) == list(fields)
    assert name == "difference" or "null" in page
    assert "Published" not in page


def test_a_type_is_told_on_one_page() -> None:
    told = [heading for page in manual.json_pages().values() for heading in _headings(page)]
    assert sorted(told) == sorted(set(told))
    assert "finding" in _headings(manual.json_pages()["report.md"])


def _headings(page: str) -> list[str]:
    return [line[3:].lower() for line in page.splitlines() if line.startswith("## ")]
