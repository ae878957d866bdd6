"""What files start, in each kind of file, and the commands that projects declare."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from portaudit.kinds import kind_by_name
from portaudit.read.launches import may_start
from portaudit.types import FileFacts, Launch
from snippets import findings, scan

BLOCK = "```bash\n{}\n```\n"


def facts(path: str, text: str) -> FileFacts:
    result = scan({path: text})[path]
    assert not result.errors
    return result.facts


def said(launch: Launch) -> str:
    """A launch as `launcher > target arguments`, with `launcher -m` for a module."""
    front = f"{launch.launcher}{' -m' * launch.module} > " if launch.launcher else ""
    return " ".join([f"{front}{launch.target}", *launch.arguments])


def started(path: str, text: str) -> list[str]:
    return [said(launch) for launch in facts(path, text).launches]


def shell(text: str) -> list[str]:
    return started("run.sh", text)


def lines(path: str, text: str) -> list[tuple[int, str]]:
    return [(launch.line, launch.target) for launch in facts(path, text).launches]


def folders(text: str, path: str = "run.sh") -> list[tuple[str, str]]:
    return [(each.target, each.folder) for each in facts(path, text).launches]


def declared(path: str, text: str) -> list[tuple[int, str, str]]:
    return [(each.line, each.name, each.target) for each in facts(path, text).scripts]


# --- launchers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python train.py --lr 0.1", "python > train.py --lr 0.1"),
        ("python3 -u -W ignore tools/train.py", "python3 > tools/train.py"),
        ("/usr/bin/python3.10 a.py", "python3.10 > a.py"),
        ("python -m pkg.train lr=1", "python -m > pkg.train lr=1"),
        ("python -um pkg.train", "python -m > pkg.train"),
        ("python -X dev -mtrain", "python -m > train"),
        ("python bin/train x", "python > bin/train x"),
        ("CUDA_VISIBLE_DEVICES=0 A=1 python train.py", "python > train.py"),
        ("torchrun --nproc_per_node 8 --standalone train.py a", "torchrun > train.py a"),
        ("torchrun --nnodes=2 -m pkg.train a", "torchrun -m > pkg.train a"),
        ("torchrun --standalone -m pkg.train", "torchrun -m > pkg.train"),
        ("torchrun --no-python bash go.sh x", "bash > go.sh x"),
        (
            "python -m torch.distributed.launch --nproc_per_node=8 --use_env main.py --x y",
            "torch.distributed.launch > main.py --x y",
        ),
        (
            "python -u -m torch.distributed.run --nnodes 1 -m pkg.run x",
            "torch.distributed.run -m > pkg.run x",
        ),
        (
            "accelerate launch --config_file a.yaml --multi_gpu train.py --lr 1",
            "accelerate > train.py --lr 1",
        ),
        ("accelerate launch -m pkg.train", "accelerate -m > pkg.train"),
        ("accelerate-launch train.py", "accelerate-launch > train.py"),
        (
            "deepspeed --num_gpus 8 --hostfile h train.py --deepspeed ds.json",
            "deepspeed > train.py --deepspeed ds.json",
        ),
        ("deepspeed --module pkg.train", "deepspeed -m > pkg.train"),
        ("composer -n 8 train/train.py a.yaml x=1", "composer > train/train.py a.yaml x=1"),
        ("lightning run model --devices 2 train.py", "lightning > train.py"),
        ("fabric run --strategy ddp train.py a", "fabric > train.py a"),
        ("colossalai run --nproc_per_node 4 train.py a", "colossalai > train.py a"),
        ("horovodrun -np 4 -H a:4 python train.py b", "python > train.py b"),
        ("mpirun -np 8 --mca btl tcp python train.py", "python > train.py"),
        ("srun -N 2 --gpus 8 torchrun --nnodes 2 train.py", "torchrun > train.py"),
        ("ray job submit --address x -- python train.py", "python > train.py"),
        ("coverage run --branch train.py", "coverage > train.py"),
        ("python -m cProfile -o out train.py a", "cProfile > train.py a"),
        ("docker run --gpus all image python train.py", "python > train.py"),
        ("uv run main.py --epochs 1", "main.py --epochs 1"),
        ("conda run -n env python train.py", "python > train.py"),
        ("ssh host 'cd x && python train.py a'", "python > train.py a"),
        ("bash -x scripts/train.sh 8", "bash > scripts/train.sh 8"),
        ("sbatch -N 2 --exclusive job.slurm a", "sbatch > job.slurm a"),
        ("source scripts/train.sh", "source > scripts/train.sh"),
        ("./tools/dist_train.sh configs/x.py 8", "./tools/dist_train.sh configs/x.py 8"),
        ("tools/train.py x", "tools/train.py x"),
        ("fairseq-train data --arch x", "fairseq-train data --arch x"),
        ("ns-train nerfacto --data d", "ns-train nerfacto --data d"),
        ("llmfoundry train x.yaml", "llmfoundry train x.yaml"),
        ("python -m train experiment=pile/h3 +a=1", "python -m > train experiment=pile/h3 +a=1"),
        ("run_with_retry python train.py", "python > train.py"),
        ("sbatch --wrap='torchrun train.py --a 1'", "torchrun > train.py --a 1"),
        ("bash -c 'python train.py'", "python > train.py"),
        ("tmux send-keys 'python train.py' C-m", "python > train.py"),
        ("nohup python -u train.py > log 2>&1 &", "python > train.py"),
        ("time numactl -N 0 python train.py", "python > train.py"),
    ],
)
def test_a_command_starts(command: str, expected: str) -> None:
    assert shell(command) == [expected]


@pytest.mark.parametrize(
    "command",
    [
        "echo python train.py",
        "python -c 'import train'",
        "python - <<EOF\nimport torch\nEOF",
        "python --version",
        "python -m pip install torch",
        "python -m",
        "python setup.py install",
        "coverage run -m pytest tests",
        "accelerate config",
        "ray start --head",
        "torchrun --help",
        "pip install deepspeed",
        "conda create -n x python=3.10",
        "which python",
        "cd train && ls",
        "git commit -m 'python train.py'",
        "nvidia-smi",
        "source venv/bin/activate",
        "/usr/bin/mytool x",
        "# python train.py",
        "cat <<EOF\npython train.py\nEOF",
        "A=1",
        "world_size = 8",
        "[ -f train.py ]",
        "",
    ],
)
def test_a_command_starts_nothing_of_a_tree(command: str) -> None:
    assert shell(command) == []


# --- shell ----------------------------------------------------------------------------------------


def test_variables_that_the_file_sets_are_filled_in() -> None:
    source = """
        SCRIPT=tools/train.py
        PYTHON=${PYTHON:-"python3"}
        LAUNCHER="torchrun --nproc_per_node 8 \\
            --nnodes ${NNODES:-2}"
        ARGS="--lr 1 --name $NAME"
        : ${CONFIG:=configs/a.yaml}
        MORE=(
            --a "b c"  # why
            --d
        )
        $PYTHON $SCRIPT $ARGS --config $CONFIG
        $LAUNCHER pretrain.py ${MORE[@]}
        ${RUN:-python} $UNKNOWN/train.py "${ARGS}"
    """
    assert shell(source) == [
        "python3 > tools/train.py --lr 1 --name $NAME --config configs/a.yaml",
        "torchrun > pretrain.py --a b c --d",
        "python > $UNKNOWN/train.py --lr 1 --name $NAME",
    ]


def test_options_in_unknown_variables_are_no_target() -> None:
    source = """
        torchrun $DISTRIBUTED_ARGS pretrain.py $GPT_ARGS
        srun ${SRUN_ARGS} python -u train.py
        python $OPTIONS -m pkg.train
        $LAUNCHER --x y train.py a
        python $1 "${@:2}"
    """
    assert shell(source) == [
        "torchrun > pretrain.py $GPT_ARGS",
        "python > train.py",
        "python -m > pkg.train",
        "$LAUNCHER > train.py a",
        "python > $1 ${@:2}",
    ]


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ('$(dirname "$0")', "$(dirname $0)"),
        ('$(cd -- "$(dirname "$0")" >/dev/null 2>&1 ; pwd -P)', "$(dirname $0)"),
        ('$( cd "$( dirname "${BASH_SOURCE[0]}" )/.." && pwd )', "$(dirname $0)/.."),
        ("$(dirname $(readlink -f $0))", "$(dirname $0)"),
        ("${BASH_SOURCE%/*}", "$(dirname $0)"),
        ("$(dirname $(dirname $0))", "$(dirname $0)/.."),
        ("$(mktemp -d)", "$DIR"),
        ("$DIR:more", "$DIR"),
    ],
)
def test_the_folder_of_a_script_has_one_spelling(folder: str, expected: str) -> None:
    source = f'DIR={folder}\nUP=$(dirname $DIR)\npython "$DIR/a.py"\npython $UP/b.py\n'
    up = f"{expected}/.." if expected.startswith("$(") else "$UP"
    assert shell(source) == [f"python > {expected}/a.py", f"python > {up}/b.py"]


def test_a_folder_in_the_word_itself() -> None:
    assert shell('python $(dirname "$0")/train.py $CONFIG') == [
        "python > $(dirname $0)/train.py $CONFIG"
    ]


def test_positional_words_stay_for_whoever_knows_the_caller() -> None:
    assert shell("CONFIG=$1\nGPUS=$2\ntorchrun --nproc_per_node=$GPUS train.py $CONFIG ${@:3}") == [
        "torchrun > train.py $1 ${@:3}"
    ]


def test_variables_that_name_each_other_end() -> None:
    (circle,) = shell("A=$B\nB=$A\nC=x$C\npython $A/a.py $C")
    assert circle in {"python > $A/a.py $C", "python > $B/a.py $C"}
    wide = "\n".join(f"V{at}={f'$V{at + 1}' * 400}" for at in range(9))
    (launch,) = facts("run.sh", f"{wide}\npython a.py $V0").launches
    assert launch.arguments == (("$V1" * 67)[:200],)


def test_the_line_is_where_the_command_begins() -> None:
    source = """
        set -e
        A=1 srun -N 2 \\
            torchrun \\
            train.py
        if true; then
            ./b.sh
        fi
    """
    assert lines("job.slurm", source) == [(2, "train.py"), (6, "./b.sh")]


def test_a_command_in_a_variable_is_one_launch_with_what_it_is_given() -> None:
    source = 'CMD="python train.py"\n$CMD --lr 1\nOTHER="python b.py --x"\neval "$OTHER"\n'
    found = facts("run.sh", source).launches
    assert ("train.py", ("--lr", "1")) in [(each.target, each.arguments) for each in found]
    assert ("b.py", ("--x",)) in [(each.target, each.arguments) for each in found]


def test_the_same_launch_on_one_line_is_one() -> None:
    assert shell("bash -c 'python a.py'") == ["python > a.py"]
    assert len(shell("python a.py\npython a.py")) == 2


def test_arguments_and_launches_are_bounded() -> None:
    (launch,) = facts("run.sh", "python train.py " + "x" * 999 + " y" * 99).launches
    assert len(launch.arguments) == 60
    assert max(map(len, launch.arguments)) == 200
    many = "\n".join(f"python a{number}.py" for number in range(700))
    assert len(facts("run.sh", many).launches) == 500


# --- other kinds ----------------------------------------------------------------------------------


def test_a_makefile() -> None:
    source = (
        "PYTHON ?= python3 # the interpreter\nNPROC = 2\n\n"
        "train:\n\t@$(PYTHON) train.py --n $(NPROC)\n\ttorchrun -m pkg.train\n"
    )
    assert started("Makefile", source) == [
        "python3 > train.py --n 2",
        "torchrun -m > pkg.train",
    ]


def test_a_dockerfile() -> None:
    source = """
        FROM python:3.12
        RUN python prepare.py && \\
            ./fetch.sh
        ENTRYPOINT ["torchrun", "--nproc_per_node=8", "train.py"]
        CMD ["bash", "-c", "python eval.py --x"]
    """
    assert started("Dockerfile", source) == [
        "python > prepare.py",
        "./fetch.sh",
        "torchrun > train.py",
        "python > eval.py --x",
    ]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "job.yaml",
            """
            apiVersion: batch/v1
            kind: Job
            spec:
              template:
                spec:
                  containers:
                    - image: a/b
                      command: ["torchrun", "--nnodes=2"]
                      args: ["train.py", "--lr", "1"]
            """,
            "torchrun > train.py --lr 1",
        ),
        (
            "docker-compose.yml",
            "services:\n  train:\n    image: a/b\n    command: python train.py --lr 1\n",
            "python > train.py --lr 1",
        ),
        (
            ".github/workflows/ci.yml",
            """
            on: push
            jobs:
              a:
                runs-on: x
                steps:
                  - run: |
                      cd a
                      bash train.sh 1
            """,
            "bash > train.sh 1",
        ),
        (
            "sky.yaml",
            "resources:\n  cpus: 4\nrun: |\n  torchrun train.py\n",
            "torchrun > train.py",
        ),
        ("estimator.yaml", "entry_point: src/train.py\nsource_dir: .\n", "src/train.py"),
        ("sweep.yaml", "program: train.py\nmethod: bayes\n", "train.py"),
        (
            "azure.yml",
            """
            $schema: https://azuremlschemas.azureedge.net/x.json
            code: src
            command: >-
              python train.py
              --lr 1
            """,
            "python > train.py --lr 1",
        ),
        ("run.yaml", "name: x\njob:\n  cmd: accelerate launch train.py a.yaml\n", None),
        (
            "task.json",
            '{"containerProperties": {"command": ["python", "-m", "pkg.train"]}}',
            "python -m > pkg.train",
        ),
        (
            ".vscode/launch.json",
            '{"configurations": [{"program": "pkg/train.py", "args": ["--a", "b"]}]}',
            "pkg/train.py --a b",
        ),
        ("package.json", '{"scripts": {"train": "python train.py"}}', "python > train.py"),
        (
            "pyproject.toml",
            '[tool.poe.tasks]\ntrain = "python -m pkg.train"\n',
            "python -m > pkg.train",
        ),
        (
            "main.tf",
            """
            resource "aws_instance" "a" {
              user_data = <<EOF
            #!/bin/bash
            python train.py
            EOF
            }
            """,
            "python > train.py",
        ),
    ],
)
def test_files_of_settings(path: str, text: str, expected: str | None) -> None:
    expected = expected or "accelerate > train.py a.yaml"
    assert started(path, dedent(text).lstrip("\n")) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "description: python is what it needs\n",
        "note: bash scripts are in tools\n",
        "script: yes\nprogram: training\n",
        "python: 3.10\n",
    ],
)
def test_prose_in_settings_starts_nothing(text: str) -> None:
    assert started("a.yaml", text) == []


def test_a_notebook() -> None:
    def cell(*source: str) -> dict[str, object]:
        return {"cell_type": "code", "source": [f"{line}\n" for line in source], "outputs": []}

    text = json.dumps(
        {
            "cells": [
                cell("!python prepare.py", "%run demo.py --x 1", "%run -m pkg.demo"),
                cell("import subprocess", "subprocess.run(['python', 'late.py'])"),
                cell("%%bash", "torchrun train.py"),
            ],
            "nbformat": 4,
            "metadata": {},
        },
        indent=1,
    )
    found = facts("a.ipynb", text).launches
    assert [said(each) for each in found] == [
        "python > prepare.py",
        "ipython > demo.py --x 1",
        "ipython -m > pkg.demo",
        "python > late.py",
        "torchrun > train.py",
    ]
    rows = text.split("\n")
    assert all(each.target in rows[each.line - 1] for each in found)


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("COPY . /app\nWORKDIR /app/tools\n{}", "tools"),
        ("WORKDIR /app\nADD --chown=me ./ .\nWORKDIR tools\n{}", "tools"),
        ("ARG HOME=/app\nCOPY . $HOME\nWORKDIR ${{HOME}}/tools/sub\n{}", "tools/sub"),
        ("COPY . /app\nWORKDIR /app\n{}", ""),
        ("WORKDIR /app/tools\n{}", ""),  # nobody knows where the tree is
        ("COPY src /app\nWORKDIR /app/tools\n{}", ""),
        ("COPY --from=base . /app\nWORKDIR /app/tools\n{}", ""),
        ("COPY . /app\nWORKDIR /opt\n{}", ""),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "RUN python train.py",
        'CMD ["python", "train.py"]',
        'ENTRYPOINT ["python", "train.py"]\nCMD ["x"]',
    ],
)
def test_a_container_runs_commands_in_its_folder(text: str, folder: str, command: str) -> None:
    assert folders("FROM base\n" + text.format(command), "Dockerfile") == [("train.py", folder)]


def test_a_stage_begins_in_the_folder_of_the_one_below() -> None:
    text = (
        "FROM x AS base\nCOPY . /app\nWORKDIR /app/a\nFROM base\nWORKDIR b\n"
        "RUN cd c && python train.py\n"
    )
    assert folders(text, "Dockerfile") == [("train.py", "a/b/c")]


def test_steps_of_a_workflow_run_in_their_folders() -> None:
    text = """
        defaults:
          run:
            working-directory: a
        jobs:
          one:
            steps:
              - run: python w.py
              - working-directory: b
                run: |
                  cd c
                  python x.py
              - run: python y.py
                working-directory: ${{ matrix.x }}
          two:
            defaults:
              run:
                working-directory: ./d
            steps:
              - run: python z.py
    """
    assert folders(dedent(text), ".github/workflows/a.yml") == [
        ("w.py", "a"),
        ("x.py", "b/c"),
        ("y.py", ""),
        ("z.py", "d"),
    ]


# --- Markdown -------------------------------------------------------------------------------------


def test_blocks_of_shell_in_a_readme() -> None:
    text = (
        "# Train\n\n```bash\n$ python train.py \\\n    --lr 1\nloss 3.2\n```\n\n"
        "~~~sh\nns-train nerfacto\n~~~\n\n```python\nns-train splat\n```\n"
    )
    assert lines("README.md", text) == [(4, "train.py"), (10, "ns-train")]
    assert started("README.md", text)[0] == "python > train.py --lr 1"


def test_other_pages_tell_what_they_start_and_not_what_they_install() -> None:
    text = "```\npip install flash-attn\npython -m train experiment=pile/hyena\n```\n"
    result = scan({"experiments.md": text})["experiments.md"]
    assert [said(each) for each in result.facts.launches] == [
        "python -m > train experiment=pile/hyena"
    ]
    assert not result.findings
    assert scan({"README.md": text})["README.md"].findings


def test_blocks_in_no_language_show_commands_by_what_they_begin_with() -> None:
    text = (
        "```\nOMP_NUM_THREADS=1 python -m torch.distributed.launch --nproc_per_node=8 main.py \\\n"
        "    --epochs 100\n./tools/dist_train.sh a.py 8\nfairseq-train data\n"
        "Epoch 1 done\n├── train.py\nresults in a.py\n```\n\n    python indented.py\n"
    )
    assert started("README.md", text) == [
        "torch.distributed.launch > main.py --epochs 100",
        "./tools/dist_train.sh a.py 8",
        "fairseq-train data",
        "python > indented.py",
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            "cd tools\npython train.py \\\n  -c configs/a.yaml \\\n  --gpus 8",
            ["python > train.py -c configs/a.yaml --gpus 8"],
        ),
        ("import torch\n!torchrun train.py --lr 1\nprint(1)", ["torchrun > train.py --lr 1"]),
        ("python -m pkg.train", ["python -m > pkg.train"]),
        ("python = train\nbash -x\nprint(python)", []),
        ("python trains\ntrain.py\nns-train splat\n./train.py", []),
    ],
)
@pytest.mark.parametrize("language", ["python", "text"])
def test_commands_in_a_block_of_another_language(
    language: str, block: str, expected: list[str]
) -> None:
    assert started("README.md", f"```{language}\n{block}\n```\n") == expected
    indented = block.replace("\n", "\n   ")
    directive = f".. code-block:: {language}\n\n   {indented}\n"
    assert started("README.rst", directive) == expected


@pytest.mark.parametrize(
    ("quoted", "expected"),
    [
        (
            "> PATH_TO=./:${HERE} \\\\\\\n> GPUS=0 \\\\\\\n> python net/train.py -opt a\\_b.yml",
            ["python > net/train.py -opt a_b.yml"],
        ),
        (
            "> torchrun a.py \\\n> or\\\n> python b.py --lr 1",
            ["torchrun > a.py", "python > b.py --lr 1"],
        ),
        ("> python is a language.\n> So is shell; train.py is a file.", []),
        ("> Epoch 1\n\npython train.py is said of nothing", []),
        ("> ```\n> python c.py\n> ```", ["python > c.py"]),
        ("1. Train\n    > python d.py -opt e.yml", ["python > d.py -opt e.yml"]),
    ],
)
def test_a_command_that_is_quoted(quoted: str, expected: list[str]) -> None:
    assert started("TRAIN.md", f"Text:\n\n{quoted}\n") == expected


def test_output_in_a_block_of_shell_is_no_command() -> None:
    text = BLOCK.format(
        "python main.py -h\nusage: main.py\n    resnet18 | resnet34 |\n    useful on restarts"
    )
    assert started("README.md", text) == ["python > main.py -h"]


def test_code_in_a_sentence() -> None:
    text = "Text\n\nThen\nrun `python tools/prepare.py --all`, with `python 3.10` or `bash`.\n"
    assert lines("README.md", text) == [(4, "tools/prepare.py")]
    assert [each.said for each in facts("README.md", text).launches] == [True]
    typed = facts("README.md", BLOCK.format("python a.py")).launches
    assert [each.said for each in typed] == [False]


# --- Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('subprocess.run(["python", "train.py", "--lr", "1"])', "python > train.py --lr 1"),
        (
            'subprocess.check_call([sys.executable, "-m", "torch.distributed.run", "a.py", *rest])',
            "torch.distributed.run > a.py ${rest}",
        ),
        ('subprocess.Popen("bash run.sh " + name, shell=True)', "bash > run.sh ${name}"),
        ('os.system(f"torchrun --nproc_per_node={n} train.py {x.y}")', "torchrun > train.py ${y}"),
        ('os.system("python train.py {}".format(a))', "python > train.py {}"),
        ('subprocess.run(shlex.split("python a.py b"))', "python > a.py b"),
        ('subprocess.run("python a.py b".split())', "python > a.py b"),
        ('cmd = ["python", "a.py"]\nsubprocess.run(cmd + ["--x"])', "python > a.py --x"),
        ('SCRIPT = "a.py"\nsubprocess.run(["python", SCRIPT])', "python > a.py"),
        ('cmd = " ".join(["python", "a.py"])\nos.system(cmd)', "python > a.py"),
        ('subprocess.run(["bash", "-c", "python a.py b"])', "python > a.py b"),
        ('subprocess.run(["./go.sh", str(n)])', "./go.sh ${n}"),
        ('subprocess.run(["python", os.path.join(here, "a.py")])', "python > ${here}/a.py"),
        (
            'asyncio.create_subprocess_exec("python", "a.py", stdout=None)',
            "python > a.py",
        ),
        ('PyTorch(entry_point="train.py", role=r)', "train.py"),
        ('command(code="src", command="python train.py --a")', "python > train.py --a"),
    ],
)
def test_programs_that_python_starts(source: str, expected: str) -> None:
    imports = "import asyncio, os, shlex, subprocess, sys\n"
    assert started("launch.py", imports + source) == [expected]


@pytest.mark.parametrize(
    "source",
    [
        'run(["python", "a.py"])',
        'print("python a.py")',
        'subprocess.run(["git", "log"])',
        "subprocess.run(command)",
        '"""Usage:\n#SBATCH -N 2\nsrun python a.py\n"""',
        'parser.add_argument(command="python")',
        'run(script="a.sh")',
    ],
)
def test_python_that_starts_nothing(source: str) -> None:
    assert started("a.py", f"import subprocess\ndef f(command):\n    {source}\n") == []


