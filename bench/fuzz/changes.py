"""Spoils inputs: the ways in which a file is damaged, each by a generator of random numbers.

What comes out depends on nothing but what goes in, so that a number gives a mutant again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import TypeAlias

_ODD = (
    *(b"\0", b"\r", b"\r\n", b"\f", b"\v", b"\t", b"\x1a", b"\x1b", b"\x80", b"\xff", b"\xc3"),
    *(b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xf0\x9d\x92\xb3", b"\xed\xa0\x80"),
    *(b"'", b'"', b'"""', b"`", b"\\", b"#", b"(", b")", b"[", b"]", b"{", b"}", b"${", b"{{"),
    *(b"$(", b"<<", b"<<<", b">>>", b"*/", b"//", b":", b";", b",", b"=", b"|", b"&", b"@", b"%"),
    *(b"-1", b"0", b"1e999", b"9" * 40, b"<<<<<<< a\n", b"\n", b"\n\n    ", b" " * 40),
)
"""Bytes over which readers stumble."""
_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 1.5, -0.0, 1e308, "", "a", "\0"),
    *("\ud800", "../../etc", "/a", "2027-03-31", "\x1b[2J", [], {}, [[]], {"": {}}),
)
_CODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252")
_OFTEN = (True, True, False, False, False)
_Holder: TypeAlias = "dict[str, object] | list[object]"
Change = Callable[[bytes, bytes, Random], bytes]


def _truncated(content: bytes, _other: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _beheaded(content: bytes, _other: bytes, random: Random) -> bytes:
    return content[random.randrange(len(content) + 1) :]


def _spliced(content: bytes, other: bytes, random: Random) -> bytes:
    """The beginning of one and the end of another."""
    return _truncated(content, other, random) + _beheaded(other, content, random)


def _grafted(content: bytes, other: bytes, random: Random) -> bytes:
    """A piece of another one in the middle."""
    first = random.randrange(len(other) + 1)
    place = random.randrange(len(content) + 1)
    piece = other[first : first + random.choice((1, 8, 40, 200, 1000))]
    return content[:place] + piece + content[place:]


def _flipped(content: bytes, _other: bytes, random: Random) -> bytes:
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8, 40)) if made else 0):
        made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _odd(content: bytes, _other: bytes, random: Random) -> bytes:
    """Something in the place of a few bytes over which readers stumble."""
    place = random.randrange(len(content) + 1)
    piece = random.choice(_ODD) * random.choice((1, 1, 1, 1, 3, 300))
    return content[:place] + piece + content[place + random.choice((0, 0, 1, 5)) :]


def _removed(content: bytes, _other: bytes, random: Random) -> bytes:
    place = random.randrange(len(content) + 1)
    return content[:place] + content[place + random.choice((1, 2, 10, 80)) :]


def _lines_swapped(content: bytes, _other: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _lines_doubled(content: bytes, _other: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    first = random.randrange(len(lines))
    behind = first + random.choice((1, 1, 2, 5))
    return b"\n".join([*lines[:behind], *lines[first:]])


def _lines_dropped(content: bytes, _other: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    first = random.randrange(len(lines))
    return b"\n".join([*lines[:first], *lines[first + random.choice((1, 1, 2, 5)) :]])


def _lines_moved(content: bytes, _other: bytes, random: Random) -> bytes:
    """Other indentation for some lines."""
    lines = content.split(b"\n")
    first = random.randrange(len(lines))
    for at in range(first, min(len(lines), first + random.choice((1, 2, 6)))):
        lines[at] = random.choice((b" " + lines[at], b"    " + lines[at], lines[at][1:]))
    return b"\n".join(lines)


def _lines_taken(content: bytes, other: bytes, random: Random) -> bytes:
    """Whole lines of another one, as deep as those around them."""
    lines, others = content.split(b"\n"), other.split(b"\n")
    place, first = random.randrange(len(lines)), random.randrange(len(others))
    depth = len(lines[place]) - len(lines[place].lstrip(b" "))
    taken = others[first : first + random.choice((1, 1, 3, 10))]
    return b"\n".join(
        [*lines[:place], *(b" " * depth + each.strip() for each in taken), *lines[place:]]
    )


def _other_ends(content: bytes, _other: bytes, random: Random) -> bytes:
    end = random.choice((b"\r\n", b"\r", b"\n\n", b"\x0c\n", b" \\\n", b""))
    lines = content.split(b"\n")
    if random.choice((True, False)):
        return end.join(lines)
    return b"".join(line + random.choice((end, b"\n")) for line in lines)


def _other_coding(content: bytes, _other: bytes, random: Random) -> bytes:
    coding = random.choice(_CODINGS)
    made = content.decode("utf-8", "replace").encode(coding, "replace")
    if random.choice((True, False, False)):
        return f"# -*- coding: {coding} -*-\n".encode() + made
    return made


CHANGES: Mapping[str, Change] = {
    "truncated": _truncated,
    "beheaded": _beheaded,
    "spliced with another": _spliced,
    "a piece of another put in": _grafted,
    "bits flipped": _flipped,
    "odd bytes put in": _odd,
    "bytes removed": _removed,
    "lines swapped": _lines_swapped,
    "lines doubled": _lines_doubled,
    "lines dropped": _lines_dropped,
    "lines indented otherwise": _lines_moved,
    "lines of another put in": _lines_taken,
    "other ends of lines": _other_ends,
    "another encoding": _other_coding,
}


def changed(content: bytes, other: bytes, words: Sequence[bytes], random: Random) -> bytes:
    """A content with one to three changes, or a word that means something to its reader."""
    for _ in range(random.choice((1, 1, 2, 3))):
        is_word = random.choice(_OFTEN)
        if words and is_word:
            place = random.randrange(len(content) + 1)
            behind = place + random.choice((0, 0, 3, 8))
            content = content[:place] + random.choice(words) + content[behind:]
        else:
            content = random.choice(tuple(CHANGES.values()))(content, other, random)
    return content


def changed_json(content: bytes, random: Random) -> bytes:
    """JSON that is still JSON, with other values, keys or parts; anything else as it was."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return content
    for _ in range(random.choice((1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            break
        holder, key, _ = random.choice(places)
        _change(holder, key, [other for _, _, other in places], random)
    return json.dumps(value).encode()


def _places(value: object) -> Iterator[tuple[_Holder, object, object]]:
    """Every value inside another: what holds it, under which key, and the value."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            yield from ((holder, key, each) for key, each in holder.items())
            waiting += holder.values()
        elif isinstance(holder, list):
            yield from ((holder, at, each) for at, each in enumerate(holder))
            waiting += holder


def _change(holder: _Holder, key: object, others: Sequence[object], random: Random) -> None:
    # Only copies: a value that holds itself is no JSON.
    value = json.loads(json.dumps(random.choice((*_VALUES, *_VALUES, random.choice(others)))))
    what = random.randrange(4)
    if isinstance(holder, list):
        assert isinstance(key, int)
        if what == 0:
            del holder[key]
        elif what == 1:
            holder.insert(key, value)
        else:
            holder[key] = value
        return
    assert isinstance(key, str)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[random.choice((key + "x", key[:-1], "", "line", "path"))] = value
    else:
        holder[key] = value
