from __future__ import annotations

import json

from portaudit.read.notebook import read
from portaudit.read.text import Text
from portaudit.types import Span
from snippets import findings, scan


def notebook(*cells: dict[str, object], indent: int | None = 1) -> str:
    return json.dumps({"cells": list(cells), "nbformat": 4, "metadata": {}}, indent=indent)


def code(*lines: str, **more: object) -> dict[str, object]:
    return {"cell_type": "code", "source": [f"{line}\n" for line in lines], "outputs": [], **more}


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.split("\n"), start=1) if part in line)


def test_positions_are_those_of_the_file_and_of_the_cell() -> None:
    text = notebook(
        {"cell_type": "markdown", "source": ["model.cuda() is how it was"]},
        code("import torch", id="first"),
        code('name = "a"', 'x = torch.zeros(3, device="cuda")', id="b2"),
    )
    (found,) = findings({"demo.ipynb": text}, "DST001")
    line = line_of(text, "torch.zeros")
    column = text.split("\n")[line - 1].index(r"\"cuda") + 1
    assert found.span == Span(line, column, line, column + len(r"\"cuda\""))
    assert (found.cell, found.scope) == ("b2:2", "b2")
    assert "torch.zeros(3" in found.snippet


def test_cells_share_one_namespace_in_their_order() -> None:
    text = notebook(
        code("import torch as th"), code("device = 'cuda'"), code("th.ones(1).to(device)")
    )
    (found,) = findings({"demo.ipynb": text}, "DST001")
    assert found.cell == "cell-2:1"
    assert [use.line for use in found.uses] == [line_of(text, "th.ones")]


def test_outputs_and_markdown_are_silent() -> None:
    text = notebook(
        {"cell_type": "markdown", "source": ["```\n", "!nvidia-smi\n", "```"]},
        {"cell_type": "raw", "source": ["!nvidia-smi"]},
        code("x = 1", outputs=[{"text": ["model.cuda()", "NCCL_DEBUG=INFO"]}]),
    )
    assert findings({"demo.ipynb": text}) == []


def test_magics_and_shell_lines_are_read_as_what_they_are() -> None:
    text = notebook(
        code("%env NCCL_DEBUG=INFO", "import os", "!CUDA_VISIBLE_DEVICES=0 python train.py"),
        code("%%bash", "export NCCL_ALGO=Ring"),
        code("%%time", "import torch", "torch.nn.Linear(1, 1).cuda()"),
        code("count = 7 %env", "files = !ls"),
    )
    found = findings({"demo.ipynb": text}, "DIS010", "ENV001", "DEV008")
    assert [(item.rule, item.anchor, item.cell) for item in found] == [
        ("DIS010", "NCCL_DEBUG", "cell-1:1"),
        ("ENV001", "CUDA_VISIBLE_DEVICES", "cell-1:3"),
        ("DIS010", "NCCL_ALGO", "cell-2:2"),
        ("DEV008", ".cuda", "cell-3:3"),
    ]


def test_a_command_may_go_on_over_lines_and_stand_in_a_block() -> None:
    made = read(
        Text(
            "n.ipynb",
            notebook(
                code("if train:", "    !python train.py \\", "        --device cuda", "y = 1")
            ),
        )
    )
    assert made.code == "if train:\n    pass\n\ny = 1\n"
    assert [(item.kind, item.name, item.value) for item in made.items] == [
        ("command", "python", None),
        ("config-key", "device", "cuda"),
    ]


def test_a_source_may_be_one_string_and_a_file_one_line() -> None:
    text = notebook({"cell_type": "code", "source": "import torch\nx = 'é'; m.cuda()"}, indent=None)
    (found,) = findings({"demo.ipynb": text}, "DEV008")
    assert found.span.line == 1
    assert text[found.span.column - 1 :].startswith("m.cuda()")
    assert found.cell == "cell-1:2"


def test_the_identity_of_a_finding_survives_other_cells() -> None:
    before = notebook(code("import torch", "m.cuda()", id="x"))
    after = notebook(code("b = 1", id="new"), code("import torch", "a = 1", "m.cuda()", id="x"))
    first, second = (findings({"demo.ipynb": text}, "DEV008") for text in (before, after))
    assert first[0].fingerprint == second[0].fingerprint


def test_a_cell_that_is_no_python_loses_only_itself() -> None:
    text = notebook(code("x = = 1"), code("import torch", "m.cuda()"))
    result = scan({"demo.ipynb": text})["demo.ipynb"]
    assert [finding.rule for finding in result.findings] == ["DEV008"]
    assert result.errors[0].line == line_of(text, "x = = 1")
    assert result.errors[0].reason.startswith("cell cell-1:1: ")
    assert "low" not in {finding.confidence for finding in result.findings}


def test_what_is_no_notebook_says_so() -> None:
    for text, reason in (
        ("{}", "no notebook of format 4: it has no list of cells"),
        ('{"cells": 3}', "no notebook of format 4: it has no list of cells"),
        ('{"cells": [', "not valid JSON; what could be read of it was"),
        ("", "no notebook of format 4: it has no list of cells"),
    ):
        result = scan({"demo.ipynb": text})["demo.ipynb"]
        assert [error.reason for error in result.errors] == [reason]


def test_half_a_character_and_deep_nesting_do_no_harm() -> None:
    source = r"""["import torch\ns = '\ud800'; m.cuda()"]"""
    text = f'{{"cells": [{{"cell_type": "code", "source": {source}}}], "x": '
    deep = text + "[" * 20_000 + "]" * 20_000 + "}"
    result = scan({"demo.ipynb": deep})["demo.ipynb"]
    assert [finding.rule for finding in result.findings] == ["DEV008"]
