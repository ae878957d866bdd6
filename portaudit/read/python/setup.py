"""What Python code requires: the lists given to setuptools' `setup()`, and what it installs.

Lists are followed through names, sums and what is appended. What the script reads from files or
makes at run time is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from msgspec import Struct

from portaudit.read.items import Item
from portaudit.read.python.lists import inside, strings
from portaudit.read.python.nodes import string_value
from portaudit.read.python.values import LocalText, Reader, argument
from portaudit.read.specifiers import Origin, python, requirement
from portaudit.types import Span

SETUP = frozenset(
    {"setuptools.setup", "distutils.core.setup", "skbuild.setup", "numpy.distutils.core.setup"}
)
_LISTS = ("install_requires", "setup_requires")

_INSTALLING = (b"install", b"runtime_env", b"_packages", b"/// script", b"from_registry")
"""What a file says that installs packages."""


class _Listed(Struct, frozen=True):
    """A requirement string, and the extra that it belongs to with the node that names it."""

    node: cst.BaseExpression
    extra: str = ""
    key: cst.CSTNode | None = None


def dependencies(reader: Reader) -> Iterator[Item]:
    """The requirements that a file gives to `setup()`, or to what installs them."""
    if b"setup" in reader.source.content:
        yield from _required(reader)
    if any(word in reader.source.content for word in _INSTALLING):
        # It knows how shell code and manifests are read, which most files can do without.
        from portaudit.read.python.packages import installed  # noqa: PLC0415

        yield from installed(reader)


def _required(reader: Reader) -> Iterator[Item]:
    """The requirements of `setup()`, each once."""
    seen: set[tuple[cst.CSTNode, str]] = set()
    for call in reader.model.calls:
        if not any(ref.name in SETUP for ref in reader.refs(call.func)):
            continue
        for listed in _given(reader, call):
            if (listed.node, listed.extra) not in seen:
                seen.add((listed.node, listed.extra))
                yield from _item(reader, listed)
        for text in reader.texts(argument(call, ("python_requires",)).value):
            if isinstance(text, LocalText) and text.exact:
                line, column = inside(reader, text.node)
                span = Span(line, column, line, column + len(text.value))
                yield python(text.value, span, Origin("manifest", reader.source.path))


def _given(reader: Reader, call: cst.Call) -> Iterator[_Listed]:
    for name in _LISTS:
        for node in strings(reader, argument(call, (name,)).value):
            yield _Listed(node)
    tests = argument(call, ("tests_require",))
    for node in strings(reader, tests.value):
        yield _Listed(node, "tests_require", tests.node)
    yield from _extras(reader, argument(call, ("extras_require",)).value)


def _extras(reader: Reader, node: cst.BaseExpression | None) -> Iterator[_Listed]:
    """The requirements of a dictionary of extras, and of what is added to it by its keys."""
    if isinstance(node, cst.Name):
        for binding in reader.bindings(node):
            if isinstance(binding.value, cst.Dict):
                yield from _extras(reader, binding.value)
        for key, bindings in reader.model.members.items():
            if key.startswith(f"{node.value}[") and key.endswith("]"):
                for binding in bindings:
                    extra = key[len(node.value) + 1 : -1]
                    for each in strings(reader, binding.value):
                        yield _Listed(each, extra, binding.node)
    elif isinstance(node, cst.Dict):
        for element in node.elements:
            named = string_value(element.key) if isinstance(element, cst.DictElement) else None
            if isinstance(element, cst.DictElement) and named:
                for each in strings(reader, element.value):
                    yield _Listed(each, named[0], element.key)


def _item(reader: Reader, listed: _Listed) -> Iterator[Item]:
    text = string_value(listed.node)
    if text is None:
        return
    origin = Origin("manifest", reader.source.path)
    if listed.key is not None:
        origin = Origin(
            "manifest", reader.source.path, listed.extra, "guarded", reader.proof(listed.key)
        )
    written, exact = text
    if not exact:  # a formatted version: only the name is known
        written = written.rstrip("<>=!~ ")
    found = requirement(written.strip(), *inside(reader, listed.node), origin)
    if found:
        yield found
