"""Every reader but Python's, by kind of file. Each is loaded when the first such file is read."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from portaudit.read.items import Document, Item
from portaudit.read.text import Text
from portaudit.types import FileKind, NativeFacts

Reader = Callable[[Text], Document]

_MODULES: Mapping[FileKind, tuple[str, ...]] = {
    "shell": ("shell",),
    "native": ("native",),
    "docker": ("docker",),
    "make": ("make",),
    "cmake": ("cmake",),
    "hcl": ("hcl",),
    "gin": ("gin",),
    "yaml": ("yaml", "conda"),
    "json": ("json", "manifests"),
    "toml": ("toml", "manifests"),
    "requirements": ("requirements",),
    "markdown": ("markdown",),
    "ini": ("ini",),
}
"""The modules under `portaudit.read` that read a kind; each has a function `read`."""


def read(kind: FileKind, text: Text) -> Document:
    """A file as a document. What cannot be read is in its errors, never raised."""
    return _joined([_reader(module)(text) for module in _MODULES[kind]])


def _reader(module: str) -> Reader:
    reader: Reader = importlib.import_module(f"portaudit.read.{module}").read
    return reader


def _joined(documents: Sequence[Document]) -> Document:
    """What several readers found in one file, in the order of the file."""
    if len(documents) == 1:
        return documents[0]
    items: list[Item] = []
    for document in documents:
        above = max((item.group for item in items), default=-1) + 1
        items += (replace(item, group=item.group + above) for item in document.items)
    return Document(
        tuple(sorted(items, key=lambda item: item.span)),
        tuple(kernel for document in documents for kernel in document.kernels),
        NativeFacts(
            tuple(each for document in documents for each in document.native.functions),
            tuple(each for document in documents for each in document.native.bound),
            tuple(each for document in documents for each in document.native.on_device),
            loose=tuple(each for document in documents for each in document.native.loose),
        ),
        tuple(error for document in documents for error in document.errors),
    )
