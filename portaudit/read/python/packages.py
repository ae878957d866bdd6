"""Packages that Python code installs: commands in strings, and what platforms are told to install.

`subprocess.run([sys.executable, "-m", "pip", "install", "x"])`, `os.system("pip install x")`, Ray's
runtime environments, Modal's images, components of Kubeflow and Flyte, and the comment of PEP 723.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import libcst as cst
from msgspec.structs import replace

from portaudit.read.images import image
from portaudit.read.installs import installs
from portaudit.read.items import Item, Part
from portaudit.read.manifests import inline_script
from portaudit.read.python.lists import inside, strings
from portaudit.read.python.nodes import string_value
from portaudit.read.python.sources import PLACEHOLDER, written
from portaudit.read.python.values import Reader, argument
from portaudit.read.shell import script
from portaudit.read.specifiers import INDEX, Origin, of_conda, package, requirement
from portaudit.read.text import Text
from portaudit.types import Span

_RUNNING = frozenset(
    {
        "os.system",
        "os.popen",
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
    }
)
"""Functions that run the command which they are given first."""
_METHODS: Mapping[str, str] = {
    "pip_install": "pip",
    "uv_pip_install": "pip",
    "micromamba_install": "conda",
    "conda_install": "conda",
    "run_commands": "shell",
    "system": "shell",
}
"""What the arguments of a method are: of Modal's images, and of IPython's shell."""
_RECEIVERS: Mapping[str, bytes] = {"system": b"get_ipython", "run_commands": b"modal"}
"""What a file says if a method with a plain name is the one that is meant."""
_LISTED: Mapping[str, str] = {
    "packages_to_install": "pip",
    "pip_packages": "pip",
    "conda_packages": "conda",
}
"""Keywords of any call whose value is a list of packages (Kubeflow, Azure, Flyte)."""
_IMAGES: frozenset[str] = frozenset({"from_registry"})
_COMMENT = re.compile(r"(?m)^# /// script[ \t]*$\n(?P<content>(?:^#(?:| .*)$\n)*?)^# ///[ \t]*$")
_FILES = (".txt", ".yml", ".yaml", ".toml")
"""A file of packages instead of one of them."""
_UNKNOWN = PLACEHOLDER.lower()
_ORIGIN = Origin("command")


def installed(reader: Reader) -> Iterator[Item]:
    """The packages that a file's code installs, and those that its comment asks for."""
    if b"/// script" in reader.source.content:
        yield from _commented(reader)
    seen: set[tuple[str, str, Span]] = set()
    for call in reader.model.calls:
        for item in _asked(reader, call):
            if (item.kind, item.name, item.span) not in seen:
                seen.add((item.kind, item.name, item.span))
                yield item


def _commented(reader: Reader) -> Iterator[Item]:
    source = "\n".join(reader.lines)
    found = _COMMENT.search(source + "\n")
    if found is None:
        return
    first = source.count("\n", 0, found.start("content")) + 1
    lines = [line[2:] for line in found["content"].split("\n")[:-1]]
    starts = tuple((first + down, 3) for down in range(len(lines)))
    if lines:
        yield from inline_script(Text(reader.source.path, "\n".join(lines), starts))


def _asked(reader: Reader, call: cst.Call) -> Iterator[Item]:
    """What one call installs."""
    name = _called(call)
    sort = _METHODS.get(name) if isinstance(call.func, cst.Attribute) else None
    meant = _RECEIVERS.get(name)
    if sort and (meant is None or meant in reader.source.content):
        for given in call.args:
            if given.keyword is None:
                yield from _listed(reader, given.value, sort)
            elif given.keyword.value in {"index_url", "extra_index_url", "find_links"}:
                yield from _indexes(reader, given.value)
    elif name in _IMAGES and b"modal" in reader.source.content:
        yield from _image(reader, argument(call, (0,)).value)
    elif name in _RUN_NAMES and any(ref.name in _RUNNING for ref in reader.refs(call.func)):
        yield from _run(reader, argument(call, (0, "args", "command", "cmd")).value)
    for given in call.args:
        if given.keyword is not None and given.keyword.value in _LISTED:
            yield from _listed(reader, given.value, _LISTED[given.keyword.value])
        elif given.keyword is not None and given.keyword.value == "runtime_env":
            yield from _environment(reader, given.value)


_RUN_NAMES = frozenset(name.rpartition(".")[2] for name in _RUNNING)


