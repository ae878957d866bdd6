from __future__ import annotations

import pytest

from snippets import check

# --- code that never runs, code for others -------------------------------------------------------


def test_never_run_code_is_silent() -> None:
    check("""
    import typing
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        import flash_attn
    if typing.TYPE_CHECKING:
        from flash_attn import flash_attn_func
    if TYPE_CHECKING and True:
        import flash_attn
    """)


def test_never_run_code_has_a_branch_that_always_runs() -> None:
    check("""
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        flash_attn = object
    else:
        import flash_attn  # expect: FUS001
    if not TYPE_CHECKING:
        import flash_attn  # expect: FUS001
    TYPE_CHECKING_DONE = True
    if TYPE_CHECKING_DONE:
        import flash_attn  # expect: FUS001
    """)


@pytest.mark.parametrize(
    "test",
    [
        "torch.backends.mps.is_available()",
        "torch.xpu.is_available()",
        'hasattr(torch, "npu") and torch.npu.is_available()',
        "torch.version.hip",
        "torch.version.hip is not None",
        'device.type == "mps"',
        'device.type == "xpu"',
        'device.type == "npu"',
        'device.type in ("mps", "xpu")',
        'str(device).startswith("hpu")',
        "x.is_xpu",
        "is_torch_npu_available()",
    ],
)
def test_vendor_branches_are_silent(test: str) -> None:
    check(f"""
    import torch
    from transformers.utils import is_torch_npu_available
    def f(device, x):
        if {test}:
            torch.cuda.synchronize()
        else:
            torch.cuda.synchronize()  # expect: DEV007
    """)


def test_vendor_branches_do_not_guard_what_follows() -> None:
    check("""
    import torch
    def f(x):
        if torch.xpu.is_available():
            return x.to("xpu")
        torch.cuda.synchronize()  # expect: DEV007
    def g(x):
        if torch.version.hip:
            return
        elif torch.cuda.is_available():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    def h(x):
        if not torch.xpu.is_available():
            torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    "test",
    [
        "not torch.xpu.is_available()",
        "torch.version.hip is None",
        "not torch.version.hip",
        'device.type != "mps"',
        'device.type not in ("mps", "xpu")',
        'device.type in ("mps", "cpu")',
        "torch.xpu.is_available() or ready",
        "not (torch.xpu.is_available() and ready)",
        "torch.xpu.is_available",
    ],
)
def test_vendor_conditions_that_also_hold_elsewhere_are_no_guard(test: str) -> None:
    check(f"""
    import torch
    def f(device, ready):
        if {test}:
            torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    "test",
    [
        "world_size > 1",
        "torch.distributed.get_world_size() > 1",
        "torch.distributed.is_initialized()",
        "torch.distributed.is_available()",
        "dist.get_rank() == 0",
        "local_rank >= 0",
        'torch.__version__ >= "2.14"',
        'version.parse(torch.__version__) >= version.parse("2.14")',
        "sys.version_info >= (3, 13)",
        'sys.platform == "linux"',
        'hasattr(torch, "compile")',
        'hasattr(torch, "cuda")',
        'hasattr(torch.cuda, "synchronize")',
        "step % 10 == 0",
        "unknown",
        "unknown()",
        "self.training",
        "x is None",
        "not x",
        "__debug__",
        '__name__ == "__main__"',
        "torch.accelerator.is_available()",
    ],
)
def test_neutral_conditions_are_no_guard(test: str) -> None:
    check(
        f"""
    import sys
    import torch
    import torch.distributed as dist
    from packaging import version
    def f(self, x, step, world_size, local_rank):
        if {test}:
            torch.cuda.synchronize()  # expect: DEV007
        else:
            torch.cuda.synchronize()  # expect: DEV007
    """.replace("else:", "elif step:" if test == "True" else "else:")
    )


