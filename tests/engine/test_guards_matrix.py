"""Every way to ask for CUDA in every shape of branch: the state follows from the shape alone."""

from __future__ import annotations

import pytest

from snippets import check

CONDITIONS = {
    "availability": "torch.cuda.is_available()",
    "count": "torch.cuda.device_count() > 0",
    "device type": 'x.device.type == "cuda"',
    "device text": 'str(x.device).startswith("cuda")',
    "tensor": "x.is_cuda",
    "build": "torch.version.cuda is not None",
    "stored": "USE_CUDA",
    "function": "has_gpu()",
    "method": "self.has_gpu()",
    "property": "self.on_gpu",
    "attribute": "self.use_gpu",
    "library flag": "HAVE_FLASH",
    "library or None": "flash_attn is not None",
    "find_spec": 'importlib.util.find_spec("flash_attn") is not None',
    "environment": 'os.environ.get("FORCE_GPU", "0") == "1"',
    "parameter": "gpu",
    "option": "args.gpu",
    "field": "config.gpu",
    "conjunction": "x and torch.cuda.is_available()",
    "disjunction": "gpu or torch.cuda.is_available()",
    "flag of another module": "flags.HAVE_FLASH",
    "function of another module": "flags.has_gpu()",
    "switch of another module": "flags.FORCE_GPU",
    "field of another module": "other.gpu",
}
LIBRARY = {"library flag", "library or None", "find_spec", "flag of another module"}
"""Conditions that ask for a library: where the other branch fails, the test is a finding too."""

SHAPES = {
    "alone": ("if {c}:\n    {sync}", "guarded"),
    "idle else": ("if {c}:\n    {sync}\nelse:\n    pass", "guarded"),
    "talking else": ("if {c}:\n    {sync}\nelse:\n    print('no GPU')", "guarded"),
    "working else": ("if {c}:\n    {sync}\nelse:\n    x = x.cpu()", "fallback"),
    "failing else": ("if {c}:\n    {sync}\nelse:\n    raise ValueError", "hard-fail"),
    "exiting else": ("if {c}:\n    {sync}\nelse:\n    sys.exit(1)", "hard-fail"),
    "return behind it": ("if {c}:\n    return {sync}\nreturn x.cpu()", "fallback"),
    "raise behind it": ("if {c}:\n    return {sync}\nraise ValueError", "hard-fail"),
    "negated, else": ("if not ({c}):\n    pass\nelse:\n    {sync}", "guarded"),
    "early return": ("if not ({c}):\n    return\n{sync}", "guarded"),
    "early value": ("if not ({c}):\n    return x.cpu()\n{sync}", "fallback"),
    "early raise": ("if not ({c}):\n    raise ValueError\n{sync}", "hard-fail"),
    "assertion": ("assert {c}\n{sync}", "hard-fail"),
    "expression": ("y = {sync} if {c} else None", "guarded"),
    "expression or": ("y = {sync} if {c} else x", "fallback"),
    "and": ("({c}) and {sync}", "guarded"),
    "or not": ("not ({c}) or {sync}", "guarded"),
    "while": ("while {c}:\n    {sync}", "guarded"),
    "comprehension": ("y = [{sync} for z in x if {c}]", "guarded"),
    "elif": ("if x:\n    pass\nelif {c}:\n    {sync}\nelse:\n    x = x.cpu()", "fallback"),
    "nested": ("for y in x:\n    if {c}:\n        with y:\n            {sync}", "guarded"),
    "look-alike: negated": ("if not ({c}):\n    {sync}", "none"),
    "look-alike: else": ("if {c}:\n    pass\nelse:\n    {sync}", "none"),
    "look-alike: behind": ("if {c}:\n    pass\n{sync}", "none"),
    "look-alike: early return": ("if {c}:\n    return\n{sync}", "none"),
    "look-alike: early raise": ("if {c}:\n    raise ValueError\n{sync}", "none"),
    "look-alike: expression": ("y = None if {c} else {sync}", "none"),
    "look-alike: or": ("({c}) or {sync}", "none"),
    "look-alike: and not": ("not ({c}) and {sync}", "none"),
    "look-alike: comprehension": ("y = [{sync} for z in x if not ({c})]", "none"),
    "look-alike: elif": ("if {c}:\n    pass\nelif x:\n    {sync}", "none"),
    "look-alike: before": ("{sync}\nif not ({c}):\n    return", "none"),
    "look-alike: other condition": ("if x:\n    {sync}\nelif {c}:\n    pass", "none"),
}
MODULE = """\
import argparse
import importlib.util
import os
import sys
from dataclasses import dataclass

import flags
import torch
from flags import Other

try:
    import flash_attn  # expect: FUS001 guard=import-guarded
    HAVE_FLASH = True
except ImportError:
    flash_attn = None
    HAVE_FLASH = False
USE_CUDA = torch.cuda.is_available()
parser = argparse.ArgumentParser()
parser.add_argument("--gpu", action="store_true")


def has_gpu():
    return torch.cuda.is_available()


@dataclass
class Config:
    gpu: bool = False


class Runner:
    def __init__(self):
        self.use_gpu = torch.cuda.is_available()

    def has_gpu(self):
        return torch.cuda.is_available()

    @property
    def on_gpu(self):
        return torch.cuda.is_available()
"""
METHOD = """
    def run_{name}(self, x, args, config: Config, other: Other, gpu=False):
"""
FLAGS = """
import os
from dataclasses import dataclass
import torch
try:
    import flash_attn  # expect: FUS001 guard=import-guarded
    HAVE_FLASH = True
except ImportError:
    HAVE_FLASH = False
FORCE_GPU = os.environ.get("FORCE_GPU", "0") == "1"
def has_gpu():
    return torch.cuda.is_available()
@dataclass
class Other:
    gpu: bool = False
"""


def method(shape: str, condition: str) -> str:
    """One shape around a call, with what is expected of the call, the literal and the test."""
    form, guard = SHAPES[shape]
    lines = form.format(c=CONDITIONS[condition], sync="torch.cuda.synchronize()").split("\n")
    told = []
    for line in lines:
        expected = [f"DEV007 guard={guard}"] if "synchronize" in line else []
        if '== "cuda"' in line and guard == "hard-fail":
            expected.append("DST001 guard=hard-fail")
        if condition in LIBRARY and CONDITIONS[condition] in line and guard == "hard-fail":
            expected.append("FUS001 guard=hard-fail")
        told.append(f"        {line}" + (f"  # expect: {', '.join(expected)}" if expected else ""))
    name = "".join(letter if letter.isalpha() else "_" for letter in shape)
    return METHOD.format(name=name) + "\n".join(told) + "\n"


@pytest.mark.parametrize("condition", CONDITIONS)
def test_guard_follows_from_the_shape(condition: str) -> None:
    methods = [method(shape, condition) for shape in SHAPES]
    check({"train.py": MODULE + "".join(methods), "flags.py": FLAGS})
