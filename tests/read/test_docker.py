from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read.docker import read
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str, *kinds: str) -> list[Item]:
    found = read(Text("Dockerfile", dedent(source).lstrip("\n"))).items
    return [item for item in found if not kinds or item.kind in kinds]


def images(source: str) -> list[tuple[str, object, int, str]]:
    """Name, tag, line, guard."""
    return [(i.name, i.value, i.span.line, i.guard) for i in items(source, "image")]


def commands(source: str) -> list[tuple[str, int]]:
    return [(item.name, item.span.line) for item in items(source, "command")]


# --- images ---------------------------------------------------------------------------------------


def test_a_reference_is_resolved_and_stands_where_it_is_built_on() -> None:
    source = """
        # syntax=docker/dockerfile:1
        ARG CUDA=12.1.0
        ARG BASE="nvcr.io/nvidia/pytorch:${TAG:-24.01-py3}"
        FROM --platform=linux/amd64 nvidia/cuda:${CUDA}-devel AS build
        FROM ${BASE}
        COPY --from=build /a /b
    """
    assert images(source) == [
        ("nvidia/cuda", "12.1.0-devel", 4, "none"),
        ("nvcr.io/nvidia/pytorch", "24.01-py3", 5, "none"),
    ]
    first = items(source, "image")[0]
    assert first.span == Span(4, 29, 4, 54)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("nvidia/cuda", ("nvidia/cuda", "")),
        ("nvidia/cuda@sha256:abc123", ("nvidia/cuda", "")),
        ("localhost:5000/nvidia/cuda:1", ("localhost:5000/nvidia/cuda", "1")),
        ("docker.io/nvidia/cuda:1", ("nvidia/cuda", "1")),
        ("${GIVEN}", ("${GIVEN}", "")),
        ("${GIVEN:-nvidia/cuda}:1", ("nvidia/cuda", "1")),
        ("${GIVEN:+nvidia/cuda:1}", None),
        ("scratch", None),
    ],
)
def test_forms_of_a_reference(reference: str, found: tuple[str, str] | None) -> None:
    expected = [(*found, 1, "none")] if found else []
    assert images(f"FROM {reference}\n") == expected


def test_an_argument_in_a_stage_says_nothing_of_images() -> None:
    source = "FROM ubuntu\nARG A=nvidia/cuda:1\nFROM ${A}\n"
    assert [image[0] for image in images(source)] == ["ubuntu", "${A}"]


def test_images_that_are_copied_or_mounted_from() -> None:
    source = """
        FROM ubuntu:24.04
        COPY --from=nvidia/cuda:12.1.0-devel /usr/local/cuda /opt/cuda
        RUN --mount=type=bind,from=nvcr.io/nvidia/x:1,target=/x cp /x/a /b
    """
    assert images(source)[1:] == [
        ("nvidia/cuda", "12.1.0-devel", 2, "none"),
        ("nvcr.io/nvidia/x", "1", 3, "none"),
    ]


# --- stages ---------------------------------------------------------------------------------------


def test_a_stage_that_the_last_one_does_not_need_is_guarded() -> None:
    source = """
        FROM nvidia/cuda:1 AS kernels
        RUN nvcc -V
        FROM nvidia/cuda:2 AS Base
        FROM nvidia/cuda:3 AS tools
        FROM base
        COPY --from=2 /a /b
    """
    found = {item.value or item.name: item for item in items(source, "image", "command")}
    assert found["1"].guard == found["nvcc"].guard == "guarded"
    proof = found["1"].guard_by
    assert proof is not None
    assert (proof.path, proof.line, proof.text) == ("Dockerfile", 5, "FROM base")
    assert found["2"].guard == found["3"].guard == "none"
    assert found["nvcc"].scope == "kernels"
    assert found["2"].scope == "Base"


def test_nothing_is_guarded_where_only_the_build_says_what_is_used() -> None:
    source = "ARG V\nFROM nvidia/cuda:1 AS cuda\nFROM ubuntu AS cpu\nFROM ${V}\n"
    assert {image[3] for image in images(source)} == {"none"}
    chosen = "ARG V=cpu\nFROM nvidia/cuda:1 AS cuda\nFROM ubuntu AS cpu\nFROM ${V}\n"
    assert [image[3] for image in images(chosen)] == ["guarded", "none"]


def test_a_name_that_is_given_twice_means_the_stage_before() -> None:
    source = "FROM nvidia/cuda:1 AS a\nFROM nvidia/cuda:2 AS a\nFROM a AS a\n"
    assert [image[3] for image in images(source)] == ["guarded", "none"]


# --- variables ------------------------------------------------------------------------------------


def test_variables_of_both_forms() -> None:
    source = """
        ARG OUTSIDE=1
        FROM ubuntu AS last
        ENV A b c
        ENV B=1 C="two words" \\
            D=/opt
        ARG E=5
        ARG F
        LABEL G=1
    """
    found = [(i.name, i.value, i.span.line, i.scope) for i in items(source, "env-var")]
    assert found == [
        ("A", "b c", 3, "last"),
        ("B", "1", 4, "last"),
        ("C", "two words", 4, "last"),
        ("D", "/opt", 5, "last"),
        ("E", "5", 6, "last"),
    ]


