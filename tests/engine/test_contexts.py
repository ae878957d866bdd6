"""Where code stands: what runs in a step for sure, what likely does, and what is on the host."""

from __future__ import annotations

import pytest

from snippets import scan

SHAPE, SYNC = "SHP001", "SYN001"
NET = """
import torch
from torch import nn, Tensor
"""


def confidences(text: str, rule: str, path: str = "net.py") -> list[tuple[int, str]]:
    """Lines (counted from the first after NET) and confidences of a rule's findings."""
    [result] = scan({path: NET.lstrip() + text.lstrip("\n")}).values()
    return [
        (finding.span.line - 2, finding.confidence)
        for finding in result.findings
        if finding.rule == rule
    ]


@pytest.mark.parametrize(
    "text",
    [
        """
class Net(nn.Module):
    def forward(self, x):
        return torch.nonzero(x)
""",
        """
class Top(torch.autograd.Function):
    @staticmethod
    def backward(ctx, grad):
        return torch.nonzero(grad)
""",
        """
class Sgd(torch.optim.Optimizer):
    def step(self):
        return torch.nonzero(self.grads)
""",
        """
class Scaler(torch.amp.GradScaler):
    def unscale_(self, optimizer):
        return torch.nonzero(optimizer.grads)
""",
        """
from transformers import PreTrainedModel
class Net(PreTrainedModel):
    def forward(self, x): return torch.nonzero(x)
""",
        """
from .base import Anything
class Net(Anything):
    def forward(self, x): return torch.nonzero(x)
""",
    ],
)
def test_methods_that_run_in_every_step(text: str) -> None:
    assert [confidence for _, confidence in confidences(text, SHAPE)] == ["medium"]


def test_what_a_forward_calls_runs_in_the_step() -> None:
    text = """
def pick(x):
    return torch.nonzero(x)
class Net(nn.Module):
    def forward(self, x):
        return self.inner(x)
    def inner(self, x):
        return pick(x)
def unused(x):
    return torch.nonzero(x)
"""
    assert confidences(text, SHAPE) == [(2, "medium")]


def test_a_function_of_tensors_likely_does() -> None:
    text = """
def pick(x: Tensor):
    return torch.nonzero(x)
def maybe(x: "torch.Tensor | None" = None):
    return torch.nonzero(x)
def number(x: int):
    return torch.nonzero(x)
def evaluate(x: Tensor):
    return torch.nonzero(x)
def pick_cpu(x: Tensor):
    return torch.nonzero(x)
"""
    assert confidences(text, SHAPE) == [(2, "low"), (4, "low")]


def test_a_tensor_of_another_library_is_none() -> None:
    [result] = scan(
        {
            "net.py": """
            import torch
            from tensorflow import Tensor

            def pick(x: Tensor):
                return torch.nonzero(x)
            """
        }
    ).values()
    assert not result.findings


def test_other_methods_of_a_module_likely_do() -> None:
    text = """
class Net(nn.Module):
    def __init__(self):
        self.x = torch.nonzero(torch.eye(2))
    def encode(self, x):
        return torch.nonzero(x)
    def load_weights(self, x):
        return torch.nonzero(x)
"""
    assert confidences(text, SHAPE) == [(5, "low")]


def test_tests_are_not_likely_to_train() -> None:
    text = "def pick(x: Tensor):\n    return torch.nonzero(x)\n"
    assert confidences(text, SHAPE, "ops/pick.py") == [(2, "low")]
    assert confidences(text, SHAPE, "tests/pick.py") == []
    assert confidences(text, SHAPE, "ops/test_pick.py") == []


@pytest.mark.parametrize(
    "path",
    [
        *("models/pick.py", "pkg/layers/pick.py", "losses/pick.py", "pkg/ops/deep/pick.py"),
        *("Model/pick.py", "geometry/pick.py", "transforms/pick.py"),
    ],
)
def test_a_function_in_a_folder_of_models_likely_does(path: str) -> None:
    text = "def pick(x, y=1):\n    return torch.nonzero(x)\n"
    assert confidences(text, SHAPE, path) == [(2, "low")]


@pytest.mark.parametrize(
    "path",
    [
        *("pick.py", "models.py", "data/pick.py", "my_models/pick.py", "tools/layers.py"),
        *("tests/models/pick.py", "models/test_pick.py", "models/metrics/pick.py"),
    ],
)
def test_a_function_in_another_folder_is_none(path: str) -> None:
    text = "def pick(x, y=1):\n    return torch.nonzero(x)\n"
    assert confidences(text, SHAPE, path) == []


def test_a_function_in_a_folder_of_models_that_takes_nothing_is_none() -> None:
    text = """
def table():
    return torch.nonzero(torch.eye(3))
class Anchors:
    def table(self):
        return torch.nonzero(self.x)
    @classmethod
    def of_class(cls):
        return torch.nonzero(cls.x)
    def pick(self, x):
        return torch.nonzero(x)
def evaluate(x):
    return torch.nonzero(x)
def pick_numpy(x):
    return torch.nonzero(x)
"""
    assert confidences(text, SHAPE, "models/net.py") == [(10, "low")]
    assert confidences(text, SHAPE, "net.py") == []


