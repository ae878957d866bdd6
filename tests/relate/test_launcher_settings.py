"""Whole trees whose launchers are given files of settings: who needs what these say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

TRAIN = "import torch\n\nif __name__ == '__main__':\n    torch.zeros(3).sum().backward()\n"
ZERO = "distributed_type: DEEPSPEED\ndeepspeed_config:\n  zero_stage: {}\nmixed_precision: fp16\n"


def test_only_what_the_launcher_of_the_main_run_is_given_is_on_the_path(
    make_tree: MakeTree,
) -> None:
    start = "accelerate launch --config_file conf/{}.yaml {}.py\n"
    page = start.format("one", "train") + start.format("two", "train") + start.format("six", "tune")
    files = {
        "README.md": f"# Net\n\n```sh\n{page}```\n",
        "train.py": TRAIN,
        "tune.py": TRAIN,
        **{f"conf/{name}.yaml": ZERO.format(3) for name in ("one", "two", "six", "free")},
    }
    root = make_tree(files)
    report = report_of(root)
    reaches = {each.path: each.reach for each in report.findings if each.path.startswith("conf/")}
    assert reaches == {
        "conf/one.yaml": "main",
        "conf/two.yaml": "other",
        "conf/six.yaml": "other",
        "conf/free.yaml": None,
    }