# --- commands -------------------------------------------------------------------------------------


def test_shell_over_several_lines_with_comments_between() -> None:
    source = """
        FROM ubuntu
        RUN --mount=type=cache,target=/root/.cache apt-get update && \\
            # the toolkit
            apt-get install -y \\
              cuda-toolkit-12-1 \\

              # and more
              libcudnn8 && \\
            nvcc --version
    """
    assert commands(source) == [
        ("apt-get", 2),
        ("apt-get", 4),
        ("apt-get install", 5),
        ("apt-get install", 8),
        ("nvcc", 9),
    ]


def test_lists_of_words_here_documents_and_wrapped_instructions() -> None:
    source = """
        FROM ubuntu
        RUN ["nvcc", "-V"]
        RUN <<EOF
        ncu -V
        EOF
        RUN python3 <<EOF
        nsys = 1
        EOF
        HEALTHCHECK --interval=5m CMD nvidia-smi
        ONBUILD RUN dcgmi discovery
        ENTRYPOINT ["/bin/bash", "-lc", "nvtop; python train.py"]
        CMD gpustat
        SHELL ["/bin/bash", "-c"]
    """
    found = [each for each in commands(source) if each[0] not in {"python3", "bash", "python"}]
    assert found == [
        ("nvcc", 2),
        ("ncu", 4),
        ("nvidia-smi", 9),
        ("dcgmi", 10),
        ("nvtop", 11),
        ("gpustat", 12),
    ]


def test_columns_of_words_in_a_list_and_in_shell() -> None:
    (listed,) = items('FROM a\nRUN ["ü", "x"]\nCMD [ "nvcc" ]\n', "command")[1:]
    assert listed.span == Span(3, 7, 3, 13)
    (run,) = items("FROM a\nRUN nvcc -V\n", "command")
    assert run.span == Span(2, 5, 2, 9)


def test_options_of_the_started_program_are_settings() -> None:
    (setting,) = items('FROM a\nCMD ["python", "x.py", "--device", "cuda"]\n', "config-key")
    assert (setting.name, setting.value, setting.forms) == ("device", "cuda", ("arguments",))


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "",
        "FROM",
        "FROM a AS",
        "RUN nvcc",
        "FROM a\nRUN",
        "FROM a\nRUN \\",
        "FROM a\nENV",
        "FROM a\nENV A",
        'FROM a\nCMD ["nvcc',
        "FROM a\nRUN <<EOF\nx",
        "FROM ${A${B}}",
        "{% if x %}\nFROM nvidia/cuda\n",
        "FROM a\nCOPY --from= x y",
        "ARG A=${A}\nFROM ${A}",
        "ARG A=${B}${B}\nARG B=${A}${A}\nFROM ${A}",
    ],
)
def test_bad_input_is_read_as_far_as_it_goes(source: str) -> None:
    read(Text("Dockerfile", source))


def test_many_stages_come_to_an_end() -> None:
    stages = [f"FROM s{n - 1} AS s{n}\nRUN nvcc -V\n" for n in range(1, 600)]
    found = items("FROM nvidia/cuda AS s0\n" + "".join(stages), "image")
    assert [item.guard for item in found] == ["none"]


def test_an_escaped_script_stands_where_its_characters_do() -> None:
    source = r"""
        FROM a/b
        RUN ["bash", "-c", "\tpip install flash-attn"]
        RUN ["bash", "-c", "echo \u00e9 \ud83d\ude00\n pip install \"xformers>=1\""]
        RUN ["bash", "-c", "nvidia-smi \ud800"]
    """
    found = [(i.name, i.span.line, i.span.column, i.span.end_column) for i in items(source)]
    assert ("flash-attn", 2, 35, 45) in found
    assert ("xformers", 3, 60, 75) in found
    assert ("nvidia-smi", 4, 21, 31) in found
    for item in items(source, "command"):
        assert "\ud800" not in "".join(part.text for part in item.parts)


def test_many_stages_of_one_name_come_to_an_end() -> None:
    stages = "FROM nvidia/cuda AS a\nFROM a AS a\n" * 5_000
    found = items(stages, "image")
    assert (len(found), found[0].guard, found[-1].guard) == (5_000, "guarded", "none")


def test_add_is_a_command_of_its_own() -> None:
    found = items("FROM a\nADD --chmod=755 https://x.org/cuda.deb /opt/\n", "command")
    assert [(item.name, [part.text for part in item.parts]) for item in found] == [
        ("add", ["https://x.org/cuda.deb", "/opt/"])
    ]
    assert found[0].parts[0].span == Span(2, 17, 2, 39)


def test_a_version_that_is_a_variable_is_the_one_it_is_by_default() -> None:
    source = """
        ARG PYTORCH=1.12.1
        ARG OTHER=1
        FROM a
        ARG PYTORCH
        ENV BUILD="${PYTORCH}+cu113"
        RUN pip install torch==${BUILD} torchvision==$OTHER
    """
    assert [(item.name, item.value) for item in items(source, "dependency")] == [
        ("torch", "==1.12.1+cu113"),
        ("torchvision", "==$OTHER"),
    ]
