from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from portaudit.relate.entries import Entries, entries
from portaudit.relate.graph import graph
from portaudit.types import (
    Deed,
    EntryPoint,
    FileFacts,
    FileResult,
    Launch,
    Location,
    Mention,
    Script,
)
from trees import code, configuring, declaring, launching, modules, tree

TRAINS: tuple[tuple[Deed, int], ...] = (("backward", 20),)


def found(*results: FileResult, root: str = "/srv/repo", chosen: Sequence[str] = ()) -> Entries:
    paths, names = tree(results, root), modules(results, root)
    return entries(results, graph(results, names), paths, names, chosen)


def told(*results: FileResult) -> dict[str, EntryPoint]:
    return {entry.path: entry for entry in found(*results).told()}


def readme(*commands: str, path: str = "README.md") -> FileResult:
    """Commands, one a line, of which the second word is a file and the rest its arguments."""
    return launching(path, *map(command, range(1, len(commands) + 1), commands))


def leading(*paths: str, path: str = "README.md") -> FileResult:
    """A first page that leads to some paths, one a line."""
    told = tuple(Mention(line, each) for line, each in enumerate(paths, start=1))
    return FileResult(path, facts=FileFacts(mentions=told))


def command(line: int, text: str) -> Launch:
    launcher, target, *arguments = text.split()
    if target == "-m":
        return Launch(line, arguments[0], launcher, module=True, arguments=tuple(arguments[1:]))
    return Launch(line, target, launcher, arguments=tuple(arguments))


# --- what is a program ----------------------------------------------------------------------------


def test_programs_have_a_main_guard_or_are_started() -> None:
    programs = told(
        code("train.py", "model", main=30),
        code("model.py"),
        code("sample.py"),
        code("setup.py", main=3),
        readme("python sample.py"),
    )
    assert programs.keys() == {"train.py", "sample.py"}
    assert programs["train.py"].evidence == (Location("train.py", 30),)
    assert programs["sample.py"].evidence == (Location("README.md", 1),)


@pytest.mark.parametrize(
    ("launcher", "target", "path"),
    [
        ("README.md", "train.py", "train.py"),
        ("README.md", "./tools/train.py", "tools/train.py"),
        ("README.md", "${ROOT}/tools/train.py", "tools/train.py"),
        ("README.md", "/workspace/repo/tools/train.py", "tools/train.py"),
        ("README.md", "only/here.py", "deep/only/here.py"),
        ("a/README.md", "twice.py", "a/twice.py"),
        ("a/run.sh", "../tools/train.py", "tools/train.py"),
        ("a/run.sh", "train.py", "train.py"),
        ("tools/run.sh", "$(dirname $0)/train.py", "tools/train.py"),
        ("tools/run.sh", "$(dirname $0)/../train.py", "train.py"),
        ("tools/run.sh", "tools/train.py", "tools/train.py"),
        ("a/run.sh", "$script", None),
        ("README.md", "tools", "tools/__main__.py"),
        ("README.md", "absent.py", None),
    ],
)
def test_a_launch_finds_its_file(launcher: str, target: str, path: str | None) -> None:
    files = (
        *("train.py", "tools/train.py", "tools/__main__.py", "deep/only/here.py"),
        *("a/twice.py", "b/twice.py"),
    )
    start = launching(launcher, Launch(3, target, "python"))
    programs = found(*map(code, files), start).programs
    assert [program.path for program in programs] == ([] if path is None else [path])


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("pkg.train", "pkg/train.py"),
        ("pkg", "pkg/__main__.py"),
        ("go", "scripts/go.py"),
        ("torch.utils.collect_env", None),
    ],
)
def test_a_module_is_found_as_python_does(name: str, path: str | None) -> None:
    files = ("pkg/__init__.py", "pkg/__main__.py", "pkg/train.py", "scripts/go.py")
    start = launching("README.md", Launch(3, name, "python", module=True))
    programs = found(*map(code, files), start).programs
    assert [program.path for program in programs] == ([] if path is None else [path])


def test_a_console_script_is_a_program_and_its_name_a_command() -> None:
    programs = told(
        declaring("pyproject.toml", Script(9, "ns-train", "pkg.scripts.go:main")),
        code("pkg/__init__.py"),
        code("pkg/scripts/go.py"),
        launching("README.md", Launch(4, "ns-train", arguments=("nerf",))),
    )
    entry = programs["pkg/scripts/go.py"]
    assert (entry.kind, entry.main) == ("training", True)
    assert entry.evidence == (Location("README.md", 4), Location("pyproject.toml", 9))


