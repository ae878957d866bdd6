from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from portaudit.relate.kernels import Natives
from portaudit.relate.reach import Reached, reached
from portaudit.types import (
    Binding,
    Chain,
    FileResult,
    Finding,
    GuardState,
    Import,
    Kernel,
    Launch,
    Location,
    Proof,
    Script,
)
from samples import FLASH
from trees import code, declaring, defines, guarded, launching, modules, tree


def at(path: str, scope: str = "", mark: str = "") -> Finding:
    """A finding in a file, known by its path and scope unless it has another mark."""
    return replace(FLASH, path=path, scope=scope, fingerprint=mark or f"{path}:{scope}")


def join(*results: FileResult, kernels: Sequence[Kernel] = (), entry: str = "") -> Reached:
    found = [finding for result in results for finding in result.findings]
    chosen = [entry] if entry else []
    return reached(results, found, Natives(kernels), tree(results), modules(results), chosen)


def told(*results: FileResult, kernels: Sequence[Kernel] = ()) -> dict[str, str | None]:
    """What reaches each finding."""
    joined = join(*results, kernels=kernels)
    return {finding.fingerprint: finding.reach for finding in joined.findings}


def found(path: str, *imports: str | Import, main: int = 0, words: str = "") -> FileResult:
    """A file with a finding at its top."""
    return code(path, *imports, main=main, words=words, findings=(at(path),))


def test_a_finding_is_on_the_main_path_beside_it_or_nowhere() -> None:
    assert told(
        found("train.py", "model", main=1),
        found("model.py"),
        found("export.py", "model", "onnx_tools", main=1),
        found("onnx_tools.py"),
        found("old.py"),
        found("tests/test_model.py", "model", "tests.helper"),
        found("tests/helper.py"),
        found("examples/show.py", "model", "plots"),
        found("plots.py"),
        found("examples/unused.py"),
        found("tests/data/strange.py"),
    ) == {
        "train.py:": "main",
        "model.py:": "main",
        "export.py:": "other",
        "onnx_tools.py:": "other",
        "old.py:": "unreached",
        "tests/test_model.py:": "test",
        "tests/helper.py:": "test",
        "examples/show.py:": "example",
        "plots.py:": "example",
        "examples/unused.py:": "example",
        "tests/data/strange.py:": "test",
    }


def test_the_chain_says_how_the_main_path_comes_to_a_file() -> None:
    joined = join(
        found("train.py", "pkg.model", main=1),
        code("pkg/__init__.py"),
        code("pkg/model.py", guarded("pkg.flash", 7)),
        found("pkg/flash.py"),
        found("other.py"),
    )
    assert joined.chains == (
        Chain(
            "pkg/flash.py",
            (Location("train.py", 1), Location("pkg/model.py", 7)),
            "guarded",
            Proof("", 6, "why guarded"),
        ),
        Chain("train.py"),
    )


def test_the_programs_are_told() -> None:
    joined = join(found("train.py", main=1), found("eval.py", main=1))
    assert [(entry.path, entry.main) for entry in joined.programs] == [
        ("train.py", True),
        ("eval.py", False),
    ]


def test_nothing_is_told_of_a_tree_without_programs() -> None:
    assert told(found("model.py")) == {"model.py:": None}


# --- functions that nothing calls -----------------------------------------------------------------


def scopes(words: str, *names: str, offered: str = "") -> dict[str, str | None]:
    """What reaches functions of a module of the main path that uses these words."""
    train = code("train.py", "model", main=1)
    facts = replace(train.facts.code, words=words, offered=offered)
    train = replace(train, facts=replace(train.facts, code=facts))
    model = code("model.py", findings=tuple(at("model.py", name, name) for name in names))
    return told(train, model)


@pytest.mark.parametrize(
    ("scope", "words", "reach"),
    [
        ("", "", "main"),
        ("build", "build", "main"),
        ("build", "builder", "unreached"),
        ("Net.forward", "Net forward", "main"),
        ("Net.forward", "forward", "unreached"),
        ("Net.forward", "Net", "unreached"),
        ("Net.__init__", "Net", "main"),
        ("Net.__init__", "", "unreached"),
        ("__getattr__", "", "main"),
        ("build.inner", "build inner", "main"),
        ("build.inner", "inner", "unreached"),
    ],
)
def test_a_function_that_nothing_names_is_not_on_the_path(
    scope: str, words: str, reach: str
) -> None:
    assert list(scopes(words, scope).values()) == [reach]