def test_neutral_constants_are_no_guard() -> None:
    check("""
    import torch
    if True:
        torch.cuda.synchronize()  # expect: DEV007
    while True:
        torch.cuda.synchronize()  # expect: DEV007
    if 1:
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_neutral_exits_are_no_guard() -> None:
    check("""
    import torch
    def f(x, world_size):
        if world_size == 1:
            return x
        torch.cuda.synchronize()  # expect: DEV007
    def g(x, world_size):
        if world_size == 1:
            raise ValueError
        torch.cuda.synchronize()  # expect: DEV007
    """)


# --- decorators ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decorator", "guard"),
    [
        ('@pytest.mark.skipif(not torch.cuda.is_available(), reason="")', "guarded"),
        ('@pytest.mark.skipif(torch.cuda.device_count() == 0, reason="")', "guarded"),
        ('@pytest.mark.skipif(condition=not torch.cuda.is_available(), reason="")', "guarded"),
        ('@unittest.skipIf(not torch.cuda.is_available(), "")', "guarded"),
        ('@unittest.skipUnless(torch.cuda.is_available(), "")', "guarded"),
        ('@skipUnless(torch.cuda.is_available(), "")', "guarded"),
        ("@needs_gpu", "guarded"),
        ('@pytest.mark.skipif(torch.cuda.is_available(), reason="")', "none"),
        ('@unittest.skipIf(torch.cuda.is_available(), "")', "none"),
        ('@unittest.skipUnless(not torch.cuda.is_available(), "")', "none"),
        ('@pytest.mark.skipif(unknown, reason="")', "none"),
        ('@pytest.mark.parametrize("x", [torch.cuda.is_available()])', "none"),
        ("@pytest.mark.slow", "none"),
        ("@needs_time", "none"),
    ],
)
def test_decorator_guard_of_a_function(decorator: str, guard: str) -> None:
    check(f"""
    import pytest
    import torch
    import unittest
    from unittest import skipUnless
    needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    needs_time = pytest.mark.skipif(not unknown, reason="slow")
    {decorator}
    def test_wait(x=1):
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    def test_again():
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_decorator_guard_of_a_class_holds_in_its_methods() -> None:
    check("""
    import torch
    import unittest
    @unittest.skipUnless(torch.cuda.is_available(), "no GPU")
    class TestWait(unittest.TestCase):
        def test_wait(self):
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    class TestAgain(unittest.TestCase):
        def test_wait(self):
            torch.cuda.synchronize()  # expect: DEV007
    """)


def test_decorator_guard_by_a_mark_of_the_module() -> None:
    check("""
    import pytest
    import torch
    pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    def test_wait():
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


def test_decorator_guard_of_another_module() -> None:
    check(
        {
            "helpers.py": """
        import pytest
        import torch
        needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
        """,
            "test_wait.py": """
        import torch
        from helpers import needs_gpu
        @needs_gpu
        def test_wait():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        """,
        }
    )


def test_decorator_condition_is_a_check_that_is_guarded() -> None:
    check("""
    import pytest
    import torch
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="")  # expect: DEV001 guard=guarded
    def test_wait():
        pass
    """)


MARKS = """
import pytest
import torch
import unittest
has_gpu = torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not has_gpu, reason="no GPU")
"""


@pytest.mark.parametrize(
    ("mark", "guard"),
    [
        ('pytest.mark.skipif(not torch.cuda.is_available(), reason="")', "guarded"),
        ('[pytest.mark.gpu, pytest.mark.skipif(not has_gpu, reason="")]', "guarded"),
        ("needs_gpu", "guarded"),
        ("[pytest.mark.slow, needs_gpu]", "guarded"),
        ("(needs_gpu,)", "guarded"),
        ("pytest.mark.gpu", "none"),
        ("[pytest.mark.gpu, pytest.mark.slow]", "none"),
        ('pytest.mark.skipif(has_gpu, reason="")', "none"),
    ],
)
def test_decorator_guard_by_a_mark_of_all(mark: str, guard: str) -> None:
    module = f"""
pytestmark = {mark}
def test_wait():
    torch.cuda.synchronize()  # expect: DEV007 guard={guard}
class TestWait:
    def test_wait(self):
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
torch.cuda.synchronize()  # expect: DEV007
"""
    check(MARKS + module)
    of_class = f"""
