"""YAML: positions, damage, templates, and input that was made to hurt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portaudit.read.items import Document
from portaudit.read.text import Text, decode
from portaudit.read.yaml import read


def document(source: str | bytes, path: str = "config.yaml") -> Document:
    return read(Text(path, decode(source) if isinstance(source, bytes) else source))


def settings(source: str | bytes) -> list[tuple[str, object, int, int]]:
    return [
        (item.name, item.value, item.span.line, item.span.column)
        for item in document(source).items
        if item.kind == "config-key"
    ]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("Yes", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("16", 16),
        ("1e-4", 1e-4),
        ("1_000", 1000),
        ("'16'", "16"),
        ('"true"', "true"),
        ("!!str 16", "16"),
        ("16-mixed", "16-mixed"),
        ("!Ref gpu", "gpu"),
        ("!!python/object:os.system x", "x"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_scalars_mean_what_yaml_says(word: str, value: object) -> None:
    assert settings(f"a: {word}\n") == [("a", value, 1, 4 if word else 3)] or word == ""
    assert settings(f"a: {word}\n")[0][1] == value


def test_columns_count_code_points_and_lines_any_ending() -> None:
    assert settings("é😀: ü\nb: 1\n") == [("é😀", "ü", 1, 5), ("b", 1, 2, 4)]
    assert settings(b"a: 1\r\nb: 2\r\n") == [("a", 1, 1, 4), ("b", 2, 2, 4)]
    assert settings("a: x\u2028y\nb: 1\n")[1][2] == 2
    assert settings("a: x\u0085y\nb: 1\n")[1][2] == 2
    assert settings("a: x\x01y\nb: 1\n")[1][2] == 2


def test_what_is_missing_at_the_end_stands_in_the_last_line() -> None:
    assert settings("a: {b")[-1] == ("a.b", None, 1, 6)
    assert settings("a: 1\nb:") == [("a", 1, 1, 4), ("b", None, 2, 3)]


def test_an_alias_stands_for_nothing() -> None:
    source = "base: &b {device: cuda}\none: *b\ntwo:\n  <<: *b\n  three: 3\n*b : 4\n"
    assert [name for name, *_ in settings(source)] == [
        "base",
        "base.device",
        "two",
        "two.three",
        "*",
    ]


def test_a_billion_laughs_are_nothing() -> None:
    lines = ["a0: &a0 [lol]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)
    ]
    assert len(document("\n".join(lines)).items) == 1


def test_keys_that_are_no_words() -> None:
    assert settings("? [a, b]\n: 1\n? {c: d}\n: {e: 2}\n3: 4x\n") == [
        ("?", 1, 2, 3),
        ("?", "{}", 3, 3),
        ("?.e", 2, 4, 7),
        ("3", "4x", 5, 4),
    ]


def test_what_stands_before_damage_counts_and_later_documents_do() -> None:
    found = document("a: 1\nb: [1,\nc: }\nd: 4\n---\ne: 5\n---\n{\n---\nf: 6\n")
    assert [item.name for item in found.items] == ["a", "b", "e", "f"]
    assert [error.line for error in found.errors] == [3, 9]
    assert all(error.reason.startswith("not valid YAML") for error in found.errors)


def test_a_chart_is_read_around_its_template() -> None:
    source = """\
{{- if .Values.gpu }}
spec:
  image: "nvcr.io/nvidia/pytorch:{{ .Values.tag }}"
  {{- with .Values.x }}
  device: {{ .device | default "cuda" }}
  {{- toYaml . | nindent 4 }}
  {{- end }}
  {{ .name }}-x: cuda
  backend: nccl
{{- end }}
"""
    found = document(source, "templates/a.yaml")
    assert not found.errors
    assert [(item.name, item.value, item.span.line) for item in found.items] == [
        ("spec", "{}", 2),
        ("spec.image", None, 3),
        ("nvcr.io/nvidia/pytorch", "$" * 17, 3),
        ("spec.device", None, 5),
        ("spec._____________-x".replace("_" * 13, "_" * 11), "cuda", 8),
        ("spec.backend", "nccl", 9),
    ]


def test_a_template_that_cannot_be_read_is_no_error() -> None:
    assert not document("a: 1\n{% for x in y %}\n - b\n c: }\n{% endfor %}\n").errors
    assert document("a: ${{ x }}\nb: }\n").errors


def test_expressions_of_a_workflow_in_a_block() -> None:
    source = "a: |\n  ${{ x }}\n  text\nb: 1\n"
    assert [item.name for item in document(source).items] == ["a", "b"]
    assert not document(source).errors


@pytest.mark.parametrize(
    "source",
    [
        "{" * 100_000,
        "[" * 100_000,
        "- " * 100_000,
        "a: " * 50_000,
        "{{" * 50_000,
        "---\n}\n" * 20_000,
        "? " * 50_000,
        "&a " * 50_000,
        '"' + "a" * 200_000,
        "a" * 200_000 + ": {b: 1}",
    ],
)
def test_input_that_was_made_to_hurt(source: str) -> None:
    document(source)


@given(st.text(alphabet="ab:-?[]{},&*!|>'\"%#\n \t0é$.", max_size=80))
def test_nothing_is_raised(source: str) -> None:
    document(source)


def test_nothing_at_all() -> None:
    assert document("").items == ()
    assert document("# only a comment\n---\n...\n").items == ()
    assert document("just text\n").items == ()


def test_a_terraform_template() -> None:
    found = document("a: 1\n%{ for x in y }\n${indent(4, x)}\nb: ${z}\n%{ endfor }\n", "a.yaml.tpl")
    assert [item.name for item in found.items] == ["a", "b"]
    assert not found.errors
