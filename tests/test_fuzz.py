"""`bench/fuzz`: its targets, changes and seeds work, on a few inputs of each.

The long runs are made by hand; what they found has tests of its own where it belongs.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from portaudit.kinds import kind_by_name
from portaudit.types import FileResult, SourceFile
from snippets import catalogue

PLACE = Path(__file__).parent.parent / "bench" / "fuzz"
NAMES = ("changes", "targets", "inputs", "fuzz", "mutate", "long")
KINDS = (
    *("python", "notebook", "shell", "native", "docker", "make", "cmake", "hcl", "gin", "yaml"),
    *("json", "toml", "requirements", "markdown", "ini"),
)
OTHERS = (
    *("suppress", "accept", "ignore", "rules", "settings", "operators", "baseline", "report"),
    *("cache", "git", "written", "tree"),
)
SEED = 9


@pytest.fixture(scope="module")
def bench() -> Iterator[dict[str, ModuleType]]:
    sys.path.insert(0, str(PLACE))
    try:
        yield {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(PLACE))
        for name in NAMES:
            sys.modules.pop(name, None)


def test_there_is_a_target_for_each_kind_of_file(bench: dict[str, ModuleType]) -> None:
    assert set(bench["targets"].PATHS) == set(KINDS)
    assert set(bench["targets"].TARGETS) == {*KINDS, *OTHERS}
    for kind, paths in bench["targets"].PATHS.items():
        assert {kind_by_name(path) for path in paths} == {kind}


@pytest.mark.parametrize("name", [*KINDS, *OTHERS])
def test_a_target_holds_for_some_of_its_seeds_and_what_is_made_of_them(
    bench: dict[str, ModuleType], name: str
) -> None:
    random = Random(f"{SEED} {name}")  # noqa: S311 - nothing secret
    target, seeds = bench["targets"].TARGETS[name], bench["inputs"].seeds(name)
    words = bench["inputs"].words(name)
    assert seeds
    assert len(words) > 100
    for seed in random.sample(seeds, min(3, len(seeds))):
        bench["targets"].within_limits(target, seed)
        made = bench["changes"].changed(seed, random.choice(seeds), words, random)
        bench["targets"].within_limits(target, made[: target.longest])


@pytest.mark.parametrize("name", ["baseline", "report", "json", "notebook"])
def test_json_stays_json_when_its_values_change(bench: dict[str, ModuleType], name: str) -> None:
    random = Random(SEED)  # noqa: S311 - nothing secret
    target, seeds = bench["targets"].TARGETS[name], bench["inputs"].seeds(name)
    seed = next(each for each in seeds if each[int(name != "baseline") :].startswith(b"{"))
    head = seed[: int(name != "baseline")]
    for _ in range(3):
        made = bench["changes"].changed_json(seed[len(head) :], random)
        json.loads(made)
        bench["targets"].within_limits(target, head + made)


def test_what_breaks_a_promise_is_seen(
    bench: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    targets, fuzz = bench["targets"], bench["fuzz"]

    def scanned(source: SourceFile, *_: object) -> FileResult:
        return FileResult(source.path, failed=b"()" in source.content)

    monkeypatch.setattr(targets, "scan_file", scanned)
    data = b"\0x = 1\ny.cuda()\n"
    with pytest.raises(targets.BrokenPromiseError) as caught:
        targets.within_limits(targets.TARGETS["python"], data)
    fuzz.keep(tmp_path, data, caught.value)
    (kept,) = tmp_path.glob("*.bin")
    assert kept.read_bytes() == data
    fuzz.shrink("python", kept)
    assert kept.with_suffix(".short").read_bytes()[1:] == b"()"


def test_an_input_that_takes_too_long_is_seen(
    bench: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = bench["targets"]

    def endless(_: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(targets, "SECONDS", 1)
    with pytest.raises(targets.BrokenPromiseError, match="more than 1 s"):
        targets.within_limits(targets.Target("endless", endless), b"")


def test_both_parsers_are_compared(
    bench: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = bench["targets"]
    read = targets.quick.read
    monkeypatch.setattr(targets.quick, "read", lambda text: read(text.replace("True", "None")))
    with pytest.raises(targets.BrokenPromiseError, match="libcst says otherwise"):
        targets.check_file(b"\0import torch\nuse_flash = True\n", ("a.py",))


def test_mutants_are_the_same_again_and_hold(bench: dict[str, ModuleType]) -> None:
    mutate = bench["mutate"]
    files = mutate.sources([PLACE.parent.parent / "fixtures"])
    assert len(files["python"]) > 10
    for number in range(20):
        made = mutate.mutant(files, SEED, number)
        assert made == mutate.mutant(files, SEED, number)
        assert made.ways
        mutate.check(made)


def test_long_files_are_scanned_in_a_process_of_their_own(bench: dict[str, ModuleType]) -> None:
    long = bench["long"]
    assert set(long._LINES) == set(KINDS)
    for kind in ("python", "shell"):
        word, content = next(iter(long.contents(kind, 100)))
        assert word in content
        assert long.taken(kind, content)[1] == ""
    source = SourceFile("a.py", "python", long._LINES["python"].encode())
    assert bench["targets"].scan_file(source, catalogue(), "torchneuron").findings


def test_growth_is_read_from_what_the_fuzzer_says_in_all_its_runs(
    bench: dict[str, ModuleType], tmp_path: Path
) -> None:
    said = tmp_path / "fuzzer.txt"
    assert bench["fuzz"]._edges(said) == (0, 0, 0)
    first = "#1 pulse  cov: 5\n#40 INITED cov: 70 ft: 9\n#45 NEW    cov: 71 ft: 9\n"
    said.write_text(f"{first}nonsense\n#50 INITED cov: 71\n#60 NEW cov: 80\n#145 REDUCE cov: 90\n")
    assert bench["fuzz"]._edges(said) == (70, 71, 90)
