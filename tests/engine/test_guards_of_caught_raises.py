"""An exception that the same function catches is a way out, no failure."""

from __future__ import annotations

from snippets import check, findings

CHOOSE = """
import torch

def choose(rank):
    {attempt}
        if torch.cuda.is_available():
            return f"cuda:{{rank}}"
        raise SystemError("no accelerator")
    {handler}
"""


def guard_of_device(attempt: str, handler: str) -> str:
    source = CHOOSE.format(attempt=attempt, handler=handler)
    return next(item.guard for item in findings(source) if item.anchor.startswith("cuda:"))


def test_guard_with_a_raise_that_is_caught_is_a_fallback() -> None:
    assert guard_of_device("try:", 'except Exception:\n        return "cpu"') == "fallback"


def test_guard_with_a_raise_that_is_passed_on_is_a_hard_fail() -> None:
    assert guard_of_device("try:", "except Exception:\n        raise") == "hard-fail"
    assert guard_of_device("if rank:", "return None") == "hard-fail"


def test_a_handler_that_needs_the_same_is_no_other_way() -> None:
    check("""
    import torch
    def script(model, sample):
        try:
            return torch.jit.script(model)  # expect: CMP006
        except Exception:
            return torch.jit.trace(model, sample)  # expect: CMP006
    def wait():
        try:
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        except Exception:
            print("no device")
            torch.cpu.synchronize()
    """)
