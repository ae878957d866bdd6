from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from portaudit.cache import VARIABLE, Cache, of_user
from portaudit.catalogue import compiled
from portaudit.catalogue import load as loader
from portaudit.catalogue.facts import figures
from portaudit.catalogue.load import Catalogue, load
from portaudit.catalogue.place import builtin_rules
from portaudit.cli.cache import app
from portaudit.errors import CatalogueError

POSIX = pytest.mark.skipif(os.name != "posix", reason="there is no such mode")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "home" / "portaudit")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the rules were read from their files."""
    counted: list[int] = []

    def counting(extra: Sequence[Path] = (), root: Path | None = None) -> Catalogue:
        counted.append(1)
        return load(extra, root)

    monkeypatch.setattr(loader, "load", counting)
    return counted


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Instead of the built-in rules a few of them, which a test may change."""
    rules = tmp_path / "rules"
    shutil.copytree(builtin_rules() / "_data", rules / "_data")
    for rule in ("DEV001", "DEP001", "FUS001"):
        (path,) = builtin_rules().rglob(f"{rule}-*.toml")
        shutil.copy(path, rules)
    monkeypatch.setattr(loader, "builtin_rules", lambda: rules)
    monkeypatch.setattr(compiled, "builtin_rules", lambda: rules)
    return rules


def stored(cache: Cache) -> Path:
    (place,) = cache.directory.glob("*.cache")
    return place


# --- the catalogue --------------------------------------------------------------------------------


def test_a_warm_cache_gives_the_same_catalogue(cache: Cache, reads: list[int]) -> None:
    plain = load()
    cold, warm = compiled.load((), cache), compiled.load((), cache)
    assert reads == [1]
    for found in (cold, warm):
        assert found == plain
        assert list(found.rules) == list(plain.rules)
        assert list(found.rows) == list(plain.rows)
        assert figures(found) == figures(plain)  # counts each row once, by identity
        assert [*found.selectors()] == [*plain.selectors()]


def test_without_a_cache_or_with_rules_of_others_everything_is_read_and_checked(
    cache: Cache, reads: list[int], own_rules: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert own_rules.is_dir()
    compiled.load((), cache)
    compiled.load()
    compiled.load([other], cache)
    (other / "bad.toml").write_text("schema = 1\n")
    with pytest.raises(CatalogueError, match=r"bad\.toml"):
        compiled.load([other], cache)
    assert len(reads) == 4


@pytest.mark.parametrize("name", ["DEV001", "packages.csv", "guards.toml"])
def test_a_changed_file_of_rules_is_seen(
    cache: Cache, reads: list[int], own_rules: Path, name: str
) -> None:
    before = compiled.load((), cache)
    path = next(own_rules.rglob(f"*{name}*"))
    times = path.stat()
    text = path.read_bytes()
    path.write_bytes(text.replace(b"the", b"eht", 1))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # neither size nor time tell
    after = compiled.load((), cache)
    assert len(reads) == 2
    assert after.digest != before.digest
    path.write_bytes(text)
    assert compiled.load((), cache) == before
    assert len(reads) == 2


def test_a_mistake_in_a_built_in_rule_is_an_error_with_a_cache_too(
    cache: Cache, own_rules: Path
) -> None:
    compiled.load((), cache)
    path = next(own_rules.rglob("DEV001*"))
    path.write_text(path.read_text().replace("severity", "gravity", 1))
    for _ in range(2):
        with pytest.raises(CatalogueError, match="gravity"):
            compiled.load((), cache)


@pytest.mark.usefixtures("own_rules")
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:0],
        lambda content: content[:-1],
        lambda content: content[:200] + b"\0" + content[201:],
        lambda content: b"\x80\x04" * len(content),
    ],
    ids=["empty", "cut", "changed", "foreign"],
)
def test_a_damaged_content_is_read_anew_and_replaced(
    cache: Cache, reads: list[int], damage: Callable[[bytes], bytes]
) -> None:
    whole = compiled.load((), cache)
    place = stored(cache)
    place.write_bytes(damage(place.read_bytes()))
    assert compiled.load((), cache) == whole
    assert compiled.load((), cache) == whole
    assert len(reads) == 2


@pytest.mark.parametrize("content", [b"\x80", b"\xc1", b"no catalogue"])
def test_a_whole_content_of_another_making_is_read_anew(
    cache: Cache, reads: list[int], content: bytes, own_rules: Path
) -> None:
    key = compiled._key(own_rules)
    cache.put("catalogue", key, content)
    assert cache.get("catalogue", key) == content
    assert compiled.load((), cache) == load()
    assert reads == [1]


