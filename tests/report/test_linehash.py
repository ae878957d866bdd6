from __future__ import annotations

import pytest

from portaudit.report.linehash import line_hashes

GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]
LOREM = [
    *(f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)),
    "a7f2ff1481e87703:1",
    "a9cf91f7bbf1862b:1",
    "55ec222b86bcae53:1",
    "cc97dc7b1d7d8f7b:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            [
                "271789c17abda88f:1",
                "54703d4cd895b18:1",
                "180aee12dab6264:1",
                "a23a3dc5e078b07b:1",
            ],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS),
        ("Lorem ipsum dolor sit amet.\n" * 10, LOREM),
    ],
)
def test_hashes_are_those_that_github_computes(text: str, expected: list[str]) -> None:
    found = line_hashes(text.encode(), range(1, 99))
    assert list(found) == list(range(1, len(expected) + 1))
    assert list(found.values()) == expected


def test_hashes_are_given_for_the_lines_that_are_asked_for() -> None:
    text = b"Lorem ipsum dolor sit amet.\n" * 10
    assert line_hashes(text, [3, 8, 40]) == {3: LOREM[2], 8: LOREM[7]}


END = "c129715d7a2bc9a3:1"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("\U0001d4b3 = 1\n".encode(), ["6b14f46c9cba4457:1", END]),
        (b"\xef\xbb\xbfa\n", ["25afd31b599dedcd:1", END]),
        (b"x\xff\xfey\n", ["14e2a725ea27e970:1", END]),
        (b"\xe2\x82 z\n", ["885e51959f708644:1", END]),
        (b"\xed\xa0\x80\n", ["66bb4c1842ee204c:1", END]),
        (b"a\0b\n\x0c\n", ["2e4b7fbb28f3a2b2:1", "6eb1e256ec039e31:1", END]),
        (b"a\r \nb", ["67c066a59e652f5e:1", "cc4c43d77869440f:1", "8ee5a81e681643c1:1"]),
    ],
)
def test_hashes_of_odd_bytes_are_those_that_github_computes(
    content: bytes, expected: list[str]
) -> None:
    assert list(line_hashes(content, range(1, 9)).values()) == expected
