"""What the first process holds of each file until all are known: bytes, not seconds."""

from __future__ import annotations

import gc
import tracemalloc
import typing

import msgspec
import pytest

from portaudit.sharing import shared
from portaudit.types import (
    CodeFacts,
    Export,
    FileFacts,
    FileResult,
    Finding,
    Import,
    Known,
    Option,
    Ref,
    Setting,
)


def _structs(kind: object, found: set[type[msgspec.Struct]]) -> set[type[msgspec.Struct]]:
    """The types of structs that a value of a type may hold, itself among them."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind not in found:
            found.add(kind)
            for field in msgspec.structs.fields(kind):
                _structs(field.type, found)
    else:
        for part in typing.get_args(kind):
            _structs(part, found)
    return found


HELD = sorted(_structs(FileResult, set()), key=lambda kind: kind.__name__)


def test_what_a_file_gives_is_found_by_its_types() -> None:
    assert {Finding, FileFacts, CodeFacts, Setting, Option, Export, Import} <= set(HELD)


@pytest.mark.parametrize("kind", HELD, ids=lambda kind: kind.__name__)
def test_what_is_held_of_a_file_is_not_searched_for_garbage(kind: type[msgspec.Struct]) -> None:
    """Each that is has two words more, and is looked at again and again; none can be in a cycle."""
    config = kind.__struct_config__
    assert config.frozen
    assert not config.gc


def _one(number: int) -> FileResult:
    """A file as many are: names that all have, and a few of its own."""
    return FileResult(
        f"pkg/file_{number}.py",
        facts=FileFacts(
            exports=tuple((f"name_{i}", Export((Ref("torch.device"),), Known())) for i in range(9)),
            code=CodeFacts(
                imports=tuple(Import(f".module_{i}", i, text=f"import {i}") for i in range(9)),
                options=tuple(
                    Option((i, i + 3), f"use_{i}", ("true",), i, f"if use_{i}:") for i in range(20)
                ),
            ),
            settings=tuple(Setting(f"option_{i}", "true", i) for i in range(99)),
        ),
    )


def _held(number: int) -> tuple[int, int]:
    """Bytes, and objects that a search for garbage looks at, of so many files as they are kept."""
    written = [msgspec.msgpack.encode(_one(each)) for each in range(number)]
    gc.collect()
    before = len(gc.get_objects())
    tracemalloc.start()
    try:
        held = [shared(msgspec.msgpack.decode(each, type=FileResult)) for each in written]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    gc.collect()
    tracked = len(gc.get_objects()) - before
    assert len(held) == number
    return taken, tracked


def test_a_file_more_takes_no_more_than_the_one_before() -> None:
    few, _ = _held(100)
    many, _ = _held(400)
    assert many < 4.1 * few


def test_a_file_takes_few_bytes_and_nothing_to_search() -> None:
    taken, tracked = _held(200)
    assert taken / 200 < 19_000
    assert tracked < 200