@pytest.mark.parametrize(
    ("launch", "started"),
    [
        (Launch(4, "tool", arguments=("sft", "--lr", "1")), {"pkg/go.py", "pkg/sft.py"}),
        (Launch(4, "tool", arguments=("zip",)), {"pkg/go.py", "pkg/zip.py"}),
        (
            Launch(4, "pkg.go", "python", module=True, arguments=("zip",)),
            {"pkg/go.py", "pkg/zip.py"},
        ),
        (Launch(4, "pkg/go.py", "python", arguments=("sft",)), {"pkg/go.py", "pkg/sft.py"}),
        (Launch(4, "pkg/go.py", "python", arguments=("zip",)), {"pkg/go.py"}),  # may be anything
        (
            Launch(4, "pkg/go.py", "python", arguments=("pkg/sft.py", "x")),
            {"pkg/go.py", "pkg/sft.py"},
        ),
        (Launch(4, "pkg/go.py", "python", arguments=("pkg/net.py",)), {"pkg/go.py"}),  # settings
        (Launch(4, "pkg/go.py", "python", arguments=("pkg/none.py",)), {"pkg/go.py"}),
        (Launch(4, "tool", arguments=("--lr", "sft")), {"pkg/go.py"}),
        (Launch(4, "tool", arguments=("net",)), {"pkg/go.py"}),
        (Launch(4, "tool", arguments=("train",)), {"pkg/go.py"}),
    ],
)
def test_the_first_argument_may_be_a_program_of_its_own(launch: Launch, started: set[str]) -> None:
    entry = found(
        declaring("pyproject.toml", Script(9, "tool", "pkg.go:main")),
        code("pkg/__init__.py"),
        code("pkg/go.py", "pkg.sft", "pkg.zip", "pkg.net"),
        code("pkg/sft.py", main=9),
        code("pkg/zip.py", main=9),
        code("pkg/net.py"),
        code("other/train.py", main=9),
        launching("README.md", launch),
    )
    lines = {each.path: each.starts for each in entry.programs}
    place = Location("README.md", 4)
    assert {path for path in lines if any(each.place == place for each in lines[path])} == started
    for path in started - {"pkg/go.py"}:
        assert [each.arguments for each in lines[path] if each.place == place] == [
            launch.arguments[1:]
        ]


def test_a_script_of_a_package_leads_to_the_module_that_has_the_function() -> None:
    programs = told(
        declaring("setup.py", Script(9, "go", "pkg:main")),
        code("pkg/__init__.py", ".cli.main"),
        code("pkg/cli.py"),
    )
    assert programs.keys() == {"pkg/cli.py"}


def test_shell_files_that_start_others_are_followed() -> None:
    programs = told(
        code("tools/train.py", does=TRAINS),
        code("other.py", main=4, does=TRAINS),
        launching("tools/dist.sh", Launch(8, "$(dirname $0)/train.py", "torchrun")),
        launching("README.md", Launch(40, "./tools/dist.sh", arguments=("x.py", "8"))),
    )
    assert programs["tools/train.py"].evidence[:2] == (
        Location("README.md", 40),
        Location("tools/dist.sh", 8),
    )
    assert programs["tools/train.py"].main


def test_files_that_start_one_another_are_no_endless_story() -> None:
    programs = told(
        launching("a.sh", Launch(1, "b.sh", "bash")),
        launching("b.sh", Launch(1, "a.sh", "bash"), Launch(2, "train.py", "python")),
        code("train.py"),
    )
    assert programs.keys() == {"train.py"}


# --- what it is for -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "does", "kind"),
    [
        ("main.py", "fit", "training"),
        ("main.py", "optimizer", "training"),
        ("main.py", "generate", "inference"),
        ("main.py", "evaluate", "evaluation"),
        ("main.py", "export", "export"),
        ("main.py", "write", "data preparation"),
        ("main.py", "options", "tool"),
        ("run_pretrain.py", "options", "training"),
        ("train_tokenizer.py", "write", "data preparation"),
        ("prepare_train_data.py", "options", "data preparation"),
        ("train_benchmark.py", "backward", "benchmark"),
        ("eval_linear.py", "optimizer", "evaluation"),
        ("convert_checkpoint.py", "options", "export"),
        ("evals/task.py", "no-grad", "evaluation"),
        ("evals/task.py", "backward", "training"),
        ("tools/test.py", "evaluate", "evaluation"),
        ("tests/train.py", "backward", "test"),
        ("pkg/test_train.py", "backward", "test"),
        ("examples/run.py", "options", "example"),
        ("examples/run.py", "fit", "training"),
        ("docs/show.ipynb", "options", "example"),
    ],
)
def test_a_program_is_for_what_its_name_or_its_deeds_say(path: str, does: Deed, kind: str) -> None:
    entry = told(code(path, main=30, does=((does, 20),)))[path]
    assert entry.kind == kind


def test_the_line_that_says_so_is_evidence() -> None:
    entry = told(code("main.py", main=90, does=(("options", 3), ("fit", 60))))["main.py"]
    assert entry.evidence == (Location("main.py", 60),)
    assert entry.why.startswith("it does `fit`")


def kind_of(*results: FileResult, path: str = "main.py") -> str:
    return told(*results)[path].kind


def test_a_program_trains_if_what_it_brings_in_itself_does_and_no_other_program_trains() -> None:
    engine = code("engine.py", does=TRAINS)
    package = code("pkg/__init__.py", ".loop"), code("pkg/loop.py", does=TRAINS)
    assert kind_of(code("main.py", "engine", main=9), engine) == "training"
    assert kind_of(code("main.py", "pkg.VERSION", main=9), *package) == "tool"
    assert kind_of(code("main.py", "engine", main=9), engine, code("train.py", main=1)) == "tool"


def test_a_program_around_one_that_trains_does_so_too() -> None:
    train = code("train.py", main=1)
    assert kind_of(code("main.py", "train", main=9), train) == "training"
    assert kind_of(code("main.py", "pkg", main=9), train, code("pkg/__init__.py")) == "tool"


