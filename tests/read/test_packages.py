"""Packages that Python code installs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read.items import Item
from portaudit.read.python.model import build
from portaudit.read.python.packages import installed
from portaudit.read.python.parse import parse
from portaudit.read.python.values import Reader
from portaudit.types import SourceFile, Span


def items(source: str) -> list[Item]:
    file = SourceFile("job.py", "python", dedent(source).lstrip("\n").encode())
    parsed = parse(file.path, file.content)
    return list(installed(Reader(file, build(parsed.module), parsed)))


def values(source: str) -> list[tuple[str, object, int]]:
    return [(item.name, item.value, item.span.line) for item in items(source)]


def test_commands_as_words() -> None:
    source = """
    import subprocess, sys
    from subprocess import check_call as call

    subprocess.run([sys.executable, "-m", "pip", "install", "flash-attn==2.5", "-q"], check=True)
    call(["pip", "install", name, "apex"])
    words = ["conda", "install", "-y", "pytorch-cuda=12.1"]
    subprocess.Popen(words)
    subprocess.run("pip install vllm".split())
    """
    assert values(source) == [
        ("flash-attn", "==2.5", 4),
        ("apex", "", 5),
        ("pytorch-cuda", "==12.1.*", 6),
        ("vllm", "", 8),
    ]
    assert items(source)[0].span == Span(4, 58, 4, 73)


def test_commands_as_strings() -> None:
    source = '''
    import os, subprocess

    os.system("cd x && pip install flash-attn --no-build-isolation")
    subprocess.run(f"pip install torch=={version}", shell=True)
    os.popen("""
        apt-get update
        pip install xformers
    """)
    get_ipython().system("pip install unsloth")
    '''
    assert values(source) == [
        ("flash-attn", "", 3),
        ("torch", "==VALUE", 4),
        ("xformers", "", 7),
        ("unsloth", "", 9),
    ]
    assert items(source)[0].span == Span(3, 32, 3, 42)


def test_runtime_environments_of_ray() -> None:
    source = """
    import ray

    ray.init(runtime_env={"pip": ["vllm==0.6", "numpy"], "env_vars": {"A": "1"}})
    environment = {
        "pip": {"packages": ["flash-attn"], "pip_check": False},
        "conda": {"dependencies": ["cudatoolkit", {"pip": ["apex"]}]},
    }
    work.options(runtime_env=environment)
    ray.remote(runtime_env=dict(pip=["deepspeed"]))
    ray.remote(runtime_env=RuntimeEnv(pip="requirements.txt"))
    """
    assert values(source) == [
        ("vllm", "==0.6", 3),
        ("numpy", "", 3),
        ("flash-attn", "", 5),
        ("cudatoolkit", "", 6),
        ("apex", "", 6),
        ("deepspeed", "", 9),
    ]


def test_images_of_modal() -> None:
    source = """
    import modal

    image = (
        modal.Image.from_registry("nvidia/cuda:12.4.0-devel-ubuntu22.04", add_python="3.11")
        .apt_install("git")
        .pip_install("torch==2.5.1", extra_index_url="https://download.pytorch.org/whl/cu124")
        .uv_pip_install(["flash-attn", "apex"])
        .run_commands("pip install xformers", "nvidia-smi")
    )
    """
    found = [(item.kind, item.name, item.span.line) for item in items(source)]
    assert sorted(found, key=lambda item: item[2]) == [
        ("image", "nvidia/cuda", 4),
        ("dependency", "torch", 6),
        ("dependency", "pip-index", 6),
        ("dependency", "flash-attn", 7),
        ("dependency", "apex", 7),
        ("dependency", "xformers", 8),
    ]


def test_components_of_pipelines() -> None:
    source = """
    @dsl.component(base_image="x", packages_to_install=["deepspeed==0.14"])
    def train():
        pass

    CondaDependencies.create(pip_packages=["vllm"], conda_packages=["cudatoolkit=11.8"])
    """
    assert values(source) == [
        ("deepspeed", "==0.14", 1),
        ("vllm", "", 5),
        ("cudatoolkit", "==11.8.*", 5),
    ]


def test_the_comment_of_a_script() -> None:
    source = """
    #!/usr/bin/env python3
    # /// script
    # requires-python = "<3.12"
    # dependencies = [
    #     "flash-attn>=2",
    #
    #     "rich",
    # ]
    # [[tool.uv.index]]
    # url = "https://download.pytorch.org/whl/cu124"
    # ///
    import rich
    """
    found = items(source)
    assert [(item.name, item.value, item.span.line) for item in found] == [
        ("flash-attn", ">=2", 5),
        ("rich", "", 7),
        ("python", "<3.12", 3),
        ("pip-index", "https://download.pytorch.org/whl/cu124", 10),
    ]
    assert found[0].span == Span(5, 8, 5, 21)


@pytest.mark.parametrize(
    "source",
    [
        'print("pip install apex")\n',
        '"""pip install apex"""\n',
        'subprocess.run(["echo", "pip install apex"])\n',
        'raise ImportError("run pip install apex")\n',
        'Estimator(dependencies=["src", "apex"])  # install\n',
        'ray.init(runtime_env={"working_dir": "apex", "install": ["apex"]})\n',
        '# dependencies = ["apex"]\n# /// script\n',
        'os.system("echo pip install apex")\n',
        'machine.system("pip install apex")\n',
        'installed = {"pip": ["apex"]}\n',
    ],
)
def test_what_installs_nothing(source: str) -> None:
    assert not items(f"import os, subprocess\n{source}")
