from __future__ import annotations

from textwrap import dedent

import pytest

from portaudit.read.items import Item, Part
from portaudit.read.shell import arguments, read, script
from portaudit.read.text import Text
from portaudit.types import Span


def items(source: str, *kinds: str) -> list[Item]:
    found = read(Text("run.sh", dedent(source).lstrip("\n"))).items
    return [item for item in found if not kinds or item.kind in kinds]


def commands(source: str) -> list[tuple[str, list[str]]]:
    return [(item.name, [part.text for part in item.parts]) for item in items(source, "command")]


def names(source: str, kind: str = "command") -> list[str]:
    return [item.name for item in items(source, kind)]


def guards(source: str) -> dict[str, tuple[str, int]]:
    """Per command its guard and the line of the proof."""
    return {
        item.name: (item.guard, item.guard_by.line if item.guard_by else 0)
        for item in items(source, "command")
    }


def settings(source: str) -> dict[str, object]:
    return {item.name: item.value for item in items(source, "config-key")}


def variables(source: str) -> dict[str, object]:
    return {item.name: item.value for item in items(source, "env-var")}


# --- programs and their words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "programs"),
    [
        ("sudo -E nvidia-smi -pm 1", ["sudo", "nvidia-smi"]),
        ("srun -N 2 --gpus 8 python train.py --gpus 4", ["srun", "python"]),
        ("srun -l nvidia-smi", ["srun", "nvidia-smi"]),
        ("time numactl --cpunodebind=0 python a.py", ["time", "numactl", "python"]),
        ("timeout -k 5 60 nvcc a.cu", ["timeout", "nvcc"]),
        ("mpirun -np 8 --mca btl tcp,self ./all_reduce_perf", ["mpirun", "all_reduce_perf"]),
        ("mpirun --allow-run-as-root python a.py", ["mpirun", "python"]),
        ("docker run --rm -it --gpus all image nvidia-smi", ["docker", "nvidia-smi"]),
        ("docker compose run train python a.py", ["docker", "python"]),
        ("docker exec -it name nvcc --version", ["docker", "nvcc"]),
        ("docker pull deepspeed/deepspeed", ["docker"]),
        ("kubectl exec -it pod -- nvidia-smi", ["kubectl", "nvidia-smi"]),
        ("conda activate deepspeed", ["conda"]),
        ("conda run -n deepspeed python a.py", ["conda", "python"]),
        ("uv pip install deepspeed", ["uv"]),
        ("poetry add nvitop", ["poetry"]),
        ("nsys profile -t cuda,nvtx -o out python a.py", ["nsys", "python"]),
        ("ssh host nvidia-smi", ["ssh", "nvidia-smi"]),
        ("watch -n 1 nvidia-smi", ["watch", "nvidia-smi"]),
        ("find . | xargs -n 1 nvcc -c", ["find", "xargs", "nvcc"]),
        ("singularity exec --nv image.sif python a.py", ["singularity", "python"]),
        ("/usr/local/cuda/bin/nvcc -c a.cu", ["nvcc"]),
        ("env A=1 nvcc a.cu", ["env", "nvcc"]),
        ("env", ["env"]),
        ("sudo", ["sudo"]),
    ],
)
def test_a_command_is_the_programs_that_it_runs(line: str, programs: list[str]) -> None:
    assert names(line) == programs


def test_each_program_has_only_its_own_words() -> None:
    (first, rest), (second, words) = commands("srun --gpus=8 python train.py --gpus_per_node 4")
    assert (first, rest) == ("srun", ["--gpus=8"])
    assert (second, words) == ("python", ["train.py", "--gpus_per_node", "4"])


@pytest.mark.parametrize(
    "line",
    [
        "echo nvidia-smi",
        'printf "%s" nvidia-smi',
        "which nvidia-smi",
        "command -v nvidia-smi",
        "grep nvidia-smi log.txt",
        "# nvidia-smi",
        "name=nvidia-smi",
        "cat <<EOF\nnvidia-smi\nEOF",
        "sudo which nvidia-smi",
    ],
)
def test_what_is_only_shown_or_asked_for_is_no_command(line: str) -> None:
    assert "nvidia-smi" not in names(line)


