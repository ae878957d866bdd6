"""What a Python file brings in, starts, does and uses: one small file at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from portaudit.catalogue import deeds
from portaudit.errors import CatalogueError
from portaudit.types import CodeFacts, Deed
from snippets import scan

TREE = {
    "pkg/__init__.py": "",
    "pkg/a.py": "",
    "pkg/b.py": "",
    "pkg/sub/__init__.py": "",
    "pkg/sub/c.py": "",
    "train.py": "",
}
HERE = "pkg/code.py"


def code(source: str, path: str = HERE, others: Mapping[str, str] = TREE) -> CodeFacts:
    result = scan({**others, path: source}, only=(path,))[path]
    assert not result.errors
    return result.facts.code


def names(source: str, path: str = HERE) -> list[str]:
    return [item.name for item in code(source, path).imports]


def told(source: str, path: str = HERE) -> list[tuple[int, str, str, str]]:
    return [(item.line, item.name, item.scope, item.guard) for item in code(source, path).imports]


def words(source: str) -> set[str]:
    found = code(source)
    texts = (found.words, *(option.words for option in found.options))
    return {word for text in texts for word in text.split()}


def does(source: str, path: str = HERE) -> dict[str, int]:
    return dict(code(source, path).does)


# --- imports: statements --------------------------------------------------------------------------


def test_every_taken_name_of_the_tree_is_an_import() -> None:
    source = """
        import torch
        import pkg.a
        import pkg.sub.c as c, os
        from pkg.b import first, second as other
        from pkg.sub import *
        from . import a
        from .sub.c import thing
        from .. import train
        from numpy import array
    """
    assert told(source) == [
        (2, "pkg.a", "", "none"),
        (3, "pkg.sub.c", "", "none"),
        (4, "pkg.b.first", "", "none"),
        (4, "pkg.b.second", "", "none"),
        (5, "pkg.sub", "", "none"),
        (6, ".a", "", "none"),
        (7, ".sub.c.thing", "", "none"),
        (8, "..train", "", "none"),
    ]


def test_an_import_over_several_lines_stands_where_its_statement_begins() -> None:
    source = """
        import os

        # what follows is ours
        from pkg.b import (
            first,
            second,
        )
        if os: from pkg.a import x; from pkg.a import y
    """
    assert [(line, name) for line, name, _, _ in told(source)] == [
        (4, "pkg.b.first"),
        (4, "pkg.b.second"),
        (8, "pkg.a.x"),
        (8, "pkg.a.y"),
    ]


def test_the_scope_is_the_function_that_imports() -> None:
    source = """
        class Model:
            from pkg import a

            def build(self):
                class Inner:
                    from pkg import b
                import pkg.sub
                return [__import__("train") for _ in self]

        def outer():
            def inner():
                import pkg.sub.c
    """
    assert told(source) == [
        (2, "pkg.a", "", "none"),
        (6, "pkg.b", "Model.build", "none"),
        (7, "pkg.sub", "Model.build", "none"),
        (8, "train", "Model.build", "none"),
        (12, "pkg.sub.c", "outer.inner", "none"),
    ]


def test_the_same_import_is_told_once_by_scope_and_guard() -> None:
    source = """
        import pkg.a
        import pkg.a

        def f():
            import pkg.a
        try:
            import pkg.a
        except ImportError:
            pass
    """
    assert told(source) == [
        (1, "pkg.a", "", "none"),
        (5, "pkg.a", "f", "none"),
        (7, "pkg.a", "", "import-guarded"),
    ]


def test_a_vendored_package_is_the_trees_and_an_installed_one_is_not() -> None:
    others = {**TREE, "apex/__init__.py": ""}
    source = "import apex\nimport triton"
    assert [item.name for item in code(source, "run.py", others).imports] == ["apex"]


# --- imports: guards ------------------------------------------------------------------------------

GUARDS = {
    "own module or nothing": (
        """
        try:
            from pkg.a import x
        except ImportError:
            x = None
        """,
        ("import-guarded", 1),
    ),
    "own module or another one": (
        """
        try:
            from pkg.a import x
        except ImportError:
            from pkg.b import x
        """,
        ("fallback", 1),
    ),
    "own module, or an end": (
        """
        try:
            from pkg.a import x
        except ImportError:
            from pkg.b import explain
            raise
        """,
        ("hard-fail", 1),
    ),
    "relative module or another one": (
        """
        try:
            from .a import x
        except ImportError:
            from .b import x
        """,
        ("fallback", 1),
    ),
    "must be there": (
        """
        try:
            from pkg.a import x
        except ImportError as error:
            raise RuntimeError("build it") from error
        """,
        ("hard-fail", 1),
    ),
    "with a library": (
        """
        try:
            import flash_attn
        except ImportError:
            flash_attn = None
        if flash_attn is not None:
            from pkg.a import x
        """,
        ("guarded", 1),
    ),
    "behind a library in one try": (
        """
        try:
            import flash_attn
        except ImportError:
            HAVE = False
        else:
            from pkg.a import x
        """,
        ("guarded", 1),
    ),
    "with CUDA, else another": (
        """
        import torch
        if torch.cuda.is_available():
            from pkg.a import x
        else:
            x = print
        """,
        ("fallback", 2),
    ),
    "behind a flag that is off": (
        """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--fused", action="store_true")
        args = parser.parse_args()
        if args.fused:
            from pkg.a import x
        """,
        ("guarded", 5),
    ),
    "behind a flag that is on": (
        """
        FUSED = True
        if FUSED:
            from pkg.a import x
        """,
        ("none", 0),
    ),
    "whatever the number of processes": (
        """
        import os
        if int(os.environ["WORLD_SIZE"]) > 1:
            from pkg.a import x
        """,
        ("none", 0),
    ),
    "by a helper": ("x, there = optional_import('pkg.a', name='x')", ("import-guarded", 1)),
    "or the test is skipped": (
        "import pytest\na = pytest.importorskip('pkg.a')",
        ("import-guarded", 2),
    ),
}


@pytest.mark.parametrize("case", GUARDS)
def test_guards_are_proved_as_those_of_findings(case: str) -> None:
    source, (guard, line) = GUARDS[case]
    found = code(source).imports[0]
    assert (found.guard, found.guard_by.line if found.guard_by else 0) == (guard, line)


def test_the_way_without_a_library_is_not_guarded() -> None:
    source = """
        try:
            from flash_attn import x
        except ImportError:
            from pkg.b import x
    """
    assert told(source) == [(4, "pkg.b.x", "", "none")]


@pytest.mark.parametrize(
    "condition", ["TYPE_CHECKING", "typing.TYPE_CHECKING", "torch.backends.mps.is_available()"]
)
def test_what_never_runs_or_only_elsewhere_is_left_out(condition: str) -> None:
    source = f"""
        import torch, typing
        from typing import TYPE_CHECKING
        if {condition}:
            from pkg.a import x
            y = "pkg.sub.c"
        else:
            from pkg.b import x
    """
    assert names(source) == ["pkg.b.x"]


def test_a_flag_of_another_module_is_asked_for() -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "",
        "pkg/flags.py": """
            try:
                import flash_attn
                HAVE = True
            except ImportError:
                HAVE = False
        """,
        HERE: """
            from .flags import HAVE
            if HAVE:
                from .a import x
        """,
    }
    found = scan(files, only=(HERE,))[HERE].facts.code.imports[1]
    assert (found.name, found.guard) == (".a.x", "guarded")
    assert found.guard_by is not None
    assert (found.guard_by.path, found.guard_by.line) == ("pkg/flags.py", 1)


# --- imports: by a string -------------------------------------------------------------------------

STRINGS = {
    "import_module": ("import importlib\nimportlib.import_module('pkg.a')", ["pkg.a"]),
    "under a name": ("from importlib import import_module\nimport_module('train')", ["train"]),
    "by keyword": ("import importlib\nimportlib.import_module(name='train')", ["train"]),
    "through a constant": (
        "import importlib\nNAME = 'train'\nimportlib.import_module(NAME)",
        ["train"],
    ),
    "__import__": ("__import__('pkg.sub.c')", ["pkg.sub.c"]),
    "in the own package": (
        "import importlib\nimportlib.import_module('.a', package=__package__)",
        [".a"],
    ),
    "in the own package by its name": (
        "import importlib\nimportlib.import_module('.a', __name__)",
        [".a"],
    ),
    "in another package": (
        "import importlib\nimportlib.import_module('.c', 'pkg.sub')",
        ["pkg.sub.c"],
    ),
    "beside another package": (
        "import importlib\nimportlib.import_module('..a', 'pkg.sub')",
        ["pkg.a"],
    ),
    "above all packages": ("import importlib\nimportlib.import_module('...train', 'pkg.sub')", []),
    "not known": ("import importlib\nimportlib.import_module(f'pkg.{name}')", []),
    "of others": ("import importlib\nimportlib.import_module('flash_attn')", []),
    "Hydra": ("conf = {'_target_': 'pkg.a.Model', 'width': 3}", ["pkg.a.Model"]),
    "registry": ("LAYERS = {'attn': 'pkg.sub.c.Attention', 'x': 'torch.nn.Linear'}", None),
    "module and member": ("ENTRY = 'pkg.a:main'", ["pkg.a.main"]),
    "OpenMMLab": ("custom_imports = dict(imports=['pkg.a', 'train'])", ["pkg.a", "train"]),
    "OpenMMLab, something else": ("custom_imports = dict(allowed=['train'])", []),
    "OpenMMLab, written out": ("custom_imports = {'imports': ['train']}", ["train"]),
    "OpenMMLab, in a config": ("cfg = dict(custom_imports=dict(imports=['train']))", ["train"]),
    "a single word": ("kind = 'train'\nother = dict(imports=['train'])", []),
    "a file": ("weights = 'pkg.pth'\nopen('train.py')", []),
    "a sentence": ("text = 'see pkg.a for more'", []),
    "a docstring": ("def f():\n    'pkg.a'", []),
    "the docstring of the file": ("'pkg.a'", []),
    "a comment": ("x = 1  # 'pkg.a'", []),
    "a message": ("print('pkg.a')", []),
    "a logger": ("import logging\nlog = logging.getLogger('pkg.a')", []),
    "what is offered": ("__all__ = ['pkg.a']", []),
    "a word in bytes": ("x = b'pkg.a'", []),
}


@pytest.mark.parametrize("case", STRINGS)
def test_modules_that_a_string_names(case: str) -> None:
    source, expected = STRINGS[case]
    found = [item for item in code(source).imports if item.named]
    wanted = ["pkg.sub.c.Attention"] if expected is None else expected
    assert [item.name for item in found] == wanted
    assert len(found) == len(code(source).imports)


def test_a_string_has_the_line_the_scope_and_the_guard_of_its_place() -> None:
    source = """
        import torch

        def build():
            if torch.cuda.is_available():
                return make(
                    kind="pkg.a.Fast",
                )
    """
    (found,) = code(source).imports
    assert (found.line, found.scope, found.guard) == (6, "build", "guarded")


# --- imports: tables of a lazy module -------------------------------------------------------------

LAZY = {
    "_LazyModule": (
        """
        import sys
        from .import_utils import _LazyModule
        _import_structure = {"a": ["First", "second"], "sub.c": ["Third"]}
        if torch_is_there:
            _import_structure["b"] = ["Fourth"]
            _import_structure["b"].append("Fifth")
            _import_structure["b"].extend(["Sixth"])
        sys.modules[__name__] = _LazyModule(__name__, __file__, _import_structure)
        """,
        [
            (3, ".a.First"),
            (3, ".a.second"),
            (3, ".sub.c.Third"),
            (5, ".b.Fourth"),
            (6, ".b.Fifth"),
            (7, ".b.Sixth"),
        ],
    ),
    "by its name": (
        """
        _import_structure = {"a": ["First"]}
        sys.modules[__name__] = OnDemand(__name__, _import_structure)
        """,
        [(1, ".a.First")],
    ),
    "lazy_loader": (
        """
        import lazy_loader as lazy
        __getattr__, __dir__, __all__ = lazy.attach(
            __name__,
            submodules={"a"},
            submod_attrs={"sub.c": ["Third"]},
        )
        """,
        [(4, ".a"), (5, ".sub.c.Third")],
    ),
    "own __getattr__, names to modules": (
        """
        import importlib
        _TABLE = {"First": ".a", "Second": "pkg.b", "Third": "sub.c", "Fourth": "pkg.b.Fourth"}
        OTHER = {"no": "table"}
        def __getattr__(name):
            return getattr(importlib.import_module(_TABLE[name], __name__), name)
        """,
        [(2, ".a.First"), (2, "pkg.b.Second"), (2, ".sub.c.Third"), (2, "pkg.b.Fourth")],
    ),
    "own __getattr__, names to modules and members": (
        """
        _TABLE = {"First": ("pkg.a", "first"), "Second": (".b", "Second")}
        def __getattr__(name):
            module, member = _TABLE[name]
        """,
        [(1, "pkg.a.first"), (1, ".b.Second")],
    ),
}


@pytest.mark.parametrize("case", LAZY)
def test_tables_of_what_is_imported_when_it_is_asked_for(case: str) -> None:
    source, expected = LAZY[case]
    facts = code(source, "pkg/__init__.py")
    found = [item for item in facts.imports if item.named]
    assert [(item.line, item.name) for item in found] == expected
    assert {item.scope for item in found} == {"__getattr__"}
    members = {name.rpartition(".")[2] for _, name in expected}
    assert members.isdisjoint(facts.words.split())


def test_a_dictionary_that_no_getattr_reads_is_no_table() -> None:
    source = """
        COLOURS = {"a": ["red"], "First": ".b"}
        def __getattr__(name):
            raise AttributeError(name)
    """
    assert names(source, "pkg/__init__.py") == []


# --- the main guard -------------------------------------------------------------------------------

MAIN = {
    "usual": ('import os\nif __name__ == "__main__":\n    run()', 2),
    "the other way round": ('if "__main__" == __name__:\n    run()', 1),
    "with more": ('x = 1\n\nif x and __name__ == "__main__":\n    run()', 3),
    "one of two": ('if __name__ in ("__main__", "__mp_main__"):\n    run()', 1),
    "behind another": ('if x:\n    pass\nelif __name__ == "__main__":\n    run()', 3),
    "not": ('if __name__ != "__main__":\n    raise SystemExit', 0),
    "another name": ('if __name__ == "pkg.code":\n    run()', 0),
    "in a function": ('def f():\n    if __name__ == "__main__":\n        run()', 0),
    "in a value": ('x = 1 if __name__ == "__main__" else 2', 0),
    "in a comment": ("# if __name__ == '__main__':\nrun()", 0),
}


@pytest.mark.parametrize("case", MAIN)
def test_main_guard(case: str) -> None:
    source, line = MAIN[case]
    assert code(source).main == line


# --- deeds ----------------------------------------------------------------------------------------

DEEDS = {
    "loss": ("loss.backward()", {"backward"}),
    "loss of a call": ("scaler.scale(loss).backward()", {"backward"}),
    "accelerate": ("accelerator.backward(loss)", {"backward"}),
    "defined only": ("class F:\n    def backward(ctx, g):\n        return g", set()),
    "made": ("import torch.optim as o\nopt = o.AdamW(p)", {"optimizer"}),
    "made by module": ("from torch.optim.adamw import AdamW\nAdamW(p)", {"optimizer"}),
    "a schedule": ("from torch.optim.lr_scheduler import StepLR\nStepLR(x)", set()),
    "stepped": ("optimizer.step()", {"optimizer"}),
    "stepped, of an object": ("self.optimizer_g.step()", {"optimizer"}),
    "scaled": ("scaler.step(optimizer)", {"optimizer"}),
    "another step": ("env.step(action)\nscheduler.step()\nprofiler.step()", set()),
    "DeepSpeed": ("import deepspeed\ndeepspeed.initialize(model=m)", {"optimizer"}),
    "Lightning": ("import lightning as L\nL.Trainer().fit(m)", {"fit"}),
    "Transformers": ("from transformers import Trainer\nTrainer(m).train()", {"fit"}),
    "TRL": ("from trl import SFTTrainer\nt = SFTTrainer(m)\nt.train()", {"fit"}),
    "MMEngine": (
        "from mmengine.runner import Runner\nr = Runner.from_cfg(c)\nrunner = r\nrunner.train()",
        {"fit"},
    ),
    "the tree's trainer": ("from pkg.a import MyTrainer\nMyTrainer(c).train()", {"fit"}),
    "its object": ("from pkg.a import MyTrainer\nt = MyTrainer(c)\nt.train()", {"fit"}),
    "the file's trainer": (
        "class RunTrainer:\n    def train(self): pass\nx = RunTrainer()\nx.train()",
        {"fit"},
    ),
    "a function": ("def train(x): pass\ntrain(1)", {"fit"}),
    "a function of the tree": ("from pkg import a\na.train_one_epoch(1)", {"fit"}),
    "a function of a module of the tree": ("from pkg import a\na.validation(1)", {"evaluate"}),
    "what is made on the spot": ("get_trainer(c).fit(m)", {"fit"}),
    "a function of a star": ("from pkg.a import *\ntrain_one_epoch(1)", {"fit"}),
    "a function under another name": ("from pkg.a import train as go\ngo(1)", {"fit"}),
    "another function under its name": ("from pkg.a import other as train\ntrain(1)", set()),
    "a mode": ("model.train()\nself.train()\nnet.eval()", set()),
    "Keras": ("model.fit(data)", {"fit"}),
    "scikit-learn": ("from sklearn.preprocessing import Scale\nScale().fit(x)", set()),
    "of a split": (
        "from sklearn.model_selection import train_test_split\ntrain_test_split(x)",
        set(),
    ),
    "named only": ("def train(x): pass", set()),
    "a parameter": ("def f(train):\n    train(1)", set()),
    "trainer tests": ("trainer.test(m)", {"evaluate"}),
    "runner validates": ("runner.val()", {"evaluate"}),
    "a function validates": ("from pkg.a import evaluate\nevaluate(m)", {"evaluate"}),
    "of data": ("import jsonschema\njsonschema.validate(x, s)\nvalidator.validate(x)", set()),
    "metrics": ("import torchmetrics\nacc = torchmetrics.Accuracy()", {"evaluate"}),
    "text": ("model.generate(ids)", {"generate"}),
    "serving": ("from vllm import LLM\nLLM('x')", {"generate"}),
    "images": ("diffusion.p_sample_loop(x)", {"generate"}),
    "numbers": ("import random\nrandom.sample(x, 3)\nbox_sampler.sample(x)", set()),
    "ONNX": ("import torch\ntorch.onnx.export(m, x)", {"export"}),
    "TorchScript": ("import torch\ntorch.jit.trace(m, x).save('m.pt')", {"export"}),
    "TorchScript by name": ("import torch\nt = torch.jit.script(m)\nt.save('m')", {"export"}),
    "scripted only": ("import torch\nm = torch.jit.script(m)", set()),
    "argparse": ("import argparse\np = argparse.ArgumentParser()", {"options"}),
    "click": ("import click\n@click.command()\ndef main(): pass", {"options"}),
    "bare decorator": ("from draccus import wrap\n@wrap\ndef main(c): pass", {"options"}),
    "Hydra": ("import hydra\n@hydra.main(version_base=None)\ndef main(c): pass", {"options"}),
    "tap": ("from tap import Tap\nclass Args(Tap):\n    x: int = 1", {"options"}),
    "the list itself": ("import sys\nprint(sys.argv[1])", {"options"}),
    "the tree's parser": ("from pkg.a import get_args_parser\nget_args_parser()", {"options"}),
    "other kinds of type": ("import typing\ntyping.get_args(x)\nsys.path", set()),
    "data set": ("ds.save_to_disk('x')", {"write"}),
    "shards": ("from streaming import MDSWriter\nMDSWriter(out='x')", {"write"}),
    "tokenizer": (
        "import sentencepiece as spm\nspm.SentencePieceTrainer.train(input='x')",
        {"write"},
    ),
}


@pytest.mark.parametrize("case", DEEDS)
def test_deeds(case: str) -> None:
    source, expected = DEEDS[case]
    assert does(source).keys() == expected


def test_a_deed_has_its_first_line() -> None:
    source = """
        import torch

        def step(model):
            (
                loss(model)
                .backward()
            )
            other.backward()
            torch.optim.SGD(p).step()
    """
    assert does(source) == {"backward": 6, "optimizer": 9}


def test_all_lines_that_may_train_are_told() -> None:
    source = """import torch
