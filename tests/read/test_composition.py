from __future__ import annotations

import pytest

from portaudit.types import Import
from snippets import scan


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.yaml", "_base_: ../b.yaml\n", ["../b.yaml"]),
        ("a.yaml", "_base_: [b.yaml, c.yaml]\n", ["b.yaml", "c.yaml"]),
        ("a.json", '{"_base_": "b.json"}\n', ["b.json"]),
        ("a.yaml", "defaults:\n  - base\n  - _self_\n", ["base.yaml"]),
        ("a.yaml", "defaults:\n  - a: b\n  - /c: d/e\n", ["a/b.yaml", "c/d/e.yaml"]),
        ("a.yaml", "defaults:\n  - override /model: net\n", ["model/net.yaml"]),
        ("a.yaml", "defaults:\n  - optional local: mine\n", ["local/mine.yaml"]),
        ("a.yaml", "defaults:\n  - model@inner: net\n", ["model/net.yaml"]),
        ("a.yaml", "defaults:\n  - model: null\n  - x: null\n", []),
        ("a.yaml", "defaults:\n  run:\n    shell: bash\n", []),
        ("a.yaml", "model:\n  _target_: src.net.Net\n", ["src.net.Net"]),
        ("a.yaml", "model:\n  class_path: src.net.Net\n", ["src.net.Net"]),
        ("a.yaml", "model:\n  class_path: Net\n", ["Net"]),
        ("a.yaml", "model:\n  class_path: net.py\n", []),
        ("a.yaml", "model:\n  _target_: Net\n", []),
        ("a.yaml", "model: !new:src.net.Net\n  x: 1\n", ["src.net.Net"]),
        ("a.yaml", "path: net.py\nversion: 1.2.3\n", []),
        ("a.yaml", "model:\n  target: src.net.Net\n", ["src.net.Net"]),
        ("a.toml", '[model]\n_target_ = "src.net.Net"\n', ["src.net.Net"]),
        ("a.yaml", "model:\n  class: src.net:Net\n", ["src.net.Net"]),
        ("a.yaml", "model:\n  _target_: src.${kind}.Net\n", ["src.*.Net"]),
        ("a.yaml", "x: ${model.net}\ny: ${a}.${b}\nimage: redis:3.1\n", []),
    ],
)  # fmt: skip
def test_what_settings_are_put_together_from(path: str, text: str, names: list[str]) -> None:
    found = scan({path: text})[path].facts.code.imports
    assert [item.name for item in found] == names
    assert all(item.named for item in found)


@pytest.mark.parametrize(
    ("default", "name", "asks"),
    [
        ("x: ${y}", "x/*.yaml", "y"),
        ("/model: ${defaults.0.task}-${defaults.1.size}", "model/*-*.yaml", "task"),
        ("model: net_${db.kind}", "model/net_*.yaml", "kind"),
        ("model: ${a:${b}}", "model/*.yaml", ""),
        ("model: ${oc.env:MODEL}", "model/*.yaml", ""),
        ("${kind}/optim: adam", "*/optim/adam.yaml", ""),
        ("model: ${kind}/deep", "model/*/deep.yaml", ""),
        ("net/model: ???", "net/model/*.yaml", "--model"),
        ("base_${kind}", "base_*.yaml", "kind"),
    ],
)
def test_a_choice_that_others_make_is_open(default: str, name: str, asks: str) -> None:
    found = scan({"a.yaml": f"defaults:\n  - {default}\n"})["a.yaml"].facts.code.imports
    assert [(item.name, item.asks) for item in found] == [(name, asks)]


def test_it_stands_in_its_line_once() -> None:
    text = "a: 1\nb:\n  _target_: x.Y\nc:\n  _target_: x.Y\n"
    assert scan({"a.yaml": text})["a.yaml"].facts.code.imports == (Import("x.Y", 3, named=True),)


def test_damage_is_no_error_where_no_rule_speaks() -> None:
    result = scan({"a.yaml": "_base_: {b\n"})["a.yaml"]
    assert result.errors == ()
