"""A file that is called quiet by its words has nothing to report, whatever the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from portaudit import detectors, engine
from portaudit.audit import Audit
from portaudit.cache import VARIABLE
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.load import load as load_rules
from portaudit.config import Config, Options, load
from portaudit.discover import Tree
from portaudit.match import triggers
from portaudit.match.triggers import words
from portaudit.quiet import Words, is_quiet, module_names
from portaudit.relate.modules import Modules
from portaudit.report.json import render
from portaudit.scan import scan_file
from portaudit.types import TARGETS, SourceFile

FIXTURES = Path(__file__).parent.parent / "fixtures"
OURS = Path(engine.__file__).parent
PLAIN = (
    "import json\nimport numpy as np\n\n\ndef area(box):\n    return np.prod(box[2:] - box[:2])\n"
)
LOUD = "import torch\n\nmodel = torch.nn.Linear(1, 1).to('cuda')\n"
Make = Callable[[Mapping[str, str]], Path]


@pytest.fixture(scope="module")
def rules() -> Catalogue:
    return load_rules()


@pytest.fixture(scope="module")
def spelled(rules: Catalogue) -> Words:
    found = words(rules)
    assert found is not None
    return found


def quiet(text: str | bytes, spelled: Words, *, own: str = "") -> bool:
    content = text.encode() if isinstance(text, str) else text
    return is_quiet(content, spelled, lambda name: name == own)


def says_something(path: str, content: bytes, rules: Catalogue, own: frozenset[str]) -> bool:
    """Whether a report would have anything of a file."""
    for target in TARGETS:
        found = scan_file(SourceFile(path, "python", content, own), rules, target)
        facts = found.facts
        if found.findings or found.errors or found.inventory or found.directives:
            return True
        if facts.imports_torch or facts.open or found.failed:
            return True
    return False


def files_of_rules(rules: Catalogue) -> Iterator[dict[str, bytes]]:
    for rule in rules.rules.values():
        for test in rule.test:
            files = dict(test.files) or {test.path: test.bad or test.good}
            yield {path: text.encode() for path, text in files.items()}


def compare(files: Mapping[str, bytes], rules: Catalogue, spelled: Words) -> int:
    """Hold the files of a tree against what a scan makes of them; how many are quiet."""
    tree = Tree.of(Path("/tree"), files)
    modules = Modules(tree, rules.libraries)
    has_module = module_names(tree)
    found = [path for path in tree.modules if is_quiet(files[path], spelled, has_module)]
    for path in found:
        assert not says_something(path, files[path], rules, frozenset(modules.first_party(path))), (
            path
        )
    return len(found)


def test_what_a_rule_finds_in_its_own_tests_is_never_quiet(
    rules: Catalogue, spelled: Words
) -> None:
    assert sum(compare(files, rules, spelled) for files in files_of_rules(rules)) > 20


def test_what_is_found_in_a_fixture_is_never_quiet(rules: Catalogue, spelled: Words) -> None:
    for root in FIXTURES.iterdir():
        paths = root.rglob("*.py")
        compare(
            {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}, rules, spelled
        )


def test_what_is_found_in_our_own_files_is_never_quiet(rules: Catalogue, spelled: Words) -> None:
    files = {path.relative_to(OURS).as_posix(): path.read_bytes() for path in OURS.rglob("*.py")}
    assert compare(files, rules, spelled)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "",
        '"""Runs on CUDA."""\n',
        "# torch, as a comment\nx = f'{1:>{8}} {x!r}'\n",
        "async def f():\n    async with a as b:\n        return [c async for c in b]\n",
        "class A(dict):\n    @property\n    def b(self): return self['b']\n",
        "größe = 'Länge'\n",
        "try:\n    import yaml\nexcept ImportError:\n    yaml = None\n",
    ],
)
def test_a_file_that_has_nothing_to_do_with_it_is_quiet(text: str, spelled: Words) -> None:
    assert quiet(text, spelled)


@pytest.mark.parametrize(
    "text",
    [
        "import torch\n",
        "from apex import amp\n",
        "import accelerate.utils\n",
        "x = 'cuda'\n",
        "x = 'cu' 'da:0'\n",
        "x = '\\x63uda'\n",
        "x = f'cuda:{rank}'\n",
        "x = 'CUDA'.lower()\n",
        "import os\nos.environ['NCCL_DEBUG'] = 'INFO'\n",
        "import importlib\nm = importlib.import_module(name)\n",
        "PEAK = 312e12\n",
        "PEAK = 312_000_000_000_000\n",
        "if name == 'A100': pass\n",
        "def training_step(self, x): return x[x > 0]\n",
        "def loss_of(x): return x[x > 0]\n",
        "def f(p): p.grad.item()\n",
        "def f(x): x.backward()\n",
        "import sys\nif sys.version_info >= (3, 12): raise SystemExit\n",
        "import subprocess\nsubprocess.run(['nvidia-smi'])\n",
        "require_version('flash-attn>=2')\n",
        "f(use_vllm=True)\n",
        "class A(models.B): pass\n",
        "x = 1  # portaudit: ignore[ALL] why not\n",
        "from setuptools import setup\n",
        "from . import device\n",
        "from .device import D\n",
        "from os import *\n",
    ],
)
def test_a_word_of_a_rule_or_a_way_to_another_file_is_heard(text: str, spelled: Words) -> None:
    assert not quiet(text, spelled)


@pytest.mark.parametrize(
    "content",
    [
        b"x = (\n",
        b"x = 1\0\n",
        b"print 'x'\n",
        b"\xff\xfex\0",
        b"\xef\xbb\xbfx = 1\n",
        b"x = '\xff'\n",
        b"# -*- coding: latin-1 -*-\nx = 1\n",
        b"\n# vim: set fileencoding=utf-8 :\nx = 1\n",
        b"x = 1\r\n",
        b"\x0cx = 1\n",
        b"match x:\n    case 1: pass\n",
        "ﬁx = 1\n".encode(),
        b"x = " + b"[" * 90 + b"1" + b"]" * 90 + b"\n",
        b"x = " + b"a or " * 90 + b"b\n",
        b"x = " + b"-" * 90 + b"1\n",
        b"if x: pass\n" + b"elif y: pass\n" * 90,
        b"x = 1\n" * 40_000,
        b"x = (" + b"'' " * 6_000 + b")\n",
    ],
)
def test_what_the_parsers_may_read_otherwise_is_not_quiet(content: bytes, spelled: Words) -> None:
    assert not quiet(content, spelled)


@pytest.mark.parametrize("text", ["import tools\n", "from tools.a import b\n", "import tools.a\n"])
def test_what_imports_the_tree_is_not_quiet(text: str, spelled: Words) -> None:
    assert quiet(text, spelled)
    assert not quiet(text, spelled, own="tools")


@pytest.mark.parametrize(
    ("paths", "has"),
    [
        (["tools.py"], True),
        (["src/tools/a.py"], True),
        (["a/b/tools.pyx", "a/b/tools.yaml"], True),
        (["tools/Dockerfile"], True),
        (["toolset.py", "mytools.py", "my/tool.py"], False),
    ],
)
def test_whatever_is_called_so_may_be_a_module(paths: list[str], has: bool) -> None:
    assert module_names(Tree(Path("/x"), tuple(paths), ()))("tools") is has


def test_the_root_may_be_a_package() -> None:
    assert module_names(Tree(Path("/x/tools"), ("__init__.py",), ()))("tools")


def test_every_detector_has_words() -> None:
    assert set(detectors.names()) == set(triggers.DETECTORS)


def test_a_detector_without_words_makes_every_file_speak(
    rules: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "DETECTORS", {})
    assert words(rules) is None


# --- runs -----------------------------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runs: list[int]) -> list[int]:
    """The same, with a cache of one's own."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    return runs


