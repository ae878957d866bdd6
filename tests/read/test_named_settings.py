"""Files of settings that Python code names, by paths that it puts together."""

from __future__ import annotations

from textwrap import dedent

import pytest

from snippets import scan

HEAD = """
import os
import os.path as osp
from pathlib import Path
from conf import ROOT
HERE = os.path.dirname(os.path.abspath(__file__))
"""


def named(text: str, path: str = "net/train.py") -> list[str]:
    result = scan({path: dedent(HEAD) + dedent(text)})[path]
    return [each.name for each in result.facts.code.imports if each.named]


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("'a.json'", "a.json"),
        ("'conf/a.json'", "conf/a.json"),
        ("os.path.join(ROOT, 'conf', 'a.json')", "conf/a.json"),
        ("os.path.join(ROOT, 'conf', 'more/a.yaml')", "conf/more/a.yaml"),
        ("osp.join(ROOT, osp.join('conf', 'a.json'))", "conf/a.json"),
        ("ROOT / 'conf' / 'a.json'", "conf/a.json"),
        ("Path(ROOT).joinpath('conf', 'a.json')", "conf/a.json"),
        ("f'{ROOT}/conf/a.json'", "conf/a.json"),
        ("ROOT + '/conf/a.json'", "conf/a.json"),
        ("os.path.join(HERE, 'conf', 'a.json')", "conf/a.json"),
        ("os.path.join(HERE, '..', 'conf', 'a.json')", "../conf/a.json"),
        ("Path(__file__).parent / 'conf' / 'a.json'", "conf/a.json"),
        ("os.path.join(ROOT, which(), 'a.json')", "a.json"),
        ("', '.join([ROOT, 'a.json'])", "a.json"),
    ],
)
def test_the_parts_of_a_path_that_are_known_are_one(expression: str, path: str) -> None:
    assert named(f"load({expression})\n") == [path]


@pytest.mark.parametrize("text", ["f'{ROOT}/{name}.json'", "ROOT / name", "f'{name}.json'"])
def test_a_name_that_is_not_known_is_none(text: str) -> None:
    assert named(f"load({text})\n") == []
