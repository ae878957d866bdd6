"""What conda's environments, recipes and Pixi's lock file require."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read import conda
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str, path: str = "environment.yml") -> list[Item]:
    return list(conda.read(Text(path, dedent(source).lstrip("\n"))).items)


def values(source: str, path: str = "environment.yml") -> list[tuple[str, object]]:
    return [(item.name, item.value) for item in items(source, path)]


def test_environment() -> None:
    source = """
        name: &name tool
        channels: [pytorch, "nvidia"]
        dependencies:
          - python=3.9
          - pytorch=2.1.0=py3.10_cuda12.1_0
          - 'cudatoolkit >=11'
          - nvidia::cuda-nvcc
          - *name
          - pip:
            - --extra-index-url https://a.org/cu118
            - flash-attn==2.5  # kernels
            - "xformers ; sys_platform == 'win32'"
            - -r requirements.txt
          - numpy: 1
        prefix: /opt/torch
    """
    assert values(source) == [
        ("conda-channel", "pytorch"),
        ("conda-channel", "nvidia"),
        ("python", "==3.9.*"),
        ("torch", "==2.1.0+py3.10.cuda12.1.0"),
        ("cudatoolkit", ">=11"),
        ("cuda-nvcc", ""),
        ("pip-index", "https://a.org/cu118"),
        ("flash-attn", "==2.5"),
        ("xformers", '; sys_platform == "win32"'),
    ]


def test_positions_are_those_of_the_text_inside_quotes() -> None:
    source = 'dependencies:\n  - "torch"\n  - pip:\n    - "ü"\n    - --index-url https://a.org/x\n'
    torch, index = [item for item in items(source) if item.name in {"torch", "pip-index"}]
    assert torch.span == Span(2, 6, 2, 11)
    assert index.span == Span(5, 19, 5, 34)


def test_recipe() -> None:
    source = """
        {% set version = "1.0" %}
        package:
          name: tool
        requirements:
          build:
            - {{ compiler('cuda') }}
            - cuda-nvcc {{ cuda }}
          run:
            - cudatoolkit  # [win]
            - cudnn  # [linux]
            {% if gpu %}
            - nccl
            {% endif %}
        outputs:
          - name: part
            requirements:
              - libcublas
          - name: other
            requirements:
              run:
                - libcufft
        test:
          requires:
            - cupy
    """
    found = [name for name, _ in values(source, "recipe/meta.yaml")]
    assert found == ["cuda-nvcc", "cudnn", "nccl", "libcublas", "libcufft"]


def test_lock_file_of_pixi() -> None:
    source = """
        version: 6
        environments:
          default:
            packages:
              linux-64:
              - conda: https://a.org/conda-forge/linux-64/cudnn-9.1-h1.conda
        packages:
        - conda: https://a.org/conda-forge/linux-64/cuda-version-12.4-h3060b56_3.conda
          sha256: 00
        - conda: https://a.org/c/linux-64/pytorch-2.5.1-cuda126_py312_h1763f6d_303.conda
        - conda: https://a.org/c/noarch/pytorch-mutex-1.0-cuda.tar.bz2
        - pypi: https://a.org/nvidia_cublas_cu12-12.4.5.8-py3-none-linux_x86_64.whl
          name: nvidia-cublas-cu12
          version: 12.4.5.8
        - pypi: ./
          name: tool
    """
    assert values(source, "pixi.lock") == [
        ("cuda-version", "==12.4+h3060b56.3"),
        ("torch", "==2.5.1+cuda126.py312.h1763f6d.303"),
        ("pytorch-mutex", "==1.0+cuda"),
        ("nvidia-cublas-cu12", "==12.4.5.8"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "packages:\n  - torch\n",
        "on: push\njobs:\n  dependencies:\n    - torch\n",
        "dependencies:\n  - name: redis\n    version: 1\n    repository: https://a.org\n",
        "dependencies: torch\n",
        "dependencies:\n",
        "- dependencies\n",
        "",
    ],
)
def test_other_yaml_holds_no_packages(source: str) -> None:
    assert values(source, "values.yaml") == []


def test_what_stands_before_damage_is_read() -> None:
    source = "dependencies:\n  - torch\n  - [\n"
    assert values(source) == [("torch", "")]


def test_deep_nesting_is_read_without_recursion() -> None:
    assert values("dependencies:\n  - torch\n  - " + "[" * 50_000) == [("torch", "")]


def test_characters_that_yaml_refuses_cost_nothing() -> None:
    assert values("dependencies:\n  - torch\x0c\n") == [("torch", "")]
