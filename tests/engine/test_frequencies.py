"""Fourier transforms: those of a model's own layers, and those of what judges or prepares."""

from __future__ import annotations

import pytest

from snippets import findings

HEAD = """
import torch
from torch import nn
"""
LAYER, ELSEWHERE = "OPF005", "OPF001"


def told(text: str, path: str = "net.py") -> list[tuple[str, str]]:
    """Rules and confidences of the transforms in a file."""
    found = findings({path: HEAD.lstrip() + text.lstrip("\n")}, LAYER, ELSEWHERE)
    return [(item.rule, item.confidence) for item in found]


@pytest.mark.parametrize(
    "text",
    [
        """
class Layer(nn.Module):
    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x) * self.w)
""",
        """
class Layer(nn.Module):
    def forward(self, x):
        return self.back(self.there(x) * self.w)
    def there(self, x):
        return torch.fft.rfft2(x)
    def back(self, x):
        return torch.fft.irfft2(x)
""",
        """
def convolved(x, k):
    return torch.fft.ifft(torch.fft.fft(x) * k)
class Layer(nn.Module):
    def forward(self, x):
        return convolved(x, self.k)
""",
        """
class Frozen(nn.Module):
    def forward(self, x):
        with torch.no_grad():
            scale = x.abs().mean()
        return torch.fft.ihfft(torch.fft.hfft(x)) / scale
""",
    ],
)
def test_a_layer_goes_there_and_back(text: str) -> None:
    assert told(text) == [(LAYER, "medium"), (LAYER, "medium")]


@pytest.mark.parametrize(
    "text",
    [
        """
class Picture(nn.Module):
    def forward(self, x):
        return torch.fft.rfft(x).abs() + torch.fft.rfft(x.flip(0)).abs()
""",
        """
class FrequencyLoss(nn.Module):
    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x)).mean()
""",
        """
class Layer(nn.Module):
    @torch.inference_mode()
    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x))
""",
        """
class Layer(nn.Module):
    def forward(self, x):
        with torch.no_grad():
            return torch.fft.irfft(torch.fft.rfft(x))
""",
    ],
)
def test_what_judges_or_has_no_gradients_is_no_layer(text: str) -> None:
    assert told(text) == [(ELSEWHERE, "low"), (ELSEWHERE, "low")]


def test_the_name_of_a_file_tells_of_losses_too() -> None:
    text = """
class Both(nn.Module):
    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x))
"""
    for path in ("net/losses.py", "net/stft_loss.py", "metrics/net.py"):
        assert {rule for rule, _ in told(text, path)} == {ELSEWHERE}
    for path in ("net/layers.py", "torch_geometric/nn/symmetric.py"):
        assert {rule for rule, _ in told(text, path)} == {LAYER}


def test_a_class_beside_a_layer_is_not_one() -> None:
    text = """
class Picture(nn.Module):
    def forward(self, x):
        return torch.fft.rfft(x).abs()
class Layer(nn.Module):
    def forward(self, x):
        return torch.fft.ifft(torch.fft.fft(x))
"""
    assert [rule for rule, _ in told(text)] == [ELSEWHERE, LAYER, LAYER]


def test_the_constructor_of_a_layer_runs_once() -> None:
    text = """
class Layer(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = torch.fft.irfft(torch.fft.rfft(k))
"""
    assert told(text) == []
