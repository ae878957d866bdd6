"""What the tests share: the flag that rewrites expected output, and trees made of text."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from portaudit import engine
from portaudit.config import Config
from portaudit.types import Report

GOLDEN = Path(__file__).parent / "golden"


def pytest_configure() -> None:
    """Take Ctrl-C as a terminal gives it: what a shell starts behind itself is deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests away from the user's cache; processes that they start share one of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTAUDIT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_surroundings() -> Iterator[None]:
    """Take away what a terminal or a CI service says of itself: it changes what is drawn."""
    said = "CI", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "TERM"
    with pytest.MonkeyPatch.context() as patch:
        for name in {*said, *(name for name in os.environ if name.startswith("GITHUB_"))}:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a file under tests/golden, or write it with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert text == path.read_bytes().decode(), (
            f"run pytest --update-golden, then look at {path}"
        )

    return compare


@pytest.fixture
def make_tree(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write files by path; a path that ends in a slash is an empty directory."""

    def make(files: Mapping[str, str]) -> Path:
        root = (tmp_path / "repo").resolve()
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        return root

    return make


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the engine was asked for a report."""
    counted: list[int] = []
    original = engine.scan

    def counting(*args: Config, **given: object) -> Report:
        counted.append(1)
        return original(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "scan", counting)
    return counted
