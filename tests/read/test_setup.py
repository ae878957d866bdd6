"""What setup scripts require."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read.items import Item
from portaudit.read.python.model import build
from portaudit.read.python.parse import parse
from portaudit.read.python.setup import dependencies
from portaudit.read.python.values import Reader
from portaudit.types import Proof, SourceFile, Span


def items(source: str) -> list[Item]:
    file = SourceFile("setup.py", "python", dedent(source).lstrip("\n").encode())
    parsed = parse(file.path, file.content)
    return list(dependencies(Reader(file, build(parsed.module), parsed)))


def values(source: str) -> list[tuple[str, object, str]]:
    return [(item.name, item.value, item.scope) for item in items(source)]


def test_lists_through_names_sums_and_what_is_appended() -> None:
    source = """
        from setuptools import setup

        VERSION = "2.1"
        base = ["numpy", "torch" ">=2.0"]
        base.append("xformers")
        base += ["not followed"]
        setup(
            install_requires=base + ["apex", f"flash-attn=={VERSION}"],
            setup_requires=("ninja",),
            python_requires=">=3.8",
        )
    """
    assert values(source) == [
        ("numpy", "", ""),
        ("torch", ">=2.0", ""),
        ("xformers", "", ""),
        ("apex", "", ""),
        ("flash-attn", "", ""),
        ("ninja", "", ""),
        ("python", ">=3.8", ""),
    ]


def test_extras_are_guarded_by_the_line_that_names_them() -> None:
    source = """
        import setuptools as st

        extras = {"gpu": ["cupy"], **others}
        extras["fast"] = ["flash-attn"]
        st.setup(extras_require=extras, tests_require=["pytest"])
    """
    found = {item.name: (item.scope, item.guard, item.guard_by) for item in items(source)}
    fast = Proof("setup.py", 4, 'extras["fast"] = ["flash-attn"]', "extra fast")
    assert found == {
        "cupy": ("gpu", "guarded", Proof("setup.py", 3, 'extras = {"gpu": ["cupy"], **others}')),
        "flash-attn": ("fast", "guarded", fast),
        "pytest": ("tests_require", "guarded", found["pytest"][2]),
    }
    assert found["pytest"][2]
    assert found["pytest"][2].setting == "tests_require"


def test_one_list_in_two_extras_is_two_items() -> None:
    source = """
        from distutils.core import setup

        gpu = ["cupy"]
        setup(extras_require={"gpu": gpu, "all": gpu + ["apex"]})
    """
    assert values(source) == [("cupy", "", "gpu"), ("cupy", "", "all"), ("apex", "", "all")]


def test_places_are_inside_the_quotes() -> None:
    (found,) = items("from setuptools import setup\nsetup(install_requires=['''torch>=2''', 1])\n")
    assert found.span == Span(2, 28, 2, 36)


@pytest.mark.parametrize(
    "source",
    [
        "def setup(**options): ...\n\nsetup(install_requires=['torch'])\n",
        "from setuptools import setup\nsetup(install_requires=open('r.txt').read().split())\n",
        "from setuptools import setup\nsetup(**config)\nx = ['torch']\n",
        "from setuptools import setup\na = b\nb = a\nsetup(install_requires=a, extras_require=b)\n",
        "from setuptools import setup\nsetup(extras_require={key: ['torch'] for key in keys})\n",
        "from unittest import setup\nsetup(install_requires=['torch'])\n",
    ],
)
def test_nothing_is_known(source: str) -> None:
    assert items(source) == []


def test_a_list_that_is_added_to_itself_is_followed_once() -> None:
    added = "x.extend(x)\n" * 300
    source = f"from setuptools import setup\nx = ['torch']\n{added}setup(install_requires=x)\n"
    assert values(source) == [("torch", "", "")]


def test_a_sum_of_many_lists_is_followed_to_its_end() -> None:
    lists = " + ".join(f"['p{number}']" for number in range(40))
    source = f"from setuptools import setup\nsetup(install_requires={lists})\n"
    assert [name for name, _, _ in values(source)] == [f"p{number}" for number in range(40)]