def test_scripts_in_strings_and_here_documents_are_followed() -> None:
    source = """
        bash -c "nvidia-smi && nvcc --version"
        ssh -t host 'module load cuda; nsys status'
        cat > job.sh <<EOF
        #!/bin/bash
        #SBATCH --gpus=2
        dcgmi discovery
        EOF
        sbatch <<'EOF'
        #!/bin/bash
        ncu --version
        EOF
    """
    found = {item.name: item.span.line for item in items(source, "command")}
    expected = {"nvidia-smi": 1, "nvcc": 1, "module": 2, "nsys": 2, "dcgmi": 6, "ncu": 10}
    assert {name: found[name] for name in expected} == expected
    assert ("sbatch", ["--gpus=2"]) in commands(source)


def test_a_variable_stands_for_the_program_that_it_was_set_to() -> None:
    assert commands('NVCC=/opt/cuda/bin/nvcc\n"$NVCC" -c a.cu') == [("nvcc", ["-c", "a.cu"])]
    assert commands('RUN="srun --gpus=8"\n${RUN} nvidia-smi') == [
        ("srun", ["--gpus=8"]),
        ("nvidia-smi", []),
    ]
    assert names("$OTHER -c a.cu") == ["$OTHER"]


def test_every_package_of_the_system_is_named_where_it_stands() -> None:
    source = """
        sudo apt-get install -y --no-install-recommends \\
            git \\
            cuda-toolkit-12-1=12.1.1-1
        apt-get remove cuda
        apk add --no-cache nvidia
    """
    found = [item for item in items(source, "command") if " " in item.name]
    assert [(item.name, item.parts[0].text, item.span.line) for item in found] == [
        ("apt-get install", "git", 2),
        ("apt-get install", "cuda-toolkit-12-1=12.1.1-1", 3),
        ("apk add", "nvidia", 5),
    ]


def places(source: str, kind: str) -> list[tuple[str, int, int, int]]:
    """Name, line, first and last column."""
    found = items(source, kind)
    return [(i.name, i.span.line, i.span.column, i.span.end_column) for i in found]


def test_a_script_in_a_string_stands_where_its_characters_do() -> None:
    source = 'if true; then\n  bash -c "echo a\n    pip install flash-attn"\nfi'
    assert places(source, "dependency") == [("flash-attn", 3, 17, 27)]
    outer = Text("x.yaml", 'run: |\n    bash -c "echo a\n      pip install flash-attn"')
    piece = outer.piece(1, 4, 'bash -c "echo a\n  pip install flash-attn"', indent=4)
    (found,) = [item for item in script(piece) if item.kind == "dependency"]
    assert found.span == Span(3, 19, 3, 29)


def test_escapes_of_a_quoted_script_are_taken_away() -> None:
    line = r'bash -c "pip install \"flash-attn>=2\" xformers"'
    assert places(line, "dependency") == [("flash-attn", 1, 22, 39), ("xformers", 1, 40, 48)]
    line = r"""bash -c "bash -c \"pip install 'a\\\\b' \$X deepspeed\"" """
    assert places(line, "dependency")[-1] == ("deepspeed", 1, 45, 54)
    assert variables(line) == {"X": None}
    assert names("bash -c 'echo \"nvcc\"; nvidia-smi'") == ["bash", "nvidia-smi"]
    assert names("bash -c nvidia-smi; sh -c 'nvcc'") == ["bash", "nvidia-smi", "sh", "nvcc"]
    assert names('bash -c "$1"') == ["bash"]


