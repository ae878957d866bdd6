"""Whole trees whose code asks variables of the environment, off unless somebody sets them.

Each way to set one must leave the fused kernel needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from scans import report_of

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
    report = report_of(root)
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


def job(value: str) -> dict[str, str]:
    """A job of Kubernetes that sets the variable to a value."""
    lines = (
        "kind: Job",
        "spec:",
        "  containers:",
        "    - name: net",
        '      command: ["python", "train.py"]',
        "      env:",
        "        - name: USE_FUSED",
        f"          {value}",
        "        - name: USE_OTHER",
        "          value: '1'",
        "",
    )
    return {**starting("kubectl apply -f job.yaml"), "job.yaml": "\n".join(lines)}


SERVICES = "services:\n  train:\n    image: net\n    environment:\n"
BEGIN = "def main():"
NEW = "def main():\n        "
UNSET = {
    "by a helper": {},
    "asked whether it is there": asking('os.environ.get("USE_FUSED")'),
    "asked whether it is there, by a name": {
        "train.py": TRAIN.replace(
            'if is_enabled("USE_FUSED"):', 'kind = os.getenv("USE_FUSED")\n        if kind:'
        )
    },
    "there, and something else": asking('os.environ.get("USE_FUSED") and len(x)'),
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
    "set to nothing by a job": job("value: '0'"),
    "set to nothing by a job in JSON": {
        "job.json": '{"env": [{"name": "USE_FUSED", "value": "0"}, {"value": "1"}]}\n'
    },
    "set for another program by the image": {
        **starting("python train.py"),
        "serve.py": 'if __name__ == "__main__":\n    print(3)\n',
        "Dockerfile": 'FROM python\nENV USE_FUSED=1\nCMD ["python", "serve.py"]\n',
    },
    "set for another image": {
        "Dockerfile": "FROM python\nRUN pip install torch\n",
        "Dockerfile.fused": "FROM python\nENV USE_FUSED=1\n",
    },
}
SET = {
    "not there": asking('not os.environ.get("USE_FUSED")'),
    "there by the line": {
        **asking('os.environ.get("USE_FUSED")'),
        **starting("USE_FUSED=net.yaml python train.py"),
    },
    "there or something else": asking('os.environ.get("USE_FUSED") or len(x)'),
    "there, by the launcher": asking('os.environ.get("LOCAL_RANK")'),
    "as a number without a default": asking('int(os.environ.get("USE_FUSED"))'),
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
    "by the image beside the line": {
        **starting("python train.py"),
        "Dockerfile": 'FROM python\nENV USE_FUSED=1\nCMD ["python", "train.py"]\n',
    },
    "by services beside the line": {
        **starting("python train.py"),
        "compose.yaml": f"{SERVICES}      USE_FUSED: 1\n    command: python train.py\n",
    },
    "by a job": job("value: '1'"),
    "by a job, from elsewhere": job("valueFrom: {secretKeyRef: {name: a, key: b}}"),
    "by a job, turned round": {"job.yaml": "env:\n- value: '1'\n  name: USE_FUSED\n"},
    "by a job, in braces": {"job.yaml": "env: [{name: USE_FUSED, value: '1'}]\n"},
    "by a job, a comment between": job("# fast\n          value: '1'"),
    "by a job in JSON": {"job.json": '{"env": [{"name": "USE_FUSED", "value": "1"}]}\n'},
    "by a job in HCL": {"job.tf": 'env {\n  name  = "USE_FUSED"\n  value = "1"\n}\n'},
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


CONDITIONS = ('os.getenv("USE_FUSED", "0") == "1"', 'os.getenv("USE_FUSED")')


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_line_under_a_variable_is_needed_where_the_run_sets_it(
    make_tree: MakeTree, condition: str
) -> None:
    train = {"train.py": INLINE.replace('is_enabled("USE_FUSED")', condition)}
    assert waits(make_tree, train) != {""}
    assert waits(make_tree, {**train, **starting("USE_FUSED=1 python train.py")}) == {""}
    assert waits(make_tree, {**train, **starting("USE_FUSED=0 python train.py")}) != {""}


KERN = (
    "from flash_attn import flash_attn_func\n\ndef fused(x):\n    return flash_attn_func(x, x, x)\n"
)
APART = TRAIN.replace(
    """        from flash_attn import flash_attn_func
        return flash_attn_func(x, x, x)""",
    "        return x",
)
ASKING = {
    "where it is needed": 'os.getenv("USE_FUSED", "0") == "1"',
    "before, by a name": "USE_FUSED",
    "before, by another name": "IS_ON",
}
STARTED = "import subprocess, os\nenv = {}\nsubprocess.run(['python', 'train.py'], env=env)\n"


def importing(asks: str, *, head: str = "") -> dict[str, str]:
    """The program with the kernel in a file that it imports if a variable says so."""
    named = (
        "" if asks == ASKING["where it is needed"] else f"{asks} = {next(iter(ASKING.values()))}"
    )
    text = APART.replace(
        'if is_enabled("USE_FUSED"):', f"if {asks}:\n            from kern import fused"
    ).replace("return _fused(x)", "return fused(x)")
    text = text.replace("def _fused", f"{named}\n    {head}\n\n    def _fused")
    return {"train.py": text, "kern.py": KERN}


def verdict(make_tree: MakeTree, changed: Mapping[str, str]) -> str:
    root = make_tree({path: dedent(text) for path, text in {**TREE, **changed}.items()})
    report = report_of(root)
    return report.score.verdict


WAYS = {
    "by the line": starting("USE_FUSED=1 python train.py"),
    "by a launcher's option": starting("mpirun -np 8 -x USE_FUSED=1 python train.py"),
    "before the line": starting("export USE_FUSED=1", "python train.py"),
    "by a script": {
        **starting("bash run.sh"),
        "run.sh": "export USE_FUSED=1\npython train.py\n",
    },
    "by the image": {
        **starting("docker build ."),
        "Dockerfile": 'FROM python\nENV USE_FUSED=1\nCMD ["python", "train.py"]\n',
    },
    "by a program around": {
        **starting("python start.py"),
        "start.py": STARTED.replace("{}", "{**os.environ, 'USE_FUSED': '1'}"),
    },
    "by another module": {"helper.py": HELPER + '\n    os.environ["USE_FUSED"] = "1"\n'},
    "by another module, unseen": {
        "helper.py": HELPER + "\n    for k, v in options():\n        os.environ[k] = v\n"
    },
}
HEADS = {
    "by code": 'os.environ["USE_FUSED"] = "1"',
    "by code, unless it is there": 'os.environ.setdefault("USE_FUSED", "1")',
    "by code, joined": 'os.environ |= {"USE_FUSED": "1"}',
    "by code, unseen": "for k, v in options(): os.environ[k] = v",
}
NO_WAYS = {
    "nobody": {},
    "set to nothing": starting("USE_FUSED=0 python train.py"),
    "another one": starting("USE_OTHER=1 python train.py"),
    "set to nothing by the image": {
        **starting("docker build ."),
        "Dockerfile": 'FROM python\nENV USE_FUSED=0\nCMD ["python", "train.py"]\n',
    },
    "set to nothing by code": {"helper.py": HELPER + '\n    os.environ["USE_FUSED"] = "0"\n'},
    "set for another image": UNSET["set for another image"],
    "set for another program": UNSET["set for another program"],
}


@pytest.mark.parametrize("asks", ASKING)
@pytest.mark.parametrize("case", WAYS)
def test_a_file_behind_a_variable_is_needed_where_something_sets_it(
    make_tree: MakeTree, case: str, asks: str
) -> None:
    tree = importing(ASKING[asks])
    assert verdict(make_tree, {**tree, **WAYS[case]}) == "replace libraries"


@pytest.mark.parametrize("case", HEADS)
def test_a_file_behind_a_variable_is_needed_where_code_sets_it(
    make_tree: MakeTree, case: str
) -> None:
    tree = importing(ASKING["where it is needed"], head=HEADS[case])
    assert verdict(make_tree, tree) == "replace libraries"


@pytest.mark.parametrize("asks", ASKING)
@pytest.mark.parametrize("case", NO_WAYS)
def test_a_file_behind_a_variable_waits_where_nothing_sets_it(
    make_tree: MakeTree, case: str, asks: str
) -> None:
    assert verdict(make_tree, {**importing(ASKING[asks]), **NO_WAYS[case]}) == "ready"


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("case", WAYS)
def test_a_line_under_a_variable_is_needed_where_anything_sets_it(
    make_tree: MakeTree, case: str, condition: str
) -> None:
    train = {"train.py": INLINE.replace('is_enabled("USE_FUSED")', condition)}
    assert waits(make_tree, {**train, **WAYS[case]}) == {""}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("case", NO_WAYS)
def test_a_line_under_a_variable_waits_where_nothing_sets_it(
    make_tree: MakeTree, case: str, condition: str
) -> None:
    train = {"train.py": INLINE.replace('is_enabled("USE_FUSED")', condition)}
    assert "" not in waits(make_tree, {**train, **NO_WAYS[case]})


@pytest.mark.parametrize("case", UNSET)
def test_a_variable_that_nobody_sets_is_off(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, UNSET[case]) == {"$USE_FUSED"}


@pytest.mark.parametrize("case", SET)
def test_a_variable_that_somebody_may_set_is_needed(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, SET[case]) == {""}


TEXTS = {
    ".deepspeed_env": "USE_FUSED={}\n",
    ".envrc": "export USE_FUSED={}\n",
    ".env": "USE_FUSED={}\n",
    "settings/train.env": 'USE_FUSED="{}"\n',
    "env.conf": "USE_FUSED={}\n",
    "train.service": "[Service]\nEnvironment=USE_FUSED={}\nExecStart=python train.py\n",
    "train.bat": "set USE_FUSED={}\npython train.py\n",
    "train.ps1": '$env:USE_FUSED = "{}"\npython train.py\n',
    "run.fish": "set -x USE_FUSED {}\npython train.py\n",
    ".vscode/launch.json": '{{"env": {{"USE_FUSED": "{}"}}, "program": "train.py"}}\n',
}


@pytest.mark.parametrize("path", TEXTS)
def test_a_variable_that_a_file_of_no_kind_sets_is_needed(make_tree: MakeTree, path: str) -> None:
    assert waits(make_tree, {path: TEXTS[path].format(1)}) == {""}


@pytest.mark.parametrize("path", TEXTS)
def test_a_variable_that_a_file_of_no_kind_sets_to_nothing_is_off(
    make_tree: MakeTree, path: str
) -> None:
    assert waits(make_tree, {path: TEXTS[path].format(0)}) == {"$USE_FUSED"}


@pytest.mark.parametrize("path", ["tests/.env", "notes.txt", ".gitignore"])
def test_a_variable_that_another_text_speaks_of_is_off(make_tree: MakeTree, path: str) -> None:
    assert waits(make_tree, {path: "USE_FUSED=1\n"}) == {"$USE_FUSED"}


def test_a_line_of_its_own_under_a_variable_is_needed_by_a_file_of_no_kind(
    make_tree: MakeTree,
) -> None:
    train = {"train.py": INLINE.replace('is_enabled("USE_FUSED")', CONDITIONS[1])}
    assert waits(make_tree, {**train, ".env": "USE_FUSED=1\n"}) == {""}
    assert "" not in waits(make_tree, {**train, ".env": "USE_FUSED=0\n"})


PARSED = """
    import configargparse
    import torch
    import flash_attn

    def main():
        parser = configargparse.ArgParser()
        parser.add("--flash", action="store_true")
        parser.add("--steps", type=int, default=8)
        args = parser.parse_args()
        x = torch.zeros(3, 8, requires_grad=True)
        if args.flash:
            x = flash_attn.flash_attn_func(x, x, x)
        x.sum().backward()

    if __name__ == "__main__":
        main()
    """
OPEN = {
    "by a variable": ('"--flash"', '"--flash", env_var="FLASH"'),
    "by a variable, its name in the code": ('"--flash"', '"--flash", env_var=PREFIX + "FLASH"'),
    "by a file": ("ArgParser()", 'ArgParser(default_config_files=["configs/default.conf"])'),
    "by any variable": ("ArgParser()", 'ArgParser(auto_env_var_prefix="NET_")'),
    "by any variable, of another parser": ("ArgParser()", "ArgParser(default_env=True)"),
}
CLOSED = {
    "nothing more": ("", ""),
    "for another option": ('"--steps"', '"--steps", env_var="STEPS"'),
    "no files": ("ArgParser()", "ArgParser(default_config_files=[])"),
    "no variables": ("ArgParser()", "ArgParser(default_env=False)"),
}


@pytest.mark.parametrize("case", OPEN)
def test_an_option_that_a_parser_may_get_elsewhere_is_needed(
    make_tree: MakeTree, case: str
) -> None:
    assert waits(make_tree, {"train.py": PARSED.replace(*OPEN[case])}) == {""}


@pytest.mark.parametrize("case", CLOSED)
def test_an_option_that_only_the_line_gives_waits_for_it(make_tree: MakeTree, case: str) -> None:
    assert waits(make_tree, {"train.py": PARSED.replace(*CLOSED[case])}) == {"flash"}


HELPED = {
    "by a helper": (
        'is_enabled("USE_FUSED")',
        HELPER.replace(ASKED, 'os.getenv(name, default) == "1"'),
    ),
    "by a name": (
        "helper.IS_ON",
        f'{HELPER}\n    NAME = "USE_FUSED"\n    IS_ON = os.getenv(NAME, "0") == "1"\n',
    ),
}


@pytest.mark.parametrize("case", HELPED)
@pytest.mark.parametrize("is_apart", [True, False])
def test_what_a_variable_guards_by_no_name_of_its_own_is_needed_where_something_sets_it(
    make_tree: MakeTree, case: str, *, is_apart: bool
) -> None:
    asks, helper = HELPED[case]
    tree = importing(ASKING["where it is needed"])
    if not is_apart:
        tree = {"train.py": INLINE.replace('is_enabled("USE_FUSED")', ASKING["where it is needed"])}
    text = tree["train.py"].replace(ASKING["where it is needed"], asks)
    text = text.replace("import os\n", "import os\n    import helper\n", 1)
    files = {**tree, "train.py": text, "helper.py": helper}
    assert verdict(make_tree, {**files, **WAYS["by the line"]}) == "replace libraries"
    if case == "by a helper":
        assert verdict(make_tree, files) == "ready"


ARMS = {
    "beside an else": """if {}:
            x = flash_attn.flash_attn_func(x, x, x)
        else:
            x = torch.relu(x)
        return x""",
    "before another way": """if {}:
            return flash_attn.flash_attn_func(x, x, x)
        return torch.relu(x)""",
    "behind another way": """if not {}:
            return torch.relu(x)
        return flash_attn.flash_attn_func(x, x, x)""",
    "in one expression": "return flash_attn.flash_attn_func(x, x, x) if {} else torch.relu(x)",
    "beside another test": """if {}:
            x = flash_attn.flash_attn_func(x, x, x)
        elif x.dim() > 3:
            x = torch.relu(x)
        else:
            x = x + 1
        return x""",
}


def arms(case: str, condition: str) -> dict[str, str]:
    """The program with a fused kernel beside another way, one of which a variable chooses."""
    text = INLINE.replace(
        'if is_enabled("USE_FUSED"):\n            import flash_attn\n        return x',
        ARMS[case].format(condition),
    )
    assert "flash_attn_func" in text
    return {"train.py": text.replace("import torch\n", "import flash_attn\n    import torch\n", 1)}


def guards(make_tree: MakeTree, changed: Mapping[str, str]) -> set[str]:
    """The guards of the fused kernel's calls on the main path."""
    root = make_tree({path: dedent(text) for path, text in {**TREE, **changed}.items()})
    return {each.guard for each in report_of(root).findings if "flash_attn_func(" in each.snippet}


