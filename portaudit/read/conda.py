"""Reads what conda files require: environments, recipes, and the lock file of Pixi.

Whether the YAML is sound is for the reader of settings, whose trees are walked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from portaudit.read import yaml
from portaudit.read.items import Document, Item
from portaudit.read.manifests import inside
from portaudit.read.requirements import requirements
from portaudit.read.settings import Branch, Leaf, Listing, Node
from portaudit.read.specifiers import CHANNEL, Origin, of_conda, package, requirement
from portaudit.read.templates import MASK
from portaudit.read.text import Text

_ENVIRONMENT = re.compile(r"^dependencies:", re.MULTILINE)
_RECIPE = re.compile(r"(?:meta|recipe)\.ya?ml")
_ELSEWHERE = re.compile(r"#\s*\[\s*(?:win|osx|not linux)")
"""The selector of a recipe's line that does not hold on Linux."""
_ARCHIVE = re.compile(r"\.(?:conda|tar\.bz2)$")
_SECTIONS = frozenset({"build", "host", "run"})


def read(text: Text) -> Document:
    """A conda file as a document; any other YAML holds nothing."""
    name = basename(text.path)
    locked, recipe = name == "pixi.lock", bool(_RECIPE.fullmatch(name))
    if not locked and not recipe and not _ENVIRONMENT.search(text.text):
        return Document()
    root = yaml.tree(text)
    if not isinstance(root, Branch):
        return Document()
    if locked:
        return Document(tuple(_locked(text, root)))
    return Document(tuple(_recipe(text, root) if recipe else _environment(text, root)))


def _environment(text: Text, root: Branch) -> Iterator[Item]:
    origin = Origin("manifest", text.path)
    for key, value in root.entries:
        if key.text == "channels":
            for each in _leaves(value):
                yield package(CHANNEL, each.text, inside(text, each), origin)
        elif key.text == "dependencies" and isinstance(value, Listing):
            for node in value.elements:
                if isinstance(node, Leaf):
                    yield from of_conda(node.text, inside(text, node), origin)
                elif isinstance(node, Branch):
                    listed = (inner for name, inner in node.entries if name.text == "pip")
                    yield from (item for inner in listed for item in _pip(text, inner, origin))


def _pip(text: Text, listed: Node, origin: Origin) -> Iterator[Item]:
    """Lines as in a requirements file."""
    for each in _leaves(listed):
        where = inside(text, each)
        if each.text.startswith("-"):
            piece = Text(text.path, each.text, ((where.line, where.column),))
            yield from requirements(piece, origin)
        else:
            found = requirement(each.text.strip(), where.line, where.column, origin)
            if found:
                yield found


def _recipe(text: Text, root: Branch) -> Iterator[Item]:
    """A recipe of conda-build, with what its template language makes left out."""
    origin = Origin("manifest", text.path)
    outputs = (value for key, value in root.entries if key.text == "outputs")
    packages = [
        root,
        *(each for value in outputs if isinstance(value, Listing) for each in value.elements),
    ]
    for package_of in packages:
        for listed in _required(package_of):
            for each in _leaves(listed):
                written = each.text.partition(MASK)[0]
                if written.strip() and not _ELSEWHERE.search(text.line_at(each.at[0])):
                    yield from of_conda(written, inside(text, each), origin)


def _required(node: Node) -> Iterator[Node]:
    """The lists of requirements of a recipe, or of one of its outputs."""
    for key, value in node.entries if isinstance(node, Branch) else ():
        if key.text == "requirements":
            yield value
            for section, listed in value.entries if isinstance(value, Branch) else ():
                if section.text in _SECTIONS:
                    yield listed


def _locked(text: Text, root: Branch) -> Iterator[Item]:
    """The packages of Pixi's lock file, each at its address, which names it."""
    origin = Origin("lock", text.path)
    for key, listed in root.entries:
        for each in (
            listed.elements if key.text == "packages" and isinstance(listed, Listing) else ()
        ):
            for kind, value in each.entries if isinstance(each, Branch) else ():
                if not isinstance(value, Leaf):
                    continue
                where = inside(text, value)
                if kind.text == "conda":
                    file = _ARCHIVE.sub("", basename(value.text))
                    yield from of_conda("=".join(file.rsplit("-", 2)), where, origin)
                elif kind.text == "pypi":
                    found = requirement(value.text, where.line, where.column, origin)
                    if found:
                        yield found


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Listing):
        yield from (each for each in node.elements if isinstance(each, Leaf))
