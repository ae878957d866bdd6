"""Requirements files, and single requirements in every syntax."""

from __future__ import annotations

import pytest

from portaudit.read.items import Item
from portaudit.read.requirements import read
from portaudit.read.specifiers import (
    Origin,
    at_key,
    from_conda,
    from_poetry,
    of_conda,
    requirement,
)
from portaudit.read.text import Text
from portaudit.types import Proof, Span


def items(source: str) -> list[Item]:
    document = read(Text("requirements.txt", source))
    assert not document.errors
    return list(document.items)


def values(source: str) -> list[tuple[str, object]]:
    return [(item.name, item.value) for item in items(source)]


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("torch", "torch", ""),
        ("Flash_Attn>=2.5", "flash-attn", ">=2.5"),
        ("torch == 2.4.0+cu121", "torch", "==2.4.0+cu121"),
        ("  xformers  # comment", "xformers", ""),
        ("deepspeed==0.14 --hash=sha256:00", "deepspeed", "==0.14"),
        ("torch==${VERSION}+cu121", "torch", "==${VERSION}+cu121"),
        ('"apex"', "apex", ""),
        ("apex,", "apex", ""),
        ("absl-py=0.9.0=py37_0", "absl-py", "==0.9.0+py37.0"),
        ("-e git+https://host.org/a/fork.git#egg=xformers", "xformers", "@ git+https://host.org/a/fork.git#egg=xformers"),
        ("git+https://github.com/NVIDIA/apex.git@master", "apex", "@ git+https://github.com/NVIDIA/apex.git@master"),
        ("git+ssh://git@github.com/NVIDIA/apex", "apex", "@ git+ssh://git@github.com/NVIDIA/apex"),
        ("apex @ git+https://github.com/NVIDIA/apex", "apex", "@ git+https://github.com/NVIDIA/apex"),
        ("https://github.com/NVIDIA/apex/archive/master.zip", "apex", "@ https://github.com/NVIDIA/apex/archive/master.zip"),
        ("https://a.org/b/foo-1.2.tar.gz", "foo", "@ https://a.org/b/foo-1.2.tar.gz"),
        ("./wheels/apex-0.1-cp310-cp310-linux_x86_64.whl", "apex", "==0.1"),
        ("https://a.org/torch-2.1%2Bcu118-cp310-cp310-linux_x86_64.whl", "torch", "==2.1+cu118"),
        ("x @ https://a.org/x-1.0-py3-none-any.whl", "x", "==1.0"),
        ("-i https://a.org/whl/cu121", "pip-index", "https://a.org/whl/cu121"),
        ("--extra-index-url=https://a.org/simple", "pip-index", "https://a.org/simple"),
        ("--find-links https://a.org/x.html", "pip-index", "https://a.org/x.html"),
    ],
)  # fmt: skip
def test_line(line: str, name: str, value: str) -> None:
    assert values(line) == [(name, value)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# torch",
        "-r other.txt",
        "-c constraints.txt",
        "--no-index",
        "--no-such-option torch",
        "./local",
        "../up[extra]",
        ".",
        "This is prose, no requirement.",
        "{{ jinja }}",
        "https://a.org/directory/",
        "--hash 'unclosed",
    ],
)
def test_line_that_names_no_package(line: str) -> None:
    assert values(line) == []


def test_positions_of_names_addresses_and_continued_lines() -> None:
    source = "# x\r\n  torch>=2 # y\r\n--extra-index-url \\\r\n  https://a.org/cu121\r\nüx @ a\r\n"
    torch, index = items(source.replace("\r\n", "\n"))
    assert torch.span == Span(2, 3, 2, 11)
    assert index.span == Span(4, 3, 4, 22)


def test_a_continued_requirement_stands_on_its_first_line() -> None:
    (found,) = items("deepspeed==0.14 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\n")
    assert (found.span, found.value) == (Span(1, 1, 1, 16), "==0.14")


def test_extras_are_parts() -> None:
    (found,) = items("vllm[flashinfer, audio]>=0.5")
    assert [part.text for part in found.parts] == ["audio", "flashinfer"]


@pytest.mark.parametrize(
    ("marker", "guard"),
    [
        ("sys_platform == 'linux'", "none"),
        ("platform_machine == 'aarch64'", "none"),
        ("python_version >= '3.9'", "none"),
        ("python_version < '3.9'", "guarded"),
        ("sys_platform == 'win32'", "guarded"),
        ("platform_system == 'Darwin' and python_version > '3.8'", "guarded"),
        ("extra == 'gpu'", "guarded"),
    ],
)
def test_a_marker_that_never_holds_on_the_targets_is_a_guard(marker: str, guard: str) -> None:
    line = f"flash-attn>=2; {marker}"
    (found,) = items(line)
    assert found.guard == guard
    assert found.guard_by == (Proof("requirements.txt", 1, line) if guard != "none" else None)
    assert str(found.value).startswith(">=2; ")


