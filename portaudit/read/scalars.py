"""What an unquoted scalar of a settings file means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from portaudit.read.items import Scalar


def resolve(word: str) -> Scalar:
    """What an unquoted scalar means: a truth, a number, nothing, or the word itself."""
    if word in _WORDS:
        return _WORDS[word]
    if word and word[0] in "+-.0123456789":
        plain = word.replace("_", "")
        if _WHOLE.fullmatch(plain) and len(plain) < _LONGEST:
            return int(plain)
        if _NUMBER.fullmatch(plain) and len(plain) < _LONGEST:
            return float(plain)
    return word


_TRUTHS: Mapping[str, Scalar] = {
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
    "null": None,
    "~": None,
    "": None,
}
_WORDS: Mapping[str, Scalar] = {
    form: value
    for word, value in _TRUTHS.items()
    for form in (word, word.capitalize(), word.upper())
}
_WHOLE = re.compile(r"[-+]?\d+")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LONGEST = 300
"""Digits beyond which a number is no setting (and costly to convert)."""
