"""One requirement as an item, in whatever syntax it is written: pip's, Poetry's, conda's.

Versions come out as packaging's specifiers (PEP 440), addresses as `@ address`; what is no
specifier, such as `==${VERSION}`, stays as it is written. Nothing is looked up, here or elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from posixpath import basename
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace
from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion

from portaudit.catalogue.entries import words
from portaudit.catalogue.stack import PYTHON, stack
from portaudit.read.items import Item, Part
from portaudit.types import GuardState, Proof, Span

INDEX = "pip-index"
CHANNEL = "conda-channel"
"""Names of items that are no packages, but where packages come from."""
_NAME = re.compile(r"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)[ \t]*(?:\[([^\]]*)\])?[ \t]*")
_ADDRESS = re.compile(r"(?:(?:git|hg|svn|bzr)\+|https?://|ssh://|file:|git@)")
_VCS = re.compile(r"(?:git|hg|svn|bzr)\+|git@|ssh://")
_FRAGMENT = re.compile(r"[#&]egg=([\w.-]+)")
_FORGE = re.compile(r"(?:github|gitlab)\.com[/:][^/]+/([^/@#?]+)")
_CUDA_PART = re.compile(
    r"(lib(?:cufile|npp|nvjitlink|nvjpeg))-dev|(lib(?:cu|npp|nv)[a-z]*)-static", re.IGNORECASE
)
"""Headers or archives of one of CUDA's libraries, as conda splits them off."""
_CUDA = frozenset({"cuda", "cu", "gpu", "gpus", "nvidia"})
"""Words of the name of an extra for those who have CUDA."""
_EXTRA = re.compile(r"""(?<![\w.])extra\s*==\s*(['"])(?P<name>[^'"]*)\1""")
_CARET_PARTS = 3
_LONGEST = 2_000
"""Characters of a requirement. No one writes longer ones, and packaging's parser is not linear."""


class Origin(Struct, frozen=True):
    """What holds for all requirements of one list: its form, its extra or group, their guard.

    `path`: of the file, to prove that a marker keeps a requirement away; empty in a command.
    """

    form: str
    path: str = ""
    scope: str = ""
    guard: GuardState = "none"
    by: Proof | None = None


def optional(origin: Origin, name: str, proof: Proof, kind: str = "") -> Origin:
    """The same for a list that is asked for by name: an extra, a group, a feature.

    Its name is the condition, unless it says CUDA: then who has CUDA is who asks for it.
    """
    setting = "" if words(name) & _CUDA else f"{kind} {name}".strip()
    return replace(origin, scope=name, guard="guarded", by=replace(proof, setting=setting))


def package(
    name: str,
    value: str,
    span: Span,
    origin: Origin,
    extras: Sequence[str] = (),
) -> Item:
    """A package that some list names."""
    return Item(
        "dependency",
        canonicalize_name(name),
        span,
        value,
        tuple(Part(extra, span) for extra in extras),
        origin.scope,
        0,
        (origin.form,),
        origin.guard,
        origin.by,
    )


def python(value: str, span: Span, origin: Origin) -> Item:
    """The versions of Python that a project asks for."""
    return package(PYTHON, _joined(value), span, origin)


def requirement(written: str, line: int, column: int, origin: Origin) -> Item | None:
    """A requirement in pip's syntax, without blanks around it, that begins at a place.

    `None` for what names no package: a local directory, prose. A marker that keeps it away from
    every Python of the targets on Linux, or that asks for an extra, is a guard.
    """
    if len(written) > _LONGEST or not written:
        return None
    if _ADDRESS.match(written) or re.fullmatch(r"\S+\.whl", written):
        return _addressed(written, line, column, origin)
    try:
        parsed = Requirement(written)
    except InvalidRequirement:
        return _loose(written, line, column, origin)
    body = written.partition(" ;" if parsed.url else ";")[0].rstrip()
    span = Span(line, column, line, column + len(body))
    value = f"@ {parsed.url}" if parsed.url else str(parsed.specifier)
    if parsed.url and parsed.url.partition("#")[0].endswith(".whl"):
        value = f"=={_of_wheel(parsed.url)[1]}" if _of_wheel(parsed.url)[1] else value
    if parsed.marker:
        value = f"{value}; {parsed.marker}"
        if origin.path and origin.guard == "none" and not _may_hold(str(parsed.marker)):
            proof = Proof(origin.path, line, written[:200])
            extra = _EXTRA.search(str(parsed.marker))
            if extra and _may_hold(str(parsed.marker), extra["name"]):
                origin = replace(optional(origin, extra["name"], proof, "extra"), scope="")
            else:
                origin = replace(origin, guard="guarded", by=proof)
    return package(parsed.name, value, span, origin, sorted(parsed.extras))


def from_poetry(written: str) -> str:
    """Poetry's `^1.2`, `~1.2`, `1.2.*` and bare versions as specifiers."""
    text = written.strip()
    if "|" in text:
        return text
    return ",".join(_from_poetry(each) for each in re.split(r"\s*,\s*|(?<=[\w*])\s+", text) if each)


