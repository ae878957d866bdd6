"""Which modules a file seems to import, by a glance at its text: nothing is parsed for it.

Only good for guessing which files to read first: statements in strings count as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STATEMENT = re.compile(
    rb"^(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(?:\(([^)]*)\)|([^\n#]*))|import[ \t]+([^\n#]+))",
    re.MULTILINE,
)
_COMMENT = re.compile(r"#[^\n]*")
_NAME = re.compile(r"\w+(?:\.\w+)*")
"""What is imported, without what it is called then."""


def imported(content: bytes) -> Iterator[str]:
    """The dotted names that statements at the margin import, as they are spelled."""
    for found in _STATEMENT.finditer(content):
        module, several, few, plain = (
            (part or b"").decode("ascii", "ignore") for part in found.groups()
        )
        if module:
            yield module
        stem = module if module.endswith(".") or not module else f"{module}."
        for part in (_COMMENT.sub("", several) or few or plain).split(","):
            if name := _NAME.search(part):
                yield stem + name.group()
