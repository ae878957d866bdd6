"""What commands start: a file, a module, or a command, behind wrappers, launchers and options.

`srun torchrun --nproc_per_node 8 train.py lr=1` starts `train.py` with `lr=1`. Which of it belongs
to the tree is for whoever has seen the tree: nothing here looks for a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from posixpath import basename, normpath

from msgspec import Struct
from msgspec.structs import replace

from portaudit.read.items import Item, Part
from portaudit.read.programs import SHELLS, programs
from portaudit.types import FileKind, Launch, Script, Span

MODULE = " -m"
"""What follows the launcher in the name of a `launch` item whose target is a module."""
SAID = "sentence"
"""The form of a launch that a sentence speaks of."""
HERE = "$(dirname $0)"
"""How a target names the folder of the script that it stands in, however the script spells it."""
_MOST = 500
"""Launches of one file; a list that is longer was generated."""
_MOST_ARGUMENTS = 60
_MOST_WORDS = 400
"""Words of a command that are looked at."""
_LONGEST = 200
"""Characters of a target or an argument."""
_LONGEST_WORD = 20_000
"""Characters beyond which a word is no path: what is in its brackets is undone level by level."""
_LONGEST_VALUE = 2_000
_ROUNDS = 5
"""Variables that stand in the values of variables, at most."""
_PYTHON = re.compile(r"(?:i?python|pypy)[\d.]*")
_MODULE_OPTION = re.compile(r"-[bBdEiIOqsSuvx]*m(\S*)")
_CODE_OPTION = re.compile(r"-[A-Za-z]*c")
"""An option whose value is a program itself."""
_VALUED = frozenset({"-W", "-X", "-Q"})
"""Options of Python that have a value."""
_FILE = re.compile(r".*\.(?:py|ipynb|sh|bash|slurm|sbatch|pbs)", re.DOTALL)
_DOTTED = re.compile(r"[A-Za-z_$][\w.${}-]*")
_NAME = re.compile(r"[a-z][\w.+-]*")
"""A command of a project; its own files may be called otherwise."""
_UNKNOWN = re.compile(r"\$(?:\w+|\{[^{}]*\}|[@*]|\(.*\))", re.DOTALL)
"""A word of which nothing is known but that a variable or a command gives it."""
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:\[[@*]\])?(?::?[-=]([^{}]*))?\})")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_COMMENT = re.compile(r"(?m)(?:^|\s+)#.*$")
_WHICH = re.compile(r"\$\((?:which|command -v|type -p)\s+(\S+)\)")
_SPELLED = re.compile(r"\bdirname\b|%/\*|\$\((?:which|command|type|readlink|realpath)\s")
_SELF = r"(?:\$0|\$BASH_SOURCE|\$\{(?:0|BASH_SOURCE(?:\[0\])?)(?::-\$0)?\})"
_OWN = "\0"
"""Stands for the folder of a script while its spelling is looked at."""
_FOLDERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\$\((?:readlink|realpath)(?:\s+-\S+)*\s+{_SELF}\s*\)"), "$0"),
    (re.compile(rf"\$\(\s*dirname\s+(?:--\s+)?{_SELF}\s*\)"), _OWN),
    (re.compile(r"\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}"), _OWN),
    (re.compile(rf"\$\(\s*dirname\s+(?:--\s+)?({_OWN}(?:/\.\.)*)\s*\)"), r"\1/.."),
    (re.compile(rf"\$\((?:readlink|realpath)(?:\s+-\S+)*\s+({_OWN}[^()\s]*)\s*\)"), r"\1"),
    (re.compile(rf"\$\(\s*cd\s+(?:--\s+)?({_OWN}[^()\s;&]*)[^()]*\bpwd\b[^()]*\)"), r"\1"),
)
"""Spellings of a script's own folder, and what each leaves."""


