"""Names that code elsewhere may call unseen, and the settings files that Python code names."""

from __future__ import annotations

import pytest

from portaudit.types import CodeFacts
from snippets import FILE, scan


def facts(text: str, **others: str) -> CodeFacts:
    files = {FILE: text} | {path.replace("__", "/") + ".py": more for path, more in others.items()}
    return scan(files)[FILE].facts.code


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(): pass", ""),
        ("@register\ndef f(): pass", "f"),
        ("@HOOKS.on_start()\nclass Net: pass", "Net"),
        ("@MODELS.register_module()\nclass Net: pass", ""),
        ("from hydra import main\n@main()\ndef run(cfg): pass", "run"),
        ("import torch\n@torch.no_grad()\ndef f(): pass", ""),
        ("import torch\n@torch.library.custom_op('a::b')\ndef f(): pass", "f"),
        ("import functools\n@functools.cache\ndef f(): pass", ""),
        ("class A:\n    @property\n    def b(self): pass", ""),
        ("class A:\n    @b.setter\n    def b(self, value): pass", ""),
        ("class A:\n    def go(self): pass", ""),
        ("class A(object):\n    def go(self): pass", ""),
        ("class A(Generic[T]):\n    def go(self): pass", ""),
        ("import torch\nclass A(torch.nn.Module):\n    def go(self): pass", "go"),
        ("class A(Base[T]):\n    def go(self): pass", "go"),
        ("class B: pass\nclass A(B): pass", "A<B"),
        ("class B:\n    def __init_subclass__(cls): pass", ""),
        ("class B(metaclass=Registry): pass", "<B"),
        ("class B(metaclass=ABCMeta): pass", ""),
        ("print(B.__subclasses__())", "<B"),
        ("from a import long_name as short", "long_name"),
        ("import numpy as np", "numpy"),
        ("from a import b", ""),
        ("def f():\n    from a import long_name as short", "long_name"),
        ("globals()[name]()", ".*"),
        ("__all__ = [k for k in globals().keys() if not k.startswith('_')]", ""),
        ("__all__ = [globals()[k] for k in globals().keys()]", ".*"),
        ("__all__ = [v for v in globals().values()]", ".*"),
        ("names = [k for k in globals().keys()]", ".*"),
        ("import sys\ngetattr(sys.modules[__name__], name)", ".*"),
        ("import models\nmodels.__dict__[name]()", "models.() models.*"),
        ("import models\ngetattr(models, name)", "models.() models.*"),
        ("import models\ngetattr(models, f'net_{name}')", "models.() models.*"),
        ("import models\ngetattr(models.net, 'visit_' + name)", "models.net.() models.net.*"),
        ("net._Net__run(1)", "__run"),
        ("getattr(net, '_Net__run')(1)", "__run"),
        ("net.__run__(1)", ""),
        ("import models\ngetattr(models, 'net')", ""),
        ("from models import get\nnet = get()\ngetattr(net, f'ab_{name}')", "ab_* models.get().*"),
        ("def get(): ...\nnet = get()\nnet.__dict__[name]()", ".() get().*"),
        ("getattr(net, way)(1)", ".()"),
        ("getattr(args, way)", ""),
        ("print(getattr(net, way))", ""),
        ("vars(net)", ".()"),
        ("reduce(getattr, ways, net)", ".()"),
        ("import torch\ngetattr(torch, name)", ""),
        ("class A:\n    def a(self):\n        getattr(self, x)()\n    def b(self): pass", "a b"),
        ("class A:\n    def a(self):\n        getattr(self, 'b')()\n    def b(self): pass", ""),
        ("getattr()", ""),
    ],
)
def test_what_may_be_called_unseen(text: str, names: str) -> None:
    assert facts(text, models="").offered == names


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("_base_ = '../base/a.py'", ["../base/a.py"]),
        ("_base_ = ['../a.py', './b.py']", ["../a.py", "./b.py"]),
        ("import hydra\n@hydra.main(config_path='conf', config_name='top')\ndef f(c): pass",
         ["conf/top.yaml"]),
        ("import hydra\n@hydra.main('conf', 'top')\ndef f(c): pass", ["conf/top.yaml"]),
        ("import hydra\n@hydra.main(config_path=None, config_name='top')\ndef f(c): pass",
         ["top.yaml"]),
        ("import hydra\n@hydra.main(config_name=name)\ndef f(c): pass", []),
        (("from hydra import compose, initialize\ninitialize(config_path='conf')\n"
          "compose(config_name='top')"), ["conf/top.yaml"]),
        ("import hydra\nhydra.initialize_config_module('pkg.conf')\nhydra.compose('a/top')",
         ["pkg/conf/a/top.yaml"]),
        (("import hydra, os\nd = os.path.join(os.path.dirname(__file__), 'conf')\n"
          "with hydra.initialize_config_dir(config_dir=d):\n    hydra.compose('top.yml')"),
         ["conf/top.yml", "top.yml"]),
        ("import hydra\nhydra.initialize(None)\nhydra.compose('top')", ["top.yaml"]),
        ("import hydra\nhydra.compose(config_name=args.name)", []),
        ("parser.add_argument('--config', default='configs/a.yaml')", ["configs/a.yaml"]),
        ("open('ds_config.json')", ["ds_config.json"]),
        ("'''See a.yaml.'''", []),
        ("open('weights.bin')", []),
        ("open('http://x/a.yaml')", []),
    ],
)  # fmt: skip
def test_settings_that_code_names(text: str, files: list[str]) -> None:
    found = facts(text).imports
    assert [item.name for item in found if item.named] == files
    assert all(item.guard == "none" and not item.scope for item in found)


