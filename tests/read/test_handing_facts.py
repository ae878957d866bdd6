"""What a Python file hands to functions by position, and what its own functions take."""

from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.catalogue.load import load
from portaudit.kinds import kind_by_name
from portaudit.scan import scan_file
from portaudit.types import CodeFacts, SourceFile

HANDING = {
    "literals": ("from pkg.ops import f\nf(8, True, 'flash', None)", ["f 8 true flash null"]),
    "its own name": ("from pkg.ops import f\ndef g(fast): f(1, fast)", ["f 1 .fast"]),
    "of settings": ("from pkg.ops import f\nf(cfg.model.fast)", ["f .fast", "fast( &"]),
    "asked by key": ("from pkg.ops import f\nf(cfg['fast'])", ["f .fast"]),
    "computed": ("from pkg.ops import f\nf(go())", ["f ?"]),
    "a variable": ("from pkg.ops import f\nx = 3\nf(x)", ["f 3"]),
    "by name only": ("from pkg.ops import f\nf(fast=True)", []),
    "unpacked": ("from pkg.ops import f\nf(1, *rest)", ["f 1 ..."]),
    "unpacked by name": ("from pkg.ops import f\nf(1, **loaded)", ["f **"]),
    "unpacked settings": ("from pkg.ops import f\nf(1, **cfg)", ["f 1"]),
    "unpacked arguments": ("from pkg.ops import f\nf(**vars(args))", []),
    "renamed": ("from pkg.ops import f as g\ng(1)", ["f 1"]),
    "of a library": ("import torch\ntorch.zeros(3, True)", []),
    "a built-in": ("print(1)\nlen([])", []),
    "the base's": (
        "from pkg.ops import A\nclass B(A):\n    def __init__(self):\n        super().__init__(8)",
        ["A 8"],
    ),
    "by the base's name": (
        (
            "from pkg.ops import A\nclass B(A):\n    def __init__(self):\n"
            "        A.__init__(self, 8)"
        ),
        ["() .self 8", "A 8"],
    ),
    "its own class": (
        "class A:\n    @classmethod\n    def make(cls): return cls(8)",
        ["(?) 8", "A 8"],
    ),
    "no constructor": ("from pkg.ops import A\nclass B(A): ...", ["B<A"]),
    "an object": ("def f(net, x): net(x, True)", ["(?) .x true"]),
    "its own object": (
        (
            "class A:\n    def __init__(self): self.net = Net()\n"
            "    def f(self, x): self.net(x, True)"
        ),
        ["() .x true", "net .x true"],
    ),
    "a method": ("def f(net, x): net.run(x, True)", ["() .x true", "run .x true"]),
    "handed on": ("from pkg.ops import f\ng(f)\nh(key=f)", ["f &", "g ?"]),
    "in a table": ("from pkg.ops import f\nT = {'a': f}", ["f ^"]),
    "asked of its class": ("from pkg.ops import A\nif isinstance(x, A): ...", []),
    "only a member": ("from pkg.ops import A\nA.make", []),
}
TAKING = {
    "a function": ("def f(a, b=1, *, c=2): ...", ["f: a b * c"]),
    "a method": ("class A:\n    def f(self, a): ...", ["f: a"]),
    "a constructor": ("class A:\n    def __init__(self, a, b=1): ...", ["A: a b"]),
    "an object's": ("class A:\n    def forward(self, x, fast=False): ...", ["(): x fast"]),
    "fields": ("@dataclass\nclass A:\n    a: int\n    b: int = 1", ["A: @ a b"]),
    "fields behind others": ("class A(B):\n    a: int", ["A: @ * a"]),
    "an object by its method": ("def f(a, b): a.zero_grad()\n", ["f: a! b"]),
    "an object that it keeps": (
        (
            "class A:\n    def __init__(self, a): self.a = a\n"
            "class B(A):\n    def go(self): self.a.zero_grad()"
        ),
        ["A: a!"],
    ),
    "an object that another keeps": (
        (
            "class A:\n    def __init__(self, a): self.a = a\n"
            "class B:\n    def go(self): self.a.zero_grad()"
        ),
        ["A: a"],
    ),
    "a word": ("def f(a): return a.lower()", ["f: a"]),
    "a member of an enum": ("def f(a): return a.value", ["f: a"]),
    "an object or nothing": ("def f(a):\n    if a is not None:\n        a.go()", ["f: a!"]),
    "an object or a word": ("def f(a):\n    if a == 'x':\n        return\n    a.go()", ["f: a"]),
    "an object or a word in a list": ("def f(a):\n    if a in T:\n        a.go()", ["f: a"]),
    "perhaps an object": ("def f(a):\n    if isinstance(a, A):\n        a.go()", ["f: a"]),
    "an object unless it fails": (
        "def f(a):\n    try:\n        a.go()\n    except AttributeError: ...",
        ["f: a"],
    ),
    "bound anew": ("def f(a):\n    a = make(a)\n    a.go()", ["f: a"]),
    "passed on": ("from pkg.ops import g\ndef f(a): g(1, a)", ["f: a>"]),
    "passed on by name": ("from pkg.ops import g\ndef f(a): g(a=a)", ["f: a"]),
    "passed on to a library": ("import torch\ndef f(a): torch.go(a)", ["f: a"]),
    "nothing": ("def f(): ...\nclass A: ...", []),
}


def facts(source: str) -> CodeFacts:
    kind = kind_by_name("pkg/code.py")
    assert kind is not None
    content = dedent(source).encode()
    result = scan_file(
        SourceFile("pkg/code.py", kind, content, frozenset({"pkg"})), load(), "torchneuron"
    )
    assert not result.errors
    return result.facts.code


@pytest.mark.parametrize("case", HANDING)
def test_what_is_handed_by_position(case: str) -> None:
    source, expected = HANDING[case]
    assert [" ".join(each).strip() for each in facts(source).handing] == expected


@pytest.mark.parametrize("case", TAKING)
def test_what_functions_take(case: str) -> None:
    source, expected = TAKING[case]
    assert [": ".join(each) for each in facts(source).taking] == expected


def test_a_dict_that_is_made_of_itself_is_no_endless_story() -> None:
    told = facts("""
    def build(args):
        given = {}
        given = {**given, "size": 2}
        given = {**given, **args}
        return Net(**given)
    """)
    assert ("Net", "**") in told.handing
