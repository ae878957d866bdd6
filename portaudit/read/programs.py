"""Programs that run another program, and where among their words that one stands.

`sudo -E srun -N 2 docker run --gpus all image python train.py` is four programs, each with words
of its own: what `docker` is asked for must not be taken for an option of `train.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import basename

from msgspec import Struct

from portaudit.read.items import Part

LAUNCHERS = re.compile(
    r"python[\d.]*|torchrun|accelerate|deepspeed|composer|lightning|tune|axolotl|llamafactory-cli|"
    r"litgpt|xtuner|swift|megatron|fairseq-\w+|espnet\w*|colossalai|horovodrun|lm[_-]eval|ns-train|"
    r"trl|vllm|yolo|sglang|lmdeploy|text-generation-launcher"
)
"""Programs that start a training or a server; the options among their words are its settings."""
SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh"})
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


class _Wrapper(Struct, frozen=True):
    """How a program that runs another one is called.

    `verbs`: the sub-commands that do so, always if empty · `operands`: words of its own before the
    other program · `flags`: options without a value · `pairs`: options with two · `named`: options
    whose value may look like a program.
    """

    verbs: frozenset[str] = frozenset()
    operands: int = 0
    flags: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MPI = _Wrapper(
    flags=_words("--allow-run-as-root --tag-output --oversubscribe --report-bindings -v -l -q"),
    pairs=_words("--mca -mca --prtemca --pmixmca -genv -env"),
)
_CONTAINER = _Wrapper(
    verbs=_words("run exec create"),
    operands=1,
    flags=_words(
        "--rm --init --privileged --interactive --tty --detach --read-only -P --publish-all --nv "
        "--no-healthcheck --quiet -q --sig-proxy --no-deps --build -i -t -d -it -ti -id -td -itd "
        "-dit -tid -tdi"
    ),
)
_IMAGE_RUNNER = _Wrapper(
    verbs=_words("run exec shell instance"),
    operands=1,
    flags=_words(
        "--nv --nvccli --rocm --cleanenv -e -c -C -f --fakeroot --writable --contain "
        "--containall --writable-tmpfs --no-home --no-mount -w -u --userns"
    ),
)
_ENVIRONMENT = _Wrapper(
    verbs=_words("run"),
    flags=_words("--no-capture-output --live-stream -v"),
    named=_words("-n --name -p --prefix -e --with --group --extra --python"),
)
_SLURM = _Wrapper(
    flags=_words(
        "-l --label -u --unbuffered --exclusive --overlap -K -k --no-kill -O -s -v -vv -Q --pty "
        "--multi-prog --no-container-mount-home --container-writable --container-remap-root"
    )
)
_PLAIN = _Wrapper()
_WRAPPERS: Mapping[str, _Wrapper] = {
    "sudo": _Wrapper(flags=_words("-E -H -n -S -i -s -b -k --preserve-env")),
    "env": _Wrapper(flags=_words("-i -0 --ignore-environment")),
    "time": _Wrapper(flags=_words("-p -v")),
    "exec": _Wrapper(flags=_words("-c -l")),
    "command": _Wrapper(flags=_words("-p")),
    "xargs": _Wrapper(flags=_words("-0 -r -t -p -x")),
    "timeout": _Wrapper(operands=1, flags=_words("--foreground --preserve-status -v")),
    "flock": _Wrapper(operands=1, flags=_words("-n -x -s -u")),
    "gosu": _Wrapper(operands=1),
    "watch": _Wrapper(flags=_words("-d -t -c -x -e -g")),
    "ssh": _Wrapper(operands=1, flags=_words("-t -tt -q -A -n -x -X -Y -v -f -N -T -4")),
    "kubectl": _Wrapper(verbs=_words("exec run"), operands=1, flags=_words("-it -i -t --rm")),
    "nsys": _Wrapper(verbs=_words("profile launch"), flags=_words("-y")),
    "ncu": _Wrapper(flags=_words("-f --force-overwrite --nvtx --csv")),
    "ray": _Wrapper(verbs=_words("submit"), flags=_words("--no-wait --verbose")),
    "srun": _SLURM,
    "docker": _CONTAINER,
    "podman": _CONTAINER,
    "nerdctl": _CONTAINER,
    "nvidia-docker": _CONTAINER,
    "docker-compose": _CONTAINER,
    "singularity": _IMAGE_RUNNER,
    "apptainer": _IMAGE_RUNNER,
    "enroot": _Wrapper(verbs=_words("start exec"), operands=1, flags=_words("--root --rw -r -w")),
    **dict.fromkeys(("mpirun", "mpiexec", "mpiexec.hydra", "orterun", "prun"), _MPI),
    **dict.fromkeys(
        ("uv", "poetry", "conda", "mamba", "micromamba", "pdm", "hatch", "pipenv", "pixi", "rye"),
        _ENVIRONMENT,
    ),
    **dict.fromkeys(
        (
            "nohup",
            "nice",
            "ionice",
            "setsid",
            "stdbuf",
            "numactl",
            "taskset",
            "chrt",
            "pdsh",
            "ds_ssh",
        ),
        _PLAIN,
    ),
    **dict.fromkeys(
        ("tini", "dumb-init", "catchsegv", "unbuffer", "xvfb-run", "nvprof", "retry", "run_cmd"),
        _PLAIN,
    ),
}
_COMMANDS = SHELLS | _words(
    "srun mpirun mpiexec mpiexec.hydra orterun docker podman nvidia-docker singularity apptainer "
    "sudo nohup numactl nsys ncu pip pip3 nvcc nvidia-smi"
)
"""Programs by which a variable's value is known to be a command."""
_BEFORE = re.compile(r"\s*(?:(?:[A-Za-z_]\w*=\S*|\$\w+|\$\{\w+\})\s+)*")
_NESTED = _words("compose container pod instance job")
"""Sub-commands that have sub-commands: `docker compose run`."""


