"""Python text at the level of its tokens: logical lines, and what no parser can be given.

libcst's parser is no Python: an expression that is nested too deeply overflows the stack and ends
the process, one that is too long takes time that grows with its square. So every text is looked at
before, also the ones that stand in strings: f-strings and annotations. Nothing is parsed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_DEEPEST = 200
"""Brackets inside brackets that Python reads; libcst would overflow the stack further on."""
_LONGEST = 1_500
"""Operators of one expression: libcst's time grows with their square, and then its stack."""
WIDEST = 1_000_000
"""Characters of a line beyond which it is data: each of its numbers would take a kilobyte."""
LEAD = re.compile(r"([ \t\f]*)((?:\\\n[ \t\f]*)*)")
"""What stands before the code of a logical line: its indentation, and rows of a backslash alone."""
_BRACKET = re.compile(r"[()\[\]{}]")
_OTHERS = re.compile(r"[^()\[\]{}]+")
_PIECE = re.compile(r"[,;]|\n(?=\S)")
_STEP = re.compile(r"[-+*/%@&|^~<>.]|\b(?:and|or|not|if|else|lambda|await)\b")
_FORMATTED = re.compile(r"(?<!\w)(?i:[ft]r?|r[ft])$")
"""The prefix of a string with expressions in it."""
_TOKEN = re.compile(
    r"""(?P<string>(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"
        |'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
      |(?P<comment>\#[^\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\r?\n)|(?P<newline>\n)""",
    re.VERBOSE | re.DOTALL,
)
_UNCLOSED = re.compile(r"\s*(async\s+def|def|class)\b[^\n]*:[ \t]*")
_STARTER = re.compile(r"(def|class|import|from|if|for|while|try|with|return|@)\b|@")


def logical_lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end (exclusive) offsets of the logical lines: brackets and strings respected."""
    start = depth = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "open":
            depth += 1
        elif token.lastgroup == "close":
            depth = max(0, depth - 1)
        elif token.lastgroup == "newline":
            if depth and (
                _STARTER.match(text, token.end()) or _UNCLOSED.fullmatch(text, start, token.start())
            ):
                depth = 0  # an unclosed bracket must not swallow the rest of the file
            if not depth:
                yield start, token.end()
                start = token.end()
    if start < len(text):
        yield start, len(text)


def is_any_too_long(text: str) -> bool:
    """Whether some line is longer than any that somebody wrote."""
    return len(text) > WIDEST and max(map(len, text.split("\n"))) > WIDEST


def has_too_deep(text: str) -> bool:
    """Whether some logical line cannot be given to libcst."""
    return _may_be_too_deep(text) and any(
        is_too_deep(text[start:end]) for start, end in logical_lines(text)
    )


def is_any_too_deep(text: str, starts: Sequence[int]) -> bool:
    """The same of a text whose statements begin in some lines: most are too short to be looked at.

    One that Python's parser reads is so by its operators, or by as many brackets as that allows.
    """
    rows = text.split("\n")
    for first, behind in pairwise((*starts, len(rows) + 1)):
        part = "\n".join(rows[first - 1 : behind - 1])
        if len(part) > _LONGEST or sum(map(part.count, "([{")) >= _DEEPEST:
            return has_too_deep(text)
    return False


def _may_be_too_deep(text: str) -> bool:
    """Whether a file needs the slow look. Cheap: strings and comments are not told apart."""
    if max(map(len, _PIECE.split(text))) > _LONGEST:
        return True
    # Each round takes away the innermost pairs, and one from the depth of what is around them.
    brackets, before = _OTHERS.sub("", text), ""
    rounds = 0
    while brackets != before:
        before = brackets
        brackets = before.replace("()", "").replace("[]", "").replace("{}", "")
        rounds += 3
    depth = 0
    if rounds + len(brackets) <= _DEEPEST:
        return False
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket.group() in "([{" else max(0, depth - 1)
        if depth > _DEEPEST:
            return True
    return False


def is_too_deep(statement: str) -> bool:
    """Whether a logical line has more brackets or operators inside each other than can be read."""
    if len(statement) < _DEEPEST:
        return False
    if is_any_too_long(statement):
        return True
    steps = [0]
    last = 0
    for token in _TOKEN.finditer(statement):
        if token.lastgroup == "string" and _has_deep_fields(statement, token):
            return True
        _, comma, after = statement[last : token.start()].rpartition(",")
        steps[-1] = len(_STEP.findall(after)) + (0 if comma else steps[-1])
        last = token.end()
        if token.lastgroup == "open":
            steps[-1] += 1
            steps.append(0)
        elif token.lastgroup == "close" and len(steps) > 1:
            steps.pop()
        if len(steps) > _DEEPEST or sum(steps) > _LONGEST:
            return True
    return sum(steps) + len(_STEP.findall(statement[last:])) > _LONGEST


def _has_deep_fields(statement: str, string: re.Match[str]) -> bool:
    """Whether an expression in an f-string has as many; `{{` and `}}` in its text are none."""
    start = string.start()
    if len(string[0]) < _DEEPEST or not _FORMATTED.search(statement, max(0, start - 2), start):
        return False
    depth = field = behind = 0
    for found in _BRACKET.finditer(statement, start, string.end()):
        bracket, at = found[0], found.start()
        if at < behind:
            continue
        if bracket in "([{" and depth:
            depth += 1
        elif bracket == "{" and statement[at + 1] == "{":
            behind = at + 2
        elif bracket == "{":
            depth, field = 1, at
        elif bracket in ")]}" and depth:
            depth -= 1
            if not depth and len(_STEP.findall(statement, field, at)) > _LONGEST:
                return True
        if depth > _DEEPEST:
            return True
    return depth > 0 and len(_STEP.findall(statement, field, string.end())) > _LONGEST
