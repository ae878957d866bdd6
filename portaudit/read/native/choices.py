"""Which places of a function exclude one another: the arms of `if`, `switch`, `?:` and `#if`.

Told from the tokens of its body. What stands in a loop is left out, as one run may take several
arms there; so is what a `goto` may lead to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portaudit.read.native.structure import Range
from portaudit.read.native.tokens import ELSE, ENDIF, IF, OPENING, Tokens

_LOOPS = frozenset({"for", "while"})
_LEAVING = frozenset({"return", "throw", "break", "continue", "AT_ERROR"})
_MARKS = frozenset({IF, ELSE, ENDIF})

Arms = tuple[Range, ...]
"""Stretches of which one run goes through one at most."""


class Choices:
    """Answers whether a run that comes to one place of a function can come to another."""

    def __init__(self, tokens: Tokens, body: Range) -> None:
        self._tokens = tokens
        self._words = tokens.words
        self._body = body
        self._groups = [] if "goto" in self._words[body.start : body.end] else self._found()

    def exclude(self, one: int, other: int) -> bool:
        """Whether two tokens are in different arms of one choice."""
        for group in self._groups:
            first, second = _arm(group, one), _arm(group, other)
            if first >= 0 <= second and first != second:
                return True
        return False

    def _found(self) -> list[Arms]:
        loops: list[Range] = []
        found: list[Arms] = []
        blocks: list[int] = [self._body.end]
        marks: list[list[int]] = []
        for at in range(self._body.start, self._body.end):
            word = self._words[at]
            while at > blocks[-1]:
                blocks.pop()
            if word == "{":
                blocks.append(max(at, self._tokens.matches[at]))
            elif word in _LOOPS and self._opens(at + 1):
                body = self._after(at + 1)
                loops.append(Range(at, self._end(body)))
            elif word == "if":
                found.append(self._if(at, blocks[-1]))
            elif word == "switch" and self._opens(at + 1):
                found.append(tuple(self._cases(self._after(at + 1))))
            elif word == "?":
                found.append(self._either(at, blocks[-1]))
            elif word in _MARKS:
                found.extend(_of_marks(word, at, marks))
        return [
            group
            for group in found
            if len(group) > 1 and not any(_within(group[0], loop) for loop in loops)
        ]

    def _opens(self, at: int) -> bool:
        return self._words[at : at + 1] == ["("] and self._tokens.matches[at] > at

    def _after(self, opening: int) -> int:
        """The token after a group, and after marks of the preprocessor."""
        return self._skip(max(opening, self._tokens.matches[opening]) + 1)

    def _skip(self, at: int) -> int:
        while at < self._body.end and self._words[at] in _MARKS:
            at += 1
        return at

    def _if(self, at: int, block: int) -> Arms:
        opening = at + 1 + (self._words[at + 1 : at + 2] == ["constexpr"])
        if not self._opens(opening):
            return ()
        start = self._after(opening)
        end = self._end(start)
        then = Range(start, end)
        other = self._skip(end)
        if self._words[other : other + 1] == ["else"]:
            return then, Range(other + 1, self._end(self._skip(other + 1)))
        return (then, Range(end, block)) if self._leaves(then) else ()

    def _end(self, at: int) -> int:
        """The token after the statement that begins at one."""
        for _ in range(self._body.end - at):
            if at >= self._body.end:
                break
            word = self._words[at]
            if word == "{":
                return max(at, self._tokens.matches[at]) + 1
            if word == "if":
                opening = at + 1 + (self._words[at + 1 : at + 2] == ["constexpr"])
                if not self._opens(opening):
                    return at + 1
                end = self._end(self._after(opening))
                other = self._skip(end)
                if self._words[other : other + 1] != ["else"]:
                    return end
                at = self._skip(other + 1)
            elif word in _LOOPS | {"switch"} and self._opens(at + 1):
                at = self._after(at + 1)
            elif word == ";":
                return at + 1
            elif word in OPENING:
                at = max(at, self._tokens.matches[at]) + 1
            elif word == "}":
                return at
            else:
                at += 1
        return self._body.end

    def _leaves(self, part: Range) -> bool:
        """Whether the last statement of a stretch leaves what is around it."""
        words, end = self._words, part.end
        while end > part.start and words[end - 1] in {";", "}"} | _MARKS:
            end -= 1
        start = end
        while start > part.start and words[start - 1] not in {";", "{", "}", ":"} | _MARKS:
            start -= 1
        return words[start] in _LEAVING

    def _cases(self, opening: int) -> Iterator[Range]:
        """The arms of a `switch`: what falls through to the next is one with it."""
        if self._words[opening : opening + 1] != ["{"]:
            return
        close = max(opening, self._tokens.matches[opening])
        at = start = opening + 1
        while at < close:
            word = self._words[at]
            if word in {"case", "default"} and at > start and self._leaves(Range(start, at)):
                yield Range(start, at)
                start = at
            at = max(at, self._tokens.matches[at] if word in OPENING else at) + 1
        yield Range(start, close)

    def _either(self, at: int, block: int) -> Arms:
        """The two values of `condition ? one : other`."""
        depth, colon, end = 0, -1, at + 1
        while end < block:
            word = self._words[end]
            if word in OPENING:
                end = max(end, self._tokens.matches[end])
            elif word in {")", "]", "}", ";", ","}:
                break
            elif word == "?":
                depth += 1
            elif word == ":":
                if not depth and colon < 0:
                    colon = end
                depth -= 1
            end += 1
        return (Range(at + 1, colon), Range(colon + 1, end)) if colon >= 0 else ()


def _of_marks(word: str, at: int, marks: list[list[int]]) -> Iterator[Arms]:
    """The branches of a conditional of the preprocessor, once it ends."""
    if word == IF:
        marks.append([at])
    elif marks:
        marks[-1].append(at)
        if word == ENDIF:
            places = marks.pop()
            starts: Sequence[int] = places[:-1]
            yield tuple(Range(start, end) for start, end in zip(starts, places[1:], strict=True))


def _arm(group: Arms, at: int) -> int:
    return next((number for number, arm in enumerate(group) if arm.start <= at < arm.end), -1)


def _within(arm: Range, loop: Range) -> bool:
    return loop.start <= arm.start and arm.end <= loop.end
