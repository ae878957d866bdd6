"""Which kind of source a file is, by its name: the one list of what portaudit reads."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from portaudit.types import FileKind

_ENDS: dict[FileKind, tuple[str, ...]] = {
    "python": (".py",),
    "notebook": (".ipynb",),
    "native": (".cu", ".cuh", ".hip", ".cpp", ".cc", ".cxx", ".c++", ".h", ".hpp", ".hxx", ".inl"),
    "shell": (".sh", ".bash", ".sbatch", ".slurm", ".zsh", ".ksh"),
    "docker": (".dockerfile",),
    "make": (".mk",),
    "cmake": (".cmake",),
    "yaml": (".yaml", ".yml"),
    "json": (".json", ".jsonc"),
    "toml": (".toml",),
    "hcl": (".tf", ".tfvars"),
    "gin": (".gin",),
}
_SUFFIXES: dict[str, FileKind] = {end: kind for kind, ends in _ENDS.items() for end in ends}
_NAMES: dict[str, FileKind] = {
    "CMakeLists.txt": "cmake",
    "setup.cfg": "ini",
    "Pipfile": "toml",
    "Pipfile.lock": "json",
    "uv.lock": "toml",
    "poetry.lock": "toml",
    "pdm.lock": "toml",
    "pixi.lock": "yaml",
}
_SHAPES: tuple[tuple[re.Pattern[str], FileKind], ...] = (
    (re.compile(r"(?:.*/)?(?:Docker|Container)file(?:[._-][^/]*)?"), "docker"),
    (re.compile(r"(?:.*/)?(?:GNU)?[Mm]akefile(?:[._-][^/]*)?"), "make"),
    (re.compile(r".*\.ya?ml(?:-template|\.(?:j2|jinja2?|tpl|tmpl|template|example))"), "yaml"),
    (re.compile(r"(?:.*/)?[^/]*(?:requirement|constraint)[^/]*\.(?:txt|in)"), "requirements"),
    (re.compile(r"(?:.*/)?requirements?/[^/]*\.(?:txt|in)"), "requirements"),
    (re.compile(r"(?:.*/)?(?:ds_conf|deepspeed)[^/]*/[^/]*\.conf", re.IGNORECASE), "json"),
    (
        re.compile(
            r"(?:.*/)?(?:[^/]*[^a-z/])?(?:deepspeed|ds|zero_?[0-3]|stage_?[0-3])(?:[^a-z/][^/]*)?\.conf",
            re.IGNORECASE,
        ),
        "json",
    ),
    (re.compile(r"(?:.*/)?(?:README|INSTALL)[^/]*\.md", re.IGNORECASE), "markdown"),
)
"""Files that are known by their name, whatever its end."""


def kind_by_name(path: str) -> FileKind | None:
    """What kind of source a file is, as far as its posix path says."""
    name = PurePosixPath(path)
    kind = _NAMES.get(name.name) or _SUFFIXES.get(name.suffix.lower())
    return kind or next((kind for shape, kind in _SHAPES if shape.fullmatch(path)), None)