HOOK = """
REGISTRY = {{}}

class B:
    table = {{}}

    {head}
        super().__init_subclass__(**kwargs)
        {line}
"""
KEEPING = (
    "REGISTRY[cls.__name__] = cls",
    "cls.table[cls.__name__] = cls",
    "B.last = cls",
    "B.table.update({cls.__name__: cls})",
    "register(cls)",
    "register(x=cls)",
    "cls.register()",
    "REGISTRY[cls.__name__] = cls.build",
    "REGISTRY['x'] = cls.Config",
    "net = cls",
    "net = cls.table; net.last = cls",
    "config = cls.__dict__['Config']; REGISTRY['x'] = config",
    "config = cls.__dict__['Config']; register(config)",
    "global NET; NET = cls",
    "REGISTRY['x'] = lambda: cls()",
    "REGISTRY['x'] = [cls]",
    "REGISTRY.update(locals())",
    "for each in cls.parts: each.net = cls",
    "x: type = cls",
    "return cls",
)
LOOKING = (
    "pass",
    "cls.kind = cls.__name__.lower()",
    "cls.kind = 'x'; cls.size = 8",
    "if not hasattr(cls, 'build'): raise TypeError(f'{cls.__name__} has none')",
    "if issubclass(cls, Other): print(cls)",
    "if 'Config' in cls.__dict__: cls.has = True",
    "config = cls.__dict__['Config']; config.owner = cls",
    "config = cls.__dict__.get('Config'); config.owner = cls",
    "NAMES.append(cls.__name__)",
)
HEADS = ("def __init_subclass__(cls, **kwargs):", "def __init_subclass__(cls, /, **kwargs):")


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("line", KEEPING)
def test_a_base_that_may_keep_the_classes_below_it(line: str, head: str) -> None:
    assert "<B" in facts(HOOK.format(head=head, line=line)).offered.split()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("line", LOOKING)
def test_a_base_that_only_looks_at_the_classes_below_it(line: str, head: str) -> None:
    assert "<B" not in facts(HOOK.format(head=head, line=line)).offered.split()


def test_a_hook_that_somebody_else_has() -> None:
    assert "<B" in facts(HOOK.format(head="@told\n    " + HEADS[0], line="pass")).offered.split()
    assert "<B" in facts("class B:\n    __init_subclass__ = hook").offered.split()