@pytest.mark.parametrize(
    ("first", "kind", "body", "found"),
    [
        ("cat <<EOT > ds_config.json", "config-key", '{"a": 1, "b": $X}', ("a", 3, 7)),
        ("cat > acc.yaml <<EOT", "config-key", "a: 1", ("a", 3, 4)),
        ("cat <<'EOT' | sudo tee /etc/x.toml > /dev/null", "config-key", "a = 1", ("a", 3, 5)),
        ('cat <<-EOT >> "$D/a.yml"', "config-key", "\ta: 1", ("a", 3, 5)),
        ("cat > $F <<EOT", "config-key", "a: 1", ("a", 3, 4)),
        ("sudo tee Dockerfile <<EOT", "image", "FROM a/b:1", ("a/b", 3, 6)),
        ("cat > CMakeLists.txt <<EOT", "command", "project(a CUDA)", ("project", 3, 1)),
        ("cat > run.sh <<EOT", "command", "nvidia-smi", ("nvidia-smi", 3, 1)),
    ],
)
def test_a_file_that_a_here_document_writes_is_read(
    first: str, kind: str, body: str, found: tuple[str, int, int]
) -> None:
    every = items(f"F=x.yaml\n{first}\n{body}\nEOT", kind)
    assert found in [(item.name, item.span.line, item.span.column) for item in every]


def test_a_written_file_has_the_guard_of_its_place() -> None:
    source = """
        make_it() {
          if which nvcc; then
            cat > CMakeLists.txt <<EOF
        find_package(CUDA REQUIRED)
        EOF
          fi
        }
        cat > a.py <<EOF
        import torch
        EOF
        cat > b.yaml <<EOF
        x: |
          cat > c.yaml <<E
        EOF
    """
    (found,) = [item for item in items(source) if item.name == "find_package"]
    assert (found.scope, found.guard) == ("make_it", "guarded")
    assert (found.guard_by.path, found.guard_by.line) == ("run.sh", 2) if found.guard_by else False
    assert {item.span.line for item in items(source, "config-key")} == {12}


def test_files_that_write_files_that_write_files_end() -> None:
    deep = "".join(f"cat > Dockerfile <<E{at}\nFROM a\nRUN " for at in range(300))
    read(Text("x", deep))


# --- directives -----------------------------------------------------------------------------------


def test_directives_are_commands_of_the_scheduler() -> None:
    source = """
        #!/bin/bash
        #SBATCH --gres=gpu:8  # eight of them
        ##SBATCH --gpus=1
        # SBATCH --gpus=1
        #SBATCH --export=ALL,NCCL_DEBUG=INFO
        #SBATCH --container-image=nvcr.io#nvidia/pytorch:24.01-py3
        #PBS -l select=1:ngpus=4
        #BSUB -gpu "num=4"
    """
    found = items(source)
    assert [item.name for item in found if item.kind == "command"] == [
        "sbatch",
        "sbatch",
        "sbatch",
        "qsub",
        "bsub",
    ]
    assert found[0].parts == (Part("--gres=gpu:8", Span(2, 9, 2, 21)),)
    (variable,) = [item for item in found if item.kind == "env-var"]
    assert (variable.name, variable.value) == ("NCCL_DEBUG", "INFO")
    (image,) = [item for item in found if item.kind == "image"]
    assert (image.name, image.value) == ("nvcr.io/nvidia/pytorch", "24.01-py3")


# --- variables ------------------------------------------------------------------------------------


