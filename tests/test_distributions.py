"""The wheel and the source distribution: what is in them, and the same bytes wherever made."""

from __future__ import annotations

import datetime
import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import tomli

pytest.importorskip("hatchling")

CHECKOUT = Path(__file__).resolve().parent.parent
SETTINGS = tomli.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = "portaudit-" + SETTINGS["project"]["version"]
WHEEL, SOURCES = f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz"
INFO, DATA = f"{NAME}.dist-info", f"{NAME}.data/data"
LITTER = (
    "portaudit/__pycache__/types.cpython-310.pyc",
    "rules/__pycache__/x.pyc",
    "tests/__pycache__/test_cli.cpython-310-pytest.pyc",
    "portaudit.egg-info/PKG-INFO",
    ".hypothesis/constants/1",
    ".mypy_cache/x.json",
    ".pytest_cache/README.md",
    ".venv/bin/python",
    "build/lib/portaudit/types.py",
    "dist/old.whl",
    # what no ignore file knows of
    ".env",
    ".portaudit-baseline.json",
    "notes/to-do.md",
    "report.html",
)
"""What lies in a work tree, and belongs to whoever works there."""


def tracked() -> list[str]:
    """The files of the checkout, as git knows them."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],  # noqa: S607
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this is no checkout of git's")
    return [name for name in os.fsdecode(done.stdout).split("\0") if (CHECKOUT / name).is_file()]


def copied(to: Path, mask: int) -> Path:
    """The tracked files, as a checkout under this umask has them."""
    for name in tracked():
        path = to / name
        path.parent.mkdir(mode=0o777 & ~mask, parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, path)
        path.chmod((0o777 if os.access(CHECKOUT / name, os.X_OK) else 0o666) & ~mask)
    return to


def made(checkout: Path, to: Path, *kinds: str, **environment: str) -> Path:
    """The folder with what is built of a checkout, and no network to build it with."""
    said = {key: text for key, text in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    targets = [word for kind in kinds for word in ("-t", kind)]
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(to), *targets],
        cwd=checkout,
        env={**said, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return to


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, of a checkout as a server has it."""
    home = tmp_path_factory.mktemp("one-machine")
    return made(copied(home / "checkout", 0o022), home / "dist", "sdist", "wheel")


@pytest.fixture(scope="module")
def members(built: Path) -> Mapping[str, Mapping[str, bytes]]:
    """The files of both, without the folder that a source distribution begins with."""
    with zipfile.ZipFile(built / WHEEL) as wheel:
        of_wheel = {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(built / SOURCES) as sources:
        of_sources = {
            each.name.removeprefix(f"{NAME}/"): file.read()
            for each in sources
            if (file := sources.extractfile(each))
        }
    return {WHEEL: of_wheel, SOURCES: of_sources}


def stamps(folder: Path) -> Iterator[datetime.datetime]:
    """All times in both."""
    with zipfile.ZipFile(folder / WHEEL) as wheel:
        for each in wheel.infolist():
            yield datetime.datetime(*each.date_time, tzinfo=datetime.timezone.utc)
    with tarfile.open(folder / SOURCES) as sources:
        for entry in sources:
            yield datetime.datetime.fromtimestamp(entry.mtime, tz=datetime.timezone.utc)


def test_another_place_clock_umask_and_language_make_the_same_bytes(
    built: Path, tmp_path: Path
) -> None:
    checkout = copied(tmp_path / "quite elsewhere" / "work", 0o077)
    for path in checkout.rglob("*"):
        os.utime(path, (915_148_800, 915_148_800))
    for name in LITTER:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("litter")
    surroundings = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7", "USER": "else"}
    made(checkout, tmp_path / "dist", "sdist", "wheel", **surroundings)
    for name in (WHEEL, SOURCES):
        assert (tmp_path / "dist" / name).read_bytes() == (built / name).read_bytes()


def test_the_wheel_of_the_source_distribution_is_that_of_the_checkout(
    built: Path, tmp_path: Path
) -> None:
    with tarfile.open(built / SOURCES) as sources:
        sources.extractall(tmp_path, filter="data")
    made(tmp_path / NAME, tmp_path / "dist", "wheel")
    assert (tmp_path / "dist" / WHEEL).read_bytes() == (built / WHEEL).read_bytes()


def test_the_time_in_them_is_the_one_that_is_given_or_always_the_same(
    built: Path, tmp_path: Path
) -> None:
    checkout = built.parent / "checkout"
    made(checkout, tmp_path, "sdist", "wheel", SOURCE_DATE_EPOCH="1700000000")
    given = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)
    assert set(stamps(tmp_path)) == {given}
    assert len(set(stamps(built))) == 1


def test_the_wheel_has_the_program_its_rules_the_man_page_and_the_licence(
    members: Mapping[str, Mapping[str, bytes]],
) -> None:
    files = tracked()
    wanted = {name for name in files if name.startswith("portaudit/")}
    wanted |= {f"portaudit/_{name}" for name in files if name.startswith("rules/")}
    wanted |= {f"{INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    wanted |= {f"{INFO}/licenses/LICENSE", f"{DATA}/share/man/man1/portaudit.1"}
    assert set(members[WHEEL]) == wanted


def test_the_source_distribution_has_what_git_has_but_for_what_runs_in_ci(
    members: Mapping[str, Mapping[str, bytes]],
) -> None:
    files = {name for name in tracked() if not name.startswith(".ci/")}
    assert set(members[SOURCES]) == {*files, "PKG-INFO"}


def test_what_is_in_them_is_what_is_in_the_checkout(
    members: Mapping[str, Mapping[str, bytes]],
) -> None:
    for name, content in members[SOURCES].items():
        if name != "PKG-INFO":
            assert content == (CHECKOUT / name).read_bytes(), name
    for name, content in members[WHEEL].items():
        if not name.startswith((INFO, DATA)):
            there = name.replace("portaudit/_rules/", "rules/")
            assert content == (CHECKOUT / there).read_bytes(), name


def test_nothing_in_them_tells_of_the_machine(
    built: Path, members: Mapping[str, Mapping[str, bytes]]
) -> None:
    for kind, files in members.items():
        for name, content in files.items():
            assert built.parent.name.encode() not in content, f"{kind}: {name}"
    with tarfile.open(built / SOURCES) as sources:
        assert {(each.uid, each.gid, each.uname, each.gname) for each in sources} == {
            (0, 0, "", "")
        }


def test_the_metadata_says_what_the_settings_say(
    members: Mapping[str, Mapping[str, bytes]],
) -> None:
    told = email.message_from_bytes(members[WHEEL][f"{INFO}/METADATA"])
    project = SETTINGS["project"]
    assert told["License-Expression"] == project["license"]
    assert told.get_all("License-File") == project["license-files"]
    assert told["Requires-Python"] == project["requires-python"]
    assert len(told.get_all("Requires-Dist", [])) == len(project["dependencies"])
    assert members[WHEEL][f"{INFO}/entry_points.txt"].split() == [
        *(b"[console_scripts]", b"portaudit", b"=", b"portaudit.cli:main")
    ]
