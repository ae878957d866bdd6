from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from portaudit.relate.kernels import Natives
from portaudit.relate.options import Code, Command, Known, command
from portaudit.relate.reach import Reached, reached
from portaudit.types import (
    NO_CODE,
    Chain,
    FileFacts,
    FileResult,
    Finding,
    Import,
    Launch,
    Location,
    Option,
    Proof,
    Setting,
)
from samples import FLASH
from trees import code, configuring, defines, entry, launching, modules, tree, under

# --- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("--use-flash", {"use_flash": {"true"}}),
        ("--use_flash=False", {"use_flash": {"false"}}),
        ("--no-flash", {"no_flash": {"true"}, "flash": {"false"}}),
        ("--attn sdpa", {"attn": {"true", "sdpa"}}),
        ("--attn=sdpa data", {"attn": {"sdpa"}}),
        ("--parts a b", {"parts": {"true", "a", "b"}}),
        ("--rate -1.5 --eval", {"rate": {"true", "-1.5"}, "eval": {"true"}}),
        ("model.layer.fused=True", {"fused": {"true"}}),
        ("+model/layer@here=hyena", {"here": {"hyena"}}),
        ("~model.layer", {}),
        ("~model.layer=x", {"layer": {""}}),
        ("attn=$KIND lr=[1,2]", {"attn": {""}, "lr": {""}}),
    ],
)
def test_a_command_line_gives_values(words: str, given: Mapping[str, set[str]]) -> None:
    assert command(words.split()).given == given


def test_a_command_line_has_subcommands_and_short_options() -> None:
    said = command(["nerfacto", "-a", "resnet18", "--data", "here", "-v"])
    assert said.words == {"nerfacto"}
    assert said.letters == {"a", "v"}


@pytest.mark.parametrize(
    ("value", "wanted", "otherwise", "is_off"),
    [
        ("adamw", "*fused*", False, True),
        ("FusedAdam", "*fused*", False, False),
        ("", "*fused*", False, False),
        ("null", "*fused*", False, True),
        ("fused_adam", "fused*", True, True),
        ("Fused_adam", "fused*", True, False),
        ("adam_fused", "fused*", False, True),
        ("ab", "ab*b", False, True),
    ],
)
def test_a_condition_on_a_part_of_a_text(
    value: str, wanted: str, otherwise: bool, is_off: bool
) -> None:
    facts = known(code=f"opt_name={value}")
    option = Option((2, 3), "opt_name", (wanted,), 2, "if", otherwise)
    assert facts.is_off(option) is is_off
    assert not known(f"opt_name={value}").is_on(option)


def test_only_the_command_line_sets_what_code_reads_of_it_itself() -> None:
    option = Option((2, 3), "--kind", ("x",), 2, "if")
    assert known("kind=y", code="kind=x", is_open=True).is_off(option)
    assert not known("kind=y,x").is_off(option)
    assert not known("kind=").is_off(option)
    assert not known(code="kind=y").is_off(option)


def test_a_word_with_one_hyphen_is_one_option_where_code_spells_it_so() -> None:
    said = command(["-opt", "a.yml", "-vu"])
    assert not said.letters
    code = Code(dict.fromkeys(["otf", "pre", "use_flash"], frozenset({"false"})))
    spelled = replace(code, spelled={"opt": frozenset({"-opt"})})
    assert Known(said, code=code).is_set("otf")
    assert not Known(said, code=spelled).is_set("otf")
    assert not Known(said, code=spelled).is_set("pre")
    assert Known(said, code=spelled).is_set("use_flash")


@pytest.mark.parametrize(
    ("words", "is_text", "is_open"),
    [
        ("$ARGS", False, True),
        ("${ARGS[@]}", False, True),
        ("$ARGS", True, False),
        ("$@", False, False),
        ("$1", False, False),
        ("--data $DATA", False, False),
        ("--data $DATA $MORE", False, True),
        ("--fast $EXTRA_ARGS", False, True),
        ("config.yaml", False, False),
    ],
)
def test_a_word_that_may_be_anything_leaves_a_command_open(
    words: str, is_text: bool, is_open: bool
) -> None:
    assert command(words.split(), is_text=is_text).is_open is is_open