@pytest.mark.parametrize("case", ARMS)
@pytest.mark.parametrize("condition", [*CONDITIONS, "FUSED"])
@pytest.mark.parametrize("way", ["by the line", "by the image", "by another module"])
def test_another_way_is_none_where_something_sets_the_variable(
    make_tree: MakeTree, case: str, condition: str, way: str
) -> None:
    files = arms(case, condition)
    if condition == "FUSED":
        files["train.py"] = files["train.py"].replace(
            "def forward", f"FUSED = {CONDITIONS[0]}\n\n    def forward"
        )
    assert guards(make_tree, {**files, **WAYS[way]}) == {"none"}


@pytest.mark.parametrize("case", ARMS)
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("way", ["nobody", "set to nothing", "set for another program"])
def test_another_way_is_one_where_nothing_sets_the_variable(
    make_tree: MakeTree, case: str, condition: str, way: str
) -> None:
    assert guards(make_tree, {**arms(case, condition), **NO_WAYS[way]}) == {"fallback"}


@pytest.mark.parametrize("more", ["torch.cuda.is_available()", "flash_attn is not None"])
def test_another_way_is_one_where_more_decides_than_the_variable(
    make_tree: MakeTree, more: str
) -> None:
    files = arms("beside an else", f"{CONDITIONS[0]} and {more}")
    optional = "try:\n        {}    except ImportError:\n        flash_attn = None\n"
    line = "import flash_attn\n"
    files["train.py"] = files["train.py"].replace(line, optional.format(line), 1)
    assert guards(make_tree, {**files, **WAYS["by the line"]}) == {"fallback"}


