"""Whole trees whose fast code is behind a method that is only called where CUDA is, or not only.

What a method calls belongs to it as what a function calls does, where nothing can call the method
without a word for it. Whatever else may call it must keep what it leads to as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.types import GuardState
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = """
import torch
import ops
import more

def main():
    model = torch.nn.Linear(3, 3)
    loss = ops.scale(model(torch.zeros(3, 3))).sum()
    loss.backward()

if __name__ == "__main__":
    main()
"""
HEAD = """
import functools, inspect, operator, os
import torch
from torch import nn

def _fast(x):
    import flash_attn
    return flash_attn.flash_attn_func(x, x, x)

def _plain(x):
    return x * 2
"""
NORM = """
class Norm(nn.Module):
    def _run(self, x):
        return _fast(x)

    def forward(self, x):
        if x.is_cuda:
            return self._run(x)
        return _plain(x)

scale = Norm()
"""


def guards(make_tree: MakeTree, ops: str, more: str = "", **files: str) -> set[GuardState]:
    """The guards of the library in the fast function."""
    texts = {
        "train.py": TRAIN,
        "ops.py": HEAD + dedent(ops),
        "more.py": "import os\nimport torch\nimport ops\n" + dedent(more),
        **{f"{name}.py": dedent(text) for name, text in files.items()},
    }
    root = make_tree(texts)
    report = report_of(root)
    marked = [each for each in report.findings if each.scope.rpartition(".")[2] == "_fast"]
    assert {each.reach for each in marked} == {"main"}
    return {each.guard for each in marked}


def beside(method: str, end: str = "scale = Norm()") -> str:
    """The class with something more in it, and after it."""
    inside = dedent(method).replace("\n", "\n    ")
    return NORM.replace("scale = Norm()\n", f"    {inside}\n\n{end}\n")


ONLY = {
    "a module": NORM,
    "a class": NORM.replace("(nn.Module)", "").replace("forward", "__call__"),
    "a class below object": NORM.replace("nn.Module", "object").replace("forward", "__call__"),
    "through what it inherits": """
        class Base(nn.Module):
            def __init__(self):
                super().__init__()

        class Norm(Base):
            def _run(self, x):
                return _fast(x)

            def forward(self, x):
                return self._run(x) if x.is_cuda else _plain(x)

        scale = Norm()
        """,
    "by a class below": """
        class Base(nn.Module):
            def _run(self, x):
                return _fast(x)

        class Norm(Base):
            def forward(self, x):
                return self._run(x) if x.is_cuda else _plain(x)

        scale = Norm()
        """,
    "two methods deep": """
        class Norm(nn.Module):
            def _last(self, x):
                return _fast(x)

            def _run(self, x):
                return self._last(self._last(x))

            def forward(self, x):
                if not x.is_cuda:
                    return _plain(x)
                return self._run(x)

        scale = Norm()
        """,
    "one that calls itself": NORM.replace(
        "return _fast(x)", "return self._run(_fast(x)) if x.dim() else x"
    ),
    "a static one": NORM.replace("    def _run(self, ", "    @staticmethod\n    def _run("),
    "one of the class": NORM.replace("    def _run(self", "    @classmethod\n    def _run(cls"),
    "by the class": NORM.replace("    def _run(self, ", "    @staticmethod\n    def _run(").replace(
        "self._run", "Norm._run"
    ),
    "a property": NORM.replace("    def _run(self, x", "    @property\n    def _run(self")
    .replace("_fast(x)", "_fast(self.x)")
    .replace("self._run(x)", "self._run"),
    "chosen once": """
        class Norm(nn.Module):
            def __init__(self):
                super().__init__()
                if torch.cuda.is_available():
                    self.way = self._run
                else:
                    self.way = self._slow

            def _run(self, x):
                return _fast(x)

            def _slow(self, x):
                return _plain(x)

            def forward(self, x):
                return self.way(x)

        scale = Norm()
        """,
    "without gradients": NORM.replace("    def _run", "    @torch.no_grad()\n    def _run"),
    "a name that only other classes have": beside(
        "def other(self, x):\n    return x",
        "class Other:\n    def _go(self):\n        return 1\n\nscale = Norm()",
    ),
    "a member that is looked up by its name": beside(
        "def other(self, x):\n    return getattr(self, 'weight')"
    ),
}
"""What only a test for CUDA leads to."""


@pytest.mark.parametrize("case", ONLY)
def test_what_only_a_guarded_method_calls_is_guarded(make_tree: MakeTree, case: str) -> None:
    assert guards(make_tree, ONLY[case]) == {"fallback"}


def test_without_another_way_it_is_guarded(make_tree: MakeTree) -> None:
    ops = """
        class Norm(nn.Module):
            def _warm(self, x):
                _fast(x)

            def forward(self, x):
                if x.is_cuda:
                    self._warm(x)
                return x

        scale = Norm()
        """
    assert guards(make_tree, ops) == {"guarded"}


CALLED = {
    "in another method": beside("def other(self, x):\n    return self._run(x)"),
    "in the other branch": NORM.replace("return _plain(x)", "return self._run(x.float())"),
    "later in the same method": NORM.replace("return self._run(x)", "x = self._run(x)").replace(
        "return _plain(x)", "return self._run(x)"
    ),
    "by what the other branch calls": beside("def slow(self, x):\n    return self._run(x)").replace(
        "return _plain(x)", "return self.slow(x)"
    ),
    "by a function": NORM + "\ndef go(x):\n    return scale._run(x)\n\ngo(torch.zeros(3))\n",
    "by a class below": NORM
    + "\nclass Mine(Norm):\n    def go(self, x):\n        self._run(x)\n\nscale = Mine()\n",
    "by its base": """
        class Base(nn.Module):
            def forward(self, x):
                return self._run(x)

        class Norm(Base):
            def _run(self, x):
                return _fast(x)

            def other(self, x):
                if x.is_cuda:
                    return self._run(x)
                return _plain(x)

        scale = Norm()
        """,
    "through super": NORM
    + "\nclass Mine(Norm):\n    def go(self, x):\n        super()._run(x)\n\nscale = Mine()\n",
    "by another name in the class": beside("go = _run"),
    "as what calls the object": NORM.replace(
        "    def forward", "    __call__ = _run\n\n    def forward"
    ),
    "as a hook": beside(
        "def __init__(self):\n    super().__init__()\n    self.register_forward_hook(self._run)"
    ),
    "with some arguments": beside(
        "def __init__(self):\n    self.go = functools.partial(self._run)"
    ),
    "in a lambda": beside("def __init__(self):\n    self.go = lambda x: self._run(x)"),
    "in a function within": beside(
        "def other(self, x):\n    def inner():\n        return self._run(x)\n    return inner"
    ),
    "in a table": NORM + '\nWAYS = {"fast": Norm._run}\n',
    "by a default": NORM + "\ndef go(x, way=Norm._run):\n    return way(scale, x)\n",
    "by its name": beside('def other(self, x):\n    return getattr(self, "_run")(x)'),
    "by a name that is put together": beside(
        'def other(self, x, way):\n    return getattr(self, "_ru" + way)(x)'
    ),
    "by a name that nobody sees": beside(
        "def other(self, x, way):\n    return getattr(self, way)(x)"
    ),
    "by a name of a class below": """
        class Base(nn.Module):
            def forward(self, x):
                return getattr(self, os.environ["WAY"])(x)

        class Norm(Base):
            def _run(self, x):
                return _fast(x)

            def other(self, x):
                if x.is_cuda:
                    return self._run(x)
                return _plain(x)

        scale = Norm()
        """,
    "by a name that is kept": beside(
        "def other(self, x, way):\n    go = getattr(self.twin, way)\n    return go(x)"
    ),
    "by what calls methods": NORM + "\noperator.methodcaller('_run', torch.zeros(3))(scale)\n",
    "by what calls any method": NORM
    + "\noperator.methodcaller(os.environ['WAY'], torch.zeros(3))(scale)\n",
    "by what gets attributes": NORM + "\noperator.attrgetter(os.environ['WAY'])(scale)(3)\n",
    "by a walk over the class": NORM + "\nfor go in vars(Norm).values():\n    go(scale, 3)\n",
    "by the names of the class": NORM + "\nfor name in dir(scale):\n    getattr(scale, name)(3)\n",
    "by its table": NORM + "\nNorm.__dict__[os.environ['WAY']](scale, 3)\n",
    "by the table of its type": beside(
        "def other(self, x, way):\n    return type(self).__dict__[way](self, x)"
    ),
    "by a listing": NORM + "\nfor name, go in inspect.getmembers(scale):\n    go(3)\n",
    "in a text": NORM + "\nexec('scale._run(torch.zeros(3))')\n",
    "in a text that nobody sees": NORM + "\neval('scale.' + os.environ['WAY'] + '(3)')\n",
    "without getattr": NORM + "\nscale.__getattribute__(os.environ['WAY'])(3)\n",
    "a keyword": NORM + "\ndict(_run=1)\n",
    "by a decorator that keeps it": "WAYS = []\n\ndef keep(f):\n    WAYS.append(f)\n    return f\n"
    + NORM.replace("    def _run", "    @keep\n    def _run"),
    "a property that is read": NORM.replace(
        "    def _run(self, x", "    @property\n    def _run(self"
    ).replace("_fast(x)", "_fast(self.x)")
    + "\nprint(scale._run)\n",
    "by an operator": NORM.replace("_run", "__add__") + "\nscale + 3\n",
    "by a library's base": "import lightning\n"
    + NORM.replace("nn.Module", "lightning.LightningModule"),
    "by a second base": "import lightning\n"
    + NORM.replace("nn.Module", "nn.Module, lightning.Mixin"),
    "by a base of that base": """
        import lightning

        class Base(lightning.LightningModule):
            pass
        """
    + NORM.replace("nn.Module", "Base").replace("\n", "\n        "),
    "by a base nobody knows": "from more import *\n" + NORM.replace("nn.Module", "Anything"),
    "by a class that makes classes": "import making\n"
    + NORM.replace("nn.Module", "nn.Module, metaclass=making.Kept"),
    "by the module itself": NORM.replace("_run", "extra_repr"),
    "by who moves modules": NORM.replace("_run", "_apply"),
    "by who makes weights": NORM.replace("_run", "reset_parameters"),
    "by an enumeration": "import enum\n"
    + NORM.replace("nn.Module", "enum.Enum").replace("_run", "_missing_"),
}
"""What calls the method besides, in its own file."""


@pytest.mark.parametrize("case", CALLED)
def test_a_method_that_something_else_calls_is_needed(make_tree: MakeTree, case: str) -> None:
    assert guards(make_tree, CALLED[case]) == {"none"}


ELSEWHERE = {
    "a call": "ops.scale._run(torch.zeros(3))",
    "a call by the class": "from ops import Norm as N\nN._run(None, torch.zeros(3))",
    "below it": """
        class Mine(ops.Norm):
            def forward(self, x):
                return self._run(x)

        ops.scale = Mine()
        """,
    "a method below it": """
        class Mine(ops.Norm):
            def _run(self, x):
                return super()._run(x)

        ops.scale = Mine()
        """,
    "a class below it, by any name": """
        class Mine(ops.Norm):
            def pick(self, x):
                return getattr(self, os.environ["WAY"])(x)

        Mine().pick(torch.zeros(3))
        """,
    "a class two below it, by any name": """
        class Mine(ops.Norm):
            pass

        class Own(Mine):
            def pick(self, x):
                return getattr(self, os.environ["WAY"])(x)

        Own().pick(torch.zeros(3))
        """,
    "the end of its name, of an object": (
        "def go(kind):\n    return getattr(ops.scale, '_' + kind)(3)\n\ngo('run')"
    ),
    "beside it": """
        class Mixin:
            def forward(self, x):
                return self._run(x)

        class Mine(Mixin, ops.Norm):
            pass

        ops.scale = Mine()
        """,
    "its name": "getattr(ops.scale, '_run')(3)",
    "the end of its name": "def go(way):\n    getattr(ops.scale, way + '_run')(3)\n\ngo('')",
    "any name": "getattr(ops.scale, os.environ['WAY'])(3)",
    "any name of what is given": "def go(model, way):\n    return getattr(model, way)(3)",
    "any name, kept": "def go(model, way):\n    f = getattr(model, way)\n    return f(3)",
    "any name, kept in a member": """
        class Go:
            def __init__(self, model, way):
                self.f = getattr(model, way)
        """,
    "any name, handed on": "def go(model, ways):\n    return map(getattr(model, ways), [3])",
    "any name, answered": "def go(model, way):\n    return getattr(model, way)",
    "any name by default": "def go(model, way):\n    getattr(model, way, None)(3)",
    "by another word": "get = getattr\n\ndef go(model, way):\n    return get(model, way)(3)",
    "all names": "def go(model):\n    return [getattr(model, n)(3) for n in dir(model)]",
    "the table of a class": "def go(kind, way):\n    return kind.__dict__[way](None, 3)",
    "the other way round": "ops.Norm.forward = ops.Norm._run",
    "a copy": "class Mine(torch.nn.Module):\n    forward = ops.Norm._run\n\nMine()",
    "a name in a setting": "WAY = '_run'",
    "a name of another class": "class A:\n    def go(self, x):\n        x._run(3)\n\nA().go(3)",
}
"""What calls the method besides, in another file."""


@pytest.mark.parametrize("case", ELSEWHERE)
def test_a_method_that_another_file_may_call_is_needed(make_tree: MakeTree, case: str) -> None:
    assert guards(make_tree, NORM, ELSEWHERE[case]) == {"none"}


@pytest.mark.parametrize(
    "more",
    [
        "ops.scale._Norm__run(torch.zeros(3))",
        "getattr(ops.scale, '_Norm__run')(torch.zeros(3))",
        "def go(kind):\n    return getattr(ops.scale, 'visit_' + kind)(3)\n\ngo('run')",
    ],
)
def test_a_method_is_called_by_what_python_makes_of_its_name(
    make_tree: MakeTree, more: str
) -> None:
    name = "visit_run" if "visit" in more else "__run"
    assert guards(make_tree, NORM.replace("_run", name), more) == {"none"}


def test_a_private_method_is_guarded_if_nothing_says_its_whole_name(make_tree: MakeTree) -> None:
    assert guards(make_tree, NORM.replace("_run", "__run")) == {"fallback"}


def test_a_class_that_asks_itself_asks_no_other(make_tree: MakeTree) -> None:
    more = """
        class Own(torch.nn.Module):
            def pick(self, x):
                return getattr(self, os.environ["WAY"])(x)

        Own().pick(torch.zeros(3))
        """
    assert guards(make_tree, NORM, more) == {"fallback"}


def test_a_base_of_another_file_may_call_it(make_tree: MakeTree) -> None:
    base = "import lightning\n\nclass Base(lightning.LightningModule):\n    pass\n"
    ops = "from base import Base\n" + NORM.replace("nn.Module", "Base")
    assert guards(make_tree, ops, base=base) == {"none"}


def test_a_method_is_no_function_of_its_module(make_tree: MakeTree) -> None:
    """`ops_C.scale_rows` is native, whatever class has a method that is called so."""
    ops = NORM.replace("_run", "flash") + "\nfrom ops import flash\nflash(torch.zeros(3))\n"
    assert guards(make_tree, ops) == {"none"}


NO_WAY = {
    "a lambda that raises": "def _stop(e):\n    raise e\n\n_need = lambda x: _stop(ValueError(x))\n"
    + NORM.replace("_plain(x)", "_need(x)"),
    "an error": NORM.replace("return _plain(x)", "raise RuntimeError('needs CUDA')"),
    "another test": NORM.replace("x.is_cuda", "x.dim() == 2"),
    "forced as well": NORM.replace("x.is_cuda", "x.is_cuda or self.force"),
    "nothing": NORM.replace("return _plain(x)", "return None"),
    "a method that fails": beside("def slow(self, x):\n    raise NotImplementedError").replace(
        "return _plain(x)", "return self.slow(x)"
    ),
    "where there is no CUDA": NORM.replace("x.is_cuda", "not x.is_cuda"),
}


@pytest.mark.parametrize("case", NO_WAY)
def test_the_block_that_calls_it_has_to_be_a_guard(make_tree: MakeTree, case: str) -> None:
    assert guards(make_tree, NO_WAY[case]) <= {"none", "hard-fail"}
