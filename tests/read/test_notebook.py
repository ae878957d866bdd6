from __future__ import annotations

import json

import pytest

from portaudit.catalogue.difficulty import KERNEL_EFFORT
from portaudit.judge.notebook import placed
from portaudit.read.notebook import read
from portaudit.read.text import Text
from portaudit.types import FileResult, ScanError, Span
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


def test_a_statement_over_several_lines_begins_and_ends_in_the_file() -> None:
    text = notebook(code("import torch"), code("x = torch.ones(", "    3,", ").cuda()"))
    (found,) = findings({"demo.ipynb": text}, "DEV008")
    assert found.lines == (line_of(text, "torch.ones"), line_of(text, ").cuda()"))


def test_a_long_line_is_shown_by_its_beginning() -> None:
    text = notebook(code("import torch"), code(f"torch.ones(3).cuda()  # {'x' * 500}"))
    (found,) = findings({"demo.ipynb": text}, "DEV008")
    line = text.split("\n")[found.span.line - 1]
    assert found.snippet == line[:400] != line


def test_what_waits_for_an_option_stands_in_lines_of_the_file() -> None:
    text = notebook(
        code("import torch", "import sys"),
        code("def run(x, fast=False):", "    if fast:", "        x = x.cuda()", "    return x"),
    )
    options = scan({"demo.ipynb": text})["demo.ipynb"].facts.code.options
    block = (line_of(text, "x.cuda()"), line_of(text, "x.cuda()"))
    assert block in {option.lines for option in options}
    firsts = [option.lines[0] for option in options]
    assert all(first >= line_of(text, "def run") for first in firsts if first)


def test_an_error_of_no_cell_is_told_without_one() -> None:
    made = Text("demo.ipynb", notebook(code("x = 1")))
    error = ScanError("demo.ipynb", "why", 99)
    (told,) = placed(FileResult("demo.ipynb", errors=(error,)), read(made), made.lines).errors
    assert told.reason == "why"


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
        ("launch", "python", "train.py"),
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


def named(text: str, span: Span) -> str:
    """The text of the file that a span is of."""
    assert span.line == span.end_line
    return text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize("name", [r"\u12zz", r"\x", r"\ud800", r"a\ud800b\ud83d\ude00"])
def test_a_name_that_is_no_text_loses_no_cell(name: str) -> None:
    cell = f'{{"cell_type": "code", "id": "{name}", "source": ["import torch\\n", "m.cuda()"]}}'
    result = scan({"demo.ipynb": f'{{"cells": [{cell}]}}'})["demo.ipynb"]
    assert [finding.rule for finding in result.findings] == ["DEV008"]
    assert not [error for error in result.errors if "portaudit failed" in error.reason]


def test_a_string_without_end_does_no_harm() -> None:
    text = '{"cells": [{"cell_type": "code", "source": ["m.cuda()"], "id": "abc'
    errors = scan({"demo.ipynb": text})["demo.ipynb"].errors
    assert [error.reason for error in errors] == ["not valid JSON; what could be read of it was"]


def test_a_command_may_begin_with_anything_but_an_equals_sign() -> None:
    made = read(Text("n.ipynb", notebook(code("!#nvidia-smi", "!", "!!(ls)", "a = (b", "!= c)"))))
    assert made.code == "pass\npass\npass\na = (b\n!= c)\n"
    assert not scan({"n.ipynb": notebook(code("!#pip install x", "x = 1"))})["n.ipynb"].errors


def test_a_magic_begins_where_a_statement_does() -> None:
    lines = (
        "print('%d ('",
        "      % n)",
        "x = 7 \\",
        "  % y  # (",
        's = """',
        "!pip install flash-attn",
        "%env NCCL_DEBUG=INFO",
        "what?",
        '"""',
        "t = 'a\\",
        "%env b'",
        "m.cuda()",
    )
    text = notebook(code("import torch"), code(*lines))
    made = read(Text("n.ipynb", text))
    assert made.code == "\n".join(("import torch", *lines)) + "\n"
    assert made.items == ()
    result = scan({"n.ipynb": text})["n.ipynb"]
    assert [(found.rule, found.cell) for found in result.findings] == [("DEV008", "cell-2:12")]
    assert result.errors == ()