def test_a_program_that_starts_one_that_trains_does_so_too() -> None:
    launcher = code("main.py", main=9)
    launcher = replace(
        launcher,
        facts=replace(launcher.facts, launches=(Launch(4, "train.py", "torchrun"),)),
    )
    assert kind_of(launcher, code("train.py", main=1)) == "training"
    assert kind_of(launcher, code("train.py"), path="main.py") == "training"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("python main.py finetune --size=2", "training"),
        ("python main.py serve", "tool"),
        ("python main.py ./train", "tool"),
        ("python main.py --data train", "tool"),
        ("python main.py chat", "tool"),
    ],
)
def test_a_program_trains_if_a_line_has_it_do_so(line: str, kind: str) -> None:
    assert kind_of(code("main.py", main=9), readme("python main.py serve", line)) == kind


def test_a_subcommand_says_nothing_of_a_program_that_says_itself_what_it_is_for() -> None:
    lines = readme("python evaluate.py train")
    assert kind_of(code("evaluate.py", main=9), lines, path="evaluate.py") == "evaluation"


def test_a_program_of_subcommands_comes_before_one_that_its_own_page_starts() -> None:
    assert main(
        code("tool.py", "model", main=1),
        code("extra/pretrain.py", "model", main=1),
        *MODEL,
        readme("python tool.py serve", "python tool.py pretrain"),
        readme("python extra/pretrain.py", path="extra/README.md"),
    ) == ("tool.py",)


def test_a_script_needs_no_guard_if_it_does_something_and_nothing_brings_it_in() -> None:
    assert told(code("run.py", does=TRAINS)).keys() == {"run.py"}
    assert told(code("run.py")) == {}
    assert told(code("run.py", does=TRAINS), code("other.py", "run")) == {}
    assert told(code("pkg/run.py", does=TRAINS), code("pkg/__init__.py")).keys() <= {
        "pkg/__init__.py"
    }


def test_what_converts_among_data_converts_data() -> None:
    assert kind_of(code("data_prep/convert.py", main=1), path="data_prep/convert.py") == (
        "data preparation"
    )


# --- the main path --------------------------------------------------------------------------------


def main(*results: FileResult, root: str = "/srv/repo") -> tuple[str, ...]:
    return found(*results, root=root).main


MODEL = code("model.py", "layers"), code("layers.py")


def test_the_readme_says_what_the_main_path_is() -> None:
    assert main(
        code("a_train.py", "model", main=1),
        code("train.py", "model", main=1),
        *MODEL,
        readme("python train.py"),
        launching("run.sh", Launch(1, "a_train.py", "python")),
    ) == ("train.py",)


def test_a_line_to_be_typed_counts_before_one_of_a_sentence() -> None:
    lines = command(1, "python old.py"), command(9, "python new.py")
    spoken = FileResult(
        "README.md", facts=FileFacts(launches=(replace(lines[0], said=True), lines[1]))
    )
    trains = [code(path, main=9, does=TRAINS) for path in ("old.py", "new.py")]
    assert found(*trains, spoken).main == ("new.py",)
    typed = FileResult("README.md", facts=FileFacts(launches=lines))
    assert found(*trains, typed).main == ("old.py",)
    alone = FileResult("README.md", facts=FileFacts(launches=(replace(lines[0], said=True),)))
    assert found(*trains, alone).main == ("old.py",)


def test_of_several_in_the_readme_the_first_counts() -> None:
    programs = [code(f"train_{name}.py", main=1) for name in "ab"]
    assert main(*programs, readme("python train_b.py", "python train_a.py")) == ("train_b.py",)


def test_the_only_document_that_starts_any_says_which_is_the_usual_run() -> None:
    programs = [code(f"train_{name}.py", main=1) for name in "ab"]
    guide = readme("python train_b.py", "python train_a.py", "python train_a.py", path="guide.md")
    more = launching("a.sh", Launch(1, "train_a.py", "python"))
    assert main(*programs, guide, more) == ("train_b.py",)
    assert main(*programs, guide, more, readme("python train_a.py", path="more.md")) == (
        "train_a.py",
    )


def test_who_only_brings_in_what_trains_may_use_another_part_of_it() -> None:
    net = code("net.py", main=1, does=TRAINS)
    show = code("show.py", "net", main=1)
    train = code("other.py", "net", main=1, does=TRAINS)
    lines = readme("python show.py", "python other.py")
    assert main(net, show, train, lines) == ("other.py",)
    assert main(net, show, readme("python show.py")) == ("show.py",)


def test_a_library_with_derivatives_of_its_own_is_there_to_be_trained() -> None:
    results = [
        code("lib/__init__.py", ".ops"),
        code("lib/ops.py", taking=(("backward", "ctx grad"),)),
        code("evaluate.py", "lib", main=1),
    ]
    joined = found(*results)
    assert (joined.main, joined.api) == (("lib/__init__.py",), True)
    assert "no program of the tree trains: what the package `lib` offers" in joined.told()[0].why
    assert main(*results[:1], code("lib/ops.py"), results[2]) == ("evaluate.py",)
    assert main(*results, code("examples/train.py", "lib", main=1)) == ("examples/train.py",)


def test_training_comes_before_what_begins_with_its_result() -> None:
    programs = [code(path, main=1) for path in ("finetune.py", "pretrain.py")]
    assert main(*programs, readme("python finetune.py", "python pretrain.py")) == ("pretrain.py",)


def test_a_line_that_only_evaluates_starts_no_training() -> None:
    programs = [code(f"train_{name}.py", main=1) for name in "ab"]
    said = readme("python train_a.py --eval", "python train_a.py eval", "python train_b.py eval=1")
    assert main(*programs, said) == ("train_b.py",)


def test_a_launch_script_or_a_command_is_better_than_nothing() -> None:
    programs = [code(f"train_{name}.py", main=1) for name in "ab"]
    start = launching("slurm/job.sbatch", Launch(1, "train_b.py", "python"))
    assert main(*programs, start) == ("train_b.py",)