@pytest.mark.parametrize(
    ("scope", "offered", "reach"),
    [
        ("build", "build", "main"),
        ("build", "model.*", "main"),
        ("Net.go", "model.*", "unreached"),
        ("build", ".*", "unreached"),
        ("Net.__init__", "Net<Base <Base", "main"),
        ("Net.__init__", "Net<Middle Middle<Base <Base", "main"),
        ("Net.__init__", "Net<Base <Other", "unreached"),
    ],
)
def test_what_may_be_called_unseen_is_on_the_path(scope: str, offered: str, reach: str) -> None:
    assert scopes("", scope, offered=offered) == {scope: reach}


def test_words_of_files_beside_the_path_do_not_count() -> None:
    model = code("model.py", findings=(at("model.py", "build", "build"),))
    assert told(
        code("train.py", "model", main=1), model, code("export.py", "model", main=1, words="build")
    ) == {"build": "other"}


def test_what_a_package_hands_on_by_name_may_be_called_in_its_modules() -> None:
    train = code("train.py", "models", main=1)
    facts = replace(train.facts.code, offered="models.*")
    assert told(
        replace(train, facts=replace(train.facts, code=facts)),
        code("models/__init__.py", ".vit"),
        code("models/vit.py", findings=(at("models/vit.py", "vit_b"),)),
    ) == {"models/vit.py:vit_b": "main"}


def test_what_only_a_dead_function_imports_is_not_on_the_path_nor_what_that_names() -> None:
    assert told(
        code("train.py", "model", main=1),
        code(
            "model.py",
            Import("extra", 5, scope="unused"),
            findings=(at("model.py", "helper"),),
        ),
        found("extra.py", Import("deeper", 2, scope="helper"), words="helper"),
        found("deeper.py"),
    ) == {"model.py:helper": "unreached", "extra.py:": "unreached", "deeper.py:": "unreached"}


def test_a_function_of_a_command_is_called() -> None:
    assert told(
        declaring("pyproject.toml", Script(3, "train", "pkg.train:main")),
        code("pkg/__init__.py"),
        code("pkg/train.py", findings=(at("pkg/train.py", "main"),)),
    ) == {"pkg/train.py:main": "main"}


def test_tests_are_run_without_being_named_and_what_they_do_not_name_is_not() -> None:
    assert told(
        code("train.py", main=1),
        code("tests/test_a.py", "a", words="used", findings=(at("tests/test_a.py", "test_it"),)),
        code("a.py", findings=(at("a.py", "used"), at("a.py", "unused"))),
    ) == {"tests/test_a.py:test_it": "test", "a.py:used": "test", "a.py:unused": "unreached"}


def test_users_may_call_all_that_a_library_offers() -> None:
    assert told(
        code("lib/__init__.py", ".loop"),
        code("lib/loop.py", does=(("backward", 3),), findings=(at("lib/loop.py", "run"),)),
        found("lib/unused.py"),
    ) == {"lib/loop.py:run": "main", "lib/unused.py:": "unreached"}


# --- other kinds of file --------------------------------------------------------------------------


def kernel(path: str, mark: str, *callers: Location, bound: str = "") -> Kernel:
    bindings = (Binding("pybind", "go", bound, 1),) if bound else ()
    return Kernel(
        *("go", "cuda", path, 1, 9, 8, "simple", ()),
        bound_as=bindings,
        callers=callers,
        fingerprint=mark,
    )


def native(path: str, mark: str) -> FileResult:
    return FileResult(path, (at(path, "", mark),))


def test_native_code_is_reached_by_what_calls_it_or_its_neighbours() -> None:
    results = [
        code("train.py", "ops", main=1),
        code("ops.py"),
        code("bench.py", "slow_ops", main=1),
        code("slow_ops.py"),
        code("dead_ops.py"),
        native("csrc/fast/a.cu", "fast"),
        native("csrc/fast/a.cpp", "binding"),
        native("csrc/fast/common.h", "beside"),
        native("csrc/slow/b.cu", "slow"),
        native("csrc/dead/c.cu", "dead"),
        native("csrc/fast/more/e.cu", "far from any call"),
        native("csrc/fast/more/e.h", "header"),
        native("csrc/fast/examples/f.h", "shown"),
        native("vendor/d.cu", "unknown"),
        code("csrc/fast/setup.py", findings=(at("csrc/fast/setup.py", "", "build"),)),
        code("setup.py", findings=(at("setup.py", "", "build of all"),)),
    ]
    kernels = [
        kernel("csrc/fast/a.cu", "fast", Location("ops.py", 4), bound="csrc/fast/a.cpp"),
        kernel("csrc/fast/more/e.cu", "far from any call"),
        kernel("csrc/slow/b.cu", "slow", Location("slow_ops.py", 4)),
        kernel("csrc/dead/c.cu", "dead", Location("dead_ops.py", 4)),
    ]
    assert told(*results, kernels=kernels) == {
        "fast": "main",
        "binding": "main",
        "beside": "main",
        "slow": "other",
        "dead": "unreached",
        "far from any call": None,
        "header": "main",
        "shown": "example",
        "unknown": None,
        "build": "main",
        "build of all": "main",
    }