class TestWait:
    pytestmark = {mark}
    def test_wait(self):
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
class TestAgain:
    def test_wait(self):
        torch.cuda.synchronize()  # expect: DEV007
def test_again():
    torch.cuda.synchronize()  # expect: DEV007
"""
    check(MARKS + of_class)


def test_decorator_guard_by_a_mark_below_the_tests() -> None:
    check("""
    import pytest
    import torch
    def test_wait():
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    """)


@pytest.mark.parametrize(
    "mark",
    [
        'pytestmark = pytest.mark.skipif(not {}, reason="no GPU")',
        'pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not {}, reason="no GPU")]',
        'needs_gpu = pytest.mark.skipif(not {}, reason="no GPU")',
        'needs_gpu = unittest.skipUnless({}, "no GPU")',
        'needs_gpu = unittest.skipIf(not {}, "no GPU")',
        'CASES = [pytest.param(1, marks=pytest.mark.skipif(not {}, reason="no GPU"))]',
    ],
)
def test_decorator_condition_of_a_mark_is_a_check_that_is_guarded(mark: str) -> None:
    check(f"""
    import pytest
    import torch
    import unittest
    {mark.format("torch.cuda.is_available()")}  # expect: DEV001 guard=guarded
    """)


def test_decorator_guard_by_a_decorator_that_a_function_makes() -> None:
    check("""
    import torch
    import unittest
    def require_cuda(test):
        return unittest.skipUnless(torch.cuda.is_available(), "")(test)
    def plain(test):
        return test
    @require_cuda
    def test_wait():
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    @plain
    def test_again():
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_decorator_guard_of_values_that_are_bound_twice() -> None:
    check("""
    import pytest
    import torch
    pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    def test_move(x):
        device = "cuda"  # expect: DST001 guard=guarded
        assert x.to(device) is x
        device = "cuda"  # expect: DST001 guard=guarded
    """)


def test_decorator_guard_of_one_set_of_parameters() -> None:
    check("""
    import pytest
    import torch
    needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    @pytest.mark.parametrize("device", [
        "cpu",
        pytest.param(torch.device("cuda"), marks=needs_gpu),  # expect: DST001 guard=guarded
        pytest.param(torch.device("cuda"), marks=[needs_gpu]),  # expect: DST001 guard=guarded
        pytest.param(torch.device("cuda"), marks=pytest.mark.slow),  # expect: DST001
    ])
    def test_move(device):
        pass
    """)


@pytest.mark.parametrize(
    "mark",
    [
        'pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")',
        'unittest.skipUnless(torch.cuda.is_available(), "no GPU")',
    ],
)
def test_decorator_guard_of_a_mark_of_another_module(mark: str) -> None:
    check(
        {
            "pkg/__init__.py": "",
            "pkg/marks.py": f"""
        import pytest
        import torch
        import unittest
        needs_gpu = {mark}
        def require_gpu(test): return {mark}(test)
        def register(test):
            if torch.cuda.is_available():
                return test
            return None
        """,
            "pkg/utils.py": "from pkg.marks import needs_gpu, register, require_gpu",
            "test_wait.py": """
        import torch
        from pkg import utils
        from pkg.utils import needs_gpu, register, require_gpu
        @needs_gpu
        def test_wait():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        @require_gpu
        def test_wait_again():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        @utils.require_gpu
        class TestWait:
            def test_wait(self):
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        @register
        def test_register():
            torch.cuda.synchronize()  # expect: DEV007
        """,
            "test_all.py": """
        import torch
        from pkg.utils import needs_gpu
        pytestmark = needs_gpu
        def test_wait():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        """,
        }
    )


# --- match ---------------------------------------------------------------------------------------


def test_match_guard_with_a_default() -> None:
    check("""
    import torch
    def f(device):
        match device.type:
            case "cuda":
                torch.cuda.synchronize()  # expect: DEV007 guard=fallback
            case "mps":
                torch.cuda.synchronize()
            case "cpu":
                torch.cuda.synchronize()  # expect: DEV007
            case _:
                torch.cuda.synchronize()  # expect: DEV007
    """)


