"""Names that code puts together to look something up: in a compiled module, or in Python's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

KERNEL = """
#include <torch/extension.h>
__global__ void get_rows_kernel(float* x) { x[threadIdx.x] *= 2.f; }
void get_rows(float* x) { get_rows_kernel<<<1, 64>>>(x); }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("get_rows", &get_rows); }
"""
SETUP = """
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension

setup(name="net", ext_modules=[CUDAExtension("net._C", ["csrc/rows.cu"])])
"""
POLICY = """
import importlib

def get(kind):
    module = importlib.import_module(f"net.policies.{kind}")
    return getattr(module, "get_" + kind)
"""
TRAIN = """
import os
import torch
from net import policy

def main():
    size = policy.get(os.environ["KIND"])(3)
    torch.nn.Linear(size, 3)(torch.zeros(3, size)).sum().backward()

if __name__ == "__main__":
    main()
"""
USED = """
import net._C

def run(x):
    return net._C.get_rows(x)
"""
FILES = {
    "setup.py": SETUP,
    "csrc/rows.cu": KERNEL,
    "net/__init__.py": "",
    "net/policy.py": POLICY,
    "net/policies/__init__.py": "",
    "net/policies/small.py": "def get_small(size):\n    return size\n",
    "net/rows.py": USED,
    "train.py": TRAIN,
}
COMPILED = {
    "a module that has all of them": {"net/policies/small.py": "from net._C import *\n"},
    "a module that has some": {
        "net/policies/small.py": "from net._C import get_rows as get_small\n"
    },
    "a module that hands some on": {
        "net/policies/small.py": "from ..fast import _C as get_small\n",
        "net/fast.py": "from net import _C\n",
    },
    "a package that has some": {"net/policies/__init__.py": "from .. import _C\n"},
    "itself": {
        "net/policy.py": "import net._C\n\n"
        "def get(kind):\n    return getattr(net._C, 'get_' + kind)\n"
    },
}


def reach(make_tree: MakeTree, files: Mapping[str, str]) -> str | None:
    report = report_of(make_tree({**FILES, **files}))
    (kernel,) = report.inventory
    return next(it.reach for it in report.findings if it.fingerprint == kernel.fingerprint)


PYTHON = {
    "of modules": {},
    "of a module with a member that is called like one": {
        "net/policies/small.py": "from .sizes import _size, rows_C\n\n"
        "def get_small(size):\n    return _size(rows_C(size))\n",
        "net/policies/sizes.py": "def _size(x):\n    return x\n\ndef rows_C(x):\n    return x\n",
        "setup.py": SETUP.replace("net._C", "rows_C"),
        "net/rows.py": USED.replace("net._C", "rows_C"),
    },
    "of a module that uses a library": {
        "net/policies/small.py": "import packaging.version\n\n"
        "def get_small(size):\n    return size\n",
        "setup.py": SETUP.replace('name="net"', 'name="net", version="1"'),
    },
}


@pytest.mark.parametrize("files", PYTHON.values(), ids=PYTHON)
def test_names_of_pythons_own_start_no_kernel(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    assert reach(make_tree, files) == "unreached"


@pytest.mark.parametrize("files", COMPILED.values(), ids=COMPILED)
def test_names_of_what_is_compiled_may_start_any(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    assert reach(make_tree, files) == "main"


# --- whole names ----------------------------------------------------------------------------------

ASIDE = {
    "net/rows.py": "",
    "net/policies/small.py": "",
    "more/rows.py": USED,
    "train.py": "import net.rows, net.policies.small\n" + TRAIN,
}
"""A tree whose training does not come to the call of the kernel."""
WORDS = "SIZES = ['rows', 'get', 'image']\n"
"""Words that the compiled function's name could be put together of."""
WHOLE = {
    "a table of names": f"""
from net import _C

{WORDS}
WAYS = {{"small": "sum_of_small", "large": "sum_of_large"}}

def get(kind):
    return getattr(_C, WAYS[kind])
""",
    "one of two": f"""
from net import _C

{WORDS}
def get(kind):
    name = "sum_of_small" if kind else "sum_of_large"
    return getattr(_C, name)
""",
    "each of some": f"""
from net import _C

{WORDS}
def get(kind):
    for name in ("sum_of_small", "sum_of_large"):
        if hasattr(_C, kind):
            return getattr(_C, name)
""",
    "what a function is given": f"""
from net import _C

{WORDS}
def native(name):
    def call(x):
        return getattr(_C, name)(x)
    return call

def get(kind):
    return native("sum_of_small")
""",
    "what a function is given by others": f"""
from net import more

{WORDS}
def get(kind):
    return more.native("sum_of_small")
""",
    "what a function is given by another one": f"""
from net.more import native

{WORDS}
def named(name):
    return native(name)

def get(kind):
    return named("sum_of_small")
""",
}
MORE = """
from net import _C, policy

TABLE = {"a": "sum_of_all"}

def native(name):
    return getattr(_C, name)

def add(kind):
    policy.OPEN[kind] = "get_" + kind
"""


@pytest.mark.parametrize("policy", WHOLE.values(), ids=WHOLE)
def test_whole_names_start_nothing_else(make_tree: MakeTree, policy: str) -> None:
    files = {**ASIDE, "net/policy.py": policy, "net/more.py": MORE}
    if "more" not in policy:
        del files["net/more.py"]
    assert reach(make_tree, files) == "unreached"


