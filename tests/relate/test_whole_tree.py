"""From files to a report: what reaches findings is told of whole trees, and of nothing less."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from portaudit import config, engine, run
from portaudit.config import Options
from portaudit.errors import UsageError
from portaudit.report import json, terminal
from portaudit.types import Report

MakeTree = Callable[[Mapping[str, str]], Path]
INDENTED = {
    "README.md": """
        # Train

        ```sh
        bash scripts/train.sh
        ```
        """,
    "scripts/train.sh": "python train.py --config configs/base.yaml\n",
    "configs/base.yaml": "strategy: ddp\nbackend: nccl\n",
    "train.py": """
        import torch
        from net.model import build

        if __name__ == "__main__":
            model = build()
            model(torch.zeros(3)).backward()
        """,
    "net/__init__.py": "",
    "net/model.py": """
        import torch

        try:
            from net import fast
        except ImportError:
            fast = None

        def build():
            return torch.nn.Linear(3, 3).cuda()

        def unused():
            torch.cuda.synchronize()
        """,
    "net/fast.py": "import torch\ntorch.cuda.synchronize()\n",
    "export.py": """
        import torch
        import net.model

        if __name__ == "__main__":
            torch.cuda.synchronize()
            net.model.unused()
        """,
    "tests/test_model.py": "import torch\n\ndef test_it():\n    torch.cuda.synchronize()\n",
    "old.py": "import torch\ntorch.cuda.synchronize()\n",
}
FILES = {path: dedent(text).lstrip("\n") for path, text in INDENTED.items()}


def scanned(root: Path, *paths: str, entry: str = "") -> Report:
    options = Options(root=root, cache=False, jobs=1, entry=(Path(entry),) if entry else ())
    return engine.scan(config.load([root / path for path in paths or ("",)], options, cwd=root))


def reaches(report: Report) -> set[tuple[str, str, str | None]]:
    return {(item.path, item.scope, item.reach) for item in report.findings}


def test_every_finding_of_a_tree_knows_what_reaches_it(make_tree: MakeTree) -> None:
    report = scanned(make_tree(FILES))
    assert reaches(report) >= {
        ("net/model.py", "build", "main"),
        ("net/model.py", "unused", "other"),
        ("net/fast.py", "", "main"),
        ("export.py", "", "other"),
        ("tests/test_model.py", "test_it", "test"),
        ("old.py", "", "unreached"),
    }
    ways = {way.path: way for way in report.chains}
    assert [str(step.path) for step in ways["net/fast.py"].imports] == ["train.py", "net/model.py"]
    assert ways["net/fast.py"].guard != "none"
    assert ways["net/model.py"].guard == "none"


def test_json_says_it(make_tree: MakeTree) -> None:
    document = msgspec.json.decode(json.render(scanned(make_tree(FILES))))
    first, second = document["score"]["entry_points"]
    assert (first["path"], first["kind"], first["main"]) == ("train.py", "training", True)
    assert {"path": "README.md", "line": 4} in first["evidence"]
    assert "README.md:4 starts it" in first["why"]
    assert (second["path"], second["kind"], second["main"]) == ("export.py", "export", False)
    assert {item["reach"] for item in document["findings"]} >= {"main", "other", "test"}
    assert document["chains"]


def test_the_user_names_the_entry(make_tree: MakeTree) -> None:
    report = scanned(make_tree(FILES), entry="export.py")
    assert report.score.entry_points[0].path == "export.py"
    assert ("export.py", "", "main") in reaches(report)
    with pytest.raises(UsageError, match=r"README.md: an entry must be a Python file"):
        scanned(make_tree(FILES), entry="README.md")
    with pytest.raises(UsageError, match=r"weights.bin: an entry must be a Python file"):
        scanned(make_tree({**FILES, "weights.bin": "x"}), entry="weights.bin")


def test_part_of_a_tree_does_not_say_what_reaches_it(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    report = scanned(root, "net/model.py", "train.py")
    assert {reach for _, _, reach in reaches(report)} == {None}
    assert (report.score.entry_points, report.chains) == ((), ())
    part = run.scanned(config.load([root / "net"], Options(root=root, cache=False), cwd=root))
    assert {reach for _, _, reach in reaches(part.report)} == {None}


def test_a_finding_is_the_same_alone_but_for_its_reach(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    whole = {item.fingerprint: item for item in scanned(root).findings}
    for item in scanned(root, "net/model.py").findings:
        found = whole[item.fingerprint]
        assert (found.guard, found.effective_severity) == (item.guard, item.effective_severity)


# --- settings that code reads by itself -----------------------------------------------------------

READS = """
import argparse
import torch
from flash import kernel
{}

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--use-flash", default=False)
    parser.add_argument("--config"{})
    model = torch.nn.Linear(2, 2)
    if cfg.use_flash:
        kernel()
    model(torch.ones(2)).sum().backward()