# --- what is known of a setting -------------------------------------------------------------------


def known(
    given: str = "", config: str = "", code: str = "", letters: str = "", *, is_open: bool = False
) -> Known:
    """What is known of settings, of each source as `name=value,value other=value`."""

    def values(text: str) -> dict[str, frozenset[str]]:
        pairs = (item.partition("=") for item in text.split())
        return {name: frozenset(value.split(",")) for name, _, value in pairs}

    said = Command(given=values(given), letters=frozenset(letters), is_open=is_open)
    return Known(said, values(config), Code(values(code)))


@pytest.mark.parametrize(
    ("facts", "is_off"),
    [
        (known(), False),
        (known(code="use_flash=false"), True),
        (known(code="use_flash=null"), True),
        (known(code="use_flash=true"), False),
        (known(code="use_flash=false,true"), False),
        (known(code="use_flash=false,"), False),
        (known(config="use_flash=false", code="use_flash=true"), True),
        (known(config="use_flash=true", code="use_flash=false"), False),
        (known("use_flash=true", "use_flash=false"), False),
        (known("use_flash=false", "use_flash=true"), True),
        (known(code="use_flash=false", letters="u"), False),
        (known(code="use_flash=false", is_open=True), False),
    ],
)
def test_the_highest_source_that_knows_a_setting_decides(facts: Known, is_off: bool) -> None:
    assert facts.is_off(under("use_flash", 2, 3)) is is_off


@pytest.mark.parametrize(
    ("facts", "is_off"),
    [
        (known(config="enabled=false", code="enabled=true"), False),
        (known(config="enabled=false", code="enabled=false"), True),
        (known(config="enabled=false"), True),
        (known(config="enabled=false", code="enabled="), False),
    ],
)
def test_of_a_name_that_many_settings_have_all_values_must_agree(
    facts: Known, is_off: bool
) -> None:
    assert facts.is_off(under("enabled", 2, 3)) is is_off


@pytest.mark.parametrize(
    ("has", "wants", "is_off", "otherwise_off"),
    [
        ("sdpa", "flash", True, False),
        ("flash", "flash", False, True),
        ("Flash", "flash", False, False),
        ("1", "1.0", False, True),
        ("2", "1", True, False),
        ("0", "true", True, False),
        ("no", "true", False, False),
        ("null", "null", False, True),
        ("x", "null", True, False),
        ("false", "false", False, True),
        ("null", "false", False, False),
    ],
)
def test_a_value_is_compared_as_far_as_it_is_sure(
    has: str, wants: str, is_off: bool, otherwise_off: bool
) -> None:
    facts = known(code=f"attn_kind={has}")
    option = under("attn_kind", 2, 3, value=wants)
    assert facts.is_off(option) is is_off
    assert facts.is_off(replace(option, otherwise=True)) is otherwise_off


# --- what waits for an option ---------------------------------------------------------------------


def at(path: str, line: int = 1, scope: str = "") -> Finding:
    span = replace(FLASH.span, line=line, end_line=line)
    return replace(FLASH, path=path, scope=scope, span=span, fingerprint=f"{path}:{line}")


def join(*results: FileResult) -> Reached:
    found = [finding for result in results for finding in result.findings]
    return reached(results, found, Natives(), tree(results), modules(results))


def waiting(*results: FileResult) -> dict[str, str]:
    """What each finding on the main path waits for, empty for nothing."""
    return {
        finding.fingerprint: finding.guard_by.setting if finding.guard_by else ""
        for finding in join(*results).findings
        if finding.reach == "main"
    }


OFF = (Setting("use_flash", "false", 1),)


def test_a_finding_under_a_flag_that_is_off_is_guarded_by_it() -> None:
    model = code(
        "model.py",
        options=(under("use_flash", 5, 6),),
        settings=OFF,
        findings=(at("model.py", 4), at("model.py", 5)),
    )
    before, behind = join(code("train.py", "model", main=1), model).findings
    assert (before.guard, before.effective_severity) == ("none", "blocker")
    assert (behind.reach, behind.guard, behind.effective_severity) == ("main", "guarded", "major")
    assert behind.guard_by == Proof("model.py", 4, "if use_flash:", "use_flash")