class _Launcher(Struct, frozen=True):
    """How a program is called that starts what the first word behind its options names.

    `verbs`: sub-commands of which one does so, always if empty · `flags`: options without a value,
    with `_` for `-` · `valued`: those with one, where all of them are known · `module`, `program`:
    options that say that the word is a module, or a program with words of its own · `runs`: it
    always is one · `code`: options whose value is a script, which is read as one.
    """

    verbs: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    module: frozenset[str] = frozenset({"-m", "__module"})
    program: frozenset[str] = frozenset({"__no_python"})
    runs: bool = False
    code: re.Pattern[str] = re.compile(r"(?!)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TORCHRUN = _Launcher(flags=_words("__standalone __use_env __run_path __virtual_local_rank"))
_ACCELERATE = _words(
    "__cpu __multi_gpu __tpu __ipex __mps __use_deepspeed __use_fsdp __use_megatron_lm __use_xpu "
    "__same_network __quiet __debug -q __use_parallelism_config"
)
_DEEPSPEED = _Launcher(
    flags=_words("__no_local_rank __save_pid __force_multi __no_ssh __no_ssh_check"),
)
_COMPOSER = _Launcher(
    flags=_words("-v __verbose"),
    module=_words("-m __module_mode"),
    program=_words("-c __command_mode"),
)
_SHELL = _Launcher(
    valued=_words("-o -O __rcfile __init_file"), module=frozenset(), code=_CODE_OPTION
)
_BATCH = _Launcher(
    flags=_words(
        "__parsable __requeue __no_requeue __exclusive __wait -W -H __hold -v -Q __quiet "
        "__contiguous -s __oversubscribe __test_only"
    ),
    module=frozenset(),
    code=re.compile(r"__wrap(?:=.*)?", re.DOTALL),
)
_RUNS = _Launcher(runs=True)
_PLAIN = _Launcher()
_LAUNCHERS: Mapping[str, _Launcher] = {
    "torchrun": _TORCHRUN,
    "accelerate": _Launcher(("launch",), _ACCELERATE),
    "accelerate-launch": _Launcher(flags=_ACCELERATE),
    "deepspeed": _DEEPSPEED,
    "ds": _DEEPSPEED,
    "composer": _COMPOSER,
    "lightning": _Launcher(("run model", "run app", "run")),
    "fabric": _Launcher(("run model", "run")),
    "colossalai": _Launcher(("run",)),
    "horovodrun": _RUNS,
    "neuron_parallel_compile": _RUNS,
    "ray": _Launcher(("job submit",), _words("__no_wait __verbose"), runs=True),
    "coverage": _Launcher(("run",), _words("-a __append __branch -p __parallel_mode")),
    "streamlit": _Launcher(("run",)),
    "papermill": _PLAIN,
    "kernprof": _Launcher(flags=_words("-l -v __line_by_line __view")),
    "scalene": _Launcher(flags=_words("__cpu __gpu __memory __cli __json __html")),
    "viztracer": _PLAIN,
    "py-spy": _Launcher(("record", "top"), runs=True),
    **dict.fromkeys((*SHELLS, "source", "."), _SHELL),
    **dict.fromkeys(("sbatch", "qsub", "bsub"), _BATCH),
}
_MODULES: Mapping[str, _Launcher] = {
    "torch.distributed.run": _TORCHRUN,
    "torch.distributed.launch": _TORCHRUN,
    "accelerate.commands.launch": _Launcher(flags=_ACCELERATE),
    "accelerate.commands.accelerate_cli": _Launcher(("launch",), _ACCELERATE),
    "deepspeed": _DEEPSPEED,
    "deepspeed.launcher.runner": _DEEPSPEED,
    "deepspeed.launcher.launch": _DEEPSPEED,
    "composer": _COMPOSER,
    "composer.cli.launcher": _COMPOSER,
    "lightning": _LAUNCHERS["lightning"],
    "determined.launch.torch_distributed": _RUNS,
    "determined.launch.deepspeed": _RUNS,
    "determined.launch.horovod": _RUNS,
    "torch.utils.bottleneck": _PLAIN,
    "torch.backends.xeon.run_cpu": _PLAIN,
    "cProfile": _PLAIN,
    "coverage": _LAUNCHERS["coverage"],
    "pdb": _PLAIN,
    "ipdb": _PLAIN,
    "debugpy": _Launcher(flags=_words("__wait_for_client")),
    "viztracer": _PLAIN,
    "scalene": _LAUNCHERS["scalene"],
}
"""Modules that start another program: `python -m torch.distributed.run train.py`."""
_TOOLS = _words(
    "pip venv virtualenv ensurepip build twine pytest unittest http.server json.tool zipfile "
    "compileall py_compile site sysconfig spacy nltk.downloader ipykernel jupyter notebook pylint "
    "flake8 black isort mypy ruff pre_commit torch.utils.collect_env pybind11 grpc_tools.protoc"
)
"""Modules that build, test or show something, and are no program of the tree's."""
_OUTER = _words("salloc eval parallel jsrun aprun ibrun flux pueue tsp screen")
"""Programs that only matter for the one that they run."""
_BUILDING = frozenset({"setup.py", "get-pip.py"})
_SETTINGS = (".yaml", ".yml", ".json")
"""How the names of files of settings end that launchers read."""
_ELSEWHERE = ("/usr/", "/bin/", "/sbin/", "/opt/", "/etc/")
_INNER = re.compile(r"(?:python[\d.]*|torchrun|accelerate|deepspeed|composer|colossalai|fabric)")
"""Programs that are looked for among the words of a program that nobody knows."""
_SYSTEM = _words(
    "echo printf read logger : true false test [ [[ grep egrep fgrep command which type hash "
    "cd pushd popd pwd ls cp mv rm ln mkdir rmdir touch chmod chown chgrp cat tac tee head tail "
    "mktemp less more sed awk gawk tr cut sort uniq wc find xargs diff patch file stat du df tree "
    "basename dirname realpath readlink date sleep wait kill killall pkill ps top htop nproc free "
    "uname hostname whoami id groups env export set unset alias exec exit return shift trap ulimit "
    "umask let local declare typeset readonly getopts break continue builtin enable bg fg jobs "
    "disown history seq yes expr bc sum md5sum sha256sum base64 xxd od tar zip unzip gzip gunzip "
    "bzip2 xz 7z zstd unrar pigz curl wget aria2c rsync scp sftp ssh ssh-keygen ssh-copy-id gdown "
    "git git-lfs gh svn hg sudo su runuser doas apt apt-get aptitude apt-key add-apt-repository "
    "dpkg yum dnf rpm zypper pacman apk brew port snap pip pip2 pip3 pipx conda mamba micromamba "
    "uv uvx poetry pdm pixi hatch rye pipenv virtualenv venv pyenv easy_install npm npx yarn pnpm "
    "node bun cargo rustup rustc go java javac mvn gradle ruby gem perl make gmake cmake ctest "
    "ninja meson gcc g++ cc c++ clang clang++ nvcc hipcc ld ar strip ldconfig ldd nm objdump gdb "
    "lldb valgrind strace autoconf automake pkg-config configure docker podman nerdctl "
    "docker-compose nvidia-docker buildah singularity apptainer enroot kubectl helm kind minikube "
    "terraform ansible ansible-playbook aws gcloud gsutil az azcopy s3cmd rclone oci ibmcloud "
    "eksctl pcluster sagemaker databricks nvidia-smi nvtop nvidia-settings dcgmi rocm-smi lspci "
    "lsblk lscpu lsmod modprobe module ml spack sinfo squeue scancel scontrol sacct "
    "qstat qdel bjobs mount umount service systemctl journalctl crontab at tmux byobu vi "
    "vim nano emacs code open xdg-open clear reset stty tput tmuxp man help info jupyter "
    "jupyter-notebook jupyter-lab ipcluster tensorboard wandb mlflow aim comet dvc huggingface-cli "
    "hf kaggle modelscope pytest py.test tox nox black isort flake8 pylint ruff mypy pre-commit "
    "sphinx-build mkdocs doxygen twine bumpversion clang-format cpplint shellcheck codecov "
    "ffmpeg ffprobe convert identify magick colmap psql mysql sqlite3 redis-server redis-cli "
    "nginx apachectl mcli sky dstack modal runai then else fi do done if for while case esac "
    "function select until time in { } ! rem powershell cmd exe setx iwr jq yq envsubst openssl "
    "gpg useradd usermod groupadd passwd chsh locale-gen update-alternatives lsb_release "
    "ibstat ibv_devinfo fi_info nccl-tests all_reduce_perf supervisord tini dumb-init"
)
"""Programs that a machine or its developers have, and no project makes."""

_SETTING = re.compile(
    r"(?:.*\.)?(?:entry_?point|entry_?script|program|(?:training_|train_)?script(?:_path|_name)?|"
    r"(?:main|python)_file)"
)
"""Keys of settings that name the program of a job: SageMaker's, Weights & Biases', Azure's."""
_KINDS: frozenset[FileKind] = frozenset({"yaml", "json", "toml", "hcl", "ini", "markdown"})
_ALWAYS: frozenset[FileKind] = frozenset({"shell", "docker", "make"})
"""Kinds of file that say little else than what is to be run."""
_LIKELY = (
    b"python",
    b"torchrun",
    b"accelerate",
    b"deepspeed",
    b"composer",
    b"lightning",
    b"fabric",
    b"colossalai",
    b"horovod",
    b"bash",
    b"sbatch",
    b"srun",
    b"mpirun",
    b"entry",
    b"program",
    b"script",
    b"```",
    b"[project]",
    b"[metadata]",
    b"[tool.poetry]",
    b"[tool.flit.metadata]",
    b"package_dir",
    b"package-dir",
)
"""Words that are looked for before the pattern is, as that costs far more."""
_SURE = re.compile(
    rb"\b(?:python[\d.]*|torchrun|accelerate|deepspeed|composer|lightning|fabric|colossalai|"
    rb"horovodrun|bash|sbatch|srun|mpirun)(?:[ \t]+[\w.$/~\\-]|[\"'],)|"
    rb"\b(?:[eE]ntry[_-]?(?:[pP]oint|script)|program|script|(?:console_|script-)?(?:scripts|files))\b"
    rb"[\"']?[ \t]*[\]:=]|```[ \t]*(?:ba|z)?sh|```[ \t]*(?:console|term)|"
    rb"^[ \t]*\[(?:project|metadata|tool\.poetry|tool\.flit\.metadata)\]|\bpackage[-_]dir\b",
    re.MULTILINE,
)


def may_start(kind: FileKind, content: bytes) -> bool:
    """Whether a file of a kind may have a launch, or declare a command or a project.

    Not asked of Python.
    """
    if kind in _ALWAYS:
        return True
    if kind not in _KINDS or not any(word in content for word in _LIKELY):
        return False
    return bool(_SURE.search(content))


def launches(items: Iterable[Item]) -> tuple[Launch, ...]:
    """The launches among the items of a file, each once, in the order of the file.

    One without arguments is left out where the same place has some for it: a command is read where
    a variable is set to it and where that is used, a program by its key and with what it is given.
    """
    found: dict[Launch, None] = {}
    for item in items:
        if item.kind == "launch":
            launcher = item.name.removesuffix(MODULE)
            words = tuple(part.text[:_LONGEST] for part in item.parts[:_MOST_ARGUMENTS])
            target = str(item.value)[:_LONGEST]
            is_module = launcher != item.name
            where = item.folder, item.before
            is_said = SAID in item.forms
            around = tuple(text[:_LONGEST] for text in item.environment[:_MOST_ARGUMENTS])
            launch = Launch(
                item.span.line, target, launcher, is_module, words, *where, is_said, around
            )
            found[launch] = None
    given = {replace(launch, arguments=()) for launch in found if launch.arguments}
    kept = [launch for launch in found if launch not in given]
    return tuple(sorted(kept, key=lambda launch: launch.line)[:_MOST])


def scripts(items: Iterable[Item]) -> tuple[Script, ...]:
    """The commands that the items of a file declare."""
    return tuple(
        Script(item.span.line, item.name, str(item.value))
        for item in items
        if item.kind == "script"
    )


def is_project(items: Iterable[Item]) -> bool:
    """Whether a manifest says that installing makes something."""
    return any(item.kind == "project" for item in items)


def packages(items: Iterable[Item]) -> tuple[tuple[str, str], ...]:
    """Where a manifest says that packages are, from its own folder."""
    return tuple((item.name, normpath(str(item.value))) for item in items if item.kind == "package")


def declared(text: str, span: Span) -> Item | None:
    """A line of `console_scripts`: `name = package.module:function [extra]`."""
    name, sign, target = text.partition("=")
    target = target.partition("[")[0].strip()
    return Item("script", name.strip(), span, target) if sign and name.strip() and target else None


CONSOLE = frozenset({"console_scripts", "gui_scripts"})
"""The groups of entry points that are commands."""


def entry_point(group: str, item: Item) -> Item:
    """An entry point, with its group before its name unless it is a command."""
    is_command = not group or group in CONSOLE
    return item if is_command else replace(item, name=f"{group}:{item.name}")


def of_setting(name: str, value: str, span: Span) -> Item | None:
    """The program that a setting with the name of such names: `entry_point: train.py`."""
    if value.endswith(".py") and _SETTING.fullmatch(name.lower().replace("-", "_")):
        return Item("launch", "", span, value)
    return None


def is_file(item: Item) -> bool:
    """Whether a launch is certainly one: of a file or a module, and not of some word."""
    return item.name.endswith(MODULE) or bool(_FILE.fullmatch(str(item.value)))


def started(parts: Sequence[Part], values: Mapping[str, str]) -> Iterator[Item]:
    """What a command starts, where it begins. `values`: variables that are known there."""
    words = list(islice(_filled(parts, values), _MOST_WORDS))
    found = _program(words) if words else None
    if found is not None:
        yield replace(found, span=parts[0].span)


# --- from a program to its target -----------------------------------------------------------------


def _program(words: Sequence[Part]) -> Item | None:
    """What the innermost of the programs starts that a command runs."""
    *_, own = programs(words)
    program, *rest = own
    name = basename(program.text)
    if _PYTHON.fullmatch(name):
        return _python(name, rest)
    if name in _LAUNCHERS:
        found = _launched(name, rest, _LAUNCHERS[name])
        if found is not None and name in {"source", "."} and not is_file(found):
            return None  # settings, mostly
        return found
    if name in _SYSTEM:
        return None
    for at, word in enumerate(rest[:_MOST_ARGUMENTS]):
        if _INNER.fullmatch(basename(word.text)):
            found = _program(rest[at:])
            if found is not None and is_file(found):
                return found
    if name in _OUTER:
        return None
    if _UNKNOWN.fullmatch(program.text):
        found = _launched(program.text, rest, _PLAIN)
        return found if found is not None and is_file(found) else None
    if not (_NAME.fullmatch(name) or _FILE.fullmatch(name)) or (rest and rest[0].text in "=:"):
        return None
    return _made("", program.text, rest)


def _python(name: str, words: Sequence[Part]) -> Item | None:
    at = 0
    while at < len(words):
        word = words[at].text
        module = _MODULE_OPTION.fullmatch(word)
        if module:
            attached = bool(module[1])
            if not attached and at + 1 == len(words):
                return None
            target = module[1] if attached else words[at + 1].text
            return _module(name, target, words[at + (1 if attached else 2) :])
        if word == "-" or _CODE_OPTION.fullmatch(word):
            return None
        if word.startswith("-"):
            at += 2 if word in _VALUED else 1
        elif _is_skipped(words[at:], frozenset({"-m"})):
            at += 1
        else:
            return _made(name, word, words[at + 1 :])
    return None


def _module(launcher: str, module: str, words: Sequence[Part]) -> Item | None:
    if module in _MODULES:
        return _launched(module, words, _MODULES[module])
    if module in _TOOLS or not _DOTTED.fullmatch(module):
        return None
    return _made(launcher + MODULE, module, words)


def _launched(name: str, words: Sequence[Part], launcher: _Launcher) -> Item | None:
    """What a launcher starts, given the words behind its name."""
    at = _verb(words, launcher.verbs)
    if at is None:
        return None
    module, runs = False, launcher.runs
    while at < len(words):
        word = words[at].text
        option = word.replace("-", "_") if word.startswith("--") else word
        at += 1
        if option in launcher.module:
            module = True
        elif option in launcher.program:
            runs = True
        elif word == "--":
            continue
        elif word.startswith("-") and len(word) > 1:
            if launcher.code.fullmatch(option):
                return None
            at += _has_value(words[at:], option, launcher)
        elif not _is_skipped(words[at - 1 :], launcher.module):
            rest = words[at:]
            if runs:
                found = _program(words[at - 1 :])
            else:
                found = _module(name, word, rest) if module else _made(name, word, rest)
            if found is None or not launcher.flags:
                return found
            return replace(found, before=(*_settings(words[: at - 1]), *found.before))
    return None


def _settings(words: Iterable[Part]) -> Iterator[str]:
    """The files of settings among the options of a launcher."""
    for word in words:
        text = word.text.rpartition("=")[2].strip("\"'")
        if text.endswith(_SETTINGS) and len(text) <= _LONGEST:
            yield text


def _verb(words: Sequence[Part], verbs: Sequence[str]) -> int | None:
    """The position behind the sub-command; `None` where it is another one."""
    for verb in verbs:
        wanted = verb.split()
        if [part.text for part in words[: len(wanted)]] == wanted:
            return len(wanted)
    return None if verbs else 0


def _has_value(following: Sequence[Part], option: str, launcher: _Launcher) -> bool:
    """Whether the next word is the value of an option, as it is of those that nobody knows."""
    if not following or "=" in option or option in launcher.flags:
        return False
    if launcher.valued:
        return option in launcher.valued
    word = following[0].text
    return not word.startswith("-") and not _FILE.fullmatch(word)


def _is_skipped(words: Sequence[Part], module: frozenset[str]) -> bool:
    """Whether a word holds unknown options: a variable, with a sure target behind it."""
    if not _UNKNOWN.fullmatch(words[0].text):
        return False
    return any(_FILE.fullmatch(word.text) or word.text in module for word in words[1:])


def _made(launcher: str, target: str, arguments: Sequence[Part]) -> Item | None:
    if basename(target) in _BUILDING or target.startswith(_ELSEWHERE):
        return None
    return Item("launch", launcher, Span(0, 0, 0, 0), target, tuple(arguments))


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its variables filled in, as far as they are known."""
    return _expanded(text, values) if "$" in text else text


# --- variables ------------------------------------------------------------------------------------


def _filled(parts: Iterable[Part], values: Mapping[str, str]) -> Iterator[Part]:
    """Words with their variables filled in, as far as they are known."""
    for part in parts:
        if "$" not in part.text:
            if part.text.strip("\\ \n"):
                yield part
            continue
        text = _expanded(part.text, values)
        if text != part.text and _VARIABLE.fullmatch(part.text):
            yield from (replace(part, text=word) for word in _split(text))
        elif text:
            yield replace(part, text=text)


def _split(text: str) -> Iterator[str]:
    """The words of a variable's value; of an array's, which stands in brackets."""
    if text.startswith("(") and text.endswith(")"):
        text = _COMMENT.sub("", text[1:-1])
    for word in _QUOTED.findall(text):
        plain = word.strip("\"'")
        if plain.strip("\\"):
            yield plain


def _expanded(text: str, values: Mapping[str, str]) -> str:
    """A text with its variables filled in; those of which nothing is known stay."""
    known: dict[tuple[str, int], str] = {}

    def filled(text: str, rounds: int) -> str:
        return _folder(_VARIABLE.sub(lambda found: value(found, rounds), text))

    def value(found: re.Match[str], rounds: int) -> str:
        key = found[0], rounds
        if key not in known:
            given = _given(found, values) if rounds else None
            own = found[0] if given is None else filled(given, rounds - 1)
            unknown = "`" in own or "$(" in own.replace(HERE, "") or len(own) > _LONGEST_VALUE
            known[key] = found[0] if unknown else own
        return known[key]

    return filled(text, _ROUNDS)


def _given(found: re.Match[str], values: Mapping[str, str]) -> str | None:
    """What a variable is set to, or what stands for it where it is not set."""
    name, default = found[1] or found[2], found[3]
    given = values.get(name)
    if given is None or re.search(rf"\$\{{?{name}\b", given):
        own = _VARIABLE.fullmatch(given or "")  # `X=${X:-1}`
        default = own[3] if own and own[3] is not None else default
        return None if default is None else default.strip("\"'")
    return given if given.startswith("(") else _COMMENT.split(given, 1)[0]  # as make has it


def _folder(text: str) -> str:
    """A text in which the script's own folder is `HERE`, and a program that is looked up itself."""
    if len(text) > _LONGEST_WORD or not _SPELLED.search(text):
        return text
    plain = _WHICH.sub(r"\1", text.replace(HERE, _OWN).replace('"', "").replace("'", ""))
    before = ""
    while plain != before:
        before = plain
        for spelled, left in _FOLDERS:
            plain = spelled.sub(left, plain)
    return plain.replace(_OWN, HERE)
