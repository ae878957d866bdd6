"""What rules say where their words or facts depend on which name matched."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from snippets import FILE, catalogue, scan

from portaudit.types import Finding


def found(source: str, rule: str) -> list[Finding]:
    """The findings of one rule in a file, in the order of the source."""
    findings: Iterable[Finding] = scan(source)[FILE].findings
    return sorted((item for item in findings if item.rule == rule), key=lambda item: item.span)


def only(source: str, rule: str) -> Finding:
    findings = found(source, rule)
    assert len(findings) == 1
    return findings[0]


@pytest.mark.parametrize(
    ("name", "replacement"),
    [
        ("cdiv", "-(-a // b)"),
        ("next_power_of_2", "1 << (n - 1).bit_length()"),
        ("testing.do_bench", "torch.utils.benchmark.Timer"),
        ("testing.do_bench_cudagraph", "torch.utils.benchmark.Timer"),
        ("testing.perf_report", "torch.utils.benchmark.Compare"),
        ("testing.Benchmark", "torch.utils.benchmark.Compare"),
        (
            "runtime.driver.active.get_current_target",
            "torch.accelerator.current_accelerator",
        ),
        (
            "runtime.driver.active.get_current_device",
            "torch.accelerator.current_device_index",
        ),
        ("set_allocator", ""),
    ],
)
def test_each_triton_helper_has_a_replacement_of_its_own(name: str, replacement: str) -> None:
    finding = only(f"import triton\n\nx = triton.{name}(1, 2)\n", "TRI004")
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
        "from bitsandbytes.optim import GlobalOptimManager\n",
        "import bitsandbytes\n\nmanager = bitsandbytes.optim.GlobalOptimManager.get_instance()\n",
        "import bitsandbytes as bnb\n\nManager = bnb.optim.GlobalOptimManager\n",
    ],
)
def test_the_manager_of_settings_is_not_called_an_optimizer(source: str) -> None:
    finding = only(source, "QNT002")
    assert "is an optimizer" not in finding.message
    assert "settings per parameter" in finding.message
    assert not finding.facts.replacement


def test_an_optimizer_beside_the_manager_keeps_its_words() -> None:
    finding = only("from bitsandbytes.optim import AdamW8bit\n", "QNT002")
    assert finding.message == "`bitsandbytes.optim.AdamW8bit` is an optimizer of bitsandbytes"
    assert finding.facts.replacement == "torch.optim.AdamW"


@pytest.mark.parametrize("module", ["accelerate.utils", "accelerate.utils.dataclasses"])
def test_the_recipe_of_torchao_is_judged_by_what_is_known_of_torchao(module: str) -> None:
    source = f"from {module} import AORecipeKwargs\n\nrecipe = AORecipeKwargs()\n"
    assert not found(source, "QNT008")
    finding = only(source, "QNT007")
    assert finding.severity == "info"
    assert finding.facts.status == "undocumented"
    assert "TransformerEngine" not in finding.facts.source


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ('device="cuda"', "on a CUDA device"),
        ('f"cuda:{rank}"', "on a CUDA device"),
        ('device=torch.device("cuda:1")', ""),
    ],
)
def test_a_generator_is_told_with_and_without_a_known_value(argument: str, said: str) -> None:
    findings = found(f"import torch\n\ngenerator = torch.Generator({argument})\n", "RNG004")
    assert [said in finding.message for finding in findings] == ([True] if said else [])
    assert all("``" not in finding.message for finding in findings)


def test_a_generator_in_a_partial_is_told_without_a_value() -> None:
    source = "import functools, torch\n\nmake = functools.partial(torch.Generator, 'cuda')\n"
    assert "``" not in only(source, "RNG004").message


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
    finding = only(f"import apex\n\nnorm = apex.normalization.{name}(8)\n", "FUS012")
    assert finding.facts.replacement == replacement
    assert finding.severity == "minor"


@pytest.mark.parametrize("name", ["MixedFusedLayerNorm", "fused_layer_norm.MixedFusedRMSNorm"])
def test_a_norm_of_two_precisions_has_no_drop_in(name: str) -> None:
    finding = only(f"import apex\n\nnorm = apex.normalization.{name}(8)\n", "FUS012")
    assert finding.severity == "major"


def test_every_rule_names_further_reading() -> None:
    rules = catalogue().rules.values()
    assert [rule.id for rule in rules if not rule.reference] == []
    pages = [(rule.id, item.url) for rule in rules for item in rule.reference]
    assert [page for page in pages if page[1].count("/") < 4 or page[1].endswith("/latest/")] == []