def test_a_script_that_python_writes() -> None:
    source = (
        'def job(nodes):\n    return f"""#!/bin/bash\n#SBATCH -N {nodes}\n'
        'srun python train.py --n {nodes}\n"""\n'
    )
    assert lines("submit.py", source) == [(4, "train.py")]


# --- what a project declares ----------------------------------------------------------------------


def test_setup_with_a_dictionary() -> None:
    source = """
        from setuptools import setup

        POINTS = {
            "console_scripts": [
                "my-train = pkg.train:main",
                "my-eval=pkg.eval:main [extra]",
            ],
            "pkg.plugins": ["a = pkg.a:A"],
        }
        setup(entry_points=POINTS, scripts=["bin/go", "tools/run.py"])
    """
    assert declared("setup.py", source) == [
        (5, "my-train", "pkg.train:main"),
        (6, "my-eval", "pkg.eval:main"),
        (8, "pkg.plugins:a", "pkg.a:A"),
        (10, "go", "bin/go"),
        (10, "run.py", "tools/run.py"),
    ]


def test_setup_with_a_text() -> None:
    source = '''
        from setuptools import setup

        setup(
            entry_points="""
            [console_scripts]
            # the first
            a = pkg.a:main
            [pkg.plugins]
            b = pkg.b:B
            [gui_scripts]
            c = pkg.c:main
            """
        )
    '''
    assert declared("setup.py", source) == [
        (7, "a", "pkg.a:main"),
        (9, "pkg.plugins:b", "pkg.b:B"),
        (11, "c", "pkg.c:main"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        '{"console_scripts": "a = pkg.a:main"}',
        '{"console_scripts": ("a = pkg.a:main",)}',
        'dict(console_scripts=["a = pkg.a:main"])',
        "LATER",
        'f"""\n[console_scripts]\na = pkg.a:main\n"""',
    ],
)
def test_other_forms_of_entry_points(given: str) -> None:
    source = (
        "from setuptools import setup\nLATER = {}\n"
        f'LATER["console_scripts"] = ["a = pkg.a:main"]\nsetup(entry_points={given})\n'
    )
    found = declared("setup.py", source)
    assert [(name, target) for _, name, target in found] == [("a", "pkg.a:main")]


