"""Programs of NVIDIA's that a file starts: `subprocess.run(["nvidia-smi", "-L"])`.

Only commands that are run count. Asking whether a program exists (`shutil.which`) is a check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.values import Reader, argument

_RUNNERS = frozenset(
    [
        *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")),
        *("subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen"),
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    ]
)
_MONITORS = "nvidia-smi|nvidia-settings|nvtop|dcgmi|gpustat"
_COMPILERS = "nvcc|ptxas|cuobjdump|nvdisasm"
_BEFORE = r"(?:^|[;&|(`]|\bsudo\s)\s*(?:[^\s;&|]*/)?"
"""Where a shell command begins: first, after a separator, after `sudo`; a path may lead to it."""


@detector("gpu-monitor-command")
def gpu_monitor_command(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield calls that run a program which looks at or sets up NVIDIA's GPUs."""
    return _commands(reader, re.compile(f"{_BEFORE}({_MONITORS})(?![\\w-])"))


@detector("cuda-compiler-command")
def cuda_compiler_command(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield calls that run a compiler or another tool of the CUDA toolkit."""
    return _commands(reader, re.compile(f"{_BEFORE}({_COMPILERS})(?![\\w-])"))


def _commands(reader: Reader, program: re.Pattern[str]) -> Iterator[Spot]:
    for call in reader.calls_of(_RUNNERS):
        if reader.name(call.func) not in _RUNNERS:
            continue
        command = argument(call, (0, "args", "cmd")).value
        for text in _lines(reader, command):
            found = program.search(text)
            if found:
                yield Spot(call, reader.model.places[call], found.group(1))
                break


def _lines(reader: Reader, node: cst.BaseExpression | None) -> Iterator[str]:
    """A command as one line of text, whether given as a string or as a list of words."""
    if isinstance(node, cst.Call):
        inner = node.func.value if isinstance(node.func, cst.Attribute) else None
        if reader.name(node.func) == "shlex.split":
            inner = argument(node, (0, "s")).value
        elif not (isinstance(node.func, cst.Attribute) and node.func.attr.value == "split"):
            return
        yield from _lines(reader, inner)
        return
    words = reader.elements(node)
    if not words:
        yield from (text.value for text in reader.texts(node))
        return
    for first in _word(reader, words[0]):
        rest = [next(_word(reader, word), "") for word in words[1:]]
        yield " ".join([first, *rest])


def _word(reader: Reader, node: cst.BaseExpression) -> Iterator[str]:
    """What a word of a command ends in: `cuda_home + "/bin/nvcc"` is the compiler."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        yield from _word(reader, node.right)
    elif isinstance(node, cst.Call) and reader.name(node.func) == "os.path.join" and node.args:
        yield from _word(reader, node.args[-1].value)
    elif isinstance(node, cst.FormattedString):
        parts = [part.value for part in node.parts if isinstance(part, cst.FormattedStringText)]
        yield parts[-1] if parts else ""
    else:
        yield from (text.value for text in reader.texts(node))