def test_variables_are_seen_wherever_they_are_set_or_read() -> None:
    assert variables("export A=1 B='x y' C") == {"A": "1", "B": "x y", "C": None}
    assert variables("A=1 B=2 python train.py") == {"A": "1", "B": "2"}
    assert variables('ls "${A} $B"') == {"A": None, "B": None}
    assert variables(": ${A:=2}") == {"A": "2"}
    assert variables("unset A") == {"A": None}
    assert variables("declare -x A=3") == {"A": "3"}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("mpirun -x A=1 -x B python x.py", {"A": "1", "B": None}),
        ("mpiexec.hydra -env A=1 python x.py", {"A": "1"}),
        ("docker run -e A=1 --env B=2 --env=C=3 image", {"A": "1", "B": "2", "C": "3"}),
        ("env A=1 B=2 python x.py", {"A": "1", "B": "2"}),
        ("sudo A=1 python x.py", {"A": "1"}),
        ("srun --export=ALL,A=1,B=2 python x.py", {"A": "1", "B": "2"}),
        ("docker run -e A=rc,cuda image", {"A": "rc,cuda"}),
        ("make -j8 A=/opt/cuda install", {"A": "/opt/cuda"}),
        ("pip install -e package", {}),
        ("python x.py A=1", {}),
        ("sed -e A=1 file", {}),
    ],
)
def test_variables_are_handed_on_by_options_that_do_so(line: str, found: dict[str, object]) -> None:
    assert variables(line) == found


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("python train.py --device cuda --fp16", {"device": "cuda", "fp16": True}),
        ("torchrun --nproc-per-node=8 x.py", {"nproc-per-node": "8"}),
        ("accelerate launch x.py trainer.precision=16-mixed", {"trainer.precision": "16-mixed"}),
        ("python -m pip install --upgrade x", {}),
        ("pip install --upgrade x", {}),
        ("ls --device cuda", {}),
        ("bash scripts/train.sh --device cuda", {"device": "cuda"}),
        ("docker run --gpus all image python x.py --amp false", {"amp": False}),
        ("ARGS=(--device cuda\n --fp16)", {"device": "cuda", "fp16": True}),
        ('ARGS="\n  --device cuda \\\n  --fp16"', {"device": "cuda", "fp16": True}),
        ('CMD="python train.py --device cuda"', {"device": "cuda"}),
        ('NAME="not --an option"', {}),
    ],
)
def test_options_of_a_launch_are_settings(line: str, found: dict[str, object]) -> None:
    assert settings(line) == found


def test_options_in_a_quoted_list_stand_where_they_are_written() -> None:
    first, second = items('A="--x 1 \\\n   --device cuda"', "config-key")
    assert first.span == Span(1, 4, 1, 7)
    assert second.span == Span(2, 4, 2, 12)


def test_a_launch_in_a_variable_is_told_once_where_it_is_set() -> None:
    source = 'LAUNCHER="deepspeed --x"\n$LAUNCHER $CMD --fp16\nLAUNCHER=nvcc\n$LAUNCHER -c a.cu'
    assert places(source, "command") == [("deepspeed", 1, 11, 20), ("nvcc", 4, 1, 10)]
    assert places(source, "config-key") == [("x", 1, 21, 24), ("fp16", 2, 16, 22)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('CMD="./evaluate.py --deepspeed"\ndeepspeed $CMD', [("deepspeed", 1, 20, 31)]),
        ('CMD="./evaluate.py --deepspeed"\n$CMD', [("deepspeed", 1, 20, 31)]),
        (
            'L="torchrun --x"\nA=" train.py --fp16"\n$L "${A}"',
            [("x", 1, 13, 16), ("fp16", 2, 14, 20)],
        ),
        ('A="train.py --fp16"\necho $A', []),
        ('A="train.py --fp16"\nA=b\npython $A', []),
    ],
)
def test_options_in_a_string_are_settings_once_a_launch_has_them(
    source: str, found: list[tuple[str, int, int, int]]
) -> None:
    assert sorted(places(source, "config-key"), key=lambda each: each[1:]) == found


# --- images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "image"),
    [
        ("docker run nvidia/cuda:12.1.0-base ls", ("nvidia/cuda", "12.1.0-base")),
        ("docker pull docker.io/nvidia/cuda:1", ("nvidia/cuda", "1")),
        ("docker build --build-arg BASE=nvcr.io/nvidia/x:1 .", ("nvcr.io/nvidia/x", "1")),
        ("enroot import docker://nvcr.io#nvidia/x:1", ("nvcr.io/nvidia/x", "1")),
        ("srun --container-image=nvcr.io#nvidia/x:1 ls", ("nvcr.io/nvidia/x", "1")),
        ("IMAGE=nvcr.io/nvidia/x:1", ("nvcr.io/nvidia/x", "1")),
        (': "${IMAGE:=nvcr.io/nvidia/x:1}"', ("nvcr.io/nvidia/x", "1")),
        ("docker run -v /data:/data -p 8080:80 --name a local", None),
        ("DIR=data/train", None),
        ("OUT=$HOME/x.y/z", None),
    ],
)
def test_images_are_seen_where_they_are_started_or_named(
    line: str, image: tuple[str, str] | None
) -> None:
    found = [(item.name, item.value) for item in items(line, "image")]
    assert found == ([image] if image else [])


