"""Packages in the words of commands, and in the shell examples of READMEs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read import markdown, shell
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str, path: str = "install.sh") -> list[Item]:
    reader = markdown if path.endswith(".md") else shell
    found = reader.read(Text(path, dedent(source).lstrip("\n"))).items
    return [item for item in found if item.kind == "dependency"]


def values(source: str, path: str = "install.sh") -> list[tuple[str, object]]:
    return [(item.name, item.value) for item in items(source, path)]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("pip install torch 'flash-attn>=2' xformers", "torch flash-attn xformers"),
        ("pip3.10 --no-cache-dir install -U torch", "torch"),
        ("python3 -m pip install -r a.txt -c b.txt torch", "torch"),
        ("/opt/conda/bin/pip install --target /x torch", "torch"),
        ("sudo -H pip install torch", "torch"),
        ("MAX_JOBS=4 pip install torch", "torch"),
        ("$PIP install torch", "torch"),
        ("conda run -n x pip install torch", "torch"),
        ("uv pip install --system torch", "torch"),
        ("uv add --group dev torch", "torch"),
        ("uv run pip install torch", "torch"),
        ("poetry add --group dev torch@^2.1", "torch"),
        ("poetry add 'ray[train]@*'", "ray"),
        ("pdm add -G gpu torch", "torch"),
        ("pipenv install --dev torch", "torch"),
        ("pixi add --feature gpu cudnn", "cudnn"),
        ("conda install -y -c nvidia -n x pytorch cudnn=8", "conda-channel torch cudnn"),
        ("mamba create --name x python=3.9 pytorch", "python torch"),
        ("micromamba install nvidia::cuda-nvcc", "cuda-nvcc"),
        ("pip install git+https://github.com/NVIDIA/apex", "apex"),
        ("pip install -e git+https://github.com/a/b#egg=apex", "apex"),
        ("pip install --editable=git+https://github.com/NVIDIA/apex", "apex"),
        ("pip install ./wheels/apex-0.1-cp310-cp310-linux_x86_64.whl torch", "apex torch"),
        ("pip install https://a.org/x-2.5+cu122-cp310-cp310-linux_x86_64.whl", "x"),
        ("pip install -i https://a.org torch -f https://b.org", "pip-index torch pip-index"),
        ("uv pip install torch --torch-backend=cu128", "torch pip-index"),
        ("if true; then pip install torch; fi && pip install apex", "torch apex"),
        ("pip install torch \\\n  apex", "torch apex"),
        ("pip install vllm[audio]", "vllm"),
    ],
)  # fmt: skip
def test_command(command: str, names: str) -> None:
    assert [name for name, _ in values(command)] == names.split()


@pytest.mark.parametrize(
    "command",
    [
        "# pip install torch",
        "echo pip install torch",
        "pip uninstall torch",
        "pip show torch",
        "pip install .",
        "pip install -e .[gpu]",
        "pip install /opt/torch",
        "pip install *.whl dist/$NAME",
        "pip install -r requirements/torch.txt",
        "pip install $PACKAGES",
        "pip install",
        "conda env create -f environment.yml",
        "conda activate torch",
        "npm install torch",
        "git commit -m 'pip install torch'",
        "apt-get install pip torch",
    ],
)
def test_command_that_names_no_package(command: str) -> None:
    assert values(command) == []


def test_versions_and_places() -> None:
    assert values("pip install torch==${V}+cu121") == [("torch", "==${V}+cu121")]
    (found,) = items("cd x\npip install -U 'torch==2.1'\n")
    assert (found.value, found.span.line, found.span.column) == ("==2.1", 2, 16)
    assert found.forms == ("command",)


# --- READMEs --------------------------------------------------------------------------------------


def test_shell_blocks_of_a_readme() -> None:
    source = """
        # Install `pip install no`

        pip install no

        ```bash
        $ pip install torch
        Collecting no
        $ CUDA_VISIBLE_DEVICES=0 python train.py
        ```

        1. List:

           ```
           pip install \\
               apex
           some output
           ```

        ```python
        pip install no
        ```

        ```{.sh}
        (venv) $ python -m pip install deepspeed
        !pip install xformers
        ```

            pip install triton

        <pre>pip install no</pre>
    """
    found = items(source, "README.md")
    assert [item.name for item in found] == ["torch", "apex", "deepspeed", "xformers", "triton"]
    assert {item.forms for item in found} == {("readme",)}
    assert found[0].span == Span(6, 15, 6, 20)
    assert found[1].span == Span(15, 8, 15, 12)


def test_a_readme_without_commands() -> None:
    assert items("# Title\n\n```sh\npython add.py install\n```\n", "README.md") == []
