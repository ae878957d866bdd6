"""What rules say where their words or facts depend on which name matched."""

from __future__ import annotations

import re
from keyword import iskeyword

import pytest

from portaudit.report.page import shown
from portaudit.types import TARGETS, Finding, Target
from snippets import catalogue, findings, scan, the

UNFILLED = re.compile(r"\{(?:row\.\w+|anchor|value)\}")


def texts(finding: Finding) -> list[str]:
    """What a report says in words that come from a rule."""
    facts = finding.facts
    return [finding.message, finding.fix, facts.note, facts.replacement]


def test_what_is_shown_of_a_remedy_does_not_end_in_a_colon() -> None:
    remedies = {rule.id: shown(rule.fix) for rule in catalogue().rules.values()}
    assert [
        name for name, (words, code) in remedies.items() if words.endswith(":\n") > bool(code)
    ] == []


def test_a_list_that_a_remedy_announces_is_shown() -> None:
    assert shown("Write it anew:\n\n- short\n  ones\n- long ones\n\nThen measure.") == (
        "Write it anew:\n\n- short\n  ones\n- long ones\n",
        "",
    )
    assert shown("Measure first.\n\n- and more") == ("Measure first.\n", "")


@pytest.mark.parametrize("target", TARGETS)
def test_no_text_of_a_finding_has_an_unfilled_place(target: Target) -> None:
    """All tests of all rules, in one tree, and an import of every name that tables have."""
    files: dict[str, str] = {}
    for rule in catalogue().rules.values():
        for number, test in enumerate(rule.test):
            single = {test.path or "code.py": test.bad} if test.bad else {}
            for path, text in {**single, **test.files}.items():
                files[f"{rule.id}/{number}/{path}"] = text
    named = {row.name for rows in catalogue().rows.values() for row in rows}
    python = sorted(name for name in named if re.fullmatch(r"[a-z_]\w*(\.\w+)+", name))
    lines = []
    for number, name in enumerate(python):
        module, _, last = name.rpartition(".")
        if not iskeyword(last):
            lines.append(f"from {module} import {last} as x{number}\nx{number}(1)\n")
    files["imports.py"] = "".join(lines)
    results = scan(files, target=target)
    told = [finding for result in results.values() for finding in result.findings]
    assert len({finding.rule for finding in told}) > 250
    assert len(told) > 2000
    unfilled = [each for each in told if any(map(UNFILLED.search, texts(each)))]
    assert [(each.rule, each.path) for each in unfilled] == []
    summaries = (rule.fix for rule in catalogue().rules.values())
    assert not any(UNFILLED.search(text) for text in summaries)


def found(source: str, rule: str) -> list[Finding]:
    """The findings of one rule in a file, in the order of the source."""
    return sorted(findings(source, rule), key=lambda item: item.span)


@pytest.mark.parametrize(
    ("name", "replacement"),
    [
        ("cdiv", "-(-a // b)"),
        ("next_power_of_2", "1 << (n - 1).bit_length()"),
        ("testing.do_bench", "torch.utils.benchmark.Timer"),
        ("testing.do_bench_cudagraph", "torch.utils.benchmark.Timer"),
        ("testing.perf_report", "torch.utils.benchmark.Compare"),
        ("testing.Benchmark", "torch.utils.benchmark.Compare"),
        ("runtime.driver.active.get_current_target", "torch.accelerator.current_accelerator()"),
        ("runtime.driver.active.get_current_device", "torch.accelerator.current_device_index()"),
        ("set_allocator", ""),
    ],
)
def test_each_triton_helper_has_a_replacement_of_its_own(name: str, replacement: str) -> None:
    finding = the(f"import triton\n\nx = triton.{name}(1, 2)\n", "TRI004")
    assert finding.facts.replacement == replacement


def test_preparing_a_quantised_model_is_not_said_to_load_it() -> None:
    prepare, load = found(
        """
        import peft
        import transformers

        model = peft.prepare_model_for_kbit_training(model)
        config = transformers.BitsAndBytesConfig(load_in_4bit=flag)
        """,
        "QNT003",
    )
    assert "loads" not in prepare.message
    assert "prepares a model that bitsandbytes quantised" in prepare.message
    assert "loads the model" in load.message


@pytest.mark.parametrize(
    "source",
    [
        "import bitsandbytes\n\nmanager = bitsandbytes.optim.GlobalOptimManager.get_instance()\n",
        "import bitsandbytes as bnb\n\nManager = bnb.optim.GlobalOptimManager\n",
    ],
)
def test_the_manager_of_settings_is_not_called_an_optimizer(source: str) -> None:
    finding = the(source, "QNT002")
    assert "is an optimizer" not in finding.message
    assert "settings per parameter" in finding.message
    assert not finding.facts.replacement