# --- guards and scopes ----------------------------------------------------------------------------


def test_what_stands_behind_a_question_for_cuda_is_guarded() -> None:
    source = """
        if command -v nvidia-smi &> /dev/null; then
          dcgmi a
        fi
        if [ -d /usr/local/cuda ]; then nvcc a; else gcc a; fi
        if nvidia-smi > /dev/null 2>&1; then ncu a; else exit 1; fi
        which nvcc && nsys a
        nvtop || true
    """
    found = guards(source)
    assert found["dcgmi"] == ("guarded", 1)
    assert found["nvcc"] == ("fallback", 4)
    assert found["gcc"] == ("none", 0)
    assert found["ncu"] == found["nvidia-smi"] == ("hard-fail", 5)
    assert found["nsys"] == ("guarded", 6)
    assert found["nvtop"] == ("guarded", 7)


def test_a_negated_question_guards_the_other_branch() -> None:
    source = """
        if ! command -v nvidia-smi > /dev/null; then
          gcc a
        else
          nvcc a
        fi
        if [ -z "$(which nvidia-smi)" ]; then
          exit 1
        elif true; then
          nsys a
        fi
    """
    found = guards(source)
    assert found["gcc"] == ("none", 0)
    assert found["nvcc"] == ("fallback", 1)
    assert found["nsys"] == ("hard-fail", 6)


def test_other_conditions_are_no_guard() -> None:
    source = """
        if [ "$WORLD_SIZE" -gt 1 ]; then nvcc a; fi
        if [ "$MODE" = cuda ]; then dcgmi a; fi
        if which nvidia-smi || [ -n "$FORCE" ]; then ncu a; fi
        nvidia-smi && nsys a
        make || nvtop
    """
    assert {guard for guard, _ in guards(source).values()} == {"none"}


def test_the_other_branch_that_only_says_so_does_nothing() -> None:
    source = """
        if command -v nvidia-smi > /dev/null; then
          dcgmi a
        else
          echo "no GPU"
        fi
        nvidia-smi || echo "no GPU"
    """
    assert guards(source)["dcgmi"] == ("guarded", 1)
    assert guards(source)["nvidia-smi"][0] == "guarded"


def test_a_function_is_a_scope() -> None:
    (item,) = [
        each for each in items("check() {\n  nvidia-smi\n}", "command") if each.name != "check"
    ]
    assert item.scope == "check"


# --- positions and bad input ----------------------------------------------------------------------


def test_positions_count_code_points_and_survive_windows_line_ends() -> None:
    text = Text("x", 'echo "ü"; nvcc -c a.cu\nnvidia-smi')
    first, second = [each for each in read(text).items if each.kind == "command"]
    assert first.span == Span(1, 11, 1, 15)
    assert second.span == Span(2, 1, 2, 11)


def test_a_piece_of_a_file_has_the_places_of_the_file() -> None:
    outer = Text("x.yaml", "run: |\n    nvidia-smi\n    nvcc -V")
    piece = outer.piece(1, 4, "nvidia-smi\nnvcc -V", indent=4)
    found = list(script(piece, "jobs.a"))
    assert [(item.span.line, item.span.column, item.scope) for item in found] == [
        (2, 5, "jobs.a"),
        (3, 5, "jobs.a"),
    ]


def test_a_command_given_as_words() -> None:
    words = ["mpirun", "-x", "NCCL_DEBUG=INFO", "python", "train.py", "--device", "cuda"]
    parts = [Part(word, Span(at, 1, at, 9)) for at, word in enumerate(words, start=1)]
    found = list(arguments(parts, "services.a"))
    assert [(item.kind, item.name, item.span.line) for item in found] == [
        ("command", "mpirun", 1),
        ("env-var", "NCCL_DEBUG", 3),
        ("command", "python", 4),
        ("config-key", "device", 6),
        ("launch", "python", 1),
    ]
    assert list(arguments([])) == []


@pytest.mark.parametrize(
    "source",
    ["", "if", "((", '"', "a=$(", "cat <<EOF", "case x in", "\0", "for", "${", "`", "if ! ; then"],
)
def test_bad_input_is_read_as_far_as_it_goes(source: str) -> None:
    read(Text("x", source))
    assert "nvidia-smi" in names(f"nvidia-smi\n{source}")