def test_a_marker_without_sense_is_no_obstacle() -> None:
    (found,) = items("flash-attn>=2; python_version < 'odd'")
    assert found.guard in {"none", "guarded"}  # packaging before 26 compares words


def test_a_long_line_costs_no_time() -> None:
    read(Text("requirements.txt", "a[" * 200_000 + "\n" + "--x " * 50_000))
    read(Text("requirements.txt", "torch \\\n" * 20_000))


# --- other syntaxes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "specifier"),
    [
        ("*", ""),
        ("1.2.3", "==1.2.3"),
        ("1.2.*", "==1.2.*"),
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("^2", ">=2,<3"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~2", ">=2,<3"),
        ("~=1.4", "~=1.4"),
        (">=1.0, <2.0", ">=1.0,<2.0"),
        (">=1.0 <2.0", ">=1.0,<2.0"),
        (">= 1.0", ">=1.0"),
        ("!=1.5,^1.2", "!=1.5,>=1.2,<2"),
        ("^1 || ^2", "^1 || ^2"),
        ("=1.2", "==1.2"),
        ("^x", "^x"),
    ],
)
def test_poetry(written: str, specifier: str) -> None:
    assert from_poetry(written) == specifier


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("pytorch", ("pytorch", "")),
        ("pytorch=2.1", ("pytorch", "==2.1.*")),
        ("pytorch==2.1", ("pytorch", "==2.1")),
        ("python 3.10.*", ("python", "==3.10.*")),
        ("pytorch >=2,<3", ("pytorch", ">=2,<3")),
        ("nvidia::cuda-toolkit", ("cuda-toolkit", "")),
        ("nvidia/label/cuda-12.1.0::cuda-nvcc=12", ("cuda-nvcc", "==12.*")),
        ("pytorch=2.1.0=py3.10_cuda12.1_0", ("pytorch", "==2.1.0+py3.10.cuda12.1.0")),
        ("pytorch=*=*cuda*", ("pytorch", "==*+cuda")),
        ("faiss 1.7.4 *_cuda", ("faiss", "==1.7.4+cuda")),
        ("pytorch 2.1|2.2", ("pytorch", "2.1|2.2")),
        ("pytorch[version='>=2',build=cuda*]", ("pytorch", ">=2")),
        ("numpy  # [linux]", ("numpy", "")),
        ("__cuda", ("", "")),
    ],
)
def test_conda(written: str, expected: tuple[str, str]) -> None:
    assert from_conda(written) == expected


@pytest.mark.parametrize(
    ("written", "specifier"),
    [("3.8", "==3.8"), (">=3.8, <3.12", ">=3.8,<3.12"), ("*", ""), ("", "")],
)
def test_version_at_a_key(written: str, specifier: str) -> None:
    assert at_key(written) == specifier


def test_a_command_proves_no_marker() -> None:
    found = requirement("x; sys_platform == 'win32'", 1, 1, Origin("command"))
    assert found is not None
    assert found.guard == "none"


@pytest.mark.parametrize(
    ("head", "path", "form"),
    [
        (
            "# This file is autogenerated by pip-compile with Python 3.10",
            "requirements.txt",
            "lock",
        ),
        (
            "# This file was autogenerated by uv via the following command:",
            "requirements.txt",
            "lock",
        ),
        ("#\n\n#    uv export --no-hashes", "requirements.txt", "lock"),
        ("# from pip freeze", "requirements.txt", "lock"),
        ("# for training", "requirements.txt", "manifest"),
        ("numpy\n# pip freeze", "requirements.txt", "manifest"),
        ("# run pip-compile after a change", "requirements.in", "manifest"),
    ],
)
def test_a_file_that_says_that_it_was_generated_is_a_lock(head: str, path: str, form: str) -> None:
    item = read(Text(path, f"{head}\ntorch==2.1\n")).items[-1]
    assert (item.name, item.forms) == ("torch", (form,))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("libnpp-dev", "libnpp"),
        ("nvidia::libnvjpeg-dev=12", "libnvjpeg"),
        ("libcufile-dev", "libcufile"),
        ("libnvjitlink-dev", "libnvjitlink"),
        ("libcusparse-static", "libcusparse"),
        ("libcublas-dev", "libcublas-dev"),
        ("libpng-static", "libpng-static"),
        ("pytorch", "torch"),
    ],
)
def test_parts_of_a_cuda_library_of_conda_are_that_library(written: str, name: str) -> None:
    (item,) = of_conda(written, Span(1, 1, 1, 2), Origin("manifest"))
    assert item.name == name


def test_a_requirement_that_goes_on_ends_with_its_first_line() -> None:
    (one, other) = items("\\\nflash-attn @ \\\n  https://x.y/flash_attn-2.whl\n  apex\\\n==1.0\n")
    assert (one.name, one.span) == ("flash-attn", Span(2, 1, 2, 15))
    assert (other.name, other.span) == ("apex", Span(4, 3, 4, 8))