def check(loss):
    loss.backward()
def epoch(loss, trainer, model):
    loss.backward()
    trainer.fit(model)
    torch.autograd.grad(loss, [])
    model.eval()
"""
    assert code(source).trains == (3, 5, 6, 7)


@pytest.mark.parametrize(
    ("head", "base", "lines"),
    [
        ("import ops_C", "torch.autograd.Function", ()),
        ("from state import ops_C", "torch.autograd.Function", (6,)),
        ("import ops_C", "Trainer", (6,)),
    ],
)
def test_a_derivative_that_a_module_has_is_no_training(
    head: str, base: str, lines: tuple[int, ...]
) -> None:
    source = f"""
        import torch
        {head}
        class Scale({base}):
            @staticmethod
            def backward(ctx, grad):
                return ops_C.backward(grad)
        """
    assert code(source).trains == lines


NO_GRADIENTS = {
    "decorated": "@torch.no_grad()\ndef main(): pass",
    "decorated without a call": "@torch.no_grad\ndef main(): pass",
    "named in the guard": """
@torch.inference_mode()
def run(): pass
if __name__ == "__main__":
    start(run)
""",
    "called by the file": "@torch.inference_mode()\ndef run(): pass\nrun()",
    "a block in the guard": """
if __name__ == "__main__":
    with torch.no_grad():
        run()
