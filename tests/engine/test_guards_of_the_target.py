"""The target's own branch is neither CUDA's nor another vendor's."""

from __future__ import annotations

from snippets import check, findings


def test_code_beside_the_target_is_guarded() -> None:
    check("""
    import torch
    def f(device):
        if device.type == "neuron":
            torch.accelerator.synchronize()
        else:
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        if device.type != "neuron":
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


def test_the_branch_of_cuda_has_another_way_on_the_target() -> None:
    check("""
    import torch
    def f(device):
        if device.type == "cuda":
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        elif device.type == "neuron":
            torch.accelerator.synchronize()
        else:
            raise ValueError(device)
    """)


def test_the_branch_of_the_target_runs() -> None:
    check("""
    import torch
    def f(device):
        if device.type == "neuron":
            torch.cuda.synchronize()  # expect: DEV007
        if device.type in ("cuda", "neuron"):
            torch.cuda.synchronize()  # expect: DEV007
        if device.type == "npu":
            torch.cuda.synchronize()
    """)


def test_torch_xla_in_the_branch_of_the_target_is_reported() -> None:
    source = {
        "train.py": """
        import torch
        def f(accelerator):
            if accelerator == "neuron":
                import torch_xla.core.xla_model as xm
                return xm.xla_device()
        """
    }
    assert {item.rule for item in findings(source)} >= {"DEP001"}
    assert not [item for item in findings(source, target="xla") if item.rule.startswith("DEP0")]


def test_the_word_of_one_target_is_a_vendor_on_the_other() -> None:
    source = {
        "train.py": """
        import torch
        def f(device):
            if device.type == "xla":
                torch.cuda.synchronize()
        """
    }
    assert findings(source, "DEV007") == []
    assert [item.guard for item in findings(source, "DEV007", target="xla")] == ["none"]
