"""Whole trees whose code asks variables of the environment, off unless somebody sets them.

Each way to set one must leave the fused kernel needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit import config, engine
from portaudit.config import Options

MakeTree = Callable[[Mapping[str, str]], Path]

HELPER = """
    import os

    def is_enabled(name: str, default: str = "0") -> bool:
        return os.getenv(name, default).lower() in ["true", "y", "1"]
    """
TRAIN = """
    import os
    import torch
    from helper import is_enabled

    def _fused(x):
        from flash_attn import flash_attn_func
        return flash_attn_func(x, x, x)

    def forward(x):
        if is_enabled("USE_FUSED"):
            return _fused(x)
        return x

    def main():
        x = torch.zeros(3, 8, requires_grad=True)
        forward(x).sum().backward()

    if __name__ == "__main__":
        main()
    """
TREE = {
    "helper.py": HELPER,
    "train.py": TRAIN,
    "README.md": "```sh\npython train.py --steps 5\n```\n",
}


def waits(make_tree: MakeTree, changed: Mapping[str, str]) -> set[str]:
    """The settings that flash-attn waits for on the main path, an empty one for nothing."""
    root = make_tree({path: dedent(text) for path, text in {**TREE, **changed}.items()})
    report = engine.scan(config.load([root], Options(root=root, cache=False, jobs=1), cwd=root))
    found = [each for each in report.findings if each.path == "train.py" and each.scope]
    assert {each.reach for each in found} == {"main"}
    return {item.guard_by.setting if item.guard_by else "" for item in found}


def asking(condition: str) -> dict[str, str]:
    """The program with another condition."""
    return {"train.py": TRAIN.replace('is_enabled("USE_FUSED")', condition)}


ASKED = 'os.getenv(name, default).lower() in ["true", "y", "1"]'


def helping(body: str) -> dict[str, str]:
    return {"helper.py": HELPER.replace(ASKED, body)}


def starting(*lines: str) -> dict[str, str]:
    return {"README.md": "\n".join(("```sh", *lines, "```", ""))}


SERVICES = "services:\n  train:\n    image: net\n    environment:\n"
BEGIN = "def main():"
NEW = "def main():\n        "
UNSET = {
    "by a helper": {},
    "at once": asking('os.getenv("USE_FUSED", "0") == "1"'),
    "by the mapping": asking('os.environ.get("USE_FUSED", "off") == "on"'),
    "as a number": asking('int(os.environ.get("USE_FUSED", "0"))'),
    "as a number that is compared": asking('int(os.environ.get("USE_FUSED", 0)) == 1'),
    "in small letters": asking('os.environ.get("USE_FUSED", "False").lower() in ("1", "true")'),
    "and something else": asking('is_enabled("USE_FUSED") and torch.rand(1) > 0'),
    "another helper": helping('os.environ.get(name, "0") == "1"'),
    "set to nothing by the line": starting("USE_FUSED=0 python train.py"),
    "another one is set": starting("export USE_OTHER=1", "python train.py"),
    "set for another program": {
        **starting("python train.py"),
        "eval.py": 'if __name__ == "__main__":\n    print(3)\n',
        "eval.sh": "export USE_FUSED=1\npython eval.py\n",
    },
    "set for another image": {
        "Dockerfile": "FROM python\nRUN pip install torch\n",
        "Dockerfile.fused": "FROM python\nENV USE_FUSED=1\n",
    },
}
SET = {
    "asked without a default": asking('os.environ.get("USE_FUSED") == "1"'),
    "must be there": asking('os.environ["USE_FUSED"] == "1"'),
    "on by default": asking('os.getenv("USE_FUSED", "1") == "1"'),
    "a text is true": asking('os.getenv("USE_FUSED", "0")'),
    "where it is off": asking('not is_enabled("USE_FUSED")'),
    "or something else": asking('is_enabled("USE_FUSED") or torch.rand(1) > 0'),
    "a helper with more ways": helping('os.getenv(name, default) == "1" or torch_is_there()'),
    "a helper that says yes": helping('os.getenv(name, default) in ["0", "1"]'),
    "a helper that turns it": helping('os.getenv(name, default) != "1"'),
    "another default": asking('is_enabled("USE_FUSED", "1")'),
    "another default by its name": asking('is_enabled("USE_FUSED", default="1")'),
    "of the launcher": asking('os.getenv("LOCAL_RANK", "0") == "1"'),
    "by the line": starting("USE_FUSED=1 python train.py"),
    "by the line, not known": starting("USE_FUSED=$FAST python train.py"),
    "before the line": starting("export USE_FUSED=1", "python train.py"),
    "in another block": starting("export USE_FUSED=1", "```", "Then:", "```sh", "python train.py"),
    "for another line of the page": starting(
        "python train.py", "```", "Fast:", "```sh", "USE_FUSED=1 python train.py"
    ),
    "in a script": {
        **starting("bash run.sh"),
        "run.sh": "export USE_FUSED=1\npython train.py\n",
    },
    "by a script's line": {
        **starting("USE_FUSED=1 bash run.sh"),
        "run.sh": "python train.py\n",
    },
    "by what a script reads": {
        **starting("bash run.sh"),
        "run.sh": "source env.sh\npython train.py\n",
        "env.sh": "export USE_FUSED=1\n",
    },
    "by the image": {"Dockerfile": "FROM python\nENV USE_FUSED=1\nRUN pip install torch\n"},
    "by its services": {"docker-compose.yml": SERVICES + "      USE_FUSED: 1\n"},
    "by its services, listed": {"docker-compose.yml": SERVICES + "      - USE_FUSED=1\n"},
    "by a file of variables": {
        **starting("bash run.sh"),
        "run.sh": "set -a; source .env; set +a\npython train.py\n",
        ".env": "USE_FUSED=1\n",
    },
    "by a file of variables for services": {
        "docker-compose.yml": "services:\n  train:\n    image: net\n    env_file: fast.env\n",
        "fast.env": "USE_FUSED=1\n",
    },
    "by code": {
        "train.py": TRAIN.replace(
            "def main():", 'def main():\n        os.environ["USE_FUSED"] = "1"'
        )
    },
    "by code, unless it is there": {
        "train.py": TRAIN.replace(
            "def main():", 'def main():\n        os.environ.setdefault("USE_FUSED", "1")'
        )
    },
    "by code, several": {
        "train.py": TRAIN.replace(
            "def main():", 'def main():\n        os.environ.update({"USE_FUSED": "1"})'
        )
    },
    "by code, by names": {
        "train.py": TRAIN.replace(
            "def main():", 'def main():\n        os.environ.update(USE_FUSED="1")'
        )
    },
    "by code, from a file": {
        "train.py": TRAIN.replace(
            "def main():", "def main():\n        os.environ.update(dict(open('vars')))"
        )
    },
    "by code, unseen": {
        "train.py": TRAIN.replace(
            BEGIN, f"{NEW}for name, value in options():\n            os.environ[name] = value"
        )
    },
    "by a library that reads a file": {
        "train.py": TRAIN.replace(
            "def main():",
            "def main():\n        from dotenv import load_dotenv\n        load_dotenv()",
        )
    },
    "by a program around": {
        **starting("python start.py"),
        "start.py": 'import os, subprocess\nif __name__ == "__main__":\n'
        '    os.environ["USE_FUSED"] = "1"\n    subprocess.run("python train.py", shell=True)\n',
    },
}


INLINE = TRAIN.replace("return _fused(x)", "import flash_attn").replace(
    "        from flash_attn import flash_attn_func\n        return flash_attn_func(x, x, x)",
    "        return x",
)


@pytest.mark.parametrize(
    "condition", ['os.getenv("USE_FUSED", "0") == "1"', 'os.getenv("USE_FUSED")']
)
def test_a_line_under_a_variable_is_needed_where_the_run_sets_it(
    make_tree: MakeTree, condition: str
) -> None:
    train = {"train.py": INLINE.replace('is_enabled("USE_FUSED")', condition)}
    assert waits(make_tree, train) != {""}
    assert waits(make_tree, {**train, **starting("USE_FUSED=1 python train.py")}) == {""}
    assert waits(make_tree, {**train, **starting("USE_FUSED=0 python train.py")}) != {""}


@pytest.mark.parametrize("case", UNSET)
def test_a_variable_that_nobody_sets_is_off(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, UNSET[case]) == {"$USE_FUSED"}


@pytest.mark.parametrize("case", SET)
def test_a_variable_that_somebody_may_set_is_needed(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, SET[case]) == {""}
