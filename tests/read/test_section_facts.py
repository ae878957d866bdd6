"""In which sections settings stand, and which words a file uses for nothing but such."""

from __future__ import annotations

from functools import cache
from textwrap import dedent

import pytest

from portaudit.catalogue.load import Catalogue, load
from portaudit.kinds import kind_by_name
from portaudit.marks import BY_KEY
from portaudit.scan import scan_file
from portaudit.types import FileFacts, SourceFile


@cache
def catalogue() -> Catalogue:
    return load()


def facts(source: str, path: str = "pkg/code.py") -> FileFacts:
    kind = kind_by_name(path)
    assert kind is not None
    file = SourceFile(path, kind, dedent(source).lstrip("\n").encode(), frozenset({"pkg"}))
    return scan_file(file, catalogue(), "torchneuron").facts


def asked(condition: str, before: str = "") -> str:
    source = f"{before}\ndef build(cfg, x):\n    if {condition}:\n        go()\n"
    found = [each for each in facts(source).code.options if not each.defines]
    return " ".join(f"{each.section}.{each.name}" for each in found)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("cfg.attn.fused", "attn.fused"),
        ("cfg.model.attn.fused", "attn.fused"),
        ('cfg["attn"]["fused"]', "attn.fused"),
        ('cfg.attn["kind"] == "fused"', "attn.kind"),
        ("cfg.attn.layers > 1", "attn.layers"),
        ("cfg.fused", ".fused"),
        ("x.cfg.fused", ".fused"),
        ("x.model_cfg.fused", ".fused"),
        ("cfg.layers[0].fused", ".fused"),
        ("cfg[x].fused", ".fused"),
        ("cfg.attn.kind == 'a' or cfg.norm.kind == 'b'", ".kind"),
    ],
)
def test_a_condition_says_what_its_setting_stands_in(condition: str, told: str) -> None:
    assert asked(condition) == told


def sections(source: str) -> set[str]:
    found = facts(source).code.sections.split()
    return {each for each in found if each[0] != "!"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("f(cfg.attn.fused)", {"attn"}),
        ("f(cfg.attn.fused, cfg.attn)", set()),
        ("f(cfg.attn.fused)\ncfg.attn = x", set()),
        ("f(cfg.attn.fused)\ncfg.attn.update(x)", set()),
        ("f(cfg.attn.fused, attn=1)", set()),
        ('f(cfg.attn.fused, "attn")', set()),
        ('f(cfg.attn.get("fused"), getattr(cfg.attn, "x"))', {"attn"}),
        ("f(cfg.attn[x])", {"*attn"}),
        ("f(cfg[x])", {"*"}),
        ("f(getattr(cfg, x))", {"*"}),
        ("f(vars(cfg)[x])", {"*"}),
        ("f(cfg.sizes[-1], cfg.sizes[0])", set()),
        ('KINDS_CONFIG = {"a": 1}\nf(KINDS_CONFIG[x])', set()),
    ],
)
def test_a_word_for_more_than_what_settings_stand_in_is_none(source: str, told: set[str]) -> None:
    assert sections(source) == told


def test_what_a_file_has_as_a_whole_in_a_function_of_that_name_is_told() -> None:
    source = "def attn(cfg):\n    return go(cfg.attn)\n"
    assert "!attn" in facts(source).code.sections.split()


def given(source: str, path: str) -> set[str]:
    told = facts(source, path).settings
    return {f"{each.section}/{each.name}" for each in told if each.name != BY_KEY}


def test_settings_stand_in_what_is_spelled() -> None:
    source = "_C = CN()\n_C.A = CN()\n_C.A.X = 1\n_C.A.B = CN(x)\ncfg.A.Y = 2\nc.Z = 3\n"
    assert given(source, "pkg/defaults.py") >= {"./A", "A/X", "A/B", "A/Y", "/Z"}
    assert given("cfg.A.X = cfg.B.X\n", "pkg/code.py") == {"A/X"}
    assert given("cfg.A.X = cfg.A.X\n", "pkg/code.py") == set()


@pytest.mark.parametrize(
    ("path", "source", "told"),
    [
        ("a.yaml", "a:\n  b:\n    x: 1\ny: 2\na.z: 3\n", {"./a", "./b", "b/x", "/y", "a/z"}),
        ("a.yaml", "a: &it\n  x: 1\nb: *it\n", {"/a", "/x"}),
        ("a.yaml", "a:\n  <<: {x: 1}\n", {"/a", "/x"}),
        ("a.json", '{"a": {"x": 1}}', {"./a", "a/x"}),
        ("a.toml", "[a]\nx = 1\n", {"./a", "a/x"}),
        ("a.gin", "a.x = 1\n", {"/x"}),
    ],
)
def test_keys_of_files_stand_in_those_around_them(path: str, source: str, told: set[str]) -> None:
    assert given(source, path) == told
