"""Commands of libraries that train and are given code of the tree: that code is the program."""

from __future__ import annotations

import pytest

from portaudit.catalogue import entries as names
from portaudit.relate.entries import Entries, entries
from portaudit.relate.graph import graph
from portaudit.relate.starts import HERE
from portaudit.types import FileResult, Launch, Location, Script
from trees import code, declaring, launching, modules, tree

PLUGIN = (
    code("plug/__init__.py", "plug.data"),
    code("plug/data.py"),
    code("plug/spare.py"),
    code("plug/models/__init__.py"),
    code("plug/models/net.py", "plug.layers"),
    code("plug/models/_old.py"),
    code("plug/layers.py"),
    code("plug/tasks/fit.py"),
)
"""A plug-in of fairseq, of which `plug/models` and `plug/tasks` are imported as wholes."""
READ = ("plug/__init__.py", "plug/tasks/fit.py", "plug/models/__init__.py", "plug/models/net.py")
SHOWS = code("plug/evaluate.py", "plug.models.net", main=9)


def found(*results: FileResult, chosen: tuple[str, ...] = ()) -> Entries:
    paths, placed = tree(results, "/srv/repo"), modules(results, "/srv/repo")
    return entries(results, graph(results, placed), paths, placed, chosen)


def started(text: str, path: str = "run/train.sh", launcher: str = "") -> FileResult:
    """A line that starts something; `-m` before what is a module."""
    first, *words = text.split()
    is_module = first == "-m"
    target = words.pop(0) if is_module else first
    words = [word.replace("HERE", HERE) for word in words]
    return launching(path, Launch(7, target, launcher, is_module, tuple(words)))


@pytest.mark.parametrize(
    ("line", "launcher"),
    [
        ("fairseq-train data --user-dir ../plug --task fit", ""),
        ("fairseq-train --user-dir=../plug --task fit", ""),
        ("fairseq-train --user-dir ./plug/", ""),
        ("fairseq-train --user-dir ${ROOT}/plug", ""),
        ("fairseq-train --user-dir /workspace/repo/plug", ""),
        ("fairseq-train --user-dir HERE/../plug", ""),
        ("/opt/bin/fairseq-train --user-dir plug", "python"),
        ("fairseq-hydra-train common.user_dir=plug task=fit", ""),
        ("-m fairseq_cli.hydra_train +common.user_dir=plug", "torchrun"),
        ("fairseq/fairseq_cli/train.py --user-dir plug", "python"),
        ("-m fairseq_cli.train --user_dir plug", "python"),
    ],
)
def test_a_folder_that_a_library_is_given_is_the_program_that_trains(
    line: str, launcher: str
) -> None:
    told = found(*PLUGIN, SHOWS, started(line, launcher=launcher))
    assert told.main == READ
    entry = told.told()[0]
    assert (entry.path, entry.kind) == ("plug/__init__.py", "training")
    assert Location("run/train.sh", 7) in entry.evidence


@pytest.mark.parametrize(
    "line",
    [
        "fairseq-train data --task fit",
        "fairseq-train --user-dir ../other",
        "fairseq-train --user-dir fairseq/examples/plug",
        "fairseq-train --user-dir $PLUGIN",
        "fairseq-train --user-dir",
        "fairseq-generate --user-dir ../plug",
        "somebody-trains --user-dir ../plug",
        "fairseq-train --save-dir ../plug",
        "fairseq-train --user-dir --task plug",
    ],
)
def test_what_is_not_there_or_does_not_train_is_no_program(line: str) -> None:
    assert found(*PLUGIN, SHOWS, started(line)).main == ("plug/evaluate.py",)


def test_a_folder_that_the_user_names_as_the_entry_is_imported_as_a_whole_too() -> None:
    line = started("fairseq-train data --user-dir ../plug")
    assert found(*PLUGIN, SHOWS, line, chosen=("plug/__init__.py",)).main == READ
    assert found(*PLUGIN, SHOWS, line, chosen=("plug/evaluate.py",)).main == ("plug/evaluate.py",)


def test_the_words_of_the_line_are_the_command_of_the_run() -> None:
    told = found(*PLUGIN, started("fairseq-train --user-dir plug --arch net --fused"))
    assert "net" in told.command.given["arch"]
    assert "fused" in told.command.given


def test_a_script_of_the_tree_that_is_started_leads_to_the_line_in_it() -> None:
    told = found(
        *PLUGIN,
        started("fairseq-train --user-dir ../plug --arch net"),
        launching("README.md", Launch(3, "run/train.sh", "bash")),
    )
    assert told.main == READ
    assert {"README.md", "run/train.sh"} <= told.usual


def test_a_command_that_the_tree_makes_itself_is_its_own_program() -> None:
    own = (
        code("fairseq_cli/__init__.py"),
        code("fairseq_cli/train.py", main=9),
        declaring("setup.py", Script(3, "fairseq-train", "fairseq_cli.train:main")),
    )
    assert found(*PLUGIN, *own, started("fairseq-train --user-dir plug")).main == (
        "fairseq_cli/train.py",
    )


def test_a_program_that_the_first_page_starts_comes_before_it() -> None:
    told = found(
        *PLUGIN,
        code("train.py", "plug.models.net", main=9),
        launching("README.md", Launch(3, "train.py", "python")),
        started("fairseq-train --user-dir plug"),
    )
    assert told.main == ("train.py",)


def test_a_folder_among_tests_trains_nothing() -> None:
    told = found(
        code("tests/plug/__init__.py"),
        code("train.py", main=9),
        started("fairseq-train --user-dir tests/plug"),
    )
    assert told.main == ("train.py",)


@pytest.mark.parametrize(
    ("line", "main"),
    [
        ("allennlp train net.jsonnet --include-package plug.models", READ[2:]),
        ("allennlp train net.jsonnet -s out --include-package plug.data", ("plug/data.py",)),
        ("-m allennlp train net.jsonnet --include-package=plug.tasks", READ[1:2]),
        ("allennlp evaluate out --include-package plug.models", ("plug/evaluate.py",)),
        ("allennlp train net.jsonnet --include-package other.models", ("plug/evaluate.py",)),
    ],
)
def test_a_package_is_imported_with_all_that_is_in_it(line: str, main: tuple[str, ...]) -> None:
    told = found(*PLUGIN, SHOWS, started(line))
    assert set(main) <= set(told.main)
    assert "plug/layers.py" not in told.main
    assert ("plug/evaluate.py" in told.main) == (main == ("plug/evaluate.py",))


def test_several_packages_are_imported_together() -> None:
    line = "allennlp train net.jsonnet --include-package plug.data --include-package plug.spare"
    assert found(*PLUGIN, started(line)).main == ("plug/data.py", "plug/spare.py")


def test_a_line_has_no_list_of_its_own_of_all_that_is_imported() -> None:
    """A page may have as many such lines as the package has modules."""
    spare = [code(f"plug/spare{number}.py") for number in range(40)]
    lines = [f"allennlp train {number}.jsonnet --include-package plug" for number in range(40)]
    told = found(*PLUGIN, *spare, *(started(line, f"{line[15:17]}.sh") for line in lines))
    (program,) = (each for each in told.programs if each.path == told.main[0])
    assert len(told.main) > len(spare)
    assert all(len(start.brings) < len(PLUGIN) for start in program.starts)


def test_every_trainer_has_a_page_that_says_so() -> None:
    assert all(each.source.startswith("https://") for each in names.trainers())
