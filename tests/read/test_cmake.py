from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read.cmake import read
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str) -> list[Item]:
    return list(read(Text("CMakeLists.txt", dedent(source).lstrip("\n"))).items)


_OTHERS = {"set", "execute_process", "add_custom_target"}


def guards(source: str) -> list[tuple[str, int]]:
    """Guard and line of the proof, of each call of `f`."""
    return [
        (item.guard, item.guard_by.line if item.guard_by else 0)
        for item in items(source)
        if item.name == "f"
    ]


def test_commands_have_lower_case_names_and_their_words() -> None:
    source = """
        Project(ops LANGUAGES CXX CUDA)  # CUDA
        # find_package(CUDA)
        #[[ f(1)
        f(2) ]]
        set(CMAKE_CUDA_FLAGS "${CMAKE_CUDA_FLAGS} -O3")
        list(APPEND A b)
        message("find_package(CUDA)")
    """
    found = [(item.name, [part.text for part in item.parts]) for item in items(source)]
    assert found == [
        ("project", ["ops", "LANGUAGES", "CXX", "CUDA"]),
        ("set", ["CMAKE_CUDA_FLAGS", "${CMAKE_CUDA_FLAGS} -O3"]),
        ("list append", ["APPEND", "A", "b"]),
        ("message", ["find_package(CUDA)"]),
    ]


def test_a_word_stands_where_it_is_written() -> None:
    (item,) = items("find_package(\n  CUDA\n)\n")
    assert item.span == Span(1, 1, 1, 13)
    assert item.parts[0].span == Span(2, 3, 2, 7)


def test_a_function_is_a_scope() -> None:
    (item,) = items("function(add_kernels name)\n  f()\nendfunction()\n")
    assert item.scope == "add_kernels"


@pytest.mark.parametrize(
    ("condition", "guard"),
    [
        ("CUDA_FOUND", "guarded"),
        ("CUDAToolkit_FOUND", "guarded"),
        ("CMAKE_CUDA_COMPILER", "guarded"),
        ("TARGET CUDA::cudart", "guarded"),
        ("DEFINED CUDA_VERSION", "guarded"),
        ("${CUDA_FOUND}", "guarded"),
        ("USE_CUDA", "guarded"),
        ("USE_CUDA AND NOT WIN32", "guarded"),
        ("CUDA_VERSION VERSION_GREATER 11.0", "guarded"),
        ("NOT WITH_CPU", "guarded"),
        ("WITH_CPU", "none"),
        ("NOT USE_CUDA", "none"),
        ("USE_CUDA OR WITH_CPU", "none"),
        ("UNKNOWN", "none"),
        ("NOT CUDA_FOUND", "none"),
        ("WIN32", "none"),
        ("", "none"),
    ],
)
def test_conditions_that_hold_only_with_cuda_or_on_demand(condition: str, guard: str) -> None:
    source = f"option(USE_CUDA x OFF)\noption(WITH_CPU x ON)\nif({condition})\n  f()\nendif()\n"
    assert guards(source) == [(guard, 3 if guard != "none" else 0)]


def test_the_other_branch_decides_what_a_guard_promises() -> None:
    source = """
        if(CUDA_FOUND)
          f()
        else()
          g()
        endif()
        if(CUDA_FOUND)
          f()
        else()
          message(FATAL_ERROR "no")
        endif()
        if(CUDA_FOUND)
          f()
        else()
          message(STATUS "without")
        endif()
        if(NOT CUDA_FOUND)
          message(FATAL_ERROR "no")
        else()
          f()
        endif()
        if(NOT CUDA_FOUND)
          g()
        elseif(CUDNN_FOUND)
          f()
        endif()
    """
    assert guards(source) == [
        ("fallback", 1),
        ("hard-fail", 6),
        ("guarded", 11),
        ("hard-fail", 16),
        ("fallback", 23),
    ]


def test_a_package_that_need_not_be_there_is_as_guarded_as_its_question() -> None:
    source = """
        find_package(CUDA QUIET)
        find_package(NCCL REQUIRED)
        if(CUDA_FOUND AND NCCL_FOUND)
          f()
        endif()
    """
    found = {item.parts[0].text: item.guard for item in items(source) if item.parts}
    assert found == {"CUDA": "guarded", "NCCL": "none"}


@pytest.mark.parametrize(
    ("switch", "guard"),
    [
        ('option(S "help")', "guarded"),
        ("set(S OFF CACHE BOOL x)", "guarded"),
        ("set(S ON CACHE BOOL x)", "none"),
        ("set(S OFF)\nset(S ON)", "none"),
        ("option(S x ${DEFAULT})", "none"),
        ("", "none"),
    ],
)
def test_the_default_of_a_switch(switch: str, guard: str) -> None:
    assert guards(f"{switch}\nif(S)\n  f()\nendif()\n")[0][0] == guard


@pytest.mark.parametrize(
    "source",
    ["", "f(", "if(", "if(A)\nf(", "endif()", 'f("', "f(#[[", "option()", "set()", "list()"],
)
def test_bad_input_is_read_as_far_as_it_goes(source: str) -> None:
    items(source)


def test_depth_does_not_hurt() -> None:
    items("if(A)\n" * 500 + "f()\n" + "endif()\n" * 500)


def test_programs_that_a_command_runs_and_what_it_sets_in_the_environment() -> None:
    source = """
        set(ENV{TORCH_CUDA_ARCH_LIST} "8.0")
        if(CUDA_FOUND)
          execute_process(COMMAND nvidia-smi -L COMMAND nvcc --version OUTPUT_VARIABLE x)
        endif()
        set(COMMAND nvcc)
        execute_process(OUTPUT_VARIABLE x)
        add_custom_target(all_of_it ALL)
    """
    found = [item for item in items(source) if item.name not in _OTHERS]
    assert [(item.kind, item.name, item.span.line, item.guard) for item in found] == [
        ("env-var", "TORCH_CUDA_ARCH_LIST", 1, "none"),
        ("command", "nvidia-smi", 3, "guarded"),
        ("command", "nvcc", 3, "guarded"),
    ]
    assert found[0].value == "8.0"


def test_each_line_of_a_list_is_one_command() -> None:
    source = """
        target_link_libraries(x PRIVATE
          CUDA::cudart
          CUDA::cublas nccl)
    """
    assert [(item.name, [part.text for part in item.parts]) for item in items(source)] == [
        ("target_link_libraries", ["x", "PRIVATE"]),
        ("target_link_libraries", ["CUDA::cudart"]),
        ("target_link_libraries", ["CUDA::cublas", "nccl"]),
    ]
    assert [item.name for item in items("target_link_libraries()")] == ["target_link_libraries"]


def test_a_switch_that_is_on_says_so() -> None:
    source = """
        option(USE_CUDA "text" ON)
        option(USE_ROCM "text" OFF)
        option(USE_X)
        set(USE_NCCL ON CACHE BOOL "")
        set(USE_MPI)
    """
    told = [(item.name, item.parts[0].text) for item in items(source) if item.name.endswith(" on")]
    assert told == [("option on", "USE_CUDA"), ("set on", "USE_NCCL")]
