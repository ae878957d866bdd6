"""Lists the public names of an installed PyTorch, as `tests/data` keeps them for one version.

Nothing here imports PyTorch unless it is asked about the installed package.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

VERSION = "2.13.0"
BUILD = f"{VERSION}+cpu"
"""The build that the file was made from; another one may have more or fewer names."""
PATH = Path(__file__).parent / "data" / f"torch-{VERSION}-names.txt"
CUDA_PATH = Path(__file__).parent / "data" / f"torch-{VERSION}-cuda-names.txt"
"""The names that belong to CUDA: what each of them gets a verdict for."""
CUDA_MODULES = (
    "torch.cuda",
    "torch.backends.cuda",
    "torch.backends.cudnn",
    "torch.backends.cusparselt",
)
CUDA_BUILDS_ONLY = frozenset({"torch.distributed.ProcessGroupNCCL"})
"""Backend-specific names of torch.distributed that a build for the CPU does not have: those that
`torch/distributed/distributed_c10d.py` imports if it can and is documented to export."""
OTHER_BACKENDS_ONLY = frozenset(
    f"torch.distributed.ProcessGroup{name}" for name in ("MPI", "UCC", "XCCL")
)
BACKEND = re.compile(r"nccl|gloo|mpi|ucc|xccl|nvshmem|cuda", re.IGNORECASE)
"""Words in names of torch.distributed that speak of one backend."""
DEPTH = 4
"""Parts of the longest name, `torch` included."""
LEFT_OUT = frozenset(
    "torch." + name
    for name in (
        "ao",
        "contrib",
        "distributions",
        "fx",
        "hub",
        "onnx",
        "ops",
        "package",
        "quantization",
        "return_types",
        "testing",
        "types",
        "DispatchKey",
    )
)
"""Parts of torch that no rule sends a reader to; they would double the file."""


def read() -> frozenset[str]:
    """The names in the file."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def read_cuda() -> frozenset[str]:
    """The names in the file of those that belong to CUDA."""
    lines = CUDA_PATH.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def cuda_names() -> list[str]:
    """All public module-level names of the installed torch that belong to CUDA, sorted.

    Methods count with their class. Of torch.distributed, names that speak of a backend.
    """
    found = set(CUDA_BUILDS_ONLY | OTHER_BACKENDS_ONLY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for root in CUDA_MODULES:
            package = importlib.import_module(root)
            modules = [package]
            modules += [
                importlib.import_module(info.name)
                for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{root}.")
                if _is_public(info.name)
            ]
            for module in modules:
                found.update(_members(module))
        distributed = importlib.import_module("torch.distributed")
        found.update(
            f"torch.distributed.{name}" for name in dir(distributed) if BACKEND.search(name)
        )
        backends = importlib.import_module("torch.distributed").Backend
        found.update(
            f"torch.distributed.Backend.{name}" for name in dir(backends) if name.isupper()
        )
    return sorted(name for name in found if _is_public(name))


def _members(module: types.ModuleType) -> Iterator[str]:
    """The public names that a module defines or passes on from another part of CUDA."""
    for member in sorted({*dir(module), *getattr(module, "__all__", ())}):
        value = getattr(module, member)
        home = getattr(value, "__module__", None) or ""
        if isinstance(value, types.ModuleType):
            own = value.__name__ == f"{module.__name__}.{member}"
        elif isinstance(value, type | types.FunctionType):
            own = home.startswith((*CUDA_MODULES, "torch._C", "builtins", "torch.storage"))
        else:
            own = member != "TYPE_CHECKING" and not home.startswith(("typing", "__future__"))
        if own and _is_public(member):
            yield f"{module.__name__}.{member}"


def render(names: list[str]) -> str:
    """The content of the file."""
    head = f"# Public names of torch {BUILD}, up to {DEPTH} parts; made by tests/torch_names.py."
    return "\n".join((head, *names, ""))


def public_names(torch: types.ModuleType) -> list[str]:
    """All public names of torch up to DEPTH parts, sorted, without what LEFT_OUT says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _import_below(torch, DEPTH - 2)
        return sorted({"torch", *_names(torch, "torch")})


def exists(name: str) -> bool:
    """Whether a dotted name leads to something in the installed package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: object = importlib.import_module("torch")
        parts = name.split(".")
        for position, part in enumerate(parts[1:], start=2):
            if not hasattr(found, part):
                try:
                    importlib.import_module(".".join(parts[:position]))
                except ImportError:
                    return False
            found = getattr(found, part)
    return True


def _import_below(package: types.ModuleType, levels: int) -> None:
    """Import public submodules, so that attribute access finds them; optional ones may fail."""
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if _is_public(info.name) and info.name not in LEFT_OUT:
            try:
                module = importlib.import_module(info.name)
            except ImportError:
                continue
            if info.ispkg and levels > 1:
                _import_below(module, levels - 1)


def _is_public(name: str) -> bool:
    return not name.rpartition(".")[2].startswith("_")


def _names(owner: object, path: str) -> Iterator[str]:
    # torch.Tensor has most of its methods from its base; other classes count with their own.
    everything = isinstance(owner, types.ModuleType) or path == "torch.Tensor"
    for member in dir(owner) if everything else vars(owner):
        name = f"{path}.{member}"
        if not _is_public(name) or name in LEFT_OUT or not hasattr(owner, member):
            continue
        if member == "np":  # NumPy, or None where it is not installed
            continue
        value = getattr(owner, member)
        if _is_foreign(value, name):
            continue
        yield name
        if name.count(".") + 1 < DEPTH and isinstance(value, (types.ModuleType, type)):
            if name == "torch.Tensor" or not name.endswith("Tensor"):  # the old types repeat it
                yield from _names(value, name)


def _is_foreign(value: object, name: str) -> bool:
    """Whether a value only passes through: `typing.Any`, `os`, a module under a second name."""
    if isinstance(value, types.ModuleType):
        return value.__name__ != name
    if isinstance(value, (type, types.FunctionType)):
        return value.__module__.partition(".")[0] not in {"torch", "builtins"}
    return False