def test_calls_of_other_functions_declare_nothing() -> None:
    assert declared("setup.py", 'setup(scripts=["a"], entry_points={"console_scripts": []})') == []


def test_setup_cfg() -> None:
    source = """
        [options]
        scripts =
            bin/go
        [options.entry_points]
        console_scripts =
            a = pkg.a:main
            ; not this
            b = pkg.b:main
        plugins =
            c = pkg.c:C
    """
    assert declared("setup.cfg", source) == [
        (6, "a", "pkg.a:main"),
        (8, "b", "pkg.b:main"),
        (10, "plugins:c", "pkg.c:C"),
        (3, "go", "bin/go"),
    ]


def test_pyproject() -> None:
    source = """
        [project.scripts]
        a = "pkg.a:main"
        [project.gui-scripts]
        b = "pkg.b:main"
        [tool.poetry.scripts]
        c = "pkg.c:main"
        d = { reference = "bin/d.sh", type = "file" }
        [tool.setuptools]
        script-files = ["bin/e"]
        [project.entry-points.plugins]
        f = "pkg.f:F"
    """
    assert sorted(declared("pyproject.toml", source)) == [
        (2, "a", "pkg.a:main"),
        (4, "b", "pkg.b:main"),
        (6, "c", "pkg.c:main"),
        (7, "d", "bin/d.sh"),
        (9, "e", "bin/e"),
        (11, "plugins:f", "pkg.f:F"),
    ]


