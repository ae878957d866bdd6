"""Results of different files hold equal strings once."""

from __future__ import annotations

import msgspec

from portaudit.sharing import shared
from portaudit.types import Export, FileFacts, FileResult, Flag, Known, Ref, Setting

RESULT = FileResult(
    "src/train.py",
    facts=FileFacts(
        exports=(("device_of", Export((Ref("torch.device"),), Known(True))),),
        calls=(),
        settings=(Setting("use_flash", "true", 3),),
    ),
)
CONTENT = msgspec.msgpack.encode(RESULT)


def decoded() -> FileResult:
    return msgspec.msgpack.decode(CONTENT, type=FileResult)


def test_what_is_shared_is_equal() -> None:
    assert shared(decoded()) == RESULT
    assert msgspec.msgpack.encode(shared(decoded())) == CONTENT


def test_strings_are_held_once() -> None:
    first, second = shared(decoded()), shared(decoded())
    (one, export), (other, same) = first.facts.exports[0], second.facts.exports[0]
    assert one is other
    assert export.values[0].name is same.values[0].name  # type: ignore[union-attr]
    assert first.path is second.path
    assert first.facts.settings[0].name is second.facts.settings[0].name


def test_numbers_and_constants_stay_what_they_are() -> None:
    flag: Flag = Known(None)
    assert shared(flag) is flag
    assert shared((1, 2.5, None, True)) == (1, 2.5, None, True)
