"""What the main path needs though no name says so: whole trees, from files to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]
CUDA = "import torch\ntorch.cuda.synchronize()\n"
CALLED = "import torch\ndef {name}():\n    torch.cuda.synchronize()\n"
TRAIN = """
import torch
{head}

if __name__ == "__main__":
    {body}
    torch.zeros(3).backward()
"""


def train(head: str, body: str = "main()") -> str:
    return TRAIN.format(head=dedent(head).strip(), body=body)


def reached(root: Path) -> dict[str, str | None]:
    report = report_of(root)
    return {
        f"{item.path}:{item.scope}".rstrip(":"): item.reach
        for item in report.findings
        if item.rule.startswith("DEV")
    }


PACKAGE = {
    "models/__init__.py": "",
    "models/net.py": CUDA,
    "other/__init__.py": "",
    "other/x.py": CUDA,
}
NAMED = {
    "f-string": 'importlib.import_module(f"models.{name}")',
    "sum": 'importlib.import_module("models." + name)',
    "percent": 'importlib.import_module("models.%s" % name)',
    "format": 'importlib.import_module("models.{}".format(name))',
    "format in a package": 'importlib.import_module(".{}".format(name), package="models")',
    "joined": 'importlib.import_module(".".join(["models", name]))',
    "beginning of a name": 'importlib.import_module(f"models.n{name}")',
    "ending": 'importlib.import_module("models.%st" % name)',
    "built in": '__import__("models." + name, fromlist=["x"])',
    "a path": 'importlib.import_module(("models/" + name).replace("/", "."))',
    "for a helper": 'load(f"models.sub.{name}.Net")',
}


@pytest.mark.parametrize("case", NAMED)
def test_a_name_of_which_the_beginning_is_known(case: str, make_tree: MakeTree) -> None:
    head = f"""
    import importlib
    from helpers import load
    def main(name):
        {NAMED[case]}
    """
    files = {"train.py": train(head), **PACKAGE, "helpers.py": "def load(x): pass\n"}
    if case == "for a helper":
        files |= {"models/sub/__init__.py": "", "models/sub/net.py": CUDA}
    found = reached(make_tree(files))
    path = "models/sub/net.py" if case == "for a helper" else "models/net.py"
    assert (found[path], found["other/x.py"]) == ("main", "unreached")


INSIDE = {
    "own name": """
        import importlib
        def load(name):
            return importlib.import_module(f"{__name__}.{name}")
        """,
    "own package": """
        from importlib import import_module
        def load(name):
            return import_module("." + name, __package__)
        """,
    "bound before": """
        import importlib
        def load(name):
            full = __package__ + "." + name
            return importlib.import_module(full)
        """,
    "pkgutil": """
        import importlib, pkgutil
        for _, name, _ in pkgutil.iter_modules(__path__):
            importlib.import_module(__name__ + "." + name)
        load = print
        """,
    "pkgutil, with a loader": """
        import pkgutil
        for finder, name, _ in pkgutil.walk_packages(__path__):
            finder.find_module(name).load_module(name)
        load = print
        """,
    "glob": """
        import glob, importlib, os
        for path in glob.glob(os.path.join(os.path.dirname(__file__), "*.py")):
            name = os.path.splitext(os.path.basename(path))[0]
            importlib.import_module(ROOT + name)
        load = print
        """,
    "listdir": """
        import importlib, os
        HERE = os.path.dirname(os.path.abspath(__file__))
        def load(root):
            for each in os.listdir(HERE):
                importlib.import_module(root + "." + each[:-3])
        """,
    "pathlib": """
        from importlib import import_module
        from pathlib import Path
        def load(root):
            for each in Path(__file__).parent.glob("*.py"):
                import_module(root + each.stem)
        """,
    "a helper": """
        from helpers import import_submodules
        import_submodules(__name__)
        load = print
        """,
    "a helper, of a folder": """
        import os
        from helpers import import_all
        import_all(os.path.dirname(__file__))
        load = print
        """,
}


@pytest.mark.parametrize("case", INSIDE)
def test_a_package_that_brings_in_all_that_lies_in_it(case: str, make_tree: MakeTree) -> None:
    files = {
        "train.py": train("from models import load\ndef main(): load('x')"),
        **PACKAGE,
        "models/__init__.py": dedent(INSIDE[case]),
        "helpers.py": "def import_submodules(x): pass\ndef import_all(x): pass\n",
    }
    found = reached(make_tree(files))
    assert (found["models/net.py"], found["other/x.py"]) == ("main", "unreached")


KEEPING = """
    class Registry:
        paths = {}

        @classmethod
        def register_path(cls, name, path):
            '''Keep a path.'''
            assert isinstance(path, str), "All path must be str."
            if name in cls.paths:
                raise KeyError("Name '{}' already registered.".format(name))
            cls.paths[name] = path

        @classmethod
        def get_path(cls, name):
            return cls.paths.get(name)

    registry = Registry()
    """
TELLING = """
    import os
    from helpers import registry
    registry.register_path("root", os.path.dirname(os.path.abspath(__file__)))
    load = print
    """
MORE_THAN_KEEPING = {
    "it goes on with it": ("cls.paths[name] = path", "cls.paths[name] = path; found(path)"),
    "it makes something of it": ("cls.paths[name] = path", "cls.paths[name] = found(path)"),
    "it keeps nothing": ("cls.paths[name] = path", "pass"),
    "it is changed": ("@classmethod\n        def reg", "@found\n        def reg"),
    "another is called so": (
        "registry = Registry()",
        "registry = Registry()\n    def register_path(name, path): found(path)",
    ),
    "somebody imports by names": (
        "registry = Registry()",
        "registry = Registry()\n    def load(n): __import__(registry.get_path(n))",
    ),
}


def test_a_package_that_only_tells_where_it_is(make_tree: MakeTree) -> None:
    files = {
        "train.py": train("from models import load\ndef main(): load('x')"),
        **PACKAGE,
        "models/__init__.py": dedent(TELLING),
        "helpers.py": dedent(KEEPING),
    }
    assert reached(make_tree(files))["models/net.py"] == "unreached"


@pytest.mark.parametrize("case", MORE_THAN_KEEPING)
def test_who_is_told_where_a_package_is_may_bring_it_in(case: str, make_tree: MakeTree) -> None:
    files = {
        "train.py": train("from models import load\ndef main(): load('x')"),
        **PACKAGE,
        "models/__init__.py": dedent(TELLING),
        "helpers.py": dedent(KEEPING.replace(*MORE_THAN_KEEPING[case])),
    }
    assert reached(make_tree(files))["models/net.py"] == "main"


@pytest.mark.parametrize(
    "others",
    [
        {"loading.py": "from helpers import registry\ndef load(n): __import__(n)\n"},
        {
            "loading.py": "from runpy import run_path as run\nfrom helpers import registry\n"
            "def load(n): run(n)\n"
        },
        {"loading.py": "from helpers import registry\ndef load(n): exec(open(n).read(), {})\n"},
        {"other/paths.py": "def register_path(name, path): __import__(name)\n"},
        {"other/paths.py": "class Other:\n    register_path = found\n"},
        {"other/paths.py": "from elsewhere import found as register_path\n"},
        {"other/paths.py": "from helpers import registry\nregistry.register_path = found\n"},
    ],
)
def test_another_file_may_bring_in_what_is_kept(
    others: Mapping[str, str], make_tree: MakeTree
) -> None:
    files = {
        "train.py": train("import loading\nfrom models import load\ndef main(): load('x')"),
        **PACKAGE,
        "models/__init__.py": dedent(TELLING),
        "helpers.py": dedent(KEEPING),
        "loading.py": "",
        **others,
    }
    assert reached(make_tree(files))["models/net.py"] == "main"


def test_a_library_that_is_told_where_a_package_is(make_tree: MakeTree) -> None:
    files = {
        "train.py": train("from models import load\ndef main(): load('x')"),
        **PACKAGE,
        "models/__init__.py": dedent(TELLING.replace("helpers", "elsewhere")),
        "helpers.py": dedent(KEEPING),
    }
    assert reached(make_tree(files))["models/net.py"] == "main"


def test_all_that_is_a_list_of_files(make_tree: MakeTree) -> None:
    listed = """
        from os.path import basename, dirname, join
        import glob
        __all__ = [basename(f)[:-3] for f in glob.glob(join(dirname(__file__), "*.py"))]
        """
    files = {
        "train.py": train("from models import *\ndef main(): net.x()"),
        **PACKAGE,
        "models/__init__.py": dedent(listed),
    }
    assert reached(make_tree(files))["models/net.py"] == "main"


def test_tests_below_a_package_are_not_meant(make_tree: MakeTree) -> None:
    head = "import importlib\ndef main(name): importlib.import_module(f'models.{name}')"
    files = {"train.py": train(head), **PACKAGE, "models/tests/test_net.py": CUDA}
    assert reached(make_tree(files))["models/tests/test_net.py"] == "test"


# --- names of which nothing is known --------------------------------------------------------------

UNKNOWN = """
    import importlib
    def load(name):
        return importlib.import_module(name)
    """


@pytest.mark.parametrize(
    "files",
    [
        {"train.py": train(UNKNOWN + "\n    def main(): load('fused')")},
        {
            "train.py": train("from loading import load\ndef main(): load('fused')"),
            "loading.py": dedent(UNKNOWN),
        },
        {
            "train.py": train(UNKNOWN + "\n    def main(): load(args.plugin)"),
            "run.sh": "python train.py --plugin fused\n",
        },
        {
            "train.py": train(UNKNOWN + "\n    def main(): load(PLUGINS[args.x])")
            + "PLUGINS = {'a': 'fused', 'b': 'plain'}\n"
        },
        {
            "train.py": train(
                "import argparse, importlib\np = argparse.ArgumentParser()\n"
                "p.add_argument('--plugin', default='plain', choices=['plain', 'fused'])\n"
                "args = p.parse_args()\ndef main(): importlib.import_module(args.plugin)"
            )
        },
        {"train.py": train(UNKNOWN + "\n    def main(): load(args.plugin)"), "plain.py": ""},
    ],
)
def test_a_module_that_words_mean(files: dict[str, str], make_tree: MakeTree) -> None:
    found = reached(make_tree({**files, "fused.py": CUDA, "plain.py": "", "old/x.py": CUDA}))
    assert (found["fused.py"], found["old/x.py"]) == ("main", "unreached")


def test_a_class_by_its_whole_name_comes_from_settings(make_tree: MakeTree) -> None:
    head = """
    import importlib
    def make(text):
        module, name = text.rsplit(".", 1)
        return getattr(importlib.import_module(module), name)
    def main(): make(config["target"])
    """
    found = reached(make_tree({"train.py": train(head), **PACKAGE, "fused.py": CUDA}))
    assert found == {
        "models/net.py": "unreached",
        "other/x.py": "unreached",
        "fused.py": "unreached",
    }


# --- files and folders ----------------------------------------------------------------------------

RUN = {
    "run_path": 'import runpy\ndef main(): runpy.run_path("ops/fused.py")',
    "run_module": 'import runpy\ndef main(): runpy.run_module("ops.fused")',
    "exec of a file": 'def main(): exec(open("ops/fused.py").read())',
    "exec of what is compiled": (
        'def main(): exec(compile(open("ops/fused.py").read(), "fused.py", "exec"))'
    ),
    "exec of what was read": (
        'def main():\n    with open("ops/fused.py") as f:\n        exec(f.read())'
    ),
    "a spec": (
        "import importlib.util\n"
        'def main(): importlib.util.spec_from_file_location("f", "ops/fused.py")'
    ),
    "a loader": (
        "from importlib.machinery import SourceFileLoader\n"
        'def main(): SourceFileLoader("f", "ops/fused.py").load_module()'
    ),
    "beside the file": (
        "import os, runpy\nHERE = os.path.dirname(os.path.abspath(__file__))\n"
        'def main(): runpy.run_path(os.path.join(HERE, "ops", "fused.py"))'
    ),
    "pathlib": (
        "import runpy\nfrom pathlib import Path\n"
        'def main(): runpy.run_path(str(Path(__file__).parent / "ops" / "fused.py"))'
    ),
}


@pytest.mark.parametrize("case", RUN)
def test_a_file_that_is_run(case: str, make_tree: MakeTree) -> None:
    files = {"train.py": train(RUN[case]), "ops/fused.py": CUDA, "ops/other.py": CUDA}
    found = reached(make_tree(files))
    assert (found["ops/fused.py"], found["ops/other.py"]) == ("main", "unreached")


SEARCHED = {
    "a word": 'import sys\nsys.path.insert(0, "third/x")\nimport fused',
    "added": 'import sys\nsys.path.append("./third/x")\nfrom fused import y',
    "beside the file": (
        "import os, sys\n"
        'sys.path.append(os.path.join(os.path.dirname(__file__), "third", "x"))\nimport fused'
    ),
    "nothing says so": "import fused",
}


@pytest.mark.parametrize("case", SEARCHED)
def test_a_folder_that_python_searches(case: str, make_tree: MakeTree) -> None:
    files = {"train.py": train(SEARCHED[case] + "\ndef main(): pass")}
    found = reached(make_tree({**files, "third/x/fused.py": CUDA, "third/x/old.py": CUDA}))
    assert (found["third/x/fused.py"], found["third/x/old.py"]) == ("main", "unreached")


def test_a_package_that_is_searched_as_a_folder(make_tree: MakeTree) -> None:
    files = {
        "train.py": train('import sys\nsys.path.append("core")\nfrom net import main'),
        "core/__init__.py": "",
        "core/net.py": "from update import Block\ndef main(): Block()\n",
        "core/update.py": CALLED.format(name="Block"),
    }
    assert reached(make_tree(files)) == {"core/update.py:Block": "main"}


@pytest.mark.parametrize("marked", [True, False])
def test_a_module_of_a_package_is_not_a_library(*, marked: bool, make_tree: MakeTree) -> None:
    files = {
        "train.py": train("import wandb\nimport pkg.a\ndef main(): pkg.a.x()"),
        **({"pkg/__init__.py": ""} if marked else {}),
        "pkg/a.py": ("import wandb\n" if marked else "") + "def x(): pass\n",
        "pkg/wandb.py": CUDA,
    }
    assert reached(make_tree(files)) == {"pkg/wandb.py": "unreached"}


# --- names that are looked up ---------------------------------------------------------------------

LOOKED_UP = {
    "eval": "def main(): eval(args.name)()",
    "globals": "def main(): globals()[args.name]()",
    "globals, got": "def main(): globals().get(args.name)()",
    "with a beginning": 'def main(): globals()[f"go_{args.name}"]()',
    "eval with a beginning": 'def main(): eval("go_" + args.name)()',
    "code in a text": 'def main(): eval("go_fast(args)")',
}


@pytest.mark.parametrize("case", LOOKED_UP)
def test_names_of_the_own_module(case: str, make_tree: MakeTree) -> None:
    head = f"{LOOKED_UP[case]}\ndef go_fast():\n    torch.cuda.synchronize()"
    assert reached(make_tree({"train.py": train(head)})) == {"train.py:go_fast": "main"}


@pytest.mark.parametrize("head", ["from ops import go_fast", "from ops import *"])
def test_names_that_are_imported_to_be_looked_up(head: str, make_tree: MakeTree) -> None:
    files = {
        "train.py": train(f"{head}\ndef main(): eval(args.name)()"),
        "ops.py": CALLED.format(name="go_fast"),
    }
    assert reached(make_tree(files)) == {"ops.py:go_fast": "main"}


MEMBERS = {
    "vars": "vars(ops)[args.name]()",
    "dict": "ops.__dict__[args.name]()",
    "got of a dict": "ops.__dict__.get(args.name)()",
    "all of a dict": "[f() for f in ops.__dict__.values()]",
    "inspect": "[f() for _, f in inspect.getmembers(ops, inspect.isfunction)]",
    "dir": "[getattr(ops, n)() for n in dir(ops)]",
    "of one that is imported by a name": 'getattr(import_module(f"o{x}"), args.name)()',
}


@pytest.mark.parametrize("case", MEMBERS)
def test_names_of_another_module(case: str, make_tree: MakeTree) -> None:
    head = f"import inspect, ops\nfrom importlib import import_module\ndef main(): {MEMBERS[case]}"
    files = {"train.py": train(head), "ops.py": CALLED.format(name="go_fast")}
    assert reached(make_tree(files)) == {"ops.py:go_fast": "main"}


def test_any_name_of_a_module_that_is_imported_by_a_name(make_tree: MakeTree) -> None:
    head = """
    import importlib
    import models.net
    def main(name):
        module = importlib.import_module(f"models.{name}")
        getattr(module, name)()
    """
    files = {"train.py": train(head), **PACKAGE, "models/net.py": CALLED.format(name="go")}
    assert reached(make_tree(files))["models/net.py:go"] == "main"


BEGUN = {
    "f-string": 'getattr(owner.model, f"on_{args.kind}")()',
    "sum": 'getattr(owner, "on_" + args.kind)()',
    "percent": 'getattr(owner.x(), "on_%s" % args.kind)()',
    "bound before": 'name = f"on_{args.kind}"\n    getattr(owner, name)()',
    "ending": 'getattr(owner, f"{args.kind}_fast")()',
    "methodcaller": 'operator.methodcaller(f"on_{args.kind}")(owner)',
}


@pytest.mark.parametrize("case", BEGUN)
def test_names_of_which_a_part_is_known(case: str, make_tree: MakeTree) -> None:
    files = {
        "train.py": train(f"import ops, operator\ndef main(owner):\n    {BEGUN[case]}"),
        "ops.py": CALLED.format(name="on_fast") + CALLED.format(name="other"),
    }
    assert reached(make_tree(files)) == {"ops.py:on_fast": "main", "ops.py:other": "unreached"}


DECLARED = {
    "pyproject.toml": '[project.entry-points."x.models"]\nfused = "ops.fused:go"\n',
    "setup.cfg": "[options.entry_points]\nx.models =\n    fused = ops.fused:go\n",
    "setup.py": (
        "from setuptools import setup\n"
        'setup(entry_points={"x.models": ["fused = ops.fused:go"], "y": ["z = ops.other:go"]})\n'
    ),
}


@pytest.mark.parametrize("file", DECLARED)
def test_entry_points_that_the_tree_declares(file: str, make_tree: MakeTree) -> None:
    head = """
    from importlib.metadata import entry_points
    def main():
        for each in entry_points(group="x.models"):
            each.load()()
    """
    files = {
        "train.py": train(head),
        "ops/__init__.py": "",
        "ops/fused.py": CUDA,
        "ops/other.py": CUDA,
        file: DECLARED[file],
    }
    assert reached(make_tree(files)) == {"ops/fused.py": "main", "ops/other.py": "unreached"}
