"""Every replacement that rules name exists in PyTorch.

Checked against a committed list of names; where torch is installed, the list is checked against it.
"""

from __future__ import annotations

import re
import types
import warnings
from collections import defaultdict
from collections.abc import Iterator

import pytest

import torch_names
from snippets import catalogue

NAME = re.compile(r"(?<![\w.])torch(?:\.[A-Za-z_]\w*)+")
LARGEST = 300_000
"""Bytes that the list may have."""


def replacements() -> Iterator[tuple[str, str]]:
    """The replacement texts of all rules and table rows, with where they stand."""
    for rule in catalogue().rules.values():
        for target, fact in rule.target.items():
            yield f"{rule.id} {target}", fact.replacement
        for match in rule.match:
            yield f"{rule.id} {match.kind}", match.replacement
    for (rule_id, _), rows in catalogue().rows.items():
        for row in rows:
            for target, fact in row.facts.items():
                yield f"{rule_id} {row.name} {target}", fact.replacement


def named() -> dict[str, list[str]]:
    """The names of torch in replacements, and where each is named."""
    found: dict[str, list[str]] = defaultdict(list)
    for where, text in replacements():
        for name in NAME.findall(text):
            found[name].append(where)
    return found


@pytest.fixture(scope="module")
def torch() -> types.ModuleType:
    """The installed torch of the version that the list is of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where NumPy is missing
        module: types.ModuleType = pytest.importorskip("torch")
    installed = str(module.__version__)
    if installed.partition("+")[0] != torch_names.VERSION:
        pytest.skip(f"torch {installed} is installed; the list is of {torch_names.VERSION}")
    return module


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("torch.optim.AdamW", ["torch.optim.AdamW"]),
        (
            "tensor.to(torch.accelerator.current_accelerator())",
            ["torch.accelerator.current_accelerator"],
        ),
        (
            "torch.set_default_device(device); torch.set_default_dtype(dtype)",
            ["torch.set_default_device", "torch.set_default_dtype"],
        ),
        ("torch.get_device_module().get_rng_state()", ["torch.get_device_module"]),
        ("torch_xla.sync(wait=True)", []),
        ("torch_neuronx.torch.x, mytorch.y", []),
        ("-(-a // b)", []),
    ],
)
def test_names_are_read_out_of_a_replacement(text: str, names: list[str]) -> None:
    assert NAME.findall(text) == names


def test_every_replacement_exists() -> None:
    known = torch_names.read()
    wrong = {name: places for name, places in named().items() if name not in known}
    assert not wrong, "no such name in torch, or too deep for the list"


def test_replacements_are_really_compared() -> None:
    names = named()
    assert len(names) > 50
    assert "torch.nn.functional.scaled_dot_product_attention" in names


@pytest.mark.parametrize(
    "name", ["torch.nn.functional.flash_attention", "torch.cuda.amp.autocaster", "torch.neuron"]
)
def test_a_name_that_torch_lacks_is_not_listed(name: str) -> None:
    assert name not in torch_names.read()


def test_the_list_is_sorted_and_small() -> None:
    lines = torch_names.PATH.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == sorted(set(lines[1:]))
    assert torch_names.PATH.stat().st_size < LARGEST


def test_the_list_holds_in_the_installed_torch(
    torch: types.ModuleType, request: pytest.FixtureRequest
) -> None:
    if str(torch.__version__) == torch_names.BUILD:
        current = torch_names.public_names(torch)
        if request.config.getoption("--update-golden"):
            torch_names.PATH.write_text(torch_names.render(current), encoding="utf-8")
        assert torch_names.read() == set(current), "run pytest --update-golden with this torch"
    needed = [name for name in named() if not torch_names.exists(name)]
    assert needed == []
