"""Which places of a function exclude one another: the arms of `if`, `switch`, `?:` and `#if`.

Told from the tokens of its body. What may run again is left out, as one run may take several arms
there: loops, lambdas, blocks behind macros; so is what a `goto` may lead to.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from portaudit.read.native.structure import Range, split
from portaudit.read.native.tokens import ELSE, ENDIF, IF, OPENING, Tokens

_LOOPS = frozenset({"for", "while"})
_LEAVING = frozenset({"return", "throw", "break", "continue", "AT_ERROR"})
_MARKS = frozenset({IF, ELSE, ENDIF})
_PLAIN = frozenset({";", "{", "}", ":", "else", "try", "do"})
"""What a block of statements may follow that runs once."""
_ASKING = _LOOPS | {"if", "switch", "catch"}
_NO_MACROS = frozenset({"for", "while", "if", "switch", "catch", "constexpr", "return", "sizeof"})
_QUALIFYING = frozenset({"const", "mutable", "noexcept", "and", "or", "else", "override"})
_ONCE = re.compile(r"[A-Z0-9_]*(?:DISPATCH|SWITCH)[A-Z0-9_]*")
"""Macros that run the lambda they are given for one type or value."""
_NEVER_AGAIN = (["(", "0", ")"], ["(", "false", ")"])
_DATA = frozenset({"data", "data_ptr", "mutable_data_ptr", "const_data_ptr"})
_LONGEST_CASE = 40
_MOST = 100
"""Choices of a function that are compared: of one with more nothing is said."""

Arms = tuple[Range, ...]
"""Stretches of which one run goes through one at most."""


class Choices:
    """Answers whether a run that comes to one place of a function can come to another."""

    def __init__(self, tokens: Tokens, body: Range) -> None:
        self._tokens = tokens
        self._words = tokens.words
        self._body = body
        self._openers = {
            tokens.matches[at]: at
            for at in range(body.start, body.end)
            if self._words[at] in OPENING
        }
        self._jumps = "goto" in self._words[body.start : body.end]
        self._ends = self._statements()
        self._marked = list(
            accumulate((word in _MARKS for word in self._words[body.start : body.end]), initial=0)
        )
        self._loops: list[Range] = []
        self._others: list[Range] = []
        """What else than a loop may run again."""
        self._arms: dict[int, Mapping[int, int]] = {}
        found = self._found()
        again = self._depths([*self._loops, *self._others])
        is_told = not self._jumps and len(found) <= _MOST
        self._groups = [
            group for group in found if is_told and not again[group[0].start - body.start]
        ]

    def exclude(self, one: int, other: int) -> bool:
        """Whether two tokens are in different arms of one choice."""
        first, second = self._taken(one), self._taken(other)
        return any(second.get(group, arm) != arm for group, arm in first.items())

    def may_repeat(self, call: int, opening: int) -> bool:
        """Whether a call may run more than once with other values.

        In a loop, what changes may only be where data lies: that decides nothing.
        """
        if self._jumps or any(_has(each, call) for each in self._others):
            return True
        around = [each for each in self._loops if _has(each, call)]
        if not around:
            return False
        outer = min(around, key=lambda each: each.start)
        given = Range(opening + 1, max(opening, self._tokens.matches[opening]))
        inside = Counter(self._words[outer.start : outer.end])
        own = Counter(self._words[given.start : given.end])
        return any(
            inside[word] > own[word]
            for part in split(self._tokens, given)
            if not self._is_data(part)
            for word in self._words[part.start : part.end]
            if word.isidentifier()
        )

    def _is_data(self, part: Range) -> bool:
        """`x.data<float>() + n * size`."""
        _, *of = self._words[part.start : min(part.end, part.start + 3)] or [""]
        return of[:1] in (["."], ["->"]) and not _DATA.isdisjoint(of)

    def _taken(self, at: int) -> Mapping[int, int]:
        """The choices around a token, by number, with its arm in each."""
        if at not in self._arms:
            arms = ((number, _arm(group, at)) for number, group in enumerate(self._groups))
            self._arms[at] = {number: arm for number, arm in arms if arm >= 0}
        return self._arms[at]

    def _depths(self, stretches: Sequence[Range]) -> list[int]:
        """In how many of some stretches each token is."""
        steps = [0] * (self._body.end - self._body.start + 1)
        for each in stretches:
            steps[each.start - self._body.start] += 1
            steps[min(each.end, self._body.end) - self._body.start] -= 1
        return list(accumulate(steps))

    def _found(self) -> list[Arms]:
        found: list[Arms] = []
        open_: list[int] = []
        blocks: list[int] = [self._body.end]
        marks: list[list[int]] = []
        chained: set[int] = set()
        for at in range(self._body.start, self._body.end):
            word = self._words[at]
            while at > blocks[-1]:
                blocks.pop()
            while open_ and at > self._tokens.matches[open_[-1]]:
                open_.pop()
            if word == "{":
                close = max(at, self._tokens.matches[at])
                blocks.append(close)
                if not self._is_plain(at, close, open_):
                    self._others.append(Range(at, close))
            elif self._is_loop(at):
                self._loops.append(Range(at, self._end(at)))
            elif len(found) <= _MOST:
                groups = self._chosen(at, blocks[-1], chained, marks)
                found.extend(group for group in groups if len(group) > 1)
            if self._follows_macro(at):
                self._others.append(Range(at, self._end(at)))
            if word in OPENING and self._tokens.matches[at] > at:
                open_.append(at)
        return found

    def _chosen(
        self, at: int, block: int, chained: set[int], marks: list[list[int]]
    ) -> Iterator[Arms]:
        """The choice that a token begins, or a mark ends."""
        word = self._words[at]
        if word == "if" and at not in chained:
            yield self._if(at, block, chained)
        elif word == "switch" and self._opens(at + 1):
            yield tuple(self._cases(self._after(at + 1)))
        elif word == "?":
            yield self._either(at, block)
        elif word in _MARKS:
            yield from _of_marks(word, at, marks)

    def _is_plain(self, at: int, close: int, around: Sequence[int]) -> bool:
        """Whether a block runs once where it stands."""
        before = at - 1
        while before >= self._body.start and self._words[before] in _MARKS:
            before -= 1
        if before < self._body.start or self._words[before] in _PLAIN:
            return True
        head = before
        if self._words[before] == ")":
            head = self._openers.get(before, self._body.start) - 1
            if self._words[head] == "constexpr":
                head -= 1
            if self._words[head] in _ASKING:
                return True
        if self._words[head] != "]":
            return False
        if self._words[close + 1 : close + 2] == ["("]:  # called where it stands
            return True
        callee = ""
        for opening in reversed(around):
            callee = self._words[opening - 1]
            if self._words[opening] != "(" or callee.isidentifier():
                break
        return _ONCE.fullmatch(callee) is not None

    def _follows_macro(self, at: int) -> bool:
        """Whether a statement stands behind a word that may say how often it runs.

        `REPEAT(k, 4) if …`, `FOREVER if …`.
        """
        word = self._words[at]
        if not word.isidentifier() or at == self._body.start or word in _QUALIFYING:
            return False
        before = self._words[at - 1]
        if before == ")":
            opening = self._openers.get(at - 1, 0)
            callee = self._words[opening - 1]
            return opening > self._body.start and callee.isidentifier() and callee not in _NO_MACROS
        return word in {"if", "switch"} and before.isidentifier() and before not in {"else", "do"}

    def _is_loop(self, at: int) -> bool:
        """Whether a loop begins, which `do { … } while (0);` is not."""
        if self._words[at] == "do":
            end = self._end(at)
            return self._words[end - 4 : end - 1] not in _NEVER_AGAIN
        return self._words[at] in _LOOPS and self._opens(at + 1)

    def _opens(self, at: int) -> bool:
        return self._words[at : at + 1] == ["("] and self._tokens.matches[at] > at

    def _after(self, opening: int) -> int:
        """The token after a group, and after marks of the preprocessor.

        A group that is never closed ends with the file, which may be behind the body.
        """
        behind = max(opening, self._tokens.matches[opening]) + 1
        return self._skip(min(behind, self._body.end))

    def _skip(self, at: int) -> int:
        while at < self._body.end and self._words[at] in _MARKS:
            at += 1
        return at

    def _if(self, at: int, block: int, chained: set[int]) -> Arms:
        """The arms of an `if` and of those in its `else`, and what follows if all of them leave."""
        arms: list[Range] = []
        while True:
            opening = self._condition(at)
            if not self._opens(opening):
                return ()
            start = self._after(opening)
            end = self._end(start)
            arms.append(Range(start, end))
            other = self._skip(end)
            if self._words[other : other + 1] != ["else"]:
                break
            at = self._skip(other + 1)
            if self._words[at : at + 1] != ["if"]:
                return *arms, Range(other + 1, self._end(at))
            chained.add(at)
        return (*arms, Range(end, block)) if all(map(self._leaves, arms)) else tuple(arms)

    def _condition(self, at: int) -> int:
        return at + 1 + (self._words[at + 1 : at + 2] == ["constexpr"])

    def _end(self, at: int) -> int:
        """The token after the statement that begins at one."""
        return self._ends[at - self._body.start] if at < self._body.end else self._body.end

    def _statements(self) -> list[int]:
        """Where statements end that begin at the tokens: the last first, as others end with it."""
        self._ends = [self._body.end] * (self._body.end - self._body.start)
        for at in range(self._body.end - 1, self._body.start - 1, -1):
            self._ends[at - self._body.start] = min(self._statement(at), self._body.end)
        return self._ends

    def _statement(self, at: int) -> int:
        word = self._words[at]
        if word == "{":
            return max(at, self._tokens.matches[at]) + 1
        if word == "if":
            opening = self._condition(at)
            if not self._opens(opening):
                return at + 1
            end = self._end(self._after(opening))
            other = self._skip(end)
            is_else = self._words[other : other + 1] == ["else"]
            return self._end(self._skip(other + 1)) if is_else else end
        if word in _LOOPS | {"switch"} and self._opens(at + 1):
            return self._end(self._after(at + 1))
        if word == "do":
            asked = self._skip(self._end(self._skip(at + 1)))
            is_loop = self._words[asked : asked + 1] == ["while"] and self._opens(asked + 1)
            return self._tokens.matches[asked + 1] + 2 if is_loop else asked
        if word in {"case", "default"}:
            told = self._words[at : at + _LONGEST_CASE]
            return self._end(self._skip(at + told.index(":") + 1)) if ":" in told else at + 1
        if word in {";", "}"}:
            return at + (word == ";")
        return self._end(max(at, self._tokens.matches[at] if word in OPENING else at) + 1)

    def _leaves(self, part: Range) -> bool:
        """Whether the last statement of a stretch, no part of another one, leaves for sure."""
        first, end = part.start - self._body.start, part.end - self._body.start
        if self._marked[first] != self._marked[end]:
            return False  # a build may be without it
        at, end = part.start, part.end
        while at < end:
            after = max(at + 1, self._end(at))
            if self._skip_empty(after, end) < end:
                at = after
            elif self._words[at] == "{":
                at, end = at + 1, max(at, self._tokens.matches[at])
            elif self._words[at] in {"case", "default"}:
                told = self._words[at : at + _LONGEST_CASE]
                at = at + told.index(":") + 1 if ":" in told else end
            else:
                return self._words[at] in _LEAVING
        return False

    def _skip_empty(self, at: int, end: int) -> int:
        while at < end and self._words[at] == ";":
            at += 1
        return at

    def _cases(self, opening: int) -> Iterator[Range]:
        """The arms of a `switch`: what falls through to the next is one with it."""
        if self._words[opening : opening + 1] != ["{"]:
            return
        close = max(opening, self._tokens.matches[opening])
        at = start = label = opening + 1
        while at < close:
            word = self._words[at]
            if word in {"case", "default"}:
                if at > start and self._leaves(Range(label, at)):
                    yield Range(start, at)
                    start = at
                label = at
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
    number = bisect_right(group, at, key=lambda each: each.start) - 1
    return number if number >= 0 and at < group[number].end else -1


def _has(stretch: Range, at: int) -> bool:
    return stretch.start <= at < stretch.end