def test_an_import_of_optimizers_names_what_the_statement_imports_from() -> None:
    finding = the("from bitsandbytes.optim import AdamW8bit, GlobalOptimManager\n", "QNT002")
    assert finding.message == "`bitsandbytes.optim`: the optimizers of bitsandbytes"


def test_an_optimizer_keeps_its_words_and_replacement() -> None:
    finding = the("import bitsandbytes\n\nbest = bitsandbytes.optim.AdamW8bit(p)\n", "QNT002")
    assert finding.message == "`bitsandbytes.optim.AdamW8bit` is an optimizer of bitsandbytes"
    assert finding.facts.replacement == "torch.optim.AdamW"


@pytest.mark.parametrize("module", ["accelerate.utils", "accelerate.utils.dataclasses"])
def test_the_recipe_of_torchao_is_judged_by_what_is_known_of_torchao(module: str) -> None:
    source = f"from {module} import AORecipeKwargs\n\nrecipe = AORecipeKwargs()\n"
    assert not found(source, "QNT008")
    (called,) = found(source, "QNT007")
    assert called.severity == "info"
    assert called.facts.status == "undocumented"
    assert "TransformerEngine" not in called.facts.source


@pytest.mark.parametrize(
    "argument", ['device="cuda"', 'f"cuda:{rank}"', 'device=torch.device("cuda:1")', "device"]
)
def test_a_generator_is_told_with_and_without_a_known_value(argument: str) -> None:
    source = f"import torch\n\ndevice = 'cuda'\ngenerator = torch.Generator({argument})\n"
    finding = the(source, "RNG004")
    assert finding.message == "`torch.Generator` makes a random generator on a CUDA device"


def test_a_generator_in_a_partial_is_told_without_a_value() -> None:
    source = "import functools, torch\n\nmake = functools.partial(torch.Generator, 'cuda')\n"
    assert "``" not in the(source, "RNG004").message


@pytest.mark.parametrize(
    ("name", "replacement"),
    [
        ("FusedLayerNorm", "torch.nn.LayerNorm"),
        ("FusedRMSNorm", "torch.nn.RMSNorm"),
        ("InstanceNorm3dNVFuser", "torch.nn.InstanceNorm3d"),
        ("fused_layer_norm.fused_layer_norm_affine", "torch.nn.functional.layer_norm"),
        ("fused_layer_norm.fused_rms_norm", "torch.nn.functional.rms_norm"),
    ],
)
def test_each_fused_norm_has_a_replacement_of_its_own(name: str, replacement: str) -> None:
    finding = the(f"import apex\n\nnorm = apex.normalization.{name}(8)\n", "FUS012")
    assert finding.facts.replacement == replacement
    assert finding.severity == "minor"


@pytest.mark.parametrize("name", ["MixedFusedLayerNorm", "fused_layer_norm.MixedFusedRMSNorm"])
def test_a_norm_of_two_precisions_has_no_drop_in(name: str) -> None:
    finding = the(f"import apex\n\nnorm = apex.normalization.{name}(8)\n", "FUS012")
    assert finding.severity == "major"


def test_every_rule_names_further_reading() -> None:
    rules = catalogue().rules.values()
    assert [rule.id for rule in rules if not rule.reference] == []
    pages = [(rule.id, item.url) for rule in rules for item in rule.reference]
    assert [page for page in pages if page[1].count("/") < 4 or page[1].endswith("/latest/")] == []


@pytest.mark.parametrize(
    ("source", "rule", "message"),
    [
        (
            "import trl\n\nconfig = trl.GRPOConfig(use_vllm=True)\n",
            "INF006",
            "`use_vllm=True` lets the trainer generate with vLLM",
        ),
        (
            "import transformers\n\ntransformers.TrainingArguments(use_liger_kernel=True)\n",
            "FUS031",
            "`use_liger_kernel=True` turns on Liger's Triton kernels",
        ),
        (
            "import transformers as t\n\nt.AutoModel.from_config(x, use_flash_attention_2=True)\n",
            "FUS034",
            "`use_flash_attention_2=True` chooses the flash-attn CUDA kernels",
        ),
        (
            "env_cfg = dict(cudnn_benchmark=True)\n",
            "BKF001",
            "`cudnn_benchmark=True` asks for cuDNN's search of algorithms: no effect without CUDA",
        ),
    ],
)
def test_a_switch_is_shown_with_its_value_once(source: str, rule: str, message: str) -> None:
    assert the(source, rule).message == message


def test_each_shape_that_depends_on_data_has_its_own_remedy() -> None:
    source = """\
import torch


class Head(torch.nn.Module):
    def forward(self, x, mask):
        return torch.nonzero(x), x.masked_select(mask), torch.unique(x)
"""
    assert [item.facts.replacement for item in found(source, "SHP001")] == [
        "torch.nonzero_static(mask, size=n)",
        "torch.where(mask, x, 0)",
        "torch.nn.functional.one_hot(x, num_classes).amax(0)",
    ]