def test_processes_that_race_see_the_same_catalogue(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from portaudit.cache import Cache; from portaudit.catalogue import compiled\n"
        "cache = Cache(Path(sys.argv[1]))\n"
        "print({compiled.load((), cache).digest for _ in range(2)})\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate()[0] for process in racing}
    assert said == {f"{ {load().digest} }\n"}
    assert [path.suffix for path in (tmp_path / "cache").iterdir() if path.suffix] == [".cache"]


# --- the directory --------------------------------------------------------------------------------


def test_what_was_put_is_there_until_it_is_cleared(cache: Cache) -> None:
    assert cache.get("kind", "a") is None
    assert cache.size() == (0, 0)
    cache.put("kind", "a", b"first")
    cache.put("kind", "a", b"second")
    cache.put("other", "a", b"")
    assert (cache.get("kind", "a"), cache.get("other", "a")) == (b"second", b"")
    assert cache.get("kind", "b") is None
    assert cache.size() == (2, 2 * 32 + len(b"second"))
    others = [cache.directory / name for name in ("notes", "db.sqlite3", "results.sqlite3")]
    for other in others:
        other.touch()
    (cache.directory / "portaudit-odd.sqlite3").mkdir()
    cache.clear()
    assert cache.get("kind", "a") is None
    assert all(other.exists() for other in others)


def test_the_oldest_of_a_kind_go(cache: Cache) -> None:
    for number in range(20):
        cache.put("kind", f"{number}", b"x")
        os.utime(cache._path("kind", f"{number}"), (number, number))
    cache.put("other", "0", b"x")
    kept = [number for number in range(20) if cache.get("kind", f"{number}")]
    assert len(kept) == 8
    assert 19 in kept
    assert 0 not in kept


@POSIX
def test_the_directory_is_for_its_owner_alone(cache: Cache) -> None:
    cache.put("kind", "a", b"x")
    assert cache.directory.stat().st_mode & 0o777 == 0o700
    assert (cache.directory / ".gitignore").read_text() == "*\n"


@POSIX
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_can_write_to_is_neither_read_nor_written(
    cache: Cache, reads: list[int], mode: int, own_rules: Path
) -> None:
    compiled.load((), cache)
    cache.directory.chmod(mode)
    assert "others can write" in cache.refusal()
    assert cache.get("catalogue", compiled._key(own_rules)) is None
    cache.put("kind", "b", b"x")
    assert compiled.load((), cache) == load()
    cache.directory.chmod(0o700)
    assert cache.get("kind", "b") is None
    assert len(reads) == 2


@POSIX
def test_a_directory_of_another_user_is_neither_read_nor_written(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put("kind", "a", b"x")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "another user" in cache.refusal()
    assert cache.get("kind", "a") is None
    cache.put("kind", "b", b"x")
    assert cache.size()[0] == 1


@pytest.mark.usefixtures("own_rules")
def test_a_place_that_cannot_be_written_loses_nothing(tmp_path: Path, reads: list[int]) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below", Path("/dev/null/portaudit")):
        cache = Cache(place)
        assert compiled.load((), cache) == load()
        assert cache.get("catalogue", "any") is None
        assert cache.size() == (0, 0)
        cache.clear()
    assert len(reads) == 3


def test_a_writer_that_died_leaves_nothing_that_is_read(cache: Cache) -> None:
    cache.put("kind", "a", b"whole")
    partial = cache.directory / "kind-a.cache.123.partial"
    partial.write_bytes(b"half")
    assert cache.get("kind", "a") == b"whole"
    cache.clear()
    assert not partial.exists()


@POSIX
def test_what_is_no_file_is_not_read(cache: Cache, tmp_path: Path) -> None:
    cache.make()
    other = Cache(tmp_path / "other")
    other.put("kind", "a", b"x")
    cache._path("kind", "a").symlink_to(other._path("kind", "a"))
    os.mkfifo(cache._path("kind", "b"))
    cache._path("kind", "c").mkdir()
    with cache._path("kind", "d").open("wb") as file:
        file.truncate(10**12)
    assert [cache.get("kind", key) for key in "abcd"] == [None] * 4
    partial = cache.directory / f"kind-a.cache.{os.getpid()}.partial"
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    partial.symlink_to(precious)
    for key in "abcd":
        cache.put("kind", key, b"new")
    assert [cache.get("kind", key) for key in "abcd"] == [b"new", b"new", None, b"new"]
    assert other.get("kind", "a") == b"x"
    assert precious.read_bytes() == b"mine"


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert of_user() == Cache(tmp_path / "mine")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert of_user() == Cache(tmp_path / "xdg" / "portaudit")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification has it ignored
    assert of_user() == Cache(tmp_path / ".cache" / "portaudit")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert of_user() == Cache(tmp_path / "Library" / "Caches" / "portaudit")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert of_user() == Cache(tmp_path / "local" / "portaudit")
    monkeypatch.delenv("LOCALAPPDATA")
    assert of_user() == Cache(tmp_path / "AppData" / "Local" / "portaudit")


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(Path, "home", none)
    assert of_user() is None


# --- the commands ---------------------------------------------------------------------------------


def told(*words: str) -> list[str]:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_info_and_clear(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(cache.directory))
    place = str(cache.directory)
    assert told("info") == [place, "0 files, 0.0 MB"]
    cache.put("kind", "a", b"x" * 1_234_567)
    assert told("info") == [place, "1 file, 1.2 MB"]
    assert told("clear") == ["removed 1 file, 1.2 MB"]
    assert told("info") == [place, "0 files, 0.0 MB"]


@POSIX
def test_info_says_why_a_cache_is_not_used(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(cache.directory))
    cache.put("kind", "a", b"x")
    cache.directory.chmod(0o777)
    assert told("info")[-1] == "not used: others can write to it: chmod go-w would do"