def _called(call: cst.Call) -> str:
    """The last part of what a call calls, whatever it is taken from."""
    function = call.func
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def _run(reader: Reader, node: cst.BaseExpression | None) -> Iterator[Item]:
    """The packages that a command installs, given as a string or as its words."""
    if isinstance(node, cst.Name):
        values = [binding.value for binding in reader.bindings(node)]
        node = values[0] if len(values) == 1 and values[0] is not None else node
    if isinstance(node, cst.Call) and _called(node) == "split":
        if node.args:
            node = node.args[0].value  # shlex.split("…")
        elif isinstance(node.func, cst.Attribute):
            node = node.func.value
    if isinstance(node, (cst.List, cst.Tuple)):
        parts = [_word(reader, each.value) for each in node.elements]
        yield from installs(parts)
    elif node is not None and string_value(node) is not None:
        yield from _shell(reader, node)


def _word(reader: Reader, node: cst.BaseExpression) -> Part:
    text = string_value(node)
    if text is None:
        python = reader.name(node) == "sys.executable"
        return Part("python" if python else "$", reader.span(node))
    line, column = inside(reader, node)
    value = text[0] if text[1] else f"{text[0]}$"
    return Part(value, Span(line, column, line, column + len(text[0])))


def _shell(reader: Reader, node: cst.BaseExpression) -> Iterator[Item]:
    found = script(written(reader, node))
    return (item for item in found if item.kind == "dependency" and item.name != _UNKNOWN)


def _listed(reader: Reader, node: cst.BaseExpression, sort: str) -> Iterator[Item]:
    """Packages or commands of a list, or of one string."""
    for each in strings(reader, node):
        text = string_value(each)
        if text is None or text[0].endswith(_FILES):
            continue
        line, column = inside(reader, each)
        if sort == "shell":
            yield from _shell(reader, each)
        elif sort == "conda":
            span = Span(line, column, line, column + len(text[0]))
            yield from of_conda(text[0], span, _ORIGIN)
        else:
            found = requirement(text[0].strip(), line, column, _ORIGIN)
            if found is not None:
                yield found


def _indexes(reader: Reader, node: cst.BaseExpression) -> Iterator[Item]:
    for each in strings(reader, node):
        text = string_value(each)
        if text is not None:
            line, column = inside(reader, each)
            span = Span(line, column, line, column + len(text[0]))
            yield package(INDEX, text[0], span, _ORIGIN)


def _image(reader: Reader, node: cst.BaseExpression | None) -> Iterator[Item]:
    text = string_value(node) if node is not None else None
    if node is not None and text is not None and text[1]:
        line, column = inside(reader, node)
        found = image(text[0], Span(line, column, line, column + len(text[0])), "")
        if found is not None:
            yield replace(found, forms=())


def _environment(reader: Reader, node: cst.BaseExpression | None) -> Iterator[Item]:
    """Ray's runtime environment: `{"pip": [...], "conda": {"dependencies": [...]}}`."""
    for key, value in _entries(reader, node):
        if key in {"pip", "uv"}:
            listed = dict(_entries(reader, value)).get("packages", value)
            yield from _listed(reader, listed, "pip")
        elif key == "conda":
            for word, inner in _entries(reader, value):
                if word == "dependencies":
                    yield from _conda(reader, inner)


def _conda(reader: Reader, node: cst.BaseExpression) -> Iterator[Item]:
    yield from _listed(reader, node, "conda")
    for each in node.elements if isinstance(node, cst.List) else ():
        for word, inner in _entries(reader, each.value):
            if word == "pip":
                yield from _listed(reader, inner, "pip")


def _entries(
    reader: Reader, node: cst.BaseExpression | None
) -> Iterator[tuple[str, cst.BaseExpression]]:
    """The entries of a dictionary, or of the one that a name stands for."""
    nodes = [node]
    if isinstance(node, cst.Name):
        nodes = [binding.value for binding in reader.bindings(node)]
    for each in nodes:
        for element in each.elements if isinstance(each, cst.Dict) else ():
            key = string_value(element.key) if isinstance(element, cst.DictElement) else None
            if isinstance(element, cst.DictElement) and key:
                yield key[0], element.value
        if isinstance(each, cst.Call) and _called(each) in {"dict", "RuntimeEnv"}:
            for given in each.args:
                if given.keyword is not None:
                    yield given.keyword.value, given.value