""",
    "a block of main": "def main():\n    x = 1\n    with torch.no_grad():\n        run()",
    "a block that is tried": "try:\n    with torch.no_grad():\n        run()\nfinally:\n    end()",
    "for all": "torch.set_grad_enabled(False)\nrun()",
    "for all of main": "def main():\n    torch.set_grad_enabled(mode=False)",
}
GRADIENTS = {
    "another function": "@torch.no_grad()\ndef norm(): pass\ndef main():\n    norm()",
    "a method": "class A:\n    @torch.no_grad()\n    def main(self): pass",
    "deep in main": "def main():\n    for x in y:\n        with torch.no_grad():\n            f()",
    "evaluation of what trains": """
@torch.no_grad()
def test(): pass
def main():
    loss.backward()
test()
""",
    "switched on": "torch.set_grad_enabled(True)\nwith torch.no_grad(False):\n    run()",
    "not known": "torch.set_grad_enabled(training)",
    "another context": "with torch.autocast('cuda'):\n    run()",
}


@pytest.mark.parametrize("case", NO_GRADIENTS)
def test_without_gradients_from_the_top(case: str) -> None:
    assert "no-grad" in does("import torch\n" + NO_GRADIENTS[case])


@pytest.mark.parametrize("case", GRADIENTS)
def test_with_gradients(case: str) -> None:
    assert "no-grad" not in does("import torch\n" + GRADIENTS[case])


# --- the table of deeds ---------------------------------------------------------------------------


@pytest.mark.parametrize("sign", deeds.signs(), ids=lambda sign: sign.does)
def test_what_tells_of_a_deed_can_be_met(sign: deeds.Signs) -> None:
    assert sign.names or sign.methods or sign.functions
    assert all("." in name for name in (*sign.names, *sign.attributes))
    assert all(name.isidentifier() for name in (*sign.methods, *sign.functions))
    assert all(word == word.lower() for word in sign.of)
    assert sign.methods or not sign.of


def test_every_deed_is_told_of() -> None:
    assert {sign.does for sign in deeds.signs()} == set(get_args(Deed))


@pytest.mark.parametrize("content", ["deed = [", '[[deed]]\ndoes = "sing"', None])
def test_a_table_that_cannot_be_read_is_named(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "_data").mkdir()
    if content is not None:
        (tmp_path / "_data/deeds.toml").write_text(content)
    monkeypatch.setattr(deeds, "builtin_rules", lambda: tmp_path)
    with pytest.raises(CatalogueError, match=r"deeds\.toml"):
        deeds.signs.__wrapped__()


# --- words ----------------------------------------------------------------------------------------


def test_words_are_sorted_unique_and_identifiers() -> None:
    facts = code("b(a, b)\nx = 'pkg.a:'\ny = 'a..b'\nz = ':'\nw = 'é'")
    found = facts.words.split(" ")
    assert found == sorted(set(found))
    assert all(word.isidentifier() for word in found)


WORDS = {
    "a call": "target(1)",
    "an argument": "f(target)",
    "a value": "x = target",
    "an attribute": "ops.target(1)",
    "an attribute that is set": "ops.target = f",
    "what an attribute is taken from": "target.x",
    "a keyword": "f(target=1)",
    "a decorator": "@target\ndef f(): pass",
    "a base": "class A(target): pass",
    "a keyword of a class": "class A(metaclass=target): pass",
    "a default": "def f(x=target): pass",
    "what a loop goes over": "for x in target: pass",
    "an exception": "try:\n    f()\nexcept target:\n    pass",
    "a name in an f-string": "f'{target}'",
    "an added value": "x += target",
    "an item": "x[target]",
    "what is asked about": "isinstance(target, A)",
    "a class that is made where it is asked for": "isinstance(x, target())",
    "a member of a class that is made where it is asked for": "isinstance(x, Target.of(y))",
    "what is made where something is none": "if not isinstance(x, Target):\n    x = Target(x)",
    "what is made where something may be one": "if isinstance(x, Target) or y:\n    Target(x)",
    "what is made of something else": "if isinstance(x, (A, Target)):\n    Target(x)",
    "what is made otherwise": "if isinstance(x, Target):\n    f()\nelse:\n    Target(x)",
    "what is made where something is another": "if isinstance(x, A):\n    Target(x)",
    "what is made later": (
        "if isinstance(x, Target):\n    def f():\n        return Target(x)\n    g(f)"
    ),
    "a module of which a class is asked for": "if isinstance(x, target.A):\n    target.go(x)",
    "a string": "getattr(ops, 'target')",
    "a dotted string": "x = 'a.b.target'",
    "a class in a dotted string": "x = 'a.Target.make'",
    "a member in a string": "x = 'a.b:target'",
    "a class and its member in a string": "x = 'a:target.run'",
    "a joined string": "x = 'tar' 'get'",
    "an annotation of a parameter": "def f(x: Optional[target]): pass",
    "an annotation of a field": "class A:\n    x: target",
    "an annotation in a string": "def f(x: 'list[target]'): pass",
    "used beside its definition": "def target(): pass\ntarget()",
    "a member in a class of its name": "class target:\n    x = ops.target(1)",
    "imported by another name": "from pkg.a import target as t\nt()",
    "given another meaning inside": "class A:\n    def target(self):\n        return target()",
}
NOT_WORDS = {
    "a function": "def target(): pass",
    "a class": "class target: pass",
    "a method": "class A:\n    def target(self): pass",
    "a variable": "target = 1",
    "a variable of several": "x, (target, y) = f()",
    "a variable of a loop": "for target in x: pass",
    "a variable of a loop, of several": "for i, target in x: pass",
    "a parameter": "def f(target): pass",
    "an alias": "with f() as target: pass",
    "a deleted name": "del target",
    "a class that is only asked for": "if isinstance(x, target): pass",
    "one of several that are only asked for": "if issubclass(x, (int, ops.target)): pass",
    "a class in a class that is only asked for": "if isinstance(x, Target.Config): pass",
    "a class in one of a module": "if isinstance(x, (A, Target.Net.Config)): pass",
    "a class of which there is one": "if isinstance(x, Target):\n    x = Target(x.size)",
    "one that is asked for besides": (
        "if y and isinstance(x, Target.Config):\n    x.a = Target.Config(x.size)"
    ),
    "where it returned otherwise": (
        "def f(x):\n    if not isinstance(x, Target):\n        return x\n    return Target(x.size)"
    ),
    "where it is not none or another thing": (
        "if not isinstance(x, Target) or y:\n    f()\nelse:\n    Target(x)"
    ),
    "one of a later branch": "if x:\n    f()\nelif isinstance(x, Target):\n    y = Target(x)",
    "an import": "import target",
    "a from import": "from target import target",
    "a re-export": "from pkg.a import target as target",
    "what is offered": "__all__ = ['target']",
    "what is offered, annotated": "__all__: list[str] = ['target']",
    "what is offered, more": "__all__ = []\n__all__ += ['target']\n__all__.append('target')",
    "a docstring": "def f():\n    'target'",
    "the docstring of the file": "'target'",
    "a comment": "x = 1  # target",
    "a part of an f-string": "getattr(ops, f'target{x}')",
    "a sentence": "x = 'the target'",
    "the front of a dotted string": "x = 'target.other'",
    "itself": "def target(x):\n    return target(x - 1)",
    "a member of its name": "def target(x):\n    return ops.target(x)",
    "a member in a function inside": "def target():\n    def f(x):\n        x.target()",
    "its own class": "class target(A):\n    def f(self):\n        super(target, self).f()",
}


@pytest.mark.parametrize("case", WORDS)
def test_a_word_is_used(case: str) -> None:
    assert not words(WORDS[case]).isdisjoint({"target", "Target"})


@pytest.mark.parametrize("case", NOT_WORDS)
def test_a_word_is_only_defined_or_handed_on(case: str) -> None:
    assert words(NOT_WORDS[case]).isdisjoint({"target", "Target"})


OWN = {
    "a function": "def target(): pass\ntarget()",
    "a class": "class target: pass\nx = [target]",
    "one of two definitions": (
        "if x:\n    def target(): pass\nelse:\n    class target: pass\ntarget()"
    ),
    "a base": "class target: pass\nclass A(target): pass",
    "an annotation": "class target: pass\ndef f(x: target): pass",
    "an annotation in a string": "class target: pass\ndef f(x: 'list[target]'): pass",
    "a function in a function": "def f():\n    def target(): pass\n    return target",
    "a method in its class": "class A:\n    def target(self): pass\n    x = target",
    "what is offered": "__all__ = ['target']\ndef target(): pass\ntarget()",
}
NOT_OWN = {
    "brought in": "from pkg.a import target\ntarget()",
    "brought in where it may be": (
        "try:\n    from pkg.a import target\nexcept ImportError:\n    def target(): pass\ntarget()"
    ),
    "brought in by one function": (
        "def target(): pass\ntarget()\ndef f():\n    from pkg.a import target\n    target()"
    ),
    "brought in by another name": (
        "from pkg.a import target as t\ndef target(): pass\ntarget()\nt()"
    ),
    "brought in with a star": "from pkg.a import *\ndef target(): pass\ntarget()",
    "given another value": "def target(): pass\ntarget = fast(target)\ntarget()",
    "given one by a function": (
        "def target(): pass\ndef f():\n    global target\n    target = fast()\ntarget()"
    ),
    "added to": "def target(): pass\ndef f(target):\n    return target\ntarget()",
    "of a module": "def target(): pass\ntarget()\nops.target()",
    "a keyword": "def target(): pass\ntarget()\nf(target=1)",
    "a string": "def target(): pass\ntarget()\nf('target')",
    "of a class in a function of it": (
        "class A:\n    def target(self): pass\n    def f(self):\n        return target"
    ),
    "of nowhere": "target()",
}


@pytest.mark.parametrize("case", OWN)
def test_a_word_may_mean_what_the_file_defines(case: str) -> None:
    facts = code(OWN[case])
    assert "target" in words(OWN[case])
    assert "target" in facts.own.split()


@pytest.mark.parametrize("case", NOT_OWN)
def test_a_word_may_mean_something_else(case: str) -> None:
    assert "target" in words(NOT_OWN[case])
    assert "target" not in code(NOT_OWN[case]).own.split()


# --- other ways to a file -------------------------------------------------------------------------


def test_a_file_that_is_damaged_tells_what_can_be_read() -> None:
    source = "import pkg.a\nprint 'x'\nif __name__ == '__main__':\n    loss.backward()\n"
    result = scan({**TREE, HERE: source}, only=(HERE,))[HERE]
    assert result.errors
    facts = result.facts.code
    assert [item.name for item in facts.imports] == ["pkg.a"]
    assert (facts.main, facts.does) == (3, (("backward", 4),))


def test_a_notebook_tells_the_same_with_the_lines_of_its_file() -> None:
    cells = [
        ["import torch\n", "from pkg.a import x\n"],
        ["if torch.cuda.is_available():\n", "    import pkg.b\n", "loss.backward()\n"],
    ]
    document = {
        "cells": [
            {"cell_type": "code", "id": f"c{number}", "metadata": {}, "outputs": [], "source": cell}
            for number, cell in enumerate(cells)
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(document, indent=1)
    result = scan({**TREE, "note.ipynb": text}, only=("note.ipynb",))["note.ipynb"]

    def line(part: str) -> int:
        return next(n for n, row in enumerate(text.split("\n"), start=1) if part in row)

    first, second = result.facts.code.imports
    assert (first.name, first.line) == ("pkg.a.x", line("from pkg.a"))
    assert (second.name, second.line) == ("pkg.b", line("import pkg.b"))
    assert second.guard_by is not None
    assert second.guard_by.line == line("is_available")
    assert dict(result.facts.code.does) == {"backward": line("backward")}
    assert {"loss", "backward"} <= set(result.facts.code.words.split())


def test_other_kinds_of_files_have_no_code() -> None:
    result = scan({"run.sh": "python train.py --backward"})["run.sh"]
    assert result.facts.code == CodeFacts()
