"""Which kind of source a file is, by its name: the one list of what portaudit reads."""

from __future__ import annotations

import re

from portaudit.types import FileKind

_ENDS: dict[FileKind, tuple[str, ...]] = {
    "python": (".py",),
    "notebook": (".ipynb",),
    "native": (".cu", ".cuh", ".hip", ".cpp", ".cc", ".cxx", ".c++", ".h", ".hpp", ".hxx", ".inl"),
    "shell": (".sh", ".bash", ".sbatch", ".slurm", ".pbs", ".zsh", ".ksh"),
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
_SHAPES: tuple[tuple[str, str, FileKind], ...] = (
    ("file", r"(?:.*/)?(?:Docker|Container)file(?:[._-][^/]*)?", "docker"),
    ("makefile", r"(?:.*/)?(?:GNU)?[Mm]akefile(?:[._-][^/]*)?", "make"),
    (".y", r".*\.ya?ml(?:-template|\.(?:j2|jinja2?|tpl|tmpl|template|example))", "yaml"),
    ("requirement", r"(?:.*/)?[^/]*requirement[^/]*\.(?:txt|in)", "requirements"),
    ("constraint", r"(?:.*/)?[^/]*constraint[^/]*\.(?:txt|in)", "requirements"),
    ("requirement", r"(?:.*/)?requirements?/[^/]*\.(?:txt|in)", "requirements"),
    (".conf", r"(?i:(?:.*/)?(?:ds_conf|deepspeed)[^/]*/[^/]*\.conf)", "json"),
    (
        ".conf",
        r"(?i:(?:.*/)?(?:[^/]*[^a-z/])?(?:deepspeed|ds|zero_?[0-3]|stage_?[0-3])(?:[^a-z/][^/]*)?\.conf)",
        "json",
    ),
    (".md", r"(?i:(?:.*/)?(?:README|INSTALL)[^/]*\.md)", "markdown"),
    (
        ".md",
        r"(?i:(?!CHANGE|CONTRIBUT|CODE_OF|LICEN[CS]E|SECURITY|NEWS|RELEASE|HISTORY)[^/]*\.md)",
        "markdown",
    ),
    (".rst", r"(?i:(?:.*/)?(?:README|INSTALL)[^/]*\.rst)", "markdown"),
    (
        ".rst",
        r"(?i:(?:.*/)?[^/]*(?:train|experiment|usage|started|quick|reproduc)[^/]*\.rst)",
        "markdown",
    ),
    (
        ".md",
        r"(?i:(?:.*/)?[^/]*(?:train|experiment|usage|started|quick|reproduc)[^/]*\.md)",
        "markdown",
    ),
)
"""Files that are known by their name, whatever its end: by a word of it in lower case, which is
looked for first, and a pattern of the path."""


def kind_by_name(path: str) -> FileKind | None:
    """What kind of source a file is, as far as its posix path says."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    suffix = name[dot:].lower() if 0 < dot < len(name) - 1 else ""
    kind = _NAMES.get(name) or _SUFFIXES.get(suffix)
    if kind:
        return kind
    lower = path.lower()
    return next(
        (kind for word, shape, kind in _SHAPES if word in lower and re.fullmatch(shape, path)), None
    )
