"""Imports of compiled extensions, told by their names: `roi_align_cuda`, `package._C`.

Names prove little, so an absolute name must not be in the tree, and a name of the tree's own
packages must not be one that another module explains. Whether a file of that name exists is not
known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from portaudit.detectors import detector
from portaudit.match.context import Contexts
from portaudit.match.hits import Spot
from portaudit.read.python.exports import BINDINGS
from portaudit.read.python.model import Place, import_name, import_statement
from portaudit.read.python.nodes import dotted
from portaudit.read.python.values import Reader
from portaudit.types import Confidence, Ref

_CUDA_MODULE = re.compile(
    r"\w+_cuda(_(\d+|backend|bindings?|core|cpp|ext|extension|kernels?|lib|module|ops))?"
    r"|cuda_(ext|extension|kernels?)"
)
_TOLD_BY_NAME = frozenset(
    [
        *("adam_upd_cuda", "attn_core_inplace_cuda", "causal_conv1d_cuda", "channelnorm_cuda"),
        *("correlation_cuda", "dask_cuda", "emd_cuda", "flash_attn_2_cuda", "flash_attn_3_cuda"),
        *("flash_attn_cuda", "fmoe_cuda", "fused_dense_cuda", "fused_layer_norm_cuda"),
        *("fused_ssim_cuda", "fused_weight_gradient_mlp_cuda", "iou3d_nms_cuda", "knn_cuda"),
        *("generic_scaled_masked_softmax_cuda", "marlin_cuda", "mlp_cuda", "numba_cuda"),
        *("pointnet2_cuda", "pointops_cuda", "render_utils_cuda", "resample2d_cuda"),
        *("roiaware_pool3d_cuda", "scaled_masked_softmax_cuda", "scaled_softmax_cuda"),
        *("scaled_upper_triang_masked_softmax_cuda", "selective_scan_cuda"),
        *("selective_scan_cuda_core", "sparse_attn_cuda", "torch_ac_cuda", "total_variation_cuda"),
        *("ub360_utils_cuda", "xentropy_cuda", "xentropy_cuda_lib"),
    ]
)
"""Modules that another rule knows by name; a test holds this list to the rules."""


@detector("cuda-extension-import")
def cuda_extension_import(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield imports of modules outside the tree whose names say CUDA, and calls into them."""
    modules: set[str] = set()
    for node, target, place in _imports(reader):
        module = _module_of(node, target)
        if (
            module.isidentifier()
            and not reader.is_open(module)
            and _CUDA_MODULE.fullmatch(module)
            and module not in _TOLD_BY_NAME
        ):
            modules.add(module)
            yield Spot(node, place, module, is_import=True)
    for call in reader.model.calls if modules else ():
        if isinstance(call.func, cst.Attribute):
            for value in reader.values(call.func.value):
                if isinstance(value, Ref) and value.name in modules:
                    yield Spot(call, reader.model.places[call], value.name)
                    break


@detector("cuda-extension-member")
def cuda_extension_member(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield `from package import roi_cuda` of the tree's own packages, used as a module."""
    for node, target, place in _imports(reader):
        name = target.rpartition(".")[2]
        if (
            isinstance(node, cst.ImportFrom)
            and _CUDA_MODULE.fullmatch(name)
            and reader.is_open(target)
            and not _is_known(reader, target)
            and _used_as_module(reader, target)
        ):
            yield Spot(node, place, target, is_import=True)


@detector("package-binding")
def package_binding(reader: Reader, _: Contexts) -> Iterator[Spot]:
    """Yield imports of a package's own `_C`, in any spelling."""
    for node, target, place in _imports(reader):
        parts = target.split(".")
        found = next((place for place, part in enumerate(parts) if part in BINDINGS), 0)
        if not found and _called(node, parts[-1]) in BINDINGS:
            found = len(parts) - 1  # `from package import csrc as _C`
        if not found or not reader.is_open(target):
            continue
        module = ".".join(parts[: found + 1])
        if not _is_known(reader, module):
            doubt: Confidence | None = "low" if _may_be_variable(node, target) else None
            yield Spot(node, place, module, doubt, is_import=True)


def _called(node: cst.CSTNode, name: str) -> str:
    """What an import calls the member that it brings."""
    if not isinstance(node, cst.ImportFrom) or isinstance(node.names, cst.ImportStar):
        return ""
    for alias in node.names:
        if dotted(alias.name) == name and alias.asname is not None:
            return dotted(alias.asname.name) or ""
    return ""


def _may_be_variable(node: cst.CSTNode, target: str) -> bool:
    """Whether `from .backend import _C` may bring a variable of a module that loads the binding."""
    if not isinstance(node, cst.ImportFrom) or target.rpartition(".")[2] not in BINDINGS:
        return False
    source = import_name(node)
    names = source.strip(".").split(".")
    return len(names) > 1 or (source.startswith(".") and names != [""])


def _imports(reader: Reader) -> Iterator[tuple[cst.CSTNode, str, Place]]:
    """Import statements, each with the names that it brings, and imports by a string."""
    for node, target, place in reader.model.imports:
        yield import_statement(node, place) or node, target, place
    for call, name in reader.model.importing:
        yield call, name, reader.model.places[call]


def _module_of(node: cst.CSTNode, target: str) -> str:
    return import_name(node) if isinstance(node, cst.ImportFrom) else target


def _is_known(reader: Reader, target: str) -> bool:
    """Whether another module of the tree told what the name is: a value, hence no extension."""
    values = reader.expand(Ref(target, open=True))
    return any(not (isinstance(value, Ref) and value.name == target) for value in values)


def _used_as_module(reader: Reader, target: str) -> bool:
    """Whether a member of the imported name is called."""
    return any(
        isinstance(call.func, cst.Attribute)
        and any(
            isinstance(value, Ref) and value.name == target
            for value in reader.values(call.func.value)
        )
        for call in reader.model.calls
    )