@pytest.mark.parametrize("policy", WHOLE.values(), ids=WHOLE)
def test_whole_names_start_what_they_name(make_tree: MakeTree, policy: str) -> None:
    policy = policy.replace("sum_of_small", "get_rows")
    assert reach(make_tree, {**ASIDE, "net/policy.py": policy, "net/more.py": MORE}) == "main"


@pytest.mark.parametrize("policy", WHOLE.values(), ids=WHOLE)
def test_whole_names_of_one_word_start_what_they_name(make_tree: MakeTree, policy: str) -> None:
    files = {
        **ASIDE,
        "net/policy.py": policy.replace("sum_of_small", "forward"),
        "net/more.py": MORE,
        "more/rows.py": USED.replace("get_rows", "forward"),
        "csrc/rows.cu": KERNEL.replace('m.def("get_rows"', 'm.def("forward"'),
    }
    assert reach(make_tree, files) == "main"


MADE = {
    "of what the environment has": 'return getattr(_C, os.environ["NAME"])',
    "of what somebody gives": "return getattr(_C, kind)",
    "of a sum": 'name = "get_" + kind\n    return getattr(_C, name)',
    "of a sum in steps": 'name = "get"\n    name += "_" + kind\n    return getattr(_C, name)',
    "of a text with fields": 'return getattr(_C, f"get_{kind}")',
    "of a text with fields by %": 'return getattr(_C, "get_%s" % kind)',
    "of a text with fields by format": 'return getattr(_C, "get_{}".format(kind))',
    "joined": 'return getattr(_C, "_".join(["get", kind]))',
    "of a function": "return getattr(_C, spell(kind))",
    "in a table": 'return getattr(_C, {"a": "get_" + kind, "b": "sum_of_all"}["a"])',
    "in a table that gets more": 'WAYS["b"] = "get_" + kind\n    return getattr(_C, WAYS[kind])',
    "in a table that gets others": (
        'WAYS.update(b="get_" + kind)\n    return getattr(_C, WAYS.get(kind, "sum_of_all"))'
    ),
    "in a table that others change": "return getattr(_C, more.TABLE[kind])",
    "in a table that others may change": "return getattr(_C, OPEN[kind])",
    "in a table, or what somebody gives": "return getattr(_C, WAYS.get(kind, kind))",
    "given to a function": 'return native("get_" + kind)',
    "given to a function by its name": 'return native(name="get_" + kind)',
    "given to a function once": 'native("sum_of_all")\n    return native("get_" + kind)',
    "given to a function of another file": 'return more.native("get_" + kind)',
    "given to what calls a function": "return list(map(native, [kind]))",
    "looked up whole besides": 'getattr(_C, ("sum_of_all", "sum")[1])\n    return vars(_C)[kind]',
}
HEAD = f"""
import os
from net import _C, more

{WORDS}
WAYS = {{"a": "sum_of_all"}}
OPEN = {{"a": "sum_of_all"}}

def native(name):
    return getattr(_C, name)

def spell(kind):
    return "get_" + kind

"""


@pytest.mark.parametrize("name", MADE.values(), ids=MADE)
def test_names_that_are_made_may_start_any(make_tree: MakeTree, name: str) -> None:
    policy = f"{HEAD}def get(kind):\n    {name}\n"
    assert reach(make_tree, {**ASIDE, "net/policy.py": policy, "net/more.py": MORE}) == "main"


# --- operators ------------------------------------------------------------------------------------

OPERATOR = """
#include <torch/library.h>
__global__ void get_rows_kernel(float* x) { x[threadIdx.x] *= 2.f; }
void get_rows(float* x) { get_rows_kernel<<<1, 64>>>(x); }
TORCH_LIBRARY(net_rows, m) { m.def("get_rows", &get_rows); }
"""
OWN = {
    **ASIDE,
    "csrc/rows.cu": OPERATOR,
    "more/rows.py": "import torch\n\ndef run(x):\n    return torch.ops.net_rows.get_rows(x)\n",
}
ASKING = """
import torch
{head}
def get(kind):
    return getattr({owner}, "get_" + kind)

ROWS = "rows"
"""
OTHERS = {
    "of another space": ("", "torch.ops.net_policies"),
    "of another space's classes": ("", "torch.classes.net_policies"),
    "of an extension": ("from net import _C\n", "_C"),
}
MEANT = {
    "of the space": ("", "torch.ops.net_rows"),
    "of the space by another name": ("OPS = torch.ops.net_rows\n", "OPS"),
    "of an extension that stands for it": ("from net.more import _C\n", "_C"),
    "of any space": ("", "torch.ops"),
}


@pytest.mark.parametrize(("head", "owner"), OTHERS.values(), ids=OTHERS)
def test_names_of_other_spaces_start_no_operator(
    make_tree: MakeTree, head: str, owner: str
) -> None:
    files = {**OWN, "net/policy.py": ASKING.format(head=head, owner=owner)}
    assert reach(make_tree, files) == "unreached"


@pytest.mark.parametrize(("head", "owner"), MEANT.values(), ids=MEANT)
def test_names_of_the_space_may_start_any(make_tree: MakeTree, head: str, owner: str) -> None:
    more = "import torch\n\n_C = torch.ops.net_rows\n"
    files = {**OWN, "net/policy.py": ASKING.format(head=head, owner=owner), "net/more.py": more}
    assert reach(make_tree, files) == "main"
