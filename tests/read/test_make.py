from __future__ import annotations

import pytest

from portaudit.read.items import Item
from portaudit.read.make import read
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str, *kinds: str) -> list[Item]:
    found = read(Text("Makefile", source)).items
    return [item for item in found if not kinds or item.kind in kinds]


def commands(source: str) -> list[tuple[str, int, str]]:
    """Name, line, guard."""
    return [(i.name, i.span.line, i.guard) for i in items(source, "command")]


def test_variables_and_what_they_are_made_of() -> None:
    source = "CUDA_HOME ?= /usr/local/cuda\nINC := -I$(CUDA_HOME)/include\nexport NCCL_DEBUG=INFO\n"
    assert [(i.name, i.value, i.span.line) for i in items(source, "env-var")] == [
        ("CUDA_HOME", "/usr/local/cuda", 1),
        ("INC", "-I$(CUDA_HOME)/include", 2),
        ("CUDA_HOME", None, 2),
        ("NCCL_DEBUG", "INFO", 3),
    ]


def test_recipes_call_programs_through_variables() -> None:
    source = (
        "HOME_DIR = /opt/cuda\n"
        "NVCC = $(HOME_DIR)/bin/nvcc\n"
        "%.o: %.cu\n"
        "\t@$(NVCC) $(FLAGS) -c $< -o $@ \\\n"
        "\t  -O3\n"
        "\t@echo nvcc\n"
        "\t-nvidia-smi\n"
        "\t$(OTHER) x\n"
        "one: ; nvcc a.cu\n"
    )
    (first, *rest) = items(source, "command")
    assert (first.name, first.span, first.scope) == ("nvcc", Span(4, 3, 4, 10), "%.o")
    assert [part.text for part in first.parts][-1] == "-O3"
    assert [(item.name, item.span.line) for item in rest] == [
        ("nvidia-smi", 7),
        ("${OTHER}", 8),
        ("nvcc", 9),
    ]


def test_the_shell_function_runs_programs() -> None:
    source = "COUNT := $(shell nvidia-smi -L | wc -l)\nall:\n\techo $(shell nvcc -V)\n"
    assert [each[:2] for each in commands(source)] == [("nvidia-smi", 1), ("wc", 1), ("nvcc", 3)]


def test_the_dollars_of_the_shell_do_not_move_columns() -> None:
    (item,) = items("a:\n\tfor x in $$(seq 3); do nvcc $$x; done\n", "command")[1:]
    assert item.span == Span(2, 25, 2, 29)


@pytest.mark.parametrize(
    ("head", "condition", "guard"),
    [
        ("", "ifdef USE_CUDA", "guarded"),
        ("USE_CUDA = 1\n", "ifdef USE_CUDA", "none"),
        ("USE_CUDA =\n", "ifdef USE_CUDA", "guarded"),
        ("", "ifndef NO_CUDA", "none"),
        ("USE_CUDA ?= 0\n", "ifeq ($(USE_CUDA),1)", "guarded"),
        ("USE_CUDA ?= 1\n", "ifeq ($(USE_CUDA), 1)", "none"),
        ("D = 0\nUSE_CUDA = $(D)\n", "ifneq ($(USE_CUDA),0)", "guarded"),
        ("", "ifneq ($(shell which nvcc),)", "guarded"),
        ("", "ifeq ($(shell uname),Linux)", "none"),
        ("X := $(shell uname)\n", "ifeq ($(X),Linux)", "none"),
    ],
)
def test_branches_that_the_defaults_leave_out_are_guarded(
    head: str, condition: str, guard: str
) -> None:
    source = f"{head}{condition}\na:\n\tnvcc x.cu\nendif\n"
    found = [each for each in commands(source) if each[0] == "nvcc" and each[1] > 2]
    assert [each[2] for each in found] == [guard]


def test_with_another_branch_it_is_a_fallback() -> None:
    source = "ifdef USE_CUDA\na:\n\tnvcc x.cu\nelse\na:\n\tgcc x.c\nendif\n"
    assert commands(source) == [("nvcc", 3, "fallback"), ("gcc", 6, "none")]
    other = "CPU = 1\nifdef CPU\na:\n\tgcc x.c\nelse\na:\n\tnvcc x.cu\nendif\n"
    assert commands(other) == [("gcc", 4, "none"), ("nvcc", 7, "fallback")]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "a:",
        "a: ;",
        "\tx",
        "ifdef",
        "ifeq (",
        "endif",
        "define x\n",
        "A = $(",
        "A = $(A)",
        "a:\n\t$(",
    ],
)
def test_bad_input_is_read_as_far_as_it_goes(source: str) -> None:
    items(source)


def test_values_of_values_come_to_an_end() -> None:
    lines = [f"A{n} = $(A{n + 1})$(A{n + 1})" for n in range(60)]
    items("\n".join([*lines, "ifeq ($(A0),1)", "a:", "\tnvcc x", "endif", ""]))


def test_nvcc_is_a_program_wherever_its_variable_is_set() -> None:
    source = "include ../common.mk\n%.o: %.cu\n\t$(NVCC) -c $<\n"
    assert commands(source) == [("nvcc", 3, "none")]
    assert commands("NVCC = clang\na:\n\t$(NVCC) -c a.cu\n") == [("clang", 3, "none")]
    assert commands("ifdef NVCC\na:\n\t$(CC) x\nendif\n")[0][2] == "guarded"


@pytest.mark.parametrize("before", ["", "Q ?= @\n", "Q =\n"])
def test_what_hides_a_line_is_no_program(before: str) -> None:
    source = f"{before}a:\n\t$(Q)$(NVCC) -c a.cu\n"
    (found,) = items(source, "command")
    line = 3 if before else 2
    assert (found.name, found.span.line, found.span.column) == ("nvcc", line, 6)


def test_a_prefix_that_is_a_program_stays() -> None:
    source = "WRAP = ccache\na:\n\t$(WRAP)$(NVCC) -c a.cu\n"
    assert "nvcc" not in [name for name, _, _ in commands(source)]