def test_native_code_is_reached_where_the_function_runs_that_calls_it() -> None:
    ops = code(
        "ops.py",
        options=(defines("Fast", 10, 19, "go"), defines("Slow", 20, 29, "slow")),
    )
    kernels = [
        kernel("csrc/a.cu", "fast", Location("ops.py", 14), bound="csrc/bind.cpp"),
        kernel("csrc/b.cu", "slow", Location("ops.py", 24), bound="csrc/bind.cpp"),
    ]
    results = [ops, native("csrc/a.cu", "fast"), native("csrc/b.cu", "slow")]
    train = code("train.py", "ops", words="Fast", main=1)
    assert told(train, *results, kernels=kernels) == {"fast": "main", "slow": "unreached"}
    bench = code("bench.py", "ops", words="Slow", main=1)
    assert told(train, bench, *results, kernels=kernels)["slow"] == "other"


def test_native_code_that_python_has_a_name_for_is_reached_by_that() -> None:
    def named(mark: str, name: str) -> Kernel:
        binding = Binding("pybind", name, "csrc/bind.cpp", 1)
        return replace(kernel("csrc/a.cu", mark), bound_as=(binding,))

    kernels = [named("used", "fast_go"), named("other", "slow_go")]
    results = [
        code("train.py", words="fast_go", main=1),
        native("csrc/a.cu", "used"),
        native("csrc/a.cu", "other"),
    ]
    assert told(*results, kernels=kernels) == {"used": "main", "other": "unreached"}
    # of an extension that nobody uses by name, nobody knows what is used
    results[0] = code("train.py", main=1)
    assert told(*results, kernels=kernels) == {"used": None, "other": None}


def test_the_chain_to_native_code_ends_with_its_caller() -> None:
    results = [
        code("train.py", "ops", main=1),
        code("ops.py"),
        native("csrc/a.cu", "fast"),
    ]
    joined = join(*results, kernels=[kernel("csrc/a.cu", "fast", Location("ops.py", 4))])
    assert joined.chains == (Chain("csrc/a.cu", (Location("train.py", 1), Location("ops.py", 4))),)


def launched(path: str, *targets: str) -> FileResult:
    lines = (Launch(line, target, "python") for line, target in enumerate(targets, start=1))
    return launching(path, *lines, findings=(at(path),))


def test_files_that_start_programs_are_reached_as_these_are() -> None:
    assert told(
        code("train.py", main=1),
        code("export.py", main=1),
        launched("run.sh", "train.py"),
        launched("all.sh", "export.py", "train.py"),
        launched("export.sh", "export.py"),
        launched("examples/run.sh", "train.py"),
        launched("examples/export.sh", "export.py"),
        launched(".github/workflows/ci.yml", "train.py"),
        launched("tests/Dockerfile"),
        launched("Dockerfile"),
        launched("requirements.txt"),
    ) == {
        "run.sh:": "main",
        "all.sh:": "main",
        "export.sh:": "other",
        "examples/run.sh:": "example",
        "examples/export.sh:": "example",
        ".github/workflows/ci.yml:": "test",
        "tests/Dockerfile:": "test",
        "Dockerfile:": "other",
        "requirements.txt:": None,
    }


def given_configs(*arguments: str, target: str = "train.py") -> Launch:
    return Launch(7, target, "python", arguments=arguments)


def test_the_config_that_the_main_program_is_given_is_on_the_path() -> None:
    joined = join(
        code("train.py", main=1),
        launching("README.md", given_configs("--config=configs/base/a.yaml", "lr=1")),
        launching("more.sh", given_configs("configs/base/b.yaml")),
        FileResult("configs/base/a.yaml", (at("configs/base/a.yaml"),)),
        FileResult("configs/base/b.yaml", (at("configs/base/b.yaml"),)),
        FileResult("configs/c.yaml", (at("configs/c.yaml"),)),
        FileResult("deploy/c.yaml", (at("deploy/c.yaml"),)),
    )
    assert {item.path: item.reach for item in joined.findings} == {
        "configs/base/a.yaml": "main",
        "configs/base/b.yaml": "other",
        "configs/c.yaml": "other",
        "deploy/c.yaml": None,
    }
    assert [chain for chain in joined.chains if chain.main] == [
        Chain("configs/base/a.yaml", (Location("README.md", 7),))
    ]