if __name__ == "__main__":
    main()
"""


def waits(make_tree: MakeTree, code: str, default: str = "", **files: str) -> bool:
    """Whether the main path leaves the kernel off."""
    tree = {
        "train.py": READS.format(code, default),
        "flash.py": "import torch\n\ndef kernel():\n    torch.cuda.synchronize()\n",
        "configs/on.yaml": "use_flash: true\n",
        "configs/off.yaml": "use_flash: false\n",
        "configs/on.gin": "Model.use_flash = True\n",
        "configs/outer.gin": "include 'configs/on.gin'\n",
        "configs/outer.yaml": "_BASE_: on.yaml\n",
        "configs/on.py": "use_flash = True\n",
        **files,
    }
    report = scanned(make_tree(tree))
    found = [item for item in report.findings if item.path == "flash.py"]
    assert [item.reach for item in found] == ["main"]
    return all(item.guard == "guarded" for item in found)


@pytest.mark.parametrize(
    ("code", "default"),
    [
        ('gin.parse_config_file("configs/on.gin")', ""),
        ('gin.parse_config_files_and_bindings(["configs/outer.gin"], [])', ""),
        ('cfg = OmegaConf.load("configs/on.yaml")', ""),
        ('cfg = yaml.safe_load(open(os.path.join(HERE, "configs", "on.yaml")))', ""),
        ('cfg = Config.fromfile("configs/on.py")', ""),
        ("", ', default="configs/on.yaml"'),
    ],
)
def test_settings_that_code_reads_count(make_tree: MakeTree, code: str, default: str) -> None:
    assert not waits(make_tree, code, default)
    assert waits(make_tree, "")


def test_settings_that_code_reads_join_those_that_the_program_is_given(
    make_tree: MakeTree,
) -> None:
    given = {"README.md": "```sh\npython train.py --config configs/off.yaml\n```\n"}
    assert waits(make_tree, "", **given)
    assert not waits(make_tree, 'cfg.merge_from_file("configs/on.yaml")', **given)


def test_settings_are_put_together_from_files_that_they_name(make_tree: MakeTree) -> None:
    given = {"README.md": "```sh\npython train.py --config configs/outer.yaml\n```\n"}
    assert not waits(make_tree, "", **given)


def test_a_main_path_without_torch_is_not_ready(make_tree: MakeTree) -> None:
    files = {
        "train.py": "if __name__ == '__main__':\n    print('x')\n",
        "unused.py": "import torch\ntorch.cuda.synchronize()\n",
    }
    report = scanned(make_tree(files), entry="train.py")
    assert (report.score.verdict, report.score.value) == ("unknown", None)
    assert "nothing that the main path runs imports torch" in shown(report)


def test_ready_says_what_lies_beside_the_main_path(make_tree: MakeTree) -> None:
    trains = """
        import torch
        if __name__ == "__main__":
            torch.nn.Linear(2, 2)(torch.ones(2)).sum().backward()
        """
    unused = "import torch\ntorch.cuda.synchronize()\n"
    report = scanned(make_tree({"train.py": trains, "unused.py": unused}))
    assert report.score.verdict == "ready"
    assert "the main run needs nothing that is tied to CUDA; 1 finding beside it" in shown(report)


def test_every_entry_that_the_user_names_is_shown(make_tree: MakeTree) -> None:
    root = make_tree(FILES)
    entries = (root / "train.py", root / "export.py")
    options = Options(cache=False, jobs=1, entry=entries)
    report = engine.scan(config.load([root], options, cwd=root))
    text = shown(report)
    assert "Main path " in text
    assert all(f"{path.name}: " in text for path in entries)


def shown(report: Report) -> str:
    return " ".join(terminal.render(report, width=200, color=False).split())


@pytest.mark.parametrize(("used", "reach"), [("Plain", "unreached"), ("Block", "main")])
def test_what_a_class_derives_from_is_needed_as_the_class_is(
    make_tree: MakeTree, used: str, reach: str
) -> None:
    train = f"import nets\n\nif __name__ == '__main__':\n    nets.{used}()(3).backward()\n"
    nets = """
        import spconv.pytorch as spconv
        import torch

        class Plain(torch.nn.Module):
            pass

        class Block(spconv.SparseModule):
            pass
        """
    root = make_tree({"train.py": train, "nets.py": dedent(nets)})
    report = engine.scan(config.load([root], Options(root=root, cache=False), cwd=root))
    (found,) = (item for item in report.findings if "SparseModule" in item.anchor)
    assert (found.scope, found.reach) == ("Block", reach)
