"""Whole trees with extras and groups: what their names say of who needs what they install."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from portaudit.report.page import Page, proof
from portaudit.report.terminal import render
from portaudit.types import Finding, Report
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = "import torch\n\nif __name__ == '__main__':\n    torch.zeros(3).sum().backward()\n"
PROJECT = """\
[project]
name = "net"
dependencies = ["numpy"]

[project.optional-dependencies]
"""


def scanned(make_tree: MakeTree, extras: str, **files: str) -> Report:
    root = make_tree({"train.py": TRAIN, "pyproject.toml": PROJECT + extras, **files})
    return report_of(root)


def required(report: Report) -> Finding:
    """The only finding of the manifest."""
    (found,) = (each for each in report.findings if each.path == "pyproject.toml")
    return found


def condition(report: Report) -> str:
    """What the report says beside the requirement's line."""
    page = Page(120, color=False)
    proof(page, required(report), 3)
    return page.text().strip()


def test_what_only_tests_require_is_off_the_main_path(make_tree: MakeTree) -> None:
    report = scanned(make_tree, 'test = ["pytest", "torch==2.4.0"]\n')
    assert required(report).reach == "other"
    assert report.score.value == 100


def test_an_extra_is_the_condition_of_what_it_installs(make_tree: MakeTree) -> None:
    report = scanned(make_tree, 'fast = ["flash-attn"]\n')
    found = required(report)
    assert (found.reach, found.guard) == ("main", "guarded")
    assert {root.setting for root in report.roots if found.fingerprint in root.findings} == {
        "extra fast"
    }
    assert "info    DEP050  extra fast: `flash-attn`" in render(report, width=120, color=False)
    assert condition(report) == '= only with extra fast: pyproject.toml:6: fast = ["flash-attn"]'


def test_an_extra_for_cuda_is_there_only_where_cuda_is(make_tree: MakeTree) -> None:
    report = scanned(make_tree, 'gpu = ["flash-attn"]\n')
    assert "only where CUDA is: pyproject.toml:6" in render(
        report, width=120, color=False, verbose=True
    )


def test_a_requirement_for_another_platform_is_none_of_cuda(make_tree: MakeTree) -> None:
    windows = "dependencies = [\"flash-attn; sys_platform == 'win32'\"]"
    project = PROJECT.replace('dependencies = ["numpy"]', windows)
    report = scanned(make_tree, "", **{"pyproject.toml": project})
    shown = "pyproject.toml:3: flash-attn; sys_platform == 'win32'"
    assert condition(report) == f"= not on the target: {shown}"


def test_training_needs_the_extra_for_training(make_tree: MakeTree) -> None:
    found = required(scanned(make_tree, 'training = ["flash-attn"]\n'))
    assert (found.reach, found.guard, found.guard_by) == ("main", "none", None)
    assert found.effective_severity == found.severity