def test_a_device_that_a_variable_chooses_is_needed_where_something_sets_it(
    make_tree: MakeTree,
) -> None:
    text = INLINE.replace("torch.zeros(3, 8,", "torch.zeros(3, 8, device=DEVICE,")
    chosen = "DEVICE = 'cpu'\n    if os.getenv('ON_GPU'):\n        DEVICE = 'cuda'\n\n    "
    files = {"train.py": text.replace("def forward", f"{chosen}def forward")}
    for line, expected in (("ON_GPU=1 ", "none"), ("ON_GPU=0 ", "fallback"), ("", "fallback")):
        root = make_tree(
            {
                path: dedent(each)
                for path, each in {**TREE, **files, **starting(f"{line}python train.py")}.items()
            }
        )
        found = {each.guard for each in report_of(root).findings if each.rule.startswith("DST")}
        assert found == {expected}


FED = """
    import json
    import sys
    import torch

    class Net(torch.nn.Module):
        def __init__(self, fused=False):
            super().__init__()
            self.fused = fused

        def forward(self, x):
            if self.fused:
                from flash_attn import flash_attn_func
                y = flash_attn_func(x, x, x)
            else:
                y = x
            return y

    def main():
        net = Net({})
        net(torch.zeros(3, 8, requires_grad=True)).sum().backward()

    if __name__ == "__main__":
        main()
    """