def test_a_flag_that_something_sets_is_not_off() -> None:
    def told(*settings: Setting, command: str = "", more: str = "") -> str:
        results = [
            code("train.py", "model", "more", main=1),
            code(
                "model.py",
                options=(under("use_flash", 5, 6),),
                settings=(*OFF, *settings),
                findings=(at("model.py", 5),),
            ),
            code("more.py", settings=(Setting("use_flash", more, 3, given=True),) if more else ()),
            code("unused.py", settings=(Setting("use_flash", "true", 3, given=True),)),
            launching(
                "README.md", Launch(3, "train.py", "python", arguments=tuple(command.split()))
            ),
        ]
        return waiting(*results)["model.py:5"]

    assert told() == "use_flash"
    assert told(Setting("use_flash", "true", 9, given=True)) == ""
    assert told(Setting("use_flash", "", 9, given=True)) == ""
    assert told(more="true") == ""
    assert told(command="--use-flash") == ""
    assert told(command="--use-flash=false") == "use_flash"
    assert told(command="--use-flash=false", more="true") == ""  # code has the last word


def test_what_is_set_under_an_option_that_is_off_is_not_set() -> None:
    model = code(
        "model.py",
        options=(under("use_flash", 5, 6), under("fp8", 8, 9)),
        settings=(*OFF, Setting("fp8", "false", 2), Setting("use_flash", "true", 9, given=True)),
        findings=(at("model.py", 5),),
    )
    assert waiting(code("train.py", "model", main=1), model) == {"model.py:5": "use_flash"}


def test_a_function_that_only_an_option_calls_waits_for_it_and_what_it_brings_in() -> None:
    results = [
        code("train.py", "model", words="build", main=1),
        code(
            "model.py",
            Import("kernels", 9, scope="flash"),
            words="build",
            options=(under("use_flash", 5, 6, "flash"),),
            settings=OFF,
            findings=(at("model.py", 10, "flash"), at("model.py", 12, "build")),
        ),
        code("kernels.py", "more", findings=(at("kernels.py"),)),
        code("more.py", findings=(at("more.py"),)),
    ]
    assert waiting(*results) == {
        "model.py:10": "use_flash",
        "model.py:12": "",
        "kernels.py:1": "use_flash",
        "more.py:1": "use_flash",
    }
    by = Proof("model.py", 4, "if use_flash:", "use_flash")
    assert [chain for chain in join(*results).chains if chain.path == "more.py"] == [
        Chain(
            "more.py",
            (Location("train.py", 1), Location("model.py", 9), Location("kernels.py", 1)),
            "guarded",
            by,
        )
    ]


def test_a_function_that_other_code_calls_does_not_wait() -> None:
    options = (under("use_flash", 5, 6, "flash"),)
    model = code("model.py", options=options, settings=OFF, findings=(at("model.py", 9, "flash"),))
    assert waiting(code("train.py", "model", words="flash", main=1), model) == {"model.py:9": ""}


def test_an_import_under_a_flag_that_is_off_does_not_happen() -> None:
    model = code(
        "model.py",
        Import("kernels", 5),
        options=(under("use_flash", 5, 6),),
        settings=OFF,
    )
    assert waiting(
        code("train.py", "model", main=1), model, code("kernels.py", findings=(at("kernels.py"),))
    ) == {"kernels.py:1": "use_flash"}


def test_what_is_brought_in_otherwise_as_well_runs() -> None:
    model = code(
        "model.py",
        Import("kernels", 5),
        options=(under("use_flash", 5, 6, "flash"),),
        settings=OFF,
    )
    kernels = code("kernels.py", findings=(at("kernels.py", 3), at("kernels.py", 9, "flash")))
    assert waiting(code("train.py", "model", "kernels", main=1), model, kernels) == {
        "kernels.py:3": "",
        "kernels.py:9": "use_flash",
    }


def test_the_outermost_of_several_options_is_named() -> None:
    model = code(
        "model.py",
        options=(under("use_te", 5, 9), under("use_flash", 7, 8, "flash", within=0)),
        settings=(*OFF, Setting("use_te", "false", 2)),
        findings=(at("model.py", 7), at("model.py", 20, "flash")),
    )
    assert waiting(code("train.py", "model", main=1), model) == {
        "model.py:7": "use_te",
        "model.py:20": "use_te",
    }


