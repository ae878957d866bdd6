"""Holds every regular expression of the program against runs of one piece that end in another.

    python bench/fuzz/patterns.py

prints those that try more ways than the text is long: a few characters more, and no file would be
read to its end. A short run is enough, as such an expression takes twice as long for each piece.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
import sys
import time
from collections.abc import Iterator

import portaudit

_TIMES = 24
_SECONDS = 0.05
_HEADS = ("", "#", "x = ", "(", '"', "$", "<", "a.", "-")
_PIECES = (
    *(
        " ",
        "\n",
        "\t",
        " \n",
        " \n\n",
        "#\n",
        "# ",
        "- ",
        "a",
        "a.",
        "a=",
        "a,",
        "a:",
        "a::",
        "_",
        "A",
        "1",
        "1.",
    ),
    *(
        '"',
        "'",
        "\\",
        "\\\n",
        "(",
        "[",
        "{",
        "<",
        ">",
        "$",
        "${",
        "-",
        "--a ",
        "/",
        "../",
        "*",
        "==",
        "@",
        "é",
    ),
    *(".", ",", "; ", "|", "!", "%", "%%", "```", "`", "a ", " a", "a-", "a_", "a/"),
)


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Every regular expression that a module has, by its name."""
    for found in pkgutil.walk_packages(portaudit.__path__, "portaudit."):
        if found.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            waiting: list[object] = [value]
            while waiting:
                each = waiting.pop()
                if isinstance(each, re.Pattern):
                    yield f"{found.name}.{name}", each
                elif isinstance(each, dict):
                    waiting += each.values()
                elif isinstance(each, (tuple, list)):
                    waiting += each


def seconds(pattern: re.Pattern[str] | re.Pattern[bytes], text: str) -> float:
    """What a text takes that the pattern does not fit at its end."""
    start = time.process_time()
    held = text.encode() if isinstance(pattern.pattern, bytes) else text
    for way in ("match", "search", "fullmatch"):
        getattr(pattern, way)(held)
    return time.process_time() - start


def main() -> int:
    """Try all; 1 where one takes long."""
    tried: set[object] = set()
    wrong = 0
    for name, pattern in patterns():
        if pattern in tried:
            continue
        tried.add(pattern)
        for head, piece in itertools.product(_HEADS, _PIECES):
            if seconds(pattern, f"{head}{piece * _TIMES}\x01") > _SECONDS:
                wrong += 1
                print(f"{name}: {piece!r} behind {head!r}", flush=True)
                break
    print(f"{len(tried)} regular expressions, {wrong} take too long")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