def test_match_guard_without_a_default() -> None:
    check("""
    import torch
    def f(device):
        match device.type:
            case "cuda":
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


def test_match_guard_with_a_failing_default() -> None:
    check("""
    import torch
    def f(device):
        match device.type:
            case "cuda":
                torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
            case other:
                raise ValueError(other)
    """)


def test_match_guard_with_other_cases_only_is_guarded() -> None:
    check("""
    import torch
    def f(device):
        match device.type:
            case "cuda":
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            case "cpu":
                work_on_cpu()
    """)


def test_match_guard_of_alternatives() -> None:
    check("""
    import torch
    def f(device):
        match device.type:
            case "cuda" | "xpu":
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        match device.type:
            case "cuda" | "cpu":
                torch.cuda.synchronize()  # expect: DEV007
    """)


def test_match_guard_by_the_condition_of_a_case() -> None:
    check("""
    import torch
    def f(kind):
        match kind:
            case 1 if torch.cuda.is_available():
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            case 2 if not torch.cuda.is_available():
                torch.cuda.synchronize()  # expect: DEV007
            case 3:
                torch.cuda.synchronize()  # expect: DEV007
    """)


# --- errors of the run ---------------------------------------------------------------------------


def test_attempt_that_only_handles_a_full_memory_is_no_guard() -> None:
    check("""
    import torch
    def f(x):
        try:
            torch.cuda.synchronize()  # expect: DEV007
        except torch.cuda.OutOfMemoryError:  # expect: MEM007
            torch.cuda.empty_cache()
        try:
            torch.cuda.synchronize()  # expect: DEV007
        except ValueError:
            pass
        try:
            torch.cuda.synchronize()  # expect: DEV007
        finally:
            x.done()
    """)


@pytest.mark.parametrize(
    ("handler", "guard"),
    [("pass", "guarded"), ("x = x.cpu()", "fallback"), ("raise", "none"), ("raise E", "none")],
)
def test_attempt_that_catches_everything_guards_calls(handler: str, guard: str) -> None:
    check(f"""
    import torch
    def f(x):
        try:
            torch.cuda.synchronize()  # expect: DEV007 guard={guard}
        except Exception:
            {handler}
        torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    ("clause", "guard"),
    [
        ("except", "guarded"),
        ("except BaseException", "guarded"),
        ("except AssertionError", "guarded"),
        ("except (AssertionError, RuntimeError) as error", "guarded"),
        ("except RuntimeError", "none"),  # a build of torch without CUDA raises AssertionError
        ("except (OSError, KeyError)", "none"),
        ("except torch.cuda.OutOfMemoryError", "none"),
    ],
)
def test_attempt_guards_calls_where_it_catches_what_they_raise(clause: str, guard: str) -> None:
    check(
        f"""
    import torch
    try:
        torch.cuda.synchronize()  # expect: DEV007 guard={guard}
    {clause}:
        pass
    """.replace("OutOfMemoryError:", "OutOfMemoryError:  # expect: MEM007")
    )


def test_attempt_around_a_check_that_raises_goes_on_in_the_handler() -> None:
    check("""
    import torch
    def f(x):
        try:
            if not torch.cuda.is_available():  # expect: DEV001 guard=fallback
                raise RuntimeError("no GPU")
            torch.cuda.synchronize()  # expect: DEV007 guard=fallback
        except RuntimeError:
            x = x.cpu()
    def g(x):
        try:
            if not torch.cuda.is_available():  # expect: DEV001 guard=hard-fail
                raise RuntimeError("no GPU")
            torch.cuda.synchronize()  # expect: DEV007 guard=hard-fail
        except KeyError:
            x = x.cpu()
    """)


@pytest.mark.parametrize(
    "body", ["torch.cuda.synchronize()", "for _ in x: torch.cuda.synchronize()"]
)
def test_attempt_around_a_long_body_is_no_guard(body: str) -> None:
    check(f"""
    import torch
    def f(x):
        try:
            while x:
                {body}  # expect: DEV007
        except Exception:
            x.report()
    """)