def test_what_a_function_waits_for_comes_before_what_is_off_in_it() -> None:
    model = code(
        "model.py",
        options=(under("use_te", 5, 6, "flash"), under("use_flash", 12, 13)),
        settings=(*OFF, Setting("use_te", "false", 2)),
        findings=(at("model.py", 12, "flash"), at("model.py", 13, "fit")),
    )
    assert waiting(code("train.py", "model", words="fit", main=1), model) == {
        "model.py:12": "use_te",
        "model.py:13": "use_flash",
    }


def test_a_part_of_a_line_may_wait() -> None:
    finding = at("model.py", 5)
    part = replace(finding.span, column=1, end_column=finding.span.end_column + 5)
    option = replace(under("use_flash", 5, 5), lines=(0, 0), part=part)
    behind = replace(finding, span=replace(finding.span, column=part.end_column + 1, end_column=99))
    behind = replace(behind, fingerprint="behind")
    model = code("model.py", options=(option,), settings=OFF, findings=(finding, behind))
    assert waiting(code("train.py", "model", main=1), model) == {
        "model.py:5": "use_flash",
        "behind": "",
    }


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ((), "use_flash"),
        (OFF, "use_flash"),
        ((*OFF, Setting("use_flash", "true", 3, given=True)), ""),
        ((*OFF, Setting("use_flash", "", 3, given=True)), ""),
    ],
)
def test_a_flag_that_a_file_takes_for_off_may_be_set_by_another(
    settings: tuple[Setting, ...], setting: str
) -> None:
    by = Proof("model.py", 4, "if use_flash:", "use_flash")
    model = code("model.py", findings=(replace(at("model.py", 5), guard="guarded", guard_by=by),))
    train = code("train.py", "model", main=1, settings=settings)
    (finding,) = join(train, model).findings
    told = finding.guard_by.setting if finding.guard_by else ""
    assert (finding.guard, told) == ("guarded" if setting else "none", setting)


def test_a_flag_of_the_command_line_is_set() -> None:
    facts = known("use_flash=true", code="use_flash=false")
    assert facts.is_set("use_flash")
    assert not facts.is_set("other")
    assert known("use_flash=true").is_set("use_flash")
    assert known(letters="u").is_set("use_flash")


def test_a_fallback_stays_one_and_what_nothing_calls_stays_off_the_path() -> None:
    fallback = replace(at("model.py", 5), guard="fallback", guard_by=Proof("model.py", 2, "try:"))
    model = code(
        "model.py",
        options=(under("use_flash", 5, 6),),
        settings=OFF,
        findings=(fallback, at("model.py", 9, "dead")),
    )
    told = {
        each.fingerprint: each for each in join(code("train.py", "model", main=1), model).findings
    }
    assert told["model.py:5"].guard_by == fallback.guard_by
    assert (told["model.py:9"].reach, told["model.py:9"].guard) == ("unreached", "none")


# --- entries of tables ----------------------------------------------------------------------------


def table(*, by: str = "", settings: tuple[Setting, ...] = (), words: str = "") -> list[FileResult]:
    """A program with two models in a table, which are configs if the command line chooses."""
    options = tuple(
        replace(entry("MODELS", *each, by), made=by == "$")
        for each in (("conv", 5, "Conv"), ("scan", 6, "Scan"))
    )
    return [
        code("train.py", "models", main=1),
        code("models.py", "conv", "scan", options=options, settings=settings),
        code("conv.py", findings=(at("conv.py", 3, "Conv"),)),
        code("scan.py", words=words, findings=(at("scan.py", 1), at("scan.py", 3, "Scan"))),
    ]


def started(*arguments: str) -> FileResult:
    return launching("README.md", Launch(3, "train.py", "python", arguments=arguments))


NONE_OFF = {"conv.py:3": "", "scan.py:1": "", "scan.py:3": ""}
SCAN_OFF = {**NONE_OFF, "scan.py:3": "scan"}


def test_an_entry_counts_where_nothing_says_which_is_chosen() -> None:
    assert waiting(*table()) == NONE_OFF
    assert waiting(*table(), started("--lr", "1")) == NONE_OFF
    assert waiting(*table(by="model_kind")) == NONE_OFF


