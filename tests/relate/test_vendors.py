"""Whole trees with code for a device of another vendor: what only that leads to is not needed.

What a run on CUDA comes to as well, or the only way there is, must stay needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from portaudit.types import GuardState
from scans import report_of

MakeTree = Callable[[Mapping[str, str]], Path]

KERNELS = """
    import torch
    import triton
    import triton.language as tl

    @triton.jit
    def _scale_kernel(x, n, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(x + at, tl.load(x + at, mask=at < n) * 2, mask=at < n)

    def scale(x):
        _scale_kernel[(1,)](x, x.numel(), 64)
        return x
    """
TRAIN = """
    import torch
    from transformers.utils import is_torch_cuda_available, is_torch_npu_available

    def _fast(model, x):
        from kernels import scale
        return scale(model(x))

    def _plain(model, x):
        return model(x) * 2

    {}

    def main():
        model = torch.nn.Linear(3, 3)
        forward(model, torch.zeros(3, 3)).sum().backward()

    if __name__ == "__main__":
        main()
    """
ELSEWHERE = {
    "another way": """
        def forward(model, x):
            if is_torch_npu_available():
                return _fast(model, x)
            return _plain(model, x)
        """,
    "an expression": """
        def forward(model, x):
            return _fast(model, x) if torch.version.hip else _plain(model, x)
        """,
    "beside CUDA": """
        def forward(model, x):
            if is_torch_npu_available():
                return _fast(model, x)
            elif is_torch_cuda_available():
                return _plain(model, x)
            raise RuntimeError("no device")
        """,
    "behind CUDA": """
        def forward(model, x):
            if torch.cuda.is_available():
                return _plain(model, x)
            elif torch.npu.is_available():
                return _fast(model, x)
            else:
                raise RuntimeError("no device")
        """,
    "nobody misses it": """
        def forward(model, x):
            if torch.xpu.is_available():
                _fast(model, x)
            return _plain(model, x)
        """,
    "a device by its name": """
        def forward(model, x):
            if x.device.type == "npu":
                return _fast(model, x)
            return _plain(model, x)
        """,
}
NEEDED = {
    "no other way": """
        def forward(model, x):
            if is_torch_npu_available():
                return _fast(model, x)
            raise RuntimeError("needs an NPU")
        """,
    "neither with CUDA": """
        def forward(model, x):
            if torch.cuda.is_available():
                raise RuntimeError("not for CUDA")
            elif torch.npu.is_available():
                return _fast(model, x)
            else:
                raise RuntimeError("needs an NPU")
        """,
    "CUDA as well": """
        def forward(model, x):
            if is_torch_npu_available() or is_torch_cuda_available():
                return _fast(model, x)
            raise RuntimeError("no device")
        """,
    "or by an option": """
        def forward(model, x, force=True):
            if is_torch_npu_available() or force:
                return _fast(model, x)
            return _plain(model, x)
        """,
    "called besides": """
        def forward(model, x):
            if is_torch_npu_available():
                return _fast(model, x)
            return _plain(model, _fast(model, x))
        """,
    "where it is not": """
        def forward(model, x):
            if not is_torch_npu_available():
                return _fast(model, x)
            return _plain(model, x)
        """,
    "behind CUDA, which goes on": """
        def forward(model, x):
            if torch.cuda.is_available():
                x = x.contiguous()
            if torch.npu.is_available():
                x = x.contiguous()
            return _fast(model, x)
        """,
    "what is used later": """
        def forward(model, x):
            if is_torch_npu_available():
                way = _fast
            return way(model, x)
        """,
    "a name that others set": """
        is_npu = is_torch_npu_available()

        def forward(model, x):
            global is_npu
            is_npu = True
            if is_npu:
                return _fast(model, x)
            return _plain(model, x)
        """,
}


def states(make_tree: MakeTree, body: str) -> set[GuardState]:
    """How the kernel is guarded on the main path."""
    train = dedent(TRAIN).replace("{}", dedent(body).strip())
    root = make_tree({"train.py": train, "kernels.py": dedent(KERNELS)})
    report = report_of(root)
    found = [each for each in report.findings if each.category == "triton-kernel"]
    return {each.guard for each in found if each.rule == "TRI001"}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_what_only_another_vendors_device_leads_to_has_another_way(
    make_tree: MakeTree, case: str
) -> None:
    assert states(make_tree, ELSEWHERE[case]) == {"fallback"}


@pytest.mark.parametrize("case", NEEDED)
def test_what_more_than_that_leads_to_is_needed(make_tree: MakeTree, case: str) -> None:
    assert states(make_tree, NEEDED[case]) == {"none"}