def from_conda(written: str) -> tuple[str, str]:
    """Name and specifiers of conda's `channel::name=1.2=build`; the build as a local version."""
    text = written.split("#", maxsplit=1)[0].strip().rpartition("::")[2]
    found = _NAME.match(text)
    if not found:
        return "", ""
    name, rest = found.group(1), text[found.end(1) :].strip()
    if rest.startswith("["):  # name[version='>=1',build=…]
        given = re.search(r"version\s*=\s*['\"]?([^'\",\]]+)", rest)
        rest = given.group(1) if given else ""
    if "|" in rest:
        return name, rest
    exact = re.fullmatch(r"={1,2}\s*([^=\s]+)(?:=|\s+)(\S+)|([\d.]+)\s+(\S+)", rest)
    if exact:
        version, build = exact.group(1) or exact.group(3), exact.group(2) or exact.group(4)
        version = version if version == "*" else version.rstrip(".*")
        label = re.sub(r"[^A-Za-z0-9]+", ".", build).strip(".")
        return name, f"=={version}+{label}" if label else f"=={version}"
    return name, ",".join(_from_conda(each) for each in rest.split(",") if each.strip())


def of_conda(written: str, span: Span, origin: Origin) -> Iterator[Item]:
    """A requirement in conda's syntax. What conda calls `pytorch` is `torch` everywhere else.

    The headers and archives of a CUDA library go by the name of the library.
    """
    name, specifier = from_conda(written)
    if name:
        part = _CUDA_PART.fullmatch(name)
        shown = (part[1] or part[2]) if part else "torch" if name.lower() == "pytorch" else name
        yield package(shown, specifier, span, origin)


def at_key(written: str) -> str:
    """A version that stands alone after a package's name, as PEP 440 has it."""
    text = written.strip()
    return f"=={text}" if text[:1].isdigit() else "" if text == "*" else _joined(text)


def _joined(specifiers: str) -> str:
    return ",".join(each.strip() for each in specifiers.split(",") if each.strip())


def _from_poetry(text: str) -> str:
    sign, version = re.match(r"([~^]?)=?\s*(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    if text.startswith(("~=", ">", "<", "!", "==")) or not version:
        return text.replace(" ", "")
    if version == "*":
        return ""
    if not sign:
        return f"=={version}"
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    if not numbers:
        return text
    parts = [int(each) for each in numbers.group().split(".")][:_CARET_PARTS]
    kept = 0
    if sign == "^":
        kept = next((at for at, each in enumerate(parts) if each), len(parts) - 1)
    else:
        kept = min(1, len(parts) - 1)
    upper = [*parts[:kept], parts[kept] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def _from_conda(text: str) -> str:
    bare = text.strip().replace(" ", "")
    if bare == "*":
        return ""
    if bare.startswith("=") and not bare.startswith("=="):
        return f"=={bare[1:].removesuffix('.*').removesuffix('*')}.*" if bare[1:] else ""
    if bare[:1].isdigit():
        return f"=={bare}" if not bare.endswith("*") or bare.endswith(".*") else f"=={bare[:-1]}.*"
    return bare


# --- addresses, and what no specifier can be ------------------------------------------------------


def _addressed(written: str, line: int, column: int, origin: Origin) -> Item | None:
    """A requirement that is an address: a repository, an archive, a wheel."""
    address = re.split(r"\s", written, maxsplit=1)[0]
    span = Span(line, column, line, column + len(address))
    plain = address.partition("#")[0].partition("?")[0]
    if plain.endswith(".whl"):
        name, version = _of_wheel(plain)
        if not _NAME.fullmatch(name):
            return None  # `*.whl`
        return package(name, f"=={version}" if version else f"@ {address}", span, origin)
    egg = _FRAGMENT.search(address)
    name = egg.group(1) if egg else _of_address(plain)
    return package(name, f"@ {address}", span, origin) if _NAME.fullmatch(name) else None


def _of_wheel(address: str) -> tuple[str, str]:
    """Name and version in the name of a wheel, as far as they are known."""
    file = unquote(basename(address.partition("#")[0]))
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except InvalidWheelFilename:
        first, second = [*file.split("-"), ""][:2]
        return first, second
    return name, str(version)


def _of_address(address: str) -> str:
    """What a repository or archive is called, which is nearly always its package's name."""
    forge = _FORGE.search(address)
    if forge:
        return forge.group(1).removesuffix(".git")
    last = unquote(basename(address.rstrip("/")))
    try:
        return parse_sdist_filename(last)[0]
    except InvalidSdistFilename:
        pass
    if _VCS.match(address):
        return last.partition("@")[0].removesuffix(".git")
    return ""


def _loose(written: str, line: int, column: int, origin: Origin) -> Item | None:
    """A requirement that pip would refuse, or that a variable stands in: its name is known."""
    found = _NAME.match(written)
    if not found:
        return None
    rest = written[found.end() :].partition(";")[0].strip()
    if rest.startswith("@"):
        value = rest
    elif re.match(r"=[^=]", rest):
        value = from_conda(written.partition(";")[0])[1]
    elif re.match(r"[<>=!~$]", rest):
        value = rest.split(" #", maxsplit=1)[0]
    else:
        return None
    span = Span(line, column, line, column + len(written.partition(";")[0].rstrip()))
    extras = [each.strip() for each in (found.group(2) or "").split(",") if each.strip()]
    return package(found.group(1), value, span, origin, extras)


@cache
def _may_hold(marker: str, extra: str = "") -> bool:
    """Whether a marker can hold on Linux with a Python of a target, and with an extra or none."""
    parsed = Marker(marker)
    try:
        return any(parsed.evaluate({**each, "extra": extra}) for each in _environments())
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, InvalidSpecifier):
        return True


@cache
def _environments() -> Sequence[dict[str, str]]:
    lines: Iterable[str] = {line for target in stack().values() for line in target[PYTHON].lines}
    return [
        {
            "python_version": line,
            "python_full_version": f"{line}.0",
            "implementation_version": f"{line}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_machine": machine,
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
        }
        for line in lines
        for machine in ("x86_64", "aarch64")
    ]