def test_depth_and_length_do_not_hurt() -> None:
    deep = "if true; then " * 2_000 + "nvcc -c a.cu"
    nested = "bash -c '" + 'bash -c \\"' * 50 + "nvcc"
    wide = "nvcc -c " + "a.cu " * 20_000
    for source in (deep, nested, wide):
        read(Text("x", source))


@pytest.mark.parametrize(("begin", "end"), [("$(", ")"), ("<(", ")"), ('"$(', ')"')])
def test_substitutions_that_are_nested_too_deeply_are_said(begin: str, end: str) -> None:
    source = f"nvcc a.cu\n{begin * 20_000}nvidia-smi{end * 20_000}\n"
    found = read(Text("x", source))
    assert [(each.reason, each.line) for each in found.errors] == [
        ("substitutions are nested too deeply", 2)
    ]
    assert "nvcc" in {item.name for item in found.items}
    assert not read(Text("x", f"{begin * 20}nvidia-smi{end * 20}")).errors


@pytest.mark.parametrize("operator", ["&&", "||"])
def test_long_chains_of_commands_come_to_an_end(operator: str) -> None:
    chain = f" {operator} ".join(f"lspci --number {at}" for at in range(1_500))
    idle = "if which nvcc; then nvcc; else " + "echo " * 40 + "& a; fi"
    assert len(names(chain)) == 1_500
    assert guards(idle)["nvcc"][0] == "fallback"


# --- commands in variables, pipes and substitutions -----------------------------------------------


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('run="A=1 NCCL_DEBUG=INFO torchrun train.py"\neval $run\n', {1}),
        ('run="$environs python train.py --device cuda"\neval $run\n', {1}),
        ('run="docker run --gpus all image"\n$run python train.py\n', {1, 2}),
        ('run="srun --gres=gpu:1 python train.py"\n$run\n', {1}),
        ('note="tuned for many GPUs"\n$note -v\n', {2}),
    ],
)
def test_a_variable_that_holds_a_command_is_read_where_it_is_set(
    source: str, lines: set[int]
) -> None:
    found = [item for item in items(source, "command") if item.name != "eval"]
    assert {item.span.line for item in found} == lines


def test_what_a_variable_begins_with_may_set_others() -> None:
    source = 'run="NCCL_DEBUG=INFO torchrun train.py --device cuda"\n'
    assert variables(source)["NCCL_DEBUG"] == "INFO"
    assert settings(source) == {"device": "cuda"}


def test_a_variable_in_which_assignments_stand_before_a_command_is_taken_apart() -> None:
    source = 'set_up="CUDA_VISIBLE_DEVICES=1 RANK=0"\nrun="$set_up python train.py"\n'
    (found,) = [item for item in items(source, "env-var") if item.name == "CUDA_VISIBLE_DEVICES"]
    assert (found.value, found.span.line) == ("1", 2)
    assert "python" in names(source)


def test_words_that_are_only_shown_read_no_variable() -> None:
    source = """
    echo "devices: $CUDA_VISIBLE_DEVICES $(nvidia-smi)"
    echo $NCCL_DEBUG > settings.txt
    n=$(echo $CUDA_VISIBLE_DEVICES | wc -w)
    """
    found = [(item.name, item.span.line) for item in items(source, "env-var")]
    assert found == [("NCCL_DEBUG", 2), ("n", 3), ("CUDA_VISIBLE_DEVICES", 3)]
    assert "nvidia-smi" in names(source)


@pytest.mark.parametrize(
    "source",
    [
        "cat <<EOF | bash\npip install apex\nEOF\n",
        "cat <<'EOF' | sudo bash -s\npip install apex\nEOF\n",
        "cat <<EOF | ssh host bash -s\npip install apex\nEOF\n",
        'bash -c "$(cat <<EOF\npip install apex\nEOF\n)"\n',
        'eval "$(cat <<EOF\npip install apex\nEOF\n)"\n',
        "bash <(cat <<EOF\npip install apex\nEOF\n)\n",
    ],
)
def test_a_here_document_that_is_handed_to_a_shell_is_a_script(source: str) -> None:
    (found,) = items(source, "dependency")
    assert (found.name, found.span) == ("apex", Span(2, 13, 2, 17))


