"""`bench/startup` measures only what works: a command that fails is quick, and means nothing."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PLACE = Path(__file__).parent.parent / "bench" / "startup" / "startup.py"


@pytest.fixture(scope="module")
def startup() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("bench_startup", PLACE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def scene(startup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The small repository that the commands run in, in a shell that knows nothing of us."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with startup.scene(startup.DEFAULT) as made:
        yield made


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-m", "no_such_module"), r"portaudit \d"),
        (("-m", "no_such_module"), ""),
        (("-c", "raise SystemExit(1)"), r"train\.py:\d"),
        (("-c", "print('train.py: no line')"), r"train\.py:\d"),
        (("-c", "print('train.py:1'); raise SystemExit(3)"), r"train\.py:\d"),
    ],
)
def test_a_command_that_does_not_work_is_refused(
    startup: ModuleType, scene: object, words: tuple[str, ...], expected: str
) -> None:
    program = startup.Program("a row", (sys.executable, *words), expected)
    with pytest.raises(SystemExit, match="a row: exit code"):
        startup.tried(program, scene)


def test_the_commands_that_are_measured_work(startup: ModuleType, scene: object) -> None:
    programs = list(startup.programs("train.py"))
    names = [program.name for program in programs]
    assert startup.UNIT in names
    for word in ("with hits", "unchanged", "without a trigger", "--staged", "regex hook"):
        assert any(word in name for name in names), word
    for program in programs:
        if not program.cold and "ruff" not in program.name:
            startup.tried(program, scene)


def test_a_changed_file_is_another_one_each_time(startup: ModuleType) -> None:
    with startup.scene(startup.DEFAULT) as made:
        place = made.folder / "train.py"
        seen = {place.read_bytes()}
        for _ in range(3):
            made.change()
            seen.add(place.read_bytes())
        assert len(seen) == 4
        assert startup.DEFAULT.read_bytes() in seen
        assert os.fspath(made.folder) not in os.fspath(startup.DEFAULT)
