"""Requirements and version tests against the versions that each target has."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from portaudit.catalogue import stack
from portaudit.types import TARGETS, Target
from snippets import FILE, findings, scan


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_names_python_and_torch(target: Target) -> None:
    named = stack.stack()[target]
    assert {"python", "torch", "torch-neuronx"} <= set(named)
    for lines in named.values():
        assert lines.source.startswith("https://")
        versions = [Version(line) for line in lines.lines]
        assert versions == sorted(set(versions))


@pytest.mark.parametrize(
    ("wanted", "torchneuron", "xla"),
    [
        ("", False, False),
        (">=1.13", False, False),
        ("==1.13.*", True, True),
        ("<2.10", True, False),
        (">=2.7.0,<2.7.1", True, False),
        (">=2.10", False, True),
        ("==2.13.0", False, True),
        ("~=2.9", False, False),
        ("~=2.9.0", True, False),
        ("!=2.13.*,!=2.14.*", True, False),
        ("==2.9.0+cu128", True, True),
    ],
)
def test_a_specifier_leaves_out_all_or_leaves_some(
    wanted: str, torchneuron: bool, xla: bool
) -> None:
    specifier = SpecifierSet(wanted)
    assert stack.excludes("torchneuron", "torch", specifier) is torchneuron
    assert stack.excludes("xla", "torch", specifier) is xla


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("torch==1.13.1", True),
        ("Torch == 1.13.1 ; sys_platform == 'linux'", True),
        ("torch==1.13.1; python_version < '3.9'", False),
        ("torch==1.13.1; sys_platform == 'win32'", False),
        ("torch==1.13.1; extra == 'old'", False),
        ("torch_neuronx==2.8.*", True),
        ("torchvision==0.14", False),
        ("python==3.8", False),
    ],
)
def test_a_requirement_counts_where_its_marker_holds(text: str, excluded: bool) -> None:
    assert stack.excluded_by("torchneuron", Requirement(text)) is excluded


@pytest.mark.parametrize(
    ("test", "refused"),
    [
        ("torch.__version__ < '2.0'", True),
        ("'2.0' > torch.__version__", True),
        ("not torch.__version__ >= '2.0'", True),
        ("V(torch.__version__) < V('2.0') and V(torch.__version__) >= V('1.8')", True),
        ("fast or torch.__version__ < '2.0'", False),
        ("fast and torch.__version__ < '2.0'", True),
        ("torch.__version__ < '2.14'", False),
        ("torch.__version__ >= '2.0'", False),
        ("torch.__version__ != 'parrots'", False),
        ("'+cu' in torch.__version__", False),
        ("torch.__version__.startswith('1.')", True),
        ("torch.__version__[0] == '2'", False),
        ("torch.__version__[:3] == '2.0'", True),
        ("V(torch.__version__).release[:2] <= (2, 3)", True),
        ("V(torch.__version__).major == 1", True),
        ("[int(x) for x in torch.__version__.split('.')[:2]] < [2, 1]", True),
        ("tuple(map(int, torch.__version__.split('.')[:2])) < (2, 1)", True),
        ("int(torch.__version__.split('.')[0]) == 1", True),
        ("version('torch') < '2.0'", True),
        ("version('torch') >= '2.4'", True),
        ("torch.__version__.split('+')[0] >= '2.4'", True),
        ("torch.__version__.split('+')[0] >= '2.0'", False),
        ("V(torch.__version__.split('+')[0]) >= V('2.4')", False),
        ("V(torch.__version__).base_version < '2.0'", True),
        ("torch.__version__[:3] >= '2.4'", True),
        ("float(torch.__version__[:3]) >= 1.8", False),
        ("float(torch.__version__[:3]) < 1.8", True),
        ("V(version('torch')) < V('2.0')", True),
        ("V(version('numpy')) < V('1.0')", False),
        ("V(numpy.__version__) < V('1.0')", False),
        ("is_torch_version('<', '2.0')", True),
        ("is_torch_version('>=', '2.0')", False),
        ("is_torch_version('<')", False),
        ("is_torch_version('<', limit)", False),
        ("is_torch_version(sign, '2.0')", False),
        ("is_torch_version('<', '2.0', '2.1')", False),
        ("third.V(torch.__version__) < third.V('2.0')", True),
        ("third.W(torch.__version__) < third.W('2.0')", False),
        ("torch.__version__[:3] < 2.0", False),
        ("torch.__version__[:3] < (2, 0)", False),
        ("1 > 2", False),
    ],
)
def test_an_assertion_is_weighed_for_every_version(test: str, refused: bool) -> None:
    source = f"""
        from importlib.metadata import version

        import numpy
        import third
        import torch
        from packaging.version import Version as V
        from transformers.utils import is_torch_version

        assert {test}
    """
    assert not scan(source)[FILE].errors
    assert bool(findings(source, "DEP040")) is refused


@pytest.mark.parametrize(
    "source",
    [
        "if torch.__version__ < '2.0':\n    use = 1\nelse:\n    raise ImportError\n",
        "if torch.__version__ < '2.0':\n    use = 1\nelif x:\n    raise A\nelse:\n    raise B\n",
        "def f():\n    if torch.__version__ < '2.0':\n        return 1\n    raise ImportError\n",
        "if torch.__version__ >= '2.0':\n    raise ImportError\n",
        "import sys\nif torch.__version__ >= '2.0':\n    sys.exit(1)\n",
    ],
)
def test_code_that_only_fails_afterwards_is_told(source: str) -> None:
    assert [item.rule for item in findings(f"import torch\n{source}", "DEP040")] == ["DEP040"]


@pytest.mark.parametrize(
    "source",
    [
        "if torch.__version__ < '2.0':\n    use = 1\nelse:\n    use = 2\n",
        "if torch.__version__ >= '2.0':\n    print('new')\n",
        "if torch.__version__ >= '2.0':\n    raise A\nelse:\n    raise B\n",
        "if torch.__version__ < '2.0':\n    assert torch.__version__ < '1.5'\n",
        "try:\n    assert torch.__version__ < '2.0'\nexcept AssertionError:\n    old = False\n",
    ],
)
def test_code_that_goes_on_is_left_alone(source: str) -> None:
    assert not findings(f"import torch\n{source}", "DEP040")


@pytest.mark.parametrize("asked", ["torch.__version__ < '1.5'", "sys.version_info < (3, 6)"])
def test_code_for_versions_that_the_target_does_not_have_is_silent(asked: str) -> None:
    source = f"""
        import sys
        import torch
        if {asked}:
            torch.cuda.synchronize()
        torch.cuda.synchronize()
    """
    assert [item.span.line for item in findings(source, "DEV007")] == [5]
