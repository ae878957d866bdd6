"""What TOML, JSON and INI manifests require, and lock files."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read import ini, manifests
from portaudit.read.items import Item
from portaudit.read.text import Text
from portaudit.types import Proof, Span
from snippets import scan


def items(source: str, path: str = "pyproject.toml") -> list[Item]:
    reader = ini if path.endswith(".cfg") else manifests
    found = reader.read(Text(path, dedent(source).lstrip("\n"))).items
    return [item for item in found if item.kind != "project"]


def values(source: str, path: str = "pyproject.toml") -> list[tuple[str, object, str]]:
    """Per item its name and value, and its scope if it is guarded."""
    return [
        (item.name, item.value, item.scope if item.guard_by else "-")
        for item in items(source, path)
    ]


def test_standard_metadata() -> None:
    source = """
        [build-system]
        requires = ["setuptools>=61", "torch==2.1"]

        [project]
        name = "tool"  # no requirement
        requires-python = ">=3.8,<3.12"
        dependencies = [
          "numpy",  # first
          'Flash_Attn[x] >= 2',
          '''xformers''',
        ]

        [project.optional-dependencies]
        gpu = ["cupy-cuda12x"]

        [dependency-groups]
        dev = ["pytest", {include-group = "lint"}]
    """
    assert values(source) == [
        ("numpy", "", "-"),
        ("flash-attn", ">=2", "-"),
        ("xformers", "", "-"),
        ("python", ">=3.8,<3.12", "-"),
        ("cupy-cuda12x", "", "gpu"),
        ("setuptools", ">=61", "-"),
        ("torch", "==2.1", "-"),
        ("pytest", "", "dev"),
    ]


def test_positions_and_the_line_that_proves_a_group() -> None:
    source = '[project.optional-dependencies]\n"ä" = [\n  "ü", "torch>=2",\n]\n'
    _, torch = [*items(source), *items(source)][-2:]
    assert torch.span == Span(3, 9, 3, 17)
    assert torch.guard_by == Proof("pyproject.toml", 2, '"ä" = [', "extra ä")


def test_an_optional_list_is_a_condition_by_its_name_and_none_of_cuda() -> None:
    source = """
        [project.optional-dependencies]
        fast = ["flash-attn"]
        gpu = ["cupy"]
        cu118 = ["cupy-cuda11x"]
        [dependency-groups]
        plot = ["matplotlib"]
        [tool.poetry.group.speed.dependencies]
        ninja = "*"
        [tool.poetry.dev-dependencies]
        pytest = "*"
        [tool.pixi.feature.more.dependencies]
        xformers = "*"
        [tool.hatch.envs.bench]
        dependencies = ["deepspeed"]
    """
    found = {item.name: item.guard_by.setting for item in items(source) if item.guard_by}
    assert found == {
        "flash-attn": "extra fast",
        "cupy": "",
        "cupy-cuda11x": "",
        "matplotlib": "group plot",
        "ninja": "group speed",
        "pytest": "dev-dependencies",
        "xformers": "feature more",
        "deepspeed": "environment bench",
    }


def test_an_extra_of_poetry_names_the_optional_packages_that_it_installs() -> None:
    source = """
        [tool.poetry.dependencies]
        torch = "*"
        apex = { version = "*", optional = true }
        xformers = { version = "*", optional = true }
        cupy = { version = "*", optional = true }
        [tool.poetry.extras]
        fast = ["XFormers"]
        gpu = ["cupy"]
    """
    found = {item.name: item.guard_by and item.guard_by.setting for item in items(source)}
    assert found == {"torch": None, "apex": "an extra", "xformers": "extra fast", "cupy": ""}


def test_a_marker_that_asks_for_an_extra_is_that_extra() -> None:
    source = """
        [project]
        dependencies = [
          "apex; extra == 'fast'",
          "cupy; extra == 'gpu'",
          "triton-windows; sys_platform == 'win32'",
        ]
    """
    found = {item.name: item.guard_by and item.guard_by.setting for item in items(source)}
    assert found == {
        "apex": "extra fast",
        "cupy": "",
        "triton-windows": "",
    }


def test_poetry() -> None:
    source = """
        [tool.poetry.dependencies]
        python = "^3.8"
        torch = { version = "~2.1", source = "cuda", extras = ["opt"] }
        own = { path = "../own" }
        deepspeed = [{ version = "0.9", markers = "sys_platform == 'win32'" }, { version = "1" }]
        xformers = { version = "*", optional = true }

        [tool.poetry.dependencies.apex]
        git = "https://github.com/NVIDIA/apex"

        [tool.poetry.group.dev.dependencies]
        pytest = "*"

        [tool.poetry.dev-dependencies]
        black = "^22"

        [[tool.poetry.source]]
        name = "cuda"
        url = "https://a.org/whl/cu121"
    """
    assert values(source) == [
        ("python", ">=3.8,<4", "-"),
        ("torch", ">=2.1,<2.2", "-"),
        ("deepspeed", "==0.9; sys_platform == 'win32'", "deepspeed"),
        ("deepspeed", "==1", "-"),
        ("xformers", "", ""),
        ("apex", "@ https://github.com/NVIDIA/apex", "-"),
        ("pytest", "", "dev"),
        ("black", ">=22,<23", "dev-dependencies"),
        ("pip-index", "https://a.org/whl/cu121", "-"),
    ]


def test_uv() -> None:
    source = """
        [tool.uv]
        dev-dependencies = ["pytest"]
        override-dependencies = ["torch==2.1"]
        extra-index-url = ["https://a.org/simple"]

        [tool.uv.pip]
        index-url = "https://b.org/simple"

        [tool.uv.sources]
        torch = [{ index = "cpu", extra = "cpu" }, { index = "cuda", extra = "cuda" }]
        numpy = { index = "cpu" }
        flash-attn = { url = "https://a.org/flash_attn-2.5.8+cu122-cp310-cp310-linux_x86_64.whl" }

        [[tool.uv.index]]
        name = "cpu"
        url = "https://a.org/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "cuda"
        url = "https://a.org/cu128"
        explicit = true
    """
    assert values(source) == [
        ("pytest", "", "dev-dependencies"),
        ("torch", "==2.1", "-"),
        ("pip-index", "https://a.org/cpu", "-"),
        ("pip-index", "https://a.org/cu128", "cuda"),
        ("pip-index", "https://a.org/simple", "-"),
        ("pip-index", "https://b.org/simple", "-"),
    ]


def test_sources_of_uv_require_nothing() -> None:
    source = """
        [tool.uv.sources]
        flash-attn = [{ url = "https://a.org/a-1-cp310-none-any.whl" }, { git = "https://a.org/b" }]
    """
    assert values(source) == []


def test_groups_that_uv_installs_by_default_are_not_optional() -> None:
    source = """
        [dependency-groups]
        dev = ["pytest", { include-group = "base" }]
        base = ["ninja"]
        cuda12 = ["cupy-cuda12x"]
        docs = ["sphinx"]

        [tool.uv]
        default-groups = ["dev", "cuda12"]
        dev-dependencies = ["ruff"]

        [tool.uv.sources]
        torch = [{ index = "cuda", group = "cuda12" }]
        numpy = [{ index = "docs", group = "docs" }]

        [[tool.uv.index]]
        name = "cuda"
        url = "https://a.org/cu128"
        explicit = true

        [[tool.uv.index]]
        name = "docs"
        url = "https://a.org/docs"
        explicit = true
    """
    assert values(source) == [
        ("pytest", "", "-"),
        ("ninja", "", "-"),
        ("cupy-cuda12x", "", "-"),
        ("sphinx", "", "docs"),
        ("ruff", "", "-"),
        ("pip-index", "https://a.org/cu128", "-"),
        ("pip-index", "https://a.org/docs", "docs"),
    ]


def test_all_groups_of_uv_may_be_default() -> None:
    source = """
        [project.optional-dependencies]
        gpu = ["cupy"]

        [dependency-groups]
        dev = ["pytest"]

        [tool.uv]
        default-groups = "all"
    """
    assert values(source) == [("cupy", "", "gpu"), ("pytest", "", "-")]


def test_other_tools_in_pyproject() -> None:
    source = """
        [tool.pdm.dev-dependencies]
        test = ["pytest"]

        [[tool.pdm.source]]
        url = "https://a.org/simple"

        [tool.hatch.envs.gpu]
        dependencies = ["cupy"]

        [tool.flit.metadata]
        requires = ["torch"]
        requires-python = ">=3.9"

        [tool.pixi.dependencies]
        pytorch = "2.1.*"

        [tool.mypy]
        dependencies = ["no"]
    """
    assert values(source) == [
        ("pytest", "", "test"),
        ("pip-index", "https://a.org/simple", "-"),
        ("torch", "==2.1.*", "-"),
        ("cupy", "", "gpu"),
        ("torch", "", "-"),
        ("python", ">=3.9", "-"),
    ]


def test_pixi() -> None:
    source = """
        [workspace]
        channels = ["nvidia", { channel = "conda-forge", priority = 1 }]

        [dependencies]
        pytorch-gpu = "*"
        pytorch = { version = "2.1.*", build = "cuda*" }

        [pypi-dependencies]
        xformers = ">=0.0.20"
        own = { path = ".", editable = true }

        [target.win-64.dependencies]
        cudatoolkit = "11.8"

        [target.linux-64.dependencies]
        cudnn = "8"

        [feature.gpu.system-requirements]
        cuda = "12"
    """
    assert values(source, "pixi.toml") == [
        ("conda-channel", "nvidia", "-"),
        ("conda-channel", "conda-forge", "-"),
        ("pytorch-gpu", "", "-"),
        ("torch", "==2.1+cuda", "-"),
        ("xformers", ">=0.0.20", "-"),
        ("cudatoolkit", "==11.8", "win-64"),
        ("cudnn", "==8", "-"),
        ("cuda-driver", "==12", "gpu"),
    ]


def test_pipfile() -> None:
    source = """
        [[source]]
        url = "https://a.org/simple"

        [packages]
        torch = "==2.1"
        apex = { git = "https://github.com/NVIDIA/apex.git", editable = true }

        [dev-packages]
        pytest = "*"

        [requires]
        python_version = "3.8"
    """
    assert values(source, "Pipfile") == [
        ("torch", "==2.1", "-"),
        ("apex", "@ https://github.com/NVIDIA/apex.git", "-"),
        ("pytest", "", "dev-packages"),
        ("pip-index", "https://a.org/simple", "-"),
        ("python", "==3.8", "-"),
    ]


@pytest.mark.parametrize("path", ["uv.lock", "sub/poetry.lock", "pdm.lock"])
def test_lock_files(path: str) -> None:
    source = """
        requires-python = ">=3.12"

        [[package]]
        name = "torch"
        version = "2.5.1+cu121"
        dependencies = [{ name = "nvidia-cublas-cu12" }]
        files = [{ file = "flash-attn.whl" }]

        [[package]]
        name = "tool"
        version = "0.1"
        source = { editable = "." }

        [[package]]
        name = "xformers"
        version = "0.0.1"
        optional = true
    """
    assert values(source, path) == [("torch", "==2.5.1+cu121", "-"), ("xformers", "==0.0.1", "")]
    assert {item.forms for item in items(source, path)} == {("lock",)}
    assert items(source, path)[0].span == Span(4, 9, 4, 14)


def test_lock_file_of_the_standard() -> None:
    source = '[[packages]]\nname = "torch"\nversion = "2.5"\n'
    assert values(source, "pylock.toml") == [("torch", "==2.5", "-")]


def test_lock_file_of_pipenv() -> None:
    source = """
        {"_meta": {"sources": [{"url": "https://a.org/cu121"}]},
         "default": {"torch": {"version": "==2.1", "hashes": ["x"]}},
         "develop": {"pytest": {"version": "==8"}}}
    """
    assert values(source, "Pipfile.lock") == [("torch", "==2.1", "-"), ("pytest", "==8", "develop")]


@pytest.mark.parametrize("path", ["Cargo.toml", "config.toml", "package.json", "deps.json"])
def test_other_files_hold_no_packages(path: str) -> None:
    source = (
        '{"default": {"torch": {}}}' if path.endswith("json") else '[dependencies]\ntorch = "1"\n'
    )
    assert values(source, path) == []


@pytest.mark.parametrize(
    "source",
    [
        "[project\ndependencies = ['torch']\n",
        "[project]\ndependencies = 'torch'\n",
        "[project]\ndependencies = [1, [2], {a = 1}]\nrequires-python = 3\n",
        "[[project]]\n[project.x]\n",
        "project = 1\n[tool.poetry]\ndependencies = []\ngroup = 1\nsource = 2\n",
        "[tool.uv]\nindex = 1\nsources = 2\n[tool.pixi]\nfeature = 1\ntarget = []\n",
        "= = =",
        "",
    ],
)
def test_damaged_or_odd_tables_are_passed_over(source: str) -> None:
    assert all(item.name == "torch" for item in items(source))


def test_what_stands_beside_damage_is_read() -> None:
    source = "[broken\n\n[project]\ndependencies = ['torch']\n"
    assert "torch" in {item.name for item in items(source)}


def test_depth_and_length_cost_no_time() -> None:
    items("[project]\ndependencies = " + "[" * 3_000 + "]" * 3_000)
    items("[[package]]\nname = 'a'\nversion = '1'\n" * 5_000, "uv.lock")


# --- setup.cfg ------------------------------------------------------------------------------------


def test_setup_cfg() -> None:
    source = """
        [metadata]
        name = tool

        [options]
        python_requires = >=3.8
        install_requires =
            torch>=2.0  # pinned later
            # apex

            xformers; sys_platform == "win32"
        setup_requires = ninja
        tests_require = pytest

        [options.extras_require]
        gpu =
            cupy
        all = deepspeed
    """
    assert values(source, "setup.cfg") == [
        ("python", ">=3.8", "-"),
        ("torch", ">=2.0", "-"),
        ("xformers", '; sys_platform == "win32"', ""),
        ("ninja", "", "-"),
        ("pytest", "", "tests_require"),
        ("cupy", "", "gpu"),
        ("deepspeed", "", "all"),
    ]
    torch = items(source, "setup.cfg")[1]
    assert torch.span == Span(7, 5, 7, 15)


@pytest.mark.parametrize("sign", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_lines_of_setup_cfg_are_those_of_the_file(sign: str) -> None:
    source = f"# a{sign}b\n[options]\n{sign}\ninstall_requires = torch{sign}>=2\n"
    assert [item.span.line for item in items(source, "setup.cfg")] == [4]
    assert [error.line for error in ini.read(Text("setup.cfg", f"{sign}\nx{sign}\n")).errors] == [2]


def test_broken_setup_cfg_is_an_error_with_a_line() -> None:
    document = ini.read(Text("setup.cfg", "[a]\nx = 1\n[a]\n"))
    assert [(error.path, error.line) for error in document.errors] == [("setup.cfg", 3)]
    assert not document.items


def test_setup_cfg_says_how_extensions_are_built() -> None:
    source = (
        "[build_ext]\ninclude_dirs =\n    /usr/include\n    /usr/local/cuda/include\ndefine = A,B\n"
    )
    found = [(i.name, i.value, i.span.line, i.span.column) for i in items(source, "setup.cfg")]
    assert found == [
        ("build_ext.include_dirs", "/usr/include", 3, 5),
        ("build_ext.include_dirs", "/usr/local/cuda/include", 4, 5),
        ("build_ext.define", "A,B", 5, 10),
    ]


@pytest.mark.parametrize(
    ("path", "source", "made"),
    [
        ("pyproject.toml", '[project]\nname = "net"\n', True),
        ("pyproject.toml", '[tool.poetry]\nname = "net"\n', True),
        ("pyproject.toml", '[build-system]\nrequires = ["flit"]\n', False),
        ("pyproject.toml", "[tool.ruff]\nline-length = 99\n[project.scripts]\n", False),
        ("setup.cfg", "[metadata]\nname = net\n", True),
        ("setup.cfg", "[flake8]\nname = net\n[metadata]\nauthor = me\n", False),
        ("setup.py", "from setuptools import setup\nsetup()\n", True),
        ("setup.py", "from setuptools import find_packages\n", False),
    ],
)
def test_a_manifest_makes_a_project_or_sets_up_tools(path: str, source: str, made: bool) -> None:
    assert scan({path: source})[path].facts.is_project is made


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "setup.py",
            "import setuptools as s\ns.setup(package_dir={'': 'code', 'net.ops': './ops/a/'})\n",
        ),
        (
            "setup.py",
            "import setuptools as s\na = {'': 'code', 'net.ops': 'ops/a'}\ns.setup(package_dir=a)",
        ),
        ("pyproject.toml", '[tool.setuptools.package-dir]\n"" = "code"\n"net.ops" = "ops/a"\n'),
        (
            "pyproject.toml",
            '[tool.setuptools]\npackage-dir = {"" = "code", "net.ops" = "ops/a"}\n',
        ),
        ("setup.cfg", "[options]\npackage_dir =\n    = code\n    net.ops = ops/a\n"),
    ],
)
def test_where_a_manifest_says_that_packages_are(path: str, source: str) -> None:
    facts = scan({f"sub/{path}": source})[f"sub/{path}"].facts
    assert facts.packages == (("", "code"), ("net.ops", "ops/a"))
