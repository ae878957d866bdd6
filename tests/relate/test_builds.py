"""Whole trees that compile sources while they run: what is not compiled there is not reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from portaudit.relate.builds import Builds
from portaudit.types import Finding
from scans import report_of
from snippets import scan

MakeTree = Callable[[Mapping[str, str]], Path]

HEAD = "import os\nfrom torch.utils.cpp_extension import load\n"
TRAIN = """
import torch
from ops import new

if __name__ == "__main__":
    model = torch.nn.Linear(3, 3)
    loss = new.ext.forward(model(torch.zeros(3, 3))).sum()
    loss.backward()
"""
KERNEL = """
__global__ void {name}_kernel(float* x) {{ x[threadIdx.x] *= 2.f; }}
void forward_cuda(float* x) {{ {name}_kernel<<<1, 64>>>(x); }}
"""
BINDING = """
#include <torch/extension.h>
void forward_cuda(float* x);
void forward(float* x) { forward_cuda(x); }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("forward", &forward); }
"""
SOURCES = {
    "cuda/new.cu": KERNEL.format(name="new"),
    "cuda/new.cpp": BINDING,
    "cuda/old.cu": KERNEL.format(name="old"),
    "cuda/old.cpp": BINDING,
}
OLD = 'ext = load(name="old", sources=["cuda/old.cpp", "cuda/old.cu"])\n'
TEST = HEAD + OLD + "\n\ndef run(x):\n    return ext.forward(x)\n"


def kernels(make_tree: MakeTree, files: Mapping[str, str]) -> dict[str, Finding]:
    root = make_tree({"train.py": TRAIN, "ops/__init__.py": "", **SOURCES, **files})
    report = report_of(root)
    found = {item.fingerprint: item for item in report.findings}
    return {kernel.name: found[kernel.fingerprint] for kernel in report.inventory}


def reaches(make_tree: MakeTree, files: Mapping[str, str]) -> dict[str, str | None]:
    return {name: item.reach for name, item in kernels(make_tree, files).items()}


LOADS = {
    "names": 'ext = load(name="new", sources=["cuda/new.cpp", "cuda/new.cu"])',
    "a folder": "here = os.path.dirname(os.path.abspath(__file__))\n"
    'ext = load("new", [os.path.join(here, "..", "cuda", f) for f in ["new.cpp", "new.cu"]])',
    "a list": 'files = ["cuda/new.cpp"]\nfiles.append("cuda/new.cu")\next = load("new", files)',
    "a sum": 'ext = load("new", ["cuda/new.cpp"] + ["cuda/new.cu"])',
    "made names": 'ext = load("new", [f"cuda/new.{end}" for end in ["cpp", "cu"]])',
    "a function": "def _get(sources):\n    return load(name='x', sources=sources)\n\n"
    'ext = _get(["cuda/new.cpp", "cuda/new.cu"])',
}


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_a_source_that_the_path_does_not_compile(make_tree: MakeTree, load: str) -> None:
    files = {"ops/new.py": f"{HEAD}{load}\n", "tests/test_old.py": TEST}
    assert reaches(make_tree, files) == {"new_kernel": "main", "old_kernel": "test"}


def test_a_source_that_nothing_compiles(make_tree: MakeTree) -> None:
    files = {"ops/new.py": HEAD + LOADS["names"]}
    assert reaches(make_tree, files) == {"new_kernel": "main", "old_kernel": "unreached"}


MORE = {
    "nobody knows of what": {"more.py": HEAD + "def get(files):\n    return load('x', files)\n"},
    "all that is there": {
        "setup.py": "import glob\nfrom setuptools import setup\n"
        "from torch.utils.cpp_extension import CUDAExtension\n"
        'setup(ext_modules=[CUDAExtension("x", glob.glob("cuda/*.cu"))])\n'
    },
    "a library is loaded": {"more.py": "import ctypes\n\nlib = ctypes.CDLL('old.so')\n"},
    "by CMake": {"CMakeLists.txt": "add_library(x SHARED cuda/old.cu)\n"},
    "where it is included": {"cuda/new.cpp": '#include "old.cu"\n' + BINDING},
}


@pytest.mark.parametrize("files", MORE.values(), ids=MORE)
def test_a_source_that_something_else_may_compile(
    make_tree: MakeTree, files: Mapping[str, str]
) -> None:
    found = reaches(make_tree, {"ops/new.py": HEAD + LOADS["names"], **files})
    assert found["old_kernel"] == "main"


UNNAMED = "import subprocess\n\n\ndef f(files):\n    subprocess.run(['nvcc -O3'])\n    return "
UNNAMED += "[it for it in files if '.cu' in it]\n"
UNLISTED = {
    "nothing calls it": ({}, "unreached"),
    "its own name": ({"more.py": f"{UNNAMED}\n\nf(['cuda/old.cu'])\n"}, "main"),
    "what its name begins with": ({"more.py": f"{UNNAMED}\n\nf(['old'])\n"}, "main"),
    "a call": ({"train.py": f"{TRAIN}    new.ext.pool(loss)\n"}, "main"),
    "compiled as it runs": ({"more.py": f"{UNNAMED}\nimport torch.load_inline\n"}, "main"),
}


@pytest.mark.parametrize(("files", "reach"), UNLISTED.values(), ids=UNLISTED)
def test_a_source_that_no_list_has_and_nothing_calls(
    make_tree: MakeTree, files: Mapping[str, str], reach: str
) -> None:
    """Something else compiles whatever it is given: that is no sign that it compiles this one."""
    own = {path: SOURCES[path].replace("forward", "pool") for path in SOURCES if "old" in path}
    tree = {"ops/new.py": HEAD + LOADS["names"], "find.py": UNNAMED, **own, **files}
    assert reaches(make_tree, tree)["old_kernel"] == reach


VERSION = {
    "v1/cuda/old.cu": KERNEL.format(name="first"),
    "v1/cuda/old.cpp": BINDING,
    "v1/train.py": TRAIN.replace("from ops import new", HEAD + OLD + "\nnew = 0").replace(
        "new.ext", "ext"
    ),
    "README.md": "# Train\n\n```sh\npython train.py\n```\n",
}
AGAIN = {
    "its own": ("", "other"),
    "by another name": ("\nPATH = 'cuda/old.cu'\n", "main"),
    "a part of it": ("\nPATH = 'cuda/old' + END\n", "main"),
    "put together": ("\nPATH = f'cuda/old.{end}'\n", "main"),
}


@pytest.mark.parametrize(("more", "reach"), AGAIN.values(), ids=AGAIN)
def test_a_source_of_the_same_name_in_another_version(
    make_tree: MakeTree, more: str, reach: str
) -> None:
    files = {"ops/new.py": HEAD + OLD.replace('name="old"', 'name="x"') + more, **VERSION}
    found = reaches(make_tree, files)
    assert (found["old_kernel"], found["first_kernel"]) == ("main", reach)


def test_functions_of_one_name_belong_to_their_builds(make_tree: MakeTree) -> None:
    files = {"ops/new.py": HEAD + LOADS["names"], "ops/old.py": HEAD + OLD}
    root = make_tree({"train.py": TRAIN, "ops/__init__.py": "", **SOURCES, **files})
    report = report_of(root)
    bound = {each.name: [it.path for it in each.bound_as] for each in report.inventory}
    assert bound == {"new_kernel": ["cuda/new.cpp"], "old_kernel": ["cuda/old.cpp"]}


def test_a_load_that_waits_for_an_option(make_tree: MakeTree) -> None:
    new = f"""{HEAD}
{LOADS["names"]}