@pytest.mark.parametrize(
    ("argument", "config"),
    [
        ("configs/exp/a.yaml", "configs/exp/a.yaml"),
        ("exp=a", "configs/exp/a.yaml"),
        ("+exp@_global_=a", "configs/exp/a.yaml"),
        ("exp=a/b", "configs/exp/a/b.yaml"),
        ("--config-name=top", "configs/top.yaml"),
        ("cfg.py", "configs/cfg.py"),
        ("other.py", None),
        ("tests/c.yaml", None),
        ("$CONFIG", None),
        ("lr=0.1", None),
    ],
)
def test_an_argument_finds_its_config(argument: str, config: str | None) -> None:
    files = ("configs/exp/a.yaml", "configs/exp/a/b.yaml", "configs/top.yaml", "tests/c.yaml")
    results = [
        code("train.py", main=1),
        code("other.py", main=1),
        code("configs/cfg.py", findings=(at("configs/cfg.py"),)),
        *(FileResult(path, (at(path),)) for path in files),
        launching("README.md", given_configs(argument)),
    ]
    reach = told(*results)
    assert [path for path, each in reach.items() if each == "main"] == (
        [f"{config}:"] if config else []
    )


def test_a_config_brings_in_what_it_is_put_together_from() -> None:
    def settings_file(path: str, *named: str) -> FileResult:
        imports = (Import(name, line, named=True) for line, name in enumerate(named, start=1))
        return replace(code(path, *imports), findings=(at(path),))

    assert told(
        code("train.py", main=1),
        launching("README.md", given_configs("configs/exp/a.yaml")),
        settings_file("configs/exp/a.yaml", "../base.yaml", "model/net.yaml", "gone.yaml"),
        settings_file("configs/base.yaml"),
        settings_file("configs/model/net.yaml", "models.net.Net"),
        code(
            "models/net.py",
            findings=(at("models/net.py", "Net.__init__"), at("models/net.py", "Old.__init__")),
        ),
        settings_file("configs/model/old.yaml"),
    ) == {
        "configs/exp/a.yaml:": "main",
        "configs/base.yaml:": "main",
        "configs/model/net.yaml:": "main",
        "models/net.py:Net.__init__": "main",
        "models/net.py:Old.__init__": "unreached",
        "configs/model/old.yaml:": "other",
    }


def test_two_more_lines_for_another_run_do_not_outvote_the_first() -> None:
    page = lines_of("-c=configs/a.yaml", "-c=configs/b.yaml --lr=1", "-c=configs/b.yaml --resume")
    files = [FileResult(path, (at(path),)) for path in ("configs/a.yaml", "configs/b.yaml")]
    reach = told(code("train.py", main=1), page, *files)
    assert (reach["configs/a.yaml:"], reach["configs/b.yaml:"]) == ("main", "other")


def lines_of(*commands: str, path: str = "README.md") -> FileResult:
    """Lines of a page that start `train.py`, each with some arguments."""
    return launching(
        path,
        *(
            Launch(row, "train.py", "python", arguments=tuple(each.split()))
            for row, each in enumerate(commands, start=1)
        ),
    )


@pytest.mark.parametrize(
    ("results", "is_chosen"),
    [
        ([lines_of("--lr=1", "--lr=1 -c=configs/a.yaml")], False),
        ([lines_of("--lr=1 -c=configs/a.yaml", "--lr=1")], True),
        ([lines_of("--eval", "--lr=1 -c=configs/a.yaml")], True),
        ([lines_of("", "--lr=1 -c=configs/a.yaml")], True),
        ([lines_of("-c=$MINE", "--lr=1 -c=configs/a.yaml")], True),
        ([lines_of("--lr=1", "-c=configs/a.yaml", path="run.sh")], True),
    ],
    ids=["first", "second", "evaluates", "says nothing", "variable", "script"],
)
def test_a_line_that_does_without_a_config_comes_first_on_its_page(
    results: list[FileResult], is_chosen: bool
) -> None:
    reach = told(
        code("train.py", main=1), *results, FileResult("configs/a.yaml", (at("configs/a.yaml"),))
    )
    assert (reach["configs/a.yaml:"] == "main") == is_chosen


def test_the_config_of_another_projects_readme_is_not_the_usual_one() -> None:
    results = [
        code("tools/train.py", main=1),
        launching("projects/a/README.md", given_configs("configs/a.py", target="tools/train.py")),
        code("projects/a/configs/a.py", findings=(at("projects/a/configs/a.py"),)),
    ]
    assert told(*results) == {"projects/a/configs/a.py:": "other"}