# --- findings are what they were ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("run.sh", "python train.py"),
        ("Makefile", "a:\n\tpython train.py\n"),
        ("a.yaml", "run: python train.py\n"),
        ("README.md", "```\npython train.py\n```\n"),
    ],
)
def test_files_without_a_word_of_any_rule_say_what_they_start(path: str, text: str) -> None:
    assert started(path, text) == ["python > train.py"]
    assert findings({path: text}) == []


def test_damage_of_a_file_that_no_rule_speaks_of_is_no_error() -> None:
    text = "a: [1\nrun: python train.py\n"
    assert scan({"a.yaml": text})["a.yaml"].errors == ()
    assert scan({"run.sh": b"python a.py\0"})["run.sh"] == scan({"run.sh": b"\0"})["run.sh"]


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("shell", b"", True),
        ("yaml", b"lr: 1\nname: python-like\n", False),
        ("yaml", b"cmd: python train.py\n", True),
        ("yaml", b'cmd: ["python", "train.py"]\n', True),
        ("json", b'{"entryPoint": "train.py"}', True),
        ("yaml", b"Config: configs/a.py\n", False),
        ("toml", b"[project.scripts]\n", True),
        ("ini", b"console_scripts =\n", True),
        ("markdown", b"# Python\n", False),
        ("markdown", b"```bash\nns-train\n```", True),
        ("native", b"python train.py", False),
    ],
)
def test_most_files_of_settings_are_not_read_for_launches(
    kind: str, content: bytes, expected: bool
) -> None:
    assert may_start(kind, content) is expected  # type: ignore[arg-type]