def fused(args, x):
    if args.old_kernel:
        ext = load(name="old", sources=["cuda/old.cpp", "cuda/old.cu"])
        return ext.forward(x)
    return x
"""
    train = """
import argparse
import torch
from ops import new

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--old_kernel", action="store_true")
    args = parser.parse_args()
    model = torch.nn.Linear(3, 3)
    loss = new.fused(args, new.ext.forward(model(torch.zeros(3, 3)))).sum()
    loss.backward()
"""
    found = kernels(make_tree, {"train.py": train, "ops/new.py": new})
    assert (found["new_kernel"].guard, found["old_kernel"].guard) == ("none", "guarded")
    assert found["old_kernel"].guard_by is not None
    assert found["old_kernel"].guard_by.setting == "old_kernel"


def test_what_a_setup_script_compiles_is_told() -> None:
    text = """
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension

def make(name, sources):
    return CUDAExtension(name=name, sources=["src/" + each for each in sources])

setup(ext_modules=[CUDAExtension("a", ["a.cpp", "a.cu"]), make("b", ["b.cu"])])
"""
    told = scan({"setup.py": text})["setup.py"].facts.native.compiles
    assert [(each.sources, each.loads) for each in told] == [
        (("src/*",), False),
        (("a.cpp", "a.cu"), False),
    ]


ADDED = {
    "by a sum": 'files += ["cuda/old.cu"]',
    "by a sum in a branch": 'more = ["cuda/old.cu"]\nif True:\n    files += more',
    "by what another call finds": 'files += map(str, Path("cuda").rglob("old.cu"))',
    "in front": 'files.insert(0, "cuda/old.cu")',
    "as a slice": 'files[1:] = ["cuda/old.cu"]',
    "under another name": 'other = files\nother.append("cuda/old.cu")',
    "by a function": "def more(found):\n    found.append('cuda/old.cu')\n\nmore(files)",
    "by a glob of all folders": 'files = glob.glob("cuda/**/*.cu", recursive=True)',
    "below a folder that nobody knows": "files = [os.path.join(ROOT, 'cuda/old.cu')]",
    "from a table": "kinds = {'a': files}\nkinds['a'].append('cuda/old.cu')\nfiles = kinds['a']",
    "of a name that is made": "shutil.copy('cuda/old.cu', 'cuda/x.cu')\nfiles = ['cuda/x.cu']",
}
SETUP = """
import glob, os, shutil
from pathlib import Path
from setuptools import setup
from torch.utils.cpp_extension import CUDAExtension
ROOT = os.environ["ROOT"]
files = ["cuda/new.cpp", "cuda/new.cu"]
{added}
ext = CUDAExtension("ext", files{more})
{after}
setup(ext_modules=[ext])
"""


def is_open(files: Mapping[str, str]) -> bool:
    results = scan({**SOURCES, **files}).values()
    return Builds.by(tuple(results)).loading("cuda/old.cu") is None


@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
def test_a_list_of_sources_that_grows(added: str) -> None:
    assert is_open({"setup.py": SETUP.format(added=added, more="", after="")})


def test_a_list_of_sources_that_is_only_looked_at() -> None:
    added = "print(len(files))"
    assert not is_open({"setup.py": SETUP.format(added=added, more="", after="")})


AFTER = {
    "sources": ("", "ext.sources.append('cuda/old.cu')"),
    "a library of the tree": (', libraries=["old"]', ""),
    "an object": (', extra_objects=["build/old.o"]', ""),
    "arguments of the linker": (', extra_link_args=["-Lbuild", "-l:old.so"]', ""),
}


@pytest.mark.parametrize(("more", "after"), AFTER.values(), ids=AFTER)
def test_an_extension_that_has_more_than_its_sources(more: str, after: str) -> None:
    assert is_open({"setup.py": SETUP.format(added="", more=more, after=after)})


def test_libraries_of_the_system_bring_no_code_of_the_tree() -> None:
    more = ', libraries=["cuda", "cublas"], extra_link_args=["-Wl,-s", "-lcudart"]'
    assert not is_open({"setup.py": SETUP.format(added="", more=more, after="")})