def test_without_any_line_the_farthest_reach_counts_then_the_root() -> None:
    assert main(code("a/train.py", main=1), code("train.py", main=1)) == ("train.py",)
    assert main(code("tools/train.py", "model", main=1), code("train.py", main=1), *MODEL) == (
        "tools/train.py",
    )


def test_what_only_shows_something_is_no_main_path() -> None:
    zoo = [code(f"zoo/m{number}.py") for number in range(30)]
    imports = [f"zoo.m{number}" for number in range(30)]
    assert main(
        code("small.py", main=1, does=TRAINS),
        code("train.py", *imports, main=1),
        *zoo,
        readme("python small.py"),
    ) == ("train.py",)


def test_tests_and_examples_are_no_main_path_beside_a_program() -> None:
    assert main(
        code("train.py", main=1),
        code("tests/train.py", main=1),
        code("examples/train.py", main=1),
        readme("python examples/train.py", "python tests/train.py"),
    ) == ("train.py",)


def test_a_library_offers_its_package() -> None:
    results = [
        code("src/lib/__init__.py", ".trainer"),
        code("src/lib/trainer.py", does=TRAINS),
        code("src/lib/more.py", does=TRAINS),
        code("helpers/__init__.py"),
        code("examples/train.py", "lib", main=1),
        code("tests/__init__.py"),
        *(code(f"tests/test_{number}.py") for number in range(9)),
    ]
    joined = found(*results)
    assert (joined.main, joined.api) == (("src/lib/__init__.py",), True)
    entry = joined.told()[0]
    assert (entry.path, entry.kind, entry.main) == ("src/lib/__init__.py", "training", True)
    assert "`lib`" in entry.why


LIBRARY = [
    code("lib/__init__.py", ".trainer", ".model"),
    code("lib/trainer.py", does=TRAINS),
    code("lib/model.py"),
    code("lib/data.py"),
]
TUNE = code("examples/finetune.py", "lib", main=1)


@pytest.mark.parametrize(
    "said", [leading("examples/finetune.py"), readme("python examples/finetune.py")]
)
def test_an_example_that_the_first_page_names_trains_the_package(said: FileResult) -> None:
    joined = found(*LIBRARY, TUNE, code("examples/train_other.py", "lib", main=1), said)
    assert (joined.main, joined.api) == (("examples/finetune.py",), False)
    assert "the first page of the tree names it" in joined.told()[0].why


@pytest.mark.parametrize(
    "others",
    [
        [TUNE],
        [TUNE, leading("examples/finetune.py", path="docs/README.md")],
        [TUNE, leading("finetune.py")],
        [code("examples/show.py", "lib", main=1), leading("examples/show.py")],
        [code("examples/evaluate.py", "lib", main=1), leading("examples/evaluate.py")],
        [code("tests/train.py", "lib", main=1), leading("tests/train.py")],
    ],
)
def test_other_examples_only_show_the_package(others: list[FileResult]) -> None:
    """Not named there, by another page, or that do not train by themselves."""
    joined = found(*LIBRARY, *others)
    assert (joined.main, joined.api) == (("lib/__init__.py",), True)


def test_an_example_that_uses_little_of_a_package_only_shows_it() -> None:
    library = [code("lib/__init__.py"), *LIBRARY[1:], code("lib/loop.py")]
    joined = found(
        *library,
        code("examples/finetune.py", "lib.data", main=1),
        leading("examples/finetune.py"),
    )
    assert joined.api
    assert joined.main[0] == "lib/__init__.py"


def test_what_a_package_offers_is_beside_the_example_that_trains_it() -> None:
    told = found(*LIBRARY, TUNE, readme("python examples/finetune.py")).told()
    assert [(each.path, each.kind, each.main) for each in told] == [
        ("examples/finetune.py", "training", True),
        ("lib/__init__.py", "training", False),
    ]
    assert told[1].why == "it is what the package `lib` offers"


WIDE = [
    code("zoo/__init__.py"),
    *(code(f"zoo/{name}.py") for name in "abcdefghij"),
    FileResult("pyproject.toml", facts=FileFacts(is_project=True)),
]
"""A library of ten parts, which brings in none by itself."""
STARTED = readme("python examples/train.py")


def example(name: str, parts: str) -> FileResult:
    return code(f"examples/{name}.py", *(f"zoo.{part}" for part in parts), main=1, does=TRAINS)


@pytest.mark.parametrize(
    "others",
    [
        [example("train_more", "cd"), code("steps.py", "zoo.a", main=1, does=TRAINS)],
        [code("steps.py", "zoo.a", "zoo.b", main=1, does=TRAINS)],
        [example("train_more", "abde"), code("zoo/loop.py", ".a", does=TRAINS)],
    ],
)
def test_an_example_that_the_first_page_starts_uses_most_of_what_training_does(
    others: list[FileResult],
) -> None:
    """Of a library that offers more for other things."""
    joined = found(*WIDE, example("train", "abc"), *others, readme("python examples/train.py"))
    assert (joined.main, joined.api) == (("examples/train.py",), False)
    assert ("zoo/__init__.py", False) in [(each.path, each.main) for each in joined.told()]