def test_a_command_is_found_behind_what_never_closes() -> None:
    made = read(Text("n.ipynb", notebook(code("f(", "!nvidia-smi", "x = ')", "%env A=b"))))
    assert [item.name for item in made.items] == ["nvidia-smi"]


def test_items_are_of_the_text_they_name_whatever_is_escaped_before_them() -> None:
    text = notebook(
        code('!pip install "numpy" flash-attn', '!echo "a" && \\', '  echo "b" && nvidia-smi')
    )
    made = read(Text("n.ipynb", text))
    assert [
        (item.name, named(text, item.span)) for item in made.items if item.kind != "command"
    ] == [("numpy", r"\"numpy\""), ("flash-attn", "flash-attn")]
    (pip,) = (item for item in made.items if item.name.startswith("pip"))
    assert [named(text, part.span) for part in pip.parts][-1] == "flash-attn"
    (smi,) = (item for item in made.items if item.name == "nvidia-smi")
    assert smi.span.line == line_of(text, "nvidia-smi")
    assert named(text, smi.span) == "nvidia-smi"


def test_the_end_of_a_line_is_behind_its_last_escape() -> None:
    text = notebook(code("import torch", 'torch.zeros(1, device="cuda"', ")", 'd = "cuda"'))
    (item,) = read(Text("n.ipynb", notebook(code('!docker run "nvidia/cuda:12"')))).items[-1:]
    shown = notebook(code('!docker run "nvidia/cuda:12"'))
    assert named(shown, item.span) == r"\"nvidia/cuda:12\""
    (found,) = findings({"demo.ipynb": text}, "DST001")[:1]
    assert named(text, found.span) == r"\"cuda\""


@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_for_the_shell_names_its_cell_though_lines_are_shared(indent: int | None) -> None:
    text = notebook(
        {"cell_type": "code", "id": "a", "source": "x = 1\n!export NCCL_DEBUG=INFO"},
        {"cell_type": "code", "id": "b", "source": "%%bash\necho\nexport NCCL_ALGO=Ring"},
        {"cell_type": "code", "id": "c", "source": "y = 1\n%env NCCL_PROTO=LL"},
        indent=indent,
    )
    found = findings({"demo.ipynb": text}, "DIS010")
    assert [(item.anchor, item.cell) for item in found] == [
        ("NCCL_DEBUG", "a:2"),
        ("NCCL_ALGO", "b:3"),
        ("NCCL_PROTO", "c:2"),
    ]


KERNEL = (
    "__global__ void scale(float* x) {",
    "  __shared__ float s[32];",
    "  s[threadIdx.x] = x[threadIdx.x];",
    "}",
    "void run(float* x) { scale<<<1, 32>>>(x); }",
)


@pytest.mark.parametrize("magic", ["%%cu", "%%writefile scale.cu", "%%writefile src/scale.cuh"])
def test_kernels_of_a_cell_are_in_the_inventory(magic: str) -> None:
    text = notebook(code("import torch"), code("#@title Kernel", magic, *KERNEL, id="k"))
    result = scan({"demo.ipynb": text})["demo.ipynb"]
    (kernel,) = result.inventory
    first = line_of(text, "__global__")
    assert (kernel.name, kernel.path) == ("scale", "demo.ipynb")
    assert (kernel.line, kernel.end_line) == (first, first + 3)
    assert {each.line for each in kernel.features} <= set(range(first, first + 4))
    assert [(each.name, each.line) for each in result.facts.native.functions] == [
        ("run", line_of(text, "void run"))
    ]
    (found,) = (item for item in result.findings if item.fingerprint == kernel.fingerprint)
    assert (found.cell, found.effort) == ("k:3", KERNEL_EFFORT[kernel.difficulty])


def test_what_starts_a_kernel_in_the_code_stands_in_the_file() -> None:
    text = notebook(
        {"cell_type": "markdown", "source": ["a\n"] * 9},
        code(
            "import triton",
            "@triton.jit",
            "def add(x):",
            "    pass",
            "def run(x):",
            "    add[(1,)](x)",
        ),
    )
    result = scan({"demo.ipynb": text})["demo.ipynb"]
    assert [each.line for each in result.facts.native.functions] == [line_of(text, "def run")]


