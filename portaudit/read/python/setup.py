"""What Python code requires and makes: what setuptools' `setup()` is given, what code installs.

Lists are followed through names, sums and what is appended. What the script reads from files or
makes at run time is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

import libcst as cst
from msgspec import Struct

from portaudit.read.items import Item
from portaudit.read.launches import declared, entry_point
from portaudit.read.python.lists import inside, strings
from portaudit.read.python.model import Scope
from portaudit.read.python.nodes import last_name, string_value
from portaudit.read.python.sources import written
from portaudit.read.python.values import LocalFunction, LocalText, Reader, argument
from portaudit.types import Span

SETUP = frozenset(
    {"setuptools.setup", "distutils.core.setup", "skbuild.setup", "numpy.distutils.core.setup"}
)
_EXTENSION = b"Extension"
_MAKING = "torch.utils.cpp_extension.CUDAExtension"
_MADE = "Extension"
"""How the names of all classes end that build scripts make extensions of."""
_DEEPEST = 3
"""Functions of a script that call one another to make an extension."""
_LISTS = ("install_requires", "setup_requires")
_TESTS = "tests_require"
_SECTION = re.compile(r"\s*\[\s*([\w.-]+)\s*\]\s*")

INSTALLING = (b"install", b"runtime_env", b"_packages", b"/// script", b"from_registry")
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
    if any(word in reader.source.content for word in INSTALLING):
        # It knows how shell code and manifests are read, which most files can do without.
        from portaudit.read.python.packages import installed  # noqa: PLC0415

        yield from installed(reader)


def _required(reader: Reader) -> Iterator[Item]:
    """The requirements of `setup()`, each once."""
    seen: set[tuple[cst.CSTNode, str]] = set()
    for call in reader.calls_of(SETUP):
        from portaudit.read.specifiers import Origin, python  # noqa: PLC0415 - it loads packaging

        for listed in _given(reader, call):
            if (listed.node, listed.extra) not in seen:
                seen.add((listed.node, listed.extra))
                yield from _item(reader, listed)
        for text in reader.texts(argument(call, ("python_requires",)).value):
            if isinstance(text, LocalText) and text.exact:
                line, column = inside(reader, text.node)
                span = Span(line, column, line, column + len(text.value))
                yield python(text.value, span, Origin("manifest", reader.source.path))


def made(reader: Reader) -> Iterator[Item]:
    """What `setup()` makes: the project, its commands by their entry points and as files."""
    if b"setup" not in reader.source.content:
        return
    for call in reader.calls_of(SETUP):
        yield Item("project", "", reader.span(call))
        yield from _entry_points(reader, argument(call, ("entry_points",)).value)
        yield from _packages(reader, argument(call, ("package_dir",)).value)
        for node in strings(reader, argument(call, ("scripts",)).value):
            text = string_value(node)
            if text and text[1]:
                yield Item("script", basename(text[0]), reader.span(node), text[0])


def builds(reader: Reader) -> tuple[str, ...]:
    """Names of modules that a script builds for CUDA, as far as it writes them.

    With a `!` in front those that it builds otherwise, or may: `extension = CppExtension` that is
    replaced where CUDA is. A function of the script may do it, and be given a name:
    `make_ext(name="ops_cuda", sources=[...])`.
    """
    if _EXTENSION not in reader.source.content:
        return ()
    cuda: set[str] = set()
    other: set[str] = set()
    for call in reader.model.calls:
        makes = _makes(reader, call)
        if not makes:
            continue
        is_own = any(isinstance(value, LocalFunction) for value in reader.values(call.func))
        names = set(_names(reader, argument(call, ("name",) if is_own else ("name", 0)).value))
        if makes == {_MAKING}:
            cuda |= names
        else:
            other |= names
            other.update(name for each in call.args for name in _names(reader, each.value))
    return tuple(sorted({*cuda, *(f"!{name}" for name in other)}))


def _makes(reader: Reader, call: cst.Call, depth: int = 0) -> set[str]:
    """What makes extensions that a call is of, or that a function of the script calls."""
    found = {ref.name for ref in reader.refs(call.func) if ref.name.endswith(_MADE)}
    for value in reader.values(call.func) if depth < _DEEPEST else ():
        if isinstance(value, LocalFunction):
            for inner in reader.model.calls:
                if _is_in(value.scope, reader.scope_of(inner)):
                    found |= _makes(reader, inner, depth + 1)
    return found


def _is_in(outer: Scope, scope: Scope | None) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer


def _names(reader: Reader, node: cst.BaseExpression | None) -> Iterator[str]:
    for text in reader.texts(node):
        if isinstance(text, LocalText) and text.exact:
            yield text.value


def _packages(reader: Reader, node: cst.BaseExpression | None) -> Iterator[Item]:
    """Where packages are, by a dictionary."""
    nodes = [node]
    if isinstance(node, cst.Name):
        nodes = [binding.value for binding in reader.bindings(node)]
    for each in nodes:
        for element in each.elements if isinstance(each, cst.Dict) else ():
            if isinstance(element, cst.DictElement):
                name, folder = string_value(element.key), string_value(element.value)
                if name and folder:
                    yield Item("package", name[0], reader.span(element.key), folder[0])


def _entry_points(reader: Reader, node: cst.BaseExpression | None) -> Iterator[Item]:
    """Entry points by group: a dictionary, or a text in the manner of INI files."""
    nodes = [node]
    if isinstance(node, cst.Name):
        nodes = [binding.value for binding in reader.bindings(node)]
        for key, bindings in reader.model.members.items():
            if key.startswith(f"{node.value}["):
                for binding in bindings:
                    yield from _declared(reader, binding.value, key[len(node.value) + 1 : -1])
    for each in nodes:
        if isinstance(each, cst.Dict):
            for element in each.elements:
                named = string_value(element.key) if isinstance(element, cst.DictElement) else None
                if named:
                    yield from _declared(reader, element.value, named[0])
        elif isinstance(each, cst.Call) and last_name(each.func) == "dict":
            for given in each.args:
                if given.keyword is not None:
                    yield from _declared(reader, given.value, given.keyword.value)
        elif each is not None and string_value(each) is not None:
            yield from _declared(reader, each)


def _declared(reader: Reader, node: cst.BaseExpression | None, group: str = "") -> Iterator[Item]:
    """The entry points of a list of lines, or of one text, of a group or in sections for each."""
    for each in strings(reader, node):
        section = group
        if string_value(each) is None:
            continue
        text = written(reader, each)
        for row, line in enumerate(text.lines):
            head = _SECTION.fullmatch(line)
            section = head[1] if head else section
            if head or line.lstrip().startswith(("#", ";")) or not section:
                continue
            found = declared(line, Span(*text.place(row, 0), *text.place(row, len(line))))
            if found:
                yield entry_point(section, found)


def _given(reader: Reader, call: cst.Call) -> Iterator[_Listed]:
    for name in _LISTS:
        for node in strings(reader, argument(call, (name,)).value):
            yield _Listed(node)
    tests = argument(call, (_TESTS,))
    for node in strings(reader, tests.value):
        yield _Listed(node, _TESTS, tests.node)
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
    from portaudit.read.specifiers import (  # noqa: PLC0415 - it loads packaging
        Origin,
        optional,
        requirement,
    )

    origin = Origin("manifest", reader.source.path)
    if listed.key is not None:
        kind = "" if listed.extra == _TESTS else "extra"
        origin = optional(origin, listed.extra, reader.proof(listed.key), kind)
    written, exact = text
    if not exact:  # a formatted version: only the name is known
        written = written.rstrip("<>=!~ ")
    found = requirement(written.strip(), *inside(reader, listed.node), origin)
    if found:
        yield found