# --- what a program is given elsewhere than in its command ----------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'ENTRYPOINT ["python", "train.py", "--a"]\nCMD ["--b"]',
            ["python > train.py --a --b"],
        ),
        ('CMD ["--b"]\nENTRYPOINT ["python", "train.py"]', ["python > train.py"]),
        ('ENTRYPOINT ["python"]\nCMD ["train.py", "--b"]', ["python > train.py --b"]),
        ('ENTRYPOINT ["python", "train.py"]\nCMD ["--a"]\nCMD ["--b"]', ["python > train.py --b"]),
        ("ENTRYPOINT python train.py\nCMD --b", ["python > train.py"]),
        (
            'ENTRYPOINT ["python", "train.py"]\nCMD ["--a"]\nFROM base\nCMD ["--b"]',
            ["python > train.py --a", "python > train.py --b"],
        ),
    ],
)
def test_a_container_starts_its_entrypoint_with_its_command(text: str, expected: list[str]) -> None:
    found = started("Dockerfile", f"FROM python:3 AS base\n{text}\n")
    assert [each for each in found if "train.py" in each] == expected


def test_a_service_starts_its_entrypoint_with_its_command() -> None:
    text = """
        services:
          a:
            image: x/y
            entrypoint: ["python", "train.py"]
            command: ["--a"]
          b:
            image: x/y
            entrypoint: python train.py
            command: --b 1
    """
    found = started("docker-compose.yml", dedent(text))
    assert {"python > train.py --a", "python > train.py --b 1"} <= set(found)


