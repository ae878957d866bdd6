from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.kinds import kind_by_name
from portaudit.read.gin import read
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str) -> list[Item]:
    return list(read(Text("train.gin", dedent(source).lstrip("\n"))).items)


def values(source: str) -> dict[str, object]:
    return {item.name: item.value for item in items(source)}


def errors(source: str) -> list[int | None]:
    return [error.line for error in read(Text("train.gin", dedent(source).lstrip("\n"))).errors]


def test_a_file_is_known_by_its_name() -> None:
    assert kind_by_name("configs/train.gin") == "gin"


def test_bindings_are_settings_under_what_they_bind() -> None:
    source = """
    # A comment: train.device = 'cuda'
    import project.models
    from project import layers
    include 'base.gin'

    train.device = "cuda"  # where it runs
    project.models.Net.layers = 3
    eval/Net.use_cuda = True
    eval/inner/Net.rate = -1.5e-3
    Net.none = None
    """
    assert values(source) == {
        "include": "base.gin",
        "train.device": "cuda",
        "project.models.Net.layers": 3,
        "Net.use_cuda": True,
        "Net.rate": -1.5e-3,
        "Net.none": None,
    }
    first = items(source)[1]
    assert (first.kind, first.scope, first.span) == ("config-key", "train", Span(6, 16, 6, 22))
    assert not errors(source)


def test_macros_and_references() -> None:
    source = """
    DEVICE = 'cuda:0'
    train.device = %DEVICE
    train.optimizer = @apex.optimizers.FusedAdam()
    train.model = @eval/Net
    """
    assert values(source) == {
        "DEVICE": "cuda:0",
        "train.device": None,
        "train.optimizer": "apex.optimizers.FusedAdam",
        "train.model": "eval/Net",
    }


def test_collections_go_over_lines() -> None:
    source = """
    run.options = {
        'fp16': {'enabled': True, 'scale': 2},  # half
        'devices': ['cuda:0',
                    'cuda:1'],
        "name": "a = b",
    }
    run.shape = (1, 2)
    """
    found = [(item.name, item.value, item.span.line) for item in items(source)]
    assert found == [
        ("run.options.fp16.enabled", True, 2),
        ("run.options.fp16.scale", 2, 2),
        ("run.options.devices", "cuda:0", 3),
        ("run.options.devices", "cuda:1", 4),
        ("run.options.name", "a = b", 5),
        ("run.shape", 1, 7),
        ("run.shape", 2, 7),
    ]
    assert not errors(source)


def test_a_block_binds_what_is_indented_below_it() -> None:
    source = """
    scope/train:
        device = 'cuda'
        steps = \\
            10
    Net.steps = 3
    """
    assert values(source) == {"train.device": "cuda", "train.steps": 10, "Net.steps": 3}


def test_parameters_of_one_thing_are_siblings() -> None:
    found = {item.name: item.group for item in items("a.x = 1\nb.x = 2\na.y = 3\n")}
    assert found["a.x"] == found["a.y"] != found["b.x"]


@pytest.mark.parametrize(
    ("source", "lines", "kept"),
    [
        ("a.x = [1, 2\nb.device = 'cuda'\n", [1], "b.device"),
        ("a.x = ?\nb.device = 'cuda'\n", [1], "b.device"),
        ("what is this\nb.device = 'cuda'\n", [1], "b.device"),
        ("a.x =\nb.device = 'cuda'\n", [1], "b.device"),
        ("= 3\nb.device = 'cuda'\n", [1], "b.device"),
        ("b.device = 'cuda'\na.x = 'open\n", [2], "b.device"),
        ("b.device = 'cuda'\na.x = )\n", [], "b.device"),
        ('b.device = "cuda"\na.x = """open\n\n', [2], "b.device"),
    ],
)
def test_damage_costs_only_its_statement(source: str, lines: list[int], kept: str) -> None:
    assert errors(source) == lines
    assert values(source)[kept] == "cuda"


def test_empty_and_strange_input_does_no_harm() -> None:
    for source in ("", "\n\n", "#", "\\", "@", "%", "a", "a =", "é.ü = 'x'", "a.b = 0777"):
        read(Text("x.gin", source))


def test_hostile_input_is_read_in_linear_time() -> None:
    read(Text("x.gin", "a.b = " + "[" * 50_000))
    read(Text("x.gin", "a.b = {'k': " * 20_000))
    read(Text("x.gin", '"""' * 20_001))
    read(Text("x.gin", "a.b = 'x\n" * 20_000))
    read(Text("x.gin", f"a.b = {'9' * 50_000}z"))
    read(Text("x.gin", f"a.b =\n    c.{'9' * 50_000}"))
