"""The words without which no rule finds anything in a Python file, derived from the rules.

What is not derived here, a detector that nobody told of, makes all files speak: they are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from portaudit.catalogue import native
from portaudit.catalogue.load import Catalogue
from portaudit.catalogue.schema import ITEM_KINDS
from portaudit.detectors.gpu_facts import GPU, PEAKS
from portaudit.detectors.torch_patch import MODEL_LIBRARIES
from portaudit.judge.required import DEMANDS
from portaudit.match.context import MODULES, OF_LOSS, STEP_NAMES
from portaudit.match.python import TORCH_WORLD
from portaudit.quiet import Words
from portaudit.read.python.exports import BINDINGS
from portaudit.read.python.kernels import LANGUAGES
from portaudit.read.python.model import IMPORTERS, OPTIONAL_IMPORTS
from portaudit.read.python.setup import INSTALLING
from portaudit.read.python.sources import KERNEL

_VERSIONS = ("version", "version_info", "python_version", "get_distribution", "pkg_resources")
_SHAPES: tuple[str, ...] = ()
"""Detectors of numbers and of shapes of texts, which have sets of their own."""
_STEPS: tuple[str, ...] = ()
"""Detectors that look into training steps only, which have words of their own."""
DETECTORS: Mapping[str, Iterable[str]] = {
    "boolean-mask-index": _STEPS,
    "closed-device-list": ("cuda",),
    "cuda-compiler-command": ("nvcc", "ptxas", "cuobjdump", "nvdisasm"),
    "cuda-extension-import": ("cuda",),
    "cuda-extension-member": ("cuda",),
    "cuda-module": ("torch",),
    "dynamic-setting": ("torch",),
    "expanded-index": _STEPS,
    "float8-type": ("torch",),
    "gpu-monitor-command": ("nvidia", "nvtop", "dcgmi", "gpustat"),
    "gpu-name-test": _SHAPES,
    "gpu-peak-number": _SHAPES,
    "host-read-form": _STEPS,
    "host-sync": _STEPS,
    "imaginary-literal": _STEPS,
    "library-patch": MODEL_LIBRARIES,
    "mask-form": _STEPS,
    "package-binding": BINDINGS,
    "python-refused-on-torchneuron": _VERSIONS,
    "python-refused-on-xla": _VERSIONS,
    "tensor-repeats": _STEPS,
    "tensor-slice-bound": _STEPS,
    "tensor-test": _STEPS,
    "tensor-truth": _STEPS,
    "torch-patch": ("torch",),
    "torch-refused-on-torchneuron": ("torch", *_VERSIONS),
    "torch-refused-on-xla": ("torch", *_VERSIONS),
    "torch-requirement-without-torchneuron": ("transformers", *_VERSIONS),
    "torch-requirement-without-xla": ("transformers", *_VERSIONS),
    "transform-and-back": ("torch",),
    "operator-of-a-config": ("DCN",),
    "ray-gpu-bundle": ("GPU",),
}
"""What a file spells in which a detector may find something."""
_STEPPING = ("backward", "grad", "step")
"""Members that make a function a step of training."""
_ALL_CUDA = "cuda"
"""What any name or text may say within."""
_RAW = (b"portaudit", b"setup", *INSTALLING)
"""What comments say, and files that require packages."""
_SHORTEST = 2
"""Letters that a pattern must give to be told by them."""


def words(catalogue: Catalogue) -> Words | None:
    """The words of all rules; None where some rule may find something without any."""
    if not catalogue.index.detectors.keys() <= DETECTORS.keys():
        return None
    names = {*_names(catalogue)}
    parts = {_ALL_CUDA, KERNEL.lower()}
    texts: set[str] = set()
    for selector in catalogue.index.strings:
        for glob in map(str, catalogue.match_of(selector).value):
            if _is_plain(glob):
                texts.add(glob.lower())
            else:
                parts.add(_longest(glob))
    parts.update(_longest(pattern) for pattern, _ in catalogue.index.variables)
    if "" in names or any(len(part) < _SHORTEST for part in parts):
        return None
    return Words(
        names=frozenset(names),
        parts=tuple(
            sorted(part for part in parts if not any(_holds(part, other) for other in parts))
        ),
        members=frozenset(_STEPPING),
        functions=frozenset({"forward", *STEP_NAMES}),
        beginnings=OF_LOSS,
        ends=("log_prob",),
        texts=frozenset(texts),
        shape=GPU.pattern,
        numbers=frozenset(PEAKS),
        raw=_RAW,
    )


def _names(catalogue: Catalogue) -> Iterator[str]:
    """Identifiers of which one stands wherever a rule or a guard knows a name."""
    known: list[str] = [*TORCH_WORLD, *DEMANDS, *IMPORTERS, *OPTIONAL_IMPORTS, *LANGUAGES, *MODULES]
    known += catalogue.package_roots | catalogue.libraries
    known += [*catalogue.guards.lib, *catalogue.guards.lib.values()]
    known += native.words().python.compilers
    known += [name for detector in catalogue.index.detectors for name in DETECTORS[detector]]
    for selector in catalogue.selectors():
        match = catalogue.match_of(selector)
        if match.kind in ITEM_KINDS or match.kind in {"string", "detector", "method"}:
            continue  # methods count only where torch, or another file of the tree, is imported
        spelled = [selector.name] if selector.row else match.name
        if match.kind == "kwarg" and match.callee:
            spelled = match.callee
        known += [name.removeprefix(".") for name in spelled]
    for name in known:
        root = name.lower().replace("-", "_").split(".")[0]
        yield "" if "*" in root else root


def _holds(part: str, other: str) -> bool:
    """Whether a part says no more than another one that it holds."""
    return part != other and other in part


def _is_plain(glob: str) -> bool:
    return not re.search(r"[*?\[]", glob)


def _longest(glob: str) -> str:
    """The longest run of characters that a glob asks for as they are."""
    return max(re.split(r"\[[^\]]*\]|[*?]", glob.lower()), key=len)