SWEEP = """
    program: train.py
    method: bayes
    parameters:
      attn:
        values: [eager, flash]
      fused:
        value: true
      lr:
        min: 0.1
        max: 0.2
      model:
        parameters:
          depth:
            values: [2]
"""


def test_a_sweep_starts_its_program_with_all_values() -> None:
    given = "--attn=eager --attn=flash --fused=true --lr=${lr} --model.depth=2"
    assert started("sweep.yaml", dedent(SWEEP)) == [f"train.py {given}"]
    command = '    command: ["${env}", "python", "${program}", "--x", "${args_no_hyphens}"]\n'
    text = dedent(SWEEP + command)
    assert started("sweep.yaml", text)[0].startswith("train.py --x attn=eager attn=flash fused=tr")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'PyTorch(entry_point="train.py", hyperparameters={"a": True, "b": "x", "c": 2})',
            "train.py --a=True --b=x --c=2",
        ),
        (
            'given = {"a": 1}\nPyTorch(entry_point="train.py", hyperparameters=given)',
            "train.py --a=1",
        ),
        (
            'given = {"a": 1}\ngiven["b"] = 2\nE(entry_point="train.py", hyperparameters=given)',
            "train.py ${given} --a=1",
        ),
        ('E(entry_point="train.py", hyperparameters=read())', "train.py ${VALUE}"),
        ('E(entry_point="train.py", hyperparameters={**more})', "train.py ${VALUE}"),
        ('E(entry_point="train.py", **more)', "train.py ${more}"),
        (
            'Config(script="train.py", arguments=["--a", 1, name])',
            "train.py --a ${VALUE} ${name}",
        ),
    ],
)
def test_a_job_gives_its_program_settings(text: str, expected: str) -> None:
    assert started("launch.py", text) == [expected]