@pytest.mark.parametrize(
    "others",
    [
        [example("train_more", "defghij"), readme("python examples/train.py")],
        [code("zoo/loop.py", *(f".{each}" for each in "defg"), does=TRAINS), STARTED],
        [example("train_more", "cd"), leading("examples/train.py")],
        [example("train_more", "cd"), readme("python examples/train.py", path="docs/README.md")],
        [
            example("train_more", "cd"),
            launching("README.md", Launch(1, "examples/train.py", "python", said=True)),
        ],
    ],
)
def test_an_example_that_uses_less_only_shows_the_library(others: list[FileResult]) -> None:
    """Or that the page only leads to, or speaks of, or that another page starts."""
    steps = code("steps.py", "zoo.a", main=1, does=TRAINS)
    joined = found(*WIDE, example("train", "ab"), steps, *others)
    assert joined.api
    assert joined.main[0] == "zoo/__init__.py"


def test_a_package_without_an_init_of_its_own_offers_all_its_modules() -> None:
    results = [code("lib/__init__.py"), code("lib/a.py", does=TRAINS), code("lib/_b.py")]
    assert main(*results) == ("lib/__init__.py", "lib/a.py")


def test_examples_are_the_main_path_of_a_tree_of_examples() -> None:
    assert main(code("examples/train.py", main=1)) == ("examples/train.py",)


def test_a_tree_that_trains_nothing_has_its_best_program() -> None:
    results = [code("generate.py", main=1), code("eval.py", main=1), code("tool.py", main=1)]
    assert main(*results) == ("eval.py",)
    assert main(code("model.py"), code("tests/test_model.py", main=1)) == ()


def test_the_user_decides() -> None:
    results = [code("train.py", main=1), code("other.py"), readme("python train.py")]
    joined = found(*results, chosen=["other.py"])
    assert joined.main == ("other.py",)
    assert joined.told()[0].path == "other.py"


def test_what_a_file_starts_is_known_through_others() -> None:
    joined = found(
        launching("all.sh", Launch(1, "one.sh", "bash")),
        launching("one.sh", Launch(1, "train.py", "python")),
        code("train.py"),
    )
    assert joined.launchers == {"all.sh": {"train.py"}, "one.sh": {"train.py"}}


# --- several projects in one tree -----------------------------------------------------------------

PROJECTS = (
    code("a/b/tools/train.py", "a.b.net", main=9, does=TRAINS),
    code("a/b/net.py"),
    code("c/main.py", main=9, does=TRAINS),
    code("d/train.py", main=9, does=TRAINS),
    readme("python tools/train.py", path="a/b/README.md"),
    readme("python main.py", path="c/README.md"),
    readme("python train.py", path="d/README.md"),
)
"""By name, reach and files that start it, `a/b` is first; by its place it is last."""


@pytest.mark.parametrize(
    ("pages", "path"),
    [
        ((leading("c/README.md", "d"),), "c/main.py"),
        ((leading("d/configs/x.yaml", "c"),), "d/train.py"),
        ((leading("a/b", "c"),), "a/b/tools/train.py"),
        # what lies around several of them leads to none
        ((leading("a", "c"), code("a/e/train.py"), readme(path="a/e/README.md")), "c/main.py"),
        ((leading("cc", "dd", "docs", "d"),), "d/train.py"),
        # of two languages the page without a mark
        ((leading("c"), leading("d", path="README_CN.md")), "c/main.py"),
        # nothing names any: what lies highest, if that is one
        ((), "a/b/tools/train.py"),
        ((leading("docs"),), "a/b/tools/train.py"),
    ],
)  # fmt: skip
def test_the_first_page_says_which_of_several_projects_is_meant(
    pages: Sequence[FileResult], path: str
) -> None:
    assert found(*PROJECTS, *pages).main == (path,)


def test_the_highest_of_several_projects_is_meant_if_no_page_names_any() -> None:
    lower = [each for each in PROJECTS if not each.path.startswith("d/")]
    assert found(*lower).main == ("c/main.py",)


def test_the_reason_names_the_line_and_the_project() -> None:
    entry = next(each for each in found(*PROJECTS, leading("x", "c")).told() if each.main)
    assert entry.why.endswith("README.md:2 names `c` before other projects of the tree")


SCRIPTED = (
    *PROJECTS,
    code("e/train.py", main=9, does=TRAINS),
    readme(path="e/README.md"),
    launching("e/shell/run.sh", command(1, "python ../train.py")),
)
"""Another project, which has scripts instead of lines on its page."""


@pytest.mark.parametrize(
    ("results", "path"),
    [
        ((leading("e/shell", "c"),), "e/train.py"),
        ((leading("c", "e"),), "c/main.py"),
        # the tree leads with nothing: a page says more than a script
        ((leading("docs"),), "a/b/tools/train.py"),
        # nothing starts it
        ((leading("f", "c"), code("f/train.py", main=9), readme(path="f/README.md")), "c/main.py"),
        # what is no training from the start comes after what is
        (
            (
                leading("f", "c"),
                code("f/finetune.py", main=9),
                readme("python finetune.py", path="f/README.md"),
            ),
            "c/main.py",
        ),
        # one that the tree itself starts is none
        ((leading("e", "c"), launching("run.sh", command(1, "python e/train.py"))), "c/main.py"),
    ],
)
def test_a_project_that_the_first_page_leads_to_may_have_scripts_for_lines_on_its_page(
    results: Sequence[FileResult], path: str
) -> None:
    assert found(*SCRIPTED, *results).main == (path,)


def test_within_the_project_its_own_page_says_what_is_usual() -> None:
    results = (
        *PROJECTS,
        code("c/again.py", main=9, does=TRAINS),
        code("c/train.py", main=9, does=TRAINS),
    )
    page = readme("python again.py --eval", "python main.py", "python again.py", path="c/README.md")
    assert found(*results, page, leading("c")).main == ("c/main.py",)


