"""What every reader but Python's gives: a `Document` of items, each a kind, a name and a value.

An item says what stands in the file, in the words of its format; whether that means anything is
for rules. A reader proves guards (`#ifdef`, an optional extra), as it is the one who sees them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from portaudit.types import NO_NATIVE, GuardState, Kernel, NativeFacts, Proof, ScanError, Span

ItemKind = Literal[
    "config-key",
    "env-var",
    "command",
    "dependency",
    "image",
    "source",
    "include",
    "kernel",
    "launch",
    "script",
    "project",
    "package",
]
Scalar = str | bool | int | float | None
MAPPING = "{}"
"""The value of a setting that is a mapping: its keys are settings by themselves."""
UNSAID = "???"
"""The value, in OmegaConf's words, of one that whoever starts the program has to give."""


class Part(Struct, frozen=True):
    """A word of a command, or an extra of a requirement, and where it stands."""

    text: str
    span: Span


class Item(Struct, frozen=True):
    """Something that a file says.

    | kind | `name` | `value` | `parts` |
    |---|---|---|---|
    | `config-key` | keys from the top, joined by dots, lists left out | scalar | |
    | `env-var` | variable | what it is set to, `None` where it is only read | |
    | `command` | program, with its verb for `apt install`, `list append` | | its arguments |
    | `dependency` | normalised package name | specifier or address, as written | its extras |
    | | `pip-index`, `conda-channel`: where packages come from | address, channel | |
    | | `cuda-driver`: an environment that is only made where one is | version | |
    | `image` | container image, without tag and digest | tag | |
    | `source` | identifier of native code, qualified (`at::cuda::getCurrentCUDAStream`) | | |
    | `include` | header, as included | | |
    | `kernel` | kernel that is defined here | its language | |
    | `launch` | launcher, with `-m` before a module | what it starts, as written | its arguments |
    | `script` | command that installing the project makes | what it starts | |
    | `package` | package that is somewhere else, empty for all others | its folder | |
    | `project` | what installing makes; empty for `setup()` | | |

    `scope`: what encloses it (a function, a stage, an extra, the keys above) · `group`: the number
    of the mapping or instruction it belongs to, which its siblings share · `forms`: what documents
    of this shape are called (`compose`, `deepspeed`) · `folder`: where the commands before a launch
    went · `before`: files of settings that its launcher is given · `environment`: what it sets
    for that alone (`KIND=x ./run.sh`).
    """

    kind: ItemKind
    name: str
    span: Span
    value: Scalar = None
    parts: tuple[Part, ...] = ()
    scope: str = ""
    group: int = 0
    forms: tuple[str, ...] = ()
    guard: GuardState = "none"
    guard_by: Proof | None = None
    folder: str = ""
    before: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


class Document(Struct, frozen=True):
    """A file as items in the order of the file, with the inventory's part of it.

    `errors`: what could not be read; what could be is in `items` all the same.
    """

    items: tuple[Item, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    native: NativeFacts = NO_NATIVE
    errors: tuple[ScanError, ...] = ()
