"""Packages that a command installs: `pip install`, `conda install`, `uv add` and their like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import basename

from msgspec import Struct

from portaudit.read.items import Item, Part
from portaudit.read.specifiers import (
    CHANNEL,
    INDEX,
    Origin,
    from_poetry,
    of_conda,
    package,
    requirement,
)

_ORIGIN = Origin("command")
_PIP = re.compile(r"pip[\d.]*|\$[{(]?PIP\d?[)}]?")
_SHELL = re.compile(r"[;&|<>]|\d?>&?\d?")
"""What ends a command's words where no shell has read them (an argument list)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class _Installer(Struct, frozen=True):
    """How an installer is called.

    `verbs`: one of these follows its name · `valued`: options whose value is no package ·
    `editable`: those whose value is one · `index`, `channel`: those that say where packages come
    from · `syntax`: of what it installs.
    """

    verbs: tuple[str, ...]
    valued: frozenset[str]
    editable: frozenset[str] = frozenset()
    index: frozenset[str] = frozenset()
    channel: frozenset[str] = frozenset()
    syntax: str = "pip"


_PIP_INSTALLER = _Installer(
    ("install", "wheel", "download"),
    _words(
        "-r --requirement -c --constraint -t --target --prefix --root --src --python -p --platform "
        "--python-version --implementation --abi --upgrade-strategy --cache-dir --log --proxy "
        "--cert --client-cert --trusted-host --timeout --retries --exists-action --no-binary "
        "--only-binary --config-settings --config-setting -C --global-option --install-option "
        "--build-option --use-feature --use-deprecated --progress-bar --report -b --build "
        "--build-constraint --override --overrides --exclude-newer --index-strategy --prerelease "
        "--resolution --link-mode --keyring-provider --python-platform "
        "--no-build-isolation-package "
        "--no-binary-package --no-build-package --refresh-package --reinstall-package "
        "--upgrade-package -P --group --extra --package --optional --project --directory "
        "--default-timeout --root-user-action"
    ),
    _words("-e --editable"),
    _words(
        "-i --index-url --extra-index-url -f --find-links --index --default-index --torch-backend"
    ),
)
_POETRY = _Installer(
    ("add",),
    _words("-G --group -E --extras --source --platform --python -P --project -C --directory"),
    syntax="poetry",
)
_PDM = _Installer(("add",), _words("-G --group -p --project -L --lockfile --venv"), _words("-e"))
_PIPENV = _Installer(
    ("install",),
    _words("-r --requirements --python --pypi-mirror --categories --extra-pip-args"),
    _words("-e --editable"),
    _words("-i --index --extra-index-url"),
)
_CONDA = _Installer(
    ("install", "create", "update"),
    _words(
        "-n --name -p --prefix --file -f --solver --repodata-fn --platform --subdir --clone "
        "--root-prefix -r --rc-file --pin --channel-priority"
    ),
    channel=_words("-c --channel"),
    syntax="conda",
)
_PIXI = _Installer(
    ("add",),
    _words("--manifest-path -p --platform -f --feature -e --environment --git --branch --rev"),
    channel=_words("-c --channel"),
    syntax="conda",
)
_INSTALLERS: Mapping[str, _Installer] = {
    "conda": _CONDA,
    "mamba": _CONDA,
    "micromamba": _CONDA,
    "poetry": _POETRY,
    "pdm": _PDM,
    "rye": _PDM,
    "pipenv": _PIPENV,
    "pixi": _PIXI,
    "uv": _Installer(
        ("add",), _PIP_INSTALLER.valued, _PIP_INSTALLER.editable, _PIP_INSTALLER.index
    ),
}
_VERB_WITHIN = 4
"""Words between an installer's name and its verb: options such as `--no-cache-dir`."""


def installs(parts: Sequence[Part]) -> Iterator[Item]:
    """The requirements that a command, given as its words, names."""
    for position, part in enumerate(parts):
        found = _installer(parts, position, basename(part.text))
        if found is not None:
            installer, start = found
            yield from _named(parts[start:], installer)
            return


def _installer(parts: Sequence[Part], at: int, program: str) -> tuple[_Installer, int] | None:
    """The installer that the program at a position is, and where its arguments begin."""
    if _PIP.fullmatch(program):
        return _after_verb(parts, at, _PIP_INSTALLER)
    known = _INSTALLERS.get(program)
    return _after_verb(parts, at, known) if known else None


def _after_verb(
    parts: Sequence[Part], at: int, installer: _Installer
) -> tuple[_Installer, int] | None:
    for position in range(at + 1, min(at + 1 + _VERB_WITHIN, len(parts))):
        word = parts[position].text
        if word in installer.verbs:
            return installer, position + 1
        if not word.startswith("-") and parts[position - 1].text not in installer.valued:
            return None
    return None


def _named(parts: Sequence[Part], installer: _Installer) -> Iterator[Item]:
    """The packages and their sources among the arguments of an installer."""
    before = ""
    for part in parts:
        word, option = part.text, before
        before = ""
        if _SHELL.fullmatch(word):
            return
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            if not equals:
                before = word
                continue
            yield from _valued(name, value, part, installer)
        elif option in installer.index | installer.channel | installer.editable:
            yield from _valued(option, word, part, installer)
        elif option not in installer.valued:
            yield from _package(word, part, installer)


def _valued(option: str, value: str, part: Part, installer: _Installer) -> Iterator[Item]:
    if option in installer.index:
        yield package(INDEX, value, part.span, _ORIGIN)
    elif option in installer.channel:
        yield package(CHANNEL, value, part.span, _ORIGIN)
    elif option in installer.editable:
        yield from _package(value, part, installer)


def _package(word: str, part: Part, installer: _Installer) -> Iterator[Item]:
    written = word.strip()
    local = written.startswith((".", "/", "$", "{", "<", "~", "%"))
    if not written or (local and not written.endswith(".whl")):
        return
    if written.startswith("-") or written.endswith((".txt", ".yml", ".yaml", ".toml", ".in")):
        return
    where = part.span
    if installer.syntax == "conda":
        yield from of_conda(written, where, _ORIGIN)
        return
    if installer.syntax == "poetry" and "@" in written and "://" not in written:
        name, _, version = written.partition("@")
        yield package(name.partition("[")[0], from_poetry(version), where, _ORIGIN)
        return
    found = requirement(written, where.line, where.column, _ORIGIN)
    if found is not None:
        yield package(
            found.name, str(found.value), where, _ORIGIN, [each.text for each in found.parts]
        )
