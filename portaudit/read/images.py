"""References to container images: `registry/repository:tag@digest`, wherever a file has one."""

from __future__ import annotations

import re

from portaudit.read.items import Item
from portaudit.types import Span

_REFERENCE = re.compile(
    r"(?:docker://|oci://|dockerd://)?"
    r"(?P<name>[a-z0-9$\{][\w.$\{\}-]*(?::\d+(?=/))?(?:[/#][\w.$\{\}-]+)*)"
    r"(?::(?P<tag>[\w$\{][\w.$\{\}:-]*))?(?:@sha256:[0-9a-f]+)?",
    re.IGNORECASE,
)
_HUBS = ("docker.io/library/", "index.docker.io/", "registry-1.docker.io/", "docker.io/")


def image(reference: str, span: Span, scope: str = "") -> Item | None:
    """An image reference as an item: its name without the default registry, its tag as value."""
    found = _REFERENCE.fullmatch(reference.strip())
    if not found:
        return None
    name = found["name"].replace("#", "/")  # enroot writes registry#repository
    for hub in _HUBS:
        name = name.removeprefix(hub)
    return Item("image", name, span, found["tag"] or "", scope=scope)


def is_reference(text: str) -> bool:
    """Whether a word that may be anything is certainly meant as an image: it has a tag or a host.

    `nvidia/cuda:12.1.0-base` and `nvcr.io/nvidia/pytorch` are, `data/train` and `8080:80` are not.
    """
    found = _REFERENCE.fullmatch(text.strip())
    if not found or not re.search(r"[/#]", found["name"]):
        return False
    host = re.split(r"[/#]", found["name"], maxsplit=1)[0]
    return bool(found["tag"]) or "://" in text or ("." in host and "$" not in host)