def test_what_the_first_page_starts_is_meant_wherever_it_leads_to() -> None:
    start = launching("README.md", Launch(9, "d/train.py", "python"))
    page = replace(start, facts=replace(start.facts, mentions=(Mention(1, "c"),)))
    assert found(*PROJECTS, page).main == ("d/train.py",)


def test_a_program_of_the_tree_itself_is_compared_as_ever() -> None:
    """Folders of a lone project have their pages too."""
    results = (
        code("train.py", "net", main=9, does=TRAINS),
        code("net.py"),
        code("extra/train_other.py", main=9, does=TRAINS),
        readme(path="extra/README.md"),
        leading("extra"),
    )
    assert found(*results).main == ("train.py",)


def test_what_the_tree_itself_starts_is_no_project_of_its_own() -> None:
    """A package has its page, and the command that the tree's manifest makes of it."""
    results = (
        declaring("setup.py", Script(9, "net-train", "net.train:main")),
        code("net/__init__.py"),
        code("net/train.py", main=9, does=TRAINS),
        readme(path="net/README.md"),
        code("tools/train_tokens.py", main=9, does=TRAINS),
        launching("tools/run.sh", Launch(1, "tools/train_tokens.py", "python")),
        readme(path="tools/README.md"),
    )
    assert found(*results, leading("tools")).main == ("net/train.py",)


def test_a_small_project_is_no_less_one_beside_a_large_one() -> None:
    nets = [f"big/n{number}.py" for number in range(20)]
    results = (
        code("big/train.py", *(f".n{number}" for number in range(20)), main=9, does=TRAINS),
        *map(code, nets),
        readme("python train.py", path="big/README.md"),
        code("small/main.py", main=9, does=TRAINS),
        readme("python main.py", path="small/README.md"),
    )
    assert found(*results, leading("small", "big")).main == ("small/main.py",)
    assert found(*results, code("train_all.py", main=9, does=TRAINS)).main == ("big/train.py",)


@pytest.mark.parametrize("said", ["python main.py", "bash small/run.sh"])
def test_what_the_first_page_starts_is_no_less_beside_a_project_that_it_does_not(said: str) -> None:
    """A copy of a framework lies beside the program: its trainer reaches far more."""
    nets = [f"kit/n{number}.py" for number in range(20)]
    results = (
        code("kit/train.py", *(f".n{number}" for number in range(20)), main=9, does=TRAINS),
        *map(code, nets),
        readme("python train.py", path="kit/README.md"),
        code("small/main.py", main=9, does=TRAINS),
        launching("small/run.sh", command(1, "python main.py")),
    )
    assert found(*results, readme(said)).main == ("small/main.py",)
    both = readme(said, "python kit/train.py")
    assert found(*results, both).main == ("kit/train.py",)
    assert found(*results).main == ("kit/train.py",)


# --- files that a launch may mean -----------------------------------------------------------------


def test_a_line_that_may_mean_several_programs_starts_each_with_nobody_knows_what() -> None:
    trees = code("a/train.py", main=3, does=TRAINS), code("b/train.py", main=3, does=TRAINS)
    entries = found(*trees, readme("python train.py --lr 1"))
    assert all(program.starts for program in entries.programs)
    assert entries.command.is_open


@pytest.mark.parametrize("other", ["tests/train.py", "examples/x/train.py", "docs/train.py"])
def test_a_file_among_tests_is_not_meant_where_there_is_another(other: str) -> None:
    trees = code("src/train.py", main=3, does=TRAINS), code(other, main=3, does=TRAINS)
    entries = found(*trees, readme("python train.py --flash"))
    assert entries.main == ("src/train.py",)
    assert "flash" in entries.command.given
    assert not entries.command.is_open


def test_among_examples_a_line_means_an_example() -> None:
    trees = code("src/train.py", main=3, does=TRAINS), code("examples/b/train.py", main=3)
    start = readme("python train.py", path="examples/a/README.md")
    starts = {program.path: program.starts for program in found(*trees, start).programs}
    assert not starts["src/train.py"]
    assert starts["examples/b/train.py"]


# --- files of settings that a line chooses --------------------------------------------------------

CONFIGS = (
    *("conf/config.yaml", "conf/big.yaml", "conf/model/big.yaml", "conf/experiment/a.yaml"),
    *("conf/experiment/b.yaml", "exp/deep.yml", "one/twice.yaml", "two/twice.yaml", "x.gin"),
)


def chosen(arguments: str) -> Entries:
    trees = code("train.py", main=3, does=TRAINS), *map(configuring, CONFIGS)
    return found(*trees, readme(f"python train.py {arguments}"))


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ("--config-name big", ["conf/big.yaml"]),
        ("--config-name=big", ["conf/big.yaml"]),
        ("-cn big", ["conf/big.yaml"]),
        ("--config-path conf/model --config-name big", ["conf/model/big.yaml"]),
        ("--config big", ["conf/big.yaml"]),
        ("--cfg exp/deep", ["exp/deep.yml"]),
        ("--config=conf/big.yaml", ["conf/big.yaml"]),
        ("--config_path conf/big.yaml", ["conf/big.yaml"]),
        ("--config_file x.gin", ["x.gin"]),
        ("model=big", ["conf/model/big.yaml"]),
        ("+experiment=a", ["conf/experiment/a.yaml"]),
        ("-m experiment=a,b", ["conf/experiment/a.yaml", "conf/experiment/b.yaml"]),
        ("--conf-thres 0.25", []),
        ("--experiment-name fine", []),
        ("model=null", []),
        ("--data coco", []),
        ("--cfg-options a.b=c", []),
        ("--name ${NAME}", []),
        ("--cfg conf/big.yaml SOLVER.KIND adam OUT dir", ["conf/big.yaml"]),
    ],
)
def test_a_line_chooses_files_of_settings_by_name(arguments: str, paths: list[str]) -> None:
    entries = chosen(arguments)
    assert [path for path, _ in entries.configs] == paths
    assert not entries.command.is_open
    assert entries.command.is_sure == (len(paths) < 2)