def test_what_is_made_at_run_time_stays_open() -> None:
    text = """
        import os, subprocess, submitit
        os.system(f"python a.py {x}")
        subprocess.run(["python", "b.py", *extra])
        submitit.helpers.CommandFunction(["python", "c.py", "--flash"])
    """
    expected = ["python > a.py ${x}", "python > b.py ${extra}", "python > c.py --flash"]
    assert started("launch.py", dedent(text)) == expected


# --- where it is run ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("python train.py", ""),
        ("cd net/train/ && python train.py", "net/train"),
        ("cd net\ncd train\npython train.py", "net/train"),
        ("cd net/train; cd ../other\npython train.py", "net/other"),
        ("pushd net\nmake\npopd\npython train.py", ""),
        ("cd net\ncd -\npython train.py", ""),
        ("DIR=net\ncd $DIR/train\npython train.py", "net/train"),
        ("cd net\ncd $UNKNOWN\npython train.py", ""),
        ("cd net\ncd /data\npython train.py", ""),
        ("cd net\ncd\npython train.py", ""),
        ("cd ..\npython train.py", ""),
        ('cd "$(dirname "$0")/net"\npython train.py', ""),
        ("(cd net && make)\npython train.py", ""),
        ("(cd net && python train.py)", "net"),
        ("f() {\n  cd net\n}\npython train.py", ""),
        ("echo cd net\npython train.py", ""),
        ("if true; then\n  cd net\nfi\npython train.py", "net"),
    ],
)
def test_the_folder_that_a_script_went_to(text: str, folder: str) -> None:
    assert folders(text)[-1] == ("train.py", folder)