@pytest.mark.parametrize(
    ("given", "guards"),
    [
        ("", {"fallback"}),
        ("); config = {}; config.update(json.load(open(sys.argv[1]))", {"fallback"}),
        ("**json.load(open('net.json'))", {"none"}),
        ("fused=True", {"none"}),
        ("fused=json.load(open('net.json'))['fused']", {"none"}),
    ],
)
def test_a_flag_with_another_way_is_undone_only_by_who_is_seen_to_set_it(
    make_tree: MakeTree, given: str, guards: set[str]
) -> None:
    root = make_tree({"train.py": dedent(FED).replace("Net({})", f"Net({given})")})
    report = report_of(root)
    assert {each.guard for each in report.findings if each.scope == "Net.forward"} == guards


SPELLED = """
    import argparse
    import torch
    from flash_attn import flash_attn_func

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("-f", "--fast", "--use_fused", dest="use_fused", action="store_true")
        parser.add_argument("-q", "--quiet", action="store_true")
        args = parser.parse_args()
        x = torch.zeros(3, 8, requires_grad=True)
        if args.use_fused:
            x = flash_attn_func(x, x, x)
        else:
            x = torch.relu(x)
        x.sum().backward()

    if __name__ == "__main__":
        main()
    """


@pytest.mark.parametrize(
    ("words", "guard"),
    [
        ("", "fallback"),
        ("--quiet", "fallback"),
        ("-q", "fallback"),
        ("--use_fused", "none"),
        ("--fast", "none"),
        ("-f", "none"),
    ],
)
def test_a_flag_with_another_way_is_set_by_any_of_its_names(
    make_tree: MakeTree, words: str, guard: str
) -> None:
    readme = f"```sh\npython train.py {words}\n```\n"
    root = make_tree({"train.py": dedent(SPELLED), "README.md": readme})
    found = [each for each in report_of(root).findings if "flash_attn_func(" in each.snippet]
    assert {each.guard for each in found} == {guard}