@pytest.mark.parametrize(
    "arguments",
    [
        *("--config-name other", "--config other.yaml", "--cfg ${CONFIG}", "--config $X/a.yaml.in"),
        *("model=huge", "model=${MODEL}", "experiment=c", "--recipe mine", "-cn other"),
        *("--config twice", "--config twice.yaml", "missing.yaml", "--hyp missing.yaml"),
        *("${CONFIG_FILE}", "<config>", "--config-path elsewhere", "--config /etc/run"),
        *("-m experiment=a,c", "--config base huge", "--cfg conf/big.yaml $X/other.yaml"),
    ],
)
def test_settings_that_are_not_seen_leave_the_command_open(arguments: str) -> None:
    assert chosen(arguments).command.is_open


def test_a_line_with_values_tells_more_than_one_with_variables() -> None:
    train, config = code("train.py", main=1), FileResult("configs/a.yaml")
    open_line = "python train.py --config=$CONFIG --kind=$KIND"
    asked = found(
        train, config, readme(open_line, "python train.py --config=configs/a.yaml --kind=fast")
    )
    assert not asked.command.is_open
    assert asked.command.given["kind"] == {"fast"}
    other = readme(open_line, "python train.py --eval --config=configs/a.yaml --kind=fast")
    assert found(train, config, other).command.is_open


LARGE = "python train.py configs/large.yaml configs/cluster.yaml"
SMALL = "python train.py configs/small.yaml configs/local.yaml"
OF_BOTH = [FileResult(f"configs/{name}.yaml") for name in ("large", "small", "local")]


def test_a_line_whose_files_are_all_there_tells_more_than_one_that_lacks_some() -> None:
    train = code("train.py", main=1)
    asked = found(train, *OF_BOTH, readme(LARGE, SMALL))
    assert [path for path, _ in asked.configs] == ["configs/small.yaml", "configs/local.yaml"]
    assert not asked.command.is_open


def test_a_line_that_says_how_a_command_is_put_together_is_no_run_without_files() -> None:
    train = code("train.py", main=1)
    usage = "python train.py [path/to/first.yaml] [path/to/second.yaml] ..."
    asked = found(train, *OF_BOTH, readme(usage, SMALL))
    assert [path for path, _ in asked.configs] == ["configs/small.yaml", "configs/local.yaml"]
    for run in ("python train.py --gpus [0,1]", "python train.py --size 3 [--fast]"):
        assert found(train, *OF_BOTH, readme(run, SMALL)).configs == ()


@pytest.mark.parametrize(
    "pages",
    [
        [readme(LARGE)],
        [readme(LARGE, "python train.py --eval configs/small.yaml")],
        [readme(LARGE), readme(SMALL, path="docs/README.md")],
        [readme(LARGE, "python train.py --size 3")],
    ],
)
def test_a_line_that_lacks_some_of_its_files_leaves_settings_open(pages: list[FileResult]) -> None:
    """Where no other line of its page that trains has all of them."""
    asked = found(code("train.py", main=1), *OF_BOTH, *pages)
    assert [path for path, _ in asked.configs] == ["configs/large.yaml"]
    assert asked.command.is_open


def test_a_series_of_runs_gives_a_setting_all_of_its_values() -> None:
    assert chosen("-m attn=flash,eager").command.given["attn"] == {"flash", "eager"}


# --- how sure it is that a program trains ---------------------------------------------------------


def test_a_name_that_says_training_comes_before_deeds_alone() -> None:
    steps: tuple[tuple[Deed, int], ...] = (("backward", 9), ("optimizer", 8))
    style = code("a_style/paint.py", main=9, does=steps)
    named = code("imagenet/train.py", main=9, does=steps)
    assert found(style, named).main == ("imagenet/train.py",)


def test_who_makes_an_optimizer_comes_before_who_only_goes_backward() -> None:
    attack = code("a/attack.py", main=9, does=TRAINS)
    main = code("mnist/main.py", main=9, does=(("backward", 9), ("optimizer", 8)))
    assert found(attack, main).main == ("mnist/main.py",)
    assert found(attack, main, readme("python a/attack.py")).main == ("a/attack.py",)


ZOO = [code("zoo/__init__.py", ".a"), *(code(f"zoo/{name}.py") for name in "abcdef")]
"""A library of six parts, of which it brings in one by itself."""
PROJECT = FileResult("pyproject.toml", facts=FileFacts(is_project=True))


def test_a_script_that_nothing_starts_shows_a_library() -> None:
    script = code("train_b.py", "zoo.b", main=1, does=TRAINS)
    joined = found(*ZOO, PROJECT, script)
    assert joined.api
    assert joined.main == ("zoo/__init__.py", *(f"zoo/{name}.py" for name in "abcdef"))
    first, second = joined.told()
    assert first.main
    assert first.why == (
        "no script and no README starts `train_b.py`, which uses 3 of the 7 modules of the package "
        "`zoo`: what that offers is the entry, until `--entry` names one"
    )
    assert (second.path, second.main) == ("train_b.py", False)


