"""The hash of a line by which GitHub knows an alert again: `primaryLocationLineHash`.

GitHub's upload computes it from the file where a SARIF document lacks it, and warns where the two
differ; what it computes is a rolling hash of the hundred characters from the line's start on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_BLOCK = 100
_BASE, _SIZE = 37, 1 << 64
_POWERS = tuple(pow(_BASE, _BLOCK - 1 - place, _SIZE) for place in range(_BLOCK))
_END = "\uffff" + "\0" * _BLOCK
"""What stands for the end of the file, and for what comes after it."""
_BLANKS = str.maketrans("", "", " \t")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def line_hashes(content: bytes, lines: Iterable[int]) -> dict[int, str]:
    """The hashes of some lines, 1-based, of a file. Lines that the file has not are left out.

    Blanks and tabs do not count, and any line end is a line feed. Of lines with the same hundred
    characters the first has the number 1, the next 2.
    """
    wanted = set(lines)
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    text = _ASTRAL.sub(_halves, text.translate(_BLANKS))
    padded = text + _END
    seen: Counter[str] = Counter()
    found: dict[int, str] = {}
    start = 0
    for number, line in enumerate(text.split("\n"), start=1):
        block = padded[start : start + _BLOCK]
        seen[block] += 1
        if number in wanted:
            found[number] = f"{_hash(block):x}:{seen[block]}"
        start += len(line) + 1
    return found


def _hash(block: str) -> int:
    return sum(ord(each) * power for each, power in zip(block, _POWERS, strict=True)) % _SIZE


def _halves(match: re.Match[str]) -> str:
    """A character as the two units that UTF-16 has for it: the hash counts those."""
    offset = ord(match[0]) - 0x10000
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))