def test_the_setting_that_a_table_is_asked_with_chooses() -> None:
    conv = (Setting("model_kind", "conv", 2),)
    assert waiting(*table(by="model_kind", settings=conv)) == SCAN_OFF
    open_ = (*conv, Setting("model_kind", "", 3, given=True))
    assert waiting(*table(by="model_kind", settings=open_)) == NONE_OFF
    assert waiting(*table(by="model_kind", settings=conv), started("--model-kind=scan")) == {
        **NONE_OFF,
        "conv.py:3": "conv",
    }


def test_a_subcommand_chooses_unless_other_code_names_the_entry() -> None:
    assert waiting(*table(by="$"), started("conv", "--data", "x")) == SCAN_OFF
    assert waiting(*table(by="$", words="scan"), started("conv")) == NONE_OFF
    for by in ("", "?", "@", "$ ?"):
        assert waiting(*table(by=by), started("conv")) == NONE_OFF


def test_a_config_chooses_among_the_tables_that_it_names_an_entry_of() -> None:
    config = configuring("configs/a.yaml", name="conv", other="lib.models.x")
    given = started("configs/a.yaml")
    assert waiting(*table(by="@"), config, given) == SCAN_OFF
    assert waiting(*table(by="@", words="scan"), config, given) == NONE_OFF
    assert waiting(
        *table(by="@"), configuring("configs/a.yaml", name="conv", also="b.scan"), given
    ) == (NONE_OFF)
    assert waiting(*table(by="@"), configuring("configs/a.yaml", name="other"), given) == NONE_OFF
    assert waiting(*table(by="@"), configuring("configs/a.yaml", head="conv"), given) == NONE_OFF
    assert waiting(*table(by="kind"), configuring("configs/a.yaml", head="conv"), given) == NONE_OFF
    for by in ("", "?", "@ ?", "@ kind"):
        assert waiting(*table(by=by), config, given) == NONE_OFF


def registered(name: str, first: int, words: str = "") -> Option:
    """A class that a registry takes, with all its lines."""
    text = "@MODELS.register_module()"
    return Option(
        (first, first + 9), "MODELS", (name,), first, text, table=True, by="@", words=words
    )


def test_a_registered_class_waits_unless_a_config_or_a_chosen_class_names_it() -> None:
    results = [
        code("train.py", "models", main=1),
        code(
            "models.py",
            "kernels",
            offered="Base Chosen Other",
            options=(
                registered("Base", 10),
                registered("Chosen", 20, "Base"),
                registered("Other", 30, "Other Rare"),
                registered("Rare", 40),
            ),
            findings=tuple(at("models.py", line) for line in (11, 21, 31, 41)),
        ),
        code("kernels.py"),
        configuring("configs/a.yaml", type="Chosen"),
        started("configs/a.yaml"),
    ]
    assert waiting(*results) == {
        "models.py:11": "",
        "models.py:21": "",
        "models.py:31": "Other",
        "models.py:41": "Rare",
    }


def test_a_config_of_which_a_part_is_missing_chooses_nothing() -> None:
    config = code(
        "configs/a.py",
        Import("../base.py", 1, named=True),
        settings=(Setting("name", "conv", 2),),
    )
    results = [*table(by="@"), started("configs/a.py")]
    assert waiting(*results, config) == NONE_OFF
    assert waiting(*results, config, configuring("base.py", lr="1")) == SCAN_OFF


def test_of_several_scripts_any_may_be_the_usual_run() -> None:
    def told(*lines: str) -> dict[str, str]:
        scripts = (
            launching(
                f"run_{number}.sh", Launch(3, "train.py", "python", arguments=tuple(line.split()))
            )
            for number, line in enumerate(lines)
        )
        config = configuring("configs/a.yaml", name="conv", use_flash="true")
        model = code(
            "model.py",
            options=(under("use_te", 5, 6), under("use_flash", 8, 9)),
            settings=(Setting("use_te", "false", 1), Setting("use_flash", "false", 1)),
            findings=(at("model.py", 5), at("model.py", 8)),
        )
        train, *others = table(by="@")
        imports = (*train.facts.code.imports, Import("model", 2))
        train = code("train.py", *imports, main=1)
        return waiting(
            train, *others, model, config, configuring("configs/b.yaml", x="1"), *scripts
        )

    one = told("configs/b.yaml")
    assert (one["model.py:5"], one["model.py:8"]) == ("use_te", "use_flash")
    several = told("configs/b.yaml", "configs/a.yaml --use-te")
    assert several == {**NONE_OFF, "model.py:5": "", "model.py:8": ""}
    assert told("configs/a.yaml")["scan.py:3"] == "scan"


