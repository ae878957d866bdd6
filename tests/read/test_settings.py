"""What any document of values says, whatever its format: settings, variables, commands, images."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read import json, toml, yaml
from portaudit.read.items import Item
from portaudit.read.settings import is_document
from portaudit.read.text import Text


def items(source: str, kind: str, path: str = "config.yaml") -> list[Item]:
    read = {"json": json.read, "toml": toml.read}.get(path.rpartition(".")[2], yaml.read)
    document = read(Text(path, dedent(source).lstrip("\n")))
    assert not document.errors
    return [item for item in document.items if item.kind == kind]


def pairs(source: str, kind: str, path: str = "config.yaml") -> list[tuple[str, object]]:
    return [(item.name, item.value) for item in items(source, kind, path)]


def place(item: Item) -> tuple[int, int, int, int]:
    span = item.span
    return span.line, span.column, span.end_line, span.end_column


# --- settings -------------------------------------------------------------------------------------


def test_a_scalar_is_a_setting_under_its_keys_and_lists_are_left_out() -> None:
    source = """
        model:
          parts:
            - device: cuda
            - [1, two]
    """
    assert pairs(source, "config-key") == [
        ("model", "{}"),
        ("model.parts.device", "cuda"),
        ("model.parts", 1),
        ("model.parts", "two"),
    ]


def test_siblings_share_a_group_and_documents_do_not() -> None:
    first, second, third = items("a: 1\nb: 2\n---\na: 3\n", "config-key")
    assert first.group == second.group != third.group


def test_the_scope_is_the_keys_above() -> None:
    last = items("a:\n  b:\n    c-d: 1\n", "config-key")[-1]
    assert (last.name, last.scope) == ("a.b.c-d", "a.b")


def test_a_key_written_as_an_option_is_that_option() -> None:
    assert pairs("ARGS:\n  --use-flash-attn: true\n", "config-key")[-1] == (
        "ARGS.use-flash-attn",
        True,
    )


def test_what_is_allowed_chooses_nothing() -> None:
    source = """
        device:
          choices: [cuda, cpu]
          enum:
            - cuda
          options: --gpus
    """
    assert pairs(source, "config-key") == [("device", "{}"), ("device.options", "--gpus")]


def test_a_value_that_stands_elsewhere_is_unknown() -> None:
    assert pairs("a: ${DEEPSPEED}\nb: ${x}/y\n", "config-key") == [("a", None), ("b", "${x}/y")]


def test_tables_of_numbers_are_no_settings() -> None:
    numbers = ", ".join(map(str, range(100)))
    source = f'{{"1": 0.5, "2": null, "3": "x", "data": [{numbers}], "gpus": [0, 1]}}'
    assert pairs(source, "config-key", "a.json") == [("3", "x"), ("gpus", 0), ("gpus", 1)]


def test_a_merged_mapping_belongs_to_the_keys_around_it() -> None:
    assert pairs("a:\n  <<: {b: 1}\n  c: 2\n", "config-key")[1:] == [("a.b", 1), ("a.c", 2)]


def test_a_long_key_is_cut() -> None:
    source = f'{{"{"k" * 5000}": {{"a": 1, "b": 2}}}}'
    found = items(source, "config-key", "a.json")
    assert len(found) == 3
    assert all(len(item.name) < 300 for item in found)


# --- variables ------------------------------------------------------------------------------------


def test_variables_under_env_as_mapping_and_lists() -> None:
    source = """
        services:
          one:
            image: x
            environment:
              NCCL_DEBUG: INFO
              lower: 1
          two:
            image: x
            environment:
              - CUDA_HOME=/usr/local/cuda
              - ONLY_NAMED
    """
    assert pairs(source, "env-var") == [
        ("NCCL_DEBUG", "INFO"),
        ("lower", "1"),
        ("CUDA_HOME", "/usr/local/cuda"),
        ("ONLY_NAMED", None),
    ]


def test_variables_by_name_and_value() -> None:
    source = """
        headEnv:
          - {name: NCCL_DEBUG, value: WARN}
          - name: TOKEN_FILE
            valueFrom: {secretKeyRef: {name: a, key: b}}
        people:
          - {name: ada, value: 1}
    """
    found = items(source, "env-var")
    assert [(item.name, item.value) for item in found] == [
        ("NCCL_DEBUG", "WARN"),
        ("TOKEN_FILE", ""),
    ]
    assert place(found[0]) == (2, 12, 2, 22)


def test_a_name_in_capitals_is_a_variable_anywhere() -> None:
    assert pairs("a:\n  TORCH_NCCL_X: 1\n  MODEL: 2\n", "env-var") == [("TORCH_NCCL_X", "1")]


# --- images ---------------------------------------------------------------------------------------


def test_images_by_key() -> None:
    source = """
        image: nvcr.io/nvidia/pytorch:24.01-py3
        triton_container_image: nvcr.io/nvidia/tritonserver:21.12-py3
        resources: {image_id: "docker:nvidia/cuda:12.1"}
        picture: nvidia/cuda:1
        container: small
    """
    assert [name for name, _ in pairs(source, "image")][:2] == [
        "nvcr.io/nvidia/pytorch",
        "nvcr.io/nvidia/tritonserver",
    ]
    assert len(pairs(source, "image")) == 3


def test_an_image_in_parts() -> None:
    source = """
        worker:
          image:
            registry: nvcr.io
            repository: nvidia/pytorch
            tag: 24.01-py3
    """
    assert pairs(source, "image", "values.yaml") == [("nvcr.io/nvidia/pytorch", "24.01-py3")]


# --- commands -------------------------------------------------------------------------------------


def commands(source: str, path: str = "config.yaml") -> list[tuple[str, int, list[str]]]:
    return [
        (item.name, item.span.line, [part.text for part in item.parts])
        for item in items(source, "command", path)
    ]


def test_a_workflow_runs_its_blocks() -> None:
    source = """
        jobs:
          test:
            runs-on: gpu
            steps:
              - run: |
                  cd x

                  nvidia-smi -L
              - run: >-
                  python train.py
                  --fp16
              - name: nvidia-smi
    """
    assert commands(source, ".github/workflows/a.yml") == [
        ("cd", 6, ["x"]),
        ("nvidia-smi", 8, ["-L"]),
        ("python", 10, ["train.py", "--fp16"]),
    ]
    option = next(
        item
        for item in items(source, "config-key", ".github/workflows/a.yml")
        if item.forms == ("arguments",)
    )
    assert place(option) == (11, 11, 11, 17)


def test_options_of_a_workflow_container_are_docker_arguments() -> None:
    source = """
        jobs:
          test:
            runs-on: x
            container: {image: "a/b:c", options: --gpus all}
    """
    assert commands(source, ".github/workflows/a.yml")[0] == ("docker", 4, ["--gpus", "all"])


def test_command_and_arguments_of_a_container_are_one_command() -> None:
    source = """
        apiVersion: v1
        kind: Pod
        spec:
          containers:
            - command: [python]
              args: [train.py, --device, cuda]
            - command: ["/bin/bash", "-c"]
              args:
                - |
                  NCCL_DEBUG=INFO torchrun a.py
    """
    assert commands(source) == [
        ("python", 5, ["train.py", "--device", "cuda"]),
        ("bash", 7, ["-c", "NCCL_DEBUG=INFO torchrun a.py\n"]),
        ("torchrun", 10, ["a.py"]),
    ]
    assert pairs(source, "env-var") == [("NCCL_DEBUG", "INFO")]


def test_a_config_map_with_a_script() -> None:
    source = """
        apiVersion: v1
        kind: ConfigMap
        data:
          run.sh: |
            nvidia-smi
          notes.txt: |
            nvidia-smi
    """
    assert commands(source) == [("nvidia-smi", 5, [])]


def test_a_script_over_several_lines_of_a_plain_scalar() -> None:
    source = """
        resources: {accelerators: A100}
        run: torchrun a.py
            --fp16
    """
    option = items(source, "config-key")[-1]
    assert option.forms == ("arguments",)
    assert place(option) == (3, 5, 3, 11)


def test_a_launch_configuration_and_a_container_without_options() -> None:
    launch = (
        '{"configurations": [{"program": "a.py", "args": ["--device", "cuda"], "env": {"A": "b"}}]}'
    )
    assert commands(launch, ".vscode/launch.json") == [("a.py", 1, ["--device", "cuda"])]
    assert pairs(launch, "env-var", ".vscode/launch.json") == [("A", "b")]
    assert commands('{"runArgs": ["--gpus", "all"]}', "devcontainer.json") == [
        ("docker", 1, ["--gpus", "all"])
    ]
    assert commands('{"runArgs": []}', "devcontainer.json") == []


def test_scripts_in_json_with_escapes_stay_on_their_line() -> None:
    source = '{\n  "scripts": {"t": "echo \\"x\\" && nvidia-smi"}\n}\n'
    assert [line for _, line, _ in commands(source, "package.json")] == [2, 2][:1]


def test_gitlab_lists_of_lines() -> None:
    source = """
        stages: [test]
        gpu:
          before_script:
            - nvidia-smi
          script:
            - - nsys profile python a.py
    """
    assert [name for name, _, _ in commands(source)][:2] == ["nvidia-smi", "nsys"]


def test_a_word_called_run_elsewhere_is_no_script() -> None:
    assert commands("run: nvidia-smi\n") == []
    assert commands("jobs: 8\nsteps:\n  run: nvidia-smi\n") == []


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "source", "form"),
    [
        ("docker-compose.gpu.yml", "services: {a: {}}", "compose"),
        ("stack.yaml", "services: {a: {image: x}}", "compose"),
        ("k8s/job.yaml", "apiVersion: v1\nkind: Job", "kubernetes"),
        ("chart/values-gpu.yaml", "a: 1", "helm-values"),
        (".github/workflows/ci.yml", "on: push", "github-workflow"),
        (".gitlab-ci.yml", "a: {script: x}", "gitlab-ci"),
        ("sky.yaml", "resources: {a: 1}\nrun: x", "skypilot"),
        ("cluster.yaml", "cluster_name: a\nprovider: {type: aws}", "ray-cluster"),
        ("pc.yaml", "HeadNode: {a: 1}\nScheduling: {b: 1}", "parallelcluster"),
        ("stack.yml", "Resources: {A: {Type: AWS::EC2::Instance}}", "cloudformation"),
        ("ds.json", '{"zero_optimization": {"stage": 2}}', "deepspeed"),
        ("fsdp.yaml", "distributed_type: FSDP\nnum_processes: 8", "accelerate"),
        ("conf/a.yaml", "trainer: {max_epochs: 3}", "lightning"),
        ("conf/trainer/a.yaml", "max_epochs: 3", "lightning"),
        ("env.yml", "channels: [a]\ndependencies: [b]", "conda-environment"),
        ("play.yml", "- hosts: all\n  name: x", "ansible"),
    ],
)
def test_forms_are_known_by_their_path_and_keys(path: str, source: str, form: str) -> None:
    assert items(source, "config-key", path)[0].forms == (form,)


def test_look_alikes_have_no_form() -> None:
    for source in ("services: [a]", "kind: Job", "resources: {a: 1}", "trainer: ppo", "jobs: 8"):
        assert items(source, "config-key")[0].forms == ()


# --- what is not read -----------------------------------------------------------------------------


def test_schemas_and_tools_are_silent() -> None:
    schema = '{"$schema": "http://json-schema.org/draft-07/schema#", "default": "cuda"}'
    assert json.read(Text("a.json", schema)).items == ()
    assert yaml.read(Text("api.yaml", "openapi: 3.0.0\nx: {device: cuda}\n")).items == ()
    assert yaml.read(Text("mkdocs.yml", "device: cuda\n")).items == ()
    assert json.read(Text("web/package-lock.json", '{"device": "cuda"}')).items == ()


# --- what stands inside texts, and what a matrix gives --------------------------------------------


def test_a_block_that_is_a_document_is_read_as_one() -> None:
    source = """
        data:
          train.yaml: |
            # of the trainer
            trainer:
              accelerator: gpu
          note: |
            Please run it twice.
          nested: |
            inner: |
              device: cuda
    """
    found = items(source, "config-key")
    lines = {item.name: item.span.line for item in found}
    assert lines["trainer.accelerator"] == 5
    assert lines["device"] == 10
    assert len(found) == 8
    assert len({item.group for item in found}) == 6


def test_damage_inside_a_text_is_no_error_of_the_file() -> None:
    assert pairs("a: |\n  b: [\nc: 1\n", "config-key")[-1] == ("c", 1)


def test_documents_in_documents_have_an_end() -> None:
    text = "device: cuda\n"
    for _ in range(6):
        text = "k: |\n" + "".join(f"  {line}\n" for line in text.splitlines())
    assert ("device", "cuda") not in pairs(text, "config-key")


def test_a_block_that_begins_like_a_script_is_one() -> None:
    source = """
        user-data: |
          #!/bin/bash -xe
          nvidia-smi
        other: |
          nvidia-smi
    """
    assert [(item.name, item.span.line) for item in items(source, "command")] == [("nvidia-smi", 3)]


def test_what_a_container_starts_stands_beside_its_image() -> None:
    source = """
        job:
          image: ours
          command: ["python", "train.py"]
          args: ["--device", "cuda"]
        step:
          command: nvidia-smi
    """
    found = items(source, "command")
    assert [item.name for item in found] == ["python"]
    assert "--device" in [part.text for part in found[0].parts]


def test_the_values_of_a_matrix_are_what_the_job_takes_them_for() -> None:
    source = """
        jobs:
          a:
            runs-on: ${{ matrix.machine }}
            container: ${{ matrix.config.image }}
            strategy:
              matrix:
                machine: [ubuntu-latest, gpu]
                include:
                  - image: nvidia/cuda:12.4.1-base
                other: [gpu]
          b:
            runs-on: x
            strategy:
              matrix:
                machine: [gpu]
    """
    path = ".github/workflows/x.yml"
    found = pairs(source, "config-key", path)
    assert [value for name, value in found if name == "jobs.a.runs-on"] == [
        None,
        "ubuntu-latest",
        "gpu",
    ]
    assert [value for name, value in found if name == "jobs.b.runs-on"] == ["x"]
    assert [(item.name, item.span.line) for item in items(source, "image", path)] == [
        ("nvidia/cuda", 9)
    ]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("id: nvcr.io/nim/meta/llama:1\n", "nvcr.io/nim/meta/llama"),
        ("engine:\n  repository: vllm/vllm-openai\n  tag: x\n", "vllm/vllm-openai"),
        ("images:\n- name: a\n  newName: vllm/vllm-openai\n  newTag: x\n", "vllm/vllm-openai"),
        ("image:\n  registry: docker.io\n  name: vllm/vllm-openai:x\n", "vllm/vllm-openai"),
    ],
)
def test_an_image_is_found_once_however_it_is_told(source: str, name: str) -> None:
    assert [item.name for item in items(source, "image")] == [name]


@pytest.mark.parametrize(
    "source", ["repository: https://example.org/charts\n", "repository: a/b\nbranch: x\n"]
)
def test_a_repository_of_something_else_is_no_image(source: str) -> None:
    assert not items(source, "image")


def test_blank_lines_before_a_document_in_a_text_are_looked_at_once() -> None:
    assert not is_document(" \n\n" * 5_000 + "prose")
    assert is_document(" \n\n# why\n" * 5_000 + "  - a: 1")
