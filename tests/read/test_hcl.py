from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read.hcl import read
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str, kind: str = "config-key") -> list[Item]:
    found = read(Text("main.tf", dedent(source).lstrip("\n"))).items
    return [item for item in found if item.kind == kind]


def values(source: str) -> list[tuple[str, object]]:
    return [(item.name, item.value) for item in items(source)]


def test_a_value_is_named_by_its_blocks_and_keys() -> None:
    source = """
        resource "aws_instance" "node" {
          instance_type = "p5.48xlarge"
          count         = 2
          monitoring    = true
          root_block_device {
            size = 1.5
          }
          tags = { Name = "x", "a.b/c" = "y" }
        }
        variable "instance_type" {
          type    = string
          default = "g5.xlarge"
        }
        locals {
          types = ["a", "b"]
        }
    """
    assert values(source) == [
        ("resource.aws_instance.instance_type", "p5.48xlarge"),
        ("resource.aws_instance.count", 2),
        ("resource.aws_instance.monitoring", True),
        ("resource.aws_instance.root_block_device", "{}"),
        ("resource.aws_instance.root_block_device.size", 1.5),
        ("resource.aws_instance.tags.Name", "x"),
        ("resource.aws_instance.tags.a.b/c", "y"),
        ("variable.instance_type.default", "g5.xlarge"),
        ("locals.types", "a"),
        ("locals.types", "b"),
    ]
    first = items(source)[0]
    assert first.span == Span(2, 19, 2, 32)
    assert first.scope == "resource.aws_instance"
    assert first.forms == ("terraform",)


def test_siblings_share_a_group() -> None:
    a, b, n, c = items('x "y" "z" {\n a = 1\n b = 2\n n { c = 3 }\n}\n')
    assert a.group == b.group == n.group != c.group


def test_an_expression_gives_what_it_may_come_to() -> None:
    source = """
        locals {
          kind  = var.gpu == "cuda" ? "p4d.24xlarge" : "m5.large"
          other = lookup(var.x, "key", "g5.xlarge")
          text  = "a-${var.b == "no" ? 1 : 2}"
          json  = jsonencode([{ image = "nvidia/cuda:1", type = "GPU" }])
          name  = var.name
        }
    """
    assert values(source) == [
        ("locals.kind", "p4d.24xlarge"),
        ("locals.kind", "m5.large"),
        ("locals.other", "key"),
        ("locals.other", "g5.xlarge"),
        ("locals.text", 'a-${var.b == "no" ? 1 : 2}'),
        ("locals.json.image", "nvidia/cuda:1"),
        ("locals.json.type", "GPU"),
    ]
    (image,) = items(source, "image")
    assert (image.name, image.value, image.span.line) == ("nvidia/cuda", "1", 5)


def test_environments_are_variables() -> None:
    source = """
        resource "a" "b" {
          environment = { NCCL_DEBUG = "INFO" }
          env         = [{ name = "A", value = "1" }]
        }
    """
    found = [(item.name, item.value, item.span.line) for item in items(source, "env-var")]
    assert ("NCCL_DEBUG", "INFO", 2) in found
    assert ("A", "1", 3) in found


def test_scripts_in_here_documents_are_shell() -> None:
    source = """
        resource "a" "b" {
          user_data = <<-EOF
            #!/bin/bash
            nvidia-smi -L
          EOF
          text = <<EOF
        nvcc --version
        EOF
        }
    """
    (command,) = items(source, "command")
    assert (command.name, command.span) == ("nvidia-smi", Span(4, 5, 4, 15))


@pytest.mark.parametrize(
    "source",
    ["", "a {", "a = ", 'a = "', "a = [1,", "x = <<EOF", "a = 010", "a = 1e5", "}{", "a b c {}"],
)
def test_bad_input_is_read_as_far_as_it_goes(source: str) -> None:
    read(Text("main.tf", source))


def test_depth_does_not_hurt() -> None:
    read(Text("main.tf", "a = " + "[" * 3_000 + "1" + "]" * 3_000))
    read(Text("main.tf", "a {\n" * 2_000 + "b = 1\n" + "}\n" * 2_000))


@pytest.mark.parametrize("number", ["0x1f", "9" * 5_000])
def test_a_number_that_is_none_costs_no_other_value(number: str) -> None:
    assert values(f"a = {number}\nb = 2\n")[-1] == ("b", 2)


def commands(source: str) -> list[tuple[str, int]]:
    return [(item.name, item.span.line) for item in items(source, "command")]


def test_a_block_inside_another_is_a_setting_and_dynamic_ones_are_no_level() -> None:
    source = """
        resource "pool" "x" {
          dynamic "guest_accelerator" {
            for_each = var.models
            content {
              type = "nvidia-l4"
            }
          }
        }
    """
    assert values(source) == [
        ("resource.pool.guest_accelerator", "{}"),
        ("resource.pool.guest_accelerator.type", "nvidia-l4"),
    ]


def test_what_only_says_what_is_allowed_chooses_nothing() -> None:
    source = """
        variable "type" {
          description = "p5.48xlarge"
          validation {
            condition     = contains(["p5.48xlarge"], var.type)
            error_message = "p5.48xlarge"
          }
        }
    """
    assert values(source) == [("variable.type.validation", "{}")]


def test_commands_stand_under_the_keys_of_scripts_and_in_lists_of_words() -> None:
    source = """
        resource "null_resource" "x" {
          provisioner "local-exec" {
            command = "cd a && nvidia-smi -L"
          }
          provisioner "remote-exec" {
            inline = [
              "sudo apt-get install -y git",
              "nvidia-smi",
            ]
          }
          provisioner "local-exec" {
            command = <<-EOT
              nvtop
            EOT
          }
        }
        locals {
          job  = { command = ["deepspeed", "train.py"], args = [] }
          exec = { command = "aws" }
        }
    """
    found = commands(source)
    assert ("nvidia-smi", 3) in found
    assert ("apt-get install", 7) in found
    assert ("nvidia-smi", 8) in found
    assert ("nvtop", 13) in found
    assert ("deepspeed", 18) in found
    assert not any(name == "aws" for name, _ in found)


def test_documents_in_here_documents_are_read() -> None:
    source = """
        resource "kubectl_manifest" "x" {
          yaml_body = <<-YAML
            spec:
              image: nvidia/cuda:12.4.1-base
          YAML
          definitions = <<DEF
        [{"image": "nvidia/cuda:12.4.1-base", "command": ["nvidia-smi"]}]
        DEF
          note = <<-EOT
            Please see: the manual.
          EOT
        }
    """
    assert [(item.name, item.span.line) for item in items(source, "image")] == [
        ("nvidia/cuda", 4),
        ("nvidia/cuda", 7),
    ]
    assert commands(source) == [("nvidia-smi", 7)]


def test_a_value_on_a_registry_is_an_image_under_any_key() -> None:
    source = 'locals {\n id = "nvcr.io/nim/meta/llama:1.0"\n url = "https://nvcr.io/x"\n}\n'
    assert [(item.name, item.value) for item in items(source, "image")] == [
        ("nvcr.io/nim/meta/llama", "1.0")
    ]