@pytest.mark.parametrize(
    "source",
    [
        "cat <<EOF | grep x\npip install apex\nEOF\n",
        'echo "$(cat <<EOF\npip install apex\nEOF\n)"\n',
        "text=$(cat <<EOF\npip install apex\nEOF\n)\n",
    ],
)
def test_a_here_document_that_no_shell_reads_is_text(source: str) -> None:
    assert not items(source, "dependency")


def test_a_placeholder_in_angle_brackets_is_no_redirection() -> None:
    source = """
    python train.py --host <node1_ip> <node2_ip> \\
        --port=<node1-port> \\
        --deepspeed zero2
    python infer.py --device cuda <in.txt >out.txt
    """
    found = settings(source)
    assert found["deepspeed"] == "zero2"
    assert found["device"] == "cuda"


def test_here_documents_have_groups_of_their_own() -> None:
    source = """
    cat > a.json <<EOF
    {"fp16": {"enabled": true}}
    EOF
    cat > b.json <<EOF
    {"bf16": {"enabled": true}}
    EOF
    """
    groups = {item.name: item.group for item in items(source, "config-key")}
    assert groups["fp16.enabled"] != groups["bf16.enabled"]


def test_a_placeholder_of_several_words_is_no_redirection() -> None:
    source = """
    DATA=<Specify path, and file prefix>_text
    export CHECKPOINTS=<where they are>
    WORDS=<FILE_OF_WORDS> (e.g., /words.txt)
    PROMPTS=<FILE_OF_PROMPTS> \\
        (e.g., /prompts.txt)

    deepspeed --num_gpus 1 train.py \\
        --fp16 \\
        --data $DATA
    cat <<END
    x
    END
    """
    assert ("deepspeed", ["--num_gpus", "1", "train.py", "--fp16", "--data", "$DATA"]) in commands(
        source
    )
    assert settings(source)["fp16"] is True


@pytest.mark.parametrize("again", ['CMD="${CMD} --seed 1"', 'CMD+=" --seed 1"', 'CMD="$CMD -v"'])
def test_a_variable_that_grows_keeps_what_it_had(again: str) -> None:
    source = f"""
    CMD="train.py --lr 1 --device cuda"
    if true; then
        {again}
    fi
    torchrun $CMD
    """
    found = {item.name: item.span.line for item in items(source, "config-key")}
    assert found["device"] == 1


def test_a_variable_that_is_set_anew_forgets_what_it_had() -> None:
    source = """
    CMD="train.py --lr 1 --device cuda"
    CMD="train.py --lr 1 --seed 2"
    torchrun $CMD
    """
    assert "device" not in settings(source)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('echo "export A_B=1" >> ~/.bashrc', [("env-var", "A_B", 1, 14)]),
        ("echo A_B=1 >> $GITHUB_ENV", [("env-var", "A_B", 1, 6)]),
        ("echo 'A_B=1' | sudo tee -a /etc/environment", [("env-var", "A_B", 1, 7)]),
        ('echo "A_B=x/y:z" >> .env', [("env-var", "A_B", 1, 7)]),
        ("echo /opt/x > /etc/ld.so.conf.d/x.conf", [("command", "ldconfig", 1, 6)]),
        ("echo A_B=1 > notes.txt", []),
        ("echo > ~/.bashrc", []),
        ("> ~/.bashrc", []),
    ],
)
def test_what_echo_writes_for_later(line: str, found: list[tuple[str, str, int, int]]) -> None:
    seen = [(i.kind, i.name, i.span.line, i.span.column) for i in items(f"{line}\n")]
    assert [each for each in seen if each[1] in {"A_B", "ldconfig"}] == found
    assert not [each for each in seen if each[0] == "image"]


def test_a_variable_that_no_shell_would_take_is_no_pattern() -> None:
    assert not items("*c=$x\n", "command")
    assert variables("export A+='$A(' B\n")