def test_each_block_of_a_page_begins_anew() -> None:
    page = BLOCK.format("cd net\npython a.py") + BLOCK.format("python b.py")
    assert folders(page, "README.md") == [("a.py", "net"), ("b.py", "")]


def test_a_block_in_no_named_language_goes_to_folders_too() -> None:
    page = "```\n# train\ncd net/\n\nsh ./run.sh\nyour log should be so: 1 2\n```\n"
    assert folders(page, "README.md") == [("./run.sh", "net")]


# --- what the launcher is given -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (
            "accelerate launch --config_file conf/fsdp.yaml train.py --config a.yaml",
            ["conf/fsdp.yaml"],
        ),
        ("accelerate launch --config_file=fsdp.yaml -m pkg.train", ["fsdp.yaml"]),
        ("deepspeed --hostfile hosts --ds_config 'ds.json' train.py", ["ds.json"]),
        ("srun --x job.toml accelerate launch --config_file a.yml train.py", ["a.yml"]),
        ("torchrun --nproc_per_node 8 train.py --config a.yaml", []),
        ("python train.py a.yaml", []),
    ],
)
def test_settings_of_the_launcher_are_not_those_of_the_program(text: str, given: list[str]) -> None:
    (launch,) = facts("run.sh", text).launches
    assert list(launch.launcher_settings) == given


# --- what a page only shows -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("net/\n  train.py      # trains\n  more/fit.py  # fits\n", []),
        ("train.py      # trains\neval.py\n", []),
        ("net/train.py\n", ["net/train.py"]),
        ("./train.py\n", ["./train.py"]),
        ("train.py --lr 1\n", ["train.py --lr 1"]),
        ("# as root\nnet/run.sh\n", ["net/run.sh"]),
        ("net/\n  run.sh --all\n", ["run.sh --all"]),
    ],
)
def test_a_list_of_files_starts_none_of_them(block: str, expected: list[str]) -> None:
    assert started("README.md", f"```\n{block}```\n") == expected


# --- reStructuredText -----------------------------------------------------------------------------

REST = """\
Net
===

Install with ``pip install apex``, then::

    $ cd net
    $ python train.py --lr 1
    loss 1.0

.. code-block:: bash
   :linenos:

   # all of them
   python -m torch.distributed.launch \\
       fit.py a b

   sh run.sh

.. code:: python

   import torch  # python wrong.py

.. sourcecode:: console

   $ ./go.py

Not a block: ``python said.py --x 1`` and so on:

    python quoted.py

.. note::

   .. code-block:: sh

      python inner.py
"""


def test_blocks_of_restructuredtext() -> None:
    result = scan({"README.rst": REST})["README.rst"]
    assert result.findings == ()
    assert [(each.line, said(each), each.folder) for each in result.facts.launches] == [
        (7, "python > train.py --lr 1", "net"),
        (14, "torch.distributed.launch > fit.py a b", ""),
        (17, "sh > run.sh", ""),
        (25, "./go.py", ""),
        (27, "python > said.py --x 1", ""),
        (35, "python > inner.py", ""),
    ]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("README.rst", "markdown"),
        ("docs/INSTALL.rst", "markdown"),
        ("docs/getting_started.rst", "markdown"),
        ("docs/api.rst", None),
        ("CHANGES.rst", None),
        ("jobs/run.pbs", "shell"),
    ],
)
def test_pages_and_jobs_by_their_names(path: str, kind: str | None) -> None:
    assert kind_by_name(path) == kind