def test_a_config_that_is_made_waits_only_for_a_subcommand() -> None:
    def told(*arguments: str, **values: str) -> dict[str, str]:
        first, models, *others = table(by="@")
        options = tuple(replace(each, made=True, by="$") for each in models.facts.code.options)
        models = code("models.py", "conv", "scan", options=options, findings=(at("models.py", 6),))
        config = configuring("configs/a.yaml", **values)
        return waiting(first, models, *others, config, started(*arguments))

    assert told("conv") == {**SCAN_OFF, "models.py:6": ""}
    assert told("configs/a.yaml", name="conv") == {**NONE_OFF, "models.py:6": ""}


def test_a_table_of_another_file_is_asked_with_settings() -> None:
    def told(*asks: tuple[str, str], words: str = "MODELS", more: str = "") -> dict[str, str]:
        results = table(settings=(Setting("model_kind", "conv", 2),))
        asking = code("build.py", Import("models.MODELS", 1), words=words, asks=asks)
        other = code("more.py", Import("models.MODELS", 1), words=more)
        train = code("train.py", "models", "build", "more", main=1)
        return waiting(train, *results[1:], asking, other)

    assert told(("MODELS", "model_kind")) == SCAN_OFF
    assert told(("MODELS", "model_kind other_kind")) == NONE_OFF
    assert told(("MODELS", "")) == NONE_OFF
    assert told() == NONE_OFF
    assert told(("MODELS", "model_kind"), more="MODELS") == NONE_OFF


def test_who_imports_a_table_may_ask_it_otherwise() -> None:
    def told(name: str, *asks: tuple[str, str]) -> dict[str, str]:
        results = table(by="model_kind", settings=(Setting("model_kind", "conv", 2),))
        other = code("build.py", Import(name, 1), words="MODELS", asks=asks)
        return waiting(code("train.py", "models", "build", main=1), *results[1:], other)

    assert told("models.Conv") == SCAN_OFF
    assert told("models.MODELS") == NONE_OFF
    assert told("models.MODELS", ("MODELS", "")) == SCAN_OFF


def test_a_table_is_asked_with_what_a_function_is_given() -> None:
    def told(*gives: tuple[str, str], words: str = "build") -> dict[str, str]:
        results = table(by="=conv build(0:kind", settings=(Setting("attn_kind", "conv", 2),))
        facts = replace(NO_CODE, imports=(Import("models.build", 1),), words=words, gives=gives)
        caller = FileResult("call.py", (), FileFacts(code=facts))
        return waiting(code("train.py", "models", "call", main=1), *results[1:], caller)

    assert told(("build", "0=conv")) == SCAN_OFF
    assert told(("build", "kind=conv 1?")) == SCAN_OFF
    assert told(("build", "0:attn_kind")) == SCAN_OFF
    assert told(("build", "1?")) == SCAN_OFF  # the default
    assert told(("build", "0=conv"), ("build", "0=scan")) == NONE_OFF
    assert told(("build", "0?")) == NONE_OFF
    assert told(("build", "0:other")) == NONE_OFF
    assert told() == NONE_OFF
    assert told(words="") == NONE_OFF


def test_a_table_may_be_asked_under_other_names() -> None:
    def told(name: str, **more: str) -> dict[str, str]:
        results = table(by="model_kind ~NETS", settings=(Setting("model_kind", "conv", 2),))
        other = code("more.py", Import(name, 1), words=" ".join(more), asks=tuple(more.items()))
        return waiting(code("train.py", "models", "more", main=1), *results[1:], other)

    assert told("models.NETS", NETS="=scan") == NONE_OFF
    assert told("models.NETS", NETS="=conv") == SCAN_OFF
    assert told("models", MODELS="=scan") == NONE_OFF
    assert told("other", MODELS="=scan") == SCAN_OFF