def programs(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """A command as the programs that it runs, the outermost first, each with its own words."""
    rest = parts
    while rest:
        at = _inner(rest)
        if at is None:
            yield rest
            return
        yield rest[:at]
        rest = rest[at:]


def _inner(parts: Sequence[Part]) -> int | None:
    """The position of the program that the first one runs."""
    wrapper = _WRAPPERS.get(basename(parts[0].text))
    if wrapper is None:
        return None
    wanted, operands, at = bool(wrapper.verbs), wrapper.operands, 1
    while at < len(parts):
        word = parts[at].text
        at += 1
        if word == "--":
            return at if at < len(parts) and not wanted else None
        if word.startswith("-") and len(word) > 1:
            at += _values(parts[at : at + 2], word, wrapper)
        elif ASSIGNMENT.fullmatch(word):
            continue
        elif wanted:
            if word not in wrapper.verbs | _NESTED:
                return None
            wanted = word in _NESTED
        elif operands:
            operands -= 1
        elif not word[:1].isdigit():
            return None if re.search(r"\s", word) else at - 1
    return None


def _values(following: Sequence[Part], option: str, wrapper: _Wrapper) -> int:
    """How many of the words behind an option are its values.

    Of an option that is not known it is the next one, unless that can only be a program.
    """
    if "=" in option or option in wrapper.flags:
        return 0
    if option in wrapper.named:
        return 1
    wanted = 2 if option in wrapper.pairs else 1
    count = 0
    for each in following[:wanted]:
        if each.text.startswith("-") or is_started(each.text):
            break
        count += 1
    return count


def begins_command(text: str) -> bool:
    """Whether a text is a command by its first words: variables, then a program that runs one.

    Programs whose names are words of English are left out.
    """
    words = _BEFORE.sub("", text, count=1).split(None, 1)
    if len(words) < 2:  # noqa: PLR2004 - a program and something that it is given
        return False
    name = basename(words[0])
    return bool(LAUNCHERS.fullmatch(name)) or name in _COMMANDS


def is_started(word: str) -> bool:
    """Whether a word can only be a program, or a script that is given to one."""
    name = basename(word)
    return bool(LAUNCHERS.fullmatch(name)) or name in SHELLS or word.endswith((".py", ".sh"))