def test_a_library_whose_package_brings_in_most_begins_there() -> None:
    whole = [code("zoo/__init__.py", *(f".{name}" for name in "abcde")), *ZOO[1:]]
    script = code("train_b.py", "zoo.f", main=1, does=TRAINS)
    assert main(*whole, PROJECT, script) == ("train_b.py",)
    zoo = [code("zoo/__init__.py"), code("zoo/more/__init__.py"), *whole[1:]]
    module = code("zoo/b.py", main=1, does=TRAINS)
    assert main(*whole[:2], *whole[3:], PROJECT, module) == ("zoo/__init__.py",)
    assert main(*zoo[:3], *zoo[4:], PROJECT, module)[1] == "zoo/a.py"


@pytest.mark.parametrize(
    "said",
    [
        readme("python train_b.py"),
        launching("run.sh", Launch(1, "train_b.py", "python")),
        leading("train_b.py"),
        code("train_b.py", *(f"zoo.{name}" for name in "bcd"), main=1, does=TRAINS),
        code("train_b.py", main=1, does=TRAINS),
        FileResult("pyproject.toml"),
        code("setup.py"),
    ],
)
def test_a_script_that_is_meant_or_that_no_library_is_around_is_the_main_path(
    said: FileResult,
) -> None:
    script = code("train_b.py", "zoo.b", main=1, does=TRAINS)
    known = {each.path: each for each in (*ZOO, script, PROJECT, said)}
    if said.path == "setup.py":
        del known["pyproject.toml"]
    assert main(*known.values()) == ("train_b.py",)


def test_the_user_may_name_a_script_of_a_library() -> None:
    script = code("train_b.py", "zoo.b", main=1, does=TRAINS)
    assert found(*ZOO, PROJECT, script, chosen=["train_b.py"]).main == ("train_b.py",)


def test_a_line_means_a_file_of_the_folder_that_the_lines_before_went_to() -> None:
    old, new = (code(path, main=1, does=TRAINS) for path in ("v1/train.py", "v2/temp/train.py"))
    page = launching("README.md", Launch(3, "train.py", "python", folder="v2/temp"))
    assert main(old, new, page) == ("v2/temp/train.py",)
    nested = launching("v2/README.md", Launch(3, "train.py", "python", folder="v2/temp"))
    assert main(old, new, nested) == ("v2/temp/train.py",)
    unknown = launching("README.md", Launch(3, "train.py", "python", folder="clone"))
    assert main(old, new, unknown) == ("v1/train.py",)
    above = launching("README.md", Launch(3, "../train.py", "python", folder="v2/temp"))
    assert main(old, new, code("v2/train.py", main=1), above) == ("v2/train.py",)
    module = launching("README.md", Launch(3, "train", "python", module=True, folder="v2/temp"))
    assert main(old, new, module) == ("v2/temp/train.py",)


def test_a_settings_file_is_one_of_the_folder_that_the_lines_before_went_to() -> None:
    train = code("v2/train.py", main=1, does=TRAINS)
    given = Launch(3, "train.py", "python", arguments=("--config", "a.yaml"), folder="v2")
    settings = [configuring(path) for path in ("a.yaml", "v1/a.yaml", "v2/a.yaml")]
    joined = found(train, *settings, launching("README.md", given))
    assert [path for path, _ in joined.configs] == ["v2/a.yaml"]


def test_what_a_launcher_is_given_belongs_to_the_program_that_it_starts() -> None:
    programs = [code(f"{name}.py", main=1, does=TRAINS) for name in ("train", "tune")]
    page = launching(
        "README.md",
        Launch(1, "train.py", "accelerate", launcher_settings=("conf/ddp.yaml",)),
        Launch(2, "train.py", "accelerate", launcher_settings=("conf/fsdp.yaml",)),
        Launch(3, "tune.py", "accelerate", launcher_settings=("conf/zero.yaml",)),
        Launch(4, "tune.py", "accelerate", launcher_settings=("conf/ddp.yaml", "gone.yaml")),
    )
    settings = [configuring(f"conf/{name}.yaml") for name in ("ddp", "fsdp", "zero", "free")]
    joined = found(*programs, *settings, page)
    assert joined.main == ("train.py",)
    assert joined.configs == ()
    assert joined.usual == {"README.md", "conf/ddp.yaml"}
    assert joined.other_settings == {"conf/fsdp.yaml", "conf/zero.yaml"}
    assert joined.other_configs == frozenset()  # they set no option of a program


@pytest.mark.parametrize("module", [False, True])
def test_a_string_in_a_data_file_is_no_word_on_programs_that_lie_elsewhere(module: bool) -> None:
    fit, train = (code(path, main=1, does=TRAINS) for path in ("a/fit.py", "b/train.py"))
    said = Launch(1, "train" if module else "train.py", "python", module)
    for path in ("rules/x.toml", "rules/x.json"):
        assert main(fit, train, launching(path, said)) == ("a/fit.py",)
        assert main(fit, train, launching(f"b/{path}", said)) == ("b/train.py",)
    assert main(fit, train, launching("jobs/x.yaml", said)) == ("b/train.py",)
    inner = Launch(1, "${workspaceFolder}/b/train.py")
    assert main(fit, train, launching(".vscode/launch.json", inner)) == ("b/train.py",)
