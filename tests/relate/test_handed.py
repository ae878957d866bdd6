"""Which parameters calls fill that know them only by their places."""

from __future__ import annotations

import pytest

from portaudit.relate.handed import filled

CASES = {
    "a value": ("f: a b", "f: 1 true", "b=true"),
    "another function": ("f: a b", "g: 1 true", ""),
    "too few": ("f: a b", "f: 1", ""),
    "under its own name": ("f: a b", "f: 1 .b", ""),
    "under another name": ("f: a b", "f: 1 .c", "b="),
    "computed": ("f: a b", "f: 1 ?", "b="),
    "unpacked": ("f: a b", "f: ...", "b="),
    "unpacked behind": ("f: a b", "f: 1 ...", "b="),
    "unpacked by name": ("f: a * b", "f: ...", "b="),
    "by name only": ("f: a * b", "f: 1 2", ""),
    "handed on": ("f: a b", "f: &", "b="),
    "named in a table": ("f: a b", "f: ^", ""),
    "called through a table": ("f: a b", "f: ^|(?): 1 true", "b=true"),
    "another one called": ("f: a b", "f: 1|(?): 1 true", ""),
    "an object": ("(): a b", "(): 1 true", "b=true"),
    "maybe an object": ("(): a b", "(?): 1 true", "b=true"),
    "no object": ("f: a b", "f: ^|(): 1 true", ""),
    "a class handed on": ("A: @ a b", "A: &", ""),
    "fields": ("A: @ a b", "A: 1 true", "b=true"),
    "fields behind others": ("A: @ * b", "A: 1", "b="),
    "a class below": ("A: a b", "B: 1 true|B<A:", "b=true"),
    "far below": ("A: a b", "C: 1 true|B<A:|C<B:", "b=true"),
    "in a circle": ("A: a b", "A<B:|B<A:", ""),
    "two calls": ("f: a b", "f: 1 true|f: 1 false", "b=false,true"),
    "what is an object": ("f: a b!", "f: 1 ?", "b=<>"),
    "what is an object is a word": ("f: a b!", "f: 1 x", "b=x"),
    "what is an object elsewhere": ("f: a b!|g: b", "f: 1 ?|g: ?", "b=,<>"),
    "what is passed on to an object": ("f: a b!|g: b>", "g: ?|f: 1 .b", "b=<>"),
    "what is passed on to more": ("f: a b!|g: b>|h: b", "g: ?", "b="),
    "what is passed on to nobody": ("g: b>", "g: ?", "b="),
    "only a key": ("f: a b]", "f: 1 x", ""),
    "a key of one": ("f: a b]|g: b", "f: 1 x|g: y", "b=y"),
    "nobody asks": ("f: a c", "f: 1 true", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_calls_fill_parameters(case: str) -> None:
    taking, handing, expected = CASES[case]

    def pairs(text: str) -> list[tuple[str, str]]:
        split = (each.partition(":") for each in text.split("|"))
        return [(name, words.strip()) for name, _, words in split]

    found = filled(pairs(taking), pairs(handing), frozenset({"b"}))
    shown = [f"{name}={','.join(sorted(values))}" for name, values in found.items()]
    assert " ".join(shown) == expected
