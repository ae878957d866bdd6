"""Reads CUDA and C++: kernels, libraries of NVIDIA, CUDA's own interfaces, bindings to Python.

Code of another vendor alone (HIP) is passed over, as are branches that are built for one. Items
are of the form `kernels` in a file that defines some, else `host`.
"""

from __future__ import annotations

from posixpath import basename

from portaudit.read.items import Document, Item
from portaudit.read.native.bindings import registered
from portaudit.read.native.inventory import Inventory
from portaudit.read.native.loose import loose
from portaudit.read.native.macros import kernel_macros
from portaudit.read.native.mentions import is_hip, mentions, opened
from portaudit.read.native.structure import structure
from portaudit.read.native.tokens import Tokens, tokens
from portaudit.read.text import Text
from portaudit.types import Kernel, NativeFacts

_NVCC = (".cu", ".cuh")
_SOURCES = (".cu", ".cpp", ".cc", ".cxx", ".c++")
"""What is compiled by itself, and may be included all the same."""
KERNELS, HOST = ("kernels",), ("host",)


def read(text: Text) -> Document:
    """A file of native code as a document."""
    return code(text, nvcc=text.path.lower().endswith(_NVCC))


def code(text: Text, *, nvcc: bool) -> Document:
    """Native code as a document; `nvcc`: nothing but nvcc compiles it."""
    if text.path.lower().endswith(".hip"):
        return Document()
    found = tokens(text, nvcc=nvcc)
    if is_hip(found):
        return Document()
    definitions = structure(found, kernel_macros(found))
    inventory = Inventory(found, definitions, opened(found))
    kernels, items = _kernels(found, inventory)
    bindings = registered(found, inventory)
    forms = KERNELS if kernels else HOST
    items.extend(mentions(found, inventory, bindings, forms))
    devices = {each.function: each.device for each in bindings.bound if each.device}
    return Document(
        tuple(sorted(items, key=lambda item: item.span)),
        tuple(kernels),
        NativeFacts(
            (*inventory.functions(devices), *bindings.functions),
            tuple(bindings.bound),
            tuple(inventory.on_device()),
            loose=loose(found, inventory, bindings),
            includes=tuple(
                basename(each.name) for each in found.headers if each.name.endswith(_SOURCES)
            ),
        ),
    )


def _kernels(found: Tokens, inventory: Inventory) -> tuple[list[Kernel], list[Item]]:
    kernels: list[Kernel] = []
    items: list[Item] = []
    for definition, kernel in inventory.kernels():
        if definition.defined_at is not None:
            start, end = definition.defined_at.start, definition.defined_at.end
        else:
            start, end = found.starts[definition.at], found.end(definition.at)
        guard, proof = found.guard(start, kernel=True)
        kernels.append(kernel)
        items.append(
            Item(
                "kernel",
                kernel.name,
                found.span(start, end),
                kernel.language,
                scope=definition.scope,
                forms=KERNELS,
                guard=guard,
                guard_by=proof,
            )
        )
    return kernels, items