def test_a_file_in_a_folder_of_models_that_has_no_torch_is_none() -> None:
    [result] = scan({"models/pick.py": "def pick(x):\n    return x.nonzero(), x.item()\n"}).values()
    assert not result.findings


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("x[:, : n.max()]", True),
        ("x[: n.max()]", True),
        ("x[n.min() :]", True),
        ("x[:, : n.sum()]", True),
        ("x[..., n.amin() : n.amax()]", True),
        ("x[:, : x.shape[1]]", False),
        ("x[:, : x.size(1)]", False),
        ("x[: max(n)]", False),
        ("x[: n]", False),
        ("x[: n.max(1)]", False),  # not one number
        ("x[n.max()]", False),  # an index stays on the device
        ("x[:, n.max()]", False),
        ("np.ones(3)[: n.max()]", False),
        ("(n.max(), x[: 3])", False),
    ],
)
def test_a_slice_that_ends_at_a_tensor_reads_it(expression: str, found: bool) -> None:
    text = f"""
import numpy as np
class Net(nn.Module):
    def forward(self, x, n):
        return {expression}
def collate(x, n):
    return {expression}
"""
    assert confidences(text, SYNC) == ([(4, "low")] if found else [])


@pytest.mark.parametrize("sliced", ["sizes", "x"])
def test_a_slice_that_ends_at_a_number_of_the_host_reads_nothing(sliced: str) -> None:
    text = f"""
import numpy as np
class Net(nn.Module):
    def forward(self, x):
        sizes = np.array([1, 2])
        return {sliced}[: sizes.max()]
"""
    assert confidences(text, SYNC) == []


def test_a_forward_of_no_module_is_none() -> None:
    text = """
import abc
class Proxy(abc.ABC):
    def forward(self, x):
        return torch.nonzero(x)
class Alone:
    def forward(self, x):
        return torch.nonzero(x)
"""
    assert confidences(text, SHAPE) == []


def test_what_was_copied_to_the_host_is_not_on_the_device() -> None:
    text = """
class Net(nn.Module):
    def forward(self, x):
        p = x.detach().cpu()
        for row in p:
            first = row.unique()
        return torch.nonzero(p), p[p > 0], p.float().item(), p.tolist()
"""
    assert confidences(text, SHAPE) == []
    assert confidences(text, "SHP002") == []
    assert confidences(text, SYNC) == [(3, "medium")]


def test_a_name_that_is_also_on_the_device_is_not_on_the_host() -> None:
    text = """
class Net(nn.Module):
    def forward(self, x):
        p = x.cpu()
        if self.fast:
            p = x * 2
        return p.unique(), x.cpu().to("neuron").unique()
"""
    assert confidences(text, SHAPE) == [(6, "low"), (6, "low")]


def test_a_chain_of_copies_is_one_wait() -> None:
    text = """
class Net(nn.Module):
    def forward(self, x):
        return x.detach().cpu().numpy()
"""
    assert confidences(text, SYNC) == [(3, "medium")]


def test_masks_that_are_written_through() -> None:
    text = """
class Net(nn.Module):
    def forward(self, x, y, mask):
        x[mask] = 0.0
        x[mask] = self.fill
        x[x > 1] -= 1
        x[mask] = y[mask]
        x[mask] = y.to(x.dtype)
        return x
"""
    assert [line for line, _ in confidences(text, "SHP002")] == [5, 6, 6, 7]


def test_a_loop_over_a_step_trains() -> None:
    text = """
def train_step(model, x):
    loss = model(x)
    loss.backward()
    return loss
def run(model, data):
    for x in data:
        total = train_step(model, x).item()
    return total.item()
"""
    assert confidences(text, SYNC) == [(7, "medium")]


def test_what_touches_gradients_is_part_of_the_step() -> None:
    text = """
def clip(parameters):
    return sum(p.grad.norm().item() for p in parameters)
def other(jax, f):
    return jax.grad(f).item()
"""
    assert confidences(text, SYNC) == [(2, "medium")]


def test_a_tensor_that_the_tree_passes_on_is_one() -> None:
    text = """
    import torch
    from .core import Tensor

    def pick(x: Tensor):
        return torch.nonzero(x)
    """
    files = {"pkg/__init__.py": "", "pkg/core.py": "from torch import Tensor\n", "pkg/a.py": text}
    found = [item for result in scan(files).values() for item in result.findings]
    assert [(item.rule, item.confidence) for item in found] == [(SHAPE, "low")]


def test_what_a_module_makes_is_of_the_model() -> None:
    text = """
class Net(nn.Module):
    def __init__(self):
        self.w = nn.Parameter(torch.randn(3, dtype=torch.cfloat))
        self.x = torch.nonzero(self.y)
class Other:
    def __init__(self):
        self.w = torch.randn(3, dtype=torch.cfloat)
"""
    assert [line for line, _ in confidences(text, "DTY002")] == [3]
    assert confidences(text, SHAPE) == []
