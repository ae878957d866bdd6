"""Environment variables that a file asks for with `in`."""

from __future__ import annotations

import pytest

from snippets import check, findings


@pytest.mark.parametrize("operator", ["in", "not in"])
@pytest.mark.parametrize(
    ("spelled", "imports"),
    [
        ("os.environ", "import os"),
        ("o.environ", "import os as o"),
        ("environ", "from os import environ"),
        ("env", "from os import environ as env"),
    ],
)
def test_variable_that_is_asked_for_is_a_finding(operator: str, spelled: str, imports: str) -> None:
    check(f"""
    {imports}
    if "CUDA_HOME" {operator} {spelled}:  # expect: ENV003
        pass
    found = "CUDA_VISIBLE_DEVICES" {operator} {spelled}  # expect: ENV001
    """)


@pytest.mark.parametrize(
    "question",
    [
        '"HOME" in os.environ',
        '"CUDA" in os.environ',
        '"MY_CUDA_HOME" in os.environ',
        "name in os.environ",
        'f"{name}_HOME" in os.environ',
        '"CUDA_HOME" in table',
        '"CUDA_HOME" in sys.argv',
        '"CUDA_HOME" in os.listdir()',
        '"CUDA_HOME" == os.environ',
        '"CUDA_HOME" in "CUDA_HOME"',
        'os.environ in ["CUDA_HOME"]',
        '"NEURON_RT_VISIBLE_CORES" in os.environ',
    ],
)
def test_question_that_only_looks_alike_is_silent(question: str) -> None:
    assert not findings(f"""
    import os
    import sys
    def ask(name, table):
        return {question}
    """)


def test_variable_of_an_environment_that_is_the_file_s_own_is_silent() -> None:
    assert not findings("""
    class os:
        environ = {}
    found = "CUDA_HOME" in os.environ
    """)