def test_a_cell_magic_may_follow_comments() -> None:
    text = notebook(
        code("#@title Styles", "", "%%html", "<p>it is model.cuda()</p>"),
        code("# how", "%%bash", "export NCCL_ALGO=Ring"),
        code("# how", "%%time", "import torch", "m.cuda()"),
        code("%%!", "export NCCL_DEBUG=INFO"),
    )
    result = scan({"demo.ipynb": text})["demo.ipynb"]
    assert result.errors == ()
    assert [(found.rule, found.cell) for found in result.findings] == [
        ("DIS010", "cell-2:3"),
        ("DEV008", "cell-3:4"),
        ("DIS010", "cell-4:2"),
    ]


def test_a_line_that_breaks_in_a_string_is_a_line_of_the_file() -> None:
    text = '{"cells": [{"cell_type": "code", "source": "import torch\\\n\nx = 1; m.cuda()"}]}'
    (found,) = findings({"demo.ipynb": text}, "DEV008")
    assert (found.span.line, found.cell) == (3, "cell-1:3")
    assert text.split("\n")[2][found.span.column - 1 :].startswith("m.cuda()")


# --- switches, groups and files that cells write --------------------------------------------------


def guards(*cells: dict[str, object]) -> dict[str, tuple[str, int]]:
    """Per required package its guard, and the line of the file that proves it."""
    made = read(Text("n.ipynb", notebook(*cells)))
    return {
        item.name: (item.guard, item.guard_by.line if item.guard_by else 0)
        for item in made.items
        if item.kind == "dependency"
    }


def test_a_command_under_a_switch_that_is_off_is_guarded() -> None:
    cells = (
        code("INSTALL = False  # @param", "FULL = True"),
        code(
            "if INSTALL:",
            "    # first this",
            "    !pip install apex",
            "    for _ in range(2):",
            "        !pip install xformers",
            "else:",
            "    !pip install deepspeed",
            "if not FULL:",
            "    %pip install bitsandbytes",
            "if FULL:",
            "    !pip install cupy",
            "if OTHER:",
            "    !pip install vllm",
            "!pip install flash-attn",
        ),
    )
    text = notebook(*cells)
    off, full = line_of(text, "INSTALL = False"), line_of(text, "FULL = True")
    assert guards(*cells) == {
        "apex": ("guarded", off),
        "xformers": ("guarded", off),
        "deepspeed": ("none", 0),
        "bitsandbytes": ("guarded", full),
        "cupy": ("none", 0),
        "vllm": ("none", 0),
        "flash-attn": ("none", 0),
    }


def test_a_command_that_asks_for_cuda_first_is_guarded() -> None:
    lines = (
        "if torch.cuda.is_available():",
        "    !pip install apex",
        "else:",
        "    !pip install x",
    )
    assert guards(code(*lines)) == {
        "apex": ("guarded", line_of(notebook(code(*lines)), "is_available")),
        "x": ("none", 0),
    }


def test_a_switch_that_is_set_twice_proves_nothing() -> None:
    cells = (code("A = False"), code("A = True"), code("if A:", "    !pip install apex"))
    assert guards(*cells) == {"apex": ("none", 0)}


def test_settings_of_two_cells_are_no_siblings() -> None:
    made = read(
        Text(
            "n.ipynb",
            notebook(
                code("%%writefile a.yaml", "fp16:", "  enabled: true"),
                code("%%writefile b.yaml", "bf16:", "  enabled: true"),
            ),
        )
    )
    groups = {item.name: item.group for item in made.items if item.kind == "config-key"}
    assert groups["fp16.enabled"] != groups["bf16.enabled"]


def test_a_file_that_a_cell_writes_is_refused_at_its_line() -> None:
    text = notebook(
        code("import torch"),
        code("%%writefile ds.json", "{", '  "fp16": {"enabled": tru', "}"),
    )
    (error,) = read(Text("n.ipynb", text)).errors
    assert (error.path, error.line) == ("n.ipynb", line_of(text, "enabled"))
    assert scan({"n.ipynb": text})["n.ipynb"].errors == (error,)