@pytest.mark.parametrize(
    ("differs", "others", "main"),
    [
        ("--gpus={}", [], "a"),
        ("--num-gpus {}", [], "a"),
        ("trainer.devices={}", [], "a"),
        ("--max_steps={}", [], "b"),
        ("--gpus={}", ["doc/README.md"], "b"),
    ],
)
def test_a_document_that_gives_a_config_again_says_no_more_unless_what_is_done_differs(
    differs: str, others: list[str], main: str
) -> None:
    lines = [
        Launch(
            row,
            "train.py",
            "python",
            arguments=(*differs.format(row).split(), f"-c=configs/{name}.yaml"),
        )
        for row, name in [(3, "a"), (5, "b"), (7, "b"), (9, "b")]
    ]
    files = ("configs/a.yaml", "configs/b.yaml")
    reaches = told(
        code("train.py", main=1),
        launching("docs/README.md", *lines),
        *(launching(path, given_configs("-c=configs/b.yaml")) for path in others),
        *(FileResult(path, (at(path),)) for path in files),
    )
    assert [path for path in files if reaches[f"{path}:"] == "main"] == [f"configs/{main}.yaml"]


# --- what must hold of any tree -------------------------------------------------------------------

NAMES = ("train", "model", "ops", "data", "loss", "pkg.net", "pkg.ops", "extra")
CALM = settings(deadline=None, max_examples=60, derandomize=True)


def path_of(name: str) -> str:
    return name.replace(".", "/") + ".py"


WAYS: tuple[tuple[str, GuardState], ...] = (("", "none"), ("f", "none"), ("", "guarded"))
"""The function that an import stands in, and its guard."""
IMPORTS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(WAYS)), max_size=4)


@st.composite
def trees_of_code(draw: st.DrawFn) -> list[FileResult]:
    """Modules that bring in one another somehow, in functions or not, and a program."""
    results = [code("pkg/__init__.py")]
    for name in NAMES:
        imports = (
            Import(target, line, scope, guard)
            for line, (target, (scope, guard)) in enumerate(draw(IMPORTS), start=1)
        )
        words = draw(st.sampled_from(["", "f", "g", "f g"]))
        path = path_of(name)
        found = tuple(at(path, scope) for scope in draw(st.sets(st.sampled_from(["", "f", "g"]))))
        main = int(name == "train")
        results.append(code(path, *imports, main=main, words=words, findings=found))
    return results


def main_chains(*results: FileResult) -> list[Chain]:
    return [chain for chain in join(*results).chains if chain.main]


def reaches(results: Iterable[FileResult]) -> dict[str, str | None]:
    return told(*results)


@CALM
@given(st.data())
def test_the_order_of_files_makes_no_difference(data: st.DataObject) -> None:
    results = data.draw(trees_of_code())
    shuffled = data.draw(st.permutations(results))
    assert reaches(shuffled) == reaches(results)
    first, second = join(*results), join(*shuffled)
    assert first.programs == second.programs
    assert first.chains == second.chains


@CALM
@given(
    trees_of_code(),
    st.lists(st.sampled_from(NAMES), max_size=4),
    st.sampled_from(["", "f", "g"]),
    st.sampled_from(["clean.py", "tests/test_clean.py", "examples/clean.py", "deep/clean.py"]),
)
def test_clean_files_that_nothing_brings_in_never_change_the_main_path(
    results: list[FileResult], imports: list[str], words: str, path: str
) -> None:
    before = reaches(results)
    more = [*results, code(path, *imports, words=words)]
    after = reaches(more)
    assert {mark for mark, reach in before.items() if reach == "main"} == {
        mark for mark, reach in after.items() if reach == "main"
    }
    assert main_chains(*results) == main_chains(*more)


@CALM
@given(trees_of_code(), st.integers(1, len(NAMES)))
def test_findings_do_not_decide_where_the_path_leads(
    results: list[FileResult], mended: int
) -> None:
    before = reaches(results)
    results[mended] = replace(results[mended], findings=())
    after = reaches(results)
    assert after == {mark: before[mark] for mark in after}


@CALM
@given(trees_of_code())
def test_every_chain_is_one_of_imports(results: list[FileResult]) -> None:
    lines = {
        (result.path, item.line): item for result in results for item in result.facts.code.imports
    }
    for way in join(*results).chains:
        places = [step.path for step in way.imports]
        assert places[:1] in ([], ["train.py"])
        assert len(set(places)) == len(places)
        assert all((step.path, step.line) in lines for step in way.imports)
        guards = {lines[step.path, step.line].guard for step in way.imports}
        assert way.guard == ("guarded" if "guarded" in guards else "none")