def test_attempt_by_suppress_guards_calls() -> None:
    check("""
    import contextlib
    import torch
    with contextlib.suppress(Exception):
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    with contextlib.suppress(KeyError):
        torch.cuda.synchronize()  # expect: DEV007
    with contextlib.nullcontext():
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_attempt_does_not_guard_its_handler_or_its_end() -> None:
    check("""
    import torch
    def f(x):
        try:
            x.run()
        except Exception:
            torch.cuda.synchronize()  # expect: DEV007
        finally:
            torch.cuda.synchronize()  # expect: DEV007
    """)


# --- checks --------------------------------------------------------------------------------------


def test_check_that_nothing_depends_on_is_unguarded() -> None:
    check("""
    import torch
    print(torch.cuda.is_available())  # expect: DEV001
    gpus = torch.cuda.device_count()  # expect: DEV002
    """)


def test_check_asked_in_several_places_is_judged_by_the_worst() -> None:
    check("""
    import torch
    ready = torch.cuda.is_available()  # expect: DEV001 guard=hard-fail
    if ready:
        x = 1
    else:
        x = 2
    if not ready:
        raise RuntimeError("no GPU")
    """)


def test_check_in_a_returned_answer_is_unguarded() -> None:
    check("""
    import torch
    def has_gpu():
        return torch.cuda.is_available()  # expect: DEV001
    """)


def test_check_inside_a_guarded_branch_has_its_guard() -> None:
    check("""
    import torch
    def f(use_gpu=False):
        if use_gpu:
            print(torch.cuda.is_available())  # expect: DEV001 guard=guarded
    """)


# --- versions that the target does not have ------------------------------------------------------


@pytest.mark.parametrize(
    "test",
    [
        "torch.__version__.startswith('0')",
        "torch.__version__ < '1.5'",
        "parse(torch.__version__) <= parse('1.10')",
        "tuple(map(int, torch.__version__.split('.')[:2])) < (1, 5)",
        "not parse(torch.__version__) >= parse('2.0')",
        "parse(torch.__version__) < parse('1.5') and FAST",
        "MAJOR < 2",
        "sys.version_info[0] < 3",
        "sys.version_info < (3, 6)",
    ],
)
def test_code_for_versions_that_the_target_does_not_have_is_silent(test: str) -> None:
    check(f"""
    import sys
    import torch
    from packaging.version import parse
    from settings import FAST
    MAJOR = int(torch.__version__.split(".")[0])
    if {test}:
        import flash_attn
    else:
        import flash_attn  # expect: FUS001
    if not ({test}):
        pass
    elif FAST:
        import flash_attn
    fused = __import__("flash_attn") if {test} else None
    """)


@pytest.mark.parametrize(
    "test",
    [
        "torch.__version__ >= '1.5'",
        "torch.__version__ < '3'",
        "parse(torch.__version__) >= parse('2.0') or FAST",
        "parse(torch.__version__) < parse('1.5') or FAST",
        "parse(torch.__version__) < parse('2.14')",
        "parse(torchvision.__version__) < parse('0.5')",
        "parse(FAST) < parse('0.5')",
        "MAJOR < 2",
        "sys.version_info >= (3,)",
        "parse_version(torch.__version__) >= 200",
        "parse_version(torch.__version__) >= parse('3.0')",
        "OLD",
        "Version(torch.__version__) >= 200",
    ],
)
def test_code_for_versions_that_the_target_may_have_is_not(test: str) -> None:
    check(f"""
    import sys
    import torch
    import torchvision
    from packaging.version import parse
    from settings import FAST
    from packaging.version import Version
    def parse_version(text):
        return int("".join(text.split(".")[:2]))
    OLD = torch.__version__ < "2.0"
    OLD |= bool(FAST)
    MAJOR = 1
    if FAST:
        MAJOR = int(torch.__version__.split(".")[0])
    if {test}:
        import flash_attn  # expect: FUS001
    """)


def test_what_is_left_by_a_refusal_of_a_version_is_not_silent() -> None:
    check("""
    import torch
    if torch.__version__ >= "2.0":  # expect: DEP040
        raise RuntimeError("torch 1 is needed")
    import flash_attn  # expect: FUS001
    """)
