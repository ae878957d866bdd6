"""Reads what TOML and JSON manifests require and make: pyproject.toml, Pipfile, lock files.

Every place where PEP 621, PEP 735, Poetry, uv, PDM, Pixi, Hatch and Flit keep packages is known
here. Whether the syntax is sound is for the readers of settings, whose trees are walked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import basename
from types import MappingProxyType

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from portaudit.read import json, toml
from portaudit.read.items import Document, Item
from portaudit.read.launches import CONSOLE, entry_point
from portaudit.read.settings import Branch, Leaf, Listing, Node
from portaudit.read.specifiers import (
    CHANNEL,
    INDEX,
    Origin,
    at_key,
    from_poetry,
    of_conda,
    optional,
    package,
    python,
    requirement,
)
from portaudit.read.text import Text
from portaudit.types import Span

_LOCK = re.compile(r"(?:uv|poetry|pdm)\.lock|pylock(?:\.[^.]+)?\.toml")
_PROJECT = re.compile(r"pyproject[^/]*\.toml")
_ELSEWHERE = re.compile(r"win|osx|macos")
"""Platforms of Pixi that no Trainium host is."""


def read(text: Text) -> Document:
    """A TOML or JSON manifest as a document; any other file of that kind holds nothing."""
    name = basename(text.path)
    if name == "Pipfile.lock":
        return Document(tuple(_pipfile_lock(text, json.tree(text))))
    if not (name in {"Pipfile", "pixi.toml"} or _LOCK.fullmatch(name) or _PROJECT.fullmatch(name)):
        return Document()
    root = toml.tree(text)
    if _LOCK.fullmatch(name):
        return Document(tuple(_Manifest(text, "lock").locked(root)))
    manifest = _Manifest(text)
    if name == "Pipfile":
        return Document(tuple(manifest.pipfile(root)))
    return Document(tuple(manifest.pixi(root) if name == "pixi.toml" else manifest.pyproject(root)))


def inline_script(text: Text) -> Iterator[Item]:
    """What a script says of itself in a comment (PEP 723): its packages, Python and indexes."""
    yield from _Manifest(text).inline(toml.tree(text))


def _pipfile_lock(text: Text, root: Node | None) -> Iterator[Item]:
    for section, packages in _entries(root):
        origin = Origin("lock", text.path)
        if section.text == "develop":
            origin = optional(origin, section.text, text.proof(section.at[0]))
        elif section.text != "default":
            continue
        for key, given in _entries(packages):
            yield package(key.text, _string(given, "version"), inside(text, key), origin)


class _Manifest:
    """One TOML file."""

    def __init__(self, text: Text, form: str = "manifest") -> None:
        self.text = text
        self.form = form

    def pyproject(self, root: Branch) -> Iterator[Item]:
        """All tables of a pyproject.toml that name packages, and the commands that it makes."""
        plain = self._origin()
        yield from self._listed(_at(root, "project", "dependencies"), plain)
        yield from self._python(_at(root, "project", "requires-python"))
        yield from self._groups(_at(root, "project", "optional-dependencies"), "extra")
        build = Origin(self.form, self.text.path, "build")
        yield from self._listed(_at(root, "build-system", "requires"), build)
        tool, groups = _at(root, "tool"), _at(root, "dependency-groups")
        default = _default_groups(groups, _at(tool, "uv", "default-groups"))
        yield from self._groups(groups, "group", default)
        yield from self._poetry(_at(tool, "poetry"))
        yield from self._uv(_at(tool, "uv"), default)
        yield from self._groups(_at(tool, "pdm", "dev-dependencies"), "group")
        yield from self._indexes(_at(tool, "pdm", "source"))
        yield from self.pixi(_at(tool, "pixi"))
        for name, environment in _entries(_at(tool, "hatch", "envs")):
            origin = self._origin(name, "environment")
            for listed in ("dependencies", "extra-dependencies"):
                yield from self._listed(_at(environment, listed), origin)
        flit = _at(tool, "flit", "metadata")
        yield from self._project(
            _at(root, "project", "name"), _at(tool, "poetry", "name"), _at(flit, "module")
        )
        yield from self._listed(_at(flit, "requires"), plain)
        yield from self._python(_at(flit, "requires-python"))
        yield from self._groups(_at(flit, "requires-extra"), "extra")
        for table in (
            _at(root, "project", "scripts"),
            _at(root, "project", "gui-scripts"),
            _at(root, "project", "entry-points", "console_scripts"),
            _at(tool, "poetry", "scripts"),
            _at(tool, "flit", "scripts"),
        ):
            yield from self._scripts(table)
        for places in (("project", "entry-points"), ("tool", "poetry", "plugins")):
            for group, table in _entries(_at(root, *places)):
                if group.text not in CONSOLE:
                    yield from self._scripts(table, group.text)
        for name, folder in _entries(_at(tool, "setuptools", "package-dir")):
            if isinstance(folder, Leaf):
                yield Item("package", name.text, inside(self.text, name), folder.text)
        for each in _elements(_at(tool, "setuptools", "script-files")):
            if isinstance(each, Leaf):
                yield Item("script", basename(each.text), inside(self.text, each), each.text)

    def _project(self, *names: Node | None) -> Iterator[Item]:
        """The project, by the first of some keys that names it. A file may set up tools alone."""
        for name in names:
            if isinstance(name, Leaf):
                yield Item("project", name.text, inside(self.text, name))
                return

    def _scripts(self, table: Node | None, group: str = "") -> Iterator[Item]:
        """Commands by name; of Poetry's the target may be a file, or stand in a table."""
        for key, value in _entries(table):
            target = value.text if isinstance(value, Leaf) else ""
            target = target or _string(value, "reference") or _string(value, "callable")
            if target:
                made = target.partition("[")[0].strip()
                yield entry_point(group, Item("script", key.text, inside(self.text, key), made))

    def inline(self, root: Branch) -> Iterator[Item]:
        """The comment of a script: a manifest's keys without a table."""
        yield from self._listed(_at(root, "dependencies"), self._origin())
        yield from self._python(_at(root, "requires-python"))
        yield from self._uv(_at(root, "tool", "uv"), frozenset())

    def pipfile(self, root: Branch) -> Iterator[Item]:
        """Pipenv's file."""
        for section, packages in _entries(root):
            if section.text == "packages":
                yield from self._keyed(packages, self._origin(), pinned=True)
            elif section.text == "dev-packages":
                yield from self._keyed(packages, self._origin(section), pinned=True)
        yield from self._indexes(_at(root, "source"))
        yield from self._python(_at(root, "requires", "python_version"))

    def locked(self, root: Branch) -> Iterator[Item]:
        """The packages of a lock file, each at its name. The project itself is none of them."""
        for table in (*_elements(_at(root, "package")), *_elements(_at(root, "packages"))):
            name, version = _at(table, "name"), _string(table, "version")
            source = _at(table, "source")
            local = _at(source, "editable") or _at(source, "virtual") or _at(table, "directory")
            if isinstance(name, Leaf) and not local:
                origin = self._if_optional(table, self._origin())
                value = f"=={version}" if version else ""
                yield package(name.text, value, inside(self.text, name), origin)

    def pixi(self, root: Node | None) -> Iterator[Item]:
        """Pixi's own file, or its table in pyproject.toml. Features are optional."""
        for workspace in ("project", "workspace"):
            for each in _elements(_at(root, workspace, "channels")):
                channel = _at(each, "channel") if isinstance(each, Branch) else each
                if isinstance(channel, Leaf) and channel.style:
                    where = inside(self.text, channel)
                    yield package(CHANNEL, channel.text, where, self._origin())
        yield from self._pixi(root, self._origin())
        for name, feature in _entries(_at(root, "feature")):
            yield from self._pixi(feature, self._origin(name, "feature"))

    def _pixi(self, table: Node | None, origin: Origin) -> Iterator[Item]:
        yield from self._conda(table, origin)
        for key, value in _entries(_at(table, "system-requirements")):
            if key.text == "cuda" and isinstance(value, Leaf):
                yield package("cuda-driver", at_key(value.text), inside(self.text, key), origin)
        for name, target in _entries(_at(table, "target")):
            elsewhere = _ELSEWHERE.match(name.text) and origin.guard == "none"
            yield from self._conda(target, self._elsewhere(name) if elsewhere else origin)

    def _conda(self, table: Node | None, origin: Origin) -> Iterator[Item]:
        for listed in ("dependencies", "host-dependencies", "build-dependencies"):
            for key, value in _entries(_at(table, listed)):
                version = value.text if isinstance(value, Leaf) else _string(value, "version")
                build = _string(value, "build")
                sign = f"={version.lstrip('=')}={build}" if build else version
                yield from of_conda(f"{key.text} {sign}", inside(self.text, key), origin)
        yield from self._keyed(_at(table, "pypi-dependencies"), origin, pinned=True)

    # --- what several tools share -----------------------------------------------------------------

    def _origin(self, key: Leaf | None = None, kind: str = "") -> Origin:
        """The origin of a list: one with a key is optional, and its key's line proves it."""
        origin = Origin(self.form, self.text.path)
        return optional(origin, key.text, self.text.proof(key.at[0]), kind) if key else origin

    def _elsewhere(self, platform: Leaf) -> Origin:
        """The origin of a list for a platform that no target is."""
        proof = self.text.proof(platform.at[0])
        return Origin(self.form, self.text.path, platform.text, "guarded", proof)

    def _if_optional(self, table: Node, origin: Origin, extra: str = "") -> Origin:
        """The origin of one package, which may say of itself that it is optional.

        `extra`: the one that installs it, if that is known.
        """
        said = _at(table, "optional")
        if origin.guard != "none" or not isinstance(said, Leaf) or said.value is not True:
            return origin
        found = optional(
            origin, extra or "an extra", self.text.proof(said.at[0]), "extra" if extra else ""
        )
        return replace(found, scope=origin.scope)

    def _listed(self, listed: Node | None, origin: Origin) -> Iterator[Item]:
        """An array of requirements as pip writes them."""
        for each in _elements(listed):
            if isinstance(each, Leaf) and each.style:
                where = inside(self.text, each)
                found = requirement(each.text.strip(), where.line, where.column, origin)
                if found:
                    yield found

    def _groups(
        self, groups: Node | None, kind: str, default: frozenset[str] = frozenset()
    ) -> Iterator[Item]:
        """Extras or groups, each an array. Those of `default` are installed unless refused."""
        for name, listed in _entries(groups):
            origin = self._origin(None if canonicalize_name(name.text) in default else name, kind)
            yield from self._listed(listed, origin)

    def _python(self, value: Node | None) -> Iterator[Item]:
        if isinstance(value, Leaf) and value.style:
            yield python(at_key(value.text), inside(self.text, value), self._origin())

    def _addresses(self, value: Node | None, origin: Origin) -> Iterator[Item]:
        """Addresses of indexes: one, or a list of them."""
        for each in [value] if isinstance(value, Leaf) else _elements(value):
            if isinstance(each, Leaf) and each.style:
                yield package(INDEX, each.text, inside(self.text, each), origin)

    def _indexes(self, several: Node | None) -> Iterator[Item]:
        for index in _elements(several):
            yield from self._addresses(_at(index, "url"), self._origin())

    def _poetry(self, poetry: Node | None) -> Iterator[Item]:
        extras: dict[str, str] = {
            canonicalize_name(each.text): extra.text
            for extra, listed in _entries(_at(poetry, "extras"))
            for each in _elements(listed)
            if isinstance(each, Leaf)
        }
        yield from self._keyed(_at(poetry, "dependencies"), self._origin(), extras)
        for name, group in _entries(_at(poetry, "group")):
            yield from self._keyed(_at(group, "dependencies"), self._origin(name, "group"))
        for key, packages in _entries(poetry):
            if key.text == "dev-dependencies":
                yield from self._keyed(packages, self._origin(key))
        yield from self._indexes(_at(poetry, "source"))

    def _keyed(
        self,
        packages: Node | None,
        origin: Origin,
        extras: Mapping[str, str] = MappingProxyType({}),
        *,
        pinned: bool = False,
    ) -> Iterator[Item]:
        """Names as keys. With `pinned`, versions are PEP 440's, else Poetry's own.

        `extras`: the extras that install optional packages, by their names.
        """
        for key, value in _entries(packages):
            extra = extras.get(canonicalize_name(key.text), "")
            for given in value.elements if isinstance(value, Listing) else [value]:
                if _at(given, "path") is None and _at(given, "workspace") is None:
                    version = given.text if isinstance(given, Leaf) else _string(given, "version")
                    specifier = at_key(version) if pinned else from_poetry(version)
                    yield self._named(
                        key, specifier, given, self._if_optional(given, origin, extra)
                    )

    def _named(self, key: Leaf, specifier: str, given: Node, origin: Origin) -> Item:
        """A package that a key names; an address, extras and a marker may stand in its table."""
        where = inside(self.text, key)
        address = _string(given, "git") or _string(given, "url") or _string(given, "hg")
        marker = _string(given, "markers") or _string(given, "marker")
        if key.text == "python" and not address:
            return python(specifier, where, origin)
        value = specifier
        if address:
            found = requirement(f"{key.text} @ {address}", where.line, where.column, origin)
            value = str(found.value) if found else f"@ {address}"
        if marker:
            marked = requirement(f"{key.text}; {marker}", where.line, where.column, origin)
            value = f"{value}; {marker}"
            if marked and marked.guard != origin.guard:
                origin = self._origin(key)
        extras = [each.text for each in _elements(_at(given, "extras")) if isinstance(each, Leaf)]
        return package(key.text, value, where, origin, extras)

    def _uv(self, uv: Node | None, default: frozenset[str]) -> Iterator[Item]:
        """The table of uv. Its sources say where packages come from, and require none."""
        for key, value in _entries(uv):
            if key.text == "dev-dependencies":
                yield from self._listed(value, self._origin(None if "dev" in default else key))
            elif key.text in {"constraint-dependencies", "override-dependencies"}:
                yield from self._listed(value, self._origin())
        for index in _elements(_at(uv, "index")):
            origin = self._origin(_only_optional(_at(uv, "sources"), index, default))
            yield from self._addresses(_at(index, "url"), origin)
        for settings in (uv, _at(uv, "pip")):
            for key_text in ("index-url", "extra-index-url", "find-links"):
                yield from self._addresses(_at(settings, key_text), self._origin())