def test_a_value_that_is_no_key_says_nothing() -> None:
    for value in ("null", "other"):
        settings = (Setting("model_kind", value, 2),)
        assert waiting(*table(by="model_kind", settings=settings)) == NONE_OFF


# --- classes and functions ------------------------------------------------------------------------


def test_what_a_class_names_waits_for_what_the_class_waits_for() -> None:
    model = code(
        "model.py",
        options=(
            under("use_flash", 5, 6, "Config"),
            defines("Config", 10, 19, "Model"),
            defines("Model", 20, 29, "kernel"),
        ),
        settings=OFF,
        findings=(at("model.py", 22, "Model"), at("model.py", 40, "kernel")),
    )
    waits = {"model.py:22": "use_flash", "model.py:40": "use_flash"}
    assert waiting(code("train.py", "model", main=1), model) == waits
    used = dict.fromkeys(waits, "")
    assert waiting(code("train.py", "model", words="Config", main=1), model) == used
    offered = code("more.py", offered="Config")
    assert waiting(code("train.py", "model", "more", main=1), model, offered) == used
    opened = code("train.py", "model", main=1, offered="model.*")
    assert waiting(opened, model)["model.py:40"] == ""


def test_what_an_unused_class_names_is_not_there() -> None:
    model = code(
        "model.py",
        options=(
            defines("Config", 10, 19, "Model", within=-1),
            under("use_flash", 12, 13, "other", within=0),
        ),
        settings=OFF,
        findings=(at("model.py", 22, "Model"), at("model.py", 40, "other")),
    )
    assert waiting(code("train.py", "model", main=1), model) == {}


def test_what_an_unused_function_sets_is_not_set() -> None:
    def told(words: str) -> dict[str, str]:
        model = code(
            "model.py",
            options=(under("use_flash", 5, 6), defines("sweep", 10, 12, "go")),
            settings=(*OFF, Setting("use_flash", "true", 11, given=True)),
            findings=(at("model.py", 5),),
        )
        return waiting(code("train.py", "model", words=words, main=1), model)

    assert told("") == {"model.py:5": "use_flash"}
    assert told("sweep") == {"model.py:5": ""}


def test_a_main_guard_runs_only_in_a_program() -> None:
    guard = (defines("__main__", 30, 31, "kernel"),)
    finding = at("model.py", 40, "kernel")
    model = code("model.py", options=guard, findings=(finding,))
    assert waiting(code("train.py", "model", main=1), model) == {}
    told = waiting(code("train.py", Import("model.py", 1, named=True), main=1), model)
    assert told == {"model.py:40": ""}
    train = code("train.py", main=30, options=guard, findings=(at("train.py", 40, "kernel"),))
    assert waiting(train) == {"train.py:40": ""}


def test_a_base_that_keeps_a_list_of_its_classes_runs() -> None:
    model = code(
        "model.py",
        offered="<Base Net<Base",
        options=(defines("Base", 10, 19, "kernel"), defines("Net", 20, 29, "Base part")),
        findings=(at("model.py", 40, "kernel"), at("model.py", 50, "part")),
    )
    assert waiting(code("train.py", "model", main=1), model) == {
        "model.py:40": "",
        "model.py:50": "",
    }


# --- other programs -------------------------------------------------------------------------------


def test_what_other_programs_reach_is_told_with_the_guard_on_the_way() -> None:
    results = [
        code("train.py", "model", main=1, findings=(at("train.py"),)),
        code(
            "evaluate.py",
            "model",
            Import("plots", 2, "", "fallback"),
            words="run",
            main=1,
        ),
        code(
            "model.py",
            findings=(at("model.py", 1), at("model.py", 2, "run"), at("model.py", 3, "fit")),
        ),
        code("plots.py", findings=(at("plots.py"),)),
        code("tests/test_model.py", "model", main=1),
    ]
    others = join(*results).others
    assert {path: dict(others[path]) for path in others} == {
        "evaluate.py": {"model.py:1": "none", "model.py:2": "none", "plots.py:1": "fallback"}
    }
