"""What the first process holds of each file until all are known: bytes, not seconds."""

from __future__ import annotations

import gc
import io
import tracemalloc
import typing
from collections.abc import Callable

import msgspec
import pytest

from portaudit.cli.common import write
from portaudit.report.json import encode
from portaudit.report.text import spelled
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


def _written(findings: int) -> dict[str, object]:
    """What is written of so many findings, in which a sign has each letter take two bytes."""
    text = "… some words of a finding, as they are " * 5
    return {"findings": [{"rule": "SYN001", "text": f"{i} {text}"} for i in range(findings)]}


def _most(work: Callable[[], object]) -> int:
    """The bytes that some work takes while it lasts."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_report_as_json_is_not_held_many_times() -> None:
    document = _written(4_000)
    most = _most(lambda: encode(document))
    assert most < 5.5 * len(encode(document))


def test_a_text_is_written_without_another_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0

    class Sink(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, content: object) -> int:
            nonlocal seen
            assert isinstance(content, (bytes, memoryview))
            seen += len(content)
            return len(content)

    text = encode(_written(30_000))
    sink = io.TextIOWrapper(io.BufferedWriter(Sink()), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", sink)
    most = _most(lambda: write(text, "utf-8"))
    assert seen == len(text.encode())
    assert most < len(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "ascii", "latin-1"])
def test_a_text_in_parts_is_the_same_text(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a … \N{SLIGHTLY SMILING FACE} é\n" * 300
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding=encoding))
    monkeypatch.setattr("portaudit.cli.common._PART", 7)
    write(text)
    assert raw.getvalue() == spelled(text, encoding).encode(encoding)