def _default_groups(groups: Node | None, chosen: Node | None) -> frozenset[str]:
    """The groups that uv is told to install by default, with those that they include."""
    listed = {canonicalize_name(name.text): value for name, value in _entries(groups)}
    if isinstance(chosen, Leaf):
        return frozenset(listed) if chosen.text == "all" else frozenset()
    waiting = [each.text for each in _elements(chosen) if isinstance(each, Leaf)]
    found: set[str] = set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += [_string(each, "include-group") for each in _elements(listed.get(name))]
    return frozenset(found)


def _only_optional(sources: Node | None, index: Node, default: frozenset[str]) -> Leaf | None:
    """The extra or group of a uv source, if an index is for such sources alone.

    A group that is installed by default is not optional.
    """
    explicit = _at(index, "explicit")
    if not isinstance(explicit, Leaf) or explicit.value is not True:
        return None
    found: Leaf | None = None
    for _, value in _entries(sources):
        for source in value.elements if isinstance(value, Listing) else [value]:
            if _string(source, "index") == _string(index, "name"):
                asked = _at(source, "extra") or _at(source, "group")
                if not isinstance(asked, Leaf):
                    return None
                if not _at(source, "extra") and canonicalize_name(asked.text) in default:
                    return None
                found = asked
    return found


# --- trees ----------------------------------------------------------------------------------------


def inside(text: Text, leaf: Leaf) -> Span:
    """Where the text of a scalar stands, without its quotes."""
    row, column, end_row, end = leaf.at
    quotes = len(leaf.style) if leaf.style[:1] in {'"', "'"} else 0
    return Span(*text.place(row, column + quotes), *text.place(end_row, end - quotes))


def _entries(node: Node | None) -> list[tuple[Leaf, Node]]:
    return node.entries if isinstance(node, Branch) else []


def _elements(node: Node | None) -> list[Node]:
    return node.elements if isinstance(node, Listing) else []


def _at(node: Node | None, *keys: str) -> Node | None:
    """What stands under some keys."""
    for key in keys:
        node = next((value for each, value in _entries(node) if each.text == key), None)
    return node


def _string(node: Node | None, key: str) -> str:
    value = _at(node, key)
    return value.text if isinstance(value, Leaf) and value.style else ""