def config(root: Path, *paths: str, **changes: object) -> Config:
    return replace(load([root / path for path in paths], Options(root=root), cwd=root), **changes)


def report(given: Config) -> tuple[str, frozenset[str]]:
    with closing(Audit(given)) as audit:
        return render(audit.report), audit.ran


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"target": "xla"},
        {"select": ("DEV",)},
        {"min_confidence": "high"},
        {"per_file_ignores": (("plain.py", ("ALL",)),)},
        {"exclude": ("other.py",)},
    ],
)
def test_a_quiet_file_gets_the_report_that_the_engine_makes(
    make_tree: Make, runs: list[int], changes: dict[str, object]
) -> None:
    root = make_tree({"train.py": LOUD, "plain.py": PLAIN, "other.py": "x = 1\n"})
    given = config(root, "plain.py", "other.py", **changes)
    report(given)
    assert len(runs) == 1
    (root / "plain.py").write_text(PLAIN * 2)
    (root / "big.py").symlink_to("plain.py")
    quick = report(given)
    assert len(runs) == 1
    assert quick == report(replace(given, cache=False))
    assert len(runs) == 2
    assert quick == report(given)
    assert len(runs) == 2


def test_what_is_left_out_is_said(make_tree: Make, runs: list[int]) -> None:
    root = make_tree({"train.py": LOUD, "a/plain.py": PLAIN, "a/other.py": "x = 1\n"})
    given = config(root, "a")
    report(given)
    (root / "a" / "link.py").symlink_to("plain.py")
    (root / "a" / "big.py").write_bytes(b"#" * 6_000_000)
    quick = report(given)
    assert len(runs) == 1
    assert "a symbolic link" in quick[0]
    assert quick == report(replace(given, cache=False))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("plain.py", LOUD),
        ("plain.py", "import tools\n"),
        ("plain.py", "x = (\n"),
        ("plain.py", "# portaudit: ignore[ALL] nothing here\n"),
    ],
)
def test_a_file_that_is_not_quiet_any_more_is_read(
    make_tree: Make, runs: list[int], path: str, text: str
) -> None:
    root = make_tree({"plain.py": PLAIN, "other.py": "x = 1\n", "tools.py": LOUD})
    given = config(root, "plain.py", "other.py")
    report(given)
    (root / path).write_text(text)
    found = report(given)
    assert len(runs) == 2
    assert found == report(replace(given, cache=False))


def test_a_new_module_of_the_tree_ends_the_quiet(make_tree: Make, runs: list[int]) -> None:
    root = make_tree({"plain.py": PLAIN, "other.py": "x = 1\n"})
    given = config(root, "plain.py")
    report(given)
    (root / "numpy.py").write_text("from torch import *\n")
    found = report(given)
    assert len(runs) == 2
    assert found == report(replace(given, cache=False))


@pytest.mark.parametrize("paths", [(".",), ("plain.py", "Dockerfile")])
def test_a_whole_tree_and_other_files_are_read(
    make_tree: Make, runs: list[int], paths: tuple[str, ...]
) -> None:
    root = make_tree({"plain.py": PLAIN, "other.py": "x = 1\n", "Dockerfile": "FROM a\n"})
    given = config(root, *paths)
    for number in (1, 2):
        (root / "plain.py").write_text(PLAIN * (number + 1))
        report(given)
        assert len(runs) == number
