from __future__ import annotations

import textwrap

import pytest

from snippets import check, the

# --- if torch.cuda.is_available() ----------------------------------------------------------------


def test_guard_without_an_else_is_guarded() -> None:
    check("""
    import torch
    if torch.cuda.is_available():  # expect: DEV001 guard=guarded
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


@pytest.mark.parametrize(
    "idle",
    [
        "pass",
        "...",
        "print('no GPU')",
        "warnings.warn('no GPU')",
        "logger.info('no GPU')",
        "return",
        "return None",
        "stream = None",
    ],
)
def test_guard_with_an_idle_else_is_guarded(idle: str) -> None:
    check(f"""
    import torch
    def wait(logger, warnings):
        if torch.cuda.is_available():  # expect: DEV001 guard=guarded
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        else:
            {idle}
    """)


@pytest.mark.parametrize(
    "busy", ["wait_for_cpu()", "x = x.cpu()", "return x", "return False", "x += 1", "del x; f()"]
)
def test_guard_with_a_working_else_is_a_fallback(busy: str) -> None:
    check(f"""
    import torch
    def wait(x):
        if torch.cuda.is_available():  # expect: DEV001 guard=fallback
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        else:
            {busy}
    """)


@pytest.mark.parametrize(
    "failure",
    [
        "raise RuntimeError('no GPU')",
        "sys.exit(1)",
        "exit()",
        "os._exit(1)",
        "assert False, 'no GPU'",
        "print('no GPU'); raise SystemExit(1)",
    ],
)
def test_guard_with_a_failing_else_is_a_hard_fail(failure: str) -> None:
    check(f"""
    import os
    import sys
    import torch
    if torch.cuda.is_available():  # expect: DEV001 guard=hard-fail
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    else:
        {failure}
    """)


@pytest.mark.parametrize("skipped", ["pytest.skip('no GPU')", "raise unittest.SkipTest('no GPU')"])
def test_guard_with_a_skipping_else_is_guarded(skipped: str) -> None:
    check(f"""
    import pytest
    import torch
    import unittest
    def test_wait():
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        else:
            {skipped}
    """)


def test_guard_of_the_else_branch_is_none() -> None:
    check("""
    import torch
    if torch.cuda.is_available():
        pass
    else:
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_negated_is_none() -> None:
    check("""
    import torch
    if not torch.cuda.is_available():
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_negated_holds_in_the_else_branch() -> None:
    check("""
    import torch
    if not torch.cuda.is_available():  # expect: DEV001 guard=fallback
        work_on_cpu()
    else:
        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    """)


def test_guard_negated_twice_is_guarded() -> None:
    check("""
    import torch
    if not not torch.cuda.is_available():
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ("torch.cuda.is_available() == True", "guarded"),
        ("torch.cuda.is_available() is True", "guarded"),
        ("torch.cuda.is_available() is not False", "guarded"),
        ("bool(torch.cuda.is_available())", "guarded"),
        ("torch.cuda.is_available() == False", "none"),
        ("torch.cuda.is_available() is False", "none"),
        ("torch.cuda.is_available() != True", "none"),
        ("not bool(torch.cuda.is_available())", "none"),
        ("torch.cuda.device_count() > 0", "guarded"),
        ("torch.cuda.device_count() >= 1", "guarded"),
        ("torch.cuda.device_count() != 0", "guarded"),
        ("torch.cuda.device_count() > 1", "guarded"),
        ("torch.cuda.device_count() == 8", "guarded"),
        ("torch.cuda.device_count()", "guarded"),
        ("torch.cuda.device_count() == 0", "none"),
        ("torch.cuda.device_count() < 1", "none"),
        ("torch.cuda.device_count() <= 1", "none"),
        ("torch.cuda.device_count() < 2", "none"),
        ("torch.cuda.device_count() >= 0", "none"),
        ("0 < torch.cuda.device_count()", "guarded"),
        ("torch.cuda.is_bf16_supported()", "guarded"),
        ("torch.version.cuda", "guarded"),
        ("torch.version.cuda is not None", "guarded"),
        ("torch.version.cuda is None", "none"),
        ("torch.backends.cudnn.is_available()", "guarded"),
        ("torch.cuda.is_available", "none"),  # a function is always true
        ("torch.cuda", "none"),
    ],
)
def test_guard_of_a_question_after_cuda(test: str, guard: str) -> None:
    check(f"""
    import torch
    if {test}:
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_guard_of_an_elif_with_a_working_last_else_is_a_fallback() -> None:
    check("""
    import torch
    if prefer_cpu:
        work_on_cpu()
    elif torch.cuda.is_available():  # expect: DEV001 guard=fallback
        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    else:
        work_on_cpu()
    """)


def test_guard_of_an_elif_with_a_failing_last_else_is_a_hard_fail() -> None:
    check("""
    import torch
    if prefer_cpu:
        work_on_cpu()
    elif torch.cuda.is_available():  # expect: DEV001 guard=hard-fail
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    else:
        raise RuntimeError("no GPU")
    """)


def test_guard_looks_past_other_vendors_for_the_branch_that_runs() -> None:
    check("""
    import torch
    if torch.cuda.is_available():  # expect: DEV001 guard=fallback
        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()
    else:
        work_on_cpu()
    """)


def test_guard_followed_by_other_vendors_only_is_guarded() -> None:
    check("""
    import torch
    if torch.cuda.is_available():  # expect: DEV001 guard=guarded
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()
    elif torch.xpu.is_available():
        torch.xpu.synchronize()
    """)


def test_guard_followed_by_other_vendors_and_a_raise_is_a_hard_fail() -> None:
    check("""
    import torch
    if torch.cuda.is_available():  # expect: DEV001 guard=hard-fail
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    elif torch.xpu.is_available():
        torch.xpu.synchronize()
    else:
        raise RuntimeError("no accelerator")
    """)


def test_guard_of_a_branch_after_the_check_failed_is_none() -> None:
    check("""
    import torch
    if torch.cuda.is_available():
        pass
    elif ready:
        torch.cuda.synchronize()  # expect: DEV007
    """)


# --- the device of something ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ('x.device.type == "cuda"', "guarded"),
        ('"cuda" == x.device.type', "guarded"),
        ('x.device.type is "cuda"', "guarded"),
        ('not x.device.type != "cuda"', "guarded"),
        ('x.device.type.lower() == "cuda"', "guarded"),
        ('str(x.device) == "cuda:0"', "guarded"),
        ('str(x.device).startswith("cuda")', "guarded"),
        ('"cuda" in str(x.device)', "guarded"),
        ('x.device == torch.device("cuda")', "guarded"),
        ('x.device == torch.device("cuda", 0)', "guarded"),
        ('x.device.type in ("cuda", "xpu")', "guarded"),
        ('x.device.type in {"cuda"}', "guarded"),
        ('x.device.type == "cuda" or x.device.type == "xpu"', "guarded"),
        ('x.device.type in ("cuda", "privateuseone")', "none"),
        ('x.device.type in ("cuda", "xpu", "privateuseone")', "none"),
        ('x.device.type == "cuda" or x.device.type == "privateuseone"', "none"),
        ('x.device.type in ("cuda", "xpu", "neuron")', "none"),
        ('x.device.type in ("cuda", kind)', "none"),
        ('x.device.type in {"cuda": 1, "cpu": 2}', "none"),
        ('x.device.type in ("cuda", "xpu") and kind', "guarded"),
        ('x.device.type not in ("cpu", "mps")', "none"),
        ('x.device.type not in ("cuda", "neuron")', "none"),
        ('not x.device.type not in ("cuda", "xpu")', "guarded"),
        ("kind == torch.distributed.Backend.NCCL", "guarded"),
        ("kind != torch.distributed.Backend.NCCL", "none"),
        ("kind == torch.distributed.Backend.GLOO", "none"),
        ("x.is_cuda", "guarded"),
        ("x.is_cuda is True", "guarded"),
        ('x.device.type != "cuda"', "none"),
        ('not x.device.type == "cuda"', "none"),
        ('not str(x.device).startswith("cuda")', "none"),
        ('"cuda" not in str(x.device)', "none"),
        ('x.device.type in ("cuda", "cpu")', "none"),
        ('x.device.type not in ("cuda", "xpu")', "none"),
        ('x.device.type == "cpu"', "none"),
        ('x.device.type != "cpu"', "none"),
        ("not x.is_cuda", "none"),
        ("x.is_cuda is False", "none"),
        ("x.device.type", "none"),
        ("x.device.type == kind", "none"),
    ],
)
def test_guard_of_a_device_comparison(test: str, guard: str) -> None:
    check(f"""
    import torch
    def f(x, kind):
        if {test}:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_guard_of_a_device_comparison_with_else_is_a_fallback() -> None:
    check("""
    import torch
    def f(x, device):
        if device.type == "cuda":
            return x.cuda()  # expect: DEV008 guard=fallback
        else:
            return x.to(device)
    """)


def test_guard_of_a_device_comparison_with_raise_is_a_hard_fail() -> None:
    check("""
    import torch
    def f(x, device):
        if device.type != "cuda":  # expect: DST001 guard=hard-fail
            raise ValueError("only on a GPU")
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


def test_guard_of_the_branch_for_the_host_is_none() -> None:
    check("""
    import torch
    def f(device):
        if device.type == "cpu":
            return
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_is_cuda_asserted_is_a_hard_fail() -> None:
    check("""
    import torch
    def f(x):
        assert x.is_cuda  # expect: DEV009 guard=hard-fail
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


def test_guard_by_is_cuda_that_repairs_its_absence_is_none() -> None:
    check("""
    import torch
    def f(x):
        if not x.is_cuda:
            x = x.cuda()  # expect: DEV008
    """)


def test_guard_by_a_stored_check_is_that_of_the_check() -> None:
    check("""
    import torch
    use_cuda = torch.cuda.is_available()  # expect: DEV001 guard=fallback
    if use_cuda:
        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    else:
        work_on_cpu()
    if not use_cuda:
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_a_function_that_is_stored_and_replaced_without_cuda_has_another_way() -> None:
    check("""
    import torch
    import time
    sync = torch.cuda.synchronize  # expect: DEV007 guard=fallback
    if not torch.cuda.is_available():
        sync = time.time
    wait = time.time
    if torch.cuda.is_available():
        wait = torch.cuda.synchronize  # expect: DEV007 guard=fallback
    """)
    check("""
    import torch
    import time
    sync = torch.cuda.synchronize  # expect: DEV007
    if time.time() > 1:
        sync = time.time
    torch.cuda.synchronize()  # expect: DEV007
    """)


def test_a_check_that_a_function_stores_is_judged_by_what_the_function_does() -> None:
    check("""
    import torch
    def first():
        use_cuda = torch.cuda.is_available()  # expect: DEV001 guard=fallback
        if use_cuda:
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        else:
            work_on_cpu()
    def second():
        use_cuda = torch.cuda.is_available()  # expect: DEV001 guard=hard-fail
        if not use_cuda:
            raise RuntimeError("no GPU")
    """)


def test_a_check_beside_a_choice_of_a_device_is_a_finding_of_its_own() -> None:
    check("""
    import torch
    device = "cuda" if wanted else "cpu"  # expect: DST001 guard=none
    if torch.cuda.is_available():  # expect: DEV001 guard=guarded
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


def test_an_arm_for_another_vendor_is_no_other_way_whatever_it_does() -> None:
    for arm, rest, guard in (
        ("raise RuntimeError", "work()", "fallback"),
        ("work()", "raise RuntimeError", "hard-fail"),
    ):
        check(f"""
        import torch
        def f(x):
            if torch.cuda.is_available():  # expect: DEV001 guard={guard}
                torch.cuda.synchronize()  # expect: DEV007 guard={guard}
            elif x.device.type == "mps":
                {arm}
            else:
                {rest}
        """)


@pytest.mark.parametrize(
    ("module", "guard"),
    [("logging", "guarded"), ("traceback, warnings", "guarded"), ("logging, numpy", "fallback")],
)
def test_an_import_for_talk_is_no_other_way(module: str, guard: str) -> None:
    check(f"""
    import torch
    if torch.cuda.is_available():  # expect: DEV001 guard={guard}
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    else:
        import {module}
    """)


def test_a_device_that_replaces_what_the_caller_gave_is_no_fallback() -> None:
    check("""
    import torch
    def move(device, x):
        if torch.cuda.is_available():  # expect: DEV001 guard=guarded
            device = "cuda"  # expect: DST001 guard=guarded
        return x.to(device)
    """)


def test_a_failure_behind_a_switch_that_fails_as_well_is_proved_by_itself() -> None:
    finding = the(
        """
        import argparse
        import torch
        parser = argparse.ArgumentParser()
        parser.add_argument("--fused", action="store_true")
        args = parser.parse_args()
        if args.fused:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            else:
                raise RuntimeError("no GPU")
        else:
            raise RuntimeError("no other way")
        """,
        "DEV007",
    )
    assert finding.guard == "hard-fail"
    assert finding.guard_by
    assert finding.guard_by.line == 7


def test_a_class_is_a_guard_in_the_second_argument_of_isinstance_only() -> None:
    check("""
    import torch
    def f(x):
        if isinstance(x, torch.cuda.FloatTensor):  # expect: DEV010 guard=fallback
            return 1
        if isinstance(x, (int, torch.cuda.FloatTensor)):  # expect: DEV010 guard=fallback
            return 2
        if isinstance(torch.cuda.FloatTensor, x):  # expect: DEV010 guard=none
            return 3
        if handles(x, torch.cuda.FloatTensor):  # expect: DEV010 guard=none
            return 4
        return 5
    """)


def test_guard_by_a_check_stored_on_self() -> None:
    check("""
    import torch
    class Trainer:
        def __init__(self):
            self.use_cuda = torch.cuda.is_available()
        def wait(self):
            if self.use_cuda:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if not self.use_cuda:
                torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_a_check_that_was_overwritten_is_none() -> None:
    check("""
    import torch
    use_cuda = torch.cuda.is_available()
    use_cuda = True
    if use_cuda:
        torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    ("bindings", "guard"),
    [
        ("ok = torch.cuda.is_available()\nif x: ok = False", "guarded"),
        ("ok = False\nif torch.cuda.is_available(): ok = True", "guarded"),
        ("ok = False\nif x and torch.cuda.is_available(): ok = True", "guarded"),
        ("if torch.cuda.is_available(): ok = True\nelse: ok = False", "guarded"),
        ("ok = None\ndef f():\n  global ok\n  ok = torch.cuda.is_available()", "guarded"),
        ("a = torch.cuda.is_available()\nb = a\nok = b", "guarded"),
        ("a, ok = 1, torch.cuda.is_available()", "guarded"),
        ("ok: bool = torch.cuda.is_available()", "guarded"),
        ("ok = torch.cuda.is_available() if x else False", "guarded"),
        ("ok = torch.cuda.is_available()\nif x: ok = True", "none"),
        ("ok = False\nif x: ok = True", "none"),
        ("ok = False\nif not torch.cuda.is_available(): ok = True", "none"),
        ("if torch.cuda.is_available(): ok = False\nelse: ok = True", "none"),
        ("ok = torch.cuda.is_available()\nok = f(ok)", "none"),
        ("ok = torch.cuda.is_available()\nfor ok in x: pass", "none"),
        ("ok = torch.cuda.is_available()\nwith x as ok: pass", "none"),
        ("ok, a = torch.cuda.is_available(), 1\nok, a = x", "none"),
        ("ok = f(torch.cuda.is_available())", "none"),
        ("ok = [torch.cuda.is_available()]", "none"),
        ("ok = torch.cuda.is_available() if x else True", "none"),
        ("ok = torch.cuda.is_available() + x", "none"),
    ],
)
def test_guard_by_a_name_with_these_bindings(bindings: str, guard: str) -> None:
    check(f"""
    import torch
    x = f = object()
{textwrap.indent(bindings, "    ")}
    if ok:
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


@pytest.mark.xfail(reason="a name is everything that was bound to it: the order is not read")
def test_guard_by_a_flag_that_is_taken_back_where_cuda_is_missing() -> None:
    check("""
    import torch
    ok = True
    if not torch.cuda.is_available():
        ok = False
    if ok:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


def test_guard_by_a_walrus() -> None:
    check("""
    import torch
    if (n := torch.cuda.device_count()) > 0:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    if n:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    if not n:
        torch.cuda.synchronize()  # expect: DEV007
    """)


# --- early exits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leave", "guard"),
    [
        ("return", "guarded"),
        ("return None", "guarded"),
        ("print('no GPU'); return", "guarded"),
        ("return x.cpu()", "fallback"),
        ("x.wait(); return", "fallback"),
        ("raise RuntimeError('no GPU')", "hard-fail"),
        ("sys.exit('no GPU')", "hard-fail"),
        ("pytest.skip('no GPU')", "guarded"),
        ("pass", "none"),
        ("print('no GPU')", "none"),
    ],
)
def test_guard_by_an_early_exit(leave: str, guard: str) -> None:
    check(f"""
    import sys
    import pytest
    import torch
    def f(x):
        if not torch.cuda.is_available():
            {leave}
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


@pytest.mark.parametrize("leave", ["return", "return x", "raise RuntimeError", "sys.exit()"])
def test_guard_by_an_early_exit_where_cuda_is_is_none(leave: str) -> None:
    check(f"""
    import sys
    import torch
    def f(x):
        if torch.cuda.is_available():
            {leave}
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_an_assertion_is_a_hard_fail() -> None:
    check("""
    import torch
    assert torch.cuda.is_available(), "no GPU"  # expect: DEV001 guard=hard-fail
    torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


def test_guard_by_an_assertion_of_the_opposite_is_none() -> None:
    check("""
    import torch
    assert not torch.cuda.is_available()
    torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_does_not_hold_before_the_exit() -> None:
    check("""
    import torch
    def f():
        torch.cuda.synchronize()  # expect: DEV007
        if not torch.cuda.is_available():
            raise RuntimeError("no GPU")
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


def test_guard_of_an_exit_inside_another_branch_ends_with_it() -> None:
    check("""
    import torch
    def f(x):
        if x:
            if not torch.cuda.is_available():
                return
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_of_an_exit_in_a_function_ends_with_it() -> None:
    check("""
    import torch
    def f(x):
        if not torch.cuda.is_available():
            return
    torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize("leave", ["continue", "break"])
def test_guard_by_leaving_a_loop(leave: str) -> None:
    check(f"""
    import torch
    for batch in batches:
        if not batch.is_cuda:
            {leave}
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    ("first", "second", "guard"),
    [
        ("return 1", "return 2", "fallback"),
        ("return 1", "return", "fallback"),
        ("return", "return None", "guarded"),
        ("raise ValueError", "sys.exit(2)", "hard-fail"),
    ],
)
def test_guard_by_an_exit_of_every_branch_without_cuda(first: str, second: str, guard: str) -> None:
    check(f"""
    import sys
    import torch
    def f(x):
        if not torch.cuda.is_available():
            if x:
                {first}
            else:
                {second}
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_guard_with_an_else_that_only_talks_sometimes_is_guarded() -> None:
    check("""
    import torch
    def f(rank, logger):
        if torch.cuda.is_available():  # expect: DEV001 guard=guarded
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        else:
            if rank == 0:
                logger.warning("no GPU")
    """)


def test_guard_by_an_exit_of_one_branch_only_is_none() -> None:
    check("""
    import torch
    def f(x):
        if not torch.cuda.is_available():
            if x:
                return 1
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_an_else_that_leaves() -> None:
    check("""
    import torch
    def f(x):
        if torch.cuda.is_available():
            x = 1
        else:
            raise RuntimeError("no GPU")
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


def test_guard_by_an_elif_that_leaves() -> None:
    check("""
    import torch
    def f(x):
        if x is None:
            return 0
        elif not torch.cuda.is_available():
            return 1
        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    """)


def test_guard_by_a_module_that_exits_holds_in_later_functions() -> None:
    check("""
    import sys
    import torch
    def before():
        torch.cuda.synchronize()  # expect: DEV007
    if not torch.cuda.is_available():
        sys.exit("no GPU")
    def after():
        torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    class Later:
        def wait(self):
            torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
    """)


def test_guard_by_a_module_that_is_skipped_holds_in_later_functions() -> None:
    check("""
    import pytest
    import torch
    if not torch.cuda.is_available():
        pytest.skip("no GPU", allow_module_level=True)
    def test_wait():
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


# --- expressions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "guard"),
    [
        ("torch.cuda.synchronize() if torch.cuda.is_available() else None", "guarded"),
        ("torch.cuda.synchronize() if torch.cuda.is_available() else wait()", "fallback"),
        ("None if not torch.cuda.is_available() else torch.cuda.synchronize()", "guarded"),
        ("wait() if not torch.cuda.is_available() else torch.cuda.synchronize()", "fallback"),
        ("torch.cuda.synchronize() if not torch.cuda.is_available() else None", "none"),
        ("None if torch.cuda.is_available() else torch.cuda.synchronize()", "none"),
        ("torch.cuda.synchronize() if ready else None", "none"),
        ("torch.cuda.is_available() and torch.cuda.synchronize()", "guarded"),
        ("ready and torch.cuda.is_available() and torch.cuda.synchronize()", "guarded"),
        ("torch.cuda.is_available() and ready and torch.cuda.synchronize()", "guarded"),
        ("not torch.cuda.is_available() or torch.cuda.synchronize()", "guarded"),
        ("torch.cuda.is_available() or torch.cuda.synchronize()", "none"),
        ("not torch.cuda.is_available() and torch.cuda.synchronize()", "none"),
        ("ready and torch.cuda.synchronize()", "none"),
        ("torch.cuda.is_available() and ready or torch.cuda.synchronize()", "none"),
    ],
)
def test_guard_inside_an_expression(expression: str, guard: str) -> None:
    check(f"""
    import torch
    def f(ready, wait):
        return {expression}  # expect: DEV007 guard={guard}
    """)


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ("torch.cuda.is_available() and ready", "guarded"),
        ("ready and torch.cuda.is_available()", "guarded"),
        ("torch.cuda.is_available() or ready", "none"),
        ("ready or torch.cuda.is_available()", "none"),
        ("torch.cuda.is_available() or x.is_cuda", "guarded"),
        ("(torch.cuda.is_available() or ready) and x.is_cuda", "guarded"),
        ("not (torch.cuda.is_available() and ready)", "none"),
        ("not (not torch.cuda.is_available() or ready)", "guarded"),
        ("not (not torch.cuda.is_available() and ready)", "none"),
        ("not (torch.cuda.is_available() or ready)", "none"),
        ("all([torch.cuda.is_available(), ready])", "guarded"),
        ("any([torch.cuda.is_available(), ready])", "none"),
        ("(torch.cuda.is_available() if ready else x.is_cuda)", "guarded"),
        ("(torch.cuda.is_available() if ready else False)", "guarded"),
        ("(torch.cuda.is_available() if ready else True)", "none"),
    ],
)
def test_guard_of_combined_conditions(test: str, guard: str) -> None:
    check(f"""
    import torch
    def f(ready, x):
        if {test}:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ("not torch.cuda.is_available() or ready", "guarded"),
        ("not torch.cuda.is_available() and ready", "none"),
        ("not (torch.cuda.is_available() and ready)", "guarded"),
        ("not (torch.cuda.is_available() or ready)", "none"),
    ],
)
def test_guard_behind_combined_exits(test: str, guard: str) -> None:
    check(f"""
    import torch
    def f(ready):
        if {test}:
            return
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    """)


def test_guard_of_loops_and_comprehensions() -> None:
    check("""
    import torch
    def f(xs):
        while torch.cuda.is_available() and xs:
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        while not torch.cuda.is_available():
            torch.cuda.synchronize()  # expect: DEV007
        a = [x.cuda() for x in xs if torch.cuda.is_available()]  # expect: DEV008 guard=guarded
        b = {x.cuda() for x in xs if x.is_cuda and x}  # expect: DEV008 guard=guarded
        c = {1: x.cuda() for x in xs if not x.is_cuda}  # expect: DEV008
        d = (x.cuda() for x in xs if x)  # expect: DEV008
        return a, b, c, d
    """)


def test_guard_of_a_lambda_body() -> None:
    check("""
    import torch
    if torch.cuda.is_available():
        wait = lambda: torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    else:
        wait = lambda: None
    """)


# --- nesting -------------------------------------------------------------------------------------


def test_guard_innermost_wins_over_an_outer_fallback() -> None:
    check("""
    import torch
    def f(x):
        if torch.cuda.is_available():
            if x.is_cuda:
                torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
            else:
                raise ValueError("x must be on the GPU")
        else:
            work_on_cpu()
    """)


def test_guard_innermost_wins_over_an_outer_hard_fail() -> None:
    check("""
    import torch
    if not torch.cuda.is_available():
        raise RuntimeError("no GPU")
    def f(x):
        if x.is_cuda:
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        else:
            work_on_cpu()
    """)


def test_guard_passes_through_conditions_that_say_nothing() -> None:
    check("""
    import torch
    def f(x):
        if torch.cuda.is_available():
            for item in x:
                with item:
                    if item.ready:
                        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
                    else:
                        torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        else:
            work_on_cpu()
    """)


def test_guard_holds_in_functions_defined_inside_it() -> None:
    check("""
    import torch
    if torch.cuda.is_available():
        def wait(x):
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
    else:
        def wait(x):
            return x.wait()
    if torch.cuda.is_available():
        def stop():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    else:
        def stop():
            pass
    """)


def test_guard_names_the_line_that_proves_it() -> None:
    finding = the(
        """
        import torch
        if torch.cuda.is_available() and True:
            if ready:
                torch.cuda.synchronize()
        """,
        "DEV007",
    )
    assert finding.guard_by is not None
    assert (finding.guard_by.path, finding.guard_by.line) == ("snippet.py", 2)
    assert finding.guard_by.text == "if torch.cuda.is_available() and True:"


def test_guard_none_has_no_proof() -> None:
    assert the("import torch\ntorch.cuda.synchronize()", "DEV007").guard_by is None


# --- the severity that follows -------------------------------------------------------------------


def test_severity_follows_from_the_guard_alone() -> None:
    check("""
    import torch
    import flash_attn  # expect: FUS001 severity=major
    if torch.cuda.is_available():
        flash_attn.flash_attn_func(1)  # expect: FUS001 severity=minor guard=guarded
    if torch.cuda.is_available():
        flash_attn.flash_attn_func(1)  # expect: FUS001 severity=info guard=fallback
    else:
        work_on_cpu()
    if torch.cuda.is_available():
        flash_attn.flash_attn_func(1)  # expect: FUS001 severity=major guard=hard-fail
    else:
        raise RuntimeError
    """)


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("n = 1 if torch.cuda.device_count() == 1 else 2", "none"),
        ("n = 1 if 1 == torch.cuda.device_count() else 2", "none"),
        ("n = 8 if torch.cuda.device_count() > 1 else 2", "fallback"),
        ("n = 8 if torch.cuda.device_count() >= 1 else 2", "fallback"),
        ("n = 2 if torch.cuda.device_count() == 0 else 1", "fallback"),
    ],
)
def test_check_for_one_number_says_nothing_of_none(statement: str, guard: str) -> None:
    check(f"""
    import torch
    {statement}  # expect: DEV002 guard={guard}
    """)


def test_check_for_one_number_that_fails_otherwise() -> None:
    check("""
    import torch
    assert torch.cuda.device_count() == 8  # expect: DEV002 guard=hard-fail
    """)
